"""`make bench`: where the time of a whole real season goes, as medians over repeated runs, against a graph of the same
shape that does nothing.

usage: python -m nba_assets_tests.benchmarks [--season 2021] [--repeats 3] [--days N]
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.table import Table

from nba_assets.automation.planned_runs import RANGE_END_TAG, RANGE_START_TAG
from nba_assets.definitions import TABLE_ASSETS, build_definitions
from nba_assets.orchestration.daily import DAILY
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.registry import TABLE_MODULES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.pipeline import days_between, ingest_all, prepared, table_run
from nba_assets_tests.real_data.conftest import SEASONS

REGULAR_SEASON_ENDS = {2020: date(2021, 5, 16), 2021: date(2022, 4, 10), 2022: date(2023, 4, 9)}
MEGABYTE = 1024
REPORT_WIDTH = 120


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--season", type=int, default=2021)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--days", type=int, help="only the first days of the season")
    options = parser.parse_args()
    landing = Path(os.environ["NBA_ASSETS_REAL_DATA"]) / f"season_{options.season}"
    first = SEASONS[options.season][0]
    last = first + timedelta(days=options.days - 1) if options.days else REGULAR_SEASON_ENDS[options.season]
    dates = days_between(first, last)
    console = Console(width=REPORT_WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NBA_ASSETS_HOME"] = folder
        warehouse = DuckDBWarehouse(Path(folder) / "nba.duckdb")
        began = time.perf_counter()
        ingest_all(warehouse, landing, dates)
        console.print(f"{first} to {last}, {len(dates)} dates; ingestion {time.perf_counter() - began:.1f} s (apart)")
        season = _own_work(warehouse, dates, options.repeats)
        # A date in the middle of the season, with half of it to look back on.
        middle = _own_work(warehouse, [dates[len(dates) // 2]], options.repeats)
        steps = _dagster(console, first, last, options.repeats)
    _show(console, f"{len(dates)} dates", season, steps)
    _show(console, f"one date, {dates[len(dates) // 2]}", middle)
    console.print(
        f"peak memory of the whole measurement: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE:,.0f} MB"
    )


@dataclass(frozen=True)
class Measured:
    """Medians of one table: rows, seconds by stage, seconds from the first read to the end of the write."""

    rows: int
    stages: dict[str, float]
    seconds: float


def _own_work(warehouse: DuckDBWarehouse, dates: list[date], repeats: int) -> dict[str, Measured]:
    """Each table without Dagster, upstream first."""
    measured = {}
    with ParallelEntitiesResource().configured() as entities:
        for name in TABLE_MODULES:
            stages: list[dict[str, float]] = []
            elapsed: list[float] = []
            rows = 0
            for _ in range(repeats):
                run = table_run(warehouse, name, dates, entities)
                began = time.perf_counter()
                rows = sum(fact.row_count for fact in prepared(run).write())
                elapsed.append(time.perf_counter() - began)
                stages.append(run.seconds)
            medians = {
                part: statistics.median(stage[part] for stage in stages) for part in ("read", "compute", "write")
            }
            measured[name] = Measured(rows, medians, statistics.median(elapsed))
    return measured


def _show(console: Console, title: str, measured: dict[str, Measured], steps: dict[str, float] | None = None) -> None:
    shown = Table(
        "table",
        "rows",
        "read s",
        "compute s",
        "write s",
        "own work s",
        "rows/s",
        *(["Dagster s"] if steps else []),
        title=title,
    )
    for name, mine in measured.items():
        parts = [f"{mine.stages[part]:.2f}" for part in ("read", "compute", "write")]
        around = [f"{max(steps[name] - mine.seconds, 0):.2f}"] if steps else []
        shown.add_row(
            name, f"{mine.rows:,}", *parts, f"{mine.seconds:.2f}", f"{mine.rows / mine.seconds:,.0f}", *around
        )
    rows, total = sum(mine.rows for mine in measured.values()), sum(mine.seconds for mine in measured.values())
    around = [f"{sum(max(steps[name] - mine.seconds, 0) for name, mine in measured.items()):.2f}"] if steps else []
    shown.add_row("all", f"{rows:,}", "", "", "", f"{total:.2f}", f"{rows / total:,.0f}", *around)
    console.print(shown)


def _dagster(console: Console, first: date, last: date, repeats: int) -> dict[str, float]:
    """The same range through Dagster on a fresh SQLite instance, beside assets of the same shape that do nothing;
    median seconds of each step.
    """
    defs = build_definitions()
    tables = dg.AssetSelection.assets(*TABLE_MODULES)
    real = dg.define_asset_job("real", tables)
    nothing = dg.define_asset_job("nothing", dg.AssetSelection.all())
    real_job = dg.Definitions(
        assets=defs.assets, resources=defs.resources, jobs=[real], executor=dg.in_process_executor
    ).resolve_job_def("real")
    nothing_job = dg.Definitions(
        assets=_do_nothing_assets(), jobs=[nothing], executor=dg.in_process_executor
    ).resolve_job_def("nothing")
    real_runs = [_execute(real_job, first, last) for _ in range(repeats)]
    nothing_runs = [_execute(nothing_job, first, last) for _ in range(repeats)]
    whole, empty = (statistics.median(run.seconds for run in runs) for runs in (real_runs, nothing_runs))
    shown = Table("run of the season through Dagster", "median s", "all runs s")
    shown.add_row("the tables", f"{whole:.1f}", " ".join(f"{run.seconds:.1f}" for run in real_runs))
    shown.add_row("same graph, nothing done", f"{empty:.1f}", " ".join(f"{run.seconds:.1f}" for run in nothing_runs))
    shown.add_row("ratio", f"{whole / empty:.2f}", "")
    console.print(shown)
    return {name: statistics.median(run.steps[name] for run in real_runs) for name in TABLE_MODULES}


def _do_nothing_assets() -> list[dg.AssetsDefinition]:
    def idle(asset: dg.AssetsDefinition) -> dg.AssetsDefinition:
        spec = next(iter(asset.specs))
        inside = [dependency.asset_key for dependency in spec.deps if dependency.asset_key.path[-1] in TABLE_MODULES]

        @dg.asset(
            name=spec.key.path[-1], deps=inside, partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run()
        )
        def nothing() -> None:
            return

        return nothing

    return [idle(asset) for asset in TABLE_ASSETS]


@dataclass(frozen=True)
class Executed:
    """Seconds of a run, and of each of its steps."""

    seconds: float
    steps: dict[str, float]


def _execute(job: dg.JobDefinition, first: date, last: date) -> Executed:
    with tempfile.TemporaryDirectory() as home, dg.instance_for_test(temp_dir=home) as instance:
        began = time.perf_counter()
        result = job.execute_in_process(
            instance=instance,
            tags={RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        seconds = time.perf_counter() - began
        if not result.success:
            raise RuntimeError("the measured run failed")
        stats = instance.get_run_step_stats(result.run_id)
    return Executed(seconds, {step.step_key: (step.end_time or 0.0) - (step.start_time or 0.0) for step in stats})


if __name__ == "__main__":
    main()
