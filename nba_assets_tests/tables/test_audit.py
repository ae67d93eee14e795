"""Checks made from a table's declaration: each finds its own fault, names it, and holds up nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nba_assets.tables.audit import EXAMPLES, Finding, audit, check_names
from nba_assets.tables.columns import StoredColumns, arrow_schema
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum, unequal
from nba_assets.tables.spec import Rule, Table, count, day, number, text, texts, whole

TABLE = Table(
    "nba_analytics",
    "small",
    "one team in one game",
    ("game_date", "team"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("game_id", "Game", nullable=False),
        text("team", "Team", nullable=False),
        whole("margin", "Margin"),
        count("rebounds", "Rebounds"),
        count("offensive", "Offensive"),
        count("defensive", "Defensive"),
        number("pct", "Share", scale=1, allowed=(0, 100), usual=(10, 90)),
        text("result", "Result", values=("W", "L")),
    ),
    rules=(
        not_two_per_game("team"),
        rows_per_game_sum("margins_cancel", "Margins cancel", "margin", 0),
        unequal("rebounds_add_up", "Rebounds add up", "rebounds", ("offensive", "defensive"), blocking=False),
    ),
)
D = date(2021, 11, 15)


def game(**changes: Any) -> list[dict[str, Any]]:
    """Two good rows; the changes go to the first."""
    good = {
        "game_date": D,
        "game_id": "g",
        "margin": 5,
        "rebounds": 10,
        "offensive": 4,
        "defensive": 6,
        "pct": 50.0,
        "result": "W",
    }
    return [{**good, "team": "BOS", **changes}, {**good, "team": "LAL", "margin": -5, "result": "L"}]


def findings(rows: list[dict[str, Any]]) -> list[Finding]:
    return audit(TABLE, pa.Table.from_pylist(rows, schema=arrow_schema(TABLE)))


def failed(rows: list[dict[str, Any]]) -> dict[str, int]:
    found = findings(rows)
    assert [finding.name for finding in found] == [name for name, _, _ in check_names(TABLE)]
    return {finding.name: finding.offending_count for finding in found if not finding.passed}


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({}, {}),
        ({"margin": None, "pct": None, "result": None, "rebounds": None}, {"margins_cancel": 2}),
        ({"team": "LAL"}, {"key_unique": 2, "two_rows_per_game": 2}),
        ({"game_id": None}, {"not_null": 1, "two_rows_per_game": 2, "margins_cancel": 2}),
        ({"pct": 100.1}, {"values_in_range": 1, "usual_range": 1}),
        ({"rebounds": -1}, {"values_in_range": 1, "rebounds_add_up": 1}),
        ({"pct": 95.0}, {"usual_range": 1}),
        ({"result": "T"}, {"known_values": 1}),
        ({"margin": 6}, {"margins_cancel": 2}),
        ({"offensive": 5}, {"rebounds_add_up": 1}),
    ],
)
def test_each_check_finds_its_own_fault(changes: dict[str, Any], broken: dict[str, int]) -> None:
    assert failed(game(**changes)) == broken


def test_a_finding_names_dates_keys_and_values() -> None:
    (finding,) = [found for found in findings(game(pct=120.0)) if found.name == "values_in_range"]
    assert finding.dates == (D,)
    assert finding.examples == ("game_date=2021-11-15, team=BOS: pct=120.0",)


def test_no_rows_break_nothing() -> None:
    assert failed([]) == {}


def test_no_column_at_fault_hides_behind_another() -> None:
    rows = [row for number_of_game in range(10) for row in game(game_id=f"g{number_of_game}", pct=-1.0)]
    rows[-1]["rebounds"] = -3
    (finding,) = [found for found in findings(rows) if found.name == "values_in_range"]
    assert finding.offending_count == 11
    assert len(finding.examples) == EXAMPLES
    assert finding.examples[0].endswith("team=LAL: rebounds=-3")


def test_dates_are_those_of_the_faults_alone_and_an_unknown_one_is_no_date() -> None:
    later = date(2021, 11, 17)
    rows = [
        *game(),
        *(row | {"game_date": later, "game_id": "h"} for row in game(pct=101.0)),
        *(row | {"game_date": None} for row in game(pct=101.0)),
    ]
    found = {finding.name: finding for finding in findings(rows)}
    assert found["values_in_range"].dates == (later,)
    assert found["not_null"].dates == ()
    assert found["not_null"].examples[0] == "game_date=None, team=BOS: game_date=None"


def test_only_what_is_unusual_and_rules_that_say_so_let_a_write_through() -> None:
    assert {name for name, blocking, _ in check_names(TABLE) if not blocking} == {"usual_range", "rebounds_add_up"}
    assert [finding.blocking for finding in findings(game())] == [blocking for _, blocking, _ in check_names(TABLE)]


def test_a_check_says_what_it_asks_of_which_columns() -> None:
    said = {name: description for name, _, description in check_names(TABLE)}
    assert said["key_unique"] == "No two rows share game_date, team"
    assert said["not_null"] == "Never null: game_date, game_id, team"
    assert (
        said["values_in_range"]
        == "Within their allowed ranges: rebounds at least 0, offensive at least 0, defensive at least 0, pct 0 to 100"
    )
    assert said["usual_range"] == "Within what is usual: pct 10 to 90"


def test_columns_that_are_filled_later_are_not_looked_at() -> None:
    rows = pa.Table.from_pylist(game(), schema=arrow_schema(TABLE)).drop_columns(["pct", "result"])
    assert [finding.name for finding in audit(TABLE, rows) if not finding.passed] == []


def test_two_rules_of_one_name_are_refused_since_a_check_is_known_by_its_name() -> None:
    rules = (
        Rule("same", "Never", lambda rows: rows["margin"] > 99),
        Rule("same", "Always", lambda rows: rows["margin"] < 99),
    )
    with pytest.raises(ValueError, match="two rules of one name"):
        replace(TABLE, rules=rules)


@pytest.mark.parametrize(
    "answer", [np.array([True]), np.array([0.0, 1.0]), np.array(True)], ids=["too few", "numbers", "one for all"]
)
def test_a_rule_that_does_not_answer_for_each_row_is_named(answer: Any) -> None:
    table = replace(TABLE, rules=(Rule("odd", "", lambda _: answer),))
    with pytest.raises(ValueError, match=r"rule odd of nba_analytics.small must answer 2 rows"):
        audit(table, pa.Table.from_pylist(game(), schema=arrow_schema(TABLE)))


def test_a_season_is_audited_at_once() -> None:
    size, names = 26_000, [f"measure_{place}" for place in range(55)]
    table = replace(TABLE, columns=(*TABLE.columns, *(number(name, "", scale=2, allowed=(0, 1)) for name in names)))
    rows = pa.table(
        {
            "game_date": pa.array(np.datetime64("2021-10-19") + np.arange(size) // 150),
            "game_id": [f"g{place // 2}" for place in range(size)],
            "team": [f"t{place}" for place in range(size)],
            **dict.fromkeys(("margin", "rebounds", "offensive", "defensive"), pa.array(np.zeros(size, dtype=np.int64))),
            **dict.fromkeys(("pct", *names), pa.array(np.linspace(0, 1, size))),
            "result": ["W", "L"] * (size // 2),
        }
    )
    began = time.perf_counter()
    found = audit(table, rows)
    assert time.perf_counter() - began < 1
    assert [finding.name for finding in found if not finding.passed and finding.blocking] == []


def test_an_audit_makes_no_columns_that_no_check_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of features, as Python objects, took 230 MB of the memory of three seasons."""
    looked_at: list[str] = []
    original = StoredColumns.__getitem__

    def noted(self: StoredColumns, name: str) -> Any:
        looked_at.append(name)
        return original(self, name)

    monkeypatch.setattr(StoredColumns, "__getitem__", noted)
    table = replace(TABLE, columns=(*TABLE.columns, texts("names", "Names", nullable=False)))
    rows = pa.Table.from_pylist(
        [{**each, "names": names} for each, names in zip(game(), (["a"], None), strict=True)],
        schema=arrow_schema(table),
    )
    found = {finding.name: finding.offending_count for finding in audit(table, rows)}
    assert found["not_null"] == 1
    assert "names" not in looked_at
