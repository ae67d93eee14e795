"""The schedules: which of their ticks ask for a run, and what they say otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from nba_assets.definitions import defs
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.raw.tables import SCHEDULE
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.raw.feeds import ingested, schedule_row, write

EASTERN = ZoneInfo("America/New_York")
DAY = date(2021, 11, 15)
SCHEDULES = {schedule.name: schedule for schedule in defs.get_repository_def().schedule_defs}
TIP = datetime(2021, 11, 15, 19, 5, tzinfo=EASTERN)


@pytest.fixture
def landing(own_home: Path) -> Path:
    """Two games on DAY, an exhibition on the next day, a game that was called off on the day after."""
    folder = own_home / "landing"
    games = [
        schedule_row(DAY, game_status=1, game_time_utc=(TIP + timedelta(hours=3)).astimezone(UTC)),
        schedule_row(DAY, "BOS", "DEN", game_status=1, game_time_utc=TIP.astimezone(UTC)),
        schedule_row(DAY + timedelta(days=1), game_status=1, is_regular_season=False),
        schedule_row(DAY + timedelta(days=2), game_status=4),
        schedule_row(DAY + timedelta(days=3), game_status=1, game_time_utc=None),
    ]
    write(folder, "schedule.csv", games)
    return folder


def tick(name: str, at: datetime) -> tuple[list[dg.RunRequest], str | None]:
    """What a schedule asks for at a moment, and what it says otherwise."""
    with dg.build_schedule_context(
        scheduled_execution_time=at,
        resources={"warehouse": WarehouseResource()},
        repository_def=defs.get_repository_def(),
    ) as context:
        result = SCHEDULES[name].evaluate_tick(context)
    return list(result.run_requests or ()), result.skip_message


def clock(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=EASTERN)


@pytest.mark.parametrize(
    ("name", "moment"), [("pregame_daily", clock(9)), ("postgame_nightly", clock(3, 30, DAY + timedelta(days=1)))]
)
def test_days_with_games_are_run_for(landing: Path, name: str, moment: datetime) -> None:
    (request,), _ = tick(name, moment)
    assert (request.partition_key, request.tags["dagster/partition"]) == (DAY.isoformat(), DAY.isoformat())
    assert request.tags["nba_assets/trigger"] == "schedule"
    assert request.run_key == f"{name.split('_', maxsplit=1)[0]}:{DAY}:{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("name", ["pregame_daily", "pregame_before_tip", "postgame_nightly"])
@pytest.mark.parametrize("later", [1, 2, 30])
def test_days_without_league_games_are_skipped_with_a_reason(landing: Path, name: str, later: int) -> None:
    day = DAY + timedelta(days=later)
    moment = clock(3, 30, day + timedelta(days=1)) if name == "postgame_nightly" else clock(12, 0, day)
    assert tick(name, moment) == ([], f"no league games on {day}")


def test_exactly_one_look_is_an_hour_before_the_first_tip(landing: Path) -> None:
    moments = [clock(15) + timedelta(minutes=15) * number for number in range(20)]
    requested = [moment for moment in moments if tick("pregame_before_tip", moment)[0]]
    assert requested == [clock(18, 15)]
    assert "tips off at 00:05 UTC" in str(tick("pregame_before_tip", clock(12))[1])


@pytest.mark.parametrize("minute", [0, 1, 14, 40])
def test_one_look_is_an_hour_before_whenever_the_first_tip_is(landing: Path, minute: int) -> None:
    write(landing, "schedule.csv", [schedule_row(DAY, game_status=1, game_time_utc=clock(19, minute).astimezone(UTC))])
    moments = [clock(17) + timedelta(minutes=15) * number for number in range(9)]
    (requested,) = [moment for moment in moments if tick("pregame_before_tip", moment)[0]]
    assert timedelta(minutes=45) < clock(19, minute) - requested <= timedelta(hours=1)


def test_games_without_a_known_tip_have_no_look_before_it(landing: Path) -> None:
    day = DAY + timedelta(days=3)
    assert tick("pregame_before_tip", clock(18, 0, day)) == ([], f"no tip-off of {day} is known")
    assert len(tick("pregame_daily", clock(9, 0, day))[0]) == 1


def test_the_warehouse_knows_better_than_the_landing_zone(landing: Path, own_home: Path) -> None:
    ingested(SCHEDULE.name, landing, DuckDBWarehouse(own_home / "nba.duckdb"), [DAY])
    write(landing, "schedule.csv", [schedule_row(DAY, game_status=4), schedule_row(DAY + timedelta(days=40))])
    assert len(tick("pregame_daily", clock(9))[0]) == 1
    assert len(tick("pregame_daily", clock(9, 0, DAY + timedelta(days=40)))[0]) == 1


def test_without_any_schedule_there_are_no_games(own_home: Path) -> None:
    assert tick("pregame_daily", clock(9)) == ([], f"no league games on {DAY}")


def test_schedules_are_eastern_and_off_until_they_are_turned_on() -> None:
    facts: dict[str, Any] = {name: (schedule.cron_schedule, schedule.job_name) for name, schedule in SCHEDULES.items()}
    assert facts == {
        "pregame_daily": (["0 9 * * *", "0 12 * * *"], "pregame"),
        "pregame_before_tip": ("*/15 * * * *", "pregame"),
        "postgame_nightly": ("30 3 * * *", "postgame"),
        "fetch_daily": ("0 6 * * *", "fetch"),
    }
    assert {schedule.execution_timezone for schedule in SCHEDULES.values()} == {"America/New_York"}
    assert {schedule.default_status for schedule in SCHEDULES.values()} == {dg.DefaultScheduleStatus.STOPPED}


def test_pregame_brings_in_what_it_describes_the_games_from() -> None:
    job = defs.resolve_job_def("pregame")
    names = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
    assert {"schedule", "rosters", "injury_report", "game_lines", "player_points_props", "player_registry"} < names
    assert not names & {"play_by_play", "player_gamebook", "player_game_summary"}
