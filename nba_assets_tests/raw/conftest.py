"""What the tests of raw data share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse


@pytest.fixture
def make_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Warehouse]:
    """Makes empty warehouses, outside of the landing zone."""
    return lambda: DuckDBWarehouse(tmp_path_factory.mktemp("warehouse") / "nba.duckdb", idle_seconds=0.2)


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """An empty warehouse."""
    return make_warehouse()


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """An empty landing zone."""
    return tmp_path
