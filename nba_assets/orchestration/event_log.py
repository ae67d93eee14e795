"""Dagster's SQLite event log with its connections kept open, used by the default instance.

The stock storage opens a database, commits with an fsync and closes it again for every event, two or three times for
events of assets and checks: of the 120 CPU seconds that a season of ten tables took in one run, 82 were spent there.
What is stored is the same, in the same files, but for what the log of a run over a range repeats of the index (see
`brief`). How a run writes events, and what they hold, is left to Dagster.
"""

from __future__ import annotations

import inspect
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import EVENT_TYPE_TO_PIPELINE_RUN_STATUS, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqlEventLogStorageTable, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.sql import create_engine
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import serialize_value
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

CONNECTIONS_KEPT = 8
"""Shards with an open connection: each run has a file of its own, and a server that shows many runs may not keep them
all.
"""

CHECKPOINT_SECONDS = 1.0
"""How often written events reach the file that the live view of a run watches.

Without checkpoints it saw 0 of 31 events of a run.
"""

OF_REFUSED_DATES = ("status", "refused_because")
"""Metadata that a materialization keeps in the log of its run: Dagster has an event for every date of a run, and what
was not published must not read there as if it was.
"""

BATCH_VARIABLE, BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE", "1000"
PLANNED_SUBSET_VARIABLE = "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS"

OVERRIDDEN = {
    "_connect": ["self", "shard"],
    "_initdb": ["self", "engine", "for_index_shard"],
    "conn_string_for_shard": ["self", "shard_name"],
    "store_event": ["self", "event"],
    "store_asset_check_event": ["self", "event", "event_id"],
    "_store_asset_check_evaluation_planned": ["self", "event", "event_id"],
    "run_connection": ["self", "run_id"],
    "index_transaction": ["self"],
    "_event_to_row": ["self", "event"],
    "_store_asset_event_tags": ["self", "conn", "events", "event_ids"],
    "has_table": ["self", "table_name"],
    "_has_asset_key_col_on_connection": ["self", "conn", "column_name"],
    "wipe": ["self"],
    "dispose": ["self"],
}
"""What this module relies on of the stock storage, with the parameters that it was written for (Dagster 1.13)."""

logger = logging.getLogger(__name__)


def event_log_storage(base_dir: str) -> SqliteEventLogStorage:
    """The event log in a folder; the stock one, with a warning, where Dagster's internals are not those that this
    module knows.
    """
    unknown = unknown_internals()
    if unknown:
        logger.warning(
            f"events are stored by Dagster's own, slower storage: in this version of Dagster {', '.join(unknown)} of "
            "SqliteEventLogStorage "
            "differ from those of 1.13. Nothing is lost; install the versions of constraints.txt to be faster."
        )
        return SqliteEventLogStorage(base_dir)
    os.environ.setdefault(BATCH_VARIABLE, BATCH_SIZE)
    return KeptConnectionsEventLogStorage(base_dir)


def unknown_internals(storage: type = SqliteEventLogStorage) -> list[str]:
    """Names in `OVERRIDDEN` that the stock storage lacks or has with other parameters."""

    def parameters(name: str) -> list[str]:
        found = getattr(storage, name, None)
        return list(inspect.signature(found).parameters) if callable(found) else []

    return [name for name, expected in OVERRIDDEN.items() if parameters(name) != expected]


@dataclass
class _Shard:
    """One open database, and what is written there but not checkpointed yet."""

    connection: Connection
    checkpointed_at: float = field(default_factory=time.monotonic)
    waiting: bool = False

    def checkpoint(self) -> None:
        """Move what is written into the file itself, as far as no reader is in the way."""
        self.connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        self.connection.rollback()
        self.checkpointed_at, self.waiting = time.monotonic(), False

    def close(self) -> None:
        """Close the database; the last connection to it checkpoints and deletes its write-ahead log."""
        self.connection.close()
        self.connection.engine.dispose()


