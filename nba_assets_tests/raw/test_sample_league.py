"""The simulated league keeps the state of partitions of basketball, looks like real feeds, and comes out the same
whenever it is simulated.

The score is kept a second time here: in SQL over the tables as written, and by walking through the events. Nothing of
the simulation is used to check it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import hypothesis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies as st

from nba_assets.basketball.names import player_lookup
from nba_assets.basketball.second_chances import event_kinds, second_chance_points
from nba_assets.basketball.shot_zones import MID_RANGE, PAINT, classify_shots
from nba_assets.basketball.teams import CURRENT_TEAMS, TEAMS
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import (
    SeasonSummary,
    SimulatedSeason,
    SpecialCase,
    opening_night,
    simulate,
    simulate_season,
    write_season,
)
from nba_assets.raw.tables import RAW_TABLES
from nba_assets_tests.conftest import real_data
from nba_assets_tests.league import SMALL_LEAGUE

EASTERN = ZoneInfo("America/New_York")
NOW = datetime(2025, 7, 1, tzinfo=UTC)
GAME_TABLES = (
    "player_gamebook",
    "player_boxscores",
    "team_boxscores",
    "play_by_play",
    "game_lines",
    "player_points_props",
    "injury_report",
)
ADDED_TO_REAL_FEEDS = {
    "play_by_play": {"home_team_abbr", "away_team_abbr", "score_home", "score_away", "source"},
    "player_boxscores": {"position"},
    "rosters": {"scrape_hour"},
    "player_registry": {"team_abbr"},
}
"""Columns of the contract that the real seasons lack; `processed_at` apart, which they lack everywhere."""


@pytest.fixture(scope="module")
def season() -> SimulatedSeason:
    """A whole season of thirty teams."""
    return simulate(2024)


@pytest.fixture(scope="module")
def database(season: SimulatedSeason) -> duckdb.DuckDBPyConnection:
    """The whole season's tables."""
    return tables_of(season)


def tables_of(season: SimulatedSeason) -> duckdb.DuckDBPyConnection:
    """A database of a season's tables, of corrected rows the latest."""
    connection = duckdb.connect()
    for name, rows in season.tables.items():
        connection.register(f"first_{name}", rows)
        latest = f"SELECT * FROM first_{name}"
        if name in season.corrections:
            connection.register(f"later_{name}", season.corrections[name])
            latest = (
                f"SELECT * FROM (FROM first_{name} UNION ALL BY NAME FROM later_{name}) "
                "QUALIFY row_number() OVER (PARTITION BY game_id, player_lookup ORDER BY processed_at DESC) = 1"
            )
        connection.execute(f"CREATE TABLE {name} AS {latest}")
    return connection


def values(database: duckdb.DuckDBPyConnection, query: str, *parameters: object) -> list[Any]:
    return database.execute(query, list(parameters)).fetchall()


def present(case: SpecialCase | None) -> SpecialCase:
    assert case is not None
    return case


# The score.

COUNTS = (
    *(
        "points",
        "field_goals_made",
        "field_goals_attempted",
        "three_pointers_made",
        "three_pointers_attempted",
        "free_throws_made",
    ),
    *(
        "free_throws_attempted",
        "offensive_rebounds",
        "defensive_rebounds",
        "total_rebounds",
        "assists",
        "steals",
        "blocks",
        "turnovers",
    ),
    "personal_fouls",
)
OF_TEAM = {
    "field_goals_made": "fg_made",
    "field_goals_attempted": "fg_attempted",
    "three_pointers_made": "three_pt_made",
    "three_pointers_attempted": "three_pt_attempted",
    "free_throws_made": "ft_made",
    "free_throws_attempted": "ft_attempted",
}
SECONDS = "sum(split_part(minutes, ':', 1)::int * 60 + split_part(minutes, ':', 2)::int)"
EVENTS = (
    "(FROM play_by_play SEMI JOIN (SELECT game_id FROM play_by_play GROUP BY ALL HAVING count(DISTINCT "
    "event_type) > 1) USING (game_id))"
)
"""Of games that are told in full."""

