"""Starting runs of the graph from outside the UI, on the same instance, so that they show up in it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import dagster as dg
import numpy as np
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

from nba_assets.automation.planned_runs import Launch
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.orchestration.console import LOGGER_NAME, Verbosity, shown_run
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.interruption import SIGNAL_TAG, ended_by
from nba_assets.orchestration.run_workers import PROCESS_TAG, fail_dead_runs
from nba_assets.partitions import FIRST_DATE, FIRST_DATE_VARIABLE
from nba_assets.processes import this_process
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
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


def plan(
    warehouse: Warehouse,
    landing: LandingZone,
    tables: Sequence[str],
    start: date,
    end: date,
    warn: Callable[[str], object] = lambda _: None,
    *,
    ingest: bool = False,
) -> list[Launch]:
    """The runs that build `tables` from `start` to `end`.

    One run, with the raw data of those dates where it is not in the warehouse yet, where a file of theirs has come or
    changed since, or in any case with `ingest`; before it one more, where earlier dates of the season are missing.
    Dates before the first partition cannot be ingested; `warn` gets a line where the season has any.
    """
    season_start = min(season_start_of(landing, start), start)
    if season_start < FIRST_DATE:
        warn(
            f"The season began on {season_start}, before the first partition {FIRST_DATE}: its earlier games cannot "
            f"be looked back on. Set {FIRST_DATE_VARIABLE} to {season_start} or earlier to have them."
        )
        season_start = FIRST_DATE
    missing = missing_raw_dates(warehouse, season_start, end)
    earlier = [day for day in missing if day < start]
    launches = [Launch("full", list(RAW_TABLES), min(earlier), start - timedelta(days=1))] if earlier else []
    news = ingest or any(day >= start for day in missing) or has_landed_since(warehouse, landing, start, end)
    raw = list(RAW_TABLES) if news else []
    return [*launches, Launch("full", [*raw, *tables], start, end)]


def missing_upstream(
    warehouse: Warehouse, tables: Collection[str], upstream: Mapping[str, Collection[str]], start: date, end: date
) -> list[str]:
    """A line for each of some tables whose upstream is neither run with it nor built for all dates from `start` to
    `end`; raw tables are ingested by themselves.

    `upstream` are the tables that each table reads.
    """
    needed = {
        name: [source for source in upstream[name] if source not in tables and source not in RAW_TABLES]
        for name in tables
    }
    sources = sorted({source for mine in needed.values() for source in mine})
    if not sources:
        return []
    entries = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date"), start, end, {"table_name": sources})
    dates = Counter(entries["table_name"].to_pylist())
    count = (end - start).days + 1
    lacking = {
        name: [f"{source} ({dates[source]} of {count} dates are built)" for source in mine if dates[source] < count]
        for name, mine in needed.items()
    }
    return [
        f"{name} reads what is not built: {', '.join(mine)}. Build it first, or with --table."
        for name, mine in lacking.items()
        if mine
    ]


def missing_raw_dates(warehouse: Warehouse, start: date, end: date) -> list[date]:
    """Dates for which some raw table was never ingested."""
    partition_state = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "partition_date"), start, end, {"table_name": list(RAW_TABLES)}
    )
    there = set(
        zip(partition_state["table_name"].to_pylist(), partition_state["partition_date"].to_pylist(), strict=True)
    )
    days = [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
    return [day for day in days if any((name, day) not in there for name in RAW_TABLES)]


def has_landed_since(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> bool:
    """Whether a file that may hold rows of dates from `start` to `end`, all of them ingested, was put into the landing
    zone after that.
    """
    return any(ingested is not None for _, _, ingested in _news(warehouse, landing, start, end))


def landed_since(warehouse: Warehouse, landing: LandingZone, today: date) -> list[date]:
    """Dates until `today` of which the landing zone holds files that are not ingested, or that came or changed after
    that, ascending.

    A file of which the path names no date counts for `today`. Dates that lie behind and have no file of a required feed
    are left out: a roster of the day before opening night is ingested for nothing.
    """
    found = {
        day or today
        for name, day, ingested in _news(warehouse, landing, FIRST_DATE, today)
        if ingested is not None or day is None or day == today or RAW_TABLES[name].required
    }
    return sorted(found)


def _news(
    warehouse: Warehouse, landing: LandingZone, start: date, end: date
) -> Iterator[tuple[str, date | None, datetime | None]]:
    """Of each file that came after its date was ingested: its table, the date that its path names, and when that was
    ingested, None for never.

    Told by the time of the files alone, none is opened. A file of which the path names no date may hold rows of any;
    every ingestion of its table reads it.
    """
    names = ("table_name", "partition_date", "written_at")
    rows = warehouse.read(TABLE_PARTITIONS, names, date.min, date.max, {"table_name": list(RAW_TABLES)}).to_pylist()
    written: dict[str, dict[date, datetime]] = {name: {} for name in RAW_TABLES}
    for row in rows:
        written[row["table_name"]][row["partition_date"]] = row["written_at"].replace(tzinfo=UTC)
    for name, dates in written.items():
        for file in landing.files(name):
            day = file.date_of(RAW_TABLES[name].table.date_column)
            if day is not None and not start <= day <= end:
                continue
            ingested = max(dates.values(), default=None) if day is None else dates.get(day)
            if ingested is None or file.placed_at > ingested:
                yield name, day, ingested


@dataclass(frozen=True)
class Built:
    """What an asset holds over the dates of a launch."""

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
    for book in partition_state:
        by_table.setdefault(book["table_name"], []).append(book)
    return {
        name: Built(
            len(mine),
            sum(book["row_count"] for book in mine),
            sum(book["failure_count"] for book in mine),
            blake2b("".join(book["digest"] for book in mine).encode(), digest_size=8).hexdigest(),
        )
        for name, mine in by_table.items()
    }


def execute(
    launch: Launch, run_config: Mapping[str, Any] | None = None, verbosity: Verbosity = Verbosity.NORMAL
) -> RunReport:
    """Run a launch in this process and wait for it; raises InterruptedBySignal, saying how far it came, where a signal
    ended it.
    """
    instance = dagster_instance()
    fail_dead_runs(instance)
    # Signals wait until the run can take them.
    with shown_run(len(launch.assets), launch.span, verbosity), capture_interrupts():
        result = dg.execute_job(
            dg.build_reconstructable_job("nba_assets.definitions", "job_by_name", (launch.job,)),
            instance=instance,
            run_config={**(run_config or {}), "loggers": {LOGGER_NAME: {"config": {}}}},
            # From its first moment on, others can tell whether the run is alive.
            tags={**launch.tags, PROCESS_TAG: this_process()},
            asset_selection=[dg.AssetKey(name) for name in launch.assets],
        )
        interrupted = check_captured_interrupt()
    run = instance.get_run_by_id(result.run_id)
    number = (run.tags.get(SIGNAL_TAG) if run else None) or (signal.SIGINT if interrupted else None)
    report = RunReport(result.run_id, result.success, _steps(instance, result.run_id))
    if number is not None:
        done = sum(step.succeeded for step in report.steps)
        raise InterruptedBySignal(int(number), f"{done} of {len(launch.assets)} tables are done")
    return report


def season_start_of(landing: LandingZone, day: date) -> date:
    """First day of a date's season, as the landed schedule has it: raw data from there on is needed to look back."""
    games = collect(Request(SCHEDULE, [day], datetime.now(UTC)), landing).rows
    columns = (
        (games[name] for name in ("game_date", "season_year", "is_regular_season"))
        if games
        else (np.array([], dtype="M8[D]"),) * 3
    )
    calendar = SeasonCalendar.from_schedule(*columns)
    first: date = calendar.first_day(np.array([day], dtype="M8[D]"))[0].item()
    return first


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
