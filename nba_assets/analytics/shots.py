"""Field goals by zone, from play-by-play: whose shots, assists and blocks.

The three game summaries share it, so that they cannot disagree.

Whether the counts agree with the box score is in `reconciliation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.shot_zones import MID_RANGE, PAINT, THREE, classify_shots, is_three
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import tally
from nba_assets.tables.spec import Columns

SHOT_COLUMNS = (
    "game_id",
    "event_type",
    "event_subtype",
    "player_1_lookup",
    "player_1_team_abbr",
    "player_2_lookup",
    "player_2_role",
    "shot_made",
    "shot_type",
    "shot_distance",
    "loc_x",
    "loc_y",
    "shot_zone",
)
ZONES = {"paint": PAINT, "mid_range": MID_RANGE, "three": THREE}
ZONE_COUNTS = tuple(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes"))


def zones_known(box: Columns, counts: Columns) -> NDArray[np.bool_]:
    """Rows whose zones hold exactly the field goals of their box score: `counts` are the play-by-play's of the same
    rows, NaN where it has no shots.
    """
    attempts, makes = (
        counts[f"paint_{what}"] + counts[f"mid_range_{what}"] + counts[f"three_{what}"]
        for what in ("attempts", "makes")
    )
    twos_known = (attempts == box["fg_attempts"]) & (makes == box["fg_makes"])
    known: NDArray[np.bool_] = (
        twos_known
        & (counts["three_attempts"] == box["three_pt_attempts"])
        & (counts["three_makes"] == box["three_pt_makes"])
    )
    return known


@dataclass(frozen=True)
class Shots:
    """Field-goal attempts with their zones: `zone` is a code of `shot_zones`, `estimated` tells zones that only the
    distance decided.
    """

    events: Columns
    zone: NDArray[np.int8]
    estimated: NDArray[np.bool_]

    @classmethod
    def of(cls, play_by_play: Columns) -> Shots:
        """The attempts among play-by-play events."""
        attempts = take(
            {name: play_by_play[name] for name in SHOT_COLUMNS},
            (play_by_play["event_type"] == "shot") & ~np.isnan(play_by_play["shot_made"]),
        )
        zone, estimated = classify_shots(
            is_three(attempts["shot_type"], attempts["event_subtype"]),
            attempts["shot_zone"],
            attempts["loc_x"],
            attempts["loc_y"],
            attempts["shot_distance"],
        )
        return cls(attempts, zone, estimated)

    def by_team(self) -> dict[str, NDArray[Any]]:
        """Attempts and makes, in all and by zone, of each shooting team in each game."""
        return tally(
            {"game_id": self.events["game_id"], "team_abbr": self.events["player_1_team_abbr"]}, self._counts()
        )

    def by_shooter(self) -> dict[str, NDArray[Any]]:
        """Attempts and makes, in all and by zone, assisted and unassisted makes of each shooter in each game, and how
        many of his zones were estimated.
        """
        made = self.events["shot_made"] == 1
        assisted = made & (self.events["player_2_role"] == "assist")
        counts = self._counts() | {
            "assisted_fg_makes": assisted,
            "unassisted_fg_makes": made & ~assisted,
            "estimated_zones": self.estimated,
        }
        return tally({"game_id": self.events["game_id"], "player_lookup": self.events["player_1_lookup"]}, counts)

    def blocks_by_player(self) -> dict[str, NDArray[Any]]:
        """Blocks, in all (`blocks_by_events`) and by zone of the blocked shot, of each blocker in each game, whether he
        shot himself or not.
        """
        return self._blocks("player_lookup", "player_2_lookup")

    def blocks_by_shooting_team(self) -> dict[str, NDArray[Any]]:
        """Blocks, in all and by zone of the blocked shot, by the team whose shots were blocked: its opponent's
        blocks.
        """
        return self._blocks("team_abbr", "player_1_team_abbr")

    def games(self) -> NDArray[np.object_]:
        """Games whose play-by-play has shots."""
        return np.asarray(pd.unique(self.events["game_id"]), dtype=object)

    def _counts(self) -> dict[str, NDArray[np.bool_]]:
        made = self.events["shot_made"] == 1
        attempts = {"attempts": np.ones(len(made), dtype=bool)} | {
            f"{name}_attempts": self.zone == code for name, code in ZONES.items()
        }
        return (
            attempts | {"makes": made} | {f"{name}_makes": (self.zone == code) & made for name, code in ZONES.items()}
        )

    def _blocks(self, name: str, column: str) -> dict[str, NDArray[Any]]:
        blocked = (self.events["player_2_role"] == "block") & (self.events["shot_made"] == 0)
        counts = {"blocks_by_events": blocked} | {
            f"{zone}_blocks": blocked & (self.zone == code) for zone, code in ZONES.items()
        }
        events = {"game_id": self.events["game_id"], name: self.events[column]}
        return tally(take(events, blocked), {zone: mask[blocked] for zone, mask in counts.items()})
