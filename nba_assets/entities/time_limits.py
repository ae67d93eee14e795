"""Bounds in time for computations: how one that does not end is stopped, in this thread or with its whole process.

Which entities are computed, and what becomes of those that are stopped, is not in this module.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class StoppedError(BaseException):
    """A computation was stopped because its time was over; says where it stood.

    No Exception: what computes must not take it for its own.
    """


class UnfinishedError(Exception):
    """Computations do not end and cannot be stopped; the message names them."""


ENTITY, STACK, END = ".entity", ".stack", b"\0"


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raise StoppedError in a block that takes longer.

    Only in the main thread of a process on Unix: elsewhere the block has no bound.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_: int, frame: FrameType | None) -> None:
        raise StoppedError(_named(frame) if frame is not None else "")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def place_of(thread: int | None) -> str:
    """Where the code of a thread stands, in brackets behind a space; nothing of a thread that is unknown or over."""
    frame = sys._current_frames().get(thread or 0)
    return f" ({_named(frame)})" if frame is not None else ""


@contextmanager
def ended_after(seconds: float, folder: Path) -> Iterator[Callable[[str], object]]:
    """End this worker process where the block takes longer, whatever it does; gives what notes in the folder which
    entity its chunk begins with.

    The bound is kept by a thread of `faulthandler`, which needs no part of the interpreter and writes down where the
    code stands.
    """
    own = folder / str(os.getpid())
    with (
        own.with_suffix(ENTITY).open("wb", buffering=0) as entity,
        own.with_suffix(STACK).open("wb", buffering=0) as stack,
    ):
        faulthandler.dump_traceback_later(seconds, exit=True, file=stack)
        try:
            yield lambda name: os.pwrite(entity.fileno(), name.encode() + END, 0)
        finally:
            faulthandler.cancel_dump_traceback_later()


def take_unfinished(folder: Path) -> dict[str, str]:
    """The chunks at which workers were ended since the last call, by their first entity, each with the place in the
    code where it stood.
    """
    unfinished = {}
    for stack in folder.glob(f"*{STACK}"):
        if text := stack.read_text(errors="replace"):
            unfinished[stack.with_suffix(ENTITY).read_bytes().split(END)[0].decode()] = _place(text)
            stack.unlink()
    return unfinished


def _named(frame: FrameType) -> str:
    return f"{frame.f_code.co_name} {os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def _place(stack: str) -> str:
    """The innermost frame of the thread that computed, of what `faulthandler` wrote: `compute
    player_game_summary.py:210`.
    """
    thread = next((part for part in stack.split("\n\n") if "in compute_chunk\n" in part), "")
    found = re.search(r'File "(.+)", line (\d+) in (.+)', thread)
    return f"{found[3]} {os.path.basename(found[1])}:{found[2]}" if found else ""
