"""Where the pipeline stands in words, and the command that comes next, whatever was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_assets.orchestration import overview as module
from nba_assets.orchestration.overview import Overview, overview, overview_lines
from nba_assets.publishing.retry import OpenFailure
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.wording import DATES_SHOWN

TODAY = date(2024, 11, 10)
DAYS = [TODAY - timedelta(days=number) for number in range(6, 0, -1)]
UP_TO_DATE = Overview(TODAY, TODAY, {}, {}, [], {}, {}, {}, 0, [], [], True, True, True)


def test_of_failures_those_to_be_retried_or_mended_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failure(table: str, category: str, *, can_retry: bool) -> OpenFailure:
        now = datetime(2024, 11, 10, tzinfo=UTC)
        return OpenFailure(table, TODAY, "a", category, "why", now, can_retry, 0)

    failures = [
        failure("player_game_summary", "MISSING_RAW_DATA", can_retry=True),
        failure("player_game_summary", HARD_FAILURE, can_retry=False),
        failure("ml_feature_store", HARD_FAILURE, can_retry=True),
        failure("ml_feature_store", "STALE_DATA", can_retry=False),
    ]
    monkeypatch.setattr(module, "open_failures", lambda *_: failures)
    warehouse, landing = DuckDBWarehouse(tmp_path / "nba.duckdb"), FolderLandingZone(tmp_path / "landing")
    seen = overview(warehouse, landing, TODAY, Settings.from_environment({}))
    assert seen.failures == {"player_game_summary": 2, "ml_feature_store": 1}
    assert (seen.newest, seen.landed, seen.has_landing_zone) == (None, [], False)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({}, [f"Built until {TODAY}; today is {TODAY} (US-Eastern)."]),
        (
            {"newest": None, "behind": {"a": DAYS[0], "b": None}},
            [
                f"Built so far: 10 of 10 tables; today is {TODAY} (US-Eastern).",
                f"  a is built until {DAYS[0]}",
                "  b is built until no date",
            ],
        ),
        (
            {"newest": None, "tables_built": 0},
            [
                "Nothing is built yet. No raw files have landed: set NBA_ASSETS_LANDING to their folder, or try the "
                "demo."
            ],
        ),
        ({"newest": None, "tables_built": 0, "landed": DAYS[:1]}, ["Nothing is built yet. Raw files have landed."]),
        (
            {
                "newest": None,
                "tables_built": 0,
                "ingested": DAYS[:2],
                "unbuilt": {"a": DAYS[:2]},
                "without_rows": {"a": DAYS},
            },
            [f"Nothing is built yet. Raw files are ingested for 2 dates with games from {DAYS[0]} to {DAYS[1]}."],
        ),
        (
            {"newest": None, "tables_built": 1, "unbuilt": {"a": DAYS[:2], "b": DAYS[1:2]}},
            [
                f"Built so far: 1 of 10 tables; today is {TODAY} (US-Eastern).",
                f"Ingested and not built in all tables: {DAYS[0]}, {DAYS[1]}",
            ],
        ),
        ({"landing_fault": "x is no folder"}, ["What has landed since is not known: x is no folder"]),
        (
            {"newest": None, "tables_built": 0, "landing_fault": "x is no folder"},
            ["Nothing is built yet. What has landed is not known: x is no folder"],
        ),
        ({"stale": {"a": DAYS[:2]}}, [f"Stale: a {DAYS[0]}, {DAYS[1]}"]),
        ({"outdated": ["a: older code"]}, ["a: older code"]),
        ({"without_rows": {"a": DAYS[:1]}}, [f"Without rows although games are final: a {DAYS[0]}"]),
        ({"never_landed": {"a": DAYS[:1]}}, [f"Final games of which no feed of a has landed: {DAYS[0]}"]),
        ({"failures": {"a": 1200, "b": 1}}, ["Failures to look at: 1,200 in a, 1 in b"]),
        (
            {"refused": 1200},
            ["Refused dates: 1,200; correct what `nba-assets status` names as the reason, then run them again"],
        ),
        (
            {"refused": 2, "rebuildable": DAYS[:1]},
            [f"Refused dates: 2; since then their input has changed for {DAYS[0]}"],
        ),
        ({"unreadable": ["x", "y"]}, ["Cannot be read: x", "Cannot be read: y"]),
        (
            {"unreadable": ["a", "b", "c", "d"]},
            [*(f"Cannot be read: {name}" for name in "abc"), "Cannot be read: 1 more; `nba-assets status` names them"],
        ),
        ({"without_table": ["x belongs to no raw table"]}, ["x belongs to no raw table"]),
        ({"landed": DAYS[:1]}, [f"Landed and not ingested: {DAYS[0]}"]),
    ],
)
def test_whatever_is_found_is_said(changes: dict[str, Any], lines: list[str]) -> None:
    said = list(overview_lines(replace(UP_TO_DATE, **changes)))
    assert [line for line in said if line in lines] == lines


def test_of_many_dates_the_first_and_the_last_are_shown() -> None:
    shown = DATES_SHOWN
    (line,) = (
        line for line in overview_lines(replace(UP_TO_DATE, landed=DAYS[: shown + 1])) if line.startswith("Landed")
    )
    assert line == (f"Landed and not ingested: {', '.join(map(str, DAYS[:shown]))} and 1 more until {DAYS[shown]}")
    (line,) = (line for line in overview_lines(replace(UP_TO_DATE, landed=DAYS[:shown])) if line.startswith("Landed"))
    assert line == f"Landed and not ingested: {', '.join(map(str, DAYS[:shown]))}"


def test_where_nothing_is_found_everything_is_up_to_date() -> None:
    assert list(overview_lines(UP_TO_DATE))[-1] == "Everything is up to date."


def test_with_a_landing_zone_that_cannot_be_read_nothing_is_said_to_be_up_to_date() -> None:
    fault = replace(UP_TO_DATE, newest=None, tables_built=0, has_landing_zone=False, landing_fault="x is no folder")
    assert list(overview_lines(fault)) == ["Nothing is built yet. What has landed is not known: x is no folder"]


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, None),
        ({"landed": DAYS[:1]}, f"nba-assets run {DAYS[0]}"),
        ({"landed": DAYS[2:3], "stale": {"a": DAYS[1:2]}}, f"nba-assets backfill {DAYS[1]} {DAYS[2]}"),
        ({"without_rows": {"a": DAYS[3:5]}, "failures": {"a": 1}}, f"nba-assets backfill {DAYS[3]} {DAYS[4]}"),
        ({"built_today": False}, f"nba-assets run {TODAY}"),
        ({"built_today": False, "games_today": False}, None),
        ({"failures": {"a": 1}}, "nba-assets failures"),
        ({"failures": {"a": 1}, "refused": 1}, "nba-assets status"),
        ({"unreadable": ["x"]}, "nba-assets status"),
        ({"refused": 2, "rebuildable": DAYS[:1]}, f"nba-assets run {DAYS[0]}"),
        ({"has_landing_zone": False}, None),
        ({"newest": None, "tables_built": 0}, None),
        ({"newest": None, "tables_built": 0, "has_landing_zone": False}, "nba-assets demo"),
        ({"newest": None, "tables_built": 0, "has_landing_zone": False, "landing_fault": "x"}, None),
        ({"newest": None, "tables_built": 0, "unbuilt": {"a": DAYS[:2]}}, f"nba-assets backfill {DAYS[0]} {DAYS[1]}"),
    ],
)
def test_the_next_command_builds_what_is_missing_before_anything_else(
    changes: dict[str, Any], command: str | None
) -> None:
    assert replace(UP_TO_DATE, **changes).next_command == command
