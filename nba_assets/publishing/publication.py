"""Write, audit, publish: from computed rows to stored ones.

Rows are typed, rounded and checked in memory first. What breaks a blocking check costs its entity, its game or its date
(see `attribution`); a date of which too many entities failed hard is refused. The other dates of the run, their failure
records and their entries in the state of partitions are replaced together, in one transaction, in which the refused
ones are recorded as such: they keep what they had. Of a retry the rows and records that it keeps are part of all this:
what is checked, counted and written is always a whole date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba_assets.entities.outcomes import FAILURE_COLUMNS, Outcome, concatenate, length, take
from nba_assets.entities.relations import at, find
from nba_assets.publishing.attribution import (
    Attribution,
    attribute,
    entity_type,
    one_per_entity,
    without_entities,
    without_unstorable,
)
from nba_assets.publishing.circuit_breaker import stored_attempts
from nba_assets.publishing.observations import observe
from nba_assets.publishing.refusals import dates_published, recorded_refusals, refusal_text
from nba_assets.publishing.scope import RetainedRows
from nba_assets.publishing.served import newly_served
from nba_assets.publishing.table_run import STAMPS, TableRun
from nba_assets.tables.audit import Finding
from nba_assets.tables.bookkeeping import CHANGE_COLUMNS, ENTITY_FAILURES, HARD_FAILURE, TABLE_PARTITIONS, Changes
from nba_assets.tables.columns import arrow_schema, blank, empty, to_arrow, to_columns
from nba_assets.tables.digest import as_hex, partition_digest, row_hashes
from nba_assets.tables.spec import Columns, Table
from nba_assets.warehouse.interface import Replacement


class PublicationRefusedError(Exception):
    """Rows were computed but none of them written; the table holds what it held before."""


@dataclass(frozen=True)
class DateFacts:
    """What one date of a table holds now."""

    day: date
    row_count: int
    failures: dict[str, int]
    digest: str
    changed: bool
    """The digest differs from that of the rows that stood there before."""
    changed_at: np.datetime64
    """When it last became what it is; NaT where it does so with this write."""


@dataclass(frozen=True)
class Publication:
    """Rows that are ready to be written, and what the checks say of them."""

    run: TableRun
    rows: pa.Table
    """All rows of the dates that are published: first those that a retry keeps, as they are stored, then the computed
    ones, still without stamps.
    """
    hashes: NDArray[np.uint64]
    failures: Columns
    """Failures of this run: of its computation, and of entities whose rows broke blocking checks."""
    findings: list[Finding]
    retained: RetainedRows

    @property
    def computed(self) -> pa.Table:
        """The rows that this run has computed."""
        return self.rows.slice(self.retained.rows.num_rows)

    @property
    def failed(self) -> Columns:
        """Date, entity and category of every failure record of the run's dates, retained ones included."""
        retained = to_columns(self.retained.failures.select(["partition_date", "entity_id", "failure_category"]))
        return concatenate([retained, {name: self.failures[name] for name in retained} if self.failures else {}])

    def only(self, there: NDArray[np.bool_]) -> Publication:
        """This publication with the marked rows alone; of the records that a retry keeps, those of entities that have
        no newer one.
        """
        first = self.retained.rows.num_rows
        records = to_columns(self.retained.failures.select(["partition_date", "entity_id"]))
        standing = without_entities(
            records["partition_date"].astype("M8[D]"), records["entity_id"].astype(object), self.failures
        )
        retained = RetainedRows(
            self.retained.rows.filter(pa.array(there[:first])),
            self.retained.hashes[there[:first]],
            self.retained.failures.filter(pa.array(standing)),
        )
        return replace(self, rows=self.rows.filter(pa.array(there)), hashes=self.hashes[there], retained=retained)

    def without(self, refused: Mapping[date, str]) -> Publication:
        """This publication without dates, which are refused: what the run computed of them and what a retry keeps of
        them.
        """
        if not refused:
            return self
        self.run.refuse(refused)
        gone = np.array(list(refused), dtype="M8[D]")
        failed = (
            take(self.failures, ~np.isin(self.failures["partition_date"], gone)) if self.failures else self.failures
        )
        remaining = self.only(~np.isin(_dates(self.rows, self.run.table), gone))
        records = to_columns(remaining.retained.failures.select(["partition_date"]))["partition_date"]
        retained = replace(
            remaining.retained, failures=remaining.retained.failures.filter(pa.array(~np.isin(records, gone)))
        )
        return replace(remaining, failures=failed, retained=retained)

    @property
    def refusal(self) -> str | None:
        """Why nothing of the run may be written; None where something may."""
        return (
            refusal_text(self.run.table.qualified_name, self.run.refused)
            if self.run.refused and not self.run.dates
            else None
        )

    def write(self) -> list[DateFacts]:
        """Replace the dates that are published by these rows, all or nothing; returns what each of them holds now.

        A run that computes nothing writes nothing.

        Raises PublicationRefusedError where every date is refused, once that is recorded, and OvertakenError, with
        nothing written, where another run has written a date, or an attempt at one of its entities, since this one
        began.
        """
        if self.run.scope.is_empty:
            return []
        if self.refusal is not None:
            self.run.warehouse.replace(recorded_refusals(self.run))
            raise PublicationRefusedError(self.refusal)
        with self.run.timed("write"):
            with self.run.warehouse.session():
                begun = self.run.begin()
                facts, rows = self._facts(begun.rows), self._stamped()
                entries = self._partition_rows(facts)
                refusals = recorded_refusals(self.run)
                served = newly_served(self.run, rows, entries)
            scope = {"table_name": self.run.table.name}
            breaker = self.run.breaker
            attempts = breaker.recorded(self.failures, self.run.run_id) if breaker else None
            written = self.run.warehouse.replace(
                [
                    Replacement(self.run.table, rows, self.run.dates),
                    Replacement(ENTITY_FAILURES, self._failure_rows(), self.run.dates, scope),
                    Replacement(TABLE_PARTITIONS, entries, self.run.dates, scope, moment_column="changed_at"),
                    *refusals,
                    *([attempts] if attempts else []),
                    *([served.rows] if served else []),
                    *(
                        Replacement(table, self._record_rows(table, parts), self.run.dates, scope)
                        for table, parts in self.run.records
                    ),
                ],
                unless=[
                    begun,
                    *([breaker.as_read] if breaker and attempts else []),
                    *([served.as_read] if served else []),
                ],
            )
        if served:
            served.note(self.run)
        self.run.notes |= written.notes
        return facts

    def _facts(self, entries: pa.Table) -> list[DateFacts]:
        """What each date holds with this write, beside its entry as the run found it."""
        table, days = self.run.table, self.run.days
        places = np.searchsorted(days, _dates(self.rows, table))
        failed = self.failed
        changed_at = Changes.of(to_columns(entries.select(CHANGE_COLUMNS)))
        order = np.argsort(places, kind="stable")
        bounds = np.searchsorted(places[order], np.arange(len(days) + 1))
        categories: list[Counter[str]] = [Counter() for _ in self.run.dates]
        for place, category in zip(
            np.searchsorted(days, failed["partition_date"]).tolist(), failed["failure_category"], strict=True
        ):
            categories[place][category] += 1
        facts = []
        for place, day in enumerate(self.run.dates):
            mine = order[bounds[place] : bounds[place + 1]]
            digest = partition_digest(self.hashes[mine])
            facts.append(
                DateFacts(day, len(mine), dict(sorted(categories[place].items())), digest, *changed_at.to(day, digest))
            )
        return facts

    def _created_at(self) -> NDArray[np.datetime64]:
        """When each computed row was first written: with an earlier build of its key, else now."""
        table, now = self.run.table, np.datetime64(self.run.now.replace(tzinfo=None), "us")
        stored = to_columns(self.run.warehouse.read(table, (*table.key, "created_at"), self.run.start, self.run.end))
        computed = to_columns(self.computed.select(table.key))
        before = at(
            stored["created_at"], find([computed[name] for name in table.key], [stored[name] for name in table.key])
        )
        return np.where(np.isnat(before), now, before)

    def _stamped(self) -> pa.Table:
        """The computed rows with their hash, the times at which they were first and last written, and how often they
        failed before; the retained ones as is.
        """
        table, rows = self.run.table, self.computed
        now = np.datetime64(self.run.now.replace(tzinfo=None), "us")
        hashes = self.hashes[self.retained.rows.num_rows :]
        stamps: dict[str, NDArray[Any]] = {"data_hash": as_hex(hashes), "processed_at": np.full(rows.num_rows, now)}
        if "created_at" in table.column_names:
            stamps["created_at"] = self._created_at()
        if "reprocess_attempt_count" in table.column_names:
            stamps["reprocess_attempt_count"] = self._attempt_counts()
        for name, values in stamps.items():
            if name in table.column_names:
                kind = arrow_schema(table, [name])
                rows = rows.set_column(
                    rows.column_names.index(name), kind.field(0), pa.array(values).cast(kind.field(0).type)
                )
        return pa.concat_tables([self.retained.rows, rows])

    def _attempt_counts(self) -> NDArray[np.int64]:
        table, run = self.run.table, self.run
        if run.breaker is not None:
            attempts = [attempt for mine in run.breaker.attempts.values() for attempt in mine]
        else:
            attempts = stored_attempts(run.warehouse, table.name, run.start, run.end)
        number_of = {
            (attempt["partition_date"], attempt["entity_id"]): attempt["attempt_number"] for attempt in attempts
        }
        if not number_of or table.entity_column is None:
            return np.zeros(self.computed.num_rows, dtype=np.int64)
        keys = zip(
            _dates(self.computed, table).tolist(), self.computed.column(table.entity_column).to_pylist(), strict=True
        )
        return np.array([number_of.get(key, 0) for key in keys], dtype=np.int64)

    def _failure_rows(self) -> pa.Table:
        size = length(self.failures)
        stamps = {
            "table_name": np.full(size, self.run.table.name, dtype=object),
            "resolution_status": np.full(size, "UNRESOLVED", dtype=object),
            "resolved_at": np.full(size, "NaT", dtype="M8[us]"),
            "run_id": np.full(size, self.run.run_id, dtype=object),
            "created_at": np.full(size, np.datetime64(self.run.now.replace(tzinfo=None), "us")),
        }
        nothing = {name: np.array([], dtype=object) for name in FAILURE_COLUMNS}
        return pa.concat_tables(
            [self.retained.failures, to_arrow(ENTITY_FAILURES, {**nothing, **self.failures, **stamps})]
        )

    def _record_rows(self, table: Table, parts: list[Columns]) -> pa.Table:
        rows = concatenate(parts)
        if not rows:
            return empty(table)
        rows = take(rows, np.isin(rows["partition_date"], self.run.days))
        size = length(rows)
        stamps = {
            "table_name": np.full(size, self.run.table.name, dtype=object),
            "run_id": np.full(size, self.run.run_id, dtype=object),
            "created_at": np.full(size, np.datetime64(self.run.now.replace(tzinfo=None), "us")),
        }
        return to_arrow(table, {**rows, **stamps})

    def _partition_rows(self, facts: list[DateFacts]) -> pa.Table:
        size, now = len(facts), np.datetime64(self.run.now.replace(tzinfo=None), "us")
        written = to_arrow(
            TABLE_PARTITIONS,
            {
                "table_name": np.full(size, self.run.table.name, dtype=object),
                "partition_date": self.run.days,
                "row_count": np.array([fact.row_count for fact in facts], dtype=np.float64),
                "failure_count": np.array([sum(fact.failures.values()) for fact in facts], dtype=np.float64),
                "digest": np.array([fact.digest for fact in facts], dtype=object),
                "newest_processed_at": np.where(
                    [fact.row_count > 0 for fact in facts], now, np.datetime64("NaT", "us")
                ),
                "code_version": np.full(size, self.run.table.code_version, dtype=object),
                "run_id": np.full(size, self.run.run_id, dtype=object),
                "written_at": np.full(size, now),
                "changed_at": np.array([fact.changed_at for fact in facts], dtype="M8[us]"),
                "inputs": np.array([self.run.built_from.get(fact.day) for fact in facts], dtype=object),
            },
        )
        computed = set(_dates(self.computed, self.run.table).tolist())
        return self.run.scope.entries(written, computed)


