"""Dates that are refused within a range: the others are published, the tables behind wait, and everybody is told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from nba_assets.analytics import player_game_summary, team_offense_game_summary
from nba_assets.automation.planned_runs import Launch
from nba_assets.cli import app
from nba_assets.definitions import build_definitions
from nba_assets.orchestration.health import NO_DATE_REFUSED
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.launch import execute
from nba_assets.orchestration.retries import failures_of
from nba_assets.publishing.refusals import stored_refusals
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.wording import counted
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import ingest_all

SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
TEAMS, BEHIND, SHEET = SUMMARIES


def days_of(home: Home) -> list[date]:
    """Opening night, with two games, in the midst of other dates."""
    return [home.day(number) for number in range(-1, 4)]


@pytest.fixture(scope="module")
def raw_warehouse(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that holds the league's raw data; tests work on copies."""
    path = tmp_path_factory.mktemp("raw") / "nba.duckdb"
    ingest_all(DuckDBWarehouse(path), landed.landing, days_of(landed))
    return path


@pytest.fixture
def ingested(home: Home, raw_warehouse: Path) -> Home:
    """A home whose raw data is in the warehouse."""
    shutil.copy(raw_warehouse, home.warehouse)
    return home


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> dict[str, Collection[date]]:
    """Have the computation of every entity of a table raise on some dates: what is put in here, by table."""
    dates: dict[str, Collection[date]] = {}
    for module in (team_offense_game_summary, player_game_summary):

        def compute(
            requested: Any,
            histories: Any,
            shared: Any = None,
            *,
            real: Any = module.compute,
            name: str = module.TABLE.name,
        ) -> Any:
            if np.isin(requested["game_date"], np.array(list(dates.get(name, ())), dtype="M8[D]")).any():
                raise ArithmeticError("no such number")
            return real(requested, histories, shared)

        monkeypatch.setattr(module, "compute", compute)
    return dates


