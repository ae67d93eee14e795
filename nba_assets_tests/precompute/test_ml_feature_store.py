"""Golden rows of ml_feature_store: where each feature comes from, what stands in for it, and how far a row is to be
trusted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.quality import quality_tier
from nba_assets.precompute import ml_feature_store, team_form
from nba_assets.precompute.feature_lists import ALL_FEATURES, FEATURE_VERSIONS, columns_read
from nba_assets.precompute.features import FEATURES, TAGS, VERSION, WEIGHTS, Feature, Vector
from nba_assets.precompute.features_v2 import FEATURES_V2, VERSION_V2
from nba_assets.precompute.ml_feature_store import (
    CONTEXT_COLUMNS,
    SHEET_COLUMNS,
    TABLE,
    compute,
    data_source,
)
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.player_daily_cache import TABLE as CACHE
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
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
    ascending,
    blocking_findings,
    build,
    built_rows,
    days_ago,
    failing,
    failure_rows,
    one_by_one,
    scheduled,
    season_facts,
)
from nba_assets_tests.stored import stored

SAT_OUT: Row = {"is_dnp": 1, "points": NAN, "minutes_played": NAN, "ft_makes": NAN, "starter_flag": 0}


def game(day: np.datetime64, **changes: Any) -> Row:
    """One game he played."""
    return {
        "player_lookup": "lebronjames",
        "game_date": day,
        "is_dnp": 0,
        "points": 20,
        "minutes_played": 34.0,
        "ft_makes": 4,
        "starter_flag": 1,
        **changes,
    }


def scored(*points: float, **changes: Sequence[float]) -> list[Row]:
    """Games on alternate days before tonight, newest first; changes name a value per game."""
    return [
        game(day, points=number) | {name: values[place] for name, values in changes.items()}
        for place, (day, number) in enumerate(zip(alternate_days(len(points)), points, strict=True))
    ]


CACHED: Row = {
    "points_avg_last_5": 25.2,
    "points_avg_last_10": 24.1,
    "points_avg_season": 23.5,
    "points_std_last_10": 4.5,
    "games_in_last_7_days": 3,
    "minutes_avg_last_10": 35.0,
    "paint_rate_last_10": 11.0,
    "three_pt_rate_last_10": 12.0,
    "team_pace_last_10": 99.5,
    "team_off_rating_last_10": 114.25,
    "usage_rate_last_10": 28.5,
}
SCORES: Row = {"fatigue_score": 90, "shot_zone_mismatch_score": 4.3, "pace_score": 1.8, "usage_spike_score": 0.3}
SHARES: Row = {"paint_rate_last_10": 44.44, "mid_range_rate_last_10": 22.22, "three_pt_rate_last_10": 33.33}
DEFENDED: Row = {"defensive_rating_last_15": 110.5, "opponent_pace": 98.5}
CONTEXT: Row = {
    "player_lookup": "lebronjames",
    "universal_player_id": "lebronjames_001",
    "game_id": "20250120_LAL_BOS",
    "game_date": TONIGHT,
    "team_abbr": "LAL",
    "opponent_team_abbr": "BOS",
    "home_game": 1,
    "days_rest": 2,
    "opponent_days_rest": 1,
    "back_to_back": 0,
    "season_phase": "mid",
    "player_status": None,
    "games_in_last_7_days": 4,
    "games_in_last_14_days": 7,
    "minutes_in_last_14_days": 230,
    "points_avg_last_10": 24.0,
    "game_total": 224.0,
    "game_spread": -6.0,
    "star_tier_out": 2,
    "l10_expected_games": 10,
    "l10_actual_games": 10,
    "season_boundary_detected": 0,
    "backfill_bootstrap_mode": 0,
}
TEAM: Row = {"team.pace_last_10": 101.5, "team.offensive_rating_last_10": 116.75, "team.wins": 6, "team.games": 8}
TEAMMATES: Row = {"teammates.minutes": 175.0, "teammates.points": 90.5}
UPSTREAM = {
    CACHE.name: "upstream_player_daily_cache_incomplete",
    FACTORS.name: "upstream_player_composite_factors_incomplete",
    SHOT_ZONES.name: "upstream_player_shot_zone_incomplete",
    ZONE_DEFENSE.name: "upstream_team_defense_zone_incomplete",
}


def under(table: str, values: Mapping[str, Any]) -> Row:
    return {f"{table}.{name}": value for name, value in values.items()}


def requested(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    """A player of whom everything is known; changes go by the name of the input with _ for the dot of `team.`, or by
    `table.column`.
    """
    return {
        "player_lookup": "lebronjames",
        "game_date": day,
        "team_abbr": "LAL",
        **under(PLAYER_CONTEXT.name, CONTEXT | {"game_date": day}),
        **under(CACHE.name, CACHED | {"is_production_ready": 1}),
        **under(FACTORS.name, SCORES | {"is_production_ready": 1}),
        **under(SHOT_ZONES.name, SHARES | {"is_production_ready": 1}),
        **under(ZONE_DEFENSE.name, DEFENDED | {"is_production_ready": 1}),
        **TEAM,
        **TEAMMATES,
        **season_facts(day),
        **changes,
    }


def missing(*tables: Any, ready: float = NAN) -> Row:
    """What is there of tables that have no row of him."""
    values = {CACHE.name: CACHED, FACTORS.name: SCORES, SHOT_ZONES.name: SHARES, ZONE_DEFENSE.name: DEFENDED}
    blank: Row = {}
    for table in tables:
        blank |= under(table.name, dict.fromkeys(values[table.name], NAN)) | {
            f"{table.name}.is_production_ready": ready
        }
    return blank


def from_context(**changes: Any) -> Row:
    return under(PLAYER_CONTEXT.name, changes)


TEN_GAMES = (20, 22, 24, 18, 21, 23, 19, 25, 20, 22)


def outcome(history: Sequence[Row], changes: Row | None = None, day: np.datetime64 = TONIGHT) -> Outcome:
    sheet = ascending(history, game(TONIGHT))
    assert set(sheet) == set(SHEET_COLUMNS)
    return alone(compute)(columns([requested(day, **(changes or {}))]), {"sheet": sheet}, READY)


def row(history: Sequence[Row] | None = None, changes: Row | None = None, day: np.datetime64 = TONIGHT) -> Row:
    return stored(TABLE, outcome(scored(*TEN_GAMES) if history is None else history, changes, day).rows)[0]


def full_score(defaults: int = 0) -> float:
    """Quality score of the full row, of whose features three are of phase3, with so many others left to their defaults.

    Example: 97 with 25 features, 94.6 with a default among them.
    """
    number = len(FEATURES)
    return round((100 * (number - 3 - defaults) + 75 * 3 + 40 * defaults) / number, 2)


def told(result: Row, name: str) -> tuple[float | None, float, str]:
    """A feature's column, what the model reads for it, and its tag."""
    suffix = "" if name in result["feature_names"] else "_v2"
    place = result[f"feature_names{suffix}"].index(name)
    return result[name], result[f"features{suffix}"][place], result[f"feature_sources{suffix}"][place]


