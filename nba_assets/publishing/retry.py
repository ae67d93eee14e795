"""Retry: a table's failed entities are computed again, everybody else's rows and records stay as they are, bit for bit.

Which failures are open and which of them a retry takes up is decided here, for runs, the command line and checks. A run
of a table that is a retry computes only these (date, entity) pairs; what it keeps of a date is read here, and merged by
`publication`.

The entry of a resolved date keeps their `written_at` and `code_version`. Most of its rows were computed from what had
been there *then*, by the code of *then*: a date that was stale before a retry is stale after it and is built anew as a
whole, while its few resolved rows, made from newer inputs, are at worst built once more than needed. `changed_at` moves
on as always where the digest became another one.

Circuit breakers count where one date of a table is resolved, as in any run of a single date; where there are several,
everybody is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, take
from nba_assets.entities.relations import find
from nba_assets.publishing.circuit_breaker import is_in_force
from nba_assets.publishing.scope import RetainedRows
from nba_assets.tables.bookkeeping import (
    BREAKER_ACTIVE,
    ENTITY_FAILURES,
    HARD_FAILURE,
    REPROCESS_ATTEMPTS,
    TABLE_PARTITIONS,
)
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Value, Warehouse

RETRY_TAG = "nba_assets/retry"
"""Tag of a run that is a retry, whatever its value."""


@dataclass(frozen=True)
class OpenFailure:
    """A failure record as it stands."""

    table: str
    day: date
    entity: str
    category: str
    reason: str
    recorded_at: datetime
    can_retry: bool
    """A retry computes it again: the record says so, or the breaker that had left the entity alone no longer does."""
    attempts: int
    """Attempts in runs of a single date that ended in a hard failure."""
    is_correctable: bool = True
    """Better raw data would correct it, as far as that was looked into."""

    @property
    def is_hard(self) -> bool:
        """The computation itself failed, or was not run because it had failed again and again."""
        return self.category in (HARD_FAILURE, BREAKER_ACTIVE)

    @property
    def needs_attention(self) -> bool:
        """Something is wrong: the computation, or raw data that could be better.

        That a player has too few games is not, nor that no feed has him.
        """
        return self.is_hard or (self.can_retry and self.is_correctable)

    @property
    def key(self) -> tuple[str, date, str]:
        """Table, date and entity."""
        return self.table, self.day, self.entity


def open_failures(
    warehouse: Warehouse,
    now: datetime,
    *,
    start: date = date.min,
    end: date = date.max,
    tables: Sequence[str] | None = None,
) -> list[OpenFailure]:
    """The failure records of some dates and tables (by default all), in order of table, date and entity."""
    where: dict[str, Sequence[Value]] = {} if tables is None else {"table_name": tables}
    with warehouse.session():
        records = warehouse.read(ENTITY_FAILURES, RECORD_COLUMNS, start, end, where).to_pylist()
        attempts = warehouse.read(REPROCESS_ATTEMPTS, REPROCESS_ATTEMPTS.column_names, start, end, where).to_pylist()
    last = {
        (row["table_name"], row["partition_date"], row["entity_id"]): row
        for row in sorted(attempts, key=lambda row: row["attempt_number"])
    }
    return [
        _open_failure(record, last.get((record["table_name"], record["partition_date"], record["entity_id"])), now)
        for record in records
    ]


RECORD_COLUMNS = (
    "table_name",
    "partition_date",
    "entity_id",
    "failure_category",
    "failure_reason",
    "can_retry",
    "is_correctable",
    "created_at",
)


def _open_failure(record: Mapping[str, Any], last: Mapping[str, Any] | None, now: datetime) -> OpenFailure:
    released = record["failure_category"] == BREAKER_ACTIVE and (last is None or not is_in_force(last, now))
    return OpenFailure(
        record["table_name"],
        record["partition_date"],
        record["entity_id"],
        record["failure_category"],
        record["failure_reason"],
        record["created_at"],
        bool(record["can_retry"]) or released,
        last["attempt_number"] if last else 0,
        record["is_correctable"] is not False,
    )


@dataclass(frozen=True)
class Retry:
    """The entities of a table that a run computes again, and the state of partitions of all dates of the run as they
    stood when that was decided.
    """

    table: Table
    entities: Mapping[date, frozenset[str]]
    """By date, ascending; dates without any are left out."""
    partition_state: Mapping[date, Mapping[str, Any]]
    categories: Mapping[date, Counter[str]]
    """Open failures of each date, retried or not."""

    @classmethod
    def of(cls, warehouse: Warehouse, table: Table, dates: Sequence[date], now: datetime) -> Retry:
        """The retryable failures of a table on the dates of a run."""
        requested = set(dates)
        with warehouse.session():
            known = [
                failure
                for failure in open_failures(warehouse, now, start=dates[0], end=dates[-1], tables=[table.name])
                if failure.day in requested
            ]
            partition_state = _partition_state(warehouse, table, dates)
        entities: dict[date, set[str]] = {}
        categories: dict[date, Counter[str]] = {}
        for failure in known:
            categories.setdefault(failure.day, Counter())[failure.category] += 1
            if failure.can_retry:
                entities.setdefault(failure.day, set()).add(failure.entity)
        return cls(table, {day: frozenset(entities[day]) for day in sorted(entities)}, partition_state, categories)

    @property
    def is_whole(self) -> bool:
        """Whether the dates are computed as a whole: they are not."""
        return False

    @property
    def is_empty(self) -> bool:
        """Whether nobody has failed, so that nothing is computed nor written."""
        return not self.entities

    @property
    def dates(self) -> list[date]:
        """Dates on which somebody is computed again, ascending."""
        return list(self.entities)

    @property
    def size(self) -> int:
        """How many rows are computed again, an entity counted once per date."""
        return sum(map(len, self.entities.values()))

    def concerns(self, days: NDArray[np.datetime64], entities: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which pairs of date and entity are computed again."""
        pairs = [(day, entity) for day, mine in self.entities.items() for entity in mine]
        failed = (
            np.array([day for day, _ in pairs], dtype="M8[D]"),
            np.array([entity for _, entity in pairs], dtype=object),
        )
        return find((days.astype("M8[D]"), entities), failed) >= 0

    def only(self, requested: Grouped) -> Grouped:
        """Of what a table would compute, what is computed again."""
        entity_column = str(self.table.entity_column)
        again = self.concerns(requested.columns[requested.date_column], requested.columns[entity_column])
        return Grouped.by(take(requested.columns, np.flatnonzero(again)), entity_column, requested.date_column)

    def part_of(self, outcome: Outcome) -> Outcome:
        """An outcome without the failures that preparing the run found of others."""
        if not outcome.failures:
            return outcome
        mine = self.concerns(outcome.failures["partition_date"], outcome.failures["entity_id"])
        return Outcome(outcome.rows, take(outcome.failures, mine) if mine.any() else {})

    def retained(self, warehouse: Warehouse, table: Table, dates: Sequence[date]) -> RetainedRows:
        """What stays of some dates."""
        if not dates:
            return RetainedRows.nothing(table)
        with warehouse.session():
            rows = warehouse.read(table, table.column_names, dates[0], dates[-1], {table.date_column: dates})
            failures = warehouse.read(
                ENTITY_FAILURES,
                ENTITY_FAILURES.column_names,
                dates[0],
                dates[-1],
                {"table_name": table.name, "partition_date": dates},
            )
        rows = rows.filter(pa.array(~self._concerned(rows, table.date_column, str(table.entity_column))))
        failures = failures.filter(pa.array(~self._concerned(failures, "partition_date", "entity_id")))
        # As stored, not computed anew: a table that has gained a column since would hash to something else.
        hashes = np.array([int(text, 16) for text in rows.column("data_hash").to_pylist()], dtype=np.uint64)
        return RetainedRows(rows, hashes, failures)

    def _concerned(self, rows: pa.Table, date_column: str, entity_column: str) -> NDArray[np.bool_]:
        key: Columns = to_columns(rows.select([date_column, entity_column]))
        return self.concerns(key[date_column], key[entity_column])

    def entries(self, written: pa.Table, computed: Collection[date]) -> pa.Table:
        """The entries as a run of whole dates would write them, but for what a retry must not claim of a date (see the
        module); on `computed` dates it has made rows.
        """
        rows = written.to_pylist()
        for row in rows:
            before = self.partition_state[row["partition_date"]]
            row |= {name: before[name] for name in ("written_at", "code_version", "inputs")}
            if row["row_count"] and row["partition_date"] not in computed:
                row["newest_processed_at"] = before["newest_processed_at"]
        return pa.Table.from_pylist(rows, schema=written.schema)

    def standing(self, day: date) -> dict[str, Any]:
        """What the UI shows of a date on which nobody is computed again: what it holds already."""
        entry = self.partition_state.get(day)
        if entry is None:
            return {"retried": 0, "built": False}
        return {
            "dagster/partition_row_count": entry["row_count"],
            "rows": entry["row_count"],
            "failures": entry["failure_count"],
            "failures_by_category": dict(sorted(self.categories.get(day, {}).items())),
            "digest": entry["digest"],
            "changed": False,
            "retried": 0,
        }

    def results(self, failed: Columns) -> dict[date, dict[str, Any]]:
        """What the UI shows of each date on which somebody was computed again; `failed` are the run's failures."""
        return {day: self._result(day, failed) for day in self.dates}

    def _result(self, day: date, failed_again: Columns) -> dict[str, Any]:
        again = (
            set(failed_again["entity_id"][failed_again["partition_date"] == np.datetime64(day, "D")])
            if failed_again
            else set()
        )
        return {"retried": len(self.entities[day]), "resolved": len(self.entities[day] - again)}


def _partition_state(warehouse: Warehouse, table: Table, dates: Sequence[date]) -> dict[date, dict[str, Any]]:
    rows = warehouse.read(
        TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, dates[0], dates[-1], {"table_name": table.name}
    ).to_pylist()
    return {row["partition_date"]: row for row in rows}
