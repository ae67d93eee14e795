"""Which process works on a run, and what becomes of a run whose process is gone: nothing waits for it any more.

A run notes its process when it opens the warehouse. What a run computes is not in this module.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData

from nba_assets.processes import is_gone, this_process

PROCESS_TAG = "nba_assets/process"
"""Tag of a run: the process that works on it, as `this_process` names it."""

ACTIVE = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
UNNOTED_SECONDS = 240.0
"""A run that has started and not noted its process after so long was killed before it could."""


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that this process works on a run."""
    if instance.has_run(run_id):
        instance.add_run_tags(run_id, {PROCESS_TAG: this_process()})


def why_dead(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str | None:
    """Why a run is known to have lost its process; None where it is not known to."""
    process = run.tags.get(PROCESS_TAG)
    parent = instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None
    if parent is not None and parent.tags.get(PROCESS_TAG) == process:
        process = None  # Dagster copies the tags of a run to one that repeats it.
    if is_gone(process):
        return f"the process of the run ({process}) ended without a word: killed, or its machine was. Run it again."
    if process is None and run.status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING):
        record = instance.get_run_record_by_id(run.run_id)
        if record is not None and record.start_time is not None and time.time() - record.start_time > UNNOTED_SECONDS:
            return (
                f"the run ended without a word: it has not noted its process {UNNOTED_SECONDS:g} s after it "
                "started. Run it again."
            )
    return None


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed, so that nothing waits for them; returns their ids."""
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)):
        if (reason := why_dead(instance, run)) is not None:
            instance.report_run_failed(run, reason)
            failed.append(run.run_id)
    return failed


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Dagster's launcher of runs on this machine, which also knows whether a run's process is still there: the daemon
    asks it about once a minute.
    """

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> LocalRunLauncher:
        """The launcher; there is nothing to configure."""
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """The health of runs is known."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Failed where the process of the run is known to be gone; running otherwise."""
        reason = why_dead(self._instance, run)
        return CheckRunHealthResult(WorkerStatus.RUNNING if reason is None else WorkerStatus.FAILED, reason)
