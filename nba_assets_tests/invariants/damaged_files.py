"""Damage to a landed file as a whole: its bytes, format, encoding, columns, name and place."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nba_assets_tests.invariants.damaged_rows import Damage, required_columns
from nba_assets_tests.invariants.landed_file import LandedFile


def csv_text(file: LandedFile, delimiter: str = ",") -> str:
    """The rows as comma-separated text."""
    sink = BytesIO()
    pa_csv.write_csv(file.content, sink, pa_csv.WriteOptions(delimiter=delimiter))
    return sink.getvalue().decode()


def json_lines(file: LandedFile) -> list[str]:
    """The rows as JSON, an object each."""
    return [json.dumps(row, default=str) for row in file.rows]


def replaced(file: LandedFile, suffix: str, content: bytes) -> Path:
    """The file in another format, under a name that says so."""
    file.path.unlink()
    path = file.path.with_suffix(suffix)
    path.write_bytes(content)
    file.is_written = True
    return path


def as_csv(encoding: str = "utf-8", delimiter: str = ",", change: Callable[[list[str]], list[str]] = list) -> Damage:
    """The file as CSV, in an encoding, with a delimiter; `change` is applied to its lines, of which the first is the
    header.
    """

    def damage(file: LandedFile, _: Random) -> None:
        lines = change(csv_text(file, delimiter).splitlines())
        replaced(file, ".csv", "".join(f"{line}\n" for line in lines).encode(encoding))

    return damage


def header_again(lines: list[str]) -> list[str]:
    """The header once more amid the rows."""
    middle = len(lines) // 2 + 1
    return [*lines[:middle], lines[0], *lines[middle:]]


def one_field_more(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},1"]


def quote_left_open(lines: list[str]) -> list[str]:
    return [*lines[:-1], f'"{lines[-1].replace(chr(34), "")}']


def column_twice(lines: list[str]) -> list[str]:
    """The first column once more, as the last."""
    return [f"{line},{line.split(',')[0]}" for line in lines]


def latin_letter(file: LandedFile, rng: Random) -> None:
    """CSV in Latin-1, with a letter that is another in UTF-8."""
    row = file.pick(rng)
    name = next(
        name
        for name in ("player_name", "player_full_name", "arena_name", "reason", "bookmaker_key", "source")
        if name in row
    )
    file.put(row, **{name: "José"})
    file.touched.clear()
    replaced(file, ".csv", csv_text(file).encode("latin-1"))


def as_gzipped_csv(file: LandedFile, _: Random) -> None:
    replaced(file, ".csv.gz", gzip.compress(csv_text(file).encode()))


def gzip_cut_off(file: LandedFile, _: Random) -> None:
    content = gzip.compress(csv_text(file).encode())
    replaced(file, ".csv.gz", content[: len(content) // 2])


def as_json_lines(file: LandedFile, _: Random) -> None:
    replaced(file, ".jsonl", "\n".join(json_lines(file)).encode())


def broken_line(file: LandedFile, rng: Random) -> None:
    """JSON lines, one of which ends too early."""
    row = file.pick(rng)
    lines = [
        line[: len(line) // 2] if other is row else line
        for line, other in zip(json_lines(file), file.rows, strict=True)
    ]
    replaced(file, ".jsonl", "\n".join(lines).encode())


def json_array(file: LandedFile, _: Random) -> None:
    replaced(file, ".json", f"[{','.join(json_lines(file))}]".encode())


def no_bytes(file: LandedFile, _: Random) -> None:
    file.path.write_bytes(b"")
    file.is_written = True


def half_of_the_bytes(file: LandedFile, _: Random) -> None:
    content = file.path.read_bytes()
    file.path.write_bytes(content[: len(content) // 2])
    file.is_written = True


def one_byte_turned(file: LandedFile, rng: Random) -> None:
    """A byte of the pages of a Parquet file is another; it may or may not be noticed, but nothing else may come of
    it.
    """
    content = bytearray(file.path.read_bytes())
    content[rng.randrange(len(content) // 4, len(content) // 2)] ^= 0xFF
    file.path.write_bytes(bytes(content))
    file.is_written = True


def csv_called_parquet(file: LandedFile, _: Random) -> None:
    file.path.write_text(csv_text(file))
    file.is_written = True


def no_rows(file: LandedFile, _: Random) -> None:
    file.write(file.content.slice(0, 0))


def file_lost(file: LandedFile, _: Random) -> None:
    file.path.unlink()
    file.is_written = True


def folder_in_its_place(file: LandedFile, _: Random) -> None:
    file.path.unlink()
    file.path.mkdir()
    (file.path / "_SUCCESS").touch()
    file.is_written = True


def link_to_nothing(file: LandedFile, _: Random) -> None:
    file.path.unlink()
    file.path.symlink_to(file.path.with_name("elsewhere.parquet"))
    file.is_written = True


def name_that_is_no_utf8(file: LandedFile, _: Random) -> None:
    """The same file once more under a name that is no UTF-8, which file systems of Linux take."""
    os.link(file.path, os.path.join(os.fsencode(file.path.parent), b"part-caf\xe9.parquet"))
    file.is_written = True


def copy_beside(file: LandedFile, _: Random) -> None:
    shutil.copy(file.path, file.path.with_name("part-copy.parquet"))
    file.is_written = True


def moved_to(folder: Callable[[LandedFile], str]) -> Damage:
    """The file in another folder of its table."""

    def damage(file: LandedFile, _: Random) -> None:
        target = file.path.parent.with_name(folder(file))
        target.mkdir(exist_ok=True)
        file.path.rename(target / "part-moved.parquet")
        file.is_written = True

    return damage


def copied_to_the_next_date(file: LandedFile, _: Random) -> None:
    target = file.path.parent.with_name(next_date(file))
    target.mkdir(exist_ok=True)
    shutil.copy(file.path, target / "part-copy.parquet")
    file.is_written = True


def next_date(file: LandedFile) -> str:
    """The folder of the date after the file's."""
    return f"{file.path.parent.name.split('=')[0]}={file.day + timedelta(days=1)}"


