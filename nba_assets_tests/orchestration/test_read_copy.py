"""The copy for readers, as runs keep it: written after each, and no reader or fault of it is in a run's way."""

from __future__ import annotations

import json
import os
import signal
from datetime import date
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home

TABLE = "team_offense_game_summary"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the copy of the home's warehouse goes."""
    monkeypatch.setenv("NBA_ASSETS_READ_COPY", str(tmp_path / "copy.duckdb"))
    return tmp_path / "copy.duckdb"


def dates_in(file: Path) -> list[date]:
    """The dates of a table that a file holds as built."""
    entries = DuckDBWarehouse(file).read(
        TABLE_PARTITIONS, ["partition_date"], date.min, date.max, {"table_name": TABLE}
    )
    days: list[date] = entries["partition_date"].to_pylist()
    return days


@pytest.mark.slow
def test_a_run_leaves_a_copy_that_commands_read_while_the_warehouse_is_held(
    home: Home, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = home.command("run", home.opening, "--table", TABLE)
    assert outcome.returncode in (0, 3), outcome.stderr
    assert dates_in(copy) == [home.opening]
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE_WAIT_SECONDS", "0.1")
    with FileLock(f"{home.warehouse}.lock"):
        held = home.command("status")
        assert held.returncode == 1
        assert held.stderr.startswith(f"the warehouse {home.warehouse} was still held after 0.1 s")
        read = home.command("status", "--json", "--warehouse", copy)
        for command in (("failures",), ("report", home.opening), ("export", TABLE, "--out", home.path / "out")):
            assert home.command(*command, "--warehouse", copy).returncode == 0
    rows = {table["table"]: table["rows"] for table in json.loads(read.stdout)["tables"]}
    assert rows[f"nba_analytics.{TABLE}"] > 0
    assert home.command("status", "--warehouse", home.path / "none.duckdb").returncode == 2


def test_a_copy_that_cannot_be_written_is_a_warning_of_the_run(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NBA_ASSETS_READ_COPY", str(tmp_path / "file" / "copy.duckdb"))
    outcome = home.command("run", home.opening, "--table", TABLE)
    assert outcome.returncode in (0, 3)
    assert f"the copy for readers {tmp_path}/file/copy.duckdb was not written: " in outcome.stderr
    assert dates_in(home.warehouse) == [home.opening]


@pytest.mark.slow
def test_a_reader_who_holds_the_copy_for_a_whole_backfill_neither_stops_nor_is_stopped(home: Home, copy: Path) -> None:
    assert home.command("run", home.opening, "--table", TABLE).returncode in (0, 3)
    count = f"SELECT count(DISTINCT partition_date) FROM nba_processing.table_partitions WHERE table_name = '{TABLE}'"
    with duckdb.connect(str(copy), read_only=True) as reader:
        assert reader.execute(count).fetchall() == [(1,)]
        outcome = home.command("backfill", home.opening, home.day(6), "--table", TABLE)
        assert outcome.returncode in (0, 3)
        assert "the copy for readers" not in outcome.stderr
        assert reader.execute(count).fetchall() == [(1,)]
    assert dates_in(copy) == [home.day(number) for number in range(7)]


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_the_copy_before(home: Home, copy: Path) -> None:
    assert home.command("run", home.opening, "--table", TABLE).returncode in (0, 3)
    before = copy.read_bytes()
    process = home.start("backfill", home.opening, home.day(6), "--table", TABLE)
    try:
        while dates_in(home.warehouse) == [home.opening] and process.poll() is None:
            pass
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert copy.read_bytes() == before
    assert dates_in(copy) == [home.opening]
