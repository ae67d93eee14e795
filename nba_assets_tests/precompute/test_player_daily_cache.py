"""Golden rows of player_daily_cache, its windows, its readiness, and the records of players without a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.entities.completeness import PlayerWindows
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.windows import AsOf
from nba_assets.precompute import player_daily_cache, team_form
from nba_assets.precompute.player_daily_cache import (
    FROM_CONTEXT,
    FROM_ZONES,
    SHEET_COLUMNS,
    TABLE,
    WINDOWS,
    Shared,
    compute,
)
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_REGISTRY, ROSTERS, SCHEDULE
from nba_assets.tables.columns import to_arrow
from nba_assets.tables.digest import as_hex, row_hashes
from nba_assets.tables.spec import Columns
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone, of_one
from nba_assets_tests.precompute.builders import (
    LAST_SEASON,
    OPENING,
    READY,
    TONIGHT,
    Expectations,
    Row,
    alternate_days,
    ascending,
    blocking_findings,
    build,
    built_rows,
    days_ago,
    expectations,
    failing,
    failure_rows,
    game_id,
    of_teams,
    one_by_one,
    scheduled,
    season_facts,
)
from nba_assets_tests.stored import stored

of_player = alone(compute, TABLE.date_column)

SAT_OUT: Row = {
    "is_dnp": 1,
    **dict.fromkeys(("points", "minutes_played", "usage_rate", "ts_pct", "fg_makes", "assisted_fg_makes"), NAN),
}
CONTEXT: Row = {
    "games_in_last_7_days": 3,
    "games_in_last_14_days": 5,
    "minutes_in_last_7_days": 108,
    "minutes_in_last_14_days": 176,
    "back_to_backs_last_14_days": 1,
    "avg_minutes_per_game_last_7": 36.0,
    "player_age": 40,
}
ZONES: Row = {"primary_scoring_zone": "paint", "paint_rate_last_10": 48.3, "three_pt_rate_last_10": 31.2}


def game(day: np.datetime64, team: str = "LAL", **changes: Any) -> Row:
    """One game he played."""
    return {
        "player_lookup": "lebronjames",
        "game_id": game_id(day, team),
        "game_date": day,
        "team_abbr": team,
        "is_dnp": 0,
        "points": 20,
        "minutes_played": 35.0,
        "usage_rate": 30.5,
        "ts_pct": 0.62,
        "fg_makes": 10,
        "assisted_fg_makes": 4,
        **changes,
    }


def scored(*points: float, **changes: Any) -> list[Row]:
    """Games on alternate days before tonight, newest first."""
    return [
        game(day, points=number, **changes) for day, number in zip(alternate_days(len(points)), points, strict=True)
    ]


TEN_GAMES = tuple(range(26, 36))


def requested(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    return {
        "player_lookup": "lebronjames",
        "universal_player_id": "lebronjames_001",
        "cache_date": day,
        "team_abbr": "LAL",
        **CONTEXT,
        **ZONES,
        "team_pace_last_10": 106.5,
        "team_offensive_rating_last_10": 115.0,
        "has_shot_zones": 1,
        "shot_zones_ready": 1,
        "context_ready": 1,
        **season_facts(day),
        **changes,
    }


NO_SHOT_ZONES: Row = {
    "has_shot_zones": 0,
    "shot_zones_ready": NAN,
    "primary_scoring_zone": None,
    "paint_rate_last_10": NAN,
    "three_pt_rate_last_10": NAN,
}


def histories(history: Sequence[Row], there: Expectations) -> dict[str, Columns]:
    sheet = ascending(history, game(TONIGHT))
    assert set(sheet) == set(SHEET_COLUMNS)
    return {"sheet": sheet, "roster": there.roster, "box": there.box}


def outcome(history: Sequence[Row], there: Expectations | None = None, minimum: int = 5, **changes: Any) -> Outcome:
    """By default exactly the games of the history were to be played."""
    there = there or expectations([line["game_date"] for line in history])
    return of_player(columns([requested(**changes)]), histories(history, there), Shared(READY, there.league, minimum))


def row(history: Sequence[Row], there: Expectations | None = None, minimum: int = 5, **changes: Any) -> Row:
    return stored(TABLE, outcome(history, there, minimum, **changes).rows)[0]


def failure(history: Sequence[Row], there: Expectations | None = None, minimum: int = 5, **changes: Any) -> Row:
    found = outcome(history, there, minimum, **changes)
    assert found.row_count == 0
    (record,) = failure_rows(found)
    return record


def test_ten_games() -> None:
    result = row(scored(*TEN_GAMES))
    assert (result["points_avg_last_5"], result["points_avg_last_10"], result["points_avg_season"]) == (
        28.0,
        30.5,
        30.5,
    )
    assert (result["points_std_last_10"], result["minutes_avg_last_10"]) == (3.0277, 35.0)
    assert (result["usage_rate_last_10"], result["player_usage_rate_season"], result["ts_pct_last_10"]) == (
        30.5,
        30.5,
        0.62,
    )
    assert (result["games_played_season"], result["assisted_rate_last_10"]) == (10, 0.4)
    assert (result["team_pace_last_10"], result["team_off_rating_last_10"]) == (106.5, 115.0)
    assert {name: result[name] for name in (*CONTEXT, *ZONES)} == CONTEXT | ZONES
    assert (result["early_season_flag"], result["insufficient_data_reason"], result["shot_zone_data_available"]) == (
        False,
        None,
        True,
    )


def team_games(paces: Sequence[float], rating: float = 115.0, team: str = "LAL", first: int = 1) -> list[Row]:
    """A team's games on alternate days before tonight, newest first."""
    return [
        {
            "game_date": days_ago(first + 2 * place),
            "team_abbr": team,
            "pace": pace,
            "offensive_rating": rating,
            "win_flag": place % 2,
        }
        for place, pace in enumerate(paces)
    ]


