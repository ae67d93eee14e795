"""BigQuery's two clients in memory: a catalogue, rows to read, and jobs that note what was sent but run no statement.

What a script does to rows is tested with an emulator, in `nba_assets_tests.gcp`.
"""

# ruff: noqa: ARG002 - the signatures are those of the clients

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa
from google.api_core import exceptions
from google.cloud import bigquery

from nba_assets.tables.bigquery_schema import bigquery_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.address import BigQueryAddress
from nba_assets.warehouse.bigquery import BigQueryWarehouse

ADDRESS = BigQueryAddress("p", "t", "EU", 3)
AS_ANSWERED = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN"}
"""How the service names types in what it answers."""


@dataclass
class Job:
    """A job that was sent: a load of Parquet, or a query."""

    job_id: str
    configuration: dict[str, Any]
    content: Any
    """The statement, or the bytes of a file."""
    destination: str = ""
    rows: Sequence[tuple[Any, ...]] = ()
    error: exceptions.GoogleAPICallError | None = None
    polls: int = 0
    """How often it is not done yet."""

    @property
    def error_result(self) -> dict[str, str] | None:
        """As the client has it."""
        return {"message": str(self.error)} if self.error else None

    def exception(self) -> exceptions.GoogleAPICallError | None:
        """As the client has it."""
        return self.error

    def done(self, retry: None) -> bool:
        """As the client has it."""
        self.polls -= 1
        return self.polls < 0

    def result(self, retry: None, job_retry: None) -> list[Any]:
        """Rows as the client gives them."""
        return [SimpleNamespace(values=lambda row=row: row) for row in self.rows]


@dataclass
class QueryJob(Job):
    """Only queries process bytes."""

    total_bytes_processed: int | None = 7
    total_bytes_billed: int | None = 10


