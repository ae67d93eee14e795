"""The raw tables as Dagster runs them: a bad file or row costs its own dates, and the run says so where people look."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from nba_assets.automation.planned_runs import RANGE_END_TAG, RANGE_START_TAG
from nba_assets.orchestration.raw_assets import RAW_ASSETS
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.raw.refusals import NEVER_INGESTED, not_ingested
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    NEXT_DAY,
    Row,
    partition_state,
    quarantine,
    schedule_row,
    sheet_row,
    stored,
    team_row,
    write,
)

LAST_DAY = DAY + timedelta(days=2)
DAYS = (DAY, NEXT_DAY, LAST_DAY)
PROP: Row = {
    "player_lookup": "lebronjames",
    "source": "odds_api",
    "bookmaker": "fanduel",
    "points_line": 24.5,
    "snapshot_timestamp": "2021-11-15T23:00:00Z",
}


def prop_row(day: date) -> Row:
    return {"game_date": day, **PROP}


@dataclass(frozen=True)
class Ran:
    """A finished run of one raw table."""

    result: dg.ExecuteInProcessResult
    warehouse: DuckDBWarehouse

    @property
    def checks(self) -> Mapping[str, dg.AssetCheckEvaluation]:
        return {evaluation.check_name: evaluation for evaluation in self.result.get_asset_check_evaluations()}

    def shown(self, check: str) -> dict[str, Any]:
        """The metadata of a check."""
        return {name: value.value for name, value in self.checks[check].metadata.items()}

    def metadata(self, day: date) -> Mapping[str, object]:
        """Of the materialization of a date."""
        (event,) = (event for event in self.result.get_asset_materialization_events() if event.partition == str(day))
        return {name: value.value for name, value in event.materialization.metadata.items()}


@pytest.fixture
def run(landing: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Runs a raw table for the three dates on a warehouse that stays."""
    monkeypatch.setenv("NBA_ASSETS_LANDING", str(landing))
    address = tmp_path_factory.mktemp("warehouse") / "nba.duckdb"
    by_name = {asset.key.path[-1]: asset for asset in RAW_ASSETS}

    def run(name: str, days: Sequence[date] = DAYS) -> Ran:
        with dg.DagsterInstance.ephemeral() as instance:
            result = dg.materialize(
                [by_name[name]],
                instance=instance,
                resources={"warehouse": WarehouseResource(address=str(address))},
                tags={RANGE_START_TAG: str(days[0]), RANGE_END_TAG: str(days[-1])},
                raise_on_error=False,
            )
        return Ran(result, DuckDBWarehouse(address))

    return run


def test_a_file_of_no_bytes_in_an_optional_feed_costs_its_own_date(landing: Path, run: Callable[..., Ran]) -> None:
    for day in DAYS:
        write(landing, f"player_points_props/game_date={day}/x.parquet", [prop_row(day)])
    (landing / f"player_points_props/game_date={NEXT_DAY}/x.parquet").write_bytes(b"")
    ran = run("player_points_props")
    assert ran.result.success
    assert [row["game_date"] for row in stored("player_points_props", ran.warehouse)] == [DAY, LAST_DAY]
    assert list(partition_state("player_points_props", ran.warehouse)) == [DAY, LAST_DAY]
    check = ran.checks["files_readable"]
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    (file,) = ran.shown("files_readable")["files"]
    assert file.startswith(f"player_points_props/game_date={NEXT_DAY}/x.parquet cannot be read as Parquet")
    assert ran.shown("files_readable")["dates"] == [str(NEXT_DAY)]
    assert ran.checks["rows_accepted"].passed
    assert (ran.metadata(NEXT_DAY)["status"], ran.metadata(NEXT_DAY)["refused_because"]) == ("REFUSED", file)
    assert "status" not in ran.metadata(DAY)
    assert dict(not_ingested(ran.warehouse, ["player_points_props"], DAYS)) == {("player_points_props", NEXT_DAY): file}


def test_a_bad_file_that_names_no_date_costs_every_date_of_an_optional_feed_and_nothing_else(
    landing: Path, run: Callable[..., Ran]
) -> None:
    write(landing, "player_points_props/good.parquet", [prop_row(day) for day in DAYS])
    (landing / "player_points_props/bad.csv").write_bytes(b"")
    ran = run("player_points_props")
    assert ran.result.success
    assert len(stored("player_points_props", ran.warehouse)) == 3
    assert partition_state("player_points_props", ran.warehouse) == {}
    assert [row["partition_date"] for row in quarantine("player_points_props", ran.warehouse)] == list(DAYS)
    assert set(not_ingested(ran.warehouse, ["player_points_props"], DAYS)) == {
        ("player_points_props", day) for day in DAYS
    }


def test_a_bad_file_whose_rows_have_dates_costs_these(landing: Path, run: Callable[..., Ran]) -> None:
    lacking = sheet_row(day=NEXT_DAY)
    del lacking["player_status"]
    write(landing, "player_gamebook/good.csv", [sheet_row(day=day) for day in DAYS])
    write(landing, "player_gamebook/bad.csv", [lacking, {**lacking, "game_date": DAY + timedelta(days=90)}])
    ran = run("player_gamebook")
    assert ran.result.success
    assert list(partition_state("player_gamebook", ran.warehouse)) == [DAY, LAST_DAY]
    assert run("player_gamebook", [DAY]).checks["files_readable"].passed


def test_a_bad_row_date_makes_a_bad_file_cost_every_date(landing: Path, run: Callable[..., Ran]) -> None:
    lacking = sheet_row()
    del lacking["player_status"]
    write(landing, "player_gamebook/good.csv", [sheet_row(day=day) for day in DAYS])
    write(landing, "player_gamebook/bad.csv", [lacking, {**lacking, "game_date": "soon"}])
    assert partition_state("player_gamebook", run("player_gamebook").warehouse) == {}


