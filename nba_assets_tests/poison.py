"""Poison for the future: a warehouse in which everything that was not known before a date's games is absurd, or gone.

Results count as unknown from the date itself on, announcements from each game's tip-off on. Whatever a table says of a
date before its games must be the same bits with and without the poison.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from nba_assets.raw.tables import GAME_LINES, INJURY_REPORT, PLAYER_POINTS_PROPS, RAW_TABLES, ROSTERS, SCHEDULE
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Column, Table, Type
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement

Poison = Literal["absurd", "deleted"]
Row = dict[str, Any]

EASTERN = ZoneInfo("America/New_York")
ABSURD = {
    Type.INT64: "999",
    Type.FLOAT64: "-999.5",
    Type.STRING: "'POISON'",
    Type.STRINGS: "['POISON']",
    Type.FLOATS: "[-999.5]",
}
LATE_BOOKS = ("draftkings", "fanduel", "poisonbook")


def poisoned(source: Path, target: Path, day: date, how: Poison) -> DuckDBWarehouse:
    """A copy of a warehouse whose future, seen from before the first tip-off of `day`, is poisoned.

    Everything computed is poisoned from `day` on, what describes `day` before its games as well: what is read of it has
    to be built anew.
    """
    shutil.copy(source, target)
    warehouse = DuckDBWarehouse(target)
    results = [
        RAW_TABLES[name].table for name in ("player_gamebook", "player_boxscores", "team_boxscores", "play_by_play")
    ]
    results += [module.TABLE for module in TABLE_MODULES.values()]
    later = [raw.table for raw in (GAME_LINES, PLAYER_POINTS_PROPS, INJURY_REPORT, ROSTERS)]
    with duckdb.connect(target) as connection:
        for table, first in [
            *((table, day) for table in results),
            *((table, day + timedelta(days=1)) for table in later),
        ]:
            _spoil(connection, table, first, how)
        _spoil_results_of_schedule(connection, day, how)
    if how == "absurd":
        games = [game for game in _rows(warehouse, SCHEDULE.table, day) if game["game_status"] != 4]
        for table, rows in (
            (GAME_LINES.table, late_lines(games)),
            (PLAYER_POINTS_PROPS.table, late_props(warehouse, games, day)),
        ):
            _append(warehouse, table, day, rows)
        _append(warehouse, INJURY_REPORT.table, day, late_reports(warehouse, games, day))
    return warehouse


def add_props(warehouse: DuckDBWarehouse, day: date) -> None:
    """Points lines for the players of a date, one before and one long before tip-off, where the real feed has none."""
    games = {
        team: game
        for game in _rows(warehouse, SCHEDULE.table, day)
        for team in (game["home_team_abbr"], game["away_team_abbr"])
    }
    rows = []
    for number, listed in enumerate(_rostered(warehouse, games, day)):
        game = games[listed["team_abbr"]]
        for minutes, line in ((300, 10.5 + number % 15), (30, 11.5 + number % 17)):
            rows.append(_prop(game, listed["player_lookup"], minutes, line))
    _append(warehouse, PLAYER_POINTS_PROPS.table, day, rows)


def late_lines(games: Sequence[Row]) -> list[Row]:
    """Spreads and totals that stood at tip-off or after it, from the bookmakers that are preferred."""
    rows = []
    for game in games:
        for minutes in (0, 75):
            for book in LATE_BOOKS:
                for team, market, point in (
                    (game["home_team_abbr"], "spreads", 55.5),
                    (game["away_team_abbr"], "spreads", -55.5),
                    (None, "totals", 9.5),
                ):
                    rows.append(
                        {
                            "game_date": game["game_date"],
                            "home_team_abbr": game["home_team_abbr"],
                            "away_team_abbr": game["away_team_abbr"],
                            "commence_time": game["game_time_utc"],
                            "snapshot_timestamp": game["game_time_utc"] + timedelta(minutes=minutes),
                            "bookmaker_key": book,
                            "market_key": market,
                            "outcome_name": team or "Over",
                            "outcome_team_abbr": team,
                            "outcome_point": point,
                            "outcome_price": 1.9,
                            "processed_at": game["game_time_utc"],
                        }
                    )
    return rows


def late_props(warehouse: DuckDBWarehouse, games: Sequence[Row], day: date) -> list[Row]:
    """Points lines offered while the games ran."""
    game_of = {team: game for game in games for team in (game["home_team_abbr"], game["away_team_abbr"])}
    return [
        _prop(game_of[listed["team_abbr"]], listed["player_lookup"], -1, 99.5)
        for listed in _rostered(warehouse, game_of, day)
    ]


def late_reports(warehouse: DuckDBWarehouse, games: Sequence[Row], day: date) -> list[Row]:
    """Every player turns out to be out in the first report at or after his game's tip-off, and available again a day
    later.
    """
    game_of = {team: game for game in games for team in (game["home_team_abbr"], game["away_team_abbr"])}
    rows = []
    for listed in _rostered(warehouse, game_of, day):
        tip: datetime = game_of[listed["team_abbr"]]["game_time_utc"].astimezone(EASTERN)
        first = (
            tip
            if tip == tip.replace(minute=0, second=0, microsecond=0)
            else tip.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        )
        for moment, status in (
            (first, "out"),
            (datetime.combine(day + timedelta(days=1), time(23), EASTERN), "available"),
        ):
            rows.append(
                {
                    "report_date": moment.date(),
                    "report_hour": moment.hour,
                    "reported_at": moment,
                    "game_date": day,
                    "team": listed["team_abbr"],
                    "player_lookup": listed["player_lookup"],
                    "injury_status": status,
                    "reason": "POISON",
                    "reason_category": "injury",
                    "confidence_score": 1.0,
                    "processed_at": moment,
                }
            )
    return rows


def _prop(game: Row, player: str, minutes_before: int, line: float) -> Row:
    return {
        "game_date": game["game_date"],
        "home_team_abbr": game["home_team_abbr"],
        "away_team_abbr": game["away_team_abbr"],
        "game_start_time": game["game_time_utc"],
        "player_lookup": player,
        "player_name": player,
        "source": "odds_api",
        "bookmaker": "draftkings",
        "points_line": line,
        "over_price_american": -110,
        "under_price_american": -110,
        "snapshot_timestamp": game["game_time_utc"] - timedelta(minutes=minutes_before),
        "minutes_before_tipoff": minutes_before,
        "opening_line": None,
        "processed_at": game["game_time_utc"],
    }


def _rostered(warehouse: DuckDBWarehouse, teams: Mapping[str, Row], day: date) -> list[Row]:
    """Whoever was on a roster of the teams in the week before."""
    table = ROSTERS.table
    rows = warehouse.read(
        table, ("team_abbr", "player_lookup"), day - timedelta(days=7), day, {"team_abbr": sorted(teams)}
    ).to_pylist()
    return list({row["player_lookup"]: row for row in rows}.values())


def _spoil(connection: duckdb.DuckDBPyConnection, table: Table, first: date, how: Poison) -> None:
    """Make every measure of the rows from `first` on absurd, or take the rows away."""
    if not connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [table.dataset, table.name]
    ).fetchall():
        return
    where = f'where "{table.date_column}" >= ?'
    if how == "deleted":
        connection.execute(f"delete from {table.qualified_name} {where}", [first])
        return
    changes = [
        f'"{column.name}" = {value}'
        for column in table.columns
        if column.name not in table.key and (value := _absurd(column))
    ]
    connection.execute(f"update {table.qualified_name} set {', '.join(changes)} {where}", [first])


def _absurd(column: Column) -> str | None:
    if column.type is Type.BOOL:
        return f'"{column.name}" is not true'
    return ABSURD.get(column.type)


def _spoil_results_of_schedule(connection: duckdb.DuckDBPyConnection, day: date, how: Poison) -> None:
    """The games stay, as announced; their results do not, nor do play-off games, whose pairings tell results."""
    result = (
        "home_team_score = 250, away_team_score = 0, winning_team_abbr = 'XXX', game_status = 3"
        if how == "absurd"
        else "home_team_score = null, away_team_score = null, winning_team_abbr = null, game_status = 1"
    )
    connection.execute(f"update nba_raw.schedule set {result} where game_date >= ?", [day])
    pairings = "delete from nba_raw.schedule"
    if how == "absurd":
        pairings = (
            "update nba_raw.schedule set home_team_abbr = 'BOS', away_team_abbr = 'LAL', is_primetime = "
            "is_primetime is not true"
        )
    connection.execute(f"{pairings} where is_playoffs and game_date > ?", [day])


def _rows(warehouse: DuckDBWarehouse, table: Table, day: date) -> list[Row]:
    rows: list[Row] = warehouse.read(table, table.column_names, day, day).to_pylist()
    return rows


def _append(warehouse: DuckDBWarehouse, table: Table, day: date, rows: Sequence[Row]) -> None:
    added = pa.Table.from_pylist(list(rows), schema=arrow_schema(table, table.column_names))
    before = warehouse.read(table, table.column_names, day, day)
    warehouse.replace([Replacement(table, pa.concat_tables([before, added]), [day])])
