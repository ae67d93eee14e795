"""As-of windows against loops that look at every row, and against themselves with more loaded around them."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.entities.windows import AsOfWindow

OPENING = date(2021, 10, 19)
SEASON_OPENS = np.datetime64(OPENING, "D")
days = st.integers(-40, 80).map(lambda offset: OPENING + timedelta(days=offset))
histories = st.lists(days, unique=True, max_size=60).map(sorted)
as_of_dates = st.lists(days, min_size=1, max_size=6)
values = st.one_of(st.none(), st.integers(0, 60).map(float))


def as_days(dates: list[date]) -> Any:
    return np.array(dates, dtype="M8[D]")


def since(as_of: Any) -> Any:
    return np.full(len(as_of), SEASON_OPENS)


def seen(history: list[date], day: date, *, games: int | None = None, first: date = date.min) -> list[int]:
    """Positions that may be seen on a day, oldest first."""
    rows = [place for place, played in enumerate(history) if max(OPENING, first) <= played < day]
    return rows[-games:] if games else rows


def windows(history: list[date], as_of: list[date]) -> list[tuple[AsOfWindow, list[list[int]]]]:
    """Each kind of window with what it must show."""
    dates, moments = as_days(history), as_days(as_of)
    return [
        (AsOfWindow.last_games(dates, moments, 10, since=since(moments)), [seen(history, day, games=10) for day in as_of]),
        (AsOfWindow.last_days(dates, moments, 14, since=since(moments)), [seen(history, day, first=day - timedelta(days=14)) for day in as_of]),
        (AsOfWindow.within_days(dates, moments, 7, since=since(moments)), [seen(history, day, first=day - timedelta(days=6)) for day in as_of]),
        (AsOfWindow.season_to_date(dates, moments, since=since(moments)), [seen(history, day) for day in as_of]),
        (
            AsOfWindow.last_days(dates, moments, 30, since=since(moments)).last(5),
            [seen(history, day, first=day - timedelta(days=30))[-5:] for day in as_of],
        ),
    ]


@given(histories, as_of_dates, st.data())
def test_every_reduction_equals_a_loop(history: list[date], as_of: list[date], data: st.DataObject) -> None:
    column = data.draw(st.lists(values, min_size=len(history), max_size=len(history)))
    numbers = np.array([np.nan if value is None else value for value in column], dtype=float)
    marks = np.array([value is not None and value > 20 for value in column], dtype=bool)
    for window, shown in windows(history, as_of):
        known = [[float(numbers[place]) for place in rows if column[place] is not None] for rows in shown]
        assert window.games().tolist() == [len(rows) for rows in shown]
        assert window.known(numbers).tolist() == [len(mine) for mine in known]
        assert window.total(numbers).tolist() == [sum(mine) for mine in known]
        np.testing.assert_array_equal(window.mean(numbers), [sum(mine) / len(mine) if mine else np.nan for mine in known])
        np.testing.assert_allclose(window.sample_std(numbers), [statistics.stdev(mine) if len(mine) > 1 else np.nan for mine in known], atol=1e-12)
        assert window.count(marks).tolist() == [sum(marks[place] for place in rows) for rows in shown]
        np.testing.assert_array_equal(window.newest(numbers), [numbers[rows[-1]] if rows else np.nan for rows in shown])
        np.testing.assert_array_equal(window.newest(numbers, rank=1), [numbers[rows[-2]] if len(rows) > 1 else np.nan for rows in shown])
        assert window.leading_run(marks).tolist() == [next((n for n, row in enumerate(rows[::-1]) if not marks[row]), len(rows)) for rows in shown]
        thinned = window.only(marks)
        assert thinned.games().tolist() == [sum(marks[place] for place in rows) for rows in shown]
        newest = [[place for place in rows if marks[place]] for rows in shown]
        np.testing.assert_array_equal(thinned.newest(numbers), [numbers[rows[-1]] if rows else np.nan for rows in newest])


@given(histories, as_of_dates, st.integers(0, 60), st.data())
def test_what_else_is_loaded_changes_no_bit(history: list[date], as_of: list[date], cut: int, data: st.DataObject) -> None:
    """Rows on or after the as-of date, rows of other seasons and other as-of dates are as if they were not there."""
    noise = np.array(data.draw(st.lists(st.floats(-1e6, 1e6), min_size=len(history), max_size=len(history))), dtype=float)
    for place, day in enumerate(as_of):
        visible = [number for number, played in enumerate(history) if OPENING <= played < day]
        fewer = visible if cut % 2 else [*visible]
        whole = windows(history, as_of)
        alone = windows([history[number] for number in fewer], [day])
        for (many, _), (one, _) in zip(whole, alone, strict=True):
            for reduction in ("total", "mean", "sample_std"):
                together = getattr(many, reduction)(noise)[place : place + 1]
                single = getattr(one, reduction)(noise[fewer])
                assert np.array_equal(together, single, equal_nan=True), reduction


def test_the_date_itself_is_never_seen() -> None:
    today = as_days([OPENING])
    assert AsOfWindow.season_to_date(today, today, since=since(today)).games().tolist() == [0]


def test_seven_days_strictly_within_hold_six_calendar_days() -> None:
    """A game on the seventh day before is outside the six days before the date, but inside a look-back of seven days."""
    game, day = as_days([OPENING]), as_days([OPENING + timedelta(days=7)])
    assert AsOfWindow.within_days(game, day, 7, since=since(day)).games().tolist() == [0]
    assert AsOfWindow.last_days(game, day, 7, since=since(day)).games().tolist() == [1]


def test_means_of_stored_decimals_are_one_exact_quotient() -> None:
    """0.1 + 0.2 + ... of floats would drift; ten-game means of one-decimal values often tie at the second."""
    history = as_days([OPENING + timedelta(days=number) for number in range(10)])
    usage = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.5])
    window = AsOfWindow.last_games(history, as_days([date(2021, 12, 1)]), 10, since=as_days([OPENING]))
    assert window.mean(usage, scale=1)[0] == 50 / 100


def test_texts_and_dates_have_a_newest_too() -> None:
    history = as_days([OPENING, OPENING + timedelta(days=1)])
    moments = as_days([OPENING, OPENING + timedelta(days=2)])
    window = AsOfWindow.season_to_date(history, moments, since=since(moments))
    assert window.newest(np.array(["BOS", "LAL"], dtype=object)).tolist() == [None, "LAL"]
    assert np.isnat(window.newest(history)[0])


@pytest.mark.parametrize("kind", ["last_games", "last_days", "season_to_date"])
def test_an_empty_history_is_no_error(kind: str) -> None:
    nothing, day = as_days([]), as_days([OPENING])
    arguments = (5,) if kind != "season_to_date" else ()
    window: AsOfWindow = getattr(AsOfWindow, kind)(nothing, day, *arguments, since=day)
    assert (window.games().tolist(), np.isnan(window.mean(np.array([])))[0]) == ([0], True)
