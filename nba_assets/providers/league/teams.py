"""The league's numbers of its teams."""

from __future__ import annotations

from nba_assets.basketball.teams import tricode_in_season

_IN_ORDER = (
    *("ATL", "BOS", "CLE", "NOP", "CHI", "DAL", "DEN", "GSW", "HOU", "LAC", "LAL", "MIA", "MIL", "MIN", "BKN"),
    *("NYK", "ORL", "IND", "PHI", "PHX", "POR", "SAC", "SAS", "OKC", "TOR", "UTA", "MEM", "WAS", "DET", "CHA"),
)
TEAM_IDS = {tricode: number for number, tricode in enumerate(_IN_ORDER, start=1610612737)}
"""A franchise keeps its number when it moves or changes its name."""

_TRICODES = {number: tricode for tricode, number in TEAM_IDS.items()}


def tricode_of(team_id: int, season_year: int) -> str | None:
    """Tricode that the team with a number had in a season; None for any other number.

    Example: 1610612760 is OKC, and SEA in 2007.
    """
    return tricode_in_season(_TRICODES[team_id], season_year) if team_id in _TRICODES else None
