"""How well the whole league shoots from each zone before a date: what a team's defence is measured against."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats
from nba_assets.entities.groups import Grouped
from nba_assets.entities.relations import at, find
from nba_assets.entities.windows import AsOf, AsOfWindow, Dates
from nba_assets.precompute.zones import ZONES, allowed_pct, known_games

RECENT_DAYS = 30
FEWEST_GAMES, FEWEST_TEAMS = 10, 10
USUAL_PCT: Mapping[str, float] = {"paint": 0.580, "mid_range": 0.410, "three_pt": 0.355}
"""Stands in where too few teams have played enough."""


@dataclass(frozen=True, eq=False)
class LeagueAverages:
    """The league's shooting by zone on each of some dates (fractions), and how many teams it is the mean of; 0 teams
    are the usual figures.
    """

    days: Dates
    pct: Mapping[str, Floats]
    teams: NDArray[np.int64]

    @classmethod
    def of(cls, defense: Grouped, days: Dates, since: Dates) -> LeagueAverages:
        """From the games that every team defended (`opp_{zone}_makes`, `opp_{zone}_attempts`), for `days` with the
        first day `since` of their season.

        Unweighted mean over teams with at least 10 games in the 30 days before the date; where fewer than 10 teams have
        them (play-offs), in the season to date; where fewer than 10 have them even there, the usual figures.
        """
        recent, season = _team_pcts(defense, days, since, recent=True), _team_pcts(defense, days, since, recent=False)
        pct = {zone: np.empty(len(days)) for zone in ZONES}
        teams = np.zeros(len(days), dtype=np.int64)
        for place in range(len(days)):
            for sample in (recent, season):
                counted = ~np.isnan(sample[:, place, :]).any(axis=1)
                teams[place] = counted.sum()
                if teams[place] >= FEWEST_TEAMS:
                    break
            else:
                teams[place] = 0
            for number, zone in enumerate(ZONES):
                # An exact sum: the mean does not depend on the order of the teams, nor on how many had to be left out.
                pct[zone][place] = (
                    math.fsum(sample[counted, place, number]) / teams[place] if teams[place] else USUAL_PCT[zone]
                )
        return cls(days, pct, teams)

    def at(self, zone: str, as_of: Dates) -> Floats:
        """The league's figure for a zone on each date."""
        return at(self.pct[zone], find((as_of,), (self.days,)))


def _team_pcts(defense: Grouped, days: Dates, since: Dates, *, recent: bool) -> Floats:
    """What each team allowed by zone, as (teams, dates, zones); NaN where it has not played enough."""
    shape = len(defense.entities), len(days)
    team, place = np.divmod(np.arange(shape[0] * shape[1]), len(days))
    as_of = AsOf(team, days[place], since[place])
    window = AsOfWindow.last_days(defense, as_of, RECENT_DAYS) if recent else AsOfWindow.season_to_date(defense, as_of)
    enough = window.games() >= FEWEST_GAMES
    pcts = [
        np.where(enough, allowed_pct(defense, zone, known_games(defense, zone, window)), np.nan).reshape(shape)
        for zone in ZONES
    ]
    return np.stack(pcts, axis=-1)
