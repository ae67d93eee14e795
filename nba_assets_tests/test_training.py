"""Training sets: the stored vectors beside what happened, cell by cell, and nothing else from after the game."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import nba_assets
from nba_assets.cli import app
from nba_assets.commands.options import FeatureVersion
from nba_assets.export import Format, FormatError
from nba_assets.precompute.feature_lists import FEATURE_VERSIONS
from nba_assets.precompute.features import FEATURES, VERSION
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.training import (
    ABOUT,
    OUTCOMES,
    ExtraColumn,
    Selection,
    TrainingSetError,
    export_training_set,
    training_set,
)
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.pipeline import build, days_between, ingest_all

STORE, GAMES, CONTEXT, TEAMS = (
    COMPUTED_TABLES[name]
    for name in (
        "ml_feature_store",
        "player_game_summary",
        "upcoming_player_game_context",
        "upcoming_team_game_context",
    )
)
EXTRA = ("upcoming_player_game_context.game_total", "upcoming_team_game_context.team_days_rest")


@pytest.fixture(scope="module")
def league(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, date, date]:
    """A warehouse of five weeks of a small league, and the dates after its first two weeks."""
    folder = tmp_path_factory.mktemp("training")
    season = write_season(folder / "landing", 2024, **SMALL_LEAGUE)
    days = days_between(season.first_date, season.first_date + timedelta(days=34))
    warehouse = DuckDBWarehouse(folder / "nba.duckdb")
    ingest_all(warehouse, folder / "landing", days)
    build(warehouse, days)
    return warehouse.path, days[14], days[-1]


@pytest.fixture
def warehouse(league: tuple[Path, date, date], own_home: Path) -> DuckDBWarehouse:
    """A copy of the test's own, where the settings look for it."""
    own_home.mkdir()
    shutil.copy(league[0], own_home / "nba.duckdb")
    return DuckDBWarehouse(own_home / "nba.duckdb")


def stored(warehouse: DuckDBWarehouse, name: str, start: date, end: date) -> dict[tuple[date, str], dict[str, Any]]:
    table = COMPUTED_TABLES[name]
    rows = warehouse.read(table, table.column_names, start, end).to_pylist()
    return {(row[table.date_column], row[str(table.entity_column)]): row for row in rows}


def test_every_cell_is_that_of_the_tables(league: tuple[Path, date, date], warehouse: DuckDBWarehouse) -> None:
    _, start, end = league
    found = training_set(warehouse, start, end, EXTRA).to_pylist()
    vectors, games, contexts, teams = (
        stored(warehouse, table.name, start, end) for table in (STORE, GAMES, CONTEXT, TEAMS)
    )
    assert [(row["game_date"], row["player_lookup"]) for row in found] == sorted(vectors)
    assert {row["played"] for row in found} == {True, False}
    for row in found:
        key = row["game_date"], row["player_lookup"]
        vector, game, context = vectors[key], games[key], contexts[key]
        assert [row[feature.name] for feature in FEATURES] == vector["features"]
        assert {name: row[name] for name in ("game_id", "feature_version", "quality_tier", "feature_sources")} == {
            name: vector[name] for name in ("game_id", "feature_version", "quality_tier", "feature_sources")
        }
        assert (row["played"], row["minutes"], row["points"]) == (
            not game["is_dnp"],
            game["minutes_played"],
            game["points"],
        )
        assert row["team_abbr"] == context["team_abbr"]
        assert [row[name] for name in EXTRA] == [
            context["game_total"],
            teams[row["game_date"], row["team_abbr"]]["team_days_rest"],
        ]


def test_the_second_version_has_its_features_and_the_same_of_all_else(
    league: tuple[Path, date, date], warehouse: DuckDBWarehouse
) -> None:
    _, start, end = league
    known, first, second = (
        FEATURE_VERSIONS["v2"],
        training_set(warehouse, start, end, EXTRA),
        training_set(warehouse, start, end, EXTRA, feature_version="v2"),
    )
    stored_rows = stored(warehouse, STORE.name, start, end)
    assert second.num_rows == first.num_rows == len(stored_rows)
    for row in second.to_pylist():
        vector = stored_rows[row["game_date"], row["player_lookup"]]
        assert [row[name] for name in known.names] == vector["features_v2"]
        for name in ("feature_version", "feature_sources", "feature_quality_score", "quality_tier", "data_source"):
            assert row[name] == vector[f"{name}_v2"]
    assert set(second["feature_version"].to_pylist()) == {known.name}
    shared = [name for name in first.column_names if name in second.column_names and name not in ABOUT]
    assert {"points", "points_avg_season", *EXTRA} < set(shared)
    assert first.select(shared).equals(second.select(shared))


