"""What the rows of a date rested on, from what is recorded of the tables behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.precompute.ml_feature_store import TABLE as STORE
from nba_assets.publishing.provenance import Provenance, changed_tables, tables_behind
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement

OPENING, DAY = date(2024, 10, 22), date(2024, 11, 3)
CALENDAR = SeasonCalendar.from_schedule(np.array([OPENING, DAY], dtype="M8[D]"), np.array([2024, 2024]), np.ones(2))
CACHE, CONTEXT, SUMMARY = "player_daily_cache", "upcoming_player_game_context", "player_game_summary"


def entries(*given: tuple[str, date, str, str | None]) -> pa.Table:
    """Entries in the state of partitions: table, date, code version, inputs."""
    moment = datetime(2024, 11, 4, tzinfo=UTC)
    blank: dict[str, Any] = dict.fromkeys(TABLE_PARTITIONS.column_names)
    blank |= {"row_count": 1, "failure_count": 0, "digest": "0", "run_id": "run", "written_at": moment}
    names = ("table_name", "partition_date", "code_version", "inputs")
    rows = [blank | dict(zip(names, entry, strict=True)) for entry in given]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE_PARTITIONS))


def provenance(
    path: Path, *given: tuple[str, date, str, str | None], own: pa.Table | None = None
) -> tuple[str | None, list[str]]:
    """What the feature store's date rests on."""
    warehouse, rows = DuckDBWarehouse(path / "nba.duckdb"), entries(*given)
    warehouse.replace([Replacement(TABLE_PARTITIONS, rows, rows["partition_date"].unique().to_pylist())])
    found = Provenance.read(warehouse, STORE, CALENDAR, [DAY], own)
    return found.inputs[DAY], found.code_versions[DAY]


def test_every_computed_table_is_behind_the_feature_store_and_itself_is_the_first() -> None:
    names = [table.name for table in tables_behind(STORE)]
    assert names[0] == STORE.name
    assert sorted(names) == sorted(COMPUTED_TABLES)
    assert [table.name for table in tables_behind(COMPUTED_TABLES["team_offense_game_summary"])] == [
        "team_offense_game_summary"
    ]


def test_inputs_of_all_tables_of_the_date_stand_together_without_these_tables(tmp_path: Path) -> None:
    inputs, _ = provenance(
        tmp_path,
        (STORE.name, DAY, "1", f"{CACHE}=1 season=9 {SUMMARY}=a"),
        (CACHE, DAY, "1", f"{CONTEXT}=2 season=9 {SUMMARY}=b"),
        (CONTEXT, DAY, "1", f"season=9 injury_report=c {SUMMARY}=a"),
        (CONTEXT, DAY + timedelta(days=1), "1", "injury_report=d"),
        ("player_boxscores", DAY, "1", "raw=e"),
    )
    assert inputs == f"injury_report=c {SUMMARY}=a+b season=9"


def test_inputs_are_unknown_where_one_table_has_none_on_record(tmp_path: Path) -> None:
    assert provenance(tmp_path, (STORE.name, DAY, "1", "season=9"), (CACHE, DAY, "1", None)) == (
        None,
        [f"{STORE.name} 1", f"{CACHE} 1"],
    )


def test_an_entry_that_is_about_to_be_written_counts_for_the_stored_one(tmp_path: Path) -> None:
    own = entries((STORE.name, DAY, "2", "season=8"))
    stored = (STORE.name, DAY, "1", "season=9")
    assert provenance(tmp_path, stored, own=own) == ("season=8", [f"{STORE.name} 2"])


def test_of_summaries_the_versions_of_the_season_before_the_date_count(tmp_path: Path) -> None:
    days = {OPENING - timedelta(days=1): "1", OPENING: "2", DAY - timedelta(days=1): "3", DAY: "4"}
    _, versions = provenance(tmp_path, *((SUMMARY, day, version, "x=1") for day, version in days.items()))
    assert versions == [f"{SUMMARY} 2", f"{SUMMARY} 3"]


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        (["a 1", "b 2 v1"], ["a 1", "b 2 v1"], set()),
        (["a 1", "b 2 v1"], ["a 1", "b 2 v2"], {"b"}),
        (["a 1", "a 2"], ["a 2"], {"a"}),
        (["a 1", "b 1"], ["a 1"], set()),
        (["a 1"], ["a 1", "c 1"], set()),
    ],
)
def test_tables_of_other_code(before: list[str], now: list[str], changed: set[str]) -> None:
    assert changed_tables(before, now) == changed
