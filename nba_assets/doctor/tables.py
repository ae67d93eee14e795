"""Checks of the stored tables, whichever back end holds them: their columns against those of their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from nba_assets.doctor.finding import Finding, failure, ok, warning
from nba_assets.registry import ALL_TABLES
from nba_assets.tables.spec import Column, Table
from nba_assets.warehouse.interface import SchemaMismatchError
from nba_assets.wording import one_line


class DescribedWarehouse(Protocol):
    """A warehouse that tells how its tables differ from their declarations."""

    def missing_columns(self, table: Table) -> list[Column] | None:
        """The nullable columns that the stored table lacks, None where it is not stored; SchemaMismatchError for any
        other difference.
        """
        ...


def check_schema(warehouse: DescribedWarehouse) -> Iterator[Finding]:
    """A line for each table that differs, or one for all of them."""
    stored, sound = 0, 0
    for table in ALL_TABLES.values():
        try:
            missing = warehouse.missing_columns(table)
        except SchemaMismatchError as error:
            stored += 1
            yield failure("schema", one_line(error))
            continue
        stored += missing is not None
        sound += missing == []
        if missing:
            names = ", ".join(column.name for column in missing)
            yield warning(
                "schema",
                f"{table.qualified_name} is stored without {names}: the next write adds them, and `nba-assets rebuild "
                "--stale-code` fills them",
            )
    if sound == stored:
        yield ok("schema", f"{stored} of {len(ALL_TABLES)} tables are stored, with the columns that they declare")
