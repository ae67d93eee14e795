"""Golden rows of player_game_summary."""

from __future__ import annotations

from typing import Any

import pytest

from nba_assets.analytics.player_game_summary import TABLE, compute
from nba_assets_tests.analytics.builders import NAN, columns, player_row
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.stored import stored

NEW_YORK = {"team_fg_attempts": 86, "team_ft_attempts": 24, "team_turnovers": 13, "team_seconds": 265 * 60}
PHILADELPHIA = {"team_fg_attempts": 92, "team_ft_attempts": 14, "team_turnovers": 12, "team_seconds": 265 * 60}


def row(**changes: Any) -> dict[str, Any]:
    return stored(TABLE, alone(compute)(columns([player_row(**changes)]), {}).rows)[0]


def test_lebron_james_at_golden_state() -> None:
    result = row()
    assert (result["minutes_played"], result["plus_minus"]) == (36.5, 7)
    assert (result["ts_pct"], result["efg_pct"]) == (0.574, 0.55)
    assert (result["over_under_result"], result["margin"]) == ("OVER", 0.5)
    assert (result["quality_tier"], result["quality_score"], result["quality_issues"]) == ("gold", 100.0, [])
    assert result["data_sources"] == ["play_by_play", "player_boxscores", "player_gamebook", "player_points_props"]
    assert (result["is_active"], result["is_dnp"], result["starter_flag"]) == (True, False, True)


@pytest.mark.parametrize(
    ("points", "line", "result", "margin"),
    [(20, 24.5, "UNDER", -4.5), (25, 28.5, "UNDER", -3.5), (25, 25.0, "PUSH", 0.0), (25, NAN, None, None)],
)
def test_points_against_the_line(points: int, line: float, result: str | None, margin: float | None) -> None:
    against = row(points=points, current_points_line=line)
    assert (against["over_under_result"], against["margin"]) == (result, margin)


@pytest.mark.parametrize(
    ("changes", "ts_pct", "efg_pct"),
    [
        (
            {"points": 10, "fg_makes": 5, "fg_attempts": 5, "three_pt_makes": 0, "ft_makes": 0, "ft_attempts": 0},
            1.0,
            1.0,
        ),
        (
            {"points": 0, "fg_makes": 0, "fg_attempts": 0, "three_pt_makes": 0, "ft_makes": 0, "ft_attempts": 0},
            None,
            None,
        ),
        (
            {"points": 0, "fg_makes": 0, "fg_attempts": 4, "three_pt_makes": 0, "ft_makes": 0, "ft_attempts": 0},
            0.0,
            0.0,
        ),
    ],
)
def test_shooting_over_nothing_is_null_and_nothing_made_is_zero(
    changes: dict[str, int], ts_pct: float | None, efg_pct: float | None
) -> None:
    result = row(**changes)
    assert (result["ts_pct"], result["efg_pct"]) == (ts_pct, efg_pct)


@pytest.mark.parametrize(
    ("box", "minutes", "ts_pct", "efg_pct", "usage"),
    [
        (
            {
                "seconds": 45 * 60 + 28,
                "points": 38,
                "fg_makes": 14,
                "fg_attempts": 22,
                "three_pt_makes": 3,
                "ft_attempts": 9,
                "turnovers": 5,
            }
            | NEW_YORK,
            45.5,
            0.732,
            0.705,
            32.9,
        ),
        (
            {
                "seconds": 45 * 60 + 36,
                "points": 33,
                "fg_makes": 13,
                "fg_attempts": 32,
                "three_pt_makes": 2,
                "ft_attempts": 5,
                "turnovers": 4,
            }
            | PHILADELPHIA,
            45.6,
            0.482,
            0.438,
            40.3,
        ),
        (
            {
                "seconds": 14 * 60 + 45,
                "points": 2,
                "fg_makes": 1,
                "fg_attempts": 1,
                "three_pt_makes": 0,
                "ft_attempts": 0,
                "turnovers": 1,
            }
            | PHILADELPHIA,
            14.8,
            1.0,
            1.0,
            6.5,
        ),
        (
            {
                "seconds": 49 * 60 + 25,
                "points": 10,
                "fg_makes": 4,
                "fg_attempts": 9,
                "three_pt_makes": 0,
                "ft_attempts": 3,
                "turnovers": 3,
            }
            | NEW_YORK,
            49.4,
            0.484,
            0.444,
            13.0,
        ),
    ],
    ids=["brunson", "maxey", "bona", "hart"],
)
def test_overtime_game_uses_real_team_minutes(
    box: dict[str, float], minutes: float, ts_pct: float, efg_pct: float, usage: float
) -> None:
    """NYK at PHI, 2025-01-15, one overtime: with 48 minutes per place usage would come out 9 % too low."""
    result = row(**box)
    assert abs(result["minutes_played"] - minutes) <= 0.1
    assert (result["ts_pct"], result["efg_pct"], result["usage_rate"]) == (ts_pct, efg_pct, usage)


