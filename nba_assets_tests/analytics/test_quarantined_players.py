"""Players whose only sheet row is in quarantine: named in a failure record that quotes the reason."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nba_assets_tests.analytics.one_game import DAY, GAME, agreeing_game, built

PLAYERS = "player_game_summary"


def quarantined(
    player: str | None, *, feed: str = "player_gamebook", game_id: str | None = GAME, day: date = DAY, **content: Any
) -> dict[str, Any]:
    row = {"player_lookup": player, "team_abbr": "BOS", "game_date": str(DAY)} | content
    return {
        "table_name": feed,
        "partition_date": day,
        "file": f"{feed}.parquet",
        "row_number": 7,
        "reason": "points is -1, allowed is 0 to 250",
        "content": json.dumps(row),
        "game_id": game_id,
        "run_id": "test",
        "created_at": datetime(2025, 1, 16, tzinfo=UTC),
    }


def without(player: str, *feeds: str) -> dict[str, list[dict[str, Any]]]:
    game = agreeing_game()
    return {
        name: [row for row in rows if name not in feeds or row["player_lookup"] != player]
        for name, rows in game.items()
    }


def records(feeds: dict[str, list[dict[str, Any]]], *rows: dict[str, Any]) -> dict[str, Any]:
    failures: dict[str, Any] = built(**feeds, raw_quarantine=list(rows))["failures"]
    return {name.removeprefix(f"{PLAYERS}/"): failure for name, failure in failures.items() if name.startswith(PLAYERS)}


NOWHERE = without("bostwo", "player_gamebook", "player_boxscores")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"player": "Bos-Two"},
        {"player": None, "player_name": "Bos Twó"},
        {"player": "123bostwo", "game_id": None, "team_abbr": "Boston Celtics"},
    ],
    ids=["by key", "by another spelling", "by name", "by team and date"],
)
def test_a_player_without_an_accepted_row_has_a_record_with_the_reason(content: dict[str, Any]) -> None:
    found = records(NOWHERE, quarantined(**({"player": "bostwo"} | content)))
    assert found.keys() == {"bostwo"}
    record = found["bostwo"]
    assert (record["failure_category"], record["failure_type"], record["can_retry"]) == (
        "MISSING_RAW_DATA",
        "DATA_GAP",
        True,
    )
    assert record["failure_reason"].endswith(
        ": no row of his was accepted; player_gamebook.parquet, row 7, is in quarantine: points is -1, allowed is 0 "
        "to 250"
    )


def test_rows_of_both_feeds_are_one_record() -> None:
    found = records(NOWHERE, quarantined("bostwo"), quarantined("bostwo", feed="player_boxscores"))
    assert found.keys() == {"bostwo"}
    assert found["bostwo"]["failure_reason"].count("row 7") == 2


def test_a_player_with_a_row_in_the_other_feed_has_none() -> None:
    assert records(without("bostwo", "player_gamebook"), quarantined("bostwo")) == {}


def test_nobody_with_an_accepted_row_has_a_record_wherever_that_row_stands() -> None:
    game = agreeing_game()
    everybody = [row["player_lookup"] for row in game["player_gamebook"]]
    assert records(game, *(quarantined(player) | {"row_number": n} for n, player in enumerate(everybody))) == {}


@pytest.mark.parametrize(
    "row",
    [
        quarantined(None),
        quarantined("nobody", game_id="20250115_NYK_PHI"),
        quarantined("nobody", game_id=None, team_abbr="NYK"),
        quarantined("nobody", game_id=None, game_date=str(DAY - timedelta(days=1))),
        quarantined("nobody", game_id=None, team_abbr=12),
        quarantined("nobody", feed="player_points_props"),
        quarantined("nobody") | {"content": None},
        quarantined("nobody", day=DAY - timedelta(days=1)),
    ],
    ids=[
        "no name",
        "no final",
        "no team of the date",
        "another date",
        "no team",
        "another feed",
        "no content",
        "date not of the run",
    ],
)
def test_a_row_that_does_not_tell_of_whom_and_when_it_is_has_none(row: dict[str, Any]) -> None:
    assert records(agreeing_game(), row) == {}
