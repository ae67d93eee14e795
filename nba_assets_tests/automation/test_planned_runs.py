"""A planned run as Dagster and people see it."""

from __future__ import annotations

from datetime import date

from nba_assets.automation.planned_runs import LONGEST_REASON, Launch, PlannedRun, fingerprint, shortened

FIRST, LAST = date(2024, 11, 5), date(2024, 11, 6)


def test_a_single_date_is_a_partition_and_several_are_a_range() -> None:
    one, two = Launch("full", (), FIRST, FIRST), Launch("full", (), FIRST, LAST)
    assert (one.span, two.span) == ("2024-11-05", "2024-11-05 to 2024-11-06")
    assert one.tags == {"dagster/partition": "2024-11-05"}
    assert two.tags == {
        "dagster/asset_partition_range_start": "2024-11-05",
        "dagster/asset_partition_range_end": "2024-11-06",
    }
    assert PlannedRun(two, "key", "trigger").dates == two.span


def test_a_fingerprint_is_short_and_goes_by_the_parts_and_their_order() -> None:
    assert fingerprint(["a", 1]) == fingerprint(("a", "1"))
    assert len({fingerprint(parts) for parts in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])}) == 5
    assert len(fingerprint(["a"])) == 12


def test_a_reason_is_cut_where_tags_are_and_says_so() -> None:
    fitting = "x" * LONGEST_REASON
    assert shortened(fitting) == fitting
    assert shortened(f"{fitting}y") == f"{fitting[:-1]}…"
    assert len(shortened(2 * fitting)) == LONGEST_REASON == 160
