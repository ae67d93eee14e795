"""A team's totals in one game, from the best source there is: its own box row, or the sum of its players."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.basketball.game_clock import parse_minutes
from nba_assets.basketball.possessions import OVERTIME_TEAM_SECONDS, REGULATION_TEAM_SECONDS
from nba_assets.entities.outcomes import concatenate, take
from nba_assets.entities.relations import find, tally
from nba_assets.tables.spec import Columns

COUNTS = {
    "points": ("points", "points"),
    "fg_makes": ("fg_made", "field_goals_made"),
    "fg_attempts": ("fg_attempted", "field_goals_attempted"),
    "three_pt_makes": ("three_pt_made", "three_pointers_made"),
    "three_pt_attempts": ("three_pt_attempted", "three_pointers_attempted"),
    "ft_makes": ("ft_made", "free_throws_made"),
    "ft_attempts": ("ft_attempted", "free_throws_attempted"),
    "offensive_rebounds": ("offensive_rebounds", "offensive_rebounds"),
    "defensive_rebounds": ("defensive_rebounds", "defensive_rebounds"),
    "rebounds": ("total_rebounds", "total_rebounds"),
    "assists": ("assists", "assists"),
    "steals": ("steals", "steals"),
    "blocks": ("blocks", "blocks"),
    "turnovers": ("turnovers", "turnovers"),
    "personal_fouls": ("personal_fouls", "personal_fouls"),
}
"""Each count with its column in the team's and in the players' raw table."""

TEAM_COLUMNS = ("game_id", "team_abbr", "minutes", *(team for team, _ in COUNTS.values()))
PLAYER_COLUMNS = ("game_id", "team_abbr", "player_lookup", "player_status", "minutes", *(player for _, player in COUNTS.values()))

FEWEST_PLAYERS = 5
"""Fewer active players than this are not a team's whole sheet, and their sum is not its total."""


def team_boxes(team_rows: Columns, sheet_rows: Columns) -> dict[str, NDArray[Any]]:
    """Totals by game and team: the team's own row where it is a real one, else the sum of its players (`from_players` 1)."""
    own = _from_team_rows(team_rows)
    sums = _from_players(sheet_rows)
    gaps = find((sums["game_id"], sums["team_abbr"]), (own["game_id"], own["team_abbr"])) < 0
    return concatenate([own, take(sums, gaps)]) if own["game_id"].size or gaps.any() else own


def _from_team_rows(rows: Columns) -> dict[str, NDArray[Any]]:
    # A box row without points or shots is a placeholder of a game that the feed had not finished.
    real = take(rows, (rows["points"] > 0) & (rows["fg_attempted"] > 0))
    return {
        "game_id": real["game_id"],
        "team_abbr": real["team_abbr"],
        "team_seconds": parse_minutes(real["minutes"]),
        "from_players": np.zeros(len(real["game_id"])),
        **{name: real[column] for name, (column, _) in COUNTS.items()},
    }


def _from_players(rows: Columns) -> dict[str, NDArray[Any]]:
    active = take(rows, (rows["player_status"] == "active") & ~np.isnan(rows["points"]))
    summed = tally(
        {"game_id": active["game_id"], "team_abbr": active["team_abbr"]},
        {
            "players": np.ones(len(active["game_id"])),
            "seconds": parse_minutes(active["minutes"]),
            **{name: active[column] for name, (_, column) in COUNTS.items()},
        },
    )
    whole = take(summed, (summed["players"] >= FEWEST_PLAYERS) & (summed["points"] > 0) & (summed["fg_attempts"] > 0))
    overtimes = np.maximum(np.rint((whole["seconds"] - REGULATION_TEAM_SECONDS) / OVERTIME_TEAM_SECONDS), 0.0)
    return {
        "game_id": whole["game_id"],
        "team_abbr": whole["team_abbr"],
        "team_seconds": REGULATION_TEAM_SECONDS + OVERTIME_TEAM_SECONDS * overtimes,
        "from_players": np.ones(len(whole["game_id"])),
        **{name: whole[name] for name in COUNTS},
    }
