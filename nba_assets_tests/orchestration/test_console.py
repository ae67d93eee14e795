"""What a run says in a terminal, recorded on a pseudo-terminal, and in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from nba_assets.registry import COMPUTED_TABLES
from nba_assets_tests.orchestration.conftest import COMMAND, Home

TABLES = list(COMPUTED_TABLES)[:3]
ESCAPE = "\x1b"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def recorded(home: Home, columns: int, *arguments: object) -> tuple[int, str]:
    """Run `nba-assets` on a terminal of so many columns; its exit code and all that reached the screen."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {
        name: value for name, value in home.environment().items() if name not in ("COLUMNS", "NO_COLOR", "CI")
    } | {"TERM": "xterm"}
    process = subprocess.Popen(
        [str(COMMAND), *map(str, arguments)],
        env=environment,
        cwd=home.path,
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    screen = b""
    while True:
        try:
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


def test_quiet_runs_say_their_result_alone_and_verbose_ones_what_the_workers_say(home: Home) -> None:
    quiet = home.command("run", home.opening, "--table", TABLES[0], "-q")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert TABLES[0] in quiet.stdout
    verbose = home.command("run", home.opening, "--table", TABLES[0], "-v")
    assert re.search(r"Processing \d+ teams with \d+ workers \(parallel mode\)", verbose.stderr)
    assert "Completed" in verbose.stderr
    assert home.command("run", home.opening, "-q", "-v").returncode == 2
