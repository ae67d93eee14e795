"""Remarks that the descriptions of several columns share: how an estimate compares with published figures, what a
formula is worth, and how names and units differ between tables.
"""

from __future__ import annotations

POSSESSIONS_COMPARED = (
    "Basketball-Reference's formula gives fewer: on the rows of 2021-22 98.1 a game, where this one gives 100.4"
)
PACE_COMPARED = (
    "by the possession estimate of team_offense_game_summary, about 2 % above Basketball-Reference's (2021-22: 100.4 "
    "possessions a game, there 98.1)"
)
RATING_COMPARED = (
    "by the possession estimate of team_offense_game_summary, about 2 % below Basketball-Reference's (2021-22: 110.1 "
    "points per 100, there 112.8)"
)
COMPOSITE_WORTH = (
    "a prescribed formula, not a forecast: over three real seasons its correlation with points above the season "
    "average is about 0.01"
)
PERIMETER = "perimeter is the three-point zone, three_pt in column names"
"""For values; columns and features are named `three_pt` and `three`."""
