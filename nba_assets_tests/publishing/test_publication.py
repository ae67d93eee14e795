"""Write, audit, publish: a row that breaks a check costs its entity, game or date and nobody else; a refused date keeps
what it had.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures
from nba_assets.entities.parallel import ParallelEntities
from nba_assets.publishing.publication import PublicationRefusedError, prepare
from nba_assets.publishing.refusals import DATES_PUBLISHED, stored_refusals
from nba_assets.publishing.table_run import TableRun
from nba_assets.settings import Settings
from nba_assets.tables.blocks import STAMPS
from nba_assets.tables.bookkeeping import ENTITY_FAILURES, TABLE_PARTITIONS
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum
from nba_assets.tables.spec import Columns, Rule, Table, count, day, number, text
from nba_assets.warehouse.duckdb import DuckDBWarehouse


def _too_many_points(rows: Columns) -> NDArray[np.bool_]:
    days, place = np.unique(rows["game_date"], return_inverse=True)
    marked: NDArray[np.bool_] = (np.bincount(place, weights=rows["points"], minlength=len(days)) > 1000)[place]
    return marked


TABLE = Table(
    "nba_analytics",
    "tallies",
    "one player on one date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("player_lookup", "Player", nullable=False),
        count("points", "Points"),
        number("share", "Share", scale=1, allowed=(0, 100)),
        text("tier", "Tier", values=("gold", "silver")),
        *STAMPS,
    ),
    entity_column="player_lookup",
    rules=(
        Rule("share_within_points", "share is at most points", lambda rows: rows["share"] > rows["points"]),
        Rule("points_of_a_date", "A date has at most 1,000 points", _too_many_points, costs="date"),
    ),
)
GAMES = Table(
    "nba_analytics",
    "sides",
    "one team in one game",
    ("game_date", "team_abbr"),
    "game_date",
    (
        day("game_date", "Date", nullable=False),
        text("team_abbr", "Team", nullable=False),
        text("game_id", "Game", nullable=False),
        count("points", "Points"),
        number("margin", "Margin", scale=0),
        *STAMPS,
    ),
    entity_column="team_abbr",
    rules=(
        not_two_per_game("team_abbr"),
        rows_per_game_sum("margins_cancel", "The two margins of a game sum to 0", "margin", 0),
    ),
)
FIRST, SECOND, THIRD = date(2021, 11, 15), date(2021, 11, 16), date(2021, 11, 17)
NOW = datetime(2022, 1, 1, tzinfo=UTC)
Entry = tuple[date, str, float, float]


@pytest.fixture
def warehouse(tmp_path: Path) -> DuckDBWarehouse:
    return DuckDBWarehouse(tmp_path / "nba.duckdb", idle_seconds=0.2)


def run_of(
    warehouse: DuckDBWarehouse, *dates: date, now: datetime = NOW, table: Table = TABLE, **environment: str
) -> TableRun:
    return TableRun(
        table, dates, warehouse, ParallelEntities.serial(), Settings.from_environment(environment), "run", now
    )


def rows(*entries: Entry, tier: str | None = None) -> dict[str, Any]:
    dates, players, points, shares = zip(*entries, strict=True)
    return {
        "game_date": np.array(dates, dtype="M8[D]"),
        "player_lookup": np.array(players, dtype=object),
        "points": np.array(points, dtype=float),
        "share": np.array(shares, dtype=float),
        "tier": np.full(len(entries), tier, dtype=object),
    }


def squad(*days: date, size: int = 9) -> list[Entry]:
    """Unremarkable players."""
    return [(played, f"p{place}", 9.0, 1.0) for played in days for place in range(size)]


def sides(*entries: tuple[date, str, str, float]) -> dict[str, Any]:
    dates, teams, games, margins = zip(*entries, strict=True)
    return {
        "game_date": np.array(dates, dtype="M8[D]"),
        "team_abbr": np.array(teams, dtype=object),
        "game_id": np.array(games, dtype=object),
        "points": np.full(len(entries), 100.0),
        "margin": np.array(margins, dtype=float),
    }


def failed(
    entity: str, when: date = FIRST, category: str = "PROCESSING_ERROR", reason: str = "ValueError: no"
) -> dict[str, Any]:
    return failures(
        np.array([entity], dtype=object), np.array([when], dtype="M8[D]"), "PLAYER", category, reason, can_retry=True
    )


def stored(warehouse: DuckDBWarehouse, table: Table = TABLE) -> list[dict[str, Any]]:
    return warehouse.read(table, table.column_names, FIRST, THIRD).to_pylist()


def entities(warehouse: DuckDBWarehouse, when: date, table: Table = TABLE) -> list[str]:
    return [row[str(table.entity_column)] for row in stored(warehouse, table) if row["game_date"] == when]


def records(warehouse: DuckDBWarehouse) -> dict[tuple[date, str], str]:
    names = ("partition_date", "entity_id", "failure_category", "failure_reason")
    found = warehouse.read(ENTITY_FAILURES, names, FIRST, THIRD).to_pylist()
    assert len({(row["partition_date"], row["entity_id"]) for row in found}) == len(found)
    return {
        (row["partition_date"], row["entity_id"]): f"{row['failure_category']} {row['failure_reason']}" for row in found
    }


def entries(warehouse: DuckDBWarehouse) -> dict[date, dict[str, Any]]:
    return {
        row["partition_date"]: row
        for row in warehouse.read(TABLE_PARTITIONS, TABLE_PARTITIONS.column_names, FIRST, THIRD).to_pylist()
    }


def refused(warehouse: DuckDBWarehouse, table: Table = TABLE) -> Mapping[date, str]:
    return {refusal.day: refusal.reason for refusal in stored_refusals(warehouse, [table.name])}


def findings(publication: Any) -> dict[str, tuple[int, list[date]]]:
    return {
        finding.name: (finding.offending_count, list(finding.dates))
        for finding in publication.findings
        if not finding.passed
    }


def test_rows_failures_and_partition_state_are_written_together(warehouse: DuckDBWarehouse) -> None:
    lacking = failed("b", SECOND, "INSUFFICIENT_DATA", "two games")
    facts = prepare(
        run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "a", 13, 12.34), (SECOND, "a", 5, 5)), lacking)
    ).write()
    assert [(fact.row_count, fact.failures, fact.changed) for fact in facts] == [
        (1, {}, True),
        (1, {"INSUFFICIENT_DATA": 1}, True),
    ]
    assert [row["share"] for row in stored(warehouse)] == [12.3, 5.0]
    partition_state = [
        (entry["row_count"], entry["failure_count"], entry["digest"]) for entry in entries(warehouse).values()
    ]
    assert partition_state == [(1, 0, facts[0].digest), (1, 1, facts[1].digest)]
    assert records(warehouse) == {(SECOND, "b"): "INSUFFICIENT_DATA two games"}
    assert refused(warehouse) == {}


@pytest.mark.parametrize(
    ("bad", "check", "offending", "reason"),
    [
        (
            rows((FIRST, "odd", 1, 1), (FIRST, "odd", 2, 2)),
            "key_unique",
            2,
            "more than one row has game_date 2021-11-15, player_lookup odd",
        ),
        (rows((FIRST, "odd", 110, 101)), "values_in_range", 1, "share 101.0 (allowed 0 to 100)"),
        (
            rows((FIRST, "odd", -1, -3)),
            "values_in_range",
            1,
            "points -1 (allowed at least 0), share -3.0 (allowed 0 to 100)",
        ),
        (rows((FIRST, "odd", 12, 13)), "share_within_points", 1, "share 13.0, points 12"),
        (rows((FIRST, "odd", 2, 1), tier="tin"), "known_values", 1, "tier tin"),
        (rows((FIRST, "odd", 2.5, 1)), "storable_values", 0, "points 2.5"),
        (rows((FIRST, "odd", 2, np.inf)), "storable_values", 0, "share inf"),
        (rows((FIRST, "odd", 2, 1), tier=3), "storable_values", 0, "tier 3"),  # type: ignore[arg-type]
    ],
    ids=["key twice", "out of range", "two columns", "rule", "unlisted value", "fraction", "infinite", "another type"],
)
def test_a_row_that_breaks_a_check_becomes_a_failure_that_quotes_it_and_everybody_else_is_published(
    warehouse: DuckDBWarehouse, bad: dict[str, Any], check: str, offending: int, reason: str
) -> None:
    publication = prepare(run_of(warehouse, FIRST, SECOND), Outcome(concatenate([rows(*squad(FIRST, SECOND)), bad])))
    first, second = publication.write()
    assert (first.row_count, first.failures) == (9, {"PROCESSING_ERROR": 1})
    assert (second.row_count, second.failures) == (9, {})
    assert records(warehouse) == {(FIRST, "odd"): f"PROCESSING_ERROR {check}: {reason}"}
    (record,) = warehouse.read(ENTITY_FAILURES, ("can_retry", "entity_type", "failure_type"), FIRST, FIRST).to_pylist()
    assert record == {"can_retry": True, "entity_type": "PLAYER", "failure_type": "PROCESSING_ERROR"}
    assert findings(publication) == ({check: (offending, [FIRST])} if offending else {})


def test_a_null_where_none_may_be_is_attributed(warehouse: DuckDBWarehouse) -> None:
    table = Table(
        "nba_analytics",
        "tallies",
        "x",
        TABLE.key,
        "game_date",
        (*TABLE.columns[:2], count("points", "Points", nullable=False), *STAMPS),
    )
    given = {
        name: values
        for name, values in rows((FIRST, "odd", np.nan, 1), *squad(FIRST)).items()
        if name in table.column_names
    }
    prepare(run_of(warehouse, FIRST, table=table), Outcome(given)).write()
    assert records(warehouse) == {(FIRST, "odd"): "PROCESSING_ERROR not_null: points null"}


def test_all_that_a_row_breaks_is_in_its_reason(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "odd", 1, 101), *squad(FIRST)))).write()
    assert records(warehouse) == {
        (
            FIRST,
            "odd",
        ): (
            "PROCESSING_ERROR values_in_range: share 101.0 (allowed 0 to 100); share_within_points: share 101.0, "
            "points 1"
        )
    }


def test_a_value_that_cannot_be_stored_by_anybody_is_no_error_of_the_run_but_of_the_date(
    warehouse: DuckDBWarehouse,
) -> None:
    with pytest.raises(
        PublicationRefusedError, match=r"9 of 9 rows .* share of 20%. The first failure: storable_values: share inf"
    ):
        prepare(
            run_of(warehouse, FIRST), Outcome(rows(*((FIRST, f"p{place}", 1, np.inf) for place in range(9))))
        ).write()


def league(*margins: float) -> dict[str, Any]:
    """Games of a date, by the home team's margin; the other's is its opposite."""
    homes = [(FIRST, f"H{place}", f"g{place}", margin) for place, margin in enumerate(margins)]
    return sides(*(entry for home in homes for entry in (home, (FIRST, home[1].replace("H", "V"), home[2], -home[3]))))


def test_a_rule_across_the_rows_of_a_game_costs_that_game(warehouse: DuckDBWarehouse) -> None:
    given = league(3, 4, 5, 6, 7, 8)
    given["margin"][0] = 2
    (fact,) = prepare(run_of(warehouse, FIRST, table=GAMES), Outcome(given)).write()
    assert (fact.row_count, fact.failures) == (10, {"PROCESSING_ERROR": 2})
    said = (
        "PROCESSING_ERROR margins_cancel: The two margins of a game sum to 0, but g0 has H0 margin 2.0; V0 margin -3.0"
    )
    assert records(warehouse) == {(FIRST, "H0"): said, (FIRST, "V0"): said}
    assert "g0" not in {row["game_id"] for row in stored(warehouse, GAMES)}


def test_a_row_that_goes_takes_its_game_with_it(warehouse: DuckDBWarehouse) -> None:
    """First the row is lost to its own check, then the game of one row to the rule across rows."""
    given = league(3, 4, 5, 6, 7, 8)
    given["points"][0] = -1
    publication = prepare(run_of(warehouse, FIRST, table=GAMES), Outcome(given))
    (fact,) = publication.write()
    assert (fact.row_count, fact.failures) == (10, {"PROCESSING_ERROR": 2})
    assert records(warehouse) == {
        (FIRST, "H0"): "PROCESSING_ERROR values_in_range: points -1 (allowed at least 0)",
        (FIRST, "V0"): "PROCESSING_ERROR two_rows_per_game: A game has exactly two rows, one per team, but g0 has V0; "
        "margins_cancel: The two margins of a game sum to 0, but g0 has V0 margin -3.0",
    }
    assert findings(publication) == {
        "values_in_range": (1, [FIRST]),
        "two_rows_per_game": (1, [FIRST]),
        "margins_cancel": (1, [FIRST]),
    }


def test_a_team_whose_computation_failed_takes_its_game_with_it(warehouse: DuckDBWarehouse) -> None:
    given = {name: values[1:] for name, values in league(3, 4, 5, 6, 7, 8).items()}
    prepare(run_of(warehouse, FIRST, table=GAMES), Outcome(given, failed("H0"))).write()
    assert {entity for _, entity in records(warehouse)} == {"H0", "V0"}
    assert len(stored(warehouse, GAMES)) == 10


def test_the_only_game_of_a_date_costs_nobody_but_itself(warehouse: DuckDBWarehouse) -> None:
    given = league(3)
    given["margin"][0] = 2
    (fact,) = prepare(run_of(warehouse, FIRST, table=GAMES), Outcome(given)).write()
    assert (fact.row_count, fact.failures, refused(warehouse, GAMES)) == (0, {"PROCESSING_ERROR": 2}, {})


def test_a_rule_of_the_date_refuses_the_date_and_publishes_the_others(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows(*squad(FIRST, SECOND)))).write()
    before, partition_state = stored(warehouse), entries(warehouse)
    run = run_of(warehouse, FIRST, SECOND, now=NOW + timedelta(days=1))
    publication = prepare(run, Outcome(rows((FIRST, "a", 2000, 3), *squad(SECOND, size=3))))
    (fact,) = publication.write()
    assert (fact.day, fact.row_count) == (SECOND, 3)
    assert [row for row in stored(warehouse) if row["game_date"] == FIRST] == [
        row for row in before if row["game_date"] == FIRST
    ]
    assert entries(warehouse)[FIRST] == partition_state[FIRST]
    assert refused(warehouse) == {
        FIRST: "points_of_a_date: A date has at most 1,000 points, but a has game_date 2021-11-15, points 2000"
    }
    assert findings(publication) == {"points_of_a_date": (1, [FIRST]), DATES_PUBLISHED: (1, [FIRST])}
    assert list(run.dates) == [SECOND]


def test_too_many_hard_failures_on_a_date_refuse_that_date_alone(warehouse: DuckDBWarehouse) -> None:
    """Two of nine are more than a fifth, whatever the share over the whole run is."""
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "old", 3, 1)), failed("soft", FIRST, "STALE_DATA"))).write()
    before, told = stored(warehouse), records(warehouse)
    hard = concatenate([failed("x"), failed("y"), failed("x", SECOND)])
    outcome = Outcome(rows(*squad(FIRST, size=7), *squad(SECOND, size=4), *squad(THIRD, size=99)), hard)
    facts = prepare(run_of(warehouse, FIRST, SECOND, THIRD), outcome).write()
    assert [(fact.day, fact.row_count) for fact in facts] == [(SECOND, 4), (THIRD, 99)]
    assert [row for row in stored(warehouse) if row["game_date"] == FIRST] == before
    assert {key: said for key, said in records(warehouse).items() if key[0] == FIRST} == told
    assert refused(warehouse) == {
        FIRST: (
            "2 of 9 rows failed to compute or broke blocking checks, more than the tolerated share of 20%. The "
            "first failure: ValueError: no"
        )
    }


@pytest.mark.parametrize(
    ("share", "size", "passes"), [("0.2", 8, True), ("0.2", 7, False), ("0", 99, False), ("1", 0, True)]
)
def test_the_tolerated_share_is_a_setting(warehouse: DuckDBWarehouse, share: str, size: int, passes: bool) -> None:
    run = run_of(warehouse, FIRST, SECOND, NBA_ASSETS_HARD_FAILURE_SHARE=share)
    outcome = Outcome(rows(*squad(FIRST, size=size), *squad(SECOND)), concatenate([failed("x"), failed("y")]))
    assert [fact.day for fact in prepare(run, outcome).write()] == ([FIRST, SECOND] if passes else [SECOND])


def test_one_player_never_costs_a_date_however_few_there_are(warehouse: DuckDBWarehouse) -> None:
    outcome = Outcome(rows((FIRST, "a", 3, 1)), failed("x"))
    assert [(fact.day, fact.row_count) for fact in prepare(run_of(warehouse, FIRST), outcome).write()] == [(FIRST, 1)]


def test_where_every_date_is_refused_nothing_is_written_but_the_refusals(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 1)))).write()
    before, partition_state = stored(warehouse), entries(warehouse)
    hard = concatenate([failed("b"), failed("c"), failed("b", SECOND), failed("c", SECOND)])
    with pytest.raises(
        PublicationRefusedError, match=r"tallies was left as it was\. 2021-11-15: 2 of 3 rows.*2021-11-16: 2 of 2 rows"
    ):
        prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "d", 9, 9)), hard)).write()
    assert (stored(warehouse), entries(warehouse), records(warehouse)) == (before, partition_state, {})
    assert refused(warehouse).keys() == {FIRST, SECOND}


def test_a_later_build_clears_the_refusal_of_its_dates_alone(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(PublicationRefusedError):
        prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "a", 2000, 3), (SECOND, "a", 2000, 3)))).write()
    prepare(run_of(warehouse, SECOND), Outcome(rows((SECOND, "a", 20, 3)))).write()
    assert refused(warehouse).keys() == {FIRST}
    assert entries(warehouse).keys() == {SECOND}


def test_a_hard_failure_stands_above_a_row_of_the_same_entity_and_any_other_beside_it(
    warehouse: DuckDBWarehouse,
) -> None:
    told = concatenate(
        [failed("p0"), failed("p1", category="CIRCUIT_BREAKER_ACTIVE"), failed("p2", category="REGISTRY_LOOKUP_FAILED")]
    )
    prepare(run_of(warehouse, FIRST), Outcome(rows(*squad(FIRST)), told)).write()
    assert entities(warehouse, FIRST) == [f"p{place}" for place in range(2, 9)]
    assert {entity for _, entity in records(warehouse)} == {"p0", "p1", "p2"}


def test_an_entity_has_one_record_a_date_with_the_gravest_category_and_all_reasons(warehouse: DuckDBWarehouse) -> None:
    told = [
        failed("odd", category="MISSING_RAW_DATA", reason="no team"),
        failed("odd", category="REGISTRY_LOOKUP_FAILED", reason="unknown"),
    ]
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "odd", 1, 2), *squad(FIRST)), concatenate(told))).write()
    assert records(warehouse) == {
        (FIRST, "odd"): "PROCESSING_ERROR share_within_points: share 2.0, points 1; no team; unknown"
    }


def test_rows_of_other_dates_are_refused(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(PublicationRefusedError, match="not requested"):
        prepare(run_of(warehouse, FIRST), Outcome(rows((SECOND, "a", 3, 1))))


def test_run_without_rows_empties_its_dates_and_says_so(warehouse: DuckDBWarehouse) -> None:
    prepare(run_of(warehouse, FIRST, SECOND), Outcome(rows((FIRST, "a", 3, 1), (SECOND, "a", 3, 1)))).write()
    (fact,) = prepare(run_of(warehouse, FIRST), Outcome({})).write()
    assert (fact.row_count, fact.changed) == (0, True)
    assert [row["game_date"] for row in stored(warehouse)] == [SECOND]


def test_rewriting_the_same_rows_keeps_digest_and_first_time(warehouse: DuckDBWarehouse) -> None:
    (first,) = prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 1)))).write()
    later = NOW + timedelta(hours=1)
    (again,) = prepare(run_of(warehouse, FIRST, now=later), Outcome(rows((FIRST, "a", 3, 1)))).write()
    assert (again.digest, again.changed) == (first.digest, False)
    (row,) = stored(warehouse)
    assert (row["created_at"], row["processed_at"]) == (NOW, later)


def test_one_raising_player_costs_only_himself(warehouse: DuckDBWarehouse) -> None:
    requested = rows(*((FIRST, f"p{number}", number, 0) for number in range(10)))

    def compute(mine: Any, histories: Any, shared: Any) -> Outcome:
        if "p3" in mine["player_lookup"]:
            raise ValueError("no such shot")
        return Outcome(dict(mine))

    run = run_of(warehouse, FIRST)
    (fact,) = prepare(run, run.map("players", compute, Grouped.by(requested, "player_lookup", "game_date"))).write()
    assert (fact.row_count, fact.failures) == (9, {"PROCESSING_ERROR": 1})
    (failure,) = warehouse.read(ENTITY_FAILURES, ("entity_id", "failure_reason", "can_retry"), FIRST, FIRST).to_pylist()
    assert failure["entity_id"] == "p3"
    assert "no such shot" in failure["failure_reason"]


def test_a_broken_rule_is_an_attempt_of_the_circuit_breaker(warehouse: DuckDBWarehouse) -> None:
    requested = rows(*squad(FIRST), (FIRST, "odd", 1, 2))
    for attempt in range(4):
        run = run_of(warehouse, FIRST)
        outcome = run.map_rows(
            "players", lambda mine, *_: Outcome(dict(mine)), Grouped.by(requested, "player_lookup", "game_date")
        )
        (fact,) = prepare(run, outcome).write()
        assert fact.failures == {"PROCESSING_ERROR" if attempt < 3 else "CIRCUIT_BREAKER_ACTIVE": 1}
        assert fact.row_count == 9


def test_a_date_changed_when_its_new_content_was_written_and_not_when_the_same_was_written_again(
    warehouse: DuckDBWarehouse,
) -> None:
    """Told under the lock of the write: whoever read before it had begun earlier than that."""

    def changed_at() -> datetime:
        moment: datetime = entries(warehouse)[FIRST]["changed_at"]
        return moment

    before = datetime.now(UTC)
    publication = prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 3, 1))))
    prepared = datetime.now(UTC)
    publication.write()
    first = changed_at()
    assert before < prepared <= first <= datetime.now(UTC)
    prepare(run_of(warehouse, FIRST, now=NOW + timedelta(days=1)), Outcome(rows((FIRST, "a", 3, 1)))).write()
    assert changed_at() == first
    prepare(run_of(warehouse, FIRST), Outcome(rows((FIRST, "a", 4, 1)))).write()
    assert changed_at() > first
