"""How well shots were made: shooting percentages, as fractions of 1.

Worked examples: Jalen Brunson at Philadelphia on 2025-01-15, 38 points on 14 of 22 shots, 3 of 6 threes, 7 of 9 free
throws.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from nba_assets.basketball.arithmetic import Floats, ratio


def true_shooting_pct(points: ArrayLike, fga: ArrayLike, fta: ArrayLike) -> Floats:
    """Points per two shooting attempts, free throws included: points / (2 * (FGA + 0.44 * FTA)).

    0.44 is the share of free throws that end a possession (and-ones, technicals and three-shot fouls make it less than
    a half). NaN without an attempt; a make worth more than two points can take it above 1. Of a player or a team.

    Source: NBA glossary, TS%; J. Hollinger, Pro Basketball Forecast (2005). Example: 38 / (2 * (22 + 0.44 * 9)) =
    0.732.
    """
    return ratio(50 * np.asarray(points), 100 * np.asarray(fga) + 44 * np.asarray(fta))


def effective_field_goal_pct(fg_makes: ArrayLike, three_pt_makes: ArrayLike, fga: ArrayLike) -> Floats:
    """Field-goal percentage that counts a three as one and a half: (FGM + 0.5 * 3PM) / FGA.

    NaN without an attempt, 0 when all missed; an unknown number of threes counts as none.

    Source: NBA glossary, EFG%; D. Oliver, Basketball on Paper (2004). Example: (14 + 0.5 * 3) / 22 = 0.705.
    """
    threes = np.nan_to_num(np.asarray(three_pt_makes, dtype=np.float64))
    return ratio(2 * np.asarray(fg_makes) + threes, 2 * np.asarray(fga))
