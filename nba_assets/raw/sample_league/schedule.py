"""Who plays whom, where and when: dates, pairings, arenas and tip-off times of the regular season, one postponement
included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np

from nba_assets.basketball.teams import CURRENT_TEAMS, Team
from nba_assets.raw.sample_league.streams import Purpose, stream

SEED, GAMES_PER_TEAM = 7, 82
"""The league that is simulated where nothing else is said."""
ROUND_DAYS = 2
"""Every team plays once in every two days of the calendar, so that no team plays on three days in a row."""
EASTERN = ZoneInfo("America/New_York")
NEUTRAL_ARENA = Team("---", "Neutral", "Arena CDMX", 19.4966, -99.1757, "America/Mexico_City")
MATINEE_SHARE = 0.3
MATINEES = (time(13), time(15, 30), time(18))
EVENINGS = {
    "America/Chicago": (time(20), time(20), time(20, 30)),
    "America/Denver": (time(21), time(21), time(21, 30)),
    "America/Phoenix": (time(21), time(21), time(22)),
    "America/Los_Angeles": (time(22), time(22), time(22, 30)),
}
"""Tip-off by the arena's time zone; Eastern time."""
EASTERN_EVENINGS = (time(19), time(19), time(19, 30))


class Phase(IntEnum):
    """Part of the season; the value is the last digit of the league's prefix for the ids of its games."""

    REGULAR_SEASON = 2
    PLAYOFFS = 4
    PLAY_IN = 5


@dataclass(frozen=True)
class Game:
    """One game to be played; teams are places in the league's list of teams. `number` seeds its random numbers."""

    number: int
    day: date
    tip: datetime
    home: int
    away: int
    tricodes: tuple[str, str]
    """Home, away."""
    arena: Team
    phase: Phase = Phase.REGULAR_SEASON
    primetime: bool = False
    postponed: bool = False
    """Will not be played on its day; the same number is played later."""
    made_up: bool = False
    """A postponed game on its new day: announced on the day it should have been played."""

    @property
    def game_id(self) -> str:
        """YYYYMMDD_AWAY_HOME."""
        return f"{self.day:%Y%m%d}_{self.tricodes[1]}_{self.tricodes[0]}"

    @property
    def is_neutral(self) -> bool:
        """Played in neither team's arena."""
        return self.arena is NEUTRAL_ARENA


def opening_night(season_year: int) -> date:
    """The first day with games: the Tuesday between 18 and 24 October. Example: 22 October 2024."""
    earliest = date(season_year, 10, 18)
    return earliest + timedelta(days=(1 - earliest.weekday()) % 7)


def regular_season(
    seed: int,
    season_year: int,
    teams: Sequence[str],
    games_per_team: int,
    *,
    opening: date | None = None,
    neutral: int | None = None,
    postponed: int | None = None,
) -> list[Game]:
    """All games in order of their tip-off: from the league's usual opening night on with its days off, or from the day
    `opening` on without any.

    `neutral` and `postponed` are the places in that order of the game at a neutral site and of the one that is played
    later instead; its new date is one more game of the list. Raises ValueError for an odd number of teams, for unknown
    teams and for more games than a season has room for.
    """
    _check(teams, games_per_team)
    rng = stream(seed, season_year, Purpose.SCHEDULE)
    days = _playable_days(season_year, opening, ROUND_DAYS * games_per_team)
    games: list[Game] = []
    for day, first, second in _pairings(len(teams), games_per_team, days, rng):
        home, away = first, second
        arena = CURRENT_TEAMS[teams[home]]
        tip = _tip(day, arena, rng)
        games.append(
            Game(0, day, tip, home, away, (teams[home], teams[away]), arena, primetime=bool(rng.random() < 0.12))
        )
    games.sort(key=lambda game: (game.day, game.tip, game.home))
    games = [replace(game, number=number) for number, game in enumerate(games, start=1)]
    if neutral is not None:
        games[neutral] = replace(games[neutral], arena=NEUTRAL_ARENA, tip=eastern(games[neutral].day, time(21)))
    if postponed is not None:
        games.append(_made_up(games[postponed], games, days))
        games[postponed] = replace(games[postponed], postponed=True)
    return sorted(games, key=lambda game: (game.day, game.tip, game.home))


def _check(teams: Sequence[str], games_per_team: int) -> None:
    unknown = sorted(set(teams) - set(CURRENT_TEAMS))
    if unknown:
        raise ValueError(f"no teams {', '.join(unknown)}; use tricodes such as BOS")
    if len(teams) < 2 or len(teams) % 2 or len(set(teams)) != len(teams):
        raise ValueError(
            f"a simulated league needs an even number of different teams, not {', '.join(teams) or 'none'}"
        )
    if not 1 <= games_per_team <= GAMES_PER_TEAM:
        raise ValueError(f"a team plays 1 to {GAMES_PER_TEAM} games in a season, not {games_per_team}")


