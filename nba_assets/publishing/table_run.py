"""One table, computed for the dates of one run: its bounded reads, its parallel compute, and what both took.

A table's module describes what to read and compute in terms of a `TableRun`; neither it nor this module knows Dagster.
Publishing what was computed is in `publication`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.season import LONGEST_SEASON_DAYS, SeasonCalendar, first_of_july
from nba_assets.entities.chunks import MOMENTS, NUMBERS, OBJECTS, Compute
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, length, take
from nba_assets.entities.parallel import ENTITY_TYPES, EntityKind, ParallelEntities
from nba_assets.publishing.circuit_breaker import CircuitBreaker
from nba_assets.publishing.input_state import InputState
from nba_assets.publishing.scope import Scope, WholeDates
from nba_assets.raw.schedule import FINAL_COLUMNS, league_finals, league_games
from nba_assets.raw.schedule_history import ScheduleHistory
from nba_assets.raw.tables import SCHEDULE
from nba_assets.settings import Settings
from nba_assets.tables import blocks
from nba_assets.tables.bookkeeping import CHANGE_COLUMNS, TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import SHARED_NOTICES, Columns, Table, Type
from nba_assets.warehouse.interface import Changed, Value, Warehouse

STAMPS = tuple(column.name for column in (*blocks.STAMPS, *blocks.REPROCESSING))
"""Columns that publishing fills."""

RUN_SCHEDULE_COLUMNS = ("game_id", "game_date", "season_year", *FINAL_COLUMNS)
"""What every run reads of the schedule."""

ARRAY_KINDS = {
    Type.STRING: OBJECTS,
    Type.STRINGS: OBJECTS,
    Type.FLOATS: OBJECTS,
    Type.DATE: MOMENTS,
    Type.TIMESTAMP: MOMENTS,
}
"""Kinds of numpy arrays that a column of a type may be computed as, where these are not numbers."""


@dataclass(frozen=True)
class Read:
    """One bounded read of an upstream table: which dates, how many rows came back."""

    table: Table
    start: date
    end: date
    row_count: int


@dataclass
class TableRun:
    """The computation of `table` for `dates` (ascending calendar days), those that are not refused."""

    table: Table
    dates: Sequence[date]
    warehouse: Warehouse
    entities: ParallelEntities
    settings: Settings
    run_id: str
    now: datetime
    """When the run began to read."""
    log: Callable[[str], None] = lambda _: None
    scope: Scope = field(default_factory=WholeDates)
    """Which rows of the dates are computed: all, or of a retry those that failed."""
    reads: list[Read] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("read", "compute", "write"), 0.0))
    entity_count: int = 0
    requested: Columns = field(default_factory=dict, repr=False)
    """`date` and `entity` of every row that was to be computed."""
    breaker: CircuitBreaker | None = None
    """Of a run of a single date, once its rows are computed."""
    _session: ExitStack | None = field(default=None, repr=False)
    """Of `reading`: what keeps the warehouse's connection open, once something was read."""
    notes: dict[str, Any] = field(default_factory=dict)
    """Facts of the run that a table wants to show beside its rows, e.g. a feed that was absent."""
    date_notes: dict[date, dict[str, Any]] = field(default_factory=dict)
    """The same of single dates, e.g. why one has no rows."""
    notices: dict[str, list[tuple[date, str]]] = field(default_factory=dict)
    """What the run reports of its inputs, by the name of the table's `Notice`: the date concerned, and what is odd."""
    input_state: InputState | None = None
    """The inputs of the run as they stood when it began to read."""
    built_from: Mapping[date, str] = field(default_factory=dict, repr=False)
    """What is recorded of that with each date."""
    as_begun: Changed | None = None
    """The entries of the run's dates as they stood when it began: its write is conditional on them."""
    refused: dict[date, str] = field(default_factory=dict)
    """Dates of the run that are not published, with the reason.

    `dates` are the others, from the moment at which they are refused.
    """
    records: list[tuple[Table, list[Columns]]] = field(default_factory=list)
    """Bookkeeping tables with parts of their rows for this run, without stamps: replaced for its table and dates in the
    transaction that writes its rows.
    """
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    """What tells, when rows are about to be written, whether a game has begun."""

    @property
    def start(self) -> date:
        """First date of the run."""
        return self.dates[0]

    @property
    def end(self) -> date:
        """Last date of the run."""
        return self.dates[-1]

    @property
    def days(self) -> NDArray[np.datetime64]:
        """The run's dates as an array."""
        return np.array(self.dates, dtype="M8[D]")

    def refuse(self, reasons: Mapping[date, str]) -> None:
        """Leave dates of the run out of what is published; each keeps what it had."""
        self.refused |= reasons
        self.dates = [day for day in self.dates if day not in self.refused]
        self.requested = (
            take(self.requested, np.isin(self.requested["date"], self.days))
            if self.requested and reasons
            else self.requested
        )

    def begin(self) -> Changed:
        """Remember the entries of the run's dates as they stand now, unless that was done before: the run's write is
        conditional on them.
        """
        if self.as_begun is None:
            self.as_begun = entries_of(self.warehouse, self.table, self.dates)
        return self.as_begun

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads within the block share connections, which last from a read until something is computed: others wait for
        no computation.
        """
        self._session = ExitStack()
        try:
            yield
        finally:
            self._session.close()
            self._session = None

    def session(self) -> AbstractContextManager[None]:
        """Reads within the block share one connection, which lasts on where the run is `reading`."""
        self._share_connection()
        return self.warehouse.session()

    def _share_connection(self) -> None:
        if self._session is not None:
            self._session.enter_context(self.warehouse.session())

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        start: date | None = None,
        end: date | None = None,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Columns of an upstream table, dated within the run unless told otherwise; remembered for the run's lineage.

        What was read to note the run's inputs is not read again: the rows are those whose state is recorded.

        Raises ValueError for a table that is not among the inputs, and for dates after the run's of any but the
        schedule: what is not declared would not be known to make dates stale.
        """
        first, last = start or self.start, end or self.end
        if table.name not in self._declared or (last > self.end and table is not SCHEDULE.table):
            raise ValueError(
                f"{self.table.qualified_name} reads {table.qualified_name} from {first} to {last}, which is not among "
                f"its declared inputs: add it to the inputs of its Table ({', '.join(sorted(self._declared))})"
            )
        with self.timed("read"):
            state = self.input_state
            rows = None if state is None else state.rows_read(table, columns, first, last, where or {})
            if rows is None:
                self._share_connection()
                rows = to_columns(self.warehouse.read(table, columns, first, last, where))
            self.reads.append(Read(table, first, last, length(rows)))
            return rows

    def schedule_history(self) -> ScheduleHistory:
        """The changes of the schedule around the run's dates, for a table that reads it as it was known; to be read in
        one session with the schedule, or after it.
        """
        if not any(source.as_known for source in self.table.inputs):
            return ScheduleHistory.none()
        with self.timed("read"):
            self._share_connection()
            return ScheduleHistory.read(self.warehouse, self.season_start, self.season_end)

    @cached_property
    def _declared(self) -> frozenset[str]:
        """Names of the tables that may be read; the schedule tells the seasons of every run."""
        return frozenset({SCHEDULE.name, *(source.table.name for source in self.table.inputs)})

    def read_days(self, table: Table, columns: Sequence[str], days: NDArray[np.datetime64]) -> dict[str, NDArray[Any]]:
        """Columns of an upstream table on some of the run's dates alone: what a table reads of its own date."""
        rows = self.read(table, columns)
        return take(rows, np.isin(rows[table.date_column], days))

    @cached_property
    def schedule(self) -> Columns:
        """The games of the seasons around the run's dates."""
        return self.read(
            SCHEDULE.table,
            RUN_SCHEDULE_COLUMNS,
            start=self.start - timedelta(days=LONGEST_SEASON_DAYS),
            end=self.end + timedelta(days=LONGEST_SEASON_DAYS),
        )

    @cached_property
    def calendar(self) -> SeasonCalendar:
        """The seasons around the run's dates, from the schedule."""
        games = self.schedule
        return SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"] == 1)

    def season_columns(self, days: NDArray[np.datetime64]) -> dict[str, NDArray[Any]]:
        """What the season says of each of some dates: `season_start`, `days_into_season`, `is_bootstrap`,
        `is_boundary`.
        """
        days = days.astype("M8[D]")
        # Thousands of rows have the same date.
        span = np.arange(days.min(), days.max() + 1) if len(days) else days
        of_span = {
            "season_start": self.calendar.first_day(span),
            "days_into_season": self.calendar.days_into_season(span).astype(np.float64),
            "is_bootstrap": self.calendar.is_bootstrap(span).astype(np.float64),
            "is_boundary": self.calendar.is_boundary(span).astype(np.float64),
        }
        return take(of_span, (days - span[:1]).astype(np.intp))

    @cached_property
    def game_days(self) -> NDArray[np.datetime64]:
        """Those of the run's dates for which league games are scheduled."""
        games = self.schedule
        return np.intersect1d(self.days, games["game_date"][league_games(games)])

    @cached_property
    def final_days(self) -> NDArray[np.datetime64]:
        """Every date of the schedule around the run that has final league games, ascending: dates that should have
        results.
        """
        games = self.schedule
        return np.unique(games["game_date"][league_finals(games)])

    @cached_property
    def season_start(self) -> date:
        """First day of the season of the run's first date: nothing before it is ever needed."""
        first: date = self.calendar.first_day(self.days[:1])[0].item()
        return first

    @property
    def season_dated(self) -> date:
        """The date under which stands what belongs to the whole season of the run's first date."""
        july: date = first_of_july(self.calendar.season_of(self.days[:1]))[0].item()
        return july

    @property
    def season_end(self) -> date:
        """A date after the last game of the season of the run's last date: how far a published schedule is read
        ahead.
        """
        return self.end + timedelta(days=LONGEST_SEASON_DAYS)

    def map(
        self,
        kind: EntityKind,
        compute: Compute,
        requested: Grouped,
        histories: Mapping[str, Grouped] | None = None,
        shared: Any = None,
        columns: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Compute something about every requested entity and date; `columns` as in `ParallelEntities.map`."""
        if self._session is not None:
            self._session.close()
        with self.timed("compute"):
            return self.entities.map(kind, compute, requested, histories or {}, shared, self.log, columns)

    def map_rows(
        self,
        kind: EntityKind,
        compute: Compute,
        requested: Grouped,
        histories: Mapping[str, Grouped] | None = None,
        shared: Any = None,
    ) -> Outcome:
        """Compute the table's rows: as `map`, but of its scope only, and entities whose circuit breaker is tripped are
        not computed, and get a failure record that says so.

        The breaker works in runs of a single date; a backfill tries everybody again.
        """
        histories = histories or {}
        columns = {
            column.name: ARRAY_KINDS.get(column.type, NUMBERS)
            for column in self.table.columns
            if column.name not in STAMPS
        }
        requested = self._of_open_dates(self.scope.only(requested))
        self.entity_count = len(requested.entities)
        self.requested = {
            "date": requested.columns[requested.date_column],
            "entity": np.repeat(np.array(requested.entities, dtype=object), np.diff(requested.bounds)),
        }
        if len(self.dates) > 1:
            return self.map(kind, compute, requested, histories, shared, columns)
        with self.timed("read"):
            self._share_connection()
            self.breaker = CircuitBreaker.of(
                self.warehouse, self.table, self.start, self.now, self.table.code_version, requested, histories
            )
            not_computed = self.breaker.active(ENTITY_TYPES[kind])
        if not_computed:
            names = not_computed["entity_id"].tolist()
            self.log(
                f"Circuit breaker: {len(names)} {kind} not computed after repeated failures: {', '.join(names[:5])}"
            )
            requested = requested.chunk([entity for entity in requested.entities if entity not in set(names)])
        outcome = self.map(kind, compute, requested, histories, shared, columns)
        together = concatenate([outcome.failures, not_computed])
        order = (
            np.argsort(together["entity_id"].astype(str), kind="stable") if together else np.array([], dtype=np.intp)
        )
        return Outcome(outcome.rows, take(together, order))

    def _of_open_dates(self, requested: Grouped) -> Grouped:
        """What is requested of dates that are not refused; a range is read in one piece, whatever is refused in
        between.
        """
        refused = np.isin(
            requested.columns[requested.date_column].astype("M8[D]"), np.array(list(self.refused), dtype="M8[D]")
        )
        return (
            Grouped.by(take(requested.columns, ~refused), requested.entity_column, requested.date_column)
            if refused.any()
            else requested
        )

    def note_results(self, failed: Columns) -> None:
        """Note what the run's scope tells of its dates, and of the run as a whole; `failed` are its failures."""
        results = {day: result for day, result in self.scope.results(failed).items() if day not in self.refused}
        for day, result in results.items():
            self.date_notes[day] = {**self.date_notes.get(day, {}), **result}
        if self.scope.is_whole:
            return
        retried, resolved = (sum(result[name] for result in results.values()) for name in ("retried", "resolved"))
        self.notes |= {"retried_in_run": retried, "resolved_in_run": resolved}
        self.log(
            f"Retry: {resolved} of {retried} failures of {self.table.name} resolved"
            if retried
            else f"Retry: nothing to do in {self.table.name}"
        )

    def notice(self, name: str, day: date, text: str) -> None:
        """Report something odd about the inputs of a date, under a `Notice` of the table; it fails that notice's
        warning check.
        """
        if name not in {notice.name for notice in (*self.table.notices, *SHARED_NOTICES)}:
            raise KeyError(f"table {self.table.qualified_name} declares no notice {name!r}")
        self.notices.setdefault(name, []).append((day, text))

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds that the block takes to a stage of the run."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began


def entries_of(warehouse: Warehouse, table: Table, dates: Sequence[date]) -> Changed:
    """The entries of some dates (ascending) of a table as they stand: what a write of these dates is conditional on."""
    where: dict[str, Value | Sequence[Value]] = {"table_name": table.name, "partition_date": list(dates)}
    rows = warehouse.read(TABLE_PARTITIONS, (*CHANGE_COLUMNS, "run_id"), dates[0], dates[-1], where)
    return Changed(TABLE_PARTITIONS, rows, dates[0], dates[-1], where)