def test_inputs_of_these_tests_are_those_of_the_table() -> None:
    given_inputs = {name for name in requested() if "." in name}
    for table in (CACHE, FACTORS, SHOT_ZONES, ZONE_DEFENSE):
        assert {f"{table.name}.{name}" for name in columns_read(table.name)} <= given_inputs
    assert {f"{PLAYER_CONTEXT.name}.{name}" for name in CONTEXT_COLUMNS} <= given_inputs


def test_a_row_of_which_everything_is_known() -> None:
    result = row()
    expected = {
        "points_avg_last_5": (25.2, "phase4"),
        "points_avg_last_10": (24.1, "phase4"),
        "points_avg_season": (23.5, "phase4"),
        "points_std_last_10": (4.5, "phase4"),
        "games_in_last_7_days": (3.0, "phase4"),
        "fatigue_score": (90.0, "phase4"),
        "shot_zone_mismatch_score": (4.3, "phase4"),
        "pace_score": (1.8, "phase4"),
        "usage_spike_score": (0.3, "phase4"),
        "rest_advantage": (1.0, "calculated"),
        "injury_risk": (0.0, "calculated"),
        "recent_trend": (0.0, "calculated"),
        "minutes_change": (0.0, "calculated"),
        "opponent_def_rating": (110.5, "phase4"),
        "opponent_pace": (98.5, "phase4"),
        "home_away": (1.0, "phase3"),
        "back_to_back": (0.0, "phase3"),
        "playoff_game": (0.0, "phase3"),
        "pct_paint": (0.4444, "phase4"),
        "pct_mid_range": (0.2222, "phase4"),
        "pct_three": (0.3333, "phase4"),
        "pct_free_throw": (0.186915888, "calculated"),
        "team_pace": (99.5, "phase4"),
        "team_off_rating": (114.25, "phase4"),
        "team_win_pct": (0.75, "calculated"),
    }
    assert result["feature_names"] == list(expected)
    assert result["features"] == pytest.approx([value for value, _ in expected.values()], abs=1e-12)
    assert [result[name] for name in expected] == result["features"]
    assert result["feature_sources"] == [tag for _, tag in expected.values()]
    assert (result["feature_count"], result["feature_version"]) == (len(FEATURES), VERSION)
    assert (result["feature_quality_score"], result["quality_tier"], result["data_source"]) == (
        full_score(),
        "gold",
        "phase4_partial",
    )
    assert (result["opponent_team_abbr"], result["is_home"], result["days_rest"], result["game_id"]) == (
        "BOS",
        True,
        2,
        "20250120_LAL_BOS",
    )
    assert (result["is_production_ready"], result["data_quality_issues"]) == (True, [])


def test_the_second_version_of_a_row_of_which_everything_is_known() -> None:
    result = row()
    expected = {
        "points_avg_last_5": (25.2, "phase4"),
        "points_avg_season": (23.5, "phase4"),
        "games_in_last_7_days": (3.0, "phase4"),
        "recent_trend": (0.0, "calculated"),
        "minutes_change": (0.0, "calculated"),
        "pct_paint": (0.4444, "phase4"),
        "pct_mid_range": (0.2222, "phase4"),
        "pct_three": (0.3333, "phase4"),
        "points_avg_last_20": (21.4, "phase3"),
        "minutes_avg_season": (34.0, "phase3"),
        "minutes_last_game": (34.0, "phase3"),
        "started_last_game": (1.0, "phase3"),
        "usage_rate_last_10": (28.5, "phase4"),
        "points_per_minute": (round(214 / 340, 9), "calculated"),
        "expected_minutes": (40.0, "calculated"),
        "expected_points": (round(214 / 340 * 40, 9), "calculated"),
        "teammates_points": (90.5, "calculated"),
        "game_total": (224.0, "phase3"),
        "implied_team_total": (115.0, "calculated"),
        "star_tier_out": (2.0, "phase3"),
    }
    assert result["feature_names_v2"] == list(expected)
    assert result["features_v2"] == pytest.approx([value for value, _ in expected.values()], abs=1e-12)
    assert [result[name] for name in expected] == result["features_v2"]
    assert result["feature_sources_v2"] == [tag for _, tag in expected.values()]
    assert result["feature_version_v2"] == VERSION_V2
    trusted = [75 if tag == "phase3" else 100 for _, tag in expected.values()]
    assert result["feature_quality_score_v2"] == round(sum(trusted) / len(trusted), 2)
    assert (result["quality_tier_v2"], result["data_source_v2"]) == ("silver", "mixed")


