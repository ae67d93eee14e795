"""From the landing zone into the warehouse: one raw table, the dates of one run.

Dates for which good rows have landed are replaced by them; every other date keeps what it has. A row that breaks the
contract is quarantined, and so are rows that contradict each other and a file that cannot be used; none of
these stops the rest, and all of it is written in one transaction. A date that a faulty file would leave with few of
its rows keeps them all (`retention`), and does not count as ingested. `landing` finds the files, `readers` opens them,
`normalise` judges their rows, `deliveries` says which of several rows of one key stands, and `collection` brings these
together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from nba_assets.entities.outcomes import take
from nba_assets.raw.collection import (
    BadFile,
    Collection,
    QuarantinedRow,
    Request,
    collect,
    season_days,
    season_start,
)
from nba_assets.raw.landing import LandingZone
from nba_assets.raw.league_schedule import LOOKUP_COLUMNS, LeagueSchedule
from nba_assets.raw.normalise import utc
from nba_assets.raw.retention import Retention, retention
from nba_assets.raw.schedule_history import KNOWN_COLUMNS, ScheduleHistory, entries, superseded
from nba_assets.raw.tables import SCHEDULE, RawTable
from nba_assets.tables.bookkeeping import (
    CHANGE_COLUMNS,
    RAW_QUARANTINE,
    SCHEDULE_HISTORY,
    TABLE_PARTITIONS,
    WHOLE_FILE,
    Changes,
)
from nba_assets.tables.columns import arrow_schema, empty, to_arrow, to_columns
from nba_assets.tables.digest import partition_digest, row_hashes
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    Value,
    Warehouse,
    WriteFacts,
)

CODE_VERSION = "1"
"""Changes with the meaning of what ingestion stores."""

ABSENT = "the landing zone has no file of this required feed"

TRIES = 30
"""How often the files are read before an ingestion gives up because others write the same dates in the meantime."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.05, 2.0
"""Upper bounds of the random pauses between them: all runs share the schedule of the season."""

EXAMPLES = 5
"""Quarantined rows and files that a report shows."""


class IngestionError(Exception):
    """Files of a raw table could not be used, or a required feed is absent; whatever could be used was ingested."""


@dataclass(frozen=True)
class DateReport:
    """What one date of the raw table holds after the ingestion; `landed` says whether good rows have landed for it.

    `conflict_count` are those of the quarantined rows (`quarantined_count`) that contradict each other,
    `duplicate_count` dropped rows that equal one that is kept, `replaced_count` dropped rows that a newer delivery
    corrects, or whose game it moves to another date. `refusal` says why the date does not count as ingested, None where
    it does.
    """

    day: date
    row_count: int
    quarantined_count: int
    digest: str
    newest_processed_at: datetime | None
    landed: bool
    conflict_count: int = 0
    duplicate_count: int = 0
    replaced_count: int = 0
    refusal: str | None = None


