"""What a table is: its columns, its grain, its rules. The one place where a column is declared.

Names, DDL, schemas, checks, row hashes and the data dictionary are all derived from the objects in here; how they are
derived is in the sibling modules. Storage, Dagster and the meaning of any single table are not in this
module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[Any]]
"""A table in memory: arrays of one length by column name.

Numbers and flags are float64 with NaN for null, texts object arrays with None, dates datetime64[D], moments
datetime64[us] in UTC, lists object arrays of sequences.
"""


class Type(StrEnum):
    """Column types, named as BigQuery names them."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"
    STRINGS = "ARRAY<STRING>"
    FLOATS = "ARRAY<FLOAT64>"


LIST_TYPES = frozenset({Type.STRINGS, Type.FLOATS})
"""Types whose values are lists; in a warehouse a list is never null."""

Range = tuple[float, float]


@dataclass(frozen=True)
class Column:
    """One column: what it is called, holds, means and may contain.

    `scale` is the number of decimals that a FLOAT64 is rounded to when it is stored. `allowed` bounds block a write,
    `usual` bounds only warn. `hashed` says whether the column is part of the row hash; timestamps and bookkeeping are
    not.
    """

    name: str
    type: Type
    description: str
    unit: str | None = None
    scale: int | None = None
    nullable: bool = True
    allowed: Range | None = None
    usual: Range | None = None
    values: tuple[str, ...] | None = None
    hashed: bool = True


Cost = Literal["row", "game", "date"]
"""What a broken rule costs: the row's entity on its date, every entity of its game, or its whole date."""


@dataclass(frozen=True)
class Rule:
    """A rule that spans columns or rows.

    `broken` marks the offending rows; a blocking rule keeps them, or what they cost, from being written.
    """

    name: str
    description: str
    broken: Callable[[Columns], NDArray[np.bool_]]
    blocking: bool = True
    costs: Cost = "row"


@dataclass(frozen=True)
class Notice:
    """Something odd about its inputs that a table's run reports by name, in a warning check of its own; nothing is
    refused for it.
    """

    name: str
    description: str


INPUTS_INGESTED = Notice(
    "inputs_ingested",
    (
        "Every optional raw feed that the table reads on its own date was ingested for it; the date is built without "
        "one that was not"
    ),
)
SHARED_NOTICES = (INPUTS_INGESTED,)
"""Notices that every computed table has beside its own."""


@dataclass(frozen=True)
class FeatureList:
    """A list of features of which each row of a table holds a vector, in the columns of `tables.served.VECTOR` with
    `suffix` at the end of their names.

    Its vectors are recorded in `served_features` as they first stand before tip-off.
    """

    version: str
    suffix: str = ""


@dataclass(frozen=True, eq=False)
class Part:
    """What is read of a table where not all of it is: `columns` of the rows that hold the values of `where`.

    `elements` makes of these rows what counts: the date and the 64-bit hash of each element. Two states of the table
    are the same to a reader of the part over some dates where the sums of the hashes are. It is given whole seasons,
    and what it makes of one may not depend on another.
    """

    name: str
    columns: tuple[str, ...]
    elements: Callable[[Columns], tuple[NDArray[np.datetime64], NDArray[np.uint64]]]
    where: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Input:
    """What a table reads of another one for a date of its own; made by `of_its_date`, `before` and `of_season`.

    `days` calendar days before the date are read, or the season to date when None (from `lead_days` before opening
    night on), and the date itself where `own_date`. Of a `whole_season` input everything of the date's season is read,
    whatever the date: it is dated by the first of July before it.
    """

    table: Table
    days: int | None = 0
    own_date: bool = True
    lead_days: int = 0
    whole_season: bool = False
    part: Part | None = None
    only_on: Part | None = None
    """A part of the schedule: of the window only the dates of its elements are read."""
    has_all_finals: bool = False
    """Every date with final games is to have rows: a window that lacks some is thin."""
    as_known: bool = False
    """A part of the schedule that each date reads as it was known before the date's own first tip-off, as far as that
    is on record: what is learned later is none of its inputs.
    """

    @property
    def name(self) -> str:
        """The table, and the part of it; unique among the inputs of a table."""
        return self.table.name if self.part is None else f"{self.table.name}:{self.part.name}"


def of_its_date(table: Table, part: Part | None = None) -> Input:
    """An input of which a table reads its own date."""
    return Input(table, part=part)


def before(
    table: Table,
    *,
    days: int | None = None,
    own_date: bool = False,
    lead_days: int = 0,
    part: Part | None = None,
    only_on: Part | None = None,
    has_all_finals: bool = False,
    as_known: bool = False,
) -> Input:
    """An input of which a table reads earlier dates: the season to date, or so many days; see `Input`."""
    return Input(
        table,
        days,
        own_date,
        lead_days,
        part=part,
        only_on=only_on,
        has_all_finals=has_all_finals,
        as_known=as_known,
    )


def of_season(table: Table, part: Part | None = None) -> Input:
    """An input that a table reads for a season as a whole."""
    return Input(table, own_date=False, whole_season=True, part=part)


