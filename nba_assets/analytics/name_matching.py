"""Names of one feed, matched with the players that another feed lists for the same game, team or date.

Keys are made from the registry before, in `people`. Matched here are names that the registry does not connect, among
a few dozen candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.spellings import spellings, with_other_suffix
from nba_assets.entities.relations import find, text_where, within
from nba_assets.tables.spec import Columns

NOBODY, SEVERAL, NO_CANDIDATES = "unknown_name", "several_candidates", "no_game"


@dataclass(frozen=True, eq=False)
class Listed:
    """Players as a feed lists them, one array each: `scope` is the game or date that they are listed for, `keys` are
    their keys.

    `teams` are the teams that a player may be with, None where that is not known: the one that he is listed with, or
    the two of the game.
    """

    scope: NDArray[Any]
    keys: NDArray[np.object_]
    teams: Sequence[NDArray[np.object_]]
    names: NDArray[np.object_] | None = None
    player_ids: NDArray[np.object_] | None = None
    registered: NDArray[np.bool_] | None = None
    """Whether the registry lists the key for one person alone: two such keys are two persons, however much alike."""

    @classmethod
    def of(
        cls,
        rows: Columns,
        scope: str,
        *,
        teams: Sequence[str] = ("team_abbr",),
        name: str = "player_name",
        registered: NDArray[np.bool_] | None = None,
    ) -> Listed:
        """From rows of a feed, which may lack the name and the `player_id`."""
        return cls(
            rows[scope],
            rows["player_lookup"],
            [rows[team] for team in teams],
            rows.get(name),
            rows.get("player_id"),
            registered,
        )


@dataclass(frozen=True, eq=False)
class Matches:
    """Who is meant by each row."""

    keys: NDArray[np.object_]
    """The candidate's key; the row's own one where there is none."""
    reasons: NDArray[np.object_]
    """Why a row is matched with nobody, None where it is matched: `NOBODY`, `SEVERAL`, or `NO_CANDIDATES` of its teams
    in its scope.
    """
    candidates: NDArray[np.object_]
    """The keys of several candidates as a sorted tuple, else an empty one."""


def match(rows: Listed, players: Listed, *, complete: bool = False) -> Matches:
    """Match rows of a feed with the players listed for the same scope.

    The first of these that fits counts, where it fits exactly one player: the key; the provider's id; any two spellings
    of the two names or keys; the key with or without a generational suffix. All but the first go by the row's teams.
    `complete` says that the feed names each player of a scope once, under one key: whom it names exactly cannot be
    meant by another key as well.

    Example: of the two teams' players `robertwilliamsiii` and `anferneesimons`, the first is meant by `robertwilliams`.
    """
    found = find((rows.scope, rows.keys), (players.scope, players.keys)) >= 0
    size = len(found)
    keys, reasons, candidates = rows.keys.copy(), np.full(size, None, dtype=object), np.empty(size, dtype=object)
    candidates.fill(())
    open_rows = np.flatnonzero(~found & ~pd.isna(rows.keys))
    if rows.registered is not None and players.registered is not None and players.registered.all():
        # The usual case, in which nobody can be meant by another name: nothing is tried.
        others = open_rows[rows.registered[open_rows]]
        reasons[others] = text_where(_has_candidates(rows, players, others), NOBODY, NO_CANDIDATES)
        open_rows = open_rows[~rows.registered[open_rows]]
    if len(open_rows):
        named = set(zip(rows.scope[found].tolist(), rows.keys[found], strict=True)) if complete else set()
        directory = _Directory.of(players, np.unique(rows.scope[open_rows]), named)
        facts = list(
            zip(
                *(values[open_rows].tolist() for values in (rows.scope, rows.keys, *_details(rows), *rows.teams)),
                strict=True,
            )
        )
        answers = {
            fact: directory.match(fact[0], fact[1:5], [team for team in fact[5:] if team]) for fact in set(facts)
        }
        for place, fact in zip(open_rows.tolist(), facts, strict=True):
            fits, reasons[place] = answers[fact]
            keys[place] = fits[0] if reasons[place] is None else keys[place]
            candidates[place] = fits if reasons[place] == SEVERAL else ()
    return Matches(keys, reasons, candidates)


def _has_candidates(rows: Listed, players: Listed, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether anybody is listed for the teams of rows in their scope, or in their scope at all where they have no
    team.
    """
    scope, teams = rows.scope[places], [team[places] for team in rows.teams]
    of_team = [find((scope, team), (players.scope, players.teams[0])) >= 0 for team in teams]
    teamless = np.logical_and.reduce([pd.isna(team) for team in teams])
    has: NDArray[np.bool_] = np.logical_or.reduce(of_team) | (teamless & within(scope, players.scope))
    return has


@dataclass(frozen=True)
class _Player:
    key: str
    player_id: str | None
    registered: bool
    spellings: frozenset[str]
    is_named: bool
    """The feed names him exactly elsewhere in the scope."""


@dataclass(frozen=True)
class _Directory:
    """The players of some scopes."""

    players: dict[tuple[Any, str | None], list[_Player]] = field(default_factory=dict)
    """By scope and team."""
    teams: dict[Any, list[str | None]] = field(default_factory=dict)
    """By scope."""

    @classmethod
    def of(cls, players: Listed, scopes: NDArray[Any], named: set[tuple[Any, str]]) -> _Directory:
        directory = cls()
        listed = np.flatnonzero(find((players.scope,), (scopes,)) >= 0)
        facts = zip(
            *(values[listed].tolist() for values in (players.scope, players.keys, *_details(players), *players.teams)),
            strict=True,
        )
        for scope, key, player_id, name, registered, *teams in dict.fromkeys(facts):
            written = frozenset({key, *spellings(name)})
            player = _Player(key, player_id, registered, written, (scope, key) in named)
            for team in teams:
                directory.players.setdefault((scope, team), []).append(player)
                if team not in directory.teams.setdefault(scope, []):
                    directory.teams[scope].append(team)
        return directory

    def match(self, scope: Any, who: Sequence[Any], teams: Sequence[str]) -> tuple[tuple[str, ...], str | None]:
        """The keys of the candidates that fit best, and why it is not one of them."""
        key, player_id, name, registered = who
        players = [
            player for team in teams or self.teams.get(scope, []) for player in self.players.get((scope, team), [])
        ]
        if not players:
            return (), NO_CANDIDATES
        players = [player for player in players if not (registered and player.registered)]
        written = {key, *spellings(name)}
        suffixed = {other for spelling in written for other in with_other_suffix(str(spelling))}
        ways: Iterable[set[str]] = (
            {player.key for player in players if player_id is not None and player.player_id == player_id},
            {player.key for player in players if not written.isdisjoint(player.spellings)},
            {player.key for player in players if not suffixed.isdisjoint(player.spellings) and not player.is_named},
        )
        for fits in ways:
            if fits:
                return tuple(sorted(fits)), None if len(fits) == 1 else SEVERAL
        return (), NOBODY


def _details(listed: Listed) -> list[NDArray[Any]]:
    blank = np.full(len(listed.keys), None, dtype=object)
    return [blank if values is None else values for values in (listed.player_ids, listed.names, listed.registered)]
