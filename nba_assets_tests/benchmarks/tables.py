"""What each of the ten tables costs: reading, computing and writing it, and computing alone, serial, in threads and in
processes; and how costs grow with dates, players and seasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial

from nba_assets.entities.parallel import ParallelEntities, Workers
from nba_assets.registry import TABLE_MODULES
from nba_assets.settings import Backend, Settings
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.benchmarks.comparison import compute_cost, set_based_costs
from nba_assets_tests.benchmarks.inputs import DATE_OF, Inputs, MeasuredEntities, serial
from nba_assets_tests.benchmarks.measure import Spent, in_turn, timed
from nba_assets_tests.pipeline import one_connection, prepared, table_run

WHOLE, SERIAL, THREADS, PROCESSES = "read, compute, write", "serial", "threads", "processes"


@dataclass(frozen=True)
class TableCosts:
    """Rows and failures of a table over some dates, and medians of what it cost."""

    name: str
    rows: int
    failures: int
    spent: Mapping[str, Spent]


def table_costs(warehouse: DuckDBWarehouse, dates: Sequence[date], repeats: int) -> list[TableCosts]:
    """Every table over the dates, upstream first."""
    with one_connection(warehouse), ExitStack() as stack:
        workers = _workers()
        for entities in workers.values():
            stack.enter_context(entities)
        return [_costs(warehouse, name, dates, repeats, workers) for name in TABLE_MODULES]


def _workers() -> dict[str, MeasuredEntities]:
    """As many workers as a user has who sets nothing."""
    settings = Settings.from_environment({})
    players, teams = Workers(settings.player_workers), Workers(settings.team_workers)
    return {
        SERIAL: serial(),
        THREADS: MeasuredEntities(players, teams, Backend.threads),
        PROCESSES: MeasuredEntities(players, teams, Backend.processes),
    }


def _costs(
    warehouse: DuckDBWarehouse,
    name: str,
    dates: Sequence[date],
    repeats: int,
    workers: Mapping[str, MeasuredEntities],
) -> TableCosts:
    inputs = Inputs.read(warehouse, name, dates)
    outcome = inputs.build(ParallelEntities.serial())
    contenders: dict[str, Callable[[], Spent]] = {
        WHOLE: timed(lambda: prepared(table_run(warehouse, name, dates)).write())
    }
    contenders |= {kind: partial(compute_cost, inputs, entities) for kind, entities in workers.items()}
    return TableCosts(name, outcome.row_count, outcome.failure_count, in_turn(contenders, repeats))


Growth = Mapping[str, Mapping[str, Spent]]
"""What `DATE_OF`'s three tables cost together, by size and by who computes them."""


def growth_over_dates(warehouse: DuckDBWarehouse, spans: Mapping[str, Sequence[date]], repeats: int) -> Growth:
    """Of so many dates."""
    return {label: set_based_costs(_inputs(warehouse, dates), repeats) for label, dates in spans.items()}


def growth_over_players(
    warehouse: DuckDBWarehouse, dates: Sequence[date], times: Sequence[int], repeats: int
) -> Growth:
    """Of so many times the players."""
    inputs = _inputs(warehouse, dates)
    return {
        f"x {number}": set_based_costs({name: one.with_players(number) for name, one in inputs.items()}, repeats)
        for number in times
    }


def _inputs(warehouse: DuckDBWarehouse, dates: Sequence[date]) -> dict[str, Inputs]:
    return {name: Inputs.read(warehouse, name, dates) for name in DATE_OF}
