"""Settings: environment variables, few and listed here, read when a run starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

CORES = os.cpu_count() or 1
SETTINGS_FILE = "settings.env"
"""In the home: lines like NBA_ASSETS_FIRST_DATE=2024-10-01. The environment goes before it."""
LONGEST_SECONDS = 30 * 24 * 3600.0
"""Bound of what may be set as a bound: timers overflow far beyond."""


class Backend(StrEnum):
    """What workers are made of."""

    threads = "threads"
    processes = "processes"
    dask = "dask"


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the message names both."""


def _absolute(path: Path) -> Path:
    # Not every shell expands `~` after `=`, and a .env file never does.
    return Path(os.path.expanduser(path)).absolute()


def _address(place: str) -> str:
    return place if "://" in place else str(_absolute(Path(place)))


def _not_the_warehouse(path: Path | None, given: ValidationInfo) -> Path | None:
    if path is not None and str(path) == given.data.get("warehouse"):
        raise ValueError("it is the warehouse itself")
    return path


def _folder(path: Path) -> Path:
    """The path, where it is a folder or one can be made there."""
    there = next((each for each in (path, *path.parents) if os.path.lexists(each)), path)
    if not os.path.isdir(there):
        raise ValueError(f"{there} is not a folder; name a folder, or one to be created")
    return path


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
Address = Annotated[str, AfterValidator(_address)]
"""A path, made absolute, or a URL, left as it is."""


def _setting(variable: str, meaning: str, **rules: Any) -> Any:
    return Field(description=meaning, validation_alias=variable, **rules)


