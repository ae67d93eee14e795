"""Which process works on a run, and what becomes of a run whose process is gone: nothing waits for it any more.

A run notes its process when it opens the warehouse. What a run computes is no matter of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._serdes import ConfigurableClassData

from nba_assets.processes import is_gone, this_process

PROCESS_TAG = "nba_assets/process"
"""Tag of a run: the process that works on it, as `this_process` names it."""

ACTIVE = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def note_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that this process works on a run."""
    if instance.has_run(run_id):
        instance.add_run_tags(run_id, {PROCESS_TAG: this_process()})


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