def test_the_second_version_looks_at_the_newest_games_that_he_played() -> None:
    history = scored(*range(30, 5, -1), minutes_played=[12.5, *[30.0] * 24], starter_flag=[0, *[1] * 24])
    result = row([game(days_ago(1), **SAT_OUT), *history])
    assert (result["minutes_last_game"], result["started_last_game"]) == (12.5, 0.0)
    assert result["points_avg_last_20"] == sum(range(11, 31)) / 20
    assert result["minutes_avg_season"] == (12.5 + 24 * 30) / 25


def test_without_a_cache_row_his_own_games_say_how_many_minutes_to_expect() -> None:
    result = row(scored(20, 22, minutes_played=[20.0, 30.0]), missing(CACHE))
    assert told(result, "expected_minutes") == (30.0, 30.0, "calculated")
    assert told(result, "usage_rate_last_10") == (None, 16.0, "default")


LOST: Row = {
    **missing(CACHE, FACTORS, SHOT_ZONES, ZONE_DEFENSE),
    **from_context(
        **dict.fromkeys(("home_game", "back_to_back", "days_rest", "opponent_days_rest", "games_in_last_7_days"), NAN)
    ),
    **from_context(game_total=NAN, game_spread=NAN, star_tier_out=NAN),
    **dict.fromkeys((*TEAM, *TEAMMATES), NAN),
}
"""Nothing is known but who plays against whom."""


@pytest.mark.parametrize(
    "feature",
    [feature for feature in ALL_FEATURES if feature.name not in ("injury_risk", "playoff_game")],
    ids=lambda x: x.name,
)
def test_a_default_leaves_its_column_null_and_fills_the_features(feature: Feature) -> None:
    assert told(row([], LOST), feature.name) == (None, feature.default, "default")


def test_a_row_of_which_nothing_is_known() -> None:
    result = row([], LOST)
    assert told(result, "injury_risk") == (0.0, 0.0, "calculated")
    assert told(result, "playoff_game") == (0.0, 0.0, "phase3")
    score = round((100 + 75 + 40 * (len(FEATURES) - 2)) / len(FEATURES), 2)
    assert (result["feature_quality_score"], result["quality_tier"], result["data_source"]) == (score, "poor", "mixed")
    assert result["features"] == [feature.default for feature in FEATURES]
    assert result["features_v2"] == [feature.default for feature in FEATURES_V2]


@pytest.mark.parametrize(
    ("history", "last_5", "last_10"),
    [
        (scored(*TEN_GAMES), (21.0, 21.0, "phase3"), (21.4, 21.4, "phase3")),
        (scored(15, 18, 12), (None, 10.0, "default"), (15.0, 15.0, "phase3")),
        (scored(15, 18, 12, 15), (None, 10.0, "default"), (15.0, 15.0, "phase3")),
        (scored(15, 18, 12, 15, 20), (16.0, 16.0, "phase3"), (16.0, 16.0, "phase3")),
        ([], (None, 10.0, "default"), (None, 10.0, "default")),
    ],
)
def test_without_a_cache_row_points_come_from_the_games(
    history: list[Row], last_5: tuple[float | None, float, str], last_10: tuple[float | None, float, str]
) -> None:
    result = row(history, missing(CACHE))
    assert told(result, "points_avg_last_5") == last_5
    assert told(result, "points_avg_last_10") == last_10
    assert told(result, "points_avg_season") == last_10


def test_fallback_means_are_not_rounded() -> None:
    result = row(scored(10, 10, 11), missing(CACHE))
    assert told(result, "points_avg_last_10") == (31 / 3, 31 / 3, "phase3")


def test_games_he_sat_out_are_no_zeros_in_the_fallback() -> None:
    history = scored(15, 18, 12, 15, 20)
    sat_out = [game(days_ago(age), **SAT_OUT) for age in (2, 4, 6)] + [
        game(days_ago(8), points=0, is_dnp=1),
        game(days_ago(10), points=NAN),
    ]
    assert row([*history, *sat_out], missing(CACHE)) == row(history, missing(CACHE))


@pytest.mark.parametrize(("age", "last_10"), [(60, 16.0), (61, 15.0)])
def test_the_list_of_ten_games_reaches_back_sixty_days_and_the_season_farther(age: int, last_10: float) -> None:
    result = row([*scored(15, 15, 15, 15), game(days_ago(age), points=20)], missing(CACHE))
    assert (result["points_avg_last_10"], result["points_avg_season"]) == (last_10, 16.0)
    assert (result["points_avg_last_5"] is None) == (age > 60)


def test_another_season_is_another_player() -> None:
    day = OPENING + np.timedelta64(20, "D")
    history = [game(OPENING + np.timedelta64(number, "D")) for number in range(3)]
    old = [game(OPENING - np.timedelta64(number, "D"), points=60) for number in range(1, 9)]
    assert row([*history, *old], missing(CACHE), day) == row(history, missing(CACHE), day)
    assert row([*scored(*TEN_GAMES), game(LAST_SEASON, points=60)], missing(CACHE)) == row(None, missing(CACHE))


