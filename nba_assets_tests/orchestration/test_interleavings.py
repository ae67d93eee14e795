"""Runs that overtake each other between reading and writing: the newer one stands, whoever writes last, and nothing is
lost.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.orchestration.computed_assets import TRIES, table_asset
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.orchestration.warehouse_resource import WarehouseResource
from nba_assets.publishing import circuit_breaker
from nba_assets.publishing.circuit_breaker import stored_attempts
from nba_assets.publishing.publication import prepare
from nba_assets.publishing.retry import Retry
from nba_assets.publishing.scope import WholeDates
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw import ingestion
from nba_assets.raw.content_index import RESULTS
from nba_assets.raw.ingestion import ingest
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import PLAY_BY_PLAY, RAW_TABLES, SCHEDULE
from nba_assets.registry import GAME_SUMMARIES
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.spec import Table, day, text, whole
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    Warehouse,
    WriteFacts,
)
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.orchestration.at_work import OPENING, Season, build_tables
from nba_assets_tests.raw.feeds import DAY, NEXT_DAY, event_row, ingested, partition_state, schedule_row, stored, write
from nba_assets_tests.warehouse.back_ends import PROCESSES, running

MOMENT = datetime(2021, 11, 16, 12, tzinfo=UTC)


class Interleaved(DuckDBWarehouse):
    """A warehouse in which something else happens just before each of the first writes, one call each."""

    def __init__(self, path: Path, *others: Callable[[], object]) -> None:
        super().__init__(path)
        self.others = list(others)

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        if self.others:
            self.others.pop(0)()
        return super().replace(replacements, unless=unless)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nba.duckdb"


class TestIngestion:
    def test_an_older_snapshot_of_the_schedule_does_not_replace_a_newer_one(self, path: Path, tmp_path: Path) -> None:
        """Two runs of different dates share the schedule of the season: the one that read it first may not write it
        last.
        """
        landing = tmp_path / "landing"
        write(
            landing,
            "schedule/a.parquet",
            [schedule_row(game_status=1), schedule_row(NEXT_DAY, "ATL", "NYK", nba_game_id="2")],
            modified=1,
        )

        def a_newer_one() -> None:
            games = [schedule_row(game_status=3), schedule_row(NEXT_DAY, "ATL", "NYK", nba_game_id="2")]
            write(landing, "schedule/b.parquet", games, modified=2)
            ingested("schedule", landing, DuckDBWarehouse(path), [DAY])

        report = ingested("schedule", landing, Interleaved(path, a_newer_one), [NEXT_DAY])
        assert [row["game_status"] for row in stored("schedule", DuckDBWarehouse(path))] == [3, 3]
        assert partition_state("schedule", DuckDBWarehouse(path))[NEXT_DAY]["digest"] == report.by_date[NEXT_DAY].digest

    def test_what_lands_while_files_are_read_is_not_declared_absent(self, path: Path, tmp_path: Path) -> None:
        landing = tmp_path / "landing"
        (landing / "play_by_play").mkdir(parents=True)

        def it_lands() -> None:
            write(landing, "play_by_play/a.parquet", [event_row(1), event_row(2)])
            ingested("play_by_play", landing, DuckDBWarehouse(path))

        ingested("play_by_play", landing, Interleaved(path, it_lands))
        assert len(stored("play_by_play", DuckDBWarehouse(path))) == 2
        assert partition_state("play_by_play", DuckDBWarehouse(path))[DAY]["row_count"] == 2

    def test_a_file_that_turns_bad_meanwhile_is_not_counted_as_read(self, path: Path, tmp_path: Path) -> None:
        landing = tmp_path / "landing"
        write(landing, f"play_by_play/{DAY}.parquet", [event_row(1)])

        def it_turns_bad() -> None:
            (landing / f"play_by_play/{DAY}.parquet").write_bytes(b"PAR1")
            ingested("play_by_play", landing, DuckDBWarehouse(path))

        ingested("play_by_play", landing, Interleaved(path, it_turns_bad))
        assert partition_state("play_by_play", DuckDBWarehouse(path)) == {}

    @pytest.mark.slow
    def test_who_is_overtaken_again_and_again_gives_up_and_names_the_other(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ingestion, "LONGEST_WAIT_SECONDS", 0.0)
        landing = tmp_path / "landing"
        write(landing, "play_by_play/a.parquet", [event_row(1)])

        def another() -> None:
            ingest(
                PLAY_BY_PLAY,
                FolderLandingZone(landing),
                DuckDBWarehouse(path),
                [DAY],
                run_id="another",
                now=datetime.now(UTC),
            )

        with pytest.raises(
            OvertakenError,
            match=r"overtaken by run another: nba_processing\.table_partitions has changed for 2021-11-15",
        ):
            ingested("play_by_play", landing, Interleaved(path, *[another] * 50))


SUMS = Table(
    "nba_analytics",
    "sums",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        whole("points", "Points"),
        *STAMPS,
    ),
    entity_column="player_lookup",
)
PLAYERS = ("a", "b", "c")
POINTS: dict[str, float] = {}
"""What the players' points are just now."""


