"""Retry: what failed is computed again, whatever else stands on the date stays as it is, bit for bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from nba_assets.analytics import player_game_summary, team_offense_game_summary
from nba_assets.entities.outcomes import Outcome
from nba_assets.publishing.circuit_breaker import COOL_DOWN, reset
from nba_assets.publishing.inputs import computed
from nba_assets.publishing.publication import DateFacts, Publication, prepare
from nba_assets.publishing.retry import OpenFailure, Retry, open_failures
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import OvertakenError, Replacement
from nba_assets_tests.conftest import real_data
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.pipeline import NOW, build, days_between, ingest_all, table_run

LATER = NOW + timedelta(hours=5)
SHEET, TEAMS = player_game_summary.TABLE, team_offense_game_summary.TABLE
Row = dict[str, Any]


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[date]]:
    """The first week of a small league, ingested, with its game summaries."""
    folder = tmp_path_factory.mktemp("retry")
    season = write_season(folder / "landing", 2024, **SMALL_LEAGUE)
    warehouse, days = (
        DuckDBWarehouse(folder / "nba.duckdb"),
        days_between(season.first_date, season.first_date + timedelta(days=6)),
    )
    ingest_all(warehouse, folder / "landing", days)
    build(warehouse, days, [TEAMS.name, SHEET.name])
    return warehouse.path, days


@pytest.fixture
def warehouse(ingested: tuple[Path, list[date]], tmp_path: Path) -> DuckDBWarehouse:
    shutil.copy(ingested[0], tmp_path / "nba.duckdb")
    return DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)


@pytest.fixture
def game_days(warehouse: DuckDBWarehouse, ingested: tuple[Path, list[date]]) -> list[date]:
    """Three dates with games, of which the first two do not follow each other."""
    run = table_run(warehouse, SHEET.name, ingested[1])
    days: list[date] = run.final_days.tolist()
    return [days[0], *[day for day in days if day > days[0] + timedelta(days=1)][:2]]


class Computing:
    """A table's compute function that raises for some entities and remembers whom it was requested."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real: Callable[..., Outcome] = module.compute
        self.raising: Collection[str] = ()
        self.requested: list[str] = []
        monkeypatch.setattr(module, "compute", self)

    def __call__(self, requested: Any, *others: Any) -> Outcome:
        self.requested += [entity for entity in requested.entities if entity not in self.requested]
        if {*self.raising} & {*requested.entities}:
            raise ArithmeticError("no such number")
        return self.real(requested, *others)


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> Computing:
    return Computing(player_game_summary, monkeypatch)


def stored(warehouse: DuckDBWarehouse, table: Table, *days: date) -> list[Row]:
    """Every column of every row."""
    rows: list[Row] = [row for day in days for row in warehouse.read(table, table.column_names, day, day).to_pylist()]
    return rows


def without(rows: list[Row], entities: Collection[str], column: str = "player_lookup") -> list[Row]:
    return [row for row in rows if row[column] not in entities]


def partition_state(warehouse: DuckDBWarehouse, table: Table, day: date) -> Row:
    (book,) = warehouse.read(
        TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, day, day, {"table_name": table.name}
    ).to_pylist()
    return dict(book)


def records(warehouse: DuckDBWarehouse, table: Table, *days: date) -> list[Row]:
    return [
        row
        for day in days
        for row in warehouse.read(
            ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day, {"table_name": table.name}
        ).to_pylist()
    ]


def add_records(warehouse: DuckDBWarehouse, table: Table, day: date, **can_retry: bool) -> None:
    """Records of failures that nobody has computed."""
    rows = records(warehouse, table, day) + [
        {
            **dict.fromkeys(ENTITY_FAILURES.column_names),
            "table_name": table.name,
            "partition_date": day,
            "entity_id": entity,
            "entity_type": "PLAYER",
            "failure_category": "MISSING_RAW_DATA",
            "failure_reason": "as told",
            "can_retry": retryable,
            "resolution_status": "UNRESOLVED",
            "run_id": "told",
            "created_at": NOW - timedelta(days=3),
        }
        for entity, retryable in can_retry.items()
    ]
    schema = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day).schema
    warehouse.replace(
        [Replacement(ENTITY_FAILURES, pa.Table.from_pylist(rows, schema), [day], {"table_name": table.name})]
    )


def retry_run(
    warehouse: DuckDBWarehouse, name: str, dates: list[date], now: Any = LATER, run_id: str = "later"
) -> TableRun:
    """A retry as the asset makes it."""
    retry = Retry.of(warehouse, TABLE_MODULES[name].TABLE, dates, now)
    run = table_run(warehouse, name, retry.dates or dates)
    run.scope, run.now, run.run_id, run.table = retry, now, run_id, replace(run.table, code_version="next")
    return run


