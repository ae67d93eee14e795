"""The features that the points model reads, as a list of definitions; names, columns, order, tags, defaults and
documentation follow from it.

How the inputs are gathered and the rows are stored is in `ml_feature_store`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.tables.remarks import COMPOSITE_WORTH, PACE_COMPARED, RATING_COMPARED
from nba_assets.tables.spec import Column, Columns, number

Tag = Literal["phase4", "phase3", "calculated", "default"]
WEIGHTS: Mapping[Tag, float] = {"phase4": 100, "phase3": 75, "calculated": 100, "default": 40}
"""How much a feature of each origin is trusted; their mean over all features is a row's quality score."""
TAGS: tuple[Tag, ...] = tuple(WEIGHTS)
ORIGINS = (
    "phase4 is read from a precomputed table, phase3 is computed from game summaries or read from a context, "
    "calculated is a formula over several inputs, default stands in for an unknown value"
)
"""What the tags mean."""

CACHE, FACTORS, ZONES, DEFENSE = (
    "player_daily_cache",
    "player_composite_factors",
    "player_shot_zone_analysis",
    "team_defense_zone_analysis",
)
CONTEXT, GAMES, OFFENSE = "upcoming_player_game_context", "player_game_summary", "team_offense_game_summary"


@dataclass(frozen=True)
class Source:
    """One way to get a feature: from which columns (`table.column`), how, and how it is tagged then.

    NaN means that this way does not lead anywhere.
    """

    tag: Tag
    reads: tuple[str, ...]
    value: Callable[[Columns], Floats]


@dataclass(frozen=True)
class Feature:
    """One number that the model reads: the first of its sources that knows it, else its default."""

    name: str
    meaning: str
    sources: tuple[Source, ...]
    default: float
    unit: str | None = None
    usual: tuple[float, float] | None = None
    allowed: tuple[float, float] | None = None
    scale: int | None = None

    @property
    def column(self) -> Column:
        """The feature as a column of its own: null where no source knows it."""
        origin = ", else ".join(f"{', '.join(source.reads)} (origin {source.tag})" for source in self.sources)
        said = f"{self.meaning}. From {origin}. Null where unknown; {self.default:g} stands in for it in `features`"
        return number(self.name, said, unit=self.unit, scale=self.scale, usual=self.usual, allowed=self.allowed)


@dataclass(frozen=True)
class Vector:
    """The features of some rows: values (rows, features) with NaN where unknown, and the origin of each as a place in
    `TAGS`.
    """

    features: Sequence[Feature]
    values: Floats
    origins: NDArray[np.intp]

    @classmethod
    def of(cls, features: Sequence[Feature], inputs: Columns, size: int) -> Vector:
        """Evaluate each feature's sources in order, until one knows it."""
        values = np.full((size, len(features)), np.nan)
        origins = np.full((size, len(features)), TAGS.index("default"), dtype=np.intp)
        for place, feature in enumerate(features):
            for source in feature.sources:
                unknown = np.isnan(values[:, place])
                if not unknown.any():
                    break
                found = np.where(unknown, source.value(inputs), np.nan)
                known = ~np.isnan(found)
                values[known, place] = found[known]
                origins[known, place] = TAGS.index(source.tag)
            if feature.scale is not None:
                values[:, place] = np.round(values[:, place], feature.scale)
        return cls(features, values, origins)

    @property
    def filled(self) -> Floats:
        """The values with the defaults in place of what is unknown; minus zero is zero."""
        return np.where(np.isnan(self.values), [feature.default for feature in self.features], self.values) + 0.0

    @property
    def quality(self) -> Floats:
        """Mean trust in the features of each row, 0-100."""
        weights = np.array([WEIGHTS[tag] for tag in TAGS])
        return ratio(weights[self.origins].sum(axis=1), len(self.features))

    def of_features(self, features: Sequence[Feature]) -> Vector:
        """The same rows with some of the features, in another order."""
        places = [self.features.index(feature) for feature in features]
        return Vector(features, self.values[:, places], self.origins[:, places])

    def share(self, tag: Tag) -> Floats:
        """Share of each row's features that come from one origin."""
        return ratio((self.origins == TAGS.index(tag)).sum(axis=1), len(self.features))


def stored(tag: Tag, table: str, column: str, per: float = 1.0) -> Source:
    """A column as another table stores it, divided by `per`."""
    name = f"{table}.{column}"
    return Source(tag, (name,), lambda inputs: inputs[name] / per)


def rest_advantage(inputs: Columns) -> Floats:
    """His days of rest minus the opponent's, within two days. Example: 5 against 0 -> 2."""
    return np.clip(inputs[f"{CONTEXT}.days_rest"] - inputs[f"{CONTEXT}.opponent_days_rest"], -2, 2)


RISK = {"available": 0.0, "probable": 1.0, "questionable": 2.0, "doubtful": 3.0, "out": 3.0}


def injury_risk(inputs: Columns) -> Floats:
    """Risk by injury status, whatever its case; 0 for an unknown or absent one. Example: QUESTIONABLE -> 2."""
    return np.array([RISK.get((status or "").lower(), 0.0) for status in inputs[f"{CONTEXT}.player_status"]])


