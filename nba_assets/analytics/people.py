"""Identity of players: one key and one universal id for each in all tables of a season, however a feed spells him.

The registry of the season decides, and nothing else: a key never depends on the day, on other rows or on their order.
Names that the registry does not know are matched with the players of a game in `name_matching`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.season import LONGEST_SEASON_YEAR_DAYS, season_label
from nba_assets.basketball.spellings import spellings, with_other_suffix
from nba_assets.entities.outcomes import failures, take
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_REGISTRY
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import Warehouse

PLAYER_ID = "player_id"
"""The provider's own id of a player, where a feed has it."""

Entry = tuple[str, str, str | None, str | None, str | None]
"""A row of the registry: universal id, key, name, team, the provider's id."""
SEASONS_KEPT = 8
"""So many seasons' players are kept in memory."""


@dataclass(frozen=True, eq=False)
class People:
    """The players of each season, by its registry; made once per run."""

    seasons: Mapping[int, SeasonPlayers]
    """By the year in which the season began; a season without registry is not in it."""

    @classmethod
    def of(cls, run: TableRun) -> People:
        """The players of the run's seasons."""
        table = PLAYER_REGISTRY.table
        columns = [name for name in table.column_names if name not in (table.date_column, "processed_at")]
        return cls.from_registry(run.read(table, columns, start=run.season_dated))

    @classmethod
    def from_registry(cls, registry: Columns) -> People:
        """From rows of the registry: `season`, `player_lookup`, `universal_player_id`, `team_abbr` and, where known,
        `player_name` and `player_id`.
        """
        codes, labels = pd.factorize(registry["season"])
        return cls(
            {int(label[:4]): SeasonPlayers.of(take(registry, codes == code)) for code, label in enumerate(labels)}
        )

    def keys(
        self, rows: Columns, seasons: NDArray[Any], *, teams: Sequence[str] = ("team_abbr",), name: str = "player_name"
    ) -> NDArray[np.object_]:
        """The key under which the tables have the player of each row, whose season began in the year that `seasons`
        gives (NaN: unknown).

        `rows` holds `player_lookup` and, as far as the feed has them, `player_id`, his name (column `name`) and the
        teams that he may be with (columns `teams`). In this order:

        1. A key that the registry lists for one person is that person's; of several keys of one person the fullest is
        used for all.
        2. A key that it lists for several persons is resolved by the id, else by the team. Each of them has a key of
        his own all season long.
        3. A key that it does not list is known by the id, else by the other spellings of the name.
        4. Any other key stays as it is, also that of several persons whom nothing distinguishes (`is_shared`).

        Example: with `robertwilliams` and `robertwilliamsiii` registered as one person, both are `robertwilliamsiii`.
        """
        keys: NDArray[np.object_] = rows["player_lookup"].copy()
        codes, lookups = pd.factorize(rows["player_lookup"])
        for year, players in self.seasons.items():
            # Nearly always every key stands for itself: the rows themselves are looked at only where one does not.
            odd = np.array([players.keys.get(lookup) != lookup for lookup in lookups] + [False], dtype=bool)
            if odd.any():
                places = np.flatnonzero(odd[codes] & (seasons == year))
                keys[places] = players.resolved(take(rows, places), teams, name)
        return keys

    def is_shared(self, keys: NDArray[np.object_], seasons: NDArray[Any]) -> NDArray[np.bool_]:
        """Which keys, as `keys` gives them, stand for several persons of the season whom nothing distinguishes."""
        shared = np.zeros(len(keys), dtype=bool)
        for year, players in self.seasons.items():
            if players.namesakes:
                shared |= (seasons == year) & np.array([key in players.namesakes for key in keys], dtype=bool)
        return shared

    def knows(self, keys: NDArray[np.object_], seasons: NDArray[Any]) -> NDArray[np.bool_]:
        """Which keys, as `keys` gives them, the registry of the season lists."""
        known = np.zeros(len(keys), dtype=bool)
        codes, distinct = pd.factorize(keys)
        for year, players in self.seasons.items():
            listed = np.array([*(players.lists(key) for key in distinct), False], dtype=bool)
            known |= (seasons == year) & listed[codes]
        return known

    def identities(
        self, run: TableRun, keys: NDArray[np.object_], season_years: NDArray[Any]
    ) -> tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.object_]]:
        """The universal id of each key in its season, None where it is not known.

        Also, whether the season's registry is there and lacks him, and the season as it is written. Seasons without any
        registry are noted for the run.
        """
        ids, unknown = np.full(len(keys), None, dtype=object), np.zeros(len(keys), dtype=bool)
        labels = np.full(len(keys), None, dtype=object)
        codes, distinct = pd.factorize(keys)
        missing = []
        for year in np.unique(season_years):
            mine = season_years == year
            labels[mine] = season_label(int(year))
            players = self.seasons.get(int(year))
            if players is None:
                missing.append(season_label(int(year)))
                continue
            known = np.array([*(players.universal_ids.get(key) for key in distinct), None], dtype=object)[codes]
            ids[mine] = known[mine]
            unknown |= mine & pd.isna(known)
        run.notes["seasons_without_registry"] = missing
        return ids, unknown, labels


