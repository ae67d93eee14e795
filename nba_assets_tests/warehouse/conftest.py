"""Back ends under test, and a table with a column of every type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table, day, flag, moment, number, numbers, text, texts, whole
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse

TABLE = Table(
    "nba_analytics",
    "everything",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        whole("points", "Points"),
        number("usage_rate", "Usage", scale=1),
        flag("is_dnp", "Sat out"),
        moment("seen_at", "When"),
        texts("issues", "Issues"),
        numbers("features", "Features"),
    ),
)
FIRST, SECOND, THIRD = date(2021, 11, 15), date(2021, 11, 16), date(2021, 11, 17)


def row(game_date: date, player: str, **changes: Any) -> dict[str, Any]:
    """A stored row with every column filled."""
    filled = {"points": 3, "usage_rate": 20.5, "is_dnp": False, "seen_at": datetime(2021, 11, 16, 5, tzinfo=UTC), "issues": ["a"], "features": [1.5]}
    return {"game_date": game_date, "player_lookup": player, **filled, **changes}


def rows(*entries: dict[str, Any], table: Table = TABLE) -> pa.Table:
    """Rows as Arrow."""
    return pa.Table.from_pylist(list(entries), schema=arrow_schema(table))


@pytest.fixture(params=["duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """Each back end, empty. One more back end is one more parameter."""
    if request.param == "duckdb":
        return DuckDBWarehouse(tmp_path / "nba.duckdb", wait_seconds=30)
    raise ValueError(f"no back end {request.param}")