def test_a_game_without_a_summary_has_features_and_no_outcome(
    league: tuple[Path, date, date], warehouse: DuckDBWarehouse
) -> None:
    _, start, end = league
    before = training_set(warehouse, start, end)
    last = before["game_date"][-1].as_py()
    warehouse.replace([Replacement(GAMES, pa.table(warehouse.read(GAMES, GAMES.column_names, last, last))[:0], [last])])
    after = training_set(warehouse, start, end)
    assert after.drop_columns(list(OUTCOMES)).equals(before.drop_columns(list(OUTCOMES)))
    assert {tuple(row.values()) for row in after.select(list(OUTCOMES)).to_pylist()[-1:]} == {(None, None, None)}


def test_nothing_of_a_game_reaches_its_features(league: tuple[Path, date, date], warehouse: DuckDBWarehouse) -> None:
    """Whatever the summaries of the dates say, only the outcomes change."""
    _, start, end = league
    before = training_set(warehouse, start, end, EXTRA)
    rows = warehouse.read(GAMES, GAMES.column_names, start, end)
    place = rows.column_names.index("points")
    poisoned = rows.set_column(place, rows.field(place), pa.array([70] * rows.num_rows, rows.field(place).type))
    warehouse.replace([Replacement(GAMES, poisoned, days_between(start, end))])
    after = training_set(warehouse, start, end, EXTRA)
    assert set(after["points"].to_pylist()) == {70}
    assert after.drop_columns(["points"]).equals(before.drop_columns(["points"]))


@pytest.mark.parametrize("name", [f"{GAMES.name}.points", f"{GAMES.name}.is_dnp", "team_offense_game_summary.pace"])
def test_a_column_that_is_known_after_the_game_is_refused(name: str) -> None:
    with pytest.raises(TrainingSetError, match=f"{name} is known only after the game and cannot be a feature"):
        ExtraColumn.parse(name)


@pytest.mark.parametrize("name", ["game_total", "nothing.game_total", f"{CONTEXT.name}.nothing", ""])
def test_a_column_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(TrainingSetError, match=r"is no column; write TABLE\.COLUMN"):
        ExtraColumn.parse(name)


def test_features_of_another_version_are_refused(league: tuple[Path, date, date], warehouse: DuckDBWarehouse) -> None:
    _, start, end = league
    last = training_set(warehouse, start, end)["game_date"][-1].as_py()
    rows = warehouse.read(STORE, STORE.column_names, last, last)
    place = rows.column_names.index("feature_version")
    older = rows.set_column(place, rows.field(place), pa.array(["v0"] * rows.num_rows))
    warehouse.replace([Replacement(STORE, older, [last])])
    with pytest.raises(
        TrainingSetError, match=rf"from {last} on hold features of v0, not of {VERSION}; .*--stale-code"
    ):
        training_set(warehouse, start, end)


@pytest.mark.parametrize("kind", list(Format))
def test_the_file_holds_the_table_and_its_manifest_says_what_it_was_made_of(
    league: tuple[Path, date, date], warehouse: DuckDBWarehouse, tmp_path: Path, kind: Format
) -> None:
    _, start, end = league
    file = tmp_path / "new" / f"set.{kind}"
    written = export_training_set(warehouse, start, end, file, kind, EXTRA)
    whole = training_set(warehouse, start, end, EXTRA)
    assert written.rows == whole.num_rows > 0
    if kind is Format.PARQUET:
        assert pq.read_table(file).equals(whole)
    else:
        with file.open(encoding="utf-8", newline="") as text:
            lines = list(csv.DictReader(text))
        assert [line["player_lookup"] for line in lines] == whole["player_lookup"].to_pylist()
        assert [float(line["points_avg_season"]) for line in lines] == whole["points_avg_season"].to_pylist()
    manifest = json.loads(Path(f"{file}.manifest.json").read_text())
    assert {path.name for path in file.parent.iterdir()} == {file.name, f"{file.name}.manifest.json"}
    assert (manifest["rows"], manifest["rows_played"]) == (whole.num_rows, sum(whole["played"].to_pylist()))
    assert (manifest["feature_version"], manifest["columns"]) == (VERSION, whole.column_names)
    assert set(manifest["tables"]) == {STORE.name, GAMES.name, CONTEXT.name, TEAMS.name}
    assert manifest["tables"][STORE.name]["dates"] == (end - start).days + 1
    assert manifest["tables"][STORE.name]["code_versions"] == [STORE.code_version]


def test_the_manifest_changes_with_a_digest_and_with_nothing_else(
    league: tuple[Path, date, date], warehouse: DuckDBWarehouse, tmp_path: Path
) -> None:
    _, start, end = league

    def manifest() -> Any:
        export_training_set(warehouse, start, end, tmp_path / "set.parquet", Format.PARQUET)
        return json.loads((tmp_path / "set.parquet.manifest.json").read_text())

    before = manifest()
    assert manifest() == before
    scope = {"table_name": GAMES.name}
    entry = warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, end, end, scope)
    place = entry.column_names.index("digest")
    warehouse.replace(
        [Replacement(TABLE_PARTITIONS, entry.set_column(place, "digest", pa.array(["f" * 16])), [end], scope)]
    )
    after = manifest()
    assert after["tables"][GAMES.name]["digest"] != before["tables"][GAMES.name]["digest"]
    assert after["tables"][STORE.name] == before["tables"][STORE.name]


