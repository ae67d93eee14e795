"""Files that cost more than they may are refused before the memory is spent, each with what it has, what is allowed and
the setting.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.raw import readers
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.limits import BadFileError, Limits
from nba_assets.raw.readers import read_file
from nba_assets.settings import Settings, variables
from nba_assets.warehouse.interface import Warehouse
from nba_assets_tests.raw.feeds import ingested, injury_row, quarantine, stored, write

NAMES = ("player_lookup", "game_date", "reason")
LIMITS = Limits(file_bytes=10**6, content_bytes=2 * 10**6, columns=20, line_bytes=5000, nesting=4)


def refused(path: Path, limits: Limits = LIMITS) -> str:
    """Why a file is refused."""
    with pytest.raises(BadFileError) as raised:
        rows(path, limits)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def rows(path: Path, limits: Limits = LIMITS) -> pa.Table:
    """The rows of a file that is within the limits."""
    (file,) = (
        file for file in FolderLandingZone(path.parent.parent).files(path.parent.name) if file.path.endswith(path.name)
    )
    return read_file(path, file, NAMES, "game_date", limits=limits).rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "injury_report"
    found.mkdir()
    return found


def text(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


LINE = {"csv": b"a,2021-11-15,b\n", "jsonl": b'{"player_lookup": "a", "game_date": "2021-11-15", "reason": "b"}\n'}
HEADER = {"csv": b"player_lookup,game_date,reason\n", "jsonl": b""}


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.csv.gz", "x.jsonl.gz"])
def test_content_may_be_as_large_as_allowed_and_no_larger(name: str, folder: Path) -> None:
    kind = name.split(".")[1]
    content = HEADER[kind] + LINE[kind] * 1000
    path = text(folder, name, content)
    enough = replace(LIMITS, content_bytes=len(content))
    if kind == "csv":
        # Three values a row count for more than their few characters.
        enough = replace(LIMITS, content_bytes=1001 * 3 * 16)
        assert refused(path, replace(enough, content_bytes=enough.content_bytes - 1)).startswith(
            "holds 1,001 rows of 3 columns, which take 48,048 bytes"
        )
    assert rows(path, enough).num_rows == 1000
    said = refused(path, replace(LIMITS, content_bytes=len(content) - 1))
    assert "bytes once it is decompressed" in said
    assert said.endswith(f"at most {len(content) - 1:,} are allowed (NBA_ASSETS_MAX_CONTENT_MB)")


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.csv.gz", "x.parquet"])
def test_a_file_may_be_as_large_as_allowed_and_no_larger(name: str, folder: Path) -> None:
    path = write(folder.parent, f"injury_report/{name}", [injury_row()])
    size = path.stat().st_size
    assert rows(path, replace(LIMITS, file_bytes=size)).num_rows == 1
    assert (
        refused(path, replace(LIMITS, file_bytes=size - 1))
        == f"is {size:,} bytes long, at most {size - 1:,} are allowed (NBA_ASSETS_MAX_FILE_MB)"
    )


def test_a_compressed_file_that_understates_its_size_is_read_no_further_than_allowed(folder: Path) -> None:
    path = text(folder, "x.csv.gz", HEADER["csv"] + LINE["csv"] * 10**5)
    path.write_bytes(path.read_bytes() + gzip.compress(LINE["csv"]))
    assert refused(path, replace(LIMITS, content_bytes=10**6)).startswith(
        "holds more than 1,000,000 bytes once it is decompressed"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_line_may_be_as_long_as_allowed_and_no_longer(kind: str, folder: Path) -> None:
    long = (
        b"a,2021-11-15,%s\n"
        if kind == "csv"
        else b'{"player_lookup": "a", "game_date": "2021-11-15", "reason": "%s"}\n'
    )
    fitting = long % (b"x" * (LIMITS.line_bytes - len(long % b"") + 1))
    assert (
        rows(text(folder, f"x.{kind}", HEADER[kind] + LINE[kind] * 700 + fitting + LINE[kind] * 700)).num_rows == 1401
    )
    said = refused(
        text(folder, f"y.{kind}", HEADER[kind] + LINE[kind] * 700 + fitting.replace(b"x", b"xx", 1) + LINE[kind])
    )
    number = 701 + len(HEADER[kind].splitlines())
    assert said == f"has more than 5,000 bytes in line {number}, more are not allowed (NBA_ASSETS_MAX_LINE_KB)"
    assert "in line 1, more" in refused(text(folder, f"z.{kind}", b"x" * 6000))


def test_lines_that_end_in_carriage_returns_alone_are_lines(folder: Path) -> None:
    content = (HEADER["csv"] + LINE["csv"] * 1000).replace(b"\n", b"\r")
    assert rows(text(folder, "x.csv", content)).num_rows == 1000


def test_columns_are_counted_in_every_format(folder: Path) -> None:
    many = [f"c{number}" for number in range(18)]
    row = dict.fromkeys((*NAMES, *many), "1")
    assert (
        rows(
            write(folder.parent, "injury_report/fits.parquet", [{name: row[name] for name in list(row)[:20]}])
        ).num_rows
        == 1
    )
    expected = "has 21 columns, at most 20 are allowed (NBA_ASSETS_MAX_FILE_COLUMNS)"
    assert refused(write(folder.parent, "injury_report/x.parquet", [row])) == expected
    assert refused(write(folder.parent, "injury_report/x.csv", [row])) == expected
    assert refused(
        text(folder, "quoted.csv", b'"a\nb",' + b",".join(name.encode() for name in row) + b"\n")
    ).startswith("has 22 columns")
    lines = b"".join(json.dumps({name: 1}).encode() + b"\n" for name in row)
    assert (
        refused(text(folder, "x.jsonl", lines))
        == "has more than 20 columns, at most 20 are allowed (NBA_ASSETS_MAX_FILE_COLUMNS)"
    )
    assert rows(text(folder, "y.jsonl", b"".join(lines.splitlines(keepends=True)[:20]))).num_rows == 20


@pytest.mark.parametrize(
    ("value", "levels"),
    [("[[[1]]]", 4), ('{"a": {"b": {"c": "[[[[[[{{"}}}', 4), ("[[[[1]]]]", 5), ('{"a": [{"b": []}]}', 5)],
)
def test_nesting_is_counted_outside_of_texts(value: str, levels: int, folder: Path) -> None:
    path = text(folder, "x.jsonl", LINE["jsonl"] + b'{"player_lookup": "a", "reason": %s}\n' % value.encode())
    if levels <= LIMITS.nesting:
        assert rows(path).num_rows == 2
    else:
        assert refused(path) == "nests values 5 levels deep in line 2, at most 4 are allowed (NBA_ASSETS_MAX_NESTING)"


def test_nesting_of_parquet(folder: Path) -> None:
    kind: pa.DataType = pa.int32()
    for _ in range(5):
        kind = pa.struct([("a", kind)])
    pq.write_table(pa.table({"player_lookup": ["a"], "other": pa.nulls(1, kind)}), folder / "x.parquet")
    assert refused(folder / "x.parquet") == "nests values 6 levels deep, at most 4 are allowed (NBA_ASSETS_MAX_NESTING)"


def test_repeated_values_of_parquet_count_as_often_as_they_come(folder: Path) -> None:
    """A dictionary, and runs of one value, take a few bytes whatever their number."""
    one = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 1000), pa.array(["x" * 3000]))
    pq.write_table(pa.table({"player_lookup": one}), folder / "texts.parquet", compression="zstd")
    pq.write_table(pa.table({"player_lookup": pa.repeat(pa.scalar(1), 10**6)}), folder / "numbers.parquet")
    assert refused(folder / "texts.parquet").startswith(
        "holds 3,000,000 bytes once it is decompressed, at most 2,000,000 are allowed"
    )
    assert refused(folder / "numbers.parquet").startswith(
        "holds 1,000,000 rows of 1 columns, which take 16,000,000 bytes in memory"
    )
    assert (
        rows(folder / "texts.parquet", replace(LIMITS, content_bytes=3 * 10**6))["player_lookup"].to_pylist()
        == ["x" * 3000] * 1000
    )


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_of_every_type_come_out_of_their_dictionaries(kind: pa.DataType, folder: Path) -> None:
    values = pa.array(["a", None, "b", "a"]).cast(pa.binary() if kind == pa.binary() else pa.string())
    column = values.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else values.cast(kind)
    pq.write_table(pa.table({"player_lookup": column}), folder / "x.parquet", row_group_size=3)
    found = rows(folder / "x.parquet")["player_lookup"]
    assert not pa.types.is_dictionary(found.type)
    assert found.cast(pa.string()).to_pylist() == ["a", None, "b", "a"]


def test_a_refused_file_is_quarantined_by_itself(
    landing: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variables()["max_file_columns"], "12")
    write(landing, "injury_report/good.csv", [injury_row()])
    write(landing, "injury_report/wide.csv", [injury_row("b") | {f"c{number}": 1 for number in range(12)}])
    report = ingested("injury_report", landing, warehouse)
    assert [row["player_lookup"] for row in stored("injury_report", warehouse)] == [injury_row()["player_lookup"]]
    assert [bad.path for bad in report.bad_files] == ["injury_report/wide.csv"]
    assert {row["reason"] for row in quarantine("injury_report", warehouse)} == {report.bad_files[0].reason}
    assert report.bad_files[0].reason.endswith("at most 12 are allowed (NBA_ASSETS_MAX_FILE_COLUMNS)")


def test_the_limits_are_read_as_often_for_many_files_as_for_one(
    landing: Path, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read for every file, the settings of a landing zone of 2,000 files took 6 s."""
    read: list[Settings] = []
    counts = []
    from_settings = Limits.from_settings

    def counting(settings: Settings) -> Limits:
        read.append(settings)
        return from_settings(settings)

    monkeypatch.setattr(Limits, "from_settings", counting)
    for number in (1, 4):
        for place in range(number):
            write(landing, f"injury_report/{place}.csv", [injury_row(f"player{place}")])
        ingested("injury_report", landing, warehouse)
        counts.append(len(read))
        read.clear()
    assert counts[0] == counts[1] > 0


