"""Checks of what stands in the warehouse: what they count as missing or open, and that they run without building
anything.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nba_assets.definitions import build_definitions, defs
from nba_assets.orchestration import health
from nba_assets.orchestration.health import (
    FILES_READABLE,
    GAME_DAYS_HAVE_ROWS,
    HEALTH_CHECKS,
    NO_DATE_REFUSED,
    NO_ROW_QUARANTINED,
    OPEN_FAILURES,
    ROWS_AS_RECORDED,
    WAREHOUSE_HEALTH,
    DaysWithoutRows,
    altered_partitions,
    game_days_without_rows,
    quarantined_rows,
)
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.raw.refusals import unreadable_files
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.schedule import FINAL, POSTPONED
from nba_assets.raw.tables import GAME_LINES, PLAYER_GAMEBOOK, RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, RAW_QUARANTINE, TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.conftest import real_data
from nba_assets_tests.orchestration.at_work import schedule_after
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import build, days_between, ingest_all

OPENING, NOW = date(2024, 10, 22), datetime(2024, 12, 1, tzinfo=UTC)
TODAY = OPENING + timedelta(days=30)
SHEET, STORE = COMPUTED_TABLES["player_game_summary"], COMPUTED_TABLES["ml_feature_store"]
SCHEDULED = 1


def write(
    warehouse: DuckDBWarehouse, table: Table, rows: Sequence[Mapping[str, Any]], scope: str | None = None
) -> None:
    """Rows of a table, the columns that are not given null or empty."""
    blank = {
        column.name: None if column.nullable else {"STRING": "", "BOOL": False, "TIMESTAMP": NOW}.get(column.type, 0)
        for column in table.columns
    }
    content = pa.Table.from_pylist([blank | dict(row) for row in rows], arrow_schema(table))
    dates = content.column(table.date_column).unique().to_pylist()
    warehouse.replace([Replacement(table, content, dates, {} if scope is None else {"table_name": scope})])


def game(
    day: date, status: int = FINAL, *, season: int = 2024, regular: bool = True, number: int = 0
) -> dict[str, Any]:
    return {
        "game_id": f"{day:%Y%m%d}_{number}",
        "home_team_score": 100 if status == FINAL else None,
        "away_team_score": 90 if status == FINAL else None,
        "game_date": day,
        "season_year": season,
        "game_status": status,
        "is_regular_season": regular,
        "is_playoffs": False,
    }


def book(table: Table, day: date, rows: int, failures: int = 0) -> dict[str, Any]:
    return {"table_name": table.name, "partition_date": day, "row_count": rows, "failure_count": failures}


def day(number: int) -> date:
    return OPENING + timedelta(days=number)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A season of eight games, of which six count as results by today."""
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    games = [game(day(number)) for number in (0, 5, 20, 21, 22)]
    games += [game(day(23), POSTPONED), game(day(24), regular=False), game(day(30)), game(day(31), SCHEDULED)]
    write(warehouse, SCHEDULE.table, games)
    return warehouse


def missing(warehouse: DuckDBWarehouse, table: Table, today: date = TODAY) -> list[date]:
    return lacking(warehouse, table, today).faults


def lacking(warehouse: DuckDBWarehouse, table: Table, today: date = TODAY) -> DaysWithoutRows:
    return game_days_without_rows(warehouse, table, Settings.from_environment({}), today)


def test_final_game_days_up_to_yesterday_are_to_have_rows(warehouse: DuckDBWarehouse) -> None:
    assert missing(warehouse, SHEET) == [day(number) for number in (0, 5, 20, 21, 22)]
    assert missing(warehouse, SHEET, TODAY + timedelta(days=1))[-1] == TODAY


def test_the_check_names_the_first_and_the_newest_of_them(
    warehouse: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "SHOWN", 2)
    (found,) = evaluated(warehouse.path, f"{SHEET.name}_{GAME_DAYS_HAVE_ROWS}").values()
    facts = {key: value.value for key, value in found.metadata.items()}
    days = missing(warehouse, SHEET, date.max)
    assert (facts["days_without_rows"], facts["first"]) == (len(days), OPENING.isoformat())
    assert facts["dates"] == [each.isoformat() for each in days[-2:]]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_bootstrap_days_and_days_of_failures_only_are_no_fault(warehouse: DuckDBWarehouse) -> None:
    assert missing(warehouse, STORE) == [day(20), day(21), day(22)]
    write(
        warehouse,
        TABLE_PARTITIONS,
        [book(STORE, day(20), 0, 3), book(STORE, day(21), 0), book(STORE, day(22), 7)],
        STORE.name,
    )
    assert missing(warehouse, STORE) == [day(21)]
    assert missing(warehouse, SHEET) == [day(number) for number in (0, 5, 20, 21, 22)]