INVARIANTS = {
    "player_sums_are_team_totals": f"""
        SELECT game_id, team_abbr FROM player_gamebook JOIN team_boxscores t USING (game_id, team_abbr) WHERE
        player_status = 'active'
        GROUP BY ALL HAVING
        {" OR ".join(f"sum(player_gamebook.{name}) <> any_value(t.{OF_TEAM.get(name, name)})" for name in COUNTS)}""",
    "both_player_feeds_agree": f"""
        SELECT game_id, player_lookup FROM player_gamebook s FULL JOIN player_boxscores b USING (game_id, player_lookup)
        WHERE (s.player_status = 'active') <> (b.game_id IS NOT NULL)
        OR ({", ".join(f"s.{name}" for name in (*COUNTS, "minutes", "plus_minus"))})
        IS DISTINCT FROM ({", ".join(f"b.{name}" for name in (*COUNTS, "minutes", "plus_minus"))})""",
    "points_follow_from_makes": """
        SELECT * FROM player_gamebook
        WHERE points <> 2 * (field_goals_made - three_pointers_made) + 3 * three_pointers_made + free_throws_made""",
    "makes_within_attempts": """
        SELECT * FROM player_gamebook WHERE field_goals_made > field_goals_attempted OR three_pointers_made >
        three_pointers_attempted
        OR free_throws_made > free_throws_attempted OR three_pointers_made > field_goals_made
        OR three_pointers_attempted > field_goals_attempted""",
    "rebounds_add_up": "SELECT * FROM player_gamebook WHERE total_rebounds <> offensive_rebounds + defensive_rebounds",
    "two_teams_per_game": (
        "SELECT game_id FROM team_boxscores GROUP BY ALL HAVING count(*) <> 2 OR count(*) FILTER (is_home) <> 1"
    ),
    "margins_mirror": """
        SELECT * FROM team_boxscores a JOIN team_boxscores b ON a.game_id = b.game_id AND a.team_abbr <> b.team_abbr
        WHERE a.plus_minus <> -b.plus_minus OR a.plus_minus <> a.points - b.points OR a.minutes <> b.minutes""",
    "plus_minus_sums_to_five_margins": """
        SELECT game_id, team_abbr FROM player_gamebook s JOIN team_boxscores t USING (game_id, team_abbr)
        GROUP BY ALL HAVING sum(s.plus_minus) <> 5 * any_value(t.plus_minus)""",
    "scores_are_team_points": """
        SELECT * FROM schedule s JOIN team_boxscores t USING (game_id)
        WHERE t.points <> CASE WHEN t.is_home THEN s.home_team_score ELSE s.away_team_score END
        OR t.is_home <> (t.team_abbr = s.home_team_abbr)""",
    "the_winner_has_more_points": """
        SELECT * FROM schedule WHERE game_status = 3 AND (home_team_score = away_team_score
        OR winning_team_abbr <> CASE WHEN home_team_score > away_team_score THEN home_team_abbr ELSE away_team_abbr
        END)""",
    "final_games_have_box_scores": """
        SELECT game_id FROM schedule s FULL JOIN (SELECT DISTINCT game_id FROM team_boxscores) t USING (game_id)
        WHERE (s.game_status = 3) IS DISTINCT FROM (t.game_id IS NOT NULL)""",
    "player_seconds_sum_to_team_minutes": f"""
        SELECT game_id, team_abbr FROM player_gamebook s JOIN (SELECT game_id, team_abbr, split_part(minutes, ':',
        1)::int AS total
        FROM team_boxscores) t USING (game_id, team_abbr) WHERE minutes IS NOT NULL GROUP BY ALL HAVING {SECONDS} <> 60
        * any_value(total)""",
    "team_minutes_follow_from_periods": f"""
        SELECT game_id FROM {EVENTS} JOIN (SELECT game_id, minutes FROM team_boxscores WHERE is_home) USING (game_id)
        GROUP BY ALL HAVING any_value(minutes) <> (240 + 25 * (max(period) - 4)) || ':00'""",
    "five_starters": (
        "SELECT game_id, team_abbr FROM player_boxscores GROUP BY ALL HAVING count(*) FILTER (starter) <> 5"
    ),
    "who_did_not_appear_has_no_numbers": f"""
        SELECT * FROM player_gamebook WHERE (player_status = 'active') <> (minutes IS NOT NULL) OR (player_status =
        'active') = (dnp_reason IS NOT NULL)
        OR {" OR ".join(f"(player_status = 'active') <> ({name} IS NOT NULL)" for name in (*COUNTS, "plus_minus"))}""",
    "nobody_is_on_two_sheets_of_a_day": (
        "SELECT game_date, player_lookup FROM player_gamebook GROUP BY ALL HAVING count(*) > 1"
    ),
    "shots_are_the_box_scores": """
        SELECT * FROM (SELECT game_id, player_1_lookup AS player_lookup, count(*) AS fga, count(*) FILTER (shot_made)
        AS fgm,
        count(*) FILTER (shot_type = '3PT') AS tpa, count(*) FILTER (shot_type = '3PT' AND shot_made) AS tpm
        FROM play_by_play WHERE event_type = 'shot' GROUP BY ALL) p
        RIGHT JOIN (FROM player_boxscores WHERE game_id IN (SELECT game_id FROM play_by_play)) b USING (game_id,
        player_lookup)
        WHERE (coalesce(fga, 0), coalesce(fgm, 0), coalesce(tpa, 0), coalesce(tpm, 0))
        <> (field_goals_attempted, field_goals_made, three_pointers_attempted, three_pointers_made)""",
    "other_events_are_the_box_scores": f"""
        WITH told AS (
            SELECT game_id, player_1_lookup AS player_lookup, event_type AS what, points_scored AS points FROM {EVENTS}
            UNION ALL SELECT game_id, player_2_lookup, player_2_role, 0 FROM {EVENTS}
            UNION ALL SELECT game_id, player_lookup, 'is there', 0 FROM player_boxscores SEMI JOIN {EVENTS} USING
            (game_id))
        SELECT * FROM (SELECT game_id, player_lookup, sum(points) AS pts, count(*) FILTER (what = 'free throw') AS fta,
            count(*) FILTER (what = 'rebound') AS reb, count(*) FILTER (what = 'turnover') AS tov, count(*) FILTER
            (what = 'assist') AS ast,
            count(*) FILTER (what = 'block') AS blk, count(*) FILTER (what = 'steal') AS stl FROM told GROUP BY ALL)
        JOIN player_boxscores USING (game_id, player_lookup)
        WHERE (pts, fta, reb, tov, ast, blk, stl) <> (points, free_throws_attempted, total_rebounds, turnovers,
        assists, blocks, steals)""",
    "points_of_events_follow_from_makes": """
        SELECT * FROM play_by_play WHERE points_scored <> CASE
            WHEN event_type = 'shot' AND shot_made THEN CASE shot_type WHEN '3PT' THEN 3 ELSE 2 END
            WHEN event_type = 'free throw' THEN points_scored & 1 ELSE 0 END""",
    "only_shots_have_results": """
        SELECT * FROM play_by_play WHERE (event_type = 'shot') <> (shot_made IS NOT NULL) OR (event_type = 'shot') <>
        (shot_type IS NOT NULL)""",
    "assists_on_makes_by_team_mates": """
        SELECT * FROM play_by_play p JOIN player_boxscores b ON b.game_id = p.game_id AND b.player_lookup =
        p.player_2_lookup
        WHERE player_2_role = 'assist' AND (NOT shot_made OR team_abbr <> player_1_team_abbr OR player_1_lookup =
        player_2_lookup)""",
    "blocks_and_steals_by_opponents": """
        SELECT * FROM play_by_play p JOIN player_boxscores b ON b.game_id = p.game_id AND b.player_lookup =
        p.player_2_lookup
        WHERE player_2_role IN ('block', 'steal') AND (coalesce(shot_made, false) OR team_abbr = player_1_team_abbr
        OR event_type <> CASE player_2_role WHEN 'block' THEN 'shot' ELSE 'turnover' END)""",
    "zones_suit_the_shot_type": """
        SELECT * FROM play_by_play
        WHERE shot_zone IS NOT NULL AND (shot_type = '3PT') <> (shot_zone IN ('above_break_three', 'corner_three',
        'backcourt'))""",
    "a_single_free_throw_follows_a_make_and_a_foul": f"""
        SELECT * FROM (SELECT *, lag(event_type) OVER w AS before, lag(event_type, 2) OVER w AS first, lag(shot_made,
        2) OVER w AS made,
            lag(player_1_lookup, 2) OVER w AS shooter FROM {EVENTS}
            WINDOW w AS (PARTITION BY game_id ORDER BY period, game_clock_seconds DESC, event_sequence))
        WHERE event_subtype = 'free throw 1/1' AND (before, first, made, shooter) IS DISTINCT FROM ('foul', 'shot',
        true, player_1_lookup)""",
    "the_score_runs_with_the_clock": f"""
        SELECT * FROM (SELECT *, sum(points_scored) OVER w AS total FROM {EVENTS}
            WINDOW w AS (PARTITION BY game_id ORDER BY period, game_clock_seconds DESC, event_sequence ROWS UNBOUNDED
            PRECEDING))
        WHERE total <> score_home + score_away""",
    "event_numbers_are_unique": "SELECT game_id, event_sequence FROM play_by_play GROUP BY ALL HAVING count(*) > 1",
}


@pytest.mark.parametrize("query", INVARIANTS.values(), ids=INVARIANTS)
def test_every_identity_holds(database: duckdb.DuckDBPyConnection, query: str) -> None:
    assert values(database, query) == []


