"""Golden rows of player_composite_factors, each factor at its limits, its reasons and its readiness."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics import upcoming_player_game_context
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.analytics.upcoming_team_game_context import TABLE as TEAM_CONTEXT
from nba_assets.entities.outcomes import Outcome
from nba_assets.precompute import player_composite_factors
from nba_assets.precompute.player_composite_factors import (
    CONTEXT_COLUMNS,
    DEFERRED,
    TABLE,
    compute,
    fatigue_score,
    pace_score,
    usage_spike_score,
)
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.precompute.zones import ZONES
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.spec import Type
from nba_assets_tests.analytics.builders import NAN, columns
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.precompute.builders import (
    OPENING,
    READY,
    TONIGHT,
    Row,
    ascending,
    blocking_findings,
    build,
    built_rows,
    days_ago,
    expectations,
    game_id,
    one_by_one,
    scheduled,
    season_facts,
)
from nba_assets_tests.stored import stored


def requested(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    """A rested player of 28 who shoots in the paint, everything known and ready, nothing in his favour or against
    him.
    """
    return {
        "player_lookup": "lebronjames",
        "universal_player_id": "lebronjames_001",
        "game_date": day,
        "game_id": "20250120_LAL_BOS",
        "days_rest": 2,
        "back_to_back": 0,
        "games_in_last_7_days": 3,
        "minutes_in_last_7_days": 175,
        "avg_minutes_per_game_last_7": 29.2,
        "back_to_backs_last_14_days": 0,
        "player_age": 28,
        "projected_usage_rate": 25.0,
        "avg_usage_rate_last_7_games": 25.0,
        "star_teammates_out": 0,
        "pace_differential": 0.0,
        "opponent_pace_last_10": 99.5,
        "primary_scoring_zone": "paint",
        "paint_rate_last_10": 65.0,
        "mid_range_rate_last_10": 15.0,
        "three_pt_rate_last_10": 20.0,
        "weakest_zone": "paint",
        "paint_defense_vs_league_avg": 0.0,
        "mid_range_defense_vs_league_avg": 0.0,
        "three_pt_defense_vs_league_avg": 0.0,
        "has_shot_zones": 1,
        "has_zone_defense": 1,
        "l10_expected_games": 10,
        "l10_actual_games": 10,
        "season_boundary_detected": 0,
        "backfill_bootstrap_mode": 0,
        "upstream_player_shot_ready": 1,
        "upstream_team_defense_ready": 1,
        "upstream_player_context_ready": 1,
        "upstream_team_context_ready": 1,
        **changes,
    }


FATIGUE_INPUTS = (
    "days_rest",
    "back_to_back",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
)
EXHAUSTED = dict(zip(FATIGUE_INPUTS, (0, 1, 4, 250, 36.5, 2, 35), strict=True))
NO_SHOT_ZONES: Row = {
    "has_shot_zones": 0,
    "primary_scoring_zone": None,
    **{f"{zone}_rate_last_10": NAN for zone in ZONES},
}
NO_ZONE_DEFENSE: Row = {
    "has_zone_defense": 0,
    "weakest_zone": None,
    **{f"{zone}_defense_vs_league_avg": NAN for zone in ZONES},
}


def outcome(**changes: Any) -> Outcome:
    return alone(compute)(columns([requested(**changes)]), {}, READY)


def row(**changes: Any) -> Row:
    return stored(TABLE, outcome(**changes).rows)[0]


def mismatch(zone: str | None, rate: float, defense: float) -> float:
    """The unrounded score of a player with this share of his shots in his zone, against this defence there."""
    name = {"perimeter": "three_pt", "mid_range": "mid_range"}.get(zone or "", "paint")
    score: float = outcome(
        primary_scoring_zone=zone, **{f"{name}_rate_last_10": rate, f"{name}_defense_vs_league_avg": defense}
    ).rows["shot_zone_mismatch_score"][0]
    return score


def context(name: str, **changes: Any) -> Row:
    """One of the four JSON objects."""
    told: Row = json.loads(row(**changes)[f"{name}_context_json"])
    return told


@pytest.mark.parametrize(
    ("inputs", "score"),
    [
        ((2, 0, 3, 175, 29.2, 0, 28), 100),
        ((0, 1, 4, 250, 36.5, 2, 35), 35),
        ((1, 0, 3, 250, 35.0, 0, 28), 90),
        ((1, 0, 3, 200, 33.3, 0, 25), 100),
        ((1, 0, 3, 200, 33.3, 0, 35), 90),
        ((5, 0, 2, 100, 20.0, 0, 22), 100),
        ((0, 1, 5, 300, 40.0, 3, 38), 35),
        ((1, NAN, NAN, NAN, NAN, NAN, NAN), 100),
        ((1, 0, 3, 190, 31.7, 0, 32), 95),
        ((NAN,) * 7, 100),
    ],
)
def test_fatigue_of_golden_cases(inputs: tuple[float, ...], score: int) -> None:
    assert row(**dict(zip(FATIGUE_INPUTS, inputs, strict=True)))["fatigue_score"] == score


@pytest.mark.parametrize(
    ("changes", "score", "penalties"),
    [
        ({"back_to_back": 1, "days_rest": 1}, 85, ["back_to_back: -15"]),
        ({"back_to_back": 0, "days_rest": 1}, 100, []),
        ({"games_in_last_7_days": 3}, 100, []),
        ({"games_in_last_7_days": 4}, 90, ["frequent_games: -10"]),
        ({"games_in_last_7_days": 5}, 90, ["frequent_games: -10"]),
        ({"minutes_in_last_7_days": 240}, 100, []),
        ({"minutes_in_last_7_days": 241}, 90, ["heavy_minutes: -10"]),
        ({"avg_minutes_per_game_last_7": 35.0}, 100, []),
        ({"avg_minutes_per_game_last_7": 35.1}, 92, ["high_avg_minutes: -8"]),
        ({"back_to_backs_last_14_days": 1}, 95, ["recent_back_to_backs: -5"]),
        ({"back_to_backs_last_14_days": 2}, 88, ["recent_back_to_backs: -12"]),
        ({"back_to_backs_last_14_days": 3}, 88, ["recent_back_to_backs: -12"]),
        ({"player_age": 29}, 100, []),
        ({"player_age": 30}, 95, ["veteran_age: -5"]),
        ({"player_age": 34}, 95, ["veteran_age: -5"]),
        ({"player_age": 35}, 90, ["veteran_age: -10"]),
    ],
)
def test_each_circumstance_alone_costs_what_it_says(changes: Row, score: int, penalties: list[str]) -> None:
    told = context("fatigue", **changes)
    assert (row(**changes)["fatigue_score"], told["final_score"]) == (score, score)
    assert (told["penalties_applied"], told["bonuses_applied"]) == (penalties, [])


def test_penalties_are_listed_in_order_and_none_is_left_out() -> None:
    told = context("fatigue", **EXHAUSTED)
    assert told["penalties_applied"] == [
        "back_to_back: -15",
        "frequent_games: -10",
        "heavy_minutes: -10",
        "high_avg_minutes: -8",
        "recent_back_to_backs: -12",
        "veteran_age: -10",
    ]


@pytest.mark.parametrize(
    ("days_rest", "back_to_back", "age", "score", "bonuses"),
    [
        (2, 0, 30, 95, []),
        (3, 0, 30, 100, ["extra_rest: +5"]),
        (3, 0, 35, 95, ["extra_rest: +5"]),
        (3, 0, 25, 100, ["extra_rest: +5"]),
        (3, 1, 25, 85, []),
        (NAN, 0, 30, 95, []),
    ],
)
def test_extra_rest_makes_up_for_something_but_not_for_a_back_to_back(
    days_rest: float, back_to_back: int, age: int, score: int, bonuses: list[str]
) -> None:
    changes: Row = {"days_rest": days_rest, "back_to_back": back_to_back, "player_age": age}
    assert row(**changes)["fatigue_score"] == score
    assert context("fatigue", **changes)["bonuses_applied"] == bonuses


@pytest.mark.parametrize(
    ("changes", "score", "total"),
    [({}, 100, 0.0), ({"back_to_back": 1, "back_to_backs_last_14_days": 1}, 80, -1.0), (EXHAUSTED, 35, -3.25)],
)
def test_fatigue_is_stored_as_score_and_counts_as_adjustment(changes: Row, score: int, total: float) -> None:
    result = row(**changes)
    assert (result["fatigue_score"], result["total_composite_adjustment"]) == (score, total)


@pytest.mark.parametrize("score", [-3.0, 101.0])
def test_a_fatigue_score_out_of_range_refuses_the_write(score: float) -> None:
    rows = dict(outcome().rows)
    assert blocking_findings(TABLE, rows) == []
    (finding,) = blocking_findings(TABLE, rows | {"fatigue_score": np.array([score])})
    assert "fatigue_score" in finding.examples[0]


def test_a_fatigue_adjustment_in_place_of_the_score_cannot_be_written() -> None:
    rows = dict(outcome().rows) | {"fatigue_score": np.array([-3.25])}
    with pytest.raises(ValueError, match="fatigue_score"):
        blocking_findings(TABLE, rows)


def test_fatigue_json_holds_the_inputs_as_they_are() -> None:
    assert context("fatigue") == {
        "days_rest": 2,
        "back_to_back": False,
        "games_last_7": 3,
        "minutes_last_7": 175,
        "avg_minutes_pg_last_7": 29.2,
        "back_to_backs_last_14": 0,
        "player_age": 28,
        "penalties_applied": [],
        "bonuses_applied": [],
        "final_score": 100,
    }


def test_unknown_inputs_of_fatigue_are_null_and_cost_nothing() -> None:
    told = context("fatigue", **dict.fromkeys(FATIGUE_INPUTS, NAN))
    unknown = (
        "days_rest",
        "games_last_7",
        "minutes_last_7",
        "avg_minutes_pg_last_7",
        "back_to_backs_last_14",
        "player_age",
    )
    assert [told[name] for name in unknown] == [None] * 6
    assert (told["back_to_back"], told["penalties_applied"], told["final_score"]) == (False, [], 100)


@pytest.mark.parametrize(
    ("zone", "rate", "defense", "score"),
    [
        ("paint", 65, 4.3, 4.3),
        ("paint", 65, -3.8, -3.8),
        ("paint", 70, 6.0, 7.2),
        ("paint", 25, 4.0, 2.0),
        ("perimeter", 65, 3.5, 3.5),
        ("paint", 80, 15.0, 10.0),
        ("mid_range", 45, 2.1, 1.89),
        ("paint", 70, -6.0, -7.2),
        ("paint", 80, -15.0, -10.0),
    ],
)
def test_mismatch_of_golden_cases(zone: str, rate: float, defense: float, score: float) -> None:
    assert mismatch(zone, rate, defense) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "defense", "score"),
    [
        (50, 5.0, 5.0),
        (50, 5.01, 6.012),
        (50, -5.0, -5.0),
        (50, -5.01, -6.012),
        (25, 10.0, 5.0),
        (49.99, 4.0, 3.9992),
        (50.01, 4.0, 4.0),
        (50, 8.33, 9.996),
        (50, 8.34, 10.0),
        (50, -8.34, -10.0),
        (0, 15.0, 0.0),
        (NAN, 4.0, 4.0),
        (25, NAN, 0.0),
    ],
)
def test_mismatch_beside_its_limits(rate: float, defense: float, score: float) -> None:
    """A multiple beyond 5, not at it; a full share from 50 on; an unknown share counts in full, an unknown defence
    nothing.
    """
    assert mismatch("paint", rate, defense) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize("missing", [NO_SHOT_ZONES, NO_ZONE_DEFENSE, NO_SHOT_ZONES | NO_ZONE_DEFENSE])
def test_a_missing_row_is_no_mismatch(missing: Row) -> None:
    result = row(**({"paint_defense_vs_league_avg": 6.0} | missing))
    assert (result["shot_zone_mismatch_score"], result["total_composite_adjustment"]) == (0.0, 0.0)
    assert json.loads(result["shot_zone_context_json"]) == {"missing_data": True}


@pytest.mark.parametrize("flag", ["has_shot_zones", "has_zone_defense"])
def test_a_row_that_is_not_there_counts_nothing_even_where_figures_are(flag: str) -> None:
    assert row(**{flag: 0}, paint_defense_vs_league_avg=6.0)["shot_zone_mismatch_score"] == 0.0


@pytest.mark.parametrize(("zone", "told"), [("balanced", "balanced"), (None, None)])
def test_balanced_and_unknown_zones_are_scored_as_paint_and_recorded_as_they_are(
    zone: str | None, told: str | None
) -> None:
    changes: Row = {"primary_scoring_zone": zone, "paint_rate_last_10": 30.0, "paint_defense_vs_league_avg": 4.0}
    changes |= {"three_pt_defense_vs_league_avg": -9.0, "mid_range_defense_vs_league_avg": -9.0}
    assert row(**changes)["shot_zone_mismatch_score"] == 2.4
    found = context("shot_zone", **changes)
    assert (found["player_primary_zone"], found["primary_zone_frequency"], found["opponent_defense_vs_league"]) == (
        told,
        30.0,
        4.0,
    )


@pytest.mark.parametrize(
    ("zone", "rate", "defense"), [("paint", 65.0, 1.0), ("mid_range", 15.0, 2.0), ("perimeter", 20.0, 3.0)]
)
def test_zone_json_tells_of_the_primary_zone(zone: str, rate: float, defense: float) -> None:
    changes: Row = {
        "paint_defense_vs_league_avg": 1.0,
        "mid_range_defense_vs_league_avg": 2.0,
        "three_pt_defense_vs_league_avg": 3.0,
    }
    assert context("shot_zone", primary_scoring_zone=zone, weakest_zone="perimeter", **changes) == {
        "player_primary_zone": zone,
        "primary_zone_frequency": rate,
        "opponent_weak_zone": "perimeter",
        "opponent_defense_vs_league": defense,
        "mismatch_type": "neutral",
        "final_score": {"paint": 1.0, "mid_range": 0.6, "perimeter": 1.2}[zone],
    }


def test_unknown_zones_of_rows_that_are_there_are_null() -> None:
    unknown = {
        "primary_scoring_zone": None,
        "weakest_zone": None,
        "paint_rate_last_10": NAN,
        "paint_defense_vs_league_avg": NAN,
    }
    told = context("shot_zone", **unknown)
    names = ("player_primary_zone", "primary_zone_frequency", "opponent_weak_zone", "opponent_defense_vs_league")
    assert [told[name] for name in names] == [None] * 4
    assert told["final_score"] == 0.0


@pytest.mark.parametrize(
    ("rate", "defense", "kind", "score"),
    [
        (50, 2.0, "neutral", 2.0),
        (50, 2.01, "favorable", 2.0),
        (50, -2.0, "neutral", -2.0),
        (50, -2.01, "unfavorable", -2.0),
        (49, 2.08, "favorable", 2.0),
    ],
)
def test_kind_of_mismatch_goes_by_the_unrounded_score(rate: float, defense: float, kind: str, score: float) -> None:
    told = context("shot_zone", paint_rate_last_10=rate, paint_defense_vs_league_avg=defense)
    assert (told["mismatch_type"], told["final_score"]) == (kind, score)


@pytest.mark.parametrize(
    ("differential", "score"),
    [
        (3.5, 1.75),
        (-4.0, -2.0),
        (0.0, 0.0),
        (10.0, 3.0),
        (-10.0, -3.0),
        (NAN, 0.0),
        (6.0, 3.0),
        (5.9, 2.95),
        (6.1, 3.0),
        (-6.1, -3.0),
    ],
)
def test_pace_score_is_half_the_difference_within_three(differential: float, score: float) -> None:
    assert pace_score(np.array([differential])).tolist() == [score]


@pytest.mark.parametrize(
    ("differential", "stored_score"), [(3.5, 1.8), (0.5, 0.2), (0.7, 0.4), (-0.5, -0.2), (-0.1, 0.0)]
)
def test_half_of_the_pace_scores_are_ties_and_go_to_the_even_tenth(differential: float, stored_score: float) -> None:
    result = row(pace_differential=differential)
    assert (result["pace_score"], json.loads(result["pace_context_json"])["final_score"]) == (
        stored_score,
        stored_score,
    )
    assert not np.signbit(result["pace_score"]) or stored_score < 0
    assert "-0.0" not in result["pace_context_json"]


@pytest.mark.parametrize(
    ("differential", "environment"),
    [(2.0, "normal"), (2.1, "fast"), (-2.0, "normal"), (-2.1, "slow"), (NAN, "normal")],
)
def test_pace_environment_goes_by_the_difference(differential: float, environment: str) -> None:
    assert context("pace", pace_differential=differential)["pace_environment"] == environment


def test_pace_json_has_no_default_for_an_unknown_pace() -> None:
    assert context("pace", pace_differential=NAN, opponent_pace_last_10=NAN) == {
        "pace_differential": None,
        "opponent_pace_last_10": None,
        "league_avg_pace": 100.0,
        "pace_environment": "normal",
        "final_score": 0.0,
    }
    assert context("pace", pace_differential=-4.0)["opponent_pace_last_10"] == 99.5


@pytest.mark.parametrize(
    ("projected", "recent", "stars", "score"),
    [
        (26, 25, 0, 0.3),
        (20, 25, 0, -1.5),
        (30, 25, 1, 1.725),
        (30, 25, 2, 1.95),
        (30, 25, 3, 1.95),
        (30, 25, NAN, 1.5),
        (20, 25, 2, -1.5),
        (25, 0, 0, 0),
        (50, 20, 0, 3.0),
        (10, 40, 0, -3.0),
        (25, 25, 2, 0),
    ],
)
def test_usage_spike_of_golden_cases(projected: float, recent: float, stars: float, score: float) -> None:
    found = usage_spike_score(np.array([float(projected)]), np.array([float(recent)]), np.array([float(stars)]))
    assert found[0] == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(("projected", "recent"), [(NAN, 15.0), (35.0, NAN), (NAN, NAN), (NAN, 0.0)])
def test_unknown_usage_is_no_spike(projected: float, recent: float) -> None:
    result = row(projected_usage_rate=projected, avg_usage_rate_last_7_games=recent, star_teammates_out=2)
    assert (result["usage_spike_score"], result["total_composite_adjustment"]) == (0.0, 0.0)
    told = json.loads(result["usage_context_json"])
    assert (told["usage_differential"], told["usage_trend"], told["final_score"]) == (None, "stable", 0.0)


@pytest.mark.parametrize(
    ("projected", "recent", "difference", "trend"),
    [
        (30.1, 28.1, 2.0, "stable"),
        (30.2, 28.1, 2.1, "spike"),
        (28.1, 30.1, -2.0, "stable"),
        (28.1, 30.2, -2.1, "drop"),
        (25.0, 0.0, 25.0, "spike"),
    ],
)
def test_usage_trend_goes_by_the_difference_in_tenths(
    projected: float, recent: float, difference: float, trend: str
) -> None:
    """30.1 - 28.1 is more than 2 in floats, and is not."""
    told = context("usage", projected_usage_rate=projected, avg_usage_rate_last_7_games=recent)
    assert (told["usage_differential"], told["usage_trend"]) == (difference, trend)


def test_usage_json_holds_the_inputs_as_they_are() -> None:
    assert context("usage", projected_usage_rate=30.0, star_teammates_out=1) == {
        "projected_usage_rate": 30.0,
        "avg_usage_last_7": 25.0,
        "usage_differential": 5.0,
        "star_teammates_out": 1,
        "usage_trend": "spike",
        "final_score": 1.7,
    }
    assert context("usage", star_teammates_out=NAN)["star_teammates_out"] is None


def test_keys_of_the_contexts_come_in_their_order() -> None:
    result = row()
    assert list(json.loads(result["fatigue_context_json"])) == [
        "days_rest",
        "back_to_back",
        "games_last_7",
        "minutes_last_7",
        "avg_minutes_pg_last_7",
        "back_to_backs_last_14",
        "player_age",
        "penalties_applied",
        "bonuses_applied",
        "final_score",
    ]
    assert list(json.loads(result["shot_zone_context_json"])) == [
        "player_primary_zone",
        "primary_zone_frequency",
        "opponent_weak_zone",
        "opponent_defense_vs_league",
        "mismatch_type",
        "final_score",
    ]
    assert list(json.loads(result["pace_context_json"])) == [
        "pace_differential",
        "opponent_pace_last_10",
        "league_avg_pace",
        "pace_environment",
        "final_score",
    ]
    assert list(json.loads(result["usage_context_json"])) == [
        "projected_usage_rate",
        "avg_usage_last_7",
        "usage_differential",
        "star_teammates_out",
        "usage_trend",
        "final_score",
    ]


def test_whole_numbers_are_whole_numbers_in_the_contexts() -> None:
    told = context("fatigue")
    wholes = ("days_rest", "games_last_7", "minutes_last_7", "back_to_backs_last_14", "player_age", "final_score")
    assert {type(told[name]) for name in wholes} == {int}
    assert type(context("usage")["star_teammates_out"]) is int


E2: Row = {
    **dict(zip(FATIGUE_INPUTS, (1, 0, 3, 190, 31.7, 0, 32), strict=True)),
    **{"primary_scoring_zone": "perimeter", "three_pt_rate_last_10": 65.0, "three_pt_defense_vs_league_avg": -3.2},
    **{
        "pace_differential": 4.0,
        "projected_usage_rate": 28.5,
        "avg_usage_rate_last_7_games": 27.0,
        "star_teammates_out": 1,
    },
}
E3: Row = {
    **EXHAUSTED,
    **{"primary_scoring_zone": "mid_range", "mid_range_rate_last_10": 45.0, "mid_range_defense_vs_league_avg": 2.1},
    **{
        "pace_differential": -2.0,
        "projected_usage_rate": 30.0,
        "avg_usage_rate_last_7_games": 28.0,
        "star_teammates_out": 2,
    },
}


@pytest.mark.parametrize(
    ("changes", "fatigue", "scores", "total", "warning"),
    [
        (
            {"paint_defense_vs_league_avg": 4.3, "pace_differential": 3.5, "projected_usage_rate": 26.0},
            100,
            (4.3, 1.8, 0.3),
            6.35,
            None,
        ),
        (E2, 95, (-3.2, 2.0, 0.5), -0.93, None),
        (E3, 35, (1.9, -1.0, 0.8), -1.58, "EXTREME_FATIGUE: Player showing severe fatigue"),
    ],
    ids=["rested", "tired perimeter", "exhausted mid-range"],
)
def test_whole_rows(changes: Row, fatigue: int, scores: tuple[float, ...], total: float, warning: str | None) -> None:
    result = row(**changes)
    assert result["fatigue_score"] == fatigue
    assert (result["shot_zone_mismatch_score"], result["pace_score"], result["usage_spike_score"]) == scores
    assert result["total_composite_adjustment"] == total
    assert (result["has_warnings"], result["warning_details"]) == (warning is not None, warning)
    assert (result["calculation_version"], result["analysis_date"]) == ("v1_4factors", TONIGHT.item())


def test_the_total_adds_what_is_not_yet_rounded() -> None:
    """1.75 and 0.5175 are stored as 1.8 and 0.5; together they are 2.27, not 2.3."""
    changes: Row = {
        "pace_differential": 3.5,
        "projected_usage_rate": 28.5,
        "avg_usage_rate_last_7_games": 27.0,
        "star_teammates_out": 1,
    }
    result = row(**changes)
    assert (result["pace_score"], result["usage_spike_score"], result["total_composite_adjustment"]) == (1.8, 0.5, 2.27)


def test_deferred_factors_are_zero_and_count_nothing() -> None:
    result = row(**E3)
    assert [result[name] for name in DEFERRED] == [0.0] * 4
    assert DEFERRED == (
        "referee_favorability_score",
        "look_ahead_pressure_score",
        "travel_impact_score",
        "opponent_strength_score",
    )


FATIGUE_WARNING = "EXTREME_FATIGUE: Player showing severe fatigue"
MATCHUP_WARNING = "EXTREME_MATCHUP: Unusual zone mismatch"
ADJUSTMENT_WARNING = "EXTREME_ADJUSTMENT: Very large composite adjustment"
FIFTY = dict(zip(FATIGUE_INPUTS, (1, 1, 4, 250, 30, 1, 35), strict=True))
FORTY_EIGHT = FIFTY | {"back_to_backs_last_14_days": 2, "player_age": 30}
USAGE_OF_THREE: Row = {"projected_usage_rate": 35.0}


def against(defense: float, rate: float = 50.0, **changes: Any) -> Row:
    return {"paint_rate_last_10": rate, "paint_defense_vs_league_avg": defense, **changes}


@pytest.mark.parametrize(
    ("changes", "stored_scores", "warnings"),
    [
        (FIFTY, (50, 0.0, -2.5), []),
        (FORTY_EIGHT, (48, 0.0, -2.6), [FATIGUE_WARNING]),
        (against(2.0, **FORTY_EIGHT), (48, 2.0, -0.6), [FATIGUE_WARNING]),
        (against(7.5), (100, 9.0, 9.0), [MATCHUP_WARNING]),
        (against(6.66), (100, 8.0, 7.99), []),
        (against(6.69), (100, 8.0, 8.03), [MATCHUP_WARNING]),
        (against(-6.69), (100, -8.0, -8.03), [MATCHUP_WARNING]),
        (against(6.25, pace_differential=6.0, **USAGE_OF_THREE), (100, 7.5, 13.5), [ADJUSTMENT_WARNING]),
        (against(15.0, pace_differential=4.0), (100, 10.0, 12.0), [MATCHUP_WARNING]),
        (against(15.0, pace_differential=4.1), (100, 10.0, 12.05), [MATCHUP_WARNING, ADJUSTMENT_WARNING]),
        (against(-15.0, pace_differential=-4.0), (100, -10.0, -12.0), [MATCHUP_WARNING]),
        (against(-15.0, pace_differential=-4.1), (100, -10.0, -12.05), [MATCHUP_WARNING, ADJUSTMENT_WARNING]),
        (against(8.35, 44.93, pace_differential=6.0), (100, 9.0, 12.0), [MATCHUP_WARNING, ADJUSTMENT_WARNING]),
        (
            against(-15.0, pace_differential=-6.0, **EXHAUSTED),
            (35, -10.0, -16.25),
            [FATIGUE_WARNING, MATCHUP_WARNING, ADJUSTMENT_WARNING],
        ),
        (against(4.0, pace_differential=2.0), (100, 4.0, 5.0), []),
    ],
)
def test_warnings_are_of_unrounded_values_beyond_their_limits(
    changes: Row, stored_scores: tuple[float, float, float], warnings: list[str]
) -> None:
    result = row(**changes)
    assert (
        result["fatigue_score"],
        result["shot_zone_mismatch_score"],
        result["total_composite_adjustment"],
    ) == stored_scores
    assert (result["has_warnings"], result["warning_details"]) == (bool(warnings), "; ".join(warnings) or None)


@pytest.mark.parametrize(
    ("changes", "pct", "missing"),
    [
        ({}, 100.0, None),
        (NO_SHOT_ZONES | NO_ZONE_DEFENSE, 60.0, "player_shot_zone, team_defense_zone"),
        ({"days_rest": NAN}, 80.0, "days_rest"),
        ({"projected_usage_rate": NAN}, 80.0, "projected_usage_rate"),
        ({"pace_differential": NAN}, 80.0, "pace_differential"),
        (NO_SHOT_ZONES, 80.0, "player_shot_zone"),
        (NO_ZONE_DEFENSE, 80.0, "team_defense_zone"),
        ({"player_age": NAN, "avg_usage_rate_last_7_games": NAN, "paint_rate_last_10": NAN}, 100.0, None),
        (
            {"days_rest": NAN, "projected_usage_rate": NAN, "pace_differential": NAN} | NO_SHOT_ZONES | NO_ZONE_DEFENSE,
            0.0,
            "days_rest, projected_usage_rate, pace_differential, player_shot_zone, team_defense_zone",
        ),
    ],
)
def test_each_of_five_inputs_is_a_fifth_of_completeness(changes: Row, pct: float, missing: str | None) -> None:
    result = row(**changes)
    assert (result["data_completeness_pct"], result["missing_data_fields"]) == (pct, missing)


@pytest.mark.parametrize(
    "change",
    [
        {"days_rest": 5, "player_age": 31},
        {"back_to_back": 1},
        {"avg_usage_rate_last_7_games": 22.0},
        {"projected_usage_rate": 28.0},
        {"star_teammates_out": 1, "projected_usage_rate": 28.0},
        {"pace_differential": 3.0},
        {"opponent_pace_last_10": 101.5},
        {"player_age": 36},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_of_the_context_reaches_the_row(change: Row) -> None:
    assert row(**change) != row()


UPSTREAM = {
    "upstream_player_shot_ready": "upstream_player_shot_zone_incomplete",
    "upstream_team_defense_ready": "upstream_team_defense_zone_incomplete",
    "upstream_player_context_ready": "upstream_player_context_incomplete",
    "upstream_team_context_ready": "upstream_team_context_incomplete",
}


def test_everything_ready_has_no_issues() -> None:
    result = row()
    assert [result[name] for name in (*UPSTREAM, "all_upstreams_ready", "is_production_ready")] == [True] * 6
    assert result["data_quality_issues"] == []


@pytest.mark.parametrize("value", [0, NAN], ids=["not ready", "no row"])
@pytest.mark.parametrize(("flag", "issue"), UPSTREAM.items())
def test_each_upstream_that_is_not_ready_or_not_there_makes_the_row_not_ready(
    flag: str, issue: str, value: float
) -> None:
    result = row(**{flag: value})
    assert [name for name in UPSTREAM if not result[name]] == [flag]
    assert (result["all_upstreams_ready"], result["is_production_ready"], result["data_quality_issues"]) == (
        False,
        False,
        [issue],
    )


def test_issues_come_in_their_order() -> None:
    result = row(l10_actual_games=5, **dict.fromkeys(UPSTREAM, 0))
    assert result["data_quality_issues"] == ["own_data_incomplete", *UPSTREAM.values()]


@pytest.mark.parametrize(
    ("changes", "pct", "ready"),
    [
        ({"l10_actual_games": 9}, 90.0, True),
        ({"l10_actual_games": 8}, 80.0, False),
        ({"l10_actual_games": 8, "backfill_bootstrap_mode": 1}, 80.0, True),
        ({"l10_actual_games": 8, "season_boundary_detected": 1}, 80.0, True),
        ({"l10_expected_games": 0, "l10_actual_games": 0}, 100.0, True),
    ],
)
def test_own_readiness_is_that_of_the_ten_game_window_or_is_excused(changes: Row, pct: float, ready: bool) -> None:
    result = row(**changes)
    expected, actual = changes.get("l10_expected_games", 10), changes["l10_actual_games"]
    assert (result["expected_games_count"], result["actual_games_count"], result["missing_games_count"]) == (
        expected,
        actual,
        expected - actual,
    )
    assert (result["completeness_percentage"], result["is_production_ready"]) == (pct, ready)
    assert result["data_quality_issues"] == ([] if ready else ["own_data_incomplete"])
    assert result["all_upstreams_ready"] is True


@pytest.mark.parametrize("excuse", ["backfill_bootstrap_mode", "season_boundary_detected"])
def test_an_exemption_is_for_own_windows_and_not_for_upstreams(excuse: str) -> None:
    result = row(**{excuse: 1}, upstream_team_context_ready=0)
    assert (result["is_production_ready"], result[excuse]) == (False, True)


def test_lineage_lives_in_the_metadata() -> None:
    left_out = ("circuit_breaker_active", "early_season_flag", "insufficient_data_reason")
    assert not [name for name in TABLE.column_names if name.startswith("source_") or name in left_out]
    assert set(outcome().rows) | {"data_hash", "created_at", "processed_at", "reprocess_attempt_count"} == set(
        TABLE.column_names
    )


def maybe(values: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.one_of(st.just(NAN), values)


shares = maybe(st.integers(0, 10_000).map(lambda value: value / 100))
differences = maybe(st.integers(-6_000, 6_000).map(lambda value: value / 100))
rates = maybe(st.integers(0, 1_000).map(lambda value: value / 10))
flags = st.sampled_from([0.0, 1.0])
drawn = st.fixed_dictionaries(
    {
        "days_rest": maybe(st.integers(1, 200).map(float)),
        "back_to_back": flags,
        "games_in_last_7_days": maybe(st.integers(0, 6).map(float)),
        "minutes_in_last_7_days": maybe(st.integers(0, 400).map(float)),
        "avg_minutes_per_game_last_7": maybe(st.integers(0, 580).map(lambda value: value / 10)),
        "back_to_backs_last_14_days": maybe(st.integers(0, 6).map(float)),
        "player_age": maybe(st.integers(18, 45).map(float)),
        "projected_usage_rate": rates,
        "avg_usage_rate_last_7_games": rates,
        "star_teammates_out": maybe(st.integers(0, 4).map(float)),
        "pace_differential": maybe(st.integers(-300, 300).map(lambda value: value / 10)),
        "primary_scoring_zone": st.sampled_from(["paint", "mid_range", "perimeter", "balanced", None]),
        **{f"{zone}_rate_last_10": shares for zone in ZONES},
        **{f"{zone}_defense_vs_league_avg": differences for zone in ZONES},
        "has_shot_zones": flags,
        "has_zone_defense": flags,
        **{name: st.one_of(flags, st.just(NAN)) for name in UPSTREAM},
    }
)


@settings(max_examples=30)
@given(st.lists(drawn, min_size=1, max_size=6))
def test_scores_stay_within_their_ranges_and_rows_do_not_depend_on_each_other(inputs: list[Row]) -> None:
    table = columns([requested(days_ago(len(inputs) - place), **changes) for place, changes in enumerate(inputs)])
    together = alone(compute)(table, {}, READY)
    assert blocking_findings(TABLE, together.rows) == []
    scores = together.rows
    assert (scores["fatigue_score"] >= 35).all()
    assert (scores["fatigue_score"] <= 100).all()
    assert (scores["total_composite_adjustment"] >= -21).all()
    assert (scores["total_composite_adjustment"] <= 16).all()
    assert one_by_one(TABLE, compute, table, {}, READY) == (stored(TABLE, scores), [])
    missing = [len((names or "").split(", ")) if names else 0 for names in scores["missing_data_fields"]]
    assert scores["data_completeness_pct"].tolist() == [100 - 20 * number for number in missing]


@settings(max_examples=50)
@given(drawn)
def test_the_penalties_that_are_listed_are_the_ones_that_count(inputs: Row) -> None:
    told = context("fatigue", **inputs)
    numbers = [int(text.rsplit(": ")[1]) for text in (*told["penalties_applied"], *told["bonuses_applied"])]
    assert told["final_score"] == min(100 + sum(numbers), 100)
    assert fatigue_score(columns([requested(**inputs)])).score.tolist() == [told["final_score"]]


def context_after(*ages: int, **changes: Any) -> Row:
    """What his context says tonight, computed by its own table, of a player who played so many days ago."""
    blanks = {Type.STRING: None, Type.DATE: np.datetime64("NaT", "D")}
    known = {
        "player_lookup": "lebronjames",
        "game_id": "20250120_LAL_BOS",
        "game_date": TONIGHT,
        "team_abbr": "LAL",
        "opponent_team_abbr": OPPONENT,
    }
    counts = dict.fromkeys(
        (
            "has_prop_line",
            "home_game",
            "consecutive_road_games",
            "miles_traveled_last_14_days",
            "time_zones_crossed_last_14_days",
        ),
        0,
    )
    facts = {"date_has_reports": 1, "date_has_props": 1, "roster_date": TONIGHT, "season_phase": "mid", "book_count": 3}
    blank = {name: blanks.get(PLAYER_CONTEXT.column(name).type, NAN) for name in upcoming_player_game_context.COPIED}
    played = [
        {
            "player_lookup": "lebronjames",
            "game_id": game_id(days_ago(age), "LAL"),
            "game_date": days_ago(age),
            "team_abbr": "LAL",
            "is_dnp": 0,
            "points": 20,
            "minutes_played": 36.0,
            "usage_rate": 25.0,
            "fg_makes": 8,
            "fg_attempts": 16,
            **{name: values[place] for name, values in changes.items()},
        }
        for place, age in enumerate(ages)
    ]
    sheet = ascending(played, played[0])
    shared = upcoming_player_game_context.Shared(READY, expectations([days_ago(age) for age in ages]).league)
    inputs = columns([blank | known | counts | facts | season_facts() | {"next_opponent_lost": 0}])
    roster = {"team_abbr": np.array([], dtype=object), "roster_date": np.array([], dtype="M8[D]")}
    besides = {"game_date": np.array([], dtype="M8[D]"), "minutes_played": np.array([])}
    histories = {"sheet": sheet, "besides": besides, "roster": roster}
    found = stored(PLAYER_CONTEXT, alone(upcoming_player_game_context.compute)(inputs, histories, shared).rows)[0]
    return {
        name: NAN if found[name] is None else found[name]
        for name in requested()
        if name in found and isinstance(requested()[name], (int, float))
    }


def test_playing_yesterday_is_a_back_to_back() -> None:
    assert context("fatigue", **context_after(1, 4))["penalties_applied"] == [
        "back_to_back: -15",
        "high_avg_minutes: -8",
    ]
    assert context("fatigue", **context_after(2, 4))["penalties_applied"] == ["high_avg_minutes: -8"]


def test_a_game_a_week_ago_is_out_of_the_seven_days() -> None:
    assert "frequent_games: -10" not in context("fatigue", **context_after(2, 4, 6, 7))["penalties_applied"]
    assert "frequent_games: -10" in context("fatigue", **context_after(1, 2, 4, 6))["penalties_applied"]


def test_a_rising_role_is_a_spike_from_his_games_on() -> None:
    result = row(**context_after(*range(1, 15, 2), usage_rate=[30.0] * 3 + [23.0] * 4))
    assert json.loads(result["usage_context_json"])["usage_differential"] == 4.0
    assert result["usage_spike_score"] == 1.2


OPPONENT = "BOS"


def context_row(day: np.datetime64, player: str, **changes: Any) -> Row:
    given_context = {name: value for name, value in requested(day).items() if name in CONTEXT_COLUMNS}
    return given_context | {
        "player_lookup": player,
        "team_abbr": "LAL",
        "opponent_team_abbr": OPPONENT,
        "is_production_ready": True,
        **changes,
    }


def zone_row(day: np.datetime64, player: str, **changes: Any) -> Row:
    shot = {
        name: value
        for name, value in requested(day).items()
        if name.endswith("_rate_last_10") or name == "primary_scoring_zone"
    }
    return shot | {"analysis_date": day, "player_lookup": player, "is_production_ready": True, **changes}


def defense_row(day: np.datetime64, team: str, **changes: Any) -> Row:
    allowed = {f"{zone}_defense_vs_league_avg": 0.0 for zone in ZONES}
    return {
        "analysis_date": day,
        "team_abbr": team,
        "weakest_zone": "paint",
        "is_production_ready": True,
        **allowed,
        **changes,
    }


def team_row(day: np.datetime64, team: str, **changes: Any) -> Row:
    return {"game_date": day, "team_abbr": team, "game_id": "20250120_LAL_BOS", "is_production_ready": True, **changes}


DAYS = [days_ago(1), TONIGHT]
TABLES: dict[Any, list[Row]] = {
    SCHEDULE.table: [
        scheduled(OPENING, OPPONENT, "LAL"),
        *(scheduled(day, OPPONENT, "LAL", game_status=1) for day in DAYS),
    ],
    PLAYER_CONTEXT: [context_row(day, player) for day in DAYS for player in ("lebronjames", "austinreaves")],
    TEAM_CONTEXT: [team_row(day, team) for day in DAYS for team in ("LAL", OPPONENT)],
    SHOT_ZONES: [zone_row(day, player) for day in DAYS for player in ("lebronjames", "austinreaves")],
    ZONE_DEFENSE: [defense_row(day, team) for day in DAYS for team in ("LAL", OPPONENT)],
}


def built(changes: dict[Any, list[Row]]) -> dict[tuple[str, np.datetime64], Row]:
    rows = built_rows(player_composite_factors, DAYS, TABLES | changes)
    return {(line["player_lookup"], np.datetime64(line["game_date"])): line for line in rows}


def test_every_player_of_the_context_gets_a_row_in_order() -> None:
    rows = built({SHOT_ZONES: [], ZONE_DEFENSE: [], TEAM_CONTEXT: [], PLAYER_CONTEXT: TABLES[PLAYER_CONTEXT][::-1]})
    assert list(rows) == [(player, day) for player in ("austinreaves", "lebronjames") for day in DAYS]
    assert {line["data_completeness_pct"] for line in rows.values()} == {60.0}
    assert {line["all_upstreams_ready"] for line in rows.values()} == {False}


@pytest.mark.parametrize(("team", "ready"), [("LAL", False), (OPPONENT, True)])
def test_team_context_is_that_of_his_own_team(team: str, ready: bool) -> None:
    teams = [line | {"is_production_ready": line["team_abbr"] != team} for line in TABLES[TEAM_CONTEXT]]
    result = built({TEAM_CONTEXT: teams})["lebronjames", TONIGHT]
    assert (result["upstream_team_context_ready"], result["is_production_ready"]) == (ready, ready)


@pytest.mark.parametrize(("team", "ready"), [("LAL", True), (OPPONENT, False)])
def test_zone_defense_is_that_of_the_opponent(team: str, ready: bool) -> None:
    defenses = [
        line | ({"is_production_ready": False, "paint_defense_vs_league_avg": 4.0} if line["team_abbr"] == team else {})
        for line in TABLES[ZONE_DEFENSE]
    ]
    result = built({ZONE_DEFENSE: defenses})["lebronjames", TONIGHT]
    assert (result["upstream_team_defense_ready"], result["shot_zone_mismatch_score"]) == (ready, 0.0 if ready else 4.0)


def test_what_is_joined_is_of_the_same_date_and_player() -> None:
    zones = [
        zone_row(day, player, paint_rate_last_10=rate)
        for player, day, rate in (
            ("lebronjames", DAYS[0], 10.0),
            ("lebronjames", TONIGHT, 20.0),
            ("austinreaves", TONIGHT, 40.0),
        )
    ]
    defenses = [
        defense_row(DAYS[0], OPPONENT, paint_defense_vs_league_avg=2.0),
        defense_row(TONIGHT, OPPONENT, paint_defense_vs_league_avg=-5.0),
    ]
    rows = built({SHOT_ZONES: zones, ZONE_DEFENSE: defenses})
    scores = {key: line["shot_zone_mismatch_score"] for key, line in rows.items()}
    assert scores == {
        ("austinreaves", DAYS[0]): 0.0,
        ("austinreaves", TONIGHT): -4.0,
        ("lebronjames", DAYS[0]): 0.4,
        ("lebronjames", TONIGHT): -2.0,
    }
    assert rows["austinreaves", DAYS[0]]["missing_data_fields"] == "player_shot_zone"
    assert rows["austinreaves", DAYS[0]]["upstream_player_shot_ready"] is False


def test_readiness_of_the_context_is_that_of_its_row() -> None:
    contexts = [
        line | {"is_production_ready": line["player_lookup"] != "lebronjames"} for line in TABLES[PLAYER_CONTEXT]
    ]
    rows = built({PLAYER_CONTEXT: contexts})
    assert rows["lebronjames", TONIGHT]["data_quality_issues"] == ["upstream_player_context_incomplete"]
    assert rows["austinreaves", TONIGHT]["data_quality_issues"] == []


def test_a_date_without_contexts_has_no_rows() -> None:
    run, found = build(player_composite_factors, DAYS, TABLES | {PLAYER_CONTEXT: []})
    assert (found.row_count, found.failure_count) == (0, 0)
    assert {read.table.name for read in run.reads} >= {PLAYER_CONTEXT.name}


def test_every_upstream_is_read_for_the_lineage_of_the_run() -> None:
    run, _ = build(player_composite_factors, DAYS, TABLES)
    assert {read.table.name for read in run.reads} == {table.name for table in TABLES}
