"""The event log with kept connections holds what the stock one holds, shows a live run, and survives what happens to
processes.
"""

import logging
import multiprocessing
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage

from nba_assets.orchestration import event_log
from nba_assets.orchestration.event_log import (
    CONNECTIONS_KEPT,
    OVERRIDDEN,
    PLANNED_SUBSET_VARIABLE,
    KeptConnectionsEventLogStorage,
    event_log_storage,
    unknown_internals,
)
from nba_assets.orchestration.instance import dagster_instance

DAYS = dg.DailyPartitionsDefinition("2021-11-01", end_date="2021-11-11")
FIRST, REFUSED, LAST = "2021-11-02", "2021-11-04", "2021-11-06"
RANGE = {"dagster/asset_partition_range_start": FIRST, "dagster/asset_partition_range_end": LAST}
PATIENCE_SECONDS = 60
NUMBERS = dg.AssetKey("numbers")


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("positive", asset="numbers")],
)
def numbers(context: dg.AssetExecutionContext) -> Iterator[Any]:
    for place, key in enumerate(context.partition_keys):
        refused = {"status": "REFUSED", "refused_because": "of what"} if key == REFUSED else {}
        context.add_asset_metadata({"place": place, **refused}, partition_key=key)
    yield dg.AssetCheckResult(passed=True, check_name="positive")
    yield dg.MaterializeResult(metadata={"dates": len(context.partition_keys)})


@contextmanager
def stock_instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def run_of(instance: dg.DagsterInstance) -> str:
    return dg.materialize([numbers], instance=instance, tags=RANGE).run_id


def stored(instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    """What a run left, without what differs from run to run."""
    entries = [record.event_log_entry for record in instance.get_records_for_run(run_id).records]
    kinds = Counter(entry.dagster_event_type for entry in entries)
    materializations = instance.fetch_materializations(NUMBERS, limit=100).records
    checks = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(NUMBERS, "positive"), limit=10
    )
    (asset,) = instance.get_asset_records([NUMBERS])
    return {
        "kinds": {
            kind: number for kind, number in kinds.items() if kind is not DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        },
        "places": {
            record.partition_key: record.asset_materialization.metadata["place"].value
            for record in materializations
            if record.asset_materialization
        },
        "checks": [check.status.value for check in checks],
        "partitions": sorted(instance.get_materialized_partitions(NUMBERS)),
        "last_run": asset.asset_entry.last_run_id == run_id,
        "status": instance.get_run_by_id(run_id).status,  # type: ignore[union-attr]
    }


def test_a_run_leaves_what_it_leaves_in_the_stock_storage(tmp_path: Path) -> None:
    with stock_instance(tmp_path) as stock, dagster_instance() as ours:
        assert isinstance(ours.event_log_storage, KeptConnectionsEventLogStorage)
        expected, found = (stored(instance, run_of(instance)) for instance in (stock, ours))
    # The stock storage plans the check, which has no partitions, for each date as well, and nothing completes that.
    assert sorted(expected.pop("checks")) == ["PLANNED"] * 5 + ["SUCCEEDED"]
    assert found.pop("checks") == ["SUCCEEDED"]
    assert found == expected
    assert found["partitions"] == [f"2021-11-0{day}" for day in range(2, 7)]
    assert found["places"] == {f"2021-11-0{day}": day - 2 for day in range(2, 7)}


