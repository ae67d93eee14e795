"""Literals of values, as the emulator of BigQuery reads them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from nba_assets.warehouse.bigquery_script import literal
from nba_assets_tests.gcp.adapter import open_emulated
from nba_assets_tests.gcp.emulators import BigQueryEmulator
from nba_assets_tests.test_security import HOSTILE

pytestmark = pytest.mark.gcp


def test_hostile_texts_are_what_they_were_to_the_service(bigquery_service: BigQueryEmulator) -> None:
    client: Any = open_emulated(bigquery_service, f"t{uuid.uuid4().hex}")._client
    values = ["".join(pair) for pair in itertools.product(HOSTILE, repeat=2) if "\x00" not in pair]
    query = f"SELECT {', '.join(f'{literal(value)} AS v{place}' for place, value in enumerate(values))}"
    ((*found,),) = (row.values() for row in client.query(query).result())
    assert found == values
