"""How far and across how many time zones a team travels, and what local time it plays at.

Offsets and labels are those of noon, local time, of a date: games are played after the night in which clocks change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from nba_assets.basketball.arithmetic import Floats, Texts, map_distinct

EARTH_RADIUS_MILES = 3959

_LABELS = {
    "America/New_York": "ET",
    "America/Toronto": "ET",
    "America/Detroit": "ET",
    "America/Indiana/Indianapolis": "ET",
    "America/Chicago": "CT",
    "America/Denver": "MT",
    "America/Los_Angeles": "PT",
    "America/Phoenix": "MST",
}
"""What people in the league call the zones of its arenas, summer and winter; Arizona keeps its standard time."""


def great_circle_miles(
    latitude_1: ArrayLike, longitude_1: ArrayLike, latitude_2: ArrayLike, longitude_2: ArrayLike
) -> Floats:
    """Distance between two places along the earth's surface, rounded to whole miles.

    Coordinates are degrees; NaN where one is unknown.

    Source: haversine formula on a sphere of 3,959 miles' radius; R. W. Sinnott, "Virtues of the Haversine", Sky &
    Telescope 68 (1984). Example: Los Angeles to Boston is 2,592 miles, between two arenas in one building 0.
    """
    latitude_1, longitude_1, latitude_2, longitude_2 = (
        np.radians(np.asarray(degrees, dtype=np.float64))
        for degrees in (latitude_1, longitude_1, latitude_2, longitude_2)
    )
    across = np.sin((latitude_2 - latitude_1) / 2) ** 2
    along = np.cos(latitude_1) * np.cos(latitude_2) * np.sin((longitude_2 - longitude_1) / 2) ** 2
    # Rounding may lift the sum just above 1 between opposite ends of the earth.
    miles: Floats = np.rint(2 * EARTH_RADIUS_MILES * np.arcsin(np.sqrt(np.minimum(across + along, 1.0))))
    return miles


def is_time_zone(name: str | None) -> bool:
    """Whether a text is the IANA name of a time zone. Example: America/Denver is one, America/Nowhere is not."""
    try:
        return name is not None and ZoneInfo(name) is not None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def utc_offset_hours(timezones: Texts, dates: NDArray[np.datetime64]) -> Floats:
    """Hours that local time is ahead of UTC at noon of each date, by IANA time zone; NaN where zone or date is unknown.

    Raises ValueError for a name that is no time zone. Example: America/Los_Angeles is -8 on 2022-01-15 and -7 on
    2022-04-01.
    """
    return _at_noon(_offset_hours, timezones, dates, np.float64)


def zones_crossed(origin_offset_hours: ArrayLike, destination_offset_hours: ArrayLike) -> Floats:
    """Hours that the clock is moved between two places, whichever way. Example: Los Angeles to Boston is 3."""
    return np.abs(np.subtract(destination_offset_hours, origin_offset_hours, dtype=np.float64))


def time_zone_labels(timezones: Texts, dates: NDArray[np.datetime64]) -> Texts:
    """Short names of time zones for display: ET, CT, MT, PT, and MST for Arizona.

    Elsewhere the zone's own abbreviation on that date; None where zone or date is unknown. Raises ValueError for a name
    that is no time zone. Example: Europe/Paris is CET in January.
    """
    return _at_noon(_label, timezones, dates, np.object_)


def _at_noon(
    function: Callable[[datetime], object], timezones: Texts, dates: NDArray[np.datetime64], dtype: DTypeLike
) -> NDArray[Any]:
    def of_place(place: tuple[str | None, date | None]) -> object:
        timezone, day = place
        return None if timezone is None or day is None else function(_noon(timezone, day))

    return map_distinct(of_place, list(zip(timezones.tolist(), dates.astype("M8[D]").tolist(), strict=True)), dtype)


def _noon(timezone: str, day: date) -> datetime:
    try:
        return datetime.combine(day, time(12), ZoneInfo(timezone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{timezone!r} is not a time zone: give an IANA name such as America/New_York") from error


def _offset_hours(noon: datetime) -> float:
    return (noon.replace(tzinfo=UTC) - noon).total_seconds() / 3600


def _label(noon: datetime) -> str:
    return _LABELS.get(str(noon.tzinfo), noon.strftime("%Z"))
