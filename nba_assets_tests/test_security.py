"""Nothing listens beyond this machine, no secret is written down, and no name or value becomes part of a statement."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nba_assets
from nba_assets.orchestration.ui import HOST
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import ALL_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.ddl import quoted
from nba_assets.tables.spec import Table, day, text
from nba_assets.warehouse.address import AddressError, BigQueryAddress
from nba_assets.warehouse.bigquery import _restriction
from nba_assets.warehouse.bigquery_script import Write, literal
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.dagster_server import UI, dagster_server, graphql
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import Season
from nba_assets_tests.test_postgres import SENSOR, partitions, until

DAY, NOW = date(2021, 11, 15), datetime(2021, 11, 17, 12, tzinfo=UTC)
HOSTILE = ("'", '"', "`", "\\", "\\'", "--", ";", "/*", "*/", "\n", "\r", "$$", "?", "%s", "{x}", "\x00", "\u2028", "é")
texts = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=4)), max_size=6).map("".join)
"""Texts that would end a literal, an identifier or a statement."""


def test_the_ui_and_whatever_else_listens_does_so_on_this_machine_alone() -> None:
    source = Path(nba_assets.__file__).parent
    assert HOST == "127.0.0.1"
    everywhere = re.compile(r"""0\.0\.0\.0|["']::["']|INADDR_ANY""")
    assert [str(file) for file in source.rglob("*.py") if everywhere.search(file.read_text())] == []


def test_the_settings_do_not_show_a_secret() -> None:
    settings = Settings.from_environment({"NBA_ASSETS_ALERT_WEBHOOK": "https://hooks.example/planted"})
    assert settings.alert_webhook is not None
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "planted" not in shown


class Planted:
    """Secrets in the environment and in a key file, all of which hold the same word."""

    WORD = "planted5ecret"

    def __init__(self, folder: Path) -> None:
        self.key = folder / "key.json"
        self.key.write_text(f'{{"private_key": "{self.WORD}"}}')
        self.environment = {
            "NBA_ASSETS_ALERT_WEBHOOK": f"http://127.0.0.1:1/{self.WORD}",
            "DAGSTER_POSTGRES_PASSWORD": self.WORD,
            "ODDS_API_KEY": self.WORD,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.key),
            "AWS_SECRET_ACCESS_KEY": self.WORD,
        }

    def written(self, home: Path) -> list[str]:
        """The files of a home that hold the word, tables of the warehouse read row by row."""
        word = self.WORD.encode()
        files = [path for path in sorted(home.rglob("*")) if path.is_file()]
        found = [str(path) for path in files if word in path.read_bytes()]
        with duckdb.connect(str(home / "nba.duckdb"), read_only=True) as warehouse:
            for (name,) in warehouse.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall():
                if self.WORD in str(warehouse.execute(f"SELECT * FROM {name}").fetchall()):
                    found.append(name)
        return found


@pytest.mark.slow
def test_a_planted_secret_is_nowhere_in_the_instance_the_logs_and_the_tables(own_home: Path, tmp_path: Path) -> None:
    """After runs of the command line and of a sensor, and one that fails, of which an alert is sent in vain."""
    season = Season(tmp_path / "season", write_season(tmp_path / "season", 2024, **SMALL_LEAGUE))
    opening, landing = season.summary.first_date, own_home / "landing"
    built, late = opening + timedelta(days=2), opening + timedelta(days=3)
    season.land_all(landing, opening, built)
    planted = Planted(tmp_path)
    environment = {**os.environ, **planted.environment}
    output = run("backfill", opening, built, environment=environment)
    output += run("doctor", environment=environment)
    with dagster_server(environment, tmp_path / "ui.log") as server:
        start = "mutation($sensor: SensorSelector!) { startSensor(sensorSelector: $sensor) { __typename } }"
        assert graphql(server, start, sensor=SENSOR)["startSensor"]["__typename"] == "Sensor"
        season.land_all(landing, late, late)
        until(lambda: ("player_game_summary", late) in partitions(own_home), tmp_path / "ui.log")
        with DuckDBWarehouse(own_home / "nba.duckdb")._connection() as opened:
            opened.connection.execute("ALTER TABLE nba_raw.schedule ADD COLUMN stray INTEGER")
        failed = run("run", late, "--ingest", environment=environment)
        assert "stray" in failed
        until(lambda: said_in(own_home, b"the alert was not delivered"), tmp_path / "ui.log")
    output += failed + (tmp_path / "ui.log").read_text()
    assert planted.WORD not in output
    assert planted.written(own_home) == []


