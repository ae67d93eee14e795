"""Any correction of any raw table ends, by what the sensors request, at what a clean build of the corrected data
holds; and reaches nothing else.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from nba_assets.automation.staleness import ANNOUNCEMENTS
from nba_assets.raw.content_index import RESULTS, forget_landed, landed_index
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.schedule import POSTPONED
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES, PREGAME_TABLES, TABLE_MODULES
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, SCHEDULE_HISTORY, TABLE_PARTITIONS
from nba_assets.tables.spec import Input
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration.at_work import (
    BUILT,
    ENVIRONMENT,
    HOURS,
    NEXT,
    OPENING,
    Key,
    Operator,
    Ran,
    Season,
    build_tables,
    changed,
    days_of,
    digests,
    give_points,
    rebuilt,
)
from nba_assets_tests.seeds import seeds

JULY = date(2024, 7, 1)


@pytest.fixture(scope="module")
def common(tmp_path_factory: pytest.TempPathFactory) -> tuple[Season, Path, MemoryWarehouse]:
    """A season of a small league, built up to BUILT, and NEXT built from its announcements."""
    path = tmp_path_factory.mktemp("season")
    season = Season(path, write_season(path, 2024, **SMALL_LEAGUE))
    landing, warehouse = tmp_path_factory.mktemp("common") / "landing", MemoryWarehouse()
    season.land_all(landing, OPENING, BUILT)
    season.land(landing, NEXT, ANNOUNCEMENTS)
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        build_tables(warehouse, landing, [*RAW_TABLES, *TABLE_MODULES], days_of(OPENING, BUILT))
        build_tables(warehouse, landing, [*RAW_TABLES, *PREGAME_TABLES], [NEXT])
    return season, landing, warehouse


@pytest.fixture
def operator(common: tuple[Season, Path, MemoryWarehouse], own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """At work in a copy of the common home, years after the season."""
    season, landing, warehouse = common
    shutil.copytree(landing, own_home / "landing")
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    forget_landed()
    return Operator(own_home / "landing", season, warehouse.copy())


def runs_until_done(operator: Operator) -> list[Ran]:
    """All runs that the sensors ask for; what waits for more to land waits for nothing."""
    ran = operator.until_quiet()
    operator.now += 3 * HOURS
    return ran + operator.until_quiet()


def clean_digests(operator: Operator) -> dict[Key, str]:
    """The digests of everything that is built, built anew from the raw tables as they are stored; dates that lack an
    input are left out.
    """
    partition_state = operator.partition_state()
    assert isinstance(operator.warehouse, MemoryWarehouse)
    kept = {name: rows for name, rows in operator.warehouse.tables.items() if name.startswith("nba_raw.")}
    for beside in (RAW_QUARANTINE, SCHEDULE_HISTORY):
        kept[beside.qualified_name] = operator.warehouse.read(beside, beside.column_names, date.min, date.max)
    warehouse = MemoryWarehouse(kept)
    entries = operator.warehouse.tables[TABLE_PARTITIONS.qualified_name]
    of_raw_tables = pa.array([name in RAW_TABLES for name in entries["table_name"].to_pylist()])
    warehouse.tables[TABLE_PARTITIONS.qualified_name] = entries.filter(of_raw_tables)
    days = days_of(OPENING, max(day for _, day in partition_state))
    build_tables(
        warehouse,
        operator.landing,
        GAME_SUMMARIES,
        [day for day in days if ("player_game_summary", day) in partition_state],
    )
    build_tables(warehouse, operator.landing, PREGAME_TABLES, days)
    rows = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), OPENING, days[-1]).to_pylist()
    fresh = {(row["table_name"], row["partition_date"]): row["digest"] for row in rows}
    return {key: fresh[key] for key in partition_state if key in fresh}


def assert_clean_build(operator: Operator) -> None:
    """What is built is what a clean build would hold, and nothing is left to do."""
    clean = clean_digests(operator)
    held = digests(operator.partition_state())
    assert {key: held[key] for key in clean} == clean


def not_ingested(operator: Operator) -> list[Key]:
    """Dates of which something else has landed than is stored; what is announced of games to come may wait for their
    turn.
    """
    landed = landed_index(FolderLandingZone(operator.landing)).look(NEXT, operator.now)
    stored = raw_state(operator)
    return [
        (name, day)
        for name, content in landed.tables.items()
        for day, digest in content.digests.items()
        if day <= BUILT and content.trouble(day) is None and stored.get((name, day)) != digest
    ]


def raw_state(operator: Operator) -> dict[Key, str]:
    return digests(operator.partition_state(tuple(RAW_TABLES))) | {
        (row["table_name"], row["partition_date"]): row["digest"]
        for row in operator.warehouse.read(
            TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), JULY, JULY
        ).to_pylist()
    }


class Correction:
    """A correction of one file, drawn at random: a cell, a row more or less, or the file gone."""

    def __init__(self, landing: Path, choice: random.Random) -> None:
        table = choice.choice(list(RAW_TABLES))
        self.file = choice.choice(sorted((landing / table).rglob("*.parquet")))
        self.rows = pq.read_table(self.file)
        self.kind = choice.choice(["cell", "cell", "cell", "row less", "row more", "file gone"])
        self.place = choice.randrange(max(self.rows.num_rows, 1))
        if table == SCHEDULE.name:  # not of a game that is still to come; and without any schedule every run fails
            self.kind = "cell" if self.kind == "file gone" else self.kind
            played = [place for place, day in enumerate(self.rows["game_date"].to_pylist()) if day <= NEXT]
            self.place = choice.choice(played)
        self.column = choice.choice(self.rows.schema.names)
        self.other = choice.randrange(max(self.rows.num_rows, 1))
        self.table = table

    def __str__(self) -> str:
        return f"{self.kind} of {self.file.parent.name}/{self.file.name}, row {self.place}, column {self.column}"

    def make(self) -> None:
        """Carry it out."""
        if self.kind == "file gone":
            self.file.unlink()
            return
        records = self.rows.to_pylist()
        if not records:
            return
        if self.kind == "row less":
            del records[self.place]
        elif self.kind == "row more":
            copied = dict(records[self.other])
            copied[self.column] = records[self.place][self.column]
            records.append(copied)
        else:
            records[self.place][self.column] = self._other_value(records)
        pq.write_table(pa.Table.from_pylist(records, schema=self.rows.schema), self.file)

    def _other_value(self, records: Sequence[Mapping[str, Any]]) -> Any:
        before = records[self.place][self.column]
        if isinstance(before, bool):
            return not before
        if (
            self.column == "game_status"
        ):  # not postponed after it was played, of which earlier dates know nothing: there is a test of its own
            return before - 1
        if isinstance(before, (int, float)):
            return before + 1
        others = [record[self.column] for record in records if record[self.column] != before]
        return others[self.other % len(others)] if others else None


def days_read(source: Input, day: date) -> Iterator[date]:
    """The dates of an input that a table reads for a date of the simulated season."""
    if source.whole_season:
        yield JULY
    if source.own_date:
        yield day
    first = day - timedelta(days=source.days) if source.days is not None else OPENING - timedelta(days=source.lead_days)
    yield from (first + timedelta(days=number) for number in range((day - first).days))


def reach(
    before: Mapping[Key, str], after: Mapping[Key, str], partition_state: Mapping[Key, Any], held: set[Key]
) -> set[Key]:
    """The dates of computed tables that some changed date can reach, step by step, as it is declared; of the schedule a
    date ahead or a home counts too.
    """
    gone = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    schedule_changed = any(name == SCHEDULE.name for name, _ in gone)
    reached: set[Key] = set()
    for name, table in COMPUTED_TABLES.items():
        for key in (key for key in partition_state if key[0] == name):
            for source in table.inputs:
                if source.table.name == RAW_QUARANTINE.name:
                    near = any(day == key[1] for _, day in gone)
                elif source.table.name == SCHEDULE.name and (
                    source.whole_season or source.name == "schedule:games_ahead"
                ):
                    near = schedule_changed
                else:
                    near = any((source.table.name, day) in gone | held | reached for day in days_read(source, key[1]))
                if near:
                    reached.add(key)
                    break
    return reached


def check_corrections(operator: Operator, seed: int, count: int) -> None:
    choice = random.Random(seed)
    corrections = [Correction(operator.landing, choice) for _ in range(count)]
    raw, partition_state = raw_state(operator), operator.partition_state()
    for correction in corrections:
        correction.make()
    told = "; ".join(map(str, corrections))
    ran = runs_until_done(operator)
    assert not_ingested(operator) == [], told
    assert_clean_build(operator)
    late = {
        (table, day)
        for one in ran
        if one.trigger == "late_data"
        for table in one.assets
        for day in days_of(one.start, one.end)
    }
    reached = reach(raw, raw_state(operator), partition_state, changed(partition_state, operator.partition_state()))
    games = set(operator.game_days())
    assert {key for key in late if key[1] in games} <= reached, told
    if raw == raw_state(operator):
        assert changed(partition_state, operator.partition_state()) <= {
            key for key in partition_state if key[0] in GAME_SUMMARIES or key in reached
        }, told


@pytest.mark.parametrize("seed", range(6))
def test_any_correction_ends_at_a_clean_build(operator: Operator, seed: int) -> None:
    check_corrections(operator, seed, count=1 + seed % 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds(12, first=100))
def test_many_corrections_end_at_a_clean_build(operator: Operator, seed: int) -> None:
    check_corrections(operator, seed, count=1 + seed % 3)


def rewrite(file: Path, column: str, new: Callable[[dict[str, Any]], Any]) -> None:
    """Other values in a column of a file, by row."""
    rows = pq.read_table(file)
    values = pa.array([new(row) for row in rows.to_pylist()], rows.schema.field(column).type)
    pq.write_table(rows.set_column(rows.schema.get_field_index(column), column, values), file)


def test_a_changed_id_in_the_registry_reaches_the_season(operator: Operator) -> None:
    before = operator.partition_state()
    (file,) = (operator.landing / "player_registry").rglob("*.parquet")
    someone = pq.read_table(file)["player_lookup"][0].as_py()
    rewrite(
        file,
        "universal_player_id",
        lambda row: "somebodyelse_009" if row["player_lookup"] == someone else row["universal_player_id"],
    )
    first, *others = runs_until_done(operator)
    assert (first.trigger, sorted(first.assets)) == ("season_feed", ["player_registry"])
    assert [one.trigger for one in others] == ["late_data"] * len(others)
    stored = operator.warehouse.read(
        COMPUTED_TABLES["player_game_summary"], ("player_lookup", "universal_player_id"), OPENING, BUILT
    ).to_pylist()
    assert {row["universal_player_id"] for row in stored if row["player_lookup"] == someone} == {"somebodyelse_009"}
    assert ("player_game_summary", operator.game_days()[0]) in changed(before, operator.partition_state())
    assert_clean_build(operator)
    assert runs_until_done(operator) == []


def test_a_postponed_game_leaves_no_tables_that_describe_it_and_earlier_dates_alone(operator: Operator) -> None:
    """All games of NEXT are postponed after its tables were built: these become empty.

    On the dates before, nobody knew.
    """
    before = operator.partition_state()
    assert before["upcoming_player_game_context", NEXT]["row_count"]
    (file,) = (operator.landing / "schedule").rglob("*.parquet")
    rewrite(file, "game_status", lambda row: POSTPONED if row["game_date"] == NEXT else row["game_status"])
    first, *others = runs_until_done(operator)
    assert (first.trigger, first.start) == ("season_feed", NEXT)
    after = operator.partition_state()
    assert {day for key, day in rebuilt(before, after) if (key, day) in before} == {NEXT}
    assert {table for table, _ in changed(before, after)} == {
        key[0] for key in before if key[1] == NEXT and before[key]["row_count"]
    }
    assert all(after[table, NEXT]["row_count"] == 0 for table in (*CONTEXTS, "ml_feature_store"))
    assert [one.trigger for one in others if one.trigger != "next_date"] == ["late_data"]
    assert runs_until_done(operator) == []


def test_a_corrected_score_reaches_its_summaries_and_the_margins_of_later_dates(operator: Operator) -> None:
    """No look ahead, no starter and no slate depends on it."""
    day = OPENING + timedelta(days=6)
    before = operator.partition_state()
    (file,) = (operator.landing / "schedule").rglob("*.parquet")
    rewrite(
        file,
        "home_team_score",
        lambda row: (
            row["home_team_score"] + 1
            if row["game_date"] == day and row["home_team_score"] > row["away_team_score"]
            else row["home_team_score"]
        ),
    )
    ran = runs_until_done(operator)
    assert ran[0].short == ("postgame", "results", day, day)
    after = operator.partition_state()
    summaries = {key for key in rebuilt(before, after) if key[0] in GAME_SUMMARIES}
    assert summaries <= {(table, day) for table in GAME_SUMMARIES}
    assert min((when for table, when in rebuilt(before, after) if table in PREGAME_TABLES), default=NEXT) > day
    assert_clean_build(operator)


def test_a_clock_that_is_set_back_changes_nothing(operator: Operator) -> None:
    """Everything was built by a clock half an hour ahead: the correction comes in, and is followed, before that."""
    assert isinstance(operator.warehouse, MemoryWarehouse)
    entries = operator.warehouse.tables[TABLE_PARTITIONS.qualified_name]
    for name in ("written_at", "changed_at"):
        later = pc.add(entries[name], pa.scalar(timedelta(minutes=30)))
        entries = entries.set_column(
            entries.schema.get_field_index(name),
            entries.schema.field(name),
            later.cast(entries.schema.field(name).type),
        )
    operator.warehouse.tables[TABLE_PARTITIONS.qualified_name] = entries
    assert operator.until_quiet() == []
    (file,) = operator.landing.glob(f"player_gamebook/game_date={OPENING + timedelta(days=6)}/*.parquet")
    give_points(file)
    before = operator.partition_state()
    assert [one.trigger for one in runs_until_done(operator)] == ["results", "late_data"]
    assert {table for table, _ in changed(before, operator.partition_state())} >= {
        "player_game_summary",
        "player_daily_cache",
        "ml_feature_store",
    }
    assert_clean_build(operator)


def test_results_of_a_date_reach_no_table_of_dates_before_it(operator: Operator) -> None:
    before = operator.partition_state()
    operator.season.land_schedule(operator.landing, NEXT)
    operator.season.land(operator.landing, NEXT, RESULTS)
    ran = runs_until_done(operator)
    assert [one.trigger for one in ran] == ["results", "next_date"]
    assert {day for _, day in rebuilt(before, operator.partition_state())} == {NEXT, ran[1].start}


def test_a_player_who_joins_one_more_team_is_news_for_no_date(operator: Operator) -> None:
    (file,) = (operator.landing / "player_registry").rglob("*.parquet")
    rows = pq.read_table(file)
    registered = rows.to_pylist()
    moved = registered[0] | {
        "team_abbr": next(row["team_abbr"] for row in registered if row["team_abbr"] != registered[0]["team_abbr"])
    }
    pq.write_table(pa.Table.from_pylist([*registered, moved], schema=rows.schema), file)
    before = operator.partition_state()
    assert [one.trigger for one in runs_until_done(operator)] == ["season_feed"]
    assert not rebuilt(before, operator.partition_state())
