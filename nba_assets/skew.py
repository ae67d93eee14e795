"""Skew: how the feature vectors that were served before games differ from those that are stored of them now, and why.

Causes are told by date: what a date rested on when its row was served is compared with what it rests on now. A feature
counts those of the changes alone that its tables rest on, and each of several once: which of them moved a value is not
known. A change that has come to the tables behind a date, and not to the date itself yet, counts as well; `status`
shows such dates as stale.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.basketball.season import LONGEST_SEASON_DAYS, SeasonCalendar
from nba_assets.entities.relations import find
from nba_assets.export import spans_of
from nba_assets.precompute.features import VERSION, Feature
from nba_assets.precompute.ml_feature_store import TABLE as FEATURE_STORE
from nba_assets.publishing.input_state import CALENDAR_COLUMNS, SEASON, differing_inputs
from nba_assets.publishing.provenance import Provenance, changed_tables, tables_behind
from nba_assets.publishing.served import TipOffs
from nba_assets.raw.tables import PLAYER_REGISTRY, RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES
from nba_assets.tables.columns import to_columns
from nba_assets.tables.served import SERVED_FEATURES
from nba_assets.tables.spec import Columns
from nba_assets.training import FEATURES_OF, Selection
from nba_assets.warehouse.interface import Warehouse

STAT_CORRECTION, ANNOUNCEMENT, SCHEDULE_CHANGE, REGISTRY_CHANGE, CODE_VERSION, UNKNOWN = (
    "stat_correction",
    "announcement",
    "schedule",
    "player_registry",
    "code_version",
    "unknown",
)
CAUSES: Mapping[str, str] = {
    STAT_CORRECTION: "a result, or a statistic of a game before the date, was corrected or arrived late",
    ANNOUNCEMENT: "an injury report, a line or a roster was announced after the row was served",
    SCHEDULE_CHANGE: "the schedule has changed",
    REGISTRY_CHANGE: "the player registry has changed",
    CODE_VERSION: "another version of the code has computed a table that the feature rests on",
    UNKNOWN: "nothing that is recorded of the date has changed, or it is not recorded",
}


@dataclass(frozen=True)
class Change:
    """Something that a date rests on and that is another one now: its cause, and the table or input by name."""

    cause: str
    name: str


@dataclass
class FeatureSkew:
    """How the served values of one feature differ from the stored ones."""

    feature: str
    compared: int = 0
    differing: int = 0
    largest: float = 0.0
    causes: Counter[str] = field(default_factory=Counter)
    """Differing rows by cause."""
    changed: Counter[str] = field(default_factory=Counter)
    """The same by the table or input that has changed."""
    total: float = 0.0
    """Sum of the absolute differences."""

    @property
    def share(self) -> float:
        """Of the compared rows, how many differ."""
        return self.differing / self.compared if self.compared else 0.0

    @property
    def mean(self) -> float:
        """Mean absolute difference of the rows that differ."""
        return self.total / self.differing if self.differing else 0.0


@dataclass(frozen=True)
class Skew:
    """Served against stored vectors of one list of features over some dates, in rows."""

    feature_version: str
    served: int
    gone: int
    """Served, and stored no longer."""
    never_served: int
    """Stored and never served."""
    never_served_in_time: int
    """Of these, first stored before the tip-off of their game."""
    features: Sequence[FeatureSkew]

    @property
    def compared(self) -> int:
        """Served, and stored."""
        return self.served - self.gone


def skew(warehouse: Warehouse, start: date, end: date, feature_version: str = VERSION) -> Skew:
    """Compare what was served with what is stored, of the dates from `start` to `end`, all of one moment.

    Raises TrainingSetError for a version that there is not, or stored vectors of another one.
    """
    served, stored = (Selection.of(as_served=of, feature_version=feature_version) for of in (True, False))
    features = [FeatureSkew(name) for name in served.names]
    counted: Counter[str] = Counter()
    with warehouse.session():
        for first, last in spans_of(warehouse, [SERVED_FEATURES, FEATURE_STORE], start, end):
            before = served.of_list(warehouse.read(SERVED_FEATURES, SERVED_FEATURES.column_names, first, last))
            rows = warehouse.read(FEATURE_STORE, FEATURE_STORE.column_names, first, last)
            now = stored.of_list(rows)
            place, unserved = _places(before, now), rows.filter(pa.array(_places(now, before) < 0))
            counted["served"] += before.num_rows
            counted["gone"] += int((place < 0).sum())
            counted["never_served"] += unserved.num_rows
            counted["never_served_in_time"] += _in_time(warehouse, unserved)
            there = np.flatnonzero(place >= 0)
            if len(there):
                before, now = before.take(there), now.take(place[there])
                changes = _Changes.of(warehouse, before)
                differences = np.abs(_values(before) - _values(now))
                for feature, definition, mine in zip(
                    features, FEATURES_OF[feature_version], differences.T, strict=True
                ):
                    _count(feature, mine, changes, _rests_on(definition))
    return Skew(
        feature_version,
        counted["served"],
        counted["gone"],
        counted["never_served"],
        counted["never_served_in_time"],
        features,
    )


def _count(feature: FeatureSkew, differences: NDArray[np.float64], changes: _Changes, rests_on: frozenset[str]) -> None:
    """Count rows in that were served and are stored."""
    differs = differences > 0
    feature.compared += len(differences)
    feature.differing += int(differs.sum())
    feature.total += float(differences.sum())
    feature.largest = max(feature.largest, float(differences.max()))
    for found, rows in zip(changes.of_state, changes.rows_by_state(differs), strict=True):
        mine = [change for change in found if change.name in rests_on]
        for cause in {change.cause for change in mine} or {UNKNOWN}:
            feature.causes[cause] += rows
        for change in mine:
            feature.changed[change.name] += rows
    feature.causes, feature.changed = +feature.causes, +feature.changed


@dataclass(frozen=True)
class _Changes:
    """What has changed of what some served rows rest on; many rows share a state of it."""

    state: NDArray[np.intp]
    """Of each row."""
    of_state: Sequence[Sequence[Change]]

    @classmethod
    def of(cls, warehouse: Warehouse, served: pa.Table) -> _Changes:
        """Of some served rows, against what their dates rest on now."""
        days = served["game_date"].unique().to_pylist()
        calendar = _calendar(warehouse, days)
        now = Provenance.read(warehouse, FEATURE_STORE, calendar, days)
        states: dict[tuple[date, str | None, tuple[str, ...]], int] = {}
        keys = zip(*(served[name].to_pylist() for name in ("game_date", "inputs", "code_versions")), strict=True)
        state = [states.setdefault((day, inputs, tuple(versions)), len(states)) for day, inputs, versions in keys]
        of_state = [
            [*_changes(inputs, now.inputs[day], changed_tables(versions, now.code_versions[day]))]
            for day, inputs, versions in states
        ]
        return cls(np.array(state), of_state)

    def rows_by_state(self, marked: NDArray[np.bool_]) -> list[int]:
        """How many of the marked rows have each state."""
        counts: list[int] = np.bincount(self.state[marked], minlength=len(self.of_state)).tolist()
        return counts


def _changes(before: str | None, now: str | None, recoded: set[str]) -> Iterator[Change]:
    """What differs between two records of what a date rested on; `recoded` tables were computed by other code.

    Where the code of a summary has changed, its rows are others for that: that they were corrected as well cannot be
    told.
    """
    yield from (Change(CODE_VERSION, name) for name in sorted(recoded))
    for name in differing_inputs(before or "", now or ""):
        table = name.split(":")[0]
        if table not in GAME_SUMMARIES or not recoded & {
            behind.name for behind in tables_behind(COMPUTED_TABLES[table])
        }:
            yield Change(_cause(table), name)


def _cause(table: str) -> str:
    """What it means that an input has changed, by its table."""
    raw = RAW_TABLES.get(table)
    if table in GAME_SUMMARIES or (raw and not raw.is_pregame):
        return STAT_CORRECTION
    if raw and not raw.whole_season:
        return ANNOUNCEMENT
    return REGISTRY_CHANGE if table == PLAYER_REGISTRY.name else SCHEDULE_CHANGE


def _rests_on(feature: Feature) -> frozenset[str]:
    """The tables and inputs, by name, that a feature's values may depend on."""
    read = {COMPUTED_TABLES[name.split(".")[0]] for source in feature.sources for name in source.reads}
    behind = {FEATURE_STORE, *(table for one in read for table in tables_behind(one))}
    pregame = {one for one in behind if one.stage == "pregame"}
    raw = {source.name for one in pregame for source in one.inputs if source.table.name in RAW_TABLES}
    return frozenset({SEASON, *raw, *(one.name for one in behind)})