def form(history: Sequence[Row]) -> Row:
    """A team's form tonight."""
    inputs = columns([{"game_date": TONIGHT, "team_abbr": "LAL", "season_start": OPENING}])
    games = ascending(history, team_games([100.0])[0])
    return {name: values[0] for name, values in alone(team_form.compute)(inputs, {"games": games}).rows.items()}


def test_form_of_the_team_is_a_mean_of_ten_games() -> None:
    found = form(team_games([float(pace) for pace in range(100, 110)]))
    assert (found["pace_last_10"], found["offensive_rating_last_10"]) == (104.5, 115.0)
    assert (found["wins"], found["games"]) == (5, 10)
    longer = form(team_games([float(pace) for pace in range(100, 130)]))
    assert (longer["pace_last_10"], longer["wins"], longer["games"]) == (104.5, 15, 30)


def test_a_team_without_games_has_no_form() -> None:
    found = form([])
    assert np.isnan([found["pace_last_10"], found["offensive_rating_last_10"]]).all()
    assert (found["wins"], found["games"]) == (0, 0)
    result = row(scored(*TEN_GAMES), team_pace_last_10=NAN, team_offensive_rating_last_10=NAN)
    assert (result["team_pace_last_10"], result["team_off_rating_last_10"]) == (None, None)


def test_form_of_the_team_is_of_this_season_and_before_the_date() -> None:
    old = [line | {"game_date": LAST_SEASON} for line in team_games([50.0] * 8)]
    to_come = [
        line | {"game_date": day, "win_flag": 1} for day in (TONIGHT, days_ago(-1)) for line in team_games([150.0])
    ]
    assert form([*old, *team_games([100.0] * 4), *to_come]) == form(team_games([100.0] * 4))


def test_form_is_one_exact_quotient() -> None:
    """The feature store keeps it unrounded: the last bit is that of 2,881 / 30, not that of a sum of floats."""
    assert form(team_games([96.0, 96.0, 96.1]))["pace_last_10"] == 2881 / 30


def test_unknown_paces_are_skipped() -> None:
    found = form(team_games([NAN, 100.0, 102.0], rating=NAN))
    assert found["pace_last_10"] == 101.0
    assert np.isnan(found["offensive_rating_last_10"])


@pytest.mark.parametrize(
    ("makes", "assisted", "rate"),
    [(0, 0, None), (10, 10, 1.0), (12, 0, 0.0), (10, 4, 0.4), (9, 6, 0.666666667)],
)
def test_assisted_rate_is_a_fraction(makes: int, assisted: int, rate: float | None) -> None:
    assert row(scored(*TEN_GAMES, fg_makes=makes, assisted_fg_makes=assisted))["assisted_rate_last_10"] == rate


def test_assisted_rate_takes_only_games_whose_assists_are_known() -> None:
    history = scored(*TEN_GAMES)
    unknown = [line | {"assisted_fg_makes": NAN, "fg_makes": 90} for line in history[5:]]
    assert row([*history[:5], *unknown])["assisted_rate_last_10"] == 0.4
    assert row([line | {"assisted_fg_makes": NAN} for line in history])["assisted_rate_last_10"] is None


