"""Exact quotients, and texts looked at once each."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.arithmetic import map_distinct, ratio


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9).filter(bool))
def test_ratio_is_the_float_nearest_to_the_true_quotient(part: int, whole: int) -> None:
    assert ratio(part, whole) == float(Fraction(part, whole))


def test_ratio_over_nothing_or_of_unknowns_is_unknown() -> None:
    part, whole = [1.0, 0.0, np.nan, 1.0, np.nan, 0.0], [0.0, 0.0, 2.0, np.nan, 0.0, 5.0]
    np.testing.assert_array_equal(ratio(part, whole), [np.nan] * 5 + [0.0])


def test_ratio_broadcasts() -> None:
    np.testing.assert_array_equal(ratio([[1.0], [2.0]], [2.0, 4.0]), [[0.5, 0.25], [1.0, 0.5]])


def test_map_distinct_calls_once_per_distinct_value() -> None:
    calls: Counter[str | None] = Counter()

    def length(text: str | None) -> int | None:
        calls[text] += 1
        return None if text is None else len(text)

    np.testing.assert_array_equal(map_distinct(length, ["ab", None, "ab", "c"], np.float64), [2, np.nan, 2, 1])
    assert calls == {"ab": 1, None: 1, "c": 1}
    assert map_distinct(length, [], np.float64).dtype == np.float64
