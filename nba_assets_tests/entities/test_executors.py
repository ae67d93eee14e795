"""Threads that do not outlive their process, and what is shared with worker processes."""

from __future__ import annotations

import os
import threading
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from nba_assets.entities.executors import Broadcast, DaemonThreads, end_at_once, executor_for
from nba_assets.settings import Backend

PATIENCE_SECONDS = 30.0


def raises(error: BaseException) -> None:
    raise error


def held(begun: threading.Event, may_end: threading.Event) -> bool:
    begun.set()
    return may_end.wait(PATIENCE_SECONDS)


def test_each_back_end_has_its_kind_of_workers() -> None:
    with executor_for(Backend.threads, 1) as threads, executor_for(Backend.processes, 1) as processes:
        assert threads.submit(os.getpid).result(PATIENCE_SECONDS) == os.getpid()
        assert processes.submit(os.getpid).result(PATIENCE_SECONDS) != os.getpid()


def test_there_are_as_many_threads_as_requested() -> None:
    all_there = threading.Barrier(4)
    with DaemonThreads(3) as threads:
        started = [threads.submit(all_there.wait, PATIENCE_SECONDS) for _ in range(3)]
        waiting = threads.submit(threading.get_ident)
        all_there.wait(PATIENCE_SECONDS)
        assert len({future.result(PATIENCE_SECONDS) for future in started}) == 3
        assert waiting.result(PATIENCE_SECONDS) != threading.get_ident()


def test_threads_are_daemons_so_that_one_that_hangs_does_not_keep_the_process() -> None:
    with DaemonThreads(1) as threads:
        assert threads.submit(lambda: threading.current_thread().daemon).result(PATIENCE_SECONDS)


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), SystemExit(3)])
def test_whatever_a_call_raises_belongs_to_who_waits_and_the_thread_goes_on(error: BaseException) -> None:
    with DaemonThreads(1) as threads:
        with pytest.raises(type(error)):
            threads.submit(raises, error).result(PATIENCE_SECONDS)
        assert threads.submit(pow, 2, exp=5).result(PATIENCE_SECONDS) == 32


def test_shutting_down_waits_for_what_is_begun_and_takes_no_more_calls() -> None:
    begun, may_end = threading.Event(), threading.Event()
    threads = DaemonThreads(1)
    first = threads.submit(held, begun, may_end)
    second = threads.submit(str, "queued before the end")
    begun.wait(PATIENCE_SECONDS)
    threading.Timer(0.05, may_end.set).start()
    threads.shutdown()
    assert (first.done(), first.result(), second.result(0)) == (True, True, "queued before the end")
    with pytest.raises(RuntimeError, match="shut down"):
        threads.submit(str)


def test_shutting_down_without_waiting_leaves_a_thread_at_its_call() -> None:
    begun, may_end = threading.Event(), threading.Event()
    threads = DaemonThreads(1)
    running = threads.submit(held, begun, may_end)
    queued = threads.submit(str)
    begun.wait(PATIENCE_SECONDS)
    end_at_once(threads)
    assert running.running()
    may_end.set()
    assert running.result(PATIENCE_SECONDS)
    assert not queued.done()


def test_a_cancelled_call_is_not_made() -> None:
    begun, may_end, made = threading.Event(), threading.Event(), threading.Event()
    with DaemonThreads(1) as threads:
        threads.submit(held, begun, may_end)
        begun.wait(PATIENCE_SECONDS)
        queued = threads.submit(made.set)
        assert queued.cancel()
        may_end.set()
        assert threads.submit(str, "next").result(PATIENCE_SECONDS) == "next"
    assert not made.is_set()
    with pytest.raises(CancelledError):
        queued.result()


def test_what_is_shared_is_read_from_its_file_once_and_is_gone_after_the_block(tmp_path: Path) -> None:
    with Broadcast.of({"league": [1, 2]}) as first, Broadcast.of("other") as second:
        opened = first.opened()
        assert opened == {"league": [1, 2]}
        assert first.opened() is opened
        assert second.opened() == "other"
        assert first.opened() is not opened  # a worker keeps only the last one
        assert first.folder != second.folder
        assert first.folder.is_dir()
    assert not first.folder.exists()
