"""Which dates are stale: against a naive comparison of all that each of them read, and in a model of runs that overlap
and overtake each other.

Contents here are words; every clock is wrong: the moments at which anything was written are drawn at random.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.analytics.parts import quarantined
from nba_assets.automation.planned_runs import PlannedRun, fingerprint
from nba_assets.automation.staleness import (
    STATE_COLUMNS,
    Cause,
    Outdated,
    PartitionState,
    Repairs,
    StaleDates,
    _said,
    is_built_from,
    outdated,
    rebuilds,
    repairs,
    stale,
    without_pregame,
)
from nba_assets.basketball.season import SeasonCalendar
from nba_assets.orchestration.sensors import reading_graph
from nba_assets.publishing.input_state import DatedHashes, InputState, inputs_texts, partition_hashes
from nba_assets.raw.content_index import RESULTS
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES, PREGAME_TABLES
from nba_assets.tables.bookkeeping import RAW_QUARANTINE
from nba_assets.tables.spec import Columns, Input, of_its_date
from nba_assets_tests.memory_warehouse import MemoryWarehouse

GRAPH = reading_graph()
FIRST = date(2024, 3, 28)
OPENINGS = {2023: FIRST, 2024: date(2024, 10, 22)}
OFF_DAYS = {FIRST + timedelta(days=3), OPENINGS[2024] + timedelta(days=2), OPENINGS[2024] + timedelta(days=3)}
SEASON_DAYS = {
    year: [opening + timedelta(days=number) for number in range(8 if year == 2023 else 20)]
    for year, opening in OPENINGS.items()
}
ALL_DAYS = [day for days in SEASON_DAYS.values() for day in days]
GAME_DAYS = [day for day in ALL_DAYS if day not in OFF_DAYS]
GAMES = np.array(GAME_DAYS, dtype="M8[D]")
TODAY = ALL_DAYS[-1]
JULY = {year: date(year, 7, 1) for year in OPENINGS}
SOURCES = list({source.name: source for sources in GRAPH.values() for source in sources}.values())
NAMES = [source.name for source in SOURCES]
PARTS = {source.name: source for source in SOURCES if source.part is not None}
SEASONAL = {source.name for source in SOURCES if source.whole_season}
READ = [name for name in NAMES if name not in GRAPH]
"""What is read of raw tables: whole ones by their name, parts as `table:part`."""

Key = tuple[str, date]
"""A table or a part of one, and a date."""
Contents = Mapping[Key, str]


def season_of(day: date) -> int:
    return 2023 if day < OPENINGS[2024] else 2024


def calendar() -> SeasonCalendar:
    return SeasonCalendar.from_schedule(GAMES, np.array([season_of(day) for day in GAME_DAYS]), np.ones(len(GAMES)))


def days_read(source: Input, day: date) -> list[date]:
    """The dates of an input that a table reads for a date, told one by one."""
    if source.whole_season:
        return [JULY[season_of(day)]]
    own = [day] if source.own_date else []
    if source.days == 0:
        return own
    if source.days is not None:
        return [day - timedelta(days=number) for number in range(source.days, 0, -1)] + own
    first = OPENINGS[season_of(day)] - timedelta(days=source.lead_days)
    return [first + timedelta(days=number) for number in range((day - first).days)] + own


def read(source: Input, day: date, contents: Contents) -> list[tuple[date, str]]:
    """What a table reads of an input for a date. Of the games besides, none was played."""
    if source.only_on is not None:
        return []
    return [(when, contents[source.name, when]) for when in days_read(source, day) if (source.name, when) in contents]


def state_of(contents: Contents) -> InputState:
    """As it would be read; contents of parts are elements with a hash of their own."""
    by_name: dict[str, list[date]] = {}
    for name, when in sorted(contents, key=lambda key: key[1]):
        by_name.setdefault(name, []).append(when)
    parts = {("schedule", "games_besides"): DatedHashes.of(np.array([], dtype="M8[D]"), np.array([], dtype=np.uint64))}
    entries: dict[str, Columns] = {}
    for name, days in by_name.items():
        dates, words = np.array(days, dtype="M8[D]"), np.array([contents[name, day] for day in days], dtype=object)
        if name in PARTS:
            part = PARTS[name].part
            assert part is not None
            parts[PARTS[name].table.name, part.name] = DatedHashes.of(dates, partition_hashes(dates, words))
        else:
            entries[name] = {"partition_date": dates, "digest": words, "row_count": np.ones(len(days))}
    for name, source in PARTS.items():
        assert source.part is not None
        parts.setdefault((source.table.name, source.part.name), parts["schedule", "games_besides"])
        assert name in NAMES
    return InputState(entries, parts, calendar())


@dataclass
class World:
    """Contents, and what each date of a computed table was built from: by which run, of which code, and in the words of
    the record.
    """

    contents: dict[Key, str] = field(default_factory=dict)
    recorded: dict[Key, str | None] = field(default_factory=dict)
    reads: dict[Key, dict[str, list[tuple[date, str]]]] = field(default_factory=dict)
    """The same for the naive comparison."""
    run_ids: dict[Key, str] = field(default_factory=dict)
    code: dict[Key, str | None] = field(default_factory=dict)
    rows: dict[Key, int] = field(default_factory=dict)
    without_schedule: set[Key] = field(default_factory=set)
    """Dates whose schedule was not ingested."""
    choice: random.Random = field(default_factory=lambda: random.Random(1))
    runs: int = 0

    @classmethod
    def built(cls, days: Sequence[date] = ALL_DAYS, tables: Collection[str] = tuple(GRAPH)) -> World:
        """Everything is there and built, table after table: nothing is stale."""
        world = cls()
        for name, day in product(READ, ALL_DAYS):
            if name not in SEASONAL:
                world.contents[name, day] = "as it was"
        for name, day in product(SEASONAL, JULY.values()):
            world.contents[name, day] = "as it was"
        for table in GRAPH:
            if table in tables:
                world.build(table, days)
        return world

    def build(self, table: str, days: Sequence[date]) -> None:
        """One run reads and writes, without anybody in between."""
        self.write(table, self.look(table, days))

    def look(self, table: str, days: Sequence[date]) -> list[tuple[date, str, dict[str, list[tuple[date, str]]], str]]:
        """What a run reads: of each date the record, what was read, and the content that comes of it."""
        texts = inputs_texts(state_of(self.contents).digests(GRAPH[table], np.array(days, dtype="M8[D]")))
        seen = [{source.name: read(source, day, self.contents) for source in GRAPH[table]} for day in days]
        return [
            (day, text, reads, fingerprint([table, day, *reads.values()]))
            for day, text, reads in zip(days, texts, seen, strict=True)
        ]

    def write(self, table: str, looked: Sequence[tuple[date, str, dict[str, list[tuple[date, str]]], str]]) -> None:
        """The run writes what came of it."""
        self.runs += 1
        for day, text, reads, content in looked:
            key = (table, day)
            self.contents[key], self.recorded[key], self.reads[key], self.run_ids[key] = (
                content,
                text,
                reads,
                f"run {self.runs}",
            )
            self.code[key] = COMPUTED_TABLES[table].code_version

    def change(self, name: str, day: date, content: str = "changed") -> World:
        """Other content."""
        self.contents[name, day] = content
        return self

    @property
    def partition_state(self) -> PartitionState:
        """The state of partitions, with moments that mean nothing."""
        schedule = {("schedule", day) for day in ALL_DAYS} - self.without_schedule
        keys = sorted({key for key in self.contents if key[0] in RAW_TABLES or key[0] in GRAPH} | schedule)
        moments = np.array([self.choice.randint(0, 10**15) for _ in keys], dtype="M8[us]")
        columns: dict[str, Any] = {
            "table_name": [name for name, _ in keys],
            "partition_date": [day for _, day in keys],
            "digest": [self.contents.get(key, "games") for key in keys],
            "row_count": [self.rows.get(key, 0 if key[1] in OFF_DAYS else 1) for key in keys],
            "written_at": moments,
            "changed_at": moments[::-1],
            "run_id": [self.run_ids.get(key, "raw") for key in keys],
            "code_version": [self.code.get(key) for key in keys],
            "inputs": [self.recorded.get(key) for key in keys],
            "newest_processed_at": moments,
        }
        kinds = {"partition_date": "M8[D]", "row_count": "f8"} | dict.fromkeys(
            ("written_at", "changed_at", "newest_processed_at"), "M8[us]"
        )
        return PartitionState.of({name: np.array(columns[name], dtype=kinds.get(name, "O")) for name in STATE_COLUMNS})

    def stale(self, today: date = TODAY, **unreadable: date) -> StaleDates:
        """As the sensor tells."""
        bad = {name: np.array([day], dtype="M8[D]") for name, day in unreadable.items()}
        return stale(self.partition_state, state_of(self.contents), GRAPH, GAMES, today, bad)

    def repairs(self, today: date = TODAY) -> Repairs:
        """As the sensor tells."""
        return repairs(self.stale(today), self.partition_state, state_of(self.contents), GRAPH, GAMES, today)

    def naive(self, today: date = TODAY) -> set[Key]:
        """Every date of which anything that it read is no longer what it was, or whose upstream rows of the same date
        are such.
        """
        found: set[Key] = set()
        for table, sources in GRAPH.items():
            for day in GAME_DAYS:
                if day > today or self.recorded.get((table, day)) is None:
                    continue
                differs = any(
                    read(source, day, self.contents) != self.reads[table, day][source.name] for source in sources
                )
                if differs or any(source.own_date and (source.table.name, day) in found for source in sources):
                    found.add((table, day))
        return found


def keys_of(late: StaleDates) -> set[Key]:
    return {(table, day) for table, dates in late.items() for day in dates}


def covered(planned: Sequence[PlannedRun]) -> set[Key]:
    """The tables and dates with games that runs would build again."""
    return {
        (table, day)
        for one in planned
        for table in one.launch.assets
        for day in GAME_DAYS
        if one.launch.start <= day <= one.launch.end
    }


def test_what_the_real_tables_read() -> None:
    """Look-backs, own dates and whole seasons, the schedule and the registry included."""
    looks_back = {name: {source.name for source in sources if source.days != 0} for name, sources in GRAPH.items()}
    own_date = {
        name: {source.name for source in sources if source.days == 0 and source.own_date}
        for name, sources in GRAPH.items()
    }
    season = {name: {source.name for source in sources if source.whole_season} for name, sources in GRAPH.items()}
    expectations = {"schedule:finals", "rosters", "player_boxscores:players"}
    assert looks_back["team_defense_zone_analysis"] == {"team_defense_game_summary", "schedule:finals"}
    assert looks_back["upcoming_team_game_context"] == {
        "team_offense_game_summary",
        "player_boxscores:starters",
        "schedule:games_behind",
    }
    assert looks_back["team_offense_game_summary"] == {"player_boxscores:starters", "schedule:finals"}
    assert looks_back["player_shot_zone_analysis"] == {"player_game_summary", *expectations}
    assert looks_back["player_daily_cache"] == {"player_game_summary", "team_offense_game_summary", *expectations}
    assert looks_back["player_composite_factors"] == set()
    assert own_date["team_defense_game_summary"] == {"team_offense_game_summary", "play_by_play", "schedule:results"}
    assert own_date["upcoming_team_game_context"] == {"game_lines", "injury_report", "schedule:slate"}
    assert {"player_daily_cache", "player_composite_factors"} < own_date["ml_feature_store"]
    assert {name for name, read_whole in season.items() if "player_registry:people" in read_whole} == {
        *(
            "team_offense_game_summary",
            "player_game_summary",
            *CONTEXTS,
            "player_shot_zone_analysis",
            "player_daily_cache",
        )
    }
    assert not any(source.own_date and source.name in RESULTS for name in PREGAME_TABLES for source in GRAPH[name])
    assert not any(source.name == "schedule:results" for name in PREGAME_TABLES for source in GRAPH[name])


def test_every_part_of_a_table_has_a_name_of_its_own() -> None:
    """Records and states are told apart by it: two parts of one name would make dates stale for ever."""
    parts = {
        part
        for sources in GRAPH.values()
        for source in sources
        for part in (source.part, source.only_on)
        if part is not None
    }
    named = {
        (source.table.name, source.part.name): source.part
        for sources in GRAPH.values()
        for source in sources
        if source.part is not None
    }
    assert {source.part for sources in GRAPH.values() for source in sources} - {None} == set(named.values())
    assert len(parts) == len(named) + 1  # and the games besides
    one, other = quarantined("games", []), quarantined("games", [])
    with pytest.raises(ValueError, match=r"two parts of nba_processing\.raw_quarantine are called games"):
        InputState.read(
            MemoryWarehouse(), [of_its_date(RAW_QUARANTINE, one), of_its_date(RAW_QUARANTINE, other)], FIRST, FIRST
        )


def test_what_was_built_in_one_go_is_not_stale() -> None:
    assert World.built().stale() == {}
    assert World().stale() == {}


def test_a_changed_player_reaches_what_looks_back_on_players_until_the_season_ends() -> None:
    day = SEASON_DAYS[2023][2]
    late = World.built().change("player_game_summary", day).stale()
    reached = {
        "upcoming_player_game_context",
        "player_shot_zone_analysis",
        "player_daily_cache",
        "player_composite_factors",
        "ml_feature_store",
    }
    assert keys_of(late) == {(table, later) for table in reached for later in GAME_DAYS if day < later < OPENINGS[2024]}


def test_a_changed_team_reaches_its_games_own_date_and_so_many_days() -> None:
    day = SEASON_DAYS[2024][1]
    late = World.built().change("team_offense_game_summary", day).stale()
    assert set(late["team_defense_game_summary"]) == set(late["player_game_summary"]) == {day}
    assert set(late["upcoming_team_game_context"]) == {later for later in GAME_DAYS if 1 <= (later - day).days <= 14}
    assert set(late["player_daily_cache"]) == {later for later in GAME_DAYS if later > day}
    assert "team_defense_zone_analysis" not in late


def test_late_announcements_reach_their_own_date_and_results_only_the_summaries_of_theirs() -> None:
    day = SEASON_DAYS[2024][5]
    late = World.built().change("injury_report", day).stale()
    assert {when for _, when in keys_of(late)} == {day}
    assert set(late) == {*CONTEXTS, "player_composite_factors", "player_daily_cache", "ml_feature_store"}
    late = World.built().change("team_boxscores", day).stale()
    assert keys_of(late) == {(table, day) for table in GAME_SUMMARIES}


def test_a_changed_registry_reaches_the_whole_season_of_what_names_players() -> None:
    late = World.built().change("player_registry:people", JULY[2023]).stale()
    players = ("player_shot_zone_analysis", "player_composite_factors", "player_daily_cache", "ml_feature_store")
    assert keys_of(late) == {
        (table, day) for table in (*GAME_SUMMARIES, *CONTEXTS, *players) for day in GAME_DAYS if day < OPENINGS[2024]
    }


def test_a_postponed_game_reaches_the_tables_of_its_own_date() -> None:
    """And nothing before it: on an earlier date nobody knew."""
    day = SEASON_DAYS[2024][5]
    late = World.built().change("schedule:slate", day).stale()
    assert {when for _, when in keys_of(late)} == {day}
    assert set(CONTEXTS) <= set(late)


def test_changed_and_changed_back_is_not_stale() -> None:
    day = SEASON_DAYS[2024][5]
    world = World.built().change("play_by_play", day)
    assert world.stale()
    assert world.change("play_by_play", day, "as it was").stale() == {}


def test_dates_after_today_and_dates_without_games_stay_out() -> None:
    late = World.built().change("player_game_summary", SEASON_DAYS[2024][0]).stale(SEASON_DAYS[2024][6])
    assert {when for _, when in keys_of(late)} == {later for later in SEASON_DAYS[2024][1:7] if later not in OFF_DAYS}


def test_a_date_that_is_built_empty_for_the_first_time_is_no_news() -> None:
    """A date of which a feed had nothing holds no more than one that was never ingested."""
    world, day = World.built(), SEASON_DAYS[2024][5]
    del world.contents["rosters", day]
    for table in GRAPH:
        world.build(table, ALL_DAYS)
    empty = {
        "partition_date": np.array([day], dtype="M8[D]"),
        "digest": np.array(["nothing"], dtype=object),
        "row_count": np.zeros(1),
    }
    state = state_of(world.contents)
    rosters = {name: np.append(values, empty[name]) for name, values in state.entries["rosters"].items()}
    order = np.argsort(rosters["partition_date"])
    entries = {**state.entries, "rosters": {name: values[order] for name, values in rosters.items()}}
    assert stale(world.partition_state, InputState(entries, state.parts, state.calendar), GRAPH, GAMES, TODAY) == {}
    assert world.change("rosters", day).stale()


def test_where_a_file_cannot_be_read_nothing_is_stale_for_it() -> None:
    """The date counts as not ingested; what its file holds is not known, so that there is nothing to build anew."""
    day = SEASON_DAYS[2024][5]
    world = World.built()
    gone = world.contents.pop(("rosters", day))
    assert world.stale()
    assert world.stale(rosters=day) == {}
    assert keys_of(world.change("injury_report", day).stale(rosters=day)) == keys_of(
        World.built().change("injury_report", day).stale()
    )
    assert world.change("injury_report", day, "as it was").change("rosters", day, gone).stale() == {}


CHANGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(ALL_DAYS), st.booleans()), max_size=8)


@settings(max_examples=40, deadline=None)
@given(changes=CHANGES, seed=st.integers(0, 1000), today=st.sampled_from(ALL_DAYS))
def test_stale_dates_are_those_of_a_naive_look_at_each_of_them(
    changes: list[tuple[str, date, bool]], seed: int, today: date
) -> None:
    """And the runs that are planned cover each of them, and no other date with games."""
    choice = random.Random(seed)
    world = World.built(days=sorted(choice.sample(ALL_DAYS, 20)))
    for name, day, goes in changes:
        key = (name, JULY[season_of(day)] if name in SEASONAL else day)
        if goes and key not in world.recorded:
            world.contents.pop(key, None)
        elif name in GRAPH and key not in world.recorded:
            continue
        else:
            world.change(*key, content=f"version {choice.randint(1, 2)}")
    for key in choice.sample(sorted(world.recorded), 5):
        world.recorded[key] = None
    expected = world.naive(today)
    assert keys_of(world.stale(today)) == expected
    planned = world.repairs(today)
    late = [one for one in planned.pregame if one.trigger == "late_data"]
    assert covered(planned.postgame) == {key for key in expected if key[0] in GAME_SUMMARIES}
    assert covered(late) == {key for key in expected if key[0] not in GAME_SUMMARIES}
    assert len({one.run_key for one in [*planned.postgame, *planned.pregame]}) == len(planned.postgame) + len(
        planned.pregame
    )


def test_corrections_are_one_range_that_spans_days_without_games() -> None:
    day = SEASON_DAYS[2024][0]
    (late,) = World.built(days=GAME_DAYS).change("player_game_summary", day).repairs().pregame
    assert (late.launch.job, late.launch.start, late.launch.end) == ("pregame", SEASON_DAYS[2024][1], TODAY)
    assert late.trigger == "late_data"
    assert late.because.startswith("changed: player_game_summary 2024-")


def test_a_run_of_corrections_passes_over_no_date_whose_schedule_was_not_ingested() -> None:
    """It would refuse that date, though it has no games."""
    opening, *_, last = SEASON_DAYS[2024]
    (off_day, _) = sorted(day for day in OFF_DAYS if day > opening)
    world = World.built(days=GAME_DAYS).change("player_game_summary", opening)
    world.without_schedule.add(("schedule", off_day))
    spans = [(run.launch.start, run.launch.end) for run in world.repairs().pregame]
    one_day = timedelta(days=1)
    assert spans == [(opening + one_day, off_day - one_day), (off_day + 2 * one_day, last)]


def test_a_bounded_look_back_splits_the_range() -> None:
    day = SEASON_DAYS[2024][1]
    first, second = World.built().change("team_offense_game_summary", day).repairs().pregame
    assert set(first.launch.assets) - set(second.launch.assets) == {"upcoming_team_game_context"}
    assert (first.launch.end, second.launch.start) == (day + timedelta(days=14), day + timedelta(days=15))


def forget(world: World, tables: Collection[str], day: date) -> World:
    for table in tables:
        del world.contents[table, day], world.recorded[table, day]
    return world


def test_dates_that_are_not_built_are_not_built_by_a_correction() -> None:
    gap = SEASON_DAYS[2024][8]
    planned = (
        forget(World.built(), PREGAME_TABLES, gap).change("player_game_summary", SEASON_DAYS[2024][0]).repairs().pregame
    )
    ranges = [(one.launch.start, one.launch.end) for one in planned if one.trigger == "late_data"]
    assert ranges == [(SEASON_DAYS[2024][1], SEASON_DAYS[2024][7]), (SEASON_DAYS[2024][9], TODAY)]


def test_the_run_key_stands_for_what_changed_and_for_what_it_was() -> None:
    """Content that comes back after it was built away from is a run of its own."""
    world, day = World.built(), SEASON_DAYS[2024][4]

    def key(content: str) -> str:
        (late,) = world.change("player_registry:people", JULY[2024], content).repairs().postgame
        return late.run_key

    once = key("new")
    assert key("new") == once
    assert key("newer") not in (once, key("new again"))
    seen = {once}
    for content in ("new", "as it was", "new", "as it was"):
        now = key(content)
        assert now not in seen or content == "new"
        seen.add(now)
        for table in GRAPH:
            world.build(table, ALL_DAYS)
    assert len(seen) == 4
    assert (day, world.stale()) == (day, {})


@pytest.mark.parametrize("table", list(GRAPH))
def test_dates_from_older_code_are_counted_and_are_not_stale(table: str) -> None:
    world = World.built()
    days = SEASON_DAYS[2024][4:7]
    for day in days:
        world.code[table, day] = "0"
    world.code[table, sorted(OFF_DAYS)[0]] = "0"
    assert world.stale() == {}
    (found,) = outdated(
        world.partition_state, {name: spec.code_version for name, spec in COMPUTED_TABLES.items()}, GAMES
    )
    assert (found.table, found.older_code, found.unrecorded) == (table, days, [])
    assert str(found).startswith(f"{table}: 3 dates from older code ({days[0]} to {days[-1]}); ")
    assert [(list(one.assets), one.start, one.end) for one in rebuilds([found], GAMES)] == [
        ([table], days[0], days[-1])
    ]
    world.build(table, days)
    assert (
        outdated(world.partition_state, {name: spec.code_version for name, spec in COMPUTED_TABLES.items()}, GAMES)
        == []
    )


def test_a_new_version_of_the_code_makes_every_date_outdated_and_none_stale() -> None:
    world = World.built()
    versions = {name: spec.code_version for name, spec in COMPUTED_TABLES.items()} | {"ml_feature_store": "next"}
    (found,) = outdated(world.partition_state, versions, GAMES)
    assert (found.table, found.days) == ("ml_feature_store", GAME_DAYS)
    assert world.stale() == {}


def test_dates_whose_inputs_were_not_recorded_are_counted_and_never_stale() -> None:
    world, days = World.built(), SEASON_DAYS[2024][4:6]
    for table, day in product(("player_game_summary", "ml_feature_store"), days):
        world.recorded[table, day] = None
    world.change("player_registry:people", JULY[2024])
    assert not {("player_game_summary", day) for day in days} & keys_of(world.stale())
    found = outdated(world.partition_state, {name: spec.code_version for name, spec in COMPUTED_TABLES.items()}, GAMES)
    assert [(one.table, one.older_code, one.unrecorded) for one in found] == [
        (name, [], days) for name in ("player_game_summary", "ml_feature_store")
    ]
    assert "2 dates from before their inputs were recorded" in str(found[0])


def test_outdated_dates_are_built_in_ranges_of_the_same_tables_earliest_first() -> None:
    world, season = World.built(), SEASON_DAYS[2024]
    for day in season[4:9]:
        world.code["ml_feature_store", day] = "0"
    for day in season[6:8]:
        world.code["player_game_summary", day] = None
    launches = rebuilds(
        outdated(world.partition_state, {name: spec.code_version for name, spec in COMPUTED_TABLES.items()}, GAMES),
        GAMES,
    )
    assert [(tuple(one.assets), one.start, one.end) for one in launches] == [
        (("ml_feature_store",), season[4], season[5]),
        (("player_game_summary", "ml_feature_store"), season[6], season[7]),
        (("ml_feature_store",), season[8], season[8]),
    ]


def test_a_summary_knows_what_is_ingested_of_its_own_date() -> None:
    day = SEASON_DAYS[2024][4]

    def knows(world: World, table: str = "team_offense_game_summary") -> bool:
        entry = world.partition_state[table].at(day)
        assert entry is not None
        return is_built_from(entry, GRAPH[table], world.partition_state, day)

    assert knows(World.built())
    assert not knows(World.built().change("team_boxscores", day))
    assert knows(World.built().change("team_boxscores", SEASON_DAYS[2024][5]))
    assert not knows(World.built().change("team_offense_game_summary", day), "player_game_summary")
    unrecorded = World.built().change("team_boxscores", day)
    unrecorded.recorded["team_offense_game_summary", day] = None
    assert knows(unrecorded)


def next_dates(world: World, today: date = TODAY) -> list[tuple[date, date]]:
    return [(one.launch.start, one.launch.end) for one in world.repairs(today).pregame if one.trigger == "next_date"]


def test_the_game_day_after_the_newest_summaries_is_built_next() -> None:
    season = SEASON_DAYS[2024]
    world = World.built(days=[*SEASON_DAYS[2023], *season[:2]])
    assert next_dates(world) == [(season[4], season[4])]
    assert next_dates(world, today=season[4]) == [(season[4], season[4])]
    assert next_dates(world, today=season[3]) == []
    for table in PREGAME_TABLES:
        world.build(table, [season[4]])
    assert next_dates(world) == []
    assert next_dates(forget(world, ["ml_feature_store"], season[4])) == [(season[4], season[4])]


def test_a_day_has_summaries_once_all_three_tables_are_built_and_have_rows() -> None:
    season = SEASON_DAYS[2024]
    days = [*SEASON_DAYS[2023], season[0]]
    assert next_dates(World.built(days)) == [(season[1], season[1])]
    empty = World.built(days)
    empty.rows["team_offense_game_summary", season[0]] = 0
    assert next_dates(empty) == []
    for table in GAME_SUMMARIES:
        assert next_dates(forget(World.built(days), [table], season[0])) == []


def test_the_newest_date_does_not_wait_for_older_ones_that_lack_their_pregame_tables() -> None:
    season = SEASON_DAYS[2024]
    world = World.built(days=SEASON_DAYS[2023])
    for table in GAME_SUMMARIES:
        world.build(table, season[:8])
    assert next_dates(world) == [(season[8], season[8]), (season[0], season[7])]
    for table in PREGAME_TABLES:
        world.build(table, [season[5]])
    assert next_dates(world) == [(season[8], season[8]), (season[6], season[7]), (season[0], season[4])]


@pytest.mark.parametrize(
    ("table", "day", "reads_it"),
    [
        ("player_game_summary", SEASON_DAYS[2024][1], True),
        ("rosters", SEASON_DAYS[2024][5], True),
        ("injury_report", SEASON_DAYS[2024][5], True),
        ("player_gamebook", SEASON_DAYS[2024][6], False),
        ("rosters", SEASON_DAYS[2024][6], False),
    ],
)
def test_a_refused_next_date_is_planned_anew_once_anything_that_it_reads_has_changed(
    table: str, day: date, reads_it: bool
) -> None:
    world = World.built(days=[*SEASON_DAYS[2023], *SEASON_DAYS[2024][:5]])
    (first,) = world.repairs().pregame
    assert world.repairs().pregame[0].run_key == first.run_key
    assert (world.change(table, day).repairs().pregame[0].run_key != first.run_key) is reads_it


def test_what_a_run_did_build_beside_a_refused_table_is_no_reason_to_plan_it_anew() -> None:
    world = World.built(days=[*SEASON_DAYS[2023], *SEASON_DAYS[2024][:5]])
    (first,) = world.repairs().pregame
    world.build("player_shot_zone_analysis", [SEASON_DAYS[2024][5]])
    assert [one.run_key for one in world.repairs().pregame] == [first.run_key]


def test_no_pregame_date_is_planned_where_no_date_has_summaries() -> None:
    assert without_pregame(World.built(tables=()).partition_state, GAMES, PREGAME_TABLES, TODAY) == []
    assert without_pregame(PartitionState({}), GAMES, PREGAME_TABLES, TODAY) == []


@dataclass
class Step:
    """One table of one run: it reads, and later it writes what came of that."""

    table: str
    days: list[date]
    looked: Any = None


def steps(planned: PlannedRun) -> list[Step]:
    days = [day for day in GAME_DAYS if planned.launch.start <= day <= planned.launch.end]
    return [Step(table, days) for table in GRAPH if table in (planned.launch.assets or PREGAME_TABLES)]


def overlapping(world: World, runs: Sequence[list[Step]], choice: random.Random) -> Iterator[None]:
    """Carry out runs at once: each goes through its own tables in order, between any two of its steps the others go
    on.
    """
    waiting = [iter(run) for run in runs]
    at_work: list[Step | None] = [None] * len(runs)
    alive = set(range(len(runs)))
    while alive:
        place = choice.choice(sorted(alive))
        step = at_work[place]
        if step is not None:
            world.write(step.table, step.looked)
            at_work[place] = None
        elif (following := next(waiting[place], None)) is not None:
            following.looked = world.look(following.table, following.days)
            at_work[place] = following
        else:
            alive.remove(place)
        yield


def run_until_done(world: World, choice: random.Random, keys: set[str]) -> int:
    """Look at rest and carry out what is planned, until nothing is; returns the number of looks that planned
    something.
    """
    for number in range(12):
        planned = world.repairs()
        group = planned.postgame or planned.pregame
        if not group:
            return number
        assert not keys & {one.run_key for one in group}
        keys |= {one.run_key for one in group}
        for _ in overlapping(world, [steps(one) for one in group], choice):
            pass
    raise AssertionError("it never comes to rest")


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    changes=st.lists(st.tuples(st.sampled_from(READ), st.sampled_from(GAME_DAYS[:-2])), min_size=1, max_size=5),
)
def test_overlapping_runs_come_to_rest_at_what_a_fresh_build_would_hold(
    seed: int, changes: list[tuple[str, date]]
) -> None:
    """Corrections land while runs of the same dates, each begun with older content, are at work and overwrite each
    other.
    """
    choice = random.Random(seed)
    world = World.built(days=GAME_DAYS)
    keys: set[str] = set()
    assert run_until_done(world, choice, keys) == 0

    pending = [
        (number, name, JULY[season_of(day)] if name in SEASONAL else day) for number, (name, day) in enumerate(changes)
    ]
    runs = [[Step(table, list(GAME_DAYS)) for table in choice.sample(list(GRAPH), len(GRAPH))] for _ in range(2)]
    for _ in overlapping(world, runs, choice):
        if pending and choice.random() < 0.2:
            number, name, day = pending.pop()
            world.change(name, day, f"version {number}")
    for number, name, day in pending:
        world.change(name, day, f"version {number}")
    run_until_done(world, choice, keys)

    fresh = World(contents={key: content for key, content in world.contents.items() if key[0] not in GRAPH})
    for table in GRAPH:
        fresh.build(table, GAME_DAYS)
    assert world.contents == fresh.contents


def test_three_causes_are_named_in_order_of_their_dates_and_the_others_counted() -> None:
    causes = {Cause("season", None), Cause("b", FIRST), Cause("a", FIRST)}
    assert _said(causes) == f"changed: a {FIRST}, b {FIRST}, season"
    later = Cause("c", FIRST + timedelta(days=1))
    assert _said({*causes, later}) == f"changed: a {FIRST}, b {FIRST}, {later} and 1 more"


def test_a_changed_input_is_told_with_the_date_of_which_the_content_is_newest() -> None:
    world, days = World.built(), SEASON_DAYS[2024]
    state = world.partition_state
    moments = np.array([np.datetime64("2025-01-01", "us")] * len(ALL_DAYS))
    moments[ALL_DAYS.index(days[4])] += 1
    # Newer, but not read for the date.
    moments[ALL_DAYS.index(days[7])] += 2
    changed = {"team_offense_game_summary": replace(state["team_offense_game_summary"], changed_at=moments)}
    changed_state = replace(state, tables={**state.tables, **changed})
    world.change("team_offense_game_summary", days[1])
    late = stale(changed_state, state_of(world.contents), GRAPH, GAMES, TODAY, {})
    assert late["upcoming_team_game_context"][days[6]].causes == (Cause("team_offense_game_summary", days[4]),)


def test_a_season_that_begins_on_another_date_is_a_cause_of_its_own() -> None:
    world = World.built()
    later = SeasonCalendar.from_schedule(GAMES, np.array([season_of(day) for day in GAME_DAYS]), GAMES[0] < GAMES)
    state = replace(state_of(world.contents), calendar=later)
    late = stale(world.partition_state, state, GRAPH, GAMES, TODAY, {})
    assert set(late) == set(GRAPH)
    for dates in late.values():
        assert {day for day, one in dates.items() if Cause("season", None) in one.causes} == {
            day for day in GAME_DAYS if day < OPENINGS[2024]
        }


def test_outdated_dates_are_told_by_their_first_and_last() -> None:
    days = [date(2024, 11, number) for number in range(1, 5)]
    text = str(Outdated("player_daily_cache", days[:3], days[3:]))
    assert text == (
        "player_daily_cache: 3 dates from older code (2024-11-01 to 2024-11-03) and 1 date from before their inputs "
        "were recorded (2024-11-04); `nba-assets rebuild --stale-code` builds them"
    )


def test_outdated_dates_within_a_range_are_those_of_both_its_ends_too() -> None:
    days = [date(2024, 11, number) for number in range(1, 7)]
    every_other = Outdated("player_daily_cache", days[::2], days[1::2])
    assert every_other.days == days
    found = every_other.within(days[0], days[3])
    assert (found.older_code, found.unrecorded) == ([days[0], days[2]], [days[1], days[3]])
    assert every_other.within(days[4], days[5]).days == days[4:]
