"""A team's defence in one final game: the opponent's shooting by zone, possessions and rating, and the team's blocks,
steals and rebounds.

One row per team and final game, made of the same game's two rows of `team_offense_game_summary`; only the blocks by
zone come from the play-by-play. A defensive rating is therefore the opponent's offensive rating, to the last digit. An
issue of either row is an issue of this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.games import final_games, team_games
from nba_assets.analytics.parts import RESULTS
from nba_assets.analytics.reconciliation import BLOCKS as BLOCKS_BY_EVENTS
from nba_assets.analytics.reconciliation import (
    BLOCKS_DISAGREE,
    DISAGREEMENT_COST,
    FREE_THROWS_DISAGREE,
    PLAY_BY_PLAY_NOTICE,
    QUARANTINE_COST,
    SHOTS_DISAGREE,
    differ,
    differing,
    report,
)
from nba_assets.analytics.shots import SHOT_COLUMNS, Shots
from nba_assets.analytics.team_offense_game_summary import PLAYERS_DISAGREE, ROWS_QUARANTINED, SCORE_DISAGREES
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, failures, take
from nba_assets.entities.quality import BACKUP_SCORE, PRIMARY_SCORE, collect, quality_columns
from nba_assets.entities.relations import find, join_at, within
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import PLAY_BY_PLAY, PLAYER_BOXSCORES, PLAYER_GAMEBOOK, SCHEDULE, TEAM_BOXSCORES
from nba_assets.tables.blocks import GAME_DATE, GAME_ID, QUALITY, STAMPS
from nba_assets.tables.remarks import PACE_COMPARED, POSSESSIONS_COMPARED, RATING_COMPARED
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum
from nba_assets.tables.spec import Columns, Rule, Table, count, flag, number, of_its_date, text, whole

TABLE = Table(
    "nba_analytics",
    "team_defense_game_summary",
    "one defending team in one final game",
    ("game_date", "defending_team_abbr"),
    "game_date",
    (
        GAME_ID,
        GAME_DATE,
        text("defending_team_abbr", "The team", nullable=False),
        text("opponent_team_abbr", "Its opponent, whose offence the row describes", nullable=False),
        whole("season_year", "Year in which the season began: 2021 is 2021-22", nullable=False),
        flag("home_game", "The defending team is the schedule's home team", nullable=False),
        count("points_allowed", "Points of the opponent", unit="points", nullable=False, usual=(50, 200)),
        count("opp_fg_attempts", "Field goals attempted by the opponent", nullable=False),
        count("opp_fg_makes", "Field goals made by the opponent"),
        count("opp_three_pt_attempts", "Three-point field goals attempted by the opponent"),
        count("opp_three_pt_makes", "Three-point field goals made by the opponent"),
        count("opp_ft_attempts", "Free throws attempted by the opponent"),
        count("opp_ft_makes", "Free throws made by the opponent"),
        count("opp_rebounds", "Total rebounds of the opponent, offensive and defensive"),
        count("opp_offensive_rebounds", "Offensive rebounds of the opponent"),
        count("opp_assists", "Assists of the opponent"),
        count("turnovers_forced", "Turnovers of the opponent"),
        count("fouls_committed", "Personal fouls of the defending team itself"),
        count(
            "opp_paint_attempts",
            "Field goals attempted by the opponent in the paint; null where its zones are not available",
        ),
        count(
            "opp_paint_makes", "Field goals made by the opponent in the paint; null where its zones are not available"
        ),
        count(
            "opp_mid_range_attempts",
            "Two-point field goals attempted by the opponent outside the paint; null where its zones are not available",
        ),
        count(
            "opp_mid_range_makes",
            "Two-point field goals made by the opponent outside the paint; null where its zones are not available",
        ),
        count("points_in_paint_allowed", "Points allowed in the paint: 2 x opp_paint_makes", unit="points"),
        count("mid_range_points_allowed", "Points allowed from mid-range: 2 x opp_mid_range_makes", unit="points"),
        count("three_pt_points_allowed", "Points allowed from three: 3 x opp_three_pt_makes", unit="points"),
        count(
            "second_chance_points_allowed",
            "Second-chance points of the opponent: see second_chance_points_scored of team_offense_game_summary",
            unit="points",
        ),
        count(
            "blocks_paint",
            (
                "Blocks of the defending team on shots in the paint; null where the play-by-play does not have the box "
                "score's blocks by zone"
            ),
        ),
        count(
            "blocks_mid_range",
            "Blocks of the defending team on two-point shots outside the paint; null where blocks_paint is",
        ),
        count("blocks_three_pt", "Blocks of the defending team on three-point shots; null where blocks_paint is"),
        count("steals", "Steals of the defending team"),
        count("defensive_rebounds", "Defensive rebounds of the defending team"),
        number(
            "defensive_rating",
            f"Points allowed per 100 possessions, the opponent's offensive rating: {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=2,
            usual=(60, 160),
        ),
        number(
            "opponent_pace",
            f"The opponent's own possessions per 48 minutes, {PACE_COMPARED}",
            unit="possessions per 48 minutes",
            scale=1,
            usual=(75, 130),
        ),
        number(
            "opponent_possessions_est",
            "Possessions of the opponent, estimated from its own box score alone: FGA + 0.44 FTA + TOV - OREB. "
            f"{POSSESSIONS_COMPARED}",
            unit="possessions",
            scale=2,
        ),
        number(
            "opponent_ts_pct",
            "True shooting percentage of the opponent, as a fraction",
            unit="fraction",
            scale=3,
            usual=(0.3, 0.8),
        ),
        flag("win_flag", "The defending team won, by the schedule's final score", nullable=False),
        whole(
            "margin_of_victory",
            "Final score of the defending team minus that of its opponent, by the schedule",
            unit="points",
            nullable=False,
        ),
        count("overtime_periods", "Overtime periods played", nullable=False),
        count("players_inactive", "Players of the defending team on the sheet as inactive; null without a sheet"),
        count(
            "starters_inactive",
            "Inactive players with 5 starts or more in the team's last ten games; null without a sheet",
        ),
        *QUALITY,
        *STAMPS,
    ),
    entity_column="defending_team_abbr",
    rules=(
        not_two_per_game("defending_team_abbr"),
        rows_per_game_sum("margins_cancel", "The two margins of a game sum to 0", "margin_of_victory", 0),
        rows_per_game_sum("one_winner", "A game has exactly one winner", "win_flag", 1),
        Rule(
            "opponents_differ",
            "A team does not play itself",
            lambda rows: rows["defending_team_abbr"] == rows["opponent_team_abbr"],
        ),
    ),
    notices=(PLAY_BY_PLAY_NOTICE,),
    inputs=(of_its_date(SCHEDULE.table, RESULTS), of_its_date(TEAM_OFFENSE), of_its_date(PLAY_BY_PLAY.table)),
    stage="postgame",
    code_version="2",
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
    "opponent_issues": "quality_issues",
    "opponent_primary": "primary_source_used",
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
    "own_blocks": "blocks",
    "own_issues": "quality_issues",
    "own_primary": "primary_source_used",
}
"""The row's columns that are the defending team's own, by their names in its offensive row."""

BLOCKS = {"blocks_paint": "paint_blocks", "blocks_mid_range": "mid_range_blocks", "blocks_three_pt": "three_blocks"}


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Any = None) -> Outcome:
    """The rows of some teams over all requested games.

    `requested` holds both teams' offensive rows under the names of this table, blocks by zone, and what disagrees.
    """
    del histories, shared
    rows = {name: requested[name] for name in TABLE.column_names if name in requested}
    rows["mid_range_points_allowed"] = 2 * requested["opp_mid_range_makes"]
    rows["three_pt_points_allowed"] = 3 * requested["opp_three_pt_makes"]
    return Outcome(rows | _quality(requested))


def _quality(requested: Columns) -> dict[str, NDArray[Any]]:
    own, opponent = requested["own_primary"], requested["opponent_primary"]
    own_backup, opponent_backup = own != PRIMARY, opponent != PRIMARY
    backup = own_backup | opponent_backup
    actions_missing = np.isnan(requested["steals"]) | np.isnan(requested["defensive_rebounds"])
    zones_missing = requested["opponent_shot_zones_available"] != 1
    blocks_differ, quarantined = requested["blocks_differ"] == 1, requested["quarantined"] == 1
    carried = requested["carried_issues"]
    size = len(backup)
    issues = collect(
        size,
        [
            (backup, "backup_source_used"),
            (actions_missing, "missing_defensive_actions"),
            (zones_missing, "shot_zones_unavailable"),
            (blocks_differ, BLOCKS_DISAGREE),
            (quarantined, ROWS_QUARANTINED),
        ],
    )
    disagree = np.array([bool(names) for names in carried], dtype=bool) | blocks_differ
    for place in np.flatnonzero(disagree).tolist():
        issues[place] += carried[place]
    from_box = (own == "nbac_boxscores") | (opponent == "nbac_boxscores")
    sources = collect(
        size,
        [
            (~zones_missing, PLAY_BY_PLAY.name),
            (from_box, PLAYER_BOXSCORES.name),
            (
                ~np.isnan(requested["players_inactive"]) | (own == "nbac_gamebook") | (opponent == "nbac_gamebook"),
                PLAYER_GAMEBOOK.name,
            ),
            (~(opponent_backup & own_backup), TEAM_BOXSCORES.name),
        ],
    )
    primary = np.array(
        [
            f"{theirs}+{ours}" if mixed else theirs
            for theirs, ours, mixed in zip(opponent, own, own_backup & ~opponent_backup, strict=True)
        ],
        dtype=object,
    )
    scores = (
        np.where(backup, BACKUP_SCORE, PRIMARY_SCORE) - DISAGREEMENT_COST * disagree - QUARANTINE_COST * quarantined
    )
    return quality_columns(scores, issues, sources, primary, actions_missing | disagree | quarantined)


PRIMARY = "nbac_team_boxscore"
"""Primary source of a team's row that is not made of its players."""


