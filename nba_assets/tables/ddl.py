"""Tables as DuckDB declares them, from the spec alone."""

from __future__ import annotations

from nba_assets.tables.spec import Column, Table, Type

DUCKDB_TYPES = {
    Type.STRING: "VARCHAR",
    Type.INT64: "BIGINT",
    Type.FLOAT64: "DOUBLE",
    Type.BOOL: "BOOLEAN",
    Type.DATE: "DATE",
    Type.TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
    Type.STRINGS: "VARCHAR[]",
    Type.FLOATS: "DOUBLE[]",
}


def quoted(name: str) -> str:
    """An identifier as SQL takes it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def duckdb_name(table: Table) -> str:
    """The table's quoted address in DuckDB."""
    return f"{quoted(table.dataset)}.{quoted(table.name)}"


def duckdb_type(column: Column) -> str:
    """The type of a column, spelled as DuckDB's own catalogue spells it."""
    return DUCKDB_TYPES[column.type]


def duckdb_column(column: Column) -> str:
    """A column definition in DuckDB."""
    return f"{quoted(column.name)} {duckdb_type(column)}{'' if column.nullable else ' NOT NULL'}"


def duckdb_create(table: Table) -> str:
    """DDL of the table.

    Keys are audited before every write and not declared as PRIMARY KEY: its index would say nothing new, double the
    file, and make replacing a season of play-by-play ten times as slow.
    """
    return f"CREATE TABLE {duckdb_name(table)} ({', '.join(duckdb_column(column) for column in table.columns)})"
