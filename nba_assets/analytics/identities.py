"""Who a player is across seasons, as the registry of his season has it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.season import season_label
from nba_assets.entities.relations import at, find, within
from nba_assets.publishing.table_run import LONGEST_SEASON_DAYS, TableRun
from nba_assets.raw.tables import PLAYER_REGISTRY
from nba_assets.tables.spec import Columns


def identities(run: TableRun, asked: Columns) -> tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.object_]]:
    """The universal id of each asked `player_lookup` in its `season_year`, None where it is not known.

    Also, whether a season's registry is there and lacks him, and the season as it is written. Seasons without any registry are noted for the run.
    """
    # A season's registry is stored under a date before its first game.
    registry = run.read(
        PLAYER_REGISTRY.table, ("season", "player_lookup", "universal_player_id"), start=run.season_start - timedelta(days=LONGEST_SEASON_DAYS)
    )
    seasons = np.array([season_label(int(year)) for year in asked["season_year"]], dtype=object)
    found = find((asked["player_lookup"], seasons), (registry["player_lookup"], registry["season"]))
    run.notes["seasons_without_registry"] = sorted({*seasons.tolist()} - {*registry["season"].tolist()})
    return at(registry["universal_player_id"], found), (found < 0) & within(seasons, registry["season"]), seasons
