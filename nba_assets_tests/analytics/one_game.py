"""One game in a warehouse: Los Angeles at Boston, with whatever feeds a test wants, built through the whole of each table."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from nba_assets.raw.tables import PLAYER_COUNTS, RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES
from nba_assets.tables.columns import arrow_schema
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.pipeline import build

DAY = date(2025, 1, 15)
GAME = "20250115_LAL_BOS"
SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
ALWAYS = {"game_id": GAME, "game_date": DAY, "season_year": 2024, "processed_at": datetime(2025, 1, 16, tzinfo=UTC)}
SIDES = {"home_team_abbr": "BOS", "away_team_abbr": "LAL"}

SCHEDULE = {
    **ALWAYS,
    **SIDES,
    "nba_game_id": "0022400560",
    "game_status": 3,
    "home_team_score": 115,
    "away_team_score": 108,
    "winning_team_abbr": "BOS",
    "is_regular_season": True,
    "is_playoffs": False,
    "is_all_star": False,
}


def team(tricode: str, **counts: Any) -> dict[str, Any]:
    """A team's box row; the two of the worked example unless told otherwise."""
    known = {
        "LAL": {
            "fg_made": 40,
            "fg_attempted": 88,
            "three_pt_made": 12,
            "three_pt_attempted": 35,
            "ft_made": 16,
            "ft_attempted": 20,
            "offensive_rebounds": 10,
            "defensive_rebounds": 35,
            "total_rebounds": 45,
            "assists": 24,
            "turnovers": 14,
            "personal_fouls": 18,
            "points": 108,
            "steals": 6,
            "blocks": 4,
        },
        "BOS": {
            "fg_made": 42,
            "fg_attempted": 85,
            "three_pt_made": 15,
            "three_pt_attempted": 38,
            "ft_made": 16,
            "ft_attempted": 18,
            "offensive_rebounds": 12,
            "defensive_rebounds": 36,
            "total_rebounds": 48,
            "assists": 28,
            "turnovers": 12,
            "personal_fouls": 20,
            "points": 115,
            "steals": 7,
            "blocks": 5,
        },
    }[tricode]
    return {**ALWAYS, "team_abbr": tricode, "is_home": tricode == "BOS", "minutes": "240:00", **known, **counts}


def player(tricode: str, lookup: str, status: str = "active", **counts: Any) -> dict[str, Any]:
    """A player's row of the official sheet; twenty minutes of little unless told otherwise."""
    filled = dict.fromkeys(PLAYER_COUNTS, 0 if status == "active" else None)
    known = {"player_name": lookup.title(), "player_lookup": lookup, "player_status": status, "minutes": "20:00" if status == "active" else None}
    return {**ALWAYS, **SIDES, "team_abbr": tricode, "plus_minus": "0", **known, **filled, **counts}


def shot(
    number: int, tricode: str, shooter: str, *, made: bool, kind: str = "2PT", zone: str | None = "restricted_area", **more: Any
) -> dict[str, Any]:
    """A field-goal attempt."""
    points = (3 if kind == "3PT" else 2) if made else 0
    return {
        **ALWAYS,
        "event_sequence": number,
        "period": 1,
        "game_clock_seconds": 700 - number,
        "event_type": "shot",
        "player_1_lookup": shooter,
        "player_1_team_abbr": tricode,
        "shot_made": made,
        "shot_type": kind,
        "shot_zone": zone,
        "points_scored": points,
        **more,
    }


def built(path: Path, **feeds: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Rows of each summary by team or player, from the given raw rows."""
    warehouse = DuckDBWarehouse(path / "nba.duckdb")
    for name, rows in {"schedule": [SCHEDULE], **feeds}.items():
        table = RAW_TABLES[name].table
        filled = pa.Table.from_pylist([{column: row.get(column) for column in table.column_names} for row in rows], schema=arrow_schema(table))
        warehouse.replace([Replacement(table, filled, [DAY])])
    build(warehouse, [DAY], SUMMARIES)
    stored = {}
    for name in SUMMARIES:
        table = TABLE_MODULES[name].TABLE
        rows = warehouse.read(table, table.column_names, DAY, DAY).to_pylist()
        stored[name] = {row[table.entity_column or ""]: row for row in rows}
    failures = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, DAY, DAY).to_pylist()
    return stored | {"failures": {f"{row['table_name']}/{row['entity_id']}": row for row in failures}}
