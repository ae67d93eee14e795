"""A table's columns as Dagster's UI shows them. The only module about tables that knows Dagster."""

from __future__ import annotations

import dagster as dg

from nba_assets.tables.dictionary import limits, meaning, rule_text
from nba_assets.tables.spec import Column, Table


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns with type, meaning, unit and constraints, and what holds across rows."""
    return dg.TableSchema(
        columns=[_column(table, column) for column in table.columns], constraints=table_constraints(table)
    )


def table_constraints(table: Table) -> dg.TableConstraints:
    """What holds across columns or rows: the key is unique, and the table's rules."""
    return dg.TableConstraints(other=[f"unique: {', '.join(table.key)}", *(rule_text(rule) for rule in table.rules)])


def _column(table: Table, column: Column) -> dg.TableColumn:
    decimals = [] if column.scale is None else [f"{column.scale} decimals"]
    constraints = dg.TableColumnConstraints(
        nullable=column.nullable, unique=table.key == (column.name,), other=[*limits(column), *decimals]
    )
    return dg.TableColumn(column.name, str(column.type), description=meaning(column), constraints=constraints)
