"""Checks of Dagster's instance: its records can be opened and have the form of the installed version; in Postgres, that
events are written in batches.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from sqlalchemy.engine import make_url

from nba_assets.doctor.finding import Finding, failure, ok, warning
from nba_assets.error_lines import line_of
from nba_assets.orchestration.event_log import BATCH_SIZE, BATCH_VARIABLE, PLANNED_SUBSET_VARIABLE
from nba_assets.orchestration.instance import dagster_home, dagster_instance
from nba_assets.wording import counted, phrase

ADVICE = (
    "See that its dagster.yaml is right, and of a database that it runs, that host, port, name and user are right, and "
    "that it lets this user in"
)


def check_instance() -> Iterator[Finding]:
    """Whether runs can be recorded where the instance keeps them."""
    elsewhere = os.environ.get("DAGSTER_HOME", "").strip()
    if not elsewhere and not (dagster_home() / "storage").is_dir():
        yield ok("instance", f"there are no records in {dagster_home()} yet; the first run makes them")
        return
    where = f"DAGSTER_HOME={elsewhere}" if elsewhere else str(dagster_home())
    try:
        with dagster_instance() as instance:
            url = getattr(instance.run_storage, "postgres_url", None)
            kept = f"the Postgres database {_shown(url)}" if url else "SQLite files"
            count = instance.get_runs_count()
            version = instance.event_log_storage.alembic_version()
    except ModuleNotFoundError as error:
        yield failure(
            "instance",
            f"the records of {where} cannot be used: {error}. Install the extra: pip install 'nba-assets[postgres]', "
            "and write the address as postgresql+psycopg2://…",
        )
        return
    except Exception as error:
        yield failure("instance", line_of(error) or f"the records of {where} cannot be used: {_cause(error)}. {ADVICE}")
        return
    if version and version[0] != version[1]:
        yield failure(
            "instance",
            f"the records of {where}, in {kept}, are those of another version of Dagster: stop all of its "
            "processes, save the records, and run `dagster instance migrate`",
        )
    else:
        yield ok("instance", f"{counted(count, 'run')} on record in {kept} of {where}")
    if url and (unset := [name for name in (BATCH_VARIABLE, PLANNED_SUBSET_VARIABLE) if not os.environ.get(name)]):
        yield warning(
            "instance",
            f"events are written to Postgres one by one, most of a backfill's time: set {BATCH_VARIABLE}={BATCH_SIZE} "
            f"and {PLANNED_SUBSET_VARIABLE}=1 for all processes (not set: {', '.join(unset)})",
        )


def _cause(error: BaseException) -> str:
    """What Dagster and SQLAlchemy have wrapped."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return phrase(error)


def _shown(url: str) -> str:
    """The address of a database without its password."""
    return make_url(url).render_as_string(hide_password=True)
