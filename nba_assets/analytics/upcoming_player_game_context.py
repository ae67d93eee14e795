"""A player before a scheduled game: lines, workload, form, teammates, matchup, the schedule ahead.

One row per player who belongs to a team that plays on the date and is not listed as out or doubtful. Who belongs is
read from the latest roster snapshots, for a past date exactly as on the day. Results are those of earlier dates of the
season; lines, props, injury reports count only as they stood before the game's own tip-off. A player's days of rest
count calendar days: 1 means that he played yesterday. What he played in a game that counts in no standings (the final
of the league's cup) counts for rest, load and travel, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nba_assets.analytics import stars, team_facts
from nba_assets.analytics.feed_names import NAMES_MATCHED, FeedNames
from nba_assets.analytics.games import announced_before
from nba_assets.analytics.injuries import INJURY_COLUMNS, NOT_PLAYING, latest_statuses
from nba_assets.analytics.lines import CONSENSUS_STANDS_FOR, LINE_COLUMNS, OVER, consensus
from nba_assets.analytics.parts import AHEAD, BEHIND, BESIDES, HOMES, PEOPLE, SLATE, TEAMS
from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.player_game_summary import played_games
from nba_assets.analytics.props import before_tip_off, closing_lines
from nba_assets.analytics.rosters import ROSTER_COLUMNS, members
from nba_assets.analytics.season_games import SeasonGames, minutes_besides, of_certain_games
from nba_assets.analytics.team_defense_game_summary import TABLE as TEAM_DEFENSE
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.analytics.venues import PLACE_COLUMNS
from nba_assets.basketball.arithmetic import difference_of_ratios
from nba_assets.basketball.travel import time_zone_labels
from nba_assets.entities import refusals
from nba_assets.entities.completeness import (
    OLDEST_SNAPSHOT_DAYS,
    League,
    PlayerWindows,
    Readiness,
    completeness_columns,
)
from nba_assets.entities.groups import Grouped, Numbered
from nba_assets.entities.outcomes import Outcome, concatenate, join, take
from nba_assets.entities.quality import SAMPLE_QUALITIES, collect, quality_tier, sample_quality
from nba_assets.entities.relations import at, find, join_at, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow, Dates
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import (
    GAME_LINES,
    INJURY_REPORT,
    PLAYER_BOXSCORES,
    PLAYER_GAMEBOOK,
    PLAYER_POINTS_PROPS,
    PLAYER_REGISTRY,
    ROSTERS,
    SCHEDULE,
)
from nba_assets.tables.blocks import (
    CONTEXT_QUALITY,
    GAME_DATE,
    GAME_ID,
    PLAYER_LOOKUP,
    REPROCESSING,
    STAMPS,
    UNIVERSAL_PLAYER_ID,
    completeness_block,
    readiness_block,
)
from nba_assets.tables.remarks import PACE_COMPARED, RATING_COMPARED
from nba_assets.tables.rules import group_sizes
from nba_assets.tables.spec import (
    Columns,
    Rule,
    Table,
    before,
    count,
    flag,
    number,
    of_its_date,
    of_season,
    text,
    whole,
)

HISTORY_DAYS = 30
USAGE_GAMES, PROJECTION_GAMES = 7, 3
THIN_SAMPLE = 3
AHEAD_DAYS = 14
ONE_DAY = np.timedelta64(1, "D")
WINDOWS = ("l5", "l10", "l7d", "l14d", "l30d")
EARLY_MONTHS, MIDDLE_MONTHS = (10, 11), (12, 1, 2)


def _odd_team_size(rows: Columns) -> NDArray[np.bool_]:
    sizes = group_sizes(rows, "game_id", "team_abbr")
    return (sizes < 10) | (sizes > 18)


TABLE = Table(
    "nba_analytics",
    "upcoming_player_game_context",
    "one player expected to play in one game scheduled for the date",
    ("game_date", "player_lookup"),
    "game_date",
    (
        PLAYER_LOOKUP,
        UNIVERSAL_PLAYER_ID,
        GAME_ID,
        GAME_DATE,
        text("team_abbr", "The player's team by the latest rosters", nullable=False),
        text("opponent_team_abbr", "Its opponent", nullable=False),
        flag("has_prop_line", "A points line was known before tip-off", nullable=False),
        flag("home_game", "The team is the schedule's home team", nullable=False),
        text(
            "season_phase",
            (
                "playoffs by the schedule (play-in included); else early in October and November, mid from December to "
                "February, late after"
            ),
            nullable=False,
            values=("early", "mid", "late", "playoffs"),
        ),
        number(
            "current_points_line",
            "The preferred bookmaker's last points line before tip-off",
            unit="points",
            scale=1,
            usual=(5, 50),
        ),
        text("current_points_line_source", "Bookmaker of the line; prefixed where it comes from the secondary feed"),
        number(
            "opening_points_line",
            "First line of the same bookmaker; null where there was only one",
            unit="points",
            scale=1,
        ),
        text("opening_points_line_source", "Bookmaker of the opening line"),
        number("line_movement", "Current minus opening line", unit="points", scale=1, usual=(-5, 5)),
        number(
            "game_spread",
            "Median over bookmakers of the team's spread, negative = favoured",
            unit="points",
            scale=1,
            usual=(-30, 30),
        ),
        number(
            "opening_spread",
            "The same of their first lines; null where there was a single snapshot",
            unit="points",
            scale=1,
        ),
        number("spread_movement", "Current minus opening spread", unit="points", scale=1),
        text("game_spread_source", "Bookmakers of the spread, sorted"),
        text("game_total_source", "Bookmakers of the total, sorted"),
        number("game_total", "Median over bookmakers of the game's total", unit="points", scale=1, usual=(170, 280)),
        number(
            "opening_total",
            "The same of their first lines; null where there was a single snapshot",
            unit="points",
            scale=1,
        ),
        number("total_movement", "Current minus opening total", unit="points", scale=1),
        whole(
            "days_rest",
            "Calendar days from his last game of the season to the date, 1 = he played yesterday; null before his "
            "first. team_days_rest of upcoming_team_game_context counts one less",
            unit="days",
            allowed=(1, 400),
        ),
        flag("back_to_back", "He played yesterday", nullable=False),
        whole(
            "days_rest_before_last_game",
            "Days between his last two games of the last 30 days",
            unit="days",
            allowed=(1, 30),
        ),
        whole(
            "days_since_2_plus_days_rest",
            "Days since the newest of his games that came two or more calendar days after the one before it",
            unit="days",
            allowed=(1, 30),
        ),
        whole(
            "games_in_last_7_days",
            "Games he played in the six days before the date, in whatever competition",
            unit="count",
            nullable=False,
            allowed=(0, 6),
        ),
        whole(
            "games_in_last_14_days",
            "Games he played in the thirteen days before the date, in whatever competition",
            unit="count",
            nullable=False,
            allowed=(0, 13),
        ),
        count("minutes_in_last_7_days", "Minutes in those six days, rounded down", unit="minutes", nullable=False),
        count(
            "minutes_in_last_14_days", "Minutes in those thirteen days, rounded down", unit="minutes", nullable=False
        ),
        number(
            "avg_minutes_per_game_last_7",
            "Minutes per game in those six days",
            unit="minutes",
            scale=1,
            allowed=(0, 70),
        ),
        whole(
            "back_to_backs_last_14_days",
            "Pairs of his games on consecutive days in those thirteen days",
            unit="count",
            nullable=False,
            allowed=(0, 12),
        ),
        number(
            "avg_usage_rate_last_7_games",
            "Mean usage rate of his newest 7 games of the last 30 days, unknown ones skipped",
            unit="percent",
            scale=1,
            allowed=(0, 100),
        ),
        count(
            "travel_miles",
            (
                "Great-circle miles that the team travels to the game, from its last one, before its first from its "
                "home; null where an arena is unknown"
            ),
            unit="miles",
        ),
        number(
            "time_zone_changes",
            "Hours the clock is moved on that way; null where a zone is unknown",
            unit="hours",
            scale=2,
            allowed=(0, 24),
        ),
        count("consecutive_road_games", "Road games in a row, this one included; 0 at home", nullable=False),
        count(
            "miles_traveled_last_14_days",
            (
                "Miles between the team's games of the 14 days before the date, without the way to this one; null "
                "where one of the arenas is unknown"
            ),
            unit="miles",
        ),
        number(
            "time_zones_crossed_last_14_days",
            "Hours the clock was moved on those ways; null where a zone is unknown",
            unit="hours",
            scale=2,
        ),
        whole(
            "player_age",
            "Age on the date, by birth date; by the feed where that is unknown",
            unit="years",
            allowed=(15, 60),
        ),
        number("points_avg_last_5", "Mean points of his newest 5 games of the last 30 days", unit="points", scale=1),
        number("points_avg_last_10", "Mean points of his newest 10 games of the last 30 days", unit="points", scale=1),
        whole("l5_games_used", "Games in the first of these means", unit="count", nullable=False, allowed=(0, 5)),
        whole("l10_games_used", "Games in the second", unit="count", nullable=False, allowed=(0, 10)),
        text(
            "l5_sample_quality",
            "excellent 5 games, good 3, limited 2, else insufficient",
            nullable=False,
            values=SAMPLE_QUALITIES,
        ),
        text(
            "l10_sample_quality",
            "excellent 10 games, good 7, limited 5, else insufficient",
            nullable=False,
            values=SAMPLE_QUALITIES,
        ),
        count(
            "prop_over_streak",
            "Newest games in a row above tonight's line; a game on the line is passed over",
            nullable=False,
        ),
        count(
            "prop_under_streak",
            "Newest games in a row below tonight's line; a game on the line is passed over",
            nullable=False,
        ),
        count("star_teammates_out", "Star teammates listed as out or doubtful; null on a date without injury reports"),
        count(
            "questionable_star_teammates",
            "Star teammates listed as questionable; null on a date without injury reports",
        ),
        count(
            "star_tier_out",
            (
                "Weight of the stars out: 3 from 25 points a game, 2 from 18, else 1; null on a date without injury "
                "reports"
            ),
        ),
        count(
            "questionable_teammates",
            "Teammates listed as questionable or doubtful; null on a date without injury reports",
        ),
        count("probable_teammates", "Teammates listed as probable; null on a date without injury reports"),
        number(
            "shooting_pct_decline_last_5",
            "Field-goal percentage of his newest 5 games minus that of his newest 10, as fractions",
            unit="fraction",
            scale=3,
            allowed=(-1, 1),
        ),
        number(
            "pace_differential",
            f"Mean pace of the team's last 10 games minus the opponent's, both {PACE_COMPARED}",
            unit="possessions per 48 minutes",
            scale=1,
        ),
        number(
            "opponent_pace_last_10",
            f"Mean pace of the opponent's last 10 games, {PACE_COMPARED}",
            unit="possessions per 48 minutes",
            scale=1,
            usual=(80, 120),
        ),
        number(
            "opponent_def_rating_last_10",
            f"Mean defensive rating of the opponent's last 10 games, {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=2,
        ),
        number(
            "opponent_off_rating_last_10",
            f"Mean offensive rating of the opponent's last 10 games, {RATING_COMPARED}",
            unit="points per 100 possessions",
            scale=2,
        ),
        number(
            "opponent_ft_rate_allowed",
            "Mean free throws allowed by the opponent per 100 possessions, last 10 games",
            unit="per 100 possessions",
            scale=3,
        ),
        number(
            "opponent_rebounding_rate",
            "The opponent's rebounds per 100 of its possessions, last 10 games",
            unit="per 100 possessions",
            scale=2,
        ),
        number(
            "opponent_pace_variance",
            "Sample standard deviation (not the variance) of the opponent's pace, last 10 games",
            unit="possessions per 48 minutes",
            scale=2,
        ),
        number(
            "opponent_ft_rate_variance",
            "Sample standard deviation (not the variance) of the free throws allowed per 100 possessions, last 10 "
            "games",
            unit="per 100 possessions",
            scale=3,
        ),
        number(
            "opponent_def_rating_variance",
            "Sample standard deviation (not the variance) of the opponent's defensive rating, last 10 games",
            unit="points per 100 possessions",
            scale=2,
        ),
        number(
            "opponent_off_rating_variance",
            "Sample standard deviation (not the variance) of the opponent's offensive rating, last 10 games",
            unit="points per 100 possessions",
            scale=2,
        ),
        number(
            "opponent_rebounding_rate_variance",
            "Sample standard deviation (not the variance) of its rebounds per 100 possessions, last 10 games",
            unit="per 100 possessions",
            scale=2,
        ),
        number(
            "projected_usage_rate",
            "Mean usage rate of his newest 3 games of the last 30 days, taken as his expected role",
            unit="percent",
            scale=1,
            allowed=(0, 100),
        ),
        whole(
            "next_game_days_rest",
            "Days to the team's next regular-season game of the season; null on play-in and play-off dates",
            unit="days",
            allowed=(1, 200),
        ),
        whole(
            "games_in_next_7_days",
            "The team's regular-season games in the 7 days after the date; null on play-in and play-off dates",
            unit="count",
            allowed=(0, 7),
        ),
        number(
            "next_opponent_win_pct",
            "Wins / games of the next opponent over the last 90 days",
            unit="fraction",
            scale=3,
            allowed=(0, 1),
        ),
        flag("next_game_is_primetime", "The next game is on national television"),
        whole(
            "opponent_days_rest",
            "Calendar days from the opponent's last game to the date, 1 = it played yesterday",
            unit="days",
            allowed=(1, 400),
        ),
        whole(
            "opponent_games_in_next_7_days", "As games_in_next_7_days, of the opponent", unit="count", allowed=(0, 7)
        ),
        whole("opponent_next_game_days_rest", "As next_game_days_rest, of the opponent", unit="days", allowed=(1, 200)),
        text("game_start_time_local", "Tip-off at the arena, e.g. 7:30 PM ET"),
        text(
            "player_status",
            "His latest injury status before tip-off; null where he is not listed",
            values=("questionable", "probable", "available"),
        ),
        text("injury_report", "His entry in the injury report"),
        *completeness_block(
            "final games of his team in the 30 days before the date for which he was available", WINDOWS
        ),
        whole(
            "l10_expected_games", "Expected games of the ten-game window", unit="count", nullable=False, allowed=(0, 10)
        ),
        whole(
            "l10_actual_games",
            "Expected games of the ten-game window that have his row",
            unit="count",
            nullable=False,
            allowed=(0, 10),
        ),
        text(
            "gap_classification",
            "Kind of gap in the last 30 days",
            nullable=False,
            values=("NO_GAP", "DATA_GAP", "NAME_UNRESOLVED"),
        ),
        *readiness_block(),
        *CONTEXT_QUALITY,
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
    notices=(NAMES_MATCHED,),
    rules=(
        Rule(
            "opponents_differ",
            "A team does not play itself",
            lambda rows: rows["team_abbr"] == rows["opponent_team_abbr"],
        ),
        Rule(
            "one_streak",
            "A streak is over or under",
            lambda rows: (rows["prop_over_streak"] > 0) & (rows["prop_under_streak"] > 0),
        ),
        Rule("ten_to_eighteen_players", "A team lists 10 to 18 players", _odd_team_size, blocking=False),
    ),
    inputs=(
        of_its_date(SCHEDULE.table, SLATE),
        before(SCHEDULE.table, part=BEHIND),
        before(SCHEDULE.table, own_date=True, part=AHEAD, as_known=True),
        of_season(SCHEDULE.table, HOMES),
        of_season(SCHEDULE.table, TEAMS),
        before(ROSTERS.table, own_date=True, lead_days=OLDEST_SNAPSHOT_DAYS),
        of_its_date(INJURY_REPORT.table),
        of_its_date(GAME_LINES.table),
        of_its_date(PLAYER_POINTS_PROPS.table),
        of_season(PLAYER_REGISTRY.table, PEOPLE),
        before(PLAYER_GAMEBOOK.table, only_on=BESIDES),
        before(PLAYER_BOXSCORES.table, only_on=BESIDES),
        before(PLAYER_GAMES, has_all_finals=True),
        before(TEAM_OFFENSE, has_all_finals=True),
        before(TEAM_DEFENSE, has_all_finals=True),
    ),
    stage="pregame",
    code_version="2",
)


@dataclass(frozen=True)
class Shared:
    """What is the same for all players of a run."""

    readiness: Readiness
    league: League


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Shared) -> Outcome:
    """The rows of some players over all requested dates; `histories` are their `sheet` rows, their minutes `besides`
    them and their `roster` rows.
    """
    requested, refused = refusals.divide(requested)
    if not len(requested["game_date"]):
        return Outcome({}, refused)
    played, as_of = played_games(histories["sheet"]), AsOf.of(requested)
    history = AsOfWindow.last_days(played, as_of, HISTORY_DAYS)
    rows = {
        **{name: requested[name] for name in COPIED},
        **_fatigue(_load(played, histories["besides"]), as_of),
        **_form(played, history, requested["current_points_line"]),
        **_completeness(requested, as_of, histories, shared),
    }
    return Outcome(rows | _quality(requested, rows, history.games()), refused)


COPIED = (
    "player_lookup",
    "universal_player_id",
    "game_id",
    "game_date",
    "team_abbr",
    "opponent_team_abbr",
    "has_prop_line",
    "home_game",
    "season_phase",
    "current_points_line",
    "current_points_line_source",
    "opening_points_line",
    "opening_points_line_source",
    "line_movement",
    "game_spread",
    "opening_spread",
    "spread_movement",
    "game_spread_source",
    "game_total_source",
    "game_total",
    "opening_total",
    "total_movement",
    "travel_miles",
    "time_zone_changes",
    "consecutive_road_games",
    "miles_traveled_last_14_days",
    "time_zones_crossed_last_14_days",
    "player_age",
    "star_teammates_out",
    "questionable_star_teammates",
    "star_tier_out",
    "questionable_teammates",
    "probable_teammates",
    "pace_differential",
    "opponent_pace_last_10",
    "opponent_def_rating_last_10",
    "opponent_off_rating_last_10",
    "opponent_ft_rate_allowed",
    "opponent_rebounding_rate",
    "opponent_pace_variance",
    "opponent_ft_rate_variance",
    "opponent_def_rating_variance",
    "opponent_off_rating_variance",
    "opponent_rebounding_rate_variance",
    "next_game_days_rest",
    "games_in_next_7_days",
    "next_opponent_win_pct",
    "next_game_is_primetime",
    "opponent_days_rest",
    "opponent_games_in_next_7_days",
    "opponent_next_game_days_rest",
    "game_start_time_local",
    "player_status",
    "injury_report",
)
"""Columns that preparing the run joins to the requested rows, because they are not the player's own past."""


