"""The warehouse in a DuckDB file.

DuckDB lets one process into a file at a time, even for reading. Connections are therefore short and made under a file lock, which is waited for up
to a bound; the holder leaves its name beside the lock, so that whoever waits in vain can be told who it is.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from filelock import FileLock, Timeout

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.ddl import DUCKDB_TYPES, duckdb_column, duckdb_create, duckdb_name, quoted
from nba_assets.tables.spec import Column, Table
from nba_assets.warehouse.interface import (
    Replacement,
    SchemaMismatchError,
    TableStatus,
    Value,
    WarehouseBusyError,
    WarehouseError,
)

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.05, 1.0


class DuckDBWarehouse:
    """Tables in one DuckDB file; the file comes into being with the first write."""

    def __init__(self, path: str | Path, wait_seconds: float = 60.0) -> None:
        """`wait_seconds` bounds how long another process may hold the file before WarehouseBusyError is raised."""
        self.path = Path(path)
        self.wait_seconds = wait_seconds

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """Named columns of the rows dated from `start` to `end`, both included, sorted by the table's key."""
        schema = arrow_schema(table, columns)
        if not self.path.exists():
            return schema.empty_table()
        conditions = [f"{quoted(table.date_column)} BETWEEN ? AND ?"]
        parameters: list[object] = [start, end]
        for name, wanted in (where or {}).items():
            values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
            conditions.append(f"{quoted(table.column(name).name)} IN (SELECT unnest(?::{DUCKDB_TYPES[table.column(name).type]}[]))")
            parameters.append(values)
        with self._connection() as connection:
            stored = _stored_columns(connection, table)
            if not stored:
                return schema.empty_table()
            # A nullable column that the file does not have yet is read as null; the next write adds it.
            _check(table, stored)
            selected = ", ".join(
                quoted(name) if name in stored else f"NULL::{DUCKDB_TYPES[table.column(name).type]} AS {quoted(name)}" for name in columns
            )
            order = ", ".join(quoted(name) for name in table.key)
            query = f"SELECT {selected} FROM {duckdb_name(table)} WHERE {' AND '.join(conditions)} ORDER BY {order}"
            return connection.sql(query, params=parameters).to_arrow_table().cast(schema)

    def replace(self, replacements: Sequence[Replacement]) -> None:
        """Carry out all replacements in one transaction."""
        prepared = [(replacement, _conforming(replacement)) for replacement in replacements]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._connection() as connection:
            connection.execute("BEGIN TRANSACTION")
            try:
                for replacement, rows in prepared:
                    _ensure(connection, replacement.table)
                    _replace(connection, replacement, rows)
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def status(self, tables: Sequence[Table]) -> list[TableStatus]:
        """What is stored of each table."""
        nothing = [TableStatus(table, 0, 0, None, None) for table in tables]
        if not self.path.exists():
            return nothing
        with self._connection() as connection:
            return [_status(connection, table) for table in tables]

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        deadline = time.monotonic() + self.wait_seconds
        with self._lock():
            connection = self._connect(deadline)
            try:
                connection.execute("SET TimeZone = 'UTC'")
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{self.path}.lock", timeout=self.wait_seconds, is_singleton=False)
        try:
            lock.acquire()
        except Timeout:
            raise WarehouseBusyError(self._busy(self._holder())) from None
        try:
            self._holder_path.write_text(json.dumps(_myself()))
            yield
        finally:
            self._holder_path.unlink(missing_ok=True)
            lock.release()

    def _connect(self, deadline: float) -> duckdb.DuckDBPyConnection:
        """A connection; a foreign program that holds the file without our lock is waited for as well."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                return duckdb.connect(str(self.path))
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise WarehouseError(f"the warehouse {self.path} cannot be opened: {error}") from error
                if time.monotonic() + pause > deadline:
                    raise WarehouseBusyError(self._busy(str(error).splitlines()[0])) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY_SECONDS)

    @property
    def _holder_path(self) -> Path:
        return Path(f"{self.path}.holder")

    def _holder(self) -> str:
        try:
            holder = json.loads(self._holder_path.read_text())
        except (OSError, ValueError):
            return "an unknown process"
        return f"process {holder['pid']} ({holder['command']}) since {holder['since']}"

    def _busy(self, holder: str) -> str:
        return (
            f"the warehouse {self.path} was still held after {self.wait_seconds:g} s: {holder}. "
            "Wait for it or stop it, or give it more time with NBA_ASSETS_WAREHOUSE_WAIT_SECONDS."
        )


def _myself() -> dict[str, Any]:
    return {"pid": os.getpid(), "thread": threading.get_ident(), "command": " ".join(sys.argv)[:200], "since": datetime.now(UTC).isoformat()}


def _conforming(replacement: Replacement) -> pa.Table:
    """The rows in the table's own column order and types; ValueError for rows that stray outside what is replaced."""
    table = replacement.table
    if set(replacement.rows.column_names) != set(table.column_names):
        missing, unknown = set(table.column_names) - set(replacement.rows.column_names), set(replacement.rows.column_names) - set(table.column_names)
        raise ValueError(f"rows for {table.qualified_name} lack columns {sorted(missing)} and have undeclared columns {sorted(unknown)}")
    rows = replacement.rows.select(table.column_names).cast(arrow_schema(table))
    stray = set(rows.column(table.date_column).unique().to_pylist()) - set(replacement.dates)
    if stray:
        raise ValueError(f"rows for {table.qualified_name} are dated {sorted(stray)[:5]}, outside the dates that they replace")
    for name, value in replacement.scope.items():
        others = set(rows.column(table.column(name).name).unique().to_pylist()) - {value}
        if others:
            raise ValueError(f"rows for {table.qualified_name} have {name} {sorted(others, key=str)[:5]}, outside the {value!r} that they replace")
    return rows


