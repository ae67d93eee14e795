"""What the five tables of pre-game analytics hold for one date, row by row, each read from the stored rows of the
tables before it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from nba_assets_tests.oracles.arithmetic import quotient
from nba_assets_tests.oracles.contexts import OLDEST_SNAPSHOT_DAYS, League, Season, is_final, rounded

Row = dict[str, Any]
Failure = tuple[str, str, bool, int | None, int | None]
"""Category, reason, whether running again may help, expected and actual games."""
Reading = tuple[dict[str, Row], dict[str, Failure]]
"""Rows and failures by entity."""

BOOTSTRAP_DAYS = 14
READY_PCT = 90
CACHE_MINIMUM_GAMES = 5
STALE_DAYS = 30
USUAL_SHARES = (0.580, 0.410, 0.355)
ZONES = {"paint": "paint", "mid_range": "mid_range", "perimeter": "three_pt"}
"""How a zone is called, and how the columns about it begin."""
ZONE_NOTES = {
    "paint": "No paint attempts",
    "mid_range": "No mid-range attempts",
    "perimeter": "No three-point attempts",
}
FLOAT_MEANS: frozenset[str] = frozenset()
"""Columns that are equal to one unit of their last place only: none. Everything is equal exactly."""

FEATURES = {
    "points_avg_last_5": 10.0,
    "points_avg_last_10": 10.0,
    "points_avg_season": 10.0,
    "points_std_last_10": 5.0,
    "games_in_last_7_days": 3.0,
    "fatigue_score": 50.0,
    "shot_zone_mismatch_score": 0.0,
    "pace_score": 0.0,
    "usage_spike_score": 0.0,
    "rest_advantage": 0.0,
    "injury_risk": 0.0,
    "recent_trend": 0.0,
    "minutes_change": 0.0,
    "opponent_def_rating": 112.0,
    "opponent_pace": 100.0,
    "home_away": 0.0,
    "back_to_back": 0.0,
    "playoff_game": 0.0,
    "pct_paint": 0.30,
    "pct_mid_range": 0.20,
    "pct_three": 0.35,
    "pct_free_throw": 0.15,
    "team_pace": 100.0,
    "team_off_rating": 112.0,
    "team_win_pct": 0.5,
}
NEW_FEATURES = {
    "points_avg_last_20": 4.0,
    "minutes_avg_season": 8.0,
    "minutes_last_game": 8.0,
    "started_last_game": 0.0,
    "usage_rate_last_10": 16.0,
    "points_per_minute": 0.35,
    "expected_minutes": 8.0,
    "expected_points": 3.0,
    "teammates_points": 120.0,
    "game_total": 224.0,
    "implied_team_total": 112.0,
    "star_tier_out": 0.0,
}
"""Those that the second version has and the first lacks."""
FROM_V1 = (
    "points_avg_last_5",
    "points_avg_season",
    "games_in_last_7_days",
    "recent_trend",
    "minutes_change",
    "pct_paint",
    "pct_mid_range",
    "pct_three",
)
FEATURES_V2 = {name: FEATURES[name] for name in FROM_V1} | NEW_FEATURES
VERSION_V2 = f"v2_minutes_{len(FEATURES_V2)}"
"""The features in order, with what stands for an unknown one."""
INJURY_RISKS = {"available": 0, "probable": 1, "questionable": 2, "doubtful": 3, "out": 3}
TAG_WEIGHTS = {"phase4": 100, "phase3": 75, "calculated": 100, "default": 40}


@dataclass
class Precomputed:
    """A season with the stored rows that later tables read; rows of other dates do no harm."""

    league: League
    contexts: list[Row] = field(default_factory=list)
    team_contexts: list[Row] = field(default_factory=list)
    team_defense: list[Row] = field(default_factory=list)
    shot_zones: list[Row] = field(default_factory=list)
    composite_factors: list[Row] = field(default_factory=list)
    daily_cache: list[Row] = field(default_factory=list)


@dataclass
class Attendance:
    """Which finals before the date were expected of a player, and which of them have his row."""

    season: Season

    @cached_property
    def finals(self) -> dict[str, list[Row]]:
        """Finals of each team before the date, in order of time."""
        found = defaultdict(list)
        for game in self.season.games:
            if is_final(game) and game["game_date"] < self.season.day:
                for team in (game["home_team_abbr"], game["away_team_abbr"]):
                    found[team].append(game)
        return dict(found)

    @cached_property
    def sheet(self) -> dict[tuple[str, str], Row]:
        """Sheet rows by player and game."""
        return {(row["player_lookup"], row["game_id"]): row for row in self.season.league.players}

    @cached_property
    def listed(self) -> dict[tuple[str, str], set[str]]:
        """Players on the team's roster as of each of its finals, by team and game."""
        snapshots: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in self.season.league.rosters:
            taken = row["roster_date"]
            by_month = taken.year - (taken.month < 10)
            if (by_month if row["season_year"] is None else row["season_year"]) == self.season.year:
                snapshots[row["team_abbr"]][taken].add(row["player_lookup"])
        found = {}
        for team, games in self.finals.items():
            for game in games:
                dates = [
                    taken for taken in snapshots[team] if 0 <= (game["game_date"] - taken).days <= OLDEST_SNAPSHOT_DAYS
                ]
                found[team, game["game_id"]] = snapshots[team][max(dates)] if dates else set()
        return found

    def of(self, player: str, team: str, games: Iterable[Row]) -> tuple[int, int]:
        """How many of a team's games were expected of him, and how many of those have his row."""
        expected, actual = self._games(player, team, games)
        return len(expected), len(actual)

    def of_all_teams(self, player: str) -> int:
        """Games of the season expected of him, whichever team he was with."""
        expected = set()
        for team, games in self.finals.items():
            expected |= self._games(player, team, games)[0]
        return len(expected)

    def _games(self, player: str, team: str, games: Iterable[Row]) -> tuple[set[str], set[str]]:
        expected, actual = set(), set()
        for game in games:
            row = self.sheet.get((player, game["game_id"]))
            if row is None:
                if player in self.listed[team, game["game_id"]]:
                    expected.add(game["game_id"])
            elif row["team_abbr"] == team and not row["is_dnp"]:
                expected.add(game["game_id"])
                actual.add(game["game_id"])
        return expected, actual


