"""The warehouse as a Dagster resource: which one it is, by configuration or environment."""

from __future__ import annotations

import math

import dagster as dg
from pydantic import PrivateAttr

from nba_assets.orchestration.opening import open_warehouse
from nba_assets.orchestration.run_workers import note_process
from nba_assets.warehouse.interface import Warehouse

IDLE_SECONDS = 0.2
"""For how long the connection of a run stays open between two uses: longer than the pauses of a run of one date, of
which opening the file for each use took a quarter, and shorter than those in which a season is computed.
"""


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the warehouse that the environment names, or the one given here."""

    address: str | None = None
    """As `warehouse.address` has it: a DuckDB file, or bigquery://…; NBA_ASSETS_WAREHOUSE where not given."""

    _of_run: Warehouse | None = PrivateAttr(default=None)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note which process works on the run, so that others see when it is gone."""
        if context.instance is not None and context.run is not None:
            note_process(context.instance, context.run.run_id)
            self._of_run = open_warehouse(self.address, idle_seconds=IDLE_SECONDS)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Leave the file to others."""
        del context
        if self._of_run is not None:
            self._of_run.close()

    def open(self, longest_wait: float = math.inf) -> Warehouse:
        """The warehouse, one for all steps of a run; nothing is locked until it is read or written.

        Outside of a run nobody is waited for beyond `longest_wait` seconds.
        """
        return self._of_run or open_warehouse(self.address, longest_wait)
