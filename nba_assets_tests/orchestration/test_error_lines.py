"""Errors of the command line: one line that says what is wrong, where and what to do, whatever the system refuses."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nba_assets.error_lines import ADVICE, one_line_errors, writing_to
from nba_assets.settings import misspelt_variables
from nba_assets_tests.orchestration.conftest import Home

NOBODY = 65534


def raised(error: Exception, capsys: pytest.CaptureFixture[str]) -> str:
    """The line that is said of an error."""
    with pytest.raises(SystemExit) as ended, one_line_errors():
        raise error
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return str(line)


@pytest.mark.parametrize("number", ADVICE)
def test_what_the_system_refuses_is_said_with_place_and_advice(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    line = raised(OSError(number, os.strerror(number), "/some/place"), capsys)
    assert line.startswith(f"/some/place: {os.strerror(number)}. {ADVICE[number]}; the places are NBA_ASSETS_HOME")


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.ENOSPC, "a library's words"), "/out/page.html"),
        (OSError(errno.ENOSPC, "full", "/out/page.html.new"), "/out/page.html.new"),
        (OSError(errno.ENOSPC, "full", "/out"), "/out"),
    ],
)
def test_what_cannot_be_written_for_a_reader_is_named_with_its_option(
    error: OSError, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit), one_line_errors(), writing_to(Path("/out/page.html"), "--output"):
        raise error
    line = f"{named}: No space left on device. Free space there; --output names the place.\n"
    assert capsys.readouterr().err == line


def test_what_is_refused_elsewhere_while_writing_for_a_reader_is_not_laid_to_its_option() -> None:
    with pytest.raises(OSError, match=r"/home/nba\.duckdb"), writing_to(Path("/out/page.html"), "--output"):
        raise OSError(errno.EACCES, "no", "/home/nba.duckdb")


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("database or disk is full", "Free space"),
        ("disk I/O error", "Free space"),
        ("attempt to write a readonly database", "permission"),
        ("unable to open database file", "permission"),
        ("database is locked", "wait for it"),
        ("database disk image is malformed", "move the folder away"),
    ],
)
def test_what_sqlite_refuses_is_said_whoever_wraps_it(
    said: str, advice: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrapped = RuntimeError("[SQL: INSERT]\nparameters")
    wrapped.__cause__ = sqlite3.OperationalError(said)
    line = raised(wrapped, capsys)
    assert line.startswith(f"Dagster's records in {own_home / 'dagster'} cannot be used: {said}. ")
    assert advice in line


def test_a_fault_of_the_program_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError


def test_escape_sequences_and_line_breaks_do_not_get_into_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert raised(OSError(errno.EACCES, "no", "/a\n\x1b[31mb"), capsys).startswith("/a [31mb: no.")


def command(
    home: Path, *arguments: object, prepare: Callable[[], None] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The command line in a process that is prepared first."""
    surroundings = {**os.environ, "NBA_ASSETS_HOME": str(home), **environment}
    line = [sys.executable, "-m", "nba_assets.cli", *map(str, arguments)]
    return subprocess.run(
        line, env=surroundings, capture_output=True, text=True, timeout=300, check=False, preexec_fn=prepare
    )


def only_line(found: subprocess.CompletedProcess[str]) -> str:
    assert found.returncode == 1, found.stdout + found.stderr
    return found.stderr.splitlines()[-1]


def test_a_reader_who_goes_away_is_no_error(own_home: Path) -> None:
    shell = f"{sys.executable} -m nba_assets.cli dictionary | head -1"
    found = subprocess.run(shell, shell=True, capture_output=True, text=True, timeout=120, check=True)
    assert (found.stdout, found.stderr) == ("# Data dictionary\n", "")


def test_output_that_cannot_be_written_is_said(own_home: Path) -> None:
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "nba_assets.cli", "dictionary"]
        found = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert found.returncode == 1
    assert found.stderr.startswith("the output: No space left on device. Free space there;")
    assert found.stderr.count("\n") == 1


