"""Which process this is, and whether another one has ended; what processes do is no matter of this module."""

from __future__ import annotations

import os
import socket

import psutil


def this_process() -> str:
    """Host, process id and the moment at which the process began, by which a later process with the same id is told from it: `host:4711:1764115200.25`."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_gone(process: str | None) -> bool:
    """Whether a process, as `this_process` names it, is known to have ended; one of another host, or a text that names none, is not."""
    parts = (process or "").rsplit(":", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdigit():
        return False
    try:
        return f"{psutil.Process(int(parts[1])).create_time():.2f}" != parts[2]
    except psutil.NoSuchProcess:
        return True
