"""A long build as one run per season: which runs these are, and that their order is of no consequence."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from nba_assets.automation.planned_runs import Launch
from nba_assets.automation.planning import plan
from nba_assets.automation.scheduled_dates import require_scheduled
from nba_assets.automation.season_chunks import season_waves
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, build_tables, days_of

GAMES = np.array(["2019-10-22", "2020-10-11", "2020-12-22", "2021-07-20", "2021-10-19"], dtype="M8[D]")
CALENDAR = SeasonCalendar.from_schedule(GAMES, np.array([2019, 2019, 2020, 2020, 2021]), np.ones(5))


def test_a_build_is_one_run_per_season_after_one_ingestion_per_season() -> None:
    whole = Launch("full", ["schedule", "player_game_summary"], date(2020, 10, 1), date(2021, 11, 1))
    spans = [
        (date(2020, 10, 1), date(2020, 12, 21)),
        (date(2020, 12, 22), date(2021, 10, 18)),
        (date(2021, 10, 19), date(2021, 11, 1)),
    ]
    assert season_waves([whole], CALENDAR) == [
        [Launch("ingest", ["schedule"], *span) for span in spans],
        [Launch("full", ["player_game_summary"], *span) for span in spans],
    ]


def test_where_nothing_is_to_be_ingested_there_is_one_wave_and_earlier_raw_dates_are_of_the_first() -> None:
    computing = Launch("full", ["player_game_summary"], date(2021, 1, 1), date(2021, 1, 2))
    assert season_waves([computing], CALENDAR) == [[computing]]
    earlier = Launch("full", ["schedule"], date(2020, 12, 22), date(2020, 12, 31))
    assert season_waves([earlier, computing], CALENDAR) == [
        [Launch("ingest", ["schedule"], earlier.start, earlier.end)],
        [computing],
    ]


@pytest.mark.slow
def test_runs_of_seasons_in_any_order_give_the_digests_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    landing = tmp_path / "landing"
    seasons = [write_season(landing, year, **SMALL_LEAGUE) for year in (2023, 2024)]
    start, end = seasons[0].last_date - timedelta(days=9), seasons[1].first_date + timedelta(days=9)
    found = []
    for name in ("one run", "runs of seasons"):
        warehouse = DuckDBWarehouse(tmp_path / f"{name}.duckdb")
        zone = FolderLandingZone(landing)
        launches = plan(warehouse, zone, list(COMPUTED_TABLES), start, end)
        if name != "one run":
            waves = season_waves(launches, require_scheduled(warehouse, zone, start, end))
            assert [len(wave) for wave in waves] == [3, 2]
            launches = [launch for wave in waves for launch in reversed(wave)]
        for launch in launches:
            build_tables(warehouse, landing, launch.assets, days_of(launch.start, launch.end))
        columns = ("table_name", "partition_date", "row_count", "failure_count", "digest")
        state = warehouse.read(TABLE_PARTITIONS, columns, date(2023, 7, 1), date(2025, 7, 1)).to_pylist()
        found.append({(row["table_name"], row["partition_date"]): row for row in state})
    assert {table for table, _ in found[0]} == {*RAW_TABLES, *COMPUTED_TABLES}
    assert all(
        sum(row["row_count"] for (table, day), row in found[0].items() if table == "ml_feature_store" and day in days)
        for days in (days_of(start, seasons[0].last_date), days_of(seasons[1].first_date, end))
    )
    assert found[1] == found[0]
