"""What was served, on every back end: added once beside the stored rows, one row per list of features."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.entities.outcomes import Outcome
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.publication import Publication, prepare
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.served import IDENTITY, SERVED_FEATURES, VECTOR
from nba_assets.tables.spec import FeatureList, Table, flag, number, text
from nba_assets.warehouse.interface import OvertakenError, Replacement, Warehouse
from nba_assets_tests.warehouse.bigquery_double import Service

DAY = date(2024, 11, 3)
TIP = datetime(2024, 11, 3, 20, 30, tzinfo=UTC)
GAME = "20241103_BOS_DEN"
STORE = Table(
    "nba_precompute",
    "vectors",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        *IDENTITY,
        text("opponent_team_abbr", "The opponent"),
        flag("is_home", "At home"),
        *VECTOR,
        number("points", "His points", scale=None),
        *(replace(column, name=f"{column.name}_v2", nullable=True) for column in VECTOR),
        *STAMPS,
    ),
    entity_column="player_lookup",
    feature_lists=(FeatureList("v1"), FeatureList("v2", "_v2")),
    stage="pregame",
    code_version="1",
)


@pytest.fixture
def scheduled(warehouse: Warehouse) -> Warehouse:
    """A warehouse with one game on its schedule."""
    warehouse.replace([Replacement(SCHEDULE.table, the_schedule(), [DAY])])
    return warehouse


def the_schedule() -> pa.Table:
    game: dict[str, Any] = dict.fromkeys(SCHEDULE.table.column_names)
    game |= {"game_id": GAME, "game_date": DAY, "game_time_utc": TIP, "season_year": 2024, "game_status": 1}
    game |= {"home_team_abbr": "DEN", "away_team_abbr": "BOS", "is_regular_season": True, "is_playoffs": False}
    return pa.Table.from_pylist([game | {"processed_at": TIP}], schema=arrow_schema(SCHEDULE.table))


def publication(
    warehouse: Warehouse, run_id: str, moment: datetime, points: dict[str, float], *, has_v2: bool = True
) -> Publication:
    """Vectors of some players, ready to be stored."""
    settings = Settings.from_environment({})
    run = TableRun(STORE, [DAY], warehouse, ParallelEntities.serial(), settings, run_id, moment, clock=lambda: moment)
    run.begin()
    size = len(points)
    of_list: dict[str, Any] = {
        "feature_quality_score": np.full(size, 97.5),
        "quality_tier": np.full(size, "gold", dtype=object),
        "data_source": np.full(size, "mixed", dtype=object),
    }
    for name, value in (("feature_names", ["points"]), ("feature_sources", ["phase4"])):
        of_list[name] = objects([value] * size)
    lists = {f"{name}{suffix}": values for suffix in ("", "_v2") for name, values in of_list.items()}
    rows = {
        "player_lookup": np.array(list(points), dtype=object),
        "universal_player_id": np.full(size, None, dtype=object),
        "game_date": np.full(size, np.datetime64(DAY, "D")),
        "game_id": np.full(size, GAME, dtype=object),
        "opponent_team_abbr": np.full(size, "DEN", dtype=object),
        "is_home": np.zeros(size),
        "points": np.array(list(points.values())),
        **lists,
        "features": objects([[value] for value in points.values()]),
        "features_v2": objects([[-value] for value in points.values()]),
        "feature_version": np.full(size, "v1", dtype=object),
        "feature_version_v2": np.full(size, "v2" if has_v2 else None, dtype=object),
    }
    return prepare(run, Outcome(rows))


def objects(lists: list[Any]) -> Any:
    column = np.empty(len(lists), dtype=object)
    column[:] = lists
    return column


def served(warehouse: Warehouse) -> dict[tuple[str, str], tuple[list[float], str]]:
    """Features and run of each player and version."""
    rows = warehouse.read(SERVED_FEATURES, SERVED_FEATURES.column_names, DAY, DAY).to_pylist()
    assert {(row["tip_off"], row["feature_quality_score"], row["is_home"]) for row in rows} <= {(TIP, 97.5, False)}
    return {(row["player_lookup"], row["feature_version"]): (row["features"], row["run_id"]) for row in rows}


def test_each_list_is_served_once_and_a_later_run_adds_who_is_not_there(scheduled: Warehouse) -> None:
    publication(scheduled, "one", TIP - timedelta(hours=3), {"ann": 10.0, "bob": 20.0}).write()
    publication(scheduled, "two", TIP - timedelta(hours=2), {"ann": 11.0, "bob": 21.0, "cy": 31.0}).write()
    publication(scheduled, "three", TIP, {"ann": 12.0, "dan": 42.0}).write()
    expected = {("ann", "one"): 10.0, ("bob", "one"): 20.0, ("cy", "two"): 31.0}
    assert served(scheduled) == {
        (player, version): ([sign * value], run_id)
        for (player, run_id), value in expected.items()
        for version, sign in (("v1", 1), ("v2", -1))
    }
    stored = scheduled.read(STORE, ("player_lookup", "features"), DAY, DAY).to_pylist()
    assert [tuple(row.values()) for row in stored] == [("ann", [12.0]), ("dan", [42.0])]


def test_a_row_without_a_vector_of_a_list_is_served_without_it(scheduled: Warehouse) -> None:
    publication(scheduled, "one", TIP - timedelta(hours=3), {"ann": 10.0}, has_v2=False).write()
    assert served(scheduled) == {("ann", "v1"): ([10.0], "one")}


def test_of_two_runs_at_once_the_second_neither_stores_nor_serves(scheduled: Warehouse) -> None:
    moment = TIP - timedelta(hours=1)
    one, other = (publication(scheduled, name, moment, {name: 10.0}) for name in ("one", "other"))
    one.write()
    with pytest.raises(OvertakenError):
        other.write()
    assert set(served(scheduled)) == {("one", "v1"), ("one", "v2")}
    assert scheduled.read(STORE, ("player_lookup",), DAY, DAY).to_pylist() == [{"player_lookup": "one"}]


def test_bigquery_adds_served_rows_in_the_script_that_stores_them_and_deletes_none() -> None:
    service = Service()
    service.put(SCHEDULE.table, the_schedule())
    moment = TIP - timedelta(hours=1)
    service.answers = [[(moment,)] for _ in range(20)]
    publication(service.warehouse(), "one", moment, {"ann": 10.0}).write()
    script = service.statements()[-1]
    assert f"DELETE FROM `p.t_{STORE.qualified_name}`" in script
    assert f"INSERT INTO `p.t_{SERVED_FEATURES.qualified_name}`" in script
    assert f"DELETE FROM `p.t_{SERVED_FEATURES.qualified_name}`" not in script
    assert script.index("BEGIN TRANSACTION") < script.index(SERVED_FEATURES.name) < script.index("COMMIT TRANSACTION")
