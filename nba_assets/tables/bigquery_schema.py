"""Tables as BigQuery declares them, from the spec alone."""

from __future__ import annotations

from typing import Any

from nba_assets.tables.dictionary import meaning
from nba_assets.tables.spec import LIST_TYPES, Column, Table, Type


def bigquery_schema(table: Table) -> list[dict[str, Any]]:
    """The columns as BigQuery's API describes them; lists are repeated fields, which are never null there."""
    return [_bigquery_field(column) for column in table.columns]


def bigquery_layout(table: Table) -> dict[str, Any]:
    """Partitioning by the date column and clustering, as BigQuery's API describes them."""
    layout: dict[str, Any] = {"timePartitioning": {"type": "DAY", "field": table.date_column}}
    cluster = table.cluster_by or ((table.entity_column,) if table.entity_column else ())
    return layout | ({"clustering": {"fields": list(cluster)}} if cluster else {})


def _bigquery_field(column: Column) -> dict[str, Any]:
    repeated = column.type in LIST_TYPES
    element = {Type.STRINGS: Type.STRING, Type.FLOATS: Type.FLOAT64}.get(column.type, column.type)
    mode = "REPEATED" if repeated else "NULLABLE" if column.nullable else "REQUIRED"
    return {"name": column.name, "type": str(element), "mode": mode, "description": meaning(column)}
