"""Runs that the command line starts: what is planned, what they do, what they leave when something goes wrong."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from nba_assets.analytics import player_game_summary
from nba_assets.automation.planned_runs import Launch
from nba_assets.automation.planning import missing_upstream, plan
from nba_assets.definitions import defs
from nba_assets.orchestration.instance import PACKAGE, dagster_instance
from nba_assets.orchestration.launch import built, execute
from nba_assets.orchestration.run_origin import is_of_command_line
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES, upstream_names
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import count_as_ingested

SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
WEEK = timedelta(days=6)


def planned(home: Home, start: date, end: date) -> list[Launch]:
    return plan(DuckDBWarehouse(home.warehouse), FolderLandingZone(home.landing), SUMMARIES, start, end)


def build(home: Home, start: date, end: date, **entities: Any) -> list[bool]:
    """Run what is planned; tells which runs succeeded, and prints why others did not."""
    config = {"resources": {"entities": {"config": entities}}} if entities else {}
    reports = [
        execute(launch, config if set(launch.assets) & set(COMPUTED_TABLES) else {})
        for launch in planned(home, start, end)
    ]
    print([step for report in reports for step in report.steps if not step.succeeded])
    return [report.succeeded for report in reports]


@pytest.fixture(scope="module")
def once_built(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The landed league with its first week built by one run; tests work on copies."""
    home = Home(tmp_path_factory.mktemp("week") / "home", landed.opening)
    shutil.copytree(landed.path, home.path)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))
        assert build(home, home.opening, home.opening + WEEK) == [True]
    return home


@pytest.fixture
def week(once_built: Home, own_home: Path) -> Home:
    """A copy of it, where the settings look for it."""
    shutil.copytree(once_built.path, own_home)
    return Home(own_home, once_built.opening)


def digests(home: Home, *tables: str) -> dict[tuple[str, date], str]:
    partition_state = DuckDBWarehouse(home.warehouse).read(
        TABLE_PARTITIONS,
        ("table_name", "partition_date", "digest"),
        date(2024, 7, 1),
        date(2025, 7, 1),
        {"table_name": list(tables or SUMMARIES)},
    )
    return {(book["table_name"], book["partition_date"]): book["digest"] for book in partition_state.to_pylist()}


def stored(home: Home, table: str) -> list[dict[str, Any]]:
    spec = ALL_TABLES[table]
    names = [column.name for column in spec.columns if column.hashed]
    return DuckDBWarehouse(home.warehouse).read(spec, names, date(2024, 7, 1), date(2025, 7, 1)).to_pylist()


def test_backfill_from_opening_night_is_one_run_of_exactly_that_range(landed: Home, week: Home) -> None:
    (launch,) = planned(landed, landed.opening, landed.opening + WEEK)
    assert set(launch.assets) == {*RAW_TABLES, *SUMMARIES}
    with dagster_instance() as instance:
        (run,) = instance.get_runs()
    assert run.tags["dagster/asset_partition_range_start"] == week.opening.isoformat()
    assert run.tags["dagster/asset_partition_range_end"] == (week.opening + WEEK).isoformat()
    assert {day for _, day in digests(week)} == {week.day(number) for number in range(7)}


def test_a_run_of_the_command_line_belongs_to_a_job_of_the_code_location_and_is_nobody_elses_to_repeat(
    home: Home,
) -> None:
    report = execute(Launch("full", ["schedule"], home.opening, home.opening))
    with dagster_instance() as instance:
        run = instance.get_run_by_id(report.run_id)
    (location,) = yaml.safe_load((PACKAGE / "workspace.yaml").read_text())["load_from"]
    assert run is not None
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == location["python_module"]["location_name"]
    assert run.remote_job_origin.repository_origin.repository_name == defs.get_repository_def().name
    assert (run.remote_job_origin.job_name, run.job_name) == ("full", "full")
    assert run.asset_selection == {dg.AssetKey("schedule")}
    assert run.tags["dagster/max_retries"] == "0"
    assert is_of_command_line(run)
    assert not is_of_command_line(run._replace(parent_run_id=run.run_id))


def test_a_table_without_its_upstream_is_warned_of_in_a_line(home: Home) -> None:
    def missing(*tables: str) -> list[str]:
        return missing_upstream(DuckDBWarehouse(home.warehouse), tables, upstream_names(), home.opening, home.day(1))

    offense, _, sheet = SUMMARIES
    assert missing(*SUMMARIES) == missing(offense) == []
    assert missing(sheet) == [
        f"{sheet} reads what is not built: {offense} (0 of 2 dates are built). Build it first, or with --table."
    ]
    warehouse = DuckDBWarehouse(home.warehouse)
    count_as_ingested(warehouse, [offense], [home.opening])
    assert missing(sheet) == [
        f"{sheet} reads what is not built: {offense} (1 of 2 dates are built). Build it first, or with --table."
    ]
    count_as_ingested(warehouse, [offense], [home.day(1)])
    assert missing(sheet) == []


