"""Damage to one cell, row, key or file of one date of a landing zone, and how far its effects may reach.

What is done is in `KINDS`. Every kind says which raw tables it can happen to and whether the run has to name it; whom it concerns follows from the rows
that it touched. Nothing is built here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nba_assets.basketball.teams import TEAMS
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.tables.spec import Column, Type

Row = dict[str, Any]

RESULTS = ("player_gamebook", "player_boxscores", "team_boxscores", "play_by_play")
ANNOUNCEMENTS = ("game_lines", "player_points_props", "injury_report")
PER_DATE = (*RESULTS, *ANNOUNCEMENTS, "rosters")
EVERY_TABLE = (*PER_DATE, "schedule", "player_registry")
SUMMARIES = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
STRANGER = "nobodyknown"


@dataclass(frozen=True)
class Kind:
    """One kind of damage. `named`: the run has to say so somewhere; `harmless`: no computed row may change."""

    damage: Callable[[LandedFile, Random], None]
    tables: tuple[str, ...]
    named: bool = True
    harmless: bool = False


@dataclass
class LandedFile:
    """The file of a raw table that holds a date, its rows, and what was done to them.

    `touched` are the rows concerned, as they were and as they became; a damage that touches no single row concerns everybody in the file.
    """

    table: str
    path: Path
    day: date
    rows: list[Row] = field(default_factory=list)
    schema: pa.Schema | None = None
    touched: list[Row] = field(default_factory=list)
    as_text: set[str] = field(default_factory=set)
    """Columns written as text, because a value in them has no other type."""

    @classmethod
    def of(cls, landing: Path, table: str, day: date) -> LandedFile:
        """The first delivery of a date; of a snapshot the newest on or before it, of a season's table the season's."""
        paths = sorted(landing.glob(f"{table}/*/part.parquet"))
        named = [path for path in paths if path.parent.name.rsplit("=", 1)[-1] <= day.isoformat()] if table in PER_DATE else paths
        path = named[-1]
        file = pq.ParquetFile(path)
        return cls(table, path, day, file.read().to_pylist(), file.schema_arrow)

    @property
    def columns(self) -> dict[str, Column]:
        """Columns of the contract that the file has."""
        assert self.schema is not None
        return {column.name: column for column in RAW_TABLES[self.table].table.columns if column.name in self.schema.names}

    def candidates(self, fits: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        """Rows of the date that a damage may be done to."""
        mine = [row for row in self.rows if self.table != "schedule" or row["game_date"] == self.day]
        return [row for row in mine if fits(row)]

    def pick(self, rng: Random, fits: Callable[[Row], bool] = lambda _: True) -> Row:
        """One of them; it counts as touched."""
        row = rng.choice(self.candidates(fits))
        self.touched.append(dict(row))
        return row

    def put(self, row: Row, **changes: Any) -> None:
        """Change values of a row that was picked; texts in a column of another type make it a column of texts."""
        for name, value in changes.items():
            row[name] = value
            if isinstance(value, str) and name in self.columns and self.columns[name].type is not Type.STRING:
                self.as_text.add(name)
        self.touched.append(dict(row))

    def write(self) -> None:
        """Write the rows back; of columns that hold texts now, all values as text."""
        assert self.schema is not None
        fields = [pa.field(part.name, pa.string()) if part.name in self.as_text else part for part in self.schema]
        rows = [{name: str(value) if name in self.as_text and value is not None else value for name, value in row.items()} for row in self.rows]
        pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(fields)), self.path)


def cells(suits: Callable[[Column], bool], value: Callable[[Column, Random], Any]) -> Callable[[LandedFile, Random], None]:
    """Put a value into one random cell of the columns that suit."""

    def damage(file: LandedFile, rng: Random) -> None:
        column = rng.choice([column for column in file.columns.values() if suits(column)])
        row = file.pick(rng, lambda row: row[column.name] is not None)
        file.put(row, **{column.name: value(column, rng)})

    return damage


def is_number(column: Column) -> bool:
    return column.type in (Type.INT64, Type.FLOAT64)


def is_bounded(column: Column) -> bool:
    return is_number(column) and column.allowed is not None and column.allowed[1] < 1e6


def is_team(column: Column) -> bool:
    return column.name in ("team_abbr", "home_team_abbr", "away_team_abbr", "team")


def is_word(column: Column) -> bool:
    return column.values is not None


def one_row(fits: Callable[[Row], bool], **changes: Any) -> Callable[[LandedFile, Random], None]:
    """Put fixed values into one row that fits."""

    def damage(file: LandedFile, rng: Random) -> None:
        file.put(file.pick(rng, fits), **changes)

    return damage


def required_columns(file: LandedFile) -> list[str]:
    """Columns without which there is no row, but for those that ingestion makes from others or from the file's path."""
    raw = RAW_TABLES[file.table]
    in_path = file.path.parent.name.split("=", 1)[0]
    return [
        column.name for column in file.columns.values() if not column.nullable and column.name not in (*raw.derived, *raw.players, in_path, "game_id")
    ]


