"""What box-score texts say about playing time and plus-minus."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nba_assets.basketball.arithmetic import Floats, Texts, map_distinct

_CLOCK = re.compile(r"([0-9]{1,4}):([0-5]?[0-9])")
_PLAIN_MINUTES = re.compile(r"[0-9]{1,4}(\.[0-9]*)?")
_PLUS_MINUS = re.compile(r"[+-]?[0-9]{1,4}(\.0*)?")


def parse_minutes(texts: Texts) -> Floats:
    """Seconds from texts of minutes played: `MM:SS`, or a plain number of minutes.

    Blanks around the text are ignored. NaN for everything else: None, an empty text, "-", seconds above 59, a sign, two
    colons.

    Example: "45:28" is 2,728 seconds, "36.5" is 2,190, "0:00" is 0, "12:75" is NaN.
    """
    return map_distinct(_seconds, texts.tolist(), np.float64)


def minutes(seconds: ArrayLike) -> Floats:
    """Minutes of `seconds`. Example: 2,728 seconds are 45.467 minutes."""
    return np.asarray(seconds, dtype=np.float64) / 60


def parse_plus_minus(texts: NDArray[Any]) -> Floats:
    """Point differences from texts such as "+7", "-14", "0" or "7.0"; NaN for None, "-", blanks and anything else.

    A column of numbers is returned as it is.
    """
    return texts.astype(np.float64) if texts.dtype.kind in "iuf" else map_distinct(_points, texts.tolist(), np.float64)


def _seconds(text: object) -> float:
    trimmed = str(text).strip()
    if clock := _CLOCK.fullmatch(trimmed):
        return 60 * int(clock[1]) + int(clock[2])
    return 60 * float(trimmed) if _PLAIN_MINUTES.fullmatch(trimmed) else np.nan


def _points(text: object) -> float:
    trimmed = str(text).strip()
    # Adding 0 turns minus zero into zero.
    return float(trimmed) + 0.0 if _PLUS_MINUS.fullmatch(trimmed) else np.nan
