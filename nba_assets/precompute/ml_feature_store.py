"""The feature vector of a player before a game, for a model of his points: each feature with its origin, and a quality
score.

One row per player of `upcoming_player_game_context` on the date. Each feature is a column of its own, null where
nothing is known; `features` holds the same numbers in the model's order with the documented defaults in place of nulls,
`feature_sources` has the origin of each. The definitions are in `features`. Results are those of earlier dates of the
season.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.parts import GAME_DAYS
from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.player_game_summary import played_games
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.analytics.upcoming_player_game_context import TABLE as PLAYER_CONTEXT
from nba_assets.basketball.arithmetic import ratio
from nba_assets.entities import refusals
from nba_assets.entities.completeness import Completeness, Readiness, completeness_counts
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.quality import collect, quality_tier
from nba_assets.entities.relations import at, find
from nba_assets.entities.windows import AsOf, AsOfWindow
from nba_assets.precompute.feature_lists import ALL_FEATURES, FEATURE_VERSIONS, columns_read
from nba_assets.precompute.features import (
    FEATURES,
    ORIGINS,
    TAGS,
    TREND_GAMES,
    VERSION,
    Vector,
    pct_free_throw,
    recent_trend,
)
from nba_assets.precompute.player_composite_factors import TABLE as FACTORS
from nba_assets.precompute.player_daily_cache import TABLE as CACHE
from nba_assets.precompute.player_shot_zone_analysis import TABLE as SHOT_ZONES
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.precompute.team_defense_zone_analysis import TABLE as ZONE_DEFENSE
from nba_assets.precompute.team_form import join_team_form
from nba_assets.precompute.teammates import of_teammates
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.blocks import (
    GAME_DATE,
    GAME_ID,
    PLAYER_LOOKUP,
    QUALITY_TIERS,
    REPROCESSING,
    STAMPS,
    UNIVERSAL_PLAYER_ID,
    completeness_block,
    readiness_block,
    ready_flag,
)
from nba_assets.tables.lists import object_column
from nba_assets.tables.spec import (
    Columns,
    Table,
    before,
    flag,
    number,
    numbers,
    of_its_date,
    text,
    texts,
    whole,
)

V2 = FEATURE_VERSIONS["v2"]

RECENT_GAMES, RECENT_DAYS = 10, 60
MOSTLY_PRECOMPUTED, PARTLY_PRECOMPUTED, MOSTLY_SUMMARIES = 0.9, 0.5, 0.5
"""Shares of the features from which a row counts as made of one kind of source."""

TIERS = "gold from a score of 95, silver from 75, bronze from 50, poor from 25, else unusable"
DATA_SOURCES = ("phase4", "phase4_partial", "phase3", "mixed")
DATA_SOURCE = (
    "Which tables the features come from: phase4 where 90 % are read from precomputed tables, phase4_partial "
    "from 50 %; phase3 where 50 % are computed from game summaries and contexts; else mixed"
)

TABLE = Table(
    "nba_precompute",
    "ml_feature_store",
    "one player expected to play in one game scheduled for the date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        GAME_DATE,
        GAME_ID,
        *(feature.column for feature in ALL_FEATURES),
        numbers("features", "The features in the model's order, defaults in place of nulls", nullable=False),
        texts("feature_names", "Names of the features, in the order of `features`", nullable=False),
        texts("feature_sources", f"Origin of each feature, in the order of `features`: {ORIGINS}", nullable=False),
        whole(
            "feature_count", "Number of features", unit="count", nullable=False, allowed=(len(FEATURES), len(FEATURES))
        ),
        text("feature_version", "Version of the list of features", nullable=False, values=(VERSION,)),
        number(
            "feature_quality_score",
            "Mean over the features of a weight by origin: 100 for phase4 and calculated, 75 for phase3, 40 for "
            "default (see feature_sources)",
            scale=2,
            nullable=False,
            allowed=(0, 100),
        ),
        text("quality_tier", TIERS, nullable=False, values=QUALITY_TIERS),
        text("opponent_team_abbr", "The opponent", nullable=False),
        flag("is_home", "His team is the schedule's home team", nullable=False),
        whole(
            "days_rest",
            "Calendar days from his last game of the season to the date, 1 = he played yesterday",
            unit="days",
            allowed=(1, 400),
        ),
        text("data_source", DATA_SOURCE, nullable=False, values=DATA_SOURCES),
        # A warehouse of older code gains these columns only if they may be null.
        numbers(V2.column("features"), f"The features of {V2.name}, as `features` holds those of {VERSION}"),
        text(V2.column("feature_version"), "Version of the list of `features_v2`", values=(V2.name,)),
        texts(V2.column("feature_names"), "Names of the features, in the order of `features_v2`"),
        texts(V2.column("feature_sources"), "Origin of each feature, in the order of `features_v2`"),
        number(
            V2.column("feature_quality_score"),
            "Mean over the features of `features_v2` of the same weights as in feature_quality_score",
            scale=2,
            allowed=(0, 100),
        ),
        text(V2.column("quality_tier"), f"By feature_quality_score_v2: {TIERS}", values=QUALITY_TIERS),
        text(V2.column("data_source"), f"Of the features of {V2.name}: {DATA_SOURCE}", values=DATA_SOURCES),
        *completeness_block(
            "newest 10 final games of his team, without those he was not available for; from his context"
        ),
        *readiness_block(),
        ready_flag("; and every upstream row there and ready"),
        texts("data_quality_issues", "Upstream rows that are missing or not ready, by name", nullable=False),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
    inputs=(
        of_its_date(SCHEDULE.table, GAME_DAYS),
        *map(of_its_date, (CACHE, FACTORS, SHOT_ZONES, ZONE_DEFENSE, PLAYER_CONTEXT)),
        before(PLAYER_GAMES, has_all_finals=True),
        before(TEAM_OFFENSE, has_all_finals=True),
    ),
    stage="pregame",
    code_version=f"1 {VERSION} {V2.name}",
    feature_lists=tuple(known.stored for known in FEATURE_VERSIONS.values()),
)


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Readiness) -> Outcome:
    """The rows of some players over all requested dates.

    `requested` holds the stored rows of the date under `table.column` names; `histories` are their `sheet` rows.
    """
    requested, refused = refusals.divide(requested)
    if not len(requested["game_date"]):
        return Outcome({}, refused)
    size = len(requested["game_date"])
    results = _results(played_games(histories["sheet"]), AsOf.of(requested))
    known = Vector.of(ALL_FEATURES, {**requested, **results}, size)
    vector, second = known.of_features(FEATURES), known.of_features(V2.features)
    context = {
        name: requested[f"{PLAYER_CONTEXT.name}.{name}"]
        for name in ("universal_player_id", "game_id", "opponent_team_abbr", "days_rest")
    }
    return Outcome(
        {
            "player_lookup": requested["player_lookup"],
            "game_date": requested["game_date"],
            **context,
            "is_home": requested[f"{PLAYER_CONTEXT.name}.home_game"],
            **{feature.name: known.values[:, place] for place, feature in enumerate(ALL_FEATURES)},
            **_of_version("v1", vector),
            **_of_version("v2", second),
            "feature_count": np.full(size, float(len(FEATURES))),
            **_readiness(requested, shared),
        },
        refused,
    )


def data_source(vector: Vector) -> NDArray[np.object_]:
    """Which kind of source a row is mostly made of."""
    precomputed, summaries = vector.share("phase4"), vector.share("phase3")
    kinds = np.select(
        [precomputed >= MOSTLY_PRECOMPUTED, precomputed >= PARTLY_PRECOMPUTED, summaries >= MOSTLY_SUMMARIES],
        ["phase4", "phase4_partial", "phase3"],
        default="mixed",
    )
    return kinds.astype(object)


def _results(games: Grouped, as_of: AsOf) -> dict[str, NDArray[Any]]:
    """What played games say of each player: the newest ten of the last 60 days, and all of the season."""
    points, minutes = games["points"], games["minutes_played"]
    season = AsOfWindow.season_to_date(games, as_of)
    last_10 = AsOfWindow.last_days(games, as_of, RECENT_DAYS).last(RECENT_GAMES)
    number = last_10.games().astype(np.float64)
    newest_first = last_10.gather(points)[:, ::-1]
    return {
        "games.points_last_5": np.where(number >= 5, last_10.last(5).mean(points), np.nan),
        "games.points_last_10": last_10.mean(points),
        "games.points_season": season.mean(points),
        # A game whose time is unreadable counts as one without minutes.
        "games.minutes_last_10": ratio(last_10.total(np.rint(10 * minutes)), 10 * number),
        "games.minutes_season": season.mean(minutes, scale=1),
        "games.recent_trend": recent_trend(newest_first[:, :TREND_GAMES]),
        "games.pct_free_throw": pct_free_throw(last_10.total(games["ft_makes"]), last_10.total(points), number),
        "games.points_last_20": season.last(20).mean(points),
        "games.minutes_last_1": season.newest(minutes),
        "games.started_last_1": season.newest(games["starter_flag"]),
        "games.points_total": season.total(points),
        "games.minutes_total_tenths": season.total(np.rint(10 * minutes)),
    }


def _readiness(requested: Columns, policy: Readiness) -> dict[str, NDArray[Any]]:
    context = {name: requested[f"{PLAYER_CONTEXT.name}.{name}"] for name in READINESS_COLUMNS}
    own = Completeness(context["l10_expected_games"], context["l10_actual_games"])
    columns = policy.columns(
        {"l10": own}, context["backfill_bootstrap_mode"] == 1, context["season_boundary_detected"] == 1
    )
    upstream = {table.name: requested[f"{table.name}.is_production_ready"] == 1 for table in UPSTREAM}
    return {
        **completeness_counts(own),
        **columns,
        "is_production_ready": np.logical_and.reduce([columns["is_production_ready"], *upstream.values()]),
        "data_quality_issues": collect(
            len(requested["game_date"]), [(~upstream[table.name], issue) for table, issue in UPSTREAM.items()]
        ),
    }


UPSTREAM = {
    CACHE: "upstream_player_daily_cache_incomplete",
    FACTORS: "upstream_player_composite_factors_incomplete",
    SHOT_ZONES: "upstream_player_shot_zone_incomplete",
    ZONE_DEFENSE: "upstream_team_defense_zone_incomplete",
}
READINESS_COLUMNS = ("l10_expected_games", "l10_actual_games", "season_boundary_detected", "backfill_bootstrap_mode")


def _of_version(version: str, vector: Vector) -> dict[str, NDArray[Any]]:
    """The columns about a version's vector as a whole."""
    known = FEATURE_VERSIONS[version]
    return {
        known.column("features"): object_column(vector.filled.tolist()),
        known.column("feature_names"): object_column([known.names] * len(vector.values)),
        known.column("feature_sources"): _sources(vector),
        known.column("feature_version"): np.full(len(vector.values), known.name, dtype=object),
        known.column("feature_quality_score"): vector.quality,
        known.column("quality_tier"): quality_tier(vector.quality),
        known.column("data_source"): data_source(vector),
    }


