"""A run that is planned, by a sensor or by hand, and why.

What is planned is decided in `arrival` and `staleness`, when it is launched in `requests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from itertools import groupby

import numpy as np

from nba_assets.basketball.season import season_year
from nba_assets.partitions import days_between

TRIGGER_TAG, BECAUSE_TAG = "nba_assets/trigger", "nba_assets/because"
RANGE_START_TAG, RANGE_END_TAG = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"
LONGEST_REASON = 160
LONGEST_RUN_DAYS = 4000
"""Dates of one run above which it is cut: a write of more is more than every warehouse takes."""


@dataclass(frozen=True)
class Launch:
    """One run: a job, the assets of it that are planned, and an unbroken range of dates."""

    job: str
    assets: Sequence[str]
    start: date
    end: date

    @property
    def span(self) -> str:
        """Its dates in words, e.g. `2021-10-19 to 2022-04-10`."""
        return str(self.start) if self.start == self.end else f"{self.start} to {self.end}"

    @property
    def by_season(self) -> list[Launch]:
        """The run itself, or one of each season where its range is longer than `LONGEST_RUN_DAYS`, earliest first."""
        days = days_between(self.start, self.end)
        if len(days) <= LONGEST_RUN_DAYS:
            return [self]
        seasons = season_year(np.array(days, dtype="M8[D]")).tolist()
        dated = groupby(zip(seasons, days, strict=True), key=lambda one: one[0])
        parts = [[day for _, day in found] for _, found in dated]
        return [replace(self, start=part[0], end=part[-1]) for part in parts]

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which Dagster knows the run's partitions."""
        if self.start == self.end:
            return {PARTITION_TAG: self.start.isoformat()}
        return {RANGE_START_TAG: self.start.isoformat(), RANGE_END_TAG: self.end.isoformat()}


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


def fingerprint(parts: Iterable[object]) -> str:
    """A short digest of some things, in their order."""
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=6).hexdigest()


def shortened(reason: str) -> str:
    """A reason that fits where the UI shows tags."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
