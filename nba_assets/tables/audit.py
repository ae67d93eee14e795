"""Checks of a table's rows, made from its spec, before the rows are written.

A blocking finding refuses the write; the others are shown and remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.tables.columns import to_columns
from nba_assets.tables.dictionary import range_text
from nba_assets.tables.spec import Columns, Range, Rule, Table

EXAMPLES = 5
KEY_UNIQUE, NOT_NULL, IN_RANGE, KNOWN_VALUES, USUAL_RANGE = "key_unique", "not_null", "values_in_range", "known_values", "usual_range"


@dataclass(frozen=True)
class Finding:
    """What one check found: how many rows break it, on which dates, and a few of their keys."""

    name: str
    blocking: bool
    description: str
    offending_count: int
    dates: tuple[date, ...]
    examples: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """No row breaks the check."""
        return self.offending_count == 0


def check_names(table: Table) -> list[tuple[str, bool, str]]:
    """Every check of a table: name, whether it blocks a write, what it asks."""
    standard = [
        (KEY_UNIQUE, True, f"No two rows share {', '.join(table.key)}"),
        (NOT_NULL, True, f"Never null: {', '.join(column.name for column in table.columns if not column.nullable)}"),
        (IN_RANGE, True, f"Within their allowed ranges: {_ranges(table, 'allowed')}"),
        (KNOWN_VALUES, True, f"Of their listed values: {', '.join(column.name for column in table.columns if column.values)}"),
        (USUAL_RANGE, False, f"Within what is usual: {_ranges(table, 'usual')}"),
    ]
    wanted = {
        IN_RANGE: any(column.allowed for column in table.columns),
        KNOWN_VALUES: any(column.values for column in table.columns),
        USUAL_RANGE: any(column.usual for column in table.columns),
    }
    return [check for check in standard if wanted.get(check[0], True)] + [(rule.name, rule.blocking, rule.description) for rule in table.rules]


def audit(table: Table, rows: pa.Table) -> list[Finding]:
    """One finding per check of the table, passed or not, in the order of `check_names`. Columns that `rows` lacks are not looked at.

    Raises ValueError, naming the rule, where a rule does not answer with one flag per row.
    """
    columns = to_columns(rows)
    there = [column for column in table.columns if column.name in columns]
    standard: dict[str, dict[str, NDArray[np.bool_]]] = {
        KEY_UNIQUE: {"": pd.DataFrame({name: columns[name] for name in table.key}).duplicated(keep=False).to_numpy()},
        NOT_NULL: {column.name: pd.isna(columns[column.name]) for column in there if not column.nullable},
        IN_RANGE: {column.name: _outside(columns[column.name], column.allowed) for column in there if column.allowed},
        KNOWN_VALUES: {column.name: _unlisted(columns[column.name], column.values) for column in there if column.values},
        USUAL_RANGE: {column.name: _outside(columns[column.name], column.usual) for column in there if column.usual},
    }
    checks = check_names(table)
    broken = [standard[name] for name, _, _ in checks[: len(checks) - len(table.rules)]]
    broken += [{"": _flags(table, rule, columns, rows.num_rows)} for rule in table.rules]
    return [_finding(table, rows, *check, marked) for check, marked in zip(checks, broken, strict=True)]


def _finding(table: Table, rows: pa.Table, name: str, blocking: bool, description: str, broken: dict[str, NDArray[np.bool_]]) -> Finding:
    """`broken` marks the offending rows by the column that is at fault, or under "" where no single one is."""
    places = np.flatnonzero(np.logical_or.reduce([np.zeros(rows.num_rows, dtype=bool), *broken.values()]))
    dates = rows.column(table.date_column).take(places).unique().drop_null().sort().to_pylist()
    # One row of each column at fault comes first, so that none of them hides behind another.
    first_of_each = [int(mask.argmax()) for mask in broken.values() if mask.any()]
    shown = list(dict.fromkeys([*first_of_each, *places[:EXAMPLES].tolist()]))[:EXAMPLES]
    examples = tuple(_example(table, rows, place, [column for column, mask in broken.items() if column and mask[place]]) for place in shown)
    return Finding(name, blocking, description, len(places), tuple(dates), examples)


def _example(table: Table, rows: pa.Table, place: int, at_fault: list[str]) -> str:
    def said(names: Any) -> str:
        return ", ".join(f"{name}={rows.column(name)[place]}" for name in names)

    return f"{said(table.key)}: {said(at_fault)}" if at_fault else said(table.key)


def _flags(table: Table, rule: Rule, columns: Columns, row_count: int) -> NDArray[np.bool_]:
    flags = np.asarray(rule.broken(columns)) if row_count else np.zeros(0, dtype=bool)
    if flags.dtype != bool or flags.shape != (row_count,):
        raise ValueError(
            f"rule {rule.name} of {table.qualified_name} must answer {row_count} rows with as many flags, not with {flags.dtype} of shape {flags.shape}"
        )
    return flags


def _outside(values: NDArray[Any], bounds: Range | None) -> NDArray[np.bool_]:
    low, high = bounds or (-np.inf, np.inf)
    return (values < low) | (values > high)


def _unlisted(values: NDArray[Any], listed: tuple[str, ...] | None) -> NDArray[np.bool_]:
    series = pd.Series(values, dtype=object)
    return (series.notna() & ~series.isin(listed or ())).to_numpy()


def _ranges(table: Table, which: str) -> str:
    bounds = {column.name: getattr(column, which) for column in table.columns if getattr(column, which)}
    return ", ".join(f"{name} {range_text(bound)}" for name, bound in bounds.items())
