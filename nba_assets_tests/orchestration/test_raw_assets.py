"""What the log and the UI are told of an ingestion, from its report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from nba_assets.orchestration.raw_assets import (
    _date_metadata,
    _run_metadata,
    files_readable,
    rows_accepted,
    warnings,
)
from nba_assets.raw.collection import BadFile
from nba_assets.raw.ingestion import DateReport, IngestionReport
from nba_assets.warehouse.interface import WriteFacts

DAY, NEXT = date(2024, 11, 5), date(2024, 11, 6)
NOW = datetime(2024, 11, 6, 12, tzinfo=UTC)
GOOD = DateReport(DAY, 7, 0, "abc", NOW, landed=True)
REPORT = IngestionReport(
    table="rosters",
    by_date={DAY: GOOD},
    row_count=7,
    quarantined_count=0,
    conflict_count=0,
    examples=[],
    duplicate_count=0,
    replaced_count=0,
    notices={},
    hints=[],
    bad_files=[],
    files_read=2,
    files_skipped=3,
    required=False,
    required_but_absent=False,
    newest_processed_at=NOW,
    seconds={"read": 0.12346},
    written=WriteFacts(["job"], 1, 2, 3),
)
BAD_FILE = BadFile("rosters/x.csv", "is empty", days=(NEXT,))
ODD = replace(
    REPORT,
    by_date={
        DAY: replace(GOOD, quarantined_count=2, conflict_count=1, duplicate_count=4, replaced_count=5),
        NEXT: DateReport(NEXT, 3, 0, "def", None, landed=False, refusal="rosters/x.csv is empty"),
    },
    quarantined_count=2,
    conflict_count=1,
    examples=["row 1: odd"],
    duplicate_count=4,
    replaced_count=5,
    notices={"few": 1, "many": 1200, "also few": 1},
    hints=["rosters/y.csv: looks like UTC dates"],
    bad_files=[BAD_FILE],
)


def facts(result: Any) -> dict[str, Any]:
    return {name: entry.value for name, entry in result.metadata.items()}


def test_of_an_ingestion_without_faults_nothing_is_warned_and_every_check_has_passed() -> None:
    assert list(warnings(REPORT)) == []
    assert (files_readable(REPORT).passed, facts(files_readable(REPORT))) == (True, {"bad_files": 0})
    assert rows_accepted(REPORT).passed
    assert facts(rows_accepted(REPORT)) == dict.fromkeys(
        ("rows_quarantined", "rows_in_conflict", "duplicates_dropped", "rows_replaced"), 0
    )


def test_whatever_is_odd_is_warned_of_in_a_line() -> None:
    assert list(warnings(ODD)) == [
        "rosters: 2 rows (1 of them contradict each other) and 1 file quarantined in nba_processing.raw_quarantine, "
        "e.g. row 1: odd",
        "rosters: rosters/y.csv: looks like UTC dates",
        "rosters: 1 date does not count as ingested: 2024-11-06. Replace the files that cannot be used, and run the "
        "dates again",
        "rosters: kept, but not understood: many (1,200 rows), also few (1 row), few (1 row)",
    ]
    (line,) = warnings(replace(REPORT, quarantined_count=1, examples=["x"]))
    assert line == "rosters: 1 row quarantined in nba_processing.raw_quarantine, e.g. x"
    (line, *_) = warnings(replace(ODD, quarantined_count=0, conflict_count=0))
    assert line == "rosters: 1 file quarantined in nba_processing.raw_quarantine, e.g. row 1: odd"


def test_dates_of_a_feed_that_is_absent_are_not_listed_as_refused() -> None:
    assert not any("not count" in line for line in warnings(replace(ODD, required_but_absent=True)))


def test_the_checks_name_files_dates_and_examples() -> None:
    readable, accepted = files_readable(ODD), rows_accepted(ODD)
    assert (readable.passed, accepted.passed) == (False, False)
    assert facts(readable) == {"bad_files": 1, "files": ["rosters/x.csv is empty"], "dates": ["2024-11-06"]}
    assert facts(accepted) == {
        "rows_quarantined": 2,
        "rows_in_conflict": 1,
        "duplicates_dropped": 4,
        "rows_replaced": 5,
        "examples": ["row 1: odd"],
        "dates": ["2024-11-05"],
        "looks_like": ["rosters/y.csv: looks like UTC dates"],
        "notices": ["many (1,200 rows)", "also few (1 row)", "few (1 row)"],
        "rows_not_understood": 1202,
    }


@pytest.mark.parametrize("changes", [{"notices": {"odd": 1}}, {"quarantined_count": 1}])
def test_one_row_that_is_not_understood_or_not_stored_fails_the_check(changes: dict[str, Any]) -> None:
    assert not rows_accepted(replace(REPORT, **changes)).passed


def test_a_required_feed_without_files_fails_the_check() -> None:
    result = files_readable(replace(REPORT, required_but_absent=True))
    assert not result.passed
    assert facts(result)["absent"] == "the landing zone has no file of this required feed"


def test_of_many_files_hints_and_notices_ten_are_shown() -> None:
    many = replace(
        REPORT,
        bad_files=[BAD_FILE] * 12,
        hints=["hint"] * 12,
        notices={f"{number:02}": 1 for number in range(12)},
    )
    assert (len(facts(files_readable(many))["files"]), facts(files_readable(many))["bad_files"]) == (10, 12)
    assert (len(facts(rows_accepted(many))["looks_like"]), len(facts(rows_accepted(many))["notices"])) == (10, 10)
    assert facts(rows_accepted(many))["rows_not_understood"] == 12


def test_the_facts_of_a_date() -> None:
    found = _date_metadata(ODD.by_date[DAY])
    assert found == {
        "dagster/partition_row_count": 7,
        "rows": 7,
        "rows_quarantined": 2,
        "rows_in_conflict": 1,
        "duplicates_dropped": 4,
        "rows_replaced": 5,
        "digest": "abc",
        "landed": True,
    }
    refused = _date_metadata(ODD.by_date[NEXT])
    assert (refused["status"], refused["refused_because"]) == ("REFUSED", "rosters/x.csv is empty")


def test_a_date_leaves_out_the_counts_of_what_it_has_none_of() -> None:
    plain = replace(ODD.by_date[DAY], quarantined_count=0, conflict_count=0, duplicate_count=0, replaced_count=0)
    assert _date_metadata(plain) == {
        "dagster/partition_row_count": 7,
        "rows": 7,
        "rows_quarantined": 0,
        "digest": "abc",
        "landed": True,
    }


def test_the_facts_of_a_run() -> None:
    assert _run_metadata(ODD) == {
        "rows_in_run": 7,
        "rows_quarantined_in_run": 2,
        "rows_in_conflict_in_run": 1,
        "duplicates_dropped_in_run": 4,
        "rows_replaced_in_run": 5,
        "notices": 1202,
        "files_read": 2,
        "files_skipped": 3,
        "files_bad": 1,
        "dates_kept": 1,
        "dates_refused": 1,
        "seconds_read": 0.1235,
        "job_ids": ["job"],
        "bytes_processed": 1,
        "bytes_billed": 2,
        "bytes_read": 3,
    }