def test_a_home_that_cannot_be_made_is_said(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = command(tmp_path / "file" / "home", "run", home.opening, NBA_ASSETS_LANDING=str(home.landing))
    assert f"cannot be used: {tmp_path}/file is not a folder; name a folder, or one to be created" in only_line(found)


def test_a_landing_zone_that_is_not_there_is_said(own_home: Path, tmp_path: Path) -> None:
    found = command(own_home, "run", "2024-10-22", NBA_ASSETS_LANDING=str(tmp_path / "nothing"))
    assert only_line(found).startswith(
        f"the landing zone {tmp_path}/nothing is not a folder that can be read; create it,"
    )


def test_damaged_records_of_dagster_are_said(home: Home) -> None:
    records = home.path / "dagster" / "storage" / "history"
    records.mkdir(parents=True)
    (records / "runs.db").write_text("no database at all, " * 100)
    line = only_line(command(home.path, "run", home.opening))
    assert line.startswith(
        f"Dagster's records in {home.path}/dagster cannot be used: file is not a database. The file is damaged"
    )


@pytest.mark.slow
def test_a_disk_without_space_is_said(home: Home) -> None:
    """As the limit of a file's size, which everybody may set; a program that ignores its signal gets the error."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    found = command(home.path, "run", home.opening, prepare=limit)
    assert found.returncode == 1
    assert "Traceback" not in found.stdout + found.stderr
    assert "Free space there" in only_line(found) or "ulimit -f" in only_line(found)


AS_NOBODY = f"""
import os, sys
import nba_assets.definitions, nba_assets.cli, nba_assets.report.page
import nba_assets.orchestration.retries, nba_assets.orchestration.health, pyarrow.compute
import encodings.unicode_escape
os.setgid({NOBODY}); os.setuid({NOBODY})
sys.argv[0] = "nba-assets"
nba_assets.cli.main()
"""


@pytest.fixture
def of_somebody_else(home: Home) -> Home:
    """A built home that nobody else may write."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    assert home.command("run", home.opening).returncode in (0, 3)
    for place in (home.path, *home.path.parents):
        if place.owner() == "root" and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o055)
    return home


@pytest.mark.slow
def test_reading_needs_no_writing(of_somebody_else: Home, tmp_path: Path) -> None:
    home = of_somebody_else

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        surroundings = {
            **os.environ,
            "NBA_ASSETS_HOME": str(home.path),
            "HOME": "/nonexistent",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        line = [sys.executable, "-c", AS_NOBODY, *map(str, arguments)]
        return subprocess.run(line, env=surroundings, cwd="/", capture_output=True, text=True, timeout=120, check=False)

    for reading in ("status", "failures", "quarantine", "names", "dictionary"):
        found = run(reading)
        assert (found.returncode, found.stderr) == (0, ""), found.stderr
    assert only_line(run("report", home.opening)).startswith(
        f"{home.path}/reports: Permission denied. Give yourself the permission, or"
    )
    line = only_line(run("run", home.opening))
    assert line.startswith(
        f"Dagster's records in {home.path}/dagster cannot be used: attempt to write a readonly database. Give yourself"
    )


def test_a_misspelt_setting_is_named_with_the_nearest_one(own_home: Path) -> None:
    variables = {
        "NBA_ASSETS_HOEM": "/x",
        "NBA_ASSETS_HOME": "/y",
        "NBA_ASSETS_QQQQ": "1",
        "NBA_ASSETS_REAL_DATA": "/z",
        "OTHER": "1",
    }
    assert misspelt_variables(variables) == [
        "NBA_ASSETS_HOEM is no setting and does nothing; do you mean NBA_ASSETS_HOME?",
        "NBA_ASSETS_QQQQ is no setting and does nothing.",
    ]
    assert command(own_home, "dictionary", NBA_ASSETS_HOEM="/x").stderr == variables_line()


def variables_line() -> str:
    return "NBA_ASSETS_HOEM is no setting and does nothing; do you mean NBA_ASSETS_HOME?\n"