def test_only_the_newest_season_with_results_is_looked_at(warehouse: DuckDBWarehouse) -> None:
    write(
        warehouse,
        SCHEDULE.table,
        [game(date(2023, 11, 1), season=2023), game(date(2025, 10, 21), SCHEDULED, season=2025)],
    )
    assert missing(warehouse, SHEET, date(2025, 10, 1)) == [day(number) for number in (0, 5, 20, 21, 22, 30)]


def test_days_that_the_feeds_left_out_for_good_are_named_and_no_fault(warehouse: DuckDBWarehouse) -> None:
    """Play-in games stand in a schedule as final games, and player feeds without a row of them go on for weeks."""
    write(warehouse, TABLE_PARTITIONS, [book(PLAYER_GAMEBOOK.table, day(5), 9)], PLAYER_GAMEBOOK.name)
    for last, never_landed in ((6, []), (7, [day(0)]), (29, [day(0), day(20), day(21), day(22)])):
        write(warehouse, TABLE_PARTITIONS, [book(SHEET, day(last), 7)], SHEET.name)
        found = lacking(warehouse, SHEET, TODAY + timedelta(days=30))
        assert found.never_landed == never_landed
        assert day(5) in found.faults, "its sheets have landed"
        assert sorted(found.faults + found.never_landed) == [day(number) for number in (0, 5, 20, 21, 22, 30)]
        said = evaluated(warehouse.path, f"{SHEET.name}_{GAME_DAYS_HAVE_ROWS}")[f"{SHEET.name}_{GAME_DAYS_HAVE_ROWS}"]
        assert said.metadata["days_never_landed"].value == len(never_landed)
        assert ("never_landed" in said.metadata) == bool(never_landed)


def test_days_whose_files_were_refused_did_land(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, TABLE_PARTITIONS, [book(SHEET, day(22), 7)], SHEET.name)
    assert lacking(warehouse, SHEET).never_landed == [day(0), day(5)]
    refused = {"table_name": PLAYER_GAMEBOOK.name, "partition_date": day(5), "file": "a.csv", "reason": "no columns"}
    write(warehouse, RAW_QUARANTINE, [refused], PLAYER_GAMEBOOK.name)
    assert lacking(warehouse, SHEET).never_landed == [day(0)]
    assert day(5) in missing(warehouse, SHEET)


def test_a_table_without_feeds_of_its_own_is_to_have_rows_of_every_game_day(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, TABLE_PARTITIONS, [book(STORE, day(30), 7)], STORE.name)
    found = lacking(warehouse, STORE, TODAY + timedelta(days=30))
    assert (found.faults, found.never_landed) == ([day(20), day(21), day(22)], [])


def test_an_empty_warehouse_lacks_nothing(tmp_path: Path) -> None:
    assert missing(DuckDBWarehouse(tmp_path / "nba.duckdb"), SHEET) == []


@pytest.mark.slow
def test_clean_data_passes_every_check(tmp_path: Path) -> None:
    """A season from its first to its last date, the first days of which are too early for precomputed rows."""
    season = write_season(tmp_path / "landing", 2024, teams=("BOS", "LAL"), games_per_team=12)
    assert_healthy(tmp_path, days_between(season.first_date, season.last_date))


@pytest.mark.slow
def test_a_clean_fortnight_of_a_real_season_passes_every_check(tmp_path: Path) -> None:
    """As it stood on the morning after: nothing that happened later has landed."""
    days = days_between(date(2021, 10, 19), date(2021, 11, 2))
    (tmp_path / "landing").mkdir()
    for raw in RAW_TABLES.values():
        if (file := real_data(2021) / f"{raw.name}.parquet").exists():
            rows = pq.read_table(file)
            if raw is SCHEDULE:
                rows = schedule_after(rows, days[-1])
            elif not raw.whole_season:
                rows = rows.filter(pc.field(raw.table.date_column) <= days[-1])
            pq.write_table(rows, tmp_path / "landing" / file.name)
    assert_healthy(tmp_path, days)


def assert_healthy(home: Path, days: Sequence[date]) -> None:
    """Build all tables of some dates, and see every check pass."""
    warehouse = DuckDBWarehouse(home / "nba.duckdb")
    ingest_all(warehouse, home / "landing", days)
    build(warehouse, days)
    found = evaluated(warehouse.path)
    assert len(found) == 2 * len(COMPUTED_TABLES) + 4
    assert {name: evaluation.metadata for name, evaluation in found.items() if not evaluation.passed} == {}


