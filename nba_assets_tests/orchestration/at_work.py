"""A pipeline at work: a season that lands bit by bit, and somebody who turns the sensors on and runs what they request.

Most runs go through the pipeline without Dagster's execution and on a warehouse in memory, which together take longer
than everything else; they are noted in a real instance all the same.
"""

from __future__ import annotations

import math
import os
import random
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dagster._core.test_utils import create_run_for_test

from nba_assets.automation.planned_runs import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, TRIGGER_TAG
from nba_assets.automation.slates import slates
from nba_assets.definitions import defs
from nba_assets.orchestration.sensors import build_sensors
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.processes import this_process
from nba_assets.raw.content_index import forget_landed, landed_index
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import SeasonSummary
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import SCHEDULE_HISTORY, TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import (
    Warehouse,
)
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import ingest_all, prepared, table_run

ENVIRONMENT = {"NBA_ASSETS_BOOTSTRAP_DAYS": "2", "NBA_ASSETS_CACHE_MINIMUM_GAMES": "1"}
OPENING = date(2024, 10, 22)
BUILT = date(2024, 11, 1)
"""Last date of which the common home has results; of the next one only pregame tables are built."""
NEXT = date(2024, 11, 2)
YEARS_LATER = datetime(2026, 3, 1, 17, tzinfo=UTC)
HOURS, MINUTES = timedelta(hours=1), timedelta(minutes=1)
RUN_KEY_TAG, SENSOR_TAG = "dagster/run_key", "dagster/sensor_name"
POINTS = frozenset(PREGAME_TABLES)
"""Tables of later dates that a player's points can reach: all of them, since a sum of players that is not the team's is
an issue of the team's rows.
"""

Key = tuple[str, date]


def days_of(start: date, end: date) -> list[date]:
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def build_tables(
    warehouse: Warehouse, landing: Path, names: Collection[str], days: Sequence[date], run_id: str = "test"
) -> None:
    """What a run of these assets does, without Dagster around it."""
    raw = [name for name in RAW_TABLES if name in names]
    ingest_all(warehouse, landing, days, raw, run_id=run_id, now=datetime.now(UTC))
    for name in TABLE_MODULES:
        if name in names:
            build_table(warehouse, name, days, run_id)()


def build_table(warehouse: Warehouse, name: str, days: Sequence[date], run_id: str = "test") -> Callable[[], object]:
    """Compute a table; what comes back publishes it."""
    settings, now = Settings.from_environment(), datetime.now(UTC)
    return prepared(table_run(warehouse, name, days, settings=settings, run_id=run_id, now=now)).write


