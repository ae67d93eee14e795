"""Games that the schedule does not account for: finals without a type, and games of the feeds that it does not have.

They are reported; no rows are made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.teams import TEAMS
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import at, find, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import FINAL
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.spec import Columns, Notice

UNTYPED_FINALS = Notice(
    "untyped_finals", "The schedule gives every final between two teams a type: regular season, play-offs or All-Star"
)
UNKNOWN_GAMES = Notice("unknown_games", "The schedule has every game of which a feed has rows")


def report_unaccounted_games(run: TableRun, game_ids: Mapping[str, NDArray[np.object_]]) -> None:
    """Report the run's finals without a type, and the games that the schedule lacks among `game_ids`: those of each
    feed's rows, by its name.
    """
    games = run.read(SCHEDULE.table, COLUMNS)
    for game_id, day in zip(
        *(take(games, _untyped(run, games))[name].tolist() for name in ("game_id", "game_date")), strict=True
    ):
        run.notice(
            UNTYPED_FINALS.name,
            day,
            f"{game_id} is final, but by the schedule neither a regular-season nor a play-off game: it has no rows",
        )
    for feed, ids in game_ids.items():
        distinct = np.asarray(pd.unique(ids), dtype=object)
        for game_id in sorted(distinct[~within(distinct, games["game_id"])].tolist()):
            day, other_way = _date(game_id), _exchanged(game_id)
            known = f", but has {other_way}: home and away are exchanged" if other_way in set(games["game_id"]) else ""
            run.notice(
                UNKNOWN_GAMES.name,
                day,
                f"{game_id}: {feed} has rows of this game, the schedule does not know it{known}",
            )


COLUMNS = (
    "game_id",
    "game_date",
    "season_year",
    "game_status",
    "home_team_abbr",
    "away_team_abbr",
    "home_team_score",
    "away_team_score",
    "is_regular_season",
    "is_playoffs",
    "is_all_star",
)


def _untyped(run: TableRun, games: Columns) -> NDArray[np.bool_]:
    """Played games of two teams of the league that have no type; not those before opening night, which are
    exhibitions.
    """
    typed = (games["is_regular_season"] == 1) | (games["is_playoffs"] == 1) | (games["is_all_star"] == 1)
    final = (games["game_status"] == FINAL) & ~np.isnan(games["home_team_score"] + games["away_team_score"])
    untyped: NDArray[np.bool_] = final & ~typed
    if untyped.any():
        untyped &= np.isin(games["home_team_abbr"], list(TEAMS)) & np.isin(games["away_team_abbr"], list(TEAMS))
        regular = take(run.schedule, run.schedule["is_regular_season"] == 1)
        by_date = np.argsort(-regular["game_date"].astype(np.int64), kind="stable")
        opening = at(regular["game_date"][by_date], find((games["season_year"],), (regular["season_year"][by_date],)))
        untyped &= ~(games["game_date"] < opening)
    return untyped


def _date(game_id: str) -> date:
    return date.fromisoformat(f"{game_id[:4]}-{game_id[4:6]}-{game_id[6:8]}")


def _exchanged(game_id: str) -> str:
    """The id of the game with home and away exchanged."""
    day, away, home = game_id.split("_")
    return f"{day}_{home}_{away}"
