"""What is run because of what has landed: cases, and properties over any order of arrivals, restarts, clock jumps and
runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nba_assets.automation.arrival import LONGEST_SILENCE, Decision, State, decide
from nba_assets.automation.planned_runs import Launch, PlannedRun, fingerprint
from nba_assets.automation.requests import INPUT_TAG, Failure, LaunchedRun, Selection, select, subject_of
from nba_assets.automation.slates import end_of, league_date
from nba_assets.automation.staleness import ANNOUNCEMENTS, PARTITION_COLUMNS, PartitionState
from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS
from nba_assets.publishing.input_state import input_text
from nba_assets.raw.content_index import ANY_DATE, EARLIEST, RESULTS, SCHEDULE_COLUMNS, ContentIndex, LandedTable
from nba_assets.raw.schedule import FINAL, FINAL_COLUMNS, POSTPONED
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES, CONTEXTS, GAME_SUMMARIES
from nba_assets.settings import Settings

DAY = date(2024, 11, 5)
OTHER, THIRD = DAY + timedelta(days=1), DAY + timedelta(days=2)
TIP = datetime(2024, 11, 6, 0, 30, tzinfo=UTC)
"""Of the last game of DAY: 19:30 Eastern."""
MORNING = TIP + timedelta(hours=9)
HOURS, MINUTES, ONE_DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
PROPS, ROSTERS, SCHEDULE = "player_points_props", "rosters", "schedule"
SETTINGS = Settings()


def game(day: date, number: int) -> str:
    return f"{day:%Y%m%d}_{('BOS', 'LAL')[number]}_{('DEN', 'MIA')[number]}"


def tip(day: date, number: int) -> datetime:
    return TIP + (day - DAY) + (number - 1) * HOURS


@dataclass
class World:
    """A landing zone and a state of partitions which are only numbers.

    `landed` are versions of the portions (table, date, game number), `schedule` statuses of games.
    """

    landed: dict[tuple[str, date, int], int] = field(default_factory=dict)
    schedule: dict[tuple[date, int], int] = field(default_factory=dict)
    kinds: dict[date, str] = field(default_factory=dict)
    without_score: set[tuple[date, int]] = field(default_factory=set)
    partition_state: dict[tuple[str, date], dict[str, Any]] = field(default_factory=dict)
    bad: dict[str, dict[date | None, list[str]]] = field(default_factory=dict)
    unread: dict[str, set[date | None]] = field(default_factory=dict)
    conflicts: dict[str, dict[date, list[str]]] = field(default_factory=dict)
    now: datetime = MORNING
    state: State = field(default_factory=State)
    run_count: int = 0
    runs: dict[str, list[LaunchedRun]] = field(default_factory=dict)
    """Of each subject, newest first."""
    verdicts: set[str] = field(default_factory=set)
    """Keys of runs that failed for a reason that stays."""

    def scheduled(self, day: date, games: int = 2, status: int = FINAL, kind: str = "is_regular_season") -> World:
        """Put games on a date."""
        self.schedule |= {(day, number): status for number in range(games)}
        self.kinds[day] = kind
        return self

    def land(
        self, day: date, *, games: Sequence[int] = (0, 1), tables: Collection[str] = RESULTS, version: int = 1
    ) -> World:
        """Rows of some games land in some tables."""
        self.landed |= {(table, day, number): version for table in tables for number in games}
        return self

    def digest(self, table: str, day: date) -> str | None:
        """Of what has landed."""
        portions: list[object] = [
            (number, version) for (name, when, number), version in self.landed.items() if (name, when) == (table, day)
        ]
        if table == SCHEDULE:
            portions = [(number, status) for (when, number), status in self.schedule.items() if when == day]
        return fingerprint([table, day, *sorted(map(str, portions))]) if portions else None

    def content(self, *, team_rows: int = 2) -> ContentIndex:
        """As the index gives it."""
        days = {day for _, day, _ in self.landed} | {day for day, _ in self.schedule}
        tables = {}
        for table in RAW_TABLES:
            games: dict[date, dict[str, int]] = {}
            for name, day, number in self.landed:
                if name == table and table in RESULTS:
                    games.setdefault(day, {})[game(day, number)] = team_rows if table == "team_boxscores" else 10
            digests = {day: digest for day in days if (digest := self.digest(table, day)) is not None}
            tables[table] = LandedTable(
                digests,
                games,
                self.bad.get(table, {}),
                frozenset(self.unread.get(table, set())),
                self.conflicts.get(table, {}),
            )
        keys = sorted(self.schedule)
        columns: list[list[Any]] = [
            [game(*key) for key in keys],
            [key[0] for key in keys],
            [tip(*key).replace(tzinfo=None) for key in keys],
            [key[0].year - (key[0].month < 10) for key in keys],
            [0] * len(keys),
            [self.schedule[key] for key in keys],
            *([self.kinds[key[0]] == kind for key in keys] for kind in ("is_regular_season", "is_playoffs")),
            *([np.nan if key in self.without_score else points for key in keys] for points in (110, 101)),
        ]
        kinds = ("O", "M8[D]", "M8[us]", *["f8"] * (2 + len(FINAL_COLUMNS)))
        return ContentIndex(
            tables,
            {
                name: np.array(values, dtype=kind)
                for name, values, kind in zip(SCHEDULE_COLUMNS, columns, kinds, strict=True)
            },
        )

    def recorded(self) -> PartitionState:
        """As the sensor reads them."""
        rows = [
            (table, day, *(entry[name] for name in PARTITION_COLUMNS[2:]))
            for (table, day), entry in self.partition_state.items()
        ]
        kinds = ("O", "M8[D]", "O", "f8", "M8[us]", "M8[us]", "O", "O", "O")
        return PartitionState.of(
            {
                name: np.array([row[place] for row in rows], dtype=kind)
                for place, (name, kind) in enumerate(zip(PARTITION_COLUMNS, kinds, strict=True))
            }
        )

    def write(self, table: str, day: date, digest: str, at: datetime, rows: float = 10.0) -> None:
        """A run writes a date of a table."""
        moment = np.datetime64(at.replace(tzinfo=None), "us")
        before = self.partition_state.get((table, day))
        changed = before["changed_at"] if before is not None and before["digest"] == digest else moment
        self.run_count += 1
        entry = {"digest": digest, "row_count": rows, "written_at": moment, "changed_at": changed}
        self.partition_state[table, day] = entry | {
            "run_id": f"run {self.run_count}",
            "code_version": "1",
            "inputs": self.inputs(table, day),
        }

    def inputs(self, table: str, day: date) -> str | None:
        """What a table is built from, as far as arrival looks at it: what is ingested of its own date."""
        if table not in GAME_SUMMARIES:
            return None
        whole = [source for source in COMPUTED_TABLES[table].inputs if source.own_date and source.part is None]
        partition_state = self.recorded()
        return " ".join(
            input_text(source.name, partition_state[source.table.name].hashes.get(day, 0)) for source in whole
        )

    def run(self, planned: PlannedRun, *, fails: bool = False, rows: float = 10.0) -> None:
        """A run brings in what has landed of its date; unless it fails then, it computes its tables."""
        day = planned.launch.start
        raw = RAW_TABLES if planned.launch.job == "postgame" else (SCHEDULE, *ANNOUNCEMENTS)
        for table in raw:
            if (digest := self.digest(table, day)) is not None:
                self.write(table, day, digest, self.now)
        for table in () if fails else (GAME_SUMMARIES if planned.launch.job == "postgame" else CONTEXTS):
            digest = fingerprint(
                entry["digest"] for (_, when), entry in sorted(self.partition_state.items()) if when == day
            )
            self.write(table, day, digest, self.now + MINUTES, rows)
        self.end(planned)

    def end(self, planned: PlannedRun) -> None:
        """A run ends, whatever it did."""
        subject = subject_of("raw_arrival", planned)
        mine = self.runs.get(subject, [])
        self.runs[subject] = [
            replace(run, is_unfinished=run.is_unfinished and run.run_id != planned.run_key) for run in mine
        ]

    def tick(
        self, *, running: Collection[date] = (), settings: Settings = SETTINGS, **content: int
    ) -> list[PlannedRun]:
        """A look and the runs that it launches, under their run keys; its state goes through a cursor, as it does
        between any two ticks.
        """
        decision = self.decision(**content)
        self.state = State.from_json(decision.state.to_json())
        assert self.state == decision.state
        launched = []
        for request in self.selection(decision.planned, running, settings).launches:
            (planned,) = [one for one in decision.planned if one.run_key == request.tags[INPUT_TAG]]
            subject, key = subject_of("raw_arrival", planned), str(request.run_key)
            before = self.runs.setdefault(subject, [])
            before.insert(0, LaunchedRun(key, planned.run_key, len(before) + 1, self.now, is_unfinished=True))
            launched.append(replace(planned, run_key=key))
        return launched

    def selection(
        self, planned: Sequence[PlannedRun], running: Collection[date] = (), settings: Settings = SETTINGS
    ) -> Selection:
        """What is launched of what is planned."""
        return select(
            "raw_arrival",
            planned,
            self.runs,
            lambda run: Failure("as told", is_transient=run.run_id not in self.verdicts),
            self.now,
            attempts=settings.request_attempts,
            limit=settings.requests_per_tick,
            running=running,
        )

    def decision(self, **content: int) -> Decision:
        """A look that leaves no trace."""
        return decide(self.state, self.content(**content), self.recorded(), self.now, SETTINGS)

    def later(self, step: timedelta) -> World:
        """Let time pass."""
        self.now += step
        return self


def short(planned: Sequence[PlannedRun]) -> list[tuple[str, date, str]]:
    return [(one.launch.job, one.launch.start, one.trigger) for one in planned]


RESULTS_DUE = [("postgame", DAY, "results")]


def test_a_complete_date_is_requested_once() -> None:
    world = World().scheduled(DAY).land(DAY)
    assert short(world.tick()) == RESULTS_DUE
    assert [world.later(MINUTES).tick() for _ in range(3)] == [[], [], []]


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (("team_boxscores",), "no team totals"),
        (("play_by_play",), "no play-by-play"),
        (("player_gamebook", "player_boxscores"), "no player sheet"),
    ],
)
def test_a_date_waits_for_every_game(lacking: tuple[str, ...], said: str) -> None:
    world = World().scheduled(DAY).land(DAY, games=[0]).land(DAY, games=[1], tables=set(RESULTS) - set(lacking))
    decision = world.decision()
    assert not decision.planned
    assert decision.notes == [f"2024-11-05 waits: {said}: {game(DAY, 1)} (until 2024-11-06 12:30 UTC)"]
    assert short(world.land(DAY).tick()) == RESULTS_DUE


def test_either_sheet_will_do_and_props_are_not_waited_for() -> None:
    assert short(World().scheduled(DAY).land(DAY, tables=set(RESULTS) - {"player_gamebook"}).tick()) == RESULTS_DUE
    assert short(World().scheduled(DAY).land(DAY, tables=set(RESULTS) - {"player_boxscores"}).tick()) == RESULTS_DUE


def test_the_totals_of_one_team_are_not_those_of_a_game() -> None:
    world = World().scheduled(DAY).land(DAY)
    assert world.tick(team_rows=1) == []


def test_a_game_that_is_not_final_yet_is_waited_for_and_a_postponed_one_is_not() -> None:
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.schedule[DAY, 1] = 2
    assert "not final" in world.decision().notes[0]
    world.schedule[DAY, 1] = POSTPONED
    assert short(world.tick()) == RESULTS_DUE


def test_a_game_called_final_without_a_score_is_waited_for() -> None:
    world = World(without_score={(DAY, 1)}).scheduled(DAY).land(DAY)
    assert f"not final: {game(DAY, 1)}" in world.decision().notes[0]
    world.without_score.clear()
    assert short(world.tick()) == RESULTS_DUE


def test_after_the_deadline_an_incomplete_date_is_run_for_and_says_what_is_missing() -> None:
    """One game lacks play-by-play: nothing until twelve hours after the last tip-off; when it comes after all, the date
    is run for again.
    """
    world = World().scheduled(DAY).land(DAY, games=[0]).land(DAY, games=[1], tables=set(RESULTS) - {"play_by_play"})
    world.now = TIP + 4 * HOURS
    for _ in range(16):
        assert world.tick() == []
        world.later(30 * MINUTES)
    world.now = TIP + 13 * HOURS
    (planned,) = world.tick()
    assert (planned.trigger, planned.because) == ("deadline", f"no play-by-play: {game(DAY, 1)}")
    world.run(planned)
    assert world.later(HOURS).tick() == []
    assert world.state == State()
    assert short(world.land(DAY).tick()) == RESULTS_DUE


def test_the_deadline_waits_until_the_content_no_longer_changes() -> None:
    """Of dates long past only the settling counts, and whatever lands begins it anew."""
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.now = datetime(2026, 1, 1, tzinfo=UTC)
    assert world.tick() == []
    assert world.later(29 * MINUTES).tick() == []
    world.land(DAY, games=[1], tables=["team_boxscores"])
    assert world.tick() == []
    assert world.later(29 * MINUTES).tick() == []
    assert short(world.later(MINUTES).tick()) == [("postgame", DAY, "deadline")]


def test_deadline_and_settling_are_settings() -> None:
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.now = TIP + 2 * HOURS
    assert world.decision().planned == []
    hasty = Settings(results_deadline_hours=1, settle_minutes=0)
    assert short(decide(State(), world.content(), world.recorded(), world.now, hasty).planned) == [
        ("postgame", DAY, "deadline")
    ]


def test_what_the_partition_state_holds_is_neither_requested_nor_remembered() -> None:
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    assert world.later(HOURS).tick() == []
    assert world.state == State()


def test_a_home_that_was_built_by_hand_asks_for_nothing() -> None:
    world = World()
    for number in range(20):
        day = DAY - timedelta(days=number)
        world.scheduled(day).land(day).land(day, tables=ANNOUNCEMENTS)
        decision = world.decision()
        (planned,) = decision.planned
        world.run(planned)
    assert world.tick() == []
    assert world.state == State()


def test_summaries_that_are_older_than_the_raw_rows_in_the_partition_state_are_made_again() -> None:
    """The raw tables were ingested by hand, the summaries were not."""
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    world.land(DAY, version=2).later(HOURS)
    world.run(world.tick()[0], fails=True)
    world.runs.clear()
    assert short(world.tick()) == RESULTS_DUE


@pytest.mark.parametrize("older", GAME_SUMMARIES)
def test_one_summary_that_is_older_than_what_is_ingested_is_enough(older: str) -> None:
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    source = next(each for each in COMPUTED_TABLES[older].inputs if each.table.name in RESULTS and each.part is None)
    world.partition_state[older, DAY]["inputs"] = input_text(source.name, 1)
    world.runs.clear()
    assert short(world.later(HOURS).tick()) == RESULTS_DUE


def test_results_are_run_for_from_the_first_partition_on() -> None:
    for day, expected in ((EARLIEST, [("postgame", EARLIEST, "results")]), (EARLIEST - ONE_DAY, [])):
        assert short(World().scheduled(day).land(day).tick()) == expected


def test_a_run_that_failed_is_repeated_with_growing_pauses_until_it_is_named() -> None:
    world = World().scheduled(DAY).land(DAY)
    requested = []
    for _ in range(48 * 60):
        for planned in world.tick():
            requested.append(world.now)
            world.run(planned, fails=True)
        world.later(MINUTES)
    assert [(moment - requested[0]) // MINUTES for moment in requested] == [0, 2, 8, 26, 80, 242]
    assert world.selection(world.decision().planned).notes == [
        "2024-11-05: postgame failed 6 times, newest run "
        f"{world.runs['raw_arrival:postgame:2024-11-05:2024-11-05'][0].run_id}: as told; "
        "look at the run and at nba-assets status, it is requested again when its input changes or after nba-assets "
        "run 2024-11-05"
    ]
    assert short(world.land(DAY, games=[1], version=2).tick()) == RESULTS_DUE


def test_summaries_without_rows_of_games_that_are_over_are_requested_again() -> None:
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0], rows=0.0)
    assert short(world.later(HOURS).tick()) == RESULTS_DUE
    nothing_over = World().scheduled(DAY, status=1).land(DAY)
    nothing_over.now = TIP + 13 * HOURS
    nothing_over.tick()
    nothing_over.later(HOURS)
    nothing_over.run(nothing_over.tick()[0], rows=0.0)
    assert nothing_over.later(HOURS).tick() == []


def test_a_run_over_an_unreadable_file_is_not_repeated_until_the_file_changes_unless_it_never_got_there() -> None:
    world = World().scheduled(DAY).land(DAY, tables=set(RESULTS) - {"play_by_play"})
    world.bad["play_by_play"] = {DAY: ["x.parquet cannot be read as Parquet"]}
    world.now = TIP + 13 * HOURS
    world.tick()
    (busy,) = world.later(HOURS).tick()
    world.end(busy)
    (planned,) = world.later(HOURS).tick()
    assert planned.run_key != busy.run_key
    world.verdicts.add(planned.run_key)
    world.run(planned, fails=True)
    assert [world.later(24 * HOURS).tick() for _ in range(3)] == [[], [], []]
    assert world.selection(world.decision().planned).notes == [
        "2024-11-05 waits: play_by_play cannot be read: x.parquet cannot be read as Parquet; "
        f"run {planned.run_key} could not use it, it is requested again when the file changes"
    ]
    world.bad.clear()
    assert short(world.land(DAY).tick()) == RESULTS_DUE


def test_content_that_comes_back_has_a_run_key_of_its_own() -> None:
    """Dagster remembers run keys for ever: without that the first version, landed again, would be ignored."""
    world, keys = World().scheduled(DAY), []
    for version in (1, 2, 1, 2):
        (planned,) = world.land(DAY, version=version).later(HOURS).tick()
        keys.append(planned.run_key)
        world.run(planned)
    for version in (3, 4, 3, 4):
        (planned,) = world.land(DAY, version=version).later(MINUTES).tick()
        keys.append(planned.run_key)
        world.end(planned)
    assert len(set(keys)) == len(keys)


def test_a_lost_cursor_requests_nothing_twice() -> None:
    world = World().scheduled(DAY).land(DAY)
    (first,) = world.tick()
    world.state = State.from_json("no cursor at all")
    assert world.tick() == []
    world.runs.clear()  # the daemon died before it launched the run
    assert [planned.run_key for planned in world.tick()] == [first.run_key]


def test_a_first_sight_in_the_future_counts_as_now() -> None:
    """The clock was wrong by a year when the content was first seen."""
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.now = MORNING
    assert world.tick() == []
    world.later(timedelta(days=365)).land(DAY, games=[1], tables=["team_boxscores"])
    assert world.tick() == []
    world.now = TIP + 13 * HOURS
    assert world.tick() == []
    assert short(world.later(30 * MINUTES).tick()) == [("postgame", DAY, "deadline")]


def test_games_that_do_not_count_are_nobodys_results() -> None:
    world = World().scheduled(DAY, kind="exhibition").land(DAY)
    world.now += timedelta(days=30)
    assert world.decision() == Decision([], State(), [])


def test_a_game_that_counts_in_no_standings_is_read_when_its_season_is_on() -> None:
    """The load of its players is known from its sheets, and no other date brings them in."""
    season = (
        World()
        .scheduled(DAY - timedelta(days=3))
        .scheduled(DAY, games=1, kind="cup")
        .scheduled(DAY + timedelta(days=3), status=1)
    )
    assert short(season.land(DAY, games=[0]).tick()) == RESULTS_DUE


def test_results_that_the_schedule_does_not_know_wait_for_it() -> None:
    world = World().land(DAY)
    assert "not in the schedule" in world.decision().notes[0]
    world.now = end_of(DAY) + 12 * HOURS
    assert world.tick() == []
    assert short(world.later(30 * MINUTES).tick()) == [("postgame", DAY, "deadline")]
    partial = World().scheduled(DAY, games=1).land(DAY)
    assert f"not in the schedule: {game(DAY, 1)}" in partial.decision().notes[0]
    assert short(partial.scheduled(DAY).tick()) == RESULTS_DUE


@pytest.mark.parametrize(
    ("table", "place"), [("play_by_play", DAY), ("schedule", ANY_DATE), (PROPS, DAY), ("player_registry", ANY_DATE)]
)
def test_a_bad_file_holds_its_date_up(table: str, place: date | None) -> None:
    world = World().scheduled(DAY).land(DAY)
    world.bad[table] = {place: ["x.csv lacks the required column game_id"]}
    assert f"{table} cannot be read: x.csv lacks" in world.decision().notes[0]
    world.bad.clear()
    assert short(world.tick()) == RESULTS_DUE


def test_rows_that_contradict_each_other_hold_their_date_up_until_the_deadline() -> None:
    """A correction may come; what is stored of the game until then is not complete."""
    world = World().scheduled(DAY).land(DAY)
    world.conflicts["play_by_play"] = {DAY: [game(DAY, 1)]}
    assert world.decision().notes == [
        f"2024-11-05 waits: rows that contradict each other: {game(DAY, 1)} (until 2024-11-06 12:30 UTC)"
    ]
    world.tick()
    world.later(4 * HOURS)
    assert [(planned.trigger, planned.because) for planned in world.tick()] == [
        ("deadline", f"rows that contradict each other: {game(DAY, 1)}")
    ]


def test_a_bad_file_of_another_date_or_of_announcements_does_not() -> None:
    world = World().scheduled(DAY).land(DAY)
    world.bad = {"play_by_play": {OTHER: ["x.csv is bad"]}, "rosters": {DAY: ["y.csv is bad"]}}
    assert short(world.tick()) == RESULTS_DUE


@pytest.mark.parametrize("place", [DAY, ANY_DATE])
def test_nothing_is_decided_of_a_date_of_which_files_are_unread(place: date | None) -> None:
    """After a restart there may be no time for all files at once."""
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.tick()
    before = world.state
    world.later(timedelta(days=3)).unread["play_by_play"] = {place}
    assert world.tick() == []
    assert world.state == before
    world.unread.clear()
    assert short(world.tick()) == [("postgame", DAY, "deadline")]


def test_a_date_that_a_run_works_on_waits_for_its_end() -> None:
    world = World().scheduled(DAY).land(DAY).scheduled(OTHER).land(OTHER)
    world.now += timedelta(days=1)
    assert short(world.tick(running={DAY})) == [("postgame", OTHER, "results")]
    assert short(world.tick()) == RESULTS_DUE


def test_requests_are_capped_oldest_first_and_the_state_stays_small() -> None:
    world = World()
    days = [DAY - timedelta(days=number) for number in range(80)]
    for day in days:
        world.scheduled(day).land(day)
    requested = []
    for _ in range(3):
        assert (
            world.selection(world.decision().planned, settings=Settings(requests_per_tick=4))
            .notes[-1]
            .endswith("wait for the next look")
        )
        requested += [one.launch.start for one in world.tick(settings=Settings(requests_per_tick=4))]
        assert world.state == State()
    assert requested == sorted(days)[:12]


def test_incomplete_dates_over_the_cap_keep_their_place() -> None:
    world = World()
    days = [DAY - timedelta(days=number) for number in range(7)]
    for day in days:
        world.scheduled(day).land(day, games=[0])
    world.tick()
    world.later(timedelta(days=1))
    assert [one.launch.start for _ in range(2) for one in world.tick()] == sorted(days)


def test_dates_outside_the_partitions_are_never_requested() -> None:
    world = World().scheduled(DAY).land(DAY)
    world.now = datetime(2024, 11, 5, 3, tzinfo=UTC)  # still the fourth, Eastern
    assert world.tick() == []
    early = date(2020, 6, 30)
    ancient = World().scheduled(early).land(early)
    assert ancient.tick() == []


def test_dates_are_remembered_while_the_clock_stands_before_them() -> None:
    world = World().scheduled(DAY).land(DAY, games=[0])
    world.tick()
    before = world.state
    assert before.results
    assert world.later(timedelta(days=-3)).tick() == []
    assert world.state == before


NOON = datetime(2024, 11, 5, 17, tzinfo=UTC)
PREGAME_DUE = [("pregame", DAY, "announcements")]


def before_the_games() -> World:
    world = World().scheduled(DAY, status=1)
    world.now = NOON
    return world


@pytest.mark.parametrize("table", ANNOUNCEMENTS)
def test_announcements_of_today_are_run_for_once_per_content_until_the_first_tip(table: str) -> None:
    world = before_the_games()
    assert world.tick() == []
    (planned,) = world.land(DAY, games=[0], tables=[table]).tick()
    assert (short([planned]), planned.because) == (PREGAME_DUE, f"new: {table}, schedule")
    assert world.later(MINUTES).tick() == []
    world.run(planned)
    assert world.later(MINUTES).tick() == []
    assert world.state == State()
    assert short(world.land(DAY, games=[0], tables=[table], version=2).tick()) == PREGAME_DUE
    world.now = tip(DAY, 0)
    assert world.land(DAY, games=[0], tables=[table], version=3).tick() == []


def test_a_changed_schedule_of_games_with_contexts_is_news() -> None:
    world = before_the_games().land(DAY, tables=ANNOUNCEMENTS)
    world.run(world.tick()[0])
    world.schedule[DAY, 1] = POSTPONED
    (planned,) = world.later(MINUTES).tick()
    assert (short([planned]), planned.because) == (PREGAME_DUE, "new: schedule")


def test_announcements_of_a_day_without_games_or_of_tomorrow_wait() -> None:
    news = [name for name in ANNOUNCEMENTS if name != ROSTERS]
    world = World().scheduled(OTHER, status=1).land(DAY, tables=news).land(OTHER, tables=ANNOUNCEMENTS)
    world.now = NOON
    assert world.tick() == []


def test_rosters_of_days_without_games_are_ingested_for_the_games_after_them() -> None:
    """In one run up to the next date with games; a trade between two games is in no other file before them."""
    world = World().scheduled(DAY).land(DAY).scheduled(THIRD + 2 * ONE_DAY, status=1)
    world.run(world.tick()[0])
    world.land(OTHER, tables=[ROSTERS]).land(THIRD, tables=[ROSTERS]).land(THIRD + ONE_DAY, tables=[ROSTERS])
    world.now = NOON + 2 * ONE_DAY
    assert league_date(world.now) == THIRD
    (planned,) = world.tick()
    assert (planned.launch, planned.trigger, planned.because) == (
        Launch("pregame", (ROSTERS,), OTHER, THIRD),
        "announcements",
        "new: rosters",
    )
    world.end(planned)
    for day in (OTHER, THIRD):
        world.write(ROSTERS, day, str(world.digest(ROSTERS, day)), world.now)
    assert world.later(10 * MINUTES).tick() == []
    (again,) = world.land(THIRD, tables=[ROSTERS], version=2).tick()
    assert again.launch == Launch("pregame", (ROSTERS,), THIRD, THIRD)


@pytest.mark.parametrize(("days_before", "is_read"), [(OLDEST_SNAPSHOT_DAYS, True), (OLDEST_SNAPSHOT_DAYS + 1, False)])
def test_rosters_that_no_games_read_are_left_alone(days_before: int, is_read: bool) -> None:
    world = World().scheduled(DAY + days_before * ONE_DAY, status=1).land(DAY, tables=[ROSTERS])
    world.now = NOON + ONE_DAY
    assert bool(world.tick()) is is_read
    world = World().scheduled(DAY).land(OTHER, tables=[ROSTERS])
    world.now = NOON + 2 * ONE_DAY
    assert world.tick() == []


def test_announcements_are_first_in_line() -> None:
    world = before_the_games().land(DAY, tables=ANNOUNCEMENTS)
    for number in range(1, 8):
        day = DAY - timedelta(days=number)
        world.scheduled(day).land(day)
    planned = world.tick()
    assert short(planned)[:2] == [*PREGAME_DUE, ("postgame", DAY - timedelta(days=7), "results")]
    assert len(planned) == SETTINGS.requests_per_tick


def test_announcements_that_come_after_the_results_reach_the_descriptions_of_their_date() -> None:
    world = before_the_games().land(DAY, tables=ANNOUNCEMENTS)
    world.run(world.tick()[0])
    world.now = MORNING
    world.scheduled(DAY).land(DAY).land(DAY, tables=["injury_report"], version=2)
    (planned,) = world.tick()
    assert short([planned]) == RESULTS_DUE
    world.run(
        planned
    )  # it brings the injury report in as well; what was built without it is stale by the state of partitions
    assert world.later(HOURS).tick() == []
    (late,) = world.land(DAY, tables=["game_lines"], version=2).tick()
    assert (short([late]), late.because) == (PREGAME_DUE, "new: game_lines")
    world.run(late)
    assert world.later(HOURS).tick() == []
    assert world.state == State()


def test_a_refused_description_of_a_past_date_is_made_again_once_its_announcements_have_changed() -> None:
    """It is refused where another description of the date was made and it was not."""
    world = before_the_games().land(DAY, tables=ANNOUNCEMENTS)
    world.run(world.tick()[0])
    world.now = MORNING
    world.scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    del world.partition_state[CONTEXTS[1], DAY]
    assert world.later(HOURS).tick() == []
    (late,) = world.land(DAY, tables=["injury_report"], version=2).tick()
    assert (short([late]), late.because) == (PREGAME_DUE, "new: injury_report")


def test_late_announcements_of_a_date_without_contexts_call_for_nothing() -> None:
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    assert (
        world.land(DAY, tables=ANNOUNCEMENTS, version=2).land(DAY, tables=[PROPS], version=1).later(HOURS).tick() != []
    )
    world = World().scheduled(DAY).land(DAY)
    world.run(world.tick()[0])
    assert world.land(DAY, tables=["rosters"]).later(HOURS).tick() == []
    world = World().scheduled(DAY).scheduled(OTHER).land(OTHER).later(ONE_DAY)
    world.run(world.tick()[0])
    assert world.land(OTHER, tables=["rosters"]).later(HOURS).tick() == []


def test_a_description_that_was_refused_before_there_was_any_is_made_once_its_announcements_have_changed() -> None:
    """The game day before has summaries: `staleness` plans the pregame tables of the date in any case."""
    world = World().scheduled(DAY).land(DAY).scheduled(OTHER).land(OTHER, tables=[*RESULTS, *ANNOUNCEMENTS])
    world.now = MORNING + timedelta(days=1)
    for planned in world.tick():
        world.run(planned)
    assert all((name, OTHER) in world.partition_state for name in ANNOUNCEMENTS)
    assert world.later(HOURS).tick() == []
    (late,) = world.land(OTHER, tables=["rosters"], version=2).tick()
    assert (late.launch.job, late.launch.start, late.because) == ("pregame", OTHER, "new: rosters")
    assert world.land(DAY, tables=["rosters"], version=2).tick() == []


def test_a_clock_that_was_set_back_and_a_time_without_looks_are_told_of_once() -> None:
    world = World()
    world.tick()
    assert world.decision().clock is None
    world.later(LONGEST_SILENCE)
    assert world.decision().clock is None
    world.later(timedelta(seconds=1))
    assert str(world.decision().clock).startswith("no decision for 10 minutes, since 2024-11-06 09:30 UTC: ")
    world.tick()
    assert world.decision().clock is None
    world.later(-timedelta(seconds=1))
    assert str(world.decision().clock).startswith(
        "the clock was set back: the last decision was at 2024-11-06 09:40:01"
    )
    world.tick()
    assert world.decision().clock is None


DAYS = (DAY, OTHER, THIRD)
PORTIONS = [(table, day, number) for table in (*RESULTS, PROPS) for day in DAYS for number in (0, 1)]
Action = tuple[str, Any]
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.tuples(st.just("land"), st.tuples(st.sampled_from(PORTIONS), st.sampled_from([1, 1, 1, 2]))),
    st.tuples(st.just("land date"), st.tuples(st.sampled_from(DAYS), st.sampled_from([1, 1, 2]))),
    st.tuples(st.just("final"), st.tuples(st.sampled_from(DAYS), st.sampled_from([0, 1]))),
    st.tuples(
        st.just("clock"),
        st.sampled_from(
            [MINUTES, 10 * MINUTES, 40 * MINUTES, 5 * HOURS, 13 * HOURS, -3 * HOURS, -40 * HOURS, 400 * HOURS]
        ),
    ),
    st.tuples(st.just("tick"), st.sets(st.sampled_from(DAYS), max_size=1)),
    st.tuples(st.just("tick"), st.just(set())),
    st.tuples(st.just("run"), st.booleans()),
)


@dataclass
class Witness:
    """Looks on and objects: what may be requested, worked out apart from the code that is tested."""

    world: World
    first_seen: dict[date, datetime] = field(default_factory=dict)
    content: dict[date, tuple[Any, ...]] = field(default_factory=dict)
    requested: dict[tuple[date, int], list[datetime]] = field(default_factory=dict)
    """When each content of a date was requested."""
    period: Counter[date] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    queue: list[PlannedRun] = field(default_factory=list)

    def content_of(self, day: date) -> tuple[Any, ...]:
        return tuple(self.world.digest(table, day) for table in (*RESULTS, PROPS, SCHEDULE))

    def complete(self, day: date) -> bool:
        landed = self.world.landed
        return all(
            self.world.schedule[day, number] == FINAL
            and ("team_boxscores", day, number) in landed
            and ("play_by_play", day, number) in landed
            and (("player_gamebook", day, number) in landed or ("player_boxscores", day, number) in landed)
            for number in (0, 1)
        )

    def is_built(self, day: date) -> bool:
        partition_state = self.world.partition_state
        digests = {table: self.world.digest(table, day) for table in (*RESULTS, PROPS, SCHEDULE)}
        if any(
            digest is not None and partition_state.get((table, day), {}).get("digest") != digest
            for table, digest in digests.items()
        ):
            return False
        newest = max(
            entry["changed_at"] for (table, when), entry in partition_state.items() if when == day and table in digests
        )
        return all(
            (table, day) in partition_state and partition_state[table, day]["written_at"] >= newest
            for table in GAME_SUMMARIES
        )

    def tick(self, running: Collection[date]) -> None:
        now = self.world.now
        for day in DAYS:
            has_results = any((table, day, number) in self.world.landed for table in RESULTS for number in (0, 1))
            if not has_results or day > league_date(now):
                continue
            if self.content.get(day) != self.content_of(day):
                self.content[day], self.first_seen[day] = self.content_of(day), now
                self.period[day] += 1
            self.first_seen[day] = min(self.first_seen[day], now)
        before = {day: self.is_built(day) for day in DAYS if day in self.content}
        planned = self.world.tick(running=running, settings=Settings(requests_per_tick=2))
        assert len(planned) <= 2
        for one in planned:
            day = one.launch.start
            assert one.launch.end == day <= league_date(now)
            assert day not in running
            assert one.run_key not in self.keys
            self.keys.add(one.run_key)
            self.queue.append(one)
            if one.launch.job == "pregame":
                assert one.trigger == "announcements"
                assert now < tip(day, 0)
                continue
            assert not before[day]
            if one.trigger == "results":
                assert self.complete(day)
            else:
                assert not self.complete(day)
                assert now >= max(tip(day, 1) + 12 * HOURS, self.first_seen[day] + 30 * MINUTES)
            before_it = self.requested.setdefault((day, self.period[day]), [])
            assert all(other.launch.start != day or other.launch.job != "postgame" for other in self.queue[:-1])
            assert (
                not before_it or now - before_it[-1] >= 2 * MINUTES * 3 ** (len(before_it) - 1) or now < before_it[-1]
            )
            before_it.append(now)
            assert len(before_it) <= SETTINGS.request_attempts
        assert set(self.world.state.results) <= set(self.content)
        assert all(not self.is_built(day) for day in self.world.state.results if day <= league_date(now))


@settings(max_examples=150)
@given(actions=st.lists(ACTIONS, min_size=5, max_size=60))
def test_each_content_of_a_date_is_requested_never_too_early_nor_too_often(actions: list[Action]) -> None:
    """Any order of portions, copies of the same, restarts (at every tick), clock jumps and runs that work or fail."""
    world = World()
    for day in DAYS:
        world.scheduled(day, status=1)
    witness = Witness(world)
    for action, value in actions:
        if action == "land":
            world.landed[value[0]] = value[1]
        elif action == "land date":
            world.land(value[0], version=value[1])
        elif action == "final":
            world.schedule[value] = FINAL
        elif action == "clock":
            world.now += value
        elif action == "tick":
            witness.tick(value)
        elif witness.queue:
            world.run(witness.queue.pop(0), fails=value)
    # Then everything lands, is looked at, and run for.
    for day in DAYS:
        world.scheduled(day).land(day, version=3).land(day, tables=[PROPS], version=3)
    world.now = max(world.now, MORNING + timedelta(days=4))
    while witness.queue:
        world.run(witness.queue.pop(0))
    for _ in range(3):
        witness.tick(())
    assert sorted({one.launch.start for one in witness.queue}) == [day for day in DAYS if not witness.is_built(day)]
    for one in witness.queue:
        world.run(one)
    witness.queue.clear()
    world.later(HOURS)
    witness.tick(())
    assert (witness.queue, world.state) == ([], State())


@settings(max_examples=100)
@given(
    order=st.permutations([(table, number) for table in RESULTS for number in (0, 1)]),
    ticks=st.lists(st.booleans(), min_size=8, max_size=8),
    restart=st.integers(0, 8),
)
def test_a_date_that_lands_in_any_order_is_requested_exactly_once(
    order: list[tuple[str, int]], ticks: list[bool], restart: int
) -> None:
    """And by the portion that completes it, wherever a restart falls."""
    world, requested = World().scheduled(DAY), []
    for place, ((table, number), looks) in enumerate(zip(order, ticks, strict=True)):
        world.landed[table, DAY, number] = 1
        if place == restart:
            world.state = State.from_json(world.state.to_json())
        if looks:
            requested += world.tick()
    requested += world.tick()
    assert short(requested[:1]) == RESULTS_DUE
    # A second sheet that comes after the date was complete is new content.
    assert len(requested) <= 1 + sum(table in ("player_gamebook", "player_boxscores") for table, _ in order[-2:])


def test_the_state_survives_its_cursor_and_anything_else_in_it_is_none() -> None:
    world = World().scheduled(DAY).land(DAY, games=[0]).scheduled(OTHER).land(OTHER, games=[1])
    world.now += timedelta(days=1)
    world.tick()
    assert set(world.state.results) == {DAY, OTHER}
    assert State.from_json(world.state.to_json()) == world.state
    broken: Mapping[str, str | None] = {
        "none": None,
        "empty": "",
        "text": "x",
        "list": "[]",
        "other": '{"results": {"2024-11-05": [1]}}',
    }
    assert {name: State.from_json(text) for name, text in broken.items()} == dict.fromkeys(broken, State())
