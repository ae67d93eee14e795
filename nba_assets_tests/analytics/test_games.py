"""Finals, both sides of a game, and what had been announced before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.analytics.games import SCHEDULE_COLUMNS, announced_before, played_besides, team_games
from nba_assets_tests.analytics.builders import NAN, columns

DAY, NEXT = np.datetime64("2025-01-20"), np.datetime64("2025-01-21")
TIP = np.datetime64("2025-01-21T00:30", "us")
MINUTE = np.timedelta64(1, "m")


def announced(*moments: np.datetime64, date: np.datetime64 = DAY, tip: np.datetime64 = TIP) -> bool:
    found = announced_before(
        np.full(len(moments), date), np.array(moments, dtype="M8[us]"), np.array([DAY]), np.array([tip], dtype="M8[us]")
    )
    return bool(found[0])


def test_what_is_announced_at_tip_off_was_not_announced_before_it() -> None:
    assert announced(TIP - MINUTE)
    assert not announced(TIP)


def test_the_earliest_announcement_of_the_date_counts_in_any_order() -> None:
    assert announced(TIP + MINUTE, TIP - MINUTE)
    assert announced(TIP - MINUTE, TIP + MINUTE)
    assert not announced(TIP + MINUTE)
    assert not announced(TIP - MINUTE, date=NEXT)
    assert not announced()


def test_without_a_tip_off_any_announcement_counts_and_none_is_none() -> None:
    unknown = np.datetime64("NaT", "us")
    assert announced(TIP + MINUTE, tip=unknown)
    assert not announced(TIP + MINUTE, date=NEXT, tip=unknown)


def scheduled(home: str, away: str, **changes: Any) -> dict[str, Any]:
    """A final of the regular season."""
    return dict.fromkeys(SCHEDULE_COLUMNS) | {
        "game_id": f"20250120_{away}_{home}",
        "game_date": DAY,
        "season_year": 2024,
        "home_team_abbr": home,
        "away_team_abbr": away,
        "home_team_score": 110,
        "away_team_score": 105,
        "game_status": 3,
        "is_regular_season": 1,
        "is_playoffs": 0,
        "is_all_star": 0,
        **changes,
    }


def test_both_sides_of_a_game_see_it_their_own_way() -> None:
    both = team_games(
        columns([scheduled("BOS", "LAL"), scheduled("MIA", "NYK", home_team_score=90, away_team_score=99)])
    )
    shown = zip(
        *(
            both[name].tolist()
            for name in ("team_abbr", "opponent_team_abbr", "home_game", "team_score", "opponent_score")
        ),
        strict=True,
    )
    assert list(shown) == [
        ("BOS", "LAL", 1, 110, 105),
        ("MIA", "NYK", 1, 90, 99),
        ("LAL", "BOS", 0, 105, 110),
        ("NYK", "MIA", 0, 99, 90),
    ]


CUP_FINAL: dict[str, Any] = {"is_regular_season": 0}


@pytest.mark.parametrize(
    ("game", "besides"),
    [
        (scheduled("BOS", "LAL", **CUP_FINAL), True),
        (scheduled("BOS", "LAL"), False),
        (scheduled("BOS", "RMA", **CUP_FINAL), False),
        (scheduled("RMA", "BOS", **CUP_FINAL), False),
        (scheduled("BOS", "LAL", **CUP_FINAL, season_year=2023), False),
        (scheduled("BOS", "LAL", **CUP_FINAL, is_all_star=1), False),
        (scheduled("BOS", "LAL", **CUP_FINAL, game_status=1), False),
        (scheduled("BOS", "LAL", **CUP_FINAL, home_team_score=NAN), False),
    ],
    ids=["cup final", "regular", "guest team", "host abroad", "other season", "all-star", "not played", "no score"],
)
def test_a_played_game_outside_the_standings_is_one_of_two_teams_of_the_league(
    game: dict[str, Any], besides: bool
) -> None:
    league = [scheduled("BOS", "NYK"), scheduled("MIA", "LAL")]
    assert played_besides(columns([*league, game])).tolist() == [False, False, besides]
