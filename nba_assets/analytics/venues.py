"""Where games are played, and which arena is a team's home in a season.

From the schedule and the table of arenas alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.basketball.arenas import Arena, arena_named
from nba_assets.basketball.arithmetic import map_distinct
from nba_assets.basketball.teams import TEAMS
from nba_assets.basketball.travel import is_time_zone
from nba_assets.entities.relations import at, find, text_where
from nba_assets.tables.spec import Columns

PLACE_COLUMNS = ("arena_latitude", "arena_longitude", "arena_timezone")
ARENA_COLUMNS = ("arena_name", "neutral_site_flag", *PLACE_COLUMNS)
"""Columns of the schedule that say where a game is played."""


def arenas(games: Columns) -> dict[str, NDArray[Any]]:
    """Where each game is played (`PLACE_COLUMNS`); NaN and None where nobody knows.

    The schedule's own coordinates and zone; where it has none, those of the arena of its name; and of a game that is
    not on neutral ground, the home team's arena. A zone that is no time zone is unknown.
    """
    named = _places(map_distinct(arena_named, games["arena_name"].tolist(), np.object_))
    home = _places(map_distinct(_own_arena, games["home_team_abbr"].tolist(), np.object_))
    neutral = games["neutral_site_flag"] == 1
    placed = ~np.isnan(games["arena_latitude"]) & ~np.isnan(games["arena_longitude"])
    by_name = ~np.isnan(named["arena_latitude"])
    found: dict[str, NDArray[Any]] = {
        column: np.where(
            placed, games[column], np.where(by_name, named[column], np.where(neutral, np.nan, home[column]))
        )
        for column in ("arena_latitude", "arena_longitude")
    }
    given = games["arena_timezone"]
    named_here = _is_not_none(given)
    valid = map_distinct(is_time_zone, given.tolist(), np.bool_)
    fallback = text_where(
        by_name, named["arena_timezone"], text_where(neutral | named_here, None, home["arena_timezone"])
    )
    return found | {"arena_timezone": text_where(valid, given, fallback)}


def season_homes(games: Columns) -> dict[str, NDArray[Any]]:
    """Each team's home of each season: the arena where most of its home games of the regular season are scheduled, of
    equals the first one.

    `games` are league games with their places (see `arenas`). One row per season and team that plays in it:
    `season_year`, `team_abbr` and `PLACE_COLUMNS`; a team without a home game whose place is known sits in its usual
    arena. Example: Toronto in 2020-21 is at home in Tampa.
    """
    frame = pd.DataFrame(
        {
            "season_year": games["season_year"],
            "team_abbr": games["home_team_abbr"],
            "first": games["game_date"].astype("M8[s]"),
            **{column: games[column] for column in PLACE_COLUMNS},
        }
    )
    known = frame[(games["is_regular_season"] == 1) & ~np.isnan(games["arena_latitude"])]
    counted = (
        known.groupby(["season_year", "team_abbr", *PLACE_COLUMNS], dropna=False)["first"]
        .agg(["size", "min"])
        .reset_index()
    )
    counted = counted.sort_values(["size", "min"], ascending=[False, True], kind="stable").drop_duplicates(
        ["season_year", "team_abbr"]
    )
    teams = np.concatenate([games["home_team_abbr"], games["away_team_abbr"]])
    pairs = pd.DataFrame({"season_year": np.tile(games["season_year"], 2), "team_abbr": teams}).drop_duplicates()
    seasons, names = pairs["season_year"].to_numpy(np.float64), pairs["team_abbr"].to_numpy(object)
    place = find((seasons, names), (counted["season_year"].to_numpy(np.float64), counted["team_abbr"].to_numpy(object)))
    usual = _places(map_distinct(_own_arena, names.tolist(), np.object_))
    zones = counted["arena_timezone"].to_numpy(object)
    zones = text_where(counted["arena_timezone"].notna().to_numpy(), zones, None)
    return {
        "season_year": seasons,
        "team_abbr": names,
        "arena_latitude": np.where(
            place >= 0, at(counted["arena_latitude"].to_numpy(np.float64), place), usual["arena_latitude"]
        ),
        "arena_longitude": np.where(
            place >= 0, at(counted["arena_longitude"].to_numpy(np.float64), place), usual["arena_longitude"]
        ),
        "arena_timezone": text_where(place >= 0, at(zones, place), usual["arena_timezone"]),
    }


def homes_of(games: Columns, seasons: NDArray[np.float64], teams: NDArray[np.object_]) -> dict[str, NDArray[Any]]:
    """The home of each given team in each given season: `home_latitude`, `home_longitude`, `home_timezone`; from league
    games with their places.
    """
    homes = season_homes(games)
    place = find((seasons, teams), (homes["season_year"], homes["team_abbr"]))
    return {column.replace("arena", "home"): at(homes[column], place) for column in PLACE_COLUMNS}


def _own_arena(team: str) -> Arena | None:
    known = TEAMS.get(team)
    return None if known is None else Arena(known.arena_latitude, known.arena_longitude, known.arena_timezone)


def _places(found: NDArray[np.object_]) -> dict[str, NDArray[Any]]:
    return {
        "arena_latitude": np.array([np.nan if arena is None else arena.latitude for arena in found], dtype=np.float64),
        "arena_longitude": np.array(
            [np.nan if arena is None else arena.longitude for arena in found], dtype=np.float64
        ),
        "arena_timezone": np.array([None if arena is None else arena.timezone for arena in found], dtype=object),
    }


def _is_not_none(values: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([value is not None for value in values], dtype=bool)
