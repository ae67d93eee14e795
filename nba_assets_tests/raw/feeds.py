"""What a provider might send: small valid rows of every raw table, and files of them in every format."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nba_assets.raw.ingestion import IngestionReport, ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.normalise import check_columns, normalise
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS
from nba_assets.tables.spec import Columns
from nba_assets.warehouse.interface import Warehouse

Row = dict[str, Any]

DAY = date(2021, 11, 15)
NEXT_DAY = date(2021, 11, 16)
NOW = datetime(2022, 7, 1, 12, tzinfo=UTC)
FORMATS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".ndjson", ".json", ".jsonl.gz")


def schedule_row(day: date = DAY, away: str = "CHI", home: str = "LAL", **changes: Any) -> Row:
    """One final game."""
    return {
        "game_id": f"{day:%Y%m%d}_{away}_{home}",
        "nba_game_id": f"00{crc32(f'{day} {away} {home}'.encode()) % 10**8:08}",
        "game_date": day,
        "game_time_utc": datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC),
        "season_year": day.year if day.month >= 8 else day.year - 1,
        "home_team_abbr": home,
        "away_team_abbr": away,
        "game_status": 3,
        "home_team_score": 103,
        "away_team_score": 121,
        "winning_team_abbr": away,
        "is_regular_season": True,
        "is_playoffs": False,
    } | changes


def sheet_row(player: str = "LeBron James", day: date = DAY, team: str = "LAL", **changes: Any) -> Row:
    """One player on the scorer's sheet of Chicago at Los Angeles."""
    return {
        "game_id": f"{day:%Y%m%d}_CHI_LAL",
        "game_date": day,
        "home_team_abbr": "LAL",
        "away_team_abbr": "CHI",
        "player_name": player,
        "player_lookup": None,
        "team_abbr": team,
        "player_status": "active",
        "minutes": "34:12",
        "points": 25,
        "field_goals_made": 9,
        "field_goals_attempted": 20,
        "plus_minus": "-7",
    } | changes


def event_row(sequence: int, day: date = DAY, **changes: Any) -> Row:
    """One shot of Chicago at Los Angeles."""
    return {
        "game_id": f"{day:%Y%m%d}_CHI_LAL",
        "game_date": day,
        "event_sequence": sequence,
        "period": 1,
        "game_clock_seconds": 700,
        "event_type": "shot",
        "event_subtype": "Driving Layup",
        "player_1_lookup": "1630552zachlavine",
        "player_1_team_abbr": "CHI",
        "shot_made": True,
        "shot_type": "2PT",
        "shot_distance": 2.5,
    } | changes


def line_row(outcome: str = "Los Angeles Lakers", day: date = DAY, **changes: Any) -> Row:
    """One side of a point spread on Chicago at Los Angeles."""
    return {
        "game_date": day,
        "home_team_abbr": "LAL",
        "away_team_abbr": "CHI",
        "commence_time": datetime(day.year, day.month, day.day, 3, 30, tzinfo=UTC) + timedelta(days=1),
        "snapshot_timestamp": datetime(day.year, day.month, day.day, 3, 25, tzinfo=UTC) + timedelta(days=1),
        "bookmaker_key": "DraftKings",
        "market_key": "spreads",
        "outcome_name": outcome,
        "outcome_point": -1.5,
        "outcome_price": 1.909,
    } | changes


def roster_row(player: str = "LeBron James", day: date = DAY, **changes: Any) -> Row:
    """One player on the roster of Los Angeles."""
    return {
        "roster_date": day,
        "season_year": 2021,
        "team_abbr": "LAL",
        "player_full_name": player,
        "age": 36,
        "birth_date": date(1984, 12, 30),
    } | changes


def prop_row(player: str = "LeBron James", day: date = DAY, **changes: Any) -> Row:
    """One points line of a player of Chicago at Los Angeles."""
    return {
        "game_date": day,
        "game_start_time": datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC),
        "player_name": player,
        "source": "odds_api",
        "bookmaker": "draftkings",
        "points_line": 25.5,
        "snapshot_timestamp": datetime(day.year, day.month, day.day, 20, tzinfo=UTC),
    } | changes


