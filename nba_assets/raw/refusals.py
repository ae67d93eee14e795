"""Why dates of raw tables are not ingested, by the quarantine. The rows of a date without an entry in `table_partitions` are not to be read as complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.warehouse.interface import Value, Warehouse

NEVER_INGESTED = "no run has ingested it yet"
FILES_NAMED = 3


def not_ingested(warehouse: Warehouse, names: Sequence[str], dates: Sequence[date]) -> Mapping[tuple[str, date], str]:
    """By raw table and date, why it is not ingested; those that are ingested do not come up.

    `names` are raw tables, `dates` are any dates, at least one. The reason names the files that hold, or may hold, rows of the date and cannot be used,
    as in "player_gamebook/2024-10-23.parquet cannot be read as Parquet: ...".
    """
    first, last, wanted = min(dates), max(dates), set(dates)
    entries = warehouse.read(TABLE_PARTITIONS, ("table_name", "partition_date"), first, last, {"table_name": list(names)}).to_pylist()
    there = {(entry["table_name"], entry["partition_date"]) for entry in entries}
    missing = [(name, day) for name in names for day in sorted(wanted) if (name, day) not in there]
    if not missing:
        return {}
    where: dict[str, Value | Sequence[Value]] = {"table_name": list(names), "row_number": WHOLE_FILE}
    files = warehouse.read(RAW_QUARANTINE, ("table_name", "partition_date", "file", "reason"), first, last, where).to_pylist()
    told: dict[tuple[str, date], list[str]] = {}
    for file in files:
        told.setdefault((file["table_name"], file["partition_date"]), []).append(f"{file['file']} {file['reason']}")
    return {place: "; ".join(told[place][:FILES_NAMED]) if place in told else NEVER_INGESTED for place in missing}
