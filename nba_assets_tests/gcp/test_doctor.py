"""`nba-assets doctor` where the tables are in BigQuery and the files in a bucket: each line, and its failure."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery, storage
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.doctor import google_cloud
from nba_assets.doctor.finding import Finding, carried_out, ok
from nba_assets.doctor.google_cloud import check_credentials, check_service
from nba_assets.doctor.landing import check_landing
from nba_assets.orchestration.google_cloud import bigquery_clients, open_bucket
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import STAGING, BigQueryWarehouse
from nba_assets.warehouse.interface import WarehouseError
from nba_assets_tests.gcp.adapter import ERRORS, Calls, open_emulated
from nba_assets_tests.gcp.emulators import PROJECT, BigQueryEmulator
from nba_assets_tests.pipeline import count_as_ingested
from nba_assets_tests.warehouse.back_ends import FIRST

pytestmark = pytest.mark.gcp
DATASETS = ["nba_analytics", "nba_precompute", "nba_processing", "nba_raw", STAGING]


class Service:
    """BigQuery under a prefix of the test's own, and the calls that are made to it."""

    def __init__(self, emulator: BigQueryEmulator) -> None:
        self.calls = Calls()
        self.warehouse: BigQueryWarehouse = open_emulated(emulator, f"t{uuid.uuid4().hex}", 10, self.calls)
        self.client: Any = self.warehouse._client

    def found(self, *, create: bool = False, location: str = "US") -> list[tuple[str, str, str]]:
        """What the checks find."""
        address = BigQueryAddress(PROJECT, self.warehouse.address.prefix, location)
        self.calls.made.clear()
        return shown(check_service(address, self.client, self.warehouse._reader, create=create))

    def dataset(self, name: str) -> bigquery.Dataset:
        """A dataset as the service has it."""
        return self.client.get_dataset(self.warehouse.address.dataset(name))


@pytest.fixture
def service(bigquery_service: BigQueryEmulator) -> Service:
    """A service without datasets."""
    return Service(bigquery_service)


def shown(found: Iterable[Finding]) -> list[tuple[str, str, str]]:
    return [(finding.check, str(finding.severity), finding.message) for finding in found]


