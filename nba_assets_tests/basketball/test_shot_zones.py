"""Which zone a shot belongs to, and on what evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.shot_zones import MID_RANGE, PAINT, THREE, UNKNOWN, classify_shots, is_three

NAN = np.nan
Shot = tuple[bool, str | None, float, float, float]


def classify(*shots: Shot) -> tuple[list[int], list[bool]]:
    three, zone, loc_x, loc_y, feet = (list(values) for values in zip(*shots, strict=True))
    codes, estimated = classify_shots(
        np.array(three), np.array(zone, dtype=object), np.array(loc_x), np.array(loc_y), np.array(feet)
    )
    assert codes.dtype == np.int8
    return codes.tolist(), estimated.tolist()


@pytest.mark.parametrize(
    ("shot", "zone", "estimated"),
    [
        pytest.param((True, "corner_three", -220.0, 10.0, 22.0), THREE, False, id="corner three from 22 feet"),
        pytest.param((True, None, NAN, NAN, NAN), THREE, False, id="three without a place"),
        pytest.param((True, "restricted_area", 0.0, 0.0, 1.0), THREE, False, id="the call beats the feed's zone"),
        pytest.param(
            (False, "restricted_area", 0.0, 300.0, 30.0), PAINT, False, id="the feed's zone beats coordinates"
        ),
        pytest.param((False, "paint_non_ra", NAN, NAN, 9.0), PAINT, False, id="the feed's zone beats distance"),
        pytest.param((False, "mid_range", 0.0, 0.0, 3.0), MID_RANGE, False, id="mid-range by the feed"),
        pytest.param((False, "above_break_three", 0.0, 100.0, 30.0), PAINT, False, id="no zone of twos: coordinates"),
        pytest.param((False, "backcourt", NAN, NAN, 30.0), MID_RANGE, True, id="no zone of twos: distance"),
        pytest.param((False, None, -80.0, 137.5, 15.9), PAINT, False, id="corner of the painted area"),
        pytest.param((False, None, 80.1, 0.0, 8.0), MID_RANGE, False, id="beside the painted area"),
        pytest.param((False, None, 0.0, 137.6, 13.8), MID_RANGE, False, id="beyond the free-throw line"),
        pytest.param((False, None, 0.0, -40.0, 4.0), PAINT, False, id="behind the hoop"),
        pytest.param((False, None, 0.0, NAN, 9.0), MID_RANGE, True, id="half a place is none"),
        pytest.param((False, None, NAN, NAN, 24.0), MID_RANGE, True, id="Siakam's two from 24 feet, 2025-06-22"),
        pytest.param((False, None, NAN, NAN, 8.0), PAINT, True, id="two from 8.0 feet"),
        pytest.param((False, None, NAN, NAN, 8.1), MID_RANGE, True, id="two from 8.1 feet"),
        pytest.param((False, None, NAN, NAN, NAN), UNKNOWN, False, id="two from nowhere"),
    ],
)
def test_zone(shot: Shot, zone: int, estimated: bool) -> None:
    assert classify(shot) == ([zone], [estimated])


@pytest.mark.parametrize(
    ("shot_type", "subtype", "expected"),
    [
        ("3PT", None, True),
        ("2PT", "Jump Shot", False),
        (None, "3PT jump shot", True),
        (None, "running 3pt jump shot", True),
        ("2PT", None, False),
        (None, None, False),
    ],
)
def test_a_three_by_type_or_by_subtype(shot_type: str | None, subtype: str | None, expected: bool) -> None:
    found = is_three(np.array([shot_type], dtype=object), np.array([subtype], dtype=object))
    assert found.dtype == np.bool_
    assert found.tolist() == [expected]


def test_no_shots() -> None:
    nothing, nowhere = np.empty(0, dtype=object), np.empty(0)
    zones, estimated = classify_shots(is_three(nothing, nothing), nothing, nowhere, nowhere, nowhere)
    assert zones.shape == estimated.shape == (0,)


feet = st.one_of(st.just(NAN), st.sampled_from([0.0, 8.0, 8.1, 24.0]), st.floats(0, 94))
tenths = st.one_of(st.just(NAN), st.sampled_from([80.0, -80.0, 80.1, 137.5, 137.6]), st.floats(-470, 470))
zones = st.sampled_from(
    [None, "restricted_area", "paint_non_ra", "mid_range", "corner_three", "above_break_three", "backcourt", ""]
)


@given(st.lists(st.tuples(st.booleans(), zones, tenths, tenths, feet), min_size=1, max_size=20))
def test_zones_shot_by_shot(shots: list[Shot]) -> None:
    one_by_one = [slowly_classify(*shot) for shot in shots]
    assert classify(*shots) == ([zone for zone, _ in one_by_one], [estimated for _, estimated in one_by_one])


def slowly_classify(three: bool, zone: str | None, loc_x: float, loc_y: float, feet: float) -> tuple[int, bool]:
    if three:
        return THREE, False
    if zone in ("restricted_area", "paint_non_ra"):
        return PAINT, False
    if zone == "mid_range":
        return MID_RANGE, False
    if loc_x == loc_x and loc_y == loc_y:
        return (PAINT if -80 <= loc_x <= 80 and loc_y <= 137.5 else MID_RANGE), False
    if feet == feet:
        return (PAINT if feet <= 8 else MID_RANGE), True
    return UNKNOWN, False
