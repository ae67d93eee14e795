"""The games that a run is about: which of them are final, and who played whom in them. From the schedule alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import at, find
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import FINAL_COLUMNS, ended_besides, league_finals, league_games
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.spec import Columns

SCHEDULE_COLUMNS = (
    "game_id",
    "nba_game_id",
    "game_date",
    "season_year",
    "home_team_abbr",
    "away_team_abbr",
    *FINAL_COLUMNS,
)


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


def played_besides(games: Columns) -> NDArray[np.bool_]:
    """Games that were played but count in no standings, such as the final of the league's cup: they tire a team, and
    are no part of its record.

    `games` are rows of the schedule, whole seasons of them (`SCHEDULE_COLUMNS`, `is_all_star`); both teams of such a
    game play in the league that season.
    """
    league = take(games, league_games(games))
    sides = [(league["season_year"], league[f"{side}_team_abbr"]) for side in ("home", "away")]
    there = tuple(np.concatenate(both) for both in zip(*sides, strict=True))
    in_league = np.logical_and.reduce(
        [find((games["season_year"], games[f"{side}_team_abbr"]), there) >= 0 for side in ("home", "away")]
    )
    return ended_besides(games) & in_league


def announced_before(
    dates: NDArray[np.datetime64],
    moments: NDArray[np.datetime64],
    game_dates: NDArray[np.datetime64],
    tips: NDArray[np.datetime64],
) -> NDArray[np.bool_]:
    """Whether anything had been announced for each game's date by the game's own tip-off, by any of `dates` and
    `moments`.

    NaT as tip-off lets everything pass. A feed that was published only after the tip-off was absent before it.
    """
    order = np.argsort(moments, kind="stable")
    days, first = np.unique(dates[order], return_index=True)
    earliest = at(moments[order][first], find((game_dates,), (days,)))
    return ~np.isnat(earliest) & (np.isnat(tips) | (earliest < tips))
