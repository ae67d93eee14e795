"""The league's shooting by zone before a date: golden cases, whom it counts, and when it falls back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.entities.groups import Grouped
from nba_assets.precompute.league_averages import LeagueAverages
from nba_assets.precompute.zones import ZONES
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.precompute.builders import LAST_SEASON, OPENING, TONIGHT, Row, days_ago

USUAL = (0.580, 0.410, 0.355)
LATELY = [days_ago(number) for number in range(1, 30, 3)]
"""Ten days of the last thirty."""
LONG_AGO = [days_ago(number) for number in range(40, 70, 3)]
"""Ten days of the season before them."""


def game(
    team: str,
    day: np.datetime64,
    paint: int = 585,
    mid_range: int = 415,
    three_pt: int = 358,
    attempts: int = 1000,
    **changes: Any,
) -> Row:
    """One game that a team defended, by what it allowed to be made."""
    makes = {"opp_paint_makes": paint, "opp_mid_range_makes": mid_range, "opp_three_pt_makes": three_pt}
    return {
        "defending_team_abbr": team,
        "game_date": day,
        **makes,
        **{f"opp_{zone}_attempts": attempts for zone in ZONES},
        **changes,
    }


def games(teams: int, days: Sequence[np.datetime64] = LATELY, first: int = 0, **changes: Any) -> list[Row]:
    return [game(f"T{number:02d}", day, **changes) for number in range(first, first + teams) for day in days]


def averages(rows: Sequence[Row], days: Sequence[np.datetime64] = (TONIGHT,)) -> LeagueAverages:
    table = (
        columns(list(rows)) if rows else {name: values[:0] for name, values in columns([game("T00", TONIGHT)]).items()}
    )
    as_of = np.array(days, dtype="M8[D]")
    return LeagueAverages.of(Grouped.by(table, "defending_team_abbr", "game_date"), as_of, np.full(len(days), OPENING))


def found(rows: Sequence[Row]) -> tuple[tuple[float, ...], int]:
    """Shares by zone but for the last bits, and number of teams."""
    result = averages(rows)
    return tuple(round(float(result.pct[zone][0]), 12) for zone in ZONES), int(result.teams[0])


def test_mean_of_twenty_five_teams() -> None:
    assert found(games(25)) == ((0.585, 0.415, 0.358), 25)


@pytest.mark.parametrize("teams", [0, 8, 9])
def test_the_usual_figures_stand_in_for_fewer_than_ten_teams(teams: int) -> None:
    assert found(games(teams)) == (USUAL, 0)


def test_ten_teams_are_a_league() -> None:
    assert found(games(10)) == ((0.585, 0.415, 0.358), 10)


def test_every_team_counts_alike_however_many_shots_it_saw() -> None:
    shares, _ = found([*games(9, paint=500), *games(1, first=9, paint=7_000, attempts=10_000)])
    assert shares[0] == pytest.approx((9 * 0.5 + 0.7) / 10, abs=1e-12)


def test_a_result_of_the_date_itself_changes_nothing() -> None:
    absurd = [
        game(f"T{number:02d}", day, paint=0, mid_range=0, three_pt=0)
        for number in range(12)
        for day in (TONIGHT, days_ago(-1))
    ]
    assert found([*games(12), *absurd]) == found(games(12))


@pytest.mark.parametrize(("age", "paint"), [(30, 0.585), (31, 0.111)])
def test_the_window_is_thirty_days(age: int, paint: float) -> None:
    """The tenth game of every team is of the last thirty days, or it is not; then the season decides, which another ten
    teams dominate.
    """
    rows = games(12, [*LATELY[:9], days_ago(age)])
    season = games(500, LONG_AGO, first=100, paint=111)
    assert found([*rows, *season])[0][0] == pytest.approx(paint, abs=0.02)


def test_a_team_with_nine_games_in_thirty_days_does_not_count() -> None:
    shares, teams = found([*games(11), *games(3, LATELY[:9], first=20, paint=0)])
    assert (shares[0], teams) == (0.585, 11)


@pytest.mark.parametrize("zone", ZONES)
def test_a_team_without_one_of_its_zones_counts_in_none(zone: str) -> None:
    unknown: Row = {f"opp_{zone}_attempts": NAN}
    blind = games(2, first=20, paint=0, mid_range=0, three_pt=0, **unknown)
    assert found([*games(11), *blind]) == ((0.585, 0.415, 0.358), 11)
    never: Row = {f"opp_{zone}_attempts": 0}
    idle = games(2, first=20, paint=0, mid_range=0, three_pt=0, **never)
    assert found([*games(11), *idle]) == ((0.585, 0.415, 0.358), 11)


def test_games_without_zones_count_towards_the_ten_but_not_in_the_shares() -> None:
    blank: Row = {f"opp_{zone}_{what}": NAN for zone in ZONES for what in ("makes", "attempts")}
    assert found([*games(10, LATELY[:4]), *games(10, LATELY[4:], **blank)]) == ((0.585, 0.415, 0.358), 10)


def test_play_offs_are_measured_by_the_season() -> None:
    """Eight teams still play: too few for the last thirty days, but the season knows all thirty."""
    shares, teams = found([*games(8, paint=900), *games(30, LONG_AGO)])
    assert teams == 30
    assert shares[0] == pytest.approx((8 * (900 + 585) / 2 + 22 * 585) / 30 / 1000, abs=1e-12)


def test_a_season_of_fewer_than_ten_such_teams_is_no_measure_either() -> None:
    assert found([*games(5), *games(9, LONG_AGO), *games(20, LONG_AGO[:9], first=30)]) == (USUAL, 0)


def test_another_season_is_another_league() -> None:
    last_spring = [LAST_SEASON - np.timedelta64(number, "D") for number in range(20)]
    assert found(games(30, last_spring)) == (USUAL, 0)
    assert found([*games(12), *games(12, last_spring, paint=0)]) == found(games(12))


def test_early_in_the_season_thirty_days_do_not_reach_into_the_last_one() -> None:
    day = OPENING + np.timedelta64(14, "D")
    before = [OPENING - np.timedelta64(number, "D") for number in range(1, 11)]
    assert averages(games(12, before), [day]).teams.tolist() == [0]
    after = [OPENING + np.timedelta64(number, "D") for number in range(10)]
    assert averages(games(12, after), [day]).teams.tolist() == [12]


def test_each_date_has_its_own_average() -> None:
    days = [days_ago(35), TONIGHT]
    rows = [*games(12, LONG_AGO, paint=400), *games(12, paint=600)]
    together = averages(rows, days)
    assert together.pct["paint"].round(12).tolist() == [0.4, 0.6]
    assert together.at("paint", np.array(days[::-1], dtype="M8[D]")).round(12).tolist() == [0.6, 0.4]
    for place, day in enumerate(days):
        assert averages(rows, [day]).pct["paint"].tolist() == [together.pct["paint"][place]]


@settings(max_examples=25)
@given(st.lists(st.integers(1, 999), min_size=10, max_size=14), st.randoms(use_true_random=False))
def test_names_of_teams_and_of_those_left_out_do_not_move_the_last_bit(makes: list[int], random: Any) -> None:
    shuffled = makes.copy()
    random.shuffle(shuffled)

    def league(shares: list[int]) -> list[Row]:
        return [game(f"T{number:02d}", day, paint=share) for number, share in enumerate(shares) for day in LATELY]

    left_out = games(2, LATELY[:3], first=90)
    one, other = averages(league(makes)).pct, averages([*league(shuffled), *left_out]).pct
    assert [one[zone].tolist() for zone in ZONES] == [other[zone].tolist() for zone in ZONES]
    assert one["paint"][0] == pytest.approx(sum(makes) / len(makes) / 1000, abs=1e-12)
