"""Players' names as keys: one spelling for what a dozen feeds spell differently."""

from __future__ import annotations

import re
import unicodedata

_NOT_IN_KEY = re.compile(r"[^a-z0-9]")


def player_lookup(name: str | None) -> str:
    """The key of a player's name: lower case, accents removed, only letters a-z and digits kept; suffixes stay.

    Empty for None and for names without any such letter; an empty key identifies nobody.

    Example: "José Alvarado" is `josealvarado`, "LeBron James Jr." is `lebronjamesjr`, "Shaquille O'Neal" is
    `shaquilleoneal`.
    """
    # Decomposing parts a letter from its accents, which are then dropped with everything else outside the alphabet.
    return _NOT_IN_KEY.sub("", unicodedata.normalize("NFD", (name or "").lower()))


def strip_leading_digits(lookup: str) -> str:
    """A key without the numeric id that one feed puts before it. Example: `1630552jalenjohnson` is `jalenjohnson`."""
    return lookup.lstrip("0123456789")
