"""Which dates the schedule covers, as it has landed or is stored."""

from __future__ import annotations

from datetime import UTC, date, datetime

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.partitions import FIRST_DATE, days_between, league_today
from nba_assets.raw.collection import Request, collect, season_start
from nba_assets.raw.landing import LandingZone, LandingZoneError
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.columns import to_columns
from nba_assets.warehouse.interface import Warehouse

NO_SCHEDULE = (
    "no schedule has landed: put schedule.parquet, or a folder schedule/, with the games of the season into the "
    "landing zone (NBA_ASSETS_LANDING)"
)


class UnscheduledError(LandingZoneError):
    """No game is scheduled for the dates of a request; the message says which are."""


def calendar_of(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> SeasonCalendar:
    """The seasons to which dates from `start` to `end` may belong: as their schedule has landed, else as stored."""
    request = Request(SCHEDULE, days_between(start, end), datetime.now(UTC))
    games = collect(request, landing).rows
    if not len(games["game_date"]):
        names = ("game_date", "season_year", "is_regular_season")
        games = to_columns(warehouse.read(SCHEDULE.table, names, request.span[0], request.span[-1]))
    return SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"])


def require_scheduled(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> SeasonCalendar:
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
