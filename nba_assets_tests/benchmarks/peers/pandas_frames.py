"""Whole columns in pandas: rolling and running figures per player, taken over by an as-of join."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from nba_assets.precompute import player_composite_factors as factors
from nba_assets.precompute.player_daily_cache import STALE_DAYS
from nba_assets.precompute.player_daily_cache import TABLE as DAILY_CACHE
from nba_assets.precompute.player_shot_zone_analysis import (
    LONG,
    LONG_NEEDS,
    PRIMARY_SHARE,
    SHORT,
    SUMMED,
    SUMMED_LONG,
    minimum_games,
)
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.zones import ZONE_LABELS, ZONES
from nba_assets_tests.benchmarks.inputs import CACHE_MINIMUM_GAMES, WORKLOAD, Frames

PLAYER_SEASON = ["player_lookup", "season_start"]
ONE_DAY = pd.Timedelta(days=1).as_unit("s")


def prepared(frames: Frames) -> Frames:
    """The frames themselves."""
    return frames


def to_pandas(result: pd.DataFrame) -> pd.DataFrame:
    """The frame itself."""
    return result


def _played(frames: Frames) -> pd.DataFrame:
    sheet = frames["sheet"]
    played = sheet[(sheet["is_dnp"] == 0) & sheet["points"].notna()]
    return played.sort_values(["player_lookup", "game_date"], ignore_index=True)


def _as_of(requested: pd.DataFrame, windows: pd.DataFrame, on: str = "date") -> pd.DataFrame:
    """Requested rows with the player's newest window of the season strictly before the date in column `on`."""
    return pd.merge_asof(
        requested.sort_values(on),
        windows.sort_values("game_date"),
        left_on=on,
        right_on="game_date",
        by=PLAYER_SEASON,
        allow_exact_matches=False,
    )


def shot_zones(frames: Frames) -> pd.DataFrame:
    """Shot zones of every requested player and date with enough games."""
    games = _played(frames)
    known = (games["has_complete_shot_zones"] == 1) & games["three_pt_attempts"].notna()
    values = games[list(SUMMED)].fillna(0).where(known, 0).assign(known=known.astype(float))
    keys = [games[name] for name in PLAYER_SEASON]
    ten = values.groupby(keys, sort=False).rolling(SHORT, min_periods=1).sum().reset_index(drop=True)
    twenty = values[list(SUMMED_LONG)].groupby(keys, sort=False).rolling(LONG, min_periods=1).sum()
    windows = pd.concat(
        [
            games[[*PLAYER_SEASON, "game_date"]],
            ten,
            twenty.reset_index(drop=True).add_suffix("_20"),
            (games.groupby(PLAYER_SEASON, sort=False).cumcount() + 1).rename("played"),
        ],
        axis=1,
    )
    found = _as_of(frames["requested"], windows)
    found = found[found["played"] >= minimum_games(found["days_into_season"].to_numpy())]
    attempts = {zone: found[f"{zone}_attempts"] for zone in ZONES}
    shots = attempts["paint"] + attempts["mid_range"] + attempts["three_pt"]
    shots_20 = found["paint_attempts_20"] + found["mid_range_attempts_20"] + found["three_pt_attempts_20"]
    some = shots.where(shots > 0)
    makes = found["fg_makes"].where((shots > 0) & (found["fg_makes"] > 0))
    long_enough = found["played"] >= LONG_NEEDS
    shares = {zone: 100 * attempts[zone] / some for zone in ZONES}
    primary = np.select(
        [shares[zone] >= least for zone, least in PRIMARY_SHARE.items()],
        [ZONE_LABELS[zone] for zone in PRIMARY_SHARE],
        "balanced",
    )
    return pd.DataFrame(
        {
            "player_lookup": found["player_lookup"],
            "date": found["date"],
            "games_in_sample_10": found["played"].clip(upper=SHORT),
            "games_in_sample_20": found["played"].clip(upper=LONG),
            **{f"{zone}_rate_last_10": shares[zone] for zone in ZONES},
            "total_shots_last_10": some,
            **{
                f"{zone}_pct_last_10": found[f"{zone}_makes"] / attempts[zone].where(attempts[zone] > 0)
                for zone in ZONES
            },
            **{
                f"{zone}_attempts_per_game": attempts[zone] / found["known"].where(found["known"] > 0) for zone in ZONES
            },
            "paint_rate_last_20": (100 * found["paint_attempts_20"] / shots_20.where(shots_20 > 0)).where(long_enough),
            "paint_pct_last_20": (
                found["paint_makes_20"] / found["paint_attempts_20"].where(found["paint_attempts_20"] > 0)
            ).where(long_enough),
            "assisted_rate_last_10": 100 * found["assisted_fg_makes"] / makes,
            "unassisted_rate_last_10": 100 * found["unassisted_fg_makes"] / makes,
            "primary_scoring_zone": pd.Series(primary, found.index, dtype=object).where(shots > 0, None),
        }
    )


