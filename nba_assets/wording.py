"""Text in one line, clean of escape sequences, and how it lists things: the first of them, and how many more there are.

What the line says is up to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tabs and line feeds, those that turn the direction of writing, and halves of characters.
"""


def listed(things: Iterable[object], shown: int, what: str = "", separator: str = ", ") -> str:
    """The first `shown` things in one line, and the number of the others with the word for them.

    Example: `listed([3, 1, 2], 2, "dates")` is "3, 1 and 1 more dates".
    """
    texts = list(map(str, things))
    more = f" and {len(texts) - shown:,} more {what}".rstrip() if len(texts) > shown else ""
    return f"{separator.join(texts[:shown])}{more}"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun. Example: "1 date", "1,204 dates"; of another plural "2 entities"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def clean(text: str) -> str:
    r"""The text without characters that do something to a terminal: `\x1b[31mJames` becomes `[31mJames`."""
    return UNPRINTABLE.sub("", text)


def one_line(text: object) -> str:
    """The text in one line, clean."""
    return clean(" ".join(str(text).split()))


def phrase(text: object) -> str:
    """The text in one line without its full stop, for a sentence that goes on."""
    return one_line(text).removesuffix(".")


DATES_SHOWN = 3


def dates_in_words(days: Sequence[date]) -> str:
    """Some dates in words, e.g. `2026-11-20, 2026-11-22, 2026-11-23 and 3 more until 2026-11-29`."""
    shown = ", ".join(str(day) for day in days[:DATES_SHOWN])
    return shown if len(days) <= DATES_SHOWN else f"{shown} and {len(days) - DATES_SHOWN} more until {days[-1]}"
