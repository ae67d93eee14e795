"""What is sent to BigQuery, what is made of its answers, and what is sent again; against clients in memory."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests
from google.api_core import exceptions
from google.api_core.retry import retry_base, retry_unary

from nba_assets.tables.bigquery_schema import bigquery_schema
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table, text, texts, whole
from nba_assets.warehouse import bigquery as back_end
from nba_assets.warehouse.bigquery import BigQueryWarehouse, _is_transient, _restriction
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    SchemaMismatchError,
    TableStatus,
    Value,
    WarehouseBusyError,
    WarehouseError,
    WriteFacts,
)
from nba_assets_tests.warehouse.back_ends import FIRST, OTHER, SECOND, TABLE, THIRD, row, rows
from nba_assets_tests.warehouse.bigquery_double import Service, path

GROWN = replace(TABLE, columns=(*TABLE.columns, whole("later", "Later"), texts("tags", "Tags")))
ONE = Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])
UNAVAILABLE = exceptions.ServiceUnavailable("busy")
DENIED = exceptions.Forbidden("Access\n  Denied.")
BROKEN = exceptions.BadRequest("400 nba-assets: condition 0 no longer holds; at [3:1]")


@pytest.fixture
def service() -> Service:
    """Nothing is stored."""
    return Service()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that are made, on a clock that only they move; each is as long as it may be."""
    made: list[float] = []
    clock = SimpleNamespace(sleep=made.append, monotonic=lambda: sum(made))
    monkeypatch.setattr(back_end, "time", clock)
    monkeypatch.setattr(retry_unary, "time", clock)
    monkeypatch.setattr(retry_base, "time", clock)
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    return made


def points(warehouse: BigQueryWarehouse, table: Table = TABLE, **where: Any) -> list[int]:
    return warehouse.read(table, ("points",), FIRST, SECOND, where).column("points").to_pylist()


def script(service: Service) -> str:
    """The script of the only write."""
    (statement,) = (statement for statement in service.statements() if statement.startswith("BEGIN TRANSACTION"))
    return statement


