"""Workers: threads or processes, as `concurrent.futures` executors; how processes start, end and receive what they
share.

What is computed is not in this module.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, TypeVar

from nba_assets.processes import is_gone, this_process
from nba_assets.settings import Backend

T = TypeVar("T")


def executor_for(backend: Backend, workers: int, preload: Sequence[str] = ()) -> Executor:
    """An executor of so many workers, threads or processes.

    `preload` names modules that processes import once, together, before the first worker starts.
    """
    if backend is Backend.threads:
        return DaemonThreads(workers)
    return ProcessPoolExecutor(workers, mp_context=_safe_context(preload), initializer=_prepare_worker)


def end_at_once(pool: Executor) -> None:
    """End an executor without waiting for what it computes: its processes are killed; threads, which cannot be, are
    left to themselves.
    """
    # As `ProcessPoolExecutor.kill_workers` of Python 3.14 does it.
    processes = [*(getattr(pool, "_processes", None) or {}).values()]
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


class DaemonThreads(Executor):
    """Threads that do not keep the process from ending when one of them hangs, as those of ThreadPoolExecutor do."""

    def __init__(self, workers: int) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended = False
        self._threads = [
            threading.Thread(target=self._work, name=f"nba-assets_{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have a function called by the next thread that is free."""
        if self._ended:
            raise RuntimeError("these threads have been shut down")
        future: Future[T] = Future()
        self._calls.put(partial(_call, future, fn, args, kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads, each after the call that it is at; with `cancel_futures`, calls that nobody has begun are
        not made any more.
        """
        self._ended = True
        while cancel_futures and not self._calls.empty():
            self._calls.get()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads if wait else ():
            thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # and with it what it has computed, while nothing is to do


def _call(future: Future[T], fn: Callable[..., T], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:  # also an interrupt: it belongs to whoever waits for the result
        future.set_exception(error)


def _safe_context(preload: Sequence[str]) -> BaseContext:
    """Worker processes are forked from a small server that runs no threads of ours.

    Forking a process that runs threads, as Dagster does, may copy locks that nobody will ever release; spawning each
    worker anew takes it seconds of imports. The server is started with the first pool and ends with this process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _prepare_worker() -> None:
    """Leave an interrupt from the terminal to the parent, and end when it is gone: a killed run must not leave workers
    behind.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


FOLDER_PREFIX = "nba-assets-"


def remove_leftovers() -> None:
    """Remove the folders of shared content that killed processes of this machine have left."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*:*:*-*"):
        if is_gone(folder.name.removeprefix(FOLDER_PREFIX).rpartition("-")[0]):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Broadcast:
    """Something that many calls need: written to a file once, read once by each worker process."""

    path: Path

    @classmethod
    @contextmanager
    def of(cls, content: Any) -> Iterator[Broadcast]:
        """The content in a folder of its own, for the time of the block."""
        with tempfile.TemporaryDirectory(
            prefix=f"{FOLDER_PREFIX}{this_process()}-", ignore_cleanup_errors=True
        ) as folder:
            broadcast = cls(Path(folder, "broadcast.pickle"))
            with broadcast.path.open("wb") as file:
                pickle.dump(content, file, protocol=pickle.HIGHEST_PROTOCOL)
            yield broadcast

    @property
    def folder(self) -> Path:
        """Where workers may leave notes as long as the block lasts."""
        return self.path.parent

    def opened(self) -> Any:
        """What is inside; a worker keeps the last one that it opened."""
        if self.path not in _opened:
            _opened.clear()
            with self.path.open("rb") as file:
                _opened[self.path] = pickle.load(file)
        return _opened[self.path]


_opened: dict[Path, Any] = {}
