"""Moments and the wall clock of the league, US-Eastern."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.partitions import LEAGUE_TIMEZONE

Moments = NDArray[np.datetime64]


def eastern(moments: Moments) -> Moments:
    """US-Eastern wall-clock time of moments in UTC."""
    return _naive(pd.DatetimeIndex(moments.astype("M8[us]")).tz_localize("UTC").tz_convert(LEAGUE_TIMEZONE))


def end_of_hour(days: NDArray[np.datetime64], hours: NDArray[Any]) -> Moments:
    """The moment in UTC at which an hour of a US-Eastern day is over, NaT where one of them is unknown.

    Where the clock shows an hour twice it is the end of the second, where it skips one the end of the next: never too
    early.
    Example: hour 19 of 2024-10-22 is over at 2024-10-23 00:00 UTC.
    """
    known = ~np.isnat(days) & ~np.isnan(hours)
    wall = np.full(len(days), "NaT", dtype="M8[us]")
    wall[known] = days[known].astype("M8[us]") + hours[known].astype(np.int64).astype("m8[h]")
    index = pd.DatetimeIndex(wall)
    local = index.tz_localize(LEAGUE_TIMEZONE, ambiguous=np.zeros(len(index), dtype=bool), nonexistent="shift_forward")
    return _naive(local.tz_convert("UTC") + pd.Timedelta(hours=1))


def _naive(index: pd.DatetimeIndex) -> Moments:
    wall: Moments = index.tz_localize(None).to_numpy().astype("M8[us]")
    return wall
