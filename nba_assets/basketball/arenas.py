"""Where the arenas are in which the league has played since 1996-97, by the names that schedules give them.

Homes of teams under all their names, homes for a season or two, and neutral sites abroad and at home. Which arena a
game is played in, and which one is a team's home in a season, is said by the schedule.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from nba_assets.basketball.teams import TEAMS

EASTERN, CENTRAL, MOUNTAIN, PACIFIC = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"


@dataclass(frozen=True)
class Arena:
    """A place: latitude and longitude in degrees, the time zone by its IANA name."""

    latitude: float
    longitude: float
    timezone: str


_NAMES_OF_HOMES: Mapping[str, tuple[str, ...]] = {
    "ATL": ("State Farm Arena", "Philips Arena"),
    "BOS": ("TD Garden", "TD Banknorth Garden", "FleetCenter"),
    "BKN": ("Barclays Center",),
    "CHA": ("Spectrum Center", "Time Warner Cable Arena", "Charlotte Bobcats Arena"),
    "CHI": ("United Center",),
    "CLE": ("Rocket Arena", "Rocket Mortgage FieldHouse", "Quicken Loans Arena", "Gund Arena"),
    "DAL": ("American Airlines Center",),
    "DEN": ("Ball Arena", "Pepsi Center"),
    "DET": ("Little Caesars Arena",),
    "GSW": ("Chase Center",),
    "HOU": ("Toyota Center",),
    "IND": ("Gainbridge Fieldhouse", "Bankers Life Fieldhouse", "Conseco Fieldhouse"),
    "LAL": ("Crypto.com Arena", "Staples Center"),
    "MEM": ("FedExForum",),
    "MIA": ("Kaseya Center", "Miami-Dade Arena", "FTX Arena", "AmericanAirlines Arena"),
    "MIL": ("Fiserv Forum", "Wisconsin Entertainment and Sports Center"),
    "MIN": ("Target Center",),
    "NOP": ("Smoothie King Center", "New Orleans Arena"),
    "NYK": ("Madison Square Garden",),
    "OKC": ("Paycom Center", "Chesapeake Energy Arena", "Oklahoma City Arena", "Ford Center"),
    "ORL": ("Kia Center", "Amway Center"),
    "PHI": ("Xfinity Mobile Arena", "Wells Fargo Center", "Wachovia Center", "First Union Center", "CoreStates Center"),
    "PHX": (
        *(
            "Mortgage Matchup Center",
            "PHX Arena",
            "Footprint Center",
            "Phoenix Suns Arena",
            "Talking Stick Resort Arena",
        ),
        *("US Airways Center", "America West Arena"),
    ),
    "POR": ("Moda Center", "Rose Garden", "Rose Garden Arena"),
    "SAC": ("Golden 1 Center",),
    "SAS": ("Frost Bank Center", "AT&T Center", "SBC Center"),
    "TOR": ("Scotiabank Arena", "Air Canada Centre"),
    "UTA": ("Delta Center", "Vivint Arena", "Vivint Smart Home Arena", "EnergySolutions Arena"),
    "WAS": ("Capital One Arena", "Verizon Center", "MCI Center"),
}
"""Names, in turn, of the arenas whose coordinates stand with the teams."""

_OTHERS: tuple[tuple[Arena, tuple[str, ...]], ...] = (
    # Former homes, and homes since.
    (Arena(33.9446, -118.3433, PACIFIC), ("Intuit Dome",)),
    (Arena(33.9583, -118.3419, PACIFIC), ("Kia Forum", "The Forum", "Great Western Forum")),
    (Arena(34.0127, -118.2850, PACIFIC), ("Los Angeles Memorial Sports Arena", "Los Angeles Sports Arena")),
    (Arena(33.8078, -117.8765, PACIFIC), ("Arrowhead Pond of Anaheim", "Arrowhead Pond", "Honda Center")),
    (
        Arena(37.7503, -122.2030, PACIFIC),
        ("Oakland Arena", "Oracle Arena", "The Arena in Oakland", "Oakland-Alameda County Coliseum Arena"),
    ),
    (Arena(37.3328, -121.9012, PACIFIC), ("SAP Center", "SAP Center at San Jose", "San Jose Arena")),
    (
        Arena(38.6491, -121.5183, PACIFIC),
        ("Sleep Train Arena", "Power Balance Pavilion", "ARCO Arena"),
    ),
    (
        Arena(47.6221, -122.3540, PACIFIC),
        ("Climate Pledge Arena", "KeyArena", "Key Arena", "KeyArena at Seattle Center"),
    ),
    (Arena(49.2778, -123.1089, "America/Vancouver"), ("Rogers Arena", "General Motors Place", "GM Place")),
    (Arena(39.7430, -105.0220, MOUNTAIN), ("McNichols Sports Arena", "McNichols Arena")),
    (Arena(32.7727, -96.8080, CENTRAL), ("Reunion Arena",)),
    (Arena(29.7304, -95.4349, CENTRAL), ("The Summit", "Compaq Center")),
    (Arena(29.4170, -98.4787, CENTRAL), ("Alamodome",)),
    (Arena(35.1556, -90.0518, CENTRAL), ("Pyramid Arena", "The Pyramid", "Great American Pyramid", "Memphis Pyramid")),
    (Arena(43.0436, -87.9169, CENTRAL), ("BMO Harris Bradley Center", "Bradley Center")),
    (
        Arena(43.0419, -87.9172, CENTRAL),
        ("UW-Milwaukee Panther Arena", "UWM Panther Arena", "MECCA Arena", "U.S. Cellular Arena"),
    ),
    (Arena(35.2059, -97.4425, CENTRAL), ("Lloyd Noble Center",)),
    (Arena(30.4142, -91.1846, CENTRAL), ("Pete Maravich Assembly Center",)),
    (Arena(42.6969, -83.2456, "America/Detroit"), ("The Palace of Auburn Hills", "Palace of Auburn Hills")),
    (Arena(39.7639, -86.1533, "America/Indiana/Indianapolis"), ("Market Square Arena",)),
    (Arena(33.7578, -84.3965, EASTERN), ("The Omni", "Omni Coliseum")),
    (Arena(33.7577, -84.4008, EASTERN), ("Georgia Dome",)),
    (Arena(33.7807, -84.3928, EASTERN), ("Alexander Memorial Coliseum", "Hank McCamish Pavilion")),
    (Arena(35.1838, -80.9062, EASTERN), ("Charlotte Coliseum",)),
    (Arena(25.7816, -80.1951, EASTERN), ("Miami Arena",)),
    (Arena(28.5493, -81.3868, EASTERN), ("Amway Arena", "TD Waterhouse Centre", "Orlando Arena")),
    (
        Arena(40.8117, -74.0676, EASTERN),
        ("Izod Center", "Continental Airlines Arena", "Meadowlands Arena", "Brendan Byrne Arena"),
    ),
    (Arena(40.7335, -74.1711, EASTERN), ("Prudential Center",)),
    (Arena(39.9012, -75.1720, EASTERN), ("The Spectrum", "CoreStates Spectrum", "Wachovia Spectrum")),
    (Arena(38.9018, -76.8447, EASTERN), ("US Airways Arena", "USAir Arena", "Capital Centre")),
    (Arena(39.2887, -76.6188, EASTERN), ("CFG Bank Arena", "Royal Farms Arena", "Baltimore Arena")),
    (Arena(43.6414, -79.3894, "America/Toronto"), ("SkyDome", "Rogers Centre")),
    (Arena(43.6622, -79.3802, "America/Toronto"), ("Maple Leaf Gardens",)),
    (Arena(43.2590, -79.8724, "America/Toronto"), ("Copps Coliseum", "FirstOntario Centre", "TD Coliseum")),
    # Homes for a while and neutral sites in North America.
    (Arena(27.9427, -82.4518, EASTERN), ("Amalie Arena", "Benchmark International Arena")),
    (
        Arena(28.3369, -81.5560, EASTERN),
        (
            "The Arena",
            "ESPN Wide World of Sports: The Arena",
            "ESPN Wide World of Sports Complex",
            "AdventHealth Arena",
        ),
    ),
    (Arena(28.3378, -81.5557, EASTERN), ("HP Field House", "The Field House", "State Farm Field House")),
    (Arena(28.3352, -81.5580, EASTERN), ("Visa Athletic Center",)),
    (Arena(36.1028, -115.1784, PACIFIC), ("T-Mobile Arena",)),
    (Arena(36.1047, -115.1444, PACIFIC), ("Thomas & Mack Center",)),
    (Arena(36.0908, -115.1762, PACIFIC), ("Michelob ULTRA Arena", "Mandalay Bay Events Center")),
    (Arena(30.2816, -97.7325, CENTRAL), ("Moody Center", "Moody Center ATX")),
    (Arena(39.0975, -94.5802, CENTRAL), ("T-Mobile Center", "Sprint Center")),
    (Arena(38.2574, -85.7536, "America/Kentucky/Louisville"), ("KFC Yum! Center",)),
    (Arena(45.4961, -73.5693, "America/Toronto"), ("Bell Centre", "Centre Bell", "Molson Centre")),
    (
        Arena(19.4966, -99.1755, "America/Mexico_City"),
        ("Mexico City Arena", "Arena Ciudad de México", "Arena CDMX", "Arena Mexico City"),
    ),
    (Arena(19.4057, -99.0953, "America/Mexico_City"), ("Palacio de los Deportes", "Sports Palace")),
    # Overseas.
    (
        Arena(48.8386, 2.3786, "Europe/Paris"),
        ("Accor Arena", "AccorHotels Arena", "Bercy Arena", "Palais Omnisports de Paris-Bercy"),
    ),
    (Arena(51.5030, 0.0032, "Europe/London"), ("The O2", "The O2 Arena", "O2 Arena", "O2 Arena London")),
    (Arena(53.4853, -2.2006, "Europe/London"), ("Co-op Live", "Co-op Live Arena")),
    (Arena(53.4881, -2.2436, "Europe/London"), ("AO Arena", "Manchester Arena", "Phones 4u Arena")),
    (
        Arena(52.5053, 13.4436, "Europe/Berlin"),
        ("Uber Arena", "O2 World Berlin", "Mercedes-Benz Arena Berlin", "Mercedes-Benz Arena (Berlin)"),
    ),
    (Arena(35.8949, 139.6309, "Asia/Tokyo"), ("Saitama Super Arena",)),
    (Arena(35.7056, 139.7519, "Asia/Tokyo"), ("Tokyo Dome",)),
    (Arena(22.1470, 113.5650, "Asia/Macau"), ("Venetian Arena", "The Venetian Arena", "Cotai Arena", "CotaiArena")),
    (Arena(31.1910, 121.4895, "Asia/Shanghai"), ("Mercedes-Benz Arena Shanghai", "Mercedes-Benz Arena (Shanghai)")),
    (Arena(24.4607, 54.6054, "Asia/Dubai"), ("Etihad Arena",)),
)
"""Arenas that are no team's home of today. "Mercedes-Benz Arena" alone is left out: it was the name of one in Berlin
and of one in Shanghai.
"""


def _key(name: str) -> str:
    """A name without what spellings differ in: accents, case, punctuation.

    Example: "Arena Ciudad de México" is "arenaciudaddemexico".
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.casefold())


def _home_of(tricode: str) -> Arena:
    team = TEAMS[tricode]
    return Arena(team.arena_latitude, team.arena_longitude, team.arena_timezone)


ARENAS: Mapping[str, Arena] = MappingProxyType(
    {_key(name): _home_of(team) for team, names in _NAMES_OF_HOMES.items() for name in names}
    | {_key(name): arena for arena, names in _OTHERS for name in names}
)
"""Every known arena by its names, of which only letters and digits count."""


def arena_named(name: str | None) -> Arena | None:
    """The arena of a name, in any case and with or without accents and punctuation; None where it is not known.

    Never matched by a part of the name. Example: "Arena CDMX" is at 19.4966, -99.1755 in America/Mexico_City.
    """
    return None if name is None else ARENAS.get(_key(name))
