"""What is known of each team on each date with games: form over its last ten games, travel, rest and the schedule
ahead.

Team-level parts of a player's context, computed once per team and date and joined to his own and to the opposing team.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.basketball.travel import great_circle_miles, utc_offset_hours, zones_crossed
from nba_assets.entities.groups import Grouped, joint, moments
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.relations import at, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow, Dates
from nba_assets.tables.spec import Columns

FORM_GAMES = 10
TRAVEL_DAYS = 14
WIN_PCT_DAYS = 90
AHEAD_DAYS = 7
ONE_DAY = np.timedelta64(1, "D")

OFFENSE_COLUMNS = ("game_date", "team_abbr", "pace", "offensive_rating", "rebounds", "possessions_est")
DEFENSE_COLUMNS = (
    "game_date",
    "defending_team_abbr",
    "defensive_rating",
    "opp_ft_attempts",
    "opponent_possessions_est",
)


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """The facts of some teams on all requested dates; `histories` are their games `behind` each date, their `scheduled`
    ones, their `offense` and their `defense` rows.

    See `season_games` for the games.
    """
    del shared
    games, as_of = histories["behind"], AsOf.of(requested)
    return Outcome(
        {name: requested[name] for name in ("game_date", "team_abbr")}
        | _form(as_of, histories["offense"], histories["defense"])
        | _road(requested, as_of, games)
        | _ahead(requested, as_of, histories["scheduled"])
        | _results(as_of, games)
    )


def none() -> dict[str, NDArray[Any]]:
    """The facts of nobody: all columns, no rows."""
    texts = ("team_abbr", "next_opponent_team_abbr")
    return {
        "game_date": np.array([], dtype="M8[D]"),
        **{name: np.array([], dtype=object) for name in texts},
        **{name: np.array([]) for name in NUMBERS},
    }


NUMBERS = (
    *(
        "pace",
        "pace_tenths",
        "ten_pace_games",
        "pace_spread",
        "off_rating",
        "off_rating_spread",
        "def_rating",
        "def_rating_spread",
    ),
    *("ft_rate", "ft_rate_spread", "rebounding_rate", "rebounding_rate_spread"),
    *(
        "travel_miles",
        "time_zone_changes",
        "miles_traveled_last_14_days",
        "time_zones_crossed_last_14_days",
        "consecutive_road_games",
    ),
    *("next_game_days_rest", "games_in_next_7_days", "next_game_is_primetime", "days_rest", "finals_played", "win_pct"),
)


def _form(as_of: AsOf, offense: Grouped, defense: Grouped) -> dict[str, NDArray[Any]]:
    """Means and spreads over a team's last ten games of the season."""
    attack, guard = (AsOfWindow.last_games(games, as_of, FORM_GAMES) for games in (offense, defense))
    ft_rate = ratio(100 * defense["opp_ft_attempts"], defense["opponent_possessions_est"])
    rebound_rate = ratio(100 * offense["rebounds"], offense["possessions_est"])
    both_known = ~np.isnan(offense["rebounds"] + offense["possessions_est"])
    possessions = attack.only(both_known).total(np.rint(100 * offense["possessions_est"]))
    return {
        "pace": attack.mean(offense["pace"], scale=1),
        "pace_tenths": attack.total(np.rint(10 * offense["pace"])),
        "ten_pace_games": 10.0 * attack.known(offense["pace"]),
        "pace_spread": attack.sample_std(offense["pace"], scale=1),
        "off_rating": attack.mean(offense["offensive_rating"], scale=2),
        "off_rating_spread": attack.sample_std(offense["offensive_rating"], scale=2),
        "def_rating": guard.mean(defense["defensive_rating"], scale=2),
        "def_rating_spread": guard.sample_std(defense["defensive_rating"], scale=2),
        "ft_rate": guard.mean(ft_rate),
        "ft_rate_spread": spread(guard, ft_rate),
        # Rebounds per 100 possessions, of possessions in hundredths.
        "rebounding_rate": ratio(10_000 * attack.only(both_known).total(offense["rebounds"]), possessions),
        "rebounding_rate_spread": spread(attack, rebound_rate),
    }


def spread(window: AsOfWindow, values: Floats) -> Floats:
    """Sample standard deviation of values that are no decimals of a fixed scale, from their deviations; NaN below
    two.
    """
    seen = window.gather(values)
    known = window.known(values)
    deviations = seen - window.mean(values)[:, np.newaxis]
    return np.where(known > 1, np.sqrt(ratio(np.nansum(deviations * deviations, axis=1), known - 1.0)), np.nan)


