"""The lengths of the periods that a backtest predicts."""

from __future__ import annotations

from enum import StrEnum


class Period(StrEnum):
    """How long the test periods are."""

    MONTH = "month"
    SEASON = "season"
