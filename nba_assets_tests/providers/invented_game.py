"""An invented game of invented players, played once and told in the shapes of the league's two sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

Json = dict[str, Any]

DAY = date(2025, 1, 15)
HOME, AWAY = "BOS", "ATL"
TEAM_IDS = {"ATL": 1610612737, "BOS": 1610612738, "CLE": 1610612739, "NYK": 1610612752}
LEAGUE_ID = "0022400561"
ROUNDS = 4
"""How often each side plays its round of shots."""


@dataclass(frozen=True)
class Player:
    """A player; an `absence` keeps him from playing: a comment of the statistics site, or "inactive"."""

    number: int
    first: str
    family: str
    team: str
    starter: bool = True
    absence: str | None = None

    @property
    def initial(self) -> str:
        return f"{self.first[0]}. {self.family}"

    @property
    def name(self) -> str:
        return f"{self.first} {self.family}"


def squad(team: str) -> list[Player]:
    """Five starters, two of them with one family name, a substitute, one who stays on the bench and one who is not
    dressed.
    """
    first_number, prefix = 1000 + TEAM_IDS[team] % 100 * 10, "" if team == HOME else f"van {team.title()} "
    names = [
        ("Żarko", "Đilas"),
        ("Sam", "Foster Jr."),
        ("Jalo", "Reed"),
        ("Kim", "Reed"),
        ("O'Neil", "St. Clair III"),
        ("Ben", "Šarić"),
    ]
    players = [
        Player(first_number + place, first, prefix + family, team, place < 5)
        for place, (first, family) in enumerate(names)
    ]
    out = Player(first_number + 6, "Cy", f"{prefix}Bench", team, False, "DNP - Coach's Decision")
    return [*players, out, Player(first_number + 7, "Al", f"{prefix}Hurt", team, False, "inactive")]


@dataclass(frozen=True)
class Play:
    """Something that happened: `kind` is shot, free throw, rebound or turnover; `second` is the assister, blocker or
    stealer.
    """

    kind: str
    player: Player
    made: bool = False
    worth: int = 2
    turn: str = ""
    second: Player | None = None


@dataclass
class InventedGame:
    """A game between two squads; the home team wins unless told otherwise."""

    day: date = DAY
    home: str = HOME
    away: str = AWAY
    league_id: str = LEAGUE_ID
    plays: list[Play] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Play it."""
        self.squads = {team: squad(team) for team in (self.home, self.away)}
        ours, theirs = self.squads[self.home], self.squads[self.away]
        for mine, others in ROUNDS * [(ours, theirs), (theirs, ours)] + [(ours, theirs)]:
            for place in range(6):
                self.plays += [
                    Play(
                        "shot",
                        mine[place],
                        made=True,
                        worth=3 if place % 2 else 2,
                        second=mine[(place + 1) % 6] if place < 4 else None,
                    ),
                    Play("shot", mine[place], worth=2, second=others[0] if place == 2 else None),
                    Play("rebound", mine[5]),
                    Play("free throw", mine[place], made=True, turn="1 of 2"),
                    Play("free throw", mine[place], turn="2 of 2"),
                    Play("rebound", others[4]),
                    Play("turnover", mine[1], second=others[3] if place < 2 else None),
                ]

    @property
    def score(self) -> dict[str, int]:
        return {team: sum(self.points(play) for play in self.plays if play.player.team == team) for team in self.squads}

    @staticmethod
    def points(play: Play) -> int:
        return int(play.made) * (play.worth if play.kind == "shot" else 1)

    def counts(self, of: Sequence[Player]) -> Json:
        """The statistics of a player or of a team as the league names them."""
        mine = [play for play in self.plays if play.player in of]
        helped = Counter(self._second_kind(play) for play in self.plays if play.second in of)
        shots, threes = ([play for play in mine if play.kind == "shot" and play.worth >= worth] for worth in (2, 3))
        throws, boards = ([play for play in mine if play.kind == kind] for kind in ("free throw", "rebound"))
        offensive = sum(1 for play in boards if play.player == self.squads[play.player.team][5])
        return {
            "points": sum(map(self.points, mine)),
            "fieldGoalsMade": sum(play.made for play in shots),
            "fieldGoalsAttempted": len(shots),
            "threePointersMade": sum(play.made for play in threes),
            "threePointersAttempted": len(threes),
            "freeThrowsMade": sum(play.made for play in throws),
            "freeThrowsAttempted": len(throws),
            "reboundsOffensive": offensive,
            "reboundsDefensive": len(boards) - offensive,
            "reboundsTotal": len(boards),
            "assists": helped["assist"],
            "steals": helped["steal"],
            "blocks": helped["block"],
            "turnovers": sum(play.kind == "turnover" for play in mine),
            "foulsPersonal": sum(player.absence is None for player in of),
        }

    def live_box_score(self, status: int = 3) -> Json:
        def side(team: str) -> Json:
            totals = self.counts(self.squads[team])
            # The live feed counts rebounds of nobody into the total of a team.
            statistics = totals | {
                "minutes": "PT240M00.00S",
                "reboundsPersonal": totals["reboundsTotal"],
                "reboundsTotal": totals["reboundsTotal"] + 8,
            }
            return {
                "teamId": TEAM_IDS[team],
                "teamTricode": team,
                "score": totals["points"],
                "players": list(map(self._live_player, self.squads[team])),
                "statistics": statistics,
            }

        return {
            "game": {
                "gameId": self.league_id,
                "gameStatus": status,
                "homeTeam": side(self.home),
                "awayTeam": side(self.away),
            }
        }

    def statistics_box_score(self) -> Json:
        def side(team: str) -> Json:
            players = [self._statistics_player(player) for player in self.squads[team] if player.absence != "inactive"]
            return {
                "teamId": TEAM_IDS[team],
                "teamTricode": team,
                "players": players,
                "statistics": self.counts(self.squads[team]) | {"minutes": "240:00"},
            }

        return {
            "boxScoreTraditional": {"gameId": self.league_id, "homeTeam": side(self.home), "awayTeam": side(self.away)}
        }

    def summary_v3(self) -> Json:
        def side(team: str) -> Json:
            return {
                "teamId": TEAM_IDS[team],
                "inactives": [
                    {"personId": p.number, "firstName": p.first, "familyName": p.family}
                    for p in self.squads[team]
                    if p.absence == "inactive"
                ],
            }

        return {"boxScoreSummary": {"gameId": self.league_id, "homeTeam": side(self.home), "awayTeam": side(self.away)}}

    def summary_v2(self) -> Json:
        rows = [
            [p.number, p.first, p.family, TEAM_IDS[team]]
            for team, squad in self.squads.items()
            for p in squad
            if p.absence == "inactive"
        ]
        return {
            "resultSets": [
                {"name": "GameSummary", "headers": ["HOME_TEAM_ID"], "rowSet": [[TEAM_IDS[self.home]]]},
                {
                    "name": "InactivePlayers",
                    "headers": ["PLAYER_ID", "FIRST_NAME", "LAST_NAME", "TEAM_ID"],
                    "rowSet": rows,
                },
            ]
        }

    def live_play_by_play(self) -> Json:
        actions: list[Json] = []
        score = dict.fromkeys(self.squads, 0)

        def add(action: Json, seconds: int) -> None:
            number = 2 * len(actions) + 2
            clock = f"PT{seconds // 60:02}M{seconds % 60:02}.00S"
            told = {"scoreHome": str(score[self.home]), "scoreAway": str(score[self.away])}
            actions.append(
                {"actionNumber": number, "orderNumber": number * 10000, "period": 1, "clock": clock, **told, **action}
            )

        add({"actionType": "period", "subType": "start", "personId": 0}, 720)
        for place, play in enumerate(self.plays):
            score[play.player.team] += self.points(play)
            kinds = {"shot": f"{play.worth}pt", "free throw": "freethrow"}
            action: Json = {
                "actionType": kinds.get(play.kind, play.kind),
                "subType": play.turn or ("Jump Shot" if play.kind == "shot" else ""),
                "personId": play.player.number,
                "teamTricode": play.player.team,
                "shotResult": "Made" if play.made else "Missed",
            }
            if play.kind == "shot":
                action |= {
                    "shotDistance": 25.5 if play.worth == 3 else 4.2,
                    "xLegacy": 12,
                    "yLegacy": 254 if play.worth == 3 else 40,
                }
            if play.second is not None:
                action[f"{self._second_kind(play)}PersonId"] = play.second.number
            add(action, 719 - place)
            if play.second is not None and (kind := self._second_kind(play)) != "assist":
                add({"actionType": kind, "personId": play.second.number, "teamTricode": play.second.team}, 719 - place)
        add({"actionType": "game", "subType": "end", "personId": 0}, 0)
        return {"game": {"gameId": self.league_id, "actions": actions}}

    def statistics_play_by_play(self) -> Json:
        actions: list[Json] = []
        score = dict.fromkeys(self.squads, 0)

        def add(number: int, seconds: int, player: Player | None, description: str, **action: Any) -> None:
            blank: Json = {
                "actionType": "",
                "subType": "",
                "isFieldGoal": 0,
                "shotResult": "",
                "shotValue": 0,
                "shotDistance": 0,
            }
            blank |= {
                "xLegacy": 0,
                "yLegacy": 0,
                "scoreHome": "",
                "scoreAway": "",
                "period": 1,
                "clock": f"PT{seconds // 60:02}M{seconds % 60:02}.00S",
            }
            who = (
                {"personId": 0, "location": ""}
                if player is None
                else {"personId": player.number, "location": "h" if player.team == self.home else "v"}
            )
            actions.append(
                {
                    **blank,
                    "actionNumber": number,
                    "actionId": len(actions) + 1,
                    "description": description,
                    **who,
                    **action,
                }
            )

        add(2, 720, None, "Start of 1st Period", actionType="period", subType="start")
        for place, play in enumerate(self.plays):
            score[play.player.team] += self.points(play)
            told: Json = {"scoreHome": str(score[self.home]), "scoreAway": str(score[self.away])} if play.made else {}
            miss, kind = "" if play.made else "MISS ", self._second_kind(play)
            if play.kind == "shot":
                assist = f" ({self._short(play.second)} 1 AST)" if kind == "assist" and play.second else ""
                told |= {
                    "isFieldGoal": 1,
                    "shotValue": play.worth,
                    "shotResult": "Made" if play.made else "Missed",
                    "subType": "Jump Shot",
                }
                told |= {
                    "shotDistance": 25 if play.worth == 3 else 4,
                    "xLegacy": 12,
                    "yLegacy": 254 if play.worth == 3 else 40,
                }
                text, told["actionType"] = (
                    f"{miss}{play.player.family} Jump Shot{assist}",
                    "Made Shot" if play.made else "Missed Shot",
                )
            elif play.kind == "free throw":
                text, told["subType"], told["actionType"] = (
                    f"{miss}{play.player.family} Free Throw {play.turn}",
                    f"Free Throw {play.turn}",
                    "Free Throw",
                )
            else:
                text, told["actionType"] = f"{play.player.family} {play.kind.upper()}", play.kind.capitalize()
            add(4 + place, 719 - place, play.player, text, **told)
            if play.second is not None and kind != "assist":
                add(4 + place, 719 - place, play.second, f"{play.second.family} {kind.upper()} (1 {kind[:3].upper()})")
        add(4 + len(self.plays), 0, None, "Game End", actionType="game", subType="end")
        return {"game": {"gameId": self.league_id, "actions": actions}}

    def schedule_entry(self, status: int = 3, text: str | None = None) -> Json:
        return schedule_entry(
            self.day, self.home, self.away, self.league_id, status, text, self.score if status == 3 else None
        )

    def _short(self, player: Player | None) -> str:
        assert player is not None
        same = [other for other in self.squads[player.team] if other.family == player.family]
        return player.family if len(same) == 1 else f"{player.first[:3]}. {player.family}"

    @staticmethod
    def _second_kind(play: Play) -> str:
        return "steal" if play.kind == "turnover" else "assist" if play.made else "block"

    def _live_player(self, player: Player) -> Json:
        reasons = {"inactive": {"notPlayingReason": "INACTIVE_INJURY", "notPlayingDescription": "Left Knee; Sprain"}}
        return {
            "personId": player.number,
            "name": player.name,
            "firstName": player.first,
            "familyName": player.family,
            "status": "INACTIVE" if player.absence == "inactive" else "ACTIVE",
            "played": "0" if player.absence else "1",
            "starter": str(int(player.starter)),
            "statistics": self.counts([player])
            | {"minutes": "PT00M00.00S" if player.absence else "PT31M05.00S", "plusMinusPoints": -3.0},
            **({"position": "SF"} if player.starter else {}),
            **({} if player.absence is None else reasons.get(player.absence, {"notPlayingReason": "DNP_COACH"})),
        }

    def _statistics_player(self, player: Player) -> Json:
        return {
            "personId": player.number,
            "firstName": player.first,
            "familyName": player.family,
            "position": "SF" if player.starter else "",
            "comment": player.absence or "",
            "statistics": self.counts([player])
            | {"minutes": "" if player.absence else "31:05", "plusMinusPoints": -3.0},
        }


def schedule_entry(
    day: date,
    home: str,
    away: str,
    league_id: str,
    status: int = 1,
    text: str | None = None,
    score: Mapping[str, int] | None = None,
) -> Json:
    """One game of the league's schedule, at 19:30 US-Eastern in winter."""
    tip_off = datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) + timedelta(days=1)
    return {
        "gameId": league_id,
        "gameStatus": status,
        "gameStatusText": text or ("Final" if status == 3 else "7:30 pm ET"),
        "gameDateEst": f"{day}T00:00:00Z",
        "gameDateTimeUTC": f"{tip_off:%Y-%m-%dT%H:%M:%SZ}",
        "gameTimeUTC": "1900-01-01T00:30:00Z",
        "arenaName": "TD Garden" if home == "BOS" else "",
        "homeTeam": {"teamTricode": home, "score": (score or {}).get(home, 0)},
        "awayTeam": {"teamTricode": away, "score": (score or {}).get(away, 0)},
    }


def schedule(entries: Sequence[Json], season: str = "2024-25") -> Json:
    """The league's schedule of a season."""
    return {"leagueSchedule": {"seasonYear": season, "gameDates": [{"games": [entry]} for entry in entries]}}
