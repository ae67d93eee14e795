"""Built tables compared with a slow reading that starts from raw rows alone: rows and failure records."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.invariants.precompute import FAILURE_COLUMNS, READINGS
from nba_assets_tests.oracles import contexts, from_raw

Row = dict[str, Any]


def raw_rows(warehouse: Warehouse, last: date = date.max) -> from_raw.Raw:
    """The rows of all raw tables up to a date; the schedule, which is known ahead, as a whole."""
    ends = {SCHEDULE.name: date.max}
    with warehouse.session():
        return {name: _rows(warehouse, raw.table, date.min, ends.get(name, last)) for name, raw in RAW_TABLES.items()}


def differences(warehouse: Warehouse, reading: from_raw.FromRaw) -> list[str]:
    """Where stored rows and failure records are not what a reading of raw rows says, on all of its dates."""
    found: list[str] = []
    with warehouse.session():
        for name, by_day in reading.rows.items():
            table = COMPUTED_TABLES[name]
            for day, expected in by_day.items():
                stored = {row[str(table.entity_column)]: row for row in _rows(warehouse, table, day, day)}
                found += [f"{name} {day} {key}: only on one side" for key in sorted(stored.keys() ^ expected.keys())]
                for key in sorted(stored.keys() & expected.keys()):
                    found += [f"{name} {day} {key} {said}" for said in _differing(table, stored[key], expected[key])]
        for name in READINGS:
            for day, expected_failures in reading.failures[name].items():
                failed = _failures(warehouse, name, day)
                found += [
                    f"{name} {day} failure of {key}: {failed.get(key)} is not {expected_failures.get(key)}"
                    for key in sorted(failed.keys() | expected_failures.keys())
                    if failed.get(key) != expected_failures.get(key)
                ]
    return found


def _differing(table: Table, stored: Row, expected: Row) -> list[str]:
    found = []
    for name, value in expected.items():
        mine = json.loads(stored[name]) if name.endswith("_json") else stored[name]
        near = name in contexts.FLOAT_MEANS and mine is not None and value is not None
        if not (abs(mine - value) <= 1.01 * 10.0 ** -(table.column(name).scale or 0) if near else mine == value):
            found.append(f"{name}: {mine!r} is not {value!r}")
    return found


def _failures(warehouse: Warehouse, name: str, day: date) -> dict[str, tuple[Any, ...]]:
    rows = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day, {"table_name": name}).to_pylist()
    return {row["entity_id"]: tuple(row[column] for column in FAILURE_COLUMNS) for row in rows}


def _rows(warehouse: Warehouse, table: Table, start: date, end: date) -> list[Row]:
    rows: list[Row] = warehouse.read(table, table.column_names, start, end).to_pylist()
    return rows
