"""The real server, as an operator starts it, for tests that ask what it does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS, STOP_SECONDS = 180, 60
UI = (str(Path(sys.executable).with_name("nba-assets")), "ui")


class ServerError(AssertionError):
    """The server did not come up; the message ends with what it printed."""


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dagster_server(
    environment: Mapping[str, str], log: Path, *, command: Sequence[str] = UI, folder: Path = PROJECT
) -> Iterator[str]:
    """The address of a server on a free port of the loopback, started in `folder`; it ends with all processes it
    started.
    """
    with serving(environment, log, command=command, folder=folder) as (address, _):
        yield address


@contextmanager
def serving(
    environment: Mapping[str, str], log: Path, *, command: Sequence[str] = UI, folder: Path = PROJECT
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As `dagster_server`, with the process of the command."""
    port = free_port()
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_up(address, process, log)
        yield address, process
    finally:
        # SIGTERM to the group: the daemon and the code server end in order. What has not ended then would outlive the
        # tests.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def graphql(address: str, query: str, **variables: Any) -> dict[str, Any]:
    """What a server answers, requested as its own pages do."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{address}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.loads(response.read())
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


def loaded_locations(address: str) -> dict[str, str]:
    """The code locations of a server and what they are: `RepositoryLocation`, or an error."""
    query = "{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"
    entries = graphql(address, query)["workspaceOrError"]["locationEntries"]
    return {entry["name"]: entry["locationOrLoadError"]["__typename"] for entry in entries}


def run_ids(address: str) -> list[str]:
    """The runs that a server lists, newest first."""
    results = graphql(address, "{ runsOrError { ... on Runs { results { runId } } } }")["runsOrError"]["results"]
    return [run["runId"] for run in results]


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
