"""Checks of what stands in the warehouse, apart from any run: game days without rows, and failures that are still open.

They read the books and the schedule only, and run by themselves: by the job `health`, or by hand in the UI. They are checks of an asset of their own,
`warehouse_health`, on whose page all tables stand together. On the tables themselves they would be run by everything that materializes one, as Dagster
has it: two more steps per table, longer than a single date takes to build, and in the midst of a backfill they would tell of days that it has not
reached yet.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import numpy as np

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.entities.outcomes import take
from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.publishing.asset import OWNERS
from nba_assets.publishing.observations import rows_expected
from nba_assets.publishing.retry import OpenFailure, open_failures
from nba_assets.raw.schedule import FINAL_COLUMNS, league_finals
from nba_assets.raw.tables import SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import to_columns
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Warehouse
from nba_assets.warehouse.resource import WarehouseResource

GAME_DAYS_HAVE_ROWS, OPEN_FAILURES = "game_days_have_rows", "open_failures"
SHOWN = 50
"""Dates that a check names; it counts all of them."""

WAREHOUSE_HEALTH = dg.AssetSpec(
    "warehouse_health",
    deps=list(COMPUTED_TABLES),
    group_name="health",
    kinds={"duckdb"},
    owners=OWNERS,
    description="What stands in the warehouse, table by table: see its checks. Nothing is materialized here; run the job health.",
)


def game_days_without_rows(warehouse: Warehouse, table: Table, settings: Settings, today: date) -> list[date]:
    """Days before `today` of the newest season that has results, with final league games, of which a table holds neither a row nor a failure record.

    A precomputed table is not expected to have rows on the first days of a season.
    """
    columns = ("game_date", "season_year", *FINAL_COLUMNS)
    games: Columns = to_columns(warehouse.read(SCHEDULE.table, columns, date.min, today - timedelta(days=1)))
    finals = take(games, league_finals(games))
    if not len(finals["game_date"]):
        return []
    calendar = SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"] == 1)
    days = np.unique(finals["game_date"][finals["season_year"] == finals["season_year"].max()])
    days = days[rows_expected(table, settings, calendar, days)]
    if not len(days):
        return []
    names = ("partition_date", "row_count", "failure_count")
    books: Columns = to_columns(warehouse.read(TABLE_PARTITIONS, names, days[0].item(), days[-1].item(), {"table_name": table.name}))
    told = books["partition_date"][books["row_count"] + books["failure_count"] > 0]
    missing: list[date] = np.setdiff1d(days, told).tolist()
    return missing


def counts_by_category(failures: list[OpenFailure]) -> dict[str, int]:
    """How many failures there are of each category, the most frequent first."""
    return dict(Counter(failure.category for failure in failures).most_common())


def _game_days_check(table: Table) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=WAREHOUSE_HEALTH.key,
        name=f"{table.name}_{GAME_DAYS_HAVE_ROWS}",
        description=f"{table.qualified_name}: every day with final games of the newest season, up to yesterday, has rows or failure records; bootstrap days aside",
    )
    def check(warehouse: WarehouseResource) -> dg.AssetCheckResult:
        today = datetime.now(ZoneInfo(LEAGUE_TIMEZONE)).date()
        missing = game_days_without_rows(warehouse.open(), table, Settings.from_environment(), today)
        named: dict[str, Any] = {"first": missing[0].isoformat(), "dates": [day.isoformat() for day in missing[-SHOWN:]]} if missing else {}
        return dg.AssetCheckResult(passed=not missing, severity=dg.AssetCheckSeverity.WARN, metadata={"days_without_rows": len(missing), **named})

    return check


def _open_failures_check(table: Table) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=WAREHOUSE_HEALTH.key,
        name=f"{table.name}_{OPEN_FAILURES}",
        description=f"{table.qualified_name}: no failure is open that a retry may mend, and none of the computation itself; all are counted by category",
    )
    def check(warehouse: WarehouseResource) -> dg.AssetCheckResult:
        failures = open_failures(warehouse.open(), datetime.now(ZoneInfo(LEAGUE_TIMEZONE)), tables=[table.name])
        pressing = sorted({failure.day for failure in failures if failure.can_retry or failure.is_hard})
        return dg.AssetCheckResult(
            passed=not pressing,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "open": len(failures),
                "retryable": sum(failure.can_retry for failure in failures),
                "hard": sum(failure.is_hard for failure in failures),
                "by_category": counts_by_category(failures),
                "dates_to_look_at": len(pressing),
                **({"dates": [day.isoformat() for day in pressing[-SHOWN:]]} if pressing else {}),
            },
        )

    return check


HEALTH_CHECKS = [make(table) for table in COMPUTED_TABLES.values() for make in (_game_days_check, _open_failures_check)]