def evaluated(path: Path, *checks: str) -> dict[str, dg.AssetCheckEvaluation]:
    """Run the job `health`, or some of its checks, over a warehouse."""
    job = build_definitions({"warehouse": WarehouseResource(address=str(path))}).resolve_job_def("health")
    if checks:
        keys = {dg.AssetCheckKey(WAREHOUSE_HEALTH.key, name) for name in checks}
        job = job.get_subset(asset_check_selection=keys)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        assert result.success
        assert result.get_asset_materialization_events() == []
        return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def test_the_job_checks_every_table_and_builds_none(warehouse: DuckDBWarehouse) -> None:
    found = evaluated(warehouse.path)
    whole = {NO_DATE_REFUSED, FILES_READABLE, NO_ROW_QUARANTINED}
    errors = {NO_DATE_REFUSED, FILES_READABLE, ROWS_AS_RECORDED}
    assert (
        found.keys()
        == {f"{table}_{name}" for table in COMPUTED_TABLES for name in (GAME_DAYS_HAVE_ROWS, OPEN_FAILURES)}
        | whole
        | errors
    )
    assert {name for name, evaluation in found.items() if evaluation.severity is dg.AssetCheckSeverity.ERROR} == errors
    assert {name for name, evaluation in found.items() if evaluation.passed} == {
        f"{table}_{OPEN_FAILURES}" for table in COMPUTED_TABLES
    } | whole
    said = found[f"{SHEET.name}_{GAME_DAYS_HAVE_ROWS}"].metadata
    assert said["days_without_rows"].value == 6
    assert said["dates"].value == [day(number).isoformat() for number in (0, 5, 20, 21, 22, 30)]


def test_all_checks_are_one_step_of_the_job() -> None:
    assert len(defs.resolve_job_def("health").graph.node_dict) == 1


def failure(entity: str, category: str, *, can_retry: bool, on: date = OPENING) -> dict[str, Any]:
    return {
        "table_name": SHEET.name,
        "partition_date": on,
        "entity_id": entity,
        "entity_type": "PLAYER",
        "failure_category": category,
        "failure_reason": "so it is",
        "can_retry": can_retry,
        "resolution_status": "UNRESOLVED",
    }


@pytest.mark.parametrize(
    ("failures", "passed", "retryable", "hard"),
    [
        ([failure("a", "STALE_DATA", can_retry=False)], True, 0, 0),
        ([failure("a", "STALE_DATA", can_retry=False), failure("b", "MISSING_RAW_DATA", can_retry=True)], False, 1, 0),
        ([failure("a", "PROCESSING_ERROR", can_retry=False)], False, 0, 1),
    ],
    ids=["nothing to be done", "one to be retried", "a hard one"],
)
def test_failures_are_counted_and_those_that_want_somebody_warned_of(
    warehouse: DuckDBWarehouse, failures: list[dict[str, Any]], passed: bool, retryable: int, hard: int
) -> None:
    write(warehouse, ENTITY_FAILURES, failures, SHEET.name)
    name = f"{SHEET.name}_{OPEN_FAILURES}"
    (found,) = evaluated(warehouse.path, name).values()
    facts = {key: value.value for key, value in found.metadata.items()}
    assert (found.passed, facts["open"], facts["retryable"], facts["hard"]) == (passed, len(failures), retryable, hard)
    assert facts["by_category"] == {row["failure_category"]: 1 for row in failures}
    assert ("dates" in facts) is not passed
    assert found.severity is (dg.AssetCheckSeverity.ERROR if hard else dg.AssetCheckSeverity.WARN)


def test_of_many_dates_to_look_at_the_newest_fifty_are_shown(warehouse: DuckDBWarehouse) -> None:
    days = [day(number) for number in range(52)]
    write(
        warehouse,
        ENTITY_FAILURES,
        [failure("a", "MISSING_RAW_DATA", can_retry=True, on=each) for each in days],
        SHEET.name,
    )
    (found,) = evaluated(warehouse.path, f"{SHEET.name}_{OPEN_FAILURES}").values()
    assert found.metadata["dates_to_look_at"].value == 52
    assert found.metadata["dates"].value == [each.isoformat() for each in days[2:]]


def quarantined(row_number: int, on: date, table: str = "game_lines") -> dict[str, Any]:
    return {
        "table_name": table,
        "partition_date": on,
        "file": f"{table}/{row_number}",
        "row_number": row_number,
        "reason": "is empty",
        "run_id": "raw",
    }


def test_a_file_is_told_of_as_long_as_its_date_is_not_ingested(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, RAW_QUARANTINE, [quarantined(0, day(0)), quarantined(0, day(1)), quarantined(3, day(2))])
    assert unreadable_files(warehouse) == [("game_lines", day(number), "game_lines/0: is empty") for number in (0, 1)]
    write(warehouse, TABLE_PARTITIONS, [book(GAME_LINES.table, day(0), 5)], GAME_LINES.name)
    assert unreadable_files(warehouse) == [("game_lines", day(1), "game_lines/0: is empty")]


