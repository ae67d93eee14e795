"""What the slow readings say of single odd things: known by hand, one small league each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from nba_assets_tests.oracles import contexts, game_summaries
from nba_assets_tests.oracles.contexts import EASTERN, League, player_contexts, team_contexts

Row = dict[str, Any]
OPENING = date(2024, 10, 22)
TAMPA, MEXICO_CITY = (27.9427, -82.4518), (19.4963, -99.1757)


def night(number: int) -> date:
    return OPENING + timedelta(days=number)


def game(
    number: int,
    away: str,
    home: str,
    place: tuple[float, float] | None = None,
    score: tuple[int, int] | None = (100, 110),
    **changes: Any,
) -> Row:
    """A regular-season game on the given night of the season, tip-off at 19:00 Eastern, won by the home team; `score`
    is away, home.
    """
    day = night(number)
    return {
        "game_id": f"{day:%Y%m%d}_{away}_{home}",
        "nba_game_id": None,
        "game_date": day,
        "game_time_utc": datetime.combine(day, time(19), EASTERN).astimezone(UTC),
        "season_year": 2024,
        "home_team_abbr": home,
        "away_team_abbr": away,
        "game_status": 3,
        "home_team_score": score[1] if score else None,
        "away_team_score": score[0] if score else None,
        "is_primetime": False,
        "is_regular_season": True,
        "is_playoffs": False,
        "is_all_star": False,
        "neutral_site_flag": False,
        "arena_name": None,
        "arena_timezone": None,
        "arena_latitude": place[0] if place else None,
        "arena_longitude": place[1] if place else None,
    } | changes


def cup_final(number: int, away: str, home: str, **changes: Any) -> Row:
    return game(number, away, home, is_regular_season=False, **changes)


def travel(schedule: list[Row], number: int, team: str) -> int | None:
    miles: int | None = team_contexts(League(schedule), night(number))[team]["travel_miles"]
    return miles


def test_first_game_starts_from_where_most_home_games_are_scheduled() -> None:
    schedule = [
        game(0, "BOS", "TOR", TAMPA),
        game(1, "TOR", "MIA"),
        game(2, "BOS", "TOR", TAMPA),
        game(3, "BOS", "TOR"),
    ]
    assert travel(schedule, 0, "TOR") == 0
    away_first = [game(0, "TOR", "MIA"), *schedule[1:3], game(4, "CHI", "TOR", TAMPA), game(5, "CHI", "TOR")]
    tampa_to_miami = contexts.miles(TAMPA, contexts.HOMES["MIA"])
    assert travel(away_first, 0, "TOR") == tampa_to_miami


def test_of_two_arenas_with_as_many_home_games_the_first_is_home() -> None:
    schedule = [game(0, "TOR", "MIA"), game(1, "BOS", "TOR", TAMPA), game(2, "BOS", "TOR")]
    assert travel(schedule, 0, "TOR") == contexts.miles(TAMPA, contexts.HOMES["MIA"])


def test_nobody_knows_the_way_to_and_from_an_unknown_neutral_arena() -> None:
    schedule = [
        game(0, "BOS", "NYK"),
        game(1, "BOS", "MIA", neutral_site_flag=True),
        game(3, "BOS", "CHI"),
        game(5, "BOS", "LAL"),
    ]
    assert [travel(schedule, number, "BOS") for number in (0, 1, 3)] == [
        contexts.miles(contexts.HOMES["BOS"], contexts.HOMES["NYK"]),
        None,
        None,
    ]
    assert contexts.TRAVEL_UNKNOWN in team_contexts(League(schedule), night(1))["BOS"]["quality_issues"]
    rosters = [roster(0, "BOS", "somebody")]
    row = player_contexts(League(schedule, rosters=rosters), night(5))["somebody"]
    assert (row["miles_traveled_last_14_days"], row["time_zones_crossed_last_14_days"]) == (None, None)
    assert row["travel_miles"] == contexts.miles(contexts.HOMES["CHI"], contexts.HOMES["LAL"])


def test_coordinates_of_a_neutral_arena_stand() -> None:
    schedule = [game(0, "BOS", "NYK"), game(1, "BOS", "MIA", MEXICO_CITY, neutral_site_flag=True)]
    assert travel(schedule, 1, "BOS") == contexts.miles(contexts.HOMES["NYK"], MEXICO_CITY)


def test_final_without_both_scores_was_no_game() -> None:
    schedule = [game(0, "BOS", "NYK"), game(2, "BOS", "MIA", score=None), game(3, "BOS", "CHI")]
    row = team_contexts(League(schedule), night(3))["BOS"]
    assert (
        row["team_days_rest"],
        row["games_in_last_7_days"],
        row["game_number_in_season"],
        row["last_game_margin"],
    ) == (2, 1, 2, -10)
    assert row["travel_miles"] == contexts.miles(contexts.HOMES["NYK"], contexts.HOMES["CHI"])
    half = [schedule[0], game(2, "BOS", "MIA", away_team_score=None), schedule[2]]
    assert team_contexts(League(half), night(3))["BOS"] == row
    assert game_summaries.finals({"schedule": schedule}, night(2)) == []


def test_game_of_the_date_has_contexts_whatever_became_of_it() -> None:
    tonight = game(3, "BOS", "CHI")
    before, after = (
        team_contexts(League([game(0, "BOS", "NYK"), tonight | change]), night(3))
        for change in ({}, {"home_team_score": None})
    )
    assert before == after


def test_played_game_outside_the_standings_counts_for_rest_and_travel_alone() -> None:
    final = cup_final(2, "BOS", "MIA", score=(90, 120))
    schedule = [game(0, "BOS", "NYK", score=(110, 100)), final, game(3, "BOS", "CHI")]
    row = team_contexts(League(schedule), night(3))["BOS"]
    assert (row["team_days_rest"], row["team_back_to_back"], row["games_in_last_7_days"]) == (0, True, 2)
    assert row["travel_miles"] == contexts.miles(contexts.HOMES["MIA"], contexts.HOMES["CHI"])
    assert (
        row["game_number_in_season"],
        row["last_game_margin"],
        row["team_win_streak_entering"],
        row["expected_games_count"],
    ) == (2, 10, 1, 1)
    assert team_contexts(League(schedule), night(2)) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"is_all_star": True},
        {"game_status": 1},
        {"home_team_abbr": "XXX"},
        {"game_date": night(-2)},
        {"season_year": 2023},
    ],
    ids=str,
)
def test_not_every_game_outside_the_standings_counts(other: Row) -> None:
    schedule = [game(0, "BOS", "NYK"), cup_final(2, "BOS", "MIA") | other, game(3, "BOS", "CHI")]
    assert team_contexts(League(schedule), night(3))["BOS"]["team_days_rest"] == 2


def roster(number: int, team: str, player: str) -> Row:
    return {
        "roster_date": night(number),
        "season_year": 2024,
        "team_abbr": team,
        "player_lookup": player,
        "birth_date": None,
        "age": 25,
    }


def test_minutes_of_a_game_outside_the_standings_are_load_and_not_form() -> None:
    final = cup_final(2, "BOS", "MIA")
    sheets = [
        {"game_id": final["game_id"], "player_lookup": name, "player_status": status, "minutes": minutes}
        for name, status, minutes in (("played", "active", "40:30"), ("sat", "dnp", None), ("unused", "active", "0:00"))
    ]
    league = League(
        [game(0, "BOS", "NYK"), final, game(3, "BOS", "CHI")],
        sheets=sheets,
        rosters=[roster(0, "BOS", row["player_lookup"]) for row in sheets],
    )
    rows = player_contexts(league, night(3))
    load = (
        "days_rest",
        "back_to_back",
        "games_in_last_7_days",
        "minutes_in_last_7_days",
        "avg_minutes_per_game_last_7",
    )
    assert [rows["played"][name] for name in load] == [1, True, 1, 40, 40.5]
    assert [rows["sat"][name] for name in load] == [rows["unused"][name] for name in load] == [None, False, 0, 0, None]
    assert (
        rows["played"]["points_avg_last_5"],
        rows["played"]["l10_games_used"],
        rows["played"]["actual_games_count"],
    ) == (None, 0, 0)


@pytest.mark.parametrize(
    ("hour", "moment", "known"),
    [
        (17, None, True),
        (18, None, False),  # its hour ends with the tip-off at 19:00
        (18, time(18, 59), True),
        (17, time(19, 0), False),
    ],
)
def test_injury_report_counts_from_the_moment_it_is_known_to_have_existed(
    hour: int, moment: time | None, known: bool
) -> None:
    report = {
        "report_date": OPENING,
        "report_hour": hour,
        "reported_at": None
        if moment is None
        else datetime.combine(OPENING, moment, EASTERN).astimezone(UTC).replace(tzinfo=None),
        "game_date": OPENING,
        "team": "BOS",
        "player_lookup": "somebody",
        "injury_status": "out",
        "confidence_score": None,
    }
    row = team_contexts(League([game(0, "BOS", "NYK")], injuries=[report]), OPENING)["BOS"]
    assert row["players_out_count"] == (1 if known else None)


NAMES = (*game_summaries.PLAYER_COUNTS.values(),)


def line(game_id: str, player: str, status: str, minutes: str | None, points: int | None, team: str = "BOS") -> Row:
    """A line of a sheet or of a box score: as many points as field goals made twice over."""
    counts = dict.fromkeys(NAMES, None if points is None else 0)
    made = None if points is None else points // 2
    counts |= {"points": points, "field_goals_made": made, "field_goals_attempted": made}
    return counts | {
        "game_id": game_id,
        "game_date": OPENING,
        "team_abbr": team,
        "player_lookup": player,
        "player_status": status,
        "game_status": status,
        "minutes": minutes,
        "starter": True,
    }


def raw(
    *games: Row, sheets: list[Row], boxes: Sequence[Row] = (), teams: Sequence[Row] = (), events: Sequence[Row] = ()
) -> game_summaries.Raw:
    return {
        "schedule": [*games],
        "player_gamebook": sheets,
        "player_boxscores": [*boxes],
        "team_boxscores": [*teams],
        "play_by_play": [*events],
    }


@pytest.mark.parametrize(
    ("status", "box", "played"),
    [
        ("dnp", ("final", "38:00", 26), True),
        ("inactive", ("final", "38:00", 26), True),
        ("dnp", ("final", "0:00", 0), False),
        ("dnp", ("live", "38:00", 26), False),
    ],
)
def test_sheet_that_says_did_not_play_loses_to_a_final_box_score_with_minutes(
    status: str, box: tuple[str, str, int], played: bool
) -> None:
    tonight = game(0, "BOS", "NYK")
    sheets, boxes = (
        [line(tonight["game_id"], "somebody", status, None, None)],
        [line(tonight["game_id"], "somebody", *box)],
    )
    row = game_summaries.players(raw(tonight, sheets=sheets, boxes=boxes), OPENING)[tonight["game_id"], "somebody"]
    expected = ("active", False, 26, 38.0, True) if played else (status, True, None, None, False)
    assert (
        tuple(row[name] for name in ("player_status", "is_dnp", "points", "minutes_played", "starter_flag")) == expected
    )


def test_of_two_sheets_on_one_date_the_game_he_played_in_counts() -> None:
    old, new = game(0, "BOS", "NYK"), game(0, "LAL", "DEN")
    sheets = [
        line(old["game_id"], "traded", "inactive", None, None),
        line(new["game_id"], "traded", "active", "20:00", 8, "LAL"),
    ]
    rows = game_summaries.players(raw(old, new, sheets=sheets), OPENING)
    assert {key: row["team_abbr"] for key, row in rows.items()} == {(new["game_id"], "traded"): "LAL"}


def test_zones_are_complete_only_where_the_shots_agree_with_the_sheet() -> None:
    tonight = game(0, "BOS", "NYK")
    shot = {
        "game_id": tonight["game_id"],
        "game_date": OPENING,
        "event_type": "shot",
        "event_subtype": None,
        "shot_type": "2PT",
        "shot_zone": "mid_range",
        "player_1_team_abbr": "BOS",
        "player_2_lookup": None,
        "player_2_role": None,
        "loc_x": None,
        "loc_y": None,
        "points_scored": 2,
        "period": 1,
        "game_clock_seconds": 700,
        "event_sequence": 1,
    }
    made = {"agrees": [True], "misses": [False], "lost": [], "idle": []}
    events = [
        shot | {"player_1_lookup": player, "shot_made": went_in} for player, shots in made.items() for went_in in shots
    ]
    sheets = [line(tonight["game_id"], player, "active", "20:00", 0 if player == "idle" else 2) for player in made]
    rows = game_summaries.players(raw(tonight, sheets=sheets, events=events), OPENING)
    complete = {player: rows[tonight["game_id"], player]["has_complete_shot_zones"] for player in made}
    assert complete == {"agrees": True, "misses": False, "lost": False, "idle": True}


def team_box(game_id: str, team: str, points: int) -> Row:
    counts = dict.fromkeys(game_summaries.TEAM_COUNTS.values(), 40)
    return counts | {
        "game_id": game_id,
        "game_date": OPENING,
        "team_abbr": team,
        "points": points,
        "fg_attempted": 90,
        "minutes": "240:00",
    }


def test_winner_is_the_schedules_and_a_row_with_the_opponents_points_is_none() -> None:
    tonight = game(0, "BOS", "NYK", score=(100, 110))

    def offense(boston: int, new_york: int) -> dict[str, bool]:
        boxes = [team_box(tonight["game_id"], "BOS", boston), team_box(tonight["game_id"], "NYK", new_york)]
        rows = game_summaries.team_offense(raw(tonight, sheets=[], teams=boxes), OPENING)
        return {team: row["win_flag"] for (_, team), row in rows.items()}

    assert offense(100, 110) == {"BOS": False, "NYK": True}
    assert offense(112, 110) == {"BOS": False, "NYK": True}
    assert offense(110, 110) == {"NYK": True}
    assert offense(110, 100) == {}
