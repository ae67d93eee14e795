"""One landed file into rows as its provider wrote them: columns by name, with nothing interpreted yet.

Parquet keeps its types. CSV and JSON lines come as text, without any guess at types; what the text means is in
`normalise`.
"""

from __future__ import annotations

import codecs
import csv as plain_csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import csv

from nba_assets.raw.landing import Format, LandedFile
from nba_assets.raw.limits import BadFileError, Limits
from nba_assets.settings import Settings

__all__ = ["BadFileError", "FileRows", "Keep", "Malformed", "is_text", "read_file", "without_views"]

Keep = Callable[[pa.ChunkedArray], NDArray[np.bool_]]
"""Selects rows by the values of a file's date column."""


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CHUNK_BYTES = 2**20
LARGEST_FOOTER_BYTES = 32 * 2**20
"""Of Parquet: what its description takes in memory is many times that."""

ENGINE_MEMORY = "512MB"
"""What the engine that reads JSON may hold, beside the content of a file."""


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
    columns: Sequence[str] = ()
    """All that the file has, also those that were not read."""


def read_file(
    path: Path,
    file: LandedFile,
    names: Sequence[str],
    date_column: str,
    keep: Keep | None = None,
    limits: Limits | None = None,
) -> FileRows:
    """Those of the columns `names` that the file has, of the rows that `keep` selects by their `date_column`, or of
    all.

    Raises BadFileError where the file is not a whole file of its format, has a column twice, or exceeds `limits` (by
    default those of the environment). That is decided by the whole file, whatever `keep` selects of it.
    """
    limits = Limits.from_settings(Settings.from_environment()) if limits is None else limits
    try:
        limits.check_file(path.stat().st_size)
        if file.format is Format.PARQUET:
            found = _read_parquet(path, names, date_column, keep, limits)
        elif file.format is Format.CSV:
            found = _read_csv(_text(path, file.is_gzipped, limits), names, date_column, keep, limits)
        else:
            found = _read_json_lines(_text(path, file.is_gzipped, limits), names, date_column, keep, limits)
        found.rows.validate(full=True)
    except (pa.ArrowException, duckdb.Error, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        # An error with a number is the system's, and says nothing of what is in the file.
        if isinstance(error, OSError) and error.errno is not None:
            raise BadFileError(
                f"cannot be read: {error.strerror or str(error).splitlines()[0]}", is_transient=True
            ) from error
        raise BadFileError(f"cannot be read as {file.format}: {str(error).splitlines()[0]}") from error
    return found


def _read_parquet(path: Path, names: Sequence[str], date_column: str, keep: Keep | None, limits: Limits) -> FileRows:
    present, texts, there = _checked_parquet(path, names, limits)
    # Texts stay in their dictionaries until it is known how long they are without: a few bytes can repeat one a million
    # times.
    with pq.ParquetFile(path, read_dictionary=texts) as parquet:
        # No raw column is a list or a structure: of one that is, the type is enough to refuse the file.
        nested = [
            column for column in parquet.schema_arrow if column.name in present and pa.types.is_nested(column.type)
        ]
        present = [name for name in present if name not in {column.name for column in nested}]
        if keep is None or date_column not in present:
            rows = _with_nulls(_decoded(parquet.read(columns=present), limits), nested)
            return FileRows(rows, np.arange(1, rows.num_rows + 1), columns=there)
        selected = keep(_decoded(parquet.read(columns=[date_column]), limits).column(0))
        sizes = [parquet.metadata.row_group(group).num_rows for group in range(parquet.metadata.num_row_groups)]
        group_of_row = np.repeat(np.arange(len(sizes)), sizes)
        if len(selected) != len(group_of_row):
            raise BadFileError(
                f"holds {len(selected)} values of {date_column} for {len(group_of_row)} rows", date_column
            )
        # Row groups without a selected row are not decoded: a date costs what its rows cost, as far as the layout
        # allows.
        groups = np.unique(group_of_row[selected])
        read = np.isin(group_of_row, groups)
        rows = parquet.read_row_groups(groups.tolist(), columns=present)
    if rows.num_rows != read.sum():
        raise BadFileError(f"holds {rows.num_rows} rows where it says that it has {read.sum()}")
    rows = _decoded(rows.filter(pa.array(selected[read])), limits)
    return FileRows(_with_nulls(rows, nested), np.flatnonzero(selected) + 1, columns=there)


def _with_nulls(rows: pa.Table, columns: Sequence[pa.Field]) -> pa.Table:
    for column in columns:
        rows = rows.append_column(column, pa.nulls(rows.num_rows, column.type))
    return rows


def _checked_parquet(path: Path, names: Sequence[str], limits: Limits) -> tuple[list[str], list[str], list[str]]:
    """Those of the columns that the file has, which of these are texts, and all that it has, once what it says of
    itself is within the limits.
    """
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - 8, 0))
        footer_bytes = int.from_bytes(stream.read(4), "little")
    if LARGEST_FOOTER_BYTES < footer_bytes < path.stat().st_size:
        raise BadFileError(f"describes itself in {footer_bytes:,} bytes, at most {LARGEST_FOOTER_BYTES:,} are allowed")
    with pq.ParquetFile(path) as parquet:
        facts = parquet.metadata
        limits.check_columns(facts.num_columns)
        leaves = [facts.schema.column(place) for place in range(facts.num_columns)]
        limits.check_nesting(max((leaf.path.count(".") + 1 for leaf in leaves), default=0))
        there = parquet.schema_arrow.names
        present = _present(names, there)
        mine = [place for place, leaf in enumerate(leaves) if leaf.path in present]
        limits.check_values(facts.num_rows, len(present))
        groups = [facts.row_group(group) for group in range(facts.num_row_groups)]
        limits.check_content(sum(group.column(place).total_uncompressed_size for group in groups for place in mine))
    return present, [leaves[place].path for place in mine if leaves[place].physical_type == "BYTE_ARRAY"], there


