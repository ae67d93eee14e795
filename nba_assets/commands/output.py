"""What the commands print: lines, tables that fit into 80 columns, and listings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.box import SIMPLE_HEAD
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from nba_assets.terminal import CleanConsole

PLAIN_WIDTH, LISTING_WIDTH = 120, 240
"""Columns of output that goes into a file or a pipe, where no terminal tells its width; a listing has room for an entry
per line there.
"""
WIDE, TABLE_WIDTH = 100, 140
"""Columns from which tables show what can be spared, and from which a listing is a table."""
console = CleanConsole(width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def say(line: str) -> None:
    """Print a line as it is, however wide the terminal is."""
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def warn(lines: Iterable[str], *, to_stderr: bool = False) -> None:
    """Print lines that say what is wrong."""
    where = CleanConsole(stderr=True) if to_stderr else console
    for line in lines:
        where.print(line, style="red", markup=False, highlight=False, soft_wrap=True)


def is_wide() -> bool:
    """Whether there is room for more than 80 columns."""
    return console.width >= WIDE


def table_of(name: str, *columns: str) -> Table:
    """An empty table that fits into 80 columns: names to the left, numbers to the right."""
    numbers = (Column(column, justify="right", no_wrap=True) for column in columns)
    return Table(
        Column(name, no_wrap=True),
        *numbers,
        box=SIMPLE_HEAD,
        padding=(0, 1) if is_wide() else 0,
        show_edge=is_wide(),
    )


def list_entries(names: Sequence[str], entries: Iterable[Sequence[str]]) -> None:
    """Print entries of which the last column is a text of any length: as a table, or where the terminal is too narrow
    for one, each as a line of its facts and its text below.
    """
    where = console if sys.stdout.isatty() else CleanConsole(width=LISTING_WIDTH)
    *narrow, text = names
    if where.width >= TABLE_WIDTH:
        shown = Table(
            *(Column(name, no_wrap=True) for name in narrow),
            Column(text, min_width=30, overflow="fold"),
            box=SIMPLE_HEAD,
        )
        for entry in entries:
            shown.add_row(*map(Text, entry))
        where.print(shown)
        return
    where.print(Text(", ".join(names)), style="bold")
    for *facts, said in entries:
        where.print(Text(", ".join(fact or "-" for fact in facts)))
        where.print(Padding(Text(said, overflow="fold"), (0, 0, 0, 4)))


def age_of(age: timedelta) -> str:
    """An age in words, e.g. `5 min`, `3 h`, `12 d`."""
    minutes = max(int(age.total_seconds() // 60), 0)
    return (
        f"{minutes} min" if minutes < 60 else f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
    )
