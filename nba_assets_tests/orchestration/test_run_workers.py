"""Runs whose process is gone are failed, by whoever comes next; those of living processes, of other hosts and of
unknown ones are left alone.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import psutil
import pytest
from dagster._core.launcher import WorkerStatus
from dagster._core.test_utils import create_run_for_test
from filelock import FileLock

from nba_assets import processes
from nba_assets.orchestration import run_workers
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.interruption import SIGNAL_TAG
from nba_assets.orchestration.run_history import failure_of
from nba_assets.orchestration.run_workers import PROCESS_TAG, LocalRunLauncher, fail_dead_runs, note_process
from nba_assets.orchestration.sensors import unfinished_runs
from nba_assets.processes import is_gone, this_process
from nba_assets_tests.dagster_server import dagster_server, graphql
from nba_assets_tests.orchestration.crashing import EVENT, Order, running_elsewhere
from nba_assets_tests.raw.feeds import DAY, schedule_row, write

NOT_STARTED, STARTING = dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING
STARTED, CANCELING = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING
WITHIN_SECONDS = 300


def ended() -> str:
    """The tag's value of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.communicate(b"\n")
    return f"{socket.gethostname()}:{process.pid}:{this_process().rsplit(':', 1)[1]}"


def test_only_a_process_of_this_host_that_has_ended_is_gone() -> None:
    assert is_gone(ended())
    assert not is_gone(this_process())
    assert not is_gone(ended().replace(socket.gethostname(), "another-host"))


def test_a_process_id_that_was_given_anew_is_another_process() -> None:
    began, seconds = this_process().rsplit("+", 1)
    assert is_gone(f"{began}+{float(seconds) - 60:.2f}")


def test_after_a_restart_of_the_machine_a_process_with_the_same_id_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it began as many seconds after the start as the other one."""
    before = this_process()
    (tmp_path / "boot_id").write_text("00000000-0000-0000-0000-000000000000\n")
    monkeypatch.setattr(processes, "BOOT_ID", tmp_path / "boot_id")
    assert is_gone(before)


@pytest.mark.parametrize("seconds", [-1800, 7200])
def test_a_process_lives_on_when_the_clock_is_set(seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system tells when a process began by the clock of the day, as it is now."""
    before, boot_time = this_process(), psutil.boot_time()
    monkeypatch.setattr(psutil, "boot_time", lambda: boot_time + seconds)
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: boot_time + seconds)
    assert not is_gone(before)


@pytest.mark.parametrize("value", [None, "", "x", "a:b:c", f"{socket.gethostname()}:x:1.0", ":1:1"])
def test_of_what_names_no_process_nothing_is_known(value: str | None) -> None:
    assert not is_gone(value)


@pytest.mark.parametrize("status", [NOT_STARTED, STARTING, STARTED, CANCELING])
def test_dead_runs_are_failed_with_the_reason_and_others_go_on(status: dg.DagsterRunStatus) -> None:
    tags = {"dead": {PROCESS_TAG: ended()}, "alive": {PROCESS_TAG: this_process()}, "unknown": {}}
    with dagster_instance() as instance:
        runs = {
            name: create_run_for_test(instance, job_name="full", tags=mine, status=status).run_id
            for name, mine in tags.items()
        }
        assert fail_dead_runs(instance) == [runs["dead"]]
        found = {name: instance.get_run_by_id(run_id) for name, run_id in runs.items()}
        assert {name: run.status for name, run in found.items() if run} == {
            "dead": dg.DagsterRunStatus.FAILURE,
            "alive": status,
            "unknown": status,
        }
        (failure,) = instance.get_records_for_run(runs["dead"], of_type=dg.DagsterEventType.RUN_FAILURE).records
        assert "ended without a word" in failure.event_log_entry.message
        assert fail_dead_runs(instance) == []