def _sources(vector: Vector) -> NDArray[np.object_]:
    """The origins of each row's features; few combinations occur."""
    origins = np.ascontiguousarray(vector.origins, dtype=np.int8)
    # Whole rows are compared as bytes: number by number, as `axis` does it, takes ten times as long.
    _, first, row = np.unique(origins.view(f"V{origins.shape[1]}").ravel(), return_index=True, return_inverse=True)
    return object_column([tuple(TAGS[origin] for origin in mine) for mine in origins[first].tolist()])[row]


def build(run: TableRun) -> Outcome:
    """Rows of every player with a game context on the run's dates."""
    days = pregame_days(run)
    context = run.read_days(PLAYER_CONTEXT, CONTEXT_COLUMNS, days)
    if not len(context["game_id"]):
        return Outcome({})
    requested: dict[str, NDArray[Any]] = {name: context[name] for name in ("player_lookup", "game_date", "team_abbr")}
    requested |= {f"{PLAYER_CONTEXT.name}.{name}": values for name, values in context.items()}
    for table in UPSTREAM:
        entity = context["opponent_team_abbr" if table is ZONE_DEFENSE else "player_lookup"]
        requested |= _joined(run, table, days, context["game_date"], entity)
    requested |= of_teammates(requested)
    requested |= run.season_columns(requested["game_date"])
    requested |= {name.replace("team_", "team.", 1): values for name, values in join_team_form(run, requested).items()}
    histories = {
        "sheet": Grouped.by(run.read(PLAYER_GAMES, SHEET_COLUMNS, start=run.season_start), "player_lookup", "game_date")
    }
    return run.map_rows(
        "players",
        compute,
        Grouped.by(requested, "player_lookup", "game_date"),
        histories,
        Readiness(run.settings.ready_threshold_pct),
    )


def _joined(
    run: TableRun,
    table: Table,
    days: NDArray[np.datetime64],
    dates: NDArray[np.datetime64],
    entities: NDArray[np.object_],
) -> dict[str, NDArray[Any]]:
    """What the features read of another table's rows of the same date, under `table.column` names; null where there is
    no row.
    """
    names = (*columns_read(table.name), "is_production_ready")
    entity_column = str(table.entity_column)
    rows = run.read_days(table, [table.date_column, entity_column, *names], days)
    place = find((dates, entities), (rows[table.date_column], rows[entity_column]))
    return {f"{table.name}.{name}": at(rows[name], place) for name in names}


IDENTITY_COLUMNS = ("player_lookup", "universal_player_id", "game_id", "game_date", "team_abbr", "opponent_team_abbr")
CONTEXT_COLUMNS = tuple(
    dict.fromkeys((*IDENTITY_COLUMNS, "home_game", "days_rest", *READINESS_COLUMNS, *columns_read(PLAYER_CONTEXT.name)))
)
SHEET_COLUMNS = ("player_lookup", "game_date", "is_dnp", "points", "minutes_played", "ft_makes", "starter_flag")
