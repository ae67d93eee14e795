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
    "report_date",
    "report_hour",
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
    """The newest believable report of each player and game date that came out before tip-off.

    `tip` is the tip-off of each report's game as US-Eastern wall-clock time; NaT lets the report pass. The status is looked at only afterwards: a player
    who was out and then available is available.
    """
    believed = ~(reports["confidence_score"] < SURE_ENOUGH)
    early = np.isnat(tip) | (published(reports) < tip)
    known = take(reports, believed & early)
    newest = newest_first((known["report_date"], known["report_hour"]), (known["game_date"], known["player_lookup"]))
    return take(known, newest)


def published(reports: Columns) -> NDArray[np.datetime64]:
    """When each report came out, as US-Eastern wall-clock time."""
    moments: NDArray[np.datetime64] = reports["report_date"].astype("M8[us]") + np.nan_to_num(reports["report_hour"]).astype("m8[h]")
    return moments
