"""Contexts of small schedules: what counts as a game behind a team, where a season begins and ends, where a game is
played, and what fails with whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from nba_assets.analytics import stars, team_facts, upcoming_player_game_context, upcoming_team_game_context
from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.entities.outcomes import Outcome
from nba_assets.raw.tables import INJURY_REPORT, PLAYER_BOXSCORES, PLAYER_GAMEBOOK, ROSTERS, SCHEDULE
from nba_assets.tables.spec import Table
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.precompute.builders import (
    OPENING,
    TONIGHT,
    Row,
    as_date,
    build,
    built_rows,
    days_ago,
    failing,
    failure_rows,
    scheduled,
)

CUP = {"is_regular_season": False, "neutral_site_flag": True, "arena_name": "T-Mobile Arena"}
NO_SCORE = {"home_team_score": None, "away_team_score": None}
FIRST_GAMES = [scheduled(OPENING, "LAL", "BOS"), scheduled(OPENING, "DEN", "MIA")]
"""Of four teams; none of these games lies within two weeks of tonight."""


def tonight(home: str = "LAL", away: str = "BOS", **changes: Any) -> Row:
    return scheduled(TONIGHT, home, away, game_status=1, **NO_SCORE, **changes)


def rows_of(module: ModuleType, schedule: Sequence[Row], day: np.datetime64 = TONIGHT, **more: Any) -> dict[str, Row]:
    """The rows of a date, by entity; `more` are rows of other tables, by the table's name."""
    tables: dict[Table, Sequence[Row]] = {SCHEDULE.table: schedule}
    tables |= {
        table: more[table.name]
        for table in (INJURY_REPORT.table, PLAYER_BOXSCORES.table, PLAYER_GAMEBOOK.table)
        if table.name in more
    }
    if module is upcoming_player_game_context:
        tables |= {ROSTERS.table: more.get("rosters", everybody(day)), PLAYER_GAMES: more.get("sheets", [])}
    return {row[str(module.TABLE.entity_column)]: row for row in built_rows(module, [day], tables)}


def teams(schedule: Sequence[Row], day: np.datetime64 = TONIGHT, **more: Any) -> dict[str, Row]:
    return rows_of(upcoming_team_game_context, schedule, day, **more)


def players(schedule: Sequence[Row], day: np.datetime64 = TONIGHT, **more: Any) -> dict[str, Row]:
    return rows_of(upcoming_player_game_context, schedule, day, **more)


def everybody(day: np.datetime64 = TONIGHT, season: int | None = 2024) -> list[Row]:
    """Two players of each of four teams: bos1, bos2, lal1, ..."""
    names = ("BOS", "DEN", "LAL", "MIA")
    return [
        {
            "roster_date": day,
            "season_year": season,
            "team_abbr": team,
            "player_lookup": f"{team.lower()}{number}",
            "age": 25,
        }
        for team in names
        for number in (1, 2)
    ]


def played(day: np.datetime64, player: str = "lal1", team: str = "LAL", **changes: Any) -> Row:
    """His row of player_game_summary."""
    line = {"points": 20, "minutes_played": 30.0, "usage_rate": 25.0, "fg_makes": 8, "fg_attempts": 16, "is_dnp": False}
    game = f"{str(day).replace('-', '')}_BOS_LAL"
    return {"player_lookup": player, "game_id": game, "game_date": day, "team_abbr": team, **line, **changes}


REST = ("team_days_rest", "team_back_to_back", "games_in_last_7_days", "games_in_last_14_days")
RECORD = (
    "game_number_in_season",
    "team_win_streak_entering",
    "team_loss_streak_entering",
    "last_game_margin",
    "l14d_completeness_pct",
)


def test_a_cup_final_counts_for_a_teams_rest_and_travel_and_not_for_its_record() -> None:
    without = teams([*FIRST_GAMES, tonight()])
    with_final = teams([*FIRST_GAMES, scheduled(days_ago(1), "LAL", "BOS", home_team_score=90, **CUP), tonight()])
    assert [without["BOS"][name] for name in REST] == [89, False, 0, 0]
    for team in ("BOS", "LAL"):
        assert [with_final[team][name] for name in REST] == [0, True, 1, 1]
        assert [with_final[team][name] for name in RECORD] == [without[team][name] for name in RECORD]
        assert (with_final[team]["game_number_in_season"], with_final[team]["travel_miles"]) == (
            2,
            225,
        )  # from Las Vegas


