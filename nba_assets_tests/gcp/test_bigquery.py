"""What is BigQuery's own: jobs and what they say of themselves, calls that fail, transactions that lose, sessions, the
layout of tables; against an emulator, through the real clients.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from nba_assets.tables.spec import Table, whole
from nba_assets.warehouse import bigquery as back_end
from nba_assets.warehouse.bigquery import STAGING, BigQueryWarehouse
from nba_assets.warehouse.bigquery_script import Write
from nba_assets.warehouse.interface import (
    Changed,
    Insertion,
    OvertakenError,
    Replacement,
    WarehouseBusyError,
    WarehouseError,
)
from nba_assets_tests.gcp.adapter import BEFORE, FAULTS, LOST, Calls, open_emulated
from nba_assets_tests.gcp.emulators import BigQueryEmulator
from nba_assets_tests.warehouse.back_ends import FIRST, OTHER, SECOND, TABLE, row, rows

pytestmark = pytest.mark.gcp
THIRD_TABLE = replace(TABLE, name="third")
Open = Callable[..., BigQueryWarehouse]


@pytest.fixture
def open_here(bigquery_service: BigQueryEmulator, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens one warehouse, which is empty at first, again and again; its pauses are short."""
    prefix = f"t{uuid.uuid4().hex}"
    monkeypatch.setattr(back_end, "FIRST_PAUSE_SECONDS", 0.001)

    def opened(calls: Calls | None = None, wait_seconds: float = 60) -> BigQueryWarehouse:
        return open_emulated(bigquery_service, prefix, wait_seconds, calls)

    return opened


def write(warehouse: BigQueryWarehouse, version: int, days: list[date] | None = None) -> None:
    """Replace two tables and add to a third, under the condition that the first is as it was read."""
    days = days or [FIRST, SECOND]
    read = warehouse.read(TABLE, TABLE.column_names, days[0], days[-1])
    entries = rows(*(row(day, "a", points=version) for day in days))
    warehouse.replace(
        [
            Replacement(TABLE, entries, days),
            Replacement(OTHER, entries, days, {"player_lookup": "a"}),
            Insertion(THIRD_TABLE, rows(row(FIRST, f"v{version}", points=version))),
        ],
        unless=[Changed(TABLE, read, days[0], days[-1])],
    )


def versions(warehouse: BigQueryWarehouse, table: Table) -> list[int]:
    return warehouse.read(table, ("points",), FIRST, SECOND).column("points").to_pylist()


def staging_tables(warehouse: BigQueryWarehouse) -> list[str]:
    dataset = warehouse.address.dataset(STAGING)
    return [table.table_id for table in warehouse._client.list_tables(dataset)]


