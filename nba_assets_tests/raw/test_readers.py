"""One landed file into rows: what is kept keeps its number, whatever the format and whatever stands around it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
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


@pytest.mark.parametrize("lost", [1, 8, 20])
@pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz"])
def test_a_truncated_gzip_ends_early_whatever_size_it_seems_to_state(name: str, lost: int, tmp_path: Path) -> None:
    """Its last bytes are any number, most of them larger than what is allowed."""
    path = written(tmp_path / name, [{"day": f"{number * 7919 % 1000}", "player": "a"} for number in range(1000)])
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(BadFileError, match=r"^cannot be read as .*: the gzip ends early, the file is not whole$"):
        read(path)
    path.write_bytes(path.read_bytes()[:-4] + b"\xff\xff\xff\xff")
    with pytest.raises(BadFileError, match=r"^cannot be read as "):
        read(path)


BEFORE_QUOTES = "day,player,team\n"
QUOTE_ROWS = [("1", "a", "x"), ("2", "b", "y"), ("3", "c", "z"), ("4", "d", "w"), ("5", "e", "v")]


def quoted(*cells: tuple[int, int, str], newline: str = "\n") -> str:
    """The rows with some cells, each by the row's number from 1 and its column, written otherwise."""
    rows = [list(row) for row in QUOTE_ROWS]
    for number, column, cell in cells:
        rows[number - 1][column] = cell
    return (BEFORE_QUOTES + "".join(",".join(row) + "\n" for row in rows)).replace("\n", newline)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "cells",
    [
        pytest.param([(1, 0, '"1'), (2, 0, '"2')], id="first two rows begin with one"),
        pytest.param([(2, 1, '"b')], id="it takes in the rest of the file"),
        pytest.param([(2, 2, '"y')], id="it takes in the rest of the file as the last value"),
        pytest.param([(5, 2, '"v'), (4, 2, '"w')], id="at the end of the last rows"),
        pytest.param([(1, 2, '"x'), (4, 0, '"4')], id="the next one stands in an earlier column"),
        pytest.param([(1, 0, '"1'), (4, 2, '"w')], id="the next one stands in a later column"),
        pytest.param([(2, 1, '"b'), (3, 1, '"c"')], id="the next row is quoted properly"),
    ],
)
def test_a_quote_that_is_not_closed_costs_its_own_row_and_no_other(
    cells: list[tuple[int, int, str]], newline: str, tmp_path: Path
) -> None:
    text = quoted(*cells, newline=newline)
    at_fault = [number for number, _, cell in sorted(cells) if cell.count('"') == 1]
    if cells == [(5, 2, '"v'), (4, 2, '"w')]:
        at_fault = [4]  # the last row of the file ends there, whether its last quote is closed or not
    path = raw(tmp_path / "x.csv", text)
    found = read(path, ("day", "player", "team"))
    kept = [number for number in range(1, 6) if number not in at_fault]
    assert found.numbers.tolist() == kept
    assert [row["player"] for row in found.rows.to_pylist()] == [QUOTE_ROWS[number - 1][1] for number in kept]
    lines = text.split(newline)
    assert [(row.number, row.reason, row.content) for row in found.malformed] == [
        (number, "has a quote that is not closed before the next row begins", lines[number]) for number in at_fault
    ]
    assert read(path, ("day",), keep=of_days("5")).numbers.tolist() == [number for number in kept if number == 5]


def test_a_broken_quote_in_a_column_that_is_not_read_costs_its_row_alone(tmp_path: Path) -> None:
    found = read(raw(tmp_path / "x.csv", quoted((1, 2, '"x'), (2, 2, '"y'))), ("day", "player"))
    assert found.numbers.tolist() == [3, 4, 5]
    assert [row.number for row in found.malformed] == [1, 2]


def test_line_breaks_and_commas_in_quoted_text_stay_beside_a_broken_quote(tmp_path: Path) -> None:
    whole = [(1, 1, '"a,\nb"'), (3, 2, '"say ""z"",\n\n"')]
    clean = read(raw(tmp_path / "x.csv", quoted(*whole)), ("day", "player", "team"))
    assert clean.malformed == []
    assert [row["player"] for row in clean.rows.to_pylist()] == ["a,\nb", "b", "c", "d", "e"]
    assert clean.rows["team"].to_pylist()[2] == 'say "z",\n\n'
    found = read(raw(tmp_path / "y.csv", quoted(*whole, (4, 1, '"d'))), ("day", "player", "team"))
    assert found.numbers.tolist() == [1, 2, 3, 5]
    assert found.rows.to_pylist() == [row for row in clean.rows.to_pylist() if row["day"] != "4"]
    assert [(row.number, row.content) for row in found.malformed] == [(4, '4,"d,w')]