def _decoded(rows: pa.Table, limits: Limits) -> pa.Table:
    """The rows with their texts out of their dictionaries, once it is known that they are within the limits."""
    rows = without_views(rows)
    repeated = [
        place
        for place, column in enumerate(rows.schema)
        if pa.types.is_dictionary(column.type) and is_text(column.type.value_type)
    ]
    chunks = [chunk for place in repeated for chunk in rows.column(place).chunks]
    sizes = [
        pc.sum(pc.take(pc.binary_length(chunk.dictionary).cast(pa.int64()), chunk.indices)).as_py() or 0
        for chunk in chunks
    ]
    limits.check_content(sum(sizes))
    for place in repeated:
        plain = rows.schema.field(place).type.value_type
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in rows.column(place).chunks], plain)
        rows = rows.set_column(place, rows.schema.field(place).name, column)
    return rows


def is_text(given: pa.DataType) -> bool:
    """Whether an Arrow type holds texts, or bytes that may be some."""
    kinds = pa.types
    texts = kinds.is_string(given) or kinds.is_large_string(given) or kinds.is_string_view(given)
    return bool(
        texts
        or kinds.is_binary(given)
        or kinds.is_large_binary(given)
        or kinds.is_binary_view(given)
        or kinds.is_fixed_size_binary(given)
    )


def without_views(rows: pa.Table) -> pa.Table:
    """The rows with views of texts as texts, because Arrow cannot filter views."""
    for place, column in enumerate(rows.schema):
        kind = column.type
        values = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string_view(values) or pa.types.is_binary_view(values):
            plain = pa.string() if pa.types.is_string_view(values) else pa.binary()
            rows = rows.set_column(
                place,
                column.name,
                pa.chunked_array([_as_plain(chunk, plain) for chunk in rows.column(place).chunks], plain),
            )
    return rows


def _as_plain(chunk: pa.Array, plain: pa.DataType) -> pa.Array:
    if isinstance(chunk, pa.DictionaryArray):
        return pa.DictionaryArray.from_arrays(chunk.indices, chunk.dictionary.cast(plain)).dictionary_decode()
    return chunk.cast(plain)


def _text(path: Path, gzipped: bool, limits: Limits) -> bytearray:
    """The content of a text file, decompressed, as far as it is within the limits."""
    with path.open("rb") as stream:
        if gzipped and not path.stat().st_size:
            raise EOFError("a compressed file is never empty")
        # The size that a compressed file states at its end is not looked at: of a truncated file it is any number.
        source = gzip.GzipFile(fileobj=stream) if gzipped else stream
        text = bytearray()
        try:
            while chunk := source.read(CHUNK_BYTES):
                text += chunk
                limits.check_content(len(text), at_least=True)
        except EOFError as error:
            raise EOFError("the gzip ends early, the file is not whole") from error
    if text.startswith(UTF_16_MARKS):
        raise BadFileError("looks like UTF-16: save it as UTF-8")
    limits.check_lines(text)
    return text


