"""Which games players were expected to play: the finals, rosters and raw box scores of the season, read for a
table.
"""

from __future__ import annotations

from datetime import timedelta

from nba_assets.analytics.feed_names import FeedNames
from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.parts import FINALS, PEOPLE, PLAYERS
from nba_assets.entities.completeness import OLDEST_SNAPSHOT_DAYS, League
from nba_assets.entities.groups import Grouped
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAYER_BOXSCORES, PLAYER_REGISTRY, ROSTERS, SCHEDULE
from nba_assets.tables.spec import before, of_season

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
