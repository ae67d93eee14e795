"""No invariant holds of a warehouse without rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from nba_assets.registry import ALL_TABLES
from nba_assets.tables.ddl import duckdb_create
from nba_assets_tests.invariants import game_summaries, precompute
from nba_assets_tests.invariants.judging import NothingToJudgeError, breaking, broken_share

EXACT = game_summaries.EXACT | precompute.EXACT
SHARES = game_summaries.SHARES | precompute.SHARES


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table, none with rows."""
    path = tmp_path_factory.mktemp("empty") / "nba.duckdb"
    with duckdb.connect(path) as connection:
        for dataset in {table.dataset for table in ALL_TABLES.values()}:
            connection.execute(f"create schema {dataset}")
        for table in ALL_TABLES.values():
            connection.execute(duckdb_create(table))
    return path


@pytest.mark.parametrize("name", EXACT)
def test_an_invariant_does_not_hold_of_empty_tables(empty: Path, name: str) -> None:
    with pytest.raises(NothingToJudgeError, match="has no rows"):
        breaking(empty, EXACT[name])


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_nothing_is_not_judged(empty: Path, name: str) -> None:
    broken, everything, _ = SHARES[name]
    with pytest.raises(NothingToJudgeError, match="no rows"):
        broken_share(empty, broken, everything)


def test_rows_that_break_an_invariant_are_given(tmp_path: Path) -> None:
    path = tmp_path / "nba.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create schema nba_raw; create table nba_raw.numbers as select unnest(range(8)) as number")
    assert breaking(path, "select number from nba_raw.numbers where number > 6") == [(7,)]
    assert len(breaking(path, "select number from nba_raw.numbers")) == 5
    count = "select count(*) from nba_raw.numbers"
    assert broken_share(path, "select number from nba_raw.numbers where number > 5", count) == 0.25
    with pytest.raises(NothingToJudgeError, match="no rows"):
        broken_share(path, "select number from nba_raw.numbers", f"{count} where number > 9")
