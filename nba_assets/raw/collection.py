"""What the landing zone holds of one raw table for the dates of a run: the good rows, and what had to be set aside.

No warehouse is known here; what becomes of the rows is `ingestion`'s business.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.raw.landing import LandedFile, LandingZone
from nba_assets.raw.normalise import check_columns, normalise, outside_every_season, read_dates
from nba_assets.raw.readers import BadFileError, Keep, read_file
from nba_assets.raw.tables import SEASON_MONTHS, RawTable
from nba_assets.tables.spec import Columns

Array = NDArray[Any]

WHOLE_FILE = 0
"""Row number under which a file is set aside as a whole."""


@dataclass
class Request:
    """One raw table, and the dates that a run asks for (ascending, each once)."""

    raw: RawTable
    dates: list[date]
    now: datetime
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("read", "check", "write"), 0.0))

    def __post_init__(self) -> None:
        """Refuse a request for nothing."""
        if not self.dates:
            raise ValueError(f"no dates to ingest {self.raw.name} for")

    @cached_property
    def seasons(self) -> list[int]:
        """Seasons that the dates may belong to: two, where one may still run while the next is being planned."""
        years = {day.year - before for day in self.dates for before in (0, 1)}
        return sorted(year for year in years if set(season_days(year)) & set(self.dates))

    @cached_property
    def span(self) -> list[date]:
        """Every date that the run answers for: those asked for, or all days of their seasons."""
        days = set(self.dates)
        if self.raw.whole_season:
            days.update(day for year in self.seasons for day in season_days(year))
        return sorted(days)

    @cached_property
    def span_days(self) -> NDArray[np.datetime64]:
        """The span as an array."""
        return np.array(self.span, dtype="M8[D]")

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
    """A file that was set aside as a whole, and the column at fault, where there is one."""

    path: str
    reason: str
    column: str | None = None


@dataclass(frozen=True)
class SetAside:
    """A row (or, under number 0, a file) that was set aside, and the date in whose name."""

    day: date
    path: str
    number: int
    reason: str
    content: str | None = None
    game_id: str | None = None

    def __str__(self) -> str:
        """Where it was, and what is wrong with it."""
        return f"{self.path}{f', row {self.number}' if self.number != WHOLE_FILE else ''}: {self.reason}"


@dataclass
class Collection:
    """What has landed: good rows with every column of the table, one per key, and everything that was wrong."""

    rows: Columns
    set_aside: list[SetAside] = field(default_factory=list)
    bad_files: list[BadFile] = field(default_factory=list)
    uncertain: set[date] = field(default_factory=set)
    """Dates asked for of which a bad file may hold rows."""
    duplicate_count: int = 0
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
        checked = [_check(request, batch, files, collection) for batch in batches]
        columns = {name: np.concatenate([rows[name] for rows, _ in checked]) for name in request.raw.table.column_names}
        newest = _newest_of_each_key(request.raw, columns, np.concatenate([order for _, order in checked]))
        collection.duplicate_count = len(newest) - int(newest.sum())
        collection.rows = columns if newest.all() else {name: values[newest] for name, values in columns.items()}
    collection.set_aside.sort(key=lambda aside: (aside.path, aside.number))
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


def _read_files(request: Request, landing: LandingZone, files: list[LandedFile], collection: Collection) -> list[_Batch]:
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
                collection.set_aside.append(SetAside(day, file.path, WHOLE_FILE, reason))
            continue
        collection.files_read += 1
        try:
            with landing.local_copy(file) as path:
                found = read_file(path, file, table.column_names, table.date_column, _date_filter(request, path_date))
            rows = _with_path_values(request.raw, found.rows, file, path_date)
            check_columns(request.raw, rows.schema)
        except BadFileError as error:
            collection.bad_files.append(BadFile(file.path, str(error), error.column))
            collection.set_aside.append(SetAside(day, file.path, WHOLE_FILE, str(error)))
            collection.uncertain.update([day] if path_date in request.dates else request.dates)
            continue
        collection.set_aside += [SetAside(day, file.path, row.number, row.reason, row.content) for row in found.malformed]
        origins = np.column_stack([np.full(rows.num_rows, place), found.numbers])
        groups.setdefault(rows.schema, []).append(_Batch(rows, origins, np.full(rows.num_rows, path_date or "NaT", dtype="M8[D]")))
    # Files of one layout are checked together: a season in a thousand small files then costs little more than in one.
    return [
        _Batch(
            pa.concat_tables([batch.rows for batch in group]),
            np.concatenate([batch.origins for batch in group]),
            np.concatenate([batch.path_dates for batch in group]),
        )
        for group in groups.values()
    ] or [_Batch(pa.table({}), np.empty((0, 2), dtype=np.int64), np.array([], dtype="M8[D]"))]


def _date_filter(request: Request, path_date: date | None) -> Keep | None:
    """Which rows of a file to read: all, where its path names the date already or the table is taken by whole seasons.

    Rows without a readable date, or with one outside every season, are wanted too: no run asks for their date, and so
    nobody would ever hear of them.
    """
    if path_date is not None or request.raw.whole_season:
        return None

    def keep(values: pa.ChunkedArray) -> NDArray[np.bool_]:
        days = read_dates(request.raw.table.date_column, values)
        return np.isin(days, request.span_days) | np.isnat(days) | outside_every_season(days, request.now)

    return keep


def _with_path_values(raw: RawTable, rows: pa.Table, file: LandedFile, path_date: date | None) -> pa.Table:
    """The rows with the columns that only the file's path tells of."""
    values = {name: value for name, value in file.path_values.items() if name in raw.table.column_names}
    if path_date is not None and not raw.whole_season:
        values.setdefault(raw.table.date_column, path_date.isoformat())
    for name, value in values.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.repeat(pa.scalar(value, pa.string()), rows.num_rows))
    return rows.replace_schema_metadata(None)


