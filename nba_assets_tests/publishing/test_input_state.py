"""Inputs as digests: sums over windows of dates, as texts, and in what two records differ."""

from __future__ import annotations

import numpy as np

from nba_assets.publishing.input_state import DatedHashes, differing_inputs, input_text, inputs_texts, partition_hashes

DAYS = np.arange("2024-11-01", "2024-11-07", dtype="M8[D]")
HASHES = np.array([1, 10, 100, 1000, 10000, 2**64 - 1], dtype=np.uint64)


def total(hashes: DatedHashes, first: int, last: int) -> int:
    return int(hashes.total(DAYS[first : first + 1], DAYS[last : last + 1])[0])


def test_a_window_holds_the_sum_of_its_dates_whatever_lies_around_them() -> None:
    order = [3, 0, 5, 1, 4, 2]
    everything = DatedHashes.of(DAYS[order], HASHES[order])
    assert [total(everything, *window) for window in ((0, 0), (0, 2), (1, 3), (4, 4), (2, 1))] == [
        1,
        111,
        1110,
        10000,
        0,
    ]
    for first in range(5):
        part = DatedHashes.of(DAYS[first:], HASHES[first:])
        assert total(part, first, 5) == total(everything, first, 5)


def test_sums_go_on_beyond_what_64_bits_hold() -> None:
    assert total(DatedHashes.of(DAYS, HASHES), 4, 5) == 9999


def test_a_date_with_several_hashes_counts_them_all_and_one_without_counts_nothing() -> None:
    twice = DatedHashes.of(DAYS[[1, 1]], HASHES[:2])
    assert [total(twice, *window) for window in ((1, 1), (0, 5), (0, 0), (2, 5))] == [11, 11, 0, 0]
    assert total(DatedHashes.of(DAYS[:0], HASHES[:0]), 0, 5) == 0


def test_a_record_has_each_input_with_sixteen_digits() -> None:
    assert input_text("rosters", 255) == "rosters=00000000000000ff"
    columns = {"a": np.array([1, 2], dtype=np.uint64), "b": np.array([3, 2**64 - 1], dtype=np.uint64)}
    assert inputs_texts(columns) == ["a=0000000000000001 b=0000000000000003", "a=0000000000000002 b=ffffffffffffffff"]


def test_two_records_differ_in_what_they_have_in_common() -> None:
    assert differing_inputs("a=1 b=2 c=3", "c=4 b=2 d=5 a=0") == ["a", "c"]
    assert differing_inputs("a=1", "b=1") == differing_inputs("", "a=1") == []


def test_a_date_counts_by_its_day_and_its_digest() -> None:
    days, digests = DAYS[[0, 1, 0]], np.array(["x", "x", "y"], dtype=object)
    assert len(set(partition_hashes(days, digests).tolist())) == 3
    assert partition_hashes(days, digests)[0] == partition_hashes(days[:1], digests[:1])[0]
