"""A whole season: everything that a landing zone would hold of it at the end of a given day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from nba_assets.basketball.teams import CURRENT_TEAMS
from nba_assets.raw.sample_league import announcements, playoffs, records
from nba_assets.raw.sample_league.people import People, invent_people
from nba_assets.raw.sample_league.play import Played, play
from nba_assets.raw.sample_league.schedule import GAMES_PER_TEAM, SEED, Game, opening_night, regular_season
from nba_assets.raw.sample_league.sheets import Sheets, write_sheets
from nba_assets.raw.sample_league.streams import Purpose, stream

SPECIAL_SHARE = 0.12
"""Special cases lie in this first part of the season, so that a month of it has them."""
FEWEST_GAMES_WITH_CASES = 10
CASES = (
    *("neutral", "postponed", "corrected_box", "without_play_by_play"),
    *("field_goals_only", "missing_distance", "coordinates_only", "distance_only"),
)


@dataclass(frozen=True)
class SpecialCase:
    """Where something out of the ordinary can be found."""

    game_id: str
    game_date: date
    player_lookup: str | None = None
    event_sequence: int | None = None


@dataclass(frozen=True)
class SpecialCases:
    """What is out of the ordinary in a season; None or empty for what has not happened yet, or never will in a very
    short one.
    """

    neutral_site: SpecialCase | None = None
    """Played in neither team's arena, in another country."""
    postponed: SpecialCase | None = None
    """Was not played on its date: status 4."""
    made_up: SpecialCase | None = None
    """The postponed game on its new date."""
    corrected_box: SpecialCase | None = None
    """A player's sheet and box score first had two points and a field goal too few; `part-correction.parquet` has the
    later version.
    """
    without_play_by_play: SpecialCase | None = None
    """A game with no event at all."""
    field_goals_only: SpecialCase | None = None
    """Play-by-play that holds shots and nothing else."""
    missing_distance: SpecialCase | None = None
    """A two with zone and coordinates, but no distance."""
    coordinates_only: SpecialCase | None = None
    """A game in which some twos have no zone of the feed."""
    distance_only: SpecialCase | None = None
    """A game in which some twos have neither zone nor coordinates."""
    overtime: tuple[SpecialCase, ...] = ()
    zero_minutes: tuple[SpecialCase, ...] = ()
    """Players who came in when the clock had run out."""
    first_after_trade: tuple[SpecialCase, ...] = ()
    """Each traded player's first game on his new team's sheet."""


@dataclass(frozen=True)
class SeasonSummary:
    """What was simulated."""

    season_year: int
    teams: tuple[str, ...]
    first_date: date
    """Opening night."""
    last_date: date
    """Last date that a game was played on; opening night where none was."""
    games_scheduled: int
    games_played: int
    row_counts: Mapping[str, int]
    special_cases: SpecialCases


@dataclass(frozen=True, eq=False)
class SimulatedSeason:
    """The raw tables as first published, later corrections of some of their rows, and what is where."""

    tables: Mapping[str, pa.Table]
    corrections: Mapping[str, pa.Table]
    summary: SeasonSummary


