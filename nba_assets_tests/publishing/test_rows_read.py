"""What is read to note the inputs of a run is what the run computes from: it is not read again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.analytics.people import People
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.input_state import InputState, RowsRead
from nba_assets.publishing.lineage import note_inputs
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_REGISTRY, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES, TABLE_MODULES
from nba_assets.settings import Settings
from nba_assets.tables.columns import arrow_schema, to_columns
from nba_assets.tables.spec import of_season
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import NOW

FIRST = date(2019, 10, 22)
BUBBLE = date(2020, 9, 30)
"""The season of 2019-20 went on until October: its registry stands more than a year before."""


def game(day: date, status: int = 3) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(SCHEDULE.table.column_names)
    return blank | {
        "game_id": f"{day:%Y%m%d}_LAL_BOS",
        "game_date": day,
        "season_year": 2019,
        "home_team_abbr": "BOS",
        "away_team_abbr": "LAL",
        "home_team_score": 100,
        "away_team_score": 90,
        "is_regular_season": day < date(2020, 8, 15),
        "is_playoffs": day >= date(2020, 8, 15),
        "game_status": status,
        "processed_at": NOW,
    }


def registered(lookup: str, team: str = "BOS", universal_id: str | None = None) -> dict[str, Any]:
    blank: dict[str, Any] = dict.fromkeys(PLAYER_REGISTRY.table.column_names)
    return blank | {
        "season_start": date(2019, 7, 1),
        "season": "2019-20",
        "player_lookup": lookup,
        "team_abbr": team,
        "universal_player_id": universal_id or f"{lookup}_001",
        "processed_at": NOW,
    }


def put(warehouse: Any, table: Any, rows: list[dict[str, Any]]) -> None:
    days = sorted({row[table.date_column] for row in rows})
    warehouse.replace([Replacement(table, pa.Table.from_pylist(rows, schema=arrow_schema(table)), days)])


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    found = DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)
    put(found, SCHEDULE.table, [game(FIRST), game(FIRST + timedelta(days=1)), game(BUBBLE)])
    put(found, PLAYER_REGISTRY.table, [registered("jaysontatum"), registered("lebronjames", "LAL")])
    return found


def run_of(warehouse: Any, name: str, day: date = FIRST) -> TableRun:
    settings = Settings.from_environment({})
    return TableRun(COMPUTED_TABLES[name], [day], warehouse, ParallelEntities.serial(), settings, "run", NOW)


@pytest.mark.parametrize("name", TABLE_MODULES)
def test_a_run_reads_the_schedule_once(warehouse: DuckDBWarehouse, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(warehouse, name)
    note_inputs(run)
    expected = warehouse.read(SCHEDULE.table, ["game_id", "game_date"], date.min, date.max).to_pydict()
    monkeypatch.setattr(DuckDBWarehouse, "read", None)
    assert run.schedule["game_id"].tolist() == expected["game_id"]
    assert run.game_days.tolist() == [FIRST]


def test_a_run_computes_from_the_rows_whose_state_it_records(warehouse: DuckDBWarehouse) -> None:
    run = run_of(warehouse, "team_offense_game_summary")
    before = note_inputs(run)
    put(warehouse, SCHEDULE.table, [game(FIRST, status=4)])
    assert run.game_days.tolist() == [FIRST]
    now = note_inputs(run_of(warehouse, "team_offense_game_summary"))
    inputs, days = run.table.inputs, run.days
    assert {name for name, digest in before.digests(inputs, days).items() if now.digests(inputs, days)[name] != digest}


def test_the_rows_of_a_run_are_its_own_to_change(warehouse: DuckDBWarehouse) -> None:
    run = run_of(warehouse, "team_offense_game_summary")
    note_inputs(run)
    run.read(SCHEDULE.table, ("game_id",))["game_id"][:] = "changed"
    assert run.read(SCHEDULE.table, ("game_id",))["game_id"].tolist() == ["20191022_LAL_BOS"]


def test_what_was_not_read_is_not_answered() -> None:
    columns = to_columns(pa.Table.from_pylist([game(FIRST), game(BUBBLE)], schema=arrow_schema(SCHEDULE.table)))
    held = {name: columns[name] for name in ("game_id", "game_date")}
    state = InputState({}, {}, None, rows=[RowsRead(SCHEDULE.table, {}, FIRST, BUBBLE, held)])  # type: ignore[arg-type]

    def found(
        names: tuple[str, ...] = ("game_id",), start: date = FIRST, end: date = BUBBLE, **where: bool
    ) -> list[str] | None:
        rows = state.rows_read(SCHEDULE.table, names, start, end, where)
        return None if rows is None else rows["game_id"].tolist()

    assert found() == ["20191022_LAL_BOS", "20200930_LAL_BOS"]
    assert found(start=FIRST + timedelta(days=1)) == ["20200930_LAL_BOS"]
    assert found(end=BUBBLE - timedelta(days=1)) == ["20191022_LAL_BOS"]
    assert found(start=FIRST - timedelta(days=1)) is None
    assert found(end=BUBBLE + timedelta(days=1)) is None
    assert found(("game_id", "season_year")) is None
    assert found(is_playoffs=True) is None
    assert state.rows_read(PLAYER_REGISTRY.table, ("game_id",), FIRST, BUBBLE, {}) is None


def test_a_registry_of_more_than_a_year_ago_counts_for_the_last_games_of_its_season(
    warehouse: DuckDBWarehouse,
) -> None:
    def recorded() -> str:
        run = run_of(warehouse, "player_shot_zone_analysis", BUBBLE)
        note_inputs(run)
        assert run.season_dated == date(2019, 7, 1)
        assert set(People.of(run).seasons) == {2019}
        return run.built_from[BUBBLE]

    before = recorded()
    put(warehouse, PLAYER_REGISTRY.table, [registered("jaysontatum"), registered("tacofall")])
    assert recorded() != before


@pytest.mark.parametrize(
    ("rows", "is_the_same"),
    [
        ([registered("jaysontatum", "LAL"), registered("tacofall")], True),  # he was traded
        ([registered("jaysontatum"), registered("jaysontatum", "LAL"), registered("tacofall")], True),
        ([registered("jaysontatum")], False),
        ([registered("jaysontatum"), registered("tacofall", universal_id="tacofall_002")], False),
        ([registered("jaysontatum"), registered("tacofall"), registered("tacofall", "LAL", "another_001")], False),
    ],
)
def test_who_is_who_is_the_input_and_not_for_whom_he_plays(rows: list[dict[str, Any]], is_the_same: bool) -> None:
    (source,) = [each for each in COMPUTED_TABLES["player_game_summary"].inputs if each.table is PLAYER_REGISTRY.table]
    assert source.part is not None

    def digest(entries: list[dict[str, Any]]) -> int:
        warehouse = MemoryWarehouse()
        put(warehouse, SCHEDULE.table, [game(FIRST)])
        put(warehouse, PLAYER_REGISTRY.table, entries)
        inputs = [of_season(PLAYER_REGISTRY.table, source.part)]
        state = InputState.read(warehouse, inputs, FIRST, FIRST)
        return int(state.digests(inputs, np.array([FIRST], dtype="M8[D]"))[inputs[0].name][0])

    as_it_was = [registered("jaysontatum"), registered("tacofall")]
    assert (digest(as_it_was) == digest(rows)) is is_the_same
    assert digest([*rows[::-1]]) == digest(rows)


def test_the_team_counts_for_two_of_one_key() -> None:
    (source,) = [each for each in COMPUTED_TABLES["player_game_summary"].inputs if each.table is PLAYER_REGISTRY.table]
    assert source.part is not None
    elements = source.part.elements

    def hashes(*entries: dict[str, Any]) -> set[int]:
        rows = to_columns(pa.Table.from_pylist(list(entries), schema=arrow_schema(PLAYER_REGISTRY.table)))
        return set(elements(rows)[1].tolist())

    other = registered("jaysontatum", "LAL", "another_001")
    assert hashes(registered("jaysontatum"), other) != hashes(registered("jaysontatum", "NYK"), other)
