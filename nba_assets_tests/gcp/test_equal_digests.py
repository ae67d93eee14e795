"""All tables, raw and computed, are the same in BigQuery as in DuckDB, at one load and one script per table and run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import dagster as dg
import pytest

from nba_assets.orchestration.computed_assets import table_asset
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.orchestration.raw_assets import raw_asset
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.conftest import real_data
from nba_assets_tests.gcp.adapter import Calls, open_emulated
from nba_assets_tests.gcp.emulators import BigQueryEmulator
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import (
    ENVIRONMENT,
    GIVEN,
    OPENING,
    GivenWarehouse,
    Season,
    build_tables,
    days_of,
)

pytestmark = [pytest.mark.gcp, pytest.mark.slow]
NAMES = [*RAW_TABLES, *TABLE_MODULES]
FORTNIGHT = days_of(OPENING, OPENING + timedelta(days=13))
REAL_FORTNIGHT = days_of(date(2021, 11, 15), date(2021, 11, 28))


@pytest.fixture
def landing(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first fortnight of a simulated season, landed."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    source, landed = tmp_path / "season", tmp_path / "landing"
    Season(source, write_season(source, 2024, **SMALL_LEAGUE)).land_all(landed, FORTNIGHT[0], FORTNIGHT[-1])
    monkeypatch.setenv("NBA_ASSETS_LANDING", str(landed))
    return landed


def state_of(warehouse: Warehouse, days: Sequence[date]) -> list[dict[str, object]]:
    columns = ("table_name", "partition_date", "row_count", "failure_count", "digest", "inputs")
    return warehouse.read(TABLE_PARTITIONS, columns, days[0], days[-1]).to_pylist()


def assert_equal_digests(
    emulator: BigQueryEmulator, file: DuckDBWarehouse, landing: Path, days: Sequence[date]
) -> None:
    """Build all tables in both; AssertionError where any date differs, or a write was more than a load and a script."""
    calls = Calls()
    service = open_emulated(emulator, f"t{uuid.uuid4().hex}", 60, calls)
    build_tables(file, landing, NAMES, days)
    build_tables(service, landing, NAMES, days)
    in_file = state_of(file, days)
    assert state_of(service, days) == in_file
    assert {row["table_name"] for row in in_file} == set(NAMES)
    assert any(row["row_count"] for row in in_file if row["table_name"] == "ml_feature_store")
    scripts = [job for job in calls.queries if "BEGIN TRANSACTION" in job.get("query", {}).get("query", "")]
    loads = [job for job in calls.queries if "load" in job]
    assert len(loads) <= len(scripts) == len(NAMES)


def test_a_simulated_fortnight_is_equal(bigquery_service: BigQueryEmulator, tmp_path: Path, landing: Path) -> None:
    assert_equal_digests(bigquery_service, DuckDBWarehouse(tmp_path / "nba.duckdb"), landing, FORTNIGHT)


def test_a_real_fortnight_is_equal(bigquery_service: BigQueryEmulator, tmp_path: Path, own_home: Path) -> None:
    assert_equal_digests(bigquery_service, DuckDBWarehouse(tmp_path / "nba.duckdb"), real_data(2021), REAL_FORTNIGHT)


def test_a_run_shows_its_jobs_and_bytes(bigquery_service: BigQueryEmulator, landing: Path) -> None:
    GIVEN["bigquery"] = service = open_emulated(bigquery_service, f"t{uuid.uuid4().hex}")
    build_tables(service, landing, RAW_TABLES, FORTNIGHT[:2])
    module = TABLE_MODULES["team_offense_game_summary"]
    result = dg.materialize(
        [raw_asset(SCHEDULE), table_asset(module.TABLE, module.build)],
        partition_key=str(FORTNIGHT[0]),
        resources={"warehouse": GivenWarehouse(address="bigquery"), "entities": ParallelEntitiesResource()},
    )
    for name in ("schedule", module.TABLE.name):
        (event, *_) = [
            found.metadata for found in result.asset_materializations_for_node(name) if "job_ids" in found.metadata
        ]
        purposes = [job.rsplit("_", 1)[0] for job in cast("list[str]", event["job_ids"].value)]
        assert purposes == ["nba_assets_load", "nba_assets_replace"]
        assert {"bytes_processed", "bytes_billed", "bytes_read"} <= event.keys()
