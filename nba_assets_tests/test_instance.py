"""The Dagster instance lives in the home folder, whoever opens it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nba_assets.instance import PROJECT, dagster_instance

OPEN_AND_WRITE = """
import dagster as dg

@dg.asset
def nothing() -> None: ...

with dg.DagsterInstance.get() as instance:
    assert dg.materialize([nothing], instance=instance).success
"""


@pytest.mark.parametrize("dagster_home", [None, str(PROJECT)], ids=["DAGSTER_HOME unset", "DAGSTER_HOME is the project"])
def test_the_instance_is_in_the_home_folder(own_home: Path, dagster_home: str | None) -> None:
    environment = {**os.environ, **({"DAGSTER_HOME": dagster_home} if dagster_home else {})}
    before = set(PROJECT.iterdir())
    script = (
        OPEN_AND_WRITE
        if dagster_home
        else OPEN_AND_WRITE.replace("dg.DagsterInstance.get()", "__import__('nba_assets.instance').instance.dagster_instance()")
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=PROJECT, env=environment, check=True, capture_output=True, timeout=120)
    assert list((own_home / "dagster" / "storage").rglob("runs.db"))
    assert {path.name for path in set(PROJECT.iterdir()) - before} <= {"__pycache__"}


def test_another_dagster_home_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dagster_instance() as instance:
        assert instance.root_directory == str(tmp_path)