class Settings(BaseSettings):
    """Where things are and how work is done. Relative paths count from the current directory.

    Made in code, they are what is given and defaults; `from_environment` reads the variables.
    """

    model_config = SettingsConfigDict(frozen=True, validate_by_name=True)

    home: Annotated[AbsolutePath, AfterValidator(_folder)] = _setting(
        "NBA_ASSETS_HOME", "Folder that holds everything written", default=Path("var")
    )
    landing: Address = _setting(
        "NBA_ASSETS_LANDING",
        (
            "Landing zone of the raw data: a folder, gs://BUCKET/PREFIX, or raw tables in BigQuery, "
            "bigquery://PROJECT/DATASET?reference=DATASET; `landing` in the home by default"
        ),
        default_factory=lambda given: str(given["home"] / "landing"),
    )
    warehouse: Address = _setting(
        "NBA_ASSETS_WAREHOUSE",
        "Where the tables live: a file, or bigquery://PROJECT/PREFIX?location=EU; `nba.duckdb` in the home by default",
        default_factory=lambda given: str(given["home"] / "nba.duckdb"),
    )
    read_copy: Annotated[AbsolutePath | None, AfterValidator(_not_the_warehouse)] = _setting(
        "NBA_ASSETS_READ_COPY",
        "DuckDB file for readers: a copy of the warehouse, replaced whole after each run; none is made without it",
        default=None,
    )
    first_date: date = _setting(
        "NBA_ASSETS_FIRST_DATE",
        "First date that has partitions; earlier seasons need an earlier one",
        default=date(2020, 7, 1),
    )
    warehouse_wait_seconds: float = _setting(
        "NBA_ASSETS_WAREHOUSE_WAIT_SECONDS",
        "How long to wait for a warehouse that another process holds",
        default=60.0,
        ge=0,
        allow_inf_nan=False,
    )
    player_workers: int = _setting("NBA_ASSETS_PLAYER_WORKERS", "Workers for players", default=min(10, CORES), ge=1)
    team_workers: int = _setting("NBA_ASSETS_TEAM_WORKERS", "Workers for teams", default=min(5, CORES), ge=1)
    enable_player_parallelization: bool = _setting(
        "ENABLE_PLAYER_PARALLELIZATION", "Players in parallel; false is one after the other", default=True
    )
    enable_team_parallelization: bool = _setting(
        "ENABLE_TEAM_PARALLELIZATION", "Teams in parallel; false is one after the other", default=True
    )
    parallel_backend: Backend = _setting(
        "NBA_ASSETS_PARALLEL_BACKEND", "What the workers are: threads, processes or dask", default=Backend.threads
    )
    dask_scheduler: str | None = _setting(
        "NBA_ASSETS_DASK_SCHEDULER",
        "Scheduler of the Dask cluster that computes where the workers are dask, as tcp://HOST:8786",
        default=None,
    )
    chunk_seconds: float = _setting(
        "NBA_ASSETS_CHUNK_SECONDS",
        "How long a chunk of entities may be computed, in serial mode one entity, before it counts as hanging",
        default=600.0,
        gt=0,
        le=LONGEST_SECONDS,
    )
    run_seconds: float = _setting(
        "NBA_ASSETS_RUN_SECONDS",
        (
            "How long a run may take before it is ended; the daemon ends it after max_runtime_seconds of dagster.yaml "
            "at the latest"
        ),
        default=14400.0,
        gt=0,
        le=LONGEST_SECONDS,
    )
    bootstrap_days: int = _setting(
        "NBA_ASSETS_BOOTSTRAP_DAYS", "First days of a season without precomputed rows", default=14, ge=0
    )
    cache_minimum_games: int = _setting(
        "NBA_ASSETS_CACHE_MINIMUM_GAMES",
        "Games of the season that a player needs for a row of the daily cache",
        default=5,
        ge=1,
    )
    ready_threshold_pct: float = _setting(
        "NBA_ASSETS_READY_THRESHOLD_PCT", "Completeness from which a window is ready", default=90.0, ge=0, le=100
    )
    hard_failure_share: float = _setting(
        "NBA_ASSETS_HARD_FAILURE_SHARE",
        "Share of a date's entities that may fail hard before the date is refused",
        default=0.2,
        ge=0,
        le=1,
    )
    alert_webhook: SecretStr | None = _setting(
        "NBA_ASSETS_ALERT_WEBHOOK",
        "Slack-compatible webhook that receives failed runs and checks; nothing is sent without it",
        default=None,
    )
    results_deadline_hours: float = _setting(
        "NBA_ASSETS_RESULTS_DEADLINE_HOURS",
        "Hours after a date's last tip-off from which its results are run for although some are missing",
        default=12.0,
        ge=0,
        allow_inf_nan=False,
    )
    settle_minutes: float = _setting(
        "NBA_ASSETS_SETTLE_MINUTES",
        "Minutes for which incomplete results must not have changed before that",
        default=30.0,
        ge=0,
        allow_inf_nan=False,
    )
    health_digest_dates: int = _setting(
        "NBA_ASSETS_HEALTH_DIGEST_DATES",
        "Newest dates of each computed table whose rows job health holds against their recorded digests",
        default=7,
        ge=0,
    )
    requests_per_tick: int = _setting(
        "NBA_ASSETS_REQUESTS_PER_TICK", "Runs that a sensor requests at once; the others come next", default=5, ge=1
    )
    request_attempts: int = _setting(
        "NBA_ASSETS_REQUEST_ATTEMPTS",
        "Runs that a sensor requests for one input, with growing pauses, before it leaves the failure to a person",
        default=6,
        ge=1,
    )
    max_file_megabytes: int = _setting(
        "NBA_ASSETS_MAX_FILE_MB", "Size of a landed file, in MB, above which it is refused", default=512, ge=1
    )
    max_content_megabytes: int = _setting(
        "NBA_ASSETS_MAX_CONTENT_MB",
        (
            "Size of a landed file's content, decompressed and decoded, in MB, above which it is refused; reading "
            "takes two to three times as much memory"
        ),
        default=400,
        ge=1,
    )
    max_file_columns: int = _setting(
        "NBA_ASSETS_MAX_FILE_COLUMNS", "Columns of a landed file above which it is refused", default=1000, ge=1
    )
    max_line_kilobytes: int = _setting(
        "NBA_ASSETS_MAX_LINE_KB",
        "Length of a line of CSV or JSON, in KB, above which its file is refused",
        default=1024,
        ge=1,
    )
    max_nesting: int = _setting(
        "NBA_ASSETS_MAX_NESTING",
        "Levels of values within values in JSON or Parquet above which a file is refused",
        default=32,
        ge=1,
    )
    provider_preference: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(lambda names: tuple(str(names).replace(",", " ").split()))
    ] = _setting(
        "NBA_ASSETS_PROVIDER_PREFERENCE",
        (
            "Providers in order, as `league, espn`: each one's games stand over those of the providers after it; of "
            "others what was processed last stands"
        ),
        default="",
    )
    league_cdn_url: str = _setting(
        "NBA_ASSETS_LEAGUE_CDN_URL", "Address of the league's live feed", default="https://cdn.nba.com/static/json"
    )
    league_stats_url: str = _setting(
        "NBA_ASSETS_LEAGUE_STATS_URL", "Address of the league's statistics site", default="https://stats.nba.com/stats"
    )
    league_pause_seconds: float = _setting(
        "NBA_ASSETS_LEAGUE_PAUSE_SECONDS",
        "Least time between two calls of the league's site",
        default=0.6,
        ge=0,
        allow_inf_nan=False,
    )

    @property
    def landing_folder(self) -> Path:
        """The landing zone as a folder that can be written into; SettingsError where it is none."""
        if is_bucket(self.landing):
            raise SettingsError(
                f"NBA_ASSETS_LANDING={self.landing!r} is a bucket, and this command writes into a folder. Set "
                "NBA_ASSETS_LANDING to a folder for it, and copy that to the bucket."
            )
        if are_source_tables(self.landing):
            raise SettingsError(
                f"NBA_ASSETS_LANDING={self.landing!r} are tables in BigQuery, and this command writes files. Set "
                "NBA_ASSETS_LANDING to a folder for it."
            )
        return Path(self.landing)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """The settings of an environment, the process's own by default; an empty variable counts as not set.

        What the environment does not set is taken from the file `SETTINGS_FILE` in the home, where there is one. Raises
        SettingsError, naming the variable, for a value that cannot be read.
        """
        environ = os.environ if environ is None else environ
        source = _Variables(cls, {**_settings_in_home(environ), **_without_empty(environ)})
        try:
            return cls(**source())
        except ValidationError as error:
            first = error.errors()[0]
            variable = str(first["loc"][0])
            meaning = next(
                field.description for field in cls.model_fields.values() if field.validation_alias == variable
            )
            why = first["msg"].removeprefix("Value error, ")
            raise SettingsError(
                f"{variable}={source.given[variable]!r} cannot be used: {why}. It means: {meaning}."
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given alone: `from_environment` reads the variables, of the process or of a mapping."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class _Variables(EnvSettingsSource):
    """The settings that stand in a mapping of variables."""

    def __init__(self, settings_cls: type[BaseSettings], given: Mapping[str, str]) -> None:
        super().__init__(settings_cls, case_sensitive=True)
        self.given = self.env_vars = given


def _without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in environ.items() if value.strip()}


