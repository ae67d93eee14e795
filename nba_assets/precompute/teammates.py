"""What a player's teammates bring on a date, from rows of the same date: sums over those who are expected to play."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.entities.relations import at, find, tally
from nba_assets.precompute.features import CACHE, CONTEXT
from nba_assets.tables.spec import Columns

UNITS = 10_000
"""Means count to four decimals; they are summed as whole numbers of the last one, so that no order matters."""


def of_teammates(players: Columns) -> dict[str, NDArray[Any]]:
    """What the features read of teammates: the sums of their mean minutes and points, as `teammates.` columns.

    `players` are all of the dates, with what is stored of them under `table.column` names. Means are those of the daily
    cache; of who has too few games for one, or the last too long ago, minutes are those of the last 14 days, and points
    what his context knows.
    """
    minutes = _first(
        players[f"{CACHE}.minutes_avg_last_10"],
        ratio(players[f"{CONTEXT}.minutes_in_last_14_days"], players[f"{CONTEXT}.games_in_last_14_days"]),
    )
    points = _first(players[f"{CACHE}.points_avg_season"], players[f"{CONTEXT}.points_avg_last_10"])
    return {
        "teammates.minutes": sum_of_teammates(players, minutes),
        "teammates.points": sum_of_teammates(players, points),
    }


def sum_of_teammates(players: Columns, means: Floats) -> Floats:
    """For each player of a date, the sum of his teammates' means, his own left out; an unknown mean counts nothing.

    `players` have `game_date` and `team_abbr`. Example: a team of means 30, 20.5 and NaN -> 20.5, 30, 50.5.
    """
    key = {name: players[name] for name in ("game_date", "team_abbr")}
    own = np.nan_to_num(np.rint(UNITS * means))
    teams = tally(key, {"sum": own})
    place = find(tuple(key.values()), tuple(teams[name] for name in key))
    return (at(teams["sum"], place) - own) / UNITS


def _first(values: Floats, others: Floats) -> Floats:
    return np.where(np.isnan(values), others, values)
