"""A team's form before a date, as the rows of its players need it: pace, rating, wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.entities import refusals
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, take
from nba_assets.entities.relations import find, join_at
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.publishing.table_run import TableRun
from nba_assets.tables.spec import Columns

FORM_GAMES = 10


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """Mean pace and offensive rating of teams' newest ten games before each date, and their wins and games of the
    season; from their `games`.
    """
    del shared
    games = histories["games"]
    season = AsOfWindow.season_to_date(games, AsOf.of(requested))
    form = season.last(FORM_GAMES)
    return Outcome(
        {
            "game_date": requested["game_date"],
            "team_abbr": requested["team_abbr"],
            "pace_last_10": form.mean(games["pace"], scale=1),
            "offensive_rating_last_10": form.mean(games["offensive_rating"], scale=2),
            "wins": season.count(games["win_flag"] == 1).astype(np.float64),
            "games": season.games().astype(np.float64),
        }
    )


FORM_COLUMNS = ("pace_last_10", "offensive_rating_last_10", "wins", "games")


def join_team_form(run: TableRun, players: Columns) -> dict[str, NDArray[Any]]:
    """The form of each player's own team, as `team_` columns; `players` have `game_date`, `team_abbr` and
    `season_start`.

    Also, as `refusals.REASON`, why a player's row cannot be computed: the form of his team could not.
    """
    games = run.read(
        TEAM_OFFENSE, ("game_date", "team_abbr", "pace", "offensive_rating", "win_flag"), start=run.season_start
    )
    key = (players["game_date"], players["team_abbr"])
    once = np.unique(find(key, key))
    requested = take({name: players[name] for name in ("game_date", "team_abbr", "season_start")}, once)
    teams = Grouped.by(requested, "team_abbr", "game_date")
    outcome = run.map("teams", compute, teams, {"games": Grouped.by(games, "team_abbr", "game_date")})
    found = (
        find(key, (outcome.rows["game_date"], outcome.rows["team_abbr"]))
        if outcome.rows
        else np.full(len(key[0]), -1, dtype=np.intp)
    )
    rows = outcome.rows or {name: np.array([]) for name in FORM_COLUMNS}
    lost = refusals.reasons("the form", outcome.failures, *key)
    return join_at(rows, found, {f"team_{name}": name for name in FORM_COLUMNS}) | {refusals.REASON: lost}
