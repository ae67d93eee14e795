"""One landed file into rows as its provider wrote them: columns by name, with nothing interpreted yet.

Parquet keeps its types. CSV and JSON lines come as text, without any guess at types; what the text means is the
business of `normalise`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import csv

from nba_assets.raw.landing import Format, LandedFile

Keep = Callable[[pa.ChunkedArray], NDArray[np.bool_]]
"""Tells from the values of a file's date column which rows are wanted."""


class BadFileError(Exception):
    """A whole file cannot be used; `column` is the column at fault, where there is one."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        """`reason` goes on where "the file" begins: it says what is wrong without naming the file."""
        super().__init__(reason)
        self.column = column


@dataclass(frozen=True)
class Malformed:
    """A row that is not even a row of its format."""

    number: int
    reason: str
    content: str


@dataclass(frozen=True)
class FileRows:
    """Rows of one file and their numbers within it, from 1; the header of CSV does not count."""

    rows: pa.Table
    numbers: NDArray[np.int64]
    malformed: list[Malformed] = field(default_factory=list)


def read_file(path: Path, file: LandedFile, names: Sequence[str], date_column: str, keep: Keep | None = None) -> FileRows:
    """Those of the columns `names` that the file has, of the rows that `keep` wants by their `date_column`, or of all.

    Raises BadFileError where the file is not a whole file of its format, or has a column twice.
    """
    try:
        if file.format is Format.PARQUET:
            found = _read_parquet(path, names, date_column, keep)
        elif file.format is Format.CSV:
            found = _read_csv(path, file.is_gzipped, names, date_column, keep)
        else:
            found = _read_json_lines(path, file.is_gzipped, names, date_column, keep)
        found.rows.validate(full=True)
    except (pa.ArrowException, duckdb.Error, OSError, UnicodeDecodeError) as error:
        raise BadFileError(f"cannot be read as {file.format}: {str(error).splitlines()[0]}") from error
    return found


def _read_parquet(path: Path, names: Sequence[str], date_column: str, keep: Keep | None) -> FileRows:
    with pq.ParquetFile(path) as parquet:
        present = _present(names, parquet.schema_arrow.names)
        if keep is None or date_column not in present:
            rows = without_views(parquet.read(columns=present))
            return FileRows(rows, np.arange(1, rows.num_rows + 1))
        wanted = keep(without_views(parquet.read(columns=[date_column])).column(0))
        sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.metadata.num_row_groups)]
        group_of_row = np.repeat(np.arange(len(sizes)), sizes)
        if len(wanted) != len(group_of_row):
            raise BadFileError(f"holds {len(wanted)} values of {date_column} for {len(group_of_row)} rows", date_column)
        # Row groups without a wanted row are not decoded: a date costs what its rows cost, as far as the layout allows.
        groups = np.unique(group_of_row[wanted])
        read = np.isin(group_of_row, groups)
        rows = without_views(parquet.read_row_groups(groups.tolist(), columns=present))
    if rows.num_rows != read.sum():
        raise BadFileError(f"holds {rows.num_rows} rows where it says that it has {read.sum()}")
    return FileRows(rows.filter(pa.array(wanted[read])), np.flatnonzero(wanted) + 1)


def is_text(given: pa.DataType) -> bool:
    """Whether an Arrow type holds texts, or bytes that may be some."""
    kinds = pa.types
    texts = kinds.is_string(given) or kinds.is_large_string(given) or kinds.is_string_view(given)
    return bool(texts or kinds.is_binary(given) or kinds.is_large_binary(given) or kinds.is_binary_view(given) or kinds.is_fixed_size_binary(given))


def without_views(rows: pa.Table) -> pa.Table:
    """The rows with views of texts as texts, because Arrow cannot filter views."""
    for place, column in enumerate(rows.schema):
        kind = column.type
        values = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string_view(values) or pa.types.is_binary_view(values):
            plain = pa.string() if pa.types.is_string_view(values) else pa.binary()
            rows = rows.set_column(place, column.name, pa.chunked_array([_as_plain(chunk, plain) for chunk in rows.column(place).chunks], plain))
    return rows


def _as_plain(chunk: pa.Array, plain: pa.DataType) -> pa.Array:
    if isinstance(chunk, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(plain)).dictionary_decode()
    return chunk.cast(plain)


def _read_csv(path: Path, gzipped: bool, names: Sequence[str], date_column: str, keep: Keep | None) -> FileRows:
    malformed: list[Malformed] = []

    def set_aside(row: csv.InvalidRow) -> str:
        reason = f"has {row.actual_columns} fields where the header has {row.expected_columns}"
        malformed.append(Malformed(row.number - 1, reason, row.text))
        return "skip"

    with pa.input_stream(str(path), compression="gzip" if gzipped else None) as stream:
        rows = csv.read_csv(
            stream,
            # With threads, rows that are set aside have no numbers; with plain "utf8", bytes are not checked before them.
            csv.ReadOptions(use_threads=False, encoding="utf-8-sig"),
            csv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]),
        )
    rows = rows.select(_present(names, rows.column_names))
    numbers = np.arange(1, rows.num_rows + len(malformed) + 1)
    numbers = numbers[~np.isin(numbers, [row.number for row in malformed])]
    if keep is not None and date_column in rows.column_names:
        wanted = keep(rows.column(date_column))
        rows, numbers = rows.filter(pa.array(wanted)), numbers[wanted]
    return FileRows(rows, numbers, malformed)


def _read_json_lines(path: Path, gzipped: bool, names: Sequence[str], date_column: str, keep: Keep | None) -> FileRows:
    with _json_engine().cursor() as connection:
        # Lines are read as plain text first, so that one that is no JSON is set aside alone and keeps its number.
        lines = connection.sql(
            """
            SELECT number, line, CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END AS is_object
            FROM (
                SELECT row_number() OVER () AS number, line
                FROM read_csv(
                    ?, columns = {'line': 'VARCHAR'}, compression = ?,
                    auto_detect = false, header = false, delim = '\x01', quote = '', escape = ''
                )
            )
            WHERE trim(line) <> ''
            """,
            params=[str(path), "gzip" if gzipped else "none"],
        ).to_arrow_table()
        if lines.num_rows and lines.column("line")[0].as_py().lstrip().startswith("["):
            raise BadFileError("is a JSON array; JSON lines hold one object per line")
        broken = lines.filter(pc.invert(lines.column("is_object"))).to_pylist()
        malformed = [Malformed(row["number"], "is not a JSON object", row["line"]) for row in broken]
        lines = lines.filter(lines.column("is_object"))
        connection.register("lines", lines)
        keys = {key for (found,) in connection.execute("SELECT DISTINCT json_keys(line) FROM lines").fetchall() for key in found}
        present = [name for name in names if name in keys or not lines.num_rows]
        if keep is not None and date_column in present:
            dates = connection.sql("SELECT json_extract_string(line, ?) AS day FROM lines", params=[_json_path(date_column)])
            lines = lines.filter(pa.array(keep(dates.to_arrow_table().column("day"))))
            connection.register("lines", lines)
        rows = connection.sql(
            f"""
            SELECT {", ".join(f'found[{place}] AS "{name}"' for place, name in enumerate(present, start=1)) or "1"}
            FROM (SELECT json_extract_string(line, ?) AS found FROM lines)
            """,
            params=[[_json_path(name) for name in present]],
        ).to_arrow_table()
    return FileRows(rows.select(present), lines.column("number").to_numpy(), malformed)


def _json_path(name: str) -> str:
    return f'$."{name}"'


@cache
def _json_engine() -> duckdb.DuckDBPyConnection:
    """One engine in memory for all files: to start it takes longer than to read a file of one game."""
    return duckdb.connect()


def _present(names: Sequence[str], there: list[str]) -> list[str]:
    for name in names:
        if there.count(name) > 1:
            raise BadFileError(f"has the column {name} {there.count(name)} times", name)
    return [name for name in names if name in there]
