"""Which built dates no longer hold what they would hold if they were built now, and which date is to be described next: from the books alone.

The books say of every built date of every table when its content last changed and when the run that wrote it began to read. A date is stale where
something that it reads changed after that. What a table reads is declared with it: results of earlier dates of the season (`looks_back`), and rows of its
own date (the other tables upstream). Nothing is read, run or remembered here; what new raw content means for its own date is the business of `arrival`.

Two things of a raw table are not what they seem. Of its own date, a table that describes games before they begin never reads results, nor what becomes of
the schedule's games: only announcements count there. And of earlier box scores only who started is read, so these are followed by their starters.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.operations.jobs import GAME_SUMMARIES
from nba_assets.operations.launch import Launch
from nba_assets.operations.wanted import Wanted, fingerprint
from nba_assets.raw.tables import GAME_LINES, INJURY_REPORT, PLAYER_BOXSCORES, PLAYER_POINTS_PROPS, RAW_TABLES, ROSTERS, SCHEDULE
from nba_assets.tables.spec import Columns, Table

ANNOUNCEMENTS = (ROSTERS.name, INJURY_REPORT.name, GAME_LINES.name, PLAYER_POINTS_PROPS.name)
"""Raw tables that speak of games before they begin."""

BOOK_COLUMNS = ("table_name", "partition_date", "digest", "row_count", "written_at", "changed_at")
"""Of the books: what is needed here and in `arrival`."""

REMEMBERED_DAYS = 366
"""How long starters are remembered: no look-back is longer than a season."""

SHOWN_CAUSES = 3

Dates = NDArray[np.datetime64]
Moments = NDArray[np.datetime64]


@dataclass(frozen=True)
class Entry:
    """One built date in the books; moments are in UTC."""

    digest: str
    row_count: int
    written_at: np.datetime64
    changed_at: np.datetime64


@dataclass(frozen=True, eq=False)
class TableBooks:
    """The built dates of one table, ascending."""

    days: Dates
    digests: NDArray[np.object_]
    rows: NDArray[np.float64]
    written_at: Moments
    changed_at: Moments

    @cached_property
    def places(self) -> dict[date, int]:
        """The place of each built date."""
        return {day: place for place, day in enumerate(self.days.tolist())}

    def at(self, day: date) -> Entry | None:
        """The entry of a date; None where it is not built."""
        place = self.places.get(day)
        if place is None:
            return None
        return Entry(self.digests[place], int(self.rows[place]), self.written_at[place], self.changed_at[place])

    def where(self, mask: NDArray[np.bool_]) -> TableBooks:
        """Some of the dates."""
        return TableBooks(self.days[mask], self.digests[mask], self.rows[mask], self.written_at[mask], self.changed_at[mask])


NOTHING_BUILT = TableBooks(
    np.array([], dtype="M8[D]"), np.array([], dtype=object), np.array([]), np.array([], dtype="M8[us]"), np.array([], dtype="M8[us]")
)


@dataclass(frozen=True)
class Books:
    """The books of all tables."""

    tables: Mapping[str, TableBooks]

    @classmethod
    def of(cls, columns: Columns) -> Books:
        """From `BOOK_COLUMNS`; a date whose change was not recorded changed when it was written."""
        order = np.lexsort((columns["partition_date"], columns["table_name"].astype(str)))
        names, days, digests, rows, written_at, changed_at = (columns[name][order] for name in BOOK_COLUMNS)
        changed_at = np.where(np.isnat(changed_at), written_at, changed_at)
        bounds = [*np.flatnonzero(names[1:] != names[:-1]) + 1, len(names)] if len(names) else []
        return cls(
            {
                names[start]: TableBooks(*(values[start:end] for values in (days, digests, rows, written_at, changed_at)))
                for start, end in pairwise([0, *bounds])
            }
        )

    def __getitem__(self, table: str) -> TableBooks:
        return self.tables.get(table, NOTHING_BUILT)


@dataclass(frozen=True)
class Source:
    """What a table reads of another: so many days before its own date (0 none, None the season to date), and whether the date itself."""

    table: str
    days: int | None
    own_date: bool


Graph = Mapping[str, Sequence[Source]]
"""What each computed table reads, upstream tables first."""


def sources_of(table: Table, upstream: Collection[str]) -> list[Source]:
    """What a table reads, from its declared look-backs and the names of the tables upstream."""
    describes = table.name not in GAME_SUMMARIES
    sources = [
        Source(look_back.table, look_back.days, look_back.same_day and (look_back.table not in RAW_TABLES or look_back.table in ANNOUNCEMENTS))
        for look_back in table.looks_back
    ]
    for name in sorted(set(upstream) - {source.table for source in sources}):
        if name not in RAW_TABLES or (describes and name in ANNOUNCEMENTS):
            sources.append(Source(name, 0, own_date=True))
        elif describes and name == SCHEDULE.name:
            sources.append(Source(name, None, own_date=False))
    return sources


@dataclass(frozen=True)
class Cause:
    """What a stale date does not know of: a date of another table, and when that changed."""

    table: str
    day: date
    changed_at: np.datetime64


@dataclass(frozen=True)
class League:
    """What the schedule says: the seasons, and the dates with league games (ascending)."""

    calendar: SeasonCalendar
    game_days: Dates


def stale(books: Books, graph: Graph, league: League, today: date) -> dict[str, dict[date, Cause]]:
    """The stale dates of each table, up to today, and what made them so.

    A date whose upstream rows of the same date are stale is stale with them. Dates without games stay out: they are empty whatever is read.
    """
    found: dict[str, dict[date, Cause]] = {}
    read = {source.table: _with_content(source.table, books[source.table], league) for sources in graph.values() for source in sources}
    for name, sources in graph.items():
        mine = books[name]
        days = mine.days[(np.isin(mine.days, league.game_days) | (mine.rows > 0)) & (mine.days <= np.datetime64(today, "D"))]
        written_at = mine.written_at[np.searchsorted(mine.days, days)]
        causes: dict[date, Cause] = {}
        for source in sources:
            theirs = read[source.table]
            start, stop = _window(source, theirs.days, days, league.calendar)
            late = np.flatnonzero(_newest(theirs.changed_at, start, stop) > written_at)
            for place in late.tolist():
                newest = start[place] + int(theirs.changed_at[start[place] : stop[place]].argmax())
                cause = Cause(source.table, theirs.days[newest].item(), theirs.changed_at[newest])
                day = days[place].item()
                if day not in causes or causes[day].changed_at < cause.changed_at:
                    causes[day] = cause
        built = set(days.tolist())
        for source in sources:
            if source.own_date:
                causes = {day: cause for day, cause in found.get(source.table, {}).items() if day in built} | causes
        found[name] = causes
    return {name: causes for name, causes in found.items() if causes}


def _with_content(name: str, built: TableBooks, league: League) -> TableBooks:
    """The built dates that can be news to others: an empty date that is built for the first time tells nothing that was not so before.

    Raw rows never go away, and a computed date without games never had any.
    """
    counts = built.rows > 0
    if name not in RAW_TABLES:
        counts |= np.isin(built.days, league.game_days)
    return built.where(counts)


def undescribed(books: Books, league: League, described: Collection[str], today: date) -> list[date]:
    """Dates with games, up to today, that are to be described because the game day before them is summarised, and of which some table is not built."""
    summaries = [books[name] for name in GAME_SUMMARIES]
    offense = books[GAME_SUMMARIES[0]]
    summarised = [day for day in offense.days[offense.rows > 0].tolist() if all(day in table.places for table in summaries)]
    following = np.searchsorted(league.game_days, np.array(summarised, dtype="M8[D]"), side="right")
    candidates = league.game_days[following[following < len(league.game_days)]].tolist()
    return sorted({day for day in candidates if day <= today and any(day not in books[name].places for name in described)})


@dataclass(frozen=True)
class Repairs:
    """Runs that bring the built dates up to date. Summaries go first: their dates' content decides what else is stale."""

    summaries: list[Wanted]
    descriptions: list[Wanted]


