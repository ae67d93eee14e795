"""The small simulated league that tests share."""

from __future__ import annotations

from typing import Any

SMALL_LEAGUE: dict[str, Any] = {"teams": ("BOS", "DEN", "LAL", "MIA"), "games_per_team": 12}
