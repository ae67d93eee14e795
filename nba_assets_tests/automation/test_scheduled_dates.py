"""Which dates a schedule covers: from the July before its first season's games to its last game."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from nba_assets.automation.scheduled_dates import _is_covered, calendar_of
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.raw.collection import season_days
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

GAMES = [date(2023, 10, 24), date(2024, 4, 14), date(2024, 10, 22), date(2024, 10, 24)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2023, 6, 30), False),
        (date(2023, 7, 1), True),
        (date(2024, 8, 1), True),
        (date(2024, 10, 24), True),
        (date(2024, 10, 25), False),
    ],
)
def test_dates_from_july_to_the_last_game_are_covered(day: date, expected: bool) -> None:
    years = [2023, 2023, 2024, 2024]
    seasons = SeasonCalendar.from_schedule(np.array(GAMES, dtype="M8[D]"), np.array(years), np.ones(4))
    assert _is_covered(seasons, day) is expected


def test_without_games_nothing_is_covered() -> None:
    nothing = SeasonCalendar.from_schedule(np.array([], dtype="M8[D]"), np.array([]), np.array([]))
    assert not _is_covered(nothing, GAMES[0])


def test_where_no_schedule_has_landed_the_stored_one_counts_from_the_first_to_the_last_day_of_a_season(
    tmp_path: Path,
) -> None:
    first, last = season_days(2024)[0], season_days(2024)[-1]
    days = [first - timedelta(days=1), first, GAMES[-1], last, last + timedelta(days=1)]
    rows = [{"game_date": day, "season_year": 2024, "is_regular_season": True} for day in days]
    now = datetime(2024, 12, 1, tzinfo=UTC).date()
    seasons = calendar_of(cast(Warehouse, Shelf({"schedule": rows})), FolderLandingZone(tmp_path), now, now)
    assert seasons.game_dates.tolist() == days[1:-1]
