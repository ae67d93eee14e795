"""A running UI over a small built league, and a headless Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets_tests.dagster_server import PROJECT, dagster_server, graphql
from nba_assets_tests.league import SMALL_LEAGUE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILD_SECONDS = 300
BUILT_DAYS = 9


@dataclass(frozen=True)
class RunningUi:
    """A UI that answers."""

    address: str
    environment: dict[str, str]
    first_date: date

    def graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask the server as its own pages do."""
        return graphql(self.address, query, **variables)


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """`nba-assets ui` on a free port of the loopback, over a home of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium` to run the browser tests")
    home = tmp_path_factory.mktemp("home")
    season = write_season(home / "landing", 2024, **SMALL_LEAGUE)
    environment = {**os.environ, "NBA_ASSETS_HOME": str(home)}
    for name in ("DAGSTER_HOME", "NBA_ASSETS_LANDING", "NBA_ASSETS_WAREHOUSE"):
        environment.pop(name, None)
    with dagster_server(environment, home / "ui.log") as address:
        yield RunningUi(address, environment, season.first_date)


@pytest.fixture(scope="session")
def built_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUi]:
    """A UI over the first nine dates of a league that are built, precomputed rows from the first date on; on the last
    one the bookmakers expect 400 points.
    """
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