class KeptConnectionsEventLogStorage(SqliteEventLogStorage):
    """The stock storage with one open connection per shard, and a batch of events in one transaction.

    Transactions are committed with `synchronous=NORMAL`: a process that dies loses nothing that was committed, a
    machine that loses power may lose the last second. One thread at a time uses a connection; a forked child opens
    connections of its own.
    """

    def __init__(self, base_dir: str) -> None:
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._shards_pid = os.getpid()
        self._batch: dict[str, Connection] | None = None
        self._tables: set[str] = set()
        self._asset_key_columns: set[str] = set()
        self._timer: threading.Timer | None = None
        super().__init__(base_dir)
        # Within a batch the thread that stores it comes back for each event.
        self._db_lock = threading.RLock()  # type: ignore[assignment]

    @property
    def supports_partition_subset_in_asset_materialization_planned_events(self) -> bool:
        """A run over a range plans each asset once, and not once per partition, unless the environment says
        otherwise.
        """
        return os.environ.get(PLANNED_SUBSET_VARIABLE, "1").lower() not in ("0", "false", "")

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            kept = self._shard(shard)
            if self._batch is not None:
                if shard not in self._batch:
                    kept.connection.begin()
                    self._batch[shard] = kept.connection
                yield kept.connection
                return
            with kept.connection.begin():
                yield kept.connection

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event; the live view of its run sees it within about a second, at once where the run has ended."""
        with self._db_lock:
            super().store_event(event)
            if self._batch is None:
                self._written([event])

    def store_asset_check_event(self, event: EventLogEntry, event_id: int | None) -> None:
        """Store that a check is planned, or what it found.

        A run over a range plans each check, as these have no partitions, once. Dagster plans it for each partition of
        the run: a season left 33,499 rows, 69 MB, that nothing ever completed.
        """
        super().store_asset_check_event(planned_once(event), event_id)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction per database: all of them, or none where one cannot be stored."""
        with self._db_lock:
            self._batch = {}
            try:
                earlier = len(events) - 1 if _is_range_of_one_asset(events) else 0
                if earlier:
                    self._store_materializations(events[:earlier])
                for are_planned, several in groupby(events[earlier:], _is_planned_check):
                    if are_planned:
                        self._store_planned_checks(list(several))
                        continue
                    for event in several:
                        super().store_event(event)
            except BaseException:
                for connection in self._batch.values():
                    connection.rollback()
                raise
            else:
                for connection in self._batch.values():
                    connection.commit()
            finally:
                self._batch = None
            self._written(events)

    def _store_materializations(self, events: Sequence[EventLogEntry]) -> None:
        """Store materializations that others of the same asset follow in their batch: without what stands in the index
        in the log of their run, and without naming each the last one of its asset.
        """
        of_index = [self._event_to_row(without_repetitions(event)) for event in events]
        ids = self._insert([self._event_to_row(brief(event)) for event in events], of_index)
        with self.index_transaction() as connection:
            self._store_asset_event_tags(connection, events, ids)

    def _insert(self, of_run: Sequence[dict[str, Any]], of_index: Sequence[dict[str, Any]]) -> list[int]:
        """Insert events of a run, as rows, into its log and into the index, within a batch; returns their ids in the
        index.
        """
        insert = SqlEventLogStorageTable.insert()
        with self.run_connection(of_run[0]["run_id"]) as connection:
            connection.execute(insert, of_run)
        with self.index_transaction() as connection:
            inserted = connection.execute(
                insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True), of_index
            )
            return list(inserted.scalars())

    def _store_planned_checks(self, events: Sequence[EventLogEntry]) -> None:
        """Store that checks of a run are planned: with a statement for each table, and not three for each check."""
        rows = [self._event_to_row(event) for event in events]
        executions = [
            {
                "asset_key": _planned_check(event).asset_key.to_string(),
                "check_name": _planned_check(event).check_name,
                "partition": None,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event": serialize_value(planned_once(event)),
                "evaluation_event_timestamp": row["timestamp"],
                "evaluation_event_storage_id": event_id,
            }
            for event, row, event_id in zip(events, rows, self._insert(rows, rows), strict=True)
        ]
        with self.index_transaction() as connection:
            connection.execute(AssetCheckExecutionsTable.insert(), executions)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has a table; one that is there stays there."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._asset_key_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._asset_key_columns.add(column_name)
        return column_name in self._asset_key_columns

    def wipe(self) -> None:
        """Delete all events, and the files that hold them."""
        with self._db_lock:
            self._close_all()
            super().wipe()

    def dispose(self) -> None:
        """Close everything."""
        super().dispose()
        with self._db_lock:
            self._close_all()

    def _shard(self, shard: str) -> _Shard:
        """The open database of a shard, opened where it is not."""
        if self._shards_pid != os.getpid():
            # The parent's connections are the parent's to close.
            self._shards, self._shards_pid, self._timer = OrderedDict(), os.getpid(), None
        if shard not in self._shards:
            self._shards[shard] = self._opened(shard)
            while len(self._shards) > CONNECTIONS_KEPT and (oldest := next(iter(self._shards))) not in (
                self._batch or ()
            ):
                self._shards.pop(oldest).close()
        self._shards.move_to_end(shard)
        return self._shards[shard]

    def _opened(self, shard: str) -> _Shard:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        )
        if shard not in self._initialized_dbs:
            self._initdb(engine)
            self._initialized_dbs.add(shard)
        connection = engine.connect()
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        connection.rollback()
        return _Shard(connection)

    def _written(self, events: Sequence[EventLogEntry]) -> None:
        """Checkpoint the runs of stored events: at once where a run changed its state or had no checkpoint for a
        second, else soon.
        """
        states = {
            event.run_id
            for event in events
            if event.is_dagster_event and event.dagster_event_type in EVENT_TYPE_TO_PIPELINE_RUN_STATUS
        }
        for run_id in dict.fromkeys(event.run_id for event in events):
            kept = self._shards.get(run_id)
            if kept is None:
                continue
            if run_id in states or time.monotonic() - kept.checkpointed_at >= CHECKPOINT_SECONDS:
                kept.checkpoint()
            else:
                kept.waiting = True
        if self._timer is None and any(kept.waiting for kept in self._shards.values()):
            self._timer = threading.Timer(CHECKPOINT_SECONDS, self._checkpoint_waiting)
            self._timer.daemon = True
            self._timer.start()

    def _checkpoint_waiting(self) -> None:
        with self._db_lock:
            self._timer = None
            if self._shards_pid == os.getpid():
                for kept in self._shards.values():
                    if kept.waiting:
                        kept.checkpoint()

    def _close_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shards_pid == os.getpid():
            for kept in self._shards.values():
                kept.close()
        self._shards = OrderedDict()


