"""Errors of the command line in one line: what is wrong, where, and what to do.

Only what nobody can set right keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nba_assets.raw.landing import LandingZoneError
from nba_assets.settings import Settings, SettingsError
from nba_assets.warehouse.interface import WarehouseError
from nba_assets.wording import one_line

ADVICE = {
    errno.ENOSPC: "Free space there",
    errno.EDQUOT: "Free space there, or have your quota raised",
    errno.EFBIG: "It is larger than this process may write (ulimit -f): allow it larger files",
    errno.EACCES: "Give yourself the permission, or name another place",
    errno.EPERM: "Give yourself the permission, or name another place",
    errno.EROFS: "Name a place that can be written",
    errno.EMFILE: "Allow this process more open files (ulimit -n)",
    errno.ENFILE: "Close other programs: the machine has too many open files",
    errno.ENOENT: "Create it, or name another place",
    errno.ENOTDIR: "Name a folder",
    errno.EISDIR: "Name a file",
    errno.EEXIST: "Name a place that is not taken by something else",
    errno.EIO: "Look after the disk",
}
PLACES = "the places are NBA_ASSETS_HOME, NBA_ASSETS_WAREHOUSE and NBA_ASSETS_LANDING"


class OutputError(Exception):
    """A file that a command writes for readers cannot be written; the message says why and what to do."""


@contextmanager
def writing_to(place: Path, named_by: str) -> Iterator[None]:
    """Raise OutputError for what the system refuses of a file or folder, in it or beside it, while the block writes it.

    `named_by` is the option or setting that names the place, as `--out`.
    """
    try:
        yield
    except OSError as error:
        found = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else place
        if error.errno is None or not (found.is_relative_to(place.parent) or place.is_relative_to(found)):
            raise
        # Of a library's error the system's own words: the library's name no file either.
        why, advice = os.strerror(error.errno), _advice(error.errno)
        raise OutputError(f"{found}: {why}. {advice}; {named_by} names the place.") from None


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Say errors that an operator can set right in one line on stderr, and exit with 1; a reader of the output that has
    gone away is none.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still to be written at the end of the process has no reader either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        said = line_of(error)
        if said is None:
            raise
        with suppress(OSError):
            print(said, file=sys.stderr)
        raise SystemExit(1) from None


def interrupted_line(how_far: str) -> str:
    """What is said of a command that a signal ended, and how to go on."""
    return one_line(
        f"interrupted{f': {how_far}' if how_far else ''}; continue with: nba-assets {shlex.join(sys.argv[1:])}"
    )


def line_of(error: BaseException) -> str | None:
    """The line for an error or for what it was raised from; None where nobody can set it right."""
    if isinstance(error, SettingsError | WarehouseError | LandingZoneError | OutputError):
        return one_line(error)
    if isinstance(error, OSError) and error.errno is not None:
        return _of_system(error)
    if isinstance(error, FileNotFoundError):
        return one_line(error)
    if isinstance(error, sqlite3.Error):
        home = Settings.from_environment().home
        return one_line(f"Dagster's records in {home / 'dagster'} cannot be used: {error}. {_sqlite_advice(error)}.")
    # Libraries wrap: SQLAlchemy what SQLite says, Dagster what a storage raises.
    inner = error.__cause__ or error.__context__
    return line_of(inner) if inner is not None else None


def _of_system(error: OSError) -> str:
    where = " and ".join(
        str(os.fsdecode(name)) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)
    )
    why = error.strerror or os.strerror(error.errno or 0)
    return one_line(f"{where or 'the output'}: {why}. {_advice(error.errno or 0)}; {PLACES}.")


def _advice(number: int) -> str:
    return ADVICE.get(number, "Set it right, or name another place")


def _sqlite_advice(error: sqlite3.Error) -> str:
    text = str(error)
    if "full" in text or "disk I/O error" in text:
        return "Free space there, and look after the disk"
    if "readonly" in text or "unable to open" in text:
        return "Give yourself the permission to write there, or name another home with NBA_ASSETS_HOME"
    if "locked" in text:
        return "Another process holds them: wait for it or stop it"
    if "malformed" in text or "not a database" in text:
        return "The file is damaged: move the folder away, the tables do not depend on it"
    return "Look after the permissions of the folder"