TREND_GAMES = 5


def recent_trend(newest_first: Floats) -> Floats:
    """Mean points of the newest two games minus that of the three before, in steps: +-1 from 2 points, +-2 from 5; NaN
    below five games.

    `newest_first` is (rows, games). Example: 25, 24, 26, 18, 17 -> 24.5 - 20.33 -> 1; 30, 30, 20, 20, 20 -> 2.
    """
    newest, before = newest_first[:, :2].sum(axis=1), newest_first[:, 2:TREND_GAMES].sum(axis=1)
    sixths = 3 * newest - 2 * before
    return np.where(np.isnan(sixths), np.nan, _steps(sixths, 6 * 2, 6 * 5))


def minutes_change(recent: Floats, season: Floats) -> Floats:
    """Change of his minutes against the season's mean, in steps: +-1 from 10 %, +-2 from 20 %; NaN where either is
    unknown or 0.

    Example: 36 against 28 -> 2; 32 against 28 -> 1; 24 against 32 -> -2.
    """
    known = (recent != 0) & ~np.isnan(recent)
    change = ratio(recent - season, season)
    return np.where(known & ~np.isnan(change), _steps(change, 0.10, 0.20), np.nan)


def _steps(values: Floats, one: float, two: float) -> Floats:
    return np.select(
        [values >= two, values >= one, values <= -two, values <= -one], [2.0, 1.0, -2.0, -1.0], default=0.0
    )


FREE_THROW_GAMES, WIN_PCT_GAMES = 5, 5


def pct_free_throw(makes: Floats, points: Floats, games: Floats) -> Floats:
    """Share of his points that are free throws, at most a half; NaN below five games or without points.

    Example: 70 of 263 -> 0.266159696.
    """
    return np.where(games >= FREE_THROW_GAMES, np.clip(ratio(makes, points), 0, 0.5), np.nan)


def team_win_pct(wins: Floats, games: Floats) -> Floats:
    """Wins / games of his team; NaN below five games. Example: 6 of 8 -> 0.75."""
    return np.where(games >= WIN_PCT_GAMES, ratio(wins, games), np.nan)


def _minutes(inputs: Columns) -> Floats:
    cached = inputs[f"{CACHE}.minutes_avg_last_10"]
    recent = np.where(np.isnan(cached), inputs["games.minutes_last_10"], cached)
    return minutes_change(recent, inputs["games.minutes_season"])


