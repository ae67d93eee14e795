"""Golden rows of team_offense_game_summary."""

from __future__ import annotations

from typing import Any

import pytest

from nba_assets.analytics.team_offense_game_summary import TABLE, compute
from nba_assets_tests.analytics.builders import NAN, NO_LINEUPS, columns, team_row
from nba_assets_tests.stored import stored


def row(**changes: Any) -> dict[str, Any]:
    return stored(TABLE, compute(columns([team_row(**changes)]), NO_LINEUPS).rows)[0]


def test_overtime_game_of_new_york_at_philadelphia() -> None:
    """NYK 125 at PHI 119 on 2025-01-15, one overtime: public box score."""
    new_york = row()
    assert new_york["possessions_est"] == 94.56
    assert new_york["possessions"] == 95
    assert new_york["offensive_rating"] == 132.19
    assert new_york["pace"] == 85.6
    assert new_york["ts_pct"] == 0.647
    assert (new_york["overtime_periods"], new_york["win_flag"], new_york["margin_of_victory"]) == (1, True, 6)
    philadelphia = row(points=119, fg_attempts=92, ft_attempts=14, turnovers=12, offensive_rebounds=11, opponent_points=125)
    assert (philadelphia["possessions_est"], philadelphia["offensive_rating"]) == (99.16, 120.01)
    assert (philadelphia["pace"], philadelphia["ts_pct"]) == (89.8, 0.606)
    assert not philadelphia["win_flag"]


def test_regulation_game_of_los_angeles_at_boston() -> None:
    los_angeles = row(
        points=110,
        opponent_points=105,
        fg_attempts=85,
        ft_attempts=22,
        turnovers=12,
        offensive_rebounds=8,
        team_seconds=14_400,
        paint_makes=20,
        paint_attempts=35,
    )
    assert los_angeles["possessions_est"] == 98.68
    assert los_angeles["possessions"] == 99
    assert (los_angeles["offensive_rating"], los_angeles["pace"], los_angeles["ts_pct"]) == (111.47, 98.7, 0.581)
    assert (los_angeles["margin_of_victory"], los_angeles["overtime_periods"]) == (5, 0)
    assert (los_angeles["team_paint_makes"], los_angeles["points_in_paint_scored"]) == (20, 40)
    boston = row(points=105, opponent_points=110, fg_attempts=82, ft_attempts=18, turnovers=15, offensive_rebounds=6, team_seconds=14_400)
    assert (boston["possessions_est"], boston["offensive_rating"], boston["ts_pct"]) == (98.92, 106.15, 0.584)


def test_missing_minutes_count_as_regulation() -> None:
    assert row(team_seconds=NAN)["overtime_periods"] == 0
    assert row(team_seconds=NAN)["pace"] == 94.6


def test_without_play_by_play_zones_are_unknown_and_said_so() -> None:
    blind = {f"{zone}_{what}": NAN for zone in ("paint", "mid_range", "three") for what in ("attempts", "makes")}
    result = row(has_play_by_play=0, second_chance_points=NAN, **blind)
    assert result["points_in_paint_scored"] is None
    assert result["shot_zones_available"] is False
    assert result["quality_issues"] == ["shot_zones_unavailable"]
    assert result["processed_with_issues"] is True
    assert result["data_sources"] == ["player_gamebook", "team_boxscores"]


def test_player_sums_are_silver_and_say_so() -> None:
    result = row(from_players=1)
    assert (result["quality_tier"], result["quality_score"]) == ("silver", 85.0)
    assert result["quality_issues"] == ["backup_source_used", "reconstructed"]
    assert result["is_production_ready"] is True


@pytest.mark.parametrize(("points", "issue"), [(126, "points_calculation_mismatch"), (40, "unrealistic_team_score")])
def test_doubtful_points_are_issues_not_errors(points: int, issue: str) -> None:
    assert issue in row(points=points)["quality_issues"]


def test_own_points_agree_with_their_parts() -> None:
    assert row()["quality_issues"] == []
