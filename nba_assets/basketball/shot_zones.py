"""Where a field goal was tried: in the paint, from mid-range or beyond the arc.

A three is a three by the referee's call, never by distance (corner threes are 22 feet, and a two from 24 feet exists).
Of the twos the feed's own zone is believed first, then the shot's coordinates, and its distance last; 8 feet differ
from the painted area on a tenth of all twos.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats, Texts, map_distinct

PAINT: Final = 0
MID_RANGE: Final = 1
THREE: Final = 2
UNKNOWN: Final = 3
"""A two of which the feed tells neither zone nor place: it counts in no zone."""

PAINT_HALF_WIDTH, PAINT_DEPTH = 80.0, 137.5
"""The painted area in tenths of a foot from the hoop: 16 feet wide, up to the free-throw line 13.75 feet away."""
PAINT_RADIUS_FEET = 8.0

_FEED_ZONES = {"restricted_area": PAINT, "paint_non_ra": PAINT, "mid_range": MID_RANGE}


def is_three(shot_type: Texts, event_subtype: Texts) -> NDArray[np.bool_]:
    """Whether each shot is a three: its type is `3PT`, or its subtype says "3pt" in any case."""
    by_subtype: NDArray[np.bool_] = map_distinct(
        lambda subtype: subtype is not None and "3pt" in subtype.lower(), event_subtype.tolist(), np.bool_
    )
    by_type: NDArray[np.bool_] = shot_type == "3PT"
    return by_type | by_subtype


def classify_shots(
    is_three: NDArray[np.bool_], feed_zone: Texts, loc_x: Floats, loc_y: Floats, distance_feet: Floats
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Zone code of each shot, and whether only its distance decided it.

    `feed_zone` is the feed's name of the zone; one that is no zone of twos is ignored. `loc_x` and `loc_y` are tenths
    of a foot from the hoop, across and along the court. Eight feet exactly are paint.
    """
    by_feed = map_distinct(lambda zone: _FEED_ZONES.get(zone, UNKNOWN), feed_zone.tolist(), np.int8)
    located = ~np.isnan(loc_x) & ~np.isnan(loc_y)
    by_place = np.where((np.abs(loc_x) <= PAINT_HALF_WIDTH) & (loc_y <= PAINT_DEPTH), PAINT, MID_RANGE)
    by_distance = np.where(distance_feet <= PAINT_RADIUS_FEET, PAINT, MID_RANGE)
    ways = [is_three, by_feed != UNKNOWN, located, ~np.isnan(distance_feet)]
    zone = np.select(ways, [np.full(len(by_feed), THREE), by_feed, by_place, by_distance], UNKNOWN)
    return zone.astype(np.int8), ways[3] & ~(ways[0] | ways[1] | ways[2])
