"""What a materialization shows beyond its rows: numbers that plot, a picture on its newest date, the lineage of the
features.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from nba_assets.automation.planned_runs import RANGE_END_TAG, RANGE_START_TAG
from nba_assets.definitions import defs
from nba_assets.entities.outcomes import Outcome
from nba_assets.orchestration import presentation
from nba_assets.orchestration.computed_assets import FRESH, table_asset
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.orchestration.presentation import date_numbers, feature_lineage
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.precompute.feature_lists import ALL_FEATURES, FEATURE_VERSIONS
from nba_assets.publishing.publication import DateFacts
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.columns import empty
from nba_assets.tables.spec import Table, count, day, flag, number, text

FIRST, SECOND, THIRD = date(2021, 11, 15), date(2021, 11, 16), date(2021, 11, 17)
NOW = datetime(2022, 1, 1, tzinfo=UTC)


def table_called(name: str) -> Table:
    """A small table under the name of another one."""
    return Table(
        "nba_precompute",
        name,
        "one player on one date",
        ("game_date", "player_lookup"),
        "game_date",
        (
            day("game_date", "Date", nullable=False),
            text("player_lookup", "Player", nullable=False),
            count("points", "Points"),
            number("share", "Share", scale=1),
            number("completeness_percentage", "Completeness", scale=1, nullable=False),
            number("quality_score", "Quality", scale=1, nullable=False),
            flag("is_production_ready", "Ready", nullable=False),
            *STAMPS,
        ),
    )


def columns(*rows: tuple[date, str, float, float, float, float, bool]) -> dict[str, Any]:
    days, players, points, shares, completeness, quality, ready = zip(*rows, strict=True)
    return {
        "game_date": np.array(days, dtype="M8[D]"),
        "player_lookup": np.array(players, dtype=object),
        "points": np.array(points, dtype=float),
        "share": np.array(shares, dtype=float),
        "completeness_percentage": np.array(completeness, dtype=float),
        "quality_score": np.array(quality, dtype=float),
        "is_production_ready": np.array(ready, dtype=float),
    }


def fact(of: date, row_count: int, failures: dict[str, int] | None = None) -> DateFacts:
    return DateFacts(of, row_count, failures or {}, "0" * 16, changed=True, changed_at=np.datetime64("NaT", "us"))


ROWS = columns(
    (FIRST, "ann", 3, np.nan, 100, 95, True),
    (FIRST, "bob", np.nan, np.nan, 50, 75, False),
    (SECOND, "ann", 1, 2, 90, 95, True),
)


def test_numbers_of_a_date_are_plain_and_its_own() -> None:
    table = table_called("tallies")
    rows = pa.table({name: pa.array(values, from_pandas=True) for name, values in ROWS.items()})
    facts = [fact(FIRST, 2, {"INSUFFICIENT_DATA": 2}), fact(SECOND, 1), fact(THIRD, 0, {"STALE_DATA": 1})]
    shown = date_numbers(table, rows, facts)
    no_failures = {"failures_INSUFFICIENT_DATA": 0, "failures_STALE_DATA": 0}
    assert shown == {
        FIRST: no_failures
        | {
            "failures_INSUFFICIENT_DATA": 2,
            "completeness_pct_mean": 75.0,
            "production_ready_share": 0.5,
            "quality_score_mean": 85.0,
            "null_share": 0.75,  # points once and share twice, of four measures
        },
        SECOND: no_failures
        | {"completeness_pct_mean": 90.0, "production_ready_share": 1.0, "quality_score_mean": 95.0, "null_share": 0.0},
        THIRD: no_failures | {"failures_STALE_DATA": 1},
    }
    assert {type(value) for mine in shown.values() for value in mine.values()} == {int, float}


@pytest.mark.parametrize("table", COMPUTED_TABLES.values(), ids=list(COMPUTED_TABLES))
def test_date_without_rows_has_no_means(table: Table) -> None:
    assert date_numbers(table, empty(table), [fact(FIRST, 0)]) == {FIRST: {}}


def test_tables_can_be_filtered_by_layer_and_by_what_a_row_is_about() -> None:
    nodes = {node.key.path[-1]: node for node in defs.resolve_asset_graph().asset_nodes if node.is_materializable}
    tags = {name: (node.tags["layer"], node.tags["entity"]) for name, node in nodes.items()}
    assert tags.keys() == RAW_TABLES.keys() | COMPUTED_TABLES.keys()
    assert all(node.tags["layer"] == node.group_name for node in nodes.values())
    assert tags["play_by_play"] == ("raw", "game")
    assert tags["rosters"] == ("raw", "player")
    assert tags["team_defense_game_summary"] == ("analytics", "team")
    assert tags["ml_feature_store"] == ("precompute", "player")


def test_every_table_says_until_when_it_is_fresh() -> None:
    nodes = [node for node in defs.resolve_asset_graph().asset_nodes if node.is_materializable]
    assert {node.freshness_policy for node in nodes} == {FRESH}


def test_the_digest_of_a_single_date_is_its_data_version(tmp_path: Path) -> None:
    rows = columns((FIRST, "ann", 3, np.nan, 100, 95, True))
    asset = table_asset(table_called("tallies"), lambda _: Outcome(rows))
    resources = {
        "warehouse": WarehouseResource(address=str(tmp_path / "nba.duckdb")),
        "entities": ParallelEntitiesResource(),
    }
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], instance=instance, resources=resources, partition_key=str(FIRST))
    (event,) = result.asset_materializations_for_node("tallies")
    assert event.tags is not None
    assert event.tags["dagster/data_version"] == event.metadata["digest"].value


@pytest.fixture
def materialize(tmp_path: Path) -> Iterator[Any]:
    """Runs a table of given rows over three dates in Dagster; returns the metadata of each date's materialization."""
    with dg.DagsterInstance.ephemeral() as instance:

        def run(name: str, rows: dict[str, Any]) -> dict[str, dict[str, Any]]:
            def build(_: TableRun) -> Outcome:
                return Outcome(rows)

            asset = table_asset(table_called(name), build)
            resources = {
                "warehouse": WarehouseResource(address=str(tmp_path / "nba.duckdb")),
                "entities": ParallelEntitiesResource(),
            }
            tags = {RANGE_START_TAG: str(FIRST), RANGE_END_TAG: str(THIRD)}
            result = dg.materialize([asset], instance=instance, resources=resources, tags=tags)
            assert result.success
            events = result.asset_materializations_for_node(name)
            return {
                str(event.partition): {key: value.value for key, value in event.metadata.items()} for event in events
            }

        yield run


