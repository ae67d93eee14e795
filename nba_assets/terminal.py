"""Text for terminals and logs, without the escape sequences that a file may hold."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tabs and line feeds, those that turn the direction of writing, and halves of characters.
"""


def clean(text: str) -> str:
    r"""The text without characters that do something to a terminal: `\x1b[31mJames` becomes `[31mJames`."""
    return UNPRINTABLE.sub("", text)


def one_line(text: object) -> str:
    """The text in one line, clean."""
    return clean(" ".join(str(text).split()))


class CleanConsole(Console):
    """A console on which only its own styles are escape sequences."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, piece by piece."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=clean(segment.text))


@cache
def clean_log_records() -> None:
    """Remove escape sequences from everything that this process logs from now on."""
    make = logging.getLogRecordFactory()

    def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        if isinstance(record.msg, str):
            record.msg = clean(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(clean(value) if isinstance(value, str) else value for value in record.args)
        return record

    logging.setLogRecordFactory(made)
