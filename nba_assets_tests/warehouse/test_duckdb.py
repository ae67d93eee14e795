"""What is DuckDB's own: one process at a time and who it is, processes that die, a file that is made whole and does not
grow.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from filelock import FileLock

from nba_assets.tables.spec import Column, Type
from nba_assets.warehouse import duckdb as back_end
from nba_assets.warehouse.duckdb import DuckDBWarehouse, _foreign_holder, _sorted
from nba_assets.warehouse.file_turn import FileTurn
from nba_assets.warehouse.interface import Replacement, WarehouseBusyError, WarehouseError
from nba_assets_tests.warehouse.back_ends import FIRST, PROCESSES, TABLE, row, rows, running

ONE_ROW = Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nba.duckdb"


def test_rows_are_read_by_their_key_in_whatever_order_they_are_stored() -> None:
    """Every order of rows that tie in the first parts of their key."""
    by_key = [("a", 1, "x"), ("a", 1, "y"), ("a", 2, "x"), ("b", 1, "x")]
    for stored in itertools.permutations(by_key):
        names, numbers, letters = zip(*stored, strict=True)
        table = pa.table({"name": names, "number": numbers, "letter": letters, "other": range(4)})
        found = _sorted(table, ("name", "number", "letter"))
        assert [tuple(each.values())[:3] for each in found.to_pylist()] == by_key
        assert [by_key.index(stored[each]) for each in found.column("other").to_pylist()] == [0, 1, 2, 3]
    in_order = pa.table({"name": ["a", "a", "b"]})
    assert _sorted(in_order, ("name",)) is in_order
    assert _sorted(in_order.slice(0, 0), ("name",)).num_rows == 0


def test_a_write_of_more_than_the_memory_limit_succeeds_and_leaves_nothing_beside_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = "SET threads = 1; SET memory_limit = '30MB'"
    monkeypatch.setattr(back_end, "SETTINGS", limit)
    days = [FIRST + timedelta(days=number) for number in range(20)]
    large = pa.concat_tables([rows(row(day, f"{'x' * 8000}{number}")) for day in days for number in range(250)])
    assert large.nbytes > 40e6
    warehouse = DuckDBWarehouse(path)
    for _ in range(2):  # the second time, what was there is deleted
        warehouse.replace([Replacement(TABLE, large, days)])
    assert warehouse.read(TABLE, TABLE.column_names, days[3], days[4]).num_rows == 500
    assert warehouse.status([TABLE])[0].row_count == 5_000
    assert not list(path.parent.glob("nba.duckdb.tmp/*"))


def row_count(path: Path, wait_seconds: float = 10) -> int:
    return DuckDBWarehouse(path, wait_seconds).read(TABLE, ("points",), FIRST, FIRST).num_rows


def hold(path: Path, held: Event, seconds: float) -> None:
    with DuckDBWarehouse(path)._connection():
        held.set()
        time.sleep(seconds)


@contextmanager
def script(code: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python program beside this one, once it has printed its first line."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


class TestHolders:
    def test_a_busy_warehouse_names_its_holder_and_what_to_do(self, path: Path) -> None:
        held = PROCESSES.Event()
        with running(hold, path, held, 60) as holder:
            assert held.wait(60)
            said = rf"{path}.*process {holder.pid} \(.+\) since 20.*stop it.*NBA_ASSETS_WAREHOUSE_WAIT_SECONDS"
            with pytest.raises(WarehouseBusyError, match=said):
                DuckDBWarehouse(path, wait_seconds=0.2).replace([ONE_ROW])

    def test_a_holder_is_waited_for(self, path: Path) -> None:
        held = PROCESSES.Event()
        with running(hold, path, held, 0.5) as holder:
            assert held.wait(60)
            DuckDBWarehouse(path).replace([ONE_ROW])
            holder.join()
            assert holder.exitcode == 0
        assert row_count(path) == 1

    def test_a_program_that_opened_the_file_itself_is_named_as_well(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        with script(
            f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(60)"
        ) as (foreign, _):
            began = time.monotonic()
            with pytest.raises(
                WarehouseBusyError, match=rf"process {foreign.pid} \(.*python.*\), which opened the file itself"
            ):
                row_count(path, wait_seconds=0.3)
            assert time.monotonic() - began >= 0.3

    def test_a_program_that_opened_the_file_itself_is_waited_for(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        with script(
            f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(0.5)"
        ):
            DuckDBWarehouse(path).replace([ONE_ROW])
        assert row_count(path) == 1

    def test_a_program_that_only_reads_does_not_keep_others_from_reading(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        reader = (
            f"import duckdb, time; c = duckdb.connect({str(path)!r}, read_only=True); print('open', flush=True); "
            "time.sleep(60)"
        )
        with script(reader) as (foreign, _):
            assert row_count(path, wait_seconds=0) == 1
            with pytest.raises(WarehouseBusyError, match=f"process {foreign.pid}"):
                DuckDBWarehouse(path, wait_seconds=0).replace([ONE_ROW])

    def test_another_connection_of_this_very_process_is_named(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        with (
            duckdb.connect(str(path), read_only=True),
            pytest.raises(WarehouseBusyError, match=f"process {os.getpid()}, this very one"),
        ):
            DuckDBWarehouse(path, wait_seconds=0).replace([ONE_ROW])

    def test_a_killed_holder_is_neither_waited_for_nor_blamed(self, path: Path) -> None:
        held = PROCESSES.Event()
        with running(hold, path, held, 60) as holder:
            assert held.wait(60)
        assert Path(f"{path}.holder").exists()
        with FileLock(f"{path}.lock"), pytest.raises(WarehouseBusyError) as busy:
            DuckDBWarehouse(path, wait_seconds=0).replace([ONE_ROW])
        assert str(holder.pid) not in str(busy.value)
        DuckDBWarehouse(path, wait_seconds=0).replace([ONE_ROW])
        assert not Path(f"{path}.holder").exists()

    def test_a_child_forked_by_a_holder_does_not_inherit_the_lock(self, path: Path) -> None:
        code = f"""
