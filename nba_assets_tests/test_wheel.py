"""The wheel where no clone is: installed into an environment of its own and used in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets_tests.dagster_server import PROJECT, dagster_server, loaded_locations, run_ids
from nba_assets_tests.league import SMALL_LEAGUE

pytestmark = pytest.mark.slow

SOURCES = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "constraints.txt", "dagster.yaml", "workspace.yaml")
BUILT_DAYS = 3


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and the folder in which its commands run."""

    environment: Path
    folder: Path

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.environment / "bin" / "python")

    @property
    def command(self) -> str:
        """The command of the wheel."""
        return str(self.environment / "bin" / "nba-assets")

    def run(self, *command: str) -> str:
        """What a command prints in the folder; it must succeed."""
        ended = subprocess.run(
            command, cwd=self.folder, env=own_variables(), capture_output=True, text=True, timeout=300, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


def own_variables() -> dict[str, str]:
    """The environment of a user who set nothing: the home is `var` in the current folder, and no other folder is
    searched for packages.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NBA_ASSETS_", "DAGSTER_", "PYTHONPATH"))
    }


def build_wheel(folder: Path) -> Path:
    """The wheel, built from a copy of the project's sources by way of the source distribution, as it is published."""
    pytest.importorskip("setuptools", minversion="77", reason="setuptools builds the wheel: `make install` brings it")
    sources = folder / "sources"
    shutil.copytree(
        PROJECT / "nba_assets", sources / "nba_assets", symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in SOURCES:
        shutil.copy(PROJECT / name, sources)
    backend = [sys.executable, "-c", f"import setuptools.build_meta as backend; backend.build_sdist({str(folder)!r})"]
    subprocess.run(backend, cwd=sources, capture_output=True, text=True, timeout=300, check=True)
    (published,) = folder.glob("*.tar.gz")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(published),
    ]
    subprocess.run(pip, capture_output=True, text=True, timeout=300, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, and what it needs, taken from the environment of the tests."""
    environment, folder = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty")
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], timeout=300, check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        f"--python={environment / 'bin' / 'python'}",
        "install",
        "--quiet",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(pip, env=own_variables(), capture_output=True, text=True, timeout=300, check=True)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    # A folder that is named so is searched for packages, but the editable installation in it is not followed.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return Installed(environment, folder)


@pytest.fixture(scope="module")
def built(installed: Installed) -> Installed:
    """The first dates of a small league, built in the empty folder."""
    first = write_season(installed.folder / "var" / "landing", 2024, **SMALL_LEAGUE).first_date
    installed.run(installed.command, "backfill", str(first), str(first + timedelta(days=BUILT_DAYS - 1)))
    return installed


def test_the_package_that_is_imported_is_the_wheel_s(installed: Installed) -> None:
    package = Path(
        installed.run(installed.python, "-c", "import nba_assets; print(nba_assets.__file__)").strip()
    ).parent
    assert package.is_relative_to(installed.environment)
    for name in ("dagster.yaml", "workspace.yaml"):
        assert not (package / name).is_symlink()
        assert (package / name).read_bytes() == (PROJECT / name).read_bytes()


def test_what_was_built_stands_in_the_empty_folder(built: Installed) -> None:
    assert "player_game_summary" in built.run(built.command, "status")
    assert [path.name for path in built.folder.iterdir()] == ["var"]


def test_the_ui_shows_the_run_and_leaves_nothing_beside_the_home(built: Installed, tmp_path: Path) -> None:
    with dagster_server(
        own_variables(), tmp_path / "ui.log", command=(built.command, "ui"), folder=built.folder
    ) as address:
        assert loaded_locations(address) == {"nba_assets": "RepositoryLocation"}
        assert len(run_ids(address)) == 1
        assert [path.name for path in built.folder.iterdir()] == ["var"]
    assert [path.name for path in built.folder.iterdir()] == ["var"]


def test_dagster_dev_loads_the_definitions(installed: Installed, tmp_path: Path) -> None:
    command = (installed.python, "-m", "dagster", "dev", "-m", "nba_assets.definitions")
    with dagster_server(own_variables(), tmp_path / "dev.log", command=command, folder=tmp_path) as address:
        assert set(loaded_locations(address).values()) == {"RepositoryLocation"}
