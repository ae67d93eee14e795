"""A small simulated league, built up to the second date that has precomputed rows: summaries of all dates, the rest of
the first two and the last.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from nba_assets.publishing.inputs import computed
from nba_assets.publishing.publication import prepare
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import TABLE_MODULES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.pipeline import days_between, ingest_all, table_run

BOOTSTRAP_DAYS = 14


@dataclass(frozen=True)
class BuiltLeague:
    """A warehouse in which all tables are built for the first and the last date."""

    file: Path
    first: date
    last: date

    @property
    def warehouse(self) -> DuckDBWarehouse:
        """The warehouse."""
        return DuckDBWarehouse(self.file)


@pytest.fixture(scope="session")
def built_league(tmp_path_factory: pytest.TempPathFactory) -> BuiltLeague:
    """The league; for reading only, since many tests share it."""
    home = tmp_path_factory.mktemp("built_league")
    first = write_season(home / "landing", 2024, **SMALL_LEAGUE).first_date
    last = first + timedelta(days=BOOTSTRAP_DAYS + 1)
    league = BuiltLeague(home / "nba.duckdb", first, last)
    days = days_between(first, last)
    ingest_all(league.warehouse, home / "landing", days, now=datetime.now(UTC))
    summaries = list(TABLE_MODULES)[:3]
    build_now(league.warehouse, summaries, days)
    for built in (days[:2], days[-1:]):
        build_now(league.warehouse, list(TABLE_MODULES)[3:], built)
    return league


def build_now(warehouse: DuckDBWarehouse, tables: Sequence[str], days: Sequence[date]) -> None:
    """Compute and publish tables, upstream first, by the clock: what is built later knows of what was built before."""
    for name in tables:
        run = replace(table_run(warehouse, name, days), now=datetime.now(UTC))
        with run.reading():
            outcome = computed(run, TABLE_MODULES[name].build)
        prepare(run, outcome).write()


@pytest.fixture
def own_league(built_league: BuiltLeague, tmp_path: Path) -> BuiltLeague:
    """A copy of the league that a test may change."""
    file = tmp_path / "home" / "nba.duckdb"
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(built_league.file, file)
    return BuiltLeague(file, built_league.first, built_league.last)
