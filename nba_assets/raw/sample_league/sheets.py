"""The sheet of each game: who is on it, who is absent and why, and how the minutes are planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from nba_assets.raw.sample_league.people import AVAILABLE, ON_ASSIGNMENT, REASONS, REST, People
from nba_assets.raw.sample_league.schedule import Game
from nba_assets.raw.sample_league.streams import Purpose, stream

HOME, AWAY = 0, 1
DRESSED = 13
NOBODY = -1
FEWEST_AVAILABLE = 9
STINT_SECONDS = 180
STINTS = 16
"""Of regulation; four to a quarter."""
CLOSING, GARBAGE_TIME = STINTS, STINTS + 1
"""Line-ups for overtime, and for a game that is decided."""

USUAL_MINUTES = np.array([36.5, 34.0, 32.5, 30.0, 28.0, 22.0, 19.0, 15.5, 12.0, 8.0, 5.0, 0.0, 0.0])
"""By a player's rank among those who are dressed; the last of a rotation of nine or ten play nothing."""
REST_SHARE = 0.12
RESTED_LEVEL = 1.6

STAYS_ON, BEGINS, FINISHES, OUTSIDE_ROTATION, NOT_ON_FLOOR = 110.0, 1000.0, 150.0, -5000.0, -1e6
"""What counts in a player's preference beside the seconds that he is behind his minutes: being on the floor already,
being a starter when a half begins and when the game ends, having no part in the rotation, not being there.
"""


@dataclass(frozen=True, eq=False)
class Sheets:
    """One element per game in each array; the second axis is home and away, a player's slot is his rank on the
    sheet.
    """

    dressed: NDArray[np.int64]
    """Players who may play, best first, (games, 2, DRESSED); NOBODY in empty slots."""
    target_minutes: NDArray[np.float64]
    """What the coach means each of them to play, (games, 2, DRESSED)."""
    preference: NDArray[np.float64]
    """How much each of them belongs on the floor in each stint, (games, 2, STINTS + 2, DRESSED): the highest five play.
    """
    stint_starts: NDArray[np.int64]
    """Seconds since tip-off at which each stint begins, (games, 2, STINTS)."""
    pace: NDArray[np.float64]
    """How fast each game is played; 1 is the league's average."""
    away: list[tuple[int, int, int, int | None]]
    """Members who are not dressed, as (game, side, player, reason); no reason where the sheet has no room."""

    def first(self, games: int) -> Sheets:
        """Of the first `games` games alone."""
        return Sheets(
            self.dressed[:games],
            self.target_minutes[:games],
            self.preference[:games],
            self.stint_starts[:games],
            self.pace[:games],
            [absence for absence in self.away if absence[0] < games],
        )

    def strength(self, people: People) -> NDArray[np.float64]:
        """Mean ability of those who are meant to play, weighted by their minutes, (games, 2)."""
        level = np.where(self.dressed == NOBODY, 0.0, people.level[self.dressed])
        total: NDArray[np.float64] = (level * self.target_minutes).sum(axis=2) / 240
        return total


