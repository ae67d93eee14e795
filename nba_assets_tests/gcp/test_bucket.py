"""A landing zone in a bucket, against an emulator of Cloud Storage, through dagster-gcp's resource."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from google.cloud import storage

from nba_assets.automation.slates import slates
from nba_assets.orchestration.google_cloud import open_bucket
from nba_assets.orchestration.landing_zone import landing_zone
from nba_assets.raw.bucket import BucketLandingZone
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.content_index import forget_landed, landed_index
from nba_assets.raw.landing import FolderLandingZone, LandedFile, LandingZoneError
from nba_assets.raw.tables import RAW_TABLES
from nba_assets_tests.raw.feeds import DAY, NOW, event_row, schedule_row, team_row, write

pytestmark = pytest.mark.gcp
NEXT_DAY = DAY + timedelta(days=1)


class Bucket:
    """A bucket whose prefix holds what a folder holds, and the requests that were made for it."""

    def __init__(self, name: str) -> None:
        self.client = storage.Client()
        self.bucket = self.client.create_bucket(name)
        self.address = f"gs://{name}/raw/nba"
        self.calls: Counter[str] = Counter()

    def upload(self, folder: Path) -> None:
        """Put the files of a folder into the bucket."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(path.relative_to(folder).as_posix(), path.read_bytes())

    def put(self, path: str, content: bytes) -> None:
        """One object below the prefix."""
        self.bucket.blob(f"raw/nba/{path}").upload_from_string(content)

    def taken(self) -> Counter[str]:
        """How many listings and downloads there were since the last time."""
        calls, self.calls = self.calls, Counter()
        return calls


@pytest.fixture
def bucket(storage_service: str, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket that the environment names as its landing zone."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_service)
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "prod")
    made = Bucket(f"b{uuid.uuid4().hex}")
    monkeypatch.setenv("NBA_ASSETS_LANDING", made.address)
    send = requests.Session.send

    def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        url = request.url or ""
        if request.method == "GET" and f"/b/{made.bucket.name}/o" in url:
            made.calls["download" if "alt=media" in url else "listing"] += 1
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", counted)
    yield made
    made.client.close()
    open_bucket(made.address).client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two dates of one game, and what is passed over."""
    folder = tmp_path / "source"
    for day in (DAY, NEXT_DAY):
        write(folder, f"play_by_play/game_date={day}/x.parquet", [event_row(1, day), event_row(2, day)])
    write(folder, f"team_boxscores/{DAY}.csv", [team_row(), team_row("CHI")])
    write(folder, "schedule.csv", [schedule_row(DAY), schedule_row(NEXT_DAY)])
    for path in ("play_by_play/_done/x.parquet", "play_by_play/.x.csv", "play_by_play/notes.txt", "schedules/x.csv"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"left alone")
    return folder


def zone_of(bucket: Bucket) -> BucketLandingZone:
    zone = landing_zone()
    assert isinstance(zone, BucketLandingZone)
    assert zone.address == bucket.address
    return zone


def test_it_has_the_files_that_a_folder_has(bucket: Bucket, folder: Path) -> None:
    bucket.upload(folder)
    zone, tables = zone_of(bucket), list(RAW_TABLES)
    expected = FolderLandingZone(folder).listing(tables)
    found = zone.listing(tables)
    assert {table: {(file.path, file.size) for file in files} for table, files in found.items()} == {
        table: {(file.path, file.size) for file in files} for table, files in expected.items()
    }
    assert {table: zone.files(table) for table in tables} == found
    (boxscores,) = found["team_boxscores"]
    assert zone.content_digest(boxscores) == FolderLandingZone(folder).content_digest(expected["team_boxscores"][0])


def test_the_content_is_that_of_the_folder_and_a_look_is_one_listing(bucket: Bucket, folder: Path) -> None:
    bucket.upload(folder)
    seen = landed_index(zone_of(bucket)).look(NEXT_DAY, NOW)
    assert bucket.taken() == {"listing": 1, "download": 4}
    expected = landed_index(FolderLandingZone(folder)).look(NEXT_DAY, NOW)
    assert {name: table.digests for name, table in seen.tables.items()} == {
        name: table.digests for name, table in expected.tables.items()
    }
    assert slates(seen.schedule).keys() == slates(expected.schedule).keys()


def test_nothing_is_downloaded_twice_not_even_after_a_restart(bucket: Bucket, folder: Path) -> None:
    bucket.upload(folder)
    first = landed_index(zone_of(bucket)).look(NEXT_DAY, NOW)
    bucket.taken()
    forget_landed()
    again = landed_index(zone_of(bucket)).look(NEXT_DAY, NOW)
    assert bucket.taken() == {"listing": 1}
    assert again.tables == first.tables
    write(folder, f"team_boxscores/{DAY}.csv", [team_row(), team_row("CHI", points=101)])
    bucket.put(f"team_boxscores/{DAY}.csv", (folder / f"team_boxscores/{DAY}.csv").read_bytes())
    changed = landed_index(zone_of(bucket)).look(NEXT_DAY, NOW)
    assert bucket.taken() == {"listing": 1, "download": 1}
    assert changed.tables["team_boxscores"].digests != first.tables["team_boxscores"].digests


def test_a_file_replaced_by_one_of_equal_size_is_another_version(bucket: Bucket) -> None:
    bucket.put("schedule.csv", b"one")
    (before,) = zone_of(bucket).files("schedule")
    bucket.put("schedule.csv", b"two")
    (after,) = zone_of(bucket).files("schedule")
    assert before.size == after.size
    assert before.fingerprint != after.fingerprint


def test_a_file_replaced_between_listing_and_reading_is_never_taken_for_its_old_version(
    bucket: Bucket, folder: Path
) -> None:
    bucket.upload(folder)
    zone = zone_of(bucket)
    listed = zone.files("team_boxscores")
    bucket.put(f"team_boxscores/{DAY}.csv", b"another,content\n1,2\n")

    class Listed(BucketLandingZone):
        def files(self, table: str) -> list[LandedFile]:
            assert table == "team_boxscores"
            return listed

    found = collect(Request(RAW_TABLES["team_boxscores"], [DAY], NOW), Listed(zone.address, zone.client))
    (bad,) = found.bad_files
    assert bad.is_transient
    assert "was replaced or deleted since it was listed" in bad.reason


def test_a_bucket_that_is_not_there_is_named_with_what_to_do(bucket: Bucket) -> None:
    zone = BucketLandingZone("gs://nowhere-at-all/x", bucket.client)
    with pytest.raises(LandingZoneError, match=r"gs://nowhere-at-all/x cannot be listed: .*roles/storage.objectViewer"):
        zone.files("schedule")