def repairs(books: Books, graph: Graph, league: League, today: date) -> Repairs:
    """The runs that are wanted: one per unbroken range of game days that lack the same tables, and one for the newest date to be described."""
    described = [name for name in graph if name not in GAME_SUMMARIES]
    late = stale(books, graph, league, today)
    summaries = _late_runs("postgame", {name: causes for name, causes in late.items() if name in GAME_SUMMARIES}, league)
    corrections = _late_runs("pregame", {name: causes for name, causes in late.items() if name in described}, league)
    return Repairs(summaries, [*_next_runs(books, league, described, today), *corrections])


def _late_runs(job: str, late: Mapping[str, Mapping[date, Cause]], league: League) -> list[Wanted]:
    tables = {day: tuple(name for name in late if day in late[name]) for day in {day for causes in late.values() for day in causes}}
    runs = []
    for days in _unbroken(sorted(tables), league.game_days, lambda day: tables[day]):
        names = tables[days[0]]
        causes = {late[name][day] for name in names for day in days}
        newest = max(cause.changed_at for cause in causes)
        launch = Launch(job, names, days[0], days[-1])
        key = fingerprint([*names, *days, newest])
        runs.append(Wanted(launch, f"late_data:{days[0]}:{days[-1]}:{key}", "late_data", _said({(cause.table, cause.day) for cause in causes})))
    return runs


def _next_runs(books: Books, league: League, described: Sequence[str], today: date) -> list[Wanted]:
    days = undescribed(books, league, described, today)
    if not days:
        return []
    # The newest date has a run to itself: one in the past that cannot be built does not hold it up.
    ranges = [days[-1:], *reversed(list(_unbroken(days[:-1], league.game_days, lambda _: None)))]
    return [_next_run(books, mine) for mine in ranges if mine]


