"""How a line of text lists things: the first of them, and how many more there are.

What the line says of them is up to the caller.
"""

from __future__ import annotations

from collections.abc import Iterable


def listed(things: Iterable[object], shown: int, what: str = "", separator: str = ", ") -> str:
    """The first `shown` things in one line, and the number of the others with the word for them.

    Example: `listed([3, 1, 2], 2, "dates")` is "3, 1 and 1 more dates".
    """
    texts = list(map(str, things))
    more = f" and {len(texts) - shown:,} more {what}".rstrip() if len(texts) > shown else ""
    return f"{separator.join(texts[:shown])}{more}"
