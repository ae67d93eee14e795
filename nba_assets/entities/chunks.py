"""What a worker does with a chunk of entities: compute one after the other, check each answer, and keep each one's
failure from the others.
"""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.executors import Broadcast
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import FAILURE_COLUMNS, Compute, Outcome, concatenate, failures, join, take
from nba_assets.entities.time_limits import ended_after
from nba_assets.tables.bookkeeping import FAILURE_CATEGORIES, HARD_FAILURE
from nba_assets.tables.spec import Columns
from nba_assets.wording import listed

NO_DATES = np.array([], dtype="M8[D]")
NUMBERS, MOMENTS, OBJECTS = "fiub", "M", "OU"
"""Kinds of numpy arrays that hold one kind of column: numbers and flags, dates and moments, texts and lists."""
KINDS = {kind: kinds for kinds in (NUMBERS, MOMENTS, OBJECTS) for kind in kinds}


@dataclass(frozen=True)
class Task:
    """What is the same for all entities of a map."""

    compute: Compute
    entity_type: str
    entity_column: str
    date_column: str
    shared: Any
    columns: Mapping[str, str] | None = None
    """Columns of an answer, each with the kinds of array that it may be; None where the answers only have to be alike.
    """


def compute_chunk(
    task: Task,
    requested: Grouped,
    histories: Mapping[str, Grouped],
    entities: Sequence[str],
    begin: Callable[[str], object] = lambda _: None,
) -> list[Outcome]:
    """The outcomes of some entities, one after the other: joined where their columns are alike, in as many parts as
    there are kinds of answers.

    `begin` is called with each entity before it is computed.
    """
    parts: dict[frozenset[tuple[str, str]], list[Outcome]] = {}
    for entity in entities:
        begin(entity)
        for outcome in _of_entity(
            task, entity, requested.of(entity), {name: history.of(entity) for name, history in histories.items()}
        ):
            likeness = _likeness(outcome.rows) if task.columns is None else frozenset[tuple[str, str]]()
            parts.setdefault(likeness, []).append(outcome)
    return [join(part) for part in parts.values()]


def compute_sent_chunk(
    task: Broadcast, requested: Grouped, histories: Mapping[str, Grouped], seconds: float
) -> list[Outcome]:
    """The same in another process, of all entities of `requested`; the process ends where this takes longer than so
    many seconds.
    """
    opened = task.opened()
    with ended_after(seconds, task.folder) as begin:
        return compute_chunk(opened, requested, histories, requested.entities, begin)


DIED = "the worker process died while it computed this entity alone, twice (killed, or out of memory)"


def unfinished(seconds: float, place: str) -> str:
    """Why an entity has no row whose computation did not end in time; `place` is where the code stood."""
    return f"the computation of this entity did not finish within {seconds:g} s{f' ({place})' if place else ''}"


def given_up(task: Task, entity: str, requested: Columns, reason: str) -> list[Outcome]:
    """The failures of an entity whose computation ends its worker, or does not end itself."""
    return [Outcome({}, _failed(task, entity, np.unique(requested[task.date_column]), reason))]


def joined(task: Task, parts: Sequence[Outcome]) -> Outcome:
    """All parts as one.

    Answers whose columns are not those of most rows are failures of their entities, wherever they were computed.
    """
    if task.columns is not None:
        return join(parts)
    alike = [_likeness(part.rows) for part in parts]
    rows: Counter[frozenset[tuple[str, str]]] = Counter()
    for likeness, part in zip(alike, parts, strict=True):
        if part.rows:
            rows[likeness] += part.row_count
    if len(rows) < 2:
        return join(parts)
    usual = max(rows, key=lambda likeness: (rows[likeness], sorted(likeness)))
    kept = [
        part if not part.rows or likeness == usual else Outcome({}, part.failures)
        for likeness, part in zip(alike, parts, strict=True)
    ]
    unlike = [
        _unlike(task, part.rows, usual)
        for likeness, part in zip(alike, parts, strict=True)
        if part.rows and likeness != usual
    ]
    outcome = join(kept)
    failed = concatenate([outcome.failures, *unlike])
    return Outcome(outcome.rows, take(failed, np.lexsort((failed["partition_date"], failed["entity_id"].astype(str)))))


