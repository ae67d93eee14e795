"""Dagster's definitions of the project, put together: assets, checks, jobs, sensors, schedules, resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from nba_assets.orchestration.alerts import alert_sensors
from nba_assets.orchestration.computed_assets import table_asset
from nba_assets.orchestration.console import LOGGER_NAME, plain_logger
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.orchestration.health import HEALTH_CHECKS, WAREHOUSE_HEALTH
from nba_assets.orchestration.interruption import interruptible_executor
from nba_assets.orchestration.jobs import JOBS
from nba_assets.orchestration.raw_assets import RAW_ASSETS
from nba_assets.orchestration.schedules import build_schedules
from nba_assets.orchestration.sensors import build_sensors
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.registry import TABLE_MODULES
from nba_assets.terminal import clean_log_records

TABLE_ASSETS = [table_asset(module.TABLE, module.build) for module in TABLE_MODULES.values()]


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


def job_by_name(name: str) -> dg.JobDefinition:
    """A job of the definitions, as a run that is started elsewhere finds it again."""
    return defs.resolve_job_def(name)
