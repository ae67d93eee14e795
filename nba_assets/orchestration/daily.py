"""The daily partitions as Dagster knows them."""

from __future__ import annotations

import dagster as dg

from nba_assets.partitions import FIRST_DATE, LEAGUE_TIMEZONE

DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DATE.isoformat(), timezone=LEAGUE_TIMEZONE, end_offset=1)
"""The one partitions object: assets merge into a single run only where they share it.

Today is included, so that it can be built before tip-off.
"""
