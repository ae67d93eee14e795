"""A small league in a landing zone, and the command line as a user has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets_tests.forked_command import completed
from nba_assets_tests.league import SMALL_LEAGUE

COMMAND = Path(sys.executable).with_name("nba-assets")


@dataclass(frozen=True)
class Home:
    """A user's home folder with a league landed in it."""

    path: Path
    opening: date

    @property
    def warehouse(self) -> Path:
        """The DuckDB file."""
        return self.path / "nba.duckdb"

    @property
    def landing(self) -> Path:
        """The landing zone."""
        return self.path / "landing"

    def day(self, number: int) -> date:
        """A date of the season, 0 is opening night."""
        return self.opening + timedelta(days=number)

    def environment(self) -> dict[str, str]:
        """The environment of a user who has set nothing but his home."""
        return {**os.environ, "NBA_ASSETS_HOME": str(self.path)}

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run `nba-assets` to its end."""
        return completed([str(argument) for argument in arguments], self.environment(), self.path)

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Start the installed `nba-assets` and go on."""
        return subprocess.Popen(
            [str(COMMAND), *map(str, arguments)],
            env=self.environment(),
            cwd=self.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A landed league, built by nobody; tests work on copies."""
    path = tmp_path_factory.mktemp("landed")
    summary = write_season(path / "landing", 2024, **SMALL_LEAGUE)
    return Home(path, summary.first_date)


@pytest.fixture
def home(landed: Home, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A landed league of the test's own."""
    shutil.copytree(landed.path, own_home)
    monkeypatch.setenv("NBA_ASSETS_HOME", str(own_home))
    return Home(own_home, landed.opening)
