"""What the bad rows of a file have in common, and what that looks like: most rows with one fault are one mistake of the
feed, not many of its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nba_assets.raw.league_time import eastern
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.spec import Columns

COMMON_SHARE = 0.5
"""Share of a file's rows from which on a fault is the file's."""


def common_fault(faults: Mapping[int, Mapping[str, str]], row_count: int, columns: Columns) -> str | None:
    """What most of a file's `row_count` rows have in common, None where it is nothing.

    `faults` are complaints by place in `columns` and by name of the fault (a column or a rule). The text goes on where
    the file's path ends.
    """
    counted = Counter(name for complaints in faults.values() for name in complaints)
    if not counted:
        return None
    name, count = max(counted.items(), key=lambda one: (one[1], one[0]))
    if count < COMMON_SHARE * row_count:
        return None
    places = np.array(sorted(place for place, complaints in faults.items() if name in complaints))
    meaning = LOOKS_LIKE[name](columns, places) if name in LOOKS_LIKE else None
    said = f"{count:,} of {row_count:,} rows have the same fault, {name}: e.g. {faults[places[0]][name]}"
    return f"{said}; this looks like {meaning}" if meaning else said


def _utc_dates(tip_off: str, columns: Columns, places: NDArray[np.int64]) -> str | None:
    """Evening games end up a day late where dates are those of UTC."""
    late = columns["game_date"][places] - eastern(columns[tip_off][places]).astype("M8[D]") == np.timedelta64(1, "D")
    return "UTC dates" if late.mean() >= COMMON_SHARE else None


LOOKS_LIKE: Mapping[str, Callable[[Columns, NDArray[np.int64]], str | None]] = {
    raw.tip_off: partial(_utc_dates, raw.tip_off) for raw in RAW_TABLES.values() if raw.tip_off is not None
}
"""By name of a fault: what it looks like, by those rows, where most rows of a file have it."""