class TestJobs:
    @pytest.mark.parametrize("size", [1, 60])
    def test_a_write_is_one_load_and_one_script_however_many_dates(self, open_here: Open, size: int) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        days = [FIRST + timedelta(days=offset) for offset in range(size)]
        for version in range(2):
            calls.made.clear()
            write(warehouse, version, days)
            assert (calls.count("load"), calls.count("query")) == (1, 1)
        assert warehouse.read(TABLE, ("points",), days[0], days[-1]).num_rows == size

    def test_a_write_without_rows_is_one_script(self, open_here: Open) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        write(warehouse, 1)
        calls.made.clear()
        facts = warehouse.replace([Replacement(TABLE, rows(), [FIRST])])
        assert (calls.count("load"), calls.count("query")) == (0, 1)
        assert len(facts.job_ids) == 1
        assert versions(warehouse, TABLE) == [1]

    def test_every_job_has_labels_and_every_query_a_bound_of_bytes(self, open_here: Open) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        write(warehouse, 1)
        with warehouse.session():
            warehouse.status([TABLE])
        assert len(calls.queries) == 4
        assert {job["labels"]["app"] for job in calls.queries} == {"nba-assets"}
        assert [job["labels"].get("table") for job in calls.queries] == ["everything", "everything", None, None]
        assert {job["query"]["maximumBytesBilled"] for job in calls.queries if "query" in job} == {str(100 * 10**9)}

    def test_what_a_write_cost_is_told(self, open_here: Open) -> None:
        facts = open_here().replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        assert [job_id.rsplit("_", 1)[0] for job_id in facts.job_ids] == ["nba_assets_load", "nba_assets_replace"]
        assert facts.notes.keys() == {"job_ids", "bytes_processed", "bytes_billed", "bytes_read"}
        assert facts.bytes_billed == 0  # the emulator bills nothing

    def test_the_bytes_of_scripts_and_of_reads_are_added_up(
        self, open_here: Open, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, count in (("total_bytes_processed", 7), ("total_bytes_billed", 10)):
            monkeypatch.setattr(bigquery.QueryJob, name, count)
        warehouse = open_here()
        write(warehouse, 1)
        create = warehouse._reader.create_read_session

        def told(**request: object) -> object:
            session = create(**request)
            session.estimated_total_bytes_scanned = 5
            return session

        monkeypatch.setattr(warehouse._reader, "create_read_session", told)
        warehouse._bytes_read = 0
        versions(warehouse, TABLE)
        versions(warehouse, TABLE)
        facts = warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
        assert (facts.bytes_processed, facts.bytes_billed, facts.bytes_read) == (7, 10, 10)

    def test_reads_carry_a_trace_and_datasets_and_tables_a_label(self, open_here: Open) -> None:
        warehouse = open_here()
        write(warehouse, 1)
        versions(warehouse, TABLE)
        assert {request.trace_id for request in warehouse._reader.requests} == {"nba-assets:everything"}
        for name in (STAGING, TABLE.dataset):
            assert warehouse._client.get_dataset(warehouse.address.dataset(name)).labels == {"app": "nba-assets"}

    def test_more_dates_than_a_statement_may_change_are_refused_before_anything_is_sent(self, open_here: Open) -> None:
        calls = Calls()
        days = [FIRST + timedelta(days=offset) for offset in range(4001)]
        with pytest.raises(WarehouseError, match=r"4,001 dates in one write, of which BigQuery takes 4,000"):
            open_here(calls).replace([Replacement(TABLE, rows(), days)])
        assert calls.made == []


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_at_any_call_of_a_write_leaves_it_done_once(self, open_here: Open, fault: str) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        write(warehouse, 0)
        calls.made.clear()
        write(warehouse, 1)
        count = len(calls.made)
        assert count >= 10
        for place in range(count):
            calls.made.clear()
            calls.faults = {place: fault}
            version = 2 + place
            write(warehouse, version)
            calls.faults = {}
            assert versions(warehouse, TABLE) == versions(warehouse, OTHER) == [version] * 2, calls.made[place]
            added = warehouse.read(THIRD_TABLE, ("player_lookup",), FIRST, FIRST, {"player_lookup": f"v{version}"})
            assert added.num_rows == 1, calls.made[place]
            assert staging_tables(warehouse) == [], calls.made[place]

    @pytest.mark.slow
    @pytest.mark.usefixtures("open_here")
    @pytest.mark.parametrize("fault", [BEFORE, LOST])
    def test_a_fault_at_any_call_that_makes_or_grows_a_table_passes(
        self, bigquery_service: BigQueryEmulator, fault: str
    ) -> None:
        grown = replace(TABLE, columns=(*TABLE.columns, whole("later", "Later")))

        def make_and_grow(faults: dict[int, str]) -> Calls:
            calls = Calls(faults=faults)
            warehouse = open_emulated(bigquery_service, f"t{uuid.uuid4().hex}", 60, calls)
            warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a")), [FIRST])])
            new = row(SECOND, "b") | {"later": 7}
            warehouse.replace([Replacement(grown, rows(new, table=grown), [SECOND])])
            calls.faults = {}
            found = warehouse.read(grown, ("player_lookup", "later"), FIRST, SECOND).to_pylist()
            assert [tuple(entry.values()) for entry in found] == [("a", None), ("b", 7)]
            assert staging_tables(warehouse) == []
            return calls

        made = make_and_grow({}).made
        assert {"POST dataset", "POST table", "PATCH table"} <= set(made)
        for place in range(made.index("create_read_session") - 1):
            make_and_grow({place: fault})

    def test_what_does_not_pass_at_any_call_leaves_all_as_it_was_and_can_be_done_again(self, open_here: Open) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        write(warehouse, 0)
        calls.made.clear()
        write(warehouse, 1)
        for place, name in enumerate(list(calls.made)):
            before = versions(warehouse, TABLE)
            calls.made.clear()
            calls.faults = {place: "denied"}
            if name in {"POST dataset", "GET dataset", "create_read_session", "read_rows", "DELETE table"}:
                continue
            with pytest.raises(WarehouseError, match=r"refused, and keeps what it had: .*Access Denied"):
                write(warehouse, 2 + place)
            calls.faults = {}
            after = versions(warehouse, TABLE)
            # Where only the answer about a job was denied, the job has done its work.
            assert after in (before, [2 + place] * 2)
            assert versions(warehouse, OTHER) == after
            write(warehouse, 100 + place)
            assert versions(warehouse, TABLE) == versions(warehouse, OTHER) == [100 + place] * 2
            assert staging_tables(warehouse) == []

    def test_a_staging_table_that_cannot_be_deleted_stops_nothing(
        self, open_here: Open, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls = Calls()
        warehouse = open_here(calls)
        write(warehouse, 0)
        calls.made.clear()
        write(warehouse, 1)
        place = calls.made.index("DELETE table")
        calls.made.clear()
        calls.faults = {place: "denied"}
        write(warehouse, 2)
        assert versions(warehouse, TABLE) == [2, 2]
        assert "expires within a day" in caplog.text

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_a_read_that_breaks_is_made_again(self, open_here: Open, place: int) -> None:
        write(open_here(), 1)
        calls = Calls(faults={place: "503"})
        assert versions(open_here(calls), TABLE) == [1, 1]
        assert len(calls.made) > 3


class TestConflicts:
    def test_a_late_job_that_was_taken_for_dead_is_refused(self, open_here: Open) -> None:
        """Its write was decided on before another one finished the same dates, and arrives after it."""
        late, other = open_here(), open_here()
        write(late, 1)
        read = late.read(TABLE, TABLE.column_names, FIRST, SECOND)
        write(other, 2)
        entries = rows(*(row(day, "a", points=9) for day in (FIRST, SECOND)))
        with pytest.raises(OvertakenError, match=r"nba_analytics.everything has changed for 2021-11-15"):
            late.replace(
                [Replacement(TABLE, entries, [FIRST, SECOND]), Replacement(OTHER, entries, [FIRST, SECOND])],
                unless=[Changed(TABLE, read, FIRST, SECOND)],
            )
        assert versions(other, TABLE) == versions(other, OTHER) == [2, 2]
        assert staging_tables(other) == []

    def test_a_script_that_the_service_runs_after_its_writer_was_killed_is_refused(self, open_here: Open) -> None:
        """The job itself is late: sent by a process that is gone, it runs once another one has written."""
        calls = Calls()
        killed, other = open_here(calls), open_here()
        write(killed, 1)
        late = Write(
            [Replacement(TABLE, rows(), [FIRST])],
            [Changed(TABLE, rows(), FIRST, SECOND)],
            killed._name,
            datetime.now(UTC),
        )
        job = killed._client.query(late.script("`none`"))
        with pytest.raises(GoogleAPICallError, match="condition 0 no longer holds"):
            job.result()
        assert versions(other, TABLE) == [1, 1]

    def test_a_transaction_that_loses_is_run_again_under_a_new_id(self, open_here: Open) -> None:
        calls = Calls(conflicts=3)
        warehouse = open_here(calls)
        write(warehouse, 1)
        assert versions(warehouse, TABLE) == [1, 1]
        assert calls.count("query") == 4
        assert calls.count("load") == 1

    def test_one_that_always_loses_ends_with_the_bound_and_says_what_to_do(self, open_here: Open) -> None:
        write(open_here(), 1)
        warehouse = open_here(Calls(conflicts=10**6), wait_seconds=0.3)
        said = r"still busy or out of reach after 0.3 s: .*concurrent update.*NBA_ASSETS_WAREHOUSE_WAIT_SECONDS"
        with pytest.raises(WarehouseBusyError, match=said):
            write(warehouse, 2)
        assert versions(open_here(), TABLE) == [1, 1]
        assert staging_tables(warehouse) == []


class TestSessions:
    def test_all_reads_of_a_session_are_of_one_moment(self, open_here: Open) -> None:
        warehouse = open_here()
        write(warehouse, 1)
        with warehouse.session():
            versions(warehouse, TABLE)
            with warehouse.session():
                versions(warehouse, OTHER)
            versions(warehouse, TABLE)
        versions(warehouse, TABLE)
        moments = [request.table_modifiers.snapshot_time for request in warehouse._reader.requests[-4:]]
        assert moments[0] is not None
        assert moments[:3] == [moments[0]] * 3
        assert not moments[3]

    def test_a_table_made_after_a_session_began_is_not_there(self, open_here: Open) -> None:
        warehouse = open_here()
        with warehouse.session():
            write(open_here(), 1)
            assert versions(warehouse, TABLE) == []
        assert versions(warehouse, TABLE) == [1, 1]

    def test_nothing_is_replaced_within_a_session(self, open_here: Open) -> None:
        warehouse = open_here()
        with warehouse.session(), pytest.raises(RuntimeError, match="end the session first"):
            write(warehouse, 1)


class TestLayout:
    def test_a_table_is_partitioned_clustered_and_described(self, open_here: Open) -> None:
        warehouse = open_here()
        table = replace(TABLE, entity_column="player_lookup", description="All there is")
        warehouse.replace([Replacement(table, rows(row(FIRST, "a")), [FIRST])])
        stored = warehouse._client.get_table(f"{warehouse.address.dataset(table.dataset)}.{table.name}")
        assert (stored.time_partitioning.type_, stored.time_partitioning.field) == ("DAY", "game_date")
        assert stored.clustering_fields == ["player_lookup"]
        assert stored.description == "All there is"
        assert stored.labels == {"app": "nba-assets"}
        assert {column.name: column.description for column in stored.schema}["points"] == "Points"

    def test_staging_tables_expire(self, open_here: Open) -> None:
        warehouse = open_here()
        write(warehouse, 1)
        dataset = warehouse._client.get_dataset(warehouse.address.dataset(STAGING))
        assert dataset.default_table_expiration_ms == 24 * 3600 * 1000


def test_dates_and_plain_values_are_pushed_down_and_the_rest_is_filtered_here(open_here: Open) -> None:
    warehouse = open_here()
    warehouse.replace([Replacement(TABLE, rows(row(FIRST, "a"), row(FIRST, "b--'")), [FIRST])])
    for player, restriction in (("a", " AND `player_lookup` IN ('a')"), ("b--'", "")):
        found = warehouse.read(TABLE, ("points",), FIRST, SECOND, {"player_lookup": player})
        assert found.num_rows == 1
        options = warehouse._reader.requests[-1].read_options
        assert options.row_restriction == f"`game_date` BETWEEN '2021-11-15' AND '2021-11-16'{restriction}"
        assert list(options.selected_fields) == ["points", "game_date", "player_lookup"]


def test_the_moment_of_a_write_is_ahead_until_it_is_committed(open_here: Open) -> None:
    """A reader that began before the commit, and read what was before, began before the moment of the write."""
    calls = Calls()
    warehouse = open_here(calls)
    begun = datetime.now(UTC)
    entry = Replacement(TABLE, rows(row(FIRST, "a", seen_at=None)), [FIRST], moment_column="seen_at")
    warehouse.replace([entry])
    (moment,) = warehouse.read(TABLE, ("seen_at",), FIRST, FIRST).column("seen_at").to_pylist()
    assert begun <= moment <= datetime.now(UTC)
    script = calls.queries[-1]["query"]["query"]
    assert script.index("COMMIT TRANSACTION") < script.index("SET `seen_at` = CURRENT_TIMESTAMP()")
