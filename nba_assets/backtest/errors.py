"""How far predictions lie from what happened: errors, by groups of rows, and calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.arithmetic import Floats

DECIMALS = 4
"""Of points in the results: finer than any difference between models that means something."""
DECILES = 10


@dataclass(frozen=True)
class Errors:
    """Errors of a model over some games, in points: mean absolute, root mean square, and mean of predicted less actual.

    Example: predicted 10 and 14, actual 12 and 13 -> mae 1.5, rmse 1.5811, bias -0.5.
    """

    group: str
    model: str
    count: int
    mae: float
    rmse: float
    bias: float

    @classmethod
    def of(cls, group: str, model: str, predicted: Floats, actual: Floats) -> Errors:
        """Errors over all rows, of which there is at least one."""
        off = predicted - actual
        return cls(
            group,
            model,
            len(off),
            rounded(np.abs(off).mean()),
            rounded(np.sqrt((off * off).mean())),
            rounded(off.mean()),
        )


@dataclass(frozen=True)
class CalibrationBin:
    """Games with predictions of a like size: the mean of what was predicted, and of what happened."""

    decile: int
    count: int
    predicted: float
    actual: float


def errors_by(
    groups: NDArray[Any], predictions: Mapping[str, Floats], actual: Floats, order: Sequence[str] = ()
) -> list[Errors]:
    """Errors of each model in each group that has games; the groups stand in `order`, or else are sorted."""
    found = []
    for group in order or np.unique(groups.astype(str)).tolist():
        mine = groups == group
        if mine.any():
            found += [Errors.of(group, model, values[mine], actual[mine]) for model, values in predictions.items()]
    return found


def calibration(predicted: Floats, actual: Floats) -> list[CalibrationBin]:
    """Tenths of the games by the size of their prediction, lowest first; of fewer than ten games, one each."""
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, DECILES) if len(part)]
    return [
        CalibrationBin(place, len(part), rounded(predicted[part].mean()), rounded(actual[part].mean()))
        for place, part in enumerate(parts, start=1)
    ]


def rounded(value: float) -> float:
    """Points as they stand in the results; minus zero is zero."""
    return round(float(value), DECIMALS) + 0.0