import os, time
from nba_assets.warehouse.duckdb import DuckDBWarehouse
with DuckDBWarehouse({str(path)!r})._connection():
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
"""
        with script(code) as (holder, child):
            holder.kill()
            holder.wait()
            try:
                DuckDBWarehouse(path, wait_seconds=5).replace([ONE_ROW])
            finally:
                os.kill(int(child), signal.SIGKILL)

    def test_threads_that_share_a_warehouse_take_turns(self, path: Path) -> None:
        warehouse = DuckDBWarehouse(path)

        def write(player: str) -> int:
            warehouse.replace([Replacement(TABLE, rows(row(FIRST, player)), [FIRST], {"player_lookup": player})])
            return warehouse.read(TABLE, ("points",), FIRST, FIRST, {"player_lookup": player}).num_rows

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(write, "abcdefghijkl")) == [1] * 12
        assert row_count(path) == 12

    def test_a_minute_is_waited_where_nothing_else_is_said(self, path: Path) -> None:
        assert DuckDBWarehouse(path).wait_seconds == 60

    def test_a_holder_leaves_no_more_than_the_beginning_of_a_long_command(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["x" * 150, "y" * 150])
        with DuckDBWarehouse(path)._connection():
            holder = json.loads(Path(f"{path}.holder").read_text())
        assert holder["command"] == "x" * 150 + " " + "y" * 49
        assert holder["pid"] == os.getpid()

    def test_a_holder_of_another_user_is_named(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(f"{path}.holder").write_text(json.dumps({"pid": 4711, "command": "nightly", "since": "2025-01-15"}))
        monkeypatch.setattr(os, "kill", refused)
        with FileLock(f"{path}.lock"), pytest.raises(WarehouseBusyError, match=r"process 4711 \(nightly\) since 2025"):
            DuckDBWarehouse(path, wait_seconds=0).replace([ONE_ROW])


class TestSessions:
    """Reads of one thread over one connection."""

    @pytest.fixture
    def opened(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """A line for each connection to the file, which has a row."""
        DuckDBWarehouse(path).replace([ONE_ROW])
        connect, lines = duckdb.connect, []

        def noted(place: str, *, read_only: bool) -> duckdb.DuckDBPyConnection:
            lines.append(place)
            return connect(place, read_only=read_only)

        monkeypatch.setattr(duckdb, "connect", noted)
        return lines

    def test_reads_within_it_share_a_connection_and_each_outside_has_its_own(
        self, path: Path, opened: list[str]
    ) -> None:
        warehouse = DuckDBWarehouse(path)
        with warehouse.session():
            assert [warehouse.read(TABLE, ("points",), FIRST, FIRST).num_rows for _ in range(2)] == [1, 1]
            with warehouse.session():
                assert warehouse.status([TABLE])[0].row_count == 1
            assert warehouse.read(TABLE, ("points",), FIRST, FIRST).num_rows == 1
        assert len(opened) == 1
        for _ in range(2):
            warehouse.read(TABLE, ("points",), FIRST, FIRST)
        assert len(opened) == 3

    def test_within_it_nothing_may_be_replaced_and_after_it_everything(self, path: Path, opened: list[str]) -> None:
        warehouse = DuckDBWarehouse(path)
        with warehouse.session(), pytest.raises(RuntimeError, match="end the session first"):
            warehouse.replace([ONE_ROW])
        warehouse.replace([ONE_ROW])
        assert len(opened) == 2

    def test_before_there_is_a_file_it_is_no_session(self, path: Path) -> None:
        warehouse = DuckDBWarehouse(path)
        with warehouse.session():
            assert not path.exists()
            warehouse.replace([ONE_ROW])
        assert row_count(path) == 1


@pytest.mark.parametrize(("waited", "left"), [(7.0, 3.0), (12.0, 0.0)])
def test_who_has_waited_for_a_thread_waits_for_the_file_only_as_long_as_is_left(
    path: Path, waited: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    DuckDBWarehouse(path).replace([ONE_ROW])
    times, waits, taken = iter([0.0, *[waited] * 9]), [], FileTurn.taken

    def recorded(turn: FileTurn, seconds: float) -> Any:
        waits.append(seconds)
        return taken(turn, seconds)

    monkeypatch.setattr(FileTurn, "taken", recorded)
    monkeypatch.setattr(back_end, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert row_count(path, wait_seconds=10) == 1
    assert waits == [left]


class TestKeptOpen:
    """A connection that stays open between two uses."""

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
        """For each time the file was opened, whether for reading alone."""
        read_only: list[bool] = []
        connect = duckdb.connect

        def counted(*given: Any, **options: Any) -> Any:
            read_only.append(options.get("read_only", False))
            return connect(*given, **options)

        monkeypatch.setattr(duckdb, "connect", counted)
        return read_only

    @pytest.fixture
    def kept(self, path: Path) -> Iterator[DuckDBWarehouse]:
        DuckDBWarehouse(path).replace([ONE_ROW])
        warehouse = DuckDBWarehouse(path, idle_seconds=3600)
        yield warehouse
        warehouse.close()

    def test_it_serves_all_reads_and_is_opened_again_to_write(self, kept: DuckDBWarehouse, opened: list[bool]) -> None:
        for _ in range(3):
            assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 1
        assert opened == [True]
        kept.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b")), [FIRST])])
        assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 2
        kept.replace([ONE_ROW])
        with kept.session():
            assert kept.status([TABLE])[0].row_count == 1
        assert opened == [True, False]

    def test_who_does_not_keep_it_opens_the_file_for_each_use(self, path: Path, opened: list[bool]) -> None:
        warehouse = DuckDBWarehouse(path)
        warehouse.replace([ONE_ROW])
        opened.clear()
        assert [warehouse.read(TABLE, ("points",), FIRST, FIRST).num_rows for _ in range(2)] == [1, 1]
        assert opened == [True, True]

    def test_tables_and_columns_that_it_has_made_are_there(self, kept: DuckDBWarehouse) -> None:
        other = replace(TABLE, name="other")
        assert kept.read(other, ("points",), FIRST, FIRST).num_rows == 0
        kept.replace([Replacement(other, rows(row(FIRST, "a")), [FIRST])])
        assert kept.read(other, ("points",), FIRST, FIRST).num_rows == 1
        wider = replace(other, columns=(*other.columns, Column("assists", Type.INT64, "Assists")))
        new = rows(row(FIRST, "a")).append_column("assists", pa.array([7], pa.int64()))
        kept.replace([Replacement(wider, new, [FIRST])])
        assert kept.read(wider, ("assists",), FIRST, FIRST).column("assists").to_pylist() == [7]

    def test_another_writer_waits_for_no_more_than_a_moment(self, kept: DuckDBWarehouse, path: Path) -> None:
        assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 1
        DuckDBWarehouse(path, wait_seconds=30).replace([Replacement(TABLE, rows(), [FIRST])])
        assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 0

    def test_who_waits_comes_before_the_next_use(
        self, kept: DuckDBWarehouse, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(back_end, "LOOK_SECONDS", 3600)
        kept.read(TABLE, ("points",), FIRST, FIRST)
        served: list[str] = []

        def wait() -> None:
            with DuckDBWarehouse(path)._connection():
                served.append("who waited")

        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(wait)
            while not kept._file.is_waited_for():
                time.sleep(0.001)
            kept.read(TABLE, ("points",), FIRST, FIRST)
            served.append("the next use")
            waiting.result()
        assert served == ["who waited", "the next use"]

    def test_it_closes_by_itself_when_it_is_not_used(self, path: Path) -> None:
        warehouse = DuckDBWarehouse(path, idle_seconds=0.01)
        warehouse.replace([ONE_ROW])
        while Path(f"{path}.holder").exists():
            time.sleep(0.001)
        with duckdb.connect(str(path)) as foreign:
            assert foreign.execute(f"SELECT count(*) FROM {TABLE.qualified_name}").fetchall() == [(1,)]
        assert row_count(path) == 1

    def test_it_is_idle_since_its_last_use(self, kept: DuckDBWarehouse) -> None:
        for _ in range(2):
            before = time.monotonic()
            assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 1
            assert kept._open is not None
            assert before <= kept._open.idle_since <= time.monotonic()

    def test_a_write_that_fails_leaves_nothing_open_and_nothing_written(
        self, kept: DuckDBWarehouse, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(back_end, "_insert", die)
            with pytest.raises(KeyboardInterrupt):
                kept.replace([ONE_ROW])
        assert not Path(f"{path}.holder").exists()
        assert kept.read(TABLE, ("points",), FIRST, FIRST).num_rows == 1

    def test_a_copy_of_the_file_holds_what_was_written_before_it(self, kept: DuckDBWarehouse, tmp_path: Path) -> None:
        kept.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b")), [FIRST])])
        kept.copy_to(tmp_path / "copy.duckdb")
        assert row_count(tmp_path / "copy.duckdb") == 2

    def test_the_file_is_copied_as_it_is_once_the_connection_has_put_all_changes_into_it(
        self, kept: DuckDBWarehouse, tmp_path: Path
    ) -> None:
        kept.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        assert kept.has_log()
        kept.copy_to(tmp_path / "copy.duckdb")
        assert (tmp_path / "copy.duckdb").read_bytes() == kept.path.read_bytes()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.ConnectionException("the file is open with a different configuration"), "this very one"),
        (duckdb.ConnectionException("closed already"), None),
        (duckdb.IOException("a different configuration"), None),
        (duckdb.IOException("Could not set lock: held in /bin/x y (PID 12)"), "process 12 (/bin/x y), which"),
        (duckdb.IOException("Could not set lock on file"), "Could not set lock on file"),
        (duckdb.CatalogException("Could not set lock on file"), None),
    ],
    ids=str,
)
def test_who_holds_the_file_goes_by_what_duckdb_says(error: duckdb.Error, said: str | None) -> None:
    holder = _foreign_holder(error)
    assert holder is None if said is None else said in str(holder)


class TestPauses:
    """How long is waited between two attempts to open a file that a foreign program holds, by a clock of the test's
    own.
    """

    def pauses(self, path: Path, monkeypatch: pytest.MonkeyPatch, wait_seconds: float) -> list[float]:
        slept: list[float] = []
        monkeypatch.setattr(back_end, "time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append))
        warehouse = DuckDBWarehouse(path, wait_seconds)
        with pytest.raises(WarehouseBusyError, match="this very one"):
            warehouse._connect(wait_seconds, read_only=True)
        return slept

    @pytest.mark.parametrize(
        ("wait_seconds", "expected"),
        [(0, []), (0.05, [0.05]), (0.1, [0.05, 0.05]), (4, [0.05, 0.1, 0.2, 0.4, 0.8, 1, 1, 0.45])],
    )
    def test_they_double_up_to_a_second_and_end_with_the_bound(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, wait_seconds: float, expected: list[float]
    ) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        with duckdb.connect(str(path)):
            assert self.pauses(path, monkeypatch, wait_seconds) == pytest.approx(expected)


class TestTheFile:
    def test_reading_what_is_not_there_leaves_no_trace(self, path: Path) -> None:
        warehouse = DuckDBWarehouse(path)
        assert warehouse.read(TABLE, ("points",), FIRST, FIRST).num_rows == 0
        assert warehouse.status([TABLE])[0].row_count == 0
        warehouse.replace([])
        assert list(path.parent.glob("nba*")) == []

    def test_a_write_leaves_the_file_and_its_locks_and_nothing_else(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        assert {found.name for found in path.parent.glob("nba*")} == {
            "nba.duckdb",
            "nba.duckdb.lock",
            "nba.duckdb.queue",
        }

    def test_one_torn_in_the_making_is_made_anew(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as dying:
            dying.setattr(Path, "rename", die)
            with pytest.raises(KeyboardInterrupt):
                DuckDBWarehouse(path).replace([ONE_ROW])
        assert not path.exists()
        (unfinished,) = path.parent.glob("*.new")
        unfinished.write_bytes(unfinished.read_bytes()[:5000])
        DuckDBWarehouse(path).replace([ONE_ROW])
        assert row_count(path) == 1

    def test_changes_that_a_killed_writer_committed_are_there(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        code = f"""