@pytest.mark.parametrize(
    "changes",
    [
        {"is_all_star": True},
        NO_SCORE,
        {"game_status": 2},
        {"game_status": 4},
        {"away_team_abbr": "XYZ"},
        {"season_year": 2023},
    ],
    ids=["all_star", "no_score", "not_over", "postponed", "no_team_of_the_league", "another_season"],
)
def test_what_is_no_played_game_of_two_teams_of_the_season_counts_for_nothing(changes: dict[str, Any]) -> None:
    before = [*FIRST_GAMES, tonight()]
    assert teams([*before, scheduled(days_ago(1), "LAL", "BOS", **CUP) | changes]) == teams(before)


def test_a_preseason_game_counts_for_nothing() -> None:
    preseason = scheduled(OPENING - np.timedelta64(1, "D"), "LAL", "BOS", is_regular_season=False)
    on_opening_night = [game | {"game_status": 1} for game in FIRST_GAMES]
    assert teams([preseason, *on_opening_night], OPENING) == teams(on_opening_night, OPENING)


def test_a_cup_final_has_no_context_rows_of_its_own() -> None:
    final = scheduled(TONIGHT, "LAL", "BOS", **CUP)
    assert teams([*FIRST_GAMES, final, tonight("DEN", "MIA")]).keys() == {"DEN", "MIA"}


LOAD = (
    "days_rest",
    "back_to_back",
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
)
FORM = (
    "points_avg_last_5",
    "l5_games_used",
    "avg_usage_rate_last_7_games",
    "expected_games_count",
    "l10_sample_quality",
    "next_opponent_win_pct",
)


def on_sheet(player: str, minutes: str | None, **changes: Any) -> Row:
    """A row of a cup final's sheet or box score."""
    game = {
        "game_id": f"{str(days_ago(1)).replace('-', '')}_BOS_LAL",
        "game_date": days_ago(1),
        "player_lookup": player,
    }
    return {**game, "team_abbr": "LAL", "minutes": minutes, **changes}


def test_a_cup_final_counts_for_a_players_load_and_not_for_his_averages() -> None:
    final = scheduled(days_ago(1), "LAL", "BOS", **CUP)
    sheets = [played(days_ago(3)), played(days_ago(3), "lal2")]
    before = [*FIRST_GAMES, scheduled(days_ago(3), "LAL", "BOS"), tonight()]
    sheet = [
        on_sheet("lal1", "36:30", player_status="active"),
        on_sheet("lal2", None, player_status="dnp"),
        on_sheet("bos1", "0:00", player_status="active"),
    ]
    box = [on_sheet("lal1", "1:00", game_status="final"), on_sheet("bos2", "10:00", game_status="final")]
    without = players(before, sheets=sheets)
    found = players([*before, final], sheets=sheets, player_gamebook=sheet, player_boxscores=box)
    assert [found["lal1"][name] for name in LOAD] == [1, True, 2, 2, 66, 66]
    assert (found["lal1"]["avg_minutes_per_game_last_7"], found["lal1"]["days_rest_before_last_game"]) == (33.2, 2)
    assert [found["lal1"][name] for name in FORM] == [without["lal1"][name] for name in FORM]
    assert [found["lal2"][name] for name in LOAD] == [without["lal2"][name] for name in LOAD]
    assert (found["bos2"]["days_rest"], found["bos2"]["minutes_in_last_7_days"], found["bos2"]["l5_games_used"]) == (
        1,
        10,
        0,
    )
    assert found["bos1"]["days_rest"] is None
    assert (found["lal1"]["opponent_days_rest"], without["lal1"]["opponent_days_rest"]) == (1, 3)


def test_a_final_without_a_score_is_not_a_game_behind_a_team() -> None:
    called_off = scheduled(days_ago(1), "LAL", "BOS", home_team_score=None)
    before = [*FIRST_GAMES, scheduled(days_ago(4), "LAL", "MIA"), tonight()]
    assert teams([*before, called_off]) == teams(before)
    assert players([*before, called_off]) == players(before)
    under_way = scheduled(days_ago(1), "LAL", "BOS", game_status=2, **NO_SCORE)
    assert teams([*before, under_way])["BOS"]["team_days_rest"] == 0


def test_a_final_without_a_score_stays_on_the_slate_of_its_date() -> None:
    assert teams([*FIRST_GAMES, tonight() | {"game_status": 3}]).keys() == {"BOS", "LAL"}


