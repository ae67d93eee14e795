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
from nba_assets.tables.spec import Columns, Range, Table

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
    """One finding per check of the table, passed or not, in the order of `check_names`. Columns that `rows` lacks are not looked at."""
    columns = to_columns(rows)
    there = [column for column in table.columns if column.name in columns]
    broken: dict[str, dict[str, NDArray[np.bool_]]] = {
        KEY_UNIQUE: {"key": pd.DataFrame({name: columns[name] for name in table.key}).duplicated(keep=False).to_numpy()},
        NOT_NULL: {column.name: pd.isna(columns[column.name]) for column in there if not column.nullable},
        IN_RANGE: {column.name: _outside(columns[column.name], column.allowed) for column in there if column.allowed},
        KNOWN_VALUES: {column.name: _unlisted(columns[column.name], column.values) for column in there if column.values},
        USUAL_RANGE: {column.name: _outside(columns[column.name], column.usual) for column in there if column.usual},
    } | {rule.name: {"": rule.broken(columns) if rows.num_rows else np.zeros(0, dtype=bool)} for rule in table.rules}
    return [_finding(table, columns, name, blocking, description, broken[name]) for name, blocking, description in check_names(table)]


def _finding(table: Table, columns: Columns, name: str, blocking: bool, description: str, broken: dict[str, NDArray[np.bool_]]) -> Finding:
    offending = np.logical_or.reduce(list(broken.values())) if broken else np.zeros(0, dtype=bool)
    places = np.flatnonzero(offending)
    dates = tuple(np.unique(columns[table.date_column][places].astype("M8[D]")).tolist())
    examples = tuple(
        _example(table, columns, place, [column for column, mask in broken.items() if column and mask[place]]) for place in places[:EXAMPLES]
    )
    return Finding(name, blocking, description, len(places), dates, examples)


def _example(table: Table, columns: Columns, place: int, at_fault: list[str]) -> str:
    key = ", ".join(f"{name}={columns[name][place]}" for name in table.key)
    values = ", ".join(f"{name}={columns[name][place]}" for name in at_fault if name in columns)
    return f"{key}: {values}" if values else key


def _outside(values: NDArray[Any], bounds: Range | None) -> NDArray[np.bool_]:
    low, high = bounds or (-np.inf, np.inf)
    return (values < low) | (values > high)


def _unlisted(values: NDArray[Any], listed: tuple[str, ...] | None) -> NDArray[np.bool_]:
    series = pd.Series(values, dtype=object)
    return (series.notna() & ~series.isin(listed or ())).to_numpy()


def _ranges(table: Table, which: str) -> str:
    bounds = {column.name: getattr(column, which) for column in table.columns if getattr(column, which)}
    return ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in bounds.items())