def _load(played: Grouped, besides: Grouped) -> Numbered:
    """All games that each player was on the floor in: `game_date` and `minutes_played`."""
    if not len(besides.dates):
        return played
    names = ("game_date", "minutes_played")
    together = concatenate([{name: games[name] for name in names} for games in (played, besides)])
    group = np.concatenate([played.group, besides.group])
    return Numbered.sort(together, group, len(played.entities), "game_date")


def _fatigue(load: Numbered, as_of: AsOf) -> dict[str, NDArray[Any]]:
    """How rested he is. Only the days since his last game look back over the whole season."""
    dates, minutes = load.dates, load["minutes_played"]
    rest = (as_of.dates - AsOfWindow.season_to_date(load, as_of).newest(dates)) / ONE_DAY
    history = AsOfWindow.last_days(load, as_of, HISTORY_DAYS)
    week, fortnight = (AsOfWindow.within_days(load, as_of, days) for days in (7, 14))
    gaps = np.append(np.nan, np.diff(dates) / ONE_DAY)[: len(dates)]
    tenths = np.rint(10 * minutes)
    return {
        "days_rest": rest,
        "back_to_back": rest == 1,
        "days_rest_before_last_game": (history.newest(dates) - history.newest(dates, rank=1)) / ONE_DAY,
        "days_since_2_plus_days_rest": _days_since_rest(history, dates, gaps, as_of.dates),
        "games_in_last_7_days": week.games(),
        "games_in_last_14_days": fortnight.games(),
        "minutes_in_last_7_days": np.floor(week.total(tenths) / 10),
        "minutes_in_last_14_days": np.floor(fortnight.total(tenths) / 10),
        "avg_minutes_per_game_last_7": week.mean(minutes, scale=1),
        "back_to_backs_last_14_days": _pairs(fortnight, gaps),
    }


