"""Injury reports as they stood before tip-off: one status per player and game date."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import newest_first
from nba_assets.partitions import LEAGUE_TIMEZONE
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
    """The newest believable report of each player and game date that was known before tip-off.

    `tip` is the tip-off of each report's game in UTC; NaT lets the report pass. The status is looked at only afterwards: a player who was out and then
    available is available.
    """
    moments = known_at(reports)
    seen = ~(reports["confidence_score"] < SURE_ENOUGH) & (np.isnat(tip) | (moments < tip))
    known = take(reports, seen)
    return take(known, newest_first((moments[seen],), (known["game_date"], known["player_lookup"])))


def known_at(reports: Columns) -> NDArray[np.datetime64]:
    """When each report is sure to have existed, in UTC: at the end of its hour. Example: one of 19 hours, Eastern, is known from 20:00 on."""
    hours = reports["report_date"].astype("M8[us]") + reports["report_hour"].astype("m8[h]")
    begun = pd.DatetimeIndex(hours).tz_localize(LEAGUE_TIMEZONE, ambiguous=np.ones(len(hours), dtype=bool), nonexistent="shift_forward")
    moments: NDArray[np.datetime64] = (begun.tz_convert("UTC").tz_localize(None) + pd.Timedelta(hours=1)).to_numpy().astype("M8[us]")
    return moments
