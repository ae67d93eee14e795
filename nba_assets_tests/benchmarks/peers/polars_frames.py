"""Lazy expressions in polars: rolling and running figures per player, taken over by as-of joins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
import polars as pl

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

Tables = Mapping[str, pl.DataFrame]
PLAYER_SEASON = ("player_lookup", "season_start")


def prepared(frames: Frames) -> Tables:
    """The frames in polars; NaN is null there, and dates are dates."""
    return {
        name: pl.from_pandas(frame).with_columns(pl.col(pl.Datetime).cast(pl.Date)) for name, frame in frames.items()
    }


def to_pandas(result: pl.DataFrame) -> pd.DataFrame:
    """The rows as a frame."""
    return result.to_pandas()


def _played(tables: Tables) -> pl.LazyFrame:
    played = tables["sheet"].lazy().filter(pl.col("is_dnp") == 0, pl.col("points").is_not_null())
    return played.sort("player_lookup", "game_date")


def _as_of(requested: pl.LazyFrame, windows: pl.LazyFrame, on: str = "date") -> pl.LazyFrame:
    """Requested rows with the player's newest window of the season strictly before the date in column `on`."""
    return requested.sort(on).join_asof(
        windows.sort("game_date"),
        left_on=on,
        right_on="game_date",
        by=list(PLAYER_SEASON),
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
        coalesce=False,
    )


def _some(expression: pl.Expr) -> pl.Expr:
    """The number, null where it is not above 0."""
    return pl.when(expression > 0).then(expression)


