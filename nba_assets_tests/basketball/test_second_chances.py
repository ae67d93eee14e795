"""Second-chance points: stories told event by event, and any order of events against a slow reading."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nba_assets.basketball.second_chances import EventKind, event_kinds, second_chance_points
from nba_assets_tests.oracles.play_by_play import second_chance_points as slow_second_chance_points

TEAMS = ["AAA", "BBB"]
Row = dict[str, Any]

MISS, TWO, THREE = (("shot", "Jump Shot", points) for points in (0, 2, 3))
REBOUND, TURNOVER = ("rebound", None, 0), ("turnover", None, 0)
FOUL, TIMEOUT = ("foul", None, 0), ("timeout", None, 0)


def free_throw(which: str, points: int) -> tuple[str, str, int]:
    return "free throw", f"free throw {which}", points


def rows(*events: tuple[str | None, tuple[str, str | None, int]], game: str = "20211019_AAA_BBB") -> list[Row]:
    """Events of one game in one period, one per second."""
    return [
        {
            "game_id": game,
            "period": 1,
            "game_clock_seconds": 720 - number,
            "event_sequence": number,
            "event_type": kind,
            "event_subtype": subtype,
            "player_1_team_abbr": team,
            "points_scored": points,
        }
        for number, (team, (kind, subtype, points)) in enumerate(events)
    ]


def column(events: list[Row], name: str, dtype: Any = np.float64) -> np.ndarray:
    return np.array([event[name] for event in events], dtype=dtype)


def second_chances(events: list[Row], games: list[str]) -> np.ndarray:
    kinds = event_kinds(column(events, "event_type", object), column(events, "event_subtype", object))
    points = column(events, "points_scored")
    return second_chance_points(
        np.array([games.index(event["game_id"]) for event in events], dtype=np.int64),
        column(events, "period"),
        column(events, "game_clock_seconds"),
        column(events, "event_sequence"),
        kinds,
        np.array(
            [TEAMS.index(team) if (team := event["player_1_team_abbr"]) else -1 for event in events], dtype=np.int64
        ),
        np.where(kinds == EventKind.SHOT, points > 0, np.nan),
        points,
        games=len(games),
        teams=len(TEAMS),
    )


def of_a(*events: tuple[str | None, tuple[str, str | None, int]]) -> float:
    """Team A's second-chance points in a game that also has a free throw and a rebound before anything else happens."""
    covered = [("B", free_throw("1/2", 1)), ("B", REBOUND), ("B", TURNOVER)]
    full = {"A": "AAA", "B": "BBB", None: None}
    told = rows(*[(full[team], event) for team, event in [*covered, *events]])
    return float(second_chances(told, ["20211019_AAA_BBB"])[0, 0])


@pytest.mark.parametrize(
    ("story", "points"),
    [
        pytest.param([("A", MISS), ("A", REBOUND), ("A", TWO)], 2, id="put-back"),
        pytest.param([("A", TWO)], 0, id="first chance"),
        pytest.param([("A", MISS), ("B", REBOUND), ("A", TWO)], 0, id="the other team's rebound"),
        pytest.param([("A", MISS), ("A", REBOUND), ("A", MISS), ("A", REBOUND), ("A", THREE)], 3, id="third chance"),
        pytest.param(
            [("A", MISS), ("A", REBOUND), ("A", TWO), ("A", free_throw("1/1", 0)), ("A", REBOUND), ("A", THREE)],
            5,
            id="put-back, and-one missed, rebound, three",
        ),
        pytest.param(
            [("A", MISS), ("A", REBOUND), ("A", free_throw("1/2", 1)), ("A", free_throw("2/2", 1))],
            2,
            id="free throws after the rebound",
        ),
        pytest.param([("A", free_throw("2/2", 0)), ("A", REBOUND), ("A", TWO)], 2, id="rebound of a last free throw"),
        pytest.param([("A", free_throw("1/2", 0)), ("A", REBOUND), ("A", TWO)], 0, id="a dead free throw"),
        pytest.param([("A", free_throw("other", 0)), ("A", REBOUND), ("A", TWO)], 0, id="a trip of unknown length"),
        pytest.param(
            [("A", free_throw("1/2", 0)), ("A", REBOUND), ("A", free_throw("2/2", 0)), ("A", REBOUND), ("A", TWO)],
            2,
            id="team rebound between two missed free throws",
        ),
        pytest.param(
            [
                ("A", MISS),
                ("B", free_throw("technical", 1)),
                ("A", REBOUND),
                ("A", free_throw("technical", 1)),
                ("A", TWO),
            ],
            2,
            id="technical free throws change and score nothing",
        ),
        pytest.param([("A", MISS), ("A", REBOUND), ("A", TURNOVER), ("A", TWO)], 0, id="own turnover"),
        pytest.param([("A", MISS), ("A", REBOUND), ("B", TURNOVER), ("A", TWO)], 0, id="the other team's turnover"),
        pytest.param([("A", MISS), ("A", REBOUND), (None, TURNOVER), ("A", TWO)], 0, id="somebody's turnover"),
        pytest.param([("A", MISS), ("A", REBOUND), ("B", MISS), ("A", TWO)], 0, id="the other team shoots"),
        pytest.param(
            [("A", MISS), ("A", REBOUND), ("B", free_throw("1/2", 0)), ("A", TWO)], 0, id="it takes a free throw"
        ),
        pytest.param([("A", MISS), ("A", REBOUND), ("B", REBOUND), ("A", TWO)], 0, id="it rebounds"),
        pytest.param(
            [("A", MISS), ("A", REBOUND), ("B", FOUL), ("A", TIMEOUT), ("A", TWO)], 2, id="fouls and timeouts"
        ),
        pytest.param([("A", TWO), ("A", REBOUND), ("A", TWO)], 0, id="rebound after a make"),
        pytest.param([("B", MISS), ("A", REBOUND), ("A", TWO)], 0, id="rebound of the other team's miss"),
        pytest.param([(None, MISS), (None, REBOUND), (None, TWO), ("A", TWO)], 0, id="nobody's second chance"),
    ],
)
def test_story(story: list[tuple[str | None, tuple[str, str | None, int]]], points: float) -> None:
    assert of_a(*story) == points


