"""A real season, ingested and built once for all tests about it."""

from __future__ import annotations

import os
import pickle
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from filelock import FileLock

from nba_assets.publishing.publication import DateFacts
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.conftest import real_data
from nba_assets_tests.pipeline import build, days_between, ingest_all

SEASONS = {
    2020: (date(2020, 12, 22), date(2021, 7, 20)),
    2021: (date(2021, 10, 19), date(2022, 6, 16)),
    2022: (date(2022, 10, 18), date(2023, 6, 12)),
}
"""First and last game of each season, play-offs included."""


@dataclass(frozen=True)
class BuiltSeason:
    """A season in a warehouse."""

    year: int
    path: Path
    warehouse: DuckDBWarehouse
    facts: dict[str, list[DateFacts]]

    def fact(self, name: str, day: date) -> DateFacts:
        """What a table holds on a date."""
        return next(fact for fact in self.facts[name] if fact.day == day)


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(2021, id="2021-22"),
        pytest.param(2020, id="2020-21", marks=pytest.mark.slow),
        pytest.param(2022, id="2022-23", marks=pytest.mark.slow),
    ],
)
def season(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltSeason:
    """A whole real season, ingested and built as one range."""
    if request.param == 2021:
        known: BuiltSeason = request.getfixturevalue("season_2021")
        return known
    return shared_season(request.param, tmp_path_factory)


@pytest.fixture(scope="session")
def season_2021(tmp_path_factory: pytest.TempPathFactory) -> BuiltSeason:
    """The season 2021-22, for questions whose answers are known only there."""
    return shared_season(2021, tmp_path_factory)


def shared_season(year: int, factory: pytest.TempPathFactory) -> BuiltSeason:
    """A copy of a season that the first of the session's processes to need it builds, while the others wait for it."""
    session = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    folder = session / f"built_season_{year}"
    folder.mkdir(exist_ok=True)
    facts, path = folder / "facts.pickle", factory.mktemp(f"season_{year}") / "nba.duckdb"
    with FileLock(folder / "lock"):
        if not facts.exists():
            facts.write_bytes(pickle.dumps(build_season(year, folder)))
    shutil.copy(folder / "nba.duckdb", path)
    return BuiltSeason(year, path, DuckDBWarehouse(path), pickle.loads(facts.read_bytes()))


def build_season(year: int, folder: Path) -> dict[str, list[DateFacts]]:
    """Ingest and build a season into `folder / "nba.duckdb"`; returns what each date of each table holds."""
    landing, warehouse, dates = real_data(year), DuckDBWarehouse(folder / "nba.duckdb"), days_between(*SEASONS[year])
    ingest_all(warehouse, landing, dates)
    return build(warehouse, dates)
