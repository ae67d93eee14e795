"""A backfill that is killed at any moment leaves every table and date wholly old or wholly new, an event log that opens, and nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import dagster as dg
import duckdb
import pytest

from nba_assets.instance import dagster_instance
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.tables.spec import Type
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.operations.conftest import Home
from nba_assets_tests.operations.crashing import COMMIT, EVENT, FILE, STATEMENT, Order, Runs, running_elsewhere
from nba_assets_tests.pipeline import days_between

FIRST_DAY, LAST_DAY = 15, 16
"""Days of the season on which every table has rows."""
BACKFILLS = tuple(zip(RAW_TABLES, COMPUTED_TABLES, strict=True))
"""Ten backfills, of a raw table and a computed one each."""
KILLS = {FILE: 2, STATEMENT: 3, EVENT: 3, COMMIT: 2}
"""Moments at which each backfill is killed, by kind: a hundred in all."""
WITHIN_COMMITS = (0.25, 0.75)
"""Shares of COMMIT_BYTES that are written before a kill, in turn."""

Key = tuple[str, date]


class Held(NamedTuple):
    """What a table holds on a date: the digest of its rows themselves, and who wrote it last, by its entry in the warehouse."""

    digest: str
    run_id: str | None


def held(home: Home, tables: Sequence[str]) -> dict[Key, Held]:
    """What some tables hold on every date of the season so far."""
    found, warehouse = {}, DuckDBWarehouse(home.warehouse)
    with warehouse.session():
        entries = warehouse.read(
            TABLE_PARTITIONS, ("table_name", "partition_date", "run_id"), home.opening, home.day(LAST_DAY), {"table_name": tables}
        ).to_pylist()
        writers = {(entry["table_name"], entry["partition_date"]): entry["run_id"] for entry in entries}
        for name in tables:
            spec = ALL_TABLES[name]
            columns = [column.name for column in spec.columns if column.hashed]
            rows = warehouse.read(spec, columns, date(home.opening.year, 7, 1), home.day(LAST_DAY))
            hashes, dates = row_hashes(spec, rows), to_columns(rows.select([spec.date_column]))[spec.date_column]
            for day in {*dates.tolist(), *days_between(home.day(FIRST_DAY), home.day(LAST_DAY))}:
                found[name, day] = Held(partition_digest(hashes[dates == day]), writers.get((name, day)))
    return found


def spoil(home: Home, tables: Sequence[str]) -> None:
    """Make a text of every row of these days wrong, of a season's tables every row."""
    with duckdb.connect(home.warehouse) as connection:
        for name in tables:
            spec = ALL_TABLES[name]
            text = next(column for column in spec.columns if column.type is Type.STRING and column.hashed and column.name not in spec.key)
            whole_season = name in RAW_TABLES and RAW_TABLES[name].whole_season
            start = home.opening.replace(month=7, day=1) if whole_season else home.day(FIRST_DAY)
            connection.execute(
                f"UPDATE {spec.qualified_name} SET {text.name} = 'spoilt' WHERE {spec.date_column} BETWEEN ? AND ?", [start, home.day(LAST_DAY)]
            )


def orders_to_die(order: Order, moments: dict[str, int], number: int) -> Iterator[Order]:
    """The kills of the `number`-th backfill: of each kind evenly over the backfill, and together with those of the others evenly in between."""
    for kind, kills in KILLS.items():
        for place in range(kills):
            share = (place + (number + 0.5) / len(BACKFILLS)) / kills
            within = WITHIN_COMMITS[number % 2] if kind is COMMIT else 0.0
            yield replace(order, kind=kind, number=1 + int(share * moments[kind]), share=within)


def see_whole(before: dict[Key, Held], after: dict[Key, Held], new: dict[Key, Held]) -> set[Key]:
    """Every date is as it was, or as it should be and entered as written by the run; returns those that the run wrote."""
    for key, now in after.items():
        assert now.digest in (before[key].digest, new[key].digest), f"{key} is half written"
        assert (now.run_id == before[key].run_id) or now.digest == new[key].digest, f"{key} is entered as written, but holds what it held before"
        assert (now.run_id != before[key].run_id) or now.digest == before[key].digest, f"{key} is written, but not entered"
    return {key for key, now in after.items() if now.run_id != before[key].run_id}


def see_events_open() -> None:
    """Every run of the event log can be read."""
    with dagster_instance() as instance:
        (newest,) = instance.get_run_records(limit=1)
        assert instance.get_run_stats(newest.dagster_run.run_id) is not None
        assert instance.all_logs(newest.dagster_run.run_id) is not None


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with running_elsewhere() as process:
        yield process


@pytest.mark.slow
def test_a_hundred_killed_backfills_leave_no_half_written_date(home: Home, runs: Runs) -> None:
    """Each backfill works on rows that were spoilt: it ends, is killed at moments from its first to its last, and ends again after these."""
    everything = (*RAW_TABLES, *COMPUTED_TABLES)
    assert runs.run(Order(home.path, "full", everything, home.opening, home.day(LAST_DAY))).code == 0
    killed, written, unwritten = 0, set(), set()
    for number, tables in enumerate(BACKFILLS):
        backend = ("threads", "processes")[number % 2]
        order = Order(home.path, "full", tables, home.day(FIRST_DAY), home.day(LAST_DAY), environment={"NBA_ASSETS_PARALLEL_BACKEND": backend})
        new = held(home, tables)
        spoil(home, tables)
        ended = runs.run(order)
        assert ended.code == 0, ended.said
        for doomed in orders_to_die(order, dict(ended.moments), number):
            spoil(home, tables)
            before = held(home, tables)
            assert runs.run(doomed).code < 0, f"{doomed} was not killed"
            killed += 1
            mine = see_whole(before, held(home, tables), new)
            see_events_open()
            written |= {table for table, _ in mine}
            unwritten |= {table for table, _ in new if table not in {name for name, _ in mine}}
        ended = runs.run(order)
        assert ended.code == 0, ended.said
        assert {key: now.digest for key, now in held(home, tables).items()} == {key: each.digest for key, each in new.items()}
    assert killed == 100
    assert unwritten == set(everything)
    assert len(written) > len(everything) / 2
    with dagster_instance() as instance:
        statuses = [run.status for run in instance.get_runs()]
    assert statuses.count(dg.DagsterRunStatus.SUCCESS) == 1 + 2 * len(BACKFILLS)
    assert set(statuses) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}, "a killed run is left unfinished"
