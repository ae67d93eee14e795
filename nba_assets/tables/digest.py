"""Fingerprints of rows and partitions: equal content, equal digest, whatever the order, the machine or the day.

A row's hash covers its key and measures as stored (rounded); timestamps and bookkeeping stay out. A partition's digest
covers its rows in no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from nba_assets.tables.columns import distinct_texts, to_numpy
from nba_assets.tables.lists import distinct_lists, to_python_lists
from nba_assets.tables.spec import Columns, Table

Hashes = NDArray[np.uint64]
NULL_BITS = np.uint64(0x9E3779B97F4A7C15)
FIRST_MULTIPLIER, SECOND_MULTIPLIER = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
"""Finalizer of MurmurHash3 (Appleby, public domain): each input bit changes each output bit half of the time."""

CELLS_AT_ONCE = 1 << 18
"""The columns of few rows are mixed with a few calls of numpy for all of them; so much at once costs no memory."""
LONGEST_KEY, KEYS_KEPT = 40, 1 << 16
"""Digests of so many short texts are kept: every table of a run hashes the same game ids, players and teams."""


def row_hashes(table: Table, rows: pa.Table) -> Hashes:
    """64-bit hash of each stored row over the table's hashed columns."""
    names = [column.name for column in table.columns if column.hashed and column.name in rows.column_names]
    return _combined(((name, _stored_bits(rows.column(name))) for name in names), rows.num_rows)


def value_hashes(values: NDArray[np.generic]) -> Hashes:
    """64-bit hash of each of some values; equal values have equal ones, whatever stands around them."""
    return _mix(_bits(values))


def as_hex(hashes: Hashes) -> NDArray[np.object_]:
    """Hashes as 16 hexadecimal digits, the form in which `data_hash` is stored."""
    return np.array([f"{value:016x}" for value in hashes.tolist()], dtype=object)


def partition_digest(hashes: Hashes) -> str:
    """Digest of a set of rows from their hashes, independent of order; 16 hexadecimal digits."""
    return blake2b(np.sort(hashes).astype("<u8").tobytes(), digest_size=8).hexdigest()


def columns_digest(columns: Columns) -> str:
    """Digest of columns in memory, in the order of their rows; 16 hexadecimal digits."""
    hashes = column_hashes(columns) if columns else np.zeros(0, dtype=np.uint64)
    return blake2b(hashes.astype("<u8").tobytes(), digest_size=8).hexdigest()


def column_hashes(columns: Columns) -> Hashes:
    """64-bit hash of each row of columns in memory; of stored rows, as `to_columns` makes columns of them, it is
    `row_hashes`.
    """
    size = len(next(iter(columns.values())))
    return _combined(((name, _bits(values)) for name, values in columns.items()), size)


def _combined(columns: Iterable[tuple[str, Hashes]], size: int) -> Hashes:
    """One hash per row from the bits of its columns, in no order of these."""
    hashes, remaining = np.zeros(size, dtype=np.uint64), iter(columns)
    while block := list(islice(remaining, max(CELLS_AT_ONCE // max(size, 1), 1))):
        names, bits = zip(*block, strict=True)
        hashes ^= np.bitwise_xor.reduce(_mix(np.stack(bits) + _text_bits(names)[:, np.newaxis]))
    return _mix(hashes)


def _stored_bits(values: pa.ChunkedArray) -> Hashes:
    kind = values.type
    if pa.types.is_string(kind):
        distinct, codes = distinct_texts(values)
        return _chosen_bits(distinct, codes)
    if pa.types.is_list(kind):
        return _list_bits(values.combine_chunks())
    return _bits(to_numpy(values))


def _list_bits(values: pa.ListArray) -> Hashes:
    if pa.types.is_string(values.type.value_type):
        distinct, numbers = distinct_lists(values)
        return _object_bits(to_python_lists(distinct))[numbers]
    rows_at_once = max(CELLS_AT_ONCE * len(values) // max(len(values.flatten()), 1), 1)
    blocks = [values.slice(start, rows_at_once) for start in range(0, len(values), rows_at_once)]
    return np.concatenate([np.array([], dtype=np.uint64), *map(_number_list_bits, blocks)])


def _number_list_bits(values: pa.ListArray) -> Hashes:
    numbers = values.flatten().to_numpy(zero_copy_only=False)
    # Of numbers that are equal but read differently, 0.0 and -0.0, only one would be written.
    if values.null_count or np.isnan(numbers).any() or (np.signbit(numbers) & (numbers == 0)).any():
        return _object_bits(to_python_lists(values))
    codes, found = pd.factorize(numbers)
    texts = np.array([*map(repr, found.tolist())], dtype=object)[codes].tolist()
    bounds = np.cumsum([0, *values.value_lengths().to_pylist()]).tolist()
    return _text_bits([_list_text(texts[start:stop]) for start, stop in pairwise(bounds)])


def _bits(values: NDArray[np.generic]) -> Hashes:
    if values.dtype == object:
        return _object_bits(values)
    if values.dtype.kind == "M":
        return np.where(np.isnat(values), NULL_BITS, values.astype(np.int64).view(np.uint64))
    return np.where(np.isnan(values), NULL_BITS, values.astype(np.float64).view(np.uint64))


def _object_bits(values: NDArray[np.generic]) -> Hashes:
    if infer_dtype(values, skipna=True) not in ("string", "empty"):
        values = np.array(_tokens(values.tolist()), dtype=object)
    codes, found = pd.factorize(values)  # a null has the code -1, the last place
    return _chosen_bits(found.tolist(), codes)


def _tokens(values: list[str | list[str] | list[float] | None]) -> list[str | None]:
    """Each value as a text; a list that many rows share is written once."""
    tokens: list[str | None] = []
    written: dict[int, str] = {}
    for value in values:
        if value is None or isinstance(value, str):
            tokens.append(value)
            continue
        if id(value) not in written:
            written[id(value)] = _list_text([*map(repr, value)])
        tokens.append(written[id(value)])
    return tokens


def _list_text(values: Sequence[str]) -> str:
    """What is hashed of a list. Example: "list (1.0, 2.5)", and of a single value "list (1.0,)"."""
    return f"list ({', '.join(values)}{',' if len(values) == 1 else ''})"


def _chosen_bits(distinct: Sequence[str], places: NDArray[np.intp]) -> Hashes:
    """The bits of texts by their places among distinct ones; the place behind the last one is null."""
    return np.append(_text_bits(distinct), NULL_BITS)[places]


def _text_bits(texts: Sequence[str]) -> Hashes:
    digests = b"".join([_short_digest(text) if len(text) <= LONGEST_KEY else _digest(text) for text in texts])
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=8).digest()


_short_digest = lru_cache(maxsize=KEYS_KEPT)(_digest)


def _mix(bits: Hashes) -> Hashes:
    bits = (bits ^ (bits >> np.uint64(33))) * FIRST_MULTIPLIER
    bits = (bits ^ (bits >> np.uint64(33))) * SECOND_MULTIPLIER
    return bits ^ (bits >> np.uint64(33))
