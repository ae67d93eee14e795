"""A team's defence by shot zone over its newest 15 games, compared with the league.

One row per team and date with games: the team's newest 15 games of the season before the date, from
`team_defense_game_summary`. A positive difference from the league is a worse defence. A team needs a third of the
season's days so far in games, at least 5 and at most 15; a team with fewer gets a failure record. The first 14 days of
a season have no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.games import SCHEDULE_COLUMNS, team_games
from nba_assets.analytics.parts import FINALS, GAME_DAYS, TEAMS
from nba_assets.analytics.team_defense_game_summary import TABLE as TEAM_DEFENSE
from nba_assets.basketball.arithmetic import Floats
from nba_assets.entities.completeness import Completeness, Readiness, completeness_counts, missing_game_ids
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures, take
from nba_assets.entities.relations import find, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.precompute.league_averages import LeagueAverages
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.precompute.zones import ZONE_LABELS, ZONE_WORDS, ZONES, allowed_pct, known_games
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import league_finals, league_games
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.blocks import REPROCESSING, STAMPS, completeness_block, readiness_block, ready_flag
from nba_assets.tables.remarks import PACE_COMPARED, PERIMETER, RATING_COMPARED
from nba_assets.tables.spec import (
    Column,
    Columns,
    Table,
    before,
    day,
    flag,
    number,
    of_its_date,
    of_season,
    text,
    whole,
)

SAMPLE_GAMES, MEDIUM_GAMES, FEWEST_GAMES = 15, 10, 5
DAYS_PER_GAME = 3
"""In the first weeks a team needs one game for every so many days of the season."""


def _zone_columns(zone: str) -> list[Column]:
    words = ZONE_WORDS[zone]
    points = (
        [
            number(
                "paint_points_allowed_per_game", "Points allowed in the paint per game", unit="points per game", scale=1
            )
        ]
        if zone == "paint"
        else []
    )
    return [
        number(
            f"{zone}_pct_allowed_last_15",
            f"Field-goal percentage of opponents {words}, as a fraction: makes / attempts of the newest 15 games",
            unit="fraction",
            scale=3,
            allowed=(0, 1),
        ),
        number(
            f"{zone}_attempts_allowed_per_game",
            f"Opponents' attempts {words} per game",
            unit="attempts per game",
            scale=1,
            allowed=(0, 200),
        ),
        *points,
        number(
            f"{zone}_blocks_per_game",
            f"The team's blocks of shots {words} per game",
            unit="blocks per game",
            scale=1,
            allowed=(0, 100),
        ),
        number(
            f"{zone}_defense_vs_league_avg",
            f"Field-goal percentage of opponents {words} minus the league's, in percentage points; positive = worse "
            "defence",
            unit="percentage points",
            scale=2,
            usual=(-25, 25),
        ),
    ]


TABLE = Table(
    "nba_precompute",
    "team_defense_zone_analysis",
    "one team on one date with games, as of before the games",
    ("analysis_date", "team_abbr"),
    "analysis_date",
    (
        text("team_abbr", "The defending team", nullable=False),
        day("analysis_date", "US-Eastern date that the row is as of", nullable=False),
        *(column for zone in ZONES for column in _zone_columns(zone)),
        number(
            "defensive_rating_last_15",
            f"Mean defensive rating of the games in the sample, {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=2,
            usual=(90, 130),
        ),
        number(
            "opponent_points_per_game", "Points allowed per game", unit="points per game", scale=1, allowed=(0, 250)
        ),
        number(
            "opponent_pace",
            f"Mean pace of the opponents in the sample, {PACE_COMPARED}",
            unit="possessions per 48 minutes",
            scale=1,
            usual=(85, 115),
        ),
        whole(
            "games_in_sample",
            "Games in the sample: the team's newest of the season, at most 15",
            unit="count",
            nullable=False,
            allowed=(1, SAMPLE_GAMES),
        ),
        text(
            "strongest_zone",
            f"Zone with the lowest difference from the league, the first of equals; {PERIMETER}",
            values=tuple(ZONE_LABELS.values()),
        ),
        text(
            "weakest_zone",
            f"Zone with the highest difference from the league, the first of equals; {PERIMETER}",
            values=tuple(ZONE_LABELS.values()),
        ),
        text(
            "data_quality_tier",
            "high from 15 games, medium from 10, else low",
            nullable=False,
            values=("high", "medium", "low"),
        ),
        text("calculation_notes", "Zones in which no opponent shot; null where there is none"),
        flag("early_season_flag", "Fewer than 15 games in the sample", nullable=False),
        *completeness_block("team's newest 15 final games of the season before the date"),
        *readiness_block(),
        ready_flag(),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="team_abbr",
    inputs=(
        of_its_date(SCHEDULE.table, GAME_DAYS),
        before(SCHEDULE.table, part=FINALS),
        of_season(SCHEDULE.table, TEAMS),
        before(TEAM_DEFENSE, has_all_finals=True),
    ),
    stage="pregame",
    code_version="1",
)


@dataclass(frozen=True)
class Shared:
    """What is the same for all teams of a run."""

    readiness: Readiness
    league: LeagueAverages


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Shared) -> Outcome:
    """The rows of some teams over all requested dates; `histories` are the `games` that they defended and their
    `finals`.
    """
    games, finals, as_of = histories["games"], histories["finals"], AsOf.of(requested)
    season, expected = AsOfWindow.season_to_date(games, as_of), AsOfWindow.season_to_date(finals, as_of)
    has_row = find((finals.group, finals["game_id"]), (games.group, games["game_id"])) >= 0
    sample = season.last(SAMPLE_GAMES)
    found = Completeness.of(expected.last(SAMPLE_GAMES), has_row)
    played = sample.games()
    rows = {
        "team_abbr": requested["team_abbr"],
        "analysis_date": as_of.dates,
        **_zones(games, sample, shared.league, as_of.dates),
        "defensive_rating_last_15": sample.mean(games["defensive_rating"], scale=2),
        "opponent_points_per_game": sample.mean(games["points_allowed"]),
        "opponent_pace": sample.mean(games["opponent_pace"], scale=1),
        "games_in_sample": played,
        "data_quality_tier": quality_tier(played),
        "early_season_flag": played < SAMPLE_GAMES,
        **completeness_counts(found),
        **shared.readiness.columns({"l15": found}, requested["is_bootstrap"] == 1, requested["is_boundary"] == 1),
    }
    least = minimum_games(requested["days_into_season"])
    enough = played >= least
    short = failures(
        requested["team_abbr"][~enough],
        as_of.dates[~enough],
        "TEAM",
        "INSUFFICIENT_DATA",
        [f"Only {n} games, need {need}" for n, need in zip(played[~enough], least[~enough], strict=True)],
        # Running again gives a team no more games; games that are built later make the date stale.
        can_retry=False,
        expected=expected.games()[~enough],
        actual=season.games()[~enough],
        missing_game_ids=missing_game_ids(expected, has_row, finals["game_id"])[~enough],
    )
    return Outcome(take(rows, enough), short if not enough.all() else {})


def minimum_games(days_into_season: NDArray[np.float64]) -> NDArray[np.int64]:
    """Games that a team needs so many days into the season. Example: 5 on day 14, 7 on day 21, 15 from day 45 on."""
    return np.clip(days_into_season // DAYS_PER_GAME, FEWEST_GAMES, SAMPLE_GAMES).astype(np.int64)


def quality_tier(games: NDArray[np.int64]) -> NDArray[np.object_]:
    """Tier of a sample of so many games."""
    return text_where(games >= SAMPLE_GAMES, "high", text_where(games >= MEDIUM_GAMES, "medium", "low"))


def _zones(
    games: Columns, sample: AsOfWindow, league: LeagueAverages, days: NDArray[np.datetime64]
) -> dict[str, NDArray[Any]]:
    """Shooting allowed by zone, against the league. Every figure takes the games in which it is known."""
    columns: dict[str, NDArray[Any]] = {}
    against_league: dict[str, Floats] = {}
    silent: dict[str, NDArray[np.bool_]] = {}
    for zone in ZONES:
        known = known_games(games, zone, sample)
        pct = allowed_pct(games, zone, known)
        against_league[zone] = (pct - league.at(zone, days)) * 100
        silent[zone] = (known.total(games[f"opp_{zone}_attempts"]) == 0) & (known.games() > 0)
        columns |= {
            f"{zone}_pct_allowed_last_15": pct,
            f"{zone}_attempts_allowed_per_game": sample.mean(games[f"opp_{zone}_attempts"]),
            f"{zone}_blocks_per_game": sample.mean(games[f"blocks_{zone}"]),
            f"{zone}_defense_vs_league_avg": against_league[zone],
        }
    strongest, weakest = extreme_zones(against_league)
    return columns | {
        "paint_points_allowed_per_game": sample.mean(games["points_in_paint_allowed"]),
        "strongest_zone": strongest,
        "weakest_zone": weakest,
        "calculation_notes": _notes(silent),
    }


def extreme_zones(against_league: Mapping[str, Floats]) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The strongest and the weakest zone by the unrounded differences from the league; None where no zone is known."""
    differences = np.array([against_league[zone] for zone in ZONES])
    labels = np.array([ZONE_LABELS[zone] for zone in ZONES], dtype=object)
    unknown = np.isnan(differences)
    strongest = labels[np.argmin(np.where(unknown, np.inf, differences), axis=0)]
    weakest = labels[np.argmax(np.where(unknown, -np.inf, differences), axis=0)]
    nowhere = unknown.all(axis=0)
    return text_where(nowhere, None, strongest), text_where(nowhere, None, weakest)