def _read_csv(text: bytearray, names: Sequence[str], date_column: str, keep: Keep | None, limits: Limits) -> FileRows:
    header = _csv_header(text)
    limits.check_columns(len(header))
    trimmed = [name.strip() for name in header]
    present = _present(names, trimmed)
    as_written = [header[trimmed.index(name)] for name in present]
    line_count = max(text.count(b"\n"), text.count(b"\r"))
    limits.check_values(line_count, len(present))
    broken: Mapping[str, str] = {}
    # A quote that is not closed makes one row of several, or one that is longer than a block: the file is looked
    # through for such quotes only where there are fewer rows than lines, or none can be read.
    try:
        rows, malformed = _parsed_csv(text, as_written, limits, broken)
        if rows.num_rows + len(malformed) + 1 < line_count + (not text.endswith((b"\n", b"\r"))):
            broken = _separate_broken_quotes(text, len(header))
    except pa.ArrowInvalid:
        broken = _separate_broken_quotes(text, len(header))
        if not broken:
            raise
    if broken:
        rows, malformed = _parsed_csv(text, as_written, limits, broken)
    rows = rows.select(as_written).rename_columns(present)
    numbers = np.arange(1, rows.num_rows + len(malformed) + 1)
    numbers = numbers[~np.isin(numbers, [row.number for row in malformed])]
    if keep is not None and date_column in rows.column_names:
        selected = keep(rows.column(date_column))
        rows, numbers = rows.filter(pa.array(selected)), numbers[selected]
    return FileRows(rows, numbers, malformed, trimmed)


def _parsed_csv(
    text: bytearray, names: Sequence[str], limits: Limits, broken: Mapping[str, str]
) -> tuple[pa.Table, list[Malformed]]:
    """The rows, and those that have not as many fields as the header; `broken` as `_separate_broken_quotes` has it."""
    malformed: list[Malformed] = []

    def leave_out(row: csv.InvalidRow) -> str:
        if row.text in broken:
            malformed.append(Malformed(row.number - 1, BROKEN_QUOTE, broken[row.text]))
        else:
            reason = f"has {row.actual_columns} fields where the header has {row.expected_columns}"
            malformed.append(Malformed(row.number - 1, reason, row.text))
        return "skip"

    rows = csv.read_csv(
        pa.BufferReader(text),
        # With threads, rows that are quarantined have no numbers; with plain "utf8", bytes are not checked before them.
        csv.ReadOptions(use_threads=False, encoding="utf-8-sig", block_size=max(CHUNK_BYTES, limits.line_bytes)),
        csv.ParseOptions(newlines_in_values=True, invalid_row_handler=leave_out),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            include_columns=names,
        ),
    )
    return rows, malformed


BROKEN_QUOTE = "has a quote that is not closed before the next row begins"
MOST_LINES_OF_A_ROW = 100
"""Without a bound, a file of quotes that each take in the rest of it would be read once per line."""
ONE_FIELD = bytes.maketrans(b',"', b";'")


def _separate_broken_quotes(text: bytearray, field_count: int) -> dict[str, str]:
    """Turn, in place, each line with a quote that would take in the rows after it into a single field, so that it is
    malformed by itself; returns what these lines were, by what they are now.

    Such a quote shows by a value with a line break and as many commas as a row has, or by several lines with the commas
    of two rows that are none by their number of fields, or by more lines than a row may have. Any other value may have
    line breaks.
    """
    broken: dict[str, str] = {}
    newline = b"\n" if b"\n" in text else b"\r"
    start = _line_end(text, len(text) - len(text.lstrip(b"\r\n")), newline)
    while field_count > 1 and (quote := text.find(b'"', start)) >= 0:
        start = max(start, text.rfind(newline, start, quote) + 1)
        ends: list[int] = []
        try:
            values = next(plain_csv.reader(islice(_lines_from(text, start, newline, ends), MOST_LINES_OF_A_ROW + 1)))
            takes_in_rows = (
                len(ends) > MOST_LINES_OF_A_ROW
                or _has_a_row_in_a_value(values, field_count)
                or (len(values) != field_count and text.count(b",", start, ends[-1]) >= 2 * (field_count - 1))
            )
        except plain_csv.Error:  # a value of more than 128 KB
            takes_in_rows = True
        if len(ends) == 1 or not takes_in_rows:
            start = ends[-1]
            continue
        line = text[start : ends[0]]
        text[start : ends[0]] = line.translate(ONE_FIELD)
        broken[_plain_line(text[start : ends[0]])] = _plain_line(line)
        start = ends[0]
    return broken


def _has_a_row_in_a_value(values: Sequence[str], field_count: int) -> bool:
    return any(("\n" in value or "\r" in value) and value.count(",") >= field_count - 1 for value in values)


def _lines_from(text: bytearray, start: int, newline: bytes, ends: list[int]) -> Iterator[str]:
    """The lines from a place on, each with its end; where they end is added to `ends`."""
    while start < len(text):
        end = _line_end(text, start, newline)
        ends.append(end)
        yield text[start:end].decode("utf-8", "replace")
        start = end


def _line_end(text: bytearray, start: int, newline: bytes) -> int:
    found = text.find(newline, start)
    return len(text) if found < 0 else found + 1


