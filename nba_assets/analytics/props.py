"""Points props before tip-off: one bookmaker per player and date, his latest line and his first one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import text_where
from nba_assets.tables.spec import Columns

PROP_COLUMNS = (
    "game_date",
    "player_lookup",
    "source",
    "bookmaker",
    "points_line",
    "opening_line",
    "snapshot_timestamp",
    "minutes_before_tipoff",
    "game_start_time",
)
FEEDS = ("odds_api", "bettingpros")
"""Feeds by rank: the second one serves only players whom the first does not have."""
BOOKMAKERS = ("draftkings", "fanduel")
"""Preferred bookmakers by rank; the others follow in alphabetical order."""


def closing_lines(props: Columns) -> dict[str, NDArray[Any]]:
    """Current and opening line of each player and date, from the rows that were known before tip-off.

    Both lines come from the same bookmaker. The opening line is the feed's own where it gives one, else the earliest
    snapshot; with a single snapshot and no opening line of the feed's there is no opening line, and no movement.
    """
    known = take(props, before_tip_off(props))
    book = np.char.lower(known["bookmaker"].astype(str))
    rank = np.select([known["source"] == feed for feed in FEEDS], range(len(FEEDS)), len(FEEDS)) * 100.0
    rank += np.select([book == name for name in BOOKMAKERS], range(len(BOOKMAKERS)), len(BOOKMAKERS))
    frame = pd.DataFrame({**known, "bookmaker": book, "rank": rank}).sort_values(
        ["game_date", "player_lookup", "rank", "bookmaker", "snapshot_timestamp"], kind="stable"
    )
    group = frame.groupby(["game_date", "player_lookup"], sort=False)
    chosen = frame[
        (frame["bookmaker"] == group["bookmaker"].transform("first"))
        & (frame["rank"] == group["rank"].transform("first"))
    ]
    by_player = chosen.groupby(["game_date", "player_lookup"], sort=True)
    first, last = (
        by_player.head(1).sort_values(["game_date", "player_lookup"]),
        by_player.tail(1).sort_values(["game_date", "player_lookup"]),
    )
    several = by_player["snapshot_timestamp"].nunique().to_numpy() > 1
    current = last["points_line"].to_numpy(dtype=np.float64)
    opening = first["opening_line"].to_numpy(dtype=np.float64)
    opening = np.where(np.isnan(opening) & several, first["points_line"].to_numpy(dtype=np.float64), opening)
    prefix = np.where(last["source"].to_numpy(dtype=object) == FEEDS[0], "", "bettingpros_").astype(object)
    source = prefix + last["bookmaker"].to_numpy(dtype=object)
    return {
        "game_date": last["game_date"].to_numpy().astype("M8[D]"),
        "player_lookup": last["player_lookup"].to_numpy(dtype=object),
        "current_points_line": current,
        "current_points_line_source": source,
        "opening_points_line": opening,
        "opening_points_line_source": text_where(np.isnan(opening), None, source),
        "line_movement": current - opening,
    }


def before_tip_off(props: Columns) -> NDArray[np.bool_]:
    """Rows whose snapshot is not after tip-off: by the feed's own minutes, else by comparing the two times; an unknown
    time passes.
    """
    minutes = props["minutes_before_tipoff"]
    after = props["snapshot_timestamp"] > props["game_start_time"]
    return np.where(np.isnan(minutes), ~after, minutes >= 0)
