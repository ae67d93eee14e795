"""Runs that are put into Dagster's queue: its daemon takes as many of them at once as the queue allows, and the run
launcher of the instance starts them where it does, on this machine or on others.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext
from dagster._core.workspace.context import BaseWorkspaceRequestContext
from dagster._daemon.controller import get_daemon_statuses
from dagster._utils.interrupts import capture_interrupts, check_captured_interrupt

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.launch import RunReport, report_of
from nba_assets.orchestration.run_origin import DEFINITIONS_MODULE, create_run
from nba_assets.settings import SettingsError
from nba_assets.signals import InterruptedBySignal

DAEMON = "QUEUED_RUN_COORDINATOR"
POLL_SECONDS = 1.0


class QueuedRuns:
    """Runs in waves: all of a wave are queued when the first of them is waited for.

    Raises SettingsError where the instance has no queue, or no daemon that takes runs from it.
    """

    def __init__(self, waves: Sequence[Sequence[Launch]], run_config: Mapping[str, Any]) -> None:
        self._instance = dagster_instance()
        self._waves, self._run_config = waves, run_config
        self._queued: dict[str, str] = {}
        """The id of each run, by its job and dates."""
        self._ended = 0
        _require_queue(self._instance)

    def execute(self, launch: Launch) -> RunReport:
        """Wait for the end of a run of the waves; raises InterruptedBySignal, saying what goes on, where a signal ends
        the waiting.
        """
        try:
            if _name(launch) not in self._queued:
                self._queue_all(next(wave for wave in self._waves if launch in wave))
            report = self._wait(self._queued[_name(launch)])
        except InterruptedBySignal as interrupted:
            goes_on = len(self._queued) - self._ended
            raise InterruptedBySignal(
                interrupted.number,
                f"{self._ended} runs have ended, {goes_on} go on without this command (nba-assets ui shows them)",
            ) from None
        self._ended += 1
        return report

    def _queue_all(self, wave: Sequence[Launch]) -> None:
        # A signal waits until all of them are queued: an interrupted record of a run would be nobody's.
        with capture_interrupts():
            for launch in wave:
                self._queued[_name(launch)] = self._queue(launch)
            interrupted = check_captured_interrupt()
        if interrupted:
            raise InterruptedBySignal(signal.SIGINT)

    def _queue(self, launch: Launch) -> str:
        job = dg.build_reconstructable_job(DEFINITIONS_MODULE, "job_by_name", (launch.job,))
        config = {} if launch.job == "ingest" else self._run_config
        run = create_run(self._instance, job, launch.assets, launch.tags, config)
        # The queue does not look at the workspace: the daemon, which takes runs from it, has its own.
        nowhere = cast("BaseWorkspaceRequestContext", None)
        self._instance.run_coordinator.submit_run(SubmitRunContext(run, nowhere))
        return run.run_id

    def _wait(self, run_id: str) -> RunReport:
        while (run := self._instance.get_run_by_id(run_id)) is not None and not run.is_finished:
            if run.status is dg.DagsterRunStatus.QUEUED:
                _require_queue(self._instance)
            time.sleep(POLL_SECONDS)
        return report_of(self._instance, run_id)


def _name(launch: Launch) -> str:
    return f"{launch.job} {launch.span}"


def _require_queue(instance: dg.DagsterInstance) -> None:
    if not isinstance(instance.run_coordinator, QueuedRunCoordinator):
        raise SettingsError(
            "this Dagster instance starts runs at once, without a queue that bounds them: set concurrency.runs in its "
            "dagster.yaml, or build without --chunk"
        )
    if not get_daemon_statuses(instance, [DAEMON])[DAEMON].healthy:
        raise SettingsError(
            "no daemon takes runs from Dagster's queue: start nba-assets ui, or dagster-daemon run, and let it run"
        )
