"""Who belongs to a team's usual five, and who of them is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.starters import count_missing, recent_starts


def test_two_games_of_a_team_on_one_date_have_a_row_of_their_own_each() -> None:
    """No team plays twice a day, but a schedule may say so; what it costs is for the table's checks to say."""
    players = np.array(["one", "two"], dtype=object)
    usual = np.array([[True, False], [True, True], [True, True]])
    requested = {"game_date": np.array(["2024-11-13", "2024-11-14", "2024-11-14"], dtype="M8[D]")}
    missing = {
        "game_date": np.array(["2024-11-13", "2024-11-14", "2024-11-14", "2024-11-15"], dtype="M8[D]"),
        "player_lookup": np.array(["two", "one", "stranger", "one"], dtype=object),
    }
    assert count_missing(players, usual, missing, requested).tolist() == [0, 1, 1]


def days(*offsets: int) -> NDArray[np.datetime64]:
    return np.datetime64("2024-12-01") + np.array(offsets, dtype="m8[D]")


def test_starts_are_those_in_the_last_ten_finals_before_the_date() -> None:
    finals = {"game_id": np.array([f"g{place}" for place in range(12)], dtype=object), "game_date": days(*range(12))}
    started = [(f"g{place}", "always") for place in range(12)] + [
        ("g1", "early"),
        ("g2", "early"),
        ("g11", "late"),
        ("elsewhere", "late"),
    ]
    starts = {
        name: np.array(values, dtype=object)
        for name, values in zip(("game_id", "player_lookup"), zip(*started, strict=True), strict=True)
    }
    as_of, since = days(12, 11, 1, 0), np.full(4, days(0)[0])
    players, counts, games = recent_starts(finals, starts, as_of, since)
    assert players.tolist() == ["always", "early", "late"]
    assert counts.tolist() == [[10, 1, 1], [10, 2, 0], [1, 0, 0], [0, 0, 0]]
    assert games.tolist() == [10, 10, 1, 0]
    _, of_the_season, _ = recent_starts(finals, starts, days(12), days(11))
    assert of_the_season.tolist() == [[1, 0, 1]]
