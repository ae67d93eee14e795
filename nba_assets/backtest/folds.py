"""How a walk-forward test divides its dates: each period is predicted by what was learnt from the dates before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba_assets.backtest.periods import Period
from nba_assets.basketball.season import season_label, season_year

TRAINING_DATES = 14
"""Dates with games that there are to be before a period that is tested."""


@dataclass(frozen=True, eq=False)
class Fold:
    """A test period and the rows to learn from, as masks over all rows."""

    period: str
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]


def period_labels(dates: NDArray[np.datetime64], by: Period) -> NDArray[np.str_]:
    """The period of each date, in an order that is that of time. Example: 2023-01-15 -> 2023-01, or 2022-23."""
    if by is Period.MONTH:
        return dates.astype("datetime64[M]").astype(str)
    years, place = np.unique(season_year(dates), return_inverse=True)
    return np.array([season_label(int(year)) for year in years], dtype=str)[place]


def folds_of(dates: NDArray[np.datetime64], by: Period) -> list[Fold]:
    """A fold for each period that has `TRAINING_DATES` dates before it, ascending; its rows to learn from are all those
    dated before the first date of the period.
    """
    labels = period_labels(dates, by)
    folds = []
    for label in np.unique(labels):
        test = labels == label
        train = dates < dates[test].min()
        if len(np.unique(dates[train])) >= TRAINING_DATES:
            folds.append(Fold(str(label), train, test))
    return folds
