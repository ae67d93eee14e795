"""A table's columns as the UI shows them."""

from __future__ import annotations

import dagster as dg

from nba_assets.tables.spec import Column, Table


def column_schema(table: Table) -> dg.TableSchema:
    """The table's columns with type, meaning, unit and constraints, and its cross-row rules."""
    rules = [f"unique: {', '.join(table.key)}", *(rule.description for rule in table.rules)]
    return dg.TableSchema(columns=[_column(column) for column in table.columns], constraints=dg.TableConstraints(other=rules))


def _column(column: Column) -> dg.TableColumn:
    constraints = []
    if column.allowed:
        constraints.append("{:g} to {:g}".format(*column.allowed))
    if column.usual:
        constraints.append("usually {:g} to {:g}".format(*column.usual))
    if column.values:
        constraints.append(f"one of {', '.join(column.values)}")
    if column.scale is not None:
        constraints.append(f"{column.scale} decimals")
    meaning = f"{column.description} [{column.unit}]" if column.unit else column.description
    return dg.TableColumn(
        column.name,
        str(column.type),
        description=meaning,
        constraints=dg.TableColumnConstraints(nullable=column.nullable, other=constraints),
    )
