"""Which files are news: those placed after the ingestion of what they may hold rows of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from nba_assets.automation.landed_files import News, landed_since, news_lines, news_of
from nba_assets.raw.landing import LandedFile, LandingZone
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

DAY = date(2024, 11, 5)
NEXT = DAY + timedelta(days=1)
INGESTED = datetime(2024, 11, 6, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Landed:
    """A landing zone of files that were placed at given moments."""

    placed: dict[str, datetime]

    def files(self, table: str) -> Sequence[LandedFile]:
        return [
            LandedFile(path, 1, int(moment.timestamp()) * 10**9)
            for path, moment in self.placed.items()
            if Path(path).parts[0].removesuffix(".csv") == table
        ]


def ingested(**days: Sequence[date]) -> Warehouse:
    rows = [
        {"table_name": name, "partition_date": day, "written_at": INGESTED + min(day - DAY, timedelta(0))}
        for name, mine in days.items()
        for day in mine
    ]
    return cast(Warehouse, Shelf({TABLE_PARTITIONS.name: rows}))


def news(warehouse: Warehouse, placed: dict[str, datetime], start: date = DAY, end: date = NEXT) -> list[News]:
    return list(news_of(warehouse, cast(LandingZone, Landed(placed)), start, end))


@pytest.mark.parametrize(("after", "is_news"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_a_file_is_news_once_it_is_placed_after_its_date_was_ingested(after: timedelta, is_news: bool) -> None:
    path = f"rosters/{DAY}.csv"
    found = news(ingested(rosters=[DAY, NEXT]), {path: INGESTED + after})
    assert found == ([News("rosters", path, DAY, INGESTED)] if is_news else [])


def test_a_file_of_a_date_that_was_never_ingested_is_news_however_old_it_is() -> None:
    path = f"rosters/{NEXT}.csv"
    assert news(ingested(rosters=[DAY], schedule=[NEXT]), {path: INGESTED - 100 * SECOND}) == [
        News("rosters", path, NEXT, None)
    ]


@pytest.mark.parametrize(("start", "end", "is_seen"), [(DAY, DAY, True), (NEXT, NEXT, False), (date.min, DAY, True)])
def test_only_files_of_the_dates_are_looked_at_and_those_that_name_none(start: date, end: date, is_seen: bool) -> None:
    path, undated = f"rosters/{DAY}.csv", "schedule.csv"
    found = news(ingested(), {path: INGESTED, undated: INGESTED}, start, end)
    assert {one.path for one in found} == {undated, *([path] if is_seen else [])}


def test_a_file_that_names_no_date_goes_by_the_newest_ingestion_of_its_table() -> None:
    days = [DAY - timedelta(days=1), DAY]
    assert news(ingested(schedule=days), {"schedule.csv": INGESTED}) == []
    assert news(ingested(schedule=days), {"schedule.csv": INGESTED + SECOND}) == [
        News("schedule", "schedule.csv", None, INGESTED)
    ]
    assert news(ingested(), {"schedule.csv": INGESTED}) == [News("schedule", "schedule.csv", None, None)]


def test_landed_dates_leave_out_past_dates_that_only_have_files_of_optional_feeds() -> None:
    optional, required = f"rosters/{DAY}.csv", f"team_boxscores/{DAY}.csv"

    def dates(warehouse: Warehouse, *paths: str, today: date = NEXT) -> list[date]:
        placed = dict.fromkeys(paths, INGESTED + SECOND)
        return landed_since(warehouse, cast(LandingZone, Landed(placed)), today)

    assert dates(ingested(), optional) == []
    assert dates(ingested(rosters=[DAY]), optional) == [DAY]
    assert dates(ingested(), optional, today=DAY) == [DAY]
    assert dates(ingested(), required) == [DAY]
    assert dates(ingested(), required, "schedule.csv") == [DAY, NEXT]
    assert dates(ingested(), required, today=DAY - timedelta(days=1)) == []


def test_what_has_changed_is_said_by_table_and_what_is_new_in_one_line() -> None:
    again = [News("rosters", f"rosters/{number}.csv", DAY, INGESTED) for number in range(4)]
    first = [
        News("schedule", "schedule.csv", None, None),
        News("game_lines", "b", NEXT, None),
        News("game_lines", "a", DAY, None),
    ]
    assert list(news_lines([*again[:3], *first])) == [
        "rosters: came or changed since it was ingested: rosters/0.csv, rosters/1.csv, rosters/2.csv",
        f"2 tables: 3 files that are not ingested yet, of 2 dates from {DAY} to {NEXT}",
    ]
    assert list(news_lines(again)) == [
        "rosters: came or changed since it was ingested: rosters/0.csv, rosters/1.csv, rosters/2.csv and 1 more files"
    ]
    assert list(news_lines(first[:1])) == ["1 tables: 1 files that are not ingested yet"]
    assert list(news_lines([])) == []