def daily_cache(frames: Frames) -> pd.DataFrame:
    """Averages of every requested player and date with enough games, the last of them not too long ago."""
    games = _played(frames)
    known = games["assisted_fg_makes"].notna()
    values = games[["points", "minutes_played", "usage_rate", "ts_pct"]]
    makes = games[["assisted_fg_makes", "fg_makes"]].fillna(0).where(known, 0)
    keys = [games[name] for name in PLAYER_SEASON]
    last_10 = values.groupby(keys, sort=False).rolling(10, min_periods=1).mean().reset_index(drop=True)
    points = games.groupby(PLAYER_SEASON, sort=False)["points"]
    last_makes = makes.groupby(keys, sort=False).rolling(10, min_periods=1).sum().reset_index(drop=True)
    season = values[["points", "usage_rate"]].groupby(keys, sort=False).expanding().mean().reset_index(drop=True)
    windows = pd.DataFrame(
        {
            **{name: games[name] for name in (*PLAYER_SEASON, "game_date")},
            "points_avg_last_5": points.rolling(5, min_periods=1).mean().reset_index(drop=True),
            "points_avg_last_10": last_10["points"],
            "points_avg_season": season["points"],
            "points_std_last_10": points.rolling(10, min_periods=2).std().reset_index(drop=True),
            "minutes_avg_last_10": last_10["minutes_played"],
            "usage_rate_last_10": last_10["usage_rate"],
            "ts_pct_last_10": last_10["ts_pct"],
            "games_played_season": points.cumcount() + 1,
            "player_usage_rate_season": season["usage_rate"],
            "assisted_rate_last_10": last_makes["assisted_fg_makes"]
            / last_makes["fg_makes"].where(last_makes["fg_makes"] > 0),
        }
    )
    found = _as_of(frames["requested"], windows)
    fresh = (found["games_played_season"] >= CACHE_MINIMUM_GAMES) & (
        found["date"] - found["game_date"] <= STALE_DAYS * ONE_DAY
    )
    return found[fresh].drop(columns=["season_start", "days_into_season", "game_date"])


def workload(frames: Frames) -> pd.DataFrame:
    """Games and minutes of the last 7 and 14 days, as differences of running totals."""
    games = _played(frames)
    minutes = games["minutes_played"]
    running = pd.DataFrame({"games": 1, "minutes": minutes.fillna(0), "known": minutes.notna().astype(int)})
    totals = running.groupby([games[name] for name in PLAYER_SEASON], sort=False).cumsum()
    windows = pd.concat([games[[*PLAYER_SEASON, "game_date"]], totals], axis=1)
    requested = frames["requested"].reset_index(drop=True)
    requested["row"] = requested.index

    def until(days_before: int) -> pd.DataFrame:
        shifted = requested.assign(until=requested["date"] - days_before * ONE_DAY)
        return _as_of(shifted, windows, on="until").set_index("row").sort_index()[list(totals)].fillna(0)

    now = until(0)
    week, fortnight = now - until(6), now - until(13)
    return pd.DataFrame(
        {
            "player_lookup": requested["player_lookup"],
            "date": requested["date"],
            "games_in_last_7_days": week["games"],
            "games_in_last_14_days": fortnight["games"],
            "minutes_in_last_7_days": week["minutes"],
            "minutes_in_last_14_days": fortnight["minutes"],
            "avg_minutes_per_game_last_7": week["minutes"] / week["known"].where(week["known"] > 0),
        }
    )