def full_names(warehouse: Warehouse, day: date) -> dict[str, str]:
    """Full names of the players of a date's season by player_lookup, as the registry has them."""
    since = day - timedelta(days=LONGEST_SEASON_YEAR_DAYS)
    known = warehouse.read(PLAYER_REGISTRY.table, ("player_lookup", "player_name"), since, day).to_pylist()
    return {player["player_lookup"]: player["player_name"] for player in known if player["player_name"]}


def shared_key_failures(rows: Columns, shown: Sequence[str]) -> Columns:
    """One failure record per date and key of rows that several persons share, naming all that the columns `shown` say
    of them; `rows` may not be empty.
    """
    said: dict[tuple[np.datetime64, str], set[str]] = {}
    for place, key in enumerate(zip(rows["game_date"], rows["player_lookup"], strict=True)):
        said.setdefault(key, set()).add(" ".join(str(rows[name][place]) for name in shown))
    reasons = []
    for (_, lookup), listed in sorted(said.items()):
        reasons.append(
            f"{lookup} may be several players ({', '.join(sorted(listed))}), and neither the registry nor a player_id "
            "says which: register each of them with his own universal_player_id, and with his team or player_id"
        )
    days, keys = zip(*sorted(said), strict=True)
    return failures(
        np.array(keys, dtype=object),
        np.array(days, dtype="M8[D]"),
        "PLAYER",
        "REGISTRY_LOOKUP_FAILED",
        reasons,
        can_retry=True,
    )


@dataclass(frozen=True, eq=False)
class SeasonPlayers:
    """The players of one season."""

    keys: Mapping[str, str]
    """The key in the tables by each key that stands for one person alone."""
    namesakes: Mapping[str, Mapping[str, Person]]
    """Several persons, by their keys in the tables, by the key that they share."""
    universal_ids: Mapping[str, str]
    """By the key in the tables."""
    by_id: Mapping[str, str]
    """The key in the tables by the provider's id."""
    by_spelling: Mapping[str, str]
    """A listed key by another spelling of its name that is no listed key itself and belongs to no other."""

    @classmethod
    def of(cls, registry: Columns) -> SeasonPlayers:
        """From a season's rows of the registry."""
        blank = np.full(len(registry["player_lookup"]), None, dtype=object)
        columns = [registry["universal_player_id"], registry["player_lookup"]]
        columns += [registry.get(name, blank) for name in ("player_name", "team_abbr", PLAYER_ID)]
        return _season_players(tuple(zip(*(values.tolist() for values in columns), strict=True)))

    @classmethod
    def of_entries(cls, entries: Iterable[Entry]) -> SeasonPlayers:
        """From a season's entries in the registry."""
        people = _people(entries)
        holders: dict[str, list[Person]] = {}
        for person in people:
            for lookup in person.names:
                holders.setdefault(lookup, []).append(person)
        namesakes = {lookup: tuple(sharing) for lookup, sharing in sorted(holders.items()) if len(sharing) > 1}
        key_of = _keys_of(people, namesakes, set(holders))
        keys = {
            lookup: key_of[sharing[0].universal_id] for lookup, sharing in holders.items() if lookup not in namesakes
        }
        spelled = (
            (spelling, lookup)
            for person in people
            for lookup, name in person.names.items()
            for spelling in spellings(name)
        )
        return cls(
            keys=keys | {key: key for key in key_of.values()},
            namesakes={
                lookup: {key_of[person.universal_id]: person for person in sharing}
                for lookup, sharing in namesakes.items()
            },
            universal_ids={key: universal_id for universal_id, key in key_of.items()},
            by_id=_only_ones(
                (player_id, key_of[person.universal_id]) for person in people for player_id in person.player_ids
            ),
            by_spelling=_only_ones(
                (spelling, keys.get(lookup, lookup)) for spelling, lookup in spelled if spelling not in holders
            ),
        )

    def resolved(self, rows: Columns, teams: Sequence[str], name: str) -> NDArray[np.object_]:
        """The keys of rows of this season."""
        blank = np.full(len(rows["player_lookup"]), None, dtype=object)
        shown = (
            rows["player_lookup"],
            rows.get(PLAYER_ID, blank),
            rows.get(name, blank),
            *(rows[team] for team in teams),
        )
        facts = list(zip(*shown, strict=True))
        found = {fact: self._key(fact[0], fact[1], fact[2], {team for team in fact[3:] if team}) for fact in set(facts)}
        return np.array([*(found[fact] for fact in facts), None], dtype=object)[:-1]

    def lists(self, key: str) -> bool:
        """Whether the registry has the key, for one person or several."""
        return key in self.keys or key in self.namesakes

    def _key(self, lookup: str, player_id: str | None, name: str | None, teams: set[str]) -> str:
        if not self.lists(lookup):
            if player_id is not None and player_id in self.by_id:
                return self.by_id[player_id]
            # A key that is no spelling of the name was given for a reason: the name alone does not overrule it.
            written = spellings(name) if lookup in spellings(name) else ()
            listed = [spelling for spelling in written if self.lists(spelling)]
            lookup = next(iter(listed), self.by_spelling.get(lookup, lookup))
        return self.keys[lookup] if lookup in self.keys else self._among_namesakes(lookup, player_id, teams)

    def _among_namesakes(self, lookup: str, player_id: str | None, teams: set[str]) -> str:
        sharing = self.namesakes.get(lookup, {})
        by_id = [key for key, person in sharing.items() if player_id in person.player_ids]
        by_team = [key for key, person in sharing.items() if teams & person.teams]
        return next((fits[0] for fits in (by_id, by_team) if len(fits) == 1), lookup)


