"""Which dates have a partition: each US-Eastern calendar date from the first to today, days without games included."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from nba_assets.settings import Settings, SettingsError, variables

LEAGUE_TIMEZONE = "America/New_York"
FIRST_DATE_VARIABLE = variables()["first_date"]

# Read once, when the definitions are loaded; other wrong settings are reported where they are read.
FIRST_DATE = Settings.from_environment(
    {name: os.environ.get(name, "") for name in (FIRST_DATE_VARIABLE, variables()["home"])}
).first_date
"""The first partition."""


def league_today() -> date:
    """Today by Eastern clocks: the last date that has a partition."""
    return datetime.now(ZoneInfo(LEAGUE_TIMEZONE)).date()


def days_between(first: date, last: date) -> list[date]:
    """Every calendar date from `first` to `last`, both included; none where the last lies before the first."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


class OutsidePartitionsError(SettingsError):
    """A date has no partition by the settings; the message names both bounds and what to set."""


def require_partitions(*days: date) -> None:
    """Require that dates have partitions; raises OutsidePartitionsError for the first that has none."""
    last = league_today()
    for day in days:
        if not FIRST_DATE <= day <= last:
            advice = (
                f"For earlier dates set {FIRST_DATE_VARIABLE} to the first date that you want, e.g. "
                f"{FIRST_DATE_VARIABLE}=1996-07-01."
                if day < FIRST_DATE
                else "A later date has its partition from its midnight on."
            )
            raise OutsidePartitionsError(
                f"{day} lies outside the partitions, which run from {FIRST_DATE} to {last} (today, US-Eastern). "
                f"{advice}"
            )
