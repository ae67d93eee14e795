"""Possessions, and what is counted per possession: pace, ratings, usage.

A possession is estimated from the box score as FGA + 0.44 * FTA + TOV - OREB: a team's chances to score, those that it
got back by an offensive rebound not counted again. In hundredths of a possession this is a whole number, and so each
measure here is one exact quotient.

Worked examples: New York's 125-119 at Philadelphia on 2025-01-15 after one overtime (265 team minutes); FGA 86, FTA 24,
TOV 13, OREB 15.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nba_assets.basketball.arithmetic import Floats, ratio

PLAYERS_ON_COURT = 5
REGULATION_TEAM_SECONDS = PLAYERS_ON_COURT * 48 * 60
"""Player-seconds of a team in a game without overtime: 240 minutes."""
OVERTIME_TEAM_SECONDS = PLAYERS_ON_COURT * 5 * 60
"""Player-seconds that an overtime adds: 25 minutes."""


def possessions(fga: ArrayLike, fta: ArrayLike, turnovers: ArrayLike, offensive_rebounds: ArrayLike) -> Floats:
    """A team's possessions in a game, estimated: FGA + 0.44 * FTA + TOV - OREB; NaN where any of them is unknown.

    Source: NBA glossary, POSS; D. Oliver, Basketball on Paper (2004); J. Kubatko et al., "A Starting Point for
    Analyzing Basketball Statistics", Journal of Quantitative Analysis in Sports 3 (2007). Example: 86 + 0.44 * 24 + 13
    - 15 = 94.56.
    """
    return ratio(_load_hundredths(fga, fta, turnovers) - 100 * np.asarray(offensive_rebounds), 100.0)


def pace(possessions: ArrayLike, team_seconds: ArrayLike) -> Floats:
    """A team's own possessions per 48 minutes of play; NaN where they are not above 0.

    `team_seconds` are player-seconds of the team (14,400 in regulation); unknown or 0 is taken as regulation.

    Source: NBA glossary, PACE, here from the team's own possessions alone. Example: 94.56 * 48 / 53 = 85.6.
    """
    # 48 minutes of play are 14,400 player-seconds, 144 of them per hundredth.
    return ratio(144 * _positive_hundredths(possessions), _known_team_seconds(team_seconds))


def rating(points: ArrayLike, possessions: ArrayLike) -> Floats:
    """Points per 100 possessions; NaN where the possessions are not above 0.

    A team's offensive rating from its points and possessions, its defensive rating from its opponent's.

    Source: NBA glossary, OFFRTG and DEFRTG; D. Oliver, Basketball on Paper (2004). Example: 100 * 125 / 94.56 = 132.19.
    """
    return ratio(10_000 * np.asarray(points), _positive_hundredths(possessions))


def usage_rate(
    fga: ArrayLike,
    fta: ArrayLike,
    turnovers: ArrayLike,
    seconds: ArrayLike,
    team_seconds: ArrayLike,
    team_fga: ArrayLike,
    team_fta: ArrayLike,
    team_turnovers: ArrayLike,
) -> Floats:
    """Share, in percent, of his team's plays that a player used while on the court; 20 is an even share.

    100 * (FGA + 0.44 * FTA + TOV) * (team minutes / 5) / (minutes * (team FGA + 0.44 * team FTA + team TOV)). `seconds`
    are the player's, `team_seconds` the player-seconds of his team (unknown or 0 is taken as regulation). NaN where he
    did not play or the team used nothing. May exceed 100 on contradictory inputs; what to do then is the caller's
    matter.

    Source: NBA glossary, USG%; D. Oliver; J. Hollinger; J. Kubatko et al. (2007).
    Example: Jalen Brunson in 45:28 with FGA 22, FTA 9, TOV 5: 100 * 30.96 * 53 / (45.467 * 109.56) = 32.9.
    """
    used = 20 * _load_hundredths(fga, fta, turnovers) * _known_team_seconds(team_seconds)
    return ratio(used, np.asarray(seconds) * _load_hundredths(team_fga, team_fta, team_turnovers))


def overtime_periods(team_seconds: ArrayLike) -> Floats:
    """Whole overtimes within a team's player-seconds: one per 25 minutes above 240; 0 where they are unknown.

    Example: 265 team minutes are one overtime.
    """
    return np.maximum((_known_team_seconds(team_seconds) - REGULATION_TEAM_SECONDS) // OVERTIME_TEAM_SECONDS, 0.0)


def _load_hundredths(fga: ArrayLike, fta: ArrayLike, turnovers: ArrayLike) -> Floats:
    """FGA + 0.44 * FTA + TOV, times 100."""
    load: Floats = 100.0 * np.asarray(fga) + 44 * np.asarray(fta) + 100 * np.asarray(turnovers)
    return load


def _positive_hundredths(possessions: ArrayLike) -> Floats:
    hundredths = np.rint(100 * np.asarray(possessions, dtype=np.float64))
    return np.where(hundredths > 0, hundredths, np.nan)


def _known_team_seconds(team_seconds: ArrayLike) -> Floats:
    seconds = np.asarray(team_seconds, dtype=np.float64)
    return np.where(seconds > 0, seconds, REGULATION_TEAM_SECONDS)
