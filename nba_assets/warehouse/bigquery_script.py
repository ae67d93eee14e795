"""One write as BigQuery carries it out: the rows of all tables side by side in one staging table, and the script that
moves them to where they belong. Nothing is sent from here.

Values stand in the script as literals made from typed objects; rows travel in the staging table only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import pyarrow as pa

from nba_assets.tables.spec import LIST_TYPES, Table, Type
from nba_assets.warehouse.interface import Changed, Insertion, Replacement, Value
from nba_assets.warehouse.validation import filter_values

STAGING_PART = "part"
"""Column of a staging table: which replacement or condition a row belongs to."""
STAMP_AHEAD = timedelta(minutes=10)
"""How far ahead the moment of a write is set until the write is there; no script runs that long."""
OVERTAKEN = "nba-assets: condition {} no longer holds"


@dataclass(frozen=True)
class Write:
    """Replacements and the conditions on which they are made; `name` gives a table's quoted name in BigQuery.

    A transaction's clock stands still at its beginning, so no statement of it can say when it will have been committed.
    The moment of the write is therefore a moment ahead, and becomes that of the service right after the commit: whoever
    began to read before the commit began before either, and is found to have read something older.
    """

    replacements: Sequence[Replacement | Insertion]
    conditions: Sequence[Changed]
    name: Callable[[Table], str]
    now: datetime

    @property
    def stamp(self) -> datetime:
        """The moment of the write until it is there."""
        return self.now + STAMP_AHEAD

    def staged(self) -> pa.Table:
        """The rows of all parts, each with its part's number and its own table's columns; no rows where none are
        needed.
        """
        parts = []
        for number, (table, rows) in enumerate(self._parts()):
            names = [STAGING_PART, *(self._column(table, name) for name in rows.column_names)]
            columns = [pa.array([number] * rows.num_rows, pa.int64()), *map(_without_null_lists, rows.columns)]
            parts.append(pa.table(columns, names))
        return pa.concat_tables(parts, promote_options="default")

    def staging_schema(self) -> list[Mapping[str, Any]]:
        """The staging table as BigQuery's API describes it."""
        fields: dict[str, Mapping[str, Any]] = {STAGING_PART: {"name": STAGING_PART, "type": "INT64"}}
        for table, rows in self._parts():
            for name in rows.column_names:
                kind = table.column(name).type
                element = {Type.STRINGS: Type.STRING, Type.FLOATS: Type.FLOAT64}.get(kind, kind)
                column = self._column(table, name)
                mode = "REPEATED" if kind in LIST_TYPES else "NULLABLE"
                fields[column] = {"name": column, "type": str(element), "mode": mode}
        return list(fields.values())

    def script(self, staging: str) -> str:
        """The script: conditions, deletions, insertions, the commit, and the moment of the write."""
        is_staged = any(rows.num_rows for _, rows in self._parts())
        statements = ["BEGIN TRANSACTION"]
        statements += [
            self._check(number, changed, staging if is_staged else None)
            for number, changed in enumerate(self.conditions)
        ]
        for replacement in self.replacements:
            if isinstance(replacement, Replacement) and replacement.dates:
                where = _of_replacement(replacement)
                statements.append(f"DELETE FROM {self.name(replacement.table)} WHERE {where}")
        for number, replacement in enumerate(self.replacements, len(self.conditions)):
            if replacement.rows.num_rows:
                names = replacement.table.column_names
                into = ", ".join(map(quoted, names))
                staged = ", ".join(quoted(self._column(replacement.table, name)) for name in names)
                statements.append(
                    f"INSERT INTO {self.name(replacement.table)} ({into}) "
                    f"SELECT {staged} FROM {staging} WHERE {STAGING_PART} = {number}"
                )
        statements.append("COMMIT TRANSACTION")
        statements += [
            # A stamp that stays ahead costs no more than that its readers are built once more than needed.
            f"BEGIN UPDATE {self.name(each.table)} SET {quoted(each.moment_column)} = CURRENT_TIMESTAMP() "
            f"WHERE {_of_replacement(each)} AND {quoted(each.moment_column)} = {literal(self.stamp)}; "
            "EXCEPTION WHEN ERROR THEN SELECT 'the moment of the write stays ahead'; END"
            for each in self.replacements
            if isinstance(each, Replacement) and each.moment_column and each.rows.column(each.moment_column).null_count
        ]
        return ";\n".join(statements) + ";"

    def condition_of(self, message: str) -> Changed | None:
        """The condition that ended the script, going by the message of its error."""
        found = re.search(OVERTAKEN.format(r"(\d+)"), message)
        return self.conditions[int(found[1])] if found else None

    def _parts(self) -> list[tuple[Table, pa.Table]]:
        conditions = [(changed.table, changed.rows) for changed in self.conditions]
        return conditions + [(each.table, self._stamped(each)) for each in self.replacements]

    def _stamped(self, replacement: Replacement | Insertion) -> pa.Table:
        return replacement.rows if isinstance(replacement, Insertion) else replacement.written_at(self.stamp)

    def _column(self, table: Table, name: str) -> str:
        return f"t{self._tables.index(table.qualified_name)}_{name}"

    @cached_property
    def _tables(self) -> list[str]:
        """The names of all tables, each once; columns in staging carry their table's place in it."""
        return list(dict.fromkeys(each.table.qualified_name for each in (*self.conditions, *self.replacements)))

    def _check(self, number: int, changed: Changed, staging: str | None) -> str:
        """End the script where the table does not hold what was read of it, row for row."""
        table, names = changed.table, changed.rows.column_names
        where = [f"{quoted(table.date_column)} BETWEEN {literal(changed.start)} AND {literal(changed.end)}"]
        for name, value in changed.where.items():
            where.append(f"{quoted(name)} IN UNNEST({_array(table, name, filter_values(table, name, value))})")
        now = _texts(self.name(table), {name: quoted(name) for name in names}, " AND ".join(where))
        read = (
            "NULL"
            if staging is None
            else _texts(
                staging, {name: quoted(self._column(table, name)) for name in names}, f"{STAGING_PART} = {number}"
            )
        )
        return f"SELECT IF({now} IS DISTINCT FROM {read}, ERROR({literal(OVERTAKEN.format(number))}), 1)"


