"""A player's season to date, computed once before a date's games: scoring, usage, shooting, team form, workload, shot
zones.

One row per player of `upcoming_player_game_context` on the date with at least five played games of the season before
it, the last of them in the last 30 days; the others get failure records. Averages are of results before the date; the
workload is copied from his context and the zones from his shot-zone row of the date. Means and deviations keep four
decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.parts import GAME_DAYS
from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.player_game_summary import played_games
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.entities import refusals
from nba_assets.entities.completeness import League, PlayerWindows, Readiness, SeasonSoFar, completeness_columns
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, take
from nba_assets.entities.relations import find, join_at, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.precompute.expected_games import EXPECTATIONS, read_expectations
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.precompute.team_form import join_team_form
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.blocks import (
    PLAYER_LOOKUP,
    REPROCESSING,
    STAMPS,
    UNIVERSAL_PLAYER_ID,
    completeness_block,
    copied,
    readiness_block,
    ready_flag,
)
from nba_assets.tables.remarks import PACE_COMPARED, RATING_COMPARED
from nba_assets.tables.spec import Columns, Table, before, count, day, flag, number, of_its_date, text

FROM_CONTEXT = (
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "back_to_backs_last_14_days",
    "avg_minutes_per_game_last_7",
    "player_age",
)
FROM_ZONES = ("primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10")
"""Columns that are copied from the player's context, and from his shot zones of the date."""

FULL_SAMPLE = 10
STALE_DAYS = 30
ONE_DAY = np.timedelta64(1, "D")
WINDOWS = ("l5", "l10", "l7d", "l14d")

