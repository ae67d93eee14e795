"""A landing zone in a bucket of Cloud Storage.

A file is one generation of an object: what is read of it is what was listed, or nothing. Clients are made elsewhere.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage

from nba_assets.raw.landing import LandedFile, LandingZoneError, is_passed_over, suffix_of, table_of
from nba_assets.wording import phrase

SCHEME = "gs://"
FIELDS = "items(name,size,generation,timeCreated),nextPageToken"
OUT_OF_REACH = (GoogleAPICallError, RetryError, GoogleAuthError, requests.RequestException)


@dataclass(frozen=True)
class BucketLandingZone:
    """The objects below `gs://BUCKET/PREFIX`; zones of one address are equal, whichever their client."""

    address: str
    client: storage.Client = field(repr=False, compare=False)

    def files(self, table: str) -> list[LandedFile]:
        """The files of a raw table, oldest first, those of the same moment by name."""
        return self._listed(table, [table])[table]

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        """The files of each of the raw tables, from one listing of the bucket."""
        return self._listed("", tables)

    @contextmanager
    def local_copy(self, file: LandedFile) -> Iterator[Path]:
        """The listed generation of the file; OSError where it has been replaced or cannot be fetched."""
        with tempfile.TemporaryDirectory(prefix="landed") as folder:
            path = Path(folder) / Path(file.path).name
            blob = self.client.bucket(self._bucket).blob(self._prefix + file.path, generation=file.generation)
            try:
                blob.download_to_filename(str(path))
            except NotFound as error:
                raise OSError(
                    "was replaced or deleted since it was listed; the next look takes what is there"
                ) from error
            except OUT_OF_REACH as error:
                said = phrase(error)
                raise OSError(f"cannot be fetched: {said}") from error
            yield path

    def content_digest(self, file: LandedFile) -> str:
        """SHA-256 of the file's bytes."""
        with self.local_copy(file) as path, path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def _bucket(self) -> str:
        return self.address.removeprefix(SCHEME).partition("/")[0]

    @property
    def _prefix(self) -> str:
        prefix = self.address.removeprefix(SCHEME).partition("/")[2].strip("/")
        return f"{prefix}/" if prefix else ""

    def _listed(self, start: str, tables: Sequence[str]) -> dict[str, list[LandedFile]]:
        found: dict[str, list[LandedFile]] = {table: [] for table in tables}
        try:
            for blob in self.client.list_blobs(self._bucket, prefix=self._prefix + start, fields=FIELDS):
                path = blob.name.removeprefix(self._prefix)
                table = table_of(path)
                if table in found and suffix_of(path) and not any(map(is_passed_over, path.split("/"))):
                    moment = round(blob.time_created.timestamp() * 1e6) * 1000
                    found[table].append(LandedFile(path, blob.size or 0, moment, generation=blob.generation))
        except OUT_OF_REACH as error:
            said = phrase(error)
            raise LandingZoneError(
                f"the landing zone {self.address} cannot be listed: {said}. See that the bucket exists "
                "and that these credentials have roles/storage.objectViewer on it, or set NBA_ASSETS_LANDING"
            ) from error
        for files in found.values():
            files.sort(key=lambda file: (file.modified_nanoseconds, file.path))
        return found
