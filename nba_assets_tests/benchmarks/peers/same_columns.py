"""This project's windows and formulas, for the columns that the peers compute, and no others: no completeness, no
failures, no quality columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.player_game_summary import played_games
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import take
from nba_assets.entities.relations import find, join_at
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.precompute import player_composite_factors as factors
from nba_assets.precompute import player_daily_cache, player_shot_zone_analysis
from nba_assets.precompute.zones import ZONES
from nba_assets.tables.spec import Columns
from nba_assets_tests.benchmarks.inputs import CACHE_MINIMUM_GAMES, WORKLOAD, Frames

Result = dict[str, NDArray[Any]]
ONE_DAY = np.timedelta64(1, "D")


def prepared(frames: Frames) -> Mapping[str, Columns]:
    """The frames as numpy columns."""
    return {name: {str(column): frame[column].to_numpy() for column in frame} for name, frame in frames.items()}


def to_pandas(result: Result) -> pd.DataFrame:
    """The columns as a frame."""
    return pd.DataFrame(result)


def _season(tables: Mapping[str, Columns]) -> tuple[Grouped, Grouped, AsOfWindow]:
    """Requested rows, the played games of their players, and all of these games that each may see."""
    requested = Grouped.by(tables["requested"], "player_lookup", "date")
    games = played_games(Grouped.by(tables["sheet"], "player_lookup", "game_date").chunk(requested.entities))
    return requested, games, AsOfWindow.season_to_date(games, AsOf.of(requested))


def shot_zones(tables: Mapping[str, Columns]) -> Result:
    """Shot zones of every requested player and date with enough games."""
    requested, games, season = _season(tables)
    last_10, last_20 = season.last(player_shot_zone_analysis.SHORT), season.last(player_shot_zone_analysis.LONG)
    rows = {
        **{name: requested[name] for name in ("player_lookup", "date")},
        "games_in_sample_10": last_10.games(),
        "games_in_sample_20": last_20.games(),
        **player_shot_zone_analysis.shot_distribution(games, last_10, last_20),
    }
    return dict(take(rows, season.games() >= player_shot_zone_analysis.minimum_games(requested["days_into_season"])))


def daily_cache(tables: Mapping[str, Columns]) -> Result:
    """Averages of every requested player and date with enough games, the last of them not too long ago."""
    requested, games, season = _season(tables)
    rows = {name: requested[name] for name in ("player_lookup", "date")} | player_daily_cache.averages(games, season)
    recent = (requested.dates - season.newest(games.dates)) / ONE_DAY <= player_daily_cache.STALE_DAYS
    return dict(take(rows, (season.games() >= CACHE_MINIMUM_GAMES) & recent))


def workload(tables: Mapping[str, Columns]) -> Result:
    """Games and minutes of the last 7 and 14 days."""
    requested, games, _ = _season(tables)
    week, fortnight = (AsOfWindow.within_days(games, AsOf.of(requested), days) for days in (7, 14))
    minutes = games["minutes_played"]
    return {
        "player_lookup": requested["player_lookup"],
        "date": requested["date"],
        "games_in_last_7_days": week.games(),
        "games_in_last_14_days": fortnight.games(),
        "minutes_in_last_7_days": week.total(minutes, scale=1),
        "minutes_in_last_14_days": fortnight.total(minutes, scale=1),
        "avg_minutes_per_game_last_7": week.mean(minutes, scale=1),
    }


def composite_factors(tables: Mapping[str, Columns]) -> Result:
    """The four scores and their sum, of each player's context, shot zones and opponent."""
    requested, context, zones, defense = (tables[name] for name in ("requested", "context", "zones", "defense"))
    own = find((requested["date"], requested["player_lookup"]), (context["game_date"], context["player_lookup"]))
    rows = dict(take(context, own))
    mine = find((rows["game_date"], rows["player_lookup"]), (zones["analysis_date"], zones["player_lookup"]))
    theirs = find((rows["game_date"], rows["opponent_team_abbr"]), (defense["analysis_date"], defense["team_abbr"]))
    rows |= join_at(zones, mine, ("primary_scoring_zone", *(f"{zone}_rate_last_10" for zone in ZONES)))
    rows |= join_at(defense, theirs, [f"{zone}_defense_vs_league_avg" for zone in ZONES])
    rows |= {"has_shot_zones": (mine >= 0).astype(np.float64), "has_zone_defense": (theirs >= 0).astype(np.float64)}
    fatigue, mismatch = factors.fatigue_score(rows).score, factors.mismatch_score(rows)
    pace = factors.pace_score(rows["pace_differential"])
    usage = factors.usage_spike_score(
        rows["projected_usage_rate"], rows["avg_usage_rate_last_7_games"], rows["star_teammates_out"]
    )
    return {
        "player_lookup": rows["player_lookup"],
        "date": rows["game_date"],
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": mismatch,
        "pace_score": pace,
        "usage_spike_score": usage,
        "total_composite_adjustment": (fatigue - 100) / factors.FATIGUE_PER_POINT + mismatch + pace + usage,
    }


COMPUTE: Mapping[str, Callable[[Mapping[str, Columns]], Result]] = {
    player_shot_zone_analysis.TABLE.name: shot_zones,
    player_daily_cache.TABLE.name: daily_cache,
    WORKLOAD: workload,
    factors.TABLE.name: composite_factors,
}
