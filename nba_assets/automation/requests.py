"""Which planned runs of the sensors are launched now: each until the tables show its result, with growing pauses, a
bounded number of times.

Decisions are pure; the runs that they go by are read from the Dagster instance by `orchestration.run_history`.
What is planned is decided in `arrival` and `staleness`, which know the tables: a run that they no longer plan is
done, whatever became of its attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

from nba_assets.automation.planned_runs import BECAUSE_TAG, TRIGGER_TAG, PlannedRun, shortened

SUBJECT_TAG, INPUT_TAG = "nba_assets/request", "nba_assets/input"
ATTEMPT_TAG, REQUESTED_AT_TAG = "nba_assets/attempt", "nba_assets/requested_at"

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(hours=6)
PAUSE_GROWTH = 3


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
class Attempt:
    """One attempt at what a planned run is for."""

    planned: PlannedRun
    subject: str
    number: int
    requested_at: datetime

    @property
    def run_key(self) -> str:
        """Dagster remembers run keys for ever and ignores one that it knows, so each attempt has its own."""
        return f"{self.planned.run_key}:{self.number}"

    @property
    def tags(self) -> dict[str, str]:
        """What its run carries: what it is an attempt at, and why."""
        tags = {
            SUBJECT_TAG: self.subject,
            INPUT_TAG: self.planned.run_key,
            ATTEMPT_TAG: str(self.number),
            REQUESTED_AT_TAG: self.requested_at.astimezone(UTC).isoformat(),
            TRIGGER_TAG: self.planned.trigger,
        }
        return tags | ({BECAUSE_TAG: shortened(self.planned.because)} if self.planned.because else {})


@dataclass(frozen=True)
class Selection:
    """The runs to launch now, and in words what is not launched and why, failed requests first."""

    launches: list[Attempt]
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
    launches: list[Attempt] = []
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
            launches.append(Attempt(one, subject, max((run.attempt for run in runs), default=0) + 1, now))
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
