"""What every back end shares: the moment of a write, and the condition that stops one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from nba_assets.tables.spec import Table, count, day, moment, text
from nba_assets.warehouse.interface import Changed, OvertakenError, Replacement, WriteFacts

DAY = date(2025, 1, 15)
TABLE = Table(
    "nba_analytics",
    "small",
    "one player",
    ("game_date", "player"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player", "Player", nullable=False),
        count("points", "Points"),
        moment("computed_at", "When"),
    ),
)


def overtaken(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    """What is said of the change; empty where it is none."""
    schema = pa.Table.from_pylist(before or now).schema
    try:
        Changed(TABLE, pa.Table.from_pylist(before, schema), DAY, DAY).require_unchanged(
            pa.Table.from_pylist(now, schema)
        )
    except OvertakenError as error:
        return str(error)
    return ""


ROW, OTHER = {"player": "a", "points": 1}, {"player": "b", "points": 2}


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], [ROW]),
        ([ROW], []),
        ([ROW], [{**ROW, "points": 2}]),
        ([ROW], [{**ROW, "points": None}]),
        ([ROW, ROW], [ROW]),
        ([ROW], [ROW, ROW]),
        ([ROW, OTHER], [OTHER, ROW]),
    ],
    ids=["row more", "row less", "value", "null", "one of two equal rows less", "equal row more", "another order"],
)
def test_any_difference_stops_the_write(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> None:
    assert (
        overtaken(before, now)
        == "overtaken by another writer: nba_analytics.small has changed since it was read; nothing was written"
    )


def test_nothing_different_stops_nothing() -> None:
    assert overtaken([ROW, OTHER], [ROW, OTHER]) == overtaken([], []) == ""


def test_the_first_row_that_is_new_or_gone_names_run_and_date() -> None:
    old, new = ({"game_date": DAY, "run_id": run} for run in ("old", "new"))
    assert overtaken([old], [new]).startswith(
        "overtaken by run new: nba_analytics.small has changed for 2025-01-15 since"
    )
    assert overtaken([old], []).startswith("overtaken by run old: ")


def test_rows_that_stayed_name_nothing() -> None:
    stayed, old, new = ({"game_date": DAY, "run_id": run} for run in ("stayed", "old", "new"))
    assert overtaken([stayed, old], [stayed, new]).startswith("overtaken by run new: ")
    assert overtaken([stayed, old], [stayed]).startswith("overtaken by run old: ")


def test_a_write_that_no_job_was_run_for_has_nothing_to_note() -> None:
    assert WriteFacts().notes == {}
    assert WriteFacts(("a", "b")).notes == {
        "job_ids": ["a", "b"],
        "bytes_processed": 0,
        "bytes_billed": 0,
        "bytes_read": 0,
    }
    assert WriteFacts(["a"], 1, 2, 3).notes == {
        "job_ids": ["a"],
        "bytes_processed": 1,
        "bytes_billed": 2,
        "bytes_read": 3,
    }


def test_only_a_moment_that_is_null_becomes_that_of_the_write() -> None:
    then, now = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 16, 9, tzinfo=UTC)
    kind = pa.timestamp("us", tz="UTC")
    rows = pa.table({"computed_at": pa.array([then, None], kind), "points": [1, 2]})
    assert Replacement(TABLE, rows, [DAY], moment_column="computed_at").written_at(now)["computed_at"].to_pylist() == [
        then,
        now,
    ]
    assert Replacement(TABLE, rows, [DAY], moment_column="computed_at").written_at(now).schema == rows.schema
    assert Replacement(TABLE, rows, [DAY]).written_at(now) is rows
