"""Sums over a player's teammates of a date."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.precompute.teammates import of_teammates, sum_of_teammates
from nba_assets_tests.analytics.builders import NAN

DAY = np.datetime64("2025-01-20")


def test_his_own_mean_and_those_of_other_teams_and_dates_count_nothing() -> None:
    players = {
        "game_date": np.array([DAY, DAY, DAY, DAY, DAY + 1]),
        "team_abbr": np.array(["LAL", "LAL", "BOS", "LAL", "LAL"], dtype=object),
    }
    found = sum_of_teammates(players, np.array([30.0, 20.5, 7.0, NAN, 9.0]))
    assert found.tolist() == [20.5, 30.0, 0.0, 50.5, 0.0]


def test_of_whom_the_cache_does_not_know_his_context_tells() -> None:
    players = {
        "game_date": np.array([DAY] * 4),
        "team_abbr": np.array(["LAL"] * 4, dtype=object),
        "player_daily_cache.minutes_avg_last_10": np.array([10.0, NAN, NAN, 30.0]),
        "player_daily_cache.points_avg_season": np.array([5.0, NAN, NAN, 20.0]),
        "upcoming_player_game_context.minutes_in_last_14_days": np.array([1.0, 100.0, 0.0, 1.0]),
        "upcoming_player_game_context.games_in_last_14_days": np.array([1.0, 3.0, 0.0, 1.0]),
        "upcoming_player_game_context.points_avg_last_10": np.array([1.0, 7.5, NAN, 1.0]),
    }
    found = of_teammates(players)
    assert found["teammates.minutes"].tolist() == [63.3333, 40.0, 73.3333, 43.3333]
    assert found["teammates.points"].tolist() == [27.5, 25.0, 32.5, 12.5]


def test_of_no_players_there_are_no_sums() -> None:
    nobody = {"game_date": np.array([], dtype="datetime64[D]"), "team_abbr": np.array([], dtype=object)}
    assert sum_of_teammates(nobody, np.array([])).tolist() == []


@given(st.lists(st.tuples(st.sampled_from(["LAL", "BOS"]), st.integers(0, 480_000)), max_size=20), st.randoms())
def test_sums_are_exact_in_any_order(team_units: list[tuple[str, int]], random: object) -> None:
    def sums(rows: list[tuple[str, int]]) -> dict[tuple[str, int], float]:
        players = {
            "game_date": np.full(len(rows), DAY),
            "team_abbr": np.array([team for team, _ in rows], dtype=object),
        }
        found = sum_of_teammates(players, np.array([units / 10_000 for _, units in rows], dtype=float))
        return dict(zip(rows, found.tolist(), strict=True))

    expected = {
        (team, units): (sum(other for mine, other in team_units if mine == team) - units) / 10_000
        for team, units in team_units
    }
    assert sums(team_units) == sums(team_units[::-1]) == expected
