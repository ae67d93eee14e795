"""A Postgres server of a test's own on the loopback: started where its programs are installed, and ended by its id."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from nba_assets_tests.dagster_server import free_port

START_SECONDS, STOP_SECONDS = 60, 30
USER, PASSWORD, DATABASE = "dagster", "not:a@plain/password%", "dagster_records"
VARIABLES = "DAGSTER_POSTGRES_"


@contextmanager
def postgres_server() -> Iterator[Mapping[str, str]]:
    """The variables of a server with an empty database, as deploy/dagster.postgres.yaml reads them; skips where there
    is none to start.
    """
    initdb, postgres = shutil.which("initdb"), shutil.which("postgres")
    if initdb is None or postgres is None:
        pytest.skip("no initdb and postgres on the path: install Postgres to test the instance in it")
    # The server refuses to run as root.
    user = "postgres" if os.getuid() == 0 else None
    if user and user not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("no user postgres: Postgres does not run as root")
    with tempfile.TemporaryDirectory(prefix="postgres") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data, port = folder / "data", free_port()
        options = ["--username", USER, "--pwfile", str(folder / "password"), "--auth", "scram-sha-256", "--no-sync"]
        subprocess.run([initdb, "-D", str(data), *options], user=user, cwd=folder, check=True, capture_output=True)
        settings = [
            f"port={port}",
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
        ]
        command = [postgres, "-D", str(data), *(word for setting in settings for word in ("-c", setting))]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, user=user, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait_until_up(port, server, folder / "log")
            _make_database(port)
            yield {
                f"{VARIABLES}HOST": "127.0.0.1",
                f"{VARIABLES}PORT": str(port),
                f"{VARIABLES}USER": USER,
                f"{VARIABLES}PASSWORD": PASSWORD,
                f"{VARIABLES}DB": DATABASE,
            }
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _make_database(port: int) -> None:
    import psycopg2

    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = psycopg2.connect(host="127.0.0.1", port=port, user=USER, password=PASSWORD, dbname="postgres")
            break
        except psycopg2.OperationalError:  # it listens before it lets anybody in
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    connection.autocommit = True
    connection.cursor().execute(f"CREATE DATABASE {DATABASE}")
    connection.close()


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"Postgres did not start:\n{log.read_text()[-2000:]}")