def test_picture_goes_with_the_newest_date_that_has_rows(materialize: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def draw(table: str, of: date, rows: dict[str, Any], names: dict[str, str]) -> bytes:
        drawn.append((table, of, rows["player_lookup"].tolist(), names))
        return b"a picture"

    monkeypatch.setattr(presentation, "picture", draw)
    shown = materialize("player_composite_factors", ROWS)
    assert drawn == [("player_composite_factors", SECOND, ["ann"], {})]
    assert [key for key, mine in shown.items() if "picture" in mine] == [str(SECOND)]
    assert (
        shown[str(SECOND)]["picture"]
        == f"![player_composite_factors on {SECOND}](data:image/svg+xml;base64,YSBwaWN0dXJl)"
    )
    assert shown[str(FIRST)]["completeness_pct_mean"] == 75.0
    assert shown[str(THIRD)]["rows"] == 0


def test_details_and_a_preview_go_with_the_newest_date_that_has_rows_alone(materialize: Any) -> None:
    """Every materialization is stored twice: what a season's other dates say is numbers that plot."""
    shown = materialize("tallies", ROWS)
    details = {"preview", "inputs", "input_rows", "seconds_compute", "entities", "dates_in_run", "rows_in_run"}
    assert details <= shown[str(SECOND)].keys()
    assert (shown[str(SECOND)]["dates_in_run"], shown[str(SECOND)]["rows_in_run"]) == (3, 3)
    for other in (FIRST, THIRD):
        assert not details & shown[str(other)].keys()
        assert {"dagster/partition_row_count", "rows", "failures", "digest", "changed"} <= shown[str(other)].keys()
    assert "completeness_pct_mean" in shown[str(FIRST)]
    empty = materialize("tallies", {})
    assert [day for day, mine in empty.items() if "dates_in_run" in mine] == [str(THIRD)]


def test_picture_that_cannot_be_drawn_says_why_and_fails_nothing(materialize: Any) -> None:
    shown = materialize("player_composite_factors", ROWS)  # which lacks the factors
    assert shown[str(SECOND)]["picture"] == "could not be drawn: KeyError: 'fatigue_context_json'"
    assert shown[str(SECOND)]["rows"] == 1


def test_table_without_a_picture_and_run_without_rows_have_none(materialize: Any) -> None:
    assert not any("picture" in mine for mine in materialize("tallies", ROWS).values())
    assert not any("picture" in mine for mine in materialize("player_composite_factors", {}).values())


def test_lineage_goes_with_the_feature_store(materialize: Any) -> None:
    shown = materialize("ml_feature_store", ROWS)
    assert [key for key, mine in shown.items() if "dagster/column_lineage" in mine] == [str(SECOND)]
    assert shown[str(SECOND)]["dagster/column_lineage"] == feature_lineage()


def test_lineage_names_columns_that_exist_in_tables_upstream() -> None:
    deps = feature_lineage().deps_by_column
    assert set(deps) == {*(feature.name for feature in ALL_FEATURES), "features", "features_v2"}
    assert set(deps) <= set(COMPUTED_TABLES["ml_feature_store"].column_names)
    for known in FEATURE_VERSIONS.values():
        assert {dep.column_name for dep in deps[known.column("features")]} == set(known.names)
    store = defs.resolve_asset_graph().get(dg.AssetKey("ml_feature_store"))
    upstream = {key.path[-1] for key in store.parent_keys}
    for feature in ALL_FEATURES:
        for dep in deps[feature.name]:
            assert dep.asset_key.path[-1] in upstream
            assert dep.column_name in ALL_TABLES[dep.asset_key.path[-1]].column_names
    assert {(dep.asset_key.path[-1], dep.column_name) for dep in deps["pct_paint"]} == {
        ("player_shot_zone_analysis", "paint_rate_last_10"),
        ("player_daily_cache", "paint_rate_last_10"),
    }