FEATURES: tuple[Feature, ...] = (
    Feature(
        "points_avg_last_5",
        "Mean points of his newest 5 games",
        (
            stored("phase4", CACHE, "points_avg_last_5"),
            Source("phase3", (f"{GAMES}.points",), lambda inputs: inputs["games.points_last_5"]),
        ),
        10.0,
        "points",
        (0, 70),
    ),
    Feature(
        "points_avg_last_10",
        "Mean points of his newest 10 games",
        (
            stored("phase4", CACHE, "points_avg_last_10"),
            Source("phase3", (f"{GAMES}.points",), lambda inputs: inputs["games.points_last_10"]),
        ),
        10.0,
        "points",
        (0, 70),
    ),
    Feature(
        "points_avg_season",
        "Mean points of all his games of the season",
        (
            stored("phase4", CACHE, "points_avg_season"),
            Source("phase3", (f"{GAMES}.points",), lambda inputs: inputs["games.points_season"]),
        ),
        10.0,
        "points",
        (0, 70),
    ),
    Feature(
        "points_std_last_10",
        "Sample standard deviation of the points of his newest 10 games",
        (stored("phase4", CACHE, "points_std_last_10"),),
        5.0,
        "points",
        (0, 30),
    ),
    Feature(
        "games_in_last_7_days",
        "Games he played in the six days before",
        (stored("phase4", CACHE, "games_in_last_7_days"), stored("phase3", CONTEXT, "games_in_last_7_days")),
        3.0,
        "count",
        (0, 5),
    ),
    Feature(
        "fatigue_score",
        f"Freshness, 100 without any load; part of the composite adjustment, {COMPOSITE_WORTH}",
        (stored("phase4", FACTORS, "fatigue_score"),),
        50.0,
        allowed=(0, 100),
    ),
    Feature(
        "shot_zone_mismatch_score",
        f"Opponent's defence of his primary zone, as points; part of the composite adjustment, {COMPOSITE_WORTH}",
        (stored("phase4", FACTORS, "shot_zone_mismatch_score"),),
        0.0,
        "points",
        (-15, 15),
    ),
    Feature(
        "pace_score",
        f"The game's pace, as points; part of the composite adjustment, {COMPOSITE_WORTH}",
        (stored("phase4", FACTORS, "pace_score"),),
        0.0,
        "points",
        (-8, 8),
    ),
    Feature(
        "usage_spike_score",
        f"Change of his usage rate, as points; part of the composite adjustment, {COMPOSITE_WORTH}",
        (stored("phase4", FACTORS, "usage_spike_score"),),
        0.0,
        "points",
        (-8, 8),
    ),
    Feature(
        "rest_advantage",
        "His days of rest minus the opponent's (both 1 after a game yesterday), limited to two",
        (Source("calculated", (f"{CONTEXT}.days_rest", f"{CONTEXT}.opponent_days_rest"), rest_advantage),),
        0.0,
        "days",
        allowed=(-2, 2),
    ),
    Feature(
        "injury_risk",
        "By injury status: 0 available or not listed, 1 probable, 2 questionable, 3 doubtful or out",
        (Source("calculated", (f"{CONTEXT}.player_status",), injury_risk),),
        0.0,
        allowed=(0, 3),
    ),
    Feature(
        "recent_trend",
        "Mean points of the newest two games against the three before, in steps: +-1 from 2 points, +-2 from 5",
        (Source("calculated", (f"{GAMES}.points",), lambda inputs: inputs["games.recent_trend"]),),
        0.0,
        allowed=(-2, 2),
    ),
    Feature(
        "minutes_change",
        "Mean minutes of his newest 10 games against the season, in steps: +-1 from 10 %, +-2 from 20 %",
        (Source("calculated", (f"{CACHE}.minutes_avg_last_10", f"{GAMES}.minutes_played"), _minutes),),
        0.0,
        allowed=(-2, 2),
    ),
    Feature(
        "opponent_def_rating",
        f"Mean defensive rating of the opponent's newest 15 games, {RATING_COMPARED}",
        (stored("phase4", DEFENSE, "defensive_rating_last_15"),),
        112.0,
        "points per 100 possessions",
        (90, 130),
    ),
    Feature(
        "opponent_pace",
        f"Mean pace of the teams that the opponent played, newest 15 games, {PACE_COMPARED}",
        (stored("phase4", DEFENSE, "opponent_pace"),),
        100.0,
        "possessions per 48 minutes",
        (90, 115),
    ),
    Feature("home_away", "1 at home", (stored("phase3", CONTEXT, "home_game"),), 0.0, allowed=(0, 1)),
    Feature(
        "back_to_back", "1 if he played yesterday", (stored("phase3", CONTEXT, "back_to_back"),), 0.0, allowed=(0, 1)
    ),
    Feature(
        "playoff_game",
        "1 in the play-in and the play-offs",
        (
            Source(
                "phase3",
                (f"{CONTEXT}.season_phase",),
                lambda inputs: (inputs[f"{CONTEXT}.season_phase"] == "playoffs").astype(np.float64),
            ),
        ),
        0.0,
        allowed=(0, 1),
    ),
    Feature(
        "pct_paint",
        "Share of his field-goal attempts in the paint, as a fraction",
        (stored("phase4", ZONES, "paint_rate_last_10", 100), stored("phase4", CACHE, "paint_rate_last_10", 100)),
        0.30,
        "fraction",
        allowed=(0, 1),
    ),
    Feature(
        "pct_mid_range",
        "Share of his field-goal attempts from mid-range, as a fraction",
        (stored("phase4", ZONES, "mid_range_rate_last_10", 100),),
        0.20,
        "fraction",
        allowed=(0, 1),
    ),
    Feature(
        "pct_three",
        "Share of his field-goal attempts from three (three_pt, perimeter in other tables), as a fraction",
        (stored("phase4", ZONES, "three_pt_rate_last_10", 100), stored("phase4", CACHE, "three_pt_rate_last_10", 100)),
        0.35,
        "fraction",
        allowed=(0, 1),
    ),
    Feature(
        "pct_free_throw",
        "Free throws made / points of his newest 10 games, at most a half",
        (
            Source(
                "calculated", (f"{GAMES}.ft_makes", f"{GAMES}.points"), lambda inputs: inputs["games.pct_free_throw"]
            ),
        ),
        0.15,
        "fraction",
        allowed=(0, 0.5),
        scale=9,
    ),
    Feature(
        "team_pace",
        f"Mean pace of his team's newest 10 games, {PACE_COMPARED}",
        (
            stored("phase4", CACHE, "team_pace_last_10"),
            Source("phase3", (f"{OFFENSE}.pace",), lambda inputs: inputs["team.pace_last_10"]),
        ),
        100.0,
        "possessions per 48 minutes",
        (90, 115),
    ),
    Feature(
        "team_off_rating",
        f"Mean offensive rating of his team's newest 10 games, {RATING_COMPARED}",
        (
            stored("phase4", CACHE, "team_off_rating_last_10"),
            Source("phase3", (f"{OFFENSE}.offensive_rating",), lambda inputs: inputs["team.offensive_rating_last_10"]),
        ),
        112.0,
        "points per 100 possessions",
        (90, 130),
    ),
    Feature(
        "team_win_pct",
        "Wins / games of his team this season",
        (
            Source(
                "calculated",
                (f"{OFFENSE}.win_flag",),
                lambda inputs: team_win_pct(inputs["team.wins"], inputs["team.games"]),
            ),
        ),
        0.5,
        "fraction",
        allowed=(0, 1),
        scale=9,
    ),
)
"""In the order that the model was trained on: new features come last.

The `games.` and `team.` inputs are computed from results before the date.
"""

VERSION = f"v1_baseline_{len(FEATURES)}"
"""Name of the list; with it the code version of the table changes."""
