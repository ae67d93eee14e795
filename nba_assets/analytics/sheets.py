"""The players' sheets of a run's games: one row per player and game, from the official sheet or, where that fails, from
the final box score.

Every table that counts what players did starts from these rows. Totals of teams are in `team_boxes`, and whether
the feeds agree `reconciliation`'s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames, identifying
from nba_assets.basketball.game_clock import parse_minutes
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import at, find
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_GAMEBOOK
from nba_assets.tables.spec import Columns

COUNTS = {
    "points": "points",
    "assists": "assists",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "rebounds": "total_rebounds",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "personal_fouls",
    "fg_attempts": "field_goals_attempted",
    "fg_makes": "field_goals_made",
    "ft_attempts": "free_throws_attempted",
    "ft_makes": "free_throws_made",
    "three_pt_attempts": "three_pointers_attempted",
    "three_pt_makes": "three_pointers_made",
}
"""The box counts of a sheet row, with their columns in the raw feeds."""


def read_sheets(run: TableRun, feeds: FeedNames) -> dict[str, NDArray[Any]]:
    """The sheet rows of the run's dates, one per player and game.

    A row of the official sheet stands, except where the final box score has the player and the sheet leaves his line
    blank, or says that he did not play although the box score gives him minutes (`sheet_overruled` 1); players whom the
    sheet lacks are added from the box score (`from_boxscore` 1). `seconds` is NaN where the minutes are unknown, or
    0:00 beside points; `starter` is NaN where the box score lacks the player; `plus_minus` is as printed.
    """
    shared = (
        "game_id",
        "game_date",
        "player_lookup",
        "player_name",
        "team_abbr",
        "minutes",
        "plus_minus",
        *COUNTS.values(),
    )
    book = run.read(PLAYER_GAMEBOOK.table, identifying(PLAYER_GAMEBOOK, (*shared, "player_status", "dnp_reason")))
    box = run.read(PLAYER_BOXSCORES.table, identifying(PLAYER_BOXSCORES, (*shared, "game_status", "starter")))
    book, box = feeds.sheets(book, take(box, box["game_status"] == "final"))
    in_box = find(*((rows["game_id"], player_key(rows)) for rows in (book, box)))
    active = book["player_status"] == "active"
    blank = active & np.isnan(book["points"]) & (in_box >= 0)
    overruled = ~active & (in_box >= 0)
    overruled[overruled] = parse_minutes(box["minutes"][in_box[overruled]]) > 0
    kept = ~blank & ~overruled
    added = np.ones(len(box["game_id"]), dtype=bool)
    added[in_box[kept & (in_box >= 0)]] = False
    is_overruled = np.zeros(len(added))
    is_overruled[in_box[overruled]] = 1.0
    sheets = concatenate(
        [_from_sheet(take(book, kept), box, in_box[kept]), _from_box(take(box, added), is_overruled[added])]
    )
    seconds = parse_minutes(sheets.pop("minutes"))
    # Nobody scores in no time: the minutes are wrong, and the points show that he played.
    return sheets | {"seconds": np.where((seconds == 0) & (sheets["points"] > 0), np.nan, seconds)}


def player_key(rows: Columns) -> NDArray[np.object_]:
    """Who a sheet row is of: rows of one key are one player's, in whichever feed and game they stand."""
    key: NDArray[np.object_] = rows["player_lookup"]
    return key


def played(sheets: Columns) -> NDArray[np.bool_]:
    """Rows of players who were on the floor: active, with a line, and not in 0:00 minutes."""
    took_part: NDArray[np.bool_] = (
        (sheets["player_status"] == "active") & ~np.isnan(sheets["points"]) & (sheets["seconds"] != 0)
    )
    return took_part


def one_row_per_date(sheets: Columns) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows count where a player is on several sheets of one date, and which contradict each other.

    The game in which he played counts; of several in which he did not, the one that he was dressed for, else the last.
    Who played in two games of one date is a contradiction, also where two players share the name: none of his rows
    counts. Returns both as masks of the rows.
    """
    key = pd.DataFrame({"game_date": sheets["game_date"], "player": player_key(sheets)})
    repeated = np.asarray(key.duplicated(keep=False), dtype=bool)
    counts, contradictory = np.ones(len(repeated), dtype=bool), np.zeros(len(repeated), dtype=bool)
    if not repeated.any():
        return counts, contradictory
    took_part = played(sheets)
    standing = np.select(
        [took_part, sheets["player_status"] == "active", sheets["player_status"] == "dnp"], [3, 2, 1], 0
    )
    counts[repeated] = False
    for places in key[repeated].groupby(["game_date", "player"]).indices.values():
        mine = np.flatnonzero(repeated)[places]
        if np.count_nonzero(took_part[mine]) > 1:
            contradictory[mine] = True
        else:
            best = mine[standing[mine] == standing[mine].max()]
            counts[max(best, key=lambda place: sheets["game_id"][place])] = True
    return counts, contradictory


def _from_sheet(book: Columns, box: Columns, in_box: NDArray[np.intp]) -> dict[str, NDArray[Any]]:
    unplaced = np.array([team is None for team in book["team_abbr"]], dtype=bool)
    return _common(book) | {
        "team_abbr": np.where(unplaced, at(box["team_abbr"], in_box), book["team_abbr"]),
        "player_status": book["player_status"],
        "dnp_reason": book["dnp_reason"],
        "starter": at(box["starter"], in_box),
        "from_boxscore": np.zeros(len(in_box)),
        "sheet_overruled": np.zeros(len(in_box)),
    }


def _from_box(box: Columns, overruled: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    size = len(overruled)
    return _common(box) | {
        "team_abbr": box["team_abbr"],
        "player_status": np.full(size, "active", dtype=object),
        "dnp_reason": np.full(size, None, dtype=object),
        "starter": box["starter"],
        "from_boxscore": np.ones(size),
        "sheet_overruled": overruled,
    }


def _common(rows: Columns) -> dict[str, NDArray[Any]]:
    return {
        **{
            name: rows[name] for name in ("game_id", "game_date", "player_lookup", "player_id", "minutes", "plus_minus")
        },
        "player_full_name": rows["player_name"],
        **{name: rows[column] for name, column in COUNTS.items()},
    }
