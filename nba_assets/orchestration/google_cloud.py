"""Clients of Google's services, made by dagster-gcp's resources; imported only for an address that asks for them."""

from __future__ import annotations

from dagster_gcp import BigQueryResource
from google.cloud.bigquery_storage import BigQueryReadClient

from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import BigQueryWarehouse


def open_bigquery(address: str, wait_seconds: float) -> BigQueryWarehouse:
    """The warehouse of an address, with Application Default Credentials."""
    place = BigQueryAddress.parse(address)
    with BigQueryResource(project=place.project, location=place.location).get_client() as client:
        reader = BigQueryReadClient(credentials=client._credentials)
    return BigQueryWarehouse(place, client, reader, wait_seconds)
