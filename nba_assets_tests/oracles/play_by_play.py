"""Shots by zone and second chances, event by event."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

Row = dict[str, Any]
PAINT_FEET, PAINT_HALF_WIDTH, PAINT_DEPTH = 8.0, 80.0, 137.5


def shots(events: list[Row]) -> list[Row]:
    """Field-goal attempts with `zone` and whether only the distance decided it."""
    attempts = [dict(event) for event in events if event["event_type"] == "shot" and event["shot_made"] is not None]
    for attempt in attempts:
        attempt["zone"], attempt["estimated"] = _zone(attempt)
    return attempts


def _zone(attempt: Row) -> tuple[str | None, bool]:
    if attempt["shot_type"] == "3PT" or "3pt" in (attempt["event_subtype"] or "").lower():
        return "three", False
    if attempt["shot_zone"] in ("restricted_area", "paint_non_ra"):
        return "paint", False
    if attempt["shot_zone"] == "mid_range":
        return "mid_range", False
    if attempt["loc_x"] is not None and attempt["loc_y"] is not None:
        inside = abs(attempt["loc_x"]) <= PAINT_HALF_WIDTH and attempt["loc_y"] <= PAINT_DEPTH
        return ("paint" if inside else "mid_range"), False
    if attempt["shot_distance"] is not None:
        return ("paint" if attempt["shot_distance"] <= PAINT_FEET else "mid_range"), True
    return None, False


def second_chance_points(events: list[Row]) -> dict[tuple[str, str], int]:
    """Points by (game, team) scored after an own offensive rebound; games whose feed lacks rebounds or free throws are
    not in it.
    """
    by_game: dict[str, list[Row]] = defaultdict(list)
    for event in events:
        by_game[event["game_id"]].append(event)
    points: dict[tuple[str, str], int] = {}
    for game, its in by_game.items():
        kinds = {event["event_type"] for event in its}
        if not {"rebound", "free throw"} <= kinds:
            continue
        scored = _of_game(its)
        points |= {(game, team): scored[team] for team in game.split("_")[1:]}
    return points


def _of_game(events: list[Row]) -> Counter[str]:
    points: Counter[str] = Counter()
    period = pending = chance = None
    for event in sorted(events, key=lambda row: (row["period"], -row["game_clock_seconds"], row["event_sequence"])):
        if event["period"] != period:
            period, pending, chance = event["period"], None, None
        kind, subtype, team = event["event_type"], (event["event_subtype"] or "").lower(), event["player_1_team_abbr"]
        if kind == "turnover":
            pending = chance = None
        elif kind == "rebound":
            if team == pending:
                chance = team
            elif team != chance:
                chance = None
            pending = None
        elif kind == "shot" or (kind == "free throw" and "technical" not in subtype):
            if team != chance:
                chance = None
            if chance is not None:
                points[chance] += event["points_scored"]
            trip = subtype.removeprefix("free throw ").split("/")
            live = kind == "shot" or (len(trip) == 2 and trip[0] == trip[1])
            pending = team if live and not event["points_scored"] else None
    return points
