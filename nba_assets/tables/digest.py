"""Fingerprints of rows and partitions: equal content, equal digest, whatever the order, the machine or the day.

A row's hash covers its key and measures as stored (rounded); timestamps and bookkeeping stay out. A partition's digest
covers its rows in no order.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Columns, Table

Hashes = NDArray[np.uint64]
NULL_BITS = np.uint64(0x9E3779B97F4A7C15)
FIRST_MULTIPLIER, SECOND_MULTIPLIER = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
"""Finalizer of MurmurHash3 (Appleby, public domain): each input bit changes each output bit half of the time."""


def row_hashes(table: Table, rows: pa.Table) -> Hashes:
    """64-bit hash of each stored row over the table's hashed columns."""
    names = [column.name for column in table.columns if column.hashed and column.name in rows.column_names]
    return _hashes(to_columns(rows.select(names)), rows.num_rows)


def stored_hashes(table: Table, stored: Columns) -> Hashes:
    """`row_hashes` of rows that are numpy columns already, made of stored rows by `to_columns`."""
    return column_hashes({column.name: stored[column.name] for column in table.columns if column.hashed})


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
    size = len(next(iter(columns.values()))) if columns else 0
    return blake2b(_hashes(columns, size).astype("<u8").tobytes(), digest_size=8).hexdigest()


def column_hashes(columns: Columns) -> Hashes:
    """64-bit hash of each row of columns in memory."""
    return _hashes(columns, len(next(iter(columns.values()))))


def _hashes(columns: Columns, size: int) -> Hashes:
    hashes = np.zeros(size, dtype=np.uint64)
    for name, values in columns.items():
        hashes ^= _mix(_bits(values) + _text_bits(name))
    return _mix(hashes)


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
    distinct: list[str] = found.tolist()
    return np.array([*map(_text_bits, distinct), NULL_BITS], dtype=np.uint64)[codes]


def _tokens(values: list[str | list[str] | list[float] | None]) -> list[str | None]:
    """Each value as a text; a list that many rows share is written once."""
    tokens: list[str | None] = []
    written: dict[int, str] = {}
    for value in values:
        if value is None or isinstance(value, str):
            tokens.append(value)
            continue
        if id(value) not in written:
            written[id(value)] = f"list {tuple(value)!r}"
        tokens.append(written[id(value)])
    return tokens


def _text_bits(value: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(value.encode(), digest_size=8).digest(), "little"))


def _mix(bits: Hashes) -> Hashes:
    bits = (bits ^ (bits >> np.uint64(33))) * FIRST_MULTIPLIER
    bits = (bits ^ (bits >> np.uint64(33))) * SECOND_MULTIPLIER
    return bits ^ (bits >> np.uint64(33))
