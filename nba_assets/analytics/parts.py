"""Parts of raw tables that tables read: the rows and columns of schedule, box scores and quarantine that count for a
date.

A date does not depend on every column of the schedule: of its own games how they end does not count, of later games
only their dates do, of earlier ones who played and how it ended. How far around its date a table reads a part is
declared with the table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import identifying
from nba_assets.analytics.games import SCHEDULE_COLUMNS, played_besides, team_games
from nba_assets.analytics.people import PLAYER_ID
from nba_assets.analytics.team_facts import AHEAD_DAYS
from nba_assets.analytics.venues import ARENA_COLUMNS, arenas, season_homes
from nba_assets.basketball.season import first_of_july
from nba_assets.entities.groups import SPAN, joint
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import group_numbers, text_where
from nba_assets.raw.schedule import LEAGUE_COLUMNS, has_ended, lacks_score, league_finals, league_games
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_REGISTRY, RawTable
from nba_assets.tables.digest import Hashes, column_hashes
from nba_assets.tables.spec import Columns, Part

Dates = NDArray[np.datetime64]


def _results(games: Columns) -> tuple[Dates, Hashes]:
    finals = take({name: games[name] for name in SCHEDULE_COLUMNS}, league_finals(games))
    return finals["game_date"], column_hashes(finals)


RESULTS = Part("results", SCHEDULE_COLUMNS, _results)
"""League games that are over, with their scores."""

PAIRING = ("game_id", "game_date", "season_year", "home_team_abbr", "away_team_abbr")


def _finals(games: Columns) -> tuple[Dates, Hashes]:
    finals = take({name: games[name] for name in PAIRING}, league_finals(games))
    return finals["game_date"], column_hashes(finals)


FINALS = Part("finals", SCHEDULE_COLUMNS, _finals)
"""League games that are over, whatever their scores."""

ANNOUNCED = (*PAIRING, "nba_game_id", "game_time_utc", "is_regular_season", "is_playoffs", *ARENA_COLUMNS)


def _slate(games: Columns) -> tuple[Dates, Hashes]:
    listed = take({name: games[name] for name in ANNOUNCED}, league_games(games))
    return listed["game_date"], column_hashes(listed)


SLATE = Part("slate", (*ANNOUNCED, "game_status"), _slate)
"""League games as they are announced: who plays whom, when and where. A postponed game is none."""


def _game_days(games: Columns) -> tuple[Dates, Hashes]:
    days = np.unique(games["game_date"][league_games(games)])
    return days, column_hashes({"game_date": days})


GAME_DAYS = Part("game_days", ("game_date", *LEAGUE_COLUMNS), _game_days)
"""Dates with league games."""


def _behind(games: Columns) -> tuple[Dates, Hashes]:
    league = league_games(games)
    played = take(games, (league | played_besides(games)) & ~lacks_score(games))
    ended = has_ended(played)
    scores = {name: np.where(ended, played[name], np.nan) for name in ("home_team_score", "away_team_score")}
    columns = {name: played[name] for name in (*PAIRING, *ARENA_COLUMNS)} | scores
    return played["game_date"], column_hashes(
        columns | {"is_league": league_games(played).astype(np.float64), "has_ended": ended.astype(np.float64)}
    )


BEHIND = Part("games_behind", (*SCHEDULE_COLUMNS, "is_all_star", *ARENA_COLUMNS), _behind)
"""Games that tire a team once their date is past, with where they were played and how they ended; see `season_games`.
"""


def _ahead(games: Columns) -> tuple[Dates, Hashes]:
    """Each game of each team comes in on the first date that looks ahead to it, and goes out on its own."""
    sides = team_games(take(games, games["is_regular_season"] == 1))
    sides = take(sides, np.lexsort([sides["game_date"], sides["team_abbr"].astype(str), sides["season_year"]]))
    dates, seasons, teams = sides["game_date"].astype("M8[D]"), sides["season_year"], sides["team_abbr"]
    opening = pd.Series(dates.astype("M8[s]")).groupby(seasons).transform("min").to_numpy().astype("M8[D]")
    previous = opening.copy()
    follows = (seasons[1:] == seasons[:-1]) & (teams[1:] == teams[:-1])
    previous[1:][follows] = dates[:-1][follows]
    first = np.maximum(np.minimum(previous, dates - np.timedelta64(AHEAD_DAYS, "D")), opening)
    hashes = column_hashes(
        {"day": dates, "team": teams, "opponent": sides["opponent_team_abbr"], "primetime": sides["is_primetime"]}
    )
    return np.concatenate([first, dates]), np.concatenate([hashes, np.uint64(0) - hashes])


AHEAD = Part("games_ahead", ("is_primetime", *SCHEDULE_COLUMNS), _ahead)
"""Each team's next game of the regular season and those of the next days, as published. That one is called off counts
where the history of the schedule knows it before the date's first tip-off, see `raw.schedule_history`.
"""


def _homes(games: Columns) -> tuple[Dates, Hashes]:
    league = take(games, league_games(games))
    homes = season_homes(league | arenas(league))
    return first_of_july(homes["season_year"]), column_hashes(homes)


HOMES = Part("homes", (*PAIRING, *LEAGUE_COLUMNS, *ARENA_COLUMNS), _homes)
"""Where each team is at home in a season."""


def _teams(games: Columns) -> tuple[Dates, Hashes]:
    regular = take(games, league_games(games) & (games["is_regular_season"] == 1))
    teams = np.concatenate([regular["home_team_abbr"], regular["away_team_abbr"]])
    pairs = pd.DataFrame({"season": np.tile(regular["season_year"], 2), "team": teams}).drop_duplicates()
    seasons = pairs["season"].to_numpy(np.float64)
    return first_of_july(seasons), column_hashes({"season": seasons, "team": pairs["team"].to_numpy(dtype=object)})


TEAMS = Part("teams", (*PAIRING, *LEAGUE_COLUMNS), _teams)
"""Who plays in a season."""


def _besides(games: Columns) -> tuple[Dates, Hashes]:
    played = take({name: games[name] for name in PAIRING}, played_besides(games))
    return played["game_date"], column_hashes(played)


BESIDES = Part("games_besides", (*SCHEDULE_COLUMNS, "is_all_star"), _besides)
"""Games that were played and count in no standings."""

BOX_COLUMNS = identifying(PLAYER_BOXSCORES, ("game_id", "game_date", "team_abbr", "player_lookup"))


def _by_game_date(rows: Columns) -> tuple[Dates, Hashes]:
    return rows["game_date"], column_hashes({name: rows[name] for name in BOX_COLUMNS})


STARTERS = Part("starters", BOX_COLUMNS, _by_game_date, where={"starter": True})
"""Who started, by the box scores."""

PLAYERS = Part("players", BOX_COLUMNS, _by_game_date)
"""Who is in the box scores."""


PEOPLE_COLUMNS = ("season", "universal_player_id", "player_lookup", "player_name", PLAYER_ID, "team_abbr")


def _people(registry: Columns) -> tuple[Dates, Hashes]:
    """Each person once per key and name; his teams count only where he shares a key with somebody, see `people`."""
    keys = group_numbers((registry["season"], registry["player_lookup"]))
    persons = group_numbers((registry["season"], registry["universal_player_id"]))
    holders = np.unique(joint(keys, persons)) // SPAN
    is_shared = np.bincount(holders, minlength=1)[keys] > 1
    is_namesake = np.isin(persons, persons[is_shared])
    counted = {**registry, "team_abbr": text_where(is_namesake, registry["team_abbr"], None)}
    days = registry[PLAYER_REGISTRY.table.date_column].astype("M8[D]")
    hashes = column_hashes({name: counted[name] for name in PEOPLE_COLUMNS})
    order = np.lexsort((hashes, days))
    days, hashes = days[order], hashes[order]
    once = np.append(True, (days[1:] != days[:-1]) | (hashes[1:] != hashes[:-1]))
    return days[once], hashes[once]


PEOPLE = Part("people", (PLAYER_REGISTRY.table.date_column, *PEOPLE_COLUMNS), _people)
"""Who is who in a season: a player who joins one more team is nobody else for it."""


def quarantined(name: str, feeds: Sequence[RawTable]) -> Part:
    """Games of which some feeds have rows in quarantine; `name` is the part's, another one for other feeds."""
    tables = [feed.name for feed in feeds]

    def elements(rows: Columns) -> tuple[Dates, Hashes]:
        mine = np.isin(rows["table_name"].astype(str), tables) & ~pd.isna(rows["game_id"])
        games = pd.DataFrame({name: rows[name][mine] for name in ("partition_date", "game_id")}).drop_duplicates()
        days = games["partition_date"].to_numpy().astype("M8[D]")
        return days, column_hashes({"day": days, "game": games["game_id"].to_numpy(dtype=object)})

    return Part(name, ("table_name", "partition_date", "game_id"), elements)
