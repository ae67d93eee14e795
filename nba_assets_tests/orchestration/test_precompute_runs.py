"""The precomputed tables as they are run: in one run with all others, alone, before the games, without their inputs,
with an entity that fails.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from nba_assets.automation.planned_runs import Launch
from nba_assets.definitions import TABLE_ASSETS
from nba_assets.orchestration.instance import dagster_instance
from nba_assets.orchestration.launch import RunReport, execute
from nba_assets.publishing.inputs import MissingInputsError, computed
from nba_assets.publishing.publication import DateFacts
from nba_assets.registry import ALL_TABLES, COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.digest import row_hashes
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import build, days_between, ingest_all, table_run

FIRST, SECOND, THIRD = (
    ("team_defense_zone_analysis", "player_shot_zone_analysis"),
    ("player_composite_factors", "player_daily_cache"),
    ("ml_feature_store",),
)
PRECOMPUTED = (*FIRST, *SECOND, *THIRD)
LAST_DAY = 16
"""Of the season so far: the third date with precomputed rows."""


@dataclass(frozen=True)
class Built:
    """The first seventeen days of the landed league in a warehouse, all tables built as one range."""

    warehouse: Path
    facts: dict[str, list[DateFacts]]

    def digests(self, day: date) -> dict[str, str]:
        """What each table should be on a date."""
        return {name: fact.digest for name, facts in self.facts.items() for fact in facts if fact.day == day}


@pytest.fixture(scope="module")
def built(landed: Home, tmp_path_factory: pytest.TempPathFactory) -> Built:
    path = tmp_path_factory.mktemp("built") / "nba.duckdb"
    days = days_between(landed.opening, landed.day(LAST_DAY))
    ingest_all(DuckDBWarehouse(path), landed.landing, days)
    return Built(path, build(DuckDBWarehouse(path), days))


@pytest.fixture
def season(built: Built, home: Home) -> Home:
    """The landed league with its first seventeen days built."""
    shutil.copy(built.warehouse, home.warehouse)
    return home


def forget(home: Home, day: date, names: Sequence[str]) -> None:
    """Have a date of some tables not built."""
    with duckdb.connect(home.warehouse) as connection:
        for name in names:
            table = ALL_TABLES[name]
            connection.execute(f"delete from {table.qualified_name} where {table.date_column} = ?", [day])
            connection.execute(
                "delete from nba_processing.table_partitions where table_name = ? and partition_date = ?", [name, day]
            )


def digests(home: Home, day: date) -> dict[str, str]:
    """What each computed table holds on a date."""
    partition_state = DuckDBWarehouse(home.warehouse).read(
        TABLE_PARTITIONS, ("table_name", "digest"), day, day, {"table_name": list(COMPUTED_TABLES)}
    )
    return dict(zip(partition_state["table_name"].to_pylist(), partition_state["digest"].to_pylist(), strict=True))


def upstream() -> dict[str, set[str]]:
    """The tables that each table's asset depends on, raw data left out."""
    return {
        asset.key.to_user_string(): {key.to_user_string() for key in asset.dependency_keys}
        & COMPUTED_TABLES.keys() - {asset.key.to_user_string()}
        for asset in TABLE_ASSETS
    }


def test_the_graph_alone_puts_zones_before_factors_and_cache_before_features() -> None:
    waiting = {name: upstream()[name] & set(PRECOMPUTED) for name in PRECOMPUTED}
    layers = []
    while waiting:
        layers.append({name for name, needs in waiting.items() if not needs & waiting.keys()})
        waiting = {name: needs for name, needs in waiting.items() if name not in layers[-1]}
    # The cache needs no more than the zones, the factors both kinds of zones; features need everything.
    assert layers == [set(FIRST), set(SECOND), set(THIRD)]


def test_every_table_depends_on_what_it_reads() -> None:
    found = upstream()
    assert {name: found[name] for name in PRECOMPUTED} == {
        "team_defense_zone_analysis": {"team_defense_game_summary"},
        "player_shot_zone_analysis": {"player_game_summary"},
        "player_composite_factors": {*CONTEXTS, *FIRST},
        "player_daily_cache": {
            "player_game_summary",
            "team_offense_game_summary",
            "upcoming_player_game_context",
            "player_shot_zone_analysis",
        },
        "ml_feature_store": {
            "player_game_summary",
            "team_offense_game_summary",
            "upcoming_player_game_context",
            *FIRST,
            *SECOND,
        },
    }
    assert not any(found[name] & set(PRECOMPUTED) for name in (*GAME_SUMMARIES, *CONTEXTS))


