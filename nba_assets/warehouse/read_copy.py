"""The copy of the warehouse for readers: one DuckDB file that is replaced whole, so that a reader who holds it open
neither stops a run nor is stopped by one.

When it is published is decided by the runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from nba_assets.settings import Settings, variables
from nba_assets.warehouse.address import is_bigquery
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import WarehouseBusyError, WarehouseError

VARIABLE = variables()["read_copy"]
FOR_READING = 0o444
"""Permissions of the copy: who opens it to write is refused, and does not leave changes beside the next copy."""


def publish_for_readers(warn: Callable[[str], object]) -> None:
    """Bring the copy that the settings name up to date, where they name one; only a warehouse in a file has copies.

    A copy that cannot be written is no failure of the run that ends with it: `warn` gets a line that says what to do.
    """
    settings = Settings.from_environment()
    target = settings.read_copy
    if target is None:
        return
    if is_bigquery(settings.warehouse):
        warn(f"{VARIABLE} does nothing: {settings.warehouse} is no file, and its readers need no copy; unset it.")
        return
    try:
        publish_copy(DuckDBWarehouse(settings.warehouse, settings.warehouse_wait_seconds), target)
    except OSError as error:
        warn(
            f"the copy for readers {target} was not written: {error.strerror or error}. Give {target.parent} space and "
            f"the permission to write, or name another file with {VARIABLE}; readers keep the copy before."
        )
    except WarehouseBusyError as error:
        warn(f"the copy for readers {target} was not written: {error} The next run writes it.")
    except WarehouseError as error:
        warn(f"the copy for readers {target} was not written: {error} Readers keep the copy before.")


def publish_copy(warehouse: DuckDBWarehouse, target: Path) -> bool:
    """Write a copy of the warehouse beside `target` and rename it into place; False where `target` is one already.

    The copy bears the time of the warehouse's last write, by which it is known to be up to date. Of several processes
    that publish at once each waits for the one before. Raises OSError and WarehouseError, with `target` as it was.
    """
    if not warehouse.path.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(f"{target}.new")
    try:
        with FileLock(f"{unfinished}.lock", timeout=warehouse.wait_seconds), warehouse.session():
            written = warehouse.path.stat().st_mtime_ns
            if target.exists() and target.stat().st_mtime_ns == written and not warehouse.has_log():
                return False
            try:
                _discard(unfinished)
                warehouse.copy_to(unfinished)
                unfinished.chmod(FOR_READING)
                os.utime(unfinished, ns=(written, written))
                unfinished.replace(target)
            finally:
                _discard(unfinished)
    except Timeout:
        raise WarehouseBusyError(f"another process has been writing it for {warehouse.wait_seconds:g} s.") from None
    return True


def _discard(unfinished: Path) -> None:
    for file in (unfinished, Path(f"{unfinished}.wal")):
        file.unlink(missing_ok=True)