def command(*arguments: object) -> Result:
    """The command line in this process, so that what is broken here is broken there."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def entries(home: Home) -> dict[tuple[str, date], dict[str, Any]]:
    warehouse = DuckDBWarehouse(home.warehouse)
    rows = warehouse.read(
        TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, home.day(-1), home.day(3), {"table_name": list(SUMMARIES)}
    ).to_pylist()
    return {(row["table_name"], row["partition_date"]): row for row in rows}


def refused(home: Home) -> dict[tuple[str, date], str]:
    return {
        (one.table, one.day): one.reason
        for one in stored_refusals(DuckDBWarehouse(home.warehouse), list(COMPUTED_TABLES))
    }


def summaries_of(home: Home) -> Launch:
    return Launch("full", SUMMARIES, home.day(-1), home.day(3))


def test_a_refused_date_of_a_range_keeps_what_it_had_and_the_others_are_published(
    ingested: Home, breaking: dict[str, Collection[date]]
) -> None:
    assert execute(summaries_of(ingested)).succeeded
    before, day = entries(ingested), ingested.opening
    breaking[TEAMS] = [day]
    report = execute(summaries_of(ingested))
    assert report.succeeded
    after = entries(ingested)
    assert {key for key in after if after[key]["run_id"] == before[key]["run_id"]} == {
        (name, day) for name in SUMMARIES
    }
    assert {key: entry["digest"] for key, entry in after.items()} == {
        key: entry["digest"] for key, entry in before.items()
    }
    found = refused(ingested)
    assert found.keys() == {(name, day) for name in SUMMARIES}
    assert "rows failed to compute or broke blocking checks" in found[TEAMS, day]
    assert "ArithmeticError: no such number" in found[TEAMS, day]
    assert found[BEHIND, day] == found[SHEET, day] == f"upstream {TEAMS} is refused for {day}: {found[TEAMS, day]}"


def test_dagster_is_told_which_dates_are_refused(ingested: Home, breaking: dict[str, Collection[date]]) -> None:
    execute(summaries_of(ingested))
    day = ingested.opening
    breaking[TEAMS] = [day]
    report = execute(summaries_of(ingested))
    with dagster_instance() as instance:
        records = [
            record
            for name in SUMMARIES
            for record in instance.fetch_materializations(dg.AssetKey(name), limit=100).records
            if record.run_id == report.run_id
        ]
        checks = instance.get_records_for_run(report.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
        logs = [record.event_log_entry for record in instance.get_records_for_run(report.run_id).records]
    reasons, stored = refused(ingested), entries(ingested)
    shown = {}
    for record in records:
        materialization = record.event_log_entry.asset_materialization
        assert materialization is not None
        if materialization.partition == day.isoformat():
            shown[materialization.asset_key.path[-1]] = {
                name: value.value for name, value in materialization.metadata.items()
            }
    assert shown.keys() == set(SUMMARIES)
    for name, facts in shown.items():
        assert (facts["status"], facts["built"], facts["changed"]) == ("REFUSED", True, False)
        assert facts["refused_because"] == reasons[name, day]
        assert facts["rows"] == stored[name, day]["row_count"]
    failed = [record.event_log_entry.dagster_event for record in checks]
    named = {
        event.asset_check_evaluation_data.asset_key.path[-1]: event.asset_check_evaluation_data
        for event in failed
        if event and event.asset_check_evaluation_data.check_name == "dates_published"
    }
    for name in SUMMARIES:
        assert (named[name].passed, named[name].severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert named[name].metadata["dates"].value == [day.isoformat()]
        assert any(entry.user_message == f"{name} {day} REFUSED: {reasons[name, day]}" for entry in logs)


def test_the_command_line_names_the_refused_dates_and_fails(
    ingested: Home, breaking: dict[str, Collection[date]]
) -> None:
    assert command("backfill", ingested.day(-1), ingested.day(3), "--table", TEAMS, "--table", SHEET).exit_code == 0
    day = ingested.opening
    breaking[TEAMS] = [day]
    outcome = command("backfill", ingested.day(-1), ingested.day(3), "--table", TEAMS, "--table", SHEET)
    assert outcome.exit_code == 1
    (line,) = [line for line in outcome.stderr.splitlines() if "REFUSED" in line]
    assert line.startswith(f"{SHEET}, {TEAMS} {day} REFUSED: 4 of 4 rows failed")
    assert "REFUSED" not in outcome.stdout
    assert f"{TEAMS} {day} REFUSED: " in command("status").output
    breaking.clear()
    assert command("backfill", ingested.day(-1), ingested.day(3), "--table", TEAMS, "--table", SHEET).exit_code == 0
    assert "REFUSED" not in command("status").output


def test_a_single_date_that_is_refused_fails_the_command_and_is_recorded_for_the_tables_behind(
    ingested: Home, breaking: dict[str, Collection[date]]
) -> None:
    """As in a range, the steps succeed, so that those behind them run: a failed check, the last lines and the exit code
    tell.
    """
    day = ingested.opening
    breaking[TEAMS] = [day]
    outcome = command("run", day, "--table", TEAMS, "--table", BEHIND, "--table", SHEET)
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[-1].startswith(
        f"{', '.join(sorted(SUMMARIES))} {day} REFUSED: 4 of 4 rows failed"
    )
    assert outcome.output.count("4 of 4 rows failed") == 1
    assert entries(ingested) == {}
    found = refused(ingested)
    assert found.keys() == {(name, day) for name in SUMMARIES}
    assert found[BEHIND, day] == f"upstream {TEAMS} is refused for {day}: {found[TEAMS, day]}"


def test_a_retry_of_which_every_date_is_refused_fails(
    ingested: Home, breaking: dict[str, Collection[date]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It records no refusal that could tell."""
    day = ingested.opening
    monkeypatch.setenv("NBA_ASSETS_HARD_FAILURE_SHARE", "1")
    breaking[SHEET] = [day]
    execute(Launch("full", [TEAMS, SHEET], day, day))
    monkeypatch.setenv("NBA_ASSETS_HARD_FAILURE_SHARE", "0.2")
    assert command("retry", "--date", day).exit_code == 1
    assert refused(ingested) == {}


@pytest.mark.slow
def test_a_single_date_with_an_unreadable_file_of_a_required_feed_is_as_in_a_range(home: Home) -> None:
    """Tables that do not read the feed of their own date are built, those that do are refused and say why."""
    day = home.day(15)
    command("backfill", home.opening, home.day(14))
    (file,) = (home.landing / "team_boxscores").glob(f"*{day}*/*.parquet")
    content = file.read_bytes()
    file.write_bytes(b"no Parquet")
    for end in (day, home.day(16)):
        outcome = command("backfill", day, end)
        assert outcome.exit_code == 1
        found = {(table, when): reason for (table, when), reason in refused(home).items() if when == day}
        assert {table for table, _ in found} == set(SUMMARIES)
        assert all(
            str(file.relative_to(home.landing)) in reason and reason.count(" refused ") <= 1
            for reason in found.values()
        )
        assert any(
            line.startswith(f"{', '.join(sorted(SUMMARIES))} {day} REFUSED: ") for line in outcome.stderr.splitlines()
        )
        assert outcome.output.count("cannot be read as Parquet") == 1
        status = command("status").output
        assert f"{TEAMS} {day} REFUSED: team_boxscores was not ingested for {day}: " in status
        built = (
            DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, ("table_name",), day, day)["table_name"].to_pylist()
        )
        assert set(built) == {*RAW_TABLES, *COMPUTED_TABLES} - {*SUMMARIES, "team_boxscores"}
    file.write_bytes(content)
    assert command("run", day).exit_code == 0
    assert not refused(home)


