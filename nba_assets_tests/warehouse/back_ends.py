"""What the tests of every back end share: how to open one, a table with a column of every type, and processes that
write into it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from typing import Any

import pyarrow as pa

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table, day, flag, moment, number, numbers, text, texts, whole
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets.warehouse.interface import Changed, OvertakenError, Replacement, Warehouse

Address = tuple[str, str]
"""A back end's name, and where its tables live."""

TABLE = Table(
    "nba_analytics",
    "everything",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        whole("points", "Points"),
        number("usage_rate", "Usage", scale=1),
        flag("is_dnp", "Sat out"),
        day("birth_date", "Born"),
        moment("seen_at", "When"),
        texts("issues", "Issues"),
        numbers("features", "Features"),
    ),
)
OTHER = replace(TABLE, name="other")
FIRST, SECOND, THIRD = date(2021, 11, 15), date(2021, 11, 16), date(2021, 11, 17)

PROCESSES = multiprocessing.get_context("forkserver")
"""Processes that begin at once: the server has everything imported, and holds no connection and no thread."""
PROCESSES.set_forkserver_preload([__name__])


def open_warehouse(address: Address, wait_seconds: float = 60) -> Warehouse:
    """The warehouse of a back end at its address."""
    back_end, place = address
    if back_end == "duckdb":
        return DuckDBWarehouse(place, wait_seconds)
    if back_end == "bigquery":
        from nba_assets_tests.gcp.adapter import open_emulated
        from nba_assets_tests.gcp.emulators import BigQueryEmulator

        rest_port, grpc_port, prefix = place.split()
        return open_emulated(BigQueryEmulator(int(rest_port), int(grpc_port)), prefix, wait_seconds)
    raise ValueError(f"no back end {back_end}")


def row(game_date: date, player: str, **changes: Any) -> dict[str, Any]:
    """A stored row with every column filled."""
    filled = {
        "points": 3,
        "usage_rate": 20.5,
        "is_dnp": False,
        "birth_date": date(1999, 2, 28),
        "seen_at": datetime(2021, 11, 16, 5, tzinfo=UTC),
        "issues": ["a"],
        "features": [1.5],
    }
    return {"game_date": game_date, "player_lookup": player, **filled, **changes}


def rows(*entries: dict[str, Any], table: Table = TABLE) -> pa.Table:
    """Rows as Arrow."""
    return pa.Table.from_pylist(list(entries), schema=arrow_schema(table))


@contextmanager
def running(target: Any, *arguments: Any) -> Iterator[BaseProcess]:
    """A process that runs `target` until the block ends, by itself or killed."""
    process = PROCESSES.Process(target=target, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def write_own_rows(address: Address, player: str, times: int) -> None:
    """Replace one player's row, again and again."""
    warehouse = open_warehouse(address)
    for points in range(times):
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, player, points=points)), [FIRST], {"player_lookup": player})]
        )


def count_up(address: Address, times: int) -> None:
    """Read a count and write it back one higher, again and again; whoever is overtaken reads again."""
    warehouse = open_warehouse(address)
    done = 0
    while done < times:
        before = warehouse.read(TABLE, TABLE.column_names, FIRST, FIRST)
        points = before.column("points")[0].as_py() if before.num_rows else 0
        counted = Replacement(TABLE, rows(row(FIRST, "count", points=points + 1)), [FIRST])
        with suppress(OvertakenError):
            warehouse.replace([counted], unless=[Changed(TABLE, before, FIRST, FIRST)])
            done += 1


def write_versions(address: Address, row_count: int, written: Event) -> None:
    """Replace two tables by version after version, both in one transaction."""
    warehouse, version = open_warehouse(address), 0
    old = rows(*(row(FIRST, f"p{place}") for place in range(row_count)))
    while True:
        version += 1
        new = old.set_column(old.column_names.index("points"), "points", pa.array([version] * row_count))
        warehouse.replace([Replacement(TABLE, new, [FIRST]), Replacement(OTHER, new, [FIRST])])
        written.set()


def version_of(warehouse: Warehouse, table: Table, row_count: int) -> int:
    """The version that a table holds; AssertionError where it holds anything but one whole version."""
    versions = warehouse.read(table, ("points",), FIRST, FIRST).column("points").to_pylist()
    assert len(versions) == row_count
    (version,) = set(versions)
    return int(version)
