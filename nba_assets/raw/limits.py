"""What reading one landed file may cost: bounds on its size, content, columns, lines and nesting, each with its
message.

The checks here are made before memory is spent. Which bytes and values a format has is in `readers`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba_assets.settings import Settings, variables

MEGABYTE, KILOBYTE = 2**20, 2**10
BYTES_PER_VALUE = 16
"""What a value counts for at least: an empty one still costs a place in each array that it goes through."""

JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')


class BadFileError(Exception):
    """A whole file cannot be used; `column` is the column at fault, where there is one."""

    def __init__(self, reason: str, column: str | None = None, *, is_transient: bool = False) -> None:
        """`reason` goes on where "the file" begins; `is_transient` where the same file may be read another time, e.g.
        once it is there again.
        """
        super().__init__(reason)
        self.column = column
        self.is_transient = is_transient


@dataclass(frozen=True)
class Limits:
    """Bounds in bytes, columns and levels.

    Each check raises BadFileError with what there is, what is allowed, and the setting that allows more.
    """

    file_bytes: int
    content_bytes: int
    columns: int
    line_bytes: int
    nesting: int

    @classmethod
    def from_settings(cls, settings: Settings) -> Limits:
        """The limits that the settings name."""
        return cls(
            settings.max_file_megabytes * MEGABYTE,
            settings.max_content_megabytes * MEGABYTE,
            settings.max_file_columns,
            settings.max_line_kilobytes * KILOBYTE,
            settings.max_nesting,
        )

    def check_file(self, size: int) -> None:
        """Check the size of the file as it stands on disk."""
        if size > self.file_bytes:
            raise BadFileError(
                f"is {size:,} bytes long, at most {self.file_bytes:,} are allowed{_setting('max_file_megabytes')}"
            )

    def check_content(self, size: int, *, at_least: bool = False) -> None:
        """Check the size of the content once it is decompressed and decoded; `at_least` where more of it was not looked
        at.
        """
        if size > self.content_bytes:
            counted = f"{'more than ' if at_least else ''}{min(size, self.content_bytes) if at_least else size:,}"
            raise BadFileError(
                f"holds {counted} bytes once it is decompressed, at most {self.content_bytes:,} are "
                f"allowed{_setting('max_content_megabytes')}"
            )

    def check_values(self, rows: int, columns: int) -> None:
        """Check how much the values of the rows take in memory."""
        size = rows * columns * BYTES_PER_VALUE
        if size > self.content_bytes:
            raise BadFileError(
                f"holds {rows:,} rows of {columns:,} columns, which take {size:,} bytes in memory, at most "
                f"{self.content_bytes:,} are allowed{_setting('max_content_megabytes')}"
            )

    def check_columns(self, count: int, *, at_least: bool = False) -> None:
        """Check the number of columns; `at_least` where more of them were not counted."""
        if count > self.columns:
            counted = f"more than {self.columns:,}" if at_least else f"{count:,}"
            raise BadFileError(
                f"has {counted} columns, at most {self.columns:,} are allowed{_setting('max_file_columns')}"
            )

    def check_lines(self, text: bytes | bytearray) -> None:
        """Check the longest line of a text. It costs one look per `line_bytes`."""
        newline = b"\n" if b"\n" in text else b"\r"
        start = 0
        while len(text) - start > self.line_bytes:
            end = text.rfind(newline, start, start + self.line_bytes + 1)
            if end < 0:
                number = text.count(newline, 0, start) + 1
                raise BadFileError(
                    f"has more than {self.line_bytes:,} bytes in line {number:,}, more are not "
                    f"allowed{_setting('max_line_kilobytes')}"
                )
            start = end + 1

    def check_json_nesting(self, text: bytes | bytearray, lines: pa.LargeStringArray) -> None:
        """Check how deep the objects and lists of any line of JSON lie in each other."""
        if text.count(b"{") + text.count(b"[") < len(lines) + self.nesting:
            return
        opened = pc.add(pc.count_substring(lines, "{"), pc.count_substring(lines, "["))
        for place in np.flatnonzero(opened.to_numpy(zero_copy_only=False) > self.nesting).tolist():
            symbols = np.frombuffer(JSON_STRING.sub(b"", lines[place].as_buffer().to_pybytes()), dtype=np.uint8)
            steps = np.isin(symbols, (ord("{"), ord("["))).astype(np.int64) - np.isin(symbols, (ord("}"), ord("]")))
            self.check_nesting(int(steps.cumsum().max(initial=0)), f" in line {place + 1:,}")

    def check_nesting(self, depth: int, where: str = "") -> None:
        """Check how deep values lie in each other."""
        if depth > self.nesting:
            raise BadFileError(
                f"nests values {depth:,} levels deep{where}, at most {self.nesting:,} are "
                f"allowed{_setting('max_nesting')}"
            )


def _setting(name: str) -> str:
    return f" ({variables()[name]})"