@pytest.mark.parametrize(
    ("games", "early", "reason"),
    [
        (5, True, "Only 5 games played, need 10 minimum"),
        (6, True, "Only 6 games played, need 10 minimum"),
        (7, True, "Only 7 games played, need 10 minimum"),
        (9, True, "Only 9 games played, need 10 minimum"),
        (10, False, None),
        (15, False, None),
    ],
)
def test_a_thin_sample_is_early_and_says_how_thin(games: int, early: bool, reason: str | None) -> None:
    result = row(scored(*[18] * games))
    assert (result["points_avg_last_5"], result["points_avg_last_10"], result["games_played_season"]) == (
        18.0,
        18.0,
        games,
    )
    assert (result["early_season_flag"], result["insufficient_data_reason"]) == (early, reason)


def test_one_game_has_no_deviation() -> None:
    result = row(scored(18), minimum=1)
    assert (result["points_std_last_10"], result["points_avg_last_5"]) == (None, 18.0)
    assert row(scored(18, 20), minimum=1)["points_std_last_10"] == 1.4142


def test_deviation_is_that_of_a_sample() -> None:
    assert row(scored(*range(10, 23, 2)))["points_std_last_10"] == 4.3205


def test_unknown_fatigue_is_null_beside_known_averages() -> None:
    unknown: Row = dict.fromkeys(CONTEXT, NAN)
    result = row(scored(*TEN_GAMES), **unknown)
    assert [result[name] for name in CONTEXT] == [None] * len(CONTEXT)
    assert (result["points_avg_last_5"], result["is_production_ready"]) == (28.0, True)


def test_windows_end_at_the_fifth_and_the_tenth_game_and_at_the_season() -> None:
    history = scored(*[10] * 5, *[20] * 5, *[90] * 10)
    history = [
        line | {"minutes_played": 30.0, "usage_rate": 20.0, "ts_pct": 0.5} if place < 10 else line
        for place, line in enumerate(history)
    ]
    result = row(history)
    assert (result["points_avg_last_5"], result["points_avg_last_10"], result["points_avg_season"]) == (
        10.0,
        15.0,
        52.5,
    )
    assert (result["minutes_avg_last_10"], result["usage_rate_last_10"], result["ts_pct_last_10"]) == (30.0, 20.0, 0.5)
    assert result["points_std_last_10"] == 5.2705
    assert (result["player_usage_rate_season"], result["games_played_season"]) == (25.25, 20)


def test_the_season_has_no_cap() -> None:
    days = [days_ago(number) for number in range(1, 90)]
    result = row([game(day, points=10 if place < 82 else 99) for place, day in enumerate(days)])
    assert (result["games_played_season"], result["points_avg_season"]) == (89, 17.0)


def test_games_he_sat_out_take_no_place_in_the_window() -> None:
    points = (24, NAN, 21, NAN, 28, 33, 35)
    history = [
        game(day, **(SAT_OUT if np.isnan(number) else {"points": number}))
        for day, number in zip(alternate_days(7), points, strict=True)
    ]
    result = row(history)
    assert (result["points_avg_last_5"], result["games_played_season"]) == (28.2, 5)
    assert (
        row([*history, game(days_ago(2), points=NAN, is_dnp=0), game(days_ago(4), is_dnp=1, points=0)])[
            "points_avg_last_5"
        ]
        == 28.2
    )


def test_zero_points_are_a_value() -> None:
    assert row(scored(0, 0, 0, 0, 10))["points_avg_last_5"] == 2.0


def test_unknown_values_are_skipped_in_means() -> None:
    history = scored(*TEN_GAMES)
    history[0] |= {"minutes_played": NAN, "usage_rate": NAN, "ts_pct": NAN}
    history[1] |= {"minutes_played": 26.0, "usage_rate": 21.5, "ts_pct": 0.53}
    result = row(history)
    assert (result["minutes_avg_last_10"], result["usage_rate_last_10"], result["ts_pct_last_10"]) == (34.0, 29.5, 0.61)


def test_mean_usage_is_one_exact_quotient() -> None:
    """20.05625 lies between two places, and goes to the even one: added as floats, these rates come out above it."""
    history = [game(day, usage_rate=20.0 if place < 7 else 20.1) for place, day in enumerate(alternate_days(16))]
    assert row(history)["player_usage_rate_season"] == 20.0562


