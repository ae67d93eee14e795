"""Joins and tallies on columns: nulls, equals and empty inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.entities.relations import at, find, join_at, largest, newest_first, sortable, tally, text_where, within

NAN = float("nan")


def texts(*values: str | None) -> Any:
    return np.array(values, dtype=object)


def test_of_equal_keys_the_last_is_found_and_a_null_never() -> None:
    there = (texts("a", "b", "a", None), np.array([1.0, 1.0, 1.0, 1.0]))
    keys = (texts("a", "b", "c", None, "a"), np.array([1.0, 1.0, 1.0, 1.0, NAN]))
    assert find(keys, there).tolist() == [2, 1, -1, -1, -1]


def test_keys_are_compared_part_by_part() -> None:
    there = (texts("a", "b"), texts("x", "y"))
    assert find((texts("a", "a", "b", "b"), texts("x", "y", "x", "y")), there).tolist() == [0, -1, -1, 1]


def test_nothing_is_found_among_nothing() -> None:
    assert find((texts("a"),), (texts(),)).tolist() == [-1]
    assert find((texts(),), (texts("a"),)).tolist() == []
    assert find((texts(),), (texts(),)).tolist() == []
    assert within(texts("a", None), texts("a", None)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "blank"),
    [
        (np.array([1.0, 2.0]), NAN),
        (texts("a", "b"), None),
        (np.array(["2025-01-01", "2025-01-02"], dtype="M8[D]"), np.datetime64("NaT")),
    ],
)
def test_nowhere_holds_the_null_of_its_kind(values: Any, blank: Any) -> None:
    found = at(values, np.array([1, -1, 0]))
    assert (found.dtype, found[0], found[2]) == (values.dtype, values[1], values[0])
    assert found[1] is None if blank is None else found[1] != found[1]


def test_columns_are_joined_under_their_own_or_new_names() -> None:
    columns = {"points": np.array([20.0, 30.0]), "team": texts("LAL", "BOS")}
    assert {name: values.tolist() for name, values in join_at(columns, np.array([1, 0]), ("points",)).items()} == {
        "points": [30, 20]
    }
    assert join_at(columns, np.array([-1]), {"own_team": "team"})["own_team"].tolist() == [None]


def test_a_tally_leaves_rows_with_a_null_in_the_key_out() -> None:
    key = {"game": texts("g1", "g1", None, "g2", "g1"), "team": texts("LAL", "BOS", "LAL", None, "LAL")}
    found = tally(
        key, {"points": np.array([1.0, 2.0, 4.0, 8.0, 16.0]), "made": np.array([True, False, True, True, True])}
    )
    assert {name: values.tolist() for name, values in found.items()} == {
        "game": ["g1", "g1"],
        "team": ["LAL", "BOS"],
        "points": [17.0, 2.0],
        "made": [2.0, 0.0],
    }


def test_a_tally_of_nothing_counts_in_floats() -> None:
    found = tally({"game": texts()}, {"points": np.array([])})
    assert found["points"].tolist() == []
    assert found["points"].dtype == np.float64
    assert tally({"game": texts(None)}, {"points": np.array([1.0])})["points"].dtype == np.float64


def test_the_newest_row_of_each_group_in_order_of_appearance() -> None:
    days, hours = np.array([1.0, 2.0, 2.0, 5.0, 3.0]), np.array([9.0, 1.0, 4.0, 0.0, 0.0])
    group = texts("b", "a", "a", None, "b")
    assert newest_first((days, hours), (group,)).tolist() == [2, 4]
    assert newest_first((np.array([2.0, 2.0]), np.array([5.0, 1.0])), (texts("a", "a"),)).tolist() == [0]
    assert newest_first((np.array([]),), (texts(),)).tolist() == []


def test_of_equally_new_rows_the_last_counts() -> None:
    assert newest_first((np.array([1.0, 1.0]),), (texts("a", "a"),)).tolist() == [1]


def test_texts_are_ordered_with_nulls_first() -> None:
    assert np.argsort(sortable(texts("b", None, "a"))).tolist() == [1, 2, 0]
    assert newest_first((texts("x", None, "y"),), (texts("a", "a", "a"),)).tolist() == [2]


def test_the_first_of_the_largest_in_each_group() -> None:
    values = np.array([3.0, 5.0, 5.0, NAN, NAN, -1.0])
    group = texts("a", "a", "a", "b", "c", "c")
    assert largest(values, (group,)).tolist() == [False, True, False, True, False, True]
    assert largest(np.array([]), (texts(),)).tolist() == []


def test_texts_by_a_mask_keep_none() -> None:
    assert text_where(np.array([True, False]), "yes", None).tolist() == ["yes", None]
    assert text_where(np.array([True, False]), texts("a", "b"), texts("c", "d")).tolist() == ["a", "d"]
