"""Golden rows of player_shot_zone_analysis, its samples, and the records of players with too few games."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.quality import sample_quality
from nba_assets.precompute import player_shot_zone_analysis
from nba_assets.precompute.player_shot_zone_analysis import (
    SHEET_COLUMNS,
    TABLE,
    Shared,
    compute,
    minimum_games,
    primary_zone,
    quality_tier,
)
from nba_assets.precompute.zones import ZONES
from nba_assets.raw.tables import PLAYER_BOXSCORES, ROSTERS, SCHEDULE
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone
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
    days_ago,
    expectations,
    failure_rows,
    game_id,
    of_teams,
    one_by_one,
    scheduled,
    season_facts,
)
from nba_assets_tests.stored import stored

of_player = alone(compute, TABLE.date_column)

NO_PLAY_BY_PLAY: Row = {
    "has_complete_shot_zones": 0,
    **{f"{zone}_{what}": NAN for zone in ("paint", "mid_range") for what in ("attempts", "makes")},
    "assisted_fg_makes": NAN,
    "unassisted_fg_makes": NAN,
}
"""A game without play-by-play: its threes and makes are known from the box score."""
SAT_OUT: Row = {
    "is_dnp": 1,
    "points": NAN,
    "has_complete_shot_zones": 0,
    **{f"{zone}_{what}": NAN for zone in ZONES for what in ("attempts", "makes")},
    "fg_makes": NAN,
    "assisted_fg_makes": NAN,
    "unassisted_fg_makes": NAN,
}


def game(day: np.datetime64, team: str = "LAL", **changes: Any) -> Row:
    """One game he played: 18 shots, 9 of them made."""
    return {
        "player_lookup": "lebronjames",
        "universal_player_id": "lebronjames_001",
        "game_id": game_id(day, team),
        "game_date": day,
        "team_abbr": team,
        "is_dnp": 0,
        "points": 20,
        "has_complete_shot_zones": 1,
        "paint_attempts": 8,
        "paint_makes": 5,
        "mid_range_attempts": 4,
        "mid_range_makes": 2,
        "three_pt_attempts": 6,
        "three_pt_makes": 2,
        "fg_makes": 9,
        "assisted_fg_makes": 6,
        "unassisted_fg_makes": 3,
        **changes,
    }


def games(number: int, **changes: Any) -> list[Row]:
    """So many equal games on alternate days, newest first."""
    return [game(day, **changes) for day in alternate_days(number)]


def requested(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    return {"player_lookup": "lebronjames", "analysis_date": day, **season_facts(day), **changes}


def histories(history: Sequence[Row], there: Expectations) -> dict[str, Any]:
    sheet = ascending(history, game(TONIGHT))
    assert set(sheet) == set(SHEET_COLUMNS)
    return {"sheet": sheet, "roster": there.roster, "box": there.box}


def outcome(history: Sequence[Row], there: Expectations | None = None, **changes: Any) -> Outcome:
    """By default exactly the games of the history were to be played."""
    there = there or expectations([line["game_date"] for line in history])
    return of_player(columns([requested(**changes)]), histories(history, there), Shared(READY, there.league))


def row(history: Sequence[Row], there: Expectations | None = None, **changes: Any) -> Row:
    return stored(TABLE, outcome(history, there, **changes).rows)[0]


def failure(history: Sequence[Row], there: Expectations, **changes: Any) -> Row:
    found = outcome(history, there, **changes)
    assert found.row_count == 0
    (record,) = failure_rows(found)
    return record


def shares(result: Row) -> list[float | None]:
    return [result[f"{zone}_rate_last_10"] for zone in ZONES]


def test_ten_equal_games() -> None:
    result = row(games(10))
    assert shares(result) == [44.44, 22.22, 33.33]
    assert [result[f"{zone}_pct_last_10"] for zone in ZONES] == [0.625, 0.5, 0.333]
    assert [result[f"{zone}_attempts_per_game"] for zone in ZONES] == [8.0, 4.0, 6.0]
    assert (result["assisted_rate_last_10"], result["unassisted_rate_last_10"]) == (66.67, 33.33)
    assert (result["total_shots_last_10"], result["primary_scoring_zone"]) == (180, "paint")
    assert (result["games_in_sample_10"], result["sample_quality_10"]) == (10, "excellent")
    assert (result["games_in_sample_20"], result["sample_quality_20"]) == (10, "limited")
    assert (result["paint_rate_last_20"], result["paint_pct_last_20"]) == (None, None)
    assert (result["data_quality_tier"], result["early_season_flag"]) == ("high", False)
    assert result["universal_player_id"] == "lebronjames_001"


def test_a_zone_without_shots_has_no_accuracy_but_zero_attempts() -> None:
    result = row(games(10, mid_range_attempts=0, mid_range_makes=0))
    assert (result["mid_range_pct_last_10"], result["mid_range_attempts_per_game"]) == (None, 0.0)
    assert shares(result) == [57.14, 0.0, 42.86]


def test_all_shots_made() -> None:
    result = row(games(10, paint_makes=8, mid_range_makes=4, three_pt_makes=6, fg_makes=18))
    assert [result[f"{zone}_pct_last_10"] for zone in ZONES] == [1.0, 1.0, 1.0]


def test_no_shot_made_is_zero_accuracy_and_no_assisted_share() -> None:
    result = row(
        games(
            10,
            paint_makes=0,
            mid_range_makes=0,
            three_pt_makes=0,
            fg_makes=0,
            assisted_fg_makes=0,
            unassisted_fg_makes=0,
        )
    )
    assert [result[f"{zone}_pct_last_10"] for zone in ZONES] == [0.0, 0.0, 0.0]
    assert (result["assisted_rate_last_10"], result["unassisted_rate_last_10"]) == (None, None)


def test_no_shots_at_all_are_no_zone_and_zero_attempts() -> None:
    nothing: Row = {f"{zone}_{what}": 0 for zone in ZONES for what in ("attempts", "makes")}
    result = row(games(10, fg_makes=0, assisted_fg_makes=0, unassisted_fg_makes=0, **nothing))
    assert shares(result) == [None] * 3
    assert (result["total_shots_last_10"], result["primary_scoring_zone"]) == (None, None)
    assert [result[f"{zone}_attempts_per_game"] for zone in ZONES] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("unknown_games", [0, 7])
def test_attempts_per_game_are_those_of_one_game_whose_zones_are_known(unknown_games: int) -> None:
    one = {"paint_attempts": 10, "paint_makes": 6, "mid_range_attempts": 5, "mid_range_makes": 2}
    one |= {"three_pt_attempts": 8, "three_pt_makes": 3, "fg_makes": 11}
    known = games(10 - unknown_games, **one)
    result = row([*known, *(game(days_ago(50 + place), **NO_PLAY_BY_PLAY) for place in range(unknown_games))])
    assert [result[f"{zone}_attempts_per_game"] for zone in ZONES] == [10.0, 5.0, 8.0]
    assert (result["paint_pct_last_10"], result["games_in_sample_10"]) == (0.6, 10)


def test_accuracy_is_of_sums_not_of_games() -> None:
    odd: Row = {"paint_attempts": 10, "paint_makes": 6}
    even: Row = {"paint_attempts": 2, "paint_makes": 1}
    rest: Row = {"mid_range_attempts": 1, "mid_range_makes": 0, "three_pt_attempts": 3, "three_pt_makes": 1}
    result = row(
        [game(day, **(odd if number % 2 else even), **rest) for number, day in enumerate(alternate_days(10), start=1)]
    )
    assert (result["paint_attempts_per_game"], result["paint_pct_last_10"]) == (6.0, 0.583)


@pytest.mark.parametrize(
    ("paint", "mid_range", "three_pt", "zone"),
    [
        (45, 20, 35, "paint"),
        (40, 25, 35, "paint"),
        (25, 15, 60, "perimeter"),
        (35, 25, 40, "perimeter"),
        (30, 40, 30, "mid_range"),
        (35, 30, 35, "balanced"),
        (30, 35, 35, "mid_range"),
        (35, 25, 38, "balanced"),
        (33.3, 33.3, 33.4, "balanced"),
        (45, 10, 45, "paint"),
        (39.99, 20.02, 39.99, "balanced"),
        (22, 38, 40, "perimeter"),
        (30, 34.99, 35.01, "balanced"),
        (NAN, NAN, NAN, None),
    ],
)
def test_primary_zone_by_shares(paint: float, mid_range: float, three_pt: float, zone: str | None) -> None:
    of = {"paint": paint, "mid_range": mid_range, "three_pt": three_pt}
    assert primary_zone({name: np.array([float(share)]) for name, share in of.items()}).tolist() == [zone]


def test_primary_zone_goes_by_unrounded_shares() -> None:
    """39,999 of 100,000 shots are 39.999 %, which is stored as 40."""
    result = row(games(10, paint_attempts=39_999, mid_range_attempts=20_002, three_pt_attempts=39_999))
    assert shares(result) == [40.0, 20.0, 40.0]
    assert result["primary_scoring_zone"] == "balanced"


@pytest.mark.parametrize(
    ("number", "target", "quality"),
    [
        (10, 10, "excellent"),
        (12, 10, "excellent"),
        (20, 20, "excellent"),
        (7, 10, "good"),
        (9, 10, "good"),
        (14, 20, "good"),
        (19, 20, "good"),
        (5, 10, "limited"),
        (6, 10, "limited"),
        (10, 20, "limited"),
        (13, 20, "limited"),
        (4, 10, "insufficient"),
        (9, 20, "insufficient"),
        (0, 10, "insufficient"),
    ],
)
def test_quality_of_a_sample(number: int, target: int, quality: str) -> None:
    assert sample_quality(np.array([number]), target).tolist() == [quality]


@pytest.mark.parametrize(
    ("number", "tier"), [(12, "high"), (10, "high"), (9, "medium"), (7, "medium"), (6, "low"), (0, "low")]
)
def test_tier_of_a_sample(number: int, tier: str) -> None:
    assert quality_tier(np.array([number])).tolist() == [tier]


@pytest.mark.parametrize(
    ("number", "quality_10", "quality_20", "tier", "early"),
    [
        (4, "insufficient", "insufficient", "low", True),
        (6, "limited", "insufficient", "low", True),
        (9, "good", "insufficient", "medium", True),
        (10, "excellent", "limited", "high", False),
        (14, "excellent", "good", "high", False),
        (20, "excellent", "excellent", "high", False),
    ],
)
def test_a_sample_says_how_good_it_is(number: int, quality_10: str, quality_20: str, tier: str, early: bool) -> None:
    result = row(games(number), days_into_season=14)
    assert (result["sample_quality_10"], result["sample_quality_20"]) == (quality_10, quality_20)
    assert (result["data_quality_tier"], result["early_season_flag"]) == (tier, early)


def test_missing_zones_are_no_three_point_specialist() -> None:
    result = row(games(10, three_pt_attempts=8, three_pt_makes=3, **NO_PLAY_BY_PLAY))
    assert shares(result) == [None, None, None]
    assert [result[f"{zone}_{what}"] for zone in ZONES for what in ("pct_last_10", "attempts_per_game")] == [None] * 6
    assert (result["assisted_rate_last_10"], result["unassisted_rate_last_10"]) == (None, None)
    assert (result["total_shots_last_10"], result["primary_scoring_zone"]) == (None, None)
    assert (result["games_in_sample_10"], result["data_quality_tier"]) == (10, "high")


def test_games_without_zones_count_in_no_sum_of_the_zones() -> None:
    """Neither their threes nor their makes, which the box score knows."""
    unknown = [
        line | NO_PLAY_BY_PLAY | {"three_pt_attempts": 20, "three_pt_makes": 20, "fg_makes": 30}
        for line in games(20)[5:]
    ]
    result = row([*games(5), *unknown])
    whole = row(games(10))
    unlike = {name for name, value in result.items() if value != whole[name]}
    assert unlike == {
        "total_shots_last_10",
        "games_in_sample_20",
        "sample_quality_20",
        "paint_rate_last_20",
        "paint_pct_last_20",
    }
    assert (result["total_shots_last_10"], result["paint_rate_last_20"], result["paint_pct_last_20"]) == (
        90,
        44.44,
        0.625,
    )


@pytest.mark.parametrize(("number", "rate"), [(14, None), (15, 44.44)])
def test_the_longer_window_speaks_from_fifteen_games_on(number: int, rate: float | None) -> None:
    result = row(games(number))
    assert (result["paint_rate_last_20"], result["paint_pct_last_20"]) == (rate, rate and 0.625)
    assert result["games_in_sample_20"] == number


def test_windows_end_at_the_tenth_and_the_twentieth_game() -> None:
    only_paint: Row = {"paint_attempts": 18, "paint_makes": 0, "mid_range_attempts": 0, "three_pt_attempts": 0}
    result = row(
        [
            *games(10),
            *(line | only_paint for line in games(30)[10:20]),
            *(line | {"paint_attempts": 900} for line in games(30)[20:]),
        ]
    )
    assert (result["paint_rate_last_10"], result["paint_pct_last_10"]) == (44.44, 0.625)
    assert (result["paint_rate_last_20"], result["paint_pct_last_20"]) == (72.22, 0.192)
    assert (result["games_in_sample_10"], result["games_in_sample_20"]) == (10, 20)


def test_a_game_he_sat_out_takes_no_place_in_the_window() -> None:
    played = games(12)
    sat_out = [game(days_ago(2), **SAT_OUT), game(days_ago(4), **SAT_OUT), game(days_ago(6), points=NAN)]
    there = expectations([line["game_date"] for line in played])
    assert row([*played, *sat_out], there) == row(played, there)


def test_a_result_of_the_date_itself_changes_nothing() -> None:
    played = games(12)
    absurd: Row = {name: 500 for name in SHEET_COLUMNS if name.endswith(("_attempts", "_makes"))}
    to_come = [game(day, team="DAL", universal_player_id="other", **absurd) for day in (TONIGHT, days_ago(-1))]
    there = of_teams({"LAL": [*alternate_days(12), TONIGHT], "DAL": [TONIGHT, days_ago(-1)]}, {"LAL": [OPENING]})
    assert row([*played, *to_come], there) == row(played, there)


def test_another_season_is_another_player() -> None:
    old = [game(LAST_SEASON - np.timedelta64(number, "D"), paint_attempts=900) for number in range(20)]
    assert row([*old, *games(10)]) == row(games(10))
    record = failure([*old, *games(9)], expectations([line["game_date"] for line in [*old, *games(9)]]))
    assert record["failure_reason"] == "Season bootstrap: 9/9 games (need 10)"


def test_identity_is_that_of_his_newest_game() -> None:
    renamed = [line | {"universal_player_id": "old"} for line in games(12)[1:]]
    assert row([*games(1), *renamed])["universal_player_id"] == "lebronjames_001"
    sat_out = game(days_ago(1), **SAT_OUT) | {"universal_player_id": "newer"}
    assert row([*renamed, sat_out])["universal_player_id"] == "old"


@pytest.mark.parametrize(
    ("day", "least"),
    [
        (0, 3),
        (9, 3),
        (11, 3),
        (12, 4),
        (14, 4),
        (15, 5),
        (20, 6),
        (21, 7),
        (22, 7),
        (29, 9),
        (30, 10),
        (31, 10),
        (45, 10),
        (240, 10),
    ],
)
def test_a_player_needs_a_game_for_every_three_days_from_three_to_ten(day: int, least: int) -> None:
    assert minimum_games(np.array([float(day)])).tolist() == [least]
    assert outcome(games(least), days_into_season=day).row_count == 1
    short = outcome(games(least - 1), days_into_season=day)
    assert (short.row_count, failure_rows(short)[0]["failure_reason"]) == (
        0,
        f"Season bootstrap: {least - 1}/{least - 1} games (need {least})",
    )


@pytest.mark.parametrize(
    ("expected", "category", "reason", "can_retry"),
    [
        (5, "EXPECTED_INCOMPLETE", "Season bootstrap: 5/5 games (need 10)", False),
        (9, "EXPECTED_INCOMPLETE", "Season bootstrap: 5/9 games (need 10)", False),
        (10, "INCOMPLETE_UPSTREAM", "Missing upstream data: 5/10 games (need 10)", True),
        (12, "INCOMPLETE_UPSTREAM", "Missing upstream data: 5/12 games (need 10)", True),
    ],
)
def test_five_games_are_few_of_few_or_few_of_many(expected: int, category: str, reason: str, can_retry: bool) -> None:
    record = failure(games(5), expectations(alternate_days(expected), rosters=[OPENING]))
    assert (record["failure_category"], record["failure_reason"], bool(record["can_retry"])) == (
        category,
        reason,
        can_retry,
    )
    assert (record["entity_id"], record["entity_type"], record["partition_date"]) == ("lebronjames", "PLAYER", TONIGHT)
    assert (record["expected_record_count"], record["actual_record_count"]) == (expected, 5)
    assert record["missing_game_ids"] == tuple(game_id(day, "LAL") for day in reversed(alternate_days(expected)[5:]))


def test_games_for_his_former_team_were_expected_too() -> None:
    """Six finals with Dallas, four of them played, and all four with Los Angeles: ten were expected, not four."""
    with_dallas = [days_ago(number) for number in (30, 32, 34, 36, 38, 40)]
    history = [*games(4), *(game(day, team="DAL") for day in with_dallas[:4])]
    there = of_teams({"LAL": alternate_days(4), "DAL": with_dallas, "BOS": with_dallas}, {"DAL": [OPENING]})
    record = failure(history, there)
    assert (record["failure_category"], record["failure_reason"]) == (
        "INCOMPLETE_UPSTREAM",
        "Missing upstream data: 8/10 games (need 10)",
    )


@pytest.mark.parametrize(
    ("rosters", "played", "box", "kind", "correctable"),
    [
        ([OPENING], (3, 4, 5, 6), (0, 1, 2), "DATA_GAP", True),
        ([OPENING], (3, 4, 5, 6), (), "PLAYER_DNP", False),
        ([OPENING], (3, 4, 5, 6), (1,), "MIXED", True),
        ([days_ago(6)], (), (0,), "INSUFFICIENT_HISTORY", False),
        ([OPENING], (0, 1, 2, 3, 4, 5, 6), (), "COMPLETE", False),
    ],
)
def test_kind_of_the_gap_of_the_last_two_weeks(
    rosters: list[np.datetime64], played: tuple[int, ...], box: tuple[int, ...], kind: str, correctable: bool
) -> None:
    """Seven finals in these two weeks, five before them; which of them have his row, and which his raw box score."""
    finals = alternate_days(12)
    history = [game(finals[place]) for place in played] or [game(days_ago(60))]
    record = failure(history, expectations(finals, rosters=rosters, box=[finals[place] for place in box]))
    assert (record["failure_type"], bool(record["is_correctable"])) == (kind, correctable)


def test_failures_and_rows_of_several_dates_keep_to_their_dates() -> None:
    days = [days_ago(2), TONIGHT]
    there = expectations(alternate_days(10))
    found = of_player(
        columns([requested(day) for day in days]), histories(games(10), there), Shared(READY, there.league)
    )
    assert found.rows["analysis_date"].tolist() == [TONIGHT.item()]
    (record,) = failure_rows(found)
    assert (record["partition_date"], record["failure_reason"]) == (days[0], "Season bootstrap: 9/9 games (need 10)")


def test_no_failures_are_no_records() -> None:
    assert dict(outcome(games(10)).failures) == {}


@pytest.mark.parametrize(
    ("missing", "pct", "ready"),
    [((), 100.0, True), ((4,), 90.0, True), ((4, 7), 80.0, False), ((12,), 100.0, True)],
    ids=["all there", "one of ten", "two of ten", "only an older one"],
)
def test_expected_are_the_last_ten_finals(missing: tuple[int, ...], pct: float, ready: bool) -> None:
    finals = alternate_days(16)
    history = [game(day) for place, day in enumerate(finals) if place not in missing]
    result = row(history, expectations(finals, rosters=[OPENING]))
    assert (result["completeness_percentage"], result["is_production_ready"]) == (pct, ready)
    assert (result["expected_games_count"], result["missing_games_count"]) == (10, 10 - pct / 10)


def test_a_game_he_sat_out_is_not_expected() -> None:
    finals = alternate_days(14)
    history = [game(day, **(SAT_OUT if place in (1, 3) else {})) for place, day in enumerate(finals)]
    result = row(history, expectations(finals, rosters=[OPENING]))
    assert (result["expected_games_count"], result["actual_games_count"], result["completeness_percentage"]) == (
        8,
        8,
        100.0,
    )


def test_more_games_than_the_window_are_no_more_than_all() -> None:
    result = row(games(25))
    assert (result["expected_games_count"], result["actual_games_count"], result["completeness_percentage"]) == (
        10,
        10,
        100.0,
    )


@pytest.mark.parametrize("excuse", ["is_bootstrap", "is_boundary"])
def test_an_exemption_makes_ready_but_hides_nothing(excuse: str) -> None:
    excused: Row = {excuse: 1}
    result = row(
        [game(day) for day in alternate_days(24)[::2]], expectations(alternate_days(24), rosters=[OPENING]), **excused
    )
    assert (result["completeness_percentage"], result["is_production_ready"]) == (50.0, True)
    assert (result["backfill_bootstrap_mode"], result["season_boundary_detected"]) == (
        excuse == "is_bootstrap",
        excuse == "is_boundary",
    )


def test_his_team_is_that_of_his_newest_sheet_row() -> None:
    """Traded, he has missed half of Dallas's games; of those of Los Angeles none, as he sat out the only one."""
    with_dallas = [days_ago(number) for number in range(11, 51, 2)]
    history = [game(day, team="DAL") for day in with_dallas[::2]]
    there = of_teams({"DAL": with_dallas, "LAL": alternate_days(5)}, {"DAL": [OPENING]})
    assert row(history, there)["completeness_percentage"] == 50.0
    result = row([*history, game(days_ago(1), **SAT_OUT)], there)
    assert (result["expected_games_count"], result["completeness_percentage"]) == (0, 100.0)


