"""The command line: a thin shell over the same jobs that the UI runs, on the same instance."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column
from rich.table import Table as ConsoleTable

from nba_assets.raw.landing import FolderLandingZone, LandingZoneError
from nba_assets.settings import Settings, SettingsError
from nba_assets.warehouse.interface import WarehouseError

if TYPE_CHECKING:
    from nba_assets.operations.launch import Launch, RunReport

app = typer.Typer(help="NBA raw data into daily analytics tables.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
PLAIN_WIDTH = 120
"""Columns of output that goes into a file or a pipe, where no terminal tells its width."""
console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="US-Eastern calendar date, YYYY-MM-DD.")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Only this table, may be repeated; its inputs must be built.")]
Serial = Annotated[bool, typer.Option("--serial", help="One entity after the other, in this thread.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Workers for players and for teams.")]
DEMO_SEASON, DEMO_DAYS = 2024, 31


@app.command()
def run(day: Day, table: Tables = None, serial: Serial = False, workers: Workers = None) -> None:
    """Build one date."""
    _build(day.date(), day.date(), table, serial, workers)


@app.command()
def backfill(start: Day, end: Day, table: Tables = None, serial: Serial = False, workers: Workers = None) -> None:
    """Build all dates from START to END, both included, in one run."""
    if end < start:
        raise typer.BadParameter(f"END {end.date()} lies before START {start.date()}")
    _build(start.date(), end.date(), table, serial, workers)


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
    from nba_assets.registry import ALL_TABLES
    from nba_assets.warehouse.resource import WarehouseResource

    warehouse = WarehouseResource().open()
    shown = ConsoleTable(Column("table", no_wrap=True), "rows", "dates", "first", "last")
    for entry in warehouse.status(list(ALL_TABLES.values())):
        first, last = entry.first_date or "", entry.last_date or ""
        shown.add_row(entry.table.qualified_name, f"{entry.row_count:,}", f"{entry.date_count:,}", str(first), str(last))
    console.print(shown)


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


def _build(start: date, end: date, tables: list[str] | None, serial: bool, workers: int | None) -> None:
    from nba_assets.operations.launch import execute, plan
    from nba_assets.registry import COMPUTED_TABLES
    from nba_assets.warehouse.resource import WarehouseResource

    unknown = sorted(set(tables or ()) - set(COMPUTED_TABLES))
    if unknown:
        raise typer.BadParameter(f"no table {', '.join(unknown)}; there are {', '.join(COMPUTED_TABLES)}", param_hint="--table")
    warehouse = WarehouseResource().open()
    entities = {
        **({"players_enabled": False, "teams_enabled": False} if serial else {}),
        **({"players_workers": workers, "teams_workers": workers} if workers else {}),
    }
    landing = FolderLandingZone(Settings.from_environment().landing)
    for launch in plan(warehouse, landing, tables or list(COMPUTED_TABLES), start, end):
        console.print(f"Run of {len(launch.assets)} assets from {launch.start} to {launch.end}")
        computes = any(name in COMPUTED_TABLES for name in launch.assets)
        report = execute(launch, {"resources": {"entities": {"config": entities}}} if computes and entities else {})
        _show(report, launch)
        if not report.succeeded:
            raise typer.Exit(1)


def _show(report: RunReport, launch: Launch) -> None:
    from nba_assets.operations.launch import built
    from nba_assets.warehouse.resource import WarehouseResource

    books = built(WarehouseResource().open(), launch)
    shown = ConsoleTable(Column("asset", no_wrap=True), "dates", "rows", "failures", Column("digest", no_wrap=True), "seconds")
    for step in report.steps:
        book = books.get(step.asset)
        held = (f"{book.dates:,}", f"{book.rows:,}", f"{book.failures:,}", book.digest) if book and step.succeeded else ("", "", "", "FAILED")
        shown.add_row(step.asset, *held, f"{step.seconds:.2f}")
    console.print(shown)
    for step in report.steps:
        if step.message:
            console.print(f"{step.asset}: {step.message}", style="red", markup=False, highlight=False, soft_wrap=True)


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
