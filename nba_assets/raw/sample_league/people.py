"""Who plays in the league, how well, for whom on which day, and who is missing when.

Nothing here depends on how games end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.names import player_lookup
from nba_assets.raw.sample_league.names import invent_names
from nba_assets.raw.sample_league.streams import Purpose, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROSTER_SIZE = 16
FREE_AGENTS_PER_TEAM = 2 / 3
POSITIONS = ("PG", "SG", "SF", "PF", "C")
NO_TEAM = -1
AVAILABLE = -1


@dataclass(frozen=True)
class Reason:
    """Why a player misses a game, as printed, and its category; its share among the reasons of its kind."""

    text: str
    category: str
    share: float = 1.0


INJURIES = tuple(
    Reason(f"Injury/Illness - {text}", "injury")
    for text in (
        *(
            "Left Ankle; Sprain",
            "Right Ankle; Sprain",
            "Right Knee; Soreness",
            "Left Knee; Meniscus Tear",
            "Left Hamstring; Strain",
        ),
        *(
            "Right Calf; Strain",
            "Low Back; Soreness",
            "Left Groin; Strain",
            "Right Thumb; Fracture",
            "Left Hand; Fracture",
        ),
        *("Right Shoulder; Sprain", "Left Wrist; Soreness", "Concussion Protocol", "Left Foot; Stress Reaction"),
    )
)
SHORT_ABSENCES = (
    Reason("Injury/Illness - N/A; Illness", "injury", 0.45),
    Reason("Personal Reasons", "personal", 0.25),
    Reason("Rest", "rest", 0.2),
    Reason("League Suspension", "suspension", 0.1),
)
ON_ASSIGNMENT = Reason("G League - On Assignment", "g_league")
REASONS = (*INJURIES, *SHORT_ABSENCES, ON_ASSIGNMENT)
"""An absence is stored as the place of its reason in this tuple."""
ILLNESS, REST = (
    len(INJURIES) + place
    for place, reason in enumerate(SHORT_ABSENCES)
    if reason.text.endswith("Illness") or reason.text == "Rest"
)

SLOT_LEVELS = np.array([2.3, 1.5, 1.05, 0.75, 0.5, 0.3, 0.1, -0.1, -0.3, -0.5, -0.7, -0.9, -1.1, -1.3, -1.5, -1.7])
"""Typical ability, in standard deviations, of a team's best player, its second best and so on."""
FREE_AGENT_LEVEL = -1.6

ZONES = ("restricted_area", "paint_non_ra", "mid_range", "above_break_three", "corner_three", "backcourt")
BACKCOURT = ZONES.index("backcourt")
# fmt: off
ZONE_SHARES = np.array([
    [0.26, 0.19, 0.14, 0.35, 0.06, 0.0],
    [0.25, 0.16, 0.13, 0.33, 0.13, 0.0],
    [0.29, 0.16, 0.12, 0.28, 0.15, 0.0],
    [0.35, 0.19, 0.12, 0.23, 0.11, 0.0],
    [0.48, 0.24, 0.12, 0.13, 0.03, 0.0],
])
"""Where a player of each position shoots from, by zone; only the last second of a period is for the backcourt."""
MAKE_RATES = np.array([
    [0.635, 0.415, 0.41, 0.355, 0.385, 0.02],
    [0.635, 0.415, 0.41, 0.357, 0.390, 0.02],
    [0.645, 0.420, 0.41, 0.355, 0.385, 0.02],
    [0.655, 0.430, 0.41, 0.348, 0.380, 0.02],
    [0.665, 0.440, 0.41, 0.335, 0.370, 0.02],
])
# fmt: on


@dataclass(frozen=True, eq=False)
class Skills:
    """What a player does on the floor; weights are relative to the four others. One element (or row) per player."""

    shooting: Floats
    zone_shares: Floats
    """Cumulative, (players, zones)."""
    make_rates: Floats
    """Chance that an open shot from each zone goes in, (players, zones)."""
    free_throws: Floats
    fouls_drawn: Floats
    passing: Floats
    turnovers: Floats
    offensive_rebounds: Floats
    defensive_rebounds: Floats
    steals: Floats
    blocks: Floats
    fouls: Floats
    defense: Floats
    """How much of the opponent's chance to make a shot he takes away, as a share."""


