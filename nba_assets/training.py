"""Training sets: the feature vector of each player before his game, joined to what came of it.

One row per row of `ml_feature_store`, or as served one per row of `served_features`. Features are the stored ones,
computed from earlier games and from announcements before the tip-off; what is known only after it is in the columns of
`OUTCOMES` and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.entities.relations import find
from nba_assets.export import Exported, Format, slices_of, spans_of, write_slices
from nba_assets.precompute.features import FEATURES, VERSION, Feature
from nba_assets.precompute.ml_feature_store import TABLE as FEATURE_STORE
from nba_assets.providers.landing_writer import write_beside
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import SettingsError
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema, to_columns
from nba_assets.tables.digest import as_hex, row_hashes
from nba_assets.tables.served import SERVED_FEATURES, vectors
from nba_assets.tables.spec import FeatureList, Table
from nba_assets.warehouse.interface import Warehouse

IDENTITY = (
    "game_date",
    "game_id",
    "player_lookup",
    "universal_player_id",
    "team_abbr",
    "opponent_team_abbr",
    "is_home",
)
ABOUT = ("feature_version", "feature_quality_score", "quality_tier", "data_source", "feature_sources", "processed_at")
"""Columns that say what the features are worth."""
FEATURES_OF: Mapping[str, tuple[Feature, ...]] = {VERSION: FEATURES}
"""The features of each list that the feature store holds, by its version."""
OUTCOMES = {"played": "is_dnp", "minutes": "minutes_played", "points": "points"}
"""What happened, and the column of the player's game summary that tells; null where his game has no summary yet."""


class TrainingSetError(SettingsError):
    """A training set cannot be made of what is requested or stored; the message says why and what to do."""


@dataclass(frozen=True)
class ExtraColumn:
    """A column of another table that describes the date before its games, of the player or of his team."""

    table: Table
    column: str

    @classmethod
    def parse(cls, name: str) -> ExtraColumn:
        """The column that `table.column` names, e.g. `upcoming_player_game_context.game_total`.

        Raises TrainingSetError for one that is not there, or is known only after the game.
        """
        table_name, _, column = name.rpartition(".")
        table = COMPUTED_TABLES.get(table_name)
        if table is None or column not in table.column_names:
            raise TrainingSetError(f"{name} is no column; write TABLE.COLUMN, as in docs/tables")
        if table.stage != "pregame":
            raise TrainingSetError(
                f"{name} is known only after the game and cannot be a feature; name a column of "
                f"{', '.join(known.name for known in COMPUTED_TABLES.values() if known.stage == 'pregame')}"
            )
        return cls(table, column)

    @property
    def name(self) -> str:
        """As it stands in the training set."""
        return f"{self.table.name}.{self.column}"

    @property
    def field(self) -> pa.Field:
        """Its name and type there."""
        return pa.field(self.name, arrow_schema(self.table, (self.column,)).field(0).type)


@dataclass(frozen=True)
class Selection:
    """Which vectors make a training set, and the columns that it has beside them."""

    features: FeatureList
    as_served: bool = False
    extra: Sequence[ExtraColumn] = ()

    @classmethod
    def of(
        cls, extra_columns: Sequence[str] = (), as_served: bool = False, feature_version: str = VERSION
    ) -> Selection:
        """What a request names.

        Raises TrainingSetError for a list of features or a column that cannot be had, and for columns of other tables
        beside served vectors: of these tables nobody has kept what they said then.
        """
        if as_served and extra_columns:
            raise TrainingSetError(
                f"{', '.join(extra_columns)} cannot stand beside vectors as served: other tables hold what is known "
                "now. Leave out the columns, or take the vectors as corrected"
            )
        return cls(feature_list(feature_version), as_served, [ExtraColumn.parse(name) for name in extra_columns])

    @property
    def names(self) -> list[str]:
        """The names of the features, in the model's order."""
        return [feature.name for feature in FEATURES_OF[self.features.version]]

    @property
    def table(self) -> Table:
        """The table that the vectors are read from."""
        return SERVED_FEATURES if self.as_served else FEATURE_STORE

    @property
    def schema(self) -> pa.Schema:
        """The columns: who and when, features, what they are worth, other tables' columns, outcomes."""
        kept = {field.name: field for field in arrow_schema(SERVED_FEATURES)}
        kept |= {"team_abbr": pa.field("team_abbr", pa.string())}
        outcomes = {field.name: field.type for field in arrow_schema(PLAYER_GAMES, tuple(OUTCOMES.values()))}
        return pa.schema(
            [
                *(kept[name] for name in IDENTITY),
                *(pa.field(name, pa.float64()) for name in self.names),
                *(kept[name] for name in ABOUT),
                *(column.field for column in self.extra),
                *(pa.field(name, outcomes[source]) for name, source in OUTCOMES.items()),
            ]
        )

    def of_list(self, rows: pa.Table) -> pa.Table:
        """The vectors of the list among some rows of `table`; raises TrainingSetError for stored ones of another
        version, and for served ones whose features are others.
        """
        if not self.as_served:
            found = vectors(rows, self.features)
            _refuse_other_versions(found, self.features.version)
            return found
        found = rows.filter(pc.equal(rows["feature_version"], self.features.version))
        if any(names != self.names for names in found["feature_names"].to_pylist()):
            raise TrainingSetError(
                f"vectors of {self.features.version} were served in {found['game_date'][0]} and later with features "
                "other than those of this version of nba-assets; use the version that served them"
            )
        return found


