"""Why dates of raw tables are not ingested."""

from __future__ import annotations

from datetime import date, timedelta
from typing import cast

from nba_assets.raw.refusals import NEVER_INGESTED, not_ingested, unreadable_files
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

DAY = date(2024, 11, 5)
NEXT, LATER = DAY + timedelta(days=1), DAY + timedelta(days=2)

Files = list[tuple[str, date, str, int]]


def stored(ingested: list[tuple[str, date]], files: Files) -> Warehouse:
    partitions = [{"table_name": name, "partition_date": day} for name, day in ingested]
    quarantine = [
        {"table_name": name, "partition_date": day, "file": file, "reason": "is bad", "row_number": number}
        for name, day, file, number in files
    ]
    return cast(Warehouse, Shelf({TABLE_PARTITIONS.name: partitions, RAW_QUARANTINE.name: quarantine}))


def test_a_date_is_not_ingested_for_its_files_or_because_no_run_came_by() -> None:
    files: Files = [("rosters", DAY, "a", WHOLE_FILE), ("rosters", NEXT, "b", WHOLE_FILE), ("rosters", LATER, "c", 3)]
    found = not_ingested(stored([("rosters", NEXT)], files), ["rosters"], [LATER, DAY, NEXT])
    assert found == {("rosters", DAY): "a is bad", ("rosters", LATER): NEVER_INGESTED}
    assert not_ingested(stored([("rosters", DAY)], files), ["rosters"], [DAY]) == {}


def test_three_files_are_named_and_the_others_counted() -> None:
    files: Files = [("rosters", DAY, name, WHOLE_FILE) for name in "abcde"]
    (reason,) = not_ingested(stored([], files), ["rosters"], [DAY]).values()
    assert reason == "a is bad; b is bad; c is bad and 2 more files"


def test_files_count_as_unreadable_until_their_date_is_ingested() -> None:
    files: Files = [
        ("rosters", NEXT, "b", WHOLE_FILE),
        ("rosters", DAY, "a", WHOLE_FILE),
        ("rosters", LATER, "c", WHOLE_FILE),
        ("schedule", DAY, "s", WHOLE_FILE),
        ("schedule", NEXT, "t", 7),
    ]
    assert unreadable_files(stored([("rosters", NEXT), ("schedule", LATER)], files)) == [
        ("rosters", DAY, "a: is bad"),
        ("rosters", LATER, "c: is bad"),
        ("schedule", DAY, "s: is bad"),
    ]
    assert unreadable_files(stored([], [])) == []