def sums(run: TableRun, broken: Sequence[str] = ()) -> Outcome:
    """A row per player, and a hard failure for those who are broken; of a retry those only whom it computes again."""
    there = [
        player
        for player in PLAYERS
        if player not in broken and (not isinstance(run.scope, Retry) or player in run.scope.entities[DAY])
    ]
    size = len(there)
    rows = {
        "game_date": np.full(size, np.datetime64(run.start, "D")),
        "player_lookup": np.array(there, dtype=object),
        "points": np.array([POINTS.get(player, 0.0) for player in there]),
    }
    ids, days = np.array(broken, dtype=object), np.full(len(broken), np.datetime64(run.start, "D"))
    failed = (
        failures(ids, days, "PLAYER", "PROCESSING_ERROR", "cannot", can_retry=True, failure_type="PROCESSING_ERROR")
        if broken
        else {}
    )
    return Outcome(rows, failed)


def run_of(warehouse: Warehouse, run_id: str, table: Table = SUMS, retry: Retry | None = None) -> TableRun:
    settings = Settings.from_environment({"NBA_ASSETS_HARD_FAILURE_SHARE": "1"})
    run = TableRun(
        table,
        [DAY],
        warehouse,
        ParallelEntities.serial(),
        settings,
        run_id,
        datetime.now(UTC),
        scope=retry or WholeDates(),
    )
    run.begin()
    return run


def with_breaker(run: TableRun) -> TableRun:
    """A run that knows the attempts so far."""
    requested = {"game_date": np.full(3, np.datetime64(DAY, "D")), "player_lookup": np.array(PLAYERS, dtype=object)}
    run.breaker = circuit_breaker.CircuitBreaker.of(
        run.warehouse, run.table, DAY, run.now, None, Grouped.by(requested, "player_lookup", "game_date"), {}
    )
    return run


def points(path: Path) -> dict[str, int]:
    rows = DuckDBWarehouse(path).read(SUMS, ("player_lookup", "points"), DAY, DAY).to_pylist()
    return {row["player_lookup"]: row["points"] for row in rows}


def attempts(path: Path) -> list[tuple[str, int, bool]]:
    found = stored_attempts(DuckDBWarehouse(path), SUMS.name, DAY, DAY)
    return [(attempt["entity_id"], attempt["attempt_number"], attempt["manual_override_applied"]) for attempt in found]


class TestPublication:
    def test_an_older_reader_does_not_overwrite_a_newer_writer(self, path: Path) -> None:
        older = run_of(DuckDBWarehouse(path), "older")
        publication = prepare(older, sums(older))
        POINTS["a"] = 7.0
        newer = run_of(DuckDBWarehouse(path), "newer")
        prepare(newer, sums(newer)).write()
        with pytest.raises(OvertakenError, match="overtaken by run newer"):
            publication.write()
        assert points(path)["a"] == 7

    def test_a_run_that_wrote_the_same_rows_is_a_newer_writer_too(self, path: Path) -> None:
        """What was made from the date since then goes by the newer run's entry: it may not be written back."""
        first, second = (run_of(DuckDBWarehouse(path), name) for name in ("first", "second"))
        prepare(second, sums(second)).write()
        with pytest.raises(OvertakenError):
            prepare(first, sums(first)).write()

    def test_other_dates_and_other_tables_overtake_nobody(self, path: Path) -> None:
        mine = run_of(DuckDBWarehouse(path), "mine")
        for other in (
            run_of(DuckDBWarehouse(path), "other table", replace(SUMS, name="others")),
            run_of(DuckDBWarehouse(path), "other date"),
        ):
            other.dates = [DAY] if other.table is not SUMS else [NEXT_DAY]
            other.as_begun = None
            prepare(other, sums(other)).write()
        prepare(mine, sums(mine)).write()

    @pytest.mark.parametrize(("overtaken", "succeeds"), [(0, True), (1, True), (TRIES - 1, True), (TRIES, False)])
    def test_the_asset_reads_and_computes_again_a_few_times(self, path: Path, overtaken: int, succeeds: bool) -> None:
        computed: list[float] = []

        def build(run: TableRun) -> Outcome:
            computed.append(POINTS["a"])
            return sums(run)

        def another() -> None:
            POINTS["a"] += 1
            other = run_of(DuckDBWarehouse(path), "another")
            prepare(other, sums(other)).write()

        POINTS["a"] = 1.0
        warehouse = Interleaved(path, *[another] * overtaken)

        class Given(WarehouseResource):
            def open(self, longest_wait: float = math.inf) -> Warehouse:
                del longest_wait
                return warehouse

        asset = table_asset(SUMS, build)
        result = dg.materialize(
            [asset],
            partition_key=DAY.isoformat(),
            resources={"warehouse": Given(), "entities": ParallelEntitiesResource()},
            raise_on_error=False,
        )
        assert result.success is succeeds
        assert computed == [1.0 + number for number in range(min(overtaken + 1, TRIES))]
        assert points(path)["a"] == POINTS["a"]