def gzip_bomb(path: Path, start: bytes, repeated: bytes, megabytes: int) -> None:
    """A file that ends with a small member, so that the size at its end says nothing."""
    with path.open("wb") as stream, gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1) as packed:
        packed.write(start)
        block = repeated * (2**20 // len(repeated))
        for _ in range(megabytes):
            packed.write(block)
    with path.open("ab") as stream:
        stream.write(gzip.compress(b"\n"))


def repeated_text(path: Path) -> None:
    one = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), 10**5), pa.array(["x" * 10**6]))
    pq.write_table(pa.table({"player_lookup": one}), path, compression="zstd")


def repeated_number(path: Path) -> None:
    run = pa.table({"game_date": pa.repeat(pa.scalar(1), 10**6)})
    with pq.ParquetWriter(path, run.schema) as writer:
        for _ in range(400):
            writer.write_table(run)


def large_page(path: Path) -> None:
    values = pa.array(["y" * 2**20]).take(pa.array([0] * 450))
    pq.write_table(pa.table({"reason": values}), path, compression="zstd", use_dictionary=False, write_statistics=False)


BOMBS: dict[str, Callable[[Path], Any]] = {
    "lines.csv.gz": lambda path: gzip_bomb(path, HEADER["csv"], LINE["csv"], 600),
    "one_line.csv.gz": lambda path: gzip_bomb(path, HEADER["csv"], b"x", 600),
    "commas.csv": lambda path: path.write_bytes(HEADER["csv"] + b",,\n" * 10**7),
    "header.csv": lambda path: path.write_bytes(b"a," * 500_000 + b"\n"),
    "lines.jsonl.gz": lambda path: gzip_bomb(path, b"", LINE["jsonl"], 600),
    "nothing.jsonl.gz": lambda path: gzip_bomb(path, b"", b"\n", 300),
    "deep.json": lambda path: path.write_bytes(b'{"a": ' + b"[" * 500_000 + b"]" * 500_000 + b"}\n"),
    "keys.jsonl": lambda path: path.write_bytes(
        b"".join(b"{%s}\n" % b",".join(b'"k%d": 1' % (50_000 * n + k) for k in range(50_000)) for n in range(20))
    ),
    "text.parquet": repeated_text,
    "number.parquet": repeated_number,
    "page.parquet": large_page,
}
READ = """
import resource, sys
from datetime import date, datetime, UTC
from pathlib import Path
from nba_assets.raw.collection import Request, collect
from nba_assets.raw.landing import FolderLandingZone
from nba_assets.raw.tables import RAW_TABLES
before = resource.getrusage(resource.RUSAGE_SELF)
limit = before.ru_maxrss * 1024 + 4 * 2**30  # of addresses, of which allocators and threads reserve more than they use
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
(bad,) = collect(Request(RAW_TABLES["injury_report"], [date(2021, 11, 15)], datetime(2022, 7, 1, tzinfo=UTC)),
FolderLandingZone(Path(sys.argv[1]))).bad_files
after = resource.getrusage(resource.RUSAGE_SELF)
print(bad.reason)
print((after.ru_maxrss - before.ru_maxrss) // 1024, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_of_any_format_is_refused_with_bounded_memory(name: str, folder: Path) -> None:
    BOMBS[name](folder / name)
    assert (folder / name).stat().st_size < 60 * 2**20
    ran = subprocess.run([sys.executable, "-c", READ, str(folder.parent)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    reason, cost = ran.stdout.splitlines()
    assert "(NBA_ASSETS_MAX_" in reason
    assert int(cost.split()[0]) < 1000, reason
    print(name, reason, cost)


def test_the_limits_are_settings_with_generous_defaults() -> None:
    limits = Limits.from_settings(Settings())
    assert limits == Limits(512 * 2**20, 400 * 2**20, 1000, 2**20, 32)


def test_a_parquet_file_whose_description_is_too_long_is_refused_with_its_length(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "x.parquet"
    pq.write_table(pa.table({"player_lookup": [str(number) for number in range(2000)]}), path)
    length = int.from_bytes(path.read_bytes()[-8:-4], "little")
    monkeypatch.setattr(readers, "LARGEST_FOOTER_BYTES", length)
    assert rows(path).num_rows == 2000
    monkeypatch.setattr(readers, "LARGEST_FOOTER_BYTES", length - 1)
    assert refused(path) == f"describes itself in {length:,} bytes, at most {length - 1:,} are allowed"
