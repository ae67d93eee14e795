"""One chunk: an answer that fits is computed once and put in order, one that does not is halved down to what is at
fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nba_assets.entities.chunks import OBJECTS, Task, compute_chunk, given_up, joined, unfinished
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, failures, take
from nba_assets.tables.spec import Columns

DAYS = np.arange("2024-10-22", "2024-10-26", dtype="M8[D]")
TEAMS = ("BOS", "DEN", "LAL")


def requested(*rows: tuple[str, int]) -> Grouped:
    """Teams on the days of those numbers, by default each team on each day."""
    chosen = rows or tuple((team, day) for team in TEAMS for day in range(len(DAYS)))
    names = np.array([team for team, _ in chosen], dtype=object)
    return Grouped.by({"team_abbr": names, "game_date": DAYS[[day for _, day in chosen]]}, "team_abbr", "game_date")


def lost(rows: Columns) -> Columns:
    return failures(rows["team_abbr"], rows["game_date"], "TEAM", "INSUFFICIENT_DATA", "few", can_retry=False)


@dataclass
class Computed:
    """What was given to a compute function, and what became of it."""

    answer: Callable[[Grouped], Outcome]
    columns: dict[str, str] | None = None
    calls: list[list[tuple[str, Any]]] = field(default_factory=list)

    def of(self, rows: Grouped) -> Outcome:
        task = Task(self._compute, "TEAM", "team_abbr", "game_date", None, self.columns)
        return compute_chunk(task, rows, {})

    def _compute(self, rows: Grouped, _histories: Any, _shared: Any) -> Outcome:
        self.calls.append(pairs(rows))
        return self.answer(rows)


def pairs(columns: Columns, entity: str = "team_abbr", day: str = "game_date") -> list[tuple[str, Any]]:
    return list(zip(columns[entity].tolist(), columns[day].tolist(), strict=True)) if columns else []


def failed_pairs(outcome: Outcome) -> list[tuple[str, Any]]:
    return pairs(outcome.failures, "entity_id", "partition_date")


@pytest.mark.parametrize(
    "is_lost",
    [
        lambda rows: np.zeros(len(rows.dates), dtype=bool),
        lambda rows: rows.dates == DAYS[1],
        lambda rows: rows.dates >= DAYS[2],
        lambda rows: np.ones(len(rows.dates), dtype=bool),
    ],
    ids=["rows alone", "one date lost", "two dates lost", "failures alone"],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_an_answer_that_fits_is_computed_once(is_lost: Callable[[Grouped], NDArray[np.bool_]], backwards: bool) -> None:
    def answer(rows: Grouped) -> Outcome:
        gone = is_lost(rows)
        kept, missing = take(rows, ~gone), take(rows, gone)
        if backwards:
            kept, missing = (take(part, np.arange(len(part["game_date"]))[::-1]) for part in (kept, missing))
        return Outcome(kept if (~gone).any() else {}, lost(missing) if gone.any() else {})

    computed, all_rows = Computed(answer), requested()
    outcome = computed.of(all_rows)
    assert computed.calls == [pairs(all_rows)]
    gone = is_lost(all_rows)
    assert pairs(outcome.rows) == pairs(take(all_rows, ~gone))
    assert failed_pairs(outcome) == pairs(take(all_rows, gone))
    assert set(outcome.failures.get("failure_category", ())) <= {"INSUFFICIENT_DATA"}


def test_a_date_with_several_rows_may_lose_some_beside_a_failure() -> None:
    doubled = requested(("BOS", 0), ("BOS", 0), ("BOS", 1), ("DEN", 0))
    computed = Computed(lambda rows: Outcome(take(rows, np.array([0, 2, 3])), lost(take(rows, np.array([0])))))
    outcome = computed.of(doubled)
    assert len(computed.calls) == 1
    assert pairs(outcome.rows) == [("BOS", DAYS[0].item()), ("BOS", DAYS[1].item()), ("DEN", DAYS[0].item())]
    assert failed_pairs(outcome) == [("BOS", DAYS[0].item())]


def test_rows_of_one_date_keep_the_order_in_which_they_are_given() -> None:
    doubled = requested(("BOS", 0), ("BOS", 0), ("BOS", 1))
    place = {"place": np.array([1.0, 3.0, 2.0])}
    outcome = Computed(lambda rows: Outcome({**take(rows, np.array([2, 0, 1])), **place})).of(doubled)
    assert outcome.rows["place"].tolist() == [3, 2, 1]


def with_columns(columns: dict[str, Any], rows: Grouped) -> Outcome:
    return Outcome({**rows, **columns})


def said(
    answer: Callable[[Grouped], Outcome], rows: Grouped | None = None, columns: dict[str, str] | None = None
) -> str:
    """Why the only requested row is a failure."""
    outcome = Computed(answer, columns).of(rows or requested(("BOS", 1)))
    assert not outcome.rows
    assert failed_pairs(outcome) == [("BOS", DAYS[1].item())]
    return str(outcome.failures["failure_reason"][0])


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ([], "no row and no failure for a date that was requested: 2024-10-23"),
        ([0, 0], "more than was requested: 2024-10-23"),
    ],
)
def test_rows_too_few_or_too_many_of_a_date_are_named_by_it(places: Sequence[int], complaint: str) -> None:
    chosen = np.array(places, dtype=np.intp)
    assert complaint in said(lambda rows: Outcome(take(rows, chosen)))


def test_rows_and_failures_of_dates_that_were_not_requested_are_more_than_was_requested() -> None:
    other = {"game_date": DAYS[2:3]}
    assert "more than was requested: 2024-10-24" in said(
        lambda rows: Outcome({name: np.append(rows[name], {**rows, **other}[name]) for name in rows})
    )
    assert "more than was requested: 2024-10-24" in said(lambda rows: Outcome(dict(rows), lost({**rows, **other})))


def test_columns_must_be_those_declared_of_one_length_and_kind() -> None:
    declared = {"team_abbr": OBJECTS, "game_date": "M", "points": "fiub"}
    points = {"points": np.array([1.0])}
    assert "without the columns points" in said(lambda rows: Outcome(dict(rows)), columns=declared)
    assert "undeclared columns extra" in said(
        lambda rows: Outcome({**rows, **points, "extra": np.array([1.0])}), columns=declared
    )
    for wrong in (np.array(["1"], dtype=object), np.array([1.0, 2.0]), [1.0], np.array([[1.0]])):
        answer = {"points": wrong}
        assert "of another length or type than declared: points" in said(
            partial(with_columns, answer), columns=declared
        )
    whole = Computed(lambda rows: Outcome({**rows, "points": np.zeros(len(rows.dates))}), declared)
    assert whole.of(requested()).row_count == len(TEAMS) * len(DAYS)
    assert len(whole.calls) == 1


def test_without_declared_columns_a_row_needs_its_entity_and_its_date() -> None:
    assert "without the columns game_date" in said(lambda rows: Outcome({"team_abbr": rows["team_abbr"]}))
    assert "of another length or type than declared: game_date" in said(
        lambda rows: Outcome({**rows, "game_date": np.array(["2024-10-23"], dtype=object)})
    )


def test_more_than_five_things_are_not_all_named() -> None:
    many = {f"extra_{number}": np.array([1.0]) for number in range(7)}
    reason = said(lambda rows: Outcome({**rows, **many}), columns={"team_abbr": OBJECTS, "game_date": "M"})
    assert "extra_4" in reason
    assert "extra_5" not in reason


@pytest.mark.parametrize("place", range(len(TEAMS) * len(DAYS)))
def test_a_date_that_raises_is_found_by_halves_and_the_others_are_computed(place: int) -> None:
    all_rows = requested()
    poison = pairs(all_rows)[place]

    def answer(rows: Grouped) -> Outcome:
        if poison in pairs(rows):
            raise ZeroDivisionError("no way")
        return Outcome(dict(rows))

    computed = Computed(answer)
    outcome = computed.of(all_rows)
    assert failed_pairs(outcome) == [poison]
    assert pairs(outcome.rows) == [pair for pair in pairs(all_rows) if pair != poison]
    reason = outcome.failures["failure_reason"][0]
    assert reason.startswith("ZeroDivisionError: no way (answer test_chunks.py:")
    assert (outcome.failures["can_retry"].tolist(), outcome.failures["failure_category"].tolist()) == (
        [1],
        ["PROCESSING_ERROR"],
    )
    sizes = [len(call) for call in computed.calls]
    assert sizes[0] == len(all_rows.dates)
    assert sizes.count(len(all_rows.dates)) == 1
    assert len(sizes) <= 1 + 2 * 4


def test_halves_are_of_entities_first_and_then_of_dates() -> None:
    def answer(rows: Grouped) -> Outcome:
        raise ValueError("always")

    computed = Computed(answer)
    outcome = computed.of(requested(*[("BOS", day) for day in range(4)], ("DEN", 0), ("LAL", 0)))
    assert [(len({team for team, _ in call}), len(call)) for call in computed.calls] == [
        *[(3, 6), (1, 4), (1, 2), (1, 1), (1, 1), (1, 2), (1, 1), (1, 1)],
        *[(2, 2), (1, 1), (1, 1)],
    ]
    assert outcome.failure_count == 6


def test_a_date_with_several_rows_fails_once() -> None:
    def answer(rows: Grouped) -> Outcome:
        raise ValueError("always")

    assert failed_pairs(Computed(answer).of(requested(("BOS", 1), ("BOS", 1)))) == [("BOS", DAYS[1].item())]


def test_an_entity_that_is_given_up_fails_once_on_each_of_its_dates() -> None:
    task = Task(lambda *_: Outcome({}), "TEAM", "team_abbr", "game_date", None)
    outcome = given_up(task, requested(("BOS", 0), ("BOS", 0), ("BOS", 2)), "hangs")
    assert failed_pairs(outcome) == [("BOS", DAYS[0].item()), ("BOS", DAYS[2].item())]
    assert set(outcome.failures["failure_reason"]) == {"hangs"}
    assert not outcome.rows


def test_what_did_not_finish_is_told_with_its_place_where_that_is_known() -> None:
    assert unfinished(1.5, "") == "the computation of this entity did not finish within 1.5 s"
    assert unfinished(60.0, "work x.py:3") == "the computation of this entity did not finish within 60 s (work x.py:3)"


def test_chunks_are_joined_only_where_they_have_the_same_columns() -> None:
    one, two = {"a": np.array([1.0])}, {"a": np.array([2.0])}
    assert joined([Outcome(one), Outcome({}), Outcome(two)]).rows["a"].tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"other columns than others: b$"):
        joined([Outcome(one), Outcome({**two, "b": np.array([1.0])})])
    with pytest.raises(ValueError, match=r"other columns than others: b$"):
        joined([Outcome({**two, "b": np.array([1.0])}), Outcome(one)])
