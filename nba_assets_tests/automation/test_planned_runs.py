"""A planned run that is too long for one write is cut by season."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from nba_assets.automation.planned_runs import LONGEST_RUN_DAYS, Launch
from nba_assets.warehouse.bigquery import LARGEST_WRITE_DATES

START = date(2012, 11, 1)


def launch_of(days: int) -> Launch:
    return Launch("full", ["schedule"], START, START + timedelta(days=days - 1))


def test_a_run_of_as_many_dates_as_a_write_takes_is_one() -> None:
    assert LONGEST_RUN_DAYS <= LARGEST_WRITE_DATES
    whole = launch_of(LONGEST_RUN_DAYS)
    assert whole.by_season == [whole]


def test_a_longer_one_is_one_run_per_season_and_loses_no_date() -> None:
    parts = launch_of(LONGEST_RUN_DAYS + 1).by_season
    assert [(part.start, part.end) for part in parts[:2]] == [
        (START, date(2013, 9, 30)),
        (date(2013, 10, 1), date(2014, 9, 30)),
    ]
    assert parts[-1].end == START + timedelta(days=LONGEST_RUN_DAYS)
    assert all(after.start - before.end == timedelta(days=1) for before, after in pairwise(parts))
    assert {(part.job, *part.assets) for part in parts} == {("full", "schedule")}
