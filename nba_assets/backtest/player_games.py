"""The rows of a backtest: the players' games that were played, with the features stored before them and what they
scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS
from nba_assets.precompute.features import FEATURES, Feature
from nba_assets.settings import SettingsError
from nba_assets.training import training_set
from nba_assets.warehouse.interface import Warehouse

POINTS_LINE = "upcoming_player_game_context.current_points_line"


class BacktestError(SettingsError):
    """A backtest cannot be made of what is requested or stored; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class PlayerGames:
    """Games that players played, one entry of each array per game, sorted by date and player.

    `vectors` are (games, features) by feature version, defaults in place of what was unknown. `unknown` marks, for
    each feature of the first version, the games before which it was unknown. `minutes` are known only after the game.
    """

    dates: NDArray[np.datetime64]
    points: Floats
    minutes: Floats
    quality_tier: NDArray[np.object_]
    points_line: Floats
    vectors: Mapping[str, Floats]
    unknown: NDArray[np.bool_]
    listed: int
    """Rows of the feature store, also those of players who did not play or whose game has no summary yet."""
    not_played: int
    without_outcome: int

    def feature(self, name: str) -> Floats:
        """A feature of the first version."""
        return self.vectors["v1"][:, _place(name)]

    def default(self, name: str) -> float:
        """What stands in for a feature of the first version where it is unknown."""
        return FEATURES[_place(name)].default

    def count_unknown(self, name: str, among: NDArray[np.bool_]) -> int:
        """In how many of some games a feature of the first version is its default."""
        return int(self.unknown[among, _place(name)].sum())


def read_player_games(warehouse: Warehouse, start: date, end: date, versions: Sequence[str]) -> PlayerGames:
    """The games of the dates from `start` to `end` that were played, with the vectors of some feature versions, all of
    one moment.

    Raises BacktestError where there are none, TrainingSetError where features of another version are stored.
    """
    with warehouse.session():
        rows = training_set(warehouse, start, end, (POINTS_LINE,))
        played = pc.and_(pc.fill_null(rows["played"], False), pc.is_valid(rows["points"]))
        vectors = {"v1": _vectors(rows.filter(played), FEATURES)}
        for version in versions:
            if version not in vectors:
                others = training_set(warehouse, start, end, feature_version=version).filter(played)
                vectors[version] = _vectors(others, FEATURE_VERSIONS[version].features)
    if not rows.num_rows:
        raise BacktestError(
            f"no features are stored from {start} to {end}; build them with `nba-assets backfill START END`"
        )
    if not pc.any(played).as_py():
        raise BacktestError(
            f"none of the {rows.num_rows:,} rows from {start} to {end} has a played game; build "
            f"player_game_summary of dates whose games are over"
        )
    kept = rows.filter(played)
    return PlayerGames(
        dates=kept["game_date"].to_numpy(),
        points=_numbers(kept, "points"),
        minutes=_numbers(kept, "minutes"),
        quality_tier=kept["quality_tier"].to_numpy(),
        points_line=_numbers(kept, POINTS_LINE),
        vectors=vectors,
        unknown=_unknown(kept),
        listed=rows.num_rows,
        not_played=pc.sum(pc.invert(rows["played"])).as_py() or 0,
        without_outcome=rows["played"].null_count,
    )


def _place(name: str) -> int:
    return [feature.name for feature in FEATURES].index(name)


def _unknown(rows: pa.Table) -> NDArray[np.bool_]:
    """Marks of (games, features) where no source knew a feature."""
    sources = pc.list_flatten(rows["feature_sources"].combine_chunks())
    return pc.equal(sources, "default").to_numpy(zero_copy_only=False).reshape(rows.num_rows, -1)


def _vectors(rows: pa.Table, features: Sequence[Feature]) -> Floats:
    return np.column_stack([_numbers(rows, feature.name) for feature in features])


def _numbers(rows: pa.Table, name: str) -> Floats:
    return rows[name].cast(pa.float64()).to_numpy()
