"""A points model in forty lines: ridge regression on the feature vector, beside the season average.

python examples/points_baseline.py START SPLIT END: trained on the games from START up to SPLIT, tried on those from it.
"""

import sys
from datetime import date

import numpy as np

import nba_assets
from nba_assets.precompute.features import FEATURES

NAMES = [feature.name for feature in FEATURES]
PENALTY = 10.0


def ridge(features: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Weights of the features and a constant that minimise squared error plus PENALTY times the squared weights."""
    penalty = PENALTY * np.diag([1.0] * (features.shape[1] - 1) + [0.0])
    return np.linalg.solve(features.T @ features + penalty, features.T @ points)


def main(start: str, split: str, end: str) -> None:
    """Train, predict, and print the mean absolute errors of those who played."""
    rows = nba_assets.training_set(start, end).to_pandas()
    rows = rows[rows["played"] == True]  # noqa: E712 - null where the game has not been played
    early = (rows["game_date"] < date.fromisoformat(split)).to_numpy()
    vectors, points = rows[NAMES].to_numpy(), rows["points"].to_numpy(float)
    mean, spread = vectors[early].mean(axis=0), vectors[early].std(axis=0)
    scaled = (vectors - mean) / np.where(spread > 0, spread, 1)
    scaled = np.column_stack([scaled, np.ones(len(scaled))])
    predicted = scaled @ ridge(scaled[early], points[early])
    season_average = rows["points_avg_season"].to_numpy()
    print(f"{early.sum():,} player-games to learn from, {(~early).sum():,} to predict")
    for name, guess in (("season average", season_average), ("ridge on the features", predicted)):
        print(f"{name}: {np.abs(guess - points)[~early].mean():.2f} points mean absolute error")


if __name__ == "__main__":
    main(*sys.argv[1:])
