"""Dates that keep their stored rows, because what has landed for them is mostly at fault: the little that is left would
replace good rows.

Only dates that hold rows are retained. Of a date that holds none, the good rows are all that is known, and they are
stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.season import season_year
from nba_assets.raw.collection import BadFile, Collection, CommonFault, QuarantinedRow, Request
from nba_assets.tables.bookkeeping import WHOLE_FILE
from nba_assets.tables.spec import Columns

TOLERATED_ROWS = 2
"""Quarantined rows that never cost a date, however few rows it has: one odd row costs a player, a game, or both teams
of a game.
"""


@dataclass(frozen=True)
class Retention:
    """What keeps its stored rows: dates and, of a whole-season table, seasons; and the files at fault, with the
    requested dates that they cost.
    """

    dates: frozenset[date] = frozenset()
    seasons: frozenset[int] = frozenset()
    bad_files: list[BadFile] = field(default_factory=list)

    def keeps(self, request: Request, rows: Columns) -> NDArray[np.bool_]:
        """Which of a table's rows, stored or landed, are of a retained date or season."""
        kept = np.isin(rows[request.raw.table.date_column], np.array(sorted(self.dates), dtype="M8[D]"))
        return kept | np.isin(request.season_of(rows), sorted(self.seasons)) if self.seasons else kept


def retention(request: Request, collection: Collection, stored: Columns) -> Retention:
    """What keeps its stored rows; `stored` are those of the request's span: their dates and, where a whole-season table
    has it, their season.

    A date is retained where it would lose rows, and either a file with a common fault holds rows of it, or most of its
    landed rows are quarantined. Of a whole-season table a file with a common fault costs the season, because its rows
    may be of any date.

    Example: of a schedule with UTC dates 269 of 1,311 games are left. The games that are stored stay, and the requested
    dates of the season are refused for `schedule.parquet`: "1,042 of 1,311 rows have the same fault, game_time_utc:
    ...; this looks like UTC dates".
    """
    at_fault: dict[date, list[QuarantinedRow]] = {}
    for row in collection.quarantined:
        if row.number != WHOLE_FILE:
            at_fault.setdefault(row.day, []).append(row)
    date_column, costs = request.raw.table.date_column, _Costs(request)
    seasons: set[int] = set()
    if request.raw.whole_season:
        of_landed, of_stored = request.season_of(collection.rows), request.season_of(stored)
        for season in _that_lose_rows(of_landed, of_stored):
            if (fault := _fault_of(collection, season)) is not None:
                seasons.add(int(season))
                costs.add_season(season, np.unique(stored[date_column][of_stored == season]), fault.path, fault.hint)
    dates: set[date] = set()
    held = stored[date_column][
        np.isin(stored[date_column], request.span_days) & ~np.isin(request.season_of(stored), sorted(seasons))
    ]
    good = Counter(collection.rows[date_column].tolist())
    for day in _that_lose_rows(collection.rows[date_column], held):
        rows_at_fault = at_fault.get(day, [])
        fault = None if request.raw.whole_season else _fault_of(collection, np.datetime64(day))
        if fault is not None:
            dates.add(day)
            costs.add(day, fault.path, fault.hint)
        elif len(rows_at_fault) - collection.conflicts[day] > max(good[day], TOLERATED_ROWS):
            dates.add(day)
            costs.add(
                day,
                rows_at_fault[0].path,
                (
                    f"most of its rows of a date are quarantined, e.g. row {rows_at_fault[0].number}: "
                    f"{rows_at_fault[0].reason}"
                ),
            )
    return Retention(frozenset(dates), frozenset(seasons), costs.bad_files())


@dataclass
class _Costs:
    """The requested dates that files at fault cost, by file and reason."""

    request: Request
    by_file: dict[tuple[str, str], set[date]] = field(default_factory=dict)

    def add(self, day: date, path: str, reason: str) -> None:
        if day in set(self.request.dates):
            self.by_file.setdefault((path, reason), set()).add(day)

    def add_season(self, season: int, held: NDArray[np.datetime64], path: str, reason: str) -> None:
        """The dates of a season are those on which it has rows, and the others that are its own by their month."""
        days = np.array(self.request.dates, dtype="M8[D]")
        for day in days[(season_year(days) == season) | np.isin(days, held)].tolist():
            self.add(day, path, reason)

    def bad_files(self) -> list[BadFile]:
        return [BadFile(path, reason, days=tuple(sorted(days))) for (path, reason), days in self.by_file.items()]


def _that_lose_rows(landed: NDArray[Any], stored: NDArray[Any]) -> list[Any]:
    """The dates or seasons of which fewer rows have landed than are stored."""
    before, now = Counter(stored.tolist()), Counter(landed.tolist())
    return sorted(unit for unit, count in before.items() if now[unit] < count)


def _fault_of(collection: Collection, unit: np.datetime64 | float) -> CommonFault | None:
    """The common fault of a file that has rows of a date (of a whole-season table: of a season), or may have some."""
    for fault in collection.common_faults:
        if fault.quarantined > TOLERATED_ROWS and (pd.isna(fault.concerns) | (fault.concerns == unit)).any():
            return fault
    return None
