"""The raw contract in short, as Markdown: per raw table what a file must hold and which rules a row must meet.

Every column is in the data dictionary.

`python -m nba_assets.raw.contract_page` prints it; `docs/input.md` holds a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nba_assets.raw.tables import RAW_TABLES, RawTable
from nba_assets.tables.dictionary import range_text


def contract_page(tables: Iterable[RawTable] = tuple(RAW_TABLES.values())) -> str:
    """One section per raw table, in the order given."""
    return "\n".join(line for raw in tables for line in _section(raw))


def _section(raw: RawTable) -> Iterator[str]:
    feed = "required" if raw.required else "optional"
    unit = "whole seasons" if raw.whole_season else "dates"
    yield f"### `{raw.name}` ({feed}, delivered in {unit})"
    yield ""
    yield f"{raw.table.description} A row is {raw.table.grain}; its key is {_names(raw.table.key)}."
    yield ""
    required = (column.name for column in raw.table.columns if not column.nullable and column.name not in raw.derived)
    yield f"- Never null: {_names(required)}"
    yield from _limits(raw)
    yield from (f"- `{rule.name}`: {rule.description}" for rule in raw.table.rules if rule.blocking)
    yield ""


def _limits(raw: RawTable) -> Iterator[str]:
    ranges: dict[str, list[str]] = {}
    for column in raw.table.columns:
        if column.allowed is not None:
            ranges.setdefault(range_text(column.allowed), []).append(column.name)
        if column.values:
            yield f"- `{column.name}`: one of {', '.join(column.values)}"
    yield from (f"- {limit}: {_names(names)}" for limit, names in ranges.items())


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(contract_page())
