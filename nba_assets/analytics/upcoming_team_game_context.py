"""A team before a scheduled game: rest, schedule density, form, travel, lines, players out.

One row per team and scheduled game, two per game. Results are those of earlier dates of the season; announcements
(lines, injury reports) count only as they stood before the game's own tip-off. A team's rest counts free days (0 is a
back-to-back), unlike a player's, which counts calendar days. A game that was played but counts in no standings (the
final of the league's cup) counts for rest, density and travel, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.feed_names import FeedNames
from nba_assets.analytics.games import announced_before
from nba_assets.analytics.injuries import IN_DOUBT, INJURY_COLUMNS, latest_statuses
from nba_assets.analytics.lines import LINE_COLUMNS, OVER, preferred
from nba_assets.analytics.parts import BEHIND, HOMES, PEOPLE, SLATE, STARTERS
from nba_assets.analytics.season_games import SeasonGames, of_certain_games
from nba_assets.analytics.starters import count_missing
from nba_assets.analytics.team_offense_game_summary import TABLE as TEAM_OFFENSE
from nba_assets.basketball.travel import great_circle_miles
from nba_assets.entities.completeness import Completeness, Readiness, completeness_columns
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, concatenate, take
from nba_assets.entities.quality import collect, quality_tier
from nba_assets.entities.relations import at, find, tally, text_where
from nba_assets.entities.windows import AsOf, AsOfWindow, Counts, Masks
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import GAME_LINES, INJURY_REPORT, PLAYER_BOXSCORES, PLAYER_REGISTRY, SCHEDULE
from nba_assets.tables.blocks import (
    CONTEXT_QUALITY,
    GAME_DATE,
    GAME_ID,
    REPROCESSING,
    STAMPS,
    completeness_block,
    readiness_block,
)
from nba_assets.tables.rules import not_two_per_game, rows_per_game_sum
from nba_assets.tables.spec import (
    Columns,
    Rule,
    Table,
    before,
    count,
    flag,
    moment,
    number,
    of_its_date,
    of_season,
    text,
    whole,
)

EARLY_SEASON_DAYS = 14
WINDOWS = ("l7d", "l14d")

TABLE = Table(
    "nba_analytics",
    "upcoming_team_game_context",
    "one team in one game scheduled for the date",
    ("game_date", "team_abbr"),
    "game_date",
    (
        text("team_abbr", "The team", nullable=False),
        GAME_ID,
        text("nba_game_id", "The league's own game id"),
        GAME_DATE,
        whole("season_year", "Year in which the season began: 2021 is 2021-22", nullable=False),
        text("opponent_team_abbr", "Its opponent", nullable=False),
        flag("home_game", "The team is the schedule's home team", nullable=False),
        whole(
            "days_since_last_game",
            "Calendar days from its last game of the season to the date, 1 = it played yesterday; null before its "
            "first",
            unit="days",
            allowed=(1, 400),
        ),
        whole(
            "team_days_rest",
            "Days without a game since its last one, 0 = it played yesterday; one less than days_since_last_game, and "
            "than days_rest of upcoming_player_game_context; null before its first",
            unit="days",
            allowed=(0, 400),
            usual=(0, 21),
        ),
        flag("team_back_to_back", "It played yesterday", nullable=False),
        whole(
            "games_in_last_7_days",
            "Games in the six days before the date, in whatever competition",
            unit="count",
            nullable=False,
            allowed=(0, 6),
        ),
        whole(
            "games_in_last_14_days",
            "Games in the thirteen days before the date, in whatever competition",
            unit="count",
            nullable=False,
            allowed=(0, 13),
        ),
        whole(
            "game_number_in_season",
            "Number of the game in its season, 1 for the first; the final of the league's cup is not counted",
            nullable=False,
            allowed=(1, 128),
        ),
        number(
            "game_spread",
            "The team's point spread, negative = favoured: the last one of a single bookmaker before tip-off "
            "(upcoming_player_game_context has the median over bookmakers)",
            unit="points",
            scale=2,
            usual=(-30, 30),
        ),
        number(
            "game_total",
            "The game's total points: the last line of a single bookmaker before tip-off "
            "(upcoming_player_game_context has the median over bookmakers)",
            unit="points",
            scale=1,
            usual=(170, 280),
        ),
        text(
            "game_spread_source",
            "Bookmaker of the spread: draftkings, else fanduel, else all of which it is the median",
        ),
        text("game_total_source", "Bookmaker of the total"),
        number(
            "spread_movement",
            "Spread minus the same bookmaker's first one; negative = moved towards the team",
            unit="points",
            scale=2,
        ),
        number("total_movement", "Total minus the same bookmaker's first one", unit="points", scale=1),
        moment(
            "betting_lines_updated_at", "When the bookmaker's spread was recorded; the total where there is no spread"
        ),
        count(
            "players_out_count",
            "Players listed as out by what was known before tip-off; null on a date without injury reports",
        ),
        count(
            "starters_out_count",
            "Players out who started at least half of the team's last ten games; null on a date without injury reports",
        ),
        count(
            "questionable_players_count",
            "Players listed as questionable or doubtful; null on a date without injury reports",
        ),
        count("team_win_streak_entering", "Wins in a row before the date", nullable=False),
        count("team_loss_streak_entering", "Losses in a row before the date", nullable=False),
        whole("last_game_margin", "Margin of its last final game", unit="points"),
        text("last_game_result", "Result of its last final game", values=("W", "L")),
        whole(
            "travel_miles",
            (
                "Great-circle miles from the arena of its last game; before the first, from its home of the season; "
                "null where one is unknown"
            ),
            unit="miles",
            allowed=(0, 12_500),
            usual=(0, 6000),
        ),
        flag("early_season_flag", f"Fewer than {EARLY_SEASON_DAYS} days since opening night", nullable=False),
        *completeness_block("team's final games of the 14 days before the date that have a game summary", WINDOWS),
        *readiness_block(),
        *CONTEXT_QUALITY,
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="team_abbr",
    rules=(
        not_two_per_game("team_abbr"),
        rows_per_game_sum("one_home_team", "A game has exactly one home team", "home_game", 1),
        Rule(
            "one_streak",
            "A team cannot be winning and losing",
            lambda rows: (rows["team_win_streak_entering"] > 0) & (rows["team_loss_streak_entering"] > 0),
        ),
        Rule(
            "fourteen_days_hold_seven",
            "games_in_last_14_days is at least games_in_last_7_days",
            lambda rows: rows["games_in_last_14_days"] < rows["games_in_last_7_days"],
        ),
    ),
    inputs=(
        of_its_date(SCHEDULE.table, SLATE),
        before(SCHEDULE.table, part=BEHIND),
        of_season(SCHEDULE.table, HOMES),
        of_its_date(GAME_LINES.table),
        of_its_date(INJURY_REPORT.table),
        before(PLAYER_BOXSCORES.table, part=STARTERS, has_all_finals=True),
        of_season(PLAYER_REGISTRY.table, PEOPLE),
        before(TEAM_OFFENSE, days=14, has_all_finals=True),
    ),
    stage="pregame",
    code_version="2",
)


@dataclass(frozen=True)
class Shared:
    """What is the same for all teams of a run."""

    readiness: Readiness


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Shared) -> Outcome:
    """The rows of some teams over all requested games; `histories` are the `games` behind them, their `starts` and
    their players listed `out`.
    """
    games, as_of = histories["games"], AsOf.of(requested)
    final, margin = games["is_final"] == 1, games["margin"]
    season = AsOfWindow.season_to_date(games, as_of)
    league, finals = season.only(games["is_league"] == 1), season.only(final)
    since_last = (as_of.dates - season.newest(games.dates)) / np.timedelta64(1, "D")
    complete = {
        f"l{days}d": Completeness.of(AsOfWindow.last_days(games, as_of, days).only(final), games["has_row"] == 1)
        for days in (7, 14)
    }
    last_margin = finals.newest(margin)
    rows = {
        **{name: requested[name] for name in IDENTITY},
        "days_since_last_game": since_last,
        "team_days_rest": since_last - 1,
        "team_back_to_back": since_last == 1,
        "games_in_last_7_days": AsOfWindow.within_days(games, as_of, 7).games(),
        "games_in_last_14_days": AsOfWindow.within_days(games, as_of, 14).games(),
        "game_number_in_season": league.games() + 1,
        "game_spread": requested["spread_current"],
        "game_total": requested["total_current"],
        "game_spread_source": requested["spread_source"],
        "game_total_source": requested["total_source"],
        "spread_movement": requested["spread_movement"],
        "total_movement": requested["total_movement"],
        "betting_lines_updated_at": np.where(
            np.isnat(requested["spread_updated_at"]), requested["total_updated_at"], requested["spread_updated_at"]
        ),
        "players_out_count": requested["players_out"],
        "starters_out_count": _starters_out(requested, histories),
        "questionable_players_count": requested["players_in_doubt"],
        "team_win_streak_entering": finals.leading_run(margin > 0),
        "team_loss_streak_entering": finals.leading_run(margin < 0),
        "last_game_margin": last_margin,
        "last_game_result": text_where(last_margin > 0, "W", text_where(last_margin < 0, "L", None)),
        "travel_miles": _travel(requested, season, games),
        "early_season_flag": requested["days_into_season"] < EARLY_SEASON_DAYS,
        **completeness_columns(complete, primary="l14d"),
        **shared.readiness.columns(complete, requested["is_bootstrap"] == 1, requested["is_boundary"] == 1),
    }
    return Outcome(rows | _quality(requested, rows, shared.readiness))


IDENTITY = ("team_abbr", "game_id", "nba_game_id", "game_date", "season_year", "opponent_team_abbr", "home_game")


def _travel(requested: Columns, season: AsOfWindow, games: Columns) -> NDArray[np.float64]:
    """Miles to tonight's arena from that of the team's last game; before the first game of a season a team sits at
    home. NaN where one is unknown.
    """
    latitude, longitude = season.newest(games["arena_latitude"]), season.newest(games["arena_longitude"])
    first = season.games() == 0
    return great_circle_miles(
        np.where(first, requested["home_latitude"], latitude),
        np.where(first, requested["home_longitude"], longitude),
        requested["arena_latitude"],
        requested["arena_longitude"],
    )


def _starters_out(requested: Grouped, histories: Mapping[str, Grouped]) -> NDArray[np.float64]:
    games, starts, out = (histories[name] for name in ("games", "starts", "out"))
    missing = count_missing(requested, games.where(games["is_final"] == 1), starts, out, _started_half)
    return np.where(np.isnan(requested["players_out"]), np.nan, missing)


def _started_half(starts: Counts, games: Counts) -> Masks:
    return (starts >= 1) & (2 * starts >= games)


def _quality(requested: Columns, rows: Columns, readiness: Readiness) -> dict[str, NDArray[Any]]:
    size = len(requested["game_id"])
    pct = rows["l14d_completeness_pct"]
    scores = np.select([pct >= 95, pct >= 75, pct >= 50], [95.0, 75.0, 50.0], 25.0)
    unready = [
        (
            rows[f"{window}_completeness_pct"] < readiness.threshold_pct,
            np.array(
                [f"{window}_incomplete:{value:.0f}%" for value in rows[f"{window}_completeness_pct"]], dtype=object
            ),
        )
        for window in WINDOWS
    ]
    no_spread, no_total, no_reports = (
        np.isnan(rows["game_spread"]),
        np.isnan(rows["game_total"]),
        np.isnan(requested["players_out"]),
    )
    issues = collect(
        size,
        [
            *unready,
            (rows["season_boundary_detected"], "season_boundary"),
            (rows["backfill_bootstrap_mode"], "bootstrap_mode"),
            (no_spread, "missing_game_spread"),
            (no_total, "missing_game_total"),
            (no_reports, "missing_injury_report"),
            (np.isnan(rows["travel_miles"]), "unknown_arena"),
        ],
    )
    sources = collect(
        size,
        [
            (~no_spread | ~no_total, GAME_LINES.name),
            (~no_reports, INJURY_REPORT.name),
            (np.ones(size, dtype=bool), SCHEDULE.name),
        ],
    )
    return {
        "quality_tier": quality_tier(scores),
        "quality_score": scores,
        "quality_issues": issues,
        "data_sources": sources,
        "processed_with_issues": np.array([len(names) > 0 for names in issues], dtype=bool),
    }


def build(run: TableRun) -> Outcome:
    """Team rows of the games scheduled for the run's dates."""
    season = SeasonGames.read(run, ("game_time_utc",))
    games = dict(season.behind)
    with_row = run.read(TEAM_OFFENSE, ("game_id", "team_abbr"), start=run.season_start)
    games["has_row"] = (
        find((games["game_id"], games["team_abbr"]), (with_row["game_id"], with_row["team_abbr"])) >= 0
    ).astype(np.float64)
    tonight = season.on_dates_of(run)
    requested, uncertain = of_certain_games(tonight, "team_abbr", tonight)
    requested |= run.season_columns(requested["game_date"])
    lines = preferred(run.read(GAME_LINES.table, LINE_COLUMNS))
    names = ("current", "movement", "source", "updated_at")
    requested |= lines.of(requested, requested["team_abbr"], names, "spread_")
    requested |= lines.of(requested, np.full(len(requested["game_id"]), OVER, dtype=object), names, "total_")
    feeds = FeedNames.of(run)
    starts = feeds.box(("game_id", "game_date", "team_abbr", "player_lookup"), starter=True)
    out = _injuries(feeds, starts, requested)
    histories = {
        "games": Grouped.by(games, "team_abbr", "game_date"),
        "starts": Grouped.by(starts, "team_abbr", "game_date"),
        "out": Grouped.by(out, "team", "game_date"),
    }
    outcome = run.map_rows(
        "teams",
        compute,
        Grouped.by(requested, "team_abbr", "game_date"),
        histories,
        Shared(Readiness(run.settings.ready_threshold_pct)),
    )
    return Outcome(outcome.rows, concatenate([outcome.failures, uncertain]))


def _injuries(feeds: FeedNames, starts: Columns, requested: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Counts the listed players of each requested game in; returns those who are out."""
    reports = feeds.reports_on_starters(INJURY_COLUMNS, starts, requested)
    place = find((reports["game_date"], reports["team"]), (requested["game_date"], requested["team_abbr"]))
    latest = latest_statuses(reports, at(requested["game_time_utc"], place))
    status = latest["injury_status"]
    counted = tally(
        {"game_date": latest["game_date"], "team": latest["team"]},
        {"out": status == "out", "in_doubt": np.isin(status.astype(str), IN_DOUBT)},
    )
    found = find((requested["game_date"], requested["team_abbr"]), (counted["game_date"], counted["team"]))
    reported = announced_before(
        reports["game_date"], reports["reported_at"], requested["game_date"], requested["game_time_utc"]
    )
    for name in ("out", "in_doubt"):
        requested[f"players_{name}"] = np.where(reported, np.nan_to_num(at(counted[name], found)), np.nan)
    return take(latest, status == "out")
