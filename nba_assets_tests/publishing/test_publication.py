"""Write, audit, publish: what is refused leaves everything as it was, what is written is written whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.publication import PublicationRefusedError, prepare
from nba_assets.publishing.table_run import TableRun
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.spec import Table, count, day, number, text
from nba_assets.warehouse.duckdb import DuckDBWarehouse

TABLE = Table(
    "nba_analytics",
    "tallies",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        count("points", "Points"),
        number("share", "Share", scale=1, allowed=(0, 100)),
        *STAMPS,
    ),
)
FIRST, SECOND = date(2021, 11, 15), date(2021, 11, 16)
NOW = datetime(2022, 1, 1, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb")


def run_of(warehouse: DuckDBWarehouse, *dates: date, now: datetime = NOW) -> TableRun:
    return TableRun(TABLE, dates, warehouse, ParallelEntities.serial(), Settings.from_environment({}), "run", now)


def rows(*entries: tuple[date, str, float, float]) -> dict[str, Any]:
    dates, players, points, shares = zip(*entries, strict=True)
    return {
        "game_date": np.array(dates, dtype="M8[D]"),
        "player_lookup": np.array(players, dtype=object),
        "points": np.array(points, dtype=float),
        "share": np.array(shares, dtype=float),
    }


def stored(warehouse: DuckDBWarehouse) -> list[dict[str, Any]]:
    return warehouse.read(TABLE, TABLE.column_names, FIRST, SECOND).to_pylist()


def test_rows_failures_and_books_are_written_together(warehouse: DuckDBWarehouse) -> None:
    failed = failures(np.array(["b"], dtype=object), np.array([SECOND], dtype="M8[D]"), "PLAYER", "INSUFFICIENT_DATA", "two games", can_retry=True)
    facts = prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "a", 3, 12.34), (SECOND, "a", 4, 5)), failed)).write()
    assert [(fact.row_count, fact.failures, fact.changed) for fact in facts] == [(1, {}, True), (1, {"INSUFFICIENT_DATA": 1}, True)]
    assert [row["share"] for row in stored(warehouse)] == [12.3, 5.0]
    books = warehouse.read(TABLE_PARTITIONS, ("partition_date", "row_count", "failure_count", "digest"), FIRST, SECOND).to_pylist()
    assert [(book["row_count"], book["failure_count"], book["digest"]) for book in books] == [(1, 0, facts[0].digest), (1, 1, facts[1].digest)]
    assert warehouse.read(ENTITY_FAILURES, ("entity_id", "failure_reason"), FIRST, SECOND).to_pylist() == [
        {"entity_id": "b", "failure_reason": "two games"}
    ]


@pytest.mark.parametrize(
    "bad",
    [rows((FIRST, "a", 1, 1), (FIRST, "a", 2, 2)), rows((FIRST, "a", 1, 101)), rows((FIRST, "a", -1, 1))],
    ids=["key twice", "out of range", "negative count"],
)
def test_blocking_check_leaves_the_table_as_it_was(warehouse: DuckDBWarehouse, bad: dict[str, Any]) -> None:
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 12)))).write()
    before = stored(warehouse)
    with pytest.raises(PublicationRefusedError, match="left as it was"):
        prepare(run_of(warehouse, FIRST), Outcome(bad)).write()
    assert stored(warehouse) == before


def test_too_many_hard_failures_refuse_the_write(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 12)))).write()
    before = stored(warehouse)
    failed = failures(np.array(["b"], dtype=object), np.array([FIRST], dtype="M8[D]"), "PLAYER", "PROCESSING_ERROR", "ValueError: no", can_retry=True)
    with pytest.raises(PublicationRefusedError, match="ValueError: no"):
        prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "c", 9, 9)), failed)).write()
    assert stored(warehouse) == before


def test_rows_of_other_dates_are_refused(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(PublicationRefusedError, match="not asked for"):
        prepare(run_of(warehouse, FIRST), Outcome(rows((SECOND, "a", 3, 12))))


def test_run_without_rows_empties_its_dates_and_says_so(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "a", 3, 12), (SECOND, "a", 3, 12)))).write()
    (fact,) = prepare(run_of(warehouse, FIRST), Outcome({})).write()
    assert (fact.row_count, fact.changed) == (0, True)
    assert [row["game_date"] for row in stored(warehouse)] == [SECOND]


def test_rewriting_the_same_rows_keeps_digest_and_first_time(warehouse: DuckDBWarehouse) -> None:
    (first,) = prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 12)))).write()
    later = NOW + timedelta(hours=1)
    (again,) = prepare(run_of(warehouse, FIRST, now=later), Outcome(rows((FIRST, "a", 3, 12)))).write()
    assert (again.digest, again.changed) == (first.digest, False)
    (row,) = stored(warehouse)
    assert (row["created_at"], row["processed_at"]) == (NOW, later)


def test_one_raising_player_costs_only_himself(warehouse: DuckDBWarehouse) -> None:
    asked = rows(*((FIRST, f"p{number}", number, 1) for number in range(10)))

    def compute(mine: Any, histories: Any, shared: Any) -> Outcome:
        if mine["player_lookup"][0] == "p3":
            raise ValueError("no such shot")
        return Outcome(dict(mine))

    run = run_of(warehouse, FIRST)
    (fact,) = prepare(run, run.map("players", compute, Grouped.by(asked, "player_lookup", "game_date"))).write()
    assert (fact.row_count, fact.failures) == (9, {"PROCESSING_ERROR": 1})
    (failure,) = warehouse.read(ENTITY_FAILURES, ("entity_id", "failure_reason", "can_retry"), FIRST, FIRST).to_pylist()
    assert failure["entity_id"] == "p3"
    assert "no such shot" in failure["failure_reason"]


def test_a_date_changed_when_its_new_content_was_written_and_not_when_the_same_was_written_again(warehouse: DuckDBWarehouse) -> None:
    """Told under the lock of the write: whoever read before it had begun earlier than that."""

    def changed_at() -> datetime:
        (book,) = warehouse.read(TABLE_PARTITIONS, ("changed_at",), FIRST, FIRST).to_pylist()
        moment: datetime = book["changed_at"]
        return moment

    before = datetime.now(UTC)
    publication = prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 1))))
    prepared = datetime.now(UTC)
    publication.write()
    first = changed_at()
    assert before < prepared <= first <= datetime.now(UTC)
    prepare(run_of(warehouse, FIRST, now=NOW + timedelta(days=1)), Outcome(rows((FIRST, "a", 3, 1)))).write()
    assert changed_at() == first
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 4, 1)))).write()
    assert changed_at() > first
