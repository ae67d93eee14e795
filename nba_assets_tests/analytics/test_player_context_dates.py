"""What a player's context takes from the date itself: the phase of the season, his age, the local hour of the
tip-off.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
import pytest

from nba_assets_tests.analytics.test_contexts_of_a_schedule import FIRST_GAMES, everybody, players
from nba_assets_tests.precompute.builders import OPENING, TONIGHT, scheduled


def context(day: np.datetime64 = TONIGHT, member: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The row of a player of Los Angeles who plays at home."""
    game = scheduled(day, "LAL", "BOS", game_status=1, home_team_score=None, away_team_score=None) | changes
    rosters = [row | (member or {}) for row in everybody(day)]
    return players([*(first for first in FIRST_GAMES if day != OPENING), game], day, rosters=rosters)["lal1"]


@pytest.mark.parametrize(
    ("day", "phase"),
    [
        *[("2024-10-31", "early"), ("2024-11-30", "early"), ("2024-12-01", "mid"), ("2025-02-28", "mid")],
        *[("2025-03-01", "late"), ("2025-04-13", "late")],
    ],
)
def test_the_phase_of_the_season_goes_by_the_month(day: str, phase: str) -> None:
    assert context(np.datetime64(day))["season_phase"] == phase


def test_a_play_off_game_is_of_the_playoffs_whatever_the_month() -> None:
    assert context(is_playoffs=True, is_regular_season=False)["season_phase"] == "playoffs"


@pytest.mark.parametrize(
    ("birth", "age"),
    [
        ("2000-01-20", 25),
        ("2000-01-21", 24),
        ("2000-01-19", 25),
        ("2000-02-01", 24),
        ("1999-12-31", 25),
        ("1999-02-20", 25),
        (None, 31),
    ],
)
def test_age_is_in_full_years_on_the_day_of_the_game(birth: str | None, age: int) -> None:
    assert (
        context(member={"birth_date": None if birth is None else np.datetime64(birth), "age": 31})["player_age"] == age
    )


@pytest.mark.parametrize(
    ("moment", "clock"),
    [
        *[("2025-01-21T03:30", "7:30 PM PT"), ("2025-01-20T20:00", "12:00 PM PT"), ("2025-01-20T19:59", "11:59 AM PT")],
        *[("2025-01-20T08:05", "12:05 AM PT"), (None, None)],
    ],
)
def test_the_tip_off_is_told_by_the_clock_of_the_arena(moment: str | None, clock: str | None) -> None:
    told = None if moment is None else np.datetime64(moment, "us").item().replace(tzinfo=UTC)
    assert context(game_time_utc=told)["game_start_time_local"] == clock
