"""The words of the raw tables, and the words of common feeds that stand for them: one list for each column whose words
a computation reads.

A word is looked up in lower case. What becomes of a word that stands in no list is declared by the table: it is a
fault, or it is kept and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PLAYER_STATUSES = ("active", "dnp", "inactive")
INJURY_STATUSES = ("out", "doubtful", "questionable", "probable", "available")
GAME_STATUSES = frozenset({"final", "live", "scheduled", "postponed"})
"""States of a box score."""
ROSTER_STATUSES = frozenset(
    {
        *(
            "active",
            "inactive",
            "two-way",
            "injured",
            "injured list",
            "out",
            "day-to-day",
            "suspended",
            "not with team",
        ),
        *("g league", "10-day", "exhibit 10", "free agent", "waived", "retired"),
    }
)
SHOT_ZONES = frozenset(
    {"restricted_area", "paint_non_ra", "mid_range", "corner_three", "above_break_three", "backcourt"}
)
PLAYER_ROLES = frozenset(
    {
        *("assist", "block", "steal", "substitution_in", "substitution_out", "fouled", "foul_drawn", "rebound"),
        *("jump_ball_home", "jump_ball_away", "jump_ball_won", "jump_ball_lost", "jump_ball_recovered"),
    }
)
"""Parts that the second player of an event may have."""
EVENT_TYPES = frozenset(
    {
        *("shot", "free throw", "rebound", "turnover", "foul", "violation", "substitution", "timeout", "jump ball"),
        *("period start", "period end", "game end", "ejection", "replay", "stoppage", "steal", "block", "other"),
    }
)
FREE_THROW_TURNS = tuple(f"{number}/{trip}" for trip in (1, 2, 3) for number in range(1, trip + 1))
FREE_THROWS = frozenset(
    {
        "free throw technical",
        "free throw other",
        *(f"free throw {kind}{turn}" for kind in ("", "flagrant ", "clear path ") for turn in FREE_THROW_TURNS),
    }
)
"""Subtypes of a free throw. After a flagrant or a clear-path foul the team keeps the ball, so that a miss is dead."""


def _spelled(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {spelling: word for word, spellings in words.items() for spelling in spellings}


INJURY_SPELLINGS = _spelled(
    {
        "out": ("ofs", "out for season", "out indefinitely", "suspended", "inactive", "will not play", "o"),
        "doubtful": ("d",),
        "questionable": ("gtd", "game time decision", "game-time decision", "day-to-day", "day to day", "dtd", "q"),
        "probable": ("likely", "p"),
        "available": ("active", "cleared", "available to play", "will play"),
    }
)
GAME_STATUS_SPELLINGS = _spelled(
    {
        "final": ("f", "3", "finished", "complete", "completed", "closed", "game over", "status_final"),
        "live": ("2", "in progress", "inprogress", "halftime", "status_in_progress"),
        "scheduled": ("1", "pre", "pregame", "pre-game", "status_scheduled"),
        "postponed": ("4", "ppd", "canceled", "cancelled", "status_postponed"),
    }
)
ROSTER_STATUS_SPELLINGS = _spelled(
    {
        "active": ("act",),
        "two-way": ("two way", "twoway", "two-way contract", "tw"),
        "injured": ("inj",),
        "injured list": ("il", "injury list", "ir"),
        "day-to-day": ("day to day", "dtd"),
        "suspended": ("sus", "suspension"),
        "not with team": ("nwt",),
        "g league": ("g-league", "gleague", "g league - on assignment"),
        "10-day": ("10 day", "ten-day", "10-day contract"),
    }
)
SHOT_ZONE_SPELLINGS = _spelled(
    {
        "restricted_area": ("restricted area",),
        "paint_non_ra": ("in the paint (non-ra)", "paint (non-ra)"),
        "mid_range": ("mid-range", "midrange"),
        "corner_three": ("left corner 3", "right corner 3", "corner 3"),
        "above_break_three": ("above the break 3",),
        "backcourt": ("back court",),
    }
)
ROLE_SPELLINGS = _spelled(
    {
        "assist": ("assists", "assisted", "ast"),
        "block": ("blocks", "blocked", "blk"),
        "steal": ("steals", "stolen", "stl"),
    }
)
SHOT_TYPE_SPELLINGS = _spelled(
    {
        "2PT": ("2pt", "2", "2pt field goal", "two", "two point"),
        "3PT": ("3pt", "3", "3pt field goal", "three", "three point"),
    }
)
SHOT_MADE_WORDS = {"made": 1.0, "make": 1.0, "missed": 0.0, "miss": 0.0}

EVENT_SPELLINGS = _spelled(
    {
        "shot": ("made shot", "missed shot", "miss", "2pt", "3pt", "field goal"),
        "free throw": ("freethrow", "free-throw", "ft"),
        "jump ball": ("jumpball",),
        "substitution": ("sub",),
        "period start": ("start of period", "start period"),
        "period end": ("end of period", "end period"),
        "replay": ("instant replay", "instantreplay", "challenge"),
        "timeout": ("time out",),
        "other": ("unknown", "memo"),
    }
)
MADE_BY_EVENT_TYPE = {"made shot": 1.0, "missed shot": 0.0, "miss": 0.0}
WORTH_BY_EVENT_TYPE = {"2pt": "2PT", "3pt": "3PT"}
"""What the type of an event says about a shot, in feeds that put it there."""

_FREE_THROW_KIND = r"(technical|flagrant|clear path)"
_FREE_THROW = re.compile(
    rf"(?:free ?throw)?\W*(?:{_FREE_THROW_KIND}\b\W*)?(?:([1-3]) ?(?:of|/) ?([1-3]))?(?:\W+{_FREE_THROW_KIND})?"
)
_OVERTIME_FINAL = re.compile(r"final\W.*ot\)?")
_NOT_PLAYING = {
    "dnp": "dnp",
    "did not play": "dnp",
    "dnd": "inactive",
    "did not dress": "inactive",
    "nwt": "inactive",
    "not with team": "inactive",
}


def player_status(word: str) -> str:
    """On the sheet as: `active`, `dnp` (in uniform) or `inactive` (not dressed, not with the team); another word as it
    is.

    Example: "DNP - Coach's Decision" is `dnp`, "NWT" is `inactive`.
    """
    lower = word.lower()
    if lower == "played":
        return "active"
    return next((status for start, status in _NOT_PLAYING.items() if re.match(rf"{start}\b", lower)), lower)


def game_status(word: str) -> str:
    """State of a box score; another word as it is. Example: "Final/OT" and "STATUS_FINAL" are `final`."""
    lower = word.lower()
    return "final" if _OVERTIME_FINAL.fullmatch(lower) else GAME_STATUS_SPELLINGS.get(lower, lower)


def free_throw(word: str) -> str | None:
    """The subtype of a free throw in the words of `FREE_THROWS`, None where the text names no free throw that is
    known.

    Example: "Free Throw 1 of 2", "1 of 2", "Free Throw - 1 of 2" and "free throw 1/2" are `free throw 1/2`, "Free Throw
    Flagrant 1 of 2" is `free throw flagrant 1/2`, "Free Throw Technical" and "1 of 1 technical" are `free throw
    technical`.
    """
    parts = _FREE_THROW.fullmatch(word.lower())
    if parts is None or not any(parts.groups()):
        return None
    kind = parts[1] or parts[4]
    if kind == "technical":
        return "free throw technical"
    words = " ".join(["free throw", *filter(None, [kind, f"{parts[2]}/{parts[3]}" if parts[2] else None])])
    return words if words in FREE_THROWS else None


def event_type(word: str) -> str:
    """The type of an event in the words of `EVENT_TYPES`; another word as it is.

    Example: "Missed Shot" and "2pt" are `shot`.
    """
    lower = word.lower()
    if lower in EVENT_TYPES:
        return lower
    return "free throw" if is_free_throw_type(lower) else EVENT_SPELLINGS.get(lower, lower)


def is_free_throw_type(word: str) -> bool:
    """Whether the type of an event says what kind of free throw it is, as "Free Throw - 1 of 2" does."""
    return word.lower().startswith("free") and free_throw(word) is not None