def brief(event: EventLogEntry) -> EventLogEntry:
    """A materialization as the log of its run holds it where others follow in the range: which asset and partition, and
    that it was refused where it was, without other metadata and tags.

    The index holds these, and is what the pages of assets read. Stored in both places, the metadata and input versions
    of three seasons filled 200 MB beside 88 MB of tables.
    """
    materialization = event.get_dagster_event().step_materialization_data.materialization
    named = dg.AssetMaterialization(
        materialization.asset_key,
        partition=materialization.partition,
        metadata={name: value for name, value in materialization.metadata.items() if name in OF_REFUSED_DATES},
    )
    return without_repetitions(event, StepMaterializationData(named))


def without_repetitions(event: EventLogEntry, data: StepMaterializationData | None = None) -> EventLogEntry:
    """A materialization, with other data where given, without what says again in which step it was made."""
    made = event.get_dagster_event()
    short = made._replace(
        event_specific_data=data or made.event_specific_data, logging_tags={}, step_handle=None, node_handle=None
    )
    return event._replace(dagster_event=short, user_message="")


def planned_once(event: EventLogEntry) -> EventLogEntry:
    """That a check is planned for some partitions, as planned once for all of them; any other event as it is."""
    if not _is_planned_check(event) or _planned_check(event).partitions_subset is None:
        return event
    planned = _planned_check(event)
    once = AssetCheckEvaluationPlanned(asset_key=planned.asset_key, check_name=planned.check_name)
    return event._replace(dagster_event=event.get_dagster_event()._replace(event_specific_data=once))


def _is_planned_check(event: EventLogEntry) -> bool:
    return event.is_dagster_event and event.dagster_event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED


def _planned_check(event: EventLogEntry) -> AssetCheckEvaluationPlanned:
    return event.get_dagster_event().asset_check_planned_data


def _is_range_of_one_asset(events: Sequence[EventLogEntry]) -> bool:
    """Whether a batch is what a step stores at its end for the partitions of one asset."""
    return all(event.is_dagster_event and event.get_dagster_event().is_step_materialization for event in events) and (
        len({(event.run_id, event.get_dagster_event().asset_key) for event in events}) == 1
    )
