"""The warehouse in a DuckDB file.

DuckDB lets one process that writes, or several that only read, into a file. Connections are therefore made under a
file lock, which is waited for up to a bound, and short: what takes its turns one after the other, as a run does, may
keep one open from use to use while nobody else waits. DuckDB forgets what a process that dies had not committed.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.ddl import duckdb_column, duckdb_create, duckdb_name, duckdb_type, quoted
from nba_assets.tables.spec import LIST_TYPES, Column, Table
from nba_assets.warehouse.file_turn import FileTurn, HeldError
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    Replacement,
    TableStatus,
    Value,
    WarehouseBusyError,
    WarehouseError,
    WriteFacts,
)
from nba_assets.warehouse.validation import filter_values, lacking_columns, validate
from nba_assets.wording import one_line

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.05, 1.0
LOOK_SECONDS = 0.025
"""How often it is looked whether a connection that is kept open has been idle long enough, or somebody waits for it."""
STORAGE_VERSION = "v1.0.0"
"""The oldest storage version that holds these tables: DuckDB 1.1 and later open it."""
THREADS = 1
"""Of DuckDB's own. A second one gained no time: of the run of one date it took 0.3 of 5.2 CPU seconds, of three seasons
in one run 0.3 GB of memory.
"""
MEMORY_LIMIT = "320MB"
"""Of DuckDB's own; beyond it parts of a write wait in files beside the warehouse. Without a limit, and with one of 512
MB, three seasons of features took 590 MB to be written, and eight times as many rows 2 GB; with this one as many rows
as there are take no more. It costs 0.3 of their 3 CPU seconds; a season stays below it.
"""

SETTINGS = f"SET TimeZone = 'UTC'; SET threads = {THREADS}; SET memory_limit = '{MEMORY_LIMIT}'"


class DuckDBWarehouse:
    """Tables in one DuckDB file; the file comes into being with the first write.

    Threads and processes may share the file, each with an object of its own or not. Their reads and writes come one
    after the other.
    """

    largest_write_dates = None

    def __init__(self, path: str | Path, wait_seconds: float = 60.0, idle_seconds: float = 0.0) -> None:
        """`wait_seconds` bounds how long somebody else may hold the file before WarehouseBusyError is raised.

        A connection is kept open for `idle_seconds` after its use, no longer than until somebody waits for the file;
        with some, `close` ends the use of the warehouse.
        """
        self.path = Path(path).resolve()
        self.wait_seconds = wait_seconds
        self.idle_seconds = idle_seconds
        self._file = FileTurn(self.path)
        self._of_thread = threading.local()
        self._turn = threading.Lock()
        self._open: _Open | None = None
        """In use by who has the turn, or kept open."""
        self._closer: threading.Thread | None = None

    def close(self) -> None:
        """Close the connection that is kept open, where there is one."""
        with self._turn:
            self._close()

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """Named columns of the rows dated from `start` to `end`, both included, sorted by the table's key.

        `where` keeps rows whose column equals the value, or one of the values. A nullable column that the file does not
        have yet is read as null.
        """
        query = _Query.of(table, columns, start, end, where)
        if not self._is_there():
            return query.schema.empty_table()
        with self._connection(read_only=True) as opened:
            return query.rows(opened.connection, opened.stored_columns(table))

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        """Carry out everything in one transaction; see `Warehouse.replace`."""
        validate(replacements)
        if not replacements:
            return WriteFacts()
        with self._writable():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as opened:
            connection = opened.connection
            tables = {each.table.qualified_name: each.table for each in (*replacements, *unless)}
            moment = datetime.now(UTC)
            stored = {name: opened.stored_columns(table) for name, table in tables.items()}
            # Whatever raises in here, closing the connection rolls the transaction back.
            connection.execute("BEGIN TRANSACTION")
            for changed in unless:
                query = _Query.of(changed.table, changed.rows.column_names, changed.start, changed.end, changed.where)
                changed.require_unchanged(query.rows(connection, stored[changed.table.qualified_name]))
            for name in dict.fromkeys(replacement.table.qualified_name for replacement in replacements):
                if _ensure(connection, tables[name], stored[name]):
                    opened.forget_columns(tables[name])
            for replacement in replacements:
                if isinstance(replacement, Replacement):
                    _delete(connection, replacement)
                    _insert(connection, replacement.table, replacement.written_at(moment))
                else:
                    _insert(connection, replacement.table, replacement.rows)
            connection.execute("COMMIT")
        return WriteFacts()

    def status(self, tables: Sequence[Table]) -> list[TableStatus]:
        """What is stored of each table."""
        if not self._is_there():
            return [TableStatus(table, 0, 0, None, None) for table in tables]
        with self._connection(read_only=True) as opened:
            return [_status(opened, table) for table in tables]

    @contextmanager
    def session(self) -> Iterator[None]:
        """Reads within the block share one connection, under one lock; there must be no replacing in it."""
        if self._session is not None or not self._is_there():
            yield
            return
        with self._connection(read_only=True) as opened:
            self._of_thread.session = opened
            try:
                yield
            finally:
                self._of_thread.session = None

    def missing_columns(self, table: Table) -> list[Column] | None:
        """The nullable columns that the file lacks of a table, None where it does not hold the table.

        Raises SchemaMismatchError for any other difference between the stored table and its spec.
        """
        if not self._is_there():
            return None
        with self._connection(read_only=True) as opened:
            stored = opened.stored_columns(table)
            return _lacking_columns(table, stored) if stored else None

    def storage_version(self) -> str:
        """The storage version of the file, e.g. `v1.0.0+`: DuckDB of that version and later opens it."""
        with self._connection(read_only=True) as opened:
            return opened.name_and_version()[1]

    def has_log(self) -> bool:
        """Whether changes stand beside the file, since a process was killed before they got into it."""
        return Path(f"{self.path}.wal").exists()

    def copy_to(self, file: Path) -> None:
        """Copy all tables, as they stand at one moment, into a new file in `STORAGE_VERSION`.

        Byte for byte where the file is in that version already and whole; nobody writes it while it is read.
        """
        place = str(file).replace("'", "''")
        if self._session is None:  # a session has the turn that closing would wait for
            self.close()
        with self._connection(read_only=True) as opened:
            connection = opened.connection
            source, version = opened.name_and_version()
            if version == f"{STORAGE_VERSION}+" and not self.has_log():
                shutil.copyfile(self.path, file)
                return
            connection.execute(f"ATTACH '{place}' AS copy_of_it (READ_WRITE, STORAGE_VERSION '{STORAGE_VERSION}')")
            try:
                connection.execute(f"COPY FROM DATABASE {quoted(source)} TO copy_of_it")
            finally:
                connection.execute("DETACH copy_of_it")

    @property
    def _session(self) -> _Open | None:
        """The connection of this thread's reading session."""
        return getattr(self._of_thread, "session", None)

    @contextmanager
    def _connection(self, *, read_only: bool = False) -> Iterator[_Open]:
        if self._session is not None:
            if not read_only:
                raise RuntimeError("the warehouse is to be replaced within a reading session; end the session first")
            yield self._session
            return
        deadline = time.monotonic() + self.wait_seconds
        if not self._turn.acquire(timeout=self.wait_seconds):
            raise WarehouseBusyError(self._busy(self._file.holder()))
        is_whole = False
        try:
            yield self._opened(deadline, read_only=read_only)
            is_whole = True
        except duckdb.Error as error:
            raise WarehouseError(
                f"the warehouse {self.path} refused, and keeps what it had: {_in_a_line(error)}"
            ) from error
        finally:
            if is_whole and self.idle_seconds:
                self._keep()
            else:
                self._close()
            self._turn.release()

    def _opened(self, deadline: float, *, read_only: bool) -> _Open:
        """The connection that is kept open, where it will do, or a new one."""
        if self._open and ((self._open.read_only and not read_only) or self._file.is_waited_for()):
            self._close()
        if self._open is None:
            with ExitStack() as held:
                held.enter_context(self._lock(deadline, read_only=read_only))
                if not read_only and not self.path.exists():
                    with self._writable():
                        self._create()
                connection = self._connect(deadline, read_only=read_only)
                held.callback(connection.close)
                connection.execute(SETTINGS)
                self._open = _Open(connection, read_only, held.pop_all())
        return self._open

    def _close(self) -> None:
        """Let others have the file; what was not committed is rolled back."""
        if self._open is not None:
            opened, self._open = self._open, None
            opened.held.close()

    def _keep(self) -> None:
        """Leave the connection open, and see to it that it is closed in time."""
        if self._open is not None:
            self._open.idle_since = time.monotonic()
            if self._closer is None:
                self._closer = threading.Thread(target=self._close_when_idle, daemon=True)
                self._closer.start()

    def _close_when_idle(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self._turn:
                idle = self._open is None or time.monotonic() - self._open.idle_since >= self.idle_seconds
                if idle or self._file.is_waited_for():
                    self._closer = None
                    self._close()
                    return

    @contextmanager
    def _lock(self, deadline: float, *, read_only: bool) -> Iterator[None]:
        """Hold the file lock; a reader that may not write beside the file goes without, and waits at DuckDB's own
        lock.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._file.taken(max(deadline - time.monotonic(), 0)))
            except HeldError:
                raise WarehouseBusyError(self._busy(self._file.holder())) from None
            except OSError as error:
                if not read_only:
                    raise self._unwritable(error) from error
            yield

    def _is_there(self) -> bool:
        """Whether there is a file; raises WarehouseError where its folder may not be looked into."""
        try:
            return self.path.exists()
        except OSError as error:
            raise WarehouseError(
                f"the warehouse {self.path} cannot be read: {error.strerror or error}. Give yourself the permission "
                f"to read {self.path.parent}, or name another file with NBA_ASSETS_WAREHOUSE."
            ) from error

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """Say in one line what keeps the file from being written."""
        try:
            yield
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> WarehouseError:
        return WarehouseError(
            f"the warehouse {self.path} cannot be written: {error.strerror or error}. Free space, give "
            f"{self.path.parent} the permission to write, or name another file with NBA_ASSETS_WAREHOUSE."
        )

    def _create(self) -> None:
        """Make an empty file that is whole as soon as it is there: one that DuckDB was killed in the midst of making
        can never be opened again.
        """
        log = Path(f"{self.path}.wal")
        if log.exists():
            raise WarehouseError(
                f"{log} holds changes to a warehouse that is no longer there. Move it to where {self.path.name} went, "
                "or delete it."
            )
        unfinished = Path(f"{self.path}.new")
        unfinished.unlink(missing_ok=True)
        duckdb.connect(str(unfinished), config={"storage_compatibility_version": STORAGE_VERSION}).close()
        unfinished.rename(self.path)

    def _connect(self, deadline: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        """A connection; a foreign program that holds the file without our lock is waited for as well."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except duckdb.Error as error:
                holder = _foreign_holder(error)
                if holder is None:
                    raise WarehouseError(f"the warehouse {self.path} cannot be opened: {_in_a_line(error)}") from error
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise WarehouseBusyError(self._busy(holder)) from error
            time.sleep(min(pause, remaining))
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    def _busy(self, holder: str) -> str:
        return (
            f"the warehouse {self.path} was still held after {self.wait_seconds:g} s: {holder}. "
            "Wait for it or stop it, or give it more time with NBA_ASSETS_WAREHOUSE_WAIT_SECONDS."
        )


ADVICE = {
    "No space left on device": "Free space there",
    "File too large": "It is larger than this process may write (ulimit -f): allow it larger files",
    "Too many open files": "Allow this process more open files (ulimit -n)",
    "Permission denied": "Give yourself the permission, or name another file with NBA_ASSETS_WAREHOUSE",
    "Is a directory": "Name a file with NBA_ASSETS_WAREHOUSE",
    "Out of Memory": "Close other programs, or run fewer dates at once",
    "with version number": (
        "The file is of another version of DuckDB: install that one, or move the file away and run the backfill again"
    ),
    "orrupt": "The file is damaged: put a copy in its place, or move it away and run the backfill again",
    "Could not read enough bytes": (
        "The file is damaged: put a copy in its place, or move it away and run the backfill again"
    ),
    "not a valid DuckDB database": (
        "Name another file with NBA_ASSETS_WAREHOUSE, or move this one away and run the backfill again"
    ),
}
"""What to do, by words of what DuckDB says."""

SCHEMA_ADVICE = "Move the file away and run the backfill again, or bring the stored table in line by hand."


@dataclass
class _Open:
    """A connection to the file, and what must be let go of with it."""

    connection: duckdb.DuckDBPyConnection
    read_only: bool
    held: ExitStack
    idle_since: float = 0.0
    _columns: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each table; nobody else changes a table while the connection is open."""

    def stored_columns(self, table: Table) -> dict[str, str]:
        """The definition of each column that the file has of a table, as `duckdb_column` writes it; none where the
        table is not there.

        Not to be requested within a transaction: that of a missing table would end with it.
        """
        if table.qualified_name not in self._columns:
            self._columns[table.qualified_name] = _stored_columns(self.connection, table)
        return self._columns[table.qualified_name]

    def name_and_version(self) -> tuple[str, str]:
        """The name that DuckDB gives the file's content, and its storage version."""
        ((name, version),) = self.connection.execute(
            "SELECT database_name, tags['storage_version'] FROM duckdb_databases() "
            "WHERE database_name = current_database()"
        ).fetchall()
        return name, version

    def forget_columns(self, table: Table) -> None:
        """Look a table's columns up again when they are next used."""
        self._columns.pop(table.qualified_name, None)


def _in_a_line(error: duckdb.Error) -> str:
    """What DuckDB says, and what to do, where that is known."""
    said = one_line(error)
    advice = next((f" {advice}." for words, advice in ADVICE.items() if words in said), "")
    return f"{said.removesuffix('.')}.{advice}" if advice else said


def _foreign_holder(error: duckdb.Error) -> str | None:
    """Who holds the file, going by what DuckDB says of a connection that it refused; None where it refused for another
    reason.
    """
    if isinstance(error, duckdb.ConnectionException) and "different configuration" in str(error):
        return f"process {os.getpid()}, this very one, with another connection to the file"
    if not isinstance(error, duckdb.IOException) or "Could not set lock" not in str(error):
        return None
    named = re.search(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)", str(error))
    return f"process {named['pid']} ({named['program']}), which opened the file itself" if named else str(error)


@dataclass(frozen=True)
class _Query:
    """A bounded read of one table."""

    table: Table
    schema: pa.Schema
    conditions: list[str]
    parameters: list[object]

    @classmethod
    def of(
        cls,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None,
    ) -> _Query:
        conditions = [f"{quoted(table.date_column)} BETWEEN ? AND ?"]
        parameters: list[object] = [start, end]
        for name, values in (where or {}).items():
            listed = filter_values(table, name, values)
            # A list as one parameter, unnested, takes twice as long: DuckDB plans a join.
            marks = ", ".join([f"?::{duckdb_type(table.column(name))}"] * len(listed))
            conditions.append(f"{quoted(name)} IN ({marks})" if listed else "false")
            parameters += listed
        return cls(table, arrow_schema(table, columns), conditions, parameters)

    def rows(self, connection: duckdb.DuckDBPyConnection, stored: Mapping[str, str]) -> pa.Table:
        """What the file holds of it; `stored` are the columns that it has of the table, none where the table is not
        there.
        """
        if not stored:
            return self.schema.empty_table()
        nulls = "".join(
            f", NULL::{duckdb_type(column)} AS {quoted(column.name)}" for column in _lacking_columns(self.table, stored)
        )
        names = dict.fromkeys([*self.schema.names, *self.table.key])
        selected = ", ".join(_selected(self.table.column(name)) for name in names)
        source = f"(SELECT *{nulls} FROM {duckdb_name(self.table)})" if nulls else duckdb_name(self.table)
        query = f"SELECT {selected} FROM {source} WHERE {' AND '.join(self.conditions)}"
        rows = connection.sql(query, params=self.parameters).to_arrow_table()
        return _sorted(rows, self.table.key).select(self.schema.names).cast(self.schema)


def _sorted(rows: pa.Table, key: Sequence[str]) -> pa.Table:
    """Rows by their key, as ORDER BY has them, which takes DuckDB thrice as long: 22,000 rows by two texts 8 ms."""
    return rows if _is_sorted(rows, key) else rows.sort_by([(name, "ascending") for name in key])


def _is_sorted(rows: pa.Table, key: Sequence[str]) -> bool:
    """Whether each row's key is the one before it, or greater."""
    tied: pa.Array | None = None
    for name in key:
        values = rows.column(name).combine_chunks()
        before, after = values[:-1], values[1:]
        smaller = pc.less(after, before)
        if pc.any(smaller if tied is None else pc.and_(tied, smaller)).as_py():
            return False
        equal = pc.equal(before, after)
        tied = equal if tied is None else pc.and_(tied, equal)
    return True


def _selected(column: Column) -> str:
    """A column as it is read: a list is never null."""
    name = quoted(column.name)
    return f"coalesce({name}, []) AS {name}" if column.nullable and column.type in LIST_TYPES else name


def _ensure(connection: duckdb.DuckDBPyConnection, table: Table, stored: Mapping[str, str]) -> bool:
    """Create the table, or add the nullable columns that its spec has gained; tells whether that changed anything."""
    if not stored:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.dataset)}")
        connection.execute(duckdb_create(table))
        return True
    lacking = _lacking_columns(table, stored)
    for column in lacking:
        connection.execute(f"ALTER TABLE {duckdb_name(table)} ADD COLUMN {duckdb_column(column)}")
    return bool(lacking)


