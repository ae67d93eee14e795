"""Which rows of a run's dates are computed and which are retained as they are stored: here all and none; of a retry see
`retry`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.tables.bookkeeping import ENTITY_FAILURES
from nba_assets.tables.columns import empty
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Warehouse


@dataclass(frozen=True)
class RetainedRows:
    """What a run leaves of its dates as it is: rows with all their columns, their hashes, and failure records."""

    rows: pa.Table
    hashes: NDArray[np.uint64]
    failures: pa.Table

    @classmethod
    def nothing(cls, table: Table) -> RetainedRows:
        """What a run that computes whole dates retains."""
        return cls(empty(table), np.array([], dtype=np.uint64), empty(ENTITY_FAILURES))


class Scope(Protocol):
    """Which rows of its dates a run computes, and which it retains."""

    @property
    def is_whole(self) -> bool:
        """Whether the dates are computed as a whole."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is computed at all, and so nothing written."""

    def only(self, requested: Grouped) -> Grouped:
        """Of what a table would compute, what is computed."""

    def part_of(self, outcome: Outcome) -> Outcome:
        """An outcome without failures of entities that are not computed."""

    def retained(self, warehouse: Warehouse, table: Table, dates: Sequence[date]) -> RetainedRows:
        """What stays of some dates."""

    def entries(self, written: pa.Table, computed: Collection[date]) -> pa.Table:
        """The entries of the dates in the state of partitions, of those that a run of whole dates would write; on
        `computed` dates there are computed rows.
        """

    def results(self, failed: Columns) -> Mapping[date, Mapping[str, Any]]:
        """What the UI shows of each date beyond what all runs tell; `failed` are the failures of this run."""


@dataclass(frozen=True)
class WholeDates:
    """Every row is computed, none retained."""

    is_whole: bool = True
    is_empty: bool = False

    def only(self, requested: Grouped) -> Grouped:
        """All that is requested."""
        return requested

    def part_of(self, outcome: Outcome) -> Outcome:
        """The outcome as it is."""
        return outcome

    def retained(self, warehouse: Warehouse, table: Table, dates: Sequence[date]) -> RetainedRows:
        """Nothing."""
        del warehouse, dates
        return RetainedRows.nothing(table)

    def entries(self, written: pa.Table, computed: Collection[date]) -> pa.Table:
        """The entries as written."""
        del computed
        return written

    def results(self, failed: Columns) -> Mapping[date, Mapping[str, Any]]:
        """Nothing beyond what all runs tell."""
        del failed
        return {}
