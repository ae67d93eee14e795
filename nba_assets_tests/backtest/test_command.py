"""The command `backtest` on a warehouse of invented rows: its files, what it prints, and what it refuses in a line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from nba_assets.backtest.player_games import BacktestError, read_player_games
from nba_assets.cli import app
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Column, Table, Type
from nba_assets.training import TrainingSetError
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.backtest.games import FIRST, PLAYERS, TELLING
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.pipeline import build, days_between, ingest_all

STORE, GAMES, CONTEXT = (
    COMPUTED_TABLES[name] for name in ("ml_feature_store", "player_game_summary", "upcoming_player_game_context")
)
DAYS = [FIRST + timedelta(days=day) for day in range(40)]
SKILL = {f"player{number:02d}": 5.0 + 2 * number for number in range(PLAYERS)}
BLANKS: dict[Type, Any] = {
    Type.STRING: "",
    Type.INT64: 0,
    Type.FLOAT64: 0.0,
    Type.BOOL: False,
    Type.DATE: FIRST,
    Type.TIMESTAMP: datetime(2026, 1, 1),
    Type.STRINGS: [],
    Type.FLOATS: [],
}


def blank(column: Column) -> Any:
    return None if column.nullable else column.values[0] if column.values else BLANKS[column.type]


def rows_of(table: Table, rows: Sequence[dict[str, Any]]) -> pa.Table:
    blanks = {column.name: blank(column) for column in table.columns}
    return pa.Table.from_pylist([blanks | row for row in rows], schema=arrow_schema(table))


def write(warehouse: DuckDBWarehouse, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    warehouse.replace([Replacement(table, rows_of(table, rows), DAYS)])


def vectors(skill: float, random: np.random.Generator) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for version, known in FEATURE_VERSIONS.items():
        values = dict.fromkeys(known.names, 0.0) | {TELLING[version]: skill + random.normal(0, 3)}
        found |= {
            known.column("features"): list(values.values()),
            known.column("feature_names"): list(known.names),
            known.column("feature_sources"): ["phase4"] * len(values),
            known.column("feature_version"): known.name,
        }
    return found


@pytest.fixture
def warehouse(own_home: Path) -> DuckDBWarehouse:
    """Forty days of twelve players, of whom the last never plays; odd players have a points line."""
    own_home.mkdir()
    warehouse = DuckDBWarehouse(own_home / "nba.duckdb")
    random = np.random.default_rng(0)
    keys: list[dict[str, Any]] = [
        {"game_date": day, "player_lookup": player, "game_id": f"{day:%Y%m%d}_BOS_LAL"}
        for day in DAYS
        for player in SKILL
    ]
    write(warehouse, STORE, [key | vectors(SKILL[key["player_lookup"]], random) for key in keys])
    write(
        warehouse,
        GAMES,
        [
            key
            | {
                "points": None if dnp else round(SKILL[key["player_lookup"]]),
                "minutes_played": None if dnp else 20.0,
                "is_dnp": dnp,
            }
            for key in keys
            for dnp in [key["player_lookup"] == "player11"]
        ],
    )
    write(
        warehouse,
        CONTEXT,
        [
            key | {"current_points_line": SKILL[key["player_lookup"]] if int(key["player_lookup"][-1]) % 2 else None}
            for key in keys
        ],
    )
    return warehouse


def ran(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["backtest", *map(str, arguments)])


def test_games_are_read_as_they_are_stored(warehouse: DuckDBWarehouse) -> None:
    games = read_player_games(warehouse, DAYS[0], DAYS[-1], ["v1", "v2"])
    rows = [
        row
        for row in warehouse.read(STORE, STORE.column_names, DAYS[0], DAYS[-1]).to_pylist()
        if row["player_lookup"] != "player11"
    ]
    for version, known in FEATURE_VERSIONS.items():
        assert games.vectors[version].tolist() == [row[known.column("features")] for row in rows]
    assert games.dates.tolist() == [row["game_date"] for row in rows]
    assert games.points.tolist() == [SKILL[row["player_lookup"]] for row in rows]
    assert np.isnan(games.points_line).sum() == 40 * 6
    assert (games.listed, games.not_played, games.without_outcome) == (480, 40, 0)
    assert not games.unknown.any()


@pytest.mark.usefixtures("warehouse")
class TestFiles:
    @pytest.fixture(autouse=True)
    def library(self) -> None:
        pytest.importorskip("sklearn", reason="a backtest needs scikit-learn: pip install 'nba-assets[ml]'")

    def test_the_same_command_writes_the_same_bytes(self, tmp_path: Path) -> None:
        found = []
        for name in ("one", "other"):
            outcome = ran(DAYS[0], DAYS[-1], "--seed", 5, "--out", tmp_path / name)
            assert outcome.exit_code == 0, outcome.output
            assert sorted(file.name for file in (tmp_path / name).iterdir()) == ["backtest.html", "backtest.json"]
            found.append([(tmp_path / name / file).read_bytes() for file in ("backtest.json", "backtest.html")])
        assert found[0] == found[1]

    def test_results_are_printed_and_written(self, own_home: Path) -> None:
        outcome = ran(DAYS[0], DAYS[-1])
        assert outcome.exit_code == 0, outcome.output
        results = json.loads((own_home / "backtest" / "backtest.json").read_text())
        assert results["feature_versions"] == {version: known.name for version, known in FEATURE_VERSIONS.items()}
        assert (results["tested_rows"], results["listed_rows"], results["not_played_rows"]) == (11 * 19, 480, 40)
        assert "209 games of players from 2024-12-01 to 2024-12-19, predicted month by month" in outcome.output
        for one in results["overall"]:
            assert f"{one['model']} " in outcome.output
            assert f"{one['mae']:.3f}" in outcome.output
        # The line is what they score.
        assert "95 games with a points line: MAE 0.000 of the line" in outcome.output
        assert len(outcome.output.strip().splitlines()) < 20

    def test_results_as_json_and_of_one_version(self, own_home: Path) -> None:
        outcome = ran(DAYS[0], DAYS[-1], "--feature-version", "v2", "--json")
        assert outcome.exit_code == 0, outcome.output
        assert outcome.output == (own_home / "backtest" / "backtest.json").read_text()
        models = [one["model"] for one in json.loads(outcome.output)["overall"]]
        assert models == ["season average", "last 10", "last 5", "ridge v2", "boosting v2"]

    def test_too_few_dates_leave_what_was_written_before(self, own_home: Path) -> None:
        assert ran(DAYS[0], DAYS[-1]).exit_code == 0
        before = (own_home / "backtest" / "backtest.json").read_bytes()
        outcome = ran(DAYS[0], DAYS[-1], "--by", "season")
        assert isinstance(outcome.exception, BacktestError)
        assert str(outcome.exception).endswith("or --by month")
        assert (own_home / "backtest" / "backtest.json").read_bytes() == before

    def test_dates_without_features_are_refused(self) -> None:
        outcome = ran("2023-01-01", "2023-02-01")
        assert isinstance(outcome.exception, BacktestError)
        assert str(outcome.exception).startswith(
            "no features are stored from 2023-01-01 to 2023-02-01; build them with"
        )

    def test_games_that_are_not_over_are_refused(self, warehouse: DuckDBWarehouse) -> None:
        write(warehouse, GAMES, [])
        outcome = ran(DAYS[0], DAYS[-1])
        assert isinstance(outcome.exception, BacktestError)
        assert "none of the 480 rows from 2024-11-10 to 2024-12-19 has a played game" in str(outcome.exception)


@pytest.mark.slow
def test_a_simulated_league_can_be_tried(tmp_path: Path, own_home: Path) -> None:
    pytest.importorskip("sklearn", reason="a backtest needs scikit-learn: pip install 'nba-assets[ml]'")
    season = write_season(tmp_path / "landing", 2024, teams=SMALL_LEAGUE["teams"], games_per_team=24)
    own_home.mkdir()
    warehouse, days = DuckDBWarehouse(own_home / "nba.duckdb"), days_between(season.first_date, season.last_date)
    ingest_all(warehouse, tmp_path / "landing", days)
    build(warehouse, days)
    outcome = ran(days[0], days[-1])
    assert outcome.exit_code == 0, outcome.output
    results = json.loads((own_home / "backtest" / "backtest.json").read_text())
    mae = {one["model"]: one["mae"] for one in results["overall"]}
    assert mae["ridge v2"] < 1.1 * mae["season average"]
    assert results["with_line"][0]["model"] == "points line"


def test_features_of_older_code_are_refused(warehouse: DuckDBWarehouse) -> None:
    """A warehouse that gained the columns of the second version has nothing in them until it is built anew."""
    rows = warehouse.read(STORE, STORE.column_names, DAYS[0], DAYS[-1])
    for name in ("features_v2", "feature_version_v2"):
        place = rows.column_names.index(name)
        rows = rows.set_column(place, rows.field(place), pa.nulls(rows.num_rows, rows.field(place).type))
    warehouse.replace([Replacement(STORE, rows, DAYS)])
    assert len(read_player_games(warehouse, DAYS[0], DAYS[-1], ["v1"]).points) == 440
    with pytest.raises(
        TrainingSetError, match=r"hold features of an older version, not of v2_minutes_\d+; build them anew"
    ):
        read_player_games(warehouse, DAYS[0], DAYS[-1], ["v2"])


def test_without_the_library_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    outcome = ran(date(2024, 11, 1), date(2024, 12, 1))
    assert isinstance(outcome.exception, BacktestError)
    assert (
        str(outcome.exception) == "a backtest needs scikit-learn, and there is no sklearn: pip install 'nba-assets[ml]'"
    )


def test_the_library_is_imported_by_the_work_of_the_command_alone() -> None:
    code = "import sys, nba_assets.cli, nba_assets.backtest.walk_forward; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
