"""Whole processes: a season of ten tables in one Dagster run, the same graph doing nothing, and the command for one
date.

usage, by this module itself: python -m nba_assets_tests.benchmarks.dagster_runs tables|nothing|stock START END
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import psutil

from nba_assets.settings import variables
from nba_assets_tests.benchmarks.measure import Spent, median

PROJECT = Path(__file__).parents[2]
SAMPLED_EVERY = 0.05
TABLES, NOTHING, STOCK = "tables", "nothing", "stock"
"""The ten tables; the same graph doing nothing, on the project's instance and on one that Dagster makes by default."""


@dataclass(frozen=True)
class Process:
    """What a process cost with all that it started, its largest memory, and the bytes that it added to the event
    log.
    """

    spent: Spent
    peak_bytes: int
    event_bytes: int


def middle(processes: Sequence[Process]) -> Process:
    """The median cost, the largest memory, the largest growth of the event log."""
    return Process(
        median([one.spent for one in processes]),
        max(one.peak_bytes for one in processes),
        max(one.event_bytes for one in processes),
    )


def season_run(home: Path, what: str, first: date, last: date) -> Process:
    """What is named from `first` to `last` in one run on an instance in `home`, which holds the raw tables where the
    tables are built.
    """
    return _run([sys.executable, "-m", __name__, what, str(first), str(last)], home, {})


def one_date(home: Path, landing: Path, day: date) -> Process:
    """`nba-assets run DATE`."""
    return _command(home, landing, "run", str(day))


def one_backfill(home: Path, landing: Path, first: date, last: date) -> Process:
    """`nba-assets backfill START END`, raw tables and computed ones."""
    return _command(home, landing, "backfill", str(first), str(last))


def _command(home: Path, landing: Path, *arguments: str) -> Process:
    main = "import sys; from nba_assets.cli import main; main()"
    return _run([sys.executable, "-c", main, *arguments], home, {variables()["landing"]: str(landing)})


def _run(command: Sequence[str], home: Path, given: Mapping[str, str]) -> Process:
    """Run a command to its end; raises RuntimeError with its last lines where it fails."""
    settings = variables()
    # Without the settings of whoever measures.
    kept = {name: value for name, value in os.environ.items() if name not in {*settings.values(), "DAGSTER_HOME"}}
    environment = {**kept, **given, settings["home"]: str(home), "PYTHONPATH": str(PROJECT)}
    events = event_log_bytes(home)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with (home / "output.txt").open("w+b") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident_bytes(process.pid))
            time.sleep(SAMPLED_EVERY)
        wall = time.perf_counter() - began
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode not in (0, 3):  # 3: everything was published, some of the data should be looked at
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Process(Spent(cpu, wall), peak, event_log_bytes(home) - events)


def _resident_bytes(process_id: int) -> int:
    total = 0
    try:
        process = psutil.Process(process_id)
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        return total
    return total


def event_log_bytes(home: Path) -> int:
    """Size of the event log in a home, once what a process left in write-ahead logs is in the databases."""
    # Dagster's default instance has no folder `storage` in between.
    databases = list((home / "dagster").rglob("*.db"))
    for database in databases:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(database.stat().st_size for database in databases)


def _run_tables(first: date, last: date) -> bool:
    from nba_assets.automation.planned_runs import Launch
    from nba_assets.orchestration.console import Verbosity
    from nba_assets.orchestration.jobs import FULL
    from nba_assets.orchestration.launch import execute
    from nba_assets.registry import TABLE_MODULES

    return execute(Launch(FULL.name, tuple(TABLE_MODULES), first, last), verbosity=Verbosity.QUIET).succeeded


def _run_nothing(first: date, last: date) -> bool:
    from nba_assets.orchestration.instance import dagster_instance

    return _run_idle(dagster_instance(), first, last)


def _run_stock(first: date, last: date) -> bool:
    from nba_assets.orchestration.instance import dagster_home

    configuration = dagster_home() / "dagster.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.touch()
    return _run_idle(dg.DagsterInstance.from_config(str(dagster_home())), first, last)


def _run_idle(instance: dg.DagsterInstance, first: date, last: date) -> bool:
    from nba_assets.automation.planned_runs import RANGE_END_TAG, RANGE_START_TAG

    job = dg.Definitions(
        assets=_idle_assets(),
        jobs=[dg.define_asset_job("nothing", dg.AssetSelection.all())],
        executor=dg.in_process_executor,
    ).resolve_job_def("nothing")
    return job.execute_in_process(
        instance=instance,
        tags={RANGE_START_TAG: first.isoformat(), RANGE_END_TAG: last.isoformat()},
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    ).success


def _idle_assets() -> list[dg.AssetsDefinition]:
    """Assets of the names, the order and the dates of the tables."""
    from nba_assets.definitions import TABLE_ASSETS
    from nba_assets.orchestration.daily import DAILY
    from nba_assets.registry import TABLE_MODULES

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


if __name__ == "__main__":
    started, start, end = sys.argv[1:]
    run = {TABLES: _run_tables, NOTHING: _run_nothing, STOCK: _run_stock}[started]
    sys.exit(not run(date.fromisoformat(start), date.fromisoformat(end)))
