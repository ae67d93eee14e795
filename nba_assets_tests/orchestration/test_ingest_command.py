"""Raw data alone: what has landed or changed is ingested once, named, and nothing is computed from it."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.automation.planning import plan_ingestion
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home

SUMMARIES = list(COMPUTED_TABLES)[:3]


@pytest.fixture(scope="module")
def home(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home in which the first four days have landed; the tests of this module go through its life in order."""
    home = Home(tmp_path_factory.mktemp("ingest") / "home", landed.opening)
    shutil.copytree(landed.path, home.path)
    for file in (home.path / "landing").rglob("*.parquet"):
        day = file.parent.name.partition("=")[2]
        if len(day) == 10 and not home.opening <= date.fromisoformat(day) <= home.day(3):
            file.unlink()
    return home


def runs(home: Home, start: date, end: date, lines: list[str] | None = None) -> list[tuple[date, date]]:
    """The ranges that are to be ingested."""
    say = (lines if lines is not None else []).append
    warehouse, landing = DuckDBWarehouse(home.warehouse), FolderLandingZone(home.landing)
    return [(launch.start, launch.end) for launch in plan_ingestion(warehouse, landing, start, end, say)]


def built(home: Home) -> Counter[str]:
    """How many dates of each table are built."""
    entries = DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, ["table_name"], home.opening, home.day(3))
    return Counter(entries["table_name"].to_pylist())


def change(file: Path, row: dict[str, Any]) -> None:
    """Write a file again with its first row changed."""
    found = pq.read_table(file)
    entries = found.to_pylist()
    pq.write_table(pa.Table.from_pylist([entries[0] | row, *entries[1:]], schema=found.schema), file)


def sheet_of(home: Home, day: date) -> Path:
    return next((home.landing / "player_gamebook").rglob(f"*{day}*/*.parquet"))


def test_what_has_landed_is_ingested_and_nothing_computed(home: Home) -> None:
    outcome = home.command("ingest", home.opening, home.day(3))
    assert outcome.returncode in (0, 3), outcome.stdout + outcome.stderr
    lines = outcome.stdout.splitlines()
    assert "not ingested yet, of " in lines[0]
    assert f"Run of 10 assets from {home.opening} to {home.day(3)}" in lines
    assert dict(built(home)) == dict.fromkeys(RAW_TABLES, 4)
    (heading,) = [line.split() for line in lines if "quarantined" in line and "rows" in line]
    assert heading == ["table", "dates", "rows", "quarantined", "seconds", "digest"]
    assert list((home.path / "dagster").rglob("*-wal")) == [], "the event log was not closed"


def test_what_is_ingested_is_not_ingested_again(home: Home) -> None:
    for arguments in ((), (home.opening, home.day(3))):
        outcome = home.command("ingest", *arguments)
        assert outcome.returncode == 0
        assert outcome.stdout == "Nothing to ingest: no file has come or changed since its date was ingested.\n"
    outcome = home.command("ingest", "--json")
    assert json.loads(outcome.stdout) == {"exit_code": 0, "messages": [], "runs": []}


def test_a_run_takes_the_corrected_points_of_a_player_and_says_so(home: Home) -> None:
    day, tables = home.opening, [part for name in SUMMARIES for part in ("--table", name)]
    assert home.command("run", day, *tables).returncode in (0, 3)
    file = sheet_of(home, day)
    player = next(row for row in pq.read_table(file).to_pylist() if row["player_status"] == "active")
    rows = pq.read_table(file).to_pylist()
    more = {name: player[name] + 1 for name in ("points", "free_throws_made", "free_throws_attempted")}
    corrected = [row | more if row == player else row for row in rows]
    pq.write_table(pa.Table.from_pylist(corrected, schema=pq.read_schema(file)), file)
    assert runs(home, home.opening, home.day(3)) == [(day, day)]
    outcome = home.command("run", day, *tables)
    assert outcome.returncode in (0, 3), outcome.stdout + outcome.stderr
    path = file.relative_to(home.landing)
    assert f"player_gamebook: came or changed since it was ingested: {path}" in outcome.stdout.splitlines()
    stored = DuckDBWarehouse(home.warehouse).read(
        ALL_TABLES["player_game_summary"], ("points",), day, day, {"player_lookup": player["player_lookup"]}
    )
    assert stored.to_pylist() == [{"points": player["points"] + 1}]
    assert runs(home, home.opening, home.day(3)) == []


def test_only_the_dates_that_changed_are_ingested_and_json_stands_alone(home: Home) -> None:
    for number in (0, 3):
        change(sheet_of(home, home.day(number)), {"plus_minus": None})
    single = [(home.day(number), home.day(number)) for number in (0, 3)]
    assert runs(home, home.opening, home.day(3)) == single
    assert runs(home, home.day(1), home.day(3)) == single[1:]
    outcome = home.command("ingest", "--json")
    result = json.loads(outcome.stdout)
    assert result["exit_code"] == outcome.returncode
    assert [(run["start"], run["end"]) for run in result["runs"]] == [(str(day), str(day)) for day, _ in single]
    assert [table["table"] for table in result["runs"][0]["tables"]] == list(RAW_TABLES)
    assert result["messages"][0].startswith("player_gamebook: came or changed since it was ingested: player_gamebook/")
    assert runs(home, home.opening, home.day(3)) == []


def test_a_schedule_that_names_no_date_takes_one_date_of_its_season_and_other_feeds_all(home: Home) -> None:
    (schedule,) = (home.landing / "schedule").rglob("*.parquet")
    schedule.touch()
    assert runs(home, home.opening, home.day(3)) == [(home.day(3), home.day(3))]
    (home.landing / "player_gamebook" / "more.parquet").write_bytes(sheet_of(home, home.opening).read_bytes())
    lines: list[str] = []
    assert runs(home, home.opening, home.day(3), lines) == [(home.opening, home.day(3))]
    assert "player_gamebook: came or changed since it was ingested: player_gamebook/more.parquet" in lines
    (home.landing / "player_gamebook" / "more.parquet").unlink()


@pytest.mark.slow
def test_a_failing_run_speaks_json_and_nothing_else(home: Home) -> None:
    home.command("ingest", home.opening, home.day(3))  # where this test is the first that is selected
    sheet_of(home, home.day(3)).write_bytes(b"not parquet")
    outcome = home.command("run", home.day(3), "--table", SUMMARIES[0], "--table", SUMMARIES[2], "--json")
    assert outcome.returncode == 1
    result = json.loads(outcome.stdout)
    assert result["exit_code"] == 1
    assert any("REFUSED" in line for line in result["runs"][0]["messages"])
    for command in (("status", "--json"), ("failures", "--json"), ("rebuild", "--stale-code", "--json")):
        json.loads(home.command(*command).stdout)
