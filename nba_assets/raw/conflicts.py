"""The reasons given for rows that contradict each other: how many share a key, and in which columns they differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns, Table
from nba_assets.wording import listed

COLUMNS_NAMED = 5
"""Differing columns that a reason names."""


def key_conflicts(table: Table, rows: Columns, groups: NDArray[np.int64]) -> list[str]:
    """The reason of each of some rows; those of one of the `groups` (numbered from 0) share their key and contradict
    each other.
    """
    order, starts, sizes = _grouped(groups)
    differing: list[list[str]] = [[] for _ in starts]
    for column in table.columns:
        if column.hashed and column.name not in table.key:
            codes = pd.factorize(rows[column.name])[0][order]
            differs = np.logical_or.reduceat(codes != np.repeat(codes[starts], sizes), starts)
            for group in np.flatnonzero(differs).tolist():
                differing[group].append(column.name)
    reasons = []
    for group, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        key = ", ".join(f"{name} {_shown(rows[name][order[start]])}" for name in table.key)
        named = listed(differing[group], COLUMNS_NAMED, "columns")
        reasons.append(
            f"is one of {size:,} rows of the file with {key} that differ in {named}, and nothing says which is the "
            "newest"
        )
    return [reasons[group] for group in groups.tolist()]


def league_game_conflicts(rows: Columns, groups: NDArray[np.int64]) -> list[str]:
    """The reason of each of some rows of a schedule; those of one of the `groups` are one game of the league on several
    dates.
    """
    order, starts, sizes = _grouped(groups)
    reasons = []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        mine = order[start : start + size]
        games = ", ".join(sorted(rows["game_id"][mine].tolist()))
        reasons.append(
            f"is one of {size:,} rows of the file for the game {rows['nba_game_id'][mine[0]]} ({games}), and nothing "
            "says which is the newest"
        )
    return [reasons[group] for group in groups.tolist()]


def _grouped(groups: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Order of the rows by group; where each group starts in it, and its size."""
    sizes = np.bincount(groups)
    return np.argsort(groups, kind="stable"), np.cumsum(sizes) - sizes, sizes


def _shown(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