def test_a_run_that_repeats_a_dead_one_is_not_dead_before_it_has_noted_its_process() -> None:
    """Dagster copies the tags of the run that it repeats."""
    with dagster_instance() as instance:
        dead = create_run_for_test(instance, job_name="full", tags={PROCESS_TAG: ended()}, status=STARTED)
        again = create_run_for_test(
            instance,
            job_name="full",
            tags=dead.tags,
            status=STARTING,
            parent_run_id=dead.run_id,
            root_run_id=dead.run_id,
        )
        assert fail_dead_runs(instance) == [dead.run_id]
        (waiting,) = instance.get_runs(dg.RunsFilter(run_ids=[again.run_id]))
        assert waiting.status is STARTING


def test_a_run_that_was_killed_before_it_noted_its_process_is_dead_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with dagster_instance() as instance:
        run = create_run_for_test(instance, job_name="full")
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "full"), run.run_id)
        assert fail_dead_runs(instance) == []
        monkeypatch.setattr(run_workers, "UNNOTED_SECONDS", -1.0)
        assert fail_dead_runs(instance) == [run.run_id]


def test_a_run_that_has_not_noted_its_process_has_four_minutes_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with dagster_instance() as instance:
        run = create_run_for_test(instance, job_name="full", status=STARTED)
        started: list[float | None] = [None, 1000.0]
        monkeypatch.setattr(
            instance, "get_run_record_by_id", lambda _: SimpleNamespace(start_time=started[0]), raising=False
        )
        monkeypatch.setattr(time, "time", lambda: 1240.0)
        assert run_workers.why_dead(instance, run) is None
        started.pop(0)
        assert run_workers.why_dead(instance, run) is None
        monkeypatch.setattr(time, "time", lambda: 1240.5)
        assert "has not noted its process 240 s after it started" in str(run_workers.why_dead(instance, run))
        monkeypatch.setattr(instance, "get_run_record_by_id", lambda _: None)
        assert run_workers.why_dead(instance, run) is None


def test_sensors_wait_for_no_dead_run() -> None:
    with dagster_instance() as instance:
        create_run_for_test(instance, job_name="full", tags={PROCESS_TAG: ended()}, status=STARTED)
        alive = create_run_for_test(instance, job_name="full", tags={PROCESS_TAG: this_process()}, status=STARTED)
        assert [run.run_id for run in unfinished_runs(instance)] == [alive.run_id]


def test_the_launcher_tells_the_daemon_whether_a_run_is_alive() -> None:
    with dagster_instance() as instance:
        launcher = instance.run_launcher
        assert isinstance(launcher, LocalRunLauncher)
        assert launcher.supports_check_run_worker_health
        runs = {
            value: create_run_for_test(instance, job_name="full", tags={PROCESS_TAG: value})
            for value in (ended(), this_process())
        }
        assert [launcher.check_run_worker_health(run).status for run in runs.values()] == [
            WorkerStatus.FAILED,
            WorkerStatus.RUNNING,
        ]


def test_a_run_notes_the_process_that_works_on_it() -> None:
    with dagster_instance() as instance:
        run = create_run_for_test(instance, job_name="full")
        note_process(instance, run.run_id)
        note_process(instance, "no such run")
        noted = instance.get_run_by_id(run.run_id)
        assert noted is not None
        assert noted.tags[PROCESS_TAG] == this_process()


LAUNCH = """
mutation ($selector: JobOrPipelineSelector!, $day: String!) {
  launchRun(executionParams:
  {selector: $selector, executionMetadata: {tags: [{key: "dagster/partition", value: $day}]}}) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""


def launch(address: str, job: str, day: date) -> str:
    """Have the daemon launch a run; returns its id."""
    selector = {"repositoryLocationName": "nba_assets", "repositoryName": "__repository__", "jobName": job}
    launched = graphql(address, LAUNCH, selector=selector, day=day.isoformat())["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id: str = launched["run"]["runId"]
    return run_id


def run_once(instance: dg.DagsterInstance, run_id: str, happened: Callable[[dg.DagsterRun], bool]) -> dg.DagsterRun:
    """The run, as soon as that is so of it."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while (run := instance.get_run_by_id(run_id)) is None or not happened(run):
        assert time.monotonic() < deadline, run
        time.sleep(0.5)
    return run


