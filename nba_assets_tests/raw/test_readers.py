"""One landed file into rows: what is kept keeps its number, whatever the format and whatever stands around it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba_assets.raw.landing import LandedFile
from nba_assets.raw.limits import BadFileError, Limits
from nba_assets.raw.readers import FileRows, Keep, is_text, read_file
from nba_assets.settings import Settings

LIMITS = Limits.from_settings(Settings())
NAMES = ("day", "player")
FORMATS = ("x.parquet", "x.csv", "x.csv.gz", "x.jsonl", "x.ndjson.gz")
ROWS = [{"day": f"2024-11-0{number}", "player": name} for number, name in enumerate("abcde", 1)]


def written(path: Path, rows: Sequence[dict[str, Any]] = ROWS, group_rows: int = 2) -> Path:
    """Rows of texts as a file of the format that its name says."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=group_rows)
        return path
    if ".csv" in path.name:
        lines = [",".join(names), *(",".join(str(row.get(name) or "") for name in names) for row in rows)]
    else:
        lines = [json.dumps(row) for row in rows]
    return raw(path, "\n".join(lines) + "\n")


def raw(path: Path, text: str | bytes) -> Path:
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def read(path: Path, names: Sequence[str] = NAMES, keep: Keep | None = None, limits: Limits = LIMITS) -> FileRows:
    file = LandedFile(path.name, path.stat().st_size, 0)
    return read_file(path, file, names, "day", keep, limits)


def of_days(*wanted: str) -> Keep:
    return lambda days: np.isin(np.array(days.to_pylist(), dtype=object).astype(str), wanted)


def plain(found: FileRows) -> list[tuple[int, dict[str, Any]]]:
    return list(zip(found.numbers.tolist(), found.rows.to_pylist(), strict=True))


@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_numbered_from_one_and_have_the_columns_that_are_there(name: str, tmp_path: Path) -> None:
    found = read(written(tmp_path / name), ("player", "absent", "day"))
    assert found.rows.column_names == ["player", "day"]
    assert plain(found) == [(number, row) for number, row in enumerate(ROWS, 1)]
    assert found.malformed == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("places", [(), (0,), (4,), (1, 2), (0, 4), (0, 1, 2, 3, 4)])
def test_wanted_rows_keep_their_numbers(name: str, places: tuple[int, ...], tmp_path: Path) -> None:
    found = read(written(tmp_path / name), keep=of_days(*(ROWS[place]["day"] for place in places)))
    assert plain(found) == [(place + 1, ROWS[place]) for place in places]


