"""What is known of one team before a date: bounds of its windows, the schedule ahead, the road behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.team_facts import compute, none
from nba_assets.basketball.teams import TEAMS
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone

TONIGHT = np.datetime64("2025-01-20")
OPENING = np.datetime64("2024-10-22")


def day(offset: int) -> np.datetime64:
    return TONIGHT + np.timedelta64(offset, "D")


def place(team: str) -> dict[str, Any]:
    return {f"arena_{name}": getattr(TEAMS[team], f"arena_{name}") for name in ("latitude", "longitude", "timezone")}


def behind(offset: int, host: str = "LAL", **changes: Any) -> dict[str, Any]:
    """A game that Los Angeles has won by ten."""
    return {
        "game_date": day(offset),
        "home_game": float(host == "LAL"),
        "is_final": 1.0,
        "margin": 10.0,
        **place(host),
        **changes,
    }


def scheduled(offset: int, opponent: str = "BOS", **changes: Any) -> dict[str, Any]:
    facts = {"season_year": 2024, "is_regular_season": 1, "is_primetime": 0, "opponent_team_abbr": opponent}
    return {"game_date": day(offset), **facts, **changes}


def offense(offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "game_date": day(offset),
        "pace": 100.0,
        "offensive_rating": 110.0,
        "rebounds": 45,
        "possessions_est": 100.0,
        **changes,
    }


def defense(offset: int, **changes: Any) -> dict[str, Any]:
    return {
        "game_date": day(offset),
        "defensive_rating": 112.0,
        "opp_ft_attempts": 20,
        "opponent_possessions_est": 100.0,
        **changes,
    }


def facts(
    games: list[dict[str, Any]] | None = None,
    ahead: list[dict[str, Any]] | None = None,
    attack: list[dict[str, Any]] | None = None,
    guard: list[dict[str, Any]] | None = None,
    host: str = "LAL",
    **changes: Any,
) -> dict[str, Any]:
    """The facts of Los Angeles tonight; games of the day itself and of last season stand beside those given, and must
    not count.
    """
    home = {f"home_{name.removeprefix('arena_')}": value for name, value in place("LAL").items()}
    requested = {
        "game_date": TONIGHT,
        "team_abbr": "LAL",
        "season_start": OPENING,
        "season_year": 2024,
        "is_playoff_date": 0,
    }
    histories = {
        "behind": columns([behind(-200, "BOS"), *(games or []), behind(0, "MIA", margin=-50.0)]),
        "scheduled": columns([*(ahead or []), scheduled(200, "XXX", season_year=2025)]),
        "offense": columns([offense(-200, pace=1.0), *(attack or []), offense(0, pace=900.0)]),
        "defense": columns([defense(-200, defensive_rating=1.0), *(guard or []), defense(0, defensive_rating=900.0)]),
    }
    rows = alone(compute)(
        columns([{**requested, **home, **place(host), "home_game": float(host == "LAL"), **changes}]), histories
    ).rows
    assert set(rows) == set(none())
    return {name: values[0] for name, values in rows.items()}


def test_form_is_of_the_newest_ten_games() -> None:
    attack = [offense(-12, pace=200.0), *(offense(-offset, pace=95.0 + offset % 2) for offset in range(10, 0, -1))]
    found = facts(attack=attack, guard=[defense(-2, defensive_rating=110.0), defense(-1, defensive_rating=113.0)])
    assert (found["pace"], found["pace_tenths"], found["ten_pace_games"]) == (95.5, 9550, 100)
    assert found["pace_spread"] == pytest.approx(np.std([95, 96] * 5, ddof=1))
    assert (found["def_rating"], found["off_rating"], found["off_rating_spread"]) == (111.5, 110.0, 0.0)
    assert found["def_rating_spread"] == pytest.approx(np.std([110, 113], ddof=1))


def test_rates_per_hundred_possessions() -> None:
    attack = [
        offense(-3, rebounds=40, possessions_est=90.0),
        offense(-2, rebounds=NAN),
        offense(-1, rebounds=50, possessions_est=110.0),
    ]
    guard = [defense(-2, opp_ft_attempts=20, opponent_possessions_est=80.0), defense(-1, opp_ft_attempts=30)]
    found = facts(attack=attack, guard=guard)
    assert found["rebounding_rate"] == 45.0
    assert found["rebounding_rate_spread"] == pytest.approx(np.std([100 * 40 / 90, 100 * 50 / 110], ddof=1))
    assert (found["ft_rate"], found["ft_rate_spread"]) == (27.5, pytest.approx(np.std([25, 30], ddof=1)))


def test_a_spread_needs_two_games() -> None:
    assert np.isnan(
        [facts(guard=[defense(-1)])["ft_rate_spread"], facts(attack=[offense(-1)])["rebounding_rate_spread"]]
    ).all()
    assert facts(guard=[defense(-2), defense(-1)])["ft_rate_spread"] == 0


@pytest.mark.parametrize(
    ("ahead", "rest", "games"), [([7], 7, 1), ([8], 8, 0), ([1, 7, 8], 1, 2), ([0], NAN, 0), ([-1], NAN, 0)]
)
def test_the_week_ahead_ends_with_its_seventh_day(ahead: list[int], rest: float, games: int) -> None:
    found = facts(ahead=[scheduled(offset) for offset in ahead])
    np.testing.assert_array_equal([found["next_game_days_rest"], found["games_in_next_7_days"]], [rest, games])


def test_the_next_game_is_one_of_the_regular_season_and_of_this_season() -> None:
    ahead = [scheduled(1, "MIA", is_regular_season=0), scheduled(2, "DEN", is_primetime=1), scheduled(3, "NYK")]
    found = facts(ahead=ahead)
    assert [found[name] for name in ("next_opponent_team_abbr", "next_game_days_rest", "next_game_is_primetime")] == [
        "DEN",
        2,
        1,
    ]
    assert found["games_in_next_7_days"] == 2
    last = facts(ahead=[scheduled(-1), scheduled(3, "NYK", season_year=2025)])
    assert (last["next_opponent_team_abbr"], last["games_in_next_7_days"]) == (None, 0)
    assert np.isnan([last["next_game_days_rest"], last["next_game_is_primetime"]]).all()


def test_nothing_is_known_ahead_of_a_play_off_date() -> None:
    found = facts(ahead=[scheduled(1, "DEN", is_primetime=1)], is_playoff_date=1)
    assert found["next_opponent_team_abbr"] is None
    assert np.isnan(
        [found[name] for name in ("next_game_days_rest", "games_in_next_7_days", "next_game_is_primetime")]
    ).all()


def test_the_first_journey_of_a_season_starts_at_home() -> None:
    assert (facts()["travel_miles"], facts()["time_zone_changes"]) == (0, 0)
    away = facts(host="BOS")
    assert (away["travel_miles"], away["time_zone_changes"], away["consecutive_road_games"]) == (2592, 3, 1)


def test_a_later_journey_starts_where_the_newest_game_was() -> None:
    found = facts([behind(-5), behind(-2, "BOS")], host="MIA")
    assert (found["travel_miles"], found["time_zone_changes"], found["consecutive_road_games"]) == (1257, 0, 2)


def test_legs_of_two_weeks_lie_between_games_of_two_weeks() -> None:
    """The leg from Boston two weeks ago to Los Angeles counts, the one to Boston does not, and tonight's neither."""
    games = [behind(-15), behind(-14, "BOS"), behind(-10), behind(-3, "BOS")]
    found = facts(games, host="MIA")
    assert (found["miles_traveled_last_14_days"], found["time_zones_crossed_last_14_days"]) == (2 * 2592, 6)
    assert facts([behind(-14, "BOS")], host="MIA")["miles_traveled_last_14_days"] == 0


@pytest.mark.parametrize(
    ("hosts", "tonight", "row"),
    [(["LAL"], "LAL", 0), (["BOS", "MIA"], "LAL", 0), (["BOS", "LAL", "MIA", "DEN"], "BOS", 3)],
)
def test_road_games_in_a_row_include_tonights(hosts: list[str], tonight: str, row: int) -> None:
    games = [behind(place - len(hosts), host) for place, host in enumerate(hosts)]
    assert facts(games, host=tonight)["consecutive_road_games"] == row


def test_wins_count_for_ninety_days_and_only_finals_of_the_season() -> None:
    games = [
        behind(-91, margin=-1.0),
        behind(-90, margin=-1.0),
        behind(-3),
        behind(-2),
        behind(-1, is_final=0.0, margin=NAN),
    ]
    found = facts(games)
    assert (found["win_pct"], found["finals_played"], found["days_rest"]) == (pytest.approx(2 / 3), 3, 1), (
        "the opening was 90 days ago"
    )
    assert facts([behind(-1, margin=0.0)])["win_pct"] == 0
    assert np.isnan([facts()["win_pct"], facts()["days_rest"]]).all()
