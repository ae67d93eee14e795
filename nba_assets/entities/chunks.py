"""What a worker does with a chunk of entities: compute one after the other, and keep each one's failure from the others."""

from __future__ import annotations

import os
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.executors import Parcel
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Compute, Outcome, failures, join, take
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.tables.spec import Columns

NO_DATES = np.array([], dtype="M8[D]")


@dataclass(frozen=True)
class Task:
    """What is the same for all entities of a map."""

    compute: Compute
    entity_type: str
    date_column: str
    shared: Any


def compute_chunk(task: Task, asked: Grouped, histories: Mapping[str, Grouped], entities: Sequence[str]) -> Outcome:
    """The outcomes of some entities, one after the other, joined."""
    return join(
        [_of_entity(task, entity, asked.of(entity), {name: history.of(entity) for name, history in histories.items()}) for entity in entities]
    )


def compute_sent_chunk(task: Parcel, asked: Grouped, histories: Mapping[str, Grouped]) -> Outcome:
    """The same in another process, of everyone who was asked for."""
    return compute_chunk(task.opened(), asked, histories, asked.entities)


def killed(task: Task, entity: str, asked: Columns) -> Outcome:
    """The failures of an entity whose computation ends its worker."""
    dates = np.unique(asked[task.date_column])
    return Outcome({}, _failed(task, entity, dates, "the worker process died while it computed this entity alone, twice (killed, or out of memory)"))


def _of_entity(task: Task, entity: str, asked: Columns, histories: Mapping[str, Columns]) -> Outcome:
    """One entity; if it raises, each of its dates on its own, so that only those fail that raise again."""
    dates = asked[task.date_column]
    try:
        return _checked(task, dates, task.compute(asked, histories, task.shared))
    except MemoryError:
        raise
    except Exception as error:
        if dates[0] == dates[-1]:
            return Outcome({}, _failed(task, entity, dates[:1], _reason(error)))
    return join([_of_entity(task, entity, take(asked, dates == day), histories) for day in np.unique(dates)])


def _checked(task: Task, asked: NDArray[np.datetime64], outcome: Outcome) -> Outcome:
    """The outcome, if it answers what was asked: as many rows as asked for on each date, fewer only beside a failure."""
    rows = outcome.rows.get(task.date_column, NO_DATES)
    if np.array_equal(rows, asked):
        return outcome
    wanted, given = Counter(asked.tolist()), Counter(rows.tolist())
    failed = set(outcome.failures.get("partition_date", NO_DATES).tolist())
    missing, surplus = {day for day in wanted - given if day not in failed}, {*(given - wanted), *(failed - wanted.keys())}
    for days, complaint in ((missing, "no row and no failure for a date that was asked for"), (surplus, "more than was asked for")):
        if days:
            raise ValueError(f"the compute function gave {complaint}: {_listed(days)}")
    return outcome


def _listed(days: set[date]) -> str:
    first = [str(day) for day in sorted(days)[:5]]
    return ", ".join(first) + (f" and {len(days) - len(first)} more" if len(days) > len(first) else "")


def _failed(task: Task, entity: str, dates: NDArray[np.datetime64], reason: str) -> Columns:
    ids = np.full(len(dates), entity, dtype=object)
    return failures(ids, dates, task.entity_type, HARD_FAILURE, reason, can_retry=True, failure_type=HARD_FAILURE)


def _reason(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name} {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
