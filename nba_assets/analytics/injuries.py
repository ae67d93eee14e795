"""Injury reports as they stood before tip-off: one status per player and game date."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import newest_first
from nba_assets.tables.spec import Columns

INJURY_COLUMNS = (
    "game_date",
    "player_lookup",
    "team",
    "reported_at",
    "injury_status",
    "reason",
    "reason_category",
    "confidence_score",
)
SURE_ENOUGH = 0.8
"""Reports that were read with less confidence than this are not believed."""

NOT_PLAYING = ("out", "doubtful")
IN_DOUBT = ("questionable", "doubtful")


def latest_statuses(reports: Columns, tip: NDArray[np.datetime64]) -> dict[str, NDArray[Any]]:
    """The newest believable report of each player and game date that was known before tip-off.

    `tip` is the tip-off of each report's game in UTC; NaT lets the report pass. The status is looked at only
    afterwards: a player who was out and then available is available.
    """
    seen = ~(reports["confidence_score"] < SURE_ENOUGH) & (np.isnat(tip) | (reports["reported_at"] < tip))
    known = take(reports, seen)
    return take(known, newest_first((known["reported_at"],), (known["game_date"], known["player_lookup"])))
