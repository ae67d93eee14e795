"""Starting runs of the graph from outside the UI, on the same instance, so that they show up in it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import dagster as dg
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration.console import LOGGER_NAME, Verbosity, shown_run
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.interruption import SIGNAL_TAG, ended_by
from nba_assets.orchestration.jobs import RETRY
from nba_assets.orchestration.run_origin import DEFINITIONS_MODULE, create_run
from nba_assets.orchestration.run_workers import PROCESS_TAG, fail_dead_runs
from nba_assets.partitions import days_between
from nba_assets.processes import this_process
from nba_assets.raw.collection import Request
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.signals import InterruptedBySignal
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse


@dataclass(frozen=True)
class StepReport:
    """How one asset fared in a run."""

    asset: str
    succeeded: bool
    seconds: float
    message: str | None = None


@dataclass(frozen=True)
class RunReport:
    """How a run ended."""

    run_id: str
    succeeded: bool
    steps: list[StepReport] = field(default_factory=list)


@dataclass(frozen=True)
class Built:
    """What an asset holds over the dates of a launch; `rows` of a whole-season raw table are those of their seasons."""

    dates: int
    rows: int
    failures: int
    digest: str


def built(warehouse: Warehouse, launch: Launch) -> dict[str, Built]:
    """What each asset of a launch holds now, from the state of partitions."""
    names = ("table_name", "row_count", "failure_count", "digest")
    partition_state = warehouse.read(
        TABLE_PARTITIONS, names, launch.start, launch.end, {"table_name": list(launch.assets)}
    ).to_pylist()
    by_table: dict[str, list[dict[str, Any]]] = {}
    for entry in partition_state:
        by_table.setdefault(entry["table_name"], []).append(entry)
    rows = _rows_of_seasons(warehouse, launch)
    return {
        name: Built(
            len(mine),
            rows[name] if name in rows else sum(entry["row_count"] for entry in mine),
            sum(entry["failure_count"] for entry in mine),
            blake2b("".join(entry["digest"] for entry in mine).encode(), digest_size=8).hexdigest(),
        )
        for name, mine in by_table.items()
    }


def _rows_of_seasons(warehouse: Warehouse, launch: Launch) -> Counter[str]:
    """The rows of the whole-season raw tables of a launch, which ingests them at all dates of its seasons."""
    names = [name for name in launch.assets if name in RAW_TABLES and RAW_TABLES[name].whole_season]
    rows = Counter(dict.fromkeys(names, 0))
    if names:
        span = Request(RAW_TABLES[names[0]], days_between(launch.start, launch.end), datetime.now(UTC)).span
        entries = warehouse.read(
            TABLE_PARTITIONS, ("table_name", "row_count"), span[0], span[-1], {"table_name": names}
        )
        for entry in entries.to_pylist():
            rows[entry["table_name"]] += entry["row_count"]
    return rows


def execute(
    launch: Launch, run_config: Mapping[str, Any] | None = None, verbosity: Verbosity = Verbosity.NORMAL
) -> RunReport:
    """Run a launch in this process and wait for it; raises InterruptedBySignal, saying how far it came, where a signal
    ended it.
    """
    # What a retry refuses is not recorded: its steps alone say it.
    has_summary = launch.job != RETRY.name
    # Left open, the event log would leave its write-ahead log behind.
    with dagster_instance() as instance:
        fail_dead_runs(instance)
        # Signals wait until the run can take them.
        with shown_run(len(launch.assets), launch.span, verbosity, has_summary=has_summary), capture_interrupts():
            job = dg.build_reconstructable_job(DEFINITIONS_MODULE, "job_by_name", (launch.job,))
            # From its first moment on, others can tell whether the run is alive.
            tags = {**launch.tags, PROCESS_TAG: this_process()}
            config = {**(run_config or {}), "loggers": {LOGGER_NAME: {"config": {}}}}
            result = execute_run(job, create_run(instance, job, launch.assets, tags, config), instance)
            interrupted = check_captured_interrupt()
        run = instance.get_run_by_id(result.run_id)
        report = report_of(instance, result.run_id)
    number = (run.tags.get(SIGNAL_TAG) if run else None) or (signal.SIGINT if interrupted else None)
    if number is not None:
        done = sum(step.succeeded for step in report.steps)
        raise InterruptedBySignal(int(number), f"{done} of {len(launch.assets)} tables are done")
    return report


def report_of(instance: dg.DagsterInstance, run_id: str) -> RunReport:
    """How a run ended that the instance knows."""
    run = instance.get_run_by_id(run_id)
    return RunReport(run_id, run is not None and run.is_success, _steps(instance, run_id))


def _steps(instance: dg.DagsterInstance, run_id: str) -> list[StepReport]:
    failures = dict(failed_steps(instance, run_id))
    reports = []
    for stats in instance.get_run_step_stats(run_id):
        seconds = (stats.end_time or 0.0) - (stats.start_time or stats.end_time or 0.0)
        reports.append(
            StepReport(
                stats.step_key,
                stats.status is not None and stats.status.value == "SUCCESS",
                seconds,
                failures.get(stats.step_key) or None,
            )
        )
    return sorted(reports, key=lambda report: report.asset)


def failed_steps(instance: dg.DagsterInstance, run_id: str) -> Iterator[tuple[str, str]]:
    """The failed steps of a run, and what each said of it; of an unforeseen failure the exception."""
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        failure = event.step_failure_data
        said = failure.user_failure_data.description if failure.user_failure_data else None
        error = failure.error
        raised = error and (error.cause or error)
        unforeseen = raised.message.strip() if raised else ""
        if failure.error_source is ErrorSource.INTERRUPT:
            # A step that ends its run says why; which exception carries that is of no interest. A signal says nothing.
            unforeseen = unforeseen.partition(": ")[2] or _signal(instance, run_id) or unforeseen
        yield event.step_key or "", said or unforeseen


def _signal(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """What ended a run that a signal ended; None where none did."""
    run = instance.get_run_by_id(run_id)
    number = None if run is None else run.tags.get(SIGNAL_TAG)
    return None if number is None else ended_by(int(number))
