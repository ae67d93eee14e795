"""The results as a page of Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets_tests.benchmarks.comparison import (
    ALL_COLUMNS,
    COMPUTE_ALONE,
    DUCKDB,
    FILTER,
    FILTER_PROCESSES,
    FILTER_THREADS,
    PANDAS,
    POLARS,
    SAME_COLUMNS,
    Comparison,
)
from nba_assets_tests.benchmarks.dagster_runs import Process
from nba_assets_tests.benchmarks.inputs import DATE_OF, WORKLOAD
from nba_assets_tests.benchmarks.measure import NOTHING, Spent
from nba_assets_tests.benchmarks.suite import Results
from nba_assets_tests.benchmarks.tables import PROCESSES, SERIAL, THREADS, WHOLE, Growth, TableCosts

LIBRARIES = ("dagster", "duckdb", "numpy", "pandas", "polars", "pyarrow")
ORDER = (
    ALL_COLUMNS,
    COMPUTE_ALONE,
    SAME_COLUMNS,
    POLARS,
    DUCKDB,
    PANDAS,
    FILTER,
    FILTER_THREADS,
    FILTER_PROCESSES,
)
DATE_FACTOR = 15
"""How many times less than the filter's CPU computing one date should take."""
MEGABYTE, KILOBYTE = 1e6, 1e3

HOW = """\
Every figure is the median of several rounds in which all contenders take turns, after one round that does not count:
CPU seconds of the process and all its workers / seconds by the clock. On a shared machine compare CPU seconds.

## The same rows in memory

Everybody starts from the rows that the table reads, in memory in the form that suits it best (numpy columns, pandas
frames, polars frames, tables of an in-memory DuckDB), and ends with result columns. Before anything is timed the
figures of all are compared with the table's, column by column.

- *ours, all columns* is the table as it is built: all its columns, completeness and readiness, failure records with
  their reasons, names and expected games. *Compute alone* is the part of it within the compute function, without
  preparing what it is given. *Same columns* is our code for the columns that the peers compute.
- *filter* is a pandas data frame filtered by player and date for each row, serial, with 10 threads, with 2 processes
  (warm, the players shared out). For a season it computes a sample, and its figures are scaled up (~).
- *pandas rolling*, *polars* and *DuckDB SQL* compute whole columns: windows per player and season, as-of joins to the
  dates, joins of contexts, zones and defence.
- Peers compute neither failures nor completeness, readiness and quality columns, nor the JSON contexts of the factors;
  who is requested, and the season of each row, they are given. *workload windows* are games and minutes of the last 7
  and 14 days, which the factors are computed from; they are part of a larger table, so there are only the same columns.
"""


def page(results: Results, command: str) -> str:
    """The whole page."""
    season = results.season
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Written by `{command}` on {datetime.now(UTC):%Y-%m-%d}. The season from {season.first} to {season.last} "
            f"({len(season.dates)} dates); single dates are {results.middle_date}, in its middle. "
            f"Rounds: {results.plan.repeats}, for single dates in memory {results.plan.short_repeats}.",
            "",
            f"Machine: {_machine()}.",
            "",
            HOW,
            *_comparisons("One date", results.date_peers),
            *_comparisons("The season", results.season_peers, scaled=True),
            "### What that shows",
            "",
            *_claims(results),
            "",
            "## Each table",
            "",
            "*Read, compute, write* is all of a table's own work, serial, against DuckDB; the other columns are its "
            "compute functions alone, from rows in memory. Threads and processes are as many as without any setting; "
            "work that is too little for them is computed by the calling process.",
            "",
            *_tables(f"One date, {results.middle_date}", results.date_tables),
            *_tables(f"The season, {len(season.dates)} dates", results.season_tables),
            "## Growth",
            "",
            f"{', '.join(f'`{name}`' for name in DATE_OF)} together, from rows in memory.",
            "",
            *(line for what, growth in results.growth.items() for line in _growth(what, growth)),
            "## Through Dagster",
            "",
            *_processes(results),
            "",
        ]
    )


def _machine() -> str:
    cores, memory = psutil.cpu_count(), psutil.virtual_memory().total / 2**30
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return f"{cores} cores ({_processor()}), {memory:.0f} GB, Python {platform.python_version()}, {libraries}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed, left out"


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _seconds(cost: Spent | None, mark: str = "") -> str:
    return f"{mark}{_figure(cost.cpu)} / {mark}{_figure(cost.wall)}" if cost else ""