def feature_list(version: str) -> FeatureList:
    """The list of features of a version; raises TrainingSetError, naming all there are, where there is none."""
    lists = {features.version: features for features in FEATURE_STORE.feature_lists}
    if version not in lists:
        raise TrainingSetError(f"there is no feature version {version}; there are {', '.join(lists)}")
    return lists[version]


def training_set(
    warehouse: Warehouse,
    start: date,
    end: date,
    extra_columns: Sequence[str] = (),
    *,
    as_served: bool = False,
    feature_version: str = VERSION,
) -> pa.Table:
    """The training set of the dates from `start` to `end` in one table, sorted by date and player: with the vectors as
    stored now, or those `as_served` before the games.

    Raises TrainingSetError for a column or version that cannot be had, or stored features of another version.
    """
    selection = Selection.of(extra_columns, as_served, feature_version)
    with warehouse.session():
        slices = (rows for rows, _ in _slices(warehouse, start, end, selection))
        return pa.concat_tables([selection.schema.empty_table(), *slices])


def export_training_set(
    warehouse: Warehouse,
    start: date,
    end: date,
    file: Path,
    file_format: Format,
    extra_columns: Sequence[str] = (),
    *,
    as_served: bool = False,
    feature_version: str = VERSION,
) -> Exported:
    """Write the training set into a file and, beside it, `FILE.manifest.json`: what it was made of; see `training_set`.

    Both are of one moment, and in place once they are whole. Memory is that of some weeks of rows.
    """
    selection = Selection.of(extra_columns, as_served, feature_version)
    file.parent.mkdir(parents=True, exist_ok=True)
    served, played = _ServedFacts(), 0

    def counted() -> Iterator[pa.Table]:
        nonlocal played
        for rows, read in _slices(warehouse, start, end, selection):
            played += pc.sum(rows["played"]).as_py() or 0
            if as_served:
                served.add(read)
            yield rows

    with warehouse.session():
        made_of = _made_of(warehouse, start, end, selection.extra)
        count = write_slices(file, file_format, selection.schema, counted())
        not_served = _not_served(warehouse, start, end, selection) if as_served else None
    manifest = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "feature_version": feature_version,
        "as_served": as_served,
        "columns": selection.schema.names,
        "tables": made_of | ({SERVED_FEATURES.name: served.facts} if as_served else {}),
        "rows": count,
        "rows_played": played,
        **({} if not_served is None else {"rows_not_served": not_served}),
    }
    write_beside(Path(f"{file}.manifest.json"), f"{json.dumps(manifest, indent=2)}\n".encode())
    return Exported(file, count)


