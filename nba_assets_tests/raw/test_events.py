"""Events of the common play-by-play feeds in the project's own words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nba_assets.basketball.second_chances import EventKind, event_kinds
from nba_assets.raw.events import translate
from nba_assets.raw.vocabulary import EVENT_TYPES, FREE_THROWS, event_type, free_throw
from nba_assets_tests.raw.feeds import Row, event_row, normalised

BLANK_SHOT: Row = {"shot_made": None, "shot_type": None, "shot_distance": None, "event_subtype": None}


def read(**changes: Any) -> tuple[Row, list[str]]:
    """An event as the contract has it, and the notices about it."""
    columns, faults, notices = normalised("play_by_play", [event_row(1, **BLANK_SHOT | changes)])
    assert faults == {}
    return {name: values[0] for name, values in columns.items()}, sorted(notices)


@pytest.mark.parametrize(
    ("given", "own"),
    [
        *[
            ("Free Throw 1 of 2", "free throw 1/2"),
            ("Free Throw 3 of 3", "free throw 3/3"),
            ("Free Throw Technical", "free throw technical"),
        ],
        *[
            ("Free Throw Flagrant 1 of 2", "free throw flagrant 1/2"),
            ("Free Throw Clear Path 2 of 2", "free throw clear path 2/2"),
        ],
        *[("1 of 1", "free throw 1/1"), ("2 of 2", "free throw 2/2"), ("technical", "free throw technical")],
        *[
            ("free throw 1/2", "free throw 1/2"),
            ("free throw technical", "free throw technical"),
            ("free throw other", "free throw other"),
        ],
        *[
            ("freethrow 1 of 2", "free throw 1/2"),
            ("Free Throw - 1 of 2", "free throw 1/2"),
            ("Free Throw - Technical", "free throw technical"),
        ],
        *[("Free Throw Technical 1 of 2", "free throw technical"), ("1 of 1 technical", "free throw technical")],
        ("2 of 2 flagrant", "free throw flagrant 2/2"),
    ],
)
@pytest.mark.parametrize("kind", ["free throw", "Free Throw", "freethrow", "FREETHROW"])
def test_free_throws(kind: str, given: str, own: str) -> None:
    event, notices = read(event_type=kind, event_subtype=given)
    assert (event["event_type"], event["event_subtype"], notices) == ("free throw", own, [])


@pytest.mark.parametrize(
    "word", ["Free Throw 4 of 4", "Free Throw 3 of 2", "Free Throw Flagrant", "jump shot", "Free Throw"]
)
def test_a_free_throw_of_an_unknown_kind_is_kept_and_reported(word: str) -> None:
    event, notices = read(event_type="free throw", event_subtype=word)
    assert event["event_subtype"] == word.lower()
    assert notices == [f"event_subtype {word.lower()!r} of a free throw is not known"]


def test_a_free_throw_without_its_kind_is_reported() -> None:
    assert read(event_type="free throw")[1] == [
        "a free throw without event_subtype is not the last of its trip for sure"
    ]


def moment(sequence: int, event_type: str, event_subtype: str, player: str = "one", **changes: Any) -> Row:
    told = {
        "event_type": event_type,
        "event_subtype": event_subtype,
        "player_1_lookup": player,
        "game_clock_seconds": 300,
    }
    return event_row(sequence, **BLANK_SHOT | told | changes)


@pytest.mark.parametrize(
    ("penalty", "others", "own"),
    [
        (("foul", "technical"), [], "technical"),
        (("foul", "Double Technical"), [], "technical"),
        (("violation", "defensive-3-second"), [], "technical"),
        (("foul", "technical"), [moment(3, "2pt", "layup", shot_made=1)], "1/1"),
        (("foul", "technical"), [moment(3, "2pt", "layup", shot_made=0)], "technical"),
        (("foul", "technical"), [moment(3, "2pt", "layup", "two", shot_made=1)], "technical"),
        (("foul", "shooting"), [], "1/1"),
        (("turnover", "technical"), [], "1/1"),
    ],
)
def test_a_single_free_throw_for_a_technical_foul_is_one_in_feeds_that_do_not_say_so(
    penalty: tuple[str, str], others: list[Row], own: str
) -> None:
    columns, faults, _ = normalised(
        "play_by_play", [moment(1, *penalty, "fouler"), *others, moment(9, "freethrow", "1 of 1")]
    )
    assert (columns["event_subtype"][-1], faults) == (f"free throw {own}", {})


@pytest.mark.parametrize(
    "elsewhere",
    [{"game_clock_seconds": 299}, {"period": 2}, {"game_id": "20211115_BOS_CLE", "player_1_team_abbr": "BOS"}],
)
def test_a_technical_foul_of_another_moment_means_nothing_for_a_free_throw(elsewhere: dict[str, Any]) -> None:
    columns, _, _ = normalised(
        "play_by_play", [moment(1, "foul", "technical", **elsewhere), moment(9, "freethrow", "1 of 1")]
    )
    assert columns["event_subtype"][-1] == "free throw 1/1"


def test_the_type_may_name_the_free_throw() -> None:
    event, notices = read(event_type="Free Throw - 2 of 3")
    assert (event["event_type"], event["event_subtype"], notices) == ("free throw", "free throw 2/3", [])


def test_words_of_free_throws_mean_nothing_elsewhere() -> None:
    for kind in ("foul", "turnover", "technical"):
        assert read(event_type=kind, event_subtype="Technical")[0]["event_subtype"] == "technical"


@pytest.mark.parametrize("word", sorted(FREE_THROWS))
def test_own_words_of_free_throws_are_their_own(word: str) -> None:
    assert free_throw(word) in (word, None)
    assert read(event_type="free throw", event_subtype=word)[0]["event_subtype"] == word


def test_only_the_last_of_a_trip_leaves_the_ball_live() -> None:
    words = np.array(sorted(FREE_THROWS), dtype=object)
    kinds = event_kinds(np.full(len(words), "free throw", dtype=object), words)
    assert set(words[kinds == EventKind.LAST_FREE_THROW]) == {"free throw 1/1", "free throw 2/2", "free throw 3/3"}
    assert set(words[kinds == EventKind.TECHNICAL_FREE_THROW]) == {"free throw technical"}


@pytest.mark.parametrize(
    ("given", "own"),
    [
        *[
            ("Rebound", "rebound"),
            ("Turnover", "turnover"),
            ("Foul", "foul"),
            ("Violation", "violation"),
            ("Substitution", "substitution"),
        ],
        *[
            ("Jump Ball", "jump ball"),
            ("jumpball", "jump ball"),
            ("Timeout", "timeout"),
            ("Instant Replay", "replay"),
            ("stoppage", "stoppage"),
        ],
        *[
            ("sub", "substitution"),
            ("start of period", "period start"),
            ("end of period", "period end"),
            ("unknown", "other"),
            ("memo", "other"),
            ("instantreplay", "replay"),
            ("challenge", "replay"),
            ("Ejection", "ejection"),
        ],
    ],
)
def test_other_events(given: str, own: str) -> None:
    event, notices = read(event_type=given)
    assert (event["event_type"], event["shot_made"], event["shot_type"], event["points_scored"], notices) == (
        own,
        None,
        None,
        None,
        [],
    )


@pytest.mark.parametrize(
    ("kind", "detail", "own"),
    [("period", "start", "period start"), ("Period", "End", "period end"), ("game", "end", "game end")],
)
def test_beginnings_and_ends(kind: str, detail: str, own: str) -> None:
    event, notices = read(event_type=kind, event_subtype=detail)
    assert (event["event_type"], notices) == (own, [])


def test_a_period_that_neither_begins_nor_ends_is_reported() -> None:
    assert read(event_type="period")[1] == ["event_type 'period' is not known"]


@pytest.mark.parametrize(
    ("changes", "made", "worth", "points"),
    [
        ({"event_type": "Made Shot", "shot_type": "3PT Field Goal"}, 1, "3PT", 3),
        ({"event_type": "Missed Shot", "shot_type": "2PT Field Goal"}, 0, "2PT", 0),
        ({"event_type": "miss", "shot_type": "3PT"}, 0, "3PT", 0),
        ({"event_type": "2pt", "shot_made": "Made"}, 1, "2PT", 2),
        ({"event_type": "3PT", "shot_made": "Missed"}, 0, "3PT", 0),
        ({"event_type": "3pt", "shot_made": True}, 1, "3PT", 3),
        ({"event_type": "shot", "shot_made": True, "shot_type": "2PT"}, 1, "2PT", 2),
        ({"event_type": "Made Shot"}, 1, None, None),
        ({"event_type": "Made Shot", "points_scored": 2}, 1, None, 2),
    ],
)
def test_shots(changes: Row, made: int, worth: str | None, points: int | None) -> None:
    event, notices = read(**changes)
    assert (event["event_type"], event["shot_made"], event["shot_type"], event["points_scored"]) == (
        "shot",
        made,
        worth,
        points,
    )
    assert notices == []


def test_a_given_result_stands_against_the_word() -> None:
    assert read(event_type="miss", shot_made=True, shot_type="2PT")[0]["shot_made"] == 1


def test_a_shot_of_unknown_result_is_reported() -> None:
    assert read(event_type="2pt")[1] == ["a shot without shot_made counts as no attempt"]


@pytest.mark.parametrize(("made", "points"), [(True, 1), (False, 0), (None, None)])
def test_what_a_feed_says_of_a_free_throw_becomes_its_points(made: bool | None, points: int | None) -> None:
    event, _ = read(event_type="freethrow", event_subtype="1 of 2", shot_made=made)
    assert (event["points_scored"], event["shot_made"]) == (points, None)


def test_the_worth_of_a_free_throw_is_no_type_of_shot() -> None:
    event, _ = read(event_type="freethrow", event_subtype="1 of 2", shot_type="2PT", points_scored=1)
    assert (event["shot_type"], event["points_scored"]) == (None, 1)


@pytest.mark.parametrize("points", [2, 0, 1])
def test_points_that_the_shot_is_not_worth(points: int) -> None:
    _, faults, _ = normalised("play_by_play", [event_row(1, shot_made=True, shot_type="3PT", points_scored=points)])
    assert faults[0].startswith("points_scored is the value of the shot by shot_type and shot_made, but")


def test_points_of_a_miss() -> None:
    assert normalised("play_by_play", [event_row(1, shot_made=False, shot_type="3PT", points_scored=0)])[1] == {}
    assert 0 in normalised("play_by_play", [event_row(1, shot_made=False, shot_type="2PT", points_scored=2)])[1]


@pytest.mark.parametrize(
    ("given", "own"),
    [
        *[
            ("Restricted Area", "restricted_area"),
            ("In The Paint (Non-RA)", "paint_non_ra"),
            ("Mid-Range", "mid_range"),
        ],
        *[
            ("Left Corner 3", "corner_three"),
            ("Right Corner 3", "corner_three"),
            ("Above the Break 3", "above_break_three"),
            ("Backcourt", "backcourt"),
        ],
        ("restricted_area", "restricted_area"),
    ],
)
def test_zones(given: str, own: str) -> None:
    event, notices = read(event_type="shot", shot_made=True, shot_zone=given)
    assert (event["shot_zone"], notices) == (own, [])


@pytest.mark.parametrize(
    ("given", "own"),
    [
        ("Assist", "assist"),
        ("assists", "assist"),
        ("BLK", "block"),
        ("Steal", "steal"),
        ("jump_ball_away", "jump_ball_away"),
    ],
)
def test_roles(given: str, own: str) -> None:
    event, notices = read(event_type="rebound", player_2_role=given)
    assert (event["player_2_role"], notices) == (own, [])


def test_every_row_has_its_own_words() -> None:
    rows = [
        event_row(1, **BLANK_SHOT | {"event_type": "2pt", "shot_made": "Made"}),
        event_row(2, **BLANK_SHOT | {"event_type": "freethrow", "event_subtype": "1 of 1", "points_scored": 1}),
        event_row(3, **BLANK_SHOT | {"event_type": "heave"}),
        event_row(4, **BLANK_SHOT | {"event_type": "Missed Shot", "shot_type": "3PT"}),
        event_row(5, **BLANK_SHOT | {"event_type": "heave"}),
        event_row(6, **BLANK_SHOT | {"event_type": "freethrow", "event_subtype": "one"}),
        event_row(7, **BLANK_SHOT | {"event_type": "Rebound", "event_subtype": "1 of 1"}),
    ]
    columns, faults, notices = normalised("play_by_play", rows)
    assert faults == {}
    assert columns["event_type"] == ["shot", "free throw", "heave", "shot", "heave", "free throw", "rebound"]
    assert columns["event_subtype"] == [None, "free throw 1/1", None, None, None, "one", "1 of 1"]
    assert columns["shot_type"] == ["2PT", None, None, "3PT", None, None, None]
    assert columns["shot_made"] == [1, None, None, 0, None, None, None]
    assert columns["points_scored"] == [2, 1, None, 0, None, None, None]
    assert notices == {"event_type 'heave' is not known": 2, "event_subtype 'one' of a free throw is not known": 1}


def test_what_was_given_is_not_written_into() -> None:
    columns: dict[str, Any] = {name: np.array([None], dtype=object) for name in ("player_1_lookup", "shot_type")}
    columns |= {"event_type": np.array(["free throw"], dtype=object), "shot_made": np.array([1.0])}
    columns |= {name: np.array([np.nan]) for name in ("points_scored", "period", "event_sequence")}
    columns |= {"game_id": np.array(["g"], dtype=object), "time_remaining": np.array(["1:00"], dtype=object)}
    given = columns["event_subtype"] = np.array(["Free Throw 1 of 2"], dtype=object)
    translate(columns, lambda *_: None)
    assert columns["event_subtype"].tolist() == ["free throw 1/2"]
    assert given.tolist() == ["Free Throw 1 of 2"]


def test_own_types_are_their_own() -> None:
    assert {word: event_type(word.upper()) for word in EVENT_TYPES} == {word: word for word in EVENT_TYPES}
