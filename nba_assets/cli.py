"""The command line: a thin shell over the same jobs that the UI runs, on the same instance."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import webbrowser
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Column
from rich.table import Table as ConsoleTable
from rich.text import Text

from nba_assets.error_lines import interrupted_line, one_line_errors
from nba_assets.providers.commands import app as provider_commands
from nba_assets.settings import Settings, misspelt_variables
from nba_assets.signals import InterruptedBySignal, raised_signals
from nba_assets.terminal import CleanConsole

if TYPE_CHECKING:
    from nba_assets.automation.planned_runs import Launch
    from nba_assets.orchestration.console import Verbosity
    from nba_assets.orchestration.damage import Damage
    from nba_assets.orchestration.launch import Built, RunReport, StepReport
    from nba_assets.publishing.retry import OpenFailure
    from nba_assets.report.slate import SlateFacts

app = typer.Typer(
    help="NBA raw data into daily analytics tables. Without a command: where the pipeline stands.",
    pretty_exceptions_enable=False,
)
app.add_typer(provider_commands)
PLAIN_WIDTH, LISTING_WIDTH = 120, 240
"""Columns of output that goes into a file or a pipe, where no terminal tells its width; a listing has room for an entry
per line there.
"""
console = CleanConsole(width=None if sys.stdout.isatty() else PLAIN_WIDTH)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="US-Eastern calendar date, YYYY-MM-DD.")]
Tables = Annotated[
    list[str] | None, typer.Option("--table", help="Only this table, may be repeated; its inputs must be built.")
]
Serial = Annotated[bool, typer.Option("--serial", help="One entity after the other, in this thread.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Workers for players and for teams.")]
Ingest = Annotated[
    bool,
    typer.Option(
        "--ingest", help="Ingest the raw data of these dates again, also what is ingested already: after a correction."
    ),
]
OneDay = Annotated[
    datetime | None,
    typer.Option("--date", formats=["%Y-%m-%d"], help="Only this US-Eastern calendar date, YYYY-MM-DD."),
]
OneTable = Annotated[list[str] | None, typer.Option("--table", help="Only this table, may be repeated.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Also say what the workers say.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but the result.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")]
WIDE = 100
"""Columns from which a run's table shows digests."""
FAILURES_SHOWN, REASONS_SHOWN = 50, 20
QUARANTINED_SHOWN = 50
NAMES_SHOWN = 200


