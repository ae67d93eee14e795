"""Invented games of players, of which one feature tells the points but for noise."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from nba_assets.backtest.player_games import PlayerGames
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS

FIRST = date(2024, 11, 10)
PLAYERS = 12
TELLING = {"v1": "points_avg_season", "v2": "expected_points"}
"""The feature of each version that knows most; that of v2 knows more."""


def games_of(days: int = 100, *, first: date = FIRST, seed: int = 0) -> PlayerGames:
    """A game of each player on each day; every third has a points line."""
    random = np.random.default_rng(seed)
    size = days * PLAYERS
    dates = np.repeat(np.array([first + timedelta(days=day) for day in range(days)], dtype="datetime64[D]"), PLAYERS)
    skill = random.uniform(4, 30, size)
    points = np.round(skill + random.normal(0, 3, size))
    vectors = {}
    for version, noise in (("v1", 4.0), ("v2", 1.0)):
        vectors[version] = random.normal(0, 1, (size, len(FEATURE_VERSIONS[version].features)))
        vectors[version][:, FEATURE_VERSIONS[version].names.index(TELLING[version])] = skill + random.normal(
            0, noise, size
        )
    return PlayerGames(
        dates=dates,
        points=points,
        minutes=skill * 1.2,
        quality_tier=np.where(np.arange(size) % 5, "gold", "silver").astype(object),
        points_line=np.where(np.arange(size) % 3, np.nan, skill),
        vectors=vectors,
        unknown=np.zeros(vectors["v1"].shape, dtype=bool),
        listed=size + 7,
        not_played=4,
        without_outcome=3,
    )
