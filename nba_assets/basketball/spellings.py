"""What else a feed may call a player: his name with and without the letters that are no accented a-z, and with and
without a generational suffix.
"""

from __future__ import annotations

import re

from nba_assets.basketball.names import SUFFIXES, TRANSLITERATED, old_spelling, player_lookup, strip_leading_digits

SHORTEST_STEM = 4
"""A key that is shorter without its suffix is no name."""

_DIGRAPHS = str.maketrans(TRANSLITERATED | {"đ": "dj", "ø": "oe"})
"""The other way of writing them: Đurišić is Durisic or Djurisic."""

_TRANSLITERATED_LETTER = re.compile(f"[{''.join(TRANSLITERATED)}]")


def spellings(name: str | None) -> tuple[str, ...]:
    """The keys that feeds make of a name, the usual one first; none for a name without any letter.

    Example: "Nikola Đurišić" is `nikoladurisic`, `nikoladjurisic` and, where đ was dropped, `nikolaurisic`; "José
    Alvarado" is `josealvarado` alone.
    """
    usual = strip_leading_digits(player_lookup(name))
    lower = (name or "").lower()
    if not _TRANSLITERATED_LETTER.search(lower):
        return (usual,) if usual else ()
    keys = dict.fromkeys(
        [usual, *map(strip_leading_digits, (player_lookup(lower.translate(_DIGRAPHS)), old_spelling(name)))]
    )
    return tuple(key for key in keys if key)


def with_other_suffix(lookup: str) -> tuple[str, ...]:
    """The key with each generational suffix, and without the one that it may end in.

    A key that ends in `iii` ends in `ii` as well: it is tried without either. Whoever has another suffix is somebody
    else.

    Example: `robertwilliams` may be `robertwilliamsiii`, `robertwilliamsjr`, ...; `garypaytonii` may be `garypayton`.
    """
    without = [
        lookup.removesuffix(suffix)
        for suffix in SUFFIXES
        if lookup.endswith(suffix) and len(lookup) - len(suffix) >= SHORTEST_STEM
    ]
    return (*without, *(lookup + suffix for suffix in SUFFIXES))
