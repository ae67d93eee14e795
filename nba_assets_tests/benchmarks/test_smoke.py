"""Every comparison of the benchmarks once, on two small simulated seasons: figures agree, all is measured and reported.

How long anything takes is not tested.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nba_assets.precompute.player_daily_cache import TABLE as DAILY_CACHE
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import TABLE_MODULES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.benchmarks import comparison
from nba_assets_tests.benchmarks.comparison import (
    ALL_COLUMNS,
    COMPUTE_ALONE,
    DUCKDB,
    FILTER,
    FILTER_PROCESSES,
    FILTER_THREADS,
    PANDAS,
    POLARS,
    SAME_COLUMNS,
    require_agreement,
    set_based,
)
from nba_assets_tests.benchmarks.dagster_runs import event_log_bytes
from nba_assets_tests.benchmarks.inputs import SUBJECTS, WORKLOAD, Inputs, serial
from nba_assets_tests.benchmarks.measure import Spent, in_turn
from nba_assets_tests.benchmarks.peers import duckdb_sql, naive
from nba_assets_tests.benchmarks.report import page
from nba_assets_tests.benchmarks.suite import Plan, Results, Season, measure_everything
from nba_assets_tests.benchmarks.tables import PROCESSES, SERIAL, THREADS, WHOLE
from nba_assets_tests.pipeline import build, days_between, ingest_all

TEAMS = ("BOS", "DEN", "LAL", "MIA", "NYK", "PHX")
GAMES, DAYS = 20, 20
PEERS = {SAME_COLUMNS, PANDAS, DUCKDB} | ({POLARS} if importlib.util.find_spec("polars") else set())


def small_season(folder: Path, year: int) -> Season:
    """The first weeks of a simulated season."""
    first = write_season(folder, year, teams=TEAMS, games_per_team=GAMES).first_date
    return Season(folder, first, first + timedelta(days=DAYS - 1))


@pytest.fixture(scope="module")
def daily_cache(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """What the daily cache is computed from on some dates."""
    folder = tmp_path_factory.mktemp("cache")
    season = small_season(folder / "landing", 2024)
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    dates = days_between(season.first, season.first + timedelta(days=17))
    ingest_all(warehouse, season.landing, dates)
    build(warehouse, dates)
    return Inputs.read(warehouse, DAILY_CACHE.name, dates)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Everything, measured once."""
    folder = tmp_path_factory.mktemp("benchmarks")
    seasons = [small_season(folder / f"landing_{year}", year) for year in (2024, 2023)]
    return measure_everything(seasons, folder / "homes", Plan(1, 1, dates=(1, 3), players=(1, 2)))


@pytest.mark.slow
def test_everybody_computes_one_date(results: Results) -> None:
    spent = {one.subject: set(one.spent) for one in results.date_peers}
    filters = {FILTER, FILTER_THREADS, FILTER_PROCESSES}
    tables = {name: PEERS | filters | {ALL_COLUMNS, COMPUTE_ALONE} for name in SUBJECTS if name in TABLE_MODULES}
    assert spent == {**tables, WORKLOAD: PEERS | filters}


@pytest.mark.slow
def test_everybody_computes_a_season(results: Results) -> None:
    spent = {one.subject: set(one.spent) for one in results.season_peers}
    tables = {name: PEERS | {FILTER, ALL_COLUMNS, COMPUTE_ALONE} for name in SUBJECTS if name in TABLE_MODULES}
    assert spent == {**tables, WORKLOAD: PEERS | {FILTER}}


@pytest.mark.slow
def test_all_tables_with_all_kinds_of_workers(results: Results) -> None:
    for tables in (results.date_tables, results.season_tables):
        assert [one.name for one in tables] == list(TABLE_MODULES)
        assert all(one.rows and set(one.spent) == {WHOLE, SERIAL, THREADS, PROCESSES} for one in tables)


@pytest.mark.slow
def test_growth_over_dates_players_and_seasons(results: Results) -> None:
    assert {what: list(growth) for what, growth in results.growth.items()} == {
        "dates": ["1", "3", str(DAYS)],
        "players": ["x 1", "x 2"],
        "seasons": ["1", "2"],
    }
    assert all(set(costs) == PEERS | {ALL_COLUMNS} for growth in results.growth.values() for costs in growth.values())


