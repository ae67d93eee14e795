"""Checks made from a table's declaration, and what else is made from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from nba_assets.registry import ALL_TABLES
from nba_assets.tables.audit import audit, check_names
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.dagster_schema import column_schema
from nba_assets.tables.ddl import bigquery_layout, bigquery_schema, duckdb_create
from nba_assets.tables.dictionary import dictionary_page
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum, unequal
from nba_assets.tables.spec import Table, count, day, number, text, whole

TABLE = Table(
    "nba_analytics",
    "small",
    "one team in one game",
    ("game_date", "team"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("game_id", "Game", nullable=False),
        text("team", "Team", nullable=False),
        whole("margin", "Margin"),
        count("rebounds", "Rebounds"),
        count("offensive", "Offensive"),
        count("defensive", "Defensive"),
        number("pct", "Share", scale=1, allowed=(0, 100), usual=(10, 90)),
        text("result", "Result", values=("W", "L")),
    ),
    rules=(
        not_two_per_game("team"),
        rows_per_game_sum("margins_cancel", "Margins cancel", "margin", 0),
        unequal("rebounds_add_up", "Rebounds add up", "rebounds", ("offensive", "defensive"), blocking=False),
    ),
)
D = date(2021, 11, 15)


def game(**changes: Any) -> list[dict[str, Any]]:
    """Two good rows; the changes go to the first."""
    good = {"game_date": D, "game_id": "g", "margin": 5, "rebounds": 10, "offensive": 4, "defensive": 6, "pct": 50.0, "result": "W"}
    return [{**good, "team": "BOS", **changes}, {**good, "team": "LAL", "margin": -5, "result": "L"}]


def failed(rows: list[dict[str, Any]]) -> dict[str, int]:
    found = audit(TABLE, pa.Table.from_pylist(rows, schema=arrow_schema(TABLE)))
    assert [finding.name for finding in found] == [name for name, _, _ in check_names(TABLE)]
    return {finding.name: finding.offending_count for finding in found if not finding.passed}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"margin": None, "pct": None, "result": None, "rebounds": None}, {"margins_cancel": 2}),
        ({"team": "LAL"}, {"key_unique": 2, "two_rows_per_game": 2}),
        ({"game_id": None}, {"not_null": 1, "two_rows_per_game": 2, "margins_cancel": 2}),
        ({"pct": 100.1}, {"values_in_range": 1, "usual_range": 1}),
        ({"rebounds": -1}, {"values_in_range": 1, "rebounds_add_up": 1}),
        ({"pct": 95.0}, {"usual_range": 1}),
        ({"result": "T"}, {"known_values": 1}),
        ({"margin": 6}, {"margins_cancel": 2}),
        ({"offensive": 5}, {"rebounds_add_up": 1}),
    ],
)
def test_each_check_finds_its_own_fault(changes: dict[str, Any], broken: dict[str, int]) -> None:
    assert failed(game(**changes)) == broken


def test_a_finding_names_dates_keys_and_values() -> None:
    (finding,) = [
        found for found in audit(TABLE, pa.Table.from_pylist(game(pct=120.0), schema=arrow_schema(TABLE))) if found.name == "values_in_range"
    ]
    assert finding.dates == (D,)
    assert finding.examples == ("game_date=2021-11-15, team=BOS: pct=120.0",)


def test_no_rows_break_nothing() -> None:
    assert failed([]) == {}


@pytest.mark.parametrize("name", ALL_TABLES)
def test_everything_derived_speaks_of_every_column(name: str) -> None:
    table = ALL_TABLES[name]
    create = duckdb_create(table)
    assert all(f'"{column}"' in create for column in table.column_names)
    assert [field["name"] for field in bigquery_schema(table)] == list(table.column_names)
    assert bigquery_layout(table)["timePartitioning"]["field"] == table.date_column
    assert [column.name for column in column_schema(table).columns] == list(table.column_names)
    assert all(column.description for column in table.columns)
    page = dictionary_page([table])
    assert all(f"| {column} |" in page for column in table.column_names)


def test_required_and_repeated_columns_are_told_apart_for_bigquery() -> None:
    modes = {field["name"]: field["mode"] for field in bigquery_schema(ALL_TABLES["player_game_summary"])}
    assert (modes["player_lookup"], modes["points"], modes["quality_issues"]) == ("REQUIRED", "NULLABLE", "REPEATED")


def test_quotes_in_identifiers_are_doubled() -> None:
    assert duckdb_create(replace(TABLE, name='sm"all')).startswith('CREATE TABLE "nba_analytics"."sm""all"')
