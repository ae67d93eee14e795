"""The teams, the spellings of them, and the tricodes of their franchises in each season."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from nba_assets.basketball.teams import CURRENT_TEAMS, TEAMS, TRICODE_ALIASES, Team, team_tricode, tricode_in_season


def test_there_are_thirty_teams_under_their_own_codes() -> None:
    assert len(CURRENT_TEAMS) == 30
    assert set(TEAMS) - set(CURRENT_TEAMS) == {"CHH", "NJN", "NOH", "NOK", "SEA", "VAN", "WSB"}
    assert all(tricode == team.tricode and len(tricode) == 3 for tricode, team in TEAMS.items())
    assert len({team.full_name for team in CURRENT_TEAMS.values()}) == 30
    assert {team.arena_name for team in CURRENT_TEAMS.values()} >= {"Crypto.com Arena", "TD Garden", "Toyota Center"}


@pytest.mark.parametrize("team", TEAMS.values(), ids=TEAMS)
def test_a_team_plays_in_north_america(team: Team) -> None:
    assert 25 < team.arena_latitude < 50
    assert -125 < team.arena_longitude < -70
    assert str(ZoneInfo(team.arena_timezone)).startswith("America/")


@pytest.mark.parametrize("team", TEAMS.values(), ids=TEAMS)
def test_a_team_is_known_by_code_and_name_in_any_case(team: Team) -> None:
    for spelling in (team.tricode, team.full_name) if team.full_name != "Charlotte Hornets" else (team.tricode,):
        assert {team_tricode(spelling), team_tricode(spelling.lower()), team_tricode(spelling.upper())} == {
            team.tricode
        }


@pytest.mark.parametrize(
    ("spelling", "tricode"),
    [
        *[("BRK", "BKN"), ("CHO", "CHA"), ("PHO", "PHX"), ("GS", "GSW"), ("NO", "NOP"), ("NY", "NYK")],
        *[("SA", "SAS"), ("UTAH", "UTA"), ("WSH", "WAS"), ("utah", "UTA")],
        *[("LA Clippers", "LAC"), ("Los Angeles Clippers", "LAC"), ("Los Angeles Lakers", "LAL")],
        ("  Portland  Trail Blazers ", "POR"),
        *[("UTH", "UTA"), ("PHL", "PHI"), ("SAN", "SAS"), ("GOS", "GSW"), ("NJ", "NJN")],
        *[("Charlotte Bobcats", "CHA"), ("Charlotte Hornets", "CHA"), ("New Orleans-Oklahoma City Hornets", "NOK")],
    ],
)
def test_spellings_of_feeds(spelling: str, tricode: str) -> None:
    assert team_tricode(spelling) == tricode


@pytest.mark.parametrize(
    "stranger", [None, "", " ", "XXX", "Orlando", "LA", "Los Angeles", "Kansas City Kings", "KCK", "Over"]
)
def test_strangers_are_nobody(stranger: str | None) -> None:
    assert team_tricode(stranger) is None


def test_aliases_stand_for_teams_and_are_none_themselves() -> None:
    assert set(TRICODE_ALIASES.values()) <= set(TEAMS)
    assert not set(TRICODE_ALIASES) & set(TEAMS)


@pytest.mark.parametrize(
    ("tricode", "seasons"),
    [
        ("OKC", {2007: "SEA", 2008: "OKC"}),
        ("SEA", {1996: "SEA", 2007: "SEA", 2008: "OKC"}),
        ("BKN", {2011: "NJN", 2012: "BKN"}),
        ("NJN", {1996: "NJN", 2011: "NJN", 2012: "BKN"}),
        ("MEM", {2000: "VAN", 2001: "MEM"}),
        ("WAS", {1996: "WSB", 1997: "WAS"}),
        ("CHA", {2001: "CHH", 2002: None, 2003: None, 2004: "CHA", 2013: "CHA", 2014: "CHA"}),
        ("CHH", {2001: "CHH", 2002: None, 2004: "CHA"}),
        (
            "NOP",
            {
                1997: "CHH",
                2001: "CHH",
                2002: "NOH",
                2004: "NOH",
                2005: "NOK",
                2006: "NOK",
                2007: "NOH",
                2012: "NOH",
                2013: "NOP",
            },
        ),
        ("NOH", {1997: "CHH", 2005: "NOK", 2008: "NOH", 2013: "NOP"}),
        ("NOK", {2005: "NOK", 2007: "NOH"}),
        ("LAL", {1996: "LAL", 2021: "LAL"}),
    ],
)
def test_a_franchise_has_the_tricode_of_its_season(tricode: str, seasons: dict[int, str | None]) -> None:
    assert {season: tricode_in_season(tricode, season) for season in seasons} == seasons


@pytest.mark.parametrize("season", range(1996, 2026))
def test_no_season_has_two_teams_of_one_franchise(season: int) -> None:
    there = {tricode_in_season(tricode, season) for tricode in TEAMS} - {None}
    assert there <= set(TEAMS)
    assert len(there) == {True: 29, False: 30}[season < 2004]
