"""The state of a table's inputs at one moment: a digest of each input over what a date reads of it.

Two digests of one input are equal where the date would read the same, so that a date is stale where a recorded one
differs from the one that holds now; no clock takes part. An input's digest is a sum of hashes over a window of dates:
those of all dates of a table come from running sums. They are made of the state of partitions and of the parts of raw
tables that the inputs declare. What a run makes of them is in `lineage`, which dates are stale in
`automation.staleness`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.season import LONGEST_SEASON_DAYS, LONGEST_SEASON_YEAR_DAYS, SeasonCalendar, first_of_july
from nba_assets.entities.outcomes import take
from nba_assets.raw.schedule_history import KNOWN_COLUMNS, ScheduleHistory
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import Hashes, column_hashes
from nba_assets.tables.spec import Columns, Input, Part, Table
from nba_assets.warehouse.interface import Warehouse

Dates = NDArray[np.datetime64]

ENTRY_COLUMNS = ("table_name", "partition_date", "row_count", "digest", "newest_processed_at")
"""Columns of the state of partitions that the digest of an input is made of."""

CALENDAR_COLUMNS = ("game_date", "season_year", "is_regular_season")

SEASON = "season"
"""Stands among the inputs of every table for the season of the date, and its opening night."""

NO_HASHES = np.array([], dtype=np.uint64)
NO_DATES = np.array([], dtype="M8[D]")


@dataclass(frozen=True, eq=False)
class DatedHashes:
    """Hashes by their dates, ascending, as running sums modulo 2^64."""

    days: Dates
    sums: Hashes

    @classmethod
    def of(cls, days: Dates, hashes: Hashes) -> DatedHashes:
        """From dates and hashes of one length, in any order."""
        order = np.argsort(days, kind="stable")
        return cls(days[order].astype("M8[D]"), np.append(np.uint64(0), np.cumsum(hashes[order], dtype=np.uint64)))

    def total(self, first: Dates, last: Dates) -> Hashes:
        """The sum from each of some dates to another, both included; 0 where there is nothing."""
        start = np.searchsorted(self.days, first)
        stop = np.maximum(start, np.searchsorted(self.days, last, side="right"))
        return self.sums[stop] - self.sums[start]


@dataclass(frozen=True, eq=False)
class RowsRead:
    """Columns of a table's rows dated from `start` to `end` that hold the values of `where`, sorted by its key."""

    table: Table
    where: Mapping[str, Any]
    start: date
    end: date
    columns: Columns

    def of(self, columns: Sequence[str], start: date, end: date) -> dict[str, NDArray[Any]]:
        """Some of their columns on some of their dates, copied."""
        days = self.columns[self.table.date_column]
        chosen = (days >= np.datetime64(start, "D")) & (days <= np.datetime64(end, "D"))
        return {name: self.columns[name][chosen] for name in columns}


