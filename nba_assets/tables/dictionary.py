"""The data dictionary: every table and column on one Markdown page."""

from __future__ import annotations

from collections.abc import Sequence

from nba_assets.tables.spec import Column, LookBack, Table


def dictionary_page(tables: Sequence[Table]) -> str:
    """One section per table, in the order given."""
    contents = [f"- [{table.qualified_name}](#{_anchor(table)}): {table.grain}" for table in tables]
    return "\n".join(["# Data dictionary", "", *contents, "", *("\n".join(_section(table)) for table in tables)])


def look_back_text(look_back: LookBack) -> str:
    """A look-back in words."""
    reach = "the season to date" if look_back.days is None else f"the {look_back.days} days before"
    return f"{look_back.table}: {reach}{' and the date itself' if look_back.same_day else ''}"


def _section(table: Table) -> list[str]:
    lines = [f"## {table.qualified_name}", "", *([table.description, ""] if table.description else [])]
    lines += [f"- Grain: {table.grain}", f"- Key: {', '.join(table.key)}", f"- Stored by: {table.date_column}"]
    lines += [f"- Looks back: {look_back_text(look_back)}" for look_back in table.looks_back]
    lines += [f"- Rule `{rule.name}`{'' if rule.blocking else ' (warns)'}: {rule.description}" for rule in table.rules]
    lines += ["", "| column | type | unit | decimals | null | values | meaning |", "| --- | --- | --- | --- | --- | --- | --- |"]
    return [*lines, *(_row(column) for column in table.columns), ""]


def _row(column: Column) -> str:
    values = ", ".join(column.values) if column.values else "{:g} to {:g}".format(*column.allowed) if column.allowed else ""
    decimals = "" if column.scale is None else str(column.scale)
    cells = (column.name, column.type, column.unit or "", decimals, "yes" if column.nullable else "no", values, column.description)
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _anchor(table: Table) -> str:
    return table.qualified_name.replace(".", "")
