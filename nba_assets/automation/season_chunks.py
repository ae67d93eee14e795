"""A long build as separate runs, one of each season, that may be executed at once and in any order.

Where they are executed is not in this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from nba_assets.automation.planned_runs import Launch
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.partitions import days_between
from nba_assets.raw.tables import RAW_TABLES

Wave = list[Launch]
"""Runs of which none reads what another one writes."""


def season_waves(launches: Sequence[Launch], calendar: SeasonCalendar) -> list[Wave]:
    """Planned runs as two waves, or one where nothing is to be ingested, each with one run per season.

    The first wave ingests: a season looks back on rosters of the summer before it, which another run may bring. The
    second computes, of which nothing reaches beyond its own season.
    """
    ingesting = [_with(launch, "ingest", [name for name in launch.assets if name in RAW_TABLES]) for launch in launches]
    computing = [
        _with(launch, launch.job, [name for name in launch.assets if name not in RAW_TABLES]) for launch in launches
    ]
    waves = [
        [part for launch in wave if launch.assets for part in _by_season(launch, calendar)]
        for wave in (ingesting, computing)
    ]
    return [wave for wave in waves if wave]


def _with(launch: Launch, job: str, assets: Sequence[str]) -> Launch:
    return replace(launch, job=job, assets=assets)


def _by_season(launch: Launch, calendar: SeasonCalendar) -> list[Launch]:
    days = days_between(launch.start, launch.end)
    seasons = calendar.season_of(np.array(days, dtype="M8[D]")).tolist()
    parts = [[day for _, day in found] for _, found in groupby(zip(seasons, days, strict=True), key=lambda one: one[0])]
    return [replace(launch, start=part[0], end=part[-1]) for part in parts]
