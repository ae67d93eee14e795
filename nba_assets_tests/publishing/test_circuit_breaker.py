"""An entity that fails hard three times on a date is not computed for a day: what counts, what resets it, what it never
touches.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.circuit_breaker import RESET_TRIES, reset, stored_attempts
from nba_assets.publishing.publication import DateFacts, PublicationRefusedError, prepare
from nba_assets.publishing.table_run import TableRun
from nba_assets.settings import Settings
from nba_assets.tables.blocks import REPROCESSING, STAMPS
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, REPROCESS_ATTEMPTS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Columns, Table, count, day, text
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import OvertakenError, Replacement, WarehouseError, WriteFacts

TABLE = Table(
    "nba_precompute",
    "tallies",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        count("points", "Points of all earlier games"),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
)
MONDAY, TUESDAY = date(2021, 11, 15), date(2021, 11, 16)
NOW = datetime(2022, 1, 1, tzinfo=UTC)
UNLUCKY, OTHER = "p3", "p4"


class CountingWarehouse(DuckDBWarehouse):
    """A warehouse that remembers which tables were replaced together."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written: list[list[str]] = []

    def replace(self, replacements: Any, *, unless: Any = ()) -> WriteFacts:
        facts = super().replace(replacements, unless=unless)
        self.written.append([replacement.table.name for replacement in replacements])
        return facts


@dataclass
class Lab:
    """A table of ten players, of whom some cannot be computed."""

    warehouse: CountingWarehouse
    broken: set[str] = field(default_factory=lambda: {UNLUCKY})
    too_young: set[str] = field(default_factory=set)
    past: dict[str, list[float]] = field(
        default_factory=lambda: {f"p{number}": [number, 2.0 * number] for number in range(10)}
    )
    opponent: str = "BOS"
    computed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def compute(self, requested: Columns, histories: Any, shared: Any) -> Outcome:
        del shared
        (player,) = set(requested["player_lookup"])
        self.computed.append(player)
        if player in self.broken:
            raise ArithmeticError("no such number")
        if player in self.too_young:
            return Outcome(
                {},
                failures(
                    requested["player_lookup"],
                    requested["game_date"],
                    "PLAYER",
                    "INSUFFICIENT_DATA",
                    "young",
                    can_retry=True,
                ),
            )
        size = len(requested["game_date"])
        key = {name: requested[name] for name in TABLE.key}
        return Outcome({**key, "points": np.full(size, histories["games"]["points"].sum())})

    def run(self, *days: date, after: timedelta = timedelta(), code_version: str = "1") -> list[DateFacts]:
        """Build the dates; `computed` and `said` tell of this run only."""
        self.computed.clear()
        self.said.clear()
        run = TableRun(
            replace(TABLE, code_version=code_version),
            days,
            self.warehouse,
            ParallelEntities.serial(),
            Settings.from_environment({}),
            "run",
            NOW + after,
            log=self.said.append,
        )
        players = np.array([player for _ in days for player in self.past], dtype=object)
        requested = {
            "game_date": np.repeat(np.array(days, dtype="M8[D]"), len(self.past)),
            "player_lookup": players,
            "opponent": np.full(len(players), self.opponent, dtype=object),
        }
        past = {
            "player_lookup": np.array([player for player, points in self.past.items() for _ in points], dtype=object),
            "game_date": np.array(
                [date(2021, 11, 1 + number) for points in self.past.values() for number in range(len(points))],
                dtype="M8[D]",
            ),
            "points": np.array([number for points in self.past.values() for number in points]),
        }
        histories = {"games": Grouped.by(past, "player_lookup", "game_date")}
        outcome = run.map_rows("players", self.compute, Grouped.by(requested, "player_lookup", "game_date"), histories)
        return prepare(run, outcome).write()

    def trip(self) -> None:
        """Fail three times."""
        for _ in range(3):
            self.run(MONDAY)

    def attempts(self, day: date = MONDAY) -> list[tuple[int, bool]]:
        """Number of each failed attempt at the unlucky one, and whether it tripped the breaker."""
        return [
            (row["attempt_number"], row["circuit_breaker_tripped"])
            for row in stored_attempts(self.warehouse, TABLE.name, day, day)
            if row["entity_id"] == UNLUCKY
        ]

    def rows(self, day: date = MONDAY) -> dict[str, dict[str, Any]]:
        """Stored rows by player."""
        return {
            row["player_lookup"]: row for row in self.warehouse.read(TABLE, TABLE.column_names, day, day).to_pylist()
        }

    def failure(self, day: date = MONDAY) -> dict[str, Any]:
        """The only failure record of a date."""
        (row,) = self.warehouse.read(
            ENTITY_FAILURES, ENTITY_FAILURES.column_names, day, day, {"table_name": TABLE.name}
        ).to_pylist()
        return dict(row)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(CountingWarehouse(tmp_path / "nba.duckdb"))


