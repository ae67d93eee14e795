"""One odd cell, row, key or file costs what it concerns and nobody else, is named where a user looks, and shows in the
run's exit.

`pytest -m slow nba_assets_tests/invariants/test_damage.py` does every kind of damage to one of its tables. For more of
them, set NBA_ASSETS_DAMAGE_SEEDS to a number: each seed does every kind to a table, a row and a column of its own
choice. A failure repeats under its name.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from nba_assets.cli import app
from nba_assets.orchestration.damage import MISSING_RAW_DATA, Damage, ExitCode, Reported
from nba_assets.publishing.inputs import MissingInputsError
from nba_assets.publishing.publication import PublicationRefusedError
from nba_assets.publishing.refusals import Refusal
from nba_assets.raw.ingestion import IngestionReport, ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, HARD_FAILURE, TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.invariants.damage import KINDS, Effect, Reach, do
from nba_assets_tests.invariants.landed_file import PER_DATE, add_optional_columns
from nba_assets_tests.pipeline import NOW, build, days_between, ingest_all, one_connection, prepared, table_run
from nba_assets_tests.seeds import seeds

LEAGUE: dict[str, Any] = {"teams": ("BOS", "CHI", "DEN", "LAL", "MIA", "NYK", "PHX", "UTA"), "games_per_team": 9}
DAY = date(2024, 11, 6)
"""The damaged date: all eight teams play, and all ten tables have rows."""
SPAN = days_between(DAY - timedelta(days=2), DAY + timedelta(days=2))
"""Some games before it, which may not change, and after it, which look back at it."""

Entity = tuple[str, date, str]
"""Table, date and entity."""


@dataclass(frozen=True)
class State:
    """What the computed tables say of the span: digests of rows, failures, quality issues, each by entity; and who
    belongs to which team.
    """

    rows: dict[Entity, str]
    failures: dict[Entity, tuple[str, str]]
    issues: dict[Entity, tuple[str, ...]]
    built: set[tuple[str, date]]

    @classmethod
    def of(cls, path: Path) -> State:
        """Read it from a warehouse."""
        rows, issues = {}, {}
        with duckdb.connect(path, read_only=True) as connection:

            def ask(query: str) -> list[Any]:
                return connection.execute(f"{query} between ? and ?", [SPAN[0], SPAN[-1]]).fetchall()

            for name, module in TABLE_MODULES.items():
                table = module.TABLE
                said = next(
                    (column for column in ("quality_issues", "data_quality_issues") if column in table.column_names),
                    "null",
                )
                query = (
                    f"select {table.date_column}, {table.entity_column}, data_hash, {said} from "
                    f"{table.qualified_name} where {table.date_column}"
                )
                for day, entity, digest, complaints in ask(query):
                    rows[name, day, entity] = digest
                    issues[name, day, entity] = tuple(complaints or ())
            failed = ask(
                "select table_name, partition_date, entity_id, failure_category, failure_reason from "
                "nba_processing.entity_failures where partition_date"
            )
            built = set(
                ask("select table_name, partition_date from nba_processing.table_partitions where partition_date")
            )
        return cls(rows, {(name, day, entity): why for name, day, entity, *why in failed}, issues, built)


@dataclass
class Outcome:
    """What a run with a damage left, and what it said."""

    state: State
    report: IngestionReport
    refusals: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class World:
    """The undamaged league, built."""

    folder: Path
    state: State
    ingested: Mapping[str, IngestionReport]
    teams_of: Mapping[str, frozenset[str]]
    games: Sequence[tuple[date, str, str]]

    @property
    def warehouse(self) -> Path:
        """Its file."""
        return self.folder / "nba.duckdb"

    def own(self, entity: str) -> frozenset[str]:
        """The teams of an entity, which is a player, a team, or a team in a game."""
        return self.teams_of.get(entity) or frozenset(part for part in entity.split("_") if part in LEAGUE["teams"])

    def circle(self, entity: str, day: date) -> frozenset[str]:
        """The teams of an entity, their opponents of the date, and whom these and those meet next."""
        own = self.own(entity)
        tonight = own | {team for when, *pair in self.games if when == day and own & set(pair) for team in pair}
        following = set()
        for team in tonight:
            _, *pair = min((game for game in self.games if game[0] > day and team in game[1:]), default=(day,))
            following |= set(pair)
        return frozenset(tonight | following)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("league")
    season = write_season(folder / "landing", 2024, **LEAGUE)
    add_optional_columns(folder / "landing")
    days = days_between(season.first_date, SPAN[-1])
    ingest_all(DuckDBWarehouse(folder / "nba.duckdb"), folder / "landing", days)
    build(DuckDBWarehouse(folder / "nba.duckdb"), days)
    reports = {name: ingested(folder / "nba.duckdb", folder / "landing", name) for name in RAW_TABLES}
    with duckdb.connect(folder / "nba.duckdb", read_only=True) as connection:
        listed = connection.execute(
            "select player_lookup, list(distinct team_abbr) from nba_raw.rosters group by all"
        ).fetchall()
        games = connection.execute(
            "select game_date, home_team_abbr, away_team_abbr from nba_raw.schedule where game_status <> 4"
        ).fetchall()
    teams_of = {player: frozenset(teams) for player, teams in listed} | {
        team: frozenset([team]) for team in LEAGUE["teams"]
    }
    return World(folder, State.of(folder / "nba.duckdb"), reports, teams_of, games)


def ingested(warehouse: Path, landing: Path, table: str) -> IngestionReport:
    """Ingest one raw table for the span, whatever it complains of."""
    opened = DuckDBWarehouse(warehouse)
    with one_connection(opened):
        return ingest(RAW_TABLES[table], FolderLandingZone(landing), opened, SPAN, run_id="test", now=NOW)


def same_rows(one: IngestionReport, other: IngestionReport) -> bool:
    """Whether two ingestions left the same rows and nothing in quarantine, so that what is computed from them is the
    same too.
    """
    clean = not any(report.quarantined_count or report.refused for report in (one, other))
    return clean and {day: report.digest for day, report in one.by_date.items()} == {
        day: report.digest for day, report in other.by_date.items()
    }


def without(world: World, folder: Path, table: str) -> Path:
    """A copy of the league's warehouse, in a folder, that has nothing of a raw table and of the computed ones in the
    span.
    """
    path = folder / "nba.duckdb"
    shutil.copy(world.warehouse, path)
    with duckdb.connect(path) as connection:
        for spec in (RAW_TABLES[table].table, *(module.TABLE for module in TABLE_MODULES.values())):
            gone = [SPAN[0], SPAN[-1]] if table in PER_DATE or spec.name != table else [date.min, date.max]
            connection.execute(f"delete from {spec.qualified_name} where {spec.date_column} between ? and ?", gone)
            for partition_state in (TABLE_PARTITIONS, ENTITY_FAILURES):
                connection.execute(
                    (
                        f"delete from {partition_state.qualified_name} where table_name = ? and partition_date "
                        "between ? and ?"
                    ),
                    [spec.name, *gone],
                )
    return path


def run_with(world: World, folder: Path, table: str, landing: Path) -> Outcome:
    """Ingest a damaged table and build the span anew, as if nothing of it had ever been there."""
    path = without(world, folder, table)
    report = ingested(path, landing, table)
    if same_rows(report, world.ingested[table]):
        return Outcome(world.state, report)
    refusals, notices = [], []
    warehouse = DuckDBWarehouse(path)
    with one_connection(warehouse):
        for name in TABLE_MODULES:
            run = table_run(warehouse, name, SPAN)
            try:
                prepared(run).write()
            except (PublicationRefusedError, MissingInputsError) as error:
                refusals.append(f"{name}: {error}")
            refusals += [f"{name} {day}: {why}" for day, why in run.refused.items()]
            notices += [text for mine in run.notices.values() for _, text in mine]
    return Outcome(State.of(path), report, refusals, notices)


def strays(world: World, outcome: Outcome, reach: Reach) -> list[Entity]:
    """Rows and failures that differ from the undamaged league's although the damage does not concern them."""
    before, after = world.state, outcome.state
    differ = {
        entity for entity in before.rows.keys() | after.rows.keys() if before.rows.get(entity) != after.rows.get(entity)
    }
    differ |= {
        entity
        for entity in before.failures.keys() | after.failures.keys()
        if before.failures.get(entity) != after.failures.get(entity)
    }
    allowed = {
        (name, day, who)
        for name, day, who in differ
        if reach.allows(name, day, who, world.own(who), world.circle(who, day))
    }
    return sorted(differ - allowed)


