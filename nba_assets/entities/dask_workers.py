"""Workers of a Dask cluster: how chunks reach them over its scheduler, and what becomes of a cluster that is gone.

The cluster is started and stopped by others. Which chunks are computed is not in this module.
"""

from __future__ import annotations

import faulthandler
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import dask
from distributed import Client, KilledWorker
from distributed.client import Future as DaskFuture

from nba_assets.entities.chunks import Task, compute_chunk
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome

T = TypeVar("T")

CONNECT_SECONDS = 10.0
"""How long the scheduler may take to answer."""
WORKER_SECONDS = 60.0
"""How long a cluster may be without any worker; one that grows on demand starts its first one in this time."""
START = "start one with `dask worker`, or compute here with NBA_ASSETS_PARALLEL_BACKEND=threads"


class ClusterError(Exception):
    """The Dask cluster cannot be used; the message says what to do."""


class DaskExecutor(Executor):
    """A connection to the scheduler of a cluster; its workers compute what is submitted.

    Raises ClusterError where the scheduler does not answer.
    """

    def __init__(self, scheduler: str) -> None:
        self.scheduler = scheduler
        try:
            self.client = Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"the Dask scheduler {scheduler} does not answer ({' '.join(str(error).split())}): start it, or set "
                "NBA_ASSETS_DASK_SCHEDULER to its address"
            ) from None
        self._calls = self.client.get_executor(pure=False)
        self._task: tuple[Task, DaskFuture] | None = None

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a function called by a worker; a Task among the arguments is sent to all workers, once, and only the
        last one stays in their memory.
        """
        given = [self._scattered(one) if isinstance(one, Task) else one for one in args]
        # The rows of a chunk have to be sent: that they are many is no reason for a warning.
        with self._connected(), dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}):
            return self._calls.submit(fn, *given, **kwargs)

    def require_workers(self) -> None:
        """Wait for a worker where there is none; raises ClusterError where none comes."""
        with self._connected():
            try:
                self.client.wait_for_workers(1, timeout=WORKER_SECONDS)
            except TimeoutError:
                raise ClusterError(
                    f"the Dask scheduler {self.scheduler} has had no worker for {WORKER_SECONDS:g} s: {START}"
                ) from None

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Close the connection; the scheduler gives up what nobody waits for any more."""
        self._task = None
        self.client.close(timeout=CONNECT_SECONDS)

    def _scattered(self, task: Task) -> DaskFuture:
        if self._task is None or self._task[0] is not task:
            self.require_workers()
            with self._connected():
                self._task = task, self.client.scatter(task, broadcast=True, hash=False)
        return self._task[1]

    @contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise ClusterError(
                f"the connection to the Dask scheduler {self.scheduler} is lost: see that it runs, and run this again"
            ) from None


@dataclass
class DaskWorkers:
    """The workers of a cluster, as one map uses them."""

    scheduler: str
    task: Task
    seconds: float
    _newest: DaskExecutor | None = None
    _sent: dict[str, float] = field(default_factory=dict)
    """When each chunk was last sent, by its first entity."""
    deaths: ClassVar[tuple[type[BaseException], ...]] = (KilledWorker, CancelledError)
    """A worker that dies takes its chunk with it, or what others still need of it."""
    patience: ClassVar[float | None] = WORKER_SECONDS

    def start(self, count: int) -> Executor:  # noqa: ARG002
        """A connection to the cluster, which has as many workers as it has."""
        self._newest = DaskExecutor(self.scheduler)
        return self._newest

    def send(self, pool: Executor, requested: Grouped, histories: Mapping[str, Grouped]) -> Future[Outcome]:
        """Have a chunk computed by a worker of the cluster."""
        future = pool.submit(compute_on_cluster, code_digest(), self.task, requested, histories, self.seconds)
        self._sent[requested.entities[0]] = time.monotonic()
        return future

    def require_workers(self) -> None:
        """Raise ClusterError where the cluster has no worker, and none comes."""
        if self._newest is not None:
            self._newest.require_workers()

    def take_unfinished(self) -> Mapping[str, str]:
        """The chunks that were sent longer ago than their bound; where the code stood is in the log of their worker."""
        now = time.monotonic()
        unfinished = {entity: "" for entity, sent in self._sent.items() if now - sent >= self.seconds}
        self._sent.clear()
        return unfinished


def compute_on_cluster(
    code: str, task: Task, requested: Grouped, histories: Mapping[str, Grouped], seconds: float
) -> Outcome:
    """The outcome of a chunk, in a worker of a cluster; its process ends where this takes longer than so many seconds.

    Raises ClusterError where the worker runs other code than `code`, the digest of that of the run: it
    might compute something else.
    """
    if code != code_digest():
        raise ClusterError(
            "a Dask worker runs another version of nba-assets than this process: start the workers from the same image"
        )
    with _process_ends_after(seconds):
        return compute_chunk(task, requested, histories)


@cache
def code_digest() -> str:
    """Digest of the source of this package, as this process has it."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(root.rglob("*.py")):
        digest.update(b"%s\0%s\0" % (path.relative_to(root).as_posix().encode(), path.read_bytes()))
    return digest.hexdigest()


@contextmanager
def _process_ends_after(seconds: float) -> Iterator[None]:
    """End this process where the block takes longer, and say in its log where the code stood.

    A worker may compute several chunks at once, so each has a timer of its own; `time_limits.ended_after` has one per
    process.
    """

    def end() -> None:
        faulthandler.dump_traceback()
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
