"""Requests of sensors: repeated until the tables show their result, with growing pauses, a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from filelock import FileLock

from nba_assets.automation.planned_runs import PARTITION_TAG, Launch, PlannedRun
from nba_assets.automation.requests import (
    ATTEMPT_TAG,
    INPUT_TAG,
    LONGEST_PAUSE,
    SUBJECT_TAG,
    Failure,
    LaunchedRun,
    Selection,
    select,
    subject_of,
)
from nba_assets.orchestration import run_history
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.run_history import failure_of, launched_runs, run_request
from nba_assets.orchestration.run_workers import PROCESS_TAG
from nba_assets.raw.content_index import RESULTS, forget_landed
from nba_assets.raw.sample_league import write_season
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import empty
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, HOURS, MINUTES, OPENING, Operator, Season

DAY = date(2024, 11, 5)
NOW = datetime(2024, 11, 6, 10, tzinfo=UTC)
PLANNED = PlannedRun(Launch("postgame", (), DAY, DAY), "postgame:2024-11-05:abc", "results")
RANGE = PlannedRun(Launch("pregame", ("ml_feature_store",), DAY, DAY + timedelta(days=3)), "late_data:def", "late_data")
SUBJECT = subject_of("raw_arrival", PLANNED)
TRANSIENT, VERDICT = Failure("busy", is_transient=True), Failure("bad rows", is_transient=False)


def attempt(
    number: int, at: datetime, *, run_key: str | None = PLANNED.run_key, unfinished: bool = False
) -> LaunchedRun:
    return LaunchedRun(f"run{number}", run_key, number, at, unfinished)


def selected(
    runs: Sequence[LaunchedRun], now: datetime = NOW, planned: PlannedRun = PLANNED, failure: Failure = TRANSIENT
) -> Selection:
    return select("raw_arrival", [planned], {SUBJECT: runs}, lambda _: failure, now, attempts=3, limit=5)


def test_the_first_attempt_is_launched_with_tags_by_which_it_is_found_again() -> None:
    (request,) = selected([]).launches
    assert request.run_key == "postgame:2024-11-05:abc:1"
    assert (run_request(request).job_name, run_request(request).partition_key) == ("postgame", str(DAY))
    assert {tag: request.tags[tag] for tag in (SUBJECT_TAG, INPUT_TAG, ATTEMPT_TAG)} == {
        SUBJECT_TAG: SUBJECT,
        INPUT_TAG: PLANNED.run_key,
        ATTEMPT_TAG: "1",
    }


@pytest.mark.parametrize(
    ("made", "pause"), [(3, 18 * MINUTES), (4, 54 * MINUTES), (5, 162 * MINUTES), (6, 6 * HOURS), (40, 6 * HOURS)]
)
def test_no_pause_is_longer_than_six_hours(made: int, pause: timedelta) -> None:
    runs = {SUBJECT: [attempt(each, NOW) for each in range(made, 0, -1)]}
    for at, launches in ((NOW + pause - timedelta(seconds=1), 0), (NOW + pause, 1)):
        found = select("raw_arrival", [PLANNED], runs, lambda _: TRANSIENT, at, attempts=100, limit=5)
        assert len(found.launches) == launches


@pytest.mark.parametrize(("number", "pause"), [(1, 2 * MINUTES), (2, 6 * MINUTES)])
def test_the_pause_grows_with_each_attempt(number: int, pause: timedelta) -> None:
    runs = [attempt(each, NOW) for each in range(number, 0, -1)]
    early = selected(runs, NOW + pause - timedelta(seconds=1))
    assert early.launches == []
    assert early.notes == [
        f"2024-11-05 waits: attempt {number} of 3 failed (busy), the next is due at {NOW + pause:%Y-%m-%d %H:%M} UTC"
    ]
    (request,) = selected(runs, NOW + pause).launches
    assert request.run_key == f"{PLANNED.run_key}:{number + 1}"


def test_the_pause_is_bounded_and_so_is_its_computation() -> None:
    runs = [attempt(number, NOW) for number in range(5000, 0, -1)]

    def choose(now: datetime) -> Selection:
        return select("raw_arrival", [PLANNED], {SUBJECT: runs}, lambda _: TRANSIENT, now, attempts=9999, limit=5)

    assert choose(NOW + LONGEST_PAUSE - MINUTES).launches == []
    assert len(choose(NOW + LONGEST_PAUSE).launches) == 1


def test_after_the_last_attempt_it_is_named_on_every_tick() -> None:
    runs = [attempt(number, NOW) for number in (3, 2, 1)]
    for hours in (0, 1, 1000):
        chosen = selected(runs, NOW + hours * HOURS)
        assert chosen.launches == []
        assert chosen.notes[0].startswith("2024-11-05: postgame failed 3 times, newest run run3: busy; look at the run")
        assert chosen.notes[0].endswith(
            "it is requested again when its input changes or after nba-assets run 2024-11-05"
        )


def test_other_input_or_a_run_by_hand_begins_anew_with_a_run_key_of_its_own() -> None:
    failed = [attempt(number, NOW) for number in (3, 2, 1)]
    for newer in (attempt(4, NOW, run_key="postgame:2024-11-05:other"), attempt(0, NOW, run_key=None)):
        (request,) = selected([newer, *failed]).launches
        assert int(request.tags[ATTEMPT_TAG]) == max(newer.attempt, 3) + 1


def test_nothing_is_launched_while_an_attempt_or_another_run_of_its_dates_is_at_work() -> None:
    assert selected([attempt(1, NOW - 9 * HOURS, unfinished=True)]).notes == ["2024-11-05 waits: a run works on it"]
    chosen = select(
        "stale_dates", [RANGE], {}, lambda _: TRANSIENT, NOW, attempts=3, limit=5, running={DAY + timedelta(days=3)}
    )
    assert (chosen.launches, chosen.notes) == ([], ["2024-11-05 to 2024-11-08 waits: a run works on it"])


def test_an_attempt_of_the_future_holds_nothing_up() -> None:
    """The clock was wrong by a year when it was made."""
    assert len(selected([attempt(1, NOW + timedelta(days=365))]).launches) == 1


def test_a_verdict_on_an_unreadable_file_is_not_repeated_and_a_transient_failure_is() -> None:
    planned = replace(PLANNED, unreadable="play_by_play cannot be read: x.csv is bad")
    runs = [attempt(1, NOW - 9 * HOURS)]
    assert len(selected(runs, planned=planned, failure=TRANSIENT).launches) == 1
    assert len(selected(runs, failure=VERDICT).launches) == 1
    chosen = selected(runs, planned=planned, failure=VERDICT)
    assert chosen.launches == []
    assert chosen.notes[0].startswith(
        "2024-11-05 waits: play_by_play cannot be read: x.csv is bad; run run1 could not use it"
    )


def test_a_retry_by_the_daemon_is_the_same_attempt() -> None:
    runs = [LaunchedRun(f"retry{number}", PLANNED.run_key, 1, NOW, is_unfinished=False) for number in range(5)]
    assert len(selected(runs, NOW + 2 * MINUTES).launches) == 1


def test_what_waits_or_failed_leaves_room_for_others() -> None:
    others = [
        replace(
            PLANNED, launch=Launch("postgame", (), DAY + timedelta(days=n), DAY + timedelta(days=n)), run_key=f"k{n}"
        )
        for n in range(1, 5)
    ]
    runs = {SUBJECT: [attempt(number, NOW) for number in (3, 2, 1)]}
    chosen = select(
        "raw_arrival", [*others[:1], PLANNED, *others[1:]], runs, lambda _: TRANSIENT, NOW, attempts=3, limit=3
    )
    assert [request.run_key for request in chosen.launches] == ["k1:1", "k2:1", "k3:1"]
    assert [note.split(":")[0] for note in chosen.notes] == [
        "2024-11-05",
        "1 more dates are due and wait for the next look",
    ]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def launch(
    instance: dg.DagsterInstance, chosen: Selection, status: dg.DagsterRunStatus = dg.DagsterRunStatus.FAILURE
) -> list[str]:
    return [
        create_run_for_test(
            instance,
            job_name=str(request.job_name),
            tags={**request.tags, **({PARTITION_TAG: request.partition_key} if request.partition_key else {})},
            status=status,
        ).run_id
        for request in map(run_request, chosen.launches)
    ]


def test_attempts_are_found_again_by_their_tags(instance: dg.DagsterInstance) -> None:
    planned = [PLANNED, RANGE]

    def make(now: datetime) -> Selection:
        launched = launched_runs(instance, "s", planned, set())
        return select("s", planned, launched, lambda run: failure_of(instance, run.run_id), now, attempts=3, limit=5)

    ids = [launch(instance, make(NOW + minutes * MINUTES)) for minutes in (0, 2, 8, 200)]
    assert [len(mine) for mine in ids] == [2, 2, 2, 0]
    found = launched_runs(instance, "s", planned, {ids[2][0]})
    assert [[(run.run_id, run.attempt, run.is_unfinished) for run in runs] for runs in found.values()] == [
        [(ids[2][0], 3, True), (ids[1][0], 2, False), (ids[0][0], 1, False)],
        [(ids[2][1], 3, False), (ids[1][1], 2, False), (ids[0][1], 1, False)],
    ]
    assert launched_runs(instance, "another sensor", planned, set()) == {
        subject_of("another sensor", one): [] for one in planned
    }


def test_however_many_runs_are_planned_each_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_history, "SUBJECTS_AT_ONCE", 2)
    looked: list[object] = []

    def runs(only: dg.RunsFilter) -> list[dg.DagsterRun]:
        looked.append(only.tags)
        return []

    instance = cast(dg.DagsterInstance, SimpleNamespace(get_runs=runs))
    days = [DAY + timedelta(days=number) for number in range(5)]
    planned = [PlannedRun(Launch("postgame", (), day, day), "key", "results") for day in days]
    found = launched_runs(instance, "raw_arrival", planned, ())
    assert found == {subject_of("raw_arrival", one): [] for one in planned}
    assert looked == [{PARTITION_TAG: [str(day) for day in days[start : start + 2]]} for start in (0, 2, 4)]


@pytest.mark.parametrize(("job", "counts"), [("postgame", True), ("full", True), ("pregame", False)])
def test_a_run_by_hand_counts_where_it_runs_the_same_assets(
    job: str, counts: bool, instance: dg.DagsterInstance
) -> None:
    create_run_for_test(instance, job_name=job, tags={PARTITION_TAG: str(DAY)}, status=dg.DagsterRunStatus.SUCCESS)
    create_run_for_test(
        instance, job_name=job, tags={PARTITION_TAG: str(DAY + timedelta(days=1))}, status=dg.DagsterRunStatus.SUCCESS
    )
    (runs,) = launched_runs(instance, "s", [PLANNED], set()).values()
    assert [run.input for run in runs] == [None] * counts


def failing(error: Callable[[], Exception]) -> dg.JobDefinition:
    @dg.op
    def step() -> None:
        raise error()

    @dg.job
    def job() -> None:
        step()

    return job


@pytest.mark.parametrize(
    ("error", "is_transient"),
    [
        (lambda: dg.Failure("step: 1 of 2 files could not be used", allow_retries=False), False),
        (lambda: OSError(28, "No space left on device"), True),
        (lambda: MemoryError("no memory"), True),
    ],
)
def test_a_step_that_judges_its_input_fails_for_good_and_one_that_breaks_need_not(
    error: Callable[[], Exception], is_transient: bool, instance: dg.DagsterInstance
) -> None:
    run = failing(error).execute_in_process(instance=instance, raise_on_error=False)
    failure = failure_of(instance, run.run_id)
    assert failure.is_transient is is_transient
    assert failure.reason.startswith("step: ")
    assert str(error()).removeprefix("step: ") in failure.reason


def test_a_run_that_was_killed_failed_for_a_transient_reason_and_one_that_succeeded_in_vain_did_not(
    instance: dg.DagsterInstance,
) -> None:
    killed = create_run_for_test(instance, job_name="postgame", status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(killed, "the process of the run ended without a word")
    assert failure_of(instance, killed.run_id) == Failure(
        "the process of the run ended without a word", is_transient=True
    )
    in_vain = create_run_for_test(instance, job_name="postgame", status=dg.DagsterRunStatus.SUCCESS)
    assert failure_of(instance, in_vain.run_id) == Failure(
        "it succeeded, and yet its tables are not up to date", is_transient=False
    )


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """A season of a small league, as its provider has it."""
    path = tmp_path_factory.mktemp("season")
    return Season(path, write_season(path, 2024, through=OPENING + timedelta(days=3), **SMALL_LEAGUE))


@pytest.fixture
def operator(season: Season, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """Of opening night everything has landed; requested jobs are executed on a DuckDB file."""
    for name, value in {**ENVIRONMENT, "NBA_ASSETS_WAREHOUSE_WAIT_SECONDS": "0.2"}.items():
        monkeypatch.setenv(name, value)
    forget_landed()
    season.land_schedule(own_home / "landing", OPENING)
    season.land(own_home / "landing", OPENING, RESULTS)
    warehouse = DuckDBWarehouse(own_home / "nba.duckdb", 0.2)
    warehouse.replace([Replacement(TABLE_PARTITIONS, empty(TABLE_PARTITIONS), [OPENING])])
    instance = dagster_instance()
    yield Operator(own_home / "landing", season, warehouse, instance, in_jobs=True, may_fail=True)
    instance.dispose()


def postgame(operator: Operator) -> int:
    """Runs of a tick of raw_arrival."""
    return len(operator.tick("raw_arrival"))


@pytest.mark.slow
def test_a_run_that_met_a_held_warehouse_is_repeated_until_the_date_is_built(
    operator: Operator, own_home: Path
) -> None:
    """Held by somebody else while runs fail, and between their ticks not; then it is free for good."""
    operator.around_runs = lambda: FileLock(f"{own_home / 'nba.duckdb'}.lock")
    begun, requested = operator.now, []
    for minute in range(30):
        operator.now = begun + minute * MINUTES
        requested += [minute] * postgame(operator)
    assert requested == [0, 2, 8, 26]
    assert "was still held after 0.2 s" in str(operator.reasons["raw_arrival"])
    for hour in range(1, 48):
        operator.now = begun + hour * HOURS
        if hour == 2:
            operator.around_runs = Operator.around_runs
        requested += [60 * hour] * postgame(operator)
    assert requested == [0, 2, 8, 26, 120]
    assert all(
        operator.partition_state()[table, OPENING]["row_count"]
        for table in ("player_game_summary", "team_offense_game_summary")
    )
    assert operator.reasons["raw_arrival"] == "nothing has landed that is not built"


def test_a_run_that_was_killed_is_repeated(operator: Operator) -> None:
    operator.in_jobs, operator.status = False, dg.DagsterRunStatus.STARTED
    assert postgame(operator) == 1
    (lost,) = operator.instance.get_runs()
    operator.now += 9 * HOURS
    assert postgame(operator) == 0
    assert operator.reasons["raw_arrival"] == f"{OPENING} waits: a run works on it"
    operator.instance.add_run_tags(lost.run_id, {PROCESS_TAG: operator.process_that_is_gone})
    operator.in_jobs = True
    assert postgame(operator) == 1
    assert operator.partition_state()["player_game_summary", OPENING]["row_count"]
    assert postgame(operator) == 0
