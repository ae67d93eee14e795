"""The copy for readers: always whole, up to date after a run, and in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from nba_assets.settings import Settings, SettingsError
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, WarehouseBusyError, WarehouseError
from nba_assets.warehouse.read_copy import VARIABLE, publish_copy, publish_for_readers
from nba_assets_tests.warehouse.back_ends import FIRST, SECOND, TABLE, row, rows


@pytest.fixture
def warehouse(own_home: Path) -> DuckDBWarehouse:
    """The warehouse of the home, with a row."""
    found = DuckDBWarehouse(own_home / "nba.duckdb", 30)
    found.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "for readers" / "reader's.duckdb"


def players(file: Path) -> list[str]:
    """What a notebook reads, whoever has written it."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return [name for (name,) in connection.execute("SELECT player_lookup FROM nba_analytics.everything").fetchall()]


def storage_version(file: Path) -> str:
    """The oldest version of DuckDB whose storage a file is in, as DuckDB has it."""
    with duckdb.connect(str(file), read_only=True) as connection:
        query = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE path = ?"
        return str(connection.execute(query, [str(file)]).fetchall()[0][0])


def test_copy_holds_what_the_warehouse_holds_in_a_storage_that_older_versions_open(
    warehouse: DuckDBWarehouse, target: Path
) -> None:
    assert publish_copy(warehouse, target)
    copied, stored = (
        each.read(TABLE, TABLE.column_names, date.min, date.max) for each in (DuckDBWarehouse(target), warehouse)
    )
    assert copied.equals(stored)
    assert copied.num_rows == 1
    assert not Path(f"{target}.new").exists()
    assert [storage_version(file) for file in (target, warehouse.path)] == ["v1.0.0+", "v1.0.0+"]
    assert target.stat().st_mode & 0o777 == 0o444


def test_copy_of_a_warehouse_in_a_newer_storage_is_in_the_older_one(
    warehouse: DuckDBWarehouse, target: Path, tmp_path: Path
) -> None:
    newer = DuckDBWarehouse(tmp_path / "newer.duckdb")
    duckdb.connect(str(newer.path)).close()
    newer.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    assert storage_version(newer.path) != "v1.0.0+"
    assert publish_copy(newer, target)
    assert storage_version(target) == "v1.0.0+"
    copied = DuckDBWarehouse(target).read(TABLE, TABLE.column_names, date.min, date.max)
    assert copied.equals(warehouse.read(TABLE, TABLE.column_names, date.min, date.max))


def test_copy_is_written_again_only_after_the_warehouse_was(warehouse: DuckDBWarehouse, target: Path) -> None:
    publish_copy(warehouse, target)
    before = target.stat().st_ino
    assert not publish_copy(warehouse, target)
    assert target.stat().st_ino == before
    warehouse.replace([Replacement(TABLE, rows(row(SECOND, "b")), [SECOND])])
    assert publish_copy(warehouse, target)
    assert players(target) == ["a", "b"]


