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
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import at, begins, find, group_numbers, text_where
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
    at_home = take(
        {name: games[name] for name in ("season_year", "home_team_abbr", "game_date", *PLACE_COLUMNS)},
        (games["is_regular_season"] == 1) & ~np.isnan(games["arena_latitude"]),
    )
    known = _most_used(at_home)
    teams = np.concatenate([games["home_team_abbr"], games["away_team_abbr"]])
    years = np.tile(games["season_year"], 2).astype(np.float64)
    _, first = np.unique(group_numbers((years, teams)), return_index=True)
    years, teams = years[first], teams[first]
    place = find((years, teams), (known["season_year"].astype(np.float64), known["home_team_abbr"]))
    usual = _places(map_distinct(_own_arena, teams.tolist(), np.object_))
    return {
        "season_year": years,
        "team_abbr": teams,
        **{
            column: np.where(place >= 0, at(known[column].astype(np.float64), place), usual[column])
            for column in ("arena_latitude", "arena_longitude")
        },
        "arena_timezone": text_where(place >= 0, at(known["arena_timezone"], place), usual["arena_timezone"]),
    }


def _most_used(at_home: Columns) -> Columns:
    """The home games of each team and season, one of them each: the first one in the arena where most of them are, of
    equals in the one that came first.
    """
    zone = pd.factorize(at_home["arena_timezone"], sort=True, use_na_sentinel=False)[0]
    team = group_numbers((at_home["season_year"], at_home["home_team_abbr"]))
    place = (at_home["arena_latitude"], at_home["arena_longitude"], zone)
    arena = group_numbers((team, *place))
    games = np.bincount(arena, minlength=1)[arena]
    # The order of the games is of no account: where everything else is equal, the place decides.
    order = np.lexsort((*reversed(place), at_home["game_date"], -games, team))
    return take(at_home, order[begins(team[order])])


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
