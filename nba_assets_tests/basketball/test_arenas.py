"""Arenas by their names."""

from __future__ import annotations

import numpy as np
import pytest

from nba_assets.basketball import arenas
from nba_assets.basketball.arenas import ARENAS, Arena, arena_named
from nba_assets.basketball.teams import CURRENT_TEAMS, TEAMS
from nba_assets.basketball.travel import great_circle_miles, is_time_zone, utc_offset_hours


def miles_between(first: str, second: str) -> float:
    one, other = arena_named(first), arena_named(second)
    assert one is not None
    assert other is not None
    return float(great_circle_miles(one.latitude, one.longitude, other.latitude, other.longitude))


@pytest.mark.parametrize("tricode", CURRENT_TEAMS)
def test_every_team_of_today_has_its_arena_in_the_table(tricode: str) -> None:
    team, found = TEAMS[tricode], arena_named(TEAMS[tricode].arena_name)
    assert found is not None
    assert (found.latitude, found.longitude, found.timezone) == (
        team.arena_latitude,
        team.arena_longitude,
        team.arena_timezone,
    )


def test_every_arena_has_a_zone_and_lies_on_the_northern_hemisphere() -> None:
    assert all(is_time_zone(arena.timezone) and 18 < arena.latitude < 55 for arena in ARENAS.values())


@pytest.mark.parametrize(
    ("name", "timezone", "near", "within"),
    [
        ("Arena CDMX", "America/Mexico_City", "Palacio de los Deportes", 12),
        ("Accor Arena", "Europe/Paris", "The O2", 220),
        ("Uber Arena", "Europe/Berlin", "Accor Arena", 560),
        ("Co-op Live", "Europe/London", "Manchester Arena", 3),
        ("Saitama Super Arena", "Asia/Tokyo", "Tokyo Dome", 20),
        ("Venetian Arena", "Asia/Macau", "Mercedes-Benz Arena Shanghai", 800),
        ("Etihad Arena", "Asia/Dubai", "Accor Arena", 3300),
        ("HP Field House", "America/New_York", "ESPN Wide World of Sports: The Arena", 1),
        ("Visa Athletic Center", "America/New_York", "Amway Center", 20),
        ("T-Mobile Arena", "America/Los_Angeles", "Thomas & Mack Center", 3),
        ("T-Mobile Center", "America/Chicago", "KFC Yum! Center", 490),
        ("Amalie Arena", "America/New_York", "Amway Arena", 85),
        ("Moody Center", "America/Chicago", "Alamodome", 80),
        ("SkyDome", "America/Toronto", "Maple Leaf Gardens", 2),
        ("Key Arena", "America/Los_Angeles", "GM Place", 130),
        ("Great Western Forum", "America/Los_Angeles", "Intuit Dome", 2),
        ("ARCO Arena", "America/Los_Angeles", "Golden 1 Center", 7),
        ("US Airways Arena", "America/New_York", "MCI Center", 12),
        ("US Airways Center", "America/Phoenix", "America West Arena", 0),
        ("Pyramid Arena", "America/Chicago", "FedExForum", 3),
    ],
)
def test_arenas_lie_where_their_neighbours_are(name: str, timezone: str, near: str, within: float) -> None:
    found = arena_named(name)
    assert found is not None
    assert found.timezone == timezone
    assert 0.7 * within <= miles_between(name, near) <= within if within > 100 else miles_between(name, near) <= within


@pytest.mark.parametrize("name", ["arena ciudad de mexico", "ARENA CIUDAD DE MÉXICO", " Arena Ciudad de México "])
def test_case_accents_and_punctuation_do_not_matter(name: str) -> None:
    assert arena_named(name) == arena_named("Arena CDMX")


@pytest.mark.parametrize("name", [None, "", "Somewhere Dome", "Arena", "Mercedes-Benz Arena"])
def test_an_unknown_or_ambiguous_name_is_no_arena(name: str | None) -> None:
    assert arena_named(name) is None


def test_each_name_belongs_to_one_arena() -> None:
    """A name that two entries claim would be the later one's in silence."""
    for tricode, names in arenas._NAMES_OF_HOMES.items():
        assert {arena_named(name) for name in names} == {arena_named(TEAMS[tricode].arena_name)}
    for arena, names in arenas._OTHERS:
        assert {arena_named(name) for name in names} == {arena}


@pytest.mark.parametrize("arena", dict.fromkeys(ARENAS.values()), ids=str)
def test_the_sun_stands_over_an_arena_when_its_zone_says_noon(arena: Arena) -> None:
    """By the standard time of January; zones lie within two hours and a half of the sun."""
    offset = utc_offset_hours(np.array([arena.timezone], dtype=object), np.array(["2025-01-15"], dtype="M8[D]"))[0]
    assert abs(arena.longitude / 15 - offset) < 2.5


def test_no_place_moves_unnoticed() -> None:
    """A digit of a coordinate is nothing that a formula notices; whoever corrects or adds one changes these sums."""
    arenas_sum = [sum(getattr(arena, name) for arena in ARENAS.values()) for name in ("latitude", "longitude")]
    teams_sum = [sum(getattr(team, f"arena_{name}") for team in TEAMS.values()) for name in ("latitude", "longitude")]
    assert [*arenas_sum, *teams_sum] == pytest.approx(
        [7368.7565, -15519.7036, 1396.5604, -3462.4829], rel=0, abs=0.00001
    )
