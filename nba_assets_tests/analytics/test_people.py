"""Who a player is: one key for one person, whatever feeds call him; several persons with one name; names that nobody
bears.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nba_assets.analytics.people import People, shared_key_failures

YEAR = 2024


def entry(
    lookup: str,
    universal_id: str,
    *,
    team: str = "",
    name: str | None = None,
    player_id: str | None = None,
    season: str = "2024-25",
) -> dict[str, Any]:
    """A row of the registry."""
    named = {"player_lookup": lookup, "universal_player_id": universal_id, "player_name": name}
    return {"season": season, "team_abbr": team, "player_id": player_id, **named}


def table(rows: Sequence[dict[str, Any]]) -> dict[str, NDArray[np.object_]]:
    """Rows of texts as columns."""
    return {name: np.array([row[name] for row in rows] + [None], dtype=object)[:-1] for name in rows[0]}


def key_of(registry: Sequence[dict[str, Any]], lookup: str, *, year: float = YEAR, **told: Any) -> str:
    """The key of one row of a feed."""
    row = table([{"player_lookup": lookup, "team_abbr": None, **told}])
    key: str = People.from_registry(table(registry)).keys(row, np.array([year]))[0]
    return key


HERBERT_JONES = [
    entry("herbertjones", "herbertjones_001", name="Herbert Jones"),
    entry("herbjones", "herbertjones_001", name="Herbert Jones"),
]
ROBERT_WILLIAMS = [
    entry("robertwilliams", "rw_1", name="Robert Williams"),
    entry("robertwilliamsiii", "rw_1", name="Robert Williams"),
]
JALEN_WILLIAMS = [
    entry("jalenwilliams", "nba_1631114", team="OKC", player_id="1631114"),
    entry("jalenwilliams", "nba_1631119", team="POR", player_id="1631119"),
]


@pytest.mark.parametrize(
    ("registry", "key"),
    [
        (HERBERT_JONES, "herbertjones"),
        (ROBERT_WILLIAMS, "robertwilliamsiii"),
        (
            [entry("nicclaxton", "a", name="Nic Claxton"), entry("nicolasclaxton", "a", name="Nic Claxton")],
            "nicclaxton",
        ),
        ([entry("nicclaxton", "a"), entry("nicolasclaxton", "a")], "nicolasclaxton"),
        ([entry("abe", "a"), entry("aba", "a")], "aba"),
    ],
    ids=["nickname", "suffix left out", "name as registered", "fullest", "alphabet"],
)
def test_one_person_has_one_key_whichever_of_his_names_a_feed_gives(registry: list[dict[str, Any]], key: str) -> None:
    for rows in (registry, registry[::-1]):
        assert {key_of(rows, row["player_lookup"]) for row in rows} == {key}


def test_a_key_that_the_registry_lacks_stands() -> None:
    assert key_of(HERBERT_JONES, "herbjonesjr") == "herbjonesjr"


def test_a_key_stands_in_a_season_without_registry() -> None:
    assert key_of(HERBERT_JONES, "herbjones", year=2023) == "herbjones"
    assert key_of(HERBERT_JONES, "herbjones", year=float("nan")) == "herbjones"


def test_registries_of_other_seasons_change_nothing() -> None:
    """In another season the nickname may be another person's."""
    others = [
        entry("herbjones", "herbertjones_002", season="2023-24"),
        entry("herbertjones", "herbertjones_001", season="2023-24"),
    ]
    assert key_of([*others, *HERBERT_JONES], "herbjones") == "herbertjones"
    assert key_of([*others, *HERBERT_JONES], "herbjones", year=2023) == "herbjones"


def test_a_key_that_the_registry_lacks_is_known_by_the_players_id() -> None:
    registry = [entry("herbertjones", "a", player_id="1630529"), entry("zionwilliamson", "b", player_id="1629627")]
    assert key_of(registry, "herbjones", player_id="1630529") == "herbertjones"
    assert key_of(registry, "herbjones", player_id="7") == "herbjones"


def test_a_key_that_the_registry_lists_stands_above_an_id_that_may_be_another_providers() -> None:
    registry = [entry("herbertjones", "a", player_id="1630529"), entry("zionwilliamson", "b", player_id="1629627")]
    assert key_of(registry, "zionwilliamson", player_id="1630529") == "zionwilliamson"


def test_an_id_of_two_persons_tells_nothing() -> None:
    registry = [entry("herbertjones", "a", player_id="1"), entry("zionwilliamson", "b", player_id="1")]
    assert key_of(registry, "herbjones", player_id="1") == "herbjones"


