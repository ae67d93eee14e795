"""Who belongs to a team's usual five: starts in its last ten games before a date."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from nba_assets.basketball.arithmetic import Floats
from nba_assets.entities.groups import Grouped, joint, ranges
from nba_assets.entities.relations import find
from nba_assets.entities.windows import AsOf, AsOfWindow, Counts, Masks

RECENT_GAMES = 10
USUAL_STARTS = 5
"""Starts in the last ten games that make a usual starter."""


def count_missing(
    requested: Grouped,
    finals: Grouped,
    starts: Grouped,
    missing: Grouped,
    is_usual: Callable[[Counts, Counts], Masks],
) -> Floats:
    """How many usual starters are among the players missing from each requested game.

    All groups are teams: `finals` are their final games (`game_id`), `starts` has one row per start for the team
    (`game_id`, `player_lookup`), `missing` one per absent player and date (`player_lookup`). `is_usual` tells usual
    starters by their starts in the team's last ten finals before the date and by how many finals these are. A team
    whose schedule has two games on one date gets the count in both rows, which the check of the table's key then tells
    of by name.
    """
    window = AsOfWindow.last_games(finals, AsOf.of(requested), RECENT_GAMES)
    first = np.searchsorted(missing.moments, requested.moments, side="left")
    absent, row = ranges(first, np.searchsorted(missing.moments, requested.moments, side="right"))
    codes = pd.factorize(np.concatenate([starts["player_lookup"], missing["player_lookup"]]))[0]
    starter, player = codes[: len(starts["game_id"])], codes[len(starts["game_id"]) :][absent]
    # A start is known by its player and by the position of the game: those of a window are a range of them.
    game = find((starts.group, starts["game_id"]), (finals.group, finals["game_id"]))
    started = np.unique(joint(starter, game)[(game >= 0) & (starter >= 0)])
    since, until = (np.searchsorted(started, joint(player, place[row])) for place in (window.start, window.stop))
    usual = is_usual(until - since, window.games()[row])
    return np.bincount(row, weights=usual, minlength=len(first)).astype(np.float64)
