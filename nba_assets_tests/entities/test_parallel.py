"""Parallel entities: same bits whoever works, failures that stay where they are, workers that may die."""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
import pytest

from nba_assets.entities import parallel, remote
from nba_assets.entities.executors import Broadcast, executor_for, remove_leftovers
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures, join, take
from nba_assets.entities.parallel import EntityKind, ParallelEntities, Workers
from nba_assets.entities.time_limits import UnfinishedError
from nba_assets.processes import this_process
from nba_assets.settings import Backend
from nba_assets.tables.spec import Columns

PLAYERS = [f"player{number:03d}" for number in range(120)]
DAYS = np.arange("2021-10-19", "2021-10-24", dtype="M8[D]")
ODD_ONE = "player007"
HANGING = [ODD_ONE, "player008", "player111"]
PATIENCE_SECONDS = 30.0
LOCAL = [Backend.threads, Backend.processes]


def requested(entities: list[str] = PLAYERS) -> Grouped:
    """Every player on every day, in no order."""
    order = np.random.default_rng(7).permutation(len(entities) * len(DAYS))
    players, days = np.repeat(np.array(entities, dtype=object), len(DAYS)), np.tile(DAYS, len(entities))
    return Grouped.by({"player_lookup": players[order], "game_date": days[order]}, "player_lookup", "game_date")


def past() -> Grouped:
    """Some history of most players."""
    random = np.random.default_rng(11)
    players = random.choice(np.array(PLAYERS[:100], dtype=object), 2000)
    return Grouped.by(
        {"player_lookup": players, "game_date": random.choice(DAYS, 2000), "points": random.random(2000)},
        "player_lookup",
        "game_date",
        tie_break=("points",),
    )


# What is computed of each entity: functions of this module, so that processes find them.