@pytest.mark.parametrize(("variable", "planned"), [(None, 1), ("1", 1), ("0", 5), ("false", 5)])
def test_a_range_is_planned_as_one_subset_unless_the_environment_says_otherwise(
    variable: str | None, planned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PLANNED_SUBSET_VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(PLANNED_SUBSET_VARIABLE, variable)
    with dagster_instance() as instance:
        records = instance.get_records_for_run(
            run_of(instance), of_type=DagsterEventType.ASSET_MATERIALIZATION_PLANNED
        ).records
    assert len(records) == planned


def test_a_batch_is_stored_as_a_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with dagster_instance() as instance:
        entries = [record.event_log_entry for record in instance.get_records_for_run(run_of(instance)).records]
        batch = [entry for entry in entries if entry.dagster_event_type is DagsterEventType.ASSET_MATERIALIZATION]
        storage = instance.event_log_storage
        before = len(instance.fetch_materializations(NUMBERS, limit=100).records)
        runs_log = len(entries)

        def failing(*_: Any) -> None:
            raise RuntimeError("the last event cannot be stored")

        with monkeypatch.context() as patched:
            patched.setattr(SqliteEventLogStorage, "_store_asset_event", failing)
            with pytest.raises(RuntimeError, match="last"):
                storage.store_event_batch(batch)
        assert len(instance.get_records_for_run(entries[0].run_id).records) == runs_log
        assert len(instance.fetch_materializations(NUMBERS, limit=100).records) == before
        storage.store_event_batch(batch)
        assert len(instance.fetch_materializations(NUMBERS, limit=100).records) == before + len(batch)


def test_the_log_of_a_range_run_does_not_repeat_what_the_index_holds() -> None:
    """Stored in both places, the metadata and input versions of three seasons filled 200 MB."""
    with dagster_instance() as instance:
        run_id = run_of(instance)
        of_run, of_asset = materializations(instance, run_id), indexed(instance)
        assert [one.partition for one in of_run] == sorted(of_asset) == [f"2021-11-0{day}" for day in range(2, 7)]
        *earlier, newest = of_run
        assert all(one.asset_key == NUMBERS and not one.tags for one in earlier)
        assert {one.partition: {name: each.value for name, each in one.metadata.items()} for one in earlier} == {
            "2021-11-02": {},
            "2021-11-03": {},
            REFUSED: {"status": "REFUSED", "refused_because": "of what"},
            "2021-11-05": {},
        }
        assert newest == of_asset[LAST]
        assert [of_asset[day].metadata["place"].value for day in sorted(of_asset)] == [0, 1, 2, 3, 4]
        assert len({tuple(sorted(one.tags or {})) for one in of_asset.values()}) == 1
        assert all("dagster/data_version" in (one.tags or {}) for one in of_asset.values())
        versions = instance.event_log_storage.get_latest_tags_by_partition(
            NUMBERS, DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
        )
        assert sorted(versions) == sorted(of_asset)


def test_the_run_of_one_date_has_its_materialization_whole_in_both_places() -> None:
    with dagster_instance() as instance:
        run_id = dg.materialize([numbers], instance=instance, partition_key=FIRST).run_id
        assert materializations(instance, run_id) == [indexed(instance)[FIRST]]


def test_the_stock_storage_reads_what_is_stored(tmp_path: Path) -> None:
    with dagster_instance() as ours:
        run_id = run_of(ours)
        folder = Path(ours.event_log_storage.path_for_shard(run_id)).parent  # type: ignore[attr-defined]
    stock = SqliteEventLogStorage(str(folder))
    assert Counter(entry.dagster_event_type for entry in stock.get_logs_for_run(run_id))[
        DagsterEventType.ASSET_MATERIALIZATION
    ] == len(stock.get_materialized_partitions(NUMBERS))
    stock.dispose()


def materializations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetMaterialization]:
    """The materializations in the log of a run."""
    records = instance.get_records_for_run(run_id, of_type=DagsterEventType.ASSET_MATERIALIZATION).records
    return [check_not_none(record.event_log_entry.asset_materialization) for record in records]


def indexed(instance: dg.DagsterInstance) -> dict[str, dg.AssetMaterialization]:
    """The materializations of the asset, over all runs, by partition."""
    records = instance.fetch_materializations(NUMBERS, limit=100).records
    return {str(record.partition_key): check_not_none(record.asset_materialization) for record in records}


def check_not_none(materialization: dg.AssetMaterialization | None) -> dg.AssetMaterialization:
    assert materialization is not None
    return materialization


def test_more_runs_than_connections_are_all_kept_and_few_files_are_open() -> None:
    with dagster_instance() as instance:
        runs = [run_of(instance) for _ in range(CONNECTIONS_KEPT + 2)]
        storage = instance.event_log_storage
        assert isinstance(storage, KeptConnectionsEventLogStorage)
        assert all(len(instance.get_records_for_run(run_id).records) > 10 for run_id in runs)
        assert len(storage._shards) <= CONNECTIONS_KEPT


def test_the_run_that_was_not_used_for_the_longest_time_is_closed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "CONNECTIONS_KEPT", 3)
    with dagster_instance() as instance:
        runs = [run_of(instance) for _ in range(2)]
        storage = instance.event_log_storage
        assert isinstance(storage, KeptConnectionsEventLogStorage)
        assert instance.get_records_for_run(runs[0]).records
        runs.append(run_of(instance))
        assert set(storage._shards) == {"index", runs[0], runs[2]}


def test_runs_are_deleted_and_wiped_with_their_connections_open() -> None:
    with dagster_instance() as instance:
        gone, kept = run_of(instance), run_of(instance)
        instance.delete_run(gone)
        assert not instance.get_records_for_run(gone).records
        assert instance.get_records_for_run(kept).records
        instance.event_log_storage.wipe()
        assert not instance.get_records_for_run(kept).records
        assert run_of(instance)


def test_a_column_that_the_index_lacks_is_not_there() -> None:
    with dagster_instance() as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, KeptConnectionsEventLogStorage)
        with storage.index_connection() as connection:
            for _ in range(2):
                assert storage._has_asset_key_col_on_connection(connection, "asset_key")
                assert not storage._has_asset_key_col_on_connection(connection, "no_such_column")


