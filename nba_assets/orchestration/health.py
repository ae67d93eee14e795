"""Checks of the warehouse's content, apart from any run: game days without rows, open failures, refused dates, bad raw
data, rows altered by hand.

They read the state of partitions and the schedule only, in one step, and run by themselves: by the job `health`, or by
hand in the UI. They are checks of an asset of their own, `warehouse_health`, on whose page all tables stand together.
On the tables themselves Dagster would run them with everything that materializes one: two more steps per table, longer
than a single date takes to build, and during a backfill they would report days that it has not reached yet.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import numpy as np

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.entities.outcomes import take
from nba_assets.orchestration.computed_assets import OWNERS
from nba_assets.orchestration.opening import warehouse_kind
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.publishing.observations import rows_expected
from nba_assets.publishing.refusals import stored_refusals
from nba_assets.publishing.retry import OpenFailure, open_failures
from nba_assets.raw.content_index import RESULTS
from nba_assets.raw.refusals import unreadable_files
from nba_assets.raw.schedule import FINAL_COLUMNS, league_finals
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.tables.columns import to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Warehouse

GAME_DAYS_HAVE_ROWS, OPEN_FAILURES = "game_days_have_rows", "open_failures"
NO_DATE_REFUSED, FILES_READABLE, NO_ROW_QUARANTINED = "no_date_refused", "raw_files_readable", "no_raw_row_quarantined"
ROWS_AS_RECORDED = "rows_as_recorded"
PUBLISHED: Mapping[str, Table] = {name: raw.table for name, raw in RAW_TABLES.items()} | dict(COMPUTED_TABLES)
"""The tables whose dates have entries in `table_partitions`."""

SHOWN = 50
"""Dates that a check names; it counts all of them."""

FEED_IS_LATE_DAYS = np.timedelta64(7, "D")
"""A feed that has gone on for so long without a day is not expected to bring it any more."""

WAREHOUSE_HEALTH = dg.AssetSpec(
    "warehouse_health",
    deps=list(COMPUTED_TABLES),
    group_name="health",
    kinds={warehouse_kind()},
    owners=OWNERS,
    description=(
        "The state of the warehouse, table by table, as its checks: game days without rows, open failures, refused "
        "dates, unreadable files, quarantined rows, rows altered by hand. Nothing is materialized; run the job health."
    ),
    tags={"layer": "health"},
)


@dataclass(frozen=True)
class HealthCheck:
    """One check of the warehouse: its name, what has to hold, and how that is found out."""

    name: str
    description: str
    evaluate: Callable[[Warehouse], dg.AssetCheckResult]

    @property
    def spec(self) -> dg.AssetCheckSpec:
        """The check as Dagster knows it."""
        return dg.AssetCheckSpec(self.name, asset=WAREHOUSE_HEALTH.key, description=self.description)


@dataclass(frozen=True)
class DaysWithoutRows:
    """Days with final league games of which a table holds neither a row nor a failure record."""

    faults: list[date]
    """Those that should have rows: their feeds have landed, or may still land."""
    never_landed: list[date]
    """Those of which no feed that the table is made of holds a row, while it has rows of game days that are
    `FEED_IS_LATE_DAYS` later: the feed went on without them. They are counted and named, and are no fault of this
    pipeline that anybody could repair here.
    """


def game_days_without_rows(warehouse: Warehouse, table: Table, settings: Settings, today: date) -> DaysWithoutRows:
    """The days before `today` of the newest season that has results of which a table lacks rows.

    A precomputed table is not expected to have rows on the first days of a season.
    """
    columns = ("game_date", "season_year", *FINAL_COLUMNS)
    games: Columns = to_columns(warehouse.read(SCHEDULE.table, columns, date.min, today - timedelta(days=1)))
    finals = take(games, league_finals(games))
    if not len(finals["game_date"]):
        return DaysWithoutRows([], [])
    calendar = SeasonCalendar.from_schedule(games["game_date"], games["season_year"], games["is_regular_season"] == 1)
    days = np.unique(finals["game_date"][finals["season_year"] == finals["season_year"].max()])
    days = days[rows_expected(table, settings, calendar, days)]
    if not len(days):
        return DaysWithoutRows([], [])
    feeds = [source.table.name for source in table.inputs if source.own_date and source.table.name in RESULTS]
    names = ("table_name", "partition_date", "row_count", "failure_count")
    entries: Columns = to_columns(
        warehouse.read(
            TABLE_PARTITIONS, names, days[0].item(), days[-1].item(), {"table_name": sorted({table.name, *feeds})}
        )
    )
    is_own, has_rows = entries["table_name"] == table.name, entries["row_count"] > 0
    lacking = np.setdiff1d(days, entries["partition_date"][is_own & (has_rows | (entries["failure_count"] > 0))])
    if not feeds or not len(lacking):
        return DaysWithoutRows(lacking.tolist(), [])
    built = entries["partition_date"][is_own & has_rows]
    went_on = lacking + FEED_IS_LATE_DAYS <= (built.max() if len(built) else days[0])
    refused: Columns = to_columns(
        warehouse.read(RAW_QUARANTINE, ("partition_date",), days[0].item(), days[-1].item(), {"table_name": feeds})
    )
    landed = np.isin(lacking, [*entries["partition_date"][~is_own & has_rows], *refused["partition_date"]])
    never_landed = went_on & ~landed
    return DaysWithoutRows(lacking[~never_landed].tolist(), lacking[never_landed].tolist())


def counts_by_category(failures: list[OpenFailure]) -> dict[str, int]:
    """How many failures there are of each category, the most frequent first."""
    return dict(Counter(failure.category for failure in failures).most_common())


def _game_days_check(table: Table) -> HealthCheck:
    def evaluate(warehouse: Warehouse) -> dg.AssetCheckResult:
        today = datetime.now(ZoneInfo(LEAGUE_TIMEZONE)).date()
        found = game_days_without_rows(warehouse, table, Settings.from_environment(), today)
        counts: dict[str, Any] = {"days_without_rows": len(found.faults), "days_never_landed": len(found.never_landed)}
        if found.never_landed:
            counts["never_landed"] = _shown(found.never_landed)
        named = {"first": found.faults[0].isoformat(), "dates": _shown(found.faults)} if found.faults else {}
        return _result(found.faults, counts, named, dg.AssetCheckSeverity.WARN)

    return HealthCheck(
        f"{table.name}_{GAME_DAYS_HAVE_ROWS}",
        f"{table.qualified_name}: every day with final games of the newest season, up to yesterday, has rows or "
        "failure records; precomputed tables have none on the first days of a season, and days that the feeds left out "
        "for good are counted and named",
        evaluate,
    )


def _shown(days: Sequence[date]) -> list[str]:
    return [day.isoformat() for day in days[-SHOWN:]]


def _open_failures_check(table: Table) -> HealthCheck:
    def evaluate(warehouse: Warehouse) -> dg.AssetCheckResult:
        failures = open_failures(warehouse, datetime.now(ZoneInfo(LEAGUE_TIMEZONE)), tables=[table.name])
        pressing = sorted({failure.day for failure in failures if failure.needs_attention})
        hard = any(failure.is_hard for failure in failures)
        counts = {
            "open": len(failures),
            "retryable": sum(failure.can_retry for failure in failures),
            "hard": sum(failure.is_hard for failure in failures),
            "by_category": counts_by_category(failures),
            "dates_to_look_at": len(pressing),
        }
        severity = dg.AssetCheckSeverity.ERROR if hard else dg.AssetCheckSeverity.WARN
        return _result(pressing, counts, {"dates": _shown(pressing)}, severity)

    return HealthCheck(
        f"{table.name}_{OPEN_FAILURES}",
        f"{table.qualified_name}: no failure is open that a retry may resolve, and none of the computation itself; "
        "all are counted by category",
        evaluate,
    )


def quarantined_rows(warehouse: Warehouse) -> dict[str, int]:
    """Quarantined rows of the newest season that has results, by raw table."""
    with warehouse.session():
        names = ("game_date", "season_year", *FINAL_COLUMNS)
        games: Columns = to_columns(warehouse.read(SCHEDULE.table, names, date.min, date.max))
        newest = games["season_year"][league_finals(games)].max(initial=-np.inf)
        since = games["game_date"][games["season_year"] == newest]
        start = since.min().item() if len(since) else date.min
        rows = warehouse.read(RAW_QUARANTINE, ("table_name", "row_number"), start, date.max).to_pylist()
    return dict(Counter(row["table_name"] for row in rows if row["row_number"] != WHOLE_FILE).most_common())


def _refused_dates(warehouse: Warehouse) -> dg.AssetCheckResult:
    refused = stored_refusals(warehouse, list(COMPUTED_TABLES))
    named = {
        "refused": [str(refusal) for refusal in refused[-SHOWN:]],
        "dates": sorted({refusal.day.isoformat() for refusal in refused})[-SHOWN:],
    }
    return _result(refused, {"dates_refused": len(refused)}, named, dg.AssetCheckSeverity.ERROR)


def _files_readable(warehouse: Warehouse) -> dg.AssetCheckResult:
    files = unreadable_files(warehouse)
    said = [f"{table} {day}: {why}" for table, day, why in files[-SHOWN:]]
    named = {"files": said, "dates": sorted({day.isoformat() for _, day, _ in files})[-SHOWN:]}
    return _result(files, {"files_not_used": len(files)}, named, dg.AssetCheckSeverity.ERROR)


def _quarantined_rows(warehouse: Warehouse) -> dg.AssetCheckResult:
    rows = quarantined_rows(warehouse)
    return _result(rows, {"rows_quarantined": sum(rows.values())}, {"by_table": rows}, dg.AssetCheckSeverity.WARN)


def altered_partitions(warehouse: Warehouse, newest_dates: int) -> list[tuple[str, date, str]]:
    """Partitions whose rows are not those that the run of their entry wrote, as after a deletion by hand: table, date,
    and what differs.

    Rows are counted for all dates of raw and computed tables; digests are compared for the newest dates of the computed
    ones.
    """
    altered = []
    with warehouse.session():
        names = ("table_name", "partition_date", "row_count", "digest")
        entries: Columns = to_columns(
            warehouse.read(TABLE_PARTITIONS, names, date.min, date.max, {"table_name": list(PUBLISHED)})
        )
        for name, table in PUBLISHED.items():
            mine = take(entries, entries["table_name"] == name)
            dates = to_columns(warehouse.read(table, (table.date_column,), date.min, date.max))[table.date_column]
            found, counts = np.unique(dates, return_counts=True)
            there = Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            recorded = dict(zip(mine["partition_date"].tolist(), mine["row_count"].astype(int).tolist(), strict=True))
            differing = {day for day in there.keys() | recorded.keys() if there[day] != recorded.get(day, 0)}
            altered += [
                (name, day, f"{there[day]:,} rows, {recorded.get(day, 0):,} recorded") for day in sorted(differing)
            ]
            newest = (
                [day for day in sorted(recorded)[-newest_dates:] if day not in differing]
                if name in COMPUTED_TABLES and newest_dates
                else []
            )
            if newest:
                rows = warehouse.read(
                    table, [column.name for column in table.columns if column.hashed], newest[0], newest[-1]
                )
                hashes, days = row_hashes(table, rows), to_columns(rows.select([table.date_column]))[table.date_column]
                digests = dict(zip(mine["partition_date"].tolist(), mine["digest"].tolist(), strict=True))
                altered += [
                    (name, day, "the rows have another digest than recorded")
                    for day in newest
                    if partition_digest(hashes[days == np.datetime64(day, "D")]) != digests[day]
                ]
    return altered


def _rows_as_recorded(warehouse: Warehouse) -> dg.AssetCheckResult:
    altered = altered_partitions(warehouse, Settings.from_environment().health_digest_dates)
    said = [f"{table} {day}: {why}" for table, day, why in altered[-SHOWN:]]
    named = {"partitions": said, "dates": sorted({day.isoformat() for _, day, _ in altered})[-SHOWN:]}
    return _result(altered, {"partitions_altered": len(altered)}, named, dg.AssetCheckSeverity.ERROR)


def _result(
    found: Sized, counts: Mapping[str, Any], named: Mapping[str, Any], severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not len(found), severity=severity, metadata={**counts, **(named if len(found) else {})}
    )


CHECKS = (
    *(make(table) for table in COMPUTED_TABLES.values() for make in (_game_days_check, _open_failures_check)),
    HealthCheck(
        NO_DATE_REFUSED,
        "No table's newest build of a date was refused; a refused date holds what it held before, and tables that "
        "read it refuse it too",
        _refused_dates,
    ),
    HealthCheck(
        FILES_READABLE,
        "No raw date lacks its partition because of a file that could not be used; replace the file and ingest the "
        "date again",
        _files_readable,
    ),
    HealthCheck(
        NO_ROW_QUARANTINED,
        "No raw row of the newest season with results is quarantined; nba_processing.raw_quarantine has each with its "
        "reason",
        _quarantined_rows,
    ),
    HealthCheck(
        ROWS_AS_RECORDED,
        "Every date holds as many rows as its run recorded, and the newest dates of computed tables those very rows: "
        "nothing was deleted or edited by hand",
        _rows_as_recorded,
    ),
)


@dg.multi_asset_check(
    name="check_warehouse",
    specs=[check.spec for check in CHECKS],
    description="All checks of the warehouse, or those of them that are chosen, in one step.",
    can_subset=True,
)
def _check_warehouse(
    context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    chosen = {key.name for key in context.selected_asset_check_keys}
    opened = warehouse.open()
    for check in CHECKS:
        if check.name in chosen:
            yield check.evaluate(opened)._replace(check_name=check.name)


HEALTH_CHECKS = [_check_warehouse]
