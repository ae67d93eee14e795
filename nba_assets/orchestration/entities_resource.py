"""The parallel-entity resource: one set of workers that every table's asset shares within a run.

The launchpad's configuration beats the environment, which beats the defaults; both are read when the run starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import dagster as dg
from pydantic import Field, PrivateAttr

from nba_assets.entities.executors import remove_leftovers
from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.settings import Backend, Settings

T = TypeVar("T")


class ParallelEntitiesResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Workers for players and teams; what is not given here comes from the environment."""

    players_workers: int | None = Field(
        default=None, ge=1, description="Workers for players; NBA_ASSETS_PLAYER_WORKERS where not given"
    )
    teams_workers: int | None = Field(
        default=None, ge=1, description="Workers for teams; NBA_ASSETS_TEAM_WORKERS where not given"
    )
    players_enabled: bool | None = Field(
        default=None, description="Players in parallel; ENABLE_PLAYER_PARALLELIZATION where not given"
    )
    teams_enabled: bool | None = Field(
        default=None, description="Teams in parallel; ENABLE_TEAM_PARALLELIZATION where not given"
    )
    backend: Backend | None = Field(
        default=None, description="threads, processes or dask; NBA_ASSETS_PARALLEL_BACKEND where not given"
    )
    chunk_entities: int | None = Field(
        default=None, ge=1, description="Entities per chunk; by default one chunk per worker, fewer of few rows"
    )

    _parallel_entities: ParallelEntities | None = PrivateAttr(default=None)

    @property
    def parallel_entities(self) -> ParallelEntities:
        """The workers of this run."""
        if self._parallel_entities is None:
            raise RuntimeError("the parallel-entity resource is used outside a run; Dagster starts it with the run")
        return self._parallel_entities

    def configured(self) -> ParallelEntities:
        """Workers by this configuration and the environment; none is started yet."""
        settings = Settings.from_environment()
        return ParallelEntities(
            Workers(
                _given(self.players_workers, settings.player_workers),
                _given(self.players_enabled, settings.enable_player_parallelization),
            ),
            Workers(
                _given(self.teams_workers, settings.team_workers),
                _given(self.teams_enabled, settings.enable_team_parallelization),
            ),
            self.backend or settings.parallel_backend,
            self.chunk_entities,
            settings.chunk_seconds,
            settings.dask_scheduler,
        )

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["ParallelEntitiesResource"]:  # noqa: ARG002
        """Start with the run, end with it."""
        remove_leftovers()
        with self.configured() as workers:
            self._parallel_entities = workers
            try:
                yield self
            finally:
                self._parallel_entities = None


def _given(value: T | None, otherwise: T) -> T:
    return otherwise if value is None else value
