"""Tables in words: the data dictionary, one Markdown page, and the phrases that it shares with other places that
describe a column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nba_assets.tables.spec import Column, Input, Range, Rule, Table


def dictionary_page(tables: Sequence[Table]) -> str:
    """One section per table, in the order given."""
    contents = [f"- [{table.qualified_name}](#{_anchor(table)}): {table.grain}" for table in tables]
    return "\n".join(["# Data dictionary", "", *contents, "", *(line for table in tables for line in _section(table))])


def meaning(column: Column) -> str:
    """What a column holds, with its unit."""
    return f"{column.description} [{column.unit}]" if column.unit else column.description


def range_text(bounds: Range) -> str:
    """A range in words; `at least` or `at most` where the other side is open."""
    low, high = bounds
    if math.isinf(high):
        return f"at least {low:.16g}"
    return f"at most {high:.16g}" if math.isinf(low) else f"{low:.16g} to {high:.16g}"


def limits(column: Column) -> list[str]:
    """What a column may contain, in words; what is only usual is said to be so."""
    return [
        *([range_text(column.allowed)] if column.allowed else []),
        *([f"usually {range_text(column.usual)}"] if column.usual else []),
        *([f"one of {', '.join(column.values)}"] if column.values else []),
    ]


def rule_text(rule: Rule) -> str:
    """A rule in words; one that does not refuse a write is said to warn only."""
    return rule.description if rule.blocking else f"{rule.description} (warns only)"


def input_text(source: Input) -> str:
    """An input in words. Example: "schedule (finals): the season to date"."""
    part = "" if source.part is None else f" ({source.part.name})"
    reach = [
        *(["the whole season"] if source.whole_season else []),
        *(["the season to date"] if source.days is None else [f"the {source.days} days before"] if source.days else []),
        *(["the date itself"] if source.own_date else []),
    ]
    return f"{source.table.name}{part}: {' and '.join(reach)}"


def _section(table: Table) -> list[str]:
    return [
        f"## {table.qualified_name}",
        "",
        *([table.description, ""] if table.description else []),
        f"- Grain: {table.grain}",
        f"- Key: {', '.join(table.key)}",
        f"- Stored by: {table.date_column}",
        *(f"- Reads: {input_text(source)}" for source in table.inputs),
        *(f"- Rule `{rule.name}`: {rule_text(rule)}" for rule in table.rules),
        "",
        _line("column", "type", "unit", "decimals", "null", "values", "meaning"),
        _line(*["---"] * 7),
        *(_row(column) for column in table.columns),
        "",
    ]


def _row(column: Column) -> str:
    decimals = "" if column.scale is None else str(column.scale)
    null = "yes" if column.nullable else "no"
    return _line(
        column.name, column.type, column.unit or "", decimals, null, "; ".join(limits(column)), column.description
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(table: Table) -> str:
    return table.qualified_name.replace(".", "")
