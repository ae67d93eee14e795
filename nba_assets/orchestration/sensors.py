"""The sensors: they gather what `arrival`, `staleness` and `requests` decide from, and hand on what these decide.

Nothing is decided here.

Both are off until somebody turns them on. What cannot be reached for the moment (the landing zone, the warehouse) skips
a tick and leaves the cursor alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from nba_assets.automation.arrival import State, decide
from nba_assets.automation.planned_runs import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, PlannedRun
from nba_assets.automation.requests import Selection, select
from nba_assets.automation.slates import league_date
from nba_assets.automation.staleness import PARTITION_COLUMNS, Graph, PartitionState, repairs
from nba_assets.automation.stored_state import read_state
from nba_assets.orchestration.jobs import JOBS, POSTGAME, PREGAME
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.orchestration.run_history import failure_of, launched_runs, run_request
from nba_assets.orchestration.run_workers import fail_dead_runs
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.partitions import days_between
from nba_assets.raw.content_index import landed_index
from nba_assets.raw.landing import LandingZone, LandingZoneError
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.warehouse.interface import Warehouse, WarehouseError

if TYPE_CHECKING:
    from dagster import DagsterInstance

SECONDS_BETWEEN_LOOKS = 30
LONGEST_WAIT_SECONDS = 10.0
"""How long a tick waits for a warehouse that somebody else holds; the next tick comes soon enough."""

FORGOTTEN_AFTER = timedelta(hours=1)
"""A run that has not moved for this long is taken for lost, e.g. because its process was killed: nothing waits for it
any more.
"""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
UI_JOB = "__ASSET_JOB"
"""What Dagster calls the job of a "Materialize" in the asset graph."""

SHOWN_NOTES = 5

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def build_sensors(clock: Clock = _now, landing: Callable[[], LandingZone] = landing_zone) -> list[dg.SensorDefinition]:
    """The sensors; `clock` gives the time of decisions."""

    @dg.sensor(
        name="raw_arrival",
        jobs=[POSTGAME, PREGAME],
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=(
            "Watches the landing zone. Complete results of a date start postgame for it, announcements of games "
            "ahead start pregame. Incomplete results are run for after a deadline, and the run's tags say what is "
            "missing. The cursor holds the dates that wait."
        ),
    )
    def raw_arrival(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource
    ) -> dg.SensorResult | dg.SkipReason:
        now = clock()
        today = league_date(now)
        try:
            landed = landed_index(landing()).look(today, now)
            partition_state = read_partition_state(warehouse.open(LONGEST_WAIT_SECONDS), today)
        except (LandingZoneError, WarehouseError) as error:
            return dg.SkipReason(str(error))
        decision = decide(State.from_json(context.cursor), landed, partition_state, now, Settings.from_environment())
        if decision.clock is not None:
            context.log.warning(decision.clock)
        selection = _selected(context, decision.planned, now)
        return _result(context, selection, decision.state.to_json(), [*selection.notes, *decision.notes])

    @dg.sensor(
        name="stale_dates",
        jobs=[POSTGAME, PREGAME],
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=(
            "Watches the state of partitions. Dates whose inputs have changed since they were built are built again, "
            "as one range, and the tables of the next date with games are built once the results before it are in. "
            "Dates built by older code are only counted."
        ),
    )
    def stale_dates(
        context: dg.SensorEvaluationContext, warehouse: WarehouseResource
    ) -> dg.SensorResult | dg.SkipReason:
        if running := unfinished_runs(context.instance):
            return dg.SkipReason(f"waits for {len(running)} unfinished runs, the first is {running[0].run_id}")
        now = clock()
        today = league_date(now)
        try:
            opened = warehouse.open(LONGEST_WAIT_SECONDS)
            with opened.session():
                state = read_state(opened, today)
        except WarehouseError as error:
            return dg.SkipReason(str(error))
        planned = repairs(
            state.stale(today), state.partition_state, state.inputs, reading_graph(), state.game_days, today
        )
        selection = _selected(context, planned.postgame, now)
        if not selection.launches:
            pregame = _selected(context, planned.pregame, now)
            selection = Selection(pregame.launches, [*selection.notes, *pregame.notes])
        at_rest = [] if selection.launches or selection.notes else ["every built date is up to date"]
        return _result(context, selection, None, [*at_rest, *selection.notes, *map(str, state.outdated())])

    return [raw_arrival, stale_dates]


def read_partition_state(warehouse: Warehouse, today: date) -> PartitionState:
    """The state of the partitions of all raw and computed tables."""
    names = [*RAW_TABLES, *COMPUTED_TABLES]
    return PartitionState.of(
        to_columns(warehouse.read(TABLE_PARTITIONS, PARTITION_COLUMNS, date.min, today, {"table_name": names}))
    )


def reading_graph() -> Graph:
    """What each computed table reads."""
    return {name: table.inputs for name, table in COMPUTED_TABLES.items()}


def unfinished_runs(instance: DagsterInstance) -> list[dg.DagsterRun]:
    """Runs of this pipeline that are waiting or at work; those whose process is gone are failed first."""
    fail_dead_runs(instance)
    ours = {job.name for job in JOBS} | {UI_JOB}
    # What the instance has noted is by the real clock, whatever the decisions go by.
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED, updated_after=_now() - FORGOTTEN_AFTER))
    return [run for run in runs if run.job_name in ours]


def _dates_of(run: dg.DagsterRun) -> list[date]:
    single = run.tags.get(PARTITION_TAG)
    start, end = run.tags.get(RANGE_START_TAG, single), run.tags.get(RANGE_END_TAG, single)
    if start is None or end is None:
        return []
    return days_between(date.fromisoformat(start), date.fromisoformat(end))


def _selected(context: dg.SensorEvaluationContext, planned: Sequence[PlannedRun], now: datetime) -> Selection:
    """The runs to launch now of those that are planned."""
    if not planned:
        return Selection([], [])
    sensor, settings, unfinished = context.sensor_name, Settings.from_environment(), unfinished_runs(context.instance)
    return select(
        sensor,
        planned,
        launched_runs(context.instance, sensor, planned, {run.run_id for run in unfinished}),
        lambda run: failure_of(context.instance, run.run_id),
        now,
        attempts=settings.request_attempts,
        limit=settings.requests_per_tick,
        running={day for run in unfinished for day in _dates_of(run)},
    )


def _result(
    context: dg.SensorEvaluationContext, selection: Selection, cursor: str | None, notes: Sequence[str]
) -> dg.SensorResult:
    """The launches, with the notes in the log, or the notes as the reason why there are none."""
    shown = [*notes[:SHOWN_NOTES], *([f"and {len(notes) - SHOWN_NOTES} more"] if len(notes) > SHOWN_NOTES else [])]
    if not selection.launches:
        return dg.SensorResult(
            skip_reason=dg.SkipReason("; ".join(shown) or "nothing has landed that is not built"), cursor=cursor
        )
    for note in shown:
        context.log.info(note)
    return dg.SensorResult(run_requests=[run_request(attempt) for attempt in selection.launches], cursor=cursor)
