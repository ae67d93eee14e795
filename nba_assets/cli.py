"""The command line: a thin shell over the same jobs that the UI runs, on the same instance."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as ConsoleTable
from rich.text import Text

from nba_assets.providers.commands import app as provider_commands
from nba_assets.raw.landing import FolderLandingZone, LandingZoneError
from nba_assets.settings import Settings, SettingsError
from nba_assets.warehouse.interface import WarehouseError

if TYPE_CHECKING:
    from nba_assets.operations.damage import ExitCode
    from nba_assets.operations.launch import Launch, RunReport
    from nba_assets.publishing.retry import OpenFailure

app = typer.Typer(help="NBA raw data into daily analytics tables.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(provider_commands)
PLAIN_WIDTH, LISTING_WIDTH = 120, 240
"""Columns of output that goes into a file or a pipe, where no terminal tells its width; a listing has room for an entry per line there."""
console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="US-Eastern calendar date, YYYY-MM-DD.")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table, may be repeated; its inputs must be built.")]
Serial = Annotated[bool, typer.Option("--serial", help="One entity after the other, in this thread.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Workers for players and for teams.")]
Ingest = Annotated[
    bool, typer.Option("--ingest", help="Ingest the raw data of these dates again, also what is ingested already: after a correction.")
]
OneDay = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Only this US-Eastern calendar date, YYYY-MM-DD.")]
OneTable = Annotated[list[str] | None, typer.Option("--table", help="Only this table, may be repeated.")]
DEMO_SEASON, DEMO_DAYS = 2024, 31
FAILURES_SHOWN = 50
QUARANTINED_SHOWN = 50
NAMES_SHOWN = 200


@app.command()
def run(day: Day, table: Tables = None, serial: Serial = False, workers: Workers = None, ingest: Ingest = False) -> None:
    """Build one date.

    Ends with 0 where everything was published; with 1 where a date was refused, a step or an entity failed hard, or a file could not be read; with 3
    where everything was published but some of the data should be looked at.
    """
    _build(day.date(), day.date(), table, serial, workers, ingest)


@app.command()
def backfill(start: Day, end: Day, table: Tables = None, serial: Serial = False, workers: Workers = None, ingest: Ingest = False) -> None:
    """Build all dates from START to END, both included, in one run; ends as `run` does."""
    if end < start:
        raise typer.BadParameter(f"END {end.date()} lies before START {start.date()}")
    _build(start.date(), end.date(), table, serial, workers, ingest)


@app.command()
def retry(day: OneDay = None, table: OneTable = None) -> None:
    """Compute again what failed and may be mended; all other rows stay as they are."""
    from nba_assets.operations.retries import failures_of, plan_retries, retried
    from nba_assets.partitions import see_within_partitions
    from nba_assets.warehouse.resource import WarehouseResource

    _known(table)
    if day is not None:
        see_within_partitions(day.date())
    warehouse = WarehouseResource().open()
    failures = failures_of(warehouse, day.date() if day else None, table)
    retryable = [failure for failure in failures if failure.can_retry]
    if not retryable:
        console.print(f"Nothing to retry: of {len(failures):,} open failures there is none that running again may mend.")
        return
    launches = plan_retries(warehouse, retryable)
    console.print(f"{len(retryable):,} failures to retry; runs of the job retry: {len(launches):,}")
    report = retried(warehouse, launches, retryable)
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
    limit: Annotated[int, typer.Option(min=1, help="Failures to show; all are counted.")] = FAILURES_SHOWN,
) -> None:
    """What could not be computed and why, newest first."""
    from nba_assets.operations.retries import failures_of
    from nba_assets.tables.bookkeeping import FAILURE_CATEGORIES
    from nba_assets.warehouse.resource import WarehouseResource

    _known(table)
    if category is not None and category.upper() not in FAILURE_CATEGORIES:
        raise typer.BadParameter(f"no category {category}; there are {', '.join(FAILURE_CATEGORIES)}", param_hint="--category")
    found = failures_of(WarehouseResource().open(), day.date() if day else None, table)
    found = [failure for failure in found if category is None or failure.category == category.upper()]
    if not found:
        console.print("No open failures.")
        return
    _list_failures(found, limit)
    counted = ConsoleTable("category", "failures", "can retry")
    retryable = Counter(failure.category for failure in found if failure.can_retry)
    for name, number in Counter(failure.category for failure in found).most_common():
        counted.add_row(name, f"{number:,}", f"{retryable[name]:,}")
    console.print(counted)


@app.command()
def quarantine(
    day: OneDay = None,
    table: Annotated[list[str] | None, typer.Option("--table", help="Only this raw table, may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows to show; all are counted.")] = QUARANTINED_SHOWN,
) -> None:
    """Raw rows and files that were not accepted and why, newest date first."""
    from nba_assets.raw.tables import RAW_TABLES
    from nba_assets.tables.bookkeeping import RAW_QUARANTINE, WHOLE_FILE
    from nba_assets.warehouse.resource import WarehouseResource

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
    shown = ConsoleTable(*(Column(name, no_wrap=True) for name in narrow), Column("reason", min_width=40, overflow="fold"))
    found.sort(key=lambda row: (-row["partition_date"].toordinal(), row["table_name"], row["file"], row["row_number"]))
    for row in found[:limit]:
        number = "all" if row["row_number"] == WHOLE_FILE else str(row["row_number"])
        shown.add_row(row["table_name"], str(row["partition_date"]), Text(row["file"]), number, row["game_id"] or "", Text(row["reason"]))
    _listing().print(shown)
    console.print(
        f"{min(len(found), limit):,} of {len(found):,} entries shown. Correct the files, then ingest the date again with `nba-assets run DATE --ingest`.",
        soft_wrap=True,
    )


@app.command()
def names(day: OneDay = None, table: OneTable = None) -> None:
    """Names in the feeds that a table could match with no player, and why."""
    from nba_assets.tables.bookkeeping import UNMATCHED_NAMES
    from nba_assets.warehouse.resource import WarehouseResource

    _known(table)
    where = {"table_name": table} if table else None
    found = WarehouseResource().open().read(UNMATCHED_NAMES, UNMATCHED_NAMES.column_names, *_span(day), where).to_pylist()
    if not found:
        console.print("Every name is matched.")
        return
    columns = ("partition_date", "feed", "player_lookup", "player_name", "team_abbrs", "reason", "candidates", "row_count", "table_name")
    shown = ConsoleTable(*(Column(name.replace("_", " "), no_wrap=True) for name in columns))
    for row in sorted(found, key=lambda row: (row["partition_date"], row["feed"], row["player_lookup"]), reverse=True)[:NAMES_SHOWN]:
        shown.add_row(*(Text(", ".join(row[name]) if name == "candidates" else str(row[name] or "")) for name in columns))
    _listing().print(shown)
    console.print(
        f"{min(len(found), NAMES_SHOWN):,} of {len(found):,} entries shown. "
        "Where a name is another spelling of a player's, add it to player_registry under his universal_player_id.",
        soft_wrap=True,
    )


@app.command("reset-breaker")
def reset_breaker(table: str, day: Day, entity: Annotated[str, typer.Argument(help="player_lookup or tricode.")]) -> None:
    """Let an entity be computed again that is left alone after repeated failures."""
    from nba_assets.publishing.circuit_breaker import reset
    from nba_assets.warehouse.resource import WarehouseResource

    _known([table], "TABLE")
    attempts = reset(WarehouseResource().open(), table, day.date(), entity)
    if not attempts:
        console.print(
            f"There is no breaker to reset: no attempt at {entity} in {table} on {day.date()} is on record. Look at `nba-assets failures`.",
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
def demo() -> None:
    """Simulate a league, build its first month, and say where to look."""
    from nba_assets.raw.sample_league import write_season

    settings = Settings.from_environment()
    marker = settings.landing / ".simulated-season"
    if settings.landing.exists() and any(settings.landing.iterdir()) and not marker.exists():
        console.print(f"{settings.landing} holds data that is not a simulated season; set NBA_ASSETS_LANDING to an empty folder for the demo.")
        raise typer.Exit(1)
    opening = _demo_opening()
    last = opening + timedelta(days=DEMO_DAYS - 1)
    if not marker.exists():
        console.print(f"Simulating the season of {DEMO_SEASON} up to {last} in {settings.landing}")
        write_season(settings.landing, DEMO_SEASON, through=last)
        marker.write_text(json.dumps({"season": DEMO_SEASON, "through": last.isoformat()}))
    _build(opening, last, None, serial=False, workers=None)
    console.print(
        f"Tables: {settings.warehouse} (DuckDB). Look at them with `nba-assets status`, or start the UI with `make ui` and open the asset graph."
    )


@app.command()
def status() -> None:
    """What the warehouse holds."""
    from nba_assets.operations.health import unreadable_files
    from nba_assets.publishing.refusals import stored_refusals
    from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
    from nba_assets.warehouse.resource import WarehouseResource

    warehouse = WarehouseResource().open()
    refused = stored_refusals(warehouse, list(COMPUTED_TABLES))
    count = Counter(refusal.table for refusal in refused)
    shown = ConsoleTable(Column("table", no_wrap=True), "rows", "dates", "first", "last", "refused")
    for entry in warehouse.status(list(ALL_TABLES.values())):
        first, last = entry.first_date or "", entry.last_date or ""
        refusals = f"{count[entry.table.name]:,}" if count[entry.table.name] else ""
        shown.add_row(entry.table.qualified_name, f"{entry.row_count:,}", f"{entry.date_count:,}", str(first), str(last), refusals)
    console.print(shown)
    _say(map(str, refused))
    _say(f"{name} {day} NOT INGESTED: {why}" for name, day, why in unreadable_files(warehouse))


@app.command("report")
def write_report(
    day: Day, output: Annotated[Path | None, typer.Option(help="File to write; reports/DATE.html in the home by default.")] = None
) -> None:
    """Write the slate of a date as one HTML page: games, lines, rest, matchups, top factors, data quality."""
    from nba_assets.operations.sensors import reading_graph
    from nba_assets.partitions import see_within_partitions
    from nba_assets.report.page import report
    from nba_assets.warehouse.resource import WarehouseResource

    see_within_partitions(day.date())
    settings = Settings.from_environment()
    page = report(WarehouseResource().open(), day.date(), reading_graph(), settings.bootstrap_days)
    file = output or settings.home / "reports" / f"{day.date()}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")
    console.print(str(file), soft_wrap=True, markup=False, highlight=False)


@app.command()
def dictionary() -> None:
    """The data dictionary, as Markdown."""
    from nba_assets.registry import ALL_TABLES
    from nba_assets.tables.dictionary import dictionary_page

    typer.echo(dictionary_page(list(ALL_TABLES.values())))


@app.command()
def sample(season: Annotated[int, typer.Argument(help="Year in which the season begins.")], directory: Path, seed: int = 7) -> None:
    """Write a simulated season into DIRECTORY as a landing zone."""
    from nba_assets.raw.sample_league import write_season

    write_season(directory, season, seed=seed)
    console.print(f"The season of {season} is in {directory}; set NBA_ASSETS_LANDING={directory} to use it.")


def _build(start: date, end: date, tables: list[str] | None, serial: bool, workers: int | None, ingest: bool = False) -> None:
    from nba_assets.operations.damage import ExitCode
    from nba_assets.operations.launch import execute, plan
    from nba_assets.partitions import see_within_partitions
    from nba_assets.registry import COMPUTED_TABLES
    from nba_assets.warehouse.resource import WarehouseResource

    _known(tables)
    see_within_partitions(start, end)
    warehouse = WarehouseResource().open()
    entities = {
        **({"players_enabled": False, "teams_enabled": False} if serial else {}),
        **({"players_workers": workers, "teams_workers": workers} if workers else {}),
    }
    landing = FolderLandingZone(Settings.from_environment().landing)
    codes = [ExitCode.PUBLISHED]
    for launch in plan(warehouse, landing, tables or list(COMPUTED_TABLES), start, end, lambda text: _say([text]), ingest=ingest):
        console.print(f"Run of {len(launch.assets)} assets from {launch.start} to {launch.end}")
        computes = any(name in COMPUTED_TABLES for name in launch.assets)
        report = execute(launch, {"resources": {"entities": {"config": entities}}} if computes and entities else {})
        # A file of an earlier date that cannot be read keeps that date from being ingested, not this one from being built.
        codes += [_show(report, launch), ExitCode.PUBLISHED if report.succeeded else ExitCode.DAMAGED]
    if any(codes):
        raise typer.Exit(min(code for code in codes if code))


def _show(report: RunReport, launch: Launch) -> ExitCode:
    from nba_assets.instance import dagster_instance
    from nba_assets.operations.damage import damage_of
    from nba_assets.operations.launch import built
    from nba_assets.warehouse.resource import WarehouseResource

    warehouse = WarehouseResource().open()
    books, damage = built(warehouse, launch), damage_of(warehouse, dagster_instance(), report.run_id)
    shown = ConsoleTable(Column("asset", no_wrap=True), "dates", "rows", "failures", "quarantined", Column("digest", no_wrap=True), "seconds")
    for step in report.steps:
        book = books.get(step.asset)
        quarantined = f"{damage.quarantined[step.asset]:,}" if step.asset in damage.quarantined else ""
        held = (f"{book.dates:,}", f"{book.rows:,}", f"{book.failures:,}") if book and step.succeeded else ("", "", "")
        digest = book.digest if book and step.succeeded else "FAILED"
        shown.add_row(step.asset, *held, quarantined, digest, f"{step.seconds:.2f}")
    console.print(shown)
    _say_failed_steps(report)
    _say(damage.lines())
    return damage.exit_code


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def _say_failed_steps(report: RunReport) -> None:
    _say(f"{step.asset}: {step.message.removeprefix(f'{step.asset}: ')}" for step in report.steps if step.message)


def _known(names: Sequence[str] | None, parameter: str = "--table", *, tables: Iterable[str] | None = None) -> None:
    from nba_assets.registry import COMPUTED_TABLES

    known = list(COMPUTED_TABLES if tables is None else tables)
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise typer.BadParameter(f"no table {', '.join(unknown)}; there are {', '.join(known)}", param_hint=parameter)


def _list_failures(failures: Sequence[OpenFailure], limit: int) -> None:
    from nba_assets.operations.retries import newest_first

    now = datetime.now(UTC)
    narrow = ("table", "date", "entity", "category", "can retry", "attempts", "age")
    shown = ConsoleTable(*(Column(name, no_wrap=True) for name in narrow), Column("reason", min_width=20, overflow="fold"))
    for failure in newest_first(failures)[:limit]:
        can_retry = "yes" if failure.can_retry else "no"
        facts = (failure.table, str(failure.day), failure.entity, failure.category, can_retry, str(failure.attempts), _age(now - failure.recorded_at))
        shown.add_row(*facts, Text(failure.reason))
    _listing().print(shown)
    if len(failures) > limit:
        console.print(f"{limit:,} of {len(failures):,} failures shown; more with --limit")


def _listing() -> Console:
    return console if sys.stdout.isatty() else Console(width=LISTING_WIDTH)


def _span(day: datetime | None) -> tuple[date, date]:
    return (day.date(), day.date()) if day else (date.min, date.max)


def _age(age: timedelta) -> str:
    minutes = max(int(age.total_seconds() // 60), 0)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def _demo_opening() -> date:
    from nba_assets.raw.sample_league import opening_night

    return opening_night(DEMO_SEASON)


def main() -> None:
    """The command `nba-assets`: what a user can set right is said in a line, without a traceback."""
    try:
        app()
    except (SettingsError, WarehouseError, LandingZoneError, FileNotFoundError) as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