def _check(request: Request, batch: _Batch, files: list[LandedFile], collection: Collection) -> tuple[Columns, NDArray[np.int64]]:
    """The good rows of a batch that belong to the request, and their origins; the others are set aside."""
    columns, faults, _ = normalise(request.raw, batch.rows, batch.path_dates, request.now)
    good = np.ones(batch.rows.num_rows, dtype=bool)
    if request.raw.whole_season:
        seasons = request.season_of(columns)
        good = np.isnan(seasons) | np.isin(seasons, request.seasons)
    bad = np.array([place for place in sorted(faults.by_row) if good[place]], dtype=np.int64)
    good[bad] = False
    span, days = set(request.span), columns[request.raw.table.date_column]
    for place, row in zip(bad.tolist(), _as_read(batch.rows.take(bad)), strict=True):
        named = [day for day in (batch.path_dates[place].item(), days[place].item()) if day in span]
        file, number = batch.origins[place].tolist()
        content = json.dumps(row, ensure_ascii=False, default=str)
        collection.set_aside.append(SetAside([*named, request.dates[0]][0], files[file].path, number, faults.reason(place), content))
    if good.all():
        return columns, batch.origins
    return {name: values[good] for name, values in columns.items()}, batch.origins[good]


def _as_read(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows as Python has them; times as text, because Python's calendar ends where a broken feed's does not."""
    for place, column in enumerate(rows.schema):
        if pa.types.is_temporal(column.type):
            values = rows.column(place)
            plain = values.cast(pa.timestamp("us"), safe=False) if pa.types.is_timestamp(column.type) else values
            rows = rows.set_column(place, column.name, plain.cast(pa.string()))
    read: list[dict[str, Any]] = rows.to_pylist()
    return read


def _newest_of_each_key(raw: RawTable, columns: Columns, origins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Marks one row of each key: the latest by `processed_at`, of those by file, of those by number."""
    keys = np.zeros(len(origins), dtype=np.int64)
    for name in raw.table.key:
        codes, distinct = pd.factorize(columns[name])
        keys = pd.factorize(keys * len(distinct) + codes)[0]
    newest = np.ones(len(keys), dtype=bool)
    if keys.max(initial=-1) + 1 == len(keys):
        return newest
    order = np.lexsort((origins[:, 1], origins[:, 0], columns["processed_at"], keys))
    newest[order[:-1]] = keys[order[1:]] != keys[order[:-1]]
    return newest


def _is_outside(day: date, now: datetime) -> bool:
    return bool(outside_every_season(np.array([day], dtype="M8[D]"), now).any())
