"""Which game a provider's row belongs to: date, sides, season and the canonical id, found once from the schedule and
put on every row of the game.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from nba_assets.basketball.teams import TEAMS, team_tricode, tricode_in_season
from nba_assets.raw.tables import RawTable


@dataclass(frozen=True)
class Game:
    """A game of two teams of the league; `day` is the US-Eastern date, `league_id` the league's own id of ten digits,
    where it is known.
    """

    day: date
    season_year: int
    home: str
    away: str
    league_id: str | None = None

    @classmethod
    def between(
        cls, home: str | None, away: str | None, day: date, season_year: int, league_id: str | None = None
    ) -> Game | None:
        """The game by any spelling of its teams; None where a side is no team of the league, such as a guest or a place
        not yet decided.

        Example: home "GS", away "Utah Jazz" on 2023-10-30 is UTA at GSW.
        """
        sides = [
            None if known is None else tricode_in_season(known, season_year)
            for known in (team_tricode(home), team_tricode(away))
        ]
        if sides[0] is None or sides[1] is None or not {*sides} <= {*TEAMS}:
            return None
        return cls(day, season_year, sides[0], sides[1], league_id)

    @property
    def game_id(self) -> str:
        """The canonical id. Example: `20231030_UTA_GSW`."""
        return f"{self.day:%Y%m%d}_{self.away}_{self.home}"

    def side(self, is_home: bool) -> str:
        """Tricode of one side."""
        return self.home if is_home else self.away

    def columns(self, raw: RawTable) -> dict[str, Any]:
        """The identity columns of the game that a raw table has, for each of its rows."""
        identity: Mapping[str, Any] = {
            "game_id": self.game_id,
            "nba_game_id": self.league_id,
            "game_date": self.day,
            "season_year": self.season_year,
            "home_team_abbr": self.home,
            "away_team_abbr": self.away,
        }
        return {name: value for name, value in identity.items() if name in raw.table.column_names}
