"""What was served: vectors as they first stood before tip-off, whatever is corrected, rebuilt or raced later."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import nba_assets
from nba_assets.automation.staleness import ANNOUNCEMENTS
from nba_assets.cli import app
from nba_assets.export import SLICE_DAYS, Format
from nba_assets.orchestration import computed_assets
from nba_assets.partitions import LEAGUE_TIMEZONE, league_today
from nba_assets.precompute.features import FEATURES, VERSION
from nba_assets.precompute.features_v2 import VERSION_V2
from nba_assets.precompute.ml_feature_store import TABLE as STORE
from nba_assets.publishing.publication import Publication
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.settings import Settings
from nba_assets.skew import CAUSES, FeatureSkew, Skew, _cause, skew
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.served import SERVED_FEATURES, VECTOR, vectors
from nba_assets.tables.spec import FeatureList, Table
from nba_assets.training import FEATURES_OF, OUTCOMES, TrainingSetError, export_training_set, training_set
from nba_assets.warehouse import duckdb as duckdb_warehouse
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Changed, Insertion, OvertakenError, Replacement, WriteFacts
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import ENVIRONMENT, OPENING, Season, days_of, give_points
from nba_assets_tests.pipeline import ingest_all, one_connection, prepared, table_run
from nba_assets_tests.poison import Poison, poisoned

BEFORE, NIGHT = date(2024, 11, 2), date(2024, 11, 3)
"""The last date with results, and the one that is described before its two games."""
NOON = datetime(2024, 11, 3, 17, tzinfo=UTC)
FIRST_TIP, SECOND_TIP = datetime(2024, 11, 3, 20, 30, tzinfo=UTC), datetime(2024, 11, 4, 0, 0, tzinfo=UTC)
NEXT_DAY = datetime(2024, 11, 4, 17, tzinfo=UTC)
HOUR, INSTANT = timedelta(hours=1), timedelta(microseconds=1)
SETTINGS = Settings.from_environment(ENVIRONMENT)
OF_LIST = [column.name for column in VECTOR]

Row = dict[str, Any]


class Home:
    """A landing zone and its warehouse, both of the test's own."""

    def __init__(self, folder: Path, season: Season) -> None:
        self.folder, self.landing, self.season = folder, folder / "landing", season
        self.warehouse = DuckDBWarehouse(folder / "nba.duckdb")

    def ingest(self, *days: date, now: datetime = NOON, tables: Sequence[str] = tuple(RAW_TABLES)) -> None:
        ingest_all(self.warehouse, self.landing, days, tables, now=now)

    def build(self, names: Sequence[str], days: Sequence[date], moment: datetime, run_id: str = "run") -> None:
        for name in names:
            self.prepared(name, days, moment, run_id).write()

    def prepared(self, name: str, days: Sequence[date], moment: datetime, run_id: str = "run") -> Publication:
        """A run whose games begin as seen at a moment."""
        return prepared(
            table_run(
                self.warehouse, name, days, settings=SETTINGS, run_id=run_id, now=moment - HOUR, clock=lambda: moment
            )
        )

    def store(self, moment: datetime, run_id: str = "run", days: Sequence[date] = (NIGHT,)) -> None:
        """Build the feature store."""
        self.build([STORE.name], days, moment, run_id)

    def rows(self, table: Table, day: date = NIGHT) -> list[Row]:
        found: list[Row] = self.warehouse.read(table, table.column_names, day, day).to_pylist()
        return found

    @property
    def served(self) -> list[Row]:
        return self.rows(SERVED_FEATURES)

    @property
    def served_first(self) -> list[Row]:
        """Those of the first version of the features."""
        return [row for row in self.served if row["feature_version"] == VERSION]

    @property
    def games(self) -> dict[str, str]:
        """The games of the players who were served."""
        return {row["player_lookup"]: row["game_id"] for row in self.served}

    def change_schedule(self, game_id: str, **changes: Any) -> None:
        """Change a game of the night as the warehouse has it."""
        games = [row | changes if row["game_id"] == game_id else row for row in self.rows(SCHEDULE.table)]
        rows = pa.Table.from_pylist(games, schema=arrow_schema(SCHEDULE.table))
        self.warehouse.replace([Replacement(SCHEDULE.table, rows, [NIGHT])])

    def skew(self) -> Skew:
        return skew(self.warehouse, NIGHT, NIGHT)


FIRST_GAME, SECOND_GAME = "20241103_BOS_DEN", "20241103_LAL_MIA"


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Season]:
    """A season up to the night, of which all is built but the feature store."""
    path = tmp_path_factory.mktemp("season")
    season = Season(path, write_season(path, 2024, **SMALL_LEAGUE))
    folder = tmp_path_factory.mktemp("common")
    home = Home(folder, season)
    season.land_all(home.landing, OPENING, BEFORE)
    season.land(home.landing, NIGHT, ANNOUNCEMENTS)
    home.ingest(*days_of(OPENING, NIGHT))
    with one_connection(home.warehouse):
        home.build(GAME_SUMMARIES, days_of(OPENING, BEFORE), NOON)
        home.build([name for name in PREGAME_TABLES if name != STORE.name], [NIGHT], NOON)
    return folder, season


