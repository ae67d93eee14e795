"""`nba-assets doctor` on an installation with a DuckDB file and a folder: each line, and each line's failure."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.commands.doctor import checks_of, examined
from nba_assets.doctor import duckdb_file
from nba_assets.doctor.finding import Finding, Severity, carried_out
from nba_assets.doctor.machine import check_clock, check_disk, check_home
from nba_assets.orchestration.instance import dagster_home, dagster_instance
from nba_assets.registry import ALL_TABLES
from nba_assets.settings import Settings
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.file_turn import FileTurn
from nba_assets_tests.pipeline import count_as_ingested
from nba_assets_tests.raw.feeds import DAY, schedule_row, write

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHECKS = ["settings", "home", "disk", "landing", "warehouse", "schema", "clock", "instance"]


@pytest.fixture
def installed(own_home: Path) -> Path:
    """A home with a landed file, a warehouse with one table, and a run on record."""
    write(own_home / "landing", "schedule.parquet", [schedule_row()])
    count_as_ingested(DuckDBWarehouse(own_home / "nba.duckdb"), ["schedule"], [DAY])
    with dagster_instance() as instance:
        instance.get_runs_count()
    return own_home


def lines(check: str, found: Iterable[Finding] | None = None) -> list[tuple[Severity, str]]:
    """The findings of one check, in the installation of the environment unless others are given."""
    return [
        (finding.severity, finding.message)
        for finding in (examined() if found is None else found)
        if finding.check == check
    ]


def only(check: str, found: Iterable[Finding] | None = None) -> tuple[Severity, str]:
    (line,) = lines(check, found)
    return line


@pytest.mark.parametrize("landing", ["gs://bucket/raw", "bigquery://project/nba_raw?reference=nba_reference"])
def test_credentials_are_checked_wherever_google_holds_the_raw_data(own_home: Path, landing: str) -> None:
    names = [name for name, _ in checks_of(Settings(home=own_home, landing=landing), create=False)]
    assert names == ["settings", "home", "disk", "credentials", "landing", "warehouse", "clock", "instance"]
    assert "credentials" not in [name for name, _ in checks_of(Settings(home=own_home), create=False)]


def test_a_sound_installation_has_a_line_for_each_check(installed: Path) -> None:
    ended = CliRunner().invoke(app, ["doctor"])
    assert ended.exit_code == 0, ended.output
    shown = [line.split(maxsplit=2) for line in ended.output.splitlines()]
    assert [(severity, check) for severity, check, _ in shown] == [("ok", check) for check in CHECKS]


def test_for_programs_the_findings_are_json(installed: Path) -> None:
    (installed / "nba.duckdb").write_bytes(b"x" * 9999)
    ended = CliRunner().invoke(app, ["doctor", "--json"])
    assert ended.exit_code == 1
    found = json.loads(ended.output)
    assert [(each["severity"], each["check"]) for each in found if each["severity"] != "ok"] == [
        ("failure", "warehouse")
    ]


def test_before_the_first_run_the_landing_zone_is_all_that_is_missing_and_is_made_on_request(own_home: Path) -> None:
    ended = CliRunner().invoke(app, ["doctor"])
    assert ended.exit_code == 1
    assert [line.split()[1] for line in ended.output.splitlines() if not line.startswith("ok")] == ["landing"]
    assert not own_home.exists()
    made = CliRunner().invoke(app, ["doctor", "--create"])
    assert made.exit_code == 0, made.output
    assert (own_home / "landing").is_dir()
    severity, said = only("landing")
    assert severity == "warning"
    assert "holds no file of schedule" in said


def test_a_setting_that_cannot_be_used_is_the_only_line(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_ASSETS_PLAYER_WORKERS", "many")
    (found,) = examined()
    assert (found.check, found.severity) == ("settings", "failure")
    assert "NBA_ASSETS_PLAYER_WORKERS='many' cannot be used" in found.message


def test_settings_are_named_without_their_values_and_misspelt_ones_are_warned_of(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NBA_ASSETS_ALERT_WEBHOOK", "https://hooks.example/secret")
    monkeypatch.setenv("NBA_ASSETS_LANDNIG", "elsewhere")
    (severity, said), (second, misspelt) = lines("settings")
    assert (severity, second) == ("ok", "warning")
    assert "NBA_ASSETS_ALERT_WEBHOOK" in said
    assert "secret" not in said
    assert "NBA_ASSETS_LANDNIG is no setting and does nothing; do you mean NBA_ASSETS_LANDING?" in misspelt


def test_a_home_that_cannot_be_made_or_written_fails(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    severity, said = only("home", check_home(file / "home"))
    assert severity == "failure"
    assert f"give yourself the permission to write {file}" in said
    severity, said = only("home", carried_out("home", lambda: check_home(file)))
    assert severity == "failure"
    assert "Not a directory. Name a folder" in said


@pytest.mark.parametrize(("free", "severity"), [(2.0, "ok"), (1.99, "warning"), (0.2, "warning"), (0.19, "failure")])
def test_little_space_is_warned_of_and_none_fails(
    free: float, severity: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, free * 10**9))
    found, said = only("disk", check_disk([tmp_path / "not" / "there", tmp_path]))
    assert found == severity
    assert f"on the file system of {tmp_path}" in said


def test_file_systems_have_a_line_each(tmp_path: Path) -> None:
    assert len(lines("disk", check_disk([tmp_path, Path("/proc"), tmp_path / "x"]))) == 2


def test_a_landed_file_that_cannot_be_used_is_warned_of(installed: Path) -> None:
    (installed / "landing" / "rosters.csv").symlink_to("nothing")
    (severity, said), faulty = lines("landing")
    assert severity == "ok"
    assert "1 file in" in said
    assert "the newest, schedule.parquet, is of" in said
    assert faulty == (
        "warning",
        "1 file cannot be used, of which rosters.csv is a link to nothing",
    )


def test_a_landing_zone_that_cannot_be_listed_fails_and_the_clock_is_left_out_of_it(installed: Path) -> None:
    shutil.rmtree(installed / "landing")
    severity, said = only("landing")
    assert severity == "failure"
    assert "is not a folder that can be read; create it, or set NBA_ASSETS_LANDING" in said
    assert only("clock")[0] == "ok"


def test_a_newest_file_that_cannot_be_read_fails(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("nba_assets.doctor.landing.Path.open", refuse)
    severity, said = only("landing")
    assert severity == "failure"
    assert "schedule.parquet: Permission denied" in said


def test_a_file_that_is_held_is_a_warning_that_names_who_holds_it(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_file, "WAIT_SECONDS", 0.05)
    with FileTurn(installed / "nba.duckdb").taken(0):
        found = list(examined())
    severity, said = only("warehouse", found)
    assert severity == "warning"
    assert f"process {os.getpid()}" in said
    assert not lines("schema", found)
    assert only("clock", found)[0] == "ok"


def test_a_file_that_cannot_be_opened_fails(installed: Path) -> None:
    (installed / "nba.duckdb").write_bytes(b"x" * 9999)
    severity, said = only("warehouse")
    assert severity == "failure"
    assert "not a valid DuckDB database" in said


def test_a_file_that_can_only_be_read_fails(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "nba.duckdb" or mode != os.W_OK)
    (severity, said), opened = lines("warehouse")
    assert severity == "failure"
    assert "can be read but not written: give yourself the permission" in said
    assert opened[0] == "ok"


def test_changes_without_their_file_fail(installed: Path) -> None:
    (installed / "nba.duckdb").rename(installed / "nba.duckdb.wal")
    severity, said = only("warehouse")
    assert severity == "failure"
    assert f"changes to it are, in {installed / 'nba.duckdb'}.wal" in said


def test_a_file_that_can_never_be_made_fails(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installed / "file").touch()
    monkeypatch.setenv("NBA_ASSETS_WAREHOUSE", str(installed / "file" / "nba.duckdb"))
    severity, said = only("warehouse")
    assert severity == "failure"
    assert "cannot be made: give yourself the permission" in said


def test_a_file_of_a_newer_storage_version_is_warned_of(installed: Path) -> None:
    (installed / "nba.duckdb").unlink()
    newer = {"storage_compatibility_version": "latest"}
    duckdb.connect(str(installed / "nba.duckdb"), config=newer).close()
    severity, said = only("warehouse")
    assert severity == "warning"
    assert "set NBA_ASSETS_READ_COPY" in said
    assert only("schema") == ("ok", f"0 of {len(ALL_TABLES)} tables are stored, with the columns that they declare")


@pytest.mark.parametrize(
    ("change", "severity", "said"),
    [
        ("DROP COLUMN digest", "failure", "is stored without the column"),
        ("ADD COLUMN stray VARCHAR", "failure", "which its spec does not declare"),
        ("ALTER row_count TYPE VARCHAR", "failure", "is stored as"),
        ("DROP COLUMN inputs", "warning", "is stored without inputs: the next write adds them"),
    ],
)
def test_stored_columns_that_differ_from_the_declared_ones_are_named(
    change: str, severity: str, said: str, installed: Path
) -> None:
    with duckdb.connect(str(installed / "nba.duckdb")) as file:
        file.execute(f"ALTER TABLE nba_processing.table_partitions {change}")
    found, message = only("schema")
    assert found == severity
    assert "nba_processing.table_partitions" in message
    assert said in message


def test_what_was_written_at_a_later_time_than_now_is_warned_of() -> None:
    assert only("clock", check_clock(NOW, {"a file": NOW + timedelta(minutes=5)}))[0] == "ok"
    severity, said = only("clock", check_clock(NOW, {"a file": NOW + timedelta(minutes=6), "b": NOW}))
    assert severity == "warning"
    assert "a file is of 2026-01-01 00:06 UTC" in said
    assert "set the clock right" in said


def test_a_landed_file_or_partition_of_a_later_time_is_found(installed: Path) -> None:
    later = datetime.now(UTC).timestamp() + 3600
    os.utime(installed / "landing" / "schedule.parquet", (later, later))
    assert "the newest landed file is of" in only("clock")[1]
    count = duckdb.connect(str(installed / "nba.duckdb"))
    count.execute("UPDATE nba_processing.table_partitions SET changed_at = now() + INTERVAL 1 HOUR")
    count.close()
    assert [said.split(" is of")[0] for _, said in lines("clock")] == ["the newest landed file", "the newest partition"]


def test_the_instance_is_where_runs_are_counted(installed: Path) -> None:
    @dg.op
    def nothing() -> None:
        pass

    @dg.job
    def one() -> None:
        nothing()

    with dagster_instance() as instance:
        one.execute_in_process(instance=instance)
    assert only("instance") == ("ok", f"1 run on record in SQLite files of {dagster_home()}")


def test_records_of_another_version_of_dagster_fail(installed: Path) -> None:
    with sqlite3.connect(dagster_home() / "storage" / "history" / "runs" / "index.db") as index:
        index.execute("UPDATE alembic_version SET version_num = '3b529ad30626'")
    severity, said = only("instance")
    assert severity == "failure"
    assert "run `dagster instance migrate`" in said


def test_records_that_are_damaged_fail(installed: Path) -> None:
    (dagster_home() / "storage" / "history" / "runs.db").write_bytes(b"x" * 9999)
    severity, said = only("instance")
    assert severity == "failure"
    assert "file is not a database" in said


def test_a_configuration_that_cannot_be_used_fails(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text("storage:\n  postgres:\n    postgres_url:\n      env: NOT_SET\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert only("instance")[0] == "failure"
