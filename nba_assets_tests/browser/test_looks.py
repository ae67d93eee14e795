"""What an operator sees without opening a log: schema, numbers, plots, the picture, a failed check; and the report
page.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_assets.pictures.canvas import WIDTH
from nba_assets.pictures.of_tables import TABLES_WITH_PICTURES
from nba_assets.precompute.feature_lists import ALL_FEATURES
from nba_assets.precompute.features import FEATURES
from nba_assets.precompute.features_v2 import FEATURES_V2
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.browser.conftest import BUILT_DAYS, RunningUi
from nba_assets_tests.report.reading import differences, mean_differences, read_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

METADATA = """query ($key: AssetKeyInput!)
    { assetOrError(assetKey: $key) { ... on Asset { assetMaterializations(limit: 100) {
    partition metadataEntries { label __typename ... on MarkdownMetadataEntry { mdStr }
    ... on TableColumnLineageMetadataEntry { lineage { columnName columnDeps { assetKey { path } columnName } } }
    } } } } }"""


def test_asset_page_shows_schema_numbers_and_plots(built_ui: RunningUi, page: Any) -> None:
    page.goto(f"{built_ui.address}/assets/player_shot_zone_analysis?view=overview")
    page.get_by_text("Share of his field-goal attempts in the paint, newest 10 games, in percent").first.wait_for()
    for number in (
        "completeness_pct_mean",
        "production_ready_share",
        "null_share",
        "entities_per_second",
        "seconds_compute",
    ):
        page.get_by_role("row").filter(has_text=number).first.wait_for()
    page.get_by_role("button", name="Plots").click()
    page.get_by_role("button", name="Events").click()
    page.get_by_text("production_ready_share", exact=True).wait_for()
    page.locator("canvas").first.wait_for()
    assert page.locator("canvas").count() >= 10


@pytest.mark.parametrize(
    "table", [table for table in TABLES_WITH_PICTURES if table != "team_defense_zone_analysis"]
)  # too few games for that one
def test_newest_materialization_shows_the_picture(built_ui: RunningUi, page: Any, table: str) -> None:
    page.goto(f"{built_ui.address}/assets/{table}?view=events")
    page.get_by_role("row").filter(has_text="picture").get_by_text("[Show Markdown]").click()
    picture = page.get_by_role("dialog").locator("img")
    picture.wait_for()
    page.wait_for_function("image => image.complete", arg=picture.element_handle())
    assert picture.evaluate("image => image.naturalWidth") == WIDTH
    assert picture.bounding_box()["width"] > 600


def test_one_picture_and_lineage_a_run(built_ui: RunningUi) -> None:
    (asset,) = built_ui.graphql(METADATA, key={"path": ["ml_feature_store"]}).values()
    entries = {
        made["partition"]: {entry["label"]: entry for entry in made["metadataEntries"]}
        for made in asset["assetMaterializations"]
    }
    assert len(entries) == BUILT_DAYS
    newest = (built_ui.first_date + timedelta(days=BUILT_DAYS - 1)).isoformat()
    assert [day for day, mine in entries.items() if "picture" in mine] == [newest]
    lineage = {
        column["columnName"]: column["columnDeps"] for column in entries[newest]["dagster/column_lineage"]["lineage"]
    }
    assert lineage["pct_mid_range"] == [
        {"assetKey": {"path": ["player_shot_zone_analysis"]}, "columnName": "mid_range_rate_last_10"}
    ]
    assert [len(lineage[name]) for name in ("features", "features_v2")] == [len(FEATURES), len(FEATURES_V2)]
    assert len(lineage) == len(ALL_FEATURES) + 2


def test_failed_check_is_visible(built_ui: RunningUi, page: Any) -> None:
    page.goto(f"{built_ui.address}/assets/upcoming_team_game_context?view=checks")
    page.get_by_text("usual_range", exact=True).first.click()
    page.get_by_role("row").filter(has_text="offending_rows").get_by_text("2", exact=True).wait_for()
    assert page.get_by_text("Failed", exact=True).count() == 2  # in the list of checks and as the result
    last = (built_ui.first_date + timedelta(days=BUILT_DAYS - 1)).isoformat()
    page.get_by_role("row").filter(has_text="examples").get_by_text("[Show JSON]").click()
    page.get_by_role("dialog").get_by_text(f"game_date={last}, team_abbr=LAL: game_total=400.0").wait_for()


def test_report_page_opens_and_its_numbers_are_the_tables_own(built_ui: RunningUi, page: Any) -> None:
    last = built_ui.first_date + timedelta(days=BUILT_DAYS - 1)
    home = Path(built_ui.environment["NBA_ASSETS_HOME"])
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on(
        "request", lambda request: None if request.url.startswith(("file:", "data:")) else problems.append(request.url)
    )
    page.goto((home / "reports" / f"{last}.html").as_uri())
    shown = read_page(page.content())
    warehouse = DuckDBWarehouse(home / "nba.duckdb")
    assert len(shown.stored()) > 100
    assert differences(shown, warehouse, last) == []
    assert mean_differences(shown, warehouse, last) == []
    images = page.locator("img")
    assert images.count() >= 3
    assert all(images.nth(number).evaluate("image => image.naturalWidth") > 0 for number in range(images.count()))
    for width in (1366, 1280, 900, 400):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    total = page.locator(".players td.strong").first.bounding_box()
    assert total["x"] + total["width"] <= 400  # names, lines and totals are read without scrolling sideways
    assert problems == []
