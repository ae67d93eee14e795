"""Dagster's records in Postgres, as deploy/dagster.postgres.yaml has them, on a real server of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from nba_assets.doctor.finding import Finding
from nba_assets.doctor.instance import check_instance
from nba_assets.orchestration.event_log import BATCH_SIZE, BATCH_VARIABLE, PLANNED_SUBSET_VARIABLE
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.dagster_server import PROJECT, UI, dagster_server, graphql
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import Season
from nba_assets_tests.postgres_server import PASSWORD, VARIABLES, postgres_server

CONFIGURATION = PROJECT / "deploy" / "dagster.postgres.yaml"
BATCHES = {BATCH_VARIABLE: BATCH_SIZE, PLANNED_SUBSET_VARIABLE: "1"}
WAIT_SECONDS = 240
SENSOR = {
    "repositoryLocationName": "nba_assets",
    "repositoryName": "__repository__",
    "sensorName": "raw_arrival",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Mapping[str, str]]:
    """The variables of a server."""
    pytest.importorskip("dagster_postgres", reason="the extra nba-assets[postgres] is not installed")
    with postgres_server() as variables:
        yield variables


@pytest.fixture
def postgres(
    server: Mapping[str, str], own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """An environment whose instance is in the server."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(CONFIGURATION, folder / "dagster.yaml")
    variables = {**server, **BATCHES, "DAGSTER_HOME": str(folder)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


def found() -> list[tuple[str, str]]:
    return [(str(finding.severity), finding.message) for finding in _instance()]


def _instance() -> Iterator[Finding]:
    yield from check_instance()


def test_the_instance_differs_from_the_shipped_one_in_its_storage_alone() -> None:
    shipped, configured = (yaml.safe_load(file.read_text()) for file in (PROJECT / "dagster.yaml", CONFIGURATION))
    assert list(configured.pop("storage")) == ["postgres"]
    assert shipped.pop("storage")
    assert configured == shipped


def test_everything_about_the_server_comes_from_the_environment() -> None:
    database = yaml.safe_load(CONFIGURATION.read_text())["storage"]["postgres"]["postgres_db"]
    assert database.pop("scheme") == "postgresql+psycopg2"
    assert {value["env"].removeprefix(VARIABLES) for value in database.values()} == {
        "HOST",
        "PORT",
        "USER",
        "PASSWORD",
        "DB",
    }


def test_the_check_of_the_instance_names_the_server_without_its_password(postgres: Mapping[str, str]) -> None:
    ((severity, said),) = found()
    assert severity == "ok"
    assert f"127.0.0.1:{postgres['DAGSTER_POSTGRES_PORT']}/dagster_records" in said
    assert PASSWORD not in said


def test_events_that_are_written_one_by_one_are_warned_of(
    postgres: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PLANNED_SUBSET_VARIABLE)
    (first, _), (severity, said) = found()
    assert (first, severity) == ("ok", "warning")
    assert f"set {BATCH_VARIABLE}=1000 and {PLANNED_SUBSET_VARIABLE}=1" in said
    assert f"(not set: {PLANNED_SUBSET_VARIABLE})" in said


@pytest.mark.parametrize(("variable", "value"), [("PASSWORD", "wrong"), ("PORT", "1"), ("DB", "another")])
def test_a_server_that_lets_nobody_in_fails_without_the_password(
    variable: str, value: str, postgres: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{VARIABLES}{variable}", value)
    monkeypatch.setattr("dagster_postgres.utils.time.sleep", lambda _: None)  # between Dagster's attempts
    ((severity, said),) = found()
    assert severity == "failure"
    assert "See that its dagster.yaml is right, and of a database that it runs" in said
    assert PASSWORD not in said


def test_a_driver_that_is_not_installed_fails_with_the_one_that_is(postgres: Mapping[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / "dagster" / "dagster.yaml"
    configuration.write_text(configuration.read_text().replace("scheme: postgresql+psycopg2", "scheme: postgresql"))
    ((severity, said),) = found()
    assert severity == "failure"
    assert "write the address as postgresql+psycopg2://" in said


def test_a_season_writes_few_statements(postgres: Mapping[str, str]) -> None:
    days = dg.DailyPartitionsDefinition("2024-10-22", end_date="2024-12-22")

    @dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run())
    def empty() -> None:
        pass

    with dagster_instance() as instance:
        written: list[int] = []
        store, store_batch = instance.event_log_storage.store_event, instance.event_log_storage.store_event_batch
        storage: Any = instance.event_log_storage

        def stored(event: Any) -> None:
            written.append(1)
            store(event)

        def stored_batch(events: Any) -> None:
            written.append(len(events))
            store_batch(events)

        storage.store_event, storage.store_event_batch = stored, stored_batch
        span = {"dagster/asset_partition_range_start": "2024-10-22", "dagster/asset_partition_range_end": "2024-12-21"}
        assert dg.materialize([empty], instance=instance, tags=span).success
        assert len(instance.get_materialized_partitions(dg.AssetKey("empty"))) == 61
    assert max(written) == 61
    assert len(written) < 40


@pytest.mark.slow
def test_a_backfill_and_a_sensor_whose_runs_are_queued_are_on_record_in_the_server(
    postgres: Mapping[str, str], own_home: Path, tmp_path: Path
) -> None:
    season = Season(tmp_path / "season", write_season(tmp_path / "season", 2024, **SMALL_LEAGUE))
    opening, landing = season.summary.first_date, own_home / "landing"
    built, late = opening + timedelta(days=2), opening + timedelta(days=3)
    season.land_all(landing, opening, built)
    environment = {**os.environ, "NBA_ASSETS_BOOTSTRAP_DAYS": "1"}
    done = subprocess.run(
        [UI[0], "backfill", str(opening), str(built), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert done.returncode in (0, 3), done.stderr
    with dagster_instance() as instance:
        assert {run.status for run in instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        planned = instance.get_materialized_partitions(dg.AssetKey("player_game_summary"))
    assert planned == {str(opening + timedelta(days=number)) for number in range(3)}
    with dagster_server(environment, tmp_path / "ui.log") as address:
        season.land_all(landing, late, late)
        start = "mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) { __typename } }"
        assert graphql(address, start, sensor=SENSOR)["startSensor"]["__typename"] == "Sensor"
        until(lambda: ("player_game_summary", late) in partitions(own_home), tmp_path / "ui.log")
    with dagster_instance() as instance:
        of_sensor = [run for run in instance.get_runs() if "dagster/sensor_name" in run.tags]
        assert of_sensor
        enqueued = instance.get_records_for_run(of_sensor[-1].run_id, of_type=dg.DagsterEventType.RUN_ENQUEUED).records
        assert len(enqueued) == 1
        assert {"SENSOR", "QUEUED_RUN_COORDINATOR"} <= set(instance.get_daemon_heartbeats())
    assert not (own_home / "dagster" / "storage").exists()
    assert PASSWORD not in "".join(records(postgres))
    assert PASSWORD not in done.stdout + done.stderr + (tmp_path / "ui.log").read_text()


def records(variables: Mapping[str, str]) -> Iterator[str]:
    """All that stands in the tables of the database, as text."""
    import psycopg2

    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DB"}
    connection = psycopg2.connect(**{name: variables[VARIABLES + variable] for name, variable in names.items()})
    cursor = connection.cursor()
    cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for (table,) in cursor.fetchall():
        cursor.execute(f'SELECT * FROM "{table}"')
        yield str(cursor.fetchall())
    connection.close()


def partitions(home: Path) -> set[tuple[str, date]]:
    """The built dates of the computed tables."""
    rows = DuckDBWarehouse(home / "nba.duckdb").read(
        TABLE_PARTITIONS,
        ("table_name", "partition_date"),
        date.min,
        date.max,
        {"table_name": list(COMPUTED_TABLES)},
    )
    return {(row["table_name"], row["partition_date"]) for row in rows.to_pylist()}


def until(holds: Callable[[], bool], log: Path) -> None:
    """Wait until something is the case; AssertionError with the end of the log after four minutes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(1)
