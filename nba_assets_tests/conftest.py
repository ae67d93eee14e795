"""The surroundings of every test: a home of its own, deterministic examples, real seasons where they are."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, settings

from nba_assets.settings import variables

REAL_DATA = "NBA_ASSETS_REAL_DATA"

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("default")


def pytest_configure() -> None:
    """Let the servers that tests start be stopped, also where the shell runs the tests in the background.

    There SIGINT is ignored, which every child inherits, and Dagster treats SIGTERM as it finds SIGINT treated.
    The first partition is read once, when modules are imported: from no developer's environment or home.
    """
    # As in the command: what is imported and collected lives to the end, to look at it again and again took a third
    # of the collection and a tenth of the tests.
    gc.set_threshold(100_000, 20, 20)
    os.environ.pop(variables()["first_date"], None)
    os.environ[variables()["home"]] = str(Path(tempfile.gettempdir()) / "no-home-of-nba-assets")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


LONGEST_FILES = (
    "test_long_life.py",
    "test_crash.py",
    "real_data/test_precompute.py",
    "test_refused_dates.py",
    "test_launch.py",
    "test_random_leagues.py",
    "test_damage.py",
    "test_interleavings.py",
    "test_simulated_league.py",
    "browser/test_demo.py",
    "gcp/test_source_tables.py",
    "benchmarks/test_smoke.py",
    "test_queued_runs.py",
    "test_deploy.py",
    "test_dask_workers.py",
    "test_postgres.py",
)
"""What takes minutes, longest first."""


DEPLOYMENT_FILES = (
    "automation/test_season_chunks.py",
    "benchmarks/test_smoke.py",
    "entities/test_dask_workers.py",
    "entities/test_equal_digests.py",
    "gcp/test_doctor.py",
    "gcp/test_equal_digests.py",
    "gcp/test_literals.py",
    "gcp/test_source_tables.py",
    "how_to/test_pages.py",
    "invariants/test_random_leagues.py",
    "nba_assets_tests/test_deploy.py",
    "nba_assets_tests/test_postgres.py",
    "nba_assets_tests/test_security.py",
    "orchestration/test_console.py",
    "orchestration/test_crash.py",
    "orchestration/test_error_lines.py",
    "orchestration/test_hangs.py",
    "orchestration/test_instance.py",
    "orchestration/test_interleavings.py",
    "orchestration/test_launch.py",
    "orchestration/test_long_life.py",
    "orchestration/test_queued_runs.py",
    "orchestration/test_read_copy.py",
    "orchestration/test_run_workers.py",
    "orchestration/test_ui.py",
    "real_data/test_backtest.py",
    "real_data/test_contexts.py",
    "real_data/test_future_poison.py",
    "real_data/test_game_summaries.py",
    "real_data/test_precompute.py",
)
"""Whose longer tests are a job of their own in CI: with them the other one would take more than half an hour."""


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what lives to the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let it be released at the end: libraries report what is not."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what belongs to the job of deployments, and begin with the longest files: at the end one of them would keep
    one worker busy and the others waiting.
    """
    for item in items:
        is_long = item.get_closest_marker("slow") or item.get_closest_marker("gcp")
        if is_long and item.path.as_posix().endswith(DEPLOYMENT_FILES):
            item.add_marker(pytest.mark.deployment)

    def place(item: pytest.Item) -> int:
        file = item.path.as_posix()
        return next((number for number, name in enumerate(LONGEST_FILES) if file.endswith(f"/{name}")), len(items))

    items.sort(key=place)


def real_data(season_year: int) -> Path:
    """The landing zone of a real season; the test is skipped, with the reason, where there is none."""
    folder = Path(os.environ.get(REAL_DATA, "")) / f"season_{season_year}"
    if not os.environ.get(REAL_DATA) or not folder.is_dir():
        pytest.skip(f"no real season {season_year}: set {REAL_DATA} to a folder that holds season_{season_year}")
    return folder.absolute()


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_developer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the developer has set does not reach a test, nor a fixture that many tests share."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for variable in [*variables().values(), "DAGSTER_HOME"]:
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path_factory.mktemp("shared") / "home"))
        yield


@pytest.fixture(scope="session", autouse=True)
def migrations_are_read_once() -> Iterator[None]:
    """Dagster has all its migrations read from their files for every database that it opens: a tenth of many tests."""
    original = ScriptDirectory.from_config
    known: dict[str | None, ScriptDirectory] = {}

    def from_config(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        if location not in known:
            known[location] = original(config)
        return known[location]

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(ScriptDirectory, "from_config", from_config)
        yield


@pytest.fixture(autouse=True)
def all_time_for_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test depends on how much of a landing zone can be read within some seconds, unless it says so."""
    monkeypatch.setattr("nba_assets.raw.content_index.READING_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the developer's own home folder."""
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
