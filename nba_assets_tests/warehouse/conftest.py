"""Back ends under test.

One more back end is one more name in `BACK_ENDS` and one more branch in `back_ends.open_warehouse` and in `address`.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.gcp.conftest import bigquery_service
from nba_assets_tests.warehouse.back_ends import Address, open_warehouse

BACK_ENDS = ("duckdb", pytest.param("bigquery", marks=pytest.mark.gcp))

__all__ = ["bigquery_service"]


@pytest.fixture(params=BACK_ENDS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Where an empty warehouse of each back end lives; processes of a test open it by this."""
    if request.param == "bigquery":
        emulator = request.getfixturevalue("bigquery_service")
        return request.param, f"{emulator.rest_port} {emulator.grpc_port} t{uuid.uuid4().hex}"
    return request.param, str(tmp_path / "nba.duckdb")


@pytest.fixture
def warehouse(address: Address) -> Warehouse:
    """An empty warehouse of each back end."""
    return open_warehouse(address)
