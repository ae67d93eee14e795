"""The league's box scores as rows of `player_gamebook`, `player_boxscores` and `team_boxscores`.

The live feed and the statistics site (Traditional V3) count under the same names; they differ in how they say who did
not play, and the statistics site lists inactive players elsewhere (box score summary V2 and V3). Rows of the older
Traditional V2, as CSV collections have them, are read as V3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nba_assets.providers.delivery import ProviderError, Row
from nba_assets.providers.games import Game
from nba_assets.providers.people import GamePeople, Person
from nba_assets.raw.schedule import FINAL
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_GAMEBOOK, TEAM_BOXSCORES

Payload = Mapping[str, Any]

SIDES = {"homeTeam": True, "awayTeam": False}

PLAYER_COUNTS = {
    "points": "points",
    "field_goals_made": "fieldGoalsMade",
    "field_goals_attempted": "fieldGoalsAttempted",
    "three_pointers_made": "threePointersMade",
    "three_pointers_attempted": "threePointersAttempted",
    "free_throws_made": "freeThrowsMade",
    "free_throws_attempted": "freeThrowsAttempted",
    "offensive_rebounds": "reboundsOffensive",
    "defensive_rebounds": "reboundsDefensive",
    "total_rebounds": "reboundsTotal",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "foulsPersonal",
}
"""The league's name of each count of a player."""
TEAM_NAMES = {
    "field_goals_made": "fg_made",
    "field_goals_attempted": "fg_attempted",
    "three_pointers_made": "three_pt_made",
    "three_pointers_attempted": "three_pt_attempted",
    "free_throws_made": "ft_made",
    "free_throws_attempted": "ft_attempted",
}
"""The counts of a team that have another name than a player's."""

V2_COUNTS = {
    **{
        "points": "PTS",
        "fieldGoalsMade": "FGM",
        "fieldGoalsAttempted": "FGA",
        "threePointersMade": "FG3M",
        "threePointersAttempted": "FG3A",
    },
    **{
        "freeThrowsMade": "FTM",
        "freeThrowsAttempted": "FTA",
        "reboundsOffensive": "OREB",
        "reboundsDefensive": "DREB",
        "reboundsTotal": "REB",
    },
    **{"assists": "AST", "steals": "STL", "blocks": "BLK", "turnovers": "TO", "foulsPersonal": "PF"},
}
"""The column of Traditional V2 by the name of the same count in V3."""


@dataclass(frozen=True)
class SheetEntry:
    """What a box score says of one player, whichever source it is; `minutes` is None for who did not play."""

    person: Person
    status: str
    reason: str | None
    minutes: str | None
    statistics: Payload
    starter: bool
    position: str | None


@dataclass(frozen=True)
class BoxScore:
    """A game's box score: the players' entries, and the team totals by home (True) and away."""

    game: Game
    entries: Sequence[SheetEntry]
    teams: Mapping[bool, Payload]

    def __post_init__(self) -> None:
        """Refuse an answer that is empty, as those of games that the site does not have in this form."""
        if any(
            all(entry.minutes is None for entry in self.entries if entry.person.team == self.game.side(is_home))
            for is_home in self.teams
        ):
            raise ProviderError(f"the box score of {self.game.game_id} has no player with minutes for one of the teams")

    @property
    def people(self) -> GamePeople:
        """Everyone on the sheets."""
        return GamePeople(entry.person for entry in self.entries)

    def tables(self) -> dict[str, list[Row]]:
        """The rows of the three raw tables."""
        return {
            PLAYER_GAMEBOOK.name: [self._sheet_row(entry) for entry in self.entries],
            PLAYER_BOXSCORES.name: [self._box_row(entry) for entry in self.entries if entry.minutes is not None],
            TEAM_BOXSCORES.name: [self._team_row(is_home) for is_home in self.teams],
        }

    def _sheet_row(self, entry: SheetEntry) -> Row:
        return {
            **self.game.columns(PLAYER_GAMEBOOK),
            **_player_columns(entry),
            "player_status": entry.status,
            "dnp_reason": entry.reason,
        }

    def _box_row(self, entry: SheetEntry) -> Row:
        return {
            **self.game.columns(PLAYER_BOXSCORES),
            **_player_columns(entry),
            "game_status": "final",
            "starter": entry.starter,
            "position": entry.position,
        }

    def _team_row(self, is_home: bool) -> Row:
        statistics = self.teams[is_home]
        counts = {TEAM_NAMES.get(name, name): statistics[theirs] for name, theirs in PLAYER_COUNTS.items()}
        return {
            **self.game.columns(TEAM_BOXSCORES),
            **counts,
            "team_abbr": self.game.side(is_home),
            "is_home": is_home,
            "minutes": statistics.get("minutes"),
            # The live feed counts rebounds that no player has into the total, the statistics site does not.
            "total_rebounds": statistics.get("reboundsPersonal", statistics["reboundsTotal"]),
            "plus_minus": statistics["points"] - self.teams[not is_home]["points"],
        }


