"""Which built dates no longer hold what they would hold if they were built now, and which date is to be built next
before its games: from stored states.

With each built date stands what it was built from (`publishing.input_state`): the date is stale where an input differs
now. No clock takes part, so it does not matter when something was written, nor by which computer; what was changed and
changed back is not stale. A date that was built before its inputs were recorded, and one that older code built, is
counted and never built again by itself (`outdated`). Nothing is read or run here; what has landed and is not ingested
yet is in `arrival`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from nba_assets.automation.planned_runs import Launch, PlannedRun, fingerprint
from nba_assets.publishing.input_state import (
    ENTRY_COLUMNS,
    SEASON,
    InputState,
    differing_inputs,
    input_text,
    inputs_texts,
    partition_hashes,
)
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import GAME_SUMMARIES
from nba_assets.tables.spec import Columns, Input
from nba_assets.wording import counted, listed

ANNOUNCEMENTS = tuple(name for name, raw in RAW_TABLES.items() if raw.is_pregame and not raw.whole_season)
"""Raw tables about a single date's games that are published before they begin."""

PARTITION_COLUMNS = (
    "table_name",
    "partition_date",
    "digest",
    "row_count",
    "written_at",
    "changed_at",
    "run_id",
    "code_version",
    "inputs",
)
"""Columns of the state of partitions that are needed here and in `arrival`."""

STATE_COLUMNS = tuple(dict.fromkeys((*PARTITION_COLUMNS, *ENTRY_COLUMNS)))
"""The same, and those that the state of inputs is made of."""

SHOWN_CAUSES = 3

Dates = NDArray[np.datetime64]
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Entry:
    """The state of one built date; moments are in UTC."""

    digest: str
    row_count: int
    written_at: np.datetime64
    changed_at: np.datetime64
    run_id: str
    code_version: str | None
    inputs: str | None


@dataclass(frozen=True, eq=False)
class TablePartitions:
    """The built dates of one table, ascending."""

    days: Dates
    digests: Texts
    rows: NDArray[np.float64]
    written_at: NDArray[np.datetime64]
    changed_at: NDArray[np.datetime64]
    run_ids: Texts
    code_versions: Texts
    inputs: Texts

    @cached_property
    def places(self) -> dict[date, int]:
        """The place of each built date."""
        return {day: place for place, day in enumerate(self.days.tolist())}

    @cached_property
    def is_recorded(self) -> NDArray[np.bool_]:
        """Of which dates it is recorded what they were built from."""
        return np.array([text is not None for text in self.inputs], dtype=bool)

    @cached_property
    def hashes(self) -> dict[date, int]:
        """The hash by which each date that has rows counts among the inputs of others."""
        filled = self.rows > 0
        hashes = partition_hashes(self.days[filled], self.digests[filled])
        return dict(zip(self.days[filled].tolist(), hashes.tolist(), strict=True))

    def at(self, day: date) -> Entry | None:
        """The state of a date; None where it is not built."""
        place = self.places.get(day)
        if place is None:
            return None
        moments = self.written_at[place], self.changed_at[place]
        return Entry(
            self.digests[place],
            int(self.rows[place]),
            *moments,
            self.run_ids[place],
            self.code_versions[place],
            self.inputs[place],
        )


NOTHING_BUILT = TablePartitions(
    np.array([], dtype="M8[D]"),
    np.array([], dtype=object),
    np.array([]),
    *(np.array([], dtype="M8[us]") for _ in range(2)),
    *(np.array([], dtype=object) for _ in range(3)),
)


