"""Whom broken checks cost: the offending entity on its date, its game, or the date; everybody else may be published.

A row that breaks a blocking check is turned into a failure record of its entity and date that quotes the check and the
values. What is left is checked again, because a rule across the rows of a game may be broken by a row that has gone,
until nothing is broken. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.outcomes import LONGEST_REASON, Outcome, concatenate, failures, length, take
from nba_assets.entities.relations import begins, find
from nba_assets.tables.audit import (
    Broken,
    Check,
    Finding,
    any_column,
    broken_rows,
    columns_of_rule,
    finding,
    reason_of_row,
    values_text,
)
from nba_assets.tables.bookkeeping import HARD_FAILURE, WITHOUT_ROW
from nba_assets.tables.columns import StoredColumns, to_columns, unstorable
from nba_assets.tables.spec import Columns, Table

STORABLE = "storable_values"
"""Named as the check that a value breaks which its column cannot hold."""


@dataclass(frozen=True)
class Attribution:
    """Which rows may be published, and what the others cost."""

    there: NDArray[np.bool_]
    """Marks the rows that may be published."""
    failures: Columns
    """Records of the entities that lost their rows."""
    dates: Mapping[date, str]
    """Dates that a rule about a whole date costs, with the reason."""
    findings: list[Finding]


def attribute(table: Table, rows: pa.Table, failed: Columns) -> Attribution:
    """Check rows and attribute what breaks blocking checks; `failed` are the failure records that they come with.

    An entity that failed hard has no row on the date, whatever was computed beside its failure.
    """
    losses = _Losses(table, rows)
    without_row = np.isin(failed["failure_category"].astype(str), WITHOUT_ROW) if failed else np.array([], dtype=bool)
    if without_row.any():
        hard = take(failed, without_row)
        losses.there &= ~_concerns(losses.dates, losses.entities, hard["partition_date"], hard["entity_id"])
    marked: dict[str, dict[str, NDArray[np.bool_]]] = {}
    remaining = StoredColumns(rows)
    while True:
        places = np.flatnonzero(losses.there)
        if not losses.there.all():
            remaining = StoredColumns(rows.take(places))
        found = broken_rows(table, remaining)
        broken = [(check, marks) for check, marks in found if check.blocking and any_column(marks, len(places)).any()]
        if not broken:
            break
        for check, marks in broken:
            for name, mask in marks.items():
                of_check = marked.setdefault(check.name, {}).setdefault(name, np.zeros(rows.num_rows, dtype=bool))
                of_check[places[mask]] = True
            losses.add(check, marks, remaining, places)
        losses.apply()
    findings = [
        finding(table, rows, check, marked[check.name])
        if check.name in marked
        else finding(table, remaining.rows, check, marks)
        for check, marks in found
    ]
    return Attribution(losses.there, losses.records(), losses.lost_dates, findings)


def without_unstorable(table: Table, outcome: Outcome) -> Outcome:
    """An outcome without the rows that hold values which their columns cannot; failures of their entities in their
    place.
    """
    masks = unstorable(table, outcome.rows)
    bad = np.logical_or.reduce([np.zeros(outcome.row_count, dtype=bool), *masks.values()])
    places = np.flatnonzero(bad)
    reasons = [
        f"{STORABLE}: {', '.join(f'{name} {outcome.rows[name][place]}' for name, mask in masks.items() if mask[place])}"
        for place in places
    ]
    dates, entities = outcome.rows[table.date_column][bad], outcome.rows[entity_column(table)][bad]
    lost = _records(table, dates, entities, reasons)
    return Outcome(take(outcome.rows, ~bad), one_per_entity(concatenate([outcome.failures, lost])))


def one_per_entity(failed: Columns) -> Columns:
    """Failure records, one per entity and date: of several the first of the gravest, with the reasons of all."""
    if not length(failed):
        return {}
    keys = pd.MultiIndex.from_arrays([failed["partition_date"], failed["entity_id"]])
    if keys.is_unique:
        return failed
    groups = keys.factorize()[0]
    gravity = np.select(
        [failed["failure_category"] == name for name in WITHOUT_ROW], range(len(WITHOUT_ROW)), len(WITHOUT_ROW)
    )
    order = np.lexsort((gravity, groups))
    first = order[begins(groups[order])]
    reasons: list[dict[str, None]] = [{} for _ in first]
    for place in order.tolist():
        reasons[groups[place]][failed["failure_reason"][place]] = None
    return take(failed, first) | {
        "failure_reason": np.array(["; ".join(mine)[:LONGEST_REASON] for mine in reasons], dtype=object)
    }


def without_entities(days: NDArray[np.datetime64], entities: NDArray[np.object_], failed: Columns) -> NDArray[np.bool_]:
    """Marks the pairs of date and entity that have no failure record."""
    if not length(failed):
        return np.ones(len(days), dtype=bool)
    return ~_concerns(days, entities, failed["partition_date"], failed["entity_id"])


def entity_column(table: Table) -> str:
    """The column by which a table's rows are attributed: its entity, else the last column of its key."""
    return table.entity_column or table.key[-1]