@dataclass(frozen=True)
class Person:
    """One person of a season's registry, with all that it calls him."""

    universal_id: str
    names: dict[str, str | None] = field(default_factory=dict)
    """The name as registered, by each of his keys."""
    teams: set[str] = field(default_factory=set)
    player_ids: set[str] = field(default_factory=set)


# Every table of a run reads the same registry.
_season_players = lru_cache(maxsize=SEASONS_KEPT)(SeasonPlayers.of_entries)


def _people(entries: Iterable[Entry]) -> list[Person]:
    """The persons of a season's registry, in order of their universal ids."""
    people: dict[str, Person] = {}
    for universal_id, lookup, name, team, player_id in entries:
        person = people.setdefault(universal_id, Person(universal_id))
        # The largest of several names, so that the order of the rows is of no account.
        person.names[lookup] = max((known for known in (person.names.get(lookup), name) if known), default=None)
        person.teams.update([team] if team else [])
        person.player_ids.update([player_id] if player_id else [])
    return [people[universal_id] for universal_id in sorted(people)]


def _keys_of(people: Sequence[Person], namesakes: Mapping[str, Sequence[Person]], listed: set[str]) -> dict[str, str]:
    """The key of each person in the tables, by his universal id: the fullest of his own keys, else the shared one with
    something of his own behind it.
    """
    keys: dict[str, str] = {}
    for person in people:
        own = [lookup for lookup in person.names if lookup not in namesakes]
        if len(own) > 1:
            own.sort(key=lambda lookup: _by_fullness(lookup, person.names[lookup]))
        if own:
            keys[person.universal_id] = own[0]
    for lookup, sharing in namesakes.items():
        nameless = [person for person in sharing if person.universal_id not in keys]
        for person, tag in zip(nameless, _tags(lookup, nameless, listed), strict=True):
            keys[person.universal_id] = lookup + tag
    return keys


def _by_fullness(lookup: str, name: str | None) -> tuple[bool, int, str]:
    """Sorts the keys of one person: those that spell his registered name, with or without a suffix, then the longest,
    then the alphabet.

    A league's own sheets write suffixes and full first names; it is other feeds that leave them out.
    """
    as_spelled = {lookup, *with_other_suffix(lookup)}
    return as_spelled.isdisjoint(spellings(name)), -len(lookup), lookup


def _tags(lookup: str, sharing: Sequence[Person], taken: set[str]) -> list[str]:
    """What distinguishes persons of one key: the provider's id, else what their universal ids end in, else their order.

    It goes behind the key, since digits before it are stripped from keys on ingestion.
    """
    by_player_id = [_plain(min(person.player_ids, default="")) for person in sharing]
    digits = [person.universal_id[len(person.universal_id.rstrip("0123456789")) :] for person in sharing]
    for tags in (by_player_id, digits, [_plain(person.universal_id) for person in sharing]):
        if all(tags) and len(set(tags)) == len(tags) and taken.isdisjoint(lookup + tag for tag in tags):
            return tags
    return [str(number) for number in range(1, len(sharing) + 1)]


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isascii() and letter.isalnum())


def _only_ones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Pairs as a mapping, without what would stand for several things."""
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: values.pop() for key, values in found.items() if len(values) == 1}