def test_a_date_that_was_never_built_is_refused_and_still_not_built(
    ingested: Home, breaking: dict[str, Collection[date]]
) -> None:
    """Nobody behind takes it for built, also in a run of its own, and only building it resolves that."""
    execute(Launch("full", [TEAMS], ingested.day(-1), ingested.day(3)))
    day = ingested.opening
    breaking[SHEET] = [day]
    assert execute(Launch("full", [SHEET], ingested.day(-1), ingested.day(3))).succeeded
    assert (SHEET, day) not in entries(ingested)
    assert (SHEET, day) in refused(ingested)
    breaking[TEAMS] = [day]
    execute(Launch("full", [TEAMS], day, day))
    outcome = command("run", day, "--table", BEHIND)
    assert outcome.exit_code == 1
    assert f"upstream {TEAMS} is refused for {day}" in outcome.output
    breaking.clear()
    assert command("run", day, "--table", TEAMS, "--table", BEHIND, "--table", SHEET).exit_code == 0
    assert refused(ingested) == {}


def test_health_fails_for_refused_dates(ingested: Home, breaking: dict[str, Collection[date]]) -> None:
    def evaluation() -> dg.AssetCheckEvaluation:
        with dg.DagsterInstance.ephemeral() as instance:
            result = build_definitions().resolve_job_def("health").execute_in_process(instance=instance)
            return next(found for found in result.get_asset_check_evaluations() if found.check_name == NO_DATE_REFUSED)

    assert evaluation().passed
    execute(Launch("full", [TEAMS], ingested.day(-1), ingested.day(3)))
    day = ingested.opening
    breaking[TEAMS] = [day]
    execute(Launch("full", [TEAMS], ingested.day(-1), ingested.day(3)))
    found = evaluation()
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert found.metadata["dates"].value == [day.isoformat()]


def test_a_retry_leaves_a_refusal_alone(ingested: Home, breaking: dict[str, Collection[date]]) -> None:
    """What a retry resolves is the build before; the date as a whole is still refused."""
    execute(Launch("full", [TEAMS, SHEET], ingested.day(-1), ingested.day(3)))
    day = ingested.opening
    breaking[SHEET] = [day]
    execute(Launch("full", [SHEET], day, day))
    assert command("retry", "--date", day).exit_code == 0
    assert refused(ingested).keys() == {(SHEET, day)}


