"""Why dates of raw tables are not ingested, by the quarantine.

The rows of a date without an entry in `table_partitions` are not to be read as complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from nba_assets.tables.bookkeeping import RAW_QUARANTINE, TABLE_PARTITIONS, WHOLE_FILE
from nba_assets.warehouse.interface import Warehouse
from nba_assets.wording import listed

NEVER_INGESTED = "no run has ingested it yet"
FILES_NAMED = 3


def not_ingested(warehouse: Warehouse, names: Sequence[str], dates: Sequence[date]) -> Mapping[tuple[str, date], str]:
    """By raw table and date, why it is not ingested; those that are ingested do not come up.

    `names` are raw tables, `dates` are any dates, at least one. The reason names the files that hold, or may hold, rows
    of the date and cannot be used, as in "player_gamebook/2024-10-23.parquet cannot be read as Parquet: ...".
    """
    first, last, days = min(dates), max(dates), sorted(set(dates))
    entries = warehouse.read(
        TABLE_PARTITIONS, ("table_name", "partition_date"), first, last, {"table_name": list(names)}
    ).to_pylist()
    there = {(entry["table_name"], entry["partition_date"]) for entry in entries}
    missing = [(name, day) for name in names for day in days if (name, day) not in there]
    if not missing:
        return {}
    files = quarantined_files(warehouse, first, last)
    reasons = {
        place: listed((f"{file} {why}" for file, why in unreadable), FILES_NAMED, "files", separator="; ")
        for place, unreadable in files.items()
    }
    return {place: reasons.get(place, NEVER_INGESTED) for place in missing}


def unreadable_files(warehouse: Warehouse) -> list[tuple[str, date, str]]:
    """Raw dates that hold no ingested partition because of a file that could not be used: table, date, and the file
    with its reason.
    """
    with warehouse.session():
        files = quarantined_files(warehouse, date.min, date.max)
        names = sorted({name for name, _ in files})
        if not names:
            return []
        there = warehouse.read(
            TABLE_PARTITIONS, ("table_name", "partition_date"), date.min, date.max, {"table_name": names}
        )
    ingested = set(zip(there["table_name"].to_pylist(), there["partition_date"].to_pylist(), strict=True))
    return sorted(
        (*place, f"{file}: {why}")
        for place, unreadable in files.items()
        if place not in ingested
        for file, why in unreadable
    )


def quarantined_files(warehouse: Warehouse, first: date, last: date) -> dict[tuple[str, date], list[tuple[str, str]]]:
    """Files that could not be used, each with its reason, by the raw tables and dates of which they hold, or may hold,
    rows.
    """
    rows = warehouse.read(
        RAW_QUARANTINE, ("table_name", "partition_date", "file", "reason"), first, last, {"row_number": WHOLE_FILE}
    ).to_pylist()
    files: dict[tuple[str, date], list[tuple[str, str]]] = {}
    for row in rows:
        files.setdefault((row["table_name"], row["partition_date"]), []).append((row["file"], row["reason"]))
    return files
