"""Stars of a team: the days that count, and what teammates miss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.stars import compute, teammates
from nba_assets_tests.analytics.builders import columns
from nba_assets_tests.entities.alone import alone

TONIGHT = np.datetime64("2025-01-20")


def played(offset: int, points: float = 30, minutes: float = 20.0, team: str = "LAL") -> dict[str, Any]:
    return {
        "game_date": TONIGHT - np.timedelta64(offset, "D"),
        "team_abbr": team,
        "points": points,
        "minutes_played": minutes,
    }


def star(*games: dict[str, Any], finals: int = 20, opening: int = 90) -> tuple[float, float]:
    requested = {
        "game_date": TONIGHT,
        "season_start": TONIGHT - np.timedelta64(opening, "D"),
        "player_lookup": "one",
        "team_finals": finals,
    }
    found = alone(compute)(
        columns([{**requested, "team_abbr": "LAL"}]),
        {"played": columns(sorted(games, key=lambda game: game["game_date"]))},
    ).rows
    return found["star"][0], found["star_weight"][0]


SEASON = [played(offset, points=5) for offset in range(20, 30)]


@pytest.mark.parametrize(("days_ago", "counts"), [(0, False), (1, True), (10, True), (11, False)])
def test_the_ten_days_before_decide_where_he_played_in_them(days_ago: int, counts: bool) -> None:
    assert star(*SEASON, played(days_ago)) == ((1, 3) if counts else (0, 0))


def test_minutes_are_of_the_same_games_as_points() -> None:
    season = [played(offset, points=5, minutes=20.0) for offset in range(20, 30)]
    assert star(*season, played(1, points=15, minutes=28.0)) == (1, 1)
    assert star(*[game | {"points": 15, "minutes_played": 30.0} for game in season]) == (1, 1)
    assert star(
        *[game | {"points": 15, "minutes_played": 30.0} for game in season], played(1, points=15, minutes=27.0)
    ) == (0, 0)


def test_games_before_the_season_make_nobody_a_star() -> None:
    assert star(*[played(offset) for offset in range(1, 11)], opening=10) == (1, 3)
    assert star(*[played(offset) for offset in range(1, 11)], opening=9) == (0, 0)


def test_without_stars_nobody_misses_one() -> None:
    members = columns(
        [
            {"game_date": TONIGHT, "team_abbr": "LAL", "player_lookup": player, "status": status}
            for player, status in (("one", "out"), ("two", "probable"))
        ]
    )
    found = teammates(members, {}, members)
    assert {name: values.tolist() for name, values in found.items()} == {
        "star_teammates_out": [0, 0],
        "questionable_star_teammates": [0, 0],
        "star_tier_out": [0, 0],
        "questionable_teammates": [0, 0],
        "probable_teammates": [1, 0],
    }
