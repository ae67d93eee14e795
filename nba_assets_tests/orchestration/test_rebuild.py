"""Dates from older code: the command line counts them, and builds them when it is told to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, Value
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import build, days_between, ingest_all


@pytest.fixture
def days(home: Home) -> list[date]:
    """Four dates with games; everything up to the last of them is built."""
    warehouse, dates = DuckDBWarehouse(home.warehouse), days_between(home.day(0), home.day(8))
    ingest_all(warehouse, home.landing, dates)
    facts = build(warehouse, dates)
    return [fact.day for fact in facts["team_offense_game_summary"] if fact.row_count][:4]


def rewrite(home: Home, table: str, days: list[date], **values: str | None) -> None:
    """Other values in the state of partitions, as an earlier version would have left them."""
    warehouse = DuckDBWarehouse(home.warehouse)
    where: dict[str, Value | Sequence[Value]] = {"table_name": table, "partition_date": list(days)}
    rows = warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, days[0], days[-1], where).to_pylist()
    changed = pa.Table.from_pylist([row | values for row in rows], schema=arrow_schema(TABLE_PARTITIONS))
    warehouse.replace([Replacement(TABLE_PARTITIONS, changed, days, {"table_name": table})])


def entries(home: Home, table: str, days: list[date]) -> list[tuple[str, str, bool]]:
    where: dict[str, Value | Sequence[Value]] = {"table_name": table, "partition_date": list(days)}
    rows = (
        DuckDBWarehouse(home.warehouse)
        .read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, days[0], days[-1], where)
        .to_pylist()
    )
    return [(row["digest"], row["code_version"], row["inputs"] is not None) for row in rows]


def said(*arguments: str) -> str:
    return " ".join(CliRunner().invoke(app, list(arguments)).output.split())


def test_status_names_tables_and_dates_from_older_code_and_nothing_else(home: Home, days: list[date]) -> None:
    assert os.environ["NBA_ASSETS_HOME"] == str(home.path)
    assert "rebuild" not in said("status")
    rewrite(home, "player_game_summary", days[1:3], code_version="0")
    rewrite(home, "team_offense_game_summary", days[:1], inputs=None)
    told = said("status")
    assert (
        f"player_game_summary: 2 dates from older code ({days[1]} to {days[2]}); `nba-assets rebuild --stale-code` "
        "builds them"
    ) in told
    assert f"team_offense_game_summary: 1 date from before their inputs were recorded ({days[0]});" in told
    assert "team_defense_game_summary:" not in told


def test_an_empty_home_has_nothing_to_rebuild(home: Home) -> None:
    del home
    assert "Nothing to rebuild" in said("rebuild", "--stale-code")
    assert "older code" not in said("status")
    assert "--stale-code" in said("rebuild")


@pytest.mark.slow
def test_rebuild_builds_the_dates_from_older_code_within_bounds_to_the_same_rows(home: Home, days: list[date]) -> None:
    before = {name: entries(home, name, days) for name in COMPUTED_TABLES}
    for name in ("team_offense_game_summary", "player_game_summary"):
        rewrite(home, name, days[1:], code_version="0")
    rewrite(home, "upcoming_team_game_context", days[2:3], inputs=None)
    first = home.command("rebuild", "--stale-code", days[1], days[2])
    assert first.returncode in (0, 3), first.stdout
    assert f"Run of 2 assets from {days[1]} to {days[1]}" in first.stdout
    assert f"Run of 3 assets from {days[2]} to {days[2]}" in first.stdout
    assert entries(home, "player_game_summary", days)[:3] == before["player_game_summary"][:3]
    assert entries(home, "player_game_summary", days)[3][1] == "0"
    home.command("rebuild", "--stale-code")
    assert {name: entries(home, name, days) for name in COMPUTED_TABLES} == before
    assert "Nothing to rebuild" in home.command("rebuild", "--stale-code").stdout
