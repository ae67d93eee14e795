"""The calibration of a model as a picture: what it predicted against what happened, by tenths of the games."""

from __future__ import annotations

from collections.abc import Sequence

from nba_assets.backtest.errors import CalibrationBin
from nba_assets.pictures.canvas import BLUE, BODY, FAINT, RULE, Sheet

LEFT, TOP, SIZE, FOOT = 190.0, 66.0, 340.0, 62.0
STEPS = 5


def calibration_picture(model: str, bins: Sequence[CalibrationBin]) -> bytes:
    """A dot per tenth of the games: right of the line it predicted too much, left of it too little. At least one bin.

    Text is larger than in other pictures, so that it can be read on a telephone.
    """
    sheet = Sheet.blank(TOP + SIZE + FOOT, f"Calibration of {model}", "Points, mean of each tenth of the games")
    step = _step(max(max(one.predicted, one.actual) for one in bins))
    high = step * STEPS

    def place(points: float) -> float:
        return SIZE * min(max(points / high, 0.0), 1.0)

    for number in range(STEPS + 1):
        points, along = step * number, SIZE * number / STEPS
        sheet.line((LEFT + along, TOP), (LEFT + along, TOP + SIZE), RULE)
        sheet.line((LEFT, TOP + along), (LEFT + SIZE, TOP + along), RULE)
        sheet.text(LEFT + along, TOP + SIZE + 18, f"{points:g}", size=LARGE, color=FAINT, align="center")
        sheet.text(LEFT - 12, TOP + SIZE - along, f"{points:g}", size=LARGE, color=FAINT, align="right")
    sheet.line((LEFT, TOP + SIZE), (LEFT + SIZE, TOP), FAINT, 1.4)
    for one in bins:
        sheet.dot(LEFT + place(one.predicted), TOP + SIZE - place(one.actual), BLUE, 11)
    sheet.text(LEFT + SIZE / 2, TOP + SIZE + 44, "predicted", size=LARGE, align="center")
    sheet.text(LEFT - 60, TOP + SIZE / 2, "scored", size=LARGE, align="right")
    return sheet.svg()


def _step(highest: float) -> int:
    """Points between two lines, so that `STEPS` of them reach the highest. Example: 26.4 -> 6."""
    return max(1, -int(-highest // STEPS))


LARGE = BODY * 1.6