@dataclass(frozen=True, eq=False)
class InputState:
    """The state of some inputs at one moment, as far as dates from `start` to `end` can read them."""

    entries: Mapping[str, Columns]
    """State of partitions (`ENTRY_COLUMNS`, ascending dates) by table."""
    parts: Mapping[tuple[str, str], DatedHashes]
    """By table and part."""
    calendar: SeasonCalendar
    as_known: Mapping[str, Sequence[tuple[Dates, DatedHashes]]] = field(default_factory=dict)
    """By part of the schedule that is read as it was known: dates before which it was known otherwise than it is, and
    what it was to them.
    """
    rows: Sequence[RowsRead] = field(default_factory=tuple, repr=False)
    """What was read to know the parts."""

    @classmethod
    def read(
        cls,
        warehouse: Warehouse,
        inputs: Iterable[Input],
        start: date,
        end: date,
        *,
        entries: Columns | None = None,
        of_schedule: Iterable[str] = (),
    ) -> InputState:
        """What the warehouse holds; read in one session, all of it is of one moment.

        `entries` saves reading `ENTRY_COLUMNS` of the inputs' tables; `of_schedule` are further columns of the schedule
        that `rows_read` is to have.
        """
        inputs = list(inputs)
        year = timedelta(days=LONGEST_SEASON_DAYS)
        with warehouse.session():
            if entries is None:
                names = sorted({source.table.name for source in inputs})
                entries = to_columns(
                    warehouse.read(TABLE_PARTITIONS, ENTRY_COLUMNS, start - year, end, {"table_name": names})
                )
            known = {source.part.name: source.part for source in inputs if source.as_known and source.part is not None}
            history = ScheduleHistory.read(warehouse, start - year, end + year) if known else ScheduleHistory.none()
            schedule_columns = {*CALENDAR_COLUMNS, *of_schedule, *(() if history.is_empty else KNOWN_COLUMNS)}
            of_seasons = {source.table.name for source in inputs if source.whole_season}
            parts: dict[tuple[str, str], DatedHashes] = {}
            rows_read: list[RowsRead] = []
            schedule: Columns = {}
            for table, where, mine in _reads(inputs):
                is_schedule = table is SCHEDULE.table
                columns = sorted(
                    {table.date_column, *(name for part in mine for name in part.columns)}
                    | (schedule_columns if is_schedule else set())
                )
                reach = (
                    LONGEST_SEASON_YEAR_DAYS if table.name in of_seasons and not is_schedule else LONGEST_SEASON_DAYS
                )
                first, last = start - timedelta(days=reach), end + year if is_schedule else end
                rows = to_columns(warehouse.read(table, columns, first, last, where))
                rows_read.append(RowsRead(table, where, first, last, rows))
                schedule = rows if is_schedule else schedule
                for part in mine:
                    parts[table.name, part.name] = _elements(part, rows, table.date_column)
        calendar = SeasonCalendar.from_schedule(
            schedule["game_date"], schedule["season_year"], schedule["is_regular_season"] == 1
        )
        as_known = {} if history.is_empty else _as_known(history, list(known.values()), schedule, calendar, start, end)
        return cls(_by_table(entries), parts, calendar, as_known, rows_read)

    def rows_read(
        self, table: Table, columns: Sequence[str], start: date, end: date, where: Mapping[str, Any]
    ) -> dict[str, NDArray[Any]] | None:
        """Rows of a table as they stood when the state was read; None where more than that is wanted."""
        for read in self.rows:
            if (
                read.table is table
                and read.where == where
                and read.start <= start
                and end <= read.end
                and read.columns.keys() >= set(columns)
            ):
                return read.of(columns, start, end)
        return None

    @cached_property
    def partitions(self) -> dict[str, DatedHashes]:
        """The digest of each date, by table. An empty date counts as a missing one."""
        found = {}
        for name, mine in self.entries.items():
            filled = mine["row_count"] > 0
            days = mine["partition_date"][filled]
            found[name] = DatedHashes.of(days, partition_hashes(days, mine["digest"][filled]))
        return found

    def dates_of(self, table_name: str) -> Dates:
        """The dates of a table that have an entry, with rows or without."""
        return self.entries[table_name]["partition_date"] if table_name in self.entries else NO_DATES

    def window(self, source: Input, days: Dates) -> tuple[Dates, Dates]:
        """The first and the last date that each of some dates reads of an input, both included."""
        if source.whole_season:
            july = first_of_july(self.calendar.season_of(days))
            return july, july
        first = (
            self.calendar.first_day(days) - np.timedelta64(source.lead_days, "D")
            if source.days is None
            else days - np.timedelta64(source.days, "D")
        )
        return first, days if source.own_date else days - np.timedelta64(1, "D")

    def digests(self, inputs: Sequence[Input], days: Dates) -> dict[str, Hashes]:
        """The digest of each input, by its name, for each of some dates; and that of the season."""
        season = {
            "year": self.calendar.season_of(days).astype(np.float64),
            "opening": self.calendar.opening_night(days),
        }
        return {SEASON: column_hashes(season)} | {source.name: self._totals(source, days) for source in inputs}

    def _totals(self, source: Input, days: Dates) -> Hashes:
        first, last = self.window(source, days)
        totals = self._hashes(source).total(first, last)
        if source.as_known and source.part is not None:
            for mine, hashes in self.as_known.get(source.part.name, ()):
                there = np.isin(days, mine)
                totals[there] = hashes.total(first[there], last[there])
        return totals

    def _hashes(self, source: Input) -> DatedHashes:
        if source.part is not None:
            return self.parts[source.table.name, source.part.name]
        hashes = self.partitions.get(source.table.name, DatedHashes.of(NO_DATES, NO_HASHES))
        if source.only_on is None:
            return hashes
        counts = np.isin(hashes.days, self.parts[SCHEDULE.name, source.only_on.name].days)
        return DatedHashes.of(hashes.days[counts], np.diff(hashes.sums)[counts])


