"""The one door through which computed rows become stored ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nba_assets.tables.columns import arrow_schema, to_arrow, to_columns
from nba_assets.tables.digest import as_hex, partition_digest, row_hashes
from nba_assets.tables.spec import Column, Columns, Table, Type, day, flag, moment, number, text, texts, whole

TABLE = Table(
    "nba_analytics",
    "small",
    "one row",
    ("name",),
    "game_date",
    (
        text("name", "Name", nullable=False),
        day("game_date", "Date", nullable=False),
        whole("points", "Points"),
        number("pace", "Pace", scale=1),
        flag("won", "Won"),
        texts("issues", "Issues"),
        moment("processed_at", "When", hashed=False),
    ),
)


def one(**changes: Any) -> dict[str, Any]:
    columns = {
        "name": np.array(["a"], dtype=object),
        "game_date": np.array(["2021-11-15"], dtype="M8[D]"),
        "points": np.array([3.0]),
        "pace": np.array([98.04]),
        "won": np.array([True]),
        "issues": np.array([None], dtype=object),
        "processed_at": np.array(["2021-11-16T05:00"], dtype="M8[us]"),
    }
    columns["issues"][0] = ("x", "y")
    return columns | {name: np.array([value]) for name, value in changes.items()}


@pytest.mark.parametrize(
    ("computed", "stored"), [(0.25, 0.2), (0.35, 0.4), (-0.04, 0.0), (np.nan, None), (1e15 + 0.25, 1e15 + 0.2)]
)
def test_decimals_are_rounded_once_half_to_even_and_never_minus_zero(computed: float, stored: float | None) -> None:
    value = to_arrow(TABLE, one(pace=computed)).column("pace").to_pylist()[0]
    assert value == (stored if stored is None else pytest.approx(stored, abs=1e-12))
    assert str(value) != "-0.0"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"points": 3.5}, r"nba_analytics.small.points is declared INT64 but holds 3.5"),
        ({"points": 2.0**60}, r"nba_analytics.small.points is declared INT64 but holds 1.15"),
        ({"won": 2.0}, r"nba_analytics.small.won is declared BOOL but holds 2.0"),
        ({"pace": np.inf}, r"nba_analytics.small.pace holds an infinite value"),
        ({"pase": 1.0}, r"undeclared columns \['pase'\]"),
    ],
)
def test_what_cannot_be_stored_is_named(changes: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        to_arrow(TABLE, one(**changes))


def test_what_goes_through_the_door_comes_back_the_same() -> None:
    stored = to_arrow(TABLE, one())
    assert stored.to_pylist()[0]["issues"] == ["x", "y"]
    assert to_arrow(TABLE, to_columns(stored)) == stored


@given(
    st.lists(st.tuples(st.text(max_size=3), st.one_of(st.none(), st.integers(-5, 5))), min_size=1, max_size=20),
    st.randoms(),
)
def test_a_digest_knows_content_not_order(entries: list[tuple[str, int | None]], random: Any) -> None:
    def columns(rows: list[tuple[str, int | None]]) -> Columns:
        single = one()
        repeated = {name: np.repeat(values, len(rows)) for name, values in single.items()}
        points = np.array([np.nan if value is None else float(value) for _, value in rows])
        return repeated | {"name": np.array([name for name, _ in rows], dtype=object), "points": points}

    digest = partition_digest(row_hashes(TABLE, to_arrow(TABLE, columns(entries))))
    shuffled = random.sample(entries, len(entries))
    assert partition_digest(row_hashes(TABLE, to_arrow(TABLE, columns(shuffled)))) == digest
    changed = [(entries[0][0], 77), *entries[1:]]
    assert partition_digest(row_hashes(TABLE, to_arrow(TABLE, columns(changed)))) != digest


def test_bookkeeping_is_not_part_of_a_row_hash_but_every_measure_is() -> None:
    before = row_hashes(TABLE, to_arrow(TABLE, one()))[0]
    later = one() | {"processed_at": np.array(["2030-01-01T00:00"], dtype="M8[us]")}
    assert row_hashes(TABLE, to_arrow(TABLE, later))[0] == before
    for name, value in {"points": 4.0, "pace": 98.2, "won": False}.items():
        assert row_hashes(TABLE, to_arrow(TABLE, one(**{name: value})))[0] != before, name


def test_a_table_refuses_a_declaration_that_contradicts_itself() -> None:
    with pytest.raises(ValueError, match="declares a column twice"):
        Table("a", "b", "", ("x",), "x", (Column("x", Type.DATE, "", nullable=False),) * 2)
    with pytest.raises(ValueError, match="does not declare"):
        Table("a", "b", "", ("y",), "x", (Column("x", Type.DATE, "", nullable=False),))
    with pytest.raises(ValueError, match="nullable key"):
        Table("a", "b", "", ("x",), "x", (Column("x", Type.DATE, ""),))


def test_dictionary_encoded_texts_are_read_like_any_other() -> None:
    encoded = pa.table({"name": pa.array(["b", None, "a"]).dictionary_encode()})
    assert to_columns(encoded)["name"].tolist() == ["b", None, "a"]


@pytest.mark.parametrize(
    "lists",
    [
        [["a", "b"], ["a", "b"], ["b", "a"], ["a", None], ["a", "b"]],
        [["a", "b"], None, ["a", "b"]],
        [["a", "b"], [], ["a"], ["a", "b", "a"]],
        [[], []],
        [],
    ],
)
def test_lists_of_texts_are_read_as_they_are_and_equal_ones_once(lists: list[list[str] | None]) -> None:
    stored = pa.table({"issues": pa.array([["x", "y"], *lists], pa.list_(pa.string()))}).slice(1)
    found = to_columns(stored)["issues"]
    assert found.tolist() == lists
    if lists[:1] == [["a", "b"]] and len(lists) == 5:
        assert found[0] is found[4]


def stored_lists(kind: Type, values: NDArray[Any]) -> pa.ChunkedArray:
    columns = (Column("game_date", Type.DATE, "", nullable=False), Column("lists", kind, ""))
    days = np.full(len(values), "2024-01-01", dtype="M8[D]")
    table = Table("a", "b", "", ("game_date",), "game_date", columns)
    return to_arrow(table, {"game_date": days, "lists": values}).column("lists")


@pytest.mark.parametrize(
    "lists",
    [
        [[1.5, -0.0], [2.0, 3.0]],
        [[1.5, float("nan")], [2.0, 3.0]],
        [[1.5], None],
        [[1.5], [1.0, 2.0]],
        [[], []],
        [None, None],
        [],
    ],
)
def test_lists_of_numbers_are_stored_as_they_would_be_one_by_one(lists: list[list[float] | None]) -> None:
    values = np.empty(len(lists), dtype=object)
    values[:] = lists
    stored = stored_lists(Type.FLOATS, values)
    assert stored.to_pylist() == pa.array(lists, pa.list_(pa.float64()), from_pandas=True).to_pylist()
    assert stored.type == pa.list_(pa.float64())


def test_lists_of_texts_are_stored_whether_rows_share_them_or_not() -> None:
    shared = ["a", None]
    values = np.empty(5, dtype=object)
    values[:] = [shared, None, ["b"], shared, []]
    assert stored_lists(Type.STRINGS, values).to_pylist() == [["a", None], None, ["b"], ["a", None], []]
    assert stored_lists(Type.STRINGS, np.array([["a"], ["b"]])).to_pylist() == [["a"], ["b"]]


def test_digests_are_the_same_on_every_machine_and_day() -> None:
    """Stored digests are compared with new ones: a change of the hash would make every stored date look corrected."""
    rows = {name: np.repeat(values, 2) for name, values in one().items()}
    rows["name"] = np.array(["a", "Dāvis Bertāns"], dtype=object)
    rows["pace"] = np.array([98.04, np.nan])
    rows["issues"][1] = None
    assert as_hex(row_hashes(TABLE, to_arrow(TABLE, rows))).tolist() == ["7908c893e24fa830", "4c2f945c80ed46f9"]
    assert partition_digest(row_hashes(TABLE, to_arrow(TABLE, rows))) == "ce4ee50dd3c57804"


def test_a_null_an_empty_text_and_an_empty_list_are_three_things() -> None:
    column = texts("issues", "")
    table = Table("a", "b", "", ("d",), "d", (day("d", "", nullable=False), text("t", ""), column))
    rows = pa.Table.from_pylist(
        [{"d": None, "t": text_value, "issues": issues} for text_value in (None, "") for issues in (None, [], [""])],
        schema=arrow_schema(table),
    )
    assert len(set(row_hashes(table, rows).tolist())) == 6
