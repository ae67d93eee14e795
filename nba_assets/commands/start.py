"""The commands to begin with: `demo`, `ui`, `sample`."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from nba_assets.commands.build import build
from nba_assets.commands.options import BuildingRuns
from nba_assets.commands.output import console, say, warn
from nba_assets.commands.publish import report_of
from nba_assets.settings import Settings

app = typer.Typer()


@app.command()
def demo(
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the report in a browser.")] = False,
    next_day: Annotated[
        bool, typer.Option("--next-day", help="Only land the next day, as a feed would: sensors that are on build it.")
    ] = False,
) -> None:
    """Simulate a league whose season is under way today, build all of it, and show tonight."""
    from nba_assets.automation.stored_state import read_state
    from nba_assets.demo import land_next_day, land_until, to_build
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.partitions import league_today
    from nba_assets.report.summary import summary

    settings = Settings.from_environment()
    if next_day:
        season = land_next_day(league_today(), settings.landing_folder)
        say(f"Landed: the results of {season.through}, the announcements for {season.tonight}.")
        say("Sensors that are on build them; so does `nba-assets demo`.")
        return
    say(f"Simulating a league whose season is under way, in {settings.landing}")
    today = league_today()
    season = land_until(today, settings.home, settings.landing_folder)
    warehouse = open_warehouse()
    if span := to_build(warehouse, season, today):
        build(*span, BuildingRuns())
        # What has landed may reach further back: a registry with one more player does, of dates that lacked him.
        if late := {day for days in read_state(warehouse, today).stale(today).values() for day in days}:
            build(min(late), max(late), BuildingRuns())
    facts, file = report_of(season.shown_on(today))
    for line in summary(facts):
        say(line)
    shown = not no_open and _can_open_a_browser() and webbrowser.open(file.as_uri())
    say(f"Report{' (opened)' if shown else ''}: {file}")
    say("Next: `nba-assets ui` for the graph, `nba-assets demo --next-day` for what comes overnight.")


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000) -> None:
    """Dagster's UI and its daemon, which runs schedules and sensors, on 127.0.0.1 until Ctrl-C."""
    from nba_assets.orchestration.ui import UiError, serve_ui

    console.print(f"The UI comes up at http://127.0.0.1:{port}; Ctrl-C ends it.", highlight=False)
    try:
        serve_ui(port)
    except UiError as error:
        warn([str(error)])
        raise typer.Exit(1) from None


@app.command()
def sample(
    season: Annotated[int, typer.Argument(help="Year in which the season begins.")], directory: Path, seed: int = 7
) -> None:
    """Write a simulated season into DIRECTORY as a landing zone."""
    from nba_assets.raw.sample_league import write_season

    write_season(directory, season, seed=seed)
    console.print(f"The season of {season} is in {directory}; set NBA_ASSETS_LANDING={directory} to use it.")


def _can_open_a_browser() -> bool:
    return sys.stdout.isatty() and (
        sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    )
