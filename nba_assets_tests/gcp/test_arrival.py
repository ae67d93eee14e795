"""The arrival sensor on a bucket, from the landed files to the built tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from nba_assets.raw.content_index import forget_landed
from nba_assets.raw.sample_league import write_season
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.gcp.test_bucket import Bucket, bucket
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, OPENING, Operator, Season

pytestmark = [pytest.mark.gcp, pytest.mark.slow]
__all__ = ["bucket"]


def test_results_in_a_bucket_are_built_and_nothing_is_fetched_for_another_look(
    bucket: Bucket, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    source, landing = tmp_path / "season", tmp_path / "landed"
    season = Season(source, write_season(source, 2024, **SMALL_LEAGUE))
    season.land_all(landing, OPENING, OPENING)
    bucket.upload(landing)
    forget_landed()
    warehouse = DuckDBWarehouse(own_home / "nba.duckdb")
    operator = Operator(landing, season, warehouse, in_jobs=True)
    first = operator.tick("raw_arrival")
    assert [ran.short for ran in first if ran.start == OPENING] == [("postgame", "results", OPENING, OPENING)]
    built = operator.partition_state()
    assert built["player_game_summary", OPENING]["row_count"] > 0
    operator.until_quiet()
    bucket.taken()
    forget_landed()
    assert operator.tick("raw_arrival") == []
    assert bucket.taken() == {"listing": 1}