def composite_factors(frames: Frames) -> pd.DataFrame:
    """The four scores and their sum, of each player's context, shot zones and opponent."""
    rows = (
        frames["requested"][["player_lookup", "date"]]
        .merge(frames["context"], left_on=["date", "player_lookup"], right_on=["game_date", "player_lookup"])
        .merge(
            frames["zones"].drop(columns="is_production_ready"),
            how="left",
            left_on=["date", "player_lookup"],
            right_on=["analysis_date", "player_lookup"],
        )
        .merge(
            frames["defense"].drop(columns="is_production_ready"),
            how="left",
            left_on=["date", "opponent_team_abbr"],
            right_on=["analysis_date", "team_abbr"],
            suffixes=("", "_of_opponent"),
        )
    )
    tired, age, pairs = rows["back_to_back"] == 1, rows["player_age"], rows["back_to_backs_last_14_days"]
    fatigue = (
        100.0
        - factors.BACK_TO_BACK_COST * tired
        - factors.FREQUENT_COST * (rows["games_in_last_7_days"] >= factors.FREQUENT_GAMES)
        - factors.HEAVY_COST * (rows["minutes_in_last_7_days"] > factors.HEAVY_MINUTES)
        - factors.HIGH_AVERAGE_COST * (rows["avg_minutes_per_game_last_7"] > factors.HIGH_AVERAGE_MINUTES)
        - np.select([pairs >= 2, pairs == 1], [factors.BACK_TO_BACKS_COST, factors.ONE_BACK_TO_BACK_COST], 0)
        - np.select(
            [age >= factors.VETERAN_AGE, age >= factors.MATURE_AGE], [factors.VETERAN_COST, factors.MATURE_COST], 0
        )
        + factors.REST_BONUS * (~tired & (rows["days_rest"] >= factors.REST_DAYS))
    ).clip(0, 100)
    scored = rows["primary_scoring_zone"].map(factors.SCORED_AS).fillna("paint")
    of_zone = [scored == zone for zone in ZONES]
    rate = np.select(of_zone, [rows[f"{zone}_rate_last_10"] for zone in ZONES])
    defense = np.select(of_zone, [rows[f"{zone}_defense_vs_league_avg"] for zone in ZONES])
    rate = np.where(np.isnan(rate), factors.USUAL_RATE, rate)
    mismatch = np.nan_to_num(defense) * np.minimum(rate / factors.HALF_OF_SHOTS, 1)
    mismatch *= np.where(np.abs(mismatch) > factors.STRONG_MISMATCH, factors.STRONG_FACTOR, 1)
    both = rows["analysis_date"].notna() & rows["analysis_date_of_opponent"].notna()
    mismatch = np.where(both, np.clip(mismatch, -factors.MISMATCH_LIMIT, factors.MISMATCH_LIMIT), 0)
    pace = (rows["pace_differential"] / 2).fillna(0).clip(-factors.PACE_LIMIT, factors.PACE_LIMIT)
    recent, stars_out = rows["avg_usage_rate_last_7_games"], rows["star_teammates_out"]
    spike = ((rows["projected_usage_rate"] - recent) * factors.USAGE_WEIGHT).where(recent != 0).fillna(0)
    factor = np.select([stars_out >= 2, stars_out > 0], [factors.STARS_FACTOR, factors.ONE_STAR_FACTOR], 1.0)
    usage = spike.where(spike <= 0, spike * factor).clip(-factors.USAGE_LIMIT, factors.USAGE_LIMIT)
    return pd.DataFrame(
        {
            "player_lookup": rows["player_lookup"],
            "date": rows["date"],
            "fatigue_score": fatigue,
            "shot_zone_mismatch_score": mismatch,
            "pace_score": pace,
            "usage_spike_score": usage,
            "total_composite_adjustment": (fatigue - 100) / factors.FATIGUE_PER_POINT + mismatch + pace + usage,
        }
    )


COMPUTE: Mapping[str, Callable[[Frames], pd.DataFrame]] = {
    SHOT_ZONES.name: shot_zones,
    DAILY_CACHE.name: daily_cache,
    WORKLOAD: workload,
    factors.TABLE.name: composite_factors,
}
