"""The warehouse in BigQuery: reads through the Storage Read API, writes of one load and one script each.

A write puts all its rows into one staging table and then runs one script, whose transaction checks the conditions and
replaces the rows of all tables. The id of a job is known before the job is sent: a response that was lost is found
again by it, and a job that failed for a transient reason is sent anew under another one. Clients are made elsewhere.
"""

from __future__ import annotations

import functools
import io
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import requests
from google.api_core import exceptions
from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1 import types

from nba_assets.tables.bigquery_schema import bigquery_layout, bigquery_schema
from nba_assets.tables.columns import ARROW_TYPES, arrow_schema
from nba_assets.tables.spec import LIST_TYPES, Column, Table
from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery_script import Write, literal, quoted
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    TableStatus,
    Value,
    WarehouseBusyError,
    WarehouseError,
    WriteFacts,
)
from nba_assets.warehouse.validation import filter_values, lacking_columns, validate
from nba_assets.wording import phrase

LOGGER = logging.getLogger(__name__)
APPLICATION = "nba-assets"
"""Label of jobs, tables and datasets, and the beginning of the trace of reads, which have no labels."""
STAGING = "nba_staging"
"""Dataset of the staging tables; each is dropped by its writer, or expires."""
STAGING_MILLISECONDS = 24 * 3600 * 1000
SCRIPT_MILLISECONDS = 300_000
"""How long a script may run: shorter than the stamp of `Write` reaches ahead."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 16.0
STREAMS = 4
"""Streams of one read that are fetched at once."""
LARGEST_FILTER = 500
"""Values of a filter above which it is left to this process: a restriction has a largest size."""
ADVICE = "Delete the table in BigQuery and run the backfill again, or bring it in line by hand."
TYPE_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
"""What the API calls types that standard SQL calls otherwise."""
TRANSIENT_REASONS = frozenset(
    (
        "rateLimitExceeded",
        "jobRateLimitExceeded",
        "backendError",
        "jobBackendError",
        "internalError",
        "jobInternalError",
        "tableUnavailable",
    )
)
CONFLICT = "aborted due to concurrent update"
"""In the message of a transaction that lost against another one."""

Result = TypeVar("Result")


class BigQueryWarehouse:
    """Tables in datasets of a BigQuery project; datasets and tables come into being with the first write."""

    largest_write_dates = 4000
    """Partitions that one statement may change."""

    def __init__(
        self,
        address: BigQueryAddress,
        client: bigquery.Client,
        reader: BigQueryReadClient,
        wait_seconds: float = 60.0,
    ) -> None:
        """`wait_seconds` bounds how long conflicts and transient errors are retried before WarehouseBusyError."""
        self.address = address
        self.wait_seconds = wait_seconds
        self._client = client
        self._reader = reader
        self._bytes_read = 0
        self._counting = threading.Lock()
        self._of_thread = threading.local()

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """Named columns of the rows dated from `start` to `end`; see `Warehouse.read`."""
        allowed = {name: filter_values(table, name, value) for name, value in (where or {}).items()}
        schema = arrow_schema(table, columns)
        with self._errors():
            stored = self._stored(table)
            if stored is None:
                return schema.empty_table()
            lacking = {column.name for column in _lacking(table, stored)}
            needed = list(dict.fromkeys((*columns, *table.key, table.date_column, *allowed)))
            restrictions = [
                f"{quoted(table.date_column)} BETWEEN {_day(start)} AND {_day(end)}",
                *(_restriction(name, values) for name, values in allowed.items() if name not in lacking),
            ]
            request = types.ReadSession(
                table=f"projects/{stored.project}/datasets/{stored.dataset_id}/tables/{stored.table_id}",
                data_format=types.DataFormat.ARROW,
                trace_id=f"{APPLICATION}:{table.name}",
                read_options=types.ReadSession.TableReadOptions(
                    selected_fields=[name for name in needed if name not in lacking],
                    row_restriction=" AND ".join(filter(None, restrictions)),
                ),
            )
            if self._view is not None:
                request.table_modifiers = types.ReadSession.TableModifiers(snapshot_time=self._view.moment)
            rows = self._persistently(functools.partial(self._rows, request))
        return _selected(table, rows, needed, allowed).select(schema.names).cast(schema)

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        """Carry out everything in one transaction; see `Warehouse.replace`."""
        validate(replacements)
        if self._view is not None:
            raise RuntimeError("the warehouse is to be replaced within a reading session; end the session first")
        if not replacements:
            return WriteFacts()
        for replacement in replacements:
            if isinstance(replacement, Replacement) and len(set(replacement.dates)) > self.largest_write_dates:
                raise WarehouseError(
                    f"{replacement.table.qualified_name}: {len(set(replacement.dates)):,} dates in one write, of which "
                    f"BigQuery takes {self.largest_write_dates:,}; nothing was written. Run the dates season by season."
                )
        with self._errors():
            tables = {each.table.qualified_name: each.table for each in (*unless, *replacements)}
            written = {replacement.table.qualified_name for replacement in replacements}
            stored = {name: self._stored(table) for name, table in tables.items()}
            for name, table in tables.items():
                if (found := stored[name]) is not None:
                    _lacking(table, found)
            for name in sorted(written):
                self._persistently(functools.partial(self._ensure, tables[name]))
            for changed in unless:
                if changed.table.qualified_name not in written and stored[changed.table.qualified_name] is None:
                    changed.require_unchanged(arrow_schema(changed.table, changed.rows.column_names).empty_table())
            there = [
                each for each in unless if stored[each.table.qualified_name] or each.table.qualified_name in written
            ]
            write = Write(replacements, there, self._name, datetime.now(UTC))
            return self._execute(write, replacements[0].table)

    def status(self, tables: Sequence[Table]) -> list[TableStatus]:
        """What is stored of each table, by one query."""
        with self._errors():
            there = [table for table in tables if self._stored(table) is not None]
            found: dict[int, TableStatus] = {}
            if there:
                parts = []
                for place, table in enumerate(there):
                    day = quoted(table.date_column)
                    counts = f"COUNT(*), COUNT(DISTINCT {day}), MIN({day}), MAX({day})"
                    parts.append(f"SELECT {place}, {counts} FROM {self._name(table)}")
                job = self._job("status", {}, self._query(" UNION ALL ".join(parts)))
                for row in self._persistently(lambda: list(job.result(retry=None, job_retry=None))):
                    place, *counted = row.values()
                    found[place] = TableStatus(there[place], *counted)
        by_name = {status.table.qualified_name: status for status in found.values()}
        return [by_name.get(table.qualified_name, TableStatus(table, 0, 0, None, None)) for table in tables]

    def missing_columns(self, table: Table) -> list[Column] | None:
        """The nullable columns that the stored table lacks, None where it is not stored; SchemaMismatchError for any
        other difference from its spec.
        """
        with self._errors():
            stored = self._stored(table)
            return None if stored is None else _lacking(table, stored)

    def make_dataset(self, name: str) -> None:
        """Make a dataset, named without the address's prefix, where it is not there."""
        dataset = bigquery.Dataset(self.address.dataset(name))
        dataset.location = self.address.location
        dataset.default_table_expiration_ms = STAGING_MILLISECONDS if name == STAGING else None
        dataset.labels = {"app": APPLICATION}
        try:
            self._client.create_dataset(dataset, exists_ok=True, retry=None)
        except exceptions.Forbidden as error:
            if _is_transient(error):
                raise
            # Whoever may not make datasets can use one that somebody else has made.
            self._client.get_dataset(dataset.reference, retry=None)

    def close(self) -> None:
        """Nothing is kept open but the clients, which all warehouses of a process share."""

    @contextmanager
    def session(self) -> Iterator[None]:
        """Reads of this thread within the block see the tables as they are when it begins, by the service's clock."""
        if self._view is not None:
            yield
            return
        with self._errors():
            job = self._job("session", {}, self._query("SELECT CURRENT_TIMESTAMP()"))
            ((moment,),) = self._persistently(lambda: [row.values() for row in job.result(retry=None, job_retry=None)])
        self._of_thread.view = _View(moment)
        try:
            yield
        finally:
            self._of_thread.view = None

    @property
    def _view(self) -> _View | None:
        """The state of the tables that this thread's reading session sees."""
        return getattr(self._of_thread, "view", None)

    def _name(self, table: Table) -> str:
        return quoted(self._path(table))

    def _path(self, table: Table) -> str:
        """The full name of a table, as the API takes it."""
        return f"{self.address.dataset(table.dataset)}.{table.name}"

    def _stored(self, table: Table) -> bigquery.Table | None:
        """The table as it stands in the catalogue; None where it does not, or did not when the session began."""
        if self._view is None:
            return self._found(table)
        if table.qualified_name not in self._view.tables:
            found = self._found(table)
            is_younger = found is not None and found.created is not None and found.created > self._view.moment
            self._view.tables[table.qualified_name] = None if is_younger else found
        return self._view.tables[table.qualified_name]

    def _found(self, table: Table) -> bigquery.Table | None:
        try:
            return self._persistently(lambda: self._client.get_table(self._path(table), retry=None))
        except exceptions.NotFound:
            return None

    def _rows(self, request: types.ReadSession) -> pa.Table:
        session = self._reader.create_read_session(
            parent=f"projects/{self._client.project}", read_session=request, max_stream_count=STREAMS
        )
        with self._counting:
            self._bytes_read += session.estimated_total_bytes_scanned
        schema = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))

        def fetch(stream: types.ReadStream) -> list[pa.RecordBatch]:
            return [
                pa.ipc.read_record_batch(pa.py_buffer(page.arrow_record_batch.serialized_record_batch), schema)
                for page in self._reader.read_rows(stream.name)
            ]

        streams = list(session.streams)
        if len(streams) <= 1:
            batches = [batch for stream in streams for batch in fetch(stream)]
        else:
            with ThreadPoolExecutor(len(streams)) as threads:
                batches = [batch for fetched in threads.map(fetch, streams) for batch in fetched]
        return pa.Table.from_batches(batches, schema)

    def _ensure(self, table: Table) -> None:
        """Create the table, or add the nullable columns that its spec has gained."""
        name = self._path(table)
        try:
            stored = self._client.get_table(name, retry=None)
        except exceptions.NotFound:
            self.make_dataset(table.dataset)
            declared = {"fields": bigquery_schema(table)}
            new = bigquery.Table.from_api_repr(
                {"tableReference": bigquery.TableReference.from_string(name).to_api_repr(), "schema": declared}
                | bigquery_layout(table)
                | {"description": table.description or table.grain, "labels": {"app": APPLICATION}}
            )
            self._client.create_table(new, exists_ok=True, retry=None)
            return
        lacking = {column.name for column in _lacking(table, stored)}
        if lacking:
            added = [field for field in bigquery_schema(table) if field["name"] in lacking]
            stored.schema = [*stored.schema, *map(bigquery.SchemaField.from_api_repr, added)]
            # The request carries the table's etag: where somebody else has changed the table, this is begun anew.
            self._client.update_table(stored, ["schema"], retry=None)

    def _execute(self, write: Write, table: Table) -> WriteFacts:
        """One load, where there are rows, and one script."""
        labels = {"table": table.name}
        staging = f"{self.address.dataset(STAGING)}.{table.name}_{uuid.uuid4().hex}"
        jobs: list[Any] = []
        try:
            rows = write.staged()
            if rows.num_rows:
                jobs.append(self._load(rows, write.staging_schema(), staging, labels))
            jobs.append(self._job("replace", labels, self._query(write.script(quoted(staging)))))
        except exceptions.GoogleAPICallError as error:
            self._raise_overtaken(write, error)
            raise
        finally:
            self._drop(staging)
        processed, billed = (
            sum(getattr(job, name, None) or 0 for job in jobs)  # a load has neither: it is free
            for name in ("total_bytes_processed", "total_bytes_billed")
        )
        return WriteFacts([job.job_id for job in jobs], processed, billed, self._bytes_read)

    def _drop(self, staging: str) -> None:
        """Delete a staging table; one that cannot be deleted expires, and what was written stands."""
        try:
            self._persistently(lambda: self._client.delete_table(staging, not_found_ok=True, retry=None))
        except (exceptions.GoogleAPIError, requests.RequestException) as error:
            LOGGER.warning("%s could not be deleted and expires within a day: %s", staging, phrase(error))

    def _raise_overtaken(self, write: Write, error: exceptions.GoogleAPICallError) -> None:
        """Raise OvertakenError, naming the difference, where it was a condition that ended the script."""
        changed = write.condition_of(str(error))
        if changed is None:
            return
        changed.require_unchanged(
            self.read(changed.table, changed.rows.column_names, changed.start, changed.end, changed.where)
        )
        raise OvertakenError(
            f"overtaken by another writer: {changed.table.qualified_name} has changed since it was read, and again "
            "since; nothing was written"
        ) from error

    def _load(self, rows: pa.Table, schema: Sequence[Mapping[str, Any]], staging: str, labels: dict[str, str]) -> Any:
        self._persistently(lambda: self.make_dataset(STAGING))
        content = io.BytesIO()
        pq.write_table(rows, content)
        options = bigquery.ParquetOptions()
        options.enable_list_inference = True

        def send(job_id: str, labels: dict[str, str]) -> Any:
            content.seek(0)
            return self._client.load_table_from_file(
                content,
                staging,
                job_id=job_id,
                job_config=bigquery.LoadJobConfig(
                    source_format=bigquery.SourceFormat.PARQUET,
                    parquet_options=options,
                    schema=[bigquery.SchemaField.from_api_repr(dict(column)) for column in schema],
                    write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
                    labels=labels,
                ),
            )

        return self._job("load", labels, send)

    def _query(self, statement: str) -> Callable[[str, dict[str, str]], Any]:
        def send(job_id: str, labels: dict[str, str]) -> Any:
            return self._client.query(
                statement,
                job_id=job_id,
                job_config=bigquery.QueryJobConfig(
                    labels=labels,
                    maximum_bytes_billed=self.address.maximum_bytes_billed,
                    job_timeout_ms=SCRIPT_MILLISECONDS,
                    use_query_cache=False,
                ),
                retry=None,
                job_retry=None,
            )

        return send

    def _job(self, purpose: str, labels: dict[str, str], send: Callable[[str, dict[str, str]], Any]) -> Any:
        """A job that has succeeded; one that failed for a transient reason is sent again under a new id."""

        def attempt() -> Any:
            job_id = f"nba_assets_{purpose}_{uuid.uuid4().hex}"
            job = self._persistently(lambda: self._sent(job_id, labels | {"app": APPLICATION}, send))
            pause = 0.05
            while not self._persistently(lambda: job.done(retry=None)):
                time.sleep(pause)
                pause = min(2 * pause, 1.0)
            if job.error_result:
                raise job.exception()
            return job

        return self._persistently(attempt)

    def _sent(self, job_id: str, labels: dict[str, str], send: Callable[[str, dict[str, str]], Any]) -> Any:
        try:
            return send(job_id, labels)
        except exceptions.Conflict:
            # It was sent before, and only the response was lost.
            return self._client.get_job(job_id, location=self.address.location, retry=None)

    def _persistently(self, work: Callable[[], Result]) -> Result:
        """Do something again and again while it fails for transient reasons, with full jitter, up to the bound."""
        retry = Retry(
            _is_transient,
            initial=FIRST_PAUSE_SECONDS,
            maximum=LONGEST_PAUSE_SECONDS,
            timeout=self.wait_seconds,
        )
        return retry(work)()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say in one line what the service refuses."""
        where = f"the warehouse bigquery://{self.address.project}/{self.address.prefix}"
        try:
            yield
        except exceptions.RetryError as error:
            raise WarehouseBusyError(
                f"{where} was still busy or out of reach after {self.wait_seconds:g} s: {phrase(error.cause)}. "
                "Try again later, or give it more time with NBA_ASSETS_WAREHOUSE_WAIT_SECONDS."
            ) from error
        except (exceptions.GoogleAPICallError, requests.RequestException) as error:
            raise WarehouseError(f"{where} refused, and keeps what it had: {phrase(error)}") from error


@dataclass
class _View:
    """The moment at which a session reads, and the tables that it has met."""

    moment: datetime
    tables: dict[str, bigquery.Table | None] = field(default_factory=dict)


def _is_transient(error: BaseException) -> bool:
    """Whether the same may succeed later."""
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return True
    if not isinstance(error, exceptions.GoogleAPICallError):
        return False
    reasons = {detail.get("reason") for detail in error.errors if isinstance(detail, Mapping)}
    return (
        isinstance(error, (exceptions.ServerError, exceptions.TooManyRequests, exceptions.PreconditionFailed))
        or bool(reasons & TRANSIENT_REASONS)
        or CONFLICT in str(error)
    )


def _lacking(table: Table, stored: bigquery.Table) -> list[Column]:
    """The nullable columns that the stored table lacks; SchemaMismatchError for any other difference."""
    declared = {
        field["name"]: _definition(field["name"], field["type"], field["mode"]) for field in bigquery_schema(table)
    }
    found = {field.name: _definition(field.name, field.field_type, field.mode) for field in stored.schema}
    return lacking_columns(table, found, declared, ADVICE)


def _definition(name: str, kind: str, mode: str) -> str:
    return f"{name} {TYPE_NAMES.get(kind, kind)} {mode}"


def _day(day: date) -> str:
    return f"'{day.isoformat()}'"


def _restriction(name: str, values: Sequence[Value]) -> str | None:
    """A filter as the Storage Read API takes it; None where it is left to this process."""
    if not values or len(values) > LARGEST_FILTER:
        return None
    if all(isinstance(value, str) and value.replace("_", "").isalnum() for value in values) or all(
        isinstance(value, int) and not isinstance(value, bool) for value in values
    ):
        return f"{quoted(name)} IN ({', '.join(map(literal, values))})"
    return None


def _selected(table: Table, rows: pa.Table, needed: Sequence[str], allowed: Mapping[str, Sequence[Value]]) -> pa.Table:
    """The rows that hold allowed values, with nulls for columns that are not stored yet, sorted by the key."""
    for name in needed:
        kind = ARROW_TYPES[table.column(name).type]
        if name not in rows.column_names:
            blank = pa.array([[]] * rows.num_rows, kind) if _is_list(table, name) else pa.nulls(rows.num_rows, kind)
            rows = rows.append_column(name, blank)
        elif _is_list(table, name):
            rows = rows.set_column(
                rows.column_names.index(name), name, pc.fill_null(rows.column(name).cast(kind), pa.scalar([], kind))
            )
    for name, values in allowed.items():
        kind = ARROW_TYPES[table.column(name).type]
        rows = rows.filter(pc.is_in(rows.column(name).cast(kind), pa.array(values, kind)))
    return rows.sort_by([(name, "ascending") for name in table.key])


def _is_list(table: Table, name: str) -> bool:
    return table.column(name).type in LIST_TYPES