def test_rows_of_whole_season_tables_are_those_of_the_season_whatever_dates_are_run(home: Home) -> None:
    warehouse = DuckDBWarehouse(home.warehouse)
    names = ["player_registry", "rosters"]
    last_season, this_season = [date(2024, 6, 20)], [date(2024, 7, 1), date(2024, 11, 12), date(2025, 4, 1)]
    count_as_ingested(warehouse, names, [*last_season, *this_season])
    held = built(warehouse, Launch("ingestion", names, date(2024, 11, 12), date(2024, 11, 13)))
    assert {name: (one.dates, one.rows) for name, one in held.items()} == {"player_registry": (1, 3), "rosters": (1, 1)}


def test_missing_raw_dates_of_the_season_are_ingested_first_and_once(home: Home) -> None:
    before, main = planned(home, home.day(6), home.day(6))
    assert (before.start, before.end, set(before.assets)) == (home.opening, home.day(5), set(RAW_TABLES))
    assert build(home, home.day(6), home.day(6)) == [True, True]
    (again,) = planned(home, home.day(6), home.day(6))
    assert set(again.assets) == set(SUMMARIES)
    assert main.tags == {"dagster/partition": home.day(6).isoformat()}


@pytest.mark.slow
def test_one_range_single_dates_and_any_workers_give_the_same_digests(week: Home) -> None:
    expected = digests(week)
    assert len(expected) == 7 * len(SUMMARIES)
    variants: list[dict[str, Any]] = [
        {"players_enabled": False, "teams_enabled": False},
        {"players_workers": 10, "teams_workers": 10},
        {"players_workers": 2, "teams_workers": 2, "backend": "processes"},
    ]
    for number, entities in enumerate(variants):
        assert build(week, week.day(number), week.opening + WEEK, **entities) == [True]
        assert digests(week) == expected
    for number in (5, 2, 6):
        assert build(week, week.day(number), week.day(number)) == [True]
    assert digests(week) == expected


def test_a_day_without_games_succeeds_with_no_rows_in_any_table(home: Home) -> None:
    with_games = {path.name[-10:] for path in (home.landing / "team_boxscores").iterdir()}
    free = next(day for day in map(home.day, range(20)) if str(day) not in with_games)
    assert home.command("run", free).returncode == 0
    partition_state = DuckDBWarehouse(home.warehouse).read(
        TABLE_PARTITIONS, ("table_name", "row_count"), free, free, {"table_name": list(COMPUTED_TABLES)}
    )
    assert {book["table_name"]: book["row_count"] for book in partition_state.to_pylist()} == dict.fromkeys(
        COMPUTED_TABLES, 0
    )


def test_a_player_whose_computation_raises_costs_only_his_rows(week: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored(week, "player_game_summary")
    unlucky = before[0]["player_lookup"]
    real = player_game_summary.compute

    def compute(requested: Any, histories: Any, shared: Any = None) -> Any:
        if unlucky in requested["player_lookup"]:
            raise ArithmeticError("no such number")
        return real(requested, histories, shared)

    monkeypatch.setattr(player_game_summary, "compute", compute)
    assert build(week, week.opening, week.opening + WEEK) == [True]
    assert stored(week, "player_game_summary") == [row for row in before if row["player_lookup"] != unlucky]
    failures = DuckDBWarehouse(week.warehouse).read(
        ENTITY_FAILURES,
        ("entity_id", "partition_date", "failure_category"),
        week.opening,
        week.opening + WEEK,
        {"table_name": "player_game_summary"},
    )
    assert {(row["entity_id"], row["failure_category"]) for row in failures.to_pylist()} == {
        (unlucky, "PROCESSING_ERROR")
    }


@pytest.mark.slow
def test_a_torn_file_of_a_required_feed_fails_the_command_and_costs_its_own_date(home: Home) -> None:
    assert home.command("backfill", home.opening, home.opening + WEEK).returncode == 0
    before = digests(home)
    (file,) = (home.landing / "team_boxscores").glob(f"game_date={home.opening}/*.parquet")
    file.write_bytes(file.read_bytes()[:100])
    forget_raw_dates(home, "team_boxscores")
    outcome = home.command("backfill", home.opening, home.opening + WEEK)
    assert outcome.returncode == 1
    (said,) = [line for line in outcome.stderr.splitlines() if "REFUSED" in line]
    assert said.startswith(
        "player_game_summary, team_defense_game_summary, team_offense_game_summary "
        f"{home.opening} REFUSED: team_boxscores was not ingested for {home.opening}: "
        f"team_boxscores/game_date={home.opening}"
    )
    assert said.endswith("; replace or remove the file, and run again")
    assert "REFUSED" not in outcome.stdout
    assert {key: digest for key, digest in digests(home).items() if key[0] in COMPUTED_TABLES} == {
        key: digest for key, digest in before.items() if key[0] in COMPUTED_TABLES
    }


def forget_raw_dates(home: Home, table: str) -> None:
    """Have a raw table ingested again by the next run."""
    warehouse, days = DuckDBWarehouse(home.warehouse), [home.day(number) for number in range(-200, 300)]
    nothing = warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, date(1900, 1, 1), date(1900, 1, 1))
    warehouse.replace([Replacement(TABLE_PARTITIONS, nothing, days, {"table_name": table})])


