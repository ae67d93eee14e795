"""What is made from a table's declaration for others to read: DDL, BigQuery's schema, Dagster's, the data
dictionary.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import duckdb
import numpy as np
import pytest

from nba_assets.analytics.parts import AHEAD, HOMES, SLATE
from nba_assets.orchestration.column_schema import column_schema
from nba_assets.raw.tables import GAME_LINES, PLAYER_BOXSCORES, SCHEDULE
from nba_assets.registry import ALL_TABLES
from nba_assets.tables.bigquery_schema import bigquery_layout, bigquery_schema
from nba_assets.tables.ddl import duckdb_column, duckdb_create, duckdb_type, quoted
from nba_assets.tables.dictionary import dictionary_page, range_text
from nba_assets.tables.spec import (
    Rule,
    Table,
    before,
    day,
    flag,
    moment,
    number,
    numbers,
    of_its_date,
    of_season,
    text,
    texts,
    whole,
)

TABLE = Table(
    "nba_analytics",
    "small",
    "one player in one game",
    ("game_id", "player"),
    "game_date",
    (
        text("game_id", "Game", nullable=False),
        text("player", "Player", nullable=False),
        day("game_date", "Date", nullable=False),
        whole("margin", "Own points | theirs", unit="points", allowed=(-150, 150)),
        number(
            "pace",
            "48 x possessions / minutes",
            unit="possessions per 48 minutes",
            scale=1,
            allowed=(0, np.inf),
            usual=(75, 130),
        ),
        flag("won", "Won"),
        text("result", "Result", values=("W", "L")),
        moment("seen_at", "When"),
        texts("issues", "Issues", nullable=False),
        numbers("features", "Features"),
    ),
    description="A table of every type.",
    entity_column="player",
    rules=(
        Rule("won_is_positive", "won means a positive margin", lambda rows: rows["won"] != (rows["margin"] > 0)),
        Rule("pace_is_known", "pace is known", lambda rows: np.isnan(rows["pace"]), blocking=False),
    ),
    inputs=(
        before(PLAYER_BOXSCORES.table, days=7),
        before(SCHEDULE.table, own_date=True, part=AHEAD, as_known=True),
        of_its_date(SCHEDULE.table, SLATE),
        of_its_date(GAME_LINES.table),
        of_season(SCHEDULE.table, HOMES),
    ),
)

PAGE = """# Data dictionary

- [nba_analytics.small](#nba_analyticssmall): one player in one game

## nba_analytics.small

A table of every type.

- Grain: one player in one game
- Key: game_id, player
- Stored by: game_date
- Reads: player_boxscores: the 7 days before
- Reads: schedule (games_ahead): the season to date and the date itself, as known before its first tip-off
- Reads: schedule (slate): the date itself
- Reads: game_lines: the date itself
- Reads: schedule (homes): the whole season
- Rule `won_is_positive`: won means a positive margin
- Rule `pace_is_known`: pace is known (warns only)

| column | type | unit | decimals | null | values | meaning |
| --- | --- | --- | --- | --- | --- | --- |
| game_id | STRING |  |  | no |  | Game |
| player | STRING |  |  | no |  | Player |
| game_date | DATE |  |  | no |  | Date |
| margin | INT64 | points |  | yes | -150 to 150 | Own points \\| theirs |
| pace | FLOAT64 | possessions per 48 minutes | 1 | yes | at least 0; usually 75 to 130 | 48 x possessions / minutes |
| won | BOOL |  |  | yes |  | Won |
| result | STRING |  |  | yes | one of W, L | Result |
| seen_at | TIMESTAMP | UTC |  | yes |  | When |
| issues | ARRAY<STRING> |  |  | no |  | Issues |
| features | ARRAY<FLOAT64> |  |  | yes |  | Features |
"""


def test_duckdb_takes_the_ddl_and_spells_columns_as_it_does() -> None:
    """A stored table is compared with its declaration by this spelling."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA nba_analytics")
        connection.execute(duckdb_create(TABLE))
        found = connection.execute(
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = 'small'"
        ).fetchall()
    assert found == [(column.name, duckdb_type(column), column.nullable) for column in TABLE.columns]


def test_ddl_names_types_and_nulls() -> None:
    assert [duckdb_column(TABLE.column(name)) for name in ("game_id", "seen_at", "features")] == [
        '"game_id" VARCHAR NOT NULL',
        '"seen_at" TIMESTAMP WITH TIME ZONE',
        '"features" DOUBLE[]',
    ]