def _slices(warehouse: Warehouse, start: date, end: date, selection: Selection) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The training set, some weeks at a time, and the rows with the vectors that it was made of."""
    for rows in slices_of(warehouse, selection.table, start, end):
        read = selection.of_list(rows)
        if read.num_rows:
            yield _with_outcomes(warehouse, read, selection), read


def _with_outcomes(warehouse: Warehouse, read: pa.Table, selection: Selection) -> pa.Table:
    rows = to_columns(read.select(["game_date", "game_id", "player_lookup", "is_home"]))
    # A game id is YYYYMMDD_AWAY_HOME.
    teams = [game.split("_")[2 if home else 1] for game, home in zip(rows["game_id"], rows["is_home"], strict=True)]
    first, last = rows["game_date"].min().item(), rows["game_date"].max().item()
    keys = {
        "player_lookup": (rows["game_date"], rows["player_lookup"]),
        "team_abbr": (rows["game_date"], np.array(teams, dtype=object)),
    }
    values = np.array(read["features"].to_pylist(), dtype=np.float64).reshape(read.num_rows, len(selection.names))
    columns: dict[str, Any] = {name: read[name] for name in (*IDENTITY, *ABOUT) if name != "team_abbr"}
    columns |= {"team_abbr": pa.array(teams, pa.string())}
    columns |= {name: pa.array(values[:, place]) for place, name in enumerate(selection.names)}
    for table in dict.fromkeys(column.table for column in selection.extra):
        names = [column.column for column in selection.extra if column.table == table]
        other = warehouse.read(table, list(dict.fromkeys([*table.key, *names])), first, last)
        places = _places(keys[str(table.entity_column)], other, (table.date_column, str(table.entity_column)))
        columns |= {f"{table.name}.{name}": other[name].take(places) for name in names}
    games = warehouse.read(PLAYER_GAMES, (*PLAYER_GAMES.key, "game_id", *OUTCOMES.values()), first, last)
    own_game = (*keys["player_lookup"], rows["game_id"])
    places = _places(own_game, games, ("game_date", "player_lookup", "game_id"))
    columns |= {name: games[source].take(places) for name, source in OUTCOMES.items()}
    columns["played"] = pc.invert(columns["played"])
    schema = selection.schema
    return pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)


def _refuse_other_versions(stored: pa.Table, version: str) -> None:
    others = stored.filter(pc.not_equal(stored["feature_version"], version))
    if others.num_rows:
        raise TrainingSetError(
            f"{others.num_rows:,} rows from {others['game_date'][0]} on hold features of "
            f"{others['feature_version'][0]}, not of {version}; build them anew with `nba-assets rebuild --stale-code`"
        )


@dataclass
class _ServedFacts:
    """What is known of the served vectors of a training set."""

    days: set[date] = field(default_factory=set)
    code_versions: set[str] = field(default_factory=set)
    digest: Any = field(default_factory=sha256)

    def add(self, read: pa.Table) -> None:
        """Count rows in."""
        self.days |= set(read["game_date"].unique().to_pylist())
        self.code_versions |= set(map(str, read["code_version"].unique().to_pylist()))
        self.digest.update("".join(as_hex(row_hashes(SERVED_FEATURES, read))).encode())

    @property
    def facts(self) -> dict[str, Any]:
        """As `_made_of` has them of other tables."""
        return {
            "dates": len(self.days),
            "code_versions": sorted(self.code_versions),
            "digest": self.digest.hexdigest(),
        }


def _not_served(warehouse: Warehouse, start: date, end: date, selection: Selection) -> int:
    """How many rows the feature store holds of which no vector was served."""
    count = 0
    for first, last in spans_of(warehouse, [FEATURE_STORE], start, end):
        stored = warehouse.read(FEATURE_STORE, FEATURE_STORE.key, first, last)
        version = {"feature_version": selection.features.version}
        served = warehouse.read(SERVED_FEATURES, FEATURE_STORE.key, first, last, version)
        count += _places(_key(stored), served, FEATURE_STORE.key).null_count
    return count


def _key(rows: pa.Table) -> list[Any]:
    columns = to_columns(rows.select(list(FEATURE_STORE.key)))
    return [columns[name] for name in FEATURE_STORE.key]


def _places(keys: Sequence[Any], other: pa.Table, names: Sequence[str]) -> pa.Array:
    """The row of each key in another table; null where it has none."""
    columns = to_columns(other.select(list(names)))
    places = find(tuple(keys), tuple(columns[name] for name in names))
    return pa.array(places, mask=places < 0)


def _made_of(warehouse: Warehouse, start: date, end: date, extra: Sequence[ExtraColumn]) -> dict[str, Any]:
    """Of each table that is read: dates, code versions, and one digest of their digests."""
    names = list(dict.fromkeys((FEATURE_STORE.name, PLAYER_GAMES.name, *(column.table.name for column in extra))))
    entries = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "partition_date", "digest", "code_version"), start, end, {"table_name": names}
    ).to_pylist()
    made_of = {}
    for name in names:
        mine = sorted(
            (entry for entry in entries if entry["table_name"] == name), key=lambda one: one["partition_date"]
        )
        digests = "".join(f"{entry['partition_date']} {entry['digest']}\n" for entry in mine)
        made_of[name] = {
            "dates": len(mine),
            "code_versions": sorted({str(entry["code_version"]) for entry in mine}),
            "digest": sha256(digests.encode()).hexdigest(),
        }
    return made_of