def build(run: TableRun) -> Outcome:
    """Defensive rows of the run's final games."""
    offense = run.read(TEAM_OFFENSE, OFFENSE_COLUMNS)
    games = team_games(final_games(run))
    games["defending_team_abbr"] = games["team_abbr"]
    own = find((games["game_id"], games["team_abbr"]), (offense["game_id"], offense["team_abbr"]))
    opponent = find((games["game_id"], games["opponent_team_abbr"]), (offense["game_id"], offense["team_abbr"]))
    both = (own >= 0) & (opponent >= 0)
    requested = take(games | join_at(offense, opponent, FROM_OPPONENT) | join_at(offense, own, FROM_OWN), both)
    requested |= _blocks(run, requested) | _carried(requested)
    lost = failures(
        games["team_abbr"][~both],
        games["game_date"][~both],
        "TEAM",
        "MISSING_RAW_DATA",
        np.array(
            [f"{game}: the game's team_offense_game_summary rows are not there" for game in games["game_id"][~both]],
            dtype=object,
        ),
        can_retry=True,
        failure_type="DATA_GAP",
    )
    outcome = run.map_rows("teams", compute, Grouped.by(requested, "defending_team_abbr", "game_date"))
    return Outcome(outcome.rows, concatenate([outcome.failures, lost]))


