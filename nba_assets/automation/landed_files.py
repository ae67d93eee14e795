"""Which files of the landing zone came or changed since their dates were ingested, by their times of modification
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from nba_assets.partitions import FIRST_DATE
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import listed

FILES_SHOWN = 3


def landed_since(warehouse: Warehouse, landing: LandingZone, today: date) -> list[date]:
    """Dates until `today` of which the landing zone holds files that are not ingested, or that came or changed after
    that, ascending.

    A file of which the path names no date counts for `today`. Dates that lie behind and have no file of a required feed
    are left out: a roster of the day before opening night is ingested for nothing.
    """
    found = {
        news.day or today
        for news in news_of(warehouse, landing, FIRST_DATE, today)
        if news.ingested is not None or news.day is None or news.day == today or RAW_TABLES[news.table].required
    }
    return sorted(found)


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
        dates = f", of {len(days):,} dates from {days[0]} to {days[-1]}" if days else ""
        yield f"{len({one.table for one in first})} tables: {len(first):,} files that are not ingested yet{dates}"


def news_of(warehouse: Warehouse, landing: LandingZone, start: date, end: date) -> Iterator[News]:
    """The files that may hold rows of dates from `start` to `end` and came after these were ingested.

    Told by the time of the files alone, none is opened. A file of which the path names no date may hold rows of any;
    every ingestion of its table reads it.
    """
    names = ("table_name", "partition_date", "written_at")
    rows = warehouse.read(TABLE_PARTITIONS, names, date.min, date.max, {"table_name": list(RAW_TABLES)}).to_pylist()
    written: dict[str, dict[date, datetime]] = {name: {} for name in RAW_TABLES}
    for row in rows:
        written[row["table_name"]][row["partition_date"]] = row["written_at"].replace(tzinfo=UTC)
    for name, dates in written.items():
        for file in landing.files(name):
            day = file.date_of(RAW_TABLES[name].table.date_column)
            if day is not None and not start <= day <= end:
                continue
            ingested = max(dates.values(), default=None) if day is None else dates.get(day)
            if ingested is None or file.placed_at > ingested:
                yield News(name, file.path, day, ingested)
