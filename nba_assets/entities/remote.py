"""How the chunks of a map reach workers in other processes, and how it shows that a worker has died: processes of this
machine, or those of a Dask cluster.

Which chunks are computed, and what becomes of those whose worker died, is not in this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Protocol

from nba_assets.entities.chunks import Task, compute_chunk, compute_sent_chunk
from nba_assets.entities.executors import Broadcast, executor_for
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.time_limits import take_unfinished
from nba_assets.settings import Backend, SettingsError


class Remote(Protocol):
    """Workers in other processes, as one map uses them: they receive the rows of their chunk, and may die with it."""

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What sending a chunk, or its result, raises where its worker has died."""
        ...

    @property
    def patience(self) -> float | None:
        """Seconds without any result after which `require_workers` is called; None for never."""
        ...

    def start(self, count: int) -> Executor:
        """So many workers."""
        ...

    def send(self, pool: Executor, requested: Grouped, histories: Mapping[str, Grouped]) -> Future[Outcome]:
        """Have a chunk computed by one of the workers."""
        ...

    def require_workers(self) -> None:
        """Require a worker; raises what says that there is none."""
        ...

    def take_unfinished(self) -> Mapping[str, str]:
        """The chunks since the last call that did not keep their bound in time, by their first entity, each with the
        place in the code where it stood, where that is known.
        """
        ...


@contextmanager
def remote_workers(backend: Backend, scheduler: str | None, task: Task, seconds: float) -> Iterator[Remote]:
    """The workers of a back end, for one map of a task whose chunks are bound to so many seconds.

    Raises SettingsError where Dask's are not to be found.
    """
    if backend is Backend.processes:
        with WorkerProcesses.of(task, seconds) as processes:
            yield processes
        return
    if scheduler is None:
        raise SettingsError(
            "NBA_ASSETS_PARALLEL_BACKEND=dask needs NBA_ASSETS_DASK_SCHEDULER, the address of the scheduler, as "
            "tcp://HOST:8786"
        )
    try:
        from nba_assets.entities.dask_workers import DaskWorkers
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"NBA_ASSETS_PARALLEL_BACKEND=dask needs the package {error.name}: install nba-assets[dask]"
        ) from None
    yield DaskWorkers(scheduler, task, seconds)


@dataclass(frozen=True)
class WorkerProcesses:
    """Processes of this machine, which find what all chunks need in a file."""

    task: Broadcast
    modules: Sequence[str]
    seconds: float
    deaths: ClassVar[tuple[type[BaseException], ...]] = (BrokenProcessPool,)
    patience: ClassVar[float | None] = None

    @classmethod
    @contextmanager
    def of(cls, task: Task, seconds: float) -> Iterator[WorkerProcesses]:
        """Processes that compute a task, for the time of the block."""
        with Broadcast.of(task) as broadcast:
            yield cls(broadcast, sorted({compute_chunk.__module__, task.compute.__module__} - {"__main__"}), seconds)

    def start(self, count: int) -> Executor:
        """Processes that import what they need together, before the first of them starts."""
        return executor_for(Backend.processes, count, self.modules)

    def send(self, pool: Executor, requested: Grouped, histories: Mapping[str, Grouped]) -> Future[Outcome]:
        """Have a chunk computed by a process."""
        return pool.submit(compute_sent_chunk, self.task, requested, histories, self.seconds)

    def require_workers(self) -> None:
        """A pool that loses its processes says so by itself."""

    def take_unfinished(self) -> Mapping[str, str]:
        """What the processes that ended themselves have noted."""
        return take_unfinished(self.task.folder)
