"""Which process works on a run, and what becomes of a run whose process is gone: nothing waits for it any more.

A run notes its process when it opens the warehouse. What a run computes is no matter of this module.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData

PROCESS_TAG = "nba_assets/process"
"""Tag of a run: host, process id and the moment at which the process began, by which a later process with the same id is told from it."""

ACTIVE = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def this_process() -> str:
    """The tag's value for the process that calls."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that this process works on a run."""
    if instance.has_run(run_id):
        instance.add_run_tags(run_id, {PROCESS_TAG: this_process()})


def is_gone(process: str | None) -> bool:
    """Whether the process of a tag's value is known to have ended; one of another host, or a value that is none, is not."""
    parts = (process or "").rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return False
    try:
        return f"{psutil.Process(int(parts[1])).create_time():.2f}" != parts[2]
    except psutil.NoSuchProcess:
        return True


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed, so that nothing waits for them; returns their ids."""
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE)):
        if is_gone(process := run.tags.get(PROCESS_TAG)):
            instance.report_run_failed(run, f"the process of the run ({process}) ended without a word: killed, or its machine was. Run it again.")
            failed.append(run.run_id)
    return failed


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Dagster's launcher of runs on this machine, which also knows whether a run's process is still there: the daemon asks it about once a minute."""

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
        if is_gone(process := run.tags.get(PROCESS_TAG)):
            return CheckRunHealthResult(WorkerStatus.FAILED, f"the process of the run ({process}) is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)
