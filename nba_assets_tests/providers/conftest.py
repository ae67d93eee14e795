"""Recorded responses of real providers, where they are, and what every test of a mapping does with its rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from nba_assets.providers.delivery import Row, to_table
from nba_assets.raw.normalise import normalise
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.spec import Columns

SAMPLES = "NBA_ASSETS_PROVIDER_SAMPLES"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Any]:
    """Reads a recorded response by the name of its file; the test is skipped, with the reason, where there are none."""
    folder = os.environ.get(SAMPLES, "")
    if not os.path.isdir(folder):
        pytest.skip(f"no recorded responses: set {SAMPLES} to the folder that holds them")

    def read(name: str) -> Any:
        with open(os.path.join(folder, name), encoding="utf-8") as stream:
            return json.load(stream)

    return read


def accepted(name: str, rows: Sequence[Row]) -> Columns:
    """The rows of a raw table as ingestion understands them; not one is quarantined, and nothing in them is unknown."""
    table = to_table(RAW_TABLES[name], rows, NOW)
    columns, faults, notices = normalise(RAW_TABLES[name], table, np.full(len(rows), "NaT", dtype="M8[D]"), NOW)
    assert not {faults.reason(place) for place in faults.by_row}
    assert not notices.counted(np.ones(len(rows), dtype=bool))
    return columns
