"""The five precomputed tables on real seasons: a slow reading of sampled dates, league facts, known counts, a player
read by hand.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.settings import Backend
from nba_assets_tests.invariants.against_raw import differences as differences_from_raw
from nba_assets_tests.invariants.against_raw import raw_rows
from nba_assets_tests.invariants.judging import breaking, broken_share
from nba_assets_tests.invariants.precompute import (
    CACHE,
    DAYS,
    DEFENSE,
    EXACT,
    FACTORS,
    FEATURES,
    READINGS,
    SHARES,
    ZONE_DEFENSE,
    differences,
    precomputed,
)
from nba_assets_tests.oracles import from_raw
from nba_assets_tests.oracles import precompute as oracle
from nba_assets_tests.oracles.contexts import League
from nba_assets_tests.pipeline import build, digests, table_run
from nba_assets_tests.real_data.conftest import SEASONS, BuiltSeason
from nba_assets_tests.real_data.test_contexts import league_before

FIRST_WITH_ROWS = date(2021, 11, 2)
SAMPLED = (
    FIRST_WITH_ROWS,  # fewer than ten teams with ten games
    date(2021, 11, 15),
    date(2021, 12, 25),
    date(2022, 1, 15),
    date(2022, 2, 24),  # first day after the All-Star break
    date(2022, 5, 15),  # play-offs: few teams with ten recent games
)
EVERYWHERE = {
    2020: (date(2021, 1, 5), date(2021, 2, 1), date(2021, 3, 10), date(2021, 5, 18), date(2021, 7, 20)),
    2022: (date(2022, 11, 1), date(2022, 12, 25), date(2023, 2, 23), date(2023, 4, 11), date(2023, 6, 12)),
}
"""Of each other season: the first date with rows, two or three of the regular season, the play-in and the last game."""


def answers(season: BuiltSeason, query: str) -> list[Any]:
    with duckdb.connect(season.path, read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def league_2021(season_2021: BuiltSeason) -> League:
    return league_before(season_2021.warehouse, 2021, ())


@pytest.fixture(scope="module")
def stored_2021(season_2021: BuiltSeason, league_2021: League) -> dict[date, oracle.Precomputed]:
    """What the slow readings of the sampled dates start from."""
    with season_2021.warehouse.session():
        return {day: precomputed(season_2021.warehouse, league_2021, day) for day in SAMPLED}


@pytest.mark.parametrize("day", SAMPLED, ids=str)
@pytest.mark.parametrize("name", READINGS)
def test_rows_and_failures_equal_a_slow_reading(
    season_2021: BuiltSeason, stored_2021: dict[date, oracle.Precomputed], name: str, day: date
) -> None:
    assert differences(season_2021.warehouse, stored_2021[day], name, day) == []
    assert season_2021.fact(name, day).row_count >= 28


@pytest.mark.slow
@pytest.mark.parametrize("day", [FIRST_WITH_ROWS, date(2021, 11, 15)], ids=str)
def test_ten_tables_are_the_same_from_raw_rows_alone(season_2021: BuiltSeason, day: date) -> None:
    reading = from_raw.read(raw_rows(season_2021.warehouse, day), [day])
    assert differences_from_raw(season_2021.warehouse, reading) == []
    assert all(rows[day] for rows in reading.rows.values())


@pytest.mark.slow
def test_every_tenth_date_equals_a_slow_reading(season_2021: BuiltSeason, league_2021: League) -> None:
    for day in [fact.day for fact in season_2021.facts["ml_feature_store"]][::10]:
        stored = precomputed(season_2021.warehouse, league_2021, day)
        for name in READINGS:
            assert differences(season_2021.warehouse, stored, name, day) == [], (name, day)


@pytest.mark.slow
@pytest.mark.parametrize("season", EVERYWHERE, indirect=True)
def test_other_seasons_equal_a_slow_reading(season: BuiltSeason) -> None:
    league = league_before(season.warehouse, season.year, ())
    for day in EVERYWHERE[season.year]:
        stored = precomputed(season.warehouse, league, day)
        for name in READINGS:
            assert differences(season.warehouse, stored, name, day) == [], (name, day)
            assert season.fact(name, day).row_count > 0


@pytest.mark.parametrize("name", EXACT)
def test_invariant(season: BuiltSeason, name: str) -> None:
    assert breaking(season.path, EXACT[name]) == []


@pytest.mark.parametrize("name", SHARES)
def test_invariant_but_for_a_few(season: BuiltSeason, name: str) -> None:
    broken, everything, tolerated = SHARES[name]
    assert broken_share(season.path, broken, everything) <= tolerated


def test_first_fourteen_days_and_days_without_games_are_built_empty_and_say_why(season_2021: BuiltSeason) -> None:
    opening, _ = SEASONS[2021]
    for name in READINGS:
        counts = {fact.day: fact.row_count for fact in season_2021.facts[name]}
        assert {counts[opening + timedelta(days=number)] for number in range(14)} == {0}
        assert counts[date(2021, 12, 24)] == 0
        assert counts[FIRST_WITH_ROWS] > 0
    run = table_run(season_2021.warehouse, "ml_feature_store", [date(2021, 11, 1), FIRST_WITH_ROWS, date(2021, 12, 24)])
    assert pregame_days(run).tolist() == [FIRST_WITH_ROWS]
    assert run.date_notes == {
        date(2021, 11, 1): {"no_rows_because": "bootstrap: day 13 of the season, rows begin with day 14"},
        date(2021, 12, 24): {"no_rows_because": "no league games on this date"},
    }


def test_all_thirty_teams_have_rows_from_the_fourteenth_day_on(season: BuiltSeason) -> None:
    days = answers(season, f"select count(*) from ({DAYS})")[0][0]
    assert days > 150
    query = (
        f"select teams, count(*) from (select count(*) as teams from {ZONE_DEFENSE} group by analysis_date) group "
        "by all"
    )
    assert answers(season, query) == [(30, days)]


ZONES = ("paint", "mid_range", "three_pt")
OFF_THE_LEAGUE = (
    f"select analysis_date, {', '.join(f'avg({zone}_defense_vs_league_avg)' for zone in ZONES)} from "
    f"{ZONE_DEFENSE} group by all"
)
"""Mean over teams of their differences from the league: 0, but for teams' samples that are not the league's thirty
days.
"""


def test_teams_lie_around_the_league_average_as_soon_as_it_is_made_of_teams(season_2021: BuiltSeason) -> None:
    """Ten teams have ten games in thirty days from day 19 on; before, the usual figures stand in, and that autumn's
    shooting was below them.

    On days 19 to 22 only some teams make the average. From day 23 to 29 all do, and each team's sample is its whole
    season, as is the league's: the differences cancel to the last decimal. Later a team's fifteen games are older or
    newer than the league's thirty days.
    """
    opening, _ = SEASONS[2021]
    off = {
        (row[0] - opening).days: row[1:] for row in answers(season_2021, OFF_THE_LEAGUE) if row[0] <= date(2022, 4, 10)
    }
    with_average = {
        (row[0] - opening).days
        for row in answers(
            season_2021,
            f"""select day from (select day, defending_team_abbr, count(*) as games from ({DAYS}) join {DEFENSE}
            on game_date between day - 30 and day - 1 group by all) where games >= 10 group by all having count(*) >=
            10""",
        )
    }
    assert min(with_average) == 19
    assert all(max(map(abs, off[day])) > 1 for day in range(14, 19))
    assert all(max(map(abs, off[day])) < 1 for day in off if day in with_average)
    assert all(max(map(abs, off[day])) <= 0.005 for day in range(23, 30))


def test_usage_of_a_team_over_its_season_is_twenty(season: BuiltSeason) -> None:
    query = """
        select team_abbr from nba_analytics.player_game_summary where not is_dnp group by all
        having abs(sum(usage_rate * minutes_played) / sum(minutes_played) - 20) > 0.05"""
    assert answers(season, query) == []


CONSTANT_IN_REGULAR_SEASON = {"playoff_game"}
"""0 until the play-in."""


@pytest.mark.parametrize("feature", oracle.FEATURES)
def test_feature_varies_within_every_month(season_2021: BuiltSeason, feature: str) -> None:
    query = f"""
        select month(game_date), count(distinct {feature}) from {FEATURES} where game_date < '2022-04-01' group by all
        order by min(game_date)"""
    kinds = answers(season_2021, query)
    assert [month for month, _ in kinds] == [11, 12, 1, 2, 3]
    if feature in CONSTANT_IN_REGULAR_SEASON:
        assert {number for _, number in kinds} == {1}
        assert answers(season_2021, f"select count(distinct {feature}) from {FEATURES}") == [(2,)]
    else:
        assert min(number for _, number in kinds) > 1


def test_most_rows_are_full_and_normal(season_2021: BuiltSeason) -> None:
    query = (
        f"select avg((feature_quality_score = 97)::int) from {FEATURES} where game_date between '2021-12-01' and "
        "'2022-04-10'"
    )
    ((share,),) = answers(season_2021, query)
    assert share > 0.75
    assert answers(season_2021, f"select max(feature_quality_score) from {FEATURES}") == [(97.0,)]


COUNTS = {
    date(2021, 11, 15): {
        "team_offense_game_summary": (22, {}),
        "team_defense_game_summary": (22, {}),
        "player_game_summary": (376, {}),
        "upcoming_team_game_context": (22, {}),
        "upcoming_player_game_context": (328, {}),
        "team_defense_zone_analysis": (30, {}),
        "player_shot_zone_analysis": (298, {"EXPECTED_INCOMPLETE": 156}),
        "player_composite_factors": (328, {}),
        "player_daily_cache": (248, {"INSUFFICIENT_DATA": 80}),
        "ml_feature_store": (328, {}),
    },
    date(2022, 1, 15): {
        "team_offense_game_summary": (20, {}),
        "team_defense_game_summary": (20, {}),
        "player_game_summary": (361, {}),
        "upcoming_team_game_context": (20, {}),
        "upcoming_player_game_context": (301, {}),
        "team_defense_zone_analysis": (30, {}),
        "player_shot_zone_analysis": (440, {"EXPECTED_INCOMPLETE": 150}),
        "player_composite_factors": (301, {}),
        "player_daily_cache": (265, {"INSUFFICIENT_DATA": 33, "STALE_DATA": 3}),
        "ml_feature_store": (301, {}),
    },
}
RAW_COUNTS = """
    with team as (
        select unnest([home_team_abbr, away_team_abbr]) as team_abbr, game_time_utc at time zone 'America/New_York' as
        tip
        from nba_raw.schedule where game_date = $day),
    newest as (select team_abbr, max(roster_date) as taken from nba_raw.rosters where roster_date between $day - 90 and
    $day group by all),
    report as (
        select player_lookup, arg_max(injury_status, report_date::timestamp + to_hours(report_hour)) as status from
        nba_raw.injury_report
        join team on team.team_abbr = team where game_date = $day and report_date::timestamp + to_hours(report_hour) <
        tip group by all),
    listed as (
        select player_lookup, coalesce(status, '') in ('out', 'doubtful') as gone from nba_raw.rosters join newest
        using (team_abbr)
        join team using (team_abbr) left join report using (player_lookup) where roster_date = taken),
    played as (
        select player_lookup, count(*) as games, $day - max(game_date) as days_ago from nba_raw.player_gamebook
        where game_date < $day and player_status = 'active' and minutes not in ('0:00', '00:00') group by all),
    need as (select least(10, ($day - min(game_date)) // 3) as games from nba_raw.schedule where is_regular_season)
    select (select count(*) from team), (select count(*) from nba_raw.player_gamebook where game_date = $day), (select
    count(*) from listed),
        (select count(*) from listed where gone), (select need.games from need), (select count(*) from played, need
        where played.games >= need.games),
        (select count(*) from played, need where played.games < need.games),
        (select count(*) from listed left join played using (player_lookup) where not gone and coalesce(games, 0) < 5),
        (select count(*) from listed join played using (player_lookup) where not gone and games >= 5 and days_ago >
        30)"""


@pytest.mark.parametrize("day", COUNTS, ids=str)
def test_rows_and_failures_of_a_date(season_2021: BuiltSeason, day: date) -> None:
    """Why every table has the number of rows it has, counted again from the raw tables alone.

    - Team tables: two rows per game. `team_defense_zone_analysis`: all 30 teams, whether they play or not.
    - `player_game_summary`: everybody on the sheets of the date, who played or not: 376, 361.
    - `upcoming_player_game_context`: everybody on the latest rosters of the teams that play (376, 361), less those who
      are out or doubtful (48, 60). `player_composite_factors` and `ml_feature_store` have a row for each of these.
    - `player_daily_cache`: the same less those with fewer than five games this season (80, 33: rookies, two-way
      contracts, the injured of autumn) and those who have not played for more than thirty days (none so early, 3), who
      get a failure record instead.
    - `player_shot_zone_analysis`: everybody who has played this season for any team (454, 590), plays on the date or
      not, less those with fewer than nine games on day 27 (156), fewer than ten on day 88 (150), who get one. Nobody's
      rows are missing, so none of these can be retried.
    """
    counts = {
        name: (fact.row_count, fact.failures)
        for name, facts in season_2021.facts.items()
        for fact in facts
        if fact.day == day and name in COUNTS[day]
    }
    assert counts == COUNTS[day]
    with duckdb.connect(season_2021.path, read_only=True) as connection:
        teams, sheet, listed, gone, need, enough, short, fresh, stale = connection.execute(
            RAW_COUNTS, {"day": day}
        ).fetchall()[0]
    assert need == {date(2021, 11, 15): 9, date(2022, 1, 15): 10}[day]
    assert {counts[name][0] for name in counts if name.startswith(("team_", "upcoming_team"))} == {teams, 30}
    assert counts["player_game_summary"][0] == sheet == listed
    assert {
        counts[name][0] for name in ("upcoming_player_game_context", "player_composite_factors", "ml_feature_store")
    } == {listed - gone}
    assert counts["player_shot_zone_analysis"] == (enough, {"EXPECTED_INCOMPLETE": short})
    assert counts["player_daily_cache"][0] == listed - gone - fresh - stale
    assert sum(counts["player_daily_cache"][1].values()) == fresh + stale
    assert counts["player_daily_cache"][1].get("STALE_DATA", 0) == stale


def test_a_famous_player_read_by_hand(season_2021: BuiltSeason) -> None:
    """Stephen Curry before the game in Brooklyn on 2021-11-16.

    Thirteen games, points 21 45 27 23 36 20 15 19 20 50 25 40 24: 159 in the last five, 272 in the last ten, 365 in
    all. The newest two (24, 40) against the three before (25, 50, 20) are 32 against 31.67: no trend. His team had won
    11 of 13. Played on 10, 12 and 14 November, and on 7 and 8: three games in the week, one back-to-back in two weeks
    (-5); 33 years old (-5); two days of rest, as Brooklyn had.
    """
    cached = f"""
        select points_avg_last_5, points_avg_last_10, points_avg_season, games_played_season, games_in_last_7_days,
        back_to_backs_last_14_days, player_age,
            primary_scoring_zone, early_season_flag from {CACHE} where player_lookup = 'stephencurry' and cache_date =
            '2021-11-16'"""
    assert answers(season_2021, cached) == [(31.8, 27.2, 28.0769, 13, 3, 1, 33, "perimeter", False)]
    penalties = f"""
        select fatigue_score, fatigue_context_json->'$.penalties_applied' from {FACTORS}
        where player_lookup = 'stephencurry' and game_date = '2021-11-16'"""
    assert answers(season_2021, penalties) == [(90, '["recent_back_to_backs: -5","veteran_age: -5"]')]
    features = f"""
        select points_avg_last_5, fatigue_score, recent_trend, rest_advantage, home_away, back_to_back, team_win_pct,
        feature_quality_score, quality_tier,
            data_source, opponent_team_abbr from {FEATURES} where player_lookup = 'stephencurry' and game_date =
            '2021-11-16'"""
    assert answers(season_2021, features) == [
        (31.8, 90, 0, 0, 0, 0, 0.846153846, 97.0, "gold", "phase4_partial", "BKN")
    ]


SOME_DAYS = [date(2022, 1, 14), date(2022, 1, 15)]


@pytest.mark.parametrize(
    "entities",
    [
        pytest.param(ParallelEntities(Workers(10), Workers(10)), id="10 threads"),
        pytest.param(ParallelEntities(Workers(2), Workers(2)), id="2 threads", marks=pytest.mark.slow),
        pytest.param(
            ParallelEntities(Workers(2), Workers(2), Backend.processes), id="2 processes", marks=pytest.mark.slow
        ),
    ],
)
def test_any_workers_and_a_short_range_give_the_digests_of_the_season(
    season_2021: BuiltSeason, entities: ParallelEntities
) -> None:
    expected = {
        key: digest
        for key, digest in digests({name: season_2021.facts[name] for name in READINGS}).items()
        if key[1] in SOME_DAYS
    }
    with entities:
        assert digests(build(season_2021.warehouse, SOME_DAYS, tuple(READINGS), entities)) == expected


@pytest.mark.slow
def test_single_dates_in_any_order_give_the_digests_of_the_season(season_2021: BuiltSeason) -> None:
    whole = digests({name: season_2021.facts[name] for name in READINGS})
    for day in random.Random(4).sample([fact.day for fact in season_2021.facts["ml_feature_store"]], 24):
        assert digests(build(season_2021.warehouse, [day], tuple(READINGS))) == {
            key: digest for key, digest in whole.items() if key[1] == day
        }
