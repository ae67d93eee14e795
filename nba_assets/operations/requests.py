"""Which of the runs that sensors want are launched now: each until the tables show its result, with growing pauses, a
bounded number of times.

Decisions are pure; the runs that they go by are read from the Dagster instance by `launched_runs` and `failure_of`.
What is planned is decided in `arrival` and `staleness`, which know the tables: what they no longer want is done,
whatever became of the runs for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import dagster as dg

from nba_assets.operations.jobs import FULL
from nba_assets.operations.launch import PARTITION_TAG, failed_steps
from nba_assets.operations.planned_runs import PlannedRun, shortened

SUBJECT_TAG, INPUT_TAG = "nba_assets/request", "nba_assets/input"
ATTEMPT_TAG, REQUESTED_AT_TAG = "nba_assets/attempt", "nba_assets/requested_at"

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=6)
PAUSE_GROWTH = 3

SUBJECTS_AT_ONCE = 500
"""Values in one query, well below what SQLite accepts."""


@dataclass(frozen=True)
class LaunchedRun:
    """A run that the instance knows for a subject. `input` is None for a run that no sensor requested."""

    run_id: str
    input: str | None
    attempt: int
    requested_at: datetime | None
    is_unfinished: bool


@dataclass(frozen=True)
class Failure:
    """Why an ended run did not bring about what it was for.

    It is transient where the same input may do better another time.
    """

    reason: str
    is_transient: bool


@dataclass(frozen=True)
class Selection:
    """The runs to launch now, and in words what is not launched and why, failed requests first."""

    launches: list[dg.RunRequest]
    notes: list[str]


def subject_of(sensor: str, planned: PlannedRun) -> str:
    """What stays the same over all attempts and inputs: who requests, the job, its dates, and its assets where they are
    not all of the job's.
    """
    return ":".join(
        [sensor, planned.launch.job, str(planned.launch.start), str(planned.launch.end), *planned.launch.assets]
    )


def select(
    sensor: str,
    planned: Sequence[PlannedRun],
    launched: Mapping[str, Sequence[LaunchedRun]],
    failure: Callable[[LaunchedRun], Failure],
    now: datetime,
    *,
    attempts: int,
    limit: int,
    running: Collection[date] = frozenset(),
) -> Selection:
    """The runs to launch of those that are planned, in their order, at most `limit`.

    `launched` are the runs of each subject, newest first; those since the input last changed, or since a run that was
    not requested by a sensor, are the attempts at a request. After the n-th the pause is FIRST_PAUSE * PAUSE_GROWTH **
    (n - 1), at most LONGEST_PAUSE, so for example 2, 6, 18, 54 minutes; after `attempts` of them nothing is launched
    until the input changes. Where an unreadable file is part of the input, only a run that failed for a transient
    reason is repeated. Dates in `running` wait for the run that works on them.
    """
    launches: list[dg.RunRequest] = []
    failed, waiting = [], []
    more = 0
    for one in planned:
        subject = subject_of(sensor, one)
        runs = launched.get(subject, ())
        made = list(takewhile(_is_for(one.run_key), runs))
        count = len({run.attempt for run in made})
        newest = made[0] if made else None
        if any(one.launch.start <= day <= one.launch.end for day in running) or any(run.is_unfinished for run in made):
            waiting.append(f"{one.dates} waits: a run works on it")
        elif newest is not None and one.unreadable and not failure(newest).is_transient:
            waiting.append(
                f"{one.dates} waits: {one.unreadable}; run {newest.run_id} could not use it, it is requested again "
                "when the file changes"
            )
        elif newest is not None and count >= attempts:
            failed.append(_exhausted(one, count, newest, failure(newest)))
        elif newest is not None and (due := _due_at(newest, count, now)) > now:
            said = failure(newest).reason
            waiting.append(
                f"{one.dates} waits: attempt {count} of {attempts} failed ({said}), the next is due at "
                f"{due:%Y-%m-%d %H:%M} UTC"
            )
        elif len(launches) < limit:
            launches.append(_request(subject, one, max((run.attempt for run in runs), default=0) + 1, now))
        else:
            more += 1
    capped = [f"{more} more dates are due and wait for the next look"] if more else []
    return Selection(launches, [*failed, *waiting, *capped])


def _is_for(run_key: str) -> Callable[[LaunchedRun], bool]:
    return lambda run: run.input == run_key


def _due_at(newest: LaunchedRun, count: int, now: datetime) -> datetime:
    """When the attempt after `count` others is due; at once where the clock was set back behind the newest."""
    if newest.requested_at is None or newest.requested_at > now:
        return now
    # Exponents are bounded, so that the product is.
    return newest.requested_at + min(FIRST_PAUSE * PAUSE_GROWTH ** min(count - 1, 10), LONGEST_PAUSE)


def _exhausted(planned: PlannedRun, count: int, newest: LaunchedRun, failure: Failure) -> str:
    by_hand = f" or after nba-assets run {planned.launch.start}" if planned.launch.start == planned.launch.end else ""
    return (
        f"{planned.dates}: {planned.launch.job} failed {count} times, newest run {newest.run_id}: {failure.reason}; "
        f"look at the run and at nba-assets status, it is requested again when its input changes{by_hand}"
    )


def _request(subject: str, planned: PlannedRun, attempt: int, now: datetime) -> dg.RunRequest:
    """The request as Dagster takes it. Dagster remembers run keys for ever, so each attempt has its own."""
    tags = {
        SUBJECT_TAG: subject,
        INPUT_TAG: planned.run_key,
        ATTEMPT_TAG: str(attempt),
        REQUESTED_AT_TAG: now.astimezone(UTC).isoformat(),
    }
    return planned.run_request(f"{planned.run_key}:{attempt}", tags)


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
