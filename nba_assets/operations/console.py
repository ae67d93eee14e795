"""What a run says in a terminal: one line per event that people care about, and a progress bar where there is a screen to draw it on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nba_assets.terminal import CleanConsole

LOGGER_NAME = "plain"
FINISHED = ("STEP_SUCCESS", "STEP_FAILURE")


class EventHandler(logging.Handler):
    """Turns Dagster's log records into progress."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self.console = console
        self.progress: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; events that only matter to the UI are left out."""
        event = getattr(record, "dagster_event", None)
        if event is None:
            self._say(str(getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage())))
            return
        if event.event_type_value == "STEP_START":
            self._describe(event.step_key)
        elif event.event_type_value in FINISHED:
            failed = event.event_type_value == "STEP_FAILURE"
            self._say(f"{event.step_key}: {'FAILED' if failed else 'done'}")
            if self.progress is not None:
                self.progress.advance(self.progress.task_ids[0])

    def _describe(self, step: str) -> None:
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], description=step)

    def _say(self, message: str) -> None:
        self.console.print(message, markup=False, highlight=False, soft_wrap=True)


CONSOLE = CleanConsole(stderr=True)
HANDLER = EventHandler(CONSOLE)


@dg.logger(config_schema={}, description="Plain lines on the terminal, for runs that the command line starts")
def plain_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """A logger that shows a run's progress in the terminal."""
    logger = logging.Logger(LOGGER_NAME, logging.INFO)
    logger.addHandler(HANDLER)
    return logger


@contextmanager
def progress_of(step_count: int) -> Iterator[None]:
    """Draw a progress bar over the steps of a run, where the terminal can; plain lines everywhere."""
    if not CONSOLE.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=CONSOLE) as progress:
        progress.add_task("starting", total=step_count)
        HANDLER.progress = progress
        try:
            yield
        finally:
            HANDLER.progress = None
