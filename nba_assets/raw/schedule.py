"""Which rows of the raw schedule are games that count, and how far they are.

What a game means for a team or player is in `analytics.games`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns

SCHEDULED, FINAL, POSTPONED = 1, 3, 4
"""Values of `game_status`; 2 is live."""

LEAGUE_COLUMNS = ("game_status", "is_regular_season", "is_playoffs")
FINAL_COLUMNS = (*LEAGUE_COLUMNS, "home_team_score", "away_team_score")
"""What a reader of the schedule reads to know its league games, and which of them are over."""


def league_games(games: Columns) -> NDArray[np.bool_]:
    """Games that count: regular season, play-in and play-offs; no exhibition or All-Star game, none postponed or
    cancelled.
    """
    return ((games["is_regular_season"] == 1) | (games["is_playoffs"] == 1)) & (games["game_status"] != POSTPONED)


def has_ended(games: Columns) -> NDArray[np.bool_]:
    """Games of any kind that are over: called final, with both scores.

    A game that is called final without a score was not played.
    """
    return (games["game_status"] == FINAL) & ~np.isnan(games["home_team_score"]) & ~np.isnan(games["away_team_score"])


def league_finals(games: Columns) -> NDArray[np.bool_]:
    """Games that count and are over."""
    return league_games(games) & has_ended(games)


def ended_besides(games: Columns) -> NDArray[np.bool_]:
    """Games that were played in the course of a season (`season_year`, `game_date`) and count in no standings, such as
    the final of the league's cup.

    Neither preseason, which lies before the season's first league game, nor what follows its last one, nor the All-Star
    weekend (`is_all_star`).
    """
    league = league_games(games)
    others = (
        ~league
        & (games["is_regular_season"] != 1)
        & (games["is_playoffs"] != 1)
        & (games["is_all_star"] != 1)
        & has_ended(games)
    )
    during = np.zeros(len(league), dtype=bool)
    for season in np.unique(games["season_year"][others]):
        mine = games["season_year"] == season
        days = games["game_date"][mine & league]
        if len(days):
            during |= mine & (games["game_date"] >= days.min()) & (games["game_date"] <= days.max())
    return others & during


def lacks_score(games: Columns) -> NDArray[np.bool_]:
    """Games that are called final although a score is missing: they stay on the slate of their date, and never count as
    played.
    """
    return (games["game_status"] == FINAL) & ~has_ended(games)
