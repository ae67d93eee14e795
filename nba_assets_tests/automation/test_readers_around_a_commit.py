"""A run that reads while another one commits: whatever the moment, it has seen the commit or its date is stale.

The warehouse gives no run one consistent state here, which is less than any back end promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from nba_assets.automation.stored_state import read_state
from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import TABLE_MODULES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Value
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.orchestration.at_work import (
    ENVIRONMENT,
    OPENING,
    Season,
    build_tables,
    days_of,
    give_points,
)

PLAYED = OPENING + timedelta(days=4)
"""The date that is corrected."""
TONIGHT = OPENING + timedelta(days=6)
DAYS = days_of(OPENING, TONIGHT)


@dataclass
class Interrupted(MemoryWarehouse):
    """Somebody else commits before one of its reads."""

    before_read: int = 0
    committed: Mapping[str, pa.Table] = field(default_factory=dict)
    reads: int = field(default=0, init=False)

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """As the interface has it, after the commit where this is its turn."""
        self.reads += 1
        if self.reads == self.before_read:
            self.tables |= self.committed
        return super().read(table, columns, start, end, where)


@dataclass(frozen=True)
class Built:
    """A league whose tables are all built, and a landing zone in which a player's points have been corrected since."""

    warehouse: MemoryWarehouse
    landing: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Built up to tonight, then corrected on a date before."""
    folder = tmp_path_factory.mktemp("commit")
    source, landing, warehouse = folder / "season", folder / "landing", MemoryWarehouse()
    Season(source, write_season(source, 2024, **SMALL_LEAGUE)).land_all(landing, OPENING, TONIGHT)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        build_tables(warehouse, landing, [*RAW_TABLES, *TABLE_MODULES], DAYS)
    give_points(next((landing / "player_gamebook" / f"game_date={PLAYED}").glob("*.parquet")))
    return Built(warehouse, landing)


def digest(warehouse: MemoryWarehouse, name: str, day: date) -> str:
    (entry,) = warehouse.read(TABLE_PARTITIONS, ("digest",), day, day, {"table_name": name}).to_pylist()
    return str(entry["digest"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reader", "day"), [("player_game_summary", PLAYED), ("player_daily_cache", TONIGHT), ("ml_feature_store", TONIGHT)]
)
def test_a_reader_around_a_commit_has_seen_it_or_is_stale(
    built: Built, monkeypatch: pytest.MonkeyPatch, reader: str, day: date
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    tables = list(TABLE_MODULES)
    after = built.warehouse.copy()
    # Everything before the reader, so that nothing else makes it stale.
    build_tables(after, built.landing, ["player_gamebook", *tables[: tables.index(reader)]], DAYS)
    committed = dict(after.tables)
    build_tables(after, built.landing, [reader], [day])
    old, new = (digest(warehouse, reader, day) for warehouse in (built.warehouse, after))
    assert old != new

    outcomes = set()
    place = 0
    while True:
        place += 1
        overtaken = Interrupted(dict(built.warehouse.tables), before_read=place, committed=committed)
        build_tables(overtaken, built.landing, [reader], [day], run_id="overtaken")
        if overtaken.reads < place:
            break
        is_stale = day in read_state(overtaken, TONIGHT).stale(TONIGHT).get(reader, {})
        outcomes.add((digest(overtaken, reader, day) == new, is_stale))
        assert digest(overtaken, reader, day) == new or is_stale, f"commit before read {place}"
    assert {(True, False), (False, True)} <= outcomes
