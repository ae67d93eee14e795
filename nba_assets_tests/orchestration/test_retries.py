"""The job `retry`: which runs resolve what is open, what they leave alone, what Dagster is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_assets.analytics import player_game_summary
from nba_assets.automation.planned_runs import Launch
from nba_assets.definitions import defs
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.launch import execute
from nba_assets.orchestration.retries import failures_of, newest_first, plan_retries, retried
from nba_assets.publishing.retry import RETRY_TAG, OpenFailure
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.orchestration.failing import SHEET, TEAMS, built_with_failures, fail

NOW = datetime(2024, 12, 1, tzinfo=UTC)
MONDAY = date(2024, 11, 4)


def failure(table: str, day: date, entity: str = "a", recorded_at: datetime = NOW) -> OpenFailure:
    return OpenFailure(table, day, entity, "MISSING_RAW_DATA", "no sheet", recorded_at, True, 0)


def with_partition_state(path: Path, built: Mapping[str, list[date]]) -> DuckDBWarehouse:
    """A warehouse that says that some dates of some tables are built."""
    warehouse = DuckDBWarehouse(path)
    for table, days in built.items():
        rows = [
            {
                **dict.fromkeys(TABLE_PARTITIONS.column_names),
                "table_name": table,
                "partition_date": day,
                "row_count": 0,
                "failure_count": 0,
                "digest": "",
                "run_id": "",
                "written_at": NOW,
            }
            for day in days
        ]
        content = arrow_schema(TABLE_PARTITIONS).empty_table().from_pylist(rows, arrow_schema(TABLE_PARTITIONS))
        warehouse.replace([Replacement(TABLE_PARTITIONS, content, days, {"table_name": table})])
    return warehouse


def days(*numbers: int) -> list[date]:
    return [MONDAY + timedelta(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("open_on", "built_on", "runs"),
    [
        ({}, {}, []),
        ({SHEET: [0]}, {SHEET: [0]}, [([SHEET], 0, 0)]),
        ({SHEET: [0, 1, 2]}, {SHEET: [0, 1, 2]}, [([SHEET], 0, 2)]),
        ({SHEET: [0, 2]}, {SHEET: [0, 1, 2]}, [([SHEET], 0, 0), ([SHEET], 2, 2)]),
        ({SHEET: [0, 1], TEAMS: [1]}, {SHEET: [0, 1], TEAMS: [0, 1]}, [([TEAMS, SHEET], 0, 1)]),
        ({SHEET: [0, 1], TEAMS: [1]}, {SHEET: [0, 1], TEAMS: [1]}, [([SHEET], 0, 0), ([TEAMS, SHEET], 1, 1)]),
    ],
    ids=[
        "nothing",
        "one date",
        "dates in a row",
        "a gap",
        "two tables",
        "two tables, of which one is not built on a date",
    ],
)
def test_dates_in_a_row_are_one_run_where_all_of_it_is_built(
    tmp_path: Path,
    open_on: dict[str, list[int]],
    built_on: dict[str, list[int]],
    runs: list[tuple[list[str], int, int]],
) -> None:
    warehouse = with_partition_state(
        tmp_path / "nba.duckdb", {table: days(*numbers) for table, numbers in built_on.items()}
    )
    planned = plan_retries(
        warehouse, [failure(table, day) for table, numbers in open_on.items() for day in days(*numbers)]
    )
    assert planned == [Launch("retry", tables, *days(first, last)) for tables, first, last in runs]


def test_newest_comes_first_and_names_go_by_the_alphabet() -> None:
    old, earlier, a, b = (
        failure(SHEET, MONDAY, recorded_at=NOW - timedelta(days=1)),
        failure(SHEET, MONDAY - timedelta(days=1)),
        failure(SHEET, MONDAY, "a"),
        failure(SHEET, MONDAY, "b"),
    )
    assert newest_first([old, b, earlier, a]) == [a, b, earlier, old]


def test_the_job_is_tagged_and_takes_every_computed_table() -> None:
    job = defs.resolve_job_def("retry")
    assert set(job.graph.node_dict) == set(COMPUTED_TABLES)
    assert job.partitions_def is not None
    assert RETRY_TAG in job.run_tags


def materialized(instance: dg.DagsterInstance, table: str, run_id: str) -> dict[str, dict[str, Any]]:
    """What a run said of each partition of a table."""
    records = instance.fetch_materializations(dg.AssetKey(table), limit=100).records
    found = {}
    for record in records:
        event = record.asset_materialization
        if record.run_id == run_id and event is not None and event.partition is not None:
            found[event.partition] = {name: value.value for name, value in event.metadata.items()}
    return found


def test_a_range_is_mended_and_told_of_date_by_date(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two players failed in the first days; one of them still does.

    Of the tables that nobody failed in, nothing is computed.
    """
    warehouse, (first, second), whole = built_with_failures(home, home.day(2), 2)
    table = player_game_summary.TABLE

    def stored() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = warehouse.read(table, table.column_names, home.opening, home.day(2)).to_pylist()
        return [row for row in rows if row["player_lookup"] not in (first, second)]

    before, failures = stored(), failures_of(warehouse)
    fail([second], monkeypatch)
    report = retried(warehouse, [Launch("retry", [TEAMS, SHEET], home.opening, home.day(2))], failures)
    assert report.succeeded
    assert {failure.entity for failure in report.resolved} == {first}
    assert {failure.entity for failure in report.still_open} == {second}
    assert len(report.resolved) + len(report.still_open) == len(failures)
    assert stored() == before

    run_id = report.runs[0].run_id
    with dagster_instance() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.tags[RETRY_TAG] == "true"
        sheets, teams = materialized(instance, SHEET, run_id), materialized(instance, TEAMS, run_id)
    failed_on = {failure.day.isoformat() for failure in failures}
    assert {day: facts["retried"] for day, facts in sheets.items()} == {
        home.day(number).isoformat(): sum(failure.day == home.day(number) for failure in failures)
        for number in range(3)
    }
    assert {day for day, facts in sheets.items() if "resolved" in facts} == failed_on
    assert [facts["retried"] for facts in teams.values()] == [0] * 3
    assert sum(facts["rows"] for facts in teams.values()) == warehouse.status([COMPUTED_TABLES[TEAMS]])[0].row_count

    monkeypatch.undo()
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))
    last = execute(Launch("retry", [SHEET], home.opening, home.day(2)))
    assert last.succeeded
    assert failures_of(warehouse) == []
    partition_state = warehouse.read(
        TABLE_PARTITIONS, ("partition_date", "digest"), home.opening, home.day(2), {"table_name": SHEET}
    ).to_pylist()
    assert {book["partition_date"]: book["digest"] for book in partition_state} == whole


def test_a_retry_of_a_date_that_is_not_there_makes_nothing_up(home: Home) -> None:
    report = execute(Launch("retry", ["player_daily_cache", "ml_feature_store"], home.opening, home.opening))
    assert report.succeeded
    assert [step.asset for step in report.steps] == ["ml_feature_store", "player_daily_cache"]
    warehouse = DuckDBWarehouse(home.warehouse)
    assert warehouse.status([TABLE_PARTITIONS])[0].row_count == 0
    with dagster_instance() as instance:
        told = materialized(instance, "ml_feature_store", report.run_id)[home.opening.isoformat()]
    assert (told["retried"], told["built"], "rows" in told) == (0, False, False)