def _unlike(task: Task, rows: Columns, usual: frozenset[tuple[str, str]]) -> Columns:
    pairs = sorted({*zip(rows[task.entity_column].tolist(), rows[task.date_column].tolist(), strict=True)})
    reason = (
        "the compute function gave other columns than for most entities: "
        f"{_said({name for name, _ in _likeness(rows) ^ usual})}"
    )
    ids, days = (
        np.array([entity for entity, _ in pairs], dtype=object),
        np.array([day for _, day in pairs], dtype="M8[D]"),
    )
    return failures(ids, days, task.entity_type, HARD_FAILURE, reason, can_retry=True, failure_type=HARD_FAILURE)


def _likeness(rows: Columns) -> frozenset[tuple[str, str]]:
    """The names of columns and what kind of values they hold: rows that are alike can be joined."""
    return frozenset((name, KINDS.get(values.dtype.kind, "")) for name, values in rows.items())


def _of_entity(task: Task, entity: str, requested: Columns, histories: Mapping[str, Columns]) -> list[Outcome]:
    """One entity; if it raises, each of its dates on its own, so that only those fail that raise again."""
    dates = requested[task.date_column]
    try:
        return [_checked(task, entity, dates, task.compute(requested, histories, task.shared))]
    except MemoryError:
        raise
    except Exception as error:
        if dates[0] == dates[-1]:
            return [Outcome({}, _failed(task, entity, dates[:1], _reason(error)))]
    return [
        part for day in np.unique(dates) for part in _of_entity(task, entity, take(requested, dates == day), histories)
    ]


def _checked(task: Task, entity: str, requested: NDArray[np.datetime64], outcome: Outcome) -> Outcome:
    """The outcome, if it answers the request: rows and failures of this entity, as many rows as requested of each date,
    fewer only beside a failure.

    Raises ValueError or TypeError with what is wrong.
    """
    if not isinstance(outcome, Outcome):
        raise TypeError(f"the compute function gave {type(outcome).__name__}, not an Outcome")
    if outcome.rows:
        _see_rows(task, entity, outcome.rows)
    if outcome.failures:
        _see_failures(entity, outcome.failures)
    rows = outcome.rows.get(task.date_column, NO_DATES)
    if not outcome.failures and np.array_equal(rows, requested):
        return outcome
    wanted, given = Counter(requested.tolist()), Counter(rows.tolist())
    failed = set(outcome.failures.get("partition_date", NO_DATES).tolist())
    missing, surplus = (
        {day for day in wanted - given if day not in failed},
        {*(given - wanted), *(failed - wanted.keys())},
    )
    for days, complaint in (
        (missing, "no row and no failure for a date that was requested"),
        (surplus, "more than was requested"),
    ):
        if days:
            raise ValueError(f"the compute function gave {complaint}: {_said(days)}")
    return outcome


def _see_rows(task: Task, entity: str, rows: Columns) -> None:
    """See that rows have the columns that they should have, of one length, storable, and are the entity's own."""
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
    if rows[task.entity_column].tolist().count(entity) != len(rows[task.entity_column]):
        raise ValueError(
            "the compute function gave rows of somebody else: "
            f"{_said(set(map(str, rows[task.entity_column].tolist())) - {entity})}"
        )


def _see_failures(entity: str, failed: Columns) -> None:
    """See that failure records are whole and the entity's own."""
    if set(failed) != set(FAILURE_COLUMNS) or len({len(values) for values in failed.values()}) != 1:
        raise ValueError(
            f"the compute function gave failure records of other columns than {_said(FAILURE_COLUMNS)}, or of unequal "
            "lengths"
        )
    if any(name != entity for name in failed["entity_id"].tolist()):
        raise ValueError(
            "the compute function gave failure records of somebody else: "
            f"{_said(set(map(str, failed['entity_id'].tolist())) - {entity})}"
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