def test_lineage_lives_in_the_metadata() -> None:
    assert not [name for name in TABLE.column_names if name.startswith("source_") or name == "circuit_breaker_active"]
    assert set(outcome(games(10)).rows) | {"data_hash", "created_at", "processed_at", "reprocess_attempt_count"} == set(
        TABLE.column_names
    )


@st.composite
def drawn(draw: st.DrawFn) -> Row:
    """Anything that a game can say of his shots."""
    makes, missed = (draw(st.tuples(*[st.integers(0, 12)] * 3)) for _ in range(2))
    assisted = draw(st.integers(0, sum(makes)))
    shots: Row = {f"{zone}_makes": made for zone, made in zip(ZONES, makes, strict=True)}
    shots |= {
        f"{zone}_attempts": made + missed[place] for place, (zone, made) in enumerate(zip(ZONES, makes, strict=True))
    }
    shots |= {"fg_makes": sum(makes), "assisted_fg_makes": assisted, "unassisted_fg_makes": sum(makes) - assisted}
    return shots | draw(st.sampled_from([{}, {}, {}, NO_PLAY_BY_PLAY, SAT_OUT]))


@settings(max_examples=25)
@given(st.lists(drawn(), min_size=10, max_size=22), st.lists(drawn(), max_size=3))
def test_whatever_the_games_shares_sum_to_a_hundred_and_the_future_is_unseen(
    history: list[Row], future: list[Row]
) -> None:
    past = [game(day, **changes) for day, changes in zip(alternate_days(len(history)), history, strict=True)]
    to_come = [game(days_ago(-place), **changes) for place, changes in enumerate(future)]
    there = expectations(alternate_days(len(history)), rosters=[OPENING])
    found = outcome([*past, *to_come], there, days_into_season=9)
    assert blocking_findings(TABLE, found.rows) == []
    alone = outcome(past, there, days_into_season=9)
    assert (found.row_count, alone.row_count) in ((0, 0), (1, 1))
    for result, same in zip(stored(TABLE, found.rows), stored(TABLE, alone.rows), strict=True):
        assert result == same
        known = shares(result)
        assert (
            len({share is None for share in (*known, result["total_shots_last_10"], result["primary_scoring_zone"])})
            == 1
        )
        if known[0] is not None:
            assert sum(share for share in known if share is not None) == pytest.approx(100, abs=0.02)
            made = (result["assisted_rate_last_10"], result["unassisted_rate_last_10"])
            assert made == (None, None) or made[0] + made[1] == pytest.approx(100, abs=0.02)


