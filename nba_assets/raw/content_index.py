"""What has landed so far: per raw table and date the content, told by its digest, and the games of which there are
rows.

A date's digest is the one that ingestion would record, so that what has landed can be held against what is built
without ingesting anything. To look again costs a listing: a file is read when it is new or was written since, be it
good or bad, and `landed_store` keeps what is known of it over restarts. Nothing is decided here: `automation.arrival`
decides which runs the content calls for.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.partitions import FIRST_DATE, days_between
from nba_assets.raw.collection import PLAYER_ID, Request, collect, people_of
from nba_assets.raw.deliveries import (
    LEAGUE_GAME_COLUMNS,
    NOBODY,
    Deliveries,
    Standing,
    standing_by_key,
    standing_by_league_game,
)
from nba_assets.raw.landed_store import LandedStore, StoredFile, store_version
from nba_assets.raw.landing import LandedFile, LandingZone
from nba_assets.raw.league_schedule import LOOKUP_COLUMNS, LeagueSchedule
from nba_assets.raw.limits import Limits
from nba_assets.raw.normalise import FURTHEST_SCHEDULE_DAYS, utc
from nba_assets.raw.schedule import FINAL_COLUMNS
from nba_assets.raw.tables import (
    PLAY_BY_PLAY,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    RAW_TABLES,
    SCHEDULE,
    TEAM_BOXSCORES,
    RawTable,
)
from nba_assets.settings import Settings
from nba_assets.tables.columns import blank, to_arrow
from nba_assets.tables.digest import Hashes, columns_digest, partition_digest, row_hashes
from nba_assets.tables.spec import Columns

RESULTS = (PLAYER_GAMEBOOK.name, PLAYER_BOXSCORES.name, TEAM_BOXSCORES.name, PLAY_BY_PLAY.name)
"""Raw tables that tell of games that were played: for these, rows are counted by game."""

SCHEDULE_COLUMNS = ("game_id", "game_date", "game_time_utc", "season_year", "is_all_star", *FINAL_COLUMNS)
"""Of the landed schedule, what is handed on as rows."""

OTHER_SCHEDULE_COLUMNS = tuple(
    name for name in dict.fromkeys((*LEAGUE_GAME_COLUMNS, *LOOKUP_COLUMNS)) if name not in SCHEDULE_COLUMNS
)
"""Of the landed schedule, what tells which rows are one game of the league, and which game its own id names."""

FILES_AT_ONCE = 64
"""Files that are read together, without a look at the clock in between."""

BYTES_AT_ONCE = 32 * 2**20
"""Size of files that are read together, unless a single one is larger."""

READING_SECONDS = 5.0
"""Reading that one look may cost; what is left over is read at the next look, and counts as not known until then."""

RECENT = timedelta(days=1)
"""Files of dates no longer ago than this are read before all others that name a date."""

STORE_NAME = "landed.sqlite"

EARLIEST = FIRST_DATE

ANY_DATE = None
"""Stands for the date of a file whose path names none: it may hold rows of any date."""


@dataclass(frozen=True)
class LandedTable:
    """What has landed of one raw table. `unread` goes by the date that the path names, or by ANY_DATE."""

    digests: Mapping[date, str] = field(default_factory=dict)
    games: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    """Of results: rows by game."""
    bad_files: Mapping[date | None, Sequence[str]] = field(default_factory=dict)
    """Files that cannot be used, and why: by the date that the path names, by those of which they hold rows, or by
    ANY_DATE.
    """
    unread: frozenset[date | None] = frozenset()
    """Dates of files that there was no time to read yet."""
    conflicts: Mapping[date, Sequence[str]] = field(default_factory=dict)
    """Of results: games with rows that contradict each other, ascending."""

    def is_known(self, day: date) -> bool:
        """Whether every file that may hold rows of the date was read."""
        return not self.unread & {day, ANY_DATE}

    def trouble(self, day: date) -> str | None:
        """What is wrong with a file that may hold rows of the date; None where nothing is."""
        return next((text for place in (day, ANY_DATE) for text in self.bad_files.get(place, ())), None)


@dataclass(frozen=True)
class ContentIndex:
    """What has landed of every raw table, and the landed schedule's rows (`SCHEDULE_COLUMNS`)."""

    tables: Mapping[str, LandedTable]
    schedule: Columns

    def dates(self, names: Sequence[str]) -> list[date]:
        """The dates of which any of the named tables has rows, ascending."""
        return sorted({day for name in names for day in self.tables[name].digests})

    def digests(self, names: Sequence[str], day: date) -> dict[str, str]:
        """The digest of a date, by table, of those of the named tables that have rows of it."""
        return {name: digest for name in names if (digest := self.tables[name].digests.get(day)) is not None}

    def is_known(self, names: Sequence[str], day: date) -> bool:
        """Whether nothing of the date is left to be read in any of the named tables."""
        return all(self.tables[name].is_known(day) for name in names)


