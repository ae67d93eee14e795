"""Where the pipeline stands, in some lines: what is built, stale, missing or failing, what has landed and is not built,
and the next command.

It reads the warehouse and the landing zone, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from nba_assets.automation.landed_files import landed_since
from nba_assets.automation.stored_state import StoredState, read_state
from nba_assets.orchestration.health import game_days_without_rows
from nba_assets.publishing.refusals import stored_refusals
from nba_assets.publishing.retry import open_failures
from nba_assets.raw.landing import LandingZone, LandingZoneError
from nba_assets.raw.refusals import unreadable_files
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.warehouse.interface import Warehouse

DATES_SHOWN = 3


@dataclass(frozen=True)
class Overview:
    """Where the pipeline stands."""

    today: date
    """US-Eastern."""
    newest: date | None
    """Newest date that every computed table is built for; None where none is."""
    behind: dict[str, date | None]
    """Computed tables that are not built as far as another one, and their newest date."""
    stale: dict[str, list[date]]
    outdated: list[str]
    """Tables with dates from older code, in words."""
    without_rows: dict[str, list[date]]
    """Days of the newest season with final games of which a table holds neither rows nor failure records."""
    never_landed: dict[str, list[date]]
    """Such days that the feeds left out for good."""
    failures: dict[str, int]
    """Failures that are not expected, by table."""
    refused: int
    unreadable: list[str]
    landed: list[date]
    """Dates with files that came or changed since the date was ingested, or that was never ingested."""
    has_landing_zone: bool
    games_today: bool
    built_today: bool

    @property
    def next_command(self) -> str | None:
        """What brings the warehouse up to date; None where everything is."""
        to_build = sorted(
            {*self.landed, *(day for days in (*self.stale.values(), *self.without_rows.values()) for day in days)}
        )
        if to_build:
            return (
                f"nba-assets run {to_build[0]}"
                if len(to_build) == 1
                else f"nba-assets backfill {to_build[0]} {to_build[-1]}"
            )
        if self.games_today and not self.built_today:
            return f"nba-assets run {self.today}"
        if self.failures:
            return "nba-assets failures"
        return None if self.has_landing_zone or self.newest else "nba-assets demo"


def overview(warehouse: Warehouse, landing: LandingZone, today: date, settings: Settings) -> Overview:
    """Where the pipeline stands on the date `today`."""
    with warehouse.session():
        state = read_state(warehouse, today)
        failures = open_failures(warehouse, datetime.now(UTC))
        lacking = {
            name: game_days_without_rows(warehouse, table, settings, today) for name, table in COMPUTED_TABLES.items()
        }
        refused = len(stored_refusals(warehouse, list(COMPUTED_TABLES)))
        unreadable = [f"{name} {day}: {why}" for name, day, why in unreadable_files(warehouse)]
    try:
        landed, has_landing_zone = landed_since(warehouse, landing, today), True
    except LandingZoneError:
        landed, has_landing_zone = [], False
    newest = {name: _newest(state, name) for name in COMPUTED_TABLES}
    built = [day for day in newest.values() if day is not None]
    furthest = max(built, default=None)
    return Overview(
        today,
        min(built) if len(built) == len(newest) else None,
        {name: day for name, day in newest.items() if day != furthest},
        {name: sorted(days) for name, days in state.stale(today).items()},
        [str(one) for one in state.outdated()],
        {name: found.faults for name, found in lacking.items() if found.faults},
        {name: found.never_landed for name, found in lacking.items() if found.never_landed},
        dict(Counter(failure.table for failure in failures if failure.can_retry or failure.is_hard)),
        refused,
        unreadable,
        landed,
        has_landing_zone,
        bool(np.isin(np.datetime64(today, "D"), state.game_days)),
        furthest is not None and all(day == today for day in newest.values()),
    )


def overview_lines(seen: Overview) -> Iterator[str]:
    """The overview as a person reads it."""
    if seen.newest is None and not any(seen.behind.values()):
        where = (
            "Raw files have landed"
            if seen.landed
            else "No raw files have landed: set NBA_ASSETS_LANDING to their folder, or try the demo"
        )
        yield f"Nothing is built yet. {where}."
    else:
        yield f"Built until {seen.newest or 'no date in all tables'}; today is {seen.today} (US-Eastern)."
        yield from (f"  {name} is built until {day or 'no date'}" for name, day in seen.behind.items())
    for name, days in seen.stale.items():
        yield f"Stale: {name} {_dates(days)}"
    yield from seen.outdated
    for name, days in seen.without_rows.items():
        yield f"Without rows although games are final: {name} {_dates(days)}"
    for name, days in seen.never_landed.items():
        yield f"Final games of which no feed of {name} has landed: {_dates(days)}"
    if seen.failures:
        yield f"Failures to look at: {', '.join(f'{count:,} in {name}' for name, count in seen.failures.items())}"
    if seen.refused:
        yield f"Refused dates: {seen.refused:,}; see `nba-assets status`"
    yield from (f"Cannot be read: {line}" for line in seen.unreadable)
    if seen.landed:
        yield f"Landed and not ingested: {_dates(seen.landed)}"
    yield f"Next: `{seen.next_command}`" if seen.next_command else "Everything is up to date."


def _newest(state: StoredState, table: str) -> date | None:
    days = state.partition_state[table].days
    return days[-1].item() if len(days) else None


def _dates(days: Sequence[date]) -> str:
    """Some dates in words, e.g. `2026-11-20, 2026-11-22 and 3 more until 2026-11-25`."""
    shown = ", ".join(str(day) for day in days[:DATES_SHOWN])
    return shown if len(days) <= DATES_SHOWN else f"{shown} and {len(days) - DATES_SHOWN} more until {days[-1]}"
