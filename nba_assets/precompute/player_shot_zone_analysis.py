"""A player's shot distribution and field-goal percentages by zone over his newest 10 and 20 games.

One row per player with enough games and date with games, whether he plays on it or not, from his played games of the
season before the date in `player_game_summary`. A player needs a third of the season's days so far in games, at least 3
and at most 10; a player with fewer gets a failure record. Zone sums take only games whose shots are known by zone. The
first 14 days of a season have no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nba_assets.analytics.parts import GAME_DAYS
from nba_assets.analytics.player_game_summary import TABLE as PLAYER_GAMES
from nba_assets.analytics.player_game_summary import played_games
from nba_assets.basketball.arithmetic import Floats, ratio
from nba_assets.entities.completeness import (
    League,
    PlayerWindows,
    Readiness,
    SeasonSoFar,
    completeness_counts,
    shortfall,
)
from nba_assets.entities.groups import Grouped
from nba_assets.entities.outcomes import Outcome, take
from nba_assets.entities.quality import SAMPLE_QUALITIES, sample_quality
from nba_assets.entities.relations import text_where
from nba_assets.entities.windows import AsOf, AsOfWindow, Dates
from nba_assets.precompute.expected_games import EXPECTATIONS, read_expectations
from nba_assets.precompute.pregame_days import pregame_days
from nba_assets.precompute.zones import ZONE_LABELS, ZONE_WORDS, ZONES
from nba_assets.publishing.table_run import TableRun
from nba_assets.raw.tables import SCHEDULE
from nba_assets.tables.blocks import (
    PLAYER_LOOKUP,
    REPROCESSING,
    STAMPS,
    completeness_block,
    readiness_block,
    ready_flag,
)
from nba_assets.tables.remarks import PERIMETER
from nba_assets.tables.spec import Columns, Table, before, count, day, flag, number, of_its_date, text, whole

SHORT, LONG = 10, 20
LONG_NEEDS = 15
"""Games from which the longer window says more than the shorter one."""
MEDIUM_GAMES, FEWEST_GAMES = 7, 3
DAYS_PER_GAME = 3
"""In the first weeks a player needs one game for every so many days of the season."""
PRIMARY_SHARE = {"paint": 40.0, "three_pt": 40.0, "mid_range": 35.0}
"""Percent of his shots that make a zone a player's primary one, tested in this order."""

TABLE = Table(
    "nba_precompute",
    "player_shot_zone_analysis",
    "one player with enough games on one date with games, as of before the games",
    ("analysis_date", "player_lookup"),
    "analysis_date",
    (
        PLAYER_LOOKUP,
        text("universal_player_id", "Identity of the player across seasons, from his newest game"),
        day("analysis_date", "US-Eastern date that the row is as of", nullable=False),
        *(
            number(
                f"{zone}_rate_last_10",
                f"Share of his field-goal attempts {ZONE_WORDS[zone]}, newest 10 games, in percent (ml_feature_store "
                "has it as a fraction)",
                unit="percent",
                scale=2,
                allowed=(0, 100),
            )
            for zone in ZONES
        ),
        count(
            "total_shots_last_10",
            "Field-goal attempts in all zones, newest 10 games; null where there was none or none is known by zone",
        ),
        whole(
            "games_in_sample_10",
            "Games in the sample of newest 10 games",
            unit="count",
            nullable=False,
            allowed=(1, SHORT),
        ),
        text(
            "sample_quality_10",
            "excellent 10 games, good 7, limited 5, else insufficient",
            nullable=False,
            values=SAMPLE_QUALITIES,
        ),
        *(
            number(
                f"{zone}_pct_last_10",
                f"Field-goal percentage {ZONE_WORDS[zone]}, newest 10 games, as a fraction: makes / attempts",
                unit="fraction",
                scale=3,
                allowed=(0, 1),
            )
            for zone in ZONES
        ),
        *(
            number(
                f"{zone}_attempts_per_game",
                f"Field-goal attempts {ZONE_WORDS[zone]} per game, newest 10 games",
                unit="attempts per game",
                scale=1,
                allowed=(0, 60),
            )
            for zone in ZONES
        ),
        number(
            "paint_rate_last_20",
            "As paint_rate_last_10, newest 20 games; null below 15",
            unit="percent",
            scale=2,
            allowed=(0, 100),
        ),
        number(
            "paint_pct_last_20",
            "As paint_pct_last_10, newest 20 games; null below 15",
            unit="fraction",
            scale=3,
            allowed=(0, 1),
        ),
        whole(
            "games_in_sample_20",
            "Games in the sample of newest 20 games",
            unit="count",
            nullable=False,
            allowed=(1, LONG),
        ),
        text(
            "sample_quality_20",
            "excellent 20 games, good 14, limited 10, else insufficient",
            nullable=False,
            values=SAMPLE_QUALITIES,
        ),
        number(
            "assisted_rate_last_10",
            "Share of his made field goals that a teammate assisted, newest 10 games, in percent (player_daily_cache "
            "has it as a fraction)",
            unit="percent",
            scale=2,
            allowed=(0, 100),
        ),
        number(
            "unassisted_rate_last_10",
            "Share of his made field goals without an assist, newest 10 games",
            unit="percent",
            scale=2,
            allowed=(0, 100),
        ),
        text(
            "primary_scoring_zone",
            (
                "Zone with the largest share of his attempts, newest 10 games: paint or perimeter from 40 %, mid_range "
                f"from 35 %, in this order; else balanced; null without attempts; {PERIMETER}"
            ),
            values=(*ZONE_LABELS.values(), "balanced"),
        ),
        text(
            "data_quality_tier",
            "high from 10 games, medium from 7, else low",
            nullable=False,
            values=("high", "medium", "low"),
        ),
        flag("early_season_flag", "Fewer than 10 games in the sample", nullable=False),
        *completeness_block("newest 10 final games of his team, without those he was not available for"),
        *readiness_block(),
        ready_flag(),
        *REPROCESSING,
        *STAMPS,
    ),
    entity_column="player_lookup",
    inputs=(
        of_its_date(SCHEDULE.table, GAME_DAYS),
        *EXPECTATIONS,
        before(PLAYER_GAMES, has_all_finals=True),
    ),
    stage="pregame",
    code_version="1",
)


