"""What a date of a table was made from: rows, digest and freshness of each upstream table over the window that the date looks at.

Read from the books of built partitions, not from the rows themselves, so that it costs one small query per run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

import numpy as np

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


def inputs_by_date(run: TableRun, upstream: Sequence[Table], season_starts: Mapping[date, date]) -> dict[date, list[Input]]:
    """The inputs of every date of the run, one per upstream table, in the order given."""
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
            first, last = _window(day, windows.get(name), season_starts[day])
            start, stop = np.searchsorted(built, np.array([first, last + timedelta(days=1)], dtype="M8[D]"))
            seen = freshness[start:stop]
            seen = seen[~np.isnat(seen)]
            inputs[day].append(
                Input(
                    name,
                    int(stop - start),
                    int(rows[start:stop].sum()),
                    blake2b("".join(digests[start:stop]).encode(), digest_size=8).hexdigest(),
                    str(seen.max()) if len(seen) else None,
                )
            )
    return inputs


def _window(day: date, look_back: LookBack | None, season_start: date) -> tuple[date, date]:
    if look_back is None:
        return day, day
    first = season_start if look_back.days is None else day - timedelta(days=look_back.days)
    return first, day if look_back.same_day else day - timedelta(days=1)
