"""Rows to be drawn, as the tables have them: of many players, or of few with gaps."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.teams import CURRENT_TEAMS
from nba_assets.precompute.features import FEATURES, TAGS

DAY = date(2022, 2, 1)
ZONES = ("paint", "mid_range", "three_pt")
Rows = dict[str, NDArray[Any]]


def shot_zones(size: int = 450) -> Rows:
    """Rows of player_shot_zone_analysis; every eighth player has no shot from three."""
    chance = np.random.default_rng(1)
    shares = chance.dirichlet((5, 1, 4), size)
    shares[::8] = (0.8, 0.2, 0)
    accuracy = {zone: chance.uniform(0.2, 0.7, size) for zone in ZONES}
    accuracy["three_pt"][::8] = np.nan
    return {
        "player_lookup": players(size),
        "total_shots_last_10": chance.integers(20, 220, size).astype(float),
        "games_in_sample_10": np.full(size, 10.0),
        **{f"{zone}_rate_last_10": np.round(100 * shares[:, place], 2) for place, zone in enumerate(ZONES)},
        **{f"{zone}_pct_last_10": np.round(accuracy[zone], 3) for zone in ZONES},
    }


def zone_defense() -> Rows:
    """Rows of team_defense_zone_analysis of all teams."""
    chance = np.random.default_rng(2)
    size = len(CURRENT_TEAMS)
    return {
        "team_abbr": np.array(list(CURRENT_TEAMS), dtype=object),
        "games_in_sample": np.full(size, 15.0),
        "defensive_rating_last_15": np.round(chance.normal(111, 4, size), 2),
        **{f"{zone}_defense_vs_league_avg": np.round(chance.normal(0, 3, size), 2) for zone in ZONES},
    }


def composite_factors(size: int = 200) -> Rows:
    """Rows of player_composite_factors whose totals are the sums of their factors."""
    chance = np.random.default_rng(3)
    fatigue = chance.integers(40, 101, size).astype(float)
    mismatch, pace, usage = (np.round(chance.normal(0, spread, size), 1) for spread in (3, 1, 1))
    return {
        "player_lookup": players(size),
        "game_id": np.full(size, "20220201_DEN_MIN", dtype=object),
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": mismatch,
        "pace_score": pace,
        "usage_spike_score": usage,
        "fatigue_context_json": np.full(size, '{"avg_minutes_pg_last_7": 24.5}', dtype=object),
        "total_composite_adjustment": np.round((fatigue - 100) / 20 + mismatch + pace + usage, 2),
    }


def features(size: int = 200) -> Rows:
    """Rows of ml_feature_store; of each feature another share is unknown."""
    chance = np.random.default_rng(4)
    values, origins = {}, np.full((size, len(FEATURES)), TAGS[0], dtype=object)
    for place, feature in enumerate(FEATURES):
        low, high = feature.usual or feature.allowed or (0, 1)
        values[feature.name] = chance.uniform(low, high, size)
        unknown = np.arange(size) % len(FEATURES) < place % 4
        values[feature.name][unknown] = np.nan
        origins[unknown, place] = "default"
    sources = np.empty(size, dtype=object)
    sources[:] = [tuple(row) for row in origins.tolist()]
    return {**values, "feature_sources": sources, "feature_quality_score": np.full(size, 92.5)}


def players(size: int) -> NDArray[np.object_]:
    """Lookup keys."""
    return np.array([f"player{number:03d}" for number in range(size)], dtype=object)