class TestReading:
    def test_a_table_that_is_not_stored_is_empty_and_typed_and_nothing_is_read(self, service: Service) -> None:
        found = service.warehouse().read(TABLE, ("points", "issues"), FIRST, SECOND)
        assert found == arrow_schema(TABLE, ("points", "issues")).empty_table()
        assert service.calls == {"get_table": 1}

    def test_what_is_requested_of_the_service(self, service: Service) -> None:
        service.put(TABLE, rows(row(FIRST, "a")))
        service.warehouse().read(TABLE, ("issues", "game_date"), FIRST, SECOND, {"points": [3, 4], "is_dnp": False})
        ((parent, request, most_streams),) = service.sessions
        assert (parent, most_streams) == ("projects/p", 4)
        assert request.table == "projects/p/datasets/t_nba_analytics/tables/everything"
        assert request.data_format.name == "ARROW"
        assert request.trace_id == "nba-assets:everything"
        assert list(request.read_options.selected_fields) == [
            "issues",
            "game_date",
            "player_lookup",
            "points",
            "is_dnp",
        ]
        assert request.read_options.row_restriction == (
            "`game_date` BETWEEN '2021-11-15' AND '2021-11-16' AND `points` IN (3, 4)"
        )
        assert not request.table_modifiers.snapshot_time

    @pytest.mark.parametrize("streams", [0, 1, 2, 3])
    def test_rows_of_all_streams_come_in_the_order_of_the_key(self, service: Service, streams: int) -> None:
        entries = [row(day, player) for day in (SECOND, FIRST) for player in "cab"]
        service.put(TABLE, rows(*entries))
        service.streams = streams
        found = service.warehouse().read(TABLE, ("game_date", "player_lookup"), FIRST, SECOND)
        expected = [(day, player) for day in (FIRST, SECOND) for player in "abc"] if streams else []
        assert [tuple(entry.values()) for entry in found.to_pylist()] == expected

    def test_two_streams_are_fetched_at_once_and_one_without_a_thread(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        service.put(TABLE, rows(row(FIRST, "a"), row(FIRST, "b")))
        both, threads, given = threading.Barrier(2), list[threading.Thread](), service.read_rows

        def met(name: str) -> Iterator[Any]:
            threads.append(threading.current_thread())
            if service.streams > 1:
                both.wait(timeout=30)
            return given(name)

        monkeypatch.setattr(service, "read_rows", met)
        assert points(service.warehouse()) == [3, 3]
        assert threads == [threading.current_thread()]
        service.streams = 2
        assert points(service.warehouse()) == [3, 3]

    @pytest.mark.parametrize(
        ("where", "expected"),
        [
            ({"player_lookup": "a"}, [1]),
            ({"player_lookup": ["a", "b--'"]}, [1, 2]),
            ({"player_lookup": []}, []),
            ({"points": [2, 9]}, [2]),
            ({"is_dnp": True}, [2]),
            ({"player_lookup": "a", "is_dnp": True}, []),
        ],
    )
    def test_a_filter_keeps_rows_whether_the_service_or_this_process_carries_it_out(
        self, service: Service, where: dict[str, Any], expected: list[int]
    ) -> None:
        service.put(TABLE, rows(row(FIRST, "a", points=1), row(SECOND, "b--'", points=2, is_dnp=True), row(THIRD, "a")))
        assert points(service.warehouse(), **where) == expected

    def test_a_column_that_is_not_stored_yet_is_not_requested_and_is_null_or_an_empty_list(
        self, service: Service
    ) -> None:
        service.put(TABLE, rows(row(FIRST, "a"), row(FIRST, "b")))
        found = service.warehouse().read(GROWN, ("tags", "later", "points"), FIRST, SECOND)
        assert found.schema == arrow_schema(GROWN, ("tags", "later", "points"))
        assert found.to_pylist() == [{"tags": [], "later": None, "points": 3}] * 2
        assert points(service.warehouse(), GROWN, later=3) == []
        assert "later" not in service.sessions[-1][1].read_options.row_restriction
        assert not {"later", "tags"} & {*service.sessions[-1][1].read_options.selected_fields}

    def test_a_list_that_comes_as_null_is_empty(self, service: Service) -> None:
        service.put(TABLE, rows(row(FIRST, "a", issues=None), row(FIRST, "b")))
        found = service.warehouse().read(TABLE, ("issues",), FIRST, SECOND)
        assert found.column("issues").to_pylist() == [[], ["a"]]

    @pytest.mark.parametrize("call", ["get_table", "create_read_session", "read_rows"])
    def test_a_read_that_breaks_is_made_again(self, service: Service, call: str) -> None:
        service.put(TABLE, rows(row(FIRST, "a")))
        service.before[call] = [UNAVAILABLE]
        assert points(service.warehouse()) == [3]
        assert service.calls[call] == 2

    def test_the_bytes_of_all_reads_are_added_up_and_told_with_a_write(self, service: Service) -> None:
        service.put(TABLE, rows())
        warehouse = service.warehouse()
        assert warehouse.replace([ONE]).bytes_read == 0
        points(warehouse)
        points(warehouse)
        assert warehouse.replace([ONE]).bytes_read == 10


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "b_1"], "`x` IN ('a', 'b_1')"),
        (["李"], "`x` IN ('李')"),
        ([1, -2], "`x` IN (1, -2)"),
        ([*range(500)], f"`x` IN ({', '.join(map(str, range(500)))})"),
        ([*range(501)], None),
        ([], None),
        (["a", "b'"], None),
        ([""], None),
        ([1.5], None),
        ([1, 1.5], None),
        ([True], None),
        ([1, True], None),
        ([FIRST], None),
        (["a", 1], None),
    ],
)
def test_only_few_plain_names_and_whole_numbers_are_pushed_down(values: list[Value], expected: str | None) -> None:
    assert _restriction("x", values) == expected


