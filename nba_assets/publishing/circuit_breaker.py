"""The circuit breaker: an entity that fails hard again and again on one date is not computed for a day, and
has a failure record that says so.

Only hard failures count. The third attempt at the same inputs trips the breaker; it resets when the time is over, when
the inputs (or the code) have changed, or when a person resets it. Its state is read once and written once per run, and
never touches another date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import failures
from nba_assets.tables.bookkeeping import BREAKER_ACTIVE, HARD_FAILURE, REPROCESS_ATTEMPTS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.digest import columns_digest
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Changed, Insertion, OvertakenError, Replacement, Warehouse

ATTEMPTS_ALLOWED = 3
COOL_DOWN = timedelta(hours=24)
RESET_TRIES = 5

Attempt = dict[str, Any]


@dataclass(frozen=True)
class CircuitBreaker:
    """Earlier failed attempts at the entities of one table on one date, and what each entity's computation gets to see
    this time.
    """

    table: Table
    day: date
    now: datetime
    code_version: str | None
    requested: Grouped
    histories: Mapping[str, Grouped]
    attempts: Mapping[str, list[Attempt]]
    """By entity, oldest first."""
    as_read: Changed
    """The attempts as they were read: what is recorded is conditional on them."""

    @classmethod
    def of(
        cls,
        warehouse: Warehouse,
        table: Table,
        day: date,
        now: datetime,
        code_version: str | None,
        requested: Grouped,
        histories: Mapping[str, Grouped],
    ) -> CircuitBreaker:
        """The breaker of a table and date, as the warehouse has it."""
        as_read = _attempts_as_read(warehouse, table.name, day, day)
        attempts: dict[str, list[Attempt]] = {}
        for attempt in _in_order(as_read.rows):
            attempts.setdefault(attempt["entity_id"], []).append(attempt)
        return cls(table, day, now, code_version, requested, histories, attempts, as_read)

    def active(self, entity_type: str) -> dict[str, Any]:
        """Failure records of the requested entities that are not to be computed; none is an empty mapping."""
        tripped = {
            entity: self.attempts[entity][-1]
            for entity in self.requested.entities
            if entity in self.attempts and self._is_active(entity, self.attempts[entity][-1])
        }
        if not tripped:
            return {}
        reasons = [
            f"not computed until {last['circuit_breaker_until']:%Y-%m-%d %H:%M} UTC after {last['attempt_number']} "
            f"failed attempts; the last one: {last['failure_reason']}"
            for last in tripped.values()
        ]
        ids = np.array(list(tripped), dtype=object)
        days = np.full(len(ids), np.datetime64(self.day, "D"))
        return failures(ids, days, entity_type, BREAKER_ACTIVE, reasons, can_retry=False)

    def recorded(self, failed: Columns, run_id: str) -> Insertion | None:
        """The attempts that are this run's hard failures; None where nothing failed hard."""
        hard = np.flatnonzero(failed["failure_category"] == HARD_FAILURE) if failed else np.array([], dtype=np.intp)
        new = [self._attempt(failed["entity_id"][place], failed["failure_reason"][place], run_id) for place in hard]
        if not new:
            return None
        return Insertion(REPROCESS_ATTEMPTS, pa.Table.from_pylist(new, schema=arrow_schema(REPROCESS_ATTEMPTS)))

    def _is_active(self, entity: str, last: Attempt) -> bool:
        return is_in_force(last, self.now) and last["input_digest"] == self._input_digest(entity)

    def _attempt(self, entity: str, reason: str, run_id: str) -> Attempt:
        before, digest = self.attempts.get(entity, []), self._input_digest(entity)
        at_these_inputs = 1 + sum(
            attempt["input_digest"] == digest and not attempt["manual_override_applied"] for attempt in before
        )
        tripped = at_these_inputs >= ATTEMPTS_ALLOWED
        return {
            "table_name": self.table.name,
            "partition_date": self.day,
            "entity_id": entity,
            "attempt_number": before[-1]["attempt_number"] + 1 if before else 1,
            "attempted_at": self.now,
            "failure_reason": reason,
            "input_digest": digest,
            "circuit_breaker_tripped": tripped,
            "circuit_breaker_until": self.now + COOL_DOWN if tripped else None,
            "manual_override_applied": False,
            "run_id": run_id,
        }

    def _input_digest(self, entity: str) -> str:
        seen = [self.requested.of(entity), *(self.histories[name].of(entity) for name in sorted(self.histories))]
        return columns_digest({"digest": np.array([*map(columns_digest, seen), str(self.code_version)], dtype=object)})


def is_in_force(last: Mapping[str, Any], now: datetime) -> bool:
    """Whether the breaker that an entity's last attempt tripped still holds, as far as its inputs are what they
    were.
    """
    return bool(
        last["circuit_breaker_tripped"] and not last["manual_override_applied"] and now < last["circuit_breaker_until"]
    )


def stored_attempts(warehouse: Warehouse, table_name: str, start: date, end: date) -> list[Attempt]:
    """Failed attempts of a table from `start` to `end`, in order of date, entity and attempt."""
    return _in_order(_attempts_as_read(warehouse, table_name, start, end).rows)


def reset(warehouse: Warehouse, table_name: str, day: date, entity: str) -> int:
    """Reset an entity's breaker by hand: none of its attempts so far counts any more. Returns how many there were.

    Raises OvertakenError where runs recorded attempts of that date again and again in the meantime.
    """
    for tries_left in reversed(range(RESET_TRIES)):
        as_read = _attempts_as_read(warehouse, table_name, day, day)
        rows = as_read.rows.to_pylist()
        mine = [row for row in rows if row["entity_id"] == entity]
        if not mine:
            return 0
        for row in mine:
            row["manual_override_applied"] = True
        content = pa.Table.from_pylist(rows, schema=arrow_schema(REPROCESS_ATTEMPTS))
        try:
            warehouse.replace(
                [Replacement(REPROCESS_ATTEMPTS, content, [day], {"table_name": table_name})], unless=[as_read]
            )
        except OvertakenError:
            if not tries_left:
                raise
        else:
            return len(mine)
    return 0


def _attempts_as_read(warehouse: Warehouse, table_name: str, start: date, end: date) -> Changed:
    where = {"table_name": table_name}
    rows = warehouse.read(REPROCESS_ATTEMPTS, REPROCESS_ATTEMPTS.column_names, start, end, where)
    return Changed(REPROCESS_ATTEMPTS, rows, start, end, where)


def _in_order(rows: pa.Table) -> list[Attempt]:
    attempts: list[Attempt] = rows.to_pylist()
    return sorted(attempts, key=lambda row: (row["partition_date"], row["entity_id"], row["attempt_number"]))
