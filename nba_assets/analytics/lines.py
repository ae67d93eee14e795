"""Spreads and totals before tip-off: what each bookmaker last offered, and what he offered first.

Only rows whose snapshot lies before the game's tip-off are looked at. A row of the result is one outcome of one game: a
team's spread, or the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import begins, find, group_numbers, join_at, sortable, text_where
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

RANKS, UNRANKED = tuple(range(len(PREFERRED_BOOKS))), len(PREFERRED_BOOKS)
GAME = ("game_date", "home_team_abbr", "away_team_abbr")
OUTCOME = (*GAME, "outcome")
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
        found = find(key, [self.rows[name] for name in OUTCOME])
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
    rank = np.select([known["bookmaker_key"] == book for book in PREFERRED_BOOKS], RANKS, UNRANKED)
    starts = _starts(known, OUTCOME)
    best = np.repeat(_reduced(np.minimum, rank, starts), np.diff(starts, append=len(rank)))
    single = _pooled(take(known, (rank == best) & (rank < UNRANKED)))
    others = find([pooled[name] for name in OUTCOME], [single[name] for name in OUTCOME]) < 0
    return Lines({name: np.concatenate([single[name], pooled[name][others]]) for name in pooled})


def _before_tip_off(lines: Columns) -> Columns:
    """What was known before tip-off, by game, outcome, bookmaker and time."""
    known = take(lines, (lines["snapshot_timestamp"] < lines["commence_time"]) & ~np.isnan(lines["outcome_point"]))
    over = np.char.lower(known["outcome_name"].astype(str)) == "over"
    outcome = text_where(known["market_key"] == "totals", text_where(over, OVER, None), known["outcome_team_abbr"])
    # The `under` of a total mirrors its `over`; a spread whose team is unknown can be nobody's.
    known = take({**known, "outcome": outcome}, ~pd.isna(outcome))
    keys = (*OUTCOME, "bookmaker_key", "snapshot_timestamp")
    return take(known, np.lexsort([sortable(known[name]) for name in reversed(keys)]))


def _pooled(known: Columns) -> dict[str, NDArray[Any]]:
    of_book = _starts(known, (*OUTCOME, "bookmaker_key"))
    oldest = take(known, of_book)
    newest = take(known, np.append(of_book[1:], len(known["outcome"]))[: len(of_book)] - 1)
    starts, starts_of_all = _starts(newest, OUTCOME), _starts(known, OUTCOME)
    times, book = known["snapshot_timestamp"], newest["bookmaker_key"]
    several = _reduced(np.maximum, times, starts_of_all) > _reduced(np.minimum, times, starts_of_all)
    current = _medians(newest["outcome_point"], starts)
    opening = np.where(several, _medians(oldest["outcome_point"], starts), np.nan)
    bounds, names = [*starts.tolist(), len(book)], book.tolist()
    return {
        **{name: newest[name][starts] for name in OUTCOME},
        "current": current,
        "opening": opening,
        "movement": current - opening,
        "source": np.array([",".join(names[start:stop]) for start, stop in pairwise(bounds)], dtype=object),
        "book_count": np.diff(starts, append=len(book))
        + (CONSENSUS_STANDS_FOR - 1.0) * _reduced(np.logical_or, book == CONSENSUS_BOOK, starts),
        "updated_at": _reduced(np.maximum, newest["snapshot_timestamp"], starts).astype("M8[us]"),
    }


def _starts(rows: Columns, names: Sequence[str]) -> NDArray[np.intp]:
    """The first row of each combination of values in rows that are sorted by them."""
    return np.flatnonzero(begins(group_numbers([rows[name] for name in names])))


def _reduced(function: np.ufunc, values: NDArray[Any], starts: NDArray[np.intp]) -> NDArray[Any]:
    """The values from each start to the next one as one, by `function`."""
    return function.reduceat(values, starts) if len(starts) else values


def _medians(values: NDArray[np.float64], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    sizes = np.diff(starts, append=len(values))
    ascending = values[np.lexsort((values, np.repeat(np.arange(len(starts)), sizes)))]
    return (ascending[starts + (sizes - 1) // 2] + ascending[starts + sizes // 2]) / 2
