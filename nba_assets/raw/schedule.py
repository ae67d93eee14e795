"""Which rows of the raw schedule are games that count, and how far they are. What a game means for a team or player is said in `analytics.games`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns

FINAL, POSTPONED = 3, 4
"""Values of `game_status`; 1 is scheduled, 2 is live."""


def league_games(games: Columns) -> NDArray[np.bool_]:
    """Games that count: regular season, play-in and play-offs; no exhibition or All-Star game, none postponed or cancelled."""
    return ((games["is_regular_season"] == 1) | (games["is_playoffs"] == 1)) & (games["game_status"] != POSTPONED)


def league_finals(games: Columns) -> NDArray[np.bool_]:
    """Games that count and are over."""
    return league_games(games) & (games["game_status"] == FINAL)
