"""Tables in words: the data dictionary as Markdown, on one page or a page per table, and the phrases that it shares
with other places that describe a column.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nba_assets.tables.spec import Column, Input, Range, Rule, Table


def dictionary_page(tables: Sequence[Table]) -> str:
    """One section per table, in the order given."""
    contents = [f"- [{table.qualified_name}](#{_anchor(table)}): {table.grain}" for table in tables]
    return "\n".join(["# Data dictionary", "", *contents, "", *(line for table in tables for line in _section(table))])


def table_page(table: Table, description: str, readers: Sequence[Table]) -> str:
    """The page of one table, with links to the pages of its inputs and of the tables that read it (`readers`)."""
    reads = [
        f"- Reads {_link(source.table)}{input_text(source).removeprefix(source.table.name)}" for source in table.inputs
    ]
    read_by = [f"- Read by {', '.join(map(_link, readers))}"] if readers else []
    return "\n".join(
        [
            f"# {table.qualified_name}",
            "",
            description,
            "",
            *_facts(table),
            *reads,
            *read_by,
            *_rules(table),
            "",
            *_columns(table),
            "",
        ]
    )


def index_page(tables: Sequence[Table]) -> str:
    """The list of all tables, by dataset in the order given, with links to their pages."""
    lines = ["# Data dictionary", ""]
    for dataset in dict.fromkeys(table.dataset for table in tables):
        mine = [table for table in tables if table.dataset == dataset]
        lines += [f"## {dataset}", "", _line("table", "a row is", "columns"), _line(*["---"] * 3)]
        lines += [*(_line(_link(table), table.grain, str(len(table.columns))) for table in mine), ""]
    return "\n".join(lines)


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
    known = ", as known before its first tip-off" if source.as_known else ""
    return f"{source.table.name}{part}: {' and '.join(reach)}{known}"


def _section(table: Table) -> list[str]:
    return [
        f"## {table.qualified_name}",
        "",
        *([table.description, ""] if table.description else []),
        *_facts(table),
        *(f"- Reads: {input_text(source)}" for source in table.inputs),
        *_rules(table),
        "",
        *_columns(table),
        "",
    ]


def _facts(table: Table) -> list[str]:
    return [f"- Grain: {table.grain}", f"- Key: {', '.join(table.key)}", f"- Stored by: {table.date_column}"]


def _rules(table: Table) -> list[str]:
    return [f"- Rule `{rule.name}`: {rule_text(rule)}" for rule in table.rules]


def _columns(table: Table) -> list[str]:
    heading = [_line("column", "type", "unit", "decimals", "null", "values", "meaning"), _line(*["---"] * 7)]
    return [*heading, *map(_row, table.columns)]


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


def _link(table: Table) -> str:
    return f"[{table.name}]({table.name}.md)"


def _anchor(table: Table) -> str:
    return table.qualified_name.replace(".", "")
