"""Rows of team_defense_game_summary: points by zone, and how far their sources are trusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.team_defense_game_summary import TABLE, compute
from nba_assets.tables.spec import Type
from nba_assets_tests.analytics.builders import NAN
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.stored import stored

TEAM, SHEET, BOX = "nbac_team_boxscore", "nbac_gamebook", "nbac_boxscores"
COMPUTED = {
    "mid_range_points_allowed",
    "three_pt_points_allowed",
    *TABLE.column_names[TABLE.column_names.index("quality_tier") :],
}


def row(**changes: Any) -> dict[str, Any]:
    """Boston's row of a game that Los Angeles lost there, as it is stored."""
    blank: dict[Type, Any] = {
        Type.STRING: None,
        Type.DATE: np.datetime64("2025-01-15"),
        Type.STRINGS: (),
        Type.TIMESTAMP: None,
    }
    requested: dict[str, Any] = {
        column.name: blank.get(column.type, 0.0) for column in TABLE.columns if column.name not in COMPUTED
    }
    requested |= {
        "game_id": "20250115_LAL_BOS",
        "defending_team_abbr": "BOS",
        "opponent_team_abbr": "LAL",
        "season_year": 2024,
    }
    requested |= {
        "opp_mid_range_makes": 10,
        "opp_three_pt_makes": 12,
        "steals": 7,
        "defensive_rebounds": 36,
        "players_inactive": NAN,
    }
    requested |= {
        "own_primary": TEAM,
        "opponent_primary": TEAM,
        "opponent_shot_zones_available": 1,
        "blocks_differ": 0,
        "quarantined": 0,
    }
    requested |= {"carried_issues": (), **changes}
    columns: dict[str, Any] = {}
    for name, value in requested.items():
        values = np.empty(
            1,
            dtype="M8[D]"
            if isinstance(value, np.datetime64)
            else object
            if isinstance(value, str | tuple | None)
            else np.float64,
        )
        values[0] = value
        columns[name] = values
    return stored(TABLE, alone(compute)(columns, {}).rows)[0]


def test_points_by_zone_follow_from_the_makes() -> None:
    found = row()
    assert (found["mid_range_points_allowed"], found["three_pt_points_allowed"]) == (20, 36)
    assert row(opp_mid_range_makes=NAN)["mid_range_points_allowed"] is None


@pytest.mark.parametrize(
    ("changes", "score", "tier", "issues", "with_issues"),
    [
        ({}, 100, "gold", [], False),
        ({"own_primary": SHEET}, 85, "silver", ["backup_source_used"], False),
        ({"opponent_primary": BOX}, 85, "silver", ["backup_source_used"], False),
        ({"opponent_shot_zones_available": 0}, 100, "gold", ["shot_zones_unavailable"], False),
        ({"steals": NAN}, 100, "gold", ["missing_defensive_actions"], True),
        ({"defensive_rebounds": NAN}, 100, "gold", ["missing_defensive_actions"], True),
        ({"blocks_differ": 1}, 75, "silver", ["blocks_disagree"], True),
        ({"quarantined": 1}, 95, "gold", ["rows_quarantined"], True),
        ({"carried_issues": ("shots_disagree:fg_makes",)}, 75, "silver", ["shots_disagree:fg_makes"], True),
        (
            {"carried_issues": ("shots_disagree:fg_makes",), "blocks_differ": 1},
            75,
            "silver",
            ["blocks_disagree", "shots_disagree:fg_makes"],
            True,
        ),
        (
            {"own_primary": BOX, "blocks_differ": 1, "quarantined": 1},
            55,
            "bronze",
            ["backup_source_used", "blocks_disagree", "rows_quarantined"],
            True,
        ),
    ],
)
def test_what_a_source_or_a_disagreement_costs(
    changes: dict[str, Any], score: float, tier: str, issues: list[str], with_issues: bool
) -> None:
    found = row(**changes)
    assert (found["quality_score"], found["quality_tier"], found["quality_issues"]) == (score, tier, issues)
    assert found["processed_with_issues"] is with_issues


@pytest.mark.parametrize(
    ("changes", "sources", "primary"),
    [
        ({}, ["play_by_play", "team_boxscores"], TEAM),
        ({"players_inactive": 2}, ["play_by_play", "player_gamebook", "team_boxscores"], TEAM),
        ({"opponent_shot_zones_available": 0}, ["team_boxscores"], TEAM),
        ({"own_primary": SHEET}, ["play_by_play", "player_gamebook", "team_boxscores"], f"{TEAM}+{SHEET}"),
        ({"opponent_primary": SHEET}, ["play_by_play", "player_gamebook", "team_boxscores"], SHEET),
        ({"own_primary": BOX}, ["play_by_play", "player_boxscores", "team_boxscores"], f"{TEAM}+{BOX}"),
        ({"opponent_primary": BOX}, ["play_by_play", "player_boxscores", "team_boxscores"], BOX),
        (
            {"own_primary": BOX, "opponent_primary": SHEET},
            ["play_by_play", "player_boxscores", "player_gamebook"],
            SHEET,
        ),
    ],
)
def test_which_feeds_a_row_is_made_of(changes: dict[str, Any], sources: list[str], primary: str) -> None:
    found = row(**changes)
    assert (found["data_sources"], found["primary_source_used"]) == (sources, primary)
