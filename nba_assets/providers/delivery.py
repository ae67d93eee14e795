"""What a provider delivers, and its rows as an Arrow table of the raw contract.

How rows become files is in `landing_writer`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from nba_assets.raw.tables import RawTable
from nba_assets.tables.columns import ARROW_TYPES
from nba_assets.tables.spec import Column

Row = Mapping[str, Any]
"""One row of a raw table by column; a column that is left out is null."""


class ProviderError(Exception):
    """A source cannot be read or reached at all; the message says what to do, in one line."""


@dataclass(frozen=True)
class Delivery:
    """Rows of raw tables that one provider had at one moment.

    `provider` names the provider's files in the landing zone. `processed_at` stamps rows that have no stamp of their
    own: when the data was fetched, or the file that holds it was written. `remarks` say in plain words what was left
    out.
    """

    provider: str
    processed_at: datetime
    tables: Mapping[str, Sequence[Row]]
    remarks: Sequence[str] = ()


@contextmanager
def mapping(what: str) -> Iterator[None]:
    """What goes wrong inside because a payload or file does not have the shape that a mapping expects is a
    ProviderError that names it.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, StopIteration) as error:
        raise ProviderError(
            f"{what} does not have the shape that is expected: {type(error).__name__} {error}"
        ) from error


class Provider(Protocol):
    """A source of deliveries, e.g. a folder of files; usually one delivery per date, so that a season need not be held
    in memory.
    """

    def deliveries(self) -> Iterator[Delivery]:
        """What the source holds. Raises ProviderError where it cannot be read."""
        ...


def to_table(raw: RawTable, rows: Iterable[Row], processed_at: datetime) -> pa.Table:
    """Rows with every column of the raw table, in its order; the schema is the same whatever the rows hold.

    Columns that feeds write in forms of their own (`RawTable.readings`), such as clocks and odds, are text, and so is a
    column with values that are not of its type: ingestion judges them. Raises ValueError for a column that the raw
    table does not have.
    """
    rows = list(rows)
    if undeclared := {name for row in rows for name in row} - {*raw.table.column_names}:
        raise ValueError(f"{raw.name} has no column {', '.join(sorted(undeclared))}")
    values = {column.name: [row.get(column.name) for row in rows] for column in raw.table.columns}
    values["processed_at"] = [processed_at if stamp is None else stamp for stamp in values["processed_at"]]
    return pa.table({column.name: _array(raw, column, values[column.name]) for column in raw.table.columns})


def _array(raw: RawTable, column: Column, values: list[Any]) -> pa.Array:
    kind = ARROW_TYPES[column.type]
    if kind != pa.string() and column.name not in raw.readings:
        try:
            return pa.array(values, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            pass
    return pa.array([None if value is None else str(value) for value in values], pa.string())
