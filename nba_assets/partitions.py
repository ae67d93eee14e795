"""The daily partitions that all assets share: one per US-Eastern calendar date, days without games included."""

from __future__ import annotations

import dagster as dg

FIRST_DATE = "2020-07-01"
LEAGUE_TIMEZONE = "America/New_York"

DAILY = dg.DailyPartitionsDefinition(start_date=FIRST_DATE, timezone=LEAGUE_TIMEZONE, end_offset=1)
"""The one partitions object: assets merge into a single run only where they share it. Today is included, so that it can be built before tip-off."""