def not_ok(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    return [finding for finding in found if finding[1] != "ok"]


def test_missing_datasets_fail_and_are_made_on_request(service: Service) -> None:
    found = not_ok(service.found())
    assert [(check, severity) for check, severity, _ in found] == [("dataset", "failure")] * len(DATASETS)
    prefix = service.warehouse.address.prefix
    assert f"{PROJECT}.{prefix}_nba_raw is not there: `nba-assets doctor --create` makes it" in found[3][2]
    assert f"`bq --location=US mk --dataset {PROJECT}:{prefix}_nba_raw`" in found[3][2]
    made = service.found(create=True)
    assert [check for check, *_ in made] == ["bigquery", "clock", *["dataset"] * len(DATASETS), "schema"]
    assert not_ok(made) == []
    assert not not_ok(service.found())
    for name in DATASETS:
        assert list(service.client.list_tables(service.warehouse.address.dataset(name))) == []
    assert service.dataset(STAGING).default_table_expiration_ms == 24 * 3600 * 1000
    assert service.dataset("nba_raw").default_table_expiration_ms is None


def test_who_may_not_make_datasets_uses_those_that_are_there(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise exceptions.Forbidden("Access Denied: User does not have bigquery.datasets.create permission")

    make = service.client.create_dataset
    monkeypatch.setattr(service.client, "create_dataset", refuse)
    with pytest.raises(WarehouseError, match=r"(?i)not found: dataset"):
        count_as_ingested(service.warehouse, ["schedule"], [FIRST])
    for name in DATASETS:
        make(service.warehouse.address.dataset(name))
    count_as_ingested(service.warehouse, ["schedule"], [FIRST])
    assert [status.row_count for status in service.warehouse.status([TABLE_PARTITIONS])] == [1]


def test_a_dataset_elsewhere_fails(service: Service) -> None:
    service.found(create=True)
    _, severity, said = not_ok(service.found(location="EU"))[0]
    assert severity == "failure"
    assert "is in US, and the address says EU: set location=US in NBA_ASSETS_WAREHOUSE" in said


def test_staging_tables_that_never_expire_are_warned_of(service: Service) -> None:
    dataset = bigquery.Dataset(service.warehouse.address.dataset(STAGING))
    dataset.location = "US"
    service.client.create_dataset(dataset)
    (found,) = [finding for finding in service.found() if finding[1] == "warning"]
    assert "never expire, so that those of killed runs stay: bq update --default_table_expiration" in found[2]


def test_a_query_that_is_refused_is_the_only_line(service: Service) -> None:
    service.calls.faults[0] = "denied"
    ((check, severity, said),) = service.found()
    assert (check, severity) == ("bigquery", "failure")
    assert "no query runs in prod: 403" in said
    assert "Give these credentials the roles bigquery.jobUser and bigquery.readSessionUser" in said


def test_an_api_that_is_not_enabled_is_named_with_the_command(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = (403, "accessNotConfigured", "BigQuery API has not been used in project 7 before or it is disabled.")
    monkeypatch.setitem(ERRORS, "denied", off)
    service.calls.faults[0] = "denied"
    ((_, _, said),) = service.found()
    assert "Enable the APIs: gcloud services enable bigquery.googleapis.com" in said


def test_a_service_out_of_reach_is_the_only_line(service: Service) -> None:
    service.calls.faults[0] = "before the call"
    ((check, severity, said),) = service.found()
    assert (check, severity) == ("bigquery", "failure")
    assert "the network" in said


@pytest.mark.parametrize(
    ("call", "fault", "said"),
    [
        ("GET dataset", "denied", "cannot be seen or made"),
        ("POST table", "denied", "can be made: 403"),
        ("create_read_session", "denied", "can be read: 503"),
        ("DELETE table", "denied", "can be deleted: 403"),
    ],
)
def test_a_permission_that_is_lacking_fails_with_the_dataset_and_the_role(
    call: str, fault: str, said: str, service: Service
) -> None:
    service.found(create=True)
    service.found()
    service.calls.faults[service.calls.made.index(call)] = fault
    ((check, severity, message),) = not_ok(service.found())
    assert (check, severity) == ("dataset", "failure")
    assert f"{service.warehouse.address.prefix}_nba_analytics" in message
    assert said in message
    assert call == "create_read_session" or "bigquery.dataEditor on its datasets" in message


@pytest.mark.parametrize(("seconds", "severity"), [(59, "ok"), (61, "warning"), (-61, "warning"), (301, "failure")])
def test_a_clock_that_differs_is_told(
    seconds: int, severity: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, _: Any = None) -> Any:
            return moment + timedelta(seconds=seconds)

    moment = datetime.now(UTC)
    monkeypatch.setattr(service.client, "query", lambda *_, **__: Answer(moment))
    monkeypatch.setattr(google_cloud, "datetime", Clock)
    ((_, found, said),) = [finding for finding in service.found() if finding[0] == "clock"]
    assert found == severity
    assert f"differ by {abs(seconds)} s" in said


class Answer:
    """A query's job whose result is one moment."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def result(self, **_: Any) -> list[dict[str, datetime]]:
        """One row of one column."""
        return [{"moment": self.moment}]


def test_stored_columns_are_held_against_the_declared_ones(service: Service) -> None:
    count_as_ingested(service.warehouse, ["schedule"], [FIRST])
    service.found(create=True)
    assert service.found()[-1][:2] == ("schema", "ok")
    assert service.found()[-1][2].startswith("1 of ")
    name = f"{service.warehouse.address.dataset('nba_processing')}.unmatched_names"
    service.client.create_table(bigquery.Table(name, [bigquery.SchemaField("stray", "STRING")]))
    (found,) = not_ok(service.found())
    assert found[:2] == ("schema", "failure")
    assert "stored with the column stray STRING NULLABLE, which its spec does not declare" in found[2]


def test_the_command_looks_at_both_services_with_the_credentials_of_the_environment(
    bigquery_service: BigQueryEmulator,
    storage_service: str,
    credentials: Path,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = f"b{uuid.uuid4().hex}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_service)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", bigquery_service.url)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", f"bigquery://{PROJECT}/t{uuid.uuid4().hex}")
    monkeypatch.setenv("NBA_ASSETS_LANDING", f"gs://{bucket}/raw")
    credentials.chmod(0o600)
    client = storage.Client()
    client.create_bucket(bucket).blob("raw/schedule/2021-11-15.parquet").upload_from_string(b"x")
    # The emulator's second service is reached without encryption only.
    monkeypatch.setattr(google_cloud, "_permission", lambda dataset, *_: ok("dataset", dataset))
    ended = CliRunner().invoke(app, ["doctor", "--create", "--json"])
    found = json.loads(ended.output)
    assert [each for each in found if each["severity"] != "ok"] == []
    assert [each["check"] for each in found][:7] == [
        "settings",
        "home",
        "disk",
        "credentials",
        "landing",
        "bigquery",
        "clock",
    ]
    assert found[3]["message"] == f"a token was given to nba@{PROJECT}.iam.gserviceaccount.com"
    assert "the newest, schedule/2021-11-15.parquet, is of" in found[4]["message"]
    assert ended.exit_code == 0
    client.close()
    open_bucket(f"gs://{bucket}/raw").client.close()
    big, reader = bigquery_clients(PROJECT, "US")
    big.close()
    reader.transport.close()
    bigquery_clients.cache_clear()


def test_a_bucket_that_is_not_there_fails(
    storage_service: str, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"gs://b{uuid.uuid4().hex}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_service)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    monkeypatch.setenv("NBA_ASSETS_LANDING", address)
    ((check, severity, said),) = shown(
        carried_out("landing", lambda: check_landing(Settings.from_environment(), create=True))
    )
    assert (check, severity) == ("landing", "failure")
    assert f"the landing zone {address} cannot be listed" in said
    assert "roles/storage.objectViewer" in said
    open_bucket(address).client.close()


def test_credentials_that_are_not_there_or_give_no_token_fail(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = json.loads(credentials.read_text())
    credentials.write_text(json.dumps(account | {"token_uri": account["token_uri"].replace("/token", "/refused")}))
    ((_, severity, said),) = shown(check_credentials())
    assert severity == "failure"
    assert "no token: " in said
    assert account["private_key"] not in said
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/not/there.json")
    ((_, severity, said),) = shown(check_credentials())
    assert severity == "failure"
    assert "/not/there.json" in said
    assert "gcloud auth application-default login" in said


def test_a_key_file_that_others_can_read_is_warned_of(credentials: Path) -> None:
    credentials.chmod(0o640)
    (_, first, _), (_, second, said) = shown(check_credentials())
    assert (first, second) == ("ok", "warning")
    assert f"chmod 600 {credentials}" in said
