"""One person, one universal id, whichever providers know him: registry rows for the players that deliveries name with
an id.

A provider's id decides, in every season: who has been registered under it keeps his universal id, also under a new
name. An id that is new is matched by name with the registry of the season (with and without a suffix), unless the
person found has another id of the same provider: those are two people of one name. Of several people with that name the
team decides. A person who is still unknown gets a universal id of his own, made of the provider's name and id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from nba_assets.basketball.names import player_lookup
from nba_assets.basketball.season import season_label
from nba_assets.basketball.spellings import spellings, with_other_suffix
from nba_assets.providers.delivery import Delivery, Row
from nba_assets.raw.collection import Request, collect, season_start
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import PLAYER_GAMEBOOK, PLAYER_REGISTRY, ROSTERS

LEAGUE_IDS = frozenset({"league", "games-csv"})
"""Providers that use the league's own ids of players; the ids of every other one begin with its name, as `espn:3975`.
"""

NAME_COLUMNS = {PLAYER_GAMEBOOK.name: "player_name", ROSTERS.name: "player_full_name"}
"""The tables whose rows introduce players, with the column of the name."""


def player_id(provider: str, own_id: object) -> str:
    """A provider's id of a player as it stands in `player_id`.

    Example: 3975 of ESPN is `espn:3975`, 201939 of the league stays.
    """
    return str(own_id) if provider in LEAGUE_IDS else f"{provider}:{own_id}"


@dataclass
class Sightings:
    """Whom deliveries name: for each provider and season the teams under each id and name."""

    _seen: dict[tuple[str, int], dict[tuple[str, str], set[str]]] = field(default_factory=dict)
    _processed_at: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def add(self, delivery: Delivery) -> None:
        """Take in the sheets and rosters of a delivery."""
        for table, column in NAME_COLUMNS.items():
            for row in delivery.tables.get(table, ()):
                if row.get("player_id") is not None and row.get(column):
                    key = (delivery.provider, row["season_year"])
                    self._seen.setdefault(key, {}).setdefault((row["player_id"], row[column]), set()).add(
                        row["team_abbr"]
                    )
                    self._processed_at[key] = max(
                        delivery.processed_at, self._processed_at.get(key, delivery.processed_at)
                    )

    def registrations(self, zone: Path) -> Iterator[Delivery]:
        """Registry rows of everyone seen, one delivery per provider and season; each replaces the provider's file of
        that season.

        The rows that the provider has landed for the season before are part of it.
        """
        for (provider, season), seen in sorted(self._seen.items()):
            registry = Registry.landed(zone)
            rows = registry.register(provider, season, [(*who, sorted(teams)) for who, teams in sorted(seen.items())])
            yield Delivery(provider, self._processed_at[provider, season], {PLAYER_REGISTRY.name: rows})


@dataclass
class Registry:
    """All registered names: rows of the raw registry of any season."""

    rows: list[dict[str, Any]]

    @classmethod
    def landed(cls, zone: Path) -> Registry:
        """What the landing zone holds, from providers and from feeds of the user's own."""
        folder = FolderLandingZone(zone)
        if not zone.is_dir() or not folder.files(PLAYER_REGISTRY.name):
            return cls([])
        now = datetime.now(UTC)
        found = collect(
            Request(PLAYER_REGISTRY, [season_start(year) for year in range(FIRST_SEASON, now.year + 2)], now), folder
        ).rows
        names = ("season", "player_lookup", "team_abbr", "universal_player_id", "player_name", "player_id")
        return cls(
            [dict(zip(names, row, strict=True)) for row in zip(*(found[name].tolist() for name in names), strict=True)]
        )

    def register(self, provider: str, season: int, seen: Sequence[tuple[str, str, Sequence[str]]]) -> list[Row]:
        """The provider's rows of a season: those that it has already, and those of `seen` (id, name, teams) that are
        new.

        The league's ids stand under the player's teams. Those of another provider stand under no team, so that they do
        not replace the league's under the same name, unless two of its players share the name: then the team
        distinguishes them.
        """
        label, own = season_label(season), self._of_provider(provider, season)
        universal = self._identify(provider, label, seen)
        holders: dict[str, set[str]] = {}
        for own_id, name, _ in [*seen, *((row["player_id"], row["player_name"], ()) for row in own)]:
            holders.setdefault(player_lookup(name), set()).add(own_id)
        keyed = {(row["player_lookup"], row["team_abbr"]): row for row in own}
        for own_id, name, teams in seen:
            lookup = player_lookup(name)
            for team in teams if provider in LEAGUE_IDS or len(holders[lookup]) > 1 else ("",):
                keyed[lookup, team] = {
                    "season_start": date(season, 7, 1),
                    "season": label,
                    "player_lookup": lookup,
                    "team_abbr": team,
                    "universal_player_id": universal[own_id],
                    "player_name": name,
                    "player_id": own_id,
                }
        return [keyed[key] for key in sorted(keyed)]

    def _of_provider(self, provider: str, season: int) -> list[dict[str, Any]]:
        label = season_label(season)
        mine = [
            row
            for row in self.rows
            if row["season"] == label and row["player_id"] is not None and _is_of(provider, row["player_id"])
        ]
        return [{**row, "season_start": date(season, 7, 1)} for row in mine]

    def _identify(self, provider: str, label: str, seen: Sequence[tuple[str, str, Sequence[str]]]) -> dict[str, str]:
        """The universal id of each of the provider's ids."""
        ids = {own_id for own_id, _, _ in seen}
        universal = {row["player_id"]: row["universal_player_id"] for row in self.rows if row["player_id"] in ids}
        taken = {
            row["universal_player_id"]
            for row in self.rows
            if row["player_id"] is not None and _is_of(provider, row["player_id"])
        }
        by_key: dict[str, list[dict[str, Any]]] = {}
        for row in self.rows:
            if row["season"] == label:
                for key in {row["player_lookup"], *spellings(row["player_name"])}:
                    by_key.setdefault(key, []).append(row)
        for own_id, name, teams in seen:
            if own_id not in universal:
                universal[own_id] = _by_name(by_key, name, teams, taken) or f"{provider}-{own_id.rpartition(':')[2]}"
                taken.add(universal[own_id])
        return universal


def _by_name(
    by_key: Mapping[str, Sequence[Mapping[str, Any]]], name: str, teams: Sequence[str], taken: set[str]
) -> str | None:
    """The one person among a season's registered keys who has the name and is not `taken`; the name as it is written
    comes first.
    """
    written = {*spellings(name)}
    for keys in (written, {other for key in written for other in with_other_suffix(key)}):
        found: dict[str, set[str]] = {}
        for row in (row for key in keys for row in by_key.get(key, ())):
            if row["universal_player_id"] not in taken:
                found.setdefault(row["universal_player_id"], set()).add(row["team_abbr"])
        fits = (
            list(found) if len(found) < 2 else [universal for universal, theirs in found.items() if theirs & {*teams}]
        )
        if len(fits) == 1:
            return fits[0]
    return None


FIRST_SEASON = 1946


def _is_of(provider: str, own_id: str) -> bool:
    return ":" not in own_id if provider in LEAGUE_IDS else own_id.startswith(f"{provider}:")