class TestBreaker:
    def test_two_failing_runs_at_once_count_as_two_attempts(self, path: Path) -> None:
        first, second = (with_breaker(run_of(DuckDBWarehouse(path), name)) for name in ("first", "second"))
        prepare(second, sums(second, ["a"])).write()
        with pytest.raises(OvertakenError):
            prepare(first, sums(first, ["a"])).write()
        again = with_breaker(run_of(DuckDBWarehouse(path), "first"))
        prepare(again, sums(again, ["a"])).write()
        assert attempts(path) == [("a", 1, False), ("a", 2, False)]

    def test_a_reset_during_a_run_is_not_undone_by_its_attempt(self, path: Path) -> None:
        earlier = with_breaker(run_of(DuckDBWarehouse(path), "earlier"))
        prepare(earlier, sums(earlier, ["a", "b"])).write()
        run = with_breaker(run_of(DuckDBWarehouse(path), "run"))
        publication = prepare(run, sums(run, ["b"]))
        assert circuit_breaker.reset(DuckDBWarehouse(path), SUMS.name, DAY, "a") == 1
        with pytest.raises(OvertakenError):
            publication.write()
        again = with_breaker(run_of(DuckDBWarehouse(path), "run"))
        prepare(again, sums(again, ["b"])).write()
        assert attempts(path) == [("a", 1, True), ("b", 1, False), ("b", 2, False)]

    def test_an_attempt_during_a_reset_is_reset_as_well_and_not_lost(self, path: Path) -> None:
        earlier = with_breaker(run_of(DuckDBWarehouse(path), "earlier"))
        prepare(earlier, sums(earlier, ["a"])).write()

        def another_attempt() -> None:
            run = with_breaker(run_of(DuckDBWarehouse(path), "another"))
            prepare(run, sums(run, ["a", "b"])).write()

        assert circuit_breaker.reset(Interleaved(path, another_attempt), SUMS.name, DAY, "a") == 2
        assert attempts(path) == [("a", 1, True), ("a", 2, True), ("b", 1, False)]


def retry_of(warehouse: Warehouse, run_id: str) -> TableRun:
    """A run that computes again who failed."""
    return run_of(warehouse, run_id, retry=Retry.of(warehouse, SUMS, [DAY], datetime.now(UTC)))


def failures_of(path: Path) -> list[str]:
    rows = DuckDBWarehouse(path).read(ENTITY_FAILURES, ("entity_id",), DAY, DAY, {"table_name": SUMS.name}).to_pylist()
    return [row["entity_id"] for row in rows]


