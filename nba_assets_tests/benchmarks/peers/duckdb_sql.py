"""Window functions and as-of joins in DuckDB's SQL, on tables in its memory, with a thread per core, its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import pandas as pd
import pyarrow as pa

from nba_assets.precompute import player_composite_factors as factors
from nba_assets.precompute.player_daily_cache import STALE_DAYS
from nba_assets.precompute.player_daily_cache import TABLE as DAILY_CACHE
from nba_assets.precompute.player_shot_zone_analysis import (
    DAYS_PER_GAME,
    FEWEST_GAMES,
    LONG,
    LONG_NEEDS,
    PRIMARY_SHARE,
    SHORT,
    SUMMED,
    SUMMED_LONG,
)
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.zones import ZONE_LABELS, ZONES
from nba_assets_tests.benchmarks.inputs import CACHE_MINIMUM_GAMES, WORKLOAD, Frames


def prepared(frames: Frames) -> duckdb.DuckDBPyConnection:
    """The frames as tables of a database in memory; NaN is null there, and dates are dates."""
    connection = duckdb.connect()
    for name, frame in frames.items():
        arrow = pa.Table.from_pandas(frame, preserve_index=False)
        columns = [
            f"{field.name}::DATE AS {field.name}" if pa.types.is_timestamp(field.type) else field.name
            for field in arrow.schema
        ]
        connection.register("arrow", arrow)
        connection.execute(f"CREATE TABLE {name} AS SELECT {', '.join(columns)} FROM arrow")
        connection.unregister("arrow")
    return connection


def to_pandas(result: pa.Table) -> pd.DataFrame:
    """The rows as a frame."""
    return result.to_pandas()


def _result_of(query: str) -> Callable[[duckdb.DuckDBPyConnection], pa.Table]:
    return lambda connection: connection.sql(query).to_arrow_table()


def _listed(*columns: str) -> str:
    return ", ".join(columns)


PLAYED = "SELECT * FROM sheet WHERE is_dnp = 0 AND points IS NOT NULL"
PLAYER_SEASON = "PARTITION BY player_lookup, season_start ORDER BY game_date"
AS_OF = """requested ASOF JOIN windows
    ON requested.player_lookup = windows.player_lookup
    AND requested.season_start = windows.season_start
    AND requested.date > windows.game_date"""

_KNOWN = "has_complete_shot_zones = 1 AND three_pt_attempts IS NOT NULL"
_SHOTS, _SHOTS_20 = ("(" + " + ".join(f"{zone}_attempts{end}" for zone in ZONES) + ")" for end in ("", "_20"))
_PRIMARY = " ".join(
    f"WHEN {zone}_rate_last_10 >= {share} THEN '{ZONE_LABELS[zone]}'" for zone, share in PRIMARY_SHARE.items()
)
SHOT_ZONE_QUERY = f"""
WITH games AS ({PLAYED}),
windows AS (
    SELECT player_lookup, season_start, game_date,
        row_number() OVER season AS played,
        count(*) FILTER ({_KNOWN}) OVER last_10 AS known,
        {_listed(*(f"coalesce(sum({name}) FILTER ({_KNOWN}) OVER last_10, 0) AS {name}" for name in SUMMED))},
        {_listed(*(f"coalesce(sum({name}) FILTER ({_KNOWN}) OVER last_20, 0) AS {name}_20" for name in SUMMED_LONG))}
    FROM games
    WINDOW season AS ({PLAYER_SEASON}),
        last_10 AS ({PLAYER_SEASON} ROWS {SHORT - 1} PRECEDING),
        last_20 AS ({PLAYER_SEASON} ROWS {LONG - 1} PRECEDING)
),
found AS (
    SELECT windows.*, requested.date FROM {AS_OF}
    WHERE played >= least(greatest(floor(days_into_season / {DAYS_PER_GAME}), {FEWEST_GAMES}), {SHORT})
)
SELECT player_lookup, date,
    least(played, {SHORT}) AS games_in_sample_10,
    least(played, {LONG}) AS games_in_sample_20,
    {_listed(*(f"100 * {zone}_attempts / nullif({_SHOTS}, 0) AS {zone}_rate_last_10" for zone in ZONES))},
    nullif({_SHOTS}, 0) AS total_shots_last_10,
    {_listed(*(f"{zone}_makes / nullif({zone}_attempts, 0) AS {zone}_pct_last_10" for zone in ZONES))},
    {_listed(*(f"{zone}_attempts / nullif(known, 0) AS {zone}_attempts_per_game" for zone in ZONES))},
    CASE WHEN played >= {LONG_NEEDS} THEN 100 * paint_attempts_20 / nullif({_SHOTS_20}, 0) END AS paint_rate_last_20,
    CASE WHEN played >= {LONG_NEEDS} THEN paint_makes_20 / nullif(paint_attempts_20, 0) END AS paint_pct_last_20,
    CASE WHEN {_SHOTS} > 0 THEN 100 * assisted_fg_makes / nullif(fg_makes, 0) END AS assisted_rate_last_10,
    CASE WHEN {_SHOTS} > 0 THEN 100 * unassisted_fg_makes / nullif(fg_makes, 0) END AS unassisted_rate_last_10,
    CASE WHEN {_SHOTS} > 0 THEN CASE {_PRIMARY} ELSE 'balanced' END END AS primary_scoring_zone
