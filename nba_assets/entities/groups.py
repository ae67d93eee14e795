"""A table cut into entities: each one's rows, ascending by date, as views of one sorted copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import sortable
from nba_assets.tables.spec import Columns


@dataclass(frozen=True, eq=False)
class Grouped:
    """Columns sorted by entity and date, and where each entity begins."""

    columns: Columns
    entities: tuple[str, ...]
    """Ascending."""
    bounds: NDArray[np.intp]
    """Entity number i has the rows from bounds[i] to bounds[i + 1]."""
    date_column: str
    entity_column: str

    @classmethod
    def by(cls, columns: Columns, entity_column: str, date_column: str, *, tie_break: Sequence[str] = ()) -> Grouped:
        """Group columns by an entity; rows of one entity and date go by `tie_break`, else keep their order.

        Rows without entity are left out.
        """
        codes, entities = pd.factorize(columns[entity_column], sort=True)
        order = np.lexsort([*(sortable(columns[name]) for name in reversed(tie_break)), columns[date_column], codes])
        bounds = np.searchsorted(codes[order], np.arange(len(entities) + 1))
        # Rows without entity have the code -1: they come first, and are cut off.
        return cls(
            take(columns, order[bounds[0] :]), tuple(entities.tolist()), bounds - bounds[0], date_column, entity_column
        )

    def of(self, entity: str) -> dict[str, NDArray[Any]]:
        """The rows of an entity, read-only; no rows, of the same columns, for one that is not there."""
        place = self._places.get(entity)
        rows = slice(0, 0) if place is None else slice(self.bounds[place], self.bounds[place + 1])
        views = {name: values[rows] for name, values in self.columns.items()}
        for view in views.values():
            view.flags.writeable = False
        return views

    def chunk(self, entities: Sequence[str]) -> Grouped:
        """The given entities alone, ascending, copied: small enough to be sent to another process."""
        wanted = sorted(self._places[entity] for entity in entities if entity in self._places)
        rows = [np.arange(self.bounds[place], self.bounds[place + 1]) for place in wanted]
        places = np.concatenate(rows) if rows else np.array([], dtype=np.intp)
        sizes = [len(mine) for mine in rows]
        chosen = tuple(self.entities[place] for place in wanted)
        return Grouped(take(self.columns, places), chosen, np.cumsum([0, *sizes]), self.date_column, self.entity_column)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {entity: place for place, entity in enumerate(self.entities)}
