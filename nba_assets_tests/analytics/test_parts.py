"""From which date on a game counts among those that a team has ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.parts import AHEAD
from nba_assets.analytics.team_facts import AHEAD_DAYS
from nba_assets_tests.analytics.builders import columns
from nba_assets_tests.analytics.test_games import scheduled

OPENING = np.datetime64("2024-10-22")


def game(day: int) -> dict[str, Any]:
    """A home game of Los Angeles so many days after opening night."""
    date = OPENING + np.timedelta64(day, "D")
    return scheduled("LAL", "MIA", game_date=date, is_primetime=0, game_id=f"g{day}")


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ((0, 30, 60), (0, 0, 30)),
        ((0, 30, 31), (0, 0, 31 - AHEAD_DAYS)),
        ((0, 2, 3), (0, 0, 0)),
    ],
    ids=["the next one", "one of the next days", "never before opening night"],
)
def test_a_game_is_ahead_from_the_one_before_or_some_days_before_itself(
    days: tuple[int, ...], first: tuple[int, ...]
) -> None:
    games = columns([game(day) for day in days])
    dates, hashes = AHEAD.elements(games)
    comes_in, goes_out = np.split(dates, 2)
    assert sorted((goes_out - OPENING).astype(int).tolist()) == sorted([*days, *days])
    assert sorted((comes_in - OPENING).astype(int).tolist()) == sorted([*first, *first])
    assert int(hashes.sum(dtype=np.uint64)) == 0
