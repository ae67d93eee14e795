"""The warehouse as a Dagster resource: which one it is, by configuration or environment."""

from __future__ import annotations

import math

import dagster as dg

from nba_assets.orchestration.opening import open_warehouse
from nba_assets.orchestration.run_workers import note_process
from nba_assets.warehouse.interface import Warehouse


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Opens the warehouse that the environment names, or the one given here."""

    address: str | None = None
    """As `warehouse.address` has it: a DuckDB file, or bigquery://…; NBA_ASSETS_WAREHOUSE where not given."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note which process works on the run, so that others see when it is gone."""
        if context.instance is not None and context.run is not None:
            note_process(context.instance, context.run.run_id)

    def open(self, longest_wait: float = math.inf) -> Warehouse:
        """The warehouse; nothing is locked until it is read or written, and nobody waited for beyond `longest_wait`."""
        return open_warehouse(self.address, longest_wait)
