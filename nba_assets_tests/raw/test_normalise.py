"""How cells are read: one table of forms and one of faults for each kind of value, wherever the kind stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.raw.normalise import Notices
from nba_assets.raw.readers import without_views
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    Row,
    event_row,
    ingested,
    injury_row,
    line_row,
    normalised,
    prop_row,
    quarantine,
    registry_row,
    roster_row,
    schedule_row,
    sheet_row,
    stored,
    team_row,
    write,
)


def box_row(**changes: Any) -> Row:
    """One player's live box score."""
    row = sheet_row(**changes)
    del row["player_status"]
    return row | {"game_status": changes.get("game_status", "Final")}


ONE_ROW: dict[str, Callable[..., Row]] = {
    "schedule": schedule_row,
    "player_gamebook": sheet_row,
    "player_boxscores": box_row,
    "team_boxscores": team_row,
    "play_by_play": lambda **changes: event_row(1, **changes),
    "game_lines": line_row,
    "player_points_props": prop_row,
    "injury_report": injury_row,
    "rosters": roster_row,
    "player_registry": registry_row,
}


def read(name: str, column: str, value: object) -> object:
    """What a value of a column becomes; the row has no other fault."""
    columns, faults, _ = normalised(name, [ONE_ROW[name](**{column: value})])
    assert faults == {}
    return columns[column][0]


def fault(name: str, **changes: object) -> str:
    """The reason for which a row is refused."""
    return normalised(name, [ONE_ROW[name](**changes)])[1][0]


def noticed(name: str, **changes: object) -> list[str]:
    """The notices about a row that is kept."""
    _, faults, notices = normalised(name, [ONE_ROW[name](**changes)])
    assert faults == {}
    assert set(notices.values()) <= {1}
    return sorted(notices)


@pytest.mark.parametrize("name", RAW_TABLES)
def test_a_plain_row_has_neither_fault_nor_notice(name: str) -> None:
    assert normalised(name, [ONE_ROW[name]()])[1:] == ({}, {})


class TestPlayingTime:
    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores"])
    @pytest.mark.parametrize("value", ["38:02", " 38:02 ", "38.03", "PT38M02.00S", "38.000000:02", 38.0333])
    def test_every_common_form_is_read_into_one(self, name: str, value: object) -> None:
        assert read(name, "minutes", value) == "38:02"

    @pytest.mark.parametrize(
        ("value", "minutes"), [("38", "38:00"), (38, "38:00"), (38.0, "38:00"), ("70:00", "70:00"), ("07:31", "7:31")]
    )
    def test_whole_minutes(self, value: object, minutes: str) -> None:
        assert read("player_gamebook", "minutes", value) == minutes

    @pytest.mark.parametrize("value", ["", " ", "NA", "N/A", "-", "nan", "None", "NULL", "\\N", None])
    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores", "team_boxscores"])
    def test_nothing_is_null(self, name: str, value: object) -> None:
        assert read(name, "minutes", value) is None

    @pytest.mark.parametrize("value", ["12:75", "1:02:03", "-5:00", "forty", "PT", "DNP", "20211115"])
    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores", "team_boxscores"])
    def test_anything_else_is_refused(self, name: str, value: str) -> None:
        assert fault(name, minutes=value) == (
            f"minutes {value!r} is not a playing time such as 38:02, 38, 38.03, PT38M02.00S or 38.000000:02"
        )

    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores"])
    def test_nobody_plays_for_more_than_seventy_minutes(self, name: str) -> None:
        assert fault(name, minutes="70:01") == "minutes '70:01' is not between 0 and 70 minutes"

    @pytest.mark.parametrize(
        ("value", "minutes"),
        [
            *[
                ("240:00", "240:00"),
                ("PT265M00.00S", "265:00"),
                ("240", "240:00"),
                ("239:58", "239:58"),
                ("235", "235:00"),
                ("490", "490:00"),
            ],
            ("0:00", "0:00"),
        ],
    )
    def test_team_minutes(self, value: str, minutes: str) -> None:
        assert read("team_boxscores", "minutes", value) == minutes

    @pytest.mark.parametrize("value", ["48:00", "234:59", "490:01", "1440"])
    def test_team_minutes_that_no_game_has(self, value: str) -> None:
        assert fault("team_boxscores", minutes=value).startswith(
            f"minutes {value!r} is not the playing time of five players in a whole game"
        )


class TestPlusMinus:
    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores"])
    @pytest.mark.parametrize(
        ("value", "read_as"),
        [
            ("+7", "+7"),
            ("-7", "-7"),
            ("\N{MINUS SIGN}7", "-7"),
            (7, "7"),
            (-7.0, "-7"),
            ("150", "150"),
            ("-", None),
            ("NA", None),
        ],
    )
    def test_forms(self, name: str, value: object, read_as: str | None) -> None:
        assert read(name, "plus_minus", value) == read_as

    @pytest.mark.parametrize("value", ["7.5", "even", "--3", "151", "-151"])
    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores"])
    def test_faults(self, name: str, value: str) -> None:
        assert fault(name, plus_minus=value) == f"plus_minus {value!r} is not a point difference between -150 and 150"


FULL_LINE = {
    "points": 25,
    "field_goals_made": 9,
    "field_goals_attempted": 20,
    "three_pointers_made": 3,
    "three_pointers_attempted": 8,
    "free_throws_made": 4,
    "free_throws_attempted": 5,
    "offensive_rebounds": 1,
    "defensive_rebounds": 7,
    "total_rebounds": 8,
}
NO_LINE = dict.fromkeys(FULL_LINE, 0)


@pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores"])
class TestPlayersLines:
    def test_a_whole_line(self, name: str) -> None:
        assert read(name, "points", 25) == 25
        assert normalised(name, [ONE_ROW[name](**FULL_LINE)])[1] == {}

    @pytest.mark.parametrize("column", ["field_goals_made", "three_pointers_made", "free_throws_made", "points"])
    def test_points_that_the_makes_cannot_give(self, name: str, column: str) -> None:
        changed = FULL_LINE | {column: FULL_LINE[column] - 1}
        assert fault(name, **changed).startswith(
            "points = 2 x field_goals_made + three_pointers_made + free_throws_made, but points is "
        )
        unknown: dict[str, Any] = FULL_LINE | {column: None}
        assert normalised(name, [ONE_ROW[name](**unknown)])[1] == {}

    def test_more_points_than_attempts_can_give(self, name: str) -> None:
        line = {"points": 8, "field_goals_made": None, "field_goals_attempted": 2, "free_throws_attempted": 1}
        assert fault(name, **line).startswith(
            "points is at most 3 x field_goals_attempted + free_throws_attempted, but"
        )
        assert normalised(name, [ONE_ROW[name](**line | {"points": 7})])[1] == {}

    def test_rebounds_that_their_parts_do_not_give(self, name: str) -> None:
        assert fault(name, **FULL_LINE | {"total_rebounds": 9}).startswith(
            "total_rebounds = offensive_rebounds + defensive_rebounds, but"
        )
        assert fault(name, **FULL_LINE | {"total_rebounds": 7}).startswith("total_rebounds = ")
        unknown: dict[str, Any] = FULL_LINE | {"total_rebounds": 9, "defensive_rebounds": None}
        assert normalised(name, [ONE_ROW[name](**unknown)])[1] == {}

    def test_more_threes_than_field_goals(self, name: str) -> None:
        assert "three_pointers_attempted is at most field_goals_attempted" in fault(
            name, **FULL_LINE | {"three_pointers_attempted": 21}
        )

    def test_more_threes_missed_than_field_goals_missed(self, name: str) -> None:
        assert fault(name, **FULL_LINE | {"three_pointers_attempted": 15}).startswith(
            "three_pointers_attempted less three_pointers_made is at most"
        )
        assert normalised(name, [ONE_ROW[name](**FULL_LINE | {"three_pointers_attempted": 14})])[1] == {}

    @pytest.mark.parametrize(
        "column",
        [
            *[
                "points",
                "field_goals_attempted",
                "three_pointers_attempted",
                "offensive_rebounds",
                "defensive_rebounds",
                "total_rebounds",
            ],
            *["assists", "steals", "blocks"],
        ],
    )
    @pytest.mark.parametrize("minutes", ["0:00", "0", "PT00M00.00S"])
    def test_nobody_does_anything_in_no_time(self, name: str, column: str, minutes: str) -> None:
        assert "with minutes 0:00 nobody has points, field_goals_attempted" in fault(
            name, minutes=minutes, **NO_LINE | {column: 1}
        )
        assert (
            normalised(
                name,
                [
                    ONE_ROW[name](
                        minutes="0:01", **dict.fromkeys(NO_LINE), **{column: 1} if column not in NO_LINE else {}
                    )
                ],
            )[1]
            == {}
        )

    @pytest.mark.parametrize("column", ["free_throws_attempted", "personal_fouls", "turnovers"])
    def test_what_needs_no_time_may_be_counted_in_none(self, name: str, column: str) -> None:
        """A substitute may come in for free throws alone, or foul before the ball is in play."""
        assert normalised(name, [ONE_ROW[name](minutes="0:00", plus_minus="-2", **NO_LINE | {column: 2})])[1] == {}


class TestWhoDidNotPlay:
    @pytest.mark.parametrize("status", ["dnp", "inactive"])
    @pytest.mark.parametrize("changes", [{"minutes": "0:01"}, {"points": 1}, {"personal_fouls": 1}, {"assists": 2}])
    def test_counts_of_who_did_not_play_contradict_themselves(self, status: str, changes: Row) -> None:
        nothing: Row = dict.fromkeys((*FULL_LINE, "minutes", "plus_minus"))
        assert fault("player_gamebook", player_status=status, **nothing | changes).startswith(
            "with player_status dnp or inactive nobody has minutes"
        )

    @pytest.mark.parametrize("nothing", [None, 0])
    @pytest.mark.parametrize("minutes", [None, "0:00", "-"])
    def test_nothing_and_zeros_do_not(self, nothing: int | None, minutes: str | None) -> None:
        line: Row = dict.fromkeys(FULL_LINE, nothing)
        assert normalised("player_gamebook", [sheet_row(player_status="dnp", minutes=minutes, **line)])[1] == {}


