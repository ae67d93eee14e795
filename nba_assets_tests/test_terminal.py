"""What reaches a terminal or a log: no escape sequence that a file has brought along."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from nba_assets.terminal import CleanConsole
from nba_assets.wording import clean, one_line

WRITINGS = ["\x1b[31mJames\x1b[0m", "\x9b31mJames", "\x1b]0;title\x07James", "\u202eJames", "\x07\x08\x7f\rJames"]


@pytest.mark.parametrize("name", WRITINGS)
def test_nothing_that_does_something_to_a_terminal_is_printed(name: str) -> None:
    printed = io.StringIO()
    console = CleanConsole(file=printed, width=80)
    table = Table("player", "reason")
    table.add_row(Text(name), name)
    console.print(name, markup=False, highlight=False)
    console.print(table)
    assert printed.getvalue().count("James") == 3
    assert clean(printed.getvalue()) == printed.getvalue()


def test_a_console_s_own_colours_stay() -> None:
    printed = io.StringIO()
    CleanConsole(file=printed, force_terminal=True, color_system="standard").print("James", style="red")
    assert "\x1b[31mJames" in printed.getvalue()


def test_letters_of_all_languages_stay() -> None:
    assert clean("Dončić\tシュート\n") == "Dončić\tシュート\n"
    assert one_line("a\n  b\x1b[0m\tc") == "a b[0m c"


def test_what_a_code_location_logs_is_clean() -> None:
    script = "import logging, nba_assets.definitions; logging.warning('who is %s, or \\x1b[31mJames', '\\x1b[2Jhe')"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert found.stderr.splitlines()[-1] == "WARNING:root:who is [2Jhe, or [31mJames"
