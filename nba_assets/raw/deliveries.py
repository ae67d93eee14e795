"""Which row stands where several deliveries hold the same thing: rows with one key, and rows of one game of the league
under several dates.

Pure functions over arrays; what becomes of the rows that do not stand is said in `collection` and `content_index`,
which must agree and so share them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.raw.schedule import POSTPONED
from nba_assets.tables.digest import Hashes
from nba_assets.tables.spec import Columns

LEAGUE_GAME_COLUMNS = ("game_id", "nba_game_id", "season_year", "game_status")

Codes = NDArray[Any]
"""Integers that are equal where what they stand for is equal."""


class Standing(IntEnum):
    """What becomes of a row."""

    STANDS = 0
    DUPLICATE = 1
    """Equal to the row that stands."""
    REPLACED = 2
    """A newer delivery says something else."""
    CONFLICT = 3
    """The newest delivery contradicts itself: none of its rows stands, and none that is older."""


@dataclass(frozen=True)
class Deliveries:
    """When each row was delivered: the place of its file in the order of age, and when it was processed.

    `processed_at` is the moment of the ingestion for rows marked as `unstamped`, of which the feed does not say it.
    """

    files: NDArray[np.int64]
    processed_at: NDArray[np.datetime64]
    unstamped: NDArray[np.bool_]

    def of(self, places: NDArray[Any]) -> Deliveries:
        """Of some of the rows."""
        return Deliveries(self.files[places], self.processed_at[places], self.unstamped[places])


def standing_by_key(
    keys: Codes,
    deliveries: Deliveries,
    contents: Callable[[NDArray[np.int64]], Hashes],
    contested: NDArray[np.bool_],
    people: Callable[[NDArray[np.int64]], Hashes] | None = None,
) -> NDArray[np.int8]:
    """The `Standing` of each row among those with its key.

    Of the rows of one file those with the newest `processed_at` count, and those without one, because nothing says that
    they are older. The newest delivery of a key, by `processed_at` and then by file, stands; where its rows differ, or
    one of them is `contested` already, all of them are in conflict. `contents` gives hashes of the contents of some
    rows; it is called only where keys repeat, and so is `people`, which gives hashes of the ids of the players in these
    rows, `NOBODY` where a row has none: it distinguishes two players with one name (see `_people_apart`).

    For example, of the contents A (file 0), B and C (file 1) of one key, A is replaced and B and C are in conflict,
    unless they are of two players.
    """
    standing = np.where(contested, np.int8(Standing.CONFLICT), np.int8(Standing.STANDS))
    places = _repeated(keys)
    if not len(places):
        return standing
    codes, mine, hashes = pd.factorize(keys[places])[0], deliveries.of(places), contents(places)
    unclear = np.zeros(len(places), dtype=bool)
    if people is not None:
        codes, unclear = _people_apart(codes, people(places), mine)
    current = _current(codes, mine)
    lowest, highest = _extremes(codes, hashes, current)
    in_conflict = (lowest != highest) | _any(codes, contested[places] & current)
    verdict = np.where(hashes == lowest[codes], Standing.DUPLICATE, Standing.REPLACED)
    verdict[in_conflict[codes]] = Standing.REPLACED
    verdict[in_conflict[codes] & current] = Standing.CONFLICT
    # Of equal rows the one that was processed last, which has the delivery's own stamp, and of those the last in its
    # file.
    order = np.lexsort((places, mine.processed_at, current, codes))
    last = order[np.append(codes[order[1:]] != codes[order[:-1]], True)]
    verdict[last[~in_conflict[codes[last]]]] = Standing.STANDS
    verdict[unclear] = Standing.REPLACED
    standing[places] = verdict
    return standing


NOBODY = np.uint64(0)
"""Stands for the id of a player whom a row does not tell."""


def _people_apart(
    codes: NDArray[np.int64], people: Hashes, deliveries: Deliveries
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Codes of keys, one for each player where a file has several of one key, each with his id, and the newest file
    none without; else the given codes.

    Also, which rows of such a key do not tell whose they are: they are older, and the newest file has replaced them. A
    player's id that differs between files alone is a correction.
    """
    every = np.ones(len(codes), dtype=bool)
    in_file, _ = pd.factorize(pd.MultiIndex.from_arrays([codes, deliveries.files]))
    lowest, highest = _extremes(in_file, people, every)
    several = _any(codes, ((lowest != highest) & (lowest != NOBODY))[in_file])
    newest, _ = _extremes(codes, people, deliveries.files == _extremes(codes, deliveries.files, every)[1][codes])
    apart = (several & (newest != NOBODY))[codes]
    if not apart.any():
        return codes, apart
    return pd.factorize(pd.MultiIndex.from_arrays([codes, np.where(apart, people, NOBODY)]))[0], apart & (
        people == NOBODY
    )


