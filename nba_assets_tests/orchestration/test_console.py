"""What a run says in a terminal, recorded on a pseudo-terminal, and in a pipe."""

from __future__ import annotations

import fcntl
import logging
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from dagster._core.execution.plan.objects import ErrorSource

from nba_assets.orchestration.console import HANDLER, Verbosity, shown_run
from nba_assets.orchestration.interruption import RunEndedError
from nba_assets.publishing.refusals import Refusal, refusal_text
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import COMMAND, Home

TABLES = list(COMPUTED_TABLES)[:3]
ESCAPE = "\x1b"
NOT_BEGUN = "Dependencies for step games failed: ['rosters']. Not executing."
DONE = re.compile(r"\d+/\d+ [a-z_]+: done in [\d.]+ s")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def recorded(
    home: Home,
    columns: int,
    *arguments: object,
    command: Sequence[str] = (str(COMMAND),),
    interrupted_at: Path | None = None,
    **environment: str,
) -> tuple[int, str]:
    """Run `nba-assets` on a terminal of so many columns, and press Ctrl-C once a file is there; its exit code and all
    that reached the screen.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {name: value for name, value in home.environment().items() if name not in ("COLUMNS", "NO_COLOR", "CI")}
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        env=inherited | {"TERM": "xterm"} | environment,
        cwd=home.path,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    screen = b""
    while True:
        if interrupted_at is not None and interrupted_at.exists():
            os.killpg(process.pid, signal.SIGINT)
            interrupted_at = None
        try:
            if not select.select([leader], [], [], 0.1)[0]:
                continue
            read = os.read(leader, 65536)
        except OSError:  # the terminal's last user has gone
            break
        if not read:
            break
        screen += read
    os.close(leader)
    return process.wait(timeout=300), screen.decode()


def texts(screen: str) -> list[str]:
    """The lines of a recorded screen without control sequences, each redrawing a line of its own."""
    return [line.strip() for line in re.split(r"[\r\n]+", CONTROL.sub("\r", screen)) if line.strip()]


def compute_logs(home: Home) -> list[Path]:
    return [path for path in (home.path / "dagster").rglob("*") if path.is_file() and path.suffix in (".err", ".out")]


def tell(
    kind: str, step: str, seconds: float = 1.25, source: ErrorSource = ErrorSource.USER_CODE_ERROR, error: str = "Error"
) -> None:
    """An event of a step, as Dagster logs it."""
    record = logging.LogRecord("dagster", logging.DEBUG, "", 0, "", None, None)
    record.dagster_event = SimpleNamespace(
        event_type_value=kind,
        step_key=step,
        step_success_data=SimpleNamespace(duration_ms=1000 * seconds),
        step_failure_data=SimpleNamespace(error_source=source, error=SimpleNamespace(cls_name=error)),
    )
    HANDLER.emit(record)


def test_every_end_of_a_step_is_a_line_with_its_count(capsys: pytest.CaptureFixture[str]) -> None:
    tell("STEP_SUCCESS", "before")
    for _ in range(2):
        with shown_run(3, "2024-10-22"):
            for kind in ("STEP_START", "STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED", "STEP_OUTPUT"):
                tell(kind, "rosters")
        assert capsys.readouterr().err.splitlines() == [
            "1/3 rosters: done in 1.2 s",
            "2/3 rosters: FAILED",
            "3/3 rosters: skipped: what it reads was not built",
        ]
    tell("STEP_SUCCESS", "after")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("source", "error", "shown"),
    [
        (ErrorSource.INTERRUPT, "DagsterExecutionInterruptedError", ["1/2 rosters: interrupted", "other"]),
        (ErrorSource.INTERRUPT, RunEndedError.__name__, ["1/2 rosters: FAILED", NOT_BEGUN, "other"]),
        (ErrorSource.USER_CODE_ERROR, "ValueError", ["1/2 rosters: FAILED", NOT_BEGUN, "other"]),
    ],
)
def test_an_interrupted_table_is_said_to_be_and_nothing_of_those_not_begun(
    source: ErrorSource, error: str, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_run(2, "2024-10-22"):
        tell("STEP_FAILURE", "rosters", source=source, error=error)
        for said in (NOT_BEGUN, "other"):
            record = logging.LogRecord("dagster", logging.ERROR, "", 0, "", None, None)
            record.dagster_meta = {"orig_message": said}
            HANDLER.emit(record)
    assert capsys.readouterr().err.splitlines() == shown
    with shown_run(2, "2024-10-22"):
        tell("STEP_FAILURE", "rosters")
    assert capsys.readouterr().err == "1/2 rosters: FAILED\n"


@pytest.mark.parametrize(
    ("has_summary", "verbosity", "is_said"),
    [(True, Verbosity.NORMAL, False), (True, Verbosity.VERBOSE, True), (False, Verbosity.NORMAL, True)],
)
@pytest.mark.parametrize(
    "message",
    [
        str(Refusal("player_game_summary", date(2024, 11, 5), "why", "run")),
        refusal_text("nba_analytics.player_game_summary", {date(2024, 11, 5): "why"}),
        "nba_analytics.b reads the rows of its own date in nba_analytics.a, which is not built for 2024-11-05.",
        "rosters: 1 rows and 0 files quarantined in nba_processing.raw_quarantine, e.g. rosters/a.csv, row 1: why",
    ],
)
def test_what_a_run_says_at_its_end_is_not_said_before(
    has_summary: bool, verbosity: Verbosity, is_said: bool, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_run(1, "2024-11-05", verbosity, has_summary=has_summary):
        for said in (message, "looks back on thin data"):
            record = logging.LogRecord("dagster", logging.ERROR, "", 0, "", None, None)
            record.dagster_meta = {"orig_message": said}
            HANDLER.emit(record)
    assert capsys.readouterr().err.splitlines() == [*([message] if is_said else []), "looks back on thin data"]


@pytest.mark.parametrize(
    ("verbosity", "shown"),
    [
        (Verbosity.QUIET, []),
        (Verbosity.NORMAL, ["warning", "1/1 a: done in 1.2 s"]),
        (Verbosity.VERBOSE, ["info", "warning", "1/1 a: done in 1.2 s"]),
    ],
)
def test_a_run_says_as_much_as_it_is_to(
    verbosity: Verbosity, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_run(1, "2024-10-22", verbosity):
        for level in (logging.DEBUG, logging.INFO, logging.WARNING):
            record = logging.LogRecord("dagster", level, "", 0, "with much around it", None, None)
            record.dagster_meta = {"orig_message": logging.getLevelName(level).lower()}
            HANDLER.emit(record)
        tell("STEP_SUCCESS", "a")
    assert capsys.readouterr().err.splitlines() == shown


@pytest.mark.parametrize("columns", [80, 160])
def test_on_a_terminal_the_bar_advances_with_every_table(home: Home, columns: int) -> None:
    arguments = [part for name in TABLES for part in ("--table", name)]
    code, screen = recorded(home, columns, "backfill", home.opening, home.day(1), *arguments)
    assert code == 0, screen
    shown = texts(screen)
    counts = [int(found[1]) for line in shown if (found := re.search(r"(\d+)/13\b", line)) and "done" not in line]
    assert counts == sorted(counts)
    assert set(range(14)) - set(counts) <= {0, 13}, "every table moves the bar"
    done = [line for line in shown if " done in " in line]
    assert len(done) == 13
    assert all(re.fullmatch(r"\d+/13 [a-z_]+: done in [\d.]+ s", line) for line in done), "no line holds two messages"
    assert [name for name in TABLES if any(line.startswith(name) for line in shown)] == TABLES
    assert all(ESCAPE not in log.read_text(errors="replace") for log in compute_logs(home))


def test_a_failing_run_names_what_failed_on_a_line_of_its_own(home: Home) -> None:
    (home.landing / "team_boxscores" / f"game_date={home.opening}" / "part.parquet").write_bytes(b"not parquet")
    code, screen = recorded(home, 160, "run", home.opening, "--table", TABLES[0])
    assert code == 1
    shown = texts(screen)
    refused = [line for line in shown if "team_offense_game_summary" in line and "REFUSED" in line]
    assert refused
    assert all(line.startswith("team_offense_game_summary") for line in refused)
    assert not any(line.count(": done") > 1 for line in shown)


def test_in_a_pipe_there_is_a_plain_line_per_finished_table(home: Home) -> None:
    arguments = [part for name in TABLES for part in ("--table", name)]
    outcome = home.command("run", home.opening, *arguments)
    assert outcome.returncode == 0, outcome.stdout
    assert ESCAPE not in outcome.stdout + outcome.stderr
    assert len(outcome.stderr.splitlines()) == 13
    assert all(re.fullmatch(r"\d+/13 [a-z_]+: done in [\d.]+ s", line) for line in outcome.stderr.splitlines())
    assert all(ESCAPE not in log.read_text(errors="replace") for log in compute_logs(home))


@pytest.mark.slow
def test_quiet_runs_say_their_result_alone_and_verbose_ones_what_the_workers_say(home: Home) -> None:
    quiet = home.command("run", home.opening, "--table", TABLES[0], "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert TABLES[0] in quiet.stdout
    verbose = home.command("run", home.opening, "--table", TABLES[0], "-v")
    assert re.search(r"Processing \d+ teams with \d+ workers \(parallel mode\)", verbose.stderr)
    assert "Completed" in verbose.stderr
    assert home.command("run", home.opening, "-q", "-v").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 160])
def test_an_interrupted_run_says_how_far_it_came_on_a_line_of_its_own(home: Home, tmp_path: Path, columns: int) -> None:
    tables = [part for name in (TABLES[0], TABLES[2]) for part in ("--table", name)]
    assert home.command("run", home.opening, *tables).returncode in (0, 3)
    found = DuckDBWarehouse(home.warehouse).read(COMPUTED_TABLES[TABLES[2]], ["player_lookup"], date.min, date.max)
    code, screen = recorded(
        home,
        columns,
        "run",
        home.opening,
        *tables,
        "--workers",
        "2",
        command=(sys.executable, "-m", "nba_assets_tests.orchestration.hanging"),
        interrupted_at=tmp_path / "at_work",
        HANGING_PLAYER=found["player_lookup"][0].as_py(),
        AT_WORK=str(tmp_path / "at_work"),
        PYTHONPATH=str(Path(__file__).parents[2]),
    )
    assert code == 130, screen
    shown = texts(screen)
    assert [line for line in shown if line.endswith(": interrupted")] == [f"2/2 {TABLES[2]}: interrupted"]
    (said,) = [line for line in shown if line.startswith("interrupted")]
    assert said.startswith("interrupted: 1 of 2 tables are done; continue with: nba-assets run")
    assert [line for line in shown if DONE.search(line)] == [line for line in shown if DONE.fullmatch(line)]
    assert not [words for words in ("Traceback", "FAILED", "Not executing") if words in screen]
    assert all(ESCAPE not in log.read_text(errors="replace") for log in compute_logs(home))


@pytest.mark.slow
def test_the_demo_advances_with_every_table_and_ends_with_what_a_person_reads(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo", date(2024, 10, 22))
    home.path.mkdir()
    code, screen = recorded(home, 80, "demo", "--no-open")
    assert code in (0, 3), screen
    shown = texts(screen)
    done = [line for line in shown if DONE.search(line)]
    assert len(done) >= 20
    assert all(DONE.fullmatch(line) for line in done), "no line holds two messages"
    counts = {int(found[1]) for line in shown if (found := re.search(r"(\d+)/20\b", line)) and line not in done}
    assert set(range(1, 20)) <= counts, "every table moves the bar"
    assert "nba-assets demo --next-day" in " ".join(shown[-2:])
    assert all(ESCAPE not in log.read_text(errors="replace") for log in compute_logs(home))


@pytest.mark.slow
def test_at_80_columns_no_column_of_a_listing_is_cut(home: Home) -> None:
    file = next((home.landing / "player_gamebook").rglob(f"*{home.opening}*/*.parquet"))
    file.write_bytes(b"not parquet")
    recorded(home, 80, "run", home.opening, "--table", TABLES[0], "-q")
    for columns in (80, 200):
        _, screen = recorded(home, columns, "quarantine")
        words = CONTROL.sub("", screen)
        assert "\N{HORIZONTAL ELLIPSIS}" not in words
        assert {"player_gamebook", str(home.opening)} <= set(words.replace(",", " ").split())
        assert file.name in words
        assert all(len(line) <= columns for line in words.splitlines() if "entries shown" not in line)
    for command in ("status", "failures"):
        assert "\N{HORIZONTAL ELLIPSIS}" not in recorded(home, 80, command)[1]


def test_a_shell_completes_the_commands() -> None:
    environment = {
        **os.environ,
        "_NBA_ASSETS_COMPLETE": "complete_bash",
        "COMP_WORDS": "nba-assets backf",
        "COMP_CWORD": "1",
    }
    completed = subprocess.run([str(COMMAND)], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert completed.stdout.split() == ["backfill"]
