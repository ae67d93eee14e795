"""Starting runs of the graph from outside the UI, on the same instance, so that they show up in it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import dagster as dg
import numpy as np
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.instance import dagster_instance
from nba_assets.interruption import SIGNAL_TAG
from nba_assets.operations.console import LOGGER_NAME, Verbosity, shown_run
from nba_assets.partitions import FIRST_DATE, FIRST_DATE_VARIABLE, league_today
from nba_assets.processes import this_process
from nba_assets.raw.collection import Request, collect, season_start
from nba_assets.raw.landing import LandingZone, LandingZoneError
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.run_workers import PROCESS_TAG, fail_dead_runs
from nba_assets.signals import InterruptedBySignal
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import listed

RANGE_START_TAG, RANGE_END_TAG = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"
FILES_SHOWN = 3


@dataclass(frozen=True)
class Launch:
    """One run: a job, the assets of it that are planned, and an unbroken range of dates."""

    job: str
    assets: Sequence[str]
    start: date
    end: date

    @property
    def span(self) -> str:
        """Its dates in words, e.g. `2021-10-19 to 2022-04-10`."""
        return str(self.start) if self.start == self.end else f"{self.start} to {self.end}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which Dagster knows the run's partitions."""
        if self.start == self.end:
            return {PARTITION_TAG: self.start.isoformat()}
        return {RANGE_START_TAG: self.start.isoformat(), RANGE_END_TAG: self.end.isoformat()}


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


NO_SCHEDULE = (
    "no schedule has landed: put schedule.parquet, or a folder schedule/, with the games of the season into the "
    "landing zone (NBA_ASSETS_LANDING)"
)


class UnscheduledError(LandingZoneError):
    """No game is scheduled for the dates of a request; the message says which are."""


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
    Dates before the first partition cannot be ingested; `warn` gets a line where the season has any, and one that names
    the files that came or changed. Raises UnscheduledError for dates that no schedule covers.
    """
    calendar = see_scheduled(warehouse, landing, start, end)
    first_day: date = calendar.first_day(np.array([start], dtype="M8[D]"))[0].item()
    opening = min(first_day, start)
    if opening < FIRST_DATE:
        warn(
            f"The season began on {opening}, before the first partition {FIRST_DATE}: its earlier games cannot "
            "be looked back on. "
            f"Set {FIRST_DATE_VARIABLE} to {opening} or earlier to have them."
        )
    missing = missing_raw_dates(warehouse, max(opening, FIRST_DATE), end)
    earlier = [day for day in missing if day < start]
    changed = [news for news in _news(warehouse, landing, start, end) if news.ingested is not None]
    for line in news_lines(changed):
        warn(line)
    launches = [Launch("full", list(RAW_TABLES), min(earlier), start - timedelta(days=1))] if earlier else []
    raw = list(RAW_TABLES) if ingest or changed or any(day >= start for day in missing) else []
    return [*launches, Launch("full", [*raw, *tables], start, end)]


def plan_ingestion(
    warehouse: Warehouse, landing: LandingZone, start: date, end: date, say: Callable[[str], object] = lambda _: None
) -> list[Launch]:
    """The runs that ingest what came or changed for dates from `start` to `end`, and nothing else.

    Dates between them that were never ingested are ingested with them, so that a season is one run. A file of which the
    path names no date may hold rows of all dates between games. `say` gets lines that name the files. Raises
    UnscheduledError where no schedule has landed.
    """
    calendar = calendar_of(warehouse, landing, start, end)
    if not len(calendar.game_dates):
        raise UnscheduledError(NO_SCHEDULE)
    news = list(_news(warehouse, landing, start, min(end, calendar.game_dates[-1].item())))
    for line in news_lines(news):
        say(line)
    days = {one.day for one in news if one.day is not None}
    undated = [RAW_TABLES[one.table] for one in news if one.day is None]
    within = (calendar.game_dates >= np.datetime64(start)) & (calendar.game_dates <= np.datetime64(end))
    played, seasons = calendar.game_dates[within], calendar.season_years[within]
    if len(played) and any(not raw.whole_season for raw in undated):
        days.update(np.arange(played[0], played[-1] + 1).tolist())
    elif undated:
        # Whichever of its dates is ingested, the whole season is.
        days.update(played[seasons == season][-1].item() for season in np.unique(seasons))
    return [Launch("ingest", list(RAW_TABLES), first, last) for first, last in _ranges(warehouse, sorted(days))]


def _ranges(warehouse: Warehouse, days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Some dates, ascending, as ranges that hold no other date that is ingested."""
    if not days:
        return
    missing = set(missing_raw_dates(warehouse, days[0], days[-1]))
    first = days[0]
    for day, following in pairwise(days):
        between = {day + timedelta(days=offset) for offset in range(1, (following - day).days)}
        if not between <= missing:
            yield first, day
            first = following
    yield first, days[-1]


