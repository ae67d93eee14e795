"""What every warehouse does, whichever it is."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Column, Table, number, text, texts, whole
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    SchemaMismatchError,
    Value,
    Warehouse,
)
from nba_assets_tests.warehouse.back_ends import (
    FIRST,
    OTHER,
    PROCESSES,
    SECOND,
    TABLE,
    THIRD,
    Address,
    count_up,
    open_warehouse,
    row,
    rows,
    running,
    version_of,
    write_own_rows,
    write_versions,
)

NULLS = dict.fromkeys(("points", "usage_rate", "is_dnp", "birth_date", "seen_at", "issues", "features"))


def as_stored(entry: dict[str, Any]) -> dict[str, Any]:
    """A row as it comes back: a list is never null."""
    return entry | {name: entry[name] or [] for name in ("issues", "features")}


def stored(warehouse: Warehouse, start: date = FIRST, end: date = THIRD, table: Table = TABLE) -> list[dict[str, Any]]:
    return warehouse.read(table, table.column_names, start, end).to_pylist()


def players(warehouse: Warehouse, **where: Value | list[Value]) -> list[str]:
    return warehouse.read(TABLE, ("player_lookup",), FIRST, THIRD, where).column("player_lookup").to_pylist()


class TestReading:
    def test_a_table_never_written_is_empty_and_typed(self, warehouse: Warehouse) -> None:
        for _ in ("nothing there at all", "another table there"):
            found = warehouse.read(TABLE, ("points", "issues"), FIRST, SECOND)
            assert found.num_rows == 0
            assert found.schema == arrow_schema(TABLE, ("points", "issues"))
            warehouse.replace([Replacement(OTHER, rows(row(FIRST, "a")), [FIRST])])

    def test_dates_are_bounded_on_both_sides_and_rows_in_order_of_the_key(self, warehouse: Warehouse) -> None:
        days = [FIRST + timedelta(days=offset) for offset in range(-1, 4)]
        entries = [row(day, player) for day in reversed(days) for player in ("b", "é", "Z", "a")]
        warehouse.replace([Replacement(TABLE, rows(*entries), days)])
        found = [(entry["game_date"], entry["player_lookup"]) for entry in stored(warehouse, FIRST, SECOND)]
        assert found == [(day, player) for day in (FIRST, SECOND) for player in ("Z", "a", "b", "é")]
        assert stored(warehouse, SECOND, FIRST) == []

    def test_columns_come_in_the_order_requested(self, warehouse: Warehouse) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        found = warehouse.read(TABLE, ("features", "points", "game_date"), FIRST, FIRST)
        assert found.schema == arrow_schema(TABLE, ("features", "points", "game_date"))
        assert found.to_pylist() == [{"features": [1.5], "points": 3, "game_date": FIRST}]

    @pytest.mark.parametrize(
        "where",
        [
            {"player_lookup": "wanted"},
            {"player_lookup": ["wanted", "nobody"]},
            {"points": 7},
            {"usage_rate": [7, 8.5]},
            {"is_dnp": True},
            {"birth_date": date(2000, 2, 29)},
            {"seen_at": datetime(2021, 11, 15, 23, 59, 59, 999_999, tzinfo=UTC)},
            {"game_date": [SECOND], "points": [1, 7], "is_dnp": True},
        ],
        ids=", ".join,
    )
    def test_filters_keep_equal_values_of_every_type(self, warehouse: Warehouse, where: dict[str, Any]) -> None:
        wanted = row(
            SECOND,
            "wanted",
            points=7,
            usage_rate=8.5,
            is_dnp=True,
            birth_date=date(2000, 2, 29),
            seen_at=datetime(2021, 11, 15, 23, 59, 59, 999_999, tzinfo=UTC),
        )
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, "a"), wanted, row(THIRD, "b", **NULLS)), [FIRST, SECOND, THIRD])]
        )
        assert players(warehouse, **where) == ["wanted"]

    def test_a_filter_of_no_values_keeps_nothing_and_one_of_many_keeps_many(self, warehouse: Warehouse) -> None:
        names = [f"p{place:03}" for place in range(600)]
        warehouse.replace([Replacement(TABLE, rows(*(row(FIRST, name) for name in names)), [FIRST])])
        assert players(warehouse, player_lookup=[]) == []
        assert players(warehouse, player_lookup=list(names[:500])) == names[:500]

    def test_a_filter_is_a_value_and_never_sql(self, warehouse: Warehouse) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "x' OR '1'='1")), [FIRST])])
        assert players(warehouse, player_lookup="x' OR '1'='1") == ["x' OR '1'='1"]
        assert players(warehouse, player_lookup="' OR 1=1 --") == []

    def test_what_cannot_be_requested_is_named(self, warehouse: Warehouse) -> None:
        with pytest.raises(KeyError, match=r"nba_analytics.everything has no column 'pionts'"):
            warehouse.read(TABLE, ("pionts",), FIRST, FIRST)
        with pytest.raises(KeyError, match=r"nba_analytics.everything has no column 'pionts'"):
            warehouse.read(TABLE, ("points",), FIRST, FIRST, {"pionts": 3})
        with pytest.raises(ValueError, match=r"nba_analytics.everything.points is INT64"):
            warehouse.read(TABLE, ("points",), FIRST, FIRST, {"points": "many"})


def nullable(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
ENTRIES = st.builds(
    row,
    st.sampled_from((FIRST, SECOND)),
    st.text(),
    points=nullable(st.integers(-(2**63), 2**63 - 1)),
    usage_rate=nullable(FLOATS),
    is_dnp=nullable(st.booleans()),
    birth_date=nullable(st.dates()),
    seen_at=nullable(st.datetimes(timezones=st.just(UTC))),
    issues=nullable(st.lists(st.text(), max_size=3)),
    features=nullable(st.lists(FLOATS, max_size=3)),
)


class TestReplacing:
    @given(st.lists(ENTRIES, max_size=6, unique_by=lambda entry: (entry["game_date"], entry["player_lookup"])))
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    def test_every_value_of_every_type_comes_back_as_it_went_in(
        self, warehouse: Warehouse, entries: list[dict[str, Any]]
    ) -> None:
        warehouse.replace([Replacement(TABLE, rows(*entries), [FIRST, SECOND])])
        found = warehouse.read(TABLE, TABLE.column_names, FIRST, SECOND)
        assert found.schema == arrow_schema(TABLE)
        assert found.to_pylist() == sorted(
            map(as_stored, entries), key=lambda entry: (entry["game_date"], entry["player_lookup"])
        )

    def test_names_with_accents_quotes_and_sql_are_only_names(self, warehouse: Warehouse) -> None:
        names = sorted(
            [
                "Dāvis Bertāns",
                "De'Aaron Fox",
                'Robert "Bob" Williams',
                "x'; DROP TABLE nba_analytics.everything; --",
                "李凯尔",
                "",
            ]
        )
        entries = [row(FIRST, name, issues=[name]) for name in names]
        warehouse.replace([Replacement(TABLE, rows(*entries), [FIRST])])
        assert stored(warehouse) == entries

    def test_columns_may_come_in_any_order(self, warehouse: Warehouse) -> None:
        mixed = rows(row(FIRST, "a")).select(sorted(TABLE.column_names))
        warehouse.replace([Replacement(TABLE, mixed, [FIRST])])
        assert stored(warehouse) == [row(FIRST, "a")]

    def test_replacing_twice_is_replacing_once(self, warehouse: Warehouse) -> None:
        for _ in range(2):
            warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(SECOND, "a")), [FIRST, SECOND])])
        assert stored(warehouse) == [row(FIRST, "a"), row(SECOND, "a")]

    def test_only_the_named_dates_change_and_nothing_empties_them(self, warehouse: Warehouse) -> None:
        days = [FIRST + timedelta(days=offset) for offset in range(365)]
        warehouse.replace([Replacement(TABLE, rows(*(row(day, "a") for day in days)), days)])
        warehouse.replace([Replacement(TABLE, rows(), days[1::2])])
        left = warehouse.read(TABLE, ("game_date",), days[0], days[-1]).column("game_date").to_pylist()
        assert left == days[::2]

    def test_a_scope_protects_what_lies_outside_it(self, warehouse: Warehouse) -> None:
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b"), row(SECOND, "a")), [FIRST, SECOND])]
        )
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, "a", points=9)), [FIRST], {"player_lookup": "a", "is_dnp": False})]
        )
        assert [(found["game_date"], found["player_lookup"], found["points"]) for found in stored(warehouse)] == [
            (FIRST, "a", 9),
            (FIRST, "b", 3),
            (SECOND, "a", 3),
        ]

    def test_one_table_may_be_replaced_in_several_scopes_at_once(self, warehouse: Warehouse) -> None:
        replacements = [
            Replacement(TABLE, rows(row(FIRST, name)), [FIRST], {"player_lookup": name}) for name in ("a", "b")
        ]
        for _ in range(2):
            warehouse.replace(replacements)
        assert players(warehouse) == ["a", "b"]

    def test_a_moment_that_is_null_becomes_that_of_the_write(self, warehouse: Warehouse) -> None:
        entries, begun = rows(row(FIRST, "a", seen_at=None), row(FIRST, "b")), datetime.now(UTC)
        warehouse.replace([Replacement(TABLE, entries, [FIRST], moment_column="seen_at")])
        written, given = (found["seen_at"] for found in stored(warehouse))
        assert begun <= written <= datetime.now(UTC)
        assert given == row(FIRST, "b")["seen_at"]

    def test_nothing_is_replaced_within_a_session(self, warehouse: Warehouse) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        with warehouse.session(), warehouse.session():
            assert players(warehouse) == ["a"]
            with pytest.raises(RuntimeError, match="end the session first"):
                warehouse.replace([Replacement(TABLE, rows(), [FIRST])])
        assert players(warehouse) == ["a"]

    def test_no_replacements_change_nothing(self, warehouse: Warehouse) -> None:
        warehouse.replace([])
        assert stored(warehouse) == []

    @pytest.mark.parametrize(
        ("replacement", "complaint"),
        [
            (
                Replacement(TABLE, rows(row(SECOND, "a")), [FIRST]),
                "nba_analytics.everything are dated 2021-11-16, outside the dates",
            ),
            (
                Replacement(TABLE, rows(row(FIRST, "a")), []),
                "nba_analytics.everything are dated 2021-11-15, outside the dates",
            ),
            (
                Replacement(TABLE, rows(row(FIRST, "a") | {"game_date": None}), [FIRST]),
                "nba_analytics.everything are dated None, outside the dates",
            ),
            (
                Replacement(TABLE, rows(row(FIRST, "b")), [FIRST], {"player_lookup": "a"}),
                "player_lookup b, outside the 'a'",
            ),
            (
                Replacement(TABLE, rows(row(FIRST, "a", points=None)), [FIRST], {"points": 3}),
                "points None, outside the 3",
            ),
            (Replacement(TABLE, rows(row(FIRST, "a")).drop_columns(["points"]), [FIRST]), r"lack columns \['points'\]"),
            (
                Replacement(TABLE, rows(row(FIRST, "a")).append_column("x", pa.array([1])), [FIRST]),
                r"undeclared columns \['x'\]",
            ),
            (
                Replacement(TABLE, rows(row(FIRST, "a")).set_column(2, "points", pa.array(["3"])), [FIRST]),
                r"nba_analytics.everything.points is declared int64, but its new rows hold string",
            ),
        ],
        ids=[
            "date",
            "no dates",
            "null date",
            "scope",
            "null in scope",
            "column missing",
            "column unknown",
            "column of other type",
        ],
    )
    def test_rows_that_stray_are_refused_before_anything_is_touched(
        self, warehouse: Warehouse, replacement: Replacement, complaint: str
    ) -> None:
        good = Replacement(OTHER, rows(row(FIRST, "a")), [FIRST])
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "kept")), [FIRST])])
        with pytest.raises(ValueError, match=complaint):
            warehouse.replace([good, replacement])
        assert players(warehouse) == ["kept"]
        assert stored(warehouse, table=OTHER) == []

    @pytest.mark.parametrize("when", ["its table is new", "its table is there"])
    def test_a_replacement_that_fails_undoes_the_ones_before_it(self, warehouse: Warehouse, when: str) -> None:
        strict = with_columns(OTHER, text("must", "Never null", nullable=False))
        if when == "its table is there":
            warehouse.replace([Replacement(strict, rows(row(FIRST, "kept") | {"must": "be"}, table=strict), [FIRST])])
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "kept")), [FIRST])])
        before = stored(warehouse, table=strict)
        impossible = rows(row(FIRST, "b") | {"must": None}, table=strict)
        with pytest.raises(ValueError, match=r"nba_analytics.other have null in 1 of 1 values of must"):
            warehouse.replace(
                [
                    Replacement(TABLE, rows(row(FIRST, "b")), [FIRST]),
                    Replacement(with_columns(TABLE, whole("later", "Later")), grown_rows(), [SECOND]),
                    Replacement(strict, impossible, [FIRST]),
                ]
            )
        assert players(warehouse) == ["kept"]
        assert stored(warehouse, table=strict) == before

    def test_status_counts_rows_and_dates(self, warehouse: Warehouse) -> None:
        assert [(status.row_count, status.date_count, status.first_date) for status in warehouse.status([TABLE])] == [
            (0, 0, None)
        ]
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b"), row(THIRD, "a")), [FIRST, THIRD])])
        known, unknown = warehouse.status([TABLE, OTHER])
        assert (known.table, known.row_count, known.date_count, known.first_date, known.last_date) == (
            TABLE,
            3,
            2,
            FIRST,
            THIRD,
        )
        assert (unknown.table, unknown.row_count, unknown.date_count, unknown.first_date, unknown.last_date) == (
            OTHER,
            0,
            0,
            None,
            None,
        )


def as_read(warehouse: Warehouse, *columns: str, table: Table = TABLE, **where: Value | list[Value]) -> Changed:
    names = columns or table.column_names
    return Changed(table, warehouse.read(table, names, FIRST, SECOND, where), FIRST, SECOND, where)


class TestConditions:
    def test_a_write_goes_through_where_everything_is_as_it_was_read(self, warehouse: Warehouse) -> None:
        for points in range(3):
            warehouse.replace(
                [Replacement(TABLE, rows(row(FIRST, "a", points=points)), [FIRST])], unless=[as_read(warehouse)]
            )
        assert stored(warehouse) == [row(FIRST, "a", points=2)]

    @pytest.mark.parametrize(
        "other",
        [rows(row(FIRST, "a", points=9)), rows(row(FIRST, "a"), row(FIRST, "b")), rows()],
        ids=["a changed value", "one row more", "no row left"],
    )
    def test_a_write_is_refused_as_a_whole_where_somebody_wrote_since(
        self, warehouse: Warehouse, other: pa.Table
    ) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        before = as_read(warehouse)
        warehouse.replace([Replacement(TABLE, other, [FIRST])])
        with pytest.raises(
            OvertakenError, match=r"overtaken by another writer: nba_analytics.everything has changed for 2021-11-15"
        ):
            warehouse.replace(
                [
                    Replacement(OTHER, rows(row(FIRST, "x"), table=OTHER), [FIRST]),
                    Replacement(TABLE, rows(row(FIRST, "z")), [FIRST]),
                ],
                unless=[before],
            )
        assert stored(warehouse) == other.to_pylist()
        assert stored(warehouse, table=OTHER) == []

    def test_what_comes_into_being_after_it_was_read_as_empty_is_a_change(self, warehouse: Warehouse) -> None:
        nothing = as_read(warehouse)
        warehouse.replace([Replacement(TABLE, rows(row(SECOND, "a")), [SECOND])])
        with pytest.raises(OvertakenError):
            warehouse.replace([Replacement(TABLE, rows(row(FIRST, "z")), [FIRST])], unless=[nothing])

    def test_only_the_columns_dates_and_values_that_were_read_count(self, warehouse: Warehouse) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b"), row(THIRD, "a")), [FIRST, THIRD])])
        before = as_read(warehouse, "player_lookup", "points", player_lookup="a")
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, "a", usage_rate=1), row(FIRST, "b", points=8)), [FIRST, THIRD])]
        )
        warehouse.replace([Replacement(TABLE, rows(row(SECOND, "z")), [SECOND])], unless=[before])
        assert players(warehouse) == ["a", "b", "z"]

    def test_a_condition_on_a_table_that_is_not_written_makes_no_such_table(self, warehouse: Warehouse) -> None:
        warehouse.replace(
            [Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])], unless=[as_read(warehouse, table=OTHER)]
        )
        changed = replace(OTHER, columns=(*OTHER.columns, text("must", "Never null", nullable=False)))
        warehouse.replace([Replacement(changed, rows(row(FIRST, "a") | {"must": "be"}, table=changed), [FIRST])])

    def test_the_run_that_wrote_meanwhile_is_named_where_the_rows_tell_it(self, warehouse: Warehouse) -> None:
        signed = with_columns(OTHER, text("run_id", "Run"))
        warehouse.replace([Replacement(signed, rows(row(FIRST, "a") | {"run_id": "first"}, table=signed), [FIRST])])
        before = as_read(warehouse, table=signed)
        warehouse.replace([Replacement(signed, rows(row(FIRST, "a") | {"run_id": "second"}, table=signed), [FIRST])])
        with pytest.raises(OvertakenError, match="overtaken by run second"):
            warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])], unless=[before])


class TestInserting:
    def test_rows_are_added_and_none_goes(self, warehouse: Warehouse) -> None:
        warehouse.replace([Insertion(TABLE, rows(row(FIRST, "a")))])
        warehouse.replace(
            [Insertion(TABLE, rows(row(FIRST, "b"), row(SECOND, "c")).select(sorted(TABLE.column_names)))]
        )
        assert players(warehouse) == ["a", "b", "c"]

    def test_rows_that_do_not_conform_are_refused(self, warehouse: Warehouse) -> None:
        with pytest.raises(ValueError, match=r"lack columns \['points'\]"):
            warehouse.replace([Insertion(TABLE, rows(row(FIRST, "a")).drop_columns(["points"]))])


def with_columns(table: Table, *added: Column) -> Table:
    return replace(table, columns=(*table.columns, *added))


def grown_rows() -> pa.Table:
    return rows(row(SECOND, "c") | {"later": 1}, table=with_columns(TABLE, whole("later", "Later")))


class TestSchemas:
    def test_new_nullable_columns_are_added_to_what_is_there(self, warehouse: Warehouse) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        later = replace(
            TABLE,
            columns=(number("pace", "Pace", scale=1), *TABLE.columns[:2], texts("notes", "Notes"), *TABLE.columns[2:]),
        )
        old, new = row(FIRST, "a") | {"pace": None, "notes": []}, row(SECOND, "a") | {"pace": 99.5, "notes": ["x"]}
        assert stored(warehouse, table=later) == [old]
        assert warehouse.read(later, ("player_lookup",), FIRST, FIRST, {"pace": 99.5}).num_rows == 0
        warehouse.replace([Replacement(later, rows(new, table=later), [SECOND])])
        assert stored(warehouse, table=later) == [old, new]
        assert warehouse.read(later, ("pace", "notes"), FIRST, SECOND).schema == arrow_schema(later, ("pace", "notes"))

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            (replace(TABLE, columns=TABLE.columns[:-1]), ["features", "does not declare"]),
            (
                replace(
                    TABLE, columns=(*TABLE.columns[:2], whole("points", "Points", nullable=False), *TABLE.columns[3:])
                ),
                ["points", "stored as", "declared as"],
            ),
            (
                replace(TABLE, columns=(*TABLE.columns[:2], number("points", "Points", scale=1), *TABLE.columns[3:])),
                ["points", "stored as", "declared as"],
            ),
            (with_columns(TABLE, text("must", "Never null", nullable=False)), ["must", "may not be null"]),
        ],
        ids=["column gone", "no longer nullable", "other type", "new column that may not be null"],
    )
    def test_any_other_difference_is_named_and_changes_nothing(
        self, warehouse: Warehouse, changed: Table, said: list[str]
    ) -> None:
        warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        new = Replacement(changed, arrow_schema(changed).empty_table(), [FIRST])
        with pytest.raises(SchemaMismatchError) as reading:
            warehouse.read(changed, ("player_lookup",), FIRST, FIRST)
        with pytest.raises(SchemaMismatchError) as writing:
            warehouse.replace([Replacement(OTHER, rows(row(FIRST, "b")), [FIRST]), new])
        for raised in (reading, writing):
            assert all(
                word in str(raised.value) for word in ["nba_analytics.everything", *said, "run the backfill again"]
            )
        assert stored(warehouse) == [row(FIRST, "a")]
        assert stored(warehouse, table=OTHER) == []


class TestConcurrency:
    def test_four_processes_writing_at_once_all_succeed(self, address: Address) -> None:
        names = ["a", "b", "c", "d"]
        with ExitStack() as stack:
            writers = [stack.enter_context(running(write_own_rows, address, name, 10)) for name in names]
            for writer in writers:
                writer.join(timeout=60)
            assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
        assert [(found["player_lookup"], found["points"]) for found in stored(open_warehouse(address))] == [
            (name, 9) for name in names
        ]

    def test_counting_up_from_four_processes_loses_no_count(self, address: Address) -> None:
        with ExitStack() as stack:
            counters = [stack.enter_context(running(count_up, address, 10)) for _ in range(4)]
            for counter in counters:
                counter.join(timeout=120)
            assert [counter.exitcode for counter in counters] == [0, 0, 0, 0]
        assert [found["points"] for found in stored(open_warehouse(address))] == [40]

    def test_a_reader_never_sees_half_of_a_transaction(self, address: Address, warehouse: Warehouse) -> None:
        written, size = PROCESSES.Event(), 200
        with running(write_versions, address, size, written):
            assert written.wait(60)
            seen: list[int] = []
            deadline = time.monotonic() + 60
            # Both tables change at once: whichever is read later can never be the older one.
            while len(set(seen)) < 5 and time.monotonic() < deadline:
                seen += [version_of(warehouse, table, size) for table in (TABLE, OTHER)]
        assert seen == sorted(seen)
        assert len(set(seen)) >= 5

    def test_a_killed_writer_leaves_old_or_new_in_both_tables(self, address: Address) -> None:
        moments, size = random.Random(7), 20_000  # so many that most moments fall into a transaction
        for _ in range(10):
            written = PROCESSES.Event()
            with running(write_versions, address, size, written) as writer:
                assert written.wait(60)
                time.sleep(moments.uniform(0, 0.15))
                assert writer.pid is not None
                os.kill(writer.pid, signal.SIGKILL)
                writer.join()
            warehouse = open_warehouse(address, wait_seconds=10)
            assert version_of(warehouse, TABLE, size) == version_of(warehouse, OTHER, size)