class TestTeamsLines:
    def test_a_total_of_rebounds_may_hold_those_of_nobody(self) -> None:
        parts: Row = {"offensive_rebounds": 10, "defensive_rebounds": 30}
        assert normalised("team_boxscores", [team_row(total_rebounds=47, **parts)])[1] == {}
        assert fault("team_boxscores", total_rebounds=39, **parts).startswith(
            "total_rebounds is at least offensive_rebounds + defensive_rebounds"
        )

    def test_more_threes_than_field_goals(self) -> None:
        assert fault("team_boxscores", three_pt_attempted=89).startswith("three_pt_attempted is at most fg_attempted")

    @pytest.mark.parametrize(("team", "is_home"), [("LAL", 1.0), ("CHI", 0.0)])
    def test_the_home_team_is_told_by_the_game(self, team: str, is_home: float) -> None:
        row = team_row(team)
        del row["is_home"]
        columns, faults, _ = normalised("team_boxscores", [row])
        assert (columns["is_home"], faults) == ([is_home], {})

    @pytest.mark.parametrize(
        ("team", "is_home", "said"), [("LAL", False, "False, but LAL"), ("CHI", True, "True, but CHI")]
    )
    def test_a_row_that_says_otherwise_contradicts_itself(self, team: str, is_home: bool, said: str) -> None:
        _, faults, _ = normalised("team_boxscores", [team_row(team, is_home=is_home)])
        assert faults == {0: f"is_home is {said} plays in CHI at LAL"}


class TestPlaces:
    @pytest.mark.parametrize("zone", ["America/New_York", "Europe/Paris", " America/Phoenix "])
    def test_a_time_zone(self, zone: str) -> None:
        assert read("schedule", "arena_timezone", zone) == zone.strip()

    @pytest.mark.parametrize("zone", ["", "NA", None])
    def test_no_time_zone(self, zone: str | None) -> None:
        assert read("schedule", "arena_timezone", zone) is None

    @pytest.mark.parametrize("zone", ["America/Nowhere", "ET", "America", "../etc/passwd", "Eastern Standard Time"])
    def test_what_is_no_time_zone(self, zone: str) -> None:
        assert (
            fault("schedule", arena_timezone=zone)
            == f"arena_timezone {zone!r} is not a time zone such as America/New_York"
        )

    def test_coordinates(self) -> None:
        place: Row = {"arena_latitude": 34.0, "arena_longitude": -118.3}
        assert normalised("schedule", [schedule_row(**place)])[1] == {}
        assert normalised("schedule", [schedule_row(arena_latitude=0.0, arena_longitude=-78.5)])[1] == {}
        assert normalised("schedule", [schedule_row(arena_latitude=51.5, arena_longitude=0.0)])[1] == {}
        for name in place:
            assert fault("schedule", **place | {name: None}).startswith(
                "arena_latitude and arena_longitude are both given or neither"
            )
        assert fault("schedule", arena_latitude=0, arena_longitude=0).startswith(
            "arena_latitude and arena_longitude are not both 0"
        )
        assert fault("schedule", arena_latitude=91, arena_longitude=0).startswith(
            "arena_latitude is 91, allowed is -90 to 90"
        )