def _ensure(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Create the table, or add the nullable columns that its spec has gained."""
    stored = _stored_columns(connection, table)
    if not stored:
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(table.dataset)}")
        connection.execute(duckdb_create(table))
        return
    for column in _check(table, stored):
        connection.execute(f"ALTER TABLE {duckdb_name(table)} ADD COLUMN {duckdb_column(column)}")


def _check(table: Table, stored: Mapping[str, tuple[str, bool]]) -> list[Column]:
    """The nullable columns that the stored table lacks; SchemaMismatchError for any other difference."""
    advice = "Move the file away and build again, or bring the stored table in line by hand."
    for name, (kind, nullable) in stored.items():
        if name not in table.column_names:
            raise SchemaMismatchError(f"{table.qualified_name} has a stored column {name} ({kind}) that its spec no longer declares. {advice}")
        column = table.column(name)
        if (kind, nullable) != (DUCKDB_TYPES[column.type], column.nullable):
            declared = duckdb_column(column)
            raise SchemaMismatchError(
                f"{table.qualified_name}.{name} is stored as {kind}{'' if nullable else ' NOT NULL'} but declared as {declared}. {advice}"
            )
    lacking = [column for column in table.columns if column.name not in stored]
    for column in lacking:
        if not column.nullable:
            raise SchemaMismatchError(f"{table.qualified_name} is stored without the column {column.name}, which may not be null. {advice}")
    return lacking


def _stored_columns(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, tuple[str, bool]]:
    found = connection.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = ? AND table_name = ?",
        [table.dataset, table.name],
    ).fetchall()
    return {name: (kind, nullable) for name, kind, nullable in found}


def _replace(connection: duckdb.DuckDBPyConnection, replacement: Replacement, rows: pa.Table) -> None:
    name = duckdb_name(replacement.table)
    conditions = [f"{quoted(replacement.table.date_column)} IN (SELECT unnest(?::DATE[]))"]
    conditions += [f"{quoted(replacement.table.column(column).name)} = ?" for column in replacement.scope]
    connection.execute(f"DELETE FROM {name} WHERE {' AND '.join(conditions)}", [list(replacement.dates), *replacement.scope.values()])
    connection.register("new_rows", rows)
    connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM new_rows")
    connection.unregister("new_rows")


def _status(connection: duckdb.DuckDBPyConnection, table: Table) -> TableStatus:
    if not _stored_columns(connection, table):
        return TableStatus(table, 0, 0, None, None)
    column = quoted(table.date_column)
    query = f"SELECT count(*), count(DISTINCT {column}), min({column}), max({column}) FROM {duckdb_name(table)}"
    counted = connection.execute(query).fetchall()[0]
    return TableStatus(table, *counted)
