"""A table whose rows change for the same inputs has a new code version: compared with the digests of a simulated league
that are on record.

After a change of a table's rows, raise its `code_version` and record again: `python -m nba_assets_tests.record`. Where
only the simulated league has changed, record again alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from nba_assets.raw.sample_league import write_season
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.digest import partition_digest
from nba_assets_tests.league import SMALL_LEAGUE
from nba_assets_tests.memory_warehouse import MemoryWarehouse
from nba_assets_tests.pipeline import build, days_between, ingest_all

RECORD = Path(__file__).with_name("code_versions.json")
FIRST, LAST = date(2024, 10, 22), date(2024, 11, 12)

Record = Mapping[str, Mapping[str, str | None]]
"""By table: its code version (none of raw tables) and the digest of its dates."""


def current() -> Record:
    """What the code makes of the league now."""
    warehouse = MemoryWarehouse()
    with tempfile.TemporaryDirectory() as folder:
        write_season(Path(folder), 2024, **SMALL_LEAGUE)
        ingest_all(warehouse, Path(folder), days_between(FIRST, LAST))
    build(warehouse, days_between(FIRST, LAST))
    rows = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date", "digest"), date.min, date.max).to_pylist()
    hashes: dict[str, list[int]] = {}
    for row in rows:
        hashes.setdefault(row["table_name"], []).append(int(row["digest"], 16) ^ hash_of(row["partition_date"]))
    versions = {name: table.code_version for name, table in COMPUTED_TABLES.items()}
    return {
        name: {"code_version": versions.get(name), "digest": digest_of(hashes[name])}
        for name in (*RAW_TABLES, *COMPUTED_TABLES)
    }


def hash_of(day: date) -> int:
    return day.toordinal() * 0x9E3779B97F4A7C15 % 2**64


def digest_of(hashes: list[int]) -> str:
    return partition_digest(np.array(hashes, dtype=np.uint64))


def forgotten(before: Record, now: Record) -> list[str]:
    """Tables whose rows differ although neither their version nor any of their inputs does."""
    changed = {name for name in now if before.get(name, {}).get("digest") != now[name]["digest"]}
    return [
        name
        for name, table in COMPUTED_TABLES.items()
        if name in changed
        and before.get(name, {}).get("code_version") == now[name]["code_version"]
        and not any(source.name in changed for source in table.upstream)
    ]


@pytest.fixture(scope="module")
def now() -> Record:
    return current()


def test_a_table_whose_rows_change_has_a_new_code_version(now: Record) -> None:
    before: Record = json.loads(RECORD.read_text())
    assert forgotten(before, now) == [], (
        "raise the code_version of these tables, then `python -m nba_assets_tests.record`"
    )
    assert now == before, "record the digests again: `python -m nba_assets_tests.record`"


def test_a_forgotten_version_is_told_from_a_change_upstream(now: Record) -> None:
    def other(*names: str, **values: str) -> Record:
        return {name: {**entry, **values} if name in names else entry for name, entry in now.items()}

    assert forgotten(now, now) == []
    assert forgotten(now, other("ml_feature_store", digest="0")) == ["ml_feature_store"]
    assert forgotten(now, other("ml_feature_store", digest="0", code_version="next")) == []
    assert forgotten(now, other("ml_feature_store", "player_daily_cache", digest="0")) == ["player_daily_cache"]
    assert forgotten(now, other("ml_feature_store", "play_by_play", digest="0")) == ["ml_feature_store"]
    assert forgotten(now, other("player_game_summary", "play_by_play", digest="0")) == []


def record() -> None:
    """Write the digests as they are now."""
    RECORD.write_text(json.dumps(current(), indent=1) + "\n")