class TestTipOffs:
    """The date of a game is the US-Eastern date of its tip-off, in every feed that has both."""

    TIPS = pytest.mark.parametrize(
        ("name", "column"),
        [("schedule", "game_time_utc"), ("game_lines", "commence_time"), ("player_points_props", "game_start_time")],
    )

    @TIPS
    def test_an_evening_game_is_of_the_next_day_in_utc(self, name: str, column: str) -> None:
        assert read(name, column, datetime(2021, 11, 16, 3, 30, tzinfo=UTC)) == datetime(2021, 11, 16, 3, 30)
        assert read(name, column, datetime(2021, 11, 16, 4, 59, tzinfo=UTC))
        assert read(name, column, datetime(2021, 11, 15, 5, 0, tzinfo=UTC))

    @TIPS
    @pytest.mark.parametrize(
        ("tip", "day"),
        [(datetime(2021, 11, 15, 4, 59), 14), (datetime(2021, 11, 16, 5, 0), 16), (datetime(2021, 11, 15, 0, 0), 14)],
    )
    def test_a_date_that_contradicts_the_tip_off(self, name: str, column: str, tip: datetime, day: int) -> None:
        assert fault(name, **{column: tip}) == (
            f"game_date 2021-11-15 is not the US-Eastern date of {column} {tip.isoformat()}.000000 UTC, which is "
            f"2021-11-{day}"
        )

    @pytest.mark.parametrize("moment", [2**63 - 1, -(2**63) + 1])
    def test_a_clock_gone_wrong_is_no_tip_off_that_is_not_set(self, moment: int) -> None:
        rows = pa.table({name: [value] for name, value in schedule_row().items()})
        tips = pa.array([moment], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
        rows = rows.set_column(rows.column_names.index("game_time_utc"), "game_time_utc", tips)
        assert "is not the US-Eastern date of game_time_utc" in normalised("schedule", rows)[1][0]

    def test_a_tip_off_that_is_not_set_yet_passes(self) -> None:
        for value in (None, "", "1900-01-02T03:00:00Z", "0001-01-01T04:57:00Z"):
            assert read("schedule", "game_time_utc", value) is None


class TestResults:
    def test_a_final_ends_with_a_winner(self) -> None:
        tied: Row = {"home_team_score": 100, "away_team_score": 100, "winning_team_abbr": None}
        assert fault("schedule", **tied).startswith(
            "no game with game_status 3, final, ends tied, home_team_score = away_team_score"
        )
        assert normalised("schedule", [schedule_row(game_status=2, **tied)])[1:] == ({}, {})

    @pytest.mark.parametrize(
        "missing", [("home_team_score",), ("away_team_score",), ("home_team_score", "away_team_score")]
    )
    def test_a_final_without_a_score_is_kept_and_reported(self, missing: tuple[str, ...]) -> None:
        changes: Row = dict.fromkeys(missing)
        assert noticed("schedule", **changes) == ["a game is final (game_status 3) without both scores"]
        assert noticed("schedule", game_status=1, **changes) == []

    def test_a_winner_with_fewer_points_is_reported(self) -> None:
        assert noticed("schedule", winning_team_abbr="LAL") == [
            "winning_team_abbr contradicts the scores of a final game"
        ]
        assert noticed("schedule", winning_team_abbr="LAL", home_team_score=122) == []
        assert noticed("schedule", winning_team_abbr=None) == []
        assert noticed("schedule", winning_team_abbr="LAL", game_status=2) == []


class TestNothing:
    """What feeds write for nothing is nothing, in every format and kind of column."""

    SPELLINGS = ("", " ", "NA", "N/A", "n/a", "NaN", "nan", "None", "null", "NULL", "\\N", "<NA>", "NaT")

    @pytest.mark.parametrize("spelling", SPELLINGS)
    @pytest.mark.parametrize(
        ("name", "column"),
        [
            ("player_gamebook", "points"),
            ("player_gamebook", "dnp_reason"),
            ("player_gamebook", "plus_minus"),
            ("player_gamebook", "home_team_abbr"),
            ("schedule", "winning_team_abbr"),
            ("schedule", "game_time_utc"),
            ("schedule", "is_primetime"),
            ("schedule", "arena_latitude"),
            ("play_by_play", "shot_distance"),
            ("play_by_play", "player_2_lookup"),
            ("rosters", "birth_date"),
            ("rosters", "roster_status"),
            ("injury_report", "reason"),
            ("game_lines", "outcome_price"),
        ],
    )
    def test_spellings(self, name: str, column: str, spelling: str) -> None:
        assert read(name, column, spelling) is None

    @pytest.mark.parametrize(
        ("name", "column"), [("player_gamebook", "points"), ("rosters", "birth_date"), ("game_lines", "outcome_point")]
    )
    def test_a_dash_is_no_number(self, name: str, column: str) -> None:
        assert read(name, column, "-") is None

    def test_a_dash_may_be_a_text(self) -> None:
        assert read("player_gamebook", "dnp_reason", "-") == "-"

    @pytest.mark.parametrize("spelling", ["NA", "\\N", "nan"])
    def test_a_required_value_is_missing(self, spelling: str) -> None:
        assert fault("player_gamebook", player_status=spelling) == "player_status is missing"
        assert fault("schedule", game_status=spelling) == "game_status is missing"

    @pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
    @pytest.mark.parametrize("spelling", ["NA", "\\N", "NULL"])
    def test_a_sheet_of_who_did_not_play(self, suffix: str, spelling: str, landing: Path, warehouse: Warehouse) -> None:
        counts = {
            name: spelling
            for name, value in sheet_row().items()
            if name in FULL_LINE or name in ("minutes", "plus_minus")
        }
        write(
            landing, f"player_gamebook{suffix}", [{**sheet_row(player_status="dnp"), **counts, "game_date": str(DAY)}]
        )
        assert ingested("player_gamebook", landing, warehouse).quarantined_count == 0
        (row,) = stored("player_gamebook", warehouse)
        assert {row[name] for name in counts} == {None}


class TestClocks:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (56.4, 56),
            ("56.4", 56),
            ("PT00M23.20S", 23),
            ("PT11M45.00S", 705),
            ("11:45", 705),
            ("0:56.9", 56),
            (720, 720),
            ("12:00", 720),
            (0.3, 0),
            ("-", None),
        ],
    )
    def test_tenths_are_rounded_down(self, value: object, seconds: int | None) -> None:
        assert read("play_by_play", "game_clock_seconds", value) == seconds

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            (
                "half past",
                "game_clock_seconds 'half past' is not a time left in a period, in seconds, as MM:SS or as PT11M45.00S",
            ),
            ("12:01", "game_clock_seconds is 721, allowed is 0 to 720"),
            (-0.5, "game_clock_seconds is -1, allowed is 0 to 720"),
        ],
    )
    def test_what_is_no_time(self, value: object, said: str) -> None:
        assert fault("play_by_play", game_clock_seconds=value) == said

    def test_fractions_of_other_counts_stay_faults(self) -> None:
        assert fault("play_by_play", score_home=56.4) == "score_home 56.4 is not a whole number"


