"""Tables of the warehouse as files, for tools that read no DuckDB: a Parquet or CSV file per table.

Rows travel by months, so that memory is that of one month whatever the range. A file is written beside its place and
renamed once it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Warehouse

SLICE_DAYS = 31


class Format(StrEnum):
    """What tables are written as."""

    PARQUET = "parquet"
    CSV = "csv"


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
    unfinished = Path(f"{file}.new")
    count = 0
    try:
        with warehouse.session(), closing(_writer(unfinished, table, file_format)) as writer:
            for rows in _slices(warehouse, table, start, end):
                writer.write_table(rows if file_format is Format.PARQUET else _with_lists_as_json(rows))
                count += rows.num_rows
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return Exported(file, count)


def _slices(warehouse: Warehouse, table: Table, start: date, end: date) -> Iterator[pa.Table]:
    """The rows of a table, some weeks at a time."""
    (stored,) = warehouse.status([table])
    if stored.first_date is None or stored.last_date is None:
        return
    first, last = max(start, stored.first_date), min(end, stored.last_date)
    while first <= last:
        until = min(first + timedelta(days=SLICE_DAYS - 1), last)
        yield warehouse.read(table, table.column_names, first, until)
        first = until + timedelta(days=1)


def _writer(file: Path, table: Table, file_format: Format) -> Any:
    # Each takes its time to import.
    if file_format is Format.PARQUET:
        from pyarrow.parquet import ParquetWriter

        return ParquetWriter(file, arrow_schema(table))
    from pyarrow.csv import CSVWriter

    return CSVWriter(file, _with_lists_as_json(arrow_schema(table).empty_table()).schema)


def _with_lists_as_json(rows: pa.Table) -> pa.Table:
    for place, field in enumerate(rows.schema):
        if pa.types.is_list(field.type):
            texts = [json.dumps(value) for value in rows.column(place).to_pylist()]
            rows = rows.set_column(place, field.name, pa.array(texts, pa.string()))
    return rows
