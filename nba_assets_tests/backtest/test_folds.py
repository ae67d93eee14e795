"""How a walk-forward test divides its dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.backtest.folds import TRAINING_DATES, folds_of, period_labels
from nba_assets.backtest.periods import Period

DATES = st.lists(st.dates(date(2020, 10, 1), date(2023, 7, 31)), min_size=1, max_size=80)


@given(DATES, st.sampled_from(Period))
def test_nothing_dated_within_or_after_a_period_is_learnt_from(days: list[date], by: Period) -> None:
    dates = np.array(days, dtype="datetime64[D]")
    labels = period_labels(dates, by)
    folds = folds_of(dates, by)
    assert [fold.period for fold in folds] == sorted({fold.period for fold in folds})
    for fold in folds:
        assert (labels[fold.test] == fold.period).all()
        assert fold.test.sum() == (labels == fold.period).sum()
        assert dates[fold.train].max() < dates[fold.test].min()
        assert fold.train.sum() == (dates < dates[fold.test].min()).sum()
        assert len(np.unique(dates[fold.train])) >= TRAINING_DATES


@pytest.mark.parametrize(
    ("day", "month", "season"),
    [
        ("2022-10-18", "2022-10", "2022-23"),
        ("2023-06-12", "2023-06", "2022-23"),
        ("2021-07-20", "2021-07", "2020-21"),
    ],
)
def test_periods_are_calendar_months_and_seasons(day: str, month: str, season: str) -> None:
    dates = np.array([day], dtype="datetime64[D]")
    assert (period_labels(dates, Period.MONTH)[0], period_labels(dates, Period.SEASON)[0]) == (month, season)


@pytest.mark.parametrize(("before", "tested"), [(TRAINING_DATES - 1, []), (TRAINING_DATES, ["2024-12"])])
def test_a_period_is_tested_once_there_are_enough_dates_before_it(before: int, tested: list[str]) -> None:
    first = date(2024, 12, 1) - timedelta(days=before)
    dates = np.array([first + timedelta(days=day) for day in range(before + 5)] * 2, dtype="datetime64[D]")
    assert [fold.period for fold in folds_of(dates, Period.MONTH)] == tested


def test_no_dates_are_no_folds() -> None:
    assert folds_of(np.array([], dtype="datetime64[D]"), Period.SEASON) == []
