"""Tables as files: the same rows, whole or not at all, in memory that does not grow with the range."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.error_lines import one_line_errors
from nba_assets.export import SLICE_DAYS, Format, export_table
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.settings import SettingsError
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement, Warehouse, WarehouseError
from nba_assets_tests.warehouse.back_ends import FIRST, SECOND, TABLE, THIRD, row, rows

DAYS = [FIRST, SECOND, FIRST + timedelta(days=100)]
ODD = 'says "no", and\nleaves'


@pytest.fixture
def warehouse(own_home: Path) -> DuckDBWarehouse:
    """Rows of three dates, months apart, with every kind of value."""
    found = DuckDBWarehouse(own_home / "nba.duckdb")
    entries = [
        row(FIRST, "a", issues=["x, y", ODD], features=[0.1, 2.0]),
        row(SECOND, "", points=None, issues=None, features=[], seen_at=None, usage_rate=None, is_dnp=None),
        row(DAYS[2], ODD, points=-1, is_dnp=True),
    ]
    found.replace([Replacement(TABLE, rows(*entries), DAYS)])
    return found


def exported(warehouse: Warehouse, folder: Path, kind: Format, start: date = date.min, end: date = date.max) -> Path:
    written = export_table(warehouse, TABLE, start, end, folder, kind)
    assert written.file == folder / f"everything.{kind}"
    assert [path.name for path in folder.iterdir()] == [written.file.name], "nothing is left beside it"
    return written.file


def test_parquet_is_the_table(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    found = pq.read_table(exported(warehouse, tmp_path / "out", Format.PARQUET))
    assert found.equals(warehouse.read(TABLE, TABLE.column_names, date.min, date.max))
    assert found.num_rows == 3


def test_csv_has_lists_as_json_moments_in_utc_and_tells_null_from_empty(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    file = exported(warehouse, tmp_path / "out", Format.CSV)
    with file.open(newline="", encoding="utf-8") as stream:
        found = list(csv.DictReader(stream))
    assert list(found[0]) == list(TABLE.column_names)
    assert [cells["player_lookup"] for cells in found] == ["a", "", ODD]
    assert json.loads(found[0]["issues"]) == ["x, y", ODD]
    assert (json.loads(found[0]["features"]), json.loads(found[1]["features"])) == ([0.1, 2.0], [])
    assert datetime.fromisoformat(found[0]["seen_at"]).isoformat() == "2021-11-16T05:00:00+00:00"
    assert [cells["points"] for cells in found] == ["3", "", "-1"]
    assert [cells["is_dnp"] for cells in found] == ["false", "", "true"]
    second = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(str(SECOND)))
    assert second == f'{SECOND},"",,,,1999-02-28,,"[]","[]"'


@pytest.mark.parametrize("kind", list(Format))
def test_a_range_holds_its_dates_and_one_without_rows_the_columns_alone(
    warehouse: DuckDBWarehouse, tmp_path: Path, kind: Format
) -> None:
    assert export_table(warehouse, TABLE, SECOND, THIRD, tmp_path, kind).rows == 1
    nothing = export_table(warehouse, TABLE, THIRD, THIRD, tmp_path, kind)
    assert nothing.rows == 0
    if kind is Format.PARQUET:
        assert pq.read_schema(nothing.file).equals(arrow_schema(TABLE))
    else:
        assert nothing.file.read_text().count("\n") == 1


@dataclass
class Recorded:
    """A warehouse that notes what is read, and breaks where it is told to."""

    inner: DuckDBWarehouse
    spans: list[tuple[date, date]] = field(default_factory=list)
    breaks_after: int = 1000
    in_session: bool = False
    largest_write_dates: int | None = None

    def read(self, table: Any, columns: Any, start: date, end: date, where: Any = None) -> pa.Table:
        if len(self.spans) >= self.breaks_after:
            raise WarehouseError("no more")
        assert self.in_session
        self.spans.append((start, end))
        return self.inner.read(table, columns, start, end, where)

    @contextmanager
    def session(self) -> Iterator[None]:
        with self.inner.session():
            self.in_session = True
            yield
            self.in_session = False

    def status(self, tables: Any) -> Any:
        return self.inner.status(tables)

    def close(self) -> None:
        """Nothing is open."""

    def replace(self, replacements: Any, *, unless: Any = ()) -> NoReturn:
        raise NotImplementedError


def test_rows_are_read_some_weeks_at_a_time_and_of_one_moment(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    recorded = Recorded(warehouse)
    export_table(recorded, TABLE, date.min, date.max, tmp_path, Format.PARQUET)
    assert (recorded.spans[0][0], recorded.spans[-1][1]) == (DAYS[0], DAYS[2])
    assert all((end - start).days < SLICE_DAYS for start, end in recorded.spans)
    assert [start for start, _ in recorded.spans[1:]] == [end + timedelta(days=1) for _, end in recorded.spans[:-1]]


@pytest.mark.parametrize("kind", list(Format))
def test_an_export_that_fails_leaves_the_file_that_was_there(
    warehouse: DuckDBWarehouse, tmp_path: Path, kind: Format
) -> None:
    file = exported(warehouse, tmp_path / "out", kind)
    before = file.read_bytes()
    with pytest.raises(WarehouseError, match="no more"):
        export_table(Recorded(warehouse, breaks_after=1), TABLE, date.min, date.max, file.parent, kind)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_command_writes_computed_tables_by_default_and_others_by_name(
    warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    def export(*arguments: object) -> str:
        result = CliRunner().invoke(app, ["export", "--out", str(tmp_path / "out"), *map(str, arguments)])
        assert result.exit_code == 0, result.output
        return result.output

    assert f"{tmp_path}/out/schedule.csv: 0 rows\n" == export("schedule", FIRST, SECOND, "--format", "csv")
    export()
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert "ml_feature_store.parquet" in written
    assert not written & {f"{name}.parquet" for name in RAW_TABLES}
    elsewhere = tmp_path / "another.duckdb"
    DuckDBWarehouse(elsewhere).replace([Replacement(TABLE, rows(row(FIRST, "b")), [FIRST])])
    export("schedule", "--warehouse", elsewhere)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2021-11-15", "schedule"], "name the tables first, then START and END"),
        (["2021-11-15", "2021-11-16", "2021-11-17"], "name the tables first, then START and END"),
        (["2021-11-16", "2021-11-15"], "END 2021-11-15 lies before START 2021-11-16"),
    ],
)
def test_command_says_what_is_wrong_with_its_arguments(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", "--out", str(tmp_path / "out"), *arguments])
    assert isinstance(result.exception, SettingsError)
    assert said in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_command_names_the_tables_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", "--out", str(tmp_path), "scores"])
    assert result.exit_code == 2
    assert "no table scores" in result.output


def test_command_needs_no_dagster(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from nba_assets.cli import app\n"
        "app(['export', 'schedule', '--out', sys.argv[1]], standalone_mode=False)\n"
        "assert 'dagster' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["schedule.parquet"]


def test_a_folder_that_cannot_be_written_is_said_in_a_line(
    warehouse: DuckDBWarehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended, one_line_errors():
        app(["export", "schedule", "--out", str(tmp_path / "file" / "out")], standalone_mode=False)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{tmp_path}/file/out: Not a directory. Name a folder; --out names the place."


@pytest.mark.parametrize("kind", list(Format))
@pytest.mark.parametrize(
    ("arguments", "place"), [(["schedule"], ""), (["--training-set"], "/train.{kind}")], ids=["tables", "training set"]
)
def test_a_full_target_is_named_with_its_option(
    kind: Format,
    arguments: list[str],
    place: str,
    warehouse: DuckDBWarehouse,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = f"{tmp_path}{place.format(kind=kind)}"
    for name in ("schedule", "train"):
        (tmp_path / f"{name}.{kind}.new").symlink_to("/dev/full")
    with pytest.raises(SystemExit) as ended, one_line_errors():
        app(["export", *arguments, "--format", kind, "--out", place], standalone_mode=False)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"{place}: No space left on device. Free space there; --out names the place."


@pytest.mark.parametrize("kind", list(Format))
def test_a_full_disk_is_said_in_a_line_and_leaves_the_file_that_was_there(
    warehouse: DuckDBWarehouse, tmp_path: Path, kind: Format
) -> None:
    rows_of_a_day = [row(SECOND, f"{number:05}", issues=[f"{number * 7919 % 10007}" * 9]) for number in range(9000)]
    warehouse.replace([Replacement(TABLE, rows(*rows_of_a_day), [SECOND])])
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from nba_assets.error_lines import one_line_errors\n"
        "from nba_assets.export import Format, export_table\n"
        "from nba_assets.orchestration.opening import open_warehouse\n"
        "from nba_assets_tests.warehouse.back_ends import SECOND, TABLE\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "with one_line_errors():\n"
        "    export_table(open_warehouse(), TABLE, SECOND, SECOND, Path(sys.argv[1]), Format(sys.argv[2]))\n"
    )
    file = tmp_path / f"everything.{kind}"
    file.write_text("before")
    line = [sys.executable, "-c", code, str(tmp_path), kind]
    ended = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "File too large" in ended.stderr
    assert file.read_text() == "before"
    assert not Path(f"{file}.new").exists()
