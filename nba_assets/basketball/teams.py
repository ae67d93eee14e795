"""The thirty teams: their tricodes, their names in the feeds, and where they play at home.

Arenas carry their names of 2021-22. Where a game is really played, the schedule says; this is what holds where it says
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Team:
    """One team and its home arena: latitude and longitude in degrees, the time zone by its IANA name."""

    tricode: str
    full_name: str
    arena_name: str
    arena_latitude: float
    arena_longitude: float
    arena_timezone: str


_TEAMS = (
    Team("ATL", "Atlanta Hawks", "State Farm Arena", 33.7573, -84.3963, "America/New_York"),
    Team("BOS", "Boston Celtics", "TD Garden", 42.3662, -71.0621, "America/New_York"),
    Team("BKN", "Brooklyn Nets", "Barclays Center", 40.6826, -73.9754, "America/New_York"),
    Team("CHA", "Charlotte Hornets", "Spectrum Center", 35.2251, -80.8392, "America/New_York"),
    Team("CHI", "Chicago Bulls", "United Center", 41.8807, -87.6742, "America/Chicago"),
    Team("CLE", "Cleveland Cavaliers", "Rocket Mortgage FieldHouse", 41.4965, -81.6882, "America/New_York"),
    Team("DAL", "Dallas Mavericks", "American Airlines Center", 32.7906, -96.8103, "America/Chicago"),
    Team("DEN", "Denver Nuggets", "Ball Arena", 39.7487, -105.0077, "America/Denver"),
    Team("DET", "Detroit Pistons", "Little Caesars Arena", 42.3411, -83.0553, "America/New_York"),
    Team("GSW", "Golden State Warriors", "Chase Center", 37.7679, -122.3873, "America/Los_Angeles"),
    Team("HOU", "Houston Rockets", "Toyota Center", 29.6807, -95.3615, "America/Chicago"),
    Team("IND", "Indiana Pacers", "Gainbridge Fieldhouse", 39.7640, -86.1555, "America/New_York"),
    Team("LAC", "Los Angeles Clippers", "Crypto.com Arena", 34.0430, -118.2673, "America/Los_Angeles"),
    Team("LAL", "Los Angeles Lakers", "Crypto.com Arena", 34.0430, -118.2673, "America/Los_Angeles"),
    Team("MEM", "Memphis Grizzlies", "FedExForum", 35.1382, -90.0505, "America/Chicago"),
    Team("MIA", "Miami Heat", "FTX Arena", 25.7814, -80.1870, "America/New_York"),
    Team("MIL", "Milwaukee Bucks", "Fiserv Forum", 43.0435, -87.9167, "America/Chicago"),
    Team("MIN", "Minnesota Timberwolves", "Target Center", 44.9795, -93.2760, "America/Chicago"),
    Team("NOP", "New Orleans Pelicans", "Smoothie King Center", 29.9490, -90.0821, "America/Chicago"),
    Team("NYK", "New York Knicks", "Madison Square Garden", 40.7505, -73.9934, "America/New_York"),
    Team("OKC", "Oklahoma City Thunder", "Paycom Center", 35.4634, -97.5151, "America/Chicago"),
    Team("ORL", "Orlando Magic", "Amway Center", 28.5392, -81.3839, "America/New_York"),
    Team("PHI", "Philadelphia 76ers", "Wells Fargo Center", 39.9012, -75.1720, "America/New_York"),
    Team("PHX", "Phoenix Suns", "Footprint Center", 33.4457, -112.0712, "America/Phoenix"),
    Team("POR", "Portland Trail Blazers", "Moda Center", 45.5316, -122.6668, "America/Los_Angeles"),
    Team("SAC", "Sacramento Kings", "Golden 1 Center", 38.5816, -121.4999, "America/Los_Angeles"),
    Team("SAS", "San Antonio Spurs", "AT&T Center", 29.4270, -98.4375, "America/Chicago"),
    Team("TOR", "Toronto Raptors", "Scotiabank Arena", 43.6434, -79.3791, "America/Toronto"),
    Team("UTA", "Utah Jazz", "Vivint Arena", 40.7683, -111.9011, "America/Denver"),
    Team("WAS", "Washington Wizards", "Capital One Arena", 38.8981, -77.0209, "America/New_York"),
)

TEAMS: Mapping[str, Team] = MappingProxyType({team.tricode: team for team in _TEAMS})
"""Every team by its tricode."""

TRICODE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "BRK": "BKN",
        "CHO": "CHA",
        "GS": "GSW",
        "NO": "NOP",
        "NY": "NYK",
        "PHO": "PHX",
        "SA": "SAS",
        "UTAH": "UTA",
        "WSH": "WAS",
    }
)
"""Other codes that feeds use, and the tricode that each stands for."""

_TRICODE_OF = {
    name.casefold(): tricode
    for names in (
        {tricode: tricode for tricode in TEAMS},
        TRICODE_ALIASES,
        {team.full_name: team.tricode for team in TEAMS.values()},
        {"LA Clippers": "LAC"},
    )
    for name, tricode in names.items()
}


def team_tricode(name_or_code: str | None) -> str | None:
    """The tricode of a team, given by any feed's code or by its full name, in any case; None where it is no team.

    "LA Clippers" and "Los Angeles Clippers" are both LAC. Never matched by a part of the name: "Orlando" is unknown.
    """
    if name_or_code is None:
        return None
    return _TRICODE_OF.get(" ".join(name_or_code.split()).casefold())