def changed(world: World, outcome: Outcome) -> bool:
    return (world.state.rows, world.state.failures) != (outcome.state.rows, outcome.state.failures)


def names(world: World, outcome: Outcome) -> list[str]:
    """Where a user would read of the damage."""
    report, state = outcome.report, outcome.state
    clean = world.ingested[report.table]
    places = {
        "quarantined rows": report.quarantined_count > 0,
        "bad files": bool(report.bad_files),
        "duplicates": report.duplicate_count > clean.duplicate_count,
        "replaced rows": report.replaced_count > clean.replaced_count,
        "notices of the ingestion": report.notices != clean.notices,
        "notices of a table": bool(outcome.notices),
        "failure records": state.failures != world.state.failures,
        "quality issues": any(state.issues.get(entity, said) != said for entity, said in world.state.issues.items()),
        "refusals": bool(outcome.refusals),
        "dates that wait": bool(world.state.built - state.built),
    }
    return [place for place, is_there in places.items() if is_there]


def exit_code(world: World, outcome: Outcome) -> ExitCode:
    """How the command line would end with what the run left and said."""
    new = [
        why
        for entity, (why, _) in outcome.state.failures.items()
        if world.state.failures.get(entity) != outcome.state.failures[entity]
    ]
    report = outcome.report
    return Damage(
        refused=[Refusal(report.table, DAY, said, "test") for said in outcome.refusals],
        hard_failures={report.table: Counter(why for why in new if why == HARD_FAILURE)} if HARD_FAILURE in new else {},
        missing_raw_data={report.table: new.count(MISSING_RAW_DATA)} if MISSING_RAW_DATA in new else {},
        unusable_files=[bad.path for bad in report.bad_files],
        quarantined={report.table: report.quarantined_count} if report.quarantined_count else {},
        quarantine_examples={report.table: ""},
        notices={text: Reported(1, text) for text in (*outcome.notices, *report.notices)},
    ).exit_code


