"""A backfill that is killed at any moment leaves every table and date wholly old or wholly new."""

from __future__ import annotations

import random
import time
from datetime import date, timedelta

import duckdb
import pytest

from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.operations.conftest import Home

KILLS = 20
SPAN = timedelta(days=6)


def digest_of_rows(home: Home, table: str, day: date) -> str:
    spec = ALL_TABLES[table]
    rows = DuckDBWarehouse(home.warehouse).read(spec, [column.name for column in spec.columns if column.hashed], day, day)
    return partition_digest(row_hashes(spec, rows))


@pytest.mark.slow
def test_killed_backfills_leave_no_half_written_date(home: Home) -> None:
    """Killed twenty times, each backfill over rows that an earlier one has spoilt: a date is as spoilt, or as it should be."""
    end, moments = home.opening + SPAN, random.Random(7)
    began = time.monotonic()
    assert home.command("backfill", home.opening, end).returncode == 0
    length = time.monotonic() - began
    days = [home.day(number) for number in range(SPAN.days + 1)]
    new = {(table, day): digest_of_rows(home, table, day) for table in COMPUTED_TABLES for day in days}
    seen_old = seen_new = 0
    for _ in range(KILLS):
        with duckdb.connect(home.warehouse) as connection:
            for spec in COMPUTED_TABLES.values():
                connection.execute(f"UPDATE {spec.qualified_name} SET game_id = 'spoilt'")
        old = {(table, day): digest_of_rows(home, table, day) for table in COMPUTED_TABLES for day in days}
        process = home.start("backfill", home.opening, end)
        time.sleep(moments.uniform(0.3, 1.0) * length)
        process.kill()
        process.wait()
        found = {(table, day): digest_of_rows(home, table, day) for table in COMPUTED_TABLES for day in days}
        assert all(found[key] in (old[key], new[key]) for key in found)
        seen_old += sum(found[key] == old[key] != new[key] for key in found)
        seen_new += sum(found[key] == new[key] != old[key] for key in found)
    assert seen_old
    assert seen_new
    assert home.command("backfill", home.opening, end).returncode == 0
    assert {key: digest_of_rows(home, *key) for key in new} == new
    books = DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), home.opening, end)
    assert {
        (book["table_name"], book["partition_date"]): book["digest"] for book in books.to_pylist() if book["table_name"] in COMPUTED_TABLES
    } == new