@pytest.fixture(scope="module")
def tripped_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse in which the unlucky one has failed three times on Monday."""
    path = tmp_path_factory.mktemp("tripped") / "nba.duckdb"
    Lab(CountingWarehouse(path)).trip()
    return path


@pytest.fixture
def tripped(lab: Lab, tripped_file: Path) -> Lab:
    shutil.copy(tripped_file, lab.warehouse.path)
    return lab


def test_the_third_failure_trips_and_the_next_run_leaves_him_alone_and_says_so(lab: Lab) -> None:
    for number in (1, 2, 3):
        (fact,) = lab.run(MONDAY)
        assert (fact.row_count, fact.failures) == (9, {"PROCESSING_ERROR": 1})
        assert UNLUCKY in lab.computed
        assert lab.failure()["can_retry"] is True
        assert lab.attempts() == [(1, False), (2, False), (3, True)][:number]
    (last,) = [row for row in stored_attempts(lab.warehouse, TABLE.name, MONDAY, MONDAY) if row["attempt_number"] == 3]
    assert last["circuit_breaker_until"] == NOW + timedelta(hours=24)
    assert not any("Circuit breaker" in line for line in lab.said)

    (fact,) = lab.run(MONDAY)
    assert UNLUCKY not in lab.computed
    assert (fact.row_count, fact.failures) == (9, {"CIRCUIT_BREAKER_ACTIVE": 1})
    failure = lab.failure()
    assert (failure["entity_id"], failure["entity_type"], failure["failure_category"]) == (
        UNLUCKY,
        "PLAYER",
        "CIRCUIT_BREAKER_ACTIVE",
    )
    assert failure["can_retry"] is False
    assert "2022-01-02 00:00 UTC" in failure["failure_reason"]
    assert "3 failed attempts" in failure["failure_reason"]
    assert "ArithmeticError: no such number" in failure["failure_reason"]
    assert any("Circuit breaker: 1 players not computed" in line and UNLUCKY in line for line in lab.said)
    assert lab.attempts() == [(1, False), (2, False), (3, True)]


def more_points(player: str) -> Callable[[Lab], None]:
    def change(lab: Lab) -> None:
        lab.past[player][0] += 1

    return change


def another_game(lab: Lab) -> None:
    lab.past[UNLUCKY].append(7.0)


def another_opponent(lab: Lab) -> None:
    lab.opponent = "LAL"


def by_hand(lab: Lab) -> None:
    assert reset(lab.warehouse, TABLE.name, MONDAY, UNLUCKY) == 3


@pytest.mark.parametrize(
    ("change", "circumstances"),
    [
        (more_points(UNLUCKY), {}),
        (another_game, {}),
        (another_opponent, {}),
        (by_hand, {}),
        (None, {"after": timedelta(hours=24)}),
        (None, {"code_version": "2"}),
    ],
    ids=["his past is corrected", "his past grows", "he is requested otherwise", "by hand", "a day later", "new code"],
)
def test_breaker_resets(tripped: Lab, change: Callable[[Lab], None] | None, circumstances: dict[str, Any]) -> None:
    if change is not None:
        change(tripped)
    tripped.broken.clear()
    (fact,) = tripped.run(MONDAY, **circumstances)
    assert UNLUCKY in tripped.computed
    assert (fact.row_count, fact.failures) == (10, {})


@pytest.mark.parametrize(
    ("change", "circumstances"),
    [(more_points(OTHER), {}), (None, {"after": timedelta(hours=23, minutes=59)})],
    ids=["somebody else", "too soon"],
)
def test_breaker_holds(tripped: Lab, change: Callable[[Lab], None] | None, circumstances: dict[str, Any]) -> None:
    if change is not None:
        change(tripped)
    tripped.broken.clear()
    (fact,) = tripped.run(MONDAY, **circumstances)
    assert UNLUCKY not in tripped.computed
    assert (fact.row_count, fact.failures) == (9, {"CIRCUIT_BREAKER_ACTIVE": 1})


def test_a_failure_after_the_day_is_over_trips_again_at_once(tripped: Lab) -> None:
    tripped.run(MONDAY, after=timedelta(hours=24))
    assert tripped.attempts()[3:] == [(4, True)]
    tripped.run(MONDAY, after=timedelta(hours=47))
    assert UNLUCKY not in tripped.computed


def test_after_a_reset_by_hand_he_has_three_attempts_again(tripped: Lab) -> None:
    assert reset(tripped.warehouse, TABLE.name, MONDAY, OTHER) == 0
    by_hand(tripped)
    tripped.trip()
    assert tripped.attempts()[3:] == [(4, False), (5, False), (6, True)]
    tripped.run(MONDAY)
    assert UNLUCKY not in tripped.computed


class Overtaken(DuckDBWarehouse):
    """A warehouse in which another run is faster, so many times."""

    times = 0

    def replace(self, *given: Any, **options: Any) -> Any:
        if self.times:
            self.times -= 1
            raise OvertakenError("overtaken by run other")
        return super().replace(*given, **options)


@pytest.mark.parametrize("times", [1, RESET_TRIES - 1, RESET_TRIES])
def test_a_reset_that_is_overtaken_reads_again_and_gives_up_in_the_end(tripped: Lab, times: int) -> None:
    warehouse = Overtaken(tripped.warehouse.path)
    warehouse.times = times
    if times < RESET_TRIES:
        assert reset(warehouse, TABLE.name, MONDAY, UNLUCKY) == 3
        return
    with pytest.raises(OvertakenError, match="overtaken by run other"):
        reset(warehouse, TABLE.name, MONDAY, UNLUCKY)
    assert reset(tripped.warehouse, TABLE.name, MONDAY, UNLUCKY) == 3


def test_attempts_count_for_the_inputs_that_they_were_made_with(lab: Lab) -> None:
    lab.run(MONDAY)
    lab.run(MONDAY)
    lab.past[UNLUCKY][0] += 1
    lab.run(MONDAY)
    lab.run(MONDAY)
    assert lab.attempts() == [(1, False), (2, False), (3, False), (4, False)]
    lab.run(MONDAY)
    assert lab.attempts()[4:] == [(5, True)]


def test_in_a_range_everybody_is_computed_and_nothing_is_recorded(tripped: Lab) -> None:
    before = tripped.attempts()
    monday, tuesday = tripped.run(MONDAY, TUESDAY)
    assert UNLUCKY in tripped.computed
    assert monday.failures == tuesday.failures == {"PROCESSING_ERROR": 1}
    assert (tripped.attempts(), tripped.attempts(TUESDAY)) == (before, [])
    tripped.broken.clear()
    monday, tuesday = tripped.run(MONDAY, TUESDAY)
    assert (monday.row_count, tuesday.row_count) == (10, 10)


def test_a_date_is_nothing_to_another_date(tripped: Lab) -> None:
    (tuesday,) = tripped.run(TUESDAY)
    assert UNLUCKY in tripped.computed
    assert tuesday.failures == {"PROCESSING_ERROR": 1}
    assert (len(tripped.attempts()), tripped.attempts(TUESDAY)) == (3, [(1, False)])
    assert reset(tripped.warehouse, TABLE.name, TUESDAY, UNLUCKY) == 1
    tripped.run(MONDAY)
    assert UNLUCKY not in tripped.computed


def test_soft_failures_are_no_attempts(lab: Lab) -> None:
    lab.broken, lab.too_young = set(), {UNLUCKY}
    for _ in range(4):
        (fact,) = lab.run(MONDAY)
        assert UNLUCKY in lab.computed
        assert fact.failures == {"INSUFFICIENT_DATA": 1}
    assert lab.attempts() == []


def test_attempts_are_written_together_with_the_rows(lab: Lab) -> None:
    lab.run(MONDAY)
    (together,) = lab.warehouse.written
    assert {TABLE.name, ENTITY_FAILURES.name, REPROCESS_ATTEMPTS.name} <= set(together)
    before, past = lab.rows(), lab.past[OTHER][0]
    with duckdb.connect(lab.warehouse.path) as connection:
        # The second attempt cannot be written: the rows beside it must not be either.
        connection.execute("create unique index once on nba_processing.reprocess_attempts (entity_id)")
    lab.past[OTHER][0] = past + 1
    with pytest.raises(WarehouseError):
        lab.run(MONDAY)
    assert (lab.rows(), lab.attempts()) == (before, [(1, False)])


def test_a_refused_run_is_no_attempt(lab: Lab) -> None:
    lab.broken = {"p1", "p2", UNLUCKY}
    with pytest.raises(PublicationRefusedError, match="tolerated share"):
        lab.run(MONDAY)
    assert lab.attempts() == []


def test_a_later_good_row_tells_how_often_he_failed_and_is_otherwise_the_same(tripped: Lab) -> None:
    tripped.broken.clear()
    never_failed = Lab(CountingWarehouse(tripped.warehouse.path.with_name("other.duckdb")), broken=set())
    (fact,) = tripped.run(MONDAY, after=timedelta(hours=24))
    (clean,) = never_failed.run(MONDAY, after=timedelta(hours=24))
    rows, clean_rows = tripped.rows(), never_failed.rows()
    assert {player: row["reprocess_attempt_count"] for player, row in rows.items()} == {
        **dict.fromkeys(rows, 0),
        UNLUCKY: 3,
    }
    assert {row["reprocess_attempt_count"] for row in clean_rows.values()} == {0}
    assert fact.digest == clean.digest
    assert rows[UNLUCKY]["data_hash"] == clean_rows[UNLUCKY]["data_hash"]


def test_attempts_of_other_tables_stay_when_these_are_written(lab: Lab) -> None:
    foreign = {
        "table_name": "another",
        "partition_date": MONDAY,
        "entity_id": UNLUCKY,
        "attempt_number": 1,
        "attempted_at": NOW,
        "failure_reason": "of its own",
        "input_digest": "0",
        "circuit_breaker_tripped": True,
        "circuit_breaker_until": NOW + timedelta(days=9),
        "manual_override_applied": False,
        "run_id": "run",
    }
    rows = pa.Table.from_pylist([foreign], schema=arrow_schema(REPROCESS_ATTEMPTS))
    lab.warehouse.replace([Replacement(REPROCESS_ATTEMPTS, rows, [MONDAY], {"table_name": "another"})])
    lab.run(MONDAY)
    assert UNLUCKY in lab.computed
    assert stored_attempts(lab.warehouse, "another", MONDAY, MONDAY) == [foreign]
