"""The raw tables as assets: one each, ingesting the run's dates from the landing zone, with checks of what could not be
used.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NoReturn

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason

from nba_assets.orchestration.check_results import CheckEvent, check_events
from nba_assets.orchestration.computed_assets import (
    FRESH,
    OWNERS,
    asset_tags,
    data_version,
    definition_metadata,
    writable_dates,
)
from nba_assets.orchestration.daily import DAILY
from nba_assets.orchestration.interruption import RunEndedError
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.orchestration.opening import warehouse_kind
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.raw.ingestion import ABSENT, CODE_VERSION, DateReport, IngestionError, IngestionReport, ingest
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE, RawTable
from nba_assets.warehouse.interface import OvertakenError, WarehouseBusyError
from nba_assets.wording import counted, listed

FILES_READABLE, ROWS_ACCEPTED = "files_readable", "rows_accepted"
COMMON_FAULTS, NOTICES, ROWS_NOT_UNDERSTOOD = "looks_like", "notices", "rows_not_understood"
"""Metadata of `ROWS_ACCEPTED`: files of which most rows have one fault, words that are kept and not understood, and how
many rows have such words.
"""
NOTHING_LANDED = (
    "nothing has landed, not even a schedule, so that no date counts as ingested. Put the raw files into the landing "
    "zone, or set NBA_ASSETS_LANDING to their folder, and ingest again."
)
SHOWN = 10
"""Files, notices and dates that a check or a line of the log names; all are counted."""


def raw_asset(raw: RawTable) -> dg.AssetsDefinition:
    """The asset that ingests one raw table.

    A file that cannot be used costs the dates of which it may hold rows: they do not count as ingested, a failed check
    names them, and the others are ingested. The tables that need these dates refuse them. The asset fails where a
    required feed has no file at all, an optional one where there is no schedule either.
    """

    @dg.asset(
        name=raw.name,
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name=raw.table.layer,
        kinds={"python", warehouse_kind()},
        tags=asset_tags(raw.table),
        owners=OWNERS,
        freshness_policy=FRESH,
        code_version=CODE_VERSION,
        description=raw.table.description,
        metadata=definition_metadata(raw.table),
        check_specs=[
            dg.AssetCheckSpec(FILES_READABLE, asset=raw.name, description="Every landed file of the dates can be used"),
            dg.AssetCheckSpec(
                ROWS_ACCEPTED, asset=raw.name, description="Every landed row of the dates is stored, and understood"
            ),
        ],
    )
    def asset(
        context: dg.AssetExecutionContext, warehouse: WarehouseResource
    ) -> Iterator[CheckEvent | dg.MaterializeResult[None]]:
        landing = landing_zone()
        if not landing.files(SCHEDULE.name) and not landing.files(raw.name) and not raw.required:
            # Whether a feed has nothing for a date, or nothing has landed at all, only a schedule tells.
            raise dg.Failure(f"{raw.name}: {NOTHING_LANDED}", allow_retries=False)
        opened = warehouse.open()
        dates = writable_dates(context, opened)
        try:
            report = ingest(
                raw,
                landing,
                opened,
                dates,
                run_id=context.run.run_id,
                now=datetime.now(UTC),
            )
        except OvertakenError as error:
            raise dg.Failure(f"{raw.table.qualified_name} was {error}. Run it again.") from None
        except WarehouseBusyError as error:
            end_run(context, str(error))
        for line in warnings(report):
            context.log.warning(line)
        if report.duplicate_count or report.replaced_count:
            context.log.info(
                f"{raw.name}: dropped {counted(report.duplicate_count, 'identical row')} and "
                f"{report.replaced_count:,} that newer deliveries replace"
            )
        yield from check_events(context, (files_readable(report), rows_accepted(report)))
        try:
            report.raise_if_absent()
        except IngestionError as error:
            raise dg.Failure(str(error), metadata=_run_metadata(report), allow_retries=False) from None
        newest = max(report.by_date)
        for day in report.by_date.values():
            whole = (
                _run_metadata(report) | {"newest_processed_at": str(day.newest_processed_at)}
                if day.day == newest
                else {}
            )
            context.add_asset_metadata(whole | _date_metadata(day), partition_key=day.day.isoformat())
        yield dg.MaterializeResult(
            data_version=data_version([day.digest for day in report.by_date.values() if day.refusal is None]),
        )

    return asset


def end_run(context: dg.AssetExecutionContext, message: str) -> NoReturn:
    """Fail the whole run at once: each of the other steps would wait for the same warehouse as long, and fail with the
    same words.
    """
    # A failure of a step, as Dagster counts it: the daemon does not repeat it by itself.
    context.instance.report_run_failed(
        context.run, message, JobFailureData(error=None, failure_reason=RunFailureReason.STEP_FAILURE)
    )
    raise RunEndedError(message) from None


RAW_ASSETS = [raw_asset(raw) for raw in RAW_TABLES.values()]


def warnings(report: IngestionReport) -> Iterator[str]:
    """What the log warns of, in lines: nothing, where every file and row could be used and was understood."""
    if report.quarantined_count or report.bad_files:
        conflicts = f" ({report.conflict_count:,} of them contradict each other)" if report.conflict_count else ""
        rows, files = (
            counted(count, what) if count else ""
            for count, what in ((report.quarantined_count, "row"), (len(report.bad_files), "file"))
        )
        yield (
            f"{report.table}: {' and '.join(filter(None, (rows + conflicts, files)))} quarantined in "
            f"nba_processing.raw_quarantine, e.g. {'; '.join(report.examples)}"
        )
    yield from (f"{report.table}: {hint}" for hint in report.hints)
    if report.refused and not report.required_but_absent:
        count, verb = len(report.refused), "does" if len(report.refused) == 1 else "do"
        dates = f"{counted(count, 'date')} {verb} not count as ingested: {listed(report.refused, SHOWN)}"
        yield f"{report.table}: {dates}. Replace the files that cannot be used, and run the dates again"
    if report.notices:
        yield f"{report.table}: kept, but not understood: {listed(_counted(report), SHOWN)}"


def files_readable(report: IngestionReport) -> dg.AssetCheckResult:
    """Whether every file could be used; which could not, why, and what dates that costs."""
    metadata: dict[str, Any] = {"bad_files": len(report.bad_files)}
    if report.bad_files:
        metadata |= {
            "files": [f"{bad.path} {bad.reason}" for bad in report.bad_files[:SHOWN]],
            "dates": [day.isoformat() for day in report.refused],
        }
    if report.required_but_absent:
        metadata["absent"] = ABSENT
    passed = not report.bad_files and not report.required_but_absent
    return dg.AssetCheckResult(
        passed=passed, check_name=FILES_READABLE, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata
    )


def rows_accepted(report: IngestionReport) -> dg.AssetCheckResult:
    """Whether every row was stored and understood; how many were not, which dates they belong to, and examples."""
    metadata: dict[str, Any] = {
        "rows_quarantined": report.quarantined_count,
        "rows_in_conflict": report.conflict_count,
        **_dropped(report),
    }
    if report.quarantined_count:
        metadata |= {
            "examples": list(report.examples),
            "dates": [day.isoformat() for day, facts in report.by_date.items() if facts.quarantined_count],
        }
    if report.hints:
        metadata[COMMON_FAULTS] = list(report.hints[:SHOWN])
    if report.notices:
        metadata |= {NOTICES: _counted(report)[:SHOWN], ROWS_NOT_UNDERSTOOD: sum(report.notices.values())}
    passed = not report.quarantined_count and not report.notices
    return dg.AssetCheckResult(
        passed=passed, check_name=ROWS_ACCEPTED, severity=dg.AssetCheckSeverity.WARN, metadata=metadata
    )


def _date_metadata(report: DateReport) -> dict[str, Any]:
    """What every date says of itself. What it has none of it leaves out: with all counts the dates of three seasons
    took 18 MB more of the event log, as one of them filled a page.
    """
    rare = {"rows_in_conflict": report.conflict_count, **_dropped(report)}
    return {
        "dagster/partition_row_count": report.row_count,
        "rows": report.row_count,
        "rows_quarantined": report.quarantined_count,
        **{name: count for name, count in rare.items() if count},
        "digest": report.digest,
        "landed": report.landed,
        # Dagster has events for all dates of a run: that of a date which may not be read as ingested has to say so
        # itself.
        **({"status": "REFUSED", "refused_because": report.refusal} if report.refusal is not None else {}),
    }


def _run_metadata(report: IngestionReport) -> dict[str, Any]:
    return {
        "rows_in_run": report.row_count,
        "rows_quarantined_in_run": report.quarantined_count,
        "rows_in_conflict_in_run": report.conflict_count,
        **{f"{name}_in_run": count for name, count in _dropped(report).items()},
        "notices": sum(report.notices.values()),
        "files_read": report.files_read,
        "files_skipped": report.files_skipped,
        "files_bad": len(report.bad_files),
        "dates_kept": len(report.dates_kept),
        "dates_refused": len(report.refused),
        **{f"seconds_{stage}": round(seconds, 4) for stage, seconds in report.seconds.items()},
        **report.written.notes,
    }


def _dropped(report: IngestionReport | DateReport) -> dict[str, int]:
    return {"duplicates_dropped": report.duplicate_count, "rows_replaced": report.replaced_count}


def _counted(report: IngestionReport) -> list[str]:
    """The notices, the most common first, with how many rows each concerns."""
    return [
        f"{text} ({counted(count, 'row')})"
        for text, count in sorted(report.notices.items(), key=lambda one: (-one[1], one[0]))
    ]
