"""Exact quotients and the one rounding that storage does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def quotient(part: float | None, whole: float | None, scale: int) -> float | None:
    """Part / whole as the nearest float64, rounded to `scale` decimals half to even; None over nothing."""
    if part is None or whole is None or whole == 0:
        return None
    return float(np.round(float(Fraction(part) / Fraction(whole)), scale)) + 0.0


def parsed_seconds(text: str | None) -> int | None:
    """Seconds of `MM:SS`; None for anything else than minutes and seconds below 60."""
    if text is None or text.count(":") != 1:
        return None
    minutes, seconds = text.strip().split(":")
    if not (minutes.isdigit() and seconds.isdigit()) or int(seconds) > 59:
        return None
    return 60 * int(minutes) + int(seconds)
