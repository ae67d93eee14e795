"""Joins and tallies on columns: what preparing a table's inputs needs of relational algebra, vectorised over the whole
run.

Keys are compared exactly; a null never equals anything. Windows and anything that looks back in time belong to
`windows`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns

Key = Sequence[NDArray[Any]]


def text_where(mask: NDArray[np.bool_], yes: object, no: object) -> NDArray[np.object_]:
    """`yes` where the mask holds, `no` elsewhere: texts or arrays of texts, None for null."""
    return np.where(mask, np.asarray(yes, dtype=object), np.asarray(no, dtype=object))


def find(keys: Key, among: Key) -> NDArray[np.intp]:
    """The position of each of `keys` in `among`; -1 where it is not in it.

    Of equal keys the last one is found.
    """
    size = len(keys[0])
    codes = group_numbers([np.concatenate([left, right]) for left, right in zip(keys, among, strict=True)])
    left, right = codes[:size], codes[size:]
    place_of = np.full(max(codes.max(initial=-1) + 1, 1), -1, dtype=np.intp)
    place_of[right[right >= 0]] = np.flatnonzero(right >= 0)
    return np.where(left >= 0, place_of[left], -1)


def within(values: NDArray[Any], among: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are in `among`; a null never is."""
    return find((values,), (among,)) >= 0


def at(values: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """The values at `places`, null (NaN, None or NaT) where a place is -1."""
    blank = {"M": np.datetime64("NaT"), "O": None}.get(values.dtype.kind, np.nan)
    padded = np.append(values, np.array([blank], dtype=values.dtype))
    return padded[places]


def join_at(
    columns: Columns, places: NDArray[np.intp], names: Mapping[str, str] | Sequence[str]
) -> dict[str, NDArray[Any]]:
    """Columns of another table at `places`, under their own names or, by a mapping of new to old, under new ones."""
    renamed = names if isinstance(names, Mapping) else {name: name for name in names}
    return {new: at(columns[old], places) for new, old in renamed.items()}


def tally(key: Mapping[str, NDArray[Any]], counts: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Sums of `counts` (masks or whole numbers) by key: one row per distinct key, rows with a null in the key left
    out.
    """
    codes = group_numbers([*key.values()])
    known = codes >= 0
    groups, first, group_of = np.unique(codes[known], return_index=True, return_inverse=True)
    places = np.flatnonzero(known)[first]
    # Without any rows bincount forgets that its weights are floats.
    sums = {
        name: np.bincount(group_of, weights=values[known].astype(np.float64), minlength=len(groups)).astype(np.float64)
        for name, values in counts.items()
    }
    return {name: values[places] for name, values in key.items()} | sums


def newest_first(order: Key, group: Key) -> NDArray[np.intp]:
    """Positions of the last row of each group, by `order` (most significant first), in order of appearance of the
    groups.
    """
    codes = group_numbers(group)
    ranked = np.lexsort((*reversed([sortable(values) for values in order]), codes))
    last = np.append(codes[ranked][1:] != codes[ranked][:-1], len(ranked) > 0)[: len(ranked)]
    return np.sort(ranked[last & (codes[ranked] >= 0)])


def largest(values: NDArray[np.float64], group: Key) -> NDArray[np.bool_]:
    """Marks, in each group, the row with the largest value, the first of equals; a null is smaller than anything."""
    order = np.lexsort((-np.nan_to_num(values, nan=-np.inf), group_numbers(group)))
    codes = group_numbers(group)[order]
    marks = np.zeros(len(values), dtype=bool)
    marks[order[begins(codes)]] = True
    return marks


def begins(numbers: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Marks the first of each run of equal numbers. Example: of 3, 3, 1 the first and the third."""
    return np.append(True, numbers[1:] != numbers[:-1])[: len(numbers)]


def sortable(values: NDArray[Any]) -> NDArray[Any]:
    """Values that compare: texts as their ranks, nulls first; others as they are."""
    return pd.factorize(values, sort=True)[0] if values.dtype == object else values


def group_numbers(key: Key) -> NDArray[np.int64]:
    """One whole number per distinct key, -1 where any part is null."""
    combined: NDArray[np.int64] = pd.factorize(key[0])[0]
    known = combined >= 0
    for values in key[1:]:
        codes, distinct = pd.factorize(values)
        known &= codes >= 0
        # Renumbering after each part keeps the product of the parts' sizes from overflowing.
        combined = pd.factorize(combined * (len(distinct) + 1) + codes)[0]
    return np.where(known, combined, -1)
