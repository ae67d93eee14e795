"""Golden rows of upcoming_team_game_context: rest, form, travel, lines and injuries of a small schedule of January
2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.lines import OVER, preferred
from nba_assets.analytics.upcoming_team_game_context import TABLE, Shared, compute
from nba_assets.basketball.teams import TEAMS
from nba_assets.entities.completeness import Readiness
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.analytics.test_upcoming_player_game_context import lines
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.stored import stored

FIXTURE = (
    ("2025-01-12", "MIA", "LAL", 112, 120),
    ("2025-01-14", "LAL", "BOS", 115, 108),
    ("2025-01-15", "GSW", "LAL", 110, 105),
)
"""Date, visitors, home team, and their points."""
NO_STARTS = {
    name: np.array([], dtype="M8[D]" if name == "game_date" else object)
    for name in ("game_id", "game_date", "player_lookup")
}


def played(team: str, day: str, away: str, home: str, away_points: float, home_points: float) -> dict[str, Any]:
    """A game from one team's side; final where it has points."""
    margin = (home_points - away_points) * (1 if team == home else -1)
    final = float(not np.isnan(margin))
    return {
        "game_id": f"{day.replace('-', '')}_{away}_{home}",
        "game_date": np.datetime64(day),
        "is_final": final,
        "is_league": 1.0,
        "margin": margin,
        "has_row": final,
        "arena_latitude": TEAMS[home].arena_latitude,
        "arena_longitude": TEAMS[home].arena_longitude,
    }


def row(
    team: str, day: str, schedule: Sequence[tuple[str, str, str, float, float]], home: str | None = None, **changes: Any
) -> dict[str, Any]:
    """The stored row of a team before its game of a date; later games of the schedule are there and must not count."""
    mine = [played(team, *game) for game in schedule if team in game[1:3]]
    place = TEAMS[home or next(game[2] for game in schedule if game[0] == day and team in game[1:3])]
    starts, out = changes.pop("starts", NO_STARTS), changes.pop("out", NO_STARTS)
    requested = {
        "team_abbr": team,
        "game_id": "tonight",
        "nba_game_id": "0022400001",
        "game_date": np.datetime64(day),
        "season_year": 2024,
        "opponent_team_abbr": "XXX",
        "home_game": float(place.tricode == team),
        "season_start": np.datetime64("2024-10-22"),
        "days_into_season": 85,
        "is_bootstrap": 0,
        "is_boundary": 0,
        "arena_latitude": place.arena_latitude,
        "arena_longitude": place.arena_longitude,
        "home_latitude": TEAMS[team].arena_latitude,
        "home_longitude": TEAMS[team].arena_longitude,
        "players_out": 0,
        "players_in_doubt": 0,
        **{f"{market}_{what}": NAN for market in ("spread", "total") for what in ("current", "movement")},
        **{f"{market}_source": None for market in ("spread", "total")},
        **changes,
    }
    rows = columns([requested]) | {
        f"{market}_updated_at": np.array(["NaT"], dtype="M8[us]") for market in ("spread", "total")
    }
    return stored(
        TABLE, alone(compute)(rows, {"games": columns(mine), "starts": starts, "out": out}, Shared(Readiness(90))).rows
    )[0]


def test_first_game_of_a_season() -> None:
    miami = row("MIA", "2025-01-12", FIXTURE)
    assert (miami["days_since_last_game"], miami["team_days_rest"], miami["team_back_to_back"]) == (None, None, False)
    assert (miami["games_in_last_7_days"], miami["games_in_last_14_days"], miami["game_number_in_season"]) == (0, 0, 1)
    assert (miami["team_win_streak_entering"], miami["team_loss_streak_entering"], miami["last_game_result"]) == (
        0,
        0,
        None,
    )
    assert miami["travel_miles"] == 2337  # from its own arena
    assert row("LAL", "2025-01-12", FIXTURE)["travel_miles"] == 0


def test_second_game() -> None:
    los_angeles = row("LAL", "2025-01-14", FIXTURE)
    assert (los_angeles["days_since_last_game"], los_angeles["team_days_rest"], los_angeles["team_back_to_back"]) == (
        2,
        1,
        False,
    )
    assert (los_angeles["last_game_margin"], los_angeles["last_game_result"]) == (8, "W")


def test_flight_home_counts() -> None:
    beaten = (FIXTURE[0], ("2025-01-14", "LAL", "BOS", 108, 115), FIXTURE[2])
    los_angeles = row("LAL", "2025-01-15", beaten)
    assert (
        los_angeles["games_in_last_7_days"],
        los_angeles["games_in_last_14_days"],
        los_angeles["game_number_in_season"],
    ) == (2, 2, 3)
    assert (los_angeles["team_win_streak_entering"], los_angeles["team_loss_streak_entering"]) == (0, 1)
    assert (los_angeles["last_game_margin"], los_angeles["last_game_result"]) == (-7, "L")
    assert (los_angeles["team_days_rest"], los_angeles["team_back_to_back"], los_angeles["travel_miles"]) == (
        0,
        True,
        2592,
    )