FROM found"""

_MAKES = "FILTER (assisted_fg_makes IS NOT NULL) OVER last_10"
DAILY_CACHE_QUERY = f"""
WITH games AS ({PLAYED}),
windows AS (
    SELECT player_lookup, season_start, game_date,
        avg(points) OVER last_5 AS points_avg_last_5,
        avg(points) OVER last_10 AS points_avg_last_10,
        avg(points) OVER season AS points_avg_season,
        stddev_samp(points) OVER last_10 AS points_std_last_10,
        avg(minutes_played) OVER last_10 AS minutes_avg_last_10,
        avg(usage_rate) OVER last_10 AS usage_rate_last_10,
        avg(ts_pct) OVER last_10 AS ts_pct_last_10,
        count(*) OVER season AS games_played_season,
        avg(usage_rate) OVER season AS player_usage_rate_season,
        sum(assisted_fg_makes) {_MAKES} / nullif(sum(fg_makes) {_MAKES}, 0) AS assisted_rate_last_10
    FROM games
    WINDOW season AS ({PLAYER_SEASON}),
        last_5 AS ({PLAYER_SEASON} ROWS 4 PRECEDING),
        last_10 AS ({PLAYER_SEASON} ROWS 9 PRECEDING)
)
SELECT windows.* EXCLUDE (season_start, game_date), requested.date FROM {AS_OF}
WHERE games_played_season >= {CACHE_MINIMUM_GAMES} AND requested.date - game_date <= {STALE_DAYS}"""

_WEEK = "FILTER (games.game_date >= requested.date - 6)"
WORKLOAD_QUERY = f"""
WITH games AS ({PLAYED})
SELECT requested.player_lookup, requested.date,
    count(games.game_date) {_WEEK} AS games_in_last_7_days,
    count(games.game_date) AS games_in_last_14_days,
    coalesce(sum(minutes_played) {_WEEK}, 0) AS minutes_in_last_7_days,
    coalesce(sum(minutes_played), 0) AS minutes_in_last_14_days,
    avg(minutes_played) {_WEEK} AS avg_minutes_per_game_last_7
FROM requested LEFT JOIN games
    ON games.player_lookup = requested.player_lookup
    AND games.season_start = requested.season_start
    AND games.game_date < requested.date
    AND games.game_date >= requested.date - 13
