"""What ingestion would make of a landing zone: which files and rows it would refuse or quarantine, and why, before
anything is ingested.

The same collection and normalisation that ingestion uses, without a warehouse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from nba_assets.raw.collection import Collection, Request, collect
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.league_schedule import LeagueSchedule
from nba_assets.raw.normalise import FIRST_SEASON_START, FURTHEST_SCHEDULE_DAYS
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE, RawTable
from nba_assets.tables.bookkeeping import WHOLE_FILE


@dataclass(frozen=True)
class TableCheck:
    """What one raw table holds in a landing zone."""

    raw: RawTable
    collection: Collection

    @property
    def accepted(self) -> int:
        """Rows that ingestion would take."""
        return len(next(iter(self.collection.rows.values())))

    @property
    def quarantined(self) -> int:
        """Rows that it would quarantine."""
        return sum(entry.number != WHOLE_FILE for entry in self.collection.quarantined)

    @property
    def is_refused(self) -> bool:
        """A file cannot be used, or a required feed is not there: dates of it would not count as ingested."""
        return bool(self.collection.bad_files) or self.collection.required_but_absent

    def complaints(self) -> Iterator[str]:
        """One line per file that cannot be used, and per reason one with the number of rows and the first of them."""
        if self.collection.required_but_absent:
            yield f"{self.raw.name}: the landing zone has no file of this required feed"
        yield from (f"{bad.path}: {bad.reason}" for bad in self.collection.bad_files)
        yield from (f"{fault.path}: {fault.hint}" for fault in self.collection.common_faults)
        whole = {entry.path: entry for entry in self.collection.quarantined if entry.number == WHOLE_FILE}
        yield from (
            str(entry) for path, entry in whole.items() if path not in {bad.path for bad in self.collection.bad_files}
        )
        rows = [entry for entry in self.collection.quarantined if entry.number != WHOLE_FILE]
        counts = Counter(entry.reason for entry in rows)
        for reason, number in counts.most_common():
            first = next(entry for entry in rows if entry.reason == reason)
            yield f"{first}{f' ({number:,} such rows)' if number > 1 else ''}"


def check_landing(landing: LandingZone, now: datetime) -> list[TableCheck]:
    """Every raw table of a landing zone, over all dates. Raises LandingZoneError where there is no landing zone."""
    days = _every_day(now.date())
    schedule = collect(Request(SCHEDULE, days, now), landing)
    league = LeagueSchedule(lambda: schedule.rows)
    others = (raw for raw in RAW_TABLES.values() if raw is not SCHEDULE)
    return [
        TableCheck(SCHEDULE, schedule),
        *(TableCheck(raw, collect(Request(raw, days, now, league), landing)) for raw in others),
    ]


def _every_day(today: date) -> list[date]:
    first = FIRST_SEASON_START.astype(date)
    return [first + timedelta(days=offset) for offset in range((today - first).days + FURTHEST_SCHEDULE_DAYS + 1)]
