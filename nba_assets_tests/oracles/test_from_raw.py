"""The slow readings in one chain: equal to what is built from the same raw rows, and blind to every other season."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nba_assets.raw.sample_league import SeasonSummary, write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.spec import Table
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.oracles import contexts, from_raw
from nba_assets_tests.pipeline import build, days_between, ingest_all

LONG_AGO, FAR_AHEAD = date(2015, 1, 1), date(2035, 1, 1)


def read(
    warehouse: DuckDBWarehouse, table: Table, start: date = LONG_AGO, end: date = FAR_AHEAD
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = warehouse.read(table, table.column_names, start, end).to_pylist()
    return rows


def ingested(folder: Path, *years: int) -> tuple[DuckDBWarehouse, from_raw.Raw, list[SeasonSummary]]:
    """The small league in some seasons, in one warehouse."""
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    seasons = [write_season(folder / "landing", year, **SMALL_LEAGUE) for year in years]
    days = [day for season in seasons for day in days_between(season.first_date, season.last_date)]
    ingest_all(warehouse, folder / "landing", days)
    with warehouse.session():
        return warehouse, {name: read(warehouse, raw.table) for name, raw in RAW_TABLES.items()}, seasons


def test_ten_tables_read_slowly_from_raw_rows_are_the_ten_tables_built(tmp_path: Path) -> None:
    warehouse, raw, (season,) = ingested(tmp_path, 2024)
    build(warehouse, days_between(season.first_date, season.last_date))
    days = [season.first_date, *days_between(season.first_date, season.last_date)[-3:]]
    with warehouse.session():
        for name, by_day in from_raw.read(raw, days).items():
            table = TABLE_MODULES[name].TABLE
            for day, expected in by_day.items():
                stored = {row[entity_column(table)]: row for row in read(warehouse, table, day, day)}
                assert stored.keys() == expected.keys(), (name, day)
                assert differences(table, stored, expected) == [], (name, day)
    assert all(expected[season.last_date] for expected in from_raw.read(raw, [season.last_date]).values())


def entity_column(table: Table) -> str:
    """The column of a computed table that names the player, or the team."""
    return next(name for name in ("player_lookup", "defending_team_abbr", "team_abbr") if name in table.column_names)


def differences(table: Table, stored: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Values that are not what the slow reading says."""
    found = []
    for key, row in expected.items():
        for name, value in row.items():
            mine = json.loads(stored[key][name]) if name.endswith("_json") else stored[key][name]
            near = name in contexts.FLOAT_MEANS and mine is not None and value is not None
            if not (abs(mine - value) <= 1.01 * 10.0 ** -(table.column(name).scale or 0) if near else mine == value):
                found.append(f"{key} {name}: {mine!r} is not {value!r}")
    return found


@pytest.mark.slow
def test_no_season_sees_another(tmp_path: Path) -> None:
    """First and last days above all: what is ahead ends with the season, and nothing of the season before is behind."""
    _, together, seasons = ingested(tmp_path / "both", 2023, 2024)
    for season in seasons:
        _, alone, _ = ingested(tmp_path / str(season.season_year), season.season_year)
        days = days_between(season.first_date, season.last_date)
        assert from_raw.read(together, [days[0], *days[-2:]]) == from_raw.read(alone, [days[0], *days[-2:]])


def test_readings_need_no_order_of_rows(tmp_path: Path) -> None:
    _, raw, (season,) = ingested(tmp_path, 2024)
    backwards = {name: rows[::-1] for name, rows in raw.items()}
    assert from_raw.read(backwards, [season.last_date]) == from_raw.read(raw, [season.last_date])
