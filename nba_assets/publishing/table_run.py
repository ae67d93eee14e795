"""One table, computed for the dates of one run: its bounded reads, its parallel compute, and what both took.

A table's module describes what to read and compute in terms of a `TableRun`; neither it nor this module knows Dagster. Publishing what was computed
is `publication`'s business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Compute, Outcome
from nba_assets.entities.parallel import EntityKind, ParallelEntities
from nba_assets.raw.tables import SCHEDULE
from nba_assets.settings import Settings
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Value, Warehouse

LONGEST_SEASON_DAYS = 366
"""Schedule that is read before and after the run's dates to know their seasons."""


@dataclass(frozen=True)
class Read:
    """One bounded read of an upstream table: which dates, how many rows came back."""

    table: Table
    start: date
    end: date
    row_count: int


@dataclass
class TableRun:
    """The computation of `table` for `dates` (ascending calendar days)."""

    table: Table
    dates: Sequence[date]
    warehouse: Warehouse
    entities: ParallelEntities
    settings: Settings
    run_id: str
    now: datetime
    log: Callable[[str], None] = lambda _: None
    code_version: str | None = None
    reads: list[Read] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("read", "compute", "write"), 0.0))
    entity_count: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    """Facts of the run that a table wants to show beside its rows, e.g. a feed that was absent."""

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

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        start: date | None = None,
        end: date | None = None,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Columns of an upstream table, dated within the run unless told otherwise; remembered for the run's lineage."""
        first, last = start or self.start, end or self.end
        with self.timed("read"):
            rows = self.warehouse.read(table, columns, first, last, where)
            self.reads.append(Read(table, first, last, rows.num_rows))
            return to_columns(rows)

    @cached_property
    def calendar(self) -> SeasonCalendar:
        """The seasons around the run's dates, from the schedule."""
        games = self.read(
            SCHEDULE.table,
            ("game_date", "season_year", "is_regular_season"),
            start=self.start - timedelta(days=LONGEST_SEASON_DAYS),
            end=self.end + timedelta(days=LONGEST_SEASON_DAYS),
        )
        return SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"] == 1)

    @cached_property
    def season_start(self) -> date:
        """First day of the season of the run's first date: nothing before it is ever needed."""
        first: date = self.calendar.first_day(self.days[:1])[0].item()
        return first

    def map(
        self,
        kind: EntityKind,
        compute: Compute,
        asked: Grouped,
        histories: Mapping[str, Grouped] | None = None,
        shared: Any = None,
    ) -> Outcome:
        """Compute every asked row, one entity at a time, in parallel."""
        self.entity_count = len(asked.entities)
        with self.timed("compute"):
            return self.entities.map(kind, compute, asked, histories or {}, shared, self.log)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the seconds that the block takes to a stage of the run."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
