"""What is said of a file of which most rows have one fault."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from nba_assets.raw.common_faults import common_fault
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import DAY, ingested, sheet_row, write

EASTERN_EVENING = datetime(2021, 11, 16, 0, 30, tzinfo=UTC)
"""19:30 on the fifteenth."""


def games(days: list[date], tip: datetime = EASTERN_EVENING, tip_off: str = "game_time_utc") -> Columns:
    return {
        "game_date": np.array(days, dtype="M8[D]"),
        tip_off: np.full(len(days), tip.replace(tzinfo=None), dtype="M8[us]"),
    }


@pytest.mark.parametrize("name", ["game_time_utc", "commence_time", "game_start_time"])
def test_evening_games_that_are_a_day_late_look_like_utc_dates(name: str) -> None:
    faults = {place: {name: f"is wrong {place}"} for place in (0, 2)}
    hint = common_fault(faults, 4, games([DAY + timedelta(days=1)] * 4, tip_off=name))
    assert hint == f"2 of 4 rows have the same fault, {name}: e.g. is wrong 0; this looks like UTC dates"


@pytest.mark.parametrize("days", [2, -1])
def test_dates_that_are_off_otherwise_do_not(days: int) -> None:
    hint = common_fault({0: {"game_time_utc": "is wrong"}}, 1, games([DAY + timedelta(days=days)]))
    assert hint == "1 of 1 rows have the same fault, game_time_utc: e.g. is wrong"


def test_less_than_half_of_the_rows_have_nothing_in_common() -> None:
    assert common_fault({0: {"game_time_utc": "is wrong"}}, 3, games([DAY] * 3)) is None
    assert common_fault({}, 3, games([DAY] * 3)) is None


def test_the_most_common_fault_is_named() -> None:
    faults = {0: {"points": "first", "assists": "no"}, 1: {"assists": "second"}}
    assert common_fault(faults, 2, {}) == "2 of 2 rows have the same fault, assists: e.g. no"


def test_a_report_tells_it_of_each_file(landing: Path, warehouse: Warehouse) -> None:
    rows = [sheet_row(name, points=-1 if number < 3 else 1) for number, name in enumerate("ABCD")]
    write(landing, "player_gamebook/a.csv", rows)
    write(landing, "player_gamebook/b.csv", [sheet_row("E", points=-1), *(sheet_row(name) for name in "FGH")])
    assert ingested("player_gamebook", landing, warehouse).hints == [
        "player_gamebook/a.csv: 3 of 4 rows have the same fault, points: e.g. points is -1, allowed is 0 to 250"
    ]
