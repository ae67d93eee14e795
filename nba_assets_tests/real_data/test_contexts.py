"""The contexts of upcoming games on real seasons: a slow reading of sampled dates, known counts, a schedule read by
hand.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.publishing.table_run import STAMPS
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Backend
from nba_assets.tables.spec import Table
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.oracles import contexts as oracle
from nba_assets_tests.pipeline import build, digests
from nba_assets_tests.poison import add_props
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


def differences(
    table: Table, stored: list[dict[str, Any]], expected: dict[str, dict[str, Any]], entity: str
) -> list[str]:
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


def requested(path: Path, query: str) -> list[Any]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_counts_of_the_fifteenth_of_november_2021(season_2021: BuiltSeason) -> None:
    """Eleven games: 22 teams; 376 players on their latest rosters, of whom 48 are out or doubtful, leaves 328."""
    expected = """
        with day as (select date '2021-11-15' as d),
        team as (
            select unnest([home_team_abbr, away_team_abbr]) as team_abbr, game_time_utc at time zone 'America/New_York'
            as tip
            from nba_raw.schedule, day where game_date = d),
        newest as (select team_abbr, max(roster_date) as taken from nba_raw.rosters, day where roster_date between d -
        90 and d group by all),
        belongs as (
            select player_lookup, arg_max(team_abbr, taken) as team_abbr from nba_raw.rosters join newest using
            (team_abbr)
            where roster_date = taken group by all),
        report as (
            select player_lookup, arg_max(injury_status, report_date::timestamp + to_hours(report_hour)) as status
            from nba_raw.injury_report join belongs using (player_lookup) join team on team.team_abbr =
            belongs.team_abbr, day
            where game_date = d and confidence_score >= 0.8 and report_date::timestamp + to_hours(report_hour) < tip
            group by all)
        select count(*), count(*) filter (where status in ('out', 'doubtful')), (select count(*) from team)
        from belongs join team using (team_abbr) left join report using (player_lookup)"""
    assert requested(season_2021.path, expected) == [(376, 48, 22)]
    counts = {
        name: fact.row_count for name in READINGS for fact in season_2021.facts[name] if fact.day == date(2021, 11, 15)
    }
    assert counts == {TEAMS: 22, PLAYERS: 376 - 48}


INVARIANTS = {
    "a_game_has_two_teams_that_agree": f"""
        select game_id from nba_analytics.{TEAMS} group by all
        having count(*) <> 2 or count(*) filter (where home_game) <> 1 or sum(game_spread) <> 0 or min(game_total) <>
        max(game_total)
        or count(game_spread) = 1 or count(game_total) = 1""",
    "players_of_a_game_agree_on_its_lines": f"""
        select game_id from nba_analytics.{PLAYERS} group by all
        having count(distinct game_total) > 1 or count(distinct case when home_game then game_spread else -game_spread
        end) > 1""",
    "every_scheduled_game_has_contexts": f"""
        select game_id from nba_raw.schedule where game_status <> 4 and (is_regular_season or is_playoffs)
        and (game_id not in (select game_id from nba_analytics.{TEAMS}) or game_id not in (select game_id from
        nba_analytics.{PLAYERS}))""",
    "nobody_is_listed_as_out_or_doubtful": (
        f"select * from nba_analytics.{PLAYERS} where player_status in ('out', 'doubtful')"
    ),
    "player_and_team_travel_together": f"""
        select p.game_id from nba_analytics.{PLAYERS} p join nba_analytics.{TEAMS} t using (game_id, team_abbr)
        where p.travel_miles <> t.travel_miles or p.home_game <> t.home_game or p.opponent_team_abbr <>
        t.opponent_team_abbr""",
    "team_values_are_believable": f"""
        select * from nba_analytics.{TEAMS} where travel_miles not between 0 and 6000 or team_days_rest not between 0
        and 21
        or games_in_last_7_days > 7 or games_in_last_14_days < games_in_last_7_days or starters_out_count > 5
        or abs(game_spread) > 30 or game_total not between 180 and 280""",
    "player_values_are_believable": f"""
        select * from nba_analytics.{PLAYERS} where current_points_line not between 5 and 50 or abs(line_movement) > 5
        or game_total not between 180 and 280 or avg_minutes_per_game_last_7 not between 0 and 60 or opponent_team_abbr
        = team_abbr
        or opponent_ft_rate_allowed not between 5 and 50 or opponent_rebounding_rate not between 25 and 65""",
    "no_day_has_too_many": (
        f"select game_date from nba_analytics.{PLAYERS} group by all having count(*) not between 14 and 500"
    ),
}


@pytest.mark.parametrize("name", INVARIANTS)
def test_invariant(season: BuiltSeason, name: str) -> None:
    assert requested(season.path, f"select * from ({INVARIANTS[name]}) limit 5") == []


def test_few_teams_list_fewer_than_ten_or_more_than_eighteen(season_2021: BuiltSeason) -> None:
    sizes = f"select count(*) as n from nba_analytics.{PLAYERS} group by game_id, team_abbr"
    teams, odd = requested(
        season_2021.path, f"select count(*), count(*) filter (where n not between 10 and 18) from ({sizes})"
    )[0]
    assert odd < 0.03 * teams


THREE_WEEKS = {
    "MIA": (
        ("11-02", 420, ""),  # from Memphis to Dallas
        ("11-04", 1111, ""),  # home
        ("11-06", 0, ""),
        ("11-08", 1726, ""),  # Denver
        ("11-10", 831, ""),  # Lakers
        ("11-11", 0, "back-to-back, third in four nights"),  # Clippers, in the same building
        ("11-13", 581, "third in four nights"),  # Utah, after the 10th and the 11th
        ("11-15", 862, ""),  # Oklahoma City
        ("11-17", 1226, ""),  # home
        ("11-18", 0, "back-to-back, third in four nights"),
        ("11-20", 925, "third in four nights"),  # Washington
    ),
    "BOS": (
        ("11-01", 394, ""),  # home from Washington
        ("11-03", 1116, ""),  # Orlando
        ("11-04", 204, "back-to-back, third in four nights"),  # Miami
        ("11-06", 1111, "third in four nights"),  # Dallas
        ("11-10", 1549, ""),  # home
        ("11-12", 0, ""),
        ("11-13", 549, "back-to-back, third in four nights"),  # Cleveland
        ("11-15", 0, "third in four nights"),  # Cleveland again
        ("11-17", 555, ""),  # Atlanta
        ("11-19", 936, ""),  # home
        ("11-20", 0, "back-to-back, third in four nights"),
    ),
    "GSW": (
        ("11-03", 0, ""),
        ("11-05", 0, ""),
        ("11-07", 0, ""),
        ("11-08", 0, "back-to-back, third in four nights"),
        ("11-10", 0, "third in four nights"),
        ("11-12", 0, ""),
        ("11-14", 2296, ""),  # Charlotte
        ("11-16", 531, ""),  # Brooklyn
        ("11-18", 405, ""),  # Cleveland
        ("11-19", 91, "back-to-back, third in four nights"),  # Detroit
        ("11-21", 2085, "third in four nights"),  # home
    ),
}
"""Miami, Boston and Golden State from 1 to 21 November 2021, read off the schedule: date, miles travelled to the game,
what tires.
"""


@pytest.mark.parametrize("team", THREE_WEEKS)
def test_three_weeks_of_a_team(season_2021: BuiltSeason, team: str) -> None:
    table = TABLE_MODULES[TEAMS].TABLE
    rows = [
        row
        for row in rows_of(season_2021.warehouse, table, date(2021, 10, 19), date(2021, 11, 21))
        if row["team_abbr"] == team
    ]
    dates = [row["game_date"] for row in rows]
    read = []
    for number, row in enumerate(rows):
        assert row["game_number_in_season"] == number + 1
        tiring = ["back-to-back"] * row["team_back_to_back"]
        tiring += ["third in four nights"] * (number >= 2 and (dates[number] - dates[number - 2]).days <= 3)
        assert row["games_in_last_7_days"] == sum(0 < (dates[number] - earlier).days < 7 for earlier in dates)
        read.append((f"{dates[number]:%m-%d}", row["travel_miles"], ", ".join(tiring)))
    assert tuple(line for line in read if line[0] >= "11-01") == THREE_WEEKS[team]


@pytest.mark.parametrize("day", [date(2021, 10, 19), date(2021, 12, 25), date(2022, 5, 15)], ids=str)
def test_single_dates_and_workers_equal_the_range(season_2021: BuiltSeason, day: date) -> None:
    whole = {
        key: digest
        for key, digest in digests({name: season_2021.facts[name] for name in READINGS}).items()
        if key[1] == day
    }
    assert digests(build(season_2021.warehouse, [day], tuple(READINGS))) == whole
    with ParallelEntities(Workers(2), Workers(2), Backend.threads) as entities:
        assert digests(build(season_2021.warehouse, [day], tuple(READINGS), entities)) == whole


@pytest.mark.slow
@pytest.mark.parametrize("season", [2020], indirect=True)
def test_toronto_was_at_home_in_tampa(season: BuiltSeason) -> None:
    """No team travels to a first game in its own arena; the others come from where they are at home, Toronto from
    Tampa.
    """
    opening, first_week = SEASONS[2020][0], SEASONS[2020][0] + timedelta(days=6)
    rows = rows_of(season.warehouse, TABLE_MODULES[TEAMS].TABLE, opening, first_week)
    first = [row for row in rows if row["game_number_in_season"] == 1]
    assert len(first) == 30
    assert {row["travel_miles"] for row in first if row["home_game"]} == {0}
    toronto = [row["travel_miles"] for row in rows if row["team_abbr"] == "TOR"]
    assert toronto[:2] == [0, 974]  # to San Antonio


@pytest.fixture
def copy_of(season_2021: BuiltSeason, tmp_path: Path) -> DuckDBWarehouse:
    """The season in a file of the test's own."""
    shutil.copy(season_2021.path, tmp_path / "copy.duckdb")
    return DuckDBWarehouse(tmp_path / "copy.duckdb")


