"""Small inputs for compute functions: real-looking defaults, so that a test states only what it is about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")


def columns(rows: list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """Rows as columns: texts and lists as objects, dates as days, everything else as numbers."""
    return {name: _column([row[name] for row in rows]) for name in rows[0]}


def _column(values: list[Any]) -> NDArray[Any]:
    if all(isinstance(value, np.datetime64) for value in values):
        return np.array(values, dtype="M8[D]")
    if any(isinstance(value, str) or value is None for value in values):
        return np.array(values, dtype=object)
    return np.array(values, dtype=np.float64)


def team_row(**changes: Any) -> dict[str, Any]:
    """A team's requested row of team_offense_game_summary."""
    return {
        "game_id": "20250115_NYK_PHI",
        "nba_game_id": "0022400561",
        "game_date": np.datetime64("2025-01-15"),
        "season_start": np.datetime64("2024-10-22"),
        "team_abbr": "NYK",
        "opponent_team_abbr": "PHI",
        "season_year": 2024,
        "home_game": 0,
        "points": 125,
        "fg_makes": 48,
        "fg_attempts": 86,
        "three_pt_makes": 12,
        "three_pt_attempts": 30,
        "ft_makes": 17,
        "ft_attempts": 24,
        "offensive_rebounds": 15,
        "defensive_rebounds": 30,
        "rebounds": 45,
        "assists": 25,
        "steals": 8,
        "blocks": 4,
        "turnovers": 13,
        "personal_fouls": 15,
        "team_seconds": 265 * 60,
        "from_players": 0,
        "from_boxscore": 0,
        "team_score": 125,
        "opponent_score": 119,
        "zones_known": 1,
        "paint_attempts": 40,
        "paint_makes": 26,
        "mid_range_attempts": 16,
        "mid_range_makes": 10,
        "three_attempts": 30,
        "three_makes": 12,
        "second_chance_points": 14,
        "players_inactive": 3,
        "players_differ": None,
        "score_differs": 0,
        "shots_differ": 0,
        "free_throws_differ": 0,
        "quarantined": 0,
        **changes,
    }


NO_LINEUPS = {
    "finals": {"game_id": np.array([], dtype=object), "game_date": np.array([], dtype="M8[D]")},
    "starts": {"game_id": np.array([], dtype=object), "player_lookup": np.array([], dtype=object)},
    "absent": {"game_date": np.array([], dtype="M8[D]"), "player_lookup": np.array([], dtype=object)},
}


def player_row(**changes: Any) -> dict[str, Any]:
    """A player's requested row of player_game_summary: LeBron James at Golden State, 2025-01-15, with the line of
    24.5.
    """
    return {
        "player_lookup": "lebronjames",
        "universal_player_id": "lebronjames_001",
        "player_full_name": "LeBron James",
        "game_id": "20250115_LAL_GSW",
        "game_date": np.datetime64("2025-01-15"),
        "team_abbr": "LAL",
        "opponent_team_abbr": "GSW",
        "season_year": 2024,
        "home_game": 0,
        "player_status": "active",
        "dnp_reason": None,
        "win_flag": 1,
        "seconds": 36 * 60 + 30,
        "points": 25,
        "assists": 8,
        "offensive_rebounds": 2,
        "defensive_rebounds": 5,
        "steals": 1,
        "blocks": 1,
        "turnovers": 3,
        "personal_fouls": 2,
        "fg_attempts": 20,
        "fg_makes": 10,
        "ft_attempts": 4,
        "ft_makes": 3,
        "three_pt_attempts": 6,
        "three_pt_makes": 2,
        "plus_minus": 7,
        "starter": 1,
        "from_boxscore": 0,
        "team_fg_attempts": 88,
        "team_ft_attempts": 20,
        "team_turnovers": 12,
        "team_seconds": 240 * 60,
        "paint_attempts": 10,
        "paint_makes": 6,
        "mid_range_attempts": 4,
        "mid_range_makes": 2,
        "three_attempts_pbp": 6,
        "three_makes_pbp": 2,
        "assisted_fg_makes": 4,
        "unassisted_fg_makes": 6,
        "paint_blocks": 1,
        "mid_range_blocks": 0,
        "three_pt_blocks": 0,
        "and1_count": 1,
        "estimated_zones": 0,
        "current_points_line": 24.5,
        "current_points_line_source": "draftkings",
        "opening_points_line": 24.5,
        "opening_points_line_source": "draftkings",
        "line_movement": 0.0,
        "date_has_props": 1,
        "team_sum_disagrees": 0,
        "shots_disagree": 0,
        "free_throws_disagree": 0,
        "blocks_disagree": 0,
        "sheet_says_did_not_play": 0,
        "quarantined": 0,
        **changes,
    }