def calendar_of(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> SeasonCalendar:
    """The seasons to which dates from `start` to `end` may belong: as their schedule has landed, else as stored."""
    days = [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
    request = Request(SCHEDULE, days, datetime.now(UTC))
    games = collect(request, landing).rows
    if not len(games["game_date"]):
        names = ("game_date", "season_year", "is_regular_season")
        games = to_columns(warehouse.read(SCHEDULE.table, names, request.span[0], request.span[-1]))
    return SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"])


def see_scheduled(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> SeasonCalendar:
    """The seasons of dates from `start` to `end`; raises UnscheduledError, with the bounds of the games there are, for
    a date after the last game or before every season.
    """
    calendar = calendar_of(warehouse, landing, start, end)
    if _is_covered(calendar, start) and _is_covered(calendar, end):
        return calendar
    known = calendar_of(warehouse, landing, FIRST_DATE, league_today())
    if not len(known.game_dates):
        raise UnscheduledError(NO_SCHEDULE)
    day = end if _is_covered(calendar, start) else start
    raise UnscheduledError(
        f"{day} lies outside the schedule that has landed, which has games from {known.game_dates[0]} to "
        f"{known.game_dates[-1]}; name dates among them, or land the schedule of that season first (NBA_ASSETS_LANDING)"
    )


def _is_covered(calendar: SeasonCalendar, day: date) -> bool:
    if not len(calendar.game_dates):
        return False
    return season_start(int(calendar.season_years[0])) <= day <= calendar.game_dates[-1].item()


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


def landed_since(warehouse: Warehouse, landing: LandingZone, today: date) -> list[date]:
    """Dates until `today` of which the landing zone holds files that are not ingested, or that came or changed after
    that, ascending.

    A file of which the path names no date counts for `today`. Dates that lie behind and have no file of a required feed
    are left out: a roster of the day before opening night is ingested for nothing.
    """
    found = {
        news.day or today
        for news in _news(warehouse, landing, FIRST_DATE, today)
        if news.ingested is not None or news.day is None or news.day == today or RAW_TABLES[news.table].required
    }
    return sorted(found)


@dataclass(frozen=True)
class News:
    """A file that came or changed after its date was ingested: its table, the date that its path names, and when that
    was ingested, None for never.
    """

    table: str
    path: str
    day: date | None
    ingested: datetime | None


def news_lines(news: Sequence[News]) -> Iterator[str]:
    """What has landed, in a line per table that has something new for dates which were ingested before, and one for
    all others.
    """
    again = [one for one in news if one.ingested is not None]
    for table in dict.fromkeys(one.table for one in again):
        files = [one.path for one in again if one.table == table]
        yield f"{table}: came or changed since it was ingested: {listed(files, FILES_SHOWN, 'files')}"
    if first := [one for one in news if one.ingested is None]:
        days = sorted({one.day for one in first if one.day is not None})
        dates = f", of {len(days):,} dates from {days[0]} to {days[-1]}" if days else ""
        yield f"{len({one.table for one in first})} tables: {len(first):,} files that are not ingested yet{dates}"


def _news(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> Iterator[News]:
    """The files that may hold rows of dates from `start` to `end` and came after these were ingested.

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
                yield News(name, file.path, day, ingested)


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
            dg.build_reconstructable_job("nba_assets.operations.launch", "job_by_name", (launch.job,)),
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


def job_by_name(name: str) -> dg.JobDefinition:
    """A job of the definitions, found again by name."""
    from nba_assets.definitions import defs

    return defs.resolve_job_def(name)


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
            # A step that ends its run says why; which exception carries that is of no interest.
            unforeseen = unforeseen.partition(": ")[2] or unforeseen
        yield event.step_key or "", said or unforeseen