@dataclass(frozen=True)
class Shared:
    """What is the same for all players of a run."""

    readiness: Readiness
    league: League


def compute(requested: Grouped, histories: Mapping[str, Grouped], shared: Shared) -> Outcome:
    """The rows of some players over all requested dates; `histories` are their `sheet` rows, their `roster` rows and
    their raw `box` scores.
    """
    sheet = histories["sheet"]
    games, as_of = played_games(sheet), AsOf.of(requested)
    season = AsOfWindow.season_to_date(games, as_of)
    last_10, last_20 = season.last(SHORT), season.last(LONG)
    teams = AsOfWindow.season_to_date(sheet, as_of).newest(sheet["team_abbr"])
    found = PlayerWindows.of(teams, as_of, sheet, histories["roster"], shared.league).last_games(SHORT)
    played = last_10.games()
    rows = {
        "player_lookup": requested["player_lookup"],
        "universal_player_id": last_10.newest(games["universal_player_id"]),
        "analysis_date": requested["analysis_date"],
        **shot_distribution(games, last_10, last_20),
        "games_in_sample_10": played,
        "sample_quality_10": sample_quality(played, SHORT),
        "games_in_sample_20": last_20.games(),
        "sample_quality_20": sample_quality(last_20.games(), LONG),
        "data_quality_tier": quality_tier(played),
        "early_season_flag": played < SHORT,
        **completeness_counts(found),
        **shared.readiness.columns({"l10": found}, requested["is_bootstrap"] == 1, requested["is_boundary"] == 1),
    }
    least = minimum_games(requested["days_into_season"])
    enough = played >= least
    if enough.all():
        return Outcome(rows)
    expected = SeasonSoFar.of(as_of.where(~enough), sheet, histories["roster"], histories["box"], shared.league)
    players = requested["player_lookup"][~enough]
    return Outcome(take(rows, enough), _too_few(players, expected, season.games()[~enough], least[~enough]))


