"""Which files a bucket holds for a table, and how one is read that has changed since; against a client in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import requests
from google.api_core.exceptions import Forbidden, NotFound
from google.cloud import storage

from nba_assets.raw.bucket import BucketLandingZone
from nba_assets.raw.landing import LandedFile, LandingZoneError

THEN = datetime(2024, 11, 6, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Blob:
    """One generation of an object."""

    name: str
    content: bytes = b""
    generation: int = 1
    time_created: datetime = THEN
    size: int | None = 0


@dataclass
class Service:
    """The client, its bucket, and an object of it, which can be downloaded."""

    blobs: list[Blob]
    error: Exception | None = None
    listed: list[tuple[str, str]] = field(default_factory=list)
    taken: tuple[str, int] = ("", 0)

    def list_blobs(self, bucket: str, prefix: str, fields: str) -> Iterator[Blob]:
        self.listed.append((bucket, prefix))
        assert "name" in fields
        if self.error:
            raise self.error
        return (blob for blob in self.blobs if blob.name.startswith(prefix))

    def bucket(self, _name: str) -> Service:
        return self

    def blob(self, name: str, generation: int) -> Service:
        self.taken = (name, generation)
        return self

    def download_to_filename(self, path: str) -> None:
        if self.error:
            raise self.error
        found = [blob for blob in self.blobs if (blob.name, blob.generation) == self.taken]
        if not found:
            raise NotFound("No such object")
        Path(path).write_bytes(found[0].content)


def zone(*blobs: Blob, address: str = "gs://b/raw/nba/", error: Exception | None = None) -> BucketLandingZone:
    return BucketLandingZone(address, cast(storage.Client, Service([*blobs], error)))


def service_of(landing: BucketLandingZone) -> Service:
    return cast(Service, landing.client)


def paths(files: list[LandedFile]) -> list[str]:
    return [file.path for file in files]


def test_files_of_a_table_come_oldest_first_then_by_name() -> None:
    names = ("rosters/b.csv", "rosters/a.csv", "rosters.JSON", "rosters/2024/deep.parquet")
    ages = (0, 0, -1, 1)
    blobs = [
        Blob(f"raw/nba/{name}", time_created=THEN + timedelta(seconds=age), generation=7, size=3)
        for name, age in zip(names, ages, strict=True)
    ]
    landing = zone(*blobs, Blob("raw/nba/rosters_of_old.csv"))
    found = landing.files("rosters")
    assert paths(found) == ["rosters.JSON", "rosters/a.csv", "rosters/b.csv", "rosters/2024/deep.parquet"]
    assert service_of(landing).listed == [("b", "raw/nba/rosters")]
    assert (found[1].size, found[1].generation, found[1].placed_at) == (3, 7, THEN)
    assert found[1].fingerprint == "3-generation-7"


@pytest.mark.parametrize(
    ("address", "prefix"), [("gs://b", ""), ("gs://b/", ""), ("gs://b/x", "x/"), ("gs://b/x/y/", "x/y/")]
)
def test_one_listing_of_the_prefix_tells_the_files_of_all_tables(address: str, prefix: str) -> None:
    landing = zone(Blob(f"{prefix}rosters/a.csv"), Blob(f"{prefix}schedule.csv", size=None), address=address)
    found = landing.listing(["schedule", "rosters", "injury_report"])
    assert {table: paths(files) for table, files in found.items()} == {
        "schedule": ["schedule.csv"],
        "rosters": ["rosters/a.csv"],
        "injury_report": [],
    }
    assert found["schedule"][0].size == 0
    assert service_of(landing).listed == [("b", prefix)]


def test_hidden_temporary_and_foreign_objects_are_passed_over() -> None:
    passed_over = ("_done/x.csv", ".x.csv", "x.csv.tmp", "notes.txt", "x.tmp/x.csv")
    landing = zone(*(Blob(f"raw/nba/rosters/{name}") for name in (*passed_over, "good.csv")))
    assert paths(landing.files("rosters")) == ["rosters/good.csv"]


def test_what_is_read_is_the_generation_that_was_listed() -> None:
    old, new = (Blob("raw/nba/rosters/x.csv", content, number) for number, content in enumerate((b"old", b"new")))
    landing = zone(old, new)
    files = landing.files("rosters")
    for file, content in zip(files, (b"old", b"new"), strict=True):
        with landing.local_copy(file) as path:
            assert path.name == "x.csv"
            assert path.read_bytes() == content
        assert not path.exists()
        assert landing.content_digest(file) == hashlib.sha256(content).hexdigest()


def test_one_that_was_replaced_since_is_not_read() -> None:
    landing = zone(Blob("raw/nba/rosters/x.csv"))
    (file,) = landing.files("rosters")
    service_of(landing).blobs = []
    with pytest.raises(OSError, match="was replaced or deleted since it was listed"), landing.local_copy(file):
        pass


@pytest.mark.parametrize("error", [Forbidden("no\n way."), requests.ConnectionError("no way")])
def test_a_bucket_out_of_reach_is_said_in_one_line(error: Exception) -> None:
    landing = zone(Blob("raw/nba/rosters/x.csv"), error=error)
    said = r"^the landing zone gs://b/raw/nba/ cannot be listed: (403 )?no way\. See that the bucket exists "
    with pytest.raises(LandingZoneError, match=said):
        landing.files("rosters")
    file = LandedFile("rosters/x.csv", 1, 0, generation=1)
    with pytest.raises(OSError, match=r"^cannot be fetched: (403 )?no way$"), landing.local_copy(file):
        pass


def test_zones_of_one_address_are_equal_whichever_their_client() -> None:
    assert zone() == zone(Blob("x"))
    assert len({zone(), zone(Blob("x"))}) == 1
    assert zone() != zone(address="gs://b/other")
