"""A running UI over a small built league, and a headless Chromium that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets_tests.dagster_server import dagster_server
from nba_assets_tests.league import SMALL_LEAGUE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PROJECT = Path(__file__).resolve().parents[2]
START_SECONDS, BUILD_SECONDS = 90, 300
BUILT_DAYS = 9


@dataclass(frozen=True)
class RunningUi:
    """A UI that answers."""

    address: str
    environment: dict[str, str]
    first_date: date

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask the server as its own pages do."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            answer: dict[str, Any] = json.loads(response.read())
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """`dagster dev` on a free port of the loopback, over a home of its own; ended with its whole process group."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium` to run the browser tests")
    home = tmp_path_factory.mktemp("home")
    season = write_season(home / "landing", 2024, **SMALL_LEAGUE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "NBA_ASSETS_HOME": str(home)}
    for name in ("DAGSTER_HOME", "NBA_ASSETS_LANDING", "NBA_ASSETS_WAREHOUSE"):
        environment.pop(name, None)
    log = (home / "ui.log").open("wb")
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("dagster")), "dev", "-h", "127.0.0.1", "-p", str(port)],
        cwd=PROJECT,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, process, home / "ui.log")
        yield RunningUi(address, environment, season.first_date)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


@pytest.fixture(scope="session")
def built_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """A UI over the first nine dates of a league that are built, precomputed rows from the first date on; on the last one the bookmakers expect 400 points."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium` to run the browser tests")
    home = tmp_path_factory.mktemp("built_home")
    first = write_season(home / "landing", 2024, **SMALL_LEAGUE).first_date
    last = first + timedelta(days=BUILT_DAYS - 1)
    expect_points(home / "landing" / "game_lines" / f"game_date={last}" / "part.parquet", 400.0)
    environment = {**os.environ, "NBA_ASSETS_HOME": str(home), "NBA_ASSETS_BOOTSTRAP_DAYS": "0"}
    for name in ("DAGSTER_HOME", "NBA_ASSETS_LANDING", "NBA_ASSETS_WAREHOUSE"):
        environment.pop(name, None)
    for arguments in (["backfill", str(first), str(last)], ["report", str(last)]):
        command = [str(Path(sys.executable).with_name("nba-assets")), *arguments]
        subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=BUILD_SECONDS, check=True)
    with dagster_server(environment, home / "ui.log") as address:
        yield RunningUi(address, environment, first)


def expect_points(lines: Path, total: float) -> None:
    """Make every bookmaker of a file of lines expect so many points of its games."""
    rows = pq.ParquetFile(lines).read()
    place, column = rows.column_names.index("outcome_point"), rows.schema.field("outcome_point")
    points = pc.if_else(pc.equal(rows["market_key"], "totals"), total, rows["outcome_point"])
    pq.write_table(rows.set_column(place, column, points), lines)


def _wait_until_up(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the UI ended at once:\n{log.read_text()[-4000:]}")
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=5).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"the UI did not answer within {START_SECONDS} s:\n{log.read_text()[-4000:]}")


@pytest.fixture
def page() -> Iterator[Any]:
    """A new page of a headless browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium` to run the browser tests")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser tests")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            page.set_default_timeout(60_000)
            yield page
        finally:
            browser.close()
