"""Rules of raw rows at the very values where they turn."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.raw.collection import _as_read
from nba_assets.raw.tables import SCHEDULE


@pytest.mark.parametrize(
    ("day", "is_broken"),
    [
        ("2024-06-30", True),
        ("2024-07-01", False),
        ("2025-01-15", False),
        ("2025-10-31", False),
        ("2025-11-01", True),
        ("NaT", False),
    ],
)
def test_a_game_lies_between_the_july_before_its_season_and_the_october_after(day: str, is_broken: bool) -> None:
    (rule,) = [rule for rule in SCHEDULE.table.rules if rule.name == "date_in_season"]
    rows = {"game_date": np.array([day], dtype="M8[D]"), "season_year": np.array([2024.0])}
    assert rule.broken(rows).tolist() == [is_broken]


def test_moments_finer_than_a_microsecond_are_shown_to_the_microsecond() -> None:
    moments = pa.array([1_500, None], pa.timestamp("ns"))
    assert _as_read(pa.table({"seen_at": moments})) == [{"seen_at": "1970-01-01 00:00:00.000001"}, {"seen_at": None}]
