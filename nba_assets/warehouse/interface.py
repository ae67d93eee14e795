"""What a warehouse does, whichever it is: read bounded slices, replace dates atomically, tell what is there.

Identifiers come from table specs only; values always travel as parameters. No back end's names appear in here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import pyarrow as pa

from nba_assets.tables.spec import Table

Value = str | int | float | bool | date


class WarehouseError(Exception):
    """The warehouse cannot do what was asked; the message says why and what to do."""


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse and did not let go in time; the message names it."""


class SchemaMismatchError(WarehouseError):
    """A stored table differs from its spec in a way that is not mended by itself."""


@dataclass(frozen=True)
class Replacement:
    """New content of some dates of one table.

    What the table holds for `dates` (and, where `scope` names columns, for those values only) is deleted and `rows` take its place; `rows` may not
    stray outside. `rows` has the table's columns by name, in any order.
    """

    table: Table
    rows: pa.Table
    dates: Sequence[date]
    scope: Mapping[str, Value] = field(default_factory=dict)
    moment_column: str | None = None
    """A moment that is null in `rows` becomes that of the write itself, told while nobody else can read: whoever reads after it sees the write."""

    def written_at(self, moment: datetime) -> pa.Table:
        """The rows as they are written at a moment."""
        if self.moment_column is None:
            return self.rows
        place = self.rows.column_names.index(self.moment_column)
        column = self.rows.column(place)
        return self.rows.set_column(place, self.rows.schema.field(place), column.fill_null(pa.scalar(moment, column.type)))


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
        """Reads within the block may share one connection. Nobody may be made to wait for long meanwhile: compute outside of it."""
        ...

    def replace(self, replacements: Sequence[Replacement]) -> None:
        """Carry out all replacements in one transaction: every reader sees all of them or none."""
        ...

    def status(self, tables: Sequence[Table]) -> list[TableStatus]:
        """What is stored of each table."""
        ...
