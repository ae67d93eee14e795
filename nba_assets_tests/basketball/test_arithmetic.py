"""Exact quotients, and texts looked at once each."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.arithmetic import difference_of_ratios, map_distinct, ratio


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9).filter(bool))
def test_ratio_is_the_float_nearest_to_the_true_quotient(part: int, whole: int) -> None:
    assert ratio(part, whole) == float(Fraction(part, whole))


def test_ratio_over_nothing_or_of_unknowns_is_unknown() -> None:
    part, whole = [1.0, 0.0, np.nan, 1.0, np.nan, 0.0], [0.0, 0.0, 2.0, np.nan, 0.0, 5.0]
    np.testing.assert_array_equal(ratio(part, whole), [np.nan] * 5 + [0.0])


def test_ratio_broadcasts() -> None:
    np.testing.assert_array_equal(ratio([[1.0], [2.0]], [2.0, 4.0]), [[0.5, 0.25], [1.0, 0.5]])


numbers = st.integers(-(10**4), 10**4)
wholes = numbers.filter(bool)


@given(numbers, wholes, numbers, wholes)
def test_difference_of_ratios_is_the_float_nearest_to_the_true_difference(
    part_1: int, whole_1: int, part_2: int, whole_2: int
) -> None:
    exact = Fraction(part_1, whole_1) - Fraction(part_2, whole_2)
    assert difference_of_ratios(part_1, whole_1, part_2, whole_2) == float(exact)


def test_difference_of_ratios_over_nothing_or_of_unknowns_is_unknown() -> None:
    nan = np.nan
    given_values = np.array(
        [[1, 0, 1, 2], [1, 2, 1, 0], [nan, 2, 1, 2], [1, nan, 1, 2], [1, 2, nan, 2], [1, 2, 1, nan]]
    )
    np.testing.assert_array_equal(difference_of_ratios(*given_values.T), [nan] * 6)


def test_map_distinct_calls_once_per_distinct_value() -> None:
    calls: Counter[str | None] = Counter()

    def length(text: str | None) -> int | None:
        calls[text] += 1
        return None if text is None else len(text)

    np.testing.assert_array_equal(map_distinct(length, ["ab", None, "ab", "c"], np.float64), [2, np.nan, 2, 1])
    assert calls == {"ab": 1, None: 1, "c": 1}
    assert map_distinct(length, [], np.float64).dtype == np.float64
