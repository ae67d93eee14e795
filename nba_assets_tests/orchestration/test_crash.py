"""A backfill that is killed at any moment leaves every table and date wholly old or wholly new."""

from __future__ import annotations

import random
import time
from datetime import date

import duckdb
import pytest

from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.tables.spec import Type
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import days_between

KILLS = 20
EARLIEST_KILL = 0.02
"""Share of a run that passes before the first kill."""
FIRST_DAY, LAST_DAY = 12, 16
"""Days of which the first two are too early for precomputed rows."""

Digests = dict[tuple[str, date], str]


def digests_of_rows(home: Home) -> Digests:
    """What every computed table holds on each day, from the rows themselves."""
    found, warehouse = {}, DuckDBWarehouse(home.warehouse)
    for name, spec in COMPUTED_TABLES.items():
        rows = warehouse.read(
            spec, [column.name for column in spec.columns if column.hashed], home.day(FIRST_DAY), home.day(LAST_DAY)
        )
        hashes, dates = row_hashes(spec, rows), to_columns(rows.select([spec.date_column]))[spec.date_column]
        for day in days_between(home.day(FIRST_DAY), home.day(LAST_DAY)):
            found[name, day] = partition_digest(hashes[dates == day])
    return found


def spoil(home: Home) -> None:
    """Make a measure of every row of these days wrong."""
    with duckdb.connect(home.warehouse) as connection:
        for spec in COMPUTED_TABLES.values():
            measure = next(
                column
                for column in spec.columns
                if column.type is Type.STRING and column.hashed and column.name not in spec.key
            )
            connection.execute(
                f"UPDATE {spec.qualified_name} SET {measure.name} = 'spoilt' WHERE {spec.date_column} >= ?",
                [home.day(FIRST_DAY)],
            )


@pytest.mark.slow
def test_killed_backfills_leave_no_half_written_date(home: Home) -> None:
    """Killed twenty times, each backfill over rows that an earlier one has spoilt: a date is as spoilt, or as it should
    be.
    """
    start, end, chance = home.day(FIRST_DAY), home.day(LAST_DAY), random.Random(7)
    assert home.command("backfill", home.opening, end).returncode == 0
    new = digests_of_rows(home)
    spoil(home)
    began = time.monotonic()
    assert home.command("backfill", start, end).returncode == 0
    length = time.monotonic() - began
    assert digests_of_rows(home) == new
    seen_old, seen_new = set(), set()
    # One moment in each of twenty stretches of the run: the first come before anything is written, the last when most
    # is, whatever else the machine does.
    moments = [EARLIEST_KILL + (1 - EARLIEST_KILL) * (place + chance.random()) / KILLS for place in range(KILLS)]
    for moment in moments:
        spoil(home)
        old = digests_of_rows(home)
        process = home.start("backfill", start, end)
        time.sleep(moment * length)
        process.kill()
        process.wait()
        found = digests_of_rows(home)
        assert all(found[key] in (old[key], new[key]) for key in found)
        seen_old |= {table for (table, day), digest in found.items() if digest == old[table, day] != new[table, day]}
        seen_new |= {table for (table, day), digest in found.items() if digest == new[table, day] != old[table, day]}
    assert seen_old == set(COMPUTED_TABLES)
    assert len(seen_new) > 1
    assert home.command("backfill", start, end).returncode == 0
    assert digests_of_rows(home) == new
    partition_state = DuckDBWarehouse(home.warehouse).read(
        TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), start, end, {"table_name": list(COMPUTED_TABLES)}
    )
    assert {(book["table_name"], book["partition_date"]): book["digest"] for book in partition_state.to_pylist()} == new