def minimum_games(days_into_season: NDArray[np.float64]) -> NDArray[np.int64]:
    """Games that a player needs so many days into the season. Example: 4 on day 14, 7 on day 21, 10 from day 30 on."""
    return np.clip(days_into_season // DAYS_PER_GAME, FEWEST_GAMES, SHORT).astype(np.int64)


def quality_tier(games: NDArray[np.int64]) -> NDArray[np.object_]:
    """Tier of a sample of so many games."""
    return text_where(games >= SHORT, "high", text_where(games >= MEDIUM_GAMES, "medium", "low"))


def _too_few(
    players: NDArray[np.object_], season: SeasonSoFar, played: NDArray[np.int64], least: NDArray[np.int64]
) -> dict[str, Any]:
    """Records of dates with too few games: the season is young for a player, or rows are missing."""
    expected = season.completeness.expected
    category, rows_missing = shortfall(expected, least)
    reasons = [
        f"{'Missing upstream data' if missing else 'Season bootstrap'}: {actual}/{due} games (need {need})"
        for missing, actual, due, need in zip(rows_missing, played, expected, least, strict=True)
    ]
    return season.failures(players, category, reasons, rows_missing, played)


def shot_distribution(games: Columns, last_10: AsOfWindow, last_20: AsOfWindow) -> dict[str, NDArray[Any]]:
    """Shares (0-100) and accuracy (0-1) by zone, over the games of each window whose shots are known by zone."""
    # The flag is about the play-by-play; the threes are the box score's.
    by_zone = (games["has_complete_shot_zones"] == 1) & ~np.isnan(games["three_pt_attempts"])
    short, long = last_10.only(by_zone), last_20.only(by_zone)
    ten, twenty = (
        short.totals({name: games[name] for name in SUMMED}),
        long.totals({name: games[name] for name in SUMMED_LONG}),
    )
    attempts = {zone: ten[f"{zone}_attempts"] for zone in ZONES}
    shots, long_shots = (
        attempts_of["paint_attempts"] + attempts_of["mid_range_attempts"] + attempts_of["three_pt_attempts"]
        for attempts_of in (ten, twenty)
    )
    shares = {zone: ratio(100 * attempts[zone], shots) for zone in ZONES}
    makes = np.where(shots > 0, ten["fg_makes"], 0.0)
    long_enough = last_20.games() >= LONG_NEEDS
    return {
        **{f"{zone}_rate_last_10": shares[zone] for zone in ZONES},
        "total_shots_last_10": np.where(shots > 0, shots, np.nan),
        **{f"{zone}_pct_last_10": ratio(ten[f"{zone}_makes"], attempts[zone]) for zone in ZONES},
        **{f"{zone}_attempts_per_game": ratio(attempts[zone], short.games()) for zone in ZONES},
        "paint_rate_last_20": np.where(long_enough, ratio(100 * twenty["paint_attempts"], long_shots), np.nan),
        "paint_pct_last_20": np.where(long_enough, ratio(twenty["paint_makes"], twenty["paint_attempts"]), np.nan),
        "assisted_rate_last_10": ratio(100 * ten["assisted_fg_makes"], makes),
        "unassisted_rate_last_10": ratio(100 * ten["unassisted_fg_makes"], makes),
        "primary_scoring_zone": primary_zone(shares),
    }


SUMMED = (
    *(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes")),
    "fg_makes",
    "assisted_fg_makes",
    "unassisted_fg_makes",
)
SUMMED_LONG = (*(f"{zone}_attempts" for zone in ZONES), "paint_makes")


def primary_zone(shares: Mapping[str, Floats]) -> NDArray[np.object_]:
    """The zone with the largest weight in a player's shots, by its share in percent; `balanced` where none has, None
    where he took no shot.
    """
    rules = [shares[zone] >= least for zone, least in PRIMARY_SHARE.items()]
    zone = np.select(rules, [ZONE_LABELS[zone] for zone in PRIMARY_SHARE], default="balanced").astype(object)
    return text_where(np.isnan(shares["paint"]), None, zone)


def build(run: TableRun) -> Outcome:
    """Rows of every player who has played this season before the run's dates with games."""
    days = pregame_days(run)
    if not len(days):
        return Outcome({})
    sheet = run.read(PLAYER_GAMES, SHEET_COLUMNS, start=run.season_start)
    league, histories = read_expectations(run)
    histories["sheet"] = Grouped.by(sheet, "player_lookup", "game_date")
    requested = _seen(played_games(histories["sheet"]), days, run.calendar.first_day(days))
    if not len(requested["analysis_date"]):
        return Outcome({})
    requested |= run.season_columns(requested["analysis_date"])
    shared = Shared(Readiness(run.settings.ready_threshold_pct), league)
    return run.map_rows("players", compute, Grouped.by(requested, "player_lookup", "analysis_date"), histories, shared)


def _seen(played: Grouped, days: Dates, since: Dates) -> dict[str, NDArray[Any]]:
    """One row per player and date before which he has played in its season."""
    player, day = np.divmod(np.arange(len(played.entities) * len(days)), len(days))
    seen = AsOfWindow.season_to_date(played, AsOf(player, days[day], since[day])).games() > 0
    players = np.array(played.entities, dtype=object)
    return {"analysis_date": days[day[seen]], "player_lookup": players[player[seen]]}


SHEET_COLUMNS = (
    "player_lookup",
    "universal_player_id",
    "game_id",
    "game_date",
    "team_abbr",
    "is_dnp",
    "points",
    "has_complete_shot_zones",
    *(f"{zone}_{what}" for zone in ZONES for what in ("attempts", "makes")),
    "fg_makes",
    "assisted_fg_makes",
    "unassisted_fg_makes",
)
