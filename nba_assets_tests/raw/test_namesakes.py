"""Two players with one name in one game, or with one bookmaker at one moment, are told apart by their provider's
ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nba_assets.raw.content_index import LandedIndex
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    NOW,
    Row,
    ingested,
    injury_row,
    partition_state,
    prop_row,
    registry_row,
    roster_row,
    sheet_row,
    stored,
    write,
)

ROWS: dict[str, tuple[Callable[..., Row], dict[str, Any]]] = {
    "player_gamebook": (sheet_row, {"assists": 7}),
    "player_boxscores": (lambda **changes: sheet_row(**changes) | {"game_status": "final"}, {"assists": 7}),
    "player_points_props": (prop_row, {"points_line": 9.5}),
    "injury_report": (injury_row, {"injury_status": "questionable"}),
    "rosters": (roster_row, {"age": 22}),
    "player_registry": (
        lambda **changes: registry_row(**{"universal_player_id": "one", "team_abbr": "LAL"} | changes),
        {"universal_player_id": "two"},
    ),
}
OPPONENT = {"team_abbr": "CHI"}


def two(name: str, first: str | None = "1", second: str | None = "2", **changes: Any) -> list[Row]:
    make, other = ROWS[name]
    return [make(player_id=first), make(**{"player_id": second, **other, **changes})]


@pytest.mark.parametrize("changes", [{}, OPPONENT], ids=["of one team", "of two teams"])
@pytest.mark.parametrize("name", ROWS)
def test_rows_of_two_ids_are_two_players(
    name: str, changes: dict[str, Any], landing: Path, warehouse: Warehouse
) -> None:
    write(landing, f"{name}.parquet", two(name, **(changes if name in ("player_gamebook", "player_boxscores") else {})))
    report = ingested(name, landing, warehouse)
    assert (report.row_count, report.quarantined_count, report.replaced_count) == (2, 0, 0)
    assert {row["player_id"] for row in stored(name, warehouse)} == {"1", "2"}


@pytest.mark.parametrize(("first", "second"), [("1", "1"), ("1", None), (None, None)])
@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_not_both_told_are_a_conflict(
    name: str, first: str | None, second: str | None, landing: Path, warehouse: Warehouse
) -> None:
    write(landing, f"{name}.parquet", two(name, first, second))
    assert ingested(name, landing, warehouse).conflict_count == 2


SHEET = "player_gamebook"
A, B = two(SHEET)
NEWER_A = A | {"assists": 9}
DELIVERIES: dict[str, tuple[Sequence[list[Row]], set[tuple[str | None, Any]]]] = {
    "both in a newer file": (([A, B], [NEWER_A, B]), {("1", 9), ("2", 7)}),
    "one of them in a newer file": (([A, B], [NEWER_A]), {("1", 9), ("2", 7)}),
    "ids in the newer file alone": (([A | {"player_id": None}], [NEWER_A, B]), {("1", 9), ("2", 7)}),
    "a contradiction that ids resolve": (
        ([A | {"player_id": None}, B | {"player_id": None}], [A, B]),
        {("1", None), ("2", 7)},
    ),
    "an id that is corrected": (([A], [A | {"player_id": "3"}]), {("3", None)}),
    "one of them twice": (([A, B, NEWER_A],), {("2", 7)}),
    "a third without an id": (([A, B, A | {"player_id": None, "assists": 3}],), set()),
}


@pytest.mark.parametrize("case", DELIVERIES)
def test_of_each_player_the_newest_delivery_stands_and_the_sensors_see_the_same(
    case: str, landing: Path, warehouse: Warehouse
) -> None:
    files, expected = DELIVERIES[case]
    for age, rows in enumerate(files, start=1):
        write(landing, f"{SHEET}/{age}.csv", rows, modified=age)
    ingested(SHEET, landing, warehouse)
    assert {(row["player_id"], row["assists"]) for row in stored(SHEET, warehouse)} == expected
    seen = LandedIndex(FolderLandingZone(landing)).look(DAY, NOW).tables[SHEET]
    assert seen.digests.get(DAY) == partition_state(SHEET, warehouse)[DAY]["digest"]


def test_the_rows_of_all_tables_with_ids_are_tried() -> None:
    assert {name for name, raw in RAW_TABLES.items() if "player_id" in raw.table.column_names} == set(ROWS)