def _next_run(books: Books, days: Sequence[date]) -> Wanted:
    known = [books[name].changed_at[books[name].days < np.datetime64(days[-1], "D")] for name in GAME_SUMMARIES]
    newest = max(moments.max() for moments in known if len(moments))
    key = fingerprint([*days, newest])
    return Wanted(Launch("pregame", (), days[0], days[-1]), f"next_date:{days[0]}:{days[-1]}:{key}", "next_date")


def _unbroken(days: Sequence[date], game_days: Dates, kind: Callable[[date], object]) -> Iterable[list[date]]:
    """The days in groups of one kind within which no other day with games lies; days without games may."""
    places = np.searchsorted(game_days, np.array(days, dtype="M8[D]")).tolist()
    for _, group in groupby(enumerate(days), lambda pair: (kind(pair[1]), places[pair[0]] - pair[0])):
        yield [day for _, day in group]


def _said(causes: Collection[tuple[str, date]]) -> str:
    ordered = sorted(causes, key=lambda cause: (cause[1], cause[0]))
    said = ", ".join(f"{table} {day}" for table, day in ordered[:SHOWN_CAUSES])
    return f"changed: {said}" + (f" and {len(ordered) - SHOWN_CAUSES} more" if len(ordered) > SHOWN_CAUSES else "")


def _window(source: Source, theirs: Dates, days: Dates, calendar: SeasonCalendar) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places, from and up to, of what each of some dates reads of a source."""
    first = calendar.first_day(days) if source.days is None else days - np.timedelta64(source.days, "D")
    last = days if source.own_date else days - np.timedelta64(1, "D")
    start = np.searchsorted(theirs, first)
    return start, np.maximum(start, np.searchsorted(theirs, last, side="right"))


def _newest(moments: Moments, start: NDArray[np.int64], stop: NDArray[np.int64]) -> Moments:
    """The newest moment of each window; the beginning of time where a window is empty."""
    values = moments.astype("M8[us]").astype(np.int64)
    # Maxima over 1, 2, 4, ... places: of any window, two of these tell the maximum.
    levels = [values]
    while len(levels[-1]) > 2 ** (len(levels) - 1):
        step = 2 ** (len(levels) - 1)
        levels.append(np.maximum(levels[-1][:-step], levels[-1][step:]))
    newest = np.full(len(start), np.iinfo(np.int64).min + 1)
    sizes = stop - start
    for level, maxima in enumerate(levels):
        mine = (sizes >= 2**level) & (sizes < 2 ** (level + 1))
        newest[mine] = np.maximum(maxima[start[mine]], maxima[stop[mine] - 2**level])
    return newest.astype("M8[us]")


@dataclass(frozen=True)
class Starters:
    """Who started, by date, as it was when last looked at: the raw digest, the starters' own digest, and since when they are who they are."""

    dates: Mapping[date, tuple[str, str, np.datetime64]] = field(default_factory=dict)

    def to_json(self) -> str:
        """For a cursor."""
        return json.dumps({day.isoformat(): [raw, own, str(since)] for day, (raw, own, since) in sorted(self.dates.items())}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | None) -> Starters:
        """From a cursor; one that cannot be read counts as none."""
        try:
            dates = json.loads(text or "{}")
            return cls({date.fromisoformat(day): (raw, own, np.datetime64(since, "us")) for day, (raw, own, since) in dates.items()})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def followed(self, books: Books, read: Callable[[Sequence[date]], Mapping[date, str]]) -> tuple[Starters, Books]:
        """What is known of the starters now, and the books in which box scores changed when their starters did.

        `read` gives the digest of the starters of some dates. A date that was never looked at changed when its raw content did.
        """
        box = books[PLAYER_BOXSCORES.name]
        if not len(box.days):
            return Starters(), books
        first = box.days[-1].item() - timedelta(days=REMEMBERED_DAYS)
        digests = {day: box.digests[place] for day, place in box.places.items() if day >= first}
        unknown = sorted(day for day, digest in digests.items() if day not in self.dates or self.dates[day][0] != digest)
        fresh = read(unknown) if unknown else {}
        changed_at = box.changed_at.copy()
        dates = {}
        for day, digest in digests.items():
            place = box.places[day]
            own = fresh[day] if day in fresh else self.dates[day][1]
            known = self.dates.get(day)
            since = known[2] if known is not None and known[1] == own else box.changed_at[place]
            dates[day], changed_at[place] = (digest, own, since), since
        followed = TableBooks(box.days, box.digests, box.rows, box.written_at, changed_at)
        return Starters(dates), Books({**books.tables, PLAYER_BOXSCORES.name: followed})
