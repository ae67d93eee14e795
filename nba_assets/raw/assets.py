"""The raw tables as assets: one each, ingesting the run's dates from the landing zone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from nba_assets.partitions import DAILY
from nba_assets.publishing.asset import OWNERS, definition_metadata, partition_dates
from nba_assets.raw.ingestion import ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES, RawTable
from nba_assets.settings import Settings
from nba_assets.warehouse.resource import WarehouseResource


def raw_asset(raw: RawTable) -> dg.AssetsDefinition:
    """The asset that ingests one raw table."""

    @dg.asset(
        name=raw.name,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="raw",
        kinds={"python", "duckdb"},
        owners=OWNERS,
        code_version="1",
        description=raw.table.description,
        metadata=definition_metadata(raw.table),
        pool="warehouse",
    )
    def asset(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult[None]]:
        landing = FolderLandingZone(Settings.from_environment().landing)
        report = ingest(raw, landing, warehouse.open(), partition_dates(context), run_id=context.run_id, now=datetime.now(UTC))
        ...

    return asset


RAW_ASSETS = [raw_asset(raw) for raw in RAW_TABLES.values()]
