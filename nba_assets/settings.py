"""Settings: environment variables, few and listed here, read when a run starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

CORES = os.cpu_count() or 1


class Backend(StrEnum):
    """What workers are made of."""

    threads = "threads"
    processes = "processes"


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names both."""


def _setting(variable: str, meaning: str, default: Any = None, default_factory: Callable[[], Any] | None = None, **rules: Any) -> Any:
    extra: dict[str, Any] = {"variable": variable}
    if default_factory is not None:
        return Field(default_factory=default_factory, description=meaning, json_schema_extra=extra, **rules)
    return Field(default, description=meaning, json_schema_extra=extra, **rules)


class Settings(BaseModel):
    """Where things are and how work is done. Relative paths count from the current directory."""

    model_config = ConfigDict(frozen=True)

    home: Path = _setting("NBA_ASSETS_HOME", "Folder that holds everything written", Path("var"))
    landing: Path = _setting("NBA_ASSETS_LANDING", "Landing zone of the raw files; `landing` in the home by default", Path())
    warehouse: str = _setting("NBA_ASSETS_WAREHOUSE", "DuckDB file of the tables; `nba.duckdb` in the home by default", "")
    warehouse_wait_seconds: float = _setting(
        "NBA_ASSETS_WAREHOUSE_WAIT_SECONDS", "How long to wait for a warehouse that another process holds", 60.0, ge=0
    )
    player_workers: int = _setting("NBA_ASSETS_PLAYER_WORKERS", "Workers for players", min(10, CORES), ge=1)
    team_workers: int = _setting("NBA_ASSETS_TEAM_WORKERS", "Workers for teams", min(5, CORES), ge=1)
    enable_player_parallelization: bool = _setting("ENABLE_PLAYER_PARALLELIZATION", "Players in parallel; false is one after the other", True)
    enable_team_parallelization: bool = _setting("ENABLE_TEAM_PARALLELIZATION", "Teams in parallel; false is one after the other", True)
    parallel_backend: Backend = _setting("NBA_ASSETS_PARALLEL_BACKEND", "What the workers are: threads or processes", Backend.threads)
    bootstrap_days: int = _setting("NBA_ASSETS_BOOTSTRAP_DAYS", "First days of a season without precomputed rows", 14, ge=0)
    ready_threshold_pct: float = _setting("NBA_ASSETS_READY_THRESHOLD_PCT", "Completeness from which a window is ready", 90.0, ge=0, le=100)
    hard_failure_share: float = _setting(
        "NBA_ASSETS_HARD_FAILURE_SHARE", "Share of entities that may fail hard before a run refuses to write", 0.2, ge=0, le=1
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of an environment, the process's own by default.

        Raises SettingsError, naming the variable, for a value that cannot be read.
        """
        environ = os.environ if environ is None else environ
        variables = {name: _variable(name) for name in cls.model_fields}
        given = {name: environ[variable] for name, variable in variables.items() if environ.get(variable, "").strip()}
        home = Path(given.get("home", str(cls.model_fields["home"].default)))
        derived: dict[str, Any] = {"home": home.absolute(), "landing": home.absolute() / "landing", "warehouse": str(home.absolute() / "nba.duckdb")}
        absolute: dict[str, Any] = {name: str(Path(given[name]).absolute()) for name in ("home", "landing", "warehouse") if name in given}
        try:
            return cls(**{**derived, **given, **absolute})
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            raise SettingsError(
                f"{variables[name]}={environ.get(variables[name])!r} cannot be used: {first['msg']}. It means: {cls.model_fields[name].description}."
            ) from None


def settings_table() -> str:
    """All settings as a Markdown table: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = DERIVED_DEFAULTS.get(name, field.default)
        lines.append(f"| `{_variable(name)}` | `{default}` | {field.description} |")
    return "\n".join(lines)


DERIVED_DEFAULTS = {
    "home": "./var",
    "landing": "$NBA_ASSETS_HOME/landing",
    "warehouse": "$NBA_ASSETS_HOME/nba.duckdb",
    "player_workers": "min(10, cores)",
    "team_workers": "min(5, cores)",
}


def _variable(name: str) -> str:
    extra = Settings.model_fields[name].json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(f"setting {name} names no environment variable")
    return str(extra["variable"])
