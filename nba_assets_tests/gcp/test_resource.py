"""The warehouse of an address, opened through dagster-gcp's resource with Application Default Credentials."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from nba_assets.orchestration.google_cloud import bigquery_clients
from nba_assets.orchestration.opening import warehouse_kind
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.warehouse.bigquery import BigQueryWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator
from nba_assets_tests.warehouse.back_ends import FIRST, TABLE, row, rows

pytestmark = pytest.mark.gcp


def test_an_address_opens_the_warehouse_that_it_names(
    bigquery_service: BigQueryEmulator, credentials: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_service.url)
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", f"bigquery://{PROJECT}/t{uuid.uuid4().hex}?location=US")
    warehouse = WarehouseResource().open(longest_wait=10)
    assert isinstance(warehouse, BigQueryWarehouse)
    assert (warehouse_kind(), warehouse.wait_seconds) == ("bigquery", 10)
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    assert [status.row_count for status in warehouse.status([TABLE])] == [1]
    client, reader = bigquery_clients(PROJECT, "US")
    client.close()
    reader.transport.close()
    bigquery_clients.cache_clear()