@pytest.mark.parametrize(
    ("feed", "issues", "unknown"),
    [
        (
            "game_lines",
            {"missing_game_spread", "missing_game_total"},
            {
                PLAYERS: ("game_spread", "opening_total", "game_total_source"),
                TEAMS: ("game_spread", "game_total", "betting_lines_updated_at"),
            },
        ),
        (
            "injury_report",
            {"missing_injury_report"},
            {
                PLAYERS: (
                    "star_teammates_out",
                    "star_tier_out",
                    "probable_teammates",
                    "player_status",
                    "injury_report",
                ),
                TEAMS: ("players_out_count", "starters_out_count", "questionable_players_count"),
            },
        ),
        ("player_registry", set(), {PLAYERS: ("universal_player_id",), TEAMS: ()}),
    ],
)
@pytest.mark.parametrize("how", ["drop table", "delete from"])
def test_absent_feed_is_null_and_named(
    copy_of: DuckDBWarehouse, how: str, feed: str, issues: set[str], unknown: dict[str, tuple[str, ...]]
) -> None:
    day = date(2022, 1, 7)
    with duckdb.connect(copy_of.path) as connection:
        connection.execute(f"{how} nba_raw.{feed}")
    build(copy_of, [day], tuple(READINGS))
    for name, columns in unknown.items():
        rows = rows_of(copy_of, TABLE_MODULES[name].TABLE, day, day)
        assert len(rows) > 10
        for row in rows:
            assert issues <= set(row["quality_issues"])
            assert feed not in row["data_sources"]
            assert [row[column] for column in columns] == [None] * len(columns)


