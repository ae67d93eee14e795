"""A home in which players have failed, made without Dagster: quick, and as the state of partitions of a run would have
it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pytest

from nba_assets.analytics import player_game_summary
from nba_assets.warehouse.duckdb import DuckDBWarehouse
from nba_assets_tests.orchestration.conftest import Home
from nba_assets_tests.pipeline import build, days_between, ingest_all

TEAMS, SHEET = "team_offense_game_summary", "player_game_summary"


def fail(players: Collection[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the computation of some players raise from here on."""
    real = player_game_summary.compute

    def compute(requested: Any, histories: Any, shared: Any = None) -> Any:
        if {*players} & {*requested["player_lookup"]}:
            raise ArithmeticError("no such number")
        return real(requested, histories, shared)

    monkeypatch.setattr(player_game_summary, "compute", compute)


def built_with_failures(home: Home, through: date, failed: int) -> tuple[DuckDBWarehouse, list[str], dict[date, str]]:
    """Build the summaries of a home with the first players failing; returns its warehouse, them, and the digests of the
    dates without failures.
    """
    warehouse, days = DuckDBWarehouse(home.warehouse), days_between(home.opening, through)
    ingest_all(warehouse, home.landing, days)
    whole = {fact.day: fact.digest for fact in build(warehouse, days, [TEAMS, SHEET])[SHEET]}
    table = player_game_summary.TABLE
    players = sorted(
        set(warehouse.read(table, ("player_lookup",), days[0], days[-1]).column("player_lookup").to_pylist())
    )[:failed]
    with pytest.MonkeyPatch.context() as monkeypatch:
        fail(players, monkeypatch)
        build(warehouse, days, [SHEET])
    return warehouse, players, whole
