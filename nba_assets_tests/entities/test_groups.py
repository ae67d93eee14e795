"""Cutting a table into entities, against a loop over its rows."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.entities.groups import Grouped

FIRST = np.datetime64("2021-10-19", "D")
TEAMS = ("BOS", "DEN", "LAL", "Łódź", "lal")
rows = st.lists(
    st.tuples(
        st.sampled_from([*TEAMS, None]), st.integers(0, 5), st.one_of(st.none(), st.sampled_from(["g1", "g2", "g3"]))
    ),
    max_size=40,
)


def table(rows: Sequence[tuple[str | None, int, str | None]]) -> dict[str, Any]:
    return {
        "team": np.array([team for team, _, _ in rows], dtype=object),
        "day": FIRST + np.array([day for _, day, _ in rows], dtype="m8[D]"),
        "game": np.array([game for _, _, game in rows], dtype=object),
        "place": np.arange(len(rows), dtype=float),
    }


def places(rows: list[tuple[str | None, int, str | None]], chosen_team: str, *, by_game: bool) -> list[int]:
    """Positions of a team's rows, by day, then by game (nulls first) or as they came."""
    mine = [place for place, (team, _, _) in enumerate(rows) if team == chosen_team]
    return sorted(mine, key=lambda place: (rows[place][1], (rows[place][2] or "") if by_game else "", place))


@given(rows, st.booleans(), st.lists(st.sampled_from([*TEAMS, "MIA"]), unique=True))
def test_each_entity_has_its_rows_by_date_and_tie_break(
    rows: list[tuple[str | None, int, str | None]], by_game: bool, chosen: list[str]
) -> None:
    grouped = Grouped.by(table(rows), "team", "day", tie_break=("game",) if by_game else ())
    assert grouped.entities == tuple(sorted({team for team, _, _ in rows if team is not None}))
    chunk = pickle.loads(pickle.dumps(grouped.chunk(chosen)))
    assert chunk.entities == tuple(sorted(chosen))
    for team in [*TEAMS, "MIA"]:
        expected = places(rows, team, by_game=by_game)
        assert grouped.of(team)["place"].tolist() == expected
        assert chunk.of(team)["place"].tolist() == (expected if team in chosen else [])


def test_who_is_not_there_has_no_rows_of_the_same_types() -> None:
    grouped = Grouped.by(table([("BOS", 1, "g1")]), "team", "day")
    nobody = grouped.of("MIA")
    assert {name: (len(values), values.dtype) for name, values in nobody.items()} == {
        name: (0, values.dtype) for name, values in grouped.of("BOS").items()
    }


def test_a_table_without_rows_has_no_entities() -> None:
    grouped = Grouped.by(table([]), "team", "day")
    assert (grouped.entities, grouped.of("BOS")["place"].tolist()) == ((), [])
    assert (grouped.chunk(["BOS"]).entities, grouped.chunk(["BOS"]).sizes.tolist()) == (("BOS",), [0])


def test_an_entity_cannot_change_what_others_see() -> None:
    """In this process or in one that got a copy."""
    grouped = Grouped.by(table([("BOS", 1, "g1"), ("LAL", 1, "g1")]), "team", "day")
    for there in (grouped, pickle.loads(pickle.dumps(grouped.chunk(["BOS"])))):
        with pytest.raises(ValueError, match="read-only"):
            there.of("BOS")["place"][0] = 99.0


def test_a_chunk_is_a_copy_of_its_entities_alone() -> None:
    """A view would drag the whole table into another process."""
    grouped = Grouped.by(table([("BOS", day % 6, None) for day in range(1000)] + [("LAL", 1, None)]), "team", "day")
    chunk = grouped.chunk(["LAL"])
    assert not np.shares_memory(chunk.columns["place"], grouped.columns["place"])
    assert len(chunk.columns["place"]) == 1
