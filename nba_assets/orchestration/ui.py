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
from types import FrameType

import click
import dagster as dg
import psutil
from dagster._cli.dev import dev_command

from nba_assets.orchestration.instance import PACKAGE, configured_home

HOST = "127.0.0.1"
STOP_SECONDS = 20
"""How long processes may take to end in order before they are killed."""


class UiError(RuntimeError):
    """The UI cannot be served; the message says why and what to do."""


def serve_ui(port: int) -> None:
    """Serve the UI at `port` of this machine, with the daemon and the code location, until SIGINT or SIGTERM; all
    processes started have ended then.

    Raises UiError where the port is taken or one of the servers ended by itself. Must be called in the main thread.
    """
    _check_port_is_free(port)
    if not os.environ.get("DAGSTER_HOME", "").strip():
        # Without it Dagster makes a temporary folder in the current one and warns that all will be lost.
        os.environ["DAGSTER_HOME"] = str(configured_home())
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()
        raise KeyboardInterrupt

    # Dagster treats SIGTERM as it finds SIGINT treated, and a shell's background job inherits an ignored SIGINT.
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    logging.getLogger("dagster").addFilter(_is_not_about_another_dagster_yaml)
    warnings.simplefilter("ignore", dg.SupersessionWarning)
    try:
        arguments = ["--host", HOST, "--port", str(port), "--workspace", str(PACKAGE / "workspace.yaml")]
        dev_command.main(arguments, prog_name="nba-assets ui", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        if not stopped.is_set():
            raise
    finally:
        _end_children()
    if not stopped.is_set():
        raise UiError("one of Dagster's servers ended by itself: what it printed above says why")


def _check_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UiError(
                f"port {port} of {HOST} cannot be used ({error.strerror}): choose another with --port"
            ) from None


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