@hypothesis.given(
    seed=st.integers(0, 2**32),
    pairs_of_teams=st.integers(1, 3),
    games_per_team=st.integers(1, 9),
    season_year=st.integers(2000, 2030),
)
@hypothesis.settings(max_examples=10)
def test_every_identity_holds_in_any_league(
    seed: int, pairs_of_teams: int, games_per_team: int, season_year: int
) -> None:
    season = simulate(season_year, seed, teams=list(CURRENT_TEAMS)[: 2 * pairs_of_teams], games_per_team=games_per_team)
    database = tables_of(season)
    assert {name: rows for name, query in INVARIANTS.items() if (rows := values(database, query))} == {}
    assert season.summary.games_played == pairs_of_teams * games_per_team


def test_five_are_on_the_floor_and_their_time_and_margin_are_the_box_scores(
    database: duckdb.DuckDBPyConnection,
) -> None:
    floor: dict[tuple[str, str], set[str]] = defaultdict(set)
    expected = {}
    for game, team, player, minutes, plus_minus, starter in values(
        database, "SELECT game_id, team_abbr, player_lookup, minutes, plus_minus, starter FROM player_boxscores"
    ):
        whole, seconds = minutes.split(":")
        expected[game, player] = (60 * int(whole) + int(seconds), plus_minus)
        if starter:
            floor[game, team].add(player)
    time: Counter[tuple[str, str]] = Counter()
    margin: Counter[tuple[str, str]] = Counter()
    newest: dict[str, tuple[int, int]] = {}
    events = values(
        database,
        f"""SELECT game_id, period, game_clock_seconds, event_type, player_1_lookup, player_1_team_abbr,
            player_2_lookup, points_scored
        FROM {EVENTS} WHERE event_type IN ('substitution', 'period end') OR points_scored > 0
        ORDER BY game_id, period, game_clock_seconds DESC, event_sequence""",
    )
    for game, period, clock, kind, player, team, replacement, points in events:
        teams = game.split("_")[1:]
        before, stood_at = newest.get(game, (0, 0))
        lasted = stood_at - clock if before == period else (720 if period <= 4 else 300) - clock
        newest[game] = (period, clock)
        for side in teams:
            for one in floor[game, side]:
                time[game, one] += lasted
                margin[game, one] += points if side == team else -points
        if kind == "substitution":
            assert player in floor[game, team]
            assert replacement not in floor[game, team]
            floor[game, team] ^= {player, replacement}
            assert len(floor[game, team]) == 5
    games = set(newest)
    assert len(games) > 1300
    assert {key: value for key, value in expected.items() if key[0] in games} == {
        key: (time[key], margin[key]) for key in expected if key[0] in games
    }


def test_personal_fouls_are_the_fouls_that_are_not_technical(database: duckdb.DuckDBPyConnection) -> None:
    query = f"""
        SELECT count(*) FROM (
            SELECT game_id, player_1_lookup AS player_lookup, count(*) FILTER (after IS DISTINCT FROM
            'free throw technical') AS fouls FROM (
                SELECT *, lead(event_subtype) OVER (PARTITION BY game_id ORDER BY period, game_clock_seconds DESC,
                event_sequence) AS after FROM {EVENTS})
            WHERE event_type = 'foul' GROUP BY ALL) JOIN player_boxscores USING (game_id, player_lookup) WHERE fouls <>
            personal_fouls"""
    assert values(database, query) == [(0,)]


def test_some_events_are_numbered_out_of_order(database: duckdb.DuckDBPyConnection) -> None:
    (out_of_order,) = values(
        database,
        """SELECT count(*) FROM (SELECT *, lag(event_sequence) OVER (
        PARTITION BY game_id ORDER BY period, game_clock_seconds DESC, event_sequence) AS before FROM play_by_play)
        WHERE event_sequence < before""",
    )
    assert out_of_order[0] > 1000


# What it looks like.


def test_levels_are_those_of_the_league(database: duckdb.DuckDBPyConnection) -> None:
    levels = database.sql(
        """SELECT avg(points) AS points, avg(fg_attempted) AS fga, avg(fg_made) AS fgm, avg(ft_attempted) AS fta,
        avg(offensive_rebounds) AS oreb, avg(defensive_rebounds) AS dreb, avg(assists) AS ast, avg(steals) AS stl,
        avg(blocks) AS blk, avg(turnovers) AS tov, avg(personal_fouls) AS pf, avg(fg_attempted + 0.44 * ft_attempted +
        turnovers - offensive_rebounds) AS possessions, sum(points) / sum(2 * (fg_attempted + 0.44 * ft_attempted)) AS
        ts, sum(three_pt_attempted) / sum(fg_attempted) AS share_of_threes, stddev(plus_minus) AS margin,
        avg(plus_minus) FILTER (is_home) AS home_margin FROM team_boxscores WHERE minutes = '240:00'
        """
    ).to_arrow_table()
    ranges = {
        "points": (106, 114),
        "fga": (82, 90),
        "fgm": (38, 42),
        "fta": (19, 25),
        "oreb": (9, 11.5),
        "dreb": (31, 36),
        "ast": (22, 27),
        "stl": (6.5, 8.5),
        "blk": (4, 5.7),
        "tov": (12.5, 15),
        "pf": (18, 21.5),
        "possessions": (96, 100),
        "ts": (0.56, 0.59),
        "share_of_threes": (0.37, 0.43),
        "margin": (12, 16.5),
        "home_margin": (1.5, 4.5),
    }
    (found,) = levels.to_pylist()
    assert {name: level for name, level in found.items() if not ranges[name][0] <= level <= ranges[name][1]} == {}


def test_zones_are_as_often_and_as_well_used_as_in_the_league(database: duckdb.DuckDBPyConnection) -> None:
    usual = {
        "restricted_area": (0.298, 0.65),
        "paint_non_ra": (0.174, 0.43),
        "mid_range": (0.128, 0.41),
        "above_break_three": (0.294, 0.35),
        "corner_three": (0.104, 0.38),
        "backcourt": (0.002, 0.025),
    }
    rows = values(
        database,
        (
            "SELECT shot_zone, count(*) / sum(count(*)) OVER (), avg(shot_made::int) FROM play_by_play WHERE "
            "shot_zone <> '' GROUP BY 1"
        ),
    )
    assert {zone for zone, *_ in rows} == set(usual)
    for zone, share, accuracy in rows:
        assert (share, accuracy) == pytest.approx(usual[zone], abs=0.04)


