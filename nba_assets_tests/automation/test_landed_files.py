"""Which files are news: those placed after the ingestion of what they may hold rows of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from nba_assets.automation.landed_files import (
    Ingested,
    Later,
    News,
    differing,
    landed_since,
    later_than,
    news_lines,
    news_of,
    without_table,
)
from nba_assets.raw.content_index import ContentIndex, LandedTable
from nba_assets.raw.landing import FolderLandingZone, LandedFile, LandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS
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
        {
            "table_name": name,
            "partition_date": day,
            "written_at": INGESTED + min(day - DAY, timedelta(0)),
            "digest": "a",
        }
        for name, mine in days.items()
        for day in mine
    ]
    return cast(Warehouse, Shelf({TABLE_PARTITIONS.name: rows, RAW_QUARANTINE.name: []}))


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


def test_a_file_of_a_whole_season_goes_by_the_newest_ingestion_of_its_table() -> None:
    days = [DAY - timedelta(days=1), DAY]
    assert news(ingested(schedule=days), {"schedule.csv": INGESTED}) == []
    assert news(ingested(schedule=days), {"schedule.csv": INGESTED + SECOND}) == [
        News("schedule", "schedule.csv", None, INGESTED)
    ]
    assert news(ingested(), {"schedule.csv": INGESTED}) == [News("schedule", "schedule.csv", None, None)]


def test_any_other_file_that_names_no_date_is_news_until_all_dates_of_the_request_are_ingested_after_it() -> None:
    before, earlier = DAY - timedelta(days=1), INGESTED - timedelta(days=1)
    warehouse, placed = ingested(rosters=[before, DAY]), {"rosters.csv": INGESTED}
    assert news(warehouse, placed) == []
    assert news(warehouse, placed, before) == [News("rosters", "rosters.csv", None, earlier)]
    found = news_of(warehouse, cast(LandingZone, Landed(placed)), before, DAY, undated=(DAY, DAY))
    assert list(found) == []
    assert news(warehouse, placed, NEXT) == [News("rosters", "rosters.csv", None, None)]


def later(
    days: dict[str, Sequence[date]], *paths: str, today: date = NEXT, placed: datetime = INGESTED + SECOND
) -> list[Later]:
    stored = Ingested.read(ingested(**days))
    files = {name: Landed(dict.fromkeys(paths, placed)).files(name) for name in RAW_TABLES}
    return later_than(stored, files, lambda: [day for day in (DAY, NEXT) if day <= today], today)


def test_a_file_that_names_no_date_counts_for_the_dates_with_games_and_never_for_today_alone() -> None:
    assert later({}, "team_boxscores.csv") == [
        Later("team_boxscores", day, "team_boxscores.csv", is_doubtful=True) for day in (DAY, NEXT)
    ]
    assert later({"team_boxscores": [DAY]}, "team_boxscores.csv", placed=INGESTED) == [
        Later("team_boxscores", NEXT, "team_boxscores.csv", is_doubtful=True)
    ]
    assert later({}, "schedule.csv") == [Later("schedule", NEXT, "schedule.csv", is_doubtful=True)]
    assert later({"schedule": [DAY]}, "schedule.csv", placed=INGESTED) == []


def test_of_doubtful_dates_those_with_other_or_unknown_content_are_left() -> None:
    found = [
        Later("rosters", DAY, "rosters.csv", is_doubtful=True),
        Later("rosters", NEXT, "rosters.csv", is_doubtful=True),
    ]

    def left(table: LandedTable) -> list[date]:
        landed = ContentIndex({"rosters": table}, {})
        return [one.day for one in differing(found, landed, Ingested.read(ingested(rosters=[DAY, NEXT])), list)]

    assert left(LandedTable({DAY: "a", NEXT: "a"})) == []
    assert left(LandedTable({DAY: "a", NEXT: "b"})) == [NEXT]
    assert left(LandedTable({DAY: "b"})) == [DAY]
    assert left(LandedTable({DAY: "a"}, bad_files={NEXT: ["x cannot be read"]})) == [NEXT]
    assert left(LandedTable({}, unread=frozenset({None}))) == [DAY, NEXT]


def test_of_a_season_the_dates_that_differ_are_left_and_of_its_registry_the_last_one_with_games() -> None:
    july = date(2024, 7, 1)
    found = [Later(name, NEXT, name, is_doubtful=True) for name in ("schedule", "player_registry")]

    def left(schedule: str, registry: str) -> list[tuple[str, date]]:
        tables = {
            "schedule": LandedTable({DAY: schedule, NEXT: "a"}),
            "player_registry": LandedTable({july: registry}),
        }
        stored = Ingested.read(ingested(schedule=[DAY, NEXT], player_registry=[july]))
        landed = ContentIndex(tables, {})
        return [(one.table, one.day) for one in differing(found, landed, stored, lambda: [DAY, NEXT])]

    assert left("a", "a") == []
    assert left("b", "a") == [("schedule", DAY)]
    assert left("a", "b") == [("player_registry", NEXT)]


def test_a_dated_file_counts_for_its_date_until_today() -> None:
    path = f"rosters/{NEXT}.csv"
    assert later({}, path) == [Later("rosters", NEXT, path, is_doubtful=False)]
    assert later({"rosters": [NEXT]}, path) == [Later("rosters", NEXT, path, is_doubtful=True)]
    assert later({"rosters": [NEXT]}, path, placed=INGESTED) == []
    assert later({}, path, today=DAY) == []


def test_landed_dates_leave_out_past_dates_that_only_have_files_of_optional_feeds() -> None:
    optional, required = f"rosters/{DAY}.csv", f"team_boxscores/{DAY}.csv"

    def dates(*paths: str, today: date = NEXT) -> list[date]:
        placed = dict.fromkeys(paths, INGESTED + SECOND)
        return [one.day for one in landed_since(ingested(), cast(LandingZone, Landed(placed)), today)]

    assert dates(optional) == []
    assert dates(optional, today=DAY) == [DAY]
    assert dates(required) == [DAY]
    assert dates(required, today=DAY - timedelta(days=1)) == []


def test_what_has_changed_is_said_by_table_and_what_is_new_in_one_line() -> None:
    again = [News("rosters", f"rosters/{number}.csv", DAY, INGESTED) for number in range(4)]
    first = [
        News("schedule", "schedule.csv", None, None),
        News("game_lines", "b", NEXT, None),
        News("game_lines", "a", DAY, None),
    ]
    assert list(news_lines([*again[:3], *first])) == [
        "rosters: came or changed since it was ingested: rosters/0.csv, rosters/1.csv, rosters/2.csv",
        f"2 tables: 3 files not ingested yet, of 2 dates from {DAY} to {NEXT}",
    ]
    assert list(news_lines(again)) == [
        "rosters: came or changed since it was ingested: rosters/0.csv, rosters/1.csv, rosters/2.csv and 1 more files"
    ]
    assert list(news_lines(first[:1])) == ["1 table: 1 file not ingested yet"]
    assert list(news_lines([])) == []


def test_what_belongs_to_no_raw_table_is_named_with_the_table_that_is_nearest(tmp_path: Path) -> None:
    landing = FolderLandingZone(tmp_path)
    for name in ("schedule.parquet", "rosters", "_staging", "part.tmp", "README.md", "notes.txt"):
        (tmp_path / name).touch()
    assert without_table(landing) == []
    for name in ("player_boxscore.parquet", "team_boxscores.xlsx", "weather.csv"):
        (tmp_path / name).touch()
    (tmp_path / "schedules").mkdir()
    assert without_table(landing) == [
        f"In {tmp_path} belong to no raw table and are not read: player_boxscore.parquet (player_boxscores?), "
        "schedules (schedule?), team_boxscores.xlsx (team_boxscores?) and 1 more names"
    ]
    assert without_table(FolderLandingZone(tmp_path / "nowhere")) == []
