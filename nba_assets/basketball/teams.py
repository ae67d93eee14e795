"""The teams since 1996-97: their tricodes and names in the feeds, in which seasons each tricode was a franchise's, and
where they play at home.

Arenas carry their names of 2021-22, those of former teams the names of their last season. Where a game is really
played, the schedule says; this is what holds where it says nothing.
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


_CURRENT = (
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

_FORMER = (
    Team("CHH", "Charlotte Hornets", "Charlotte Coliseum", 35.1838, -80.9062, "America/New_York"),
    Team("NJN", "New Jersey Nets", "Prudential Center", 40.7335, -74.1711, "America/New_York"),
    Team("NOH", "New Orleans Hornets", "New Orleans Arena", 29.9490, -90.0821, "America/Chicago"),
    Team("NOK", "New Orleans/Oklahoma City Hornets", "Ford Center", 35.4634, -97.5151, "America/Chicago"),
    Team("SEA", "Seattle SuperSonics", "KeyArena", 47.6221, -122.3540, "America/Los_Angeles"),
    Team("VAN", "Vancouver Grizzlies", "General Motors Place", 49.2778, -123.1089, "America/Vancouver"),
    Team("WSB", "Washington Bullets", "US Airways Arena", 38.9018, -76.8447, "America/New_York"),
)
"""Teams whose franchise has another tricode today."""

CURRENT_TEAMS: Mapping[str, Team] = MappingProxyType({team.tricode: team for team in _CURRENT})
"""The thirty teams of today by tricode."""

TEAMS: Mapping[str, Team] = MappingProxyType({team.tricode: team for team in (*_CURRENT, *_FORMER)})
"""Every team since 1996-97 by its tricode."""

_TRICODES_UNTIL = {
    "BKN": ((2011, "NJN"),),
    # The franchise counts the first Hornets' seasons as its own; from 2002 to 2004 Charlotte had no team.
    "CHA": ((2001, "CHH"), (2003, None)),
    "MEM": ((2000, "VAN"),),
    # Until 2014 those seasons counted as New Orleans', which the team moved to: some feeds have that franchise's code
    # for them.
    "NOP": ((2001, "CHH"), (2004, "NOH"), (2006, "NOK"), (2012, "NOH")),
    "OKC": ((2007, "SEA"),),
    "WAS": ((1996, "WSB"),),
}
"""Former tricodes of a franchise, each with the year in which its last season began; None where the franchise had no
team.
"""

FIRST_SEASON_OF_TODAY = 1 + max(year for periods in _TRICODES_UNTIL.values() for year, _ in periods)
"""Since this season no franchise has changed its tricode."""

# Of two franchises with one former tricode the first counts: CHH is Charlotte's.
_FRANCHISE_OF = {
    former: today for today, periods in reversed(_TRICODES_UNTIL.items()) for _, former in periods if former is not None
}

TRICODE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "BRK": "BKN",
        "CHO": "CHA",
        "GOS": "GSW",
        "GS": "GSW",
        "NJ": "NJN",
        "NO": "NOP",
        "NY": "NYK",
        "PHL": "PHI",
        "PHO": "PHX",
        "SA": "SAS",
        "SAN": "SAS",
        "UTAH": "UTA",
        "UTH": "UTA",
        "WSH": "WAS",
    }
)
"""Other codes that feeds use, and the tricode that each stands for."""

_TRICODE_OF = {
    name.casefold(): tricode
    for names in (
        # "Charlotte Hornets" is today's team; `tricode_in_season` tells the seasons of the first one.
        {team.full_name: team.tricode for team in _FORMER},
        {tricode: tricode for tricode in TEAMS},
        TRICODE_ALIASES,
        {team.full_name: team.tricode for team in _CURRENT},
        {
            "LA Clippers": "LAC",
            "Charlotte Bobcats": "CHA",
            "New Orleans-Oklahoma City Hornets": "NOK",
            "NO/Oklahoma City Hornets": "NOK",
        },
    )
    for name, tricode in names.items()
}


def team_tricode(name_or_code: str | None) -> str | None:
    """The tricode of a team, given by any feed's code or by its full name, in any case; None where it is no team.

    "LA Clippers" and "Los Angeles Clippers" are both LAC. Never matched by a part of the name: "Orlando" is unknown.
    Former teams have their own tricode, "Seattle SuperSonics" is SEA; which one a franchise had in a season is said by
    `tricode_in_season`.
    """
    if name_or_code is None:
        return None
    return _TRICODE_OF.get(" ".join(name_or_code.split()).casefold())


def tricode_in_season(tricode: str, season_year: int) -> str | None:
    """The tricode that a team's franchise had in the season that began in a year; None where it had no team then.

    Example: OKC in 2007 is SEA, NOH in 2008 stays NOH and is NOP in 2013, CHA and NOP in 2000 are CHH, CHA in 2003 is
    nobody.
    """
    today = _FRANCHISE_OF.get(tricode, tricode)
    return next((code for last_season, code in _TRICODES_UNTIL.get(today, ()) if season_year <= last_season), today)