@pytest.fixture
def home(common: tuple[Path, Season], own_home: Path) -> Iterator[Home]:
    """A copy of it, where the settings look for it."""
    with copied(Home(*common), own_home) as home:
        yield home


@pytest.fixture(scope="module")
def once_served(common: tuple[Path, Season], tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The common home with the night's feature store, built at noon."""
    with copied(Home(*common), tmp_path_factory.mktemp("served") / "home") as home:
        home.store(NOON)
    return home


@pytest.fixture
def served_home(once_served: Home, own_home: Path) -> Iterator[Home]:
    """A copy of it, where the settings look for it."""
    with copied(once_served, own_home) as home:
        yield home


@pytest.fixture(scope="module")
def once_corrected(once_served: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What was served at noon, and a statistic that was corrected the next day."""
    with copied(once_served, tmp_path_factory.mktemp("corrected") / "home") as home:
        correct_a_statistic(home)
    return home


@pytest.fixture
def corrected_home(once_corrected: Home, own_home: Path) -> Iterator[Home]:
    """A copy of it, where the settings look for it."""
    with copied(once_corrected, own_home) as home:
        yield home


@pytest.fixture(scope="module")
def played_home(once_served: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What was served at noon, and the results of its games; tests work on copies."""
    with copied(once_served, tmp_path_factory.mktemp("played") / "home") as home:
        play(home)
    return home


@contextmanager
def copied(home: Home, folder: Path) -> Iterator[Home]:
    """A copy of a home, whose warehouse stays open as long as nobody else waits for it."""
    shutil.copytree(home.folder, folder)
    copy = Home(folder, home.season)
    with one_connection(copy.warehouse):
        yield copy


class TestWriting:
    def test_what_is_served_is_what_is_stored(self, served_home: Home) -> None:
        stored, served = served_home.rows(STORE), served_home.served
        assert {row["game_id"] for row in served} == {FIRST_GAME, SECOND_GAME}
        same = [name for name in SERVED_FEATURES.column_names if name in STORE.column_names]
        assert set(OF_LIST) < set(same)
        for features in STORE.feature_lists:
            of_store = {name: f"{name}{features.suffix}" if name in OF_LIST else name for name in same}
            of_version = [row for row in served if row["feature_version"] == features.version]
            assert [{name: row[name] for name in same} for row in of_version] == [
                {name: row[of_store[name]] for name in same} for row in stored
            ]
        for row in served:
            assert row["tip_off"] == (FIRST_TIP if row["game_id"] == FIRST_GAME else SECOND_TIP)
            assert (row["served_at"], row["run_id"], row["code_version"]) == (NOON, "run", STORE.code_version)

    def test_no_later_run_changes_a_row(self, home: Home) -> None:
        home.store(NOON, "first")
        before = home.served
        for run_id, moment in (("second", NOON + HOUR), ("rebuild", NEXT_DAY), ("years later", NEXT_DAY.replace(2030))):
            home.store(moment, run_id)
            assert {row["processed_at"] for row in home.rows(STORE)} == {moment - HOUR}
            assert home.served == before

    def test_a_later_run_adds_who_is_not_there(self, home: Home) -> None:
        home.store(NOON, "first")
        known = home.served
        kept = pa.Table.from_pylist(known[2:], schema=arrow_schema(SERVED_FEATURES))
        home.warehouse.replace([Replacement(SERVED_FEATURES, kept, [NIGHT])])
        publication = home.prepared(STORE.name, [NIGHT], NOON + HOUR, "second")
        publication.write()
        assert [row["run_id"] for row in home.served] == ["second"] * 2 + ["first"] * (len(known) - 2)
        assert home.served[2:] == known[2:]
        assert publication.run.date_notes[NIGHT]["rows_served"] == 2

    @pytest.mark.parametrize(
        ("moment", "games"),
        [
            (FIRST_TIP - INSTANT, {FIRST_GAME, SECOND_GAME}),
            (FIRST_TIP, {SECOND_GAME}),
            (SECOND_TIP - INSTANT, {SECOND_GAME}),
            (SECOND_TIP, set()),
        ],
    )
    def test_each_game_is_served_until_its_own_tip_off(self, home: Home, moment: datetime, games: set[str]) -> None:
        home.store(moment)
        assert set(home.games.values()) == games
        assert len(home.rows(STORE)) > len(home.served_first) or len(games) == 2

    def test_a_late_game_is_served_although_its_day_is_over_in_utc(self, home: Home) -> None:
        home.change_schedule(SECOND_GAME, game_time_utc=SECOND_TIP + 3 * HOUR)
        home.store(SECOND_TIP + 2 * HOUR)
        assert set(home.games.values()) == {SECOND_GAME}

    def test_a_game_whose_tip_off_is_unknown_counts_as_begun_from_midnight_eastern_on(self, home: Home) -> None:
        home.change_schedule(FIRST_GAME, game_time_utc=None)
        midnight = datetime(2024, 11, 3, 4, tzinfo=UTC)
        home.store(midnight)
        assert set(home.games.values()) == {SECOND_GAME}
        home.store(midnight - INSTANT)
        assert set(home.games.values()) == {FIRST_GAME, SECOND_GAME}
        assert {row["tip_off"] for row in home.served if row["game_id"] == FIRST_GAME} == {None}

    @pytest.mark.parametrize("status", [2, 3])
    def test_a_game_that_is_called_live_or_over_has_begun_whatever_its_tip_off(self, home: Home, status: int) -> None:
        home.change_schedule(FIRST_GAME, game_status=status)
        home.store(NOON)
        assert set(home.games.values()) == {SECOND_GAME}

    def test_a_backfill_of_past_dates_serves_nothing_and_looks_at_nothing_for_it(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        touched: list[str] = []
        run = home.prepared(STORE.name, [NIGHT], NEXT_DAY)
        for method in ("read", "replace"):
            inner = getattr(run.run.warehouse, method)

            def noted(first: Any, *others: Any, inner: Any = inner, **named: Any) -> Any:
                tables = first if isinstance(first, list) else [first]
                touched.extend(each.name if isinstance(each, Table) else each.table.name for each in tables)
                return inner(first, *others, **named)

            monkeypatch.setattr(run.run.warehouse, method, noted)
        run.write()
        assert STORE.name in touched
        assert not {SERVED_FEATURES.name, SCHEDULE.name} & set(touched)
        assert home.served == []

    def test_of_a_range_that_reaches_tonight_only_tonight_is_served(self, home: Home) -> None:
        days = days_of(date(2024, 11, 1), NIGHT)
        home.build([name for name in PREGAME_TABLES if name != STORE.name], days, NOON)
        home.store(NOON, days=days)
        assert home.rows(STORE, date(2024, 11, 1))
        served = home.warehouse.read(SERVED_FEATURES, ("game_date",), date.min, date.max)
        assert set(served["game_date"].to_pylist()) == {NIGHT}

    @pytest.mark.parametrize("name", [name for name in PREGAME_TABLES if name != STORE.name])
    def test_no_other_table_is_served(self, home: Home, name: str) -> None:
        assert TABLE_MODULES[name].TABLE.feature_lists == ()
        assert home.served == []


class TestOvertaking:
    def test_of_two_runs_at_once_the_first_to_write_serves(self, home: Home) -> None:
        one, other = (home.prepared(STORE.name, [NIGHT], NOON, run_id) for run_id in ("one", "other"))
        one.write()
        before = home.served
        with pytest.raises(OvertakenError):
            other.write()
        assert home.served == before
        home.store(NOON, "other")
        assert {row["run_id"] for row in home.rows(TABLE_PARTITIONS) if row["table_name"] == STORE.name} == {"other"}
        assert home.served == before

    def test_rows_that_come_in_between_reading_and_writing_stop_the_write(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Even of somebody who has not written the store's date."""
        home.store(NOON, "first")
        rows = home.warehouse.read(SERVED_FEATURES, SERVED_FEATURES.column_names, NIGHT, NIGHT)
        execute(home, f"delete from {SERVED_FEATURES.qualified_name}")
        inner = home.warehouse.replace

        def overtaken(replacements: Any, *, unless: Sequence[Changed] = ()) -> WriteFacts:
            inner([Insertion(SERVED_FEATURES, rows.slice(0, 1))])
            return inner(replacements, unless=unless)

        monkeypatch.setattr(home.warehouse, "replace", overtaken)
        with pytest.raises(OvertakenError, match="served_features has changed for 2024-11-03"):
            home.store(NOON, "second")
        assert home.served == rows.slice(0, 1).to_pylist()

    @pytest.mark.parametrize("table", [STORE, TABLE_PARTITIONS, SERVED_FEATURES], ids=lambda table: table.name)
    def test_a_run_that_is_stopped_amid_its_write_has_neither_stored_nor_served(
        self, home: Home, monkeypatch: pytest.MonkeyPatch, table: Table
    ) -> None:
        inner = duckdb_warehouse._insert

        def stopped(connection: Any, into: Table, rows: pa.Table) -> None:
            inner(connection, into, rows)
            if into is table:
                raise KeyboardInterrupt

        monkeypatch.setattr(duckdb_warehouse, "_insert", stopped)
        with pytest.raises(KeyboardInterrupt):
            home.store(NOON)
        monkeypatch.undo()
        assert (home.served, home.rows(STORE)) == ([], [])
        assert STORE.name not in {row["table_name"] for row in home.rows(TABLE_PARTITIONS)}


def test_a_second_list_of_features_is_one_more_row_of_its_own_version() -> None:
    first = pa.table(
        {
            **{name: [name] for name in ("player_lookup", "universal_player_id", "game_date", "game_id")},
            **{name: [name] for name in ("opponent_team_abbr", "is_home", "processed_at")},
            **{name: [f"1 {name}"] for name in OF_LIST},
            **{f"{name}_v2": [f"2 {name}"] for name in OF_LIST},
        }
    )
    found = [vectors(first, features).to_pylist()[0] for features in (FeatureList("v1"), FeatureList("v2", "_v2"))]
    assert [{name: row[name] for name in OF_LIST} for row in found] == [
        {name: f"{number} {name}" for name in OF_LIST} for number in (1, 2)
    ]
    assert found[0].keys() == found[1].keys()
    assert {row["player_lookup"] for row in found} == {"player_lookup"}


def test_every_list_of_the_store_has_its_features() -> None:
    assert [features.version for features in STORE.feature_lists] == list(FEATURES_OF)
    assert {f"{name}{features.suffix}" for features in STORE.feature_lists for name in OF_LIST} <= {*STORE.column_names}


def correct_a_statistic(home: Home) -> None:
    """A player's points of the date before turn out to be others; what rests on them is built anew the next day."""
    (file,) = home.season.files("player_gamebook", BEFORE)
    give_points(home.landing / file.relative_to(home.season.path))
    home.ingest(BEFORE, now=NEXT_DAY, tables=["player_gamebook"])
    home.build(GAME_SUMMARIES, [BEFORE], NEXT_DAY, "corrected")
    home.build(PREGAME_TABLES, [NIGHT], NEXT_DAY, "corrected")


def report_an_injury(home: Home, player: str, team: str) -> None:
    """A report that comes after the player's row was served, and before his game; everything is built anew with it."""
    (file,) = home.season.files("injury_report", NIGHT)
    report = pq.read_table(file)
    late = {"report_date": NIGHT, "report_hour": 13, "game_date": NIGHT, "team": team, "player_lookup": player}
    late |= {"injury_status": "questionable", "processed_at": NOON + HOUR}
    blank = dict.fromkeys(report.column_names)
    rows = pa.Table.from_pylist([blank | late], schema=report.schema)
    pq.write_table(rows, home.landing / file.relative_to(home.season.path).with_name("late.parquet"))
    home.ingest(NIGHT, now=NOON + HOUR, tables=["injury_report"])
    home.build(PREGAME_TABLES, [NIGHT], NOON + 2 * HOUR, "late")


def play(home: Home) -> None:
    """The results of the night land and are built, with its pregame tables, the next day."""
    home.season.land_all(home.landing, NIGHT, NIGHT)
    home.ingest(NIGHT, now=NEXT_DAY)
    home.build(GAME_SUMMARIES, [NIGHT], NEXT_DAY)
    home.build(PREGAME_TABLES, [NIGHT], NEXT_DAY)


def execute(home: Home, statement: str) -> None:
    home.warehouse.close()
    with duckdb.connect(home.warehouse.path) as connection:
        connection.execute(statement)


def alter(home: Home, table: Table, value: str, *, place: int = 1, column: str = "features") -> None:
    """Set one of the features of every row, counted from 1."""
    parts = f"{column}[:{place - 1}]", f"[{value}]", f"{column}[{place + 1}:]"
    execute(
        home,
        f"update {table.qualified_name} set {column} = list_concat(list_concat({', '.join(parts[:2])}), {parts[2]})",
    )


def sets(home: Home, version: str = VERSION) -> tuple[pa.Table, pa.Table]:
    """The training set as corrected and as served."""
    corrected, served = (
        training_set(home.warehouse, NIGHT, NIGHT, as_served=of, feature_version=version) for of in (False, True)
    )
    return corrected, served


class TestExport:
    @pytest.mark.parametrize("version", [VERSION, VERSION_V2])
    def test_served_equals_corrected_where_nothing_was_corrected(self, served_home: Home, version: str) -> None:
        corrected, served = sets(served_home, version)
        assert served.num_rows == len(served_home.rows(STORE)) > 0
        assert served.equals(corrected)

    def test_every_cell_of_a_known_player_is_that_of_what_was_served_and_of_what_happened(
        self, served_home: Home
    ) -> None:
        before = served_home.served[0]
        correct_a_statistic(served_home)
        play(served_home)
        player = before["player_lookup"]
        (game,) = (
            row
            for row in served_home.rows(TABLE_MODULES["player_game_summary"].TABLE)
            if row["player_lookup"] == player
        )
        (row,) = (row for row in sets(served_home)[1].to_pylist() if row["player_lookup"] == player)
        assert [row[feature.name] for feature in FEATURES] == before["features"]
        others = set(row) - {feature.name for feature in FEATURES} - {"team_abbr", *OUTCOMES}
        assert {name: row[name] for name in others} == {name: before[name] for name in others}
        assert row["team_abbr"] == game["team_abbr"]
        assert (row["played"], row["minutes"], row["points"]) == (
            not game["is_dnp"],
            game["minutes_played"],
            game["points"],
        )

    def test_a_stat_correction_moves_the_stored_vectors_and_not_the_served_ones(self, served_home: Home) -> None:
        corrected, served = sets(served_home)
        correct_a_statistic(served_home)
        corrected_after, served_after = sets(served_home)
        assert served_after.equals(served)
        name = "points_avg_season"
        assert corrected_after[name] != corrected[name]
        assert corrected_after["player_lookup"] == corrected["player_lookup"]

    def test_rows_that_were_not_served_are_left_out_and_counted(self, home: Home, tmp_path: Path) -> None:
        home.store(FIRST_TIP)
        stored = home.rows(STORE)
        file = tmp_path / "set.parquet"
        written = export_training_set(home.warehouse, NIGHT, NIGHT, file, Format.PARQUET, as_served=True)
        assert 0 < written.rows < len(stored)
        assert set(pq.read_table(file)["game_id"].to_pylist()) == {SECOND_GAME}
        manifest = json.loads(Path(f"{file}.manifest.json").read_text())
        assert manifest["as_served"] is True
        assert (manifest["rows"], manifest["rows_not_served"]) == (written.rows, len(stored) - written.rows)
        assert manifest["tables"][SERVED_FEATURES.name] | {"digest": ""} == {
            "dates": 1,
            "code_versions": [STORE.code_version],
            "digest": "",
        }

    def test_the_manifest_of_served_rows_changes_with_them_alone(self, home: Home, tmp_path: Path) -> None:
        def manifest(*, as_served: bool = True) -> Any:
            file = tmp_path / "set.parquet"
            export_training_set(home.warehouse, NIGHT, NIGHT, file, Format.PARQUET, as_served=as_served)
            return json.loads(Path(f"{file}.manifest.json").read_text())

        home.store(NOON)
        before = manifest()["tables"][SERVED_FEATURES.name]
        alter(home, STORE, "99")
        assert manifest()["tables"][SERVED_FEATURES.name] == before
        alter(home, SERVED_FEATURES, "99")
        assert manifest()["tables"][SERVED_FEATURES.name] != before
        corrected = manifest(as_served=False)
        assert corrected["as_served"] is False
        assert "rows_not_served" not in corrected
        assert SERVED_FEATURES.name not in corrected["tables"]

    def test_columns_of_other_tables_are_refused_beside_served_vectors(self, home: Home) -> None:
        with pytest.raises(TrainingSetError, match=r"game_total cannot stand beside vectors as served: other tables"):
            training_set(home.warehouse, NIGHT, NIGHT, ["upcoming_player_game_context.game_total"], as_served=True)

    @pytest.mark.parametrize("as_served", [True, False])
    def test_an_unknown_version_is_refused_in_a_line_that_names_the_others(self, home: Home, as_served: bool) -> None:
        with pytest.raises(
            TrainingSetError,
            match=rf"^there is no feature version v0; there are v1 \({VERSION}\), v2 \({VERSION_V2}\)$",
        ):
            training_set(home.warehouse, NIGHT, NIGHT, as_served=as_served, feature_version="v0")

    def test_served_vectors_of_another_version_are_left_out(self, served_home: Home) -> None:
        execute(served_home, f"update {SERVED_FEATURES.qualified_name} set feature_version = 'v0'")
        assert sets(served_home)[1].num_rows == 0

    def test_served_vectors_of_other_features_are_refused(self, served_home: Home) -> None:
        alter(served_home, SERVED_FEATURES, "'another'", column="feature_names")
        with pytest.raises(TrainingSetError, match=f"were served in {NIGHT} and later with features other than"):
            sets(served_home)

    def test_months_are_read_some_weeks_at_a_time(
        self, served_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for table in (SERVED_FEATURES, STORE):
            earlier = f"insert into {table.qualified_name} select * replace (game_date - 100 as game_date)"
            execute(served_home, f"{earlier} from {table.qualified_name}")
        spans: list[tuple[str, date, date]] = []
        inner = DuckDBWarehouse.read

        def noted(of: DuckDBWarehouse, table: Table, names: Any, start: date, end: date, where: Any = None) -> pa.Table:
            spans.append((table.name, start, end))
            return inner(of, table, names, start, end, where)

        monkeypatch.setattr(DuckDBWarehouse, "read", noted)
        file = tmp_path / "set.parquet"
        written = export_training_set(served_home.warehouse, date.min, date.max, file, Format.PARQUET, as_served=True)
        long = {name for name, start, end in spans if (end - start).days >= SLICE_DAYS}
        assert len({start for name, start, _ in spans if name == SERVED_FEATURES.name}) == 4
        assert long == {TABLE_PARTITIONS.name}
        assert written.rows == 2 * len(served_home.served_first)

    @pytest.mark.usefixtures("corrected_home")
    def test_the_command_and_the_python_call_give_the_same(self, tmp_path: Path) -> None:
        files = {option: tmp_path / f"{option}.parquet" for option in ("--as-served", "--as-corrected")}
        for option, file in files.items():
            arguments = ["export", "--training-set", str(NIGHT), str(NIGHT), option, "--out", str(file)]
            outcome = CliRunner().invoke(app, arguments)
            assert outcome.exit_code == 0, outcome.output
        corrected, served = (pq.read_table(files[option]) for option in ("--as-corrected", "--as-served"))
        assert served.equals(nba_assets.training_set(NIGHT, NIGHT, as_served=True))
        assert corrected.equals(nba_assets.training_set(NIGHT, NIGHT))
        assert not served.equals(corrected)

    @pytest.mark.usefixtures("home")
    def test_the_option_is_for_training_sets(self, tmp_path: Path) -> None:
        outcome = CliRunner().invoke(app, ["export", "--as-served", "--out", str(tmp_path / "out")])
        assert outcome.exit_code == 2
        assert "is for --training-set" in " ".join(outcome.output.replace("│", " ").split())


class TestPoison:
    @pytest.mark.parametrize("how", ["absurd", "deleted"])
    def test_nothing_from_tip_off_on_reaches_a_feature_of_the_export_or_of_a_served_row(
        self, played_home: Home, tmp_path: Path, how: Poison
    ) -> None:
        """The clean rows are those of a warehouse with all results; the poisoned one has them absurd or gone, and
        announcements of tip-off or later that contradict those before.
        """
        clean = {version: sets(played_home, version)[0] for version in (VERSION, VERSION_V2)}
        assert set(clean[VERSION]["played"].to_pylist()) == {True, False}
        spoilt = Home(tmp_path, played_home.season)
        spoilt.warehouse = poisoned(played_home.warehouse.path, tmp_path / "poisoned.duckdb", NIGHT, how)
        execute(spoilt, f"delete from {SERVED_FEATURES.qualified_name}")
        execute(spoilt, f"update nba_raw.schedule set game_status = 1 where game_date = '{NIGHT}'")
        with one_connection(spoilt.warehouse):
            spoilt.build(PREGAME_TABLES, [NIGHT], NOON)
        assert spoilt.served == [
            row | {name: found[name] for name in ("run_id", "inputs", "code_versions")}
            for row, found in zip(played_home.served, spoilt.served, strict=True)
        ]
        later = ["processed_at", *OUTCOMES]
        for version, expected in clean.items():
            for found in sets(spoilt, version):
                assert found.drop_columns(later).equals(expected.drop_columns(later))

    def test_poison_is_tasted_where_it_was_known_before_tip_off(self, served_home: Home, tmp_path: Path) -> None:
        """The proof above could fail."""
        spoilt = Home(tmp_path, served_home.season)
        served_home.warehouse.close()
        spoilt.warehouse = poisoned(served_home.warehouse.path, tmp_path / "poisoned.duckdb", NIGHT, "absurd")
        execute(spoilt, f"delete from {SERVED_FEATURES.qualified_name}")
        execute(spoilt, f"update nba_raw.schedule set game_status = 1 where game_date = '{NIGHT}'")
        execute(
            spoilt,
            "update nba_raw.injury_report set reported_at = reported_at - interval 1 hour "
            f"where reason = 'POISON' and report_date = game_date and game_date = '{NIGHT}'",
        )
        with one_connection(spoilt.warehouse):
            spoilt.build(PREGAME_TABLES, [NIGHT], NOON)
        risks = [
            {
                row["player_lookup"]: row["features"][row["feature_names"].index("injury_risk")]
                for row in of.served_first
            }
            for of in (served_home, spoilt)
        ]
        assert risks[0] != risks[1]

    def test_everything_is_served_before_its_tip_off(self, home: Home) -> None:
        for moment in (NOON, FIRST_TIP, SECOND_TIP - INSTANT):
            home.store(moment)
        assert all(row["processed_at"] <= row["served_at"] < row["tip_off"] for row in home.served)


def by_name(found: Skew) -> dict[str, FeatureSkew]:
    return {feature.feature: feature for feature in found.features}


class TestSkew:
    def test_where_nothing_was_corrected_nothing_differs(self, served_home: Home) -> None:
        found, stored = served_home.skew(), len(served_home.rows(STORE))
        assert (found.served, found.compared, found.gone, found.never_served) == (stored, stored, 0, 0)
        assert [feature.feature for feature in found.features] == [feature.name for feature in FEATURES]
        assert {(feature.compared, feature.differing) for feature in found.features} == {(found.compared, 0)}
        assert not any(feature.causes for feature in found.features)

    def test_a_stat_correction_is_named_and_measured(self, corrected_home: Home) -> None:
        found = by_name(corrected_home.skew())
        assert {cause for feature in found.values() for cause in feature.causes} == {"stat_correction"}
        feature = found["points_avg_season"]
        served, stored = (
            {row["player_lookup"]: row["features"][row["feature_names"].index(feature.feature)] for row in rows}
            for rows in (corrected_home.served, corrected_home.rows(STORE))
        )
        differences = [abs(served[player] - stored[player]) for player in served if served[player] != stored[player]]
        assert feature.differing == len(differences) > 0
        assert feature.mean == pytest.approx(sum(differences) / len(differences))
        assert feature.largest == max(differences)
        assert feature.share == len(differences) / len(served)
        assert feature.causes == {"stat_correction": len(differences)}
        assert feature.changed["player_game_summary"] == len(differences)
        assert found["playoff_game"].differing == 0

    def test_a_late_injury_is_an_announcement(self, served_home: Home) -> None:
        row = served_home.served[0]
        away, hosts = row["game_id"].split("_")[1:]
        before = served_home.served
        report_an_injury(served_home, row["player_lookup"], hosts if row["is_home"] else away)
        assert served_home.served == before
        risk = by_name(served_home.skew())["injury_risk"]
        assert (risk.differing, risk.causes, risk.changed) == (1, {"announcement": 1}, {"injury_report": 1})
        assert risk.mean == risk.largest > 0

    def test_what_a_feature_does_not_rest_on_is_no_cause_of_it(self, served_home: Home) -> None:
        """The opponent's defence comes from results alone, whatever was announced as well."""
        row = served_home.served[0]
        away, hosts = row["game_id"].split("_")[1:]
        report_an_injury(served_home, row["player_lookup"], hosts if row["is_home"] else away)
        correct_a_statistic(served_home)
        alter(served_home, STORE, "features[14] + 1", place=14)
        found = by_name(served_home.skew())
        assert set(found["injury_risk"].causes) == {"stat_correction", "announcement"}
        assert set(found["opponent_def_rating"].causes) == {"stat_correction"}

    @pytest.mark.parametrize("table", [STORE.name, "player_daily_cache", "player_game_summary"])
    def test_other_code_is_a_cause(self, served_home: Home, table: str) -> None:
        alter(served_home, STORE, "features[1] + 1.5")
        execute(
            served_home,
            f"update nba_processing.table_partitions set code_version = 'another' where table_name = '{table}'",
        )
        feature = served_home.skew().features[0]
        assert (feature.feature, feature.mean, feature.largest) == ("points_avg_last_5", *[pytest.approx(1.5)] * 2)
        assert feature.causes == {"code_version": feature.compared}
        assert feature.changed == {table: feature.compared}

    def test_a_summary_of_other_code_counts_as_no_correction_as_well(self, corrected_home: Home) -> None:
        execute(
            corrected_home,
            "update nba_processing.table_partitions set code_version = 'another' "
            f"where table_name = 'team_offense_game_summary' and partition_date = '{BEFORE}'",
        )
        found = by_name(corrected_home.skew())["points_avg_season"]
        assert set(found.causes) == {"code_version"}
        assert set(found.changed) == {"team_offense_game_summary"}

    @pytest.mark.parametrize("recorded", [True, False])
    def test_without_a_change_on_record_the_cause_is_unknown(self, served_home: Home, recorded: bool) -> None:
        alter(served_home, STORE, "-1")
        if not recorded:
            execute(served_home, "update nba_processing.table_partitions set inputs = null")
        feature = served_home.skew().features[0]
        assert (feature.causes, feature.changed) == ({"unknown": feature.compared}, {})

    @pytest.mark.parametrize(
        ("table", "cause"),
        [
            ("player_game_summary", "stat_correction"),
            ("player_boxscores", "stat_correction"),
            ("injury_report", "announcement"),
            ("game_lines", "announcement"),
            ("rosters", "announcement"),
            ("player_registry", "player_registry"),
            ("schedule", "schedule"),
            ("season", "schedule"),
        ],
    )
    def test_each_input_has_its_cause(self, table: str, cause: str) -> None:
        assert _cause(table) == cause
        assert cause in CAUSES

    def test_rows_that_are_gone_and_rows_that_were_never_served_are_counted(self, served_home: Home) -> None:
        players = [row["player_lookup"] for row in served_home.served_first]
        execute(served_home, f"delete from nba_precompute.ml_feature_store where player_lookup = '{players[0]}'")
        execute(
            served_home, f"delete from {SERVED_FEATURES.qualified_name} where player_lookup in ('{players[1]}', 'x')"
        )
        found = served_home.skew()
        assert (found.served, found.gone, found.compared) == (len(players) - 1, 1, len(players) - 2)
        assert (found.never_served, found.never_served_in_time) == (1, 1)
        outcome = CliRunner().invoke(app, ["skew", str(NIGHT), str(NIGHT)])
        assert "1 rows were served and are no longer stored" in outcome.output
        assert "1 stored rows were never served, of which 1 were first stored before tip-off" in outcome.output

    def test_rows_that_were_first_stored_after_tip_off_are_none_that_should_have_been_served(self, home: Home) -> None:
        home.store(NEXT_DAY)
        found = home.skew()
        assert (found.served, found.never_served, found.never_served_in_time) == (0, len(home.rows(STORE)), 0)

    def test_dates_of_which_nothing_is_stored_are_compared_with_nothing(self, home: Home) -> None:
        found = skew(home.warehouse, date(2023, 11, 1), date(2023, 12, 1))
        assert (found.served, found.compared, found.never_served) == (0, 0, 0)
        assert len(found.features) == len(FEATURES)

    def test_the_command_says_how_much_differs_and_why(self, corrected_home: Home) -> None:
        found = corrected_home.skew()
        dates = [str(NIGHT), str(NIGHT)]
        outcome = CliRunner().invoke(app, ["skew", *dates])
        assert outcome.exit_code == 0, outcome.output
        assert f"{found.served} rows served, {found.compared} of them still stored; {VERSION}" in outcome.output
        differing = [feature for feature in found.features if feature.differing]
        for feature in differing:
            assert f"{feature.feature} " in outcome.output
        assert f"{len(FEATURES) - len(differing)} other features do not differ." in outcome.output
        assert f"stat correction {found.features[0].differing}; changed: " in outcome.output
        assert "stat correction: a result, or a statistic of a game before the date, was corrected" in outcome.output

        told = json.loads(CliRunner().invoke(app, ["skew", *dates, "--json"]).output)
        assert (told["served"], told["compared"], told["gone"]) == (found.served, found.compared, found.gone)
        assert (told["start"], told["end"], told["feature_version"]) == (*dates, VERSION)
        first = next(feature for feature in found.features)
        assert told["features"][0] == {
            "feature": first.feature,
            "compared": first.compared,
            "differing": first.differing,
            "share": first.share,
            "mean_absolute_difference": first.mean,
            "largest_absolute_difference": first.largest,
            "causes": dict(first.causes),
            "changed": dict(first.changed),
        }

    @pytest.mark.usefixtures("served_home")
    def test_the_command_says_that_nothing_differs(self) -> None:
        outcome = CliRunner().invoke(app, ["skew", str(NIGHT), str(NIGHT)])
        assert "Every served value is still the stored one." in outcome.output
        assert "never served" not in outcome.output

    def test_the_command_compares_the_version_that_is_named(self, home: Home) -> None:
        home.store(NOON)
        outcome = CliRunner().invoke(app, ["skew", str(NIGHT), str(NIGHT), "--feature-version", "v2"])
        assert f"still stored; {VERSION_V2}" in outcome.output
        assert "Every served value is still the stored one." in outcome.output


@pytest.mark.slow
def test_the_demo_serves_tonight_and_its_export_has_the_results_of_the_next_day(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the morning of whatever day it is."""
    today = league_today()
    morning = datetime.combine(today, time(8), ZoneInfo(LEAGUE_TIMEZONE))
    columns = ("game_date", "player_lookup", "features", "processed_at")
    monkeypatch.setattr(computed_assets, "utc_now", lambda: morning.astimezone(UTC))
    for arguments in (["demo", "--no-open"], ["demo", "--next-day"], ["backfill", str(today), str(today), "--quiet"]):
        outcome = CliRunner().invoke(app, arguments)
        assert outcome.exit_code == 0, outcome.output
        warehouse = DuckDBWarehouse(own_home / "nba.duckdb")
        served, stored = (
            warehouse.read(table, columns, date.min, date.max, {"feature_version": VERSION})
            for table in (SERVED_FEATURES, STORE)
        )
        assert set(served["game_date"].to_pylist()) == {today}
        assert served.equals(stored.filter(pc.equal(stored["game_date"], pa.scalar(today))))
    file = tmp_path / "set.parquet"
    export_training_set(warehouse, today, today, file, Format.PARQUET, as_served=True)
    found = pq.read_table(file)
    assert found.num_rows == served.num_rows > 200
    assert set(found["played"].to_pylist()) == {True, False}
    assert skew(warehouse, today, today).served == served.num_rows