def test_changes_that_a_killed_writer_left_beside_the_warehouse_are_copied(
    warehouse: DuckDBWarehouse, target: Path
) -> None:
    publish_copy(warehouse, target)
    code = (
        "import duckdb, os, signal, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        "connection.execute(\"UPDATE nba_analytics.everything SET player_lookup = 'c'\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(warehouse.path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert publish_copy(warehouse, target)
    assert players(target) == ["c"]


def test_reader_keeps_what_he_opened_and_the_next_one_sees_what_is_new(
    warehouse: DuckDBWarehouse, target: Path
) -> None:
    publish_copy(warehouse, target)
    with duckdb.connect(str(target), read_only=True) as reader:
        warehouse.replace([Replacement(TABLE, rows(row(SECOND, "b")), [SECOND])])
        assert publish_copy(warehouse, target)
        assert reader.execute("SELECT count(*) FROM nba_analytics.everything").fetchall() == [(1,)]
        code = "import sys, duckdb; print(duckdb.connect(sys.argv[1], read_only=True).sql(sys.argv[2]))"
        line = [sys.executable, "-c", code, str(target), "FROM nba_analytics.everything"]
        assert str(SECOND) in subprocess.run(line, capture_output=True, text=True, check=True).stdout


def test_a_process_that_is_killed_while_it_copies_leaves_the_copy_before(
    warehouse: DuckDBWarehouse, target: Path
) -> None:
    publish_copy(warehouse, target)
    warehouse.replace([Replacement(TABLE, rows(row(SECOND, "b")), [SECOND])])
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from nba_assets.warehouse.duckdb import DuckDBWarehouse\n"
        "from nba_assets.warehouse.read_copy import VARIABLE, publish_copy\n"
        "def copy_to(self, file):\n"
        "    file.write_bytes(b'half of it')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "DuckDBWarehouse.copy_to = copy_to\n"
        "publish_copy(DuckDBWarehouse(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(warehouse.path), str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert players(target) == ["a"]
    assert Path(f"{target}.new").read_bytes() == b"half of it"
    assert publish_copy(warehouse, target)
    assert players(target) == ["a", "b"]
    assert not Path(f"{target}.new").exists()


def test_runs_that_end_at_once_leave_one_whole_copy_and_readers_never_see_another(
    warehouse: DuckDBWarehouse, target: Path
) -> None:
    publish_copy(warehouse, target)
    errors: list[Exception] = []

    def write_and_publish(number: int) -> None:
        try:
            mine = DuckDBWarehouse(warehouse.path, 60)
            for count in range(5):
                mine.replace([Replacement(TABLE, rows(row(FIRST, f"{number}-{count}")), [FIRST])])
                publish_copy(mine, target)
        except Exception as error:
            errors.append(error)

    writers = [threading.Thread(target=write_and_publish, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    seen = 0
    while any(writer.is_alive() for writer in writers):
        assert len(players(target)) == 1
        seen += 1
    assert seen
    assert not errors
    publish_copy(warehouse, target)
    assert players(target) == [
        name for (name,) in warehouse.read(TABLE, ["player_lookup"], FIRST, FIRST).to_pydict().values()
    ]


def test_without_a_warehouse_there_is_nothing_to_copy(tmp_path: Path) -> None:
    assert not publish_copy(DuckDBWarehouse(tmp_path / "none.duckdb"), tmp_path / "copy.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_the_folders_of_a_copy_are_made(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    target = tmp_path / "shared" / "with" / "all" / "copy.duckdb"
    assert publish_copy(warehouse, target)
    assert len(players(target)) == 1


def test_whoever_waits_in_vain_for_another_process_says_so(warehouse: DuckDBWarehouse, target: Path) -> None:
    publish_copy(warehouse, target)
    with FileLock(f"{target}.new.lock"), pytest.raises(WarehouseBusyError, match=r"has been writing it for 0\.1 s"):
        publish_copy(DuckDBWarehouse(warehouse.path, 0.1), target)


def test_a_copy_that_cannot_be_written_is_a_warning_with_advice(
    warehouse: DuckDBWarehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    publish_for_readers(lines.append)
    assert lines == [], "no copy is configured"
    (tmp_path / "file").touch()
    monkeypatch.setenv("NBA_ASSETS_READ_COPY", str(tmp_path / "file" / "copy.duckdb"))
    publish_for_readers(lines.append)
    (line,) = lines
    assert line == (
        f"the copy for readers {tmp_path}/file/copy.duckdb was not written: File exists. Give {tmp_path}/file space "
        "and the permission to write, or name another file with NBA_ASSETS_READ_COPY; readers keep the copy before."
    )


def test_a_full_disk_leaves_the_copy_before(
    warehouse: DuckDBWarehouse, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_copy(warehouse, target)
    warehouse.replace([Replacement(TABLE, rows(row(SECOND, "b")), [SECOND])])
    before = os.environ | {"NBA_ASSETS_READ_COPY": str(target)}
    code = (
        "import resource, signal\n"
        "import nba_assets.warehouse.read_copy as read_copy\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "read_copy.publish_for_readers(print)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], env=before, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"the copy for readers {target} was not written: ")
    assert said.count("\n") == 1
    assert players(target) == ["a"]
    assert not Path(f"{target}.new").exists()


def test_the_warehouse_itself_is_no_copy(tmp_path: Path) -> None:
    file = str(tmp_path / "nba.duckdb")
    with pytest.raises(SettingsError, match=r"NBA_ASSETS_READ_COPY=.* it is the warehouse itself"):
        Settings.from_environment({"NBA_ASSETS_WAREHOUSE": file, "NBA_ASSETS_READ_COPY": file})


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (WarehouseBusyError("process 1 holds it."), "process 1 holds it. The next run writes it."),
        (WarehouseError("it is damaged."), "it is damaged. Readers keep the copy before."),
    ],
)
def test_a_warehouse_that_cannot_be_copied_is_a_warning_with_what_comes_of_it(
    warehouse: DuckDBWarehouse, target: Path, monkeypatch: pytest.MonkeyPatch, error: WarehouseError, advice: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setenv(VARIABLE, str(target))
    monkeypatch.setattr(DuckDBWarehouse, "copy_to", refuse)
    lines: list[str] = []
    publish_for_readers(lines.append)
    assert lines == [f"the copy for readers {target} was not written: {advice}"]
    assert not target.exists()


def test_a_warehouse_that_is_no_file_has_no_copy_and_a_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", "bigquery://project/nba")
    monkeypatch.setenv("NBA_ASSETS_READ_COPY", str(tmp_path / "copy.duckdb"))
    lines: list[str] = []
    publish_for_readers(lines.append)
    assert lines == [
        "NBA_ASSETS_READ_COPY does nothing: bigquery://project/nba is no file, and its readers need no copy; unset it."
    ]
