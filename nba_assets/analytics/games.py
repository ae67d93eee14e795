"""The games that a run is about: which of them are final, and who played whom in them. From the schedule alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.teams import TEAMS
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import at, find, text_where
from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import league_finals
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.spec import Columns

SCHEDULE_COLUMNS = (
    "game_id",
    "nba_game_id",
    "game_date",
    "season_year",
    "home_team_abbr",
    "away_team_abbr",
    "game_status",
    "home_team_score",
    "away_team_score",
    "is_regular_season",
    "is_playoffs",
)
ARENA_COLUMNS = ("arena_latitude", "arena_longitude", "arena_timezone")


def final_games(run: TableRun, *, since_season_start: bool = False) -> dict[str, NDArray[Any]]:
    """Final league games of the run's dates, or from the start of the first date's season on."""
    start = run.season_start if since_season_start else run.start
    games = run.read(SCHEDULE.table, SCHEDULE_COLUMNS, start=start)
    return take(games, league_finals(games))


def team_games(games: Columns) -> dict[str, NDArray[Any]]:
    """Each game twice, once from each team's side.

    Adds `team_abbr`, `opponent_team_abbr`, `home_game`, `team_score` and `opponent_score` to the game's own columns.
    """
    size = len(games["game_id"])
    home, away = games["home_team_abbr"], games["away_team_abbr"]
    both = {name: np.concatenate([values, values]) for name, values in games.items()}
    return both | {
        "team_abbr": np.concatenate([home, away]),
        "opponent_team_abbr": np.concatenate([away, home]),
        "home_game": np.repeat([1.0, 0.0], size),
        "team_score": np.concatenate([games["home_team_score"], games["away_team_score"]]),
        "opponent_score": np.concatenate([games["away_team_score"], games["home_team_score"]]),
    }


def arenas(games: Columns) -> dict[str, NDArray[Any]]:
    """Where each game is played: the schedule's own place, else the home team's arena. The neutral-site flag is not needed for that."""
    homes = [TEAMS.get(team) for team in games["home_team_abbr"]]
    latitude = np.array([home.arena_latitude if home else np.nan for home in homes])
    longitude = np.array([home.arena_longitude if home else np.nan for home in homes])
    timezone = np.array([home.arena_timezone if home else None for home in homes], dtype=object)
    placed = ~np.isnan(games["arena_latitude"]) & ~np.isnan(games["arena_longitude"])
    known_zone = np.array([zone is not None for zone in games["arena_timezone"]], dtype=bool)
    return {
        "arena_latitude": np.where(placed, games["arena_latitude"], latitude),
        "arena_longitude": np.where(placed, games["arena_longitude"], longitude),
        "arena_timezone": text_where(known_zone, games["arena_timezone"], timezone),
    }


def eastern(moments: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Wall-clock time in the league's own zone, US-Eastern, of moments in UTC."""
    local = pd.DatetimeIndex(moments.astype("M8[us]")).tz_localize("UTC").tz_convert(LEAGUE_TIMEZONE).tz_localize(None)
    wall: NDArray[np.datetime64] = local.to_numpy().astype("M8[us]")
    return wall


def announced_before(
    dates: NDArray[np.datetime64], moments: NDArray[np.datetime64], game_dates: NDArray[np.datetime64], tips: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Whether anything had been announced for each game's date by the game's own tip-off, by any of `dates` and `moments`.

    NaT as tip-off lets everything pass. A feed that speaks up only after the game was absent before it.
    """
    order = np.argsort(moments, kind="stable")
    days, first = np.unique(dates[order], return_index=True)
    earliest = at(moments[order][first], find((game_dates,), (days,)))
    return ~np.isnat(earliest) & (np.isnat(tips) | (earliest < tips))
