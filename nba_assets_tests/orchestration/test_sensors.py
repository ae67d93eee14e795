"""The sensors at work: a league's files arrive, ticks are made by hand, and what is requested is run.

One test runs the requested jobs themselves.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dagster._core.test_utils import create_run_for_test
from filelock import FileLock

from nba_assets.automation.planned_runs import BECAUSE_TAG, PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from nba_assets.automation.requests import Selection
from nba_assets.automation.slates import end_of, slates
from nba_assets.automation.staleness import ANNOUNCEMENTS
from nba_assets.definitions import defs
from nba_assets.orchestration import sensors
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.sensors import SHOWN_NOTES, _dates_of, _result
from nba_assets.raw.content_index import RESULTS, forget_landed, landed_index
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import empty
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import OvertakenError, Replacement
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration.at_work import (
    BUILT,
    ENVIRONMENT,
    HOURS,
    MINUTES,
    NEXT,
    OPENING,
    POINTS,
    Operator,
    Ran,
    Season,
    build_table,
    build_tables,
    changed,
    days_of,
    digests,
    fresh_digests,
    give_points,
    rebuilt,
    touch_all,
)


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """A whole season of a small league."""
    path = tmp_path_factory.mktemp("season")
    return Season(path, write_season(path, 2024, **SMALL_LEAGUE))


@pytest.fixture(scope="module")
def common(season: Season, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryWarehouse]:
    """Built up to BUILT in one go, and the pregame tables of NEXT from its announcements; the corrected box score has
    not come yet.
    """
    landing, warehouse = tmp_path_factory.mktemp("common") / "landing", MemoryWarehouse()
    season.land_all(landing, OPENING, BUILT)
    for file in landing.rglob("*correction*"):
        file.unlink()
    season.land(landing, NEXT, ANNOUNCEMENTS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        build_tables(warehouse, landing, [*RAW_TABLES, *TABLE_MODULES], days_of(OPENING, BUILT))
        build_tables(warehouse, landing, [*RAW_TABLES, *PREGAME_TABLES], [NEXT])
    return landing, warehouse


@pytest.fixture
def operator(
    common: tuple[Path, MemoryWarehouse], own_home: Path, season: Season, monkeypatch: pytest.MonkeyPatch
) -> Operator:
    """At work in a copy of the common home, years after the season."""
    landing, warehouse = common
    shutil.copytree(landing, own_home / "landing")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    forget_landed()
    return Operator(own_home / "landing", season, warehouse.copy())


def in_a_file(warehouse: MemoryWarehouse, path: Path) -> DuckDBWarehouse:
    """The same tables in a DuckDB file."""
    stored = {
        spec: rows for spec in ALL_TABLES.values() if (rows := warehouse.tables.get(spec.qualified_name)) is not None
    }
    file = DuckDBWarehouse(path)
    file.replace(
        [Replacement(spec, rows, sorted(set(rows[spec.date_column].to_pylist()))) for spec, rows in stored.items()]
    )
    return file


def test_a_home_that_is_up_to_date_stays_at_rest(operator: Operator) -> None:
    assert operator.until_quiet() == []
    assert operator.reasons == {
        "raw_arrival": "nothing has landed that is not built",
        "stale_dates": "every built date is up to date",
    }
    touch_all(operator.landing)
    assert operator.until_quiet() == []


PORTIONS = (("team_boxscores", "player_boxscores"), ("player_gamebook",), ("play_by_play",))


@pytest.mark.slow
def test_acceptance_with_the_requested_jobs(
    operator: Operator, common: tuple[Path, MemoryWarehouse], own_home: Path
) -> None:
    """A date in three portions is one postgame and one pregame run; two points more are one postgame run and one range.

    Everything is in files, the instance too, which is closed and opened again in the middle.
    """
    operator.in_jobs, operator.warehouse = True, in_a_file(common[1], own_home / "nba.duckdb")
    operator.instance = dagster_instance()
    operator.season.land_schedule(operator.landing, NEXT)
    for portion in PORTIONS[:2]:
        operator.season.land(operator.landing, NEXT, portion)
        assert operator.until_quiet() == []
    operator.season.land(operator.landing, NEXT, PORTIONS[2])
    following = next(day for day in operator.game_days() if day > NEXT)
    ran = operator.until_quiet()
    assert [one.short for one in ran] == [
        ("postgame", "results", NEXT, NEXT),
        ("pregame", "next_date", following, following),
    ]
    partition_state = operator.partition_state()
    assert all(
        partition_state[table, NEXT if table in GAME_SUMMARIES else following]["row_count"] for table in COMPUTED_TABLES
    )
    operator.instance.dispose()
    forget_landed()
    operator.instance = dagster_instance()
    touch_all(operator.landing)
    assert operator.until_quiet() == []

    corrected = OPENING + timedelta(days=8)
    (file,) = operator.landing.glob(f"player_gamebook/game_date={corrected}/*.parquet")
    give_points(file)
    postgame, late = operator.until_quiet()
    later = [day for day in operator.game_days() if corrected < day <= following]
    assert postgame.short == ("postgame", "results", corrected, corrected)
    assert late.short == ("pregame", "late_data", later[0], following)
    assert late.tags[BECAUSE_TAG] == "changed: " + ", ".join(f"{table} {corrected}" for table in sorted(GAME_SUMMARIES))
    assert rebuilt(partition_state, operator.partition_state()) == {(table, corrected) for table in GAME_SUMMARIES} | {
        (table, day) for table in POINTS for day in days_of(later[0], following)
    }
    assert changed(partition_state, operator.partition_state()) <= {(table, corrected) for table in GAME_SUMMARIES} | {
        (table, day) for table in POINTS for day in later
    }
    assert operator.until_quiet() == []
    operator.instance.dispose()


def test_one_date_in_three_portions_is_one_postgame_and_one_pregame_run(operator: Operator) -> None:
    """Ten filled tables without a hand on them; the same bytes again are nothing."""
    operator.season.land_schedule(operator.landing, NEXT)
    for portion in PORTIONS[:2]:
        operator.season.land(operator.landing, NEXT, portion)
        assert operator.until_quiet() == []
        assert str(operator.reasons["raw_arrival"]).startswith(f"{NEXT} waits: ")
    operator.season.land(operator.landing, NEXT, PORTIONS[2])
    following = next(day for day in operator.game_days() if day > NEXT)
    assert [one.short for one in operator.until_quiet()] == [
        ("postgame", "results", NEXT, NEXT),
        ("pregame", "next_date", following, following),
    ]
    partition_state = operator.partition_state()
    assert all(
        partition_state[table, NEXT if table in GAME_SUMMARIES else following]["row_count"] for table in COMPUTED_TABLES
    )
    assert digests(partition_state) == fresh_digests(operator)
    touch_all(operator.landing)
    assert operator.until_quiet() == []


def test_an_empty_home_is_filled_from_one_date(season: Season, own_home: Path) -> None:
    operator = Operator(own_home / "landing", season, MemoryWarehouse())
    forget_landed()
    assert operator.until_quiet() == []
    assert "NBA_ASSETS_LANDING" in str(operator.reasons["raw_arrival"])
    season.land_schedule(operator.landing, NEXT)
    for portion in (ANNOUNCEMENTS, *PORTIONS[:2]):
        season.land(operator.landing, NEXT, portion)
        assert operator.until_quiet() == []
    season.land(operator.landing, NEXT, PORTIONS[2])
    following = next(day for day in operator.game_days() if day > NEXT)
    assert [one.short for one in operator.until_quiet()] == [
        ("postgame", "results", NEXT, NEXT),
        ("pregame", "next_date", following, following),
    ]
    partition_state = operator.partition_state()
    assert set(partition_state) == {(table, NEXT) for table in GAME_SUMMARIES} | {
        (table, following) for table in PREGAME_TABLES
    }
    assert all(partition_state[table, NEXT]["row_count"] for table in GAME_SUMMARIES)
    assert all(partition_state[table, following]["row_count"] for table in CONTEXTS)


BY_TABLE = tuple((table,) for table in (*RESULTS, "schedule"))


@pytest.mark.parametrize(
    ("seed", "days", "portions"),
    [
        (1, 1, (("team_boxscores", "schedule"), ("player_gamebook", "player_boxscores"), ("play_by_play",))),
        pytest.param(2, 7, BY_TABLE, marks=pytest.mark.slow),
    ],
)
def test_days_as_they_come_with_restarts_in_between(
    operator: Operator, seed: int, days: int, portions: Sequence[tuple[str, ...]]
) -> None:
    """Announcements at noon, results in portions at night.

    Each date is built before and after its games once per content, whatever dies in between.
    """
    choice = random.Random(seed)
    ran: list[Ran] = []
    operator.now = end_of(BUILT) + 12 * HOURS
    games = [day for day in operator.game_days() if NEXT <= day <= NEXT + timedelta(days=days)]
    for day in games:
        operator.now = end_of(day) - 12 * HOURS
        operator.season.land(operator.landing, day, ANNOUNCEMENTS)
        ran += operator.until_quiet(restarts=choice)
        operator.now = end_of(day) + 4 * HOURS
        landed: set[str] = set()
        for portion in choice.sample(portions, len(portions)):
            operator.season.land(operator.landing, day, portion)
            if "schedule" in portion:
                operator.season.land_schedule(operator.landing, day)
            landed |= set(portion)
            complete = {"team_boxscores", "play_by_play", "schedule"} <= landed and bool(
                landed & {"player_gamebook", "player_boxscores"}
            )
            # The daemon dies after it has started runs, and looks again with the cursor that it had.
            mine = operator.tick("raw_arrival", crash_before_cursor=choice.random() < 0.5)
            forget_landed()
            mine += operator.until_quiet(restarts=choice)
            assert [one.start for one in mine if one.job == "postgame"] == [day] * complete
            ran += mine
    assert [one.start for one in ran if one.trigger == "announcements"] == games[1:]
    all_games = operator.game_days()
    following = {day: next(later for later in all_games if later > day) for day in games}
    # Where a day without games lies in between, the date's own announcements come before its turn.
    assert [one.start for one in ran if one.trigger == "next_date"] == [
        later for day, later in following.items() if later == day + timedelta(days=1)
    ]
    assert digests(operator.partition_state()) == fresh_digests(operator)


def test_the_corrected_box_score_reaches_exactly_what_it_can_reach(operator: Operator) -> None:
    """The simulated league's own correction, in sheet and box score: two points that the first version forgot."""
    case = operator.season.summary.special_cases.corrected_box
    assert case is not None
    before = operator.partition_state()
    operator.tick("stale_dates")  # so that it knows who started
    operator.season.land(operator.landing, case.game_date, RESULTS, correction=True)
    postgame, late = operator.until_quiet()
    after = operator.partition_state()
    later = [day for day in operator.game_days() if case.game_date < day <= NEXT]
    assert postgame.short == ("postgame", "results", case.game_date, case.game_date)
    assert late.short == ("pregame", "late_data", later[0], NEXT)
    assert late.assets == POINTS
    assert rebuilt(before, after) == {(table, case.game_date) for table in GAME_SUMMARIES} | {
        (table, day) for table in POINTS for day in days_of(later[0], NEXT)
    }
    assert ("player_game_summary", case.game_date) in changed(before, after)
    assert changed(before, after) <= {(table, case.game_date) for table in GAME_SUMMARIES} | {
        (table, day) for table in POINTS for day in later
    }
    assert digests(after) == fresh_digests(operator)
    operator.season.land(operator.landing, case.game_date, RESULTS, correction=True)
    assert operator.until_quiet() == []