def test_usage_and_points_are_spread_from_stars_to_the_bench(database: duckdb.DuckDBPyConnection) -> None:
    players = values(
        database,
        f"""WITH team AS (SELECT game_id, team_abbr, fg_attempted + 0.44 * ft_attempted + turnovers AS plays,
            split_part(minutes, ':', 1)::int * 12 AS fifth
            FROM team_boxscores)
        SELECT avg(points), 100 * sum(field_goals_attempted + 0.44 * free_throws_attempted + turnovers)
            / sum(plays * (split_part(minutes, ':', 1)::int * 60 + split_part(minutes, ':', 2)::int) / fifth),
            {SECONDS} / count(*) / 60
        FROM player_boxscores JOIN team USING (game_id, team_abbr) GROUP BY player_lookup HAVING count(*) >= 30""",
    )
    points, usage, minutes = (np.array(column) for column in zip(*players, strict=True))
    assert 8 <= (points > 25).sum() <= 35
    assert 27 < points.max() < 37
    assert 6 < usage.min() < 12
    assert 30 < usage.max() < 38
    assert 34 < minutes.max() < 40


def test_second_chances_are_worth_what_they_are_in_the_league(season: SimulatedSeason) -> None:
    events = season.tables["play_by_play"]
    columns = {
        name: events[name].to_numpy(zero_copy_only=False)
        for name in ("period", "game_clock_seconds", "event_sequence", "points_scored")
    }
    games = np.unique(np.array(events["game_id"], dtype=object), return_inverse=True)[1]
    teams = (
        events["player_1_team_abbr"]
        .combine_chunks()
        .dictionary_encode()
        .indices.fill_null(-1)
        .to_numpy(zero_copy_only=False)
    )
    points = second_chance_points(
        games,
        columns["period"],
        columns["game_clock_seconds"],
        columns["event_sequence"],
        event_kinds(*(np.array(events[name].to_pylist(), dtype=object) for name in ("event_type", "event_subtype"))),
        teams.astype(np.int64),
        pc.fill_null(events["shot_made"].cast(pa.float64()), np.nan).to_numpy(),
        columns["points_scored"].astype(np.float64),
        games=int(games.max()) + 1,
        teams=30,
    )
    complete = ~np.isnan(points).any(axis=1)
    assert (~complete).sum() == 1
    assert 11 < points[complete].sum() / (2 * complete.sum()) < 15


