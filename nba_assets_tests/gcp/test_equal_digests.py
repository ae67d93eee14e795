"""All tables, raw and computed, are the same in BigQuery as in DuckDB, at one load and one script per table and run."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.gcp.adapter import Calls, open_emulated
from nba_assets_tests.gcp.emulators import BigQueryEmulator
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, OPENING, Season, build_tables, days_of

pytestmark = [pytest.mark.gcp, pytest.mark.slow]
LAST = date(OPENING.year, OPENING.month, OPENING.day + 9)


def state_of(warehouse: Warehouse) -> list[dict[str, object]]:
    columns = ("table_name", "partition_date", "row_count", "failure_count", "digest", "inputs")
    return warehouse.read(TABLE_PARTITIONS, columns, OPENING, LAST).to_pylist()


def test_row_counts_and_digests_of_all_tables_are_equal(
    bigquery_service: BigQueryEmulator, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    source, landing = tmp_path / "season", tmp_path / "landing"
    Season(source, write_season(source, 2024, **SMALL_LEAGUE)).land_all(landing, OPENING, LAST)
    names, days, calls = [*RAW_TABLES, *TABLE_MODULES], days_of(OPENING, LAST), Calls()
    file, service = (
        DuckDBWarehouse(tmp_path / "nba.duckdb"),
        open_emulated(bigquery_service, f"t{uuid.uuid4().hex}", 60, calls),
    )
    build_tables(file, landing, names, days)
    build_tables(service, landing, names, days)
    in_file = state_of(file)
    assert state_of(service) == in_file
    assert {row["table_name"] for row in in_file} == set(names)
    scripts = [job for job in calls.queries if "BEGIN TRANSACTION" in job.get("query", {}).get("query", "")]
    loads = [job for job in calls.queries if "load" in job]
    assert len(loads) <= len(scripts) == len(names)