class TestRetry:
    @pytest.fixture(autouse=True)
    def a_failed(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One of three players has failed; the others have no points yet."""
        for player in PLAYERS:
            monkeypatch.setitem(POINTS, player, 0.0)
        run = run_of(DuckDBWarehouse(path), "earlier")
        prepare(run, sums(run, ["a"])).write()

    @pytest.mark.parametrize("rebuilt_after_reading", [False, True])
    def test_retained_rows_do_not_replace_those_of_a_rebuild(self, path: Path, rebuilt_after_reading: bool) -> None:
        """A rebuild comes after the retry has decided whom to compute, before or after it has read the rows that it
        keeps.
        """

        def rebuild() -> None:
            POINTS["b"] = 9.0
            newer = run_of(DuckDBWarehouse(path), "newer")
            prepare(newer, sums(newer)).write()

        retry = retry_of(Interleaved(path, *[rebuild] * rebuilt_after_reading), "retry")
        if not rebuilt_after_reading:
            rebuild()
        with pytest.raises(OvertakenError, match="overtaken by run newer"):
            prepare(retry, sums(retry)).write()
        assert points(path) == {"a": 0, "b": 9, "c": 0}
        assert failures_of(path) == []

    def test_a_rebuild_that_read_before_a_retry_wrote_computes_again(self, path: Path) -> None:
        rebuild = run_of(DuckDBWarehouse(path), "rebuild")
        publication = prepare(rebuild, sums(rebuild, ["a"]))
        retry = retry_of(DuckDBWarehouse(path), "retry")
        prepare(retry, sums(retry)).write()
        with pytest.raises(OvertakenError, match="overtaken by run retry"):
            publication.write()
        assert sorted(points(path)) == ["a", "b", "c"]
        assert failures_of(path) == []

    def test_of_two_retries_at_once_the_second_is_overtaken(self, path: Path) -> None:
        first, second = (retry_of(DuckDBWarehouse(path), name) for name in ("first", "second"))
        publication = prepare(first, sums(first, ["a"]))
        prepare(second, sums(second)).write()
        with pytest.raises(OvertakenError, match="overtaken by run second"):
            publication.write()
        assert failures_of(path) == []


def test_results_of_a_night_get_their_summaries_although_a_run_of_the_day_before_ends_later(
    path: Path, tmp_path: Path
) -> None:
    """The run of the day before has read the schedule of the season before these games were final, and writes it after
    the run of the night has.
    """
    provider, landing = tmp_path / "provider", tmp_path / "landing"
    season = Season(provider, write_season(provider, 2024, **SMALL_LEAGUE))
    night = date.fromisoformat(sorted((provider / "team_boxscores").iterdir())[1].name.removeprefix("game_date="))
    season.land_all(landing, OPENING, OPENING)
    season.land(landing, night, RESULTS)
    warehouse = DuckDBWarehouse(path)
    build_tables(warehouse, landing, RAW_TABLES, [OPENING])

    def run_of_the_night() -> None:
        season.land_schedule(landing, night)
        build_tables(warehouse, landing, RAW_TABLES, [night])

    ingest(
        SCHEDULE,
        FolderLandingZone(landing),
        Interleaved(path, run_of_the_night),
        [OPENING],
        run_id="the day before",
        now=datetime.now(UTC),
    )
    build_tables(warehouse, landing, GAME_SUMMARIES, [night])
    entries = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "row_count"), night, night, {"table_name": list(GAME_SUMMARIES)}
    ).to_pylist()
    assert all(entry["row_count"] for entry in entries)
    assert len(entries) == len(GAME_SUMMARIES)


RACE_SECONDS = 60


def land_version(landing: Path, version: int) -> None:
    """A schedule whose games say which version it is, renamed into place."""
    games = [
        schedule_row(DAY + timedelta(days=number), nba_game_id=str(number), arena_name=f"v{version:06d}")
        for number in range(4)
    ]
    file = write(landing, "schedule/s.parquet.tmp.parquet", games)
    os.replace(file, landing / "schedule" / "s.parquet")


def ingest_over_and_over(path: str, landing: str, played: date, until: float) -> None:
    while time.time() < until:
        ingest(
            SCHEDULE,
            FolderLandingZone(Path(landing)),
            DuckDBWarehouse(path),
            [played],
            run_id=str(os.getpid()),
            now=datetime.now(UTC),
        )


@pytest.mark.slow
def test_four_processes_ingest_a_changing_schedule_and_the_stored_one_never_goes_back(
    path: Path, tmp_path: Path
) -> None:
    landing, until = tmp_path / "landing", time.time() + RACE_SECONDS
    land_version(landing, 0)
    with ExitStack() as stack:
        arguments = [(str(path), str(landing), DAY + timedelta(days=number), until) for number in range(4)]
        workers = [stack.enter_context(running(ingest_over_and_over, *mine)) for mine in arguments]
        seen: list[str] = []
        version = 0
        while time.time() < until:
            version += 1
            land_version(landing, version)
            rows: list[dict[str, Any]] = (
                DuckDBWarehouse(path).read(SCHEDULE.table, ("arena_name",), DAY, DAY + timedelta(days=3)).to_pylist()
            )
            assert len({row["arena_name"] for row in rows}) <= 1, "half of one snapshot and half of another"
            seen += [row["arena_name"] for row in rows[:1]]
        for worker in workers:
            worker.join(timeout=RACE_SECONDS)
        assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert seen == sorted(seen)
    assert len(set(seen)) > 10


PROCESSES.set_forkserver_preload([__name__])