def entity_type(table: Table) -> str:
    """What the entities of a table are: PLAYER or TEAM."""
    return "PLAYER" if entity_column(table) == "player_lookup" else "TEAM"


@dataclass
class _Losses:
    """What the checks have cost so far."""

    table: Table
    rows: pa.Table
    reasons: dict[tuple[date, Any], list[str]] = field(default_factory=dict)
    lost_dates: dict[date, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = to_columns(self.rows.select([self.table.date_column, entity_column(self.table)]))
        self.dates = key[self.table.date_column].astype("M8[D]")
        self.entities: NDArray[np.object_] = key[entity_column(self.table)].astype(object)
        self.there = np.ones(self.rows.num_rows, dtype=bool)

    def add(self, check: Check, marks: Broken, remaining: StoredColumns, places: NDArray[np.intp]) -> None:
        """Count a broken check in: `places` are those of the remaining rows among all rows."""
        read = columns_of_rule(check.rule, remaining.rows) if check.rule else []
        broken = np.flatnonzero(any_column(marks, len(places))).tolist()
        if check.costs == "game":
            self._add_games(check, read, broken, remaining, places)
            return
        for place in broken:
            day, entity = self._key(places[place])
            reason = reason_of_row(self.table, remaining.rows, check, marks, place, read)
            if check.costs == "date":
                self.lost_dates.setdefault(
                    day, f"{check.name}: {check.description}, but {entity} has {reason.removeprefix(f'{check.name}: ')}"
                )
            else:
                self._lose(day, entity, reason)

    def _add_games(
        self,
        check: Check,
        read: list[str],
        broken: list[int],
        remaining: StoredColumns,
        places: NDArray[np.intp],
    ) -> None:
        games = remaining["game_id"]
        shown = [name for name in read if name not in ("game_id", entity_column(self.table))]
        for game in dict.fromkeys(games[broken].tolist()):
            mine = np.flatnonzero(games == game).tolist()
            said = (
                " ".join(filter(None, (str(self._key(places[place])[1]), values_text(remaining.rows, place, shown))))
                for place in mine
            )
            reason = f"{check.name}: {check.description}, but {game} has {'; '.join(said)}"
            for place in mine:
                self._lose(*self._key(places[place]), reason)

    def _key(self, place: np.intp | int) -> tuple[date, Any]:
        return self.dates[place].item(), self.entities[place]

    def _lose(self, day: date, entity: Any, reason: str) -> None:
        reasons = self.reasons.setdefault((day, entity), [])
        if reason not in reasons:
            reasons.append(reason)

    def apply(self) -> None:
        """Take away every row of the entities and dates that are lost."""
        days = np.array([day for day, _ in self.reasons], dtype="M8[D]")
        entities = np.array([entity for _, entity in self.reasons], dtype=object)
        self.there &= ~_concerns(self.dates, self.entities, days, entities)
        self.there &= ~np.isin(self.dates, np.array(list(self.lost_dates), dtype="M8[D]"))

    def records(self) -> Columns:
        """The failure records of the entities that lost their rows."""
        if not self.reasons:
            return {}
        days, entities = (
            np.array([day for day, _ in self.reasons], dtype="M8[D]"),
            np.array([entity for _, entity in self.reasons], dtype=object),
        )
        return _records(self.table, days, entities, ["; ".join(reasons) for reasons in self.reasons.values()])


def _records(table: Table, days: NDArray[np.datetime64], entities: NDArray[np.object_], reasons: list[str]) -> Columns:
    return failures(
        entities, days, entity_type(table), HARD_FAILURE, reasons, can_retry=True, failure_type=HARD_FAILURE
    )


def _concerns(
    days: NDArray[np.datetime64],
    entities: NDArray[np.object_],
    lost_days: NDArray[np.datetime64],
    lost: NDArray[np.object_],
) -> NDArray[np.bool_]:
    concerned: NDArray[np.bool_] = find((days.astype("M8[D]"), entities), (lost_days.astype("M8[D]"), lost)) >= 0
    return concerned
