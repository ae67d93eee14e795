"""A delivery that is mostly at fault does not replace good rows: the dates that it would empty keep what they hold and
do not count as ingested.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import (
    DAY,
    NEXT_DAY,
    Row,
    event_row,
    ingested,
    line_row,
    partition_state,
    prop_row,
    quarantine,
    registry_row,
    schedule_row,
    sheet_row,
    stored,
    team_row,
    write,
)

AWAY, HOME = ("CHI", "DEN", "MIA", "UTA"), ("LAL", "BOS", "PHX", "NYK")
WEEK = [DAY + timedelta(days=number) for number in range(7)]


def evening(day: date) -> datetime:
    """19:30 Eastern, which is the next day in UTC."""
    return datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC) + timedelta(days=1)


def games(days: list[date], *, utc: bool = False, since: date | None = None) -> list[Row]:
    """Three evening games and a matinee a day; with `utc`, each under its date in UTC."""
    rows = []
    for day in days:
        tips = [evening(day)] * 3 + [datetime(day.year, day.month, day.day, 20, tzinfo=UTC)]
        for away, home, tip in zip(AWAY, HOME, tips, strict=True):
            shown = tip.date() if utc and (since is None or day >= since) else day
            rows.append(
                schedule_row(shown, away, home, game_time_utc=tip, nba_game_id=f"00{day:%m%d}{AWAY.index(away):04}")
            )
    return rows


def sheets(day: date, count: int = 8, **changes: Any) -> list[Row]:
    return [sheet_row(f"Player {'ABCDEFGHIJKLMNOP'[number]}", day, **changes) for number in range(count)]


def test_a_schedule_with_utc_dates_does_not_replace_a_good_one(landing: Path, warehouse: Warehouse) -> None:
    write(landing, "schedule.parquet", games(WEEK))
    ingested("schedule", landing, warehouse, WEEK)
    before, entries = stored("schedule", warehouse), partition_state("schedule", warehouse)
    write(landing, "schedule.parquet", games(WEEK, utc=True))
    report = ingested("schedule", landing, warehouse, WEEK[2:4])
    assert stored("schedule", warehouse) == before
    assert list(report.refused) == WEEK[2:4]
    (reason,) = set(report.refused.values())
    assert reason.startswith("schedule.parquet 21 of 28 rows have the same fault, game_time_utc: ")
    assert reason.endswith("; this looks like UTC dates")
    assert not set(WEEK[2:4]) & partition_state("schedule", warehouse).keys()
    assert (report.row_count, report.quarantined_count) == (0, 21)
    files = [row for row in quarantine("schedule", warehouse) if row["row_number"] == 0]
    assert [row["partition_date"] for row in files] == WEEK[2:4]
    write(landing, "schedule.parquet", games(WEEK))
    assert not ingested("schedule", landing, warehouse, WEEK[2:4]).refused
    assert partition_state("schedule", warehouse).keys() >= entries.keys()


def test_where_no_schedule_is_stored_the_rows_that_are_right_are_stored(landing: Path, warehouse: Warehouse) -> None:
    """Also once more: what is left of the file is not less than what it left before."""
    write(landing, "schedule.parquet", games(WEEK, utc=True))
    for _ in range(2):
        report = ingested("schedule", landing, warehouse, WEEK)
        assert (report.row_count, report.quarantined_count, report.refused) == (7, 21, {})
        assert report.hints[0].endswith("this looks like UTC dates")
    assert {row["game_date"] for row in stored("schedule", warehouse)} == set(WEEK)


def test_another_season_is_ingested_beside_one_that_is_retained(landing: Path, warehouse: Warehouse) -> None:
    later = [date(2022, 11, 15)]
    write(landing, "schedule/2021.parquet", games(WEEK))
    ingested("schedule", landing, warehouse, WEEK)
    write(landing, "schedule/2021.parquet", games(WEEK, utc=True))
    write(landing, "schedule/2022.parquet", games(later))
    report = ingested("schedule", landing, warehouse, [DAY, *later], now=datetime(2022, 12, 1, tzinfo=UTC))
    assert list(report.refused) == [DAY]
    assert len(stored("schedule", warehouse)) == 28 + 4


def test_a_faulty_file_beside_a_good_one_costs_nothing_but_its_rows(landing: Path, warehouse: Warehouse) -> None:
    write(landing, "schedule/good.parquet", games(WEEK))
    ingested("schedule", landing, warehouse, WEEK)
    write(landing, "schedule/utc.parquet", games(WEEK, utc=True))
    report = ingested("schedule", landing, warehouse, WEEK)
    assert (report.refused, report.row_count, report.quarantined_count) == ({}, 28, 21)


def test_a_date_of_a_schedule_of_which_most_rows_are_quarantined_keeps_its_games(
    landing: Path, warehouse: Warehouse
) -> None:
    write(landing, "schedule.parquet", games(WEEK))
    ingested("schedule", landing, warehouse, WEEK)
    moved = [row | {"home_team_score": 99} for row in games(WEEK)]
    write(
        landing,
        "schedule.parquet",
        [
            row | ({"game_status": 7} if row["game_date"] == DAY and row["away_team_abbr"] != "UTA" else {})
            for row in moved
        ],
    )
    report = ingested("schedule", landing, warehouse, WEEK)
    assert list(report.refused) == [DAY]
    assert report.refused[DAY].startswith(
        "schedule.parquet most of its rows of a date are quarantined, e.g. row 1: game_status is 7"
    )
    scores = {(row["game_date"], row["home_team_score"]) for row in stored("schedule", warehouse)}
    assert scores == {(DAY, 103), *((day, 99) for day in WEEK[1:])}


def test_one_game_of_a_date_costs_itself(landing: Path, warehouse: Warehouse) -> None:
    write(landing, "schedule.parquet", [schedule_row(), *games(WEEK[1:])])
    ingested("schedule", landing, warehouse, WEEK)
    write(landing, "schedule.parquet", [schedule_row(game_status=7), *games(WEEK[1:])])
    report = ingested("schedule", landing, warehouse, WEEK)
    assert (report.refused, report.quarantined_count) == ({}, 1)
    assert DAY not in {row["game_date"] for row in stored("schedule", warehouse)}


@pytest.mark.parametrize("path", ["player_gamebook.parquet", "player_gamebook/{day}.parquet"])
def test_a_sheet_of_which_most_rows_are_quarantined_does_not_replace_a_good_one(
    path: str, landing: Path, warehouse: Warehouse
) -> None:
    """In a file of several dates the others are ingested."""
    days = (DAY, NEXT_DAY)
    for day in days:
        write(
            landing,
            path.format(day=day),
            [row for each in (days if path.endswith("book.parquet") else [day]) for row in sheets(each)],
        )
    ingested("player_gamebook", landing, warehouse, days)
    bad = [*sheets(DAY, 5, points=-1), *sheets(DAY)[5:]]
    good = sheets(NEXT_DAY, assists=7)
    for day, rows in zip(days, (bad, good), strict=True):
        write(landing, path.format(day=day), [*bad, *good] if path.endswith("book.parquet") else rows)
    report = ingested("player_gamebook", landing, warehouse, days)
    assert list(report.refused) == [DAY]
    assert [row["assists"] for row in stored("player_gamebook", warehouse)] == [None] * 8 + [7] * 8
    assert report.quarantined_count == 5


def test_a_common_fault_of_a_file_of_several_dates_costs_those_that_would_lose_rows(
    landing: Path, warehouse: Warehouse
) -> None:
    write(landing, "player_gamebook.parquet", [*sheets(DAY), *sheets(NEXT_DAY)])
    ingested("player_gamebook", landing, warehouse, (DAY, NEXT_DAY))
    write(
        landing,
        "player_gamebook.parquet",
        [*sheets(DAY, 8, points=-1), *sheets(NEXT_DAY, 1, points=-1), *sheets(NEXT_DAY)[1:]],
    )
    report = ingested("player_gamebook", landing, warehouse, (DAY, NEXT_DAY))
    assert list(report.refused) == [DAY, NEXT_DAY]
    assert "9 of 16 rows have the same fault, points" in report.refused[NEXT_DAY]
    assert len(stored("player_gamebook", warehouse)) == 16


@pytest.mark.parametrize("bad", [1, 2])
def test_two_teams_never_cost_a_date(bad: int, landing: Path, warehouse: Warehouse) -> None:
    rows = [team_row("LAL"), team_row("CHI")]
    write(landing, "team_boxscores.parquet", [*rows, *(team_row(team, NEXT_DAY) for team in ("LAL", "CHI"))])
    ingested("team_boxscores", landing, warehouse, (DAY, NEXT_DAY))
    write(
        landing,
        "team_boxscores.parquet",
        [
            *(row | {"points": 900} for row in rows[:bad]),
            *rows[bad:],
            *(team_row(team, NEXT_DAY) for team in ("LAL", "CHI", "LAL")),
        ],
    )
    assert ingested("team_boxscores", landing, warehouse, (DAY, NEXT_DAY)).refused == {}


def test_an_optional_feed_keeps_its_rows_too(landing: Path, warehouse: Warehouse) -> None:
    """Tables are built without counting on them and say so, as with a file that cannot be read."""
    outcomes = [f"{team}" for team in ("Los Angeles Lakers", "Chicago Bulls")]
    lines = [line_row(outcome, bookmaker_key=book) for outcome in outcomes for book in "abc"]
    props = [prop_row(f"Player {letter}", game_start_time=evening(DAY)) for letter in "ABCDEF"]
    events = [event_row(number) for number in range(6)]
    for name, rows, wrong in (
        ("game_lines", lines, {"commence_time": evening(NEXT_DAY)}),
        ("player_points_props", props, {"game_start_time": evening(NEXT_DAY)}),
        ("play_by_play", events, {"period": 99}),
    ):
        write(landing, f"{name}.parquet", rows)
        ingested(name, landing, warehouse)
        write(landing, f"{name}.parquet", [row | (wrong if number else {}) for number, row in enumerate(rows)])
        report = ingested(name, landing, warehouse)
        assert list(report.refused) == [DAY]
        assert len(stored(name, warehouse)) == 6


def test_a_registry_that_is_mostly_at_fault_does_not_replace_a_good_one(landing: Path, warehouse: Warehouse) -> None:
    rows = [registry_row(f"Player {letter}") for letter in "ABCDEF"]
    write(landing, "player_registry.parquet", rows)
    ingested("player_registry", landing, warehouse)
    write(landing, "player_registry.parquet", [*(row | {"universal_player_id": None} for row in rows[1:]), rows[0]])
    report = ingested("player_registry", landing, warehouse)
    assert (list(report.refused), len(stored("player_registry", warehouse))) == ([DAY], 6)


def test_dates_of_which_nothing_is_quarantined_may_lose_rows(landing: Path, warehouse: Warehouse) -> None:
    write(landing, "player_gamebook.parquet", sheets(DAY))
    ingested("player_gamebook", landing, warehouse)
    write(landing, "player_gamebook.parquet", [*sheets(DAY, 4), sheet_row("Player Z", points=-1)])
    report = ingested("player_gamebook", landing, warehouse)
    assert (report.refused, report.row_count) == ({}, 4)
