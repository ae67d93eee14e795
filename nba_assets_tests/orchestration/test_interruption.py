"""What a signal and the bound of a run do, in the process of the test; with real commands in `test_hangs`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType, SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.executor.in_process import InProcessExecutor

from nba_assets.orchestration import interruption
from nba_assets.orchestration.interruption import (
    SIGNAL_TAG,
    InterruptibleExecutor,
    RunEndedError,
    RunTooLongError,
    _Watch,
)

PATIENCE_SECONDS = 60.0
"""A bound against tests that hang themselves; nothing is proved by it."""


@dataclass
class Told:
    """As much of an instance and of a run's log as a run that ends needs: what they were told."""

    said: list[tuple[str, object]] = field(default_factory=list)

    def add_run_tags(self, run_id: str, tags: dict[str, str]) -> None:
        self.said.append((f"tags of {run_id}", tags))

    def report_run_canceling(self, _run: object, message: str) -> None:
        self.said.append(("canceling", message))

    def report_run_canceled(self, _run: object, message: str) -> None:
        self.said.append(("canceled", message))

    def report_run_failed(self, _run: object, message: str) -> None:
        self.said.append(("failed", message))

    def critical(self, message: str) -> None:
        self.said.append(("critical", message))

    def warning(self, message: str) -> None:
        self.said.append(("warning", message))


def run_of(*, command_line: bool) -> dg.DagsterRun:
    run = SimpleNamespace(run_id="r", tags={}, remote_job_origin=None if command_line else "somewhere")
    return cast(dg.DagsterRun, run)


def watch_of(seconds: float = 3600.0, *, command_line: bool = True) -> tuple[_Watch, Told]:
    told = Told()
    return _Watch(cast(dg.DagsterInstance, told), run_of(command_line=command_line), seconds), told