class TestSessions:
    def test_reads_of_a_session_are_of_its_moment_and_look_each_table_up_once(self, service: Service) -> None:
        moment = datetime(2021, 11, 17, 12, tzinfo=UTC)
        service.put(TABLE, rows(row(FIRST, "a")), created=moment)
        service.answers = [[(moment,)]]
        warehouse = service.warehouse()
        with warehouse.session():
            points(warehouse)
            with warehouse.session():
                points(warehouse)
            points(warehouse)
            assert points(warehouse, OTHER) == points(warehouse, OTHER) == []
            assert service.calls["get_table"] == 2
        points(warehouse)
        times = [request.table_modifiers.snapshot_time for _, request, _ in service.sessions]
        assert times[:3] == [moment] * 3
        assert not times[3]
        assert service.statements() == ["SELECT CURRENT_TIMESTAMP()"]
        assert service.jobs[0].job_id.startswith("nba_assets_session_")

    @pytest.mark.parametrize(
        ("seconds", "expected"),
        [(1, []), (0, [3]), (-1, [3]), (None, [3])],
        ids=["younger", "as old", "older", "age unknown"],
    )
    def test_a_table_that_is_younger_than_the_session_is_not_there(
        self, service: Service, seconds: int | None, expected: list[int]
    ) -> None:
        moment = datetime(2021, 11, 17, 12, tzinfo=UTC)
        service.put(TABLE, rows(row(FIRST, "a")), None if seconds is None else moment + timedelta(seconds=seconds))
        service.answers = [[(moment,)]]
        warehouse = service.warehouse()
        with warehouse.session():
            assert points(warehouse) == expected
        assert points(warehouse) == [3]

    def test_a_session_ends_with_an_error_and_belongs_to_its_thread(self, service: Service) -> None:
        warehouse = service.warehouse()
        service.answers = [[(datetime(2021, 11, 17, tzinfo=UTC),)]]

        def write_beside_and_fail() -> None:
            other = threading.Thread(target=warehouse.replace, args=([ONE],))
            other.start()
            other.join()
            assert len(service.jobs) == 3
            raise KeyError

        with pytest.raises(KeyError), warehouse.session():
            write_beside_and_fail()
        warehouse.replace([ONE])

    def test_nothing_is_replaced_within_a_session(self, service: Service) -> None:
        warehouse = service.warehouse()
        service.answers = [[(datetime(2021, 11, 17, tzinfo=UTC),)]]
        with warehouse.session(), pytest.raises(RuntimeError, match="end the session first"):
            warehouse.replace([ONE])
        assert len(service.jobs) == 1


class TestStatus:
    def test_one_query_counts_what_is_stored_of_all_tables(self, service: Service) -> None:
        third = replace(TABLE, name="third")
        service.put(TABLE)
        service.put(third)
        service.answers = [[(1, 5, 2, FIRST, SECOND), (0, 7, 3, FIRST, THIRD)]]
        assert service.warehouse().status([TABLE, OTHER, third]) == [
            TableStatus(TABLE, 7, 3, FIRST, THIRD),
            TableStatus(OTHER, 0, 0, None, None),
            TableStatus(third, 5, 2, FIRST, SECOND),
        ]
        counts = "COUNT(*), COUNT(DISTINCT `game_date`), MIN(`game_date`), MAX(`game_date`)"
        assert service.statements() == [
            f"SELECT 0, {counts} FROM `p.t_nba_analytics.everything` UNION ALL "
            f"SELECT 1, {counts} FROM `p.t_nba_analytics.third`"
        ]

    def test_nothing_is_queried_where_nothing_is_stored(self, service: Service) -> None:
        assert service.warehouse().status([TABLE]) == [TableStatus(TABLE, 0, 0, None, None)]
        assert service.jobs == []