def test_entities_that_failed_hard_are_counted_by_rule_and_tell_in_the_exit_code(
    ingested: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = player_game_summary.compute
    unlucky: list[str] = []

    def compute(requested: Any, histories: Any, shared: Any = None) -> Any:
        outcome = real(requested, histories, shared)
        unlucky[:] = unlucky or [requested.entities[0]]
        his, made = np.isin(requested["player_lookup"], unlucky), outcome.rows["fg_makes"]
        made = np.where(his, outcome.rows["fg_attempts"] + 1, made)
        return type(outcome)({**outcome.rows, "fg_makes": made}, outcome.failures)

    monkeypatch.setattr(player_game_summary, "compute", compute)
    outcome = command("backfill", ingested.day(-1), ingested.day(3), "--table", TEAMS, "--table", SHEET)
    assert outcome.exit_code == 1
    hard = [failure for failure in failures_of(DuckDBWarehouse(ingested.warehouse)) if failure.is_hard]
    assert {failure.entity for failure in hard} == set(unlucky)
    assert all(failure.reason.startswith("makes_within_attempts: fg_makes ") for failure in hard)
    entities = counted(len(hard), "entity", "entities")
    said = f"{SHEET}: {entities} failed hard (makes_within_attempts {len(hard)}); see nba-assets failures"
    assert outcome.output.rstrip().splitlines()[-1].startswith(said)


def without_home_team(home: Home) -> Path:
    """Take the home team away from the first row of a file of lines; returns the file."""
    file = sorted((home.landing / "game_lines").rglob("*.parquet"))[0]
    rows = pq.read_table(file)
    nobody = pa.array([None, *rows["home_team_abbr"].to_pylist()[1:]], rows.schema.field("home_team_abbr").type)
    pq.write_table(rows.set_column(rows.column_names.index("home_team_abbr"), "home_team_abbr", nobody), file)
    return file


@pytest.mark.slow
def test_quarantined_rows_are_counted_by_table_and_tell_in_the_exit_code(home: Home) -> None:
    file = without_home_team(home).relative_to(home.landing)
    outcome = command("backfill", home.opening, home.day(6))
    assert outcome.exit_code == 3
    last = outcome.output.rstrip().splitlines()[-1]
    assert last.startswith(f"game_lines: 1 row quarantined, e.g. {file}, row 1: home_team_abbr is ")
    assert last.endswith("; see nba-assets quarantine --table game_lines")
    assert command("backfill", home.opening, home.day(6)).exit_code == 0


@pytest.mark.slow
def test_quarantined_rows_are_listed_with_file_row_and_reason_until_the_corrected_file_is_ingested(home: Home) -> None:
    whole = {file: file.read_bytes() for file in home.landing.rglob("*.parquet")}
    file = without_home_team(home)
    day = date.fromisoformat(file.parent.name.removeprefix("game_date="))
    assert command("quarantine").output == "Nothing is quarantined.\n"
    command("backfill", home.opening, home.day(6))
    for selection in ((), ("--date", day), ("--table", "game_lines")):
        (entry,) = [
            line
            for line in command("quarantine", *selection).output.splitlines()
            if str(file.relative_to(home.landing)) in line
        ]
        cells = re.split(r"\s{2,}", entry.strip())
        assert cells[:4] == ["game_lines", str(day), str(file.relative_to(home.landing)), "1"]
        assert cells[-1].startswith("home_team_abbr is ")
    assert "Nothing" in command("quarantine", "--table", "rosters").output
    assert "Nothing" in command("quarantine", "--date", day + timedelta(days=1)).output
    assert "no table player_daily_cache" in command("quarantine", "--table", "player_daily_cache").output
    file.write_bytes(whole[file])
    assert command("run", day, "--ingest").exit_code == 0
    assert command("quarantine").output == "Nothing is quarantined.\n"


@pytest.mark.slow
def test_status_names_dates_that_a_file_keeps_from_being_ingested(home: Home) -> None:
    (file,) = (home.landing / "game_lines").glob(f"*{home.opening}*/*.parquet")
    file.write_bytes(b"no Parquet")
    outcome = command("backfill", home.opening, home.day(2))
    assert outcome.exit_code == 1
    named = f"{file.relative_to(home.landing)} cannot be read as Parquet"
    assert any(
        line.startswith(f"game_lines: {named}") and "run the date again" in line for line in outcome.output.splitlines()
    )
    assert (
        f"game_lines {home.opening} NOT INGESTED: {file.relative_to(home.landing)}: cannot be read as Parquet"
        in command("status").output
    )


@pytest.mark.slow
def test_words_that_are_kept_and_not_understood_are_counted_and_tell_in_the_exit_code(home: Home) -> None:
    (file,) = (home.landing / "play_by_play").glob(f"*{home.opening}*/*.parquet")
    rows = pq.read_table(file)
    kinds = rows["event_type"].to_pylist()
    kinds[kinds.index("timeout")] = "kiss cam"
    column = rows.column_names.index("event_type")
    pq.write_table(rows.set_column(column, "event_type", pa.array(kinds, rows.schema.field("event_type").type)), file)
    outcome = command("backfill", home.opening, home.day(2))
    assert outcome.exit_code == 3
    last = outcome.output.rstrip().splitlines()[-1]
    assert last == (
        "play_by_play.rows_accepted: 1 reported, e.g. event_type 'kiss cam' is not known (1 row); see the check "
        "in the UI"
    )


def test_a_date_outside_the_partitions_is_one_clear_line(home: Home) -> None:
    for arguments in (
        ("run", "2013-11-15"),
        ("backfill", "2013-11-15", home.opening),
        ("retry", "--date", "2013-11-15"),
        ("report", "2013-11-15"),
    ):
        outcome = home.command(*arguments)
        assert outcome.returncode == 1
        (line,) = outcome.stderr.splitlines()
        assert line.startswith("2013-11-15 lies outside the partitions, which run from 2020-07-01 to ")
        assert "NBA_ASSETS_FIRST_DATE=" in line
        assert outcome.stdout == ""
    future = date.today() + timedelta(days=3)
    assert f"{future} lies outside the partitions" in home.command("run", future).stderr