def required_cell_empty(file: LandedFile, rng: Random) -> None:
    file.put(file.pick(rng), **{rng.choice(required_columns(file)): None})


def other_team(file: LandedFile, rng: Random) -> None:
    """A row of a team that does not play in the game."""
    name = rng.choice([name for name in ("team_abbr", "player_1_team_abbr") if name in file.columns])
    row = file.pick(rng, lambda row: row[name] is not None)
    file.put(row, **{name: rng.choice([team for team in sorted(TEAMS) if team not in row["game_id"]])})


def other_date(file: LandedFile, rng: Random) -> None:
    """A date that is not the file's."""
    file.put(file.pick(rng), game_date=file.day + timedelta(days=rng.choice([-40, -1, 1, 365])))


def teams_swapped(file: LandedFile, rng: Random) -> None:
    """Each team's rows of one game under the other's name."""
    game = file.pick(rng)["game_id"]
    teams = game.split("_")[1:]
    for row in file.rows:
        if row["game_id"] == game:
            file.put(row, team_abbr=teams[1 - teams.index(row["team_abbr"])])


def opponents_points(file: LandedFile, rng: Random) -> None:
    """A team with the points that the other scored."""
    row = file.pick(rng)
    other = next(box for box in file.rows if box["game_id"] == row["game_id"] and box is not row)
    file.put(row, points=other["points"])


def row_twice(file: LandedFile, rng: Random) -> None:
    file.rows.append(dict(file.pick(rng)))


def key_twice(file: LandedFile, rng: Random) -> None:
    """Two rows of one key that differ, neither newer."""
    column = rng.choice(
        [column for column in file.columns.values() if is_bounded(column) and column.name not in (*RAW_TABLES[file.table].table.key, "season_year")]
    )
    row = file.pick(rng, lambda row: row[column.name] is not None)
    low, high = column.allowed or (0, 1)
    file.rows.append(row | {column.name: type(row[column.name])(row[column.name] + (1 if row[column.name] + 1 <= high else -1))})
    assert low <= file.rows[-1][column.name]


def row_lost(file: LandedFile, rng: Random) -> None:
    """A player who scored is missing."""
    file.rows.remove(file.pick(rng, lambda row: bool(row.get("points"))))


def stranger(file: LandedFile, rng: Random) -> None:
    """A line of somebody whom nobody knows."""
    row = file.pick(rng, lambda row: bool(row["points"]))
    added = row | {"player_lookup": STRANGER, "player_name": "Nobody Known"}
    file.rows.append(added)
    file.touched.append(added)


def shots_lost(file: LandedFile, rng: Random) -> None:
    """The field goals of one player are missing from the play-by-play."""
    shot = file.pick(rng, lambda row: row["event_type"] == "shot" and row["player_1_lookup"] is not None)
    game, player = shot["game_id"], shot["player_1_lookup"]
    file.rows = [row for row in file.rows if not (row["game_id"] == game and row["player_1_lookup"] == player and row["event_type"] == "shot")]


def sequence_zero(file: LandedFile, rng: Random) -> None:
    game = file.pick(rng)["game_id"]
    for row in file.rows:
        if row["game_id"] == game:
            row["event_sequence"] = 0


def moved_game(file: LandedFile, rng: Random) -> None:
    """A game that is there twice, on its date and as still to come: one of them is out of date."""
    row = file.pick(rng)
    day = row["game_date"] + timedelta(days=20)
    away, home = row["game_id"].split("_")[1:]
    tip = row["game_time_utc"] + timedelta(days=20)
    later = row | {"game_date": day, "game_id": f"{day:%Y%m%d}_{away}_{home}", "game_time_utc": tip, "game_status": 1}
    file.rows.append(later | dict.fromkeys(("home_team_score", "away_team_score", "winning_team_abbr")))
    file.touched.append(file.rows[-1])


