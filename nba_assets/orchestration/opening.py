"""Which warehouse there is to open: the one that the settings name, or another one, with the clients that it needs.

Google's libraries are imported for an address of theirs only, and Dagster never.
"""

from __future__ import annotations

import math
from pathlib import Path

from nba_assets.settings import Settings
from nba_assets.warehouse.address import is_bigquery, kind_of
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse


def open_warehouse(
    address: str | Path | None = None, longest_wait: float = math.inf, idle_seconds: float = 0.0
) -> Warehouse:
    """The warehouse at an address (see `warehouse.address`), at that of the settings where none is given.

    Nothing is locked until it is read or written. Others are then waited for as long as
    NBA_ASSETS_WAREHOUSE_WAIT_SECONDS says, and no longer than `longest_wait` seconds.
    With `idle_seconds` the connection to a file stays open for so long after its use; whoever opened the warehouse
    closes it.
    """
    settings = Settings.from_environment()
    place = str(address or settings.warehouse)
    wait_seconds = min(settings.warehouse_wait_seconds, longest_wait)
    if is_bigquery(place):
        from nba_assets.orchestration.google_cloud import open_bigquery

        return open_bigquery(place, wait_seconds)
    return DuckDBWarehouse(place, wait_seconds, idle_seconds)


def warehouse_kind() -> str:
    """The kind of the warehouse that the settings name."""
    return kind_of(Settings.from_environment().warehouse)