@pytest.mark.parametrize("lookup", ["nikoladurisic", "nikoladjurisic", "nikolaurisic"])
@pytest.mark.parametrize("listed", ["nikoladurisic", "nikolaurisic"])
def test_spellings_with_and_without_transliterated_letters_are_one_player(listed: str, lookup: str) -> None:
    """Whichever the registry lists is the key, and who gives a name with its letters need not give a key that is
    listed.
    """
    assert key_of([entry(listed, "a", name="Nikola Đurišić")], lookup) == listed
    assert key_of([entry(listed, "a")], lookup, player_name="Nikola Đurišić") == listed


def test_a_spelling_of_two_persons_tells_nothing() -> None:
    registry = [entry("nikolaurisic", "a", name="Nikola Đurišić"), entry("nurisic", "b", name="Nikola Đurišić")]
    assert key_of(registry, "nikoladurisic") == "nikoladurisic"


def test_a_key_that_is_no_spelling_of_the_name_was_given_for_a_reason() -> None:
    assert (
        key_of([entry("uriquennell", "a", name="Uri Quennell")], "uriquennell2", player_name="Uri Quennell")
        == "uriquennell2"
    )


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({"team_abbr": "OKC"}, "jalenwilliams1631114"),
        ({"team_abbr": "POR"}, "jalenwilliams1631119"),
        ({"player_id": "1631119"}, "jalenwilliams1631119"),
        ({"player_id": "1631119", "team_abbr": "OKC"}, "jalenwilliams1631119"),
        ({"player_id": "5", "team_abbr": "OKC"}, "jalenwilliams1631114"),
    ],
)
def test_namesakes_are_told_apart_by_id_else_by_team(told: dict[str, Any], key: str) -> None:
    for rows in (JALEN_WILLIAMS, JALEN_WILLIAMS[::-1]):
        assert key_of(rows, "jalenwilliams", **told) == key


def test_a_namesake_has_his_own_key_on_every_day_and_it_stands() -> None:
    assert key_of(JALEN_WILLIAMS, "jalenwilliams1631114") == "jalenwilliams1631114"


@pytest.mark.parametrize("told", [{}, {"team_abbr": "LAL"}, {"player_id": "5"}])
def test_namesakes_whom_nothing_tells_apart_share_their_key_and_it_is_known(told: dict[str, str]) -> None:
    people, seasons = People.from_registry(table(JALEN_WILLIAMS)), np.array([YEAR])
    key = people.keys(
        table([{"player_lookup": "jalenwilliams", "team_abbr": None, "player_id": None, **told}]), seasons
    )
    assert key.tolist() == ["jalenwilliams"]
    assert people.is_shared(key, seasons).tolist() == [True]
    assert people.is_shared(key, np.array([2023])).tolist() == [False]
    assert people.knows(key, seasons).tolist() == [True]


def test_namesakes_who_both_played_for_a_team_are_not_told_apart_by_it() -> None:
    both = [*JALEN_WILLIAMS, entry("jalenwilliams", "nba_1631119", team="OKC")]
    assert key_of(both, "jalenwilliams", team_abbr="OKC") == "jalenwilliams"
    assert key_of(both, "jalenwilliams", team_abbr="POR") == "jalenwilliams1631119"


def test_namesakes_in_a_feed_that_names_two_teams_are_told_apart_where_only_one_of_them_plays() -> None:
    people = People.from_registry(table(JALEN_WILLIAMS))
    rows = table(
        [
            {"player_lookup": "jalenwilliams", "home": home, "away": away}
            for home, away in (("LAL", "POR"), ("OKC", "POR"))
        ]
    )
    assert people.keys(rows, np.full(2, YEAR), teams=("home", "away")).tolist() == [
        "jalenwilliams1631119",
        "jalenwilliams",
    ]


@pytest.mark.parametrize(
    ("universal_ids", "player_ids", "keys"),
    [
        (("nba_1", "nba_2"), (None, None), {"lee1", "lee2"}),
        (("one", "two"), (None, None), {"leeone", "leetwo"}),
        (("x_1", "y_1"), (None, None), {"leex1", "leey1"}),
        (("nba_1", "nba_2"), ("7", None), {"lee1", "lee2"}),
        (("nba_1", "nba_2"), ("A-7", "B-7"), {"leea7", "leeb7"}),
        (("a_", "a-"), (None, None), {"lee1", "lee2"}),
    ],
)
def test_what_makes_a_shared_key_unique(
    universal_ids: tuple[str, str], player_ids: tuple[str | None, str | None], keys: set[str]
) -> None:
    rows = [
        entry("lee", universal_id, team=team, player_id=player_id)
        for universal_id, team, player_id in zip(universal_ids, ("BOS", "LAL"), player_ids, strict=True)
    ]
    assert {key_of(rows, "lee", team_abbr=team) for team in ("BOS", "LAL")} == keys


