"""The games of the seasons around a run as each team sees them: the slate of every date, the games behind it, and its
home.

From the schedule alone; of players only what they played in games that no other table has rows of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames, identifying
from nba_assets.analytics.games import SCHEDULE_COLUMNS, played_besides, team_games
from nba_assets.analytics.venues import ARENA_COLUMNS, arenas, homes_of
from nba_assets.basketball.game_clock import parse_minutes
from nba_assets.entities.outcomes import concatenate, failures, take
from nba_assets.entities.relations import at, find
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import lacks_score, league_finals, league_games
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_GAMEBOOK, SCHEDULE
from nba_assets.tables.spec import Columns


@dataclass(frozen=True, eq=False)
class SeasonGames:
    """Games once from each team's side (see `games.team_games`), with the places of their arenas, in any order."""

    scheduled: Columns
    """League games, whatever became of them: what a date's slate and the schedule ahead are made of."""
    behind: Columns
    """Games that tire a team once their date is past: league games without those that are called final and have no
    score, and games that were played although they count in no standings. `is_league` marks the former, `is_final`
    those of them that are over; `margin` is theirs, seen from the team.
    """
    ahead: Sequence[tuple[NDArray[np.datetime64], Columns]] = ()
    """What is read of games to come: dates with games of the run in groups, each with the league games as they were
    known before its dates' first tip-offs. That is `scheduled`, where nothing else is on record.
    """

    @classmethod
    def read(cls, run: TableRun, more: Sequence[str] = ()) -> SeasonGames:
        """The whole seasons of the run's dates, as published; `more` are further columns of the schedule."""
        columns = (*SCHEDULE_COLUMNS, "is_all_star", *ARENA_COLUMNS, *more)
        with run.session():
            published = run.read(SCHEDULE.table, columns, start=run.season_start, end=run.season_end)
            history = run.schedule_history()
        besides, counts = played_besides(published), league_games(published)
        rows = take(published, counts | besides)
        rows |= arenas(rows)
        league = league_games(rows)
        games = team_games(
            rows | {"is_league": league.astype(np.float64), "is_final": league_finals(rows).astype(np.float64)}
        )
        games["margin"] = np.where(games["is_final"] == 1, games["team_score"] - games["opponent_score"], np.nan)
        scheduled = take(games, games["is_league"] == 1)
        days = np.unique(scheduled["game_date"])
        days = days[(days >= run.days[0]) & (days <= run.days[-1])]
        ahead = [
            (mine, scheduled if known is published else team_games(take(known, league_games(known))))
            for mine, known in history.as_known(published, days)
        ]
        return cls(scheduled, take(games, ~lacks_score(games)), ahead)

    def on_dates_of(self, run: TableRun) -> dict[str, NDArray[Any]]:
        """The slates of the run's dates, each row with the team's home of the season (`home_latitude`,
        `home_longitude`, `home_timezone`).
        """
        days = self.scheduled["game_date"]
        tonight = take(self.scheduled, (days >= np.datetime64(run.start, "D")) & (days <= np.datetime64(run.end, "D")))
        return tonight | self.homes(tonight["season_year"], tonight["team_abbr"])

    def homes(self, seasons: NDArray[np.float64], teams: NDArray[np.object_]) -> dict[str, NDArray[Any]]:
        """Each team's home of a season, as columns."""
        once = take(self.scheduled, self.scheduled["home_game"] == 1)
        return homes_of(once, seasons, teams)

    @property
    def finals(self) -> dict[str, NDArray[Any]]:
        """League games that are over."""
        return take(self.behind, self.behind["is_final"] == 1)


def of_certain_games(rows: Columns, entity_column: str, tonight: Columns) -> tuple[dict[str, NDArray[Any]], Columns]:
    """Rows to be computed (`game_date`, `team_abbr`) whose team has one game on the date by the slate `tonight`, and so
    has that game's other team.

    The others become failure records: a pregame row may not read the results that would show which game is real.
    Example of a reason: "LAL has 2 games on 2024-11-12 in the schedule: 20241112_BOS_LAL, 20241112_LAL_DEN".
    """
    slate = pd.DataFrame({name: tonight[name] for name in ("game_date", "team_abbr", "game_id")})
    repeated = slate[slate.duplicated(["game_date", "team_abbr"], keep=False)]
    if repeated.empty:
        return dict(rows), {}
    said: dict[str, list[str]] = {}
    for (day, team), games in repeated.groupby(["game_date", "team_abbr"])["game_id"]:
        for game in games:
            said.setdefault(game, []).append(
                f"{team} has {len(games)} games on {day:%Y-%m-%d} in the schedule: {', '.join(sorted(games))}"
            )
    reasons = np.array(["; ".join(said[game]) if game in said else None for game in tonight["game_id"]], dtype=object)
    mine = at(reasons, find((rows["game_date"], rows["team_abbr"]), (tonight["game_date"], tonight["team_abbr"])))
    uncertain = np.array([reason is not None for reason in mine], dtype=bool)
    lost = take(rows, uncertain)
    kind = "TEAM" if entity_column == "team_abbr" else "PLAYER"
    records = failures(
        lost[entity_column],
        lost["game_date"],
        kind,
        "MISSING_RAW_DATA",
        mine[uncertain],
        can_retry=True,
        failure_type="DATA_GAP",
    )
    return take(rows, ~uncertain), records


def minutes_besides(feeds: FeedNames, games: SeasonGames) -> dict[str, NDArray[Any]]:
    """Who played how long in games that count in no standings (`player_lookup`, `game_date`, `minutes_played` in tenths
    of a minute).

    By the official sheet, else by the final box score. Nothing is read where the run has no such game behind it.
    """
    run, behind = feeds.run, games.behind
    mine = take(behind, (behind["is_league"] == 0) & (behind["game_date"] < np.datetime64(run.end, "D")))
    if not len(mine["game_id"]):
        return {
            "player_lookup": np.array([], dtype=object),
            "game_date": np.array([], dtype="M8[D]"),
            "minutes_played": np.array([]),
        }
    first, last = mine["game_date"].min().item(), mine["game_date"].max().item()
    where = {"game_id": sorted(set(mine["game_id"].tolist()))}
    names = ("game_id", "game_date", "team_abbr", "player_lookup", "minutes")
    sheet = run.read(
        PLAYER_GAMEBOOK.table,
        identifying(PLAYER_GAMEBOOK, (*names, "player_status")),
        start=first,
        end=last,
        where=where,
    )
    box = run.read(
        PLAYER_BOXSCORES.table,
        identifying(PLAYER_BOXSCORES, (*names, "game_status")),
        start=first,
        end=last,
        where=where,
    )
    sheet, box = feeds.sheets(sheet, box)
    sheet, box = (
        _on_the_floor(sheet, sheet["player_status"] == "active"),
        _on_the_floor(box, box["game_status"] == "final"),
    )
    only_in_box = find((box["game_id"], box["player_lookup"]), (sheet["game_id"], sheet["player_lookup"])) < 0
    together = concatenate([sheet, take(box, only_in_box)])
    return {name: together[name] for name in ("player_lookup", "game_date", "minutes_played")}


def _on_the_floor(rows: Columns, counts: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    seconds = parse_minutes(rows["minutes"])
    kept = {name: rows[name] for name in ("game_id", "game_date", "player_lookup")} | {
        "minutes_played": np.rint(seconds / 6) / 10
    }
    return take(kept, counts & (seconds > 0))
