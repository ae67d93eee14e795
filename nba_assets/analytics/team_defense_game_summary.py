"""What a team allowed in one game: the opponent's shooting by zone, its possessions and rating, and what the defence did about it.

One row per team and final game, a change of perspective on the same game's two rows of `team_offense_game_summary`; only the blocks by zone come from
the play-by-play. A defensive rating is therefore the opponent's offensive rating, to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.shots import SHOT_COLUMNS, Shots
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures, take
from nba_assets.entities.quality import BACKUP_SCORE, PRIMARY_SCORE, collect, quality_columns
from nba_assets.entities.relations import find, join_at, within
from nba_assets.publishing.asset import table_asset
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAY_BY_PLAY, PLAYER_GAMEBOOK, SCHEDULE, TEAM_BOXSCORES
from nba_assets.tables.blocks import QUALITY, STAMPS
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum
from nba_assets.tables.spec import Columns, Rule, Table, count, day, flag, number, text, whole

TABLE = Table(
    "nba_analytics",
    "team_defense_game_summary",
    "one defending team in one final game",
    ("game_date", "defending_team_abbr"),
    "game_date",
    (
        text("game_id", "Canonical game id, YYYYMMDD_AWAY_HOME", nullable=False),
        day("game_date", "US-Eastern date of the game", nullable=False),
        text("defending_team_abbr", "The team", nullable=False),
        text("opponent_team_abbr", "Its opponent, whose offence the row describes", nullable=False),
        whole("season_year", "Year in which the season began: 2021 is 2021-22", nullable=False),
        flag("home_game", "The defending team is the schedule's home team", nullable=False),
        count("points_allowed", "Points of the opponent", unit="points", nullable=False, usual=(50, 200)),
        count("opp_fg_attempts", "Field goals attempted by the opponent", nullable=False),
        count("opp_fg_makes", "Field goals made by the opponent"),
        count("opp_three_pt_attempts", "Threes attempted by the opponent"),
        count("opp_three_pt_makes", "Threes made by the opponent"),
        count("opp_ft_attempts", "Free throws attempted by the opponent"),
        count("opp_ft_makes", "Free throws made by the opponent"),
        count("opp_rebounds", "Rebounds of the opponent, both ends"),
        count("opp_offensive_rebounds", "Offensive rebounds of the opponent"),
        count("opp_assists", "Assists of the opponent"),
        count("turnovers_forced", "Turnovers of the opponent"),
        count("fouls_committed", "Personal fouls of the defending team itself"),
        count("opp_paint_attempts", "Field goals attempted by the opponent in the paint; null without play-by-play"),
        count("opp_paint_makes", "Field goals made by the opponent in the paint; null without play-by-play"),
        count("opp_mid_range_attempts", "Twos attempted by the opponent outside the paint; null without play-by-play"),
        count("opp_mid_range_makes", "Twos made by the opponent outside the paint; null without play-by-play"),
        count("points_in_paint_allowed", "2 x opp_paint_makes", unit="points"),
        count("mid_range_points_allowed", "2 x opp_mid_range_makes", unit="points"),
        count("three_pt_points_allowed", "3 x opp_three_pt_makes", unit="points"),
        count("second_chance_points_allowed", "The opponent's second-chance points", unit="points"),
        count("blocks_paint", "Blocks of the defending team on shots in the paint; null without play-by-play"),
        count("blocks_mid_range", "Blocks of the defending team on twos outside the paint; null without play-by-play"),
        count("blocks_three_pt", "Blocks of the defending team on threes; null without play-by-play"),
        count("steals", "Steals of the defending team"),
        count("defensive_rebounds", "Defensive rebounds of the defending team"),
        number("defensive_rating", "The opponent's offensive rating", unit="points per 100 possessions", scale=2, usual=(60, 160)),
        number("opponent_pace", "The opponent's pace", unit="possessions per 48 minutes", scale=1, usual=(75, 130)),
        number("opponent_possessions_est", "The opponent's FGA + 0.44 FTA + TOV - OREB", unit="possessions", scale=2),
        number("opponent_ts_pct", "The opponent's true shooting", unit="fraction", scale=3, usual=(0.3, 0.8)),
        flag("win_flag", "The defending team won", nullable=False),
        whole("margin_of_victory", "Points of the defending team minus points allowed", unit="points", nullable=False),
        count("overtime_periods", "Overtimes played", nullable=False),
        count("players_inactive", "Players of the defending team on the sheet as inactive; null without a sheet"),
        count("starters_inactive", "Of those, players with 5 starts or more in the team's last ten games; null without a sheet"),
        *QUALITY,
        *STAMPS,
    ),
    entity_column="defending_team_abbr",
    rules=(
        not_two_per_game("defending_team_abbr"),
        rows_per_game_sum("margins_cancel", "The two margins of a game sum to 0", "margin_of_victory", 0),
        rows_per_game_sum("one_winner", "A game has exactly one winner", "win_flag", 1),
        Rule("opponents_differ", "A team does not play itself", lambda rows: rows["defending_team_abbr"] == rows["opponent_team_abbr"]),
    ),
)

FROM_OPPONENT = {
    "points_allowed": "points_scored",
    "opp_fg_attempts": "fg_attempts",
    "opp_fg_makes": "fg_makes",
    "opp_three_pt_attempts": "three_pt_attempts",
    "opp_three_pt_makes": "three_pt_makes",
    "opp_ft_attempts": "ft_attempts",
    "opp_ft_makes": "ft_makes",
    "opp_rebounds": "rebounds",
    "opp_offensive_rebounds": "offensive_rebounds",
    "opp_assists": "assists",
    "turnovers_forced": "turnovers",
    "opp_paint_attempts": "team_paint_attempts",
    "opp_paint_makes": "team_paint_makes",
    "opp_mid_range_attempts": "team_mid_range_attempts",
    "opp_mid_range_makes": "team_mid_range_makes",
    "points_in_paint_allowed": "points_in_paint_scored",
    "second_chance_points_allowed": "second_chance_points_scored",
    "defensive_rating": "offensive_rating",
    "opponent_pace": "pace",
    "opponent_possessions_est": "possessions_est",
    "opponent_ts_pct": "ts_pct",
    "opponent_shot_zones_available": "shot_zones_available",
    "opponent_from_backup": "processed_from_backup",
}
"""The row's columns that are the opponent's own, by their names in its offensive row."""

FROM_OWN = {
    "fouls_committed": "personal_fouls",
    "steals": "steals",
    "defensive_rebounds": "defensive_rebounds",
    "win_flag": "win_flag",
    "margin_of_victory": "margin_of_victory",
    "overtime_periods": "overtime_periods",
    "players_inactive": "players_inactive",
    "starters_inactive": "starters_inactive",
    "own_from_backup": "processed_from_backup",
}
"""The row's columns that are the defending team's own, by their names in its offensive row."""

BLOCKS = {"blocks_paint": "paint_blocks", "blocks_mid_range": "mid_range_blocks", "blocks_three_pt": "three_blocks"}


def compute(asked: Columns, histories: Mapping[str, Columns], shared: Any = None) -> Outcome:
    """The rows of one team over all asked games; `asked` holds both teams' offensive rows under the names of this table, and the blocks by zone."""
    del histories, shared
    rows = {name: asked[name] for name in TABLE.column_names if name in asked}
    rows["mid_range_points_allowed"] = 2 * asked["opp_mid_range_makes"]
    rows["three_pt_points_allowed"] = 3 * asked["opp_three_pt_makes"]
    return Outcome(rows | _quality(asked))