class TestOddsAndLines:
    @pytest.mark.parametrize(
        ("value", "price"),
        [
            ("+105", 2.05),
            ("105", 2.05),
            (105, 2.05),
            ("-110", 1 + 100 / 110),
            (-110.0, 1 + 100 / 110),
            ("EVEN", 2.0),
            ("+100", 2.0),
            ("1.91", 1.91),
            (99.5, 99.5),
        ],
    )
    def test_american_odds_become_decimal(self, value: object, price: float) -> None:
        assert read("game_lines", "outcome_price", value) == pytest.approx(price, rel=1e-15)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("-50", "outcome_price is -50, allowed is 1 to 10000"),
            ("evens-ish", "outcome_price 'evens-ish' is not a number"),
        ],
    )
    def test_what_is_no_price(self, value: str, said: str) -> None:
        assert fault("game_lines", outcome_price=value) == said

    @pytest.mark.parametrize(
        ("value", "line"),
        [
            ("PK", 0),
            ("pick", 0),
            ("5½", 5.5),
            ("-5½", -5.5),
            ("½", 0.5),
            ("\N{MINUS SIGN}3", -3),
            ("+3.5", 3.5),
            ("5 ½", 5.5),
            (-1.5, -1.5),
        ],
    )
    def test_lines(self, value: object, line: float) -> None:
        assert read("game_lines", "outcome_point", value) == line

    @pytest.mark.parametrize("column", ["points_line", "opening_line"])
    def test_lines_of_props(self, column: str) -> None:
        assert read("player_points_props", column, "24½") == 24.5

    @pytest.mark.parametrize("column", ["over_price_american", "under_price_american"])
    def test_american_odds_of_props_stay(self, column: str) -> None:
        assert [read("player_points_props", column, value) for value in ("+105", "-110", -110, "EVEN")] == [
            105,
            -110,
            -110,
            100,
        ]

    @pytest.mark.parametrize("point", ["PK", 99.5])
    def test_a_total_that_no_game_has(self, point: object) -> None:
        assert fault("game_lines", market_key="totals", outcome_name="Over", outcome_point=point).startswith(
            "with market_key totals outcome_point is at least 100, but"
        )

    def test_other_markets_are_refused(self) -> None:
        assert fault("game_lines", market_key="h2h") == "market_key 'h2h' is not one of spreads, totals"


class TestDates:
    @pytest.mark.parametrize(
        "value", ["2021-11-15", "11/15/2021", "Nov 15, 2021", "NOVEMBER 15, 2021", "2021-11-15T00:00:00Z"]
    )
    def test_forms(self, value: str) -> None:
        assert read("injury_report", "report_date", value) == date(2021, 11, 15)

    def test_a_day_that_is_its_month_is_clear(self) -> None:
        assert read("rosters", "birth_date", "05/05/1999") == date(1999, 5, 5)

    @pytest.mark.parametrize(
        ("value", "months"), [("04/05/1999", "04 or of month 05"), ("12/1/1999", "12 or of month 1")]
    )
    def test_a_date_that_may_be_two_is_refused(self, value: str, months: str) -> None:
        assert (
            fault("rosters", birth_date=value)
            == f"birth_date {value!r} may be of month {months}; write dates as YYYY-MM-DD"
        )

    @pytest.mark.parametrize("value", ["25/03/1999", "02/30/1999", "15.11.1999", "1999", "soon"])
    def test_what_is_no_date(self, value: str) -> None:
        assert fault("rosters", birth_date=value) == f"birth_date {value!r} is not a date YYYY-MM-DD"


class TestAges:
    @pytest.mark.parametrize("birth", [date(2021, 11, 16), date(2007, 1, 1), date(1961, 11, 1)])
    def test_a_birth_that_makes_him_too_young_or_too_old(self, birth: date) -> None:
        assert fault("rosters", birth_date=birth).startswith(
            "birth_date makes him 15 to 60 years old on roster_date, but"
        )

    @pytest.mark.parametrize("birth", [date(2006, 11, 1), date(1962, 1, 1)])
    def test_the_youngest_and_the_oldest(self, birth: date) -> None:
        assert read("rosters", "birth_date", birth) == birth

    def test_a_roster_of_another_season(self) -> None:
        assert fault("rosters", season_year=2019).startswith(
            "roster_date lies between the July before season_year and the October after it"
        )


class TestReportTimes:
    """A report counts from the moment from which it is known to have existed."""

    @pytest.mark.parametrize(
        ("day", "hour", "end"),
        [
            (date(2021, 11, 15), 19, datetime(2021, 11, 16, 1)),
            (date(2021, 11, 15), 23, datetime(2021, 11, 16, 5)),
            (date(2022, 4, 10), 10, datetime(2022, 4, 10, 15)),
            (date(2021, 11, 7), 1, datetime(2021, 11, 7, 7)),
            (date(2022, 3, 13), 2, datetime(2022, 3, 13, 8)),
        ],
    )
    def test_an_hour_counts_from_its_end(self, day: date, hour: int, end: datetime) -> None:
        columns, faults, _ = normalised("injury_report", [injury_row(day=day, report_hour=hour)])
        assert (columns["reported_at"], faults) == ([end], {})

    def test_a_moment_stands_above_the_hour(self) -> None:
        row = injury_row(report_hour=19, reported_at=datetime(2021, 11, 16, 0, 45, tzinfo=UTC))
        columns, faults, _ = normalised("injury_report", [row])
        assert (columns["reported_at"], columns["report_hour"], faults) == ([datetime(2021, 11, 16, 0, 45)], [19], {})

    def test_a_moment_alone_is_enough(self) -> None:
        row = injury_row(reported_at="2021-11-16T00:45:00Z")
        del row["report_hour"], row["report_date"]
        columns, faults, _ = normalised("injury_report", [row])
        assert faults == {}
        assert (columns["report_date"], columns["report_hour"]) == ([date(2021, 11, 15)], [19])
        assert columns["reported_at"] == [datetime(2021, 11, 16, 0, 45)]

    def test_the_hour_of_the_moment_fills_what_is_missing(self) -> None:
        columns, faults, _ = normalised(
            "injury_report", [injury_row(report_hour=None, reported_at="2021-11-15T20:30:00Z")]
        )
        assert (columns["report_hour"], faults) == ([15], {})

    @pytest.mark.parametrize("hour", [24, -1, 2**53])
    def test_an_hour_that_no_day_has_is_no_moment(self, hour: int) -> None:
        assert (
            fault("injury_report", report_hour=hour)
            == f"report_hour is {hour:.15g}, allowed is 0 to 23; reported_at is missing"
        )

    @pytest.mark.parametrize("day", [2**31 - 1, -(2**31)])
    def test_a_day_beyond_every_calendar_is_no_moment(self, day: int) -> None:
        rows = pa.table({name: [value] for name, value in injury_row().items()})
        rows = rows.set_column(
            rows.column_names.index("report_date"), "report_date", pa.array([day], pa.int32()).cast(pa.date32())
        )
        assert "cannot be; reported_at is missing" in normalised("injury_report", rows)[1][0]

    def test_without_moment_and_hour_nothing_is_known(self) -> None:
        assert fault("injury_report", report_hour=None) == "report_hour is missing; reported_at is missing"

    @pytest.mark.parametrize(("days", "is_fault"), [(-1, False), (-2, True), (30, False), (31, True)])
    def test_a_report_is_dated_near_its_game(self, days: int, is_fault: bool) -> None:
        faults = normalised("injury_report", [injury_row(report_date=DAY - timedelta(days=days))])[1]
        assert bool(faults) == is_fault

    def test_reports_within_an_hour_are_different_reports(self, landing: Path, warehouse: Warehouse) -> None:
        moments = [datetime(2021, 11, 15, 15, minute, tzinfo=UTC) for minute in (0, 15)]
        write(landing, "injury_report.parquet", [injury_row(reported_at=moment) for moment in moments])
        assert ingested("injury_report", landing, warehouse).row_count == 2


