"""Star players of a team on a date, by what they did for it this season, and how many of them a player will miss beside
him.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.injuries import NOT_PLAYING
from nba_assets.basketball.arithmetic import ratio
from nba_assets.entities.groups import Grouped, Numbered, joint
from nba_assets.entities.outcomes import Outcome, length
from nba_assets.entities.relations import at, find, tally
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.tables.spec import Columns

SCORER_POINTS = 18.0
REGULAR_MINUTES, REGULAR_POINTS = 28.0, 12.0
ELITE_POINTS = 25.0
FEWEST_GAMES, ENOUGH_GAMES = 3, 10
RECENT_DAYS = 10


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """Whether players are stars of their teams on each date, and their weight: 3 for an elite scorer, 2 for a scorer, 1
    for any other star.

    A star has played enough games for the team this season (ten, or half of the team's, but at least three) and
    averages 18 points, or 28 minutes and 12 points; the last ten days count where he played in them. `histories` hold
    their `played` games.
    """
    del shared
    played, as_of = _with_teams(requested, histories["played"])
    season, recent = AsOfWindow.season_to_date(played, as_of), AsOfWindow.last_days(played, as_of, RECENT_DAYS)
    lately = recent.games() > 0
    points = np.where(lately, _mean(recent, played["points"]), _mean(season, played["points"]))
    minutes = np.where(
        lately, recent.mean(played["minutes_played"], scale=1), season.mean(played["minutes_played"], scale=1)
    )
    enough = np.maximum(FEWEST_GAMES, np.minimum(ENOUGH_GAMES, requested["team_finals"] / 2))
    star = (season.games() >= enough) & (
        (points >= SCORER_POINTS) | ((minutes >= REGULAR_MINUTES) & (points >= REGULAR_POINTS))
    )
    weight = np.where(points >= ELITE_POINTS, 3.0, np.where(points >= SCORER_POINTS, 2.0, 1.0))
    return Outcome(
        {name: requested[name] for name in ("game_date", "team_abbr", "player_lookup")}
        | {"star": star.astype(np.float64), "star_weight": weight * star}
    )


def _with_teams(requested: Grouped, played: Grouped) -> tuple[Numbered, AsOf]:
    """Games in groups of one player and team, and the group that each requested row looks back on: what a player did
    for another team counts nothing.
    """
    as_of = AsOf.of(requested)
    teams = pd.factorize(np.concatenate([requested["team_abbr"], played["team_abbr"]]))[0]
    pairs = joint(np.concatenate([as_of.entity, played.group]), teams)
    distinct, group = np.unique(pairs, return_inverse=True)
    mine, theirs = group[: len(as_of.entity)], group[len(as_of.entity) :]
    return Numbered.sort(played, theirs, len(distinct), played.date_column), AsOf(mine, as_of.dates, as_of.since)


def _mean(window: AsOfWindow, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return ratio(window.total(points), window.games())


def teammates(members: Columns, stars: Columns, requested: Columns) -> dict[str, NDArray[Any]]:
    """For each requested player, how many of his teammates are stars and out, in doubt, probable; he himself never
    counts.

    `members` are all players of the scheduled teams with their `status`, `requested` some of them.
    """
    if not length(stars):
        stars = {
            "game_date": members["game_date"][:0],
            "player_lookup": members["player_lookup"][:0],
            "star": np.array([]),
            "star_weight": np.array([]),
        }
    place = find((members["game_date"], members["player_lookup"]), (stars["game_date"], stars["player_lookup"]))
    star = at(stars["star"], place) == 1
    status = members["status"]
    out = np.isin(status.astype(str), NOT_PLAYING)
    marks = {
        "star_teammates_out": (star & out).astype(np.float64),
        "questionable_star_teammates": (star & (status == "questionable")).astype(np.float64),
        "star_tier_out": np.where(star & out, at(stars["star_weight"], place), 0.0),
        "questionable_teammates": ((status == "questionable") | (status == "doubtful")).astype(np.float64),
        "probable_teammates": (status == "probable").astype(np.float64),
    }
    team = tally({"game_date": members["game_date"], "team_abbr": members["team_abbr"]}, marks)
    of_team = find((requested["game_date"], requested["team_abbr"]), (team["game_date"], team["team_abbr"]))
    himself = find(
        (requested["game_date"], requested["player_lookup"]), (members["game_date"], members["player_lookup"])
    )
    return {name: at(team[name], of_team) - at(marks[name], himself) for name in marks}
