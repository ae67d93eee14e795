"""Emulators that the tests of this package share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nba_assets_tests.gcp.adapter import close_all
from nba_assets_tests.gcp.emulators import BigQueryEmulator, bigquery_emulator, storage_emulator


@pytest.fixture(scope="session")
def bigquery_service() -> Iterator[BigQueryEmulator]:
    """An emulator of BigQuery."""
    with bigquery_emulator() as emulator:
        yield emulator
        close_all()


@pytest.fixture(scope="session")
def storage_service() -> Iterator[str]:
    """The address of an emulator of Cloud Storage."""
    with storage_emulator() as url:
        yield url
