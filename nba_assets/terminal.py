"""Text for terminals and logs, without the escape sequences that a file may hold."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from nba_assets.wording import clean


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
