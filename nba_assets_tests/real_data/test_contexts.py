"""The contexts of upcoming games on real seasons: a slow reading of sampled dates, known counts, a schedule read by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from nba_assets.publishing.publication import STAMPS
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.spec import Table
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.oracles import contexts as oracle
from nba_assets_tests.real_data.conftest import SEASONS, BuiltSeason

TEAMS, PLAYERS = "upcoming_team_game_context", "upcoming_player_game_context"
READINGS = {TEAMS: (oracle.team_contexts, "team_abbr"), PLAYERS: (oracle.player_contexts, "player_lookup")}
SAMPLED = (
    date(2021, 10, 19),  # opening night
    date(2021, 11, 15),
    date(2021, 11, 25),  # no games
    date(2021, 12, 25),
    date(2022, 2, 24),  # first day after the All-Star break
    date(2022, 5, 15),  # play-offs
)


def rows_of(warehouse: DuckDBWarehouse, table: Table, start: date, end: date) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = warehouse.read(table, table.column_names, start, end).to_pylist()
    return rows


def league_before(warehouse: DuckDBWarehouse, year: int, days: tuple[date, ...]) -> oracle.League:
    """Everything that the slow reading needs of a season, announcements of the given days only."""
    first, last = SEASONS[year]

    def raw(name: str, start: date = first, end: date = last) -> list[dict[str, Any]]:
        return rows_of(warehouse, RAW_TABLES[name].table, start, end)

    def announced(name: str) -> list[dict[str, Any]]:
        return [row for day in days for row in raw(name, day, day)]

    def computed(name: str) -> list[dict[str, Any]]:
        return rows_of(warehouse, TABLE_MODULES[name].TABLE, first, last)

    return oracle.League(
        schedule=raw("schedule", first - timedelta(days=366)),
        rosters=raw("rosters", first - timedelta(days=90)),
        injuries=announced("injury_report"),
        lines=announced("game_lines"),
        props=announced("player_points_props"),
        registry=raw("player_registry", first - timedelta(days=366)),
        box_scores=raw("player_boxscores"),
        players=computed("player_game_summary"),
        offense=computed("team_offense_game_summary"),
        defense=computed("team_defense_game_summary"),
    )


@pytest.fixture(scope="module")
def league_2021(season_2021: BuiltSeason) -> oracle.League:
    return league_before(season_2021.warehouse, 2021, SAMPLED)


def differences(table: Table, stored: list[dict[str, Any]], expected: dict[str, dict[str, Any]], entity: str) -> list[str]:
    """Where stored rows are not what the slow reading says, column by column."""
    there = {row[entity]: row for row in stored}
    found = [f"{key}: only on one side" for key in sorted(there.keys() ^ expected.keys())]
    for key in sorted(there.keys() & expected.keys()):
        assert expected[key].keys() == set(table.column_names) - set(STAMPS)
        for name, value in expected[key].items():
            mine = there[key][name]
            if name in oracle.FLOAT_MEANS and mine is not None and value is not None:
                if abs(mine - value) > 1.01 * 10.0 ** -(table.column(name).scale or 0):
                    found.append(f"{key} {name}: {mine} is not {value}")
            elif mine != value:
                found.append(f"{key} {name}: {mine!r} is not {value!r}")
    return found


@pytest.mark.parametrize("day", SAMPLED, ids=str)
@pytest.mark.parametrize("name", READINGS)
def test_rows_equal_a_slow_reading(season_2021: BuiltSeason, league_2021: oracle.League, name: str, day: date) -> None:
    reading, entity = READINGS[name]
    table = TABLE_MODULES[name].TABLE
    assert differences(table, rows_of(season_2021.warehouse, table, day, day), reading(league_2021, day), entity) == []
