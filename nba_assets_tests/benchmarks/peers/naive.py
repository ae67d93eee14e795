"""The obvious way: for each player and date one boolean filter of a pandas data frame, then sums of what is left.

Threads and processes share the players out, as a worker pool around such a function does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pandas as pd

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

Row = dict[str, Any]


def prepared(frames: Frames) -> Frames:
    """Frames sorted by date, and of players' games those that they played."""
    ready = dict(frames)
    if "sheet" in frames:
        sheet = frames["sheet"]
        ready["sheet"] = sheet[(sheet["is_dnp"] == 0) & sheet["points"].notna()].sort_values("game_date")
    return ready


def to_pandas(result: pd.DataFrame) -> pd.DataFrame:
    """The frame itself."""
    return result


def through(pool: Executor, parts: int, function: Callable[[Frames], pd.DataFrame], frames: Frames) -> pd.DataFrame:
    """The players in so many parts, each computed by a worker of the pool."""
    requested = frames["requested"]
    codes = pd.factorize(requested["player_lookup"])[0] % parts
    shares = [{**frames, "requested": requested[codes == part]} for part in range(parts)]
    return pd.concat(pool.map(function, shares), ignore_index=True)


def _before(sheet: pd.DataFrame, request: Any) -> pd.DataFrame:
    """A player's games of the season before the date."""
    return sheet[
        (sheet["player_lookup"] == request.player_lookup)
        & (sheet["game_date"] < request.date)
        & (sheet["game_date"] >= request.season_start)
    ]


