"""What every formula of the sport needs of arithmetic, and nothing of the sport."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Divide part by whole, element by element: NaN where the whole is 0 or either is unknown.

    Part and whole should be whole numbers wherever the formula can be written so: the quotient is then the float64
    nearest to the true value, and rounding it later is right in every case. Shapes broadcast; no warning is given.
    """
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)


def difference_of_ratios(part_1: ArrayLike, whole_1: ArrayLike, part_2: ArrayLike, whole_2: ArrayLike) -> Floats:
    """First ratio minus the second in a single quotient, so that whole numbers give the float64 nearest to the true
    difference.

    NaN where either whole is 0 or anything is unknown. Example: 9 / 16 - 1 / 2 = 1 / 16.
    """
    part_1, whole_1, part_2, whole_2 = (
        np.asarray(values, dtype=np.float64) for values in (part_1, whole_1, part_2, whole_2)
    )
    return ratio(part_1 * whole_2 - part_2 * whole_1, whole_1 * whole_2)


def map_distinct(function: Callable[[Any], Any], values: Sequence[Hashable], dtype: DTypeLike) -> NDArray[Any]:
    """`function` of every value, called once per distinct value: thousands of rows share a few dozen texts.

    A result of None is null in the array: NaN among floats.
    """
    found = {value: function(value) for value in set(values)}
    return np.array([found[value] for value in values], dtype=dtype)