def team_defense(league: League, day: date) -> Reading:
    """Rows of team_defense_zone_analysis by team."""
    season = _season(league, day)
    if season is None:
        return {}, {}
    games = _grouped(_of_season(league.defense, season), "defending_team_abbr")
    finals = Attendance(season).finals
    usual = _league_shares(season, games)
    days = (day - season.opening_night).days
    minimum = min(15, max(5, days // 3))
    teams = {
        team
        for game in season.games
        if game["is_regular_season"]
        for team in (game["home_team_abbr"], game["away_team_abbr"])
    }
    rows: dict[str, Row] = {}
    failures: dict[str, Failure] = {}
    for team in sorted(teams):
        mine, expected = games.get(team, [])[:15], finals.get(team, [])
        if len(mine) < minimum:
            failures[team] = (
                "INSUFFICIENT_DATA",
                f"Only {len(mine)} games, need {minimum}",
                False,
                len(expected),
                len(mine),
            )
            continue
        with_row = {row["game_id"] for row in mine}
        due, there = len(expected[-15:]), sum(game["game_id"] in with_row for game in expected[-15:])
        rows[team] = (
            {"team_abbr": team, "analysis_date": day}
            | _defended(mine, usual)
            | _completeness(due, there)
            | _excuses(season)
            | {"is_production_ready": _is_ready(season, [(due, there)])}
        )
    return rows, failures


def _defended(games: list[Row], usual: Sequence[float]) -> Row:
    row: Row = {}
    against: dict[str, float] = {}
    notes = []
    for (zone, prefix), league_share in zip(ZONES.items(), usual, strict=True):
        makes, attempts, known = _zone_sums(games, prefix)
        share = makes / attempts if attempts else None
        if share is not None:
            against[zone] = (share - league_share) * 100
        if known and not attempts:
            notes.append(ZONE_NOTES[zone])
        row |= {
            f"{prefix}_pct_allowed_last_15": quotient(makes, attempts, 3),
            f"{prefix}_attempts_allowed_per_game": _whole_mean(games, f"opp_{prefix}_attempts", 1),
            f"{prefix}_blocks_per_game": _whole_mean(games, f"blocks_{prefix}", 1),
            f"{prefix}_defense_vs_league_avg": rounded(against.get(zone), 2),
        }
    size = len(games)
    return row | {
        "paint_points_allowed_per_game": _whole_mean(games, "points_in_paint_allowed", 1),
        "defensive_rating_last_15": _decimal_mean(games, "defensive_rating", 2, 2),
        "opponent_points_per_game": _whole_mean(games, "points_allowed", 1),
        "opponent_pace": _decimal_mean(games, "opponent_pace", 1, 1),
        "games_in_sample": size,
        # Both take the first of equals.
        "strongest_zone": min(against, key=lambda zone: against[zone]) if against else None,
        "weakest_zone": max(against, key=lambda zone: against[zone]) if against else None,
        "data_quality_tier": "high" if size >= 15 else "medium" if size >= 10 else "low",
        "calculation_notes": "; ".join(notes) or None,
        "early_season_flag": size < 15,
    }


def _league_shares(season: Season, games: dict[str, list[Row]]) -> Sequence[float]:
    """Shares of attempts made per zone, averaged over teams: of the last thirty days, else of the season, else as
    usual.
    """
    for days in (30, math.inf):
        shares = []
        for all_games in games.values():
            mine = [row for row in all_games if season.days_ago(row) <= days]
            sums = [_zone_sums(mine, prefix) for prefix in ZONES.values()]
            if len(mine) >= 10 and all(attempts for _, attempts, _ in sums):
                shares.append([makes / attempts for makes, attempts, _ in sums])
        if len(shares) >= 10:
            return [math.fsum(zone) / len(shares) for zone in zip(*shares, strict=True)]
    return USUAL_SHARES


def _zone_sums(games: list[Row], prefix: str) -> tuple[int, int, int]:
    """Makes, attempts and number of the games in which both are known."""
    names = (f"opp_{prefix}_makes", f"opp_{prefix}_attempts")
    known = [row for row in games if all(row[name] is not None for name in names)]
    makes, attempts = (sum(row[name] for row in known) for name in names)
    return makes, attempts, len(known)


def player_shot_zones(league: League, day: date) -> Reading:
    """Rows of player_shot_zone_analysis by player."""
    season = _season(league, day)
    if season is None:
        return {}, {}
    attendance = Attendance(season)
    days = (day - season.opening_night).days
    minimum = min(10, max(3, days // 3))
    rows: dict[str, Row] = {}
    failures: dict[str, Failure] = {}
    for player in sorted(league.by_player):
        sheet = _of_season(league.by_player[player], season)
        played = _played(sheet)
        if not played:
            continue
        if len(played) < minimum:
            expected = attendance.of_all_teams(player)
            category, words = (
                ("EXPECTED_INCOMPLETE", "Season bootstrap")
                if expected < minimum
                else ("INCOMPLETE_UPSTREAM", "Missing upstream data")
            )
            reason = f"{words}: {len(played)}/{expected} games (need {minimum})"
            failures[player] = (category, reason, category == "INCOMPLETE_UPSTREAM", expected, len(played))
            continue
        team = sheet[0]["team_abbr"]
        window = attendance.of(player, team, attendance.finals.get(team, [])[-10:])
        rows[player] = (
            {"player_lookup": player, "universal_player_id": played[0]["universal_player_id"], "analysis_date": day}
            | _shots(played)
            | _completeness(*window)
            | _excuses(season)
            | {"is_production_ready": _is_ready(season, [window])}
        )
    return rows, failures


def _shots(played: list[Row]) -> Row:
    ten, twenty = played[:10], played[:20]
    zoned = _zoned(ten)
    attempts = {prefix: _total(zoned, f"{prefix}_attempts") for prefix in ZONES.values()}
    makes = {prefix: _total(zoned, f"{prefix}_makes") for prefix in ZONES.values()}
    total, field_goals = sum(attempts.values()), _total(zoned, "fg_makes") if sum(attempts.values()) else 0
    long = _zoned(twenty) if len(twenty) >= 15 else []
    long_attempts = {prefix: _total(long, f"{prefix}_attempts") for prefix in ZONES.values()}
    return {
        **{f"{prefix}_rate_last_10": quotient(100 * attempts[prefix], total, 2) for prefix in attempts},
        **{f"{prefix}_pct_last_10": quotient(makes[prefix], attempts[prefix], 3) for prefix in attempts},
        **{f"{prefix}_attempts_per_game": quotient(attempts[prefix], len(zoned), 1) for prefix in attempts},
        "total_shots_last_10": total or None,
        "games_in_sample_10": len(ten),
        "sample_quality_10": _sample_quality(len(ten), 10),
        "paint_rate_last_20": quotient(100 * long_attempts["paint"], sum(long_attempts.values()), 2),
        "paint_pct_last_20": quotient(_total(long, "paint_makes"), long_attempts["paint"], 3),
        "games_in_sample_20": len(twenty),
        "sample_quality_20": _sample_quality(len(twenty), 20),
        "assisted_rate_last_10": quotient(100 * _total(zoned, "assisted_fg_makes"), field_goals, 2),
        "unassisted_rate_last_10": quotient(100 * _total(zoned, "unassisted_fg_makes"), field_goals, 2),
        "primary_scoring_zone": _primary_zone(
            {zone: Fraction(100 * attempts[prefix], total) for zone, prefix in ZONES.items()} if total else {}
        ),
        "data_quality_tier": "high" if len(ten) >= 10 else "medium" if len(ten) >= 7 else "low",
        "early_season_flag": len(ten) < 10,
    }


def _primary_zone(rates: dict[str, Fraction]) -> str | None:
    if not rates:
        return None
    return next(
        (zone for zone, least in (("paint", 40), ("perimeter", 40), ("mid_range", 35)) if rates[zone] >= least),
        "balanced",
    )


def _sample_quality(games: int, target: int) -> str:
    least = ((target, "excellent"), (7 * target // 10, "good"), (target // 2, "limited"), (0, "insufficient"))
    return next(name for enough, name in least if games >= enough)


def composite_factors(stored: Precomputed, day: date) -> Reading:
    """Rows of player_composite_factors by player."""
    season = _season(stored.league, day)
    if season is None:
        return {}, {}
    shots = _on(day, stored.shot_zones, "analysis_date", "player_lookup")
    defenses = _on(day, stored.team_defense, "analysis_date", "team_abbr")
    teams = _on(day, stored.team_contexts, "game_date", "team_abbr")
    rows = {}
    for player, context in _on(day, stored.contexts, "game_date", "player_lookup").items():
        shooter, defense = shots.get(player), defenses.get(context["opponent_team_abbr"])
        own_ready = _is_own_ready(season, context)
        upstreams = {
            "upstream_player_shot_ready": _ready(shooter),
            "upstream_team_defense_ready": _ready(defense),
            "upstream_player_context_ready": _ready(context),
            "upstream_team_context_ready": _ready(teams.get(context["team_abbr"])),
        }
        issues = {
            "own_data_incomplete": own_ready,
            "upstream_player_shot_zone_incomplete": upstreams["upstream_player_shot_ready"],
            "upstream_team_defense_zone_incomplete": upstreams["upstream_team_defense_ready"],
            "upstream_player_context_incomplete": upstreams["upstream_player_context_ready"],
            "upstream_team_context_incomplete": upstreams["upstream_team_context_ready"],
        }
        rows[player] = (
            {
                "player_lookup": player,
                "universal_player_id": context["universal_player_id"],
                "game_date": day,
                "game_id": context["game_id"],
                "analysis_date": day,
                "calculation_version": "v1_4factors",
            }
            | _factors(context, shooter, defense)
            | _copied_completeness(context)
            | _excuses(season)
            | upstreams
            | {
                "all_upstreams_ready": all(upstreams.values()),
                "is_production_ready": own_ready and all(upstreams.values()),
                "data_quality_issues": [name for name, is_fine in issues.items() if not is_fine],
            }
        )
    return rows, {}


def _factors(context: Row, shooter: Row | None, defense: Row | None) -> Row:
    fatigue, penalties, bonuses = _fatigue(context)
    mismatch = _mismatch(shooter, defense)
    pace = _clamped(_or(context["pace_differential"], 0) / 2, 3)
    spike = _usage_spike(context)
    total = (fatigue - 100) / 20 + mismatch + pace + spike
    known = {
        "days_rest": context["days_rest"] is not None,
        "projected_usage_rate": context["projected_usage_rate"] is not None,
        "pace_differential": context["pace_differential"] is not None,
        "player_shot_zone": shooter is not None,
        "team_defense_zone": defense is not None,
    }
    warnings = ["EXTREME_FATIGUE: Player showing severe fatigue"] * (fatigue < 50)
    warnings += ["EXTREME_MATCHUP: Unusual zone mismatch"] * (abs(mismatch) > 8)
    warnings += ["EXTREME_ADJUSTMENT: Very large composite adjustment"] * (abs(total) > 12)
    projected, base = context["projected_usage_rate"], context["avg_usage_rate_last_7_games"]
    difference = None if projected is None or base is None else rounded(projected - base, 1)
    return {
        "fatigue_score": fatigue,
        "shot_zone_mismatch_score": rounded(mismatch, 1),
        "pace_score": rounded(pace, 1),
        "usage_spike_score": rounded(spike, 1),
        "referee_favorability_score": 0.0,
        "look_ahead_pressure_score": 0.0,
        "travel_impact_score": 0.0,
        "opponent_strength_score": 0.0,
        "total_composite_adjustment": rounded(total, 2),
        "fatigue_context_json": {
            "days_rest": context["days_rest"],
            "back_to_back": context["back_to_back"],
            "games_last_7": context["games_in_last_7_days"],
            "minutes_last_7": context["minutes_in_last_7_days"],
            "avg_minutes_pg_last_7": context["avg_minutes_per_game_last_7"],
            "back_to_backs_last_14": context["back_to_backs_last_14_days"],
            "player_age": context["player_age"],
            "penalties_applied": penalties,
            "bonuses_applied": bonuses,
            "final_score": fatigue,
        },
        "shot_zone_context_json": _shot_zone_context(shooter, defense, mismatch),
        "pace_context_json": {
            "pace_differential": context["pace_differential"],
            "opponent_pace_last_10": context["opponent_pace_last_10"],
            "league_avg_pace": 100.0,
            "pace_environment": _sort(context["pace_differential"], "fast", "slow", "normal"),
            "final_score": rounded(pace, 1),
        },
        "usage_context_json": {
            "projected_usage_rate": projected,
            "avg_usage_last_7": base,
            "usage_differential": difference,
            "star_teammates_out": context["star_teammates_out"],
            "usage_trend": _sort(difference, "spike", "drop", "stable"),
            "final_score": rounded(spike, 1),
        },
        "data_completeness_pct": 20.0 * sum(known.values()),
        "missing_data_fields": ", ".join(name for name, is_known in known.items() if not is_known) or None,
        "has_warnings": bool(warnings),
        "warning_details": "; ".join(warnings) or None,
    }


def _fatigue(context: Row) -> tuple[int, list[str], list[str]]:
    """The score from 0 to 100, what lowered it and what raised it."""
    penalties: dict[str, int] = {}
    bonuses: dict[str, int] = {}
    if context["back_to_back"]:
        penalties["back_to_back"] = 15
    elif _or(context["days_rest"], 1) >= 3:
        bonuses["extra_rest"] = 5
    if _or(context["games_in_last_7_days"], 3) >= 4:
        penalties["frequent_games"] = 10
    if _or(context["minutes_in_last_7_days"], 200) > 240:
        penalties["heavy_minutes"] = 10
    if _or(context["avg_minutes_per_game_last_7"], 30) > 35:
        penalties["high_avg_minutes"] = 8
    pairs, age = _or(context["back_to_backs_last_14_days"], 0), _or(context["player_age"], 25)
    if pairs >= 1:
        penalties["recent_back_to_backs"] = 12 if pairs >= 2 else 5
    if age >= 30:
        penalties["veteran_age"] = 10 if age >= 35 else 5
    score = max(0, min(100, 100 - sum(penalties.values()) + sum(bonuses.values())))
    return (
        score,
        [f"{name}: -{number}" for name, number in penalties.items()],
        [f"{name}: +{number}" for name, number in bonuses.items()],
    )


def _mismatch(shooter: Row | None, defense: Row | None) -> float:
    if shooter is None or defense is None:
        return 0.0
    prefix = ZONES.get(shooter["primary_scoring_zone"], "paint")
    rate, allowed = shooter[f"{prefix}_rate_last_10"], defense[f"{prefix}_defense_vs_league_avg"]
    weighted = float(_or(allowed, 0) * min(_or(rate, 50) / 50, 1))
    if abs(weighted) > 5:
        weighted *= 1.2
    return _clamped(weighted, 10)


def _usage_spike(context: Row) -> float:
    projected, base = context["projected_usage_rate"], context["avg_usage_rate_last_7_games"]
    if projected is None or base is None or base == 0:
        return 0.0
    spike = (projected - base) * 0.3
    stars = _or(context["star_teammates_out"], 0)
    if stars > 0 and spike > 0:
        spike *= 1.30 if stars >= 2 else 1.15
    return _clamped(spike, 3)


def _shot_zone_context(shooter: Row | None, defense: Row | None, mismatch: float) -> Row:
    if shooter is None or defense is None:
        return {"missing_data": True}
    prefix = ZONES.get(shooter["primary_scoring_zone"], "paint")
    return {
        "player_primary_zone": shooter["primary_scoring_zone"],
        "primary_zone_frequency": shooter[f"{prefix}_rate_last_10"],
        "opponent_weak_zone": defense["weakest_zone"],
        "opponent_defense_vs_league": defense[f"{prefix}_defense_vs_league_avg"],
        "mismatch_type": _sort(mismatch, "favorable", "unfavorable", "neutral"),
        "final_score": rounded(mismatch, 1),
    }


def _sort(value: float | None, high: str, low: str, between: str) -> str:
    if value is None:
        return between
    return high if value > 2 else low if value < -2 else between


def daily_cache(stored: Precomputed, day: date) -> Reading:
    """Rows of player_daily_cache by player."""
    league = stored.league
    season = _season(league, day)
    if season is None:
        return {}, {}
    attendance = Attendance(season)
    games_of_teams = _grouped(_of_season(league.offense, season), "team_abbr")
    shots = _on(day, stored.shot_zones, "analysis_date", "player_lookup")
    rows: dict[str, Row] = {}
    failures: dict[str, Failure] = {}
    for player, context in _on(day, stored.contexts, "game_date", "player_lookup").items():
        played = _played(_of_season(league.by_player.get(player, []), season))
        size, shooter = len(played), shots.get(player)
        if size < CACHE_MINIMUM_GAMES:
            reason = f"Only {size} games played, need {CACHE_MINIMUM_GAMES} minimum"
            failures[player] = ("INSUFFICIENT_DATA", reason, False, attendance.of_all_teams(player), size)
            continue
        idle = season.days_ago(played[0])
        if idle > STALE_DAYS:
            reason = f"Last game {idle} days ago, more than {STALE_DAYS}"
            failures[player] = ("STALE_DATA", reason, False, attendance.of_all_teams(player), size)
            continue
        finals = attendance.finals.get(context["team_abbr"], [])
        spans = {"l5": finals[-5:], "l10": finals[-10:]}
        spans |= {f"l{days}d": [game for game in finals if season.days_ago(game) <= days] for days in (7, 14)}
        windows = {name: attendance.of(player, context["team_abbr"], games) for name, games in spans.items()}
        upstreams_ready = _ready(context) and (shooter is None or _ready(shooter))
        rows[player] = (
            {
                "player_lookup": player,
                "universal_player_id": context["universal_player_id"],
                "cache_date": day,
                "early_season_flag": size < 10,
                "insufficient_data_reason": f"Only {size} games played, need 10 minimum" if size < 10 else None,
                "shot_zone_data_available": shooter is not None,
                **{name: context[name] for name in CACHED_CONTEXT},
                **{name: shooter[name] if shooter else None for name in CACHED_SHOTS},
            }
            | _averages(played)
            | _team_averages(games_of_teams.get(context["team_abbr"], [])[:10])
            | _completeness(*windows["l5"])
            | {f"{name}_completeness_pct": rounded(_pct(*window), 1) for name, window in windows.items()}
            | {f"{name}_is_complete": there >= due for name, (due, there) in windows.items()}
            | {"all_windows_complete": all(there >= due for due, there in windows.values())}
            | _excuses(season)
            | {
                "all_upstreams_ready": upstreams_ready,
                "is_production_ready": upstreams_ready and _is_ready(season, windows.values()),
            }
        )
    return rows, failures


CACHED_CONTEXT = (
    "games_in_last_7_days",
    "games_in_last_14_days",
    "minutes_in_last_7_days",
    "minutes_in_last_14_days",
    "back_to_backs_last_14_days",
    "avg_minutes_per_game_last_7",
    "player_age",
)
CACHED_SHOTS = ("primary_scoring_zone", "paint_rate_last_10", "three_pt_rate_last_10")


def _averages(played: list[Row]) -> Row:
    five, ten = played[:5], played[:10]
    zoned = _zoned(ten)
    return {
        "points_avg_last_5": _whole_mean(five, "points", 4),
        "points_avg_last_10": _whole_mean(ten, "points", 4),
        "points_avg_season": _whole_mean(played, "points", 4),
        "points_std_last_10": _deviation([row["points"] for row in ten], 4),
        "minutes_avg_last_10": _decimal_mean(ten, "minutes_played", 1, 4),
        "usage_rate_last_10": _decimal_mean(ten, "usage_rate", 1, 4),
        "ts_pct_last_10": _decimal_mean(ten, "ts_pct", 3, 4),
        "games_played_season": len(played),
        "player_usage_rate_season": _decimal_mean(played, "usage_rate", 1, 4),
        "assisted_rate_last_10": quotient(_total(zoned, "assisted_fg_makes"), _total(zoned, "fg_makes"), 9),
    }


def _team_averages(games: list[Row]) -> Row:
    return {
        "team_pace_last_10": _decimal_mean(games, "pace", 1, 4),
        "team_off_rating_last_10": _decimal_mean(games, "offensive_rating", 2, 4),
    }


def feature_store(stored: Precomputed, day: date) -> Reading:
    """Rows of ml_feature_store by player."""
    league = stored.league
    season = _season(league, day)
    if season is None:
        return {}, {}
    games_of_teams = _grouped(_of_season(league.offense, season), "team_abbr")
    caches = _on(day, stored.daily_cache, "cache_date", "player_lookup")
    factors = _on(day, stored.composite_factors, "game_date", "player_lookup")
    shots = _on(day, stored.shot_zones, "analysis_date", "player_lookup")
    defenses = _on(day, stored.team_defense, "analysis_date", "team_abbr")
    contexts = _on(day, stored.contexts, "game_date", "player_lookup")
    rows = {}
    for player, context in contexts.items():
        cache, factor, shooter, defense = (
            caches.get(player),
            factors.get(player),
            shots.get(player),
            defenses.get(context["opponent_team_abbr"]),
        )
        played = _played(_of_season(league.by_player.get(player, []), season))
        recent = [row for row in played if season.days_ago(row) <= 60][:10]
        team_games = games_of_teams.get(context["team_abbr"], [])
        found = (
            _averaged_features(cache, context, recent, played)
            | _upstream_features(context, cache, factor, shooter, defense, team_games[:10])
            | _calculated_features(context, cache, recent, played, team_games)
            | _new_features(context, cache, _teammates(player, contexts, caches), recent, played)
        )
        tags, score = _tags_and_score(found, FEATURES)
        tags_v2, score_v2 = _tags_and_score(found, FEATURES_V2)
        upstreams = {
            "upstream_player_daily_cache_incomplete": _ready(cache),
            "upstream_player_composite_factors_incomplete": _ready(factor),
            "upstream_player_shot_zone_incomplete": _ready(shooter),
            "upstream_team_defense_zone_incomplete": _ready(defense),
        }
        rows[player] = (
            {
                "player_lookup": player,
                "universal_player_id": context["universal_player_id"],
                "game_date": day,
                "game_id": context["game_id"],
                **{name: value for name, (value, _) in found.items()},
                "features": _filled(found, FEATURES),
                "feature_names": list(FEATURES),
                "feature_sources": tags,
                "feature_count": len(FEATURES),
                "feature_version": f"v1_baseline_{len(FEATURES)}",
                "feature_quality_score": score,
                "features_v2": _filled(found, FEATURES_V2),
                "feature_names_v2": list(FEATURES_V2),
                "feature_sources_v2": tags_v2,
                "feature_version_v2": VERSION_V2,
                "feature_quality_score_v2": score_v2,
                "quality_tier_v2": _tier(score_v2),
                "data_source_v2": _data_source(tags_v2),
                "quality_tier": _tier(score),
                "opponent_team_abbr": context["opponent_team_abbr"],
                "is_home": context["home_game"],
                "days_rest": context["days_rest"],
                "data_source": _data_source(tags),
                "data_quality_issues": [name for name, is_fine in upstreams.items() if not is_fine],
            }
            | _copied_completeness(context)
            | _excuses(season)
            | {"is_production_ready": _is_own_ready(season, context) and all(upstreams.values())}
        )
    return rows, {}


Feature = tuple[float | None, str]
"""A value with the tag that it has when it is known."""


def _averaged_features(cache: Row | None, context: Row, recent: list[Row], played: list[Row]) -> dict[str, Feature]:
    """Scoring and games: the cache, else the player's own games."""
    own_games = {
        "points_avg_last_5": _exact_mean(recent[:5]) if len(recent) >= 5 else None,
        "points_avg_last_10": _exact_mean(recent),
        "points_avg_season": _exact_mean(played),
        "points_std_last_10": None,
        "games_in_last_7_days": context["games_in_last_7_days"],
    }
    return {name: _first((_field(cache, name), "phase4"), (value, "phase3")) for name, value in own_games.items()}


def _upstream_features(
    context: Row, cache: Row | None, factor: Row | None, shooter: Row | None, defense: Row | None, team_games: list[Row]
) -> dict[str, Feature]:
    """What is copied from other tables of the date."""
    scores = ("fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score")
    paint, middle, three = (
        _first((_field(shooter, name), "phase4"), (_field(cache, name) if name in CACHED_SHOTS else None, "phase4"))
        for name in (f"{prefix}_rate_last_10" for prefix in ZONES.values())
    )
    return {
        **{name: _first((_field(factor, name), "phase4")) for name in scores},
        "opponent_def_rating": _first((_field(defense, "defensive_rating_last_15"), "phase4")),
        "opponent_pace": _first((_field(defense, "opponent_pace"), "phase4")),
        "home_away": (float(context["home_game"]), "phase3"),
        "back_to_back": (float(context["back_to_back"]), "phase3"),
        "playoff_game": (float(context["season_phase"] == "playoffs"), "phase3"),
        "pct_paint": _hundredth(paint),
        "pct_mid_range": _hundredth(middle),
        "pct_three": _hundredth(three),
        "team_pace": _first(
            (_field(cache, "team_pace_last_10"), "phase4"), (_plain_mean(team_games, "pace", 1), "phase3")
        ),
        "team_off_rating": _first(
            (_field(cache, "team_off_rating_last_10"), "phase4"),
            (_plain_mean(team_games, "offensive_rating", 2), "phase3"),
        ),
    }


def _calculated_features(
    context: Row, cache: Row | None, recent: list[Row], played: list[Row], team_games: list[Row]
) -> dict[str, Feature]:
    rest, their_rest = context["days_rest"], context["opponent_days_rest"]
    wins = sum(row["win_flag"] for row in team_games)
    share = quotient(_total(recent, "ft_makes"), _total(recent, "points"), 9) if len(recent) >= 5 else None
    values = {
        "rest_advantage": None if rest is None or their_rest is None else _clamped(rest - their_rest, 2),
        "injury_risk": INJURY_RISKS.get((context["player_status"] or "").lower(), 0),
        "recent_trend": _trend([row["points"] for row in recent]),
        "minutes_change": _minutes_change(cache, recent, played),
        "pct_free_throw": None if share is None else min(share, 0.5),
        "team_win_pct": quotient(wins, len(team_games), 9) if len(team_games) >= 5 else None,
    }
    return {name: (None if value is None else float(value), "calculated") for name, value in values.items()}


def _new_features(
    context: Row, cache: Row | None, teammates: list[tuple[Row, Row | None]], recent: list[Row], played: list[Row]
) -> dict[str, Feature]:
    """What the second version adds."""
    newest = played[0] if played else None
    minutes = sum(_units(_or(row["minutes_played"], 0), 1) for row in played)
    per_minute = 10 * _total(played, "points") / minutes if minutes else None
    expected = _expected_minutes(cache, teammates, recent)
    total, spread = context["game_total"], context["game_spread"]
    summaries = {
        "points_avg_last_20": _exact_mean(played[:20]),
        "minutes_avg_season": _plain_mean(played, "minutes_played", 1),
        "minutes_last_game": _field(newest, "minutes_played"),
        "started_last_game": _field(newest, "starter_flag"),
        "game_total": total,
        "star_tier_out": context["star_tier_out"],
    }
    calculated = {
        "points_per_minute": rounded(per_minute, 9),
        "expected_minutes": rounded(expected, 9),
        "expected_points": None if expected is None or per_minute is None else rounded(per_minute * expected, 9),
        "teammates_points": _points_of_teammates(teammates),
        "implied_team_total": None if total is None or spread is None else (total - spread) / 2,
    }
    return {
        **{name: _first((value, "phase3")) for name, value in summaries.items()},
        **{name: _first((value, "calculated")) for name, value in calculated.items()},
        "usage_rate_last_10": _first((_field(cache, "usage_rate_last_10"), "phase4")),
    }


def _expected_minutes(cache: Row | None, teammates: list[tuple[Row, Row | None]], recent: list[Row]) -> float | None:
    """His part of the 240 minutes of his team, by the recent minutes of all who are expected to play."""
    own = _recent_minutes(cache, recent)
    others = _minutes_of_teammates(teammates)
    if own is None or own + others == 0:
        return None
    return min(240 * (own / (own + others)), 48.0)


def _recent_minutes(cache: Row | None, recent: list[Row]) -> float | None:
    """Mean minutes of his newest ten games: the cache, else his own games, one of unknown time counted as 0."""
    lately = _field(cache, "minutes_avg_last_10")
    if lately is None and recent:
        lately = sum(_units(_or(row["minutes_played"], 0), 1) for row in recent) / (10 * len(recent))
    return lately


def _teammates(player: str, contexts: dict[str, Row], caches: dict[str, Row]) -> list[tuple[Row, Row | None]]:
    """Contexts and caches of those who play for his team on the date."""
    return [
        (context, caches.get(other))
        for other, context in contexts.items()
        if other != player and context["team_abbr"] == contexts[player]["team_abbr"]
    ]


def _minutes_of_teammates(teammates: list[tuple[Row, Row | None]]) -> float:
    """Sum of their recent minutes a game to four decimals: the cache's, else those of the last fortnight."""
    total = 0
    for context, cache in teammates:
        mean = _field(cache, "minutes_avg_last_10")
        if mean is None and context["games_in_last_14_days"]:
            mean = context["minutes_in_last_14_days"] / context["games_in_last_14_days"]
        total += round(10_000 * _or(mean, 0))
    return total / 10_000


def _points_of_teammates(teammates: list[tuple[Row, Row | None]]) -> float:
    """Sum of their mean points: the cache's, else what the context knows."""
    means = (
        _first((_field(cache, "points_avg_season"), ""), (context["points_avg_last_10"], ""))[0]
        for context, cache in teammates
    )
    return sum(_units(_or(mean, 0), 4) for mean in means) / 10_000


def _tags_and_score(found: dict[str, Feature], features: Iterable[str]) -> tuple[list[str], float]:
    """The origin of each feature of a version, and the mean trust in them."""
    tags = ["default" if found[name][0] is None else found[name][1] for name in features]
    score = quotient(sum(TAG_WEIGHTS[tag] for tag in tags), len(tags), 2)
    assert score is not None
    return tags, score


def _tier(score: float) -> str:
    tiers = ((95, "gold"), (75, "silver"), (50, "bronze"), (25, "poor"))
    return next((tier for least, tier in tiers if score >= least), "unusable")


def _filled(found: dict[str, Feature], features: dict[str, float]) -> list[float]:
    """The features of a version as the model reads them."""
    values = ((found[name][0], default) for name, default in features.items())
    return [default if value is None else value for value, default in values]


def _trend(points: list[int]) -> int | None:
    """The newest two games against the three before them."""
    if len(points) < 5:
        return None
    return _step(Fraction(sum(points[:2]), 2) - Fraction(sum(points[2:5]), 3), (2, 5))


def _minutes_change(cache: Row | None, recent: list[Row], played: list[Row]) -> int | None:
    lately = _recent_minutes(cache, recent)
    season = _plain_mean(played, "minutes_played", 1)
    if not lately or not season:
        return None
    return _step((lately - season) / season, (0.10, 0.20))


def _step(change: float | Fraction, bounds: tuple[float, float]) -> int:
    size = sum(not -bound < change < bound for bound in bounds)
    return size if change > 0 else -size


def _data_source(tags: list[str]) -> str:
    if 10 * tags.count("phase4") >= 9 * len(tags):
        return "phase4"
    if 2 * tags.count("phase4") >= len(tags):
        return "phase4_partial"
    return "phase3" if 2 * tags.count("phase3") >= len(tags) else "mixed"


def _first(*candidates: Feature) -> Feature:
    """The first known value with its tag."""
    value, tag = next((candidate for candidate in candidates if candidate[0] is not None), (None, "default"))
    return None if value is None else float(value), tag


def _hundredth(feature: Feature) -> Feature:
    value, tag = feature
    return None if value is None else value / 100, tag


def _field(row: Row | None, name: str) -> float | None:
    return None if row is None else row[name]


def _season(league: League, day: date) -> Season | None:
    """The season of a date that gets rows: one with games, not among the first of its season."""
    season = Season(league, day)
    if not any(game["game_date"] == day for game in league.schedule) or not season.tonight:
        return None
    return season if (day - season.opening_night).days >= BOOTSTRAP_DAYS else None


def _of_season(rows: Iterable[Row], season: Season) -> list[Row]:
    """Rows of the season before the date, newest first."""
    mine = [row for row in rows if season.opening_night <= row["game_date"] < season.day]
    return sorted(mine, key=lambda row: row["game_date"], reverse=True)


def _played(sheet: list[Row]) -> list[Row]:
    return [row for row in sheet if not row["is_dnp"] and row["points"] is not None]


def _zoned(games: list[Row]) -> list[Row]:
    return [row for row in games if row["has_complete_shot_zones"] and row.get("three_pt_attempts") is not None]


def _on(day: date, rows: list[Row], date_column: str, entity_column: str) -> dict[str, Row]:
    """Rows of the date by entity."""
    return {row[entity_column]: row for row in rows if row[date_column] == day}


def _ready(row: Row | None) -> bool:
    return row is not None and bool(row["is_production_ready"])


def _is_own_ready(season: Season, context: Row) -> bool:
    return context["l10_completeness_pct"] >= READY_PCT or season.is_bootstrap or season.is_boundary


def _is_ready(season: Season, windows: Iterable[tuple[int, int]]) -> bool:
    return season.is_bootstrap or season.is_boundary or all(_pct(*window) >= READY_PCT for window in windows)


def _pct(expected: int, actual: int) -> float:
    return 100 * actual / expected if expected else 100.0


def _completeness(expected: int, actual: int) -> Row:
    return {
        "expected_games_count": expected,
        "actual_games_count": actual,
        "completeness_percentage": rounded(_pct(expected, actual), 1),
        "missing_games_count": expected - actual,
    }


def _copied_completeness(context: Row) -> Row:
    expected, actual = context["l10_expected_games"], context["l10_actual_games"]
    return _completeness(expected, actual) | {"completeness_percentage": context["l10_completeness_pct"]}


def _excuses(season: Season) -> Row:
    return {"season_boundary_detected": season.is_boundary, "backfill_bootstrap_mode": season.is_bootstrap}


def _total(rows: list[Row], name: str) -> int:
    """Sum of the known values."""
    return sum(row[name] for row in rows if row[name] is not None)


def _known(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None]


def _whole_mean(rows: list[Row], name: str, scale: int) -> float | None:
    """Mean of the known whole numbers."""
    return quotient(sum(_known(rows, name)), len(_known(rows, name)), scale)


def _decimal_mean(rows: list[Row], name: str, decimals: int, scale: int) -> float | None:
    """Mean of the known stored decimals, as integers of their last place."""
    values = _known(rows, name)
    return quotient(sum(_units(value, decimals) for value in values), 10**decimals * len(values), scale)


def _plain_mean(rows: list[Row], name: str, decimals: int) -> float | None:
    """The same without rounding."""
    values = _known(rows, name)
    return sum(_units(value, decimals) for value in values) / (10**decimals * len(values)) if values else None


def _exact_mean(rows: list[Row]) -> float | None:
    return _plain_mean(rows, "points", 0)


def _deviation(values: list[int], scale: int) -> float | None:
    """Sample standard deviation."""
    size = len(values)
    if size < 2:
        return None
    squares = size * sum(value * value for value in values) - sum(values) ** 2
    return rounded(math.sqrt(squares / (size * (size - 1))), scale)


def _units(value: float, decimals: int) -> int:
    """A stored decimal as a whole number of its last place."""
    return round(Fraction(str(value)) * 10**decimals)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _clamped(value: float, most: float) -> float:
    return max(-most, min(most, value))


def _grouped(rows: Iterable[Row], name: str) -> dict[str, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[name]].append(row)
    return dict(groups)
