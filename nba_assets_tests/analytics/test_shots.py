"""Field goals by zone from play-by-play: whose they are, who assisted, who blocked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.shots import SHOT_COLUMNS, ZONE_COUNTS, Shots, zones_known
from nba_assets_tests.analytics.builders import NAN, columns

GAME = "20250115_LAL_BOS"


def shot(
    shooter: str = "tatum", *, made: float = 1, zone: str | None = "restricted_area", kind: str = "2PT", **changes: Any
) -> dict[str, Any]:
    return dict.fromkeys(SHOT_COLUMNS) | {
        "game_id": GAME,
        "event_type": "shot",
        "player_1_lookup": shooter,
        "player_1_team_abbr": "BOS",
        "shot_made": made,
        "shot_type": kind,
        "shot_zone": zone,
        "shot_distance": NAN,
        "loc_x": NAN,
        "loc_y": NAN,
        **changes,
    }


def assisted(**changes: Any) -> dict[str, Any]:
    return shot(player_2_lookup="white", player_2_role="assist", **changes)


def blocked(**changes: Any) -> dict[str, Any]:
    return shot(**{"made": 0, "player_2_lookup": "davis", "player_2_role": "block", **changes})


def shots(*events: dict[str, Any]) -> Shots:
    table = columns(list(events))
    numbers = {name: table[name].astype(np.float64) for name in ("shot_made", "shot_distance", "loc_x", "loc_y")}
    texts = {name: values.astype(object) for name, values in table.items() if name not in numbers}
    return Shots.of(texts | numbers)


def only(table: dict[str, Any]) -> dict[str, Any]:
    """The one row, without what is 0."""
    assert len(table["game_id"]) == 1
    return {name: values[0] for name, values in table.items() if isinstance(values[0], str) or values[0]}


MID_RANGE: dict[str, Any] = {"zone": "mid_range"}
THREE: dict[str, Any] = {"zone": "above_the_break_3", "kind": "3PT"}


def test_a_shooters_attempts_makes_and_assisted_makes_by_zone() -> None:
    found = shots(
        shot(),
        assisted(),
        shot(made=0),
        assisted(**MID_RANGE),
        shot(made=0, **MID_RANGE),
        shot(**THREE),
        shot(made=0, **THREE),
    )
    assert only(found.by_shooter()) == {
        "game_id": GAME,
        "player_lookup": "tatum",
        **{"attempts": 7, "makes": 4, "assisted_fg_makes": 2, "unassisted_fg_makes": 2},
        **{
            "paint_attempts": 3,
            "paint_makes": 2,
            "mid_range_attempts": 2,
            "mid_range_makes": 1,
            "three_attempts": 2,
            "three_makes": 1,
        },
    }
    team = only(found.by_team())
    assert (team["team_abbr"], team["attempts"], team["makes"]) == ("BOS", 7, 4)
    assert {name: team[name] for name in ZONE_COUNTS} == {name: only(found.by_shooter())[name] for name in ZONE_COUNTS}


def test_only_shots_whose_end_is_known_are_attempts() -> None:
    found = shots(shot(), shot(made=NAN), shot(event_type="rebound"), shot(event_type="foul", made=0))
    assert only(found.by_team())["attempts"] == 1
    assert shots(shot(event_type="foul")).games().tolist() == []
    assert shots(shot(), shot(game_id="other"), shot()).games().tolist() == [GAME, "other"]


def test_an_assist_on_a_miss_is_none_and_a_block_of_a_make_is_none() -> None:
    found = shots(assisted(made=0), blocked(made=1))
    assert (only(found.by_shooter())["makes"], only(found.by_shooter())["unassisted_fg_makes"]) == (1, 1)
    assert "assisted_fg_makes" not in only(found.by_shooter())
    assert found.blocks_by_player()["game_id"].tolist() == []


def test_blocks_count_for_the_blocker_and_against_the_shooting_team() -> None:
    found = shots(shot(), blocked(), blocked(**MID_RANGE), blocked(**THREE), blocked(**THREE))
    counts = {"blocks_by_events": 4, "paint_blocks": 1, "mid_range_blocks": 1, "three_blocks": 2}
    assert only(found.blocks_by_player()) == {"game_id": GAME, "player_lookup": "davis", **counts}
    assert only(found.blocks_by_shooting_team()) == {"game_id": GAME, "team_abbr": "BOS", **counts}


def test_zones_that_only_the_distance_decided_are_counted() -> None:
    found = shots(shot(zone=None, shot_distance=3), shot(zone=None, shot_distance=15), shot())
    counts = only(found.by_shooter())
    assert (counts["estimated_zones"], counts["paint_attempts"], counts["mid_range_attempts"]) == (2, 2, 1)


BOX = {"fg_attempts": 9, "fg_makes": 5, "three_pt_attempts": 3, "three_pt_makes": 1}
BY_ZONE = dict(zip(ZONE_COUNTS, (4, 3, 2, 1, 3, 1), strict=True))


@pytest.mark.parametrize("change", [*BOX, *BY_ZONE, None])
def test_zones_are_known_where_they_hold_exactly_the_box_score(change: str | None) -> None:
    for step in (-1, 1):
        box, counts = (
            columns([{name: value + step * (name == change) for name, value in rows.items()}])
            for rows in (BOX, BY_ZONE)
        )
        assert zones_known(box, counts).tolist() == [change is None]
    assert zones_known(columns([BOX]), columns([dict.fromkeys(BY_ZONE, NAN)])).tolist() == [False]