OFFENSE_COLUMNS = ("game_id", "team_abbr", *sorted({*FROM_OPPONENT.values(), *FROM_OWN.values()}))


def _blocks(run: TableRun, requested: Columns) -> dict[str, NDArray[Any]]:
    shots = Shots.of(run.read(PLAY_BY_PLAY.table, SHOT_COLUMNS, where={"event_type": "shot"}))
    by_team = shots.blocks_by_shooting_team()
    # The blocker's team is not in the feed; it is the one that did not shoot.
    found = find((requested["game_id"], requested["opponent_team_abbr"]), (by_team["game_id"], by_team["team_abbr"]))
    covered = within(requested["game_id"], shots.games())
    blocks = join_at(by_team, found, {**BLOCKS, **dict.fromkeys(BLOCKS_BY_EVENTS.values(), "blocks_by_events")})
    blocks = {name: np.where(covered, np.nan_to_num(values), np.nan) for name, values in blocks.items()}
    box = {
        "game_id": requested["game_id"],
        "game_date": requested["game_date"],
        "team": requested["defending_team_abbr"],
        "blocks": requested["own_blocks"],
    }
    names = differing(box, blocks, BLOCKS_BY_EVENTS)
    report(
        run,
        PLAY_BY_PLAY_NOTICE.name,
        "team",
        ("the box score", "the play-by-play"),
        box,
        blocks,
        BLOCKS_BY_EVENTS,
        names,
    )
    known = blocks["blocks_paint"] + blocks["blocks_mid_range"] + blocks["blocks_three_pt"] == box["blocks"]
    return {name: np.where(known, blocks[name], np.nan) for name in BLOCKS} | {
        "blocks_differ": differ(names).astype(np.float64)
    }


def _carried(requested: Columns) -> dict[str, NDArray[Any]]:
    """Disagreements about either team's offensive row, the opponent's marked as such, and whether rows of the game are
    in quarantine.
    """
    carried = np.empty(len(requested["game_id"]), dtype=object)
    for place, (own, opponent) in enumerate(zip(requested["own_issues"], requested["opponent_issues"], strict=True)):
        carried[place] = (
            *(name for name in own if _is_disagreement(name)),
            *(f"opponent_{name}" for name in opponent if _is_disagreement(name)),
        )
    quarantined = np.array([ROWS_QUARANTINED in names for names in requested["own_issues"]], dtype=np.float64)
    return {"carried_issues": carried, "quarantined": quarantined}


def _is_disagreement(issue: str) -> bool:
    return issue.partition(":")[0] in (PLAYERS_DISAGREE, SCORE_DISAGREES, SHOTS_DISAGREE, FREE_THROWS_DISAGREE)