def prepare(run: TableRun, outcome: Outcome) -> Publication:
    """Type, round, hash and check computed rows, of a retry together with those that it keeps; nothing is written yet.

    `outcome.rows` holds every column of the table but the stamps (`data_hash`, `created_at`, `processed_at`); no rows
    at all may come as no columns. What may not be published is left out: `run.refused` names the dates, the failures
    the entities.
    """
    with run.timed("write"):
        table = run.table
        retained = run.scope.retained(run.warehouse, table, run.dates)
        rows, failed = _typed(table, _without_dates(table, run.scope.part_of(outcome), run.refused))
        # Its lists are Python objects: of three seasons of features they fill 300 MB, and hashing makes as many again.
        del outcome
        stray = set(_dates(rows, table).tolist()) - set(run.dates)
        if stray:
            raise PublicationRefusedError(
                f"{table.qualified_name} computed rows for dates that were not requested: {sorted(stray)[:5]}"
            )
        stamps = [name for name in STAMPS if name in rows.column_names]
        rows = pa.concat_tables([retained.rows, rows])
        checked = rows.drop_columns(stamps)
        computed = checked.slice(retained.rows.num_rows)
        hashes = np.concatenate([retained.hashes, row_hashes(table, computed)])
        found = attribute(table, checked, failed)
        publication = Publication(
            run, rows, hashes, one_per_entity(concatenate([failed, found.failures])), found.findings, retained
        )
        if not found.there.all():
            publication = publication.only(found.there)
        publication = publication.without(_refused(publication, found))
    # The warehouse takes memory of its own to write: what typing and hashing took is given back before.
    pa.default_memory_pool().release_unused()
    run.note_results(publication.failures)
    with run.timed("observe"):
        observed = observe(run, publication.rows, publication.failed) if run.dates else []
        return replace(publication, findings=[*publication.findings, dates_published(run), *observed])