def test_a_namesake_does_not_get_the_key_of_a_third_person() -> None:
    rows = [entry("lee", "nba_1", team="BOS"), entry("lee", "nba_2", team="LAL"), entry("lee1", "c")]
    assert {key_of(rows, "lee", team_abbr=team) for team in ("BOS", "LAL")} == {"leenba1", "leenba2"}
    assert key_of(rows, "lee1") == "lee1"


def test_a_namesake_with_another_name_of_his_own_goes_by_it() -> None:
    rows = [
        entry("lee", "nba_1", team="BOS"),
        entry("davidlee", "nba_1", team="BOS"),
        entry("lee", "nba_2", team="LAL"),
    ]
    assert [key_of(rows, "lee", team_abbr=team) for team in ("BOS", "LAL")] == ["davidlee", "lee2"]


class Noting:
    """What `identities` needs of a run."""

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}


def test_identities_by_key_and_season() -> None:
    registry = [*HERBERT_JONES, *JALEN_WILLIAMS, entry("herbjones", "other_1", season="2023-24")]
    run: Any = Noting()
    keys = np.array(
        ["herbertjones", "herbjones", "nobody", "jalenwilliams1631114", "herbertjones", "herbertjones"], dtype=object
    )
    years = np.array([2024, 2023, 2024, 2024, 2023, 2022])
    ids, unknown, seasons = People.from_registry(table(registry)).identities(run, keys, years)
    assert ids.tolist() == ["herbertjones_001", "other_1", None, "nba_1631114", None, None]
    assert unknown.tolist() == [False, False, True, False, True, False]
    assert seasons.tolist() == ["2024-25", "2023-24", "2024-25", "2024-25", "2023-24", "2022-23"]
    assert run.notes == {"seasons_without_registry": ["2022-23"]}


def test_a_shared_key_fails_once_per_date_and_names_everybody() -> None:
    days = np.array(["2025-01-16", "2025-01-15", "2025-01-15", "2025-01-15"], dtype="M8[D]")
    rows = {
        "game_date": days,
        "player_lookup": np.array(["lee", "lee", "lee", "wu"], dtype=object),
        "team_abbr": np.array(["LAL", "LAL", "BOS", "MIA"], dtype=object),
    }
    failed = shared_key_failures(rows, ("team_abbr",))
    assert failed["entity_id"].tolist() == ["lee", "wu", "lee"]
    assert failed["partition_date"].astype(str).tolist() == ["2025-01-15", "2025-01-15", "2025-01-16"]
    assert "(BOS, LAL)" in failed["failure_reason"][0]
    assert set(failed["failure_category"]) == {"REGISTRY_LOOKUP_FAILED"}
    assert failed["can_retry"].tolist() == [1, 1, 1]


LETTERS = st.text("ab", min_size=1, max_size=3)
ENTRIES = st.lists(
    st.builds(
        entry,
        LETTERS,
        st.sampled_from(["u1", "u2", "u3"]),
        team=st.sampled_from(["", "BOS", "LAL"]),
        name=st.none() | LETTERS,
        player_id=st.none() | st.sampled_from("123"),
    ),
    min_size=1,
    max_size=8,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "player_lookup": st.none() | LETTERS,
            "team_abbr": st.sampled_from([None, "BOS", "LAL"]),
            "player_id": st.none() | st.sampled_from("1234"),
        }
    ),
    min_size=1,
    max_size=8,
)


def keys_of(registry: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> list[str | None]:
    keys: list[str | None] = People.from_registry(table(registry)).keys(table(rows), np.full(len(rows), YEAR)).tolist()
    return keys


@given(ENTRIES, ROWS, st.randoms())
def test_the_order_of_registry_and_rows_changes_no_key(
    registry: list[dict[str, Any]], rows: list[dict[str, Any]], random: Any
) -> None:
    expected = keys_of(registry, rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = random.sample(registry, len(registry))
    assert keys_of(shuffled, [rows[place] for place in order]) == [expected[place] for place in order]


@given(ENTRIES, ROWS)
def test_a_key_that_was_decided_is_decided_the_same_way_again(
    registry: list[dict[str, Any]], rows: list[dict[str, Any]]
) -> None:
    once = keys_of(registry, rows)
    people, seasons = People.from_registry(table(registry)), np.full(len(rows), YEAR)
    shared = people.is_shared(np.array(once, dtype=object), seasons)
    again = keys_of(registry, [row | {"player_lookup": key} for row, key in zip(rows, once, strict=True)])
    assert [key for key, is_shared in zip(again, shared, strict=True) if not is_shared] == [
        key for key, is_shared in zip(once, shared, strict=True) if not is_shared
    ]


@given(ENTRIES)
def test_two_persons_never_have_one_key(registry: list[dict[str, Any]]) -> None:
    players = People.from_registry(table(registry)).seasons[YEAR]
    assert len(players.universal_ids) == len({row["universal_player_id"] for row in registry})
    assert set(players.universal_ids).isdisjoint(players.namesakes)
