"""Second-chance points by game and team, from play-by-play rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.second_chances import event_kinds, second_chance_points
from nba_assets.tables.spec import Columns

SECOND_CHANCE_COLUMNS = (
    "game_id",
    "event_sequence",
    "period",
    "game_clock_seconds",
    "event_type",
    "event_subtype",
    "player_1_team_abbr",
    "shot_made",
    "points_scored",
)
SECOND_CHANCE_EVENTS = ("shot", "free throw", "rebound", "turnover")


def second_chances_by_team(events: Columns) -> dict[str, NDArray[Any]]:
    """One row per game and team of the events, with its `second_chance_points`; NaN where the game's feed cannot
    tell.
    """
    game_codes, games = pd.factorize(events["game_id"])
    team_codes, teams = pd.factorize(events["player_1_team_abbr"])
    points = second_chance_points(
        game_codes,
        events["period"],
        events["game_clock_seconds"],
        events["event_sequence"],
        event_kinds(events["event_type"], events["event_subtype"]),
        team_codes,
        events["shot_made"],
        events["points_scored"],
        games=len(games),
        teams=len(teams),
    )
    game, team = np.indices(points.shape)
    return {
        "game_id": np.asarray(games, dtype=object)[game.ravel()],
        "team_abbr": np.asarray(teams, dtype=object)[team.ravel()],
        "second_chance_points": points.ravel(),
    }
