"""Columns of lists between Arrow and Python: lists that many rows share are looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray


def distinct_lists(values: pa.ListArray) -> tuple[pa.ListArray, NDArray[np.intp]]:
    """The distinct lists of texts, a null list among them, and for each row which of them it holds.

    Example: of [["a"], None, ["a"], []] they are [["a"], None, []] and 0, 1, 0, 2.
    """
    sizes = values.value_lengths().fill_null(-1).to_numpy(zero_copy_only=False)
    texts = values.flatten().dictionary_encode()
    codes = texts.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.cumsum(np.maximum(sizes, 0)) - np.maximum(sizes, 0)
    group, groups = pd.factorize(sizes)[0].astype(np.int64), len(values)
    for place in range(max(sizes.max(initial=0), 0)):
        longer = np.flatnonzero(sizes > place)
        code = codes[starts[longer] + place]
        # Rows of features name the same feature at the same place: most places tell no two lists apart.
        if (code != code[0]).any():
            of_pair, pairs = pd.factorize(group[longer] * (len(texts.dictionary) + 1) + code + 1)
            group[longer] = groups + of_pair
            groups += len(pairs)
    numbers, found = pd.factorize(group)
    first = np.empty(len(found), dtype=np.int64)
    first[numbers[::-1]] = np.arange(len(values))[::-1]
    return values.take(pa.array(first)), numbers


def to_python_lists(values: pa.ListArray) -> NDArray[np.object_]:
    """A Python list per row, None for null. Rows of equal texts share one."""
    if not pa.types.is_string(values.type.value_type):
        return object_column(values.to_pylist())
    distinct, numbers = distinct_lists(values)
    return object_column(distinct.to_pylist())[numbers]


def to_arrow_texts(lists: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Lists of texts, each converted once however many rows hold the very same list."""
    held = list(lists)  # of an array of another type each look makes a new object
    _, first, places = np.unique(np.fromiter(map(id, held), np.int64), return_index=True, return_inverse=True)
    distinct = pa.array([held[place] for place in first], type=kind, from_pandas=True)
    return distinct.take(pa.array(places))


def to_arrow_numbers(lists: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Lists of numbers; those of one length without a gap, as features are, as the one block of numbers that they
    are.
    """
    sizes = {-1 if each is None else len(each) for each in lists}
    if len(sizes) == 1 and (size := sizes.pop()) > 0:
        numbers = np.array(lists.tolist(), dtype=np.float64)
        if not np.isnan(numbers).any():
            starts = np.arange(0, numbers.size + 1, size, dtype=np.int32)
            return pa.ListArray.from_arrays(pa.array(starts), pa.array(numbers.reshape(-1))).cast(kind)
    return pa.array(list(lists), type=kind, from_pandas=True)


def object_column(lists: Sequence[Any]) -> NDArray[np.object_]:
    """A column that holds each of some lists or tuples as it is."""
    objects = np.empty(len(lists), dtype=object)
    objects[:] = lists
    return objects
