"""Retry from outside the UI: the runs of the job `retry` for what is open, and what they resolved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration.console import Verbosity
from nba_assets.orchestration.jobs import RETRY
from nba_assets.orchestration.launch import RunReport, execute
from nba_assets.publishing.retry import OpenFailure, open_failures
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse


def failures_of(
    warehouse: Warehouse, day: date | None = None, tables: Sequence[str] | None = None
) -> list[OpenFailure]:
    """What is open of the computed tables, or of some of them, on all dates or on one."""
    names = list(tables or COMPUTED_TABLES)
    return open_failures(warehouse, datetime.now(UTC), start=day or date.min, end=day or date.max, tables=names)


def plan_retries(warehouse: Warehouse, retryable: Iterable[OpenFailure]) -> list[Launch]:
    """The runs that compute failures again, earliest dates first.

    Days that follow each other are one run, as long as all tables concerned are built on all of them: a run marks every
    date of each of its tables as materialized, and one that is not there must not be.
    """
    tables_of: dict[date, set[str]] = {}
    for failure in retryable:
        tables_of.setdefault(failure.day, set()).add(failure.table)
    if not tables_of:
        return []
    days = sorted(tables_of)
    built = _built(warehouse, days[0], days[-1])
    groups: list[_Group] = []
    for day in days:
        joined = groups[-1].with_day(day, tables_of[day]) if groups else None
        if joined is not None and joined.is_unbroken and joined.cells() <= built:
            groups[-1] = joined
        else:
            groups.append(_Group([day], tables_of[day]))
    return [
        Launch(RETRY.name, [name for name in COMPUTED_TABLES if name in group.tables], group.days[0], group.days[-1])
        for group in groups
    ]


@dataclass(frozen=True)
class RetryReport:
    """What came of a retry."""

    resolved: list[OpenFailure] = field(default_factory=list)
    """Failures that are no longer there."""
    still_open: list[OpenFailure] = field(default_factory=list)
    """Failures that were computed again and are there once more, as they are now."""
    runs: list[RunReport] = field(default_factory=list)

    @property
    def succeeded(self) -> bool:
        """No run failed; entities may have."""
        return all(run.succeeded for run in self.runs)


def retried(
    warehouse: Warehouse,
    launches: Iterable[Launch],
    before: Collection[OpenFailure],
    verbosity: Verbosity = Verbosity.NORMAL,
) -> RetryReport:
    """Execute runs, one after the other, and compare what was open `before` with what is open then.

    A run that fails does not keep the next from running.
    """
    runs = [execute(launch, verbosity=verbosity) for launch in launches]
    now = {failure.key: failure for failure in failures_of(warehouse)}
    return RetryReport(
        [failure for failure in before if failure.key not in now],
        [now[failure.key] for failure in before if failure.key in now],
        runs,
    )


def newest_first(failures: Iterable[OpenFailure]) -> list[OpenFailure]:
    """Failures by when they were recorded, then by their date; those of one date in order of table and entity."""
    by_name = sorted(failures, key=lambda failure: (failure.table, failure.entity))
    return sorted(by_name, key=lambda failure: (failure.recorded_at, failure.day), reverse=True)


@dataclass(frozen=True)
class _Group:
    days: list[date]
    tables: set[str]

    @property
    def is_unbroken(self) -> bool:
        return (self.days[-1] - self.days[0]).days + 1 == len(self.days)

    def with_day(self, day: date, tables: set[str]) -> _Group:
        return _Group([*self.days, day], self.tables | tables)

    def cells(self) -> set[tuple[str, date]]:
        return {(table, day) for table in self.tables for day in self.days}


def _built(warehouse: Warehouse, start: date, end: date) -> set[tuple[str, date]]:
    partition_state = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "partition_date"), start, end, {"table_name": list(COMPUTED_TABLES)}
    )
    return set(
        zip(partition_state["table_name"].to_pylist(), partition_state["partition_date"].to_pylist(), strict=True)
    )
