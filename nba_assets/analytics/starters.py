"""Who belongs to a team's usual five: starts in its last ten games before a date."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.windows import AsOfWindow
from nba_assets.tables.spec import Columns

RECENT_GAMES = 10
USUAL_STARTS = 5
"""Starts in the last ten games that make a usual starter."""


def recent_starts(
    finals: Columns, starts: Columns, as_of: NDArray[np.datetime64], since: NDArray[np.datetime64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Starts of each player in one team's last ten finals before each date.

    `finals` are the team's final games (`game_id`, `game_date`, ascending), `starts` one row per start for that team (`game_id`, `player_lookup`).
    Returns the players, sorted, and a matrix of (dates, players).
    """
    players, player_of = np.unique(starts["player_lookup"].astype(str), return_inverse=True)
    place_of = {game: place for place, game in enumerate(finals["game_id"])}
    games = np.array([place_of.get(game, -1) for game in starts["game_id"]], dtype=np.intp)
    started = np.zeros((len(finals["game_id"]) + 1, len(players)), dtype=np.int64)
    started[games[games >= 0], player_of[games >= 0]] = 1
    window = AsOfWindow.last_games(finals["game_date"], as_of, RECENT_GAMES, since=since)
    # The row appended to `started` stands for the window's empty places (-1): nobody started there.
    return players.astype(object), started[window.rows].sum(axis=1)


def usual_starters_missing(finals: Columns, starts: Columns, missing: Columns, asked: Columns, since: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """How many of a team's usual starters are among those missing from each asked game.

    `missing` has one row per absent player (`game_id`, `player_lookup`), `asked` the games (`game_id`, `game_date`).
    """
    players, recent = recent_starts(finals, starts, asked["game_date"], since)
    place_of = {player: place for place, player in enumerate(players)}
    row_of = {game: row for row, game in enumerate(asked["game_id"])}
    missed = np.zeros(len(asked["game_id"]))
    for game, player in zip(missing["game_id"], missing["player_lookup"], strict=True):
        if game in row_of and player in place_of:
            missed[row_of[game]] += recent[row_of[game], place_of[player]] >= USUAL_STARTS
    return missed