import duckdb, os, signal
connection = duckdb.connect({str(path)!r})
connection.execute("DELETE FROM nba_analytics.everything")
os.kill(os.getpid(), signal.SIGKILL)
"""
        with script(code):
            pass
        assert Path(f"{path}.wal").exists()
        assert row_count(path) == 0

    def test_changes_to_a_file_that_was_taken_away_are_not_thrown_away(self, path: Path) -> None:
        Path(f"{path}.wal").write_bytes(b"changes")
        with pytest.raises(
            WarehouseError, match=r"nba.duckdb.wal holds changes to a warehouse that is no longer there. Move it"
        ):
            DuckDBWarehouse(path).replace([ONE_ROW])
        assert Path(f"{path}.wal").read_bytes() == b"changes"

    def test_one_that_is_no_database_is_named_at_once(self, path: Path) -> None:
        path.write_text("Could this be a lock?")
        began = time.monotonic()
        with pytest.raises(WarehouseError, match=rf"{path} cannot be opened.*not a valid DuckDB database"):
            DuckDBWarehouse(path).read(TABLE, ("points",), FIRST, FIRST)
        assert time.monotonic() - began < 5

    def test_one_that_is_torn_is_named_as_damaged(self, path: Path) -> None:
        season = rows(*(row(FIRST, f"p{place}", points=place, usage_rate=place * 0.7) for place in range(20_000)))
        DuckDBWarehouse(path).replace([Replacement(TABLE, season, [FIRST])])
        path.write_bytes(path.read_bytes()[:100_000])
        with pytest.raises(
            WarehouseError,
            match=rf"{path} cannot be opened: .*The file is damaged: put a copy in its place, or move it away",
        ) as damaged:
            row_count(path)
        assert "\n" not in str(damaged.value)

    def test_one_in_a_folder_that_may_not_be_looked_into_is_said_in_one_line(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Path, "exists", refused)
        with pytest.raises(
            WarehouseError,
            match=rf"{path} cannot be read: Permission denied. Give yourself the permission to read {path.parent}",
        ):
            row_count(path)

    @pytest.mark.parametrize(
        ("said", "advice"),
        [
            ('Could not write file "x": No space left on device', "Free space there."),
            ('Cannot open file "x": Too many open files', "Allow this process more open files"),
            (
                "trying to read a database file with version number 99, but we can only read 64",
                "another version of DuckDB",
            ),
        ],
    )
    def test_what_duckdb_refuses_comes_with_what_to_do(
        self, path: Path, said: str, advice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise duckdb.IOException(f"{said}\n\nmore")

        DuckDBWarehouse(path).replace([ONE_ROW])
        monkeypatch.setattr(duckdb, "connect", refuse)
        with pytest.raises(WarehouseError, match=advice) as refusal:
            row_count(path)
        assert "\n" not in str(refusal.value)

    def test_it_does_not_grow_by_being_replaced(self, path: Path) -> None:
        warehouse = DuckDBWarehouse(path)
        season = Replacement(
            TABLE,
            rows(*(row(FIRST, f"p{place}", points=place, usage_rate=place * 0.7) for place in range(20_000))),
            [FIRST],
        )
        sizes = []
        for _ in range(30):
            warehouse.replace([season])
            sizes.append(path.stat().st_size)
        assert max(sizes) <= 3 * sizes[0]
        assert max(sizes[-10:]) <= max(sizes[:10])


NOBODY = 65534
"""A user without any rights of his own."""


def as_another_user(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program as a user who may read the folder's files and write none of them; needs root."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    for place in (folder, *folder.parents):
        if place.owner() == "root" and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    for file in folder.iterdir():
        file.chmod(0o644)
    become = f"import os; os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    # Everything is imported before: he may have no right to read the interpreter's own files.
    imports = (
        "import pyarrow.compute\nfrom nba_assets.warehouse.duckdb import DuckDBWarehouse\nfrom "
        "nba_assets_tests.warehouse.back_ends import FIRST, TABLE\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", imports + become + code]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)


class TestReadingNeedsNoWriting:
    @pytest.mark.parametrize("lock_is_there", [True, False])
    def test_another_user_reads_what_he_may_not_write(self, path: Path, lock_is_there: bool) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        if not lock_is_there:
            Path(f"{path}.lock").unlink()
        read = as_another_user(
            path.parent, f"print(DuckDBWarehouse({str(path)!r}, 5).read(TABLE, ('points',), FIRST, FIRST).num_rows)"
        )
        assert read.stdout.strip() == "1", read.stderr

    def test_another_user_who_writes_is_told_why_not_in_one_line(self, path: Path) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        write = f"""