def test_a_result_of_the_date_itself_changes_nothing() -> None:
    history = scored(*TEN_GAMES)
    absurd = [
        game(day, team="DAL", points=99, minutes_played=60.0, usage_rate=99.0, ts_pct=1.5, fg_makes=90)
        for day in (TONIGHT, days_ago(-1))
    ]
    there = of_teams({"LAL": [*alternate_days(10), TONIGHT], "DAL": [TONIGHT, days_ago(-1)]}, {"LAL": [OPENING]})
    assert row([*history, *absurd], there) == row(history, there)
    (with_them,) = failure_rows(outcome([*scored(1, 2, 3, 4), *absurd], there))
    (without,) = failure_rows(outcome(scored(1, 2, 3, 4), there))
    assert str(with_them) == str(without)


def test_another_season_is_another_player() -> None:
    old = [game(LAST_SEASON - np.timedelta64(number, "D"), points=60) for number in range(40)]
    assert row([*old, *scored(*TEN_GAMES)]) == row(scored(*TEN_GAMES))
    assert failure([*old, *scored(1, 2, 3, 4)])["failure_reason"] == "Only 4 games played, need 5 minimum"


@pytest.mark.parametrize(("games", "minimum"), [(4, 5), (2, 3), (0, 5)])
def test_too_few_games_are_no_row(games: int, minimum: int) -> None:
    record = failure(scored(*[20] * games), minimum=minimum)
    assert (record["failure_category"], bool(record["can_retry"])) == ("INSUFFICIENT_DATA", False)
    assert record["failure_reason"] == f"Only {games} games played, need {minimum} minimum"
    assert (record["entity_id"], record["entity_type"], record["partition_date"]) == ("lebronjames", "PLAYER", TONIGHT)
    assert outcome(scored(*[20] * minimum), minimum=minimum).row_count == 1


@pytest.mark.parametrize("age", [30, 31, 45])
def test_a_month_without_a_game_is_stale(age: int) -> None:
    history = [game(days_ago(age + 2 * place)) for place in range(10)]
    found = outcome([*history, game(days_ago(1), **SAT_OUT)])
    if age <= 30:
        assert found.row_count == 1
        return
    (record,) = failure_rows(found)
    assert (record["failure_category"], bool(record["can_retry"])) == ("STALE_DATA", False)
    assert record["failure_reason"] == f"Last game {age} days ago, more than 30"
    assert record["actual_record_count"] == 10


def test_too_few_games_are_said_before_how_old_they_are() -> None:
    assert failure([game(days_ago(40 + place)) for place in range(4)])["failure_category"] == "INSUFFICIENT_DATA"


def test_failures_of_several_dates_come_in_order_of_date() -> None:
    """Five games in the first ten days: too few before the last of them, stale a month after it."""
    days = [OPENING + np.timedelta64(number, "D") for number in (8, 9, 10, 38, 39, 60)]
    history = [game(OPENING + np.timedelta64(2 * place, "D")) for place in range(5)]
    there = expectations([line["game_date"] for line in history])
    found = of_player(
        columns([requested(day) for day in days]), histories(history, there), Shared(READY, there.league, 5)
    )
    assert found.rows["cache_date"].tolist() == [days[number].item() for number in (1, 2, 3)]
    categories = [(record["partition_date"], record["failure_category"]) for record in failure_rows(found)]
    assert categories == [(days[0], "INSUFFICIENT_DATA"), (days[4], "STALE_DATA"), (days[5], "STALE_DATA")]


def test_a_stale_date_of_one_season_comes_before_a_thin_one_of_the_next() -> None:
    next_season = np.datetime64("2025-11-10")
    history = [game(days_ago(40 + place)) for place in range(6)]
    there = expectations([line["game_date"] for line in history])
    dates = columns([requested(), requested(next_season, season_start=np.datetime64("2025-10-21"))])
    found = of_player(dates, histories(history, there), Shared(READY, there.league, 5))
    categories = [(record["partition_date"], record["failure_category"]) for record in failure_rows(found)]
    assert categories == [(TONIGHT, "STALE_DATA"), (next_season, "INSUFFICIENT_DATA")]


def test_failures_count_what_was_expected_with_all_his_teams() -> None:
    with_dallas = [days_ago(number) for number in (30, 32, 34, 36)]
    history = [game(days_ago(1)), *(game(day, team="DAL") for day in with_dallas[:3])]
    there = of_teams({"LAL": alternate_days(2), "DAL": with_dallas}, {"DAL": [OPENING], "LAL": [days_ago(1)]})
    record = failure(history, there)
    assert (record["expected_record_count"], record["actual_record_count"]) == (5, 4)
    assert record["missing_game_ids"] == (game_id(with_dallas[3], "DAL"),)
    stale = failure(
        [game(days_ago(40 + place)) for place in range(6)],
        of_teams({"LAL": [days_ago(40), days_ago(50)]}, {"LAL": [OPENING]}),
    )
    assert (stale["failure_category"], stale["expected_record_count"], stale["missing_game_ids"]) == (
        "STALE_DATA",
        2,
        (game_id(days_ago(50), "LAL"),),
    )


