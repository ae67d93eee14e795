"""A backfill that is killed at any moment leaves every table and date wholly old or wholly new, an event log that
opens, and no run that others wait for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import cycle
from typing import NamedTuple

import dagster as dg
import duckdb
import pytest

from nba_assets.orchestration.instance import dagster_instance
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.tables.spec import Type
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.orchestration.crashing import COMMIT, EVENT, FILE, STATEMENT, Order, Runs, running_elsewhere
from nba_assets_tests.pipeline import days_between

FIRST_DAY, LAST_DAY = 15, 16
"""Days of the season on which every table has rows."""
KILLS = {FILE: 2, STATEMENT: 3, EVENT: 3, COMMIT: 2}
"""Moments at which each backfill is killed, by kind: ten."""
TABLES_OF_BACKFILLS = tuple(zip(cycle(RAW_TABLES), COMPUTED_TABLES, strict=False))
"""A backfill per computed table, of it and of a raw one."""
NUMBER_OF_KILLS = int(os.environ.get("NBA_ASSETS_KILLS", "20"))
"""NBA_ASSETS_KILLS=100 kills ten backfills; otherwise it is the last ones."""
BACKFILLS = TABLES_OF_BACKFILLS[-(NUMBER_OF_KILLS // sum(KILLS.values())) :]
WITHIN_COMMITS = (0.25, 0.75)
"""Shares of COMMIT_BYTES that are written before a kill, in turn."""

Key = tuple[str, date]


class Held(NamedTuple):
    """What a table holds on a date: the digest of its rows themselves, and the run that the partition's state names."""

    digest: str
    run_id: str | None


def held(home: Home, tables: Sequence[str]) -> dict[Key, Held]:
    """What some tables hold on every date of the season so far."""
    found, warehouse, july = {}, DuckDBWarehouse(home.warehouse), date(home.opening.year, 7, 1)
    columns = ("table_name", "partition_date", "run_id")
    with warehouse.session():
        states = warehouse.read(TABLE_PARTITIONS, columns, july, home.day(LAST_DAY), {"table_name": tables})
        writers = {(state["table_name"], state["partition_date"]): state["run_id"] for state in states.to_pylist()}
        for name in tables:
            spec = ALL_TABLES[name]
            hashed = [column.name for column in spec.columns if column.hashed]
            rows = warehouse.read(spec, hashed, july, home.day(LAST_DAY))
            hashes, dates = row_hashes(spec, rows), to_columns(rows.select([spec.date_column]))[spec.date_column]
            for day in {*dates.tolist(), *days_between(home.day(FIRST_DAY), home.day(LAST_DAY))}:
                found[name, day] = Held(partition_digest(hashes[dates == day]), writers.get((name, day)))
    return found


def spoil(home: Home, tables: Sequence[str]) -> None:
    """Make a text of every row of these days wrong, of a season's tables every row."""
    with duckdb.connect(home.warehouse) as connection:
        for name in tables:
            spec = ALL_TABLES[name]
            text = next(
                column
                for column in spec.columns
                if column.type is Type.STRING and column.hashed and column.name not in spec.key
            )
            whole_season = name in RAW_TABLES and RAW_TABLES[name].whole_season
            start = date(home.opening.year, 7, 1) if whole_season else home.day(FIRST_DAY)
            connection.execute(
                f"UPDATE {spec.qualified_name} SET {text.name} = 'spoilt' WHERE {spec.date_column} BETWEEN ? AND ?",
                [start, home.day(LAST_DAY)],
            )


def killed_runs(order: Order, moments: dict[str, int], number: int) -> Iterator[Order]:
    """The kills of the `number`-th backfill: those of each kind are spread evenly over it, and together with those of
    the other backfills evenly in between.
    """
    for kind, kills in KILLS.items():
        for place in range(kills):
            share = (place + (number + 0.5) / len(BACKFILLS)) / kills
            within = WITHIN_COMMITS[number % 2] if kind is COMMIT else 0.0
            yield replace(order, kind=kind, number=1 + int(share * moments[kind]), share=within)


def assert_whole(before: dict[Key, Held], after: dict[Key, Held], new: dict[Key, Held]) -> set[Key]:
    """Every date is as it was, or as it should be with a state that names the run; returns those that the run wrote."""
    for key, now in after.items():
        assert now.digest in (before[key].digest, new[key].digest), f"{key} is half written"
        if now.run_id == before[key].run_id:
            assert now.digest == before[key].digest, f"{key} is written, but its state is the old one"
        else:
            assert now.digest == new[key].digest, f"{key} has the state of the run, but holds what it held before"
    return {key for key, now in after.items() if now.run_id != before[key].run_id}


def assert_event_log_opens() -> None:
    """The run that was killed can be read, in whatever state it is."""
    with dagster_instance() as instance:
        (newest,) = instance.get_run_records(limit=1)
        assert instance.get_run_stats(newest.dagster_run.run_id) is not None
        assert instance.all_logs(newest.dagster_run.run_id) is not None


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with running_elsewhere() as process:
        yield process


@pytest.mark.slow
def test_killed_backfills_leave_no_half_written_date_and_no_unfinished_run(home: Home, runs: Runs) -> None:
    """Each backfill works on rows that were spoilt: it ends, is killed at moments from its first to its last, and ends
    again after these. They run with threads and with processes in turn.
    """
    everything = (*RAW_TABLES, *COMPUTED_TABLES)
    assert runs.run(Order(home.path, "full", everything, home.opening, home.day(LAST_DAY))).code == 0
    killed, written, unwritten = 0, set(), set()
    for number, tables in enumerate(BACKFILLS):
        backend = {"NBA_ASSETS_PARALLEL_BACKEND": ("threads", "processes")[number % 2]}
        order = Order(home.path, "full", tables, home.day(FIRST_DAY), home.day(LAST_DAY), environment=backend)
        new = held(home, tables)
        spoil(home, tables)
        ended = runs.run(order)
        assert ended.code == 0, ended.said
        for doomed in killed_runs(order, dict(ended.moments), number):
            spoil(home, tables)
            before = held(home, tables)
            assert runs.run(doomed).code < 0, f"{doomed} was not killed"
            killed += 1
            mine = assert_whole(before, held(home, tables), new)
            assert_event_log_opens()
            written |= {table for table, _ in mine}
            unwritten |= {table for table, _ in new if table not in {name for name, _ in mine}}
        ended = runs.run(order)
        assert ended.code == 0, ended.said
        assert {key: now.digest for key, now in held(home, tables).items()} == {
            key: each.digest for key, each in new.items()
        }
    assert killed == sum(KILLS.values()) * len(BACKFILLS)
    assert unwritten == {table for tables in BACKFILLS for table in tables}
    assert len(written) > len(BACKFILLS)
    with dagster_instance() as instance:
        statuses = [run.status for run in instance.get_runs()]
    assert statuses.count(dg.DagsterRunStatus.SUCCESS) == 1 + 2 * len(BACKFILLS)
    assert set(statuses) <= {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}, "a killed run is unfinished"