@dataclass
class Service:
    """What both clients talk to, and both clients themselves."""

    project: str = ADDRESS.project
    tables: dict[str, bigquery.Table] = field(default_factory=dict)
    content: dict[str, pa.Table] = field(default_factory=dict)
    datasets: dict[str, bigquery.Dataset] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    sessions: list[Any] = field(default_factory=list)
    """Requests of the Storage Read API, with the largest number of streams."""
    before: defaultdict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    """Errors that calls of a name raise, one each, having done nothing."""
    after: defaultdict[str, list[Exception]] = field(default_factory=lambda: defaultdict(list))
    """Errors that calls of a name raise, one each, having done all: the response is lost."""
    failures: list[exceptions.GoogleAPICallError] = field(default_factory=list)
    """Errors of the next jobs, in which they end after they were accepted."""
    answers: list[list[tuple[Any, ...]]] = field(default_factory=list)
    """Rows of the next queries."""
    polls: int = 0
    streams: int = 1

    def warehouse(self, wait_seconds: float = 60.0) -> BigQueryWarehouse:
        """A warehouse that talks to this service."""
        return BigQueryWarehouse(ADDRESS, self, self, wait_seconds)

    def put(self, table: Table, rows: pa.Table | None = None, created: datetime | None = None) -> None:
        """Let a table be stored with the columns of its spec."""
        name = path(table)
        reference = bigquery.TableReference.from_string(name).to_api_repr()
        self._store(bigquery.Table.from_api_repr({"tableReference": reference, "schema": {"fields": _fields(table)}}))
        if created is not None:
            self.tables[name]._properties["creationTime"] = created.timestamp() * 1000
        if rows is not None:
            self.content[name] = rows

    def statements(self) -> list[str]:
        """The statements of all queries that were sent."""
        return [job.content for job in self.jobs if isinstance(job, QueryJob)]

    def get_table(self, name: str, retry: None) -> bigquery.Table:
        """As the client has it."""
        end = self._begin("get_table")
        if name not in self.tables:
            raise exceptions.NotFound(f"Not found: Table {name}")
        end()
        return bigquery.Table.from_api_repr(self.tables[name].to_api_repr())

    def create_table(self, table: bigquery.Table, exists_ok: bool, retry: None) -> None:
        """As the client has it."""
        end = self._begin("create_table")
        self._require_dataset(str(table.reference))
        if str(table.reference) not in self.tables:
            self._store(table)
        elif not exists_ok:
            raise exceptions.Conflict("Already Exists: Table")
        end()

    def update_table(self, table: bigquery.Table, fields: Sequence[str], retry: None) -> None:
        """As the client has it: only what is named changes."""
        end = self._begin("update_table")
        if list(fields) != ["schema"]:
            raise exceptions.BadRequest(f"unexpected change of {fields}")
        self._store(table)
        end()

    def delete_table(self, name: str, not_found_ok: bool, retry: None) -> None:
        """As the client has it."""
        end = self._begin("delete_table")
        if self.tables.pop(name, None) is None and not not_found_ok:
            raise exceptions.NotFound(f"Not found: Table {name}")
        end()

    def create_dataset(self, dataset: bigquery.Dataset, exists_ok: bool, retry: None) -> None:
        """As the client has it."""
        end = self._begin("create_dataset")
        name = f"{dataset.project}.{dataset.dataset_id}"
        if name in self.datasets and not exists_ok:
            raise exceptions.Conflict("Already Exists: Dataset")
        self.datasets.setdefault(name, dataset)
        end()

    def load_table_from_file(self, file: Any, destination: str, job_id: str, job_config: Any) -> Job:
        """As the client has it: the file is read from where it stands."""
        content = file.read()
        end = self._begin("load")
        self._require_dataset(destination)
        job = Job(job_id, job_config.to_api_repr(), content, destination)
        self._accept(job)
        self.tables[destination] = bigquery.Table(destination)
        end()
        return job

    def query(self, statement: str, job_id: str, job_config: Any, retry: None, job_retry: None) -> QueryJob:
        """As the client has it."""
        end = self._begin("query")
        job = QueryJob(job_id, job_config.to_api_repr(), statement)
        self._accept(job)
        job.rows = self.answers.pop(0) if self.answers else ()
        end()
        return job

    def get_job(self, job_id: str, location: str, retry: None) -> Job:
        """As the client has it."""
        self._begin("get_job")
        (job,) = (job for job in self.jobs if job.job_id == job_id and location == ADDRESS.location)
        return job

    def create_read_session(self, parent: str, read_session: Any, max_stream_count: int) -> Any:
        """As the client has it; the restriction is carried out by DuckDB."""
        end = self._begin("create_read_session")
        self.sessions.append((parent, read_session, max_stream_count))
        _, project, _, dataset, _, table = read_session.table.split("/")
        stored = self.content[f"{project}.{dataset}.{table}"]
        fields = ", ".join(f'"{name}"' for name in read_session.read_options.selected_fields)
        restriction = read_session.read_options.row_restriction.replace("`", '"')
        with duckdb.connect() as connection:
            connection.register("stored", stored)
            self.found = connection.sql(f"SELECT {fields} FROM stored WHERE {restriction}").to_arrow_table()
        end()
        return SimpleNamespace(
            estimated_total_bytes_scanned=5,
            arrow_schema=SimpleNamespace(serialized_schema=self.found.schema.serialize()),
            streams=[SimpleNamespace(name=str(number)) for number in range(self.streams)],
        )

    def read_rows(self, name: str) -> Iterator[Any]:
        """As the client has it: every stream has its share of the rows."""
        end = self._begin("read_rows")
        share = self.found.take(pa.array(range(int(name), self.found.num_rows, self.streams), pa.int64()))
        end()
        for batch in share.to_batches():
            content = batch.serialize().to_pybytes()
            yield SimpleNamespace(arrow_record_batch=SimpleNamespace(serialized_record_batch=content))

    def _begin(self, name: str) -> Callable[[], None]:
        """Note a call, which fails here where it is to do nothing; the result is called at its end."""
        self.calls[name] += 1
        if self.before[name]:
            raise self.before[name].pop(0)

        def end() -> None:
            if self.after[name]:
                raise self.after[name].pop(0)

        return end

    def _accept(self, job: Job) -> None:
        if any(job.job_id == sent.job_id for sent in self.jobs):
            raise exceptions.Conflict("Already Exists: Job")
        job.error = self.failures.pop(0) if self.failures else None
        job.polls = self.polls
        self.jobs.append(job)

    def _require_dataset(self, table: str) -> None:
        if table.rsplit(".", 1)[0] not in self.datasets:
            raise exceptions.NotFound(f"Not found: Dataset of {table}")

    def _store(self, table: bigquery.Table) -> None:
        stored = table.to_api_repr()
        for column in stored["schema"]["fields"]:
            column["type"] = AS_ANSWERED.get(column["type"], column["type"])
        self.tables[str(table.reference)] = bigquery.Table.from_api_repr(stored)


def path(table: Table) -> str:
    """The full name of a table."""
    return f"{ADDRESS.dataset(table.dataset)}.{table.name}"


def _fields(table: Table) -> list[dict[str, Any]]:
    return [dict(column) for column in bigquery_schema(table)]