class TestGameIdsOfTheLeague:
    """A row may name its game by the league's own id alone; the schedule tells which game that is."""

    @staticmethod
    def schedule(**changes: Any) -> dict[str, np.ndarray]:
        columns, faults, _ = normalised("schedule", [schedule_row(nba_game_id="0022100213", **changes)])
        assert faults == {}
        return {name: np.array(columns[name], dtype="M8[D]" if name == "game_date" else object) for name in columns}

    @pytest.mark.parametrize("name", ["player_gamebook", "player_boxscores", "team_boxscores", "play_by_play"])
    @pytest.mark.parametrize(
        ("column", "value"),
        [("game_id", "0022100213"), ("game_id", 22100213), ("nba_game_id", "0022100213"), ("nba_game_id", 22100213)],
    )
    def test_the_game_is_found(self, name: str, column: str, value: object) -> None:
        row = {
            key: item
            for key, item in ONE_ROW[name]().items()
            if key not in ("game_id", "home_team_abbr", "away_team_abbr", "is_home")
        }
        columns, faults, _ = normalised(name, [row | {column: value}], self.schedule())
        assert faults == {}
        assert (columns["game_id"], columns["nba_game_id"]) == (["20211115_CHI_LAL"], ["0022100213"])

    def test_the_home_team_follows(self) -> None:
        rows = [team_row(team, game_id="0022100213", is_home=None) for team in ("LAL", "CHI")]
        assert normalised("team_boxscores", rows, self.schedule())[0]["is_home"] == [1, 0]

    def test_a_team_that_does_not_play_in_it(self) -> None:
        _, faults, _ = normalised(
            "team_boxscores", [team_row("BOS", game_id="0022100213", is_home=True)], self.schedule()
        )
        assert faults == {0: "team_abbr BOS does not play in CHI at LAL"}

    def test_an_id_that_the_schedule_lacks(self) -> None:
        _, faults, _ = normalised("team_boxscores", [team_row(game_id="0022100999")], self.schedule())
        assert faults[0].startswith(
            "nba_game_id 0022100999 is no game of the landed schedule, and the row does not name the home and the "
            "away team"
        )

    def test_a_game_of_another_date(self) -> None:
        moved = self.schedule(day=date(2021, 11, 17))
        _, faults, _ = normalised("team_boxscores", [team_row(game_id="0022100213")], moved)
        assert faults[0].startswith(
            "nba_game_id 0022100213 is a game of another date than game_date 2021-11-15 in the landed schedule"
        )

    def test_teams_and_date_stand_without_a_schedule(self) -> None:
        columns, faults, _ = normalised("player_gamebook", [sheet_row(game_id="0022100213")])
        assert faults == {}
        assert (columns["game_id"], columns["nba_game_id"]) == (["20211115_CHI_LAL"], ["0022100213"])

    def test_a_schedule_takes_the_leagues_id_from_its_game_id(self) -> None:
        columns, faults, _ = normalised("schedule", [schedule_row(game_id="0022100213", nba_game_id=None)])
        assert faults == {}
        assert (columns["game_id"], columns["nba_game_id"]) == (["20211115_CHI_LAL"], ["0022100213"])


