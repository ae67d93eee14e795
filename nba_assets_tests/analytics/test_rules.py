"""The rules that span columns and rows of the analytics tables: which rows break them, at the values where that
turns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.registry import COMPUTED_TABLES
from nba_assets_tests.analytics.builders import NAN, columns

Case = tuple[str, str, list[dict[str, Any]], list[bool]]


def game(*values: float, column: str) -> list[dict[str, Any]]:
    """One row for each value, all of one game."""
    return [{"game_id": "g", column: value} for value in values]


def both(first: str, second: str, *pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{first: one, second: other} for one, other in pairs]


OFFENSE, DEFENSE, PLAYERS = "team_offense_game_summary", "team_defense_game_summary", "player_game_summary"
TEAM_CONTEXT, PLAYER_CONTEXT = "upcoming_team_game_context", "upcoming_player_game_context"
TWICE = [{"game_id": "g", "team_abbr": team} for team in ("LAL", "BOS")]
CASES: list[Case] = [
    *(
        (table, "margins_cancel", game(10, -10, column="margin_of_victory"), [False, False])
        for table in (OFFENSE, DEFENSE)
    ),
    *(
        (table, "margins_cancel", game(10, -9, column="margin_of_victory"), [True, True])
        for table in (OFFENSE, DEFENSE)
    ),
    *(
        (table, "margins_cancel", game(10, -11, column="margin_of_victory"), [True, True])
        for table in (OFFENSE, DEFENSE)
    ),
    *((table, "one_winner", game(1, 0, column="win_flag"), [False, False]) for table in (OFFENSE, DEFENSE)),
    *((table, "one_winner", game(0, 0, column="win_flag"), [True, True]) for table in (OFFENSE, DEFENSE)),
    *((table, "one_winner", game(1, 1, column="win_flag"), [True, True]) for table in (OFFENSE, DEFENSE)),
    (TEAM_CONTEXT, "one_home_team", game(1, 0, column="home_game"), [False, False]),
    (TEAM_CONTEXT, "one_home_team", game(0, 0, column="home_game"), [True, True]),
    (TEAM_CONTEXT, "one_home_team", game(1, 1, column="home_game"), [True, True]),
    *((table, "two_rows_per_game", TWICE, [False, False]) for table in (OFFENSE, TEAM_CONTEXT)),
    *((table, "two_rows_per_game", TWICE[:1], [True]) for table in (OFFENSE, TEAM_CONTEXT)),
    *((table, "two_rows_per_game", TWICE[:1] * 2, [True, True]) for table in (OFFENSE, TEAM_CONTEXT)),
    *(
        (
            table,
            "makes_within_attempts",
            both("fg_makes", "fg_attempts", (9, 10), (10, 10), (11, 10), (NAN, 10)),
            [False, False, True, False],
        )
        for table in (OFFENSE, PLAYERS)
    ),
    (
        OFFENSE,
        "rebounds_add_up",
        [{"rebounds": total, "offensive_rebounds": 10, "defensive_rebounds": 35} for total in (44, 45, 46, NAN)],
        [True, False, True, False],
    ),
    (
        PLAYERS,
        "points_add_up",
        [{"points": points, "fg_makes": 10, "three_pt_makes": 2, "ft_makes": 3} for points in (24, 25, 26, NAN)],
        [True, False, True, False],
    ),
    *(
        (
            table,
            "opponents_differ",
            both("team_abbr", "opponent_team_abbr", ("LAL", "BOS"), ("LAL", "LAL")),
            [False, True],
        )
        for table in (PLAYERS, PLAYER_CONTEXT)
    ),
    (
        DEFENSE,
        "opponents_differ",
        both("defending_team_abbr", "opponent_team_abbr", ("LAL", "BOS"), ("LAL", "LAL")),
        [False, True],
    ),
    (
        PLAYERS,
        "dnp_not_counted",
        both("is_dnp", "points", (1, 1), (1, 0), (0, 1), (1, NAN)),
        [True, False, False, False],
    ),
    (
        TEAM_CONTEXT,
        "one_streak",
        both("team_win_streak_entering", "team_loss_streak_entering", (1, 1), (1, 0), (0, 1)),
        [True, False, False],
    ),
    (
        PLAYER_CONTEXT,
        "one_streak",
        both("prop_over_streak", "prop_under_streak", (1, 1), (1, 0), (0, 1)),
        [True, False, False],
    ),
    (
        TEAM_CONTEXT,
        "fourteen_days_hold_seven",
        both("games_in_last_14_days", "games_in_last_7_days", (3, 3), (3, 4), (4, 3)),
        [False, True, False],
    ),
    *(
        (PLAYER_CONTEXT, "ten_to_eighteen_players", [{"game_id": "g", "team_abbr": "LAL"}] * size, [odd] * size)
        for size, odd in ((9, True), (10, False), (18, False), (19, True))
    ),
]


@pytest.mark.parametrize(
    ("table", "name", "rows", "broken"), CASES, ids=[f"{table}-{name}" for table, name, *_ in CASES]
)
def test_which_rows_break_a_rule(table: str, name: str, rows: list[dict[str, Any]], broken: list[bool]) -> None:
    (rule,) = (rule for rule in COMPUTED_TABLES[table].rules if rule.name == name)
    assert np.asarray(rule.broken(columns(rows))).tolist() == broken


def test_every_rule_of_an_analytics_table_is_tried() -> None:
    tables = (OFFENSE, DEFENSE, PLAYERS, TEAM_CONTEXT, PLAYER_CONTEXT)
    declared = {(table, rule.name) for table in tables for rule in COMPUTED_TABLES[table].rules}
    assert declared - {(table, name) for table, name, *_ in CASES} == {(DEFENSE, "two_rows_per_game")}, (
        "whose team column has another name"
    )
