"""Lists of many rows are told apart, hashed and converted as they would be one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.tables.columns import arrow_schema, to_columns
from nba_assets.tables.digest import column_hashes, row_hashes
from nba_assets.tables.lists import distinct_lists
from nba_assets.tables.spec import Table, day, numbers, text, texts

TABLE = Table(
    "a",
    "b",
    "",
    ("d",),
    "d",
    (day("d", "", nullable=False), text("name", ""), texts("names", ""), numbers("ratio", "")),
)

NAMES = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ab", ""])), max_size=4))
RATIOS = st.one_of(
    st.none(), st.lists(st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0, 0.1])), max_size=4)
)
ROWS = st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=3)), NAMES, RATIOS), max_size=12)


def stored(rows: list[tuple[Any, Any, Any]]) -> pa.Table:
    filled = [{"d": None, "name": name, "names": names, "ratio": ratio} for name, names, ratio in rows]
    return pa.Table.from_pylist(filled, schema=arrow_schema(TABLE))


@given(st.lists(NAMES, max_size=12), st.integers(0, 3))
def test_every_row_is_given_its_list_and_no_list_twice(lists: list[list[str | None] | None], skipped: int) -> None:
    values = pa.array([["x"], *lists], pa.list_(pa.string())).slice(min(skipped, len(lists) + 1))
    distinct, places = distinct_lists(values)
    assert [distinct[int(place)].as_py() for place in places] == values.to_pylist()
    assert len({repr(one) for one in distinct.to_pylist()}) == len(distinct)


@given(ROWS)
def test_the_hash_of_stored_rows_is_that_of_their_columns_in_memory(rows: list[tuple[Any, Any, Any]]) -> None:
    table = stored(rows)
    assert row_hashes(TABLE, table).tolist() == column_hashes(to_columns(table)).tolist()


@given(ROWS)
def test_a_row_has_its_hash_whatever_stands_around_it(rows: list[tuple[Any, Any, Any]]) -> None:
    table = stored(rows)
    alone = [row_hashes(TABLE, table.slice(place, 1))[0] for place in range(table.num_rows)]
    assert row_hashes(TABLE, table).tolist() == alone


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1.0], [1.0, 1.0]),
        ([0.0], [-0.0]),
        ([0.1], [0.1 + 2**-55]),
        ([1.0, 2.0], [2.0, 1.0]),
        ([1.0], [None]),
        ([], None),
    ],
)
def test_lists_of_numbers_that_differ_have_different_hashes(one: list[float] | None, other: list[float] | None) -> None:
    first, second = row_hashes(TABLE, stored([("x", [], one), ("x", [], other)])).tolist()
    assert first != second


@pytest.mark.parametrize(("one", "other"), [(["a", "b"], ["ab"]), (["a"], ["a", "a"]), (["a"], ["a", ""]), ([], [""])])
def test_lists_of_texts_that_differ_have_different_hashes(one: list[str], other: list[str]) -> None:
    first, second = row_hashes(TABLE, stored([("x", one, []), ("x", other, [])])).tolist()
    assert first != second


def test_a_hundred_thousand_lists_of_one_content_are_one() -> None:
    values = pa.array([["points", "rebounds"]] * 100_000, pa.list_(pa.string()))
    distinct, places = distinct_lists(values)
    assert distinct.to_pylist() == [["points", "rebounds"]]
    assert np.array_equal(places, np.zeros(100_000))
