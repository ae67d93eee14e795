"""One subject computed by everybody from the same rows in memory: the figures are compared, then the time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from types import ModuleType

import numpy as np
import pandas as pd

from nba_assets_tests.benchmarks.inputs import DATE_OF, WORKLOAD, Frames, Inputs, MeasuredEntities, serial
from nba_assets_tests.benchmarks.measure import NOTHING, Spent, in_turn, timed
from nba_assets_tests.benchmarks.peers import duckdb_sql, naive, pandas_frames, same_columns

ALL_COLUMNS, COMPUTE_ALONE, SAME_COLUMNS = "ours, all columns", "ours, compute alone", "ours, same columns"
PANDAS, POLARS, DUCKDB = "pandas rolling", "polars", "DuckDB SQL"
FILTER, FILTER_THREADS, FILTER_PROCESSES = "filter, serial", "filter, 10 threads", "filter, 2 processes"
SAMPLE = 500
"""Requests that the filter computes of a season: all of them would take minutes."""
KEY = ["player_lookup", "date"]
TOLERANCE = {"rtol": 1e-9, "atol": 1e-6}
"""Rolling sums and deviations of peers gather rounding; stored rows have four decimals."""


def set_based() -> Mapping[str, ModuleType]:
    """Who computes whole columns at once; polars only where it is installed."""
    peers = {SAME_COLUMNS: same_columns, PANDAS: pandas_frames, DUCKDB: duckdb_sql}
    if find_spec("polars"):
        from nba_assets_tests.benchmarks.peers import polars_frames

        peers[POLARS] = polars_frames
    return peers


@dataclass(frozen=True)
class Comparison:
    """What a subject cost everybody."""

    subject: str
    requested: int
    spent: Mapping[str, Spent]


@dataclass(frozen=True)
class Pools:
    """Workers of the filter, kept warm."""

    threads: ThreadPoolExecutor
    processes: ProcessPoolExecutor

    @classmethod
    @contextmanager
    def of(cls, threads: int = 10, processes: int = 2) -> Iterator[Pools]:
        """So many workers, for the time of the block."""
        context = multiprocessing.get_context("spawn")
        with ThreadPoolExecutor(threads) as some, ProcessPoolExecutor(processes, context) as others:
            yield cls(some, others)


def compare(subject: str, inputs: Inputs, repeats: int, pools: Pools | None = None) -> Comparison:
    """Medians of everybody, in turn; with `pools` also the filter with its workers, else of a sample, scaled up.

    Raises ValueError, naming column and peer, where a peer's figures differ from the table's.
    """
    frames = inputs.frames()
    require_agreement(subject, inputs, frames)
    contenders: dict[str, Callable[[], Spent]] = {}
    if subject != WORKLOAD:
        contenders[ALL_COLUMNS] = timed(lambda: inputs.build(serial()))
        contenders[COMPUTE_ALONE] = partial(compute_cost, inputs, serial())
    for name, peer in set_based().items():
        contenders[name] = timed(partial(peer.COMPUTE[subject], peer.prepared(frames)))
    function, ready, requested = naive.COMPUTE[subject], naive.prepared(frames), frames["requested"]
    scale = 1.0
    if pools:
        contenders[FILTER] = timed(partial(function, ready))
        contenders[FILTER_THREADS] = timed(partial(naive.through, pools.threads, 10, function, ready))
        contenders[FILTER_PROCESSES] = timed(partial(naive.through, pools.processes, 2, function, ready))
    else:
        sample = requested.iloc[:: max(len(requested) // SAMPLE, 1)]
        scale = len(requested) / len(sample)
        contenders[FILTER] = timed(partial(function, {**ready, "requested": sample}))
    costs = in_turn(contenders, repeats)
    return Comparison(subject, len(requested), {**costs, FILTER: costs[FILTER].times(scale)})


def compute_cost(inputs: Inputs, entities: MeasuredEntities) -> Spent:
    """What the compute functions cost of building the table."""
    entities.compute = NOTHING
    inputs.build(entities)
    return entities.compute


def set_based_costs(subjects: Mapping[str, Inputs], repeats: int) -> dict[str, Spent]:
    """What all subjects together cost everybody who computes whole columns."""
    totals: dict[str, Spent] = {}
    for subject, inputs in subjects.items():
        frames = inputs.frames()
        contenders: dict[str, Callable[[], Spent]] = {ALL_COLUMNS: timed(partial(inputs.build, serial()))}
        for name, peer in set_based().items():
            contenders[name] = timed(partial(peer.COMPUTE[subject], peer.prepared(frames)))
        for name, cost in in_turn(contenders, repeats).items():
            totals[name] = totals.get(name, NOTHING) + cost
    return totals


def require_agreement(subject: str, inputs: Inputs, frames: Frames) -> None:
    """Raise ValueError where anybody's rows or figures are not those of the table; windows that are no table of their
    own are compared with this project's own code.
    """
    if subject == WORKLOAD:
        expected = same_columns.to_pandas(same_columns.COMPUTE[subject](same_columns.prepared(frames)))
    else:
        expected = pd.DataFrame(dict(inputs.build(serial()).rows)).rename(columns={DATE_OF[subject]: "date"})
        expected = expected.loc[:, ~expected.columns.duplicated()]
    for name, peer in set_based().items():
        _require_equal(f"{subject} by {name}", expected, peer.to_pandas(peer.COMPUTE[subject](peer.prepared(frames))))
    requested = frames["requested"]
    sample = requested.iloc[:: max(len(requested) // SAMPLE, 1)]
    found = naive.COMPUTE[subject]({**naive.prepared(frames), "requested": sample})
    keys = pd.MultiIndex.from_frame(sample[KEY])
    chosen = expected[pd.MultiIndex.from_frame(_comparable(expected)[KEY]).isin(keys)]
    _require_equal(f"{subject} by {FILTER}", chosen, found)


def _require_equal(what: str, expected: pd.DataFrame, found: pd.DataFrame) -> None:
    expected, found = (_comparable(frame).set_index(KEY).sort_index() for frame in (expected, found))
    if not expected.index.equals(found.index):
        raise ValueError(f"{what}: {len(found)} rows, not the {len(expected)} rows of the table, or of other players")
    for name in found:
        mine, theirs = expected[name], found[name]
        if theirs.dtype == object:
            equal = mine.where(mine.notna(), None).tolist() == theirs.where(theirs.notna(), None).tolist()
        else:
            equal = np.allclose(mine.astype(float), theirs.astype(float), equal_nan=True, **TOLERANCE)
        if not equal:
            raise ValueError(f"{what}: other values of {name}")


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(date=pd.to_datetime(frame["date"]).astype("M8[s]"))
