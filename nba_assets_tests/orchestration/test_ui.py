"""`nba-assets ui` serves the instance of the home on this machine alone, says nothing frightening, and leaves no
process behind.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.orchestration import ui
from nba_assets_tests.dagster_server import PROJECT, START_SECONDS, STOP_SECONDS, UI, loaded_locations, serving

IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh", *UI)
"""As a script starts it with `&`: SIGINT is ignored, which children inherit."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "ending"), [(UI, signal.SIGINT), (IN_THE_BACKGROUND, signal.SIGTERM)], ids=["foreground", "background"]
)
def test_all_its_processes_end_with_it(
    command: tuple[str, ...], ending: signal.Signals, own_home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", folder)
    log = tmp_path / "ui.log"
    with serving(os.environ, log, command=command, folder=folder) as (address, process):
        assert loaded_locations(address) == {"nba_assets": "RepositoryLocation"}
        started = psutil.Process(process.pid).children(recursive=True)
        assert len(started) >= 4, "webserver, daemon, code server and its proxy"
        listening = {
            at.laddr.ip for child in started for at in child.net_connections("tcp") if at.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        process.send_signal(ending)
        assert process.wait(timeout=STOP_SECONDS) == 0
        assert not [child for child in started if child.is_running()]
    printed = log.read_text().lower()
    assert address in printed
    assert not [
        words
        for words in ("temporary", "will be removed", "superseded", "will not be used", "traceback", "aborted")
        if words in printed
    ]
    assert [path.name for path in folder.iterdir()] == ["dagster.yaml"]
    assert (own_home / "dagster" / "storage").is_dir()


@pytest.mark.slow
def test_a_server_that_ends_by_itself_ends_the_command_with_an_error(tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    with serving(os.environ, log, folder=tmp_path) as (_, process):
        started = psutil.Process(process.pid).children(recursive=True)
        next(child for child in started if "dagster_webserver" in child.cmdline()).kill()
        assert process.wait(timeout=STOP_SECONDS) == 1
        assert not [child for child in started if child.is_running()]
    assert "one of Dagster's servers ended by itself" in log.read_text()


def test_what_a_server_leaves_is_waited_for_and_then_killed_with_its_own_children(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"1\n"
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        assert len(family) == 2
        monkeypatch.setattr(psutil.Process, "children", lambda _, recursive: family[: 1 + recursive])
        monkeypatch.setattr(ui, "STOP_SECONDS", 0.1)
        ui._end_children()
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


LISTENING = """
import socket
with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    print(server.getsockname()[1], flush=True)
    input()
"""


class Interrupted:
    """Stands for the signal to this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[int, int]] = []
        monkeypatch.setattr(ui, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(os, "kill", lambda *sent: self.sent.append(sent))


def test_a_port_that_another_process_takes_interrupts_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted, lost = Interrupted(monkeypatch), threading.Event()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ui._watch_port(other.getsockname()[1], threading.Event(), lost)
    assert lost.is_set()
    assert interrupted.sent == [(os.getpid(), signal.SIGINT)]


def test_a_port_that_the_webserver_holds_is_watched_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted, lost = Interrupted(monkeypatch), threading.Event()
    with subprocess.Popen([sys.executable, "-c", LISTENING], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        ui._watch_port(int(server.stdout.readline()), threading.Event(), lost)
        server.communicate(b"\n")
    assert (lost.is_set(), interrupted.sent) == (False, [])


def test_a_command_that_is_over_is_not_interrupted_whoever_takes_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted, over, lost = Interrupted(monkeypatch), threading.Event(), threading.Event()

    def taken_as_it_ends(_: int) -> str:
        over.set()
        return "Address already in use"

    monkeypatch.setattr(ui, "_refusal_of", taken_as_it_ends)
    ui._watch_port(1, over, lost)
    assert (lost.is_set(), interrupted.sent) == (False, [])


@pytest.mark.slow
def test_an_interrupt_while_a_database_is_closed_is_not_printed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sqlalchemy\n"
        "from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as Dialect\n"
        "from nba_assets.orchestration import ui\n"
        "def interrupted(self, connection):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "def open_and_close(*_, **__):\n"
        "    engine = sqlalchemy.create_engine('sqlite://', poolclass=sqlalchemy.pool.NullPool)\n"
        "    connection = engine.connect()\n"
        "    Dialect.do_close = interrupted\n"
        "    connection.close()\n"
        "ui.dev_command.main = open_and_close\n"
        "ui.serve_ui(1)\n"
        "print('over')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)


@pytest.mark.slow
def test_a_command_that_loses_its_port_while_it_starts_ends_with_its_daemon(own_home: Path, tmp_path: Path) -> None:
    """As the second of two that start at once: the port was free when it looked."""
    code = (
        "import sys\n"
        "from nba_assets.orchestration import ui\n"
        "ui._check_port_is_free = lambda port: None\n"
        "from nba_assets.cli import main\n"
        "main()\n"
    )
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        line = [sys.executable, "-c", code, "ui", "--port", port]
        process = subprocess.Popen(
            line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            printed, _ = process.communicate(timeout=START_SECONDS)
            assert process.returncode == 1
            assert not [one for one in psutil.process_iter() if _group_of(one) == process.pid]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    last = printed.splitlines()[-1]
    assert last == f"port {port} of 127.0.0.1 was taken while the UI started: choose another with --port"
    assert "Traceback" not in printed


def _group_of(process: psutil.Process) -> int | None:
    with suppress(ProcessLookupError):
        return os.getpgid(process.pid)
    return None


def test_a_port_that_is_taken_is_said_in_a_line(own_home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = CliRunner().invoke(app, ["ui", "--port", str(port)])
    assert ended.exit_code == 1
    assert (
        f"port {port} of 127.0.0.1 cannot be used (Address already in use): choose another with --port" in ended.output
    )
    assert not own_home.exists()
