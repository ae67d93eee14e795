"""Who does the work: threads or processes, as `concurrent.futures` executors, and how processes live, end and receive what they share.

What is computed is none of this module's business.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any

from nba_assets.settings import Backend


def executor_for(backend: Backend, workers: int, preload: Sequence[str] = ()) -> Executor:
    """An executor of so many workers; another back end, such as a cluster's, is one more line here.

    `preload` names modules that processes import once, together, before the first worker starts.
    """
    if backend is Backend.threads:
        return ThreadPoolExecutor(workers, thread_name_prefix="nba-assets")
    return ProcessPoolExecutor(workers, mp_context=_safe_context(preload), initializer=_end_with_parent)


def _safe_context(preload: Sequence[str]) -> BaseContext:
    """Worker processes are forked from a small server that runs no threads of ours.

    Forking a process that runs threads, as Dagster does, may copy locks that nobody will ever release; spawning each worker anew takes it seconds of
    imports. The server is started with the first pool and ends with this process.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _end_with_parent() -> None:
    """End this worker when its parent is gone: a killed run must not leave workers behind."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class Parcel:
    """Something that many calls need: written to a file once, read once by each worker process."""

    path: str

    @classmethod
    @contextmanager
    def of(cls, content: Any) -> Iterator[Parcel]:
        """A parcel for the time of the block."""
        with tempfile.TemporaryDirectory(prefix="nba-assets-") as folder:
            parcel = cls(os.path.join(folder, "parcel.pickle"))
            with open(parcel.path, "wb") as file:
                pickle.dump(content, file, protocol=pickle.HIGHEST_PROTOCOL)
            yield parcel

    def opened(self) -> Any:
        """What is inside; a worker keeps the last one that it opened."""
        if self.path not in _opened:
            _opened.clear()
            with open(self.path, "rb") as file:
                _opened[self.path] = pickle.load(file)
        return _opened[self.path]


_opened: dict[str, Any] = {}
