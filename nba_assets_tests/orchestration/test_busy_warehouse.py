"""A run that meets a warehouse which somebody else holds: it ends at once, with one message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.launch import execute
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import empty
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.raw.feeds import DAY, partition_state, schedule_row, write


@pytest.fixture
def instance(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Of a home with a schedule that has landed; nobody waits long for its warehouse."""
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE_WAIT_SECONDS", "0.2")
    write(own_home / "landing", "schedule.csv", [schedule_row()])
    DuckDBWarehouse(own_home / "nba.duckdb").replace([Replacement(TABLE_PARTITIONS, empty(TABLE_PARTITIONS), [DAY])])
    found = dagster_instance()
    yield found
    found.dispose()


def test_the_first_raw_step_that_finds_the_warehouse_held_ends_the_run(
    instance: dg.DagsterInstance, own_home: Path
) -> None:
    launch = Launch("full", list(RAW_TABLES), DAY, DAY)
    with FileLock(f"{own_home / 'nba.duckdb'}.lock"):
        report = execute(launch)
    assert not report.succeeded
    (message,) = [step.message for step in report.steps if step.message]
    assert message.startswith(f"the warehouse {own_home / 'nba.duckdb'} was still held after 0.2 s: ")
    events = {
        kind: instance.get_records_for_run(report.run_id, of_type=kind).records
        for kind in (dg.DagsterEventType.STEP_START, dg.DagsterEventType.RUN_FAILURE)
    }
    assert {kind.value: len(records) for kind, records in events.items()} == {"STEP_START": 1, "PIPELINE_FAILURE": 1}
    (failure,) = (record.event_log_entry.dagster_event for record in events[dg.DagsterEventType.RUN_FAILURE])
    assert failure is not None
    assert failure.message == message
    run = instance.get_run_by_id(report.run_id)
    assert run is not None
    # The daemon repeats runs that ended for another reason than a step of theirs.
    assert (run.status, run.tags["dagster/failure_reason"]) == (dg.DagsterRunStatus.FAILURE, "STEP_FAILURE")
    assert execute(Launch("full", ["schedule"], DAY, DAY)).succeeded
    assert list(partition_state("schedule", DuckDBWarehouse(own_home / "nba.duckdb"))) == [DAY]
