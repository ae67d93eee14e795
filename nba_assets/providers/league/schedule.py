"""The league's schedule (`scheduleLeagueV2` of the CDN, `scheduleleaguev2` of the statistics site) as rows of the raw
schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nba_assets.providers.delivery import Row
from nba_assets.providers.games import Game
from nba_assets.raw.schedule import FINAL, POSTPONED
from nba_assets.raw.tables import SCHEDULE
from nba_assets.raw.values import LEAGUE_ID_DIGITS, is_league_game_id

REGULAR, ALL_STAR, PLAYOFFS, PLAY_IN, CUP_FINAL = "002", "003", "004", "005", "006"
"""What the first digits of a game's id say; 001 is preseason."""
COMPETITIVE = frozenset({REGULAR, PLAYOFFS, PLAY_IN, CUP_FINAL})

NOT_PLAYED = frozenset({"ppd", "postponed", "cancelled", "canceled"})


@dataclass(frozen=True)
class ScheduledGame:
    """A game of the schedule and its row there."""

    game: Game
    row: Row

    @property
    def is_final(self) -> bool:
        """The game is over."""
        return bool(self.row["game_status"] == FINAL)

    @property
    def is_competitive(self) -> bool:
        """Regular season, Cup final, play-in or play-offs: box scores of such games are fetched."""
        return str(self.game.league_id)[:3] in COMPETITIVE


def season_of(payload: Mapping[str, Any]) -> int:
    """Year in which the season of a schedule begins. Example: "2023-24" is 2023."""
    return int(payload["leagueSchedule"]["seasonYear"][:4])


def scheduled_games(payload: Mapping[str, Any]) -> tuple[list[ScheduledGame], list[str]]:
    """The games between two teams of the league, and remarks on the others: guests of the preseason, rounds whose teams
    are not known yet, All-Star games.
    """
    season, games, others = season_of(payload), [], 0
    for entry in (entry for day in payload["leagueSchedule"]["gameDates"] for entry in day["games"]):
        home, away = (entry[side]["teamTricode"] for side in ("homeTeam", "awayTeam"))
        if not (is_league_game_id(entry["gameId"]) and len(entry["gameId"]) == LEAGUE_ID_DIGITS):
            raise ValueError(f"{entry['gameId']!r} is no game id")
        game = Game.between(home, away, date.fromisoformat(entry["gameDateEst"][:10]), season, entry["gameId"])
        if game is None:
            others += 1
        else:
            games.append(ScheduledGame(game, _row(game, entry)))
    return games, [
        f"schedule {season}: {others} games left out that are not between two known teams of the league"
    ] if others else []


def competition(league_id: str) -> Row:
    """Which games of the season a game is one of, by the league's id."""
    kind = league_id[:3]
    return {
        "is_regular_season": kind == REGULAR,
        "is_playoffs": kind in (PLAYOFFS, PLAY_IN),
        "is_all_star": kind == ALL_STAR,
    }


def _row(game: Game, entry: Mapping[str, Any]) -> Row:
    status = entry["gameStatus"]
    if entry["gameStatusText"].strip().lower() in NOT_PLAYED:
        status = POSTPONED
    home_score, away_score = (entry[side]["score"] for side in ("homeTeam", "awayTeam"))
    return {
        **game.columns(SCHEDULE),
        **competition(entry["gameId"]),
        # A time that is not set yet is written as midnight.
        "game_time_utc": None if entry["gameStatusText"] == "TBD" else datetime.fromisoformat(entry["gameDateTimeUTC"]),
        "game_status": status,
        "home_team_score": home_score if status == FINAL else None,
        "away_team_score": away_score if status == FINAL else None,
        "winning_team_abbr": game.side(home_score > away_score) if status == FINAL else None,
        "neutral_site_flag": entry.get("isNeutral"),
        "arena_name": entry["arenaName"] or None,
    }
