"""Identity of a process, distinct from that of a later one with the same id: whether what it left behind is still in
use.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """Host, process id and beginning of the process that calls, e.g. `statsbox:4711:0b6f…+18234.56`."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(psutil.Process())}"


def is_gone(process: str | None) -> bool:
    """Whether a process, as `this_process` names it, is known to have ended; one of another host, or a text that names
    none, is not.
    """
    parts = (process or "").rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return False
    try:
        return _began(psutil.Process(int(parts[1]))) != parts[2]
    except psutil.NoSuchProcess:
        return True


def _began(process: psutil.Process) -> str:
    """When a process began, as seconds after the start of the machine, and which start that was.

    By the clock of the day, a process that runs would be another one as soon as that clock is set.
    """
    return f"{_boot()}+{process.create_time() - psutil.boot_time():.2f}"


def _boot() -> str:
    """Which start of the machine this is; empty where the system does not tell."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