def team_row(team: str = "LAL", day: date = DAY, **changes: Any) -> Row:
    """One team of Chicago at Los Angeles."""
    return {
        "game_id": f"{day:%Y%m%d}_CHI_LAL",
        "game_date": day,
        "team_abbr": team,
        "is_home": team == "LAL",
        "minutes": "240:00",
        "fg_made": 38,
        "fg_attempted": 88,
        "points": 103,
    } | changes


def injury_row(player: str = "lebronjames", day: date = DAY, **changes: Any) -> Row:
    """One line of an injury report."""
    return {
        "report_date": day,
        "report_hour": 10,
        "game_date": day,
        "team": "LAL",
        "player_lookup": player,
        "injury_status": "out",
    } | changes


def registry_row(player: str = "LeBron James", season: str = "2021-22", **changes: Any) -> Row:
    """One registered player."""
    return {"season": season, "player_name": player, "universal_player_id": f"nba_{player}"} | changes


def write(folder: Path, path: str, rows: Sequence[Row], *, modified: float | None = None, **options: Any) -> Path:
    """A file of rows in the format that its path ends in; `modified` sets its age in seconds since 1970."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith(".parquet"):
        pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in _names(rows)}), target, **options)
    else:
        text = _csv(rows) if ".csv" in path else "".join(json.dumps(row, default=str) + "\n" for row in rows)
        content = text.encode()
        target.write_bytes(gzip.compress(content, mtime=0) if path.endswith(".gz") else content)
    if modified is not None:
        os.utime(target, (modified, modified))
    return target


def ingested(
    name: str, landing: Path, warehouse: Warehouse, dates: Sequence[date] = (DAY,), *, now: datetime = NOW
) -> IngestionReport:
    """An ingestion of a raw table from a folder."""
    return ingest(RAW_TABLES[name], FolderLandingZone(landing), warehouse, dates, run_id="test", now=now)


def normalised(
    name: str, rows: Sequence[Row] | pa.Table, schedule: Columns | None = None
) -> tuple[dict[str, list[Any]], dict[int, str], Mapping[str, int]]:
    """Rows as the contract has them: their columns, the reasons of faults by the row's place, and the notices about the
    other rows.
    """
    table = (
        rows
        if isinstance(rows, pa.Table)
        else pa.table({column: [row.get(column) for row in rows] for column in _names(rows)})
    )
    raw = RAW_TABLES[name]
    check_columns(raw, table.schema)
    columns, faults, notices = normalise(raw, table, np.full(table.num_rows, "NaT", dtype="M8[D]"), NOW, schedule)
    kept = np.array([place not in faults.by_row for place in range(table.num_rows)], dtype=bool)
    values = {
        column: [None if value is None or value != value else value for value in found.tolist()]
        for column, found in columns.items()
    }
    return values, {place: faults.reason(place) for place in faults.by_row}, notices.counted(kept)


def stored(name: str, warehouse: Warehouse) -> list[Row]:
    """All rows of a raw table."""
    table = RAW_TABLES[name].table
    rows: list[Row] = warehouse.read(table, table.column_names, date.min, date.max).to_pylist()
    return rows


def partition_state(name: str, warehouse: Warehouse) -> dict[date, Row]:
    """The entries of a table's built dates."""
    rows = warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, date.min, date.max, {"table_name": name})
    return {row["partition_date"]: row for row in rows.to_pylist()}


def quarantine(name: str, warehouse: Warehouse) -> list[Row]:
    """What was quarantined of a table."""
    rows = warehouse.read(RAW_QUARANTINE, RAW_QUARANTINE.column_names, date.min, date.max, {"table_name": name})
    found: list[Row] = rows.to_pylist()
    return found


def digests(report: IngestionReport) -> Mapping[date, str]:
    """The digest of every date requested."""
    return {day: facts.digest for day, facts in report.by_date.items()}


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _names(rows))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))
