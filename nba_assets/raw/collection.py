"""What the landing zone holds of one raw table for the dates of a run: the good rows, and what is quarantined.

No warehouse is known here; what becomes of the rows is in `ingestion`.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.raw.common_faults import common_fault
from nba_assets.raw.conflicts import key_conflicts, league_game_conflicts
from nba_assets.raw.deliveries import (
    NOBODY,
    Deliveries,
    Standing,
    league_game_codes,
    standing_by_key,
    standing_by_league_game,
)
from nba_assets.raw.landing import LandedFile, LandingZone
from nba_assets.raw.league_schedule import LeagueSchedule
from nba_assets.raw.limits import Limits
from nba_assets.raw.normalise import check_columns, normalise, outside_every_season, read_dates, utc
from nba_assets.raw.readers import BadFileError, FileRows, Keep, read_file
from nba_assets.raw.tables import SCHEDULE, SEASON_MONTHS, RawTable
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import WHOLE_FILE
from nba_assets.tables.columns import to_arrow
from nba_assets.tables.digest import Hashes, row_hashes, value_hashes
from nba_assets.tables.spec import Columns

Array = NDArray[Any]

CONTENTS_SHOWN = 20
"""Rows of one key that show their content in the quarantine; of the others file and number tell where it is."""


@dataclass
class Request:
    """One raw table, and the dates that a run requests (ascending, each once).

    `schedule` tells the games of rows that name theirs by the league's own id alone; without it such rows are at fault.
    """

    raw: RawTable
    dates: list[date]
    now: datetime
    schedule: LeagueSchedule | None = None
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("read", "check", "write"), 0.0))

    def __post_init__(self) -> None:
        """Refuse a request for nothing."""
        if not self.dates:
            raise ValueError(f"no dates to ingest {self.raw.name} for")

    @cached_property
    def seasons(self) -> list[int]:
        """Seasons that the dates may belong to: two, where one may still run while the next is being planned."""
        days = set(self.dates)
        years = {day.year - before for day in days for before in (0, 1)}
        return sorted(year for year in years if not days.isdisjoint(season_days(year)))

    @cached_property
    def span(self) -> list[date]:
        """Every date that the run is responsible for: those requested, or all days of their seasons."""
        days = set(self.dates)
        if self.raw.whole_season:
            days.update(day for year in self.seasons for day in season_days(year))
        return sorted(days)

    @cached_property
    def span_days(self) -> NDArray[np.datetime64]:
        """The span as an array."""
        return np.array(self.span, dtype="M8[D]")

    @cached_property
    def limits(self) -> Limits:
        """The bounds of its files, read from the settings once: of a landing zone of 2,000 files that took 6 s."""
        return Limits.from_settings(Settings.from_environment())

    def season_of(self, rows: Columns) -> Array:
        """Season of each row of a whole-season table, NaN where unknown."""
        if "season_year" in rows:
            return rows["season_year"]
        starts = rows[self.raw.table.date_column]
        return np.where(np.isnat(starts), np.nan, starts.astype("M8[Y]").astype(np.float64) + 1970)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the time inside towards `stage`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started


def season_start(season: int) -> date:
    """First of the days on which a season may have games: the first of July."""
    return date(season, 7, 1)


def season_days(season: int) -> list[date]:
    """All days on which a season may have games; the last of them are the next season's as well."""
    months_after_december = SEASON_MONTHS - 6
    end = date(season + 1 + months_after_december // 12, months_after_december % 12 + 1, 1)
    return [season_start(season) + timedelta(days=offset) for offset in range((end - season_start(season)).days)]


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be used, the column at fault, where there is one, and the requested dates of which it holds
    rows, or may hold some.
    """

    path: str
    reason: str
    column: str | None = None
    days: tuple[date, ...] = ()
    is_transient: bool = False
    """The same file may be read another time: it vanished, say, while it was opened."""


@dataclass(frozen=True)
class QuarantinedRow:
    """A row (or, under number 0, a file) that is quarantined, and the date for which it was read."""

    day: date
    path: str
    number: int
    reason: str
    content: str | None = None
    game_id: str | None = None

    def __str__(self) -> str:
        """Where it was, and what is wrong with it."""
        return f"{self.path}{f', row {self.number}' if self.number != WHOLE_FILE else ''}: {self.reason}"


@dataclass(frozen=True)
class CommonFault:
    """What most rows of a file have in common: how many it has quarantined, and of which dates (of a whole-season
    table: seasons) it has any.

    NaT or NaN among these stands for any date or season.
    """

    path: str
    hint: str
    quarantined: int
    concerns: Array


@dataclass
class Collection:
    """What has landed: good rows with every column of the table, one per key, and everything that was wrong.

    `newest` are the rows of each key's newest delivery: those of `rows`, those that are `contested` because that
    delivery contradicts itself, and of a schedule those of games that were moved. Rows of other files can be held
    against them.
    """

    rows: Columns
    newest: Columns = field(default_factory=dict)
    contested: NDArray[np.bool_] = field(default_factory=lambda: np.array([], dtype=bool))
    quarantined: list[QuarantinedRow] = field(default_factory=list)
    """Quarantined rows and files; a bad file stands there once for each date that it costs."""
    bad_files: list[BadFile] = field(default_factory=list)
    uncertain: set[date] = field(default_factory=set)
    """Dates requested of which a bad file may hold rows."""
    duplicates: Counter[date] = field(default_factory=Counter)
    """Dropped rows that equal one that stands, by date."""
    replaced: Counter[date] = field(default_factory=Counter)
    """Dropped rows that a newer delivery corrects, or whose game it moves to another date, by date."""
    conflicts: Counter[date] = field(default_factory=Counter)
    """Quarantined rows that contradict each other, by date."""
    notices: Counter[str] = field(default_factory=Counter)
    """Rows that are kept and not understood, by what is odd about them."""
    common_faults: list[CommonFault] = field(default_factory=list)
    """What is the matter with files of which most rows have the same fault."""
    files_read: int = 0
    files_skipped: int = 0
    required_but_absent: bool = False


def collect(request: Request, landing: LandingZone) -> Collection:
    """Read and check whatever the landing zone holds for a request."""
    files = landing.files(request.raw.name)
    collection = Collection({}, required_but_absent=request.raw.required and not files)
    if collection.required_but_absent:
        collection.uncertain.update(request.dates)
    with request.timed("read"):
        batches = _read_files(request, landing, files, collection)
    with request.timed("check"):
        _take_standing_rows(
            request, files, [_check(request, batch, files, collection) for batch in batches], collection
        )
    collection.quarantined.sort(key=lambda row: (row.path, row.number, row.day))
    return collection


@dataclass(frozen=True)
class _Batch:
    """Rows of files with equal columns, and where each comes from.

    `origins` are pairs: the place of the file in the list of files, and the row's number within it. `path_dates` are
    the dates that the files' paths name, NaT where they name none.
    """

    rows: pa.Table
    origins: NDArray[np.int64]
    path_dates: NDArray[np.datetime64]


def _read_files(
    request: Request, landing: LandingZone, files: list[LandedFile], collection: Collection
) -> list[_Batch]:
    """Rows of the files that may hold rows of the request, in at least one batch, if an empty one."""
    table, span = request.raw.table, set(request.span)
    groups: dict[pa.Schema, list[_Batch]] = {}
    for place, file in enumerate(files):
        path_date = file.date_of(table.date_column)
        day = path_date if path_date in span else request.dates[0]
        if path_date is not None and path_date not in span:
            collection.files_skipped += 1
            if _is_outside(path_date, request.now):
                reason = f"was not read, because its path names {path_date}, which lies outside every season"
                collection.quarantined.append(QuarantinedRow(day, file.path, WHOLE_FILE, reason))
            continue
        collection.files_read += 1
        rows = None
        try:
            found = _read(request, landing, file, path_date)
            rows = _with_path_values(request.raw, found.rows, file, path_date)
            check_columns(request.raw, rows.schema, found.columns)
        except (BadFileError, OSError) as error:
            is_transient = isinstance(error, OSError) or error.is_transient
            bad = BadFile(
                file.path,
                str(error),
                getattr(error, "column", None),
                _dates_at_risk(request, rows, path_date),
                is_transient,
            )
            if bad.days:
                collection.bad_files.append(bad)
                collection.uncertain.update(bad.days)
                collection.quarantined += [QuarantinedRow(day, bad.path, WHOLE_FILE, bad.reason) for day in bad.days]
            continue
        collection.quarantined += [
            QuarantinedRow(day, file.path, row.number, row.reason, row.content) for row in found.malformed
        ]
        origins = np.column_stack([np.full(rows.num_rows, place), found.numbers])
        groups.setdefault(rows.schema, []).append(
            _Batch(rows, origins, np.full(rows.num_rows, path_date or "NaT", dtype="M8[D]"))
        )
    # Files of one layout are checked together: a season in a thousand small files then costs little more than in one.
    return [
        _Batch(
            pa.concat_tables([batch.rows for batch in group]),
            np.concatenate([batch.origins for batch in group]),
            np.concatenate([batch.path_dates for batch in group]),
        )
        for group in groups.values()
    ] or [_Batch(pa.table({}), np.empty((0, 2), dtype=np.int64), np.array([], dtype="M8[D]"))]


def _read(request: Request, landing: LandingZone, file: LandedFile, path_date: date | None) -> FileRows:
    if file.fault is not None:
        raise BadFileError(file.fault)
    table = request.raw.table
    with landing.local_copy(file) as path:
        keep = _date_filter(request, path_date)
        return read_file(path, file, table.column_names, table.date_column, keep, request.limits)


def _dates_at_risk(request: Request, rows: pa.Table | None, path_date: date | None) -> tuple[date, ...]:
    """The requested dates of which a file that cannot be used holds rows, or may hold some; `rows` as far as it could
    be read.
    """
    name = request.raw.table.date_column
    if request.raw.whole_season or (path_date is None and (rows is None or name not in rows.column_names)):
        return tuple(request.dates)
    if path_date is not None or rows is None:
        return (path_date,) if path_date is not None else ()
    days = read_dates(name, rows.column(name))
    return tuple(request.dates) if np.isnat(days).any() else tuple(sorted(set(days.tolist()) & set(request.dates)))


def _date_filter(request: Request, path_date: date | None) -> Keep | None:
    """Which rows of a file to read: all, where its path names the date already or the table is taken by whole seasons.

    Rows without a readable date, or with one outside every season, are read too: no run requests their date, and they
    would never be reported.
    """
    if path_date is not None or request.raw.whole_season:
        return None

    def keep(values: pa.ChunkedArray) -> NDArray[np.bool_]:
        days = read_dates(request.raw.table.date_column, values)
        return np.isin(days, request.span_days) | np.isnat(days) | outside_every_season(days, request.now)

    return keep


def _with_path_values(raw: RawTable, rows: pa.Table, file: LandedFile, path_date: date | None) -> pa.Table:
    """The rows with the columns that only the file's path has."""
    values = {name: value for name, value in file.path_values.items() if name in raw.table.column_names}
    if path_date is not None and not raw.whole_season:
        values.setdefault(raw.table.date_column, path_date.isoformat())
    for name, value in values.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
    return rows.replace_schema_metadata(None)


@dataclass(frozen=True)
class _Checked:
    """The good rows of a batch: their columns, and their places in it."""

    batch: _Batch
    columns: Columns
    places: NDArray[np.int64]


def _check(request: Request, batch: _Batch, files: list[LandedFile], collection: Collection) -> _Checked:
    """The good rows of a batch that belong to the request; the others are quarantined."""
    columns, faults, notices = normalise(request.raw, batch.rows, batch.path_dates, request.now, request.schedule)
    good = np.ones(batch.rows.num_rows, dtype=bool)
    if request.raw.whole_season:
        seasons = request.season_of(columns)
        good = np.isnan(seasons) | np.isin(seasons, request.seasons)
    bad = np.array([place for place in sorted(faults.by_row) if good[place]], dtype=np.int64)
    if len(bad):
        _note_common_faults(
            request, batch, good, {place: faults.by_row[place] for place in bad.tolist()}, columns, files, collection
        )
        good[bad] = False
        span, days = set(request.span), columns[request.raw.table.date_column]
        for place, row in zip(bad.tolist(), _as_read(batch.rows.take(bad)), strict=True):
            named = [day for day in (batch.path_dates[place].item(), days[place].item()) if day in span]
            file, number = batch.origins[place].tolist()
            game_id = None if GAME_FAULTS & set(faults.by_row[place]) else _game_of(columns, place)
            found = QuarantinedRow(
                [*named, request.dates[0]][0], files[file].path, number, faults.reason(place), _as_json(row), game_id
            )
            collection.quarantined.append(found)
    collection.notices.update(notices.counted(good))
    return _Checked(batch, _marked(columns, good), np.flatnonzero(good))


def _note_common_faults(
    request: Request,
    batch: _Batch,
    belongs: NDArray[np.bool_],
    faults: Mapping[int, Mapping[str, str]],
    columns: Columns,
    files: list[LandedFile],
    collection: Collection,
) -> None:
    by_file: dict[int, dict[int, Mapping[str, str]]] = {}
    for place, complaints in faults.items():
        by_file.setdefault(int(batch.origins[place, 0]), {})[place] = complaints
    sizes = np.bincount(batch.origins[belongs, 0])
    for file, mine in by_file.items():
        if (hint := common_fault(mine, int(sizes[file]), columns)) is not None:
            rows = belongs & (batch.origins[:, 0] == file)
            concerns = (
                request.season_of(columns) if request.raw.whole_season else columns[request.raw.table.date_column]
            )
            collection.common_faults.append(CommonFault(files[file].path, hint, len(mine), np.unique(concerns[rows])))


GAME_FAULTS = frozenset(("game_id", "game_date", "home_team_abbr", "away_team_abbr", "two_teams"))
"""Faults of a row that leave open which game it belongs to."""


def _game_of(columns: Columns, place: int) -> str | None:
    """Canonical id of the game that a row belongs to, None where the row does not tell."""
    if "game_id" in columns:
        game_id: str | None = columns["game_id"][place]
        return game_id if game_id is not None and re.fullmatch(r"\d{8}_[A-Z]{3}_[A-Z]{3}", game_id) else None
    if not {"game_date", "home_team_abbr", "away_team_abbr"} <= set(columns):
        return None
    day, home, away = (columns[name][place] for name in ("game_date", "home_team_abbr", "away_team_abbr"))
    return None if np.isnat(day) or home is None or away is None else f"{day}_{away}_{home}".replace("-", "")


def _take_standing_rows(
    request: Request, files: list[LandedFile], checked: Sequence[_Checked], collection: Collection
) -> None:
    """Keep the row that stands of each key, and of each game of a schedule; quarantine those that contradict each
    other.
    """
    table = request.raw.table
    columns: Columns = {name: np.concatenate([part.columns[name] for part in checked]) for name in table.column_names}
    stamps, places = columns["processed_at"], np.concatenate([part.batch.origins[part.places, 0] for part in checked])
    deliveries = Deliveries(places, stamps, stamps == utc(request.now))
    keys = _key_codes(request.raw, columns)
    standing = np.zeros(len(keys), dtype=np.int8)
    if keys.max(initial=-1) + 1 < len(keys):
        people = (lambda repeated: people_of(columns[PLAYER_ID][repeated])) if PLAYER_ID in columns else None
        standing = standing_by_key(
            keys,
            deliveries,
            lambda repeated: _contents(request.raw, _at(columns, repeated)),
            standing.astype(bool),
            people,
        )
    of_one_key = standing == Standing.CONFLICT
    newest = of_one_key | (standing == Standing.STANDS)
    collection.newest, collection.contested = _marked(columns, newest), of_one_key[newest]
    if request.raw is SCHEDULE:
        standing[newest] = standing_by_league_game(collection.newest, deliveries.of(newest), collection.contested)
    stands = standing == Standing.STANDS
    collection.rows = collection.newest if stands[newest].all() else _marked(columns, stands)
    if stands.all():
        return
    days = columns[table.date_column]
    for counts, kind in (
        (collection.duplicates, Standing.DUPLICATE),
        (collection.replaced, Standing.REPLACED),
        (collection.conflicts, Standing.CONFLICT),
    ):
        counts.update(days[standing == kind].tolist())
    for conflicting, groups, reasons in (
        (np.flatnonzero((standing == Standing.CONFLICT) & of_one_key), keys, partial(key_conflicts, table)),
        (np.flatnonzero((standing == Standing.CONFLICT) & ~of_one_key), None, league_game_conflicts),
    ):
        if len(conflicting):
            rows = _at(columns, conflicting)
            codes = pd.factorize(league_game_codes(rows) if groups is None else groups[conflicting])[0]
            _quarantine_conflicts(request, files, checked, conflicting, rows, codes, reasons(rows, codes), collection)


def _quarantine_conflicts(
    request: Request,
    files: list[LandedFile],
    checked: Sequence[_Checked],
    places: NDArray[np.int64],
    rows: Columns,
    groups: NDArray[np.int64],
    reasons: Sequence[str],
    collection: Collection,
) -> None:
    """Quarantine the rows at `places` among all good rows; of a large group a few show their content, the same whatever
    their order.
    """
    order = np.lexsort((_contents(request.raw, rows), groups))
    sizes = np.bincount(groups)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shown = rank < CONTENTS_SHOWN
    ends = np.cumsum([len(part.places) for part in checked])
    part_of = np.searchsorted(ends, places, side="right")
    for number, part in enumerate(checked):
        mine = np.flatnonzero(part_of == number)
        in_batch = part.places[places[mine] - (ends[number] - len(part.places))]
        contents = iter(_as_read(part.batch.rows.take(in_batch[shown[mine]])))
        for place, (file, row_number) in zip(mine.tolist(), part.batch.origins[in_batch].tolist(), strict=True):
            day = rows[request.raw.table.date_column][place].item()
            content = _as_json(next(contents)) if shown[place] else None
            collection.quarantined.append(
                QuarantinedRow(day, files[file].path, row_number, reasons[place], content, _game_of(rows, place))
            )


def people_of(player_ids: Array) -> Hashes:
    """Hashes of players' ids, `NOBODY` where there is none."""
    return np.where(pd.isna(player_ids), NOBODY, value_hashes(player_ids))


PLAYER_ID = "player_id"


def _marked(columns: Columns, marks: NDArray[np.bool_]) -> Columns:
    """The marked rows, without a copy where that is all of them."""
    return columns if marks.all() else _at(columns, np.flatnonzero(marks))


def _at(columns: Columns, places: NDArray[np.int64]) -> Columns:
    return {name: values[places] for name, values in columns.items()}


def _contents(raw: RawTable, rows: Columns) -> Hashes:
    return row_hashes(raw.table, to_arrow(raw.table, rows))


def _as_json(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


def _as_read(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python has them; times as text, because Python's calendar ends where a broken feed's does not."""
    for place, column in enumerate(rows.schema):
        if pa.types.is_temporal(column.type):
            values = rows.column(place)
            plain = values.cast(pa.timestamp("us"), safe=False) if pa.types.is_timestamp(column.type) else values
            rows = rows.set_column(place, column.name, plain.cast(pa.string()))
    read: list[dict[str, Any]] = rows.to_pylist()
    return read


def _key_codes(raw: RawTable, columns: Columns) -> NDArray[np.int64]:
    """Codes from 0 that are equal where rows have one key."""
    keys = np.zeros(len(columns["processed_at"]), dtype=np.int64)
    for name in raw.table.key:
        codes, distinct = pd.factorize(columns[name])
        keys = pd.factorize(keys * len(distinct) + codes)[0]
    return keys


def _is_outside(day: date, now: datetime) -> bool:
    return bool(outside_every_season(np.array([day], dtype="M8[D]"), now).any())
