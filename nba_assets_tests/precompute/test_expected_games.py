"""What is read to tell which games players were expected to play, and from when on."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS
from nba_assets.precompute.expected_games import EXPECTATIONS, read_expectations
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_REGISTRY, ROSTERS, SCHEDULE
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.pipeline import table_run
from nba_assets_tests.precompute.builders import LAST_SEASON, OPENING, TONIGHT, Shelf, as_date, days_ago, scheduled


def listed(day: np.datetime64, player: str = "one", team: str = "LAL") -> dict[str, Any]:
    return {"roster_date": as_date(day), "season_year": 2024, "team_abbr": team, "player_lookup": player}


def boxed(day: np.datetime64, player: str = "one", team: str = "LAL") -> dict[str, Any]:
    game = f"{str(day).replace('-', '')}_LAL_BOS"
    return {"game_id": game, "game_date": as_date(day), "team_abbr": team, "player_lookup": player}


def read(**tables: list[dict[str, Any]]) -> Any:
    partitions = [
        {"table_name": raw.name, "partition_date": as_date(TONIGHT)}
        for raw in (SCHEDULE, ROSTERS, PLAYER_BOXSCORES, PLAYER_REGISTRY)
    ]
    shelf = Shelf({**tables, TABLE_PARTITIONS.name: partitions})
    return read_expectations(table_run(cast(Warehouse, shelf), "player_daily_cache", [as_date(TONIGHT)]))


def test_finals_count_from_the_opening_on() -> None:
    games = [scheduled(day, "BOS", "LAL") for day in (OPENING, days_ago(1), TONIGHT)]
    league, _ = read(schedule=[scheduled(LAST_SEASON, "BOS", "LAL", season_year=2023), *games])
    assert league.finals.entities == ("BOS", "LAL")
    seen = league.finals.of("LAL")["game_date"]
    assert set(seen[seen < TONIGHT].tolist()) == {as_date(OPENING), as_date(days_ago(1))}


@pytest.mark.parametrize(("before", "counts"), [(OLDEST_SNAPSHOT_DAYS, True), (OLDEST_SNAPSHOT_DAYS + 1, False)])
def test_rosters_are_read_from_ninety_days_before_the_opening_on(before: int, counts: bool) -> None:
    snapshot = listed(OPENING - np.timedelta64(before, "D"))
    league, players = read(schedule=[scheduled(OPENING, "BOS", "LAL")], rosters=[snapshot])
    assert players["roster"].entities == (("one",) if counts else ())
    (held,) = league.finals.of("LAL")["roster_date"]
    assert np.isnat(held) != counts


def test_box_scores_are_those_of_the_season_by_player() -> None:
    _, players = read(
        schedule=[scheduled(OPENING, "BOS", "LAL")],
        player_boxscores=[boxed(OPENING), boxed(days_ago(1)), boxed(days_ago(1), "two"), boxed(days_ago(300))],
    )
    assert players["box"].entities == ("one", "two")
    assert players["box"].of("one")["game_date"].tolist() == [as_date(OPENING), as_date(days_ago(1))]


def test_the_inputs_that_are_declared_are_those_that_are_read() -> None:
    assert [source.table.name for source in EXPECTATIONS] == [
        "schedule",
        "rosters",
        "player_boxscores",
        "player_registry",
    ]