def _plain_line(line: bytearray) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _csv_header(text: bytearray) -> list[str]:
    """The names in the first line that is not empty; none where there is none."""
    lines = io.TextIOWrapper(
        io.BufferedReader(pa.BufferReader(text)), encoding="utf-8-sig", errors="replace", newline=""
    )
    try:
        return next((row for row in plain_csv.reader(lines) if row), [])
    except plain_csv.Error as error:
        raise BadFileError(f"cannot be read as CSV: its header is not one line of names: {error}") from error


def _read_json_lines(
    text: bytearray, names: Sequence[str], date_column: str, keep: Keep | None, limits: Limits
) -> FileRows:
    limits.check_values(text.count(b"\n"), 1)
    content = _json_lines(text)
    limits.check_json_nesting(text, content)
    lines = pa.table({"number": np.arange(1, len(content) + 1), "line": content})
    with _json_engine().cursor() as connection:
        # Lines are read as plain text first, so that one that is no JSON is quarantined alone and keeps its number.
        connection.register("lines", lines)
        kinds = connection.sql(
            """
            SELECT trim(line, ' \t\r\n') = '' AS is_blank, CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT'
            ELSE false END AS is_object FROM lines
            """
        ).to_arrow_table()
        is_blank, is_object = (kinds.column(name).combine_chunks() for name in ("is_blank", "is_object"))
        first = (
            lines.filter(pc.invert(is_blank)).slice(0, 1).column("line").to_pylist()
            if pc.any(pc.invert(is_object)).as_py()
            else []
        )
        if first and first[0].lstrip().startswith("["):
            raise BadFileError("is a JSON array; JSON lines hold one object per line")
        broken = lines.filter(pc.invert(pc.or_(is_object, is_blank))).to_pylist()
        malformed = [Malformed(row["number"], "is not a JSON object", row["line"].rstrip("\r\n")) for row in broken]
        if not pc.all(is_object).as_py():
            lines = lines.filter(is_object)
            connection.register("lines", lines)
        keys = _json_keys(connection, limits)
        present = [name for name in names if name in keys or not lines.num_rows]
        there = [*present, *sorted(keys.difference(present))]
        limits.check_values(lines.num_rows, len(present))
        if keep is not None and date_column in present:
            dates = connection.sql(
                "SELECT json_extract_string(line, ?) AS day FROM lines", params=[_json_path(date_column)]
            )
            lines = lines.filter(pa.array(keep(dates.to_arrow_table().column("day"))))
            connection.register("lines", lines)
        rows = connection.sql(
            f"""
            SELECT {", ".join(f'found[{place}] AS "{name}"' for place, name in enumerate(present, start=1)) or "1"}
            FROM (SELECT json_extract_string(line, ?) AS found FROM lines)
            """,
            params=[[_json_path(name) for name in present]],
        ).to_arrow_table()
    return FileRows(rows.select(present), lines.column("number").to_numpy(), malformed, there)


def _json_lines(text: bytearray) -> pa.LargeStringArray:
    """The lines of a text, each with its end, without a copy of it; raises ArrowInvalid where it is not UTF-8."""
    start = len(BYTE_ORDER_MARK) if text.startswith(BYTE_ORDER_MARK) else 0
    ends = [start]
    for chunk in range(start, len(text), CHUNK_BYTES):
        ends.extend(
            (
                np.flatnonzero(np.frombuffer(text, np.uint8, min(CHUNK_BYTES, len(text) - chunk), chunk) == ord("\n"))
                + chunk
                + 1
            ).tolist()
        )
    if ends[-1] < len(text):
        ends.append(len(text))
    lines = pa.LargeStringArray.from_buffers(
        len(ends) - 1, pa.py_buffer(np.array(ends, dtype=np.int64)), pa.py_buffer(text)
    )
    lines.validate(full=True)
    return lines


def _json_keys(connection: duckdb.DuckDBPyConnection, limits: Limits) -> set[str]:
    """The keys of all lines, as far as their number is within the limits."""
    query = "SELECT DISTINCT unnest(keys) FROM (SELECT DISTINCT json_keys(line) AS keys FROM lines) LIMIT ?"
    keys = {key for (key,) in connection.execute(query, [limits.columns + 1]).fetchall()}
    limits.check_columns(len(keys), at_least=True)
    return keys


def _json_path(name: str) -> str:
    return f'$."{name}"'


@cache
def _json_engine() -> duckdb.DuckDBPyConnection:
    """One engine in memory for all files: to start it takes longer than to read a file of one game."""
    return duckdb.connect(config={"memory_limit": ENGINE_MEMORY})


def _present(names: Sequence[str], there: list[str]) -> list[str]:
    for name in names:
        if there.count(name) > 1:
            raise BadFileError(f"has the column {name} {there.count(name)} times", name)
    return [name for name in names if name in there]