def _in_time(warehouse: Warehouse, rows: pa.Table) -> int:
    """How many rows of the feature store were first stored before the tip-off of their game."""
    if not rows.num_rows:
        return 0
    days = sorted(rows["game_date"].unique().to_pylist())
    tips = TipOffs.read(warehouse, days).at
    first_stored = zip(rows["game_id"].to_pylist(), rows["created_at"].to_pylist(), strict=True)
    return sum(game in tips and moment < tips[game] for game, moment in first_stored)


def _calendar(warehouse: Warehouse, days: Sequence[date]) -> SeasonCalendar:
    year = timedelta(days=LONGEST_SEASON_DAYS)
    games: Columns = to_columns(warehouse.read(SCHEDULE.table, CALENDAR_COLUMNS, min(days) - year, max(days) + year))
    return SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"] == 1)


def _places(rows: pa.Table, others: pa.Table) -> NDArray[np.intp]:
    """The place of each row's date and player among other rows; negative where it is not there."""
    mine, theirs = (to_columns(table.select(list(FEATURE_STORE.key))) for table in (rows, others))
    places: NDArray[np.intp] = find(*(tuple(columns[name] for name in FEATURE_STORE.key) for columns in (mine, theirs)))
    return places


def _values(rows: pa.Table) -> NDArray[np.float64]:
    return np.array(rows["features"].to_pylist(), dtype=np.float64)
