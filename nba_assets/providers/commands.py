"""The commands that fill a landing zone and look at it: `fetch`, `import ...`, `check-landing`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from nba_assets.partitions import days_between
from nba_assets.raw.landing import FolderLandingZone, LandingZoneError
from nba_assets.settings import Settings
from nba_assets.wording import counted

if TYPE_CHECKING:
    from nba_assets.providers.delivery import Delivery, Provider

app = typer.Typer(no_args_is_help=True)
imports = typer.Typer(no_args_is_help=True, help="Land a provider's files.")
app.add_typer(imports, name="import")
console = Console(width=None if sys.stdout.isatty() else 120, soft_wrap=True, highlight=False, markup=False)

Day = Annotated[datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="US-Eastern calendar date, YYYY-MM-DD.")]
Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, readable=True)]
Season = Annotated[int | None, typer.Option(help="Year in which the season begins: all its dates up to today.")]
Daily = Annotated[
    bool, typer.Option("--daily", help="Today and the three days before it, with today's rosters: for a daily job.")
]
FromCache = Annotated[bool, typer.Option("--from-cache", help="Map kept responses again, without the network.")]


@app.command()
def fetch(
    start: Day = None, end: Day = None, season: Season = None, daily: Daily = False, from_cache: FromCache = False
) -> None:
    """Fetch the league's data of a date, of the dates from START to END, of a season, or of the newest days, into the
    landing zone.

    Final dates that have landed are passed over, the newest days are fetched again. Ends with 1 where something could
    not be fetched.
    """
    from nba_assets.providers.fetching import league, newest_days

    if (start is not None) + (season is not None) + daily != 1:
        raise typer.BadParameter("give one of DATE, START END, --season YEAR and --daily")
    days = newest_days() if daily else _days(start, end)
    settings, seasons = Settings.from_environment(), [] if season is None else [season]
    source = league(settings, _say, days, seasons, with_rosters=daily, offline=from_cache)
    _land(settings, source.deliveries())
    if source.failed:
        _say(f"{source.failed} games or rosters could not be fetched; fetch the same dates again later.")
        raise typer.Exit(1)


@imports.command("espn")
def import_espn(folder: Folder) -> None:
    """ESPN as sportsdataverse publishes it: player_box, team_box, play_by_play and schedule of seasons, Parquet or
    CSV.
    """
    from nba_assets.providers.espn import EspnFolder

    _import(EspnFolder(folder, _say))


@imports.command("games-csv")
def import_games_csv(folder: Folder) -> None:
    """A CSV collection: games.csv with games_details.csv."""
    from nba_assets.providers.games_csv import GamesCsvFolder

    _import(GamesCsvFolder(folder, _say))


@imports.command("odds-api")
def import_odds_api(folder: Folder) -> None:
    """JSON of The Odds API: spreads, totals and player points, as odds or historical odds."""
    from nba_assets.providers.odds_api import OddsApiFolder

    _import(OddsApiFolder(folder))


@imports.command("injury-report")
def import_injury_report(folder: Folder) -> None:
    """The official injury report as CSV or JSON rows."""
    from nba_assets.providers.injury_report import InjuryReportFolder

    _import(InjuryReportFolder(folder))


@app.command("check-landing")
def check(
    folder: Annotated[Path | None, typer.Argument(help="Folder to look at; NBA_ASSETS_LANDING by default.")] = None,
) -> None:
    """What ingestion would refuse or quarantine in a landing zone, and why; nothing is ingested.

    Ends with 0 where every row would be accepted, with 1 where a file cannot be used or a required feed is not there,
    with 3 where rows would be quarantined.
    """
    from nba_assets.providers.check import check_landing

    landing = Settings.from_environment().landing if folder is None else str(folder)
    if not Path(landing).is_dir():
        raise LandingZoneError(f"{landing}: no such folder; name the one that holds the raw files")
    checks = check_landing(FolderLandingZone(Path(landing)), datetime.now(UTC))
    if not any(found.collection.files_read for found in checks):
        raise LandingZoneError(f"{landing} holds no file of a raw table; docs/input.md says how the files are named")
    shown = Table(Column("table", no_wrap=True), "files", "rows", "quarantined", "duplicates", "corrected")
    for found in checks:
        collection = found.collection
        counts = (
            collection.files_read,
            found.accepted,
            found.quarantined,
            collection.duplicates.total(),
            collection.replaced.total(),
        )
        shown.add_row(found.raw.name, *(f"{count:,}" for count in counts))
    console.print(shown)
    for found in checks:
        for line in found.complaints():
            _say(line)
        for text, number in found.collection.notices.items():
            _say(f"{found.raw.name}: {text} ({counted(number, 'row')}, kept)")
    if any(found.is_refused for found in checks):
        raise typer.Exit(1)
    if any(found.quarantined for found in checks):
        raise typer.Exit(3)


def _days(start: datetime | None, end: datetime | None) -> list[date]:
    if start is None:
        return []
    last = start if end is None else end
    if last < start:
        raise typer.BadParameter(f"END {last.date()} lies before START {start.date()}")
    return days_between(start.date(), last.date())


def _import(provider: Provider) -> None:
    _land(Settings.from_environment(), provider.deliveries())


def _land(settings: Settings, deliveries: Iterable[Delivery]) -> None:
    from nba_assets.providers.delivery import ProviderError
    from nba_assets.providers.fetching import Landed, land

    landed = Landed()
    try:
        land(settings, deliveries, landed)
    except ProviderError as error:
        _say(str(error))
        raise typer.Exit(1) from None
    finally:
        for line in landed.lines(settings.landing_folder):
            _say(line)


def _say(text: str) -> None:
    console.print(text)
