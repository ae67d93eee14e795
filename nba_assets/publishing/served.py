"""What a run serves: feature vectors that it stores before tip-off, for the first time.

They are added to `served_features` in the transaction that stores them. A game has begun from its tip-off on by the
stored schedule, from the moment at which the schedule calls it live or over, and without a known tip-off from the
beginning of its US-Eastern day on. How vectors and features are computed is in `precompute`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from nba_assets.partitions import LEAGUE_TIMEZONE
from nba_assets.publishing.provenance import Provenance
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.schedule import SCHEDULED
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.served import SERVED_FEATURES, vectors
from nba_assets.warehouse.interface import Changed, Insertion, Warehouse

EASTERN = ZoneInfo(LEAGUE_TIMEZONE)


@dataclass(frozen=True)
class Served:
    """Rows to be added to `served_features`, and what was read there when that was decided."""

    rows: Insertion
    as_read: Changed

    def note(self, run: TableRun) -> None:
        """Note how many rows of each date were served, for its metadata."""
        for day, count in Counter(self.rows.rows["game_date"].to_pylist()).items():
            run.date_notes[day] = {**run.date_notes.get(day, {}), "rows_served": count}


def newly_served(run: TableRun, rows: pa.Table, entries: pa.Table) -> Served | None:
    """What is to be added beside `rows`, which a run is about to store with `entries` in the state of partitions; None
    where nothing is.

    Nothing is read where every date of the run is past, or its table holds no list of features.
    """
    now = run.clock()
    days = [day for day in run.dates if day >= now.astimezone(EASTERN).date()]
    if not run.table.feature_lists or not days:
        return None
    tips = TipOffs.read(run.warehouse, days)
    waiting = rows.filter(
        pa.array([tips.is_before(now, *game) for game in zip(*_games(rows), strict=True)], pa.bool_())
    )
    if not waiting.num_rows:
        return None
    known = run.warehouse.read(SERVED_FEATURES, SERVED_FEATURES.key, days[0], days[-1])
    there = {tuple(row.values()) for row in known.to_pylist()}
    # A row that a retry retains from before the table had a list has no vector of it.
    new = [
        row
        for features in run.table.feature_lists
        for row in vectors(waiting, features).to_pylist()
        if row["feature_version"] is not None
        and (row["game_date"], row["player_lookup"], row["feature_version"]) not in there
    ]
    if not new:
        return None
    provenance = Provenance.read(run.warehouse, run.table, run.calendar, days, own=entries)
    for row in new:
        row |= {
            "tip_off": tips.at.get(row["game_id"]),
            "served_at": now,
            "run_id": run.run_id,
            "code_version": run.table.code_version,
            "inputs": provenance.inputs[row["game_date"]],
            "code_versions": provenance.code_versions[row["game_date"]],
        }
    return Served(
        Insertion(SERVED_FEATURES, pa.Table.from_pylist(new, schema=arrow_schema(SERVED_FEATURES))),
        Changed(SERVED_FEATURES, known, days[0], days[-1]),
    )


@dataclass(frozen=True)
class TipOffs:
    """When the games of some dates begin, by the stored schedule."""

    at: dict[str, datetime]
    """Tip-offs by game, those that are known."""
    scheduled: frozenset[str]
    """Games that the schedule calls neither live nor over, nor postponed."""

    @classmethod
    def read(cls, warehouse: Warehouse, days: Sequence[date]) -> TipOffs:
        """Of the games of some dates, ascending."""
        names = ("game_id", "game_time_utc", "game_status")
        games = warehouse.read(SCHEDULE.table, names, days[0], days[-1]).to_pylist()
        return cls(
            {game["game_id"]: game["game_time_utc"] for game in games if game["game_time_utc"] is not None},
            frozenset(game["game_id"] for game in games if game["game_status"] == SCHEDULED),
        )

    def is_before(self, moment: datetime, day: date, game_id: str) -> bool:
        """Whether a moment lies before a game of a date."""
        return game_id in self.scheduled and moment < self.at.get(game_id, _beginning(day))


def _beginning(day: date) -> datetime:
    """When a US-Eastern day begins."""
    return datetime.combine(day, time(), EASTERN).astimezone(UTC)


def _games(rows: pa.Table) -> tuple[list[Any], list[Any]]:
    return rows["game_date"].to_pylist(), rows["game_id"].to_pylist()
