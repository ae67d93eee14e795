"""A warehouse in memory, for tests of what reads and writes tables and not of where they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from nba_assets.tables.columns import arrow_schema
from nba_assets.tables.spec import Table
from nba_assets.warehouse.interface import Changed, Insertion, Replacement, TableStatus, Value, WriteFacts
from nba_assets.warehouse.validation import filter_values, validate


@dataclass
class MemoryWarehouse:
    """Tables in memory; a copy of it is another warehouse."""

    tables: dict[str, pa.Table] = field(default_factory=dict)
    largest_write_dates: int | None = None

    def read(
        self,
        table: Table,
        columns: Sequence[str],
        start: date,
        end: date,
        where: Mapping[str, Value | Sequence[Value]] | None = None,
    ) -> pa.Table:
        """As the interface has it; rows are sorted when they are written."""
        stored = self.tables.get(table.qualified_name)
        if stored is None:
            return arrow_schema(table, columns).empty_table()
        planned = pc.and_(
            pc.greater_equal(stored[table.date_column], pa.scalar(start)),
            pc.less_equal(stored[table.date_column], pa.scalar(end)),
        )
        for name, value in (where or {}).items():
            values = pa.array(filter_values(table, name, value), stored.schema.field(name).type)
            planned = pc.and_(planned, pc.is_in(stored[name], values))
        return stored.select(list(columns)).filter(planned)

    def close(self) -> None:
        """Nothing is open."""

    def replace(self, replacements: Sequence[Replacement | Insertion], *, unless: Sequence[Changed] = ()) -> WriteFacts:
        """As the interface has it."""
        validate(replacements)
        for changed in unless:
            changed.require_unchanged(
                self.read(changed.table, changed.rows.column_names, changed.start, changed.end, changed.where)
            )
        for replacement in replacements:
            table = replacement.table
            stored = self.tables.get(table.qualified_name, arrow_schema(table).empty_table())
            if isinstance(replacement, Insertion):
                rows = pa.concat_tables([stored, replacement.rows.select(table.column_names).cast(stored.schema)])
                self.tables[table.qualified_name] = rows.sort_by([(name, "ascending") for name in table.key])
                continue
            rows = replacement.written_at(datetime.now(UTC)).select(table.column_names)
            gone = pc.is_in(stored[table.date_column], pa.array(list(replacement.dates), pa.date32()))
            for name, value in replacement.scope.items():
                gone = pc.and_(gone, pc.equal(stored[name], pa.scalar(value, stored.schema.field(name).type)))
            together = pa.concat_tables([stored.filter(pc.invert(gone)), rows.cast(stored.schema)])
            self.tables[table.qualified_name] = together.sort_by([(name, "ascending") for name in table.key])
        return WriteFacts()

    def session(self) -> AbstractContextManager[None]:
        """Nothing is to be opened."""
        return nullcontext()

    def status(self, _: Sequence[Table]) -> list[TableStatus]:
        """Nobody asks."""
        return []

    def copy(self) -> MemoryWarehouse:
        """Another one with the same content."""
        return MemoryWarehouse(dict(self.tables))
