"""Tables in memory that are looked back on: rows in groups, ascending by date within each, so that one binary search
finds a group's rows of a date.

What may be seen from which date is in `windows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import sortable
from nba_assets.tables.spec import Columns

Numbers = NDArray[np.integer[Any]]

SPAN = 1 << 24
"""More than there are days, games or teams: a number times this leaves room for any of them."""


def joint(group: Numbers, inner: Numbers) -> NDArray[np.int64]:
    """Two numbers as one that sorts by the first, then by the second; the second is at least 0 and below `SPAN`."""
    return np.asarray(group, dtype=np.int64) * SPAN + inner


def moments(group: Numbers, dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Group and date as one number; within a group an unknown date comes last."""
    days = dates.astype("M8[D]").astype(np.int64) + SPAN // 2
    return joint(group, np.where(np.isnat(dates), SPAN - 1, days))


def days_of(moments: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """The dates in `moments`."""
    return (moments % SPAN - SPAN // 2).astype("M8[D]")


def ranges(start: Numbers, stop: Numbers) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The whole numbers from each start up to its stop, range after range, and to which range each belongs."""
    sizes = stop - start
    owner = np.repeat(np.arange(len(sizes)), sizes)
    return np.arange(len(owner)) + (start - np.cumsum(sizes) + sizes)[owner], owner


def running(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many of the first i entries hold, for i from 0 on."""
    totals = np.zeros(len(mask) + 1, dtype=np.intp)
    np.cumsum(mask, out=totals[1:])
    return totals


@dataclass(frozen=True, eq=False)
class Numbered(Mapping[str, NDArray[Any]]):
    """A table whose rows stand in groups numbered from 0, ascending by date within each; it is read like its
    columns.
    """

    columns: Columns
    bounds: NDArray[np.intp]
    """Group number i has the rows from bounds[i] to bounds[i + 1]."""
    date_column: str

    @classmethod
    def sort(cls, columns: Columns, group: Numbers, groups: int, date_column: str) -> Numbered:
        """Sort rows of known groups by group and date; rows of one date keep their order."""
        order = np.argsort(moments(group, columns[date_column]), kind="stable")
        return Numbered(take(columns, order), np.searchsorted(group[order], np.arange(groups + 1)), date_column)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """A column."""
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the columns."""
        return iter(self.columns)

    def __len__(self) -> int:
        """The number of columns."""
        return len(self.columns)

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """The date of each row."""
        return self.columns[self.date_column]

    @cached_property
    def sizes(self) -> NDArray[np.intp]:
        """The number of rows of each group."""
        return np.diff(self.bounds)

    @cached_property
    def group(self) -> NDArray[np.intp]:
        """The group of each row."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def moments(self) -> NDArray[np.int64]:
        """Group and date of each row as one number; ascending."""
        return moments(self.group, self.dates)

    def where(self, mask: NDArray[np.bool_]) -> Self:
        """Some of the rows; all groups stay, if with fewer rows."""
        return replace(self, columns=take(self.columns, mask), bounds=running(mask)[self.bounds])

    def rows_of(self, groups: Numbers) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The positions of the rows of some groups, group after group, and the bounds of each group among them; -1
        stands for a group without rows.
        """
        sizes = np.append(self.sizes, 0)[groups]
        rows, _ = ranges(self.bounds[groups], self.bounds[groups] + sizes)
        return rows, np.append(0, np.cumsum(sizes))

    def read_only(self) -> Self:
        """The same rows, which cannot be changed."""
        views = {name: values.view() for name, values in self.columns.items()}
        for view in views.values():
            view.flags.writeable = False
        return replace(self, columns=views)


@dataclass(frozen=True, eq=False)
class Grouped(Numbered):
    """A table cut into entities: group number i are the rows of the i-th entity."""

    entities: tuple[str, ...]
    """Ascending."""
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
            take(columns, order[bounds[0] :]), bounds - bounds[0], date_column, tuple(entities.tolist()), entity_column
        )

    def of(self, entity: str) -> dict[str, NDArray[Any]]:
        """The rows of an entity, read-only; no rows, of the same columns, for one that is not there."""
        number = self._numbers.get(entity)
        rows = slice(0, 0) if number is None else slice(self.bounds[number], self.bounds[number + 1])
        views = {name: values[rows] for name, values in self.columns.items()}
        for view in views.values():
            view.flags.writeable = False
        return views

    def chunk(self, entities: Sequence[str]) -> Grouped:
        """The given entities alone, ascending, copied: small enough to be sent to another process. One that is not
        there is an entity without rows.
        """
        chosen = tuple(sorted(entities))
        if chosen == self.entities:
            return self
        rows, bounds = self.rows_of(self.numbers(chosen))
        return replace(self, columns=take(self.columns, rows), bounds=bounds, entities=chosen)

    def numbers(self, entities: Sequence[str] | NDArray[np.object_]) -> NDArray[np.intp]:
        """The groups of some entities; -1 where one is not there, and for null."""
        codes, distinct = pd.factorize(np.asarray(entities, dtype=object))
        return np.array([*(self._numbers.get(entity, -1) for entity in distinct.tolist()), -1], dtype=np.intp)[codes]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {entity: number for number, entity in enumerate(self.entities)}