class TestFormerTeams:
    """A franchise goes by the tricode of the row's season, however a feed calls it."""

    def test_a_game_of_another_time(self) -> None:
        day = date(2007, 11, 2)
        columns, faults, notices = normalised(
            "schedule", [schedule_row(day, "OKC", "New Orleans Hornets", game_id=None, winning_team_abbr="SEA")]
        )
        assert faults == {}
        assert columns["game_id"] == ["20071102_SEA_NOH"]
        assert notices == {"away_team_abbr OKC is read as SEA, the franchise's tricode of that season": 1}

    @pytest.mark.parametrize("game_id", ["20071102_OKC_NOP", "20071102_SEA_NOH"])
    def test_an_id_in_the_codes_of_today(self, game_id: str) -> None:
        row = team_row("SEA", date(2007, 11, 2), game_id=game_id, is_home=False)
        columns, faults, _ = normalised("team_boxscores", [row])
        assert (columns["game_id"], faults) == (["20071102_SEA_NOH"], {})

    def test_a_former_code_in_a_season_of_today(self) -> None:
        columns, faults, notices = normalised("rosters", [roster_row(team_abbr="SEA"), roster_row("B")])
        assert (columns["team_abbr"], faults) == (["OKC", "LAL"], {})
        assert notices == {"team_abbr SEA is read as OKC, the franchise's tricode of that season": 1}

    @pytest.mark.parametrize("code", ["CHA", "CHH", "NOP", "NOH", "Charlotte Hornets", "New Orleans Pelicans"])
    def test_the_first_hornets_under_either_franchise_that_counts_their_seasons(self, code: str) -> None:
        row = schedule_row(date(1997, 11, 4), "WAS", code, season_year=1997, game_id=None, winning_team_abbr=None)
        columns, faults, _ = normalised("schedule", [row])
        assert (columns["game_id"], faults) == (["19971104_WAS_CHH"], {})

    def test_a_city_without_a_team(self) -> None:
        row = roster_row(team_abbr="CHA", roster_date=date(2002, 12, 1), season_year=2002, birth_date=None)
        assert normalised("rosters", [row])[1] == {0: "team_abbr CHA had no team in 2002-03"}

    def test_a_registry_goes_by_its_season(self) -> None:
        rows = [registry_row(season=season, team_abbr="BKN") for season in ("2011-12", "2012-13")]
        assert normalised("player_registry", rows)[0]["team_abbr"] == ["NJN", "BKN"]

    def test_a_registry_without_teams(self) -> None:
        assert normalised("player_registry", [registry_row(season="2007-08")])[0]["team_abbr"] == [""]


class TestNames:
    """Every column with a player's name or key spells him the same way."""

    @pytest.mark.parametrize(
        ("name", "column", "lookup"),
        [
            ("player_gamebook", "player_name", "player_lookup"),
            ("player_gamebook", "player_lookup", "player_lookup"),
            ("player_boxscores", "player_name", "player_lookup"),
            ("play_by_play", "player_1_lookup", "player_1_lookup"),
            ("play_by_play", "player_2_lookup", "player_2_lookup"),
            ("player_points_props", "player_name", "player_lookup"),
            ("injury_report", "player_lookup", "player_lookup"),
            ("rosters", "player_full_name", "player_lookup"),
            ("player_registry", "player_name", "player_lookup"),
        ],
    )
    @pytest.mark.parametrize(
        ("written", "key"),
        [
            ("Brown, Jaylen", "jaylenbrown"),
            ("Jackson Jr., Jaren", "jarenjacksonjr"),
            ("Nikola Đurišić", "nikoladurisic"),
        ],
    )
    def test_a_name_in_any_order(self, name: str, column: str, lookup: str, written: str, key: str) -> None:
        columns, faults, _ = normalised(name, [ONE_ROW[name](**{column: written})])
        assert (columns[lookup], faults) == ([key], {})

    def test_a_printed_name_stays_as_printed(self) -> None:
        assert read("player_gamebook", "player_name", "Brown, Jaylen") == "Brown, Jaylen"

    @pytest.mark.parametrize(
        "name",
        ["player_gamebook", "player_boxscores", "rosters", "player_registry", "injury_report", "player_points_props"],
    )
    @pytest.mark.parametrize(("value", "stored_as"), [("2544", "2544"), (2544, "2544"), (2544.0, "2544"), (None, None)])
    def test_the_providers_own_id(self, name: str, value: object, stored_as: str | None) -> None:
        assert read(name, "player_id", value) == stored_as

    @pytest.mark.parametrize("column", ["player_1_id", "player_2_id"])
    def test_the_providers_own_ids_of_an_event(self, column: str) -> None:
        assert read("play_by_play", column, 203897) == "203897"


