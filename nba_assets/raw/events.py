"""Play-by-play events of any common feed in the project's own words, with the facts about a shot that their words
imply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.raw import vocabulary as words

Array = NDArray[Any]
Report = Callable[[str, NDArray[np.bool_]], None]
"""Takes a text about rows that are kept and not understood, and which rows these are."""


def translate(columns: dict[str, Array], report: Report) -> None:
    """Put `event_type` and the `event_subtype` of free throws into own words, and fill in what they tell of a shot and
    of its points.

    A given value stands; only a shot has `shot_made` and `shot_type`. `columns` are those of the raw play-by-play and
    are changed in place.
    """
    codes, given = pd.factorize(columns["event_type"])
    if not WITH_DETAIL.isdisjoint(given):
        columns["event_type"] = _with_detail(columns["event_type"], columns["event_subtype"])
        codes, given = pd.factorize(columns["event_type"])
    types = [words.event_type(word) for word in given]
    if types != given.tolist():
        _from_event_types(columns, codes, given)
        columns["event_type"] = np.array([*types, None], dtype=object)[codes]
    is_shot, is_free_throw = (
        np.array([*(word == kind for word in types), False])[codes] for kind in ("shot", "free throw")
    )
    _free_throw_words(columns, is_free_throw, report)
    _technical_free_throws(columns, np.array([*(word in PENALTIES for word in types), False])[codes], is_shot)
    _points(columns, is_shot, is_free_throw)
    for name, nothing in (("shot_made", np.full(1, np.nan)), ("shot_type", np.full(1, None, dtype=object))):
        others = ~is_shot & ~pd.isna(columns[name])
        if others.any():
            columns[name] = np.where(others, nothing, columns[name])
    report("a shot without shot_made counts as no attempt", is_shot & np.isnan(columns["shot_made"]))


WITH_DETAIL = frozenset({"period", "game"})
"""Types of the league's feeds whose subtype says whether it begins or ends."""


def _with_detail(types: Array, subtypes: Array) -> Array:
    detailed = types.copy()
    for place in np.flatnonzero(np.isin(types.astype(str), [*WITH_DETAIL])).tolist():
        joined = f"{types[place]} {subtypes[place]}"
        detailed[place] = joined if joined in words.EVENT_TYPES else types[place]
    return detailed


def _from_event_types(columns: dict[str, Array], codes: NDArray[np.intp], given: Array) -> None:
    """What a feed's types say that the own words do not: "Missed Shot", "2pt", "period" with "start", "Free Throw - 1
    of 2".
    """

    def implied(of: Mapping[str, Any] | Callable[[str], Any], dtype: Any) -> Array:
        look_up = of.get if isinstance(of, Mapping) else of
        return np.array([*map(look_up, given), None], dtype=dtype)[codes]

    columns["shot_made"] = _filled(columns["shot_made"], implied(words.MADE_BY_EVENT_TYPE, np.float64))
    columns["shot_type"] = _filled(columns["shot_type"], implied(words.WORTH_BY_EVENT_TYPE, object))
    columns["event_subtype"] = _filled(
        columns["event_subtype"],
        implied(lambda word: words.free_throw(word) if words.is_free_throw_type(word) else None, object),
    )


def _free_throw_words(columns: dict[str, Array], is_free_throw: NDArray[np.bool_], report: Report) -> None:
    places = np.flatnonzero(is_free_throw)
    codes, given = pd.factorize(columns["event_subtype"][places])
    known = [word if word in words.FREE_THROWS else words.free_throw(word) for word in given]
    if known != given.tolist():
        columns["event_subtype"] = columns["event_subtype"].copy()
        columns["event_subtype"][places] = np.array(
            [*(own or word for own, word in zip(known, given, strict=True)), None], dtype=object
        )[codes]
    for code, (own, word) in enumerate(zip(known, given, strict=True)):
        if own is None:
            report(
                f"event_subtype {word!r} of a free throw is not known", _at(places[codes == code], len(is_free_throw))
            )
    report(
        "a free throw without event_subtype is not the last of its trip for sure",
        _at(places[codes < 0], len(is_free_throw)),
    )


PENALTIES = frozenset({"foul", "violation"})
_TECHNICAL = re.compile(r"technical|defensive.?(?:3|three)")


def _technical_free_throws(
    columns: dict[str, Array], is_penalty: NDArray[np.bool_], is_shot: NDArray[np.bool_]
) -> None:
    """Give single free throws their kind in feeds that call a technical one "1 of 1" as well.

    It is shot at the moment of a technical foul, by a player who has made no shot at that moment.
    """
    single = np.flatnonzero(columns["event_subtype"] == SINGLE)
    penalties = np.flatnonzero(is_penalty) if len(single) else single
    technical = penalties[
        [
            word is not None and _TECHNICAL.search(word.lower()) is not None
            for word in columns["event_subtype"][penalties]
        ]
    ]
    if not len(technical):
        return
    game = np.where(pd.isna(columns["game_id"]), columns["nba_game_id"], columns["game_id"])
    moment = pd.MultiIndex.from_arrays([game, columns["period"], columns["game_clock_seconds"]])
    suspects = single[moment[single].isin(moment[technical])]
    scored = np.flatnonzero(is_shot & (columns["shot_made"] == 1))
    of_player = pd.MultiIndex.from_arrays(
        [game, columns["period"], columns["game_clock_seconds"], columns["player_1_lookup"]]
    )
    suspects = suspects[~of_player[suspects].isin(of_player[scored])]
    columns["event_subtype"] = columns["event_subtype"].copy()
    columns["event_subtype"][suspects] = "free throw technical"


SINGLE = "free throw 1/1"


def _points(columns: dict[str, Array], is_shot: NDArray[np.bool_], is_free_throw: NDArray[np.bool_]) -> None:
    unknown = np.isnan(columns["points_scored"]) & (is_shot | is_free_throw)
    if not unknown.any():
        return
    worth = np.select([columns["shot_type"] == "3PT", columns["shot_type"] == "2PT"], [3.0, 2.0], np.nan)
    worth[is_free_throw] = 1.0
    columns["points_scored"] = np.where(unknown, worth * columns["shot_made"], columns["points_scored"])


def _at(places: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    marked = np.zeros(size, dtype=bool)
    marked[places] = True
    return marked


def _filled(values: Array, others: Array) -> Array:
    return np.where(pd.isna(values), others, values)
