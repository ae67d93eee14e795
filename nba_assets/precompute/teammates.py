"""What a player's teammates bring on a date, from rows of the same date: sums over those who are expected to play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.relations import at, find, tally
from nba_assets.tables.spec import Columns

UNITS = 10_000
"""Means are stored with four decimals; they are summed as whole numbers of the last one, so that no order matters."""


def sums_of_teammates(players: Columns, means: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[Any]]:
    """For each player of a date, the sum of his teammates' means, his own left out; an unknown mean counts nothing.

    `players` have `game_date` and `team_abbr`, `means` are one array each, of their length. Example: a team of means
    30, 20.5 and NaN -> 20.5, 30, 50.5.
    """
    key = {name: players[name] for name in ("game_date", "team_abbr")}
    units = {name: np.nan_to_num(np.rint(UNITS * values)) for name, values in means.items()}
    teams = tally(key, units)
    place = find(tuple(key.values()), tuple(teams[name] for name in key))
    return {name: (at(teams[name], place) - own) / UNITS for name, own in units.items()}
