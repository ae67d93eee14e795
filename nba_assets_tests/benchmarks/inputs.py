"""The rows that a table is computed from, in memory: read once, then the same for the project's own code and, as data
frames, for its peers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.player_daily_cache import TABLE as DAILY_CACHE
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.publishing.table_run import TableRun
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Settings
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Value, Warehouse
from nba_assets_tests.benchmarks.measure import NOTHING, Spent, spent
from nba_assets_tests.pipeline import NOW

Frames = Mapping[str, pd.DataFrame]

WORKLOAD = "workload windows"
"""Games and minutes of the last 7 and 14 days, which the factors are computed from."""
SUBJECTS = (SHOT_ZONES.name, DAILY_CACHE.name, WORKLOAD, FACTORS.name)
"""What peers compute as well."""
READ_AS = {
    PLAYER_GAMES.name: "sheet",
    PLAYER_CONTEXT.name: "context",
    SHOT_ZONES.name: "zones",
    ZONE_DEFENSE.name: "defense",
}
"""Tables that peers read, each with the name of its frame."""
DATE_OF = {SHOT_ZONES.name: "analysis_date", DAILY_CACHE.name: "cache_date", FACTORS.name: "game_date"}
CACHE_MINIMUM_GAMES = Settings.from_environment({}).cache_minimum_games
IDENTITIES = ("player_lookup", "universal_player_id")


@dataclass
class RememberedReads:
    """A warehouse whose answers are kept: the second time nothing is read."""

    warehouse: Warehouse
    answers: dict[Any, pa.Table] = field(default_factory=dict)

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """As `Warehouse.read`."""
        key = (table.name, tuple(columns), start, end, repr(where))
        if key not in self.answers:
            self.answers[key] = self.warehouse.read(table, columns, start, end, where)
        return self.answers[key]

    @contextmanager
    def session(self) -> Iterator[None]:
        """As `Warehouse.session`."""
        yield

    def __getattr__(self, name: str) -> Any:
        return getattr(self.warehouse, name)


@dataclass
class InMemoryRun(TableRun):
    """A run whose reads are kept as columns, shared with other runs of the same table and dates."""

    remembered: dict[Any, tuple[Table, Columns]] = field(default_factory=dict)

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        start: date | None = None,
        end: date | None = None,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """As `TableRun.read`."""
        key = (table.name, tuple(columns), start, end, repr(where))
        if key not in self.remembered:
            self.remembered[key] = table, super().read(table, columns, start=start, end=end, where=where)
        return dict(self.remembered[key][1])


@dataclass
class MeasuredEntities(ParallelEntities):
    """Workers that remember what computing cost, and what was requested last."""

    compute: Spent = NOTHING
    requested: Grouped | None = None

    def map(self, kind: Any, compute: Any, requested: Grouped, *others: Any) -> Outcome:
        """As `ParallelEntities.map`."""
        self.requested = requested
        outcome, cost = spent(lambda: super(MeasuredEntities, self).map(kind, compute, requested, *others))
        self.compute += cost
        return outcome


@dataclass(frozen=True)
class Inputs:
    """All that one table reads for some dates, in memory."""

    name: str
    dates: Sequence[date]
    warehouse: RememberedReads
    rows: dict[Any, tuple[Table, Columns]]

    @classmethod
    def read(cls, warehouse: Warehouse, name: str, dates: Sequence[date]) -> Inputs:
        """Read them, by computing the table once."""
        inputs = cls(name, dates, RememberedReads(warehouse), {})
        inputs.build(serial())
        return inputs

    def build(self, entities: ParallelEntities) -> Outcome:
        """The table's rows and failures, all columns, from the rows in memory."""
        run = InMemoryRun(
            TABLE_MODULES[self.name].TABLE,
            self.dates,
            self.warehouse,
            entities,
            Settings.from_environment({}),
            "benchmark",
            NOW,
            remembered=self.rows,
        )
        return TABLE_MODULES[self.name].build(run)

    def with_players(self, times: int) -> Inputs:
        """The same with every player so many times, each time under another name."""
        return Inputs(
            self.name,
            self.dates,
            self.warehouse,
            {key: (table, _with_players(columns, times)) for key, (table, columns) in self.rows.items()},
        )

    def frames(self) -> Frames:
        """What the peers get: `requested` players and dates, and the tables that are read, as data frames.

        A row of `sheet` says the first day of its season, as do the requested rows.
        """
        entities = serial()
        self.build(entities)
        if entities.requested is None:
            raise ValueError(f"{self.name} has no rows on the dates {self.dates[0]} to {self.dates[-1]}")
        requested = dict(entities.requested.columns)
        requested["date"] = requested[DATE_OF[self.name]]
        names = ("player_lookup", "date", "season_start", "days_into_season")
        frames = {"requested": _frame({name: requested[name] for name in names if name in requested})}
        for table, columns in self.rows.values():
            if table.name in READ_AS:
                frames[READ_AS[table.name]] = _frame(columns)
        if "sheet" in frames and "season_start" in requested:
            starts = np.unique(requested["season_start"].astype("M8[D]"))
            dates = frames["sheet"]["game_date"].to_numpy().astype("M8[D]")
            place = np.searchsorted(starts, dates, side="right") - 1
            frames["sheet"]["season_start"] = starts[np.maximum(place, 0)].astype("M8[s]")
        return frames


def serial() -> MeasuredEntities:
    """All in the calling thread."""
    return MeasuredEntities(Workers(1, enabled=False), Workers(1, enabled=False))


def _frame(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame(
        {name: values.astype("M8[s]") if values.dtype.kind == "M" else values for name, values in columns.items()}
    )


def _with_players(columns: Columns, times: int) -> Columns:
    if "player_lookup" not in columns:
        return columns
    return {
        name: np.concatenate([_renamed(values, number) if name in IDENTITIES else values for number in range(times)])
        for name, values in columns.items()
    }


def _renamed(names: NDArray[np.object_], number: int) -> NDArray[np.object_]:
    if not number:
        return names
    renamed = {name: None if name is None else f"{name}{number}" for name in set(names.tolist())}
    return np.array([renamed[name] for name in names.tolist()], dtype=object)