def test_a_second_chance_ends_with_its_period() -> None:
    events = rows(("AAA", free_throw("1/2", 1)), ("AAA", MISS), ("AAA", REBOUND), ("AAA", TWO))
    for event in events[3:]:
        event |= {"period": 2, "game_clock_seconds": 720}
    np.testing.assert_array_equal(second_chances(events, ["20211019_AAA_BBB"]), [[0, 0]])


def test_a_second_chance_ends_with_its_game() -> None:
    games = ["20211019_AAA_BBB", "20211020_AAA_BBB"]
    begun = rows(("BBB", free_throw("1/2", 1)), ("AAA", MISS), ("AAA", REBOUND), game=games[0])
    next_game = rows(("AAA", TWO), ("AAA", free_throw("1/1", 1)), ("BBB", MISS), ("AAA", REBOUND), game=games[1])
    np.testing.assert_array_equal(second_chances([*begun, *next_game], games), [[0, 0], [0, 0]])


def test_the_clock_beats_the_sequence_and_the_sequence_breaks_ties() -> None:
    events = rows(("BBB", free_throw("1/2", 1)), ("AAA", MISS), ("AAA", REBOUND), ("AAA", TWO))
    events[2]["game_clock_seconds"] = events[3]["game_clock_seconds"]
    events[0]["event_sequence"] = 99
    np.testing.assert_array_equal(second_chances(events[::-1], ["20211019_AAA_BBB"]), [[2, 0]])


@pytest.mark.parametrize("lacking", ["rebound", "free throw"])
def test_unknown_where_a_feed_lacks_rebounds_or_free_throws(lacking: str) -> None:
    games = ["20211019_AAA_BBB", "20211020_AAA_BBB", "20211021_AAA_BBB"]
    told = [("BBB", free_throw("1/2", 1)), ("AAA", MISS), ("AAA", REBOUND), ("AAA", TWO)]
    poor = [event for event in rows(*told, game=games[1]) if event["event_type"] != lacking]
    np.testing.assert_array_equal(
        second_chances([*rows(*told, game=games[0]), *poor], games), [[2, 0], [np.nan, np.nan], [np.nan, np.nan]]
    )


def test_no_events() -> None:
    assert second_chances([], []).shape == (0, 2)


@pytest.mark.parametrize(
    ("kind", "subtype", "expected"),
    [
        ("shot", "3pt jump shot", EventKind.SHOT),
        ("rebound", None, EventKind.REBOUND),
        ("turnover", None, EventKind.TURNOVER),
        ("free throw", "free throw 1/1", EventKind.LAST_FREE_THROW),
        ("free throw", "free throw 3/3", EventKind.LAST_FREE_THROW),
        ("free throw", "free throw 1/3", EventKind.FREE_THROW),
        ("free throw", "free throw other", EventKind.FREE_THROW),
        ("free throw", None, EventKind.FREE_THROW),
        ("free throw", "free throw technical", EventKind.TECHNICAL_FREE_THROW),
        ("free throw", "Free Throw Technical 1/1", EventKind.TECHNICAL_FREE_THROW),
        ("foul", "free throw 1/1", EventKind.OTHER),
        (None, None, EventKind.OTHER),
    ],
)
def test_event_kind(kind: str | None, subtype: str | None, expected: EventKind) -> None:
    assert event_kinds(np.array([kind], dtype=object), np.array([subtype], dtype=object)).tolist() == [expected]


happenings = st.one_of(
    st.sampled_from([MISS, TWO, THREE, REBOUND, REBOUND, TURNOVER, FOUL]),
    st.builds(free_throw, st.sampled_from(["1/1", "1/2", "2/2", "technical", "other"]), st.integers(0, 1)),
)
games = st.sampled_from(["20211019_AAA_BBB", "20211020_BBB_AAA"])


@given(
    st.lists(st.tuples(games, st.integers(1, 2), st.integers(0, 5), st.sampled_from(TEAMS), happenings), max_size=40),
    st.randoms(use_true_random=False),
)
def test_any_play_by_play_in_any_order(happened: list[Any], random: Any) -> None:
    events = [
        row | {"game_id": game, "period": period, "game_clock_seconds": clock, "event_sequence": number}
        for number, (game, period, clock, team, event) in enumerate(happened)
        for row in rows((team, event))
    ]
    random.shuffle(events)
    ids = ["20211019_AAA_BBB", "20211020_BBB_AAA"]
    expected = slow_second_chance_points(events)
    told = [[expected.get((game, team), np.nan) for team in TEAMS] for game in ids]
    np.testing.assert_array_equal(second_chances(events, ids), np.array(told, dtype=np.float64))