def test_a_result_of_the_date_itself_changes_nothing() -> None:
    to_come = [game(day, points=99, minutes_played=60.0, ft_makes=50) for day in (TONIGHT, days_ago(-1))]
    for changes in ({}, missing(CACHE), LOST):
        assert row([*scored(*TEN_GAMES), *to_come], changes) == row(None, changes)


def test_games_in_seven_days_fall_back_to_his_context() -> None:
    assert told(row(), "games_in_last_7_days") == (3.0, 3.0, "phase4")
    assert told(row(None, missing(CACHE)), "games_in_last_7_days") == (4.0, 4.0, "phase3")


def test_form_of_the_team_falls_back_to_its_games() -> None:
    result = row(None, missing(CACHE))
    assert told(result, "team_pace") == (101.5, 101.5, "phase3")
    assert told(result, "team_off_rating") == (116.75, 116.75, "phase3")


def test_shares_of_shots_are_those_of_his_zones_then_of_the_cache() -> None:
    result = row(None, missing(SHOT_ZONES))
    assert told(result, "pct_paint") == (0.11, 0.11, "phase4")
    assert told(result, "pct_three") == (0.12, 0.12, "phase4")
    assert told(result, "pct_mid_range") == (None, 0.2, "default")
    assert told(row(), "pct_paint")[0] == pytest.approx(0.4444)


def test_unknown_zones_of_a_row_that_is_there_are_missing_and_not_data() -> None:
    blank = under(SHOT_ZONES.name, dict.fromkeys(SHARES, NAN)) | under(
        CACHE.name, {"paint_rate_last_10": NAN, "three_pt_rate_last_10": NAN}
    )
    result = row(None, blank)
    assert [told(result, name) for name in ("pct_paint", "pct_mid_range", "pct_three")] == [
        (None, 0.3, "default"),
        (None, 0.2, "default"),
        (None, 0.35, "default"),
    ]
    assert result["is_production_ready"] is True


@pytest.mark.parametrize(
    ("points", "trend", "tag"),
    [
        ((25, 24, 26, 18, 17), 1, "calculated"),
        ((17, 18, 16, 25, 26), -1, "calculated"),
        ((22, 21, 23, 22, 21), 0, "calculated"),
        ((30, 30, 20, 20, 20), 2, "calculated"),
        ((30, 30, 20, 20, 20, 0, 0, 0, 0, 0, 0, 0), 2, "calculated"),
        ((30, 30, 20, 20), None, "default"),
        ((25, 24), None, "default"),
    ],
)
def test_trend_of_the_newest_two_games_against_the_three_before(
    points: tuple[int, ...], trend: float | None, tag: str
) -> None:
    assert told(row(scored(*points)), "recent_trend") == (trend, trend or 0.0, tag)


MINUTES = (35.0, 36.0, 34.0, 37.0, 35.0, 36.0, 35.0, 34.0, 36.0, 35.0)


def test_recent_minutes_are_those_of_the_cache_else_of_the_games() -> None:
    """Ten games of 35.3 minutes on average in a season of 30."""
    history = scored(*[20] * 20, minutes_played=(*MINUTES, *[24.7] * 10))
    assert told(row(history, missing(CACHE)), "minutes_change") == (1.0, 1.0, "calculated")
    assert told(row(history, {f"{CACHE.name}.minutes_avg_last_10": 36.0}), "minutes_change") == (2.0, 2.0, "calculated")
    assert told(row(history, {f"{CACHE.name}.minutes_avg_last_10": 24.0}), "minutes_change") == (
        -2.0,
        -2.0,
        "calculated",
    )


def test_an_unreadable_time_counts_as_none_lately_and_not_at_all_in_the_season() -> None:
    """Five of ten known: 15 minutes a game lately, against 30 where they are known."""
    history = scored(*[20] * 10, minutes_played=[30.0, NAN] * 5)
    assert told(row(history, missing(CACHE)), "minutes_change") == (-2.0, -2.0, "calculated")


@pytest.mark.parametrize(
    ("history", "changes"),
    [
        ([], {}),
        (scored(*[0] * 10, minutes_played=[0.0] * 10), {}),
        (scored(*[0] * 10, minutes_played=[NAN] * 10), {}),
        (scored(*TEN_GAMES), {f"{CACHE.name}.minutes_avg_last_10": 0.0}),
    ],
    ids=["no games", "no minutes", "unknown minutes", "no minutes lately"],
)
def test_minutes_against_nothing_are_missing(history: list[Row], changes: Row) -> None:
    assert told(row(history, changes), "minutes_change") == (None, 0.0, "default")


def test_free_throws_of_ten_games() -> None:
    makes = (8, 6, 10, 4, 7, 5, 9, 6, 8, 7)
    points = (28, 24, 32, 20, 26, 22, 30, 25, 29, 27)
    assert told(row(scored(*points, ft_makes=makes)), "pct_free_throw") == (0.266159696, 0.266159696, "calculated")
    older = scored(*points, 90, 90, ft_makes=(*makes, 0, 0))
    assert told(row(older), "pct_free_throw")[0] == 0.266159696


@pytest.mark.parametrize(
    ("points", "makes", "share"),
    [
        ((28,), (8,), None),
        ((20,) * 4, (4,) * 4, None),
        ((0,) * 10, (0,) * 10, None),
        ((20,) * 5, (4,) * 5, 0.2),
        ((20,) * 5, (0,) * 5, 0.0),
        ((10,) * 6, (9,) * 6, 0.5),
    ],
)
def test_free_throws_need_five_games_and_points(
    points: tuple[int, ...], makes: tuple[int, ...], share: float | None
) -> None:
    tag = "default" if share is None else "calculated"
    assert told(row(scored(*points, ft_makes=makes)), "pct_free_throw") == (
        share,
        0.15 if share is None else share,
        tag,
    )


