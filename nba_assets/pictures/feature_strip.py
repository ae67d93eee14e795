"""How a date's features are spread, one strip per feature on the scale of its usual range, and how often a default
stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nba_assets.pictures.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MINUS,
    ORANGE,
    PURPLE,
    RULE,
    SHADE,
    SMALL,
    TINY,
    WIDTH,
    Sheet,
    day_text,
)
from nba_assets.tables.spec import Columns

ROW, TOP = 19.0, 104.0
LEFT, RIGHT = 246.0, 452.0
ORIGINS_LEFT, ORIGINS_RIGHT = 512.0, 632.0
ORIGINS = {
    "phase4": ("precomputed table", BLUE),
    "calculated": ("formula", GREEN),
    "phase3": ("summary or context", PURPLE),
    "default": ("default", ORANGE),
}
"""What each origin of a feature is called on the sheet, and its colour; the default, which stands in where nothing is
known, comes last.
"""


@dataclass(frozen=True)
class Scale:
    """A feature and the range that its strip spans: what is usual or allowed of it."""

    name: str
    low: float
    high: float
    default: float


def feature_strip(day: date, rows: Columns, scales: Sequence[Scale]) -> bytes:
    """One strip per feature: quantiles of the known values within its range, where its values come from, and the share
    of unknown ones.

    `rows` are the date's rows of ml_feature_store: a column per feature, and `feature_sources` in the order of
    `scales`.
    """
    size = len(rows["feature_sources"])
    sheet = Sheet.blank(
        TOP + ROW * len(scales) + 34,
        f"Features, {day_text(day)}",
        (
            f"{size} players, {len(scales)} features; mean quality score {np.mean(rows['feature_quality_score']):.1f} "
            "of 100"
        ),
    )
    _legend(sheet)
    origins = np.array(rows["feature_sources"].tolist())
    for number, scale in enumerate(scales):
        top = TOP + ROW * number
        if number % 2 == 0:
            sheet.box(0, top, WIDTH, ROW, SHADE)
        middle = top + ROW / 2
        sheet.text(14, middle, scale.name)
        sheet.text(LEFT - 8, middle, f"{scale.low:g}".replace("-", MINUS), size=SMALL, color=FAINT, align="right")
        sheet.text(RIGHT + 8, middle, f"{scale.high:g}", size=SMALL, color=FAINT)
        _strip(sheet, middle, rows[scale.name], scale)
        _origin_bar(sheet, middle, origins[:, number])
        unknown = float(np.isnan(rows[scale.name]).mean())
        sheet.text(
            706,
            middle,
            _percent(unknown),
            align="right",
            weight="bold" if unknown else "normal",
            color=INK if unknown else FAINT,
        )
    sheet.text(
        14,
        sheet.height - 17,
        (
            "thick: middle half · thin: 5 to 95 % · tick: median · dot: mean · ring: the default that stands in where "
            "nothing is known"
        ),
        size=TINY,
        color=FAINT,
    )
    return sheet.svg()


def _strip(sheet: Sheet, y: float, values: NDArray[np.float64], scale: Scale) -> None:
    sheet.line((LEFT, y), (RIGHT, y), RULE, 1.4)
    for x in (LEFT, RIGHT):
        sheet.line((x, y - 4), (x, y + 4), RULE, 1.4)
    known = values[~np.isnan(values)]
    if len(known):
        low, quarter, middle, three_quarters, high = (
            _place(value, scale) for value in np.percentile(known, (5, 25, 50, 75, 95))
        )
        sheet.line((low, y), (high, y), BLUE, 1.8)
        sheet.line((quarter, y), (three_quarters, y), BLUE, 8)
        sheet.line((middle, y - 6), (middle, y + 6), INK, 2)
        sheet.dot(_place(float(np.mean(known)), scale), y, INK, 4)
    sheet.dot(_place(scale.default, scale), y, ORANGE, 6, hollow=True)


def _place(value: float, scale: Scale) -> float:
    """Where on the strip a value stands; what lies beyond the range stands at its end."""
    share = (value - scale.low) / (scale.high - scale.low)
    return LEFT + float(np.clip(share, 0, 1)) * (RIGHT - LEFT)


def _origin_bar(sheet: Sheet, y: float, origins: NDArray[np.str_]) -> None:
    left = ORIGINS_LEFT
    for origin, (_, colour) in ORIGINS.items():
        width = (ORIGINS_RIGHT - ORIGINS_LEFT) * float(np.mean(origins == origin))
        if width:
            sheet.box(left, y - 5, width, 10, colour)
        left += width


def _legend(sheet: Sheet) -> None:
    sheet.text(14, 66, "Where values come from:", size=SMALL, color=FAINT)
    left = 164.0
    for words, colour in ORIGINS.values():
        sheet.box(left, 60, 11, 11, colour)
        sheet.text(left + 17, 66, words, size=SMALL)
        left += 40 + 6.0 * len(words)
    sheet.text(14, 92, "Feature", size=SMALL, weight="bold")
    sheet.text((LEFT + RIGHT) / 2, 92, "Values within the usual range", size=SMALL, weight="bold", align="center")
    sheet.text(
        (ORIGINS_LEFT + ORIGINS_RIGHT) / 2, 92, "Origin of the values", size=SMALL, weight="bold", align="center"
    )
    sheet.text(706, 92, "Unknown", size=SMALL, weight="bold", align="right")
    sheet.line((14, 102), (706, 102), RULE)


def _percent(share: float) -> str:
    return "< 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"
