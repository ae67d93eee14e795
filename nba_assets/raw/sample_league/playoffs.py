"""After the regular season: the play-in and four rounds of best-of-seven series, drawn up as results come in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta

from nba_assets.basketball.teams import TEAMS
from nba_assets.raw.sample_league.schedule import Game, Phase, eastern

FIELD = 16
PLAY_IN_TEAMS = 4
"""They play for the last two places of the field."""
WINS = 4
LONGEST_SERIES = 7
HOSTS_OF_HIGHER_SEED = (True, True, False, False, True, False, True)
ROUND_DAYS = 15
DAYS = 3 + 4 * ROUND_DAYS
"""How long it all takes at most."""
FIRST_NUMBER = 2000

Results = dict[int, tuple[int, int]]
"""Home and away score by the number of a game."""
ResultsOf = Callable[[Sequence[Game]], Results]


@dataclass
class _Series:
    higher: int
    lower: int
    games: list[Game]
    winner: int | None = None


def play_off(
    teams: Sequence[str], season: Sequence[Game], results: Results, through: date, results_of: ResultsOf
) -> list[Game]:
    """The games that were played or are sure to be, as known after `through`; `results_of` tells how games end.

    Nothing is known before the regular season is over. A league of fewer than eighteen teams has no play-offs.
    """
    last = max(game.day for game in season)
    if through < last or len(teams) < FIELD + PLAY_IN_TEAMS // 2:
        return []
    seeds = _standings(len(teams), season, results)
    day = last + timedelta(days=2)
    play_in = [_single_game(teams, seeds[14 + place], seeds[17 - place], day, FIRST_NUMBER + place) for place in (0, 1)]
    if through < day:
        return play_in
    scores = results_of(play_in)
    field = seeds[:14] + [_winner(game, scores) for game in play_in]
    known = list(play_in)
    start = day + timedelta(days=2)
    for number in range(1, 5):
        pairs = [(field[place], field[-1 - place]) for place in range(len(field) // 2)]
        series = [
            _series(teams, pair, start + timedelta(days=place % 2), number, place) for place, pair in enumerate(pairs)
        ]
        scores = results_of([game for one in series for game in one.games if game.day <= through])
        known.extend(game for one in series for game in _decide(one, scores))
        if any(one.winner is None for one in series):
            break
        field = [one.winner for one in series if one.winner is not None]
        start += timedelta(days=ROUND_DAYS)
    return sorted(known, key=lambda game: (game.day, game.tip, game.home))


def _standings(teams: int, season: Iterable[Game], results: Results) -> list[int]:
    wins: Counter[int] = Counter()
    margins: Counter[int] = Counter()
    for game in season:
        if not game.postponed:
            home, away = results[game.number]
            wins[game.home if home > away else game.away] += 1
            margins[game.home] += home - away
            margins[game.away] += away - home
    return sorted(range(teams), key=lambda team: (-wins[team], -margins[team], team))


def _winner(game: Game, results: Results) -> int:
    home, away = results[game.number]
    return game.home if home > away else game.away


def _single_game(
    teams: Sequence[str], home: int, away: int, day: date, number: int, phase: Phase = Phase.PLAY_IN
) -> Game:
    tip = eastern(day, time(19) if number % 2 else time(21, 30))
    return Game(number, day, tip, home, away, (teams[home], teams[away]), TEAMS[teams[home]], phase, primetime=True)


def _series(teams: Sequence[str], pair: tuple[int, int], start: date, number: int, place: int) -> _Series:
    games = []
    for turn, hosts in enumerate(HOSTS_OF_HIGHER_SEED):
        home, away = pair if hosts else pair[::-1]
        game_number = FIRST_NUMBER + 100 * number + 10 * place + turn + 1
        games.append(_single_game(teams, home, away, start + timedelta(days=2 * turn), game_number, Phase.PLAYOFFS))
    return _Series(*pair, games)


def _decide(series: _Series, results: Results) -> list[Game]:
    """Find out who won; returns the games that were or will surely be played."""
    wins: Counter[int] = Counter()
    sure: list[Game] = []
    for game in series.games:
        if series.winner is not None:
            break
        if game.number in results:
            wins[_winner(game, results)] += 1
            series.winner = next((team for team, won in wins.items() if won == WINS), None)
        elif len(sure) >= WINS + min(wins[series.higher], wins[series.lower]):
            break
        sure.append(game)
    return sure