@dataclass
class Season:
    """A simulated season as its provider has it, to be landed bit by bit."""

    path: Path
    summary: SeasonSummary

    def files(self, table: str, day: date, *, correction: bool = False) -> list[Path]:
        """A date's files of a table."""
        column = "roster_date" if table == "rosters" else "game_date"
        found = sorted((self.path / table / f"{column}={day}").glob("*.parquet"))
        return [file for file in found if ("correction" in file.name) == correction]

    def land(self, landing: Path, day: date, tables: Collection[str], *, correction: bool = False) -> None:
        """Copy a date's files of some tables."""
        for file in (file for table in tables for file in self.files(table, day, correction=correction)):
            target = landing / file.relative_to(self.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

    def land_schedule(self, landing: Path, through: date) -> None:
        """The schedule as it stands after the games of a date, and the registry."""
        (file,) = (self.path / "schedule").rglob("*.parquet")
        target = landing / file.relative_to(self.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(schedule_after(pq.read_table(file), through), target)
        shutil.copytree(self.path / "player_registry", landing / "player_registry", dirs_exist_ok=True)

    def land_all(self, landing: Path, start: date, end: date) -> None:
        """Everything that there is of some dates."""
        for day in days_of(start, end):
            for correction in (False, True):
                self.land(landing, day, set(RAW_TABLES), correction=correction)
        self.land_schedule(landing, end)


def schedule_after(games: pa.Table, through: date) -> pa.Table:
    """A season's games as they stand after those of a date: the others are still to be played."""
    ahead = pc.greater(games["game_date"], pa.scalar(through))
    for name, value in (
        ("game_status", 1),
        ("home_team_score", None),
        ("away_team_score", None),
        ("winning_team_abbr", None),
    ):
        kind = games.schema.field(name).type
        values = pc.if_else(ahead, pa.scalar(value, kind), games[name])
        games = games.set_column(games.column_names.index(name), name, values)
    return games


class GivenWarehouse(WarehouseResource):
    """The warehouse that stands under the address."""

    def open(self, longest_wait: float = math.inf) -> Warehouse:
        """The very object that was given, or its file with a shorter wait."""
        given = GIVEN[str(self.address)]
        if isinstance(given, DuckDBWarehouse) and longest_wait < given.wait_seconds:
            return DuckDBWarehouse(given.path, longest_wait)
        return given


GIVEN: dict[str, Warehouse] = {}


class Ran(NamedTuple):
    """A run that a sensor requested."""

    job: str
    trigger: str
    start: date
    end: date
    assets: frozenset[str]
    tags: dict[str, str]

    @property
    def short(self) -> tuple[str, str, date, date]:
        """What matters most."""
        return self.job, self.trigger, self.start, self.end


@dataclass
class Operator:
    """Turns the sensors on, and stands in for the daemon: it makes ticks, keeps cursors and starts what is requested,
    once per run key.
    """

    landing: Path
    season: Season
    warehouse: Warehouse
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)
    now: datetime = YEARS_LATER
    in_jobs: bool = False
    """Execute the requested jobs; the warehouse is the one of the environment then."""
    may_fail: bool = False
    """Executed jobs may fail; otherwise that is an error of the test."""
    around_runs: Callable[[], AbstractContextManager[object]] = nullcontext
    """What is the case while a run is executed."""
    status: dg.DagsterRunStatus | None = None
    """Runs are left in this status, and do nothing, unless jobs are executed."""
    fails: Callable[[Ran], bool] = lambda _: False
    cursors: dict[str, str | None] = field(default_factory=dict)
    reasons: dict[str, str | None] = field(default_factory=dict)
    ignored: int = 0

    def __post_init__(self) -> None:
        self.sensors = {sensor.name: sensor for sensor in build_sensors(clock=lambda: self.now)}

    def tick(self, name: str, *, crash_before_cursor: bool = False) -> list[Ran]:
        """One evaluation, and the runs that come of it."""
        GIVEN["here"] = self.warehouse
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(name),
            repository_def=defs.get_repository_def(),
            sensor_name=name,
            resources={"warehouse": GivenWarehouse(address="here")},
        ) as context:
            result = self.sensors[name].evaluate_tick(context)
        self.reasons[name] = result.skip_message
        ran = []
        for request in result.run_requests or ():
            tags = {**request.tags, RUN_KEY_TAG: str(request.run_key), SENSOR_TAG: name}
            if self.instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: str(request.run_key), SENSOR_TAG: name})):
                self.ignored += 1
            else:
                ran.append(self.start(request, tags))
        if not crash_before_cursor:
            self.cursors[name] = result.cursor
        return ran

    def start(self, request: dg.RunRequest, tags: dict[str, str]) -> Ran:
        """Run a request to its end."""
        job = defs.resolve_job_def(str(request.job_name))
        selected = request.asset_selection or job.asset_layer.executable_asset_keys
        start, end = (
            date.fromisoformat(tags.get(PARTITION_TAG) or tags[tag]) for tag in (RANGE_START_TAG, RANGE_END_TAG)
        )
        ran = Ran(job.name, tags[TRIGGER_TAG], start, end, frozenset(key.path[-1] for key in selected), tags)
        if self.in_jobs:
            with self.around_runs():
                result = job.execute_in_process(
                    instance=self.instance, tags=tags, asset_selection=list(selected), raise_on_error=not self.may_fail
                )
            assert result.success or self.may_fail
            return ran
        status = self.status or (dg.DagsterRunStatus.FAILURE if self.fails(ran) else dg.DagsterRunStatus.SUCCESS)
        create_run_for_test(self.instance, job_name=job.name, tags=tags, status=status)
        if status is dg.DagsterRunStatus.SUCCESS:
            build_tables(self.warehouse, self.landing, ran.assets, days_of(start, end), tags[RUN_KEY_TAG])
        return ran

    @property
    def process_that_is_gone(self) -> str:
        """This process under a moment at which it did not begin, as a killed run has noted its own."""
        return f"{this_process().rsplit(':', 1)[0]}:1.00"

    def until_quiet(self, *, restarts: random.Random | None = None) -> list[Ran]:
        """Ticks of both sensors until none of them asks for anything; with restarts of their process in between."""
        ran: list[Ran] = []
        for _ in range(20):
            before = len(ran)
            for name in self.sensors:
                if restarts is not None and restarts.random() < 0.3:
                    forget_landed()
                ran += self.tick(name)
            if len(ran) == before:
                return ran
        raise AssertionError(f"the sensors never rest: {[one.short for one in ran]}")

    def partition_state(self, tables: Collection[str] = tuple(COMPUTED_TABLES)) -> dict[Key, dict[str, Any]]:
        """The state of partitions of the computed tables."""
        rows = self.warehouse.read(
            TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, OPENING, date(2025, 7, 1), {"table_name": list(tables)}
        )
        return {(row["table_name"], row["partition_date"]): row for row in rows.to_pylist()}

    def game_days(self) -> list[date]:
        """Dates with league games."""
        found = slates(landed_index(FolderLandingZone(self.landing)).look(date(2025, 7, 1), YEARS_LATER).schedule)
        return [day for day in sorted(found) if found[day].games]


