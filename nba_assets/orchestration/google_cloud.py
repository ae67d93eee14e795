"""Clients of Google's services, made by dagster-gcp's resources; imported only for an address that asks for them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from dagster_gcp import BigQueryResource, GCSResource
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient

from nba_assets.raw.bigquery_source import CatalogueModifications, SourceAddress, SourceTables
from nba_assets.raw.bucket import BucketLandingZone
from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import BigQueryWarehouse


def open_bigquery(address: str, wait_seconds: float) -> BigQueryWarehouse:
    """The warehouse of an address, with Application Default Credentials."""
    place = BigQueryAddress.parse(address)
    return BigQueryWarehouse(place, *bigquery_clients(place.project, place.location), wait_seconds)


@cache
def bigquery_clients(project: str, location: str) -> tuple[bigquery.Client, BigQueryReadClient]:
    """The clients of a project, with Application Default Credentials; one pair for this process."""
    with BigQueryResource(project=project, location=location).get_client() as client:
        return client, BigQueryReadClient(credentials=client._credentials)


@cache
def open_bucket(address: str) -> BucketLandingZone:
    """The landing zone gs://BUCKET/PREFIX, with Application Default Credentials."""
    return BucketLandingZone(address, GCSResource().get_client())


@cache
def open_source_tables(address: str, home: Path) -> SourceTables:
    """The landing zone bigquery://PROJECT/DATASET?reference=DATASET, with Application Default Credentials; what it has
    to remember is in the home.
    """
    place = SourceAddress.parse(address)
    client, reader = bigquery_clients(place.project, place.location)
    return SourceTables(address, client, reader, CatalogueModifications(place, client), home)
