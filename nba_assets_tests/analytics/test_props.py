"""Points lines: one bookmaker's last line before tip-off and his first one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.props import closing_lines

NAN = float("nan")
TIP = np.datetime64("2025-01-16T00:30", "us")


def prop(
    book: str,
    line: float,
    minutes: float,
    *,
    source: str = "odds_api",
    opening: float = NAN,
    player: str = "lebronjames",
) -> dict[str, Any]:
    """A snapshot so many minutes before tip-off."""
    known = 0.0 if np.isnan(minutes) else minutes
    return {
        "game_date": np.datetime64("2025-01-15"),
        "player_lookup": player,
        "source": source,
        "bookmaker": book,
        "points_line": line,
        "opening_line": opening,
        "snapshot_timestamp": TIP - np.timedelta64(int(known), "m"),
        "minutes_before_tipoff": minutes,
        "game_start_time": TIP,
    }


def closing(*props: dict[str, Any]) -> dict[str, Any]:
    """The one line of the one player."""
    columns = {
        name: np.array([row[name] for row in props], dtype=object if isinstance(props[0][name], str) else None)
        for name in props[0]
    }
    found = closing_lines(columns)
    assert len(found["player_lookup"]) == 1
    return {name: values[0] for name, values in found.items()}


@pytest.mark.parametrize(
    ("props", "line", "source"),
    [
        ([prop("fanduel", 25.5, 5), prop("draftkings", 24.5, 90)], 24.5, "draftkings"),
        ([prop("betmgm", 26.5, 5), prop("FanDuel", 25.5, 90)], 25.5, "fanduel"),
        ([prop("caesars", 26.5, 90), prop("betmgm", 25.5, 5)], 25.5, "betmgm"),
        ([prop("draftkings", 24.5, 90), prop("draftkings", 25.0, 5)], 25.0, "draftkings"),
        ([prop("draftkings", 30.5, -20), prop("fanduel", 25.5, 5)], 25.5, "fanduel"),
        ([prop("draftkings", 20.5, 5, source="bettingpros"), prop("betmgm", 25.5, 90)], 25.5, "betmgm"),
        ([prop("draftkings", 20.5, 5, source="bettingpros")], 20.5, "bettingpros_draftkings"),
    ],
    ids=[
        "preferred book",
        "second choice, any case",
        "alphabetical",
        "latest",
        "never in game",
        "first feed first",
        "second feed named",
    ],
)
def test_which_line_closes(props: list[dict[str, Any]], line: float, source: str) -> None:
    found = closing(*props)
    assert (found["current_points_line"], found["current_points_line_source"]) == (line, source)


def test_opening_line_is_the_same_bookmakers() -> None:
    """The line of any book at the earliest moment would make movements out of disagreements."""
    found = closing(prop("fanduel", 22.5, 600), prop("draftkings", 24.5, 300), prop("draftkings", 25.5, 5))
    assert (found["opening_points_line"], found["line_movement"]) == (24.5, 1.0)


def test_single_snapshot_has_no_opening_line_and_no_movement() -> None:
    found = closing(prop("draftkings", 24.5, 300))
    assert np.isnan(found["opening_points_line"])
    assert found["opening_points_line_source"] is None
    assert np.isnan(found["line_movement"])


def test_unmoved_line_has_moved_by_zero() -> None:
    found = closing(prop("draftkings", 27.5, 5, source="bettingpros", opening=27.5))
    assert (found["opening_points_line"], found["line_movement"]) == (27.5, 0.0)


def test_where_the_feed_does_not_say_how_long_before_the_times_are_compared() -> None:
    late = prop("draftkings", 30.5, NAN) | {"snapshot_timestamp": TIP + np.timedelta64(1, "m")}
    assert closing(late, prop("fanduel", 25.5, 5))["current_points_line_source"] == "fanduel"
