"""Which games of the schedule count and how far they are."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from nba_assets.raw.schedule import (
    FINAL,
    POSTPONED,
    ended_besides,
    has_ended,
    lacks_score,
    league_finals,
    league_games,
)

DAYS = [date(2024, 10, 22), date(2024, 12, 17), date(2025, 6, 12)]
"""The first league game, a day between, the last league game."""
LIVE = 2
REGULAR, PLAYOFF = {"is_regular_season": 1.0}, {"is_playoffs": 1.0}
NAN = float("nan")


def games(*changes: dict[str, Any]) -> dict[str, Any]:
    blank: dict[str, Any] = {"game_status": FINAL, "season_year": 2024, "home_team_score": 100, "away_team_score": 90}
    blank |= dict.fromkeys(("is_regular_season", "is_playoffs", "is_all_star"), 0.0)
    rows = [blank | {"game_date": DAYS[1]} | change for change in changes]
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in blank}
    return columns | {"game_date": np.array([row["game_date"] for row in rows], dtype="M8[D]")}


@pytest.mark.parametrize(
    ("game", "counts", "ended", "lacks"),
    [
        (REGULAR, True, True, False),
        (PLAYOFF, True, True, False),
        ({}, False, True, False),
        (REGULAR | {"game_status": LIVE}, True, False, False),
        (REGULAR | {"game_status": POSTPONED}, False, False, False),
        (REGULAR | {"home_team_score": NAN}, True, False, True),
        (REGULAR | {"away_team_score": NAN}, True, False, True),
        (REGULAR | {"away_team_score": NAN, "game_status": LIVE}, True, False, False),
        ({"is_regular_season": NAN, "is_playoffs": NAN}, False, True, False),
    ],
)
def test_a_game_counts_by_its_phase_and_has_ended_with_both_scores(
    game: dict[str, Any], counts: bool, ended: bool, lacks: bool
) -> None:
    found = games(game)
    assert [league_games(found)[0], has_ended(found)[0], lacks_score(found)[0]] == [counts, ended, lacks]
    assert league_finals(found)[0] == (counts and ended)


LEAGUE = ({**REGULAR, "game_date": DAYS[0]}, {**PLAYOFF, "game_date": DAYS[2]})


@pytest.mark.parametrize(
    ("game", "is_one"),
    [
        ({}, True),
        ({"game_date": DAYS[0]}, True),
        ({"game_date": DAYS[2]}, True),
        ({"game_date": date(2024, 10, 21)}, False),
        ({"game_date": date(2025, 6, 13)}, False),
        ({"season_year": 2023}, False),
        ({"is_all_star": 1.0}, False),
        ({"game_status": LIVE}, False),
        ({"home_team_score": NAN}, False),
        (REGULAR, False),
        (PLAYOFF, False),
        (REGULAR | {"game_status": POSTPONED}, False),
    ],
)
def test_a_game_besides_is_played_within_its_season_and_counts_in_no_standings(
    game: dict[str, Any], is_one: bool
) -> None:
    assert ended_besides(games(*LEAGUE, game)).tolist() == [False, False, is_one]


def test_seasons_without_league_games_have_none_besides() -> None:
    assert ended_besides(games({}, {})).tolist() == [False, False]
    assert ended_besides(games()).tolist() == []
