"""How many random cases a proof draws."""

from __future__ import annotations

import os


def seeds(count: int, first: int = 0) -> range:
    """`count` seeds from `first` on, or as many as TEST_SEEDS in the environment says."""
    return range(first, first + int(os.environ.get("TEST_SEEDS", count)))
