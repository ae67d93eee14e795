"""As-of windows: the only way a compute function looks back.

A window answers, for each as-of date, which rows of one entity's history may be seen: always rows dated strictly before it, never across the
season's start. Functions that need history take a window; they never compare dates themselves. Storage, Dagster and the sport are none of this module's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, ratio

Dates = NDArray[np.datetime64]
Counts = NDArray[np.int64]

SEASON_WIDTH = 128
"""More games than any team plays in one season, play-offs included."""


@dataclass(frozen=True)
class AsOfWindow:
    """Rows visible at each as-of date, oldest first, aligned to the right.

    `rows` has shape (dates, width) and holds positions in the history; -1 marks an empty place. The width depends on the kind of window alone, never
    on how much history was loaded, so a reduction gives the same bits for one date and for a season. A history has at most one row per day.
    """

    rows: NDArray[np.intp]

    @classmethod
    def last_games(cls, history: Dates, as_of: Dates, games: int, *, since: Dates) -> AsOfWindow:
        """The newest `games` rows dated before each as-of date and on or after its season's first day `since`; `history` ascends."""
        stop = np.searchsorted(history, as_of, side="left")
        start = np.maximum(np.searchsorted(history, since, side="left"), stop - games)
        return cls._between(start, stop, width=games)

    @classmethod
    def last_days(cls, history: Dates, as_of: Dates, days: int, *, since: Dates) -> AsOfWindow:
        """Rows dated in [as-of - `days`, as-of)."""
        stop = np.searchsorted(history, as_of, side="left")
        first = np.maximum(as_of.astype("M8[D]") - np.timedelta64(days, "D"), since.astype("M8[D]"))
        return cls._between(np.searchsorted(history, first, side="left"), stop, width=days)

    @classmethod
    def within_days(cls, history: Dates, as_of: Dates, days: int, *, since: Dates) -> AsOfWindow:
        """Rows dated strictly between as-of - `days` and as-of: `days` calendar days including the as-of date itself, whose own row is never seen."""
        return cls.last_days(history, as_of, days - 1, since=since)

    @classmethod
    def season_to_date(cls, history: Dates, as_of: Dates, *, since: Dates) -> AsOfWindow:
        """Every row of the season before each as-of date."""
        return cls.last_games(history, as_of, SEASON_WIDTH, since=since)

    @classmethod
    def _between(cls, start: NDArray[np.intp], stop: NDArray[np.intp], width: int) -> AsOfWindow:
        places = stop[:, None] - np.arange(width, 0, -1)
        return cls(np.where(places >= start[:, None], places, -1))

    def only(self, mask: NDArray[np.bool_]) -> AsOfWindow:
        """The same window without the rows for which `mask` is false; it does not reach further back for others."""
        seen = np.append(mask, np.False_)[self.rows]
        return AsOfWindow(np.where(seen, self.rows, -1))

    def last(self, games: int) -> AsOfWindow:
        """The newest `games` rows of the window."""
        return AsOfWindow(self._packed()[:, -games:])

    def gather(self, values: Floats) -> Floats:
        """`values` laid out as (dates, width); NaN where a place is empty or the value is null."""
        return np.append(values, np.nan)[self.rows]

    def games(self) -> Counts:
        """Rows in the window, per as-of date."""
        return np.count_nonzero(self.rows >= 0, axis=1)

    def known(self, values: Floats) -> Counts:
        """Rows in the window whose value is not null, per as-of date."""
        return np.count_nonzero(~np.isnan(self.gather(values)), axis=1)

    def total(self, values: Floats) -> Floats:
        """Sum over the window, nulls skipped; 0 over nothing."""
        return np.asarray(np.nansum(self.gather(values), axis=1))

    def mean(self, values: Floats, *, scale: int = 0) -> Floats:
        """Mean over the window, nulls skipped, NaN over nothing; of values stored with `scale` decimals, in one exact quotient.

        The values are summed as whole numbers of their last place, so that no rounding of theirs enters the sum.
        """
        return ratio(self.total(_units(values, scale)), 10.0**scale * self.known(values))

    def sample_std(self, values: Floats, *, scale: int = 0) -> Floats:
        """Sample standard deviation (n - 1) over the window, nulls skipped, NaN below two values; from whole numbers of the last place."""
        units, n = _units(values, scale), self.known(values)
        total, squares = self.total(units), self.total(units * units)
        # n * sum(x^2) - sum(x)^2 is a whole number: exact as long as it stays below 2^53.
        spread = ratio(n * squares - total * total, n * (n - 1.0))
        return np.where(n > 1, np.sqrt(spread) / 10.0**scale, np.nan)

    def count(self, mask: NDArray[np.bool_]) -> Counts:
        """Rows in the window for which `mask` holds."""
        return np.count_nonzero(np.append(mask, np.False_)[self.rows], axis=1)

    def share(self, mask: NDArray[np.bool_]) -> Floats:
        """Share of the window's rows for which `mask` holds, NaN over nothing."""
        return ratio(self.count(mask), self.games())

    def ratio_of_sums(self, part: Floats, whole: Floats) -> Floats:
        """Sum of `part` over sum of `whole`, each with its nulls skipped; NaN over zero."""
        return ratio(self.total(part), self.total(whole))

    def newest(self, values: NDArray[Any], rank: int = 0) -> NDArray[Any]:
        """The value of the newest row, or of the one `rank` rows before it; null where there is none."""
        place = self._packed()[:, -1 - rank] if rank < self.rows.shape[1] else np.full(len(self.rows), -1)
        blank = {"M": np.datetime64("NaT"), "O": None}.get(values.dtype.kind, np.nan)
        return np.append(values, np.array([blank], dtype=values.dtype if values.dtype.kind in "MO" else np.float64))[place]

    def leading_run(self, mask: NDArray[np.bool_]) -> Counts:
        """How many of the newest rows in a row `mask` holds for, counted backwards from the newest."""
        holds = np.append(mask, np.False_)[self._packed()][:, ::-1]
        return np.cumprod(holds, axis=1, dtype=np.int64).sum(axis=1)

    def _packed(self) -> NDArray[np.intp]:
        """The rows without gaps, aligned to the right: a window that was thinned out has gaps."""
        return np.take_along_axis(self.rows, np.argsort(self.rows >= 0, axis=1, kind="stable"), axis=1)


def _units(values: Floats, scale: int) -> Floats:
    return np.rint(values * 10.0**scale) if scale else values
