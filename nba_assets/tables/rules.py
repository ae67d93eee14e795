"""Cross-row rules that several tables share. A rule marks the rows that break it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.tables.spec import Columns, Rule


def not_two_per_game(team_column: str) -> Rule:
    """A game has exactly two rows, of two different teams."""

    def broken(rows: Columns) -> NDArray[np.bool_]:
        return (group_sizes(rows, "game_id") != 2) | (group_sizes(rows, "game_id", team_column) != 1)

    return Rule("two_rows_per_game", "A game has exactly two rows, one per team", broken, costs="game")


def rows_per_game_sum(name: str, description: str, column: str, total: float) -> Rule:
    """A column sums to `total` over the rows of each game."""

    def broken(rows: Columns) -> NDArray[np.bool_]:
        games = _groups(rows, "game_id")
        sums = np.bincount(games, weights=rows[column].astype(np.float64), minlength=1)
        return sums[games] != total

    return Rule(name, description, broken, costs="game")


def unequal(name: str, description: str, column: str, parts: Sequence[str], *, blocking: bool = True) -> Rule:
    """A column is the sum of others, wherever all of them are known."""

    def broken(rows: Columns) -> NDArray[np.bool_]:
        difference = rows[column] - sum(rows[part] for part in parts)
        return ~np.isnan(difference) & (difference != 0)

    return Rule(name, description, broken, blocking)


def group_sizes(rows: Columns, *names: str) -> NDArray[np.int64]:
    """For each row, how many rows share its values of the named columns; nulls are a value like any other."""
    groups = _groups(rows, *names)
    return np.bincount(groups, minlength=1)[groups].astype(np.int64)


def _groups(rows: Columns, *names: str) -> NDArray[np.int64]:
    groups = np.zeros(len(rows[names[0]]), dtype=np.int64)
    for name in names:
        codes, distinct = pd.factorize(rows[name], use_na_sentinel=False)
        groups = pd.factorize(groups * len(distinct) + codes)[0]
    return groups
