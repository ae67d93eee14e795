"""The schedules: runs at fixed times of the league's day, in place of the sensors or as a safety net beside them.

All are off until they are turned on; those that build skip days without games.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import numpy as np

from nba_assets.automation.planned_runs import TRIGGER_TAG
from nba_assets.automation.slates import Slate, league_date, slate_of, slates
from nba_assets.orchestration.fetching import FETCH
from nba_assets.orchestration.jobs import POSTGAME, PREGAME
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.content_index import SCHEDULE_COLUMNS
from nba_assets.raw.landing import LandingZone, LandingZoneError
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import Warehouse

BEFORE_TIP = timedelta(hours=1)
LOOK_EVERY = timedelta(minutes=15)
"""How often it is looked whether the first tip-off is an hour away: of the looks, exactly one falls into that quarter
of an hour.
"""


def build_schedules(landing: Callable[[], LandingZone] = landing_zone) -> list[dg.ScheduleDefinition]:
    """The schedules."""

    def slate(warehouse: WarehouseResource, day: date) -> Slate:
        return slate_of(slates(games_of(warehouse.open(), landing(), day)), day)

    @dg.schedule(
        name="pregame_daily",
        job=PREGAME,
        cron_schedule=["0 9 * * *", "0 12 * * *"],
        execution_timezone=LEAGUE_TIMEZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts pregame for today's games at 9:00 and 12:00, US-Eastern; skips days without games.",
    )
    def pregame_daily(
        context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
    ) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time
        day = league_date(moment)
        return _request("pregame", day, moment) if slate(warehouse, day).games else _no_games(day)

    @dg.schedule(
        name="pregame_before_tip",
        job=PREGAME,
        cron_schedule="*/15 * * * *",
        execution_timezone=LEAGUE_TIMEZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts pregame an hour before today's first tip-off, for the last lines and injury reports.",
    )
    def pregame_before_tip(
        context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
    ) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time
        day = league_date(moment)
        games = slate(warehouse, day)
        if not games.games:
            return _no_games(day)
        if not games.tips:
            return dg.SkipReason(f"no tip-off of {day} is known")
        ahead = games.first_tip - moment
        if not BEFORE_TIP - LOOK_EVERY < ahead <= BEFORE_TIP:
            return dg.SkipReason(
                f"the first game of {day} tips off at {games.first_tip:%H:%M} UTC: it is run for an hour before that"
            )
        return _request("pregame", day, moment)

    @dg.schedule(
        name="postgame_nightly",
        job=POSTGAME,
        cron_schedule="30 3 * * *",
        execution_timezone=LEAGUE_TIMEZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts postgame for yesterday's games at 3:30, US-Eastern, with whatever has landed of them.",
    )
    def postgame_nightly(
        context: dg.ScheduleEvaluationContext, warehouse: WarehouseResource
    ) -> dg.RunRequest | dg.SkipReason:
        moment = context.scheduled_execution_time
        day = league_date(moment) - timedelta(days=1)
        return _request("postgame", day, moment) if slate(warehouse, day).games else _no_games(day)

    fetch_daily = dg.ScheduleDefinition(
        name="fetch_daily",
        job=FETCH,
        cron_schedule="0 6 * * *",
        execution_timezone=LEAGUE_TIMEZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Fetches the league's newest days into the landing zone at 6:00, US-Eastern.",
    )
    return [pregame_daily, pregame_before_tip, postgame_nightly, fetch_daily]


def games_of(warehouse: Warehouse, landing: LandingZone, day: date) -> Columns:
    """The games of a date: the warehouse's, or the landed ones where it has none."""
    stored = to_columns(warehouse.read(SCHEDULE.table, SCHEDULE_COLUMNS, day, day))
    if len(stored["game_id"]):
        return stored
    try:
        landed = collect(Request(SCHEDULE, [day], datetime.now(UTC)), landing).rows
    except LandingZoneError:
        return stored
    mine = landed["game_date"] == np.datetime64(day, "D")
    return {name: landed[name][mine] for name in SCHEDULE_COLUMNS}


def _request(job: str, day: date, moment: datetime) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{job}:{day}:{moment.astimezone(UTC):%Y-%m-%dT%H:%M}",
        partition_key=day.isoformat(),
        tags={TRIGGER_TAG: "schedule"},
    )


def _no_games(day: date) -> dg.SkipReason:
    return dg.SkipReason(f"no league games on {day}")
