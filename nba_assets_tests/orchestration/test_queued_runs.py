"""`backfill --chunk season`: runs that the daemon launches, waited for by the command."""

from __future__ import annotations

import os
import signal
import time
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration import queued_runs
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.queued_runs import DAEMON, QueuedRuns
from nba_assets.orchestration.run_origin import create_run
from nba_assets.raw.sample_league import write_season
from nba_assets.settings import SettingsError
from nba_assets.signals import InterruptedBySignal, raised_signals
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.dagster_server import serving
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.conftest import Home

TABLES = ("team_offense_game_summary", "team_defense_game_summary")


@pytest.fixture
def two_seasons(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, date, date]:
    """The last days of a season and the first ones of the next, landed: the home, the first and the last date."""
    first, second = (write_season(own_home / "landing", year, **SMALL_LEAGUE) for year in (2023, 2024))
    return Home(own_home, second.first_date), first.last_date - timedelta(days=2), second.first_date + timedelta(days=2)


def heartbeat(age_seconds: float = 0.0) -> None:
    """What a daemon leaves in the instance of the home that was there so long ago."""
    with dagster_instance() as instance:
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - age_seconds, DAEMON, "test", []))


def digests(home: Home) -> dict[tuple[str, date], str]:
    columns = ("table_name", "partition_date", "digest")
    state = DuckDBWarehouse(home.warehouse).read(TABLE_PARTITIONS, columns, date(2023, 7, 1), date(2025, 7, 1))
    return {(row["table_name"], row["partition_date"]): row["digest"] for row in state.to_pylist()}


@pytest.mark.slow
def test_seasons_are_separate_runs_of_the_daemon_and_give_the_digests_of_one_run(
    two_seasons: tuple[Home, date, date], tmp_path: Path
) -> None:
    home, start, end = two_seasons
    options = [str(part) for name in TABLES for part in ("--table", name)]
    with serving(home.environment(), tmp_path / "ui.log"):
        chunked = home.command("backfill", start, end, "--chunk", "season", *options)
    assert chunked.returncode in (0, 3), chunked.stderr + chunked.stdout
    assert "The warehouse is one file: of runs at the same time one reads or writes while the others wait" in (
        " ".join((chunked.stdout + chunked.stderr).split())
    )
    with dagster_instance() as instance:
        runs = instance.get_runs()
        queued = [
            instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.PIPELINE_ENQUEUED).records
            for run in runs
        ]
    assert sorted((run.job_name, run.status.value) for run in runs) == [
        ("full", "SUCCESS"),
        ("full", "SUCCESS"),
        ("ingest", "SUCCESS"),
        ("ingest", "SUCCESS"),
        ("ingest", "SUCCESS"),
    ]
    assert all(queued)
    assert len({run.tags["nba_assets/process"] for run in runs}) == len(runs)
    found = digests(home)
    home.warehouse.rename(home.path / "chunked.duckdb")
    assert home.command("backfill", start, end, *options).returncode == chunked.returncode
    assert digests(home) == found


def test_without_a_daemon_nothing_is_queued_and_the_command_says_what_to_start(home: Home) -> None:
    ended = home.command("backfill", home.opening, home.day(1), "--chunk", "season")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "no daemon takes runs from Dagster's queue: start nba-assets ui, or dagster-daemon run, and let it run"
    )
    with dagster_instance() as instance:
        assert instance.get_runs() == []


def test_an_instance_without_a_queue_is_an_error(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_home.mkdir()
    (own_home / "dagster.yaml").write_text(
        "run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}\n"
    )
    monkeypatch.setenv("DAGSTER_HOME", str(own_home))
    with pytest.raises(SettingsError, match=r"without a queue that bounds them: set concurrency\.runs"):
        QueuedRuns([], {})


@pytest.mark.parametrize("during", ["queueing", "waiting"])
def test_a_signal_ends_the_waiting_and_says_that_the_runs_go_on(
    home: Home, during: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted_create(*arguments: Any) -> dg.DagsterRun:
        if during == "queueing":
            os.kill(os.getpid(), signal.SIGINT)
        return create_run(*arguments)

    heartbeat()
    monkeypatch.setattr(queued_runs, "create_run", interrupted_create)
    waiting = SimpleNamespace(sleep=lambda _: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr(queued_runs, "time", waiting)
    waves = [[Launch("ingest", ["schedule"], home.day(number), home.day(number)) for number in range(2)]]
    with (
        raised_signals(),
        pytest.raises(InterruptedBySignal, match="0 runs have ended, 2 go on without") as interrupted,
    ):
        QueuedRuns(waves, {}).execute(waves[0][0])
    assert interrupted.value.number == signal.SIGINT
    with dagster_instance() as instance:
        runs = instance.get_runs()
    assert {run.status for run in runs} == {dg.DagsterRunStatus.QUEUED}
    assert sorted(run.tags["dagster/partition"] for run in runs) == [str(home.day(0)), str(home.day(1))]


def test_a_daemon_that_ends_ends_the_waiting_for_runs_that_are_still_queued(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat()
    launch = Launch("ingest", ["schedule"], home.opening, home.opening)
    runs = QueuedRuns([[launch]], {})
    heartbeat(age_seconds=3600)
    with pytest.raises(SettingsError, match="no daemon takes runs"):
        runs.execute(launch)


def test_a_failed_run_is_reported_and_the_next_wave_is_queued_all_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat()
    first = Launch("ingest", ["schedule"], home.opening, home.opening)
    second = Launch("full", [TABLES[0]], home.day(1), home.day(1))
    seen = []

    def fail(_: float) -> None:
        """While the command waits, what is queued fails."""
        with dagster_instance() as instance:
            queued = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
            for run in queued:
                instance.report_run_failed(run, "the machine is gone")
        seen.append({run.job_name: run.run_config for run in queued})

    monkeypatch.setattr(queued_runs, "time", SimpleNamespace(sleep=fail))
    runs = QueuedRuns([[first], [second]], {"resources": {"entities": {"config": {"teams_workers": 3}}}})
    assert not runs.execute(first).succeeded
    assert not runs.execute(second).succeeded
    assert seen == [{"ingest": {}}, {"full": {"resources": {"entities": {"config": {"teams_workers": 3}}}}}]
