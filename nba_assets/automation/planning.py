"""Which runs a person's request takes: of the dates to build, or of the files to ingest.

What sensors plan is in `arrival` and `staleness`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from nba_assets.automation.landed_files import news_lines, news_of, without_table
from nba_assets.automation.planned_runs import Launch
from nba_assets.automation.scheduled_dates import NO_SCHEDULE, UnscheduledError, calendar_of, require_scheduled
from nba_assets.partitions import FIRST_DATE, FIRST_DATE_VARIABLE, days_between
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse


def plan(
    warehouse: Warehouse,
    landing: LandingZone,
    tables: Sequence[str],
    start: date,
    end: date,
    warn: Callable[[str], object] = lambda _: None,
    *,
    ingest: bool = False,
) -> list[Launch]:
    """The runs that build `tables` from `start` to `end`.

    One run, with the raw data of those dates where it is not in the warehouse yet, where a file of theirs has come or
    changed since, or in any case with `ingest`; before it one more, where earlier dates of the season are missing.
    Dates before the first partition cannot be ingested; `warn` gets a line where the season has any, and one that names
    the files that came or changed. Raises UnscheduledError for dates that no schedule covers.
    """
    calendar = require_scheduled(warehouse, landing, start, end)
    first_day: date = calendar.first_day(np.array([start], dtype="M8[D]"))[0].item()
    opening = min(first_day, start)
    if opening < FIRST_DATE:
        warn(
            f"The season began on {opening}, before the first partition {FIRST_DATE}: its earlier games cannot "
            f"be looked back on. Set {FIRST_DATE_VARIABLE} to {opening} or earlier to have them."
        )
    missing = missing_raw_dates(warehouse, max(opening, FIRST_DATE), end)
    earlier = [day for day in missing if day < start]
    changed = [news for news in news_of(warehouse, landing, start, end) if news.ingested is not None]
    for line in (*without_table(landing), *news_lines(changed)):
        warn(line)
    launches = [Launch("full", list(RAW_TABLES), min(earlier), start - timedelta(days=1))] if earlier else []
    raw = list(RAW_TABLES) if ingest or changed or any(day >= start for day in missing) else []
    return [*launches, Launch("full", [*raw, *tables], start, end)]


def plan_ingestion(
    warehouse: Warehouse, landing: LandingZone, start: date, end: date, say: Callable[[str], object] = lambda _: None
) -> list[Launch]:
    """The runs that ingest what came or changed for dates from `start` to `end`, and nothing else.

    Dates between them that were never ingested are ingested with them, so that a season is one run. A file of which the
    path names no date may hold rows of all dates between games. `say` gets lines that name the files. Raises
    UnscheduledError where no schedule has landed.
    """
    calendar = calendar_of(warehouse, landing, start, end)
    if not len(calendar.game_dates):
        raise UnscheduledError(NO_SCHEDULE)
    within = (calendar.game_dates >= np.datetime64(start)) & (calendar.game_dates <= np.datetime64(end))
    played, seasons = calendar.game_dates[within], calendar.season_years[within]
    games = (played[0].item(), played[-1].item()) if len(played) else None
    news = list(news_of(warehouse, landing, start, min(end, calendar.game_dates[-1].item()), games))
    for line in (*without_table(landing), *news_lines(news)):
        say(line)
    days = {one.day for one in news if one.day is not None}
    undated = [RAW_TABLES[one.table] for one in news if one.day is None]
    if len(played) and any(not raw.whole_season for raw in undated):
        days.update(np.arange(played[0], played[-1] + 1).tolist())
    elif undated:
        # Whichever of its dates is ingested, the whole season is.
        days.update(played[seasons == season][-1].item() for season in np.unique(seasons))
    return [Launch("ingest", list(RAW_TABLES), first, last) for first, last in _ranges(warehouse, sorted(days))]


def _ranges(warehouse: Warehouse, days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Some dates, ascending, as ranges that hold no other date that is ingested."""
    if not days:
        return
    missing = set(missing_raw_dates(warehouse, days[0], days[-1]))
    first = days[0]
    for day, following in pairwise(days):
        if not missing.issuperset(days_between(day, following)[1:-1]):
            yield first, day
            first = following
    yield first, days[-1]


def missing_upstream(
    warehouse: Warehouse, tables: Collection[str], upstream: Mapping[str, Collection[str]], start: date, end: date
) -> list[str]:
    """A line for each of some tables whose upstream is neither run with it nor built for all dates from `start` to
    `end`; raw tables are ingested by themselves.

    `upstream` are the tables that each table reads.
    """
    needed = {
        name: [source for source in upstream[name] if source not in tables and source not in RAW_TABLES]
        for name in tables
    }
    sources = sorted({source for mine in needed.values() for source in mine})
    if not sources:
        return []
    entries = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date"), start, end, {"table_name": sources})
    dates = Counter(entries["table_name"].to_pylist())
    count = (end - start).days + 1
    lacking = {
        name: [f"{source} ({dates[source]} of {count} dates are built)" for source in mine if dates[source] < count]
        for name, mine in needed.items()
    }
    return [
        f"{name} reads what is not built: {', '.join(mine)}. Build it first, or with --table."
        for name, mine in lacking.items()
        if mine
    ]


def missing_raw_dates(warehouse: Warehouse, start: date, end: date) -> list[date]:
    """Dates for which some raw table was never ingested."""
    partition_state = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "partition_date"), start, end, {"table_name": list(RAW_TABLES)}
    )
    there = set(
        zip(partition_state["table_name"].to_pylist(), partition_state["partition_date"].to_pylist(), strict=True)
    )
    return [day for day in days_between(start, end) if any((name, day) not in there for name in RAW_TABLES)]
