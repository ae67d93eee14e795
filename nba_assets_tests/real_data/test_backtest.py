"""What the features are worth on three real seasons: each of the last two predicted from those before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nba_assets.backtest.models import AVERAGES
from nba_assets.backtest.periods import Period
from nba_assets.backtest.player_games import read_player_games
from nba_assets.backtest.walk_forward import backtest
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.conftest import real_data
from nba_assets_tests.pipeline import build, days_between, ingest_all
from nba_assets_tests.real_data.conftest import SEASONS

VERSIONS = ("v1", "v2")
GAIN = 0.1
"""Points of error by which the second version is at least better, with either learner in either season."""


@pytest.mark.slow
def test_the_second_version_predicts_later_seasons_better_than_the_first(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="a backtest needs scikit-learn: pip install 'nba-assets[ml]'")
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    for year, span in SEASONS.items():
        dates = days_between(*span)
        ingest_all(warehouse, real_data(year), dates)
        build(warehouse, dates)
    start, end = SEASONS[2020][0], SEASONS[2022][1]
    result = backtest(read_player_games(warehouse, start, end, VERSIONS), start, end, Period.SEASON, VERSIONS, seed=0)
    assert [(one.period, one.rows) for one in result.periods] == [("2021-22", 25_668), ("2022-23", 25_354)]
    errors = {(one.group, one.model): one for one in result.by_period}
    for one in result.periods:
        averages = min(errors[one.period, model].mae for model in AVERAGES)
        for learner in ("ridge", "boosting"):
            first, second = (errors[one.period, f"{learner} {version}"] for version in VERSIONS)
            assert second.mae < first.mae - GAIN < averages - GAIN
            assert second.rmse < first.rmse - GAIN
