"""The composite adjustment of a date's rotation players: the four factors of those with the highest and the lowest
totals, stacked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.pictures.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    PAPER,
    PURPLE,
    RULE,
    SMALL,
    TINY,
    Sheet,
    day_text,
    shortened,
    signed,
)
from nba_assets.tables.remarks import COMPOSITE_WORTH
from nba_assets.tables.spec import Columns

FACTORS = {
    "fatigue": ("Fatigue", PURPLE),
    "shot_zone_mismatch_score": ("Shot-zone mismatch", BLUE),
    "pace_score": ("Pace", ORANGE),
    "usage_spike_score": ("Usage", GREEN),
}
"""Title and colour of each factor, in the order in which they are stacked."""
FATIGUE_PER_POINT = 20
SHOWN = 10
ROTATION_MINUTES = 15.0
"""Minutes a game from which a player is one of the rotation."""
LEFT, RIGHT, TOP, ROW, HEADING, GAP, FOOT = 268.0, 640.0, 84.0, 19.0, 24.0, 6.0, 52.0


def contributions(rows: Columns) -> dict[str, NDArray[np.float64]]:
    """Points that each factor adds to the total, by the names in `FACTORS`.

    Example: a fatigue score of 80 adds (80 - 100) / 20 = -1.
    """
    return {
        name: (rows["fatigue_score"] - 100) / FATIGUE_PER_POINT if name == "fatigue" else rows[name] for name in FACTORS
    }


def is_in_rotation(rows: Columns) -> NDArray[np.bool_]:
    """Who played `ROTATION_MINUTES` a game in the last seven days, by the inputs of the fatigue score; everybody where
    nobody did.
    """
    minutes = [json.loads(inputs).get("avg_minutes_pg_last_7") or 0.0 for inputs in rows["fatigue_context_json"]]
    found = np.array(minutes) >= ROTATION_MINUTES
    return found if found.any() else np.ones(len(found), dtype=bool)


def composite_factors(day: date, rows: Columns, names: Mapping[str, str]) -> bytes:
    """The date's rotation players with the highest and the lowest composite adjustment, each with the points that every
    factor adds or takes.

    `rows` are the date's rows of player_composite_factors; `names` are full names by player_lookup.
    """
    rotation = is_in_rotation(rows)
    who = f"players with {ROTATION_MINUTES:g} minutes a game" if not rotation.all() else "players"
    rows = take(rows, rotation)
    total = rows["total_composite_adjustment"]
    order = np.lexsort([rows["player_lookup"].astype(str), -total])
    shown = min(SHOWN, -(-len(order) // 2))
    groups = {"Most favoured": order[:shown], "Most hindered": order[max(shown, len(order) - SHOWN) :]}
    height = TOP + sum(HEADING + ROW * len(places) + GAP for places in groups.values()) + FOOT
    sheet = Sheet.blank(
        height,
        f"Composite adjustment in points, {day_text(day)}",
        f"{shown} most favoured and {len(groups['Most hindered'])} most hindered of {len(order)} {who}; "
        f"median of all {signed(float(np.median(total)), 2)}",
    )
    _legend(sheet)
    parts = contributions(rows)
    low, high = _reach(parts, np.concatenate(list(groups.values())))
    per_point = (RIGHT - LEFT) / (high - low)
    step = 1 if high - low <= 12 else 2 if high - low <= 24 else 5
    for points in np.arange(np.ceil(low / step) * step, high + 0.5, step):
        x = LEFT + (points - low) * per_point
        sheet.line((x, TOP + HEADING), (x, height - FOOT), FAINT if points == 0 else RULE)
        sheet.text(x, height - FOOT + 12, signed(float(points), 0), size=TINY, color=FAINT, align="center")
    top = TOP
    for title, places in groups.items():
        sheet.text(14, top + HEADING / 2, title, weight="bold")
        top += HEADING
        for place in places:
            player = str(rows["player_lookup"][place])
            sheet.text(14, top + ROW / 2, shortened(names.get(player, player), 22))
            sheet.text(186, top + ROW / 2, _game(str(rows["game_id"][place])), size=SMALL, color=FAINT)
            _bars(
                sheet,
                top,
                [float(parts[name][place]) for name in FACTORS],
                float(total[place]),
                LEFT - low * per_point,
                per_point,
            )
            top += ROW
        top += GAP
    sheet.text(14, height - 14, f"{COMPOSITE_WORTH[0].upper()}{COMPOSITE_WORTH[1:]}", size=TINY - 0.5, color=FAINT)
    return sheet.svg()


def _bars(sheet: Sheet, top: float, points: list[float], total: float, zero: float, per_point: float) -> None:
    """What a player's factors give to the right of zero and take to its left, and a mark where that leaves him."""
    ends = {True: zero, False: zero}
    for value, (_, colour) in zip(points, FACTORS.values(), strict=True):
        sheet.box(ends[value > 0], top + 3, value * per_point, ROW - 6, colour, edge=PAPER)
        ends[value > 0] += value * per_point
    x = zero + total * per_point
    sheet.line((x, top + 1), (x, top + ROW - 1), INK, 2.4)
    sheet.text(706, top + ROW / 2, signed(total, 2), align="right", weight="bold")


def _reach(parts: Mapping[str, NDArray[np.float64]], places: NDArray[np.intp]) -> tuple[float, float]:
    """Whole points between which all stacked bars lie."""
    stacked = np.array([values[places] for values in parts.values()])
    low, high = np.minimum(stacked, 0).sum(axis=0), np.maximum(stacked, 0).sum(axis=0)
    return min(np.floor(low.min()), -1.0), max(np.ceil(high.max()), 1.0)


def _game(game_id: str) -> str:
    _, away, home = game_id.split("_")
    return f"{away} @ {home}"


def _legend(sheet: Sheet) -> None:
    left = 14.0
    for title, colour in FACTORS.values():
        sheet.box(left, 62, 11, 11, colour)
        sheet.text(left + 17, 68, title, size=SMALL)
        left += 36 + 6.6 * len(title)
    sheet.line((left + 2, 61), (left + 2, 75), INK, 2.4)
    sheet.text(left + 10, 68, "Total adjustment", size=SMALL)
