"""Which game and which season a provider's row belongs to."""

from __future__ import annotations

from datetime import date

import pytest

from nba_assets.providers.games import Game
from nba_assets.providers.league.source import _seasons_of
from nba_assets.providers.league.teams import TEAM_IDS, tricode_of
from nba_assets.raw.tables import PLAY_BY_PLAY, TEAM_BOXSCORES


@pytest.mark.parametrize(
    ("home", "away", "season", "game_id"),
    [
        ("GS", "Utah Jazz", 2023, "20231030_UTA_GSW"),
        ("LA Clippers", "NO", 2023, "20231030_NOP_LAC"),
        ("OKC", "NJ", 2007, "20231030_NJN_SEA"),
        ("BOS", "RMD", 2023, None),
        ("", None, 2023, None),
    ],
)
def test_a_game_has_its_canonical_id_by_any_spelling_of_its_teams(
    home: str, away: str | None, season: int, game_id: str | None
) -> None:
    game = Game.between(home, away, date(2023, 10, 30), season)
    assert (None if game is None else game.game_id) == game_id


def test_a_game_gives_each_table_the_columns_that_it_has() -> None:
    game = Game(date(2023, 10, 30), 2023, "GSW", "UTA", "0022300100")
    shared = {"game_id": "20231030_UTA_GSW", "nba_game_id": "0022300100", "game_date": date(2023, 10, 30)}
    assert game.columns(TEAM_BOXSCORES) == shared | {"season_year": 2023}
    assert game.columns(PLAY_BY_PLAY) == shared | {"home_team_abbr": "GSW", "away_team_abbr": "UTA"}


def test_team_numbers_are_franchises() -> None:
    assert len(TEAM_IDS) == 30
    known = {1610612737: "ATL", 1610612744: "GSW", 1610612751: "BKN", 1610612761: "TOR", 1610612766: "CHA"}
    assert {number: tricode_of(number, 2023) for number in known} == known
    assert tricode_of(1610612760, 2007) == "SEA"
    assert tricode_of(12315, 2023) is None


@pytest.mark.parametrize(
    ("day", "seasons"),
    [
        (date(2025, 1, 15), [2024]),
        (date(2024, 12, 31), [2024]),
        (date(2021, 7, 20), [2020]),
        (date(2020, 10, 11), [2019, 2020]),
        (date(2024, 10, 22), [2024]),
        (date(2024, 9, 30), [2023]),
    ],
)
def test_a_date_is_looked_for_in_every_season_that_it_may_belong_to(day: date, seasons: list[int]) -> None:
    assert _seasons_of(day) == seasons