SEVEN_THIRTY = datetime(2025, 1, 21, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(("minutes_before", "counts"), [(1, True), (0, False), (-15, False)])
def test_a_report_counts_where_it_was_known_before_tip_off(minutes_before: int, counts: bool) -> None:
    schedule = [*FIRST_GAMES, tonight(game_time_utc=SEVEN_THIRTY)]
    report = {
        "report_date": TONIGHT,
        "report_hour": 19,
        "reported_at": SEVEN_THIRTY - timedelta(minutes=minutes_before),
        "game_date": TONIGHT,
        "team": "LAL",
        "player_lookup": "lal1",
        "injury_status": "out",
    }
    contexts = players(schedule, injury_report=[report])
    assert ("lal1" not in contexts) is counts
    assert (contexts["lal2"]["star_teammates_out"] is not None) is counts
    assert teams(schedule, injury_report=[report])["LAL"]["players_out_count"] == (1 if counts else None)


def test_a_neutral_arena_without_coordinates_is_found_by_its_name() -> None:
    game = tonight(neutral_site_flag=True, arena_name="Arena Ciudad de México", game_time_utc=SEVEN_THIRTY)
    found = teams([*FIRST_GAMES, game])
    assert (found["BOS"]["travel_miles"], found["LAL"]["travel_miles"]) == (1543, 1543)  # both were in Los Angeles
    assert "unknown_arena" not in found["BOS"]["quality_issues"]
    assert players([*FIRST_GAMES, game])["bos1"]["game_start_time_local"] == "6:30 PM CST"


TRAVEL = ("travel_miles", "time_zone_changes", "miles_traveled_last_14_days", "time_zones_crossed_last_14_days")


def test_an_unknown_neutral_arena_makes_the_ways_to_and_from_it_unknown_and_no_others() -> None:
    unknown = {"neutral_site_flag": True, "arena_name": "Somewhere Dome"}
    schedule = [
        *FIRST_GAMES,
        scheduled(days_ago(4), "LAL", "BOS"),
        scheduled(days_ago(2), "LAL", "BOS", **unknown),
        tonight(),
        tonight("DEN", "MIA"),
    ]
    found = teams(schedule)
    assert {team: row["travel_miles"] for team, row in found.items()} == {"BOS": None, "LAL": None, "DEN": 0, "MIA": 0}
    assert {team for team, row in found.items() if "unknown_arena" in row["quality_issues"]} == {"BOS", "LAL"}
    contexts = players(schedule)
    assert [contexts["lal1"][name] for name in TRAVEL] == [None] * 4
    assert [contexts["den1"][name] for name in TRAVEL] == [0] * 4
    assert (
        "unknown_arena" in contexts["lal1"]["quality_issues"],
        "unknown_arena" in contexts["den1"]["quality_issues"],
    ) == (True, False)
    assert (contexts["lal1"]["processed_with_issues"], contexts["lal1"]["consecutive_road_games"]) == (True, 0)


def test_an_arena_that_is_not_named_nor_neutral_is_the_home_teams() -> None:
    assert teams([*FIRST_GAMES, tonight("BOS", "LAL")])["LAL"]["travel_miles"] == 2592
    assert teams([*FIRST_GAMES, tonight("BOS", "LAL", arena_name="New Sponsor Centre")])["LAL"]["travel_miles"] == 2592


def test_a_zone_that_is_none_costs_nobody_else_anything() -> None:
    game = tonight(arena_timezone="America/Nowhere", game_time_utc=SEVEN_THIRTY)
    found = players([*FIRST_GAMES, game, tonight("DEN", "MIA")])
    assert len(found) == 8
    assert [found["lal1"][name] for name in ("time_zone_changes", "game_start_time_local", "travel_miles")] == [
        None,
        None,
        0,
    ]
    assert "unknown_arena" in found["lal1"]["quality_issues"]
    assert "unknown_arena" not in found["den1"]["quality_issues"]


TAMPA = {"arena_latitude": 27.9427, "arena_longitude": -82.4518, "arena_timezone": "America/New_York"}


def test_a_teams_home_is_where_most_of_its_home_games_of_the_season_are_scheduled() -> None:
    later = [scheduled(days_ago(-place), "TOR", "DEN", game_status=1, **NO_SCORE, **TAMPA) for place in (2, 4)]
    at_home = [scheduled(OPENING, "TOR", "BOS", game_status=1, **TAMPA), *later]
    away = [scheduled(OPENING, "MIA", "TOR", game_status=1), *later]
    assert teams(at_home, OPENING)["TOR"]["travel_miles"] == 0
    assert teams(away, OPENING)["TOR"]["travel_miles"] == 204  # Tampa to Miami
    rosters = [{"roster_date": OPENING, "season_year": 2024, "team_abbr": "TOR", "player_lookup": "tor1"}]
    assert players(away, OPENING, rosters=rosters)["tor1"]["travel_miles"] == 204
    once_elsewhere = [*away[:2], scheduled(days_ago(-4), "TOR", "DEN", game_status=1, **NO_SCORE)]
    assert teams(once_elsewhere, OPENING)["TOR"]["travel_miles"] == 204  # of equals, the first
    in_play_offs = [
        scheduled(days_ago(-place), "TOR", "DEN", is_regular_season=False, is_playoffs=True) for place in range(40, 44)
    ]
    assert teams([*away, *in_play_offs], OPENING)["TOR"]["travel_miles"] == 204


AHEAD = ("next_game_days_rest", "next_opponent_win_pct", "next_game_is_primetime", "opponent_next_game_days_rest")


def test_looking_ahead_ends_with_the_season() -> None:
    next_season = [
        scheduled(days_ago(-3), home, away, season_year=2025, game_status=1, is_primetime=True, **NO_SCORE)
        for home, away in (("LAL", "DEN"), ("BOS", "MIA"))
    ]
    before = [*FIRST_GAMES, scheduled(days_ago(5), "DEN", "LAL"), tonight()]
    found = players([*before, *next_season])
    assert [found["lal1"][name] for name in AHEAD] == [None] * 4
    assert (found["lal1"]["games_in_next_7_days"], found["lal1"]["opponent_games_in_next_7_days"]) == (0, 0)
    assert found == players(before)
    same_season = players([*before, *(game | {"season_year": 2024} for game in next_season)])
    assert [same_season["lal1"][name] for name in AHEAD] == [3, 1.0, True, 3]
    assert same_season["lal1"]["games_in_next_7_days"] == 1


def test_a_roster_that_names_no_season_is_of_the_season_that_is_played() -> None:
    """A season that is played into October, as 2019-20 was; by its month the snapshot would be of the next one."""
    late = np.datetime64("2025-10-05")
    schedule = [*FIRST_GAMES, scheduled(late, "LAL", "BOS", is_regular_season=False, is_playoffs=True, game_status=1)]
    assert players(schedule, late, rosters=everybody(late, season=None)).keys() == {"bos1", "bos2", "lal1", "lal2"}


def test_the_sheet_of_another_season_does_not_tell_a_players_team() -> None:
    last = np.datetime64("2024-10-01")
    schedule = [scheduled(last, "LAL", "BOS", season_year=2023), *(game | {"game_status": 1} for game in FIRST_GAMES)]
    tables = {SCHEDULE.table: schedule, PLAYER_GAMES: [played(last, "lal1")]}
    both = [as_date(last), as_date(OPENING)]
    assert both[0] < both[1]
    assert built_rows(upcoming_player_game_context, [last, OPENING], tables) == []


GAMES_AHEAD = [
    scheduled(days_ago(-2), "DEN", "LAL", game_status=1, **NO_SCORE),
    scheduled(days_ago(-2), "MIA", "BOS", game_status=1, **NO_SCORE),
]


def outcome_of(schedule: Sequence[Row]) -> Outcome:
    tables: dict[Table, Sequence[Row]] = {SCHEDULE.table: schedule, ROSTERS.table: everybody()}
    return build(upcoming_player_game_context, [TONIGHT], tables)[1]


def test_lost_facts_of_a_team_cost_its_players_and_those_of_its_opponent(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = [*FIRST_GAMES, tonight(), tonight("DEN", "MIA"), *GAMES_AHEAD]
    whole = players(schedule)
    monkeypatch.setattr(team_facts, "compute", failing(team_facts.compute, "LAL"))
    failures = failure_rows(outcome_of(schedule))
    assert {failure["entity_id"] for failure in failures} == {"bos1", "bos2", "lal1", "lal2"}
    assert {(failure["failure_category"], failure["can_retry"]) for failure in failures} == {("PROCESSING_ERROR", 1.0)}
    assert all(
        failure["failure_reason"].startswith("the facts of LAL could not be computed: ZeroDivisionError: no way")
        for failure in failures
    )
    others = players(schedule)
    assert others.keys() == {"den1", "den2", "mia1", "mia2"}
    assert others["mia1"] == whole["mia1"]
    # Denver's next opponent is the team whose facts are lost.
    assert (others["den1"]["next_opponent_win_pct"], whole["den1"]["next_opponent_win_pct"]) == (None, 1.0)
    assert "missing_next_opponent_facts" in others["den1"]["quality_issues"]
    assert others["den1"]["processed_with_issues"]


FIVE_GAMES = [
    tonight(*pair) for pair in (("LAL", "BOS"), ("DEN", "MIA"), ("UTA", "PHX"), ("CHI", "NYK"), ("ATL", "ORL"))
]
"""Two of four teams that share a phantom game are more than the share of a date that may fail hard."""


def test_a_phantom_game_costs_the_games_of_its_teams_and_nobody_else() -> None:
    schedule = [*FIRST_GAMES, *FIVE_GAMES]
    phantom = [*schedule, tonight("BOS", "DEN")]
    assert teams(phantom) == {
        team: row for team, row in teams(schedule).items() if team not in ("BOS", "LAL", "DEN", "MIA")
    }
    failures = failure_rows(build(upcoming_team_game_context, [TONIGHT], {SCHEDULE.table: phantom})[1])
    assert {(failure["entity_id"], failure["failure_category"]) for failure in failures} == {
        (team, "MISSING_RAW_DATA") for team in ("BOS", "LAL", "DEN", "MIA")
    }
    dated = str(TONIGHT).replace("-", "")
    reasons = {failure["entity_id"]: failure["failure_reason"] for failure in failures}
    assert reasons["LAL"] == f"BOS has 2 games on {TONIGHT} in the schedule: {dated}_BOS_LAL, {dated}_DEN_BOS"


def test_a_phantom_game_costs_the_players_of_its_teams_games_and_nobody_else() -> None:
    schedule = [*FIRST_GAMES, tonight(), tonight("DEN", "MIA")]
    phantom = [*schedule, tonight("BOS", "UTA")]
    assert players(phantom) == {
        player: row for player, row in players(schedule).items() if player[:3] in ("den", "mia")
    }
    failures = failure_rows(outcome_of(phantom))
    assert {(failure["entity_id"], failure["failure_category"], failure["can_retry"]) for failure in failures} == {
        (player, "MISSING_RAW_DATA", 1.0) for player in ("bos1", "bos2", "lal1", "lal2")
    }


def test_lost_facts_of_all_teams_are_failures_of_all_players(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_facts, "compute", failing(team_facts.compute, "BOS", "DEN", "LAL", "MIA"))
    assert len(failure_rows(outcome_of([*FIRST_GAMES, tonight()]))) == 4


def test_facts_of_nobody_have_all_columns() -> None:
    day = {"game_date": np.array([TONIGHT]), "team_abbr": np.array(["LAL"], dtype=object)}
    numbers = (
        "home_game",
        "arena_latitude",
        "arena_longitude",
        "home_latitude",
        "home_longitude",
        "is_playoff_date",
        "season_year",
    )
    requested = (
        day
        | {name: np.ones(1) for name in numbers}
        | {name: np.array([None]) for name in ("arena_timezone", "home_timezone")}
    )
    games = {
        name: np.array([])
        for name in ("arena_latitude", "arena_longitude", "home_game", "is_final", "is_regular_season", "is_primetime")
    }
    games |= {name: np.array([]) for name in ("margin", "season_year")}
    games |= {"game_date": np.array([], "M8[D]")} | {
        name: np.array([], object) for name in ("arena_timezone", "opponent_team_abbr")
    }
    history = {"game_date": np.array([], "M8[D]")}
    histories = {
        "behind": games,
        "scheduled": games,
        "offense": history | {name: np.array([]) for name in team_facts.OFFENSE_COLUMNS[2:]},
        "defense": history | {name: np.array([]) for name in team_facts.DEFENSE_COLUMNS[2:]},
    }
    facts = alone(team_facts.compute)(requested | {"season_start": np.array([OPENING])}, histories).rows
    nobody = team_facts.none()
    assert {name: values.dtype.kind for name, values in facts.items()} == {
        name: values.dtype.kind for name, values in nobody.items()
    }
    assert {len(values) for values in nobody.values()} == {0}


def test_a_star_who_cannot_be_told_costs_his_teammates(monkeypatch: pytest.MonkeyPatch) -> None:
    compute = stars.compute

    def raising(requested: Any, histories: Any, shared: Any = None) -> Outcome:
        if "lal1" in requested["player_lookup"]:
            raise ZeroDivisionError("no way")
        return alone(compute)(requested, histories, shared)

    monkeypatch.setattr(stars, "compute", raising)
    schedule = [*FIRST_GAMES, tonight(), tonight("DEN", "MIA")]
    failures = failure_rows(outcome_of(schedule))
    assert {failure["entity_id"] for failure in failures} == {"lal1", "lal2"}
    assert all("the star status of lal1 could not be computed" in failure["failure_reason"] for failure in failures)
    assert players(schedule).keys() == {"bos1", "bos2", "den1", "den2", "mia1", "mia2"}
