"""Computations that never end, and commands that are interrupted: the run ends, says so in a line, and leaves nothing
half-written or running.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import psutil
import pytest

from nba_assets.orchestration.instance import dagster_instance
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home

SHEET = "player_game_summary"
PATIENCE_SECONDS = 120.0
"""A bound against tests that hang themselves; nothing is proved by it."""
MODES = {
    "serial": ({}, ["--serial"]),
    "threads": ({"NBA_ASSETS_PARALLEL_BACKEND": "threads"}, ["--workers", "2"]),
    "processes": ({"NBA_ASSETS_PARALLEL_BACKEND": "processes"}, ["--workers", "2"]),
}


@pytest.fixture
def hanging(home: Home) -> tuple[Home, str, list[str]]:
    """A home with an ingested and built opening night, a player who has a row of it, and the other players."""
    assert home.command("run", home.opening, "--table", "team_offense_game_summary", "--table", SHEET).returncode in (
        0,
        3,
    )
    players = [str(row["player_lookup"]) for row in rows(home)]
    return home, players[len(players) // 2], [player for player in players if player != players[len(players) // 2]]


def rows(home: Home) -> list[dict[str, object]]:
    spec = COMPUTED_TABLES[SHEET]
    return DuckDBWarehouse(home.warehouse).read(spec, ("player_lookup", "points"), date.min, date.max).to_pylist()


def start(
    home: Home, player: str, mode: str, at_work: Path, *arguments: object, **environment: str
) -> subprocess.Popen[str]:
    """The command line with a player who hangs."""
    variables, options = MODES[mode]
    command = [sys.executable, "-m", "nba_assets_tests.orchestration.hanging", *map(str, arguments), *options]
    surroundings = {**home.environment(), **variables, "HANGING_PLAYER": player, "AT_WORK": str(at_work), **environment}
    return subprocess.Popen(
        command,
        env={**surroundings, "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=home.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def newest_run() -> dg.DagsterRun:
    with dagster_instance() as instance:
        return instance.get_runs(limit=1)[0]


def shared_folders() -> list[str]:
    """Folders of what processes share with their workers."""
    return [folder.name for folder in Path(tempfile.gettempdir()).glob("nba-assets-*")]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["serial", "processes"])
def test_a_player_who_hangs_is_a_failure_and_the_others_are_published(
    hanging: tuple[Home, str, list[str]], mode: str, tmp_path: Path
) -> None:
    home, player, others = hanging
    command = start(
        home, player, mode, tmp_path / "at_work", "run", home.opening, "--table", SHEET, NBA_ASSETS_CHUNK_SECONDS="3"
    )
    said, errors = command.communicate(timeout=PATIENCE_SECONDS)
    assert command.returncode == 1, said + errors
    assert [row["player_lookup"] for row in rows(home)] == others
    names = ("entity_id", "failure_category", "failure_reason", "can_retry")
    (failure,) = (
        DuckDBWarehouse(home.warehouse)
        .read(ENTITY_FAILURES, names, date.min, date.max, {"failure_category": "PROCESSING_ERROR"})
        .to_pylist()
    )
    assert (failure["entity_id"], failure["can_retry"]) == (player, True)
    assert failure["failure_reason"].startswith(
        "the computation of this entity did not finish within 3 s (compute hanging.py:"
    )
    assert newest_run().status is dg.DagsterRunStatus.SUCCESS


@pytest.mark.slow
def test_a_player_who_hangs_in_a_thread_ends_the_run_and_his_chunk_is_named(
    hanging: tuple[Home, str, list[str]], tmp_path: Path
) -> None:
    home, player, _ = hanging
    before = rows(home)
    command = start(
        home,
        player,
        "threads",
        tmp_path / "at_work",
        "run",
        home.opening,
        "--table",
        SHEET,
        NBA_ASSETS_CHUNK_SECONDS="3",
    )
    said, errors = command.communicate(timeout=PATIENCE_SECONDS)
    assert command.returncode == 1, said + errors
    named = re.search(
        r"the computation of \d+ entities from (\w+) to (\w+) \(compute hanging\.py:\d+\) did not finish within 3 s, "
        r"and a thread cannot be stopped\.",
        errors,
    )
    assert named is not None, said + errors
    assert named[1] <= player <= named[2]
    assert rows(home) == before
    assert newest_run().status is dg.DagsterRunStatus.FAILURE
    assert "Traceback" not in said + errors


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("mode", MODES)
def test_a_signal_ends_a_command_whose_computation_hangs(
    hanging: tuple[Home, str, list[str]], mode: str, number: signal.Signals, tmp_path: Path
) -> None:
    home, player, _ = hanging
    before, entries, at_work = rows(home), partitions(home), tmp_path / "at_work"
    command = start(
        home, player, mode, at_work, "run", home.opening, "--table", "team_offense_game_summary", "--table", SHEET
    )
    try:
        until(lambda: at_work.exists() or command.poll() is not None)
        family = psutil.Process(command.pid).children(recursive=True)
        command.send_signal(number)
        said, errors = command.communicate(timeout=PATIENCE_SECONDS)
    finally:
        command.kill()
    assert command.returncode == 128 + number, said + errors
    assert f"interrupted: 1 of 2 tables are done; continue with: nba-assets run {home.opening} --table" in errors
    assert "Traceback" not in said + errors
    until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family))
    assert newest_run().status is dg.DagsterRunStatus.CANCELED
    assert rows(home) == before
    assert partitions(home) == entries
    assert not [name for name in shared_folders() if f":{command.pid}:" in name]


def partitions(home: Home) -> list[dict[str, object]]:
    names = ("table_name", "partition_date", "row_count", "digest")
    return DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, names, date.min, date.max).to_pylist()


@pytest.mark.slow
def test_ctrl_c_in_a_terminal_reaches_the_workers_too_and_none_of_them_says_anything(
    hanging: tuple[Home, str, list[str]], tmp_path: Path
) -> None:
    home, player, _ = hanging
    at_work = tmp_path / "at_work"
    command = start(home, player, "processes", at_work, "run", home.opening, "--table", SHEET)
    try:
        until(lambda: at_work.exists() or command.poll() is not None)
        os.killpg(command.pid, signal.SIGINT)
        said, errors = command.communicate(timeout=PATIENCE_SECONDS)
    finally:
        command.kill()
    assert command.returncode == 130
    assert "Traceback" not in said + errors


@pytest.mark.slow
def test_a_run_that_takes_too_long_fails_with_its_bound(hanging: tuple[Home, str, list[str]], tmp_path: Path) -> None:
    home, player, _ = hanging
    before = rows(home)
    command = start(
        home, player, "threads", tmp_path / "at_work", "run", home.opening, "--table", SHEET, NBA_ASSETS_RUN_SECONDS="4"
    )
    said, errors = command.communicate(timeout=PATIENCE_SECONDS)
    assert command.returncode == 1, said + errors
    assert "the run did not finish within 4 s and was ended" in errors
    assert newest_run().status is dg.DagsterRunStatus.FAILURE
    assert rows(home) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_outside_of_a_run_ends_the_command_in_a_line(own_home: Path, number: signal.Signals) -> None:
    """It reads, and gets no answer."""
    code = (
        "import sys, time\nfrom nba_assets.cli import main\nfrom nba_assets.warehouse.duckdb import DuckDBWarehouse\n"
        "DuckDBWarehouse.read = lambda *_, **__: (print('reading', flush=True), time.sleep(600))\n"
        "sys.argv = ['nba-assets', 'status']\nmain()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "reading\n"
        command.send_signal(number)
        _, errors = command.communicate(timeout=PATIENCE_SECONDS)
    assert (command.returncode, errors) == (128 + number, "interrupted; continue with: nba-assets status\n")