TABLE = Table(
    "nba_precompute",
    "player_daily_cache",
    "one player expected to play on the date who has played enough this season",
    ("cache_date", "player_lookup"),
    "cache_date",
    (
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        day("cache_date", "US-Eastern date that the row is as of", nullable=False),
        number("points_avg_last_5", "Mean points of his newest 5 games", unit="points", scale=4, usual=(0, 70)),
        number("points_avg_last_10", "Mean points of his newest 10 games", unit="points", scale=4, usual=(0, 70)),
        number(
            "points_avg_season",
            "Mean points of all his games of the season",
            unit="points",
            scale=4,
            nullable=False,
            usual=(0, 70),
        ),
        number(
            "points_std_last_10",
            "Sample standard deviation of the points of his newest 10 games",
            unit="points",
            scale=4,
            usual=(0, 30),
        ),
        number("minutes_avg_last_10", "Mean minutes of his newest 10 games", unit="minutes", scale=4, allowed=(0, 100)),
        number(
            "usage_rate_last_10", "Mean usage rate of his newest 10 games", unit="percent", scale=4, allowed=(0, 100)
        ),
        number(
            "ts_pct_last_10",
            "Mean of the true shooting percentages of his newest 10 games, as a fraction; each game counts alike",
            unit="fraction",
            scale=4,
            allowed=(0, 2),
        ),
        count("games_played_season", "Games he played this season before the date", nullable=False),
        number(
            "team_pace_last_10",
            f"Mean pace of his team's newest 10 games, {PACE_COMPARED}",
            unit="possessions per 48 minutes",
            scale=4,
            usual=(85, 115),
        ),
        number(
            "team_off_rating_last_10",
            f"Mean offensive rating of his team's newest 10 games, {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=4,
            usual=(90, 130),
        ),
        number(
            "player_usage_rate_season",
            "Mean usage rate of all his games of the season",
            unit="percent",
            scale=4,
            allowed=(0, 100),
        ),
        *copied(PLAYER_CONTEXT, FROM_CONTEXT),
        *copied(SHOT_ZONES, FROM_ZONES),
        number(
            "assisted_rate_last_10",
            "Share of his made field goals that a teammate assisted, newest 10 games: a fraction, while "
            "player_shot_zone_analysis has percent",
            unit="fraction",
            scale=9,
            allowed=(0, 1),
        ),
        flag("early_season_flag", "Fewer than 10 games played", nullable=False),
        text("insufficient_data_reason", "Why the sample is small; null from 10 games on"),
        flag("shot_zone_data_available", "His shot-zone row of the date exists", nullable=False),
        *completeness_block("newest 5 final games of his team, without those he was not available for", WINDOWS),
        *readiness_block(),
        flag(
            "all_upstreams_ready",
            "His context is ready, and so is his shot-zone row where there is one",
            nullable=False,
        ),
        ready_flag("; and all upstream rows ready"),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
    inputs=(
        of_its_date(SCHEDULE.table, GAME_DAYS),
        *EXPECTATIONS,
        before(PLAYER_GAMES, has_all_finals=True),
        before(TEAM_OFFENSE, has_all_finals=True),
        of_its_date(PLAYER_CONTEXT),
        of_its_date(SHOT_ZONES),
    ),
    stage="pregame",
    code_version="1",
)


@dataclass(frozen=True)
class Shared:
    """What is the same for all players of a run."""

    readiness: Readiness
    league: League
    minimum_games: int


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Shared) -> Outcome:
    """The rows of some players over all requested dates; `histories` are their `sheet` rows, their `roster` rows and
    their raw `box` scores.
    """
    requested, refused = refusals.divide(requested)
    if not len(requested["cache_date"]):
        return Outcome({}, refused)
    games, as_of = played_games(histories["sheet"]), AsOf.of(requested)
    season = AsOfWindow.season_to_date(games, as_of)
    played = season.games()
    days_away = (as_of.dates - season.newest(games.dates)) / ONE_DAY
    too_few = played < shared.minimum_games
    stale = ~too_few & (days_away > STALE_DAYS)
    rows = {
        **{name: requested[name] for name in ("player_lookup", "universal_player_id", "cache_date")},
        **averages(games, season),
        **{name: requested[name] for name in (*FROM_CONTEXT, *FROM_ZONES)},
        "team_pace_last_10": requested["team_pace_last_10"],
        "team_off_rating_last_10": requested["team_offensive_rating_last_10"],
        "early_season_flag": played < FULL_SAMPLE,
        "insufficient_data_reason": text_where(
            played < FULL_SAMPLE, [f"Only {number} games played, need {FULL_SAMPLE} minimum" for number in played], None
        ),
        "shot_zone_data_available": requested["has_shot_zones"],
        **_readiness(requested, as_of, histories, shared),
    }
    kept = ~too_few & ~stale
    if kept.all():
        return Outcome(rows, refused)
    failed = _failures(requested.where(~kept), histories, shared, played[~kept], days_away[~kept])
    return Outcome(take(rows, kept), concatenate([refused, failed]))


"""Columns that are his context's and his shot-zone row's, as they stand."""


def averages(games: Columns, season: AsOfWindow) -> dict[str, NDArray[Any]]:
    """What he did in his newest 5 and 10 games and in all games of the season, from played games.

    Example: points 35, 34, ... 26 in ten games, newest last -> last_5 28.0 where the newest five are 26 to 30;
    deviation 3.0277.
    """
    last_5, last_10 = season.last(5), season.last(10)
    return {
        "points_avg_last_5": last_5.mean(games["points"]),
        "points_avg_last_10": last_10.mean(games["points"]),
        "points_avg_season": season.mean(games["points"]),
        "points_std_last_10": last_10.sample_std(games["points"]),
        "minutes_avg_last_10": last_10.mean(games["minutes_played"], scale=1),
        "usage_rate_last_10": last_10.mean(games["usage_rate"], scale=1),
        "ts_pct_last_10": last_10.mean(games["ts_pct"], scale=3),
        "games_played_season": season.games(),
        "player_usage_rate_season": season.mean(games["usage_rate"], scale=1),
        "assisted_rate_last_10": last_10.only(~np.isnan(games["assisted_fg_makes"])).ratio_of_sums(
            games["assisted_fg_makes"], games["fg_makes"]
        ),
    }


