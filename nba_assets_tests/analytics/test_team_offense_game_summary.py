"""Golden rows of team_offense_game_summary."""

from __future__ import annotations

from typing import Any

import pytest

from nba_assets.analytics.team_offense_game_summary import TABLE, compute
from nba_assets_tests.analytics.builders import NAN, NO_LINEUPS, columns, team_row
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.stored import stored


def row(**changes: Any) -> dict[str, Any]:
    return stored(TABLE, alone(compute)(columns([team_row(**changes)]), NO_LINEUPS).rows)[0]


def test_overtime_game_of_new_york_at_philadelphia() -> None:
    """NYK 125 at PHI 119 on 2025-01-15, one overtime: public box score."""
    new_york = row()
    assert new_york["possessions_est"] == 94.56
    assert new_york["possessions"] == 95
    assert new_york["offensive_rating"] == 132.19
    assert new_york["pace"] == 85.6
    assert new_york["ts_pct"] == 0.647
    assert (new_york["overtime_periods"], new_york["win_flag"], new_york["margin_of_victory"]) == (1, True, 6)
    philadelphia = row(
        points=119,
        fg_attempts=92,
        ft_attempts=14,
        turnovers=12,
        offensive_rebounds=11,
        team_score=119,
        opponent_score=125,
    )
    assert (philadelphia["possessions_est"], philadelphia["offensive_rating"]) == (99.16, 120.01)
    assert (philadelphia["pace"], philadelphia["ts_pct"]) == (89.8, 0.606)
    assert not philadelphia["win_flag"]


def test_regulation_game_of_los_angeles_at_boston() -> None:
    los_angeles = row(
        points=110,
        team_score=110,
        opponent_score=105,
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
    boston = row(
        points=105,
        team_score=105,
        opponent_score=110,
        fg_attempts=82,
        ft_attempts=18,
        turnovers=15,
        offensive_rebounds=6,
        team_seconds=14_400,
    )
    assert (boston["possessions_est"], boston["offensive_rating"], boston["ts_pct"]) == (98.92, 106.15, 0.584)


def test_missing_minutes_count_as_regulation() -> None:
    assert row(team_seconds=NAN)["overtime_periods"] == 0
    assert row(team_seconds=NAN)["pace"] == 94.6


def test_without_play_by_play_zones_are_unknown_and_said_so() -> None:
    blind = {f"{zone}_{what}": NAN for zone in ("paint", "mid_range", "three") for what in ("attempts", "makes")}
    result = row(zones_known=0, second_chance_points=NAN, **blind)
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


DISAGREEMENTS: list[tuple[dict[str, Any], str]] = [
    ({"players_differ": "players_disagree:points,assists"}, "players_disagree:points,assists"),
    ({"score_differs": 1}, "final_score_disagrees"),
    ({"shots_differ": 1}, "shots_disagree"),
    ({"free_throws_differ": 1}, "free_throws_disagree"),
]


@pytest.mark.parametrize(("changes", "issue"), DISAGREEMENTS)
def test_row_about_which_feeds_disagree_is_named_and_loses_a_tier(changes: dict[str, Any], issue: str) -> None:
    result = row(**changes)
    assert (result["quality_issues"], result["quality_score"], result["quality_tier"]) == ([issue], 75.0, "silver")
    assert (result["processed_with_issues"], result["is_production_ready"]) == (True, True)


def test_disagreements_cost_once_and_quarantined_rows_on_top() -> None:
    everything = row(
        quarantined=1,
        from_players=1,
        **{name: value for changes, _ in DISAGREEMENTS for name, value in changes.items()},
    )
    assert everything["quality_score"] == 85 - 25 - 5
    alone = row(quarantined=1)
    assert (alone["quality_issues"], alone["quality_score"], alone["processed_with_issues"]) == (
        ["rows_quarantined"],
        95.0,
        True,
    )


def test_result_is_the_final_score_whatever_the_box_score_says() -> None:
    result = row(points=118, score_differs=1)
    assert (result["points_scored"], result["win_flag"], result["margin_of_victory"]) == (118, True, 6)


def test_sum_of_live_box_rows_names_its_source() -> None:
    result = row(from_players=1, from_boxscore=1, players_inactive=NAN)
    assert (result["primary_source_used"], result["data_sources"]) == (
        "nbac_boxscores",
        ["play_by_play", "player_boxscores"],
    )
