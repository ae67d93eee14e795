"""What a check finds: how severe it is, and one line that says what is the case and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from nba_assets.error_lines import line_of
from nba_assets.wording import one_line


class Severity(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """What one check has found; where it is not ok, the message ends with what to do."""

    check: str
    severity: Severity
    message: str


Check = Callable[[], Iterable[Finding]]


def ok(check: str, message: str) -> Finding:
    """Nothing is wrong."""
    return Finding(check, Severity.OK, message)


def warning(check: str, message: str) -> Finding:
    """Runs succeed, but something is not as it should be."""
    return Finding(check, Severity.WARNING, message)


def failure(check: str, message: str) -> Finding:
    """Runs fail until something is done."""
    return Finding(check, Severity.FAILURE, message)


def carried_out(name: str, check: Check) -> Iterator[Finding]:
    """The findings of a check; what it raises is a failure of that name, so that the checks after it are made."""
    try:
        yield from check()
    except Exception as error:
        yield failure(name, line_of(error) or one_line(f"{type(error).__name__}: {error}"))