def test_shot_places_agree_with_their_zones(database: duckdb.DuckDBPyConnection) -> None:
    shots = database.execute(
        "SELECT shot_zone, shot_type, loc_x, loc_y, shot_distance FROM play_by_play WHERE shot_zone <> '' AND "
        "shot_distance >= 0"
    )
    rows = shots.fetchnumpy()
    x, y, distance = (np.asarray(rows[name], dtype=np.float64) for name in ("loc_x", "loc_y", "shot_distance"))
    zone, three = np.asarray(rows["shot_zone"]), np.asarray(rows["shot_type"]) == "3PT"
    found, _ = classify_shots(three, np.full(len(zone), None, dtype=object), x, y, distance)
    assert (found[np.isin(zone, ("restricted_area", "paint_non_ra"))] == PAINT).all()
    assert (found[zone == "mid_range"] == MID_RANGE).all()
    assert ((np.hypot(x, y) <= 40) == (zone == "restricted_area")).all()
    assert (np.hypot(x, y)[~three] < 237.5).all()
    assert (np.abs(x[zone == "corner_three"]) >= 220).all()
    np.testing.assert_array_equal(distance, np.hypot(x, y) // 10)


def test_overtime_is_played(database: duckdb.DuckDBPyConnection, season: SimulatedSeason) -> None:
    rows = values(
        database,
        "SELECT game_id, minutes FROM team_boxscores WHERE is_home AND minutes <> '240:00' ORDER BY game_date, game_id",
    )
    assert {game for game, _ in rows} == {case.game_id for case in season.summary.special_cases.overtime}
    assert len(rows) >= 20
    assert {"265:00", "290:00"} <= {minutes for _, minutes in rows}


def test_the_sheet_has_everybody(database: duckdb.DuckDBPyConnection, season: SimulatedSeason) -> None:
    kinds = dict(values(database, "SELECT player_status, count(*) FROM player_gamebook GROUP BY 1"))
    assert set(kinds) == {"active", "dnp", "inactive"}
    assert 10 < kinds["active"] / (2 * season.summary.games_played) < 11.2
    assert values(
        database, "SELECT count(*) > 1000 FROM player_gamebook WHERE dnp_reason = 'DNP - Coach''s Decision'"
    ) == [(True,)]
    assert (
        values(
            database,
            "SELECT max(n), min(n) FROM (SELECT count(*) AS n FROM player_gamebook GROUP BY game_id, team_abbr)",
        )[0][1]
        >= 13
    )
    zero = values(database, "SELECT game_id, player_lookup FROM player_boxscores WHERE minutes = '0:00'")
    assert sorted(zero) == sorted(
        (case.game_id, case.player_lookup) for case in season.summary.special_cases.zero_minutes
    )
    assert len(zero) > 20


def test_names_come_in_all_shapes_and_lookups_are_theirs(season: SimulatedSeason) -> None:
    registry = season.tables["player_registry"].to_pylist()
    names = {row["player_name"] for row in registry}
    assert 480 <= len(names) <= 500
    assert len({row["player_lookup"] for row in registry}) == len(names)
    assert all(row["player_lookup"] == player_lookup(row["player_name"]) for row in registry)
    for shape in (r"[À-ž]", r" Jr\.$", r" III$", r"'", r"-"):
        assert any(re.search(shape, name) for name in names), shape


def test_positions_and_ages_are_believable(season: SimulatedSeason) -> None:
    rosters = season.tables["rosters"]
    assert set(rosters["position_abbr"].to_pylist()) == {"PG", "SG", "SF", "PF", "C"}
    assert 18 <= pc.min(rosters["age"]).as_py() < pc.max(rosters["age"]).as_py() <= 42
    assert 0 < rosters["birth_date"].null_count < rosters.num_rows * 0.05


# Schedule.


def regular_games(rows: pa.Table) -> list[dict[str, Any]]:
    return [row for row in rows.to_pylist() if row["is_regular_season"] and row["game_status"] != 4]


def test_every_team_plays_82_games_at_believable_intervals(season: SimulatedSeason) -> None:
    games = regular_games(season.tables["schedule"])
    assert len(games) == 1230
    days: dict[str, list[date]] = defaultdict(list)
    for row in games:
        for team in (row["home_team_abbr"], row["away_team_abbr"]):
            days[team].append(row["game_date"])
    assert set(days) == set(CURRENT_TEAMS)
    back_to_backs = []
    for played in days.values():
        assert len(set(played)) == 82
        gaps = [(later - earlier).days for earlier, later in pairwise(sorted(played))]
        assert (1, 1) not in set(pairwise(gaps))
        assert max(gaps) >= 7
        back_to_backs.append(gaps.count(1))
    assert 11 < np.mean(back_to_backs) < 17
    hosts = Counter(row["home_team_abbr"] for row in games)
    assert set(hosts.values()) <= set(range(38, 45))
    pairs = Counter(frozenset((row["home_team_abbr"], row["away_team_abbr"])) for row in games)
    assert len(pairs) == 435
    assert set(pairs.values()) == {2, 3}


def test_the_calendar_is_the_leagues(season: SimulatedSeason) -> None:
    games = regular_games(season.tables["schedule"])
    days = {row["game_date"] for row in games}
    assert season.summary.first_date == min(days) == date(2024, 10, 22)
    assert date(2025, 4, 8) <= max(days) <= date(2025, 4, 20)
    assert not days & {
        date(2024, 11, 28),
        date(2024, 12, 24),
        *(date(2025, 2, 14) + timedelta(days=offset) for offset in range(6)),
    }
    assert Counter(row["game_date"] for row in games)[date(2024, 10, 22)] == 2


@pytest.mark.parametrize(("season_year", "day"), [(2021, 19), (2022, 18), (2023, 24), (2024, 22)])
def test_the_season_opens_as_the_real_ones_did(season_year: int, day: int) -> None:
    assert opening_night(season_year) == date(season_year, 10, day)


def test_tips_fit_the_arenas(season: SimulatedSeason) -> None:
    clocks = defaultdict(set)
    for row in season.tables["schedule"].to_pylist():
        eastern = row["game_time_utc"].astimezone(EASTERN)
        assert eastern.date() == row["game_date"]
        assert row["game_id"] == f"{row['game_date']:%Y%m%d}_{row['away_team_abbr']}_{row['home_team_abbr']}"
        clocks[row["arena_timezone"]].add(f"{eastern:%H:%M}")
        if not row["neutral_site_flag"]:
            team = TEAMS[row["home_team_abbr"]]
            assert (row["arena_name"], row["arena_latitude"], row["arena_longitude"]) == (
                team.arena_name,
                team.arena_latitude,
                team.arena_longitude,
            )
    assert {"19:00", "19:30", "13:00"} <= clocks["America/New_York"]
    assert "22:00" in clocks["America/Los_Angeles"]
    assert "13:00" not in clocks["America/Los_Angeles"]


def test_play_offs_are_series_of_seven(season: SimulatedSeason) -> None:
    games = [row for row in season.tables["schedule"].to_pylist() if row["is_playoffs"]]
    assert all(row["game_status"] == 3 for row in games)
    assert sum(row["nba_game_id"].startswith("005") for row in games) == 2
    series: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for row in games:
        if row["nba_game_id"].startswith("004"):
            series[frozenset((row["home_team_abbr"], row["away_team_abbr"]))][row["winning_team_abbr"]] += 1
    assert len(series) == 15
    assert all(max(wins.values()) == 4 and wins.total() <= 7 for wins in series.values())
    assert min(row["game_date"] for row in games) > max(
        row["game_date"] for row in regular_games(season.tables["schedule"])
    )


def test_mid_series_only_games_that_are_sure_are_scheduled() -> None:
    through = date(2025, 4, 22)
    rows = [
        row
        for row in simulate_season(2024, through=through)["schedule"].to_pylist()
        if row["nba_game_id"].startswith("004")
    ]
    series = defaultdict(list)
    for row in rows:
        series[frozenset((row["home_team_abbr"], row["away_team_abbr"]))].append(row)
    assert len(series) == 8
    for games in series.values():
        wins = Counter(row["winning_team_abbr"] for row in games if row["game_status"] == 3)
        losses = min(wins.values()) if len(wins) == 2 else 0
        assert len(games) == 4 + losses
        assert all((row["game_status"] == 3) == (row["game_date"] <= through) for row in games)


# Special cases.


def test_one_game_is_at_a_neutral_site(season: SimulatedSeason) -> None:
    (row,) = season.tables["schedule"].filter(pc.field("neutral_site_flag")).to_pylist()
    assert row["game_id"] == present(season.summary.special_cases.neutral_site).game_id
    home = TEAMS[row["home_team_abbr"]]
    assert row["arena_timezone"] == "America/Mexico_City" != home.arena_timezone
    assert (row["arena_latitude"], row["arena_longitude"]) != (home.arena_latitude, home.arena_longitude)


def test_one_game_is_postponed_and_made_up(season: SimulatedSeason) -> None:
    cases = season.summary.special_cases
    postponed, made_up = present(cases.postponed), present(cases.made_up)
    (called_off,) = season.tables["schedule"].filter(pc.field("game_status") == 4).to_pylist()
    (played,) = season.tables["schedule"].filter(pc.field("game_id") == made_up.game_id).to_pylist()
    assert called_off["game_id"] == postponed.game_id
    assert called_off["home_team_score"] is None
    assert called_off["winning_team_abbr"] is None
    assert played["game_status"] == 3
    assert played["nba_game_id"] == called_off["nba_game_id"]
    assert made_up.game_date > postponed.game_date
    assert postponed.game_id not in season.tables["team_boxscores"]["game_id"].to_pylist()


@pytest.mark.parametrize("table", ["player_gamebook", "player_boxscores"])
def test_one_box_score_is_corrected_later(season: SimulatedSeason, table: str) -> None:
    case = present(season.summary.special_cases.corrected_box)
    chosen = (pc.field("game_id") == case.game_id) & (pc.field("player_lookup") == case.player_lookup)
    (first,) = season.tables[table].filter(chosen).to_pylist()
    (later,) = season.corrections[table].to_pylist()
    assert later["processed_at"] > first["processed_at"]
    differing = {
        name: (first[name], later[name]) for name in first if first[name] != later[name] and name != "processed_at"
    }
    assert differing == {
        "points": (later["points"] - 2, later["points"]),
        "field_goals_made": (later["field_goals_made"] - 1, later["field_goals_made"]),
    }


def test_one_game_has_no_play_by_play_and_one_has_field_goals_only(season: SimulatedSeason) -> None:
    cases = season.summary.special_cases
    events = season.tables["play_by_play"].group_by("game_id").aggregate([("event_type", "distinct")]).to_pylist()
    kinds = {row["game_id"]: set(row["event_type_distinct"]) for row in events}
    played = set(season.tables["team_boxscores"]["game_id"].to_pylist())
    assert played - set(kinds) == {present(cases.without_play_by_play).game_id}
    assert {game for game, found in kinds.items() if found == {"shot"}} == {present(cases.field_goals_only).game_id}


def test_what_some_shots_lack(database: duckdb.DuckDBPyConnection, season: SimulatedSeason) -> None:
    cases = season.summary.special_cases
    lacking = values(
        database,
        """SELECT game_id, CASE WHEN shot_distance IS NULL THEN 'distance' WHEN loc_x IS NULL THEN 'place' ELSE 'zone'
            END AS what, count(*),
        min(event_sequence) FILTER (shot_distance IS NULL), bool_and(shot_type = '2PT')
        FROM play_by_play WHERE event_type = 'shot' AND (shot_zone IS NULL OR loc_x IS NULL OR loc_y IS NULL OR
        shot_distance IS NULL) GROUP BY ALL""",
    )
    found = {what: (game, count, sequence) for game, what, count, sequence, are_twos in lacking if are_twos}
    assert len(lacking) == len(found) == 3
    missing = present(cases.missing_distance)
    assert found["distance"] == (missing.game_id, 1, missing.event_sequence)
    assert found["zone"][0] == present(cases.coordinates_only).game_id
    assert found["place"][0] == present(cases.distance_only).game_id
    assert min(found["zone"][1], found["place"][1]) >= 10


def test_special_cases_can_be_left_out() -> None:
    summary = simulate(2024, special_cases=False, **SMALL_LEAGUE).summary
    cases = summary.special_cases
    assert (
        cases.neutral_site,
        cases.postponed,
        cases.corrected_box,
        cases.without_play_by_play,
        cases.distance_only,
    ) == (None,) * 5
    assert summary.games_scheduled == summary.games_played == 24


# People and announcements.


def test_trades_move_players_and_show_on_rosters_and_sheets(
    database: duckdb.DuckDBPyConnection, season: SimulatedSeason
) -> None:
    trades = season.summary.special_cases.first_after_trade
    assert len(trades) >= 20
    for trade in trades:
        ((sheet_team,),) = values(
            database,
            "SELECT team_abbr FROM player_gamebook WHERE game_id = ? AND player_lookup = ?",
            trade.game_id,
            trade.player_lookup,
        )
        newest = values(
            database,
            (
                "SELECT team_abbr FROM rosters WHERE player_lookup = ? AND roster_date <= ? ORDER BY roster_date DESC "
                "LIMIT 1"
            ),
            trade.player_lookup,
            trade.game_date,
        )
        assert newest == [(sheet_team,)]
        teams = values(database, "SELECT team_abbr FROM player_registry WHERE player_lookup = ?", trade.player_lookup)
        assert (sheet_team,) in teams
        assert len(teams) > 1


def test_rosters_are_taken_several_times_a_week(season: SimulatedSeason) -> None:
    rosters = season.tables["rosters"]
    days = sorted(set(rosters["roster_date"].to_pylist()))
    assert {season.summary.first_date - timedelta(days=1), season.summary.first_date} <= set(days)
    assert max((later - earlier).days for earlier, later in pairwise(days)) <= 3
    sizes = (
        rosters.group_by(["roster_date", "team_abbr"])
        .aggregate([("player_lookup", "count")])["player_lookup_count"]
        .to_pylist()
    )
    assert min(sizes) >= 14
    assert max(sizes) <= 18
    assert len(set(rosters["player_lookup"].to_pylist())) > 480


def test_who_is_waived_leaves_and_who_is_called_up_arrives(database: duckdb.DuckDBPyConnection) -> None:
    spans = values(
        database,
        """SELECT min(roster_date) > (SELECT min(roster_date) FROM rosters), max(roster_date) < (SELECT
            max(roster_date) FROM rosters)
        FROM rosters GROUP BY player_lookup""",
    )
    assert sum(arrived for arrived, _ in spans) >= 15
    assert sum(left for _, left in spans) >= 15


def test_injuries_keep_players_out_for_days(database: duckdb.DuckDBPyConnection) -> None:
    spells = values(
        database,
        """SELECT count(*), any_value(dnp_reason) FROM (SELECT *, row_number() OVER (PARTITION BY player_lookup ORDER
            BY game_date)
            - row_number() OVER (PARTITION BY player_lookup, dnp_reason ORDER BY game_date) AS spell FROM
            player_gamebook)
        WHERE dnp_reason LIKE 'Injury/Illness%' GROUP BY player_lookup, dnp_reason, spell""",
    )
    lengths = [count for count, reason in spells if "N/A" not in reason]
    assert len(lengths) > 300
    assert sum(length >= 3 for length in lengths) > 100
    assert max(lengths) >= 20
    missed = values(database, "SELECT count(*) FILTER (dnp_reason LIKE 'Injury%') / count(*) FROM player_gamebook")[0][
        0
    ]
    assert 0.05 < missed < 0.2


def test_injury_reports_run_from_the_evening_before_until_after_the_tip(database: duckdb.DuckDBPyConnection) -> None:
    reports = """(SELECT r.*, s.game_time_utc, s.game_id, timezone('America/New_York', report_date +
        to_hours(report_hour)) < s.game_time_utc AS in_time
        FROM injury_report r JOIN schedule s ON s.game_date = r.game_date AND r.team IN (s.home_team_abbr,
        s.away_team_abbr) AND s.game_status = 3)"""
    ((evening, same_day, too_late, several),) = values(
        database,
        f"""SELECT count(*) FILTER (report_date = game_date - 1), count(*) FILTER (report_date = game_date AND in_time),
        count(*) FILTER (NOT in_time), count(DISTINCT report_hour) FROM {reports}""",
    )
    assert min(evening, same_day) > 2000
    assert 200 < too_late < 2000
    assert several >= 8
    assert values(database, f"SELECT count(*) FROM {reports} WHERE report_date NOT IN (game_date, game_date - 1)") == [
        (0,)
    ]

    # Read surely and in time, the last word tells who plays, apart from those who were doubtful or questionable to the
    # end.
    last_words = dict(
        values(
            database,
            f"""SELECT injury_status || ' ' || player_status, count(*) FROM (
            SELECT * FROM {reports} WHERE in_time
            QUALIFY row_number() OVER (PARTITION BY game_date, player_lookup ORDER BY report_date DESC, report_hour
            DESC) = 1)
            JOIN (SELECT game_id, player_lookup, CASE player_status WHEN 'inactive' THEN 'away' ELSE
                CASE WHEN dnp_reason LIKE 'Injury%' THEN 'away' ELSE 'there' END END AS player_status FROM
                player_gamebook) USING (game_id, player_lookup)
            WHERE coalesce(confidence_score, 1) >= 0.8 GROUP BY ALL""",
        )
    )
    assert last_words["out away"] > 4000
    assert (
        last_words.get("out there", 0) == last_words.get("available away", 0) == last_words.get("probable away", 0) == 0
    )
    assert (
        min(last_words[kind] for kind in ("available there", "questionable there", "doubtful away", "probable there"))
        > 50
    )


def test_statuses_are_downgraded_and_upgraded_on_the_way(database: duckdb.DuckDBPyConnection) -> None:
    ranks = (
        "CASE injury_status WHEN 'out' THEN 4 WHEN 'doubtful' THEN 3 WHEN 'questionable' THEN 2 WHEN 'probable' "
        "THEN 1 ELSE 0 END"
    )
    ((down, up),) = values(
        database,
        f"""SELECT count(*) FILTER (rank > before), count(*) FILTER (rank < before) FROM (SELECT {ranks} AS rank,
            lag({ranks}) OVER (
        PARTITION BY game_date, player_lookup ORDER BY report_date, report_hour) AS before FROM injury_report WHERE
        confidence_score >= 0.8)""",
    )
    assert min(down, up) > 300
    kinds = {kind for (kind,) in values(database, "SELECT DISTINCT reason_category FROM injury_report")}
    assert kinds == {"injury", "rest", "personal", "suspension", "g_league"}
    assert values(database, "SELECT count(*) > 100 FROM injury_report WHERE confidence_score < 0.8") == [(True,)]


def test_lines_of_several_bookmakers_run_from_the_day_before_until_after_the_tip(
    database: duckdb.DuckDBPyConnection,
) -> None:
    bookmakers = values(
        database,
        """SELECT bookmaker_key, count(DISTINCT snapshot_timestamp - commence_time), count(*) FILTER
            (snapshot_timestamp >= commence_time) > 0,
        count(*) FILTER (length(outcome_name) = 3) > 0 FROM game_lines GROUP BY 1 ORDER BY 1""",
    )
    assert bookmakers == [("betmgm", 2, False, True), ("draftkings", 4, True, False), ("fanduel", 4, True, False)]
    assert values(database, "SELECT max(commence_time - snapshot_timestamp) > INTERVAL 24 HOURS FROM game_lines") == [
        (True,)
    ]
    names = {name for (name,) in values(database, "SELECT DISTINCT outcome_name FROM game_lines")}
    assert names == {
        "Over",
        "Under",
        "LA Clippers",
        *CURRENT_TEAMS,
        *(team.full_name for team in CURRENT_TEAMS.values()),
    }


def test_lines_are_two_sided_and_known_before_the_game(database: duckdb.DuckDBPyConnection) -> None:
    sides = "game_date, home_team_abbr, bookmaker_key, market_key, snapshot_timestamp"
    assert (
        values(
            database,
            f"""SELECT {sides} FROM game_lines GROUP BY ALL HAVING count(*) <> 2
            OR CASE market_key WHEN 'spreads' THEN sum(outcome_point) <> 0 ELSE min(outcome_point) <>
            max(outcome_point) END""",
        )
        == []
    )
    assert values(
        database,
        (
            "SELECT count(*) FROM game_lines l JOIN schedule s USING (game_date, home_team_abbr) WHERE commence_time "
            "<> game_time_utc"
        ),
    ) == [(0,)]
    ((correlation, bias, total),) = values(
        database,
        """SELECT corr(-outcome_point, plus_minus), avg(-outcome_point - plus_minus), (SELECT avg(outcome_point) FROM
            game_lines WHERE market_key = 'totals')
        FROM game_lines l JOIN team_boxscores t ON t.game_date = l.game_date AND t.team_abbr = l.home_team_abbr AND
        t.is_home
        WHERE market_key = 'spreads' AND bookmaker_key = 'betmgm' AND outcome_name = home_team_abbr""",
    )
    assert correlation > 0.2
    assert abs(bias) < 2
    assert 210 < total < 230


def test_props_are_near_what_players_score(database: duckdb.DuckDBPyConnection) -> None:
    feeds = values(
        database,
        """SELECT source, count(DISTINCT player_lookup), count(opening_line) = count(*), count(opening_line) = 0,
        count(*) FILTER (minutes_before_tipoff < 0) > 0 FROM player_points_props GROUP BY 1 ORDER BY 1""",
    )
    assert [(source, *rest) for source, _, *rest in feeds] == [
        ("bettingpros", True, False, False),
        ("odds_api", False, True, True),
    ]
    assert feeds[0][1] > feeds[1][1] > 100
    assert (
        values(
            database,
            """SELECT * FROM player_points_props WHERE minutes_before_tipoff <> date_diff('minute', snapshot_timestamp,
                game_start_time)
            OR points_line % 1 <> 0.5 OR points_line NOT BETWEEN 0.5 AND 45""",
        )
        == []
    )
    ((bias, correlation),) = values(
        database,
        """SELECT avg(points_line - points), corr(points_line, points) FROM player_points_props JOIN player_boxscores
            USING (game_date, player_lookup)
        WHERE minutes_before_tipoff >= 0""",
    )
    assert abs(bias) < 1
    assert correlation > 0.55


# The same season every time.


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    summaries = [
        write_season(tmp_path / name, 2024, seed=seed, **SMALL_LEAGUE)
        for name, seed in (("one", 7), ("two", 7), ("other", 8))
    ]
    assert summaries[0] == summaries[1] != summaries[2]
    one, two, other = (files(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert (
        one["play_by_play/game_date=2024-10-22/part.parquet"] != other["play_by_play/game_date=2024-10-22/part.parquet"]
    )


def test_other_seasons_are_other_leagues() -> None:
    scores = [simulate_season(year, **SMALL_LEAGUE)["team_boxscores"]["points"].to_pylist() for year in (2023, 2024)]
    assert scores[0] != scores[1]


@pytest.mark.parametrize("through", [date(2024, 10, 25), date(2024, 11, 20)])
def test_a_date_does_not_depend_on_how_far_the_season_is_simulated(season: SimulatedSeason, through: date) -> None:
    until = simulate(2024, through=through)
    assert until.summary.last_date == through
    for name in (*GAME_TABLES, "rosters"):
        column = "roster_date" if name == "rosters" else "game_date"
        assert until.tables[name].equals(season.tables[name].filter(pc.field(column) <= through)), name


def test_later_games_are_scheduled_but_not_played(season: SimulatedSeason) -> None:
    through = date(2024, 11, 20)
    until = simulate(2024, through=through)
    later = [row for row in until.tables["schedule"].to_pylist() if row["game_date"] > through]
    assert len(later) + until.summary.games_played + 1 == until.summary.games_scheduled == 1231
    assert {
        (row["game_status"], row["home_team_score"], row["away_team_score"], row["winning_team_abbr"]) for row in later
    } == {(1, None, None, None)}
    assert not any(row["is_playoffs"] for row in later)
    announced = [
        {key: row[key] for key in ("game_id", "game_time_utc", "arena_name")}
        for row in season.tables["schedule"].to_pylist()
        if row["game_date"] > through and row["is_regular_season"]
    ]
    assert [{key: row[key] for key in ("game_id", "game_time_utc", "arena_name")} for row in later] == announced


def test_a_postponement_is_not_known_before_its_day(season: SimulatedSeason) -> None:
    postponed = present(season.summary.special_cases.postponed)
    before = simulate(2024, through=postponed.game_date - timedelta(days=1))
    rows = {row["game_id"]: row["game_status"] for row in before.tables["schedule"].to_pylist()}
    assert len(rows) == 1230
    assert rows[postponed.game_id] == 1
    assert before.summary.special_cases.postponed is None
    assert before.summary.special_cases.made_up is None


def test_before_opening_night_nothing_is_played(tmp_path: Path) -> None:
    summary = write_season(tmp_path, 2024, through=date(2024, 9, 1), **SMALL_LEAGUE)
    assert summary.games_played == 0
    assert {name for name, rows in summary.row_counts.items() if rows} == {"schedule", "player_registry"}
    assert {path.parts[0] for path in map(Path, files(tmp_path))} == {"schedule", "player_registry"}


# Small leagues and landing zones.


def test_a_small_league_keeps_its_size() -> None:
    season = simulate(2024, teams=("DEN", "BOS", "LAL", "MIA", "UTA", "ORL"), games_per_team=10)
    games = Counter(season.tables["team_boxscores"]["team_abbr"].to_pylist())
    assert games == dict.fromkeys(("DEN", "BOS", "LAL", "MIA", "UTA", "ORL"), 10)
    assert season.summary.teams == ("DEN", "BOS", "LAL", "MIA", "UTA", "ORL")
    cases = season.summary.special_cases
    assert None not in (
        cases.neutral_site,
        cases.made_up,
        cases.corrected_box,
        cases.without_play_by_play,
        cases.distance_only,
    )


def test_the_smallest_league_has_two_teams_and_a_game() -> None:
    tables = simulate_season(2024, teams=("BOS", "LAL"), games_per_team=1)
    assert tables["schedule"].num_rows == 1
    assert tables["team_boxscores"].num_rows == 2


@pytest.mark.parametrize(
    ("league", "message"),
    [
        ({"teams": ("BOS", "LAL", "MIA")}, "even number of different teams, not BOS, LAL, MIA"),
        ({"teams": ("BOS", "BOS")}, "even number of different teams"),
        ({"teams": ()}, "not none"),
        ({"teams": ("BOS", "SEA")}, "no teams SEA"),
        ({"games_per_team": 83}, "1 to 82 games in a season, not 83"),
        ({"games_per_team": 0}, "not 0"),
    ],
)
def test_an_impossible_league_is_refused(league: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(2024, **league)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SeasonSummary]:
    """A small league in a landing zone."""
    folder = tmp_path_factory.mktemp("landing")
    return folder, write_season(folder, 2024, **SMALL_LEAGUE)


def test_every_table_is_a_folder_with_a_file_per_date(landed: tuple[Path, SeasonSummary]) -> None:
    folder, summary = landed
    names = set(files(folder))
    assert {name.split("/")[0] for name in names} == set(RAW_TABLES) == set(summary.row_counts)
    assert {"schedule/season_year=2024/part.parquet", "player_registry/season=2024-25/part.parquet"} <= names
    for table in GAME_TABLES:
        dates = {name for name in names if name.startswith(f"{table}/") and name.endswith("/part.parquet")}
        assert f"{table}/game_date={summary.first_date}/part.parquet" in dates
        for name in dates:
            rows = pq.read_table(folder / name, partitioning=None)
            assert rows["game_date"].unique().to_pylist() == [date.fromisoformat(name.split("=")[1][:10])]
    case = present(summary.special_cases.corrected_box)
    assert {name for name in names if "correction" in name} == {
        f"{table}/game_date={case.game_date}/part-correction.parquet"
        for table in ("player_gamebook", "player_boxscores")
    }
    assert not [name for name in names if name.endswith(".tmp")]
    assert (
        pq.ParquetFile(folder / "schedule/season_year=2024/part.parquet").metadata.row_group(0).column(0).compression
        == "ZSTD"
    )


def test_files_and_tables_hold_the_same_rows(landed: tuple[Path, SeasonSummary]) -> None:
    folder, summary = landed
    tables = simulate_season(2024, **SMALL_LEAGUE)
    for name, rows in tables.items():
        written = [pq.read_table(path, partitioning=None) for path in sorted((folder / name).rglob("*.parquet"))]
        order = [(column, "ascending") for column in RAW_TABLES[name].table.key if column in rows.column_names]
        order += [("processed_at", "ascending")]
        assert pa.concat_tables(written).sort_by(order).equals(rows.sort_by(order)), name
        corrections = 1 if name in ("player_gamebook", "player_boxscores") else 0
        assert rows.num_rows == summary.row_counts[name] + corrections


@pytest.mark.parametrize("name", RAW_TABLES)
def test_ingestion_finds_nothing_wrong(landed: tuple[Path, SeasonSummary], name: str) -> None:
    folder, summary = landed
    days = [
        summary.first_date + timedelta(days=offset)
        for offset in range(-1, (summary.last_date - summary.first_date).days + 1)
    ]
    found = collect(Request(RAW_TABLES[name], days, NOW), FolderLandingZone(folder))
    assert (found.quarantined, found.bad_files) == ([], [])
    replaced = 1 if name in ("player_gamebook", "player_boxscores", "schedule") else 0
    assert (found.duplicates.total(), found.replaced.total()) == (0, replaced)
    # The date of a game that was postponed loses its row to the date on which it was made up.
    assert len(found.rows["processed_at"]) == summary.row_counts[name] - (1 if name == "schedule" else 0)


PROVIDER_IDS = ("nba_game_id", "player_id", "player_1_id", "player_2_id")
"""Columns that a feed may have; the simulated ones have them in the schedule and in the team boxes only."""


@pytest.mark.parametrize("name", RAW_TABLES)
def test_columns_are_the_contracts(season: SimulatedSeason, name: str) -> None:
    columns = RAW_TABLES[name].table.columns
    there = set(season.tables[name].column_names)
    assert there <= {column.name for column in columns}
    assert {column.name for column in columns} - there <= {*RAW_TABLES[name].derived, *PROVIDER_IDS}
    assert all(
        not season.tables[name][column.name].null_count
        for column in columns
        if column.name in there and not column.nullable
    )


@pytest.mark.parametrize("name", sorted(set(RAW_TABLES) - {"player_points_props"}))
def test_columns_and_types_are_those_of_real_seasons(season: SimulatedSeason, name: str) -> None:
    real = pq.read_schema(real_data(2021) / f"{name}.parquet")
    simulated = season.tables[name].schema
    assert {field.name: field.type for field in simulated if field.name in real.names} == {
        field.name: field.type for field in real
    }
    assert set(simulated.names) - set(real.names) == {"processed_at"} | ADDED_TO_REAL_FEEDS.get(name, set())


@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(
            ("play_by_play", column)
            for column in ("event_type", "event_subtype", "player_2_role", "shot_type", "shot_zone")
        ),
        ("player_gamebook", "player_status"),
        ("player_boxscores", "game_status"),
    ],
)
def test_words_are_those_of_real_seasons(season: SimulatedSeason, name: str, column: str) -> None:
    real = set(pq.read_table(real_data(2021) / f"{name}.parquet", columns=[column])[column].unique().to_pylist())
    assert set(season.tables[name][column].unique().to_pylist()) <= real