def _typed(table: Table, outcome: Outcome) -> tuple[pa.Table, Columns]:
    """Computed rows as they are stored, but for blank stamps, and the failures; who holds a value that cannot be stored
    is among these.
    """
    size = outcome.row_count
    absent = [
        column.name
        for column in table.columns
        if column.name not in outcome.rows and (not size or column.name in STAMPS)
    ]
    blanks = {name: blank(table.column(name).type, size) for name in absent}
    try:
        return to_arrow(table, {**outcome.rows, **blanks}), outcome.failures
    except (ValueError, TypeError):
        storable = without_unstorable(table, outcome)
        if storable.row_count == size:
            raise
    return _typed(table, storable)


def _without_dates(table: Table, outcome: Outcome, refused: Mapping[date, str]) -> Outcome:
    """An outcome without what was computed of refused dates."""
    if not refused:
        return outcome
    gone = np.array(list(refused), dtype="M8[D]")
    rows, failed = outcome.rows, outcome.failures
    rows = take(rows, ~np.isin(rows[table.date_column].astype("M8[D]"), gone)) if rows else rows
    return Outcome(rows, take(failed, ~np.isin(failed["partition_date"], gone)) if failed else failed)


TOLERATED = {"PLAYER": 1, "TEAM": 2}
"""Hard failures that never cost a date, however few rows it has: one odd row costs a player, or both teams of a game.
"""


