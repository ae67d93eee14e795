"""Quality of a row's inputs: issues by name, and the score, tier and readiness that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TIERS = (("gold", 95), ("silver", 75), ("bronze", 50), ("poor", 25))
"""Lowest score of each tier, best first; below the last a row is `unusable`."""

PRIMARY_SCORE, BACKUP_SCORE = 100.0, 85.0
"""Score of a row from its primary source, and from any other one."""

SAMPLE_QUALITIES = ("excellent", "good", "limited", "insufficient")
"""How well a sample fills its target, best first."""

PRODUCTION_TIERS = ("gold", "silver", "bronze")
BLOCKING_ISSUES = frozenset({"all_sources_failed", "missing_required", "placeholder_created"})


def quality_tier(scores: NDArray[np.float64]) -> NDArray[np.object_]:
    """Tier of each quality score (0-100)."""
    return np.select([scores >= least for _, least in TIERS], [tier for tier, _ in TIERS], default="unusable").astype(
        object
    )


def sample_quality(games: NDArray[np.int64], target: int) -> NDArray[np.object_]:
    """How well a sample fills its target: all of it, 70 % (rounded down), half of it (rounded down), or less."""
    reached = np.searchsorted([target // 2, (7 * target) // 10, target], games, side="right")
    return np.array(SAMPLE_QUALITIES[::-1], dtype=object)[reached]


def collect(size: int, named: Sequence[tuple[NDArray[np.bool_], str | NDArray[np.object_]]]) -> NDArray[np.object_]:
    """For each of `size` rows the names whose mask holds there, in the order given, as a tuple; a name may differ by
    row.
    """
    kinds = np.zeros(size, dtype=np.int64)
    for mask, name in named:
        codes = mask.astype(np.int64)
        if not isinstance(name, str):
            codes *= pd.factorize(name, use_na_sentinel=False)[0] + 1
        kinds = pd.factorize(kinds * (codes.max(initial=0) + 1) + codes)[0]
    # Rows of one kind have the same names; kinds are numbered as they appear.
    _, first = np.unique(kinds, return_index=True)
    names = np.empty(len(first), dtype=object)
    names[:] = [
        tuple(name if isinstance(name, str) else name[row] for mask, name in named if mask[row])
        for row in first.tolist()
    ]
    return names[kinds]


def production_ready(tiers: NDArray[np.object_], issues: NDArray[np.object_]) -> NDArray[np.bool_]:
    """At least bronze and no blocking issue: readiness of a row that describes a single game."""
    blocked = np.array([not BLOCKING_ISSUES.isdisjoint(names) for names in issues], dtype=bool)
    return np.isin(tiers, PRODUCTION_TIERS) & ~blocked


def quality_columns(
    scores: NDArray[np.float64],
    issues: NDArray[np.object_],
    sources: NDArray[np.object_],
    primary_source: NDArray[np.object_],
    with_issues: NDArray[np.bool_],
) -> dict[str, NDArray[Any]]:
    """The quality block of rows that describe single games, from their scores and issues."""
    tiers = quality_tier(scores)
    return {
        "quality_tier": tiers,
        "quality_score": scores,
        "quality_issues": issues,
        "data_sources": sources,
        "is_production_ready": production_ready(tiers, issues),
        "primary_source_used": primary_source,
        "processed_with_issues": with_issues,
    }
