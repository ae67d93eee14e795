"""A team's totals in one game, from the best source there is: its own box row, or the sum of its players."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics import sheets
from nba_assets.basketball.game_clock import parse_minutes
from nba_assets.basketball.possessions import OVERTIME_TEAM_SECONDS, REGULATION_TEAM_SECONDS
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import find, tally
from nba_assets.tables.spec import Columns

COUNTS = {
    "points": "points",
    "fg_makes": "fg_made",
    "fg_attempts": "fg_attempted",
    "three_pt_makes": "three_pt_made",
    "three_pt_attempts": "three_pt_attempted",
    "ft_makes": "ft_made",
    "ft_attempts": "ft_attempted",
    "offensive_rebounds": "offensive_rebounds",
    "defensive_rebounds": "defensive_rebounds",
    "rebounds": "total_rebounds",
    "assists": "assists",
    "steals": "steals",
    "blocks": "blocks",
    "turnovers": "turnovers",
    "personal_fouls": "personal_fouls",
}
"""Each count with its column in the team's raw table; `sheets.COUNTS` has the players'."""

TEAM_COLUMNS = ("game_id", "team_abbr", "minutes", *COUNTS.values())

FEWEST_PLAYERS = 5
"""Fewer active players than this are not a team's whole sheet, and their sum is not its total."""


def team_boxes(team_rows: Columns, sums: Columns) -> dict[str, NDArray[Any]]:
    """Totals by game and team: the team's own row where it is a real one, else the `player_sums` (`from_players` 1)."""
    own = _from_team_rows(team_rows)
    gaps = find((sums["game_id"], sums["team_abbr"]), (own["game_id"], own["team_abbr"])) < 0
    return concatenate([own, _from_players(take(sums, gaps))])


def player_sums(sheet_rows: Columns) -> dict[str, NDArray[Any]]:
    """Sums by game and team over the players with a line: `players`, how many of them come `from_boxscore`, `seconds`
    and each count.
    """
    active = take(sheet_rows, (sheet_rows["player_status"] == "active") & ~np.isnan(sheet_rows["points"]))
    return tally(
        {"game_id": active["game_id"], "team_abbr": active["team_abbr"]},
        {
            "players": np.ones(len(active["game_id"])),
            **{name: active[name] for name in ("from_boxscore", "seconds", *sheets.COUNTS)},
        },
    )


def _from_team_rows(rows: Columns) -> dict[str, NDArray[Any]]:
    # A box row without points or shots is a placeholder of a game that the feed had not finished.
    real = take(rows, (rows["points"] > 0) & (rows["fg_attempted"] > 0))
    return {
        "game_id": real["game_id"],
        "team_abbr": real["team_abbr"],
        "team_seconds": parse_minutes(real["minutes"]),
        "from_players": np.zeros(len(real["game_id"])),
        "from_boxscore": np.zeros(len(real["game_id"])),
        **{name: real[column] for name, column in COUNTS.items()},
    }


def _from_players(sums: Columns) -> dict[str, NDArray[Any]]:
    """`from_boxscore` is 1 where no player of the sum is on the official sheet."""
    whole = take(sums, (sums["players"] >= FEWEST_PLAYERS) & (sums["points"] > 0) & (sums["fg_attempts"] > 0))
    overtimes = np.maximum(np.rint((whole["seconds"] - REGULATION_TEAM_SECONDS) / OVERTIME_TEAM_SECONDS), 0.0)
    return {
        "game_id": whole["game_id"],
        "team_abbr": whole["team_abbr"],
        "team_seconds": REGULATION_TEAM_SECONDS + OVERTIME_TEAM_SECONDS * overtimes,
        "from_players": np.ones(len(whole["game_id"])),
        "from_boxscore": (whole["from_boxscore"] == whole["players"]).astype(np.float64),
        **{name: whole[name] for name in COUNTS},
    }