@dataclass(frozen=True, eq=False)
class People:
    """Everybody, one element per player; days count from opening night."""

    names: list[str]
    lookups: list[str]
    positions: Ints
    birth_dates: NDArray[np.datetime64]
    level: Floats
    """Ability, in standard deviations."""
    skills: Skills
    team_on: NDArray[np.int16]
    """Team of each player on each day, (players, days); NO_TEAM without one."""
    absence_on: NDArray[np.int16]
    """Reason that keeps each player away on each day, (players, days); AVAILABLE without one."""
    team_pace: Floats
    """How fast each team plays; 1 is the league's average."""
    traded: list[tuple[int, int]]
    """Players who were traded, in order, with the day from which they belong to their new team."""

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    def members(self, team: int, day: int) -> Ints:
        """Players of a team on a day, best first."""
        on_team = np.flatnonzero(self.team_on[:, day] == team)
        return on_team[np.argsort(-self.level[on_team], kind="stable")]


def invent_people(seed: int, season_year: int, teams: int, days: int, season_days: int) -> People:
    """A league's players over `days` days, of which the first `season_days` are the regular season."""
    rng = stream(seed, season_year, Purpose.PEOPLE)
    free_agents = round(teams * FREE_AGENTS_PER_TEAM)
    count = teams * ROSTER_SIZE + free_agents
    names = invent_names(count, rng)
    strength = rng.normal(0, 0.38, teams)
    level = np.concatenate([(SLOT_LEVELS + strength[:, None]).ravel(), np.full(free_agents, FREE_AGENT_LEVEL)])
    level += rng.normal(0, 0.3, count)
    by_five = rng.permuted(np.tile(np.arange(5), (-(-count // 5), 1)), axis=1)
    positions = by_five.ravel()[:count]
    ages = np.clip(rng.normal(26.5, 4.2, count), 19, 41)
    births = np.datetime64(f"{season_year}-10-01", "D") - (ages * 365.25).astype(np.int64)
    team_on, traded = _transactions(seed, season_year, teams, count, days, season_days, level)
    return People(
        names,
        [player_lookup(name) for name in names],
        positions,
        births,
        level,
        _skills(level, positions, rng),
        team_on,
        _absences(seed, season_year, level, days),
        rng.normal(1, 0.025, teams),
        traded,
    )


def _skills(level: Floats, position: Ints, rng: np.random.Generator) -> Skills:
    count = len(level)

    def weight(by_position: list[float], gain: float, spread: float) -> Floats:
        return np.array(by_position)[position] * np.exp(gain * level + rng.normal(0, spread, count))

    shooting = np.clip(weight([1.1, 1.05, 1.0, 0.95, 0.85], 0.3, 0.2), 0.45, 2.15)
    shares = ZONE_SHARES[position] * np.exp(rng.normal(0, 0.3, (count, len(ZONES))))
    makes = MAKE_RATES[position] + 0.018 * (level[:, None] - 0.9) + rng.normal(0, 0.018, (count, len(ZONES)))
    return Skills(
        shooting=shooting,
        zone_shares=np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1),
        make_rates=np.clip(makes, 0.01, 0.85),
        free_throws=np.clip(
            np.array([0.82, 0.81, 0.78, 0.75, 0.69])[position] + 0.012 * level + rng.normal(0, 0.06, count), 0.42, 0.94
        ),
        fouls_drawn=weight([1.0, 0.85, 0.95, 1.05, 1.2], 0.12, 0.2),
        passing=weight([2.3, 1.3, 1.0, 0.85, 0.8], 0.25, 0.25),
        turnovers=shooting**0.8 * weight([1.2, 1.0, 0.9, 0.9, 1.0], 0, 0.15),
        offensive_rebounds=weight([0.45, 0.55, 0.85, 1.4, 2.6], 0, 0.25),
        defensive_rebounds=weight([0.8, 0.8, 1.1, 1.4, 2.0], 0.08, 0.2),
        steals=weight([1.3, 1.2, 1.1, 0.9, 0.7], 0.08, 0.25),
        blocks=weight([0.3, 0.4, 0.75, 1.3, 2.6], 0.05, 0.3),
        fouls=weight([0.9, 0.95, 1.0, 1.15, 1.3], -0.08, 0.2),
        defense=0.012 * (level - 0.4) + rng.normal(0, 0.015, count),
    )


def _transactions(
    seed: int, season_year: int, teams: int, count: int, days: int, season_days: int, level: Floats
) -> tuple[NDArray[np.int16], list[tuple[int, int]]]:
    """Trades up to the deadline, waivers and call-ups all season long, drawn in order of time."""
    rng = stream(seed, season_year, Purpose.TRANSACTIONS)
    team_on = np.full((count, days), NO_TEAM, dtype=np.int16)
    rostered = teams * ROSTER_SIZE
    team_on[:rostered] = np.repeat(np.arange(teams), ROSTER_SIZE)[:, None]
    free_agents = list(range(rostered, count))

    trade_days = np.sort(rng.integers(season_days // 5, 2 * season_days // 3 + 1, size=max(1, teams // 2)))
    waiver_days = np.sort(rng.integers(season_days // 10, season_days, size=teams))
    traded: list[tuple[int, int]] = []
    for day, is_trade in sorted(
        [(day, True) for day in trade_days.tolist()] + [(day, False) for day in waiver_days.tolist()]
    ):
        if is_trade:
            partners = rng.permutation(teams)[:2]
            swapped = [_of_rank(team_on, level, team, day, int(rng.integers(1, 10))) for team in partners.tolist()]
            for player, team in zip(swapped, partners[::-1].tolist(), strict=True):
                team_on[player, day:] = team
            traded.extend((player, day) for player in swapped)
        elif free_agents:
            team = int(rng.integers(teams))
            waived = _of_rank(team_on, level, team, day, -1)
            signed = free_agents.pop(int(rng.integers(len(free_agents))))
            team_on[waived, day:] = NO_TEAM
            team_on[signed, min(day + int(rng.integers(0, 3)), days) :] = team
    return team_on, traded


def _of_rank(team_on: NDArray[np.int16], level: Floats, team: int, day: int, rank: int) -> int:
    members = np.flatnonzero(team_on[:, day] == team)
    return int(members[np.argsort(-level[members], kind="stable")][rank])


def _absences(seed: int, season_year: int, level: Floats, days: int) -> NDArray[np.int16]:
    """Injuries that last days, weeks or the season, and single days off; about one game in eight is missed."""
    rng = stream(seed, season_year, Purpose.ABSENCES)
    count = len(level)
    absence_on = np.full((count, days), AVAILABLE, dtype=np.int16)

    short = rng.random((count, days)) < 0.012
    shares = np.cumsum([reason.share for reason in SHORT_ABSENCES])
    kinds = np.searchsorted(shares / shares[-1], rng.random((count, days)), side="right")
    absence_on[short] = len(INJURIES) + kinds[short]

    assigned = (level < -1.2)[:, None] & (np.repeat(rng.random((count, -(-days // 7))), 7, axis=1)[:, :days] < 0.15)
    absence_on[assigned] = REASONS.index(ON_ASSIGNMENT)

    injuries = rng.poisson(days / 110, count)
    out_from_the_start = rng.random(count) < 0.03
    for player in range(count):
        starts = rng.integers(0, days, injuries[player])
        if out_from_the_start[player]:
            starts = np.append(starts, 0)
        for start in starts.tolist():
            length = 2 + int(rng.lognormal(2.1, 0.95))
            absence_on[player, start : start + length] = rng.integers(len(INJURIES))
    return absence_on
