"""What the texts of feeds say about playing time, plus-minus and the clock of a period."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nba_assets.basketball.arithmetic import Floats, Texts, map_distinct

_CLOCK = re.compile(r"([0-9]{1,4})(?:\.0+)?:([0-5]?[0-9](?:\.[0-9]+)?)")
"""Minutes and seconds; some box scores write their whole minutes as 38.000000."""
_DURATION = re.compile(r"PT(?=[0-9])(?:([0-9]{1,4})M)?(?:([0-5]?[0-9](?:\.[0-9]+)?)S)?")
"""ISO 8601, as the league's live feeds write it."""
_PLAIN_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]*)?")
_PLUS_MINUS = re.compile(r"[+-]?[0-9]{1,4}(\.0*)?")


def parse_minutes(texts: Texts) -> Floats:
    """Seconds from texts of minutes played: `MM:SS`, an ISO duration, or a plain number of minutes.

    Blanks around the text are ignored. NaN for everything else: None, an empty text, "-", seconds above 59, a sign, two
    colons.

    Example: "45:28", "PT45M28.00S" and "45.000000:28" are 2,728 seconds, "36.5" is 2,190, "0:00" is 0, "12:75" is NaN.
    """
    return map_distinct(_seconds_played, texts.tolist(), np.float64)


def clock_text(seconds: float) -> str:
    """Playing time in the one form in which it is stored, to the nearest second.

    Example: 2,281.8 seconds are "38:02".
    """
    return "{}:{:02d}".format(*divmod(round(seconds), 60))


def seconds_left(text: str) -> float:
    """Seconds left in a period: `MM:SS`, an ISO duration, or a plain number of seconds; NaN for everything else.

    Example: "11:45" and "PT11M45.00S" are 705 seconds, "56.4" and "PT00M56.40S" are 56.4.
    """
    trimmed = text.strip()
    return float(trimmed) if _PLAIN_NUMBER.fullmatch(trimmed) else _by_minutes_and_seconds(trimmed)


def minutes(seconds: ArrayLike) -> Floats:
    """Minutes of `seconds`. Example: 2,728 seconds are 45.467 minutes."""
    return np.asarray(seconds, dtype=np.float64) / 60


def parse_plus_minus(texts: NDArray[Any]) -> Floats:
    """Point differences from texts such as "+7", "-14", "0" or "7.0"; NaN for None, "-", blanks and anything else.

    A column of numbers is returned as it is.
    """
    return texts.astype(np.float64) if texts.dtype.kind in "iuf" else map_distinct(_points, texts.tolist(), np.float64)


def _seconds_played(text: object) -> float:
    trimmed = str(text).strip()
    return 60 * float(trimmed) if _PLAIN_NUMBER.fullmatch(trimmed) else _by_minutes_and_seconds(trimmed)


def _by_minutes_and_seconds(text: str) -> float:
    parts = _CLOCK.fullmatch(text) or _DURATION.fullmatch(text)
    return np.nan if parts is None else 60 * int(parts[1] or 0) + float(parts[2] or 0)


def _points(text: object) -> float:
    trimmed = str(text).strip()
    # Adding 0 turns minus zero into zero.
    return float(trimmed) + 0.0 if _PLUS_MINUS.fullmatch(trimmed) else np.nan