def judge(world: World, outcome: Outcome, kind: str, reach: Reach) -> None:
    """Whether what came of a damage is what may, and what must."""
    assert strays(world, outcome, reach) == [], outcome.refusals
    effect, seen = KINDS[kind].effect, changed(world, outcome)
    if effect in (Effect.NONE, Effect.NONE_BUT_NAMED):
        assert not seen
    if effect in (Effect.NAMED, Effect.ISSUE, Effect.NONE_BUT_NAMED) or (effect is Effect.NAMED_IF_SEEN and seen):
        assert names(world, outcome)
    if effect is Effect.NAMED:
        assert exit_code(world, outcome) is not ExitCode.PUBLISHED


def check(world: World, folder: Path, kind: str, table: str, seed: int) -> None:
    landing = folder / "landing"
    shutil.copytree(world.folder / "landing", landing)
    reach = do(landing, kind, table, DAY, Random(f"{kind} {table} {seed}"))
    judge(world, run_with(world, folder, table, landing), kind, reach)


SHORT = (
    ("text in a number", "team_boxscores"),
    ("no minutes beside points", "player_gamebook"),
    ("file of no bytes", "player_points_props"),
    ("JSON lines with a broken line", "injury_report"),
)


@pytest.mark.parametrize(("kind", "table"), SHORT)
def test_damage_costs_what_it_concerns_and_is_named(world: World, tmp_path: Path, kind: str, table: str) -> None:
    check(world, tmp_path, kind, table, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", seeds(1))
def test_every_kind_of_damage_to_some_table(world: World, tmp_path: Path, kind: str, seed: int) -> None:
    table = Random(f"{kind} {seed}").choice(KINDS[kind].tables)
    check(world, tmp_path, kind, table, seed)


EXITS = (
    ("columns added", "team_boxscores", ExitCode.PUBLISHED),
    ("text in a number", "team_boxscores", ExitCode.ODD),
    ("file cut off", "player_points_props", ExitCode.DAMAGED),
)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "table", "expected"), EXITS)
def test_the_exit_of_a_run_tells_of_damage(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, table: str, expected: ExitCode
) -> None:
    monkeypatch.setenv("NBA_ASSETS_HOME", str(tmp_path))
    shutil.copytree(world.folder / "landing", tmp_path / "landing")
    do(tmp_path / "landing", kind, table, DAY, Random(f"{kind} {table}"))
    without(world, tmp_path, table)
    result = CliRunner().invoke(app, ["backfill", str(SPAN[0]), str(DAY), "--serial"])
    assert result.exit_code == expected, result.output
    last = [line for line in result.output.splitlines() if ": done in " not in line]
    assert any(f"{table}: " in line for line in last) == (expected is not ExitCode.PUBLISHED), result.output
