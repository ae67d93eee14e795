"""Sixty days of a small league with the sensors on, and something that goes wrong on most nights with games: at the end
every table is as if nothing had.

Ticks and most runs are made in this process on a warehouse in memory. Runs that are killed, that find the warehouse
held or the disk full are real ones, in processes of their own, on a DuckDB file. What goes wrong on which day follows
from the seed.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.test_utils import create_run_for_test

from nba_assets.automation.planned_runs import BECAUSE_TAG, PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG, TRIGGER_TAG
from nba_assets.automation.slates import end_of
from nba_assets.automation.staleness import ANNOUNCEMENTS
from nba_assets.definitions import defs
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.sensors import build_sensors
from nba_assets.raw.content_index import RESULTS, forget_landed
from nba_assets.raw.ingestion import IngestionError
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, WarehouseError
from nba_assets_tests import memory_warehouse
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration import at_work
from nba_assets_tests.orchestration.at_work import (
    ENVIRONMENT,
    HOURS,
    MINUTES,
    OPENING,
    Key,
    Operator,
    Ran,
    Season,
    build_tables,
    days_of,
    digests,
    fresh_digests,
    give_points,
)
from nba_assets_tests.orchestration.crashing import COMMIT, EVENT, FILE, STATEMENT, Order, Runs, running_elsewhere
from nba_assets_tests.seeds import seeds

RUN_KEY_TAG = "dagster/run_key"
UNFINISHED = [status for status in dg.DagsterRunStatus if status not in FINISHED_STATUSES]

DAYS = 60
LEAGUE: dict[str, Any] = {"teams": ("BOS", "LAL"), "games_per_team": 30}
"""A game every other day."""


class Disturbance(StrEnum):
    """What goes wrong."""

    KILLED = "a run is killed"
    HELD = "another process holds the warehouse"
    FULL = "the disk is full"
    LATE = "a file lands late"
    CORRECTED = "a landed file is corrected"
    BACK = "the clock goes back by half an hour"
    FORWARD = "the clock goes forward by two hours"
    RESTARTED = "the code server restarts"
    DEAD_TICK = "a tick dies after it has started runs"


TIMES = {
    Disturbance.KILLED: 4,
    Disturbance.HELD: 2,
    Disturbance.FULL: 2,
    Disturbance.LATE: 4,
    Disturbance.CORRECTED: 5,
    Disturbance.BACK: 3,
    Disturbance.FORWARD: 3,
    Disturbance.RESTARTED: 3,
    Disturbance.DEAD_TICK: 3,
}
"""How often each comes in sixty days."""

WITHIN_RUNS = (Disturbance.KILLED, Disturbance.HELD, Disturbance.FULL)
WITHOUT_LOOKS = (Disturbance.BACK, Disturbance.FORWARD, Disturbance.RESTARTED, Disturbance.DEAD_TICK)
"""After these the next look is not half a minute later than the one before."""

MOMENTS = {FILE: 60, STATEMENT: 400, EVENT: 1000, COMMIT: 13}
"""The moments of a run at which it may be killed, by kind: at most so many."""

NOTHING_FITS = 16_384
"""Bytes that no file may exceed where not even the event log can be written."""

PATIENCE_SECONDS = "1"
"""How long real runs and ticks wait for a held warehouse."""

UNTIL_RESTARTED = 15 * MINUTES

SETTLING = [*[HOURS] * 6, *[6 * HOURS] * 7]
"""Pauses after the last disturbance in which the sensors look again."""


class Clock(datetime):
    """The clock of this process's runs and of the warehouse in memory, which jumps."""

    jump = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.jump


@dataclass
class Happened:
    """A disturbance and the date of its night or its file; of a disturbed run, with its exit code (or minus the
    signal), also what it printed.
    """

    kind: Disturbance
    day: date
    runs_before: int = 0
    run_key: str | None = None
    code: int | None = None
    said: str = ""

    def __str__(self) -> str:
        return f"{self.day}: {self.kind}" + (f" ({self.run_key}, ended with {self.code})" if self.run_key else "")


