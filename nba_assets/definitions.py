"""The one place where everything meets: assets, checks, jobs and resources become Dagster definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from nba_assets.entities.resource import ParallelEntitiesResource
from nba_assets.interruption import interruptible_executor
from nba_assets.operations.alerts import alert_sensors
from nba_assets.operations.console import LOGGER_NAME, plain_logger
from nba_assets.operations.health import HEALTH_CHECKS, WAREHOUSE_HEALTH
from nba_assets.operations.jobs import JOBS
from nba_assets.operations.schedules import build_schedules
from nba_assets.operations.sensors import build_sensors
from nba_assets.raw.assets import RAW_ASSETS
from nba_assets.registry import TABLE_MODULES
from nba_assets.terminal import clean_log_records
from nba_assets.warehouse.resource import WarehouseResource

TABLE_ASSETS: list[dg.AssetsDefinition] = [getattr(module, name) for name, module in TABLE_MODULES.items()]
"""Each table's module holds its asset under the table's own name."""


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Fresh definitions; `resources` replaces resources by name, for tests and other deployments."""
    return dg.Definitions(
        assets=[*RAW_ASSETS, *TABLE_ASSETS, WAREHOUSE_HEALTH],
        asset_checks=HEALTH_CHECKS,
        sensors=[*alert_sensors(), *build_sensors()],
        schedules=build_schedules(),
        jobs=JOBS,
        executor=interruptible_executor,
        loggers={"console": dg.colored_console_logger, LOGGER_NAME: plain_logger},
        resources={"warehouse": WarehouseResource(), "entities": ParallelEntitiesResource()} | dict(resources or {}),
    )


clean_log_records()
defs = build_definitions()
