"""Dagster's UI and daemon on this machine, over the instance of the home, as one command; what they show is not in
this module.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import warnings
from contextlib import suppress
from types import FrameType

import click
import dagster as dg
import psutil
from dagster._cli.dev import dev_command

from nba_assets.orchestration.instance import PACKAGE, configured_home

HOST = "127.0.0.1"
STOP_SECONDS = 20
"""How long processes may take to end in order before they are killed."""
LOOK_SECONDS = 0.5
"""How often the port is looked at until the webserver listens there."""


class UiError(RuntimeError):
    """The UI cannot be served; the message says why and what to do."""


def serve_ui(port: int) -> None:
    """Serve the UI at `port` of this machine, with the daemon and the code location, until SIGINT or SIGTERM; all
    processes started have ended then.

    Raises UiError where the port is taken, now or before the webserver listens there, or one of the servers ended by
    itself. Must be called in the main thread.
    """
    _check_port_is_free(port)
    if not os.environ.get("DAGSTER_HOME", "").strip():
        # Without it Dagster makes a temporary folder in the current one and warns that all will be lost.
        os.environ["DAGSTER_HOME"] = str(configured_home())
    stopped, over, lost = threading.Event(), threading.Event(), threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        over.set()
        stopped.set()
        # Where it hits while a database is being closed, SQLAlchemy would print a traceback of it.
        logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL)
        raise KeyboardInterrupt

    # Dagster treats SIGTERM as it finds SIGINT treated, and a shell's background job inherits an ignored SIGINT.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    logging.getLogger("dagster").addFilter(_is_not_about_another_dagster_yaml)
    warnings.simplefilter("ignore", dg.SupersessionWarning)
    threading.Thread(target=_watch_port, args=(port, over, lost), daemon=True).start()
    try:
        arguments = ["--host", HOST, "--port", str(port), "--workspace", str(PACKAGE / "workspace.yaml")]
        dev_command.main(arguments, prog_name="nba-assets ui", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        if not stopped.is_set():
            raise
    finally:
        over.set()
        _end_children()
    if lost.is_set():
        raise UiError(f"port {port} of {HOST} was taken while the UI started: choose another with --port")
    if not stopped.is_set():
        raise UiError("one of Dagster's servers ended by itself: what it printed above says why")


def _check_port_is_free(port: int) -> None:
    if why := _refusal_of(port):
        raise UiError(f"port {port} of {HOST} cannot be used ({why}): choose another with --port")


def _refusal_of(port: int) -> str | None:
    """Why nothing can listen at a port; None where it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _watch_port(port: int, over: threading.Event, lost: threading.Event) -> None:
    """Until a child of this process holds the port or all is over: where another process does, say so and interrupt.

    The webserver cannot be waited for: without its port it does not end.
    """
    while not over.wait(LOOK_SECONDS):
        # In this order: what has taken the port is looked for after it was found taken.
        is_taken = _refusal_of(port) is not None
        if _is_held_by_a_child(port):
            return
        if is_taken and not over.is_set():
            lost.set()
            os.kill(os.getpid(), signal.SIGINT)
            return


def _is_held_by_a_child(port: int) -> bool:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if any(at.laddr == (HOST, port) and not at.raddr for at in child.net_connections("tcp")):
                return True
    return False


def _is_not_about_another_dagster_yaml(record: logging.LogRecord) -> bool:
    """False for Dagster's warning that it reads the instance's dagster.yaml and not the one in the current folder, a
    copy of the same file.
    """
    return "will not be used to configure Dagster" not in record.getMessage()


def _end_children() -> None:
    """Wait for what Dagster leaves to end by itself, the code server above all; kill what does not."""
    _, alive = psutil.wait_procs(psutil.Process().children(recursive=True), timeout=STOP_SECONDS)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive)