from nba_assets.warehouse.interface import Insertion, WarehouseError
from nba_assets_tests.warehouse.back_ends import row, rows
try:
    DuckDBWarehouse({str(path)!r}, 5).replace([Insertion(TABLE, rows(row(FIRST, "b")))])
except WarehouseError as error:
    print(error)
"""
        said = as_another_user(path.parent, write)
        assert said.stdout.startswith(f"the warehouse {path} cannot be written: Permission denied. Free space, "), (
            said.stderr
        )
        assert said.stdout.count("\n") == 1

    def test_a_reader_without_the_lock_waits_for_a_writer_and_names_it(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        with script(
            f"import duckdb, time; c = duckdb.connect({str(path)!r}); print('open', flush=True); time.sleep(60)"
        ) as (writer, _):
            monkeypatch.setattr(FileLock, "acquire", refused)
            with pytest.raises(WarehouseBusyError, match=f"process {writer.pid}"):
                row_count(path, wait_seconds=0.2)
        assert row_count(path) == 1

    def test_a_full_disk_under_the_lock_stops_no_reader_and_tells_a_writer(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        DuckDBWarehouse(path).replace([ONE_ROW])
        monkeypatch.setattr(FileLock, "acquire", full)
        assert row_count(path) == 1
        with pytest.raises(WarehouseError, match=rf"{path} cannot be written: No space left on device"):
            DuckDBWarehouse(path).replace([ONE_ROW])

    def test_a_full_disk_under_the_holders_name_stops_nobody(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_text", full)
            DuckDBWarehouse(path).replace([ONE_ROW])
        assert row_count(path) == 1

    def test_a_file_that_cannot_be_made_is_said_in_one_line(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(WarehouseError, match=rf"{path} cannot be written: No space left on device. Free space, "):
            DuckDBWarehouse(path).replace([ONE_ROW])
        assert not path.exists()

    def test_a_folder_that_cannot_be_made_is_said_in_one_line(self, path: Path) -> None:
        path.write_text("a file where a folder is to be")
        with pytest.raises(
            WarehouseError, match=rf"{path}/nba.duckdb cannot be written: (Not a directory|File exists)"
        ):
            DuckDBWarehouse(path / "nba.duckdb").replace([ONE_ROW])


def refused(*_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