def dead_runs(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """Four runs that count as at work.

    A killed one of the command line, one whose process has ended, one from before the machine restarted, one whose
    process id has been given to this process.
    """
    (home / "landing").mkdir(parents=True)
    order = Order(home, "full", ("schedule",), date(2024, 10, 22), date(2024, 10, 22), kind=EVENT)
    with running_elsewhere() as runs:
        moments = runs.run(order).moments[EVENT]
        # By then it has started, and has not ended yet.
        assert runs.run(replace(order, number=int(0.75 * moments))).code == -signal.SIGKILL
    host, number, began = this_process().rsplit(":", 2)
    boot, seconds = began.split("+")
    for process in (
        ended(),
        f"{host}:{number}:00000000-0000-0000-0000-000000000000+{seconds}",
        f"{host}:{number}:{boot}+1.00",
    ):
        create_run_for_test(instance, job_name="full", tags={PROCESS_TAG: process}, status=STARTED)
    dead = instance.get_runs(dg.RunsFilter(statuses=[STARTED]))
    assert len(dead) == 4
    return [run.run_id for run in dead]


@pytest.mark.slow
def test_four_killed_runs_do_not_hold_up_the_daemons_queue(own_home: Path, tmp_path: Path) -> None:
    """As many dead runs as may run at once; the next one begins within five minutes."""
    with dagster_instance() as instance:
        dead = dead_runs(instance, own_home)
        with dagster_server(dict(os.environ), tmp_path / "server.log") as address:
            run_once(instance, launch(address, "health", date(2021, 7, 1)), lambda run: run.is_finished)
        assert {found.status for run_id in dead if (found := instance.get_run_by_id(run_id))} == {
            dg.DagsterRunStatus.FAILURE
        }


@pytest.mark.slow
def test_a_signal_ends_a_run_of_the_daemon_which_says_so(own_home: Path, tmp_path: Path) -> None:
    """Runs that would wait for their warehouse far longer than this test does."""
    write(own_home / "landing", "schedule.csv", [schedule_row()])
    environment = os.environ | {"NBA_ASSETS_WAREHOUSE_WAIT_SECONDS": str(10 * WITHIN_SECONDS)}
    held = FileLock(f"{own_home / 'nba.duckdb'}.lock")
    with dagster_instance() as instance, held, dagster_server(environment, tmp_path / "server.log") as address:
        run_ids = {number: launch(address, "full", DAY) for number in (signal.SIGTERM, signal.SIGINT)}
        for number, run_id in run_ids.items():
            at_work = run_once(instance, run_id, lambda run: PROCESS_TAG in run.tags)
            process = psutil.Process(int(at_work.tags[PROCESS_TAG].split(":")[1]))
            process.send_signal(number)
            process.wait(timeout=WITHIN_SECONDS)
            ended = run_once(instance, run_id, lambda run: run.is_finished)
            assert ended.status in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
            assert ended.tags[SIGNAL_TAG] == str(int(number))
            said = f"ended by {number.name}; what was published before stays"
            assert said in failure_of(instance, run_id).reason
            assert any(entry.user_message == said for entry in instance.all_logs(run_id))


@pytest.mark.slow
def test_a_killed_command_is_a_failed_run_for_the_next_one(own_home: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nba_assets.cli"]
    subprocess.run([*command, "sample", "2024", str(own_home / "landing")], check=True, capture_output=True)
    with subprocess.Popen(
        [*command, "backfill", "2024-10-22", "2024-12-01"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as killed:
        with dagster_instance() as instance:
            deadline = time.monotonic() + WITHIN_SECONDS
            while not any(PROCESS_TAG in run.tags for run in instance.get_runs()):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        os.kill(killed.pid, signal.SIGKILL)
    subprocess.run([*command, "run", "2024-10-22"], check=False, capture_output=True)
    with dagster_instance() as instance:
        statuses = {run.tags[PROCESS_TAG].split(":")[1]: run.status for run in instance.get_runs()}
    assert statuses.pop(str(killed.pid)) is dg.DagsterRunStatus.FAILURE
    assert set(statuses.values()) == {dg.DagsterRunStatus.SUCCESS}