def home_and_away_exchanged(file: LandedFile, rng: Random) -> None:
    row = file.pick(rng)
    day, away, home = row["game_id"].split("_")
    scores = {"home_team_score": row["away_team_score"], "away_team_score": row["home_team_score"]}
    file.put(row, game_id=f"{day}_{home}_{away}", home_team_abbr=away, away_team_abbr=home, **scores)


def last_name_first(file: LandedFile, rng: Random) -> None:
    """A player's name as `Last, First`, and no key."""
    player = file.pick(rng, lambda row: row["player_name"] is not None and " " in row["player_name"])["player_lookup"]
    for row in file.rows:
        if row["player_lookup"] == player:
            first, last = row["player_name"].split(" ", 1)
            file.put(row, player_name=f"{last}, {first}", player_lookup=None)


def misspelt(file: LandedFile, rng: Random) -> None:
    """A player's lines under a key that is nobody's."""
    player = file.pick(rng)["player_lookup"]
    for row in file.rows:
        if row["player_lookup"] == player:
            file.put(row, **{name: f"{player}q" for name in ("player_lookup", "player_name") if name in row})


def late_report(file: LandedFile, rng: Random) -> None:
    """Somebody turns out to be out an hour before midnight: after every tip-off."""
    row = file.pick(rng)
    moment = datetime.combine(file.day, time(23), ZoneInfo("America/New_York"))
    added = row | {"report_date": file.day, "report_hour": 23, "injury_status": "out", "processed_at": moment}
    file.rows = [
        other for other in file.rows if (other["player_lookup"], other["report_date"], other["report_hour"]) != (row["player_lookup"], file.day, 23)
    ]
    file.rows.append({name: value for name, value in added.items() if name != "reported_at"})


def no_bytes(file: LandedFile, _: Random) -> None:
    file.path.write_bytes(b"")