class TestWriting:
    def test_rows_are_loaded_into_a_staging_table_that_is_dropped_after_the_script(self, service: Service) -> None:
        inserted = Insertion(OTHER, rows(row(SECOND, "b")))
        facts = service.warehouse().replace([ONE, inserted])
        load, query = service.jobs
        dataset, table = load.destination.rsplit(".", 1)
        assert dataset == "p.t_nba_staging"
        assert table.startswith("everything_")
        assert load.destination not in service.tables
        assert service.calls["delete_table"] == 1
        staged = pq.read_table(io.BytesIO(load.content))
        assert staged.column("part").to_pylist() == [0, 1]
        assert [field["name"] for field in load.configuration["load"]["schema"]["fields"]] == staged.column_names
        assert query.content.count(f"FROM `{load.destination}` WHERE part = ") == 2
        assert load.configuration["load"]["sourceFormat"] == "PARQUET"
        assert load.configuration["load"]["writeDisposition"] == "WRITE_TRUNCATE"
        assert load.configuration["load"]["parquetOptions"] == {"enableListInference": True}
        assert facts == WriteFacts([load.job_id, query.job_id], 7, 10, 0)
        assert [job.job_id.rsplit("_", 1)[0] for job in service.jobs] == ["nba_assets_load", "nba_assets_replace"]

    def test_jobs_are_labelled_and_queries_bounded_in_bytes_and_time_and_never_cached(self, service: Service) -> None:
        service.warehouse().replace([ONE, Replacement(OTHER, rows(), [FIRST])])
        load, query = service.jobs
        for job in (load, query):
            assert job.configuration["labels"] == {"app": "nba-assets", "table": "everything"}
        assert query.configuration["query"]["maximumBytesBilled"] == str(3 * 10**9)
        assert query.configuration["query"]["useQueryCache"] is False
        assert query.configuration["jobTimeoutMs"] == str(5 * 60 * 1000)

    def test_a_write_without_rows_is_one_script_that_costs_what_it_says(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        facts = service.warehouse().replace([Replacement(TABLE, rows(), [FIRST])])
        (query,) = service.jobs
        assert facts == WriteFacts([query.job_id], 7, 10, 0)
        assert path(TABLE) in service.tables
        assert "p.t_nba_staging" not in service.datasets
        assert "could not be deleted" not in caplog.text

    def test_bytes_that_the_service_does_not_tell_count_nothing(self, service: Service) -> None:
        query = service.query

        def untold(*arguments: Any, **options: Any) -> Any:
            job = query(*arguments, **options)
            job.total_bytes_processed = job.total_bytes_billed = None
            return job

        service.query = untold  # type: ignore[method-assign]
        facts = service.warehouse().replace([ONE])
        assert (facts.bytes_processed, facts.bytes_billed) == (0, 0)

    def test_nothing_to_write_sends_nothing(self, service: Service) -> None:
        assert service.warehouse().replace([]) == WriteFacts()
        assert not service.calls

    def test_rows_that_do_not_fit_are_refused_before_anything_is_sent(self, service: Service) -> None:
        with pytest.raises(ValueError, match="outside the dates that they replace"):
            service.warehouse().replace([Replacement(TABLE, rows(row(SECOND, "a")), [FIRST])])
        assert not service.calls

    def test_a_statement_changes_as_many_dates_as_the_service_takes_and_no_more(self, service: Service) -> None:
        days = [FIRST + timedelta(days=offset) for offset in range(4001)]
        service.warehouse().replace([Replacement(TABLE, rows(), [*days[:4000], days[0]])])
        service.calls.clear()
        with pytest.raises(WarehouseError, match=r"everything: 4,001 dates in one write, of which .* takes 4,000"):
            service.warehouse().replace([Replacement(TABLE, rows(), days)])
        assert not service.calls


class TestTables:
    def test_a_new_table_is_partitioned_clustered_described_and_labelled(self, service: Service) -> None:
        described = replace(OTHER, entity_column="player_lookup", description="All there is")
        service.warehouse().replace([ONE, Replacement(described, rows(), [FIRST])])
        plain, full = service.tables[path(TABLE)], service.tables[path(OTHER)]
        assert (plain.time_partitioning.type_, plain.time_partitioning.field) == ("DAY", "game_date")
        assert (plain.clustering_fields, full.clustering_fields) == (None, ["player_lookup"])
        assert (plain.description, full.description) == (TABLE.grain, "All there is")
        assert plain.labels == {"app": "nba-assets"}
        assert [column.name for column in plain.schema] == list(TABLE.column_names)

    def test_datasets_are_where_the_address_says_and_only_staging_expires(self, service: Service) -> None:
        service.warehouse().replace([ONE])
        expiry = {"p.t_nba_analytics": None, "p.t_nba_staging": 24 * 60 * 60 * 1000}
        assert {name: each.default_table_expiration_ms for name, each in service.datasets.items()} == expiry
        for dataset in service.datasets.values():
            assert (dataset.location, dataset.labels) == ("EU", {"app": "nba-assets"})

    def test_a_table_or_dataset_that_another_writer_makes_meanwhile_is_no_error(self, service: Service) -> None:
        service.warehouse().replace([ONE])
        missing = exceptions.NotFound("not yet")
        service.before["get_table"] = [missing, missing]
        service.warehouse().replace([ONE])
        assert service.calls["create_table"] == 2

    def test_a_stored_table_gains_the_columns_that_its_spec_has_gained(self, service: Service) -> None:
        service.put(TABLE)
        new = row(SECOND, "b") | {"later": 7, "tags": ["x"]}
        service.warehouse().replace([Replacement(GROWN, rows(new, table=GROWN), [SECOND])])
        stored = service.tables[path(TABLE)]
        assert [column.name for column in stored.schema] == list(GROWN.column_names)
        assert [column.mode for column in stored.schema[-2:]] == ["NULLABLE", "REPEATED"]
        assert [column.description for column in stored.schema[-2:]] == ["Later", "Tags"]

    def test_a_stored_table_that_is_as_its_spec_says_is_not_touched(self, service: Service) -> None:
        service.put(TABLE)
        service.warehouse().replace([ONE])
        assert not {"update_table", "create_table"} & service.calls.keys()

    def test_a_table_that_differs_stops_the_write_before_any_is_made(self, service: Service) -> None:
        service.put(OTHER)
        strict = replace(OTHER, columns=(*OTHER.columns, text("must", "Never null", nullable=False)))
        said = r"other is stored without the column must STRING REQUIRED, which may not be null. Delete the table"
        with pytest.raises(SchemaMismatchError, match=said):
            service.warehouse().replace([ONE, Replacement(strict, rows(table=strict), [FIRST])])
        assert service.calls.keys() == {"get_table"}

    def test_a_table_that_a_condition_names_is_compared_with_its_spec_as_well(self, service: Service) -> None:
        service.put(GROWN)
        with pytest.raises(SchemaMismatchError, match="stored with the column later INT64 NULLABLE"):
            service.warehouse().replace([Insertion(OTHER, rows())], unless=[Changed(TABLE, rows(), FIRST, FIRST)])


class TestConditions:
    def test_a_condition_on_what_is_stored_is_checked_by_the_script(self, service: Service) -> None:
        service.put(OTHER)
        service.warehouse().replace([ONE], unless=[Changed(OTHER, rows(row(FIRST, "a")), FIRST, FIRST)])
        assert "`p.t_nba_analytics.other` WHERE `game_date` BETWEEN" in script(service)

    def test_a_condition_on_the_new_table_that_is_written_is_checked_by_the_script(self, service: Service) -> None:
        service.warehouse().replace([ONE], unless=[Changed(TABLE, rows(row(FIRST, "a")), FIRST, FIRST)])
        assert "ERROR('nba-assets: condition 0 no longer holds')" in script(service)

    def test_a_table_that_is_not_stored_is_as_it_was_read_where_it_was_read_as_empty(self, service: Service) -> None:
        service.warehouse().replace([ONE], unless=[Changed(OTHER, rows(), FIRST, FIRST)])
        assert "other" not in script(service)
        assert path(OTHER) not in service.tables

    def test_a_table_that_is_gone_is_a_change(self, service: Service) -> None:
        with pytest.raises(OvertakenError, match=r"nba_analytics.other has changed for 2021-11-15"):
            service.warehouse().replace([ONE], unless=[Changed(OTHER, rows(row(FIRST, "a")), FIRST, FIRST)])
        assert service.jobs == []

    @pytest.mark.parametrize(
        ("now", "said"),
        [
            (
                rows(row(FIRST, "a", points=9)),
                "overtaken by another writer: .* has changed for 2021-11-15 since",
            ),
            (rows(row(FIRST, "a")), "everything has changed since it was read, and again since; nothing was written"),
        ],
        ids=["differs", "is as it was once more"],
    )
    def test_a_condition_that_ends_the_script_is_told_by_what_is_stored_now(
        self, service: Service, now: Any, said: str
    ) -> None:
        service.put(TABLE, now)
        warehouse = service.warehouse()
        service.failures = [BROKEN]
        with pytest.raises(OvertakenError, match=said):
            warehouse.replace(
                [Replacement(TABLE, rows(), [FIRST])], unless=[Changed(TABLE, rows(row(FIRST, "a")), FIRST, FIRST)]
            )
        assert service.calls["delete_table"] == 1

    def test_a_script_that_is_refused_is_no_condition_that_failed(self, service: Service) -> None:
        service.put(TABLE, rows())
        service.failures = [DENIED]
        said = r"bigquery://p/t refused, and keeps what it had: 403 Access Denied$"
        with pytest.raises(WarehouseError, match=said) as raised:
            service.warehouse().replace(
                [Replacement(TABLE, rows(), [FIRST])], unless=[Changed(TABLE, rows(), FIRST, FIRST)]
            )
        assert type(raised.value) is WarehouseError


class TestJobs:
    def test_a_job_is_asked_after_with_growing_pauses_until_it_is_done(
        self, service: Service, pauses: list[float]
    ) -> None:
        service.polls = 8
        service.warehouse().replace([Replacement(TABLE, rows(), [FIRST])])
        assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]

    def test_a_job_whose_response_was_lost_is_found_by_its_id(self, service: Service) -> None:
        service.after["load"] = [requests.ConnectionError("lost")]
        service.after["query"] = [UNAVAILABLE]
        facts = service.warehouse().replace([ONE])
        assert [job.job_id for job in service.jobs] == facts.job_ids
        assert len(facts.job_ids) == 2
        assert service.calls["get_job"] == 2

    def test_a_load_that_was_not_accepted_is_sent_whole_once_more(self, service: Service) -> None:
        service.before["load"] = [requests.Timeout("slow")]
        service.warehouse().replace([ONE])
        assert pq.read_table(io.BytesIO(service.jobs[0].content)).num_rows == 1

    def test_a_job_that_fails_for_a_transient_reason_is_sent_again_under_a_new_id(self, service: Service) -> None:
        lost = exceptions.BadRequest("Transaction is aborted due to concurrent update against table t. Try again")
        service.failures = [UNAVAILABLE, lost, lost]
        facts = service.warehouse().replace([Replacement(TABLE, rows(), [FIRST])])
        assert len({job.job_id for job in service.jobs}) == 4
        assert facts.job_ids == [service.jobs[-1].job_id]

    def test_a_job_that_fails_for_another_reason_is_not(self, service: Service) -> None:
        service.failures = [DENIED]
        with pytest.raises(WarehouseError, match="Access Denied"):
            service.warehouse().replace([Replacement(TABLE, rows(), [FIRST])])
        assert len(service.jobs) == 1

    def test_a_staging_table_that_cannot_be_deleted_stops_nothing(
        self, service: Service, caplog: pytest.LogCaptureFixture
    ) -> None:
        service.before["delete_table"] = [UNAVAILABLE, DENIED]
        service.warehouse().replace([ONE])
        assert "could not be deleted and expires within a day: 403 Access Denied" in caplog.text


