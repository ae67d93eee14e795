"""The commands that fill a landing zone and look at it: `fetch`, `import ...`, `check-landing`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Column, Table

from nba_assets.raw.landing import FolderLandingZone
from nba_assets.settings import Settings

if TYPE_CHECKING:
    from nba_assets.providers.delivery import Delivery, Provider
    from nba_assets.providers.landing_writer import LandingWriter

app = typer.Typer(no_args_is_help=True)
imports = typer.Typer(no_args_is_help=True, help="Land a provider's files.")
app.add_typer(imports, name="import")
console = Console(width=None if sys.stdout.isatty() else 120, soft_wrap=True, highlight=False, markup=False)

LEAGUE_TIMEZONE = ZoneInfo("America/New_York")
REMARKS_SHOWN = 20

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
    from nba_assets.providers.league.client import LeagueClient
    from nba_assets.providers.league.source import LeagueSource

    today = datetime.now(LEAGUE_TIMEZONE).date()
    if (start is not None) + (season is not None) + daily != 1:
        raise typer.BadParameter("give one of DATE, START END, --season YEAR and --daily")
    settings = Settings.from_environment()
    client = LeagueClient(
        settings.league_cdn_url,
        settings.league_stats_url,
        settings.home / "responses" / "league",
        settings.league_pause_seconds,
        offline=from_cache,
    )
    days, seasons = _days(start, end, today, daily), [] if season is None else [season]
    source = LeagueSource(
        client, today, settings.landing_folder, settings.provider_preference, _say, days, seasons, with_rosters=daily
    )
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
def check(folder: Folder) -> None:
    """What ingestion would refuse or quarantine in a landing zone, and why; nothing is ingested.

    Ends with 0 where every row would be accepted, with 1 where a file cannot be used or a required feed is not there,
    with 3 where rows would be quarantined.
    """
    from nba_assets.providers.check import check_landing

    checks = check_landing(FolderLandingZone(folder), datetime.now(UTC))
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
            _say(f"{found.raw.name}: {text} ({number:,} rows, kept)")
    if any(found.is_refused for found in checks):
        raise typer.Exit(1)
    if any(found.quarantined for found in checks):
        raise typer.Exit(3)


def _days(start: datetime | None, end: datetime | None, today: date, daily: bool) -> list[date]:
    from nba_assets.providers.league.source import CORRECTION_DAYS

    if daily:
        return [today - timedelta(days=days) for days in range(CORRECTION_DAYS, -1, -1)]
    if start is None:
        return []
    last = start if end is None else end
    if last < start:
        raise typer.BadParameter(f"END {last.date()} lies before START {start.date()}")
    return [start.date() + timedelta(days=days) for days in range((last - start).days + 1)]


def _import(provider: Provider) -> None:
    _land(Settings.from_environment(), provider.deliveries())


def _land(settings: Settings, deliveries: Iterable[Delivery]) -> None:
    from nba_assets.providers.delivery import ProviderError
    from nba_assets.providers.landing_writer import LandingWriter

    rows: Counter[str] = Counter()
    writer: LandingWriter | None = None
    try:
        with LandingWriter(settings.landing_folder, settings.provider_preference) as writer:
            for delivery in deliveries:
                writer.write(delivery)
                rows.update({name: len(found) for name, found in delivery.tables.items()})
    except ProviderError as error:
        _say(str(error))
        raise typer.Exit(1) from None
    finally:
        if writer is not None:
            _show(writer, rows, settings.landing_folder)


def _show(writer: LandingWriter, rows: Counter[str], landing: Path) -> None:
    remarks = list(dict.fromkeys(writer.remarks))
    for remark in remarks[:REMARKS_SHOWN]:
        _say(remark)
    if len(remarks) > REMARKS_SHOWN:
        _say(f"... and {len(remarks) - REMARKS_SHOWN:,} more remarks")
    counts = ", ".join(f"{number:,} {name}" for name, number in sorted(rows.items()) if number) or "nothing"
    _say(f"Landed in {landing}: {counts}; {writer.files_written:,} files are new or changed.")


def _say(text: str) -> None:
    console.print(text)
