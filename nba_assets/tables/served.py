"""The table of what was served: feature vectors as they first stood before tip-off; rows are added, never changed."""

from __future__ import annotations

import pyarrow as pa

from nba_assets.tables.blocks import GAME_DATE, GAME_ID, PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID
from nba_assets.tables.spec import (
    BOOKKEEPING_DATASET,
    FeatureList,
    Table,
    flag,
    moment,
    number,
    numbers,
    text,
    texts,
)

IDENTITY = (PLAYER_LOOKUP, UNIVERSAL_PLAYER_ID, GAME_DATE, GAME_ID)
VECTOR = (
    text("feature_version", "Version of the list of features", nullable=False),
    numbers("features", "The features in the model's order, defaults in place of nulls", nullable=False),
    texts("feature_names", "Names of the features, in the order of `features`", nullable=False),
    texts("feature_sources", "Origin of each feature, in the order of `features`", nullable=False),
    number("feature_quality_score", "Mean trust in the features by their origin, 0 to 100", scale=2, nullable=False),
    text("quality_tier", "Tier by feature_quality_score", nullable=False),
    text("data_source", "Which tables the features come from", nullable=False),
)
"""What a row holds of each list of features; see `FeatureList`."""

SERVED_FEATURES = Table(
    BOOKKEEPING_DATASET,
    "served_features",
    "one player before one game, and one list of features",
    ("game_date", "player_lookup", "feature_version"),
    "game_date",
    (
        *IDENTITY,
        text("opponent_team_abbr", "The opponent", nullable=False),
        flag("is_home", "His team is the schedule's home team", nullable=False),
        *VECTOR,
        moment("processed_at", "When the run that computed the row began to read", nullable=False, hashed=False),
        moment(
            "tip_off",
            "Tip-off of his game as the schedule had it then; null where it gave none, and the game counted as begun "
            "from the beginning of its US-Eastern day",
            hashed=False,
        ),
        moment(
            "served_at",
            "When the run was about to store the row: before tip_off, and after everything that the row was computed "
            "from had been read",
            nullable=False,
            hashed=False,
        ),
        text("run_id", "Run that stored it", nullable=False, hashed=False),
        text("code_version", "Version of the computation of ml_feature_store", hashed=False),
        text(
            "inputs",
            "What the date rested on: a digest of each raw and summary input that the tables of its date were built "
            "from. Null where one of them was built before this was recorded",
            hashed=False,
        ),
        texts(
            "code_versions",
            "Tables that the date rested on, each with the versions of its computation",
            nullable=False,
            hashed=False,
        ),
    ),
    description=(
        "Feature vectors of ml_feature_store as they first stood before the tip-off of each player's game: what a "
        "model could be served. Written in the transaction that stores the vector, by every run that publishes the "
        "date before the game; a later run adds the players who are not there yet, and no run changes or deletes "
        "a row. Games that had begun, or were in the past, have none."
    ),
    entity_column="player_lookup",
)


def vectors(rows: pa.Table, features: FeatureList) -> pa.Table:
    """Rows of a table that holds a list of features as rows of `SERVED_FEATURES`, as far as these come from there:
    identity, vector and `processed_at`.
    """
    own = {f"{column.name}{features.suffix}": column.name for column in VECTOR}
    others = [*(column.name for column in IDENTITY), "opponent_team_abbr", "is_home", "processed_at"]
    return rows.select([*others, *own]).rename_columns([*others, *own.values()])