def _settings_in_home(environ: Mapping[str, str]) -> dict[str, str]:
    home = environ.get(variables()["home"], "").strip() or Settings.model_fields["home"].default
    file = _absolute(Path(home)) / SETTINGS_FILE
    given = dotenv_values(file) if file.is_file() else {}
    return _without_empty({name: value or "" for name, value in given.items()})


def is_bucket(landing: str) -> bool:
    """Whether a landing zone is a bucket of Cloud Storage."""
    return landing.startswith("gs://")


def is_folder(landing: str) -> bool:
    """Whether a landing zone is a folder, which Google does not hold."""
    return not is_bucket(landing) and not are_source_tables(landing)


def are_source_tables(landing: str) -> bool:
    """Whether a landing zone are raw tables in BigQuery."""
    return landing.startswith("bigquery://")


def variables() -> dict[str, str]:
    """The environment variable of each setting."""
    return {name: str(field.validation_alias) for name, field in Settings.model_fields.items()}


PREFIX = "NBA_ASSETS_"
OTHER_VARIABLES = {
    "NBA_ASSETS_REAL_DATA",
    "NBA_ASSETS_PROVIDER_SAMPLES",
    "NBA_ASSETS_EMULATORS",
    "NBA_ASSETS_GCP_PROJECT",
    "NBA_ASSETS_GCP_LOCATION",
}
"""Variables of this project that are no settings: where the tests find real seasons, emulators and a project."""


def misspelt_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """A line for each variable of an environment that looks like a setting and is none, with the nearest name."""
    given, known = (
        {name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)}
        for names in (os.environ if environ is None else environ, [*variables().values(), *OTHER_VARIABLES])
    )
    nearest = {name: get_close_matches(name, known, 1) for name in sorted(given - known)}
    return [
        f"{PREFIX}{name} is no setting and does nothing{f'; do you mean {PREFIX}{near[0]}?' if near else '.'}"
        for name, near in nearest.items()
    ]


def settings_table() -> str:
    """All settings as a Markdown table: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = DERIVED_DEFAULTS.get(name, field.default)
        lines.append(f"| `{field.validation_alias}` | `{default}` | {field.description} |")
    return "\n".join(lines)


DERIVED_DEFAULTS = {
    "home": "./var",
    "landing": "$NBA_ASSETS_HOME/landing",
    "warehouse": "$NBA_ASSETS_HOME/nba.duckdb",
    "read_copy": "not set",
    "player_workers": "min(10, cores)",
    "team_workers": "min(5, cores)",
    "dask_scheduler": "not set",
    "alert_webhook": "not set",
    "provider_preference": "not set",
}
