"""Dates that cannot be built: each is said in a line with the bounds, and nothing is marked as built for it."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nba_assets.automation.scheduled_dates import UnscheduledError
from nba_assets.cli import app
from nba_assets.error_lines import one_line_errors
from nba_assets.partitions import FIRST_DATE, league_today
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home

BEFORE, LATER = str(FIRST_DATE - timedelta(days=1)), "2035-01-01"
WITH_A_DATE = [
    ["run"],
    ["report"],
    ["ingest"],
    ["export", "--out", "out"],
    ["rebuild", "--stale-code"],
    ["retry", "--date"],
    ["failures", "--date"],
    ["quarantine", "--date"],
    ["names", "--date"],
]
WITH_A_RANGE = [["backfill"], ["ingest"], ["export", "--out", "out"], ["rebuild", "--stale-code"]]


def only_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command that ends with 1 says."""
    with pytest.raises(SystemExit) as ended, one_line_errors():
        app(arguments, standalone_mode=False)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line


@pytest.mark.parametrize("command", WITH_A_DATE, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("15.11.2021", "15.11.2021 is no calendar date; write it as 2021-11-15."),
        (BEFORE, f"{BEFORE} lies outside the partitions"),
        (LATER, f"{LATER} lies outside the partitions"),
    ],
)
def test_a_date_without_a_partition_is_said_in_a_line_with_the_bounds(
    command: list[str], given: str, said: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == ["export", "--out", "out"] and given == "15.11.2021":
        command = [*command, "schedule"]
    line = only_line([*command, given], capsys)
    assert line.startswith(said)
    assert f"from {FIRST_DATE} to {league_today()} (today, US-Eastern)" in line
    assert not own_home.exists()


@pytest.mark.parametrize("command", WITH_A_RANGE, ids=lambda command: command[0])
def test_an_end_before_its_start_is_said_in_a_line_with_the_bounds(
    command: list[str], own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = only_line([*command, "2021-11-16", "2021-11-15"], capsys)
    assert line.startswith("END 2021-11-15 lies before START 2021-11-16; give the earlier date first.")
    assert f"from {FIRST_DATE} to {league_today()} (today, US-Eastern)" in line
    assert not own_home.exists()


@pytest.mark.parametrize(
    ("command", "numbers", "outside"),
    [
        ("run", [-400], -400),
        ("run", [60], 60),
        ("backfill", [-400, 3], -400),
        ("backfill", [3, 60], 60),
        ("backfill", [400, 401], 400),
        ("ingest", [3, 60], 60),
    ],
)
def test_dates_that_no_schedule_covers_are_said_with_the_bounds_of_the_games(
    command: str,
    numbers: list[int],
    outside: int,
    landed: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(landed.path))
    games = [date.fromisoformat(path.name[-10:]) for path in (landed.landing / "team_boxscores").iterdir()]
    line = only_line([command, *(str(landed.day(number)) for number in numbers)], capsys)
    assert line.startswith(
        f"{landed.day(outside)} lies outside the schedule that has landed, which has games from {min(games)} to "
        f"{max(games)}; name dates among them"
    )
    assert not landed.warehouse.exists()


@pytest.mark.parametrize("command", [["run"], ["ingest"], ["ingest", "--json"]])
def test_of_an_empty_landing_zone_nothing_is_marked_as_built(command: list[str], home: Home) -> None:
    shutil.rmtree(home.landing)
    home.landing.mkdir()
    dates = [str(home.opening)] if command == ["run"] else []
    result = CliRunner().invoke(app, [*command, *dates])
    assert isinstance(result.exception, UnscheduledError)
    assert result.stdout == ""
    entries = DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, ["table_name"], date.min, date.max)
    assert entries.num_rows == 0
