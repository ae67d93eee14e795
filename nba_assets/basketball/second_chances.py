"""Second-chance points: what a team scores after it got its own miss back, while the ball stays its own."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, Texts, map_distinct

Codes = NDArray[np.integer[Any]]


class EventKind(IntEnum):
    """What a play-by-play event means for a second chance."""

    OTHER = 0
    SHOT = 1
    FREE_THROW = 2
    """Not the last of its trip to the line: a miss is dead."""
    LAST_FREE_THROW = 3
    """A miss is live."""
    TECHNICAL_FREE_THROW = 4
    """Changes nothing: a team shoots it without having the ball."""
    REBOUND = 5
    TURNOVER = 6


_KINDS = {"shot": EventKind.SHOT, "rebound": EventKind.REBOUND, "turnover": EventKind.TURNOVER}


def event_kinds(event_type: Texts, event_subtype: Texts) -> NDArray[np.int8]:
    """The `EventKind` of each event, from its type and subtype.

    Types are `shot`, `rebound`, `turnover` and `free throw`, subtypes of a free throw `free throw 1/2`, `free throw
    technical` and so on. A free throw of a trip of unknown length is not the last.
    """
    kinds = map_distinct(lambda kind: _KINDS.get(kind, EventKind.OTHER), event_type.tolist(), np.int8)
    free_throws = event_type == "free throw"
    kinds[free_throws] = map_distinct(_free_throw_kind, event_subtype[free_throws].tolist(), np.int8)
    return kinds


def second_chance_points(
    game: Codes,
    period: NDArray[Any],
    clock_seconds: NDArray[Any],
    sequence: NDArray[Any],
    kind: Codes,
    team: Codes,
    shot_made: NDArray[Any],
    points: NDArray[Any],
    *,
    games: int,
    teams: int,
) -> Floats:
    """Second-chance points by game and team, as an array of shape (games, teams).

    A rebound by the team whose live miss is pending, team rebounds included, starts a second chance. Its made shots and
    non-technical free throws count until the other team shoots, takes a non-technical free throw or rebounds, anyone
    turns the ball over, or the period ends. A game without a rebound or without a free throw in its feed is NaN for
    every team; a team that scored none has 0.

    The arrays hold one element per event, in any order: events are read by (period, clock counting down, sequence).
    `game` and `team` are codes from 0 to `games` - 1 and `teams` - 1, -1 where unknown; `team` is the one that shoots,
    rebounds or loses the ball; `kind` is that of `event_kinds`; `shot_made` (1, 0 or NaN) matters for shots, `points`
    for shots and free throws, 0 being a miss.

    Source: NBA glossary, 2ND PTS. Example: a miss, an offensive rebound, a put-back with a foul, the free throw missed,
    another offensive rebound and a three make 5.
    """
    has_rebounds = _games_with(kind == EventKind.REBOUND, game, games)
    has_free_throws = _games_with(np.isin(kind, _FREE_THROWS), game, games)

    taking_part = np.flatnonzero((game >= 0) & ~np.isin(kind, (EventKind.OTHER, EventKind.TECHNICAL_FREE_THROW)))
    keys = [values[taking_part] for values in (sequence, -clock_seconds, period, game)]
    order = taking_part[np.lexsort(keys)]
    game, period, kind, team = game[order], period[order], kind[order], team[order]
    shot_made, points = shot_made[order], points[order]
    is_shot, is_rebound, is_turnover = kind == EventKind.SHOT, kind == EventKind.REBOUND, kind == EventKind.TURNOVER

    # A second chance lives within a spell: successive events of one team in one period, a turnover beginning a new one.
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = is_turnover[1:]
    for place in (game, period, team):
        begins[1:] |= place[1:] != place[:-1]
    live_miss = np.where(is_shot, shot_made == 0, (kind == EventKind.LAST_FREE_THROW) & (points == 0))
    own_rebound = is_rebound & ~begins
    own_rebound[1:] &= live_miss[:-1]

    places = np.arange(len(order))
    spell_begin = np.maximum.accumulate(np.where(begins, places, 0))
    newest_own_rebound = np.maximum.accumulate(np.where(own_rebound, places, -1))
    scores = np.where(is_shot, shot_made == 1, ~is_rebound & ~is_turnover) & (points > 0)
    counts = scores & (newest_own_rebound >= spell_begin) & (team >= 0)

    cells = game[counts].astype(np.int64) * teams + team[counts]
    totals = np.bincount(cells, weights=points[counts], minlength=games * teams).reshape(games, teams)
    return np.where((has_rebounds & has_free_throws)[:, np.newaxis], totals, np.nan)


_FREE_THROWS = (EventKind.FREE_THROW, EventKind.LAST_FREE_THROW, EventKind.TECHNICAL_FREE_THROW)


def _games_with(events: NDArray[np.bool_], game: Codes, games: int) -> NDArray[np.bool_]:
    return np.isin(np.arange(games), game[events])


def _free_throw_kind(subtype: str | None) -> EventKind:
    words = (subtype or "").lower()
    if "technical" in words:
        return EventKind.TECHNICAL_FREE_THROW
    number, slash, trip = words.removeprefix("free throw ").partition("/")
    return EventKind.LAST_FREE_THROW if slash and number == trip else EventKind.FREE_THROW