def test_two_points_more_in_a_box_score_that_the_sheet_overrules_change_nothing(operator: Operator) -> None:
    """The summaries are made again and come out as they were: nothing downstream runs."""
    day = OPENING + timedelta(days=6)
    before = operator.partition_state()
    operator.tick("stale_dates")
    (file,) = operator.landing.glob(f"player_boxscores/game_date={day}/*.parquet")
    give_points(file)
    assert [one.short for one in operator.until_quiet()] == [("postgame", "results", day, day)]
    assert rebuilt(before, operator.partition_state()) == {(table, day) for table in GAME_SUMMARIES}
    assert changed(before, operator.partition_state()) == set()


def test_a_corrected_starter_reaches_later_teams_as_well(operator: Operator) -> None:
    """Summaries of later dates look back on who started: they come first, and what they change is stale after that."""
    day = OPENING + timedelta(days=5)
    operator.tick("stale_dates")
    (file,) = operator.landing.glob(f"player_boxscores/game_date={day}/*.parquet")
    rows = pq.read_table(file)
    bench = pa.array([not starter for starter in rows["starter"].to_pylist()])
    pq.write_table(rows.set_column(rows.column_names.index("starter"), "starter", bench), file)
    ran = operator.until_quiet()
    assert ran[0].short == ("postgame", "results", day, day)
    assert ran[1].short[:3] == ("postgame", "late_data", next(later for later in operator.game_days() if later > day))
    assert ran[1].assets == set(GAME_SUMMARIES)
    assert digests(operator.partition_state()) == fresh_digests(operator)


