"""What the rows of a table rested on when their dates were built: the raw tables and game summaries behind all tables
of the date, and the versions of the code.

Taken from what the state of partitions records of each table that describes the date before its games: it is what
these were built from, whatever has changed since. Where two of them read different windows of one input, the digests of
all stand together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from nba_assets.basketball.season import SeasonCalendar
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Warehouse

ENTRY_COLUMNS = ("table_name", "partition_date", "code_version", "inputs")


@dataclass(frozen=True)
class Provenance:
    """What some dates of a table rest on."""

    inputs: Mapping[date, str | None]
    """A digest of each raw table and summary, as in `table_partitions.inputs`; None where it is not known."""
    code_versions: Mapping[date, list[str]]
    """Tables with the versions of their code, e.g. "player_daily_cache 1"; of summaries those of all dates of the
    season before the date.
    """

    @classmethod
    def read(
        cls,
        warehouse: Warehouse,
        table: Table,
        calendar: SeasonCalendar,
        days: Sequence[date],
        own: pa.Table | None = None,
    ) -> Provenance:
        """Of some dates, ascending; `own` are entries of `table` that are about to be written."""
        names = [each.name for each in tables_behind(table) if each.stage == "pregame"]
        summaries = [each.name for each in tables_behind(table) if each.stage == "postgame"]
        stored = warehouse.read(TABLE_PARTITIONS, ENTRY_COLUMNS, days[0], days[-1], {"table_name": names})
        entries = {(row["table_name"], row["partition_date"]): row for row in stored.to_pylist()}
        for row in own.select(ENTRY_COLUMNS).to_pylist() if own is not None else []:
            entries[row["table_name"], row["partition_date"]] = row
        first_days = calendar.first_day(np.array(days, dtype="M8[D]")).tolist()
        built = warehouse.read(
            TABLE_PARTITIONS, ENTRY_COLUMNS[:3], min(first_days), days[-1], {"table_name": summaries}
        ).to_pylist()
        inputs: dict[date, str | None] = {}
        code_versions: dict[date, list[str]] = {}
        for day, first in zip(days, first_days, strict=True):
            mine = [entries[name, day] for name in names if (name, day) in entries]
            rested = [*mine, *(row for row in built if first <= row["partition_date"] < day)]
            texts = [row["inputs"] for row in mine]
            inputs[day] = _together(texts, names) if None not in texts else None
            code_versions[day] = sorted({f"{row['table_name']} {row['code_version']}" for row in rested})
        return cls(inputs, code_versions)


def tables_behind(table: Table) -> list[Table]:
    """A computed table and all computed tables that it rests on, itself first."""
    return list(dict.fromkeys(_behind(table)))


def changed_tables(before: Sequence[str], now: Sequence[str]) -> set[str]:
    """The tables that two lists of code versions have in common and of which they differ."""
    named, named_now = ({entry.split(" ", 1)[0] for entry in entries} for entries in (before, now))
    return {entry.split(" ", 1)[0] for entry in set(before) ^ set(now)} & named & named_now


def _behind(table: Table) -> Iterator[Table]:
    yield table
    for source in table.upstream:
        if source.stage is not None:
            yield from _behind(source)


def _together(texts: Sequence[str], names: Sequence[str]) -> str:
    """Records of inputs as one, without those that are among the tables that recorded them."""
    found: dict[str, set[str]] = {}
    for part in " ".join(texts).split():
        name, digest = part.split("=")
        if name not in names:
            found.setdefault(name, set()).add(digest)
    return " ".join(f"{name}={'+'.join(sorted(found[name]))}" for name in sorted(found))