@pytest.mark.parametrize(
    ("wins", "games", "share"),
    [(6, 8, 0.75), (2, 8, 0.25), (3, 6, 0.5), (2, 2, None), (4, 4, None), (5, 5, 1.0), (2, 6, 0.333333333)],
)
def test_share_of_wins_of_the_team(wins: int, games: int, share: float | None) -> None:
    tag = "default" if share is None else "calculated"
    result = row(None, {"team.wins": wins, "team.games": games})
    assert told(result, "team_win_pct") == (share, 0.5 if share is None else share, tag)


@pytest.mark.parametrize(
    ("own", "opponent", "advantage"),
    [(2, 0, 2.0), (0, 2, -2.0), (1, 1, 0.0), (5, 0, 2.0), (NAN, 1, None), (1, NAN, None)],
)
def test_rest_advantage_is_missing_where_either_rest_is(own: float, opponent: float, advantage: float | None) -> None:
    tag = "default" if advantage is None else "calculated"
    result = row(None, from_context(days_rest=own, opponent_days_rest=opponent))
    assert told(result, "rest_advantage") == (advantage, advantage or 0.0, tag)


@pytest.mark.parametrize(
    ("status", "risk"),
    [(None, 0.0), ("available", 0.0), ("probable", 1.0), ("questionable", 2.0), ("QUESTIONABLE", 2.0)],
)
def test_injury_risk_by_status(status: str | None, risk: float) -> None:
    assert told(row(None, from_context(player_status=status)), "injury_risk") == (risk, risk, "calculated")


@pytest.mark.parametrize(
    ("day", "phase", "is_playoff"),
    [
        ("2025-04-25", "late", 0.0),
        ("2025-06-10", "late", 0.0),
        ("2025-04-15", "playoffs", 1.0),
        ("2025-06-10", "playoffs", 1.0),
        ("2025-01-20", "mid", 0.0),
    ],
)
def test_play_offs_are_what_the_schedule_calls_so_not_a_month(day: str, phase: str, is_playoff: float) -> None:
    result = row(None, from_context(season_phase=phase), np.datetime64(day))
    assert told(result, "playoff_game") == (is_playoff, is_playoff, "phase3")


@pytest.mark.parametrize(("home", "yesterday"), [(1, 0), (0, 1)])
def test_place_and_back_to_back_are_those_of_the_context(home: int, yesterday: int) -> None:
    result = row(None, from_context(home_game=home, back_to_back=yesterday))
    assert told(result, "home_away") == (float(home), float(home), "phase3")
    assert told(result, "back_to_back") == (float(yesterday), float(yesterday), "phase3")
    assert result["is_home"] is bool(home)


def test_unknown_place_and_back_to_back_are_tagged_as_defaults() -> None:
    result = row(None, from_context(back_to_back=NAN))
    assert told(result, "back_to_back") == (None, 0.0, "default")


def test_without_factors_or_defence_their_features_are_defaults() -> None:
    result = row(None, missing(FACTORS, ZONE_DEFENSE))
    assert [
        told(result, name) for name in ("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score")
    ] == [
        (None, 50.0, "default"),
        (None, 0.0, "default"),
        (None, 0.0, "default"),
        (None, 0.0, "default"),
    ]
    assert [told(result, name) for name in ("opponent_def_rating", "opponent_pace")] == [
        (None, 112.0, "default"),
        (None, 100.0, "default"),
    ]
    assert result["feature_quality_score"] == full_score(defaults=6)


def test_missing_calculated_features_cost_as_defaults_do() -> None:
    """Trend and free throws of three games, and the wins of a team's fourth."""
    result = row(scored(20, 20, 20), {"team.wins": 2, "team.games": 4})
    assert [told(result, name)[2] for name in ("recent_trend", "pct_free_throw", "team_win_pct")] == ["default"] * 3
    assert result["feature_quality_score"] == full_score(defaults=3)


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (100, "gold"),
        (95, "gold"),
        (94.99, "silver"),
        (75, "silver"),
        (74.99, "bronze"),
        (50, "bronze"),
        (49.99, "poor"),
        (25, "poor"),
        (24.99, "unusable"),
    ],
)
def test_tier_of_a_quality_score(score: float, tier: str) -> None:
    assert quality_tier(np.array([float(score)])).tolist() == [tier]


@pytest.mark.parametrize(
    ("tables", "score", "tier"),
    [
        ((), full_score(), "gold"),
        ((FACTORS,), full_score(4), "silver"),
        ((FACTORS, SHOT_ZONES), full_score(5), "silver"),
    ],
)
def test_tier_of_a_row_follows_from_its_score(tables: tuple[Any, ...], score: float, tier: str) -> None:
    result = row(None, missing(*tables))
    assert (result["feature_quality_score"], result["quality_tier"]) == (score, tier)


def vector(phase4: int = 0, phase3: int = 0, calculated: int = 0) -> Vector:
    """A row of 25 features of so many of each origin, the rest defaults."""
    tags = ["phase4"] * phase4 + ["phase3"] * phase3 + ["calculated"] * calculated
    tags += ["default"] * (25 - len(tags))
    return Vector(
        FEATURES[:25],
        np.zeros((1, 25)),
        np.array([[TAGS.index(tag) for tag in TAGS for given_tag in tags if given_tag == tag]], dtype=np.intp),
    )