def fresh_digests(operator: Operator) -> dict[Key, str]:
    """The digests of everything that the operator has built, built anew from what has landed, and from what is known of
    when it was announced: summaries, and pregame tables, each in one run.
    """
    partition_state = operator.partition_state()
    history = operator.warehouse.read(SCHEDULE_HISTORY, SCHEDULE_HISTORY.column_names, date.min, date.max)
    warehouse = MemoryWarehouse({SCHEDULE_HISTORY.qualified_name: history})
    days = days_of(OPENING, max(day for _, day in partition_state))
    with_summaries = [day for day in days if ("player_game_summary", day) in partition_state]
    build_tables(warehouse, operator.landing, RAW_TABLES, days)
    build_tables(warehouse, operator.landing, GAME_SUMMARIES, with_summaries)
    build_tables(warehouse, operator.landing, PREGAME_TABLES, days)
    rows = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), OPENING, days[-1])
    fresh = {(row["table_name"], row["partition_date"]): row["digest"] for row in rows.to_pylist()}
    return {key: fresh[key] for key in partition_state}


def digests(partition_state: dict[Key, dict[str, Any]]) -> dict[Key, str]:
    return {key: entry["digest"] for key, entry in partition_state.items()}


def rebuilt(before: dict[Key, dict[str, Any]], after: dict[Key, dict[str, Any]]) -> set[Key]:
    """Dates of computed tables that a run has written."""
    return {key for key in after if key not in before or after[key]["run_id"] != before[key]["run_id"]}


def changed(before: dict[Key, dict[str, Any]], after: dict[Key, dict[str, Any]]) -> set[Key]:
    """Dates of computed tables whose content is another one."""
    return {key for key in before if after[key]["digest"] != before[key]["digest"]}


def give_points(file: Path, *, points: int = 2) -> None:
    """Correct the line of the first player who scored: free throws more or fewer, and the points that they give."""
    rows = pq.read_table(file)
    place = next(number for number, scored in enumerate(rows["points"].to_pylist()) if scored)
    for name in ("points", "free_throws_made", "free_throws_attempted"):
        counts = rows[name].to_pylist()
        counts[place] += points
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(counts, rows.schema.field(name).type))
    pq.write_table(rows, file)


def touch_all(landing: Path) -> None:
    for file in landing.rglob("*.parquet"):
        shutil.copy(file, file.with_suffix(".tmp"))
        file.with_suffix(".tmp").replace(file)
        os.utime(file)