def shot_zones(tables: Tables) -> pl.DataFrame:
    """Shot zones of every requested player and date with enough games."""
    known = (pl.col("has_complete_shot_zones") == 1) & pl.col("three_pt_attempts").is_not_null()
    known_only = {name: pl.when(known).then(pl.col(name).fill_null(0)).otherwise(0) for name in SUMMED}
    games = _played(tables).with_columns(known.fill_null(False).cast(pl.Float64).alias("known"), **known_only)
    windows = games.select(
        *PLAYER_SEASON,
        "game_date",
        pl.int_range(1, pl.len() + 1).over(PLAYER_SEASON).alias("played"),
        *(pl.col(name).rolling_sum(SHORT, min_samples=1).over(PLAYER_SEASON) for name in (*SUMMED, "known")),
        *(
            pl.col(name).rolling_sum(LONG, min_samples=1).over(PLAYER_SEASON).alias(f"{name}_20")
            for name in SUMMED_LONG
        ),
    )
    least = (pl.col("days_into_season") // DAYS_PER_GAME).clip(FEWEST_GAMES, SHORT)
    shots, shots_20 = (pl.sum_horizontal(f"{zone}_attempts{end}" for zone in ZONES) for end in ("", "_20"))
    shares = {zone: 100 * pl.col(f"{zone}_attempts") / _some(shots) for zone in ZONES}
    primary: pl.Expr = pl.lit("balanced")
    for zone, share in reversed(PRIMARY_SHARE.items()):
        primary = pl.when(shares[zone] >= share).then(pl.lit(ZONE_LABELS[zone])).otherwise(primary)
    makes = pl.when(shots > 0).then(_some(pl.col("fg_makes")))
    long_enough = pl.col("played") >= LONG_NEEDS
    return (
        _as_of(tables["requested"].lazy(), windows)
        .filter(pl.col("played") >= least)
        .select(
            "player_lookup",
            "date",
            pl.col("played").clip(upper_bound=SHORT).alias("games_in_sample_10"),
            pl.col("played").clip(upper_bound=LONG).alias("games_in_sample_20"),
            *(share.alias(f"{zone}_rate_last_10") for zone, share in shares.items()),
            _some(shots).alias("total_shots_last_10"),
            *(
                (pl.col(f"{zone}_makes") / _some(pl.col(f"{zone}_attempts"))).alias(f"{zone}_pct_last_10")
                for zone in ZONES
            ),
            *(
                (pl.col(f"{zone}_attempts") / _some(pl.col("known"))).alias(f"{zone}_attempts_per_game")
                for zone in ZONES
            ),
            pl.when(long_enough).then(100 * pl.col("paint_attempts_20") / _some(shots_20)).alias("paint_rate_last_20"),
            pl.when(long_enough)
            .then(pl.col("paint_makes_20") / _some(pl.col("paint_attempts_20")))
            .alias("paint_pct_last_20"),
            (100 * pl.col("assisted_fg_makes") / makes).alias("assisted_rate_last_10"),
            (100 * pl.col("unassisted_fg_makes") / makes).alias("unassisted_rate_last_10"),
            pl.when(shots > 0).then(primary).alias("primary_scoring_zone"),
        )
        .collect()
    )


def daily_cache(tables: Tables) -> pl.DataFrame:
    """Averages of every requested player and date with enough games, the last of them not too long ago."""

    def last(name: str, games: int) -> pl.Expr:
        return pl.col(name).rolling_mean(games, min_samples=1).over(PLAYER_SEASON)

    def season(name: str) -> pl.Expr:
        column = pl.col(name)
        known = column.is_not_null().cast(pl.Int64).cum_sum()
        return (column.fill_null(0).cum_sum() / _some(known)).over(PLAYER_SEASON)

    known = pl.col("assisted_fg_makes").is_not_null()
    made, assisted = (
        pl.when(known).then(pl.col(name).fill_null(0)).otherwise(0).rolling_sum(10, min_samples=1).over(PLAYER_SEASON)
        for name in ("fg_makes", "assisted_fg_makes")
    )
    windows = _played(tables).select(
        *PLAYER_SEASON,
        "game_date",
        last("points", 5).alias("points_avg_last_5"),
        last("points", 10).alias("points_avg_last_10"),
        season("points").alias("points_avg_season"),
        pl.col("points").rolling_std(10, min_samples=2).over(PLAYER_SEASON).alias("points_std_last_10"),
        last("minutes_played", 10).alias("minutes_avg_last_10"),
        last("usage_rate", 10).alias("usage_rate_last_10"),
        last("ts_pct", 10).alias("ts_pct_last_10"),
        pl.int_range(1, pl.len() + 1).over(PLAYER_SEASON).alias("games_played_season"),
        season("usage_rate").alias("player_usage_rate_season"),
        (assisted / _some(made)).alias("assisted_rate_last_10"),
    )
    return (
        _as_of(tables["requested"].lazy(), windows)
        .filter(
            pl.col("games_played_season") >= CACHE_MINIMUM_GAMES,
            pl.col("date") - pl.col("game_date") <= pl.duration(days=STALE_DAYS),
        )
        .drop("season_start", "days_into_season", "game_date")
        .collect()
    )


def workload(tables: Tables) -> pl.DataFrame:
    """Games and minutes of the last 7 and 14 days, as differences of running totals."""
    minutes = pl.col("minutes_played")
    windows = _played(tables).select(
        *PLAYER_SEASON,
        "game_date",
        pl.int_range(1, pl.len() + 1).over(PLAYER_SEASON).alias("games"),
        minutes.fill_null(0).cum_sum().over(PLAYER_SEASON).alias("minutes"),
        minutes.is_not_null().cast(pl.Int64).cum_sum().over(PLAYER_SEASON).alias("known"),
    )
    totals = ("games", "minutes", "known")
    rows = tables["requested"].lazy().select(*PLAYER_SEASON, "date")
    for days in (0, 6, 13):
        shifted = rows.with_columns((pl.col("date") - pl.duration(days=days)).alias("until"))
        named = windows.rename({name: f"{name}_{days}" for name in totals})
        rows = (
            _as_of(shifted, named, on="until")
            .drop("until", "game_date")
            .with_columns(pl.col(f"{name}_{days}").fill_null(0) for name in totals)
        )

    def within(name: str, days: int) -> pl.Expr:
        return pl.col(f"{name}_0") - pl.col(f"{name}_{days}")

    return rows.select(
        "player_lookup",
        "date",
        within("games", 6).alias("games_in_last_7_days"),
        within("games", 13).alias("games_in_last_14_days"),
        within("minutes", 6).alias("minutes_in_last_7_days"),
        within("minutes", 13).alias("minutes_in_last_14_days"),
        (within("minutes", 6) / _some(within("known", 6))).alias("avg_minutes_per_game_last_7"),
    ).collect()


def composite_factors(tables: Tables) -> pl.DataFrame:
    """The four scores and their sum, of each player's context, shot zones and opponent."""
    col = pl.col
    rows = (
        tables["requested"]
        .lazy()
        .select("player_lookup", "date")
        .join(tables["context"].lazy(), left_on=["date", "player_lookup"], right_on=["game_date", "player_lookup"])
        .join(
            tables["zones"].lazy().drop("is_production_ready").with_columns(has_zones=True),
            how="left",
            left_on=["date", "player_lookup"],
            right_on=["analysis_date", "player_lookup"],
        )
        .join(
            tables["defense"].lazy().drop("is_production_ready").with_columns(has_defense=True),
            how="left",
            left_on=["date", "opponent_team_abbr"],
            right_on=["analysis_date", "team_abbr"],
        )
    )
    tired, age, pairs = col("back_to_back") == 1, col("player_age"), col("back_to_backs_last_14_days")
    costs = (
        pl.when(tired).then(factors.BACK_TO_BACK_COST),
        pl.when(col("games_in_last_7_days") >= factors.FREQUENT_GAMES).then(factors.FREQUENT_COST),
        pl.when(col("minutes_in_last_7_days") > factors.HEAVY_MINUTES).then(factors.HEAVY_COST),
        pl.when(col("avg_minutes_per_game_last_7") > factors.HIGH_AVERAGE_MINUTES).then(factors.HIGH_AVERAGE_COST),
        pl.when(pairs >= 2).then(factors.BACK_TO_BACKS_COST).when(pairs == 1).then(factors.ONE_BACK_TO_BACK_COST),
        pl.when(age >= factors.VETERAN_AGE)
        .then(factors.VETERAN_COST)
        .when(age >= factors.MATURE_AGE)
        .then(factors.MATURE_COST),
        pl.when(~tired & (col("days_rest") >= factors.REST_DAYS)).then(-factors.REST_BONUS),
    )
    fatigue = (100.0 - pl.sum_horizontal(costs)).clip(0, 100)

    def of_scored_zone(column: str) -> pl.Expr:
        chosen: pl.Expr = col(column.format("paint"))
        for label, zone in factors.SCORED_AS.items():
            chosen = pl.when(col("primary_scoring_zone") == label).then(col(column.format(zone))).otherwise(chosen)
        return chosen

    rate = of_scored_zone("{}_rate_last_10").fill_null(factors.USUAL_RATE)
    raw = of_scored_zone("{}_defense_vs_league_avg").fill_null(0) * (rate / factors.HALF_OF_SHOTS).clip(upper_bound=1)
    strong = pl.when(raw.abs() > factors.STRONG_MISMATCH).then(raw * factors.STRONG_FACTOR).otherwise(raw)
    both = col("has_zones").is_not_null() & col("has_defense").is_not_null()
    mismatch = pl.when(both).then(strong.clip(-factors.MISMATCH_LIMIT, factors.MISMATCH_LIMIT)).otherwise(0.0)
    pace = (col("pace_differential") / 2).fill_null(0).clip(-factors.PACE_LIMIT, factors.PACE_LIMIT)
    recent, stars_out = col("avg_usage_rate_last_7_games"), col("star_teammates_out")
    spike = pl.when(recent != 0).then((col("projected_usage_rate") - recent) * factors.USAGE_WEIGHT).fill_null(0)
    factor = (
        pl.when(stars_out >= 2).then(factors.STARS_FACTOR).when(stars_out > 0).then(factors.ONE_STAR_FACTOR)
    ).otherwise(1.0)
    usage = pl.when(spike > 0).then(spike * factor).otherwise(spike).clip(-factors.USAGE_LIMIT, factors.USAGE_LIMIT)
    return (
        rows.select(
            "player_lookup",
            "date",
            fatigue.alias("fatigue_score"),
            mismatch.alias("shot_zone_mismatch_score"),
            pace.alias("pace_score"),
            usage.alias("usage_spike_score"),
        )
        .with_columns(
            (
                (col("fatigue_score") - 100) / factors.FATIGUE_PER_POINT
                + col("shot_zone_mismatch_score")
                + col("pace_score")
                + col("usage_spike_score")
            ).alias("total_composite_adjustment")
        )
        .collect()
    )


COMPUTE: Mapping[str, Callable[[Tables], pl.DataFrame]] = {
    SHOT_ZONES.name: shot_zones,
    DAILY_CACHE.name: daily_cache,
    WORKLOAD: workload,
    factors.TABLE.name: composite_factors,
}