@pytest.mark.parametrize(
    ("origins", "source"),
    [
        ({"phase4": 23}, "phase4"),
        ({"phase4": 22, "calculated": 3}, "phase4_partial"),
        ({"phase4": 15}, "phase4_partial"),
        ({"phase4": 13, "phase3": 12}, "phase4_partial"),
        ({"phase3": 15}, "phase3"),
        ({"phase4": 12, "phase3": 13}, "phase3"),
        ({"phase4": 12, "phase3": 12}, "mixed"),
        ({"phase4": 10, "phase3": 5, "calculated": 5}, "mixed"),
        ({"calculated": 25}, "mixed"),
        ({}, "mixed"),
    ],
)
def test_kind_of_source_that_a_row_is_mostly_made_of(origins: dict[str, int], source: str) -> None:
    assert data_source(vector(**origins)).tolist() == [source]


@pytest.mark.parametrize(
    ("expected", "actual", "pct", "ready"),
    [
        (17, 17, 100.0, True),
        (15, 10, 66.7, False),
        (15, 5, 33.3, False),
        (15, 0, 0.0, False),
        (10, 9, 90.0, True),
        (0, 0, 100.0, True),
    ],
)
def test_own_completeness_is_that_of_the_context(expected: int, actual: int, pct: float, ready: bool) -> None:
    result = row(None, from_context(l10_expected_games=expected, l10_actual_games=actual))
    assert (result["expected_games_count"], result["actual_games_count"], result["missing_games_count"]) == (
        expected,
        actual,
        expected - actual,
    )
    assert (result["completeness_percentage"], result["is_production_ready"]) == (pct, ready)
    assert result["data_quality_issues"] == []


@pytest.mark.parametrize("value", [0.0, NAN], ids=["not ready", "no row"])
@pytest.mark.parametrize(("table", "issue"), UPSTREAM.items())
def test_each_upstream_row_must_be_there_and_ready(table: str, issue: str, value: float) -> None:
    result = row(None, {f"{table}.is_production_ready": value})
    assert (result["is_production_ready"], result["data_quality_issues"]) == (False, [issue])


def test_issues_come_in_their_order() -> None:
    assert row([], LOST)["data_quality_issues"] == list(UPSTREAM.values())


@pytest.mark.parametrize("excuse", ["backfill_bootstrap_mode", "season_boundary_detected"])
def test_an_exemption_is_for_own_windows_and_not_for_upstreams(excuse: str) -> None:
    excused = from_context(l10_actual_games=2, **{excuse: 1})
    result = row(None, excused)
    assert (result["completeness_percentage"], result["is_production_ready"], result[excuse]) == (20.0, True, True)
    assert row(None, excused | {f"{CACHE.name}.is_production_ready": 0})["is_production_ready"] is False


def test_lineage_lives_in_the_metadata() -> None:
    left_out = ("circuit_breaker_active", "early_season_flag", "insufficient_data_reason", "feature_generation_time_ms")
    assert not [name for name in TABLE.column_names if name.startswith("source_") or name in left_out]
    assert set(outcome([]).rows) | {"data_hash", "created_at", "processed_at", "reprocess_attempt_count"} == set(
        TABLE.column_names
    )


def maybe(values: st.SearchStrategy[float]) -> st.SearchStrategy[float]:
    return st.one_of(st.just(NAN), values)


def between(low: float, high: float) -> st.SearchStrategy[float]:
    return maybe(st.floats(low, high, allow_nan=False))


drawn_inputs = st.fixed_dictionaries(
    {
        **under(CACHE.name, {name: between(0, 60) for name in CACHED}),
        **under(
            FACTORS.name,
            {
                "fatigue_score": maybe(st.integers(0, 100).map(float)),
                **{name: between(-3, 3) for name in SCORES if name != "fatigue_score"},
            },
        ),
        **under(SHOT_ZONES.name, {name: between(0, 100) for name in SHARES}),
        **under(ZONE_DEFENSE.name, {name: between(90, 120) for name in DEFENDED}),
        **from_context(
            days_rest=maybe(st.integers(1, 200).map(float)),
            opponent_days_rest=maybe(st.integers(1, 200).map(float)),
            season_phase=st.sampled_from(["early", "mid", "late", "playoffs"]),
            player_status=st.sampled_from([None, "available", "probable", "questionable"]),
        ),
        "team.pace_last_10": between(90, 110),
        "team.offensive_rating_last_10": between(90, 130),
        "team.wins": st.integers(0, 41).map(float),
        "team.games": st.integers(41, 82).map(float),
        **{f"{table}.is_production_ready": st.sampled_from([0.0, 1.0, NAN]) for table in UPSTREAM},
    }
)
drawn_games = st.lists(
    st.one_of(
        st.just(SAT_OUT),
        st.fixed_dictionaries(
            {
                "points": st.integers(0, 60).map(float),
                "minutes_played": maybe(st.integers(0, 480).map(lambda tenths: tenths / 10)),
                "ft_makes": st.integers(0, 25).map(float),
            }
        ),
    ),
    max_size=12,
)


