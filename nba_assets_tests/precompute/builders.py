"""Small inputs for the precomputed tables: days, histories, a league with its rosters, and runs over rows that lie in
memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from types import ModuleType
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.chunks import Compute
from nba_assets.entities.completeness import League, Readiness
from nba_assets.entities.outcomes import Outcome, length, take
from nba_assets.publishing.table_run import TableRun
from nba_assets.tables.audit import Finding, audit
from nba_assets.tables.bookkeeping import TABLE_PARTITIONS
from nba_assets.tables.columns import arrow_schema, to_arrow
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Value, Warehouse
from nba_assets_tests.analytics.builders import columns
from nba_assets_tests.entities.alone import alone
from nba_assets_tests.pipeline import table_run
from nba_assets_tests.stored import stored

OPENING = np.datetime64("2024-10-22")
TONIGHT = np.datetime64("2025-01-20")
"""Day 90 of the season; neither bootstrap nor boundary."""
LAST_SEASON = np.datetime64("2024-04-10")
READY = Readiness(90)

Row = dict[str, Any]


def days_ago(number: int, day: np.datetime64 = TONIGHT) -> np.datetime64:
    return day - np.timedelta64(number, "D")


def as_date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))


def alternate_days(number: int) -> list[np.datetime64]:
    """Days of games before tonight, newest first: yesterday, three days ago, and so on."""
    return [days_ago(1 + 2 * place) for place in range(number)]


def season_facts(day: np.datetime64 = TONIGHT, **changes: Any) -> Row:
    """What the season says of a date, no exemption holding."""
    return {
        "season_start": OPENING,
        "days_into_season": int((day - OPENING).astype(int)),
        "is_bootstrap": 0,
        "is_boundary": 0,
        **changes,
    }


def ascending(rows: Sequence[Row], like: Row) -> dict[str, NDArray[Any]]:
    """Rows given in any order as a history; `like` is a row that tells the columns where there is none."""
    if not rows:
        return {name: values[:0] for name, values in columns([like]).items()}
    return columns(sorted(rows, key=lambda row: row["game_date"]))


def game_id(day: np.datetime64, team: str) -> str:
    return f"{str(day).replace('-', '')}_{team}_XXX"


@dataclass(frozen=True)
class Expectations:
    """The league's finals with their rosters, and one player's rows of the rosters and of the raw box scores."""

    league: League
    roster: Columns
    box: Columns


def expectations(
    finals: Sequence[np.datetime64] = (),
    rosters: Sequence[np.datetime64] = (),
    box: Sequence[np.datetime64] = (),
    team: str = "LAL",
) -> Expectations:
    """A team's finals, the rosters that list the player, and the box scores that have him."""
    return of_teams({team: finals}, {team: rosters}, [game_id(day, team) for day in box])


def of_teams(
    finals: Mapping[str, Sequence[np.datetime64]],
    rosters: Mapping[str, Sequence[np.datetime64]] | None = None,
    box: Sequence[str] = (),
) -> Expectations:
    """The same of several teams."""
    played = [(team, day) for team, days in finals.items() for day in days]
    listed = [(team, day) for team, days in (rosters or {}).items() for day in days]
    roster = {
        "team_abbr": np.array([team for team, _ in listed], dtype=object),
        "roster_date": np.array([day for _, day in listed], dtype="M8[D]"),
        "season_year": np.full(len(listed), 2024.0),
    }
    games = {
        "team_abbr": np.array([team for team, _ in played], dtype=object),
        "game_id": np.array([game_id(day, team) for team, day in played], dtype=object),
        "game_date": np.array([day for _, day in played], dtype="M8[D]"),
        "season_year": np.full(len(played), 2024.0),
    }
    return Expectations(League.of(games, roster), roster, {"game_id": np.array(box, dtype=object)})


def failure_rows(outcome: Outcome) -> list[Row]:
    """The failure records as dictionaries."""
    return [
        {name: values[place] for name, values in outcome.failures.items()} for place in range(length(outcome.failures))
    ]


