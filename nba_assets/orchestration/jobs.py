"""The jobs: which assets are run together.

`postgame` builds the game summaries of a date; `pregame` builds what is known before its games, up to the feature
vector; `ingest` brings raw data in; `full` is everything, and the documented route for date ranges. `retry` computes
failed entities again; `health` checks the content of the warehouse. `fetch` fills the landing zone
from the league's site.
"""

from __future__ import annotations

import dagster as dg

from nba_assets.orchestration.fetching import FETCH
from nba_assets.orchestration.health import HEALTH_CHECKS
from nba_assets.publishing.retry import RETRY_TAG
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, GAME_SUMMARIES, PREGAME_TABLES

FULL = dg.define_asset_job(
    "full",
    dg.AssetSelection.all(),
    description="Builds every table of a date or range, raw data included; the job for backfills.",
)
INGEST = dg.define_asset_job(
    "ingest",
    dg.AssetSelection.groups("raw"),
    description="Loads the raw tables of a date or range from the landing zone; computes nothing.",
)
POSTGAME = dg.define_asset_job(
    "postgame",
    dg.AssetSelection.groups("raw") | dg.AssetSelection.assets(*GAME_SUMMARIES),
    description="After the games: loads a date's raw data and builds its game summaries.",
)

PREGAME = dg.define_asset_job(
    "pregame",
    dg.AssetSelection.assets(*(name for name, raw in RAW_TABLES.items() if raw.is_pregame), *PREGAME_TABLES),
    description=(
        "Before the games: loads a date's announcements (schedule, lines, props, injuries, rosters) and builds its "
        "contexts, precomputed tables and feature vectors."
    ),
)

RETRY = dg.define_asset_job(
    "retry",
    dg.AssetSelection.assets(*COMPUTED_TABLES),
    description=(
        "Computes only the failed players and teams of a date or range again; all other rows stay as they are, bit for "
        "bit."
    ),
    tags={RETRY_TAG: "true"},
)
HEALTH = dg.define_asset_job(
    "health",
    dg.AssetSelection.checks(*HEALTH_CHECKS),
    description=(
        "Checks the warehouse: game days without rows, open failures, refused dates, unreadable files, quarantined "
        "rows, rows altered by hand; computes nothing."
    ),
)

JOBS = (FULL, INGEST, POSTGAME, PREGAME, RETRY, HEALTH, FETCH)