def _refused(publication: Publication, found: Attribution) -> dict[date, str]:
    """The dates that may not be published for what their rows are, with the reason: a rule of the whole date is broken,
    or too many failed hard.
    """
    run, failed, share = publication.run, publication.failed, publication.run.settings.hard_failure_share
    refused = dict(found.dates)
    hard = failed["failure_category"] == HARD_FAILURE
    tolerated = TOLERATED[entity_type(run.table)] if share else 0
    row_counts = Counter(_dates(publication.rows, run.table).tolist())
    for day, count in Counter(failed["partition_date"][hard].tolist()).items():
        total = row_counts[day] + count
        if day not in refused and count > max(share * total, tolerated):
            refused[day] = (
                f"{count} of {total} rows failed to compute or broke blocking checks, more than the tolerated share "
                f"of {share:.0%}. The first failure: {_first_hard_failure(publication, day)}"
            )
    return refused


def _first_hard_failure(publication: Publication, day: date) -> str:
    failed = publication.failures
    if not failed:
        return "one of an earlier run"
    mine = (failed["partition_date"] == np.datetime64(day, "D")) & (failed["failure_category"] == HARD_FAILURE)
    return str(failed["failure_reason"][mine][0]) if mine.any() else "one of an earlier run"


def _dates(rows: pa.Table, table: Table) -> NDArray[np.datetime64]:
    dates: NDArray[np.datetime64] = to_columns(rows.select([table.date_column]))[table.date_column].astype("M8[D]")
    return dates
