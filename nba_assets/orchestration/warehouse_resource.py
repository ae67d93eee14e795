"""The warehouse as a Dagster resource: which one it is, by configuration or environment."""

from __future__ import annotations

import math

import dagster as dg

from nba_assets.orchestration.run_workers import note_process
from nba_assets.settings import Settings
from nba_assets.warehouse.address import is_bigquery, kind_of
from nba_assets.warehouse.duckdb import DuckDBWarehouse
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
        """The warehouse; nothing is locked until it is read or written.

        Others are waited for as long as NBA_ASSETS_WAREHOUSE_WAIT_SECONDS says, and no longer than `longest_wait`
        seconds.
        """
        settings = Settings.from_environment()
        address = self.address or settings.warehouse
        wait_seconds = min(settings.warehouse_wait_seconds, longest_wait)
        if is_bigquery(address):
            from nba_assets.orchestration.google_cloud import open_bigquery

            return open_bigquery(address, wait_seconds)
        return DuckDBWarehouse(address, wait_seconds)


def warehouse_kind() -> str:
    """The kind of the warehouse that the environment names."""
    return kind_of(Settings.from_environment().warehouse)
