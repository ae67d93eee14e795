"""Invariants put to a warehouse: which rows break one. On tables without rows nothing is judged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb

TABLE_NAME = re.compile(r"\bnba_\w+\.\w+")
EXAMPLES = 5


class NothingToJudgeError(AssertionError):
    """An invariant is about tables that have no rows: it would hold of nothing."""


def breaking(path: Path, query: str) -> list[Any]:
    """The first rows that break an invariant, which is a query for such rows."""
    with duckdb.connect(path, read_only=True) as connection:
        _check_rows(connection, query)
        return connection.execute(f"select * from ({query}) limit {EXAMPLES}").fetchall()


def broken_share(path: Path, broken: str, everything: str) -> float:
    """Rows that break an invariant, as a share of those that it is about, which `everything` counts."""
    with duckdb.connect(path, read_only=True) as connection:
        _check_rows(connection, f"{broken} {everything}")
        ((count,),) = connection.execute(everything).fetchall()
        if not count:
            raise NothingToJudgeError(f"no rows: {everything}")
        return len(connection.execute(broken).fetchall()) / int(count)


def _check_rows(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    for table in sorted({*TABLE_NAME.findall(query)}):
        if not connection.execute(f"select * from {table} limit 1").fetchall():
            raise NothingToJudgeError(f"{table} has no rows")
