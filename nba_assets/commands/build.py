"""The commands that build: `run`, `backfill`, `ingest`, `rebuild`, `retry`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from nba_assets.commands.dates import dates_of
from nba_assets.commands.failures import FAILURES_SHOWN, list_failures
from nba_assets.commands.options import (
    DATE,
    BuildingRuns,
    ComputingRuns,
    Day,
    End,
    OneDay,
    OneTable,
    ResultRuns,
    ShownRuns,
    Start,
    require_known,
    with_options,
)
from nba_assets.commands.output import console, say, warn
from nba_assets.commands.runs import carry_out, warn_of_failed_steps

if TYPE_CHECKING:
    from nba_assets.automation.planned_runs import Launch
    from nba_assets.orchestration.launch import RunReport

app = typer.Typer()


class Chunk(StrEnum):
    """What a backfill is cut into."""

    season = "season"


Since = Annotated[str | None, typer.Argument(metavar="START", help=f"First date, {DATE}; all dates by default.")]
Until = Annotated[str | None, typer.Argument(metavar="END", help=f"Last date, {DATE}; START alone by default.")]


@app.command()
@with_options
def run(day: Day, options: BuildingRuns) -> None:
    """Build one date.

    Ends with 0 where everything was published; with 1 where a date was refused, a step or an entity failed hard, or a
    file could not be read; with 3 where everything was published but some of the data should be looked at.
    """
    build(*dates_of(day), options)


@app.command()
@with_options
def backfill(
    start: Start,
    end: End,
    options: BuildingRuns,
    *,
    chunk: Annotated[
        Chunk | None,
        typer.Option("--chunk", help="Separate runs, put into Dagster's queue, which a running daemon launches."),
    ] = None,
) -> None:
    """Build all dates from START to END, both included, in one run; ends as `run` does.

    With --chunk season each season is a run of its own, of which Dagster's queue lets several run at once.
    """
    if chunk is None:
        build(*dates_of(start, end), options)
    else:
        build_in_chunks(*dates_of(start, end), options)


@app.command()
@with_options
def ingest(options: ResultRuns, start: Since = None, end: Until = None) -> None:
    """Ingest the raw files that have come or changed, of all dates or from START to END, and build nothing else.

    Ends as `run` does.
    """
    from nba_assets.automation.planning import plan_ingestion
    from nba_assets.automation.scheduled_dates import require_scheduled
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.launch import execute
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.partitions import FIRST_DATE, league_today

    warehouse, landing = open_warehouse(), landing_zone()
    first, last = dates_of(start, end) if start else (FIRST_DATE, league_today())
    if start:
        require_scheduled(warehouse, landing, first, last)
    lines: list[str] = []
    launches = plan_ingestion(warehouse, landing, first, last, lines.append)
    if not options.as_json:
        for line in lines:
            say(line)
    verbosity = options.verbosity
    carry_out(
        launches,
        lambda launch: execute(launch, verbosity=verbosity),
        as_json=options.as_json,
        said=lines,
        nothing="Nothing to ingest: no file has come or changed since its date was ingested.",
    )


@app.command()
@with_options
def rebuild(
    options: ComputingRuns,
    start: Since = None,
    end: Until = None,
    *,
    stale_code: Annotated[
        bool,
        typer.Option("--stale-code", help="Dates that older code built, or code that did not record their inputs."),
    ] = False,
) -> None:
    """Build again what `status` lists as from older code, upstream tables first, in ranges; from stored raw data.

    Ends as `run` does.
    """
    from nba_assets.automation.staleness import rebuilds
    from nba_assets.automation.stored_state import read_state
    from nba_assets.orchestration.launch import execute
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.partitions import league_today

    if not stale_code:
        raise typer.BadParameter("say what is to be built again: --stale-code", param_hint="rebuild")
    first, last = dates_of(start, end) if start else (date.min, date.max)
    state = read_state(open_warehouse(), league_today())
    verbosity, configuration = options.verbosity, options.configuration()
    carry_out(
        rebuilds([one.within(first, last) for one in state.outdated()], state.game_days),
        lambda launch: execute(launch, configuration, verbosity),
        as_json=options.as_json,
        nothing="Nothing to rebuild: every built date is from the current code.",
    )


@app.command()
@with_options
def retry(options: ShownRuns, day: OneDay = None, table: OneTable = None) -> None:
    """Compute again what failed and may be resolved; all other rows stay as they are."""
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.orchestration.retries import failures_of, plan_retries, retried

    require_known(table)
    only = dates_of(day)[0] if day else None
    warehouse = open_warehouse()
    failures = failures_of(warehouse, only, table)
    retryable = [failure for failure in failures if failure.can_retry]
    if not retryable:
        say(f"Nothing to retry: of {len(failures):,} open failures there is none that running again may resolve.")
        return
    launches = plan_retries(warehouse, retryable)
    say(f"{len(retryable):,} failures to retry; runs of the job retry: {len(launches):,}")
    report = retried(warehouse, launches, retryable, options.verbosity)
    for run_report in report.runs:
        warn_of_failed_steps(run_report)
    resolved, still_open = (Counter(failure.table for failure in part) for part in (report.resolved, report.still_open))
    shown = Table(Column("table", no_wrap=True), "resolved", "still open")
    for name in sorted({failure.table for failure in retryable}):
        shown.add_row(name, f"{resolved[name]:,}", f"{still_open[name]:,}")
    console.print(shown)
    if report.still_open:
        list_failures(report.still_open, FAILURES_SHOWN)
    if not report.succeeded:
        raise typer.Exit(1)


def build(start: date, end: date, options: BuildingRuns) -> None:
    """Build dates as `run` and `backfill` do; raises Exit with the code where it is not 0."""
    from nba_assets.orchestration.launch import execute
    from nba_assets.registry import COMPUTED_TABLES

    launches, said = _planned(start, end, options)
    verbosity, configuration = options.verbosity, options.configuration()

    def run_of(launch: Launch) -> RunReport:
        computes = any(name in COMPUTED_TABLES for name in launch.assets)
        return execute(launch, configuration if computes else {}, verbosity)

    carry_out(launches, run_of, as_json=options.as_json, said=said)


def build_in_chunks(start: date, end: date, options: BuildingRuns) -> None:
    """Build dates in runs of one season each, which the run launcher of the instance starts; raises Exit as `build`
    does.
    """
    from nba_assets.automation.scheduled_dates import require_scheduled
    from nba_assets.automation.season_chunks import season_waves
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.opening import open_warehouse, warehouse_kind
    from nba_assets.orchestration.queued_runs import QueuedRuns

    launches, said = _planned(start, end, options)
    waves = season_waves(launches, require_scheduled(open_warehouse(), landing_zone(), start, end))
    runs = QueuedRuns(waves, options.configuration())
    if warehouse_kind() == "duckdb" and any(len(wave) > 1 for wave in waves):
        line = (
            "The warehouse is one file: of runs at the same time one reads or writes while the others wait for it, no "
            "longer than NBA_ASSETS_WAREHOUSE_WAIT_SECONDS."
        )
        warn([line], to_stderr=options.as_json)
        said = [*said, line]
    carry_out([launch for wave in waves for launch in wave], runs.execute, as_json=options.as_json, said=said)


def _planned(start: date, end: date, options: BuildingRuns) -> tuple[list[Launch], list[str]]:
    """The runs that build dates, and what is to be said of them."""
    from nba_assets.automation.planning import missing_upstream, plan
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.registry import COMPUTED_TABLES, upstream_names

    require_known(options.table)
    warehouse, landing = open_warehouse(), landing_zone()
    names: Sequence[str] = options.table or list(COMPUTED_TABLES)
    said = missing_upstream(warehouse, names, upstream_names(), start, end)
    launches = plan(warehouse, landing, names, start, end, said.append, ingest=options.ingest)
    # Standard output is the result's alone where a program reads it.
    warn(said, to_stderr=options.as_json)
    return launches, said
