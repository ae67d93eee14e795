"""Failures on the command line: listing them, retrying them, resetting a breaker."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nba_assets.analytics import player_game_summary
from nba_assets.cli import app
from nba_assets.orchestration.retries import failures_of
from nba_assets.publishing.publication import prepare
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.orchestration.failing import SHEET, built_with_failures, fail
from nba_assets_tests.pipeline import table_run


@pytest.fixture(scope="module")
def failed(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, list[str]]:
    """A home in which two players failed on the first days, and who they are."""
    home = replace(landed, path=tmp_path_factory.mktemp("failed") / "home")
    shutil.copytree(landed.path, home.path)
    _, players, _ = built_with_failures(home, home.day(2), 2)
    return home, players


@pytest.fixture
def home(failed: tuple[Home, list[str]], own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of it, of the test's own."""
    shutil.copytree(failed[0].path, own_home)
    monkeypatch.setenv("NBA_ASSETS_HOME", str(own_home))
    return replace(failed[0], path=own_home)


@pytest.fixture
def warehouse(home: Home) -> DuckDBWarehouse:
    return DuckDBWarehouse(home.warehouse)


@pytest.fixture
def players(failed: tuple[Home, list[str]]) -> list[str]:
    return failed[1]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def lines(result: Result, word: str) -> list[str]:
    return [line for line in result.stdout.splitlines() if word in line]


def attempt(warehouse: DuckDBWarehouse, day: date) -> None:
    """A run of a single date: its hard failures are attempts."""
    run = table_run(warehouse, SHEET, [day])
    prepare(run, player_game_summary.build(run)).write()


def test_failures_are_listed_with_what_an_operator_asks_of_them(
    warehouse: DuckDBWarehouse, players: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = players
    failures = failures_of(warehouse)
    day = failures[0].day
    fail([first, second], monkeypatch)
    attempt(warehouse, day)
    shown = invoke("failures", "--date", day, "--table", SHEET)
    assert shown.exit_code == 0
    (entry,) = lines(shown, first)
    facts = re.split(r"\s{2,}", entry.strip())
    assert facts[:6] == [SHEET, str(day), first, "PROCESSING_ERROR", "yes", "1"]
    assert facts[6].endswith(" d")
    assert facts[7].startswith("ArithmeticError: no such number")
    on_that_day = sum(failure.day == day for failure in failures)
    (counted,) = [line.split() for line in lines(shown, "PROCESSING_ERROR") if str(day) not in line]
    assert counted[:4] == [SHEET, "PROCESSING_ERROR", str(on_that_day), str(on_that_day)]

    limited = invoke("failures", "--limit", 1)
    assert f"1 of {len(failures)} failures shown" in limited.output
    assert len(lines(limited, str(max(failure.day for failure in failures)))) == 1
    assert "No open failures" in invoke("failures", "--category", "stale_data").output


def test_what_does_not_exist_is_said_to_be_unknown(home: Home) -> None:
    for arguments, said in (
        (("failures", "--table", "scores"), "no table scores"),
        (("failures", "--category", "BAD"), "no category BAD"),
        (("retry", "--table", "scores"), "no table scores"),
        (("reset-breaker", "scores", home.opening, "a"), "no table scores"),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert said in " ".join(result.output.replace("│", " ").split())


def test_nothing_to_retry_is_no_failure(home: Home) -> None:
    result = invoke("retry", "--date", home.day(100))
    assert (result.exit_code, result.output.strip()) == (
        0,
        "Nothing to retry: of 0 open failures there is none that running again may resolve.",
    )


def test_retry_mends_and_says_what_is_still_open(
    warehouse: DuckDBWarehouse, players: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = players
    before = failures_of(warehouse)
    day = next(failure.day for failure in before if failure.entity == first)
    on_that_day = [failure.entity for failure in before if failure.day == day]
    fail([second], monkeypatch)
    result = invoke("retry", "--date", day, "--table", SHEET)
    assert result.exit_code == 0, result.output
    assert f"{len(on_that_day)} failures to retry; runs of the job retry: 1" in result.output
    (counted,) = [
        [cell.strip() for cell in line.strip("│ ").split("│")] for line in lines(result, SHEET) if str(day) not in line
    ]
    assert counted == [SHEET, "1", str(len(on_that_day) - 1)]
    assert len(lines(result, second)) == len(on_that_day) - 1
    assert {failure.key for failure in failures_of(warehouse)} == {failure.key for failure in before} - {
        (SHEET, day, first)
    }


def test_a_breaker_is_reset_by_hand(
    warehouse: DuckDBWarehouse, players: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    player = players[0]
    day = next(failure.day for failure in failures_of(warehouse) if failure.entity == player)
    nobody = invoke("reset-breaker", SHEET, day, player)
    assert nobody.exit_code == 1
    assert f"no attempt at {player} in {SHEET} on {day} is on record" in nobody.output
    fail([player], monkeypatch)
    for _ in range(4):
        attempt(warehouse, day)
    (failure,) = [failure for failure in failures_of(warehouse) if failure.key == (SHEET, day, player)]
    assert failure.category == "CIRCUIT_BREAKER_ACTIVE"
    result = invoke("reset-breaker", SHEET, day, player)
    assert result.exit_code == 0
    assert f"Breaker of {player} in {SHEET} on {day} reset: 3 earlier attempts no longer count." in result.output
    (failure,) = [failure for failure in failures_of(warehouse) if failure.key == (SHEET, day, player)]
    assert failure.can_retry
