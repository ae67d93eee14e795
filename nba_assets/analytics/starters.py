"""Who belongs to a team's usual five: starts in its last ten games before a date."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.windows import AsOfWindow
from nba_assets.tables.spec import Columns

RECENT_GAMES = 10
USUAL_STARTS = 5
"""Starts in the last ten games that make a usual starter."""


def recent_starts(
    finals: Columns, starts: Columns, as_of: NDArray[np.datetime64], since: NDArray[np.datetime64]
) -> tuple[NDArray[np.object_], NDArray[np.int64], NDArray[np.int64]]:
    """Starts of each player in one team's last ten finals before each date.

    `finals` are the team's final games (`game_id`, `game_date`, ascending), `starts` one row per start for that team
    (`game_id`, `player_lookup`). Returns the players, sorted, a matrix of (dates, players), and how many finals each
    window holds.
    """
    players, player_of = np.unique(starts["player_lookup"].astype(str), return_inverse=True)
    place_of = {game: place for place, game in enumerate(finals["game_id"])}
    games = np.array([place_of.get(game, -1) for game in starts["game_id"]], dtype=np.intp)
    started = np.zeros((len(finals["game_id"]) + 1, len(players)), dtype=np.int64)
    started[games[games >= 0], player_of[games >= 0]] = 1
    window = AsOfWindow.last_games(finals["game_date"], as_of, RECENT_GAMES, since=since)
    # The row appended to `started` stands for the window's empty places (-1): nobody started there.
    return players.astype(object), started[window.rows].sum(axis=1), window.games()


def count_missing(
    players: NDArray[np.object_], usual: NDArray[np.bool_], missing: Columns, requested: Columns
) -> NDArray[np.float64]:
    """How many usual starters are among those missing from each requested game.

    `usual` is a matrix of (requested, players); `missing` has one row per absent player (`game_date`, `player_lookup`).
    A team whose schedule has two games on one date gets the count in both rows, which the check of the table's key then
    tells of by name.
    """
    place_of = {player: place for place, player in enumerate(players)}
    rows_of: dict[date, list[int]] = {}
    for row, game_date in enumerate(requested["game_date"].tolist()):
        rows_of.setdefault(game_date, []).append(row)
    missed = np.zeros(len(requested["game_date"]))
    for game_date, player in zip(missing["game_date"].tolist(), missing["player_lookup"], strict=True):
        if player in place_of:
            for row in rows_of.get(game_date, ()):
                missed[row] += usual[row, place_of[player]]
    return missed
