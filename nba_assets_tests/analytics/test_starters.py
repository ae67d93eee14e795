"""Who belongs to a team's usual five, and who of them is missing."""

from __future__ import annotations

import numpy as np

from nba_assets.analytics.starters import count_missing


def test_two_games_of_a_team_on_one_date_have_a_row_of_their_own_each() -> None:
    """No team plays twice a day, but a schedule may say so; what it costs is for the table's checks to say."""
    players = np.array(["one", "two"], dtype=object)
    usual = np.array([[True, False], [True, True], [True, True]])
    asked = {"game_date": np.array(["2024-11-13", "2024-11-14", "2024-11-14"], dtype="M8[D]")}
    missing = {
        "game_date": np.array(["2024-11-13", "2024-11-14", "2024-11-14", "2024-11-15"], dtype="M8[D]"),
        "player_lookup": np.array(["two", "one", "stranger", "one"], dtype=object),
    }
    assert count_missing(players, usual, missing, asked).tolist() == [0, 1, 1]
