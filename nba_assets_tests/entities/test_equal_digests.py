"""All computed tables of a fortnight have the same digests whoever computes them: this thread, threads, processes, the
workers of a Dask cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Backend
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.conftest import real_data
from nba_assets_tests.entities.cluster import Cluster, dask_cluster
from nba_assets_tests.pipeline import build, days_between, digests, ingest_all

pytest.importorskip("distributed", reason="the extra `dask` is not installed")

pytestmark = pytest.mark.slow

CHUNK = 40
"""Entities of a chunk, so that the work is cut into many."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def see_equal(cluster: Cluster, folder: Path, landing: Path, opening: date, first: date, last: date) -> None:
    """Build the dates from `first` to `last` of a season that begins with `opening`; AssertionError where one
    differs.
    """
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    ingest_all(warehouse, landing, days_between(opening, last))
    two = Workers(2)
    crews = {
        "serial": ParallelEntities.serial(),
        "threads": ParallelEntities(two, two, Backend.threads, CHUNK),
        "processes": ParallelEntities(two, two, Backend.processes, CHUNK),
        "dask": ParallelEntities(two, two, Backend.dask, CHUNK, scheduler=cluster.address),
    }
    found = {}
    for name, entities in crews.items():
        with entities:
            facts = build(warehouse, days_between(first, last), entities=entities)
        assert facts.keys() == TABLE_MODULES.keys()
        assert sum(fact.row_count for fact in facts["ml_feature_store"]), "there is nothing to compare"
        found[name] = digests(facts)
    assert found["threads"] == found["processes"] == found["dask"] == found["serial"]


def test_a_simulated_fortnight_is_equal(cluster: Cluster, tmp_path: Path) -> None:
    summary = write_season(tmp_path / "landing", 2024, through=date(2024, 11, 10))
    first, last = date(2024, 10, 28), date(2024, 11, 10)
    see_equal(cluster, tmp_path, tmp_path / "landing", summary.first_date, first, last)


def test_a_real_fortnight_is_equal(cluster: Cluster, tmp_path: Path) -> None:
    opening, first, last = date(2021, 10, 19), date(2021, 11, 1), date(2021, 11, 14)
    see_equal(cluster, tmp_path, real_data(2021), opening, first, last)
