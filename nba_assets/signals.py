"""The signals that end a command, as an exception of its main thread; what ends a run is in
`orchestration.interruption`.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class InterruptedBySignal(BaseException):
    """A signal ended the command; no Exception, so that nothing takes it for a failure of its own.

    The message says how far the command came.
    """

    def __init__(self, number: int, done: str = "") -> None:
        super().__init__(done)
        self.number = number


@contextmanager
def raised_signals() -> Iterator[None]:
    """Raise InterruptedBySignal in the block, which the main thread executes, when this process is interrupted or is to
    end.
    """

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        raise InterruptedBySignal(number)

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
