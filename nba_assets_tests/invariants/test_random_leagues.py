"""Slow readings of every table on leagues drawn at random: other seeds, other teams, lengths and seasons than anybody
looked at.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.basketball.teams import CURRENT_TEAMS
from nba_assets.publishing.table_run import STAMPS
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.invariants.precompute import READINGS, differences, precomputed
from nba_assets_tests.oracles import contexts, game_summaries
from nba_assets_tests.pipeline import build, days_between, ingest_all

Rows = list[dict[str, Any]]
LONG_AGO, FAR_AHEAD = date(2015, 1, 1), date(2035, 1, 1)
SUMMARIES = {
    "team_offense_game_summary": ("team_abbr", game_summaries.team_offense),
    "team_defense_game_summary": ("defending_team_abbr", game_summaries.team_defense),
    "player_game_summary": ("player_lookup", game_summaries.players),
}
CONTEXTS = {
    "upcoming_team_game_context": ("team_abbr", contexts.team_contexts),
    "upcoming_player_game_context": ("player_lookup", contexts.player_contexts),
}
SEASONS = st.sampled_from([2021, 2023, 2024])


def teams(fewest: int, most: int) -> st.SearchStrategy[list[str]]:
    """An even number of teams."""
    return st.lists(st.sampled_from(sorted(CURRENT_TEAMS)), min_size=fewest, max_size=most, unique=True).filter(
        lambda drawn: len(drawn) % 2 == 0
    )


@pytest.mark.slow
@settings(max_examples=3)
@given(st.integers(0, 10_000), SEASONS, teams(4, 6), st.integers(10, 24))
def test_rows_equal_a_slow_reading(seed: int, season_year: int, league_teams: list[str], games_per_team: int) -> None:
    equal_on_some_dates(seed, season_year, league_teams, games_per_team)


@pytest.mark.slow
@settings(max_examples=2)
@given(st.integers(0, 10_000), SEASONS, teams(10, 14), st.integers(20, 36))
def test_rows_of_larger_leagues_equal_a_slow_reading(
    seed: int, season_year: int, league_teams: list[str], games_per_team: int
) -> None:
    """Ten teams and more make an average of the league, which smaller leagues never have."""
    equal_on_some_dates(seed, season_year, league_teams, games_per_team)


def equal_on_some_dates(seed: int, season_year: int, league_teams: list[str], games_per_team: int) -> None:
    """Build a league and read seven of its dates slowly, the last one and one without precomputed rows among them."""
    with TemporaryDirectory() as folder:
        landing, warehouse = Path(folder) / "landing", DuckDBWarehouse(Path(folder) / "nba.duckdb")
        summary = write_season(landing, season_year, seed=seed, teams=league_teams, games_per_team=games_per_team)
        days = days_between(summary.first_date, summary.last_date)
        ingest_all(warehouse, landing, days)
        facts = build(warehouse, days)
        with warehouse.session():
            raw = {name: _everything(warehouse, name) for name in RAW_TABLES}
            computed = {name: _everything(warehouse, name) for name in (*SUMMARIES, *CONTEXTS)}
            league = contexts.League.of(raw, computed)
            for day in days[:: -max(1, len(days) // 6)]:
                for name, (entity, reading) in SUMMARIES.items():
                    stored = {(row["game_id"], row[entity]): row for row in computed[name] if row["game_date"] == day}
                    _same(name, stored, reading(raw, day))
                for name, (entity, narrate) in CONTEXTS.items():
                    _same(
                        name,
                        {row[entity]: row for row in computed[name] if row["game_date"] == day},
                        narrate(league, day),
                    )
                before = precomputed(warehouse, league, day)
                for name in READINGS:
                    assert differences(warehouse, before, name, day) == [], (name, day)
        assert all(facts[name][-1].row_count > 0 for name in READINGS)


def _everything(warehouse: DuckDBWarehouse, name: str) -> Rows:
    table = RAW_TABLES[name].table if name in RAW_TABLES else TABLE_MODULES[name].TABLE
    rows: Rows = warehouse.read(table, table.column_names, LONG_AGO, FAR_AHEAD).to_pylist()
    return rows


def _same(name: str, stored: dict[Any, dict[str, Any]], expected: dict[Any, dict[str, Any]]) -> None:
    assert stored.keys() == expected.keys(), name
    for key, row in expected.items():
        for column, value in row.items():
            mine = stored[key][column]
            if column in contexts.FLOAT_MEANS and mine is not None and value is not None:
                scale = TABLE_MODULES[name].TABLE.column(column).scale or 0
                assert abs(mine - value) <= 1.01 * 10.0**-scale, (name, key, column)
            elif column not in STAMPS:
                assert mine == value, (name, key, column, mine, value)
