"""What every test lives in: a home of its own, deterministic examples, real seasons where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REAL_DATA = "NBA_ASSETS_REAL_DATA"

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def real_data(season_year: int) -> Path:
    """The landing zone of a real season; the test is skipped, with the reason, where there is none."""
    folder = Path(os.environ.get(REAL_DATA, "")) / f"season_{season_year}"
    if not os.environ.get(REAL_DATA) or not folder.is_dir():
        pytest.skip(f"no real season {season_year}: set {REAL_DATA} to a folder that holds season_{season_year}")
    return folder.absolute()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the developer's own home folder."""
    for name in [name for name in os.environ if name.startswith("NBA_ASSETS_") and name != REAL_DATA]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
