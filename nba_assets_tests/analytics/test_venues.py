"""Where a team is at home in a season, by counting its home games one by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.analytics.venues import season_homes
from nba_assets.basketball.teams import TEAMS

TAMPA, TORONTO, NOWHERE = (27.94, -82.45, "America/New_York"), (43.64, -79.38, None), (np.nan, np.nan, None)
BOSTON = (TEAMS["BOS"].arena_latitude, TEAMS["BOS"].arena_longitude, TEAMS["BOS"].arena_timezone)

GAMES = st.lists(
    st.tuples(
        st.sampled_from([2020, 2021]),
        st.sampled_from([("TOR", "BOS"), ("BOS", "TOR"), ("TOR", "LAL")]),
        st.integers(0, 3),
        st.booleans(),
        st.sampled_from([TAMPA, TORONTO, NOWHERE]),
    ),
    max_size=12,
)


def columns(games: list[Any]) -> dict[str, Any]:
    seasons, teams, days, regular, places = zip(*games, strict=True) if games else ([],) * 5
    latitudes, longitudes, zones = zip(*places, strict=True) if places else ([],) * 3
    return {
        "season_year": np.array(seasons, dtype=np.float64),
        "home_team_abbr": np.array([home for home, _ in teams], dtype=object),
        "away_team_abbr": np.array([away for _, away in teams], dtype=object),
        "game_date": np.datetime64("2021-01-01", "D") + np.array(days, dtype=np.int64),
        "is_regular_season": np.array(regular, dtype=np.float64),
        "arena_latitude": np.array(latitudes, dtype=np.float64),
        "arena_longitude": np.array(longitudes, dtype=np.float64),
        "arena_timezone": np.array(zones, dtype=object),
    }


def found(games: list[Any]) -> dict[tuple[float, str], tuple[Any, ...]]:
    homes = season_homes(columns(games))
    names = ("season_year", "team_abbr", "arena_latitude", "arena_longitude", "arena_timezone")
    rows = list(zip(*(homes[name].tolist() for name in names), strict=True))
    assert len({row[:2] for row in rows}) == len(rows)
    return {(year, team): tuple(place) for year, team, *place in rows}


def counted(games: list[Any]) -> dict[tuple[float, str], tuple[Any, ...]]:
    there = {(season, team) for season, teams, *_ in games for team in teams}
    homes = {}
    for season, team in there:
        mine = [
            (day, place)
            for year, (home, _), day, regular, place in games
            if (year, home) == (season, team) and regular and place is not NOWHERE
        ]
        numbers = Counter(place for _, place in mine)
        usual = TEAMS[team].arena_latitude, TEAMS[team].arena_longitude, TEAMS[team].arena_timezone
        # Of as many games in two arenas the first one decides, of two on one day the southern one.
        best = min(mine, key=lambda one: (-numbers[one[1]], one[0], one[1][0]), default=(0, usual))
        homes[season, team] = best[1]
    return homes


@given(GAMES)
def test_home_is_where_most_home_games_of_the_regular_season_are(games: list[Any]) -> None:
    assert found(games) == counted(games)


@given(GAMES, st.randoms())
def test_the_order_of_the_games_is_of_no_account(games: list[Any], random: Any) -> None:
    assert found(random.sample(games, len(games))) == found(games)


@pytest.mark.parametrize("numbers", [(3, 1), (1, 3)])
def test_toronto_is_at_home_where_it_mostly_plays(numbers: tuple[int, int]) -> None:
    games: list[Any] = [(2020, ("TOR", "BOS"), day, True, TAMPA) for day in range(numbers[0])]
    games += [(2020, ("TOR", "BOS"), day, True, TORONTO) for day in range(numbers[1])]
    assert found(games) == {
        (2020, "TOR"): max(zip(numbers, (TAMPA, TORONTO), strict=True), key=lambda one: one[0])[1],
        (2020, "BOS"): BOSTON,
    }