def column_lost(file: LandedFile, rng: Random) -> None:
    file.write(file.content.drop_columns([rng.choice(required_columns(file))]))


def renamed(rename: Callable[[str], str]) -> Damage:
    """A required column under another name."""

    def damage(file: LandedFile, rng: Random) -> None:
        content, name = file.content, rng.choice(required_columns(file))
        file.write(
            content.rename_columns([rename(other) if other == name else other for other in content.column_names])
        )

    return damage


def columns_added(file: LandedFile, _: Random) -> None:
    """Columns that no contract has, one of them nested."""
    content = file.content
    nested = pa.array([{"lines": [{"book": "a", "points": 1.5}]}] * content.num_rows)
    file.write(
        content.append_column("fantasy_points", pa.array(range(content.num_rows))).append_column("extra", nested)
    )


def columns_reversed(file: LandedFile, _: Random) -> None:
    file.write(file.content.select(file.content.column_names[::-1]))


def nested_column(file: LandedFile, rng: Random) -> None:
    """A required column whose values are lists."""
    content, name = file.content, rng.choice(required_columns(file))
    place = content.column_names.index(name)
    file.write(content.set_column(place, name, pa.array([[value] for value in content[name].to_pylist()])))


def parquet_column_twice(file: LandedFile, rng: Random) -> None:
    content, name = file.content, rng.choice(required_columns(file))
    file.write(content.append_column(name, content[name]))


def other_text_types(file: LandedFile, _: Random) -> None:
    """Texts as Arrow's large ones and as dictionaries, in small row groups."""
    content = file.content
    for place, part in enumerate(content.schema):
        if pa.types.is_string(part.type):
            values = content[part.name].dictionary_encode() if place % 2 else content[part.name].cast(pa.large_string())
            content = content.set_column(place, part.name, values)
    pq.write_table(content, file.path, row_group_size=7)
    file.is_written = True
