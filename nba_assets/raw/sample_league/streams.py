"""Random numbers of the simulation: one independent stream for each kind of event.

A game draws from a stream of its own, so it comes out the same whatever else is simulated with it, before it or after
it.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for."""

    PEOPLE = 1
    TRANSACTIONS = 2
    ABSENCES = 3
    SCHEDULE = 4
    PLAYOFFS = 5
    ROTATION = 6
    PLAY = 7
    LINES = 8
    PROPS = 9
    INJURY_REPORT = 10
    SHEETS = 11
    RECORDING = 12


def stream(seed: int, season_year: int, purpose: Purpose, number: int = 0) -> np.random.Generator:
    """The generator for one purpose in one season of the league `seed`; `number` tells apart games and the like."""
    return np.random.default_rng([seed, season_year, purpose, number])
