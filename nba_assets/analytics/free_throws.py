"""Free throws, from play-by-play: who shot how many, and which single ones followed a made shot.

Second chances are in `second_chances`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import map_distinct
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import tally
from nba_assets.raw.vocabulary import FREE_THROWS
from nba_assets.tables.spec import Columns

FREE_THROW = "free throw"
FREE_THROW_COLUMNS = (
    "game_id",
    "event_type",
    "event_subtype",
    "player_1_lookup",
    "player_1_team_abbr",
    "points_scored",
)


@dataclass(frozen=True)
class FreeThrows:
    """The free-throw events of games."""

    events: Columns

    @classmethod
    def of(cls, play_by_play: Columns) -> FreeThrows:
        """The free throws among play-by-play events."""
        return cls(
            take({name: play_by_play[name] for name in FREE_THROW_COLUMNS}, play_by_play["event_type"] == FREE_THROW)
        )

    def by_player(self) -> dict[str, NDArray[Any]]:
        """Attempts, makes and and-ones of each player in each game; makes are NaN where the points of any of his are
        unknown.
        """
        and_ones = {"and1_count": self.events["event_subtype"] == "free throw 1/1"}
        return tally(
            {"game_id": self.events["game_id"], "player_lookup": self.events["player_1_lookup"]},
            self._counts() | and_ones,
        )

    def by_team(self) -> dict[str, NDArray[Any]]:
        """Attempts and makes of each team in each game."""
        return tally(
            {"game_id": self.events["game_id"], "team_abbr": self.events["player_1_team_abbr"]}, self._counts()
        )

    def games(self) -> NDArray[np.object_]:
        """Games whose play-by-play has free throws."""
        return np.asarray(pd.unique(self.events["game_id"]), dtype=object)

    def unclear_games(self) -> NDArray[np.object_]:
        """Games with a free throw whose words are none of those that the raw contract knows."""
        clear = map_distinct(lambda words: words in FREE_THROWS, self.events["event_subtype"].tolist(), np.bool_)
        return np.asarray(pd.unique(self.events["game_id"][~clear]), dtype=object)

    def _counts(self) -> dict[str, NDArray[np.float64]]:
        points = self.events["points_scored"]
        return {
            "free_throw_attempts": np.ones(len(points)),
            "free_throw_makes": np.where(np.isnan(points), np.nan, points > 0),
        }
