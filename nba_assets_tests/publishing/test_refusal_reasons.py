"""Which failure a refused date names."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from nba_assets.entities.outcomes import concatenate, failures
from nba_assets.publishing.publication import Publication, _first_hard_failure
from nba_assets.publishing.refusals import Refusal, grouped, upstream_refused
from nba_assets.tables.bookkeeping import HARD_FAILURE
from nba_assets.tables.spec import Columns

DAYS = np.array(["2024-11-05", "2024-11-06"], dtype="M8[D]")


def failed(place: int, category: str, reason: str) -> Columns:
    entity, day = np.array(["one"], dtype=object), DAYS[place : place + 1]
    return failures(entity, day, "PLAYER", category, reason, can_retry=True)


OTHER_DATE = failed(0, HARD_FAILURE, "of another date")
SOFT, FIRST, SECOND = (
    failed(1, "INSUFFICIENT_DATA", "few games"),
    failed(1, HARD_FAILURE, "first"),
    failed(1, HARD_FAILURE, "second"),
)


NIGHT = date(2024, 11, 5)


def behind(day: date, why: str) -> list[Refusal]:
    """The refusals of a date: of a table that cannot be built, and of the one that reads it."""
    return [
        Refusal("player_game_summary", day, upstream_refused("team_offense_game_summary", day, why), "run"),
        Refusal("team_offense_game_summary", day, why, "run"),
    ]


def test_refusals_of_one_cause_are_a_line_with_their_tables_dates_and_the_reason_once() -> None:
    days = [NIGHT + timedelta(days=number) for number in (0, 1, 4)]
    refusals = [one for day in days for one in behind(day, f"team_boxscores was not ingested for {day}: no file")]
    assert list(grouped(sorted(refusals, key=lambda one: (one.table, one.day)))) == [
        "player_game_summary, team_offense_game_summary 2024-11-05 to 2024-11-09 (3 dates) REFUSED: team_boxscores was "
        "not ingested: no file"
    ]


def test_an_upstream_table_that_is_not_among_them_is_named() -> None:
    days = [NIGHT, NIGHT + timedelta(days=1)]
    (line,) = grouped(behind(day, f"team_boxscores was not ingested for {day}: no file")[0] for day in days)
    assert line == (
        "player_game_summary 2024-11-05 to 2024-11-06 (2 dates) REFUSED: upstream team_offense_game_summary is "
        "refused: team_boxscores was not ingested: no file"
    )


def test_another_cause_other_tables_and_a_single_date_are_lines_of_their_own() -> None:
    second, third = NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)
    refusals = [
        *behind(NIGHT, f"upstream x is not built for {NIGHT}"),
        behind(second, f"upstream x is not built for {second}")[1],
        *behind(third, "2 of 4 rows failed"),
    ]
    both = "player_game_summary, team_offense_game_summary"
    assert list(grouped(refusals)) == [
        f"{both} 2024-11-05 REFUSED: upstream x is not built for 2024-11-05",
        "team_offense_game_summary 2024-11-06 REFUSED: upstream x is not built for 2024-11-06",
        f"{both} 2024-11-07 REFUSED: 2 of 4 rows failed",
    ]


@pytest.mark.parametrize(
    ("records", "named"),
    [
        ([OTHER_DATE, SOFT, FIRST, SECOND], "first"),
        ([OTHER_DATE, SOFT], "one of an earlier run"),
        ([OTHER_DATE], "one of an earlier run"),
        ([], "one of an earlier run"),
    ],
)
def test_the_first_hard_failure_of_the_date_itself_is_named(records: list[Columns], named: str) -> None:
    publication = cast(Publication, SimpleNamespace(failures=concatenate(records)))
    assert _first_hard_failure(publication, DAYS[1].item()) == named