def test_dates_together_and_one_by_one_are_the_same() -> None:
    days = [days_ago(number) for number in range(80, -1, -5)]
    history = [
        game(day, team="DAL" if place > 25 else "LAL", paint_attempts=5 + place % 7)
        for place, day in enumerate(alternate_days(38))
    ]
    there = of_teams({"LAL": alternate_days(40), "DAL": alternate_days(40)}, {"DAL": [OPENING]})
    given_days, past, shared = (
        columns([requested(day) for day in days]),
        histories(history[:-3:2], there),
        Shared(READY, there.league),
    )
    together = of_player(given_days, past, shared)
    rows, failures = one_by_one(TABLE, compute, given_days, past, shared)
    assert rows
    assert failures
    assert stored(TABLE, together.rows) == rows
    assert [str(record) for record in failure_rows(together)] == [str(record) for record in failures]


def test_requested_is_who_has_played_before_the_date_whether_he_plays_on_it_or_not() -> None:
    days = [days_ago(1), TONIGHT]
    finals = [scheduled(day, "LAL", "BOS") for day in (*alternate_days(20), TONIGHT)]
    sheet = [
        *games(20),
        *(game(day, player_lookup="rookie") for day in (days_ago(1), TONIGHT)),
        game(TONIGHT, player_lookup="newcomer"),
        *(game(day, player_lookup="injured", **SAT_OUT) for day in alternate_days(20)),
        *(game(LAST_SEASON - np.timedelta64(number, "D"), player_lookup="retired") for number in range(20)),
    ]
    rosters = [{"roster_date": OPENING, "season_year": 2024, "team_abbr": "LAL", "player_lookup": "rookie"}]
    box = [{"game_id": game_id(days_ago(3), "LAL"), "game_date": days_ago(3), "player_lookup": "rookie"}]
    tables = {SCHEDULE.table: finals, PLAYER_GAMES: sheet, ROSTERS.table: rosters, PLAYER_BOXSCORES.table: box}
    _, found = build(player_shot_zone_analysis, days, tables)
    assert list(zip(found.rows["player_lookup"].tolist(), found.rows["analysis_date"].tolist(), strict=True)) == [
        ("lebronjames", days[0].item()),
        ("lebronjames", TONIGHT.item()),
    ]
    (record,) = failure_rows(found)
    assert (record["entity_id"], record["partition_date"], record["actual_record_count"]) == ("rookie", TONIGHT, 1)
    assert record["failure_reason"].endswith("(need 10)")


def test_unknown_threes_are_no_paint_specialist() -> None:
    """The play-by-play knows the zones, the box score lacks the threes: no share is known."""
    result = row(games(10, three_pt_attempts=NAN, three_pt_makes=NAN))
    shares = ("paint_rate_last_10", "mid_range_rate_last_10", "three_pt_rate_last_10")
    assert [result[name] for name in (*shares, "primary_scoring_zone")] == [None] * 4
