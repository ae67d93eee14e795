"""The parallel-entity resource: who decides on workers, and how long they live."""

from __future__ import annotations

from typing import Any

import dagster as dg
import numpy as np
import psutil
import pytest
from pydantic import ValidationError

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.orchestration.entities_resource import ParallelEntitiesResource
from nba_assets.settings import CORES, Backend
from nba_assets_tests.entities.test_parallel import Each, requested, who_works


def started(config: dict[str, Any], resource: Any = None) -> ParallelEntities:
    """The workers that a run with this configuration gets; they are closed when the run ends."""
    found: list[ParallelEntities] = []

    @dg.op
    def ask(entities: ParallelEntitiesResource) -> None:
        found.append(entities.parallel_entities)

    @dg.job(resource_defs={"entities": resource or ParallelEntitiesResource.configure_at_launch()})
    def asking() -> None:
        ask()

    run_config = {"resources": {"entities": {"config": config}}}
    assert asking.execute_in_process(run_config=run_config, instance=dg.DagsterInstance.ephemeral()).success
    return found[0]


def facts(workers: ParallelEntities) -> tuple[Workers, Workers, Backend, int | None]:
    return workers.players, workers.teams, workers.backend, workers.chunk_entities


ENVIRONMENT = {
    "NBA_ASSETS_PLAYER_WORKERS": "7",
    "NBA_ASSETS_TEAM_WORKERS": "6",
    "ENABLE_PLAYER_PARALLELIZATION": "false",
    "ENABLE_TEAM_PARALLELIZATION": "0",
    "NBA_ASSETS_PARALLEL_BACKEND": "processes",
}
LAUNCHPAD = {
    "players_workers": 3,
    "teams_workers": 2,
    "players_enabled": True,
    "teams_enabled": True,
    "backend": "threads",
    "chunk_entities": 11,
}


@pytest.mark.parametrize(
    ("environment", "config", "expected"),
    [
        ({}, {}, (Workers(min(10, CORES)), Workers(min(5, CORES)), Backend.threads, None)),
        (ENVIRONMENT, {}, (Workers(7, enabled=False), Workers(6, enabled=False), Backend.processes, None)),
        ({}, LAUNCHPAD, (Workers(3), Workers(2), Backend.threads, 11)),
        (ENVIRONMENT, LAUNCHPAD, (Workers(3), Workers(2), Backend.threads, 11)),
        (ENVIRONMENT, {"players_enabled": True}, (Workers(7), Workers(6, enabled=False), Backend.processes, None)),
        (
            {},
            {"teams_enabled": False},
            (Workers(min(10, CORES)), Workers(min(5, CORES), enabled=False), Backend.threads, None),
        ),
    ],
    ids=[
        "default",
        "environment",
        "launchpad",
        "launchpad beats environment",
        "each for itself",
        "false is a decision too",
    ],
)
def test_launchpad_beats_environment_beats_default(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], config: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert facts(started(config)) == expected


def test_the_environment_is_read_when_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = ParallelEntitiesResource.configure_at_launch()
    monkeypatch.setenv("NBA_ASSETS_PLAYER_WORKERS", "4")
    assert started({}, resource).players == Workers(4)
    monkeypatch.setenv("NBA_ASSETS_PLAYER_WORKERS", "5")
    assert started({}, resource).players == Workers(5)


def test_workers_end_with_the_run() -> None:
    """Also with one that fails."""
    pids: list[int] = []

    @dg.op
    def work(entities: ParallelEntitiesResource) -> None:
        pids.extend(
            np.unique(
                entities.parallel_entities.map("players", Each(who_works), requested(), shared=True).rows["worker"]
            ).tolist()
        )
        assert all(psutil.pid_exists(pid) for pid in pids)
        raise RuntimeError("the arena is dark")

    @dg.job(
        resource_defs={
            "entities": ParallelEntitiesResource(backend=Backend.processes, players_workers=2, chunk_entities=15)
        }
    )
    def working() -> None:
        work()

    assert not working.execute_in_process(raise_on_error=False, instance=dg.DagsterInstance.ephemeral()).success
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_run_cannot_have_less_than_one_worker() -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        started({"players_workers": "many"})
    with pytest.raises(ValidationError, match="players_workers"):
        ParallelEntitiesResource(players_workers=0)


def test_outside_a_run_there_are_no_workers() -> None:
    with pytest.raises(RuntimeError, match="outside a run"):
        _ = ParallelEntitiesResource().parallel_entities