def test_no_dates_give_an_empty_table_of_the_same_columns(warehouse: DuckDBWarehouse) -> None:
    found = training_set(warehouse, date(2030, 1, 1), date(2030, 1, 2), EXTRA)
    assert found.num_rows == 0
    assert found.schema == Selection.of(EXTRA).schema
    assert len(set(found.column_names)) == len(found.column_names)


@pytest.mark.usefixtures("warehouse")
class TestCommand:
    def test_the_command_and_the_python_call_give_the_same(
        self, league: tuple[Path, date, date], tmp_path: Path
    ) -> None:
        _, start, end = (str(part) for part in league)
        file = tmp_path / "set.parquet"
        arguments = ["export", "--training-set", start, end, "--with", EXTRA[0], "--out", str(file)]
        outcome = CliRunner().invoke(app, arguments)
        assert outcome.exit_code == 0, outcome.output
        called = nba_assets.training_set(start, end, [EXTRA[0]])
        assert pq.read_table(file).equals(called)
        assert f"{called.num_rows:,} rows" in outcome.output

    def test_both_give_the_second_version(self, league: tuple[Path, date, date], tmp_path: Path) -> None:
        _, start, end = (str(part) for part in league)
        file = tmp_path / "set.parquet"
        outcome = CliRunner().invoke(
            app, ["export", "--training-set", start, end, "--feature-version", "v2", "--out", str(file)]
        )
        assert outcome.exit_code == 0, outcome.output
        assert pq.read_table(file).equals(nba_assets.training_set(start, end, feature_version="v2"))
        assert json.loads(Path(f"{file}.manifest.json").read_text())["feature_version"] == FEATURE_VERSIONS["v2"].name

    @pytest.mark.parametrize("requested", [[], ["--format", "csv"]])
    def test_the_suffix_of_the_file_is_its_format(
        self, requested: list[str], league: tuple[Path, date, date], tmp_path: Path
    ) -> None:
        _, start, _ = (str(part) for part in league)
        file = tmp_path / "set.CSV"
        outcome = CliRunner().invoke(app, ["export", "--training-set", start, "--out", str(file), *requested])
        assert outcome.exit_code == 0, outcome.output
        assert file.read_text().startswith('"game_date","game_id"')

    @pytest.mark.parametrize(
        ("name", "requested", "said"),
        [
            ("set.xyz", [], "does not say its format; name a file that ends in .parquet or .csv"),
            ("set", ["--format", "csv"], "does not say its format"),
            ("set.parquet", ["--format", "csv"], "is a file of format parquet, and --format says csv"),
        ],
    )
    def test_a_suffix_without_a_format_or_with_another_than_requested_is_refused(
        self, name: str, requested: list[str], said: str, tmp_path: Path
    ) -> None:
        outcome = CliRunner().invoke(app, ["export", "--training-set", "--out", str(tmp_path / name), *requested])
        assert isinstance(outcome.exception, FormatError)
        assert said in str(outcome.exception)
        assert not list(tmp_path.glob("set*"))

    def test_versions_of_the_command_are_those_that_are_stored(self) -> None:
        assert [str(version) for version in FeatureVersion] == list(FEATURE_VERSIONS)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--training-set", "--out", "."], "is a folder; name a file"),
            (["--training-set", "player_daily_cache", "--out", "x"], "leave out player_daily_cache"),
            (["--with", EXTRA[0], "--out", "x"], "is for --training-set"),
            (["--feature-version", "v2", "--out", "x"], "is for --training-set"),
            (["--out", __file__], "is a file; name a folder"),
        ],
    )
    def test_options_that_contradict_each_other_are_not_understood(self, arguments: list[str], said: str) -> None:
        outcome = CliRunner().invoke(app, ["export", *arguments])
        assert outcome.exit_code == 2
        assert said in " ".join(outcome.output.replace("│", " ").split())


@pytest.mark.usefixtures("warehouse")
def test_the_example_learns_something(league: tuple[Path, date, date]) -> None:
    _, start, end = league
    days = sorted(set(nba_assets.training_set(start, end)["game_date"].to_pylist()))
    example = Path(nba_assets.__file__).parents[1] / "examples" / "points_baseline.py"
    dates = [str(day) for day in (start, days[len(days) // 2], end)]
    outcome = subprocess.run(
        [sys.executable, str(example), *dates], capture_output=True, text=True, timeout=300, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    average, learnt = (float(value) for value in re.findall(r": ([\d.]+) points", outcome.stdout))
    assert 0 < learnt < 1.2 * average