def test_an_identifier_stays_one_whatever_it_contains() -> None:
    odd = replace(TABLE, name='sm"all; DROP SCHEMA x; --')
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA nba_analytics")
        connection.execute(duckdb_create(odd))
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [(odd.name,)]
    assert quoted('a"b') == '"a""b"'


def test_bigquery_is_told_modes_types_and_units() -> None:
    assert [(field["name"], field["type"], field["mode"]) for field in bigquery_schema(TABLE)] == [
        ("game_id", "STRING", "REQUIRED"),
        ("player", "STRING", "REQUIRED"),
        ("game_date", "DATE", "REQUIRED"),
        ("margin", "INT64", "NULLABLE"),
        ("pace", "FLOAT64", "NULLABLE"),
        ("won", "BOOL", "NULLABLE"),
        ("result", "STRING", "NULLABLE"),
        ("seen_at", "TIMESTAMP", "NULLABLE"),
        ("issues", "STRING", "REPEATED"),
        ("features", "FLOAT64", "REPEATED"),
    ]
    assert bigquery_schema(TABLE)[3]["description"] == "Own points | theirs [points]"


def test_bigquery_clusters_by_the_entity_unless_told_otherwise() -> None:
    partitioning = {"timePartitioning": {"type": "DAY", "field": "game_date"}}
    assert bigquery_layout(TABLE) == partitioning | {"clustering": {"fields": ["player"]}}
    assert bigquery_layout(replace(TABLE, cluster_by=("game_id", "player")))["clustering"] == {
        "fields": ["game_id", "player"]
    }
    assert bigquery_layout(replace(TABLE, entity_column=None)) == partitioning


def test_dagster_is_told_everything_that_is_declared() -> None:
    schema = column_schema(TABLE)
    pace = schema.columns[4]
    assert (pace.name, pace.type, pace.description) == (
        "pace",
        "FLOAT64",
        "48 x possessions / minutes [possessions per 48 minutes]",
    )
    assert (pace.constraints.nullable, pace.constraints.unique) == (True, False)
    assert list(pace.constraints.other) == ["at least 0", "usually 75 to 130", "1 decimals"]
    assert schema.columns[0].constraints.nullable is False
    assert list(schema.columns[6].constraints.other) == ["one of W, L"]
    assert schema.constraints is not None
    assert list(schema.constraints.other) == [
        "unique: game_id, player",
        "won means a positive margin",
        "pace is known (warns only)",
    ]
    alone = column_schema(replace(TABLE, key=("game_id",)))
    assert [column.name for column in alone.columns if column.constraints.unique] == ["game_id"]


def test_the_dictionary_says_everything_that_is_declared() -> None:
    assert dictionary_page([TABLE]) == PAGE


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ((0, 100), "0 to 100"),
        ((-0.5, 0.5), "-0.5 to 0.5"),
        ((0, np.inf), "at least 0"),
        ((-np.inf, 5), "at most 5"),
        ((0, 2.0**53), "0 to 9007199254740992"),
    ],
)
def test_ranges_are_said_in_words(bounds: tuple[float, float], words: str) -> None:
    assert range_text(bounds) == words


@pytest.mark.parametrize("name", ALL_TABLES)
def test_every_table_of_the_project_is_told_whole(name: str) -> None:
    table = ALL_TABLES[name]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE SCHEMA {quoted(table.dataset)}")
        connection.execute(duckdb_create(table))
    assert [field["name"] for field in bigquery_schema(table)] == list(table.column_names)
    assert max(len(field["description"]) for field in bigquery_schema(table)) <= 1024, (
        "BigQuery takes no longer descriptions"
    )
    assert bigquery_layout(table)["timePartitioning"]["field"] == table.date_column
    assert [column.name for column in column_schema(table).columns] == list(table.column_names)
    assert all(column.description for column in table.columns)
    page = dictionary_page([table])
    assert all(f"| {column} |" in page for column in table.column_names)


def test_tables_are_known_without_dagster_and_bigquery() -> None:
    """The command line answers at once, and workers start at once, because neither is imported with a table's
    declaration.
    """
    code = (
        "import sys, nba_assets.tables.audit, nba_assets.tables.ddl, nba_assets.tables.dictionary, "
        "nba_assets.tables.digest; sys.exit(' '.join({'dagster', 'google.cloud.bigquery'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
