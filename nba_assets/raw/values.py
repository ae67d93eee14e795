"""How single cells are read that feeds write in forms of their own: playing time, clocks, odds, lines, time zones,
words of a list.

Forms that every column of a type shares, such as numbers and dates, are in `normalise`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.game_clock import clock_text, parse_minutes, parse_plus_minus, seconds_left
from nba_assets.basketball.possessions import OVERTIME_TEAM_SECONDS, REGULATION_TEAM_SECONDS
from nba_assets.raw.vocabulary import SHOT_MADE_WORDS

Parse = Callable[[str], Any]
"""Reads a text that is not blank; None is null. Raises ValueError where it cannot, saying what the text is not."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How one column is read: `text` reads a text, `numbers` is applied to the numbers that were read or came as
    such.
    """

    text: Parse
    numbers: Callable[[Floats], Floats] | None = None


MOST_PLAYER_MINUTES = 70
"""The longest game in history lasted 78 minutes, the record of a player is 69."""
MOST_OVERTIMES = 10
MINUTES_LOST_BY_ROUNDING = 5
"""What a team's playing time may lack when each player's is rounded."""
MOST_PLUS_MINUS = 150
LEAST_AMERICAN_ODDS = 100.0
NOTHING_AT_STAKE = frozenset({"pk", "pick", "pick'em", "pickem"})
"""What a line of 0 is called."""


def minutes_of_player(text: str) -> str:
    """Playing time of a player as `M:SS`, to the nearest second. Example: "PT38M02.00S" and "38.03" are "38:02"."""
    seconds = _seconds(text)
    if seconds > 60 * MOST_PLAYER_MINUTES:
        raise ValueError(f"is not between 0 and {MOST_PLAYER_MINUTES} minutes")
    return clock_text(seconds)


def minutes_of_team(text: str) -> str:
    """Summed playing time of a team as `M:SS`: about 240 minutes and 25 more per overtime; 0:00 while nothing is known
    of it.
    """
    seconds = _seconds(text)
    least = REGULATION_TEAM_SECONDS - 60 * MINUTES_LOST_BY_ROUNDING
    if seconds and not least <= seconds <= REGULATION_TEAM_SECONDS + MOST_OVERTIMES * OVERTIME_TEAM_SECONDS:
        raise ValueError(
            "is not the playing time of five players in a whole game, 240 minutes and 25 more per overtime"
        )
    return clock_text(seconds)


def plus_minus(text: str) -> str:
    """A point difference as printed."""
    plain = _plain_minus(text)
    points = parse_plus_minus(np.array([plain], dtype=object))[0]
    if not abs(points) <= MOST_PLUS_MINUS:
        raise ValueError(f"is not a point difference between -{MOST_PLUS_MINUS} and {MOST_PLUS_MINUS}")
    return plain


def time_left(text: str) -> float:
    """Seconds left in a period: "56.4", "0:56.4", "PT00M56.40S"."""
    seconds = seconds_left(text)
    if np.isnan(seconds):
        raise ValueError("is not a time left in a period, in seconds, as MM:SS or as PT11M45.00S")
    return seconds


def number(text: str) -> float:
    """A number in digits."""
    plain = _plain_minus(text)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", plain) is None:
        raise ValueError("is not a number")
    return float(plain)


def flag(text: str) -> float:
    """True or false as 1 or 0."""
    try:
        return {"true": 1.0, "t": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "f": 0.0, "0": 0.0, "0.0": 0.0}[text.lower()]
    except KeyError:
        raise ValueError("is not true or false") from None


def made(text: str) -> float:
    """Whether a shot went in, as 1 or 0: "Made", "Missed", true or false."""
    return SHOT_MADE_WORDS[text.lower()] if text.lower() in SHOT_MADE_WORDS else flag(text)


def line(text: str) -> float:
    """A bookmaker's line: "PK" is 0, "-5½" is -5.5."""
    if text.lower() in NOTHING_AT_STAKE:
        return 0.0
    half = re.fullmatch(r"([+-]?)(\d*) ?½", _plain_minus(text))
    return number(text) if half is None else float(f"{half[1]}{half[2] or 0}.5")


def odds(text: str) -> float:
    """Odds as written, decimal or American; "EVEN" is +100."""
    return LEAST_AMERICAN_ODDS if text.lower() in ("even", "ev", "evens") else number(text)


def decimal_odds(odds: Floats) -> Floats:
    """Decimal odds of odds that may be American: 105 and -110, which no decimal odds of a spread or total are.

    Example: 105 is 2.05, -110 is 1.909..., 1.95 stays.
    """
    american = np.abs(odds) >= LEAST_AMERICAN_ODDS
    stake = np.where(american, np.abs(odds), 1.0)
    return np.where(american, 1.0 + np.where(odds > 0, stake / 100.0, 100.0 / stake), odds)


def identifier(text: str) -> str:
    """A text that tells rows apart, which has no line breaks or other control characters."""
    if CONTROL_CHARACTER.search(text) is not None:
        raise ValueError("holds a line break or another control character")
    return text


CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


def time_zone(text: str) -> str:
    """An IANA time zone."""
    try:
        return ZoneInfo(text).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone such as America/New_York") from error


def league_game_id(text: str) -> str:
    """The league's game id with its leading zeros, which a feed of numbers loses.

    Example: "22400061" is "0022400061".
    """
    return text.zfill(LEAGUE_ID_DIGITS) if is_league_game_id(text) else text


def is_league_game_id(text: str) -> bool:
    """Whether a text is the league's own id of a game, with or without its leading zeros."""
    return text.isdecimal() and LEAGUE_ID_DIGITS - 2 <= len(text) <= LEAGUE_ID_DIGITS


LEAGUE_ID_DIGITS = 10


def word(spellings: Mapping[str, Any]) -> Reading:
    """Words in lower case, other spellings replaced; a word that is not among these stays for the table to judge."""
    return Reading(lambda text: spellings.get(text.lower(), text.lower()))


def _plain_minus(text: str) -> str:
    return text.replace("\N{MINUS SIGN}", "-")


def _seconds(text: str) -> float:
    seconds = float(parse_minutes(np.array([text], dtype=object))[0])
    if np.isnan(seconds):
        raise ValueError("is not a playing time such as 38:02, 38, 38.03, PT38M02.00S or 38.000000:02")
    return seconds
