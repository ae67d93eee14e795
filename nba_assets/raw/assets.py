"""The raw tables as assets: one each, ingesting the run's dates from the landing zone."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from nba_assets.partitions import DAILY
from nba_assets.publishing.asset import OWNERS, definition_metadata, partition_dates
from nba_assets.raw.ingestion import CODE_VERSION, DateReport, IngestionError, IngestionReport, ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES, RawTable
from nba_assets.settings import Settings
from nba_assets.warehouse.resource import WarehouseResource


def raw_asset(raw: RawTable) -> dg.AssetsDefinition:
    """The asset that ingests one raw table; it fails, after the good files are in, where a file could not be used."""

    @dg.asset(
        name=raw.name,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="raw",
        kinds={"python", "duckdb"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        description=raw.table.description,
        metadata=definition_metadata(raw.table),
    )
    def asset(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult[None]]:
        landing = FolderLandingZone(Settings.from_environment().landing)
        report = ingest(raw, landing, warehouse.open(), partition_dates(context), run_id=context.run.run_id, now=datetime.now(UTC))
        if report.set_aside_count or report.bad_files:
            context.log.warning(
                f"{raw.name}: {report.set_aside_count} rows and {len(report.bad_files)} files set aside in "
                f"nba_processing.raw_quarantine, e.g. {'; '.join(report.examples)}"
            )
        try:
            report.raise_for_bad_files()
        except IngestionError as error:
            raise dg.Failure(str(error), metadata=_run_metadata(report), allow_retries=False) from None
        for day in report.by_date.values():
            context.add_asset_metadata(_date_metadata(day), partition_key=day.day.isoformat())
        yield dg.MaterializeResult(metadata=_run_metadata(report))

    return asset


RAW_ASSETS = [raw_asset(raw) for raw in RAW_TABLES.values()]


def _date_metadata(report: DateReport) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": report.row_count,
        "rows": report.row_count,
        "rows_set_aside": report.set_aside_count,
        "digest": report.digest,
        "landed": report.landed,
        "newest_processed_at": str(report.newest_processed_at),
    }


def _run_metadata(report: IngestionReport) -> dict[str, Any]:
    return {
        "rows_in_run": report.row_count,
        "rows_set_aside_in_run": report.set_aside_count,
        "duplicates_dropped": report.duplicate_count,
        "files_read": report.files_read,
        "files_skipped": report.files_skipped,
        "dates_kept": len(report.dates_kept),
        **{f"seconds_{stage}": round(seconds, 4) for stage, seconds in report.seconds.items()},
    }