def standing_by_league_game(
    schedule: Columns, deliveries: Deliveries, contested: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """The `Standing` of each row of a schedule (`LEAGUE_GAME_COLUMNS`, one row per game_id) among those with its
    nba_game_id.

    A game of the league has one date, and the id holds the date: of rows with one nba_game_id the newest delivery
    stands, as it does of rows with one key; in one delivery a postponed row yields to one that is not. Rows without an
    nba_game_id are compared with none. `contested` rows contradict others of their own game_id already.

    For example, of 20241025_IND_BKN (file 0) and 20241028_IND_BKN (file 1) with one nba_game_id, the first is replaced.
    """
    standing = np.where(contested, np.int8(Standing.CONFLICT), np.int8(Standing.STANDS))
    league_games = league_game_codes(schedule)
    places = _repeated(league_games)
    places = places[league_games[places] >= 0]
    if not len(places):
        return standing
    codes, mine, games = (
        pd.factorize(league_games[places])[0],
        deliveries.of(places),
        pd.factorize(schedule["game_id"][places])[0],
    )
    current = _current(codes, mine)
    postponed = schedule["game_status"][places] == POSTPONED
    current &= ~(postponed & _any(codes, current & ~postponed)[codes])
    lowest, highest = _extremes(codes, games, current)
    in_conflict = (lowest != highest) | _any(codes, contested[places] & current)
    standing[places] = np.where(
        current, np.where(in_conflict[codes], Standing.CONFLICT, Standing.STANDS), Standing.REPLACED
    )
    return standing


def league_game_codes(schedule: Columns) -> NDArray[np.int64]:
    """Codes that are equal for rows of one game of the league, -1 where its id is not known."""
    ids, distinct = pd.factorize(schedule["nba_game_id"])
    seasons = pd.factorize(schedule["season_year"])[0]
    codes: NDArray[np.int64] = np.where(ids < 0, -1, seasons * len(distinct) + ids)
    return codes


def _repeated(codes: Codes) -> NDArray[np.int64]:
    """Places of the codes that come more than once."""
    return np.flatnonzero(pd.Series(codes).duplicated(keep=False).to_numpy())


def _current(codes: NDArray[np.int64], deliveries: Deliveries) -> NDArray[np.bool_]:
    """Marks the rows of each code's newest delivery; codes run from 0."""
    in_file = pd.factorize(codes * (deliveries.files.max() + 1) + deliveries.files)[0]
    stamps = deliveries.processed_at.astype("M8[us]").astype(np.int64)
    known = np.where(deliveries.unstamped, np.iinfo(np.int64).min, stamps)
    newest_known = np.full(in_file.max() + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest_known, in_file, known)
    counts = deliveries.unstamped | (stamps == newest_known[in_file])
    order = np.lexsort((deliveries.files, stamps, counts, codes))
    last = order[np.append(codes[order[1:]] != codes[order[:-1]], True)]
    current: NDArray[np.bool_] = counts & (deliveries.files == deliveries.files[last][codes])
    return current


def _extremes(
    codes: NDArray[np.int64], values: NDArray[Any], current: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lowest and highest value among the current rows of each code; every code has one."""
    order = np.lexsort((values, codes))
    order = order[current[order]]
    starts = np.flatnonzero(np.append(True, codes[order[1:]] != codes[order[:-1]]))
    ends = np.append(starts[1:], len(order)) - 1
    return values[order[starts]], values[order[ends]]


def _any(codes: NDArray[np.int64], marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.bincount(codes, weights=marks) > 0