def said_in(home: Path, words: bytes) -> bool:
    """Whether any file of a home holds the words."""
    return any(words in path.read_bytes() for path in home.rglob("*") if path.is_file())


def run(*arguments: object, environment: Mapping[str, str]) -> str:
    """What a command prints."""
    command = [UI[0], *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    return done.stdout + done.stderr


def test_names_in_tables_are_plain() -> None:
    names = {
        name
        for table in ALL_TABLES.values()
        for name in (table.dataset, table.name, *table.column_names, *table.key, table.date_column)
    }
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


def test_any_name_is_one_identifier_to_duckdb() -> None:
    names = texts.filter(lambda name: name and "\x00" not in name)

    @given(st.lists(names, min_size=2, max_size=2, unique_by=str.lower))
    def is_one(pair: list[str]) -> None:
        table, column = pair
        connection.execute(f"CREATE TABLE {quoted(table)} ({quoted(column)} INTEGER)")
        found = "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        assert connection.execute(found).fetchall() == [(table, column)]
        connection.execute(f"DROP TABLE {quoted(table)}")

    with duckdb.connect() as connection:
        is_one()


def test_any_value_and_any_name_comes_back_from_duckdb_as_it_was(tmp_path: Path) -> None:
    hostile = Table(
        "nba_analytics",
        "x\"; DROP TABLE 'y",
        "one row",
        ("game_date", 'it\'s "mine" -- ;'),
        "game_date",
        (day("game_date", "Date", nullable=False), text('it\'s "mine" -- ;', "Name", nullable=False)),
    )
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=60)
    name = hostile.key[1]

    @given(st.lists(texts.filter(lambda value: "\x00" not in value), min_size=1, max_size=5, unique=True))
    def comes_back(values: list[str]) -> None:
        rows = pa.table({"game_date": [DAY] * len(values), name: values}, arrow_schema(hostile))
        warehouse.replace([Replacement(hostile, rows, [DAY])])
        for value in values:
            assert warehouse.read(hostile, (name,), DAY, DAY, {name: value})[name].to_pylist() == [value]
        assert sorted(warehouse.read(hostile, (name,), DAY, DAY)[name].to_pylist()) == sorted(values)
        one = rows.slice(0, 1)
        warehouse.replace([Replacement(hostile, one, [DAY], {name: values[0]})])
        assert warehouse.read(hostile, (name,), DAY, DAY).num_rows == len(values)

    comes_back()
    warehouse.close()


@given(texts.filter(lambda value: "\x00" not in value))
def test_a_text_is_one_literal_of_bigquery_that_means_itself(value: str) -> None:
    """Python reads such a literal as GoogleSQL does: the same quotes, and the same escapes."""
    assert ast.literal_eval(literal(value)) == value
    assert "\n" not in literal(value)
    assert "\r" not in literal(value)


@given(texts, st.dates())
def test_a_script_has_as_many_statements_whatever_a_scope_holds(value: str, when: date) -> None:
    scope = Table(
        "nba_analytics",
        "t",
        "one row",
        ("d", "n"),
        "d",
        (day("d", "Date", nullable=False), text("n", "Name", nullable=False)),
    )
    rows = pa.table({"d": [when], "n": [value]}, arrow_schema(scope))
    script = Write([Replacement(scope, rows, [when], {"n": value})], [], lambda _: "`p.t`", NOW).script("`s`")
    assert re.sub(r"'(?:[^'\\]|\\.)*'", "''", script).count(";") == 4


@given(st.lists(texts, min_size=1, max_size=3))
def test_a_restriction_of_a_read_holds_words_alone(values: list[str]) -> None:
    restriction = _restriction("n", values)
    assert restriction is None or re.fullmatch(r"`n` IN \('\w+'(, '\w+')*\)", restriction)


@given(texts, texts, texts)
@example("[", "", "")
@example("p", "", "max_gb=²")
def test_an_address_names_plain_datasets_or_is_refused(project: str, prefix: str, query: str) -> None:
    try:
        address = BigQueryAddress.parse(f"bigquery://{project}/{prefix}?{query}")
    except AddressError:
        return
    assert re.fullmatch(r"[a-z][a-z0-9.:-]*\.\w+", address.dataset("nba_raw"), re.ASCII)