def test_an_event_that_is_not_checkpointed_at_once_is_checkpointed_soon_whatever_other_runs_do() -> None:
    with dagster_instance() as instance:
        runs = [run_of(instance) for _ in range(2)]
        storage = instance.event_log_storage
        assert isinstance(storage, KeptConnectionsEventLogStorage)
        event = next(
            record.event_log_entry
            for record in instance.get_records_for_run(runs[1]).records
            if record.event_log_entry.dagster_event_type is DagsterEventType.STEP_START
        )
        if storage._timer is not None:
            storage._timer.cancel()
            storage._checkpoint_waiting()
        for kept in storage._shards.values():
            kept.waiting, kept.checkpointed_at = False, time.monotonic() + PATIENCE_SECONDS
        storage._written([event])
        assert [storage._shards[run_id].waiting for run_id in runs] == [False, True]
        assert storage._timer is not None
        storage._timer.cancel()
        storage._checkpoint_waiting()
        assert not any(kept.waiting for kept in storage._shards.values())
        assert storage._timer is None


def test_a_forked_child_uses_connections_of_its_own() -> None:
    with dagster_instance() as instance:
        run_id = run_of(instance)
        before = len(instance.get_records_for_run(run_id).records)
        child = multiprocessing.get_context("fork").Process(target=write_and_read, args=(instance, run_id))
        child.start()
        child.join(PATIENCE_SECONDS)
        assert child.exitcode == 0
        assert len(instance.get_records_for_run(run_id).records) == before + 1


def write_and_read(instance: dg.DagsterInstance, run_id: str) -> None:
    first = instance.get_records_for_run(run_id).records[0].event_log_entry
    instance.event_log_storage.store_event(first)
    assert instance.get_records_for_run(run_id).records


WRITER = """
import sys, time
from nba_assets.orchestration.instance import dagster_instance
from dagster._core.events.log import EventLogEntry
run_id, pause, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
with dagster_instance() as instance:
    print("ready", flush=True)
    sent = 0
    while sent < count:
        instance.event_log_storage.store_event(EventLogEntry(None, 10, f"event {sent}", run_id, time.time()))
        sent += 1
        print(sent, flush=True)
        time.sleep(pause)
    time.sleep(600)
"""


@contextmanager
def writer(run_id: str, pause_seconds: float, count: int = 100_000) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes events of a run, one after the other, and stays; it prints how many it has stored."""
    command = [sys.executable, "-c", WRITER, run_id, str(pause_seconds), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {PATIENCE_SECONDS} s"
        time.sleep(0.05)


def test_the_live_view_sees_the_events_of_a_run_in_another_process_while_it_goes_on() -> None:
    seen: list[str] = []

    def see(entry: EventLogEntry, _: str) -> None:
        seen.append(entry.user_message)

    with dagster_instance() as instance:
        run_id = run_of(instance)
        cursor = instance.get_records_for_run(run_id).cursor
        instance.watch_event_logs(run_id, cursor, see)
        with writer(run_id, 0.02):
            wait_for(lambda: len(seen) >= 100)
        instance.end_watch_event_logs(run_id, see)
    assert seen[:100] == [f"event {number}" for number in range(100)]


def test_an_event_after_which_nothing_more_comes_is_seen_as_well() -> None:
    seen: list[str] = []

    def see(entry: EventLogEntry, _: str) -> None:
        seen.append(entry.user_message)

    with dagster_instance() as instance:
        run_id = run_of(instance)
        instance.watch_event_logs(run_id, instance.get_records_for_run(run_id).cursor, see)
        with writer(run_id, 0, count=30):
            wait_for(lambda: len(seen) >= 30)
        instance.end_watch_event_logs(run_id, see)
    assert seen == [f"event {number}" for number in range(30)]


@pytest.mark.parametrize("moment", [0.05, 0.3, 0.7, 1.3])
def test_a_log_whose_writer_was_killed_opens_and_holds_what_was_stored(moment: float) -> None:
    with dagster_instance() as instance:
        run_id = run_of(instance)
        before = len(instance.get_records_for_run(run_id).records)
        with writer(run_id, 0) as process:
            time.sleep(moment)
            process.kill()
            assert process.stdout is not None
            told = [line for line in process.stdout.read().splitlines() if line.isdigit()]
    with dagster_instance() as instance:
        messages = [
            record.event_log_entry.user_message for record in instance.get_records_for_run(run_id).records[before:]
        ]
        assert messages == [f"event {number}" for number in range(len(messages))]
        assert len(messages) >= int(told[-1] if told else 0)
        file = instance.event_log_storage.path_for_shard(run_id)  # type: ignore[attr-defined]
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_internal_that_is_relied_on_is_there_in_the_pinned_version() -> None:
    assert unknown_internals() == []


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_another_internal_means_the_stock_storage_and_a_warning(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Changed(SqliteEventLogStorage):
        pass

    def changed(self: Changed, something_new: int) -> None:
        """Another signature."""

    setattr(Changed, name, changed)
    assert unknown_internals(Changed) == [name]
    monkeypatch.setattr(event_log, "unknown_internals", lambda: unknown_internals(Changed))
    with caplog.at_level(logging.WARNING):
        storage = event_log_storage(str(tmp_path))
    assert type(storage) is SqliteEventLogStorage
    assert f"{name} of SqliteEventLogStorage differ" in caplog.text
