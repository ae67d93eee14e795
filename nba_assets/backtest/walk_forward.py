"""The walk-forward test: each period predicted by models that learnt from earlier dates alone, and what that tells.

Every model is measured on the same rows. Nothing in here knows files or the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.backtest.errors import CalibrationBin, Errors, calibration, errors_by, rounded
from nba_assets.backtest.folds import TRAINING_DATES, Fold, folds_of, period_labels
from nba_assets.backtest.models import AVERAGES, learners, one_thread
from nba_assets.backtest.periods import Period
from nba_assets.backtest.player_games import BacktestError, PlayerGames
from nba_assets.basketball.arithmetic import Floats
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS
from nba_assets.tables.blocks import QUALITY_TIERS

POINTS_LINE = "points line"
EVERYBODY = "all"
MINUTES_BUCKETS = {"under 10": 0, "10 to 20": 10, "20 to 30": 20, "30 or more": 30}
"""Groups of games by minutes played, and where each begins."""
UNKNOWN_MINUTES = "unknown"
IMPORTANCE_ROWS, IMPORTANCE_REPEATS = 5_000, 3
"""Rows of the last period that features are shuffled in, and how many times each."""


@dataclass(frozen=True)
class PredictedPeriod:
    """A period that was predicted, and what the models had learnt from."""

    period: str
    first: date
    last: date
    rows: int
    trained_first: date
    trained_last: date
    trained_rows: int


@dataclass(frozen=True)
class Filled:
    """A model that is a stored average: in how many tested games it is unknown, and what stands in for it there."""

    model: str
    feature: str
    rows: int
    value: float


@dataclass(frozen=True)
class Importance:
    """By how many points the mean absolute error of the last period grows when a feature is shuffled among its games:
    mean and standard deviation over some shuffles.
    """

    model: str
    feature: str
    growth: float
    deviation: float


@dataclass(frozen=True)
class Backtest:
    """What came of a walk-forward test. Errors are in points; all are of players who played, over the tested periods.

    `by_minutes` groups by minutes played, which nobody knows before the game. `with_line` is of the games that had a
    points line, none where there were none.
    """

    start: date
    end: date
    by: Period
    seed: int
    feature_versions: Mapping[str, str]
    listed_rows: int
    not_played_rows: int
    without_outcome_rows: int
    used_rows: int
    tested_rows: int
    periods: Sequence[PredictedPeriod]
    filled: Sequence[Filled]
    overall: Sequence[Errors]
    by_period: Sequence[Errors]
    by_month: Sequence[Errors]
    by_minutes: Sequence[Errors]
    by_quality_tier: Sequence[Errors]
    with_line: Sequence[Errors]
    calibration: Mapping[str, Sequence[CalibrationBin]]
    importance: Sequence[Importance]
    """Per model, the largest first."""


def backtest(games: PlayerGames, start: date, end: date, by: Period, versions: Sequence[str], seed: int) -> Backtest:
    """Walk forward over the games and measure every model on the same rows.

    Raises BacktestError where no period has enough dates before it, or scikit-learn is not installed.
    """
    folds = folds_of(games.dates, by)
    if not folds:
        raise BacktestError(
            f"no {by} from {start} to {end} has {TRAINING_DATES} dates with played games before it to learn from: "
            f"there are {len(np.unique(games.dates))} in all; give an earlier START or a later END"
            f"{', or --by month' if by is Period.SEASON else ''}"
        )
    tested = np.logical_or.reduce([fold.test for fold in folds])
    learnt, importance = learn(games, folds, versions, seed)
    predictions = {name: games.feature(feature) for name, feature in AVERAGES.items()} | learnt
    predictions = {name: values[tested] for name, values in predictions.items()}
    actual, dates = games.points[tested], games.dates[tested]

    def errors(groups: NDArray[Any], order: Sequence[str] = ()) -> list[Errors]:
        return errors_by(groups, predictions, actual, order)

    return Backtest(
        start=start,
        end=end,
        by=by,
        seed=seed,
        feature_versions={version: FEATURE_VERSIONS[version].name for version in versions},
        listed_rows=games.listed,
        not_played_rows=games.not_played,
        without_outcome_rows=games.without_outcome,
        used_rows=len(games.dates),
        tested_rows=len(actual),
        periods=[_tested(games, fold) for fold in folds],
        filled=[
            Filled(name, feature, games.count_unknown(feature, tested), games.default(feature))
            for name, feature in AVERAGES.items()
        ],
        overall=errors(np.full(len(actual), EVERYBODY)),
        by_period=errors(period_labels(dates, by)),
        by_month=errors(period_labels(dates, Period.MONTH)),
        by_minutes=errors(minutes_bucket(games.minutes[tested]), (*MINUTES_BUCKETS, UNKNOWN_MINUTES)),
        by_quality_tier=errors(games.quality_tier[tested], QUALITY_TIERS),
        with_line=_with_line(games.points_line[tested], predictions, actual),
        calibration={name: calibration(values, actual) for name, values in predictions.items()},
        importance=importance,
    )


def learn(
    games: PlayerGames, folds: Sequence[Fold], versions: Sequence[str], seed: int
) -> tuple[dict[str, Floats], list[Importance]]:
    """The predictions of each learner on the features of each version, NaN outside of the tested periods; and the
    importance of the features in the last period.

    A fold's learners see the rows of its `train` alone, and of its `test` the features.
    """
    predictions: dict[str, Floats] = {}
    importance: list[Importance] = []
    with one_thread():
        for learner in learners(seed):
            for version in versions:
                name, vectors = f"{learner} {version}", games.vectors[version]
                values = np.full(len(games.points), np.nan)
                for fold in folds:
                    fitted = learners(seed)[learner].fit(vectors[fold.train], games.points[fold.train])
                    values[fold.test] = fitted.predict(vectors[fold.test])
                predictions[name] = values
                importance += _importance(name, fitted, version, vectors[fold.test], games.points[fold.test], seed)
    return predictions, importance


def minutes_bucket(minutes: Floats) -> NDArray[np.object_]:
    """Groups of games by minutes played. Example: 9.9 -> "under 10", 10.0 -> "10 to 20", NaN -> "unknown"."""
    place = np.searchsorted(list(MINUTES_BUCKETS.values()), minutes, side="right") - 1
    return np.where(np.isnan(minutes), UNKNOWN_MINUTES, np.array(list(MINUTES_BUCKETS), dtype=object)[place])


def _with_line(line: Floats, predictions: Mapping[str, Floats], actual: Floats) -> list[Errors]:
    known = ~np.isnan(line)
    if not known.any():
        return []
    compared = {POINTS_LINE: line} | dict(predictions)
    return [Errors.of(EVERYBODY, name, values[known], actual[known]) for name, values in compared.items()]


def _importance(name: str, fitted: Any, version: str, vectors: Floats, points: Floats, seed: int) -> list[Importance]:
    """Of features shuffled among some of the games, chosen by the seed."""
    random = np.random.default_rng(seed)
    chosen = np.sort(random.permutation(len(points))[:IMPORTANCE_ROWS])
    vectors, points = vectors[chosen], points[chosen]
    before = np.abs(fitted.predict(vectors) - points).mean()
    found = []
    for place, feature in enumerate(FEATURE_VERSIONS[version].features):
        growths = []
        for _ in range(IMPORTANCE_REPEATS):
            shuffled = vectors.copy()
            shuffled[:, place] = random.permutation(shuffled[:, place])
            growths.append(np.abs(fitted.predict(shuffled) - points).mean() - before)
        found.append(Importance(name, feature.name, rounded(np.mean(growths)), rounded(np.std(growths))))
    return sorted(found, key=lambda one: (-one.growth, one.feature))


def _tested(games: PlayerGames, fold: Fold) -> PredictedPeriod:
    before, of_period = games.dates[fold.train], games.dates[fold.test]
    return PredictedPeriod(
        fold.period,
        of_period.min().item(),
        of_period.max().item(),
        len(of_period),
        before.min().item(),
        before.max().item(),
        len(before),
    )