def test_a_row_with_a_line_break_and_too_many_fields_is_one_malformed_row(tmp_path: Path) -> None:
    found = read(raw(tmp_path / "x.csv", quoted((1, 1, '"a\nb",c'))))
    assert found.numbers.tolist() == [2, 3, 4, 5]
    assert [(row.number, row.reason, row.content) for row in found.malformed] == [
        (1, "has 4 fields where the header has 3", '1,"a\nb",c,x')
    ]


@pytest.mark.parametrize("megabytes", [0.2, 3])
def test_a_quote_that_would_take_in_more_than_a_value_or_a_block_may_be_long_costs_its_row_alone(
    megabytes: float, tmp_path: Path
) -> None:
    numbers = range(3, 3 + int(1000 * megabytes))
    rows = "".join(f"{number},{'x' * 990},team\n" for number in numbers)
    found = read(raw(tmp_path / "x.csv", BEFORE_QUOTES + '1,a,x\n2,"b,y\n' + rows))
    assert found.numbers.tolist() == [1, *numbers]
    assert [(row.number, row.content) for row in found.malformed] == [(2, '2,"b,y')]


def test_a_row_may_have_a_hundred_lines_and_no_more(tmp_path: Path) -> None:
    fitting = quoted((2, 1, '"b' + "\n" * 99 + '"'))
    assert read(raw(tmp_path / "x.csv", fitting)).numbers.tolist() == [1, 2, 3, 4, 5]
    found = read(raw(tmp_path / "y.csv", fitting.replace("b\n", "b\n\n")), ("day", "player", "team"))
    assert found.rows["day"].to_pylist() == ["1", "3", "4", "5"]
    assert [row.content for row in found.malformed] == ['2,"b', '",y']


def test_a_header_alone_with_another_quote_is_no_broken_row(tmp_path: Path) -> None:
    assert read(raw(tmp_path / "x.csv", 'day,player,"a\nb"\n1,a,x\n')).numbers.tolist() == [1]
    assert read(raw(tmp_path / "y.csv", 'day\n"1\n2"\n')).rows["day"].to_pylist() == ["1\n2"]


def test_csv_without_broken_quotes_is_parsed_once_whatever_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_through: list[int] = []

    def counting(text: bytearray, field_count: int) -> dict[str, str]:
        looked_through.append(field_count)
        return {}

    monkeypatch.setattr("nba_assets.raw.readers._separate_broken_quotes", counting)
    for newline in ("\n", "\r\n", "\r"):
        text = quoted((2, 1, '"b, ""junior"""'), newline=newline)
        for whole in (text, text.rstrip("\r\n"), text.replace("3,c,z", "3,c"), "\ufeff" + text):
            read(raw(tmp_path / "x.csv", whole))
    assert looked_through == []
    read(raw(tmp_path / "x.csv", quoted((2, 1, '"b\nb"'))))
    read(raw(tmp_path / "x.csv", quoted((2, 1, '"b\nb"')).rstrip("\n")))
    assert looked_through == [3, 3]


def test_names_in_a_header_may_have_spaces_around_them(tmp_path: Path) -> None:
    found = read(raw(tmp_path / "x.csv", "day  , player,\tother\n1,a,b\n"))
    assert plain(found) == [(1, {"day": "1", "player": "a"})]
    assert list(found.columns) == ["day", "player", "other"]
    with pytest.raises(BadFileError, match="has the column day 2 times"):
        read(raw(tmp_path / "y.csv", "day,player,day \n1,a,b\n"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_column_of_a_file_is_known_also_those_that_are_not_read(name: str, tmp_path: Path) -> None:
    rows = [{"other": "1", **row} for row in ROWS]
    assert sorted(read(written(tmp_path / name, rows)).columns) == ["day", "other", "player"]


@pytest.mark.parametrize("name", ["x.csv", "x.csv.gz", "x.jsonl"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_named(name: str, encoding: str, tmp_path: Path) -> None:
    text = "\ufeff" * (encoding == "utf-16-be") + "day,player\n1,a\n"
    with pytest.raises(BadFileError, match=r"^looks like UTF-16: save it as UTF-8$"):
        read(raw(tmp_path / name, text.encode(encoding)))
