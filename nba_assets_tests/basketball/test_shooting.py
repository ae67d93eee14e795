"""Shooting percentages: published values, and exactness against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.shooting import effective_field_goal_pct, true_shooting_pct

counts = st.integers(0, 200)


@pytest.mark.parametrize(
    ("points", "fga", "fta", "expected"),
    [
        pytest.param(25, 20, 4, 0.574, id="LeBron James, 10 of 20 and 3 of 4"),
        pytest.param(38, 22, 9, 0.732, id="Brunson 2025-01-15"),
        pytest.param(33, 32, 5, 0.482, id="Maxey 2025-01-15"),
        pytest.param(2, 1, 0, 1.000, id="Bona 2025-01-15"),
        pytest.param(10, 9, 3, 0.484, id="Hart 2025-01-15"),
        pytest.param(125, 86, 24, 0.647, id="New York 2025-01-15"),
        pytest.param(119, 92, 14, 0.606, id="Philadelphia 2025-01-15"),
        pytest.param(110, 85, 20, 0.586, id="team"),
        pytest.param(110, 85, 22, 0.581, id="winners by five"),
        pytest.param(105, 82, 18, 0.584, id="losers by five"),
        pytest.param(115, 85, 18, 0.619, id="Boston's 115"),
        pytest.param(108, 88, 20, 0.558, id="Los Angeles's 108"),
        pytest.param(120, 80, 15, 0.693, id="hot team"),
        pytest.param(85, 90, 25, 0.421, id="cold team"),
        pytest.param(100, 85, 0, 0.588, id="no free throws"),
        pytest.param(15, 0, 15, 1.136, id="free throws only, above 1"),
        pytest.param(100, 50, 0, 1.000, id="every shot a two"),
        pytest.param(10, 5, 0, 1.000, id="perfect shooter"),
        pytest.param(0, 4, 0, 0.000, id="all missed is 0, not unknown"),
        pytest.param(0, 0, 0, np.nan, id="no attempt"),
        pytest.param(np.nan, 5, 0, np.nan, id="points unknown"),
        pytest.param(10, np.nan, 0, np.nan, id="attempts unknown"),
    ],
)
def test_true_shooting(points: float, fga: float, fta: float, expected: float) -> None:
    np.testing.assert_array_equal(np.round(true_shooting_pct(points, fga, fta), 3), expected)


@pytest.mark.parametrize(
    ("makes", "threes", "fga", "expected"),
    [
        pytest.param(10, 2, 20, 0.550, id="LeBron James, 10 of 20 with 2 threes"),
        pytest.param(14, 3, 22, 0.705, id="Brunson 2025-01-15"),
        pytest.param(13, 2, 32, 0.438, id="Maxey 2025-01-15"),
        pytest.param(4, 0, 9, 0.444, id="Hart 2025-01-15"),
        pytest.param(5, 0, 5, 1.000, id="perfect shooter"),
        pytest.param(0, 0, 4, 0.000, id="all missed is 0, not unknown"),
        pytest.param(5, np.nan, 10, 0.500, id="unknown threes count as none"),
        pytest.param(0, 0, 0, np.nan, id="no attempt"),
        pytest.param(np.nan, 1, 5, np.nan, id="makes unknown"),
    ],
)
def test_effective_field_goal_percentage(makes: float, threes: float, fga: float, expected: float) -> None:
    np.testing.assert_array_equal(np.round(effective_field_goal_pct(makes, threes, fga), 3), expected)


@given(counts, counts, counts)
def test_true_shooting_is_exact(points: int, fga: int, fta: int) -> None:
    attempts = 2 * (fga + Fraction(44, 100) * fta)
    expected = float(points / attempts) if attempts else np.nan
    np.testing.assert_array_equal(true_shooting_pct(points, fga, fta), expected)


@given(counts, counts, counts)
def test_effective_field_goal_percentage_is_exact(makes: int, threes: int, fga: int) -> None:
    expected = float((makes + Fraction(threes, 2)) / fga) if fga else np.nan
    np.testing.assert_array_equal(effective_field_goal_pct(makes, threes, fga), expected)


def test_columns_are_computed_element_by_element() -> None:
    np.testing.assert_array_equal(
        np.round(true_shooting_pct(np.array([38.0, np.nan]), np.array([22.0, 1.0]), np.array([9.0, 0.0])), 3),
        [0.732, np.nan],
    )
