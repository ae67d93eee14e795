"""Players' names as keys: one spelling for what a dozen feeds spell differently."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NOT_IN_KEY = re.compile(r"[^a-z0-9]")
_NOT_IN_WORDS = re.compile(r"[^a-z0-9 ,]")

TRANSLITERATED = {
    "đ": "d",
    "ɖ": "d",
    "ð": "d",
    "ħ": "h",
    "\N{LATIN SMALL LETTER DOTLESS I}": "i",
    "ł": "l",
    "ŋ": "n",
    "ø": "o",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "ß": "ss",
    "þ": "th",
}
"""Letters that Unicode does not decompose into a letter and an accent, as feeds in plain ASCII write them."""
_PLAIN_LETTERS = str.maketrans(TRANSLITERATED)

SUFFIXES = ("jr", "sr", "ii", "iii", "iv", "v")
"""Generational suffixes as they end a key."""


def player_lookup(name: str | None) -> str:
    """The key of a player's name: lower case, accents removed, only letters a-z and digits kept; suffixes stay.

    "Last, First" is turned round, wherever the suffix stands. Empty for None and for names without any such letter; an
    empty key identifies nobody.

    Example: "José Alvarado" is `josealvarado`, "LeBron James Jr." is `lebronjamesjr`, "Nikola Đurišić" is
    `nikoladurisic`, "Jackson Jr., Jaren" is `jarenjacksonjr`.
    """
    return _key((name or "").lower().translate(_PLAIN_LETTERS))


def old_spelling(name: str | None) -> str:
    """The key as systems make it that delete letters which Unicode does not decompose; equal to `player_lookup` of all
    other names.

    Example: "Nikola Đurišić" is `nikolaurisic`.
    """
    return _key((name or "").lower())


def strip_leading_digits(lookup: str) -> str:
    """A key without the numeric id that one feed puts before it. Example: `1630552jalenjohnson` is `jalenjohnson`."""
    return lookup.lstrip("0123456789")


# A run meets each of a season's 600 names once per table, feed and date.
@lru_cache(maxsize=10_000)
def _key(lower: str) -> str:
    # Decomposing parts a letter from its accents, which are then dropped with everything else outside the alphabet.
    plain = unicodedata.normalize("NFD", lower)
    return _NOT_IN_KEY.sub("", _turned(plain) if "," in plain else plain)


def _turned(name: str) -> str:
    """A name written as "Last, First" the other way round; one of more parts than last name, first name and suffix
    stays as it is.
    """
    parts = [words for part in _NOT_IN_WORDS.sub("", name).split(",") if (words := part.split())]
    suffixes = [words for words in parts[1:] if len(words) == 1 and words[0] in SUFFIXES and words[0] != "v"]
    names = [words for words in parts if not any(words is suffix for suffix in suffixes)]
    if len(names) > 2 or len(suffixes) > 1:
        return name
    if len(names) == 2:
        last, first = (_without_suffix(words, suffixes) for words in names)
        names = [first, last]
    return "".join("".join(words) for words in (*names, *suffixes))


def _without_suffix(words: list[str], suffixes: list[list[str]]) -> list[str]:
    """A part of a name without the suffix at its end, which goes to the others; a part that is nothing else keeps
    it.
    """
    if len(words) == 1 or words[-1] not in SUFFIXES:
        return words
    suffixes.append([words[-1]])
    return words[:-1]
