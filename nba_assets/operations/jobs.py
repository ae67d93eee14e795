"""The jobs: which assets are run together.

`postgame` summarises the games of a date, `ingest` brings raw data in, `full` is everything and the documented route for date ranges.
"""

from __future__ import annotations

import dagster as dg

from nba_assets.partitions import DAILY

GAME_SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")

FULL = dg.define_asset_job("full", dg.AssetSelection.all(), partitions_def=DAILY, description="Every table, raw data included; the route for ranges.")
INGEST = dg.define_asset_job("ingest", dg.AssetSelection.groups("raw"), partitions_def=DAILY, description="Raw data from the landing zone.")
POSTGAME = dg.define_asset_job(
    "postgame",
    dg.AssetSelection.groups("raw") | dg.AssetSelection.assets(*GAME_SUMMARIES),
    partitions_def=DAILY,
    description="Raw data and game summaries of a date, once its games are over.",
)

JOBS = (FULL, INGEST, POSTGAME)