def rows_of(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    points = histories["past"]["points"]
    size = len(mine["game_date"])
    return Outcome({**mine, "sum": np.full(size, points.sum() * shared), "games": np.full(size, float(len(points)))})


def is_odd(mine: Columns) -> bool:
    return bool(mine["player_lookup"][0] == ODD_ONE)


def one_raises(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if is_odd(mine) and DAYS[2] in mine["game_date"]:
        raise ValueError("the shot clock broke")
    return rows_of(mine, histories, shared)


def one_recurses(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    return one_recurses(mine, histories, shared) if is_odd(mine) else rows_of(mine, histories, shared)


def several_kill(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if mine["player_lookup"][0] in {ODD_ONE, "player008", "player111"}:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(mine, histories, shared)


def one_kills_once(mine: Columns, histories: Mapping[str, Columns], shared: Path) -> Outcome:
    if is_odd(mine) and not shared.exists():
        shared.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(mine, histories, 1.0)


def one_forgets(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    return Outcome(take(mine, mine["game_date"] != DAYS[1])) if is_odd(mine) else Outcome(dict(mine))


def one_makes_up_a_date(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    return Outcome({**mine, "game_date": mine["game_date"] + 100}) if is_odd(mine) else Outcome(dict(mine))


def one_says_it_twice(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    return (
        Outcome(take(mine, np.repeat(np.arange(len(DAYS)), 2)[: 2 * len(mine["game_date"])]))
        if is_odd(mine)
        else Outcome(dict(mine))
    )


def one_says_nothing(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    return None if is_odd(mine) else Outcome(dict(mine))  # type: ignore[return-value]


def one_lacks(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if is_odd(mine):
        return Outcome(
            {},
            failures(
                mine["player_lookup"], mine["game_date"], "PLAYER", "INSUFFICIENT_DATA", "no games", can_retry=True
            ),
        )
    return rows_of(mine, histories, shared)


def first_is_slowest(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if mine["player_lookup"][0] == PLAYERS[0]:
        time.sleep(0.2)
    return one_raises(mine, histories, shared)


def one_interrupts(mine: Columns, histories: Mapping[str, Columns], shared: type[BaseException]) -> Outcome:
    if is_odd(mine):
        raise shared
    return Outcome(dict(mine))


def one_writes_into_its_input(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if is_odd(mine):
        histories["past"]["points"][:] = 0.0
    return rows_of(mine, histories, shared)


def who_works(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    time.sleep(0.002)
    return Outcome(
        {**mine, "worker": np.full(len(mine["game_date"]), os.getpid() if shared else threading.get_ident())}
    )


def several_hang(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    while mine["player_lookup"][0] in HANGING:
        time.sleep(0.01)
    return rows_of(mine, histories, 0.1)


def one_hangs_once(mine: Columns, histories: Mapping[str, Columns], shared: Path) -> Outcome:
    if is_odd(mine) and not shared.exists():
        shared.touch()
        time.sleep(3 * PATIENCE_SECONDS)
    return rows_of(mine, histories, 1.0)


class Each:
    """Computes the entities of a chunk one after the other."""

    def __init__(self, compute: Callable[[Columns, Mapping[str, Columns], Any], Outcome]) -> None:
        self.compute = compute

    def __call__(self, requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
        parts = [
            self.compute(requested.of(entity), {name: rows.of(entity) for name, rows in histories.items()}, shared)
            for entity in requested.entities
        ]
        if len(parts) == 1:
            return parts[0]
        alike = len({frozenset(part.rows) for part in parts if part.rows}) < 2
        if not alike or any(not isinstance(values, np.ndarray) for part in parts for values in part.rows.values()):
            raise TypeError("the answers cannot be joined")
        return join(parts)


class Unpacked:
    """Notes down each time that a process unpacks it."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes

    def __reduce__(self) -> tuple[Any, ...]:
        return noted, (self.notes,)


def noted(notes: Path) -> Unpacked:
    with notes.open("a") as file:
        file.write(f"{os.getpid()}\n")
    return Unpacked(notes)


# Who computes it


def workers(count: int, backend: Backend = Backend.threads, chunk: int | None = 15) -> ParallelEntities:
    return ParallelEntities(Workers(count), Workers(count), backend, chunk)


def processes(count: int = 2, chunk: int | None = 15) -> ParallelEntities:
    return workers(count, Backend.processes, chunk)


def mapped(entities: ParallelEntities, compute: Any = rows_of, log: Any = None, shared: Any = 0.1) -> Outcome:
    with entities:
        return entities.map("players", Each(compute), requested(), {"past": past()}, shared, log or (lambda _: None))


def bits(columns: Columns) -> dict[str, Any]:
    return {
        name: values.tolist() if values.dtype == object else (values.dtype, values.tobytes())
        for name, values in columns.items()
    }


each_back_end = pytest.mark.parametrize(
    "entities", [ParallelEntities.serial(), workers(2), processes()], ids=["serial", "threads", "processes"]
)


@pytest.mark.parametrize("compute", [rows_of, one_raises, one_lacks])
@pytest.mark.parametrize(
    "entities",
    [workers(1), workers(2), workers(10), processes(), workers(3, chunk=7), processes(chunk=1), workers(2, chunk=1000)],
    ids=["1 thread", "2 threads", "10 threads", "2 processes", "odd chunks", "chunks of one", "one chunk"],
)
def test_whoever_works_the_bits_are_those_of_serial(entities: ParallelEntities, compute: Any) -> None:
    expected, found = mapped(ParallelEntities.serial(), compute), mapped(entities, compute)
    assert bits(found.rows) == bits(expected.rows)
    assert bits(found.failures) == bits(expected.failures)


@each_back_end
def test_rows_come_in_order_of_entity_and_date_whoever_is_slow(entities: ParallelEntities) -> None:
    outcome = mapped(entities, first_is_slowest)
    assert outcome.rows["player_lookup"].tolist() == [
        player for player in PLAYERS for day in DAYS if (player, day) != (ODD_ONE, DAYS[2])
    ]
    assert outcome.rows["game_date"].tolist() == [
        day.item() for player in PLAYERS for day in DAYS if (player, day) != (ODD_ONE, DAYS[2])
    ]


@each_back_end
def test_a_raising_player_costs_only_his_raising_date(entities: ParallelEntities) -> None:
    outcome = mapped(entities, one_raises)
    assert outcome.row_count == len(PLAYERS) * len(DAYS) - 1
    (reason,) = outcome.failures.pop("failure_reason")  # type: ignore[attr-defined]
    assert re.fullmatch(r"ValueError: the shot clock broke \(one_raises test_parallel\.py:\d+\)", reason)
    assert {name: values.tolist()[0] for name, values in outcome.failures.items() if values[0] == values[0]} == {
        "entity_id": ODD_ONE,
        "partition_date": DAYS[2].item(),
        "entity_type": "PLAYER",
        "failure_category": "PROCESSING_ERROR",
        "can_retry": 1.0,
        "failure_type": "PROCESSING_ERROR",
        "missing_game_ids": None,
    }


def test_endless_recursion_is_a_failure_like_any_other() -> None:
    outcome = mapped(workers(2), one_recurses)
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)
    assert {reason.split(":")[0] for reason in outcome.failures["failure_reason"]} == {"RecursionError"}


@pytest.mark.parametrize(
    ("compute", "days", "complaint"),
    [
        (one_forgets, [DAYS[1]], "no row and no failure for a date that was requested: 2021-10-20"),
        (one_makes_up_a_date, DAYS, "no row and no failure for a date that was requested: 2021-10-19"),
        (one_says_it_twice, DAYS, "more than was requested: 2021-10-19"),
        (one_says_nothing, DAYS, "NoneType"),
        (one_writes_into_its_input, DAYS, "read-only"),
    ],
)
def test_an_answer_that_does_not_fit_the_question_is_an_error(compute: Any, days: list[Any], complaint: str) -> None:
    outcome = mapped(workers(2), compute)
    assert outcome.row_count == len(PLAYERS) * len(DAYS) - len(days)
    assert set(outcome.failures["entity_id"]) == {ODD_ONE}
    assert outcome.failures["partition_date"].tolist() == [day.item() for day in days]
    assert set(outcome.failures["failure_category"]) == {"PROCESSING_ERROR"}
    assert complaint in outcome.failures["failure_reason"][0]


# What is wrong with an answer, by what is changed in a good one.
WRONG_ANSWERS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str]] = {
    "a column is missing": (
        lambda rows: {name: rows[name] for name in rows if name != "sum"},
        "without the columns sum",
    ),
    "a column too many": (lambda rows: rows | {"surplus": rows["sum"]}, "undeclared columns surplus"),
    "no entity": (
        lambda rows: {name: rows[name] for name in rows if name != "player_lookup"},
        "without the columns player_lookup",
    ),
    "no date": (
        lambda rows: {name: rows[name] for name in rows if name != "game_date"},
        "without the columns game_date",
    ),
    "another length": (lambda rows: rows | {"sum": rows["sum"][:-1]}, "another length or type than declared: sum"),
    "two dimensions": (
        lambda rows: rows | {"sum": np.column_stack([rows["sum"], rows["sum"]])},
        "another length or type than declared: sum",
    ),
    "a list": (lambda rows: rows | {"sum": rows["sum"].tolist()}, "another length or type than declared: sum"),
    "a scalar": (lambda rows: rows | {"sum": 1.0}, "another length or type than declared: sum"),
    "texts for numbers": (
        lambda rows: rows | {"sum": np.full(len(rows["sum"]), "x", dtype=object)},
        "another length or type than declared: sum",
    ),
    "numbers for dates": (
        lambda rows: rows | {"game_date": rows["game_date"].astype(np.int64)},
        "another length or type than declared: game_date",
    ),
    "somebody else": (
        lambda rows: rows | {"player_lookup": np.full(len(rows["sum"]), "player000", dtype=object)},
        "rows of entities that were not requested: player000",
    ),
    "nobody": (
        lambda rows: rows | {"player_lookup": np.full(len(rows["sum"]), None, dtype=object)},
        "rows of entities that were not requested: None",
    ),
}
DECLARED = {"player_lookup": "OU", "game_date": "M", "sum": "fiub", "games": "fiub"}


class Changed:
    """Computes well, but for one player, whose answer is changed."""

    def __init__(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.change = change

    def __call__(self, mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
        outcome = rows_of(mine, histories, shared)
        return Outcome(self.change(dict(outcome.rows))) if is_odd(mine) else outcome


@pytest.mark.parametrize("wrong", WRONG_ANSWERS)
def test_a_wrong_answer_is_the_failure_of_its_entity_alone(wrong: str) -> None:
    change, complaint = WRONG_ANSWERS[wrong]
    with workers(2) as entities:
        outcome = entities.map("players", Each(Changed(change)), requested(), {"past": past()}, 0.1, columns=DECLARED)
    expected = mapped(ParallelEntities.serial()).rows
    assert bits(outcome.rows) == bits(take(expected, expected["player_lookup"] != ODD_ONE))
    assert [*zip(outcome.failures["entity_id"], outcome.failures["partition_date"], strict=True)] == [
        (ODD_ONE, day) for day in DAYS.tolist()
    ]
    assert complaint in outcome.failures["failure_reason"][0]


def test_undeclared_columns_are_the_same_for_all_or_an_error() -> None:
    """They belong to the compute function, not to an entity."""

    def compute(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
        outcome = rows_of(mine, histories, shared)
        return Outcome({**outcome.rows, "surplus": mine["game_date"]}) if is_odd(mine) else outcome

    with pytest.raises(ValueError, match="gave some entities other columns than others: surplus"):
        mapped(workers(2, chunk=1), compute)


def swapped(requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
    """Everybody's rows, but for those of two players under each other's name."""
    names = requested["player_lookup"].copy()
    names[requested["player_lookup"] == "player001"] = ODD_ONE
    return Outcome({**requested, "player_lookup": names})


def test_a_row_under_the_name_of_another_requested_entity_is_found() -> None:
    with ParallelEntities.serial() as entities:
        outcome = entities.map("players", swapped, requested())
    assert sorted(set(outcome.failures["entity_id"])) == ["player001"]
    assert (
        set(outcome.failures["failure_reason"].tolist()).pop().startswith("ValueError: the compute function gave rows")
    )
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)


def test_rows_and_failures_may_be_given_in_any_order() -> None:
    def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
        backwards = take(requested, np.arange(len(requested.dates))[::-1])
        lost = backwards["game_date"] < DAYS[2]
        names, days = backwards["player_lookup"][lost], backwards["game_date"][lost]
        failed = failures(names, days, "PLAYER", "INSUFFICIENT_DATA", "few", can_retry=True)
        return Outcome(take(backwards, ~lost), failed)

    with workers(2, chunk=50) as entities:
        outcome = entities.map("players", compute, requested())
    assert outcome.rows["player_lookup"].tolist() == [player for player in PLAYERS for _ in DAYS[2:]]
    assert outcome.rows["game_date"].tolist() == DAYS[2:].tolist() * len(PLAYERS)
    assert outcome.failures["entity_id"].tolist() == [player for player in PLAYERS for _ in DAYS[:2]]
    assert outcome.failures["partition_date"].tolist() == DAYS[:2].tolist() * len(PLAYERS)


@pytest.mark.parametrize("days", [1, 80])
def test_one_poisoned_date_of_590_players_costs_one_failure_and_few_calls(days: int) -> None:
    players = [f"player{number:03d}" for number in range(590)]
    dates = DAYS[0] + np.arange(days)
    names = np.repeat(np.array(players, dtype=object), days)
    batch = Grouped.by({"player_lookup": names, "game_date": np.tile(dates, 590)}, "player_lookup", "game_date")
    for player, day in (("player000", dates[0]), ("player311", dates[days // 2]), ("player589", dates[-1])):
        calls: list[int] = []

        def compute(
            requested: Grouped, histories: Mapping[str, Grouped], shared: Any, poison: Any = (player, day, calls)
        ) -> Outcome:
            who, when, seen = poison
            seen.append(len(requested.dates))
            if ((requested["player_lookup"] == who) & (requested["game_date"] == when)).any():
                raise ValueError("the shot clock broke")
            return Outcome(dict(requested))

        with workers(2, chunk=590) as entities:
            outcome = entities.map("players", compute, batch)
        assert len(calls) <= 2 * (math.ceil(math.log2(590)) + math.ceil(math.log2(days))) + 1
        assert (outcome.failures["entity_id"].tolist(), outcome.failures["partition_date"].tolist()) == (
            [player],
            [day],
        )
        kept = (names != player) | (batch["game_date"] != day)
        assert bits(outcome.rows) == bits(take(batch, kept))


@pytest.mark.parametrize("backend", LOCAL)
def test_little_work_is_done_by_the_calling_thread(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """And more of it is shared; only of processes it is worth a line that they are not used."""
    is_process = backend is Backend.processes
    own = os.getpid() if is_process else threading.get_ident()
    batch, lines = requested(), list[str]()
    for worth, alone in ((len(batch.dates) // 2 + 1, True), (len(batch.dates) // 2, False)):
        monkeypatch.setitem(parallel.WORTH_A_WORKER, backend, worth)
        with workers(2, backend, chunk=None) as entities:
            outcome = entities.map("players", Each(who_works), batch, shared=is_process, log=lines.append)
        assert (set(outcome.rows["worker"]) == {own}) == alone
    assert [line for line in lines if "processes" in line] == [
        "600 rows of players are too few for processes; this process computes them"
    ] * is_process


@pytest.mark.parametrize(
    ("count", "rows", "sizes"),
    [
        (1, 600, [120]),
        (2, 600, [120]),
        (2, 300, [60, 60]),
        (3, 200, [40, 40, 40]),
        (10, 150, [30, 30, 30, 30]),
        (2, 10, [60, 60]),
    ],
)
def test_each_worker_has_one_chunk_where_that_pays(
    count: int, rows: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parallel.WORTH_A_WORKER, Backend.threads, rows)
    seen: list[int] = []

    def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
        seen.append(len(requested.entities))
        return Outcome(dict(requested))

    for entities in (
        workers(count, chunk=None),
        replace(workers(count, chunk=None), players=Workers(count, enabled=False)),
    ):
        with entities:
            entities.map("players", compute, requested())
    assert seen == [*sizes, 120]


@pytest.mark.parametrize(
    "entities",
    [ParallelEntities.serial(), workers(2, chunk=None), processes(chunk=None)],
    ids=["serial", "threads", "processes"],
)
def test_large_work_comes_in_several_chunks_even_for_one(
    entities: ParallelEntities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a chunk takes of memory is bounded, and progress is told between chunks; that alone starts no worker."""
    monkeypatch.setattr(parallel, "CHUNK_ROWS", 200)
    lines: list[str] = []

    def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
        lines.append(f"{len(requested.entities)} computed")
        return Outcome(dict(requested))

    with entities:
        entities.map("players", compute, requested(), log=lines.append)
    lines = [line for line in lines if "processes" not in line]
    assert [line.split(" | ")[0] for line in lines[1:-1]] == [
        "40 computed",
        "40 computed",
        "Entity processing progress: 50/120",
        "40 computed",
        "Entity processing progress: 100/120",
    ]


def test_histories_are_those_of_the_requested_entities_by_the_same_numbers() -> None:
    """Also of entities without any history."""
    seen: list[tuple[Any, ...]] = []

    def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any) -> Outcome:
        seen.append((requested.entities, histories["past"].entities, histories["past"].sizes.tolist()))
        return Outcome(dict(requested))

    with workers(2, chunk=50) as entities:
        entities.map("players", compute, requested(), {"past": past()})
    assert {mine for mine, _, _ in seen} == {tuple(PLAYERS[:50]), tuple(PLAYERS[50:100]), tuple(PLAYERS[100:])}
    for mine, theirs, sizes in seen:
        assert mine == theirs
        assert sizes == [len(past().of(player)["points"]) for player in mine]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda failed: {name: failed[name] for name in failed if name != "can_retry"},
            "failure records of other columns",
        ),
        (lambda failed: failed | {"can_retry": failed["can_retry"][:-1]}, "or of unequal lengths"),
        (
            lambda failed: failed | {"entity_id": np.full(len(failed["can_retry"]), "player000", dtype=object)},
            "entities that were not requested: player000",
        ),
        (
            lambda failed: failed | {"failure_category": np.full(len(failed["can_retry"]), "BAD_LUCK", dtype=object)},
            "unknown categories: BAD_LUCK",
        ),
        (lambda failed: failed | {"partition_date": failed["partition_date"] + 100}, "no row and no failure"),
    ],
    ids=["columns", "lengths", "somebody else", "category", "dates"],
)
def test_a_failure_record_is_held_to_the_same(change: Any, complaint: str) -> None:
    def compute(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
        outcome = one_lacks(mine, histories, shared)
        return Outcome(outcome.rows, change(dict(outcome.failures))) if outcome.failures else outcome

    outcome = mapped(workers(2), compute)
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)
    assert set(outcome.failures["failure_category"]) == {"PROCESSING_ERROR"}
    assert all(complaint in reason for reason in outcome.failures["failure_reason"])


def test_a_stated_failure_is_passed_on_as_it_is() -> None:
    outcome = mapped(workers(2), one_lacks)
    assert set(outcome.failures["failure_category"]) == {"INSUFFICIENT_DATA"}
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)


@each_back_end
@pytest.mark.parametrize("signal_", [KeyboardInterrupt, SystemExit, MemoryError])
def test_an_interrupt_an_exit_or_no_memory_left_is_nobodys_failure(
    entities: ParallelEntities, signal_: type[BaseException]
) -> None:
    with pytest.raises(signal_):
        mapped(entities, one_interrupts, shared=signal_)


def test_killed_workers_cost_only_the_players_who_kill_them() -> None:
    with processes(chunk=5) as entities:
        outcome = entities.map("players", Each(several_kill), requested(), {"past": past()}, 0.1)
        again = entities.map("players", Each(rows_of), requested(), {"past": past()}, 0.1)
        warm = [entities.map("players", Each(who_works), requested(), shared=True).rows["worker"] for _ in range(2)]
    killers = [ODD_ONE, "player008", "player111"]
    assert outcome.failures["entity_id"].tolist() == [killer for killer in killers for _ in DAYS]
    assert outcome.failures["partition_date"].tolist() == DAYS.tolist() * 3
    assert set(outcome.failures["failure_category"]) == {"PROCESSING_ERROR"}
    assert "died" in outcome.failures["failure_reason"][0]
    expected = mapped(ParallelEntities.serial()).rows
    assert bits(outcome.rows) == bits(take(expected, ~np.isin(expected["player_lookup"].astype(str), killers)))
    assert bits(again.rows) == bits(expected)
    assert len(np.unique(warm)) <= 2, "the pool that broke was not built anew"


def test_processes_that_look_into_a_death_end_with_the_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Executor] = []

    def noted_start(backend: Backend, count: int, preload: Sequence[str] = ()) -> Executor:
        started.append(executor_for(backend, count, preload))
        return started[-1]

    monkeypatch.setattr(remote, "executor_for", noted_start)
    assert not mapped(processes(), one_kills_once, shared=tmp_path / "killed").failure_count
    left = [process for pool in started for process in (getattr(pool, "_processes", None) or {}).values()]
    assert not any(process.is_alive() for process in left)
    assert len(started) > 1


def test_a_worker_that_dies_once_costs_nobody(tmp_path: Path) -> None:
    outcome = mapped(processes(), one_kills_once, shared=tmp_path / "died")
    assert (tmp_path / "died").exists()
    assert (outcome.row_count, outcome.failure_count) == (len(PLAYERS) * len(DAYS), 0)


@pytest.mark.parametrize("entities", [ParallelEntities.serial(), processes(chunk=40)], ids=["serial", "processes"])
def test_players_who_hang_are_failures_and_the_others_are_computed(entities: ParallelEntities) -> None:
    outcome = mapped(replace(entities, chunk_seconds=0.5), several_hang)
    assert outcome.failures["entity_id"].tolist() == [player for player in HANGING for _ in DAYS]
    assert outcome.failures["partition_date"].tolist() == DAYS.tolist() * 3
    assert set(outcome.failures["failure_category"]) == {"PROCESSING_ERROR"}
    (reason,) = {re.sub(r":\d+", "", reason) for reason in outcome.failures["failure_reason"]}
    assert reason == "the computation of this entity did not finish within 0.5 s (several_hang test_parallel.py)"
    expected = mapped(ParallelEntities.serial()).rows
    assert bits(outcome.rows) == bits(take(expected, ~np.isin(expected["player_lookup"].astype(str), HANGING)))


def test_a_player_who_hangs_once_costs_nobody(tmp_path: Path) -> None:
    outcome = mapped(replace(processes(), chunk_seconds=0.5), one_hangs_once, shared=tmp_path / "hung")
    assert (tmp_path / "hung").exists()
    assert (outcome.row_count, outcome.failure_count) == (len(PLAYERS) * len(DAYS), 0)


def test_in_threads_the_map_ends_and_names_who_hangs() -> None:
    entities = replace(workers(2, chunk=40), chunk_seconds=0.3)
    with entities, pytest.raises(UnfinishedError) as unfinished:
        entities.map("players", Each(several_hang), requested(), {"past": past()})
    named = re.match(r"the computation of (.+) did not finish within 0\.3 s, and a thread", str(unfinished.value))
    assert named is not None
    assert {re.sub(r":\d+\)", ")", name) for name in named[1].split(", ")} <= {
        f"40 entities from player{first:03d} to player{first + 39:03d} (several_hang test_parallel.py)"
        for first in (0, 80)
    }


def test_threads_that_hang_do_not_keep_the_process_from_ending() -> None:
    script = (
        "from nba_assets_tests.entities.test_parallel import *\n"
        "with replace(workers(2), chunk_seconds=0.3) as entities:\n"
        "    entities.map('players', Each(several_hang), requested(), {'past': past()})\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "UnfinishedError" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "entities", [ParallelEntities.serial(), workers(2), processes()], ids=["serial", "threads", "processes"]
)
def test_who_ends_in_time_is_not_bothered_by_the_bound(entities: ParallelEntities) -> None:
    """Also not by that of an earlier map of the same workers."""
    with replace(entities, chunk_seconds=0.5) as bounded:
        for _ in range(2):
            assert bounded.map("players", Each(rows_of), requested(), {"past": past()}, 0.1).failure_count == 0
        time.sleep(0.7)
        assert bounded.map("players", Each(rows_of), requested(), {"past": past()}, 0.1).failure_count == 0


def test_an_interrupted_map_waits_for_no_worker(tmp_path: Path) -> None:
    def interrupt() -> None:
        until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt, daemon=True).start()
        with processes() as entities, pytest.raises(KeyboardInterrupt):
            entities.map("players", Each(sleeps), requested(), shared=tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not any(psutil.pid_exists(int(path.stem)) for path in tmp_path.glob("*.pid"))


def test_folders_of_killed_processes_are_removed_and_those_of_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    host, number, _ = this_process().rsplit(":", 2)
    gone, other = f"nba-assets-{host}:{number}:1.00-a_b-c", "nba-assets-another-host:1:1.00-abc"
    for name in (gone, other, "nba-assets-abc"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "broadcast.pickle").touch()
    with Broadcast.of("content") as broadcast:
        remove_leftovers()
        assert broadcast.opened() == "content"
        assert {path.name for path in tmp_path.iterdir()} == {other, "nba-assets-abc", broadcast.folder.name}
    assert not broadcast.folder.exists()


@pytest.mark.parametrize("backend", LOCAL)
def test_workers_stay_warm_from_map_to_map(backend: Backend) -> None:
    with workers(2, backend) as entities:
        first, second = (
            set(
                entities.map("players", Each(who_works), requested(), shared=backend is Backend.processes).rows[
                    "worker"
                ]
            )
            for _ in range(2)
        )
    assert 1 <= len(first | second) <= 2
    assert not {os.getpid(), threading.get_ident()} & (first | second)


def test_workers_that_died_between_two_maps_cost_nobody() -> None:
    with processes() as entities:
        expected = entities.map("players", Each(rows_of), requested(), {"past": past()}, 0.1)
        pool = cast(ProcessPoolExecutor, entities._pools["players"])
        for process in [*pool._processes.values()]:
            process.kill()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not pool._broken and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(BrokenProcessPool):
            pool.submit(os.getpid)
        found = entities.map("players", Each(rows_of), requested(), {"past": past()}, 0.1)
    assert bits(found.rows) == bits(expected.rows)
    assert not found.failure_count


def test_closing_ends_the_worker_processes() -> None:
    with processes() as entities:
        pids = set(entities.map("players", Each(who_works), requested(), shared=True).rows["worker"].tolist())
        assert all(psutil.pid_exists(pid) for pid in pids)
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_what_is_shared_is_sent_once_to_each_worker(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with processes(chunk=3) as entities:
        for maps in (1, 2):
            found = set(
                entities.map("players", Each(who_works), requested(), shared=Unpacked(notes)).rows["worker"].tolist()
            )
            unpacked = [int(line) for line in notes.read_text().split()]
            assert set(unpacked) >= found
            assert all(unpacked.count(pid) <= maps for pid in unpacked)


def test_killing_the_parent_leaves_no_worker_behind(tmp_path: Path) -> None:
    """Neither a worker in the midst of its work nor the server that started it."""
    script = tmp_path / "parent.py"
    script.write_text(
        "from nba_assets_tests.entities.test_parallel import *\n"
        "def main():\n"
        "    with processes() as entities:\n"
        "        entities.map('players', Each(sleeps), requested(), shared=Path(sys.argv[1]))\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, str(script), str(tmp_path)], env=environment) as parent:
        try:
            until(lambda: len(list(tmp_path.glob("*.pid"))) == 2 or parent.poll() is not None)
            family = psutil.Process(parent.pid).children(recursive=True)
        finally:
            parent.kill()
    assert {int(path.stem) for path in tmp_path.glob("*.pid")} <= {process.pid for process in family}
    until(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family))


def sleeps(mine: Columns, histories: Mapping[str, Columns], shared: Path) -> Outcome:
    (shared / f"{os.getpid()}.pid").touch()
    time.sleep(3 * PATIENCE_SECONDS)
    return Outcome(dict(mine))


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_nothing_requested_is_nothing_computed() -> None:
    nothing = requested([])
    lines: list[str] = []
    for entities in (ParallelEntities.serial(), workers(2), processes()):
        with entities:
            assert entities.map("players", Each(rows_of), nothing, {"past": past()}, log=lines.append).row_count == 0
    assert lines[-2:] == [
        "Processing 0 players with 2 workers (parallel mode)",
        "Completed 0 players in 0.0s (avg 0.00s/player) | 0 failed",
    ]


@pytest.mark.parametrize(
    ("entities", "mode"),
    [
        (ParallelEntities.serial(), "(serial mode)"),
        (workers(2), "with 2 workers (parallel mode)"),
        (workers(2, chunk=1000), "with 2 workers (parallel mode)"),
        (workers(3, chunk=7), "with 3 workers (parallel mode)"),
        (processes(), "with 2 workers (parallel mode)"),
    ],
    ids=["serial", "threads", "one chunk", "odd chunks", "processes"],
)
@pytest.mark.parametrize(("size", "told"), [(120, [50, 100]), (100, [50, 100]), (49, [])])
def test_progress_is_told_in_three_kinds_of_lines(
    entities: ParallelEntities, mode: str, size: int, told: list[int]
) -> None:
    lines: list[str] = []
    with entities:
        entities.map("players", Each(one_raises), requested(PLAYERS[:size]), {"past": past()}, 0.1, lines.append)
    assert lines[0] == f"Processing {size} players {mode}"
    progress = [
        re.fullmatch(r"Entity processing progress: (\d+)/(\d+) \| Rate: \d+\.\d entities/sec \| ETA: \d+\.\dmin", line)
        for line in lines[1:-1]
    ]
    assert [match and match.groups() for match in progress] == [(str(number), str(size)) for number in told]
    assert re.fullmatch(rf"Completed {size - 1} players in \d+\.\ds \(avg \d+\.\d\ds/player\) \| 1 failed", lines[-1])


@pytest.mark.parametrize(("kind", "mode"), [("players", "(serial mode)"), ("teams", "with 3 workers (parallel mode)")])
def test_players_and_teams_are_switched_each_for_itself(kind: EntityKind, mode: str) -> None:
    lines: list[str] = []
    with ParallelEntities(Workers(10, enabled=False), Workers(3)) as entities:
        outcome = entities.map(kind, Each(one_raises), requested(), {"past": past()}, 0.1, lines.append)
    assert lines[0] == f"Processing 120 {kind} {mode}"
    assert lines[-1].startswith(f"Completed 119 {kind} in ")
    assert outcome.failures["entity_type"].tolist() == [kind.upper().removesuffix("S")]


def test_workers_log_nothing_themselves() -> None:
    """Dagster loses what other threads and processes log."""
    threads: list[int] = []
    mapped(workers(10), log=lambda _: threads.append(threading.get_ident()))
    assert set(threads) == {threading.get_ident()}


def test_workers_need_no_dagster() -> None:
    """It would cost every worker process a second to start."""
    check = (
        "import sys, nba_assets.entities.parallel, nba_assets.entities.completeness; sys.exit('dagster' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
