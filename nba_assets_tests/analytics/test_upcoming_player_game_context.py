"""Golden rows of upcoming_player_game_context, and of what is joined to them: lines, props, rosters, injury reports,
stars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from nba_assets.analytics import stars
from nba_assets.analytics.injuries import INJURY_COLUMNS, latest_statuses
from nba_assets.analytics.lines import LINE_COLUMNS, OVER, consensus
from nba_assets.analytics.props import PROP_COLUMNS, closing_lines
from nba_assets.analytics.rosters import ROSTER_COLUMNS, members
from nba_assets.analytics.upcoming_player_game_context import COPIED, SHEET_COLUMNS, TABLE, Shared, compute
from nba_assets.entities.completeness import League, Readiness
from nba_assets.entities.groups import Grouped
from nba_assets.tables.spec import Type
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.stored import stored

TONIGHT = np.datetime64("2025-01-20")
OPENING = np.datetime64("2024-10-22")
NEVER = np.datetime64("NaT", "D")


def blank(name: str) -> Any:
    return {Type.STRING: None, Type.DATE: NEVER}.get(TABLE.column(name).type, NAN)


def requested(**changes: Any) -> dict[str, Any]:
    """LeBron James before LAL at BOS on 2025-01-20, both lines known."""
    return {name: blank(name) for name in COPIED} | {
        "player_lookup": "lebronjames",
        "game_id": "20250120_LAL_BOS",
        "game_date": TONIGHT,
        "team_abbr": "LAL",
        "opponent_team_abbr": "BOS",
        "has_prop_line": 1,
        "home_game": 0,
        "season_phase": "mid",
        "current_points_line": 24.5,
        "game_spread": 5.5,
        "game_total": 226.5,
        "book_count": 3,
        "travel_miles": 0,
        "time_zone_changes": 0,
        "consecutive_road_games": 1,
        "miles_traveled_last_14_days": 0,
        "time_zones_crossed_last_14_days": 0,
        "season_start": OPENING,
        "is_bootstrap": 0,
        "is_boundary": 0,
        "date_has_reports": 1,
        "date_has_props": 1,
        "roster_date": TONIGHT,
        "next_opponent_lost": 0,
        **changes,
    }


def game(day: str, **changes: Any) -> dict[str, Any]:
    """One played game."""
    return {
        "player_lookup": "lebronjames",
        "game_id": f"{day.replace('-', '')}_LAL_XXX",
        "game_date": np.datetime64(day),
        "team_abbr": "LAL",
        "is_dnp": 0,
        "points": 20,
        "minutes_played": 30.0,
        "usage_rate": 25.0,
        "fg_makes": 8,
        "fg_attempts": 16,
        **changes,
    }


NOTHING_BESIDES = {"game_date": np.array([], dtype="M8[D]"), "minutes_played": np.array([])}
NO_ROSTER = {"team_abbr": np.array([], dtype=object), "roster_date": np.array([], dtype="M8[D]")}


def row(
    history: Sequence[dict[str, Any]] = (), *, besides: Mapping[str, Any] = NOTHING_BESIDES, **changes: Any
) -> dict[str, Any]:
    """The stored row for a history given in any order."""
    sheet = (
        columns(sorted(history, key=lambda line: line["game_date"]))
        if history
        else {name: values[:0] for name, values in columns([game("2025-01-01")]).items()}
    )
    assert set(sheet) == set(SHEET_COLUMNS)
    finals = {
        "team_abbr": sheet["team_abbr"],
        "game_id": sheet["game_id"],
        "game_date": sheet["game_date"],
        "roster_date": np.full(len(sheet["game_date"]), NEVER),
    }
    shared = Shared(Readiness(90), League(Grouped.by(finals, "team_abbr", "game_date")))
    return stored(
        TABLE,
        alone(compute)(
            columns([requested(**changes)]), {"sheet": sheet, "besides": besides, "roster": NO_ROSTER}, shared
        ).rows,
    )[0]


def on(*days: str) -> list[dict[str, Any]]:
    return [game(f"2025-01-{day}") for day in days]


def scored(*points: float) -> list[dict[str, Any]]:
    """Games on alternate days before tonight, newest first."""
    return [
        game(str(TONIGHT - np.timedelta64(1 + 2 * place, "D")), points=number) for place, number in enumerate(points)
    ]


def test_fatigue_of_five_games() -> None:
    minutes = {"2025-01-19": 35.5, "2025-01-17": 38.2, "2025-01-15": 34.8, "2025-01-13": 36.1, "2025-01-11": 35.0}
    result = row([game(day, minutes_played=played) for day, played in minutes.items()])
    assert (result["days_rest"], result["back_to_back"], result["days_rest_before_last_game"]) == (1, True, 2)
    assert result["days_since_2_plus_days_rest"] == 1
    assert (result["games_in_last_7_days"], result["games_in_last_14_days"]) == (3, 5)
    assert (result["minutes_in_last_7_days"], result["minutes_in_last_14_days"]) == (108, 179)
    assert result["avg_minutes_per_game_last_7"] == 36.2
    assert result["back_to_backs_last_14_days"] == 0


def test_back_to_backs_of_two_weeks() -> None:
    result = row(on("19", "18", "16", "15", "10"))
    assert (result["back_to_backs_last_14_days"], result["games_in_last_14_days"]) == (2, 5)


def test_game_a_week_ago_is_outside_the_week() -> None:
    assert row(on("13"))["games_in_last_7_days"] == 0
    assert row(on("14"))["games_in_last_7_days"] == 1


def test_no_history() -> None:
    result = row()
    unknown = (
        "days_rest",
        "days_rest_before_last_game",
        "days_since_2_plus_days_rest",
        "avg_minutes_per_game_last_7",
        "points_avg_last_5",
    )
    assert [
        result[name] for name in (*unknown, "points_avg_last_10", "avg_usage_rate_last_7_games", "projected_usage_rate")
    ] == [None] * 8
    assert (result["games_in_last_7_days"], result["minutes_in_last_14_days"], result["l10_games_used"]) == (0, 0, 0)
    assert (result["back_to_back"], result["prop_over_streak"], result["prop_under_streak"]) == (False, 0, 0)
    assert (result["l5_sample_quality"], result["l10_sample_quality"]) == ("insufficient", "insufficient")


TEN_GAMES = (25, 28, 22, 27, 24, 26, 23, 29, 21, 25)


def test_points_of_ten_games() -> None:
    result = row(scored(*TEN_GAMES))
    assert (result["points_avg_last_5"], result["points_avg_last_10"]) == (25.2, 25.0)
    assert (result["l5_sample_quality"], result["l10_sample_quality"]) == ("excellent", "excellent")


def test_points_of_three_games() -> None:
    result = row(scored(25, 28, 22))
    assert (result["points_avg_last_5"], result["l5_games_used"]) == (25.0, 3)
    assert (result["l5_sample_quality"], result["l10_sample_quality"]) == ("good", "insufficient")


def test_game_he_sat_out_counts_nowhere() -> None:
    nothing = {
        "is_dnp": 1,
        "points": NAN,
        "minutes_played": NAN,
        "usage_rate": NAN,
        "fg_makes": NAN,
        "fg_attempts": NAN,
    }
    played = scored(*TEN_GAMES)
    sat_out = game("2025-01-18", **nothing)
    with_it, without_it = row([*played, sat_out]), row(played)
    different = {name for name, value in with_it.items() if value != without_it[name]}
    assert different == {"l10_expected_games", "l10_actual_games"}


@pytest.mark.parametrize(("line", "over", "under"), [(24.5, 2, 0), (25.0, 1, 0), (29.5, 0, 10), (NAN, 0, 0)])
def test_streaks_against_tonights_line(line: float, over: int, under: int) -> None:
    result = row(scored(*TEN_GAMES), current_points_line=line)
    assert (result["prop_over_streak"], result["prop_under_streak"]) == (over, under)


def test_zero_points_are_a_value() -> None:
    result = row(scored(0, 0))
    assert (result["points_avg_last_5"], result["prop_under_streak"]) == (0.0, 2)


@pytest.mark.parametrize(
    ("games", "changes", "tier", "score", "issues"),
    [
        (15, {}, "gold", 95.0, []),
        (7, {}, "silver", 75.0, []),
        (3, {}, "bronze", 50.0, []),
        (15, {"game_spread": NAN}, "gold", 95.0, ["missing_game_spread"]),
        (2, {}, "bronze", 50.0, ["thin_sample:2/3"]),
        (15, {"book_count": 1}, "gold", 95.0, ["few_bookmakers:1/3"]),
        (15, {"book_count": NAN}, "gold", 95.0, []),
        (15, {"date_has_reports": 0}, "gold", 95.0, ["missing_injury_report"]),
        (15, {"roster_date": NEVER}, "gold", 95.0, ["missing_roster_snapshot"]),
    ],
)
def test_quality(games: int, changes: dict[str, Any], tier: str, score: float, issues: list[str]) -> None:
    result = row(scored(*range(10, 10 + games)), **changes)
    assert (result["quality_tier"], result["quality_score"], result["quality_issues"]) == (tier, score, issues)
    assert result["processed_with_issues"] is bool(issues)


def test_date_without_props_is_no_fault_of_the_row() -> None:
    result = row(scored(*TEN_GAMES), date_has_props=0, has_prop_line=0, current_points_line=NAN)
    assert (result["quality_issues"], result["processed_with_issues"]) == (["missing_points_props"], False)


def test_usage_skips_unknown_after_taking_the_games() -> None:
    usage = (30.0, NAN, 27.0, 24.0, 24.0, 24.0, 24.0, 99.0)
    history = [line | {"usage_rate": rate} for line, rate in zip(scored(*[20] * 8), usage, strict=True)]
    result = row(history)
    assert result["projected_usage_rate"] == 28.5
    assert result["avg_usage_rate_last_7_games"] == 25.5


def test_shooting_decline_is_one_quotient() -> None:
    """Differences of shares tie at the third decimal once in a while: they are rounded from their exact value, not from
    that of two floats.
    """
    history = [
        line | {"fg_makes": makes, "fg_attempts": 8}
        for line, makes in zip(scored(*[20] * 10), (4, 5, 4, 4, 4, 4, 4, 4, 4, 4), strict=True)
    ]
    assert row(history)["shooting_pct_decline_last_5"] == 0.012  # 1 / 80 = 0.0125, to even
    assert row([line | {"fg_makes": 8 - line["fg_makes"]} for line in history])["shooting_pct_decline_last_5"] == -0.012


def lines(*rows: tuple[str, str, str | None, float, str]) -> dict[str, Any]:
    """Rows of (bookmaker, market, team, point, snapshot time) of LAL at BOS."""
    moments = {"commence_time": "2025-01-21T00:30", "game_date": "2025-01-20"}
    table: dict[str, Any] = {
        "game_date": np.array([moments["game_date"]] * len(rows), dtype="M8[D]"),
        "home_team_abbr": np.array(["BOS"] * len(rows), dtype=object),
        "away_team_abbr": np.array(["LAL"] * len(rows), dtype=object),
        "commence_time": np.array([moments["commence_time"]] * len(rows), dtype="M8[us]"),
        "snapshot_timestamp": np.array([f"2025-01-20T{line[4]}" for line in rows], dtype="M8[us]"),
        "bookmaker_key": np.array([line[0] for line in rows], dtype=object),
        "market_key": np.array([line[1] for line in rows], dtype=object),
        "outcome_name": np.array([line[2] or "Over" for line in rows], dtype=object),
        "outcome_team_abbr": np.array([line[2] for line in rows], dtype=object),
        "outcome_point": np.array([line[3] for line in rows], dtype=np.float64),
    }
    assert set(table) == set(LINE_COLUMNS)
    return table


LAL_AT_BOS = columns([{"game_date": TONIGHT, "home_team_abbr": "BOS", "away_team_abbr": "LAL"}])
BOOKMAKERS = ("draftkings", "fanduel", "betmgm")


def pooled(rows: dict[str, Any], outcome: str) -> dict[str, Any]:
    found = consensus(rows).of(
        LAL_AT_BOS, np.array([outcome], dtype=object), ("current", "opening", "movement", "source", "book_count"), ""
    )
    return {name: values[0] for name, values in found.items()}


def test_spread_and_total_are_medians_over_books() -> None:
    spreads = [
        (bookmaker, "spreads", team, sign * point, "20:00")
        for bookmaker, point in zip(BOOKMAKERS, (5.5, 6.0, 5.5), strict=True)
        for team, sign in (("BOS", -1), ("LAL", 1))
    ]
    totals = [
        (bookmaker, "totals", None, point, "20:00")
        for bookmaker, point in zip(BOOKMAKERS, (226.5, 226.0, 227.0), strict=True)
    ]
    table = lines(*spreads, *totals)
    assert pooled(table, "BOS")["current"] == -5.5
    assert pooled(table, "LAL")["current"] == 5.5
    assert (pooled(table, OVER)["current"], pooled(table, OVER)["book_count"]) == (226.5, 3)
    assert pooled(table, OVER)["source"] == "betmgm,draftkings,fanduel"


def test_single_snapshot_has_no_opening_line() -> None:
    result = pooled(
        lines(("draftkings", "totals", None, 226.5, "20:00"), ("fanduel", "totals", None, 227.5, "20:00")), OVER
    )
    assert result["current"] == 227.0
    assert np.isnan([result["opening"], result["movement"]]).all()


def test_line_at_tip_off_is_too_late() -> None:
    table = lines(("draftkings", "totals", None, 226.5, "20:00"), ("draftkings", "totals", None, 240.5, "23:00"))
    assert (pooled(table, OVER)["current"], pooled(table, OVER)["movement"]) == (240.5, 14.0)
    table["snapshot_timestamp"][1] = table["commence_time"][1]
    assert pooled(table, OVER)["current"] == 226.5


def props(*rows: tuple[str, str, float, float, float]) -> dict[str, Any]:
    """Rows of (feed, bookmaker, line, minutes before tip-off, the feed's opening line)."""
    tip = np.datetime64("2025-01-21T00:30", "us")
    table: dict[str, Any] = {
        "game_date": np.full(len(rows), TONIGHT),
        "player_lookup": np.full(len(rows), "lebronjames", dtype=object),
        "source": np.array([line[0] for line in rows], dtype=object),
        "bookmaker": np.array([line[1] for line in rows], dtype=object),
        "points_line": np.array([line[2] for line in rows], dtype=np.float64),
        "minutes_before_tipoff": np.array([line[3] for line in rows], dtype=np.float64),
        "opening_line": np.array([line[4] for line in rows], dtype=np.float64),
        "snapshot_timestamp": np.array([tip - np.timedelta64(int(line[3]), "m") for line in rows], dtype="M8[us]"),
        "game_start_time": np.full(len(rows), tip),
    }
    assert set(table) == set(PROP_COLUMNS)
    return {name: values[0] for name, values in closing_lines(table).items()}


def test_points_line_opens_and_closes_at_the_same_book() -> None:
    result = props(
        ("odds_api", "betmgm", 20.5, 1, NAN),
        ("odds_api", "draftkings", 24.5, 600, NAN),
        ("odds_api", "draftkings", 25.5, 30, NAN),
        ("odds_api", "draftkings", 99.5, -5, NAN),
        ("bettingpros", "draftkings", 27.5, 2, 27.5),
    )
    assert (result["opening_points_line"], result["current_points_line"], result["line_movement"]) == (24.5, 25.5, 1.0)
    assert result["current_points_line_source"] == result["opening_points_line_source"] == "draftkings"


def test_second_feed_brings_its_own_opening_line() -> None:
    result = props(("bettingpros", "fanduel", 27.5, 10, 27.5))
    assert (result["line_movement"], result["current_points_line_source"]) == (0.0, "bettingpros_fanduel")
    assert np.isnan(props(("bettingpros", "fanduel", 27.5, 10, NAN))["line_movement"])


def roster(*rows: tuple[str, str, str]) -> dict[str, Any]:
    """Rows of (date, team, player)."""
    table = [
        {
            "roster_date": np.datetime64(day),
            "season_year": 2024,
            "team_abbr": team,
            "player_lookup": player,
            "player_full_name": player,
            "age": 25,
            "birth_date": NEVER,
        }
        for day, team, player in rows
    ]
    result = (
        columns(table) if table else {name: values[:0] for name, values in roster(("2025-01-01", "LAL", "x")).items()}
    )
    assert set(result) == set(ROSTER_COLUMNS)
    return result


def teams_of(
    rosters: dict[str, Any], sheet: Sequence[dict[str, Any]] = (), playing: tuple[str, ...] = ("LAL", "BOS")
) -> dict[str, str]:
    scheduled = columns(
        [{"game_date": TONIGHT, "team_abbr": team, "season_year": 2024, "season_start": OPENING} for team in playing]
    )
    sheets = columns([game("2024-11-01", player_lookup="nobody"), *sheet])
    found = members(scheduled, rosters, sheets)
    assert len(set(found["player_lookup"])) == len(found["player_lookup"])
    return dict(zip(found["player_lookup"], found["team_abbr"], strict=True))


def test_player_traded_the_day_before_is_on_his_new_team() -> None:
    both = roster(
        ("2025-01-15", "LAL", "lukadoncic"), ("2025-01-15", "LAL", "lebronjames"), ("2025-01-19", "BOS", "lukadoncic")
    )
    assert teams_of(both) == {"lukadoncic": "BOS", "lebronjames": "LAL"}


def test_player_traded_to_an_idle_team_plays_for_nobody_tonight() -> None:
    both = roster(
        ("2025-01-15", "LAL", "lukadoncic"), ("2025-01-15", "LAL", "lebronjames"), ("2025-01-19", "DAL", "lukadoncic")
    )
    assert teams_of(both) == {"lebronjames": "LAL"}


def test_same_day_on_two_rosters_goes_by_the_newest_sheet() -> None:
    both = roster(("2025-01-19", "LAL", "lukadoncic"), ("2025-01-19", "BOS", "lukadoncic"))
    assert teams_of(both, [game("2025-01-10", player_lookup="lukadoncic", team_abbr="LAL")]) == {"lukadoncic": "LAL"}
    assert teams_of(both, [game("2025-01-10", player_lookup="lukadoncic", team_abbr="BOS")]) == {"lukadoncic": "BOS"}
    last_season = game("2024-04-10", player_lookup="lukadoncic", team_abbr="LAL")
    assert teams_of(both, [last_season]) == teams_of(both) == {"lukadoncic": "BOS"}


def test_roster_of_tomorrow_and_roster_too_old_do_not_count() -> None:
    assert teams_of(roster(("2025-01-21", "LAL", "lebronjames"), ("2024-10-21", "BOS", "jaysontatum"))) == {}


def test_without_a_roster_those_seen_lately_belong() -> None:
    seen = [
        game("2025-01-10"),
        game("2025-01-12", player_lookup="traded", team_abbr="LAL"),
        game("2025-01-14", player_lookup="traded", team_abbr="DAL"),
        game("2025-01-12", player_lookup="elsewhere", team_abbr="LAL"),
        game("2024-12-20", player_lookup="longago", team_abbr="LAL"),
        game("2025-01-20", player_lookup="tonight", team_abbr="LAL"),
    ]
    assert teams_of(roster(("2025-01-18", "MIA", "elsewhere")), seen) == {"lebronjames": "LAL"}


def status(*rows: tuple[str, int, str, float], tip: str = "2025-01-20T19:30") -> str | None:
    """The latest of reports of (date, Eastern hour, status, confidence), each known from the end of its hour."""
    table: dict[str, Any] = {
        "game_date": np.full(len(rows), TONIGHT),
        "player_lookup": np.full(len(rows), "lebronjames", dtype=object),
        "team": np.full(len(rows), "LAL", dtype=object),
        "reported_at": np.array([line[0] for line in rows], dtype="M8[us]")
        + np.array([line[1] + 6 for line in rows], dtype="m8[h]"),
        "injury_status": np.array([line[2] for line in rows], dtype=object),
        "reason": np.full(len(rows), None, dtype=object),
        "reason_category": np.full(len(rows), None, dtype=object),
        "confidence_score": np.array([line[3] for line in rows], dtype=np.float64),
    }
    assert set(table) == set(INJURY_COLUMNS)
    tip_in_utc = np.datetime64(tip, "us") + np.timedelta64(5, "h")
    found = latest_statuses(table, np.full(len(rows), tip_in_utc))
    return found["injury_status"][0] if len(found["injury_status"]) else None


@pytest.mark.parametrize(
    ("reports", "latest"),
    [
        ([("2025-01-20", 17, "out", 1.0), ("2025-01-20", 9, "questionable", 1.0)], "out"),
        ([("2025-01-20", 17, "available", 1.0), ("2025-01-20", 9, "out", 1.0)], "available"),
        ([("2025-01-19", 23, "out", 1.0), ("2025-01-20", 1, "probable", 1.0)], "probable"),
        ([("2025-01-20", 17, "probable", 1.0), ("2025-01-20", 20, "out", 1.0)], "probable"),
        ([("2025-01-20", 17, "probable", NAN), ("2025-01-20", 18, "out", 0.5)], "probable"),
        ([("2025-01-20", 20, "out", 1.0)], None),
    ],
    ids=["downgrade", "upgrade", "across_midnight", "after_tip_off", "not_believed", "only_too_late"],
)
def test_statuses_count_in_order_until_tip_off(reports: list[tuple[str, int, str, float]], latest: str | None) -> None:
    assert status(*reports) == latest


def star(history: Sequence[dict[str, Any]], team_finals: int = 40) -> tuple[float, float]:
    mine = columns(
        [
            {
                "game_date": TONIGHT,
                "season_start": OPENING,
                "team_abbr": "LAL",
                "player_lookup": "lebronjames",
                "team_finals": team_finals,
            }
        ]
    )
    found = alone(stars.compute)(mine, {"played": columns(sorted(history, key=lambda line: line["game_date"]))}).rows
    return found["star"][0], found["star_weight"][0]


@pytest.mark.parametrize(
    ("points", "minutes", "expected"),
    [
        (25, 20, (1, 3)),
        (24, 20, (1, 2)),
        (18, 20, (1, 2)),
        (17, 28, (1, 1)),
        (12, 28, (1, 1)),
        (11, 36, (0, 0)),
        (17, 27.9, (0, 0)),
    ],
)
def test_star_by_points_or_by_minutes_and_points(points: float, minutes: float, expected: tuple[float, float]) -> None:
    assert star([line | {"minutes_played": minutes} for line in scored(*[points] * 10)]) == expected


@pytest.mark.parametrize(
    ("games", "team_finals", "is_star"), [(9, 40, 0), (10, 40, 1), (4, 10, 0), (5, 10, 1), (2, 4, 0), (3, 4, 1)]
)
def test_star_needs_half_of_the_games_up_to_ten(games: int, team_finals: int, is_star: int) -> None:
    assert star(scored(*[30] * games), team_finals)[0] == is_star


def test_last_ten_days_decide_over_the_season() -> None:
    assert star(scored(*[10] * 5, *[30] * 10)) == (0, 0)
    assert star([line | {"team_abbr": "DAL"} for line in scored(*[30] * 20)]) == (0, 0)


def test_star_does_not_miss_himself() -> None:
    people = columns(
        [
            {"game_date": TONIGHT, "team_abbr": "LAL", "player_lookup": player, "status": listed}
            for player, listed in (
                ("lukadoncic", "out"),
                ("anthonydavis", "questionable"),
                ("lebronjames", None),
                ("austinreaves", "doubtful"),
            )
        ]
    )
    known = columns(
        [
            {"game_date": TONIGHT, "team_abbr": "LAL", "player_lookup": player, "star": 1, "star_weight": weight}
            for player, weight in (("lukadoncic", 3), ("anthonydavis", 3), ("lebronjames", 2), ("austinreaves", 1))
        ]
    )
    waiting = {name: values[[1, 2]] for name, values in people.items()}
    found = stars.teammates(people, known, waiting)
    assert found["star_teammates_out"].tolist() == [2, 2]
    assert found["star_tier_out"].tolist() == [4, 4]
    assert found["questionable_star_teammates"].tolist() == [0, 1]
    assert found["questionable_teammates"].tolist() == [1, 2]
