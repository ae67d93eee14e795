"""Tiers, samples and readiness at the very values where they turn."""

from __future__ import annotations

import numpy as np
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import LONGEST_REASON, concatenate, failures, join, length
from nba_assets.entities.quality import (
    BACKUP_SCORE,
    PRIMARY_SCORE,
    collect,
    production_ready,
    quality_tier,
    sample_quality,
)
from nba_assets.entities.refusals import REASON, divide, first_of, reasons


def texts(*values: object) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        *[
            (100, "gold"),
            (95, "gold"),
            (94.99, "silver"),
            (75, "silver"),
            (74.99, "bronze"),
            (50, "bronze"),
            (49.99, "poor"),
        ],
        *[(25, "poor"), (24.99, "unusable"), (0, "unusable"), (float("nan"), "unusable")],
    ],
)
def test_a_tier_begins_at_its_lowest_score(score: float, tier: str) -> None:
    assert quality_tier(np.array([float(score)])).tolist() == [tier]
    assert (PRIMARY_SCORE, BACKUP_SCORE) == (100, 85)


@pytest.mark.parametrize(
    ("games", "target", "quality"),
    [
        *[
            (10, 10, "excellent"),
            (9, 10, "good"),
            (7, 10, "good"),
            (6, 10, "limited"),
            (5, 10, "limited"),
            (4, 10, "insufficient"),
        ],
        *[
            (5, 5, "excellent"),
            (3, 5, "good"),
            (2, 5, "limited"),
            (1, 5, "insufficient"),
            (0, 5, "insufficient"),
            (11, 10, "excellent"),
        ],
    ],
)
def test_how_well_a_sample_fills_its_target(games: int, target: int, quality: str) -> None:
    assert sample_quality(np.array([games]), target).tolist() == [quality]


def test_names_are_gathered_in_order_and_may_differ_by_row() -> None:
    found = collect(3, [(np.array([True, False, True]), "thin"), (np.array([True, True, False]), texts("a", "b", "c"))])
    assert found.tolist() == [("thin", "a"), ("b",), ("thin",)]
    assert collect(2, []).tolist() == [(), ()]


@pytest.mark.parametrize("issue", ["all_sources_failed", "missing_required", "placeholder_created"])
def test_a_row_is_ready_from_bronze_on_without_a_blocking_issue(issue: str) -> None:
    tiers = texts("gold", "silver", "bronze", "poor", "unusable", "gold", "gold")
    issues = texts((), (), ("thin_sample",), (), (), (issue,), ("thin_sample", issue))
    assert production_ready(tiers, issues).tolist() == [True, True, True, False, False, False, False]


def test_failures_fill_what_is_not_said_with_nulls() -> None:
    days = np.array(["2025-01-15", "2025-01-16"], dtype="M8[D]")
    found = failures(
        texts("a", "b"), days, "PLAYER", "PROCESSING_ERROR", ["x" * (LONGEST_REASON + 1), "y"], can_retry=True
    )
    assert [len(reason) for reason in found["failure_reason"]] == [LONGEST_REASON, 1] == [1000, 1]
    assert (found["entity_type"].tolist(), found["can_retry"].tolist(), found["failure_type"].tolist()) == (
        ["PLAYER"] * 2,
        [1, 1],
        [None] * 2,
    )
    assert np.isnan([found[name] for name in ("is_correctable", "expected_record_count", "actual_record_count")]).all()
    assert found["missing_game_ids"].tolist() == [None, None]
    told = failures(
        texts("a"),
        days[:1],
        "TEAM",
        "X",
        "why",
        can_retry=False,
        is_correctable=True,
        expected=np.array([5]),
        actual=np.array([3]),
    )
    shown = [
        told[name].tolist()
        for name in ("is_correctable", "expected_record_count", "actual_record_count", "can_retry", "failure_reason")
    ]
    assert shown == [[1], [5], [3], [0], ["why"]]


def test_tables_are_joined_and_those_without_columns_are_skipped() -> None:
    assert concatenate([{}, {"a": np.array([1.0])}, {}, {"a": np.array([2.0])}])["a"].tolist() == [1, 2]
    assert (concatenate([]), length({}), join([]).row_count, join([]).failure_count) == ({}, 0, 0, 0)


def test_a_row_is_refused_for_the_first_reason_and_named_with_it() -> None:
    days = np.array(["2025-01-15", "2025-01-16"], dtype="M8[D]")
    failed = failures(texts("LAL"), days[:1], "TEAM", "PROCESSING_ERROR", "boom", can_retry=True)
    facts = reasons("the facts", failed, days, texts("LAL", "LAL"))
    assert facts.tolist() == ["the facts of LAL could not be computed: boom", None]
    assert reasons("the facts", {}, days, texts("LAL", "LAL")).tolist() == [None, None]
    assert first_of(facts, texts("second", "second")).tolist() == [facts[0], "second"]
    assert facts[1] is None, "what was given stays as it was"


def test_rows_that_cannot_be_computed_become_failures_of_their_players() -> None:
    requested = {"player_lookup": texts("a", "b"), "game_date": np.array(["2025-01-15", "2025-01-16"], dtype="M8[D]")}
    able, lost = divide(Grouped.by({**requested, REASON: texts("why", None)}, "player_lookup", "game_date"))
    assert (able["player_lookup"].tolist(), lost["entity_id"].tolist(), lost["failure_reason"].tolist()) == (
        ["b"],
        ["a"],
        ["why"],
    )
    assert (lost["failure_category"].tolist(), lost["can_retry"].tolist()) == (["PROCESSING_ERROR"], [1])
    assert lost["partition_date"].tolist() == requested["game_date"][:1].tolist()
    able, lost = divide(Grouped.by(requested, "player_lookup", "game_date"))
    assert (len(able["player_lookup"]), lost) == (2, {})
