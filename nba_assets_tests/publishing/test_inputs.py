"""What a table reads of its own date: a date without it is refused, an optional feed is done without and told of, an
empty date is as good as any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.input_state import differing_inputs
from nba_assets.publishing.inputs import MissingInputsError, computed, own_date_inputs
from nba_assets.publishing.lineage import note_inputs
from nba_assets.publishing.publication import prepare
from nba_assets.publishing.refusals import recorded_refusals, stored_refusals
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_GAMEBOOK, PLAYER_POINTS_PROPS, ROSTERS, SCHEDULE, TEAM_BOXSCORES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Input, Table, before, day, of_its_date, text
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Replacement

OPENING = date(2021, 10, 19)
IDLE = OPENING + timedelta(days=3)
DAYS = [OPENING + timedelta(days=number) for number in range(6)]
NOW = datetime(2022, 1, 1, tzinfo=UTC)


def table(name: str, *inputs: Input) -> Table:
    columns = (day("game_date", "Date", nullable=False), text("team_abbr", "Team", nullable=False), *STAMPS)
    return Table(
        "nba_analytics", name, "one team on one date", ("game_date", "team_abbr"), "game_date", columns, inputs=inputs
    )


RESULTS, TONIGHT, OTHER = table("results"), table("tonight"), table("other")
READER = table("reader_game_summary")


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    """A schedule of five game days and one without games."""
    found = DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)
    blank: dict[str, Any] = dict.fromkeys(SCHEDULE.table.column_names)
    teams = {"home_team_abbr": "BOS", "away_team_abbr": "LAL", "home_team_score": 100, "away_team_score": 90}
    phase = {
        "season_year": 2021,
        "is_regular_season": True,
        "is_playoffs": False,
        "game_status": 3,
        "processed_at": NOW,
    }
    games = [
        blank | teams | phase | {"game_id": f"{played:%Y%m%d}_LAL_BOS", "game_date": played}
        for played in DAYS
        if played != IDLE
    ]
    found.replace([Replacement(SCHEDULE.table, pa.Table.from_pylist(games, schema=arrow_schema(SCHEDULE.table)), DAYS)])
    return found


def ingested(warehouse: DuckDBWarehouse, name: str, days: Sequence[date]) -> None:
    """Enter a raw table as ingested for these dates alone."""
    entry = {"row_count": 0, "failure_count": 0, "digest": "", "run_id": "raw", "written_at": NOW}
    blank: dict[str, Any] = dict.fromkeys(TABLE_PARTITIONS.column_names)
    rows = [blank | entry | {"table_name": name, "partition_date": played} for played in days]
    content = pa.Table.from_pylist(rows, schema=arrow_schema(TABLE_PARTITIONS))
    warehouse.replace([Replacement(TABLE_PARTITIONS, content, DAYS, {"table_name": name})])


def quarantined_file(warehouse: DuckDBWarehouse, name: str, played: date) -> None:
    row = {
        "file": f"{name}/bad.parquet",
        "row_number": 0,
        "reason": "is empty",
        "content": None,
        "game_id": None,
        "run_id": "raw",
        "created_at": NOW,
    }
    content = pa.Table.from_pylist(
        [row | {"table_name": name, "partition_date": played}], schema=arrow_schema(RAW_QUARANTINE)
    )
    warehouse.replace([Replacement(RAW_QUARANTINE, content, [played], {"table_name": name})])


def run_of(warehouse: DuckDBWarehouse, spec: Table, dates: Sequence[date], upstream: Sequence[Table] = ()) -> TableRun:
    spec = replace(
        spec, inputs=tuple(before(RESULTS) if source is RESULTS else of_its_date(source) for source in upstream)
    )
    return TableRun(spec, dates, warehouse, ParallelEntities.serial(), Settings.from_environment({}), "run", NOW)


def published(warehouse: DuckDBWarehouse, spec: Table, dates: Sequence[date], *, without_rows: bool = False) -> None:
    filled = [] if without_rows else list(dates)
    rows = {"game_date": np.array(filled, dtype="M8[D]"), "team_abbr": np.full(len(filled), "BOS", dtype=object)}
    prepare(run_of(warehouse, spec, dates), Outcome(rows)).write()


def every_day(run: TableRun) -> Outcome:
    """A row on each date, those in between that are refused included, as a bounded read would have it."""
    dates = np.arange(np.datetime64(run.start, "D"), np.datetime64(run.end, "D") + 1)
    return Outcome({"game_date": dates, "team_abbr": np.full(len(dates), "BOS", dtype=object)})


def built(warehouse: DuckDBWarehouse, dates: Sequence[date], *upstream: Table) -> TableRun:
    """A run of the reader that is published."""
    run = run_of(warehouse, READER, dates, upstream)
    assert [fact.day for fact in prepare(run, computed(run, every_day)).write()] == run.dates
    return run


def test_a_missing_date_names_the_command_that_builds_it(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(MissingInputsError) as error:
        built(warehouse, [OPENING], TONIGHT)
    assert "nba_analytics.tonight, which is not built for 2021-10-19." in str(error.value)
    assert str(error.value).endswith("nba-assets run 2021-10-19 --table tonight")


def test_where_all_dates_miss_it_the_command_names_the_range(warehouse: DuckDBWarehouse) -> None:
    days = [played for played in DAYS if played != IDLE]
    with pytest.raises(MissingInputsError) as error:
        built(warehouse, days, RESULTS, OTHER)
    assert "other, which is not built for 2021-10-19, 2021-10-20, 2021-10-21, 2021-10-23, 2021-10-24." in str(
        error.value
    )
    assert str(error.value).endswith("nba-assets backfill 2021-10-19 2021-10-24 --table other")


def test_of_a_range_only_the_dates_that_lack_an_input_are_refused(warehouse: DuckDBWarehouse) -> None:
    """A date without games needs nothing, and earlier results may lack altogether."""
    published(warehouse, TONIGHT, [played for played in DAYS if played not in (DAYS[1], IDLE)])
    run = built(warehouse, DAYS, RESULTS, TONIGHT)
    assert run.refused == {DAYS[1]: "upstream tonight is not built for 2021-10-20"}
    assert run.dates == [played for played in DAYS if played != DAYS[1]]
    rows = warehouse.read(READER, ("game_date",), DAYS[0], DAYS[-1]).column("game_date").to_pylist()
    assert rows == run.dates


def test_every_table_has_to_be_built(warehouse: DuckDBWarehouse) -> None:
    published(warehouse, TONIGHT, [OPENING])
    built(warehouse, [OPENING], TONIGHT)
    with pytest.raises(MissingInputsError, match="--table other"):
        built(warehouse, [OPENING], TONIGHT, OTHER)


def test_an_empty_date_is_built(warehouse: DuckDBWarehouse) -> None:
    published(warehouse, TONIGHT, [OPENING], without_rows=True)
    assert built(warehouse, [OPENING], TONIGHT).refused == {}


def test_a_refused_date_of_a_table_is_refused_by_the_tables_that_read_it_until_it_is_built(
    warehouse: DuckDBWarehouse,
) -> None:
    published(warehouse, TONIGHT, DAYS[:3])
    upstream = run_of(warehouse, TONIGHT, DAYS[:2])
    upstream.refuse({DAYS[1]: "too odd"})
    warehouse.replace(recorded_refusals(upstream))
    assert built(warehouse, DAYS[:3], TONIGHT).refused == {
        DAYS[1]: "upstream tonight is refused for 2021-10-20: too odd"
    }
    behind = run_of(warehouse, table("behind_game_summary"), DAYS[:3], [READER])
    computed(behind, every_day)
    assert behind.refused[DAYS[1]].endswith("upstream tonight is refused for 2021-10-20: too odd")
    with pytest.raises(MissingInputsError, match=r"was left as it was\. 2021-10-20: upstream tonight is refused"):
        built(warehouse, [DAYS[1]], TONIGHT)
    published(warehouse, TONIGHT, [DAYS[1]])
    assert built(warehouse, DAYS[:3], TONIGHT).refused == {}
    assert stored_refusals(warehouse, [TONIGHT.name, READER.name]) == []


def test_a_required_feed_that_was_not_ingested_refuses_the_date_and_names_the_file(warehouse: DuckDBWarehouse) -> None:
    ingested(warehouse, SCHEDULE.name, DAYS)
    ingested(warehouse, TEAM_BOXSCORES.name, [DAYS[0], DAYS[2]])
    quarantined_file(warehouse, TEAM_BOXSCORES.name, DAYS[1])
    run = built(warehouse, DAYS[:3], SCHEDULE.table, TEAM_BOXSCORES.table)
    assert run.refused == {
        DAYS[1]: "team_boxscores was not ingested for 2021-10-20: team_boxscores/bad.parquet is empty"
    }
    assert run.notices == {}


def test_without_the_schedule_of_a_date_nobody_knows_that_it_has_no_games(warehouse: DuckDBWarehouse) -> None:
    ingested(warehouse, SCHEDULE.name, [played for played in DAYS if played != IDLE])
    assert built(warehouse, DAYS, SCHEDULE.table).refused == {
        IDLE: "schedule was not ingested for 2021-10-22: no run has ingested it yet"
    }


def test_an_optional_feed_that_was_not_ingested_is_done_without_and_told_of(warehouse: DuckDBWarehouse) -> None:
    ingested(warehouse, PLAYER_POINTS_PROPS.name, [DAYS[0], DAYS[2]])
    quarantined_file(warehouse, PLAYER_POINTS_PROPS.name, DAYS[1])
    run = run_of(warehouse, READER, DAYS[:4], [PLAYER_POINTS_PROPS.table])
    publication = prepare(run, computed(run, every_day))
    assert run.refused == {}
    (finding,) = [finding for finding in publication.findings if finding.name == "inputs_ingested"]
    said = "player_points_props was not ingested for 2021-10-20: player_points_props/bad.parquet is empty"
    assert (finding.passed, finding.blocking, finding.dates, finding.examples) == (False, False, (DAYS[1],), (said,))


@pytest.mark.parametrize(
    ("name", "own_date"),
    [
        (
            "team_offense_game_summary",
            {"play_by_play", "player_boxscores", "player_gamebook", "player_registry", "schedule", "team_boxscores"},
        ),
        ("team_defense_game_summary", {"play_by_play", "schedule", "team_offense_game_summary"}),
        (
            "player_game_summary",
            {
                *("play_by_play", "player_boxscores", "player_gamebook", "player_points_props", "player_registry"),
                *("schedule", "team_offense_game_summary"),
            },
        ),
        ("upcoming_team_game_context", {"game_lines", "injury_report", "player_registry", "schedule"}),
        (
            "upcoming_player_game_context",
            {"game_lines", "injury_report", "player_points_props", "player_registry", "rosters", "schedule"},
        ),
        ("team_defense_zone_analysis", {"schedule"}),
        ("player_shot_zone_analysis", {"player_registry", "schedule"}),
        (
            "player_composite_factors",
            {
                *("player_shot_zone_analysis", "schedule", "team_defense_zone_analysis"),
                *("upcoming_player_game_context", "upcoming_team_game_context"),
            },
        ),
        (
            "player_daily_cache",
            {"player_registry", "player_shot_zone_analysis", "schedule", "upcoming_player_game_context"},
        ),
        (
            "ml_feature_store",
            {
                *("player_composite_factors", "player_daily_cache", "player_shot_zone_analysis", "schedule"),
                *("team_defense_zone_analysis", "upcoming_player_game_context"),
            },
        ),
    ],
)
def test_what_each_table_needs_of_its_own_date(name: str, own_date: set[str]) -> None:
    """Results of the date itself are nothing to a table that describes games before they begin."""
    assert {source.name for source in own_date_inputs(COMPUTED_TABLES[name])} == own_date
    assert PLAYER_GAMEBOOK.required
    assert not ROSTERS.required


def test_a_read_that_is_not_declared_is_refused(warehouse: DuckDBWarehouse) -> None:
    """Neither another table, nor dates after the run's; what is not declared could change unseen."""
    run = run_of(warehouse, READER, DAYS[:2], [RESULTS])
    assert len(run.read(RESULTS, ("game_date",))["game_date"]) == 0
    with pytest.raises(
        ValueError,
        match=r"nba_analytics\.tonight from 2021-10-19 to 2021-10-20, which is not among its declared inputs",
    ):
        run.read(TONIGHT, ("game_date",))
    with pytest.raises(ValueError, match="from 2021-10-19 to 2021-10-24"):
        run.read(RESULTS, ("game_date",), end=DAYS[-1])


def test_what_is_recorded_is_what_stood_before_the_first_read(warehouse: DuckDBWarehouse) -> None:
    """An input that changes while a run computes leaves the date stale."""
    published(warehouse, TONIGHT, [OPENING])
    run = run_of(warehouse, READER, [OPENING], [TONIGHT])

    def overtaken(of: TableRun) -> Outcome:
        published(warehouse, TONIGHT, [OPENING], without_rows=True)
        return every_day(of)

    outcome = computed(run, overtaken)
    before = run.built_from[OPENING]
    prepare(run, outcome).write()
    (entry,) = warehouse.read(TABLE_PARTITIONS, ("inputs",), OPENING, OPENING, {"table_name": READER.name}).to_pylist()
    assert entry["inputs"] == before
    note_inputs(run)
    assert differing_inputs(before, run.built_from[OPENING]) == [TONIGHT.name]
