"""The models that a backtest compares: averages that need no training, and learners of scikit-learn.

The library is an extra, and is imported by who calls `learners` or `one_thread` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from nba_assets.backtest.player_games import BacktestError

AVERAGES: Mapping[str, str] = {
    "season average": "points_avg_season",
    "last 10": "points_avg_last_10",
    "last 5": "points_avg_last_5",
}
"""Models that predict the value of one feature."""
RIDGE, BOOSTING = "ridge", "boosting"
RIDGE_PENALTY = 10.0
BOOSTING_ROUNDS, LEARNING_RATE, LEAVES, LEAF_ROWS, LEAF_PENALTY = 150, 0.05, 15, 100, 1.0


def learners(seed: int) -> dict[str, Any]:
    """New learners of squared error, so that what they predict is a mean: ridge regression on standardised features,
    and gradient boosted trees.

    Raises BacktestError where scikit-learn is not installed.
    """
    require_library()
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    boosting = HistGradientBoostingRegressor(
        max_iter=BOOSTING_ROUNDS,
        learning_rate=LEARNING_RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAF_ROWS,
        l2_regularization=LEAF_PENALTY,
        early_stopping=False,
        random_state=seed,
    )
    return {RIDGE: make_pipeline(StandardScaler(), Ridge(RIDGE_PENALTY, solver="cholesky")), BOOSTING: boosting}


def one_thread() -> AbstractContextManager[Any]:
    """Learn and predict in one thread: sums of several depend in their last bits on how many there are."""
    require_library()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def require_library() -> None:
    """Raise BacktestError where scikit-learn is not installed."""
    try:
        import sklearn  # noqa: F401
    except ModuleNotFoundError as error:
        raise BacktestError(
            f"a backtest needs scikit-learn, and there is no {error.name}: pip install 'nba-assets[ml]'"
        ) from None
