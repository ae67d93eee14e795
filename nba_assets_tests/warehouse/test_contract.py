"""What every warehouse does, whichever it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import text
from nba_assets.warehouse.interface import Replacement, Warehouse
from nba_assets_tests.warehouse.conftest import FIRST, SECOND, TABLE, THIRD, row, rows

OTHER = replace(TABLE, name="other")


def stored(warehouse: Warehouse, start: date = FIRST, end: date = THIRD) -> list[dict[str, Any]]:
    return warehouse.read(TABLE, TABLE.column_names, start, end).to_pylist()


def test_a_table_never_written_is_empty_and_typed(warehouse: Warehouse) -> None:
    found = warehouse.read(TABLE, ("points", "issues"), FIRST, SECOND)
    assert found.num_rows == 0
    assert found.schema == arrow_schema(TABLE, ("points", "issues"))


def test_every_type_comes_back_as_it_went_in(warehouse: Warehouse) -> None:
    empty = {"points": None, "usage_rate": None, "is_dnp": None, "seen_at": None, "issues": None, "features": None}
    entries = [
        row(FIRST, "davisbertans", issues=[], features=[0.1, 0.2]),
        row(FIRST, "x'; DROP TABLE nba_analytics.everything; --", issues=['say "no"', "Dāvis Bertāns"]),
        row(SECOND, "jose", **empty),
    ]
    warehouse.replace([Replacement(TABLE, rows(*entries), [FIRST, SECOND])])
    found = warehouse.read(TABLE, TABLE.column_names, FIRST, SECOND)
    assert found.to_pylist() == entries
    assert found.schema == arrow_schema(TABLE)


def test_reads_are_bounded_filtered_and_in_order_of_the_key(warehouse: Warehouse) -> None:
    entries = [row(day, player, points=points) for day in (THIRD, FIRST, SECOND) for player, points in (("b", 1), ("a", 2))]
    warehouse.replace([Replacement(TABLE, rows(*entries), [FIRST, SECOND, THIRD])])
    assert [(found["game_date"], found["player_lookup"]) for found in stored(warehouse, SECOND, THIRD)] == [
        (SECOND, "a"),
        (SECOND, "b"),
        (THIRD, "a"),
        (THIRD, "b"),
    ]
    assert warehouse.read(TABLE, ("points",), FIRST, FIRST, {"player_lookup": "a"}).to_pylist() == [{"points": 2}]
    assert warehouse.read(TABLE, ("points",), FIRST, FIRST, {"player_lookup": ["a", "b"], "points": [1]}).to_pylist() == [{"points": 1}]
    assert warehouse.read(TABLE, ("points",), FIRST, FIRST, {"player_lookup": []}).num_rows == 0


def test_replacing_twice_is_replacing_once(warehouse: Warehouse) -> None:
    for _ in range(2):
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(SECOND, "a")), [FIRST, SECOND])])
    assert len(stored(warehouse)) == 2


def test_replacing_a_date_by_nothing_empties_it_alone(warehouse: Warehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(SECOND, "a")), [FIRST, SECOND])])
    warehouse.replace([Replacement(TABLE, rows(), [FIRST])])
    assert [found["game_date"] for found in stored(warehouse)] == [SECOND]


def test_a_scope_protects_what_lies_outside_it(warehouse: Warehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b")), [FIRST])])
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a", points=9)), [FIRST], {"player_lookup": "a"})])
    assert [(found["player_lookup"], found["points"]) for found in stored(warehouse)] == [("a", 9), ("b", 3)]


def test_several_tables_are_replaced_together_or_not_at_all(warehouse: Warehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST]), Replacement(OTHER, rows(row(FIRST, "z")), [FIRST])])
    broken = replace(TABLE, name="third", columns=(*TABLE.columns, text("must", "Never null", nullable=False)))
    impossible = rows(row(FIRST, "c") | {"must": None}, table=broken)
    with pytest.raises(Exception, match=r"(?i)null"):
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "b")), [FIRST]), Replacement(broken, impossible, [FIRST])])
    assert [found["player_lookup"] for found in stored(warehouse)] == ["a"]
    assert warehouse.read(broken, ("must",), FIRST, FIRST).num_rows == 0


@pytest.mark.parametrize(
    ("replacement", "complaint"),
    [
        (Replacement(TABLE, rows(row(SECOND, "a")), [FIRST]), "outside the dates"),
        (Replacement(TABLE, rows(row(FIRST, "b")), [FIRST], {"player_lookup": "a"}), "outside the 'a'"),
        (Replacement(TABLE, rows(row(FIRST, "a")).drop_columns(["points"]), [FIRST]), "lack columns"),
    ],
    ids=["date", "scope", "column"],
)
def test_rows_that_stray_are_refused_before_anything_is_touched(warehouse: Warehouse, replacement: Replacement, complaint: str) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "kept")), [FIRST])])
    with pytest.raises(ValueError, match=complaint):
        warehouse.replace([replacement])
    assert [found["player_lookup"] for found in stored(warehouse)] == ["kept"]


def test_status_counts_rows_and_dates(warehouse: Warehouse) -> None:
    assert [(status.row_count, status.first_date) for status in warehouse.status([TABLE])] == [(0, None)]
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b"), row(THIRD, "a")), [FIRST, THIRD])])
    (status,) = warehouse.status([TABLE])
    assert (status.row_count, status.date_count, status.first_date, status.last_date) == (3, 2, FIRST, THIRD)