@dataclass
class Life(Operator):
    """An operator whose work is disturbed."""

    elsewhere: Runs = field(kw_only=True)
    choice: random.Random = field(kw_only=True)
    pending: list[Happened] = field(default_factory=list)
    """Disturbances that wait for the next run."""
    happened: list[Happened] = field(default_factory=list)
    late: list[tuple[date, date, str]] = field(default_factory=list)
    """Files to come: when, of which date and table."""
    notes: list[str] = field(default_factory=list)
    """What the sensors said."""
    ran: list[Ran] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sensors = {sensor.name: sensor for sensor in build_sensors(clock=lambda: self.now + Clock.jump)}

    def tick(self, name: str, *, crash_before_cursor: bool = False) -> list[Ran]:
        """As the operator does it; what the sensor says is remembered."""
        ran = super().tick(name, crash_before_cursor=crash_before_cursor)
        self.notes += [said for said in [self.reasons[name]] if said]
        return ran

    def start(self, request: dg.RunRequest, tags: dict[str, str]) -> Ran:
        """Run a request, or let happen to it what waits for the next run."""
        job = defs.resolve_job_def(str(request.job_name))
        selected = request.asset_selection or job.asset_layer.executable_asset_keys
        start, end = (
            date.fromisoformat(tags.get(PARTITION_TAG) or tags[tag]) for tag in (RANGE_START_TAG, RANGE_END_TAG)
        )
        ran = Ran(job.name, tags[TRIGGER_TAG], start, end, frozenset(key.path[-1] for key in selected), tags)
        self.ran.append(ran)
        if self.pending:
            happened = self.pending.pop(0)
            happened.day, happened.run_key = start, tags[RUN_KEY_TAG]
            self.run_disturbed(happened, ran)
        else:
            self.run_undisturbed(ran)
        return ran

    def run_undisturbed(self, ran: Ran) -> None:
        """What a run does, in this process."""
        run = create_run_for_test(self.instance, job_name=ran.job, tags=ran.tags, status=dg.DagsterRunStatus.STARTED)
        try:
            build_tables(self.warehouse, self.landing, ran.assets, days_of(ran.start, ran.end), run.run_id)
        except (IngestionError, WarehouseError) as error:
            self.instance.report_run_failed(run, str(error))
        else:
            self.instance.report_dagster_event(
                dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, ran.job), run.run_id
            )

    def run_disturbed(self, happened: Happened, ran: Ran) -> None:
        """A run in a process of its own, on a file, that is disturbed."""
        environment = {**ENVIRONMENT, "NBA_ASSETS_WAREHOUSE_WAIT_SECONDS": PATIENCE_SECONDS}
        home = self.landing.parent
        order = Order(home, ran.job, tuple(sorted(ran.assets)), ran.start, ran.end, ran.tags, environment)
        with self.on_a_file(home / "nba.duckdb") as file:
            if happened.kind is Disturbance.KILLED:
                kind = self.choice.choice(list(MOMENTS))
                order = replace(
                    order, kind=kind, number=self.choice.randint(1, MOMENTS[kind]), share=self.choice.random()
                )
            elif happened.kind is Disturbance.FULL:
                order = replace(order, largest_file=self.choice.choice([NOTHING_FITS, file.path.stat().st_size // 2]))
            with holding(file.path) if happened.kind is Disturbance.HELD else nullcontext():
                ending = self.elsewhere.run(order)
                happened.code, happened.said = ending.code, ending.said
                if happened.kind is Disturbance.HELD:
                    self.look_at_held(file)

    def look_at_held(self, held: DuckDBWarehouse) -> None:
        """Ticks that find the warehouse held."""
        self.warehouse, tables = held, self.warehouse
        for name in self.sensors:
            assert super().tick(name) == []
            self.notes.append(str(self.reasons[name]))
        self.warehouse = tables

    @contextmanager
    def on_a_file(self, path: Path) -> Iterator[DuckDBWarehouse]:
        """The tables in a DuckDB file, and back in memory afterwards."""
        assert isinstance(self.warehouse, MemoryWarehouse)
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()
        file = DuckDBWarehouse(path, wait_seconds=float(PATIENCE_SECONDS))
        stored = {
            spec: rows
            for spec in ALL_TABLES.values()
            if (rows := self.warehouse.tables.get(spec.qualified_name)) is not None
        }
        file.replace(
            [Replacement(spec, rows, sorted(set(rows[spec.date_column].to_pylist()))) for spec, rows in stored.items()]
        )
        yield file
        for spec in ALL_TABLES.values():
            self.warehouse.tables[spec.qualified_name] = file.read(spec, spec.column_names, date.min, date.max)

    def live(self, day: date, disturbance: Disturbance | None) -> None:
        """A day: announcements at noon, results at night, and a disturbance in between."""
        Clock.jump = timedelta(0)
        self.now = end_of(day) - 12 * HOURS
        for due, of, table in [late for late in self.late if late[0] <= day]:
            self.season.land(self.landing, of, [table])
            self.late.remove((due, of, table))
        self.season.land_schedule(self.landing, day - timedelta(days=1))
        self.season.land(self.landing, day, ANNOUNCEMENTS)
        self.until_quiet()
        self.now = night_of(day)
        self.season.land_schedule(self.landing, day)
        results = self.choice.sample(RESULTS, len(RESULTS))
        if disturbance is not None:
            results = self.disturb(day, disturbance, results)
        self.season.land(self.landing, day, results[:2])
        self.tick("raw_arrival")
        self.season.land(self.landing, day, results[2:])
        self.tick("raw_arrival", crash_before_cursor=disturbance is Disturbance.DEAD_TICK)
        if disturbance is Disturbance.DEAD_TICK:
            self.now += UNTIL_RESTARTED
        self.until_quiet(
            restarts=self.choice if disturbance in (Disturbance.RESTARTED, Disturbance.DEAD_TICK) else None
        )

    def disturb(self, day: date, disturbance: Disturbance, results: list[str]) -> list[str]:
        """Disturb the night of a date; returns the tables whose results land in time."""
        happened = Happened(disturbance, day, runs_before=len(self.ran))
        self.happened.append(happened)
        if disturbance in WITHOUT_LOOKS:
            self.tick("raw_arrival")
        if disturbance in WITHIN_RUNS:
            self.pending.append(happened)
        elif disturbance is Disturbance.LATE:
            self.late.append((day + timedelta(days=self.choice.randint(1, 5)), day, results.pop()))
        elif disturbance is Disturbance.CORRECTED:
            (file,) = self.choice.choice(self.correctable()).glob("part.parquet")
            give_points(file, points=self.choice.choice([1, 2]))
            happened.day = date.fromisoformat(file.parent.name.removeprefix("game_date="))
        elif disturbance is Disturbance.BACK:
            Clock.jump = -30 * MINUTES
        elif disturbance is Disturbance.FORWARD:
            Clock.jump = 2 * HOURS
        elif disturbance is Disturbance.RESTARTED:
            forget_landed()
            self.now += UNTIL_RESTARTED
        return results

    def correctable(self) -> list[Path]:
        """The landed players' sheets and box scores, by date."""
        return sorted(
            folder for table in ("player_gamebook", "player_boxscores") for folder in (self.landing / table).iterdir()
        )

    def run_until_done(self) -> None:
        """Nothing happens any more, the last files land, and the sensors look now and then."""
        Clock.jump = timedelta(0)
        for _, of, table in self.late:
            self.season.land(self.landing, of, [table])
        for pause in SETTLING:
            self.now += pause
            self.until_quiet()

    def summary(self) -> str:
        """What happened, a line each."""
        return "\n".join(map(str, self.happened))

    def trace_of(self, happened: Happened, log: str) -> list[str]:
        """Where a disturbance can be found: in what the run printed, in the log of a failed run or of the sensors, in a
        sensor's note, in a later run's reason.
        """
        if happened.kind in WITHIN_RUNS:
            runs = self.instance.get_runs(
                dg.RunsFilter(tags={RUN_KEY_TAG: str(happened.run_key)}, statuses=[dg.DagsterRunStatus.FAILURE])
            )
            logs = [str(entry) for run in runs for entry in self.instance.all_logs(run.run_id)]
            # Where nothing can be written there is no log: the process says it.
            said = happened.said.splitlines() if happened.kind is Disturbance.FULL else []
            return [line for line in (*logs, *said) if any(word in line for word in WORDS[happened.kind])]
        if happened.kind is Disturbance.LATE:
            noted = [note for note in self.notes if f"{happened.day} waits: " in note]
            return noted + [
                ran.tags[BECAUSE_TAG] for ran in self.ran if ran.start == happened.day and ran.tags.get(BECAUSE_TAG)
            ]
        if happened.kind in WITHOUT_LOOKS:
            return [line for line in log.splitlines() if f"{night_of(happened.day):%Y-%m-%d %H:%M}" in line]
        later = self.ran[happened.runs_before :]
        return [ran.trigger for ran in later if ran.job == "postgame" and ran.start <= happened.day <= ran.end]


WORDS = {
    Disturbance.KILLED: ["ended without a word"],
    Disturbance.HELD: ["was still held", "holds the warehouse"],
    Disturbance.FULL: [
        "disk I/O error",
        "disk is full",
        "File too large",
        "cannot be written",
        "refused, and keeps what it had",
    ],
}
"""What tells of disturbances within runs."""


def night_of(day: date) -> datetime:
    """When the results of a date land."""
    return end_of(day) + 4 * HOURS


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """A process, such as a notebook, that has the warehouse's file open."""
    command = [
        sys.executable,
        "-c",
        f"import duckdb; held = duckdb.connect({str(path)!r}); print('held', flush=True); input()",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate("\n")


def digests_of_rows(warehouse: MemoryWarehouse) -> dict[Key, str]:
    """What every computed table holds on each date, from the rows themselves."""
    found: dict[Key, str] = {}
    for name, spec in COMPUTED_TABLES.items():
        rows = warehouse.tables[spec.qualified_name]
        hashes, dates = row_hashes(spec, rows), to_columns(rows.select([spec.date_column]))[spec.date_column]
        found |= {(name, day): partition_digest(hashes[dates == day]) for day in set(dates.tolist())}
    return found


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    path = tmp_path_factory.mktemp("season")
    return Season(path, write_season(path, 2024, **LEAGUE))


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Runs]:
    with running_elsewhere() as runs:
        yield runs


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(1, first=1))
def test_sixty_days_end_as_if_nothing_had_gone_wrong(
    seed: int,
    season: Season,
    elsewhere: Runs,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for module in (at_work, memory_warehouse):
        monkeypatch.setattr(module, "datetime", Clock)
    (own_home / "landing").mkdir(parents=True)
    forget_landed()
    choice = random.Random(seed)
    with dagster_instance() as instance:
        life = Life(own_home / "landing", season, MemoryWarehouse(), instance, elsewhere=elsewhere, choice=choice)
        disturbances = [disturbance for disturbance, times in TIMES.items() for _ in range(times)]
        choice.shuffle(disturbances)
        season.land_schedule(life.landing, OPENING - timedelta(days=1))
        game_days = set(life.game_days())
        try:
            for day in days_of(OPENING, OPENING + timedelta(days=DAYS - 1)):
                # The first night is a quiet one: there is something to correct after it.
                life.live(day, disturbances.pop() if day in game_days and day != OPENING and disturbances else None)
            life.run_until_done()
            assert_as_if_nothing_had_happened(life, capsys.readouterr().err)
        except Exception as error:
            error.add_note(f"seed {seed}\n{life.summary()}")
            raise
        finally:
            Clock.jump = timedelta(0)


def assert_as_if_nothing_had_happened(life: Life, log: str) -> None:
    """Every table of every date is that of a clean backfill, no run is unfinished, and every disturbance can be found;
    `log` is what the sensors logged.
    """
    assert isinstance(life.warehouse, MemoryWarehouse)
    played = [day for day in life.game_days() if day < OPENING + timedelta(days=DAYS)]
    stored = digests(life.partition_state())
    missing = {(table, day) for day in played for table in COMPUTED_TABLES} - set(stored)
    assert not missing, (
        f"never built: {sorted(missing, key=str)[:5]}, {len(missing)} in all; the sensors say {life.reasons}"
    )
    fresh = fresh_digests(life)
    different = sorted(key for key in stored if stored[key] != fresh[key])
    assert not different, f"not as built anew: {different[:5]}, {len(different)} in all; the sensors say {life.reasons}"
    rows = digests_of_rows(life.warehouse)
    assert all(stored[key] == digest for key, digest in rows.items()), (
        "the entries of partitions are not those of the rows"
    )
    unfinished = life.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    assert not unfinished, f"unfinished: {[(run.job_name, run.status, run.tags) for run in unfinished]}"
    # A run may end before the moment at which it was to be killed, or need no more room than there is.
    untraced = [str(each) for each in life.happened if each.code != 0 and not life.trace_of(each, log)]
    assert not untraced, f"nothing tells of: {untraced}"
