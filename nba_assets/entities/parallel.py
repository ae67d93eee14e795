"""Every entity through one compute function: chunks of entities, warm workers where there is work enough for several,
workers that die or hang, order, progress.

The result is the same whatever the number and kind of workers: chunks are cut by entity, rows come back in key order,
and nothing that is computed of an entity depends on its neighbours. Workers say nothing; the caller's thread does.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from nba_assets.entities.chunks import (
    DIED,
    Compute,
    Task,
    compute_chunk,
    given_up,
    joined,
    unfinished,
)
from nba_assets.entities.executors import end_at_once, executor_for
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, length
from nba_assets.entities.remote import Remote, remote_workers
from nba_assets.entities.time_limits import StoppedError, UnfinishedError, place_of, stopped_after
from nba_assets.settings import Backend

EntityKind = Literal["players", "teams"]
Chunk = Sequence[str]
"""Some entities, ascending."""

ENTITY_TYPES: Mapping[EntityKind, str] = {"players": "PLAYER", "teams": "TEAM"}
CHUNK_ROWS = 20_000
"""Largest chunk, in requested rows: it bounds what a chunk takes of memory and how long no progress is logged."""
WORTH_A_WORKER: Mapping[Backend, int] = {Backend.threads: 5_000, Backend.processes: 500_000, Backend.dask: 50_000}
"""Requested rows for which another worker saves more time than it costs; a process first has to start."""
PROGRESS_EVERY = 50


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
    """Entities per chunk; by default one chunk per worker, more of many rows, fewer of few."""
    chunk_seconds: float = 600.0
    """Bound in time of a chunk; of an entity where its chunk has not kept it."""
    scheduler: str | None = None
    """Address of the Dask scheduler, for the back end that needs one."""
    _pools: dict[EntityKind, Executor] = field(default_factory=dict, repr=False)

    @classmethod
    def serial(cls) -> ParallelEntities:
        """All in the calling thread."""
        return cls(Workers(1, enabled=False), Workers(1, enabled=False))

    def __enter__(self) -> ParallelEntities:
        """Ready to map; workers are started by the first map."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers."""
        self.close()

    def close(self) -> None:
        """End all workers; a later map starts new ones."""
        for kind in list(self._pools):
            self._dismiss(kind)

    def map(
        self,
        kind: EntityKind,
        compute: Compute,
        requested: Grouped,
        histories: Mapping[str, Grouped] | None = None,
        shared: Any = None,
        log: Callable[[str], None] = lambda _: None,
        columns: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Compute every requested row; rows and failures come back in order of entity and date.

        `columns` are those of an answer, each with the numpy kinds that it may have. A chunk whose computation raises,
        or answers with anything but rows of its entities and these columns, is halved down to an entity's single dates,
        and only the dates that fail alone become PROCESSING_ERROR records. A worker process that dies takes nobody with
        it: its entities are computed again in smaller pieces, and the entity that kills its worker again becomes a
        failure. A chunk that takes longer than its bound is computed again entity by entity, and one that does not keep
        the bound alone becomes a failure; a thread other than the main one cannot be stopped, there UnfinishedError
        names the chunk. MemoryError and what is no Exception (an interrupt, an exit) end the map. A map that ends like
        this waits for no worker.

        Work that is too little for two workers is done by the calling thread, unless `chunk_entities` is set. With
        processes or Dask, `compute`, `shared` and all columns must be picklable. Raises ClusterError where Dask's
        scheduler or all of its workers are gone.
        """
        workers: Workers = getattr(self, kind)
        progress = _Progress(kind, len(requested.entities), log)
        task = Task(compute, ENTITY_TYPES[kind], requested.entity_column, requested.date_column, shared, columns)
        work = _Work(task, requested, histories or {}, progress, self.chunk_seconds)
        progress.begin(workers)
        useful = self._useful(workers, len(requested.dates))
        chunks = deque(self._chunks(requested, useful))
        try:
            if not useful:
                if workers.enabled and self.backend is not Backend.threads:
                    log(
                        f"{len(requested.dates)} rows of {kind} are too few for {self.backend}; this process computes "
                        "them"
                    )
                work.in_this_thread(chunks)
            elif self.backend is Backend.threads:
                pool = self._pool(kind, partial(executor_for, self.backend))
                work.attempt(partial(work.submit, pool), chunks, workers.count)
            else:
                with remote_workers(self.backend, self.scheduler, task, self.chunk_seconds) as remote:
                    self._through(remote, kind, work, chunks)
        except BaseException:
            if kind in self._pools:
                end_at_once(self._pools.pop(kind))
            raise
        outcome = work.outcome()
        progress.end(outcome)
        return outcome

    def _useful(self, workers: Workers, rows: int) -> int:
        """How many of the workers are worth their cost for so many rows; 0 where the calling thread is as fast."""
        if not workers.enabled or self.chunk_entities is not None:
            return workers.count * workers.enabled
        useful = min(workers.count, rows // WORTH_A_WORKER[self.backend])
        return useful if useful > 1 else 0

    def _chunks(self, requested: Grouped, useful: int) -> list[Chunk]:
        rows, entities = len(requested.dates), requested.entities
        size = self.chunk_entities or max(-(-len(entities) // max(useful, -(-rows // CHUNK_ROWS), 1)), 1)
        return [entities[start : start + size] for start in range(0, len(entities), size)]

    def _through(self, remote: Remote, kind: EntityKind, work: _Work, chunks: deque[Chunk]) -> None:
        workers: Workers = getattr(self, kind)
        while chunks:
            # One chunk more than there are workers waits in line. What is in flight when a worker dies is all that has
            # to be looked into.
            pool = self._pool(kind, remote.start)
            lost = work.attempt(partial(work.send, remote, pool), chunks, workers.count + 1, remote)
            if lost:
                self._dismiss(kind)
            hanging = remote.take_unfinished()
            suspects = deque(part for chunk in lost for part in _looked_into(chunk, hanging))
            # Alone, most chunks come through. The one that does not is cut into its entities where it hangs, else
            # halved, until a single entity is left.
            while suspects:
                crashed = work.attempt_alone(remote, suspects)
                hanging = remote.take_unfinished()
                for chunk in crashed:
                    if len(chunk) > 1:
                        parts = _looked_into(chunk, hanging) if chunk[0] in hanging else _halves(chunk)
                        suspects.extendleft(reversed(parts))
                    else:
                        place = hanging.get(chunk[0])
                        work.give_up(chunk[0], DIED if place is None else unfinished(self.chunk_seconds, place))

    def _pool(self, kind: EntityKind, start: Callable[[int], Executor]) -> Executor:
        if kind not in self._pools:
            self._pools[kind] = start(getattr(self, kind).count)
        return self._pools[kind]

    def _dismiss(self, kind: EntityKind) -> None:
        self._pools.pop(kind).shutdown(wait=True, cancel_futures=True)


@dataclass
class _Work:
    """One map: what is requested of whom, and what is done of it."""

    task: Task
    requested: Grouped
    histories: Mapping[str, Grouped]
    progress: _Progress
    seconds: float
    """Bound of a chunk."""
    threads: dict[str, int] = field(default_factory=dict)
    """The thread that computes each chunk, by the chunk's first entity."""
    done: dict[str, Outcome] = field(default_factory=dict)
    """Outcomes of chunks, by the chunk's first entity."""

    def in_this_thread(self, chunks: Iterable[Chunk]) -> None:
        """Compute one chunk after the other in the calling thread, one that hangs entity by entity."""
        for chunk in chunks:
            try:
                with stopped_after(self.seconds):
                    outcome = compute_chunk(self.task, *self.part(chunk))
            except StoppedError as stopped:
                if len(chunk) > 1:
                    self.in_this_thread([[entity] for entity in chunk])
                else:
                    self.give_up(chunk[0], unfinished(self.seconds, str(stopped)))
            else:
                self.finish(chunk, outcome)

    def part(self, chunk: Chunk) -> tuple[Grouped, dict[str, Grouped]]:
        """What is requested of a chunk's entities, and their histories."""
        return self.requested.chunk(chunk), {name: rows.chunk(chunk) for name, rows in self.histories.items()}

    def submit(self, pool: Executor, chunk: Chunk) -> Future[Outcome]:
        """Have a chunk computed by workers that see this process's memory."""
        return pool.submit(self.in_a_thread, chunk)

    def in_a_thread(self, chunk: Chunk) -> Outcome:
        """The outcome of a chunk."""
        self.threads[chunk[0]] = threading.get_ident()
        return compute_chunk(self.task, *self.part(chunk))

    def send(self, remote: Remote, pool: Executor, chunk: Chunk) -> Future[Outcome]:
        """Have a chunk computed by another process, which gets these entities' rows and no others."""
        return remote.send(pool, *self.part(chunk))

    def attempt_alone(self, remote: Remote, chunks: deque[Chunk]) -> list[Chunk]:
        """The same one chunk after the other, until a worker dies."""
        alone = remote.start(1)
        try:
            return self.attempt(partial(self.send, remote, alone), chunks, 1, remote)
        finally:
            end_at_once(alone)

    def attempt(
        self,
        start: Callable[[Chunk], Future[Outcome]],
        chunks: deque[Chunk],
        at_once: int,
        remote: Remote | None = None,
    ) -> list[Chunk]:
        """Take chunks from the front and compute them, until none is left or a worker dies; returns those that went
        down with it.

        Threads, which are not `remote`, must compute all that are started at once; raises UnfinishedError where one of
        them takes longer than its bound.
        """
        deaths = () if remote is None else remote.deaths
        running: dict[Future[Outcome], Chunk] = {}
        began: dict[Future[Outcome], float] = {}
        lost: list[Chunk] = []
        try:
            while running or (chunks and not lost):
                while chunks and not lost and len(running) < at_once:
                    chunk = chunks.popleft()
                    try:
                        future = start(chunk)
                    except deaths:
                        lost.append(chunk)
                    else:
                        running[future], began[future] = chunk, time.monotonic()
                over = [began[future] + self.seconds for future in running]
                patience = max(min(over, default=0) - time.monotonic(), 0) if remote is None else remote.patience
                done = wait(running, patience, return_when=FIRST_COMPLETED).done
                if running and not done:
                    if remote is None:
                        self._name_unfinished(
                            [
                                chunk
                                for future, chunk in running.items()
                                if began[future] + self.seconds <= time.monotonic()
                            ]
                        )
                    else:
                        remote.require_workers()
                for future in done:
                    chunk = running.pop(future)
                    try:
                        self.finish(chunk, future.result())
                    except deaths:
                        lost.append(chunk)
        finally:
            for future in running:
                future.cancel()
        return sorted(lost, key=lambda chunk: chunk[0])

    def _name_unfinished(self, chunks: Sequence[Chunk]) -> None:
        """Raise UnfinishedError for chunks whose time is over."""
        if chunks:
            named = [f"{_named(chunk)}{place_of(self.threads.get(chunk[0]))}" for chunk in chunks]
            raise UnfinishedError(
                f"the computation of {', '.join(named)} did not finish within {self.seconds:g} s, and a thread cannot "
                "be stopped. Compute in processes with NBA_ASSETS_PARALLEL_BACKEND=processes to have the others "
                "published, or allow more with NBA_ASSETS_CHUNK_SECONDS."
            )

    def give_up(self, entity: str, reason: str) -> None:
        """Make all dates of an entity failures."""
        self.finish([entity], given_up(self.task, self.requested.chunk([entity]), reason))

    def finish(self, chunk: Chunk, outcome: Outcome) -> None:
        """Keep the outcome of a chunk."""
        self.done[chunk[0]] = outcome
        self.progress.advance(len(chunk))

    def outcome(self) -> Outcome:
        """Everything, in order of entity."""
        return joined([self.done[entity] for entity in sorted(self.done)])


def _named(chunk: Chunk) -> str:
    return chunk[0] if len(chunk) == 1 else f"{len(chunk)} entities from {chunk[0]} to {chunk[-1]}"


def _looked_into(chunk: Chunk, hanging: Collection[str]) -> list[Chunk]:
    """A chunk that hangs as its entities, any other as it is; of those that hang the first entity is known."""
    return [[entity] for entity in chunk] if chunk[0] in hanging else [chunk]


def _halves(chunk: Chunk) -> list[Chunk]:
    middle = len(chunk) // 2
    return [chunk[:middle], chunk[middle:]]


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
        """Tell of every fifty entities that are done, however large the chunks are."""
        before, self.done = self.done, self.done + entities
        rate = self.done / max(time.perf_counter() - self.began, 1e-9)
        minutes_left = (self.total - self.done) / rate / 60
        for reached in range(before + PROGRESS_EVERY - before % PROGRESS_EVERY, self.done + 1, PROGRESS_EVERY):
            self.log(
                f"Entity processing progress: {reached}/{self.total} | Rate: {rate:.1f} entities/sec | ETA: "
                f"{minutes_left:.1f}min"
            )

    def end(self, outcome: Outcome) -> None:
        seconds = time.perf_counter() - self.began
        failed = len(set(outcome.failures["entity_id"])) if length(outcome.failures) else 0
        average = seconds / self.total if self.total else 0.0
        singular = self.kind.removesuffix("s")
        self.log(
            f"Completed {self.total - failed} {self.kind} in {seconds:.1f}s (avg {average:.2f}s/{singular}) | "
            f"{failed} failed"
        )
