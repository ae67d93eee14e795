"""Spreads and totals before tip-off: what each bookmaker last offered, and what he offered first.

Only rows whose snapshot lies before the game's tip-off are looked at. A row of the result is one outcome of one game: a
team's spread, or the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import find, join_at, text_where
from nba_assets.tables.spec import Columns

LINE_COLUMNS = (
    "game_date",
    "home_team_abbr",
    "away_team_abbr",
    "commence_time",
    "snapshot_timestamp",
    "bookmaker_key",
    "market_key",
    "outcome_name",
    "outcome_team_abbr",
    "outcome_point",
)
PREFERRED_BOOKS = ("draftkings", "fanduel")
"""Bookmakers by rank, where a single one is used."""

CONSENSUS_BOOK = "consensus"
CONSENSUS_STANDS_FOR = 3
"""A feed's own consensus is made of at least this many bookmakers."""

GAME = ("game_date", "home_team_abbr", "away_team_abbr")
OVER = "OVER"
"""Stands for a team in the outcome of a total."""


@dataclass(frozen=True)
class Lines:
    """One row per outcome: the game, `outcome` (a tricode, or OVER), and the lines as columns."""

    rows: Columns

    def of(
        self, games: Columns, outcome: NDArray[np.object_], names: Sequence[str], prefix: str
    ) -> dict[str, NDArray[Any]]:
        """The lines of given outcomes of given games, as columns named `prefix` + name."""
        key = (*(games[name] for name in GAME), outcome)
        found = find(key, (*(self.rows[name] for name in GAME), self.rows["outcome"]))
        return join_at(self.rows, found, {f"{prefix}{name}": name for name in names})


def consensus(lines: Columns) -> Lines:
    """Medians over all bookmakers: `current` of their latest rows, `opening` of their earliest, `movement`, `source`
    (keys, sorted), `book_count`.

    With a single snapshot time of all bookmakers there is no opening line and no movement.
    """
    return Lines(_pooled(_before_tip_off(lines)))


def preferred(lines: Columns) -> Lines:
    """The line of one bookmaker: DraftKings, else FanDuel, else the medians over all; `current`, `opening`, `movement`,
    `source`, `updated_at`.
    """
    known = _before_tip_off(lines)
    pooled = _pooled(known)
    rank = known["bookmaker_key"].map({book: place for place, book in enumerate(PREFERRED_BOOKS)})
    named = known[rank.notna()].assign(rank=rank)
    best = named.groupby([*GAME, "outcome"])["rank"].transform("min")
    single = _pooled(named[named["rank"] == best])
    keys = [pd.MultiIndex.from_arrays([rows[name] for name in (*GAME, "outcome")]) for rows in (pooled, single)]
    others = ~keys[0].isin(keys[1])
    return Lines({name: np.concatenate([single[name], pooled[name][others]]) for name in pooled})


def _before_tip_off(lines: Columns) -> pd.DataFrame:
    known = take(lines, (lines["snapshot_timestamp"] < lines["commence_time"]) & ~np.isnan(lines["outcome_point"]))
    over = np.char.lower(known["outcome_name"].astype(str)) == "over"
    outcome = text_where(known["market_key"] == "totals", text_where(over, OVER, None), known["outcome_team_abbr"])
    frame = pd.DataFrame({**known, "outcome": outcome})
    # The `under` of a total mirrors its `over`; a spread whose team is unknown can be nobody's.
    return frame[frame["outcome"].notna()].sort_values(
        [*GAME, "outcome", "bookmaker_key", "snapshot_timestamp"], kind="stable"
    )


def _pooled(known: pd.DataFrame) -> dict[str, NDArray[Any]]:
    by_book = known.groupby([*GAME, "outcome", "bookmaker_key"], sort=True)
    newest, oldest = by_book.tail(1), by_book.head(1)
    book = newest["bookmaker_key"]
    newest = newest.assign(listed=book + ",", is_consensus=book == CONSENSUS_BOOK)
    latest, earliest = newest.groupby([*GAME, "outcome"]), oldest.groupby([*GAME, "outcome"])
    index = latest["outcome_point"].median().index
    current, opening = (group["outcome_point"].median().to_numpy(dtype=np.float64) for group in (latest, earliest))
    several = known.groupby([*GAME, "outcome"])["snapshot_timestamp"].nunique().to_numpy() > 1
    opening = np.where(several, opening, np.nan)
    # Their rows are sorted by bookmaker, so the sum of the texts is the sorted list.
    bookmakers = latest["listed"].sum().str.removesuffix(",").to_numpy(dtype=object)
    count = latest.size().to_numpy(dtype=np.float64)
    has_consensus = latest["is_consensus"].any().to_numpy(dtype=bool)
    levels = {name: index.get_level_values(name).to_numpy(dtype=object) for name in (*GAME, "outcome")}
    return {
        **levels,
        "game_date": np.array(levels["game_date"], dtype="M8[D]"),
        "current": current,
        "opening": opening,
        "movement": current - opening,
        "source": bookmakers,
        "book_count": count + (CONSENSUS_STANDS_FOR - 1) * has_consensus,
        "updated_at": latest["snapshot_timestamp"].max().to_numpy().astype("M8[us]"),
    }