@dataclass(frozen=True)
class PartitionState:
    """The state of the partitions of all tables."""

    tables: Mapping[str, TablePartitions]

    @classmethod
    def of(cls, columns: Columns) -> PartitionState:
        """From `PARTITION_COLUMNS`; a date whose change was not recorded changed when it was written."""
        order = np.lexsort((columns["partition_date"], columns["table_name"].astype(str)))
        names, days, digests, rows, written_at, changed_at, *texts = (
            columns[name][order] for name in PARTITION_COLUMNS
        )
        changed_at = np.where(np.isnat(changed_at), written_at, changed_at)
        bounds = [*np.flatnonzero(names[1:] != names[:-1]) + 1, len(names)] if len(names) else []
        return cls(
            {
                names[start]: TablePartitions(
                    *(values[start:end] for values in (days, digests, rows, written_at, changed_at, *texts))
                )
                for start, end in pairwise([0, *bounds])
            }
        )

    def __getitem__(self, table: str) -> TablePartitions:
        return self.tables.get(table, NOTHING_BUILT)


Graph = Mapping[str, Sequence[Input]]
"""What each computed table reads, upstream tables first."""


@dataclass(frozen=True)
class Cause:
    """An input that differs from what a date was built from; and of a whole table's dates that are read, the one that
    changed last.
    """

    name: str
    day: date | None

    def __str__(self) -> str:
        return self.name if self.day is None else f"{self.name} {self.day}"


@dataclass(frozen=True)
class Stale:
    """Why a date is stale, and a fingerprint of which run built it and of what it would be built from now."""

    causes: tuple[Cause, ...]
    version: str


StaleDates = Mapping[str, Mapping[date, Stale]]
"""By table and date."""


def stale(
    partition_state: PartitionState,
    inputs: InputState,
    graph: Graph,
    game_days: Dates,
    today: date,
    unreadable: Mapping[str, Dates] | None = None,
) -> StaleDates:
    """The stale dates of each table, up to today; `game_days` are the dates with league games, ascending.

    A date whose upstream rows of the same date are stale is stale with them. Dates without games stay out: they are
    empty whatever is read. Where a date of a raw table counts as not ingested because of a file (`unreadable`, by
    table), nobody knows what it holds: nothing that reads it is stale for it.
    """
    found: dict[str, dict[date, Stale]] = {}
    for name, sources in graph.items():
        mine = partition_state[name]
        places = _comparable(mine, game_days, today)
        days = mine.days[places]
        late: dict[date, Stale] = {}
        for place, day, now in zip(
            places.tolist(), days.tolist(), inputs_texts(inputs.digests(sources, days)), strict=True
        ):
            causes = [cause for source in sources if source.own_date for cause in _stale_upstream(found, source, day)]
            if mine.inputs[place] != now:
                differing = differing_inputs(mine.inputs[place], now)
                changed = [
                    source
                    for source in sources
                    if source.name in differing and not _is_unreadable(source, inputs, day, unreadable or {})
                ]
                causes += [_cause(source, partition_state, inputs, day) for source in changed]
                causes += [Cause(SEASON, None)] * (SEASON in differing)
            if causes:
                late[day] = Stale(tuple(dict.fromkeys(causes)), fingerprint([mine.run_ids[place], now]))
        if late:
            found[name] = late
    return found


def _comparable(built: TablePartitions, game_days: Dates, today: date) -> NDArray[np.intp]:
    """Places of the dates of which something is to be expected, and of which it was recorded what they were built
    from.
    """
    return np.flatnonzero(_with_games(built, game_days) & (built.days <= np.datetime64(today, "D")) & built.is_recorded)


def _with_games(built: TablePartitions, game_days: Dates) -> NDArray[np.bool_]:
    return np.isin(built.days, game_days) | (built.rows > 0)


def _stale_upstream(found: StaleDates, source: Input, day: date) -> Sequence[Cause]:
    if source.table.name in found and day in found[source.table.name]:
        return found[source.table.name][day].causes
    return ()


def _is_unreadable(source: Input, inputs: InputState, day: date, unreadable: Mapping[str, Dates]) -> bool:
    days = unreadable.get(source.table.name)
    if days is None:
        return False
    (first,), (last,) = inputs.window(source, np.array([day], dtype="M8[D]"))
    return bool(((days >= first) & (days <= last)).any())


