"""Training sets: the feature vector of each player as stored before his game, joined to what came of it.

One row per row of `ml_feature_store`. Features are the stored ones, computed from earlier games and from announcements
before the tip-off; what is known only after it is in the columns of `OUTCOMES` and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.entities.relations import find
from nba_assets.export import Exported, Format, slices_of, write_slices
from nba_assets.precompute.feature_lists import FEATURE_LISTS, FeatureList
from nba_assets.precompute.ml_feature_store import TABLE as FEATURE_STORE
from nba_assets.providers.landing_writer import write_beside
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import SettingsError
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema, to_columns
from nba_assets.tables.spec import Table
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
"""Columns of the feature store that say what the features are worth."""
ABOUT_THE_VERSION = ("feature_version", "feature_quality_score", "feature_sources")
"""Those that the store has for each version of the features."""
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


def training_set(
    warehouse: Warehouse, start: date, end: date, extra_columns: Sequence[str] = (), feature_version: str = "v1"
) -> pa.Table:
    """The training set of the dates from `start` to `end` in one table, sorted by date and player, with the features of
    one of `FEATURE_LISTS`.

    Raises TrainingSetError for a column that cannot be had, or stored features of another version than this one's.
    """
    extra, version = [ExtraColumn.parse(name) for name in extra_columns], FEATURE_LISTS[feature_version]
    with warehouse.session():
        slices = _slices(warehouse, start, end, extra, version)
        return pa.concat_tables([training_schema(extra, version).empty_table(), *slices])


def export_training_set(
    warehouse: Warehouse,
    start: date,
    end: date,
    file: Path,
    file_format: Format,
    extra_columns: Sequence[str] = (),
    feature_version: str = "v1",
) -> Exported:
    """Write the training set into a file and, beside it, `FILE.manifest.json`: what it was made of; see `training_set`.

    Both are of one moment, and in place once they are whole. Memory is that of some weeks of rows.
    """
    extra, version = [ExtraColumn.parse(name) for name in extra_columns], FEATURE_LISTS[feature_version]
    schema = training_schema(extra, version)
    file.parent.mkdir(parents=True, exist_ok=True)
    played = 0

    def counted() -> Iterator[pa.Table]:
        nonlocal played
        for rows in _slices(warehouse, start, end, extra, version):
            played += pc.sum(rows["played"]).as_py() or 0
            yield rows

    with warehouse.session():
        made_of = _made_of(warehouse, start, end, extra)
        count = write_slices(file, file_format, schema, counted())
    manifest = {
        "start": start.isoformat(),
        "end": end.isoformat(),
        "feature_version": version.name,
        "columns": schema.names,
        "tables": made_of,
        "rows": count,
        "rows_played": played,
    }
    write_beside(Path(f"{file}.manifest.json"), f"{json.dumps(manifest, indent=2)}\n".encode())
    return Exported(file, count)


def training_schema(extra: Sequence[ExtraColumn], version: FeatureList = FEATURE_LISTS["v1"]) -> pa.Schema:
    """The columns of a training set: who and when, features, what they are worth, other tables' columns, outcomes."""
    kept = [name for name in IDENTITY if name != "team_abbr"]
    stored = {field.name: field for field in arrow_schema(FEATURE_STORE, (*kept, *ABOUT))}
    team = {"team_abbr": pa.field("team_abbr", pa.string())}
    outcomes = {field.name: field.type for field in arrow_schema(PLAYER_GAMES, tuple(OUTCOMES.values()))}
    return pa.schema(
        [
            *((stored | team)[name] for name in IDENTITY),
            *(pa.field(feature.name, pa.float64()) for feature in version.features),
            *(stored[name] for name in ABOUT),
            *(column.field for column in extra),
            *(pa.field(name, outcomes[source]) for name, source in OUTCOMES.items()),
        ]
    )


def _slices(
    warehouse: Warehouse, start: date, end: date, extra: Sequence[ExtraColumn], version: FeatureList
) -> Iterator[pa.Table]:
    """The training set, some weeks at a time."""
    for stored in slices_of(warehouse, FEATURE_STORE, start, end):
        yield _with_outcomes(warehouse, stored, extra, version)


def _with_outcomes(
    warehouse: Warehouse, stored: pa.Table, extra: Sequence[ExtraColumn], version: FeatureList
) -> pa.Table:
    _refuse_other_versions(stored, version)
    rows = to_columns(stored.select(["game_date", "game_id", "player_lookup", "is_home"]))
    # A game id is YYYYMMDD_AWAY_HOME.
    teams = [game.split("_")[2 if home else 1] for game, home in zip(rows["game_id"], rows["is_home"], strict=True)]
    first, last = rows["game_date"].min().item(), rows["game_date"].max().item()
    keys = {
        "player_lookup": (rows["game_date"], rows["player_lookup"]),
        "team_abbr": (rows["game_date"], np.array(teams, dtype=object)),
    }
    vectors = np.array(stored[version.column("features")].to_pylist(), dtype=np.float64)
    columns: dict[str, Any] = {name: stored[name] for name in (*IDENTITY, *ABOUT) if name != "team_abbr"}
    columns |= {"team_abbr": pa.array(teams, pa.string())}
    columns |= {name: stored[version.column(name)] for name in ABOUT_THE_VERSION}
    columns |= {name: pa.array(vectors[:, place]) for place, name in enumerate(version.names)}
    for table in dict.fromkeys(column.table for column in extra):
        names = [column.column for column in extra if column.table == table]
        other = warehouse.read(table, list(dict.fromkeys([*table.key, *names])), first, last)
        places = _places(keys[str(table.entity_column)], other, (table.date_column, str(table.entity_column)))
        columns |= {f"{table.name}.{name}": other[name].take(places) for name in names}
    games = warehouse.read(PLAYER_GAMES, (*PLAYER_GAMES.key, "game_id", *OUTCOMES.values()), first, last)
    own_game = (*keys["player_lookup"], rows["game_id"])
    places = _places(own_game, games, ("game_date", "player_lookup", "game_id"))
    columns |= {name: games[source].take(places) for name, source in OUTCOMES.items()}
    columns["played"] = pc.invert(columns["played"])
    schema = training_schema(extra, version)
    return pa.table([columns[name] for name in schema.names], names=schema.names).cast(schema)


def _refuse_other_versions(stored: pa.Table, version: FeatureList) -> None:
    stored_versions = stored[version.column("feature_version")]
    others = stored.filter(pc.fill_null(pc.not_equal(stored_versions, version.name), True))
    if others.num_rows:
        raise TrainingSetError(
            f"{others.num_rows:,} rows from {others['game_date'][0]} on hold features of "
            f"{others[version.column('feature_version')][0].as_py() or 'an older version'}, not of {version.name}; "
            f"build them anew with `nba-assets rebuild --stale-code`"
        )


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
