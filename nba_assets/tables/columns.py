"""Conversion between Arrow tables, as they are stored, and numpy columns, as they are computed.

Rounding happens here and nowhere else: `to_arrow` alone makes stored rows of computed ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nba_assets.tables.lists import to_arrow_numbers, to_arrow_texts, to_python_lists
from nba_assets.tables.spec import Column, Columns, Table, Type

ARROW_TYPES: dict[Type, pa.DataType] = {
    Type.STRING: pa.string(),
    Type.INT64: pa.int64(),
    Type.FLOAT64: pa.float64(),
    Type.BOOL: pa.bool_(),
    Type.DATE: pa.date32(),
    Type.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    Type.STRINGS: pa.list_(pa.string()),
    Type.FLOATS: pa.list_(pa.float64()),
}

LARGEST_WHOLE = 2.0**53
"""Above this, float64 no longer holds every whole number."""


def arrow_schema(table: Table, names: Sequence[str] | None = None) -> pa.Schema:
    """The Arrow schema of a table, or of the named columns in the order given."""
    columns = table.columns if names is None else [table.column(name) for name in names]
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in columns])


def to_columns(rows: pa.Table) -> dict[str, NDArray[np.generic]]:
    """Numpy columns of an Arrow table; nulls become NaN, None or NaT by type."""
    return {name: to_numpy(rows.column(name)) for name in rows.column_names}


class StoredColumns(Mapping[str, NDArray[Any]]):
    """Stored rows, read like the numpy columns that `to_columns` makes of them; each is made when it is first looked
    at.

    A check looks at few of them, and lists of features fill more memory than all other columns together.
    """

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self._names = dict.fromkeys(rows.column_names)
        self._made: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column."""
        if name not in self._made:
            self._made[name] = to_numpy(self.rows.column(name))
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a column; nothing is made to know it."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self._names)

    def __len__(self) -> int:
        """The number of columns."""
        return len(self._names)

    @property
    def looked_at(self) -> list[str]:
        """The columns that were looked at, in the order of the first look."""
        return list(self._made)

    def is_null(self, name: str) -> NDArray[np.bool_]:
        """The rows that lack a value of a column."""
        nulls: NDArray[np.bool_] = pc.is_null(self.rows.column(name), nan_is_null=True).to_numpy()
        return nulls

    def is_unlisted(self, name: str, listed: Sequence[str]) -> NDArray[np.bool_]:
        """The rows that have a value of a column of texts which is not among the listed ones."""
        column = self.rows.column(name)
        found = pc.is_in(column, pa.array(listed, column.type))
        unlisted: NDArray[np.bool_] = pc.and_(pc.is_valid(column), pc.invert(found)).to_numpy()
        return unlisted


def distinct_texts(values: pa.ChunkedArray) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts of a column, and for each row which of them it holds; their number for null.

    Example: of ["BOS", None, "BOS"] they are ["BOS"] and 0, 1, 0.
    """
    encoded = values.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    distinct = encoded.dictionary.to_pylist()
    return distinct, encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)


def to_arrow(table: Table, rows: Columns) -> pa.Table:
    """Rows as they are stored: every column of the spec in its order, typed, rounded to its scale, NaN as null and
    minus zero as zero.

    Raises ValueError, naming table and column, for a missing or unknown column, an infinite value, a fraction in a
    whole-number column or anything but 0 and 1 in a flag.
    """
    missing, unknown = set(table.column_names) - set(rows), set(rows) - set(table.column_names)
    if missing or unknown:
        raise ValueError(
            f"rows of {table.qualified_name} lack columns {sorted(missing)} and have undeclared columns "
            f"{sorted(unknown)}"
        )
    return pa.table(
        [_to_arrow(table, column, rows[column.name]) for column in table.columns], schema=arrow_schema(table)
    )


def unstorable(table: Table, rows: Columns) -> dict[str, NDArray[np.bool_]]:
    """The rows that `to_arrow` refuses for a value of theirs, by the column at fault: infinite, a fraction of a whole
    number, of another type.
    """

    def refuses(column: Column, values: NDArray[Any]) -> bool:
        try:
            _to_arrow(table, column, values)
        except (ValueError, TypeError):
            return True
        return False

    at_fault = [column for column in table.columns if column.name in rows and refuses(column, rows[column.name])]
    return {
        column.name: np.array(
            [refuses(column, rows[column.name][place : place + 1]) for place in range(len(rows[column.name]))],
            dtype=bool,
        )
        for column in at_fault
    }


def empty(table: Table) -> pa.Table:
    """No rows of a table, with its schema."""
    return arrow_schema(table).empty_table()


def blank(kind: Type, size: int) -> NDArray[Any]:
    """A column of nulls of a type, as it is held in memory."""
    if kind in (Type.DATE, Type.TIMESTAMP):
        return np.full(size, "NaT", dtype="M8[D]" if kind is Type.DATE else "M8[us]")
    return np.full(size, np.nan) if kind in (Type.INT64, Type.FLOAT64, Type.BOOL) else np.full(size, None, dtype=object)


def to_numpy(values: pa.ChunkedArray) -> NDArray[np.generic]:
    """A numpy column of an Arrow one, as `to_columns` has it."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        kind, values = kind.value_type, values.cast(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        # One Python string per distinct value instead of one per row: play-by-play repeats each name hundreds of times.
        distinct, codes = distinct_texts(values)
        return np.array([*distinct, None], dtype=object)[codes]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return to_python_lists(values.combine_chunks())
    if pa.types.is_date(kind):
        return values.cast(pa.date32()).to_numpy().astype("M8[D]")
    if pa.types.is_timestamp(kind):
        return values.cast(pa.timestamp("us")).to_numpy()
    return (values if pa.types.is_float64(kind) else values.cast(pa.float64())).to_numpy()


def _to_arrow(table: Table, column: Column, values: NDArray[np.generic]) -> pa.Array:
    kind = ARROW_TYPES[column.type]
    if column.type in (Type.FLOAT64, Type.INT64, Type.BOOL):
        numbers = np.asarray(values, dtype=np.float64)
        if np.isinf(numbers).any():
            raise ValueError(
                f"{table.qualified_name}.{column.name} holds an infinite value; a ratio over zero must be NaN"
            )
        nulls = np.isnan(numbers)
        if column.type is Type.FLOAT64:
            rounded = numbers if column.scale is None else np.round(numbers, column.scale)
            return pa.array(rounded + 0.0, type=kind, mask=nulls)  # -0.0 + 0.0 is 0.0
        filled = np.where(nulls, 0.0, numbers)
        wrong = (filled != np.trunc(filled)) | (np.abs(filled) > (1 if column.type is Type.BOOL else LARGEST_WHOLE))
        if wrong.any():
            raise ValueError(
                f"{table.qualified_name}.{column.name} is declared {column.type} but holds {filled[wrong][0]}"
            )
        return pa.array(filled.astype(bool if column.type is Type.BOOL else np.int64), type=kind, mask=nulls)
    if column.type in (Type.DATE, Type.TIMESTAMP):
        return pa.array(
            np.asarray(values, dtype="M8[D]" if column.type is Type.DATE else "M8[us]"), from_pandas=True
        ).cast(kind)
    if column.type is Type.STRINGS:
        return to_arrow_texts(values, kind)
    if column.type is Type.FLOATS:
        return to_arrow_numbers(values, kind)
    return pa.array(list(values), type=kind, from_pandas=True)
