"""What each table promises its readers, as files beside this one: a bound, a scale or a null changes only on purpose.

`python -m nba_assets_tests.record` writes the files anew; what changed in them belongs into the changelog.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from nba_assets.registry import ALL_TABLES
from nba_assets.tables.spec import Column, Rule, Table

CONTRACTS = Path(__file__).parent / "contracts"


def contract(table: Table) -> str:
    """Everything that is declared, without the descriptions."""
    lines = [
        (
            f"{table.qualified_name} by {', '.join(table.key)}; stored by {table.date_column}; entity "
            f"{table.entity_column}; {table.cluster_by}"
        ),
        *(f"reads {source.name}: {source.days} days, own date {source.own_date}" for source in table.inputs),
        *(_rule(rule) for rule in table.rules),
        *(f"notice {notice.name}" for notice in table.notices),
        *(_column(column) for column in table.columns),
    ]
    return "".join(f"{line}\n" for line in lines)


def _rule(rule: Rule) -> str:
    return f"rule {rule.name}: {'blocks' if rule.blocking else 'warns'}, costs a {rule.costs}"


def _column(column: Column) -> str:
    said = {
        "unit": column.unit,
        "scale": column.scale,
        "allowed": column.allowed,
        "usual": column.usual,
        "values": column.values,
    }
    facts = [f"{name} {value}" for name, value in said.items() if value is not None]
    flags = ["null" if column.nullable else "not null", *([] if column.hashed else ["not hashed"])]
    return f"{column.name} {column.type}: {'; '.join([*flags, *facts])}"


@pytest.mark.parametrize("name", ALL_TABLES)
def test_a_table_keeps_its_contract(name: str) -> None:
    assert contract(ALL_TABLES[name]) == (CONTRACTS / f"{name}.txt").read_text(), (
        "on purpose? `python -m nba_assets_tests.record`, and name it in the changelog"
    )


def test_every_contract_has_its_table() -> None:
    assert {path.stem for path in CONTRACTS.iterdir()} == set(ALL_TABLES)


def record() -> None:
    """Write the contracts as they are now; those of tables that are no more are removed."""
    for path in CONTRACTS.iterdir():
        if path.stem not in ALL_TABLES:
            path.unlink()
    for name, table in ALL_TABLES.items():
        (CONTRACTS / f"{name}.txt").write_text(contract(table))
