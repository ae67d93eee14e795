"""The parallel resource: same bits whoever works, failures that stay where they are, workers that may die."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import dagster as dg
import numpy as np
import pytest

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures
from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.entities.resource import ParallelEntitiesResource
from nba_assets.settings import Backend
from nba_assets.tables.spec import Columns

PLAYERS = [f"player{number:03d}" for number in range(120)]
DAYS = np.arange("2021-10-19", "2021-10-24", dtype="M8[D]")


def asked() -> Grouped:
    """Every player on every day, in no order."""
    order = np.random.default_rng(7).permutation(len(PLAYERS) * len(DAYS))
    players, days = np.repeat(np.array(PLAYERS, dtype=object), len(DAYS)), np.tile(DAYS, len(PLAYERS))
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


def rows_of(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    points = histories["past"]["points"]
    return Outcome(
        {**mine, "sum": np.full(len(mine["game_date"]), points.sum() * shared), "games": np.full(len(mine["game_date"]), float(len(points)))}
    )


def one_raises(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if mine["player_lookup"][0] == "player007" and DAYS[2] in mine["game_date"]:
        raise ValueError("the shot clock broke")
    return rows_of(mine, histories, shared)


def one_kills(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if mine["player_lookup"][0] == "player007":
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(mine, histories, shared)


def one_forgets(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    kept = mine["game_date"] != DAYS[1] if mine["player_lookup"][0] == "player007" else np.ones(len(mine["game_date"]), dtype=bool)
    return Outcome({name: values[kept] for name, values in mine.items()})


def one_lacks(mine: Columns, histories: Mapping[str, Columns], shared: Any) -> Outcome:
    if mine["player_lookup"][0] == "player007":
        return Outcome({}, failures(mine["player_lookup"], mine["game_date"], "PLAYER", "INSUFFICIENT_DATA", "no games", can_retry=True))
    return rows_of(mine, histories, shared)


def workers(count: int, backend: Backend = Backend.threads) -> ParallelEntities:
    return ParallelEntities(Workers(count), Workers(count), backend)


def mapped(entities: ParallelEntities, compute: Any = rows_of, log: Any = None) -> Outcome:
    with entities:
        return entities.map("players", compute, asked(), {"past": past()}, 0.1, log or (lambda _: None))


@pytest.mark.parametrize(
    "entities",
    [workers(1), workers(2), workers(10), workers(2, Backend.processes), ParallelEntities(Workers(3), Workers(1), chunk_entities=7)],
    ids=["1 thread", "2 threads", "10 threads", "2 processes", "odd chunks"],
)
def test_whoever_works_the_bits_are_those_of_serial(entities: ParallelEntities) -> None:
    expected, found = mapped(ParallelEntities.serial()).rows, mapped(entities).rows
    assert expected.keys() == found.keys()
    assert found["player_lookup"].tolist() == [player for player in PLAYERS for _ in DAYS]
    for name in expected:
        assert found[name].tobytes() == expected[name].tobytes() if found[name].dtype != object else found[name].tolist() == expected[name].tolist()


@pytest.mark.parametrize("entities", [ParallelEntities.serial(), workers(2), workers(2, Backend.processes)], ids=["serial", "threads", "processes"])
def test_a_raising_player_costs_only_his_raising_date(entities: ParallelEntities) -> None:
    outcome = mapped(entities, one_raises)
    assert outcome.row_count == len(PLAYERS) * len(DAYS) - 1
    assert outcome.failures["entity_id"].tolist() == ["player007"]
    assert outcome.failures["partition_date"].tolist() == [DAYS[2].item()]
    assert outcome.failures["failure_category"].tolist() == ["PROCESSING_ERROR"]
    assert outcome.failures["failure_reason"][0].startswith("ValueError: the shot clock broke (one_raises test_parallel.py:")
    assert outcome.failures["can_retry"].tolist() == [1.0]


def test_a_killed_worker_costs_only_the_player_who_kills_it() -> None:
    outcome = mapped(workers(2, Backend.processes), one_kills)
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)
    assert set(outcome.failures["entity_id"]) == {"player007"}
    assert outcome.failure_count == len(DAYS)
    assert "died" in outcome.failures["failure_reason"][0]


def test_a_date_without_row_or_failure_is_an_error_of_the_compute_function() -> None:
    outcome = mapped(workers(2), one_forgets)
    assert outcome.failures["entity_id"].tolist() == ["player007"]
    assert "2021, 10, 20" in outcome.failures["failure_reason"][0]


def test_a_stated_failure_is_passed_on_as_it_is() -> None:
    outcome = mapped(workers(2), one_lacks)
    assert set(outcome.failures["failure_category"]) == {"INSUFFICIENT_DATA"}
    assert outcome.row_count == (len(PLAYERS) - 1) * len(DAYS)


def test_an_interrupt_is_not_taken_for_a_failure() -> None:
    def interrupted(*_: Any) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mapped(ParallelEntities.serial(), interrupted)


def test_nothing_asked_is_nothing_computed() -> None:
    nothing = Grouped.by({"player_lookup": np.array([], dtype=object), "game_date": DAYS[:0]}, "player_lookup", "game_date")
    with workers(2) as entities:
        assert entities.map("players", rows_of, nothing, {"past": past()}).row_count == 0


@pytest.mark.parametrize(
    ("entities", "mode"),
    [(workers(2), "Processing 120 players with 2 workers (parallel mode)"), (ParallelEntities.serial(), "Processing 120 players (serial mode)")],
)
def test_progress_is_told_in_three_kinds_of_lines(entities: ParallelEntities, mode: str) -> None:
    lines: list[str] = []
    mapped(entities, one_raises, lines.append)
    assert lines[0] == mode
    assert all(line.startswith("Entity processing progress: ") and "/120 | Rate: " in line for line in lines[1:-1])
    assert lines[1:-1]
    assert lines[-1].startswith("Completed 119 players in ")
    assert lines[-1].endswith("s/player) | 1 failed")


@pytest.mark.parametrize(
    ("environment", "config", "expected"),
    [
        ({}, {}, True),
        ({"ENABLE_PLAYER_PARALLELIZATION": "false"}, {}, False),
        ({"ENABLE_PLAYER_PARALLELIZATION": "false"}, {"players_enabled": True}, True),
    ],
    ids=["default", "environment beats default", "launchpad beats environment"],
)
def test_who_decides_on_parallelism(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], config: dict[str, Any], expected: bool) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    @dg.op
    def ask(entities: ParallelEntitiesResource) -> bool:
        return entities.parallel_entities.players.enabled

    @dg.job(resource_defs={"entities": ParallelEntitiesResource.configure_at_launch()})
    def asking() -> None:
        ask()

    result = asking.execute_in_process(run_config={"resources": {"entities": {"config": config}}}, instance=dg.DagsterInstance.ephemeral())
    assert result.output_for_node("ask") is expected


def test_grouping_cuts_each_entity_out_in_order_of_date() -> None:
    grouped = Grouped.by(
        {
            "team": np.array(["LAL", None, "BOS", "LAL"], dtype=object),
            "day": np.array(["2021-10-21", "2021-10-19", "2021-10-20", "2021-10-19"], dtype="M8[D]"),
            "points": np.array([1.0, 2.0, 3.0, 4.0]),
        },
        "team",
        "day",
    )
    assert grouped.entities == ("BOS", "LAL")
    assert grouped.of("LAL")["points"].tolist() == [4.0, 1.0]
    assert grouped.of("MIA")["points"].tolist() == []
    assert grouped.chunk(["LAL"]).of("LAL")["points"].tolist() == [4.0, 1.0]
