"""What is DuckDB's own: one process at a time, schemas that grow, processes that die."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from nba_assets.tables.spec import Table, number, text, whole
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, SchemaMismatchError, WarehouseBusyError
from nba_assets_tests.warehouse.conftest import FIRST, SECOND, TABLE, row, rows

OTHER = replace(TABLE, name="other")
SPAWN = multiprocessing.get_context("spawn")


def write_many(path: Path, player: str, times: int) -> None:
    warehouse = DuckDBWarehouse(path)
    for number_of_time in range(times):
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, player, points=number_of_time)), [FIRST], {"player_lookup": player})])


def write_versions(path: Path, ready: Event) -> None:
    """Write version after version of two tables, each in one transaction."""
    warehouse, version = DuckDBWarehouse(path), 0
    while True:
        version += 1
        mine = rows(*(row(FIRST, f"p{number_of_row}", points=version) for number_of_row in range(200)))
        warehouse.replace([Replacement(TABLE, mine, [FIRST]), Replacement(OTHER, mine, [FIRST])])
        ready.set()


def hold(path: Path, held: Event, seconds: float) -> None:
    warehouse = DuckDBWarehouse(path)
    with warehouse._connection():
        held.set()
        time.sleep(seconds)


def test_four_processes_writing_at_once_all_succeed(tmp_path: Path) -> None:
    path = tmp_path / "nba.duckdb"
    writers = [SPAWN.Process(target=write_many, args=(path, f"p{number_of_writer}", 5)) for number_of_writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    found = DuckDBWarehouse(path).read(TABLE, ("player_lookup", "points"), FIRST, FIRST).to_pylist()
    assert [(entry["player_lookup"], entry["points"]) for entry in found] == [(f"p{number_of_writer}", 4) for number_of_writer in range(4)]


def test_killed_writer_leaves_old_or_new_in_both_tables_never_half(tmp_path: Path) -> None:
    path, random_moments = tmp_path / "nba.duckdb", random.Random(7)
    for _ in range(5):
        ready = SPAWN.Event()
        writer = SPAWN.Process(target=write_versions, args=(path, ready))
        writer.start()
        assert ready.wait(60)
        time.sleep(random_moments.uniform(0, 0.2))
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        warehouse = DuckDBWarehouse(path, wait_seconds=10)
        versions = [warehouse.read(table, ("points",), FIRST, FIRST).column("points").to_pylist() for table in (TABLE, OTHER)]
        assert [len(version) for version in versions] == [200, 200]
        assert len({*versions[0]}) == 1
        assert versions[0] == versions[1]


def test_busy_warehouse_names_its_holder_and_what_to_do(tmp_path: Path) -> None:
    path, held = tmp_path / "nba.duckdb", SPAWN.Event()
    holder = SPAWN.Process(target=hold, args=(path, held, 60))
    holder.start()
    try:
        assert held.wait(60)
        with pytest.raises(WarehouseBusyError, match=rf"process {holder.pid} .*NBA_ASSETS_WAREHOUSE_WAIT_SECONDS"):
            DuckDBWarehouse(path, wait_seconds=0.2).replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    finally:
        holder.kill()
        holder.join()


def test_holder_is_waited_for(tmp_path: Path) -> None:
    path, held = tmp_path / "nba.duckdb", SPAWN.Event()
    holder = SPAWN.Process(target=hold, args=(path, held, 1.0))
    holder.start()
    assert held.wait(60)
    DuckDBWarehouse(path, wait_seconds=60).replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    holder.join()
    assert holder.exitcode == 0


def test_foreign_program_on_the_file_is_named_as_well(tmp_path: Path) -> None:
    path = tmp_path / "nba.duckdb"
    DuckDBWarehouse(path).replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    script = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as foreign:
        try:
            assert foreign.stdout is not None
            assert foreign.stdout.readline() == "open\n"
            with pytest.raises(WarehouseBusyError, match=str(foreign.pid)):
                DuckDBWarehouse(path, wait_seconds=0.3).read(TABLE, ("points",), FIRST, FIRST)
        finally:
            foreign.kill()


def grown(table: Table) -> Table:
    return replace(table, columns=(*table.columns, number("pace", "Pace", scale=1)))


def test_new_nullable_column_is_added_to_an_existing_file(tmp_path: Path) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    later = grown(TABLE)
    assert warehouse.read(later, ("player_lookup", "pace"), FIRST, FIRST).to_pylist() == [{"player_lookup": "a", "pace": None}]
    warehouse.replace([Replacement(later, rows(row(SECOND, "a") | {"pace": 99.5}, table=later), [SECOND])])
    assert [found["pace"] for found in warehouse.read(later, ("pace",), FIRST, SECOND).to_pylist()] == [None, 99.5]


@pytest.mark.parametrize(
    "changed",
    [
        replace(TABLE, columns=TABLE.columns[:-1]),
        replace(TABLE, columns=(*TABLE.columns[:2], whole("points", "Points", nullable=False), *TABLE.columns[3:])),
        replace(TABLE, columns=(*TABLE.columns[:2], number("points", "Points", scale=1), *TABLE.columns[3:])),
        replace(TABLE, columns=(*TABLE.columns, text("must", "Never null", nullable=False))),
    ],
    ids=["column gone", "no longer nullable", "other type", "new column that may not be null"],
)
def test_any_other_difference_says_what_to_do(tmp_path: Path, changed: Table) -> None:
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    with pytest.raises(SchemaMismatchError, match=r"nba_analytics.everything.*Move the file away"):
        warehouse.read(changed, ("player_lookup",), FIRST, FIRST)


def test_reading_a_file_that_is_not_there_does_not_create_it(tmp_path: Path) -> None:
    path = tmp_path / "nba.duckdb"
    assert DuckDBWarehouse(path).read(TABLE, ("points",), FIRST, FIRST).num_rows == 0
    assert not path.exists()
