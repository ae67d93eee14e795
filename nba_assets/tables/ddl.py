"""Tables as the back ends declare them: DuckDB's DDL and BigQuery's schema, from the spec alone."""

from __future__ import annotations

from typing import Any

from nba_assets.tables.dictionary import meaning
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


def bigquery_schema(table: Table) -> list[dict[str, Any]]:
    """The columns as BigQuery's API describes them; lists are repeated fields, which are never null there."""
    return [_bigquery_field(column) for column in table.columns]


def bigquery_layout(table: Table) -> dict[str, Any]:
    """Partitioning by the date column and clustering, as BigQuery's API describes them."""
    layout: dict[str, Any] = {"timePartitioning": {"type": "DAY", "field": table.date_column}}
    cluster = table.cluster_by or ((table.entity_column,) if table.entity_column else ())
    return layout | ({"clustering": {"fields": list(cluster)}} if cluster else {})


def _bigquery_field(column: Column) -> dict[str, Any]:
    repeated = column.type in (Type.STRINGS, Type.FLOATS)
    element = {Type.STRINGS: Type.STRING, Type.FLOATS: Type.FLOAT64}.get(column.type, column.type)
    mode = "REPEATED" if repeated else "NULLABLE" if column.nullable else "REQUIRED"
    return {"name": column.name, "type": str(element), "mode": mode, "description": meaning(column)}
