"""Every entity through one compute function, in parallel: chunks, workers, isolation of failures, order, progress.

The result is the same whatever the number and kind of workers: chunks are cut by entity, rows come back in key order, and nothing that a compute
function sees depends on its neighbours. Workers say nothing; the caller's thread does.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Compute, Outcome, failures, join, length, take
from nba_assets.settings import Backend
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.tables.spec import Columns

EntityKind = Literal["players", "teams"]

ENTITY_TYPES: Mapping[EntityKind, str] = {"players": "PLAYER", "teams": "TEAM"}
CHUNKS_PER_WORKER = 4
"""Enough to even out chunks of unequal cost, few enough for their overhead to stay small."""
PROGRESS_EVERY = 50
LIFE_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Workers:
    """How many workers compute one kind of entity, and whether they are used at all."""

    count: int
    enabled: bool = True


@dataclass
class ParallelEntities:
    """Workers for players and for teams, warm from the first map to `close`; also a context manager."""

    players: Workers
    teams: Workers
    backend: Backend = Backend.threads
    chunk_entities: int | None = None
    """Entities per chunk; by default the entities are cut into a few chunks per worker."""
    _pools: dict[EntityKind, Executor] = field(default_factory=dict, repr=False)

    @classmethod
    def serial(cls) -> ParallelEntities:
        """One entity after the other, in the calling thread."""
        return cls(Workers(1, enabled=False), Workers(1, enabled=False))

    def __enter__(self) -> ParallelEntities:
        """Ready to map; workers are started by the first map."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers."""
        self.close()

    def close(self) -> None:
        """End all workers; a later map starts new ones."""
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)
        self._pools.clear()

    def map(
        self,
        kind: EntityKind,
        compute: Compute,
        asked: Grouped,
        histories: Mapping[str, Grouped],
        shared: Any = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> Outcome:
        """Compute every asked row; rows and failures come back in order of entity and date.

        An entity whose computation raises is computed date by date, and only the dates that raise become PROCESSING_ERROR records. A worker process that
        dies takes nobody with it: its entities are computed again in smaller pieces, and the entity that kills its worker again becomes a failure.
        """
        workers: Workers = getattr(self, kind)
        task = _Task(compute, ENTITY_TYPES[kind], asked.date_column, shared)
        progress = _Progress(kind, len(asked.entities), log)
        progress.begin(workers)
        chunks = self._chunks(asked.entities, workers)
        if not workers.enabled:
            done = [self._here(task, asked, histories, [entity], progress) for entity in asked.entities]
        elif self.backend is Backend.threads:
            done = self._threads(kind, workers, task, asked, histories, chunks, progress)
        else:
            done = self._processes(kind, workers, task, asked, histories, chunks, progress)
        outcome = join(done)
        progress.end(outcome)
        return outcome

    def _chunks(self, entities: Sequence[str], workers: Workers) -> list[Sequence[str]]:
        size = self.chunk_entities or max(1, -(-len(entities) // (CHUNKS_PER_WORKER * workers.count)))
        return [entities[start : start + size] for start in range(0, len(entities), size)]

    @staticmethod
    def _here(task: _Task, asked: Grouped, histories: Mapping[str, Grouped], entities: Sequence[str], progress: _Progress) -> Outcome:
        outcome = compute_chunk(task, asked, histories, entities)
        progress.advance(len(entities))
        return outcome

    def _threads(
        self,
        kind: EntityKind,
        workers: Workers,
        task: _Task,
        asked: Grouped,
        histories: Mapping[str, Grouped],
        chunks: Sequence[Sequence[str]],
        progress: _Progress,
    ) -> list[Outcome]:
        pool = self._pool(kind, workers)
        futures = {pool.submit(compute_chunk, task, asked, histories, chunk): place for place, chunk in enumerate(chunks)}
        done: dict[int, Outcome] = {}
        for future in as_completed(futures):
            done[futures[future]] = future.result()
            progress.advance(len(chunks[futures[future]]))
        return [done[place] for place in range(len(chunks))]

    def _processes(
        self,
        kind: EntityKind,
        workers: Workers,
        task: _Task,
        asked: Grouped,
        histories: Mapping[str, Grouped],
        chunks: Sequence[Sequence[str]],
        progress: _Progress,
    ) -> list[Outcome]:
        sent = pickle.dumps(task, protocol=pickle.HIGHEST_PROTOCOL)
        done: dict[str, Outcome] = {}

        def attempt(pieces: Sequence[Sequence[str]], pool: Executor) -> list[Sequence[str]]:
            """Compute pieces in a pool; returns those that a dying worker took with it."""
            futures: dict[Future[Outcome], Sequence[str]] = {}
            lost: list[Sequence[str]] = []
            for piece in pieces:
                cut = {name: history.chunk(piece) for name, history in histories.items()}
                try:
                    futures[pool.submit(_compute_sent, sent, asked.chunk(piece), cut, piece)] = piece
                except BrokenProcessPool:
                    lost.append(piece)
            for future in as_completed(futures):
                try:
                    done[futures[future][0]] = future.result()
                except BrokenProcessPool:
                    lost.append(futures[future])
                else:
                    progress.advance(len(futures[future]))
            return lost

        suspects = attempt(chunks, self._pool(kind, workers))
        if suspects:
            self._pools.pop(kind).shutdown(wait=True, cancel_futures=True)
        # Among the chunks that went down together one holds the entity that kills. Alone, the innocent ones come through, and the guilty one is halved
        # until a single entity is left.
        while suspects:
            with _process_pool(1) as alone:
                while suspects and not (lost := attempt([suspects[0]], alone)):
                    suspects = suspects[1:]
            if not suspects:
                break
            guilty, suspects = lost[0], suspects[1:]
            if len(guilty) == 1:
                done[guilty[0]] = _killed(task, asked.of(guilty[0]), guilty[0])
                progress.advance(1)
            else:
                suspects = [guilty[: len(guilty) // 2], guilty[len(guilty) // 2 :], *suspects]
        return [done[entity] for entity in sorted(done)]

    def _pool(self, kind: EntityKind, workers: Workers) -> Executor:
        if kind not in self._pools:
            if self.backend is Backend.threads:
                self._pools[kind] = ThreadPoolExecutor(workers.count, thread_name_prefix=f"nba-assets-{kind}")
            else:
                self._pools[kind] = _process_pool(workers.count)
        return self._pools[kind]


@dataclass(frozen=True)
class _Task:
    """What is the same for all entities of a map."""

    compute: Compute
    entity_type: str
    date_column: str
    shared: Any


def compute_chunk(task: _Task, asked: Grouped, histories: Mapping[str, Grouped], entities: Sequence[str]) -> Outcome:
    """The outcomes of some entities, one after the other, joined."""
    return join(
        [_of_entity(task, entity, asked.of(entity), {name: history.of(entity) for name, history in histories.items()}) for entity in entities]
    )


def _of_entity(task: _Task, entity: str, asked: Columns, histories: Mapping[str, Columns]) -> Outcome:
    try:
        return _checked(task, asked, task.compute(asked, histories, task.shared))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        dates = asked[task.date_column]
        if len(np.unique(dates)) == 1:
            return Outcome({}, _failed(task, entity, dates[:1], _reason(error)))
    return join([_of_entity(task, entity, take(asked, dates == day), histories) for day in np.unique(dates)])


def _checked(task: _Task, asked: Columns, outcome: Outcome) -> Outcome:
    """The outcome, if it answers what was asked: a row or a failure for each asked date, and nothing else."""
    wanted = set(asked[task.date_column].tolist())
    rows = outcome.rows.get(task.date_column, np.array([], dtype="M8[D]")).tolist()
    answered = {*rows, *outcome.failures.get("partition_date", np.array([], dtype="M8[D]")).tolist()}
    if answered != wanted:
        raise ValueError(f"the compute function answered for {sorted(answered ^ wanted)[:5]}, which was asked or answered but not both")
    return outcome


def _failed(task: _Task, entity: str, dates: NDArray[np.datetime64], reason: str) -> Columns:
    ids = np.full(len(dates), entity, dtype=object)
    return failures(ids, dates, task.entity_type, HARD_FAILURE, reason, can_retry=True, failure_type=HARD_FAILURE)


def _killed(task: _Task, asked: Columns, entity: str) -> Outcome:
    dates = np.unique(asked[task.date_column])
    return Outcome({}, _failed(task, entity, dates, "the worker process died while it computed this entity alone, twice (killed, or out of memory)"))


def _reason(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name} {os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _compute_sent(sent: bytes, asked: Grouped, histories: Mapping[str, Grouped], entities: Sequence[str]) -> Outcome:
    return compute_chunk(_received(sent), asked, histories, entities)


_last_received: dict[bytes, _Task] = {}


def _received(sent: bytes) -> _Task:
    """The task of a map, unpickled once per worker and map."""
    if sent not in _last_received:
        _last_received.clear()
        _last_received[sent] = pickle.loads(sent)
    return _last_received[sent]


def _process_pool(count: int) -> ProcessPoolExecutor:
    # Forking a process that runs threads, as Dagster does, may copy locks that nobody will ever release.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_live_no_longer_than, initargs=(os.getpid(),))


def _live_no_longer_than(parent: int) -> None:
    """End this worker when its parent is gone: a killed run must not leave workers behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LIFE_CHECK_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class _Progress:
    """The three log lines of a map."""

    def __init__(self, kind: EntityKind, total: int, log: Callable[[str], None]) -> None:
        self.kind, self.total, self.log = kind, total, log
        self.done = 0
        self.began = time.perf_counter()

    def begin(self, workers: Workers) -> None:
        mode = f"with {workers.count} workers (parallel mode)" if workers.enabled else "(serial mode)"
        self.log(f"Processing {self.total} {self.kind} {mode}")

    def advance(self, entities: int) -> None:
        before, self.done = self.done, self.done + entities
        if before // PROGRESS_EVERY == self.done // PROGRESS_EVERY or self.done == self.total:
            return
        rate = self.done / max(time.perf_counter() - self.began, 1e-9)
        remaining = (self.total - self.done) / rate / 60
        self.log(f"Entity processing progress: {self.done}/{self.total} | Rate: {rate:.1f} entities/sec | ETA: {remaining:.1f}min")

    def end(self, outcome: Outcome) -> None:
        seconds = time.perf_counter() - self.began
        failed = len(set(outcome.failures["entity_id"])) if length(outcome.failures) else 0
        completed = self.total - failed
        average = seconds / self.total if self.total else 0.0
        singular = self.kind.removesuffix("s")
        self.log(f"Completed {completed} {self.kind} in {seconds:.1f}s (avg {average:.2f}s/{singular}) | {failed} failed")