class TestWords:
    @pytest.mark.parametrize(
        ("word", "status"),
        [
            *[("Active", "active"), ("DNP", "dnp"), ("Inactive", "inactive"), ("NWT", "inactive"), ("DND", "inactive")],
            *[
                ("not with team", "inactive"),
                ("DNP - Coach's Decision", "dnp"),
                ("Did Not Play", "dnp"),
                ("played", "active"),
            ],
        ],
    )
    def test_player_status(self, word: str, status: str) -> None:
        nothing: Row = {} if status == "active" else dict.fromkeys((*FULL_LINE, "minutes", "plus_minus"))
        columns, faults, _ = normalised("player_gamebook", [sheet_row(player_status=word, **nothing)])
        assert (columns["player_status"], faults) == ([status], {})

    def test_a_player_status_that_is_not_known_is_a_fault(self) -> None:
        assert (
            fault("player_gamebook", player_status="hurt") == "player_status 'hurt' is not one of active, dnp, inactive"
        )

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            *[
                ("Out", "out"),
                ("GTD", "questionable"),
                ("Game Time Decision", "questionable"),
                ("Day-To-Day", "questionable"),
            ],
            *[("Doubtful", "doubtful"), ("Available", "available"), ("Probable", "probable"), ("OFS", "out")],
        ],
    )
    def test_injury_status(self, word: str, status: str) -> None:
        assert read("injury_report", "injury_status", word) == status

    def test_an_injury_status_that_is_not_known_is_a_fault(self) -> None:
        assert fault("injury_report", injury_status="Maybe").startswith(
            "injury_status 'maybe' is not one of out, doubtful"
        )

    @pytest.mark.parametrize(
        ("word", "status"),
        [
            ("Final", "final"),
            ("Final/OT", "final"),
            ("Final (2OT)", "final"),
            ("STATUS_FINAL", "final"),
            ("3", "final"),
            ("Halftime", "live"),
        ],
    )
    def test_game_status(self, word: str, status: str) -> None:
        assert read("player_boxscores", "game_status", word) == status
        assert noticed("player_boxscores", game_status=word) == []

    @pytest.mark.parametrize(
        ("name", "column", "word", "said"),
        [
            ("player_boxscores", "game_status", "Abandoned", "game_status 'abandoned' is not known"),
            ("rosters", "roster_status", "On Loan", "roster_status 'on loan' is not known"),
            ("play_by_play", "player_2_role", "Cheerleader", "player_2_role 'cheerleader' is not known"),
            ("play_by_play", "shot_zone", "Parking Lot", "shot_zone 'parking lot' is not known"),
            ("play_by_play", "event_type", "Heave", "event_type 'heave' is not known"),
        ],
    )
    def test_other_words_are_kept_and_reported(self, name: str, column: str, word: str, said: str) -> None:
        assert noticed(name, **{column: word}) == [said]
        assert read(name, column, word) == word.lower()

    @pytest.mark.parametrize(
        ("word", "status"),
        [("Active", "active"), ("Two-Way Contract", "two-way"), ("Day-To-Day", "day-to-day"), ("G-League", "g league")],
    )
    def test_roster_status(self, word: str, status: str) -> None:
        assert read("rosters", "roster_status", word) == status
        assert noticed("rosters", roster_status=word) == []


class TestArrowTypes:
    """A text is a text, whatever Arrow calls it."""

    TYPES: tuple[Callable[[list[Any]], pa.Array], ...] = (
        lambda values: pa.array(values, pa.string()),
        lambda values: pa.array(values, pa.large_string()),
        lambda values: pa.array(values, pa.string_view()),
        lambda values: pa.array(values, pa.binary()),
        lambda values: pa.array(values, pa.large_binary()),
        lambda values: pa.array([None if value is None else value.encode() for value in values], pa.binary_view()),
        lambda values: pa.array(values, pa.string()).dictionary_encode(),
        lambda values: pa.array(values, pa.large_string()).dictionary_encode(),
        lambda values: pa.array(values, pa.binary()).dictionary_encode(),
    )

    @pytest.mark.parametrize("make", TYPES, ids=lambda make: str(make(["x"]).type))
    def test_every_text_type_is_read_and_filtered_alike(
        self, make: Callable[[list[Any]], pa.Array], landing: Path, warehouse: Warehouse
    ) -> None:
        rows = [
            sheet_row(name, day=day, points=points)
            for day in (DAY, DAY + timedelta(days=1))
            for name, points in (("José A", "25"), ("B", "x"))
        ]
        texts = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
        table = pa.table({name: make([row[name] for row in texts]) for name in texts[0]})
        (landing / "player_gamebook").mkdir()
        pq.write_table(table, landing / "player_gamebook" / "all.parquet", row_group_size=1)
        report = ingested("player_gamebook", landing, warehouse)
        report.raise_for_bad_files()
        assert [
            (row["player_lookup"], row["points"], row["minutes"]) for row in stored("player_gamebook", warehouse)
        ] == [("josea", 25, "34:12")]
        (row,) = quarantine("player_gamebook", warehouse)
        assert (row["row_number"], row["reason"]) == (2, "points 'x' is not a number")
        assert json.loads(row["content"])["player_name"] in ("B", "b'B'")

    def test_views_within_a_dictionary(self) -> None:
        """No writer that is at hand makes such files."""
        views = pa.array(["LAL", "CHI", "LAL", None], pa.string_view()).dictionary_encode()
        assert without_views(pa.table({"team": views})).column("team").to_pylist() == ["LAL", "CHI", "LAL", None]
        assert without_views(pa.table({"team": views})).schema.field("team").type == pa.string()

    def test_texts_of_a_fixed_number_of_bytes(self) -> None:
        rows = pa.table({name: [value] for name, value in injury_row().items()})
        rows = rows.set_column(rows.column_names.index("team"), "team", pa.array([b"LAL"], pa.binary(3)))
        assert normalised("injury_report", rows)[0]["team"] == ["LAL"]

    def test_bytes_that_are_no_text(self) -> None:
        rows = pa.table({name: [value, value] for name, value in injury_row().items()}).append_column(
            "reason", pa.array([b"fl\xfc", b"knee"])
        )
        columns, faults, _ = normalised("injury_report", rows)
        assert columns["reason"] == [None, "knee"]
        assert faults == {0: "reason b'fl\\xfc' is not text in UTF-8"}


def test_notices_are_counted_over_the_rows_that_are_kept() -> None:
    notices = Notices()
    notices.add("odd", np.array([True, True, False, False]))
    notices.add("odd", np.array([False, True, True, False]))
    notices.add("even", np.array([True, False, False, False]))
    notices.add("nowhere", np.zeros(4, dtype=bool))
    assert notices.counted(np.array([False, True, True, True])) == {"odd": 2}
    assert notices.counted(np.ones(4, dtype=bool)) == {"odd": 3, "even": 1}
