"""Partitions: each calendar day once, also those that are longer or shorter than 24 hours."""

from __future__ import annotations

from datetime import date

import pytest

from nba_assets.orchestration.daily import DAILY
from nba_assets.partitions import days_between


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2024, 2, 28), date(2024, 3, 1)),
        (date(2024, 3, 9), date(2024, 3, 11)),
        (date(2023, 11, 4), date(2023, 11, 6)),
    ],
    ids=["leap day", "clocks go forward", "clocks go back"],
)
def test_every_calendar_day_is_one_partition(first: date, last: date) -> None:
    keys = DAILY.get_partition_keys()
    start = keys.index(first.isoformat())
    assert keys[start : start + 3] == [day.isoformat() for day in days_between(first, last)]
