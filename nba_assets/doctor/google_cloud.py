"""Checks of Google Cloud: credentials, BigQuery's APIs, datasets with their locations and permissions, and the clock.

Permissions are tried, not looked up: an empty table is made in each dataset, read, and deleted. No row is read.
"""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import google.auth
import google.auth.transport.requests
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1 import types

from nba_assets.doctor.finding import Finding, failure, ok, warning
from nba_assets.doctor.tables import check_schema
from nba_assets.orchestration.google_cloud import bigquery_clients
from nba_assets.registry import ALL_TABLES
from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import STAGING, BigQueryWarehouse
from nba_assets.wording import phrase

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
KEY_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
TIMEOUT_SECONDS = 20.0
"""How long one call may take."""
CLOCK_WARNED, CLOCK_FAILED = timedelta(minutes=1), timedelta(minutes=5)
"""Difference from the service's clock; a write is stamped ten minutes ahead by this machine's."""
DISABLED = ("has not been used in project", "SERVICE_DISABLED", "accessNotConfigured")
"""Words of the error of an API that is not enabled."""
REFUSED = (exceptions.GoogleAPIError, GoogleAuthError, OSError)


def check_credentials() -> Iterator[Finding]:
    """Whether there are Application Default Credentials that give a token."""
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
        credentials.refresh(google.auth.transport.requests.Request())
    except GoogleAuthError as error:
        yield failure(
            "credentials",
            f"no token: {phrase(error)}. Run `gcloud auth application-default login`, or set {KEY_FILE_VARIABLE} to "
            "the path of a key file",
        )
        return
    yield ok("credentials", f"a token was given to {getattr(credentials, 'service_account_email', 'this user')}")
    file = Path(os.environ.get(KEY_FILE_VARIABLE, ""))
    if file.is_file() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warning("credentials", f"others can read the key file {file}: chmod 600 {file}")


def check_bigquery(address: BigQueryAddress, *, create: bool = False) -> Iterator[Finding]:
    """Everything that reads and writes need, for the address that the settings name."""
    client, reader = bigquery_clients(address.project, address.location)
    yield from check_service(address, client, reader, create=create)


def check_service(
    address: BigQueryAddress, client: bigquery.Client, reader: BigQueryReadClient, *, create: bool = False
) -> Iterator[Finding]:
    """Jobs, the clock, each dataset, and the tables; with `create` missing datasets are made first."""
    warehouse = BigQueryWarehouse(address, client, reader, TIMEOUT_SECONDS)
    job = _check_jobs(address, client)
    found = next(job)
    yield found
    if found.severity != "ok":
        return  # nothing else would say more
    yield from job
    for name in sorted({table.dataset for table in ALL_TABLES.values()} | {STAGING}):
        yield from _check_dataset(name, warehouse, client, reader, create=create)
    yield from check_schema(warehouse)


def _check_jobs(address: BigQueryAddress, client: bigquery.Client) -> Iterator[Finding]:
    """Whether a query runs, and what it says of the time; the first finding is about the query."""
    try:
        job = client.query("SELECT CURRENT_TIMESTAMP()", retry=None, job_retry=None, timeout=TIMEOUT_SECONDS)
        ((moment,),) = (row.values() for row in job.result(retry=None, job_retry=None, timeout=TIMEOUT_SECONDS))
    except REFUSED as error:
        yield failure("bigquery", f"no query runs in {address.project}: {phrase(error)}. {_advice(error, address)}")
        return
    now = datetime.now(UTC)
    yield ok("bigquery", f"queries run in {address.project}, location {address.location}")
    difference = abs(now - moment)
    said = f"this machine's clock and BigQuery's differ by {difference.total_seconds():.0f} s"
    if difference < CLOCK_WARNED:
        yield ok("clock", said)
    else:
        found = warning if difference < CLOCK_FAILED else failure
        yield found("clock", f"{said}: set this machine's right, writes are stamped by it")


def _check_dataset(
    name: str, warehouse: BigQueryWarehouse, client: bigquery.Client, reader: BigQueryReadClient, *, create: bool
) -> Iterator[Finding]:
    address = warehouse.address
    full = address.dataset(name)
    try:
        if create:
            warehouse.make_dataset(name)
        dataset = client.get_dataset(full, retry=None, timeout=TIMEOUT_SECONDS)
    except exceptions.NotFound:
        yield failure(
            "dataset",
            f"{full} is not there: `nba-assets doctor --create` makes it, or `bq --location={address.location} mk "
            f"--dataset {full.replace('.', ':', 1)}`",
        )
        return
    except REFUSED as error:
        yield failure("dataset", f"{full} cannot be seen or made: {phrase(error)}. {_advice(error, address)}")
        return
    if dataset.location.upper() != address.location.upper():
        yield failure(
            "dataset",
            f"{full} is in {dataset.location}, and the address says {address.location}: set location="
            f"{dataset.location} in NBA_ASSETS_WAREHOUSE, all datasets must be in one location",
        )
        return
    if name == STAGING and not dataset.default_table_expiration_ms:
        yield warning(
            "dataset",
            f"tables of {full} never expire, so that those of killed runs stay: bq update --default_table_expiration "
            f"86400 {full.replace('.', ':', 1)}",
        )
    yield _permission(full, address, client, reader)


def _permission(dataset: str, address: BigQueryAddress, client: bigquery.Client, reader: BigQueryReadClient) -> Finding:
    """Whether a table can be made, read and deleted in a dataset."""
    table = bigquery.Table(f"{dataset}.doctor_{uuid.uuid4().hex}", [bigquery.SchemaField("checked", "INT64")])
    table.expires = datetime.now(UTC) + timedelta(hours=1)
    doing = "made"
    try:
        client.create_table(table, retry=None, timeout=TIMEOUT_SECONDS)
        doing = "read"
        path = f"projects/{table.project}/datasets/{table.dataset_id}/tables/{table.table_id}"
        request = types.ReadSession(table=path, data_format=types.DataFormat.ARROW)
        reader.create_read_session(
            parent=f"projects/{address.project}", read_session=request, max_stream_count=1, timeout=TIMEOUT_SECONDS
        )
        doing = "deleted"
        client.delete_table(table, retry=None, timeout=TIMEOUT_SECONDS)
    except REFUSED as error:
        return failure("dataset", f"no table of {dataset} can be {doing}: {phrase(error)}. {_advice(error, address)}")
    return ok("dataset", f"{dataset}: tables can be made, read and deleted")


def _advice(error: BaseException, address: BigQueryAddress) -> str:
    """What to do about an error of the service."""
    if any(words in str(error) for words in DISABLED):
        return (
            "Enable the APIs: gcloud services enable bigquery.googleapis.com bigquerystorage.googleapis.com --project "
            f"{address.project}"
        )
    if isinstance(error, exceptions.Forbidden | exceptions.PermissionDenied):
        return (
            "Give these credentials the roles bigquery.jobUser and bigquery.readSessionUser on the project and "
            "bigquery.dataEditor on its datasets, as docs/production.md says"
        )
    return "See that the project and the network are as docs/production.md says, and try again"
