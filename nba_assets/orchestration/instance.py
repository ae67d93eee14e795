"""The Dagster instance is in the home folder, whichever command starts it.

`dagster.yaml` names the storages below instead of Dagster's own, so that runs, events and logs land in
`$NBA_ASSETS_HOME/dagster` whether the command line, `nba-assets ui` or `dagster dev` opens the instance, and whether
DAGSTER_HOME is unset or names the project. `dagster.yaml` itself can only name an environment variable that is set
(`base_dir: {env: …}`), neither a default for it nor a folder below it: hence the imports of Dagster's internals.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage, _event_logs_directory
from dagster._serdes import ConfigurableClassData

from nba_assets.orchestration.event_log import event_log_storage
from nba_assets.settings import Settings

PACKAGE = Path(__file__).parents[1]
"""Folder of the package, which holds `dagster.yaml` and `workspace.yaml` as well: there is no project folder beside an
installed wheel.
"""

COPIED = (
    "# A copy, written again whenever it differs from the one that nba-assets ships: change another file and "
    "name its folder in DAGSTER_HOME.\n"
)


def dagster_home() -> Path:
    """Folder of the Dagster instance in the home."""
    return Settings.from_environment().home / "dagster"


def dagster_instance() -> dg.DagsterInstance:
    """The instance that DAGSTER_HOME names, else the one in the home folder, as the shipped dagster.yaml configures
    it.
    """
    if os.environ.get("DAGSTER_HOME", "").strip():
        return dg.DagsterInstance.get()
    return dg.DagsterInstance.from_config(str(configured_home()))


def configured_home() -> Path:
    """The folder of the instance in the home with the shipped `dagster.yaml` in it, so that DAGSTER_HOME may name
    it.
    """
    configuration = dagster_home() / "dagster.yaml"
    shipped = COPIED + (PACKAGE / "dagster.yaml").read_text()
    if not configuration.exists() or configuration.read_text() != shipped:
        configuration.parent.mkdir(parents=True, exist_ok=True)
        beside = configuration.with_name(f"dagster.yaml.{os.getpid()}")
        beside.write_text(shipped)
        beside.replace(configuration)
    return configuration.parent


class HomeStorage(DagsterSqliteStorage):
    """Runs, events and schedules in SQLite files in the home folder."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = event_log_storage(_event_logs_directory(base_dir))

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: the home folder says it all."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> HomeStorage:  # noqa: ARG003
        """The storage in the home folder of the environment."""
        return cls.from_local(str(_folder("storage")), inst_data)


class HomeArtifactStorage(LocalArtifactStorage):
    """Dagster's small files in the home folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: the home folder says it all."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003 - Dagster calls it by this name
    ) -> HomeArtifactStorage:
        """The storage in the home folder of the environment."""
        return cls(str(_folder("artifacts")), inst_data)


class HomeComputeLogManager(LocalComputeLogManager):
    """What steps print, in the home folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No configuration: the home folder says it all."""
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003 - Dagster calls it by this name
    ) -> HomeComputeLogManager:
        """The logs in the home folder of the environment."""
        return cls(str(_folder("logs")), inst_data=inst_data)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Capture what is printed in the block; an interrupt from the terminal does not reach the helper processes that
        do it, which end with the block.
        """
        with ExitStack() as stack:
            # A signal that is blocked when a process starts stays blocked in it; this one sees it as soon as the
            # helpers are there.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                captured = stack.enter_context(super().capture_logs(log_key))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            yield captured


def _folder(name: str) -> Path:
    folder = dagster_home() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
