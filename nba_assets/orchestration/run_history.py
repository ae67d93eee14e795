"""Requests of sensors in the Dagster instance: the runs that were launched for them, how these ended, and an attempt
as a run request.

Which attempts are due is decided in `automation.requests`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import dagster as dg

from nba_assets.automation.planned_runs import PARTITION_TAG, PlannedRun, shortened
from nba_assets.automation.requests import (
    ATTEMPT_TAG,
    INPUT_TAG,
    REQUESTED_AT_TAG,
    SUBJECT_TAG,
    Attempt,
    Failure,
    LaunchedRun,
    subject_of,
)
from nba_assets.orchestration.jobs import FULL
from nba_assets.orchestration.launch import failed_steps

SUBJECTS_AT_ONCE = 500
"""Values in one query, well below what SQLite accepts."""


def run_request(attempt: Attempt) -> dg.RunRequest:
    """An attempt as Dagster takes it."""
    launch = attempt.planned.launch
    single = launch.start == launch.end
    return dg.RunRequest(
        run_key=attempt.run_key,
        job_name=launch.job,
        partition_key=launch.tags[PARTITION_TAG] if single else None,
        tags=attempt.tags if single else {**attempt.tags, **launch.tags},
        asset_selection=[dg.AssetKey(name) for name in launch.assets] or None,
    )


def launched_runs(
    instance: dg.DagsterInstance, sensor: str, planned: Sequence[PlannedRun], unfinished: Collection[str]
) -> dict[str, list[LaunchedRun]]:
    """The runs that the instance knows of each subject, newest first; `unfinished` are the ids of runs that somebody
    still works on.

    Runs of a single date that no sensor requested count where they run the same job, or everything.
    """
    found: dict[str, list[LaunchedRun]] = {subject_of(sensor, one): [] for one in planned}
    of_date: dict[str, list[PlannedRun]] = {}
    for one in planned:
        if one.launch.start == one.launch.end:
            of_date.setdefault(one.launch.start.isoformat(), []).append(one)
    ranges = [subject_of(sensor, one) for one in planned if one.launch.start != one.launch.end]
    for run in [*_runs_tagged(instance, PARTITION_TAG, list(of_date)), *_runs_tagged(instance, SUBJECT_TAG, ranges)]:
        subjects = [run.tags.get(SUBJECT_TAG)]
        if SUBJECT_TAG not in run.tags:
            subjects = [
                subject_of(sensor, one)
                for one in of_date[run.tags[PARTITION_TAG]]
                if run.job_name in (one.launch.job, FULL.name)
            ]
        for subject in subjects:
            if subject in found:
                found[subject].append(_launched(run, run.run_id in unfinished))
    return found


def _launched(run: dg.DagsterRun, is_unfinished: bool) -> LaunchedRun:
    requested_at = run.tags.get(REQUESTED_AT_TAG)
    moment = None if requested_at is None else datetime.fromisoformat(requested_at)
    return LaunchedRun(run.run_id, run.tags.get(INPUT_TAG), int(run.tags.get(ATTEMPT_TAG, 0)), moment, is_unfinished)


def _runs_tagged(instance: dg.DagsterInstance, tag: str, values: Sequence[str]) -> list[dg.DagsterRun]:
    """The runs with one of some values of a tag, newest first within each query."""
    starts = range(0, len(values), SUBJECTS_AT_ONCE)
    return [
        run
        for start in starts
        for run in instance.get_runs(dg.RunsFilter(tags={tag: list(values[start : start + SUBJECTS_AT_ONCE])}))
    ]


def failure_of(instance: dg.DagsterInstance, run_id: str) -> Failure:
    """Why an ended run did not bring about what it was for.

    A step that fails by a verdict on its input (`dg.Failure`) would fail again; one that meets a busy warehouse, a full
    disk or anything unforeseen need not, and neither need a run that was killed.
    """
    steps = list(failed_steps(instance, run_id))
    if steps:
        step, said = steps[0]
        return Failure(
            shortened(f"{step}: {said.removeprefix(f'{step}: ')}"),
            any(not verdict for verdict in _are_verdicts(instance, run_id)),
        )
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status is dg.DagsterRunStatus.SUCCESS:
        return Failure("it succeeded, and yet its tables are not up to date", is_transient=False)
    ended = instance.get_records_for_run(
        run_id, of_type={dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED}
    ).records
    said = next(
        (
            event.message
            for record in ended
            if (event := record.event_log_entry.dagster_event) is not None and event.message
        ),
        "",
    )
    return Failure(shortened(said or "it ended without a word"), is_transient=True)


def _are_verdicts(instance: dg.DagsterInstance, run_id: str) -> list[bool]:
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    events = [record.event_log_entry.dagster_event for record in records]
    return [event.step_failure_data.user_failure_data is not None for event in events if event is not None]
