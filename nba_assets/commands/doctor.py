"""The command that looks at the installation: `doctor`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nba_assets.commands.options import AsJson
from nba_assets.commands.output import console
from nba_assets.settings import Settings, is_folder

if TYPE_CHECKING:
    from nba_assets.doctor.finding import Check, Finding

app = typer.Typer()

STYLES = {"ok": "", "warning": "yellow", "failure": "red"}


@app.command()
def doctor(
    create: Annotated[
        bool, typer.Option("--create", help="Make what is missing: home, landing folder, BigQuery's datasets.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """See that everything a run needs is there: a line for each check, and what to do where one fails.

    Ends with 1 where a check fails, else with 0.
    """
    found: list[Finding] = []
    for finding in examined(create=create):
        found.append(finding)
        if not as_json:
            line = f"{finding.severity:<8} {finding.check:<12} {finding.message}"
            console.print(line, style=STYLES[finding.severity], markup=False, highlight=False, soft_wrap=True)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    if any(finding.severity == "failure" for finding in found):
        raise typer.Exit(1)


def examined(*, create: bool = False) -> Iterator[Finding]:
    """The findings of all checks that concern the installation, as they are made; with `create` what is missing is
    made.
    """
    from nba_assets.doctor.finding import carried_out, failure
    from nba_assets.settings import SettingsError

    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        yield failure("settings", str(error))
        return
    for name, check in checks_of(settings, create=create):
        yield from carried_out(name, check)


def checks_of(settings: Settings, *, create: bool) -> Iterator[tuple[str, Check]]:
    """The checks that concern an installation with these settings, by name, in order."""
    from nba_assets.doctor.instance import check_instance
    from nba_assets.doctor.landing import check_landing, newest_landing
    from nba_assets.doctor.machine import check_clock, check_disk, check_home, check_settings
    from nba_assets.warehouse.address import is_bigquery

    in_bigquery = is_bigquery(settings.warehouse)
    lands_at_google = not is_folder(settings.landing)
    yield "settings", partial(check_settings, settings, os.environ)
    yield "home", partial(check_home, settings.home, create=create)
    places = [settings.home]
    places += [] if in_bigquery else [Path(settings.warehouse)]
    places += [] if lands_at_google else [Path(settings.landing)]
    yield "disk", partial(check_disk, places)
    if in_bigquery or lands_at_google:
        from nba_assets.doctor.google_cloud import check_bigquery, check_credentials
        from nba_assets.warehouse.address import BigQueryAddress

        yield "credentials", check_credentials
    yield "landing", partial(check_landing, settings, create=create)
    if in_bigquery:
        yield "bigquery", lambda: check_bigquery(BigQueryAddress.parse(settings.warehouse), create=create)
    else:
        from nba_assets.doctor.duckdb_file import check_file, newest_write

        file = Path(settings.warehouse)
        yield "warehouse", partial(check_file, file)
        yield "clock", lambda: check_clock(datetime.now(UTC), newest_landing() | newest_write(file))
    yield "instance", check_instance
