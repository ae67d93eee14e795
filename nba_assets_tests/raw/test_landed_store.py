"""What is known of landed files survives a restart, and is never wrong: what is lost or damaged is read again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nba_assets.raw import content_index, landed_store
from nba_assets.raw.content_index import ContentIndex, LandedIndex, forget_landed, landed_index
from nba_assets.raw.landed_store import LandedStore, StoredFile, store_version
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.limits import Limits
from nba_assets.settings import Settings
from nba_assets_tests.raw.feeds import (
    DAY,
    NEXT_DAY,
    NOW,
    event_row,
    injury_row,
    schedule_row,
    sheet_row,
    team_row,
    write,
)
from nba_assets_tests.raw.test_content_index import CountingZone


@pytest.fixture
def zone(landing: Path) -> CountingZone:
    """Files of several tables: good, bad, empty, and one whose games are told by the schedule."""
    for day in (DAY, NEXT_DAY):
        write(landing, f"play_by_play/{day}.parquet", [event_row(1, day), event_row(2, day)])
        league_id = schedule_row(day)["nba_game_id"]
        rows = [team_row(team, day) | {"game_id": None, "nba_game_id": league_id} for team in ("LAL", "CHI")]
        write(landing, f"team_boxscores/{day}.csv", rows)
    write(landing, "schedule.csv", [schedule_row(DAY), schedule_row(NEXT_DAY, home_team_score=None)])
    write(landing, "player_gamebook/all.jsonl", [sheet_row(), sheet_row(day=NEXT_DAY, processed_at=NOW)])
    write(landing, "injury_report.parquet", [injury_row()])
    (landing / f"play_by_play/more-{DAY}").mkdir()
    (landing / f"play_by_play/{DAY}").mkdir()
    (landing / f"play_by_play/{DAY}/bad.parquet").write_bytes(b"PAR1 and then nothing")
    (landing / "rosters.csv").write_text("a,b\n1,2\n")
    return CountingZone(FolderLandingZone(landing))


@pytest.fixture
def store(own_home: Path) -> LandedStore:
    return LandedStore(own_home / "landed.sqlite", "zone", "one")


def look(zone: CountingZone, store: LandedStore) -> ContentIndex:
    return LandedIndex(zone, store).look(NEXT_DAY, NOW)


def facts(content: ContentIndex) -> tuple[object, ...]:
    return {name: replace(table, digests=dict(table.digests)) for name, table in content.tables.items()}, {
        name: values.tolist() if values.dtype.kind != "f" else np.nan_to_num(values, nan=-1).tolist()
        for name, values in content.schedule.items()
    }


def test_after_a_restart_no_file_is_read_again_and_everything_is_as_before(
    zone: CountingZone, store: LandedStore, landing: Path
) -> None:
    first = look(zone, store)
    assert len(zone.taken()) == 9
    assert first.tables["play_by_play"].trouble(DAY) is not None
    assert first.tables["rosters"].trouble(NEXT_DAY) is not None
    again = look(zone, store)
    assert zone.taken() == []
    assert facts(again) == facts(first)
    write(landing, f"play_by_play/{DAY}.parquet", [event_row(1), event_row(2), event_row(3)], modified=99)
    (landing / f"play_by_play/{NEXT_DAY}.parquet").unlink()
    changed = look(zone, store)
    assert zone.taken() == [f"play_by_play/{DAY}.parquet"]
    assert facts(changed) == facts(LandedIndex(zone).look(NEXT_DAY, NOW))
    zone.taken()
    assert set(store.load()) == {file.path for name in changed.tables for file in zone.files(name)}


def test_a_changed_schedule_reaches_stored_rows_that_name_the_leagues_own_games(
    zone: CountingZone, store: LandedStore, landing: Path
) -> None:
    look(zone, store)
    zone.taken()
    write(
        landing,
        "schedule.csv",
        [schedule_row(DAY), schedule_row(NEXT_DAY, home="BOS", nba_game_id=schedule_row(NEXT_DAY)["nba_game_id"])],
        modified=99,
    )
    changed = look(zone, store)
    assert f"team_boxscores/{NEXT_DAY}.csv" in zone.taken()
    assert facts(changed) == facts(LandedIndex(zone).look(NEXT_DAY, NOW))


def test_a_bad_file_is_read_once_until_it_changes_and_one_that_vanished_again(
    zone: CountingZone, store: LandedStore, landing: Path
) -> None:
    index = LandedIndex(zone, store)
    index.look(NEXT_DAY, NOW)
    zone.taken()
    for _ in range(3):
        assert index.look(NEXT_DAY, NOW).tables["play_by_play"].trouble(DAY) is not None
    assert zone.taken() == []
    (landing / f"play_by_play/{DAY}/bad.parquet").write_bytes(b"PAR1 and then nothing again")
    index.look(NEXT_DAY, NOW)
    assert zone.taken() == [f"play_by_play/{DAY}/bad.parquet"]


def test_an_error_of_the_system_is_not_remembered(
    zone: CountingZone, store: LandedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("nba_assets.raw.readers.pq.ParquetFile", refuse)
        index = LandedIndex(zone, store)
        assert "Permission denied" in (index.look(NEXT_DAY, NOW).tables["injury_report"].trouble(DAY) or "")
    zone.taken()
    assert index.look(NEXT_DAY, NOW).tables["injury_report"].trouble(DAY) is None
    assert "injury_report.parquet" in zone.taken()
    assert look(zone, store).tables["injury_report"].trouble(DAY) is None


@pytest.mark.parametrize("damage", ["gone", "no database", "cut", "empty", "row", "unwritable"])
def test_a_lost_or_damaged_store_costs_reading_and_nothing_else(
    damage: str, zone: CountingZone, store: LandedStore
) -> None:
    expected = facts(look(zone, store))
    zone.taken()
    if damage == "gone":
        store.file.unlink()
    elif damage == "no database":
        store.file.write_bytes(b"x" * 5000)
    elif damage == "cut":
        store.file.write_bytes(store.file.read_bytes()[: store.file.stat().st_size // 2])
    elif damage == "empty":
        store.file.write_bytes(b"")
    elif damage == "row":
        with sqlite3.connect(store.file) as connection:
            connection.execute(
                "UPDATE landed_file_1 SET content = (SELECT content FROM landed_file_1 WHERE path LIKE "
                "'play_by_play/%-16.parquet')"
            )
        connection.close()
    else:
        store.file.unlink()
        store.file.mkdir()
    assert facts(look(zone, store)) == expected
    assert len(zone.taken()) >= 5
    if damage != "unwritable":
        assert facts(look(zone, store)) == expected
        assert zone.taken() == []


def test_any_byte_overwritten_is_noticed_or_does_not_matter(zone: CountingZone, store: LandedStore) -> None:
    expected = facts(look(zone, store))
    whole = store.file.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        store.file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert facts(look(zone, store)) == expected, place


def test_other_code_other_limits_and_other_zones_have_entries_of_their_own(store: LandedStore) -> None:
    store.save({"a.csv": StoredFile("1-1", {"reason": "bad"})}, [])
    assert replace(store, zone="other").load() == {}
    assert replace(store, version="two").load() == {}
    assert store.load() == {"a.csv": StoredFile("1-1", {"reason": "bad"})}
    replace(store, version="two").save({}, [])
    assert store.load() == {}
    limits = Limits.from_settings(Settings())
    assert store_version(limits) != store_version(replace(limits, columns=7))
    assert landed_store.code_version() in store_version(limits)


def test_the_index_of_the_process_is_kept_in_the_home(
    zone: CountingZone, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_landed()
    first = landed_index(zone.zone).look(NEXT_DAY, NOW)
    forget_landed()
    monkeypatch.setattr(content_index, "_read_files", None)
    assert facts(landed_index(zone.zone).look(NEXT_DAY, NOW)) == facts(first)
    assert (own_home / content_index.STORE_NAME).exists()


WRITER = """
import sys
from pathlib import Path
from nba_assets.raw.landed_store import LandedStore, StoredFile
store = LandedStore(Path(sys.argv[1]), "zone", "one")
for number in range(40):
    store.save({f"{sys.argv[2]}-{number}.csv": StoredFile("1-1", {"n": number})}, [])
"""


def test_two_processes_write_at_once_and_lose_nothing(store: LandedStore) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.file), name], stderr=subprocess.PIPE)
        for name in ("a", "b")
    ]
    assert [writer.communicate()[1] for writer in writers] == [b"", b""]
    assert {path: entry.facts["n"] for path, entry in store.load().items()} == {
        f"{name}-{number}.csv": number for name in "ab" for number in range(40)
    }
