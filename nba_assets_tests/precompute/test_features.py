"""The list of features, the formulas behind them, and how a list is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.precompute.feature_lists import ALL_FEATURES, FEATURE_VERSIONS, columns_read
from nba_assets.precompute.features import (
    FEATURES,
    TAGS,
    VERSION,
    WEIGHTS,
    Feature,
    Source,
    Tag,
    Vector,
    injury_risk,
    minutes_change,
    pct_free_throw,
    recent_trend,
    rest_advantage,
    team_win_pct,
)
from nba_assets.precompute.features import stored as stored_column
from nba_assets.precompute.features_v2 import (
    FEATURES_V2,
    FROM_V1,
    VERSION_V2,
    expected_minutes,
    expected_points,
    implied_team_total,
    points_per_minute,
)
from nba_assets.precompute.ml_feature_store import TABLE as FEATURE_STORE
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.spec import Type
from nba_assets_tests.analytics.builders import NAN

V1: list[tuple[str, float, tuple[float, float], list[Tag]]] = [
    ("points_avg_last_5", 10.0, (0, 70), ["phase4", "phase3"]),
    ("points_avg_last_10", 10.0, (0, 70), ["phase4", "phase3"]),
    ("points_avg_season", 10.0, (0, 70), ["phase4", "phase3"]),
    ("points_std_last_10", 5.0, (0, 30), ["phase4"]),
    ("games_in_last_7_days", 3.0, (0, 5), ["phase4", "phase3"]),
    ("fatigue_score", 50.0, (0, 100), ["phase4"]),
    ("shot_zone_mismatch_score", 0.0, (-15, 15), ["phase4"]),
    ("pace_score", 0.0, (-8, 8), ["phase4"]),
    ("usage_spike_score", 0.0, (-8, 8), ["phase4"]),
    ("rest_advantage", 0.0, (-2, 2), ["calculated"]),
    ("injury_risk", 0.0, (0, 3), ["calculated"]),
    ("recent_trend", 0.0, (-2, 2), ["calculated"]),
    ("minutes_change", 0.0, (-2, 2), ["calculated"]),
    ("opponent_def_rating", 112.0, (90, 130), ["phase4"]),
    ("opponent_pace", 100.0, (90, 115), ["phase4"]),
    ("home_away", 0.0, (0, 1), ["phase3"]),
    ("back_to_back", 0.0, (0, 1), ["phase3"]),
    ("playoff_game", 0.0, (0, 1), ["phase3"]),
    ("pct_paint", 0.30, (0, 1), ["phase4", "phase4"]),
    ("pct_mid_range", 0.20, (0, 1), ["phase4"]),
    ("pct_three", 0.35, (0, 1), ["phase4", "phase4"]),
    ("pct_free_throw", 0.15, (0, 0.5), ["calculated"]),
    ("team_pace", 100.0, (90, 115), ["phase4", "phase3"]),
    ("team_off_rating", 112.0, (90, 130), ["phase4", "phase3"]),
    ("team_win_pct", 0.5, (0, 1), ["calculated"]),
]
NEW: list[tuple[str, float, tuple[float, float], list[Tag]]] = [
    ("points_avg_last_20", 4.0, (0, 70), ["phase3"]),
    ("minutes_avg_season", 8.0, (0, 48), ["phase3"]),
    ("minutes_last_game", 8.0, (0, 63), ["phase3"]),
    ("started_last_game", 0.0, (0, 1), ["phase3"]),
    ("usage_rate_last_10", 16.0, (0, 45), ["phase4"]),
    ("points_per_minute", 0.35, (0, 1.5), ["calculated"]),
    ("expected_minutes", 8.0, (0, 48), ["calculated"]),
    ("expected_points", 3.0, (0, 70), ["calculated"]),
    ("teammates_points", 120.0, (0, 250), ["calculated"]),
    ("game_total", 224.0, (180, 270), ["phase3"]),
    ("implied_team_total", 112.0, (80, 150), ["calculated"]),
    ("star_tier_out", 0.0, (0, 12), ["phase3"]),
]
SHARED = [
    "points_avg_last_5",
    "points_avg_season",
    "games_in_last_7_days",
    "recent_trend",
    "minutes_change",
    "pct_paint",
    "pct_mid_range",
    "pct_three",
]
HARD_LIMITS = {
    "fatigue_score",
    "pct_paint",
    "pct_mid_range",
    "pct_three",
    "pct_free_throw",
    "team_win_pct",
    "started_last_game",
    "expected_minutes",
}
NINE_DECIMALS = {"pct_free_throw", "team_win_pct", "points_per_minute", "expected_minutes", "expected_points"}


def test_names_of_version_one_in_order() -> None:
    assert [feature.name for feature in FEATURES] == [name for name, *_ in V1]
    assert f"v1_baseline_{len(V1)}" == VERSION


def test_version_two_has_some_features_of_version_one_and_then_its_own() -> None:
    assert [feature.name for feature in FEATURES_V2] == [*SHARED, *(name for name, *_ in NEW)]
    assert all(feature in FEATURES for feature in FEATURES_V2[: len(SHARED)])
    assert f"v2_minutes_{len(SHARED) + len(NEW)}" == VERSION_V2
    assert set(FROM_V1) == set(SHARED)


def test_lists_are_chosen_by_version_and_have_columns_of_their_own() -> None:
    found = {
        version: (known.name, known.features, known.column("features")) for version, known in FEATURE_VERSIONS.items()
    }
    assert found == {"v1": (VERSION, FEATURES, "features"), "v2": (VERSION_V2, FEATURES_V2, "features_v2")}
    names = [feature.name for feature in ALL_FEATURES]
    assert len(set(names)) == len(names) == len(V1) + len(NEW)


@pytest.mark.parametrize(("place", "expected"), list(enumerate([*V1, *NEW])), ids=[name for name, *_ in [*V1, *NEW]])
def test_default_range_and_sources_of_each_feature(
    place: int, expected: tuple[str, float, tuple[float, float], list[Tag]]
) -> None:
    name, default, bounds, tags = expected
    feature = ALL_FEATURES[place]
    assert (feature.name, feature.default) == (name, default)
    assert (feature.usual or feature.allowed) == bounds
    assert bounds[0] <= default <= bounds[1]
    assert [source.tag for source in feature.sources] == tags
    if name in HARD_LIMITS:
        assert feature.allowed == bounds


@pytest.mark.parametrize("feature", ALL_FEATURES, ids=lambda feature: feature.name)
def test_each_feature_is_a_nullable_column_of_its_name(feature: Feature) -> None:
    column = FEATURE_STORE.column(feature.name)
    assert (column, column.type, column.nullable) == (feature.column, Type.FLOAT64, True)
    assert column.scale == (9 if feature.name in NINE_DECIMALS else None)
    assert (column.usual, column.allowed) == (feature.usual, feature.allowed)
    assert f"{feature.default:g} stands in for it" in column.description
    assert all(read in column.description for source in feature.sources for read in source.reads)


def test_features_stand_in_the_table_in_their_order() -> None:
    names = [name for name, *_ in [*V1, *NEW]]
    assert [name for name in FEATURE_STORE.column_names if name in names] == names


def test_what_features_read_exists() -> None:
    tables = {name: module.TABLE for name, module in TABLE_MODULES.items()}
    reads = {read for feature in ALL_FEATURES for source in feature.sources for read in source.reads}
    for table, column in (read.split(".") for read in reads):
        assert tables[table].column(column)
        assert column in columns_read(table)
    assert sum(len(columns_read(name)) for name in tables) == len(reads)


MINUTES = "player_daily_cache.minutes_avg_last_10"


@pytest.mark.parametrize(
    ("cached", "recent", "teammates", "minutes"),
    [
        (30, 12, 210, 30),
        (30, 12, 150, 40),
        (30, 12, 300, 240 / 11),
        (30, 12, 60, 48),
        (30, 12, 0, 48),
        (NAN, 30, 210, 30),
        (0, 30, 210, 0),
        (NAN, NAN, 210, NAN),
        (0, 0, 0, NAN),
    ],
)
def test_expected_minutes_are_his_part_of_the_team_s(
    cached: float, recent: float, teammates: float, minutes: float
) -> None:
    given_inputs = {MINUTES: cached, "games.minutes_last_10": recent, "teammates.minutes": teammates}
    found = expected_minutes({name: np.array([float(value)]) for name, value in given_inputs.items()})
    np.testing.assert_allclose(found, [minutes], rtol=1e-15)


def test_expected_points_are_points_per_minute_times_expected_minutes() -> None:
    given_inputs = {
        MINUTES: np.array([30.0, 30.0, NAN]),
        "games.minutes_last_10": np.array([12.0, 12.0, NAN]),
        "teammates.minutes": np.array([150.0, 150.0, 150.0]),
        "games.points_total": np.array([480.0, 0.0, 480.0]),
        "games.minutes_total_tenths": np.array([9600.0, 0.0, 9600.0]),
    }
    np.testing.assert_array_equal(points_per_minute(given_inputs), [0.5, NAN, 0.5])
    np.testing.assert_array_equal(expected_points(given_inputs), [20.0, NAN, NAN])


@pytest.mark.parametrize(
    ("total", "spread", "points"), [(224, -6, 115), (224, 6, 109), (221.5, 0, 110.75), (NAN, -6, NAN), (224, NAN, NAN)]
)
def test_a_favourite_is_to_score_more_than_half_of_the_total(total: float, spread: float, points: float) -> None:
    lines = {
        f"upcoming_player_game_context.game_{name}": np.array([value])
        for name, value in (("total", total), ("spread", spread))
    }
    np.testing.assert_array_equal(implied_team_total(lines), [points])


@pytest.mark.parametrize(
    ("own", "opponent", "advantage"),
    [(2, 0, 2), (0, 2, -2), (1, 1, 0), (5, 0, 2), (0, 5, -2), (3, 2, 1), (NAN, 1, NAN), (1, NAN, NAN), (NAN, NAN, NAN)],
)
def test_rest_advantage_is_a_difference_within_two_days(own: float, opponent: float, advantage: float) -> None:
    days = {
        "upcoming_player_game_context.days_rest": np.array([own]),
        "upcoming_player_game_context.opponent_days_rest": np.array([opponent]),
    }
    np.testing.assert_array_equal(rest_advantage(days), [advantage])


@pytest.mark.parametrize(
    ("status", "risk"),
    [
        ("available", 0),
        ("probable", 1),
        ("questionable", 2),
        ("doubtful", 3),
        ("out", 3),
        ("QUESTIONABLE", 2),
        ("unknown", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_injury_risk_is_never_missing(status: str | None, risk: float) -> None:
    assert injury_risk({"upcoming_player_game_context.player_status": np.array([status], dtype=object)}).tolist() == [
        risk
    ]


@pytest.mark.parametrize(
    ("newest_first", "trend"),
    [
        ((25, 24, 26, 18, 17), 1),
        ((17, 18, 16, 25, 26), -1),
        ((22, 21, 23, 22, 21), 0),
        ((30, 30, 20, 20, 20), 2),
        ((20, 20, 30, 30, 30), -2),
        ((22, 22, 20, 20, 20), 1),
        ((22, 21, 20, 20, 19), 0),
        ((25, 25, 20, 20, 20), 2),
        ((25, 24, 20, 20, 19), 1),
        ((20, 20, 22, 22, 22), -1),
        ((20, 20, 22, 22, 21), 0),
        ((20, 20, 25, 25, 25), -2),
        ((20, 20, 25, 25, 24), -1),
        ((25, 24, NAN, NAN, NAN), NAN),
        ((25, 24, 26, 18, NAN), NAN),
    ],
)
def test_a_rising_player_has_a_positive_trend(newest_first: Sequence[float], trend: float) -> None:
    np.testing.assert_array_equal(recent_trend(np.array([newest_first], dtype=float)), [trend])


@pytest.mark.parametrize(
    ("recent", "season", "change"),
    [
        (36, 28, 2),
        (32, 28, 1),
        (30, 30, 0),
        (24, 32, -2),
        (35.3, 30, 1),
        (36, 30, 2),
        (35.9, 30, 1),
        (33, 30, 1),
        (32.9, 30, 0),
        (27, 30, -1),
        (27.1, 30, 0),
        (24, 30, -2),
        (24.1, 30, -1),
        (0, 30, NAN),
        (30, 0, NAN),
        (NAN, 30, NAN),
        (30, NAN, NAN),
        (0, 0, NAN),
    ],
)
def test_minutes_change_in_steps_of_a_tenth_of_the_season(recent: float, season: float, change: float) -> None:
    np.testing.assert_array_equal(minutes_change(np.array([float(recent)]), np.array([float(season)])), [change])


@pytest.mark.parametrize(
    ("makes", "points", "games", "share"),
    [
        (70, 263, 10, 0.266159696),
        (58, 148, 10, 0.391891892),
        (8, 28, 1, NAN),
        (20, 80, 4, NAN),
        (20, 80, 5, 0.25),
        (0, 0, 10, NAN),
        (0, 80, 10, 0.0),
        (60, 120, 10, 0.5),
        (61, 120, 10, 0.5),
    ],
)
def test_free_throws_are_a_share_of_points_up_to_a_half(
    makes: float, points: float, games: float, share: float
) -> None:
    found = pct_free_throw(np.array([float(makes)]), np.array([float(points)]), np.array([float(games)]))
    np.testing.assert_array_equal(np.round(found, 9), [share])


@pytest.mark.parametrize(
    ("wins", "games", "share"),
    [(6, 8, 0.75), (2, 8, 0.25), (3, 6, 0.5), (2, 2, NAN), (4, 4, NAN), (5, 5, 1.0), (0, 5, 0.0), (0, 0, NAN)],
)
def test_win_share_needs_five_games(wins: float, games: float, share: float) -> None:
    np.testing.assert_array_equal(team_win_pct(np.array([float(wins)]), np.array([float(games)])), [share])


def vector(**tags: int) -> Vector:
    """A row of features of so many of each origin."""
    origins = [TAGS.index(tag) for tag in TAGS for _ in range(tags.get(tag, 0))]
    features = [Feature(f"feature_{number}", "", (), 0.0) for number in range(len(origins))]
    values = np.where(np.array([origins]) == TAGS.index("default"), np.nan, 1.0)
    return Vector(features, values, np.array([origins], dtype=np.intp))


@pytest.mark.parametrize(
    ("tags", "quality"),
    [
        ({"phase4": 25}, 100.0),
        ({"phase3": 25}, 75.0),
        ({"default": 25}, 40.0),
        ({"phase4": 10, "phase3": 10, "calculated": 5}, 90.0),
        ({"phase4": 19, "calculated": 6}, 100.0),
        ({"phase3": 19, "calculated": 6}, 81.0),
        ({"phase4": 16, "phase3": 3, "calculated": 6}, 97.0),
        ({"phase4": 24, "default": 1}, 97.6),
    ],
)
def test_quality_is_the_mean_trust_in_the_features(tags: dict[str, int], quality: float) -> None:
    assert vector(**tags).quality.tolist() == [quality]
    assert {tag: vector(**tags).share(tag).tolist() for tag in TAGS} == {tag: [tags.get(tag, 0) / 25] for tag in TAGS}


def test_weights_of_version_one() -> None:
    assert dict(WEIGHTS) == {"phase4": 100, "phase3": 75, "calculated": 100, "default": 40}


def source(tag: Tag, name: str) -> Source:
    return stored_column(tag, "table", name)


def inputs(**values: Sequence[float]) -> dict[str, Any]:
    return {f"table.{name}": np.array(numbers, dtype=float) for name, numbers in values.items()}


THREE_WAYS = (
    Feature(
        "anything", "", (source("phase4", "first"), source("phase3", "second"), source("calculated", "third")), -7.0
    ),
)


def test_the_first_source_that_knows_a_feature_gives_its_value_and_its_tag() -> None:
    found = Vector.of(THREE_WAYS, inputs(first=[1, NAN, NAN, NAN], second=[2, 2, NAN, NAN], third=[3, 3, 3, NAN]), 4)
    np.testing.assert_array_equal(found.values[:, 0], [1, 2, 3, NAN])
    assert [TAGS[place] for place in found.origins[:, 0]] == ["phase4", "phase3", "calculated", "default"]
    assert found.filled[:, 0].tolist() == [1, 2, 3, -7]


def test_zero_is_a_value_that_no_later_source_replaces() -> None:
    found = Vector.of(THREE_WAYS, inputs(first=[0], second=[2], third=[3]), 1)
    assert (found.values[0, 0], TAGS[found.origins[0, 0]]) == (0, "phase4")


def test_a_source_that_is_not_needed_is_not_asked() -> None:
    def fail(_: Any) -> Any:
        raise AssertionError

    features = (Feature("anything", "", (source("phase4", "first"), Source("phase3", (), fail)), 0.0),)
    assert Vector.of(features, inputs(first=[1, 2]), 2).values[:, 0].tolist() == [1, 2]


def test_minus_zero_is_zero_for_the_model() -> None:
    found = Vector.of(THREE_WAYS, inputs(first=[-0.0]), 1)
    assert not np.signbit(found.filled).any()


def test_stored_percentages_become_fractions() -> None:
    features = (Feature("share", "", (stored_column("phase4", "table", "rate", 100),), 0.3),)
    assert Vector.of(features, inputs(rate=[44.44]), 1).values[0, 0] == 44.44 / 100


def test_a_second_version_is_one_more_list_of_definitions() -> None:
    fatigue = next(feature for feature in FEATURES if feature.name == "fatigue_score")
    line = Feature(
        "points_line",
        "Tonight's points line",
        (
            stored_column("phase4", "odds", "line"),
            Source("phase3", ("context.line",), lambda given: given["context.line"]),
        ),
        0.0,
        "points",
        (0, 60),
    )
    gap = Feature(
        "line_gap",
        "Line minus average",
        (
            Source(
                "calculated", ("odds.line", "cache.average"), lambda given: given["odds.line"] - given["cache.average"]
            ),
        ),
        0.5,
        scale=1,
    )
    second_version = (line, gap, fatigue)
    found = Vector.of(
        second_version,
        {
            "odds.line": np.array([24.5, NAN, NAN]),
            "context.line": np.array([99.0, 22.5, NAN]),
            "cache.average": np.array([21.27, 20.0, 20.0]),
            "player_composite_factors.fatigue_score": np.array([85.0, NAN, 100.0]),
        },
        3,
    )
    np.testing.assert_array_equal(found.values, [[24.5, 3.2, 85.0], [22.5, NAN, NAN], [NAN, NAN, 100.0]])
    assert found.filled.tolist() == [[24.5, 3.2, 85.0], [22.5, 0.5, 50.0], [0.0, 0.5, 100.0]]
    assert [[TAGS[place] for place in line_origins] for line_origins in found.origins] == [
        ["phase4", "calculated", "phase4"],
        ["phase3", "default", "default"],
        ["default", "default", "phase4"],
    ]
    assert found.quality.tolist() == pytest.approx([100.0, 155 / 3, 60.0])
    assert [feature.column.name for feature in second_version] == ["points_line", "line_gap", "fatigue_score"]
    assert "odds.line (origin phase4), else context.line (origin phase3)" in line.column.description


finite = st.floats(-1e6, 1e6, allow_nan=False)
maybe = st.one_of(st.just(NAN), finite)


@st.composite
def versions(draw: st.DrawFn) -> tuple[tuple[Feature, ...], dict[str, Any], int]:
    """Any list of features, and inputs for it."""
    size = draw(st.integers(1, 5))
    features: list[Feature] = []
    given_inputs: dict[str, Sequence[float]] = {}
    for number in range(draw(st.integers(1, 6))):
        ways = []
        for way in range(draw(st.integers(0, 3))):
            name = f"feature {number} way {way}"
            given_inputs[name] = draw(st.lists(maybe, min_size=size, max_size=size))
            ways.append(source(draw(st.sampled_from([tag for tag in TAGS if tag != "default"])), name))
        features.append(Feature(f"feature_{number}", "", tuple(ways), draw(finite)))
    return tuple(features), inputs(**given_inputs), size


@settings(max_examples=60)
@given(versions())
def test_whatever_the_version_nothing_missing_reaches_the_model_and_every_tag_is_earned(drawn: Any) -> None:
    features, given_inputs, size = drawn
    found = Vector.of(features, given_inputs, size)
    assert not np.isnan(found.filled).any()
    for row in range(size):
        weights = []
        for place, feature in enumerate(features):
            ways: list[tuple[Tag, Any]] = [(way.tag, given_inputs[way.reads[0]][row]) for way in feature.sources]
            tag, value = next((known for known in ways if not np.isnan(known[1])), ("default", feature.default))
            assert TAGS[found.origins[row, place]] == tag
            assert found.filled[row, place] == value
            assert np.isnan(found.values[row, place]) == (tag == "default")
            weights.append(WEIGHTS[tag])
        assert found.quality[row] == sum(weights) / len(weights)
        assert 40 <= found.quality[row] <= 100
    assert sum(found.share(tag) for tag in TAGS) == pytest.approx(np.ones(size))
