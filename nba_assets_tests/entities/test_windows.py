"""As-of windows against loops that look at every row, and against themselves with more loaded around them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.entities.groups import Grouped, Numbered
from nba_assets.entities.windows import AsOf, AsOfWindow

OPENING = date(2021, 10, 19)
SEASON_OPENS = np.datetime64(OPENING, "D")
days = st.integers(-40, 80).map(lambda offset: OPENING + timedelta(days=offset))
histories = st.lists(days, max_size=60).map(sorted)
"""Several rows on one day occur."""
as_of_dates = st.lists(days, min_size=1, max_size=6)
values = st.one_of(st.none(), st.integers(0, 60).map(float))

REDUCTIONS: dict[str, Callable[[AsOfWindow, Any], Any]] = {
    "total": lambda window, column: window.total(column),
    "totals": lambda window, column: window.totals({"one": column, "other": np.abs(column)})["one"],
    "total of decimals": lambda window, column: window.total(column, scale=1),
    "mean": lambda window, column: window.mean(column),
    "mean of decimals": lambda window, column: window.mean(column, scale=2),
    "sample_std": lambda window, column: window.sample_std(column),
    "sample_std of decimals": lambda window, column: window.sample_std(column, scale=1),
    "known": lambda window, column: window.known(column),
    "count": lambda window, column: window.count(column > 0),
    "share": lambda window, column: window.share(column > 0),
    "ratio_of_sums": lambda window, column: window.ratio_of_sums(column, np.abs(column) + 1),
    "newest": lambda window, column: window.newest(column),
    "second newest": lambda window, column: window.newest(column, rank=1),
    "leading_run": lambda window, column: window.leading_run(column > 0),
    "games": lambda window, _: window.games(),
}


def as_days(dates: Sequence[date]) -> Any:
    return np.array(dates, dtype="M8[D]")


def since(as_of: Any) -> Any:
    return np.full(len(as_of), SEASON_OPENS)


def of_one(dates: Any) -> Numbered:
    """The history of a single entity."""
    return Numbered({"day": dates}, np.array([0, len(dates)]), "day")


def from_one(as_of: Any, since: Any) -> AsOf:
    """Looking back on it."""
    return AsOf(np.zeros(len(as_of), dtype=np.intp), as_of, since)


def from_season(as_of: Any) -> AsOf:
    """Looking back on it to the opening."""
    return from_one(as_of, since(as_of))


def as_floats(column: Sequence[float | None]) -> Any:
    return np.array([np.nan if value is None else value for value in column], dtype=float)


def seen(history: Sequence[date], day: date, *, games: int | None = None, first: date = date.min) -> list[int]:
    """Positions that may be seen on a day, oldest first."""
    rows = [place for place, played in enumerate(history) if max(OPENING, first) <= played < day]
    return rows[-games:] if games else rows


def windows(history: Sequence[date], as_of: Sequence[date]) -> list[tuple[AsOfWindow, list[list[int]]]]:
    """Each kind of window with what it must show."""
    dates, moments = as_days(history), as_days(as_of)
    return [
        (
            AsOfWindow.last_games(of_one(dates), from_season(moments), 10),
            [seen(history, day, games=10) for day in as_of],
        ),
        (
            AsOfWindow.last_days(of_one(dates), from_season(moments), 14),
            [seen(history, day, first=day - timedelta(days=14)) for day in as_of],
        ),
        (
            AsOfWindow.within_days(of_one(dates), from_season(moments), 7),
            [seen(history, day, first=day - timedelta(days=6)) for day in as_of],
        ),
        (AsOfWindow.season_to_date(of_one(dates), from_season(moments)), [seen(history, day) for day in as_of]),
        (
            AsOfWindow.last_days(of_one(dates), from_season(moments), 30).last(5),
            [seen(history, day, first=day - timedelta(days=30))[-5:] for day in as_of],
        ),
        (
            AsOfWindow.season_to_date(of_one(dates), from_season(moments)).only(
                np.array([played.day % 3 > 0 for played in history], dtype=bool)
            ),
            [[place for place in seen(history, day) if history[place].day % 3 > 0] for day in as_of],
        ),
    ]


def same_bits(one: Any, other: Any) -> bool:
    return bool(np.asarray(one).dtype == np.asarray(other).dtype and np.array_equal(one, other, equal_nan=True))


@given(histories, as_of_dates, st.data())
def test_every_reduction_equals_a_loop(history: list[date], as_of: list[date], data: st.DataObject) -> None:
    column = data.draw(st.lists(values, min_size=len(history), max_size=len(history)))
    numbers, marks = as_floats(column), np.array([value is not None and value > 20 for value in column], dtype=bool)
    names = np.array([f"game {place}" for place in range(len(history))], dtype=object)
    for window, shown in windows(history, as_of):
        thinned = [[place for place in rows if marks[place]] for rows in shown]
        newest_marked = [rows[-2:] for rows in thinned]
        for mine, expected in (
            (window, shown),
            (window.only(marks), thinned),
            (window.only(marks).last(2), newest_marked),
        ):
            known = [[float(numbers[place]) for place in rows if column[place] is not None] for rows in expected]
            assert mine.games().tolist() == [len(rows) for rows in expected]
            assert [[int(place) for place in row if place >= 0] for row in mine.rows] == expected
            assert [[x for x in row if not math.isnan(x)] for row in mine.gather(numbers).tolist()] == known
            assert mine.known(numbers).tolist() == [len(values) for values in known]
            assert mine.total(numbers).tolist() == [sum(values) for values in known]
            together = mine.totals({"numbers": numbers, "marks": marks.astype(float), "again": numbers})
            assert together["numbers"].tolist() == together["again"].tolist() == [sum(values) for values in known]
            assert together["marks"].tolist() == mine.count(marks).tolist()
            np.testing.assert_array_equal(
                mine.mean(numbers), [sum(values) / len(values) if values else np.nan for values in known]
            )
            spread = [float(statistics.stdev(map(Fraction, values))) if len(values) > 1 else np.nan for values in known]
            np.testing.assert_allclose(mine.sample_std(numbers), spread, rtol=1e-15)
            assert mine.count(marks).tolist() == [sum(marks[place] for place in rows) for rows in expected]
            shares = [sum(marks[place] for place in rows) / len(rows) if rows else np.nan for rows in expected]
            np.testing.assert_array_equal(mine.share(marks), shares)
            for rank in (0, 1, 40):
                np.testing.assert_array_equal(
                    mine.newest(numbers, rank),
                    [numbers[rows[-1 - rank]] if len(rows) > rank else np.nan for rows in expected],
                )
                assert mine.newest(names, rank).tolist() == [
                    names[rows[-1 - rank]] if len(rows) > rank else None for rows in expected
                ]
            odd = np.array([place % 3 != 0 for place in range(len(history))], dtype=bool)
            runs = [next((n for n, row in enumerate(rows[::-1]) if not odd[row]), len(rows)) for rows in expected]
            assert mine.leading_run(odd).tolist() == runs


@given(histories, as_of_dates, st.data())
def test_floats_are_added_up_too(history: list[date], as_of: list[date], data: st.DataObject) -> None:
    column = data.draw(
        st.lists(st.one_of(st.none(), st.floats(-1e3, 1e3)), min_size=len(history), max_size=len(history))
    )
    numbers = as_floats(column)
    for window, shown in windows(history, as_of):
        known = [[float(numbers[place]) for place in rows if column[place] is not None] for rows in shown]
        np.testing.assert_allclose(window.total(numbers), [math.fsum(mine) for mine in known], atol=1e-9)
        np.testing.assert_allclose(
            window.sample_std(numbers),
            [statistics.stdev(mine) if len(mine) > 1 else np.nan for mine in known],
            atol=1e-9,
        )


@given(
    st.lists(st.tuples(days, st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-60, 60).map(float))), max_size=60),
    as_of_dates,
    st.booleans(),
)
def test_what_else_is_loaded_changes_no_bit(
    rows: list[tuple[date, float | None]], as_of: list[date], poison: bool
) -> None:
    """Rows on or after the as-of date, rows of other seasons and other as-of dates are as if they were not there,
    whatever they hold.
    """
    rows = sorted(rows, key=lambda row: row[0])
    history, column = [played for played, _ in rows], as_floats([value for _, value in rows])
    absurd = np.resize([np.inf, 1e308, -np.inf, -1e308, np.nan, 1e308], len(rows))
    for place, day in enumerate(as_of):
        visible = np.array([OPENING <= played < day for played in history], dtype=bool)
        loaded = np.where(visible, column, absurd) if poison else column
        alone = windows([played for played, shown in zip(history, visible, strict=True) if shown], [day])
        for (many, _), (one, _) in zip(windows(history, as_of), alone, strict=True):
            for name, reduce in REDUCTIONS.items():
                with np.errstate(all="ignore"):  # another as-of date may see what is absurd
                    together = reduce(many, loaded)[place : place + 1]
                assert same_bits(together, reduce(one, column[visible])), name


several = st.lists(st.tuples(st.sampled_from("abc"), days, st.one_of(st.none(), st.floats(-1e6, 1e6))), max_size=40)


@settings(max_examples=30)
@given(several, st.lists(st.tuples(st.sampled_from("abcd"), days), min_size=1, max_size=5), st.sampled_from("bd"))
def test_entities_see_nothing_of_each_other(
    rows: list[tuple[str, date, float | None]], looks: list[tuple[str, date]], left_out: str
) -> None:
    """Every window and reduction of some entities, in any order of requests, has the bits of each entity alone, and of
    all without one of them; one entity has no history.
    """
    names = np.array([name for name, _, _ in rows], dtype=object)
    columns = {
        "name": names,
        "day": as_days([day for _, day, _ in rows]),
        "value": as_floats([value for _, _, value in rows]),
    }
    for chosen in ("abcd", "abcd".replace(left_out, "")):
        history = Grouped.by(columns, "name", "day").chunk([*chosen])
        requested = [(name, day) for name, day in looks if name in chosen]
        entity = np.array([chosen.index(name) for name, _ in requested], dtype=np.intp)
        moments = as_days([day for _, day in requested])
        marks = history["value"] > 0
        for kind in KINDS:
            together = kind(history, AsOf(entity, moments, since(moments)))
            for name, reduce in REDUCTIONS.items():
                found = [reduce(window, history["value"]) for window in (together, together.only(marks))]
                for place, (who, _) in enumerate(requested):
                    mine = history["name"] == who
                    alone = kind(of_one(history["day"][mine]), from_season(moments[place : place + 1]))
                    for many, window in zip(found, (alone, alone.only(marks[mine])), strict=True):
                        assert same_bits(many[place : place + 1], reduce(window, history["value"][mine])), name


KINDS: tuple[Callable[[Numbered, AsOf], AsOfWindow], ...] = (
    AsOfWindow.season_to_date,
    lambda history, as_of: AsOfWindow.last_games(history, as_of, 3),
    lambda history, as_of: AsOfWindow.last_days(history, as_of, 14),
    lambda history, as_of: AsOfWindow.within_days(history, as_of, 7),
)


def test_a_row_without_a_date_is_seen_by_nobody() -> None:
    names = np.array(["a", "a", "b"], dtype=object)
    history = Grouped.by({"name": names, "day": np.array([OPENING, None, OPENING], dtype="M8[D]")}, "name", "day")
    moments = as_days([date(2030, 1, 1)] * 2)
    window = AsOfWindow.season_to_date(history, AsOf(np.array([0, 1]), moments, since(moments)))
    assert window.games().tolist() == [1, 1]


def test_a_long_season_has_the_same_bits_as_each_of_its_days() -> None:
    """Sums of hundreds of floats depend on the order of adding: it must be that of the visible rows alone."""
    random = np.random.default_rng(3)
    history = np.sort(random.choice(np.arange("2021-06-01", "2022-07-01", dtype="M8[D]"), 900))
    column = np.where(random.random(900) < 0.1, np.nan, random.random(900) * 100)
    as_of = np.arange("2021-10-19", "2022-06-20", dtype="M8[D]")
    season = AsOfWindow.season_to_date(of_one(history), from_season(as_of))
    assert season.games().max() > 500
    for place in range(0, len(as_of), 7):
        visible = (history >= SEASON_OPENS) & (history < as_of[place])
        day = as_of[place : place + 1]
        alone = AsOfWindow.season_to_date(of_one(history[visible]), from_season(day))
        for name, reduce in REDUCTIONS.items():
            assert same_bits(reduce(season, column)[place : place + 1], reduce(alone, column[visible])), name


def test_the_date_itself_is_never_seen() -> None:
    today = as_days([OPENING])
    assert AsOfWindow.season_to_date(of_one(today), from_season(today)).games().tolist() == [0]


def test_a_window_ends_where_its_season_begins() -> None:
    """The first day of a season is of it; the play-offs of the one before are not, however near they are."""
    history, day = as_days([OPENING - timedelta(days=1), OPENING]), as_days([OPENING + timedelta(days=1)])
    for window in (
        AsOfWindow.last_games(of_one(history), from_season(day), 10),
        AsOfWindow.last_days(of_one(history), from_season(day), 10),
        AsOfWindow.season_to_date(of_one(history), from_season(day)),
    ):
        assert window.rows[window.rows >= 0].tolist() == [1]


def test_each_date_of_a_range_has_its_own_season() -> None:
    history, as_of = as_days([date(2022, 6, 1), date(2022, 10, 18)]), as_days([date(2022, 6, 2), date(2022, 10, 19)])
    window = AsOfWindow.last_games(of_one(history), from_one(as_of, as_days([OPENING, date(2022, 10, 18)])), 10)
    assert window.rows[:, -1].tolist() == [0, 1]
    assert window.games().tolist() == [1, 1]


def test_seven_days_strictly_within_hold_six_calendar_days() -> None:
    """A game on the seventh day before is outside the six days before the date, but inside a look-back of seven
    days.
    """
    game, day = as_days([OPENING]), as_days([OPENING + timedelta(days=7)])
    assert AsOfWindow.within_days(of_one(game), from_season(day), 7).games().tolist() == [0]
    assert AsOfWindow.last_days(of_one(game), from_season(day), 7).games().tolist() == [1]


def test_the_laid_out_window_is_as_wide_as_its_kind_and_wider_where_a_day_has_more_rows() -> None:
    day = as_days([OPENING + timedelta(days=3)])
    one, many = as_days([OPENING]), as_days([OPENING] * 9)
    assert AsOfWindow.last_days(of_one(one), from_season(day), 7).rows.tolist() == [[-1] * 6 + [0]]
    assert AsOfWindow.last_days(of_one(many), from_season(day), 7).rows.tolist() == [list(range(9))]


def consecutive(count: int) -> tuple[Any, Any]:
    return as_days([OPENING + timedelta(days=number) for number in range(count)]), as_days([date(2021, 12, 1)])


def test_means_of_stored_decimals_are_one_exact_quotient() -> None:
    """0.1 + 0.2 + ... of floats would drift; ten-game means of one-decimal values often tie at the second."""
    history, day = consecutive(10)
    window = AsOfWindow.last_games(of_one(history), from_season(day), 10)
    usage = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.5])
    assert window.mean(usage, scale=1)[0] == 50 / 100
    assert window.total(np.array([0.1, 0.2] + [np.nan] * 8), scale=1)[0] == 0.3
    assert sum([0.1, 0.2]) != 0.3


def test_minutes_are_summed_as_tenths_and_then_floored() -> None:
    """As floats these three come to 59.99999999999999."""
    minutes = np.array([25.4, 13.2, 21.4])
    history, day = consecutive(3)
    week = AsOfWindow.last_games(of_one(history), from_season(day), 10)
    assert np.floor(week.total(minutes, scale=1)).tolist() == [60.0]
    assert np.floor(week.total(minutes)).tolist() == [59.0]


def test_standard_deviations_of_the_specified_cases() -> None:
    history, day = consecutive(10)
    window = AsOfWindow.last_games(of_one(history), from_season(day), 10)
    assert round(window.sample_std(np.arange(26.0, 36.0))[0], 4) == 3.0277
    assert round(window.sample_std(np.array([np.nan] * 3 + [10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0]))[0], 4) == 4.3205
    assert np.isnan(window.sample_std(np.array([np.nan] * 9 + [30.0]))[0])


@pytest.mark.parametrize("scale", [0, 1])
def test_equal_values_do_not_spread(scale: int) -> None:
    """The difference of two nearly equal sums of squares may come out below zero; no root may be taken of that."""
    history, day = consecutive(10)
    window = AsOfWindow.last_games(of_one(history), from_season(day), 10)
    for value in (0.1, 0.7, 101.3, 1 / 3, 1e9 + 0.1):
        assert window.sample_std(np.full(10, value), scale=scale)[0] == pytest.approx(0.0, abs=1e-6)


def test_large_whole_numbers_keep_their_spread() -> None:
    """Their squares are no longer exact: the spread is taken from the deviations."""
    history, day = consecutive(3)
    window = AsOfWindow.last_games(of_one(history), from_season(day), 3)
    assert window.sample_std(1e9 + np.array([0.0, 1.0, 2.0])).tolist() == [1.0]


def test_texts_and_dates_have_a_newest_too() -> None:
    history = as_days([OPENING, OPENING + timedelta(days=1)])
    moments = as_days([OPENING, OPENING + timedelta(days=2)])
    window = AsOfWindow.season_to_date(of_one(history), from_season(moments))
    assert window.newest(np.array(["BOS", "LAL"], dtype=object)).tolist() == [None, "LAL"]
    assert np.isnat(window.newest(history)[0])
    assert window.newest(history)[1] == history[1]
    np.testing.assert_array_equal(window.newest(np.array([True, False])), [np.nan, 0.0])


@pytest.mark.parametrize("kind", ["last_games", "last_days", "season_to_date"])
def test_an_empty_history_is_no_error(kind: str) -> None:
    nothing, day = as_days([]), as_days([OPENING])
    arguments = (5,) if kind != "season_to_date" else ()
    for as_of in (day, day[:0]):
        window: AsOfWindow = getattr(AsOfWindow, kind)(of_one(nothing), from_one(as_of, as_of), *arguments)
        for name, reduce in REDUCTIONS.items():
            assert len(reduce(window, np.array([]))) == len(as_of), name
        assert window.games().sum() == 0
        assert np.isnan(window.mean(np.array([]))).all()
        assert (window.rows == -1).all()