@pytest.mark.parametrize(
    ("played", "box", "kind", "correctable"),
    [
        ((3, 4, 5, 6), (0, 1, 2), "DATA_GAP", True),
        ((3, 4, 5, 6), (), "PLAYER_DNP", False),
        ((3, 4, 5, 6), (2,), "MIXED", True),
    ],
)
def test_kind_of_the_gap_of_the_last_two_weeks(
    played: tuple[int, ...], box: tuple[int, ...], kind: str, correctable: bool
) -> None:
    """Seven finals in these two weeks; which of them have his row, and which his raw box score."""
    finals = alternate_days(7)
    there = expectations(finals, rosters=[OPENING], box=[finals[place] for place in box])
    record = failure([game(finals[place]) for place in played], there)
    assert (record["failure_type"], bool(record["is_correctable"])) == (kind, correctable)


def test_no_failures_are_no_records() -> None:
    assert dict(outcome(scored(*TEN_GAMES)).failures) == {}


def test_zones_are_a_percentage_and_copied_as_they_stand() -> None:
    result = row(
        scored(*TEN_GAMES), paint_rate_last_10=33.33, three_pt_rate_last_10=0.0, primary_scoring_zone="balanced"
    )
    assert (result["paint_rate_last_10"], result["three_pt_rate_last_10"], result["primary_scoring_zone"]) == (
        33.33,
        0.0,
        "balanced",
    )
    assert (set(FROM_CONTEXT), set(FROM_ZONES)) == (set(CONTEXT), set(ZONES))


def test_without_shot_zones_the_rest_stands() -> None:
    result, whole = row(scored(*TEN_GAMES), **NO_SHOT_ZONES), row(scored(*TEN_GAMES))
    unlike = {name for name, value in result.items() if value != whole[name]}
    assert unlike == {*ZONES, "shot_zone_data_available"}
    assert (result["shot_zone_data_available"], result["all_upstreams_ready"], result["is_production_ready"]) == (
        False,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("changes", "ready"),
    [
        ({}, True),
        ({"context_ready": 0}, False),
        ({"shot_zones_ready": 0}, False),
        (NO_SHOT_ZONES, True),
        (NO_SHOT_ZONES | {"context_ready": 0}, False),
        ({"context_ready": 0, "is_bootstrap": 1}, False),
        ({"shot_zones_ready": 0, "is_boundary": 1}, False),
    ],
)
def test_the_context_must_be_ready_and_shot_zones_where_they_are(changes: Row, ready: bool) -> None:
    result = row(scored(*TEN_GAMES), **changes)
    assert (result["all_upstreams_ready"], result["is_production_ready"]) == (ready, ready)


def test_each_window_counts_its_own_games() -> None:
    """Finals on alternate days; his rows of the second, the fifth and the ninth newest are missing."""
    finals = alternate_days(20)
    history = [game(day) for place, day in enumerate(finals) if place not in (1, 4, 8)]
    result = row(history, expectations(finals, rosters=[OPENING]))
    assert [result[f"{name}_completeness_pct"] for name in WINDOWS] == [60.0, 70.0, 75.0, 71.4]
    assert [result[f"{name}_is_complete"] for name in (*WINDOWS, "l14d")] == [False] * 5
    assert (result["expected_games_count"], result["actual_games_count"], result["missing_games_count"]) == (5, 3, 2)
    assert (result["completeness_percentage"], result["all_windows_complete"], result["is_production_ready"]) == (
        60.0,
        False,
        False,
    )


def test_windows_of_days_hold_the_days_before_the_date() -> None:
    finals = [days_ago(number) for number in (1, 7, 8, 14, 15, 16, 17, 18, 19, 20)]
    windows = PlayerWindows.of(
        np.array(["LAL"], dtype=object),
        AsOf(np.array([0]), np.array([TONIGHT]), np.array([OPENING])),
        of_one(ascending([game(day) for day in finals], game(TONIGHT))),
        of_one(expectations().roster, "roster_date"),
        expectations(finals).league,
    )
    assert [windows.last_days(days).expected.tolist() for days in (7, 14)] == [[2], [4]]
    missing_the_eighth = [game(day) for day in finals if day != days_ago(8)]
    result = row(missing_the_eighth, expectations(finals, rosters=[OPENING]))
    assert [result[f"{name}_completeness_pct"] for name in WINDOWS] == [80.0, 90.0, 100.0, 75.0]


