"""Calls of the league's two sites: pace, retries, and a cache of the raw responses.

What is fetched when is in `source`, how a site is called in `sites`.

One call begins at most every `pause_seconds`. A call that fails for a reason that may pass (no connection, a time-out,
half a body, status 429 or 5xx) is repeated with growing pauses, at least as long as the answer's Retry-After says. An
answer is cached as it came, written beside and renamed into place.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import requests
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from nba_assets.providers.delivery import ProviderError
from nba_assets.providers.landing_writer import write_beside
from nba_assets.providers.league.sites import Kind, Site, site

ATTEMPTS = 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
LONGEST_RETRY_AFTER_SECONDS = 600.0
CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS = 10.0, 30.0


class CallError(ProviderError):
    """A call brought no answer that could be kept."""


class NotThereError(CallError):
    """The site does not have what was requested: an unknown game, or an endpoint that is gone."""


class RefusedError(CallError):
    """The site does not answer this machine; the next call would fare no better."""


class _PassingError(ProviderError):
    """A call failed for a reason that may pass; `wait_seconds` is what the answer requests, `answered` whether there
    was any.
    """

    def __init__(self, message: str, wait_seconds: float = 0.0, answered: bool = True) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        self.answered = answered


class UnavailableError(CallError):
    """The site answered, but with errors only, however often it was called."""


@dataclass(frozen=True)
class Response:
    """A raw response and when it was fetched."""

    payload: Any
    fetched_at: datetime


@dataclass
class LeagueClient:
    """Calls the live feed (`cdn_url`) and the statistics site (`stats_url`); raw responses are kept under `cache`.

    With `offline` nothing is called, and what is not kept is not there. `sleep` and `clock` (seconds) are for tests.
    """

    cdn_url: str
    stats_url: str
    cache: Path
    pause_seconds: float = 0.6
    offline: bool = False
    timeouts: tuple[float, float] = (CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    calls: int = 0
    _sites: dict[str, Site] = field(default_factory=dict)
    _next_call: float = float("-inf")

    def cdn(self, path: str, name: str, *, reuse: bool) -> Response:
        """A file of the live feed, cached under `name`; it answers 403 for files that it does not have."""
        return self._response("live", path, {}, name, reuse, missing=(403, 404, 410))

    def statistics(self, endpoint: str, parameters: Mapping[str, str], name: str, *, reuse: bool) -> Response:
        """An answer of the statistics site, cached under `name`."""
        return self._response("statistics", endpoint, parameters, name, reuse, missing=(400, 404, 410))

    def cached(self, name: str) -> Response | None:
        """The response that is kept under a name."""
        return self._kept(name) if self._file(name).exists() else None

    def forget(self, *names: str) -> None:
        """Keep the responses under some names no longer: they are no use, and the next call is to fetch them anew.

        Not when `offline`.
        """
        for name in names if not self.offline else ():
            self._file(name).unlink(missing_ok=True)

    def _kept(self, name: str) -> Response:
        file = self._file(name)
        return Response(json.loads(file.read_bytes()), datetime.fromtimestamp(file.stat().st_mtime, UTC))

    def _file(self, name: str) -> Path:
        return self.cache / f"{name}.json"

    def _response(
        self, kind: Kind, path: str, parameters: Mapping[str, str], name: str, reuse: bool, missing: tuple[int, ...]
    ) -> Response:
        """Raises NotThereError, RefusedError or UnavailableError."""
        if (reuse or self.offline) and (kept := self.cached(name)) is not None:
            return kept
        if self.offline:
            raise NotThereError(f"{self._file(name)} is not there: it has never been fetched")
        url = f"{self._address(kind)}/{path}"
        try:
            content = self._repeated(kind, path, parameters, missing)
        except _PassingError as error:
            if error.answered:
                raise UnavailableError(
                    f"{url}: {error}; it was called {ATTEMPTS} times. Fetch the same dates again later."
                ) from error
            raise RefusedError(f"{url}: {error}. {WHY_REFUSED}") from error
        write_beside(self._file(name), content)
        return self._kept(name)

    def _address(self, kind: Kind) -> str:
        return {"live": self.cdn_url, "statistics": self.stats_url}[kind]

    def _repeated(self, kind: Kind, path: str, parameters: Mapping[str, str], missing: tuple[int, ...]) -> bytes:
        retrying = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=_wait,
            stop=stop_after_attempt(ATTEMPTS),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(self._once, kind, path, parameters, missing)

    def _once(self, kind: Kind, path: str, parameters: Mapping[str, str], missing: tuple[int, ...]) -> bytes:
        if kind not in self._sites:
            self._sites[kind] = site(self._address(kind), kind)
        self._keep_pace()
        try:
            answer = self._sites[kind].get(path, parameters, self.timeouts)
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
            raise _PassingError("the answer broke off") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _PassingError(f"no answer ({type(error).__name__})", answered=False) from error
        if answer.status_code in missing:
            raise NotThereError(f"{answer.url} is not there (status {answer.status_code})")
        if answer.status_code == requests.codes.forbidden:
            raise RefusedError(f"{answer.url} refuses (status 403). {WHY_REFUSED}")
        if answer.status_code != requests.codes.ok:
            raise _PassingError(f"status {answer.status_code}", _retry_after(answer.headers.get("Retry-After")))
        try:
            answer.json()
        except requests.JSONDecodeError as error:
            raise _PassingError("the answer is no JSON") from error
        return answer.content

    def _keep_pace(self) -> None:
        wait = self._next_call - self.clock()
        if wait > 0:
            self.sleep(wait)
        self._next_call = self.clock() + self.pause_seconds
        self.calls += 1


WHY_REFUSED = "The league blocks addresses of clouds and data centres: fetch from another network, or set HTTPS_PROXY"


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    least = error.wait_seconds if isinstance(error, _PassingError) else 0.0
    return max(least, wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)(state))


def _retry_after(header: str | None) -> float:
    """Seconds to wait by an answer's Retry-After, a number or a date; 0 where it is missing or cannot be read."""
    if header is None:
        return 0.0
    try:
        seconds = (
            float(header)
            if header.strip().isdecimal()
            else (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        )
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)
