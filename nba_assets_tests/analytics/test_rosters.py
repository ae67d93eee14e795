"""Bounds of roster snapshots: how old they may be, whose season they are of, and who stands in where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.rosters import members, with_seasons
from nba_assets.basketball.season import SeasonCalendar
from nba_assets_tests.analytics.builders import NAN, columns

TONIGHT = np.datetime64("2025-01-20")
OPENING = np.datetime64("2024-10-22")
UNBORN = np.datetime64("NaT", "D")


def before(days: int) -> np.datetime64:
    return TONIGHT - np.timedelta64(days, "D")


def listed(
    team: str, player: str, *, day: np.datetime64 = TONIGHT, season: float = 2024, birth: np.datetime64 = UNBORN
) -> dict[str, Any]:
    return {
        "roster_date": day,
        "season_year": season,
        "team_abbr": team,
        "player_lookup": player,
        "player_full_name": player.title(),
        "age": 25,
        "birth_date": birth,
    }


def seen(player: str, team: str, day: np.datetime64) -> dict[str, Any]:
    return {"player_lookup": player, "game_date": day, "team_abbr": team}


def tonight(
    rosters: list[dict[str, Any]], sheets: list[dict[str, Any]] | None = None, opening: np.datetime64 = OPENING
) -> list[tuple[str, str]]:
    """Who belongs to Los Angeles or Boston, both playing."""
    requested = columns(
        [
            {"game_date": TONIGHT, "team_abbr": team, "season_year": 2024, "season_start": opening}
            for team in ("BOS", "LAL")
        ]
    )
    found = members(
        requested,
        columns([*rosters, listed("MIA", "nobody", day=before(200))]),
        columns([*(sheets or []), seen("nobody", "MIA", before(1))]),
    )
    return sorted(zip(found["player_lookup"].tolist(), found["team_abbr"].tolist(), strict=True))


@pytest.mark.parametrize(("age", "counts"), [(-1, False), (0, True), (90, True), (91, False)])
def test_a_snapshot_counts_from_its_own_date_for_ninety_days(age: int, counts: bool) -> None:
    assert tonight([listed("LAL", "lebronjames", day=before(age))]) == ([("lebronjames", "LAL")] if counts else [])


def test_a_snapshot_of_another_season_does_not_count() -> None:
    assert tonight([listed("LAL", "lebronjames", season=2023)]) == []


def test_a_snapshot_without_a_season_is_of_the_one_of_its_month() -> None:
    assert tonight([listed("LAL", "lebronjames", season=NAN)]) == [("lebronjames", "LAL")]


def test_the_newest_snapshot_of_a_team_is_its_whole_roster() -> None:
    assert tonight(
        [
            listed("LAL", "waived", day=before(5)),
            listed("LAL", "lebronjames", day=before(5)),
            listed("LAL", "lebronjames", day=before(2)),
        ]
    ) == [("lebronjames", "LAL")]


@pytest.mark.parametrize(("days", "belongs"), [(0, False), (1, True), (30, True), (31, False)])
def test_without_a_snapshot_those_of_the_last_thirty_days_belong(days: int, belongs: bool) -> None:
    assert tonight([], [seen("lebronjames", "LAL", before(days))]) == ([("lebronjames", "LAL")] if belongs else [])


def test_who_was_last_seen_before_the_season_does_not_stand_in() -> None:
    last_season = [seen("lebronjames", "LAL", before(10))]
    assert tonight([], last_season, opening=before(9)) == []
    assert tonight([], last_season, opening=before(10)) == [("lebronjames", "LAL")]


def test_on_two_equally_new_rosters_the_newest_sheet_since_the_opening_decides_else_the_alphabet() -> None:
    both = [listed("LAL", "luka"), listed("BOS", "luka")]
    sheet = [seen("luka", "BOS", before(12)), seen("luka", "LAL", before(10))]
    assert tonight(both, sheet) == [("luka", "LAL")]
    assert tonight(both, sheet, opening=before(10)) == [("luka", "LAL")]
    assert tonight(both, sheet, opening=before(9)) == [("luka", "BOS")]
    assert tonight(both, [seen("luka", "LAL", TONIGHT)]) == [("luka", "BOS")], "who plays tonight is not known before"


def test_two_players_of_one_key_stay_with_their_teams() -> None:
    one, other = np.datetime64("1996-03-07"), np.datetime64("2001-05-11")
    assert tonight([listed("LAL", "jalenwilliams", birth=one), listed("BOS", "jalenwilliams", birth=other)]) == [
        ("jalenwilliams", "BOS"),
        ("jalenwilliams", "LAL"),
    ]
    assert tonight([listed("LAL", "jalenwilliams", birth=one), listed("BOS", "jalenwilliams", birth=one)]) == [
        ("jalenwilliams", "BOS")
    ]
    assert tonight([listed("LAL", "jalenwilliams", birth=one), listed("BOS", "jalenwilliams")]) == [
        ("jalenwilliams", "BOS")
    ]


def test_a_season_that_the_feed_does_not_name_is_that_of_the_date() -> None:
    calendar = SeasonCalendar.from_schedule(np.array([OPENING, TONIGHT]), np.array([2024, 2024]), np.array([1, 1]))
    rows = columns([listed("LAL", "one", season=NAN), listed("LAL", "two", season=2023)])
    assert with_seasons(rows, calendar)["season_year"].tolist() == [2024, 2023]


def test_nobody_stands_in_where_a_snapshot_of_one_player_lists_the_first_team() -> None:
    rosters, sheets = [listed("BOS", "newone"), listed("LAL", "other")], [seen("gone", "BOS", before(1))]
    assert tonight(rosters, sheets) == [("newone", "BOS"), ("other", "LAL")]