@pytest.mark.slow
def test_a_date_after_the_others_is_built_to_the_last_table_in_one_run(season: Home, built: Built) -> None:
    day = season.day(LAST_DAY)
    forget(season, day, list(COMPUTED_TABLES))
    outcome = season.command("run", day)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.count("Run of ") == 1
    assert f"assets from {day} to {day}" in outcome.stdout
    assert digests(season, day) == built.digests(day)
    assert all(fact.row_count > 0 for facts in built.facts.values() for fact in facts if fact.day == day)


def test_what_is_known_before_the_games_needs_nothing_of_their_results(season: Home, built: Built) -> None:
    day = season.day(LAST_DAY)
    forget(season, day, [*COMPUTED_TABLES, "player_gamebook", "player_boxscores", "team_boxscores", "play_by_play"])
    assert execute(Launch("pregame", [*PREGAME_TABLES], day, day)).succeeded
    assert digests(season, day) == {
        name: digest for name, digest in built.digests(day).items() if name not in GAME_SUMMARIES
    }


SAME_DATE = {
    "player_composite_factors": (*CONTEXTS, *FIRST),
    "player_daily_cache": ("upcoming_player_game_context", "player_shot_zone_analysis"),
    "ml_feature_store": ("upcoming_player_game_context", *FIRST, *SECOND),
}
"""What each table reads of its own date."""


@pytest.mark.parametrize(
    ("name", "missing"), [(name, missing) for name, needs in SAME_DATE.items() for missing in needs]
)
def test_a_table_of_the_same_date_that_is_not_built_is_named_with_its_command(
    season: Home, name: str, missing: str
) -> None:
    day = season.day(LAST_DAY)
    forget(season, day, [missing])
    warehouse = DuckDBWarehouse(season.warehouse)
    with pytest.raises(MissingInputsError, match=f"nba-assets run {day} --table {missing}$"):
        computed(table_run(warehouse, name, [day]), TABLE_MODULES[name].build)
    # The first days have no pregame rows, so nothing of them is needed.
    early = season.day(3)
    forget(season, early, [missing])
    assert computed(table_run(warehouse, name, [early]), TABLE_MODULES[name].build).row_count == 0


def test_without_contexts_the_command_fails_and_says_what_to_run(season: Home, built: Built) -> None:
    day = season.day(LAST_DAY)
    forget(season, day, CONTEXTS)
    outcome = season.command("run", day, "--table", "ml_feature_store")
    assert outcome.returncode == 1
    assert (
        "ml_feature_store reads what is not built: upcoming_player_game_context (0 of 1 dates are built). Build it "
        "first"
    ) in outcome.stdout
    assert "Traceback" not in outcome.stdout + outcome.stderr
    assert digests(season, day)["ml_feature_store"] == built.digests(day)["ml_feature_store"]


def test_a_same_date_table_that_is_built_but_empty_is_no_failure(season: Home) -> None:
    day = season.day(LAST_DAY)
    with duckdb.connect(season.warehouse) as connection:
        for name in FIRST:
            table = COMPUTED_TABLES[name]
            connection.execute(f"delete from {table.qualified_name} where {table.date_column} = ?", [day])
    facts = build(DuckDBWarehouse(season.warehouse), [day], (*SECOND, *THIRD))
    assert all(fact.row_count > 0 for (fact,) in facts.values())
    rows = stored(season, "player_composite_factors", [day]).values()
    assert all(row["missing_data_fields"].endswith("player_shot_zone, team_defense_zone") for row in rows)
    assert {row["shot_zone_mismatch_score"] for row in rows} == {0.0}


def test_a_thin_past_is_told_and_warned_about_but_not_fatal(season: Home) -> None:
    day, name = season.day(LAST_DAY), "player_shot_zone_analysis"
    forget(season, season.day(LAST_DAY - 1), ["player_game_summary"])
    report = run_alone(name, day)
    assert report.succeeded
    with dagster_instance() as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(name))
    assert event is not None
    assert event.asset_materialization is not None
    inputs: Any = event.asset_materialization.metadata["inputs"].value
    with duckdb.connect(season.warehouse, read_only=True) as connection:
        ((game_days,),) = connection.execute(
            "select count(distinct game_date) from nba_raw.schedule where game_status = 3 and game_date < ?", [day]
        ).fetchall()
    assert inputs["player_game_summary"]["game_days"] == f"{game_days - 1} / {game_days}"
    assert any(
        f"{name} looks back on thin data: for 1 of 1 dates player_game_summary" in message
        for message in messages(report)
    )


