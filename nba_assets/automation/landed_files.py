"""Which files of the landing zone came or changed since their dates were ingested.

A command that builds goes by their times alone (`news_of`). Where the pipeline stands goes by their content besides
(`landed_since`), as sensors do: a file may hold rows of other dates than those that a command builds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from nba_assets.automation.scheduled_dates import calendar_of
from nba_assets.partitions import FIRST_DATE
from nba_assets.raw.content_index import ContentIndex, LandedIndex, landed_index
from nba_assets.raw.landing import (
    FolderLandingZone,
    LandedFile,
    LandingZone,
    LandingZoneError,
    is_passed_over,
    suffix_of,
    table_of,
)
from nba_assets.raw.tables import PLAYER_REGISTRY, RAW_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import counted, listed

FILES_SHOWN = 3

READING_SECONDS = 2.0
"""Reading that a look at the content of files may cost; what is left over counts as not ingested."""

ONE_YEAR = timedelta(days=365)


def what_landed(warehouse: Warehouse, landing: LandingZone, today: date) -> tuple[list[Later], str | None]:
    """As `landed_since`; nothing, and why, where the landing zone cannot be read."""
    try:
        return landed_since(warehouse, landing, today), None
    except LandingZoneError as error:
        return [], str(error)


def landed_since(warehouse: Warehouse, landing: LandingZone, today: date) -> list[Later]:
    """What the landing zone holds of dates until `today` that is not ingested, in order of date and table.

    A file of which the path names no date may hold rows of all dates with games. Dates that were never ingested and
    have no file of a required feed are left out: a roster of the day before opening night is ingested for nothing.
    Raises LandingZoneError where the landing zone cannot be listed.
    """

    @cache
    def game_days() -> Sequence[date]:
        days: list[date] = calendar_of(warehouse, landing, FIRST_DATE, today).game_dates.tolist()
        return [day for day in days if FIRST_DATE <= day <= today]

    stored = Ingested.read(warehouse)
    files = {name: landing.files(name) for name in RAW_TABLES}
    found = later_than(stored, files, game_days, today)
    if stored.digests and any(one.is_doubtful for one in found):
        landed = _index(landing).look(today, datetime.now(UTC), seconds=READING_SECONDS)
        found = list(differing(found, landed, stored, game_days))
    found += _without_file(stored, files, today)
    days = {
        one.day
        for one in found
        if RAW_TABLES[one.table].required or one.day == today or (one.table, one.day) in stored.digests
    }
    pending = {(one.day, one.table): one for one in found if one.day in days}
    return [pending[place] for place in sorted(pending)]


@dataclass(frozen=True)
class Ingested:
    """What is recorded of the dates of raw tables, by table and date."""

    digests: Mapping[tuple[str, date], str]
    looked_at: Mapping[tuple[str, date], datetime]
    """When the date was ingested, or last refused to be because of a file."""
    refused_files: Mapping[tuple[str, date], Sequence[str]]
    """Files that keep a date from being ingested."""

    @classmethod
    def read(cls, warehouse: Warehouse) -> Ingested:
        """From the warehouse."""
        names = ("table_name", "partition_date", "digest", "written_at")
        entries = warehouse.read(TABLE_PARTITIONS, names, date.min, date.max, {"table_name": list(RAW_TABLES)})
        columns = ("table_name", "partition_date", "file", "created_at")
        refused = warehouse.read(RAW_QUARANTINE, columns, date.min, date.max, {"row_number": WHOLE_FILE})
        digests: dict[tuple[str, date], str] = {}
        looked_at: dict[tuple[str, date], datetime] = {}
        files: dict[tuple[str, date], list[str]] = {}
        for row in entries.to_pylist():
            place = row["table_name"], row["partition_date"]
            digests[place], looked_at[place] = row["digest"], row["written_at"].replace(tzinfo=UTC)
        for row in refused.to_pylist():
            place = row["table_name"], row["partition_date"]
            if place not in digests:
                looked_at[place] = row["created_at"].replace(tzinfo=UTC)
                files.setdefault(place, []).append(row["file"])
        return cls(digests, looked_at, files)


@dataclass(frozen=True)
class Later:
    """A date of a raw table that is not ingested as it has landed, and the newest file that may hold rows of it;
    doubtful where that may hold no other content of the date.
    """

    table: str
    day: date
    path: str
    is_doubtful: bool


def later_than(
    stored: Ingested, files: Mapping[str, Sequence[LandedFile]], game_days: Callable[[], Sequence[date]], today: date
) -> list[Later]:
    """The dates until `today` of which a file came or changed after they were ingested, by the time of the files alone.

    `game_days` are the dates with games until then; they are only needed where the path of a file names no date.
    """
    found: dict[tuple[str, date], Later] = {}
    whole_season: list[tuple[str, LandedFile]] = []
    for name, mine in files.items():
        raw = RAW_TABLES[name]
        undated = None
        for file in mine:
            day = file.date_of(raw.table.date_column)
            if day is None:
                undated = file if undated is None else max(undated, file, key=lambda one: one.placed_at)
            elif FIRST_DATE <= day <= today and _is_later(file, stored, name, day):
                found[name, day] = Later(name, day, file.path, (name, day) in stored.digests)
        if undated is not None and raw.whole_season:
            looked_at = [moment for (table, _), moment in stored.looked_at.items() if table == name]
            if undated.placed_at > max(looked_at, default=datetime.min.replace(tzinfo=UTC)):
                whole_season.append((name, undated))
        elif undated is not None:
            for day in game_days():
                if _is_later(undated, stored, name, day):
                    found.setdefault((name, day), Later(name, day, undated.path, is_doubtful=True))
    # A season's schedule and registry are ingested with any of its dates.
    days = (
        sorted({day for table, day in found if RAW_TABLES[table].required}) or [*game_days()[-1:]]
        if whole_season
        else []
    )
    for name, file in whole_season:
        for day in days:
            found.setdefault((name, day), Later(name, day, file.path, is_doubtful=True))
    return list(found.values())


def differing(
    found: Sequence[Later], landed: ContentIndex, stored: Ingested, game_days: Callable[[], Sequence[date]]
) -> Iterator[Later]:
    """Those of which the landed content is not what is ingested, or is not known; of a whole season's table, the dates
    of the season that differ.
    """
    seasons: dict[str, Later] = {}
    for one in found:
        table = landed.tables[one.table]
        if not one.is_doubtful or not table.is_known(one.day) or table.trouble(one.day) is not None:
            yield one
        elif RAW_TABLES[one.table].whole_season:
            seasons[one.table] = one
        elif (digest := table.digests.get(one.day)) is not None and digest != stored.digests.get((one.table, one.day)):
            yield one
    for name, one in seasons.items():
        for day, digest in landed.tables[name].digests.items():
            if digest == stored.digests.get((name, day)):
                continue
            # The registry is stored under the first day of its season.
            last = day + ONE_YEAR if name == PLAYER_REGISTRY.name else day + timedelta(days=1)
            yield from (Later(name, last_day, one.path, is_doubtful=True) for last_day in _last(game_days(), day, last))


def _last(days: Sequence[date], start: date, end: date) -> Sequence[date]:
    """The last of some ascending days from `start` to before `end`; nothing where there is none."""
    return [day for day in days if start <= day < end][-1:]


def _is_later(file: LandedFile, stored: Ingested, name: str, day: date) -> bool:
    looked_at = stored.looked_at.get((name, day))
    return looked_at is None or file.placed_at > looked_at


def _without_file(stored: Ingested, files: Mapping[str, Sequence[LandedFile]], today: date) -> Iterator[Later]:
    """Dates that a file kept from being ingested which is there no more."""
    there = {file.path for mine in files.values() for file in mine}
    for (name, day), paths in stored.refused_files.items():
        if FIRST_DATE <= day <= today and not there.issuperset(paths):
            yield Later(name, day, next(path for path in paths if path not in there), is_doubtful=False)


def _index(landing: LandingZone) -> LandedIndex:
    """The index that sensors keep in the home; one of this process alone where the home cannot be written."""
    home: Path = Settings.from_environment().home
    return landed_index(landing) if os.access(home, os.W_OK) else LandedIndex(landing)


def without_table(landing: LandingZone) -> list[str]:
    """A line that names what stands in a landing zone's folder and belongs to no raw table, and which table it may be
    meant for; none where there is nothing of that kind, and for a landing zone elsewhere.

    Example: "In /data belong to no raw table and are not read: player_boxscore.parquet (player_boxscores?)".
    """
    if not isinstance(landing, FolderLandingZone) or not landing.root.is_dir():
        return []
    names = sorted(name for name in os.listdir(landing.root) if not is_passed_over(name))
    foreign = []
    for name in names:
        stem = name.partition(".")[0]
        is_meant = suffix_of(name) or stem in RAW_TABLES or (landing.root / name).is_dir()
        if table_of(name) not in RAW_TABLES and is_meant:
            near = get_close_matches(stem, RAW_TABLES, 1)
            foreign.append(f"{name} ({near[0]}?)" if near else name)
    if not foreign:
        return []
    return [f"In {landing.root} belong to no raw table and are not read: {listed(foreign, FILES_SHOWN, 'names')}"]


@dataclass(frozen=True)
class News:
    """A file that came or changed after its date was ingested: its table, the date that its path names, and when that
    was ingested, None for never.
    """

    table: str
    path: str
    day: date | None
    ingested: datetime | None


def news_lines(news: Sequence[News]) -> Iterator[str]:
    """What has landed, in a line per table that has something new for dates which were ingested before, and one for
    all others.
    """
    again = [one for one in news if one.ingested is not None]
    for table in dict.fromkeys(one.table for one in again):
        files = [one.path for one in again if one.table == table]
        yield f"{table}: came or changed since it was ingested: {listed(files, FILES_SHOWN, 'files')}"
    if first := [one for one in news if one.ingested is None]:
        days = sorted({one.day for one in first if one.day is not None})
        dates = f", of {counted(len(days), 'date')} from {days[0]} to {days[-1]}" if days else ""
        tables, files_of_all = counted(len({one.table for one in first}), "table"), counted(len(first), "file")
        yield f"{tables}: {files_of_all} not ingested yet{dates}"


def news_of(
    warehouse: Warehouse, landing: LandingZone, start: date, end: date, undated: tuple[date, date] | None = None
) -> Iterator[News]:
    """The files that may hold rows of dates from `start` to `end` and came after these were ingested.

    Told by the time of the files alone, none is opened. A file of which the path names no date may hold rows of any: it
    is news where one of the dates was ingested before it came, those of `undated` (first and last) where given. A
    snapshot of a season is ingested with any of its dates.
    """
    names = ("table_name", "partition_date", "written_at")
    rows = warehouse.read(TABLE_PARTITIONS, names, date.min, date.max, {"table_name": list(RAW_TABLES)}).to_pylist()
    written: dict[str, dict[date, datetime]] = {name: {} for name in RAW_TABLES}
    for row in rows:
        written[row["table_name"]][row["partition_date"]] = row["written_at"].replace(tzinfo=UTC)
    first, last = undated or (start, end)
    for name, dates in written.items():
        within = [moment for day, moment in dates.items() if first <= day <= last]
        of_undated = max(dates.values(), default=None) if RAW_TABLES[name].whole_season else min(within, default=None)
        for file in landing.files(name):
            day = file.date_of(RAW_TABLES[name].table.date_column)
            if day is not None and not start <= day <= end:
                continue
            ingested = of_undated if day is None else dates.get(day)
            if ingested is None or file.placed_at > ingested:
                yield News(name, file.path, day, ingested)
