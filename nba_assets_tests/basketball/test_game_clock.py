"""Minutes and plus-minus as box scores write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.game_clock import clock_text, minutes, parse_minutes, parse_plus_minus, seconds_left


def column(*values: object) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40:11", 2411),
        ("35:00", 2100),
        ("48:00", 2880),
        ("45:28", 2728),
        ("0:00", 0),
        ("9:05", 545),
        ("12:5", 725),
        ("265:00", 15_900),
        (" 36:30 ", 2190),
        ("36", 2160),
        ("36.5", 2190),
        ("0", 0),
        ("38.03", 2281.8),
        ("38.000000:02", 2282),
        ("38.0:2", 2282),
        ("38:02.50", 2282.5),
        ("PT38M02.00S", 2282),
        ("PT38M2S", 2282),
        ("PT240M00.00S", 14_400),
        ("PT0M", 0),
        ("PT23.2S", 23.2),
        ("PT38M60.00S", np.nan),
        ("PT38M02", np.nan),
        ("PTM02.00S", np.nan),
        ("PT", np.nan),
        ("PT1H02M", np.nan),
        ("pt38m", np.nan),
        ("38.5:02", np.nan),
        ("38.:02", np.nan),
        ("38:02.", np.nan),
        ("12:75", np.nan),
        ("12:60", np.nan),
        ("1:02:03", np.nan),
        ("-5:00", np.nan),
        ("5:-1", np.nan),
        ("-5", np.nan),
        ("+5", np.nan),
        ("1e3", np.nan),
        (".", np.nan),
        (":30", np.nan),
        ("30:", np.nan),
        ("12 : 30", np.nan),
        ("nan", np.nan),
        ("inf", np.nan),
        ("null", np.nan),
        ("-", np.nan),
        ("", np.nan),
        ("   ", np.nan),
        ("DNP", np.nan),
        ("١٢:٣٠", np.nan),
        (None, np.nan),
        (np.nan, np.nan),
    ],
)
def test_minutes_played(text: str | None, expected: float) -> None:
    np.testing.assert_array_equal(parse_minutes(column(text)), [expected])


def test_minutes_of_seconds() -> None:
    np.testing.assert_array_equal(np.round(minutes([2411.0, 2728.0, 2190.0, np.nan]), 2), [40.18, 45.47, 36.5, np.nan])


def test_a_column_keeps_its_order_and_length() -> None:
    np.testing.assert_array_equal(parse_minutes(column("1:00", None, "0:30", "1:00")), [60, np.nan, 30, 60])
    assert parse_minutes(column()).shape == (0,)


@given(st.integers(0, 999), st.integers(0, 59))
def test_every_clock_time_is_read(whole: int, seconds: int) -> None:
    assert parse_minutes(column(f"{whole}:{seconds:02d}"))[0] == 60 * whole + seconds


@given(st.one_of(st.none(), st.text(), st.text(alphabet="0123456789:.-+e ", max_size=8)))
def test_no_text_is_read_as_a_negative_or_infinite_time(text: str | None) -> None:
    seconds = parse_minutes(column(text))[0]
    assert np.isnan(seconds) == (slowly_read(text) is None)
    assert np.isnan(seconds) or seconds == pytest.approx(slowly_read(text))


def slowly_read(text: str | None) -> float | None:
    characters = (text or "").strip()
    whole, colon, rest = characters.partition(":")
    if not set(characters) <= set("0123456789:.") or not 0 < len(whole.split(".")[0]) <= 4 or whole.count(".") > 1:
        return None
    if not colon:
        return 60 * float(whole)
    digits, point, decimals = rest.partition(".")
    nothing_behind = "." not in whole or set(whole.partition(".")[2]) == {"0"}
    is_second = digits.isdigit() and len(digits) < 3 and int(digits) < 60 and (decimals.isdigit() or not point)
    return 60 * float(whole) + float(rest) if nothing_behind and is_second else None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (451, "7:31"), (2281.8, "38:02"), (2280.4, "38:00"), (3599.6, "60:00"), (14_400, "240:00")],
)
def test_playing_time_has_one_written_form(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
    assert parse_minutes(column(text))[0] == round(seconds)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("705", 705),
        ("56.4", 56.4),
        ("11:45", 705),
        ("0:56.4", 56.4),
        ("PT11M45.00S", 705),
        ("PT00M23.20S", 23.2),
        (" PT12M00.00S ", 720),
        ("12:60", np.nan),
        ("-1", np.nan),
        ("soon", np.nan),
        ("", np.nan),
    ],
)
def test_time_left_in_a_period(text: str, seconds: float) -> None:
    np.testing.assert_array_equal(seconds_left(text), seconds)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+7", 7),
        ("7", 7),
        ("-14", -14),
        ("0", 0),
        ("7.0", 7),
        ("-4.0", -4),
        ("+0", 0),
        (" -3 ", -3),
        (7.0, 7),
        (-4, -4),
        ("7.5", np.nan),
        ("-", np.nan),
        ("+", np.nan),
        ("", np.nan),
        ("--3", np.nan),
        ("even", np.nan),
        (None, np.nan),
    ],
)
def test_plus_minus(text: object, expected: float) -> None:
    np.testing.assert_array_equal(parse_plus_minus(column(text)), [expected])


def test_plus_minus_of_minus_zero_is_zero() -> None:
    assert not np.signbit(parse_plus_minus(column("-0"))[0])


def test_a_column_of_numbers_is_plus_minus_already() -> None:
    numbers = np.array([7.0, np.nan, 0.0])
    np.testing.assert_array_equal(parse_plus_minus(numbers), numbers)
    assert parse_plus_minus(np.array([-4])).dtype == np.float64
