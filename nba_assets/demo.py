"""The demonstration: a simulated league whose season is under way today, landed day by day as a feed would, and the
dates of it that are to be built.

Running and showing them is in the command line.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
from dotenv import set_key

from nba_assets.analytics import player_game_summary
from nba_assets.basketball.season import season_year
from nba_assets.basketball.teams import CURRENT_TEAMS
from nba_assets.raw.landing import LandingZoneError
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.sample_league.schedule import GAMES_PER_TEAM, SEED, regular_season
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import SETTINGS_FILE, Settings, variables
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse

DAYS_PLAYED = 50
"""Days of the season that lie behind a new demonstration: enough for every window over twenty games."""
MARKER = ".simulated-season"


@dataclass(frozen=True)
class DemoSeason:
    """The season of a demonstration: its year, the day of its first games, and the last day whose results have
    landed.
    """

    year: int
    opening: date
    through: date

    @cached_property
    def game_days(self) -> list[date]:
        """The days of its regular season with games, as first scheduled, ascending."""
        games = regular_season(SEED, self.year, sorted(CURRENT_TEAMS), GAMES_PER_TEAM, opening=self.opening)
        return sorted({game.day for game in games})

    def shown_on(self, today: date) -> date:
        """The date that is shown: tonight, or the last one that has a partition."""
        return min(self.tonight, today)

    @property
    def tonight(self) -> date:
        """The date that is shown before its games: the day after the last results."""
        return self.through + timedelta(days=1)


def land_until(today: date, home: Path, landing: Path) -> DemoSeason:
    """Land what a feed would have brought by the morning of `today`: results until yesterday, announcements for
    tonight.

    A season that landed before goes on, and of its files only those that hold something new are written. `home` gets a
    settings file with the season's first date. Raises LandingZoneError where the landing zone holds other data, or
    where its simulated season has ended.
    """
    yesterday = today - timedelta(days=1)
    season = landed_season(landing)
    if season is None:
        if landing.exists() and any(landing.iterdir()):
            raise LandingZoneError(f"{landing} holds data that is not the demo's; {_elsewhere(landing)} for the demo")
        season = _season_under_way(today)
        _begin_home_on(season.opening, home)
    if today > season.game_days[-1]:
        raise LandingZoneError(
            f"the demo's season in {landing} ended on {season.game_days[-1]}; {_elsewhere(landing)} for a new one"
        )
    return _land(landing, replace(season, through=max(season.through, yesterday)))


def _begin_home_on(first: date, home: Path) -> None:
    """Set the first date of a home in its settings file, and leave all other settings there as they are."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / SETTINGS_FILE
    if not file.exists():
        file.write_text(
            "# The first date is the demo's: its league has no earlier ones. Without that line the home serves any "
            "other data.\n",
            encoding="utf-8",
        )
    set_key(file, variables()["first_date"], first.isoformat(), quote_mode="never")


def land_next_day(today: date, landing: Path) -> DemoSeason:
    """Land what a feed would bring overnight: the results of the date that was shown before its games, and the
    announcements of the next one.

    Raises LandingZoneError without a demonstration, and where the results of `today` have landed already: tomorrow has
    no partition yet.
    """
    season = landed_season(landing)
    if season is None:
        raise LandingZoneError("there is no demo yet: run `nba-assets demo` first")
    if season.through >= today:
        raise LandingZoneError(
            f"the results of {today} have landed already; the next day can land after midnight, US-Eastern"
        )
    return _land(landing, replace(season, through=season.tonight))


def to_build(warehouse: Warehouse, season: DemoSeason, today: date) -> tuple[date, date] | None:
    """The first and the last date that a computed table lacks, or whose results are not in it yet; None where
    everything is built.
    """
    last = season.shown_on(today)
    names = ("table_name", "partition_date", "row_count")
    entries = warehouse.read(
        TABLE_PARTITIONS, names, season.opening, last, {"table_name": list(COMPUTED_TABLES)}
    ).to_pylist()
    rows = {(entry["table_name"], entry["partition_date"]): entry["row_count"] for entry in entries}
    played = {day for day in season.game_days if day <= season.through}
    days = [season.opening + timedelta(days=offset) for offset in range((last - season.opening).days + 1)]
    missing = [
        day
        for day in days
        if any((name, day) not in rows for name in COMPUTED_TABLES)
        or (day in played and not rows[player_game_summary.TABLE.name, day])
    ]
    return (missing[0], last) if missing else None


def landed_season(landing: Path) -> DemoSeason | None:
    """The season that a demonstration put into a landing zone; None where there is none."""
    try:
        stored = json.loads((landing / MARKER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    try:
        return DemoSeason(stored["year"], date.fromisoformat(stored["opening"]), date.fromisoformat(stored["through"]))
    except KeyError:
        raise LandingZoneError(
            f"{landing} holds the demo of an earlier version; {_elsewhere(landing)} for a new one"
        ) from None


def _elsewhere(landing: Path) -> str:
    """What to do for a landing zone in another place than `landing`: the setting that named it is to go, and where none
    did it stands in the home.
    """
    settings = Settings.from_environment()
    variable = variables()["landing"]
    if str(landing) != settings.landing or landing == settings.home / "landing":
        return f"set {variables()['home']} to an empty folder"
    if os.environ.get(variable, "").strip():
        return f"unset {variable}"
    return f"remove {variable} from {settings.home / SETTINGS_FILE}"


def _land(landing: Path, season: DemoSeason) -> DemoSeason:
    write_season(landing, season.year, opening=season.opening, through=season.through, announced_through=season.tonight)
    unfinished = landing / f"{MARKER}.tmp"
    unfinished.write_text(
        json.dumps({"year": season.year, "opening": season.opening.isoformat(), "through": season.through.isoformat()}),
        encoding="utf-8",
    )
    os.replace(unfinished, landing / MARKER)
    return season


def _season_under_way(today: date) -> DemoSeason:
    """A season that opened some `DAYS_PLAYED` days ago and has games yesterday, today and tomorrow."""
    year = int(season_year(np.array([today], dtype="M8[D]"))[0])
    around = {today + timedelta(days=offset) for offset in (-1, 0, 1)}
    seasons = (
        DemoSeason(year, today - timedelta(days=back), today - timedelta(days=1))
        for back in range(DAYS_PLAYED, 2 * DAYS_PLAYED)
    )
    return next(season for season in seasons if around <= set(season.game_days))
