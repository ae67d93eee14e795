"""What a warehouse does, whichever it is: read bounded slices, replace dates atomically, tell what is there.

Identifiers come from table specs only; values are never pasted into a statement as they are. A list that was written as
null is read as an empty one. No back end's names appear in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import pyarrow as pa

from nba_assets.tables.spec import Table

Value = str | int | float | bool | date


class WarehouseError(Exception):
    """The warehouse cannot do what was requested; the message says why and what to do."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse and did not let go in time; the message names it."""


class OvertakenError(WarehouseError):
    """Somebody else has changed what a write was conditional on; nothing was written.

    Read again and decide anew, or give up.
    """


class SchemaMismatchError(WarehouseError):
    """A stored table differs from its spec in a way that is not migrated automatically."""


@dataclass(frozen=True)
class Replacement:
    """New content of some dates of one table.

    What the table holds for `dates` (and, where `scope` names columns, for those values only) is deleted and `rows`
    take its place; `rows` may not stray outside. `rows` has the table's columns by name, in any order. `Insertion` adds
    rows and deletes none.
    """

    table: Table
    rows: pa.Table
    dates: Sequence[date]
    scope: Mapping[str, Value] = field(default_factory=dict)
    moment_column: str | None = None
    """A moment that is null in `rows` becomes that of the write itself, told while nobody else can read: whoever reads
    after it sees the write.
    """

    def written_at(self, moment: datetime) -> pa.Table:
        """The rows as they are written at a moment."""
        if self.moment_column is None:
            return self.rows
        place = self.rows.column_names.index(self.moment_column)
        column = self.rows.column(place)
        return self.rows.set_column(
            place, self.rows.schema.field(place), column.fill_null(pa.scalar(moment, column.type))
        )


@dataclass(frozen=True)
class Insertion:
    """Rows that are added to a table; nothing is deleted for them.

    `rows` has the table's columns by name, in any order.
    """

    table: Table
    rows: pa.Table


@dataclass(frozen=True)
class Changed:
    """A condition that stops a write: the named columns of `table` from `start` to `end` no longer hold `rows`.

    `rows` is what `Warehouse.read(table, rows.column_names, start, end, where)` gave when the write was decided on; the
    comparison is made inside the transaction that writes, so nobody can change them in between.
    """

    table: Table
    rows: pa.Table
    start: date
    end: date
    where: Mapping[str, Value | Sequence[Value]] = field(default_factory=dict)

    def require_unchanged(self, stored: pa.Table) -> None:
        """Raise OvertakenError, naming the first difference, where `stored` is not what was read."""
        before, now = self.rows.to_pylist(), stored.to_pylist()
        if before == now:
            return
        # Empty where the rows are the same in another order, or one of two equal ones is gone: not all columns were
        # read.
        sides = ((now, before), (before, now))
        difference: dict[str, Any] = next((row for rows, others in sides for row in rows if row not in others), {})
        run = difference.get("run_id")
        day = difference.get(self.table.date_column)
        raise OvertakenError(
            f"overtaken by {f'run {run}' if run else 'another writer'}: {self.table.qualified_name} has changed "
            f"{f'for {day} ' if day else ''}since it was read; nothing was written"
        )


@dataclass(frozen=True)
class WriteFacts:
    """What a write cost: the jobs that a remote warehouse ran for it, and the bytes that they processed and billed.

    `bytes_read` are those that the warehouse has scanned for all reads since it was opened.
    """

    job_ids: Sequence[str] = ()
    bytes_processed: int = 0
    bytes_billed: int = 0
    bytes_read: int = 0

    @property
    def notes(self) -> dict[str, Any]:
        """The facts by name; none where no job was run, as for a warehouse in a file."""
        return asdict(self) | {"job_ids": list(self.job_ids)} if self.job_ids else {}


@dataclass(frozen=True)
class TableStatus:
    """How much of a table is stored."""

    table: Table
    row_count: int
    date_count: int
    first_date: date | None
    last_date: date | None


class Warehouse(Protocol):
    """A place where tables live."""

    @property
    def largest_write_dates(self) -> int | None:
        """How many dates of a table one write can replace; None where nothing bounds them."""
        ...

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """Named columns of the rows dated from `start` to `end`, both included, sorted by the table's key.

        `where` keeps rows whose column equals the value, or one of the values. A table that was never written is empty.
        """
        ...

    def session(self) -> AbstractContextManager[None]:
        """Reads of this thread within the block see one consistent state of all tables; nothing is replaced within it.

        Others may have to wait meanwhile: compute outside of it. A session within a session is the outer one.
        """
        ...

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        """Carry out everything in one transaction, making or growing the tables where needed: every reader sees all of
        it or none.

        Raises ValueError for rows that `validate` refuses, SchemaMismatchError for a stored table that differs from its
        spec, OvertakenError where one of the conditions `unless` holds at the moment of the write, WarehouseBusyError
        where others did not let go in time, WarehouseError for what the back end refuses. All leave every row as it
        was.
        """
        ...

    def status(self, tables: Sequence[Table]) -> list[TableStatus]:
        """What is stored of each table."""
        ...

    def close(self) -> None:
        """Let go of what is kept open between uses; the warehouse can be used again."""
        ...