def _cause(source: Input, partition_state: PartitionState, inputs: InputState, day: date) -> Cause:
    """An input in words; which of its dates changed is taken from when they did: a hint, on which nothing depends."""
    theirs = partition_state[source.table.name]
    (first,), (last,) = inputs.window(source, np.array([day], dtype="M8[D]"))
    start, stop = np.searchsorted(theirs.days, first), np.searchsorted(theirs.days, last, side="right")
    if source.part is not None or start >= stop:
        return Cause(source.name, None)
    return Cause(source.name, theirs.days[start + int(theirs.changed_at[start:stop].argmax())].item())


@dataclass(frozen=True)
class Outdated:
    """Built dates of a table that newer code, or code that records inputs, has not built: nothing builds them again by
    itself.
    """

    table: str
    older_code: list[date]
    unrecorded: list[date]
    """Of the others, those from before inputs were recorded: whether they are stale is not known."""

    @property
    def days(self) -> list[date]:
        """All of them, ascending."""
        return sorted([*self.older_code, *self.unrecorded])

    def within(self, first: date, last: date) -> Outdated:
        """Those of some dates, both ends included."""
        older, unrecorded = (
            [day for day in days if first <= day <= last] for days in (self.older_code, self.unrecorded)
        )
        return Outdated(self.table, older, unrecorded)

    def __str__(self) -> str:
        kinds = {"from older code": self.older_code, "from before their inputs were recorded": self.unrecorded}
        parts = [f"{counted(len(days), 'date')} {why} ({_span(days)})" for why, days in kinds.items() if days]
        return f"{self.table}: {' and '.join(parts)}; `nba-assets rebuild --stale-code` builds them"


def outdated(
    partition_state: PartitionState, code_versions: Mapping[str, str | None], game_days: Dates
) -> list[Outdated]:
    """What is outdated of each table, those without any left out; `code_versions` are the current ones."""
    found = []
    for name, version in code_versions.items():
        mine = partition_state[name]
        older = _with_games(mine, game_days) & np.array([by != version for by in mine.code_versions], dtype=bool)
        unrecorded = _with_games(mine, game_days) & ~older & ~mine.is_recorded
        if older.any() or unrecorded.any():
            found.append(Outdated(name, mine.days[older].tolist(), mine.days[unrecorded].tolist()))
    return found


def rebuilds(found: Sequence[Outdated], game_days: Dates) -> list[Launch]:
    """The runs that build outdated dates: one per unbroken range of game days that lack the same tables, earliest
    first.
    """
    tables = {
        day: tuple(one.table for one in found if day in one.days) for day in {day for one in found for day in one.days}
    }
    ranges = _unbroken(sorted(tables), game_days, lambda day: tables[day])
    return [Launch("full", tables[days[0]], days[0], days[-1]) for days in ranges]


def is_built_from(entry: Entry, sources: Sequence[Input], partition_state: PartitionState, day: date) -> bool:
    """Whether a date was built from what is ingested of it: of the inputs of which it reads its own date, as a whole,
    none has changed since.

    So much is known without reading anything else. A date of which it was not recorded counts as built from that.
    """
    whole = [source for source in sources if source.own_date and source.days == 0 and source.part is None]
    current = " ".join(
        input_text(source.name, partition_state[source.table.name].hashes.get(day, 0)) for source in whole
    )
    return entry.inputs is None or not differing_inputs(entry.inputs, current)


def without_pregame(
    partition_state: PartitionState, game_days: Dates, tables: Collection[str], today: date
) -> list[date]:
    """Dates with games, up to today, of which the game day before has summaries, and which some of `tables` lacks."""
    summaries = [partition_state[name] for name in GAME_SUMMARIES]
    offense = partition_state[GAME_SUMMARIES[0]]
    with_summaries = [
        day for day in offense.days[offense.rows > 0].tolist() if all(day in table.places for table in summaries)
    ]
    following = np.searchsorted(game_days, np.array(with_summaries, dtype="M8[D]"), side="right")
    candidates = game_days[following[following < len(game_days)]].tolist()
    return sorted(
        {day for day in candidates if day <= today and any(day not in partition_state[name].places for name in tables)}
    )


