"""Rows that cannot be computed because something that their team shares could not: one failure record each, and why.

What is computed once per team, or for a player's teammates, costs only that team's players when it fails.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import failures
from nba_assets.entities.relations import at, find
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.tables.spec import Columns

REASON = "refused_because"
"""Column of rows to be computed: why one cannot be, None where it can. Without the column all of them can."""


def no_reasons(size: int) -> NDArray[np.object_]:
    """Rows that can be computed."""
    return np.full(size, None, dtype=object)


def reasons(
    what: str, failed: Columns, dates: NDArray[np.datetime64], entities: NDArray[np.object_]
) -> NDArray[np.object_]:
    """Why rows that need something of an entity on a date cannot be computed, by the failures of computing it; None
    where it did not fail.

    Example: "the facts of LAL could not be computed: ValueError: ...".
    """
    if not failed:
        return no_reasons(len(dates))
    texts = [
        f"{what} of {entity} could not be computed: {why}"
        for entity, why in zip(failed["entity_id"], failed["failure_reason"], strict=True)
    ]
    return at(np.array(texts, dtype=object), find((dates, entities), (failed["partition_date"], failed["entity_id"])))


def first_of(*several: NDArray[np.object_]) -> NDArray[np.object_]:
    """The first reason that is given for each row."""
    found = several[0].copy()
    for others in several[1:]:
        missing = _is_none(found)
        found[missing] = others[missing]
    return found


def divide(requested: Grouped) -> tuple[Grouped, Columns]:
    """The rows of players that can be computed, and the failure records of the others."""
    able = _is_none(requested.get(REASON, no_reasons(len(requested.dates))))
    if able.all():
        return requested, {}
    lost = requested.where(~able)
    records = failures(
        lost["player_lookup"],
        lost.dates,
        "PLAYER",
        HARD_FAILURE,
        lost[REASON],
        can_retry=True,
        failure_type=HARD_FAILURE,
    )
    return requested.where(able), records


def _is_none(texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    return np.array([text is None for text in texts], dtype=bool)
