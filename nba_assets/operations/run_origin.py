"""Where the UI looks for a run: runs of the command line are recorded as runs of the code location's jobs.

Without that they stand in the list of runs alone, and neither in the timeline nor on the pages of their jobs.
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
        tags={MAX_RETRIES_TAG: "0", **tags},
        asset_selection=frozenset(dg.AssetKey(name) for name in assets),
        remote_job_origin=job_origin(definition.name),
        job_code_origin=job.get_python_origin(),
    )


def job_origin(job: str) -> RemoteJobOrigin:
    """A job as the UI finds it: by code location and repository."""
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=DEFINITIONS_MODULE)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, CODE_LOCATION)
    return RemoteJobOrigin(RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME), job)