def _readiness(
    requested: Columns, as_of: AsOf, histories: Mapping[str, Grouped], shared: Shared
) -> dict[str, NDArray[Any]]:
    sheet, roster = histories["sheet"], histories["roster"]
    games = PlayerWindows.of(requested["team_abbr"], as_of, sheet, roster, shared.league)
    windows = {f"l{number}": games.last_games(number) for number in (5, 10)} | {
        f"l{days}d": games.last_days(days) for days in (7, 14)
    }
    columns = shared.readiness.columns(windows, requested["is_bootstrap"] == 1, requested["is_boundary"] == 1)
    upstream = (requested["context_ready"] == 1) & (
        (requested["has_shot_zones"] != 1) | (requested["shot_zones_ready"] == 1)
    )
    return {
        **completeness_columns(windows, primary="l5"),
        **columns,
        "all_upstreams_ready": upstream,
        "is_production_ready": columns["is_production_ready"] & upstream,
    }


def _failures(
    requested: Grouped,
    histories: Mapping[str, Grouped],
    shared: Shared,
    played: NDArray[np.int64],
    days_away: NDArray[np.float64],
) -> dict[str, Any]:
    """Records of dates before which a player has played too little, or not for too long."""
    too_few = played < shared.minimum_games
    reasons = text_where(
        too_few,
        [f"Only {number} games played, need {shared.minimum_games} minimum" for number in played],
        [f"Last game {days:.0f} days ago, more than {STALE_DAYS}" for days in days_away],
    )
    category = text_where(too_few, "INSUFFICIENT_DATA", "STALE_DATA")
    sheet, roster, box = (histories[name] for name in ("sheet", "roster", "box"))
    season = SeasonSoFar.of(AsOf.of(requested), sheet, roster, box, shared.league)
    # Running again gives a player no more games; games that are built later make the date stale.
    return season.failures(requested["player_lookup"], category, reasons, False, played)


def build(run: TableRun) -> Outcome:
    """Rows of every player with a game context on the run's dates."""
    days = pregame_days(run)
    requested = run.read_days(PLAYER_CONTEXT, CONTEXT_COLUMNS, days)
    if not len(requested["game_date"]):
        return Outcome({})
    zones = run.read_days(SHOT_ZONES, ZONE_COLUMNS, days)
    mine = find((requested["game_date"], requested["player_lookup"]), (zones["analysis_date"], zones["player_lookup"]))
    requested |= join_at(zones, mine, ("primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10"))
    requested |= join_at(zones, mine, {"shot_zones_ready": "is_production_ready"})
    requested |= {
        "has_shot_zones": (mine >= 0).astype(np.float64),
        "context_ready": requested["is_production_ready"],
        "cache_date": requested["game_date"],
    }
    requested |= run.season_columns(requested["game_date"])
    requested |= join_team_form(run, requested)
    league, histories = read_expectations(run)
    histories["sheet"] = Grouped.by(
        run.read(PLAYER_GAMES, SHEET_COLUMNS, start=run.season_start), "player_lookup", "game_date"
    )
    shared = Shared(Readiness(run.settings.ready_threshold_pct), league, run.settings.cache_minimum_games)
    return run.map_rows("players", compute, Grouped.by(requested, "player_lookup", "cache_date"), histories, shared)


CONTEXT_COLUMNS = (
    "player_lookup",
    "universal_player_id",
    "game_date",
    "team_abbr",
    *FROM_CONTEXT,
    "is_production_ready",
)
ZONE_COLUMNS = ("analysis_date", "player_lookup", *FROM_ZONES, "is_production_ready")
SHEET_COLUMNS = (
    "player_lookup",
    "game_id",
    "game_date",
    "team_abbr",
    "is_dnp",
    "points",
    "minutes_played",
    "usage_rate",
    "ts_pct",
    "fg_makes",
    "assisted_fg_makes",
)