def test_the_next_seasons_schedule_changes_nothing(copy_of: DuckDBWarehouse, season_2021: BuiltSeason) -> None:
    """On the last day of the regular season the next opening night would be the next game."""
    days = [date(2022, 4, 10), date(2022, 4, 12), SEASONS[2021][1]]
    with duckdb.connect(copy_of.path) as connection:
        connection.execute(
            """insert into nba_raw.schedule select * replace (
                game_date + 190 as game_date, season_year + 1 as season_year, strftime(game_date + 190, '%Y%m%d') ||
                substr(game_id, 9) as game_id, 1 as game_status, null as home_team_score, null as away_team_score) from
                nba_raw.schedule where game_date >= date '2022-04-01'
            """
        )
    expected = {
        key: digest
        for key, digest in digests({name: season_2021.facts[name] for name in READINGS}).items()
        if key[1] in days
    }
    for day in days:
        assert digests(build(copy_of, [day], tuple(READINGS))).items() <= expected.items()


def test_without_rosters_the_players_seen_lately_are_listed(
    copy_of: DuckDBWarehouse, league_2021: oracle.League
) -> None:
    day = date(2021, 12, 25)
    with duckdb.connect(copy_of.path) as connection:
        connection.execute("drop table nba_raw.rosters")
    build(copy_of, [day], (PLAYERS,))
    table = TABLE_MODULES[PLAYERS].TABLE
    rows = rows_of(copy_of, table, day, day)
    assert all("missing_roster_snapshot" in row["quality_issues"] and row["player_age"] is None for row in rows)
    assert (
        differences(table, rows, oracle.player_contexts(replace(league_2021, rosters=[]), day), "player_lookup") == []
    )


def test_rows_with_points_lines_equal_a_slow_reading(copy_of: DuckDBWarehouse) -> None:
    """The real season has no points lines: made ones, in time and too late."""
    day = date(2021, 12, 25)
    add_props(copy_of, day)
    build(copy_of, [day], (PLAYERS,))
    table = TABLE_MODULES[PLAYERS].TABLE
    rows = rows_of(copy_of, table, day, day)
    assert any(row["prop_over_streak"] for row in rows)
    assert any(row["prop_under_streak"] for row in rows)
    assert all(row["quality_issues"].count("missing_points_props") == 0 for row in rows)
    assert (
        differences(table, rows, oracle.player_contexts(league_before(copy_of, 2021, (day,)), day), "player_lookup")
        == []
    )


@pytest.mark.slow
@pytest.mark.parametrize("season", [2020], indirect=True)
def test_season_that_opened_in_december_equals_a_slow_reading(season: BuiltSeason) -> None:
    days = (date(2020, 12, 22), date(2021, 1, 20), date(2021, 5, 18), date(2021, 7, 20))
    league = league_before(season.warehouse, 2020, days)
    for day in days:
        for name, (reading, entity) in READINGS.items():
            table = TABLE_MODULES[name].TABLE
            rows = rows_of(season.warehouse, table, day, day)
            assert rows
            assert differences(table, rows, reading(league, day), entity) == []
    opening = rows_of(season.warehouse, TABLE_MODULES[TEAMS].TABLE, days[0], days[0])
    assert {
        (row["team_days_rest"], row["game_number_in_season"], row["backfill_bootstrap_mode"]) for row in opening
    } == {(None, 1, True)}
