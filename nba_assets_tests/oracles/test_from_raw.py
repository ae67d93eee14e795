"""The slow readings in one chain: equal to what is built from the same raw rows, and blind to every other season."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nba_assets.basketball.teams import CURRENT_TEAMS
from nba_assets.raw.sample_league import SeasonSummary, write_season
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.invariants.against_raw import differences, raw_rows
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.oracles import from_raw
from nba_assets_tests.pipeline import build, days_between, ingest_all

LARGE_LEAGUE: dict[str, Any] = {"teams": sorted(CURRENT_TEAMS)[:12], "games_per_team": 22}
"""Twelve teams make an average of the league, which smaller leagues never have."""


def ingested(
    folder: Path, *years: int, league: dict[str, Any] = SMALL_LEAGUE
) -> tuple[DuckDBWarehouse, from_raw.Raw, list[SeasonSummary]]:
    """A league in some seasons, in one warehouse."""
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    seasons = [write_season(folder / "landing", year, **league) for year in years]
    days = [day for season in seasons for day in days_between(season.first_date, season.last_date)]
    ingest_all(warehouse, folder / "landing", days)
    return warehouse, raw_rows(warehouse), seasons


def test_ten_tables_read_slowly_from_raw_rows_are_the_ten_tables_built(tmp_path: Path) -> None:
    warehouse, raw, (season,) = ingested(tmp_path, 2024)
    build(warehouse, days_between(season.first_date, season.last_date))
    days = [season.first_date, *days_between(season.first_date, season.last_date)[-3:]]
    reading = from_raw.read(raw, days)
    assert differences(warehouse, reading) == []
    assert all(rows[season.last_date] for rows in reading.rows.values())
    assert any(failures[season.last_date] for failures in reading.failures.values())


@pytest.mark.slow
def test_a_league_with_an_average_of_its_own_is_the_same_from_raw_rows(tmp_path: Path) -> None:
    warehouse, raw, (season,) = ingested(tmp_path, 2024, league=LARGE_LEAGUE)
    days = days_between(season.first_date, season.last_date)
    build(warehouse, days)
    assert differences(warehouse, from_raw.read(raw, [*days[20::20], days[-1]])) == []


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