def half_of_the_bytes(file: LandedFile, _: Random) -> None:
    content = file.path.read_bytes()
    file.path.write_bytes(content[: len(content) // 2])


def other_format(file: LandedFile, _: Random) -> None:
    """Comma-separated text in a file that is called Parquet."""
    pa_csv.write_csv(pq.ParquetFile(file.path).read(), file.path)


def strange_file_name(file: LandedFile, _: Random) -> None:
    """The same file once more under a name that is no UTF-8, which file systems of Linux take."""
    os.link(file.path, os.path.join(os.fsencode(file.path.parent), b"part-caf\xe9.parquet"))


def column_lost(file: LandedFile, rng: Random) -> None:
    content = pq.ParquetFile(file.path).read()
    pq.write_table(content.drop_columns([rng.choice(required_columns(file))]), file.path)


def column_renamed(file: LandedFile, rng: Random) -> None:
    content, name = pq.ParquetFile(file.path).read(), rng.choice(required_columns(file))
    pq.write_table(content.rename_columns([f"{other}_new" if other == name else other for other in content.column_names]), file.path)


def column_added(file: LandedFile, _: Random) -> None:
    content = pq.ParquetFile(file.path).read()
    pq.write_table(content.append_column("fantasy_points", pa.array(range(content.num_rows))), file.path)


WITH_BOUNDS = tuple(name for name in EVERY_TABLE if name != "player_registry")
KINDS: Mapping[str, Kind] = {
    "null in a required cell": Kind(required_cell_empty, EVERY_TABLE),
    "text in a number": Kind(cells(is_number, lambda *_: "many"), WITH_BOUNDS),
    "number out of range": Kind(cells(is_bounded, lambda column, _: int((column.allowed or (0, 0))[1]) + 1), WITH_BOUNDS),
    "huge number": Kind(cells(is_bounded, lambda *_: 10**15), WITH_BOUNDS),
    "negative count": Kind(cells(lambda column: is_bounded(column) and (column.allowed or (0,))[0] == 0, lambda *_: -5), (*RESULTS, "schedule")),
    "NaN as text in a score": Kind(one_row(lambda row: bool(row["points"]), points="NaN"), ("player_gamebook", "team_boxscores")),
    "letters of another script in a word": Kind(cells(is_word, lambda *_: "аctive"), ("player_gamebook", "injury_report", "game_lines")),  # noqa: RUF001
    "invisible letter in a team": Kind(cells(is_team, lambda *_: "BO​S"), (*RESULTS, "injury_report", "rosters", "schedule")),  # noqa: PLE2515
    "team that does not play": Kind(other_team, RESULTS),
    "teams swapped": Kind(teams_swapped, ("player_gamebook",)),
    "date of another day": Kind(other_date, (*RESULTS, *ANNOUNCEMENTS)),
    "year of another season": Kind(one_row(lambda _: True, season_year=2014), ("schedule",)),
    "unknown status": Kind(cells(is_word, lambda *_: "perhaps"), ("player_gamebook", "injury_report", "game_lines", "player_points_props")),
    "no minutes beside points": Kind(one_row(lambda row: bool(row["points"]), minutes="0:00"), ("player_gamebook",)),
    "unknown event": Kind(one_row(lambda row: row["event_type"] == "shot", event_type="teleport"), ("play_by_play",)),
    "every event is number 0": Kind(sequence_zero, ("play_by_play",)),
    "shots lost": Kind(shots_lost, ("play_by_play",)),
    "points of the opponent": Kind(opponents_points, ("team_boxscores",)),
    "final without a score": Kind(one_row(lambda row: row["game_status"] == 3, home_team_score=None, away_team_score=None), ("schedule",)),
    "time zone of nowhere": Kind(one_row(lambda _: True, arena_timezone="America/Nowhere"), ("schedule",)),
    "moved game": Kind(moved_game, ("schedule",)),
    "home and away exchanged": Kind(home_and_away_exchanged, ("schedule",)),
    "identical row twice": Kind(row_twice, EVERY_TABLE, harmless=True),
    "one key twice": Kind(key_twice, ("player_gamebook", "player_boxscores", "team_boxscores", "play_by_play", "game_lines", "schedule")),
    "row lost": Kind(row_lost, ("player_gamebook", "team_boxscores")),
    "line of a stranger": Kind(stranger, ("player_gamebook",)),
    "last name first": Kind(last_name_first, ("player_points_props",), named=False, harmless=True),
    "misspelt name": Kind(misspelt, ("player_points_props", "injury_report")),
    "report after the tip-off": Kind(late_report, ("injury_report",), named=False, harmless=True),
    "file of no bytes": Kind(no_bytes, PER_DATE),
    "file cut off": Kind(half_of_the_bytes, PER_DATE),
    "file of another format": Kind(other_format, PER_DATE),
    "file name that is no UTF-8": Kind(strange_file_name, PER_DATE, harmless=True),
    "required column lost": Kind(column_lost, PER_DATE),
    "required column renamed": Kind(column_renamed, PER_DATE),
    "column added": Kind(column_added, EVERY_TABLE, named=False, harmless=True),
}
FILE_KINDS = frozenset(name for name in KINDS if name.startswith(("file", "required column", "column")))


@dataclass(frozen=True)
class Reach:
    """Whom a damage to a raw table of a date concerns: some teams and players, or everybody."""

    table: str
    day: date
    teams: frozenset[str]
    players: frozenset[str]
    everybody: bool

    def allows(self, name: str, day: date, entity: str, circle: frozenset[str]) -> bool:
        """Whether a computed row may differ; `circle` holds the entity's teams, and whom they meet on the date or next.

        Before its date nothing of a damage may be seen, except of season-long tables, which say what is ahead. On the date itself a result is seen by
        summaries alone, and an announcement by nobody later.
        """
        if self.table in PER_DATE and (day < self.day or (self.table in ANNOUNCEMENTS and day != self.day)):
            return False
        if self.table in RESULTS and day == self.day and name not in SUMMARIES:
            return False
        return self.everybody or entity in self.players or bool(circle & self.teams)


def do(landing: Path, kind: str, table: str, day: date, rng: Random) -> Reach:
    """Damage the landing zone, and tell whom that may concern."""
    file = LandedFile.of(landing, table, day)
    KINDS[kind].damage(file, rng)
    if kind in FILE_KINDS:
        return Reach(table, day, frozenset(), frozenset(), everybody=True)
    file.write()
    return Reach(
        table,
        day,
        frozenset(team for row in file.touched for team in _teams(row)),
        frozenset(row[name] for row in file.touched for name in ("player_lookup", "player_1_lookup", "player_2_lookup") if row.get(name)),
        everybody=False,
    )


def _teams(row: Row) -> Iterator[str]:
    """Every team that a row names, in its own columns or in its game's id."""
    named = [str(row.get(name)) for name in ("team_abbr", "team", "home_team_abbr", "away_team_abbr")]
    yield from (team for team in (*named, *str(row.get("game_id")).split("_")[1:]) if team in TEAMS)
