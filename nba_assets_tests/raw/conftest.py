"""What the tests of raw data share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.memory_warehouse import MemoryWarehouse


@pytest.fixture
def make_warehouse() -> Callable[[], Warehouse]:
    """Makes empty warehouses."""
    return MemoryWarehouse


@pytest.fixture
def warehouse(make_warehouse: Callable[[], Warehouse]) -> Warehouse:
    """An empty warehouse."""
    return make_warehouse()


@pytest.fixture
def stored_warehouse(tmp_path_factory: pytest.TempPathFactory) -> DuckDBWarehouse:
    """An empty warehouse in a file, outside of the landing zone, for what its engine might not take."""
    return DuckDBWarehouse(tmp_path_factory.mktemp("warehouse") / "nba.duckdb", idle_seconds=0.2)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """An empty landing zone."""
    return tmp_path
