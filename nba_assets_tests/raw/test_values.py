"""Single cells at the bounds of what they may hold, and the league's clock where it is changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nba_assets.raw.common_faults import common_fault
from nba_assets.raw.league_schedule import LOOKUP_COLUMNS, LeagueSchedule
from nba_assets.raw.league_time import eastern, end_of_hour
from nba_assets.raw.values import (
    decimal_odds,
    flag,
    is_league_game_id,
    league_game_id,
    line,
    made,
    minutes_of_player,
    minutes_of_team,
    number,
    odds,
    plus_minus,
    time_left,
    time_zone,
    word,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        *[
            (minutes_of_player, "70:00", "70:00"),
            (minutes_of_player, "0", "0:00"),
            (minutes_of_player, "38.03", "38:02"),
        ],
        *[
            (minutes_of_team, "0:00", "0:00"),
            (minutes_of_team, "235:00", "235:00"),
            (minutes_of_team, "490:00", "490:00"),
        ],
        *[(plus_minus, "+150", "+150"), (plus_minus, "\N{MINUS SIGN}150", "-150"), (plus_minus, "0", "0")],
        *[(time_left, "56.4", 56.4), (time_left, "PT11M45.00S", 705)],
        *[(number, "-.5", -0.5), (number, "1e3", 1000), (number, "12.", 12), (number, "\N{MINUS SIGN}7", -7)],
        *[
            (flag, "T", 1),
            (flag, "FALSE", 0),
            (flag, "1.0", 1),
            (flag, "0.0", 0),
            (made, "Missed", 0),
            (made, "true", 1),
        ],
        *[(line, "PK", 0), (line, "-5½", -5.5), (line, "½", 0.5), (line, "+ ½", 0.5), (line, "7.5", 7.5)],
        *[(odds, "EVEN", 100), (odds, "-110", -110)],
        *[
            (league_game_id, "22400061", "0022400061"),
            (league_game_id, "022400061", "0022400061"),
            (league_game_id, "2240006", "2240006"),
        ],
        *[(league_game_id, "00022400061", "00022400061"), (league_game_id, "2240006x", "2240006x")],
        (time_zone, "America/New_York", "America/New_York"),
        *[(word({"q": "questionable"}).text, "Q", "questionable"), (word({}).text, "Other", "other")],
    ],
)
def test_what_a_cell_holds(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "complaint"),
    [
        *[
            (minutes_of_player, "70:01", "is not between 0 and 70 minutes"),
            (minutes_of_player, "x", "is not a playing time"),
        ],
        *[
            (minutes_of_team, "234:59", "five players in a whole game"),
            (minutes_of_team, "490:01", "five players"),
            (minutes_of_team, "0:01", "five"),
        ],
        *[(plus_minus, "151", "between -150 and 150"), (plus_minus, "-151", "between"), (plus_minus, "x", "between")],
        *[
            (time_left, "x", "is not a time left"),
            (number, "1,5", "is not a number"),
            (number, "", "is not a number"),
            (number, "nan", "is not"),
        ],
        *[
            (flag, "yes", "is not true or false"),
            (made, "2", "is not true or false"),
            (line, "5½½", "is not a number"),
            (odds, "evens!", "is not"),
        ],
        *[
            (time_zone, "America/Nowhere", "is not a time zone"),
            (time_zone, "", "is not a time zone"),
            (time_zone, "../etc", "is not"),
        ],
    ],
)
def test_what_a_cell_cannot_hold(read: Callable[[str], Any], text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(text)


@pytest.mark.parametrize(
    ("texts", "value"), [(("true", "t", "1", "1.0", "True"), 1.0), (("false", "f", "0", "0.0", "False"), 0.0)]
)
def test_a_flag_in_every_form(texts: tuple[str, ...], value: float) -> None:
    assert [flag(text) for text in texts] == [value] * 5


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("1234567", False), ("12345678", True), ("1234567890", True), ("12345678901", False), ("1234567a", False)],
)
def test_the_leagues_ids_have_eight_to_ten_digits(text: str, is_one: bool) -> None:
    assert is_league_game_id(text) is is_one


@pytest.mark.parametrize(
    ("given", "decimal"),
    [
        (100, 2),
        (105, 2.05),
        (-100, 2),
        (-110, 1 + 100 / 110),
        (99.9, 99.9),
        (1.95, 1.95),
        (-99, -99),
        (float("nan"), float("nan")),
    ],
)
def test_american_odds_begin_at_a_hundred(given: float, decimal: float) -> None:
    np.testing.assert_allclose(decimal_odds(np.array([given])), [decimal], rtol=1e-15)


@pytest.mark.parametrize(
    ("day", "hour", "over"),
    [
        ("2024-10-22", 19, "2024-10-23T00:00"),
        ("2024-10-22", 0, "2024-10-22T05:00"),
        ("2024-11-03", 0, "2024-11-03T05:00"),
        ("2024-11-03", 1, "2024-11-03T07:00"),
        ("2025-03-09", 1, "2025-03-09T07:00"),
        ("2025-03-09", 2, "2025-03-09T08:00"),
        ("2025-03-09", 3, "2025-03-09T08:00"),
        ("2024-10-22", float("nan"), "NaT"),
        ("NaT", 19, "NaT"),
    ],
    ids=[
        "evening",
        "midnight",
        "before the clock goes back",
        "twice",
        "before it goes on",
        "skipped",
        "after it",
        "no hour",
        "no day",
    ],
)
def test_an_hour_is_over_at_its_end_and_never_too_early(day: str, hour: float, over: str) -> None:
    found = end_of_hour(np.array([day], dtype="M8[D]"), np.array([hour]))
    assert (str(found.astype("M8[m]")[0]), found.dtype) == (over, np.dtype("M8[us]"))


def test_the_wall_clock_of_the_league() -> None:
    moments = np.array(["2025-01-21T04:59", "2024-07-01T04:00", "NaT"], dtype="M8[us]")
    assert eastern(moments).astype("M8[m]").astype(str).tolist() == ["2025-01-20T23:59", "2024-07-01T00:00", "NaT"]


def test_the_schedule_is_read_once_and_only_where_somebody_looks() -> None:
    reads: list[int] = []

    def read() -> dict[str, Any]:
        reads.append(1)
        return {name: np.array([name], dtype=object) for name in LOOKUP_COLUMNS}

    schedule = LeagueSchedule(read)
    assert (list(schedule), len(schedule), schedule.was_read, reads) == (
        list(LOOKUP_COLUMNS),
        len(LOOKUP_COLUMNS),
        False,
        [],
    )
    assert schedule["game_id"].tolist() == ["game_id"]
    assert schedule["nba_game_id"].tolist() == ["nba_game_id"]
    assert (schedule.was_read, reads) == (True, [1])


@pytest.mark.parametrize(
    ("faults", "rows", "named"), [(1, 2, True), (1, 3, False), (2, 4, True), (2, 5, False), (0, 1, False)]
)
def test_a_fault_of_half_of_the_rows_is_the_files(faults: int, rows: int, named: bool) -> None:
    found = common_fault({place: {"points": f"row {place}"} for place in range(faults)}, rows, {})
    assert found == (f"{faults} of {rows} rows have the same fault, points: e.g. row 0" if named else None)


def test_of_two_equally_common_faults_the_later_name_is_told_with_its_first_row() -> None:
    found = common_fault({4: {"a": "a4", "b": "b4"}, 2: {"a": "a2"}, 3: {"b": "b3"}}, 3, {})
    assert found == "2 of 3 rows have the same fault, b: e.g. b3"


@pytest.mark.parametrize(("late", "looks_like_utc"), [(1, False), (2, True), (3, True), (4, True)])
def test_dates_look_like_utc_where_half_of_the_faulty_rows_are_a_day_late(late: int, looks_like_utc: bool) -> None:
    tips = np.full(4, "2025-01-21T00:30", dtype="M8[us]")
    days = np.array(["2025-01-21"] * late + ["2025-01-25"] * (4 - late), dtype="M8[D]")
    found = common_fault(
        {place: {"game_time_utc": "off"} for place in range(4)}, 4, {"game_date": days, "game_time_utc": tips}
    )
    assert (found or "").endswith("; this looks like UTC dates") is looks_like_utc
