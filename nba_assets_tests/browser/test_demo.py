"""What a newcomer sees after `nba-assets demo`: the run in the timeline, plots with points, the report of today."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from nba_assets.automation.slates import league_date
from nba_assets.pictures.canvas import day_text
from nba_assets_tests.browser.conftest import BUILD_SECONDS, CHROMIUM
from nba_assets_tests.dagster_server import PROJECT, dagster_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COLOURED = """canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
    let count = 0
    for (let place = 0; place < pixels.length; place += 4)
        count += pixels[place + 3] > 200 && pixels[place + 2] - pixels[place] > 80
    return count
}"""
"""How many pixels of a canvas are as blue as a line or a point of a plot; grid and labels are grey."""


@dataclass(frozen=True)
class Demo:
    """A finished demo and the UI over its home."""

    address: str
    home: Path
    days: frozenset[date]
    """Today, in the league's time zone, when it began and when it ended."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """`nba-assets demo`, then `nba-assets ui` in the same home."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium` to run the browser tests")
    home = tmp_path_factory.mktemp("demo_home")
    environment = {**os.environ, "NBA_ASSETS_HOME": str(home)}
    for name in ("DAGSTER_HOME", "NBA_ASSETS_LANDING", "NBA_ASSETS_WAREHOUSE", "NBA_ASSETS_FIRST_DATE"):
        environment.pop(name, None)
    command = [str(Path(sys.executable).with_name("nba-assets")), "demo", "--no-open"]
    began = league_date(datetime.now(UTC))
    subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, timeout=BUILD_SECONDS, check=True)
    days = frozenset({began, league_date(datetime.now(UTC))})
    with dagster_server(environment, home / "ui.log") as address:
        yield Demo(address, home, days)


def test_timeline_shows_the_run_of_the_command_line(demo: Demo, page: Any) -> None:
    page.goto(f"{demo.address}/overview")
    page.get_by_title("full", exact=True).first.wait_for()
    assert page.get_by_text("No runs or scheduled ticks").count() == 0
    page.goto(f"{demo.address}/locations/nba_assets/jobs/full/runs")
    page.get_by_text("Success", exact=True).first.wait_for()


def test_plots_of_a_table_hold_points_in_the_default_view(demo: Demo, page: Any) -> None:
    page.goto(f"{demo.address}/assets/player_game_summary")
    page.get_by_text("Passing", exact=True).first.wait_for()  # the table is fresh
    page.get_by_role("button", name="Plots").click()
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(1000)  # plots are drawn in a movement
    assert page.locator("canvas").first.evaluate(COLOURED) > 200


def test_the_report_opens_with_the_date_of_today(demo: Demo, page: Any) -> None:
    (report,) = (demo.home / "reports").glob("????-??-??.html")
    page.goto(report.as_uri())
    assert page.locator("h1").inner_text().split(", ")[1] in {day_text(day) for day in demo.days}
    assert page.locator("article.card").count() > 0
