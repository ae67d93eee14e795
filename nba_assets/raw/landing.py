"""Where a provider's files arrive: which files there are for a raw table, and what their paths say about their dates.

A landing zone holds one file per raw table (`schedule.parquet`), or a folder (`play_by_play/...`) with any number of
files at any depth: Parquet, CSV (`.csv`) or JSON lines (`.jsonl`, `.ndjson`, `.json`), the last two also with `.gz`.
A path may name a date, as `game_date=2021-11-15/x.parquet`, `2021-11-15.parquet`, `2021-11-15/x.csv` and
`2021/11/15/x.csv` do; such a file holds rows of that date only. Hidden (`.x`, `_x`), temporary (`*.tmp`) and other
files are passed over. What is inside the files is the business of `readers`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote


class LandingZoneError(Exception):
    """The landing zone itself cannot be used; the message says what to do."""


class Format(StrEnum):
    """Kinds of files that can be read."""

    PARQUET = "Parquet"
    CSV = "CSV"
    JSON_LINES = "JSON lines"


FORMAT_OF_SUFFIX: Mapping[str, Format] = {
    ".parquet": Format.PARQUET,
    ".csv": Format.CSV,
    ".csv.gz": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".jsonl.gz": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".ndjson.gz": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
    ".json.gz": Format.JSON_LINES,
}
"""What a file is, by how its name ends."""

ANY_DATE = frozenset(("date", "day", "ds", "dt"))
"""Names under which `name=2021-11-15` in a path means the table's own date, whatever its date column is called."""


@dataclass(frozen=True)
class LandedFile:
    """One file of one raw table; `path` is within the landing zone and has forward slashes, `size` is in bytes."""

    path: str
    size: int
    modified_nanoseconds: int

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file is written, and costs no reading; `content_digest` changes with its bytes."""
        return f"{self.size:x}-{self.modified_nanoseconds:x}"

    @property
    def format(self) -> Format:
        """What kind of file it is."""
        return FORMAT_OF_SUFFIX[_suffix(self.path)]

    @property
    def is_gzipped(self) -> bool:
        """The file is compressed as a whole."""
        return self.path.lower().endswith(".gz")

    @property
    def path_values(self) -> dict[str, str]:
        """The `name=value` folders of the path."""
        pairs = (part.split("=", 1) for part in PurePosixPath(self.path).parent.parts if "=" in part)
        return {name: unquote(value) for name, value in pairs}

    def date_of(self, date_column: str) -> date | None:
        """The date that the path names for a table stored by `date_column`, None where it names none.

        A date under the name of another column (`report_date=2021-11-14`) is that column's value and not the table's
        date.
        """
        path = PurePosixPath(self.path)
        parts = [*path.parent.parts, path.name[: -len(_suffix(self.path))]]
        named = [value for name, value in self.path_values.items() if name == date_column or name in ANY_DATE]
        whole = [part for part in parts if "=" not in part]
        split = [re.sub("^(year|month|day)=", "", part) for part in parts]
        in_three = ["-".join(three) for three in zip(split, split[1:], split[2:], strict=False)]
        return next((day for text in (*named, *whole, *in_three) if (day := _calendar_day(text)) is not None), None)


class LandingZone(Protocol):
    """A place where files arrive, be it a folder or a bucket."""

    def files(self, table: str) -> list[LandedFile]:
        """The files of a raw table, oldest first; none where the feed is absent.

        Raises LandingZoneError where the place cannot be used.
        """
        ...

    def local_copy(self, file: LandedFile) -> AbstractContextManager[Path]:
        """The file on this machine, for as long as the context is open."""
        ...

    def content_digest(self, file: LandedFile) -> str:
        """Digest of the file's bytes, equal for equal bytes; 64 hexadecimal digits."""
        ...


@dataclass(frozen=True)
class FolderLandingZone:
    """A landing zone in a folder of this machine."""

    root: Path

    def files(self, table: str) -> list[LandedFile]:
        """The files of a raw table, oldest first, those of the same moment by name."""
        if not self.root.is_dir():
            raise LandingZoneError(
                f"the landing zone {self.root} is not a folder; create it, or set NBA_ASSETS_LANDING to the folder that holds the raw files"
            )
        single = [path for suffix in FORMAT_OF_SUFFIX if (path := self.root / f"{table}{suffix}").is_file()]
        return sorted(
            (self._landed(path) for path in (*single, *self._inside(self.root / table))),
            key=lambda file: (file.modified_nanoseconds, file.path),
        )

    @contextmanager
    def local_copy(self, file: LandedFile) -> Iterator[Path]:
        """The file where it stands."""
        yield self.root / file.path

    def content_digest(self, file: LandedFile) -> str:
        """SHA-256 of the file's bytes."""
        with (self.root / file.path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _inside(self, folder: Path) -> Iterator[Path]:
        for path in folder.rglob("*"):
            passed_over = any(part.startswith((".", "_")) or part.lower().endswith(".tmp") for part in path.relative_to(folder).parts)
            if not passed_over and _suffix(path.name) in FORMAT_OF_SUFFIX and path.is_file():
                yield path

    def _landed(self, path: Path) -> LandedFile:
        facts = path.stat()
        return LandedFile(path.relative_to(self.root).as_posix(), facts.st_size, facts.st_mtime_ns)


def _suffix(path: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def _calendar_day(text: str) -> date | None:
    parts = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    try:
        return None if parts is None else date(*map(int, parts.groups()))
    except ValueError:
        return None
