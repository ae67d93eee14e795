"""Names behind a provider's person ids within one game: full names for events that have only an id, a family name or an
initial.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nba_assets.basketball.names import player_lookup


@dataclass(frozen=True)
class Person:
    """A player on a game's sheet, with the provider's id of him; `family_name` includes a suffix."""

    player_id: str
    name: str
    team: str
    family_name: str = ""

    @property
    def lookup(self) -> str:
        """The key of his name."""
        return player_lookup(self.name)


class GamePeople:
    """The players of one game, by id and by the short names that descriptions use."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = {person.player_id: person for person in people}

    def by_id(self, player_id: object) -> Person | None:
        """The player with an id, None for ids that are not on the sheets: officials, coaches, teams, 0."""
        return self._people.get(str(player_id))

    def by_short_name(self, team: str, short: str) -> Person | None:
        """The one player of a team who is called by his family name, or by the beginning of his first name and his
        family name; None where several fit.

        Example: "Nance Jr." and "La. Nance Jr." are Larry Nance Jr.
        """
        mine = [person for person in self._people.values() if person.team == team]
        by_family = [person for person in mine if player_lookup(person.family_name) == player_lookup(short)]
        initial, _, family = short.partition(". ")
        by_initial = [
            person
            for person in mine
            if family
            and player_lookup(person.family_name) == player_lookup(family)
            and person.lookup.startswith(player_lookup(initial))
        ]
        fits = by_family or by_initial
        return fits[0] if len(fits) == 1 else None
