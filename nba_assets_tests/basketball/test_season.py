"""Which season a date belongs to, and how far into it the date is."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.season import SeasonCalendar, season_label, season_year


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="M8[D]")


def calendar(*games: tuple[str | date, int, bool]) -> SeasonCalendar:
    dates, years, regular = zip(*games, strict=True) if games else ((), (), ())
    return SeasonCalendar.from_schedule(
        np.array(dates, dtype="M8[D]"), np.array(years, dtype=np.float64), np.array(regular, dtype=bool)
    )


THREE_SEASONS_GAMES = (
    ("2020-10-11", 2019, False),
    ("2020-12-22", 2020, True),
    ("2021-05-16", 2020, True),
    ("2021-07-20", 2020, False),
    ("2021-10-05", 2021, False),
    ("2021-10-19", 2021, True),
    ("2022-04-10", 2021, True),
    ("2022-06-16", 2021, False),
)
THREE_SEASONS = calendar(*THREE_SEASONS_GAMES)


@pytest.mark.parametrize(
    ("day", "year"),
    [("2024-10-22", 2024), ("2025-01-15", 2024), ("2025-06-15", 2024), ("2024-09-30", 2023), ("2024-10-01", 2024)],
)
def test_season_year_by_month(day: str, year: int) -> None:
    assert season_year(days(day)).tolist() == [year]
    assert season_year(days(day)).dtype == np.int64


@pytest.mark.parametrize(
    ("year", "label"), [(2021, "2021-22"), (2024, "2024-25"), (1999, "1999-00"), (2009, "2009-10")]
)
def test_season_label(year: int, label: str) -> None:
    assert season_label(year) == label


@pytest.mark.parametrize(
    ("day", "year"),
    [
        pytest.param("2020-10-11", 2019, id="play-offs in October"),
        pytest.param("2020-12-21", 2019, id="eve of a late opening night"),
        pytest.param("2020-12-22", 2020, id="late opening night"),
        pytest.param("2021-08-01", 2020, id="summer"),
        pytest.param("2021-10-04", 2020, id="eve of the preseason"),
        pytest.param("2021-10-05", 2021, id="preseason"),
        pytest.param("2022-06-16", 2021, id="last game"),
        pytest.param("2022-10-01", 2021, id="no newer game is known"),
        pytest.param("2020-09-30", 2019, id="before the first game, by month"),
        pytest.param("2020-10-10", 2020, id="before the first game, by month, from October on"),
    ],
)
def test_season_of_a_date_is_that_of_the_newest_game(day: str, year: int) -> None:
    assert THREE_SEASONS.season_of(days(day)).tolist() == [year]


def test_a_preseason_game_of_the_next_season_does_not_end_the_one_that_is_played() -> None:
    """A summer exhibition that the schedule already counts to the next season, in the week of the last games of this
    one.
    """
    seasons = calendar(
        *THREE_SEASONS_GAMES, ("2021-07-20", 2021, False), ("2021-07-15", 2021, False), ("2021-07-21", 2021, False)
    )
    assert seasons.season_of(days("2021-07-15", "2021-07-19", "2021-07-20", "2021-07-21")).tolist() == [
        2020,
        2020,
        2020,
        2021,
    ]


@pytest.mark.parametrize(
    ("day", "year"),
    [
        ("2020-12-22", 2020),
        ("2021-07-20", 2020),
        ("2021-07-21", 2020),
        ("2021-10-18", 2021),
        ("2021-09-30", 2020),
        ("2022-06-16", 2021),
    ],
)
def test_season_in_whose_course_a_date_lies(day: str, year: int) -> None:
    assert THREE_SEASONS.season_during(days(day)).tolist() == [year]


def test_a_season_that_is_played_into_october_has_its_october() -> None:
    late = calendar(("2019-10-22", 2019, True), ("2020-10-11", 2019, False), ("2020-12-22", 2020, True))
    requested = days("2019-10-01", "2019-10-22", "2020-10-05", "2020-10-11", "2020-10-12", "2020-12-20")
    assert late.season_during(requested).tolist() == [2019, 2019, 2019, 2019, 2020, 2020]
    assert calendar().season_during(days("2020-10-05")).tolist() == [2020]


def test_opening_night_and_first_day() -> None:
    requested = days("2022-01-01", "2021-02-01", "2021-10-06", "2020-10-12")
    known = ["2021-10-19", "2020-12-22", "2021-10-19"]
    assert THREE_SEASONS.opening_night(requested).astype(str).tolist() == [*known, "2019-10-22"]
    assert THREE_SEASONS.first_day(requested).astype(str).tolist() == [*known, "2019-10-01"]


def test_days_into_the_season() -> None:
    requested = days("2021-10-05", "2021-10-19", "2021-11-18", "2022-04-10")
    assert THREE_SEASONS.days_into_season(requested).tolist() == [-14, 0, 30, 173]


def test_without_a_schedule_the_usual_dates_hold() -> None:
    unknown = calendar()
    assert unknown.season_of(days("2025-01-15", "2024-10-30")).tolist() == [2024, 2024]
    assert unknown.opening_night(days("2025-01-15")).astype(str).tolist() == ["2024-10-22"]
    assert unknown.first_day(days("2025-01-15")).astype(str).tolist() == ["2024-10-01"]
    assert unknown.days_into_season(days("2024-10-22")).tolist() == [0]
    assert unknown.opening_night(days()).shape == (0,)


@pytest.mark.parametrize(
    ("opening", "day", "length", "expected"),
    [
        ("2024-10-22", "2024-10-22", 30, True),
        ("2024-10-22", "2024-11-20", 30, True),
        ("2024-10-22", "2024-11-21", 30, False),
        ("2024-10-22", "2024-11-06", 10, False),
        ("2024-10-22", "2024-11-06", 20, True),
        ("2023-10-24", "2023-10-24", 14, True),
        ("2023-10-24", "2023-11-06", 14, True),
        ("2023-10-24", "2023-11-07", 14, False),
        ("2023-10-24", "2023-10-23", 14, False),
        ("2023-10-24", "2023-10-24", 0, False),
    ],
)
def test_bootstrap(opening: str, day: str, length: int, expected: bool) -> None:
    season = calendar((opening, season_year(days(opening))[0], True))
    assert season.is_bootstrap(days(day), length).tolist() == [expected]


def test_bootstrap_is_thirty_days_unless_told_otherwise() -> None:
    season = calendar(("2024-10-22", 2024, True))
    assert season.is_bootstrap(days("2024-11-20", "2024-11-21")).tolist() == [True, False]


@pytest.mark.parametrize("day", ["2024-10-01", "2024-10-31", "2024-11-15", "2025-04-01", "2025-04-30"])
def test_season_boundary(day: str) -> None:
    assert SeasonCalendar.is_boundary(days(day)).tolist() == [True]


@pytest.mark.parametrize("day", ["2024-12-01", "2024-12-25", "2025-01-15", "2025-03-15", "2025-05-01", "2025-09-30"])
def test_no_season_boundary(day: str) -> None:
    assert SeasonCalendar.is_boundary(days(day)).tolist() == [False]


def test_regular_season_flags_may_be_unknown() -> None:
    season = SeasonCalendar.from_schedule(
        days("2021-10-05", "2021-10-19"), np.array([2021.0, 2021.0]), np.array([np.nan, 1.0])
    )
    assert season.opening_night(days("2021-10-20")).astype(str).tolist() == ["2021-10-19"]


def test_a_calendar_travels_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(THREE_SEASONS))
    assert copy.season_of(days("2022-01-01")).tolist() == [2021]


Game = tuple[date, int, bool]
some_days = st.dates(date(2018, 1, 1), date(2023, 12, 31))
schedules = st.lists(st.tuples(some_days, st.integers(2017, 2023), st.booleans()), max_size=12)


@given(schedules, st.lists(some_days, min_size=1, max_size=6))
def test_calendar_date_by_date(games: Sequence[Game], requested: list[date]) -> None:
    found = calendar(*games)
    dates = np.array(requested, dtype="M8[D]")
    assert found.season_of(dates).tolist() == [slow_season(games, day) for day in requested]
    assert found.opening_night(dates).tolist() == [slow_opening_night(games, day) for day in requested]
    reordered = calendar(*reversed(games))
    np.testing.assert_array_equal(reordered.days_into_season(dates), found.days_into_season(dates))


def slow_season(games: Sequence[Game], day: date) -> int:
    before = [
        (when, year)
        for when, year, _ in games
        if when <= day and not while_an_earlier_season_is_played(games, when, year)
    ]
    return max(before)[1] if before else day.year - (day.month < 10)


def while_an_earlier_season_is_played(games: Sequence[Game], when: date, year: int) -> bool:
    """Whether a game lies before its season's opening night and not after the last game of an earlier season."""
    nights = [day for day, other, regular in games if other == year and regular]
    opened_before = {other for _, other, regular in games if regular and other < year}
    return (
        bool(nights) and when < min(nights) and any(when <= day and other in opened_before for day, other, _ in games)
    )


def slow_opening_night(games: Sequence[Game], day: date) -> date:
    season = slow_season(games, day)
    nights = [when for when, year, regular in games if year == season and regular]
    return min(nights) if nights else date(season, 10, 22)