GROUP BY requested.player_lookup, requested.date"""


def _of_scored_zone(column: str) -> str:
    scored = " ".join(
        f"WHEN '{label}' THEN {column.format(zone)}" for label, zone in factors.SCORED_AS.items() if zone != "paint"
    )
    return f"CASE primary_scoring_zone {scored} ELSE {column.format('paint')} END"


_SHARE = f"least(coalesce({_of_scored_zone('{}_rate_last_10')}, {factors.USUAL_RATE}) / {factors.HALF_OF_SHOTS}, 1)"
FACTORS_QUERY = f"""
WITH joined AS (
    SELECT context.*, zones.*, defense.*,
        zones.player_lookup IS NOT NULL AND defense.team_abbr IS NOT NULL AS has_both
    FROM requested
    JOIN context ON context.game_date = requested.date AND context.player_lookup = requested.player_lookup
    LEFT JOIN zones ON zones.analysis_date = requested.date AND zones.player_lookup = requested.player_lookup
    LEFT JOIN defense
        ON defense.analysis_date = requested.date AND defense.team_abbr = context.opponent_team_abbr
),
parts AS (
    SELECT player_lookup, game_date AS date,
        100.0
            - CASE WHEN back_to_back = 1 THEN {factors.BACK_TO_BACK_COST}
                WHEN days_rest >= {factors.REST_DAYS} THEN -{factors.REST_BONUS} ELSE 0 END
            - CASE WHEN games_in_last_7_days >= {factors.FREQUENT_GAMES} THEN {factors.FREQUENT_COST} ELSE 0 END
            - CASE WHEN minutes_in_last_7_days > {factors.HEAVY_MINUTES} THEN {factors.HEAVY_COST} ELSE 0 END
            - CASE WHEN avg_minutes_per_game_last_7 > {factors.HIGH_AVERAGE_MINUTES}
                THEN {factors.HIGH_AVERAGE_COST} ELSE 0 END
            - CASE WHEN back_to_backs_last_14_days >= 2 THEN {factors.BACK_TO_BACKS_COST}
                WHEN back_to_backs_last_14_days = 1 THEN {factors.ONE_BACK_TO_BACK_COST} ELSE 0 END
            - CASE WHEN player_age >= {factors.VETERAN_AGE} THEN {factors.VETERAN_COST}
                WHEN player_age >= {factors.MATURE_AGE} THEN {factors.MATURE_COST} ELSE 0 END AS fatigue,
        CASE WHEN has_both THEN coalesce({_of_scored_zone("{}_defense_vs_league_avg")} * {_SHARE}, 0) ELSE 0 END
            AS mismatch,
        coalesce(pace_differential / 2, 0) AS pace,
        coalesce(
            CASE WHEN avg_usage_rate_last_7_games != 0
                THEN (projected_usage_rate - avg_usage_rate_last_7_games) * {factors.USAGE_WEIGHT} END,
            0
        ) AS spike,
        CASE WHEN star_teammates_out >= 2 THEN {factors.STARS_FACTOR}
            WHEN star_teammates_out > 0 THEN {factors.ONE_STAR_FACTOR} ELSE 1 END AS factor
    FROM joined
),
scores AS (
    SELECT player_lookup, date,
        greatest(least(fatigue, 100), 0) AS fatigue_score,
        greatest(
            least(
                mismatch * CASE WHEN abs(mismatch) > {factors.STRONG_MISMATCH}
                    THEN {factors.STRONG_FACTOR} ELSE 1 END,
                {factors.MISMATCH_LIMIT}
            ),
            -{factors.MISMATCH_LIMIT}
        ) AS shot_zone_mismatch_score,
        greatest(least(pace, {factors.PACE_LIMIT}), -{factors.PACE_LIMIT}) AS pace_score,
        greatest(
            least(CASE WHEN spike > 0 THEN spike * factor ELSE spike END, {factors.USAGE_LIMIT}),
            -{factors.USAGE_LIMIT}
        ) AS usage_spike_score
    FROM parts
)
SELECT *,
    (fatigue_score - 100) / {factors.FATIGUE_PER_POINT} + shot_zone_mismatch_score + pace_score + usage_spike_score
        AS total_composite_adjustment
FROM scores"""

COMPUTE: Mapping[str, Callable[[duckdb.DuckDBPyConnection], pa.Table]] = {
    SHOT_ZONES.name: _result_of(SHOT_ZONE_QUERY),
    DAILY_CACHE.name: _result_of(DAILY_CACHE_QUERY),
    WORKLOAD: _result_of(WORKLOAD_QUERY),
    factors.TABLE.name: _result_of(FACTORS_QUERY),
}
