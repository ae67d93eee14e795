"""What every back end refuses before it touches anything: rows that do not fit their table, values that do not fit
their column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from nba_assets.tables.columns import ARROW_TYPES, arrow_schema
from nba_assets.tables.spec import Column, Table
from nba_assets.warehouse.interface import Insertion, Replacement, SchemaMismatchError, Value


def validate(replacements: Sequence[Replacement | Insertion]) -> None:
    """Raise ValueError for rows of other columns or types than their table's, with a null where none may be, or outside
    what they replace.
    """
    for replacement in replacements:
        _validate(replacement)


def filter_values(table: Table, name: str, allowed: Value | Sequence[Value]) -> list[Value]:
    """The values of a filter; ValueError, naming the column, for one that the column cannot hold."""
    values = [allowed] if isinstance(allowed, (str, int, float, date)) else list(allowed)
    try:
        return pa.array(values, ARROW_TYPES[table.column(name).type]).to_pylist()
    except (pa.ArrowException, TypeError) as error:
        raise ValueError(
            f"{table.qualified_name}.{name} is {table.column(name).type} and cannot be one of {values[:5]}: {error}"
        ) from error


def lacking_columns(table: Table, stored: Mapping[str, str], declared: Mapping[str, str], advice: str) -> list[Column]:
    """The nullable columns that a stored table lacks; SchemaMismatchError, ending with `advice`, for any other
    difference.

    `stored` and `declared` hold the definition of each column, by name, as the back end writes it.
    """
    for name, definition in stored.items():
        if name not in declared:
            raise SchemaMismatchError(
                f"{table.qualified_name} is stored with the column {definition}, which its spec does not declare. "
                f"{advice}"
            )
        if definition != declared[name]:
            raise SchemaMismatchError(
                f"{table.qualified_name}.{name} is stored as {definition} but declared as {declared[name]}. {advice}"
            )
    lacking = [column for column in table.columns if column.name not in stored]
    for column in lacking:
        if not column.nullable:
            raise SchemaMismatchError(
                f"{table.qualified_name} is stored without the column {declared[column.name]}, which may not be null. "
                f"{advice}"
            )
    return lacking


def _validate(replacement: Replacement | Insertion) -> None:
    """Raise ValueError for rows of other columns or types than the table's, or outside what is replaced."""
    table, rows = replacement.table, replacement.rows
    missing, unknown = (
        set(table.column_names) - set(rows.column_names),
        set(rows.column_names) - set(table.column_names),
    )
    if missing or unknown:
        raise ValueError(
            f"rows for {table.qualified_name} lack columns {sorted(missing)} and have undeclared columns "
            f"{sorted(unknown)}"
        )
    rows = rows.select(table.column_names)
    for declared, given in zip(arrow_schema(table), rows.schema, strict=True):
        if declared.type != given.type:
            raise ValueError(
                f"{table.qualified_name}.{declared.name} is declared {declared.type}, but its new rows hold "
                f"{given.type}"
            )
    if isinstance(replacement, Insertion):
        _validate_required(table, rows)
        return
    stray = set(rows.column(table.date_column).unique().to_pylist()) - set(replacement.dates)
    if stray:
        raise ValueError(
            f"rows for {table.qualified_name} are dated {_some(stray)}, outside the dates that they replace"
        )
    for name, value in replacement.scope.items():
        others = set(rows.column(table.column(name).name).unique().to_pylist()) - {value}
        if others:
            raise ValueError(
                f"rows for {table.qualified_name} have {name} {_some(others)}, outside the {value!r} that they replace"
            )
    _validate_required(table, rows)


def _validate_required(table: Table, rows: pa.Table) -> None:
    for column in table.columns:
        nulls = 0 if column.nullable else rows.column(column.name).null_count
        if nulls:
            raise ValueError(
                f"rows for {table.qualified_name} have null in {nulls} of {rows.num_rows} values of "
                f"{column.name}, which may not be null"
            )


def _some(values: set[object]) -> str:
    return ", ".join(sorted(map(str, values))[:5])
