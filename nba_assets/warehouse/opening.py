"""Which warehouse there is to open: the one that the settings name, or another file."""

from __future__ import annotations

from pathlib import Path

from nba_assets.settings import Settings
from nba_assets.warehouse.duckdb import DuckDBWarehouse


def open_warehouse(file: str | Path | None = None, idle_seconds: float = 0.0) -> DuckDBWarehouse:
    """The warehouse in `file`, in that of the settings where none is given; nothing is locked until it is used.

    With `idle_seconds` a connection stays open for so long after its use; whoever opened the warehouse closes it.
    """
    settings = Settings.from_environment()
    return DuckDBWarehouse(file or settings.warehouse, settings.warehouse_wait_seconds, idle_seconds)
