"""Distances and time zones between arenas."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from math import acos, cos, radians, sin
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nba_assets.basketball.teams import TEAMS
from nba_assets.basketball.travel import (
    great_circle_miles,
    is_time_zone,
    time_zone_labels,
    utc_offset_hours,
    zones_crossed,
)

latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)
HALF_WAY_ROUND_MILES = 12_438


def miles(origin: str, destination: str) -> float:
    start, end = TEAMS[origin], TEAMS[destination]
    places = (start.arena_latitude, start.arena_longitude, end.arena_latitude, end.arena_longitude)
    return float(great_circle_miles(*places))


@pytest.mark.parametrize(
    ("origin", "destination", "expected"),
    [
        ("LAL", "BOS", 2592),
        ("LAL", "GSW", 345),
        ("MIA", "POR", 2704),
        ("NYK", "BKN", 5),
        ("BOS", "MIA", 1257),
        ("DEN", "PHX", 585),
        ("ATL", "CHI", 589),
        ("MIA", "LAL", 2337),
        ("LAL", "LAC", 0),
        ("SAS", "SAS", 0),
    ],
)
def test_distance(origin: str, destination: str, expected: float) -> None:
    assert miles(origin, destination) == miles(destination, origin) == expected


def test_distance_of_columns_and_of_unknown_places() -> None:
    np.testing.assert_array_equal(
        great_circle_miles([34.0430, np.nan], [-118.2673, 0.0], [42.3662, 0.0], [-71.0621, 0.0]), [2592, np.nan]
    )


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_by_another_formula(
    latitude_1: float, longitude_1: float, latitude_2: float, longitude_2: float
) -> None:
    a, b = radians(latitude_1), radians(latitude_2)
    cosine = sin(a) * sin(b) + cos(a) * cos(b) * cos(radians(longitude_2 - longitude_1))
    found = great_circle_miles(latitude_1, longitude_1, latitude_2, longitude_2)
    assert found == np.rint(found)
    assert 0 <= found <= HALF_WAY_ROUND_MILES
    # The law of cosines is the less precise for neighbours and antipodes.
    assume(abs(cosine) < 0.999_999)
    assert abs(found - 3959 * acos(cosine)) < 0.51


def offsets(*places: tuple[str | None, str]) -> list[float]:
    zones, dates = zip(*places, strict=True)
    found = utc_offset_hours(np.array(zones, dtype=object), np.array(dates, dtype="M8[D]"))
    return [float(offset) for offset in found]


@pytest.mark.parametrize(
    ("origin", "destination", "day", "expected"),
    [
        ("LAL", "BOS", "2022-01-15", 3),
        ("ATL", "DEN", "2022-01-15", 2),
        ("PHX", "LAL", "2022-01-15", 1),
        ("PHX", "LAL", "2022-04-01", 0),
        ("PHX", "DEN", "2022-04-01", 1),
        ("BOS", "LAL", "2022-01-15", 3),
        ("NYK", "TOR", "2022-01-15", 0),
    ],
)
def test_zones_crossed(origin: str, destination: str, day: str, expected: float) -> None:
    here, there = offsets((TEAMS[origin].arena_timezone, day), (TEAMS[destination].arena_timezone, day))
    assert zones_crossed(here, there) == expected


def test_the_clock_has_changed_by_noon() -> None:
    zone = "America/New_York"
    changes = ["2021-11-06", "2021-11-07", "2022-03-12", "2022-03-13"]
    assert offsets(*[(zone, day) for day in changes]) == [-4, -5, -5, -4]


def test_unknown_zones_and_dates_have_no_offset_and_no_label() -> None:
    zones, dates = np.array([None, "America/Denver"], dtype=object), np.array(["2022-01-01", "NaT"], dtype="M8[D]")
    np.testing.assert_array_equal(utc_offset_hours(zones, dates), [np.nan, np.nan])
    assert time_zone_labels(zones, dates).tolist() == [None, None]


@pytest.mark.parametrize("wrong", ["America/Gotham", "ET?", "", "../etc/passwd"])
def test_a_zone_that_is_none_is_named(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone: give an IANA name"):
        utc_offset_hours(np.array([wrong], dtype=object), np.array(["2022-01-01"], dtype="M8[D]"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["America/New_York", "America/Phoenix", "America/Mexico_City", "Europe/Paris", "Asia/Kolkata"]
            ),
            st.dates(date(2000, 1, 1), date(2030, 12, 31)),
        ),
        max_size=10,
    )
)
def test_offsets_day_by_day(places: list[tuple[str, date]]) -> None:
    zones, dates = (
        np.array([zone for zone, _ in places], dtype=object),
        np.array([day for _, day in places], dtype="M8[D]"),
    )
    expected = [offset_at_noon(zone, day) for zone, day in places]
    assert utc_offset_hours(zones, dates).tolist() == expected


def offset_at_noon(zone: str, day: date) -> float:
    offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset / timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "winter", "spring"),
    [
        ("America/New_York", "ET", "ET"),
        ("America/Toronto", "ET", "ET"),
        ("America/Detroit", "ET", "ET"),
        ("America/Indiana/Indianapolis", "ET", "ET"),
        ("America/Chicago", "CT", "CT"),
        ("America/Denver", "MT", "MT"),
        ("America/Los_Angeles", "PT", "PT"),
        ("America/Phoenix", "MST", "MST"),
        ("Europe/Paris", "CET", "CEST"),
        ("America/Mexico_City", "CST", "CST"),
    ],
)
def test_labels(zone: str, winter: str, spring: str) -> None:
    labels = time_zone_labels(
        np.array([zone, zone], dtype=object), np.array(["2023-01-19", "2023-04-05"], dtype="M8[D]")
    )
    assert labels.tolist() == [winter, spring]


@pytest.mark.parametrize(
    ("name", "known"),
    [("America/Denver", True), ("America/Nowhere", False), ("", False), ("../etc", False), (None, False)],
)
def test_time_zones_are_known_by_their_names(name: str | None, known: bool) -> None:
    assert is_time_zone(name) is known