@app.callback(invoke_without_command=True)
def stands(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """NBA raw data into daily analytics tables. Without a command: where the pipeline stands."""
    if version:
        typer.echo(importlib.metadata.version("nba-assets"))
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.overview import overview, overview_lines
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import league_today

    settings = Settings.from_environment()
    seen = overview(WarehouseResource().open(), landing_zone(), league_today(), settings)
    for line in overview_lines(seen):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def run(
    day: Day,
    table: Tables = None,
    serial: Serial = False,
    workers: Workers = None,
    ingest: Ingest = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Build one date.

    Ends with 0 where everything was published; with 1 where a date was refused, a step or an entity failed hard, or a
    file could not be read; with 3 where everything was published but some of the data should be looked at.
    """
    _build(day.date(), day.date(), table, serial, workers, ingest, _verbosity(verbose, quiet), as_json=as_json)


@app.command()
def backfill(
    start: Day,
    end: Day,
    table: Tables = None,
    serial: Serial = False,
    workers: Workers = None,
    ingest: Ingest = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Build all dates from START to END, both included, in one run; ends as `run` does."""
    if end < start:
        raise typer.BadParameter(f"END {end.date()} lies before START {start.date()}")
    _build(start.date(), end.date(), table, serial, workers, ingest, _verbosity(verbose, quiet), as_json=as_json)


@app.command()
def rebuild(
    start: Annotated[
        datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="First date, YYYY-MM-DD; all dates by default.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="Last date; START alone by default.")
    ] = None,
    *,
    stale_code: Annotated[
        bool,
        typer.Option("--stale-code", help="Dates that older code built, or code that did not record their inputs."),
    ] = False,
    serial: Serial = False,
    workers: Workers = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Build again what `status` lists as from older code, upstream tables first, in ranges; from stored raw data.

    Ends as `run` does.
    """
    from nba_assets.automation.staleness import rebuilds
    from nba_assets.automation.stored_state import read_state
    from nba_assets.orchestration.launch import execute
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import league_today

    if not stale_code:
        raise typer.BadParameter("say what is to be built again: --stale-code", param_hint="rebuild")
    first, last = (start.date(), (end or start).date()) if start else (date.min, date.max)
    if last < first:
        raise typer.BadParameter(f"END {last} lies before START {first}")
    state = read_state(WarehouseResource().open(), league_today())
    launches = rebuilds([one.within(first, last) for one in state.outdated()], state.game_days)
    if not launches:
        console.print("Nothing to rebuild: every built date is from the current code.")
        return
    verbosity, config = _verbosity(verbose, quiet), _entities(serial, workers)
    _execute(launches, lambda launch: execute(launch, config, verbosity), as_json=as_json)


@app.command()
def retry(day: OneDay = None, table: OneTable = None, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """Compute again what failed and may be mended; all other rows stay as they are."""
    from nba_assets.orchestration.retries import failures_of, plan_retries, retried
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import see_within_partitions

    _known(table)
    if day is not None:
        see_within_partitions(day.date())
    warehouse = WarehouseResource().open()
    failures = failures_of(warehouse, day.date() if day else None, table)
    retryable = [failure for failure in failures if failure.can_retry]
    if not retryable:
        console.print(
            f"Nothing to retry: of {len(failures):,} open failures there is none that running again may mend."
        )
        return
    launches = plan_retries(warehouse, retryable)
    console.print(f"{len(retryable):,} failures to retry; runs of the job retry: {len(launches):,}")
    report = retried(warehouse, launches, retryable, _verbosity(verbose, quiet))
    for run_report in report.runs:
        _say_failed_steps(run_report)
    mended, still_open = (Counter(failure.table for failure in part) for part in (report.mended, report.still_open))
    shown = ConsoleTable(Column("table", no_wrap=True), "mended", "still open")
    for name in sorted({failure.table for failure in retryable}):
        shown.add_row(name, f"{mended[name]:,}", f"{still_open[name]:,}")
    console.print(shown)
    if report.still_open:
        _list_failures(report.still_open, FAILURES_SHOWN)
    if not report.succeeded:
        raise typer.Exit(1)


@app.command()
def failures(
    day: OneDay = None,
    table: OneTable = None,
    category: Annotated[str | None, typer.Option(help="Only this category, e.g. PROCESSING_ERROR.")] = None,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="Also those that are expected: too few games yet.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Failures to show; all are counted.")] = FAILURES_SHOWN,
    as_json: AsJson = False,
) -> None:
    """What could not be computed and why: a summary, then the failures, newest first."""
    from nba_assets.orchestration.retries import failures_of, newest_first
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.tables.bookkeeping import EXPECTED_FAILURES, FAILURE_CATEGORIES

    _known(table)
    if category is not None and category.upper() not in FAILURE_CATEGORIES:
        raise typer.BadParameter(
            f"no category {category}; there are {', '.join(FAILURE_CATEGORIES)}", param_hint="--category"
        )
    found = failures_of(WarehouseResource().open(), day.date() if day else None, table)
    found = [failure for failure in found if category is None or failure.category == category.upper()]
    hidden = 0
    if not all_of_them and category is None:
        looked_at = [failure for failure in found if failure.category not in EXPECTED_FAILURES]
        found, hidden = looked_at, len(found) - len(looked_at)
    if as_json:
        typer.echo(json.dumps([asdict(failure) for failure in newest_first(found)], indent=2, default=str))
        return
    if found:
        _summarise_failures(found)
        _list_failures(found, limit)
    else:
        console.print("No open failures.")
    if hidden:
        console.print(
            f"{hidden:,} records say that there are too few games yet, which is expected; --all shows them",
            soft_wrap=True,
        )


@app.command()
def quarantine(
    day: OneDay = None,
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this raw table, may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show; all are counted.")] = QUARANTINED_SHOWN,
) -> None:
    """Raw rows and files that were not accepted and why, newest date first."""
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.raw.tables import RAW_TABLES
    from nba_assets.tables.bookkeeping import RAW_QUARANTINE, WHOLE_FILE

    _known(table, tables=RAW_TABLES)
    found = (
        WarehouseResource()
        .open()
        .read(RAW_QUARANTINE, RAW_QUARANTINE.column_names, *_span(day), {"table_name": table} if table else None)
        .to_pylist()
    )
    if not found:
        console.print("Nothing is quarantined.")
        return
    narrow = ("table", "date", "file", "row", "game")
    shown = ConsoleTable(
        *(Column(name, no_wrap=True) for name in narrow), Column("reason", min_width=40, overflow="fold")
    )
    found.sort(key=lambda row: (-row["partition_date"].toordinal(), row["table_name"], row["file"], row["row_number"]))
    for row in found[:limit]:
        number = "all" if row["row_number"] == WHOLE_FILE else str(row["row_number"])
        shown.add_row(
            row["table_name"],
            str(row["partition_date"]),
            Text(row["file"]),
            number,
            row["game_id"] or "",
            Text(row["reason"]),
        )
    _listing().print(shown)
    console.print(
        (
            f"{min(len(found), limit):,} of {len(found):,} entries shown. Correct the files, then ingest the date "
            "again with `nba-assets run DATE --ingest`."
        ),
        soft_wrap=True,
    )


@app.command()
def names(day: OneDay = None, table: OneTable = None) -> None:
    """Names in the feeds that a table could match with no player, and why."""
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.tables.bookkeeping import UNMATCHED_NAMES

    _known(table)
    where = {"table_name": table} if table else None
    found = (
        WarehouseResource().open().read(UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, *_span(day), where).to_pylist()
    )
    if not found:
        console.print("Every name is matched.")
        return
    columns = (
        "partition_date",
        "feed",
        "player_lookup",
        "player_name",
        "team_abbrs",
        "reason",
        "candidates",
        "row_count",
        "table_name",
    )
    shown = ConsoleTable(*(Column(name.replace("_", " "), no_wrap=True) for name in columns))
    for row in sorted(found, key=lambda row: (row["partition_date"], row["feed"], row["player_lookup"]), reverse=True)[
        :NAMES_SHOWN
    ]:
        shown.add_row(
            *(Text(", ".join(row[name]) if name == "candidates" else str(row[name] or "")) for name in columns)
        )
    _listing().print(shown)
    console.print(
        f"{min(len(found), NAMES_SHOWN):,} of {len(found):,} entries shown. "
        "Where a name is another spelling of a player's, add it to player_registry under his universal_player_id.",
        soft_wrap=True,
    )


@app.command("reset-breaker")
def reset_breaker(
    table: str, day: Day, entity: Annotated[str, typer.Argument(help="player_lookup or tricode.")]
) -> None:
    """Let an entity be computed again that is left alone after repeated failures."""
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.publishing.circuit_breaker import reset

    _known([table], "TABLE")
    attempts = reset(WarehouseResource().open(), table, day.date(), entity)
    if not attempts:
        console.print(
            (
                f"There is no breaker to reset: no attempt at {entity} in {table} on {day.date()} is on record. Look "
                "at `nba-assets failures`."
            ),
            style="red",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    console.print(
        f"Breaker of {entity} in {table} on {day.date()} reset: {attempts} earlier attempts no longer count. "
        f"Compute it again with `nba-assets retry --date {day.date()} --table {table}`.",
        soft_wrap=True,
    )


@app.command()
def demo(
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the report in a browser.")] = False,
    next_day: Annotated[
        bool, typer.Option("--next-day", help="Only land the next day, as a feed would: sensors that are on build it.")
    ] = False,
) -> None:
    """Simulate a league whose season is under way today, build all of it, and show tonight."""
    from nba_assets.demo import land_next_day, land_until, to_build
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import league_today
    from nba_assets.report.summary import summary

    settings = Settings.from_environment()
    if next_day:
        season = land_next_day(league_today(), settings.landing_folder)
        console.print(
            f"Landed: the results of {season.through}, the announcements for {season.tonight}.", soft_wrap=True
        )
        console.print("Sensors that are on build them; so does `nba-assets demo`.", soft_wrap=True)
        return
    console.print(
        f"Simulating a league whose season is under way, in {settings.landing}", soft_wrap=True, highlight=False
    )
    today = league_today()
    season = land_until(today, settings.home, settings.landing_folder)
    if span := to_build(WarehouseResource().open(), season, today):
        _build(*span, None, serial=False, workers=None)
    facts, file = _report(season.shown_on(today))
    for line in summary(facts):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    shown = not no_open and _can_open_a_browser() and webbrowser.open(file.as_uri())
    console.print(f"Report{' (opened)' if shown else ''}: {file}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        "Next: `nba-assets ui` for the graph, `nba-assets demo --next-day` for what comes overnight.", soft_wrap=True
    )


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000) -> None:
    """Dagster's UI and its daemon, which runs schedules and sensors, on 127.0.0.1 until Ctrl-C."""
    from nba_assets.orchestration.ui import UiError, serve_ui

    console.print(f"The UI comes up at http://127.0.0.1:{port}; Ctrl-C ends it.", highlight=False)
    try:
        serve_ui(port)
    except UiError as error:
        _say([str(error)])
        raise typer.Exit(1) from None


@app.command()
def status(as_json: AsJson = False) -> None:
    """What the warehouse holds."""
    from nba_assets.automation.stored_state import read_state
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import league_today
    from nba_assets.publishing.refusals import stored_refusals
    from nba_assets.raw.refusals import unreadable_files
    from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES

    warehouse, today = WarehouseResource().open(), league_today()
    state = read_state(warehouse, today)
    stale = state.stale(today)
    refused = stored_refusals(warehouse, list(COMPUTED_TABLES))
    count = Counter(refusal.table for refusal in refused)
    entries = warehouse.status(list(ALL_TABLES.values()))
    unreadable = unreadable_files(warehouse)
    if as_json:
        tables = [
            {
                "table": entry.table.qualified_name,
                "rows": entry.row_count,
                "dates": entry.date_count,
                "first": entry.first_date and str(entry.first_date),
                "last": entry.last_date and str(entry.last_date),
                "refused": count[entry.table.name],
                "stale": len(stale.get(entry.table.name, ())),
            }
            for entry in entries
        ]
        files = [{"table": name, "date": str(day), "reason": why} for name, day, why in unreadable]
        words = {"refused": [*map(str, refused)], "outdated": [*map(str, state.outdated())]}
        typer.echo(json.dumps({"tables": tables, **words, "not_ingested": files}, indent=2))
        return
    shown = _table(
        "table", "rows", "dates", "first", "last", *(["refused"] if refused else []), *(["stale"] if stale else [])
    )
    for dataset, mine in groupby(entries, lambda entry: entry.table.dataset):
        shown.add_row(Text(dataset, style="bold"))
        for entry in mine:
            first, last = entry.first_date or "", entry.last_date or ""
            refusals = [f"{count[entry.table.name]:,}"] if refused else []
            late = [f"{len(stale[entry.table.name]):,}" if entry.table.name in stale else ""] if stale else []
            shown.add_row(
                f"  {entry.table.name}",
                f"{entry.row_count:,}",
                f"{entry.date_count:,}",
                str(first),
                str(last),
                *refusals,
                *late,
            )
    console.print(shown)
    _say(map(str, refused))
    _say(f"{name} {day} NOT INGESTED: {why}" for name, day, why in unreadable)
    _say(map(str, state.outdated()))


@app.command("report")
def write_report(
    day: Day,
    output: Annotated[
        Path | None, typer.Option(help="File to write; reports/DATE.html in the home by default.")
    ] = None,
) -> None:
    """Write the slate of a date as one HTML page: games, lines, rest, matchups, top factors, data quality."""
    from nba_assets.partitions import see_within_partitions

    see_within_partitions(day.date())
    file = _report(day.date(), output)[1]
    console.print(str(file), soft_wrap=True, markup=False, highlight=False)


@app.command()
def dictionary() -> None:
    """The data dictionary, as Markdown."""
    from nba_assets.registry import ALL_TABLES
    from nba_assets.tables.dictionary import dictionary_page

    typer.echo(dictionary_page(list(ALL_TABLES.values())))


@app.command()
def sample(
    season: Annotated[int, typer.Argument(help="Year in which the season begins.")], directory: Path, seed: int = 7
) -> None:
    """Write a simulated season into DIRECTORY as a landing zone."""
    from nba_assets.raw.sample_league import write_season

    write_season(directory, season, seed=seed)
    console.print(f"The season of {season} is in {directory}; set NBA_ASSETS_LANDING={directory} to use it.")


def _build(
    start: date,
    end: date,
    tables: list[str] | None,
    serial: bool,
    workers: int | None,
    ingest: bool = False,
    verbosity: Verbosity | None = None,
    *,
    as_json: bool = False,
) -> None:
    from nba_assets.orchestration.console import Verbosity
    from nba_assets.orchestration.landing_zone import landing_zone
    from nba_assets.orchestration.launch import execute, missing_upstream, plan
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.partitions import see_within_partitions
    from nba_assets.registry import COMPUTED_TABLES, upstream_names

    _known(tables)
    see_within_partitions(start, end)
    warehouse = WarehouseResource().open()
    landing = landing_zone()
    names = tables or list(COMPUTED_TABLES)
    # Standard output is the result's alone where a program reads it.
    warnings = missing_upstream(warehouse, names, upstream_names(), start, end)
    launches = plan(warehouse, landing, names, start, end, warnings.append, ingest=ingest)
    _say(warnings, to_stderr=as_json)
    spoken = Verbosity.NORMAL if verbosity is None else verbosity

    def run_of(launch: Launch) -> RunReport:
        computes = any(name in COMPUTED_TABLES for name in launch.assets)
        return execute(launch, _entities(serial, workers) if computes else {}, spoken)

    _execute(launches, run_of, as_json=as_json)


def _entities(serial: bool, workers: int | None) -> dict[str, object]:
    """The run configuration of the parallel entities; none where nothing was said about them."""
    config = {
        **({"players_enabled": False, "teams_enabled": False} if serial else {}),
        **({"players_workers": workers, "teams_workers": workers} if workers else {}),
    }
    return {"resources": {"entities": {"config": config}}} if config else {}


def _execute(launches: Sequence[Launch], execute: Callable[[Launch], RunReport], *, as_json: bool) -> None:
    """Carry out runs one after the other and show each; raises Exit with the worst of their codes."""
    from nba_assets.orchestration.damage import ExitCode

    codes = [ExitCode.PUBLISHED]
    results = []
    for launch in launches:
        if not as_json:
            console.print(f"Run of {len(launch.assets)} assets from {launch.start} to {launch.end}", highlight=False)
        report = execute(launch)
        result = _result_of(report, launch)
        results.append(result)
        if not as_json:
            _show(result)
        # A file of an earlier date that cannot be read keeps that date from being ingested, not this one from being
        # built.
        codes += [result.damage.exit_code, ExitCode.PUBLISHED if report.succeeded else ExitCode.DAMAGED]
    code = min((code for code in codes if code), default=ExitCode.PUBLISHED)
    if as_json:
        typer.echo(json.dumps({"exit_code": int(code), "runs": [result.plain() for result in results]}, indent=2))
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True)
class _Result:
    """A run that has ended, and what the warehouse holds of its dates now."""

    launch: Launch
    report: RunReport
    holds: Mapping[str, Built]
    damage: Damage

    def steps(self) -> list[StepReport]:
        """The tables of the run in the order of the pipeline."""
        from nba_assets.registry import ALL_TABLES

        places = {name: place for place, name in enumerate(ALL_TABLES)}
        return sorted(self.report.steps, key=lambda step: places.get(step.asset, len(places)))

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        tables = [
            {
                "table": step.asset,
                "succeeded": step.succeeded,
                "seconds": round(step.seconds, 3),
                "message": step.message,
                "quarantined": self.damage.quarantined.get(step.asset, 0),
                **(asdict(self.holds[step.asset]) if step.asset in self.holds else {}),
            }
            for step in self.steps()
        ]
        dates = {"start": str(self.launch.start), "end": str(self.launch.end)}
        return {
            "run_id": self.report.run_id,
            **dates,
            "succeeded": self.report.succeeded,
            "tables": tables,
            "messages": list(self.damage.lines()),
        }


def _result_of(report: RunReport, launch: Launch) -> _Result:
    from nba_assets.orchestration.damage import damage_of
    from nba_assets.orchestration.instance import dagster_instance
    from nba_assets.orchestration.launch import built
    from nba_assets.orchestration.warehouse_resource import WarehouseResource

    warehouse = WarehouseResource().open()
    return _Result(launch, report, built(warehouse, launch), damage_of(warehouse, dagster_instance(), report.run_id))


def _show(result: _Result) -> None:
    with_quarantine, with_digest = bool(result.damage.quarantined), console.width >= WIDE
    columns = [
        "dates",
        "rows",
        "failures",
        *(["quarantined"] if with_quarantine else []),
        "seconds",
        *(["digest"] if with_digest else []),
    ]
    shown = _table("table", *columns)
    for step in result.steps():
        holds = result.holds.get(step.asset)
        counts = (
            (f"{holds.dates:,}", f"{holds.rows:,}", f"{holds.failures:,}") if holds and step.succeeded else ("", "", "")
        )
        quarantined = [f"{result.damage.quarantined.get(step.asset, 0):,}"] if with_quarantine else []
        digest = [holds.digest if holds else ""] if with_digest else []
        shown.add_row(step.asset, *counts, *quarantined, f"{step.seconds:.2f}" if step.succeeded else "FAILED", *digest)
    console.print(shown)
    _say_failed_steps(result.report)
    _say(result.damage.lines())


def _table(name: str, *columns: str) -> ConsoleTable:
    """An empty table that fits into 80 columns: names to the left, numbers to the right."""
    numbers = (Column(column, justify="right", no_wrap=True) for column in columns)
    return ConsoleTable(Column(name, no_wrap=True), *numbers, box=SIMPLE_HEAD, padding=(0, 1))


def _verbosity(verbose: bool, quiet: bool) -> Verbosity:
    from nba_assets.orchestration.console import Verbosity

    if verbose and quiet:
        raise typer.BadParameter("choose one of --verbose and --quiet")
    return Verbosity.VERBOSE if verbose else Verbosity.QUIET if quiet else Verbosity.NORMAL


def _say(lines: Iterable[str], *, to_stderr: bool = False) -> None:
    where = CleanConsole(stderr=True) if to_stderr else console
    for line in lines:
        where.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def _say_failed_steps(report: RunReport) -> None:
    _say(f"{step.asset}: {step.message.removeprefix(f'{step.asset}: ')}" for step in report.steps if step.message)


def _known(names: Sequence[str] | None, parameter: str = "--table", *, tables: Iterable[str] | None = None) -> None:
    from nba_assets.registry import COMPUTED_TABLES

    known = list(COMPUTED_TABLES if tables is None else tables)
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"no table {', '.join(unknown)}; there are {', '.join(known)}", param_hint=parameter)


def _summarise_failures(failures: Sequence[OpenFailure]) -> None:
    counted = Counter((failure.table, failure.category, failure.reason) for failure in failures)
    retryable = Counter((failure.table, failure.category, failure.reason) for failure in failures if failure.can_retry)
    shown = ConsoleTable(
        Column("table", no_wrap=True),
        "category",
        "failures",
        "can retry",
        Column("reason", overflow="fold"),
        box=SIMPLE_HEAD,
    )
    for kind, number in counted.most_common(REASONS_SHOWN):
        shown.add_row(kind[0], kind[1], f"{number:,}", f"{retryable[kind]:,}", Text(kind[2]))
    _listing().print(shown)
    if len(counted) > REASONS_SHOWN:
        console.print(f"{REASONS_SHOWN} of {len(counted):,} kinds shown")


def _list_failures(failures: Sequence[OpenFailure], limit: int) -> None:
    from nba_assets.orchestration.retries import newest_first

    now = datetime.now(UTC)
    narrow = ("table", "date", "entity", "category", "can retry", "attempts", "age")
    shown = ConsoleTable(
        *(Column(name, no_wrap=True) for name in narrow), Column("reason", min_width=20, overflow="fold")
    )
    for failure in newest_first(failures)[:limit]:
        can_retry = "yes" if failure.can_retry else "no"
        facts = (
            failure.table,
            str(failure.day),
            failure.entity,
            failure.category,
            can_retry,
            str(failure.attempts),
            _age(now - failure.recorded_at),
        )
        shown.add_row(*facts, Text(failure.reason))
    _listing().print(shown)
    if len(failures) > limit:
        console.print(f"{limit:,} of {len(failures):,} failures shown; more with --limit")


def _listing() -> CleanConsole:
    return console if sys.stdout.isatty() else CleanConsole(width=LISTING_WIDTH)


def _span(day: datetime | None) -> tuple[date, date]:
    return (day.date(), day.date()) if day else (date.min, date.max)


def _age(age: timedelta) -> str:
    minutes = max(int(age.total_seconds() // 60), 0)
    return (
        f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
    )


def _report(day: date, output: Path | None = None) -> tuple[SlateFacts, Path]:
    """Write the page of a date; what stands on it, and its file."""
    from nba_assets.orchestration.sensors import reading_graph
    from nba_assets.orchestration.warehouse_resource import WarehouseResource
    from nba_assets.report.folder import add_report
    from nba_assets.report.page import render
    from nba_assets.report.slate import gather

    settings = Settings.from_environment()
    facts = gather(WarehouseResource().open(), day, reading_graph(), settings.bootstrap_days)
    if output is None:
        return facts, add_report(settings.home / "reports", day, render(facts))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(render(facts), encoding="utf-8")
    return facts, output


def _can_open_a_browser() -> bool:
    return sys.stdout.isatty() and (
        sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )


def main() -> None:
    """The command `nba-assets`: what a user can set right is said in a line, without a traceback, and a signal ends it
    within seconds.
    """
    try:
        with raised_signals(), one_line_errors():
            _say_misspelt()
            app()
    except InterruptedBySignal as interrupted:
        print(interrupted_line(str(interrupted)), file=sys.stderr)
        raise SystemExit(128 + interrupted.number) from None


def _say_misspelt() -> None:
    for line in misspelt_variables():
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