class TestPersistence:
    def test_pauses_double_up_to_a_longest_one_within_the_bound(self, service: Service, pauses: list[float]) -> None:
        service.before["get_table"] = [UNAVAILABLE] * 20
        said = (
            r"^the warehouse bigquery://p/t was still busy or out of reach after 60 s: 503 busy. Try again later, or "
            r"give it more time with NBA_ASSETS_WAREHOUSE_WAIT_SECONDS.$"
        )
        with pytest.raises(WarehouseBusyError, match=said):
            points(service.warehouse())
        assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 16.0]

    def test_the_bound_is_the_warehouses_own(self, service: Service, pauses: list[float]) -> None:
        service.before["get_table"] = [UNAVAILABLE] * 20
        with pytest.raises(WarehouseBusyError, match=r"out of reach after 7\.5 s"):
            points(service.warehouse(7.5))
        assert pauses == [0.5, 1.0, 2.0, 4.0]

    def test_a_minute_is_waited_where_nothing_else_is_said(self, service: Service) -> None:
        assert BigQueryWarehouse(service.warehouse().address, service, service).wait_seconds == 60

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (requests.ConnectionError("refused"), True),
            (requests.Timeout("slow"), True),
            (requests.RequestException("odd"), False),
            (exceptions.InternalServerError("500"), True),
            (exceptions.TooManyRequests("429"), True),
            (exceptions.PreconditionFailed("changed meanwhile"), True),
            (exceptions.Forbidden("limits", errors=[{"reason": "rateLimitExceeded"}]), True),
            (exceptions.BadRequest("inner", errors=["odd", {"reason": "jobBackendError"}]), True),
            (exceptions.Forbidden("no", errors=["odd", {"reason": "accessDenied"}]), False),
            (exceptions.BadRequest("Transaction is aborted due to concurrent update against table t"), True),
            (exceptions.BadRequest("Syntax error"), False),
            (exceptions.NotFound("table"), False),
            (KeyError("of our own"), False),
        ],
        ids=str,
    )
    def test_what_may_pass_is_tried_again_and_nothing_else(self, error: Exception, expected: bool) -> None:
        assert _is_transient(error) is expected

    @pytest.mark.parametrize("call", ["get_table", "create_dataset", "create_table", "load", "query", "delete_table"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_fault_at_any_call_of_a_write_leaves_it_done_once(self, service: Service, call: str, when: str) -> None:
        getattr(service, when)[call] = [UNAVAILABLE, requests.ConnectionError("lost")]
        service.warehouse().replace([ONE])
        assert path(TABLE) in service.tables
        assert [type(job).__name__ for job in service.jobs] == ["Job", "QueryJob"]


def test_every_type_that_the_service_names_otherwise_is_known(service: Service) -> None:
    service.put(TABLE, rows(row(FIRST, "a")))
    assert {column.field_type for column in service.tables[path(TABLE)].schema} > {"INTEGER", "FLOAT", "BOOLEAN"}
    assert {column["type"] for column in bigquery_schema(TABLE)} > {"INT64", "FLOAT64", "BOOL"}
    assert points(service.warehouse()) == [3]