NOTES = {"paint": "No paint attempts", "mid_range": "No mid-range attempts", "three_pt": "No three-point attempts"}


def _notes(silent: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.object_]:
    flags = np.array([silent[zone] for zone in ZONES])
    return np.array(
        [
            "; ".join(NOTES[zone] for zone, holds in zip(ZONES, column, strict=True) if holds) or None
            for column in flags.T
        ],
        dtype=object,
    )


def build(run: TableRun) -> Outcome:
    """Rows of every team of the season on the run's dates with games."""
    days = pregame_days(run)
    if not len(days):
        return Outcome({})
    schedule = run.read(SCHEDULE.table, SCHEDULE_COLUMNS, start=run.season_start, end=run.season_end)
    games = team_games(take(schedule, league_games(schedule)))
    defense = Grouped.by(
        run.read(TEAM_DEFENSE, GAME_COLUMNS, start=run.season_start), "defending_team_abbr", "game_date"
    )
    finals = Grouped.by(take(games, league_finals(games)), "team_abbr", "game_date")
    since = run.calendar.first_day(days)
    shared = Shared(Readiness(run.settings.ready_threshold_pct), LeagueAverages.of(defense, days, since))
    requested = _teams(take(games, games["is_regular_season"] == 1), days, run.calendar.season_of(days))
    requested |= run.season_columns(requested["analysis_date"])
    return run.map_rows(
        "teams",
        compute,
        Grouped.by(requested, "team_abbr", "analysis_date"),
        {"games": defense, "finals": finals},
        shared,
    )


def _teams(games: Columns, days: NDArray[np.datetime64], seasons: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Every team of each date's regular season, whether it plays on the date or not."""
    teams = np.unique(games["team_abbr"].astype(str)).astype(object)
    requested = {"analysis_date": np.repeat(days, len(teams)), "team_abbr": np.tile(teams, len(days))}
    season = np.repeat(seasons.astype(np.float64), len(teams))
    return take(requested, find((season, requested["team_abbr"]), (games["season_year"], games["team_abbr"])) >= 0)


GAME_COLUMNS = (
    "game_id",
    "game_date",
    "defending_team_abbr",
    *(f"opp_{zone}_{what}" for zone in ZONES for what in ("makes", "attempts")),
    *(f"blocks_{zone}" for zone in ZONES),
    "points_in_paint_allowed",
    "points_allowed",
    "defensive_rating",
    "opponent_pace",
)
