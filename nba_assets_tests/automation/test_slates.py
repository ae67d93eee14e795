"""The games of a date: which count, which are over, when they tip off, on the league's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from nba_assets.automation.slates import Slate, end_of, league_date, slate_of, slates
from nba_assets.raw.schedule import FINAL, POSTPONED

DAY = date(2024, 11, 5)
TIP = datetime(2024, 11, 6, 0, 30, tzinfo=UTC)
MIDNIGHT = datetime(2024, 11, 6, 5, tzinfo=UTC)

GAME: dict[str, Any] = {
    "game_id": "a",
    "game_date": DAY,
    "game_time_utc": TIP,
    "season_year": 2024,
    "game_status": FINAL,
    "is_regular_season": True,
    "is_playoffs": False,
    "is_all_star": False,
    "home_team_score": 100.0,
    "away_team_score": 90.0,
}


def schedule(*games: dict[str, Any]) -> dict[str, Any]:
    rows = [GAME | game for game in games]
    moments = [row["game_time_utc"] and row["game_time_utc"].replace(tzinfo=None) for row in rows]
    return {
        "game_id": np.array([row["game_id"] for row in rows], dtype=object),
        "game_date": np.array([row["game_date"] for row in rows], dtype="M8[D]"),
        "game_time_utc": np.array([np.datetime64(moment or "NaT", "us") for moment in moments], dtype="M8[us]"),
        **{
            name: np.array([row[name] for row in rows], dtype=np.float64)
            for name in GAME
            if name not in ("game_id", "game_date", "game_time_utc")
        },
    }


def test_games_stand_under_their_dates_in_order_of_their_ids() -> None:
    other = DAY + timedelta(days=1)
    found = slates(schedule({"game_id": "c", "game_date": other}, {"game_id": "b"}, {"game_id": "a"}))
    assert {day: slate.games for day, slate in found.items()} == {DAY: ("a", "b"), other: ("c",)}
    assert [slate.day for slate in found.values()] == [DAY, other]
    assert [(sorted(slate.known), sorted(slate.finals)) for slate in found.values()] == [
        (["a", "b"], ["a", "b"]),
        (["c"], ["c"]),
    ]
    assert slate_of(found, DAY) is found[DAY]
    assert slate_of(found, date(2025, 1, 1)) == Slate(date(2025, 1, 1))
    assert slates(schedule()) == {}


def test_a_game_counts_and_is_over_or_is_only_known() -> None:
    exhibition = {"is_regular_season": False}
    (slate,) = slates(
        schedule(
            {"game_id": "a"},
            {"game_id": "b", "game_status": 1, "home_team_score": np.nan, "away_team_score": np.nan},
            {"game_id": "c", "game_status": POSTPONED},
            {"game_id": "d", **exhibition},
            {"game_id": "e", **exhibition, "is_all_star": True},
            {"game_id": "f", **exhibition, "is_playoffs": True},
        )
    ).values()
    assert slate.games == ("a", "b", "f")
    assert slate.finals == {"a", "f"}
    assert slate.known == {"a", "b", "c", "d", "e", "f"}
    assert slate.besides == {"d"}


def test_the_first_and_the_last_known_tip_of_games_that_count() -> None:
    early, late = TIP - timedelta(hours=2), TIP + timedelta(hours=2)
    (slate,) = slates(
        schedule(
            {"game_id": "a", "game_time_utc": late},
            {"game_id": "b", "game_time_utc": early},
            {"game_id": "c", "game_time_utc": None},
            {"game_id": "d", "game_time_utc": early - timedelta(hours=1), "game_status": POSTPONED},
        )
    ).values()
    assert (slate.first_tip, slate.last_tip, slate.tips) == (early, late, (early, late))


def test_where_no_tip_is_known_the_date_ends_at_midnight_by_eastern_clocks() -> None:
    (slate,) = slates(schedule({"game_time_utc": None})).values()
    assert (slate.first_tip, slate.last_tip) == (MIDNIGHT, MIDNIGHT)
    assert end_of(date(2024, 7, 4)) == datetime(2024, 7, 5, 4, tzinfo=UTC)
    assert league_date(MIDNIGHT) == DAY + timedelta(days=1)
    assert league_date(MIDNIGHT - timedelta(seconds=1)) == DAY