@pytest.fixture
def unheard() -> Iterator[None]:
    """Signals arrive and interrupt nothing."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("unheard")
class TestWatch:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_first_signal_is_seen_and_the_watch_ends_with_the_block(self, number: signal.Signals) -> None:
        watch, _ = watch_of()
        with watch.kept() as kept:
            assert kept is watch
            assert not watch.has_seen
            os.kill(os.getpid(), number)
            assert watch.signal(PATIENCE_SECONDS) is number
            os.kill(os.getpid(), signal.SIGINT)
        assert watch.signal() is number
        assert (watch.has_seen, watch.is_overrun) == (True, False)
        assert signal.set_wakeup_fd(-1) == -1
        assert not [thread for thread in threading.enumerate() if thread.name == "nba-assets-watch"]

    def test_other_signals_end_nothing(self) -> None:
        before = signal.signal(signal.SIGUSR1, lambda *_: None)
        watch, _ = watch_of()
        with watch.kept():
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert watch.signal(PATIENCE_SECONDS) is signal.SIGTERM
        signal.signal(signal.SIGUSR1, before)

    def test_without_a_signal_it_sees_nothing_and_names_an_interrupt(self) -> None:
        watch, _ = watch_of()
        with watch.kept():
            pass
        assert (watch.has_seen, watch.is_overrun, watch.signal()) == (False, False, signal.SIGINT)

    def test_whoever_had_the_signals_before_has_them_again(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing)
        watch, _ = watch_of()
        with watch.kept():
            pass
        assert signal.set_wakeup_fd(-1) == writing
        os.close(reading)
        os.close(writing)

    def test_in_another_thread_there_is_nothing_to_watch(self) -> None:
        watch, _ = watch_of(0.0)
        entered: list[_Watch] = []

        def enter() -> None:
            with watch.kept() as kept:
                entered.append(kept)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        assert entered == [watch]
        assert not watch.has_seen

    def test_a_run_that_takes_too_long_is_interrupted(self) -> None:
        interrupted: list[int] = []
        signal.signal(signal.SIGINT, lambda number, _: interrupted.append(number))
        watch, _ = watch_of(0.01)
        with watch.kept():
            assert watch.signal(PATIENCE_SECONDS) is signal.SIGINT
        assert (watch.has_seen, watch.is_overrun) == (True, True)
        assert interrupted == [signal.SIGINT]
        assert watch.overrun == (
            "the run did not finish within 0.01 s and was ended; what it has published stays. Allow more with "
            "NBA_ASSETS_RUN_SECONDS."
        )

    @pytest.mark.parametrize(
        ("number", "command_line", "code", "kind"),
        [
            (signal.SIGTERM, True, 143, "canceled"),
            (signal.SIGINT, True, 130, "canceled"),
            (signal.SIGTERM, False, 143, "failed"),
            (None, True, 1, "failed"),
            (None, False, 1, "failed"),
        ],
    )
    def test_a_process_that_does_not_react_is_ended_with_its_workers(
        self,
        number: signal.Signals | None,
        command_line: bool,
        code: int,
        kind: str,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        ended, killed, codes = threading.Event(), list[str](), list[int]()

        def end(code: int) -> None:
            codes.append(code)
            ended.set()

        monkeypatch.setattr(interruption, "GRACE_SECONDS", 0.05)
        monkeypatch.setattr(os, "_exit", end)
        worker = SimpleNamespace(kill=lambda: killed.append("worker"))
        monkeypatch.setattr(multiprocessing, "active_children", lambda: [worker, worker])
        watch, told = watch_of(3600.0 if number else 0.01, command_line=command_line)
        with watch.kept():
            if number is not None:
                os.kill(os.getpid(), number)
            assert ended.wait(PATIENCE_SECONDS)
        assert (codes, killed) == ([code], ["worker", "worker"])
        said = capfd.readouterr().err
        unheard = "Interrupted; the process was ended, since it did not react."
        assert told.said == [(kind, unheard if number else watch.overrun)]
        assert said == (
            "interrupted: a computation did not react, the process was ended; what is published stays.\n"
            if number
            else f"{watch.overrun}\n"
        )

    def test_one_that_reacts_in_time_is_not_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        codes: list[int] = []
        monkeypatch.setattr(os, "_exit", codes.append)
        watch, told = watch_of()
        with watch.kept():
            os.kill(os.getpid(), signal.SIGTERM)
            watch.signal(PATIENCE_SECONDS)
        assert (codes, told.said) == ([], [])


class TestExecutor:
    @pytest.fixture(autouse=True)
    def published(self, monkeypatch: pytest.MonkeyPatch) -> list[object]:
        """Where the copy for readers is published, what it would warn by."""
        calls: list[object] = []
        monkeypatch.setattr(interruption, "publish_for_readers", calls.append)
        return calls

    @pytest.fixture(autouse=True)
    def interrupted(self) -> Iterator[None]:
        """A signal interrupts the main thread, as Dagster has it."""

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def execute(
        self, steps: Callable[[], object], monkeypatch: pytest.MonkeyPatch, *, command_line: bool = True
    ) -> tuple[list[object], Told]:
        """The events of a run whose steps are `steps`, and what was told."""
        told = Told()

        def stock(*_: object) -> Iterator[object]:
            yield "began"
            steps()
            yield "ended"

        monkeypatch.setattr(InProcessExecutor, "execute", stock)
        self.told = told
        context = SimpleNamespace(instance=told, dagster_run=run_of(command_line=command_line), log=told)
        executor = object.__new__(InterruptibleExecutor)
        return list(executor.execute(cast(Any, context), cast(Any, None))), told

    def test_a_run_that_ends_by_itself_publishes_the_copy_for_readers(
        self, monkeypatch: pytest.MonkeyPatch, published: list[object]
    ) -> None:
        events, told = self.execute(lambda: None, monkeypatch)
        assert events == ["began", "ended"]
        assert published == [told.warning]
        assert told.said == []

    def test_a_signal_cancels_a_run_of_the_command_line(
        self, monkeypatch: pytest.MonkeyPatch, published: list[object]
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            self.execute(lambda: os.kill(os.getpid(), signal.SIGTERM), monkeypatch)
        assert self.told.said == [
            ("tags of r", {SIGNAL_TAG: "15"}),
            ("canceling", "Interrupted by SIGTERM."),
        ]
        assert published == []

    def test_a_signal_fails_a_run_of_the_daemon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(KeyboardInterrupt):
            self.execute(lambda: os.kill(os.getpid(), signal.SIGINT), monkeypatch, command_line=False)
        assert self.told.said == [
            ("tags of r", {SIGNAL_TAG: "2"}),
            ("critical", "ended by SIGINT; what was published before stays"),
        ]

    def test_a_run_that_takes_too_long_fails(self, monkeypatch: pytest.MonkeyPatch, published: list[object]) -> None:
        monkeypatch.setenv("NBA_ASSETS_RUN_SECONDS", "0.5")
        said = "the run did not finish within 0.5 s and was ended"
        with pytest.raises(RunTooLongError, match=said):
            self.execute(lambda: threading.Event().wait(PATIENCE_SECONDS), monkeypatch)
        ((kind, message),) = self.told.said
        assert kind == "critical"
        assert said in str(message)
        assert published == []

    def test_a_step_that_has_ended_its_run_has_said_why(
        self, monkeypatch: pytest.MonkeyPatch, published: list[object]
    ) -> None:
        def steps() -> None:
            raise RunEndedError

        with pytest.raises(RunEndedError):
            self.execute(steps, monkeypatch)
        assert (self.told.said, published) == ([], [])

    def test_a_signal_that_interrupts_nothing_any_more_is_noted(
        self, monkeypatch: pytest.MonkeyPatch, published: list[object]
    ) -> None:
        def steps() -> None:
            signal.signal(signal.SIGTERM, lambda *_: None)
            os.kill(os.getpid(), signal.SIGTERM)
            seen.wait(PATIENCE_SECONDS)

        seen, made = threading.Event(), _Watch.__init__

        def with_event(watch: _Watch, *arguments: Any) -> None:
            made(watch, *arguments)
            watch._seen = seen

        monkeypatch.setattr(_Watch, "__init__", with_event)
        events, told = self.execute(steps, monkeypatch)
        assert events == ["began", "ended"]
        assert told.said == [("tags of r", {SIGNAL_TAG: "15"})]
        assert len(published) == 1
