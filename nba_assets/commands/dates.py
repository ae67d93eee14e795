"""The dates that a command is given: read, and held against the partitions, in one line where something is wrong."""

from __future__ import annotations

from datetime import date

from nba_assets.settings import SettingsError


class DatesError(SettingsError):
    """The dates of a command cannot be used; the message names the bounds."""


def dates_of(start: str, end: str | None = None) -> tuple[date, date]:
    """The first and the last date of a request, `start` alone where there is no `end`.

    Raises DatesError for what is no date or the wrong way round, OutsidePartitionsError for dates without a partition.
    """
    from nba_assets.partitions import require_partitions

    first, last = _date(start), _date(end or start)
    if last < first:
        raise DatesError(f"END {last} lies before START {first}; give the earlier date first. {_bounds()}")
    require_partitions(first, last)
    return first, last


def span_of(day: str | None) -> tuple[date, date]:
    """The date that was given, as first and last; all dates where none was."""
    return dates_of(day) if day else (date.min, date.max)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DatesError(f"{text} is no calendar date; write it as 2021-11-15. {_bounds()}") from None


def _bounds() -> str:
    from nba_assets.partitions import FIRST_DATE, league_today

    return f"There are partitions from {FIRST_DATE} to {league_today()} (today, US-Eastern)."
