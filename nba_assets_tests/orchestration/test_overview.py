"""Where the pipeline stands: what is built, stale, missing or landed, and the command that brings it up to date."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.orchestration.overview import Overview, overview, overview_lines
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings, SettingsError
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home

SUMMARIES = list(COMPUTED_TABLES)[:3]


@pytest.fixture(scope="module")
def home(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the first week is built, and of later dates only the schedule has landed.

    The tests of this module go through its life in order.
    """
    home = Home(tmp_path_factory.mktemp("overview") / "home", landed.opening)
    shutil.copytree(landed.path, home.path)
    for file in (home.path / "landing").rglob("*.parquet"):
        day = file.parent.name.partition("=")[2]
        if len(day) == 10 and date.fromisoformat(day) > home.day(6):
            file.unlink()
    assert home.command("backfill", home.opening, home.day(6)).returncode == 0
    return home


@pytest.fixture(autouse=True)
def in_the_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))


def seen(home: Home, today: date) -> Overview:
    return overview(
        DuckDBWarehouse(home.warehouse), FolderLandingZone(home.landing), today, Settings.from_environment()
    )


def test_nothing_is_to_be_done_where_everything_that_landed_is_built(home: Home) -> None:
    now = seen(home, home.day(6))
    assert (now.newest, now.behind, now.stale, now.without_rows, now.landed, now.failures) == (
        home.day(6),
        {},
        {},
        {},
        [],
        {},
    )
    assert now.next_command is None
    assert list(overview_lines(now))[-1] == "Everything is up to date."


def test_a_date_with_games_that_is_not_built_is_next(home: Home) -> None:
    later = next(day for day in map(home.day, range(7, 20)) if seen(home, day).games_today)
    assert seen(home, later).next_command == f"nba-assets run {later}"


def test_a_corrected_file_is_named_with_the_command_that_takes_it(home: Home) -> None:
    file = next((home.landing / "player_gamebook").rglob(f"*{home.day(3)}*/*.parquet"))
    rows = pq.read_table(file)
    pq.write_table(rows.slice(0, rows.num_rows - 1), file)
    now = seen(home, home.day(6))
    assert now.landed == [home.day(3)]
    assert f"Landed and not ingested: {home.day(3)}" in list(overview_lines(now))
    assert now.next_command == f"nba-assets run {home.day(3)}"
    assert home.command("run", home.day(3)).returncode in (0, 3)
    assert seen(home, home.day(6)).landed == []


@pytest.mark.slow
def test_dates_that_read_a_corrected_one_are_stale_until_they_are_built(home: Home) -> None:
    file = next((home.landing / "team_boxscores").rglob(f"*{home.day(3)}*/*.parquet"))
    rows = pq.read_table(file).to_pylist()
    rows[0]["assists"] += 1
    pq.write_table(pq.read_table(file).from_pylist(rows, schema=pq.read_table(file).schema), file)
    assert home.command("run", home.day(3)).returncode in (0, 3)
    now = seen(home, home.day(6))
    assert now.landed == []
    assert now.stale
    assert {day for days in now.stale.values() for day in days} <= {home.day(number) for number in (4, 5, 6)}
    command = now.next_command
    assert command is not None
    assert home.command(*command.split()[1:]).returncode in (0, 3)
    assert seen(home, home.day(6)).stale == {}


def test_without_a_command_an_empty_home_says_how_to_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path / "empty"))
    outcome = CliRunner().invoke(app, [])
    assert outcome.exit_code == 0, outcome.output
    assert "Nothing is built yet" in outcome.stdout
    assert "Next: `nba-assets demo`" in outcome.stdout
    assert not (tmp_path / "empty").exists()


def test_a_landing_zone_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("NBA_ASSETS_LANDING", str(tmp_path / "nowhere"))
    outcome = CliRunner().invoke(app, [])
    assert outcome.exit_code == 0, outcome.output
    (line,) = outcome.stdout.splitlines()
    assert str(tmp_path / "nowhere") in line
    assert "is not a folder that can be read" in line


@pytest.mark.parametrize("command", [[], ["status"]])
def test_a_home_that_is_a_file_is_an_error(command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="is not a folder"):
        CliRunner().invoke(app, command, catch_exceptions=False)


def test_ingested_and_unbuilt_dates_are_named_with_the_command_that_builds_them(
    landed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home", landed.opening)
    shutil.copytree(landed.path, home.path)
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))
    assert home.command("ingest", home.opening, home.day(3)).returncode in (0, 3)
    now = seen(home, home.day(3))
    first, *_, last = now.ingested
    assert list(overview_lines(now)) == [
        "Nothing is built yet. Raw files are ingested for "
        f"{len(now.ingested)} dates with games from {first} to {last}.",
        f"Next: `nba-assets backfill {first} {last}`",
    ]
    assert home.command("backfill", first, last, "--table", SUMMARIES[0]).returncode in (0, 3)
    now = seen(home, home.day(3))
    assert (now.tables_built, now.next_command) == (1, f"nba-assets backfill {first} {last}")
    assert home.command("backfill", first, last).returncode in (0, 3)
    assert seen(home, home.day(3)).next_command is None


