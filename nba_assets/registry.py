"""All tables by name: what the data dictionary lists and the command line accepts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from nba_assets.analytics import (
    player_game_summary,
    team_defense_game_summary,
    team_offense_game_summary,
    upcoming_player_game_context,
    upcoming_team_game_context,
)
from nba_assets.precompute import (
    ml_feature_store,
    player_composite_factors,
    player_daily_cache,
    player_shot_zone_analysis,
    team_defense_zone_analysis,
)
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import BOOKKEEPING_TABLES
from nba_assets.tables.served import SERVED_FEATURES
from nba_assets.tables.spec import BOOKKEEPING_DATASET, Table

MODULES = (
    team_offense_game_summary,
    team_defense_game_summary,
    player_game_summary,
    upcoming_team_game_context,
    upcoming_player_game_context,
    team_defense_zone_analysis,
    player_shot_zone_analysis,
    player_composite_factors,
    player_daily_cache,
    ml_feature_store,
)
"""The modules of the computed tables, upstream first; each has a `TABLE`, a pure `compute`, and a `build`."""

TABLE_MODULES = {module.TABLE.name: module for module in MODULES}
COMPUTED_TABLES: Mapping[str, Table] = {name: module.TABLE for name, module in TABLE_MODULES.items()}
GAME_SUMMARIES = tuple(name for name, table in COMPUTED_TABLES.items() if table.stage == "postgame")
PREGAME_TABLES = tuple(name for name, table in COMPUTED_TABLES.items() if table.stage == "pregame")
CONTEXTS = tuple(name for name in PREGAME_TABLES if COMPUTED_TABLES[name].layer == "analytics")
ALL_TABLES: Mapping[str, Table] = (
    {name: raw.table for name, raw in RAW_TABLES.items()}
    | dict(COMPUTED_TABLES)
    | {table.name: table for table in (*BOOKKEEPING_TABLES, SERVED_FEATURES)}
)


def description(table: Table) -> str:
    """What a table is: a computed one as its module says."""
    module = TABLE_MODULES.get(table.name)
    return inspect.cleandoc((module.__doc__ if module else None) or table.description)


def upstream_names() -> dict[str, set[str]]:
    """The tables that each computed table reads, by name."""
    return {
        name: {source.table.name for source in table.inputs if source.table.dataset != BOOKKEEPING_DATASET}
        for name, table in COMPUTED_TABLES.items()
    }