def prepared(run: TableRun) -> Publication:
    with run.reading():
        outcome = computed(run, TABLE_MODULES[run.table.name].build)
    return prepare(run, outcome)


def retry(warehouse: DuckDBWarehouse, name: str, dates: list[date], **how: Any) -> list[DateFacts]:
    return prepared(retry_run(warehouse, name, dates, **how)).write()


def opened(warehouse: DuckDBWarehouse, now: Any = LATER) -> dict[str, OpenFailure]:
    return {failure.entity: failure for failure in open_failures(warehouse, now)}


def players_of(warehouse: DuckDBWarehouse, day: date) -> list[str]:
    """Everybody on the sheets of a date."""
    return [row["player_lookup"] for row in stored(warehouse, SHEET, day)]


def test_only_the_failed_players_are_computed_and_written(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    everybody = players_of(warehouse, day)
    whole = partition_state(warehouse, SHEET, day)
    failed = everybody[3:6]
    computing.raising = failed
    build(warehouse, [day], [SHEET.name])
    add_records(warehouse, SHEET, day, forgotten=False)
    before, book = stored(warehouse, SHEET, day), partition_state(warehouse, SHEET, day)
    assert [row["player_lookup"] for row in before] == [player for player in everybody if player not in failed]

    computing.raising, computing.requested = (), []
    began = datetime.now(UTC)
    (fact,) = retry(warehouse, SHEET.name, [day])

    assert computing.requested == failed
    after = stored(warehouse, SHEET, day)
    assert without(after, failed) == before
    assert {
        (row["player_lookup"], row["created_at"], row["processed_at"])
        for row in after
        if row["player_lookup"] in failed
    } == {(player, LATER, LATER) for player in failed}
    assert (fact.row_count, fact.failures, fact.changed) == (len(everybody), {"MISSING_RAW_DATA": 1}, True)
    assert fact.digest == whole["digest"]
    (record,) = records(warehouse, SHEET, day)
    assert (record["entity_id"], record["run_id"], record["created_at"]) == (
        "forgotten",
        "told",
        NOW - timedelta(days=3),
    )
    now = partition_state(warehouse, SHEET, day)
    assert [now[name] for name in ("written_at", "code_version", "inputs")] == [
        book[name] for name in ("written_at", "code_version", "inputs")
    ]
    assert (now["row_count"], now["failure_count"], now["digest"]) == (len(everybody), 1, whole["digest"])
    assert (now["newest_processed_at"], now["run_id"]) == (LATER, "later")
    assert began <= now["changed_at"] <= datetime.now(UTC)


def test_who_fails_again_is_recorded_anew_and_costs_nobody_anything(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    failed = players_of(warehouse, day)[:3]
    computing.raising = failed
    build(warehouse, [day], [SHEET.name])
    before = stored(warehouse, SHEET, day)
    computing.raising = failed[:2]
    run = retry_run(warehouse, SHEET.name, [day])
    (fact,) = prepared(run).write()
    assert fact.failures == {"PROCESSING_ERROR": 2}
    assert without(stored(warehouse, SHEET, day), failed) == before
    assert [(row["entity_id"], row["run_id"]) for row in records(warehouse, SHEET, day)] == [
        (player, "later") for player in failed[:2]
    ]
    assert (run.notes["retried_in_run"], run.notes["resolved_in_run"]) == (3, 1)
    assert run.date_notes[day] == {"retried": 3, "resolved": 1}


def test_a_failure_that_nobody_asks_for_any_more_is_forgotten(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    add_records(warehouse, SHEET, day, nobody=True)
    before, book = stored(warehouse, SHEET, day), partition_state(warehouse, SHEET, day)
    computing.requested = []
    (fact,) = retry(warehouse, SHEET.name, [day])
    assert (fact.failures, fact.changed, computing.requested) == ({}, False, [])
    assert stored(warehouse, SHEET, day) == before
    assert partition_state(warehouse, SHEET, day)["newest_processed_at"] == book["newest_processed_at"]
    assert partition_state(warehouse, SHEET, day)["changed_at"] == book["changed_at"]


def test_what_preparing_finds_of_others_is_not_taken(warehouse: DuckDBWarehouse, game_days: list[date]) -> None:
    """Two players have left the registry; only one of the records may be retried."""
    day = game_days[0]
    first, second = players_of(warehouse, day)[:2]
    registry = TABLE_MODULES[SHEET.name].PLAYER_REGISTRY.table
    rows = warehouse.read(registry, registry.column_names, date.min, date.max)
    dates = rows.column(registry.date_column).unique().to_pylist()
    keep = [player not in (first, second) for player in rows.column("player_lookup").to_pylist()]
    warehouse.replace([Replacement(registry, rows.filter(pa.array(keep)), dates)])
    build(warehouse, [day], [SHEET.name])
    assert [(row["entity_id"], row["failure_category"]) for row in records(warehouse, SHEET, day)] == [
        (first, "REGISTRY_LOOKUP_FAILED"),
        (second, "REGISTRY_LOOKUP_FAILED"),
    ]
    changed = [row | {"can_retry": row["entity_id"] == first} for row in records(warehouse, SHEET, day)]
    schema = warehouse.read(ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day).schema
    warehouse.replace(
        [Replacement(ENTITY_FAILURES, pa.Table.from_pylist(changed, schema), [day], {"table_name": SHEET.name})]
    )
    before = stored(warehouse, SHEET, day)
    retry(warehouse, SHEET.name, [day])
    assert without(stored(warehouse, SHEET, day), [first]) == without(before, [first])
    assert [(row["entity_id"], row["run_id"]) for row in records(warehouse, SHEET, day)] == [
        (first, "later"),
        (second, "test"),
    ]
    (row,) = [row for row in stored(warehouse, SHEET, day) if row["player_lookup"] == first]
    assert (row["created_at"], row["processed_at"]) == (NOW, LATER)


def test_rules_across_rows_look_at_the_merged_rows(
    warehouse: DuckDBWarehouse, game_days: list[date], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team that fails where both of the game's had rows would leave half a game."""
    day = game_days[0]
    computing = Computing(team_offense_game_summary, monkeypatch)
    before = stored(warehouse, TEAMS, day)
    team = before[0]["team_abbr"]
    add_records(warehouse, TEAMS, day, **{team: True})
    computing.raising = [team]
    game = next(row["game_id"] for row in before if row["team_abbr"] == team)
    retry(warehouse, TEAMS.name, [day])
    assert stored(warehouse, TEAMS, day) == [row for row in before if row["game_id"] != game]
    reasons = {row["entity_id"]: row["failure_reason"] for row in records(warehouse, TEAMS, day)}
    (opponent,) = reasons.keys() - {team}
    assert reasons[opponent].startswith("two_rows_per_game: ")
    computing.raising = ()
    (fact,) = retry(warehouse, TEAMS.name, [day])
    assert (fact.row_count, fact.failures) == (len(before), {})
    digest = {row["team_abbr"]: row["data_hash"] for row in before}
    assert {row["team_abbr"]: row["data_hash"] for row in stored(warehouse, TEAMS, day)} == digest


def test_of_a_range_each_date_retries_its_own_failures(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    first, untouched, last = game_days[0], game_days[1], game_days[2]
    players = {day: players_of(warehouse, day) for day in game_days}
    add_records(warehouse, SHEET, first, **{players[first][0]: True})
    add_records(warehouse, SHEET, last, **{players[last][-1]: True})
    add_records(warehouse, SHEET, untouched, **{players[untouched][0]: False})
    before = {day: stored(warehouse, SHEET, day) for day in game_days}
    retained = partition_state(warehouse, SHEET, untouched)
    computing.requested = []
    run = retry_run(warehouse, SHEET.name, days_between(first, last))
    facts = prepared(run).write()
    assert [fact.day for fact in facts] == [first, last]
    assert sorted(computing.requested) == sorted([players[first][0], players[last][-1]])
    assert stored(warehouse, SHEET, untouched) == before[untouched]
    assert partition_state(warehouse, SHEET, untouched) == retained
    for day, player in ((first, players[first][0]), (last, players[last][-1])):
        assert without(stored(warehouse, SHEET, day), [player]) == without(before[day], [player])
    assert isinstance(run.scope, Retry)
    assert run.scope.standing(untouched) == {
        "dagster/partition_row_count": retained["row_count"],
        "rows": retained["row_count"],
        "failures": retained["failure_count"],
        "failures_by_category": {"MISSING_RAW_DATA": 1},
        "digest": retained["digest"],
        "changed": False,
        "retried": 0,
    }


def test_without_retryable_failures_nothing_is_written(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    add_records(warehouse, SHEET, day, forgotten=False)
    before = [stored(warehouse, SHEET, day), records(warehouse, SHEET, day), [partition_state(warehouse, SHEET, day)]]
    computing.requested = []
    run = retry_run(warehouse, SHEET.name, [day])
    publication = prepared(run)
    assert publication.write() == []
    assert (computing.requested, run.notes["retried_in_run"]) == ([], 0)
    assert [finding.name for finding in publication.findings if not finding.passed] == []
    assert publication.rows.num_rows == len(before[0])
    assert [
        stored(warehouse, SHEET, day),
        records(warehouse, SHEET, day),
        [partition_state(warehouse, SHEET, day)],
    ] == before


def test_a_date_that_was_never_built_is_said_not_to_be(warehouse: DuckDBWarehouse, game_days: list[date]) -> None:
    run = retry_run(warehouse, "ml_feature_store", game_days[:1])
    assert isinstance(run.scope, Retry)
    assert run.scope.standing(game_days[0]) == {"retried": 0, "built": False}


def test_a_retry_gives_way_to_a_run_that_wrote_meanwhile(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    computing.raising = players_of(warehouse, day)[:1]
    build(warehouse, [day], [SHEET.name])
    computing.raising = ()
    publication = prepared(retry_run(warehouse, SHEET.name, [day]))
    other = table_run(warehouse, SHEET.name, [day])
    other.run_id = "other"
    prepare(other, player_game_summary.build(other)).write()
    before = stored(warehouse, SHEET, day)
    with pytest.raises(OvertakenError, match="overtaken by run other"):
        publication.write()
    assert stored(warehouse, SHEET, day) == before


@pytest.mark.parametrize(("is_correctable", "attention"), [(True, True), (None, True), (False, False)])
def test_only_what_better_data_may_correct_needs_attention(
    tmp_path: Path, is_correctable: bool | None, attention: bool
) -> None:
    record = dict.fromkeys(ENTITY_FAILURES.column_names) | {
        **{"table_name": SHEET.name, "partition_date": NOW.date(), "entity_id": "someone", "entity_type": "PLAYER"},
        **{"failure_category": "MISSING_RAW_DATA", "failure_reason": "no row", "can_retry": True},
        **{"is_correctable": is_correctable, "resolution_status": "UNRESOLVED", "run_id": "r", "created_at": NOW},
    }
    rows = pa.Table.from_pylist([record], schema=arrow_schema(ENTITY_FAILURES))
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb")
    warehouse.replace([Replacement(ENTITY_FAILURES, rows, [NOW.date()])])
    failure = opened(warehouse)["someone"]
    assert (failure.can_retry, failure.is_correctable, failure.needs_attention) == (True, attention, attention)


def test_a_tripped_breaker_counts_and_can_be_reset(
    warehouse: DuckDBWarehouse, game_days: list[date], computing: Computing
) -> None:
    day = game_days[0]
    (player,) = players_of(warehouse, day)[:1]
    computing.raising = [player]
    build(warehouse, [day], [SHEET.name])
    # The first attempt was made by another version of the code: it counts for nothing, but is numbered.
    for attempt in (2, 3, 4):
        retry(warehouse, SHEET.name, [day])
        failure = opened(warehouse)[player]
        assert (failure.category, failure.attempts, failure.can_retry) == ("PROCESSING_ERROR", attempt, True)
    computing.requested = []
    retry(warehouse, SHEET.name, [day])
    failure = opened(warehouse)[player]
    assert (failure.category, failure.attempts, failure.can_retry, computing.requested) == (
        "CIRCUIT_BREAKER_ACTIVE",
        4,
        False,
        [],
    )
    assert Retry.of(warehouse, SHEET, [day], LATER).dates == []
    assert Retry.of(warehouse, SHEET, [day], LATER + COOL_DOWN).dates == [day]
    assert reset(warehouse, SHEET.name, day, player) == 4
    computing.raising = ()
    (fact,) = retry(warehouse, SHEET.name, [day])
    assert (fact.failures, computing.requested) == ({}, [player])


def test_three_failed_players_of_376_on_a_real_date(tmp_path: Path, computing: Computing) -> None:
    day = date(2021, 11, 15)
    warehouse = DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)
    ingest_all(warehouse, real_data(2021), [day])
    build(warehouse, [day], [TEAMS.name, SHEET.name])
    everybody = players_of(warehouse, day)
    whole = partition_state(warehouse, SHEET, day)["digest"]
    failed = [everybody[place] for place in (7, 190, 375)]
    computing.raising = failed
    (fact,) = build(warehouse, [day], [SHEET.name])[SHEET.name]
    assert (fact.row_count, fact.failures) == (373, {"PROCESSING_ERROR": 3})
    before = stored(warehouse, SHEET, day)
    computing.raising, computing.requested = (), []
    (fact,) = retry(warehouse, SHEET.name, [day])
    assert computing.requested == failed
    assert (fact.row_count, fact.failures, fact.digest) == (376, {}, whole)
    assert without(stored(warehouse, SHEET, day), failed) == before