BOOKKEEPING_DATASET = "nba_processing"
"""Dataset of the tables that hold the state of all others."""


@dataclass(frozen=True)
class Table:
    """A table: `dataset.name`, one row per `key`, stored by `date_column`."""

    dataset: str
    name: str
    grain: str
    key: tuple[str, ...]
    date_column: str
    columns: tuple[Column, ...]
    description: str = ""
    entity_column: str | None = None
    rules: tuple[Rule, ...] = ()
    notices: tuple[Notice, ...] = ()
    inputs: tuple[Input, ...] = ()
    stage: Literal["postgame", "pregame"] | None = None
    """Of a computed table: whether its rows are about games that are over, or about a date before its games begin."""
    code_version: str | None = None
    """Of a computed table: changes whenever the same inputs give other rows, and with each new column.

    Dates of another version are from older code.
    """
    cluster_by: tuple[str, ...] = field(default=())
    feature_lists: tuple[FeatureList, ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"table {self.qualified_name} declares a column twice: {sorted(twice)}")
        rules = [rule.name for rule in self.rules] + [notice.name for notice in self.notices]
        if len(set(rules)) < len(rules):
            raise ValueError(f"table {self.qualified_name} declares two rules of one name: {rules}")
        unknown = {*self.key, self.date_column, *self.cluster_by} - set(names)
        if unknown:
            raise ValueError(f"table {self.qualified_name} names columns that it does not declare: {sorted(unknown)}")
        inputs = [source.name for source in self.inputs]
        if len(set(inputs)) < len(inputs):
            raise ValueError(f"table {self.qualified_name} declares two inputs of one name: {inputs}")
        nullable = [name for name in {*self.key, self.date_column} if self.column(name).nullable]
        if nullable:
            raise ValueError(f"table {self.qualified_name} has nullable key or date columns: {sorted(nullable)}")

    @property
    def qualified_name(self) -> str:
        """`dataset.name`, the table's address in every back end."""
        return f"{self.dataset}.{self.name}"

    @property
    def layer(self) -> str:
        """The layer of the pipeline that it belongs to, e.g. `precompute` of the dataset `nba_precompute`."""
        return self.dataset.removeprefix("nba_")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns in stored order."""
        return tuple(self._by_name)

    @property
    def upstream(self) -> tuple[Table, ...]:
        """The tables that it reads, those apart that hold the state of all tables."""
        tables = {
            source.table.name: source.table for source in self.inputs if source.table.dataset != BOOKKEEPING_DATASET
        }
        return tuple(tables.values())

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError names the table where there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(
                f"table {self.qualified_name} has no column {name!r}; it has {list(self._by_name)}"
            ) from None

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


def text(
    name: str, description: str, *, nullable: bool = True, values: tuple[str, ...] | None = None, hashed: bool = True
) -> Column:
    """A STRING column, of the listed `values` only where given."""
    return Column(name, Type.STRING, description, nullable=nullable, values=values, hashed=hashed)


def whole(
    name: str,
    description: str,
    *,
    unit: str | None = None,
    nullable: bool = True,
    allowed: Range | None = None,
    usual: Range | None = None,
    hashed: bool = True,
) -> Column:
    """An INT64 column."""
    return Column(name, Type.INT64, description, unit, nullable=nullable, allowed=allowed, usual=usual, hashed=hashed)


def count(
    name: str,
    description: str,
    *,
    unit: str = "count",
    nullable: bool = True,
    usual: Range | None = None,
    hashed: bool = True,
) -> Column:
    """An INT64 column that is never negative."""
    return whole(name, description, unit=unit, nullable=nullable, allowed=(0, np.inf), usual=usual, hashed=hashed)


def number(
    name: str,
    description: str,
    *,
    scale: int | None,
    unit: str | None = None,
    nullable: bool = True,
    allowed: Range | None = None,
    usual: Range | None = None,
    hashed: bool = True,
) -> Column:
    """A FLOAT64 column, rounded to `scale` decimals when stored; None stores it as computed."""
    return Column(name, Type.FLOAT64, description, unit, scale, nullable, allowed, usual, hashed=hashed)


def flag(name: str, description: str, *, nullable: bool = True, hashed: bool = True) -> Column:
    """A BOOL column."""
    return Column(name, Type.BOOL, description, nullable=nullable, hashed=hashed)


def day(name: str, description: str, *, nullable: bool = True) -> Column:
    """A DATE column: a calendar day, US-Eastern."""
    return Column(name, Type.DATE, description, nullable=nullable)


def moment(name: str, description: str, *, nullable: bool = True, hashed: bool = True) -> Column:
    """A TIMESTAMP column, UTC."""
    return Column(name, Type.TIMESTAMP, description, unit="UTC", nullable=nullable, hashed=hashed)


def texts(name: str, description: str, *, nullable: bool = True, hashed: bool = True) -> Column:
    """A list of strings."""
    return Column(name, Type.STRINGS, description, nullable=nullable, hashed=hashed)


def numbers(name: str, description: str, *, nullable: bool = True, hashed: bool = True) -> Column:
    """A list of numbers."""
    return Column(name, Type.FLOATS, description, nullable=nullable, hashed=hashed)
