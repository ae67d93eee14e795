"""The statistics site's team rosters (CommonTeamRoster) as rows of the raw rosters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from nba_assets.basketball.names import player_lookup
from nba_assets.providers.delivery import Row
from nba_assets.providers.league.box_scores import result_rows
from nba_assets.providers.league.teams import tricode_of


def roster_rows(payload: Mapping[str, Any], day: date) -> list[Row]:
    """The roster of one team as it stood on a US-Eastern day."""
    return [
        {
            "roster_date": day,
            "season_year": int(row["SEASON"]),
            "team_abbr": tricode_of(row["TeamID"], int(row["SEASON"])),
            "player_lookup": player_lookup(row["PLAYER"]),
            "player_full_name": row["PLAYER"],
            "player_id": str(row["PLAYER_ID"]),
            "position_abbr": row["POSITION"],
            "age": None if row["AGE"] is None else int(row["AGE"]),
            "birth_date": None if row["BIRTH_DATE"] is None else row["BIRTH_DATE"].title(),
        }
        for row in result_rows(payload, "CommonTeamRoster")
    ]
