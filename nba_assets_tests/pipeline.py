"""The graph without Dagster: ingestion and tables in order, on a warehouse of the test's own.

What Dagster adds is tested apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.inputs import computed
from nba_assets.publishing.publication import DateFacts, Publication, prepare
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.ingestion import ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, Warehouse

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def days_between(start: date, end: date) -> list[date]:
    """Every calendar day from `start` to `end`, both included."""
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]


@contextmanager
def one_connection(warehouse: Warehouse) -> Iterator[None]:
    """Keep a DuckDB file open within the block: to open it for each use is most of what a small test would do."""
    if not isinstance(warehouse, DuckDBWarehouse):
        yield
        return
    before, warehouse.idle_seconds = warehouse.idle_seconds, 60
    try:
        yield
    finally:
        warehouse.idle_seconds = before
        warehouse.close()


def ingest_all(
    warehouse: Warehouse,
    landing: Path,
    dates: Sequence[date],
    tables: Sequence[str] = tuple(RAW_TABLES),
    *,
    run_id: str = "test",
    now: datetime = NOW,
) -> None:
    """Raw tables of the dates, all of them unless told otherwise, from a folder."""
    with one_connection(warehouse):
        for name in tables:
            report = ingest(RAW_TABLES[name], FolderLandingZone(landing), warehouse, dates, run_id=run_id, now=now)
            report.raise_for_bad_files()


def count_as_ingested(warehouse: Warehouse, names: Sequence[str], dates: Sequence[date]) -> None:
    """Enter raw dates as ingested, for tests that write raw rows themselves."""
    replacements = []
    for name in names:
        entry = {
            "table_name": name,
            "row_count": 1,
            "failure_count": 0,
            "digest": "0" * 16,
            "run_id": "test",
            "written_at": NOW,
            "changed_at": NOW,
        }
        entries = [dict.fromkeys(TABLE_PARTITIONS.column_names) | entry | {"partition_date": day} for day in dates]
        rows = pa.Table.from_pylist(entries, schema=arrow_schema(TABLE_PARTITIONS))
        replacements.append(Replacement(TABLE_PARTITIONS, rows, dates, {"table_name": name}))
    warehouse.replace(replacements)


def table_run(
    warehouse: Warehouse,
    name: str,
    dates: Sequence[date],
    entities: ParallelEntities | None = None,
    *,
    settings: Settings | None = None,
    run_id: str = "test",
    now: datetime = NOW,
    clock: Callable[[], datetime] = lambda: NOW,
) -> TableRun:
    """A run of one table, serial and with the default settings unless told otherwise."""
    return TableRun(
        TABLE_MODULES[name].TABLE,
        dates,
        warehouse,
        entities or ParallelEntities.serial(),
        settings or Settings.from_environment({}),
        run_id,
        now,
        clock=clock,
    )


def prepared(run: TableRun) -> Publication:
    """What a run of a table computes, ready to be written."""

    def outcome() -> Outcome:
        with run.reading():
            return computed(run, TABLE_MODULES[run.table.name].build)

    return prepare(run, outcome())


def build(
    warehouse: Warehouse,
    dates: Sequence[date],
    tables: Sequence[str] = tuple(TABLE_MODULES),
    entities: ParallelEntities | None = None,
) -> dict[str, list[DateFacts]]:
    """Compute and publish tables, upstream first; returns what each of their dates holds."""
    with one_connection(warehouse):
        return {name: prepared(table_run(warehouse, name, dates, entities)).write() for name in tables}


def digests(facts: dict[str, list[DateFacts]]) -> dict[tuple[str, date], str]:
    """The digest of every built date of every table."""
    return {(name, fact.day): fact.digest for name, mine in facts.items() for fact in mine}
