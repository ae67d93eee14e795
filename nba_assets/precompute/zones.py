"""The three zones of the floor as the zone tables speak of them: names, and sums that take only games whose shots are known by zone."""

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


def allowed_pct(games: Columns, zone: str, window: AsOfWindow) -> tuple[Floats, Floats]:
    """Makes and attempts that a team allowed in a zone, over the games of the window in which both are known."""
    makes, attempts = games[f"opp_{zone}_makes"], games[f"opp_{zone}_attempts"]
    known = window.only(~np.isnan(makes + attempts))
    return known.total(makes), known.total(attempts)
