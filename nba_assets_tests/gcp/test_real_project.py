"""A real project, for those who have one: NBA_ASSETS_GCP_PROJECT names it, credentials are Application Default ones.

What the emulators cannot show is shown here. Everything is made under a prefix of its own and deleted afterwards; the
cost is some queries of 10 MB.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from google.cloud import storage

from nba_assets.orchestration.google_cloud import open_bigquery
from nba_assets.raw.bucket import BucketLandingZone
from nba_assets.warehouse.bigquery import STAGING, BigQueryWarehouse
from nba_assets.warehouse.interface import Changed, OvertakenError, Replacement
from nba_assets_tests.warehouse.back_ends import FIRST, OTHER, SECOND, TABLE, row, rows

PROJECT = os.environ.get("NBA_ASSETS_GCP_PROJECT", "")
LOCATION = os.environ.get("NBA_ASSETS_GCP_LOCATION", "US")
pytestmark = [
    pytest.mark.gcp,
    pytest.mark.skipif(not PROJECT, reason="NBA_ASSETS_GCP_PROJECT names no project to try this in"),
]


@pytest.fixture
def warehouse() -> Iterator[BigQueryWarehouse]:
    """An empty warehouse in the project, whose datasets are deleted at the end."""
    opened = open_bigquery(f"bigquery://{PROJECT}/nba_assets_test_{uuid.uuid4().hex[:12]}?location={LOCATION}", 60)
    yield opened
    for name in (TABLE.dataset, STAGING):
        opened._client.delete_dataset(opened.address.dataset(name), delete_contents=True, not_found_ok=True)


def points(warehouse: BigQueryWarehouse) -> list[int]:
    return warehouse.read(TABLE, ("points",), FIRST, SECOND).column("points").to_pylist()


def test_what_is_written_is_read_and_the_cost_is_told(warehouse: BigQueryWarehouse) -> None:
    entries = rows(row(FIRST, "a"), row(SECOND, "it's -- \\ é"))
    facts = warehouse.replace([Replacement(TABLE, entries, [FIRST, SECOND])])
    assert warehouse.read(TABLE, TABLE.column_names, FIRST, SECOND).to_pylist() == entries.to_pylist()
    assert len(facts.job_ids) == 2
    facts = warehouse.replace([Replacement(TABLE, entries.slice(0, 1), [FIRST])])
    assert facts.bytes_billed > 0
    assert [table.table_id for table in warehouse._client.list_tables(warehouse.address.dataset(STAGING))] == []


def test_of_writes_that_meet_each_is_done_once(warehouse: BigQueryWarehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
    players = [f"p{number}" for number in range(4)]

    def write(player: str) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(SECOND, player)), [SECOND], {"player_lookup": player})])

    with ThreadPoolExecutor(len(players)) as threads:
        list(threads.map(write, players))
    found = warehouse.read(TABLE, ("player_lookup",), SECOND, SECOND).column("player_lookup").to_pylist()
    assert found == players


def test_a_late_write_is_refused_as_a_whole(warehouse: BigQueryWarehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a", points=1)), [FIRST])])
    read = warehouse.read(TABLE, TABLE.column_names, FIRST, FIRST)
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a", points=2)), [FIRST])])
    late = [Replacement(OTHER, rows(row(FIRST, "a")), [FIRST]), Replacement(TABLE, rows(row(FIRST, "z")), [FIRST])]
    with pytest.raises(OvertakenError):
        warehouse.replace(late, unless=[Changed(TABLE, read, FIRST, FIRST)])
    assert points(warehouse) == [2]
    assert warehouse.read(OTHER, ("points",), FIRST, FIRST).num_rows == 0


def test_a_session_sees_what_was_there_when_it_began(warehouse: BigQueryWarehouse) -> None:
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a", points=1)), [FIRST])])
    writer = BigQueryWarehouse(warehouse.address, warehouse._client, warehouse._reader)
    with warehouse.session(), ThreadPoolExecutor(1) as other:
        new = Replacement(TABLE, rows(row(FIRST, "a", points=2)), [FIRST])
        other.submit(writer.replace, [new]).result()
        assert points(warehouse) == [1]
    assert points(warehouse) == [2]


def test_the_moment_of_a_write_is_not_ahead_once_it_is_there(warehouse: BigQueryWarehouse) -> None:
    entries = rows(row(FIRST, "a", seen_at=None))
    warehouse.replace([Replacement(TABLE, entries, [FIRST], moment_column="seen_at")])
    (moment,) = warehouse.read(TABLE, ("seen_at",), FIRST, FIRST).column("seen_at").to_pylist()
    ((now,),) = [found.values() for found in warehouse._client.query("SELECT CURRENT_TIMESTAMP()").result()]
    assert moment <= now


def test_a_file_in_a_bucket_is_the_generation_that_was_listed() -> None:
    client = storage.Client(project=PROJECT)
    bucket = client.create_bucket(f"nba-assets-test-{uuid.uuid4().hex}", location=LOCATION)
    try:
        bucket.blob("raw/schedule.csv").upload_from_string(b"one")
        zone = BucketLandingZone(f"gs://{bucket.name}/raw", client)
        (listed,) = zone.files("schedule")
        with zone.local_copy(listed) as path:
            assert path.read_bytes() == b"one"
        bucket.blob("raw/schedule.csv").upload_from_string(b"two")
        with pytest.raises(OSError, match="was replaced or deleted since it was listed"), zone.local_copy(listed):
            pass
    finally:
        bucket.delete(force=True)
