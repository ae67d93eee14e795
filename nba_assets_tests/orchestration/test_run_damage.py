"""What a run did not publish and what it reported, from what stands in the warehouse under its id."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from nba_assets.orchestration.damage import Damage, ExitCode, Reported, damage_of
from nba_assets.orchestration.raw_assets import COMMON_FAULTS, NOTICES, ROWS_ACCEPTED, ROWS_NOT_UNDERSTOOD
from nba_assets.publishing.refusals import Refusal
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, HARD_FAILURE, RAW_QUARANTINE, REFUSED_DATES, WHOLE_FILE
from nba_assets.tables.spec import SHARED_NOTICES
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.precompute.builders import Shelf

DAY = date(2024, 11, 5)
TABLE = "player_game_summary"
NOTHING = Damage([], {}, {}, [], {}, {}, {})
REFUSAL = Refusal(TABLE, DAY, "why", "mine")


def damage(checks: list[Any] | None = None, **rows: list[dict[str, Any]]) -> Damage:
    """The damage of the run "mine": what is stored, by kind, and evaluated checks; the run "other" did as much."""
    tables = {"refused": REFUSED_DATES, "failures": ENTITY_FAILURES, "quarantined": RAW_QUARANTINE}
    shelf = {
        tables[kind].name: [{"run_id": run, "partition_date": DAY, **row} for run in ("mine", "other") for row in mine]
        for kind, mine in rows.items()
    }
    records = [
        SimpleNamespace(event_log_entry=SimpleNamespace(dagster_event=event))
        for event in (None, *(SimpleNamespace(asset_check_evaluation_data=check) for check in checks or ()))
    ]
    instance = SimpleNamespace(get_records_for_run=lambda *_, **__: SimpleNamespace(records=records))
    return damage_of(cast(Warehouse, Shelf(shelf)), cast(dg.DagsterInstance, instance), "mine")


def check(name: str, table: str = TABLE, /, *, passed: Any = False, **metadata: Any) -> Any:
    facts = {key: SimpleNamespace(value=value) for key, value in metadata.items()}
    return SimpleNamespace(passed=passed, asset_key=dg.AssetKey(table), check_name=name, metadata=facts)


def test_a_run_that_did_nothing_wrong_has_no_damage() -> None:
    assert damage() == NOTHING
    assert list(NOTHING.lines()) == []
    assert NOTHING.exit_code is ExitCode.PUBLISHED
    assert int(NOTHING.exit_code) == 0


def test_refused_dates_are_those_of_the_run() -> None:
    found = damage(refused=[{"table_name": TABLE, "reason": "why"}])
    assert found == replace(NOTHING, refused=[REFUSAL])
    assert list(found.lines()) == [f"{TABLE} {DAY} REFUSED: why"]


def test_failures_are_counted_by_table_the_hard_ones_by_what_was_broken() -> None:
    def failure(category: str, reason: str, table: str = TABLE) -> dict[str, Any]:
        return {"table_name": table, "failure_category": category, "failure_reason": reason}

    found = damage(
        failures=[
            failure(HARD_FAILURE, "KeyError: x"),
            failure(HARD_FAILURE, "ValueError: a"),
            failure(HARD_FAILURE, "ValueError: b"),
            failure("MISSING_RAW_DATA", "no sheet", "player_daily_cache"),
            failure("MISSING_RAW_DATA", "no sheet"),
            failure("MISSING_RAW_DATA", "no sheet"),
            failure("STALE_DATA", "old"),
        ]
    )
    assert found == replace(
        NOTHING,
        hard_failures={TABLE: Counter(ValueError=2, KeyError=1)},
        missing_raw_data={TABLE: 2, "player_daily_cache": 1},
    )
    assert sorted(found.lines()) == [
        "player_daily_cache: raw data is lacking for 1 entity; see nba-assets failures --category MISSING_RAW_DATA "
        "--table player_daily_cache",
        f"{TABLE}: 3 entities failed hard (ValueError 2, KeyError 1); see nba-assets failures --category "
        f"{HARD_FAILURE} --table {TABLE}",
        f"{TABLE}: raw data is lacking for 2 entities; see nba-assets failures --category MISSING_RAW_DATA "
        f"--table {TABLE}",
    ]


def test_quarantined_rows_are_counted_with_the_first_of_each_table_and_files_are_named() -> None:
    def row(table: str, number: int, reason: str) -> dict[str, Any]:
        return {"table_name": table, "file": f"{table}.csv", "row_number": number, "reason": reason}

    found = damage(
        quarantined=[
            row("rosters", 3, "first"),
            row("rosters", 4, "second"),
            row("schedule", WHOLE_FILE, "is empty."),
            row("schedule", 7, "odd"),
        ]
    )
    assert found == replace(
        NOTHING,
        unusable_files=["schedule: schedule.csv is empty."],
        quarantined={"rosters": 2, "schedule": 1},
        quarantine_examples={"rosters": "rosters.csv, row 3: first", "schedule": "schedule.csv, row 7: odd"},
    )
    assert list(found.lines()) == [
        "schedule: schedule.csv is empty; replace or remove the file, and run the date again",
        "rosters: 2 rows quarantined, e.g. rosters.csv, row 3: first; see nba-assets quarantine --table rosters",
        "schedule: 1 row quarantined, e.g. schedule.csv, row 7: odd; see nba-assets quarantine --table schedule",
    ]


def test_failed_checks_of_inputs_are_reported_and_no_others() -> None:
    shared = next(iter(SHARED_NOTICES)).name
    found = damage(
        [
            check(shared, offending_games=2, offending_teams=3, dates=["x"], examples=["one.", "two"]),
            check(shared, "team_offense_game_summary", passed=True, offending_games=2),
            check(shared, "of_somebody_else", offending_games=2),
            check("another_check", offending_games=2),
            check(ROWS_ACCEPTED, "rosters", **{ROWS_NOT_UNDERSTOOD: "4", NOTICES: ["odd"], COMMON_FAULTS: ["UTC"]}),
            check(ROWS_ACCEPTED, "schedule", **{ROWS_NOT_UNDERSTOOD: 0, COMMON_FAULTS: "no list"}),
        ]
    )
    assert found == replace(
        NOTHING,
        quarantine_examples={"rosters": "UTC"},
        notices={f"{TABLE}.{shared}": Reported(5, "one."), f"rosters.{ROWS_ACCEPTED}": Reported(4, "odd")},
    )
    assert list(found.lines()) == [
        f"{TABLE}.{shared}: 5 reported, e.g. one; see the check in the UI",
        f"rosters.{ROWS_ACCEPTED}: 4 reported, e.g. odd; see the check in the UI",
    ]


def test_a_check_without_examples_is_reported_all_the_same() -> None:
    shared = next(iter(SHARED_NOTICES)).name
    assert damage([check(shared, offending_games=1)]).notices == {f"{TABLE}.{shared}": Reported(1, "")}


def test_a_person_reads_of_a_file_once_with_what_to_do_and_a_program_of_every_date() -> None:
    file, other = "team_boxscores/a.csv cannot be read.", "rosters/b.csv is no CSV"
    refused = [
        replace(REFUSAL, day=DAY + timedelta(days=number), reason=f"it was not ingested for {day}: {file}")
        for number in range(3)
        for day in [DAY + timedelta(days=number)]
    ]
    found = replace(NOTHING, refused=refused, unusable_files=[f"team_boxscores: {file}", f"rosters: {other}"])
    first, second = found.summary()
    assert first == (
        f"{TABLE} {DAY} to {DAY + timedelta(days=2)} (3 dates) REFUSED: it was not ingested: team_boxscores/a.csv "
        "cannot be read; replace or remove the file, and run again"
    )
    assert second == f"rosters: {other}; replace or remove the file, and run the date again"
    assert len(list(found.lines())) == 5


@pytest.mark.parametrize(("count", "more"), [(50, []), (51, [1])])
def test_fifty_causes_are_shown_and_the_others_counted(count: int, more: list[int]) -> None:
    refused = [replace(REFUSAL, reason=f"why {number}") for number in range(count)]
    lines = list(replace(NOTHING, refused=refused).summary())
    assert lines[:50] == [f"{TABLE} {DAY} REFUSED: why {number}" for number in range(50)]
    assert lines[50:] == [
        f"and {each} more causes of refused dates; nba-assets status lists all of them" for each in more
    ]


@pytest.mark.parametrize(("count", "more"), [(50, []), (51, [1]), (60, [10])])
def test_fifty_refused_dates_are_shown_and_the_others_counted(count: int, more: list[int]) -> None:
    refused = [replace(REFUSAL, day=DAY + timedelta(days=number)) for number in range(count)]
    lines = list(replace(NOTHING, refused=refused).lines())
    assert lines[:50] == [str(refusal) for refusal in refused[:50]]
    assert lines[50:] == [f"and {each} more refused dates; nba-assets status lists all of them" for each in more]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"refused": [REFUSAL]}, 1),
        ({"hard_failures": {TABLE: Counter(KeyError=1)}}, 1),
        ({"unusable_files": ["x"]}, 1),
        ({"quarantined": {"rosters": 1}}, 3),
        ({"missing_raw_data": {TABLE: 1}}, 3),
        ({"notices": {"x": Reported(1, "")}}, 3),
        ({"quarantined": {"rosters": 1}, "refused": [REFUSAL]}, 1),
    ],
)
def test_the_exit_code_tells_what_was_not_published_from_what_is_odd(changes: dict[str, Any], code: int) -> None:
    assert replace(NOTHING, **changes).exit_code == code
