"""What is missing upstream or of the raw data, and which ranges of dates are ingested together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import cast

import pytest

from nba_assets.automation.planning import _ranges, missing_raw_dates, missing_upstream
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

FIRST = date(2024, 11, 4)
DAYS = [FIRST + timedelta(days=number) for number in range(6)]
UPSTREAM = {"summary": ["schedule"], "analysis": ["summary"], "cache": ["analysis", "summary", "rosters"]}


def built(**numbers: Sequence[int]) -> Warehouse:
    """A warehouse in which tables are built for days of these numbers."""
    rows = [{"table_name": name, "partition_date": DAYS[number]} for name, days in numbers.items() for number in days]
    return cast(Warehouse, Shelf({TABLE_PARTITIONS.name: rows}))


def ingested(*numbers: int, without: str = "") -> Warehouse:
    """The same of all raw tables but one."""
    return built(**{name: numbers for name in RAW_TABLES if name != without})


def test_what_is_read_and_neither_built_nor_run_is_named_with_how_much_of_it_is_there() -> None:
    warehouse = built(summary=[0, 1, 2, 5], analysis=[0, 1, 2])
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[0], DAYS[2]) == []
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[0], DAYS[3]) == [
        "cache reads what is not built: analysis (3 of 4 dates are built), summary (3 of 4 dates are built). "
        "Build it first, or with --table."
    ]
    assert missing_upstream(warehouse, ["cache"], UPSTREAM, DAYS[5], DAYS[5]) == [
        "cache reads what is not built: analysis (0 of 1 dates are built). Build it first, or with --table."
    ]


def test_what_is_run_with_it_or_ingested_by_itself_is_not_missing() -> None:
    assert missing_upstream(built(), ["cache", "analysis", "summary"], UPSTREAM, DAYS[0], DAYS[1]) == []
    assert missing_upstream(built(), ["summary"], UPSTREAM, DAYS[0], DAYS[1]) == []
    lines = missing_upstream(built(), ["cache", "analysis"], UPSTREAM, DAYS[0], DAYS[1])
    assert [line.partition(" reads ")[0] for line in lines] == ["cache", "analysis"]


def test_a_date_lacks_raw_data_where_any_table_was_never_ingested() -> None:
    assert missing_raw_dates(ingested(0, 1, 2), DAYS[0], DAYS[2]) == []
    assert missing_raw_dates(ingested(0, 2), DAYS[0], DAYS[3]) == [DAYS[1], DAYS[3]]
    assert missing_raw_dates(ingested(0, 1, without="rosters"), DAYS[0], DAYS[1]) == DAYS[:2]


@pytest.mark.parametrize(
    ("days", "there", "ranges"),
    [
        ([], (), []),
        ([2], (), [(2, 2)]),
        ([0, 1, 2], (0, 1, 2), [(0, 2)]),
        ([0, 2], (), [(0, 2)]),
        ([0, 2], (1,), [(0, 0), (2, 2)]),
        ([0, 3, 5], (4,), [(0, 3), (5, 5)]),
        ([0, 3, 5], (1, 4), [(0, 0), (3, 3), (5, 5)]),
        ([0, 3], (0, 3), [(0, 3)]),
        ([1, 2, 4, 5], (3,), [(1, 2), (4, 5)]),
    ],
)
def test_dates_are_ingested_together_unless_one_between_them_is_ingested(
    days: Sequence[int], there: Sequence[int], ranges: Sequence[tuple[int, int]]
) -> None:
    found = _ranges(ingested(*there), [DAYS[number] for number in days])
    assert list(found) == [(DAYS[first], DAYS[last]) for first, last in ranges]
