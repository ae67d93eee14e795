"""A planned run as Dagster and people see it, and what becomes of one that is too long for one write."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from nba_assets.automation.planned_runs import (
    LONGEST_REASON,
    LONGEST_RUN_DAYS,
    Launch,
    PlannedRun,
    fingerprint,
    shortened,
)
from nba_assets.warehouse.bigquery import BigQueryWarehouse

FIRST, LAST = date(2024, 11, 5), date(2024, 11, 6)
START = date(2012, 11, 1)


def test_a_single_date_is_a_partition_and_several_are_a_range() -> None:
    one, two = Launch("full", (), FIRST, FIRST), Launch("full", (), FIRST, LAST)
    assert (one.span, two.span) == ("2024-11-05", "2024-11-05 to 2024-11-06")
    assert one.tags == {"dagster/partition": "2024-11-05"}
    assert two.tags == {
        "dagster/asset_partition_range_start": "2024-11-05",
        "dagster/asset_partition_range_end": "2024-11-06",
    }
    assert PlannedRun(two, "key", "trigger").dates == two.span


def test_a_fingerprint_is_short_and_goes_by_the_parts_and_their_order() -> None:
    assert fingerprint(["a", 1]) == fingerprint(("a", "1"))
    assert len({fingerprint(parts) for parts in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])}) == 5
    assert len(fingerprint(["a"])) == 12


def test_a_reason_is_cut_where_tags_are_and_says_so() -> None:
    fitting = "x" * LONGEST_REASON
    assert shortened(fitting) == fitting
    assert shortened(f"{fitting}y") == f"{fitting[:-1]}…"
    assert len(shortened(2 * fitting)) == LONGEST_REASON == 160


def launch_of(days: int) -> Launch:
    return Launch("full", ["schedule"], START, START + timedelta(days=days - 1))


def test_a_run_of_as_many_dates_as_a_write_takes_is_one() -> None:
    assert BigQueryWarehouse.largest_write_dates >= LONGEST_RUN_DAYS
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
