"""Other names for all players, and another order of all rows and files, change nothing but the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.basketball.names import player_lookup
from nba_assets.publishing.table_run import STAMPS
from nba_assets.raw.sample_league.season import simulate
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.pipeline import build, days_between, ingest_all

TEAMS = ("BOS", "CHI", "DEN", "LAL", "MIA", "NYK", "PHX", "UTA")
FIRST, LAST = date(2024, 10, 22), date(2024, 11, 10)
FILES = 4

Tables = Mapping[str, pa.Table]
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def league() -> Tables:
    return {
        name: table.filter(_until(name, table))
        for name, table in simulate(2024, teams=TEAMS, games_per_team=14).tables.items()
    }


@pytest.fixture(scope="module")
def as_landed(league: Tables, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return built(tmp_path_factory.mktemp("as_landed"), league, lambda table: [table])


def built(folder: Path, tables: Tables, files: Callable[[pa.Table], list[pa.Table]]) -> Rows:
    """Rows of the computed tables, without stamps, in order of their keys; each raw table lands as the files that
    `files` makes of it.
    """
    for name, table in tables.items():
        (folder / "landing" / name).mkdir(parents=True)
        for number, part in enumerate(files(table)):
            pq.write_table(part, folder / "landing" / name / f"{number}.parquet")
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    days = days_between(FIRST, LAST)
    ingest_all(warehouse, folder / "landing", days)
    build(warehouse, days)
    found = {}
    for name, table in COMPUTED_TABLES.items():
        found[name] = warehouse.read(
            table, [column for column in table.column_names if column not in STAMPS], FIRST, LAST
        ).to_pylist()
        assert found[name], name
    return found


def test_the_order_of_rows_and_their_spread_over_files_change_nothing(
    league: Tables, as_landed: Rows, tmp_path: Path
) -> None:
    random = Random(7)

    def shuffled(table: pa.Table) -> list[pa.Table]:
        order = random.sample(range(table.num_rows), table.num_rows)
        return [table.take(order[number::FILES]) for number in range(FILES)]

    assert built(tmp_path, league, shuffled) == as_landed


def test_other_names_for_all_players_change_nothing_but_the_names(
    league: Tables, as_landed: Rows, tmp_path: Path
) -> None:
    names = sorted({row for name in ("player_gamebook", "rosters") for row in _names(name, league[name])})
    others = Random(11).sample([f"Zoë {_letters(number)} O'Name Jr." for number in range(len(names))], len(names))
    other_name = dict(zip(names, others, strict=True))
    other_key = {player_lookup(name): player_lookup(other) for name, other in other_name.items()}
    assert len(set(other_key.values())) == len(names)
    renamed = {name: _renamed(name, table, other_key | other_name) for name, table in league.items()}
    back = {other: key for key, other in (other_key | other_name).items()}
    found = built(tmp_path, renamed, lambda table: [table])
    for name, rows in found.items():
        table = COMPUTED_TABLES[name]
        original = [
            {column: back.get(value, value) if isinstance(value, str) else value for column, value in row.items()}
            for row in rows
        ]
        assert sorted(original, key=lambda row: tuple(map(str, (row[column] for column in table.key)))) == sorted(
            as_landed[name], key=lambda row: tuple(map(str, (row[column] for column in table.key)))
        )


def _until(name: str, table: pa.Table) -> pa.Array:
    """What has landed by the last date: all of the whole-season feeds, of the others the dates up to it."""
    raw = RAW_TABLES[name]
    if raw.whole_season:
        return pa.array([True] * table.num_rows)
    return pa.array([day <= LAST for day in table[raw.table.date_column].to_pylist()])


def _names(name: str, table: pa.Table) -> list[str]:
    (column,) = RAW_TABLES[name].players.values()
    return table[column].to_pylist()


def _renamed(name: str, table: pa.Table, other: Mapping[str, str]) -> pa.Table:
    """The table with other keys and names in its player columns; what is in no roster nor sheet keeps its name."""
    for column in dict.fromkeys((*RAW_TABLES[name].players, *RAW_TABLES[name].players.values())):
        if column is not None and column in table.column_names:
            values = pa.array([other.get(value, value) for value in table[column].to_pylist()], pa.string())
            table = table.set_column(table.column_names.index(column), column, values)
    return table


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(3)).title()