def _quality(asked: Columns) -> dict[str, NDArray[Any]]:
    backup = (asked["opponent_from_backup"] == 1) | (asked["own_from_backup"] == 1)
    actions_missing = np.isnan(asked["steals"]) | np.isnan(asked["defensive_rebounds"])
    zones_missing = asked["opponent_shot_zones_available"] != 1
    size = len(backup)
    issues = collect(
        size, [(backup, "backup_source_used"), (actions_missing, "missing_defensive_actions"), (zones_missing, "shot_zones_unavailable")]
    )
    sources = collect(
        size,
        [
            (~zones_missing, PLAY_BY_PLAY.name),
            (~np.isnan(asked["players_inactive"]) | backup, PLAYER_GAMEBOOK.name),
            (~((asked["opponent_from_backup"] == 1) & (asked["own_from_backup"] == 1)), TEAM_BOXSCORES.name),
        ],
    )
    primary = np.where(asked["opponent_from_backup"] == 1, "nbac_gamebook", "nbac_team_boxscore")
    primary = np.where((asked["own_from_backup"] == 1) & (asked["opponent_from_backup"] != 1), "nbac_team_boxscore+nbac_gamebook", primary)
    scores = np.where(backup, BACKUP_SCORE, PRIMARY_SCORE)
    return quality_columns(scores, issues, sources, primary.astype(object), actions_missing)


def build(run: TableRun) -> Outcome:
    """Defensive rows of the run's final games."""
    offense = run.read(TEAM_OFFENSE, OFFENSE_COLUMNS)
    offense["processed_from_backup"] = np.array(["backup_source_used" in issues for issues in offense["quality_issues"]], dtype=np.float64)
    games = team_games(final_games(run))
    games["defending_team_abbr"] = games["team_abbr"]
    own = find((games["game_id"], games["team_abbr"]), (offense["game_id"], offense["team_abbr"]))
    opponent = find((games["game_id"], games["opponent_team_abbr"]), (offense["game_id"], offense["team_abbr"]))
    both = (own >= 0) & (opponent >= 0)
    asked = take(games | join_at(offense, opponent, FROM_OPPONENT) | join_at(offense, own, FROM_OWN), both)
    asked |= _blocks(run, asked)
    lost = failures(
        games["team_abbr"][~both],
        games["game_date"][~both],
        "TEAM",
        "MISSING_RAW_DATA",
        np.array([f"{game}: the game's team_offense_game_summary rows are not there" for game in games["game_id"][~both]], dtype=object),
        can_retry=True,
        failure_type="DATA_GAP",
    )
    outcome = run.map_rows("teams", compute, Grouped.by(asked, "defending_team_abbr", "game_date"))
    return Outcome(outcome.rows, concatenate([outcome.failures, lost]))


OFFENSE_COLUMNS = (
    "game_id",
    "team_abbr",
    "quality_issues",
    *sorted({*FROM_OPPONENT.values(), *FROM_OWN.values()} - {"processed_from_backup"}),
)


def _blocks(run: TableRun, asked: Columns) -> dict[str, NDArray[Any]]:
    shots = Shots.of(run.read(PLAY_BY_PLAY.table, SHOT_COLUMNS, where={"event_type": "shot"}))
    by_team = shots.blocks_by_shooting_team()
    # The blocker's team is not in the feed; it is the one that did not shoot.
    found = find((asked["game_id"], asked["opponent_team_abbr"]), (by_team["game_id"], by_team["team_abbr"]))
    covered = within(asked["game_id"], shots.games())
    blocks = join_at(by_team, found, BLOCKS)
    return {name: np.where(covered, np.nan_to_num(values), np.nan) for name, values in blocks.items()}


team_defense_game_summary = table_asset(
    TABLE,
    build,
    upstream=[SCHEDULE.table, TEAM_OFFENSE, PLAY_BY_PLAY.table],
    group="analytics",
    code_version="1",
)