def write_sheets(seed: int, season_year: int, people: People, games: Sequence[Game], first_day: date) -> Sheets:
    """The sheets of `games`; a team never has fewer than nine players, whoever must then play hurt.

    A game's sheet depends on nothing that comes later than the game.
    """
    days_of: dict[int, set[date]] = {}
    for game in games:
        for team in (game.home, game.away):
            days_of.setdefault(team, set()).add(game.day)

    dressed = np.full((len(games), 2, DRESSED), NOBODY, dtype=np.int64)
    targets = np.zeros((len(games), 2, DRESSED))
    moods = np.zeros((len(games), 2, STINTS, DRESSED))
    stint_starts = np.zeros((len(games), 2, STINTS), dtype=np.int64)
    pace = np.ones(len(games))
    away: list[tuple[int, int, int, int | None]] = []
    for place, game in enumerate(games):
        rng = stream(seed, season_year, Purpose.SHEETS, game.number)
        for side, team in ((HOME, game.home), (AWAY, game.away)):
            day = (game.day - first_day).days
            members = people.members(team, day)
            reasons = people.absence_on[members, day].astype(np.int64)
            rests = (
                (people.level[members] > RESTED_LEVEL)
                & (rng.random(len(members)) < REST_SHARE)
                & (reasons == AVAILABLE)
            )
            if game.day - timedelta(days=1) in days_of[team]:
                reasons[rests] = REST
            # Those who come back to make up the numbers are the lightest cases: on assignment first, then by rank.
            missing = np.flatnonzero(reasons != AVAILABLE)
            recalled = missing[np.argsort(reasons[missing] != REASONS.index(ON_ASSIGNMENT), kind="stable")]
            reasons[recalled[: max(0, FEWEST_AVAILABLE - np.count_nonzero(reasons == AVAILABLE))]] = AVAILABLE
            playing = members[reasons == AVAILABLE]
            fit = playing[:DRESSED]
            dressed[place, side, : len(fit)] = fit
            away.extend((place, side, player, None) for player in playing[DRESSED:].tolist())
            away.extend(
                (place, side, player, reason)
                for player, reason in zip(members.tolist(), reasons.tolist(), strict=True)
                if reason != AVAILABLE
            )
        noise = stream(seed, season_year, Purpose.ROTATION, game.number)
        targets[place] = _target_minutes(dressed[place], noise)
        stint_starts[place] = _stint_starts(noise)
        pace[place] = people.team_pace[[game.home, game.away]].mean() * noise.normal(1, 0.045)
        moods[place] = noise.normal(0, 25, (2, STINTS, DRESSED))
    return Sheets(dressed, targets, _plan(dressed, targets, moods), stint_starts, pace, away)


def _target_minutes(dressed: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
    minutes = USUAL_MINUTES * np.exp(rng.normal(0, 0.1, dressed.shape))
    minutes[np.arange(DRESSED) >= rng.integers(9, 12, (2, 1))] = 0
    minutes[dressed == NOBODY] = 0
    return np.minimum(minutes * (240 / minutes.sum(axis=1, keepdims=True)), 42)


def _stint_starts(rng: np.random.Generator) -> NDArray[np.int64]:
    starts = np.tile(np.arange(STINTS) * STINT_SECONDS, (2, 1))
    moved = rng.integers(-60, 61, (2, STINTS))
    moved[:, ::4] = 0  # quarters begin with the line-up that is meant to begin them
    return starts + moved


def _plan(dressed: NDArray[np.int64], targets: NDArray[np.float64], moods: NDArray[np.float64]) -> NDArray[np.float64]:
    """The preference for each player, stint by stint: the floor belongs to those who are most behind their minutes,
    give or take the coach's mood.
    """
    nobody = dressed == NOBODY
    target_seconds = targets * 60
    preference = np.zeros((len(dressed), 2, STINTS + 2, DRESSED))
    starters = np.zeros(nobody.shape, dtype=bool)
    np.put_along_axis(starters, np.argsort(-targets, axis=2, kind="stable")[..., :5], True, axis=2)
    played = np.zeros(nobody.shape)
    on_floor = np.zeros(nobody.shape, dtype=bool)
    for stint in range(STINTS):
        behind = target_seconds * ((stint + 1) / STINTS) - played
        priority = behind + moods[:, :, stint] + np.where(on_floor, STAYS_ON, 0)
        priority += np.where(
            starters, BEGINS if stint in (0, STINTS // 2) else FINISHES if stint >= STINTS - 2 else 0, 0
        )
        priority[targets == 0] += OUTSIDE_ROTATION
        priority[nobody] = NOT_ON_FLOOR
        preference[:, :, stint] = priority
        on_floor[:] = False
        np.put_along_axis(on_floor, np.argsort(-priority, axis=2, kind="stable")[..., :5], True, axis=2)
        played += np.where(on_floor, STINT_SECONDS, 0)
    preference[:, :, CLOSING] = np.where(nobody, NOT_ON_FLOOR, targets)
    preference[:, :, GARBAGE_TIME] = np.where(nobody, NOT_ON_FLOOR, np.arange(DRESSED, dtype=np.float64))
    return preference