def test_quarantined_rows_of_the_newest_season_are_counted_by_table(warehouse: DuckDBWarehouse) -> None:
    write(warehouse, SCHEDULE.table, [game(date(2023, 11, 1), season=2023)])
    rows = [
        quarantined(number, on)
        for number, on in ((1, date(2023, 11, 1)), (0, day(0)), (1, day(0)), (2, day(0)), (1, day(9)))
    ]
    write(warehouse, RAW_QUARANTINE, [*rows, quarantined(1, day(0), "rosters")])
    assert quarantined_rows(warehouse) == {"game_lines": 3, "rosters": 1}
    found = evaluated(warehouse.path, NO_ROW_QUARANTINED, FILES_READABLE)
    assert (found[NO_ROW_QUARANTINED].passed, found[NO_ROW_QUARANTINED].severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found[NO_ROW_QUARANTINED].metadata["rows_quarantined"].value == 4
    assert (found[FILES_READABLE].passed, found[FILES_READABLE].severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found[FILES_READABLE].metadata["files"].value == [f"game_lines {day(0)}: game_lines/0: is empty"]


@pytest.fixture(scope="module")
def built_once(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with three dates, as a run has built them."""
    warehouse, days = (
        DuckDBWarehouse(tmp_path_factory.mktemp("built") / "nba.duckdb"),
        days_between(landed.opening, landed.day(2)),
    )
    ingest_all(warehouse, landed.landing, days)
    build(warehouse, days, ["team_offense_game_summary", SHEET.name])
    return warehouse.path


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> DuckDBWarehouse:
    """A copy of it, of the test's own."""
    return DuckDBWarehouse(shutil.copy(built_once, tmp_path / "built.duckdb"))


def test_what_runs_have_written_is_as_recorded(built: DuckDBWarehouse) -> None:
    assert altered_partitions(built, 7) == []


@pytest.mark.parametrize(
    ("statement", "altered"),
    [
        (
            "DELETE FROM nba_analytics.player_game_summary WHERE game_date = '{first}' AND points > 20",
            (SHEET.name, "first"),
        ),
        ("DELETE FROM nba_raw.game_lines WHERE game_date = '{first}'", ("game_lines", "first")),
        (
            (
                "DELETE FROM nba_processing.table_partitions WHERE table_name = 'player_game_summary' AND "
                "partition_date = '{last}'"
            ),
            (SHEET.name, "last"),
        ),
        (
            "UPDATE nba_analytics.player_game_summary SET points = points + 1 WHERE game_date = '{last}'",
            (SHEET.name, "last"),
        ),
    ],
    ids=["some rows", "all raw rows of a date", "an entry", "a value"],
)
def test_what_was_altered_by_hand_is_named(
    built: DuckDBWarehouse, landed: Home, statement: str, altered: tuple[str, str]
) -> None:
    days = {
        "first": landed.opening,
        "last": max(built.read(SHEET, ("game_date",), date.min, date.max)["game_date"].to_pylist()),
    }
    with duckdb.connect(str(built.path)) as connection:
        connection.execute(statement.format(**days))
    assert [(table, on) for table, on, _ in altered_partitions(built, 3)] == [(altered[0], days[altered[1]])]


def test_a_table_dropped_by_hand_fails_the_check(built: DuckDBWarehouse) -> None:
    with duckdb.connect(str(built.path)) as connection:
        connection.execute("DROP TABLE nba_analytics.player_game_summary")
    found = evaluated(built.path, ROWS_AS_RECORDED)[ROWS_AS_RECORDED]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    said: Any = found.metadata["partitions"].value
    assert said
    assert all(text.startswith(f"{SHEET.name} 2024-10-2") and ": 0 rows, " in text for text in said)


def test_digests_are_compared_for_the_newest_dates_only(built: DuckDBWarehouse, landed: Home) -> None:
    with duckdb.connect(str(built.path)) as connection:
        connection.execute(
            "UPDATE nba_analytics.player_game_summary SET points = points + 1 WHERE game_date = ?", [landed.opening]
        )
    assert altered_partitions(built, 0) == altered_partitions(built, 2) == []
    assert altered_partitions(built, 3) == [(SHEET.name, landed.opening, "the rows have another digest than recorded")]


def test_nothing_that_builds_tables_runs_the_checks() -> None:
    names = {check.op.name for check in HEALTH_CHECKS}
    for job in ("full", "postgame", "pregame", "retry"):
        assert not names & set(defs.resolve_job_def(job).graph.node_dict)
    some = defs.resolve_job_def("full").get_subset(asset_selection={dg.AssetKey(name) for name in COMPUTED_TABLES})
    assert set(some.graph.node_dict) == set(COMPUTED_TABLES)
