"""Rows as they would be stored: typed and rounded by their table, as dictionaries."""

from __future__ import annotations

from typing import Any

import numpy as np

from nba_assets.publishing.table_run import STAMPS
from nba_assets.tables.columns import to_arrow
from nba_assets.tables.spec import Columns, Table, Type


def stored(table: Table, rows: Columns) -> list[dict[str, Any]]:
    """What the warehouse would hold of computed rows, without the stamps."""
    size = len(next(iter(rows.values())))
    stamps = {
        name: np.full(size, np.datetime64("NaT", "us"))
        for name in STAMPS
        if name in table.column_names and table.column(name).type is Type.TIMESTAMP
    }
    blanks = {
        name: np.full(size, None, dtype=object) for name in STAMPS if name in table.column_names and name not in stamps
    }
    return [
        {name: value for name, value in row.items() if name not in STAMPS}
        for row in to_arrow(table, {**rows, **stamps, **blanks}).to_pylist()
    ]