@dataclass(frozen=True)
class IngestionReport:
    """What an ingestion found and did.

    `by_date` holds the dates requested, ascending. `row_count` are all good rows written: of a whole-season table
    more than these dates hold. `quarantined_count` are bad rows, `conflict_count` those among them that contradict each
    other, and files of dates outside every season; `bad_files` come on top. `examples` show some of all of them, each
    reason once. `duplicate_count` and `replaced_count` are rows that were dropped, because they equal one that stands,
    and because a newer one stands. `notices` count rows that are kept and not understood, by what is odd about them;
    `hints` say what is the matter with files of which most rows have one fault. `files_skipped` were not opened,
    because their paths name other dates. `seconds` are those of the stages `read`, `check` and `write`.
    """

    table: str
    by_date: Mapping[date, DateReport]
    row_count: int
    quarantined_count: int
    conflict_count: int
    examples: Sequence[str]
    duplicate_count: int
    replaced_count: int
    notices: Mapping[str, int]
    hints: Sequence[str]
    bad_files: Sequence[BadFile]
    files_read: int
    files_skipped: int
    required: bool
    required_but_absent: bool
    newest_processed_at: datetime | None
    seconds: Mapping[str, float]
    written: WriteFacts

    @property
    def dates_kept(self) -> list[date]:
        """Dates for which nothing good has landed and which hold what they held before."""
        return [day for day, report in self.by_date.items() if not report.landed and report.row_count]

    @property
    def dates_empty(self) -> list[date]:
        """Dates without any row, landed or stored."""
        return [day for day, report in self.by_date.items() if not report.row_count]

    @property
    def refused(self) -> dict[date, str]:
        """Dates that do not count as ingested, because a file may hold rows of them that cannot be used, and why."""
        return {day: report.refusal for day, report in self.by_date.items() if report.refusal is not None}

    def raise_if_absent(self) -> None:
        """Raise IngestionError, saying what to do, where the feed is required and has no file at all."""
        if self.required_but_absent:
            raise IngestionError(
                f"{self.table}: {ABSENT}. Put {self.table}.parquet, or a "
                f"folder {self.table}/ of Parquet, CSV or JSON lines files, into it (NBA_ASSETS_LANDING), and ingest "
                "again."
            )

    def raise_for_bad_files(self) -> None:
        """Raise IngestionError, naming each bad file and column and what to do, if there is any; also as
        `raise_if_absent`.
        """
        self.raise_if_absent()
        if self.bad_files:
            said = "; ".join(f"{bad.path} {bad.reason}" for bad in self.bad_files).removesuffix(".")
            raise IngestionError(
                f"{self.table}: {len(self.bad_files)} of {self.files_read} files could not be used, the others were "
                f"ingested. {said}. Replace or remove these files, and run the same dates again."
            )


def ingest(
    raw: RawTable, landing: LandingZone, warehouse: Warehouse, dates: Sequence[date], *, run_id: str, now: datetime
) -> IngestionReport:
    """Bring what has landed for `dates` into the warehouse, in one transaction.

    Of a whole-season table, the seasons that the dates may belong to are replaced, as far as they have landed. `now`
    stamps rows that do not say when they were processed. Bad files do not raise here: call `raise_for_bad_files` on
    the report once it is recorded. A date of which a bad file may hold rows has no entry in `table_partitions`
    afterwards, so that it counts as not ingested. Where another run ingests the same dates in the meantime, the files
    are read again. Raises LandingZoneError where there is no landing zone, OvertakenError where that happens again and
    again, WarehouseError where the warehouse refuses.
    """
    request = Request(raw, sorted(set(dates)), now)
    if raw is not SCHEDULE:
        request.schedule = LeagueSchedule(partial(_league_schedule, request, landing, warehouse))
    for attempt in Retrying(
        retry=retry_if_exception_type(OvertakenError),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        stop=stop_after_attempt(TRIES),
        reraise=True,
    ):
        with attempt:
            collection, fresh, reports, written = _collect_and_write(request, landing, warehouse, run_id)
    newest = [
        report.newest_processed_at for report in reports if report.landed and report.newest_processed_at is not None
    ]
    requested = set(request.dates)
    return IngestionReport(
        table=raw.name,
        by_date={report.day: report for report in reports if report.day in requested},
        row_count=fresh.num_rows,
        quarantined_count=len(collection.quarantined) - sum(len(bad.days) for bad in collection.bad_files),
        conflict_count=collection.conflicts.total(),
        examples=_examples(collection.quarantined),
        duplicate_count=collection.duplicates.total(),
        replaced_count=collection.replaced.total(),
        notices=collection.notices,
        hints=[f"{fault.path}: {fault.hint}" for fault in collection.common_faults],
        bad_files=collection.bad_files,
        files_read=collection.files_read,
        files_skipped=collection.files_skipped,
        required=raw.required,
        required_but_absent=collection.required_but_absent,
        newest_processed_at=max(newest, default=None),
        seconds=request.seconds,
        written=written,
    )


