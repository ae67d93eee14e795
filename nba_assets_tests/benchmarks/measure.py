"""CPU and wall seconds of a call, with those of its worker processes, and medians of several calls taken in turn."""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import psutil

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True)
class Spent:
    """Seconds: of the processors, of this process and all that it started, and by the clock."""

    cpu: float
    wall: float

    def __add__(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(self.cpu + other.cpu, self.wall + other.wall)

    def times(self, factor: float) -> Spent:
        """So many times as much."""
        return Spent(self.cpu * factor, self.wall * factor)


NOTHING = Spent(0.0, 0.0)


def cpu_seconds() -> float:
    """CPU seconds so far of this process, of those that it started and, where the system tells, of theirs."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = time.process_time() + ended.ru_utime + ended.ru_stime
    for child in psutil.Process().children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system + getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    return total


def spent(function: Callable[[], T]) -> tuple[T, Spent]:
    """What a function returns, and what it cost."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    result = function()
    wall = time.perf_counter() - wall
    return result, Spent(cpu_seconds() - cpu, wall)


def median(several: Sequence[Spent]) -> Spent:
    """The median of each figure."""
    return Spent(*(statistics.median(getattr(one, name) for one in several) for name in ("cpu", "wall")))


def in_turn(contenders: Mapping[K, Callable[[], Spent]], repeats: int) -> dict[K, Spent]:
    """Medians over `repeats` rounds in which each contender is called once, after one call of each that does not count.

    A contender returns what it cost.

    In turn, because the load of a shared machine changes within seconds.
    """
    taken: dict[K, list[Spent]] = {name: [] for name in contenders}
    gc.collect()
    gc.freeze()  # what there is already is not looked through before every call
    try:
        for number in range(repeats + 1):
            for name, function in contenders.items():
                gc.collect()
                cost = function()
                if number:
                    taken[name].append(cost)
    finally:
        gc.unfreeze()
    return {name: median(costs) for name, costs in taken.items()}


def timed(function: Callable[[], object]) -> Callable[[], Spent]:
    """The function as one that returns what it cost."""
    return lambda: spent(function)[1]