def _figure(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 1 else f"{seconds:.1f}"


def _comparisons(title: str, comparisons: Sequence[Comparison], *, scaled: bool = False) -> list[str]:
    heads = [f"CPU s / wall s of {title.lower()}", *(f"{one.subject} ({one.requested:,})" for one in comparisons)]
    present = [name for name in ORDER if any(name in one.spent for one in comparisons)]
    return [
        f"### {title}",
        "",
        *_rows(
            heads,
            [
                [
                    name,
                    *(_seconds(one.spent.get(name), "~" if scaled and name == FILTER else "") for one in comparisons),
                ]
                for name in present
            ],
        ),
    ]


def _claims(results: Results) -> Iterable[str]:
    for one in results.date_peers:
        if one.subject == WORKLOAD:
            continue
        alone, whole = (one.spent[FILTER].cpu / one.spent[name].cpu for name in (COMPUTE_ALONE, ALL_COLUMNS))
        verdict = "" if alone >= DATE_FACTOR else f", below the {DATE_FACTOR} times that it should be"
        yield (
            f"- One date of `{one.subject}`: the filter takes {alone:.1f} times the CPU of our compute{verdict}, and "
            f"{whole:.1f} times that of the whole table with its preparation."
        )
    for one in results.season_peers:
        same, theirs = one.spent[SAME_COLUMNS].cpu, one.spent[DUCKDB].cpu
        line = f"- A season of `{one.subject}`: for the same columns DuckDB SQL takes {theirs / same:.1f} times our CPU"
        if one.subject != WORKLOAD:
            everything = one.spent[ALL_COLUMNS].cpu
            line += f"; all columns and failures take us {everything / theirs:.1f} times the CPU of its windows"
        yield f"{line}."


def _tables(title: str, tables: Sequence[TableCosts]) -> list[str]:
    kinds = (WHOLE, SERIAL, THREADS, PROCESSES)
    rows = [
        [f"`{one.name}`", f"{one.rows:,}", f"{one.failures:,}", *(_seconds(one.spent[kind]) for kind in kinds)]
        for one in tables
    ]
    totals = {kind: sum((one.spent[kind] for one in tables), NOTHING) for kind in kinds}
    counts = [sum(one.rows for one in tables), sum(one.failures for one in tables)]
    last = ["all", *(f"{count:,}" for count in counts), *(_seconds(totals[kind]) for kind in kinds)]
    return [f"### {title}", "", *_rows(["CPU s / wall s", "rows", "failures", *kinds], [*rows, last])]


def _growth(what: str, growth: Growth) -> list[str]:
    present = [name for name in ORDER if any(name in costs for costs in growth.values())]
    rows = [[name, *(_seconds(costs.get(name)) for costs in growth.values())] for name in present]
    return _rows([f"CPU s / wall s by {what}", *growth], rows)


def _processes(results: Results) -> list[str]:
    tables, nothing, stock = results.season_run, results.nothing_run, results.stock_run
    partitions = len(TABLE_MODULES) * len(results.season.dates)
    runs: dict[str, tuple[Process, int]] = {
        "a season of ten tables in one run": (tables, partitions),
        "the same graph doing nothing": (nothing, partitions),
        "the same graph doing nothing, Dagster's default instance": (stock, partitions),
        f"`nba-assets run {results.middle_date}`": (results.date_run, len(TABLE_MODULES)),
    }
    if results.seasons_run is not None:
        backfill, dates = results.seasons_run
        table_count = len(RAW_TABLES) + len(TABLE_MODULES)
        runs[f"`nba-assets backfill {dates[0]} {dates[-1]}`, {table_count} tables, ingestion included"] = (
            backfill,
            table_count * len(dates),
        )
    rows = [
        [
            name,
            _seconds(one.spent),
            f"{one.peak_bytes / MEGABYTE:,.0f}",
            f"{one.event_bytes / MEGABYTE:,.1f}",
            f"{one.event_bytes / materializations / KILOBYTE:,.1f}",
        ]
        for name, (one, materializations) in runs.items()
    ]
    spent = tables.spent
    to_idle, to_stock = (
        f"{spent.cpu / one.spent.cpu:.2f} times the CPU and {spent.wall / one.spent.wall:.2f} times the time"
        for one in (nothing, stock)
    )
    return [
        "Whole processes, imports included, on the project's own instance but for one line; raw data was ingested "
        "before, but for the backfill.",
        "",
        *_rows(["", "CPU s / wall s", "peak MB", "event log MB", "kB per materialization"], rows),
        f"The ten tables take {to_idle} of the graph that does nothing, {to_stock} of that graph on the instance that "
        f"Dagster makes by default. Ingestion of the season before that: {_seconds(results.ingestion)}.",
    ]