def _collect_and_write(
    request: Request, landing: LandingZone, warehouse: Warehouse, run_id: str
) -> tuple[Collection, pa.Table, list[DateReport], WriteFacts]:
    """Read the files and write what they hold; returns what was found, the good rows, what each date of the change
    holds now, and what the write cost.
    """
    # Read before the files are: what is written in the meantime may come from newer ones.
    begun = _as_stored(request, warehouse)
    collection = collect(request, landing)
    with request.timed("write"):
        retained = _retain(request, warehouse, collection)
        fresh = to_arrow(request.raw.table, collection.rows)
        change = _plan(request, warehouse, fresh, collection, retained)
        reports = _date_reports(request, change, collection)
        certain = [report for report in reports if report.refusal is None]
        scope: dict[str, Value] = {"table_name": request.raw.name}
        changes = _changes(warehouse, request.raw, change.dates)
        different = [report.day for report in reports if changes.to(report.day, report.digest)[0]]
        written = warehouse.replace(
            [
                *change.replacements,
                Replacement(
                    RAW_QUARANTINE, _quarantine_rows(request, collection.quarantined, run_id), request.span, scope
                ),
                Replacement(
                    TABLE_PARTITIONS,
                    _partition_rows(request, certain, run_id, changes),
                    change.dates,
                    scope,
                    moment_column="changed_at",
                ),
                *_history(request, warehouse, change, different, changes, run_id),
            ],
            unless=begun,
        )
    return collection, fresh, reports, written


def _as_stored(request: Request, warehouse: Warehouse) -> list[Changed]:
    """What the warehouse has of a request's dates as ingested and as quarantined: what its write is conditional on."""
    where = {"table_name": request.raw.name}
    first, last = request.span[0], request.span[-1]
    parts = (
        (TABLE_PARTITIONS, ("partition_date", "digest", "written_at", "run_id")),
        (RAW_QUARANTINE, ("partition_date", "file", "row_number", "run_id")),
    )
    with warehouse.session():
        return [
            Changed(table, warehouse.read(table, columns, first, last, where), first, last, where)
            for table, columns in parts
        ]


def _examples(quarantined: Sequence[QuarantinedRow]) -> list[str]:
    """Some of what was quarantined, each reason once."""
    by_reason: dict[tuple[str, str], QuarantinedRow] = {}
    for row in quarantined:
        by_reason.setdefault((row.path, row.reason), row)
    return [str(row) for row in islice(by_reason.values(), EXAMPLES)]


def _league_schedule(request: Request, landing: LandingZone, warehouse: Warehouse) -> Columns:
    """The games of the seasons that a request's dates may belong to: as they have landed; where they have not, or are
    mostly at fault, as stored.
    """
    games = Request(SCHEDULE, request.dates, request.now)
    landed = collect(games, landing)
    if not len(landed.rows["game_id"]) or landed.common_faults:
        stored = to_columns(warehouse.read(SCHEDULE.table, LOOKUP_COLUMNS, games.span[0], games.span[-1]))
        if len(stored["game_id"]):
            return stored
    return {name: landed.rows[name] for name in LOOKUP_COLUMNS}


@dataclass(frozen=True)
class _Change:
    """What an ingestion does to the table: rows that come, rows that stay, dates whose entries in `table_partitions`
    change.
    """

    replacements: list[Replacement]
    fresh: pa.Table
    kept: pa.Table
    dates: list[date]
    replaced: Columns = field(default_factory=dict)
    """Of the schedule: what was known of the games whose rows go."""


def _retain(request: Request, warehouse: Warehouse, collection: Collection) -> Retention:
    """What keeps its stored rows although something has landed for it: its landed rows are taken out of the collection,
    its files count as unusable.
    """
    if not collection.quarantined:
        return Retention()
    table = request.raw.table
    names = [
        name
        for name in (table.date_column, "season_year")
        if name == table.date_column or (request.raw.whole_season and name in table.column_names)
    ]
    retained = retention(
        request, collection, to_columns(warehouse.read(table, names, request.span[0], request.span[-1]))
    )
    gone = retained.keeps(request, collection.rows)
    if gone.any():
        collection.rows = {name: values[~gone] for name, values in collection.rows.items()}
    collection.bad_files += retained.bad_files
    collection.quarantined += [
        QuarantinedRow(day, bad.path, WHOLE_FILE, bad.reason) for bad in retained.bad_files for day in bad.days
    ]
    return retained