def one_by_one(
    table: Table, compute: Compute, requested: Columns, histories: Mapping[str, Columns], shared: Any
) -> tuple[list[Row], list[Row]]:
    """Stored rows and failures, each requested date computed in a call of its own."""
    rows: list[Row] = []
    failures: list[Row] = []
    for place in range(length(requested)):
        outcome = alone(compute, table.date_column)(take(requested, np.array([place])), histories, shared)
        rows += stored(table, outcome.rows)
        failures += failure_rows(outcome)
    return rows, failures


def blocking_findings(table: Table, rows: Columns) -> list[Finding]:
    """Checks that would refuse the write of computed rows."""
    declared = [column.name for column in table.columns if column.name in rows]
    size = length(rows)
    blank = {name: np.full(size, np.nan) for name in table.column_names if name not in declared}
    texts = {column.name for column in table.columns if column.type == "STRING"}
    moments = {column.name for column in table.columns if column.type == "TIMESTAMP"}
    blank |= {name: np.full(size, None, dtype=object) for name in blank if name in texts}
    blank |= {name: np.full(size, np.datetime64("NaT", "us")) for name in blank if name in moments}
    return [
        finding
        for finding in audit(table, to_arrow(table, {**blank, **rows}).select(declared))
        if finding.blocking and not finding.passed
    ]


@dataclass(frozen=True)
class Shelf:
    """As much of a warehouse as a run reads; its tables are lists of rows, and what a row does not name is null."""

    rows: Mapping[str, Sequence[Row]]

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        found = [{name: _plain(value) for name, value in row.items()} for row in self.rows.get(table.name, ())]
        chosen = [
            row
            for row in found
            if start <= row[table.date_column] <= end and all(row[name] in values for name, values in _lists(where))
        ]
        chosen.sort(key=lambda row: [str(row.get(name)) for name in table.key])
        schema = arrow_schema(table, columns)
        return pa.table(
            [_array([row.get(field.name) for row in chosen], field.type) for field in schema], schema=schema
        )

    def session(self) -> AbstractContextManager[None]:
        return nullcontext()


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _lists(where: Mapping[str, Value | Sequence[Value]] | None) -> list[tuple[str, Sequence[Value]]]:
    return [(name, values if isinstance(values, list) else [values]) for name, values in (where or {}).items()]  # type: ignore[list-item]


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    numbers: type | None = bool if pa.types.is_boolean(kind) else int if pa.types.is_integer(kind) else None
    known = [None if value is None or value != value else numbers(value) if numbers else value for value in values]
    return pa.array(known, kind)


def build(
    module: ModuleType, dates: Sequence[np.datetime64], rows: Mapping[Table, Sequence[Row]]
) -> tuple[TableRun, Outcome]:
    """Run a table's module for some dates, with `rows` in the tables that it reads; those tables are built for all
    dates.
    """
    days = [as_date(day) for day in dates]
    partitions = [{"table_name": table.name, "partition_date": day} for table in rows for day in days]
    shelf = Shelf({table.name: given for table, given in rows.items()} | {TABLE_PARTITIONS.name: partitions})
    run = table_run(cast(Warehouse, shelf), module.TABLE.name, days)
    return run, module.build(run)


def built_rows(module: ModuleType, dates: Sequence[np.datetime64], rows: Mapping[Table, Sequence[Row]]) -> list[Row]:
    """The rows of such a run as they would be stored; none of a run without any."""
    outcome = build(module, dates, rows)[1]
    return stored(module.TABLE, outcome.rows) if outcome.row_count else []


def scheduled(day: np.datetime64, home: str, away: str, **changes: Any) -> Row:
    """A final of the regular season as the raw schedule has it."""
    return {
        "game_id": f"{str(day).replace('-', '')}_{away}_{home}",
        "game_date": day,
        "season_year": 2024,
        "home_team_abbr": home,
        "away_team_abbr": away,
        "game_status": 3,
        "home_team_score": 110,
        "away_team_score": 100,
        "is_regular_season": True,
        "is_playoffs": False,
        **changes,
    }


def failing(compute: Compute, *teams: str) -> Compute:
    """A compute function that raises for some teams."""

    def raising(requested: Any, histories: Any, shared: Any = None) -> Outcome:
        if {*teams} & {*requested["team_abbr"]}:
            raise ZeroDivisionError("no way")
        return compute(requested, histories, shared)

    return raising