def test_complete_is_every_expected_game_and_ready_is_the_threshold() -> None:
    """Nine of ten are ready, not complete."""
    finals = alternate_days(40)
    history = [game(day) for place, day in enumerate(finals) if place != 9]
    result = row(history, expectations(finals, rosters=[OPENING]))
    assert [result[f"{name}_is_complete"] for name in WINDOWS] == [True, False, True, True]
    assert (result["l10_completeness_pct"], result["all_windows_complete"], result["is_production_ready"]) == (
        90.0,
        False,
        True,
    )


@pytest.mark.parametrize("excuse", ["is_bootstrap", "is_boundary"])
def test_an_exemption_makes_ready_but_hides_nothing(excuse: str) -> None:
    excused: Row = {excuse: 1}
    result = row(
        [game(day) for day in alternate_days(20)[::2]], expectations(alternate_days(20), rosters=[OPENING]), **excused
    )
    assert (result["completeness_percentage"], result["all_windows_complete"], result["is_production_ready"]) == (
        60.0,
        False,
        True,
    )
    assert (result["backfill_bootstrap_mode"], result["season_boundary_detected"]) == (
        excuse == "is_bootstrap",
        excuse == "is_boundary",
    )


def test_nothing_expected_is_complete() -> None:
    """He has just come to a team that has not played since."""
    there = of_teams({"DAL": alternate_days(20), "LAL": [days_ago(60)]}, {"DAL": [OPENING]})
    result = row([game(day, team="DAL") for day in alternate_days(20)[::2]], there)
    assert [result[f"{name}_completeness_pct"] for name in WINDOWS] == [100.0] * 4
    assert (result["expected_games_count"], result["all_windows_complete"], result["is_production_ready"]) == (
        0,
        True,
        True,
    )


def test_completeness_is_that_of_the_team_of_his_context() -> None:
    there = of_teams({"DAL": alternate_days(20), "LAL": alternate_days(3)}, {"DAL": [OPENING]})
    history = [game(day, team="DAL") for day in alternate_days(20)[4:]]
    assert row(history, there, team_abbr="DAL")["l5_completeness_pct"] == 20.0
    assert row(history, there, team_abbr="LAL")["l5_completeness_pct"] == 100.0


def test_constants_of_no_use_are_no_columns() -> None:
    left_out = (
        "quality_tier",
        "cache_quality_score",
        "cache_version",
        "fourth_quarter_minutes_last_7",
        "circuit_breaker_active",
        "data_quality_issues",
    )
    assert not [name for name in TABLE.column_names if name.startswith("source_") or name in left_out]
    assert set(outcome(scored(*TEN_GAMES)).rows) | {
        "data_hash",
        "created_at",
        "processed_at",
        "reprocess_attempt_count",
    } == set(TABLE.column_names)


def hashes(rows: Columns) -> list[str]:
    size = len(rows["cache_date"])
    stamps = {name: np.full(size, np.datetime64("NaT", "us")) for name in ("created_at", "processed_at")}
    blank = {"data_hash": np.full(size, None, dtype=object), "reprocess_attempt_count": np.full(size, NAN)}
    found: list[str] = as_hex(row_hashes(TABLE, to_arrow(TABLE, {**rows, **stamps, **blank}))).tolist()
    return found


def test_a_row_has_one_hash_of_sixteen_digits_however_it_came_about() -> None:
    days = [days_ago(2), TONIGHT]
    there = expectations(alternate_days(12))
    past, shared = histories(scored(*TEN_GAMES, 36, 37), there), Shared(READY, there.league, 5)
    together = hashes(of_player(columns([requested(day) for day in days]), past, shared).rows)
    single = [hashes(of_player(columns([requested(day)]), past, shared).rows)[0] for day in days]
    assert together == single
    assert [len(value) for value in together] == [16, 16]
    assert len({*together, hashes(outcome(scored(*TEN_GAMES), player_age=41).rows)[0]}) == 3