@pytest.mark.parametrize("table", ["injury_report", "rosters"])
def test_late_announcements_reach_the_dates_that_they_are_about(operator: Operator, table: str) -> None:
    """A file of announcements comes when its date is long over."""
    day = OPENING + timedelta(days=6)
    for file in operator.season.files(table, day):
        rows = pq.read_table(file)
        pq.write_table(rows.slice(0, rows.num_rows // 2), operator.landing / file.relative_to(operator.season.path))
    first, *others = operator.until_quiet()
    assert first.short == ("pregame", "announcements", day, day)
    assert first.tags[BECAUSE_TAG] == f"new: {table}"
    assert [one.trigger for one in others] == ["late_data"] * (table == "rosters")
    assert digests(operator.partition_state()) == fresh_digests(operator)


def test_a_game_without_play_by_play_is_run_for_after_the_deadline(operator: Operator) -> None:
    operator.now = end_of(NEXT) + 2 * HOURS
    operator.season.land_schedule(operator.landing, NEXT)
    operator.season.land(operator.landing, NEXT, set(RESULTS) - {"play_by_play"})
    last_tip = slates(landed_index(FolderLandingZone(operator.landing)).look(NEXT, operator.now).schedule)[
        NEXT
    ].last_tip
    operator.now = last_tip + 12 * HOURS - 31 * MINUTES
    assert operator.until_quiet() == []
    forget_landed()
    operator.now = last_tip + 12 * HOURS - 1 * MINUTES
    assert operator.until_quiet() == []
    operator.now = last_tip + 12 * HOURS
    (postgame,) = operator.tick("raw_arrival")
    assert postgame.short == ("postgame", "deadline", NEXT, NEXT)
    assert postgame.tags[BECAUSE_TAG].startswith("no play-by-play: 20241102_")
    operator.until_quiet()
    operator.season.land(operator.landing, NEXT, ["play_by_play"])
    assert operator.until_quiet()[0].short == ("postgame", "results", NEXT, NEXT)


def test_a_catch_up_builds_every_date_before_and_after_its_games(operator: Operator) -> None:
    """Results of several dates land at once: oldest first, so many at a tick; then the pregame tables of the
    dates after them.
    """
    end = NEXT + timedelta(days=5)
    operator.season.land_all(operator.landing, NEXT, end)
    for day in days_of(NEXT, end):
        operator.season.land(operator.landing, day, RESULTS)
    games = [day for day in operator.game_days() if day >= NEXT]
    os.environ["NBA_ASSETS_REQUESTS_PER_TICK"] = "2"
    try:
        assert [one.start for one in operator.tick("raw_arrival")] == games[:2]
        ran = operator.until_quiet()
    finally:
        del os.environ["NBA_ASSETS_REQUESTS_PER_TICK"]
    assert [one.start for one in ran if one.job == "postgame" and one.trigger == "results"] == [
        day for day in games[2:] if day <= end
    ]
    assert {day for table, day in operator.partition_state() if table == "ml_feature_store" and day > NEXT} >= {
        day for day in games if NEXT < day <= end
    }
    assert digests(operator.partition_state()) == fresh_digests(operator)


def test_a_run_that_was_overtaken_writes_nothing(operator: Operator) -> None:
    """A run began with older content, another one with newer content wrote first: the slower one does not replace
    it.
    """
    corrected = OPENING + timedelta(days=6)
    later = days_of(corrected + timedelta(days=1), BUILT)
    publish_older = build_table(operator.warehouse, "upcoming_player_game_context", later)
    (file,) = operator.landing.glob(f"player_gamebook/game_date={corrected}/*.parquet")
    give_points(file)
    operator.until_quiet()
    newer = operator.partition_state()
    with pytest.raises(OvertakenError):
        publish_older()
    assert operator.until_quiet() == []
    assert operator.partition_state() == newer


def test_a_failed_repair_is_repeated_after_pauses_and_holds_nothing_up(operator: Operator) -> None:
    corrected = OPENING + timedelta(days=6)
    (file,) = operator.landing.glob(f"player_gamebook/game_date={corrected}/*.parquet")
    give_points(file)
    operator.fails = lambda ran: ran.trigger == "late_data"
    assert [one.trigger for one in operator.until_quiet()] == ["results", "late_data"]
    assert "waits: attempt 1 of 6 failed" in str(operator.reasons["stale_dates"])
    operator.season.land_schedule(operator.landing, NEXT)
    operator.season.land(operator.landing, NEXT, RESULTS)
    assert "next_date" in [one.trigger for one in operator.until_quiet()]
    operator.fails = lambda _: False
    give_points(file, points=-1)
    first, *late = [one.trigger for one in operator.until_quiet()]
    assert (first, set(late)) == ("results", {"late_data"})
    assert operator.reasons["stale_dates"] == "every built date is up to date"


def test_sensors_wait_for_runs_but_not_for_lost_ones(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    corrected = OPENING + timedelta(days=6)
    (file,) = operator.landing.glob(f"player_gamebook/game_date={corrected}/*.parquet")
    give_points(file)
    tags = {RANGE_START_TAG: str(OPENING), RANGE_END_TAG: str(BUILT)}
    create_run_for_test(operator.instance, job_name="full", tags=tags, status=dg.DagsterRunStatus.STARTED)
    create_run_for_test(operator.instance, job_name="of_somebody_else", status=dg.DagsterRunStatus.STARTED)
    assert operator.until_quiet() == []
    assert operator.reasons["raw_arrival"] == f"{corrected} waits: a run works on it"
    assert "waits for 1 unfinished runs" in str(operator.reasons["stale_dates"])
    monkeypatch.setattr(sensors, "FORGOTTEN_AFTER", timedelta(seconds=-60))
    assert [one.trigger for one in operator.until_quiet()] == ["results", "late_data"]


def test_what_cannot_be_reached_leaves_the_cursors_alone(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.season.land(operator.landing, NEXT, ["team_boxscores"])
    operator.until_quiet()
    cursors = dict(operator.cursors)
    assert str(NEXT) in str(cursors["raw_arrival"])
    operator.landing.rename(tmp_path / "away")
    assert operator.tick("raw_arrival") == []
    assert "NBA_ASSETS_LANDING" in str(operator.reasons["raw_arrival"])
    (tmp_path / "away").rename(operator.landing)
    monkeypatch.setattr(sensors, "LONGEST_WAIT_SECONDS", 0.1)
    tables, operator.warehouse = operator.warehouse, DuckDBWarehouse(tmp_path / "nba.duckdb")
    operator.warehouse.replace([Replacement(TABLE_PARTITIONS, empty(TABLE_PARTITIONS), [NEXT])])
    with FileLock(f"{tmp_path / 'nba.duckdb'}.lock"):
        assert [operator.tick(name) for name in operator.sensors] == [[], []]
    assert all("was still held after 0.1 s" in str(reason) for reason in operator.reasons.values())
    assert operator.cursors == cursors
    operator.warehouse = tables
    (operator.landing / "play_by_play" / f"game_date={NEXT}.parquet").write_bytes(b"half a file")
    assert operator.until_quiet() == []
    assert "play_by_play cannot be read" in str(operator.reasons["raw_arrival"])


def test_a_time_without_looks_is_logged(operator: Operator, capsys: pytest.CaptureFixture[str]) -> None:
    operator.tick("raw_arrival")
    operator.now += timedelta(hours=1)
    operator.tick("raw_arrival")
    operator.tick("raw_arrival")
    assert capsys.readouterr().err.count("no decision for 60 minutes") == 1


def test_sensors_are_off_until_they_are_turned_on() -> None:
    repository = defs.get_repository_def()
    mine = [sensor for sensor in repository.sensor_defs if sensor.name in ("raw_arrival", "stale_dates")]
    assert [sensor.default_status for sensor in mine] == [dg.DefaultSensorStatus.STOPPED] * 2
    assert {target.job_name for sensor in mine for target in sensor.targets} == {"postgame", "pregame"}


@pytest.mark.parametrize(
    ("tags", "days"),
    [
        ({}, []),
        ({PARTITION_TAG: "2024-11-05"}, [5]),
        ({RANGE_START_TAG: "2024-11-05", RANGE_END_TAG: "2024-11-07"}, [5, 6, 7]),
        ({RANGE_START_TAG: "2024-11-05"}, []),
        ({RANGE_END_TAG: "2024-11-05"}, []),
    ],
)
def test_the_dates_of_a_run_are_told_by_its_tags(tags: dict[str, str], days: list[int]) -> None:
    run = cast(dg.DagsterRun, SimpleNamespace(tags=tags))
    assert _dates_of(run) == [date(2024, 11, number) for number in days]


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "nothing has landed that is not built"), (1, "note 0"), (SHOWN_NOTES, None), (SHOWN_NOTES + 2, "and 2 more")],
)
def test_the_reason_for_no_run_is_the_notes_as_far_as_they_are_shown(count: int, said: str | None) -> None:
    context = cast(dg.SensorEvaluationContext, None)
    notes = [f"note {number}" for number in range(count)]
    result = _result(context, Selection([], []), "cursor", notes)
    assert result.skip_reason is not None
    shown = str(result.skip_reason.skip_message).split("; ")
    assert shown == [*notes[:SHOWN_NOTES], *([said] if said and not said.startswith("note") else [])]
    assert result.cursor == "cursor"
