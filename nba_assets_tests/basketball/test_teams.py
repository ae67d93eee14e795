"""The thirty teams and the spellings of them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from nba_assets.basketball.teams import TEAMS, TRICODE_ALIASES, Team, team_tricode


def test_there_are_thirty_teams_under_their_own_codes() -> None:
    assert len(TEAMS) == 30
    assert all(tricode == team.tricode and len(tricode) == 3 for tricode, team in TEAMS.items())
    assert len({team.full_name for team in TEAMS.values()}) == 30
    assert {team.arena_name for team in TEAMS.values()} >= {"Crypto.com Arena", "TD Garden", "Toyota Center"}


@pytest.mark.parametrize("team", TEAMS.values(), ids=TEAMS)
def test_a_team_plays_in_north_america(team: Team) -> None:
    assert 25 < team.arena_latitude < 50
    assert -125 < team.arena_longitude < -70
    assert str(ZoneInfo(team.arena_timezone)).startswith("America/")


@pytest.mark.parametrize("team", TEAMS.values(), ids=TEAMS)
def test_a_team_is_known_by_code_and_name_in_any_case(team: Team) -> None:
    for spelling in (team.tricode, team.full_name):
        assert {team_tricode(spelling), team_tricode(spelling.lower()), team_tricode(spelling.upper())} == {team.tricode}


@pytest.mark.parametrize(
    ("spelling", "tricode"),
    [
        *[("BRK", "BKN"), ("CHO", "CHA"), ("PHO", "PHX"), ("GS", "GSW"), ("NO", "NOP"), ("NY", "NYK")],
        *[("SA", "SAS"), ("UTAH", "UTA"), ("WSH", "WAS"), ("utah", "UTA")],
        *[("LA Clippers", "LAC"), ("Los Angeles Clippers", "LAC"), ("Los Angeles Lakers", "LAL")],
        ("  Portland  Trail Blazers ", "POR"),
    ],
)
def test_spellings_of_feeds(spelling: str, tricode: str) -> None:
    assert team_tricode(spelling) == tricode


@pytest.mark.parametrize("stranger", [None, "", " ", "XXX", "Orlando", "LA", "Los Angeles", "Seattle SuperSonics", "Over"])
def test_strangers_are_nobody(stranger: str | None) -> None:
    assert team_tricode(stranger) is None


def test_aliases_stand_for_teams_and_are_none_themselves() -> None:
    assert set(TRICODE_ALIASES.values()) <= set(TEAMS)
    assert not set(TRICODE_ALIASES) & set(TEAMS)