def maybe(values: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.one_of(st.just(NAN), values)


drawn = st.one_of(
    st.just(SAT_OUT),
    st.integers(0, 20).flatmap(
        lambda makes: st.fixed_dictionaries(
            {
                "points": st.integers(0, 70).map(float),
                "minutes_played": maybe(st.integers(1, 600).map(lambda tenths: tenths / 10)),
                "usage_rate": maybe(st.integers(0, 1000).map(lambda tenths: tenths / 10)),
                "ts_pct": maybe(st.integers(0, 1500).map(lambda thousandths: thousandths / 1000)),
                "fg_makes": st.just(float(makes)),
                "assisted_fg_makes": maybe(st.integers(0, makes).map(float)),
            }
        )
    ),
)


@settings(max_examples=25)
@given(st.lists(drawn, max_size=22), st.lists(drawn, max_size=3))
def test_whatever_the_games_figures_stay_within_their_ranges_and_the_future_is_unseen(
    history: list[Row], future: list[Row]
) -> None:
    past = [game(day, **changes) for day, changes in zip(alternate_days(len(history)), history, strict=True)]
    to_come = [game(days_ago(-place), **changes) for place, changes in enumerate(future)]
    there = expectations(alternate_days(len(history)), rosters=[OPENING])
    found, alone = outcome([*past, *to_come], there), outcome(past, there)
    assert found.row_count + found.failure_count == 1
    assert [str(record) for record in failure_rows(found)] == [str(record) for record in failure_rows(alone)]
    if not found.row_count:
        return
    assert blocking_findings(TABLE, found.rows) == []
    (result,) = stored(TABLE, found.rows)
    assert result == stored(TABLE, alone.rows)[0]
    points = [line["points"] for line in past if not np.isnan(line["points"])]
    means = ((points[:5], "points_avg_last_5"), (points[:10], "points_avg_last_10"), (points, "points_avg_season"))
    for mine, name in means:
        assert result[name] == pytest.approx(sum(mine) / len(mine), abs=0.0001)
    assert result["games_played_season"] == len(points)


def test_dates_together_and_one_by_one_are_the_same() -> None:
    days = [days_ago(number) for number in range(84, -1, -6)]
    history = [
        game(day, team="DAL" if place > 25 else "LAL", points=15 + place % 11)
        for place, day in enumerate(alternate_days(38))
    ]
    there = of_teams({"LAL": alternate_days(40), "DAL": alternate_days(40)}, {"DAL": [OPENING]})
    given_days = columns([requested(day, team_abbr="DAL" if day < days_ago(51) else "LAL") for day in days])
    past, shared = histories(history, there), Shared(READY, there.league, 5)
    together = of_player(given_days, past, shared)
    rows, failures = one_by_one(TABLE, compute, given_days, past, shared)
    assert rows
    assert failures
    assert stored(TABLE, together.rows) == rows
    assert [str(record) for record in failure_rows(together)] == [str(record) for record in failures]


DAYS = [days_ago(1), TONIGHT]
PEOPLE = ("austinreaves", "lebronjames", "rookie")


def context_row(day: np.datetime64, player: str, **changes: Any) -> Row:
    return CONTEXT | {
        "game_date": day,
        "player_lookup": player,
        "team_abbr": "LAL",
        "is_production_ready": True,
        **changes,
    }


def zone_row(day: np.datetime64, player: str, **changes: Any) -> Row:
    return ZONES | {"analysis_date": day, "player_lookup": player, "is_production_ready": True, **changes}


TABLES: dict[Any, list[Row]] = {
    SCHEDULE.table: [
        scheduled(OPENING, "LAL", "BOS"),
        *(scheduled(day, "LAL", "BOS") for day in (*alternate_days(10), *DAYS)),
    ],
    ROSTERS.table: [],
    PLAYER_BOXSCORES.table: [],
    PLAYER_GAMES: [game(days_ago(2 + 2 * place), player_lookup=player) for player in PEOPLE[:2] for place in range(10)],
    TEAM_OFFENSE: [*team_games([100.0] * 10, first=2), *team_games([110.0] * 10, team="DAL", first=2)],
    PLAYER_CONTEXT: [context_row(day, player) for day in DAYS for player in PEOPLE],
    SHOT_ZONES: [zone_row(day, player) for day in DAYS for player in PEOPLE],
}


def built(changes: dict[Any, list[Row]]) -> dict[tuple[str, np.datetime64], Row]:
    rows = built_rows(player_daily_cache, DAYS, TABLES | changes)
    return {(line["player_lookup"], np.datetime64(line["cache_date"])): line for line in rows}


def test_every_player_of_the_context_gets_a_row_or_a_failure_in_order() -> None:
    tables = TABLES | {PLAYER_CONTEXT: TABLES[PLAYER_CONTEXT][::-1], PLAYER_GAMES: TABLES[PLAYER_GAMES][::-1]}
    run, found = build(player_daily_cache, DAYS, tables)
    keys = [(line["player_lookup"], np.datetime64(line["cache_date"])) for line in stored(TABLE, found.rows)]
    assert keys == [(player, day) for player in PEOPLE[:2] for day in DAYS]
    records = [
        (record["entity_id"], record["partition_date"], record["failure_reason"]) for record in failure_rows(found)
    ]
    assert records == [("rookie", day, "Only 0 games played, need 5 minimum") for day in DAYS]
    assert {read.table.name for read in run.reads} == {table.name for table in TABLES} | {PLAYER_REGISTRY.name}


def test_who_is_not_in_the_context_gets_nothing() -> None:
    rows = built({PLAYER_CONTEXT: [context_row(TONIGHT, "lebronjames")]})
    assert list(rows) == [("lebronjames", TONIGHT)]


def test_form_is_that_of_the_team_of_his_context() -> None:
    """Traded between the two dates."""
    contexts = [context_row(DAYS[0], "lebronjames", team_abbr="DAL"), context_row(TONIGHT, "lebronjames")]
    rows = built({PLAYER_CONTEXT: contexts})
    assert [rows["lebronjames", day]["team_pace_last_10"] for day in DAYS] == [110.0, 100.0]


def test_a_form_that_cannot_be_computed_costs_the_players_of_that_team(monkeypatch: pytest.MonkeyPatch) -> None:
    contexts = [
        context_row(TONIGHT, "austinreaves", team_abbr="DAL"),
        context_row(TONIGHT, "lebronjames"),
        context_row(TONIGHT, "rookie"),
    ]
    tables = TABLES | {PLAYER_CONTEXT: contexts}
    whole = built_rows(player_daily_cache, DAYS, tables)
    monkeypatch.setattr(team_form, "compute", failing(team_form.compute, "LAL"))
    records = failure_rows(build(player_daily_cache, DAYS, tables)[1])
    assert [(record["entity_id"], record["failure_category"]) for record in records] == [
        (who, "PROCESSING_ERROR") for who in ("lebronjames", "rookie")
    ]
    assert all(
        record["failure_reason"].startswith("the form of LAL could not be computed: ZeroDivisionError: no way")
        for record in records
    )
    assert built_rows(player_daily_cache, DAYS, tables) == [
        row for row in whole if row["player_lookup"] == "austinreaves"
    ]
    monkeypatch.setattr(team_form, "compute", failing(team_form.compute, "LAL", "DAL"))
    assert len(failure_rows(build(player_daily_cache, DAYS, tables)[1])) == 3


def test_shot_zones_are_of_the_same_date_and_player() -> None:
    zones = [
        zone_row(DAYS[0], "lebronjames", paint_rate_last_10=11.0),
        zone_row(TONIGHT, "lebronjames", paint_rate_last_10=22.0, is_production_ready=False),
        zone_row(TONIGHT, "austinreaves", paint_rate_last_10=33.0),
    ]
    rows = built({SHOT_ZONES: zones})
    found = {
        key: (line["paint_rate_last_10"], line["shot_zone_data_available"], line["all_upstreams_ready"])
        for key, line in rows.items()
    }
    assert found == {
        ("austinreaves", DAYS[0]): (None, False, True),
        ("austinreaves", TONIGHT): (33.0, True, True),
        ("lebronjames", DAYS[0]): (11.0, True, True),
        ("lebronjames", TONIGHT): (22.0, True, False),
    }


def test_readiness_of_the_context_is_that_of_its_row() -> None:
    contexts = [context_row(day, "lebronjames", is_production_ready=day == TONIGHT) for day in DAYS]
    rows = built({PLAYER_CONTEXT: contexts})
    assert [rows["lebronjames", day]["all_upstreams_ready"] for day in DAYS] == [False, True]


def test_the_minimum_number_of_games_is_a_setting() -> None:
    tables = TABLES | {PLAYER_GAMES: [game(days_ago(2 + place)) for place in range(3)]}
    run, found = build(player_daily_cache, DAYS, tables)
    assert {record["failure_reason"] for record in failure_rows(found)} >= {"Only 3 games played, need 5 minimum"}
    run.settings = run.settings.model_copy(update={"cache_minimum_games": 3})
    assert set(player_daily_cache.build(run).rows["player_lookup"]) == {"lebronjames"}