def _playable_days(season_year: int, opening: date | None, count: int) -> list[date]:
    """The first `count` days from opening night on; after the usual one neither Thanksgiving, Christmas Eve nor the
    All-Star break is among them.
    """
    november = date(season_year, 11, 1)
    thanksgiving = november + timedelta(days=(3 - november.weekday()) % 7 + 21)
    february = date(season_year + 1, 2, 1)
    all_star_sunday = february + timedelta(days=(6 - february.weekday()) % 7 + 14)
    free = {
        thanksgiving,
        date(season_year, 12, 24),
        *(all_star_sunday + timedelta(days=offset) for offset in range(-2, 4)),
    }
    if opening is not None:
        free = set()
    first = opening or opening_night(season_year)
    days = (first + timedelta(days=offset) for offset in range(count + len(free)))
    return [day for day in days if day not in free][:count]


def _pairings(teams: int, rounds: int, days: Sequence[date], rng: np.random.Generator) -> list[tuple[date, int, int]]:
    """Day, home and away team of every game: each round is a perfect matching, and every two teams meet once in each
    cycle of rounds.
    """
    hosted: Counter[tuple[int, int]] = Counter()
    home_games: Counter[int] = Counter()
    played_late: set[int] = set()
    games = []
    for number, pairs in enumerate(_matchings(teams, rounds, rng)):
        first_day, second_day = days[ROUND_DAYS * number : ROUND_DAYS * (number + 1)]
        # Who played yesterday rather rests today, which keeps back-to-backs at about one game in six.
        tired = [sum(team in played_late for team in pair) for pair in pairs] + rng.normal(0, 0.9, len(pairs))
        early = _games_on_first_day(number, len(pairs), rng)
        order = np.argsort(tired, kind="stable").tolist()
        played_late = {team for place in order[early:] for team in pairs[place]}
        for rank, place in enumerate(order):
            one, other = pairs[place]
            lead = (hosted[one, other] - hosted[other, one], home_games[one] - home_games[other], rng.random() - 0.5)
            home, away = (one, other) if lead < (0, 0, 0) else (other, one)
            hosted[home, away] += 1
            home_games[home] += 1
            games.append((first_day if rank < early else second_day, home, away))
    return games


def _games_on_first_day(round_number: int, games: int, rng: np.random.Generator) -> int:
    if round_number == 0:
        return min(2, games)
    return int(np.clip(round(games * rng.normal(0.5, 0.16)), 1 if games == 2 else 0, games))


def _matchings(teams: int, rounds: int, rng: np.random.Generator) -> list[list[tuple[int, int]]]:
    """Round-robin tournaments by the circle method, one after the other, each in an order of its own."""
    matchings: list[list[tuple[int, int]]] = []
    while len(matchings) < rounds:
        circle = rng.permutation(teams).tolist()
        tournament = []
        for _ in range(teams - 1):
            tournament.append([(circle[place], circle[-1 - place]) for place in range(teams // 2)])
            circle = [circle[0], circle[-1], *circle[1:-1]]
        matchings.extend(tournament[place] for place in rng.permutation(len(tournament)))
    return matchings[:rounds]


def _tip(day: date, arena: Team, rng: np.random.Generator) -> datetime:
    weekend, choice = day.weekday() >= 5, rng.random()
    if weekend and choice < MATINEE_SHARE:
        times: Sequence[time] = MATINEES[1:] if arena.arena_timezone == "America/Los_Angeles" else MATINEES
    else:
        times = EVENINGS.get(arena.arena_timezone, EASTERN_EVENINGS)
    return eastern(day, times[int(rng.integers(len(times)))])


def eastern(day: date, clock: time) -> datetime:
    """The moment, in UTC, at which Eastern clocks show a time."""
    return datetime.combine(day, clock, EASTERN).astimezone(UTC)


def _made_up(game: Game, games: Sequence[Game], days: Sequence[date]) -> Game:
    """The postponed game on the first later day that gives neither team three days in a row, at the earliest a week
    later.
    """
    busy: defaultdict[int, set[date]] = defaultdict(set)
    for other in games:
        busy[other.home].add(other.day)
        busy[other.away].add(other.day)
    last = days[-1]
    later = [day for day in days if day >= game.day + timedelta(days=7)]
    after_season = [last + timedelta(days=offset) for offset in (2, 3)]
    day = next(
        day for day in (*later, *after_season) if all(_has_room(busy[team], day) for team in (game.home, game.away))
    )
    return replace(game, day=day, tip=eastern(day, time(19)), made_up=True)


def _has_room(busy: set[date], day: date) -> bool:
    near = [day + timedelta(days=offset) in busy for offset in (-2, -1, 0, 1, 2)]
    return not near[2] and not (near[0] and near[1]) and not (near[1] and near[3]) and not (near[3] and near[4])
