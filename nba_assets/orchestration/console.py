"""Progress of a run in a terminal: a bar that advances with every table, or a line per finished table
where there is no screen.

Results are printed by the command line. During a step Dagster sends file descriptor 2 to the step's compute log, so
what is in here writes to a copy of it, which stays the terminal's.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TextIO

import dagster as dg
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nba_assets.orchestration.interruption import RunEndedError
from nba_assets.publishing.refusals import TOLD_AT_THE_END
from nba_assets.terminal import CleanConsole

LOGGER_NAME = "plain"
WORDS = {"STEP_SUCCESS": "done", "STEP_FAILURE": "FAILED", "STEP_SKIPPED": "skipped: what it reads was not built"}


NOT_EXECUTED = re.compile(r"Dependencies for step .* (failed|were not executed): .* Not executing\.")
"""What Dagster logs of each table that it does not begin."""


class Verbosity(IntEnum):
    """How much a run says while it goes on."""

    QUIET = 0
    """Nothing but its result."""
    NORMAL = 1
    """Which table is done, and warnings."""
    VERBOSE = 2
    """Also what the workers say."""


class EventHandler(logging.Handler):
    """Turns Dagster's log records into lines and progress; says nothing outside `shown_run`."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.console: CleanConsole | None = None
        self.is_interrupted, self.has_summary = False, False
        self.progress: Progress | None = None
        self.verbosity = Verbosity.NORMAL
        self.step_count, self.finished_count, self.dates = 0, 0, ""

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; events that matter to the UI alone are left out."""
        if self.console is None:
            return
        event = getattr(record, "dagster_event", None)
        if event is None:
            self._message(record)
        elif event.event_type_value == "STEP_START":
            self._describe(f"{event.step_key} {self.dates}")
        elif event.event_type_value in WORDS:
            self._finish(event)

    def _message(self, record: logging.LogRecord) -> None:
        least = {Verbosity.QUIET: logging.CRITICAL, Verbosity.NORMAL: logging.WARNING, Verbosity.VERBOSE: logging.INFO}[
            self.verbosity
        ]
        message = str(getattr(record, "dagster_meta", {}).get("orig_message", record.getMessage()))
        if record.levelno >= least and not self._is_left_out(message):
            self._say(message)

    def _is_left_out(self, message: str) -> bool:
        if self.is_interrupted and NOT_EXECUTED.fullmatch(message):
            return True
        return self.has_summary and self.verbosity < Verbosity.VERBOSE and bool(TOLD_AT_THE_END.search(message))

    def _finish(self, event: dg.DagsterEvent) -> None:
        self.finished_count += 1
        kind = str(event.event_type_value)
        self.is_interrupted = kind == "STEP_FAILURE" and _is_of_a_signal(event.step_failure_data)
        took = f" in {event.step_success_data.duration_ms / 1000:.1f} s" if kind == "STEP_SUCCESS" else ""
        if self.verbosity > Verbosity.QUIET:
            words = "interrupted" if self.is_interrupted else WORDS[kind]
            self._say(f"{self.finished_count}/{self.step_count} {event.step_key}: {words}{took}")
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], completed=self.finished_count, refresh=True)

    def _describe(self, what: str) -> None:
        if self.progress is not None:
            self.progress.update(self.progress.task_ids[0], description=what)

    def _say(self, message: str) -> None:
        if self.console is not None:
            self.console.print(message, markup=False, highlight=False, soft_wrap=True)


def _is_of_a_signal(failure: StepFailureData) -> bool:
    # A step that fails and ends its run raises an interruption of its own kind.
    own = failure.error is not None and failure.error.cls_name == RunEndedError.__name__
    return failure.error_source is ErrorSource.INTERRUPT and not own


HANDLER = EventHandler()


@dg.logger(config_schema={}, description="Plain lines on the terminal, for runs that the command line starts")
def plain_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """A logger that shows a run's progress in the terminal; Dagster logs starts and successes of steps at DEBUG."""
    logger = logging.Logger(LOGGER_NAME, logging.DEBUG)
    logger.addHandler(HANDLER)
    return logger


@contextmanager
def shown_run(
    step_count: int, dates: str, verbosity: Verbosity = Verbosity.NORMAL, *, has_summary: bool = False
) -> Iterator[None]:
    """Show the progress of a run of `step_count` tables over `dates` (a text) while the block runs it: on a terminal a
    bar, plain lines everywhere.

    With `has_summary` what is said at the end of the run, of all its steps together, is said there alone.
    """
    with _own_stderr() as stream:
        HANDLER.console, HANDLER.verbosity = CleanConsole(file=stream), verbosity
        HANDLER.step_count, HANDLER.finished_count, HANDLER.dates = step_count, 0, dates
        HANDLER.is_interrupted, HANDLER.has_summary = False, has_summary
        try:
            if HANDLER.console.is_terminal and verbosity > Verbosity.QUIET:
                with _bar(HANDLER.console, step_count) as HANDLER.progress:
                    yield
            else:
                yield
        finally:
            HANDLER.console = HANDLER.progress = None


def _bar(console: CleanConsole, step_count: int) -> Progress:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # What else is printed meanwhile must not be drawn through the bar: it has streams of its own.
    progress = Progress(*columns, console=console, redirect_stdout=False, redirect_stderr=False)
    progress.add_task("starting", total=step_count)
    return progress


@contextmanager
def _own_stderr() -> Iterator[TextIO]:
    """Standard error as it is now, whatever becomes of its file descriptor during a step."""
    try:
        descriptor = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):
        # Replaced by something without a descriptor, which nobody redirects.
        yield sys.stderr
        return
    with os.fdopen(descriptor, "w", buffering=1, encoding=sys.stderr.encoding, errors="replace") as stream:
        yield stream
