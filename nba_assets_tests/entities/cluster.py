"""A Dask cluster on loopback: a scheduler, and workers in processes of their own, which are restarted when they die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60.0
ON_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


@dataclass
class Cluster:
    """The processes of a cluster; their logs are in a folder."""

    folder: Path
    commands: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the scheduler listens."""
        return str(json.loads(self._contact.read_text())["address"])

    def start(self, workers: int) -> None:
        """Start the scheduler, wait until it listens, and start so many workers of one thread each."""
        self._run("scheduler", ["--port", "0", "--scheduler-file", str(self._contact)])
        until(lambda: self._contact.exists() and self._contact.stat().st_size)
        if workers:
            size = ["--nthreads", "1", "--nworkers", str(workers), "--local-directory", str(self.folder)]
            self._run("worker", [self.address, *size])

    def kill(self, name: str) -> None:
        """Kill the scheduler, or the workers with those who would start them again."""
        command = self.commands[name]
        if command.poll() is not None:
            return
        family = [psutil.Process(command.pid), *psutil.Process(command.pid).children(recursive=True)]
        for process in family:
            process.kill()
        command.wait()
        psutil.wait_procs(family[1:], PATIENCE_SECONDS)

    @property
    def _contact(self) -> Path:
        return self.folder / "scheduler.json"

    def _run(self, name: str, options: Sequence[str]) -> None:
        known = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(known),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            self.commands[name] = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{name}", *ON_LOOPBACK, *options],
                env=environment,
                stdout=log,
                stderr=log,
            )


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster for the time of the block."""
    cluster = Cluster(folder)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        for name in reversed(cluster.commands):
            cluster.kill(name)


def until(happened: Callable[[], object]) -> None:
    """Wait for something; AssertionError where it does not happen."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