@pytest.mark.slow
def test_four_processes_build_different_dates_at_once(home: Home) -> None:
    assert home.command("backfill", home.opening, home.opening + WEEK).returncode == 0
    expected = digests(home)
    processes = [home.start("run", home.day(number)) for number in range(4)]
    assert [process.wait(timeout=300) for process in processes] == [0, 0, 0, 0]
    assert digests(home) == expected


def test_corrected_box_score_replaces_the_first_one(week: Home) -> None:
    book = ALL_TABLES["player_gamebook"]
    found = DuckDBWarehouse(week.warehouse).read(book, ("game_id", "player_lookup"), week.opening, week.opening + WEEK)
    assert (
        pc.count_distinct(pc.binary_join_element_wise(found["game_id"], found["player_lookup"], "/")).as_py()
        == found.num_rows
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "15.11.2021"), "is no calendar date"),
        (("backfill", "2024-11-02", "2024-11-01"), "lies before START"),
        (("run", "2024-11-01", "--table", "scores"), "no table scores"),
    ],
)
def test_what_a_user_got_wrong_is_said_in_words(home: Home, arguments: tuple[str, ...], said: str) -> None:
    outcome = home.command(*arguments)
    assert outcome.returncode != 0
    assert said in " ".join((outcome.stdout + outcome.stderr).split())
    assert "Traceback" not in outcome.stderr


def test_without_a_landing_zone_the_command_says_which_variable_to_set(home: Home) -> None:
    home.landing.rename(home.path / "elsewhere")
    outcome = home.command("run", home.opening)
    assert outcome.returncode == 1
    assert "NBA_ASSETS_LANDING" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_ingested_dates_are_ingested_again_on_request(home: Home) -> None:
    warehouse, landing = DuckDBWarehouse(home.warehouse), FolderLandingZone(home.landing)
    assert build(home, home.opening, home.opening) == [True]
    (again,) = plan(warehouse, landing, SUMMARIES, home.opening, home.opening, ingest=True)
    assert again.assets == [*RAW_TABLES, *SUMMARIES]
    (only_computed,) = plan(warehouse, landing, SUMMARIES, home.opening, home.opening)
    assert only_computed.assets == [*SUMMARIES]


def test_files_that_come_after_a_date_was_ingested_are_ingested_by_its_next_run(home: Home) -> None:
    """In the morning the pregame tables of a date are built, after its games it is built once more: nothing else would
    bring its results in.
    """
    day, later = home.opening, home.path / "later"
    late = [
        file
        for name in ("team_boxscores", "player_gamebook", "player_boxscores", "play_by_play")
        for file in (home.landing / name).rglob("*.parquet")
    ]
    for file in late:
        (later / file.relative_to(home.landing)).parent.mkdir(parents=True, exist_ok=True)
        file.rename(later / file.relative_to(home.landing))
    assert build(home, day, day) == [False], "required feeds are absent as yet"
    for file in late:
        # Moved and not copied: its time is older than the ingestion.
        (later / file.relative_to(home.landing)).rename(file)
    (again,) = planned(home, day, day)
    assert set(again.assets) == {*RAW_TABLES, *SUMMARIES}
    assert build(home, day, day) == [True]
    assert stored(home, "player_game_summary")
    (unchanged,) = planned(home, day, day)
    assert set(unchanged.assets) == set(SUMMARIES)


def test_a_corrected_file_is_ingested_by_the_next_run_of_its_date_and_of_no_other(home: Home) -> None:
    assert build(home, home.opening, home.day(5)) == [True]
    file = next((home.landing / "player_gamebook").rglob(f"*{home.day(3)}*/*.parquet"))
    rows = pq.read_table(file)
    sat = pc.equal(rows.column("player_status"), "active")
    pq.write_table(rows.filter(sat), file)
    (other,) = planned(home, home.day(4), home.day(5))
    assert set(other.assets) == set(SUMMARIES)
    before = digests(home)
    assert build(home, home.day(3), home.day(3)) == [True]
    changed = {place for place, digest in digests(home).items() if digest != before[place]}
    assert ("player_game_summary", home.day(3)) in changed
    assert {day for _, day in changed} == {home.day(3)}


@pytest.mark.slow
def test_an_earlier_date_whose_file_cannot_be_read_does_not_keep_later_dates_from_being_built(home: Home) -> None:
    assert build(home, home.opening, home.day(2)) == [True]
    next((home.landing / "player_gamebook").rglob(f"*{home.day(3)}*/*.parquet")).write_bytes(b"")
    outcome = home.command("run", home.day(4), "--table", "team_offense_game_summary")
    assert outcome.returncode == 1
    assert f"Run of 10 assets from {home.day(3)} to {home.day(3)}" in outcome.stdout
    assert digests(home)["team_offense_game_summary", home.day(4)]
