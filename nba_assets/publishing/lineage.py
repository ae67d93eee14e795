"""What a date of a table was made from: rows, digest and freshness of each upstream table over the window that the date looks at.

Read from the books of built partitions, not from the rows themselves, so that it costs one small query per run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from nba_assets.publishing.table_run import LONGEST_SEASON_DAYS, TableRun
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import LookBack, Table


@dataclass(frozen=True)
class Input:
    """What an upstream table held in the window of one date: dates built there, rows in them, digest over them, newest `processed_at`."""

    table: str
    dates_built: int
    row_count: int
    digest: str
    newest_processed_at: str | None
    game_days_found: int | None
    """Of a look-back into results: dates with final games that have rows there."""
    game_days_expected: int | None
    """Of a look-back into results: dates with final games in the window."""

    @property
    def is_thin(self) -> bool:
        """A date with final games has no rows."""
        return self.game_days_found is not None and self.game_days_found < (self.game_days_expected or 0)


def inputs_by_date(run: TableRun, upstream: Sequence[Table]) -> dict[date, list[Input]]:
    """The inputs of every date of the run, one per upstream table, in the order given."""
    season_starts = dict(zip(run.dates, run.calendar.first_day(run.days).tolist(), strict=True))
    names = [table.name for table in upstream]
    books = to_columns(
        run.warehouse.read(
            TABLE_PARTITIONS,
            ("table_name", "partition_date", "row_count", "digest", "newest_processed_at"),
            run.start - timedelta(days=LONGEST_SEASON_DAYS),
            run.end,
            {"table_name": names},
        )
    )
    windows = {look_back.table: look_back for look_back in run.table.looks_back}
    inputs: dict[date, list[Input]] = {day: [] for day in run.dates}
    for name in names:
        mine = books["table_name"] == name
        built, rows = books["partition_date"][mine], books["row_count"][mine]
        digests, freshness = books["digest"][mine], books["newest_processed_at"][mine]
        for day in run.dates:
            look_back = windows.get(name)
            first, last = _window(day, look_back, season_starts[day])
            bounds = np.array([first, last + timedelta(days=1)], dtype="M8[D]")
            start, stop = np.searchsorted(built, bounds)
            seen = freshness[start:stop]
            seen = seen[~np.isnat(seen)]
            inputs[day].append(
                Input(
                    name,
                    int(stop - start),
                    int(rows[start:stop].sum()),
                    blake2b("".join(digests[start:stop]).encode(), digest_size=8).hexdigest(),
                    str(seen.max()) if len(seen) else None,
                    *(_game_days(run, built[start:stop][rows[start:stop] > 0], bounds) if look_back and not look_back.same_day else (None, None)),
                )
            )
    return inputs


def thin_look_backs(table: Table, inputs: Mapping[date, Sequence[Input]]) -> list[str]:
    """A warning for each upstream table that lacks results which the dates of a run look back on."""
    warnings = []
    for name in dict.fromkeys(source.table for sources in inputs.values() for source in sources):
        thin = {day: source for day, sources in inputs.items() for source in sources if source.table == name and source.is_thin}
        if thin:
            day, source = max(thin.items())
            warnings.append(
                f"{table.name} looks back on thin data: for {len(thin)} of {len(inputs)} dates {name} lacks rows of days with final games, for {day} "
                f"{source.game_days_found} of {source.game_days_expected} are there. Build the missing dates, then these again."
            )
    return warnings


def _game_days(run: TableRun, with_rows: NDArray[np.datetime64], bounds: NDArray[np.datetime64]) -> tuple[int, int]:
    """How many of the days with final games within bounds have rows, and how many there are."""
    start, stop = np.searchsorted(run.final_days, bounds)
    expected = run.final_days[start:stop]
    return int(np.isin(expected, with_rows).sum()), len(expected)


def _window(day: date, look_back: LookBack | None, season_start: date) -> tuple[date, date]:
    if look_back is None:
        return day, day
    first = season_start if look_back.days is None else day - timedelta(days=look_back.days)
    return first, day if look_back.same_day else day - timedelta(days=1)
