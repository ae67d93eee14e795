"""The three game summaries on real seasons: invariants, known counts, known players, and a slow reading of sampled
dates.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets_tests.benchmarks.__main__ import REGULAR_SEASON_ENDS
from nba_assets_tests.invariants.game_summaries import EXACT, SHARES
from nba_assets_tests.invariants.judging import breaking, broken_share
from nba_assets_tests.oracles import game_summaries as oracle
from nba_assets_tests.pipeline import build, days_between, digests, table_run
from nba_assets_tests.real_data.conftest import SEASONS, BuiltSeason

FIELD_GOALS_ONLY = {2020, 2022}
"""Seasons whose play-by-play holds field-goal attempts only: no free throws, no rebounds."""


def rows(season: BuiltSeason, query: str) -> list[Any]:
    with duckdb.connect(season.path, read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("name", EXACT)
def test_invariant(season: BuiltSeason, name: str) -> None:
    assert breaking(season.path, EXACT[name]) == []


@pytest.mark.parametrize("name", SHARES)
def test_invariant_but_for_a_few(season: BuiltSeason, name: str) -> None:
    broken, everything, tolerated = SHARES[name]
    assert broken_share(season.path, broken, everything) <= tolerated


def test_every_game_of_the_season_is_there(season: BuiltSeason) -> None:
    games = {2020: 1080, 2021: 1230, 2022: 1230}[season.year]
    query = "select count(*) from nba_analytics.{} t join nba_raw.schedule s using (game_id) where s.is_regular_season"
    assert rows(season, query.format("team_offense_game_summary"))[0][0] == 2 * games
    assert rows(season, query.format("team_defense_game_summary"))[0][0] == 2 * games


def test_nothing_of_the_season_fails_to_compute(season: BuiltSeason) -> None:
    query = """
        select table_name, failure_category, count(*) from nba_processing.entity_failures
        where table_name like '%_summary' and failure_category <> 'REGISTRY_LOOKUP_FAILED' or failure_category =
        'PROCESSING_ERROR' group by all"""
    assert rows(season, query) == []


@pytest.mark.parametrize("table", ["team_offense_game_summary", "team_defense_game_summary", "player_game_summary"])
def test_no_feed_of_the_season_contradicts_another_nor_names_an_unknown_game(season: BuiltSeason, table: str) -> None:
    run = table_run(season.warehouse, table, days_between(*SEASONS[season.year]))
    with run.reading():
        TABLE_MODULES[table].build(run)
    # The seasons hold no sheets of the play-in and the play-offs.
    without_sheet = {day for day, _ in run.notices.pop("team_without_sheet", [])}
    assert run.notices == {}
    assert all(day > REGULAR_SEASON_ENDS[season.year] for day in without_sheet)


def test_free_throw_measures_need_free_throws(season: BuiltSeason) -> None:
    and_ones = rows(season, "select count(and1_count) from nba_analytics.player_game_summary")[0][0]
    chances = rows(season, "select count(second_chance_points_scored) from nba_analytics.team_offense_game_summary")[0][
        0
    ]
    assert ((and_ones, chances) == (0, 0)) is (season.year in FIELD_GOALS_ONLY)


def test_counts_of_the_fifteenth_of_november_2021(season_2021: BuiltSeason) -> None:
    counts = {
        name: fact.row_count
        for name, facts in season_2021.facts.items()
        for fact in facts
        if fact.day == date(2021, 11, 15)
    }
    expected = {"team_offense_game_summary": 22, "team_defense_game_summary": 22, "player_game_summary": 376}
    assert {name: counts[name] for name in expected} == expected
    query = "select count(*) from nba_analytics.player_game_summary where game_date = '2021-11-15' and is_active"
    assert rows(season_2021, query) == [(241,)]


def test_regular_season_2021_has_its_active_rows(season_2021: BuiltSeason) -> None:
    query = "select count(*) from nba_analytics.player_game_summary where is_active and game_date <= '2022-04-10'"
    assert rows(season_2021, query) == [(26_039,)]


def test_second_chance_points_of_2021(season_2021: BuiltSeason) -> None:
    query = "select round(avg(second_chance_points_scored), 2) from nba_analytics.team_offense_game_summary"
    assert rows(season_2021, query) == [(13.25,)]


def test_day_without_games_is_built_and_empty(season_2021: BuiltSeason) -> None:
    christmas_eve = {
        name: fact for name, facts in season_2021.facts.items() for fact in facts if fact.day == date(2021, 12, 24)
    }
    assert {fact.row_count for fact in christmas_eve.values()} == {0}


SAMPLED = (date(2021, 10, 19), date(2021, 11, 15), date(2022, 1, 7), date(2022, 4, 10), date(2022, 5, 15))


@pytest.fixture(scope="module")
def raw_2021(season_2021: BuiltSeason) -> oracle.Raw:
    first, last = SEASONS[2021]
    narrow = {"play_by_play": None, "player_gamebook": None}
    raw: oracle.Raw = {}
    for name in ("schedule", "team_boxscores", "player_boxscores"):
        table = RAW_TABLES[name].table
        raw[name] = season_2021.warehouse.read(table, table.column_names, first, last).to_pylist()
    for name in narrow:
        table = RAW_TABLES[name].table
        raw[name] = [
            row
            for day in SAMPLED
            for row in season_2021.warehouse.read(table, table.column_names, day, day).to_pylist()
        ]
    return raw


@pytest.mark.parametrize("day", SAMPLED, ids=str)
@pytest.mark.parametrize(
    ("table", "team_column", "reading"),
    [
        ("team_offense_game_summary", "team_abbr", oracle.team_offense),
        ("team_defense_game_summary", "defending_team_abbr", oracle.team_defense),
        ("player_game_summary", "player_lookup", oracle.players),
    ],
)
def test_rows_equal_a_slow_reading(
    season_2021: BuiltSeason, raw_2021: oracle.Raw, day: date, table: str, team_column: str, reading: Any
) -> None:
    spec = TABLE_MODULES[table].TABLE
    stored = {
        (row["game_id"], row[team_column]): row
        for row in season_2021.warehouse.read(spec, spec.column_names, day, day).to_pylist()
    }
    expected = reading(raw_2021, day)
    assert stored.keys() == expected.keys()
    for key, row in expected.items():
        assert {name: stored[key][name] for name in row} == row, key


@pytest.mark.slow
def test_one_range_equals_single_dates_in_any_order(season_2021: BuiltSeason) -> None:
    sample = [date(2022, 3, 1), date(2021, 11, 15), date(2022, 1, 15), date(2021, 10, 19), date(2021, 12, 24)]
    whole = digests(season_2021.facts)
    for day in sample:
        assert digests(build(season_2021.warehouse, [day])) == {
            key: digest for key, digest in whole.items() if key[1] == day
        }
