"""Emulators of BigQuery and Cloud Storage: started on free loopback ports, waited for, and ended by process id.

`make emulators` installs them, each into an environment of its own.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

FOLDER = Path(os.environ.get("NBA_ASSETS_EMULATORS", Path(__file__).parents[2] / ".venv-gcp"))
PROJECT = "prod"
READY_SECONDS = 90
REASON = "needs the emulators: run `make emulators`, or the whole as `make test-gcp`"


@dataclass(frozen=True)
class BigQueryEmulator:
    """Where an emulator of BigQuery listens."""

    rest_port: int
    grpc_port: int

    @property
    def url(self) -> str:
        """Its REST API."""
        return f"http://127.0.0.1:{self.rest_port}"


@contextmanager
def bigquery_emulator() -> Iterator[BigQueryEmulator]:
    """An emulator of BigQuery with the project `PROJECT`; skips where it is not installed."""
    program = FOLDER / "bq" / "bin" / "bqemulator"
    extensions = list((FOLDER / "bq").glob("lib/python*/site-packages/duckdb_extension_spatial/extensions"))
    if not program.exists() or not extensions:
        pytest.skip(REASON)
    emulator = BigQueryEmulator(_free_port(), _free_port())
    command = [str(program), "start", "--rest-port", str(emulator.rest_port), "--grpc-port", str(emulator.grpc_port)]
    with tempfile.TemporaryDirectory(prefix="bqemulator") as home:
        # It would download this extension otherwise.
        shutil.copytree(extensions[0], Path(home) / ".duckdb" / "extensions", dirs_exist_ok=True)
        for file in (Path(home) / ".duckdb" / "extensions").glob("v*/*.duckdb_extension"):
            (file.parent / "linux_amd64").mkdir(exist_ok=True)
            file.rename(file.parent / "linux_amd64" / file.name)
        with _running([*command, "--project", PROJECT], Path(home), f"{emulator.url}/readyz"):
            yield emulator


@contextmanager
def storage_emulator() -> Iterator[str]:
    """The address of an emulator of Cloud Storage; skips where it is not installed."""
    programs = list((FOLDER / "gcs").glob("lib/python*/site-packages/*/vendor/**/fake-gcs-server-linux-amd64"))
    if not programs:
        pytest.skip(REASON)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    options = {"scheme": "http", "host": "127.0.0.1", "port": str(port), "backend": "memory", "external-url": url}
    command = [str(programs[0]), *(part for name, value in options.items() for part in (f"-{name}", value))]
    with tempfile.TemporaryDirectory(prefix="gcs") as home, _running(command, Path(home), f"{url}/storage/v1/b"):
        yield url


@contextmanager
def _running(command: list[str], home: Path, ready: str) -> Iterator[None]:
    log = home / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=home, env={**os.environ, "HOME": str(home)}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
