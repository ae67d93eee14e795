"""Facts about landed files, kept in a SQLite file so that they survive a restart.

What they mean is in `content_index`.

It is a cache: an entry that is lost, damaged, or from other code or limits is not given back, and its file is read
again. Several processes may share it.
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.partitions import FIRST_DATE
from nba_assets.raw.limits import Limits
from nba_assets.tables.spec import Columns

LOGGER = logging.getLogger(__name__)
WAIT_SECONDS = 5.0
"""How long another process that writes is waited for."""

OUT_OF_REACH = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
"""Primary codes of errors that say nothing of what is in the file; after any other it is damaged."""

CREATE = """
    CREATE TABLE IF NOT EXISTS landed_file_1 (
        zone TEXT, path TEXT, version TEXT, fingerprint TEXT, facts TEXT, content BLOB, digest BLOB, PRIMARY KEY (zone,
        path)
    ) WITHOUT ROWID
"""


@dataclass(frozen=True)
class StoredFile:
    """What is known of one file: its fingerprint, facts that JSON can hold, and columns of one length."""

    fingerprint: str
    facts: Mapping[str, Any]
    columns: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class LandedStore:
    """The entries of one landing zone, `zone`, made by one `version` of everything that they depend on."""

    file: Path
    zone: str
    version: str

    def load(self) -> dict[str, StoredFile]:
        """All entries that are whole, by path; none where the file cannot be read."""
        found: dict[str, StoredFile] = {}

        def read(connection: sqlite3.Connection) -> None:
            rows = connection.execute(
                "SELECT path, fingerprint, facts, content, digest FROM landed_file_1 WHERE zone = ? AND version = ?",
                (self.zone, self.version),
            )
            for path, fingerprint, facts, content, digest in rows:
                whole = all(isinstance(part, str) for part in (path, fingerprint, facts)) and isinstance(content, bytes)
                if whole and self._digest(path, fingerprint, facts, content) == digest:
                    found[path] = StoredFile(fingerprint, json.loads(facts), _unpacked(content))

        if self.file.exists():
            self._with_connection(read)
        return found

    def save(self, files: Mapping[str, StoredFile], gone: Collection[str]) -> None:
        """Keep some entries and drop others, all or nothing; where that is not possible, a line in the log says so."""
        rows = []
        for path, stored in files.items():
            facts, content = json.dumps(stored.facts, sort_keys=True), _packed(stored.columns)
            rows.append(
                (
                    self.zone,
                    path,
                    self.version,
                    stored.fingerprint,
                    facts,
                    content,
                    self._digest(path, stored.fingerprint, facts, content),
                )
            )

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM landed_file_1 WHERE zone = ? AND version <> ?", (self.zone, self.version))
            connection.executemany(
                "DELETE FROM landed_file_1 WHERE zone = ? AND path = ?", [(self.zone, path) for path in gone]
            )
            connection.executemany("INSERT OR REPLACE INTO landed_file_1 VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

        self._with_connection(write)

    def _with_connection(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do something in one transaction; what goes wrong costs no more than that files are read again."""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.file, timeout=WAIT_SECONDS)) as connection, connection:
                connection.execute(CREATE)
                work(connection)
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            code = getattr(error, "sqlite_errorcode", None)
            if isinstance(error, OSError) or (code is not None and code & 0xFF in OUT_OF_REACH):
                LOGGER.warning(
                    (
                        "%s, which keeps what is known of landed files, cannot be used: %s. They are read again after "
                        "a restart."
                    ),
                    self.file,
                    error,
                )
            else:
                LOGGER.warning("%s is damaged (%s) and begins anew: all landed files are read again.", self.file, error)
                self.file.unlink(missing_ok=True)

    def _digest(self, path: str, fingerprint: str, facts: str, content: bytes) -> bytes:
        parts = (self.zone, path, self.version, fingerprint, facts)
        return blake2b(
            content,
            digest_size=16,
            key=blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=32).digest(),
        ).digest()


@cache
def code_version() -> str:
    """Digest of everything in this package and beside it that the content of a file depends on, as it is read."""
    package = Path(__file__).resolve().parents[1]
    digest = blake2b(digest_size=16)
    for file in sorted(file for folder in ("raw", "tables", "basketball") for file in (package / folder).rglob("*.py")):
        digest.update(file.read_bytes())
    libraries = [importlib.metadata.version(name) for name in ("pyarrow", "duckdb", "pandas", "numpy")]
    return f"{digest.hexdigest()} {' '.join(libraries)}"


def store_version(limits: Limits) -> str:
    """Tells entries that were made by this code, under these limits, from all others."""
    return f"{code_version()} {FIRST_DATE} {limits}"


def _packed(columns: Columns) -> bytes:
    """Columns as one batch in Arrow's format; moments as whole numbers, since what they are is in the names."""
    arrays = [pa.array(values if values.dtype.kind != "M" else values.astype(np.int64)) for values in columns.values()]
    batch = pa.record_batch(arrays, names=[f"{name} {values.dtype.str}" for name, values in columns.items()])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _unpacked(content: bytes) -> Columns:
    batch = pa.ipc.open_stream(content).read_next_batch()
    found: dict[str, NDArray[Any]] = {}
    for header, column in zip(batch.schema.names, batch.columns, strict=True):
        name, kind = header.rsplit(" ", 1)
        values = column.to_numpy(zero_copy_only=False)
        found[name] = values.view(kind) if np.dtype(kind).kind == "M" else values.astype(kind, copy=False)
    return found