def live_box_score(payload: Payload, game: Game) -> BoxScore:
    """From the live feed's box score. Raises ProviderError for a game that is not over."""
    found = payload["game"]
    if found["gameStatus"] != FINAL:
        raise ProviderError(
            f"the box score of {game.game_id} ({game.league_id}) is not final yet; fetch its date again later"
        )
    entries = [
        _live_entry(player, game.side(is_home)) for side, is_home in SIDES.items() for player in found[side]["players"]
    ]
    return BoxScore(game, entries, {is_home: found[side]["statistics"] for side, is_home in SIDES.items()})


def statistics_box_score(payload: Payload, game: Game, inactive: Iterable[Person] = ()) -> BoxScore:
    """From the statistics site's Traditional V3 and the inactive players of its summary."""
    found = payload["boxScoreTraditional"]
    listed = [
        _statistics_entry(player, game.side(is_home))
        for side, is_home in SIDES.items()
        for player in found[side]["players"]
    ]
    known = {entry.person.player_id for entry in listed}
    missing = [
        SheetEntry(person, "inactive", None, None, {}, False, None)
        for person in inactive
        if person.player_id not in known
    ]
    return BoxScore(game, [*listed, *missing], {is_home: found[side]["statistics"] for side, is_home in SIDES.items()})


def inactive_players(payload: Payload, game: Game) -> list[Person]:
    """The inactive players of a box score summary, V3 or V2."""
    if "boxScoreSummary" in payload:
        sides = payload["boxScoreSummary"]
        found = [
            (player, game.side(is_home))
            for side, is_home in SIDES.items()
            for player in sides[side].get("inactives") or ()
        ]
        return [_person(player, team) for player, team in found]
    home_id = next(result_rows(payload, "GameSummary"))["HOME_TEAM_ID"]
    return [
        Person(
            str(row["PLAYER_ID"]),
            f"{row['FIRST_NAME']} {row['LAST_NAME']}".strip(),
            game.side(row["TEAM_ID"] == home_id),
            row["LAST_NAME"],
        )
        for row in result_rows(payload, "InactivePlayers")
    ]


def result_rows(payload: Payload, name: str) -> Iterator[Payload]:
    """The rows of one result set of the statistics site by column."""
    for found in payload["resultSets"]:
        if found["name"] == name:
            yield from (dict(zip(found["headers"], row, strict=True)) for row in found["rowSet"])


def v2_entry(row: Payload, team: str) -> SheetEntry:
    """A player's row of Traditional V2, as a result set or a CSV collection has it; counts are numbers."""
    return _statistics_entry(
        {
            "personId": row["PLAYER_ID"],
            "name": row["PLAYER_NAME"],
            "position": row["START_POSITION"] or "",
            "comment": row["COMMENT"] or "",
            "statistics": {"minutes": row["MIN"], "plusMinusPoints": row["PLUS_MINUS"]}
            | {ours: row[theirs] for ours, theirs in V2_COUNTS.items()},
        },
        team,
    )


def _live_entry(player: Payload, team: str) -> SheetEntry:
    played = player["played"] == "1"
    active = player["status"] == "ACTIVE"
    reason = (
        ": ".join(filter(None, (_spoken(player.get("notPlayingReason")), player.get("notPlayingDescription")))) or None
    )
    return SheetEntry(
        _person(player, team),
        "active" if played else "dnp" if active else "inactive",
        None if played else reason,
        player["statistics"]["minutes"] if played else None,
        player["statistics"],
        player["starter"] == "1",
        player.get("position"),
    )


def _statistics_entry(player: Payload, team: str) -> SheetEntry:
    minutes, comment = player["statistics"]["minutes"] or None, player["comment"].strip()
    if minutes is not None and comment and not minutes.strip("0:"):
        minutes = None  # no time and a reason: he did not play
    return SheetEntry(
        _person(player, team),
        "active" if minutes else comment or "dnp",
        None if minutes else comment or None,
        minutes,
        player["statistics"],
        bool(player["position"]),
        player["position"] or None,
    )


def _person(player: Payload, team: str) -> Person:
    name = player.get("name") or f"{player['firstName']} {player['familyName']}"
    return Person(str(player["personId"]), name.strip(), team, player.get("familyName", ""))


def _spoken(reason: str | None) -> str | None:
    """The live feed's word for a reason as the scorer's sheet prints it.

    Example: `DNP_COACH` is "DNP - Coach", `INACTIVE_INJURY` "Inactive - Injury".
    """
    if not reason:
        return None
    status, _, why = reason.partition("_")
    return (
        f"{status if status == 'DNP' else status.capitalize()} - {why.replace('_', ' ').capitalize()}"
        if why
        else status.capitalize()
    )


def _player_columns(entry: SheetEntry) -> Row:
    columns: dict[str, Any] = {
        "player_name": entry.person.name,
        "player_lookup": entry.person.lookup,
        "player_id": entry.person.player_id,
        "team_abbr": entry.person.team,
    }
    if entry.minutes is not None:
        columns |= {name: entry.statistics[theirs] for name, theirs in PLAYER_COUNTS.items()}
        columns |= {"minutes": entry.minutes, "plus_minus": _whole(entry.statistics.get("plusMinusPoints"))}
    return columns


def _whole(points: float | None) -> str | None:
    return None if points is None else f"{points:.0f}"
