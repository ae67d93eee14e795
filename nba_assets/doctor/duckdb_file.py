"""Checks of a warehouse in a DuckDB file: it can be opened and written, by whom it is held, and its storage version."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pyarrow.compute as pc

from nba_assets.doctor.finding import Finding, failure, ok, warning
from nba_assets.doctor.machine import existing
from nba_assets.doctor.tables import check_schema
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import STORAGE_VERSION, DuckDBWarehouse
from nba_assets.warehouse.interface import WarehouseBusyError, WarehouseError

WAIT_SECONDS = 2.0
"""How long another process may hold the file before that is said."""


def check_file(path: Path) -> Iterator[Finding]:
    """Whether the file is there and can be used, then its tables."""
    warehouse = DuckDBWarehouse(path, WAIT_SECONDS)
    if not path.exists():
        yield _not_there(warehouse)
        return
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield failure(
            "warehouse",
            f"{path} can be read but not written: give yourself the permission to write it and {path.parent}, or set "
            "NBA_ASSETS_WAREHOUSE",
        )
    try:
        with warehouse.session():
            yield _of_version(path, warehouse.storage_version())
            yield from check_schema(warehouse)
    except WarehouseBusyError as error:
        yield warning("warehouse", f"{error} Its tables were not looked at.")


def newest_write(path: Path) -> dict[str, datetime]:
    """When a partition was last written, under what it is; nothing where none was, or the file cannot be read."""
    newest = None
    with suppress(WarehouseError):  # which `check_file` says
        partitions = DuckDBWarehouse(path, WAIT_SECONDS).read(TABLE_PARTITIONS, ("changed_at",), date.min, date.max)
        newest = pc.max(partitions["changed_at"]).as_py()
    return {"the newest partition": newest} if newest else {}


def _not_there(warehouse: DuckDBWarehouse) -> Finding:
    path = warehouse.path
    if warehouse.has_log():
        return failure(
            "warehouse",
            f"{path} is not there, but changes to it are, in {path}.wal: move them to where {path.name} went, or "
            "delete them",
        )
    if not os.access(existing(path), os.W_OK | os.X_OK):
        return failure(
            "warehouse",
            f"{path} cannot be made: give yourself the permission to write {existing(path)}, or set "
            "NBA_ASSETS_WAREHOUSE",
        )
    return ok("warehouse", f"{path} is not there yet; the first write makes it")


def _of_version(path: Path, version: str) -> Finding:
    if version == f"{STORAGE_VERSION}+":
        return ok("warehouse", f"{path} can be opened; its storage version is {version}, and nobody holds it")
    return warning(
        "warehouse",
        f"{path} can be opened, but its storage version is {version}, which programs with an older DuckDB cannot: set "
        "NBA_ASSETS_READ_COPY and let them read the copy",
    )
