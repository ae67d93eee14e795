"""A run that somebody other than a person asks for, and why. Who asks, and when, is said in `arrival`, `staleness` and `schedules`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import dagster as dg

from nba_assets.operations.launch import PARTITION_TAG, Launch

TRIGGER_TAG, BECAUSE_TAG = "nba_assets/trigger", "nba_assets/because"
LONGEST_REASON = 160


@dataclass(frozen=True)
class Wanted:
    """A run that is asked for. A launch without assets means all of its job's.

    Runs are told apart by `run_key`: of two requests with the same one, the second is not carried out.
    """

    launch: Launch
    run_key: str
    trigger: str
    because: str = ""

    @property
    def dates(self) -> str:
        """The dates, in words."""
        start, end = self.launch.start, self.launch.end
        return f"{start}" if start == end else f"{start} to {end}"

    def run_request(self) -> dg.RunRequest:
        """The request as Dagster takes it, with tags that say why."""
        tags = {TRIGGER_TAG: self.trigger} | ({BECAUSE_TAG: shortened(self.because)} if self.because else {})
        single = self.launch.start == self.launch.end
        return dg.RunRequest(
            run_key=self.run_key,
            job_name=self.launch.job,
            partition_key=self.launch.tags[PARTITION_TAG] if single else None,
            tags=tags if single else tags | self.launch.tags,
            asset_selection=[dg.AssetKey(name) for name in self.launch.assets] or None,
        )


def fingerprint(parts: Iterable[object]) -> str:
    """A short digest of some things, in their order."""
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=6).hexdigest()


def shortened(reason: str) -> str:
    """A reason that fits where the UI shows tags."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
