"""Golden rows of team_defense_zone_analysis, its samples and its edges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics.team_defense_game_summary import TABLE as TEAM_DEFENSE
from nba_assets.entities.outcomes import Outcome
from nba_assets.precompute import team_defense_zone_analysis
from nba_assets.precompute.league_averages import USUAL_PCT, LeagueAverages
from nba_assets.precompute.team_defense_zone_analysis import (
    GAME_COLUMNS,
    TABLE,
    Shared,
    compute,
    extreme_zones,
    minimum_games,
    quality_tier,
)
from nba_assets.precompute.zones import ZONES
from nba_assets.raw.tables import SCHEDULE
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.precompute.builders import (
    LAST_SEASON,
    OPENING,
    READY,
    TONIGHT,
    Row,
    alternate_days,
    as_date,
    ascending,
    blocking_findings,
    build,
    built_rows,
    days_ago,
    failure_rows,
    game_id,
    one_by_one,
    scheduled,
    season_facts,
)
from nba_assets_tests.stored import stored

of_team = alone(compute, TABLE.date_column)

NO_ZONES = {f"opp_{zone}_{what}": NAN for zone in ("paint", "mid_range") for what in ("makes", "attempts")} | {
    "points_in_paint_allowed": NAN,
    **{f"blocks_{zone}": NAN for zone in ZONES},
}
"""A game without play-by-play: its threes are known from the box score."""


def game(day: np.datetime64, **changes: Any) -> Row:
    """One game that LAL defended."""
    return {
        "game_id": game_id(day, "LAL"),
        "game_date": day,
        "defending_team_abbr": "LAL",
        "opp_paint_makes": 20,
        "opp_paint_attempts": 35,
        "opp_mid_range_makes": 8,
        "opp_mid_range_attempts": 20,
        "opp_three_pt_makes": 12,
        "opp_three_pt_attempts": 35,
        "points_in_paint_allowed": 42,
        "blocks_paint": 2,
        "blocks_mid_range": 1,
        "blocks_three_pt": 0,
        "points_allowed": 110,
        "defensive_rating": 112.5,
        "opponent_pace": 99.2,
        **changes,
    }


def games(number: int, **changes: Any) -> list[Row]:
    """So many equal games on alternate days, newest first."""
    return [game(day, **changes) for day in alternate_days(number)]


def requested(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    return {"team_abbr": "LAL", "analysis_date": day, **season_facts(day), **changes}


def league(days: Sequence[np.datetime64] = (TONIGHT,), **pct: float) -> LeagueAverages:
    shares = {zone: np.full(len(days), pct.get(zone, usual)) for zone, usual in USUAL_PCT.items()}
    return LeagueAverages(np.array(days, dtype="M8[D]"), shares, np.zeros(len(days), dtype=np.int64))


def outcome(
    history: Sequence[Row],
    finals: Sequence[np.datetime64] | None = None,
    averages: LeagueAverages | None = None,
    **changes: Any,
) -> Outcome:
    """By default the finals are the games of the history."""
    mine = ascending(history, game(TONIGHT))
    assert set(mine) == set(GAME_COLUMNS)
    days = sorted(mine["game_date"].tolist() if finals is None else [day.item() for day in finals])
    there = {
        "game_id": np.array([game_id(np.datetime64(day), "LAL") for day in days], dtype=object),
        "game_date": np.array(days, dtype="M8[D]"),
    }
    return of_team(
        columns([requested(**changes)]), {"games": mine, "finals": there}, Shared(READY, averages or league())
    )


def row(
    history: Sequence[Row],
    finals: Sequence[np.datetime64] | None = None,
    averages: LeagueAverages | None = None,
    **changes: Any,
) -> Row:
    return stored(TABLE, outcome(history, finals, averages, **changes).rows)[0]


def test_fifteen_equal_games() -> None:
    result = row(games(15))
    assert [result[f"{zone}_pct_allowed_last_15"] for zone in ZONES] == [0.571, 0.4, 0.343]
    assert [result[f"{zone}_attempts_allowed_per_game"] for zone in ZONES] == [35.0, 20.0, 35.0]
    assert [result[f"{zone}_blocks_per_game"] for zone in ZONES] == [2.0, 1.0, 0.0]
    assert [result[f"{zone}_defense_vs_league_avg"] for zone in ZONES] == [-0.86, -1.0, -1.21]
    assert (result["paint_points_allowed_per_game"], result["opponent_points_per_game"]) == (42.0, 110.0)
    assert (result["defensive_rating_last_15"], result["opponent_pace"]) == (112.5, 99.2)
    assert (result["strongest_zone"], result["weakest_zone"]) == ("perimeter", "paint")
    assert (result["games_in_sample"], result["data_quality_tier"], result["early_season_flag"]) == (15, "high", False)
    assert result["calculation_notes"] is None


def test_fifteen_different_games() -> None:
    result = row(
        [
            game(
                day,
                opp_paint_makes=18 + number % 5,
                opp_paint_attempts=32 + number % 8,
                opp_mid_range_makes=7 + number % 3,
                opp_mid_range_attempts=18 + number % 5,
                opp_three_pt_makes=11 + number % 4,
                opp_three_pt_attempts=33 + number % 6,
                points_in_paint_allowed=38 + number % 10,
                blocks_paint=2 + number % 3,
                points_allowed=108 + number % 15,
                defensive_rating=110.0 + number % 10,
                opponent_pace=98.0 + number % 5,
            )
            for number, day in enumerate(alternate_days(15))
        ]
    )
    assert [result[f"{zone}_pct_allowed_last_15"] for zone in ZONES] == [0.567, 0.4, 0.352]
    assert [result[f"{zone}_attempts_allowed_per_game"] for zone in ZONES] == [35.3, 20.0, 35.2]
    assert [result[f"{zone}_blocks_per_game"] for zone in ZONES] == [3.0, 1.0, 0.0]
    assert [result[f"{zone}_defense_vs_league_avg"] for zone in ZONES] == [-1.29, -1.0, -0.27]
    assert (result["paint_points_allowed_per_game"], result["opponent_points_per_game"]) == (41.7, 115.0)
    assert (result["defensive_rating_last_15"], result["opponent_pace"]) == (113.67, 100.0)
    assert (result["strongest_zone"], result["weakest_zone"], result["data_quality_tier"]) == (
        "paint",
        "perimeter",
        "high",
    )


def test_a_zone_without_attempts_has_no_share_and_says_so() -> None:
    result = row(games(15, opp_mid_range_makes=0, opp_mid_range_attempts=0))
    assert (result["mid_range_pct_allowed_last_15"], result["mid_range_defense_vs_league_avg"]) == (None, None)
    assert (result["mid_range_attempts_allowed_per_game"], result["calculation_notes"]) == (
        0.0,
        "No mid-range attempts",
    )
    assert (result["paint_pct_allowed_last_15"], result["three_pt_pct_allowed_last_15"]) == (0.571, 0.343)
    assert (result["strongest_zone"], result["weakest_zone"]) == ("perimeter", "paint")


def test_no_attempts_anywhere_are_three_notes_and_no_zones() -> None:
    result = row(games(15, **{f"opp_{zone}_{what}": 0 for zone in ZONES for what in ("makes", "attempts")}))
    assert [result[f"{zone}_pct_allowed_last_15"] for zone in ZONES] == [None] * 3
    assert [result[f"{zone}_attempts_allowed_per_game"] for zone in ZONES] == [0.0] * 3
    assert result["calculation_notes"] == "No paint attempts; No mid-range attempts; No three-point attempts"
    assert (result["strongest_zone"], result["weakest_zone"]) == (None, None)


@pytest.mark.parametrize(
    ("differences", "strongest", "weakest"),
    [
        ((3.0, -2.5, 0.5), "mid_range", "paint"),
        ((1.0, 0.5, -4.0), "perimeter", "paint"),
        ((2.0, NAN, -1.0), "perimeter", "paint"),
        ((NAN, NAN, NAN), None, None),
        ((0.1, 0.2, -0.1), "perimeter", "mid_range"),
        ((NAN, 7.0, NAN), "mid_range", "mid_range"),
        ((0.0, 0.0, 0.0), "paint", "paint"),
        ((1.0, 0.0, 0.0), "mid_range", "paint"),
        ((0.0, 1.0, 1.0), "paint", "mid_range"),
    ],
)
def test_strongest_is_lowest_and_weakest_highest_and_the_first_of_equals(
    differences: tuple[float, float, float], strongest: str | None, weakest: str | None
) -> None:
    found = extreme_zones({zone: np.array([value]) for zone, value in zip(ZONES, differences, strict=True)})
    assert [zone.tolist() for zone in found] == [[strongest], [weakest]]


@pytest.mark.parametrize(("off_by", "extremes"), [(100_001, ("paint", "mid_range")), (99_999, ("mid_range", "paint"))])
def test_extreme_zones_compare_what_rounding_makes_equal(off_by: int, extremes: tuple[str, str]) -> None:
    history = games(
        15,
        opp_paint_makes=50,
        opp_paint_attempts=100,
        opp_mid_range_makes=off_by,
        opp_mid_range_attempts=200_000,
        opp_three_pt_attempts=NAN,
    )
    result = row(history, averages=league(paint=0.5, mid_range=0.5))
    assert (result["paint_defense_vs_league_avg"], result["mid_range_defense_vs_league_avg"]) == (0.0, 0.0)
    assert (result["strongest_zone"], result["weakest_zone"]) == extremes


@pytest.mark.parametrize(
    ("number", "tier"),
    [(20, "high"), (15, "high"), (14, "medium"), (12, "medium"), (10, "medium"), (9, "low"), (5, "low"), (1, "low")],
)
def test_tier_of_a_sample(number: int, tier: str) -> None:
    assert quality_tier(np.array([number])).tolist() == [tier]


def test_five_games_in_january_are_no_sample() -> None:
    found = outcome(games(5))
    assert found.row_count == 0
    (record,) = failure_rows(found)
    assert (record["entity_id"], record["entity_type"], record["partition_date"]) == ("LAL", "TEAM", TONIGHT)
    assert (record["failure_category"], record["failure_reason"]) == ("INSUFFICIENT_DATA", "Only 5 games, need 15")
    assert (record["can_retry"], record["expected_record_count"], record["actual_record_count"]) == (0, 5, 5)
    assert record["missing_game_ids"] == ()


def test_failure_names_the_games_that_are_missing() -> None:
    days = alternate_days(17)
    (record,) = failure_rows(outcome(games(14), finals=days))
    assert (record["failure_reason"], record["expected_record_count"], record["actual_record_count"]) == (
        "Only 14 games, need 15",
        17,
        14,
    )
    assert record["missing_game_ids"] == tuple(game_id(day, "LAL") for day in reversed(days[14:]))


@pytest.mark.parametrize(
    ("day", "least"),
    [
        (0, 5),
        (14, 5),
        (15, 5),
        (17, 5),
        (18, 6),
        (20, 6),
        (21, 7),
        (22, 7),
        (29, 9),
        (30, 10),
        (44, 14),
        (45, 15),
        (46, 15),
        (240, 15),
    ],
)
def test_a_team_needs_a_game_for_every_three_days_from_five_to_fifteen(day: int, least: int) -> None:
    assert minimum_games(np.array([float(day)])).tolist() == [least]
    assert outcome(games(least), days_into_season=day).row_count == 1
    short = outcome(games(least - 1), days_into_season=day)
    assert (short.row_count, failure_rows(short)[0]["failure_reason"]) == (0, f"Only {least - 1} games, need {least}")


@pytest.mark.parametrize(
    ("number", "flag", "tier"), [(7, True, "low"), (10, True, "medium"), (14, True, "medium"), (15, False, "high")]
)
def test_a_sample_below_fifteen_games_is_early(number: int, flag: bool, tier: str) -> None:
    result = row(games(number), days_into_season=21)
    assert (result["early_season_flag"], result["data_quality_tier"], result["games_in_sample"]) == (flag, tier, number)


def test_a_result_of_the_date_itself_changes_nothing() -> None:
    before = games(15)
    absurd = {name: 500 for name in GAME_COLUMNS if name not in ("game_id", "game_date", "defending_team_abbr")}
    after = [game(TONIGHT, **absurd), game(days_ago(-1), **absurd)]
    finals = alternate_days(15)
    assert row([*before, *after], [*finals, TONIGHT, days_ago(-1)]) == row(before, finals)


def test_another_season_is_another_team() -> None:
    old = [game(LAST_SEASON - np.timedelta64(number, "D"), points_allowed=200) for number in range(20)]
    assert row([*old, *games(15)]) == row(games(15))
    found = outcome([*old, *games(14)])
    assert (found.row_count, failure_rows(found)[0]["failure_reason"]) == (0, "Only 14 games, need 15")


def test_opening_night_is_in_the_sample() -> None:
    history = [*games(14), game(OPENING, points_allowed=125)]
    assert row(history)["opponent_points_per_game"] == 111.0


def test_the_sixteenth_game_is_out_of_the_sample() -> None:
    absurd = {name: 500 for name in GAME_COLUMNS if name not in ("game_id", "game_date", "defending_team_abbr")}
    finals = alternate_days(15)
    assert row([*games(15), game(days_ago(60), **absurd)], finals) == row(games(15), finals)


def test_games_without_zones_are_left_out_of_their_zones_alone() -> None:
    known, unknown = games(15)[:12], [line | NO_ZONES | {"points_allowed": 125} for line in games(15)[12:]]
    result = row([*known, *unknown])
    assert (result["paint_pct_allowed_last_15"], result["paint_attempts_allowed_per_game"]) == (0.571, 35.0)
    assert (result["paint_points_allowed_per_game"], result["paint_blocks_per_game"]) == (42.0, 2.0)
    assert (result["three_pt_attempts_allowed_per_game"], result["opponent_points_per_game"]) == (35.0, 113.0)
    assert (result["games_in_sample"], result["data_quality_tier"]) == (15, "high")


def test_a_zone_that_is_never_known_is_null_without_a_note() -> None:
    result = row(games(15, **NO_ZONES))
    unknown = ("pct_allowed_last_15", "attempts_allowed_per_game", "blocks_per_game", "defense_vs_league_avg")
    assert [result[f"paint_{name}"] for name in unknown] == [None] * 4
    assert (result["paint_points_allowed_per_game"], result["calculation_notes"]) == (None, None)
    assert (result["strongest_zone"], result["weakest_zone"], result["three_pt_pct_allowed_last_15"]) == (
        "perimeter",
        "perimeter",
        0.343,
    )


def test_attempts_whose_makes_are_unknown_are_no_silence() -> None:
    result = row(games(15, opp_paint_makes=NAN))
    assert (result["paint_pct_allowed_last_15"], result["paint_attempts_allowed_per_game"]) == (None, 35.0)
    assert result["calculation_notes"] is None


def test_makes_count_only_with_their_attempts() -> None:
    half_known = [line | {"opp_paint_attempts": NAN, "opp_paint_makes": 35} for line in games(15)[:5]]
    assert row([*half_known, *games(15)[5:]])["paint_pct_allowed_last_15"] == 0.571


def test_unknown_ratings_and_paces_are_skipped() -> None:
    history = [line | {"defensive_rating": NAN, "opponent_pace": NAN} for line in games(15)[:5]] + games(15)[5:]
    result = row(history)
    assert (result["defensive_rating_last_15"], result["opponent_pace"]) == (112.5, 99.2)
    nothing = row(games(15, defensive_rating=NAN, opponent_pace=NAN))
    assert (nothing["defensive_rating_last_15"], nothing["opponent_pace"]) == (None, None)


def test_mean_pace_is_one_exact_quotient() -> None:
    """96.95 lies between two tenths, and goes to the even one: added as floats, these paces come out a little below
    it.
    """
    history = [game(day, opponent_pace=96.1 if place < 5 else 97.8) for place, day in enumerate(alternate_days(10))]
    assert row(history, days_into_season=30)["opponent_pace"] == 97.0


@pytest.mark.parametrize(
    ("number", "missing", "pct", "ready"),
    [(16, (), 100.0, True), (16, (3,), 93.3, True), (16, (3, 5), 86.7, False), (17, (15,), 100.0, True)],
    ids=["all there", "one of fifteen", "two of fifteen", "only an older one"],
)
def test_expected_are_the_last_fifteen_finals(number: int, missing: tuple[int, ...], pct: float, ready: bool) -> None:
    """A missing game is not made up for by an older one."""
    finals = alternate_days(number)
    history = [game(day) for place, day in enumerate(finals) if place not in missing]
    history += [game(days_ago(60 + place)) for place in range(3)]
    result = row(history, [*finals, *(days_ago(60 + place) for place in range(3))])
    counts = (result["expected_games_count"], result["actual_games_count"], result["missing_games_count"])
    lost = sum(place < 15 for place in missing)
    assert counts == (15, 15 - lost, lost)
    assert (result["completeness_percentage"], result["is_production_ready"]) == (pct, ready)


def test_rows_that_nobody_expects_do_not_make_more_than_all() -> None:
    result = row(games(15), finals=alternate_days(10))
    assert (result["expected_games_count"], result["actual_games_count"], result["completeness_percentage"]) == (
        10,
        10,
        100.0,
    )


def test_nothing_expected_is_complete() -> None:
    result = row(games(15), finals=())
    assert (result["expected_games_count"], result["completeness_percentage"], result["is_production_ready"]) == (
        0,
        100.0,
        True,
    )


@pytest.mark.parametrize("excuse", ["is_bootstrap", "is_boundary"])
def test_an_exemption_makes_ready_but_hides_nothing(excuse: str) -> None:
    finals = alternate_days(30)
    excused: Row = {excuse: 1}
    result = row([game(day) for day in finals[::2]], finals, **excused)
    assert (result["completeness_percentage"], result["is_production_ready"]) == (53.3, True)
    assert (result["backfill_bootstrap_mode"], result["season_boundary_detected"]) == (
        excuse == "is_bootstrap",
        excuse == "is_boundary",
    )


def test_no_failures_are_no_records() -> None:
    assert dict(outcome(games(15)).failures) == {}


def test_lineage_lives_in_the_metadata() -> None:
    assert not [name for name in TABLE.column_names if name.startswith("source_") or name == "circuit_breaker_active"]
    assert set(outcome(games(15)).rows) | {"data_hash", "created_at", "processed_at", "reprocess_attempt_count"} == set(
        TABLE.column_names
    )


numbers = st.one_of(st.just(NAN), st.integers(0, 60).map(float))
drawn = st.builds(
    lambda makes, missed, blocks, points: {
        **{f"opp_{zone}_makes": makes[place] for place, zone in enumerate(ZONES)},
        **{f"opp_{zone}_attempts": makes[place] + missed[place] for place, zone in enumerate(ZONES)},
        **{f"blocks_{zone}": blocks for zone in ZONES},
        "points_in_paint_allowed": 2 * makes[0],
        "points_allowed": points,
    },
    st.tuples(numbers, numbers, numbers),
    st.tuples(numbers, numbers, numbers),
    numbers,
    st.integers(60, 180),
)


@settings(max_examples=25)
@given(st.lists(drawn, min_size=15, max_size=18), st.lists(drawn, max_size=3))
def test_whatever_the_games_the_figures_stay_within_their_ranges_and_the_future_is_unseen(
    history: list[Row], future: list[Row]
) -> None:
    past = [game(day, **changes) for day, changes in zip(alternate_days(len(history)), history, strict=True)]
    to_come = [game(days_ago(-place), **changes) for place, changes in enumerate(future)]
    finals = alternate_days(len(history))
    found = outcome([*past, *to_come], finals)
    assert blocking_findings(TABLE, found.rows) == []
    (result,) = stored(TABLE, found.rows)
    assert result == row(past, finals)
    against = [result[f"{zone}_defense_vs_league_avg"] for zone in ZONES]
    known = [value for value in against if value is not None]
    assert (result["strongest_zone"] is None) == (not known)
    if known:
        labels = dict(zip(("paint", "mid_range", "perimeter"), against, strict=True))
        assert (labels[result["strongest_zone"]], labels[result["weakest_zone"]]) == (min(known), max(known))


def test_dates_together_and_one_by_one_are_the_same() -> None:
    days = [days_ago(number) for number in range(80, -1, -5)]
    history = [
        game(day, points_allowed=100 + place, opponent_pace=95.0 + place / 10)
        for place, day in enumerate(alternate_days(40))
    ]
    finals = {
        name: values for name, values in ascending(history, game(TONIGHT)).items() if name in ("game_id", "game_date")
    }
    given_days = columns([requested(day) for day in days])
    histories, shared = {"games": ascending(history, game(TONIGHT)), "finals": finals}, Shared(READY, league(days))
    together = of_team(given_days, histories, shared)
    rows, failures = one_by_one(TABLE, compute, given_days, histories, shared)
    assert (together.row_count, together.failure_count) == (len(rows), len(failures))
    assert rows
    assert failures
    assert stored(TABLE, together.rows) == rows
    assert [str(record) for record in failure_rows(together)] == [str(record) for record in failures]


def season(days: Sequence[np.datetime64], **changes: Any) -> tuple[list[Row], list[Row]]:
    """Finals of LAL on some days, in turn at home and away against BOS, and the games that LAL and BOS defended."""
    finals = [
        scheduled(day, *(("LAL", "BOS") if number % 2 else ("BOS", "LAL")), **changes)
        for number, day in enumerate(days)
    ]
    defended = [
        game(
            final["game_date"],
            game_id=final["game_id"],
            defending_team_abbr=team,
            points_allowed=100 if team == "LAL" else 120,
        )
        for final in finals
        for team in ("LAL", "BOS")
    ]
    return finals, defended


def built(
    days: Sequence[np.datetime64], schedule: Sequence[Row], defended: Sequence[Row]
) -> dict[tuple[str, np.datetime64], Row]:
    rows = built_rows(team_defense_zone_analysis, days, {SCHEDULE.table: schedule, TEAM_DEFENSE: defended})
    return {(line["team_abbr"], np.datetime64(line["analysis_date"])): line for line in rows}


EVERY_SECOND_DAY = [OPENING + np.timedelta64(2 * number, "D") for number in range(46)]


def test_finals_count_for_both_teams_at_home_and_away() -> None:
    schedule, defended = season(EVERY_SECOND_DAY)
    rows = built([TONIGHT], schedule, defended)
    assert {key[0] for key in rows} == {"LAL", "BOS"}
    assert {
        (line["expected_games_count"], line["actual_games_count"], line["completeness_percentage"])
        for line in rows.values()
    } == {(15, 15, 100.0)}
    assert (rows["LAL", TONIGHT]["opponent_points_per_game"], rows["BOS", TONIGHT]["opponent_points_per_game"]) == (
        100.0,
        120.0,
    )


@pytest.mark.parametrize("changes", [{"game_status": 4}, {"game_status": 1}, {"is_regular_season": False}])
def test_postponed_unplayed_and_exhibition_games_are_not_expected(changes: Row) -> None:
    schedule, defended = season(EVERY_SECOND_DAY)
    extra = scheduled(days_ago(1), "LAL", "BOS", **changes)
    rows = built([TONIGHT], [*schedule, extra], defended)
    assert rows["LAL", TONIGHT]["missing_games_count"] == 0
    lacking = built([TONIGHT], [*schedule, scheduled(days_ago(1), "LAL", "BOS")], defended)
    assert lacking["LAL", TONIGHT]["missing_games_count"] == 1


def test_teams_of_the_regular_season_get_rows_whether_they_play_or_not() -> None:
    schedule, defended = season(EVERY_SECOND_DAY[:-1])
    tonight = scheduled(TONIGHT, "DEN", "MIA", game_status=1)
    exhibition = scheduled(days_ago(100), "EST", "WST", is_regular_season=False)
    only_play_offs = scheduled(days_ago(-90), "CHI", "NYK", is_regular_season=False, is_playoffs=True, game_status=1)
    games_of_all = [*schedule, tonight, exhibition, only_play_offs]
    run, found = build(team_defense_zone_analysis, [TONIGHT], {SCHEDULE.table: games_of_all, TEAM_DEFENSE: defended})
    assert found.rows["team_abbr"].tolist() == ["BOS", "LAL"]
    assert found.failures["entity_id"].tolist() == ["DEN", "MIA"]
    assert run.entity_count == 4


def test_the_first_fourteen_days_of_a_season_have_no_rows_and_say_why() -> None:
    schedule, defended = season([OPENING + np.timedelta64(number, "D") for number in range(16)])
    days = [OPENING + np.timedelta64(number, "D") for number in range(16)]
    run, found = build(team_defense_zone_analysis, days, {SCHEDULE.table: schedule, TEAM_DEFENSE: defended})
    assert sorted(set(found.rows["analysis_date"].tolist())) == [date(2024, 11, 5), date(2024, 11, 6)]
    assert sorted(run.date_notes) == [as_date(day) for day in days[:14]]
    assert run.date_notes[date(2024, 11, 4)] == {
        "no_rows_because": "bootstrap: day 13 of the season, rows begin with day 14"
    }


def test_days_without_bootstrap_are_a_setting() -> None:
    schedule, defended = season([OPENING + np.timedelta64(number, "D") for number in range(8)])
    run, _ = build(
        team_defense_zone_analysis,
        [OPENING + np.timedelta64(7, "D")],
        {SCHEDULE.table: schedule, TEAM_DEFENSE: defended},
    )
    run.settings = run.settings.model_copy(update={"bootstrap_days": 0})
    run.date_notes.clear()
    assert team_defense_zone_analysis.build(run).row_count == 2
    assert run.date_notes == {}


def test_a_date_without_league_games_has_no_rows_and_says_why() -> None:
    schedule, defended = season(EVERY_SECOND_DAY)
    exhibition = scheduled(days_ago(-1), "EST", "WST", is_regular_season=False, game_status=1)
    postponed = scheduled(days_ago(-3), "LAL", "BOS", game_status=4)
    days = [TONIGHT, days_ago(-1), days_ago(-3)]
    run, found = build(
        team_defense_zone_analysis, days, {SCHEDULE.table: [*schedule, exhibition, postponed], TEAM_DEFENSE: defended}
    )
    assert set(found.rows["analysis_date"].tolist()) == {as_date(TONIGHT)}
    assert run.date_notes == {as_date(day): {"no_rows_because": "no league games on this date"} for day in days[1:]}


@pytest.mark.parametrize(
    ("day", "bootstrap", "boundary"),
    [
        ("2024-11-05", True, True),
        ("2024-11-20", True, True),
        ("2024-11-21", False, True),
        ("2024-12-01", False, False),
        ("2025-03-31", False, False),
        ("2025-04-01", False, True),
    ],
)
def test_thirty_days_are_bootstrap_and_three_months_are_boundary(day: str, bootstrap: bool, boundary: bool) -> None:
    opening = [OPENING + np.timedelta64(number, "D") for number in range(15)]
    schedule, defended = season(opening)
    tonight = scheduled(np.datetime64(day), "LAL", "BOS", game_status=1)
    days = [np.datetime64(day)]
    found = built(
        days, [*schedule, tonight], [*defended, *(game(when, game_id=f"more {when}") for when in alternate_days(15))]
    )["LAL", days[0]]
    assert (found["backfill_bootstrap_mode"], found["season_boundary_detected"]) == (bootstrap, boundary)


def test_a_league_average_of_the_date_itself_changes_nothing() -> None:
    """Twelve teams of enough games; what any of them allowed tonight is unknown."""
    teams = [f"T{number:02d}" for number in range(12)]
    days = [days_ago(number) for number in range(1, 30, 2)]
    schedule = [scheduled(day, home, away) for day in days for home, away in zip(teams[::2], teams[1::2], strict=True)]
    schedule.append(scheduled(OPENING, "T00", "T01"))
    schedule.append(scheduled(TONIGHT, "T00", "T01", game_status=1))
    defended = [
        game(day, game_id=f"{day} {team}", defending_team_abbr=team, opp_paint_makes=15 + place)
        for day in days
        for place, team in enumerate(teams)
    ]
    absurd = [
        game(TONIGHT, game_id=f"tonight {team}", defending_team_abbr=team, opp_paint_makes=0, opp_paint_attempts=900)
        for team in teams
    ]
    clean, leaking = built([TONIGHT], schedule, defended), built([TONIGHT], schedule, [*defended, *absurd])
    assert clean == leaking
    mean = sum(15 + place for place in range(12)) / 12 / 35
    assert clean["T00", TONIGHT]["paint_defense_vs_league_avg"] == pytest.approx((15 / 35 - mean) * 100, abs=0.005)


def test_in_a_run_over_two_seasons_each_date_is_measured_by_its_own_season() -> None:
    """Twelve teams of fifteen games in spring and six in autumn, which are too few for a league average."""
    teams = [f"T{number:02d}" for number in range(12)]
    spring = [LAST_SEASON - np.timedelta64(2 * number, "D") for number in range(1, 16)]
    autumn = [OPENING + np.timedelta64(2 * number, "D") for number in range(6)]
    dates = [LAST_SEASON, OPENING + np.timedelta64(15, "D")]
    schedule = [
        scheduled(day, home, away, season_year=2023 if day <= LAST_SEASON else 2024)
        for day in (*spring, *autumn, *dates)
        for home, away in zip(teams[::2], teams[1::2], strict=True)
    ]
    defended = [
        game(day, game_id=f"{day} {team}", defending_team_abbr=team, opp_paint_makes=7)
        for day in spring
        for team in teams
    ]
    defended += [game(day, game_id=f"{day} {team}", defending_team_abbr=team) for day in autumn for team in teams]
    rows = built(dates, schedule, defended)
    assert rows["T00", dates[0]]["paint_defense_vs_league_avg"] == 0.0
    assert (rows["T00", dates[1]]["paint_defense_vs_league_avg"], rows["T00", dates[1]]["games_in_sample"]) == (
        -0.86,
        6,
    )


def test_rows_come_in_the_order_of_team_and_date_whatever_the_order_of_the_input() -> None:
    schedule, defended = season(EVERY_SECOND_DAY)
    days = [days_ago(2), TONIGHT]
    one = build(team_defense_zone_analysis, days, {SCHEDULE.table: schedule, TEAM_DEFENSE: defended})[1]
    other = build(team_defense_zone_analysis, days, {SCHEDULE.table: schedule[::-1], TEAM_DEFENSE: defended[::-1]})[1]
    keys = list(zip(one.rows["team_abbr"].tolist(), one.rows["analysis_date"].tolist(), strict=True))
    assert keys == sorted(keys)
    assert stored(TABLE, one.rows) == stored(TABLE, other.rows)