@pytest.mark.parametrize(
    ("status", "reason", "category"),
    [
        ("inactive", "Injury/Illness", "injury"),
        ("dnp", "DNP - Coach's Decision", "coach_decision"),
        ("dnp", "Trade pending", "other"),
        ("inactive", None, None),
    ],
)
def test_who_did_not_play_has_no_measures_and_no_issues(status: str, reason: str | None, category: str | None) -> None:
    result = row(player_status=status, dnp_reason=reason, points=NAN, seconds=NAN, plus_minus=NAN, starter=NAN)
    assert (result["is_dnp"], result["is_active"], result["starter_flag"]) == (True, False, False)
    assert result["dnp_reason_category"] == category
    measures = (
        "points",
        "minutes_played",
        "paint_attempts",
        "paint_blocks",
        "and1_count",
        "usage_rate",
        "ts_pct",
        "over_under_result",
    )
    assert [result[name] for name in measures] == [None] * len(measures)
    assert result["quality_issues"] == []
    assert result["win_flag"] is True


def test_active_without_a_second_keeps_his_zeros_and_counts_as_dnp() -> None:
    result = row(seconds=0, points=0, fg_makes=0, fg_attempts=0, ft_makes=0, ft_attempts=0, turnovers=0, starter=0)
    assert (result["is_dnp"], result["is_active"], result["points"], result["minutes_played"]) == (True, True, 0, 0.0)
    assert result["usage_rate"] is None


def test_bench_player_of_thirty_minutes_is_no_starter() -> None:
    assert row(starter=0, seconds=30 * 60 + 7)["starter_flag"] is False


def test_starter_is_estimated_only_where_no_feed_names_him() -> None:
    result = row(starter=NAN, seconds=30 * 60)
    assert (result["starter_flag"], result["quality_issues"]) == (True, ["starter_estimated"])


def test_impossible_usage_is_null_with_its_issue() -> None:
    result = row(seconds=10)
    assert result["usage_rate"] is None
    assert "impossible_usage_rate" in result["quality_issues"]


@pytest.mark.parametrize(
    ("changes", "issues", "score"),
    [
        ({"plus_minus": NAN}, ["missing_plus_minus"], 95.0),
        ({"paint_attempts": NAN}, ["missing_shot_zones"], 95.0),
        ({"estimated_zones": 1}, ["shot_zones_estimated"], 95.0),
        ({"from_boxscore": 1}, ["backup_source_used"], 85.0),
        ({"seconds": NAN}, ["missing_minutes"], 90.0),
        ({"team_sum_disagrees": 1}, ["team_sum_disagrees"], 75.0),
        ({"shots_disagree": 1, "paint_attempts": NAN}, ["shots_disagree"], 75.0),
        ({"free_throws_disagree": 1}, ["free_throws_disagree"], 75.0),
        ({"blocks_disagree": 1}, ["blocks_disagree"], 75.0),
        ({"from_boxscore": 1, "sheet_says_did_not_play": 1}, ["backup_source_used", "sheet_says_did_not_play"], 60.0),
        ({"shots_disagree": 1, "team_sum_disagrees": 1}, ["team_sum_disagrees", "shots_disagree"], 75.0),
        ({"quarantined": 1}, ["rows_quarantined"], 95.0),
        ({"date_has_props": 0}, ["missing_points_props"], 100.0),
    ],
)
def test_what_each_issue_costs(changes: dict[str, float], issues: list[str], score: float) -> None:
    result = row(**changes)
    assert (result["quality_issues"], result["quality_score"]) == (issues, score)
    assert result["processed_with_issues"] is (issues != ["missing_points_props"])


def test_without_team_row_usage_is_null_and_flagged() -> None:
    result = row(team_seconds=NAN, team_fg_attempts=NAN, team_ft_attempts=NAN, team_turnovers=NAN)
    assert (result["usage_rate"], result["data_quality_flag"]) == (None, "partial_no_team_stats")


@pytest.mark.parametrize(
    "changes",
    [
        {"team_sum_disagrees": 1},
        {"shots_disagree": 1},
        {"blocks_disagree": 1},
        {"quarantined": 1},
        {"sheet_says_did_not_play": 1},
    ],
)
def test_row_in_doubt_is_not_called_complete(changes: dict[str, float]) -> None:
    assert row()["data_quality_flag"] == "complete"
    assert row(**changes)["data_quality_flag"] == "partial"


def test_who_did_not_play_is_not_concerned_by_disagreements() -> None:
    result = row(player_status="inactive", team_sum_disagrees=1, quarantined=1, points=NAN, seconds=NAN)
    assert (result["quality_issues"], result["quality_score"]) == ([], 100.0)
