"""Runs that end in the middle, cheaply: a process with everything imported forks a child for each run, which kills
itself where it is told to.

Moments are counted by what a run does (a file opened or renamed, a statement sent to DuckDB, an event written, bytes of
a commit), not by the clock. They are observed from outside: nothing in the package knows of them. What a run leaves
behind is for the tests to judge.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from nba_assets.automation.planned_runs import Launch
from nba_assets.orchestration.launch import execute

FILE, STATEMENT, EVENT, COMMIT = "file", "statement", "event", "commit"
KINDS = (FILE, STATEMENT, EVENT, COMMIT)
FILE_EVENTS = ("open", "os.rename", "os.remove", "os.mkdir")


@dataclass(frozen=True)
class Order:
    """A run of some assets over dates in a home, and what becomes of it.

    It dies at the `number`-th moment of a `kind`: before or after a statement, before an event is written, before a
    file is touched, or within a commit, once `share` of COMMIT_BYTES are written. Without a kind it goes to its end. No
    file grows beyond `largest_file` bytes, where that is given.
    """

    home: Path
    job: str
    assets: tuple[str, ...]
    start: date
    end: date
    tags: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    number: int = 0
    share: float = 0.0
    largest_file: int | None = None


@dataclass(frozen=True)
class Ending:
    """How a run ended: its exit code or minus the signal, how many moments of each kind there were, and what it
    printed.
    """

    code: int
    moments: Mapping[str, int]
    said: str


@dataclass(frozen=True)
class Tagged(Launch):
    """A launch with more tags than its dates give it."""

    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> dict[str, str]:
        """Those of the dates, and the others."""
        return {**super().tags, **self.more}


class Runs:
    """The process that forks; see `running_elsewhere`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, order: Order) -> Ending:
        """Fork a child for an order and wait for its end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(asdict(order), default=str), file=self.process.stdin, flush=True)
        code = int(self.process.stdout.readline())
        moments = order.home / "moments.json"
        counted = json.loads(moments.read_text()) if moments.exists() else {}
        return Ending(code, counted, (order.home / "said.txt").read_text())


@contextmanager
def running_elsewhere() -> Iterator[Runs]:
    """A process that runs orders, one after the other, until the block ends."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Runs(process)


def main() -> None:
    """Read orders, a JSON object per line, and answer each with the exit code of its child."""
    # Once, here, and not in every child: the definitions, the job, and what draws pictures.
    importlib.import_module("nba_assets.pictures.composite_factors")
    importlib.import_module("nba_assets.pictures.court")
    importlib.import_module("nba_assets.pictures.feature_strip")
    for job in ("full", "postgame", "pregame"):
        dg.build_reconstructable_job("nba_assets.definitions", "job_by_name", (job,)).get_definition()
    for line in sys.stdin:
        given = json.loads(line)
        dates = {name: date.fromisoformat(given[name]) for name in ("start", "end")}
        order = Order(**given | dates | {"home": Path(given["home"]), "assets": tuple(given["assets"])})
        child = os.fork()
        if child == 0:
            os._exit(_carried_out(order))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _carried_out(order: Order) -> int:
    said = os.open(order.home / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    moments = order.home / "moments.json"
    moments.unlink(missing_ok=True)
    os.environ.update(order.environment)
    os.environ["NBA_ASSETS_HOME"] = str(order.home)
    if order.largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest_file, resource.RLIM_INFINITY))
    watch = _Watch(order)
    watch.begin()
    try:
        report = execute(Tagged(order.job, order.assets, order.start, order.end, order.tags))
        for step in report.steps:
            if not step.succeeded:
                print(step.asset, step.message, file=sys.stderr, flush=True)
        code = 0 if report.succeeded else 1
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        code = 2
    if order.largest_file is None:
        moments.write_text(json.dumps(watch.counts))
    return code


class _Watch:
    """Counts the moments of this process, and ends it at the one that it is to end at."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.counts: Counter[str] = Counter()
        self.home = str(order.home)

    def begin(self) -> None:
        """Count from now on."""
        # A signal that ends a process in the midst of a write would leave a core file.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.addaudithook(self._audited)
        sa.event.listen(sa.Engine, "before_cursor_execute", self._sent_to_sqlite)
        sa.event.listen(sa.Engine, "commit", lambda _: self.passed(EVENT))
        connect = duckdb.connect
        duckdb.connect = lambda *arguments, **named: _Watched(connect(*arguments, **named), self)

    def passed(self, kind: str) -> None:
        """A moment has come."""
        self.counts[kind] += 1
        if kind != self.order.kind or self.counts[kind] != self.order.number:
            return
        if kind != COMMIT:
            os.kill(os.getpid(), signal.SIGKILL)
        log = Path(self.home) / "nba.duckdb.wal"
        size = log.stat().st_size if log.exists() else 0
        # A large commit dies with half of its log written, a small one while the log is moved into the file.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + int(self.order.share * COMMIT_BYTES), resource.RLIM_INFINITY))

    def _audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILE_EVENTS and str(arguments[0]).startswith(self.home):
            self.passed(FILE)

    def _sent_to_sqlite(self, _: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            self.passed(EVENT)


COMMIT_BYTES = 40_000
"""A commit of a few dates of a small league writes from 4,000 (team summaries) to 200,000 bytes (play-by-play) into the
log.
"""


class _Watched:
    """A DuckDB connection whose statements are moments."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, watch: _Watch) -> None:
        self.connection = connection
        self.watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, statement: str, *arguments: Any) -> Any:
        """A moment before it and one after it; a commit is one of its own as well."""
        self.watch.passed(STATEMENT)
        if statement == "COMMIT":
            self.watch.passed(COMMIT)
        result = self.connection.execute(statement, *arguments)
        self.watch.passed(STATEMENT)
        return result


if __name__ == "__main__":
    main()
