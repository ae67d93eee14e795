"""The jobs: which assets are run together.

`postgame` summarises the games of a date; `pregame` describes them before they begin, up to the feature vector;
`ingest` brings raw data in; `full` is everything, and the documented route for date ranges. `retry` computes failed
entities again; `health` checks what stands in the warehouse.
"""

from __future__ import annotations

import dagster as dg

from nba_assets.orchestration.health import HEALTH_CHECKS
from nba_assets.publishing.retry import RETRY_TAG
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES, PREGAME_TABLES

FULL = dg.define_asset_job(
    "full", dg.AssetSelection.all(), description="Every table, raw data included; the route for ranges."
)
INGEST = dg.define_asset_job("ingest", dg.AssetSelection.groups("raw"), description="Raw data from the landing zone.")
POSTGAME = dg.define_asset_job(
    "postgame",
    dg.AssetSelection.groups("raw") | dg.AssetSelection.assets(*GAME_SUMMARIES),
    description="Raw data and game summaries of a date, once its games are over.",
)

PREGAME = dg.define_asset_job(
    "pregame",
    dg.AssetSelection.assets(*(name for name, raw in RAW_TABLES.items() if raw.is_pregame), *PREGAME_TABLES),
    description="What is known of a date's games before they begin, from announcements up to the feature vector.",
)

RETRY = dg.define_asset_job(
    "retry",
    dg.AssetSelection.assets(*COMPUTED_TABLES),
    description=(
        "Only the failed entities of a date or range that may be mended; all other rows stay as they are, bit for bit."
    ),
    tags={RETRY_TAG: "true"},
)
HEALTH = dg.define_asset_job(
    "health",
    dg.AssetSelection.checks(*HEALTH_CHECKS),
    description=(
        "Game days without rows, open failures, refused dates, unreadable files, quarantined rows; nothing is computed."
    ),
)

JOBS = (FULL, INGEST, POSTGAME, PREGAME, RETRY, HEALTH)
