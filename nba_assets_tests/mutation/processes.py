"""Work in a forked process, with an end to it: what does not come back in time is killed with everything that it has
started.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

OWNER = "MUTATION_OWNER"
"""Variable that every process started by forked work inherits, by which those that outlive it are found."""
FAILED = 70


def forked(work: Callable[[], int], seconds: float, output: Path) -> int | None:
    """What the work returns in a process of its own, None where the time ran out; what it prints goes to the file."""
    token = f"{os.getpid()}-{time.monotonic_ns()}"
    pid = os.fork()
    if not pid:
        _work(work, output, token)
    deadline = time.monotonic() + seconds
    done, status = 0, 0
    try:
        while not done and time.monotonic() < deadline:
            done, status = os.waitpid(pid, os.WNOHANG)
            if not done:
                time.sleep(0.01)
    finally:
        _end(pid, token)
        if not done:
            os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if done else None


def _work(work: Callable[[], int], output: Path, token: str) -> None:
    code = FAILED
    try:
        os.setsid()
        with output.open("ab", buffering=0) as printed:
            for stream in (1, 2):
                os.dup2(printed.fileno(), stream)
        os.environ[OWNER] = token
        code = work()
    except BaseException:  # nothing may leave a forked process but by its exit code
        with output.open("a") as log:
            traceback.print_exc(file=log)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end(pid: int, token: str) -> None:
    """End the process, its group, and what it started outside of it."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    for process in psutil.process_iter():
        try:
            if process.environ().get(OWNER) == token:
                process.kill()
        except psutil.Error:
            continue
