"""Possessions, pace, ratings and usage: published values, and exactness against fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.possessions import (
    OVERTIME_TEAM_SECONDS,
    REGULATION_TEAM_SECONDS,
    overtime_periods,
    pace,
    possessions,
    rating,
    usage_rate,
)

counts = st.integers(0, 200)
team_seconds = st.builds(lambda overtimes: 14_400 + 1_500 * overtimes, st.integers(0, 6))

NEW_YORK = {"team_fga": 86, "team_fta": 24, "team_turnovers": 13}
PHILADELPHIA = {"team_fga": 92, "team_fta": 14, "team_turnovers": 12}


@pytest.mark.parametrize(
    ("fga", "fta", "turnovers", "offensive_rebounds", "expected"),
    [
        (85, 25, 15, 10, 101.0),
        (80, 20, 12, 0, 100.8),
        (75, 40, 10, 8, 94.6),
        (90, 15, 5, 12, 89.6),
        (np.nan, 25, 15, 10, np.nan),
        (85, np.nan, 15, 10, np.nan),
        (85, 25, np.nan, 10, np.nan),
        (85, 25, 15, np.nan, np.nan),
    ],
)
def test_possessions(fga: float, fta: float, turnovers: float, offensive_rebounds: float, expected: float) -> None:
    np.testing.assert_array_equal(possessions(fga, fta, turnovers, offensive_rebounds), expected)


@pytest.mark.parametrize(
    ("box", "seconds", "points", "estimate", "expected_rating", "expected_pace"),
    [
        pytest.param((85, 22, 12, 8), 14_400, 110, 98.68, 111.47, 98.7, id="Los Angeles 110 at Boston"),
        pytest.param((82, 18, 15, 6), 14_400, 105, 98.92, 106.15, 98.9, id="Boston 105"),
        pytest.param((86, 24, 13, 15), 15_900, 125, 94.56, 132.19, 85.6, id="New York 2025-01-15, one overtime"),
        pytest.param((92, 14, 12, 11), 15_900, 119, 99.16, 120.01, 89.8, id="Philadelphia 2025-01-15, one overtime"),
        pytest.param((85, 18, 12, 12), 14_400, 115, 92.92, 123.76, 92.9, id="allowed by Los Angeles"),
        pytest.param((88, 20, 14, 10), 14_400, 108, 100.80, 107.14, 100.8, id="allowed by Boston"),
    ],
)
def test_team_game(
    box: tuple[int, int, int, int],
    seconds: int,
    points: int,
    estimate: float,
    expected_rating: float,
    expected_pace: float,
) -> None:
    estimated = possessions(*box)
    assert estimated == estimate
    assert np.round(rating(points, estimated), 2) == expected_rating
    assert np.round(pace(estimated, seconds), 1) == expected_pace


@pytest.mark.parametrize("estimate", [0.0, -1.2, np.nan])
def test_nothing_is_counted_per_no_possession(estimate: float) -> None:
    assert np.isnan(rating(100, estimate))
    assert np.isnan(pace(estimate, 14_400))


@pytest.mark.parametrize("unknown", [np.nan, 0.0])
def test_unknown_team_minutes_are_those_of_regulation(unknown: float) -> None:
    assert pace(98.68, unknown) == pace(98.68, 14_400)
    assert overtime_periods(unknown) == 0
    known = usage_rate(22, 9, 5, 2_728, 14_400, **NEW_YORK)
    assert usage_rate(22, 9, 5, 2_728, unknown, **NEW_YORK) == known


@pytest.mark.parametrize(
    ("player", "seconds", "team", "expected"),
    [
        pytest.param((22, 9, 5), 45 * 60 + 28, NEW_YORK, 32.9, id="Brunson"),
        pytest.param((32, 5, 4), 45 * 60 + 36, PHILADELPHIA, 40.3, id="Maxey"),
        pytest.param((1, 0, 1), 14 * 60 + 45, PHILADELPHIA, 6.5, id="Bona"),
        pytest.param((9, 3, 3), 49 * 60 + 25, NEW_YORK, 13.0, id="Hart"),
    ],
)
def test_usage_in_an_overtime_game(
    player: tuple[int, int, int], seconds: int, team: dict[str, int], expected: float
) -> None:
    assert np.round(usage_rate(*player, seconds, 15_900, **team), 1) == expected


def test_usage_without_playing_or_without_a_team() -> None:
    assert np.isnan(usage_rate(0, 0, 0, 0, 14_400, **NEW_YORK))
    assert np.isnan(usage_rate(3, 0, 0, np.nan, 14_400, **NEW_YORK))
    assert np.isnan(usage_rate(3, 0, 0, 600, 14_400, np.nan, np.nan, np.nan))
    assert np.isnan(usage_rate(0, 0, 0, 600, 14_400, 0, 0, 0))
    assert usage_rate(0, 0, 0, 600, 14_400, **NEW_YORK) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("235:00", 0),
        ("240:00", 0),
        ("250:00", 0),
        ("264:59", 0),
        ("265:00", 1),
        ("265:32", 1),
        ("289:59", 1),
        ("290:00", 2),
        ("315:00", 3),
        ("340:00", 4),
    ],
)
def test_overtimes(text: str, expected: int) -> None:
    minutes, seconds = map(int, text.split(":"))
    assert overtime_periods(60 * minutes + seconds) == expected


@given(counts, counts, counts, counts, counts, team_seconds)
def test_team_measures_are_exact(
    fga: int, fta: int, turnovers: int, offensive_rebounds: int, points: int, seconds: int
) -> None:
    exact = fga + Fraction(44, 100) * fta + turnovers - offensive_rebounds
    estimate = possessions(fga, fta, turnovers, offensive_rebounds)
    assert estimate == float(exact)
    np.testing.assert_array_equal(rating(points, estimate), float(100 * points / exact) if exact > 0 else np.nan)
    game_minutes = Fraction(seconds, 300)
    np.testing.assert_array_equal(pace(estimate, seconds), float(exact * 48 / game_minutes) if exact > 0 else np.nan)


@given(counts, counts, counts, st.integers(0, 4_000), team_seconds, counts, counts, counts)
def test_usage_is_exact(
    fga: int,
    fta: int,
    turnovers: int,
    seconds: int,
    team: int,
    team_fga: int,
    team_fta: int,
    team_turnovers: int,
) -> None:
    used = fga + Fraction(44, 100) * fta + turnovers
    available = Fraction(seconds, 60) * (team_fga + Fraction(44, 100) * team_fta + team_turnovers)
    expected = float(100 * used * Fraction(team, 300) / available) if available else np.nan
    np.testing.assert_array_equal(
        usage_rate(fga, fta, turnovers, seconds, team, team_fga, team_fta, team_turnovers), expected
    )


@given(st.lists(st.tuples(counts, counts, counts), min_size=5, max_size=5).filter(lambda five: any(map(any, five))))
def test_five_who_play_the_whole_game_share_the_usage(five: list[tuple[int, int, int]]) -> None:
    fga, fta, turnovers = np.array(five, dtype=np.float64).T
    shares = usage_rate(fga, fta, turnovers, 2_880, 14_400, fga.sum(), fta.sum(), turnovers.sum())
    assert shares.sum() == pytest.approx(100)


@given(st.integers(0, 10))
def test_every_overtime_is_counted(overtimes: int) -> None:
    assert overtime_periods(REGULATION_TEAM_SECONDS + OVERTIME_TEAM_SECONDS * overtimes) == overtimes
