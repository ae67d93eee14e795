"""A landing zone whose files are partitions of raw tables that a customer's BigQuery already has.

A file is made, as Parquet, when it is read: by the SELECT of its raw table in `source_tables`. Its version follows from
when its partitions were modified and, once a day, from their content; what is read of it is what was listed, or
nothing. Clients are made elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import requests
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient

from nba_assets.raw.landing import LandedFile, LandingZoneError
from nba_assets.raw.source_tables import SOURCES, Partitions, Source
from nba_assets.raw.tables import RAW_TABLES
from nba_assets.warehouse.address import DEFAULT_LOCATION, is_whole_number, parts_of
from nba_assets.wording import phrase

OUT_OF_REACH = (GoogleAPICallError, RetryError, GoogleAuthError, requests.RequestException)
DAYS_AT_ONCE = 31
"""Dates that one query fetches, where several in a row were not fetched: a season is some eight queries per table."""
MOST_UNREAD = 2000
"""Files that are kept in memory although nobody has read them yet."""
ALL_DAYS = (date(1900, 1, 1), date(2200, 1, 1))
"""Stands for any date where a partition filter is required."""
SUFFIX = ".parquet"


class SourceAddressError(LandingZoneError):
    """An address that names no source tables; the message says what one looks like."""


@dataclass(frozen=True)
class SourceAddress:
    """Where the source tables are: two datasets of a project."""

    project: str
    raw: str
    reference: str
    location: str
    maximum_gigabytes: int = 100
    """What a query may bill at most."""

    @classmethod
    def parse(cls, address: str) -> SourceAddress:
        """The parts of an address.

        >>> SourceAddress.parse("bigquery://my-project/nba_raw?reference=nba_reference&location=EU")
        SourceAddress(project='my-project', raw='nba_raw', reference='nba_reference', location='EU',
        maximum_gigabytes=100)
        """
        project, raw, options = parts_of(address) or ("", "", {})
        reference, gigabytes = options.get("reference", "nba_reference"), options.get("max_gb", "100")
        whole = (
            raw
            and re.fullmatch(r"\w+", reference, re.ASCII)
            and is_whole_number(gigabytes)
            and not options.keys() - {"reference", "location", "max_gb"}
        )
        if not whole:
            raise SourceAddressError(
                f"{address!r} names no raw tables in BigQuery; write "
                "bigquery://PROJECT/nba_raw?reference=nba_reference&location=EU"
            )
        return cls(project, raw, reference, options.get("location", DEFAULT_LOCATION), int(gigabytes))

    def dataset(self, table: Partitions) -> str:
        """The full name of the dataset of a source table."""
        return f"{self.project}.{self.reference if table.is_reference else self.raw}"


class Modifications(Protocol):
    """When the partitions of tables were last modified; the whole of a table without partitions is None."""

    def look(self, tables: Sequence[Partitions]) -> Mapping[str, Mapping[date | None, datetime]]:
        """By table, of those that there are, and by partition."""
        ...


@dataclass
class CatalogueModifications:
    """What BigQuery's catalogue says of modifications: the partitions of a table are queried when the table was
    modified, which is free to be known.
    """

    address: SourceAddress
    client: bigquery.Client
    _known: dict[str, tuple[object, Mapping[date | None, datetime]]] = field(default_factory=dict)
    """By table: its state, and the partitions in that state."""

    def look(self, tables: Sequence[Partitions]) -> Mapping[str, Mapping[date | None, datetime]]:
        """By table, of those that there are, and by partition."""
        stored = {table.table: self._stored(table) for table in tables}
        there = [table for table in tables if stored[table.table] is not None]
        for table in there:
            found = stored[table.table]
            state = (found.modified, found.num_rows)
            if self._known.get(table.table, (None,))[0] != state:
                partitions: Mapping[date | None, datetime] = {None: found.modified}
                if table.column is not None:
                    partitions = self._partitions(table)
                self._known[table.table] = (state, partitions)
        return {table.table: self._known[table.table][1] for table in there}

    def _stored(self, table: Partitions) -> Any:
        try:
            return self.client.get_table(f"{self.address.dataset(table)}.{table.table}")
        except NotFound:
            return None

    def _partitions(self, table: Partitions) -> dict[date | None, datetime]:
        statement = (
            "SELECT partition_id, last_modified_time "
            f"FROM `{self.address.dataset(table)}`.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = '{table.table}'"
        )
        # What is no date is the partition of rows without one, or of rows that are still in a buffer.
        return {
            datetime.strptime(partition, "%Y%m%d").date(): modified
            for partition, modified in run(self.client, self.address, statement)
            if re.fullmatch(r"\d{8}", partition or "")
        }


@dataclass(frozen=True)
class SourceTables:
    """The raw tables of a customer at an address; zones of one address are equal, whichever their clients."""

    address: str
    client: bigquery.Client = field(repr=False, compare=False)
    reader: BigQueryReadClient | None = field(repr=False, compare=False)
    """Fetches results faster than the client does without it."""
    modifications: Modifications = field(repr=False, compare=False)
    home: Path = field(repr=False, compare=False)
    """Where the nightly fingerprints are kept."""
    _fetched: dict[tuple[str, str], pa.Table] = field(default_factory=dict, repr=False, compare=False)
    """Rows that were fetched with others and not read yet, by path and version of their file."""
    _readings: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False, compare=False)
    """How often each version of a file was read."""
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)

    def files(self, table: str) -> list[LandedFile]:
        """The files of a raw table: one for each date of each of its sources, or one for a whole source."""
        return self.listing([table])[table]

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        """The files of each of the raw tables, from one look at the catalogue."""
        modified, prints = self._state([source for table in tables for source in SOURCES[table]])
        return {
            table: sorted(
                (file for source in SOURCES[table] for file, _ in self._listed(table, source, modified, prints)),
                key=lambda file: (file.modified_nanoseconds, file.path),
            )
            for table in tables
        }

    @contextmanager
    def local_copy(self, file: LandedFile) -> Iterator[Path]:
        """The file, fetched with those of the dates after it; OSError where it has changed since it was listed."""
        key = (file.path, file.fingerprint)
        with self._one_at_a_time:
            if key not in self._fetched:
                self._fetch(file)
            rows = self._fetched.pop(key, None)
            self._readings[key] += 1
        if rows is None:
            raise OSError("was changed since it was listed; the next look takes what is there")
        with tempfile.TemporaryDirectory(prefix="landed") as folder:
            path = Path(folder) / Path(file.path).name
            pq.write_table(rows, path)
            yield path

    def content_digest(self, file: LandedFile) -> str:
        """SHA-256 of the rows as Parquet."""
        with self.local_copy(file) as path, path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def _place(self) -> SourceAddress:
        return SourceAddress.parse(self.address)

    def _state(
        self, sources: Sequence[Source]
    ) -> tuple[Mapping[str, Mapping[date | None, datetime]], Mapping[str, Mapping[str, str]]]:
        """When each partition that sources read was modified, and its fingerprint of the day."""
        tables = list({read.table: read for source in sources for read in source.reads}.values())
        with self._one_at_a_time, self._in_reach():
            modified = self.modifications.look(tables)
            return modified, self._fingerprints([table for table in tables if table.table in modified])

    def _listed(
        self,
        table: str,
        source: Source,
        modified: Mapping[str, Mapping[date | None, datetime]],
        prints: Mapping[str, Mapping[str, str]],
    ) -> Iterator[tuple[LandedFile, date | None]]:
        """The files of a source, each with its date."""
        of_first = modified.get(source.name, {})
        days: set[date | None] = (
            {None} if source.whole else {day for partition in of_first if partition for day in source.days(partition)}
        )
        for day in days if of_first else ():
            parts = [
                (read.table, partition, moment, prints.get(read.table, {}).get(str(partition)))
                for read in source.reads
                for partition, moment in modified.get(read.table, {}).items()
                if day is None or partition is None or -read.before <= (partition - day).days <= read.after
            ]
            version = hashlib.blake2b(repr(sorted(parts, key=repr)).encode(), digest_size=7).digest()
            newest = max(moment for _, _, moment, _ in parts)
            path = f"{table}/{source.name}/{day}{SUFFIX}" if day is not None else f"{table}/{source.name}{SUFFIX}"
            nanoseconds = round(newest.timestamp() * 1e6) * 1000
            yield LandedFile(path, 0, nanoseconds, generation=int.from_bytes(version, "big")), day

    def _fetch(self, file: LandedFile) -> None:
        """Fetch a file, and those of the dates after it that were not read more often; none that has changed meanwhile.

        Whoever reads a range, be it again, comes to all of its dates; after a change only the changed one is new.
        """
        table, source = source_of(file.path)
        day = file.date_of(RAW_TABLES[table].table.date_column)
        first, last = (day, day + timedelta(days=DAYS_AT_ONCE - 1)) if day else ALL_DAYS
        requested = (file.path, file.fingerprint)
        before = {
            key: of
            for key, of in self._current(table, source)
            if (of is None or first <= of <= last)
            and key not in self._fetched
            and self._readings[key] <= self._readings[requested]
        }
        if requested not in before:
            return
        rows = self._rows(source, first, last if day is None else max(of for of in before.values() if of))
        for key in before.keys() & dict(self._current(table, source)).keys():
            self._fetched[key] = _of_day(rows, RAW_TABLES[table].table.date_column, before[key])
        for key in list(self._fetched)[:-MOST_UNREAD]:
            del self._fetched[key]

    def _current(self, table: str, source: Source) -> Iterator[tuple[tuple[str, str], date | None]]:
        """Path, version and date of the files of a source, as they are now."""
        for file, day in self._listed(table, source, *self._state([source])):
            yield (file.path, file.fingerprint), day

    def _rows(self, source: Source, first: date, last: date) -> pa.Table:
        """The rows of a source, in an order that follows from what they hold; raises OSError where that fails."""
        place = self._place
        names = {"raw": f"{place.project}.{place.raw}", "reference": f"{place.project}.{place.reference}"}
        statement = source.select.format(**names, first=f"DATE '{first}'", last=f"DATE '{last}'")
        try:
            found = run(self.client, place, statement)
            rows = found.to_arrow(bqstorage_client=self.reader, create_bqstorage_client=False)
        except OUT_OF_REACH as error:
            said = phrase(error)
            raise OSError(f"cannot be read of {source.name}: {said}") from error
        return rows.sort_by([(name, "ascending") for name in rows.column_names])

    def _fingerprints(self, tables: Sequence[Partitions]) -> Mapping[str, Mapping[str, str]]:
        """Of each partition the number of its rows and a digest of their content, as of the day's first look.

        They show what the times of modification do not: rows deleted, or written in a way that leaves no trace.
        """
        store = self.home / "source_fingerprints.json"
        of_today = {"address": self.address, "day": datetime.now(UTC).date().isoformat()}
        kept = json.loads(store.read_text()) if store.is_file() else {}
        known = kept["tables"] if of_today.items() <= kept.items() else {}
        if missing := [table for table in tables if table.table not in known]:
            known = known | {table.table: self._fingerprint(table) for table in missing}
            store.parent.mkdir(parents=True, exist_ok=True)
            unfinished = store.with_suffix(f".{os.getpid()}.tmp")
            unfinished.write_text(json.dumps({**of_today, "tables": known}))
            unfinished.replace(store)
        fingerprints: Mapping[str, Mapping[str, str]] = known
        return fingerprints

    def _fingerprint(self, table: Partitions) -> dict[str, str]:
        name = f"`{self._place.dataset(table)}.{table.table}`"
        day = table.column or "NULL"
        where = f"WHERE {table.column} >= DATE '{ALL_DAYS[0]}'" if table.column else ""
        statement = (
            f"SELECT {day} AS day, COUNT(*), BIT_XOR(FARM_FINGERPRINT(TO_JSON_STRING(source))) "
            f"FROM {name} AS source {where} GROUP BY day"
        )
        return {
            str(partition): f"{count}:{digest}" for partition, count, digest in run(self.client, self._place, statement)
        }

    @contextmanager
    def _in_reach(self) -> Iterator[None]:
        try:
            yield
        except OUT_OF_REACH as error:
            said = phrase(error)
            raise LandingZoneError(
                f"the raw tables {self.address} cannot be listed: {said}. See that the datasets exist in "
                "this location and that these credentials have roles/bigquery.dataViewer on them and "
                "roles/bigquery.jobUser on the project, or set NBA_ASSETS_LANDING"
            ) from error


def run(client: bigquery.Client, place: SourceAddress, statement: str) -> Any:
    """The rows of a query, which bills no more than the address allows."""
    config = bigquery.QueryJobConfig(
        maximum_bytes_billed=place.maximum_gigabytes * 10**9, labels={"app": "nba-assets", "purpose": "landing"}
    )
    return client.query(statement, job_config=config, location=place.location).result()


def source_of(path: str) -> tuple[str, Source]:
    """The raw table and the source of a file."""
    table, name = path.split("/")[:2]
    return table, next(source for source in SOURCES[table] if source.name == name.removesuffix(SUFFIX))


def _of_day(rows: pa.Table, date_column: str, day: date | None) -> pa.Table:
    return rows if day is None else rows.filter(pc.equal(rows[date_column], pa.scalar(day, pa.date32())))
