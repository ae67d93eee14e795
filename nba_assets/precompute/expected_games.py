"""What a player was expected to play: the finals and rosters behind the completeness of his rows, and records of
players with too few games.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames
from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.parts import FINALS, PEOPLE, PLAYERS
from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS, Completeness, League, PlayerGames
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import failures
from nba_assets.entities.relations import within
from nba_assets.entities.windows import Dates
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_REGISTRY, ROSTERS, SCHEDULE
from nba_assets.tables.spec import Columns, before, of_season

EXPECTATIONS = (
    before(SCHEDULE.table, part=FINALS),
    before(ROSTERS.table, lead_days=OLDEST_SNAPSHOT_DAYS),
    before(PLAYER_BOXSCORES.table, part=PLAYERS),
    of_season(PLAYER_REGISTRY.table, PEOPLE),
)
"""Inputs of a table that calls `read_expectations`."""


def read_expectations(run: TableRun) -> tuple[League, dict[str, Grouped]]:
    """The league's finals with their rosters, and each player's `roster` and raw box-score rows (`box`) of the
    season.
    """
    feeds = FeedNames.of(run)
    rosters = feeds.rosters(
        ("roster_date", "season_year", "team_abbr", "player_lookup"),
        start=run.season_start - timedelta(days=OLDEST_SNAPSHOT_DAYS),
    )
    box = feeds.box(("game_id", "game_date", "team_abbr", "player_lookup"))
    league = League.of(team_games(final_games(run, since_season_start=True)), rosters)
    return league, {
        "roster": Grouped.by(rosters, "player_lookup", "roster_date"),
        "box": Grouped.by(box, "player_lookup", "game_date"),
    }


@dataclass(frozen=True)
class SeasonSoFar:
    """What was expected of a player with all his teams, season to date, on some dates."""

    games: PlayerGames
    as_of: Dates
    since: Dates
    box_games: NDArray[np.object_]

    @classmethod
    def of(cls, histories: Mapping[str, Columns], league: League, as_of: Dates, since: Dates) -> SeasonSoFar:
        """From his `sheet`, `roster` and `box` rows."""
        return cls(
            PlayerGames.of_all_teams(histories["sheet"], histories["roster"], league),
            as_of,
            since,
            histories["box"]["game_id"],
        )

    @cached_property
    def completeness(self) -> Completeness:
        """Expected and actual games."""
        return self.games.season_to_date(self.as_of, self.since)

    def failures(
        self,
        player: str,
        category: str | NDArray[np.object_],
        reasons: list[str],
        can_retry: bool | NDArray[np.bool_],
        actual: NDArray[np.int64],
    ) -> dict[str, Any]:
        """A failure record per date, with the games that were expected and have no row; `actual` are the games that he
        has.
        """
        kinds, correctable = self.games.kind_of_gap(self.as_of, self.since, within(self.games.game_ids, self.box_games))
        return failures(
            np.full(len(self.as_of), player, dtype=object),
            self.as_of,
            "PLAYER",
            category,
            reasons,
            can_retry=can_retry,
            failure_type=kinds,
            is_correctable=correctable,
            expected=self.completeness.expected,
            actual=actual,
            missing_game_ids=self.games.missing_of_season(self.as_of, self.since),
        )
