"""The real `dagster dev`, as an operator starts it, for tests that ask what it does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from nba_assets.instance import PROJECT

START_SECONDS, STOP_SECONDS = 90, 30


class ServerError(AssertionError):
    """The server did not come up; the message ends with what it printed."""


@contextmanager
def dagster_server(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """The address of a server in the project folder, on a free port of the loopback; it ends with all processes it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(address, process, log)
        yield address
    finally:
        # SIGTERM to the group: the daemon and the code server end in order. What has not ended then would outlive the tests.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(f"the server ended at once:\n{log.read_text()[-4000:]}")
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise ServerError(f"the server did not answer within {START_SECONDS} s:\n{log.read_text()[-4000:]}")
