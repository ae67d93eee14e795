"""Whose turn it is to use a file that one process at a time may have; what is done with the file is not in here.

Two locks stand beside the file: whoever wants it waits in the queue, and its first waits for the lock itself. So turns
go round, also where a process takes one after the other, and the holder can tell that somebody waits. The holder leaves
its name there as well, so that who waits in vain can be told. The operating system drops the locks of a process that
dies.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

POLL_SECONDS = 0.01
UNKNOWN_HOLDER = "a process that has not left its name"


class HeldError(Exception):
    """Another one held the file for all of the time that was to be waited."""


class FileTurn:
    """The locks beside one file."""

    def __init__(self, path: Path) -> None:
        """`path` is the file; its folder must exist when a turn is taken."""
        self._lock, self._queue, self._holder = (Path(f"{path}.{kind}") for kind in ("lock", "queue", "holder"))

    @contextmanager
    def taken(self, wait_seconds: float) -> Iterator[None]:
        """Hold the file; raises HeldError after `wait_seconds` and OSError where nothing may be written beside it."""
        deadline = time.monotonic() + wait_seconds
        try:
            with FileLock(self._queue, timeout=wait_seconds, poll_interval=POLL_SECONDS):
                remaining = max(deadline - time.monotonic(), 0)
                held = FileLock(self._lock, timeout=remaining, poll_interval=POLL_SECONDS).acquire()
        except Timeout:
            raise HeldError from None
        with held:
            self._sign()
            try:
                yield
            finally:
                self._holder.unlink(missing_ok=True)

    def is_waited_for(self) -> bool:
        """Whether somebody waits for the one who holds the file."""
        try:
            FileLock(self._queue, timeout=0).acquire().lock.release()
        except (Timeout, OSError):
            return True
        return False

    def holder(self) -> str:
        """Who holds the file, in words."""
        try:
            holder = json.loads(self._holder.read_text())
        except (OSError, ValueError):
            return UNKNOWN_HOLDER
        # A process that was killed has left its name, but not the lock: that is somebody else's by now.
        return (
            f"process {holder['pid']} ({holder['command']}) since {holder['since']}"
            if _is_alive(holder["pid"])
            else UNKNOWN_HOLDER
        )

    def _sign(self) -> None:
        """Say who holds the file; whoever reads finds all of it or what was there before.

        On a full disk the lock holds without a name.
        """
        mine = {
            "pid": os.getpid(),
            "command": " ".join(sys.argv)[:200],
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        unfinished = Path(f"{self._holder}.new")
        with suppress(OSError):
            unfinished.write_text(json.dumps(mine))
            unfinished.replace(self._holder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