def _plan(
    request: Request, warehouse: Warehouse, fresh: pa.Table, collection: Collection, retained: Retention
) -> _Change:
    """Replace the dates (or seasons) that have landed, keep the others and the retained ones."""
    table = request.raw.table
    landed = set(collection.rows[table.date_column].tolist())
    if not request.raw.whole_season:
        # A date of which only conflicting rows came has landed too: the rows of its older delivery are replaced, not
        # kept.
        landed |= set(collection.conflicts) - retained.dates
        others = sorted(set(request.dates) - landed)
        kept = (
            warehouse.read(table, table.column_names, others[0], others[-1], {table.date_column: others})
            if others
            else empty(table)
        )
        return _Change([Replacement(table, fresh, sorted(landed))] if landed else [], fresh, kept, request.dates)
    seasons = request.season_of(collection.rows)
    replacements = []
    for season in np.unique(seasons).astype(int).tolist():
        rows = fresh.filter(pa.array(seasons == season))
        if "season_year" in table.column_names:
            # Of two seasons that share a summer, each leaves the other's games alone.
            days = [day for day in season_days(season) if day not in retained.dates]
            replacements.append(Replacement(table, rows, days, {"season_year": season}))
        else:
            replacements.append(Replacement(table, rows, [season_start(season)]))
    stored = warehouse.read(table, table.column_names, request.span[0], request.span[-1])
    stored_rows = to_columns(stored)
    outgoing = np.isin(request.season_of(stored_rows), seasons) & ~retained.keeps(request, stored_rows)
    dates = {
        *request.dates,
        *landed,
        *stored_rows[table.date_column][outgoing].tolist(),
        *(row.day for row in collection.quarantined),
    }
    replaced = {name: stored_rows[name][outgoing] for name in KNOWN_COLUMNS} if request.raw is SCHEDULE else {}
    return _Change(replacements, fresh, stored.filter(pa.array(~outgoing)), sorted(dates), replaced)


def _history(
    request: Request, warehouse: Warehouse, change: _Change, different: Sequence[date], changes: Changes, run_id: str
) -> list[Insertion]:
    """What a change of the schedule, on the dates that hold something else with it, makes history: nothing where it
    announces no game otherwise, nor of a season that is new.
    """
    if not change.replaced or not different:
        return []
    before, after = change.replaced, to_columns(change.fresh.select(KNOWN_COLUMNS))
    days = np.array(different, dtype="M8[D]")
    changed = superseded(
        take(before, np.isin(before["game_date"], days)),
        take(after, np.isin(after["game_date"], days) & np.isin(after["season_year"], before["season_year"])),
    )
    if not len(changed["game_id"]):
        return []
    first_known = dict.fromkeys(np.unique(changed["season_year"]).tolist(), utc(request.now))
    for season, day in zip(before["season_year"].tolist(), before["game_date"].tolist(), strict=True):
        if season in first_known and day in changes.before:
            first_known[season] = min(first_known[season], changes.before[day][1])
    history = ScheduleHistory.read(warehouse, request.span[0], request.span[-1])
    return [Insertion(SCHEDULE_HISTORY, entries(changed, history, first_known, request.now, run_id))]


