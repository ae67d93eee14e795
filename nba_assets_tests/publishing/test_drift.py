"""Drift of features against a plain reading of its definition: value by value, date by date, in Python's numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta
from math import isnan, sqrt

import numpy as np
import pytest

from nba_assets.publishing.observations import (
    FEWEST_DATES,
    NULL_SHARE_CHANGE,
    SMALLEST_EFFECT,
    DailySums,
    tolerated_errors,
)

FIRST = date(2024, 10, 22)
FEATURES = ("form", "pace", "flag")
Values = dict[date, list[float]]


def known(values: list[float]) -> list[float]:
    return [value for value in values if not isnan(value)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def variance(values: list[float]) -> float:
    return sum((value - mean(values)) ** 2 for value in values) / len(values)


def says_of_nulls(before: Values, today: list[float]) -> str | None:
    everything = [value for values in before.values() for value in values]
    now, then = (1 - len(known(values)) / len(values) for values in (today, everything))
    return f"{now:.0%} null against {then:.0%}" if abs(now - then) > NULL_SHARE_CHANGE else None


def says_of_means(before: Values, today: list[float]) -> str | None:
    dates = [known(values) for values in before.values() if known(values)]
    if len(dates) < FEWEST_DATES or not known(today):
        return None
    everything = [value for values in dates for value in values]
    now, then = mean(known(today)), mean(everything)
    spread = variance(everything) if variance(everything) > 1e-9 else variance(known(today))
    freedom = len(dates) - 1
    between = sum(len(values) * (mean(values) - then) ** 2 for values in dates) / freedom
    per_row = max(between, spread)
    error = sqrt(per_row / len(known(today)) + per_row / len(everything))
    z = 4
    quantile = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    if abs(now - then) <= max(quantile * error, SMALLEST_EFFECT * sqrt(spread), 1e-9):
        return None
    return f"mean {round(now, 9):.4g} against {round(then, 9):.4g} ± {error:.2g}"


def a_fortnight(seed: int) -> dict[str, Values]:
    """Features of a few players over two weeks with gaps, of which the last date is moved by as much as may just be
    noticed.
    """
    chance = np.random.default_rng(seed)
    days = [FIRST + timedelta(days=int(place)) for place in np.flatnonzero(chance.random(15) < 0.7)]
    sizes = {day: int(chance.integers(1, 9)) for day in days}

    def values(level: float, spread: float, unknown: float, moved: float) -> Values:
        found = {day: chance.normal(level, spread, size) for day, size in sizes.items()}
        found[days[-1]] += moved * chance.normal(1, 0.3, sizes[days[-1]])
        return {
            day: np.where(chance.random(sizes[day]) < unknown, np.nan, each).tolist() for day, each in found.items()
        }

    moved, unknown = chance.choice([0, 2, 5, 9, 20, 60], 3), chance.choice([0, 0.2, 0.5, 0.9], 3)
    return {
        "form": values(100, 2, unknown[0], moved[0]),
        "pace": values(-3, 1, unknown[1], moved[1]),
        "flag": values(1, 0, unknown[2], moved[2]),
    }


def found(features: dict[str, Values]) -> list[tuple[str, str]]:
    days = list(features["form"])
    rows = {
        "game_date": np.array([day for day in days for _ in features["form"][day]], dtype="M8[D]"),
        **{name: np.array([value for day in days for value in values[day]]) for name, values in features.items()},
    }
    order = np.random.default_rng(1).permutation(len(rows["game_date"]))
    sums = DailySums.of({name: values[order] for name, values in rows.items()}, ("game_date", *FEATURES))
    said = sums.drifted(np.datetime64(days[-1], "D"), np.datetime64(FIRST, "D"))
    # What equal numbers differ by, in floating point, is nothing.
    return [(FEATURES[place], re.sub(r"± \S+e-(0[789]|1\d)$", "± 0", words)) for place, words in said]


def expected(features: dict[str, Values]) -> list[tuple[str, str]]:
    days = list(features["form"])
    if len(days) - 1 < FEWEST_DATES:
        return []
    verdicts = [
        (name, says({day: values[day] for day in days[:-1]}, values[days[-1]]))
        for says in (says_of_nulls, says_of_means)
        for name, values in features.items()
    ]
    return [(name, words) for name, words in verdicts if words is not None]


def test_what_drifts_and_what_is_said_of_it_is_what_the_definition_says() -> None:
    fortnights = [a_fortnight(seed) for seed in range(400)]
    verdicts = [expected(fortnight) for fortnight in fortnights]
    assert [found(fortnight) for fortnight in fortnights] == verdicts
    named = [words for verdict in verdicts for _, words in verdict]
    assert min(len([words for words in named if kind in words]) for kind in ("mean", "null")) > 100


@pytest.mark.parametrize(
    ("freedom", "errors"), [(1, 4 + 17 + 6156 / 96), (4, 4 + 17 / 4 + 6156 / 1536), (29, 4 + 17 / 29 + 6156 / 80736)]
)
def test_few_dates_are_given_more_room(freedom: int, errors: float) -> None:
    assert tolerated_errors(np.array([freedom]))[0] == pytest.approx(errors, rel=1e-12)