def test_yesterdays_game_counts_for_rest_before_it_is_final() -> None:
    unfinished = [*FIXTURE[:2], ("2025-01-15", "GSW", "LAL", NAN, NAN)]
    result = row("LAL", "2025-01-16", unfinished, home="LAL")
    assert (result["team_days_rest"], result["team_back_to_back"], result["days_since_last_game"]) == (0, True, 1)
    assert (result["last_game_margin"], result["team_win_streak_entering"], result["game_number_in_season"]) == (
        7,
        2,
        4,
    )


def test_three_wins_in_a_row() -> None:
    wins = [(f"2025-01-{day}", "MIA", "LAL", 100, 110) for day in (10, 11, 12)]
    result = row("LAL", "2025-01-14", wins, home="LAL")
    assert (result["team_win_streak_entering"], result["team_loss_streak_entering"]) == (3, 0)


@pytest.mark.parametrize(("team", "streaks"), [("LAL", (2, 0)), ("MIA", (0, 2))])
def test_a_game_decided_by_a_point_continues_a_streak(team: str, streaks: tuple[int, int]) -> None:
    games = [("2025-01-10", "MIA", "LAL", 100, 110), ("2025-01-12", "MIA", "LAL", 100, 101)]
    result = row(team, "2025-01-14", games, home="LAL")
    assert (result["team_win_streak_entering"], result["team_loss_streak_entering"]) == streaks


@pytest.mark.parametrize(("team", "first", "then", "miles"), [("GSW", "GSW", "LAL", 345), ("LAL", "BOS", "MIA", 1257)])
def test_legs_between_arenas(team: str, first: str, then: str, miles: int) -> None:
    before = ("2025-01-13", team if first != team else "MIL", first, 100, 101)
    assert row(team, "2025-01-15", [before], home=then)["travel_miles"] == miles


GAME = columns([{"game_date": np.datetime64("2025-01-20"), "home_team_abbr": "BOS", "away_team_abbr": "LAL"}])


def line(rows: dict[str, Any], outcome: str) -> dict[str, Any]:
    found = preferred(rows).of(
        GAME, np.array([outcome], dtype=object), ("current", "movement", "source", "updated_at"), ""
    )
    return {name: values[0] for name, values in found.items()}


def test_one_bookmaker_is_requested_by_rank() -> None:
    table = lines(
        ("fanduel", "spreads", "LAL", -4.0, "21:00"),
        ("draftkings", "spreads", "LAL", -3.0, "12:00"),
        ("draftkings", "spreads", "LAL", -3.5, "20:00"),
        ("fanduel", "totals", None, 225.5, "20:00"),
        ("betmgm", "totals", None, 200.5, "20:00"),
    )
    spread, total = line(table, "LAL"), line(table, OVER)
    assert (spread["current"], spread["source"], spread["movement"]) == (-3.5, "draftkings", -0.5)
    assert (total["current"], total["source"]) == (225.5, "fanduel")
    assert np.isnan(total["movement"])
    assert line(table, "BOS")["source"] is None
    assert np.isnan(line(table, "BOS")["current"])


def test_without_a_preferred_bookmaker_the_median_stands() -> None:
    table = lines(("betmgm", "spreads", "LAL", 4.0, "20:00"), ("bovada", "spreads", "LAL", 5.0, "20:00"))
    assert (line(table, "LAL")["current"], line(table, "LAL")["source"]) == (4.5, "betmgm,bovada")


def test_absent_lines_and_reports_are_null_and_named() -> None:
    result = row("LAL", "2025-01-14", FIXTURE, players_out=NAN, players_in_doubt=NAN)
    assert [
        result[name]
        for name in (
            "game_spread",
            "game_total",
            "players_out_count",
            "starters_out_count",
            "questionable_players_count",
        )
    ] == [None] * 5
    assert result["quality_issues"] == ["missing_game_spread", "missing_game_total", "missing_injury_report"]
    assert result["data_sources"] == ["schedule"]


def test_starters_out_started_half_of_the_last_games() -> None:
    schedule = [(f"2025-01-{day:02}", "LAL", "BOS", 100, 101) for day in range(1, 11)]
    games = [f"202501{day:02}_LAL_BOS" for day in range(1, 11)]
    started = [(game, "regular") for game in games[:5]] + [(game, "sometimes") for game in games[:4]]
    starts = {
        "game_id": np.array([game for game, _ in started], dtype=object),
        "game_date": np.array([np.datetime64(f"2025-01-{game[6:8]}") for game, _ in started]),
        "player_lookup": np.array([player for _, player in started], dtype=object),
    }
    tonight = np.datetime64("2025-01-12")
    out = {
        "game_date": np.array([tonight] * 3),
        "player_lookup": np.array(["regular", "sometimes", "never"], dtype=object),
    }
    result = row("LAL", "2025-01-12", schedule, home="LAL", players_out=3, starts=starts, out=out)
    assert (result["players_out_count"], result["starters_out_count"]) == (3, 1)
