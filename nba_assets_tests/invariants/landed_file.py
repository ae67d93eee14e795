"""The file of a raw table that holds a date, as a damage finds it: its rows, its bytes, and what was done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from nba_assets.basketball.teams import team_tricode
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.columns import ARROW_TYPES
from nba_assets.tables.spec import Column, Type

Row = dict[str, Any]

RESULTS = ("player_gamebook", "player_boxscores", "team_boxscores", "play_by_play")
ANNOUNCEMENTS = ("game_lines", "player_points_props", "injury_report")
PER_DATE = (*RESULTS, *ANNOUNCEMENTS, "rosters")
EVERY_TABLE = (*PER_DATE, "schedule", "player_registry")
EASTERN = ZoneInfo("America/New_York")
ID_PREFIX = "id-"


@dataclass
class LandedFile:
    """The file of a raw table that holds a date.

    `touched` are the rows concerned, as they were and as they became; a damage that touches no single row concerns
    everybody in the file.
    """

    table: str
    path: Path
    day: date
    rows: list[Row]
    schema: pa.Schema
    touched: list[Row] = field(default_factory=list)
    types: dict[str, pa.DataType] = field(default_factory=dict)
    """Columns that are written in another type, because a value in them has no other."""
    is_written: bool = False
    """The damage has written the file itself."""

    @classmethod
    def of(cls, landing: Path, table: str, day: date) -> LandedFile:
        """The first delivery of a date; of a snapshot the newest on or before it, of a season's table the season's."""
        paths = sorted(landing.glob(f"{table}/*/part.parquet"))
        named = (
            [path for path in paths if path.parent.name.rsplit("=", 1)[-1] <= day.isoformat()]
            if table in PER_DATE
            else paths
        )
        content = pq.ParquetFile(named[-1]).read()
        return cls(table, named[-1], day, content.to_pylist(), content.schema)

    @property
    def columns(self) -> dict[str, Column]:
        """Columns of the contract that the file has."""
        return {
            column.name: column for column in RAW_TABLES[self.table].table.columns if column.name in self.schema.names
        }

    @property
    def content(self) -> pa.Table:
        """The rows as they would be written."""
        fields = [pa.field(part.name, self.types.get(part.name, part.type)) for part in self.schema]
        rows = [{name: _as(self.types.get(name), value) for name, value in row.items()} for row in self.rows]
        return pa.Table.from_pylist(rows, schema=pa.schema(fields))

    def candidates(self, fits: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        """Rows of the date that a damage may be done to."""
        mine = [row for row in self.rows if self.table != "schedule" or row["game_date"] == self.day]
        return [row for row in mine if fits(row)]

    def pick(self, rng: Random, fits: Callable[[Row], bool] = lambda _: True) -> Row:
        """One of them; it counts as touched."""
        row = rng.choice(self.candidates(fits))
        self.touched.append(dict(row))
        return row

    def game(self, rng: Random) -> list[Row]:
        """All rows of one game; they count as touched."""
        game = game_of(rng.choice(self.candidates()))
        rows = self.candidates(lambda row: game_of(row) == game)
        self.touched += [dict(row) for row in rows]
        return rows

    def put(self, row: Row, **changes: Any) -> None:
        """Change values of a row that was picked; a value that does not fit its column changes the type in which the
        column is written.
        """
        row.update(changes)
        for name, value in changes.items():
            if name in self.columns and (kind := _kind_that_holds(self.columns[name].type, value)) is not None:
                self.types[name] = kind if self.types.get(name) != pa.string() else pa.string()
        self.touched.append(dict(row))

    def add(self, row: Row) -> None:
        """One row more."""
        self.rows.append(row)
        self.touched.append(dict(row))

    def remove(self, rows: Iterable[Row]) -> None:
        """Some rows less."""
        gone = {id(row) for row in rows}
        self.rows = [row for row in self.rows if id(row) not in gone]

    def write(self, content: pa.Table | None = None) -> None:
        """Write the rows back, or another content in their place."""
        pq.write_table(self.content if content is None else content, self.path)
        self.is_written = True


def game_of(row: Row) -> str:
    """What tells the game of a row."""
    return str(row["game_id"]) if "game_id" in row else f"{row['away_team_abbr']}_{row['home_team_abbr']}"


def _kind_that_holds(kind: Type, value: Any) -> pa.DataType | None:
    """The Arrow type that a value needs in a column of a kind, None where the column's own will do."""
    if isinstance(value, str):
        return None if kind is Type.STRING else pa.string()
    if isinstance(value, float) and kind is Type.INT64:
        return pa.float64()
    return pa.int64() if isinstance(value, int) and kind is Type.INT64 else None


def _as(kind: pa.DataType | None, value: Any) -> Any:
    if kind is None or value is None:
        return value
    return str(value) if pa.types.is_string(kind) else value


def add_optional_columns(landing: Path) -> None:
    """Give the files of a simulated league the columns of the contract that they do without: ids of games and players,
    moments of reports.
    """
    games = {
        row["game_id"]: row["nba_game_id"]
        for path in landing.glob("schedule/*/*.parquet")
        for row in pq.ParquetFile(path).read().to_pylist()
    }
    for table, raw in RAW_TABLES.items():
        missing: list[Column] = []
        for path in landing.glob(f"{table}/*/*.parquet"):
            content = pq.ParquetFile(path).read()
            missing = [column for column in raw.table.columns if column.name not in content.column_names]
            rows = content.to_pylist()
            for column in missing:
                values = [_optional(column.name, row, games) for row in rows]
                content = content.append_column(column.name, pa.array(values, ARROW_TYPES[column.type]))
            if missing:
                pq.write_table(content, path)


def _optional(name: str, row: Row, games: dict[str, str]) -> Any:
    if name == "nba_game_id":
        return games[row["game_id"]]
    if name == "season_start":
        return date(int(row["season"][:4]), 7, 1)
    if name == "outcome_team_abbr":
        return team_tricode(row["outcome_name"])
    if name == "reported_at":
        start = datetime.combine(row["report_date"], datetime.min.time(), EASTERN) + timedelta(hours=row["report_hour"])
        return (start + timedelta(hours=1)).astimezone(UTC)
    player = row[name.replace("_id", "_lookup")]
    return None if player is None else f"{ID_PREFIX}{player}"
