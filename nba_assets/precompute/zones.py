"""The names of the three zones of the floor in the zone tables, and sums that take only games whose shots are
known by zone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nba_assets.basketball.arithmetic import Floats
from nba_assets.entities.windows import AsOfWindow
from nba_assets.tables.spec import Columns

ZONES = ("paint", "mid_range", "three_pt")
ZONE_LABELS: Mapping[str, str] = {"paint": "paint", "mid_range": "mid_range", "three_pt": "perimeter"}
"""What a zone is called where it is a value; the three-point zone is the perimeter."""
ZONE_WORDS: Mapping[str, str] = {"paint": "in the paint", "mid_range": "from mid-range", "three_pt": "from three"}


def known_games(games: Columns, zone: str, window: AsOfWindow) -> AsOfWindow:
    """The games of the window in which what a team allowed in a zone is known, makes and attempts both."""
    return window.only(~np.isnan(games[f"opp_{zone}_makes"] + games[f"opp_{zone}_attempts"]))


def allowed_pct(games: Columns, zone: str, known: AsOfWindow) -> Floats:
    """Share that opponents made in a zone over `known_games`; NaN without attempts."""
    return known.ratio_of_sums(games[f"opp_{zone}_makes"], games[f"opp_{zone}_attempts"])