@settings(max_examples=30)
@given(drawn_inputs, drawn_games, drawn_games)
def test_whatever_is_known_the_model_gets_numbers_and_every_default_leaves_a_trace(
    inputs: Row, past: list[Row], future: list[Row]
) -> None:
    history = [game(day, **changes) for day, changes in zip(alternate_days(len(past)), past, strict=True)]
    to_come = [game(days_ago(-place), **changes) for place, changes in enumerate(future)]
    found = outcome([*history, *to_come], inputs)
    assert blocking_findings(TABLE, found.rows) == []
    (result,) = stored(TABLE, found.rows)
    assert result == row(history, inputs)
    for known in FEATURE_VERSIONS.values():
        values, tags = result[known.column("features")], result[known.column("feature_sources")]
        for feature, value, tag in zip(known.features, values, tags, strict=True):
            assert (result[feature.name] is None) == (tag == "default")
            assert value == (feature.default if tag == "default" else result[feature.name])
    weights = [WEIGHTS[tag] for tag in result["feature_sources"]]
    assert result["feature_quality_score"] == pytest.approx(sum(weights) / len(weights), abs=0.005)
    assert result["is_production_ready"] == (not result["data_quality_issues"])


def test_dates_together_and_one_by_one_are_the_same() -> None:
    days = [days_ago(number) for number in range(76, -1, -4)]
    history = {
        "sheet": ascending(
            [game(day, points=10 + place % 9) for place, day in enumerate(alternate_days(40))], game(TONIGHT)
        )
    }
    given_days = columns([requested(day, **(missing(CACHE) if place % 2 else {})) for place, day in enumerate(days)])
    assert one_by_one(TABLE, compute, given_days, history, READY) == (
        stored(TABLE, alone(compute)(given_days, history, READY).rows),
        [],
    )


DAYS = [days_ago(1), TONIGHT]
PEOPLE = ("austinreaves", "lebronjames")
KEYS = {CACHE: "cache_date", FACTORS: "game_date", SHOT_ZONES: "analysis_date"}


def of_player(table: Any, day: np.datetime64, player: str, **changes: Any) -> Row:
    values = {CACHE: CACHED, FACTORS: SCORES, SHOT_ZONES: SHARES}[table]
    return values | {KEYS[table]: day, "player_lookup": player, "is_production_ready": True, **changes}


def of_team(day: np.datetime64, team: str, **changes: Any) -> Row:
    return DEFENDED | {"analysis_date": day, "team_abbr": team, "is_production_ready": True, **changes}


def results(team: str, wins: int, pace: float) -> list[Row]:
    """Eight games before both dates."""
    return [
        {
            "game_date": days_ago(2 + place),
            "team_abbr": team,
            "pace": pace,
            "offensive_rating": 110.0,
            "win_flag": place < wins,
        }
        for place in range(8)
    ]


TABLES: dict[Any, list[Row]] = {
    SCHEDULE.table: [scheduled(OPENING, "BOS", "LAL"), *(scheduled(day, "BOS", "LAL", game_status=1) for day in DAYS)],
    PLAYER_CONTEXT: [
        CONTEXT | {"game_date": day, "player_lookup": player, "is_production_ready": True}
        for day in DAYS
        for player in PEOPLE
    ],
    **{table: [of_player(table, day, player) for day in DAYS for player in PEOPLE] for table in KEYS},
    ZONE_DEFENSE: [of_team(day, team) for day in DAYS for team in ("LAL", "BOS")],
    PLAYER_GAMES: [game(days_ago(2 + 2 * place), player_lookup=player) for player in PEOPLE for place in range(10)],
    TEAM_OFFENSE: [*results("LAL", 6, 101.0), *results("BOS", 2, 95.0)],
}


def built(changes: dict[Any, list[Row]]) -> dict[tuple[str, np.datetime64], Row]:
    rows = built_rows(ml_feature_store, DAYS, TABLES | changes)
    return {(line["player_lookup"], np.datetime64(line["game_date"])): line for line in rows}


def test_every_player_of_the_context_gets_a_row_in_order() -> None:
    tables = {table: rows[::-1] for table, rows in TABLES.items()}
    run, found = build(ml_feature_store, DAYS, tables)
    keys = [(line["player_lookup"], np.datetime64(line["game_date"])) for line in stored(TABLE, found.rows)]
    assert keys == [(player, day) for player in PEOPLE for day in DAYS]
    assert {line["feature_quality_score"] for line in stored(TABLE, found.rows)} == {full_score()}
    assert {read.table.name for read in run.reads} == {table.name for table in TABLES}


def test_a_form_that_cannot_be_computed_costs_the_players_of_that_team(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        row | {"team_abbr": "BOS", "opponent_team_abbr": "LAL"}
        for row in TABLES[PLAYER_CONTEXT]
        if row["player_lookup"] == PEOPLE[0]
    ]
    mine = [row for row in TABLES[PLAYER_CONTEXT] if row["player_lookup"] != PEOPLE[0]]
    tables = TABLES | {PLAYER_CONTEXT: [*others, *mine]}
    whole = built_rows(ml_feature_store, DAYS, tables)
    monkeypatch.setattr(team_form, "compute", failing(team_form.compute, "LAL"))
    records = failure_rows(build(ml_feature_store, DAYS, tables)[1])
    assert {record["entity_id"] for record in records} == set(PEOPLE[1:])
    assert {record["failure_category"] for record in records} == {"PROCESSING_ERROR"}
    assert built_rows(ml_feature_store, DAYS, tables) == [row for row in whole if row["player_lookup"] == PEOPLE[0]]


def test_who_played_on_the_date_is_not_known_before_it() -> None:
    played = [game(TONIGHT, player_lookup=player, points=60) for player in ("surprise", *PEOPLE)]
    assert built({PLAYER_GAMES: [*TABLES[PLAYER_GAMES], *played]}) == built({})


