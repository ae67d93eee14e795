"""Where the pipeline stands, in some lines: what is built, stale, missing or failing, what has landed and is not built,
and the next command.

It reads the warehouse and the landing zone, and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from nba_assets.automation.landed_files import what_landed, without_table
from nba_assets.automation.stored_state import StoredState, read_state
from nba_assets.orchestration.health import game_days_without_rows
from nba_assets.publishing.refusals import Refusal, stored_refusals
from nba_assets.publishing.retry import open_failures
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.normalise import utc
from nba_assets.raw.refusals import unreadable_files
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.spec import Input
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import counted, dates_in_words

UNREADABLE_SHOWN = 3


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
    ingested: list[date] = field(default_factory=list)
    """Dates with games until today of which every raw table is ingested."""
    unbuilt: dict[str, list[date]] = field(default_factory=dict)
    """Those of them that a table was never built for; a refused date is not one of them."""
    tables_built: int = len(COMPUTED_TABLES)
    """Computed tables that are built for any date."""
    rebuildable: list[date] = field(default_factory=list)
    """Refused dates of which something that they are built from has changed since they were refused."""
    without_table: list[str] = field(default_factory=list)
    """What stands in the landing zone and belongs to no raw table, in words."""
    landing_fault: str | None = None
    """Why a landing zone that the settings name, or that is there, cannot be read."""

    @property
    def next_command(self) -> str | None:
        """What brings the warehouse up to date; None where everything is."""
        to_build = sorted(
            {
                *self.landed,
                *self.rebuildable,
                *(
                    day
                    for by_table in (self.stale, self.without_rows, self.unbuilt)
                    for days in by_table.values()
                    for day in days
                ),
            }
        )
        if to_build:
            return (
                f"nba-assets run {to_build[0]}"
                if len(to_build) == 1
                else f"nba-assets backfill {to_build[0]} {to_build[-1]}"
            )
        if self.games_today and not self.built_today:
            return f"nba-assets run {self.today}"
        if self.refused or self.unreadable:
            return "nba-assets status"
        if self.failures:
            return "nba-assets failures"
        return None if self.has_landing_zone or self.landing_fault or self.tables_built else "nba-assets demo"


def overview(warehouse: Warehouse, landing: LandingZone, today: date, settings: Settings) -> Overview:
    """Where the pipeline stands on the date `today`."""
    with warehouse.session():
        state = read_state(warehouse, today)
        failures = open_failures(warehouse, datetime.now(UTC))
        lacking = {
            name: game_days_without_rows(warehouse, table, settings, today) for name, table in COMPUTED_TABLES.items()
        }
        refused = stored_refusals(warehouse, list(COMPUTED_TABLES))
        unreadable = [f"{name} {day}: {why}" for name, day, why in unreadable_files(warehouse)]
    refused_days = {name: {refusal.day for refusal in refused if refusal.table == name} for name in COMPUTED_TABLES}
    pending, fault = what_landed(warehouse, landing, today)
    landed = sorted({one.day for one in pending})
    ingested = _ingested(state, today)
    unbuilt = {
        name: days
        for name in COMPUTED_TABLES
        if (days := sorted({*ingested} - state.partition_state[name].places.keys() - refused_days[name]))
    }
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
        len(refused),
        unreadable,
        landed,
        fault is None,
        bool(np.isin(np.datetime64(today, "D"), state.game_days)),
        furthest is not None and all(day == today for day in newest.values()),
        ingested,
        unbuilt,
        len(built),
        _changed_since(refused, state),
        without_table(landing),
        fault if _is_expected(settings) else None,
    )


def overview_lines(seen: Overview) -> Iterator[str]:
    """The overview as a person reads it."""
    if seen.tables_built:
        yield _built_until(seen)
        yield from (f"  {name} is built until {day or 'no date'}" for name, day in seen.behind.items())
    else:
        yield f"Nothing is built yet. {_what_landed(seen)}"
    if seen.landing_fault and (seen.tables_built or seen.ingested):
        yield f"What has landed since is not known: {seen.landing_fault}"
    if seen.tables_built:
        unbuilt = sorted({day for days in seen.unbuilt.values() for day in days})
        yield from [f"Ingested and not built in all tables: {dates_in_words(unbuilt)}"] if unbuilt else []
    for name, days in seen.stale.items():
        yield f"Stale: {name} {dates_in_words(days)}"
    yield from seen.outdated
    # Where nothing is built, no table has rows.
    for name, days in seen.without_rows.items() if seen.tables_built else ():
        yield f"Without rows although games are final: {name} {dates_in_words(days)}"
    for name, days in seen.never_landed.items():
        yield f"Final games of which no feed of {name} has landed: {dates_in_words(days)}"
    if seen.failures:
        yield f"Failures to look at: {', '.join(f'{count:,} in {name}' for name, count in seen.failures.items())}"
    if seen.refused:
        yield f"Refused dates: {seen.refused:,}; {_what_to_do(seen)}"
    yield from _unreadable_lines(seen.unreadable)
    yield from seen.without_table
    if seen.landed:
        yield f"Landed and not ingested: {dates_in_words(seen.landed)}"
    if seen.next_command:
        yield f"Next: `{seen.next_command}`"
    elif not seen.landing_fault:
        yield "Everything is up to date."


def _unreadable_lines(unreadable: Sequence[str]) -> Iterator[str]:
    yield from (f"Cannot be read: {line}" for line in unreadable[:UNREADABLE_SHOWN])
    if len(unreadable) > UNREADABLE_SHOWN:
        yield f"Cannot be read: {len(unreadable) - UNREADABLE_SHOWN:,} more; `nba-assets status` names them"


def _built_until(seen: Overview) -> str:
    today = f"today is {seen.today} (US-Eastern)"
    if seen.newest is None:
        return f"Built so far: {seen.tables_built} of {len(COMPUTED_TABLES)} tables; {today}."
    return f"Built until {seen.newest}; {today}."


def _what_landed(seen: Overview) -> str:
    """What there is to build from, where nothing is built."""
    if seen.ingested:
        dates = f"{counted(len(seen.ingested), 'date')} with games from {seen.ingested[0]} to {seen.ingested[-1]}"
        return f"Raw files are ingested for {dates}."
    if seen.landed:
        return "Raw files have landed."
    if seen.landing_fault:
        return f"What has landed is not known: {seen.landing_fault}"
    return "No raw files have landed: set NBA_ASSETS_LANDING to their folder, or try the demo."


def _what_to_do(seen: Overview) -> str:
    if seen.rebuildable:
        return f"since then their input has changed for {dates_in_words(seen.rebuildable)}"
    return "correct what `nba-assets status` names as the reason, then run them again"


def _changed_since(refused: Sequence[Refusal], state: StoredState) -> list[date]:
    """The refused dates for which a partition that they read has changed, or was ingested or published, since.

    A date that is refused once more for the same reason is not among them until something else changes.
    """
    found = {
        refusal.day
        for refusal in refused
        for source in COMPUTED_TABLES[refusal.table].inputs
        if _has_changed(state, source, refusal)
    }
    return sorted(found)


def _has_changed(state: StoredState, source: Input, refusal: Refusal) -> bool:
    (first,), (last,) = state.inputs.window(source, np.array([refusal.day], dtype="M8[D]"))
    theirs = state.partition_state[source.table.name]
    within = (theirs.days >= first) & (theirs.days <= last)
    # A computed date that was refused keeps its entry: publishing the same rows again repairs it and changes nothing.
    moments = theirs.changed_at if source.table.name in RAW_TABLES else theirs.written_at
    return refusal.refused_at is not None and bool((moments[within] > utc(refusal.refused_at)).any())


def _ingested(state: StoredState, today: date) -> list[date]:
    days = state.game_days[state.game_days <= np.datetime64(today, "D")]
    for name in RAW_TABLES:
        days = np.intersect1d(days, state.partition_state[name].days)
    found: list[date] = days.tolist()
    return found


def _is_expected(settings: Settings) -> bool:
    """Whether there should be a landing zone: the one that the settings name, or one that exists at the usual place."""
    usual = settings.home / "landing"
    return settings.landing != str(usual) or usual.exists()


def _newest(state: StoredState, table: str) -> date | None:
    days = state.partition_state[table].days
    return days[-1].item() if len(days) else None