def _requests(frames: Frames) -> Iterator[Any]:
    return frames["requested"].itertuples(index=False)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def shot_zones(frames: Frames) -> pd.DataFrame:
    """Shot zones of every requested player and date with enough games."""
    rows = []
    for request in _requests(frames):
        games = _before(frames["sheet"], request)
        if len(games) >= min(max(request.days_into_season // DAYS_PER_GAME, FEWEST_GAMES), SHORT):
            rows.append(_zones_of(request, games.tail(LONG)))
    return pd.DataFrame(rows)


def _zones_of(request: Any, games: pd.DataFrame) -> Row:
    last_10, played_20 = games.tail(SHORT), len(games)
    by_zone = (games["has_complete_shot_zones"] == 1) & games["three_pt_attempts"].notna()
    known_10, known_20 = last_10[by_zone.tail(SHORT)], games[by_zone]
    ten, twenty = known_10[list(SUMMED)].sum(), known_20[list(SUMMED_LONG)].sum()
    shots, long_shots = (sum(totals[f"{zone}_attempts"] for zone in ZONES) for totals in (ten, twenty))
    shares = {zone: _ratio(100 * ten[f"{zone}_attempts"], shots) for zone in ZONES}
    makes = ten["fg_makes"] if shots else 0
    long_enough = played_20 >= LONG_NEEDS
    primary = next((ZONE_LABELS[zone] for zone, share in PRIMARY_SHARE.items() if shares[zone] >= share), "balanced")
    return {
        "player_lookup": request.player_lookup,
        "date": request.date,
        "games_in_sample_10": len(last_10),
        "games_in_sample_20": played_20,
        **{f"{zone}_rate_last_10": shares[zone] for zone in ZONES},
        "total_shots_last_10": shots or np.nan,
        **{f"{zone}_pct_last_10": _ratio(ten[f"{zone}_makes"], ten[f"{zone}_attempts"]) for zone in ZONES},
        **{f"{zone}_attempts_per_game": _ratio(ten[f"{zone}_attempts"], len(known_10)) for zone in ZONES},
        "paint_rate_last_20": _ratio(100 * twenty["paint_attempts"], long_shots) if long_enough else np.nan,
        "paint_pct_last_20": _ratio(twenty["paint_makes"], twenty["paint_attempts"]) if long_enough else np.nan,
        "assisted_rate_last_10": _ratio(100 * ten["assisted_fg_makes"], makes),
        "unassisted_rate_last_10": _ratio(100 * ten["unassisted_fg_makes"], makes),
        "primary_scoring_zone": primary if shots else None,
    }


def daily_cache(frames: Frames) -> pd.DataFrame:
    """Averages of every requested player and date with enough games, the last of them not too long ago."""
    rows = []
    for request in _requests(frames):
        games = _before(frames["sheet"], request)
        if len(games) >= CACHE_MINIMUM_GAMES and (request.date - games["game_date"].iloc[-1]).days <= STALE_DAYS:
            rows.append(_averages_of(request, games))
    return pd.DataFrame(rows)


def _averages_of(request: Any, games: pd.DataFrame) -> Row:
    points, last_10 = games["points"], games.tail(10)
    known = last_10[last_10["assisted_fg_makes"].notna()]
    return {
        "player_lookup": request.player_lookup,
        "date": request.date,
        "points_avg_last_5": points.tail(5).mean(),
        "points_avg_last_10": last_10["points"].mean(),
        "points_avg_season": points.mean(),
        "points_std_last_10": last_10["points"].std(),
        "minutes_avg_last_10": last_10["minutes_played"].mean(),
        "usage_rate_last_10": last_10["usage_rate"].mean(),
        "ts_pct_last_10": last_10["ts_pct"].mean(),
        "games_played_season": len(games),
        "player_usage_rate_season": games["usage_rate"].mean(),
        "assisted_rate_last_10": _ratio(known["assisted_fg_makes"].sum(), known["fg_makes"].sum()),
    }


def workload(frames: Frames) -> pd.DataFrame:
    """Games and minutes of the last 7 and 14 days."""
    rows = []
    for request in _requests(frames):
        games = _before(frames["sheet"], request)
        fortnight = games.loc[
            games["game_date"] >= request.date - pd.Timedelta(days=13), ["game_date", "minutes_played"]
        ]
        week = fortnight.loc[fortnight["game_date"] >= request.date - pd.Timedelta(days=6), "minutes_played"]
        rows.append(
            {
                "player_lookup": request.player_lookup,
                "date": request.date,
                "games_in_last_7_days": len(week),
                "games_in_last_14_days": len(fortnight),
                "minutes_in_last_7_days": week.sum(),
                "minutes_in_last_14_days": fortnight["minutes_played"].sum(),
                "avg_minutes_per_game_last_7": week.mean(),
            }
        )
    return pd.DataFrame(rows)


def composite_factors(frames: Frames) -> pd.DataFrame:
    """The four scores and their sum, of each player's context, shot zones and opponent."""
    context, zones, defense = (frames[name] for name in ("context", "zones", "defense"))
    rows = []
    for request in _requests(frames):
        mine = context[
            (context["player_lookup"] == request.player_lookup) & (context["game_date"] == request.date)
        ].iloc[0]
        zone = zones[(zones["player_lookup"] == request.player_lookup) & (zones["analysis_date"] == request.date)]
        opponent = defense[
            (defense["team_abbr"] == mine["opponent_team_abbr"]) & (defense["analysis_date"] == request.date)
        ]
        rows.append(_scores_of(request, mine, zone, opponent))
    return pd.DataFrame(rows)


def _scores_of(request: Any, mine: pd.Series[Any], zone: pd.DataFrame, opponent: pd.DataFrame) -> Row:
    fatigue, mismatch = _fatigue(mine), _mismatch(zone, opponent)
    pace = 0.0 if pd.isna(mine["pace_differential"]) else mine["pace_differential"] / 2
    pace = min(max(pace, -factors.PACE_LIMIT), factors.PACE_LIMIT)
    usage = _usage(mine["projected_usage_rate"], mine["avg_usage_rate_last_7_games"], mine["star_teammates_out"])
    return {
        "player_lookup": request.player_lookup,
        "date": request.date,
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": mismatch,
        "pace_score": pace,
        "usage_spike_score": usage,
        "total_composite_adjustment": (fatigue - 100) / factors.FATIGUE_PER_POINT + mismatch + pace + usage,
    }


def _fatigue(mine: Mapping[str, Any] | pd.Series[Any]) -> float:
    score, tired, age, pairs = 100, mine["back_to_back"] == 1, mine["player_age"], mine["back_to_backs_last_14_days"]
    if tired:
        score -= factors.BACK_TO_BACK_COST
    elif mine["days_rest"] >= factors.REST_DAYS:
        score += factors.REST_BONUS
    if mine["games_in_last_7_days"] >= factors.FREQUENT_GAMES:
        score -= factors.FREQUENT_COST
    if mine["minutes_in_last_7_days"] > factors.HEAVY_MINUTES:
        score -= factors.HEAVY_COST
    if mine["avg_minutes_per_game_last_7"] > factors.HIGH_AVERAGE_MINUTES:
        score -= factors.HIGH_AVERAGE_COST
    if pairs >= 1:
        score -= factors.BACK_TO_BACKS_COST if pairs >= 2 else factors.ONE_BACK_TO_BACK_COST
    if age >= factors.MATURE_AGE:
        score -= factors.VETERAN_COST if age >= factors.VETERAN_AGE else factors.MATURE_COST
    return min(max(score, 0), 100)


def _mismatch(zone: pd.DataFrame, opponent: pd.DataFrame) -> float:
    if zone.empty or opponent.empty:
        return 0.0
    mine = zone.iloc[0]
    scored = factors.SCORED_AS.get(mine["primary_scoring_zone"], "paint")
    rate, defense = mine[f"{scored}_rate_last_10"], opponent.iloc[0][f"{scored}_defense_vs_league_avg"]
    if pd.isna(defense):
        return 0.0
    score = defense * min((factors.USUAL_RATE if pd.isna(rate) else rate) / factors.HALF_OF_SHOTS, 1)
    score *= factors.STRONG_FACTOR if abs(score) > factors.STRONG_MISMATCH else 1
    return min(max(score, -factors.MISMATCH_LIMIT), factors.MISMATCH_LIMIT)


def _usage(projected: float, recent: float, stars_out: float) -> float:
    if pd.isna(projected) or pd.isna(recent) or recent == 0:
        return 0.0
    spike = (projected - recent) * factors.USAGE_WEIGHT
    if spike > 0:
        spike *= factors.STARS_FACTOR if stars_out >= 2 else factors.ONE_STAR_FACTOR if stars_out > 0 else 1
    return min(max(spike, -factors.USAGE_LIMIT), factors.USAGE_LIMIT)


COMPUTE: Mapping[str, Callable[[Frames], pd.DataFrame]] = {
    SHOT_ZONES.name: shot_zones,
    DAILY_CACHE.name: daily_cache,
    WORKLOAD: workload,
    factors.TABLE.name: composite_factors,
}
