"""Checks of this machine: settings, the home folder, free space, and the clock as far as files can tell it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from nba_assets.doctor.finding import Finding, failure, ok, warning
from nba_assets.settings import SETTINGS_FILE, Settings, misspelt_variables, variables

GIGABYTE = 10**9
WARNED_BELOW_GIGABYTES, FAILED_BELOW_GIGABYTES = 2.0, 0.2
"""Free space: a season takes about 0.25 GB, raw and computed, and a run's records 0.02."""
CLOCK_TOLERANCE = timedelta(minutes=5)


def check_settings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which settings are given, by name; their values may be secret."""
    given = [name for name in variables().values() if environ.get(name, "").strip()]
    file = settings.home / SETTINGS_FILE
    sources = [", ".join(given) or "nothing in the environment", *([f"those of {file}"] if file.is_file() else [])]
    yield ok("settings", f"can be used; set are {' and '.join(sources)}")
    yield from (warning("settings", line) for line in misspelt_variables(environ))


def check_home(home: Path, *, create: bool = False) -> Iterator[Finding]:
    """Whether the home can be written, or made."""
    if create:
        home.mkdir(parents=True, exist_ok=True)
    if home.exists():
        with tempfile.TemporaryFile(dir=home):
            yield ok("home", f"{home} can be written")
    elif os.access(existing(home), os.W_OK | os.X_OK):
        yield ok("home", f"{home} is not there yet; the first run makes it")
    else:
        yield failure(
            "home",
            f"{home} cannot be made: give yourself the permission to write {existing(home)}, or set NBA_ASSETS_HOME",
        )


def check_disk(places: Sequence[Path]) -> Iterator[Finding]:
    """Free space of each file system that the places are on."""
    folders = {(folder := existing(place)).stat().st_dev: folder for place in reversed(places)}
    for folder in reversed(folders.values()):
        free = shutil.disk_usage(folder).free / GIGABYTE
        said = f"{free:,.1f} GB are free on the file system of {folder}"
        if free >= WARNED_BELOW_GIGABYTES:
            yield ok("disk", said)
        else:
            found = warning if free >= FAILED_BELOW_GIGABYTES else failure
            yield found("disk", f"{said}; a season takes about 0.25 GB: free space, or set NBA_ASSETS_HOME")


def check_clock(now: datetime, newest: Mapping[str, datetime]) -> Iterator[Finding]:
    """Whether nothing that has been written is of a later time than this machine's; `newest` says what was written."""
    ahead = {what: moment for what, moment in newest.items() if moment > now + CLOCK_TOLERANCE}
    for what, moment in ahead.items():
        yield warning(
            "clock",
            f"{what} is of {moment:%Y-%m-%d %H:%M} UTC, and it is {now:%Y-%m-%d %H:%M} UTC by this machine's clock: "
            "set the clock right, since what is newer is told by it",
        )
    if not ahead:
        yield ok("clock", f"it is {now:%Y-%m-%d %H:%M} UTC, and nothing written is of a later time")


def existing(place: Path) -> Path:
    """The place itself, or the nearest folder above it that is there."""
    return next(path for path in (place, *place.parents) if path.exists())
