"""Runs of the command line as runs of the code location's jobs, and what distinguishes them from the daemon's.

Without a code location the UI lists a run neither in the timeline nor on the page of its job.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import MAX_RETRIES_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

CODE_LOCATION = "nba_assets"
"""The name that `workspace.yaml` gives the code location."""
DEFINITIONS_MODULE = "nba_assets.definitions"
COMMAND_LINE_TAG = "nba_assets/command_line"
"""Tag of a run that the command line started."""


def create_run(
    instance: dg.DagsterInstance,
    job: ReconstructableJob,
    assets: Sequence[str],
    tags: Mapping[str, str],
    run_config: Mapping[str, Any],
) -> dg.DagsterRun:
    """Record a run of some assets of a job, to be executed by this process.

    The daemon starts a run of the code location again when it crashes; this one is its starter's to repeat.
    """
    definition = job.get_definition()
    return instance.create_run_for_job(
        definition,
        run_config=run_config,
        tags={**definition.run_tags, COMMAND_LINE_TAG: "true", MAX_RETRIES_TAG: "0", **tags},
        asset_selection=frozenset(dg.AssetKey(name) for name in assets),
        remote_job_origin=job_origin(definition.name),
        job_code_origin=job.get_python_origin(),
    )


def is_of_command_line(run: dg.DagsterRun) -> bool:
    """Whether a command or a script started a run, and not the daemon, whose repetitions have the tags of the run that
    they repeat.
    """
    return run.remote_job_origin is None or (COMMAND_LINE_TAG in run.tags and run.parent_run_id is None)


def job_origin(job: str) -> RemoteJobOrigin:
    """A job as the UI finds it: by code location and repository."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=DEFINITIONS_MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, CODE_LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job)
