"""Dates that a run does not publish: what is recorded of them, and in which words.

Why a date is refused is decided elsewhere: for want of its inputs in `inputs`, for what its rows are in `publication`.
A refused date keeps the rows, failure records and entry in `table_partitions` that it had; its refusal stands in
`refused_dates` until a build publishes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import starmap
from typing import Any

import numpy as np

from nba_assets.publishing.table_run import TableRun
from nba_assets.tables.audit import Finding
from nba_assets.tables.bookkeeping import REFUSED_DATES, TABLE_PARTITIONS
from nba_assets.tables.columns import to_arrow
from nba_assets.warehouse.interface import Replacement, Value, Warehouse
from nba_assets.wording import listed

DATES_PUBLISHED = "dates_published"
DATES_PUBLISHED_DESCRIPTION = "Every date of the run is published; a refused date keeps what it had"
SHOWN = 5


@dataclass(frozen=True)
class Refusal:
    """A date that the newest build of a table refused, as it is recorded."""

    table: str
    day: date
    reason: str
    run_id: str
    refused_at: datetime | None = None
    """When that run began to read, UTC; None where it has not been recorded yet."""

    def __str__(self) -> str:
        return f"{self.table} {self.day} REFUSED: {self.reason}"


def stored_refusals(
    warehouse: Warehouse, tables: Sequence[str], start: date = date.min, end: date = date.max
) -> list[Refusal]:
    """The refused dates of some tables from `start` to `end`, by default all, in order of table and date."""
    where: dict[str, Sequence[Value]] = {"table_name": list(tables)}
    names = ("table_name", "partition_date", "reason", "run_id", "refused_at")
    columns = warehouse.read(REFUSED_DATES, names, start, end, where).select(names).to_pydict()
    return list(starmap(Refusal, zip(*(columns[name] for name in names), strict=True)))


def recorded_refusals(run: TableRun) -> list[Replacement]:
    """What a run changes of the record: its refused dates come in, its published ones go out; nothing where there are
    neither.

    A retry changes nothing: whether it succeeds or not, the date was built, or refused, as a whole before.
    """
    if not run.scope.is_whole:
        return []
    dates = sorted({*run.refused, *run.dates})
    before = {refusal.day for refusal in stored_refusals(run.warehouse, [run.table.name], dates[0], dates[-1])}
    changed = sorted({*run.refused, *(before & set(run.dates))})
    if not changed:
        return []
    refused = sorted(run.refused)
    size = len(refused)
    rows = {
        "table_name": np.full(size, run.table.name, dtype=object),
        "partition_date": np.array(refused, dtype="M8[D]"),
        "reason": np.array([run.refused[day] for day in refused], dtype=object),
        "run_id": np.full(size, run.run_id, dtype=object),
        "refused_at": np.full(size, np.datetime64(run.now.replace(tzinfo=None), "us")),
    }
    return [Replacement(REFUSED_DATES, to_arrow(REFUSED_DATES, rows), changed, {"table_name": run.table.name})]


UPSTREAM = "upstream "
BEHIND = re.compile(r"upstream (\w+) is refused for \d{4}-\d\d-\d\d: ")
"""What stands before the root cause in the reason of a table behind, with the refused table."""
TOLD_AT_THE_END = re.compile(
    r" REFUSED: | was left as it was\. | reads the rows of its own date in "
    r"| quarantined in nba_processing\.raw_quarantine, "
)
"""What a step logs that its run's result says again, of all steps together."""


def upstream_refused(table: str, day: date, reason: str) -> str:
    """Why a table is refused that reads a refused one, with the root cause once, however many tables lie between.

    Example: of `player_game_summary`, refused because "upstream team_offense_game_summary is refused for 2024-11-12:
    ...", the same text is given.
    """
    return reason if reason.startswith(UPSTREAM) else f"{UPSTREAM}{table} is refused for {day}: {reason}"


def refusal_text(table: str, refused: Mapping[date, str]) -> str:
    """In one line, why a table was left as it was on all dates of a run."""
    dates = listed((f"{day}: {refused[day]}" for day in sorted(refused)), SHOWN, "dates", separator="; ")
    return f"{table} was left as it was. {dates}. Correct the input or the computation, then run again."


def refusal_lines(table: str, refused: Mapping[date, str]) -> Iterable[str]:
    """A line per refused date."""
    return (str(Refusal(table, day, refused[day], "")) for day in sorted(refused))


def grouped(refusals: Iterable[Refusal]) -> Iterator[str]:
    """A line per root cause: the tables that it concerns, the dates, and the reason once. An upstream table is named in
    the reason where it is not among them.

    Example: "player_game_summary, team_offense_game_summary 2024-11-05 to 2024-11-12 (3 dates) REFUSED: team_boxscores
    was not ingested: ...", where the reason of each date names the date at "for 2024-11-05".
    """
    given = list(refusals)
    among = {(refusal.table, refusal.day) for refusal in given}
    tables: dict[str, dict[date, dict[str, str]]] = {}
    for refusal in given:
        behind = BEHIND.match(refusal.reason)
        root = refusal.reason[behind.end() :] if behind and (behind[1], refusal.day) in among else refusal.reason
        of_day = tables.setdefault(root.replace(f" for {refusal.day}", ""), {}).setdefault(refusal.day, {})
        of_day[refusal.table] = root
    for reason, by_day in tables.items():
        days_of: dict[tuple[str, ...], list[date]] = {}
        for day in sorted(by_day):
            days_of.setdefault(tuple(by_day[day]), []).append(day)
        for names, days in days_of.items():
            dates = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days):,} dates)"
            said = next(iter(by_day[days[0]].values())) if len(days) == 1 else reason
            yield f"{', '.join(names)} {dates} REFUSED: {said}"


def dates_published(run: TableRun) -> Finding:
    """The check that names the refused dates of a run."""
    examples = tuple(f"{day}: {run.refused[day]}" for day in sorted(run.refused))[:SHOWN]
    return Finding(
        DATES_PUBLISHED, True, DATES_PUBLISHED_DESCRIPTION, len(run.refused), tuple(sorted(run.refused)), examples
    )


def refused_metadata(run: TableRun) -> dict[date, dict[str, Any]]:
    """What the UI shows of each refused date: the reason, and what the date holds still."""
    if not run.refused:
        return {}
    days = sorted(run.refused)
    columns = ("partition_date", "row_count", "failure_count", "digest")
    entries = run.warehouse.read(
        TABLE_PARTITIONS, columns, days[0], days[-1], {"table_name": run.table.name}
    ).to_pylist()
    held = {entry["partition_date"]: entry for entry in entries}
    shown: dict[date, dict[str, Any]] = {}
    for day in days:
        shown[day] = {"status": "REFUSED", "refused_because": run.refused[day], "built": day in held, "changed": False}
        if entry := held.get(day):
            numbers = {"rows": entry["row_count"], "failures": entry["failure_count"], "digest": entry["digest"]}
            shown[day] |= numbers | {"dagster/partition_row_count": entry["row_count"]}
    return shown