def _date_reports(request: Request, change: _Change, collection: Collection) -> list[DateReport]:
    """What each date of the change holds once it is carried out."""
    table, days = request.raw.table, np.array(change.dates, dtype="M8[D]")
    rows = pa.concat_tables([change.fresh, change.kept.select(table.column_names).cast(arrow_schema(table))])
    columns = to_columns(rows.select([table.date_column, "processed_at"]))
    dates, processed_at = columns[table.date_column], columns["processed_at"]
    hashes = row_hashes(table, rows)
    places = np.where(np.isin(dates, days), np.searchsorted(days, dates), len(days))
    order = np.argsort(places, kind="stable")
    bounds = np.searchsorted(places[order], np.arange(len(days) + 1))
    quarantined_counts = Counter(row.day for row in collection.quarantined)
    refusals = _refusals(request, collection)
    reports = []
    for place, day in enumerate(change.dates):
        mine = order[bounds[place] : bounds[place + 1]]
        reports.append(
            DateReport(
                day,
                len(mine),
                quarantined_counts[day],
                partition_digest(hashes[mine]),
                processed_at[mine].max().item().replace(tzinfo=UTC) if len(mine) else None,
                bool((mine < change.fresh.num_rows).any()),
                collection.conflicts[day],
                collection.duplicates[day],
                collection.replaced[day],
                refusals.get(day),
            )
        )
    return reports


def _refusals(request: Request, collection: Collection) -> dict[date, str]:
    """Why dates do not count as ingested."""
    if collection.required_but_absent:
        return dict.fromkeys(request.dates, ABSENT)
    said: dict[date, list[str]] = {}
    for bad in collection.bad_files:
        for day in bad.days:
            said.setdefault(day, []).append(f"{bad.path} {bad.reason}")
    return {day: "; ".join(reasons) for day, reasons in said.items()}


def _quarantine_rows(request: Request, quarantined: Sequence[QuarantinedRow], run_id: str) -> pa.Table:
    return to_arrow(
        RAW_QUARANTINE,
        {
            "table_name": _repeated(request.raw.name, len(quarantined)),
            "partition_date": np.array([row.day for row in quarantined], dtype="M8[D]"),
            "file": _texts(row.path for row in quarantined),
            "row_number": np.array([row.number for row in quarantined], dtype=np.float64),
            "reason": _texts(row.reason for row in quarantined),
            "content": _texts(row.content for row in quarantined),
            "game_id": _texts(row.game_id for row in quarantined),
            "run_id": _repeated(run_id, len(quarantined)),
            "created_at": np.full(len(quarantined), utc(request.now)),
        },
    )


def _changes(warehouse: Warehouse, raw: RawTable, dates: Sequence[date]) -> Changes:
    """What is recorded of the dates that an ingestion writes."""
    return Changes.of(
        to_columns(warehouse.read(TABLE_PARTITIONS, CHANGE_COLUMNS, dates[0], dates[-1], {"table_name": raw.name}))
    )


def _partition_rows(request: Request, reports: Sequence[DateReport], run_id: str, changes: Changes) -> pa.Table:
    newest = [
        utc(report.newest_processed_at) if report.newest_processed_at else np.datetime64("NaT", "us")
        for report in reports
    ]
    return to_arrow(
        TABLE_PARTITIONS,
        {
            "table_name": _repeated(request.raw.name, len(reports)),
            "partition_date": np.array([report.day for report in reports], dtype="M8[D]"),
            "row_count": np.array([report.row_count for report in reports], dtype=np.float64),
            "failure_count": np.array([report.quarantined_count for report in reports], dtype=np.float64),
            "digest": _texts(report.digest for report in reports),
            "newest_processed_at": np.array(newest, dtype="M8[us]"),
            "code_version": _repeated(CODE_VERSION, len(reports)),
            "run_id": _repeated(run_id, len(reports)),
            "written_at": np.full(len(reports), utc(request.now)),
            "changed_at": np.array([changes.to(report.day, report.digest)[1] for report in reports], dtype="M8[us]"),
            "inputs": _texts(None for _ in reports),
        },
    )


def _repeated(text: str, size: int) -> NDArray[np.object_]:
    return np.full(size, text, dtype=object)


def _texts(values: Iterable[str | None]) -> NDArray[np.object_]:
    return np.array(list(values), dtype=object)
