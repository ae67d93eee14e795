"""As-of windows: the only way a compute function looks back.

A window answers, for each entity and as-of date, which rows of the entity's history may be seen: always rows dated
strictly before the date, never across the season's start. Functions that need history take a window; they never compare
dates themselves. Storage, Dagster and the sport are not in this module.

A reduction gives the same bits for one entity and date as for many seasons of all entities: it adds the visible rows
alone, never totals that began before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.entities.groups import Grouped, Numbered, Numbers, moments, running

Dates = NDArray[np.datetime64]
Counts = NDArray[np.int64]
Masks = NDArray[np.bool_]

EXACT = 2.0**53
"""Whole numbers below this are exact in float64."""


@dataclass(frozen=True, eq=False)
class AsOf:
    """From where one looks back: the number of an entity, a date, and the first day `since` of the date's season, each
    as one entry per row to be computed.
    """

    entity: Numbers
    dates: Dates
    since: Dates

    @classmethod
    def of(cls, requested: Grouped) -> AsOf:
        """The entities and dates of requested rows, which say their `season_start`."""
        return cls(requested.group, requested.dates, requested["season_start"])

    def where(self, mask: Masks) -> AsOf:
        """Some of the rows."""
        return AsOf(self.entity[mask], self.dates[mask], self.since[mask])


@dataclass(frozen=True, eq=False)
class AsOfWindow:
    """Rows visible from each entity and as-of date: of the rows that the window is made of, those from `start` up to
    `stop`.

    It is made of a whole history, or of the positions `kept` of it, ascending. The history's groups are the entities
    that are looked back from, by the same numbers.
    """

    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    width: int
    """Columns of the laid-out window, at least; more where a date sees more rows. No sum depends on it."""
    kept: NDArray[np.intp] | None = None

    @classmethod
    def last_games(cls, history: Numbered, as_of: AsOf, games: int) -> AsOfWindow:
        """The newest `games` rows of the season before each as-of date."""
        return cls.season_to_date(history, as_of).last(games)

    @classmethod
    def last_days(cls, history: Numbered, as_of: AsOf, days: int) -> AsOfWindow:
        """Rows of the season dated in [as-of - `days`, as-of), however many there are on a day."""
        first = np.maximum(as_of.dates.astype("M8[D]") - np.timedelta64(days, "D"), as_of.since.astype("M8[D]"))
        return cls._between(history, as_of, first, width=days)

    @classmethod
    def within_days(cls, history: Numbered, as_of: AsOf, days: int) -> AsOfWindow:
        """Rows dated strictly between as-of - `days` and as-of: `days` calendar days including the as-of date itself,
        whose own row is never seen.
        """
        return cls.last_days(history, as_of, days - 1)

    @classmethod
    def season_to_date(cls, history: Numbered, as_of: AsOf) -> AsOfWindow:
        """Every row of the season before each as-of date."""
        return cls._between(history, as_of, as_of.since, width=1)

    @classmethod
    def _between(cls, history: Numbered, as_of: AsOf, first: Dates, width: int) -> AsOfWindow:
        stop = np.searchsorted(history.moments, moments(as_of.entity, as_of.dates), side="left")
        start = np.searchsorted(history.moments, moments(as_of.entity, first), side="left")
        return cls(np.minimum(start, stop), stop, width)

    def only(self, mask: Masks) -> AsOfWindow:
        """The same window without the rows for which `mask` is false; it does not reach further back for others."""
        chosen = self.of_kept(mask)
        before = running(chosen)
        kept = np.flatnonzero(chosen) if self.kept is None else self.kept[chosen]
        return AsOfWindow(before[self.start], before[self.stop], self.width, kept)

    def last(self, games: int) -> AsOfWindow:
        """The newest `games` rows of the window."""
        return AsOfWindow(np.maximum(self.start, self.stop - games), self.stop, games, self.kept)

    @cached_property
    def rows(self) -> NDArray[np.intp]:
        """Positions in the history, laid out as (dates, width), oldest first and aligned to the right; -1 marks an
        empty place.
        """
        width = max(self.width, int(self.games().max(initial=0)))
        places = self.stop[:, np.newaxis] - np.arange(width, 0, -1)
        visible = places >= self.start[:, np.newaxis]
        if self.kept is not None and len(self.kept):
            places = self.kept[np.where(visible, places, 0)]
        return np.where(visible, places, -1)

    def gather(self, values: Floats) -> Floats:
        """`values` laid out as (dates, width); NaN where a place is empty or the value is null."""
        return np.append(values, np.nan)[self.rows]

    def games(self) -> Counts:
        """Rows in the window, per as-of date."""
        return self.stop - self.start

    def known(self, values: Floats) -> Counts:
        """Rows in the window whose value is not null, per as-of date."""
        return self.count(~np.isnan(values))

    def total(self, values: Floats, *, scale: int = 0) -> Floats:
        """Sum over the window, nulls skipped; 0 over nothing. Values stored with `scale` decimals are summed exactly.

        They are summed as whole numbers of their last place, so that no rounding of theirs enters the sum: 0.1 + 0.2 is
        0.3.
        """
        return self._sum(_units(values, scale)) / 10.0**scale

    def totals(self, columns: Mapping[str, Floats]) -> dict[str, Floats]:
        """`total` of several columns of whole numbers, in one go: for one date, calls cost more than sums."""
        stacked = np.array([self.of_kept(values) for values in columns.values()], dtype=np.float64)
        padded = np.zeros((len(columns), stacked.shape[1] + 1))
        np.copyto(padded[:, :-1], stacked, where=~np.isnan(stacked))
        with np.errstate(over="ignore", invalid="ignore"):  # what lies between windows may hold anything
            sums = np.add.reduceat(padded, self._bounds, axis=1)[:, ::2]
        return dict(zip(columns, np.where(self.start < self.stop, sums, 0.0), strict=True))

    def mean(self, values: Floats, *, scale: int = 0) -> Floats:
        """Mean over the window, nulls skipped, NaN over nothing; of values stored with `scale` decimals, in one exact
        quotient.
        """
        return ratio(self._sum(_units(values, scale)), 10.0**scale * self.known(values))

    def sample_std(self, values: Floats, *, scale: int = 0) -> Floats:
        """Sample standard deviation (n - 1) over the window, nulls skipped, NaN below two values.

        Whole numbers, and values stored with `scale` decimals, give the root of one exact quotient, (n sum x^2 - (sum
        x)^2) / (n (n - 1)); others go by their deviations from the mean. Example: 26, 27, ... 35 -> 3.0277.
        """
        units, n = _units(values, scale), self.known(values)
        with np.errstate(over="ignore"):  # a row that is not visible may hold anything
            squared = units * units
        total, squares = self._sum(units), self._sum(squared)
        exact = (self.count(np.isnan(units) | (units == np.rint(units))) == self.games()) & (n * squares < EXACT)
        variance = np.where(exact, ratio(n * squares - total * total, n * (n - 1.0)), np.nan)
        if not (exact | (n < 2)).all():
            deviations = self.gather(units) - ratio(total, n)[:, np.newaxis]
            # Added in order, so that the sum is the same in any width.
            squares = np.cumsum(np.where(np.isnan(deviations), 0.0, deviations * deviations), axis=1)[:, -1]
            variance = np.where(exact, variance, ratio(squares, n - 1.0))
        return np.sqrt(np.where(n > 1, variance, np.nan)) / 10.0**scale

    def count(self, mask: Masks) -> Counts:
        """Rows in the window for which `mask` holds."""
        return self._add(mask, np.int64)

    def share(self, mask: Masks) -> Floats:
        """Share of the window's rows for which `mask` holds, NaN over nothing."""
        return ratio(self.count(mask), self.games())

    def ratio_of_sums(self, part: Floats, whole: Floats) -> Floats:
        """Sum of `part` over sum of `whole`, each with its nulls skipped; NaN over zero."""
        return ratio(self.total(part), self.total(whole))

    def newest(self, values: NDArray[Any], rank: int = 0) -> NDArray[Any]:
        """The value of the newest row, or of the one `rank` rows before it; null where there is none.

        Works for texts and dates too.
        """
        place = self.stop - 1 - rank
        chosen = self.of_kept(values)
        blank = {"M": np.datetime64("NaT"), "O": None}.get(values.dtype.kind, np.nan)
        padded = np.append(chosen, np.array([blank], dtype=values.dtype if values.dtype.kind in "MO" else np.float64))
        return padded[np.where(place >= self.start, place, -1)]

    def leading_run(self, mask: Masks) -> Counts:
        """How many of the newest rows in a row `mask` holds for, counted backwards from the newest."""
        holds = self.of_kept(mask)
        # For each row, where the run that it stands in began.
        broken = np.maximum.accumulate(np.where(holds, 0, np.arange(1, len(holds) + 1)))
        began = np.append(0, broken)[self.stop]
        return self.stop - np.maximum(began, self.start)

    def of_kept(self, values: NDArray[Any]) -> NDArray[Any]:
        """A column of the history at the rows that the window is made of: those from `start` to `stop` are visible."""
        return values if self.kept is None else values[self.kept]

    def _sum(self, values: Floats) -> Floats:
        return self._add(np.where(np.isnan(values), 0.0, values), np.float64)

    def _add(self, values: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
        """Sums over each window's own rows, whatever lies around them; 0 over nothing."""
        chosen = self.of_kept(values)
        padded = np.zeros(len(chosen) + 1, dtype)
        padded[:-1] = chosen
        with np.errstate(over="ignore", invalid="ignore"):  # what lies between windows may hold anything
            sums = np.add.reduceat(padded, self._bounds)[::2]
        return np.where(self.start < self.stop, sums, padded[-1])

    @cached_property
    def _bounds(self) -> NDArray[np.intp]:
        """Start and stop of each window in turn; what lies between two windows is added as well, and thrown away."""
        return np.column_stack([self.start, self.stop]).ravel()


def _units(values: Floats, scale: int) -> Floats:
    if not scale:
        return values
    with np.errstate(over="ignore"):  # a row that is not visible may hold anything
        return np.rint(values * 10.0**scale)
