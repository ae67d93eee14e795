"""What a newcomer touches first: installing, `make`, the command and where its pieces are named."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
COMMANDS = {"demo", "run", "backfill", "status", "dictionary", "sample", "ui"}
PYTHONS = ["python3.11", "python3.12", "python3.13", "python3.14", "python3"]
"""Commands that `make` looks for."""
TARGETS = {
    "emulators",
    "test-deployment",
    "test-gcp",
    "lint-deploy",
    "help",
    "install",
    "demo",
    "test",
    "ui",
    "lint",
    "types",
    "bench",
    "mutants",
    "clean",
}

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run make in the project, with `path` before all other folders of commands."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHON", "VENV", "MAKEFLAGS", "MAKELEVEL")
    }
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.run(
        ["make", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def python_named(folder: Path, name: str, script: str) -> Path:
    """A command in `folder` that does what `script` says."""
    command = folder / name
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return command


def packages_installed_with(requirement: Requirement, seen: set[tuple[str, str]]) -> set[str]:
    """Names of all packages that a requirement brings here, itself included."""
    names: set[str] = {canonicalize_name(requirement.name)}
    for extra in {"", *requirement.extras}:
        if (requirement.name, extra) in seen:
            continue
        seen.add((requirement.name, extra))
        for needed in map(Requirement, requires(requirement.name) or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                names |= packages_installed_with(needed, seen)
    return names


def test_everything_that_is_installed_is_pinned_and_nothing_else() -> None:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line) for line in lines)
    pinned = [canonicalize_name(line.split("==")[0]) for line in lines]
    assert len(set(pinned)) == len(pinned)
    try:
        installed = packages_installed_with(Requirement("nba-assets[dev]"), set())
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not installed here: `make install` brings all that development needs")
    assert set(pinned) == installed - {"nba-assets"}


def test_every_file_names_the_same_definitions() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]
    (workspace,) = yaml.safe_load((PROJECT / "workspace.yaml").read_text())["load_from"]
    assert (
        project["dagster"]["module_name"]
        == project["dg"]["project"]["code_location_target_module"]
        == workspace["python_module"]["module_name"]
        == "nba_assets.definitions"
    )
    assert project["dagster"]["code_location_name"] == workspace["python_module"]["location_name"]


def test_the_command_works_from_any_folder(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("nba-assets")
    shown = subprocess.run(
        [str(command), "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert set(shown.split()) >= COMMANDS
    assert not list(tmp_path.iterdir())


@needs_make
def test_make_lists_its_targets() -> None:
    assert {line.split()[0] for line in make("help").stdout.splitlines()} == TARGETS
    assert make().stdout == make("help").stdout


@needs_make
@pytest.mark.parametrize("named", PYTHONS)
def test_make_passes_over_a_python_that_does_not_run(named: str, tmp_path: Path) -> None:
    for name in PYTHONS:
        python_named(tmp_path, name, f"echo '{name}: command not found' >&2; exit 127")
    works = python_named(tmp_path, named, f'exec {sys.executable} "$@"')
    assert f"{works} -m venv" in make("-n", "install", f"VENV={tmp_path / 'venv'}", path=tmp_path).stdout


@needs_make
@pytest.mark.parametrize("minor", range(10, 16))
def test_make_takes_the_pythons_that_the_package_and_dagster_take(minor: int, tmp_path: Path) -> None:
    for name in PYTHONS:
        python_named(tmp_path, name, "exit 1")
    pretend = f"import sys; sys.version_info = (3, {minor}, 0); exec(sys.argv[2])"
    python = python_named(tmp_path, "python3", f"exec {sys.executable} -c '{pretend}' \"$@\"")
    taken = f"{python} -m venv" in make("-n", "install", f"VENV={tmp_path / 'venv'}", path=tmp_path).stdout
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    version = f"3.{minor}"
    assert taken == (minor in range(11, 15)) == SpecifierSet(project["requires-python"]).contains(f"{version}.0")
    assert taken == (f"Programming Language :: Python :: {version}" in project["classifiers"])
    assert not taken or SpecifierSet(metadata("dagster")["Requires-Python"]).contains(f"{version}.0")


@needs_make
def test_make_without_a_python_says_what_to_install(tmp_path: Path) -> None:
    for name in PYTHONS:
        python_named(tmp_path, name, "exit 1")
    ended = make("install", f"VENV={tmp_path / 'venv'}", path=tmp_path)
    assert ended.returncode != 0
    assert "no Python 3.11 to 3.14" in ended.stdout
    assert not (tmp_path / "venv").exists()


@needs_make
def test_make_serves_the_ui_as_the_command_does() -> None:
    assert make("-n", "ui", "PORT=3210").stdout.splitlines()[-1].endswith("/nba-assets ui --port 3210")


@needs_make
def test_make_installs_again_only_for_other_requirements(tmp_path: Path) -> None:
    stamp = tmp_path / ".installed"
    stamp.touch()
    assert make("-q", str(stamp), f"VENV={tmp_path}").returncode == 0
    os.utime(stamp, (0, 0))
    assert make("-q", str(stamp), f"VENV={tmp_path}").returncode == 1
