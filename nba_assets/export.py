"""Tables of the warehouse as files, for tools that read no DuckDB: a Parquet or CSV file per table.

Rows travel by months, so that memory is that of one month whatever the range. A file is written beside its place and
renamed once it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from nba_assets.settings import SettingsError
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Warehouse

SLICE_DAYS = 31


class Format(StrEnum):
    """What tables are written as."""

    PARQUET = "parquet"
    CSV = "csv"

    @classmethod
    def of_file(cls, file: Path, requested: Format | None = None) -> Format:
        """The format that the suffix of a file says; raises FormatError where it says none, or another than requested.

        Example: `train.csv` is CSV, and is refused where Parquet was requested.
        """
        suffixes = {f".{known}": known for known in cls}
        found = suffixes.get(file.suffix.lower())
        if found is None:
            raise FormatError(f"{file} does not say its format; name a file that ends in {' or '.join(suffixes)}")
        if requested not in (None, found):
            raise FormatError(
                f"{file} is a file of format {found}, and --format says {requested}; leave out --format, or name a "
                f"file that ends in .{requested}"
            )
        return found


class FormatError(SettingsError):
    """A file cannot be written in the format that its name or the request says; the message says why and what to do."""


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how many rows it holds."""

    file: Path
    rows: int


def export_table(
    warehouse: Warehouse, table: Table, start: date, end: date, folder: Path, file_format: Format
) -> Exported:
    """Write the rows of a table dated from `start` to `end` into a file in `folder`, in slices sorted by its key.

    All rows are of one moment: nobody writes the warehouse until the file is whole, so that of a warehouse at work
    rather the copy for readers is exported. A Parquet file has the table's types. In CSV lists are JSON arrays, moments
    are UTC, null is nothing and an empty text is "". Raises OSError where the file cannot be written, WarehouseError
    where the warehouse cannot be read, both with what was there before left as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{table.name}.{file_format}"
    with warehouse.session():
        return Exported(
            file, write_slices(file, file_format, arrow_schema(table), slices_of(warehouse, table, start, end))
        )


def write_slices(file: Path, file_format: Format, schema: pa.Schema, slices: Iterable[pa.Table]) -> int:
    """Write tables of one schema into a file, beside its place first; how many rows they are."""
    unfinished = Path(f"{file}.new")
    count = 0
    try:
        with closing(_writer(unfinished, schema, file_format)) as writer:
            for rows in slices:
                writer.write_table(rows if file_format is Format.PARQUET else _with_lists_as_json(rows))
                count += rows.num_rows
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def slices_of(warehouse: Warehouse, table: Table, start: date, end: date) -> Iterator[pa.Table]:
    """The rows of a table dated from `start` to `end`, some weeks at a time, those without rows left out."""
    for first, last in spans_of(warehouse, [table], start, end):
        rows = warehouse.read(table, table.column_names, first, last)
        if rows.num_rows:
            yield rows


def spans_of(warehouse: Warehouse, tables: Sequence[Table], start: date, end: date) -> Iterator[tuple[date, date]]:
    """The first and the last date of the slices in which tables are read from `start` to `end`."""
    stored = warehouse.status(tables)
    firsts = [one.first_date for one in stored if one.first_date is not None]
    lasts = [one.last_date for one in stored if one.last_date is not None]
    if not firsts:
        return
    first, last = max(start, min(firsts)), min(end, max(lasts))
    while first <= last:
        until = min(first + timedelta(days=SLICE_DAYS - 1), last)
        yield first, until
        first = until + timedelta(days=1)


def _writer(file: Path, schema: pa.Schema, file_format: Format) -> Any:
    # Each takes its time to import.
    if file_format is Format.PARQUET:
        from pyarrow.parquet import ParquetWriter

        return ParquetWriter(file, schema)
    from pyarrow.csv import CSVWriter

    return CSVWriter(file, _with_lists_as_json(schema.empty_table()).schema)


def _with_lists_as_json(rows: pa.Table) -> pa.Table:
    for place, field in enumerate(rows.schema):
        if pa.types.is_list(field.type):
            texts = [json.dumps(value) for value in rows.column(place).to_pylist()]
            rows = rows.set_column(place, field.name, pa.array(texts, pa.string()))
    return rows
