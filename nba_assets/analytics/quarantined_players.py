"""Failure records of players of whose sheet rows none was accepted; they quote why the rows are in quarantine."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames
from nba_assets.basketball.names import player_lookup, strip_leading_digits
from nba_assets.basketball.teams import team_tricode
from nba_assets.entities.outcomes import failures
from nba_assets.entities.relations import find, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_GAMEBOOK
from nba_assets.tables.bookkeeping import RAW_QUARANTINE
from nba_assets.tables.spec import Columns

COLUMNS = ("partition_date", "table_name", "file", "row_number", "reason", "content", "game_id")


def players_in_quarantine(run: TableRun, feeds: FeedNames, sheets: Columns, sides: Columns) -> Columns:
    """One failure record for each quarantined sheet or box-score row of a final game whose player can be read and has
    no row in `sheets`.

    `sheets` has the accepted rows (`game_date`, `player_lookup`), `sides` each final game from both teams' sides
    (`game_id`, `game_date`, `team_abbr`). Example of a reason: "20241112_LAL_BOS: his only row, player_gamebook.parquet
    row 7, is in quarantine: points is -1, allowed is 0 to 250".
    """
    rows = run.read(RAW_QUARANTINE, COLUMNS, where={"table_name": [PLAYER_GAMEBOOK.name, PLAYER_BOXSCORES.name]})
    places = np.flatnonzero([content is not None for content in rows["content"]])
    if not len(places):
        return {}
    people = [_read(rows["content"][place], rows["partition_date"][place].item()) for place in places.tolist()]
    quarantined = {name: rows[name][places] for name in COLUMNS} | {
        name: np.array([row[name] for row in people], dtype=object) for name in people[0]
    }
    quarantined["game_date"] = quarantined["partition_date"].astype("M8[D]")
    in_final = within(quarantined["game_id"], sides["game_id"])
    of_team = find((quarantined["game_date"], quarantined["team_abbr"]), (sides["game_date"], sides["team_abbr"])) >= 0
    unknown_game = np.array([game is None for game in quarantined["game_id"]], dtype=bool)
    concerned = ~np.array([key is None for key in quarantined["player_lookup"]], dtype=bool)
    concerned &= in_final | (unknown_game & of_team & (quarantined["is_of_date"] == np.True_))
    return (
        _records(feeds, {name: values[concerned] for name, values in quarantined.items()}, sheets)
        if concerned.any()
        else {}
    )


def _records(feeds: FeedNames, rows: dict[str, NDArray[Any]], sheets: Columns) -> Columns:
    rows = feeds.keyed(rows)
    absent = find((rows["game_date"], rows["player_lookup"]), (sheets["game_date"], sheets["player_lookup"])) < 0
    reasons = [
        f"{game or team}: no row of his was accepted; {file}, row {number:.0f}, is in quarantine: {why}"
        for game, team, file, number, why, lacks in zip(
            *(rows[name] for name in ("game_id", "team_abbr", "file", "row_number", "reason")), absent, strict=True
        )
        if lacks
    ]
    return failures(
        rows["player_lookup"][absent],
        rows["game_date"][absent],
        "PLAYER",
        "MISSING_RAW_DATA",
        reasons,
        can_retry=True,
        failure_type="DATA_GAP",
    )


def _read(content: str, day: date) -> dict[str, Any]:
    """Who a quarantined row is of, as far as it tells, and whether it may be of the date under which it is quarantined;
    a broken line tells of nobody.
    """
    try:
        row = json.loads(content)
    except ValueError:
        row = {}
    texts = {
        name: row[name] if isinstance(row.get(name), str) and row[name].strip() else None
        for name in ("player_lookup", "player_name", "team_abbr")
    }
    named = texts["player_lookup"] or texts["player_name"]
    player_id = row.get("player_id")
    return {
        "player_lookup": (strip_leading_digits(player_lookup(named)) or None) if named else None,
        "player_name": texts["player_name"],
        "player_id": None if player_id is None else str(player_id),
        "team_abbr": team_tricode(texts["team_abbr"]),
        "is_of_date": str(row.get("game_date", day)).startswith(day.isoformat()),
    }