def _inner_gaps(window: AsOfWindow, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days between each game of a window and the one before it in the window; NaN for its first and for empty
    places.
    """
    inner = window.gather(gaps)
    return np.where(np.roll(window.rows, 1, axis=1) >= 0, inner, np.nan)[:, 1:]


def _days_since_rest(history: AsOfWindow, dates: Dates, gaps: NDArray[np.float64], as_of: Dates) -> NDArray[np.float64]:
    rested = _inner_gaps(history, gaps) >= 2
    place = rested.shape[1] - 1 - np.argmax(rested[:, ::-1], axis=1)
    row = np.take_along_axis(history.rows[:, 1:], place[:, np.newaxis], axis=1)[:, 0]
    since = (as_of - np.append(dates, np.datetime64("NaT", "D"))[row]) / ONE_DAY
    return np.where(rested.any(axis=1), since, np.nan)


def _pairs(window: AsOfWindow, gaps: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.count_nonzero(_inner_gaps(window, gaps) == 1, axis=1)


def _form(played: Columns, history: AsOfWindow, line: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """How he played lately, and how that stands to tonight's line."""
    last_5, last_10 = history.last(5), history.last(10)
    points = played["points"]
    makes_5, makes_10 = (window.total(played["fg_makes"]) for window in (last_5, last_10))
    attempts_5, attempts_10 = (window.total(played["fg_attempts"]) for window in (last_5, last_10))
    usage = played["usage_rate"]
    over, under = _streaks(history.gather(points)[:, ::-1], line)
    return {
        "avg_usage_rate_last_7_games": history.last(USAGE_GAMES).mean(usage, scale=1),
        "projected_usage_rate": history.last(PROJECTION_GAMES).mean(usage, scale=1),
        "points_avg_last_5": last_5.mean(points),
        "points_avg_last_10": last_10.mean(points),
        "l5_games_used": last_5.games(),
        "l10_games_used": last_10.games(),
        "l5_sample_quality": sample_quality(last_5.games(), 5),
        "l10_sample_quality": sample_quality(last_10.games(), 10),
        "prop_over_streak": over,
        "prop_under_streak": under,
        "shooting_pct_decline_last_5": difference_of_ratios(makes_5, attempts_5, makes_10, attempts_10),
    }


def _streaks(
    newest_first: NDArray[np.float64], line: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Games in a row over and under the line, from the newest back; a game on the line is passed over, an unknown one
    ends nothing.
    """
    above, below = newest_first > line[:, np.newaxis], newest_first < line[:, np.newaxis]

    def run(hits: NDArray[np.bool_], other: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.count_nonzero(hits & (np.cumsum(other, axis=1) == 0), axis=1)

    return run(above, below), run(below, above)


def _completeness(
    requested: Columns, as_of: AsOf, histories: Mapping[str, Grouped], shared: Shared
) -> dict[str, NDArray[Any]]:
    sheet, roster = histories["sheet"], histories["roster"]
    games = PlayerWindows.of(requested["team_abbr"], as_of, sheet, roster, shared.league)
    windows = {f"l{number}": games.last_games(number) for number in (5, 10)} | {
        f"l{days}d": games.last_days(days) for days in (7, 14, HISTORY_DAYS)
    }
    return {
        **completeness_columns(windows, primary="l30d"),
        **shared.readiness.columns(windows, requested["is_bootstrap"] == 1, requested["is_boundary"] == 1),
        "l10_expected_games": windows["l10"].expected,
        "l10_actual_games": windows["l10"].actual,
        "gap_classification": games.gap(HISTORY_DAYS),
    }


def _quality(requested: Columns, rows: Columns, games: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    size = len(games)
    no_spread, no_total = np.isnan(requested["game_spread"]), np.isnan(requested["game_total"])
    bookmakers = np.nan_to_num(requested["book_count"])
    few = (bookmakers > 0) & (bookmakers < CONSENSUS_STANDS_FOR)
    no_reports = requested["date_has_reports"] != 1
    counted: list[tuple[NDArray[np.bool_], str | NDArray[np.object_]]] = [
        (no_spread, "missing_game_spread"),
        (no_total, "missing_game_total"),
        (few, np.array([f"few_bookmakers:{number:.0f}/{CONSENSUS_STANDS_FOR}" for number in bookmakers], dtype=object)),
        (games < THIN_SAMPLE, np.array([f"thin_sample:{number}/{THIN_SAMPLE}" for number in games], dtype=object)),
        (no_reports, "missing_injury_report"),
        (np.isnat(requested["roster_date"]), "missing_roster_snapshot"),
        (np.logical_or.reduce([np.isnan(rows[name]) for name in TRAVEL]), "unknown_arena"),
        (requested["next_opponent_lost"] == 1, "missing_next_opponent_facts"),
    ]
    no_props = requested["date_has_props"] != 1
    scores = np.select([games >= 10, games >= 5], [95.0, 75.0], 50.0)
    sources = collect(
        size,
        [
            (~no_spread | ~no_total, GAME_LINES.name),
            (~no_reports, INJURY_REPORT.name),
            (requested["has_prop_line"] == 1, PLAYER_POINTS_PROPS.name),
            (~np.isnat(requested["roster_date"]), ROSTERS.name),
            (np.ones(size, dtype=bool), SCHEDULE.name),
        ],
    )
    return {
        "quality_tier": quality_tier(scores),
        "quality_score": scores,
        "quality_issues": collect(size, [*counted, (no_props, "missing_points_props")]),
        "data_sources": sources,
        "processed_with_issues": np.logical_or.reduce([mask for mask, _ in counted]),
    }


def build(run: TableRun) -> Outcome:
    """Player rows of the games scheduled for the run's dates."""
    feeds = FeedNames.of(run)
    season = SeasonGames.read(run, ("game_time_utc", "is_primetime"))
    tonight = season.on_dates_of(run)
    if not len(tonight["game_id"]):
        return Outcome({})
    tonight["season_start"] = run.calendar.first_day(tonight["game_date"])
    sheet = run.read(PLAYER_GAMES, SHEET_COLUMNS, start=run.season_start)
    rosters = feeds.rosters(ROSTER_COLUMNS, start=run.season_start - timedelta(days=OLDEST_SNAPSHOT_DAYS))
    facts, lost_facts = _team_facts(run, season, tonight)
    known, indistinct = feeds.without_shared(members(tonight, rosters, sheet), ("team_abbr",))
    people = _with_statuses(feeds, known, tonight)
    people["team_finals"] = at(
        facts["finals_played"],
        find((people["game_date"], people["team_abbr"]), (facts["game_date"], facts["team_abbr"])),
    )
    sheets = Grouped.by(sheet, "player_lookup", "game_date")
    known_stars = run.map(
        "players",
        stars.compute,
        Grouped.by(people, "player_lookup", "game_date"),
        {"played": played_games(sheets)},
    )
    requested, uncertain = of_certain_games(
        take(people, ~np.isin(people["status"].astype(str), NOT_PLAYING)), "player_lookup", tonight
    )
    requested |= _matchups(requested, facts) | _lines(run, feeds, people, requested) | _dates(run, requested)
    requested |= {
        name: np.where(requested["date_has_reports"] == 1, values, np.nan)
        for name, values in stars.teammates(people, known_stars.rows, requested).items()
    }
    requested[refusals.REASON] = _refusals(requested, people, lost_facts, known_stars.failures)
    requested["universal_player_id"], _, _ = feeds.people.identities(
        run, requested["player_lookup"], requested["season_year"]
    )
    shared = Shared(Readiness(run.settings.ready_threshold_pct), League.of(season.finals, rosters))
    histories = {
        "sheet": sheets,
        "besides": Grouped.by(minutes_besides(feeds, season), "player_lookup", "game_date"),
        "roster": Grouped.by(rosters, "player_lookup", "roster_date"),
    }
    outcome = run.map_rows("players", compute, Grouped.by(requested, "player_lookup", "game_date"), histories, shared)
    return Outcome(outcome.rows, concatenate([outcome.failures, indistinct, uncertain]))


SHEET_COLUMNS = (
    "player_lookup",
    "game_id",
    "game_date",
    "team_abbr",
    "is_dnp",
    "points",
    "minutes_played",
    "usage_rate",
    "fg_makes",
    "fg_attempts",
)


def _team_facts(run: TableRun, season: SeasonGames, tonight: Columns) -> tuple[Columns, Columns]:
    """Facts of every team of the season on every date with games, idle teams included: the next opponent may be one of
    them. And what failed.
    """
    days, places = np.unique(tonight["game_date"], return_index=True)
    seasons = tonight["season_year"][places]
    teams = np.unique(season.scheduled["team_abbr"].astype(str)).astype(object)
    requested: dict[str, NDArray[Any]] = {
        "game_date": np.tile(days, len(teams)),
        "season_year": np.tile(seasons, len(teams)),
        "team_abbr": np.repeat(teams, len(days)),
    }
    requested = take(
        requested,
        find(
            (requested["season_year"], requested["team_abbr"]),
            (season.scheduled["season_year"], season.scheduled["team_abbr"]),
        )
        >= 0,
    )
    place = find((requested["game_date"], requested["team_abbr"]), (tonight["game_date"], tonight["team_abbr"]))
    requested |= join_at(
        tonight, place, ("home_game", *PLACE_COLUMNS, "home_latitude", "home_longitude", "home_timezone")
    )
    playoff_dates = np.unique(tonight["game_date"][tonight["is_playoffs"] == 1])
    requested |= {
        "is_playoff_date": np.isin(requested["game_date"], playoff_dates).astype(np.float64),
        "season_start": run.calendar.first_day(requested["game_date"]),
    }
    histories = {
        "behind": Grouped.by(season.behind, "team_abbr", "game_date"),
        "offense": Grouped.by(
            run.read(TEAM_OFFENSE, team_facts.OFFENSE_COLUMNS, start=run.season_start), "team_abbr", "game_date"
        ),
        "defense": Grouped.by(
            run.read(TEAM_DEFENSE, team_facts.DEFENSE_COLUMNS, start=run.season_start),
            "defending_team_abbr",
            "game_date",
        ),
    }
    outcome = join(
        [
            run.map(
                "teams",
                team_facts.compute,
                Grouped.by(take(requested, np.isin(requested["game_date"], days)), "team_abbr", "game_date"),
                histories | {"scheduled": Grouped.by(scheduled, "team_abbr", "game_date")},
            )
            for days, scheduled in season.ahead
        ]
    )
    return outcome.rows or team_facts.none(), outcome.failures


def _refusals(requested: Columns, people: Columns, lost_facts: Columns, lost_stars: Columns) -> NDArray[np.object_]:
    """Why rows cannot be computed: the facts of the own or of the opposing team are lost, or it is unknown whether a
    teammate is a star.
    """
    dates = requested["game_date"]
    own, opposing = (
        refusals.reasons("the facts", lost_facts, dates, requested[name])
        for name in ("team_abbr", "opponent_team_abbr")
    )
    unknown = refusals.reasons("the star status", lost_stars, people["game_date"], people["player_lookup"])
    concerned = np.array([reason is not None for reason in unknown], dtype=bool)
    place = find((dates, requested["team_abbr"]), (people["game_date"][concerned], people["team_abbr"][concerned]))
    return refusals.first_of(own, opposing, at(unknown[concerned], place))


def _with_statuses(feeds: FeedNames, people: dict[str, NDArray[Any]], tonight: Columns) -> dict[str, NDArray[Any]]:
    """The members of tonight's teams with their game and their latest injury status before its tip-off."""
    place = find((people["game_date"], people["team_abbr"]), (tonight["game_date"], tonight["team_abbr"]))
    people |= join_at(
        tonight,
        place,
        (
            "game_id",
            "opponent_team_abbr",
            "home_game",
            "season_year",
            "season_start",
            "is_playoffs",
            "game_time_utc",
            "arena_timezone",
            "home_team_abbr",
            "away_team_abbr",
        ),
    )
    reports = feeds.reports(INJURY_COLUMNS, people)
    of_player = find((reports["game_date"], reports["player_lookup"]), (people["game_date"], people["player_lookup"]))
    latest = latest_statuses(reports, at(people["game_time_utc"], of_player))
    found = find((people["game_date"], people["player_lookup"]), (latest["game_date"], latest["player_lookup"]))
    category = at(latest["reason_category"], found)
    reason = at(latest["reason"], found)
    worded = np.array([bool(words and words.strip()) for words in reason], dtype=bool)
    return people | {
        "status": at(latest["injury_status"], found),
        "report": text_where(worded, reason, text_where(category == "unknown", None, category)),
        "date_has_reports": announced_before(
            reports["game_date"], reports["reported_at"], people["game_date"], people["game_time_utc"]
        ).astype(np.float64),
    }


def _matchups(requested: Columns, facts: Columns) -> dict[str, NDArray[Any]]:
    """The facts of the own and of the opposing team, under the names of this table."""
    key = (facts["game_date"], facts["team_abbr"])
    own = find((requested["game_date"], requested["team_abbr"]), key)
    opponent = find((requested["game_date"], requested["opponent_team_abbr"]), key)
    next_opponent = at(facts["next_opponent_team_abbr"], own)
    following = find((requested["game_date"], next_opponent), key)
    copied = (
        "travel_miles",
        "time_zone_changes",
        "consecutive_road_games",
        "miles_traveled_last_14_days",
        "time_zones_crossed_last_14_days",
        "next_game_days_rest",
        "games_in_next_7_days",
        "next_game_is_primetime",
    )
    return {
        **join_at(facts, own, copied),
        **join_at(facts, opponent, OPPONENT_FACTS),
        "pace_differential": difference_of_ratios(
            *(at(facts[name], team) for team in (own, opponent) for name in ("pace_tenths", "ten_pace_games"))
        ),
        "next_opponent_win_pct": at(facts["win_pct"], following),
        "next_opponent_lost": (following < 0) & np.array([team is not None for team in next_opponent], dtype=bool),
    }


TRAVEL = ("travel_miles", "time_zone_changes", "miles_traveled_last_14_days", "time_zones_crossed_last_14_days")
"""Null, of players who have a row, only where an arena is unknown."""

OPPONENT_FACTS = {
    "opponent_pace_last_10": "pace",
    "opponent_def_rating_last_10": "def_rating",
    "opponent_off_rating_last_10": "off_rating",
    "opponent_ft_rate_allowed": "ft_rate",
    "opponent_rebounding_rate": "rebounding_rate",
    "opponent_pace_variance": "pace_spread",
    "opponent_ft_rate_variance": "ft_rate_spread",
    "opponent_def_rating_variance": "def_rating_spread",
    "opponent_off_rating_variance": "off_rating_spread",
    "opponent_rebounding_rate_variance": "rebounding_rate_spread",
    "opponent_days_rest": "days_rest",
    "opponent_games_in_next_7_days": "games_in_next_7_days",
    "opponent_next_game_days_rest": "next_game_days_rest",
}


def _lines(run: TableRun, feeds: FeedNames, people: Columns, requested: Columns) -> dict[str, NDArray[Any]]:
    """Spread, total and points line of each requested row, as they stood before tip-off."""
    pooled = consensus(run.read(GAME_LINES.table, LINE_COLUMNS))
    names = ("current", "opening", "movement", "source", "book_count")
    spread = pooled.of(requested, requested["home_team_abbr"], names, "")
    total = pooled.of(requested, np.full(len(requested["game_id"]), OVER, dtype=object), names, "")
    # A spread is kept for the home team; seen from the visitors it has the other sign.
    side = np.where(requested["home_game"] == 1, 1.0, -1.0)
    props = feeds.props(people)
    closing = closing_lines(props)
    found = find((requested["game_date"], requested["player_lookup"]), (closing["game_date"], closing["player_lookup"]))
    points = join_at(
        closing,
        found,
        (
            "current_points_line",
            "current_points_line_source",
            "opening_points_line",
            "opening_points_line_source",
            "line_movement",
        ),
    )
    has_line = ~np.isnan(points["current_points_line"])
    early = take(props, before_tip_off(props))
    any_line = announced_before(
        early["game_date"], early["snapshot_timestamp"], requested["game_date"], requested["game_time_utc"]
    )
    return points | {
        "has_prop_line": has_line,
        "date_has_props": (has_line | any_line).astype(np.float64),
        "game_spread": side * spread["current"],
        "opening_spread": side * spread["opening"],
        "spread_movement": side * spread["movement"],
        "game_spread_source": spread["source"],
        "game_total": total["current"],
        "opening_total": total["opening"],
        "total_movement": total["movement"],
        "game_total_source": total["source"],
        "book_count": np.fmin(spread["book_count"], total["book_count"]),
    }


def _dates(run: TableRun, requested: Columns) -> dict[str, NDArray[Any]]:
    """What follows from the date itself: phase of the season, age, local tip-off, readiness exemptions."""
    days = requested["game_date"]
    month = days.astype("M8[M]").astype(np.int64) % 12 + 1
    by_month = text_where(
        np.isin(month, EARLY_MONTHS), "early", text_where(np.isin(month, MIDDLE_MONTHS), "mid", "late")
    )
    return {
        "season_phase": text_where(requested["is_playoffs"] == 1, "playoffs", by_month),
        "player_age": _ages(requested),
        "game_start_time_local": _local_tip_off(requested),
        "is_bootstrap": run.calendar.is_bootstrap(days).astype(np.float64),
        "is_boundary": run.calendar.is_boundary(days).astype(np.float64),
        "player_status": requested["status"],
        "injury_report": requested["report"],
    }


def _ages(requested: Columns) -> NDArray[np.float64]:
    """Full years by birth date; the feed's own age where that is unknown."""
    born, today = requested["birth_date"], requested["game_date"]
    years = today.astype("M8[Y]").astype(np.int64) - born.astype("M8[Y]").astype(np.int64)
    month_of = [value.astype("M8[M]").astype(np.int64) % 12 for value in (today, born)]
    in_month = [(value - value.astype("M8[M]").astype("M8[D]")).astype(np.int64) for value in (today, born)]
    before_birthday = (month_of[0] < month_of[1]) | ((month_of[0] == month_of[1]) & (in_month[0] < in_month[1]))
    return np.where(np.isnat(born), requested["age"], years - before_birthday.astype(np.int64))


def _local_tip_off(requested: Columns) -> NDArray[np.object_]:
    labels = time_zone_labels(requested["arena_timezone"], requested["game_date"])
    texts = np.full(len(labels), None, dtype=object)
    for zone in {zone for zone in requested["arena_timezone"] if zone is not None}:
        mine = (requested["arena_timezone"] == zone) & ~np.isnat(requested["game_time_utc"])
        local = pd.DatetimeIndex(requested["game_time_utc"][mine]).tz_localize("UTC").tz_convert(zone)
        clock = [
            f"{moment.hour % 12 or 12}:{moment.minute:02d} {'AM' if moment.hour < 12 else 'PM'}" for moment in local
        ]
        texts[mine] = [f"{time} {label}" for time, label in zip(clock, labels[mine], strict=True)]
    return texts