def test_wins_and_pace_are_those_of_his_own_team() -> None:
    """Traded between the two dates; his cache row is missing on both."""
    contexts = [
        CONTEXT | {"game_date": DAYS[0], "is_production_ready": True},
        CONTEXT | {"game_date": TONIGHT, "is_production_ready": True, "team_abbr": "BOS", "opponent_team_abbr": "LAL"},
    ]
    rows = built({PLAYER_CONTEXT: contexts, CACHE: []})
    found = {day: rows["lebronjames", day] for day in DAYS}
    assert [(found[day]["team_win_pct"], found[day]["team_pace"]) for day in DAYS] == [(0.75, 101.0), (0.25, 95.0)]


def test_teammates_are_those_of_the_same_team_and_date() -> None:
    """The other player leaves for the opponent before the second date."""
    contexts = [
        CONTEXT | {"game_date": day, "player_lookup": player, "is_production_ready": True}
        for day in DAYS
        for player in PEOPLE
    ]
    contexts[2] |= {"team_abbr": "BOS", "opponent_team_abbr": "LAL"}
    caches = [
        of_player(
            CACHE, day, player, minutes_avg_last_10=35.0 if player == "lebronjames" else 20.0, points_avg_season=points
        )
        for day, points in zip(DAYS, (15.0, 16.5), strict=True)
        for player in PEOPLE
    ]
    rows = built({PLAYER_CONTEXT: contexts, CACHE: caches})
    found = [
        (rows["lebronjames", day]["teammates_points"], rows["lebronjames", day]["expected_minutes"]) for day in DAYS
    ]
    assert found == [(15.0, 48.0), (0.0, 48.0)]
    many = [
        CONTEXT
        | {
            "game_date": TONIGHT,
            "player_lookup": f"player{number}",
            "is_production_ready": True,
            "games_in_last_14_days": 5,
            "minutes_in_last_14_days": 110,
        }
        for number in range(10)
    ]
    assert built({PLAYER_CONTEXT: [*contexts, *many], CACHE: caches})["lebronjames", TONIGHT][
        "expected_minutes"
    ] == round(240 * 35 / (35 + 10 * 22), 9)


def test_wins_are_of_this_season_and_before_the_date() -> None:
    others = [
        line | {"game_date": day, "win_flag": False}
        for day in (LAST_SEASON, TONIGHT)
        for line in results("LAL", 0, 150.0)[:1]
    ]
    assert (
        built({TEAM_OFFENSE: [*TABLES[TEAM_OFFENSE], *others]})["lebronjames", TONIGHT]
        == built({})["lebronjames", TONIGHT]
    )


@pytest.mark.parametrize(("team", "rating", "ready"), [("LAL", 110.5, True), ("BOS", 99.0, False)])
def test_zone_defense_is_that_of_the_opponent(team: str, rating: float, ready: bool) -> None:
    marked = {"defensive_rating_last_15": 99.0, "is_production_ready": False}
    defenses = [of_team(day, abbr, **(marked if abbr == team else {})) for day in DAYS for abbr in ("LAL", "BOS")]
    result = built({ZONE_DEFENSE: defenses})["lebronjames", TONIGHT]
    assert (result["opponent_def_rating"], result["is_production_ready"]) == (rating, ready)


@pytest.mark.parametrize(
    ("table", "column", "feature"),
    [
        (CACHE, "points_std_last_10", "points_std_last_10"),
        (FACTORS, "pace_score", "pace_score"),
        (SHOT_ZONES, "mid_range_rate_last_10", "pct_mid_range"),
    ],
    ids=["cache", "factors", "zones"],
)
def test_what_is_joined_is_of_the_same_date_and_player(table: Any, column: str, feature: str) -> None:
    rows = built(
        {
            table: [
                of_player(table, DAYS[0], "lebronjames", **{column: 1.0}),
                of_player(table, TONIGHT, "lebronjames", **{column: 2.0}),
                of_player(table, TONIGHT, "austinreaves", **{column: 3.0}),
            ]
        }
    )
    per = 100 if table is SHOT_ZONES else 1
    assert {key: line[feature] for key, line in rows.items()} == {
        ("austinreaves", DAYS[0]): None,
        ("austinreaves", TONIGHT): 3.0 / per,
        ("lebronjames", DAYS[0]): 1.0 / per,
        ("lebronjames", TONIGHT): 2.0 / per,
    }
    assert rows["austinreaves", DAYS[0]]["data_quality_issues"] == [UPSTREAM[table.name]]
    assert rows["austinreaves", TONIGHT]["data_quality_issues"] == []


def test_a_row_that_is_not_ready_is_read_all_the_same() -> None:
    caches = [of_player(CACHE, day, player, is_production_ready=False) for day in DAYS for player in PEOPLE]
    result = built({CACHE: caches})["lebronjames", TONIGHT]
    assert (result["points_avg_last_5"], result["is_production_ready"]) == (25.2, False)


def test_the_first_fourteen_days_of_a_season_have_no_placeholders() -> None:
    early = [OPENING + np.timedelta64(number, "D") for number in (13, 14)]
    contexts = [CONTEXT | {"game_date": day, "is_production_ready": True} for day in early]
    games = [scheduled(OPENING, "BOS", "LAL"), *(scheduled(day, "BOS", "LAL", game_status=1) for day in early)]
    run, found = build(ml_feature_store, early, TABLES | {SCHEDULE.table: games, PLAYER_CONTEXT: contexts})
    assert found.rows["game_date"].tolist() == [early[1].item()]
    assert list(run.date_notes.values()) == [
        {"no_rows_because": "bootstrap: day 13 of the season, rows begin with day 14"}
    ]


def test_a_date_without_contexts_has_no_rows() -> None:
    found = build(ml_feature_store, DAYS, TABLES | {PLAYER_CONTEXT: []})[1]
    assert (found.row_count, found.failure_count) == (0, 0)
