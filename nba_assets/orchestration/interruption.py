"""How a run ends before its time: by Ctrl-C, by SIGTERM, or because it takes too long; whatever it is doing, its
process ends within seconds.

Dagster turns a signal into an exception of the main thread. What is here says what becomes of the run then, and ends
the process where the main thread does not react. Bounds of single computations are in `entities.time_limits`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import NoReturn

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.executor.in_process import InProcessExecutor

from nba_assets.orchestration.run_origin import is_of_command_line
from nba_assets.settings import Settings
from nba_assets.signals import SIGNALS
from nba_assets.warehouse.read_copy import publish_for_readers

GRACE_SECONDS = 10.0
"""How long a run that is to end may take for it before its process is ended."""
MARKING_SECONDS = 3.0
SIGNAL_TAG = "nba_assets/signal"
"""Tag of a run that a signal ended: its number."""


def ended_by(number: int) -> str:
    """What is said of a run that a signal ended."""
    return f"ended by {signal.Signals(number).name}; what was published before stays"


class RunEndedError(DagsterExecutionInterruptedError):
    """A step has ended its run, and has reported how: the others are not to begin."""


class RunTooLongError(Exception):
    """A run took longer than it may."""


@dg.executor(name="in_process", config_schema=dg.in_process_executor.config_schema)  # type: ignore[call-overload,untyped-decorator]
def interruptible_executor(context: dg.InitExecutorContext) -> InterruptibleExecutor:
    """Dagster's in-process executor, but for how a run ends that is interrupted or takes too long."""
    create = dg.in_process_executor.executor_creation_fn
    if create is None:
        raise TypeError("Dagster's in-process executor cannot be created")
    stock = create(context)
    return InterruptibleExecutor(stock.retries, stock.step_dependency_config)


class InterruptibleExecutor(InProcessExecutor):
    """Executes the steps of a run under watch.

    A signal cancels a run that the command line started; one of the daemon fails, as Dagster has it, so that it is
    retried. Both keep what they have published.
    """

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """The events of the run; raises RunTooLongError after the bound of the settings."""
        instance, run = plan_context.instance, plan_context.dagster_run
        with _Watch(instance, run, Settings.from_environment().run_seconds).kept() as watch:
            try:
                yield from super().execute(plan_context, execution_plan)
                publish_for_readers(plan_context.log.warning)
            except RunEndedError:
                raise
            except (KeyboardInterrupt, DagsterExecutionInterruptedError):
                if watch.is_overrun:
                    plan_context.log.critical(watch.overrun)
                    raise RunTooLongError(watch.overrun) from None
                number = watch.signal(patience=1.0)
                instance.add_run_tags(run.run_id, {SIGNAL_TAG: str(int(number))})
                if is_of_command_line(run):
                    instance.report_run_canceling(run, f"Interrupted by {number.name}.")
                else:
                    plan_context.log.critical(ended_by(number))
                raise
            if watch.has_seen and not watch.is_overrun:
                # It came when nothing could be interrupted any more: the run is complete, what comes after it is not to
                # begin.
                instance.add_run_tags(run.run_id, {SIGNAL_TAG: str(int(watch.signal()))})


@dataclass
class _Watch:
    """Sees signals and the time of a run from a thread of its own, and ends the process where the main thread does not
    react to them.
    """

    instance: dg.DagsterInstance
    run: dg.DagsterRun
    seconds: float
    is_overrun: bool = False
    _number: int = 0
    _seen: threading.Event = field(default_factory=threading.Event)

    @property
    def overrun(self) -> str:
        """What is said of a run that takes too long."""
        return (
            f"the run did not finish within {self.seconds:g} s and was ended; what it has published stays. Allow "
            "more with NBA_ASSETS_RUN_SECONDS."
        )

    @contextmanager
    def kept(self) -> Iterator[_Watch]:
        """Watch over the block; in another thread than the main one, which no signal reaches, there is nothing to
        watch.
        """
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        # The interpreter writes the number of each signal there, whoever handles it.
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        thread = threading.Thread(target=self._watch, args=(reading,), name="nba-assets-watch", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            signal.set_wakeup_fd(before)
            os.close(writing)
            thread.join()
            os.close(reading)

    @property
    def has_seen(self) -> bool:
        """A signal came, or the time is over."""
        return self._seen.is_set()

    def signal(self, patience: float = 0.0) -> signal.Signals:
        """The signal that came, waiting so many seconds for the thread to see it; SIGINT where it has not."""
        self._seen.wait(patience)
        return signal.Signals(self._number or signal.SIGINT)

    def _watch(self, reading: int) -> None:
        if self._is_over(reading, self.seconds):
            return
        if not self._number:
            self.is_overrun = True
            os.kill(os.getpid(), signal.SIGINT)
        self._seen.set()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            if self._is_over(reading, deadline - time.monotonic()):
                return
        self._end_process()

    def _is_over(self, reading: int, seconds: float) -> bool:
        """Wait for the end of the run, a signal or so many seconds, whatever comes first; whether the run is over."""
        deadline = time.monotonic() + seconds
        while wait([reading], max(deadline - time.monotonic(), 0)):
            numbers = os.read(reading, 1024)
            if not numbers:
                return True
            for number in set(numbers) & set(SIGNALS):
                self._number = self._number or number
                return False
        return False

    def _end_process(self) -> NoReturn:
        """End the process although its main thread goes on, and the run with it."""
        marking = threading.Thread(target=self._mark, daemon=True)
        marking.start()
        marking.join(MARKING_SECONDS)
        for worker in multiprocessing.active_children():
            worker.kill()
        said = (
            self.overrun
            if self.is_overrun
            else "interrupted: a computation did not react, the process was ended; what is published stays."
        )
        os.write(sys.stderr.fileno(), f"{said}\n".encode())
        os._exit(1 if self.is_overrun else 128 + self._number)

    def _mark(self) -> None:
        if self.is_overrun:
            self.instance.report_run_failed(self.run, self.overrun)
        elif is_of_command_line(self.run):
            self.instance.report_run_canceled(self.run, "Interrupted; the process was ended, since it did not react.")
        else:
            self.instance.report_run_failed(self.run, "Interrupted; the process was ended, since it did not react.")