def _lacking_columns(table: Table, stored: Mapping[str, str]) -> list[Column]:
    declared = {column.name: duckdb_column(column) for column in table.columns}
    return lacking_columns(table, stored, declared, SCHEMA_ADVICE)


def _stored_columns(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, str]:
    try:
        # The listing of all columns of all tables would cost more than most reads.
        found = connection.execute(
            'SELECT name, type, "notnull" FROM pragma_table_info(?)', [duckdb_name(table)]
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: f"{quoted(name)} {kind}{' NOT NULL' if not_null else ''}" for name, kind, not_null in found}


def _delete(connection: duckdb.DuckDBPyConnection, replacement: Replacement) -> None:
    conditions = [f"{quoted(replacement.table.date_column)} IN (SELECT unnest(?::DATE[]))"]
    conditions += [f"{quoted(column)} = ?" for column in replacement.scope]
    connection.execute(
        f"DELETE FROM {duckdb_name(replacement.table)} WHERE {' AND '.join(conditions)}",
        [list(replacement.dates), *replacement.scope.values()],
    )


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    if not rows.num_rows:
        return
    connection.register("new_rows", rows.select(table.column_names))
    connection.execute(f"INSERT INTO {duckdb_name(table)} BY NAME SELECT * FROM new_rows")
    connection.unregister("new_rows")


def _status(opened: _Open, table: Table) -> TableStatus:
    if not opened.stored_columns(table):
        return TableStatus(table, 0, 0, None, None)
    column = quoted(table.date_column)
    query = f"SELECT count(*), count(DISTINCT {column}), min({column}), max({column}) FROM {duckdb_name(table)}"
    (counted,) = opened.connection.execute(query).fetchall()
    return TableStatus(table, *counted)
