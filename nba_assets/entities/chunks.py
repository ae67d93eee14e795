"""What a worker does with a chunk of entities: compute them together, check the outcome, and where that fails look for
the entities and dates that fail.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.executors import Broadcast
from nba_assets.entities.groups import Grouped, days_of, moments
from nba_assets.entities.outcomes import FAILURE_COLUMNS, Outcome, failures, join, take
from nba_assets.entities.time_limits import ended_after
from nba_assets.tables.bookkeeping import FAILURE_CATEGORIES, HARD_FAILURE
from nba_assets.tables.spec import Columns
from nba_assets.wording import listed

NUMBERS, MOMENTS, OBJECTS = "fiub", "M", "OU"
"""Kinds of numpy arrays that hold one kind of column: numbers and flags, dates and moments, texts and lists."""

Compute = Callable[[Grouped, Mapping[str, Grouped], Any], Outcome]
"""compute(requested, histories, shared): some entities over all their requested dates.

`requested` holds one row per row to be computed: each yields a row or a failure. `histories` are the past of the same
entities, by name, in groups of the same numbers; they hold whatever was loaded, so only as-of windows may look into
them. `shared` is read-only context of the run, the same for all. What is computed of an entity must not depend on which
others are computed with it.
"""


@dataclass(frozen=True)
class Task:
    """What is the same for all entities of a map."""

    compute: Compute
    entity_type: str
    entity_column: str
    date_column: str
    shared: Any
    columns: Mapping[str, str] | None = None
    """Columns of an answer, each with the kinds of array that it may be; None where any will do."""


def compute_chunk(task: Task, requested: Grouped, histories: Mapping[str, Grouped]) -> Outcome:
    """Rows and failures of the requested entities, in order of entity and date.

    Where the computation raises, or its answer does not fit the request, each half of the entities is computed on its
    own, then each half of an entity's dates: only the dates of entities that fail alone become failures.
    """
    aligned = {name: history.chunk(requested.entities).read_only() for name, history in histories.items()}
    try:
        return _checked(task, requested, task.compute(requested.read_only(), aligned, task.shared))
    except MemoryError:
        raise
    except Exception as error:
        parts = _halves(requested)
        if not parts:
            return Outcome({}, _failed(task, requested.entities[0], requested.dates[:1], _reason(error)))
    return join([compute_chunk(task, part, aligned) for part in parts])


def compute_sent_chunk(
    task: Broadcast, requested: Grouped, histories: Mapping[str, Grouped], seconds: float
) -> Outcome:
    """The same in another process, which ends where this takes longer than so many seconds, and notes down the first of
    the entities.
    """
    opened = task.opened()
    with ended_after(seconds, task.folder) as begin:
        begin(requested.entities[0])
        return compute_chunk(opened, requested, histories)


DIED = "the worker process died while it computed this entity alone, twice (killed, or out of memory)"


def unfinished(seconds: float, place: str) -> str:
    """Why an entity has no row whose computation did not end in time; `place` is where the code stood."""
    return f"the computation of this entity did not finish within {seconds:g} s{f' ({place})' if place else ''}"


def given_up(task: Task, requested: Grouped, reason: str) -> Outcome:
    """The failures of an entity whose computation ends its worker, or does not end itself."""
    return Outcome({}, _failed(task, requested.entities[0], np.unique(requested.dates), reason))


def joined(parts: Sequence[Outcome]) -> Outcome:
    """The outcomes of all chunks as one.

    Raises ValueError where they have different columns, which nobody declared.
    """
    columns = [part.rows.keys() for part in parts if part.rows]
    unlike = {name for names in columns for name in names ^ columns[0]}
    if unlike:
        raise ValueError(f"the compute function gave some entities other columns than others: {_said(unlike)}")
    return join(parts)


def _halves(requested: Grouped) -> list[Grouped]:
    """Two halves of the entities; of a single entity two halves of its dates; none of a single date."""
    entities = requested.entities
    if len(entities) > 1:
        middle = len(entities) // 2
        return [requested.chunk(entities[:middle]), requested.chunk(entities[middle:])]
    days = np.unique(requested.dates)
    early = requested.dates < days[len(days) // 2]
    return [requested.where(early), requested.where(~early)] if len(days) > 1 else []


def _checked(task: Task, requested: Grouped, outcome: Outcome) -> Outcome:
    """The outcome in order of entity and date, if it answers the request: rows and failures of the requested entities,
    as many rows as requested of each date, fewer only beside a failure.

    Raises ValueError or TypeError with what is wrong.
    """
    if not isinstance(outcome, Outcome):
        raise TypeError(f"the compute function gave {type(outcome).__name__}, not an Outcome")
    rows, failed = outcome.rows, outcome.failures
    given = lost = np.array([], dtype=np.int64)
    if rows:
        _validate_rows(task, rows)
        given = _moments(requested, "rows", rows[task.entity_column], rows[task.date_column])
    if failed:
        _validate_failures(failed)
        lost = _moments(requested, "failure records", failed["entity_id"], failed["partition_date"])
    if np.array_equal(np.sort(np.concatenate([given, lost]), kind="stable"), requested.moments):
        return Outcome(_ascending(rows, given), _ascending(failed, lost))
    expected, expected_rows = np.unique(requested.moments, return_counts=True)
    found, found_rows = np.unique(given, return_counts=True)
    rows_of = np.zeros(len(expected), dtype=np.intp)
    known = np.isin(found, expected)
    rows_of[np.searchsorted(expected, found[known])] = found_rows[known]
    missing = expected[(rows_of < expected_rows) & ~np.isin(expected, lost)]
    surplus = np.concatenate([expected[rows_of > expected_rows], found[~known], np.setdiff1d(lost, expected)])
    for which, complaint in (
        (missing, "no row and no failure for a date that was requested"),
        (surplus, "more than was requested"),
    ):
        if len(which):
            raise ValueError(f"the compute function gave {complaint}: {_said(set(days_of(which).tolist()))}")
    return Outcome(_ascending(rows, given), _ascending(failed, lost))


def _ascending(columns: Columns, moments: NDArray[np.int64]) -> Columns:
    return columns if (moments[1:] >= moments[:-1]).all() else take(columns, np.argsort(moments, kind="stable"))


def _moments(
    requested: Grouped, what: str, entities: NDArray[np.object_], dates: NDArray[np.datetime64]
) -> NDArray[np.int64]:
    """Entity and date of computed rows as one number.

    Raises ValueError where an entity is not one of those requested.
    """
    numbers = requested.numbers(entities)
    if (numbers < 0).any():
        others = set(map(str, entities[numbers < 0].tolist()))
        raise ValueError(f"the compute function gave {what} of entities that were not requested: {_said(others)}")
    return moments(numbers, dates)


def _validate_rows(task: Task, rows: Columns) -> None:
    """Validate that rows have the columns that they should have, of one length and storable."""
    expected = rows.keys() if task.columns is None else task.columns.keys()
    lacking = {*(expected - rows.keys()), *({task.entity_column, task.date_column} - rows.keys())}
    if lacking:
        raise ValueError(f"the compute function gave rows without the columns {_said(lacking)}")
    if rows.keys() != expected:
        raise ValueError(f"the compute function gave the undeclared columns {_said(rows.keys() - expected)}")
    shape = rows[task.date_column].shape
    kinds = task.columns or {task.date_column: MOMENTS}
    wrong = [
        name
        for name, values in rows.items()
        if not isinstance(values, np.ndarray)
        or values.shape != shape
        or (name in kinds and values.dtype.kind not in kinds[name])
    ]
    if wrong or len(shape) != 1:
        raise ValueError(
            f"the compute function gave columns of another length or type than declared: {_said(wrong or rows.keys())}"
        )


def _validate_failures(failed: Columns) -> None:
    """Validate that failure records are whole."""
    if set(failed) != set(FAILURE_COLUMNS) or len({len(values) for values in failed.values()}) != 1:
        raise ValueError(
            f"the compute function gave failure records of other columns than {_said(FAILURE_COLUMNS)}, or of unequal "
            "lengths"
        )
    if unknown := set(failed["failure_category"].tolist()) - set(FAILURE_CATEGORIES):
        raise ValueError(f"the compute function gave failure records of unknown categories: {_said(map(str, unknown))}")


def _said(things: Iterable[Any]) -> str:
    return listed(sorted(things), NAMED)


NAMED = 5


def _failed(task: Task, entity: str, dates: NDArray[np.datetime64], reason: str) -> Columns:
    ids = np.full(len(dates), entity, dtype=object)
    return failures(ids, dates, task.entity_type, HARD_FAILURE, reason, can_retry=True, failure_type=HARD_FAILURE)


def _reason(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name} {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
