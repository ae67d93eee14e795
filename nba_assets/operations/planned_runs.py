"""A run that is planned by a sensor, and why.

What is planned is decided in `arrival` and `staleness`, when it is launched in `requests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import dagster as dg

from nba_assets.operations.launch import PARTITION_TAG, Launch

TRIGGER_TAG, BECAUSE_TAG = "nba_assets/trigger", "nba_assets/because"
LONGEST_REASON = 160


@dataclass(frozen=True)
class PlannedRun:
    """A run that is planned. A launch without assets means all of its job's.

    `run_key` tells the job, the dates and the input that it is planned for; each attempt at it is a run of its own.
    """

    launch: Launch
    run_key: str
    trigger: str
    because: str = ""
    unreadable: str = ""
    """A file of the dates that cannot be read, and why: with the same file, a run that got as far as reading it would
    end in the same way.
    """

    @property
    def dates(self) -> str:
        """The dates, in words."""
        return self.launch.span

    def run_request(self, run_key: str, tags: Mapping[str, str]) -> dg.RunRequest:
        """The request of one attempt as Dagster takes it, with tags that say why; a run key that Dagster knows already
        is ignored by it.
        """
        said = {TRIGGER_TAG: self.trigger} | ({BECAUSE_TAG: shortened(self.because)} if self.because else {})
        single = self.launch.start == self.launch.end
        return dg.RunRequest(
            run_key=run_key,
            job_name=self.launch.job,
            partition_key=self.launch.tags[PARTITION_TAG] if single else None,
            tags={**tags, **said} if single else {**tags, **said, **self.launch.tags},
            asset_selection=[dg.AssetKey(name) for name in self.launch.assets] or None,
        )


def fingerprint(parts: Iterable[object]) -> str:
    """A short digest of some things, in their order."""
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=6).hexdigest()


def shortened(reason: str) -> str:
    """A reason that fits where the UI shows tags."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
