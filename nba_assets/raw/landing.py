"""Where a provider's files arrive: which files there are for a raw table, and what their paths say about their dates.

A landing zone holds one file per raw table (`schedule.parquet`), or a folder (`play_by_play/...`) with any number of
files at any depth: Parquet, CSV (`.csv`) or JSON lines (`.jsonl`, `.ndjson`, `.json`), the last two also with `.gz`.
A path may name a date, as `game_date=2021-11-15/x.parquet`, `2021-11-15.parquet`, `2021-11-15/x.csv` and
`2021/11/15/x.csv` do; such a file holds rows of that date only. Hidden (`.x`, `_x`), temporary (`*.tmp`) and other
files are passed over. Links are followed, wherever they lead: to link a season into the zone is a way to deliver it.
What stands there under a file's name and cannot be opened as one (a link to nothing, a name that is not UTF-8) is
listed with its fault, so that it is reported like any other file that cannot be used. What is inside the files is read
by `readers`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
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
    r"""One file of one raw table; `path` is within the landing zone and has forward slashes, `size` is in bytes.

    Bytes of a name that are not UTF-8 stand in `path` as `\xe9`. `fault` says why the file cannot be opened at all, as
    what follows "the file". `placed_nanoseconds` is when the file was put where it stands, which a copy that keeps the
    time of its original does not tell otherwise.
    """

    path: str
    size: int
    modified_nanoseconds: int
    fault: str | None = None
    placed_nanoseconds: int = 0
    generation: int | None = None
    """Of an object in a bucket: which of its versions this is."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file is written, and costs no reading; `content_digest` changes with its bytes."""
        if self.generation is not None:
            return f"{self.size:x}-generation-{self.generation}"
        return f"{self.size:x}-{self.modified_nanoseconds:x}"

    @property
    def placed_at(self) -> datetime:
        """When the file was last written, or put where it stands."""
        return datetime.fromtimestamp(max(self.modified_nanoseconds, self.placed_nanoseconds) / 1e9, UTC)

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
        parts = [*path.parent.parts, path.name[: len(path.name) - len(_suffix(self.path))]]
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

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        """The files of each of the raw tables, as `files` gives them, from one look at the place."""
        ...

    def local_copy(self, file: LandedFile) -> AbstractContextManager[Path]:
        """The file on this machine, for as long as the context is open; never a version of it that was not listed.

        Raises OSError where it is not there any more.
        """
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
        if not os.access(self.root, os.R_OK | os.X_OK) or not self.root.is_dir():
            raise LandingZoneError(
                f"the landing zone {self.root} is not a folder that can be read; create it, or set NBA_ASSETS_LANDING "
                "to the folder that holds the raw files"
            )
        names = (*(f"{table}{suffix}" for suffix in FORMAT_OF_SUFFIX), table)
        found = (file for name in names for file in self._found(self.root / name))
        return sorted(found, key=lambda file: (file.modified_nanoseconds, file.path))

    def listing(self, tables: Sequence[str]) -> Mapping[str, list[LandedFile]]:
        """The files of each of the raw tables."""
        return {table: self.files(table) for table in tables}

    @contextmanager
    def local_copy(self, file: LandedFile) -> Iterator[Path]:
        """The file where it stands."""
        yield self.root / file.path

    def content_digest(self, file: LandedFile) -> str:
        """SHA-256 of the file's bytes."""
        with (self.root / file.path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _found(self, top: Path) -> Iterator[LandedFile]:
        """What stands under a name: a file, or the files of a folder at any depth."""
        above: frozenset[tuple[int, int]] = frozenset()
        pending = [(top, above)]
        while pending:
            path, above = pending.pop()
            try:
                facts = path.stat()
                names = os.listdir(path) if stat.S_ISDIR(facts.st_mode) else None
            except OSError as error:
                yield from self._unreachable(path, error)
                continue
            if names is not None:
                here = (facts.st_dev, facts.st_ino)
                if here in above:
                    yield self._faulty(path, "is a link to a folder that it lies in")
                elif not names and _suffix(path.name) in FORMAT_OF_SUFFIX:
                    yield self._faulty(path, "is an empty folder under the name of a file")
                else:
                    inside = above | {here}
                    pending += [(path / name, inside) for name in names if not is_passed_over(name)]
            elif _suffix(path.name) in FORMAT_OF_SUFFIX:
                if not stat.S_ISREG(facts.st_mode):
                    yield self._faulty(path, "is not a regular file")
                elif not _is_utf8(str(path.relative_to(self.root))):
                    yield self._faulty(path, "has a name that is not UTF-8")
                else:
                    yield LandedFile(
                        path.relative_to(self.root).as_posix(),
                        facts.st_size,
                        facts.st_mtime_ns,
                        placed_nanoseconds=facts.st_ctime_ns,
                    )

    def _unreachable(self, path: Path, error: OSError) -> Iterator[LandedFile]:
        """What cannot be looked at, unless it is not there, or would be passed over if it could be looked at."""
        if _suffix(path.name) not in (*FORMAT_OF_SUFFIX, ""):
            return
        if not isinstance(error, FileNotFoundError):
            yield self._faulty(path, f"cannot be opened: {error.strerror}")
        elif path.is_symlink():
            yield self._faulty(path, "is a link to nothing")

    def _faulty(self, path: Path, fault: str) -> LandedFile:
        printable = os.fsencode(path.relative_to(self.root)).decode("utf-8", "backslashreplace")
        return LandedFile(printable, 0, 0, fault)


def is_passed_over(name: str) -> bool:
    """Whether files and folders of this name are left alone: hidden, or not finished."""
    return name.startswith((".", "_")) or name.lower().endswith(".tmp")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def table_of(path: str) -> str:
    """The raw table whose file a path within a landing zone may be, going by its first part."""
    first = path.partition("/")[0]
    return first.removesuffix(suffix_of(first))


def suffix_of(path: str) -> str:
    """How the name of a file ends that can be read, in its own case; empty for any other."""
    suffix = _suffix(path)
    return path[len(path) - len(suffix) :] if suffix in FORMAT_OF_SUFFIX else ""


def _suffix(path: str) -> str:
    suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def _calendar_day(text: str) -> date | None:
    parts = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    try:
        return None if parts is None else date(*map(int, parts.groups()))
    except ValueError:
        return None