@dataclass(frozen=True)
class Repairs:
    """Runs that bring the built dates up to date.

    Summaries go first: their dates' content decides what else is stale.
    """

    postgame: list[PlannedRun]
    pregame: list[PlannedRun]


def repairs(
    late: StaleDates,
    partition_state: PartitionState,
    inputs: InputState,
    graph: Graph,
    game_days: Dates,
    today: date,
) -> Repairs:
    """The runs that bring dates up to date: one per unbroken range of game days that lack the same tables, and one for
    the newest date that is to be built.
    """
    tables = [name for name in graph if name not in GAME_SUMMARIES]
    bounds = np.union1d(game_days, _not_ingested(partition_state, late))
    postgame = _late_runs("postgame", {name: dates for name, dates in late.items() if name in GAME_SUMMARIES}, bounds)
    corrections = _late_runs("pregame", {name: dates for name, dates in late.items() if name in tables}, bounds)
    missing = without_pregame(partition_state, game_days, tables, today)
    sources = [[source for source in graph[name] if source.table.name not in tables] for name in tables]
    return Repairs(postgame, [*_next_runs(missing, inputs, sources, game_days), *corrections])


def _not_ingested(partition_state: PartitionState, late: StaleDates) -> Dates:
    """The dates among stale ones whose schedule was not ingested: a run that passed over one would refuse it."""
    days = np.array(sorted({day for dates in late.values() for day in dates}), dtype="M8[D]")
    span = np.arange(days[0], days[-1]) if len(days) else days
    return np.setdiff1d(span, partition_state[SCHEDULE.name].days)


def _late_runs(job: str, late: StaleDates, bounds: Dates) -> list[PlannedRun]:
    tables = {
        day: tuple(name for name in late if day in late[name])
        for day in {day for dates in late.values() for day in dates}
    }
    runs = []
    for days in _unbroken(sorted(tables), bounds, lambda day: tables[day]):
        names = tables[days[0]]
        mine = [late[name][day] for name in names for day in days]
        launch = Launch(job, names, days[0], days[-1])
        key = fingerprint([*names, *days, *(one.version for one in mine)])
        runs.append(
            PlannedRun(
                launch,
                f"late_data:{days[0]}:{days[-1]}:{key}",
                "late_data",
                _said({cause for one in mine for cause in one.causes}),
            )
        )
    return runs


def _next_runs(
    days: Sequence[date], inputs: InputState, sources: Sequence[Sequence[Input]], game_days: Dates
) -> list[PlannedRun]:
    # The newest date has a run to itself: one in the past that cannot be built does not hold it up.
    ranges = [days[-1:], *reversed(list(_unbroken(days[:-1], game_days, lambda _: None)))]
    return [_next_run(mine, inputs, sources) for mine in ranges if mine]


def _next_run(days: Sequence[date], inputs: InputState, sources: Sequence[Sequence[Input]]) -> PlannedRun:
    """A run that failed or was refused is requested again once anything that the dates would be built from has changed;
    `sources` are what each table reads.
    """
    read = [inputs.digests(mine, np.array(days, dtype="M8[D]")) for mine in sources]
    key = fingerprint([*days, *(text for digests in read for text in inputs_texts(digests))])
    return PlannedRun(Launch("pregame", (), days[0], days[-1]), f"next_date:{days[0]}:{days[-1]}:{key}", "next_date")


def _unbroken(days: Sequence[date], bounds: Dates, kind: Callable[[date], object]) -> Iterable[list[date]]:
    """The days in groups of one kind within which no other day of `bounds` lies, such as the days with games."""
    places = np.searchsorted(bounds, np.array(days, dtype="M8[D]")).tolist()
    for _, group in groupby(enumerate(days), lambda pair: (kind(pair[1]), places[pair[0]] - pair[0])):
        yield [day for _, day in group]


def _said(causes: Collection[Cause]) -> str:
    ordered = sorted(causes, key=lambda cause: (cause.day or date.max, cause.name))
    return f"changed: {listed(ordered, SHOWN_CAUSES)}"


def _span(days: Sequence[date]) -> str:
    return f"{days[0]}" if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
