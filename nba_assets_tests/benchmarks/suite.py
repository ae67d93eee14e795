"""All measurements in their order, on warehouses of their own: whole processes first, while little is in the caches of
this one, then everything from the same rows in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from nba_assets.precompute.player_daily_cache import TABLE as DAILY_CACHE
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.benchmarks import dagster_runs
from nba_assets_tests.benchmarks.comparison import Comparison, Pools, compare
from nba_assets_tests.benchmarks.dagster_runs import Process, middle, one_backfill, one_date, season_run
from nba_assets_tests.benchmarks.inputs import SUBJECTS, WORKLOAD, Inputs
from nba_assets_tests.benchmarks.measure import Spent, spent
from nba_assets_tests.benchmarks.tables import Growth, TableCosts, growth_over_dates, growth_over_players, table_costs
from nba_assets_tests.pipeline import build, days_between, ingest_all


@dataclass(frozen=True)
class Season:
    """Dates of a season, and the landing zone with its files."""

    landing: Path
    first: date
    last: date

    @property
    def dates(self) -> list[date]:
        """Every calendar day of it."""
        return days_between(self.first, self.last)


@dataclass(frozen=True)
class Plan:
    """How often everything is measured, and for which sizes."""

    repeats: int = 3
    short_repeats: int = 9
    """Of what takes milliseconds."""
    dates: Sequence[int] = (1, 7, 30)
    """Numbers of dates from the middle of the season on; the whole season is measured as well."""
    players: Sequence[int] = (1, 4)


@dataclass(frozen=True)
class Results:
    """All that was measured."""

    season: Season
    middle_date: date
    plan: Plan
    ingestion: Spent
    season_run: Process
    nothing_run: Process
    stock_run: Process
    date_run: Process
    seasons_run: tuple[Process, Sequence[date]] | None
    """One run of raw and computed tables over several seasons and the summers between them, and its dates."""
    date_peers: Sequence[Comparison]
    season_peers: Sequence[Comparison]
    date_tables: Sequence[TableCosts]
    season_tables: Sequence[TableCosts]
    growth: dict[str, Growth]
    """By what grows."""


def measure_everything(
    seasons: Sequence[Season], folder: Path, plan: Plan, say: Callable[[str], object] = lambda _: None
) -> Results:
    """Measure the first season, and all of them together where there are several; `folder` is filled with homes."""
    season = seasons[0]
    dates = season.dates
    ingested, built = folder / "ingested", folder / "built"
    ingested.mkdir(parents=True)
    say(f"ingesting {season.first} to {season.last}")
    raw = DuckDBWarehouse(ingested / "nba.duckdb")
    _, ingestion = spent(lambda: ingest_all(raw, season.landing, dates))
    raw.close()
    real: list[Process] = []
    idle: dict[str, list[Process]] = {dagster_runs.NOTHING: [], dagster_runs.STOCK: []}
    for number in range(plan.repeats):
        say(f"Dagster run of the season, {number + 1} of {plan.repeats}")
        shutil.rmtree(built, ignore_errors=True)
        shutil.copytree(ingested, built)
        real.append(season_run(built, dagster_runs.TABLES, season.first, season.last))
        for what, runs in idle.items():
            empty = folder / f"{what}-{number}"
            empty.mkdir()
            runs.append(season_run(empty, what, season.first, season.last))
    warehouse = DuckDBWarehouse(built / "nba.duckdb")
    day = _middle_date(warehouse, dates)
    warehouse.close()
    say(f"the command for {day}")
    date_runs = [one_date(built, season.landing, day) for _ in range(plan.repeats + 1)][1:]
    seasons_run = None
    if len(seasons) > 1:
        span = days_between(min(one.first for one in seasons), max(one.last for one in seasons))
        say(f"the command for {len(span)} dates")
        landing, home = _together(seasons, folder / "landing"), folder / "seasons"
        home.mkdir()
        seasons_run = one_backfill(home, landing, span[0], span[-1]), span
    say("peers")
    with Pools.of() as pools:
        date_peers = _peers(warehouse, [day], plan.short_repeats, pools)
    season_peers = _peers(warehouse, dates, plan.repeats)
    say("tables")
    date_tables = table_costs(warehouse, [day], plan.short_repeats)
    season_tables = table_costs(warehouse, dates, plan.repeats)
    say("growth")
    from_middle = dates[dates.index(day) :]
    spans = {str(number): from_middle[:number] for number in plan.dates} | {str(len(dates)): dates}
    growth = {
        "dates": growth_over_dates(warehouse, spans, plan.repeats),
        "players": growth_over_players(warehouse, dates, plan.players, plan.repeats),
    }
    if len(seasons) > 1:
        for other in seasons[1:]:
            say(f"building {other.first} to {other.last}")
            ingest_all(warehouse, other.landing, other.dates)
            build(warehouse, other.dates)
        together = sorted({one for other in seasons for one in other.dates})
        growth["seasons"] = growth_over_dates(warehouse, {"1": dates, str(len(seasons)): together}, plan.repeats)
    return Results(
        season,
        day,
        plan,
        ingestion,
        middle(real),
        middle(idle[dagster_runs.NOTHING]),
        middle(idle[dagster_runs.STOCK]),
        middle(date_runs),
        seasons_run,
        date_peers,
        season_peers,
        date_tables,
        season_tables,
        growth,
    )


def _together(seasons: Sequence[Season], landing: Path) -> Path:
    """A landing zone with the files of all seasons, by reference."""
    for season in seasons:
        for file in sorted(path for path in season.landing.rglob("*") if path.is_file()):
            table, *names = file.relative_to(season.landing).parts
            link = landing / Path(table).stem / "-".join([season.landing.name, *(names or [table])])
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    return landing


def _middle_date(warehouse: DuckDBWarehouse, dates: Sequence[date]) -> date:
    """The first date from the middle on for which everything has rows.

    Raises ValueError where there is none.
    """
    names = ("partition_date", "row_count")
    middle = dates[len(dates) // 2]
    stored = warehouse.read(TABLE_PARTITIONS, names, middle, dates[-1], {"table_name": DAILY_CACHE.name}).to_pylist()
    found = [entry["partition_date"] for entry in stored if entry["row_count"]]
    if not found:
        raise ValueError(f"there is nothing to measure: no rows of {DAILY_CACHE.name} from {middle} to {dates[-1]}")
    return min(found)


def _peers(
    warehouse: DuckDBWarehouse, dates: Sequence[date], repeats: int, pools: Pools | None = None
) -> list[Comparison]:
    inputs = {name: Inputs.read(warehouse, name, dates) for name in SUBJECTS if name in TABLE_MODULES}
    inputs[WORKLOAD] = inputs[DAILY_CACHE.name]
    return [compare(subject, inputs[subject], repeats, pools) for subject in SUBJECTS]
