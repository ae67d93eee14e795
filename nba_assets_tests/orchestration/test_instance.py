"""The Dagster instance is in the home folder, whoever opens it and wherever it is opened."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import dagster as dg
import pytest
from dagster._cli.utils import get_possibly_temporary_instance_for_cli
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from nba_assets.orchestration.instance import (
    PACKAGE,
    HomeComputeLogManager,
    configured_home,
    dagster_home,
    dagster_instance,
)
from nba_assets_tests.dagster_server import PROJECT, dagster_server, run_ids

AS_DAGSTER_OPENS_IT = "import dagster as dg; dg.DagsterInstance.get().get_runs_count()"
"""What Dagster's own commands do with DAGSTER_HOME."""

EMPTY_FOLDERS = {"logs", ".logs_queue"}
"""What Dagster's server makes in DAGSTER_HOME, telemetry or not; git ignores them."""

TEMPORARY_HOME = ".tmp_dagster_home"

DAGSTER_FOLDERS = EMPTY_FOLDERS | {"artifacts", "history", "schedules", "storage", ".nux", ".telemetry"}
"""What Dagster makes in DAGSTER_HOME where nothing else is configured."""


@dg.asset
def greeting() -> str:
    print("hello")
    return "hello"


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def dagster_folders_in_the_project() -> set[str]:
    return {
        path.name for path in PROJECT.iterdir() if path.name in DAGSTER_FOLDERS or path.name.startswith(TEMPORARY_HOME)
    }


def test_all_that_a_run_leaves_is_in_the_home_folder(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    before = dagster_folders_in_the_project()
    with dagster_instance() as instance:
        result = dg.materialize([greeting], instance=instance)
    run = result.run_id
    kept = files_under(own_home / "dagster")
    assert {"storage/history/runs.db", f"storage/history/runs/{run}.db", "artifacts/storage/greeting"} <= kept
    assert any(name.startswith(f"logs/{run}/") for name in kept)
    assert not files_under(elsewhere)
    assert dagster_folders_in_the_project() == before


def test_a_later_instance_finds_earlier_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dagster_instance() as instance:
        run = dg.materialize([greeting], instance=instance).run_id
    monkeypatch.chdir(tmp_path)
    with dagster_instance() as instance:
        assert [found.run_id for found in instance.get_runs()] == [run]


def test_dagster_home_may_be_the_project(own_home: Path) -> None:
    environment = {**os.environ, "DAGSTER_HOME": str(PROJECT)}
    before = dagster_folders_in_the_project()
    subprocess.run(
        [sys.executable, "-c", AS_DAGSTER_OPENS_IT], env=environment, check=True, capture_output=True, timeout=120
    )
    assert (own_home / "dagster/storage/history/runs.db").exists()
    assert dagster_folders_in_the_project() == before


def test_another_dagster_home_is_respected(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "production"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    with dagster_instance() as instance:
        assert instance.root_directory == str(folder)
        instance.get_runs_count()
    assert not own_home.exists()


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_the_package_ships_the_files_of_the_project(name: str) -> None:
    assert (PACKAGE / name).read_bytes() == (PROJECT / name).read_bytes()


def test_the_home_holds_the_configuration_that_the_package_ships(own_home: Path) -> None:
    with dagster_instance():
        configuration = own_home / "dagster" / "dagster.yaml"
    comment, shipped = configuration.read_text().split("\n", 1)
    assert comment.startswith("# A copy")
    assert shipped == (PROJECT / "dagster.yaml").read_text()
    assert [path for path in configuration.parent.iterdir() if path.name.startswith("dagster.yaml")] == [configuration]


def test_the_configuration_in_the_home_is_written_only_where_it_differs(own_home: Path) -> None:
    configuration = configured_home() / "dagster.yaml"
    written = configuration.stat()
    configured_home()
    assert configuration.stat() == written
    whole = configuration.read_text()
    configuration.write_text("of an earlier version")
    configured_home()
    assert configuration.read_text() == whole


def test_the_instance_in_the_home_is_the_same_where_dagster_home_names_it(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_instance() as instance:
        run = dg.materialize([greeting], instance=instance).run_id
    monkeypatch.setenv("DAGSTER_HOME", str(own_home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        assert [found.run_id for found in instance.get_runs()] == [run]
        assert not instance.telemetry_enabled


def test_dagster_s_own_commands_find_earlier_runs_in_a_folder_with_the_configuration(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dagster_instance() as instance:
        run = dg.materialize([greeting], instance=instance).run_id
    shutil.copy(PROJECT / "dagster.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    with get_possibly_temporary_instance_for_cli() as instance:
        assert [found.run_id for found in instance.get_runs()] == [run]


@pytest.mark.usefixtures("own_home")
@pytest.mark.parametrize("starts", [True, False])
def test_an_interrupt_is_held_back_only_while_what_captures_logs_starts(
    starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocked() -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    seen: list[bool] = []

    @contextmanager
    def capture(*_: object) -> Iterator[None]:
        seen.append(blocked())
        if not starts:
            raise OSError("no process")
        yield

    monkeypatch.setattr(LocalComputeLogManager, "capture_logs", capture)
    manager = HomeComputeLogManager.from_config_value(None, {})
    with nullcontext() if starts else pytest.raises(OSError, match="no process"), manager.capture_logs(["a"]):
        seen.append(blocked())
    assert seen == [True, False][: 1 + starts]
    assert not blocked()


def test_habits_of_the_instance() -> None:
    with dagster_instance() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert not instance.get_settings("run_retries")["retry_on_asset_or_op_failure"]
        assert instance.managed_python_loggers == ["nba_assets"]
        assert set(instance.get_settings("retention")) == {"schedule", "sensor"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "home_of_dagster", [None, str(PROJECT)], ids=["DAGSTER_HOME unset", "DAGSTER_HOME is the project"]
)
def test_the_server_shows_what_the_command_line_ran(
    own_home: Path, tmp_path: Path, home_of_dagster: str | None
) -> None:
    with dagster_instance() as instance:
        run = dg.materialize([greeting], instance=instance).run_id
    environment = {**os.environ, **({"DAGSTER_HOME": home_of_dagster} if home_of_dagster else {})}
    before = dagster_folders_in_the_project()
    with dagster_server(environment, tmp_path / "server.log") as address:
        assert run_ids(address) == [run]
    assert dagster_home() == own_home / "dagster"
    assert "storage/schedules/schedules.db" in files_under(dagster_home())
    new = dagster_folders_in_the_project() - before
    assert new <= (EMPTY_FOLDERS if home_of_dagster else set())
    assert not any(files_under(PROJECT / name) for name in new)
