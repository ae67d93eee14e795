"""The one place where everything meets: assets, checks, jobs and resources become Dagster definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from nba_assets.analytics.player_game_summary import player_game_summary
from nba_assets.analytics.team_defense_game_summary import team_defense_game_summary
from nba_assets.analytics.team_offense_game_summary import team_offense_game_summary
from nba_assets.entities.resource import ParallelEntitiesResource
from nba_assets.operations.console import LOGGER_NAME, plain_logger
from nba_assets.operations.jobs import JOBS
from nba_assets.raw.assets import RAW_ASSETS
from nba_assets.warehouse.resource import WarehouseResource

TABLE_ASSETS = (team_offense_game_summary, team_defense_game_summary, player_game_summary)


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Fresh definitions; `resources` replaces resources by name, for tests and other deployments."""
    return dg.Definitions(
        assets=[*RAW_ASSETS, *TABLE_ASSETS],
        jobs=JOBS,
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger, LOGGER_NAME: plain_logger},
        resources={"warehouse": WarehouseResource(), "entities": ParallelEntitiesResource()} | dict(resources or {}),
    )


defs = build_definitions()
