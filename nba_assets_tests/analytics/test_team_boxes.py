"""A team's totals: its own row, or the sum of its players; and counts of two feeds compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics import sheets
from nba_assets.analytics.reconciliation import differ, differing
from nba_assets.analytics.team_boxes import COUNTS, player_sums, team_boxes
from nba_assets_tests.analytics.builders import NAN, columns

GAME = "20250115_LAL_BOS"


def own(**changes: Any) -> dict[str, Any]:
    counts = {column: float(place) for place, column in enumerate(COUNTS.values(), 1)}
    return {"game_id": GAME, "team_abbr": "BOS", "minutes": "265:00", **counts, **changes}


def line(**changes: Any) -> dict[str, Any]:
    """A sheet row of a player of Boston: 48 minutes, ten of everything."""
    known = {"game_id": GAME, "team_abbr": "BOS", "player_status": "active", "from_boxscore": 0, "seconds": 48 * 60.0}
    return {**known, **dict.fromkeys(sheets.COUNTS, 10.0), **changes}


def boxes(rows: list[dict[str, Any]], lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    stranger = {"game_id": "other", "team_abbr": "XXX", "points": 0.0}
    found = team_boxes(columns([*rows, own(**stranger)]), player_sums(columns([*lines, line(**stranger)])))
    return [{name: values[place] for name, values in found.items()} for place in range(len(found["game_id"]))]


def test_the_teams_own_row_stands_where_it_is_real() -> None:
    (found,) = boxes([own()], [line()] * 5)
    assert (found["from_players"], found["from_boxscore"], found["team_seconds"]) == (0, 0, 265 * 60)
    assert [found[name] for name in COUNTS] == list(range(1, len(COUNTS) + 1))


@pytest.mark.parametrize(
    "placeholder", [{"points": 0.0}, {"fg_attempted": 0.0}, {"points": NAN}, {"fg_attempted": NAN}]
)
def test_a_placeholder_gives_way_to_the_players(placeholder: dict[str, float]) -> None:
    (found,) = boxes([own(**placeholder)], [line()] * 5)
    assert (found["from_players"], found["points"], found["team_seconds"]) == (1, 50, 240 * 60)


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ([line()] * 5, True),
        ([line()] * 4, False),
        ([line()] * 4 + [line(player_status="inactive")], False),
        ([line()] * 4 + [line(points=NAN)], False),
        ([line(points=0.0)] * 5, False),
        ([line(points=0.0, fg_attempts=0.0)] * 4 + [line(points=1.0, fg_attempts=1.0)], True),
        ([line(fg_attempts=0.0)] * 5, False),
    ],
    ids=["five", "four", "inactive", "no line", "no points", "a point", "no shots"],
)
def test_five_active_players_with_points_and_shots_are_a_team(lines: list[dict[str, Any]], whole: bool) -> None:
    assert len(boxes([], lines)) == whole


@pytest.mark.parametrize(
    ("minutes", "team_minutes"), [(48, 240), (47, 240), (50.4, 240), (50.6, 265), (53, 265), (58, 290), (40, 240)]
)
def test_overtimes_are_those_nearest_to_the_players_minutes(minutes: float, team_minutes: int) -> None:
    (found,) = boxes([], [line(seconds=minutes * 60)] * 5)
    assert found["team_seconds"] == team_minutes * 60


@pytest.mark.parametrize(("from_box", "all_of_them"), [(0, 0), (4, 0), (5, 1)])
def test_a_sum_is_the_box_scores_where_no_player_is_on_the_sheet(from_box: int, all_of_them: int) -> None:
    (found,) = boxes([], [line(from_boxscore=1)] * from_box + [line()] * (5 - from_box))
    assert found["from_boxscore"] == all_of_them


def test_counts_differ_where_both_are_known_and_unequal() -> None:
    left = {"made": np.array([1.0, 1.0, NAN, 1.0]), "missed": np.array([2.0, 2.0, 2.0, 2.0])}
    right = {"makes": np.array([1.0, 2.0, 2.0, 0.0]), "misses": np.array([2.0, 2.0, NAN, 3.0])}
    found = differing(left, right, {"made": "makes", "missed": "misses"})
    assert found.tolist() == [None, "made", None, "made,missed"]
    assert differ(found).tolist() == [False, True, False, True]
