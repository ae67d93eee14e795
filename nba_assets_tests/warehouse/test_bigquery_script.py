"""The script of a write to BigQuery, and the staging table that goes before it; nothing is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from nba_assets.tables.spec import Table
from nba_assets.warehouse.bigquery_script import STAMP_AHEAD, Write, literal
from nba_assets.warehouse.interface import Changed, Insertion, Replacement
from nba_assets_tests.warehouse.back_ends import FIRST, OTHER, SECOND, TABLE, row, rows

NOW = datetime(2021, 11, 17, 12, tzinfo=UTC)


def name(table: Table) -> str:
    return f"`p.{table.qualified_name}`"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("De'Aaron", r"'De\'Aaron'"),
        ("x\\' OR 1=1 --", r"'x\\\' OR 1=1 --'"),
        ("two\nlines\r", r"'two\nlines\r'"),
        ("李", "'李'"),
        (True, "TRUE"),
        (-3, "-3"),
        (0.1, "CAST('0.1' AS FLOAT64)"),
        (date(2025, 1, 15), "DATE '2025-01-15'"),
        (datetime(2025, 1, 15, 9, tzinfo=UTC), "TIMESTAMP '2025-01-15 09:00:00.000000+00:00'"),
    ],
)
def test_a_value_is_a_literal_that_holds_nothing_else(value: object, expected: str) -> None:
    assert literal(value) == expected  # type: ignore[arg-type]


def test_rows_of_all_parts_stand_side_by_side() -> None:
    read = rows(row(FIRST, "a")).select(["player_lookup", "issues"])
    write = Write(
        [Replacement(TABLE, rows(row(FIRST, "b"), row(FIRST, "c")), [FIRST]), Insertion(OTHER, rows(row(SECOND, "d")))],
        [Changed(TABLE, read, FIRST, FIRST)],
        name,
        NOW,
    )
    staged = write.staged()
    assert staged["part"].to_pylist() == [0, 1, 1, 2]
    assert staged["t0_player_lookup"].to_pylist() == ["a", "b", "c", None]
    assert staged["t1_player_lookup"].to_pylist() == [None, None, None, "d"]
    assert [column["name"] for column in write.staging_schema()] == staged.column_names
    modes = {column["name"]: column.get("mode") for column in write.staging_schema()}
    assert (modes["t0_issues"], modes["t0_points"]) == ("REPEATED", "NULLABLE")


def test_a_list_is_never_staged_as_null() -> None:
    write = Write([Replacement(TABLE, rows(row(FIRST, "a", issues=None)), [FIRST])], [], name, NOW)
    assert write.staged()["t0_issues"].to_pylist() == [[]]


def test_conditions_come_first_and_the_moment_of_the_write_after_the_commit() -> None:
    entry = rows(row(FIRST, "a", seen_at=None))
    write = Write(
        [Replacement(TABLE, entry, [FIRST], {"player_lookup": "a"}, moment_column="seen_at")],
        [Changed(TABLE, rows(), FIRST, SECOND, {"player_lookup": ["a"]})],
        name,
        NOW,
    )
    statements = write.script("`s`").split(";\n")
    assert [statement.split()[0] for statement in statements] == [
        "BEGIN", "SELECT", "DELETE", "INSERT", "COMMIT", "BEGIN",
    ]  # fmt: skip
    assert "IN UNNEST(ARRAY<STRING>['a'])" in statements[1]
    assert statements[2].endswith("WHERE `game_date` IN UNNEST([DATE '2021-11-15']) AND `player_lookup` = 'a'")
    assert literal(NOW + STAMP_AHEAD) in statements[-1]
    assert write.staged()["t0_seen_at"].to_pylist() == [NOW + timedelta(minutes=10)]


def test_what_has_no_rows_is_not_inserted_and_nothing_is_read_from_a_staging_table() -> None:
    nothing: pa.Table = rows()
    write = Write([Replacement(TABLE, nothing, [FIRST])], [Changed(TABLE, nothing, FIRST, FIRST)], name, NOW)
    script = write.script("`staging`")
    assert "staging" not in script
    assert "INSERT" not in script
    assert "IS DISTINCT FROM NULL" in script


def test_a_condition_reads_the_staging_table_beside_one_that_has_no_rows() -> None:
    conditions = [Changed(TABLE, rows(*read), FIRST, FIRST) for read in ([], [row(FIRST, "a")])]
    script = Write([Replacement(TABLE, rows(), [FIRST])], conditions, name, NOW).script("`staging`")
    assert [f"FROM `staging` WHERE part = {number})" in script for number in (0, 1)] == [True, True]
    assert "IS DISTINCT FROM NULL" not in script


def test_the_condition_that_ended_a_script_is_told_by_its_message() -> None:
    conditions = [Changed(table, rows(), FIRST, FIRST) for table in (TABLE, OTHER)]
    write = Write([Insertion(TABLE, rows(row(FIRST, "a")))], conditions, name, NOW)
    assert write.condition_of("400 nba-assets: condition 1 no longer holds; at [3:1]") is conditions[1]
    assert write.condition_of("400 Access Denied") is None