def quoted(name: str) -> str:
    """An identifier, or the dotted name of a table; those of specs and addresses hold no backtick."""
    return f"`{name}`"


def literal(value: Value | datetime) -> str:
    """A value as a literal of GoogleSQL, e.g. `DATE '2025-01-15'`."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{escaped}'"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST('{value!r}' AS FLOAT64)"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ', timespec='microseconds')}'"
    return f"DATE '{value.isoformat()}'"


def _array(table: Table, name: str, values: Sequence[Value]) -> str:
    kind = table.column(name).type
    return f"ARRAY<{kind}>[{', '.join(map(literal, values))}]"


def _texts(source: str, columns: Mapping[str, str], where: str) -> str:
    """All rows as one text, whatever their order; null where there are none."""
    row = ", ".join(f"{expression} AS {quoted(name)}" for name, expression in columns.items())
    rows = f"SELECT TO_JSON_STRING(STRUCT({row})) AS content FROM {source} WHERE {where}"
    return rf"(SELECT STRING_AGG(content, '\n' ORDER BY content) FROM ({rows}))"


def _of_replacement(replacement: Replacement) -> str:
    dates = ", ".join(map(literal, replacement.dates))
    where = [f"{quoted(replacement.table.date_column)} IN UNNEST([{dates}])"]
    where += [f"{quoted(name)} = {literal(value)}" for name, value in replacement.scope.items()]
    return " AND ".join(where)


def _without_null_lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.fill_null(pa.scalar([], column.type)) if pa.types.is_list(column.type) else column