@pytest.mark.parametrize("name", FORMATS)
def test_without_the_date_column_every_row_is_wanted(name: str, tmp_path: Path) -> None:
    rows = [{"player": row["player"]} for row in ROWS]
    assert plain(read(written(tmp_path / name, rows), keep=of_days())) == list(enumerate(rows, 1))


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_cell_is_null(name: str, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [ROWS[0], {"day": "2024-11-02", "player": None}]
    assert read(written(tmp_path / name, rows)).rows["player"].to_pylist() == ["a", None]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz"])
def test_rows_of_csv_with_other_fields_than_the_header_are_malformed_by_their_number(name: str, tmp_path: Path) -> None:
    path = raw(tmp_path / name, "day,player\n1,a\n2,b,c\n3,d\n4\n5,e\n")
    found = read(path)
    assert [number for number, _ in plain(found)] == [1, 3, 5]
    assert [(row.number, row.reason, row.content) for row in found.malformed] == [
        (2, "has 3 fields where the header has 2", "2,b,c"),
        (4, "has 1 fields where the header has 2", "4"),
    ]
    assert [number for number, _ in plain(read(path, keep=of_days("3", "5")))] == [3, 5]


def test_csv_may_quote_newlines_and_begin_with_a_byte_order_mark_and_empty_lines(tmp_path: Path) -> None:
    path = raw(tmp_path / "x.csv", b'\xef\xbb\xbfday,player\r\n1,"a\nb"\r\n"2",c\r\n')
    assert plain(read(path)) == [(1, {"day": "1", "player": "a\nb"}), (2, {"day": "2", "player": "c"})]
    assert plain(read(raw(tmp_path / "y.csv", "\n\nday,player\n1,a\n"))) == [(1, {"day": "1", "player": "a"})]


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_lines_that_are_no_object_are_malformed_and_blank_ones_are_only_counted(name: str, tmp_path: Path) -> None:
    lines = ['{"day": "1", "player": "a"}', "", "oops", " \t", "[1]", '{"day": "2", "player": "b"}', "7"]
    path = raw(tmp_path / name, "\n".join(lines))
    found = read(path)
    assert plain(found) == [(1, {"day": "1", "player": "a"}), (6, {"day": "2", "player": "b"})]
    assert [(row.number, row.reason, row.content) for row in found.malformed] == [
        (number, "is not a JSON object", lines[number - 1]) for number in (3, 5, 7)
    ]
    assert plain(read(path, keep=of_days("2"))) == [(6, {"day": "2", "player": "b"})]


def test_json_lines_may_begin_with_a_byte_order_mark_and_end_without_a_newline(tmp_path: Path) -> None:
    path = raw(tmp_path / "x.jsonl", b'\xef\xbb\xbf{"day": "1"}\n{"player": "b"}')
    assert plain(read(path)) == [(1, {"day": "1", "player": None}), (2, {"day": None, "player": "b"})]


@pytest.mark.parametrize("text", ['[{"day": "1"}]', '\n\n [{"day": "1"},\n{"day": "2"}]'])
def test_a_json_array_is_refused_as_a_whole(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="is a JSON array; JSON lines hold one object per line"):
        read(raw(tmp_path / "x.json", text))


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.parquet"])
def test_a_wanted_column_that_stands_twice_is_named_with_how_often(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "x.parquet":
        columns = [pa.array([text]) for text in ("1", "a", "b", "c")]
        pq.write_table(pa.Table.from_arrays(columns, ["day", "player", "player", "other"]), path)
    else:
        raw(path, "day,player,player,other\n1,a,b,c\n")
    with pytest.raises(BadFileError, match="has the column player 2 times") as raised:
        read(path)
    assert raised.value.column == "player"
    assert read(path, ("day", "other")).rows.to_pylist() == [{"day": "1", "other": "c"}]


def test_a_nested_column_of_parquet_is_read_as_null(tmp_path: Path) -> None:
    pq.write_table(pa.table({"day": ["1", "2"], "player": [["a"], ["b"]]}), tmp_path / "x.parquet")
    for keep, numbers in ((None, [1, 2]), (of_days("2"), [2])):
        found = read(tmp_path / "x.parquet", keep=keep)
        assert found.numbers.tolist() == numbers
        assert found.rows["player"].to_pylist() == [None] * len(numbers)
        assert found.rows["player"].type == pa.list_(pa.string())


def test_a_file_that_has_gone_may_be_read_another_time_and_a_broken_one_not(tmp_path: Path) -> None:
    with pytest.raises(BadFileError) as gone:
        read_file(tmp_path / "x.csv", LandedFile("x.csv", 1, 0), NAMES, "day", limits=LIMITS)
    with pytest.raises(BadFileError, match="cannot be read as Parquet: ") as broken:
        read(raw(tmp_path / "x.parquet", "no parquet"))
    other_checksum = raw(tmp_path / "x.csv.gz", "day,player\n1,a\n")
    whole = other_checksum.read_bytes()
    other_checksum.write_bytes(whole[:-8] + b"\0\0\0\0" + whole[-4:])
    with pytest.raises(BadFileError, match="cannot be read as CSV: ") as cut:
        read(other_checksum)
    assert [raised.value.is_transient for raised in (gone, broken, cut)] == [True, False, False]


@pytest.mark.parametrize(
    ("kind", "holds_texts"),
    [
        *[(kind, True) for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary())],
        *[(kind, True) for kind in (pa.binary_view(), pa.binary(3))],
        *[(kind, False) for kind in (pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.list_(pa.string()))],
    ],
    ids=str,
)
def test_texts_are_known_by_their_type(kind: pa.DataType, holds_texts: bool) -> None:
    assert is_text(kind) is holds_texts


def test_a_compressed_file_that_states_too_large_a_content_is_refused_with_that_size(tmp_path: Path) -> None:
    path = raw(tmp_path / "x.csv.gz", "day,player\n" + "1,a\n" * 1000)
    assert read(path, limits=replace(LIMITS, content_bytes=1001 * 2 * 16)).rows.num_rows == 1000
    with pytest.raises(BadFileError, match=r"^holds 4,011 bytes once it is decompressed, at most 4,010 are allowed"):
        read(path, limits=replace(LIMITS, content_bytes=4010))
