"""What an operator does in the UI: look at the graph, materialize a date, back a range up."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets_tests.browser.conftest import RunningUi

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUN_SECONDS = 240
RUNS = (
    """query { runsOrError { ... on Runs { results { runId status tags { key value } assetSelection { path } } } } }"""
)


def finished_runs(ui: RunningUi, known: set[str]) -> list[dict[str, Any]]:
    """Wait until every run that is not yet known has ended; they must have ended well."""
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        runs = [run for run in ui.graphql(RUNS)["runsOrError"]["results"] if run["runId"] not in known]
        if runs and all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in runs):
            assert {run["status"] for run in runs} == {"SUCCESS"}
            return runs
        time.sleep(1)
    pytest.fail(f"no run ended within {RUN_SECONDS} s")


def known_runs(ui: RunningUi) -> set[str]:
    return {run["runId"] for run in ui.graphql(RUNS)["runsOrError"]["results"]}


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}


def test_graph_shows_groups_and_edges(ui: RunningUi, page: Any) -> None:
    page.goto(f"{ui.address}/asset-groups")
    for group in ("raw", "analytics", "precompute"):
        page.get_by_text(group, exact=True).first.wait_for()
    nodes = ui.graphql("query { assetNodes { assetKey { path } groupName dependencyKeys { path } } }")["assetNodes"]
    upstream = {node["assetKey"]["path"][-1]: {key["path"][-1] for key in node["dependencyKeys"]} for node in nodes}
    assert upstream.keys() == RAW_TABLES.keys() | COMPUTED_TABLES.keys() | {"warehouse_health"}
    assert "team_offense_game_summary" in upstream["player_game_summary"]
    assert "team_offense_game_summary" in upstream["team_defense_game_summary"]
    assert "play_by_play" in upstream["team_offense_game_summary"]
    assert {"player_daily_cache", "player_composite_factors", "team_defense_zone_analysis"} <= upstream[
        "ml_feature_store"
    ]


def test_one_partition_is_materialized_from_the_dialog(ui: RunningUi, page: Any) -> None:
    before, day = known_runs(ui), ui.first_date.isoformat()
    _launch(page, ui, f"[{day}...{day}]")
    (run,) = finished_runs(ui, before)
    assert tags(run)["dagster/partition"] == day
    page.goto(f"{ui.address}/assets/player_game_summary?view=overview")
    page.get_by_text("Share of the team's possessions that he ended").first.wait_for()
    page.goto(f"{ui.address}/assets/player_game_summary?view=events")
    page.get_by_text("entities_per_second").first.wait_for()


def test_range_typed_in_the_dialog_becomes_one_run_of_exactly_that_range(ui: RunningUi, page: Any) -> None:
    before = known_runs(ui)
    first, last = ui.first_date + timedelta(days=1), ui.first_date + timedelta(days=5)
    _launch(page, ui, f"[{first}...{last}]")
    (run,) = finished_runs(ui, before)
    assert tags(run)["dagster/asset_partition_range_start"] == first.isoformat()
    assert tags(run)["dagster/asset_partition_range_end"] == last.isoformat()


def _launch(page: Any, ui: RunningUi, partitions: str) -> None:
    """Type partitions into the dialog of "Materialize all" and launch."""
    page.goto(f"{ui.address}/asset-groups")
    page.get_by_role("button", name="Materialize all").first.click()
    # The dialog first shows the newest partitions only.
    page.get_by_text("Show all partitions").click()
    box = page.get_by_role("dialog").get_by_placeholder("ex: ")
    box.fill(partitions)
    box.press("Enter")
    page.get_by_role("button", name="Launch").last.click()