def test_a_required_feed_goes_on_with_the_dates_that_are_left(landing: Path, run: Callable[..., Ran]) -> None:
    for day in DAYS:
        write(landing, f"player_gamebook/{day}.csv", [sheet_row(day=day)])
    (landing / f"player_gamebook/{NEXT_DAY}.csv").write_bytes(b"\xff")
    ran = run("player_gamebook")
    assert ran.result.success
    assert list(partition_state("player_gamebook", ran.warehouse)) == [DAY, LAST_DAY]


def test_a_required_feed_without_a_usable_date_lets_the_tables_say_what_that_costs(
    landing: Path, run: Callable[..., Ran]
) -> None:
    write(landing, "team_boxscores/good.csv", [team_row()])
    (landing / "team_boxscores/bad.csv").write_bytes(b"\xff")
    ran = run("team_boxscores")
    assert ran.result.success
    assert (ran.checks["files_readable"].passed, ran.checks["files_readable"].severity) == (
        False,
        dg.AssetCheckSeverity.ERROR,
    )
    assert partition_state("team_boxscores", ran.warehouse) == {}


def test_an_absent_required_feed_fails_and_an_absent_optional_one_does_not(
    landing: Path, run: Callable[..., Ran]
) -> None:
    write(landing, "schedule.csv", [schedule_row()])
    absent = run("team_boxscores")
    assert not absent.result.success
    assert absent.shown("files_readable")["absent"] == "the landing zone has no file of this required feed"
    optional = run("player_points_props")
    assert optional.result.success
    assert all(check.passed for check in optional.checks.values())
    assert not_ingested(optional.warehouse, ["team_boxscores", "player_points_props"], [DAY]) == {
        ("team_boxscores", DAY): NEVER_INGESTED
    }


def test_of_an_empty_landing_zone_no_date_of_an_optional_feed_counts_as_ingested(
    landing: Path, run: Callable[..., Ran]
) -> None:
    landing.mkdir(exist_ok=True)
    for name in ("player_points_props", "player_registry"):
        ran = run(name)
        assert not ran.result.success
        assert partition_state(name, ran.warehouse) == {}
        assert not ran.result.get_asset_materialization_events()


def test_quarantined_and_dropped_rows_are_counted_in_check_and_metadata(landing: Path, run: Callable[..., Ran]) -> None:
    rows = [
        sheet_row("A"),
        sheet_row("A", points=1),
        sheet_row("B", day=NEXT_DAY, points=-1),
        sheet_row("C"),
        sheet_row("C"),
        sheet_row("D", day=LAST_DAY),
    ]
    write(landing, "player_gamebook/a.csv", rows, modified=1)
    write(landing, "player_gamebook/b.csv", [sheet_row("D", day=LAST_DAY, points=2)], modified=2)
    ran = run("player_gamebook")
    check = ran.checks["rows_accepted"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    shown = ran.shown("rows_accepted")
    counted = {
        name: shown[name] for name in ("rows_quarantined", "rows_in_conflict", "duplicates_dropped", "rows_replaced")
    }
    assert counted == {"rows_quarantined": 3, "rows_in_conflict": 2, "duplicates_dropped": 1, "rows_replaced": 1}
    assert shown["dates"] == [str(DAY), str(NEXT_DAY)]
    assert len(shown["examples"]) == 2
    names = ("rows_quarantined", "rows_in_conflict", "duplicates_dropped", "rows_replaced")
    of_dates = [[ran.metadata(day).get(name, 0) for name in names] for day in DAYS]
    assert of_dates == [[2, 2, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert ran.metadata(LAST_DAY)["rows_in_conflict_in_run"] == 2


def test_everything_in_order_passes_both_checks(landing: Path, run: Callable[..., Ran]) -> None:
    write(landing, "schedule.csv", [schedule_row(), schedule_row(NEXT_DAY)])
    assert all(check.passed for check in run("schedule").checks.values())


def test_a_file_name_that_is_not_utf8_is_quarantined_in_a_form_that_can_be_stored(
    landing: Path, run: Callable[..., Ran]
) -> None:
    for day in DAYS:
        write(landing, f"player_gamebook/{day}/x.csv", [sheet_row(day=day)])
    folder = os.fsencode(landing / f"player_gamebook/{NEXT_DAY}")
    os.rename(os.path.join(folder, b"x.csv"), os.path.join(folder, b"caf\xe9.csv"))
    ran = run("player_gamebook")
    assert ran.result.success
    (row,) = quarantine("player_gamebook", ran.warehouse)
    assert (row["file"], row["partition_date"]) == (f"player_gamebook/{NEXT_DAY}/caf\\xe9.csv", NEXT_DAY)
    assert row["reason"] == "has a name that is not UTF-8"


def test_a_mended_file_brings_its_date_back(landing: Path, run: Callable[..., Ran]) -> None:
    for day in DAYS:
        write(landing, f"player_gamebook/{day}.csv", [sheet_row(day=day)])
    (landing / f"player_gamebook/{NEXT_DAY}.csv").write_bytes(b"")
    run("player_gamebook")
    write(landing, f"player_gamebook/{NEXT_DAY}.csv", [sheet_row(day=NEXT_DAY)])
    ran = run("player_gamebook", [NEXT_DAY])
    assert not_ingested(ran.warehouse, ["player_gamebook"], DAYS) == {}
    entries = ran.warehouse.read(TABLE_PARTITIONS, ("partition_date",), *DAYS[::2], {"table_name": "player_gamebook"})
    assert entries["partition_date"].to_pylist() == list(DAYS)
