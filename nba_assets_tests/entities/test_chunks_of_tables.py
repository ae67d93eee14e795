"""No compute function mixes entities: what it gives of one has the same bits whoever is computed with it, in whatever
order, by whatever workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from nba_assets.entities.chunks import Compute
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, take
from nba_assets.entities.parallel import EntityKind, ParallelEntities, Workers
from nba_assets.raw.sample_league import write_season
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Backend
from nba_assets.tables.spec import Columns
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import build, days_between, ingest_all

FIRST, LAST = date(2024, 10, 22), date(2024, 11, 12)
HELPERS = ("stars", "team_facts", "team_form", "team_form")
"""Computed beside the tables; the form of teams once for each of two tables."""
Bits = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One map of a run: what is computed, and of what."""

    kind: EntityKind
    compute: Compute
    requested: Grouped
    histories: dict[str, Grouped]
    shared: Any

    @property
    def name(self) -> str:
        return self.compute.__module__.rpartition(".")[2]

    def of(self, entities: Sequence[str]) -> dict[str, tuple[Bits, Bits]]:
        """The rows and failures of each of some entities, computed together in the order given."""
        histories = {name: arranged(rows, entities) for name, rows in self.histories.items()}
        outcome = self.compute(arranged(self.requested, entities), histories, self.shared)
        column = self.requested.entity_column
        return {
            entity: (bits_of(outcome.rows, column, entity), bits_of(outcome.failures, "entity_id", entity))
            for entity in entities
        }

    @cached_property
    def alone(self) -> dict[str, tuple[Bits, Bits]]:
        """The slow way: every entity in a call of its own."""
        return {entity: found for each in self.requested.entities for entity, found in self.of([each]).items()}

    def map(self, entities: ParallelEntities) -> Outcome:
        return entities.map(self.kind, self.compute, self.requested, self.histories, self.shared)


def arranged(rows: Grouped, entities: Sequence[str]) -> Grouped:
    """The rows of some entities, in any order of the entities."""
    places, bounds = rows.rows_of(rows.numbers(entities))
    return replace(rows, columns=take(rows, places), bounds=bounds, entities=tuple(entities)).read_only()


def bits(columns: Columns) -> Bits:
    return {
        name: values.tolist() if values.dtype == object else (values.dtype, values.tobytes())
        for name, values in columns.items()
    }


def bits_of(columns: Columns, entity_column: str, entity: str) -> Bits:
    """An entity's rows, ascending by date; nothing where there are none."""
    if not columns or entity not in columns[entity_column]:
        return {}
    return bits(take(columns, columns[entity_column] == entity))


@dataclass
class Recording(ParallelEntities):
    """Serial workers that remember what is mapped."""

    calls: list[Call] = field(default_factory=list)

    def map(
        self,
        kind: EntityKind,
        compute: Compute,
        requested: Grouped,
        histories: Any = None,
        shared: Any = None,
        log: Any = lambda _: None,
        columns: Any = None,
    ) -> Outcome:
        self.calls.append(Call(kind, compute, requested, dict(histories or {}), shared))
        return super().map(kind, compute, requested, histories, shared, log, columns)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """What the ten tables compute of three weeks of the simulated league."""
    folder, warehouse, days = tmp_path_factory.mktemp("league"), MemoryWarehouse(), days_between(FIRST, LAST)
    write_season(folder, 2024, **SMALL_LEAGUE)
    ingest_all(warehouse, folder, days)
    recording = Recording(Workers(1, enabled=False), Workers(1, enabled=False))
    build(warehouse, days, entities=recording)
    return recording.calls


def test_every_table_is_among_them(calls: list[Call]) -> None:
    assert sorted(call.name for call in calls) == sorted((*TABLE_MODULES, *HELPERS))
    assert all(len(call.requested.entities) > 3 for call in calls)


def test_entities_have_the_same_bits_whoever_is_computed_with_them_and_in_whatever_order(calls: list[Call]) -> None:
    random = np.random.default_rng(13)
    for call in calls:
        everybody = list(call.requested.entities)
        groups = [everybody, everybody[::-1]] + [
            random.permutation(everybody)[: random.integers(2, len(everybody))].tolist() for _ in range(6)
        ]
        for group in groups:
            for entity, found in call.of(group).items():
                assert found == call.alone[entity], (call.name, entity, group)


def test_dates_of_an_entity_have_the_same_bits_whichever_are_requested(calls: list[Call]) -> None:
    for call in calls:
        dates = call.requested.dates
        whole = call.map(ParallelEntities.serial())
        for day in np.unique(dates)[::3]:
            one = replace(call, requested=call.requested.where(dates == day)).map(ParallelEntities.serial())
            for mine, part, column in (
                (whole.rows, one.rows, call.requested.date_column),
                (whole.failures, one.failures, "partition_date"),
            ):
                expected = take(mine, mine[column] == day) if mine else {}
                assert bits(part) == (bits(expected) if part else {}), (call.name, day)
                assert part or not expected or not len(expected[column])


WORKERS = {
    "one entity a chunk": ParallelEntities(Workers(2), Workers(2), chunk_entities=1),
    "odd chunks": ParallelEntities(Workers(3), Workers(3), chunk_entities=7),
    "one chunk": ParallelEntities(Workers(10), Workers(10), chunk_entities=1000),
    "processes": ParallelEntities(Workers(2), Workers(2), Backend.processes, chunk_entities=20),
}


@pytest.mark.parametrize("workers", WORKERS)
def test_workers_and_chunks_change_no_bit(calls: list[Call], workers: str) -> None:
    with WORKERS[workers] as entities:
        for call in calls:
            serial, found = call.map(ParallelEntities.serial()), call.map(entities)
            assert bits(found.rows) == bits(serial.rows), call.name
            assert bits(found.failures) == bits(serial.failures), call.name
