"""Whom a feed means, within the players of a game or date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.analytics.name_matching import Listed, match

TONIGHT = np.datetime64("2025-01-15")
NOBODY, SEVERAL, NO_GAME = "unknown_name", "several_candidates", "no_game"


def listed(*players: tuple[str | None, str | None], scope: Any = TONIGHT, **more: Sequence[Any]) -> Listed:
    """Players of one scope, by key and team."""
    keys, teams = (np.array([*values, None], dtype=object)[:-1] for values in zip(*players, strict=True))
    others = {
        name: np.array([*values, None], dtype=object)[:-1] for name, values in more.items() if name != "registered"
    }
    others |= {name: np.array(values, dtype=bool) for name, values in more.items() if name == "registered"}
    return Listed(np.full(len(keys), scope), keys, [teams], **others)


def meant(row: tuple[str | None, str | None], *players: tuple[str, str], **more: Any) -> tuple[str | None, str | None]:
    """The key of the player whom a row means, and why it is nobody."""
    found = match(listed(row, **more), listed(*players))
    return found.keys[0], found.reasons[0]


PORTLAND = (("robertwilliamsiii", "POR"), ("anferneesimons", "POR"), ("jeramigrant", "POR"))
ORLEANS = (("herbertjones", "NOP"), ("treymurphyiii", "NOP"), ("larrynancejr", "NOP"))


@pytest.mark.parametrize(
    ("row", "key"),
    [
        (("robertwilliamsiii", "POR"), "robertwilliamsiii"),
        (("robertwilliams", "POR"), "robertwilliamsiii"),
        (("larrynance", "NOP"), "larrynancejr"),
        (("anferneesimonsjr", "POR"), "anferneesimons"),
        (("robertwilliams", None), "robertwilliamsiii"),
    ],
    ids=["exact", "bare", "another suffix", "suffix too many", "team unknown"],
)
def test_a_name_without_or_with_a_suffix_is_the_one_player_whom_it_fits(row: tuple[str, str | None], key: str) -> None:
    assert meant(row, *PORTLAND, *ORLEANS) == (key, None)


@pytest.mark.parametrize("lookup", ["herbjones", "robertwilliamsjr", "robert", "treymurphyii"])
def test_a_nickname_or_another_suffix_fits_nobody(lookup: str) -> None:
    assert meant((lookup, None), *PORTLAND, *ORLEANS) == (lookup, NOBODY)


def test_a_name_that_fits_several_players_is_nobodys() -> None:
    found = match(
        listed(("garypayton", "POR")), listed(("garypaytonii", "POR"), ("garypaytonjr", "POR"), ("garypaytonii", "POR"))
    )
    assert (found.keys[0], found.reasons[0], found.candidates[0]) == (
        "garypayton",
        SEVERAL,
        ("garypaytonii", "garypaytonjr"),
    )


def test_a_suffix_is_looked_for_in_the_rows_own_teams_alone() -> None:
    assert meant(("robertwilliams", "NOP"), *PORTLAND, *ORLEANS) == ("robertwilliams", NOBODY)
    assert meant(("garypayton", "NOP"), ("garypaytonii", "POR"), ("garypaytonjr", "NOP")) == ("garypaytonjr", None)


def test_an_exact_key_is_its_player_whatever_the_team() -> None:
    """A feed may lag behind a trade."""
    assert meant(("robertwilliamsiii", "BOS"), *PORTLAND) == ("robertwilliamsiii", None)


def test_a_name_given_for_a_team_that_does_not_play_is_told_from_one_that_is_nobodys() -> None:
    assert meant(("jaysontatum", "BOS"), *PORTLAND) == ("jaysontatum", NO_GAME)


def test_players_of_another_date_are_not_meant() -> None:
    found = match(listed(("robertwilliams", "POR")), listed(*PORTLAND, scope=np.datetime64("2025-01-16")))
    assert found.reasons.tolist() == [NO_GAME]


def test_a_row_without_a_key_is_nobody_and_nothing_is_said_of_it() -> None:
    assert meant((None, "POR"), *PORTLAND) == (None, None)


def test_two_teams_of_a_game_are_both_looked_into() -> None:
    rows = Listed(
        np.array([TONIGHT]),
        np.array(["robertwilliams"], dtype=object),
        [np.array([team], dtype=object) for team in ("NOP", "POR")],
    )
    assert match(rows, listed(*PORTLAND, *ORLEANS)).keys.tolist() == ["robertwilliamsiii"]


def test_the_providers_id_is_believed_before_the_spelling() -> None:
    players = listed(("herbertjones", "NOP"), ("herbjonesjr", "NOP"), player_ids=["1630529", "7"])
    found = match(listed(("herbjones", "NOP"), player_ids=["1630529"]), players)
    assert found.keys.tolist() == ["herbertjones"]
    assert match(listed(("herbjones", "NOP"), player_ids=[None]), players).keys.tolist() == ["herbjonesjr"]


@pytest.mark.parametrize("known", ["nikoladurisic", "nikolaurisic", "nikoladjurisic"])
@pytest.mark.parametrize("other", ["nikoladurisic", "nikolaurisic", "nikoladjurisic"])
def test_spellings_with_and_without_transliterated_letters_are_one_player(known: str, other: str) -> None:
    by_row = match(listed((other, "ATL"), names=["Nikola Đurišić"]), listed((known, "ATL")))
    by_player = match(listed((other, "ATL")), listed((known, "ATL"), names=["Nikola Đurišić"]))
    assert (by_row.keys.tolist(), by_player.keys.tolist()) == ([known], [known])


def test_two_keys_that_the_registry_lists_are_two_persons() -> None:
    """The father is not meant by the son's name; whom the registry does not list may well be."""
    players = listed(("garytrentjr", "MIL"), ("larrynance", "MIL"), registered=[True, False])
    assert match(listed(("garytrent", "MIL"), registered=[True]), players).reasons.tolist() == [NOBODY]
    assert match(listed(("garytrent", "MIL"), registered=[False]), players).keys.tolist() == ["garytrentjr"]
    assert match(listed(("larrynancejr", "MIL"), registered=[True]), players).keys.tolist() == ["larrynance"]