def run_alone(name: str, day: date) -> RunReport:
    """A table on a date in a run of its own."""
    return execute(Launch("full", [name], day, day))


def failing(monkeypatch: pytest.MonkeyPatch, name: str, entity: str, days: Sequence[date] | None = None) -> list[str]:
    """Have a table's computation raise for an entity, on some dates or always; returns the entities that it is called
    for.
    """
    module, seen = TABLE_MODULES[name], list[str]()
    real, key = module.compute, module.TABLE.entity_column
    assert key is not None

    def compute(requested: Any, histories: Any, shared: Any = None) -> Any:
        seen.extend(requested.entities)
        his = requested.dates[requested[key] == entity]
        if len(his) and (days is None or {*his.tolist()} & {*days}):
            raise ArithmeticError("no such number")
        return real(requested, histories, shared)

    monkeypatch.setattr(module, "compute", compute)
    return seen


def stored(home: Home, name: str, days: Sequence[date]) -> dict[tuple[date, str], dict[str, Any]]:
    """Rows of a table with their hashes, by date and entity."""
    table = COMPUTED_TABLES[name]
    names = [column.name for column in table.columns if column.hashed]
    rows = DuckDBWarehouse(home.warehouse).read(table, names, days[0], days[-1])
    keys = zip(rows[table.date_column].to_pylist(), rows[str(table.entity_column)].to_pylist(), strict=True)
    hashes = row_hashes(table, rows)
    return {key: {**row, "hash": int(mine)} for key, row, mine in zip(keys, rows.to_pylist(), hashes, strict=True)}


@pytest.mark.parametrize("name", PRECOMPUTED)
def test_an_entity_that_fails_on_a_date_costs_only_its_row_of_that_date(
    season: Home, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    days = [season.day(number) for number in range(14, LAST_DAY + 1)]
    before = stored(season, name, days)
    unlucky, entity = next((day, entity) for day, entity in before if sum(other == entity for _, other in before) > 1)
    failing(monkeypatch, name, entity, [unlucky])
    (facts,) = build(DuckDBWarehouse(season.warehouse), days, [name]).values()
    assert stored(season, name, days) == {key: row for key, row in before.items() if key != (unlucky, entity)}
    assert {fact.day: fact.failures["PROCESSING_ERROR"] for fact in facts if "PROCESSING_ERROR" in fact.failures} == {
        unlucky: 1
    }
    failures = DuckDBWarehouse(season.warehouse).read(
        ENTITY_FAILURES,
        ENTITY_FAILURES.column_names,
        days[0],
        days[-1],
        {"table_name": name, "failure_category": "PROCESSING_ERROR"},
    )
    (failure,) = failures.to_pylist()
    assert (failure["entity_id"], failure["partition_date"]) == (entity, unlucky)
    assert failure["entity_type"] == ("TEAM" if name == "team_defense_zone_analysis" else "PLAYER")
    assert "ArithmeticError: no such number" in failure["failure_reason"]


def test_three_failing_runs_of_a_player_leave_him_alone_until_his_own_past_changes(season: Home) -> None:
    name, day = "player_shot_zone_analysis", season.day(LAST_DAY)
    (_, unlucky), (_, other) = list(stored(season, name, [day]))[:2]
    with pytest.MonkeyPatch.context() as while_he_fails:
        seen = failing(while_he_fails, name, unlucky)
        for _ in range(3):
            seen.clear()
            assert run_alone(name, day).succeeded
            assert unlucky in seen
        miss_every_shot(season, other)
        seen.clear()
        report = run_alone(name, day)
        assert report.succeeded
        assert other in seen
        assert unlucky not in seen
        assert any(
            "Circuit breaker: 1 players not computed" in message and unlucky in message for message in messages(report)
        )
    miss_every_shot(season, unlucky)
    assert run_alone(name, day).succeeded
    counts = (
        DuckDBWarehouse(season.warehouse)
        .read(COMPUTED_TABLES[name], ("player_lookup", "reprocess_attempt_count"), day, day)
        .to_pylist()
    )
    assert {
        row["player_lookup"]: row["reprocess_attempt_count"] for row in counts if row["reprocess_attempt_count"]
    } == {unlucky: 3}


def miss_every_shot(home: Home, player: str) -> None:
    """Change a player's past."""
    with duckdb.connect(home.warehouse) as connection:
        connection.execute(
            "update nba_analytics.player_game_summary set fg_makes = 0 where player_lookup = ?", [player]
        )


def messages(report: RunReport) -> list[str]:
    """What a run has said."""
    with dagster_instance() as instance:
        return [entry.user_message for entry in instance.all_logs(report.run_id)]
