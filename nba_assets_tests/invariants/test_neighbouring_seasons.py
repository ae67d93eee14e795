"""Two seasons of one league in one warehouse, four days apart: every date of every table is what it is where its season
is alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nba_assets.basketball.season import season_label
from nba_assets.raw.sample_league.season import simulate
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.pipeline import build, days_between, digests, ingest_all

TEAMS = ("ATL", "BOS", "CHI", "DAL", "DEN", "HOU", "LAL", "MIA", "MIL", "NYK")
SIMULATED = 2024
LAST_OF_FIRST, GAP_DAYS = date(2024, 7, 10), 4
"""A season may be played into October, and one may be called the next from July on: here both meet, closer than any
window is long.
"""

Tables = Mapping[str, pa.Table]


def moved(tables: Tables, days: int, season: int) -> dict[str, pa.Table]:
    """The tables of a simulated season as those of another one, `days` later; rosters do not name their season."""
    return {name: _moved(table, days, season, with_season=name != "rosters") for name, table in tables.items()}


def _moved(table: pa.Table, days: int, season: int, *, with_season: bool) -> pa.Table:
    columns = {}
    for name in table.column_names:
        column = table[name]
        if name == "birth_date":
            pass
        elif pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            column = pa.chunked_array(
                [[moment and moment + timedelta(days=days) for moment in column.to_pylist()]], column.type
            )
        elif name == "game_id":
            column = pa.chunked_array([[_moved_id(text, days) for text in column.to_pylist()]], column.type)
        elif name == "nba_game_id":
            column = pc.binary_replace_slice(column, 3, 5, f"{season % 100:02d}")
        elif name == "season":
            column = pa.chunked_array([[season_label(season)] * len(column)], column.type)
        elif name == "season_year":
            column = pa.chunked_array([[season if with_season else None] * len(column)], column.type)
        columns[name] = column
    return pa.table(columns)


def _moved_id(game_id: str, days: int) -> str:
    moved_to = date(int(game_id[:4]), int(game_id[4:6]), int(game_id[6:8])) + timedelta(days=days)
    return f"{moved_to:%Y%m%d}{game_id[8:]}"


def _with_exhibition(tables: dict[str, pa.Table], day: date) -> None:
    """A played exhibition before the season's opening night."""
    game = {
        "game_date": day,
        "game_id": f"{day:%Y%m%d}_ATL_BOS",
        "nba_game_id": "0012400001",
        "is_regular_season": False,
        "game_status": 3,
    }
    teams = {
        "home_team_abbr": "BOS",
        "away_team_abbr": "ATL",
        "home_team_score": 101,
        "away_team_score": 99,
        "winning_team_abbr": "BOS",
    }
    schedule = tables["schedule"]
    row = {**schedule.slice(0, 1).to_pylist()[0], **game, **teams}
    row["game_time_utc"] = row["game_time_utc"].replace(year=day.year, month=day.month, day=day.day, hour=23)
    tables["schedule"] = pa.concat_tables([schedule, pa.Table.from_pylist([row], schema=schedule.schema)])


def _land(landing: Path, seasons: Mapping[str, Tables]) -> Path:
    for season, tables in seasons.items():
        for name, table in tables.items():
            (landing / name).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, landing / name / f"{season}.parquet")
    return landing


def _digests(folder: Path, seasons: Mapping[str, Tables], dates: Sequence[date]) -> dict[tuple[str, date], str]:
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    ingest_all(warehouse, _land(folder / "landing", seasons), dates)
    facts = build(warehouse, dates)
    assert all(any(fact.row_count for fact in mine) for mine in facts.values())
    return digests(facts)


@pytest.mark.slow
def test_a_season_before_and_one_after_change_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    league = simulate(SIMULATED, teams=TEAMS, games_per_team=20)
    length = (league.summary.last_date - league.summary.first_date).days
    back = (LAST_OF_FIRST - league.summary.last_date).days
    first_day = LAST_OF_FIRST - timedelta(days=length)
    opening = LAST_OF_FIRST + timedelta(days=GAP_DAYS)
    tables = {
        "first": moved(league.tables, back, SIMULATED - 1),
        "second": moved(league.tables, (opening - league.summary.first_date).days, SIMULATED),
    }
    _with_exhibition(tables["second"], LAST_OF_FIRST)
    dates = {
        "first": days_between(first_day, LAST_OF_FIRST),
        "second": days_between(opening, opening + timedelta(days=length)),
    }
    together = _digests(tmp_path_factory.mktemp("both"), tables, days_between(first_day, dates["second"][-1]))
    for season, mine in dates.items():
        alone = _digests(tmp_path_factory.mktemp(season), {season: tables[season]}, mine)
        different = [key for key, digest in alone.items() if together[key] != digest]
        assert different == [], season