@pytest.mark.parametrize(("team", "reason"), [("MIL", NOBODY), ("BOS", NO_GAME), (None, NOBODY)])
@pytest.mark.parametrize("registered", [True, False])
def test_why_nobody_is_meant_does_not_depend_on_the_registry(team: str | None, reason: str, registered: bool) -> None:
    players = listed(("garytrentjr", "MIL"), registered=[True])
    rows = listed(("larrynance", team), registered=[registered])
    assert match(rows, players).reasons.tolist() == [reason]
    assert match(
        listed(("larrynance", team), registered=[registered], scope=np.datetime64("2025-01-16")), players
    ).reasons.tolist() == [NO_GAME]


def test_whom_a_complete_feed_names_exactly_is_not_meant_by_another_key_as_well() -> None:
    rows, players = listed(("garytrent", "MIL"), ("garytrentjr", "MIL")), listed(("garytrentjr", "MIL"))
    assert match(rows, players, complete=True).keys.tolist() == ["garytrent", "garytrentjr"]
    assert match(rows, players).keys.tolist() == ["garytrentjr", "garytrentjr"]


LETTERS = st.text("ab", min_size=4, max_size=5)
SIDES = st.sampled_from(["BOS", "LAL"])
KEYS = st.builds(str.__add__, LETTERS, st.sampled_from(["", "jr", "ii", "iii"]))


@given(
    st.lists(st.tuples(KEYS, SIDES), min_size=1, max_size=6),
    st.lists(st.tuples(KEYS, SIDES | st.none()), min_size=1, max_size=6),
    st.randoms(),
)
def test_the_order_of_rows_and_players_changes_no_match(players: list[Any], rows: list[Any], random: Any) -> None:
    expected = match(listed(*rows), listed(*players))
    order = list(range(len(rows)))
    random.shuffle(order)
    found = match(listed(*(rows[place] for place in order)), listed(*random.sample(players, len(players))))
    for name in ("keys", "reasons", "candidates"):
        assert getattr(found, name).tolist() == getattr(expected, name)[order].tolist()


@given(
    st.lists(st.tuples(KEYS, SIDES), min_size=1, max_size=6), st.lists(st.tuples(KEYS, SIDES), min_size=1, max_size=6)
)
def test_renaming_everybody_changes_nothing_else(players: list[Any], rows: list[Any]) -> None:
    def renamed(pairs: list[Any]) -> list[Any]:
        return [("zed" + key.replace("a", "x").replace("b", "y"), team) for key, team in pairs]

    expected = match(listed(*rows), listed(*players))
    found = match(listed(*renamed(rows)), listed(*renamed(players)))
    assert found.reasons.tolist() == expected.reasons.tolist()
    assert found.keys.tolist() == [key for key, _ in renamed([(key, None) for key in expected.keys])]
