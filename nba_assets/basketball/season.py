"""Seasons: which one a date belongs to, when it opened, and how far into it a date is.

A season is named by the year in which it begins: 2021 is 2021-22.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Dates = NDArray[np.datetime64]
Ints = NDArray[np.int64]

FIRST_MONTH = 10
BOUNDARY_MONTHS = (10, 11, 4)
BOOTSTRAP_DAYS = 30
USUAL_OPENING_DAY = 22
"""Of October: stands for the opening night of a season whose schedule is not known."""
LONGEST_SEASON_DAYS = 366
"""As far around a date the schedule is read to know its season."""
LONGEST_SEASON_YEAR_DAYS = 480
"""As far before a date a season's registry may stand, which is dated by `first_of_july`: the last game of 2019-20 was
468 days after it.
"""


def season_year(dates: Dates) -> Ints:
    """Season of each date by its month alone: from October on the year itself, before it the year before.

    Example: 2021-10-19 and 2022-06-16 are of season 2021.
    """
    return _years(dates) - (_months(dates) < FIRST_MONTH)


def first_of_july(seasons: NDArray[Any]) -> Dates:
    """The date under which stands what belongs to a season as a whole, before its first game.

    Example: 2021 is 2021-07-01.
    """
    return (12 * (seasons.astype(np.int64) - 1970) + 6).astype("M8[M]").astype("M8[D]")


def season_label(season_year: int) -> str:
    """How people write a season. Example: 2021 is "2021-22"."""
    return f"{season_year}-{(season_year + 1) % 100:02d}"


@dataclass(frozen=True, eq=False)
class SeasonCalendar:
    """The seasons that a schedule tells of; dates that it does not cover go by the usual months.

    `game_dates` are the distinct dates with games in ascending order, `season_years` the season of each;
    `opening_nights` holds the first regular-season date of each of `opened_seasons`, ascending, `last_dates` the date
    of its last game. Methods take and return arrays of one length.
    """

    game_dates: Dates
    season_years: Ints
    opened_seasons: Ints
    opening_nights: Dates
    last_dates: Dates

    @classmethod
    def from_schedule(
        cls, game_date: Dates, season_year: NDArray[Any], is_regular_season: NDArray[Any]
    ) -> SeasonCalendar:
        """The calendar of the games of a schedule, given as three columns of one length, in any order.

        An exhibition before its season's opening night says nothing while an earlier season is still played.
        """
        dates, years = game_date.astype("M8[D]"), season_year.astype(np.int64)
        order = np.lexsort([years, dates])
        dates, years, regular = dates[order], years[order], is_regular_season[order] == 1
        opened_seasons, opening_games = np.unique(years[regular], return_index=True)
        opening_nights = dates[regular][opening_games]
        last_dates = np.array([dates[years == year][-1] for year in opened_seasons], dtype="M8[D]")
        early = np.zeros(len(dates), dtype=bool)
        for number, (year, opening) in enumerate(zip(opened_seasons, opening_nights, strict=True)):
            if number:
                early |= (years == year) & (dates < opening) & (dates <= last_dates[:number].max())
        dates, years = dates[~early], years[~early]
        # Read backwards, so that of several seasons on one date the newest counts.
        game_dates, newest_games = np.unique(dates[::-1], return_index=True)
        return cls(game_dates, years[::-1][newest_games], opened_seasons, opening_nights, last_dates)

    def season_of(self, dates: Dates) -> Ints:
        """Season of the newest game on or before each date; by the month before the first known game.

        Example: 2020-12-22 opened season 2020, and 2020-10-11 was still of season 2019.
        """
        newest = np.searchsorted(self.game_dates, dates, side="right") - 1
        known = newest >= 0
        years = season_year(dates)
        years[known] = self.season_years[newest[known]]
        return years

    def season_during(self, dates: Dates) -> Ints:
        """Season in whose course each date lies, from its opening night to its last game; by the month before and
        after.

        For what feeds date without naming a season: unlike `season_of`, it does not depend on which other seasons are
        known. Example: 2020-10-05 is of season 2019, whose last game was on 2020-10-11, and 2020-12-20 of season 2020.
        """
        years = season_year(dates)
        newest = np.searchsorted(self.opening_nights, dates, side="right") - 1
        during = newest >= 0
        during[during] = dates[during] <= self.last_dates[newest[during]]
        years[during] = self.opened_seasons[newest[during]]
        return years

    def opening_night(self, dates: Dates) -> Dates:
        """First regular-season date of each date's season; 22 October where the schedule has none."""
        return self._opening_night_or(dates, USUAL_OPENING_DAY)

    def first_day(self, dates: Dates) -> Dates:
        """First date of windows over each date's season: opening night, or 1 October where the schedule has none."""
        return self._opening_night_or(dates, 1)

    def days_into_season(self, dates: Dates) -> Ints:
        """Days since opening night: 0 on the night itself, negative before it."""
        return (dates.astype("M8[D]") - self.opening_night(dates)).astype(np.int64)

    def is_bootstrap(self, dates: Dates, days: int = BOOTSTRAP_DAYS) -> NDArray[np.bool_]:
        """Whether each date is one of the first `days` days of its season, opening night included."""
        elapsed = self.days_into_season(dates)
        return (elapsed >= 0) & (elapsed < days)

    @staticmethod
    def is_boundary(dates: Dates) -> NDArray[np.bool_]:
        """Whether each date falls in a month in which seasons begin or end: October, November, April."""
        return np.isin(_months(dates), BOUNDARY_MONTHS)

    def _opening_night_or(self, dates: Dates, day_of_october: int) -> Dates:
        years = self.season_of(dates)
        octobers = (12 * (years - 1970) + FIRST_MONTH - 1).astype("M8[M]")
        nights = (octobers.astype("M8[D]").astype(np.int64) + day_of_october - 1).astype("M8[D]")
        known = np.isin(years, self.opened_seasons)
        nights[known] = self.opening_nights[np.searchsorted(self.opened_seasons, years[known])]
        return nights


def _years(dates: Dates) -> Ints:
    return dates.astype("M8[Y]").astype(np.int64) + 1970


def _months(dates: Dates) -> Ints:
    return dates.astype("M8[M]").astype(np.int64) % 12 + 1
