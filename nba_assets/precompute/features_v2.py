"""The second version of the features: what of the first one helps a model beside it, and the features that are new.

A feature is in here because predictions of later months are worse without it; `nba-assets backtest` shows by how much.
"""

from __future__ import annotations

import numpy as np

from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.precompute.features import CACHE, CONTEXT, FEATURES, GAMES, Feature, Source, stored
from nba_assets.tables.spec import Columns

MINUTES_OF_TEAMMATES = (
    f"{CACHE}.minutes_avg_last_10",
    f"{CONTEXT}.minutes_in_last_14_days",
    f"{CONTEXT}.games_in_last_14_days",
)
POINTS_OF_TEAMMATES = (f"{CACHE}.points_avg_season", f"{CONTEXT}.points_avg_last_10")
"""Columns that the sums over teammates are made of."""
TEAM_MINUTES, LONGEST_GAME = 240.0, 48.0
"""Minutes that the five players of a team have in a game without overtime together, and each alone."""


def expected_minutes(inputs: Columns) -> Floats:
    """His part of the team's minutes, if all who are expected to play share them in proportion to their recent means.

    Example: 30 minutes of his own and 210 of his teammates -> 30; where teammates with 60 of these are out -> 40.
    """
    cached = inputs[f"{CACHE}.minutes_avg_last_10"]
    own = np.where(np.isnan(cached), inputs["games.minutes_last_10"], cached)
    return np.minimum(TEAM_MINUTES * ratio(own, own + inputs["teammates.minutes"]), LONGEST_GAME)


def points_per_minute(inputs: Columns) -> Floats:
    """Points of the season / minutes of the season; NaN without minutes. Example: 480 in 960.0 minutes -> 0.5."""
    return ratio(10 * inputs["games.points_total"], inputs["games.minutes_total_tenths"])


def expected_points(inputs: Columns) -> Floats:
    """Points of the season per minute times the minutes to be expected. Example: 0.5 x 32 -> 16."""
    return points_per_minute(inputs) * expected_minutes(inputs)


def implied_team_total(inputs: Columns) -> Floats:
    """Points that the bookmakers expect of his team: half the total, less half the spread.

    Example: total 224 and spread -6, a favourite -> 115.
    """
    return (inputs[f"{CONTEXT}.game_total"] - inputs[f"{CONTEXT}.game_spread"]) / 2


def from_games(column: str, name: str) -> Source:
    """What `ml_feature_store` computes from a column of his game summaries, under `games.name`."""
    return Source("phase3", (f"{GAMES}.{column}",), lambda inputs: inputs[f"games.{name}"])


NEW_FEATURES: tuple[Feature, ...] = (
    Feature(
        "points_avg_last_20",
        "Mean points of his newest 20 games of the season",
        (from_games("points", "points_last_20"),),
        4.0,
        "points",
        (0, 70),
    ),
    Feature(
        "minutes_avg_season",
        "Mean minutes of all his games of the season",
        (from_games("minutes_played", "minutes_season"),),
        8.0,
        "minutes",
        (0, 48),
    ),
    Feature(
        "minutes_last_game",
        "Minutes of his newest game of the season",
        (from_games("minutes_played", "minutes_last_1"),),
        8.0,
        "minutes",
        (0, 63),
    ),
    Feature(
        "started_last_game",
        "1 if he started in his newest game of the season",
        (from_games("starter_flag", "started_last_1"),),
        0.0,
        allowed=(0, 1),
    ),
    Feature(
        "usage_rate_last_10",
        "Mean usage rate of his newest 10 games",
        (stored("phase4", CACHE, "usage_rate_last_10"),),
        16.0,
        "percent",
        (0, 45),
    ),
    Feature(
        "points_per_minute",
        "Points of the season / minutes of the season",
        (Source("calculated", (f"{GAMES}.points", f"{GAMES}.minutes_played"), points_per_minute),),
        0.35,
        "points per minute",
        (0, 1.5),
        scale=9,
    ),
    Feature(
        "expected_minutes",
        "His part of 240 minutes, if all of his team in the day's contexts share them in proportion to their mean "
        "minutes of the newest 10 games (of teammates without: of the last 14 days); at most 48",
        (Source("calculated", (*MINUTES_OF_TEAMMATES, f"{GAMES}.minutes_played"), expected_minutes),),
        8.0,
        "minutes",
        allowed=(0, 48),
        scale=9,
    ),
    Feature(
        "expected_points",
        "points_per_minute times expected_minutes",
        (
            Source(
                "calculated",
                (*MINUTES_OF_TEAMMATES, f"{GAMES}.minutes_played", f"{GAMES}.points"),
                expected_points,
            ),
        ),
        3.0,
        "points",
        (0, 70),
        scale=9,
    ),
    Feature(
        "teammates_points",
        "Sum of the mean points of his teammates in the day's contexts: of the season, or of what their contexts know",
        (Source("calculated", POINTS_OF_TEAMMATES, lambda inputs: inputs["teammates.points"]),),
        120.0,
        "points",
        (0, 250),
    ),
    Feature(
        "game_total",
        "Median over bookmakers of the game's total",
        (stored("phase3", CONTEXT, "game_total"),),
        224.0,
        "points",
        (180, 270),
    ),
    Feature(
        "implied_team_total",
        "Points that the bookmakers expect of his team: half of the total less half of the spread",
        (Source("calculated", (f"{CONTEXT}.game_total", f"{CONTEXT}.game_spread"), implied_team_total),),
        112.0,
        "points",
        (80, 150),
    ),
    Feature(
        "star_tier_out",
        "Weight of his star teammates who are out: 3 for an elite scorer, 2 for a scorer, 1 for any other star",
        (stored("phase3", CONTEXT, "star_tier_out"),),
        0.0,
        usual=(0, 12),
    ),
)
"""Those that the first version lacks. Defaults are those of a player at the end of the bench: a player of whom nothing
is known seldom plays much.

The `games.` inputs are computed from results before the date, the `teammates.` ones from the date's rows of the other
players of his team.
"""

FROM_V1 = (
    "points_avg_last_5",
    "points_avg_season",
    "games_in_last_7_days",
    "recent_trend",
    "minutes_change",
    "pct_paint",
    "pct_mid_range",
    "pct_three",
)
"""Those of the first version that the second one has as well."""

FEATURES_V2: tuple[Feature, ...] = (
    *(feature for feature in FEATURES if feature.name in FROM_V1),
    *NEW_FEATURES,
)
"""In the order that models are trained on: new features come last."""

VERSION_V2 = f"v2_minutes_{len(FEATURES_V2)}"
"""Name of the list; with it the code version of the table changes."""
