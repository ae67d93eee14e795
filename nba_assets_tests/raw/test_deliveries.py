"""Which of several rows with one key stands: newest stamp, then newest file, conflicts within one delivery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from nba_assets.raw.deliveries import Deliveries, Standing, league_game_codes, standing_by_key, standing_by_league_game

STANDS, DUPLICATE, REPLACED, CONFLICT = Standing.STANDS, Standing.DUPLICATE, Standing.REPLACED, Standing.CONFLICT
Row = tuple[int, int | None, str]
"""File, hour of `processed_at` (None: the feed does not say), content."""
INGESTED = 20


def deliveries(rows: Sequence[tuple[int, int | None, object]]) -> Deliveries:
    hours = np.array([INGESTED if hour is None else hour for _, hour, _ in rows], dtype="m8[h]")
    unstamped = np.array([hour is None for _, hour, _ in rows])
    return Deliveries(np.array([file for file, *_ in rows]), np.datetime64("2025-01-16", "us") + hours, unstamped)


def by_key(rows: Sequence[Row], keys: Sequence[int] | None = None, contested: Sequence[int] = ()) -> list[Standing]:
    contents = np.unique(np.array([content for *_, content in rows]), return_inverse=True)[1].astype(np.uint64)
    marks = np.isin(np.arange(len(rows)), contested)
    found = standing_by_key(np.array(keys or [0] * len(rows)), deliveries(rows), lambda places: contents[places], marks)
    return [Standing(value) for value in found]


@pytest.mark.parametrize(
    ("rows", "standing"),
    [
        ([(0, 9, "A")], [STANDS]),
        ([(0, 9, "A"), (0, 9, "A")], [DUPLICATE, STANDS]),
        ([(0, 9, "A"), (0, 9, "B")], [CONFLICT, CONFLICT]),
        ([(0, 9, "A"), (0, 10, "B")], [REPLACED, STANDS]),
        ([(0, 10, "A"), (0, 9, "B")], [STANDS, REPLACED]),
        ([(0, 9, "A"), (1, 9, "B")], [REPLACED, STANDS]),
        ([(1, 9, "A"), (0, 9, "B")], [STANDS, REPLACED]),
        ([(0, 10, "A"), (1, 9, "B")], [STANDS, REPLACED]),
        ([(0, 9, "A"), (1, 9, "A")], [DUPLICATE, STANDS]),
        ([(0, 9, "A"), (1, 9, "B"), (1, 9, "C")], [REPLACED, CONFLICT, CONFLICT]),
        ([(0, 9, "B"), (1, 9, "B"), (1, 9, "C")], [REPLACED, CONFLICT, CONFLICT]),
        ([(0, 9, "A"), (0, None, "A")], [DUPLICATE, STANDS]),
        ([(0, 9, "A"), (0, None, "B")], [CONFLICT, CONFLICT]),
        ([(0, 9, "A"), (0, 10, "B"), (0, None, "B")], [REPLACED, DUPLICATE, STANDS]),
    ],
)
def test_which_row_of_a_key_stands(rows: list[Row], standing: list[Standing]) -> None:
    assert by_key(rows) == standing


def test_keys_do_not_touch_each_other_in_any_order() -> None:
    rows: list[Row] = [(0, 9, "A"), (0, 9, "A"), (1, 9, "B"), (0, 9, "C"), (0, 9, "D")]
    assert by_key(rows, keys=[7, 3, 7, 3, 5]) == [REPLACED, CONFLICT, STANDS, CONFLICT, STANDS]


def test_what_is_contested_already_stands_in_conflict_where_it_is_current() -> None:
    assert by_key([(0, 9, "A")], contested=[0]) == [CONFLICT]
    assert by_key([(0, 9, "A"), (1, 9, "B")], contested=[1]) == [REPLACED, CONFLICT]
    assert by_key([(0, 9, "A"), (1, 9, "B")], contested=[0]) == [REPLACED, STANDS]


Game = tuple[int, int | None, str, str | None, int, int]
"""File, hour, game id, the league's id, season, status."""


def by_game(*rows: Game, contested: Sequence[int] = ()) -> list[Standing]:
    schedule = {
        "game_id": np.array([row[2] for row in rows], dtype=object),
        "nba_game_id": np.array([row[3] for row in rows], dtype=object),
        "season_year": np.array([row[4] for row in rows], dtype=np.float64),
        "game_status": np.array([row[5] for row in rows], dtype=np.float64),
    }
    found = standing_by_league_game(
        schedule, deliveries([row[:3] for row in rows]), np.isin(np.arange(len(rows)), contested)
    )
    return [Standing(value) for value in found]


def moved(
    file: int,
    day: str,
    *,
    hour: int | None = 9,
    league_id: str | None = "0022400100",
    season: int = 2024,
    status: int = 1,
) -> Game:
    return (file, hour, f"{day}_IND_BKN", league_id, season, status)


def test_a_moved_game_has_the_date_of_its_newest_delivery() -> None:
    assert by_game(moved(0, "20241025"), moved(1, "20241028")) == [REPLACED, STANDS]
    assert by_game(moved(1, "20241025"), moved(0, "20241028")) == [STANDS, REPLACED]
    assert by_game(moved(0, "20241025", hour=10), moved(1, "20241028")) == [STANDS, REPLACED]


def test_on_two_dates_in_one_delivery_a_game_is_in_conflict_unless_one_is_postponed() -> None:
    assert by_game(moved(0, "20241025"), moved(0, "20241028")) == [CONFLICT, CONFLICT]
    assert by_game(moved(0, "20241025", status=4), moved(0, "20241028")) == [REPLACED, STANDS]
    assert by_game(moved(0, "20241025", status=4), moved(0, "20241028", status=4)) == [CONFLICT, CONFLICT]
    assert by_game(moved(0, "20241028"), moved(1, "20241025", status=4)) == [REPLACED, STANDS], (
        "the newer delivery knows no new date yet"
    )


def test_only_rows_of_one_known_league_game_are_held_against_each_other() -> None:
    assert by_game(moved(0, "20241025", league_id=None), moved(1, "20241028", league_id=None)) == [STANDS, STANDS]
    assert by_game(moved(0, "20241025", season=2023), moved(1, "20241028")) == [STANDS, STANDS]
    assert by_game(moved(0, "20241025"), moved(1, "20241028", league_id="0022400101")) == [STANDS, STANDS]
    assert by_game(moved(0, "20241025"), moved(1, "20241028"), contested=[1]) == [REPLACED, CONFLICT]


def test_codes_tell_games_of_the_league_apart_by_season_and_id() -> None:
    pairs = [(2024, "a"), (2024, "b"), (2025, "a"), (2025, "b"), (2024, None), (2024, "a")]
    codes = league_game_codes(
        {
            "season_year": np.array([year for year, _ in pairs]),
            "nba_game_id": np.array([name for _, name in pairs], dtype=object),
        }
    )
    assert (codes[4], codes[0] == codes[5], len(set(codes.tolist()))) == (-1, True, 5)