def _road(requested: Columns, as_of: AsOf, games: Grouped) -> dict[str, NDArray[Any]]:
    """Where a team comes from: the leg to tonight, legs of the last two weeks, road games in a row.

    What an unknown arena is part of is NaN.
    """
    season = AsOfWindow.season_to_date(games, as_of)
    first = season.games() == 0
    latitude = np.where(first, requested["home_latitude"], season.newest(games["arena_latitude"]))
    longitude = np.where(first, requested["home_longitude"], season.newest(games["arena_longitude"]))
    origin_zone = text_where(first, requested["home_timezone"], season.newest(games["arena_timezone"]))
    origin, destination = (utc_offset_hours(zone, as_of.dates) for zone in (origin_zone, requested["arena_timezone"]))
    recent = AsOfWindow.last_days(games, as_of, TRAVEL_DAYS)
    away_before = season.leading_run(games["home_game"] == 0)
    miles, zones = _legs(recent, games, as_of.dates)
    return {
        "travel_miles": great_circle_miles(
            latitude, longitude, requested["arena_latitude"], requested["arena_longitude"]
        ),
        "time_zone_changes": zones_crossed(origin, destination),
        "miles_traveled_last_14_days": miles,
        "time_zones_crossed_last_14_days": zones,
        "consecutive_road_games": np.where(requested["home_game"] == 0, away_before + 1.0, 0.0),
    }


def _legs(recent: AsOfWindow, games: Grouped, dates: Dates) -> tuple[Floats, Floats]:
    """Miles and time zones of the legs between consecutive games that both lie within the window; each leg is rounded,
    then they are summed.
    """
    first, second = recent.rows[:, :-1], recent.rows[:, 1:]
    real = (first >= 0) & (second >= 0)
    size = len(games.dates)
    if not size or not real.any():
        return np.zeros(len(dates)), np.zeros(len(dates))
    latitude, longitude = games["arena_latitude"], games["arena_longitude"]
    place = np.arange(1, size)
    # A leg belongs to the game it leads to; no window has the leg to its own first game.
    leg = np.append(
        np.append(
            0.0, great_circle_miles(latitude[place - 1], longitude[place - 1], latitude[place], longitude[place])
        ),
        0.0,
    )
    miles = np.where(real, leg[second], 0.0).sum(axis=1)
    days = np.broadcast_to(dates[:, np.newaxis], real.shape)[real]
    zone = games["arena_timezone"]
    crossed = np.zeros(real.shape)
    crossed[real] = zones_crossed(utc_offset_hours(zone[first[real]], days), utc_offset_hours(zone[second[real]], days))
    return miles, crossed.sum(axis=1)


def _ahead(requested: Columns, as_of: AsOf, games: Grouped) -> dict[str, NDArray[Any]]:
    """The published schedule after the date, to the season's end: regular-season games only, and unknown on play-in and
    play-off dates.

    The schedule of the play-offs gives results away; that of the next season belongs to the next season.
    """
    regular = games.where(games["is_regular_season"] == 1)
    hidden = requested["is_playoff_date"] == 1
    today, week_later = (moments(as_of.entity, days) for days in (as_of.dates, as_of.dates + AHEAD_DAYS * ONE_DAY))
    seasons = joint(regular.group, regular["season_year"].astype(np.int64))
    end = np.searchsorted(seasons, joint(as_of.entity, requested["season_year"].astype(np.int64)), side="right")
    start = np.searchsorted(regular.moments, today, side="right")
    stop = np.minimum(np.searchsorted(regular.moments, week_later, side="right"), np.maximum(start, end))
    place = np.where(start < end, start, -1)
    following = at(regular.dates, place)
    none = hidden | np.isnat(following)
    primetime = at(regular["is_primetime"], place)
    opponent = at(regular["opponent_team_abbr"], place)
    opponent[none] = None
    return {
        "next_game_days_rest": np.where(none, np.nan, (following - as_of.dates) / ONE_DAY),
        "games_in_next_7_days": np.where(hidden, np.nan, (stop - start).astype(np.float64)),
        "next_game_is_primetime": np.where(none, np.nan, primetime),
        "next_opponent_team_abbr": opponent,
    }


def _results(as_of: AsOf, games: Grouped) -> dict[str, NDArray[Any]]:
    """Rest since the last game, finals of the season, share of wins in the last ninety days."""
    final = games["is_final"] == 1
    season = AsOfWindow.season_to_date(games, as_of)
    lately = AsOfWindow.last_days(games, as_of, WIN_PCT_DAYS).only(final)
    return {
        "days_rest": (as_of.dates - season.newest(games.dates)) / ONE_DAY,
        "finals_played": season.only(final).games().astype(np.float64),
        "win_pct": lately.share(games["margin"] > 0),
    }
