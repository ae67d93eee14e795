"""The outcome of a compute function: rows, and failure records of the entities without one, both as columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns

FAILURE_COLUMNS = (
    "entity_id",
    "partition_date",
    "entity_type",
    "failure_category",
    "failure_reason",
    "can_retry",
    "failure_type",
    "is_correctable",
    "expected_record_count",
    "actual_record_count",
    "missing_game_ids",
)
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Outcome:
    """Rows and failures of some entities. No failures is an empty mapping."""

    rows: Columns
    failures: Columns = field(default_factory=dict)

    @property
    def row_count(self) -> int:
        """Rows computed."""
        return length(self.rows)

    @property
    def failure_count(self) -> int:
        """Entities and dates that failed."""
        return length(self.failures)


def failures(
    entity_ids: NDArray[np.object_],
    dates: NDArray[np.datetime64],
    entity_type: str,
    category: str | NDArray[np.object_],
    reasons: str | Sequence[str] | NDArray[np.object_],
    *,
    can_retry: bool | NDArray[np.bool_],
    failure_type: str | NDArray[np.object_] | None = None,
    is_correctable: bool | NDArray[np.bool_] | None = None,
    expected: NDArray[Any] | None = None,
    actual: NDArray[Any] | None = None,
    missing_game_ids: NDArray[np.object_] | None = None,
) -> dict[str, NDArray[Any]]:
    """Failure records as columns, one per entity and date; scalars hold for all of them."""
    size = len(entity_ids)
    reason_list = [reasons] * size if isinstance(reasons, str) else list(reasons)
    return {
        "entity_id": np.asarray(entity_ids, dtype=object),
        "partition_date": np.asarray(dates, dtype="M8[D]"),
        "entity_type": _filled(size, entity_type),
        "failure_category": _filled(size, category),
        "failure_reason": np.array([reason[:LONGEST_REASON] for reason in reason_list], dtype=object),
        "can_retry": np.broadcast_to(np.asarray(can_retry, dtype=np.float64), size).copy(),
        "failure_type": _filled(size, failure_type),
        "is_correctable": np.full(size, np.nan if is_correctable is None else is_correctable, dtype=np.float64),
        "expected_record_count": np.full(size, np.nan) if expected is None else np.asarray(expected, dtype=np.float64),
        "actual_record_count": np.full(size, np.nan) if actual is None else np.asarray(actual, dtype=np.float64),
        "missing_game_ids": _filled(size, None) if missing_game_ids is None else missing_game_ids,
    }


def length(columns: Columns) -> int:
    """Rows of a table in memory; 0 without columns."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, places: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The rows at `places` (positions or a mask) of a table in memory."""
    return {name: values[places] for name, values in columns.items()}


def concatenate(parts: Iterable[Columns]) -> dict[str, NDArray[Any]]:
    """Tables of the same columns one below the other; parts without columns are skipped."""
    filled = [part for part in parts if part]
    if not filled:
        return {}
    return {name: np.concatenate([part[name] for part in filled]) for name in filled[0]}


def join(outcomes: Sequence[Outcome]) -> Outcome:
    """Several outcomes as one, in the order given."""
    return Outcome(
        concatenate(outcome.rows for outcome in outcomes), concatenate(outcome.failures for outcome in outcomes)
    )


def _filled(size: int, value: str | NDArray[np.object_] | None) -> NDArray[np.object_]:
    return np.full(size, value, dtype=object)
