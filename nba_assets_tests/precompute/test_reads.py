"""From when to when each table reads another one for a date: a read that begins too late loses history in silence, one
that ends too late looks ahead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Value, Warehouse
from nba_assets_tests.pipeline import table_run
from nba_assets_tests.precompute.builders import OPENING, TONIGHT, Shelf, as_date, scheduled

Span = tuple[date, date]

DATE = (as_date(TONIGHT), as_date(TONIGHT))
SEASON = (as_date(OPENING), as_date(TONIGHT))
CALENDAR = (date(2024, 1, 20), date(2026, 1, 21))
"""A year before the date and after it: where its season lies, and its neighbours."""
WHOLE_SEASON = (as_date(OPENING), CALENDAR[1])
SNAPSHOTS = (date(2024, 7, 24), as_date(TONIGHT))
"""From 90 days before the opening."""
REGISTRIES = (date(2024, 7, 1), as_date(TONIGHT))
"""This season's, dated before its first game."""

SHEET = {"player_registry": [REGISTRIES], "player_gamebook": [DATE], "player_boxscores": [DATE], "play_by_play": [DATE]}
EXPECTED_GAMES = {
    "player_registry": [REGISTRIES],
    "rosters": [SNAPSHOTS],
    "player_boxscores": [SEASON],
    "player_game_summary": [SEASON],
}
READS: Mapping[str, Mapping[str, Sequence[Span]]] = {
    "team_offense_game_summary": {
        **SHEET,
        "schedule": [DATE, SEASON, CALENDAR],
        "team_boxscores": [DATE],
        "player_boxscores": [SEASON, DATE],
    },
    "team_defense_game_summary": {"schedule": [DATE], "team_offense_game_summary": [DATE], "play_by_play": [DATE]},
    "player_game_summary": {
        **SHEET,
        "schedule": [DATE, CALENDAR],
        "team_offense_game_summary": [DATE],
        "player_points_props": [DATE],
    },
    "upcoming_team_game_context": {
        "schedule": [WHOLE_SEASON, CALENDAR],
        "team_offense_game_summary": [SEASON],
        "game_lines": [DATE],
        "player_registry": [REGISTRIES],
        "player_boxscores": [SEASON],
        "injury_report": [DATE],
    },
    "upcoming_player_game_context": {
        "schedule": [WHOLE_SEASON, CALENDAR],
        "player_registry": [REGISTRIES],
        "player_game_summary": [SEASON],
        "rosters": [SNAPSHOTS],
        "team_offense_game_summary": [SEASON],
        "team_defense_game_summary": [SEASON],
        "injury_report": [DATE],
        "game_lines": [DATE],
        "player_points_props": [DATE],
    },
    "team_defense_zone_analysis": {"schedule": [WHOLE_SEASON, CALENDAR], "team_defense_game_summary": [SEASON]},
    "player_shot_zone_analysis": {**EXPECTED_GAMES, "schedule": [SEASON, CALENDAR]},
    "player_composite_factors": {
        "schedule": [CALENDAR],
        "upcoming_player_game_context": [DATE],
        "player_shot_zone_analysis": [DATE],
        "team_defense_zone_analysis": [DATE],
        "upcoming_team_game_context": [DATE],
    },
    "player_daily_cache": {
        **EXPECTED_GAMES,
        "schedule": [SEASON, CALENDAR],
        "upcoming_player_game_context": [DATE],
        "player_shot_zone_analysis": [DATE],
        "team_offense_game_summary": [SEASON],
    },
    "ml_feature_store": {
        "schedule": [CALENDAR],
        "upcoming_player_game_context": [DATE],
        "player_daily_cache": [DATE],
        "player_composite_factors": [DATE],
        "player_shot_zone_analysis": [DATE],
        "team_defense_zone_analysis": [DATE],
        "team_offense_game_summary": [SEASON],
        "player_game_summary": [SEASON],
    },
}


@dataclass(frozen=True)
class Watched(Shelf):
    """Rows in memory that remember from when to when they were read."""

    seen: defaultdict[str, set[Span]] = field(default_factory=lambda: defaultdict(set))

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        self.seen[table.name].add((start, end))
        return super().read(table, columns, start, end, where)


@pytest.mark.parametrize("name", TABLE_MODULES)
def test_each_table_reads_as_far_back_as_its_windows_reach_and_only_the_schedule_ahead(name: str) -> None:
    """Tonight's rows of results are read with the history, and hidden from it by the windows."""
    ahead = TONIGHT + np.timedelta64(90, "D")
    context = {
        "player_lookup": "one",
        "game_date": TONIGHT,
        "team_abbr": "LAL",
        "opponent_team_abbr": "BOS",
        "game_id": "20250120_BOS_LAL",
    }
    shelf = Watched(
        {
            "schedule": [scheduled(day, "LAL", "BOS") for day in (OPENING, TONIGHT, ahead)],
            TABLE_PARTITIONS.name: [
                {"table_name": table, "partition_date": as_date(TONIGHT)} for table in (*TABLE_MODULES, *RAW_TABLES)
            ],
            "upcoming_player_game_context": [context],
        }
    )
    run = table_run(cast(Warehouse, shelf), name, [as_date(TONIGHT)])
    TABLE_MODULES[name].build(run)
    data = {*RAW_TABLES, *COMPUTED_TABLES}
    assert {table: sorted(spans) for table, spans in shelf.seen.items() if table in data} == {
        table: sorted(spans) for table, spans in READS[name].items()
    }