def test_refused_dates_are_next_once_what_refused_them_is_repaired(
    landed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home", landed.opening)
    shutil.copytree(landed.path, home.path)
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))
    day = home.opening
    assert home.command("run", day).returncode in (0, 3)
    file = next((home.landing / "team_boxscores").rglob(f"*{day}*/*.parquet"))
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    assert home.command("run", day).returncode == 1
    now = seen(home, day)
    assert (now.refused, now.rebuildable, now.landed) == (len(SUMMARIES), [], [])
    assert now.next_command == "nba-assets status"
    assert list(overview_lines(now))[-1] == "Next: `nba-assets status`"

    file.write_bytes(whole)
    assert seen(home, day).next_command == f"nba-assets run {day}"
    assert home.command("run", day, "--table", SUMMARIES[0]).returncode in (0, 3)
    now = seen(home, day)
    assert (now.refused, now.rebuildable, now.landed) == (len(SUMMARIES) - 1, [day], [])
    assert now.next_command == f"nba-assets run {day}"
    assert home.command("run", day).returncode in (0, 3)
    now = seen(home, day)
    assert (now.refused, now.rebuildable, now.next_command) == (0, [], None)


@pytest.mark.slow
def test_files_that_name_no_date_are_known_by_the_dates_of_their_content(
    landed: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home", landed.opening)
    for folder in (landed.landing).iterdir():
        files = [file for file in sorted(folder.rglob("*.parquet")) if is_until(file, home.day(5))]
        (home.landing / folder.name).mkdir(parents=True)
        pq.write_table(
            pa.concat_tables([pq.ParquetFile(file).read() for file in files], promote_options="default"),
            home.landing / folder.name / "season.parquet",
        )
    monkeypatch.setenv("NBA_ASSETS_HOME", str(home.path))
    now = seen(home, home.day(5))
    first, *_, last = now.landed
    assert first == home.opening
    assert home.opening + timedelta(days=1) < last <= home.day(5)
    assert now.next_command == f"nba-assets backfill {first} {last}"
    assert home.command("backfill", first, last).returncode in (0, 3)
    assert seen(home, last).next_command is None

    file = home.landing / "player_boxscores" / "season.parquet"
    rows = pq.read_table(file).to_pylist()
    corrected = [next(row for row in rows if row["game_date"] == day and row["minutes"]) for day in (first, last)]
    for row in corrected:
        row["assists"] += 3
    file.touch()  # every date may have changed
    fix = pa.Table.from_pylist(corrected, schema=pq.read_schema(file))
    pq.write_table(fix, home.landing / "player_boxscores" / "fix.parquet")
    assert seen(home, last).landed == [first, last]
    status = json.loads(home.command("status", "--json").stdout)
    assert [one["date"] for one in status["not_ingested"]] == [str(first), str(last)]
    assert home.command("run", first).returncode in (0, 3)
    assert seen(home, last).landed == [last]
    command = seen(home, last).next_command
    assert command is not None
    assert home.command(*command.split()[1:]).returncode in (0, 3)
    assert seen(home, last).landed == []
    assert home.command("ingest").returncode in (0, 3)
    assert home.command("ingest").stdout.startswith("Nothing to ingest")


def is_until(file: Path, day: date) -> bool:
    named = file.parent.name.partition("=")[2]
    return len(named) != 10 or date.fromisoformat(named) <= day


def test_files_that_landed_in_a_new_home_are_named(landed: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(landed.path))
    now = seen(landed, landed.day(5))
    assert now.landed[0] == landed.opening
    assert landed.day(1) < now.landed[-1] <= landed.day(5)
    assert (now.next_command or "").startswith("nba-assets backfill")


def test_status_and_run_speak_json(home: Home) -> None:
    status = json.loads(home.command("status", "--json").stdout)
    held = {table["table"]: table for table in status["tables"]}
    assert held["nba_analytics.player_game_summary"]["last"] == str(home.day(6))
    outcome = home.command("run", home.day(6), "--table", SUMMARIES[0], "--json")
    result = json.loads(outcome.stdout)
    assert result["exit_code"] == outcome.returncode == 0
    (run,) = result["runs"]
    assert [table["table"] for table in run["tables"]] == [SUMMARIES[0]]
    assert (run["start"], run["succeeded"], run["tables"][0]["dates"]) == (str(home.day(6)), True, 1)


def test_the_version_is_that_of_the_package() -> None:
    outcome = CliRunner().invoke(app, ["--version"])
    assert outcome.stdout.strip().count(".") == 2
    assert outcome.exit_code == 0
