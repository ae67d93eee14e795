"""The composite adjustment of a player's expected points by the circumstances of a game: fatigue, shot-zone mismatch,
pace and usage, each with its inputs.

It is a prescribed formula, not a forecast: over three real seasons the correlation of the total with points above the
season average is about 0.01.

One row per player of `upcoming_player_game_context` on the date. Everything is of the date itself, as stored: his
context, his team's context, his shot zones and the opponent's defence by zone. Where one of the latter is missing its
factor is 0 and the row says so. Four further factors are not computed in this version: they are stored as 0.0 and add
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.parts import GAME_DAYS
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.analytics.upcoming_team_game_context import TABLE as TEAM_CONTEXT
from nba_assets.basketball.arithmetic import Floats, map_distinct
from nba_assets.entities.completeness import Completeness, Readiness, completeness_counts
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.quality import collect
from nba_assets.entities.relations import find, join_at, text_where
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.precompute.zones import ZONES
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.blocks import (
    GAME_DATE,
    GAME_ID,
    PLAYER_LOOKUP,
    REPROCESSING,
    STAMPS,
    UNIVERSAL_PLAYER_ID,
    completeness_block,
    readiness_block,
    ready_flag,
)
from nba_assets.tables.remarks import COMPOSITE_WORTH
from nba_assets.tables.spec import Columns, Table, day, flag, number, of_its_date, text, texts, whole

VERSION = "v1_4factors"

BACK_TO_BACK_COST = 15
REST_DAYS, REST_BONUS = 3, 5
FREQUENT_GAMES, FREQUENT_COST = 4, 10
HEAVY_MINUTES, HEAVY_COST = 240, 10
HIGH_AVERAGE_MINUTES, HIGH_AVERAGE_COST = 35, 8
BACK_TO_BACKS_COST, ONE_BACK_TO_BACK_COST = 12, 5
VETERAN_AGE, VETERAN_COST = 35, 10
MATURE_AGE, MATURE_COST = 30, 5
FATIGUE_PER_POINT = 20
"""Points of the fatigue score that move the expectation by one."""

HALF_OF_SHOTS, USUAL_RATE = 50.0, 50.0
"""A zone counts in full from half of his shots on; an unknown share counts as half."""
STRONG_MISMATCH, STRONG_FACTOR = 5.0, 1.2
MISMATCH_LIMIT, PACE_LIMIT, USAGE_LIMIT = 10.0, 3.0, 3.0
USAGE_WEIGHT, ONE_STAR_FACTOR, STARS_FACTOR = 0.3, 1.15, 1.30
SCORED_AS = {"paint": "paint", "perimeter": "three_pt", "mid_range": "mid_range"}
"""The zone whose figures a primary zone is scored with; a balanced or unknown one is scored as paint."""

EXTREME_FATIGUE, EXTREME_MISMATCH, EXTREME_TOTAL = 50, 8.0, 12.0
NOTABLE = 2.0
"""From here on a mismatch is favourable, a game fast, a role growing; below its negative the contrary."""
LEAGUE_PACE = 100.0

DEFERRED = ("referee_favorability_score", "look_ahead_pressure_score", "travel_impact_score", "opponent_strength_score")

TABLE = Table(
    "nba_precompute",
    "player_composite_factors",
    "one player expected to play in one game scheduled for the date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        GAME_DATE,
        GAME_ID,
        day("analysis_date", "Date that the row is as of: the game's own", nullable=False),
        whole(
            "fatigue_score",
            "Freshness: 100 without any load, less for each one named in fatigue_context_json; adds (score - 100) / "
            "20 points to the composite adjustment",
            nullable=False,
            allowed=(0, 100),
        ),
        number(
            "shot_zone_mismatch_score",
            (
                "Opponent's defence of his primary zone against the league, in percentage points, x min(his share of "
                "attempts there / 50, 1), x 1.2 beyond 5; positive = favourable; taken as points"
            ),
            unit="points",
            scale=1,
            nullable=False,
            allowed=(-10, 10),
        ),
        number(
            "pace_score",
            "Half of pace_differential of upcoming_player_game_context, taken as points",
            unit="points",
            scale=1,
            nullable=False,
            allowed=(-3, 3),
        ),
        number(
            "usage_spike_score",
            (
                "0.3 x (projected_usage_rate - avg_usage_rate_last_7_games); a rise counts x 1.15 with one star out, x "
                "1.30 with more; 0 where either is unknown; taken as points"
            ),
            unit="points",
            scale=1,
            nullable=False,
            allowed=(-3, 3),
        ),
        *(
            number(
                name,
                "Not computed in this version: always 0.0, adds nothing",
                unit="points",
                scale=1,
                nullable=False,
                allowed=(0, 0),
            )
            for name in DEFERRED
        ),
        number(
            "total_composite_adjustment",
            "Sum of the factors: (fatigue_score - 100) / 20 plus the unrounded mismatch, pace and usage scores; "
            f"{COMPOSITE_WORTH}",
            unit="points",
            scale=2,
            nullable=False,
            allowed=(-30, 30),
        ),
        text("fatigue_context_json", "Inputs, penalties and bonuses of the fatigue score", nullable=False),
        text("shot_zone_context_json", "Inputs of the mismatch score", nullable=False),
        text("pace_context_json", "Inputs of the pace score", nullable=False),
        text("usage_context_json", "Inputs of the usage score", nullable=False),
        text("calculation_version", "Version of the formulas", nullable=False, values=(VERSION,)),
        number(
            "data_completeness_pct",
            "Share of the five inputs that are known: 20 for each",
            unit="percent",
            scale=2,
            nullable=False,
            allowed=(0, 100),
        ),
        text("missing_data_fields", "The inputs that are not known, comma-separated; null where all are"),
        flag("has_warnings", "A score is beyond its usual range", nullable=False),
        text("warning_details", "Which score is beyond its usual range; null without warnings"),
        *completeness_block(
            "newest 10 final games of his team, without those he was not available for; from his context"
        ),
        *readiness_block(),
        ready_flag("; and every upstream row ready"),
        flag("upstream_player_shot_ready", "His shot-zone row exists and is production ready", nullable=False),
        flag(
            "upstream_team_defense_ready",
            "The opponent's zone-defence row exists and is production ready",
            nullable=False,
        ),
        flag("upstream_player_context_ready", "His context is ready", nullable=False),
        flag("upstream_team_context_ready", "His own team's context exists and is production ready", nullable=False),
        flag("all_upstreams_ready", "All four upstream rows exist and are production ready", nullable=False),
        texts(
            "data_quality_issues",
            "Upstream rows that are missing or not ready, by name; empty where all are ready",
            nullable=False,
        ),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
    inputs=(
        of_its_date(SCHEDULE.table, GAME_DAYS),
        of_its_date(PLAYER_CONTEXT),
        of_its_date(TEAM_CONTEXT),
        of_its_date(SHOT_ZONES),
        of_its_date(ZONE_DEFENSE),
    ),
    stage="pregame",
    code_version="1",
)


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Readiness) -> Outcome:
    """The rows of some players over all requested dates; `requested` holds their contexts, and the rows of the others
    joined to them.
    """
    del histories
    fatigue = fatigue_score(requested)
    mismatch = mismatch_score(requested)
    pace = pace_score(requested["pace_differential"])
    usage = usage_spike_score(
        requested["projected_usage_rate"], requested["avg_usage_rate_last_7_games"], requested["star_teammates_out"]
    )
    total = (fatigue.score - 100) / FATIGUE_PER_POINT + mismatch + pace + usage
    warnings = collect(
        len(total),
        [
            (fatigue.score < EXTREME_FATIGUE, "EXTREME_FATIGUE: Player showing severe fatigue"),
            (np.abs(mismatch) > EXTREME_MISMATCH, "EXTREME_MATCHUP: Unusual zone mismatch"),
            (np.abs(total) > EXTREME_TOTAL, "EXTREME_ADJUSTMENT: Very large composite adjustment"),
        ],
    )
    missing = _missing(requested)
    return Outcome(
        {
            **{name: requested[name] for name in ("player_lookup", "universal_player_id", "game_date", "game_id")},
            "analysis_date": requested["game_date"],
            "fatigue_score": fatigue.score,
            "shot_zone_mismatch_score": mismatch,
            "pace_score": pace,
            "usage_spike_score": usage,
            **{name: np.zeros(len(total)) for name in DEFERRED},
            "total_composite_adjustment": total,
            "fatigue_context_json": _fatigue_context(requested, fatigue),
            "shot_zone_context_json": _zone_context(requested, mismatch),
            "pace_context_json": _pace_context(requested, pace),
            "usage_context_json": _usage_context(requested, usage),
            "calculation_version": np.full(len(total), VERSION, dtype=object),
            "data_completeness_pct": np.array([100 - 20.0 * len(names) for names in missing]),
            "missing_data_fields": np.array([", ".join(names) or None for names in missing], dtype=object),
            "has_warnings": np.array([len(names) > 0 for names in warnings]),
            "warning_details": np.array(["; ".join(names) or None for names in warnings], dtype=object),
            **_readiness(requested, shared),
        }
    )


@dataclass(frozen=True)
class Fatigue:
    """How fresh a player is (100 = fresh), and each circumstance that counted: name and number, where it holds."""

    score: Floats
    penalties: Sequence[tuple[NDArray[np.bool_], str, int]]
    bonuses: Sequence[tuple[NDArray[np.bool_], str, int]]


def fatigue_score(requested: Columns) -> Fatigue:
    """Fatigue before tip-off, from the schedule he played and his age; an unknown input costs nothing.

    Example: 2 days of rest, 3 games and 175 minutes in 7 days at age 28 -> 100; a back-to-back, 4 games, 250 minutes
    and 36.5 a game in 7 days, two back-to-backs in 14 days at age 35 -> 35, the lowest there is.
    """
    tired = requested["back_to_back"] == 1
    pairs, age = requested["back_to_backs_last_14_days"], requested["player_age"]
    penalties = [
        (tired, "back_to_back", BACK_TO_BACK_COST),
        (requested["games_in_last_7_days"] >= FREQUENT_GAMES, "frequent_games", FREQUENT_COST),
        (requested["minutes_in_last_7_days"] > HEAVY_MINUTES, "heavy_minutes", HEAVY_COST),
        (requested["avg_minutes_per_game_last_7"] > HIGH_AVERAGE_MINUTES, "high_avg_minutes", HIGH_AVERAGE_COST),
        (pairs >= 2, "recent_back_to_backs", BACK_TO_BACKS_COST),
        (pairs == 1, "recent_back_to_backs", ONE_BACK_TO_BACK_COST),
        (age >= VETERAN_AGE, "veteran_age", VETERAN_COST),
        ((age >= MATURE_AGE) & (age < VETERAN_AGE), "veteran_age", MATURE_COST),
    ]
    bonuses = [(~tired & (requested["days_rest"] >= REST_DAYS), "extra_rest", REST_BONUS)]
    score = 100.0 - sum(cost * holds for holds, _, cost in penalties) + sum(gain * holds for holds, _, gain in bonuses)
    return Fatigue(np.clip(score, 0, 100), penalties, bonuses)


def mismatch_score(requested: Columns) -> Floats:
    """What the opponent's defence of his primary zone is worth to him; 0 where his shot zones or the opponent's defence
    is missing.

    Example: 65 % of his shots in the paint against a defence 4.3 points worse than the league there -> 4.3; 25 %
    against 4.0 -> 2.0.
    """
    defense, rate = _zone_defense(requested), _zone_rate(requested)
    weighted = np.nan_to_num(defense) * np.minimum(np.where(np.isnan(rate), USUAL_RATE, rate) / HALF_OF_SHOTS, 1)
    weighted = np.where(np.abs(weighted) > STRONG_MISMATCH, weighted * STRONG_FACTOR, weighted)
    both = (requested["has_shot_zones"] == 1) & (requested["has_zone_defense"] == 1)
    return np.where(both, np.clip(weighted, -MISMATCH_LIMIT, MISMATCH_LIMIT), 0.0)


def pace_score(pace_differential: Floats) -> Floats:
    """Half of the difference in pace, within 3 points; 0 where unknown. Example: 3.5 -> 1.75, -10 -> -3."""
    return np.clip(np.nan_to_num(pace_differential / 2), -PACE_LIMIT, PACE_LIMIT)


def usage_spike_score(projected: Floats, recent: Floats, stars_out: Floats) -> Floats:
    """What a growing or shrinking role is worth, within 3 points; 0 where either usage rate is unknown or the recent
    one is 0.

    Example: from 25 to 30 with one star out -> 1.725; from 25 to 20 -> -1.5, whoever is out.
    """
    spike = (projected - recent) * USAGE_WEIGHT
    factor = np.where(stars_out >= 2, STARS_FACTOR, np.where(stars_out > 0, ONE_STAR_FACTOR, 1.0))
    spike = np.where(spike > 0, spike * factor, spike)
    return np.clip(np.where(np.isnan(spike) | (recent == 0), 0.0, spike), -USAGE_LIMIT, USAGE_LIMIT)


def _scored_zone(requested: Columns) -> NDArray[np.object_]:
    return map_distinct(
        lambda zone: SCORED_AS.get(zone, "paint"), requested["primary_scoring_zone"].tolist(), np.object_
    )


def _of_scored_zone(requested: Columns, column: str) -> Floats:
    zone = _scored_zone(requested)
    return np.select([zone == name for name in ZONES], [requested[column.format(name)] for name in ZONES])


def _zone_defense(requested: Columns) -> Floats:
    return _of_scored_zone(requested, "{}_defense_vs_league_avg")


def _zone_rate(requested: Columns) -> Floats:
    return _of_scored_zone(requested, "{}_rate_last_10")


def _missing(requested: Columns) -> NDArray[np.object_]:
    inputs = ("days_rest", "projected_usage_rate", "pace_differential")
    rows = {
        "player_shot_zone": requested["has_shot_zones"] != 1,
        "team_defense_zone": requested["has_zone_defense"] != 1,
    }
    return collect(
        len(requested["game_id"]),
        [*((np.isnan(requested[name]), name) for name in inputs), *((mask, name) for name, mask in rows.items())],
    )


def _readiness(requested: Columns, policy: Readiness) -> dict[str, NDArray[Any]]:
    own_window = Completeness(requested["l10_expected_games"], requested["l10_actual_games"])
    columns = policy.columns(
        {"l10": own_window}, requested["backfill_bootstrap_mode"] == 1, requested["season_boundary_detected"] == 1
    )
    own = columns["is_production_ready"]
    upstream = {name: requested[name] == 1 for name in UPSTREAM_ISSUES}
    everything = np.logical_and.reduce(list(upstream.values()))
    issues = collect(
        len(own),
        [(~own, "own_data_incomplete"), *((~upstream[name], issue) for name, issue in UPSTREAM_ISSUES.items())],
    )
    return {
        **completeness_counts(own_window),
        **columns,
        **upstream,
        "all_upstreams_ready": everything,
        "is_production_ready": own & everything,
        "data_quality_issues": issues,
    }


UPSTREAM_ISSUES = {
    "upstream_player_shot_ready": "upstream_player_shot_zone_incomplete",
    "upstream_team_defense_ready": "upstream_team_defense_zone_incomplete",
    "upstream_player_context_ready": "upstream_player_context_incomplete",
    "upstream_team_context_ready": "upstream_team_context_incomplete",
}


def _fatigue_context(requested: Columns, fatigue: Fatigue) -> NDArray[np.object_]:
    size = len(fatigue.score)
    penalties = collect(size, [(holds, f"{name}: -{cost}") for holds, name, cost in fatigue.penalties])
    bonuses = collect(size, [(holds, f"{name}: +{gain}") for holds, name, gain in fatigue.bonuses])
    return _json(
        days_rest=_wholes(requested["days_rest"]),
        back_to_back=text_where(requested["back_to_back"] == 1, "true", "false"),
        games_last_7=_wholes(requested["games_in_last_7_days"]),
        minutes_last_7=_wholes(requested["minutes_in_last_7_days"]),
        avg_minutes_pg_last_7=_decimals(requested["avg_minutes_per_game_last_7"]),
        back_to_backs_last_14=_wholes(requested["back_to_backs_last_14_days"]),
        player_age=_wholes(requested["player_age"]),
        penalties_applied=_texts(penalties),
        bonuses_applied=_texts(bonuses),
        final_score=_wholes(fatigue.score),
    )


def _zone_context(requested: Columns, mismatch: Floats) -> NDArray[np.object_]:
    both = (requested["has_shot_zones"] == 1) & (requested["has_zone_defense"] == 1)
    known = _json(
        player_primary_zone=_texts(requested["primary_scoring_zone"]),
        primary_zone_frequency=_decimals(_zone_rate(requested)),
        opponent_weak_zone=_texts(requested["weakest_zone"]),
        opponent_defense_vs_league=_decimals(_zone_defense(requested)),
        mismatch_type=_signed(mismatch, "favorable", "unfavorable", "neutral"),
        final_score=_decimals(np.round(mismatch, 1)),
    )
    return text_where(both, known, json.dumps({"missing_data": True}))


def _pace_context(requested: Columns, pace: Floats) -> NDArray[np.object_]:
    return _json(
        pace_differential=_decimals(requested["pace_differential"]),
        opponent_pace_last_10=_decimals(requested["opponent_pace_last_10"]),
        league_avg_pace=_decimals(np.full(len(pace), LEAGUE_PACE)),
        pace_environment=_signed(requested["pace_differential"], "fast", "slow", "normal"),
        final_score=_decimals(np.round(pace, 1)),
    )


def _usage_context(requested: Columns, usage: Floats) -> NDArray[np.object_]:
    # Both rates have one decimal: their difference has as well, and 30.1 - 28.1 is no more than 2.
    difference = np.round(requested["projected_usage_rate"] - requested["avg_usage_rate_last_7_games"], 1)
    return _json(
        projected_usage_rate=_decimals(requested["projected_usage_rate"]),
        avg_usage_last_7=_decimals(requested["avg_usage_rate_last_7_games"]),
        usage_differential=_decimals(difference),
        star_teammates_out=_wholes(requested["star_teammates_out"]),
        usage_trend=_signed(difference, "spike", "drop", "stable"),
        final_score=_decimals(np.round(usage, 1)),
    )


def _signed(values: Floats, above: str, below: str, between: str) -> NDArray[np.object_]:
    return _texts(text_where(values > NOTABLE, above, text_where(values < -NOTABLE, below, between)))


def _wholes(values: Floats) -> NDArray[np.object_]:
    return _written(values, lambda value: str(int(value)))


def _decimals(values: Floats) -> NDArray[np.object_]:
    return _written(values + 0.0, json.dumps)  # -0.0 + 0.0 is 0.0


def _texts(values: NDArray[np.object_]) -> NDArray[np.object_]:
    return _written(values, json.dumps)


def _written(values: NDArray[Any], write: Callable[[Any], str]) -> NDArray[np.object_]:
    """Each value in JSON; values that recur are written once."""
    codes, distinct = pd.factorize(values)
    return np.array([*map(write, distinct.tolist()), "null"], dtype=object)[codes]


def _json(**columns: NDArray[np.object_]) -> NDArray[np.object_]:
    """One JSON object per row of values in JSON, its keys in the order given."""
    row = "{" + ", ".join(f'"{name}": %s' for name in columns) + "}"
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return np.array([row % each for each in values], dtype=object)


def build(run: TableRun) -> Outcome:
    """Rows of every player with a game context on the run's dates."""
    days = pregame_days(run)
    requested = run.read_days(PLAYER_CONTEXT, CONTEXT_COLUMNS, days)
    if not len(requested["game_id"]):
        return Outcome({})
    zones = run.read_days(SHOT_ZONES, ZONE_COLUMNS, days)
    defense = run.read_days(ZONE_DEFENSE, DEFENSE_COLUMNS, days)
    teams = run.read_days(TEAM_CONTEXT, ("game_date", "team_abbr", "is_production_ready"), days)
    mine = find((requested["game_date"], requested["player_lookup"]), (zones["analysis_date"], zones["player_lookup"]))
    theirs = find(
        (requested["game_date"], requested["opponent_team_abbr"]), (defense["analysis_date"], defense["team_abbr"])
    )
    own_team = find((requested["game_date"], requested["team_abbr"]), (teams["game_date"], teams["team_abbr"]))
    requested |= join_at(zones, mine, ("primary_scoring_zone", *(f"{zone}_rate_last_10" for zone in ZONES)))
    requested |= join_at(defense, theirs, ("weakest_zone", *(f"{zone}_defense_vs_league_avg" for zone in ZONES)))
    requested |= join_at(zones, mine, {"upstream_player_shot_ready": "is_production_ready"})
    requested |= join_at(defense, theirs, {"upstream_team_defense_ready": "is_production_ready"})
    requested |= join_at(teams, own_team, {"upstream_team_context_ready": "is_production_ready"})
    requested |= {
        "upstream_player_context_ready": requested["is_production_ready"],
        "has_shot_zones": (mine >= 0).astype(np.float64),
        "has_zone_defense": (theirs >= 0).astype(np.float64),
    }
    return run.map_rows(
        "players",
        compute,
        Grouped.by(requested, "player_lookup", "game_date"),
        shared=Readiness(run.settings.ready_threshold_pct),
    )


CONTEXT_COLUMNS = (
    "player_lookup",
    "universal_player_id",
    "game_id",
    "game_date",
    "team_abbr",
    "opponent_team_abbr",
    "days_rest",
    "back_to_back",
    "games_in_last_7_days",
    "minutes_in_last_7_days",
    "avg_minutes_per_game_last_7",
    "back_to_backs_last_14_days",
    "player_age",
    "projected_usage_rate",
    "avg_usage_rate_last_7_games",
    "star_teammates_out",
    "pace_differential",
    "opponent_pace_last_10",
    "l10_expected_games",
    "l10_actual_games",
    "season_boundary_detected",
    "backfill_bootstrap_mode",
    "is_production_ready",
)
ZONE_COLUMNS = (
    "analysis_date",
    "player_lookup",
    "primary_scoring_zone",
    *(f"{zone}_rate_last_10" for zone in ZONES),
    "is_production_ready",
)
DEFENSE_COLUMNS = (
    "analysis_date",
    "team_abbr",
    "weakest_zone",
    *(f"{zone}_defense_vs_league_avg" for zone in ZONES),
    "is_production_ready",
)
