"""The state of all partitions and of what they were built from, read from the warehouse in one view.

What follows from it is in `staleness`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from nba_assets.analytics.parts import GAME_DAYS
from nba_assets.automation.staleness import STATE_COLUMNS, Dates, Outdated, PartitionState, StaleDates, outdated, stale
from nba_assets.publishing.input_state import InputState
from nba_assets.raw.content_index import EARLIEST
from nba_assets.raw.tables import RAW_TABLES, SCHEDULE
from nba_assets.registry import COMPUTED_TABLES
from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.tables.columns import to_columns
from nba_assets.warehouse.interface import Warehouse


@dataclass(frozen=True)
class StoredState:
    """What is built up to a date, and what it would be built from now."""

    partition_state: PartitionState
    inputs: InputState
    unreadable: Mapping[str, Dates]
    """Dates of raw tables that count as not ingested because of a file that cannot be used."""

    @property
    def game_days(self) -> Dates:
        """Dates with league games, ascending."""
        return self.inputs.parts[SCHEDULE.name, GAME_DAYS.name].days

    def stale(self, today: date) -> StaleDates:
        """The stale dates of all tables."""
        graph = {name: table.inputs for name, table in COMPUTED_TABLES.items()}
        return stale(self.partition_state, self.inputs, graph, self.game_days, today, self.unreadable)

    def outdated(self) -> list[Outdated]:
        """What older code has built, or code that did not record inputs."""
        return outdated(
            self.partition_state, {name: table.code_version for name, table in COMPUTED_TABLES.items()}, self.game_days
        )


def read_state(warehouse: Warehouse, today: date, since: date = EARLIEST) -> StoredState:
    """The state of the dates from `since` to `today`."""
    inputs = [source for table in COMPUTED_TABLES.values() for source in table.inputs]
    with warehouse.session():
        names = {"table_name": [*RAW_TABLES, *COMPUTED_TABLES]}
        entries = to_columns(warehouse.read(TABLE_PARTITIONS, STATE_COLUMNS, date.min, today, names))
        state = InputState.read(warehouse, inputs, since, today, entries=entries)
        files = to_columns(
            warehouse.read(
                RAW_QUARANTINE, ("table_name", "partition_date"), date.min, today, {"row_number": WHOLE_FILE}
            )
        )
    partition_state = PartitionState.of(entries)
    unreadable = {}
    for name in np.unique(files["table_name"].astype(str)).tolist():
        days = np.setdiff1d(
            files["partition_date"][files["table_name"] == name].astype("M8[D]"), partition_state[name].days
        )
        if len(days):
            unreadable[name] = days
    return StoredState(partition_state, state, unreadable)
