"""Who belongs to a team's usual five, and who of them is missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.starters import count_missing
from nba_assets.entities.groups import Grouped

FIRST = np.datetime64("2024-12-01")
TEAM, OTHER = "LAL", "BOS"
"""The other team plays on the same dates with the same players: what it does must not count for the first."""


def days(offsets: Sequence[int]) -> NDArray[np.datetime64]:
    return FIRST + np.array(offsets, dtype="m8[D]")


def missing_of(
    requested: Sequence[int],
    started: Sequence[tuple[int, str | None]],
    missing: Sequence[tuple[int, str | None]],
    least: int = 1,
    opening: int = 0,
) -> list[tuple[float, int]]:
    """How many missing starters each requested day of the team has, and of how many finals; twelve
    finals, one a day from day 0 on.
    """
    seen: list[int] = []

    def is_usual(starts: NDArray[np.int64], games: NDArray[np.int64]) -> NDArray[np.bool_]:
        seen.extend(games.tolist())
        return starts >= least

    def table(rows: Sequence[tuple[str, int, str | None]]) -> Grouped:
        teams, offsets, players = zip(*rows, strict=True) if rows else ((), (), ())
        ids = [f"{team}{offset}" for team, offset in zip(teams, offsets, strict=True)]
        columns = {
            "team_abbr": np.array(teams, dtype=object),
            "game_date": days(offsets),
            "game_id": np.array(ids, dtype=object),
            "player_lookup": np.array(players, dtype=object),
            "season_start": np.full(len(offsets), days([opening])[0]),
        }
        return Grouped.by(columns, "team_abbr", "game_date").chunk([TEAM, OTHER])

    finals = table([(team, day, None) for team in (TEAM, OTHER) for day in range(12)])
    starts = table([*((TEAM, *start) for start in started), (OTHER, 3, "always"), (OTHER, 99, "elsewhere")])
    rows = table([*((TEAM, day, None) for day in requested), (OTHER, 5, None)])
    found = count_missing(rows, finals, starts, table([(TEAM, *who) for who in missing]), is_usual)
    assert found.dtype == np.float64
    assert found[0] == 0, "the other team misses nobody"
    return [*zip(found[1:].tolist(), seen or [0] * len(requested), strict=False)]


def test_starts_are_those_in_the_last_ten_finals_before_the_date() -> None:
    """On day 11 the finals of days 1 to 10 count, each start once."""
    started = [*((day, "always") for day in range(12)), (1, "early"), (2, "early"), (2, "early"), (11, "late")]
    for day, who, starts in (
        (12, "always", 10),
        (12, "early", 1),
        (12, "late", 1),
        (11, "early", 2),
        (11, "late", 0),
        (1, "always", 1),
        (1, "early", 0),
        (0, "always", 0),
    ):
        for least in (1, starts, starts + 1):
            (found,) = missing_of([day], started, [(day, who)], least)
            assert found == (float(starts >= least), min(day, 10)), (day, who)


def test_starts_of_an_earlier_season_do_not_count() -> None:
    started = [(day, "always") for day in range(12)]
    assert missing_of([12], started, [(12, "always")], least=1, opening=11) == [(1.0, 1)]
    assert missing_of([12], started, [(12, "always")], least=2, opening=11) == [(0.0, 1)]


def test_only_players_missing_on_the_date_count_and_strangers_do_not() -> None:
    started = [(day, who) for day in range(12) for who in ("one", "two")]
    missing = [(11, "one"), (12, "one"), (12, "two"), (12, "stranger"), (12, None)]
    assert [number for number, _ in missing_of([10, 11, 12], started, missing)] == [0, 1, 2]


def test_a_start_without_a_name_is_nobodys() -> None:
    assert missing_of([12], [(day, None) for day in range(12)], [(12, None)], least=1)[0][0] == 0


def test_two_games_of_a_team_on_one_date_have_a_row_of_their_own_each() -> None:
    """No team plays twice a day, but a schedule may say so; what it costs is for the table's checks to say."""
    started = [(day, "one") for day in range(12)]
    missing = [(11, "two"), (12, "one"), (12, "stranger"), (13, "one")]
    assert [number for number, _ in missing_of([11, 12, 12], started, missing)] == [0, 1, 1]


def test_a_season_without_starts_or_finals_misses_nobody() -> None:
    assert [number for number, _ in missing_of([0, 5], [], [])] == [0, 0]