def _reads(inputs: Sequence[Input]) -> list[tuple[Table, Mapping[str, bool], list[Part]]]:
    """The reads that the parts of some inputs need: table, condition, and the parts that are made of it; the schedule
    is among them in any case.
    """
    reads: dict[tuple[str, frozenset[tuple[str, bool]]], tuple[Table, Mapping[str, bool], dict[str, Part]]] = {}
    reads[SCHEDULE.name, frozenset()] = SCHEDULE.table, {}, {}
    for source in inputs:
        for table, part in ((source.table, source.part), (SCHEDULE.table, source.only_on)):
            if part is not None:
                parts = reads.setdefault((table.name, frozenset(part.where.items())), (table, part.where, {}))[2]
                if parts.setdefault(part.name, part) is not part:
                    raise ValueError(
                        f"two parts of {table.qualified_name} are called {part.name}: give each a name of its own"
                    )
    return [(table, where, list(named.values())) for table, where, named in reads.values()]


def _elements(part: Part, rows: Columns, date_column: str) -> DatedHashes:
    return DatedHashes.of(*(part.elements(rows) if len(rows[date_column]) else (NO_DATES, NO_HASHES)))


def _as_known(
    history: ScheduleHistory,
    parts: Collection[Part],
    schedule: Columns,
    calendar: SeasonCalendar,
    start: date,
    end: date,
) -> dict[str, list[tuple[Dates, DatedHashes]]]:
    """The parts of the schedule as they were known before dates from `start` to `end`, where that differs from what
    they are.
    """
    needed = {*KNOWN_COLUMNS, *(name for part in parts for name in part.columns)}
    games = {name: schedule[name] for name in needed}
    days = np.unique(schedule["game_date"].astype("M8[D]"))
    days = days[(days >= np.datetime64(start, "D")) & (days <= np.datetime64(end, "D"))]
    seasons = calendar.season_of(days)
    found: dict[str, list[tuple[Dates, DatedHashes]]] = {part.name: [] for part in parts}
    for season in np.unique(seasons).tolist():
        as_they_are = take(games, games["season_year"] == season)
        for mine, known in history.of_season(season).as_known(as_they_are, days[seasons == season]):
            if known is not as_they_are:
                for part in parts:
                    found[part.name].append((mine, _elements(part, known, SCHEDULE.table.date_column)))
    return found


def _by_table(entries: Columns) -> dict[str, Columns]:
    order = np.lexsort((entries["partition_date"], entries["table_name"].astype(str)))
    names, starts = np.unique(entries["table_name"][order].astype(str), return_index=True)
    parts = np.split(order, starts[1:])
    return {
        str(name): {column: entries[column][mine] for column in ENTRY_COLUMNS}
        for name, mine in zip(names, parts, strict=False)
    }


def partition_hashes(days: Dates, digests: NDArray[np.object_]) -> Hashes:
    """The hashes by which dates of a table count among the inputs of others."""
    return column_hashes({"day": days, "digest": digests})


def input_text(name: str, digest: int) -> str:
    """An input as it is recorded. Example: "team_boxscores=5f02000000000000"."""
    return f"{name}={digest:016x}"


def inputs_texts(digests: Mapping[str, Hashes]) -> list[str]:
    """Digests as they are recorded with each date. Example: "season=00c1... team_boxscores=5f02..."."""
    columns = [[input_text(name, value) for value in values.tolist()] for name, values in digests.items()]
    return [" ".join(parts) for parts in zip(*columns, strict=True)]


def differing_inputs(recorded: str, current: str) -> list[str]:
    """The inputs that two records of one date have in common and that differ."""
    before, now = (dict(part.split("=") for part in text.split()) for text in (recorded, current))
    return [name for name in before if name in now and before[name] != now[name]]
