"""NBA raw data into daily-partitioned analytics tables: a Dagster asset graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Dagster says once per asset that backfill policies are in beta. They are what makes a range one run.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`")


def training_set(
    start: date | str,
    end: date | str,
    with_columns: Sequence[str] = (),
    warehouse: str | None = None,
    *,
    as_served: bool = False,
) -> pa.Table:
    """Feature vectors of the dates from `start` to `end` joined to what came of the games, as an Arrow table.

    The same rows as `nba-assets export --training-set`; `.to_pandas()` makes a data frame of them. `with_columns` adds
    columns of other tables known before the games, as `upcoming_player_game_context.game_total`. `warehouse` is an
    address, that of the settings by default. `as_served` gives the vectors as they first stood before the games, of the
    players of whom one was served, and takes no other columns. Example: `training_set("2021-10-19", "2022-04-10")`.
    """
    from nba_assets.orchestration.opening import open_warehouse
    from nba_assets.training import training_set as of_warehouse

    first, last = (date.fromisoformat(str(day)) for day in (start, end))
    return of_warehouse(open_warehouse(warehouse), first, last, with_columns, as_served=as_served)
