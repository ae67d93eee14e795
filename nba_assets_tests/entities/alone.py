"""Compute functions called for one entity whose rows are plain columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nba_assets.entities.chunks import Compute
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, length
from nba_assets.tables.spec import Columns

Alone = Callable[..., Outcome]
"""compute(requested, histories, shared) of plain columns."""


def of_one(columns: Columns, date_column: str = "game_date", entity: str = "him") -> Grouped:
    """The rows of a single entity, ascending by date."""
    return Grouped(columns, np.array([0, length(columns)]), date_column, (entity,), "player_lookup")


def alone(compute: Compute, date_column: str = "game_date") -> Alone:
    """A compute function for one entity; `date_column` is that of its requested rows."""

    def of_columns(requested: Columns, histories: Mapping[str, Columns], shared: Any = None) -> Outcome:
        past = {
            name: of_one(rows, "roster_date" if "roster_date" in rows else "game_date")
            for name, rows in histories.items()
        }
        return compute(of_one(requested, date_column), past, shared)

    return of_columns
