"""Checks of a table's rows, made from its spec, before the rows are written.

Which rows break which check, and the reason that each gets, is found here; what a broken blocking check costs is
in `publishing.attribution`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.tables.columns import StoredColumns
from nba_assets.tables.dictionary import range_text
from nba_assets.tables.spec import Columns, Cost, Range, Rule, Table

EXAMPLES = 5
KEY_UNIQUE, NOT_NULL, IN_RANGE, KNOWN_VALUES, USUAL_RANGE = (
    "key_unique",
    "not_null",
    "values_in_range",
    "known_values",
    "usual_range",
)

Broken = Mapping[str, NDArray[np.bool_]]
"""The rows that break a check, by the column that is at fault, or under "" where no single one is."""


@dataclass(frozen=True)
class Check:
    """A check of a table: a blocking one keeps the rows that break it, and what these cost, from being published;
    another one warns.
    """

    name: str
    blocking: bool
    description: str
    rule: Rule | None = None
    """The rule of the spec that it is; None for a check of keys or single columns."""

    @property
    def costs(self) -> Cost:
        """What a row that breaks it costs."""
        return self.rule.costs if self.rule else "row"


@dataclass(frozen=True)
class Finding:
    """What one check found: how many rows break it, on which dates, and a few of their keys.

    A blocking check is an error, another one a warning.
    """

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


def checks_of(table: Table) -> list[Check]:
    """Every check of a table, those of its rules last."""
    standard = [
        Check(KEY_UNIQUE, True, f"No two rows share {', '.join(table.key)}"),
        Check(
            NOT_NULL, True, f"Never null: {', '.join(column.name for column in table.columns if not column.nullable)}"
        ),
        Check(IN_RANGE, True, f"Within their allowed ranges: {_ranges(table, 'allowed')}"),
        Check(
            KNOWN_VALUES,
            True,
            f"Of their listed values: {', '.join(column.name for column in table.columns if column.values)}",
        ),
        Check(USUAL_RANGE, False, f"Within what is usual: {_ranges(table, 'usual')}"),
    ]
    applies = {
        IN_RANGE: any(column.allowed for column in table.columns),
        KNOWN_VALUES: any(column.values for column in table.columns),
        USUAL_RANGE: any(column.usual for column in table.columns),
    }
    rules = [Check(rule.name, rule.blocking, rule.description, rule) for rule in table.rules]
    return [check for check in standard if applies.get(check.name, True)] + rules


def check_names(table: Table) -> list[tuple[str, bool, str]]:
    """Every check of a table: name, whether it blocks, what it looks at."""
    return [(check.name, check.blocking, check.description) for check in checks_of(table)]


def audit(table: Table, rows: pa.Table) -> list[Finding]:
    """One finding per check of the table, passed or not, in the order of `check_names`.

    Columns that `rows` lacks are not looked at.

    Raises ValueError, naming the rule, where a rule does not answer with one flag per row.
    """
    return [finding(table, rows, check, broken) for check, broken in broken_rows(table, StoredColumns(rows))]


def broken_rows(table: Table, columns: StoredColumns) -> list[tuple[Check, Broken]]:
    """Which rows break each check, in the order of `checks_of`; raises as `audit`. The rows come without their
    stamps.
    """
    size = columns.rows.num_rows
    there = [column for column in table.columns if column.name in columns]
    standard: dict[str, dict[str, NDArray[np.bool_]]] = {
        KEY_UNIQUE: {"": pd.DataFrame({name: columns[name] for name in table.key}).duplicated(keep=False).to_numpy()},
        NOT_NULL: {column.name: columns.is_null(column.name) for column in there if not column.nullable},
        IN_RANGE: {column.name: _outside(columns[column.name], column.allowed) for column in there if column.allowed},
        KNOWN_VALUES: {
            column.name: columns.is_unlisted(column.name, column.values) for column in there if column.values
        },
        USUAL_RANGE: {column.name: _outside(columns[column.name], column.usual) for column in there if column.usual},
    }
    return [
        (check, standard[check.name] if check.rule is None else {"": _flags(table, check.rule, columns, size)})
        for check in checks_of(table)
    ]


def finding(table: Table, rows: pa.Table, check: Check, broken: Broken) -> Finding:
    """What is said of a check that some of the rows break."""
    places = np.flatnonzero(any_column(broken, rows.num_rows))
    if not len(places):
        return Finding(check.name, check.blocking, check.description, 0, (), ())
    dates = rows.column(table.date_column).take(places).unique().drop_null().sort().to_pylist()
    # One row of each column at fault comes first, so that none of them hides behind another.
    first_of_each = [int(mask.argmax()) for mask in broken.values() if mask.any()]
    shown = list(dict.fromkeys([*first_of_each, *places[:EXAMPLES].tolist()]))[:EXAMPLES]
    examples = tuple(
        _example(table, rows, place, [column for column, mask in broken.items() if column and mask[place]])
        for place in shown
    )
    return Finding(check.name, check.blocking, check.description, len(places), tuple(dates), examples)


def any_column(broken: Broken, size: int) -> NDArray[np.bool_]:
    """The rows that break a check, whatever the column."""
    return np.logical_or.reduce([np.zeros(size, dtype=bool), *broken.values()])


def columns_of_rule(rule: Rule, rows: pa.Table) -> list[str]:
    """The columns of some rows that a rule looks at, in the order in which it does."""
    columns = StoredColumns(rows)
    rule.broken(columns)
    return columns.looked_at


def values_text(rows: pa.Table, place: int, names: Sequence[str]) -> str:
    """Some values of a row as a reason quotes them, e.g. `fg_makes 12, fg_attempts 9`."""
    values = ((name, rows.column(name)[place].as_py()) for name in names)
    return ", ".join(f"{name} {'null' if value is None else value}" for name, value in values)


def reason_of_row(
    table: Table, rows: pa.Table, check: Check, broken: Broken, place: int, read: Sequence[str] = ()
) -> str:
    """Why a row breaks a check, with the values; `read` are the columns that a rule looks at."""
    if check.rule is not None:
        return f"{check.name}: {values_text(rows, place, read)}"
    if check.name == KEY_UNIQUE:
        return f"{check.name}: more than one row has {values_text(rows, place, table.key)}"
    at_fault = [name for name, mask in broken.items() if mask[place]]
    bounds = {name: allowed for name in at_fault if check.name == IN_RANGE and (allowed := table.column(name).allowed)}
    said = (
        values_text(rows, place, [name]) + (f" (allowed {range_text(bounds[name])})" if name in bounds else "")
        for name in at_fault
    )
    return f"{check.name}: {', '.join(said)}"


def _example(table: Table, rows: pa.Table, place: int, at_fault: list[str]) -> str:
    def said(names: Any) -> str:
        return ", ".join(f"{name}={rows.column(name)[place]}" for name in names)

    return f"{said(table.key)}: {said(at_fault)}" if at_fault else said(table.key)


def _flags(table: Table, rule: Rule, columns: Columns, row_count: int) -> NDArray[np.bool_]:
    flags = np.asarray(rule.broken(columns)) if row_count else np.zeros(0, dtype=bool)
    if flags.dtype != bool or flags.shape != (row_count,):
        raise ValueError(
            f"rule {rule.name} of {table.qualified_name} must answer {row_count} rows with as many flags, not with "
            f"{flags.dtype} of shape {flags.shape}"
        )
    return flags


def _outside(values: NDArray[Any], bounds: Range | None) -> NDArray[np.bool_]:
    low, high = bounds or (-np.inf, np.inf)
    return (values < low) | (values > high)


def _ranges(table: Table, which: str) -> str:
    bounds = {column.name: getattr(column, which) for column in table.columns if getattr(column, which)}
    return ", ".join(f"{name} {range_text(bound)}" for name, bound in bounds.items())
