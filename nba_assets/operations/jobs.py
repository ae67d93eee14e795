"""The jobs: which assets are run together.

`postgame` summarises the games of a date; `pregame` describes them before they begin, up to the feature vector; `ingest` brings raw data in; `full` is
everything, and the documented route for date ranges.
"""

from __future__ import annotations

import dagster as dg

GAME_SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
CONTEXTS = ("upcoming_team_game_context", "upcoming_player_game_context")
PRECOMPUTE = "precompute"

FULL = dg.define_asset_job("full", dg.AssetSelection.all(), description="Every table, raw data included; the route for ranges.")
INGEST = dg.define_asset_job("ingest", dg.AssetSelection.groups("raw"), description="Raw data from the landing zone.")
POSTGAME = dg.define_asset_job(
    "postgame",
    dg.AssetSelection.groups("raw") | dg.AssetSelection.assets(*GAME_SUMMARIES),
    description="Raw data and game summaries of a date, once its games are over.",
)

PREGAME = dg.define_asset_job(
    "pregame",
    dg.AssetSelection.assets(*CONTEXTS) | dg.AssetSelection.groups(PRECOMPUTE),
    description="What is known of a date's games before they begin, up to the feature vector.",
)

JOBS = (FULL, INGEST, POSTGAME, PREGAME)