class LandedIndex:
    """Remembers what the files of a landing zone hold, so that only new ones have to be read."""

    def __init__(
        self, landing: LandingZone, store: LandedStore | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`store` keeps what is known over restarts; `clock` tells seconds, by which reading is bounded."""
        self.landing = landing
        self._store = store
        self._clock = clock
        self._files: dict[str, _FileContent] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._is_loaded = store is None
        self._changed: set[str] = set()
        """Paths of which the store does not hold what is known."""
        self._dates: dict[tuple[str, date], _DateContent] = {}
        self._tables: dict[str, tuple[object, LandedTable]] = {}
        self._schedule: Columns = {}
        self._lock = threading.Lock()

    def look(self, through: date, now: datetime, *, seconds: float | None = None) -> ContentIndex:
        """What has landed for the dates up to `through`.

        Files of later dates are passed over; reading takes at most so many `seconds`. Raises LandingZoneError, with
        nothing forgotten, where the landing zone cannot be listed.
        """
        with self._lock:
            landed = self.landing.listing(list(RAW_TABLES))
            listings = {name: self._listed(raw, landed[name], through) for name, raw in RAW_TABLES.items()}
            self._load()
            deadline = self._clock() + (READING_SECONDS if seconds is None else seconds)
            unread = self._read(listings, through, now, deadline)
            if self._drop_outdated(listings, now):
                unread = self._read(listings, through, now, deadline)
            self._forget({file.path for files in listings.values() for file, _ in files})
            self._save()
            tables = {name: self._table(name, files, unread, now) for name, files in listings.items()}
            return ContentIndex(tables, self._schedule)

    def _load(self) -> None:
        if self._is_loaded or self._store is None:
            return
        for path, stored in self._store.load().items():
            if stored.columns:
                self._files[path] = _FileContent.from_stored(stored)
            else:
                self._troubles[path] = _Trouble.from_stored(stored)
        self._is_loaded = True

    def _save(self) -> None:
        if self._store is None or not self._changed:
            return
        files = {path: self._files[path].stored() for path in self._changed if path in self._files}
        troubles = {
            path: self._troubles[path].stored()
            for path in self._changed
            if path in self._troubles and not self._troubles[path].is_transient
        }
        self._store.save(files | troubles, self._changed - files.keys() - troubles.keys())
        self._changed.clear()

    def _listed(self, raw: RawTable, landed: Sequence[LandedFile], through: date) -> list[_Listed]:
        files = []
        for file in landed:
            # A snapshot of a season holds all its dates, whatever date its path may name.
            day = None if raw.whole_season else file.date_of(raw.table.date_column)
            if day is None or EARLIEST <= day <= through:
                files.append((file, day))
        return files

    def _read(self, listings: Listings, through: date, now: datetime, deadline: float) -> set[str]:
        """Read what is new; returns the paths that are left unread."""
        new = [(name, file, day) for name, files in listings.items() for file, day in files if not self._is_read(file)]
        if not new:
            return set()
        dates = days_between(EARLIEST, now.date() + timedelta(days=FURTHEST_SCHEDULE_DAYS))
        batches = self._batches(new, through)
        for number, (name, files) in enumerate(batches):
            if number and self._clock() > deadline:
                return {file.path for _, mine in batches[number:] for file, _ in mine}
            schedule = None if name == SCHEDULE.name else LeagueSchedule(partial(self._league_schedule, listings, now))
            request = Request(
                RAW_TABLES[name],
                dates if files[0][1] is None else sorted(day for _, day in files if day is not None),
                now,
                schedule,
            )
            for path, content in _read_files(request, self.landing, files).items():
                self._files.pop(path, None)
                self._troubles.pop(path, None)
                if isinstance(content, _Trouble):
                    self._troubles[path] = content
                else:
                    self._files[path] = content
                self._changed.add(path)
        return set()

    def _is_read(self, file: LandedFile) -> bool:
        """Whether the file is known as it stands; one that could not be read for a transient reason is tried again."""
        known = self._files.get(file.path)
        trouble = self._troubles.get(file.path)
        return (known is not None and known.fingerprint == file.fingerprint) or (
            trouble is not None and trouble.fingerprint == file.fingerprint and not trouble.is_transient
        )

    def _drop_outdated(self, listings: Listings, now: datetime) -> bool:
        """Forget files whose rows had their games from a schedule that has changed since; whether there are any."""
        dependent = {
            path: content.league_schedule
            for path, content in self._files.items()
            if content.league_schedule is not None
        }
        if not dependent:
            return False
        digest = columns_digest(self._league_schedule(listings, now))
        outdated = [path for path, read_with in dependent.items() if read_with != digest]
        for path in outdated:
            del self._files[path]
        return bool(outdated)

    def _league_schedule(self, listings: Listings, now: datetime) -> Columns:
        """What the files of the schedule tell of the league's own game ids, as far as they are read."""
        games = self._games(listings[SCHEDULE.name], now).schedule
        order = np.argsort(games["game_id"].astype(str), kind="stable")
        return {name: games[name][order] for name in LOOKUP_COLUMNS}

    def _games(self, files: Sequence[_Listed], now: datetime) -> _FileContent:
        """The games of the schedule that stand, from what is known of its files."""
        return _FileContent.of_games(
            [content for file, _ in files if (content := self._files.get(file.path)) is not None], now
        )

    def _batches(
        self, new: Sequence[tuple[str, LandedFile, date | None]], through: date
    ) -> list[tuple[str, list[_Listed]]]:
        """Files that are read together: of one table, each of another date, or one that names no date.

        What all dates depend on comes first, then recent dates, then files that may hold rows of any date, then all
        others, oldest first. Files that could not be read for a transient reason come last: they are tried again and
        again, and may not hold up the good ones.
        """

        def rank(name: str, file: LandedFile, day: date | None) -> int:
            if file.path in self._troubles and self._troubles[file.path].fingerprint == file.fingerprint:
                return 4
            if day is None:
                return 0 if RAW_TABLES[name].whole_season else 2
            return 1 if day >= through - RECENT else 3

        batches: list[tuple[int, date, str, list[_Listed]]] = []
        rounds: dict[tuple[int, str, int], tuple[list[_Listed], int]] = {}
        of_date: Counter[tuple[str, date | None]] = Counter()
        for name, file, day in sorted(new, key=lambda one: one[2] or EARLIEST):
            place = rank(name, file, day)
            of_date[name, day] += 1
            together = (place, name, of_date[name, day])
            files, size = rounds.get(together, ([], 0))
            if day is None or not files or len(files) >= FILES_AT_ONCE or size + file.size > BYTES_AT_ONCE:
                files, size = [], 0
                batches.append((place, day or EARLIEST, name, files))
            files.append((file, day))
            rounds[together] = (files, size + file.size)
        batches.sort(key=lambda batch: batch[:2])
        return [(name, files) for _, _, name, files in batches]

    def _forget(self, listed: set[str]) -> None:
        for known in (self._files, self._troubles):
            for path in known.keys() - listed:
                del known[path]
                self._changed.add(path)

    def _table(self, name: str, files: Sequence[_Listed], unread: set[str], now: datetime) -> LandedTable:
        """The table's content; the same object as before where no file has changed."""
        known, bad = self._files, self._troubles
        state = [
            (
                file.path,
                file.fingerprint,
                file.path in unread,
                bad.get(file.path),
                known[file.path].version if file.path in known else "",
            )
            for file, _ in files
        ]
        if name in self._tables and self._tables[name][0] == state:
            return self._tables[name][1]
        contents = [
            (file.path, known[file.path]) for file, _ in files if file.path not in unread and file.path not in bad
        ]
        by_date: dict[date, list[tuple[str, _FileContent]]] = {}
        if name == SCHEDULE.name:
            # A game that is moved changes two dates: what stands is told over all files and dates at once.
            games = self._games(files, now)
            self._schedule = {column: games.schedule[column] for column in SCHEDULE_COLUMNS}
            contents = [("", games)]
        for path, content in contents:
            for day in content.places:
                by_date.setdefault(day, []).append((path, content))
        dates = {day: self._date(name, day, mine, now) for day, mine in by_date.items()}
        self._dates = {key: content for key, content in self._dates.items() if key[0] != name or key[1] in dates}
        troubles: dict[date | None, list[str]] = {}
        for file, _ in files:
            for place in bad[file.path].places if file.path in bad else ():
                troubles.setdefault(place, []).append(f"{file.path} {bad[file.path].reason}")
        table = LandedTable(
            {day: content.digest for day, content in dates.items()},
            {day: content.games for day, content in dates.items()} if name in RESULTS else {},
            troubles,
            frozenset(path_date for file, path_date in files if file.path in unread),
            {day: content.conflicts for day, content in dates.items() if content.conflicts} if name in RESULTS else {},
        )
        self._tables[name] = (state, table)
        return table

    def _date(self, name: str, day: date, contents: Sequence[tuple[str, _FileContent]], now: datetime) -> _DateContent:
        sources = tuple((path, content.version) for path, content in contents)
        known = self._dates.get((name, day))
        if known is None or known.sources != sources:
            known = self._dates[name, day] = _DateContent.of(
                sources, [(content, content.places[day]) for _, content in contents], now
            )
        return known


_Listed = tuple[LandedFile, date | None]
Listings = Mapping[str, Sequence[_Listed]]


@dataclass(frozen=True)
class _Trouble:
    """A file that cannot be used: why, and which dates it may hold rows of.

    It is not remembered where the reason is transient.
    """

    fingerprint: str
    reason: str
    places: tuple[date | None, ...]
    is_transient: bool = False

    def stored(self) -> StoredFile:
        """As the store has it."""
        return StoredFile(
            self.fingerprint, {"reason": self.reason, "places": [day and day.isoformat() for day in self.places]}
        )

    @classmethod
    def from_stored(cls, stored: StoredFile) -> _Trouble:
        """From the store."""
        places = tuple(day and date.fromisoformat(day) for day in stored.facts["places"])
        return cls(stored.fingerprint, stored.facts["reason"], places)


ROW_COLUMNS = ("days", "keys", "people", "hashes", "processed_at", "contested", "games")


@dataclass(frozen=True, eq=False)
class _FileContent:
    """The rows of one file's newest deliveries, sorted by date.

    Hashes of their keys, of players' ids and of contents, when they were processed (NaT where the feed does not say),
    which are contested, their games.
    """

    fingerprint: str
    days: NDArray[np.datetime64]
    keys: Hashes
    people: Hashes
    hashes: Hashes
    processed_at: NDArray[np.datetime64]
    contested: NDArray[np.bool_]
    games: NDArray[np.int32]
    game_ids: Sequence[str]
    schedule: Columns
    league_schedule: str | None = None
    """Digest of the schedule by which games were told from the league's own ids, where there was need."""

    @classmethod
    def of_games(cls, contents: Sequence[_FileContent], now: datetime) -> _FileContent:
        """The games of a schedule that stand, each on one date, over all files, the oldest first."""
        schedule = {
            name: np.concatenate(
                [blank(SCHEDULE.table.column(name).type, 0), *(content.schedule[name] for content in contents)]
            )
            for name in (*SCHEDULE_COLUMNS, *OTHER_SCHEDULE_COLUMNS)
        }
        rows = _concatenated([(content, slice(None)) for content in contents])
        deliveries = rows.deliveries(now)
        standing = standing_by_key(rows.keys, deliveries, lambda places: rows.hashes[places], rows.contested)
        newest = np.flatnonzero((standing == Standing.STANDS) | (standing == Standing.CONFLICT))
        games = {name: values[newest] for name, values in schedule.items()}
        of_games = standing_by_league_game(games, deliveries.of(newest), standing[newest] == Standing.CONFLICT)
        stands = newest[of_games == Standing.STANDS]
        stands = stands[np.argsort(rows.days[stands], kind="stable")]
        return cls(
            " ".join(content.fingerprint for content in contents),
            rows.days[stands],
            rows.keys[stands],
            rows.people[stands],
            rows.hashes[stands],
            rows.processed_at[stands],
            np.zeros(len(stands), dtype=bool),
            np.zeros(len(stands), dtype=np.int32),
            [""],
            {name: values[stands] for name, values in schedule.items()},
        )

    def stored(self) -> StoredFile:
        """As the store has it."""
        rows = {name: getattr(self, name) for name in ROW_COLUMNS}
        return StoredFile(
            self.fingerprint,
            {"game_ids": list(self.game_ids), "league_schedule": self.league_schedule},
            rows | {f"{SCHEDULE.name}.{name}": values for name, values in self.schedule.items()},
        )

    @classmethod
    def from_stored(cls, stored: StoredFile) -> _FileContent:
        """From the store."""
        schedule = {
            name.partition(".")[2]: values for name, values in stored.columns.items() if name not in ROW_COLUMNS
        }
        rows: dict[str, NDArray[Any]] = {name: stored.columns[name] for name in ROW_COLUMNS}
        return cls(
            stored.fingerprint,
            **rows,
            game_ids=stored.facts["game_ids"],
            schedule=schedule,
            league_schedule=stored.facts["league_schedule"],
        )

    @property
    def version(self) -> str:
        """Changes whenever the rows may be others: with the file, and with the schedule that tells their games."""
        return f"{self.fingerprint} {self.league_schedule}"

    @cached_property
    def places(self) -> dict[date, slice]:
        """Where the rows of each date are."""
        bounds = np.flatnonzero(np.diff(self.days.astype(np.int64), prepend=-1, append=-1)).tolist()
        return {self.days[start].item(): slice(start, end) for start, end in pairwise(bounds)}


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of several files: as in `_FileContent`, and from which of the files each is."""

    days: NDArray[np.datetime64]
    keys: Hashes
    people: Hashes
    hashes: Hashes
    processed_at: NDArray[np.datetime64]
    contested: NDArray[np.bool_]
    files: NDArray[np.int64]

    def deliveries(self, now: datetime) -> Deliveries:
        """When they were delivered, as ingestion has it at a moment."""
        unstamped = np.isnat(self.processed_at)
        return Deliveries(self.files, np.where(unstamped, utc(now), self.processed_at), unstamped)


def _concatenated(parts: Sequence[tuple[_FileContent, slice]]) -> _Rows:
    def column(name: str, kind: str) -> NDArray[Any]:
        return np.concatenate([np.array([], dtype=kind), *(getattr(content, name)[place] for content, place in parts)])

    files = np.repeat(np.arange(len(parts)), [len(content.days[place]) for content, place in parts])
    days, keys, people, hashes = (
        column("days", "M8[D]"),
        column("keys", "u8"),
        column("people", "u8"),
        column("hashes", "u8"),
    )
    return _Rows(days, keys, people, hashes, column("processed_at", "M8[us]"), column("contested", "?"), files)


@dataclass(frozen=True)
class _DateContent:
    sources: tuple[tuple[str, str], ...]
    digest: str
    games: Mapping[str, int]
    conflicts: Sequence[str]

    @classmethod
    def of(
        cls, sources: tuple[tuple[str, str], ...], parts: Sequence[tuple[_FileContent, slice]], now: datetime
    ) -> _DateContent:
        """One date over all files that have rows of it, oldest file first."""
        rows = _concatenated(parts)
        standing = np.where(rows.contested, np.int8(Standing.CONFLICT), np.int8(Standing.STANDS))
        if len(parts) > 1:
            standing = standing_by_key(
                rows.keys,
                rows.deliveries(now),
                lambda places: rows.hashes[places],
                rows.contested,
                lambda places: rows.people[places],
            )
        games: Counter[str] = Counter()
        conflicts: set[str] = set()
        start = 0
        for content, place in parts:
            mine, codes = standing[start : start + place.stop - place.start], content.games[place]
            start += place.stop - place.start
            for code, size in zip(
                *(found.tolist() for found in np.unique(codes[mine == Standing.STANDS], return_counts=True)),
                strict=True,
            ):
                games[content.game_ids[code]] += size
            conflicts.update(content.game_ids[code] for code in np.unique(codes[mine == Standing.CONFLICT]).tolist())
        return cls(sources, partition_digest(rows.hashes[standing == Standing.STANDS]), games, sorted(conflicts))


@dataclass(frozen=True)
class _Some:
    """A landing zone in which there are only some of the files of another one."""

    landing: LandingZone
    some: Sequence[LandedFile]

    def files(self, table: str) -> list[LandedFile]:
        del table
        return list(self.some)

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        return {table: self.files(table) for table in tables}

    def local_copy(self, file: LandedFile) -> AbstractContextManager[Path]:
        return self.landing.local_copy(file)

    def content_digest(self, file: LandedFile) -> str:
        return self.landing.content_digest(file)


def _read_files(request: Request, landing: LandingZone, files: Sequence[_Listed]) -> dict[str, _FileContent | _Trouble]:
    """The content of each file, by path; of one that cannot be used, the reason.

    They are read together, which costs little more than reading one of them: which file a row is from is told by its
    date.
    """
    collection = collect(request, _Some(landing, [file for file, _ in files]))
    table, rows = request.raw.table, collection.newest
    order = np.argsort(rows[table.date_column], kind="stable")
    stored = to_arrow(table, rows)
    # Equal keys have equal hashes, and a hash says as much of them as a comparison of several columns would.
    keys, hashes = row_hashes(table, stored.select(table.key))[order], row_hashes(table, stored)[order]
    people = people_of(rows[PLAYER_ID][order]) if PLAYER_ID in rows else np.full(len(order), NOBODY)
    codes, ids = (
        pd.factorize(rows["game_id"]) if request.raw.name in RESULTS else (np.zeros(len(order), dtype=np.int64), [""])
    )
    days, stamps, games = (
        rows[table.date_column][order].astype("M8[D]"),
        rows["processed_at"][order].astype("M8[us]"),
        codes[order].astype(np.int32),
    )
    stamps, contested = (
        np.where(stamps == utc(request.now), np.datetime64("NaT", "us"), stamps),
        collection.contested[order],
    )
    names = (*SCHEDULE_COLUMNS, *OTHER_SCHEDULE_COLUMNS) if request.raw is SCHEDULE else ()
    schedule = {name: rows[name][order] for name in names}
    league_schedule = (
        columns_digest({**request.schedule}) if request.schedule is not None and request.schedule.was_read else None
    )
    contents: dict[str, _FileContent | _Trouble] = {}
    by_path = {file.path: file for file, _ in files}
    for bad in collection.bad_files:
        places = bad.days if len(bad.days) < len(request.dates) or files[0][1] is not None else (ANY_DATE,)
        # What cannot even be opened costs nothing to try again.
        is_transient = bad.is_transient or by_path[bad.path].fault is not None
        contents[bad.path] = _Trouble(by_path[bad.path].fingerprint, bad.reason, places, is_transient)
    for file, day in files:
        if file.path not in contents:
            mine = (
                slice(None)
                if day is None
                else slice(*np.searchsorted(days, np.array([day, day + timedelta(days=1)], dtype="M8[D]")).tolist())
            )
            of_file, places_of_file = np.unique(games[mine], return_inverse=True)
            contents[file.path] = _FileContent(
                file.fingerprint,
                days[mine],
                keys[mine],
                people[mine],
                hashes[mine],
                stamps[mine],
                contested[mine],
                places_of_file.astype(np.int32),
                [ids[code] for code in of_file.tolist()],
                {name: values[mine] for name, values in schedule.items()},
                league_schedule,
            )
    return contents


_INDEXES: dict[LandingZone, LandedIndex] = {}


def landed_index(landing: LandingZone) -> LandedIndex:
    """The index of a landing zone that this process keeps, and that goes on after a restart with what the home holds of
    it.
    """
    if landing not in _INDEXES:
        settings = Settings.from_environment()
        store = LandedStore(settings.home / STORE_NAME, repr(landing), store_version(Limits.from_settings(settings)))
        _INDEXES[landing] = LandedIndex(landing, store)
    return _INDEXES[landing]


def forget_landed() -> None:
    """Drop what this process remembers of landing zones, as a restart does."""
    _INDEXES.clear()