def simulate(
    season_year: int = 2024,
    seed: int = SEED,
    through: date | None = None,
    *,
    teams: Sequence[str] | None = None,
    games_per_team: int = GAMES_PER_TEAM,
    special_cases: bool = True,
    opening: date | None = None,
    announced_through: date | None = None,
) -> SimulatedSeason:
    """A season as known at the end of the day `through`, by default after its last game.

    The results and announcements of a date do not depend on `through`; the schedule and the registry are as of it.
    Lines, props, injury reports and rosters reach to `announced_through`, which is `through` by default. `opening` is
    the day of the first games of a season without days off; by default the season opens as the league's do. `teams` (an
    even number of tricodes, by default all thirty) and `games_per_team` make a smaller league; one of fewer than
    eighteen teams has no play-offs. Raises ValueError for teams that cannot make a league.
    """
    tricodes = tuple(sorted(CURRENT_TEAMS) if teams is None else teams)
    places = _special_places(len(tricodes) * games_per_team // 2) if special_cases else {}
    special = {case: places[case] for case in ("neutral", "postponed") if case in places}
    games = regular_season(seed, season_year, tricodes, games_per_team, opening=opening, **special)
    opening = opening or opening_night(season_year)
    season_days = (games[-1].day - opening).days + 1
    people = invent_people(seed, season_year, len(tricodes), season_days + playoffs.DAYS + 1, season_days)
    through = through or opening + timedelta(days=season_days + playoffs.DAYS)

    def play_games(some: Sequence[Game]) -> tuple[Sheets, Played]:
        sheets = write_sheets(seed, season_year, people, some, opening)
        return sheets, play(
            sheets, people.skills, [stream(seed, season_year, Purpose.PLAY, game.number) for game in some]
        )

    def results_of(some: Sequence[Game]) -> playoffs.Results:
        return _results(some, play_games(some)[1])

    announced_through = announced_through or through
    postponed = {game.number for game in games if game.postponed and game.day <= through}
    to_be_played = [game for game in games if not game.postponed and (not game.made_up or game.number in postponed)]
    announced_games = [game for game in to_be_played if game.day <= announced_through]
    regular = [game for game in announced_games if game.day <= through]
    announced_sheets = write_sheets(seed, season_year, people, announced_games, opening)
    sheets = announced_sheets.first(len(regular))
    played = play(sheets, people.skills, [stream(seed, season_year, Purpose.PLAY, game.number) for game in regular])
    batches = [(regular, sheets, played)]
    scores = _results(regular, played)
    later = playoffs.play_off(tricodes, games, scores, through, results_of)
    if played_later := [game for game in later if game.day <= through]:
        batches.append((played_later, *play_games(played_later)))
        scores |= _results(played_later, batches[-1][2])

    # A game's number is its place in the schedule before anything was postponed, from 1.
    quirks = records.Quirks(
        **{case: place + 1 for case, place in places.items() if case not in ("neutral", "postponed")}
    )
    recorded = [records.record(season_year, people, *batch, quirks) for batch in batches]
    known = [game for game in games if not game.made_up or game.number in postponed] + later
    with_sheets = [
        (announced_games, announced_sheets),
        *((some, later_sheets) for some, later_sheets, _ in batches[1:]),
    ]
    announced = [
        {name: announce(seed, season_year, people, *announced_of) for name, announce in ANNOUNCED.items()}
        for announced_of in with_sheets
    ]
    end = min(announced_through, max(game.day for game in known))
    tables = {
        "schedule": records.schedule_table(season_year, known, scores, postponed),
        **_concatenated([batch.tables for batch in recorded]),
        **_concatenated(announced),
        "rosters": announcements.rosters(seed, season_year, people, tricodes, opening, end),
        "player_registry": announcements.player_registry(season_year, people, tricodes, opening, end),
    }
    played_games = [game for some, *_ in batches for game in some]
    summary = SeasonSummary(
        season_year,
        tricodes,
        opening,
        max((game.day for game in played_games), default=opening),
        len(known),
        len(played_games),
        {name: rows.num_rows for name, rows in tables.items()},
        _find_cases(people, opening, games, postponed, batches, quirks, recorded[0]),
    )
    return SimulatedSeason(tables, recorded[0].corrections, summary)


ANNOUNCED = {
    "game_lines": announcements.game_lines,
    "player_points_props": announcements.player_points_props,
    "injury_report": announcements.injury_report,
}


def _results(games: Sequence[Game], played: Played) -> playoffs.Results:
    return {game.number: (home, away) for game, (home, away) in zip(games, played.score.tolist(), strict=True)}


def _concatenated(batches: Sequence[Mapping[str, pa.Table]]) -> dict[str, pa.Table]:
    return {name: pa.concat_tables([batch[name] for batch in batches]) for name in batches[0]}


def _special_places(games: int) -> dict[str, int]:
    """Places, in the order of tip-offs, of the games in which something out of the ordinary happens."""
    if games < FEWEST_GAMES_WITH_CASES:
        return {}
    span = max(FEWEST_GAMES_WITH_CASES, int(games * SPECIAL_SHARE))
    return {case: (number + 1) * span // (len(CASES) + 1) for number, case in enumerate(CASES)}


def _find_cases(
    people: People,
    opening: date,
    games: Sequence[Game],
    postponed: set[int],
    batches: Sequence[tuple[Sequence[Game], Sheets, Played]],
    quirks: records.Quirks,
    recorded: records.Records,
) -> SpecialCases:
    """Where everything out of the ordinary is, as far as it has happened."""
    played = {game.number: game for game in batches[0][0]}

    def case(number: int | None, **more: Any) -> SpecialCase | None:
        return None if number not in played else SpecialCase(played[number].game_id, played[number].day, **more)

    def first(some: Iterable[Game]) -> SpecialCase | None:
        return next((SpecialCase(game.game_id, game.day) for game in some), None)

    corrected = recorded.corrected_player
    overtime: list[SpecialCase] = []
    zero_minutes: list[SpecialCase] = []
    for some, sheets, result in batches:
        overtime.extend(
            SpecialCase(some[place].game_id, some[place].day) for place in np.flatnonzero(result.periods > 4).tolist()
        )
        for place, side, slot in np.argwhere(result.entered & (result.seconds == 0)).tolist():
            player = people.lookups[sheets.dressed[place, side, slot]]
            zero_minutes.append(SpecialCase(some[place].game_id, some[place].day, player))
    return SpecialCases(
        neutral_site=first(game for game in played.values() if game.is_neutral),
        postponed=first(game for game in games if game.postponed and game.number in postponed),
        made_up=first(game for game in played.values() if game.made_up),
        corrected_box=None
        if corrected is None
        else case(quirks.corrected_box, player_lookup=people.lookups[corrected]),
        without_play_by_play=case(quirks.without_play_by_play),
        field_goals_only=case(quirks.field_goals_only),
        missing_distance=case(quirks.missing_distance, event_sequence=recorded.distance_missing_at),
        coordinates_only=case(quirks.coordinates_only),
        distance_only=case(quirks.distance_only),
        overtime=tuple(overtime),
        zero_minutes=tuple(zero_minutes),
        first_after_trade=tuple(_first_after_trade(people, opening, [game for some, *_ in batches for game in some])),
    )


def _first_after_trade(people: People, opening: date, played: Sequence[Game]) -> Iterator[SpecialCase]:
    for player, day in people.traded:
        team, traded_on = people.team_on[player, day], opening + timedelta(days=day)
        new = (game for game in played if game.day >= traded_on and team in (game.home, game.away))
        if game := next(new, None):
            yield SpecialCase(game.game_id, game.day, people.lookups[player])