@pytest.mark.slow
def test_whole_processes_leave_events(results: Results) -> None:
    assert results.seasons_run is not None
    for process in (
        results.season_run,
        results.nothing_run,
        results.stock_run,
        results.date_run,
        results.seasons_run[0],
    ):
        assert process.peak_bytes > 0
        assert process.event_bytes > 0
        assert process.spent.cpu > 0


@pytest.mark.slow
def test_the_page_has_every_figure(results: Results) -> None:
    written = page(results, "make bench")
    for text in (
        *PEERS,
        *SUBJECTS,
        *TABLE_MODULES,
        "make bench",
        "CPU s / wall s by seasons",
        "kB per materialization",
        "`nba-assets backfill 2023-",
    ):
        assert text in written
    assert "nan" not in written
    widths = [line.count("|") for line in written.splitlines()]
    together = [pair for pair in pairwise(widths) if all(pair)]
    assert together
    assert all(one == other for one, other in together)


def test_the_figures_of_all_agree(daily_cache: Inputs) -> None:
    for subject in (DAILY_CACHE.name, WORKLOAD):
        require_agreement(subject, daily_cache, daily_cache.frames())


@pytest.mark.parametrize("peer", [naive, duckdb_sql])
def test_other_figures_are_an_error(daily_cache: Inputs, peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(tables: Any) -> pd.DataFrame:
        rows = to_pandas(compute(tables))
        first = rows.index == 0
        return rows.assign(points_avg_last_5=rows["points_avg_last_5"].where(~first, rows["points_avg_last_5"] + 0.001))

    compute, to_pandas = peer.COMPUTE[DAILY_CACHE.name], peer.to_pandas
    monkeypatch.setattr(peer, "COMPUTE", {DAILY_CACHE.name: changed})
    monkeypatch.setattr(peer, "to_pandas", lambda rows: rows)
    with pytest.raises(ValueError, match=r"player_daily_cache by .*: other values of points_avg_last_5"):
        require_agreement(DAILY_CACHE.name, daily_cache, daily_cache.frames())


def test_a_missing_row_is_an_error(daily_cache: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = duckdb_sql.COMPUTE[DAILY_CACHE.name]
    monkeypatch.setattr(duckdb_sql, "COMPUTE", {DAILY_CACHE.name: lambda tables: compute(tables).slice(1)})
    with pytest.raises(ValueError, match=r"player_daily_cache by DuckDB SQL: \d+ rows, not the \d+ rows of the table"):
        require_agreement(DAILY_CACHE.name, daily_cache, daily_cache.frames())


def test_computing_again_reads_nothing(daily_cache: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily_cache.warehouse, "warehouse", None)
    assert daily_cache.build(serial()).row_count


def test_more_players_are_more_rows_of_the_same(daily_cache: Inputs) -> None:
    once, thrice = daily_cache.build(serial()), daily_cache.with_players(3).build(serial())
    assert (thrice.row_count, thrice.failure_count) == (3 * once.row_count, 3 * once.failure_count)
    assert len(set(thrice.rows["player_lookup"])) == 3 * len(set(once.rows["player_lookup"]))
    assert sum(thrice.rows["points_avg_season"]) == pytest.approx(3 * sum(once.rows["points_avg_season"]))


def test_what_is_left_in_a_write_ahead_log_counts_once(tmp_path: Path) -> None:
    database = tmp_path / "dagster" / "storage" / "index.db"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE events AS SELECT zeroblob(100000) AS body")
        connection.commit()
        before = database.stat().st_size
        assert event_log_bytes(tmp_path) == database.stat().st_size >= before + 90_000


def test_the_first_round_does_not_count() -> None:
    rounds = iter([Spent(100, 100), Spent(1, 2), Spent(3, 9), Spent(2, 4)])
    assert in_turn({"one": lambda: next(rounds)}, 3) == {"one": Spent(2, 4)}


def test_polars_is_left_out_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Mapping[str, Any] | None:
        return None if name == "polars" else {}

    monkeypatch.setattr(comparison, "find_spec", find)
    assert set(set_based()) == {SAME_COLUMNS, PANDAS, DUCKDB}
